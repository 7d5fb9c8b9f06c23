// Window functions: their input is computed into slots, sorted once for all windows whose order it has, and goes through one node a window.
#include <algorithm>
#include <cmath>

#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

constexpr double kWindowRowCost = 0.01;

bool same_key(const SortSlot& a, const SortSlot& b) {
  return a.slot == b.slot && a.descending == b.descending && a.nulls_first == b.nulls_first;
}

}  // namespace

// The slot that holds an argument or a key below the windows. Where there is a filter, rows that it leaves out are not evaluated.
Result<Slot> Planner::window_input(const Lowering& lowering, Windowing& windowing, const Expr* expr, Slot filter) {
  WANDIAN_ASSIGN(const Expr* lowered, lower(lowering, expr));
  if (lowered->kind == ExprKind::kSlot) return lowered->as<SlotExpr>().slot;
  if (filter != kNoSlot && lowered->kind != ExprKind::kConst) {
    auto* guarded = make_node<CaseExpr>(arena_);
    const CaseWhen when{make_slot(arena_, filter, type_oid::kBool, -1), lowered};
    guarded->whens = copy_list(arena_, std::span<const CaseWhen>(&when, 1));
    guarded->otherwise = make_null(arena_, lowered->type);
    guarded->type = lowered->type;
    guarded->typmod = lowered->typmod;
    lowered = guarded;
  }
  for (const auto& [known, slot] : windowing.items)
    if (equal(known, lowered) && !contains_volatile(lowered)) return slot;
  const Slot slot = new_slot(*lowered);
  windowing.items.emplace_back(lowered, slot);
  return slot;
}

// Window functions become slots that their window's node fills; equal ones share theirs.
const Expr* Planner::lower_window(const Lowering& lowering, const WindowExpr& call, Status* status) {
  Windowing* windowing = lowering.windowing;
  if (windowing == nullptr) {
    *status = Status(sqlstate::internal_error, "window function where none may stand");
    return &call;
  }
  for (const auto& [known, slot] : windowing->calls)
    if (equal(known, &call) && !contains_volatile(&call)) return make_slot(arena_, slot, call);
  Lowering input = lowering;
  input.windowing = nullptr;
  input.subselects = &windowing->subselects;
  input.guard = nullptr;
  PlanWindowCall plan;
  plan.call = &call;
  const auto add = [&](const Expr* expr) {
    Result<Slot> slot = window_input(input, *windowing, expr, plan.filter);
    if (slot.ok()) return slot.value();
    *status = slot.take_status();
    return kNoSlot;
  };
  if (call.filter != nullptr) plan.filter = add(call.filter);
  for (const Expr* arg : call.args) {
    if (!status->ok()) return &call;
    plan.args.push_back(add(arg));
  }
  if (!status->ok()) return &call;
  plan.out = new_slot(call);
  windowing->calls.emplace_back(&call, plan.out);
  if (windowing->by_window.size() <= call.window) windowing->by_window.resize(call.window + std::size_t{1});
  windowing->by_window[call.window].push_back(plan);
  return make_slot(arena_, plan.out, call);
}

Result<std::vector<SortSlot>> Planner::window_keys(const Lowering& lowering, Windowing& windowing, std::span<const SortKey> keys) {
  std::vector<SortSlot> out;
  for (const SortKey& key : keys) {
    WANDIAN_ASSIGN(const Slot slot, window_input(lowering, windowing, key.expr, kNoSlot));
    out.push_back({slot, order_of(slot), key.descending, key.nulls_first});
  }
  return out;
}

