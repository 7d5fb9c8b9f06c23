// DROP of relations, schemas, functions and extensions.
#include <algorithm>
#include <map>

#include "sql/ddl/builtin_extensions.h"
#include "sql/ddl/dependency.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

std::vector<std::string> name_parts(const ParseNode& node) {
  std::vector<std::string> out;
  if (node.node_case == PG_QUERY__NODE__NODE_LIST)
    for (std::size_t i = 0; i < node.list->n_items; ++i) out.emplace_back(string_value(node.list->items[i]));
  else if (node.node_case == PG_QUERY__NODE__NODE_STRING)
    out.emplace_back(string_value(&node));
  return out;
}

const char* kind_article(FoundRelation::Kind kind) {
  switch (kind) {
    case FoundRelation::Kind::kTable: return "TABLE";
    case FoundRelation::Kind::kIndex: return "INDEX";
    case FoundRelation::Kind::kSequence: return "SEQUENCE";
    default: return "VIEW";
  }
}

// Finds one relation of a DROP; nullopt with ok: missing, and the notice was given.
Result<std::optional<ObjectRef>> find_relation_target(DdlContext& ctx, const PgQuery__DropStmt& node, const ParseNode& name) {
  const std::vector<std::string> parts = name_parts(name);
  const std::string relation = parts.back();
  const std::string schema = parts.size() > 1 ? parts[parts.size() - 2] : std::string();
  const char* word = "table";
  const char* article = "a table";
  FoundRelation::Kind wanted = FoundRelation::Kind::kTable;
  RefKind ref = RefKind::kTable;
  switch (node.remove_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: word = "index", article = "an index", wanted = FoundRelation::Kind::kIndex, ref = RefKind::kIndex; break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      word = "sequence", article = "a sequence", wanted = FoundRelation::Kind::kSequence, ref = RefKind::kSequence;
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: word = "view", article = "a view", wanted = FoundRelation::Kind::kView, ref = RefKind::kView; break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: word = "materialized view", article = "a materialized view"; break;
    default: break;
  }
  if (!schema.empty() && schema != "pg_temp") {
    Result<Oid> found = ctx.find_schema(schema);
    if (!found.ok()) {
      if (!node.missing_ok) return found.take_status();
      ctx.notice(sqlstate::invalid_schema_name, "schema " + quoted(schema) + " does not exist, skipping");
      return std::optional<ObjectRef>();
    }
  }
  const std::optional<FoundRelation> found = find_relation(ctx.bind_context(), schema, relation);
  if (!found) {
    if (!node.missing_ok) {
      const std::string full = schema.empty() ? relation : schema + "." + relation;
      return Status{node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX ? sqlstate::undefined_object : sqlstate::undefined_table,
                    std::string(word) + " " + quoted(full) + " does not exist"};
    }
    ctx.notice(sqlstate::successful_completion, std::string(word) + " " + quoted(relation) + " does not exist, skipping");
    return std::optional<ObjectRef>();
  }
  if (found->kind == FoundRelation::Kind::kSystem)
    return Status{sqlstate::insufficient_privilege, "permission denied: " + quoted(relation) + " is a system catalog"};
  const bool materialized = found->kind == FoundRelation::Kind::kTable && ctx.catalog()->table(found->oid)->is_materialized_view();
  if (found->kind != wanted || (wanted == FoundRelation::Kind::kTable && materialized != (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW))) {
    const std::string other = materialized ? "MATERIALIZED VIEW" : kind_article(found->kind);
    std::string lower = other;
    for (char& c : lower)
      if (c != ' ') c = static_cast<char>(c - 'A' + 'a');
    return wrong_object_type(relation, article).with_hint("Use DROP " + other + " to remove " + (lower == "index" ? "an " : "a ") + lower + ".");
  }
  WANDIAN_TRY(ctx.may_drop(securable_relation(*ctx.catalog(), found->oid), found->schema));
  return std::optional<ObjectRef>(ObjectRef{ref, found->oid, ref == RefKind::kIndex ? found->table : 0, 0});
}

