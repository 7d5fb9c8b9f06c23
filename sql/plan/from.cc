// FROM and WHERE: which conditions belong to which inputs, and in which order and how the inputs are joined.
#include <algorithm>
#include <cmath>
#include <limits>

#include "sql/expr/strictness.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

constexpr double kHashBuildCost = 0.02, kHashProbeCost = 0.0125, kPairCost = 0.004, kMaterialCost = 0.005;

void append_new(std::vector<Slot>& to, std::span<const Slot> from) {
  for (const Slot slot : from)
    if (!contains(to, slot)) to.push_back(slot);
}
bool touches(std::span<const Slot> slots, std::span<const Slot> of) {
  for (const Slot slot : slots)
    if (contains(of, slot)) return true;
  return false;
}

// Whether the condition cannot be true for a row in which all of `slots` are null.
bool rejects_nulls(const Expr* expr, std::span<const Slot> slots) {
  return not_true_then(expr, [slots](const Expr* part) { return part->kind == ExprKind::kSlot && contains(slots, part->as<SlotExpr>().slot); });
}

bool simple_from(const Query& query) {
  return query.command == Command::kSelect && !query.grouped && !query.has_aggregates && query.limit == nullptr &&
         query.offset == nullptr && query.set_operation == nullptr && !query.has_target_sets && !query.has_windows && query.distinct_on.empty() &&
         query.ctes.empty() && query.row_marks.empty() && !query.from.empty();
}

bool holds_range(const JoinNode& node, std::uint16_t range) {
  return node.is_join ? holds_range(*node.left, range) || holds_range(*node.right, range) : node.range == range;
}

// Rows that may not be there cannot be locked.
Status refuse_locks(const PlanScope& scope, std::span<const JoinNode* const> nullable) {
  const std::span<const RowMark> marks = scope.query->row_marks;
  if (!marks.empty() && !check_lockable(*scope.query, marks[0].strength).ok()) return {};   // that is told first
  for (const RowMark& mark : marks) {
    const auto holds = [&](const JoinNode* node) { return holds_range(*node, mark.range); };
    if (std::none_of(nullable.begin(), nullable.end(), holds)) continue;
    return Status(sqlstate::feature_not_supported,
                  std::string(lock_name(mark.strength)) + " cannot be applied to the nullable side of an outer join");
  }
  return {};
}

}  // namespace

std::vector<Slot> Relation::slots() const {
  std::vector<Slot> out;
  for (const RangeInfo* member : members) {
    append_new(out, member->outputs);
    append_new(out, member->table_slots());
    if (member->table_slot != kNoSlot && !contains(out, member->table_slot)) out.push_back(member->table_slot);
  }
  return out;
}

std::vector<Slot> Planner::JoinProblem::slots() const {
  std::vector<Slot> out;
  for (const Relation& relation : relations) append_new(out, relation.slots());
  return out;
}

// A sub-query that only joins and filters need not stand on its own. On the nullable side of an outer join its columns must be
// plain ones, since an expression would have to become null there.
bool Planner::can_pull_up(const PlanScope& scope, std::size_t range) const {
  const RangeEntry& entry = *scope.ranges[range].entry;
  const Query& query = *entry.query;
  if (!simple_from(query) || query.distinct || entry.lateral || !query.order_by.empty()) return false;
  if (entry.table != nullptr) return false;   // INSTEAD OF triggers get its rows as they are
  if (scope.query->set_operation != nullptr) return false;
  const bool nullable = is_nullable(*scope.query, static_cast<std::uint16_t>(range));
  for (const TargetEntry& target : query.targets) {
    if (contains_sublink(target.expr) || contains_volatile(target.expr)) return false;
    if (nullable && (target.expr->kind != ExprKind::kColumn || target.expr->as<ColumnExpr>().levels_up != 0)) return false;
  }
  for (const RowMark& mark : scope.query->row_marks)
    if (mark.range == range) return false;
  return true;
}

Conjunct* Planner::make_conjunct(const Expr* lowered, Subselects subselects) {
  Conjunct& made = conjuncts_.emplace_back();
  made.expr = lowered;
  (only_ask(subselects) ? made.asks : made.subselects) = std::move(subselects);
  // Neither may stand inside of scans and joins.
  made.is_volatile = contains_volatile(lowered) || contains_routine(lowered);
  collect_slots(lowered, made.slots);
  return &made;
}

Status Planner::add_conjuncts(PlanScope& scope, const Expr* condition, JoinProblem* semis, std::vector<Conjunct*>& out) {
  for (const Expr* part : split_conjuncts(condition)) {
    if (semis != nullptr) {
      bool done = false;
      WANDIAN_TRY(try_semi_join(scope, part, *semis, &done));
      if (done) continue;
    }
    Subselects subselects;
    Lowering lowering{&scope, &subselects, nullptr, nullptr, nullptr};
    lowering.rechecked = scope.query->command != Command::kSelect;
    WANDIAN_ASSIGN(const Expr* lowered, lower(lowering, as_array_comparison(scope, part)));
    WANDIAN_ASSIGN(lowered, compute_operand_once(lowered));
    for (const Expr* piece : split_conjuncts(lowered)) {
      out.push_back(make_conjunct(piece, std::move(subselects)));
      subselects.clear();
    }
  }
  return {};
}

