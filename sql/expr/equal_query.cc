// Whether two sub-selects are the same, so that one in ORDER BY is found among the targets and one in a target among the groups.
#include "sql/bind/bound.h"
#include "sql/expr/tree.h"

namespace wandian::sql {

namespace {

bool same(const Expr* a, const Expr* b) { return (a == nullptr) == (b == nullptr) && (a == nullptr || equal(a, b)); }

template <class T, class Compare>
bool same_list(std::span<const T> a, std::span<const T> b, const Compare& compare) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!compare(a[i], b[i])) return false;
  return true;
}
template <class T>
bool same_values(std::span<const T> a, std::span<const T> b) {
  return same_list(a, b, [](const T& x, const T& y) { return x == y; });
}
bool same_exprs(ExprList a, ExprList b) { return same_list(a, b, same); }

bool same_joins(const JoinNode* a, const JoinNode* b) {
  if (a->is_join != b->is_join) return false;
  if (!a->is_join) return a->range == b->range;
  return a->type == b->type && same_joins(a->left, b->left) && same_joins(a->right, b->right) && same(a->on, b->on);
}

bool same_functions(const RangeFunction& a, const RangeFunction& b) {
  return a.column_count == b.column_count && same(a.call, b.call);
}

bool same_ranges(const RangeEntry* a, const RangeEntry* b) {
  if (a->kind != b->kind || a->lateral != b->lateral || a->ordinality != b->ordinality || a->columns.size() != b->columns.size()) return false;
  switch (a->kind) {
    case RangeKind::kTable: case RangeKind::kExcluded: return a->table == b->table;
    case RangeKind::kTransition: return a->new_rows == b->new_rows;
    case RangeKind::kSystem: return a->system == b->system;
    case RangeKind::kSubquery: return equal_queries(*a->query, *b->query);
    case RangeKind::kFunction: return same_list(a->functions, b->functions, same_functions);
    case RangeKind::kValues: return same_list(a->values, b->values, same_exprs);
    case RangeKind::kCte: return a->cte == b->cte && a->cte_levels_up == b->cte_levels_up && !a->self_reference && !b->self_reference;
    case RangeKind::kSetResult: return true;
  }
  return false;
}

bool same_targets(const TargetEntry& a, const TargetEntry& b) { return a.junk == b.junk && same(a.expr, b.expr); }
bool same_order(const OrderItem& a, const OrderItem& b) {
  return a.target == b.target && a.descending == b.descending && a.nulls_first == b.nulls_first;
}

// What such queries rarely have is not looked into.
bool is_plain(const Query& query) {
  return query.command == Command::kSelect && query.ctes.empty() && query.grouping_sets.empty() && query.windows.empty() && !query.has_windows &&
         query.set_operation == nullptr && query.row_marks.empty();
}

}  // namespace

bool equal_queries(const Query& a, const Query& b) {
  if (&a == &b) return true;
  return is_plain(a) && is_plain(b) && a.distinct == b.distinct && a.with_ties == b.with_ties && a.grouped == b.grouped &&
         same_list(a.ranges, b.ranges, same_ranges) && same_list(a.from, b.from, same_joins) && same(a.where, b.where) &&
         same_list(a.targets, b.targets, same_targets) && same_values(a.group_by, b.group_by) && same(a.having, b.having) &&
         same_values(a.distinct_on, b.distinct_on) && same_list(a.order_by, b.order_by, same_order) && same(a.limit, b.limit) &&
         same(a.offset, b.offset);
}

}  // namespace wandian::sql
