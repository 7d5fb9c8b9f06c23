// Definitions of types: names and locks, RENAME, OWNER, SET SCHEMA.
#include "sql/ddl/type.h"

#include "sql/ddl/dependency.h"
#include "sql/ddl/grant.h"
#include "sql/ddl/statements.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

std::vector<std::string> name_list(PgQuery__Node* const* names, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(string_value(names[i]));
  return out;
}

std::string name_text(const std::vector<std::string>& parts) { return join(parts, "."); }

bool type_name_taken(DdlContext& ctx, Oid schema, std::string_view name) {
  const std::shared_ptr<const Catalog> mine = ctx.catalog();
  if (mine->find_object(ObjectKind::kType, schema, name) != nullptr) return true;
  const std::shared_ptr<const Catalog> published = ctx.session.engine_database().catalog();
  if (published == mine) return false;
  const auto theirs = published->find_object(ObjectKind::kType, schema, name);
  // What this transaction dropped or renamed itself it holds locked, so that the name is free.
  return theirs != nullptr && !ctx.session.has_changed_type(theirs->oid);
}

Status refuse_type_name(DdlContext& ctx, Oid schema, std::string_view name) {
  if (!type_name_taken(ctx, schema, name)) return {};
  return Status{sqlstate::duplicate_object, "type " + quoted(name) + " already exists"}.with_hint(
      "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.");
}

Task<Status> place_new_type(DdlContext& ctx, const std::vector<std::string>& names, NewType* out) {
  out->name = truncate_identifier(names.back());
  Result<Oid> schema = Oid{0};
  if (names.size() > 1) schema = names[names.size() - 2] == "pg_temp" ? ctx.ensure_temporary_schema() : ctx.find_schema(names[names.size() - 2]);
  else schema = ctx.forced_schema != 0 ? Result<Oid>(ctx.forced_schema) : ctx.session.creation_schema();
  if (!schema.ok()) co_return schema.take_status();
  out->schema = schema.value();
  if (out->schema == kPgCatalogSchema || out->schema == kInformationSchema)
    co_return Status{sqlstate::insufficient_privilege, "permission denied for schema " + ctx.schema_name(out->schema)};
  if (out->schema != ctx.session.temporary_schema()) WANDIAN_CO_TRY(ctx.may_create_in(out->schema));
  WANDIAN_CO_TRY(co_await ctx.lock_name(out->schema, out->name));
  const auto relation = ctx.catalog()->find_relation(out->schema, out->name);
  const bool has_row_type = relation && (relation->kind == Catalog::RelationName::Kind::kTable || relation->kind == Catalog::RelationName::Kind::kView);
  if (has_row_type || type_name_taken(ctx, out->schema, out->name))
    co_return Status{sqlstate::duplicate_object, "type " + quoted(out->name) + " already exists"};
  co_return Status{};
}

std::shared_ptr<ObjectDef> type_object(DdlContext& ctx, const NewType& where, const UserType& type) {
  auto object = std::make_shared<ObjectDef>();
  object->kind = ObjectKind::kType;
  // A composite type's OID is made from that of a relation without rows (engine/type.h).
  object->oid = type.kind == 'c' ? row_type_of(ctx.allocate_oid()) : ctx.allocate_oid();
  object->parent = where.schema;
  object->owner = ctx.session.current_role();
  object->name = where.name;
  object->definition = type.encode();
  ctx.session.note_changed_type(object->oid);
  return object;
}

Result<Oid> find_type_oid(DdlContext& ctx, const std::vector<std::string>& names) {
  const std::string_view schema = names.size() > 1 ? std::string_view(names[names.size() - 2]) : std::string_view{};
  if (schema.empty() || schema == "pg_catalog")
    if (const TypeInfo* built_in = find_type(names.back())) return built_in->oid;
  if (!schema.empty() && schema != "pg_temp") WANDIAN_TRY(ctx.find_schema(schema).take_status());
  if (const Oid found = ctx.session.find_user_type(schema, names.back())) return found;
  return Status{sqlstate::undefined_object, "type " + quoted(name_text(names)) + " does not exist"};
}

Task<Status> lock_type_oid(DdlContext& ctx, Oid type, TableLock mode) {
  // Locks are kept by the OIDs of relations, and no relation has a type's.
  auto stand_in = std::make_shared<TableDef>();
  stand_in->oid = type;
  stand_in->name = format_type(type);
  WANDIAN_CO_TRY(co_await ctx.session.lock_table(std::move(stand_in), mode));
  if (ctx.session.has_changed_type(type)) co_return Status{};
  // Others may have committed a newer definition since this transaction took its catalog.
  const std::shared_ptr<const ObjectDef> theirs = ctx.session.engine_database().catalog()->object(ObjectKind::kType, type);
  const std::shared_ptr<const ObjectDef> mine = ctx.catalog()->object(ObjectKind::kType, type);
  if (theirs == mine) co_return Status{};
  Changes changes;
  if (theirs != nullptr) changes.put(std::make_shared<ObjectDef>(*theirs));
  else changes.drop(ObjectKind::kType, type);
  co_return ctx.apply(changes);
}

