#include "sql/expr/tree.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/type.h"
#include "sql/bind/bound.h"
#include "sql/expr/domain_value.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_call(const Expr* expr) {
  return expr->kind == ExprKind::kFunction || expr->kind == ExprKind::kNullIf || expr->kind == ExprKind::kDistinct;
}

// Every child through `f`, which takes const Expr* (not null).
template <class F>
void children(const Expr& expr, F&& f) {
  const auto each = [&](ExprList list) {
    for (const Expr* child : list) {
      if (child != nullptr) f(child);
    }
  };
  const auto one = [&](const Expr* child) {
    if (child != nullptr) f(child);
  };
  switch (expr.kind) {
    case ExprKind::kConst: case ExprKind::kParam: case ExprKind::kColumn: case ExprKind::kSlot: case ExprKind::kSubColumn:
    case ExprKind::kElement: case ExprKind::kTestValue: case ExprKind::kSqlValue: case ExprKind::kSetToDefault: return;
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: each(expr.as<FunctionExpr>().args); return;
    case ExprKind::kAggregate: {
      const auto& aggregate = expr.as<AggregateExpr>();
      each(aggregate.direct_args);
      each(aggregate.args);
      for (const SortKey& key : aggregate.order_by) f(key.expr);
      one(aggregate.filter);
      return;
    }
    case ExprKind::kWindow:
      each(expr.as<WindowExpr>().args);
      one(expr.as<WindowExpr>().filter);
      return;
    case ExprKind::kGrouping: each(expr.as<GroupingExpr>().args); return;
    case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain: f(expr.as<UnaryExpr>().arg); return;
    case ExprKind::kArrayCast:
      f(expr.as<ArrayCastExpr>().arg);
      f(expr.as<ArrayCastExpr>().element);
      return;
    case ExprKind::kBool: each(expr.as<BoolExpr>().args); return;
    case ExprKind::kCase: {
      const auto& c = expr.as<CaseExpr>();
      one(c.arg);
      for (const CaseWhen& when : c.whens) {
        f(when.condition);
        f(when.result);
      }
      f(c.otherwise);
      return;
    }
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast: case ExprKind::kArray:
      each(expr.as<ListExpr>().args);
      return;
    case ExprKind::kNullTest: case ExprKind::kBoolTest: f(expr.as<TestExpr>().arg); return;
    case ExprKind::kArrayCompare:
      f(expr.as<ArrayCompareExpr>().left);
      f(expr.as<ArrayCompareExpr>().array);
      return;
    case ExprKind::kRow: each(expr.as<RowExpr>().args); return;
    case ExprKind::kRowCompare:
      each(expr.as<RowCompareExpr>().left);
      each(expr.as<RowCompareExpr>().right);
      return;
    case ExprKind::kSubscript: {
      const auto& subscript = expr.as<SubscriptExpr>();
      f(subscript.array);
      each(subscript.upper);
      each(subscript.lower);
      one(subscript.store);
      return;
    }
    case ExprKind::kField: f(expr.as<FieldExpr>().record); return;
    case ExprKind::kSubLink: one(expr.as<SubLinkExpr>().test); return;
  }
}

}  // namespace

void for_each_child(const Expr& expr, const ExprVisitor& visit) { children(expr, visit); }

bool any_node(const Expr* expr, const std::function<bool(const Expr*)>& visit) {
  if (expr == nullptr) return false;
  if (visit(expr)) return true;
  bool found = false;
  children(*expr, [&](const Expr* child) { found = found || any_node(child, visit); });
  return found;
}

