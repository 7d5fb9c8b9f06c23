// Everything of a query above its FROM clause: grouping, targets, DISTINCT, ORDER BY, LIMIT, set operations, recursion.
#include <algorithm>
#include <cmath>

#include "sql/messages.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

constexpr double kSortRowCost = 0.02, kHashRowCost = 0.015, kRowCost = 0.01;

// Where hashing would need more than this, rows are sorted, which temporary files help with.
constexpr double kMostHashBytes = 400e6;

double group_bytes(const AggregateNode& node) {
  return 48 + 40 * static_cast<double>(node.groups.size()) + 32 * static_cast<double>(node.aggregates.size());
}

// A LIMIT that is known, or guessed where it is a parameter; 0 = none.
double guess_limit(const Query& query) {
  if (query.limit == nullptr) return 0;
  const auto value = [](const Expr* expr, double otherwise) {
    if (expr == nullptr) return 0.0;
    if (expr->kind != ExprKind::kConst) return otherwise;
    const Value& v = expr->as<ConstExpr>().value;
    return v.is_null ? -1.0 : static_cast<double>(v.i);
  };
  const double limit = value(query.limit, 20);
  if (limit < 0) return 0;
  return std::max(1.0, limit + std::max(0.0, value(query.offset, 20)));
}

const Expr* strip_set_call(Arena& arena, const Expr* expr, const std::function<const Expr*(const FunctionExpr&)>& replace) {
  return rewrite(arena, expr, [&](const Expr* node) -> const Expr* {
    if (node->kind == ExprKind::kFunction && node->returns_set) return replace(node->as<FunctionExpr>());
    return nullptr;
  });
}

// What must hold for every row that comes out: not the conditions of outer joins, nor those of their empty sides.
void collect_join_conditions(const JoinNode& node, std::vector<const Expr*>* out) {
  if (!node.is_join || node.type == JoinType::kFull) return;
  if (node.type != JoinType::kRight) collect_join_conditions(*node.left, out);
  if (node.type != JoinType::kLeft) collect_join_conditions(*node.right, out);
  if (node.type != JoinType::kInner || node.on == nullptr) return;
  for (const Expr* part : split_conjuncts(node.on)) out->push_back(part);
}

}  // namespace

Result<Planned> Planner::plan_query(const Query& query, PlanScope* parent) {
  DB_ASSERT(query.command == Command::kSelect);
  return plan_select(open_scope(query, parent));
}

Result<NodePtr> Planner::project(NodePtr child, std::vector<std::pair<const Expr*, Slot>> items, Subselects subselects) {
  child = apply(std::move(child), std::move(subselects));
  if (items.empty()) return child;
  auto node = std::make_unique<ProjectNode>();
  for (const auto& [expr, slot] : items) {
    WANDIAN_ASSIGN(PlanExpr compiled, compile_expr(expr));
    node->items.emplace_back(compiled, slot);
  }
  node->rows = child->rows;
  node->startup_cost = child->startup_cost;
  node->cost = child->cost + child->rows * 0.0025 * static_cast<double>(items.size());
  node->children.push_back(std::move(child));
  return NodePtr(std::move(node));
}

NodePtr Planner::sort(NodePtr child, const std::vector<SortSlot>& keys) {
  if (keys.empty()) return child;
  auto node = std::make_unique<SortNode>();
  node->keys = keys;
  node->rows = child->rows;
  node->cost = child->cost + child->rows * kSortRowCost * std::log2(std::max(2.0, child->rows));
  node->startup_cost = node->cost;
  node->children.push_back(std::move(child));
  return node;
}

NodePtr Planner::distinct(NodePtr child, const std::vector<Slot>& slots) {
  auto node = std::make_unique<AggregateNode>();
  node->strategy = AggStrategy::kHashed;
  for (const Slot slot : slots) {
    if (contains(node->groups, slot)) continue;
    node->groups.push_back(slot);
    node->group_orders.push_back(order_of(slot));
  }
  node->rows = group_count(node->groups, child->rows);
  node->startup_cost = node->cost = child->cost + child->rows * kHashRowCost;
  node->children.push_back(std::move(child));
  return node;
}

