// Plans of INSERT, UPDATE and DELETE, and which statements need no operators at all.
#include <algorithm>

#include "engine/index_entries.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

bool in(const std::vector<std::uint16_t>& columns, std::uint16_t column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

// A row that belongs to another shard is evaluated a second time there: volatile functions must not mind.
bool repeatable(const Expr* expr) {
  return !any_node(expr, [](const Expr* node) {
    if (node->kind != ExprKind::kFunction) return false;
    const FunctionDef& function = *node->as<FunctionExpr>().function;
    static constexpr std::string_view kHarmless[] = {"nextval", "random", "gen_random_uuid", "clock_timestamp", "timeofday"};
    return function.volatility == Volatility::kVolatile &&
           std::find(std::begin(kHarmless), std::end(kHarmless), function.name) == std::end(kHarmless);
  });
}

bool checks_wait(const TableDef& table) { return table.row_checks != nullptr && table.row_checks->waits(); }

// A sub-select whose value is not one for all rows, computed before the first.
bool has_row_subselect(const Expr* expr) {
  return any_node(expr, [](const Expr* node) {
    if (node->kind != ExprKind::kSubLink) return false;
    const auto& link = node->as<SubLinkExpr>();
    return link.query->correlated || (link.link != SubLinkKind::kScalar && link.link != SubLinkKind::kArray);
  });
}

std::vector<ScanColumn> columns_of(const RangeInfo& range) {
  std::vector<ScanColumn> out;
  for (const auto& [column, slot] : range.used) out.push_back({column, slot});
  return out;
}

}  // namespace

Status Planner::plan_returning(PlanScope& scope, const Query& query, ModifyPlan& modify) {
  for (const Query::ViewCheck& check : query.view_checks) {
    WANDIAN_ASSIGN(PlanExpr compiled, lower_and_compile({&scope, nullptr, nullptr, nullptr, nullptr}, check.condition));
    modify.checks.push_back({std::string(check.view), compiled});
  }
  Subselects subselects;
  Lowering lowering{&scope, &subselects, nullptr, nullptr, nullptr};
  lowering.at_start = query.command == Command::kInsert && query.from.empty();   // there is a row
  for (const TargetEntry& target : query.returning) {
    WANDIAN_ASSIGN(PlanExpr compiled, lower_and_compile(lowering, target.expr));
    modify.returning.push_back(compiled);
    modify.returning_waits = modify.returning_waits || compiled.waits;
  }
  if (!subselects.empty()) {
    modify.returning_waits = true;
    modify.returning_node = apply(std::make_unique<ResultNode>(), std::move(subselects));
  }
  if (modify.returning_waits)
    for (const PlanExpr& expr : modify.returning) collect_slots(expr.expr, modify.returning_slots.slots);
  return {};
}

// What routines compute for SET and VALUES is computed below, where it may wait; the write takes it from a slot. `all`: everything is.
Status Planner::project_waiting(ModifyPlan& modify, NodePtr& root, bool all) {
  std::vector<std::pair<const Expr*, Slot>> items;
  for (ModifyPlan::Set& set : modify.sets) {
    if (!set.value.waits && !all) continue;
    modify.calls_routines = modify.calls_routines || set.value.waits;
    const Slot slot = new_slot(*set.value.expr);
    items.emplace_back(set.value.expr, slot);
    WANDIAN_ASSIGN(set.value, compile_expr(make_slot(arena_, slot, *set.value.expr)));
  }
  if (items.empty()) return {};
  if (!root) root = std::make_unique<ResultNode>();
  WANDIAN_ASSIGN(root, project(std::move(root), std::move(items), {}));
  return {};
}