Result<std::optional<ObjectRef>> find_type_target(DdlContext& ctx, const PgQuery__DropStmt& node, const ParseNode& object) {
  const PgQuery__TypeName& name = *object.type_name;
  const std::vector<std::string> parts = name_list(name.names, name.n_names);
  Result<Oid> found = find_type_oid(ctx, parts);
  if (!found.ok()) {
    if (!node.missing_ok) return found.take_status();
    const bool schema = found.status().code() == sqlstate::invalid_schema_name;
    ctx.notice(sqlstate::successful_completion, schema ? found.status().error().message + ", skipping" : "type " + quoted(name_text(parts)) + " does not exist, skipping");
    return std::optional<ObjectRef>();
  }
  const Oid oid = found.value();
  const std::string shown = format_type(oid);
  if (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN && type_kind(oid) != 'd')
    return Status{sqlstate::wrong_object_type, quoted(name_text(parts)) + " is not a domain"};
  if (oid < kFirstUserOid)
    return Status{sqlstate::dependent_objects_still_exist, "cannot drop type " + shown + " because it is required by the database system"};
  const TypeInfo& info = *find_type(oid);
  if (info.category == 'A' && info.kind == 'b')
    return Status{sqlstate::dependent_objects_still_exist, "cannot drop type " + shown + " because type " + format_type(info.element) + " requires it"}
        .with_hint("You can drop type " + format_type(info.element) + " instead.");
  if (ctx.catalog()->object(ObjectKind::kType, oid) == nullptr) {
    const std::string relation = describe(ctx, {ctx.catalog()->table(relation_of_row_type(oid)) != nullptr ? RefKind::kTable : RefKind::kView, relation_of_row_type(oid), 0, 0});
    return Status{sqlstate::dependent_objects_still_exist, "cannot drop type " + shown + " because " + relation + " requires it"}.with_hint(
        "You can drop " + relation + " instead.");
  }
  WANDIAN_TRY(ctx.may_drop(securable_type(*ctx.catalog(), oid), ctx.catalog()->object(ObjectKind::kType, oid)->parent));
  return std::optional<ObjectRef>(ObjectRef{RefKind::kType, oid, 0, 0});
}

Result<std::optional<ObjectRef>> find_collation_target(DdlContext& ctx, const PgQuery__DropStmt& node, const ParseNode& object) {
  const std::vector<std::string> parts = name_parts(object);
  Result<std::shared_ptr<const ObjectDef>> found = find_user_collation(ctx, {object.list->items, object.list->n_items});
  if (found.ok()) return std::optional<ObjectRef>(ObjectRef{RefKind::kCollation, found.value()->oid, 0, 0});
  const SqlState code = found.status().code();
  if (node.missing_ok && (code == sqlstate::undefined_object || code == sqlstate::invalid_schema_name)) {
    ctx.notice(sqlstate::successful_completion, code == sqlstate::invalid_schema_name ? found.status().error().message + ", skipping"
                                                                                     : "collation " + quoted(join(parts, ".")) + " does not exist, skipping");
    return std::optional<ObjectRef>();
  }
  return found.take_status();
}

Result<std::optional<ObjectRef>> find_named_target(DdlContext& ctx, const PgQuery__DropStmt& node, const ParseNode& object) {
  const std::vector<std::string> parts = name_parts(object);
  const std::string name = parts.empty() ? std::string() : parts.back();
  if (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
    Result<Oid> found = ctx.find_schema(name, false);
    if (found.ok()) {
      if (const auto schema = securable_schema(*ctx.catalog(), found.value())) WANDIAN_TRY(ctx.must_own(*schema));
      if (found.value() == kPgCatalogSchema || found.value() == kInformationSchema)
        return Status{sqlstate::dependent_objects_still_exist, "cannot drop schema " + name + " because it is required by the database system"};
      return std::optional<ObjectRef>(ObjectRef{RefKind::kSchema, found.value(), 0, 0});
    }
    if (!node.missing_ok) return found.take_status();
    ctx.notice(sqlstate::successful_completion, "schema " + quoted(name) + " does not exist, skipping");
    return std::optional<ObjectRef>();
  }
  if (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION) {
    if (name == kPlpgsqlName) return feature_not_supported("extension \"plpgsql\" cannot be dropped: PL/pgSQL is part of the server");
    const auto found = ctx.catalog()->find_object(ObjectKind::kExtension, ctx.session.database(), name);
    if (found != nullptr) {
      WANDIAN_TRY(ctx.must_own({AclKind::kSchema, found->oid, found->owner, found->name, "extension"}));
      return std::optional<ObjectRef>(ObjectRef{RefKind::kExtension, found->oid, 0, 0});
    }
    if (!node.missing_ok) return Status{sqlstate::undefined_object, "extension " + quoted(name) + " does not exist"};
    ctx.notice(sqlstate::successful_completion, "extension " + quoted(name) + " does not exist, skipping");
    return std::optional<ObjectRef>();
  }
  // FUNCTION, PROCEDURE, ROUTINE: by signature, or by name alone if that is unique.
  if (object.node_case != PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS) return feature_not_supported("DROP of this kind of object is not supported");
  const PgQuery__ObjectWithArgs& with_args = *object.object_with_args;
  const std::string_view what = node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ? "procedure"
                                : node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE ? "routine"
                                                                                            : "function";
  Result<std::shared_ptr<const ObjectDef>> found = find_routine(ctx, with_args, what);
  if (found.ok()) {
    WANDIAN_TRY(ctx.may_drop(securable_function(*ctx.catalog(), found.value()->oid), found.value()->parent));
    return std::optional<ObjectRef>(ObjectRef{RefKind::kFunction, found.value()->oid, 0, 0});
  }
  if (node.missing_ok == 0 || found.status().code() == sqlstate::ambiguous_function || found.status().code() == sqlstate::wrong_object_type)
    return found.take_status();
  std::string shown;
  for (std::size_t i = 0; i < with_args.n_objname; ++i) shown += (i != 0 ? "." : "") + std::string(string_value(with_args.objname[i]));
  shown += "(";
  for (std::size_t i = 0; i < with_args.n_objargs; ++i) {
    const PgQuery__TypeName& type = *with_args.objargs[i]->type_name;
    if (i != 0) shown += ",";
    for (std::size_t n = 0; n < type.n_names; ++n) shown += (n != 0 ? "." : "") + std::string(string_value(type.names[n]));
    if (type.n_array_bounds != 0) shown += "[]";
  }
  ctx.notice(sqlstate::successful_completion, std::string(what) + " " + shown + ") does not exist, skipping");
  return std::optional<ObjectRef>();
}

