// In which order inner joins are made: the best order by dynamic programming (Selinger et al., "Access path selection in a relational
// database management system", SIGMOD 1979), over orders in which each join adds one input; a greedy one where there are many inputs.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "sql/plan/planner.h"

namespace wandian::sql {

// What the search asks again and again, with sets of inputs as bits.
struct Planner::OrderSearch {
  using Set = std::uint64_t;
  static constexpr std::size_t kMostExact = 10, kMost = 64;

  struct Condition {
    Conjunct* conjunct;
    Set inputs;
  };
  Planner& planner;
  JoinProblem& problem;
  std::vector<Slot> all;
  std::vector<std::vector<Slot>> slots;
  std::vector<Set> needs;
  std::vector<Condition> conditions;
  std::vector<Set> neighbours;
  std::vector<double> rows, costs;
  std::unordered_map<Set, RightSide> sides[kMost];   ///< by input, then by those before it that its conditions name

  OrderSearch(Planner& of, JoinProblem& what) : planner(of), problem(what), all(what.slots()) {
    const std::size_t count = problem.relations.size();
    const auto inputs_of = [&](std::span<const Slot> of_slots) {
      Set out = 0;
      for (std::size_t i = 0; i < count; ++i)
        for (const Slot slot : of_slots)
          if (contains(slots[i], slot)) out |= Set{1} << i;
      return out;
    };
    for (const Relation& relation : problem.relations) slots.push_back(relation.slots());
    neighbours.resize(count);
    rows.resize(count);
    costs.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      needs.push_back(inputs_of(problem.relations[i].needs) & ~(Set{1} << i));
      planner.estimate(problem.relations[i], &rows[i], &costs[i]);
    }
    for (Conjunct* conjunct : problem.conjuncts) {
      if (conjunct->used || !conjunct->subselects.empty() || conjunct->is_volatile) continue;
      const Set inputs = inputs_of(conjunct->slots);
      conditions.push_back({conjunct, inputs});
      for (std::size_t i = 0; i < count; ++i)
        if ((inputs >> i & 1) != 0) neighbours[i] |= inputs & ~(Set{1} << i);
    }
  }
  bool ready(std::size_t input, Set have) const { return (needs[input] & ~have) == 0; }
  bool connected(std::size_t input, Set have) const { return (neighbours[input] & have) != 0 || needs[input] != 0; }
  /// Conditions that can be looked at when `next` joins those that are there, and not before.
  std::vector<Conjunct*> between(Set have, std::size_t next) const {
    std::vector<Conjunct*> out;
    const Set bit = Set{1} << next;
    for (const Condition& condition : conditions)
      if ((condition.inputs & bit) != 0 && (condition.inputs & have) != 0 && (condition.inputs & ~(have | bit)) == 0)
        out.push_back(condition.conjunct);
    return out;
  }
  std::vector<Slot> slots_of(Set set) const {
    std::vector<Slot> out;
    for (std::size_t i = 0; i < slots.size(); ++i)
      if ((set >> i & 1) != 0) out.insert(out.end(), slots[i].begin(), slots[i].end());
    return out;
  }
  JoinEstimate extend(double left_rows, double left_cost, Set have, const std::vector<Slot>& have_slots, std::size_t next) {
    const std::vector<Conjunct*> on = between(have, next);
    Set named = 0;
    for (const Condition& condition : conditions)
      if (std::find(on.begin(), on.end(), condition.conjunct) != on.end()) named |= condition.inputs;
    const auto [at, added] = sides[next].try_emplace(named);
    if (added) at->second = planner.right_side(problem.relations[next], JoinKind::kInner, have_slots, on);
    return planner.estimate_join(left_rows, left_cost, have_slots, problem.relations[next], at->second, JoinKind::kInner, on);
  }
};

std::vector<std::size_t> Planner::join_order(JoinProblem& problem) {
  const std::size_t count = problem.relations.size();
  std::vector<std::size_t> order;
  if (count <= OrderSearch::kMost) {
    OrderSearch search(*this, problem);
    order = count <= OrderSearch::kMostExact ? best_order(problem, search) : greedy_order(problem, search);
  }
  if (order.empty())
    for (std::size_t i = 0; i < count; ++i) order.push_back(i);
  return order;
}

// By the number of inputs: the cheapest order of each set of them. Products come only where nothing connects the rest.
std::vector<std::size_t> Planner::best_order(JoinProblem& problem, OrderSearch& search) {
  using Set = OrderSearch::Set;
  const std::size_t count = problem.relations.size();
  struct Entry {
    double rows = 0, cost = std::numeric_limits<double>::infinity();
    std::size_t last = 0;
  };
  std::vector<Entry> entries(std::size_t{1} << count);
  for (std::size_t i = 0; i < count; ++i)
    if (search.ready(i, 0)) entries[Set{1} << i] = {search.rows[i], search.costs[i], i};
  const Set whole = (Set{1} << count) - 1;
  for (Set have = 1; have < whole; ++have) {
    const Entry from = entries[have];
    if (from.cost == std::numeric_limits<double>::infinity()) continue;
    bool any_connected = false;
    for (std::size_t next = 0; next < count; ++next)
      any_connected = any_connected || ((have >> next & 1) == 0 && search.ready(next, have) && search.connected(next, have));
    const std::vector<Slot> have_slots = search.slots_of(have);
    for (std::size_t next = 0; next < count; ++next) {
      if ((have >> next & 1) != 0 || !search.ready(next, have) || (any_connected && !search.connected(next, have))) continue;
      const JoinEstimate made = search.extend(from.rows, from.cost, have, have_slots, next);
      Entry& to = entries[have | Set{1} << next];
      if (made.cost < to.cost) to = {made.rows, made.cost, next};
    }
  }
  std::vector<std::size_t> order;
  for (Set have = whole; have != 0; have &= ~(Set{1} << order.back())) {
    if (entries[have].cost == std::numeric_limits<double>::infinity()) return {};
    order.push_back(entries[have].last);
  }
  std::reverse(order.begin(), order.end());
  return order;
}

