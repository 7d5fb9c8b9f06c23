// CREATE MATERIALIZED VIEW and REFRESH MATERIALIZED VIEW: a table that its query fills, and nothing else.
#include <algorithm>
#include <unordered_map>

#include "engine/array_value.h"
#include "sql/ddl/fill.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/types/text_builder.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

namespace {

void define_columns(const ViewDefinition& view, TableDef* table) {
  for (const ViewDefinition::Column& source : view.columns) {
    ColumnDef& column = table->columns.emplace_back();
    column.name = source.name;
    column.type = source.type;
    column.typmod = source.typmod;
    column.collation = source.collation;
  }
}

// CONCURRENTLY finds out which rows are new by comparing them as a whole: one that is there twice is refused, unless it has a null.
Task<Status> refuse_repeated_rows(DdlContext& ctx, const TableDef& view, std::span<const Oid> types, const RowCollector& rows) {
  Arena arena;
  std::unordered_map<std::string_view, bool> repeated;   // by the row's bytes
  std::vector<Value> complete;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::span<const Value> row = rows.at(i);
    if (std::any_of(row.begin(), row.end(), [](const Value& value) { return value.is_null; })) continue;
    const Value& record = complete.emplace_back(build_record(types, row, arena));
    const auto [known, added] = repeated.try_emplace(record.bytes(), false);
    if (!added) known->second = true;
    if (ctx.session.shard().out_of_budget()) WANDIAN_CO_TRY(co_await ctx.session.yield_turn());
  }
  const auto first = std::find_if(complete.begin(), complete.end(), [&](const Value& record) { return repeated[record.bytes()]; });
  if (first == complete.end()) co_return Status{};
  const ExecutionEnv env = ctx.session.execution_env();
  EvalContext eval{arena, *env.format, env.hooks, env.statement_timestamp, env.transaction_timestamp, {}};
  TextBuilder text(arena);
  if (!append_record_text(eval, *first, text)) co_return std::move(eval.error);
  co_return Status{sqlstate::cardinality_violation,
                   "new data for materialized view " + quoted(view.name) + " contains duplicate rows without any null columns"}
      .with_detail("Row: " + std::string(text.view()));
}

// Runs the view's query and puts its rows into the table, which is empty.
Task<Status> fill(DdlContext& ctx, Oid oid, bool concurrently, std::uint64_t* rows_made) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(oid);
  const std::optional<ViewDefinition> view = ViewDefinition::decode(table->view_definition);
  if (!view) co_return Status{sqlstate::data_corrupted, "definition of materialized view " + quoted(table->name) + " cannot be read"};
  Result<std::shared_ptr<const BoundStatement>> bound = bind_view_query(*view, ctx.bind_context(), false);
  if (!bound.ok()) co_return bound.take_status();
  Arena arena;
  std::vector<Oid> types;
  for (const ColumnDef& column : table->columns) types.push_back(column.type);
  RowCollector rows(arena, types);
  std::uint64_t processed = 0;
  WANDIAN_CO_TRY(co_await ctx.session.run_bound(bound.take(), {}, rows, &processed));
  *rows_made = rows.rows();
  if (concurrently) WANDIAN_CO_TRY(co_await refuse_repeated_rows(ctx, *table, types, rows));
  co_return co_await insert_rows(ctx, oid, rows, types.size());
}

bool uses_temporary(const Catalog& catalog, std::span<const Oid> relations) {
  return std::any_of(relations.begin(), relations.end(), [&](Oid oid) {
    const auto table = catalog.table(oid);
    return table != nullptr && table->temporary;
  });
}

// What may be looked up while no row of it can be seen; two of these make no row twice.
bool has_whole_unique_index(const TableDef& table) {
  return std::any_of(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) {
    const bool plain = std::all_of(index.parts.begin(), index.parts.end(), [](const IndexPart& part) { return part.column != kExpressionPart; });
    return index.oid != 0 && index.unique && index.predicate.empty() && plain;
  });
}

}  // namespace

