#include "sql/expr/strictness.h"

#include <algorithm>

namespace wandian::sql {

bool null_then(const Expr* expr, const TakenForNull& nulls) {
  if (nulls(expr)) return true;
  switch (expr->kind) {
    case ExprKind::kFunction: {
      const auto& call = expr->as<FunctionExpr>();
      if (!call.function->strict || call.function->returns_set) return false;
      return std::any_of(call.args.begin(), call.args.end(), [&](const Expr* arg) { return null_then(arg, nulls); });
    }
    case ExprKind::kRelabel: case ExprKind::kIoCast: return null_then(expr->as<UnaryExpr>().arg, nulls);
    case ExprKind::kBool: {
      const auto& boolean = expr->as<BoolExpr>();
      return boolean.op == BoolOp::kNot && null_then(boolean.args[0], nulls);
    }
    default: return false;
  }
}

bool not_true_then(const Expr* expr, const TakenForNull& nulls) {
  if (null_then(expr, nulls)) return true;
  const auto not_true = [&](const Expr* arg) { return not_true_then(arg, nulls); };
  switch (expr->kind) {
    case ExprKind::kNullTest: {
      const auto& test = expr->as<TestExpr>();
      return test.test == TestOp::kIsNotNull && !test.of_row && null_then(test.arg, nulls);
    }
    case ExprKind::kBoolTest: {
      const auto& test = expr->as<TestExpr>();
      if (test.test == TestOp::kIsTrue) return not_true_then(test.arg, nulls);
      return (test.test == TestOp::kIsFalse || test.test == TestOp::kIsNotUnknown) && null_then(test.arg, nulls);
    }
    case ExprKind::kArrayCompare: {
      // Of an empty array ANY is false, and ALL is true.
      const auto& compare = expr->as<ArrayCompareExpr>();
      return !compare.all && compare.function->strict && null_then(compare.left, nulls);
    }
    case ExprKind::kBool: {
      const auto& boolean = expr->as<BoolExpr>();
      if (boolean.op == BoolOp::kAnd) return std::any_of(boolean.args.begin(), boolean.args.end(), not_true);
      return boolean.op == BoolOp::kOr && std::all_of(boolean.args.begin(), boolean.args.end(), not_true);
    }
    default: return false;
  }
}

}  // namespace wandian::sql
