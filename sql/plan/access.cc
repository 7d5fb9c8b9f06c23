// How one table is read: which index, which keys, which partition, in which order.
#include <algorithm>
#include <cmath>

#include "engine/array_value.h"
#include "sql/expr/imply.h"
#include "sql/index_expressions.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

// How many rows a set-returning function may give; as many as PostgreSQL takes it for where nothing tells.
double expected_rows(const FunctionExpr& call) {
  const auto constant = [&](std::size_t i) { return i < call.args.size() && call.args[i]->kind == ExprKind::kConst && !call.args[i]->as<ConstExpr>().value.is_null; };
  if (call.function->name == "unnest" && call.args.size() == 1) {
    if (call.args[0]->kind == ExprKind::kArray) return static_cast<double>(std::max<std::size_t>(1, call.args[0]->as<ListExpr>().args.size()));
    return constant(0) ? std::max(1.0, static_cast<double>(ArrayView(call.args[0]->as<ConstExpr>().value).count())) : 10;
  }
  const bool numbers = call.type == type_oid::kInt4 || call.type == type_oid::kInt8;
  if (call.function->name == "generate_series" && numbers && call.args.size() == 2 && constant(0) && constant(1)) {
    const auto bound = [&](std::size_t i) { return static_cast<double>(call.args[i]->as<ConstExpr>().value.i); };
    return std::max(1.0, bound(1) - bound(0) + 1);
  }
  return 1000;
}

// A condition `column op value` or `expression op value` whose value does not depend on the table's own row.
struct Term {
  std::uint16_t column = 0;          // kExpressionPart: `side`
  const Expr* side = nullptr;
  int strategy = 0;                  // 1..5 as in btree families; kAnyStrategy: column = ANY (value)
  const Expr* value = nullptr;
  Conjunct* source = nullptr;
  bool exact = true;                 // the term says all that the condition says
  Order order = Order::kNone;        // the condition's, where a collation gives it one
};
constexpr int kAnyStrategy = 6;

// Whether a key kept in order `key` finds the values that a condition in the order `wanted` means.
bool key_serves(Order key, Order wanted, bool equality) {
  if (key == wanted || (!is_collated(key) && !is_collated(wanted))) return true;
  return equality && is_deterministic(key) && is_deterministic(wanted);
}

const Expr* strip_relabel(const Expr* expr) {
  while (expr->kind == ExprKind::kRelabel) {
    const Expr* arg = expr->as<UnaryExpr>().arg;
    const TypeInfo* outer = find_type(expr->type);
    const TypeInfo* inner = find_type(arg->type);
    if (outer == nullptr || inner == nullptr || outer->order != inner->order || outer->rep != inner->rep) break;
    expr = arg;
  }
  return expr;
}

double list_length(const Expr* array) {
  if (array->kind == ExprKind::kArray) return static_cast<double>(std::max<std::size_t>(1, array->as<ListExpr>().args.size()));
  return 10;
}

}  // namespace

bool same_key_form(Oid column, Oid type) {
  column = base_type(column);
  type = base_type(type);
  if (column == type) return true;
  if (is_integer_type(column) && is_integer_type(type)) return true;
  const TypeInfo* a = find_type(column);
  const TypeInfo* b = find_type(type);
  if (a == nullptr || b == nullptr || a->order != b->order) return false;
  return a->order == Order::kBytes ? a->rep == Rep::kBytes && b->rep == Rep::kBytes : a->order == Order::kFloat;
}

Planner::Path Planner::best_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                                 std::span<const OrderWish> wish, double row_limit) {
  return base.tree != nullptr ? partitions_path(base, conjuncts, outer, wish, row_limit) : table_path(base, conjuncts, outer, wish, row_limit);
}