namespace {

using LevelVisitor = std::function<bool(const Expr*, int)>;

bool any_query(const Query& query, bool deep, int level, const LevelVisitor& visit);

bool any_deep(const Expr* expr, bool deep, int level, const LevelVisitor& visit) {
  return any_node(expr, [&](const Expr* node) {
    if (visit(node, level)) return true;
    return deep && node->kind == ExprKind::kSubLink && any_query(*node->as<SubLinkExpr>().query, true, level + 1, visit);
  });
}

bool any_join(const JoinNode* node, bool deep, int level, const LevelVisitor& visit) {
  if (!node->is_join) return false;
  return any_join(node->left, deep, level, visit) || any_join(node->right, deep, level, visit) || any_deep(node->on, deep, level, visit);
}

bool any_query(const Query& query, bool deep, int level, const LevelVisitor& visit) {
  const auto look = [&](const Expr* expr) { return any_deep(expr, deep, level, visit); };
  for (const RangeEntry* entry : query.ranges) {
    for (const RangeFunction& function : entry->functions) {
      if (look(function.call)) return true;
    }
    for (const ExprList row : entry->values) {
      for (const Expr* value : row) {
        if (look(value)) return true;
      }
    }
    if (deep && entry->query != nullptr && any_query(*entry->query, true, level + 1, visit)) return true;
  }
  if (deep) {
    for (const CommonTable* cte : query.ctes) {
      if (cte->query != nullptr && any_query(*cte->query, true, level + 1, visit)) return true;
    }
  }
  for (const JoinNode* node : query.from) {
    if (any_join(node, deep, level, visit)) return true;
  }
  if (look(query.where) || look(query.having) || look(query.limit) || look(query.offset)) return true;
  for (const WindowDefinition& window : query.windows) {
    for (const SortKey& key : window.partition_by) {
      if (look(key.expr)) return true;
    }
    for (const SortKey& key : window.order_by) {
      if (look(key.expr)) return true;
    }
    if (look(window.frame.start_offset) || look(window.frame.end_offset)) return true;
  }
  for (const TargetEntry& target : query.targets) {
    if (look(target.expr)) return true;
  }
  for (const TargetEntry& target : query.returning) {
    if (look(target.expr)) return true;
  }
  for (const Assignment& assignment : query.assignments) {
    if (look(assignment.value)) return true;
  }
  for (const Assignment& assignment : query.on_conflict.assignments) {
    if (look(assignment.value)) return true;
  }
  if (look(query.on_conflict.where)) return true;
  for (const Query::ViewCheck& check : query.view_checks) {
    if (look(check.condition)) return true;
  }
  for (const MergeAction& action : query.merge_actions) {
    if (look(action.condition)) return true;
    for (const Assignment& assignment : action.assignments) {
      if (look(assignment.value)) return true;
    }
  }
  if (query.set_operation != nullptr) {
    for (const SetInput& input : query.set_operation->inputs) {
      for (const Expr* output : input.outputs) {
        if (look(output)) return true;
      }
    }
  }
  return false;
}

}  // namespace

bool any_query_expr(const Query& query, bool deep, const std::function<bool(const Expr*, int level)>& visit) {
  return any_query(query, deep, 0, visit);
}

namespace {

// The list with each item mapped; the same list if nothing changed.
ExprList map_list(Arena& arena, ExprList items, const ExprMutator& mutate, bool* changed) {
  std::vector<const Expr*> out;
  bool any = false;
  out.reserve(items.size());
  for (const Expr* item : items) {
    const Expr* mapped = item == nullptr ? nullptr : mutate(item);
    any = any || mapped != item;
    out.push_back(mapped);
  }
  if (!any) return items;
  *changed = true;
  return copy_list<const Expr*>(arena, out);
}

}  // namespace

