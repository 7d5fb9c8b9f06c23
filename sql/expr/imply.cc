#include "sql/expr/imply.h"

#include <algorithm>

#include "engine/type.h"
#include "sql/expr/strictness.h"
#include "sql/expr/tree.h"
#include "sql/types/collation.h"

namespace wandian::sql {

namespace {

const Expr* strip(const Expr* expr) {
  while (expr->kind == ExprKind::kRelabel && expr->as<UnaryExpr>().collate.empty()) expr = expr->as<UnaryExpr>().arg;
  return expr;
}
bool same(const Expr* a, const Expr* b) { return equal(a, b) || equal(strip(a), strip(b)); }

// A condition that says whether a boolean is true: b, NOT b, b = true, b IS FALSE.
struct Truth {
  const Expr* of = nullptr;
  bool value = true;
};
Truth truth_of(const Expr* expr) {
  if (expr->kind == ExprKind::kBool && expr->as<BoolExpr>().op == BoolOp::kNot) {
    const Truth inner = truth_of(expr->as<BoolExpr>().args[0]);
    // NOT of IS TRUE holds for null, too; a plain value's NOT does not.
    if (expr->as<BoolExpr>().args[0]->kind == ExprKind::kBoolTest) return {expr, true};
    return {inner.of, !inner.value};
  }
  if (expr->kind == ExprKind::kBoolTest) {
    const auto& test = expr->as<TestExpr>();
    if (test.test == TestOp::kIsTrue) return {test.arg, true};
    if (test.test == TestOp::kIsFalse) return {test.arg, false};
  }
  if (expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().op != nullptr && expr->as<FunctionExpr>().op->btree_strategy == 3) {
    const auto& call = expr->as<FunctionExpr>();
    for (const std::size_t side : {0u, 1u})
      if (call.args[side]->kind == ExprKind::kConst && call.args[side]->type == type_oid::kBool && !call.args[side]->as<ConstExpr>().value.is_null) {
        const Truth inner = truth_of(call.args[1 - side]);
        return {inner.of, inner.value == call.args[side]->as<ConstExpr>().value.as_bool()};
      }
  }
  return {expr, true};
}

// `side op value` with a value that is no part of the row.
struct Comparison {
  const Expr* side = nullptr;
  int strategy = 0;                  // 1..5 as in btree families, 6: <>
  const Expr* value = nullptr;
  explicit operator bool() const { return side != nullptr; }
};
int strategy_of(const OperatorDef& op) { return op.btree_strategy != 0 ? op.btree_strategy : op.name == "<>" ? 6 : 0; }
bool is_value(const Expr* expr) { return expr->kind == ExprKind::kConst || expr->kind == ExprKind::kParam; }
Comparison comparison_of(const Expr* expr) {
  if (expr->kind != ExprKind::kFunction) return {};
  const auto& call = expr->as<FunctionExpr>();
  if (call.op == nullptr || call.args.size() != 2) return {};
  const int strategy = strategy_of(*call.op);
  // What a collation's order implies is not looked into.
  if (strategy == 0 || is_collated(order_under(call.args[0]->type, call.collation))) return {};
  if (is_value(strip(call.args[1]))) return {call.args[0], strategy, strip(call.args[1])};
  if (is_value(strip(call.args[0]))) return {call.args[1], strategy == 6 ? 6 : 6 - strategy, strip(call.args[0])};
  return {};
}

// Whether `x <strategy a> va` being true makes `x <strategy b> vb` true, by how va compares with vb.
bool range_implies(int a, int b, int order) {
  switch (a) {
    case 3:
      switch (b) {
        case 1: return order < 0;
        case 2: return order <= 0;
        case 3: return order == 0;
        case 4: return order >= 0;
        case 5: return order > 0;
        default: return order != 0;
      }
    case 1: return b == 1 || b == 2 || b == 6 ? order <= 0 : false;
    case 2: return b == 2 ? order <= 0 : b == 1 || b == 6 ? order < 0 : false;
    case 5: return b == 5 || b == 4 || b == 6 ? order >= 0 : false;
    case 4: return b == 4 ? order >= 0 : b == 5 || b == 6 ? order > 0 : false;
    default: return b == 6 && order == 0;
  }
}

Implied compare(const Comparison& q, const Comparison& p) {
  if (!same(q.side, p.side)) return Implied::kNo;
  if (q.value->kind == ExprKind::kParam || p.value->kind == ExprKind::kParam)
    return p.value->kind == ExprKind::kParam && equal(q.value, p.value) && q.strategy == p.strategy ? Implied::kYes : Implied::kUnknown;
  const TypeInfo* a = find_type(q.value->type);
  const TypeInfo* b = find_type(p.value->type);
  if (a == nullptr || b == nullptr || a->order != b->order || a->order == Order::kNone) return Implied::kNo;
  const Value& va = q.value->as<ConstExpr>().value;
  const Value& vb = p.value->as<ConstExpr>().value;
  if (va.is_null || vb.is_null) return va.is_null ? Implied::kYes : Implied::kNo;   // nothing is equal to null
  return range_implies(q.strategy, p.strategy, compare_values(a->order, va, vb)) ? Implied::kYes : Implied::kNo;
}

TakenForNull the_same_as(const Expr* arg) {
  return [arg](const Expr* expr) { return same(expr, arg); };
}

const ListExpr* constant_list(const Expr* expr) {
  if (expr->kind != ExprKind::kArrayCompare) return nullptr;
  const auto& compare = expr->as<ArrayCompareExpr>();
  if (compare.all || compare.op == nullptr || compare.op->btree_strategy != 3 || compare.array->kind != ExprKind::kArray) return nullptr;
  const auto& list = compare.array->as<ListExpr>();
  return std::all_of(list.args.begin(), list.args.end(), [](const Expr* item) { return is_value(item); }) ? &list : nullptr;
}

Implied worst(Implied a, Implied b) { return std::min(a, b); }
Implied best(Implied a, Implied b) { return std::max(a, b); }

// Whether a true comparison implies `p`, with p's lists and disjunctions opened.
Implied comparison_implies(const Comparison& q, const Expr* p);

// Whether `q` alone implies `p`.
Implied implies(const Expr* q, const Expr* p) {
  if (equal(q, p)) return Implied::kYes;
  if (q->kind == ExprKind::kBool && q->as<BoolExpr>().op != BoolOp::kNot) {
    const auto& logic = q->as<BoolExpr>();
    const bool all = logic.op == BoolOp::kOr;
    Implied out = all ? Implied::kYes : Implied::kNo;
    for (const Expr* arg : logic.args) out = all ? worst(out, implies(arg, p)) : best(out, implies(arg, p));
    return out;
  }
  if (p->kind == ExprKind::kBool && p->as<BoolExpr>().op != BoolOp::kNot) {
    const auto& logic = p->as<BoolExpr>();
    const bool all = logic.op == BoolOp::kAnd;
    Implied out = all ? Implied::kYes : Implied::kNo;
    for (const Expr* arg : logic.args) out = all ? worst(out, implies(q, arg)) : best(out, implies(q, arg));
    if (out == Implied::kYes || all) return out;
    if (const Comparison compared = comparison_of(q)) return best(out, comparison_implies(compared, p));
    return out;
  }
  if (p->kind == ExprKind::kNullTest && p->as<TestExpr>().test == TestOp::kIsNotNull && !p->as<TestExpr>().of_row)
    return not_true_then(q, the_same_as(p->as<TestExpr>().arg)) ? Implied::kYes : Implied::kNo;
  // IN (...) is a disjunction of equalities.
  if (const ListExpr* list = constant_list(q)) {
    Implied out = Implied::kYes;
    for (const Expr* item : list->args) out = worst(out, comparison_implies({q->as<ArrayCompareExpr>().left, 3, item}, p));
    return out;
  }
  if (const Comparison compared = comparison_of(q))
    if (const Implied out = comparison_implies(compared, p); out != Implied::kNo) return out;
  const Truth mine = truth_of(q), wanted = truth_of(p);
  if (mine.value == wanted.value && mine.of != nullptr && same(mine.of, wanted.of)) return Implied::kYes;
  if (p->kind == ExprKind::kBoolTest) {
    const auto& test = p->as<TestExpr>();
    if (test.test == TestOp::kIsNotFalse && mine.value && same(mine.of, test.arg)) return Implied::kYes;
    if (test.test == TestOp::kIsNotTrue && !mine.value && same(mine.of, test.arg)) return Implied::kYes;
    if (test.test == TestOp::kIsNotUnknown && same(mine.of, test.arg)) return Implied::kYes;
  }
  // x LIKE $1 may be what x LIKE 'a%' asks for.
  if (q->kind == ExprKind::kFunction && p->kind == ExprKind::kFunction && q->as<FunctionExpr>().function == p->as<FunctionExpr>().function &&
      contains_param(q) && !contains_param(p))
    return Implied::kUnknown;
  return Implied::kNo;
}

Implied comparison_implies(const Comparison& q, const Expr* p) {
  if (p->kind == ExprKind::kBool && p->as<BoolExpr>().op == BoolOp::kOr) {
    Implied out = Implied::kNo;
    for (const Expr* arg : p->as<BoolExpr>().args) out = best(out, comparison_implies(q, arg));
    return out;
  }
  if (p->kind == ExprKind::kBool && p->as<BoolExpr>().op == BoolOp::kAnd) {
    Implied out = Implied::kYes;
    for (const Expr* arg : p->as<BoolExpr>().args) out = worst(out, comparison_implies(q, arg));
    return out;
  }
  if (p->kind == ExprKind::kNullTest && p->as<TestExpr>().test == TestOp::kIsNotNull && !p->as<TestExpr>().of_row)
    return null_then(q.side, the_same_as(p->as<TestExpr>().arg)) ? Implied::kYes : Implied::kNo;
  if (const ListExpr* list = constant_list(p)) {
    Implied out = Implied::kNo;
    for (const Expr* item : list->args) out = best(out, compare(q, {p->as<ArrayCompareExpr>().left, 3, item}));
    return out;
  }
  if (const Comparison wanted = comparison_of(p)) return compare(q, wanted);
  return Implied::kNo;
}

}  // namespace

Implied implied_by(std::span<const Expr* const> conditions, const Expr* predicate) {
  Implied out = Implied::kYes;
  for (const Expr* part : split_conjuncts(predicate)) {
    Implied one = Implied::kNo;
    for (const Expr* condition : conditions) one = best(one, implies(condition, part));
    out = worst(out, one);
    if (out == Implied::kNo) break;
  }
  return out;
}

}  // namespace wandian::sql