bool Planner::place_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer, Path* out) {
  const auto place = std::find_if(base.system.begin(), base.system.end(), [](const auto& item) { return item.first == -kCtidColumn; });
  if (place == base.system.end()) return false;
  const std::vector<Slot> own = base.table_slots();
  const auto take = [&](const Expr* side, const Expr* value, bool list, Conjunct* source) {
    if (side->kind != ExprKind::kSlot || side->as<SlotExpr>().slot != place->second) return false;
    std::vector<Slot> slots;
    collect_slots(value, slots);
    if (std::any_of(own.begin(), own.end(), [&](Slot slot) { return contains(slots, slot); })) return false;
    out->method = ScanMethod::kPlace;
    out->equals.push_back(value);
    out->lists.push_back(list);
    out->exact.push_back(source);
    out->conditions.push_back(source->expr);
    out->scanned = out->rows = list ? list_length(value) : 1;
    out->cost = 0.03 * out->rows;
    for (const Slot slot : slots) out->parameterised = out->parameterised || contains(outer, slot);
    return true;
  };
  for (Conjunct* conjunct : conjuncts) {
    if (conjunct->is_volatile || !conjunct->subselects.empty()) continue;
    if (conjunct->expr->kind == ExprKind::kFunction) {
      const auto& call = conjunct->expr->as<FunctionExpr>();
      if (call.op == nullptr || call.op->btree_strategy != 3 || call.args.size() != 2) continue;
      if (take(call.args[0], call.args[1], false, conjunct) || take(call.args[1], call.args[0], false, conjunct)) return true;
    } else if (conjunct->expr->kind == ExprKind::kArrayCompare) {
      const auto& compare = conjunct->expr->as<ArrayCompareExpr>();
      if (compare.all || compare.op == nullptr || compare.op->btree_strategy != 3) continue;
      if (take(compare.left, compare.array, true, conjunct)) return true;
    }
  }
  return false;
}

