// Deferred constraints: SET CONSTRAINTS, and the checks before a commit.
#include <algorithm>
#include <utility>

#include "sql/exec/operator.h"
#include "sql/exec/triggers.h"
#include "sql/session_portal.h"
#include "sql/session_wait.h"

namespace wandian::sql {

// Work of the engine's that no plan does, as a statement of its own.
template <class Work>
Task<Status> SessionImpl::with_execution(Work work) {
  co_await begin_statement();
  Status status;
  {
    ExecutionEnv env = execution_env();
    env.routines = this;
    ExecContext context;
    context.env = &env;
    context.shard = &shard_;
    context.transaction = &transaction_;
    context.view = transaction_.view();
    context.row_memory.push_back(std::make_unique<RowMemory>(env));
    context.begin_share();
    status = co_await guarded(work(context));
  }
  co_await park(Parked::kNextCall);
  if (transaction_.active()) transaction_.end_statement();
  if (status.ok()) status = check_cancel();
  co_return std::move(status);
}

// What was put off, of these constraints or of all. On error the caller undoes the transaction, or what came after its savepoint.
Task<Status> SessionImpl::check_deferred(bool everything, std::vector<Oid> constraints) {
  if (!deferred_.pending()) co_return Status{};
  const auto check = [&](ExecContext& context) { return deferred_.check(context, everything, constraints); };
  co_return co_await with_execution(check);
}

Task<Status> SessionImpl::fire_statement_triggers(std::shared_ptr<const TableDef> table, bool before, std::uint16_t event) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | (before ? TriggerDef::kBefore : 0));
  const bool any = std::any_of(table->triggers.begin(), table->triggers.end(), [&](const TriggerDef& trigger) {
    return (trigger.events & TriggerDef::kRow) == 0 && (trigger.events & (TriggerDef::kBefore | event)) == wanted;
  });
  if (!any) co_return Status{};
  const auto fire = [&](ExecContext& context) -> Task<Status> {
    if (before) return Triggers::of(context).before_statement(table, event, {});
    Triggers::of(context).after_statement(table, event, {});
    return Triggers::of(context).run();
  };
  co_return co_await with_execution(fire);
}

Status SessionImpl::find_constraints(const PgQuery__RangeVar& name, std::vector<Oid>* out) {
  const BindContext context = bind_context();
  const std::string_view wanted = text_or_empty(name.relname), schema = text_or_empty(name.schemaname);
  std::vector<Oid> schemas = context.search_path;
  if (!schema.empty()) {
    const std::optional<Oid> found = context.catalog->find_schema(database_, schema);
    if (!found) return Status{sqlstate::invalid_schema_name, "schema \"" + std::string(schema) + "\" does not exist"};
    schemas = {*found};
  }
  for (const Oid in : schemas) {
    bool found = false;
    const std::size_t before = out->size();
    for (const auto& [oid, table] : context.catalog->tables()) {
      if (table->schema != in || table->internal) continue;
      for (const ForeignKeyDef& key : table->foreign_keys) {
        if (key.name != wanted) continue;
        found = true;
        if (key.deferrable) out->push_back(key.oid);
      }
      for (const TriggerDef& trigger : table->triggers) {
        if (trigger.constraint == 0 || trigger.name != wanted) continue;
        found = true;
        if (trigger.deferrable) out->push_back(trigger.constraint);
      }
      for (const CheckDef& check : table->checks) found = found || check.name == wanted;
      for (const IndexDef& index : table->indexes) {
        if (index.constraint == 0 || index.name != wanted) continue;
        found = true;
        if (index.deferrable) out->push_back(index.constraint);
      }
    }
    if (out->size() > before) return {};
    if (found) return Status{sqlstate::wrong_object_type, "constraint \"" + std::string(wanted) + "\" is not deferrable"};
  }
  return Status{sqlstate::undefined_object, "constraint \"" + std::string(wanted) + "\" does not exist"};
}

Task<Status> SessionImpl::run_set_constraints(StatementRef statement) {
  const PgQuery__ConstraintsSetStmt& node = *statement.node->constraints_set_stmt;
  warn_outside_transaction_block("SET CONSTRAINTS");
  std::vector<Oid> constraints;
  for (std::size_t i = 0; i < node.n_constraints; ++i) WANDIAN_CO_TRY(find_constraints(*node.constraints[i]->range_var, &constraints));
  const bool everything = node.n_constraints == 0;
  if (everything) deferred_.set_all(node.deferred);
  for (const Oid oid : constraints) deferred_.set(oid, node.deferred);
  if (node.deferred) co_return Status{};
  co_return co_await check_deferred(everything, std::move(constraints));
}

}  // namespace wandian::sql