// Whether no two rows of FROM are equal in `groups`: they hold the primary key of the only table there.
bool Planner::one_row_a_group(const PlanScope& scope, const std::vector<Slot>& groups) const {
  if (scope.ranges.size() != 1) return false;
  for (const std::uint16_t target : scope.query->group_by)
    if (contains_set_function(scope.query->targets[target].expr)) return false;   // makes several rows of one
  const RangeInfo& range = scope.ranges[0];
  if (range.table == nullptr || range.tree != nullptr || range.table->hidden_row_number) return false;
  const std::vector<std::uint16_t>& key = range.table->codec_columns[0];
  return std::all_of(key.begin(), key.end(), [&](std::uint16_t column) {
    return std::any_of(range.used.begin(), range.used.end(), [&](const auto& used) { return used.first == column && contains(groups, used.second); });
  });
}

// `group_inputs`: what the columns grouped by are below the aggregation; with grouping sets not what they are above.
Result<NodePtr> Planner::aggregate(PlanScope& scope, NodePtr child, Aggregation& aggregation, std::vector<Slot> group_inputs) {
  const Query& query = *scope.query;
  auto node = std::make_unique<AggregateNode>();
  node->strategy = query.group_by.empty() && query.grouping_sets.empty() ? AggStrategy::kPlain : AggStrategy::kHashed;
  if (!query.grouping_sets.empty()) {
    auto sets = std::make_unique<GroupingSetsNode>();
    sets->inputs = std::move(group_inputs);
    sets->outputs = aggregation.group_slots;
    sets->set_slot = new_slot(type_oid::kInt4);
    sets->groupings = std::move(aggregation.groupings);
    for (std::size_t i = 0; i < query.grouping_sets.size(); ++i) {
      std::vector<std::uint8_t>& has = sets->sets.emplace_back(query.group_by.size(), 0);
      for (const std::uint16_t column : query.grouping_sets[i]) has[column] = 1;
      if (!query.grouping_sets[i].empty()) continue;
      auto& values = node->empty_sets.emplace_back();
      values.emplace_back(sets->set_slot, static_cast<std::int64_t>(i));
      for (const auto& [slot, by_set] : sets->groupings) values.emplace_back(slot, by_set[i]);
    }
    node->groups.push_back(sets->set_slot);
    node->group_orders.push_back(order_of(sets->set_slot));
    sets->rows = child->rows * static_cast<double>(sets->sets.size());
    sets->startup_cost = child->startup_cost;
    sets->cost = child->cost + sets->rows * kRowCost;
    sets->children.push_back(std::move(child));
    child = std::move(sets);
  }
  for (const Slot slot : aggregation.group_slots) {
    if (contains(node->groups, slot)) continue;
    if (order_of(slot) == Order::kNone) {
      const TypeInfo* type = find_type(body_.slots[slot].type);
      return Status(sqlstate::undefined_function,
                    "could not identify an equality operator for type " + std::string(type != nullptr ? type->name : "unknown"));
    }
    node->groups.push_back(slot);
    node->group_orders.push_back(order_of(slot));
  }
  node->aggregates = std::move(aggregation.plans);
  const double input = child->rows;
  node->rows = node->strategy == AggStrategy::kPlain ? 1 : group_count(node->groups, input);
  if (node->strategy == AggStrategy::kHashed && query.grouping_sets.empty() && one_row_a_group(scope, node->groups)) {
    // A group ends where the next row does not equal it, so rows of groups of one need no order.
    node->strategy = AggStrategy::kSorted;
    node->rows = input;
  } else if (node->strategy == AggStrategy::kHashed && query.grouping_sets.empty() && node->rows * group_bytes(*node) > kMostHashBytes) {
    // More groups than may be in memory at a time come one after the other.
    std::vector<SortSlot> keys;
    for (std::size_t i = 0; i < node->groups.size(); ++i) keys.push_back({node->groups[i], node->group_orders[i], false, false});
    child = sort(std::move(child), keys);
    node->strategy = AggStrategy::kSorted;
  }
  node->startup_cost = node->cost = child->cost + input * (kHashRowCost + 0.0025 * static_cast<double>(node->aggregates.size()));
  node->children.push_back(std::move(child));
  return NodePtr(std::move(node));
}