Status Planner::plan_write(const Query& query, PlanScope* parent, ModifyPlan& modify, NodePtr& root) {
  PlanScope& scope = open_scope(query, parent);
  WANDIAN_TRY(plan_ranges(scope));
  modify.table = scope.ranges[0].table;
  modify.instead_of = query.instead_of;
  modify.tree = scope.ranges[0].tree;
  DB_ASSERT(modify.table != nullptr);
  // Each row is written before the next one is checked by functions.
  modify.calls_routines = checks_wait(*modify.table);
  if (modify.tree != nullptr)
    for (const PartitionNode* leaf : modify.tree->leaves()) modify.calls_routines = modify.calls_routines || checks_wait(*leaf->table);
  switch (query.command) {
    case Command::kInsert: modify.kind = PlanKind::kInsert; return plan_insert(scope, modify, root);
    case Command::kUpdate: modify.kind = PlanKind::kUpdate; return plan_update_delete(scope, modify, root);
    case Command::kMerge: modify.kind = PlanKind::kMerge; return plan_merge(scope, modify, root);
    default: modify.kind = PlanKind::kDelete; return plan_update_delete(scope, modify, root);
  }
}

// A condition of decide(), or what it assigns: evaluated as a whole again when one of them calls a routine, and so answered from one journal.
Status Planner::journal_decisions(ModifyPlan& modify, std::span<PlanExpr* const> parts) {
  const bool waits = std::any_of(parts.begin(), parts.end(), [](const PlanExpr* part) { return part->waits; });
  if (!waits) return {};
  modify.decisions_wait = modify.calls_routines = true;
  for (PlanExpr* part : parts) {
    if (!*part) continue;
    WANDIAN_ASSIGN(*part, compile_expr(part->expr, true));
  }
  return {};
}

// What INSERT and SET give to columns; their sub-selects are still to be applied below.
Status Planner::plan_assignments(PlanScope& scope, ModifyPlan& modify, Subselects& subselects) {
  Lowering lowering{&scope, &subselects, nullptr, nullptr, nullptr};
  lowering.at_start = scope.query->command == Command::kInsert && scope.query->from.empty();
  for (const Assignment& assignment : scope.query->assignments) {
    ModifyPlan::Set set;
    set.column = assignment.column;
    WANDIAN_ASSIGN(set.value, lower_and_compile(lowering, assignment.value));
    modify.sets.push_back(set);
  }
  return {};
}

// UPDATE and DELETE of a view with INSTEAD OF triggers: its rows, whole, and what SET makes of them.
Status Planner::plan_instead(PlanScope& scope, ModifyPlan& modify, NodePtr& root) {
  const Query& query = *scope.query;
  bool ordered = false;
  WANDIAN_ASSIGN(root, plan_from(scope, {}, 0, &ordered));
  Subselects subselects;
  WANDIAN_TRY(plan_assignments(scope, modify, subselects));
  if (!subselects.empty()) root = apply(std::move(root), std::move(subselects));
  WANDIAN_TRY(project_waiting(modify, root, false));
  for (std::size_t c = 0; c < modify.table->columns.size(); ++c) {
    const auto column = static_cast<std::uint16_t>(c);
    WANDIAN_ASSIGN(const Slot slot, column_slot(scope, 0, static_cast<std::int16_t>(column)));
    modify.target_columns.push_back({column, slot});
  }
  return plan_returning(scope, query, modify);
}

// Statements in WITH run whether or not anything reads them.
Status Planner::plan_writing_ctes() {
  PlanScope& top = scopes_.front();
  for (std::size_t i = 0; i < top.ctes.size(); ++i) {
    if (top.query->ctes[i]->query->command == Command::kSelect) continue;
    if (top.ctes[i].index < 0) WANDIAN_TRY(plan_cte(top, static_cast<std::uint16_t>(i)));
    body_.writing_ctes.push_back(static_cast<std::uint32_t>(top.ctes[i].index));
  }
  return {};
}