// column IN (SELECT ... LIMIT n): the few values are computed first, as an array, so that an index or a place finds their rows. Queues
// of jobs are worked off so: UPDATE ... WHERE id IN (SELECT id ... LIMIT 10 FOR UPDATE SKIP LOCKED).
const Expr* Planner::as_array_comparison(const PlanScope& scope, const Expr* condition) {
  if (condition->kind != ExprKind::kSubLink) return condition;
  const auto& link = condition->as<SubLinkExpr>();
  if (link.link != SubLinkKind::kAny || !link.simple_in || link.query->limit == nullptr || link.query->correlated) return condition;
  if (link.test->kind != ExprKind::kFunction || link.query->result_columns().size() != 1) return condition;
  const auto& test = link.test->as<FunctionExpr>();
  if (test.op == nullptr || test.op->btree_strategy != 3 || test.args.size() != 2) return condition;
  const Expr* left = test.args[0];
  const Expr* right = test.args[1];
  if (left->kind != ExprKind::kColumn || left->as<ColumnExpr>().levels_up != 0 || right->kind != ExprKind::kSubColumn) return condition;
  const auto& column = left->as<ColumnExpr>();
  const TableDef* table = scope.ranges[column.range].table.get();
  const TypeInfo* element = find_type(right->type);
  if (table == nullptr || element == nullptr || element->array == 0 || element->element != 0) return condition;
  bool keyed = column.column == kCtidColumn;
  for (const std::vector<std::uint16_t>& columns : table->codec_columns) keyed = keyed || (!columns.empty() && columns[0] == column.column);
  if (!keyed) return condition;
  auto* values = make_node<SubLinkExpr>(arena_, link);
  values->link = SubLinkKind::kArray;
  values->test = nullptr;
  values->simple_in = false;
  values->type = element->array;
  auto* out = make_node<ArrayCompareExpr>(arena_);
  const Oid types[] = {left->type, right->type, type_oid::kBool};
  out->op = test.op;
  out->function = test.function;
  out->types = copy_list<Oid>(arena_, types);
  out->left = left;
  out->array = values;
  out->type = type_oid::kBool;
  out->location = condition->location;
  return out;
}

// column = f(1): what a routine that is not volatile makes of constants is computed once, before the first row, so that it can be a
// key. PostgreSQL computes it when the index scan starts.
Result<const Expr*> Planner::compute_operand_once(const Expr* lowered) {
  if (lowered->kind != ExprKind::kFunction || !contains_routine(lowered)) return lowered;
  const auto& comparison = lowered->as<FunctionExpr>();
  if (comparison.op == nullptr || comparison.op->btree_strategy == 0 || comparison.args.size() != 2) return lowered;
  Status status;
  const Expr* out = mutate_children(arena_, lowered, [&](const Expr* side) -> const Expr* {
    if (!contains_routine(side) || contains_volatile(side) || !status.ok()) return side;
    const bool varies = any_node(side, [](const Expr* node) { return node->kind == ExprKind::kSlot || node->returns_set; });
    if (varies) return side;
    Result<const Expr*> once = compute_once(side);
    if (once.ok()) return once.value();
    status = once.take_status();
    return side;
  });
  if (!status.ok()) return status;
  return out;
}

Status Planner::try_semi_join(PlanScope& scope, const Expr* conjunct, JoinProblem& problem, bool* done) {
  JoinKind kind = JoinKind::kSemi;
  const Expr* inner = conjunct;
  if (inner->kind == ExprKind::kBool && inner->as<BoolExpr>().op == BoolOp::kNot) {
    kind = JoinKind::kAnti;
    inner = inner->as<BoolExpr>().args[0];
  }
  if (inner->kind != ExprKind::kSubLink) return {};
  const auto& link = inner->as<SubLinkExpr>();
  const bool in = link.link == SubLinkKind::kAny && link.simple_in && kind == JoinKind::kSemi;
  if (link.link != SubLinkKind::kExists && !in) return {};
  const Query& query = *link.query;
  if (!simple_from(query)) return {};
  for (const RangeEntry* range : query.ranges) {
    if (range->lateral) return {};
    switch (range->kind) {
      case RangeKind::kTable:
      case RangeKind::kTransition:
      case RangeKind::kSystem: break;
      case RangeKind::kSubquery:
        if (range->query->correlated) return {};
        break;
      case RangeKind::kCte:
        if (range->self_reference) return {};
        break;
      default: return {};
    }
  }
  std::vector<const JoinNode*> nodes(query.from.begin(), query.from.end());
  while (!nodes.empty()) {
    const JoinNode* node = nodes.back();
    nodes.pop_back();
    if (!node->is_join) continue;
    if (node->on != nullptr && (!collect_columns(node->on, 1).empty() || contains_sublink(node->on))) return {};
    nodes.push_back(node->left);
    nodes.push_back(node->right);
  }
  for (const Expr* part : split_conjuncts(query.where)) {
    if (contains_volatile(part) || contains_routine(part)) return {};
    if (contains_sublink(part) && !collect_columns(part, 1).empty()) return {};
    // Columns from further out are fine: they stand in their slots.
  }
  if (in) {
    if (contains_sublink(link.test) || contains_volatile(link.test) || contains_routine(link.test)) return {};
    for (const TargetEntry& target : query.targets)
      if (contains_sublink(target.expr) || contains_volatile(target.expr) || contains_routine(target.expr)) return {};
  }
  PlanScope& child = open_scope(query, &scope);
  WANDIAN_TRY(plan_ranges(child));
  JoinProblem sub;
  SemiJoin semi;
  semi.kind = kind;
  for (const JoinNode* node : query.from) WANDIAN_TRY(collect(child, *node, sub));
  for (const Expr* part : split_conjuncts(query.where)) {
    const bool correlated = !collect_columns(part, 1).empty();
    WANDIAN_TRY(add_conjuncts(child, part, correlated ? nullptr : &sub, correlated ? semi.on : sub.conjuncts));
  }
  if (in) {
    std::vector<const Expr*> exprs;
    for (const TargetEntry& target : query.targets) {
      WANDIAN_ASSIGN(const Expr* lowered, lower({&child, nullptr, nullptr, nullptr, nullptr}, target.expr));
      exprs.push_back(lowered);
    }
    WANDIAN_ASSIGN(const Expr* test, lower({&scope, nullptr, nullptr, nullptr, &exprs}, link.test));
    for (const Expr* part : split_conjuncts(test)) semi.on.push_back(make_conjunct(part, {}));
  }
  WANDIAN_TRY(collect_outer(sub));
  WANDIAN_ASSIGN(semi.relation, as_relation(sub));
  problem.semis.push_back(std::move(semi));
  *done = true;
  return {};
}