const Expr* mutate_children(Arena& arena, const Expr* expr, const ExprMutator& mutate) {
  bool changed = false;
  const auto one = [&](const Expr* child) {
    if (child == nullptr) return child;
    const Expr* mapped = mutate(child);
    changed = changed || mapped != child;
    return mapped;
  };
  const auto many = [&](ExprList items) { return map_list(arena, items, mutate, &changed); };
  switch (expr->kind) {
    case ExprKind::kConst: case ExprKind::kParam: case ExprKind::kColumn: case ExprKind::kSlot: case ExprKind::kSubColumn:
    case ExprKind::kElement: case ExprKind::kTestValue: case ExprKind::kSqlValue: case ExprKind::kSetToDefault: return expr;
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: {
      const auto& source = expr->as<FunctionExpr>();
      const ExprList args = many(source.args);
      if (!changed) return expr;
      auto* out = make_node<FunctionExpr>(arena, source);
      out->args = args;
      return out;
    }
    case ExprKind::kAggregate: {
      const auto& source = expr->as<AggregateExpr>();
      const ExprList direct_args = many(source.direct_args);
      const ExprList args = many(source.args);
      const Expr* filter = one(source.filter);
      std::vector<SortKey> order(source.order_by.begin(), source.order_by.end());
      for (SortKey& key : order) key.expr = one(key.expr);
      if (!changed) return expr;
      auto* out = make_node<AggregateExpr>(arena, source);
      out->direct_args = direct_args;
      out->args = args;
      out->filter = filter;
      out->order_by = copy_list(arena, order);
      return out;
    }
    case ExprKind::kWindow: {
      const auto& source = expr->as<WindowExpr>();
      const ExprList args = many(source.args);
      const Expr* filter = one(source.filter);
      if (!changed) return expr;
      auto* out = make_node<WindowExpr>(arena, source);
      out->args = args;
      out->filter = filter;
      return out;
    }
    case ExprKind::kGrouping: {
      const auto& source = expr->as<GroupingExpr>();
      const ExprList args = many(source.args);
      if (!changed) return expr;
      auto* out = make_node<GroupingExpr>(arena, source);
      out->args = args;
      return out;
    }
    case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain: {
      const auto& source = expr->as<UnaryExpr>();
      const Expr* arg = one(source.arg);
      if (!changed) return expr;
      auto* out = make_node<UnaryExpr>(arena, source);
      out->arg = arg;
      return out;
    }
    case ExprKind::kArrayCast: {
      const auto& source = expr->as<ArrayCastExpr>();
      const Expr* arg = one(source.arg);
      const Expr* element = one(source.element);
      if (!changed) return expr;
      auto* out = make_node<ArrayCastExpr>(arena, source);
      out->arg = arg;
      out->element = element;
      return out;
    }
    case ExprKind::kBool: {
      const auto& source = expr->as<BoolExpr>();
      const ExprList args = many(source.args);
      if (!changed) return expr;
      auto* out = make_node<BoolExpr>(arena, source);
      out->args = args;
      return out;
    }
    case ExprKind::kCase: {
      const auto& source = expr->as<CaseExpr>();
      const Expr* arg = one(source.arg);
      std::vector<CaseWhen> whens(source.whens.begin(), source.whens.end());
      for (CaseWhen& when : whens) {
        when.condition = one(when.condition);
        when.result = one(when.result);
      }
      const Expr* otherwise = one(source.otherwise);
      if (!changed) return expr;
      auto* out = make_node<CaseExpr>(arena, source);
      out->arg = arg;
      out->whens = copy_list(arena, whens);
      out->otherwise = otherwise;
      return out;
    }
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast: case ExprKind::kArray: {
      const auto& source = expr->as<ListExpr>();
      const ExprList args = many(source.args);
      if (!changed) return expr;
      auto* out = make_node<ListExpr>(arena, source);
      out->args = args;
      return out;
    }
    case ExprKind::kNullTest: case ExprKind::kBoolTest: {
      const auto& source = expr->as<TestExpr>();
      const Expr* arg = one(source.arg);
      if (!changed) return expr;
      auto* out = make_node<TestExpr>(arena, source);
      out->arg = arg;
      return out;
    }
    case ExprKind::kArrayCompare: {
      const auto& source = expr->as<ArrayCompareExpr>();
      const Expr* left = one(source.left);
      const Expr* array = one(source.array);
      if (!changed) return expr;
      auto* out = make_node<ArrayCompareExpr>(arena, source);
      out->left = left;
      out->array = array;
      return out;
    }
    case ExprKind::kRow: {
      const auto& source = expr->as<RowExpr>();
      const ExprList args = many(source.args);
      if (!changed) return expr;
      auto* out = make_node<RowExpr>(arena, source);
      out->args = args;
      return out;
    }
    case ExprKind::kRowCompare: {
      const auto& source = expr->as<RowCompareExpr>();
      const ExprList left = many(source.left);
      const ExprList right = many(source.right);
      if (!changed) return expr;
      auto* out = make_node<RowCompareExpr>(arena, source);
      out->left = left;
      out->right = right;
      // The comparisons follow the pairs they compare.
      const auto follow = [&](std::span<const FunctionExpr* const> comparisons) {
        std::vector<const FunctionExpr*> renewed;
        for (std::size_t i = 0; i < comparisons.size(); ++i) {
          auto* call = make_node<FunctionExpr>(arena, *comparisons[i]);
          std::vector<const Expr*> args{left[i], right[i]};
          // A comparison may cast its side further: keep such casts around the renewed side.
          const auto graft = [&](auto&& self, const Expr* e) -> const Expr* {
            if (e == source.left[i]) return left[i];
            if (e == source.right[i]) return right[i];
            return mutate_children(arena, e, [&](const Expr* child) { return self(self, child); });
          };
          for (std::size_t k = 0; k < 2 && k < call->args.size(); ++k) args[k] = graft(graft, comparisons[i]->args[k]);
          call->args = copy_list<const Expr*>(arena, args);
          renewed.push_back(call);
        }
        return copy_list<const FunctionExpr*>(arena, renewed);
      };
      out->less = follow(source.less);
      out->equal = follow(source.equal);
      return out;
    }
    case ExprKind::kSubscript: {
      const auto& source = expr->as<SubscriptExpr>();
      const Expr* array = one(source.array);
      const ExprList upper = many(source.upper);
      const ExprList lower = many(source.lower);
      const Expr* store = source.store != nullptr ? one(source.store) : nullptr;
      if (!changed) return expr;
      auto* out = make_node<SubscriptExpr>(arena, source);
      out->array = array;
      out->upper = upper;
      out->lower = lower;
      out->store = store;
      return out;
    }
    case ExprKind::kField: {
      const auto& source = expr->as<FieldExpr>();
      const Expr* record = one(source.record);
      if (!changed) return expr;
      auto* out = make_node<FieldExpr>(arena, source);
      out->record = record;
      return out;
    }
    case ExprKind::kSubLink: {
      const auto& source = expr->as<SubLinkExpr>();
      const Expr* test = one(source.test);
      if (!changed) return expr;
      auto* out = make_node<SubLinkExpr>(arena, source);
      out->test = test;
      return out;
    }
  }
  return expr;
}