Status Planner::plan_insert(PlanScope& scope, ModifyPlan& modify, NodePtr& root) {
  const Query& query = *scope.query;
  if (!query.from.empty()) {
    bool ordered = false;
    WANDIAN_ASSIGN(root, plan_from(scope, {}, 0, &ordered));
  }
  Subselects subselects;
  WANDIAN_TRY(plan_assignments(scope, modify, subselects));
  if (!subselects.empty()) {
    if (!root) root = std::make_unique<ResultNode>();
    root = apply(std::move(root), std::move(subselects));
  }
  WANDIAN_TRY(project_waiting(modify, root, false));
  const OnConflict& conflict = query.on_conflict;
  modify.conflict = conflict.action;
  modify.any_arbiter = conflict.any_index;
  modify.arbiters.assign(conflict.indexes.begin(), conflict.indexes.end());
  if (conflict.action == ConflictAction::kUpdate) {
    Subselects of_row;
    Lowering lowering{&scope, &of_row, nullptr, nullptr, nullptr};
    Guard updates;
    if (conflict.where != nullptr) {
      WANDIAN_ASSIGN(updates.condition, lower(lowering, conflict.where));
      WANDIAN_ASSIGN(modify.conflict_where, compile_expr(updates.condition));
      if (!contains_volatile(updates.condition) && !contains_routine(updates.condition)) lowering.guard = &updates;
    }
    for (const Assignment& assignment : conflict.assignments) {
      ModifyPlan::Set set;
      set.column = assignment.column;
      WANDIAN_ASSIGN(set.value, lower_and_compile(lowering, assignment.value));
      modify.conflict_sets.push_back(set);
    }
    std::vector<PlanExpr*> decisions{&modify.conflict_where};
    for (ModifyPlan::Set& set : modify.conflict_sets) decisions.push_back(&set.value);
    WANDIAN_TRY(journal_decisions(modify, decisions));
    if (!of_row.empty()) modify.conflict_node = apply(std::make_unique<ResultNode>(), std::move(of_row));
    modify.conflict_columns = columns_of(scope.ranges[0]);
    modify.excluded_columns = columns_of(scope.ranges[conflict.excluded]);
  }
  WANDIAN_TRY(plan_returning(scope, query, modify));
  modify.returning_columns = columns_of(scope.ranges[0]);
  modify.target_system = scope.ranges[0].system_columns();
  modify.table_slot = scope.ranges[0].table_slot;
  return {};
}

// The rows to be written, with the key and the partition of each.
Status Planner::plan_targets(PlanScope& scope, ModifyPlan& modify, NodePtr& root) {
  RangeInfo& target = scope.ranges[0];
  target.key_slot = modify.key_slot = new_slot(type_oid::kBytea);
  target.partition_slot = modify.partition_slot = new_slot(type_oid::kInt8);
  if (target.tree != nullptr) modify.table_slot = table_slot(target);
  bool ordered = false;
  WANDIAN_ASSIGN(root, plan_from(scope, {}, 0, &ordered));
  return {};
}

// Whether no SET touches what puts a row of the partition where it is, and nothing refers to it by way of the tables above.
bool Planner::stays_in_partition(const TableDef& table, std::span<const Assignment> assignments) const {
  for (std::shared_ptr<const TableDef> above = context_.catalog->table(table.partition_of); above != nullptr; above = context_.catalog->table(above->partition_of)) {
    if (!above->referencing.empty()) return false;
    for (const Partitioning::Part& part : partitioning_of(*above)->parts()) {
      std::vector<std::uint16_t> columns{part.column};
      if (part.column == kExpressionPart) {
        columns.clear();
        for (const ColumnUse& use : collect_columns(part.bound.expr)) columns.push_back(static_cast<std::uint16_t>(use.column));
      }
      for (const std::uint16_t column : columns)
        for (const Assignment& assignment : assignments)
          if (table.columns[assignment.column].name == above->columns[column].name) return false;
    }
    if (above->partition_of == 0) break;
  }
  return true;
}

