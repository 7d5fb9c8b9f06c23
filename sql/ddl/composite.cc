// CREATE TYPE ... AS (...), ALTER TYPE ... ATTRIBUTE.
#include <algorithm>

#include "sql/ddl/dependency.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMostAttributes = 1600;

Attribute* find_attribute(UserType& type, std::string_view name) {
  for (Attribute& attribute : type.attributes)
    if (!attribute.dropped && attribute.name == name) return &attribute;
  return nullptr;
}

Status no_such_column(std::string_view name, std::string_view type) {
  return Status{sqlstate::undefined_column, "column " + quoted(name) + " of relation " + quoted(type) + " does not exist"};
}

Status read_attribute(DdlContext& ctx, const PgQuery__ColumnDef& node, Attribute* out) {
  out->name = text_or_empty(node.colname);
  ResolvedType type;
  // PostgreSQL does not say where in the statement it is.
  Status status = resolve_column_type(ctx, *node.type_name, out->name, &type);
  if (!status.ok()) status.error().position = 0;
  WANDIAN_TRY(std::move(status));
  out->type = type.type;
  out->typmod = type.typmod;
  if (node.coll_clause == nullptr) return {};
  const TypeInfo* info = find_type(type.type);
  const Oid under = base_type(info != nullptr && info->element != 0 && info->category == 'A' ? info->element : type.type);
  if (under != type_oid::kText && under != type_oid::kVarchar && under != type_oid::kBpchar && under != type_oid::kName)
    return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(type.type)};
  return check_collation(node.coll_clause, ctx, &out->collation);
}

Task<Status> lock_attribute_type(DdlContext& ctx, Oid type) {
  const TypeInfo* info = find_type(type);
  if (type < kFirstUserOid || info == nullptr) co_return Status{};
  const Oid of = info->category == 'A' && info->element != 0 ? info->element : type;
  if (ctx.catalog()->object(ObjectKind::kType, of) == nullptr) co_return Status{};
  co_return co_await lock_type_oid(ctx, of, TableLock::kAccessShare);
}

// Rows hold the attribute's old form.
Status refuse_used(DdlContext& ctx, const ObjectDef& object) {
  for (const auto& [oid, table] : ctx.catalog()->tables()) {
    if (table->internal) continue;
    for (const ColumnDef& column : table->columns)
      if (!column.dropped && type_contains(ctx, column.type, object.oid))
        return feature_not_supported("cannot alter type " + quoted(object.name) + " because column " + quoted(table->name + "." + column.name) + " uses it");
  }
  return {};
}

Task<Status> add_attribute(DdlContext& ctx, const ObjectDef& object, const PgQuery__ColumnDef& node, UserType* type) {
  Attribute attribute;
  WANDIAN_CO_TRY(read_attribute(ctx, node, &attribute));
  if (find_attribute(*type, attribute.name) != nullptr)
    co_return Status{sqlstate::duplicate_column, "column " + quoted(attribute.name) + " of relation " + quoted(object.name) + " already exists"};
  if (type_contains(ctx, attribute.type, object.oid))
    co_return Status{sqlstate::invalid_table_definition, "composite type " + format_type(object.oid) + " cannot be made a member of itself"};
  if (type->attributes.size() >= kMostAttributes) co_return Status{sqlstate::too_many_columns, "tables can have at most 1600 columns"};
  WANDIAN_CO_TRY(co_await lock_attribute_type(ctx, attribute.type));
  type->attributes.push_back(std::move(attribute));
  co_return Status{};
}

Status drop_attribute(DdlContext& ctx, const ObjectDef& object, const PgQuery__AlterTableCmd& command, UserType* type) {
  Attribute* attribute = find_attribute(*type, text_or_empty(command.name));
  if (attribute == nullptr) {
    Status missing = no_such_column(text_or_empty(command.name), object.name);
    if (!command.missing_ok) return missing;
    ctx.notice(sqlstate::successful_completion, missing.error().message + ", skipping");
    return {};
  }
  sql::drop_attribute(type, static_cast<std::size_t>(attribute - type->attributes.data()));
  return {};
}

Task<Status> alter_attribute(DdlContext& ctx, const ObjectDef& object, const PgQuery__AlterTableCmd& command, UserType* type) {
  Attribute* attribute = find_attribute(*type, text_or_empty(command.name));
  if (attribute == nullptr) co_return no_such_column(text_or_empty(command.name), object.name);
  WANDIAN_CO_TRY(refuse_used(ctx, object));
  const std::string name = attribute->name;
  Attribute changed;
  WANDIAN_CO_TRY(read_attribute(ctx, *command.def->column_def, &changed));
  WANDIAN_CO_TRY(co_await lock_attribute_type(ctx, changed.type));
  changed.name = name;
  *attribute = std::move(changed);
  co_return Status{};
}

}  // namespace