// The set-returning calls whose arguments hold no other; `targets` name their results then. The calls around them follow in a node above.
Result<NodePtr> Planner::project_sets(NodePtr child, std::vector<const Expr*>& targets) {
  auto sets = std::make_unique<ProjectNode>(NodeType::kProjectSet);
  std::vector<Slot> made;
  Status status;
  for (const Expr*& expr : targets) {
    if (!contains_set_function(expr)) continue;
    expr = strip_set_call(arena_, expr, [&](const FunctionExpr& call) -> const Expr* {
      std::vector<Slot> reads;
      for (const Expr* arg : call.args) collect_slots(arg, reads);
      const bool outer = std::any_of(reads.begin(), reads.end(), [&](Slot slot) { return contains(made, slot); });
      if (outer || std::any_of(call.args.begin(), call.args.end(), [](const Expr* arg) { return contains_set_function(arg); })) return nullptr;
      ProjectNode::SetItem item;
      item.item = static_cast<std::uint32_t>(sets->items.size());
      item.call = &call;
      for (const Expr* arg : call.args) {
        Result<PlanExpr> compiled = compile_expr(arg);
        if (compiled.ok()) item.args.push_back(compiled.take());
        else status = compiled.take_status();
      }
      made.push_back(new_slot(call));
      sets->items.emplace_back(PlanExpr{&call, {}}, made.back());
      sets->sets.push_back(std::move(item));
      return make_slot(arena_, made.back(), call);
    });
  }
  WANDIAN_TRY(std::move(status));
  sets->rows = child->rows * 100;
  sets->cost = child->cost + sets->rows * kRowCost;
  sets->startup_cost = child->startup_cost;
  sets->children.push_back(std::move(child));
  return NodePtr(std::move(sets));
}

void Planner::refuse_lock(std::string_view kind, std::string_view name) {
  if (relation_refusal_.ok())
    relation_refusal_ = Status(sqlstate::wrong_object_type, "cannot lock rows in " + std::string(kind) + " " + quoted(name));
}

