// Constant folding, and the last pass over a bound query.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/expr/expression.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_const(const Expr* expr) { return expr->kind == ExprKind::kConst; }
const Value& value_of(const Expr* expr) { return expr->as<ConstExpr>().value; }
bool is_null(const Expr* expr) { return is_const(expr) && value_of(expr).is_null; }

// Types whose text form depends on nothing but the value, so that a cast through it may be done now.
bool has_immutable_text(Oid type) {
  if (const Oid element = element_type_of(type)) type = element;
  switch (type) {
    case kBool: case kInt2: case kInt4: case kInt8: case kText: case kVarchar: case kBpchar: case kName: case kNumeric: case kUuid:
    case kOid: case kFloat4: case kFloat8: case kJson: case kJsonb: case kJsonpath: return true;
    default: return false;
  }
}

// Something to be computed of constants and parameters alone: PostgreSQL does so, and meets its error, before it sees that it is not needed.
bool may_fail_as_constant(const Expr* expr) {
  if (is_const(expr) || expr->kind == ExprKind::kParam) return false;
  return !any_node(expr, [](const Expr* node) {
    return node->kind == ExprKind::kColumn || node->kind == ExprKind::kSubLink || node->kind == ExprKind::kAggregate || node->kind == ExprKind::kWindow ||
           (node->kind == ExprKind::kFunction && node->as<FunctionExpr>().function->volatility != Volatility::kImmutable);
  });
}

}  // namespace

const Expr* Binder::fold(const Expr* expr) {
  if (expr == nullptr) return nullptr;
  check_stack(-1);
  const auto recurse = [&](const Expr* child) { return fold(child); };
  if (expr->kind == ExprKind::kArrayCompare && expr->as<ArrayCompareExpr>().in_list) {
    // An IN list stays a list, so that the planner sees its members.
    const auto& source = expr->as<ArrayCompareExpr>();
    const Expr* left = fold(source.left);
    const Expr* array = mutate_children(arena_, source.array, recurse);
    if (left != source.left || array != source.array) {
      auto* out = make<ArrayCompareExpr>(source);
      out->left = left;
      out->array = array;
      return out;
    }
    return expr;
  }
  if (expr->kind == ExprKind::kArrayCast) {
    // Its element expression is no constant by itself.
    const auto& source = expr->as<ArrayCastExpr>();
    const Expr* arg = fold(source.arg);
    if (arg == source.arg) return expr;
    auto* out = make<ArrayCastExpr>(source);
    out->arg = arg;
    return out;
  }
  expr = mutate_children(arena_, expr, recurse);

  static const FormatSettings default_format{};
  const auto evaluate = [&]() -> const Expr* {
    EvalContext ctx{arena_, context_.eval != nullptr ? context_.eval->format : default_format,
                    context_.eval != nullptr ? context_.eval->session : nullptr};
    Result<Value> value = evaluate_constant(*expr, ctx);
    // What fails is left for execution, which may never come to it (CASE, an empty table).
    if (!value.ok()) return expr;
    auto* out = const_cast<ConstExpr*>(make_constant(arena_, expr->type, expr->typmod, value.value()));
    out->location = expr->location;
    return out;
  };
  switch (expr->kind) {
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: {
      const auto& call = expr->as<FunctionExpr>();
      if (call.function->returns_set) return expr;
      if (expr->kind == ExprKind::kFunction && call.function->strict && std::any_of(call.args.begin(), call.args.end(), is_null) &&
          std::none_of(call.args.begin(), call.args.end(), may_fail_as_constant)) {
        auto* out = const_cast<ConstExpr*>(make_null(arena_, expr->type));
        out->typmod = expr->typmod;
        out->location = expr->location;
        return out;
      }
      if (call.function->volatility != Volatility::kImmutable || call.function->routine != nullptr) return expr;
      return std::all_of(call.args.begin(), call.args.end(), is_const) ? evaluate() : expr;
    }
    case ExprKind::kRelabel: {
      const auto& relabel = expr->as<UnaryExpr>();
      return is_const(relabel.arg) && relabel.collation.empty() ? evaluate() : expr;
    }
    case ExprKind::kDomain: return expr;
    case ExprKind::kIoCast: {
      const Expr* arg = expr->as<UnaryExpr>().arg;
      if (!is_const(arg)) return expr;
      return is_null(arg) || (has_immutable_text(arg->type) && has_immutable_text(expr->type)) ? evaluate() : expr;
    }
    case ExprKind::kArray: {
      const auto& args = expr->as<ListExpr>().args;
      return std::all_of(args.begin(), args.end(), is_const) ? evaluate() : expr;
    }
    case ExprKind::kSubscript: {
      const auto& subscript = expr->as<SubscriptExpr>();
      const auto constant = [](const Expr* e) { return e == nullptr || is_const(e); };
      return subscript.store == nullptr && is_const(subscript.array) && std::all_of(subscript.upper.begin(), subscript.upper.end(), constant) &&
                     std::all_of(subscript.lower.begin(), subscript.lower.end(), constant)
                 ? evaluate()
                 : expr;
    }
    case ExprKind::kGreatest: case ExprKind::kLeast: {
      const auto& args = expr->as<ListExpr>().args;
      return std::all_of(args.begin(), args.end(), is_const) ? evaluate() : expr;
    }
    case ExprKind::kNullTest: case ExprKind::kBoolTest: return is_const(expr->as<TestExpr>().arg) ? evaluate() : expr;
    case ExprKind::kBool: {
      const auto& boolean = expr->as<BoolExpr>();
      if (boolean.op == BoolOp::kNot) return is_const(boolean.args[0]) ? evaluate() : expr;
      // false AND x is false, true AND x is x; the other way round for OR.
      const bool deciding = boolean.op == BoolOp::kOr;
      std::vector<const Expr*> kept;
      bool null_seen = false;
      for (const Expr* arg : boolean.args) {
        if (!is_const(arg)) {
          kept.push_back(arg);
        } else if (value_of(arg).is_null) {
          if (!null_seen) kept.push_back(arg);
          null_seen = true;
        } else if ((value_of(arg).i != 0) == deciding) {
          return make_bool(arena_, deciding);
        }
      }
      if (kept.size() == boolean.args.size()) return expr;
      if (kept.empty()) return make_bool(arena_, !deciding);
      return bool_list(boolean.op, std::move(kept));
    }
    case ExprKind::kCoalesce: {
      const auto& list = expr->as<ListExpr>();
      std::vector<const Expr*> kept;
      for (const Expr* arg : list.args) {
        if (is_null(arg)) continue;
        kept.push_back(arg);
        if (is_const(arg)) break;
      }
      if (kept.empty()) return make_null(arena_, expr->type);
      if (kept.size() == 1) return kept[0];
      if (kept.size() == list.args.size()) return expr;
      auto* out = make<ListExpr>(list);
      out->args = keep(kept);
      return out;
    }
    case ExprKind::kCase: {
      const auto& source = expr->as<CaseExpr>();
      if (source.arg != nullptr) return expr;
      std::vector<CaseWhen> kept;
      const Expr* otherwise = source.otherwise;
      for (const CaseWhen& when : source.whens) {
        if (!is_const(when.condition)) {
          kept.push_back(when);
          continue;
        }
        const Value& condition = value_of(when.condition);
        if (condition.is_null || condition.i == 0) continue;
        otherwise = when.result;
        break;
      }
      if (kept.size() == source.whens.size()) return expr;
      if (kept.empty()) return otherwise;
      auto* out = make<CaseExpr>(source);
      out->whens = keep(kept);
      out->otherwise = otherwise;
      return out;
    }
    default: return expr;
  }
}