Result<Relation> Planner::leaf(PlanScope& scope, std::uint16_t range_index) {
  RangeInfo& range = scope.ranges[range_index];
  const RangeEntry& entry = *range.entry;
  Relation relation;
  relation.members.push_back(&range);
  const auto need = [&](const Expr* expr, int level) {
    for (const ColumnUse& use : collect_columns(expr, level)) {
      const Expr* lowered = nullptr;
      ColumnExpr column;
      column.range = use.range;
      column.column = use.column;
      column.type = use.column < 0 ? system_column_type(use.column) : scope.ranges[use.range].entry->columns[static_cast<std::size_t>(use.column)].type;
      Result<const Expr*> made = lower({&scope, nullptr, nullptr, nullptr, nullptr}, make_node<ColumnExpr>(arena_, column));
      if (made.ok()) lowered = made.value();
      if (lowered != nullptr) collect_slots(lowered, relation.needs);
    }
  };
  if (entry.kind == RangeKind::kTable) {
    DB_ASSERT(range.table != nullptr);
    relation.base = &range;
    return relation;
  }
  if (entry.lateral) {
    if (entry.query != nullptr)
      any_query_expr(*entry.query, true, [&](const Expr* expr, int level) {
        if (expr->kind == ExprKind::kColumn && expr->as<ColumnExpr>().levels_up == level + 1) need(expr, level + 1);
        return false;
      });
    for (const RangeFunction& function : entry.functions) need(function.call, 0);
    for (const ExprList& row : entry.values)
      for (const Expr* expr : row) need(expr, 0);
  }
  if (range.plan != nullptr) relation.plan = std::move(range.plan);
  else {
    WANDIAN_ASSIGN(relation.plan, plan_simple_range(scope, range_index));
  }
  return relation;
}

Status Planner::collect(PlanScope& scope, const JoinNode& node, JoinProblem& problem) {
  if (!node.is_join) {
    if (PlanScope* pulled = scope.ranges[node.range].pulled; pulled != nullptr) return collect_query(*pulled, problem);
    WANDIAN_ASSIGN(Relation relation, leaf(scope, node.range));
    problem.relations.push_back(std::move(relation));
    return {};
  }
  if (node.type != JoinType::kInner) {
    problem.outer.emplace_back(&scope, &node);
    return {};
  }
  if (node.on != nullptr) WANDIAN_TRY(add_conjuncts(scope, node.on, &problem, problem.conjuncts));
  WANDIAN_TRY(collect(scope, *node.left, problem));
  return collect(scope, *node.right, problem);
}

Status Planner::collect_query(PlanScope& scope, JoinProblem& problem) {
  if (scope.query->where != nullptr) WANDIAN_TRY(add_conjuncts(scope, scope.query->where, &problem, problem.conjuncts));
  for (const JoinNode* node : scope.query->from) WANDIAN_TRY(collect(scope, *node, problem));
  return {};
}

Status Planner::collect_outer(JoinProblem& problem) {
  // An outer join that turns out to be an inner one adds inputs, conditions and perhaps outer joins of its own.
  for (std::size_t i = 0; i < problem.outer.size(); ++i) {
    const auto [scope, node] = problem.outer[i];
    WANDIAN_TRY(outer_join(*scope, *node, problem));
  }
  problem.outer.clear();
  return {};
}