Result<Planned> Planner::plan_select(PlanScope& scope) {
  const Query& query = *scope.query;
  WANDIAN_TRY(plan_ranges(scope));
  NodePtr node;
  const double row_limit = guess_limit(query);
  bool ordered = false;
  Windowing windowing;
  std::vector<SortSlot> window_sorted;
  const bool aggregating = query.grouped || query.has_aggregates;

  if (!query.row_marks.empty() && shape_refusal_.ok()) shape_refusal_ = check_lockable(query, query.row_marks[0].strength);
  // Beside a row that is locked a sequence's would have to be found again.
  for (const RangeEntry* entry : query.ranges)
    if (!query.row_marks.empty() && entry->view != 0 && context_.catalog->sequence(entry->view) != nullptr)
      refuse_lock("sequence", entry->name);
  for (const RowMark& mark : query.row_marks) {
    RangeInfo& range = scope.ranges[mark.range];
    if (range.table == nullptr) continue;
    if (range.table->is_materialized_view()) refuse_lock("materialized view", range.table->name);
    if (range.key_slot == kNoSlot) {
      range.key_slot = new_slot(type_oid::kBytea);
      range.partition_slot = new_slot(type_oid::kInt8);
    }
    if (range.tree != nullptr) (void)table_slot(range);
    body_.locks_rows = true;
  }

  if (query.set_operation != nullptr) {
    WANDIAN_TRY(plan_set_operation(scope, &node));
  } else {
    std::vector<OrderWish> wish;
    if (!aggregating && !query.distinct && query.distinct_on.empty() && !query.has_target_sets && !query.has_windows) {
      for (const OrderItem& item : query.order_by) {
        const Expr* expr = query.targets[item.target].expr;
        const Expr* column = nullptr;
        if (expr->kind == ExprKind::kColumn && expr->as<ColumnExpr>().levels_up == 0 && expr->as<ColumnExpr>().column >= 0) {
          WANDIAN_ASSIGN(column, lower({&scope, nullptr, nullptr, nullptr, nullptr}, expr));
        }
        if (column == nullptr || column->kind != ExprKind::kSlot) {
          wish.clear();
          break;
        }
        wish.push_back({column->as<SlotExpr>().slot, item.descending, item.nulls_first});
      }
    }
    const bool limited = !aggregating && !query.distinct && query.distinct_on.empty() && !query.has_windows;
    WANDIAN_ASSIGN(node, plan_from(scope, wish, limited ? row_limit : 0, &ordered));
    ordered = ordered && !wish.empty();
  }

  // Grouping.
  Aggregation aggregation;
  Subselects below;
  Lowering lowering{&scope, nullptr, nullptr, nullptr, nullptr};
  std::vector<std::pair<const Expr*, Slot>> items;
  std::vector<Slot> group_inputs;
  if (aggregating) {
    aggregation.input_subselects = &below;
    lowering.subselects = &below;
    for (const std::uint16_t target : query.group_by) {
      const Expr* expr = query.targets[target].expr;
      WANDIAN_ASSIGN(const Expr* lowered, lower(lowering, expr));
      Slot slot;
      if (lowered->kind == ExprKind::kSlot) {
        slot = lowered->as<SlotExpr>().slot;
      } else {
        slot = new_slot(*expr);
        items.emplace_back(lowered, slot);
      }
      aggregation.groups.push_back(expr);
      group_inputs.push_back(slot);
      aggregation.group_slots.push_back(query.grouping_sets.empty() ? slot : new_slot(*expr));
    }
    lowering.aggregation = scope.aggregation = &aggregation;
  }
  Subselects having_subselects, target_subselects;
  const Expr* having = nullptr;
  if (query.having != nullptr) {
    lowering.subselects = &having_subselects;
    // Sub-selects are for the groups that the other conditions let pass; those that are the same for all groups decide first.
    const auto place = [](const Expr* part) {
      if (!contains_sublink(part)) return 1;
      return !contains_aggregate(part) && collect_columns(part).empty() ? 0 : 2;
    };
    std::vector<const Expr*> conditions = split_conjuncts(query.having);
    std::stable_sort(conditions.begin(), conditions.end(), [&](const Expr* a, const Expr* b) { return place(a) < place(b); });
    WANDIAN_ASSIGN(having, lower(lowering, make_conjunction(arena_, conditions)));
  }

  // Targets: which need computing, and which of those before the sort.
  lowering.subselects = &target_subselects;
  if (query.has_windows) lowering.windowing = &windowing;
  std::vector<const Expr*> lowered(query.targets.size());
  std::vector<Slot> outputs(query.targets.size(), kNoSlot);
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    WANDIAN_ASSIGN(lowered[i], lower(lowering, query.targets[i].expr));
  }
  if (query.has_windows) WANDIAN_TRY(lower_windows(scope, lowering));
  for (const std::pair<const Expr*, Slot>& key : windowing.items) {
    // A set that is a window's key, too, is the same rows.
    if (!contains_set_function(key.first)) continue;
    const Expr* made = make_slot(arena_, key.second, key.first->type, key.first->typmod);
    for (const Expr*& target : lowered)
      target = rewrite(arena_, target, [&](const Expr* part) -> const Expr* { return equal(part, key.first) ? made : nullptr; });
  }
  if (aggregating) {
    // Sets among the keys are rows before they are groups.
    std::vector<const Expr*> keys;
    for (const auto& [expr, slot] : items) keys.push_back(expr);
    const auto holds_set = [](const Expr* expr) { return contains_set_function(expr); };
    if (std::any_of(keys.begin(), keys.end(), holds_set)) {
      node = apply(std::move(node), std::move(below));
      below.clear();
      while (std::any_of(keys.begin(), keys.end(), holds_set)) {
        WANDIAN_ASSIGN(node, project_sets(std::move(node), keys));
      }
      for (std::size_t i = 0; i < keys.size(); ++i) items[i].first = keys[i];
    }
    items.insert(items.end(), aggregation.inputs.begin(), aggregation.inputs.end());
    WANDIAN_ASSIGN(node, project(std::move(node), std::move(items), std::move(below)));
    items.clear();
    WANDIAN_ASSIGN(node, aggregate(scope, std::move(node), aggregation, std::move(group_inputs)));
    if (having != nullptr) {
      node = apply(std::move(node), std::move(having_subselects));
      WANDIAN_ASSIGN(node, filter(std::move(node), having));
    }
  }
  scope.aggregation = nullptr;
  if (query.has_windows) {
    WANDIAN_ASSIGN(node, stack_windows(std::move(node), windowing, &window_sorted));
  }
  if (query.has_target_sets) {
    node = apply(std::move(node), std::move(target_subselects));
    target_subselects.clear();
    while (std::any_of(lowered.begin(), lowered.end(), [](const Expr* expr) { return contains_set_function(expr); })) {
      WANDIAN_ASSIGN(node, project_sets(std::move(node), lowered));
    }
  }

  std::vector<std::uint8_t> early(query.targets.size(), 1);
  if (!window_sorted.empty() && !query.distinct && query.distinct_on.empty() && !query.has_target_sets) {
    // The last window's order may be the one wished for.
    std::vector<SortSlot> wanted;
    for (const OrderItem& item : query.order_by)
      if (lowered[item.target]->kind == ExprKind::kSlot)
        wanted.push_back({lowered[item.target]->as<SlotExpr>().slot, Order::kNone, item.descending, item.nulls_first});
    ordered = wanted.size() == query.order_by.size() && starts_with(window_sorted, wanted);
  }
  const bool sorts = !query.order_by.empty() && !ordered;
  if (sorts && !query.distinct && query.distinct_on.empty() && only_ask(target_subselects)) {
    for (std::size_t i = 0; i < query.targets.size(); ++i)
      early[i] = query.limit == nullptr && !contains_volatile(lowered[i]);
    for (const OrderItem& item : query.order_by) early[item.target] = 1;
  }
  std::vector<std::pair<const Expr*, Slot>> late;
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    // What is an outer query's own, or computed once for all rows, would not become null where an outer join has no row of this one.
    const bool own = scope.parent == nullptr || (query.targets[i].expr->kind != ExprKind::kSubLink && lowered[i]->kind == ExprKind::kSlot &&
                                                 !belongs_to_outer_query(scope, lowered[i]->as<SlotExpr>().slot));
    if (lowered[i]->kind == ExprKind::kSlot && own) {
      outputs[i] = lowered[i]->as<SlotExpr>().slot;
      continue;
    }
    outputs[i] = new_slot(*query.targets[i].expr);
    (early[i] != 0 ? items : late).emplace_back(lowered[i], outputs[i]);
  }
  WANDIAN_ASSIGN(node, project(std::move(node), std::move(items), std::move(target_subselects)));

  // DISTINCT, ORDER BY.
  std::vector<SortSlot> keys;
  for (const OrderItem& item : query.order_by)
    keys.push_back({outputs[item.target], order_of(outputs[item.target]), item.descending, item.nulls_first});
  for (const SortSlot& key : keys)
    if (key.order == Order::kNone) {
      const TypeInfo* type = find_type(body_.slots[key.slot].type);
      return Status(sqlstate::undefined_function,
                    "could not identify an ordering operator for type " + std::string(type != nullptr ? type->name : "unknown"))
          .with_hint("Use an explicit ordering operator or modify the query.");
    }
  SortNode* sorted = nullptr;
  if (!query.distinct_on.empty()) {
    std::vector<SortSlot> unique_keys = keys;
    auto unique = std::make_unique<UniqueNode>();
    for (const std::uint16_t target : query.distinct_on) {
      const Slot slot = outputs[target];
      bool sorted_by = false;
      for (const SortSlot& key : unique_keys) sorted_by |= key.slot == slot;
      if (!sorted_by) unique_keys.push_back({slot, order_of(slot), false, false});
      unique->keys.slots.push_back(slot);
      unique->orders.push_back(order_of(slot));
    }
    node = sort(std::move(node), unique_keys);
    unique->rows = std::max(1.0, node->rows / 2);
    unique->cost = node->cost + node->rows * kRowCost;
    unique->startup_cost = node->startup_cost;
    unique->children.push_back(std::move(node));
    node = std::move(unique);
  } else {
    if (query.distinct) {
      std::vector<Slot> visible;
      for (std::size_t i = 0; i < query.targets.size(); ++i)
        if (!query.targets[i].junk) visible.push_back(outputs[i]);
      for (const Slot slot : visible)
        if (order_of(slot) == Order::kNone) {
          const TypeInfo* type = find_type(body_.slots[slot].type);
          return Status(sqlstate::undefined_function,
                        "could not identify an equality operator for type " + std::string(type != nullptr ? type->name : "unknown"));
        }
      node = distinct(std::move(node), visible);
    }
    if (sorts || (query.distinct && !keys.empty())) {
      node = sort(std::move(node), keys);
      if (node->type == NodeType::kSort) sorted = static_cast<SortNode*>(node.get());
    }
  }

  const bool locks_here = std::any_of(query.row_marks.begin(), query.row_marks.end(),
                                      [&](const RowMark& mark) { return scope.ranges[mark.range].table != nullptr; });
  if (locks_here) {
    auto locks = std::make_unique<LockRowsNode>();
    for (const RowMark& mark : query.row_marks) {
      RangeInfo& range = scope.ranges[mark.range];
      if (range.table == nullptr) continue;
      PlanRowMark made;
      made.table = range.table;
      made.strength = mark.strength;
      made.wait = mark.wait;
      made.key_slot = range.key_slot;
      made.partition_slot = range.partition_slot;
      made.tree = range.tree;
      made.table_slot = range.table_slot;
      locks->marks.push_back(std::move(made));
    }
    // The condition is checked again for rows that changed while their lock was waited for.
    std::vector<const Expr*> conditions = split_conjuncts(query.where), recheck;
    for (const JoinNode* item : query.from) collect_join_conditions(*item, &conditions);
    for (const Expr* part : conditions)
      if (!contains_sublink(part) && !contains_routine(part)) recheck.push_back(part);
    if (!recheck.empty()) {
      WANDIAN_ASSIGN(locks->recheck, lower_and_compile({&scope, nullptr, nullptr, nullptr, nullptr}, make_conjunction(arena_, recheck)));
    }
    locks->rows = node->rows;
    locks->cost = node->cost + node->rows * kRowCost;
    locks->startup_cost = node->startup_cost;
    for (std::size_t i = 0, m = 0; i < query.row_marks.size(); ++i) {
      RangeInfo& range = scope.ranges[query.row_marks[i].range];
      if (range.table == nullptr) continue;
      for (const auto& [column, slot] : range.used) locks->marks[m].columns.push_back({column, slot});
      locks->marks[m].system = range.system_columns();
      ++m;
    }
    locks->children.push_back(std::move(node));
    node = std::move(locks);
    sorted = nullptr;
  }

  if (query.limit != nullptr || query.offset != nullptr) {
    auto limit = std::make_unique<LimitNode>();
    Subselects counts;
    Lowering plain{&scope, &counts, nullptr, nullptr, nullptr};
    plain.at_start = true;
    const auto number = [&](const Expr* expr, PlanExpr* out) -> Status {
      WANDIAN_ASSIGN(const Expr* lowered, lower(plain, expr));
      std::vector<Slot> read;
      collect_slots(lowered, read);
      // What calls a routine is computed where it may wait.
      if (contains_routine(lowered) && !read.empty())
        return Status(sqlstate::feature_not_supported, "functions written in SQL or PL/pgSQL are not supported over outer columns in LIMIT and OFFSET");
      if (contains_routine(lowered)) {
        WANDIAN_ASSIGN(lowered, compute_once(lowered));
      }
      WANDIAN_ASSIGN(*out, compile_expr(lowered));
      return {};
    };
    if (query.limit != nullptr) WANDIAN_TRY(number(query.limit, &limit->limit));
    if (query.offset != nullptr) WANDIAN_TRY(number(query.offset, &limit->offset));
    limit->with_ties = query.with_ties;
    if (query.with_ties)
      for (const SortSlot& key : keys) {
        limit->tie_slots.slots.push_back(key.slot);
        limit->tie_orders.push_back(key.order);
      }
    if (sorted != nullptr && limit->limit && !query.with_ties) {
      sorted->limit = limit->limit;
      sorted->offset = limit->offset;
    }
    limit->rows = row_limit > 0 ? std::min(node->rows, row_limit) : node->rows;
    limit->startup_cost = node->startup_cost;
    limit->cost = node->startup_cost + (node->cost - node->startup_cost) * (limit->rows / std::max(1.0, node->rows));
    limit->children.push_back(std::move(node));
    node = after_subselects(std::move(limit), std::move(counts));
  }
  WANDIAN_ASSIGN(node, project(std::move(node), std::move(late), {}));

  // CTEs of a correlated query start anew with it.
  if (scope.parent != nullptr) {
    auto with = std::make_unique<WithNode>();
    for (const PlanScope::Cte& cte : scope.ctes)
      if (cte.index >= 0) with->ctes.push_back(static_cast<std::uint32_t>(cte.index));
    if (!with->ctes.empty()) {
      with->rows = node->rows;
      with->cost = node->cost;
      with->startup_cost = node->startup_cost;
      with->children.push_back(std::move(node));
      node = std::move(with);
    }
  }
  return Planned{std::move(node), std::move(outputs)};
}