bool type_contains(DdlContext& ctx, Oid type, Oid other) {
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return false;
  if (type == other) return true;
  if (info->category == 'A' && info->element != 0) return type_contains(ctx, info->element, other);
  if (info->kind == 'd' || info->kind == 'r' || info->kind == 'm') return type_contains(ctx, info->base, other);
  std::vector<RowField> fields;
  if (info->kind != 'c' || !ctx.session.row_fields(type, &fields)) return false;
  return std::any_of(fields.begin(), fields.end(), [&](const RowField& field) { return !field.dropped && type_contains(ctx, field.type, other); });
}

Status refuse_row_type_used(DdlContext& ctx, const TableDef& of) {
  for (const auto& [oid, table] : ctx.catalog()->tables()) {
    if (table->internal || oid == of.oid) continue;
    for (const ColumnDef& column : table->columns)
      if (!column.dropped && type_contains(ctx, column.type, row_type_of(of.oid)))
        return feature_not_supported("cannot alter table " + quoted(of.name) + " because column " + quoted(table->name + "." + column.name) + " uses its row type");
  }
  return {};
}

Task<Status> create_composite(DdlContext& ctx) {
  const PgQuery__CompositeTypeStmt& node = *ctx.statement.node->composite_type_stmt;
  std::vector<std::string> names;
  if (!text_or_empty(node.typevar->schemaname).empty()) names.emplace_back(node.typevar->schemaname);
  names.emplace_back(node.typevar->relname);
  const std::string name = names.back();
  NewType where;
  WANDIAN_CO_TRY(co_await place_new_type(ctx, names, &where));
  if (ctx.relation_exists(where.schema, where.name)) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
  UserType type;
  type.kind = 'c';
  for (std::size_t i = 0; i < node.n_coldeflist; ++i) {
    Attribute attribute;
    WANDIAN_CO_TRY(read_attribute(ctx, *node.coldeflist[i]->column_def, &attribute));
    if (find_attribute(type, attribute.name) != nullptr)
      co_return Status{sqlstate::duplicate_column, "column " + quoted(attribute.name) + " specified more than once"};
    WANDIAN_CO_TRY(co_await lock_attribute_type(ctx, attribute.type));
    type.attributes.push_back(std::move(attribute));
  }
  if (type.attributes.size() > kMostAttributes) co_return Status{sqlstate::too_many_columns, "tables can have at most 1600 columns"};
  Changes changes;
  changes.put(type_object(ctx, where, type));
  co_return ctx.apply(changes);
}

Task<Status> alter_composite(DdlContext& ctx) {
  const PgQuery__AlterTableStmt& node = *ctx.statement.node->alter_table_stmt;
  std::vector<std::string> names;
  if (!text_or_empty(node.relation->schemaname).empty()) names.emplace_back(node.relation->schemaname);
  names.emplace_back(node.relation->relname);
  const std::string name = names.back();
  Result<Oid> oid = find_type_oid(ctx, names);
  const bool there = oid.ok() && type_kind(oid.value()) == 'c';
  if (!there) {
    if (ctx.find(*node.relation)) co_return wrong_object_type(name, "a composite type");
    if (!node.missing_ok) co_return undefined_relation(text_or_empty(node.relation->schemaname), name);
    ctx.notice(sqlstate::successful_completion, "relation " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, names);
  if (!object.ok()) co_return object.take_status();
  if (object.value() == nullptr) co_return wrong_object_type(name, "a composite type");
  UserType type = definition_of(*object.value());
  for (std::size_t i = 0; i < node.n_cmds; ++i) {
    const PgQuery__AlterTableCmd& command = *node.cmds[i]->alter_table_cmd;
    switch (command.subtype) {
      case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: WANDIAN_CO_TRY(co_await add_attribute(ctx, *object.value(), *command.def->column_def, &type)); break;
      case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: WANDIAN_CO_TRY(drop_attribute(ctx, *object.value(), command, &type)); break;
      case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: WANDIAN_CO_TRY(co_await alter_attribute(ctx, *object.value(), command, &type)); break;
      default: co_return feature_not_supported("this form of ALTER TYPE is not supported");
    }
  }
  co_return change_type(ctx, *object.value(), type);
}

Task<Status> rename_attribute(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  std::vector<std::string> names;
  if (!text_or_empty(node.relation->schemaname).empty()) names.emplace_back(node.relation->schemaname);
  names.emplace_back(node.relation->relname);
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, names);
  if (!object.ok()) {
    if (object.status().code() == sqlstate::undefined_object) co_return undefined_relation(text_or_empty(node.relation->schemaname), names.back());
    co_return object.take_status();
  }
  if (object.value() == nullptr || definition_of(*object.value()).kind != 'c') co_return wrong_object_type(names.back(), "a composite type");
  UserType type = definition_of(*object.value());
  const std::string to = truncate_identifier(text_or_empty(node.newname));
  Attribute* attribute = find_attribute(type, text_or_empty(node.subname));
  if (attribute == nullptr) co_return Status{sqlstate::undefined_column, "column " + quoted(text_or_empty(node.subname)) + " does not exist"};
  if (find_attribute(type, to) != nullptr)
    co_return Status{sqlstate::duplicate_column, "column " + quoted(to) + " of relation " + quoted(object.value()->name) + " already exists"};
  attribute->name = to;
  co_return change_type(ctx, *object.value(), type);
}

}  // namespace wandian::sql