const Expr* rewrite(Arena& arena, const Expr* expr, const ExprMutator& mutate) {
  if (expr == nullptr) return nullptr;
  const Expr* inner = mutate_children(arena, expr, [&](const Expr* child) { return rewrite(arena, child, mutate); });
  const Expr* out = mutate(inner);
  return out != nullptr ? out : inner;
}

std::vector<const Expr*> split_conjuncts(const Expr* condition) {
  std::vector<const Expr*> out;
  const auto add = [&](auto&& self, const Expr* expr) -> void {
    if (expr->kind == ExprKind::kBool && expr->as<BoolExpr>().op == BoolOp::kAnd) {
      for (const Expr* arg : expr->as<BoolExpr>().args) self(self, arg);
    } else {
      out.push_back(expr);
    }
  };
  if (condition != nullptr) add(add, condition);
  return out;
}

const Expr* make_conjunction(Arena& arena, std::span<const Expr* const> conjuncts) {
  if (conjuncts.empty()) return nullptr;
  if (conjuncts.size() == 1) return conjuncts[0];
  auto* out = make_node<BoolExpr>(arena);
  out->op = BoolOp::kAnd;
  out->type = kBool;
  out->args = copy_list<const Expr*>(arena, conjuncts);
  return out;
}

std::vector<ColumnUse> collect_columns(const Expr* expr, int level) {
  std::vector<ColumnUse> out;
  any_deep(expr, true, 0, [&](const Expr* node, int below) {
    if (node->kind != ExprKind::kColumn) return false;
    const auto& column = node->as<ColumnExpr>();
    if (column.levels_up != level + below) return false;
    const ColumnUse use{column.range, column.column};
    if (std::find(out.begin(), out.end(), use) == out.end()) out.push_back(use);
    return false;
  });
  return out;
}

std::uint64_t range_bits(const Expr* expr) {
  std::uint64_t bits = 0;
  any_deep(expr, true, 0, [&](const Expr* node, int below) {
    if (node->kind == ExprKind::kColumn && node->as<ColumnExpr>().levels_up == below && node->as<ColumnExpr>().range < 64) {
      bits |= std::uint64_t{1} << node->as<ColumnExpr>().range;
    }
    return false;
  });
  return bits;
}

bool is_constant(const Expr* expr) { return expr->kind == ExprKind::kConst; }

bool contains_volatile(const Expr* expr) {
  return any_deep(expr, true, 0, [](const Expr* node, int) {
    if (is_call(node)) return node->as<FunctionExpr>().function->volatility == Volatility::kVolatile;
    if (node->kind == ExprKind::kArrayCompare) return node->as<ArrayCompareExpr>().function->volatility == Volatility::kVolatile;
    return false;
  });
}

bool contains_routine(const Expr* expr) {
  return any_node(expr, [](const Expr* node) {
    if (node->kind == ExprKind::kDomain) return domain_waits(node->type);
    return is_call(node) && node->as<FunctionExpr>().function->routine != nullptr;
  });
}

namespace {

// The operand of text || anything that is not text: PostgreSQL looks at what the operator comes to, a cast of it to text.
const Expr* shown_as_text(const FunctionExpr& call) {
  constexpr Oid kTextAny = 2003, kAnyText = 2004;
  if (call.args.size() != 2 || (call.function->oid != kTextAny && call.function->oid != kAnyText)) return nullptr;
  return call.args[call.function->oid == kTextAny ? 1 : 0];
}

bool is_immutable_function(Oid oid) {
  const FunctionDef* function = find_function(oid);
  return function == nullptr || function->volatility == Volatility::kImmutable;
}

bool is_immutable_text(const FunctionExpr& call) {
  const Expr* shown = shown_as_text(call);
  const TypeFunctions* functions = shown != nullptr ? find_type_functions(shown->type) : nullptr;
  return functions != nullptr && is_immutable_function(functions->output);
}

}  // namespace