Status Planner::outer_join(PlanScope& scope, const JoinNode& node, JoinProblem& problem) {
  JoinProblem left, right;
  const bool swapped = node.type == JoinType::kRight;
  WANDIAN_TRY(collect(scope, swapped ? *node.right : *node.left, left));
  WANDIAN_TRY(collect(scope, swapped ? *node.left : *node.right, right));
  const bool full = node.type == JoinType::kFull;
  std::vector<Conjunct*> on;
  if (node.on != nullptr) WANDIAN_TRY(add_conjuncts(scope, node.on, nullptr, on));
  const auto slots_of = [](const JoinProblem& p) {
    std::vector<Slot> out = p.slots();
    // Outer joins inside are not planned yet; what their inputs give counts, too.
    return out;
  };
  WANDIAN_TRY(collect_outer(left));
  WANDIAN_TRY(collect_outer(right));
  const std::vector<Slot> left_slots = slots_of(left), right_slots = slots_of(right);
  // Whether rows pass only where this side is there: its conditions, and semi joins on it, reject nulls.
  const auto demanded = [&](std::span<const Slot> slots) {
    const auto rejected = [&](const Conjunct* conjunct) { return conjunct->subselects.empty() && rejects_nulls(conjunct->expr, slots); };
    return std::any_of(problem.conjuncts.begin(), problem.conjuncts.end(), rejected) ||
           std::any_of(problem.semis.begin(), problem.semis.end(),
                       [&](const SemiJoin& semi) { return semi.kind == JoinKind::kSemi && std::any_of(semi.on.begin(), semi.on.end(), rejected); });
  };
  if (full && !scope.query->row_marks.empty()) {
    std::vector<const JoinNode*> nullable;
    if (!demanded(left_slots)) nullable.push_back(node.left);
    if (!demanded(right_slots)) nullable.push_back(node.right);
    WANDIAN_TRY(refuse_locks(scope, nullable));
  }
  if (!full) {
    if (demanded(right_slots)) {
      for (JoinProblem* part : {&left, &right}) {
        for (Relation& relation : part->relations) problem.relations.push_back(std::move(relation));
        for (Conjunct* conjunct : part->conjuncts) problem.conjuncts.push_back(conjunct);
        for (SemiJoin& semi : part->semis) problem.semis.push_back(std::move(semi));
      }
      for (Conjunct* conjunct : on) problem.conjuncts.push_back(conjunct);
      return {};
    }
    const JoinNode* nullable[] = {swapped ? node.left : node.right};
    WANDIAN_TRY(refuse_locks(scope, nullable));
    // Conditions of the whole on the preserved side hold below the join; join conditions on the other side alone do, too.
    std::erase_if(problem.conjuncts, [&](Conjunct* conjunct) {
      if (!conjunct->subselects.empty() || conjunct->is_volatile || !touches(conjunct->slots, left_slots)) return false;
      const std::vector<Slot> all = problem.slots();
      for (const Slot slot : conjunct->slots)
        if (!contains(left_slots, slot) && (contains(right_slots, slot) || contains(all, slot))) return false;
      // A slot of an outer join that is not planned yet is not known to `all`: only what is the left side's or from outside may stay.
      for (const auto& [other_scope, other] : problem.outer) {
        if (other == &node) continue;
        for (const Slot slot : conjunct->slots)
          if (!contains(left_slots, slot)) return false;
      }
      left.conjuncts.push_back(conjunct);
      return true;
    });
    std::erase_if(on, [&](Conjunct* conjunct) {
      if (!conjunct->subselects.empty() || conjunct->is_volatile || touches(conjunct->slots, left_slots)) return false;
      right.conjuncts.push_back(conjunct);
      return true;
    });
  }
  const std::vector<Slot> known = left_slots;
  bool ordered = false;
  std::vector<RangeInfo*> members;
  std::vector<Slot> needs;
  for (const JoinProblem* part : {&left, &right})
    for (const Relation& relation : part->relations) {
      members.insert(members.end(), relation.members.begin(), relation.members.end());
      append_new(needs, relation.needs);
    }
  WANDIAN_ASSIGN(NodePtr left_node, solve(left, {}, 0, &ordered));
  WANDIAN_ASSIGN(Relation right_relation, as_relation(right));
  WANDIAN_ASSIGN(NodePtr joined, join(std::move(left_node), known, right_relation, full ? JoinKind::kFull : JoinKind::kLeft, on));
  Relation relation;
  relation.plan = std::move(joined);
  relation.members = std::move(members);
  const std::vector<Slot> own = relation.slots();
  for (const Slot slot : needs)
    if (!contains(own, slot)) relation.needs.push_back(slot);
  problem.relations.push_back(std::move(relation));
  return {};
}

// A problem as one input: a table alone keeps its choice of how to be read.
Result<Relation> Planner::as_relation(JoinProblem& problem) {
  derive_equalities(problem);
  if (problem.relations.size() == 1 && problem.relations[0].base != nullptr && problem.semis.empty()) {
    bool simple = true;
    for (const Conjunct* conjunct : problem.conjuncts) simple = simple && conjunct->subselects.empty() && !conjunct->is_volatile;
    if (simple) {
      Relation relation = std::move(problem.relations[0]);
      for (Conjunct* conjunct : problem.conjuncts) relation.conjuncts.push_back(conjunct);
      return relation;
    }
  }
  Relation relation;
  for (const Relation& part : problem.relations) {
    relation.members.insert(relation.members.end(), part.members.begin(), part.members.end());
    append_new(relation.needs, part.needs);
  }
  const std::vector<Slot> own = relation.slots();
  std::erase_if(relation.needs, [&](Slot slot) { return contains(own, slot); });
  bool ordered = false;
  WANDIAN_ASSIGN(relation.plan, solve(problem, {}, 0, &ordered));
  return relation;
}