Task<Status> create_materialized_view(DdlContext& ctx) {
  const PgQuery__CreateTableAsStmt& node = *ctx.statement.node->create_table_as_stmt;
  const PgQuery__IntoClause& into = *node.into;
  const std::string name(into.rel->relname);
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*into.rel, &temporary);
  if (!schema.ok()) co_return schema.take_status();
  Result<bool> claimed = co_await ctx.claim_relation_name(schema.value(), name, node.if_not_exists != 0);
  if (!claimed.ok()) co_return claimed.take_status();
  if (!claimed.value()) co_return Status{};
  WANDIAN_CO_TRY(refuse_type_name(ctx, schema.value(), name));
  std::vector<std::string> aliases;
  for (std::size_t i = 0; i < into.n_col_names; ++i) aliases.emplace_back(string_value(into.col_names[i]));
  std::vector<Oid> depends_on;
  Result<ViewDefinition> view = define_view(node.query, ctx.statement.text, aliases, ctx.bind_context(), &depends_on);
  if (!view.ok()) co_return view.take_status();
  Result<std::shared_ptr<const BoundStatement>> bound = bind_statement(node.query, ctx.statement.text, ctx.bind_context());
  if (!bound.ok()) co_return bound.take_status();
  if (!into.skip_data) WANDIAN_CO_TRY(ctx.session.check_access(*bound.value()));
  if (uses_temporary(*ctx.catalog(), depends_on)) co_return feature_not_supported("materialized views must not use temporary tables or views");
  auto table = std::make_shared<TableDef>();
  define_columns(view.value(), table.get());
  table->oid = ctx.allocate_oid();
  table->schema = schema.value();
  table->owner = ctx.session.current_role();
  table->name = name;
  table->storage_id = ctx.allocate_storage_id();
  table->view_definition = view->encode();
  table->populated = !into.skip_data;
  WANDIAN_CO_TRY(read_options(into.options, into.n_options, std::nullopt, &table->options));
  Changes changes;
  TableBuilder builder(ctx, changes, table);
  builder.use_hidden_row_number();
  changes.put(table);
  WANDIAN_CO_TRY(ctx.apply(changes));
  if (into.skip_data) co_return Status{};
  std::uint64_t rows = 0;
  WANDIAN_CO_TRY(co_await fill(ctx, table->oid, false, &rows));
  *ctx.tag = "SELECT " + std::to_string(rows);
  co_return Status{};
}

Task<Status> refresh_materialized_view(DdlContext& ctx) {
  const PgQuery__RefreshMatViewStmt& node = *ctx.statement.node->refresh_mat_view_stmt;
  const std::string name(text_or_empty(node.relation->relname));
  if (const auto found = ctx.find(*node.relation);
      found && found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kSystem)
    co_return wrong_object_type(name, "a table or materialized view");
  // CONCURRENTLY makes no row visible earlier or later, and locks as much: the new rows are there at the commit.
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.relation, TableLock::kAccessExclusive, false);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> old = locked.take();
  WANDIAN_CO_TRY(ctx.must_own_relation(old->oid));
  if (!old->is_materialized_view()) co_return feature_not_supported(quoted(name) + " is not a materialized view");
  if (node.concurrent && !old->populated)
    co_return feature_not_supported("CONCURRENTLY cannot be used when the materialized view is not populated");
  if (node.concurrent && node.skip_data)
    co_return Status{sqlstate::syntax_error, "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together"};
  if (node.concurrent && !has_whole_unique_index(*old))
    co_return Status{sqlstate::object_not_in_prerequisite_state,
                     "cannot refresh materialized view " + quoted(ctx.schema_name(old->schema) + "." + old->name) + " concurrently"}
        .with_hint("Create a unique index with no WHERE clause on one or more columns of the materialized view.");
  WANDIAN_CO_TRY(ctx.session.check_not_in_use(*old, "REFRESH MATERIALIZED VIEW"));
  Changes changes;
  auto table = std::make_shared<TableDef>(*old);
  table->populated = !node.skip_data;
  changes.put(std::move(table));
  WANDIAN_CO_TRY(ctx.apply(changes));
  WANDIAN_CO_TRY(empty_tables(ctx, {old->oid}, false));
  if (node.skip_data) co_return Status{};
  std::uint64_t rows = 0;
  co_return co_await fill(ctx, old->oid, node.concurrent != 0, &rows);
}

}  // namespace wandian::sql