Status Planner::plan_set_operation(PlanScope& scope, NodePtr* node) {
  const SetOperation& operation = *scope.query->set_operation;
  RangeInfo& result = scope.ranges[0];
  std::vector<Slot> outputs;
  std::vector<Order> orders;
  for (const RangeColumn& column : result.entry->columns) {
    outputs.push_back(new_slot(column.type, column.collation));
    orders.push_back(order_of(outputs.back()));
  }
  std::vector<NodePtr> children;
  std::vector<std::vector<Slot>> inputs;
  double rows = 0, cost = 0;
  for (const SetInput& input : operation.inputs) {
    RangeInfo& range = scope.ranges[input.range];
    NodePtr child = std::move(range.plan);
    DB_ASSERT(child != nullptr);
    std::vector<std::pair<const Expr*, Slot>> items;
    std::vector<Slot> slots;
    for (const Expr* expr : input.outputs) {
      WANDIAN_ASSIGN(const Expr* lowered, lower({&scope, nullptr, nullptr, nullptr, nullptr}, expr));
      if (lowered->kind == ExprKind::kSlot) {
        slots.push_back(lowered->as<SlotExpr>().slot);
      } else {
        slots.push_back(new_slot(*expr));
        items.emplace_back(lowered, slots.back());
      }
    }
    WANDIAN_ASSIGN(child, project(std::move(child), std::move(items), {}));
    rows += child->rows;
    cost += child->cost;
    children.push_back(std::move(child));
    inputs.push_back(std::move(slots));
  }
  if (!operation.all || operation.op != SetOp::kUnion)
    for (std::size_t i = 0; i < orders.size(); ++i)
      if (orders[i] == Order::kNone) {
        const TypeInfo* type = find_type(result.entry->columns[i].type);
        return Status(sqlstate::undefined_function,
                      "could not identify an equality operator for type " + std::string(type != nullptr ? type->name : "unknown"));
      }
  if (operation.op == SetOp::kUnion) {
    auto append = std::make_unique<AppendNode>();
    append->outputs = outputs;
    append->inputs = std::move(inputs);
    append->children = std::move(children);
    append->rows = rows;
    append->cost = cost;
    *node = std::move(append);
    if (!operation.all) *node = distinct(std::move(*node), outputs);
  } else {
    auto set = std::make_unique<SetOpNode>();
    set->op = operation.op;
    set->all = operation.all;
    set->outputs = outputs;
    set->inputs = std::move(inputs);
    set->orders = std::move(orders);
    set->saved.slots = outputs;
    set->children = std::move(children);
    set->rows = std::max(1.0, set->children[0]->rows / 2);
    set->cost = set->startup_cost = cost + rows * kHashRowCost;
    *node = std::move(set);
  }
  result.outputs = std::move(outputs);
  return {};
}