bool contains_mutable(const Expr* expr) {
  return any_deep(expr, true, 0, [](const Expr* node, int) {
    switch (node->kind) {
      case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: {
        const auto& call = node->as<FunctionExpr>();
        return call.function->volatility != Volatility::kImmutable && !is_immutable_text(call);
      }
      case ExprKind::kArrayCompare: return node->as<ArrayCompareExpr>().function->volatility != Volatility::kImmutable;
      case ExprKind::kIoCast: {
        const TypeFunctions* from = find_type_functions(node->as<UnaryExpr>().arg->type);
        const TypeFunctions* to = find_type_functions(node->type);
        return (from != nullptr && !is_immutable_function(from->output)) || (to != nullptr && !is_immutable_function(to->input));
      }
      case ExprKind::kSqlValue: return true;
      default: return false;
    }
  });
}

bool is_statement_constant(const Expr* expr) {
  const bool varies = any_node(expr, [](const Expr* node) {
    switch (node->kind) {
      case ExprKind::kColumn: case ExprKind::kSlot: case ExprKind::kSubColumn: case ExprKind::kSubLink: case ExprKind::kAggregate:
      case ExprKind::kWindow: case ExprKind::kGrouping: return true;
      default: return node->returns_set;
    }
  });
  return !varies && !contains_volatile(expr) && !contains_routine(expr);
}

namespace {

// Functions that are stable only because they look at the time stamps or the time zone that EvalContext carries.
bool is_stable_without_session(const FunctionDef& function) {
  constexpr std::array<std::string_view, 19> kNames{
      "now", "transaction_timestamp", "statement_timestamp", "date", "timestamp", "timestamptz", "timezone", "date_trunc", "date_part",
      "extract", "to_char", "to_timestamp", "to_date", "age", "time", "make_timestamptz", "timetz", "generate_series", "text"};
  if (std::find(kNames.begin(), kNames.end(), function.name) != kNames.end()) return true;
  return function.name.starts_with("timestamp") || function.name.starts_with("date_") || function.name.starts_with("interval");
}

bool needs_catalog(Oid type) {
  switch (type) {
    case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation: case kAclItem:
      return true;
    default: {
      const TypeInfo* info = find_type(type);
      if (info != nullptr && info->category == 'A' && info->element != 0) return needs_catalog(info->element);
      return type >= kFirstUserOid;
    }
  }
}

}  // namespace

bool is_pure(const Expr* expr) {
  return !any_node(expr, [](const Expr* node) {
    switch (node->kind) {
      case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: {
        const FunctionDef& function = *node->as<FunctionExpr>().function;
        if (is_immutable_text(node->as<FunctionExpr>())) return needs_catalog(shown_as_text(node->as<FunctionExpr>())->type);
        if (function.returns_set || function.routine != nullptr || function.volatility == Volatility::kVolatile) return true;
        return function.volatility == Volatility::kStable && !is_stable_without_session(function);
      }
      case ExprKind::kArrayCompare: return node->as<ArrayCompareExpr>().function->volatility != Volatility::kImmutable;
      case ExprKind::kDomain: return true;
      case ExprKind::kIoCast: return needs_catalog(node->type) || needs_catalog(node->as<UnaryExpr>().arg->type);
      case ExprKind::kSqlValue:
        switch (node->as<SqlValueExpr>().value) {
          case SqlValue::kCurrentDate: case SqlValue::kCurrentTime: case SqlValue::kCurrentTimestamp: case SqlValue::kLocalTime:
          case SqlValue::kLocalTimestamp: return false;
          default: return true;
        }
      case ExprKind::kSubLink: case ExprKind::kAggregate: case ExprKind::kWindow: case ExprKind::kGrouping: return true;
      default: return false;
    }
  });
}

bool contains_param(const Expr* expr) {
  return any_deep(expr, true, 0, [](const Expr* node, int) { return node->kind == ExprKind::kParam; });
}
bool contains_columns(const Expr* expr) {
  return any_node(expr, [](const Expr* node) {
    return node->kind == ExprKind::kColumn || (node->kind == ExprKind::kSubLink && node->as<SubLinkExpr>().query->correlated);
  });
}
bool contains_aggregate(const Expr* expr) {
  return any_node(expr, [](const Expr* node) { return node->kind == ExprKind::kAggregate; });
}
bool contains_window(const Expr* expr) {
  return any_node(expr, [](const Expr* node) { return node->kind == ExprKind::kWindow; });
}
bool contains_set_function(const Expr* expr) {
  return any_node(expr, [](const Expr* node) { return node->returns_set; });
}
bool contains_sublink(const Expr* expr) {
  return any_node(expr, [](const Expr* node) { return node->kind == ExprKind::kSubLink; });
}