// a = b and b = constant give a = constant: keys and partitions of one table become known through another.
void Planner::derive_equalities(JoinProblem& problem) {
  const std::vector<Slot> own = problem.slots();
  struct Pair {
    const Expr* a;
    const Expr* b;
  };
  std::vector<Pair> pairs;
  std::vector<Pair> constants;   // a: slot, b: what is no column of this problem
  const auto read = [&](const Conjunct* conjunct) {
    if (conjunct->expr->kind != ExprKind::kFunction || !conjunct->subselects.empty() || conjunct->is_volatile) return;
    const auto& call = conjunct->expr->as<FunctionExpr>();
    if (call.op == nullptr || call.op->btree_strategy != 3 || call.args.size() != 2 || !is_deterministic_collation(call.collation)) return;
    const Expr* a = call.args[0];
    const Expr* b = call.args[1];
    const auto is_own = [&](const Expr* e) { return e->kind == ExprKind::kSlot && contains(own, e->as<SlotExpr>().slot); };
    const auto is_outside = [&](const Expr* e) {
      std::vector<Slot> slots;
      collect_slots(e, slots);
      return !touches(slots, own) && is_pure(e);
    };
    if (is_own(a) && is_own(b)) pairs.push_back({a, b});
    else if (is_own(a) && is_outside(b)) constants.push_back({a, b});
    else if (is_own(b) && is_outside(a)) constants.push_back({b, a});
  };
  for (const Conjunct* conjunct : problem.conjuncts) read(conjunct);
  if (pairs.empty() || constants.empty()) return;
  for (std::size_t i = 0; i < constants.size() && constants.size() < 64; ++i) {
    for (const Pair& pair : pairs) {
      for (const auto& [known, other] : {std::pair(pair.a, pair.b), std::pair(pair.b, pair.a)}) {
        if (known->as<SlotExpr>().slot != constants[i].a->as<SlotExpr>().slot) continue;
        bool there = false;
        for (const Pair& c : constants) there = there || c.a->as<SlotExpr>().slot == other->as<SlotExpr>().slot;
        if (there || other->type != known->type) continue;
        const FunctionExpr* made = make_comparison(arena_, 3, other, constants[i].b);
        if (made == nullptr) continue;
        Conjunct* conjunct = make_conjunct(made, {});
        conjunct->derived = true;
        problem.conjuncts.push_back(conjunct);
        constants.push_back({other, constants[i].b});
      }
    }
  }
}

void Planner::estimate(const Relation& relation, double* rows, double* cost) {
  if (relation.base != nullptr) {
    const Path path = best_path(*relation.base, relation.conjuncts, {}, {}, 0);
    *rows = path.rows;
    *cost = path.cost;
    return;
  }
  *rows = relation.plan->rows;
  *cost = relation.plan->cost;
  *rows = std::max(1.0, *rows * selectivity(relation.conjuncts));
}

// Sub-selects are computed for the rows that the other conditions, and those before theirs, let pass.
Result<NodePtr> Planner::filter_all(NodePtr node, std::span<Conjunct* const> conjuncts) {
  std::vector<const Expr*> parts;
  const auto test = [&]() -> Status {
    if (parts.empty()) return {};
    WANDIAN_ASSIGN(node, filter(std::move(node), make_conjunction(arena_, parts)));
    parts.clear();
    return {};
  };
  for (const bool computed : {false, true})
    for (Conjunct* conjunct : conjuncts) {
      if (conjunct->derived || conjunct->subselects.empty() == computed) continue;
      Subselects& needed = computed ? conjunct->subselects : conjunct->asks;
      if (!needed.empty()) {
        WANDIAN_TRY(test());
        node = apply(std::move(node), std::move(needed));
        needed.clear();
      }
      parts.push_back(conjunct->expr);
    }
  WANDIAN_TRY(test());
  return node;
}

Result<NodePtr> Planner::finish_relation(Relation& relation) {
  if (relation.base != nullptr) {
    Path path = best_path(*relation.base, relation.conjuncts, {}, {}, 0);
    return make_scan(*relation.base, path, relation.conjuncts);
  }
  return filter_all(std::move(relation.plan), relation.conjuncts);
}

bool Planner::hashable(const Conjunct& conjunct, const std::vector<Slot>& left, const std::vector<Slot>& right,
                       const Expr** left_key, const Expr** right_key) const {
  if (conjunct.derived || conjunct.is_volatile || !conjunct.subselects.empty() || conjunct.expr->kind != ExprKind::kFunction) return false;
  const auto& call = conjunct.expr->as<FunctionExpr>();
  if (call.op == nullptr || call.op->btree_strategy != 3 || call.args.size() != 2) return false;
  const TypeInfo* a = find_type(call.args[0]->type);
  const TypeInfo* b = find_type(call.args[1]->type);
  if (a == nullptr || b == nullptr || a->order != b->order || a->order == Order::kNone) return false;
  std::vector<Slot> slots[2];
  for (int i = 0; i < 2; ++i) collect_slots(call.args[static_cast<std::size_t>(i)], slots[i]);
  const auto side = [&](const std::vector<Slot>& s) {
    const bool l = touches(s, left), r = touches(s, right);
    return l == r ? 0 : l ? 1 : 2;
  };
  const int first = side(slots[0]), second = side(slots[1]);
  if (first == 0 || second == 0 || first == second) return false;
  *left_key = call.args[first == 1 ? 0 : 1];
  *right_key = call.args[first == 1 ? 1 : 0];
  return true;
}