Planner::Path Planner::table_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                                 std::span<const OrderWish> wish, double row_limit) {
  if (base.current_of != nullptr) {
    Path path;
    path.method = ScanMethod::kCurrent;
    path.equals.push_back(base.current_of);
    path.lists.push_back(0);
    path.rows = path.scanned = 1;
    path.cost = 0.03;
    return path;
  }
  const TableDef& table = *base.table;
  const bool known_statistics = statistics_of(table) != nullptr;
  const double live = table_rows(table), total = std::max(kLeastRows, live);
  const double shown = known_statistics ? live / total : 1;   // of what is reckoned with
  const auto own_column = [&](const Expr* expr) -> int {
    if (expr->kind != ExprKind::kSlot) return -1;
    for (const auto& [column, slot] : base.used)
      if (slot == expr->as<SlotExpr>().slot) return column;
    return -1;
  };
  const auto reads_own = [&](const Expr* expr) {
    std::vector<Slot> slots;
    collect_slots(expr, slots);
    for (const Slot slot : base.table_slots())
      if (contains(slots, slot)) return true;
    return false;
  };
  std::vector<Term> terms;
  const auto add = [&](const Expr* side, const Expr* value, int strategy, Oid value_type, Conjunct* source, bool exact, std::uint16_t collation) {
    const Expr* const whole = side;
    const Order order = order_under(side->type, collation);
    side = strip_relabel(side);
    const int column = own_column(side);
    if (column < 0 && table.computed_indexes != 0 && reads_own(whole) && !reads_own(value) && same_key_form(whole->type, value_type))
      terms.push_back({kExpressionPart, side, strategy, value, source, exact, order});
    if (column < 0 || reads_own(value)) return;
    if (!same_key_form(table.columns[static_cast<std::size_t>(column)].type, value_type)) return;
    terms.push_back({static_cast<std::uint16_t>(column), side, strategy, value, source, exact, order});
  };
  const double filter_selectivity = selectivity(conjuncts);
  for (Conjunct* conjunct : conjuncts) {
    if (conjunct->is_volatile || !conjunct->subselects.empty()) continue;
    const Expr* expr = conjunct->expr;
    if (expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().op != nullptr && expr->as<FunctionExpr>().args.size() == 2) {
      const auto& call = expr->as<FunctionExpr>();
      if (call.op->btree_strategy == 0) continue;
      const int strategy = call.op->btree_strategy;
      add(call.args[0], call.args[1], strategy, call.args[1]->type, conjunct, true, call.collation);
      // `value op column` reads the other way round.
      add(call.args[1], call.args[0], 6 - strategy, call.args[0]->type, conjunct, true, call.collation);
    } else if (expr->kind == ExprKind::kArrayCompare) {
      const auto& compare = expr->as<ArrayCompareExpr>();
      if (compare.all || compare.op == nullptr || compare.op->btree_strategy != 3) continue;
      add(compare.left, compare.array, kAnyStrategy, compare.types[1], conjunct, true, compare.collation);
    } else if (expr->kind == ExprKind::kRowCompare) {
      // (a, b) > (x, y) holds only where a >= x.
      const auto& compare = expr->as<RowCompareExpr>();
      const bool less = compare.op == RowCompareOp::kLess || compare.op == RowCompareOp::kLessEqual;
      add(compare.left[0], compare.right[0], less ? 2 : 4, compare.right[0]->type, conjunct, false, compare.less[0]->collation);
    }
  }
  const auto find = [&](std::uint16_t column, int strategy, Order key) -> const Term* {
    for (const Term& term : terms)
      if (term.column == column && term.strategy == strategy && key_serves(key, term.order, strategy == 3 || strategy == kAnyStrategy)) return &term;
    return nullptr;
  };

  // An index's expressions and predicate over the slots of this table's columns; null where a column of them was not asked for.
  const auto over_slots = [&](const Expr* expr) -> const Expr* {
    bool known_columns = true;
    const Expr* out = rewrite(arena_, expr, [&](const Expr* node) -> const Expr* {
      if (node->kind != ExprKind::kColumn) return nullptr;
      for (const auto& [column, slot] : base.used)
        if (column == node->as<ColumnExpr>().column) return make_slot(arena_, slot, *node);
      known_columns = false;
      return nullptr;
    });
    return known_columns ? out : nullptr;
  };
  const CompiledIndexKeys* const computed = index_expressions(table);
  std::vector<const Expr*> conditions;
  if (computed != nullptr)
    for (const Conjunct* conjunct : conjuncts)
      if (!conjunct->is_volatile && conjunct->subselects.empty()) conditions.push_back(conjunct->expr);

  // Which partition.
  std::vector<std::pair<std::uint16_t, const Expr*>> known;
  bool known_outer = false;
  {
    std::vector<std::uint16_t> columns;
    switch (table.placement.kind) {
      case PlacementKind::kKey:
        if (!table.hidden_row_number) columns = table.codec_columns[0];
        break;
      case PlacementKind::kDirectory: columns.push_back(table.codec_columns[0][0]); break;
      default: columns = table.placement.columns;
    }
    for (const std::uint16_t column : columns) {
      const Term* term = find(column, 3, identity_order(table.columns[column]));
      if (term == nullptr) {
        known.clear();
        break;
      }
      known.emplace_back(column, term->value);
    }
    for (const auto& [column, value] : known) {
      std::vector<Slot> slots;
      collect_slots(value, slots);
      for (const Slot slot : slots) known_outer |= contains(outer, slot);
    }
  }
  double partitions = 0;
  if (table.storage != nullptr) partitions = static_cast<double>(table.storage->highest.load(std::memory_order_relaxed));
  partitions = known.empty() ? std::max(1.0, partitions) : 1;

  const double sort_penalty_rows = std::max(1.0, total * filter_selectivity);
  const auto sort_cost = [&](double rows) { return wish.empty() ? 0.0 : rows * 0.02 * std::log2(std::max(2.0, rows)); };
  Path best;
  best.rows = std::max(1.0, shown * total * filter_selectivity);
  best.scanned = total / (known.empty() ? 1 : 16);
  best.cost = partitions * 0.05 + best.scanned * (0.0125 + 0.0025 * static_cast<double>(conjuncts.size()));
  best.known = known;
  best.parameterised = known_outer;
  double best_total = best.cost + sort_cost(sort_penalty_rows);
  if (wish.empty() && row_limit > 0) best_total = best.cost * std::min(1.0, row_limit / best.rows);

  if (Path by_place; place_path(base, conjuncts, outer, &by_place) && by_place.cost + sort_cost(by_place.rows) < best_total) {
    best_total = by_place.cost + sort_cost(by_place.rows);
    best = std::move(by_place);
  }
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    const IndexDef& index = table.indexes[i];
    if (i == 0 && table.hidden_row_number) continue;
    const bool global = index.global_table != 0;
    std::vector<const Expr*> parts;   // of a computed index, by position: its expressions
    double predicate_selectivity = 1;
    std::vector<const Expr*> predicate;
    if (table.is_computed(static_cast<unsigned>(i))) {
      const CompiledIndexKeys::Index& keys = computed->index(i);
      if (keys.condition() != nullptr) {
        const Expr* lowered = over_slots(keys.condition());
        const Implied implied = lowered == nullptr ? Implied::kNo : implied_by(conditions, lowered);
        if (implied == Implied::kUnknown) body_.depends_on_parameters = true;
        if (implied != Implied::kYes) continue;
        predicate = split_conjuncts(lowered);
        predicate_selectivity = selectivity(lowered);
      }
      for (const CompiledIndexKeys::Part& part : keys.parts) {
        const Expr* lowered = part.expr() != nullptr ? over_slots(part.expr()) : nullptr;
        parts.push_back(lowered != nullptr ? strip_relabel(lowered) : nullptr);
      }
    }
    if (index.inverted()) {
      // The most selective of the conditions that it answers; all are checked again on the rows.
      for (Conjunct* conjunct : conjuncts) {
        if (conjunct->is_volatile || !conjunct->subselects.empty() || conjunct->expr->kind != ExprKind::kFunction) continue;
        const auto& call = conjunct->expr->as<FunctionExpr>();
        if (call.op == nullptr || call.args.size() != 2) continue;
        for (std::size_t p = 0; p < index.key_parts; ++p)
          for (const bool swapped : {false, true}) {
            const std::optional<InvertedOp> op = inverted_op(computed->index(i).classes[p], *call.op, swapped);
            const Expr* side = strip_relabel(call.args[swapped ? 1 : 0]);
            const Expr* value = call.args[swapped ? 0 : 1];
            if (!op || reads_own(value)) continue;
            const std::uint16_t column = index.parts[p].column;
            if (column != kExpressionPart ? own_column(side) != column : parts[p] == nullptr || !equal(side, parts[p])) continue;
            Path path;
            path.index = static_cast<std::uint16_t>(i);
            path.method = ScanMethod::kIndex;
            path.known = known;
            path.inverted = value;
            path.inverted_op = *op;
            path.inverted_part = static_cast<std::uint8_t>(p);
            path.conditions.push_back(conjunct->expr);
            const double share = *op == InvertedOp::kOverlaps || *op == InvertedOp::kHasAny || *op == InvertedOp::kContained ? 0.05 : 0.01;
            path.scanned = std::max(1.0, total * predicate_selectivity * share);
            path.rows = std::max(0.5, std::min(path.scanned, total * filter_selectivity));
            path.cost = partitions * 0.05 + path.scanned * (0.04 + 0.0025 * static_cast<double>(conjuncts.size()));
            std::vector<Slot> slots;
            collect_slots(value, slots);
            path.parameterised = known_outer;
            for (const Slot slot : slots) path.parameterised |= contains(outer, slot);
            const double cost = path.cost + sort_cost(path.rows);
            if (cost >= best_total) continue;
            best_total = cost;
            best = std::move(path);
          }
      }
      continue;
    }
    const std::vector<std::uint16_t>& columns = table.codec_columns[i];
    if (!global && !table.codecs[i].supported()) continue;
    const std::size_t key_columns = global ? index.parts.size() : columns.size();
    const auto column_at = [&](std::size_t position) {
      return global ? index.parts[position].column : columns[position];
    };
    const auto find_at = [&](std::size_t position, int strategy) -> const Term* {
      const std::uint16_t column = column_at(position);
      const Order key = global ? key_part_order(table, index.parts[position]) : table.codecs[i].column(static_cast<unsigned>(position)).order;
      if (column != kExpressionPart) return find(column, strategy, key);
      if (position >= parts.size() || parts[position] == nullptr) return nullptr;
      for (const Term& term : terms)
        if (term.column == kExpressionPart && term.strategy == strategy && equal(term.side, parts[position]) &&
            key_serves(key, term.order, strategy == 3 || strategy == kAnyStrategy))
          return &term;
      return nullptr;
    };
    const std::size_t unique_columns = i == 0 ? columns.size() : index.key_parts;
    Path path;
    path.index = static_cast<std::uint16_t>(i);
    path.known = known;
    double fanout = 1;
    double condition_selectivity = 1, scan_selectivity = 1;
    std::size_t position = 0;
    bool has_list = false;
    for (; position < key_columns; ++position) {
      const Term* term = find_at(position, 3);
      const bool list = term == nullptr;
      if (list) term = find_at(position, kAnyStrategy);
      if (term == nullptr) break;
      path.equals.push_back(term->value);
      path.lists.push_back(list);
      has_list |= list;
      if (list) fanout *= list_length(term->value);
      if (term->exact) path.exact.push_back(term->source);
      path.conditions.push_back(term->source->expr);
      const double share = selectivity(term->source->expr);
      condition_selectivity *= term->source->derived ? 1 : share;
      scan_selectivity *= share;
    }
    const bool hash = index.method == IndexMethod::kHash;
    if (hash && position < unique_columns) continue;   // it answers equality alone
    const bool whole = index.enforced() && position >= unique_columns;
    double ranges = 1;
    std::vector<Conjunct*> bounds;
    if (!global && !hash && position < key_columns && !(i == 0 && whole)) {
      for (const int strategy : {5, 4}) {
        const Term* term = find_at(position, strategy);
        if (term == nullptr || path.lower != nullptr) continue;
        path.lower = term->value;
        path.lower_inclusive = strategy == 4;
        if (term->exact) path.exact.push_back(term->source);
        path.conditions.push_back(term->source->expr);
        bounds.push_back(term->source);
        ranges *= 0.33;
      }
      for (const int strategy : {1, 2}) {
        const Term* term = find_at(position, strategy);
        if (term == nullptr || path.upper != nullptr) continue;
        path.upper = term->value;
        path.upper_inclusive = strategy == 2;
        if (term->exact) path.exact.push_back(term->source);
        path.conditions.push_back(term->source->expr);
        bounds.push_back(term->source);
        ranges *= path.lower != nullptr ? 0.15 : 0.33;
      }
      const double share = selectivity(bounds);
      condition_selectivity *= share;
      scan_selectivity *= share;
    }
    if (global && !whole) continue;
    // What the predicate says already holds for every entry.
    for (Conjunct* conjunct : conjuncts)
      for (const Expr* part : predicate)
        if (equal(conjunct->expr, part) && std::find(path.exact.begin(), path.exact.end(), conjunct) == path.exact.end()) {
          path.exact.push_back(conjunct);
          if (!conjunct->derived) condition_selectivity *= selectivity(conjunct->expr);
        }
    // Does it give the order wished for?
    if (!wish.empty() && !global && !hash) {
      std::size_t at = path.equals.size(), wished = 0;
      bool fits = !has_list || whole, decided = false, backward = false;
      for (; fits && wished < wish.size(); ++wished) {
        int column = -1;
        for (const auto& [used, slot] : base.used)
          if (slot == wish[wished].slot) column = used;
        if (column < 0) {
          fits = false;
          break;
        }
        bool constant = whole && !has_list;
        for (std::size_t e = 0; e < path.equals.size(); ++e) constant |= column_at(e) == column && path.lists[e] == 0;
        if (constant) continue;
        if (at >= columns.size()) break;   // the key is used up: rows are in order and no two are equal
        if (columns[at] != column) {
          fits = false;
          break;
        }
        const KeyColumn& key = table.codecs[i].column(static_cast<unsigned>(at));
        if (!key_serves(key.order, order_of(wish[wished].slot), false)) {
          fits = false;
          break;
        }
        const bool reversed = key.descending != wish[wished].descending;
        if (decided && reversed != backward) fits = false;
        if (key.nullable && !table.columns[static_cast<std::size_t>(column)].not_null &&
            (key.nulls_first != reversed) != wish[wished].nulls_first)
          fits = false;
        decided = true;
        backward = reversed;
        ++at;
      }
      path.ordered = fits && !(has_list && wish.size() > 0 && !whole);
      if (has_list) path.ordered = false;
      path.backward = path.ordered && backward;
    }
    if (path.equals.empty() && path.lower == nullptr && path.upper == nullptr && !path.ordered && predicate.empty()) continue;
    const double remaining = condition_selectivity > 0 ? filter_selectivity / condition_selectivity : 1;
    double found;
    if (whole) found = 1;
    else if (known_statistics) found = total * predicate_selectivity * scan_selectivity / (fanout * ranges);
    else if (path.equals.empty()) found = std::max(1.0, total * predicate_selectivity);
    else if (index.unique) found = std::pow(total, 1 - static_cast<double>(position) / static_cast<double>(unique_columns));
    else found = std::max(1.0, std::pow(total, 0.35));
    path.scanned = std::max(1.0, std::min(total, found * fanout * ranges));
    path.rows = std::max(whole || known_statistics ? 1.0 : 0.5, path.scanned * remaining * (whole ? 1 : shown));
    if (global) {
      path.method = ScanMethod::kGlobal;
      path.cost = 0.06 * fanout;
    } else if (i == 0 && whole) {
      path.method = ScanMethod::kPoint;
      path.cost = 0.025 * fanout;
    } else {
      path.method = ScanMethod::kIndex;
      path.cost = partitions * 0.05 * fanout + path.scanned * ((i == 0 ? 0.0135 : 0.02) + 0.0025 * static_cast<double>(conjuncts.size()));
      if (path.ordered && partitions > 1) path.cost += path.scanned * 0.004 * std::log2(partitions);
    }
    for (const Expr* value : path.equals) {
      std::vector<Slot> slots;
      collect_slots(value, slots);
      for (const Slot slot : slots) path.parameterised |= contains(outer, slot);
    }
    for (const Expr* value : {path.lower, path.upper}) {
      if (value == nullptr) continue;
      std::vector<Slot> slots;
      collect_slots(value, slots);
      for (const Slot slot : slots) path.parameterised |= contains(outer, slot);
    }
    path.parameterised |= known_outer;
    double cost = path.cost + (path.ordered ? 0 : sort_cost(path.rows));
    if (row_limit > 0 && (path.ordered || wish.empty())) cost *= std::min(1.0, row_limit / std::max(1.0, path.rows));
    if (cost < best_total) {
      best_total = cost;
      best = std::move(path);
    }
  }
  return best;
}