namespace {

bool equal_lists(ExprList a, ExprList b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

bool equal_constants(const ConstExpr& a, const ConstExpr& b) {
  if (a.value.is_null || b.value.is_null) return a.value.is_null == b.value.is_null;
  const TypeInfo* info = find_type(a.type);
  const Rep rep = info != nullptr ? info->rep : Rep::kBytes;
  if (rep == Rep::kBytes || rep == Rep::kFixed16) return a.value.bytes() == b.value.bytes();
  return a.value.i == b.value.i;   // doubles bit by bit
}

}  // namespace

bool equal(const Expr* a, const Expr* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr) return false;
  if (a->kind != b->kind || a->type != b->type) return false;
  switch (a->kind) {
    case ExprKind::kConst: return a->typmod == b->typmod && equal_constants(a->as<ConstExpr>(), b->as<ConstExpr>());
    case ExprKind::kParam: return a->as<ParamExpr>().index == b->as<ParamExpr>().index;
    case ExprKind::kColumn: {
      const auto& x = a->as<ColumnExpr>();
      const auto& y = b->as<ColumnExpr>();
      return x.range == y.range && x.column == y.column && x.levels_up == y.levels_up;
    }
    case ExprKind::kSlot: return a->as<SlotExpr>().slot == b->as<SlotExpr>().slot;
    case ExprKind::kSubColumn: return a->as<SubColumnExpr>().column == b->as<SubColumnExpr>().column;
    case ExprKind::kElement: case ExprKind::kTestValue: case ExprKind::kSetToDefault: return true;
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: {
      const auto& x = a->as<FunctionExpr>();
      const auto& y = b->as<FunctionExpr>();
      return x.function == y.function && a->typmod == b->typmod && equal_lists(x.args, y.args);
    }
    case ExprKind::kAggregate: {
      const auto& x = a->as<AggregateExpr>();
      const auto& y = b->as<AggregateExpr>();
      if (x.aggregate != y.aggregate || x.levels_up != y.levels_up || x.distinct != y.distinct || x.star != y.star || !equal_lists(x.args, y.args) ||
          !equal_lists(x.direct_args, y.direct_args) || x.order_by.size() != y.order_by.size()) {
        return false;
      }
      if ((x.filter == nullptr) != (y.filter == nullptr) || (x.filter != nullptr && !equal(x.filter, y.filter))) return false;
      for (std::size_t i = 0; i < x.order_by.size(); ++i) {
        if (!equal(x.order_by[i].expr, y.order_by[i].expr) || x.order_by[i].descending != y.order_by[i].descending ||
            x.order_by[i].nulls_first != y.order_by[i].nulls_first) {
          return false;
        }
      }
      return true;
    }
    case ExprKind::kWindow: {
      const auto& x = a->as<WindowExpr>();
      const auto& y = b->as<WindowExpr>();
      return x.function == y.function && x.aggregate == y.aggregate && x.window == y.window && x.star == y.star &&
             equal_lists(x.args, y.args) && (x.filter == nullptr) == (y.filter == nullptr) &&
             (x.filter == nullptr || equal(x.filter, y.filter));
    }
    case ExprKind::kGrouping: return equal_lists(a->as<GroupingExpr>().args, b->as<GroupingExpr>().args);
    case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain:
      return a->typmod == b->typmod && a->as<UnaryExpr>().collate == b->as<UnaryExpr>().collate &&
             equal(a->as<UnaryExpr>().arg, b->as<UnaryExpr>().arg);
    case ExprKind::kArrayCast:
      return equal(a->as<ArrayCastExpr>().arg, b->as<ArrayCastExpr>().arg) &&
             equal(a->as<ArrayCastExpr>().element, b->as<ArrayCastExpr>().element);
    case ExprKind::kBool:
      return a->as<BoolExpr>().op == b->as<BoolExpr>().op && equal_lists(a->as<BoolExpr>().args, b->as<BoolExpr>().args);
    case ExprKind::kCase: {
      const auto& x = a->as<CaseExpr>();
      const auto& y = b->as<CaseExpr>();
      if ((x.arg == nullptr) != (y.arg == nullptr) || (x.arg != nullptr && !equal(x.arg, y.arg)) || x.whens.size() != y.whens.size()) {
        return false;
      }
      for (std::size_t i = 0; i < x.whens.size(); ++i) {
        if (!equal(x.whens[i].condition, y.whens[i].condition) || !equal(x.whens[i].result, y.whens[i].result)) return false;
      }
      return equal(x.otherwise, y.otherwise);
    }
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast: case ExprKind::kArray:
      return equal_lists(a->as<ListExpr>().args, b->as<ListExpr>().args);
    case ExprKind::kNullTest: case ExprKind::kBoolTest:
      return a->as<TestExpr>().test == b->as<TestExpr>().test && equal(a->as<TestExpr>().arg, b->as<TestExpr>().arg);
    case ExprKind::kArrayCompare: {
      const auto& x = a->as<ArrayCompareExpr>();
      const auto& y = b->as<ArrayCompareExpr>();
      return x.function == y.function && x.all == y.all && equal(x.left, y.left) && equal(x.array, y.array);
    }
    case ExprKind::kRow: return equal_lists(a->as<RowExpr>().args, b->as<RowExpr>().args);
    case ExprKind::kRowCompare: {
      const auto& x = a->as<RowCompareExpr>();
      const auto& y = b->as<RowCompareExpr>();
      return x.op == y.op && equal_lists(x.left, y.left) && equal_lists(x.right, y.right);
    }
    case ExprKind::kSubscript: {
      const auto& x = a->as<SubscriptExpr>();
      const auto& y = b->as<SubscriptExpr>();
      return x.slice == y.slice && equal(x.store, y.store) && equal(x.array, y.array) && equal_lists(x.upper, y.upper) && equal_lists(x.lower, y.lower);
    }
    case ExprKind::kField:
      return a->as<FieldExpr>().field == b->as<FieldExpr>().field && equal(a->as<FieldExpr>().record, b->as<FieldExpr>().record);
    case ExprKind::kSubLink: {
      const auto& x = a->as<SubLinkExpr>();
      const auto& y = b->as<SubLinkExpr>();
      if (x.query == y.query) return x.link == y.link;
      return x.link == y.link && (x.test == nullptr) == (y.test == nullptr) && (x.test == nullptr || equal(x.test, y.test)) &&
             equal_queries(*x.query, *y.query);
    }
    case ExprKind::kSqlValue: return a->as<SqlValueExpr>().value == b->as<SqlValueExpr>().value && a->typmod == b->typmod;
  }
  return false;
}

