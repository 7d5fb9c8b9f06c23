// Aggregate calls: plain ones, those over sorted input (WITHIN GROUP), and GROUPING.
#include <algorithm>

#include "sql/bind/internal.h"

namespace wandian::sql {

using namespace type_oid;

void Binder::check_aggregate_place(Scope& scope, std::string_view what, int location) {
  switch (scope.place) {
    case Place::kTarget: case Place::kHaving: case Place::kOrderBy: case Place::kDistinctOn: case Place::kWindowPartition:
    case Place::kWindowOrder: break;
    default:
      fail(at(Status{sqlstate::grouping_error, std::string(what) + " are not allowed in " + std::string(place_name(scope.place))}, location));
  }
}

void Binder::check_ordered_set(const PgQuery__FuncCall& call, const AggregateDef& aggregate, std::span<const Oid> types, std::size_t direct,
                               const std::string& name) {
  const int location = call.location;
  if (aggregate.kind == 'n') {
    if (call.agg_within_group == 0) return;
    fail(at(Status{sqlstate::wrong_object_type, name + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP"}, location));
  }
  if (call.agg_within_group == 0) {
    fail(at(Status{sqlstate::wrong_object_type, "WITHIN GROUP is required for ordered-set aggregate " + name}, location));
  }
  if (call.over != nullptr) {
    fail(at(Status{sqlstate::feature_not_supported, "OVER is not supported for ordered-set aggregate " + name}, location));
  }
  const auto no_function = [&](std::string hint) {
    fail(at(Status{sqlstate::undefined_function, "function " + signature_text(name, types) + " does not exist"}.with_hint(std::move(hint)), location));
  };
  const std::size_t sorted = types.size() - direct;
  if (aggregate.variadic != 0) {
    if (direct == sorted) return;
    no_function("To use the hypothetical-set aggregate " + name + ", the number of hypothetical direct arguments (here " +
                std::to_string(direct) + ") must match the number of ordering columns (here " + std::to_string(sorted) + ").");
  }
  if (direct == aggregate.direct_args) return;
  no_function("There is an ordered-set aggregate " + name + ", but it requires " + std::to_string(aggregate.direct_args) +
              (aggregate.direct_args == 1 ? " direct argument, not " : " direct arguments, not ") + std::to_string(direct) + ".");
}

void Binder::unify_hypothetical(std::vector<const Expr*>& args, std::vector<Oid>& types, std::size_t direct) {
  for (std::size_t i = 0; i < direct; ++i) {
    const Expr* pair[] = {args[direct + i], args[i]};
    const Oid type = common_type(pair, "WITHIN GROUP");
    for (const std::size_t at : {i, direct + i}) {
      args[at] = coerce_common(args[at], type, "WITHIN GROUP");
      types[at] = args[at]->type;
    }
  }
}

std::vector<SortKey> Binder::bind_aggregate_order(Scope& scope, const PgQuery__FuncCall& call, std::span<const Expr* const> args, bool distinct) {
  std::vector<SortKey> order;
  for (std::size_t i = 0; i < call.n_agg_order; ++i) {
    const PgQuery__SortBy& by = *call.agg_order[i]->sort_by;
    if (call.agg_within_group != 0) {
      order.push_back(sort_key(by, args[i]));
      continue;
    }
    const bool outer = std::exchange(scope.in_aggregate, true);
    const Expr* expr = bind_expr(scope, by.node);
    scope.in_aggregate = outer;
    // A literal of no type yet is no argument, which has got one.
    const bool untyped = expr->type == kUnknown;
    if (untyped) expr = coerce(expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    // The same expression as an argument is that argument, with its coercion.
    for (const Expr* arg : args) {
      const Expr* bare = arg;
      while (bare->kind == ExprKind::kRelabel && bare->as<UnaryExpr>().collate.empty()) bare = bare->as<UnaryExpr>().arg;
      if (!untyped && (equal(expr, bare) || equal(expr, arg))) {
        expr = arg;
        break;
      }
    }
    order.push_back(sort_key(by, expr));
    if (distinct && (untyped || std::none_of(args.begin(), args.end(), [&](const Expr* arg) { return equal(arg, expr); }))) {
      fail(at(Status{sqlstate::invalid_column_reference,
                     "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"},
              expr->location));
    }
  }
  return order;
}

const Expr* Binder::bind_aggregate(Scope& scope, const PgQuery__FuncCall& call, const Candidate& chosen, std::vector<const Expr*> args,
                                   std::size_t direct, std::string_view name) {
  const int location = call.location;
  auto* out = make<AggregateExpr>();
  out->aggregate = chosen.aggregate;
  out->location = location;
  out->star = call.agg_star != 0;
  out->distinct = call.agg_distinct != 0;
  if (args.empty() && !out->star) {
    fail(at(Status{sqlstate::wrong_object_type, std::string(name) + "(*) must be used to call a parameterless aggregate function"}, location));
  }
  if (call.agg_filter != nullptr) out->filter = bind_condition(scope, call.agg_filter, Place::kFilter, "FILTER");
  const std::span<const Expr* const> sorted = std::span<const Expr* const>(args).subspan(direct);
  const std::vector<SortKey> order = bind_aggregate_order(scope, call, sorted, out->distinct);
  if (out->distinct) {
    for (const Expr* arg : args) {
      if (is_order_by_type(arg->type)) continue;
      fail(at(Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(arg->type)}, arg->location));
    }
  }
  // An aggregate belongs to the innermost query whose columns, or aggregates, it aggregates; one of neither to its own.
  int lowest = INT32_MAX, lowest_aggregate = INT32_MAX, aggregate_location = -1;
  const auto note_aggregate = [&](const Expr* node, int up) {
    if (up < 0 || up >= lowest_aggregate) return;
    lowest_aggregate = up;
    aggregate_location = node->location;
  };
  const auto look = [&](const Expr* expr) {
    any_node(expr, [&](const Expr* node) {
      if (node->kind == ExprKind::kColumn) lowest = std::min<int>(lowest, node->as<ColumnExpr>().levels_up);
      if (node->kind == ExprKind::kSubLink) {
        any_query_expr(*node->as<SubLinkExpr>().query, true, [&](const Expr* inner, int level) {
          if (inner->kind == ExprKind::kColumn) {
            const int up = inner->as<ColumnExpr>().levels_up - level - 1;
            if (up >= 0) lowest = std::min(lowest, up);
          }
          if (inner->kind == ExprKind::kAggregate) note_aggregate(inner, inner->as<AggregateExpr>().levels_up - level - 1);
          return false;
        });
      }
      if (node->kind == ExprKind::kAggregate) note_aggregate(node, node->as<AggregateExpr>().levels_up);
      if (node->kind == ExprKind::kGrouping) note_aggregate(node, 0);
      if (node->kind == ExprKind::kWindow) {
        fail(at(Status{sqlstate::grouping_error, "aggregate function calls cannot contain window function calls"}, node->location));
      }
      return false;
    });
  };
  for (const Expr* arg : args) look(arg);
  for (const SortKey& key : order) look(key.expr);
  look(out->filter);
  const int level = std::min(lowest, lowest_aggregate);
  if (lowest_aggregate != INT32_MAX && level == lowest_aggregate) {
    fail(at(Status{sqlstate::grouping_error, "aggregate function calls cannot be nested"}, aggregate_location));
  }
  Scope* owner = &scope;
  if (level != INT32_MAX) {
    out->levels_up = static_cast<std::uint16_t>(level);
    for (int up = 0; up < level; ++up) owner = owner->parent;
    check_direct_arguments(std::span<const Expr* const>(args).first(direct), level);
    mark_correlated(scope, level);
  }
  check_aggregate_place(*owner, "aggregate functions", location);

  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  std::vector<Oid> declared = chosen.args;
  const Oid result = resolve_polymorphic(types, &declared, chosen.aggregate->result, name);
  types.push_back(result);
  out->direct_args = keep(std::vector<const Expr*>(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(direct)));
  out->args = keep(std::vector<const Expr*>(sorted.begin(), sorted.end()));
  out->types = keep(types);
  out->order_by = keep(order);
  out->type = result;
  if (owner->query != nullptr) {
    for (const RangeEntry* range : owner->ranges) {
      if (range->self_reference)
        fail(at(Status{sqlstate::invalid_recursion, "aggregate functions are not allowed in a recursive query's recursive term"}, location));
    }
    owner->query->has_aggregates = true;
    owner->query->grouped = true;
  }
  return out;
}

// Direct arguments are computed once a group of the query that the aggregate belongs to.
void Binder::check_direct_arguments(std::span<const Expr* const> direct, int level) {
  if (level == 0) return;
  for (const Expr* arg : direct) {
    any_node(arg, [&](const Expr* node) {
      const auto lower = [&](const Expr* part, int below) {
        if (part->kind != ExprKind::kColumn) return false;
        const int up = part->as<ColumnExpr>().levels_up - below;
        if (up < 0 || up >= level) return false;
        fail(at(Status{sqlstate::grouping_error, "outer-level aggregate cannot contain a lower-level variable in its direct arguments"}, part->location));
      };
      if (node->kind == ExprKind::kSubLink)
        any_query_expr(*node->as<SubLinkExpr>().query, true, [&](const Expr* inner, int below) { return lower(inner, below + 1); });
      return lower(node, 0);
    });
  }
}

const Expr* Binder::bind_grouping(Scope& scope, const PgQuery__GroupingFunc& call) {
  if (call.n_args > 31) fail(at(Status{sqlstate::too_many_arguments, "GROUPING must have fewer than 32 arguments"}, call.location));
  std::vector<const Expr*> args;
  for (std::size_t i = 0; i < call.n_args; ++i) args.push_back(bind_expr(scope, call.args[i]));
  for (const Expr* arg : args) {
    any_node(arg, [&](const Expr* node) {
      if (node->kind != ExprKind::kGrouping && node->kind != ExprKind::kAggregate) return false;
      fail(at(Status{sqlstate::grouping_error, "aggregate function calls cannot be nested"}, node->location));
    });
  }
  check_aggregate_place(scope, "grouping operations", call.location);
  auto* out = make<GroupingExpr>();
  out->args = keep(args);
  out->type = kInt4;
  out->location = call.location;
  if (scope.query != nullptr) scope.query->grouped = true;
  return out;
}

}  // namespace wandian::sql