Status Planner::plan_update_delete(PlanScope& scope, ModifyPlan& modify, NodePtr& root) {
  const Query& query = *scope.query;
  const bool deletes = query.command == Command::kDelete;
  RangeInfo& target = scope.ranges[0];
  const TableDef& table = *modify.table;
  if (query.instead_of) return plan_instead(scope, modify, root);
  target.current_of = query.current_of;
  WANDIAN_TRY(plan_targets(scope, modify, root));

  Subselects subselects;
  bool pure = true, fixed_keys = true;
  for (const Assignment& assignment : query.assignments) {
    ModifyPlan::Set set;
    set.column = assignment.column;
    WANDIAN_ASSIGN(set.value, lower_and_compile({&scope, &subselects, nullptr, nullptr, nullptr}, assignment.value));
    pure = pure && is_pure(set.value.expr);
    if (in(table.codec_columns[0], set.column) || in(table.placement.columns, set.column)) modify.key_changes = true;
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
      const IndexDef& index = table.indexes[i];
      if (index.global_table == 0 && !index.checked_later()) continue;
      for (const IndexPart& part : index.parts) fixed_keys = fixed_keys && part.column != set.column;
      if (!table.is_computed(static_cast<unsigned>(i))) continue;
      for (const std::uint16_t column : table.index_keys->columns(static_cast<unsigned>(i))) fixed_keys = fixed_keys && column != set.column;
    }
    for (const ForeignKeyDef& key : table.foreign_keys) fixed_keys = fixed_keys && !in(key.columns, set.column);
    for (const Oid oid : table.referencing)
      if (const std::shared_ptr<const TableDef> other = context_.catalog->table(oid))
        for (const ForeignKeyDef& key : other->foreign_keys)
          if (key.referenced_table == table.oid) fixed_keys = fixed_keys && !in(key.referenced_columns, set.column);
    modify.sets.push_back(set);
  }
  if (table.generator != nullptr && !deletes) {
    // Any of its generated columns may change.
    modify.key_changes = modify.key_changes || table.generator->generates_key();
    for (const IndexDef& index : table.indexes) fixed_keys = fixed_keys && index.global_table == 0;
    fixed_keys = fixed_keys && table.foreign_keys.empty() && table.referencing.empty();
  }
  std::sort(modify.sets.begin(), modify.sets.end(), [](const ModifyPlan::Set& a, const ModifyPlan::Set& b) { return a.column < b.column; });
  if (deletes) {
    fixed_keys = table.referencing.empty();
    for (const IndexDef& index : table.indexes) fixed_keys = fixed_keys && index.global_table == 0;
  }
  fixed_keys = fixed_keys && stays_in_partition(table, query.assignments);
  // Which branch of SET a row comes to may be another when it has changed.
  const bool guarded = std::any_of(subselects.begin(), subselects.end(), [](const auto& plan) { return static_cast<bool>(plan->guard); });
  if (!guarded) root = apply(std::move(root), std::move(subselects));
  // What holds for a row that changed meanwhile: everything that can be told from it, and the other tables' rows as they were.
  std::vector<const Expr*> recheck;
  for (const Expr* part : split_conjuncts(query.where)) {
    if (has_row_subselect(part) || contains_volatile(part) || contains_routine(part)) continue;
    WANDIAN_ASSIGN(const Expr* lowered, lower({&scope, nullptr, nullptr, nullptr, nullptr}, part));
    pure = pure && is_pure(lowered);
    recheck.push_back(lowered);
  }
  if (!recheck.empty()) {
    WANDIAN_ASSIGN(modify.recheck, compile_expr(make_conjunction(arena_, recheck)));
  }
  WANDIAN_TRY(plan_returning(scope, query, modify));
  modify.target_columns = columns_of(target);
  modify.target_system = target.system_columns();
  const bool sets_wait = std::any_of(modify.sets.begin(), modify.sets.end(), [](const ModifyPlan::Set& set) { return set.value.waits; });
  if (sets_wait || guarded) {
    // The row is locked before routines and sub-selects see it: what they compute must be of its newest version.
    auto locks = std::make_unique<LockRowsNode>();
    PlanRowMark mark;
    mark.table = target.table;
    mark.strength = modify.key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
    mark.key_slot = target.key_slot;
    mark.partition_slot = target.partition_slot;
    mark.columns = modify.target_columns;
    mark.system = modify.target_system;
    mark.tree = modify.tree;
    mark.table_slot = modify.table_slot;
    locks->marks.push_back(std::move(mark));
    locks->recheck = modify.recheck;
    locks->rows = root->rows;
    locks->cost = root->cost;
    locks->startup_cost = root->startup_cost;
    locks->children.push_back(std::move(root));
    root = std::move(locks);
    body_.locks_rows = true;
    if (guarded) root = apply(std::move(root), std::move(subselects));
    WANDIAN_TRY(project_waiting(modify, root, guarded));
    pure = false;
  }
  std::vector<Slot> read;
  for (const ModifyPlan::Set& set : modify.sets) collect_slots(set.value.expr, read);
  if (modify.recheck) collect_slots(modify.recheck.expr, read);
  for (const PlanExpr& expr : modify.returning) collect_slots(expr.expr, read);
  keep_others(modify, read);
  // Triggers see each row here, one by one or in their transition tables.
  const bool row_triggers = std::any_of(table.triggers.begin(), table.triggers.end(), [](const TriggerDef& trigger) {
    return (trigger.events & TriggerDef::kRow) != 0 || !trigger.old_table.empty() || !trigger.new_table.empty();
  });
  modify.at_owner = pure && fixed_keys && !modify.key_changes && !row_triggers && modify.checks.empty() && modify.tree == nullptr && !(checks_wait(table) && !deletes);
  modify.may_repeat = query.from.size() > 1 || (query.from.size() == 1 && query.from[0]->is_join);
  return {};
}