Task<Result<std::shared_ptr<const ObjectDef>>> lock_type(DdlContext& ctx, const std::vector<std::string>& names) {
  using Answer = Result<std::shared_ptr<const ObjectDef>>;
  Result<Oid> oid = find_type_oid(ctx, names);
  if (!oid.ok()) co_return Answer(oid.take_status());
  if (oid.value() < kFirstUserOid)
    co_return Answer(Status{sqlstate::insufficient_privilege, "must be owner of type " + format_type(oid.value())});
  Status locked = co_await lock_type_oid(ctx, oid.value(), TableLock::kExclusive);
  if (!locked.ok()) co_return Answer(std::move(locked));
  std::shared_ptr<const ObjectDef> object = ctx.catalog()->object(ObjectKind::kType, oid.value());
  if (object == nullptr && ctx.session.user_type_name(oid.value()).empty())
    co_return Answer(Status{sqlstate::undefined_object, "type " + quoted(name_text(names)) + " does not exist"});
  Status owned = ctx.must_own_type(oid.value());
  if (!owned.ok()) co_return Answer(std::move(owned));
  co_return Answer(std::move(object));
}

Status change_type(DdlContext& ctx, const ObjectDef& old, const UserType& type) {
  auto object = std::make_shared<ObjectDef>(old);
  object->definition = type.encode();
  object->compiled = nullptr;
  ctx.session.note_changed_type(old.oid);
  Changes changes;
  changes.put(std::move(object));
  return ctx.apply(changes);
}

namespace {

// Changes what an object is called, where it is or whose, but not what it means.
Status put_type(DdlContext& ctx, std::shared_ptr<ObjectDef> changed) {
  ctx.session.note_changed_type(changed->oid);
  Changes changes;
  changes.put(std::move(changed));
  return ctx.apply(changes);
}

std::vector<std::string> object_names(const ParseNode* object) {
  if (object == nullptr) return {};
  if (object->node_case == PG_QUERY__NODE__NODE_LIST) return name_list(object->list->items, object->list->n_items);
  if (object->node_case == PG_QUERY__NODE__NODE_TYPE_NAME) return name_list(object->type_name->names, object->type_name->n_names);
  return {std::string(string_value(object))};
}

// Arrays and row types have no definitions of their own.
Status refuse_without_definition(Oid type) {
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->category == 'A')
    return Status{sqlstate::wrong_object_type, "cannot alter array type " + format_type(type)}.with_hint(
        "You can alter type " + format_type(info->element) + ", which will alter the array type as well.");
  return Status{sqlstate::wrong_object_type, format_type(type) + " is a table's row type"}.with_hint("Use ALTER TABLE instead.");
}

}  // namespace

Task<Status> rename_type(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  const std::string to = truncate_identifier(text_or_empty(node.newname));
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, object_names(node.object));
  if (!object.ok()) co_return object.take_status();
  if (object.value() == nullptr) co_return refuse_without_definition(find_type_oid(ctx, object_names(node.object)).take());
  WANDIAN_CO_TRY(co_await ctx.lock_name(object.value()->parent, to));
  if (type_name_taken(ctx, object.value()->parent, to) || ctx.catalog()->find_relation(object.value()->parent, to))
    co_return Status{sqlstate::duplicate_object, "type " + quoted(to) + " already exists"};
  auto changed = std::make_shared<ObjectDef>(*object.value());
  changed->name = to;
  co_return put_type(ctx, std::move(changed));
}

Task<Status> alter_type_owner(DdlContext& ctx) {
  const PgQuery__AlterOwnerStmt& node = *ctx.statement.node->alter_owner_stmt;
  Result<Oid> role = find_role(ctx, *node.newowner);
  if (!role.ok()) co_return role.take_status();
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, object_names(node.object));
  if (!object.ok()) co_return object.take_status();
  if (object.value() == nullptr) co_return refuse_without_definition(find_type_oid(ctx, object_names(node.object)).take());
  Changes changes;
  WANDIAN_CO_TRY(give_to(ctx, changes, *securable_type(*ctx.catalog(), object.value()->oid), role.value(), object.value()->parent));
  co_return ctx.apply(changes);
}

Task<Status> alter_type_schema(DdlContext& ctx) {
  const PgQuery__AlterObjectSchemaStmt& node = *ctx.statement.node->alter_object_schema_stmt;
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, object_names(node.object));
  if (!object.ok()) co_return object.take_status();
  if (object.value() == nullptr) co_return refuse_without_definition(find_type_oid(ctx, object_names(node.object)).take());
  Result<Oid> schema = ctx.find_schema(text_or_empty(node.newschema));
  if (!schema.ok()) co_return schema.take_status();
  if (schema.value() == kPgCatalogSchema || schema.value() == kInformationSchema)
    co_return feature_not_supported("cannot move objects into a system schema");
  if (schema.value() == object.value()->parent) co_return Status{};
  WANDIAN_CO_TRY(ctx.may_create_in(schema.value()));
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), object.value()->name));
  if (type_name_taken(ctx, schema.value(), object.value()->name) || ctx.catalog()->find_relation(schema.value(), object.value()->name))
    co_return Status{sqlstate::duplicate_object, "type " + quoted(object.value()->name) + " already exists in schema " + quoted(text_or_empty(node.newschema))};
  auto changed = std::make_shared<ObjectDef>(*object.value());
  changed->parent = schema.value();
  co_return put_type(ctx, std::move(changed));
}

}  // namespace wandian::sql
