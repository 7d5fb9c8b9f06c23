#include "sql/plan/planner.h"

#include <algorithm>

#include "sql/catalog/stored_objects.h"

namespace wandian::sql {

void collect_slots(const Expr* expr, std::vector<Slot>& out) {
  any_node(expr, [&](const Expr* node) {
    if (node->kind == ExprKind::kSlot) {
      const Slot slot = node->as<SlotExpr>().slot;
      if (!contains(out, slot)) out.push_back(slot);
    }
    return false;
  });
}

Slot Planner::new_slot(Oid type, std::uint16_t collation) {
  body_.slots.push_back({type, order_under(type, collation), is_by_value(type)});
  return static_cast<Slot>(body_.slots.size() - 1);
}

PlanScope& Planner::open_scope(const Query& query, PlanScope* parent) {
  PlanScope& scope = scopes_.emplace_back();
  scope.query = &query;
  scope.parent = parent;
  scope.ranges.resize(query.ranges.size());
  scope.ctes.resize(query.ctes.size());
  for (std::size_t i = 0; i < query.ranges.size(); ++i) {
    RangeInfo& range = scope.ranges[i];
    range.entry = query.ranges[i];
    if (range.entry->table != nullptr) {
      for (const std::shared_ptr<const TableDef>& table : body_.statement->tables)
        if (table.get() == range.entry->table) range.table = table;
      for (const std::shared_ptr<const ObjectDef>& object : body_.statement->objects)
        if (object->kind == ObjectKind::kView && object->oid == range.entry->table->oid) range.table = view_table(*object);
      if (range.table == nullptr && context_.catalog != nullptr) range.table = context_.catalog->table(range.entry->table->oid);
      if (range.entry->kind == RangeKind::kTable && range.table->is_partitioned() && !range.entry->only) divide(range);
    }
  }
  return scope;
}

// Sub-queries in FROM are planned before anything refers to their columns.
Status Planner::plan_ranges(PlanScope& scope) {
  for (std::size_t i = 0; i < scope.ranges.size(); ++i) {
    RangeInfo& range = scope.ranges[i];
    if (range.planned) continue;
    range.planned = true;
    const RangeEntry& entry = *range.entry;
    const Query* query = nullptr;
    PlanScope* parent = &scope;
    if (entry.kind == RangeKind::kSubquery) {
      query = entry.query;
    } else if (entry.kind == RangeKind::kCte && !entry.self_reference) {
      std::uint16_t index = 0;
      PlanScope& owner = cte_scope(scope, entry, &index);
      const CommonTable& cte = *entry.cte;
      const bool inlined = !cte.recursive && !cte.materialized && (cte.references <= 1 || cte.not_materialized) &&
                           cte.query->command == Command::kSelect && cte.query->row_marks.empty() &&
                           !any_query_expr(*cte.query, true, [](const Expr* e, int) { return contains_volatile(e); });
      if (inlined) {
        query = cte.query;
        parent = &owner;
      } else {
        if (owner.ctes[index].index < 0) WANDIAN_TRY(plan_cte(owner, index));
        range.rows = owner.ctes[index].rows;
      }
    }
    if (query == nullptr) continue;
    const bool marked = shows_presence(scope, i);
    if (entry.kind == RangeKind::kSubquery && !marked && can_pull_up(scope, i)) {
      range.pulled = &open_scope(*query, &scope);
      WANDIAN_TRY(plan_ranges(*range.pulled));
      continue;
    }
    WANDIAN_ASSIGN(Planned planned, plan_query(*query, parent));
    range.rows = planned.node->rows;
    range.outputs = std::move(planned.outputs);
    range.plan = std::move(planned.node);
    if (marked) {
      range.presence = new_slot(type_oid::kBool);
      range.outputs.push_back(range.presence);
      WANDIAN_ASSIGN(range.plan, project(std::move(range.plan), {{make_bool(arena_, true), range.presence}}, {}));
    }
  }
  return {};
}

PlanScope& Planner::cte_scope(PlanScope& from, const RangeEntry& entry, std::uint16_t* index) {
  PlanScope* owner = &from;
  for (unsigned up = 0; up < entry.cte_levels_up && owner->parent != nullptr; ++up) owner = owner->parent;
  const auto position = [&](const PlanScope& scope) -> int {
    for (std::size_t i = 0; i < scope.query->ctes.size(); ++i)
      if (scope.query->ctes[i] == entry.cte) return static_cast<int>(i);
    return -1;
  };
  int found = position(*owner);
  // A CTE that was put in place of its reference counts levels from where it was written.
  for (PlanScope* scope = &from; found < 0 && scope != nullptr; scope = scope->parent) {
    owner = scope;
    found = position(*scope);
  }
  DB_ASSERT(found >= 0);
  *index = static_cast<std::uint16_t>(found);
  return *owner;
}

Status Planner::plan_cte(PlanScope& scope, std::uint16_t index) {
  const CommonTable& cte = *scope.query->ctes[index];
  if (cte.query->command != Command::kSelect) {
    PlanCte made;
    made.name = std::string(cte.name);
    made.modify = std::make_unique<ModifyPlan>();
    WANDIAN_TRY(plan_write(*cte.query, &scope, *made.modify, made.plan));
    if (!made.plan) made.plan = std::make_unique<ResultNode>();
    scope.ctes[index].rows = made.plan->rows;
    scope.ctes[index].index = static_cast<std::int32_t>(body_.ctes.size());
    body_.ctes.push_back(std::move(made));
    return {};
  }
  Planned planned;
  if (cte.recursive) {
    WANDIAN_TRY(plan_recursive(scope, cte, scope.ctes[index], &planned));
  } else {
    WANDIAN_ASSIGN(planned, plan_query(*cte.query, &scope));
  }
  PlanCte made;
  made.name = std::string(cte.name);
  scope.ctes[index].rows = planned.node->rows;
  made.plan = std::move(planned.node);
  made.saved.slots = std::move(planned.outputs);
  scope.ctes[index].index = static_cast<std::int32_t>(body_.ctes.size());
  body_.ctes.push_back(std::move(made));
  return {};
}

Result<Slot> Planner::column_slot(PlanScope& scope, std::uint16_t range_index, std::int16_t column) {
  RangeInfo& range = scope.ranges[range_index];
  const RangeEntry& entry = *range.entry;
  if (!range.outputs.empty()) {
    DB_ASSERT(static_cast<std::size_t>(column) < range.outputs.size());
    return range.outputs[static_cast<std::size_t>(column)];
  }
  for (const auto& [used, slot] : range.used)
    if (used == static_cast<std::uint16_t>(column)) return slot;
  DB_ASSERT(column >= 0 && static_cast<std::size_t>(column) < entry.columns.size());
  const RangeColumn& of = entry.columns[static_cast<std::size_t>(column)];
  const Slot slot = new_slot(of.type, of.collation);
  range.used.emplace_back(static_cast<std::uint16_t>(column), slot);
  if (range.table != nullptr) {
    slot_columns_.resize(body_.slots.size());
    slot_columns_[slot] = {range.table.get(), static_cast<std::uint16_t>(column)};
  }
  return slot;
}

Slot Planner::system_slot(RangeInfo& range, std::int16_t column, Oid type) {
  const auto number = static_cast<std::uint16_t>(-column);
  for (const auto& [used, slot] : range.system)
    if (used == number) return slot;
  range.system.emplace_back(number, new_slot(type));
  return range.system.back().second;
}

Result<const Expr*> Planner::lower(const Lowering& lowering, const Expr* expr) {
  Status status;
  const Expr* out = lower_node(lowering, expr, &status);
  if (!status.ok()) return status;
  return out;
}

const Expr* Planner::lower_node(const Lowering& lowering, const Expr* expr, Status* status) {
  if (!status->ok()) return expr;
  if (lowering.aggregation != nullptr && expr->kind != ExprKind::kConst && expr->kind != ExprKind::kParam) {
    const Aggregation& aggregation = *lowering.aggregation;
    for (std::size_t i = 0; i < aggregation.groups.size(); ++i)
      if (equal(aggregation.groups[i], expr)) return make_slot(arena_, aggregation.group_slots[i], *expr);
  }
  if (has_branches(lowering, expr)) return lower_branches(lowering, expr, status);
  switch (expr->kind) {
    case ExprKind::kColumn: {
      const auto& column = expr->as<ColumnExpr>();
      PlanScope* scope = lowering.scope;
      for (unsigned up = 0; up < column.levels_up; ++up) {
        DB_ASSERT(scope->parent != nullptr);
        scope = scope->parent;
      }
      if (column.column < 0) {
        const RangeEntry& entry = *scope->ranges[column.range].entry;
        if (RangeInfo& range = scope->ranges[column.range]; column.column == kTableOidColumn && range.tree != nullptr)
          return make_slot(arena_, table_slot(range), type_oid::kOid, -1);
        if (column.column == kTableOidColumn && (entry.table != nullptr || entry.system != nullptr))
          return make_constant(arena_, type_oid::kOid, -1, Value::of_int(entry.table != nullptr ? entry.table->oid : entry.system->oid));
        return make_slot(arena_, system_slot(scope->ranges[column.range], column.column, column.type), column.type, -1);
      }
      if (const PlanScope* pulled = scope->ranges[column.range].pulled; pulled != nullptr) {
        Lowering inside;
        inside.scope = const_cast<PlanScope*>(pulled);
        return lower_node(inside, pulled->query->targets[static_cast<std::size_t>(column.column)].expr, status);
      }
      const Result<Slot> slot = column_slot(*scope, column.range, column.column);
      return make_slot(arena_, slot.value(), column);
    }
    case ExprKind::kSubColumn: {
      const std::uint16_t column = expr->as<SubColumnExpr>().column;
      if (lowering.sub_exprs != nullptr) return (*lowering.sub_exprs)[column];
      DB_ASSERT(lowering.sub_outputs != nullptr && column < lowering.sub_outputs->size());
      return make_slot(arena_, (*lowering.sub_outputs)[column], *expr);
    }
    case ExprKind::kRow: return lower_whole_row(lowering, expr->as<RowExpr>(), status);
    case ExprKind::kSubLink: return lower_sublink(lowering, expr->as<SubLinkExpr>(), status);
    case ExprKind::kAggregate: return lower_aggregate(lowering, expr->as<AggregateExpr>(), status);
    case ExprKind::kWindow: return lower_window(lowering, expr->as<WindowExpr>(), status);
    case ExprKind::kGrouping: return lower_grouping(lowering, expr->as<GroupingExpr>(), status);
    default: return mutate_children(arena_, expr, [&](const Expr* child) { return lower_node(lowering, child, status); });
  }
}

// Aggregates become slots that the aggregation fills; equal ones share theirs.
const Expr* Planner::lower_aggregate(const Lowering& lowering, const AggregateExpr& call, Status* status) {
  // Of an outer query: its arguments are computed where that groups, and its value stands there for all that is further in.
  PlanScope* owner = lowering.scope;
  for (unsigned up = 0; up < call.levels_up; ++up) owner = owner->parent;
  Aggregation* aggregation = call.levels_up != 0 ? owner->aggregation : lowering.aggregation;
  if (aggregation == nullptr) {
    *status = Status(sqlstate::internal_error, "aggregate function outside of an aggregating query");
    return &call;
  }
  for (const auto& [known, slot] : aggregation->calls)
    if (equal(known, &call) && !contains_volatile(&call)) return make_slot(arena_, slot, call);
  PlanAggregate plan;
  plan.call = &call;
  plan.distinct = call.distinct;
  plan.count_star = call.args.empty() && !call.distinct && call.aggregate->name == "count";
  plan.out = new_slot(call);
  Lowering input = lowering;
  input.aggregation = nullptr;
  input.windowing = nullptr;
  input.subselects = aggregation->input_subselects;
  input.guard = nullptr;
  const auto add = [&](const Expr* argument, std::vector<PlanExpr>& to) {
    if (!status->ok()) return false;
    if (contains_routine(argument)) {
      // Computed below the aggregation, where it may wait.
      const Slot slot = new_slot(*argument);
      aggregation->inputs.emplace_back(argument, slot);
      argument = make_slot(arena_, slot, *argument);
    }
    Result<PlanExpr> made = compile_expr(argument);
    if (made.ok()) to.push_back(made.take());
    else *status = made.take_status();
    return status->ok();
  };
  for (const Expr* arg : call.direct_args) {
    const Lowering above{owner, nullptr, aggregation, nullptr, nullptr};
    if (call.levels_up != 0)
      arg = map_columns(arena_, arg, [&](const ColumnExpr& column, int below) -> const Expr* {
        if (column.levels_up < below) return nullptr;
        auto* seen_there = make_node<ColumnExpr>(arena_, column);
        seen_there->levels_up = static_cast<std::uint16_t>(column.levels_up - call.levels_up);
        return seen_there;
      });
    Result<PlanExpr> made = lower_and_compile(above, arg);
    if (!made.ok()) {
      *status = made.take_status();
      return &call;
    }
    plan.direct_args.push_back(made.take());
  }
  Guard passes;
  if (call.filter != nullptr) {
    passes.condition = lower_node(input, call.filter, status);
    if (input.subselects != nullptr && std::any_of(call.args.begin(), call.args.end(), contains_sublink)) {
      passes.condition = hold(input, passes.condition, status);
      input.guard = &passes;
    }
  }
  for (const Expr* arg : call.args) {
    if (!add(lower_node(input, arg, status), plan.args)) return &call;
    plan.arg_orders.push_back(order_under(arg->type, arg->collation));
    plan.arg_by_value.push_back(is_by_value(arg->type));
  }
  if (call.filter != nullptr) {
    std::vector<PlanExpr> one;
    if (!add(passes.condition, one)) return &call;
    plan.filter = one[0];
  }
  for (const SortKey& key : call.order_by) {
    SortSlot item;
    item.order = order_under(key.expr->type, key.expr->collation);
    item.descending = key.descending;
    item.nulls_first = key.nulls_first;
    std::size_t same = 0;
    while (same < call.args.size() && !equal(call.args[same], key.expr)) ++same;
    if (same < call.args.size()) {
      item.slot = static_cast<Slot>(same);
    } else {
      item.slot = static_cast<Slot>(call.args.size() + plan.order_exprs.size());
      if (!add(lower_node(input, key.expr, status), plan.order_exprs)) return &call;
      plan.order_by_value.push_back(is_by_value(key.expr->type));
    }
    plan.order_by.push_back(item);
  }
  aggregation->calls.emplace_back(&call, plan.out);
  aggregation->plans.push_back(std::move(plan));
  return make_slot(arena_, aggregation->calls.back().second, call);
}

// What a grouping set leaves out is a constant of the set, so it is computed where the sets are.
const Expr* Planner::lower_grouping(const Lowering& lowering, const GroupingExpr& call, Status* status) {
  Aggregation* aggregation = lowering.aggregation;
  if (aggregation == nullptr) {
    *status = Status(sqlstate::internal_error, "GROUPING outside of an aggregating query");
    return &call;
  }
  const Query& query = *lowering.scope->query;
  if (query.grouping_sets.empty()) return make_constant(arena_, type_oid::kInt4, -1, Value::of_int(0));
  std::vector<std::int64_t> by_set;
  for (const std::span<const std::uint16_t> set : query.grouping_sets) {
    std::int64_t bits = 0;
    for (const std::uint16_t group : call.groups) bits = bits * 2 + (std::find(set.begin(), set.end(), group) == set.end() ? 1 : 0);
    by_set.push_back(bits);
  }
  const Slot slot = new_slot(type_oid::kInt4);
  aggregation->groupings.emplace_back(slot, std::move(by_set));
  return make_slot(arena_, slot, call);
}

namespace {

// Whether a sub-select must be evaluated anew although it reads no outer column: it reads a working table.
bool reads_working_table(const Query& query) {
  for (const RangeEntry* range : query.ranges) {
    if (range->kind == RangeKind::kCte && range->self_reference) return true;
    if (range->query != nullptr && reads_working_table(*range->query)) return true;
  }
  return false;
}

}  // namespace

const Expr* Planner::lower_sublink(const Lowering& lowering, const SubLinkExpr& link, Status* status) {
  for (const auto& [known, init] : init_links_) {
    if (known != &link) continue;
    *status = ask_for(lowering, init);
    return make_slot(arena_, body_.init_plans[init]->out, link.type, link.typmod);
  }
  auto plan = std::make_unique<PlanSubselect>();
  plan->kind = link.link;
  plan->once = !link.query->correlated && !reads_working_table(*link.query);
  Result<Planned> planned = plan_query(*link.query, lowering.scope);
  if (!planned.ok()) {
    *status = planned.take_status();
    return &link;
  }
  plan->plan = std::move(planned->node);
  plan->outputs = std::move(planned->outputs);
  plan->out = new_slot(link);
  const bool compares = link.link == SubLinkKind::kAny || link.link == SubLinkKind::kAll;
  if (link.link == SubLinkKind::kArray) {
    plan->of_arrays = body_.slots[plan->outputs[0]].type == link.type;
    const TypeInfo* type = find_type(link.type);
    plan->element_type = type != nullptr && type->element != 0 ? type->element : body_.slots[plan->outputs[0]].type;
  }
  if (link.link == SubLinkKind::kRow)
    for (const Slot slot : plan->outputs) plan->field_types.push_back(body_.slots[slot].type);
  if (link.link == SubLinkKind::kExists || link.link == SubLinkKind::kScalar || link.link == SubLinkKind::kRow) {
    // One row more than wanted shows that there are too many; EXISTS wants one.
    plan->plan->rows = std::min(plan->plan->rows, 1.0);
  }
  plan->saved.slots = plan->outputs;
  if (compares) {
    Lowering test = lowering;
    test.sub_outputs = &plan->outputs;
    Result<const Expr*> lowered = lower(test, link.test);
    if (!lowered.ok()) {
      *status = lowered.take_status();
      return &link;
    }
    Result<PlanExpr> compiled = compile_expr(lowered.value());
    if (!compiled.ok()) {
      *status = compiled.take_status();
      return &link;
    }
    plan->test = compiled.take();
    // x = ANY (sub-select without outer columns): one hash set instead of a list.
    if (plan->once && link.link == SubLinkKind::kAny && link.simple_in && !plan->test.waits) {
      std::vector<const Expr*> parts = split_conjuncts(lowered.value());
      std::vector<PlanExpr> left(plan->outputs.size());
      std::vector<Order> orders(plan->outputs.size(), Order::kNone);
      bool fits = parts.size() == plan->outputs.size();
      for (const Expr* part : parts) {
        if (part->kind != ExprKind::kFunction || part->as<FunctionExpr>().op == nullptr || !part->as<FunctionExpr>().op->hashable) {
          fits = false;
          break;
        }
        const auto& call = part->as<FunctionExpr>();
        const Expr* right = call.args[1];
        const TypeInfo* a = find_type(call.args[0]->type);
        const TypeInfo* b = find_type(right->type);
        if (right->kind != ExprKind::kSlot || a == nullptr || b == nullptr || a->order != b->order) {
          fits = false;
          break;
        }
        const auto at = std::find(plan->outputs.begin(), plan->outputs.end(), right->as<SlotExpr>().slot);
        if (at == plan->outputs.end()) {
          fits = false;
          break;
        }
        Result<PlanExpr> value = compile_expr(call.args[0]);
        if (!value.ok()) {
          *status = value.take_status();
          return &link;
        }
        left[static_cast<std::size_t>(at - plan->outputs.begin())] = value.take();
        orders[static_cast<std::size_t>(at - plan->outputs.begin())] = order_under(right->type, call.collation);
      }
      for (const PlanExpr& expr : left) fits = fits && static_cast<bool>(expr);
      if (fits) {
        plan->hash_left = std::move(left);
        plan->hash_orders = std::move(orders);
      }
    }
  }
  const Slot out = plan->out;
  if (plan->once && !compares) {
    plan->name = "InitPlan " + std::to_string(next_init_++);
    body_.init_plans.push_back(std::move(plan));
    init_links_.emplace_back(&link, body_.init_plans.size() - 1);
    *status = ask_for(lowering, body_.init_plans.size() - 1);
  } else if (lowering.subselects == nullptr) {
    *status = Status(sqlstate::feature_not_supported, "a correlated subquery is not supported here");
  } else {
    plan->name = "SubPlan " + std::to_string(next_sub_++);
    *status = add_guard(lowering, *plan);
    lowering.subselects->push_back(std::move(plan));
  }
  return make_slot(arena_, out, link);
}

Result<PlanExpr> Planner::compile_expr(const Expr* lowered, bool journaled) {
  CompileOptions options;
  options.journaled = journaled || contains_routine(lowered);
  WANDIAN_ASSIGN(const CompiledExpr code, compile(*lowered, arena_, options));
  return PlanExpr{lowered, code, options.journaled};
}

Result<PlanExpr> Planner::lower_and_compile(const Lowering& lowering, const Expr* expr) {
  WANDIAN_ASSIGN(const Expr* lowered, lower(lowering, expr));
  return compile_expr(lowered);
}

NodePtr Planner::apply(NodePtr child, Subselects subselects) {
  if (subselects.empty()) return child;
  auto node = std::make_unique<ApplyNode>();
  node->rows = child->rows;
  double each = 0;
  for (const std::unique_ptr<PlanSubselect>& plan : subselects) each += plan->plan != nullptr ? plan->plan->cost : 0;
  node->cost = child->cost + each * std::max(1.0, child->rows);
  node->startup_cost = child->startup_cost;
  node->subselects = std::move(subselects);
  node->children.push_back(std::move(child));
  return node;
}

NodePtr Planner::after_subselects(NodePtr node, Subselects subselects) {
  if (subselects.empty()) return node;
  auto loop = std::make_unique<JoinPlanNode>(NodeType::kNestLoop);
  NodePtr values = apply(std::make_unique<ResultNode>(), std::move(subselects));
  loop->rows = node->rows;
  loop->cost = node->cost + values->cost;
  loop->startup_cost = node->startup_cost + values->cost;
  loop->children.push_back(std::move(values));
  loop->children.push_back(std::move(node));
  return loop;
}

Result<NodePtr> Planner::filter(NodePtr child, const Expr* lowered) {
  auto node = std::make_unique<FilterNode>();
  WANDIAN_ASSIGN(node->filter, compile_expr(lowered));
  node->rows = std::max(1.0, child->rows * selectivity(lowered));
  node->startup_cost = child->startup_cost;
  node->cost = child->cost + child->rows * 0.0025;
  node->children.push_back(std::move(child));
  return NodePtr(std::move(node));
}

Status Planner::plan(Plan& plan, const Query& query) {
  switch (query.command) {
    case Command::kSelect: {
      plan.kind = PlanKind::kSelect;
      WANDIAN_ASSIGN(Planned planned, plan_query(query, nullptr));
      body_.root = std::move(planned.node);
      for (std::size_t i = 0; i < query.targets.size(); ++i)
        if (!query.targets[i].junk) body_.outputs.push_back(planned.outputs[i]);
      break;
    }
    default:
      body_.modify = std::make_unique<ModifyPlan>();
      WANDIAN_TRY(plan_write(query, nullptr, *body_.modify, body_.root));
      plan.kind = body_.modify->kind;
      break;
  }
  static constexpr std::string_view kCommands[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"};
  WANDIAN_TRY(plan_writing_ctes());
  WANDIAN_TRY(std::move(shape_refusal_));
  WANDIAN_TRY(std::move(relation_refusal_));
  plan.writes = body_.modify != nullptr || !body_.writing_ctes.empty();
  if (plan.writes) plan.write_command = kCommands[static_cast<std::size_t>(plan.kind)];
  finalize_plan(body_, scans_, work_markers_);
  find_fast_path(plan);
  return {};
}

}  // namespace wandian::sql