Result<NodePtr> Planner::make_scan(RangeInfo& base, const Path& path, std::span<Conjunct* const> conjuncts) {
  if (base.tree != nullptr) return make_partitions(base, path, conjuncts);
  auto node = std::make_unique<ScanNode>();
  node->table = base.table;
  node->alias = std::string(base.entry->alias);
  node->method = path.method;
  node->index = path.index;
  node->ordered = path.ordered && path.method == ScanMethod::kIndex;
  node->backward = path.backward && path.method == ScanMethod::kIndex;
  node->lower_inclusive = path.lower_inclusive;
  node->upper_inclusive = path.upper_inclusive;
  node->rows = path.rows;
  node->cost = path.cost;
  if (path.method == ScanMethod::kGlobal) {
    node->global = context_.catalog->table(base.table->indexes[path.index].global_table);
    if (node->global == nullptr) return Status(sqlstate::internal_error, "a global index has no table");
  }
  for (std::size_t i = 0; i < path.equals.size(); ++i) {
    KeyCondition condition;
    WANDIAN_ASSIGN(condition.value, compile_expr(path.equals[i]));
    condition.list = path.lists[i] != 0;
    node->equals.push_back(condition);
  }
  if (path.lower != nullptr) {
    WANDIAN_ASSIGN(node->lower, compile_expr(path.lower));
  }
  if (path.upper != nullptr) {
    WANDIAN_ASSIGN(node->upper, compile_expr(path.upper));
  }
  if (path.inverted != nullptr) {
    WANDIAN_ASSIGN(node->inverted, compile_expr(path.inverted));
    node->inverted_op = path.inverted_op;
    node->inverted_part = path.inverted_part;
  }
  if (path.method == ScanMethod::kSequential || path.method == ScanMethod::kIndex)
    for (const auto& [column, value] : path.known) {
      WANDIAN_ASSIGN(PlanExpr compiled, compile_expr(value));
      node->known.emplace_back(column, compiled);
    }
  node->index_conditions = path.conditions;
  std::vector<const Expr*> filters;
  std::vector<Conjunct*> after;
  for (Conjunct* conjunct : conjuncts) {
    if (conjunct->derived || std::find(path.exact.begin(), path.exact.end(), conjunct) != path.exact.end()) continue;
    // Init plans wait for a row that passes what stands before them. Where nothing does, they are computed first and the scan tests all.
    const bool restricted = !filters.empty() || path.method != ScanMethod::kSequential || conjunct->behind_gate;
    if (!after.empty() || (!conjunct->asks.empty() && restricted && base.whole == nullptr)) after.push_back(conjunct);
    else filters.push_back(conjunct->expr);
  }
  if (!filters.empty()) {
    WANDIAN_ASSIGN(node->filter, compile_expr(make_conjunction(arena_, filters)));
  }
  node->key_slot = base.key_slot;
  node->partition_slot = base.partition_slot;
  scans_.emplace_back(node.get(), &base);
  if (after.empty()) return NodePtr(std::move(node));
  WANDIAN_ASSIGN(NodePtr tested, filter_all(std::move(node), after));
  tested->rows = path.rows;
  return tested;
}

