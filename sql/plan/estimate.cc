// How many rows: selectivities of conditions, of joins, and numbers of groups, from statistics where there are some. The formulas are
// those of PostgreSQL's selfuncs.c.
#include <algorithm>
#include <cmath>

#include "engine/array_value.h"
#include "sql/plan/planner.h"
#include "sql/statistics/statistics_store.h"

namespace wandian::sql {

namespace {

// Without statistics.
constexpr double kEquality = 0.005, kInequality = 0.33, kMatch = 0.005, kUnknown = 0.5, kDefaultDistinct = 200;

const Expr* strip(const Expr* expr) {
  while (expr->kind == ExprKind::kRelabel) expr = expr->as<UnaryExpr>().arg;
  return expr;
}

double sum(const std::vector<double>& numbers) {
  double out = 0;
  for (const double number : numbers) out += number;
  return out;
}

// The share of values below `value`, by the histogram's parts; within a part of numbers by interpolation.
double histogram_share(const ColumnStatistics& column, const Value& value) {
  const std::vector<Value>& bounds = column.histogram;
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), value,
                                   [&](const Value& a, const Value& b) { return compare_values(column.order, a, b) < 0; });
  if (at == bounds.begin()) return 0;
  if (at == bounds.end()) return 1;
  const Value &low = *(at - 1), &high = *at;
  double within = 0.5;
  if (column.order == Order::kInteger || column.order == Order::kUnsigned) {
    const double width = static_cast<double>(high.i) - static_cast<double>(low.i);
    if (width > 0) within = (static_cast<double>(value.i) - static_cast<double>(low.i)) / width;
  } else if (column.order == Order::kFloat) {
    const double width = high.d - low.d;
    if (width > 0 && std::isfinite(width)) within = (value.d - low.d) / width;
  }
  return (static_cast<double>(at - bounds.begin() - 1) + std::clamp(within, 0.0, 1.0)) / static_cast<double>(bounds.size() - 1);
}

bool holds(int strategy, int order) {
  switch (strategy) {
    case 1: return order < 0;
    case 2: return order <= 0;
    case 4: return order >= 0;
    default: return order > 0;
  }
}

}  // namespace

double Planner::table_rows(const TableDef& table) { return count_live_rows(table); }

const TableStatistics* Planner::statistics_of(const TableDef& table) {
  if (context_.statistics == nullptr) return nullptr;
  const auto [at, added] = statistics_.try_emplace(table.oid);
  if (added) at->second = context_.statistics->find(table.oid);
  return at->second.get();
}

const ColumnStatistics* Planner::statistics_of(const Expr* expr) {
  expr = strip(expr);
  if (expr->kind != ExprKind::kSlot) return nullptr;
  const Slot slot = expr->as<SlotExpr>().slot;
  if (slot >= slot_columns_.size() || slot_columns_[slot].table == nullptr) return nullptr;
  const SlotColumn& column = slot_columns_[slot];
  const TableStatistics* table = statistics_of(*column.table);
  return table == nullptr ? nullptr : table->column(column.column, column.table->columns[column.column].type);
}

double Planner::distinct_of(const Expr* expr) {
  expr = strip(expr);
  if (expr->kind != ExprKind::kSlot) return 0;
  const Slot slot = expr->as<SlotExpr>().slot;
  if (slot >= slot_columns_.size() || slot_columns_[slot].table == nullptr) return 0;
  const SlotColumn& column = slot_columns_[slot];
  const double rows = std::max(1.0, table_rows(*column.table));
  for (std::size_t i = 0; i < column.table->indexes.size(); ++i) {
    const IndexDef& index = column.table->indexes[i];
    const bool alone = i == 0 ? !column.table->hidden_row_number && column.table->codec_columns[0].size() == 1 &&
                                    column.table->codec_columns[0][0] == column.column
                              : index.unique && index.key_parts == 1 && index.parts[0].column == column.column && !column.table->is_computed(static_cast<unsigned>(i));
    if (alone) return rows;
  }
  const ColumnStatistics* known = statistics_of(expr);
  return known == nullptr || known->distinct == 0 ? 0 : std::clamp(distinct_values(*known, rows), 1.0, rows);
}

