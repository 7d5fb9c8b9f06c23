// CREATE TABLE.
#include <algorithm>

#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"

namespace wandian::sql {

namespace {

Status refuse_unsupported(const PgQuery__CreateStmt& node, bool temporary) {
  if (node.partbound != nullptr) return feature_not_supported("partitioned tables are not supported");
  if (node.n_inh_relations != 0) return feature_not_supported("table inheritance is not supported");
  if (node.of_typename != nullptr) return feature_not_supported("typed tables are not supported");
  const std::string_view space = text_or_empty(node.tablespacename);
  if (!space.empty() && space != "pg_default") return Status{sqlstate::undefined_object, "tablespace " + quoted(space) + " does not exist"};
  const std::string_view method = text_or_empty(node.access_method);
  if (!method.empty() && method != "heap") return Status{sqlstate::undefined_object, "access method " + quoted(method) + " does not exist"};
  if (node.oncommit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_NOOP || node.oncommit == PG_QUERY__ON_COMMIT_ACTION__ON_COMMIT_ACTION_UNDEFINED) return {};
  if (!temporary) return Status{sqlstate::invalid_table_definition, "ON COMMIT can only be used on temporary tables"};
  return {};
}

}  // namespace

void set_on_commit(DdlContext& ctx, PgQuery__OnCommitAction action, TableDef* table) {
  if (action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP) table->on_commit = 'd';
  if (action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS) table->on_commit = 'r';
  if (table->on_commit != 0) ctx.session.expect_on_commit();
}

namespace {

Status add_elements(TableBuilder& builder, const PgQuery__CreateStmt& node) {
  for (std::size_t i = 0; i < node.n_table_elts; ++i) {
    const ParseNode& element = *node.table_elts[i];
    switch (element.node_case) {
      case PG_QUERY__NODE__NODE_COLUMN_DEF: WANDIAN_TRY(builder.add_column(*element.column_def)); break;
      case PG_QUERY__NODE__NODE_CONSTRAINT: WANDIAN_TRY(builder.add_constraint(*element.constraint)); break;
      case PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE: WANDIAN_TRY(builder.add_like(*element.table_like_clause)); break;
      default: return feature_not_supported("this kind of table element is not supported");
    }
  }
  for (std::size_t i = 0; i < node.n_constraints; ++i) WANDIAN_TRY(builder.add_constraint(*node.constraints[i]->constraint));
  return builder.apply_generated();
}

Status apply_keys_and_checks(TableBuilder& builder) {
  // The primary key first, then the others as they stand there.
  for (const bool primary : {true, false})
    for (const KeySpec& key : builder.keys)
      if (key.primary == primary) WANDIAN_TRY(builder.apply_key(key));
  TableDef& table = builder.table();
  const bool has_primary = std::any_of(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) { return index.primary; });
  if (!has_primary) builder.use_hidden_row_number();
  WANDIAN_TRY(builder.apply_indexes());
  for (const CheckSpec& check : builder.checks) WANDIAN_TRY(builder.apply_check(check));
  return {};
}

}  // namespace

Task<Status> create_table(DdlContext& ctx) {
  const PgQuery__CreateStmt& node = *ctx.statement.node->create_stmt;
  const std::string name(node.relation->relname);
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*node.relation, &temporary);
  if (!schema.ok()) {
    Status status = schema.take_status();
    if (status.code() == sqlstate::insufficient_privilege && !ctx.session.is_superuser()) status.error().position = ctx.position(node.relation->location);
    co_return std::move(status);
  }
  WANDIAN_CO_TRY(refuse_unsupported(node, temporary));
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), name));
  if (ctx.relation_exists(schema.value(), name)) {
    if (!node.if_not_exists) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
    ctx.notice(sqlstate::duplicate_table, "relation " + quoted(name) + " already exists, skipping");
    co_return Status{};
  }
  WANDIAN_CO_TRY(refuse_type_name(ctx, schema.value(), name));
  auto table = std::make_shared<TableDef>();
  table->oid = ctx.allocate_oid();
  table->schema = schema.value();
  table->owner = ctx.session.current_role();
  table->name = name;
  table->temporary = temporary;
  table->storage_id = ctx.allocate_storage_id();
  set_on_commit(ctx, node.oncommit, table.get());
  Changes changes;
  changes.reserve(schema.value(), name);
  WANDIAN_CO_TRY(read_options(node.options, node.n_options, false, &table->options));
  TableBuilder builder(ctx, changes, table);
  WANDIAN_CO_TRY(add_elements(builder, node));
  WANDIAN_CO_TRY(apply_keys_and_checks(builder));
  for (const ForeignKeySpec& key : builder.foreign_keys) {
    const std::string_view wanted_schema = text_or_empty(key.referenced->schemaname);
    const bool self = text_or_empty(key.referenced->relname) == name && (wanted_schema.empty() || wanted_schema == ctx.schema_name(schema.value()));
    std::shared_ptr<const TableDef> referenced;
    if (!self) {
      Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*key.referenced, TableLock::kShareRowExclusive, false);
      if (!locked.ok()) {
        if (locked.status().code() == sqlstate::wrong_object_type)
          co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
        co_return locked.take_status();
      }
      referenced = locked.take();
      if (referenced->is_materialized_view())
        co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
    }
    WANDIAN_CO_TRY(builder.apply_foreign_key(key, std::move(referenced)));
  }
  if (node.partspec != nullptr) WANDIAN_CO_TRY(builder.set_placement(*node.partspec));
  WANDIAN_CO_TRY(builder.settle_global_indexes(nullptr, false));
  changes.put(table);
  if (text_or_empty(node.relation->relpersistence) == "u")
    ctx.notice(sqlstate::successful_completion, "table " + quoted(name) + " is logged: unlogged tables are not supported");
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