Planner::RightSide Planner::right_side(const Relation& right, JoinKind kind, const std::vector<Slot>& left_slots, const std::vector<Conjunct*>& on) {
  RightSide out;
  estimate(right, &out.rows, &out.cost);
  out.slots = right.slots();
  if (right.base != nullptr && kind != JoinKind::kRight && kind != JoinKind::kFull) {
    std::vector<Conjunct*> all = right.conjuncts;
    all.insert(all.end(), on.begin(), on.end());
    out.inner = best_path(*right.base, all, left_slots, {}, 0);
  }
  return out;
}

Planner::JoinEstimate Planner::estimate_join(double left_rows, double left_cost, const std::vector<Slot>& left_slots, const Relation& right,
                                             const RightSide& side, JoinKind kind, const std::vector<Conjunct*>& on) {
  JoinEstimate best;
  best.cost = std::numeric_limits<double>::infinity();
  const double right_rows = side.rows, right_cost = side.cost;
  const Path& inner = side.inner;
  bool equalities = false, pure_hash = right.needs.empty(), known = false;
  double rows = left_rows * right_rows, distinct_share = 0.5;
  bool first_key = true;
  for (const Conjunct* conjunct : on) {
    if (conjunct->derived) continue;
    if (!conjunct->subselects.empty()) pure_hash = false;
    const Expr* l;
    const Expr* r;
    if (!hashable(*conjunct, left_slots, side.slots, &l, &r)) {
      rows *= selectivity(conjunct->expr);
      continue;
    }
    equalities = true;
    if (const std::optional<double> share = join_selectivity(l, r)) {
      // A second key tells less than it would alone.
      rows *= known ? std::sqrt(*share) : *share;
      known = true;
      const double here = distinct_of(l), there = std::min(distinct_of(r), right_rows);
      if (here > 0 && there > 0) distinct_share = std::min(1.0, there / here);
    } else {
      rows *= first_key ? 1 / std::max({1.0, std::min(left_rows, right_rows), std::max(left_rows, right_rows) / 2}) : 0.1;
    }
    first_key = false;
  }
  if (inner.parameterised && !known) rows = left_rows * inner.rows;
  rows = std::max(1.0, rows);
  if (kind == JoinKind::kSemi) rows = std::max(1.0, std::min(left_rows * distinct_share, rows));
  if (kind == JoinKind::kAnti) rows = std::max(1.0, left_rows * std::max(1 - distinct_share, 0.05));
  if (kind == JoinKind::kLeft || kind == JoinKind::kFull) rows = std::max(rows, left_rows);
  const auto consider = [&](JoinMethod method, double cost) {
    if (cost < best.cost) best = {method, rows, cost};
  };
  if (equalities && pure_hash) {
    consider(JoinMethod::kHash, left_cost + right_cost + right_rows * kHashBuildCost + left_rows * kHashProbeCost + rows * kPairCost);
    if (kind == JoinKind::kInner || kind == JoinKind::kLeft)
      consider(JoinMethod::kHashSwapped, left_cost + right_cost + left_rows * kHashBuildCost + right_rows * kHashProbeCost + rows * kPairCost);
  }
  if (inner.parameterised && inner.method != ScanMethod::kSequential)
    consider(JoinMethod::kNestScan, left_cost + left_rows * inner.cost + rows * kPairCost);
  if (kind != JoinKind::kRight && kind != JoinKind::kFull && right.needs.empty())
    consider(JoinMethod::kNestMaterial, left_cost + right_cost + right_rows * kMaterialCost + left_rows * right_rows * kPairCost + 0.01);
  if (!right.needs.empty())
    consider(JoinMethod::kNestMaterial, left_cost + left_rows * right_cost);
  best.rows = rows;
  return best;
}

Result<NodePtr> Planner::hash_join(NodePtr left, NodePtr right, const std::vector<Slot>& left_slots,
                                   const std::vector<Slot>& right_slots, JoinKind kind, const std::vector<Conjunct*>& on,
                                   double rows, double cost) {
  auto node = std::make_unique<JoinPlanNode>(NodeType::kHashJoin);
  node->kind = kind;
  std::vector<const Expr*> others;
  std::vector<std::pair<const Expr*, Slot>> left_items, right_items;
  for (const Conjunct* conjunct : on) {
    if (conjunct->derived) continue;
    const Expr* l;
    const Expr* r;
    if (!hashable(*conjunct, left_slots, right_slots, &l, &r)) {
      others.push_back(conjunct->expr);
      continue;
    }
    const auto key = [&](const Expr* expr, std::vector<std::pair<const Expr*, Slot>>& items) {
      if (expr->kind == ExprKind::kSlot) return expr->as<SlotExpr>().slot;
      const Slot slot = new_slot(*expr);
      items.emplace_back(expr, slot);
      return slot;
    };
    node->left_keys.push_back(key(l, left_items));
    node->right_keys.push_back(key(r, right_items));
    node->key_orders.push_back(order_under(l->type, conjunct->expr->collation));
    node->hash_conditions.push_back(conjunct->expr);
  }
  WANDIAN_ASSIGN(left, project(std::move(left), std::move(left_items), {}));
  WANDIAN_ASSIGN(right, project(std::move(right), std::move(right_items), {}));
  if (!others.empty()) {
    WANDIAN_ASSIGN(node->filter, compile_expr(make_conjunction(arena_, others)));
  }
  node->rows = rows;
  node->cost = cost;
  node->startup_cost = right->cost + right->rows * kHashBuildCost;
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return NodePtr(std::move(node));
}