// The order in which PostgreSQL evaluates windows, and so the order of the rows where no ORDER BY says another: those whose keys were named
// last in the statement come first, and among windows that begin alike the longer ones, so that the shorter need no sort of their own.
std::vector<std::size_t> Planner::window_order(const Query& query, const Windowing& windowing) const {
  std::vector<const Expr*> named;
  const auto number = [&](const Expr* expr) {
    std::size_t i = 0;
    while (i < named.size() && !equal(named[i], expr)) ++i;
    if (i == named.size()) named.push_back(expr);
    return i;
  };
  for (const OrderItem& item : query.order_by) number(query.targets[item.target].expr);
  for (const std::uint16_t target : query.group_by) number(query.targets[target].expr);
  for (const std::uint16_t target : query.distinct_on) number(query.targets[target].expr);
  if (query.distinct && query.distinct_on.empty())
    for (const TargetEntry& target : query.targets)
      if (!target.junk) number(target.expr);
  struct Key {
    std::size_t number;
    bool descending, nulls_first;
  };
  std::vector<std::vector<Key>> keys;
  for (const WindowDefinition& window : query.windows) {
    for (const SortKey& key : window.order_by) number(key.expr);
    for (const SortKey& key : window.partition_by) number(key.expr);
    std::vector<Key>& list = keys.emplace_back();
    for (const std::span<const SortKey> part : {window.partition_by, window.order_by})
      for (const SortKey& key : part) {
        const Key made{number(key.expr), key.descending, key.nulls_first};
        const bool known = std::any_of(list.begin(), list.end(), [&](const Key& k) { return k.number == made.number; });
        if (!known) list.push_back(made);
      }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < windowing.by_window.size(); ++i)
    if (!windowing.by_window[i].empty()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < keys[a].size() && i < keys[b].size(); ++i) {
      const Key& x = keys[a][i];
      const Key& y = keys[b][i];
      if (x.number != y.number) return x.number > y.number;
      if (x.descending != y.descending) return y.descending;
      if (x.nulls_first != y.nulls_first) return x.nulls_first;
    }
    return keys[a].size() > keys[b].size();
  });
  return order;
}

Status Planner::lower_windows(PlanScope& scope, const Lowering& lowering) {
  const Query& query = *scope.query;
  Windowing& windowing = *lowering.windowing;
  Lowering input = lowering;
  input.windowing = nullptr;
  input.subselects = &windowing.subselects;
  for (const std::size_t index : window_order(query, windowing)) {
    const WindowDefinition& window = query.windows[index];
    auto plan = std::make_unique<WindowNode>();
    plan->frame = window.frame;
    plan->calls = std::move(windowing.by_window[index]);
    WANDIAN_ASSIGN(plan->partition, window_keys(input, windowing, window.partition_by));
    WANDIAN_ASSIGN(plan->order, window_keys(input, windowing, window.order_by));
    Lowering plain{&scope, &windowing.of_frames, nullptr, nullptr, nullptr};
    plain.at_start = true;
    if (window.frame.start_offset != nullptr) {
      WANDIAN_ASSIGN(plan->start_offset, lower_and_compile(plain, window.frame.start_offset));
    }
    if (window.frame.end_offset != nullptr) {
      WANDIAN_ASSIGN(plan->end_offset, lower_and_compile(plain, window.frame.end_offset));
    }
    windowing.nodes.push_back(std::move(plan));
  }
  return {};
}

Result<NodePtr> Planner::stack_windows(NodePtr node, Windowing& windowing, std::vector<SortSlot>* sorted) {
  // Sets among the keys are rows before they are in windows.
  std::vector<const Expr*> inputs;
  for (const auto& [expr, slot] : windowing.items) inputs.push_back(expr);
  const auto holds_set = [](const Expr* expr) { return contains_set_function(expr); };
  if (std::any_of(inputs.begin(), inputs.end(), holds_set)) {
    node = apply(std::move(node), std::move(windowing.subselects));
    windowing.subselects.clear();
    while (std::any_of(inputs.begin(), inputs.end(), holds_set)) {
      WANDIAN_ASSIGN(node, project_sets(std::move(node), inputs));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) windowing.items[i].first = inputs[i];
  }
  WANDIAN_ASSIGN(node, project(std::move(node), std::move(windowing.items), std::move(windowing.subselects)));
  for (std::unique_ptr<WindowNode>& plan : windowing.nodes) {
    std::vector<SortSlot> keys;
    for (const std::vector<SortSlot>* part : {&plan->partition, &plan->order})
      for (const SortSlot& key : *part) {
        if (std::any_of(keys.begin(), keys.end(), [&](const SortSlot& k) { return k.slot == key.slot; })) continue;
        keys.push_back(key);
      }
    if (!starts_with(*sorted, keys)) {
      node = sort(std::move(node), keys);
      *sorted = std::move(keys);
    }
    plan->rows = node->rows;
    plan->startup_cost = node->startup_cost;
    plan->cost = node->cost + node->rows * kWindowRowCost * static_cast<double>(plan->calls.size());
    plan->children.push_back(std::move(node));
    node = std::move(plan);
  }
  return after_subselects(std::move(node), std::move(windowing.of_frames));
}

bool starts_with(std::span<const SortSlot> sorted, std::span<const SortSlot> keys) {
  return keys.size() <= sorted.size() && std::equal(keys.begin(), keys.end(), sorted.begin(), same_key);
}

}  // namespace wandian::sql