Result<NodePtr> Planner::plan_simple_range(PlanScope& scope, std::uint16_t index) {
  RangeInfo& range = scope.ranges[index];
  const RangeEntry& entry = *range.entry;
  Subselects subselects;
  Lowering lowering{&scope, &subselects, nullptr, nullptr, nullptr};
  lowering.at_start = true;
  NodePtr made;
  switch (entry.kind) {
    case RangeKind::kValues: {
      auto node = std::make_unique<ValuesNode>();
      node->alias = std::string(entry.alias);
      for (const ExprList& row : entry.values) {
        std::vector<PlanExpr> exprs;
        for (const Expr* expr : row) {
          WANDIAN_ASSIGN(PlanExpr compiled, lower_and_compile(lowering, expr));
          exprs.push_back(compiled);
        }
        node->rows_exprs.push_back(std::move(exprs));
      }
      node->slots.assign(entry.columns.size(), kNoSlot);
      node->rows = static_cast<double>(std::max<std::size_t>(1, entry.values.size()));
      node->cost = node->rows * 0.0125;
      made = std::move(node);
      break;
    }
    case RangeKind::kFunction: {
      auto node = std::make_unique<FunctionScanNode>();
      node->alias = std::string(entry.alias);
      node->ordinality = entry.ordinality;
      node->total_columns = static_cast<std::uint16_t>(entry.columns.size());
      node->rows = 1;
      for (const RangeFunction& function : entry.functions) {
        PlanFunction plan;
        plan.first_column = function.first_column;
        plan.column_count = function.column_count;
        const Oid type = base_type(function.call->type);
        plan.of_record = type_kind(type) == 'c' || type == type_oid::kRecord;
        if (function.call->kind == ExprKind::kFunction && function.call->returns_set) {
          // What gives several columns gives them by themselves.
          const FunctionDef& set = *function.call->as<FunctionExpr>().function;
          plan.of_record = plan.of_record && set.out_types.empty();
        }
        if (function.call->kind == ExprKind::kFunction && function.call->returns_set) {
          plan.set_call = &function.call->as<FunctionExpr>();
          for (const Expr* arg : plan.set_call->args) {
            WANDIAN_ASSIGN(PlanExpr compiled, lower_and_compile(lowering, arg));
            plan.args.push_back(compiled);
          }
          node->rows = std::max(node->rows, expected_rows(*plan.set_call));
        } else {
          WANDIAN_ASSIGN(plan.value, lower_and_compile(lowering, function.call));
        }
        node->functions.push_back(std::move(plan));
      }
      node->cost = node->rows * 0.01;
      made = std::move(node);
      break;
    }
    case RangeKind::kSystem: {
      auto node = std::make_unique<SystemScanNode>();
      node->alias = std::string(entry.alias);
      node->relation = entry.system;
      node->rows = 300;
      node->cost = 20;
      made = std::move(node);
      break;
    }
    case RangeKind::kTransition: {
      auto node = std::make_unique<TransitionScanNode>();
      node->alias = std::string(entry.alias);
      node->name = std::string(entry.name);
      node->new_rows = entry.new_rows;
      node->rows = 100;
      node->cost = 1;
      made = std::move(node);
      break;
    }
    case RangeKind::kCte: {
      std::uint16_t position = 0;
      PlanScope& owner = cte_scope(scope, entry, &position);
      if (entry.self_reference) {
        auto node = std::make_unique<WorkScanNode>();
        node->alias = std::string(entry.alias);
        node->work = static_cast<std::uint32_t>(owner.ctes[position].work);
        node->rows = 100;
        node->cost = 1;
        made = std::move(node);
      } else {
        auto node = std::make_unique<CteScanNode>();
        node->alias = std::string(entry.alias);
        node->name = std::string(entry.cte->name);
        node->cte = static_cast<std::uint32_t>(owner.ctes[position].index);
        node->rows = std::max(1.0, owner.ctes[position].rows);
        node->cost = node->rows * 0.01;
        made = std::move(node);
      }
      break;
    }
    default:
      return Status(sqlstate::feature_not_supported, "this kind of FROM item is not supported here");
  }
  scans_.emplace_back(made.get(), &range);
  return after_subselects(std::move(made), std::move(subselects));
}

}  // namespace wandian::sql