Result<NodePtr> Planner::join(NodePtr left, const std::vector<Slot>& left_slots, Relation& right, JoinKind kind,
                              const std::vector<Conjunct*>& on) {
  const JoinEstimate estimate = estimate_join(left->rows, left->cost, left_slots, right, kind, on);
  const std::vector<Slot> right_slots = right.slots();
  // Conditions that hold sub-selects, or call routines, are filters above the inner side, where they may wait.
  bool subselects = false, routines = false;
  for (const Conjunct* conjunct : on) {
    subselects |= !conjunct->subselects.empty();
    routines |= contains_routine(conjunct->expr);
  }
  if (kind == JoinKind::kFull || kind == JoinKind::kRight) {
    // Without a key all rows are in one bucket: good for what is the same for every pair.
    bool keys = false, constant = true;
    for (const Conjunct* conjunct : on) {
      const Expr* l;
      const Expr* r;
      keys |= hashable(*conjunct, left_slots, right_slots, &l, &r);
      constant &= conjunct->expr->kind == ExprKind::kConst;
    }
    keys |= constant;
    if (!keys || subselects || !right.needs.empty())
      return Status(sqlstate::feature_not_supported, "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions");
    WANDIAN_ASSIGN(NodePtr right_node, finish_relation(right));
    const double cost = left->cost + right_node->cost;   // before they move: arguments have no order
    return hash_join(std::move(left), std::move(right_node), left_slots, right_slots, kind, on, estimate.rows, cost);
  }
  switch (estimate.method) {
    case JoinMethod::kHash: {
      WANDIAN_ASSIGN(NodePtr right_node, finish_relation(right));
      return hash_join(std::move(left), std::move(right_node), left_slots, right_slots, kind, on, estimate.rows, estimate.cost);
    }
    case JoinMethod::kHashSwapped: {
      WANDIAN_ASSIGN(NodePtr right_node, finish_relation(right));
      return hash_join(std::move(right_node), std::move(left), right_slots, left_slots,
                       kind == JoinKind::kLeft ? JoinKind::kRight : kind, on, estimate.rows, estimate.cost);
    }
    default: break;
  }
  auto node = std::make_unique<JoinPlanNode>(NodeType::kNestLoop);
  node->kind = kind;
  node->rows = estimate.rows;
  node->cost = estimate.cost;
  node->startup_cost = left->startup_cost;
  NodePtr inner;
  if (estimate.method == JoinMethod::kNestScan) {
    // The join's conditions are the inner scan's: the outer row stands in its slots.
    std::vector<Conjunct*> all = right.conjuncts;
    const auto waits = [](const Conjunct* conjunct) { return !conjunct->subselects.empty() || contains_routine(conjunct->expr); };
    for (Conjunct* conjunct : on)
      if (!waits(conjunct)) all.push_back(conjunct);
    Path path = best_path(*right.base, all, left_slots, {}, 0);
    WANDIAN_ASSIGN(inner, make_scan(*right.base, path, all));
    for (Conjunct* conjunct : on) {
      if (!waits(conjunct)) continue;
      Conjunct* const one[] = {conjunct};
      WANDIAN_ASSIGN(inner, filter_all(std::move(inner), one));
    }
  } else {
    WANDIAN_ASSIGN(inner, finish_relation(right));
    if (subselects || routines) {
      WANDIAN_ASSIGN(inner, filter_all(std::move(inner), on));
    } else {
      if (right.needs.empty()) {
        auto material = std::make_unique<MaterializeNode>();
        material->rows = inner->rows;
        material->startup_cost = inner->startup_cost;
        material->cost = inner->cost + inner->rows * kMaterialCost;
        material->children.push_back(std::move(inner));
        inner = std::move(material);
      }
      std::vector<const Expr*> parts;
      for (const Conjunct* conjunct : on)
        if (!conjunct->derived) parts.push_back(conjunct->expr);
      if (!parts.empty()) {
        WANDIAN_ASSIGN(node->filter, compile_expr(make_conjunction(arena_, parts)));
          }
    }
  }
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(inner));
  return NodePtr(std::move(node));
}

// One row, if all the conditions hold.
Result<NodePtr> Planner::pass_gates(std::span<Conjunct* const> gates) {
  auto result = std::make_unique<ResultNode>();
  std::vector<const Expr*> parts;
  for (; !gates.empty() && gates[0]->asks.empty(); gates = gates.subspan(1)) parts.push_back(gates[0]->expr);
  if (!parts.empty()) {
    WANDIAN_ASSIGN(result->filter, compile_expr(make_conjunction(arena_, parts)));
  }
  return filter_all(std::move(result), gates);
}