// From the smallest input on, always the join that is cheapest next.
std::vector<std::size_t> Planner::greedy_order(JoinProblem& problem, OrderSearch& search) {
  using Set = OrderSearch::Set;
  const std::size_t count = problem.relations.size();
  std::size_t first = count;
  for (std::size_t i = 0; i < count; ++i)
    if (search.ready(i, 0) && (first == count || search.rows[i] < search.rows[first])) first = i;
  if (first == count) return {};
  std::vector<std::size_t> order{first};
  Set have = Set{1} << first;
  double rows = search.rows[first], cost = search.costs[first];
  while (order.size() < count) {
    const std::vector<Slot> have_slots = search.slots_of(have);
    std::size_t pick = count;
    JoinEstimate picked;
    bool picked_connected = false;
    for (std::size_t next = 0; next < count; ++next) {
      if ((have >> next & 1) != 0 || !search.ready(next, have)) continue;
      const bool connected = search.connected(next, have);
      if (picked_connected && !connected) continue;
      const JoinEstimate estimate = search.extend(rows, cost, have, have_slots, next);
      if (pick == count || (connected && !picked_connected) || estimate.cost + estimate.rows * 0.01 < picked.cost + picked.rows * 0.01) {
        pick = next;
        picked = estimate;
        picked_connected = connected;
      }
    }
    if (pick == count) return {};
    order.push_back(pick);
    have |= Set{1} << pick;
    rows = picked.rows;
    cost = picked.cost;
  }
  return order;
}

// Whether no row of the left side can have two partners: its conditions give a whole unique key.
bool Planner::is_unique_by(const Relation& relation, const std::vector<Conjunct*>& on) const {
  if (relation.base == nullptr) return false;
  const TableDef& table = *relation.base->table;
  std::vector<std::uint16_t> given;
  std::vector<Conjunct*> conditions = on;
  conditions.insert(conditions.end(), relation.conjuncts.begin(), relation.conjuncts.end());
  for (const Conjunct* conjunct : conditions) {
    if (conjunct->expr->kind != ExprKind::kFunction || conjunct->is_volatile || !conjunct->subselects.empty()) continue;
    const auto& call = conjunct->expr->as<FunctionExpr>();
    if (call.op == nullptr || call.op->btree_strategy != 3 || call.args.size() != 2) continue;
    for (int side = 0; side < 2; ++side) {
      const Expr* own = call.args[static_cast<std::size_t>(side)];
      const Expr* other = call.args[static_cast<std::size_t>(1 - side)];
      if (own->kind != ExprKind::kSlot) continue;
      std::vector<Slot> read;
      collect_slots(other, read);
      bool outside = true;
      for (const Slot slot : relation.base->table_slots()) outside = outside && !contains(read, slot);
      // A place has one row.
      for (const auto& [column, slot] : relation.base->system)
        if (outside && column == -kCtidColumn && slot == own->as<SlotExpr>().slot && relation.base->tree == nullptr) return true;
      for (const auto& [column, slot] : relation.base->used)
        if (outside && slot == own->as<SlotExpr>().slot && same_key_form(table.columns[column].type, other->type)) given.push_back(column);
    }
  }
  const auto has = [&](std::uint16_t column) { return std::find(given.begin(), given.end(), column) != given.end(); };
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    if (i == 0) {
      const std::vector<std::uint16_t>& columns = table.codec_columns[0];
      if (!table.hidden_row_number && std::all_of(columns.begin(), columns.end(), has)) return true;
      continue;
    }
    const IndexDef& index = table.indexes[i];
    if (!index.unique || !index.enforced() || table.is_computed(static_cast<unsigned>(i))) continue;
    bool whole = true;
    for (std::size_t part = 0; part < index.key_parts; ++part) whole = whole && has(index.parts[part].column);
    if (whole) return true;
  }
  return false;
}

// x IN (unique keys) is an inner join, which may come in any order: few keys find their rows by an index.
void Planner::join_unique_semis(JoinProblem& problem) {
  for (std::size_t i = 0; i < problem.semis.size();) {
    SemiJoin& semi = problem.semis[i];
    bool simple = semi.kind == JoinKind::kSemi && semi.relation.needs.empty() && !problem.relations.empty();
    for (const Conjunct* conjunct : semi.on) simple = simple && conjunct->subselects.empty() && !conjunct->is_volatile;
    for (const Conjunct* conjunct : semi.relation.conjuncts) simple = simple && conjunct->subselects.empty() && !conjunct->is_volatile;
    if (!simple || !is_unique_by(semi.relation, semi.on)) {
      ++i;
      continue;
    }
    problem.conjuncts.insert(problem.conjuncts.end(), semi.on.begin(), semi.on.end());
    problem.conjuncts.insert(problem.conjuncts.end(), semi.relation.conjuncts.begin(), semi.relation.conjuncts.end());
    semi.relation.conjuncts.clear();
    problem.relations.push_back(std::move(semi.relation));
    problem.semis.erase(problem.semis.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace wandian::sql
