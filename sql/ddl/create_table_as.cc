// CREATE TABLE AS and SELECT INTO.
#include <algorithm>

#include "sql/column_names.h"
#include "sql/ddl/fill.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/exec/receiver.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kBatchRows = 256;

const PgQuery__IntoClause* into_of(const ParseNode& node) {
  if (node.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT) return node.create_table_as_stmt->into;
  if (node.node_case == PG_QUERY__NODE__NODE_SELECT_STMT) return node.select_stmt->into_clause;
  return nullptr;
}

Status define_columns(const PgQuery__IntoClause& into, std::span<const TargetEntry> targets, TableDef* table) {
  if (into.n_col_names > targets.size()) return Status{sqlstate::syntax_error, "too many column names were specified"};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    ColumnDef& column = table->columns.emplace_back();
    column.name = i < into.n_col_names ? string_value(into.col_names[i]) : targets[i].name;
    column.type = targets[i].expr->type;
    column.typmod = targets[i].expr->typmod;
    const TypeInfo* type = find_type(column.type);
    if (type == nullptr || type->category == 'P' || type->category == 'X')
      return Status{sqlstate::invalid_table_definition, "column " + quoted(column.name) + " has a pseudo-type"};
    WANDIAN_ASSIGN(column.collation, derived_collation(*targets[i].expr, column.name));
  }
  return check_distinct_names(table->columns, [](const ColumnDef& column) -> std::string_view { return column.name; });
}

}  // namespace

Task<Status> insert_rows(DdlContext& ctx, Oid table, const RowCollector& rows, std::size_t width) {
  if (rows.rows() == 0) co_return Status{};
  co_await ctx.session.begin_statement();
  ExecutionEnv env = ctx.session.execution_env();
  env.catalog = ctx.catalog();
  std::vector<std::uint16_t> columns;
  for (std::size_t i = 0; i < width; ++i) columns.push_back(static_cast<std::uint16_t>(i));
  Result<std::unique_ptr<BatchInserter>> inserter = BatchInserter::create(env, env.catalog->table(table), columns);
  if (!inserter.ok()) co_return inserter.take_status();
  const std::span<const Value> all(rows.values());
  for (std::size_t row = 0; width != 0 && row < rows.rows(); row += kBatchRows) {
    const std::size_t count = std::min(kBatchRows, rows.rows() - row);
    WANDIAN_CO_TRY(co_await inserter.value()->insert(all.subspan(row * width, count * width)));
  }
  co_return Status{};
}

Task<Status> create_table_as(DdlContext& ctx) {
  const ParseNode& node = *ctx.statement.node;
  const PgQuery__IntoClause* into = into_of(node);
  const bool as = node.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT;
  if (into == nullptr) co_return feature_not_supported("this form of CREATE TABLE AS is not supported");
  if (as && node.create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) co_return co_await create_materialized_view(ctx);
  const ParseNode* query = as ? node.create_table_as_stmt->query : &node;
  if (query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) co_return feature_not_supported("CREATE TABLE AS EXECUTE is not supported");
  const std::string name(into->rel->relname);
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*into->rel, &temporary);
  if (!schema.ok()) {
    Status status = schema.take_status();
    if (status.code() == sqlstate::insufficient_privilege && !ctx.session.is_superuser()) status.error().position = ctx.position(into->rel->location);
    co_return std::move(status);
  }
  const bool on_commit = into->on_commit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP ||
                         into->on_commit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS ||
                         into->on_commit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_PRESERVE_ROWS;
  if (on_commit && !temporary) co_return Status{sqlstate::invalid_table_definition, "ON COMMIT can only be used on temporary tables"};
  Result<bool> claimed = co_await ctx.claim_relation_name(schema.value(), name, as && node.create_table_as_stmt->if_not_exists != 0);
  if (!claimed.ok()) co_return claimed.take_status();
  if (!claimed.value()) co_return Status{};
  WANDIAN_CO_TRY(refuse_type_name(ctx, schema.value(), name));
  const SelectWithoutInto select(*query);
  Result<std::shared_ptr<const BoundStatement>> bound = bind_statement(select.node(), ctx.statement.text, ctx.bind_context(), ctx.statement.parameter_types);
  if (!bound.ok()) co_return bound.take_status();
  if (const std::size_t given = ctx.statement.params.size(); bound.value()->parameter_types.size() > given)
    co_return Status{sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(given + 1)};
  WANDIAN_CO_TRY(ctx.session.check_access(*bound.value()));
  auto table = std::make_shared<TableDef>();
  const std::vector<TargetEntry> targets(bound.value()->result_columns().begin(), bound.value()->result_columns().end());
  WANDIAN_CO_TRY(define_columns(*into, targets, table.get()));
  Arena rows_arena;
  std::vector<Oid> types;
  for (const ColumnDef& column : table->columns) types.push_back(column.type);
  RowCollector rows(rows_arena, types);
  std::uint64_t processed = 0;
  if (!into->skip_data) WANDIAN_CO_TRY(co_await ctx.session.run_bound(bound.value(), ctx.statement.params, rows, &processed));
  table->oid = ctx.allocate_oid();
  table->schema = schema.value();
  table->owner = ctx.session.current_role();
  table->name = name;
  table->temporary = temporary;
  set_on_commit(ctx, into->on_commit, table.get());
  table->storage_id = ctx.allocate_storage_id();
  WANDIAN_CO_TRY(read_options(into->options, into->n_options, std::nullopt, &table->options));
  Changes changes;
  TableBuilder builder(ctx, changes, table);
  builder.use_hidden_row_number();
  changes.put(table);
  WANDIAN_CO_TRY(ctx.apply(changes));
  if (as && into->skip_data) {
    *ctx.tag = "CREATE TABLE AS";
    co_return Status{};
  }
  *ctx.tag = "SELECT " + std::to_string(rows.rows());
  co_return co_await insert_rows(ctx, table->oid, rows, types.size());
}

}  // namespace wandian::sql