double Planner::equality_selectivity(const Expr* column, const Expr* value) {
  const ColumnStatistics* known = statistics_of(column);
  const double distinct = distinct_of(column);
  if (known == nullptr) return distinct > 0 ? 1 / distinct : kEquality;
  const double present = 1 - known->null_fraction;
  if (value != nullptr && value->kind == ExprKind::kConst && value->as<ConstExpr>().value.is_null) return 0;
  if (value != nullptr && value->kind == ExprKind::kConst && known->order != Order::kNone && same_key_form(known->type, value->type)) {
    const Value& wanted = value->as<ConstExpr>().value;
    for (std::size_t i = 0; i < known->common.size(); ++i)
      if (compare_values(known->order, known->common[i], wanted) == 0) return known->frequencies[i];
    const double rest = std::clamp(present - sum(known->frequencies), 0.0, 1.0);
    const double others = distinct - static_cast<double>(known->common.size());
    double share = others > 1 ? rest / others : rest;
    if (!known->frequencies.empty()) share = std::min(share, known->frequencies.back());
    return share;
  }
  double share = distinct > 1 ? present / distinct : present;
  if (!known->frequencies.empty()) share = std::min(share, known->frequencies[0]);
  return std::clamp(share, 0.0, 1.0);
}

std::optional<double> Planner::inequality_selectivity(const Expr* column, const Expr* value, int strategy) {
  const ColumnStatistics* known = statistics_of(column);
  if (known == nullptr || value->kind != ExprKind::kConst || known->order == Order::kNone || !same_key_form(known->type, value->type)) return {};
  const Value& bound = value->as<ConstExpr>().value;
  if (bound.is_null) return 0.0;
  double share = 0, common = 0;
  for (std::size_t i = 0; i < known->common.size(); ++i) {
    common += known->frequencies[i];
    if (holds(strategy, compare_values(known->order, known->common[i], bound))) share += known->frequencies[i];
  }
  const double rest = std::max(0.0, 1 - known->null_fraction - common);
  if (known->histogram.size() >= 2) {
    const double below = histogram_share(*known, bound);
    share += rest * (strategy <= 2 ? below : 1 - below);
  } else {
    share += rest / 2;
  }
  return std::clamp(share, 0.0, 1.0);
}

double Planner::selectivity(const Expr* expr) {
  switch (expr->kind) {
    case ExprKind::kConst: return expr->as<ConstExpr>().value.is_null || !expr->as<ConstExpr>().value.as_bool() ? 0.0 : 1.0;
    case ExprKind::kSlot: {
      // A boolean column.
      const ColumnStatistics* known = statistics_of(expr);
      if (known != nullptr)
        for (std::size_t i = 0; i < known->common.size(); ++i)
          if (known->common[i].as_bool()) return known->frequencies[i];
      return kUnknown;
    }
    case ExprKind::kBool: {
      const auto& logic = expr->as<BoolExpr>();
      double s = logic.op == BoolOp::kOr ? 0 : 1;
      for (const Expr* arg : logic.args) {
        const double one = selectivity(arg);
        if (logic.op == BoolOp::kAnd) s *= one;
        else if (logic.op == BoolOp::kOr) s = s + one - s * one;
        else s = 1 - one;
      }
      return std::clamp(s, 0.0, 1.0);
    }
    case ExprKind::kFunction: {
      const auto& call = expr->as<FunctionExpr>();
      if (call.op == nullptr || call.args.size() != 2) return 0.33;
      const Expr* left = strip(call.args[0]);
      const Expr* right = strip(call.args[1]);
      const bool turned = left->kind != ExprKind::kSlot && right->kind == ExprKind::kSlot;
      if (turned) std::swap(left, right);
      const int strategy = call.op->btree_strategy;
      if (strategy == 3) return equality_selectivity(left, right);
      if (strategy != 0) return inequality_selectivity(left, right, turned ? 6 - strategy : strategy).value_or(kInequality);
      const ColumnStatistics* known = statistics_of(left);
      const double present = known == nullptr ? 1 : 1 - known->null_fraction;
      if (call.op->name == "<>") return std::clamp(present - equality_selectivity(left, right), 0.0, 1.0);
      if (call.op->name == "~~" || call.op->name == "~~*" || call.op->name == "~" || call.op->name == "~*") return kMatch;
      if (call.op->name == "!~~" || call.op->name == "!~~*" || call.op->name == "!~" || call.op->name == "!~*") return present - kMatch;
      return 0.1;
    }
    case ExprKind::kArrayCompare: {
      const auto& compare = expr->as<ArrayCompareExpr>();
      if (compare.all || compare.op == nullptr || compare.op->btree_strategy != 3) return kUnknown;
      double share = 0;
      if (compare.array->kind == ExprKind::kArray) {
        for (const Expr* element : compare.array->as<ListExpr>().args) share += equality_selectivity(compare.left, element);
      } else {
        double elements = 10;
        if (compare.array->kind == ExprKind::kConst && !compare.array->as<ConstExpr>().value.is_null)
          elements = ArrayView(compare.array->as<ConstExpr>().value).count();
        share = elements * equality_selectivity(compare.left, nullptr);
      }
      return std::min(statistics_of(compare.left) != nullptr ? 1.0 : kUnknown, share);
    }
    case ExprKind::kNullTest: {
      const bool is_null = expr->as<TestExpr>().test == TestOp::kIsNull;
      const ColumnStatistics* known = statistics_of(expr->as<TestExpr>().arg);
      const double nulls = known == nullptr ? 0.02 : known->null_fraction;
      return is_null ? nulls : 1 - nulls;
    }
    default: return kUnknown;
  }
}