Status Planner::plan_recursive(PlanScope& scope, const CommonTable& cte, PlanScope::Cte& state, Planned* out) {
  const Query& query = *cte.query;
  if (query.set_operation == nullptr || query.set_operation->inputs.size() != 2 || query.set_operation->op != SetOp::kUnion)
    return Status(sqlstate::invalid_recursion, "recursive query \"" + std::string(cte.name) +
                                                   "\" does not have the form non-recursive-term UNION [ALL] recursive-term");
  auto node = std::make_unique<RecursiveUnionNode>();
  node->work = body_.works++;
  state.work = static_cast<std::int32_t>(node->work);
  state.work_marker = new_slot(type_oid::kInt4);
  work_markers_[node->work] = state.work_marker;
  node->all = query.set_operation->all;
  PlanScope& inner = open_scope(query, &scope);
  for (const RangeColumn& column : cte.columns) {
    node->outputs.push_back(new_slot(column.type, column.collation));
    node->orders.push_back(order_of(node->outputs.back()));
  }
  node->saved.slots = node->outputs;
  // The non-recursive term comes first, so that the recursive one can be given a number of rows to expect.
  state.rows = 100;
  WANDIAN_TRY(plan_ranges(inner));
  for (const SetInput& input : query.set_operation->inputs) {
    NodePtr child = std::move(inner.ranges[input.range].plan);
    DB_ASSERT(child != nullptr);
    std::vector<std::pair<const Expr*, Slot>> items;
    std::vector<Slot> slots;
    for (const Expr* expr : input.outputs) {
      WANDIAN_ASSIGN(const Expr* lowered, lower({&inner, nullptr, nullptr, nullptr, nullptr}, expr));
      if (lowered->kind == ExprKind::kSlot) {
        slots.push_back(lowered->as<SlotExpr>().slot);
      } else {
        slots.push_back(new_slot(*expr));
        items.emplace_back(lowered, slots.back());
      }
    }
    WANDIAN_ASSIGN(child, project(std::move(child), std::move(items), {}));
    node->rows += child->rows * (node->children.empty() ? 1 : 10);
    node->cost += child->cost * (node->children.empty() ? 1 : 10);
    node->inputs.push_back(std::move(slots));
    node->children.push_back(std::move(child));
  }
  out->outputs = node->outputs;
  out->node = std::move(node);
  return {};
}

}  // namespace wandian::sql