// What the driver keeps of a source row until its target is locked: everything it reads but the target's columns and constants.
void Planner::keep_others(ModifyPlan& modify, std::span<const Slot> read) const {
  for (const Slot slot : read) {
    bool own = false;
    for (const std::vector<ScanColumn>* columns : {&modify.target_columns, &modify.target_system})
      for (const ScanColumn& c : *columns) own = own || c.slot == slot;
    for (const std::unique_ptr<PlanSubselect>& init : body_.init_plans) own = own || init->out == slot;
    own = own || slot == modify.table_slot;
    if (!own) modify.others.slots.push_back(slot);
  }
}

Status Planner::plan_merge(PlanScope& scope, ModifyPlan& modify, NodePtr& root) {
  const Query& query = *scope.query;
  RangeInfo& target = scope.ranges[0];
  const TableDef& table = *modify.table;
  WANDIAN_TRY(plan_targets(scope, modify, root));
  Subselects subselects;
  Lowering lowering{&scope, &subselects, nullptr, nullptr, nullptr};
  lowering.eager = true;
  std::vector<Slot> read;
  for (const MergeAction& action : query.merge_actions) {
    ModifyPlan::Action made;
    made.matched = action.matched;
    made.nothing = action.nothing;
    made.kind = action.command == Command::kInsert   ? PlanKind::kInsert
                : action.command == Command::kUpdate ? PlanKind::kUpdate
                                                     : PlanKind::kDelete;
    if (action.condition != nullptr) {
      WANDIAN_ASSIGN(made.condition, lower_and_compile(lowering, action.condition));
      collect_slots(made.condition.expr, read);
    }
    for (const Assignment& assignment : action.assignments) {
      ModifyPlan::Set set;
      set.column = assignment.column;
      WANDIAN_ASSIGN(set.value, lower_and_compile(lowering, assignment.value));
      collect_slots(set.value.expr, read);
      const bool key = in(table.codec_columns[0], set.column) || in(table.placement.columns, set.column);
      modify.key_changes = modify.key_changes || (key && action.command == Command::kUpdate);
      made.sets.push_back(set);
    }
    modify.actions.push_back(std::move(made));
  }
  std::vector<PlanExpr*> decisions;
  for (ModifyPlan::Action& action : modify.actions) {
    decisions.push_back(&action.condition);
    for (ModifyPlan::Set& set : action.sets) decisions.push_back(&set.value);
  }
  WANDIAN_TRY(journal_decisions(modify, decisions));
  modify.key_changes = modify.key_changes || (table.generator != nullptr && table.generator->generates_key());
  if (!subselects.empty()) root = apply(std::move(root), std::move(subselects));
  std::vector<const Expr*> recheck;
  for (const Expr* part : split_conjuncts(query.from[0]->on)) {
    if (contains_sublink(part) || contains_volatile(part) || contains_routine(part)) continue;
    WANDIAN_ASSIGN(const Expr* lowered, lower({&scope, nullptr, nullptr, nullptr, nullptr}, part));
    recheck.push_back(lowered);
  }
  if (!recheck.empty()) {
    WANDIAN_ASSIGN(modify.recheck, compile_expr(make_conjunction(arena_, recheck)));
    collect_slots(modify.recheck.expr, read);
  }
  modify.target_columns = columns_of(target);
  modify.target_system = target.system_columns();
  keep_others(modify, read);
  return {};
}