Status refuse_constraint_index(DdlContext& ctx, const ObjectRef& target) {
  if (target.kind != RefKind::kIndex) return {};
  const auto table = ctx.catalog()->table(target.table);
  if (table == nullptr) return {};
  for (const IndexDef& index : table->indexes) {
    if (index.oid == target.oid && index.parent != 0 && index.constraint == 0) {
      const std::string above = describe(ctx, {RefKind::kIndex, index.parent, table->partition_of, 0});
      return Status{sqlstate::dependent_objects_still_exist, "cannot drop index " + ctx.relation_text(index.oid) + " because " + above + " requires it"}.with_hint(
          "You can drop " + above + " instead.");
    }
    if (index.oid == target.oid && table->is_partitioned() && ctx.statement.node->drop_stmt->concurrent != 0)
      return feature_not_supported("cannot drop partitioned index " + quoted(index.name) + " concurrently");
    if (index.oid != target.oid || index.constraint == 0) continue;
    const std::string constraint = describe(ctx, {RefKind::kKeyConstraint, index.constraint, table->oid, 0});
    return Status{sqlstate::dependent_objects_still_exist, "cannot drop index " + ctx.relation_text(index.oid) + " because " + constraint + " requires it"}
        .with_hint("You can drop " + constraint + " instead.");
  }
  return {};
}

Result<std::vector<ObjectRef>> find_targets(DdlContext& ctx, const PgQuery__DropStmt& node) {
  std::vector<ObjectRef> out;
  for (std::size_t i = 0; i < node.n_objects; ++i) {
    const ParseNode& object = *node.objects[i];
    std::optional<ObjectRef> found;
    switch (node.remove_type) {
      case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: {
        WANDIAN_ASSIGN(found, find_relation_target(ctx, node, object));
        break;
      }
      case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
      case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN: {
        WANDIAN_ASSIGN(found, find_type_target(ctx, node, object));
        break;
      }
      case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: {
        WANDIAN_ASSIGN(found, find_collation_target(ctx, node, object));
        break;
      }
      case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA:
      case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION:
      case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
      case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
      case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: {
        WANDIAN_ASSIGN(found, find_named_target(ctx, node, object));
        break;
      }
      default: {
        // Nothing of the other kinds can be there.
        const std::vector<std::string> parts = name_parts(object);
        const std::string name = parts.empty() ? std::string("object") : join(parts, ".");
        if (!node.missing_ok) return Status{sqlstate::undefined_object, quoted(name) + " does not exist"};
        ctx.notice(sqlstate::successful_completion, quoted(name) + " does not exist, skipping");
        break;
      }
    }
    if (!found) continue;
    WANDIAN_TRY(refuse_constraint_index(ctx, *found));
    if (std::find(out.begin(), out.end(), *found) == out.end()) out.push_back(*found);
  }
  return out;
}

}  // namespace

namespace {

// Columns go with their type as ALTER TABLE drops them, once what stood in its way is gone.
Task<Status> drop_lost_columns(DdlContext& ctx, Oid oid, std::vector<std::uint16_t> columns) {
  const auto table = ctx.catalog()->table(oid);
  if (table == nullptr) co_return Status{};
  std::string text = "ALTER TABLE " + quote_identifier(ctx.schema_name(table->schema)) + "." + quote_identifier(table->name);
  for (std::size_t i = 0; i < columns.size(); ++i)
    text += std::string(i == 0 ? "" : ",") + " DROP COLUMN " + quote_identifier(table->columns[columns[i]].name);
  Result<ParsedStatements> parsed = ParsedStatements::parse(text);
  if (!parsed.ok()) co_return parsed.take_status();
  StatementRef statement;
  statement.node = parsed->statements()[0].node;
  statement.text = parsed->text();
  statement.statement_text = parsed->statement_text(0);
  statement.kind = classify(statement.node);
  std::string tag;
  DdlContext inner(ctx.session, statement, &tag);
  co_return co_await run_statement(inner);
}

}  // namespace

