#include "sql/plan/plan.h"

#include <algorithm>

#include "sql/access/acl.h"
#include "sql/plan/explain.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

Plan::Plan() : body(std::make_unique<PlanBody>()) {}
Plan::~Plan() = default;

namespace {

void add_lock(std::vector<PlanLock>& locks, Oid table, TableLock mode) {
  const auto same = [&](const PlanLock& lock) { return lock.table == table && lock.mode == mode; };
  if (std::none_of(locks.begin(), locks.end(), same)) locks.push_back({table, mode});
}

void add_locks(const Query& query, std::vector<PlanLock>& locks);

void add_expression_locks(const Expr* expr, std::vector<PlanLock>& locks) {
  if (expr == nullptr) return;
  any_node(expr, [&](const Expr* node) {
    if (node->kind == ExprKind::kSubLink) add_locks(*node->as<SubLinkExpr>().query, locks);
    return false;
  });
}

void add_join_locks(const JoinNode& node, std::vector<PlanLock>& locks) {
  if (!node.is_join) return;
  add_expression_locks(node.on, locks);
  add_join_locks(*node.left, locks);
  add_join_locks(*node.right, locks);
}

void add_locks(const Query& query, std::vector<PlanLock>& locks) {
  for (std::size_t i = 0; i < query.ranges.size(); ++i) {
    const RangeEntry& range = *query.ranges[i];
    if (range.kind == RangeKind::kTable && range.table != nullptr && !(i == 0 && query.instead_of)) {
      const bool target = i == 0 && query.command != Command::kSelect;
      const bool marked = std::any_of(query.row_marks.begin(), query.row_marks.end(), [i](const RowMark& mark) { return mark.range == i; });
      add_lock(locks, range.table->oid, target ? TableLock::kRowExclusive : marked ? TableLock::kRowShare : TableLock::kAccessShare);
    }
    if (range.query != nullptr) add_locks(*range.query, locks);
    for (const RangeFunction& function : range.functions) add_expression_locks(function.call, locks);
    for (const ExprList& row : range.values)
      for (const Expr* expr : row) add_expression_locks(expr, locks);
  }
  for (const CommonTable* cte : query.ctes) add_locks(*cte->query, locks);
  for (const JoinNode* node : query.from) add_join_locks(*node, locks);
  add_expression_locks(query.where, locks);
  add_expression_locks(query.having, locks);
  add_expression_locks(query.limit, locks);
  add_expression_locks(query.offset, locks);
  for (const TargetEntry& target : query.targets) add_expression_locks(target.expr, locks);
  for (const TargetEntry& target : query.returning) add_expression_locks(target.expr, locks);
  for (const Assignment& assignment : query.assignments) add_expression_locks(assignment.value, locks);
  for (const Assignment& assignment : query.on_conflict.assignments) add_expression_locks(assignment.value, locks);
  add_expression_locks(query.on_conflict.where, locks);
  for (const Query::ViewCheck& check : query.view_checks) add_expression_locks(check.condition, locks);
  for (const MergeAction& action : query.merge_actions) {
    add_expression_locks(action.condition, locks);
    for (const Assignment& assignment : action.assignments) add_expression_locks(assignment.value, locks);
  }
}

// Views that are read or written through, as their privileges are asked for.
void add_view_locks(const Catalog& catalog, const BoundStatement& statement, std::vector<PlanLock>& locks) {
  for (const RelationAccess& access : statement.accesses) {
    if (catalog.object(ObjectKind::kView, access.relation) == nullptr) continue;
    const bool written = (access.privileges & (privilege::kInsert | privilege::kDelete)) != 0 || !access.updated.empty();
    const bool marked = (access.privileges & privilege::kUpdate) != 0;
    add_lock(locks, access.relation, written ? TableLock::kRowExclusive : marked ? TableLock::kRowShare : TableLock::kAccessShare);
  }
}

// Tables that foreign keys lead to. Actions can go on from table to table.
void add_foreign_key_locks(const Catalog& catalog, const Query& query, std::vector<PlanLock>& locks) {
  for (const CommonTable* cte : query.ctes) add_foreign_key_locks(catalog, *cte->query, locks);
  if (query.command == Command::kSelect) return;
  const TableDef& table = *query.ranges[0]->table;
  if (query.command != Command::kDelete)
    for (const ForeignKeyDef& key : table.foreign_keys) add_lock(locks, key.referenced_table, TableLock::kRowShare);
  if (query.command == Command::kInsert && query.on_conflict.action != ConflictAction::kUpdate) return;
  std::vector<Oid> todo(table.referencing.begin(), table.referencing.end()), seen;
  const auto add_referencing = [&](const TableDef& other) { todo.insert(todo.end(), other.referencing.begin(), other.referencing.end()); };
  // Foreign keys lead to partitions by way of the tables above them.
  for (std::shared_ptr<const TableDef> above = catalog.table(table.partition_of); above != nullptr; above = catalog.table(above->partition_of)) {
    add_referencing(*above);
    if (above->partition_of == 0) break;
  }
  for (const std::shared_ptr<const TableDef>& partition : all_partitions(catalog, table)) add_referencing(*partition);
  while (!todo.empty()) {
    const Oid oid = todo.back();
    todo.pop_back();
    if (std::find(seen.begin(), seen.end(), oid) != seen.end()) continue;
    seen.push_back(oid);
    add_lock(locks, oid, TableLock::kRowExclusive);
    if (const std::shared_ptr<const TableDef> other = catalog.table(oid)) todo.insert(todo.end(), other->referencing.begin(), other->referencing.end());
  }
}

}  // namespace

