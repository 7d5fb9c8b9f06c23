// Rows that come by value, as one INSERT statement: COPY FROM, CREATE TABLE AS.
#include "sql/bind/binder.h"
#include "sql/exec/execution.h"
#include "sql/exec/modify.h"
#include "sql/functions/quote.h"
#include "sql/parse/parser.h"

namespace wandian::sql {

namespace {

class Inserter final : public BatchInserter {
 public:
  Inserter(std::shared_ptr<const Plan> plan, const ExecutionEnv& env, std::size_t columns)
      : plan_(std::move(plan)), env_(env), columns_(columns) {
    const PlanBody& body = *plan_->body;
    ctx_.body = &body;
    ctx_.env = &env_;
    ctx_.shard = env_.shard;
    ctx_.transaction = env_.transaction;
    ctx_.view = env_.transaction->view();
    ctx_.slots = ctx_.statement.allocate_array<Value>(body.slots.size() + 1);
    for (std::size_t i = 0; i < body.slots.size(); ++i) ctx_.slots[i] = Value::null();
    ctx_.input.columns = ctx_.slots;
    for (std::uint32_t i = 0; i < body.arenas; ++i) ctx_.row_memory.push_back(std::make_unique<RowMemory>(env_));
    if (body.root) source_ = make_operator(*body.root, ctx_);
    driver_ = std::make_unique<ModifyDriver>(ctx_, *body.modify, source_.get());
  }
  Task<Status> insert(std::span<const Value> rows) override {
    WANDIAN_CO_TRY(co_await begin());
    co_return co_await driver_->insert_values(rows, columns_);
  }
  Task<Status> finish() override {
    WANDIAN_CO_TRY(co_await begin());
    driver_->after_statement();
    WANDIAN_CO_TRY(co_await driver_->finish());
    co_return co_await ModifyDriver::fire_triggers(ctx_);
  }
  std::uint64_t inserted() const override { return driver_->processed(); }

 private:
  Task<Status> begin() {
    if (!std::exchange(begun_, true)) WANDIAN_CO_TRY(co_await driver_->before_statement());
    co_return Status{};
  }

  std::shared_ptr<const Plan> plan_;
  ExecutionEnv env_;
  std::size_t columns_;
  bool begun_ = false;
  ExecContext ctx_;
  std::unique_ptr<Operator> source_;
  std::unique_ptr<ModifyDriver> driver_;
};

}  // namespace

Result<std::unique_ptr<BatchInserter>> BatchInserter::create(const ExecutionEnv& env, std::shared_ptr<const TableDef> table,
                                                             std::span<const std::uint16_t> columns) {
  // The binder knows defaults, identity and coercions: it is given the statement that this is.
  std::string text = "INSERT INTO " + quote_identifier(schema_name(*env.catalog, table->schema)) + "." + quote_identifier(table->name) + " (";
  std::string values;
  std::vector<Oid> types;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i != 0) text += ", ", values += ", ";
    text += quote_identifier(table->columns[columns[i]].name);
    values += "$" + std::to_string(i + 1);
    types.push_back(table->columns[columns[i]].type);
  }
  text += ") OVERRIDING SYSTEM VALUE VALUES (" + values + ")";
  WANDIAN_ASSIGN(const ParsedStatements parsed, ParsedStatements::parse(text));
  Arena arena;
  EvalContext eval{arena, *env.format, env.hooks, env.statement_timestamp, env.transaction_timestamp, {}};
  BindContext context;
  context.catalog = env.catalog;
  context.database = env.database;
  context.search_path = {kPgCatalogSchema, table->schema};
  context.eval = &eval;
  context.fills_views = true;
  WANDIAN_ASSIGN(std::shared_ptr<const BoundStatement> bound, bind_statement(parsed.statements()[0].node, parsed.text(), context, types));
  PlanContext planning;
  planning.catalog = env.catalog;
  WANDIAN_ASSIGN(std::shared_ptr<const Plan> plan, plan_statement(std::move(bound), planning));
  return std::unique_ptr<BatchInserter>(std::make_unique<Inserter>(std::move(plan), env, columns.size()));
}

}  // namespace wandian::sql