Task<Status> drop_objects(DdlContext& ctx) {
  const PgQuery__DropStmt& node = *ctx.statement.node->drop_stmt;
  if (node.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER) co_return co_await drop_trigger(ctx);
  if (node.concurrent) {
    WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("DROP INDEX CONCURRENTLY"));
    if (node.n_objects > 1) co_return feature_not_supported("DROP INDEX CONCURRENTLY does not support dropping multiple objects");
    if (node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) co_return feature_not_supported("DROP INDEX CONCURRENTLY does not support CASCADE");
  }
  Result<std::vector<ObjectRef>> targets = find_targets(ctx, node);
  if (!targets.ok()) co_return targets.take_status();
  co_return co_await drop_targets(ctx, targets.take(), node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE);
}

namespace {

// A table that is gone is no error: the plan is made again.
Task<Status> lock_to_drop(DdlContext& ctx, Oid relation) {
  const bool is_view = ctx.catalog()->object(ObjectKind::kView, relation) != nullptr;
  Status locked = co_await ctx.lock_relation(relation, TableLock::kAccessExclusive);
  if (!is_view && locked.code() == sqlstate::undefined_table) co_return Status{};
  co_return std::move(locked);
}

}  // namespace

Task<Status> drop_targets(DdlContext& ctx, std::vector<ObjectRef> targets, bool cascade) {
  if (targets.empty()) co_return Status{};
  // Locks first, as far as the plan knows now; then the plan that counts.
  for (const ObjectRef& target : targets) {
    if (target.kind != RefKind::kType) continue;
    WANDIAN_CO_TRY(co_await lock_type_oid(ctx, target.oid, TableLock::kAccessExclusive));
    ctx.session.note_changed_type(target.oid);
  }
  DropPlan preview(ctx);
  for (const ObjectRef& target : targets) preview.add(target);
  std::set<Oid> to_lock = preview.tables();
  for (const ObjectRef& target : targets) {
    if (target.kind == RefKind::kTable) to_lock.insert(target.oid);
    if (target.table != 0) to_lock.insert(target.table);
  }
  for (const Oid oid : to_lock) {
    WANDIAN_CO_TRY(co_await lock_to_drop(ctx, oid));
  }
  DropPlan plan(ctx);
  for (const ObjectRef& target : targets) plan.add(target);
  WANDIAN_CO_TRY(plan.check(cascade));
  std::set<Oid> more = plan.tables();
  for (const Oid oid : more) {
    if (to_lock.contains(oid)) continue;
    WANDIAN_CO_TRY(co_await lock_to_drop(ctx, oid));
  }
  std::map<Oid, std::vector<std::uint16_t>> columns;   // by table
  for (const Oid oid : more)
    if (const auto table = ctx.catalog()->table(oid)) WANDIAN_CO_TRY(ctx.session.check_not_in_use(*table, "DROP TABLE"));
  for (const ObjectRef& column : plan.lost_columns()) columns[column.oid].push_back(column.column);
  Changes changes;
  WANDIAN_CO_TRY(plan.collect(changes));
  WANDIAN_CO_TRY(ctx.apply(changes));
  for (auto& [table, numbers] : columns) WANDIAN_CO_TRY(co_await drop_lost_columns(ctx, table, std::move(numbers)));
  co_return Status{};
}

Task<Status> drop_temporary_objects(SessionImpl& session, Oid temporary_schema) {
  std::string tag;
  DdlContext ctx(session, StatementRef{}, &tag);
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  if (temporary_schema == 0 || catalog->schema(temporary_schema) == nullptr) co_return Status{};
  Changes changes;
  for (const auto& [oid, table] : catalog->tables())
    if (table->schema == temporary_schema) changes.drop(ObjectKind::kTable, oid);
  for (const auto& [oid, sequence] : catalog->sequences())
    if (sequence->schema == temporary_schema) changes.drop(ObjectKind::kSequence, oid);
  for (const auto& [key, object] : catalog->objects())
    if (object->parent == temporary_schema && (key.first == ObjectKind::kView || key.first == ObjectKind::kFunction || key.first == ObjectKind::kType || key.first == ObjectKind::kCollation)) changes.drop(key.first, key.second);
  changes.drop(ObjectKind::kSchema, temporary_schema);
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