Result<std::shared_ptr<const Plan>> plan_statement(std::shared_ptr<const BoundStatement> statement, const PlanContext& context) {
  if (statement->kind != BoundKind::kQuery || statement->query == nullptr)
    return Status(sqlstate::internal_error, "a procedure call is not planned");
  const Query& query = *statement->query;
  auto plan = std::make_shared<Plan>();
  plan->parameter_types = statement->parameter_types;
  plan->catalog_version = statement->catalog_version;
  plan->body->statement = statement;
  Planner planner(*plan->body, context);
  WANDIAN_TRY(planner.plan(*plan, query));
  const std::span<const TargetEntry> targets = query.command == Command::kSelect ? query.targets : query.returning;
  for (const TargetEntry& target : targets) {
    if (target.junk) continue;
    plan->columns.push_back({std::string(target.name), target.expr->type, target.expr->typmod, target.origin_table, target.origin_column});
  }
  plan->returns_rows = query.command == Command::kSelect || !query.returning.empty();
  if (plan->body->locks_rows) {
    plan->writes = true;
    if (plan->write_command.empty()) {
      static constexpr std::string_view kNames[] = {"SELECT FOR KEY SHARE", "SELECT FOR SHARE", "SELECT FOR NO KEY UPDATE", "SELECT FOR UPDATE"};
      plan->write_command = query.row_marks.empty() ? kNames[3] : kNames[static_cast<std::size_t>(query.row_marks[0].strength)];
    }
  }
  plan->depends_on_parameters = plan->body->depends_on_parameters;
  add_locks(query, plan->locks);
  add_view_locks(*context.catalog, *statement, plan->locks);
  if (plan->body->modify || !plan->body->writing_ctes.empty()) add_foreign_key_locks(*context.catalog, query, plan->locks);
  for (std::size_t i = 0; i < plan->locks.size(); ++i) {
    const PlanLock lock = plan->locks[i];
    if (const std::shared_ptr<const TableDef> table = context.catalog->table(lock.table))
      for (const Oid partition : table->partitions) add_lock(plan->locks, partition, lock.mode);
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

std::vector<std::string> explain_plan(const Plan& plan, const ExplainOptions& options) { return explain_tree(plan, options, {}); }

}  // namespace wandian::sql