std::uint64_t hash(const Expr* expr) {
  std::uint64_t out = (static_cast<std::uint64_t>(expr->kind) << 32) ^ expr->type;
  const auto mix = [&](std::uint64_t value) { out = (out ^ value) * 0x9E3779B97F4A7C15ULL + (out >> 29); };
  switch (expr->kind) {
    case ExprKind::kConst: {
      const auto& constant = expr->as<ConstExpr>();
      const TypeInfo* info = find_type(constant.type);
      if (constant.value.is_null) {
        mix(1);
      } else if (info == nullptr || info->rep == Rep::kBytes || info->rep == Rep::kFixed16) {
        mix(std::hash<std::string_view>{}(constant.value.bytes()));
      } else {
        mix(static_cast<std::uint64_t>(constant.value.i));
      }
      break;
    }
    case ExprKind::kParam: mix(expr->as<ParamExpr>().index); break;
    case ExprKind::kColumn: {
      const auto& column = expr->as<ColumnExpr>();
      mix((std::uint64_t{column.range} << 32) ^ static_cast<std::uint16_t>(column.column) ^ (std::uint64_t{column.levels_up} << 48));
      break;
    }
    case ExprKind::kSlot: mix(expr->as<SlotExpr>().slot); break;
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: mix(expr->as<FunctionExpr>().function->oid); break;
    case ExprKind::kAggregate: mix(expr->as<AggregateExpr>().aggregate->oid); break;
    case ExprKind::kWindow: mix(expr->as<WindowExpr>().window); break;
    default: break;
  }
  children(*expr, [&](const Expr* child) { mix(hash(child)); });
  return out;
}

const Expr* commute(Arena& arena, const FunctionExpr& expr) {
  if (expr.op == nullptr || expr.args.size() != 2 || expr.op->commutator == 0) return nullptr;
  const OperatorDef* op = find_operator(expr.op->commutator);
  const FunctionDef* function = op != nullptr ? find_function(op->function) : nullptr;
  if (function == nullptr) return nullptr;
  auto* out = make_node<FunctionExpr>(arena, expr);
  out->op = op;
  out->function = function;
  const std::array<const Expr*, 2> args{expr.args[1], expr.args[0]};
  out->args = copy_list<const Expr*>(arena, std::span<const Expr* const>(args));
  const std::array<Oid, 4> types{args[0]->type, args[1]->type, expr.type, expr.collation};   // the collation behind them
  out->types = copy_list<Oid>(arena, std::span<const Oid>(types)).first(3);
  return out;
}