Result<NodePtr> Planner::solve(JoinProblem& problem, std::span<const OrderWish> wish, double row_limit, bool* ordered) {
  *ordered = false;
  if (problem.semis_may_join && wish.empty()) join_unique_semis(problem);
  derive_equalities(problem);
  const std::vector<Slot> all = problem.slots();
  // Conditions of one input alone, and those of none.
  std::vector<Conjunct*> gates;
  for (Conjunct* conjunct : problem.conjuncts) {
    if (!conjunct->subselects.empty() || conjunct->is_volatile) continue;
    if (!touches(conjunct->slots, all)) {
      if (!conjunct->derived) gates.push_back(conjunct);
      conjunct->used = true;
      continue;
    }
    for (Relation& relation : problem.relations) {
      const std::vector<Slot> own = relation.slots();
      bool alone = true;
      for (const Slot slot : conjunct->slots) alone = alone && (contains(own, slot) || !contains(all, slot));
      if (!alone) continue;
      relation.conjuncts.push_back(conjunct);
      conjunct->used = true;
      break;
    }
  }
  for (Conjunct* conjunct : problem.conjuncts) conjunct->behind_gate = !gates.empty();
  NodePtr node;
  if (problem.relations.empty()) {
    WANDIAN_ASSIGN(node, pass_gates(gates));
    node->cost = 0.01;
    gates.clear();
  } else if (problem.relations.size() == 1) {
    Relation& only = problem.relations[0];
    if (only.base != nullptr) {
      Path path = best_path(*only.base, only.conjuncts, {}, wish, row_limit);
      *ordered = path.ordered;
      WANDIAN_ASSIGN(node, make_scan(*only.base, path, only.conjuncts));
    } else {
      WANDIAN_ASSIGN(node, finish_relation(only));
    }
  } else {
    const std::vector<std::size_t> order = join_order(problem);
    std::vector<Slot> have = problem.relations[order[0]].slots();
    WANDIAN_ASSIGN(node, finish_relation(problem.relations[order[0]]));
    for (std::size_t i = 1; i < order.size(); ++i) {
      Relation& next = problem.relations[order[i]];
      const std::vector<Slot> own = next.slots();
      std::vector<Conjunct*> on;
      for (Conjunct* conjunct : problem.conjuncts) {
        if (conjunct->used || !conjunct->subselects.empty() || conjunct->is_volatile) continue;
        bool covered = true;
        for (const Slot slot : conjunct->slots)
          covered = covered && (contains(own, slot) || contains(have, slot) || !contains(all, slot));
        if (!covered) continue;
        conjunct->used = true;
        on.push_back(conjunct);
      }
      WANDIAN_ASSIGN(node, join(std::move(node), have, next, JoinKind::kInner, on));
      append_new(have, own);
    }
  }
  for (SemiJoin& semi : problem.semis) {
    *ordered = *ordered && semi.relation.base != nullptr;
    WANDIAN_ASSIGN(node, join(std::move(node), all, semi.relation, semi.kind, semi.on));
    // A hash join's probe side keeps its order.
    *ordered = *ordered && node->children[0]->type == NodeType::kScan;
  }
  std::vector<Conjunct*> rest;
  for (Conjunct* conjunct : problem.conjuncts)
    if (!conjunct->used) rest.push_back(conjunct);
  WANDIAN_ASSIGN(node, filter_all(std::move(node), rest));
  if (!gates.empty()) {
    // Conditions without columns: nothing is read unless they hold.
    WANDIAN_ASSIGN(NodePtr result, pass_gates(gates));
    auto gate = std::make_unique<JoinPlanNode>(NodeType::kNestLoop);
    gate->rows = node->rows;
    gate->cost = node->cost;
    gate->startup_cost = node->startup_cost;
    gate->children.push_back(std::move(result));
    gate->children.push_back(std::move(node));
    node = std::move(gate);
  }
  return node;
}

Result<NodePtr> Planner::plan_from(PlanScope& scope, std::span<const OrderWish> wish, double row_limit, bool* ordered) {
  JoinProblem problem;
  WANDIAN_TRY(collect_query(scope, problem));
  const Query& query = *scope.query;
  problem.semis_may_join = query.command == Command::kSelect && query.row_marks.empty();
  if (query.command == Command::kUpdate || query.command == Command::kDelete) {
    // The target is an input whether or not FROM says so.
    bool there = false;
    for (const Relation& relation : problem.relations)
      for (const RangeInfo* member : relation.members) there = there || member == &scope.ranges[0];
    if (!there) {
      for (const auto& [other, node] : problem.outer) there = there || (other == &scope && nullable_side(*node, 0, true));
    }
    if (!there) {
      WANDIAN_ASSIGN(Relation relation, leaf(scope, 0));
      problem.relations.insert(problem.relations.begin(), std::move(relation));
    }
  }
  WANDIAN_TRY(collect_outer(problem));
  return solve(problem, wish, row_limit, ordered);
}

}  // namespace wandian::sql