// Statements of OLTP's inner loop: one row by its primary key, or one new row.
void Planner::find_fast_path(Plan& plan) {
  FastPath& fast = body_.fast;
  if (!body_.init_plans.empty() || !body_.ctes.empty() || body_.locks_rows) return;
  if (body_.modify && (!body_.modify->table->triggers.empty() || body_.modify->tree != nullptr || !body_.modify->target_system.empty())) return;
  if (plan.kind == PlanKind::kInsert) {
    const ModifyPlan& modify = *body_.modify;
    if (body_.root || modify.returning_waits || modify.conflict != ConflictAction::kNone || !modify.table->foreign_keys.empty() || !modify.checks.empty()) return;
    for (const IndexDef& index : modify.table->indexes)
      if (index.global_table != 0 || index.checked_later()) return;
    if (checks_wait(*modify.table)) return;
    if (modify.table->partition_of != 0) return;   // its bounds are to be looked at
    for (const ModifyPlan::Set& set : modify.sets)
      if (!repeatable(set.value.expr)) return;
    fast.possible = true;
    fast.table = modify.table;
    return;
  }
  const PlanNode* node = body_.root.get();
  const ProjectNode* project = nullptr;
  if (node != nullptr && node->type == NodeType::kProject) {
    project = &node->as<ProjectNode>();
    node = node->children[0].get();
  }
  if (node == nullptr || node->type != NodeType::kScan || (project != nullptr && plan.kind != PlanKind::kSelect)) return;
  const auto& scan = node->as<ScanNode>();
  if (scan.method != ScanMethod::kPoint || !scan.free_slots.empty() || !scan.system.empty()) return;
  for (const KeyCondition& condition : scan.equals)
    if (condition.list) return;
  if (project != nullptr && std::any_of(project->items.begin(), project->items.end(), [](const auto& item) { return item.first.waits; })) return;
  if (plan.kind != PlanKind::kSelect && body_.modify->returning_waits) return;
  if (plan.kind != PlanKind::kSelect && (!body_.modify->at_owner || !body_.modify->others.slots.empty())) return;
  fast.table = scan.table;
  fast.scan = &scan;
  for (const KeyCondition& condition : scan.equals) fast.key.push_back(condition.value);
  if (plan.kind == PlanKind::kSelect) {
    for (const Slot slot : body_.outputs) {
      std::int32_t column = -1;
      PlanExpr expr;
      for (const std::vector<ScanColumn>* columns : {&scan.filter_columns, &scan.columns})
        for (const ScanColumn& c : *columns)
          if (c.slot == slot) column = c.column;
      if (column < 0 && project != nullptr)
        for (const auto& [item, out] : project->items)
          if (out == slot) expr = item;
      if (column < 0 && !expr) return;
      fast.output_columns.push_back(column);
      fast.outputs.push_back(expr);
    }
  }
  fast.possible = true;
}

}  // namespace wandian::sql