void Binder::finish_query(Scope& scope, Query& query) {
  query.ctes = copy_list<const CommonTable*>(arena_, std::vector<const CommonTable*>(scope.ctes.begin(), scope.ctes.end()));
  if (context_.as_written) return;
  const auto fold_targets = [&](std::span<const TargetEntry> source) {
    std::vector<TargetEntry> out(source.begin(), source.end());
    for (TargetEntry& target : out) {
      const Expr* folded = fold(target.expr);
      target.computed = target.computed || (folded->kind == ExprKind::kColumn && target.expr->kind != ExprKind::kColumn);
      target.expr = folded;
    }
    return keep(out);
  };
  const auto fold_assignments = [&](std::span<const Assignment> source) {
    std::vector<Assignment> out(source.begin(), source.end());
    for (Assignment& assignment : out) assignment.value = fold(assignment.value);
    return keep(out);
  };
  query.targets = fold_targets(query.targets);
  query.returning = fold_targets(query.returning);
  query.where = fold(query.where);
  query.having = fold(query.having);
  query.limit = fold(query.limit);
  query.offset = fold(query.offset);
  query.assignments = fold_assignments(query.assignments);
  query.on_conflict.assignments = fold_assignments(query.on_conflict.assignments);
  query.on_conflict.where = fold(query.on_conflict.where);
  std::vector<Query::ViewCheck> checks(query.view_checks.begin(), query.view_checks.end());
  for (Query::ViewCheck& check : checks) check.condition = fold(check.condition);
  query.view_checks = keep(checks);
  std::vector<MergeAction> actions(query.merge_actions.begin(), query.merge_actions.end());
  for (MergeAction& action : actions) {
    action.condition = fold(action.condition);
    action.assignments = fold_assignments(action.assignments);
  }
  query.merge_actions = keep(actions);
  const auto fold_join = [&](auto&& self, const JoinNode* node) -> void {
    if (!node->is_join) return;
    self(self, node->left);
    self(self, node->right);
    const_cast<JoinNode*>(node)->on = fold(node->on);
  };
  for (const JoinNode* node : query.from) fold_join(fold_join, node);
  for (RangeEntry* entry : scope.ranges) {
    if (!entry->functions.empty()) {
      std::vector<RangeFunction> functions(entry->functions.begin(), entry->functions.end());
      for (RangeFunction& function : functions) function.call = fold(function.call);
      entry->functions = keep(functions);
    }
    if (!entry->values.empty()) {
      std::vector<ExprList> rows(entry->values.begin(), entry->values.end());
      for (ExprList& row : rows) {
        std::vector<const Expr*> values(row.begin(), row.end());
        for (const Expr*& value : values) value = fold(value);
        row = keep(values);
      }
      entry->values = keep(rows);
    }
  }
}

}  // namespace wandian::sql