double Planner::selectivity(std::span<Conjunct* const> conjuncts) {
  struct Range {
    Slot slot;
    std::optional<double> lower, upper;   // shares of the rows above the one and below the other
    double nulls;
  };
  std::vector<Range> ranges;
  double out = 1;
  for (const Conjunct* conjunct : conjuncts) {
    if (conjunct->derived) continue;
    const double share = selectivity(conjunct->expr);
    if (conjunct->expr->kind == ExprKind::kFunction) {
      const auto& call = conjunct->expr->as<FunctionExpr>();
      const int strategy = call.op == nullptr || call.args.size() != 2 ? 0 : call.op->btree_strategy;
      const Expr* side = strategy == 0 || strategy == 3 ? nullptr : strip(call.args[0]);
      const bool turned = side != nullptr && side->kind != ExprKind::kSlot;
      if (turned) side = strip(call.args[1]);
      const ColumnStatistics* known = side == nullptr ? nullptr : statistics_of(side);
      if (known != nullptr && call.args[turned ? 0 : 1]->kind == ExprKind::kConst) {
        const Slot slot = side->as<SlotExpr>().slot;
        auto at = std::find_if(ranges.begin(), ranges.end(), [slot](const Range& range) { return range.slot == slot; });
        if (at == ranges.end()) at = ranges.insert(ranges.end(), {slot, {}, {}, known->null_fraction});
        std::optional<double>& bound = ((strategy > 3) != turned) ? at->lower : at->upper;
        bound = std::min(bound.value_or(1), share);
        continue;
      }
    }
    out *= share;
  }
  for (const Range& range : ranges) {
    if (range.lower && range.upper) out *= std::max(*range.lower + *range.upper - 1 + range.nulls, 1e-10);
    else out *= range.lower ? *range.lower : *range.upper;
  }
  return out;
}

std::optional<double> Planner::join_selectivity(const Expr* left, const Expr* right) {
  const double here = distinct_of(left), there = distinct_of(right);
  if (here == 0 && there == 0) return {};
  double out = 1 / std::max({1.0, here == 0 ? kDefaultDistinct : here, there == 0 ? kDefaultDistinct : there});
  for (const Expr* side : {left, right})
    if (const ColumnStatistics* known = statistics_of(side)) out *= 1 - known->null_fraction;
  return out;
}

double Planner::group_count(std::span<const Slot> slots, double rows) {
  double groups = 1;
  bool known = true;
  for (const Slot slot : slots) {
    SlotExpr expr;
    expr.slot = slot;
    const double distinct = distinct_of(&expr);
    known = known && distinct > 0;
    groups *= distinct > 0 ? distinct : kDefaultDistinct;
  }
  if (!known) groups = std::pow(rows, 0.75);
  return std::max(1.0, std::min(groups, rows));
}

}  // namespace wandian::sql
