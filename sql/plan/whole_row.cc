// Rows of a table or sub-select as values, beyond an outer join.
#include <algorithm>

#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

// A column that is null in no row of the table; -1: none.
int never_null(const TableDef& table) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnDef& column = table.columns[i];
    if (column.dropped) continue;
    const std::vector<std::uint16_t>& primary = table.codec_columns[0];
    if (column.not_null || (!table.hidden_row_number && std::find(primary.begin(), primary.end(), i) != primary.end()))
      return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

bool nullable_side(const JoinNode& node, std::uint16_t range, bool nullable) {
  if (!node.is_join) return nullable && node.range == range;
  const bool left_null = nullable || node.type == JoinType::kRight || node.type == JoinType::kFull;
  const bool right_null = nullable || node.type == JoinType::kLeft || node.type == JoinType::kFull;
  return nullable_side(*node.left, range, left_null) || nullable_side(*node.right, range, right_null);
}

bool Planner::is_nullable(const Query& query, std::uint16_t range) {
  return std::any_of(query.from.begin(), query.from.end(), [&](const JoinNode* node) { return nullable_side(*node, range, false); });
}

bool Planner::shows_presence(const PlanScope& scope, std::size_t range) {
  const auto number = static_cast<std::uint16_t>(range);
  return is_nullable(*scope.query, number) && any_query_expr(*scope.query, true, [&](const Expr* expr, int level) {
           return expr->kind == ExprKind::kRow && expr->as<RowExpr>().whole_range == number && expr->as<RowExpr>().whole_levels_up == level;
         });
}

bool Planner::belongs_to_outer_query(const PlanScope& scope, Slot slot) {
  for (const PlanScope* outer = scope.parent; outer != nullptr; outer = outer->parent)
    for (const RangeInfo& range : outer->ranges) {
      if (contains(range.outputs, slot)) return true;
      for (const auto& [column, of] : range.used)
        if (of == slot) return true;
    }
  return false;
}

// Where the join found no row the value is null, not a row of nulls. Which it is shows in a column that no row lacks; for a table
// without one, a row in which nothing stands is taken for none.
const Expr* Planner::lower_whole_row(const Lowering& lowering, const RowExpr& row, Status* status) {
  const Expr* lowered = mutate_children(arena_, &row, [&](const Expr* child) { return lower_node(lowering, child, status); });
  if (row.whole_range < 0 || lowering.scope == nullptr || lowering.aggregation != nullptr) return lowered;
  const PlanScope* of = lowering.scope;
  for (unsigned up = row.whole_levels_up; up > 0 && of != nullptr; --up) of = of->parent;
  if (of == nullptr) return lowered;
  const PlanScope& scope = *of;
  const auto range = static_cast<std::uint16_t>(row.whole_range);
  if (range >= scope.ranges.size() || !is_nullable(*scope.query, range)) return lowered;
  const RangeEntry& entry = *scope.ranges[range].entry;
  const int column = entry.table != nullptr ? never_null(*entry.table) : -1;
  auto* test = make_node<TestExpr>(arena_, ExprKind::kNullTest);
  test->test = TestOp::kIsNull;
  test->arg = lowered;
  test->of_row = true;
  if (scope.ranges[range].presence != kNoSlot) {
    test->arg = make_slot(arena_, scope.ranges[range].presence, type_oid::kBool, -1);
    test->of_row = false;
  } else if (column >= 0 && static_cast<std::size_t>(column) < row.args.size()) {
    test->arg = lowered->as<RowExpr>().args[static_cast<std::size_t>(column)];
    test->of_row = false;
  }
  test->type = type_oid::kBool;
  auto* out = make_node<CaseExpr>(arena_);
  const CaseWhen absent{test, make_null(arena_, row.type)};
  out->whens = copy_list(arena_, std::span<const CaseWhen>(&absent, 1));
  out->otherwise = lowered;
  out->type = row.type;
  return out;
}

}  // namespace wandian::sql