const Expr* negate(Arena& arena, const Expr* expr) {
  const auto wrap = [&](const Expr* arg) {
    auto* out = make_node<BoolExpr>(arena);
    out->op = BoolOp::kNot;
    out->type = kBool;
    out->args = copy_list<const Expr*>(arena, std::span<const Expr* const>(&arg, 1));
    return out;
  };
  switch (expr->kind) {
    case ExprKind::kConst: {
      const auto& constant = expr->as<ConstExpr>();
      return constant.value.is_null ? expr : make_bool(arena, constant.value.i == 0);
    }
    case ExprKind::kFunction: {
      const auto& call = expr->as<FunctionExpr>();
      if (call.op == nullptr || call.op->negator == 0) return wrap(expr);
      const OperatorDef* op = find_operator(call.op->negator);
      const FunctionDef* function = op != nullptr ? find_function(op->function) : nullptr;
      if (function == nullptr) return wrap(expr);
      auto* out = make_node<FunctionExpr>(arena, call);
      out->op = op;
      out->function = function;
      return out;
    }
    case ExprKind::kBool: {
      const auto& boolean = expr->as<BoolExpr>();
      if (boolean.op == BoolOp::kNot) return boolean.args[0];
      auto* out = make_node<BoolExpr>(arena, boolean);
      out->op = boolean.op == BoolOp::kAnd ? BoolOp::kOr : BoolOp::kAnd;
      std::vector<const Expr*> args;
      for (const Expr* arg : boolean.args) args.push_back(negate(arena, arg));
      out->args = copy_list<const Expr*>(arena, args);
      return out;
    }
    case ExprKind::kNullTest: case ExprKind::kBoolTest: {
      const auto& test = expr->as<TestExpr>();
      if (test.of_row) return wrap(expr);   // a row can be neither null nor not null
      auto* out = make_node<TestExpr>(arena, test);
      // The pairs stand side by side in TestOp.
      out->test = static_cast<TestOp>(static_cast<std::uint8_t>(test.test) ^ 1);
      return out;
    }
    default: return wrap(expr);
  }
}
static_assert((static_cast<int>(TestOp::kIsNull) ^ 1) == static_cast<int>(TestOp::kIsNotNull) &&
              (static_cast<int>(TestOp::kIsUnknown) ^ 1) == static_cast<int>(TestOp::kIsNotUnknown));

const ConstExpr* make_constant(Arena& arena, Oid type, std::int32_t typmod, Value value) {
  auto* out = make_node<ConstExpr>(arena);
  out->type = type;
  out->typmod = typmod;
  out->value = value;
  return out;
}
const ConstExpr* make_bool(Arena& arena, bool value) { return make_constant(arena, kBool, -1, Value::of_bool(value)); }
const ConstExpr* make_null(Arena& arena, Oid type) { return make_constant(arena, type, -1, Value::null()); }

const SlotExpr* make_slot(Arena& arena, std::uint32_t slot, Oid type, std::int32_t typmod, std::uint16_t collation) {
  auto* out = make_node<SlotExpr>(arena);
  out->slot = slot;
  out->collation = collation;
  out->type = type;
  out->typmod = typmod;
  return out;
}

const SlotExpr* make_slot(Arena& arena, std::uint32_t slot, const Expr& of) { return make_slot(arena, slot, of.type, of.typmod, of.collation); }

const FunctionExpr* make_comparison(Arena& arena, int btree_strategy, const Expr* left, const Expr* right) {
  constexpr std::array<std::string_view, 6> kSymbols{"", "<", "<=", "=", ">=", ">"};
  const auto usable = [&](Oid declared, Oid actual) {
    if (declared == actual) return true;
    if (declared == kAnyArray) {
      const TypeInfo* info = find_type(actual);
      return info != nullptr && info->category == 'A';
    }
    if (declared == kAnyEnum) return type_kind(actual) == 'e';
    if (declared == kAnyRange) return type_kind(actual) == 'r';
    if (declared == kAnyMultirange) return type_kind(actual) == 'm';
    if (declared == kRecord) return type_kind(actual) == 'c';
    // varchar compares as text.
    return declared == kText && actual == kVarchar;
  };
  for (const OperatorDef* op : find_operators(kSymbols[static_cast<std::size_t>(btree_strategy)])) {
    if (op->btree_strategy != btree_strategy || !usable(op->left, left->type) || !usable(op->right, right->type)) continue;
    const FunctionDef* function = find_function(op->function);
    if (function == nullptr) continue;
    auto* out = make_node<FunctionExpr>(arena);
    out->op = op;
    out->function = function;
    const std::array<const Expr*, 2> args{left, right};
    out->args = copy_list<const Expr*>(arena, std::span<const Expr* const>(args));
    const std::array<Oid, 3> types{left->type, right->type, kBool};
    out->types = copy_list<Oid>(arena, std::span<const Oid>(types));
    out->type = kBool;
    out->form = CallForm::kOperator;
    return out;
  }
  return nullptr;
}

}  // namespace wandian::sql
