// A partitioned table is read as its partitions are, one after the other, into the same slots. Which of them may have rows that the
// conditions let through is told from their bounds: here where values are known, when the scan starts where they are not.
#include <algorithm>

#include "sql/exec/partition_pruning.h"
#include "sql/expr/tree.h"
#include "sql/plan/planner.h"

namespace wandian::sql {

using Test = PartitionTerm::Test;

std::vector<std::pair<std::uint16_t, Slot>> RangeInfo::columns() const {
  if (whole == nullptr || node->columns.same()) return whole == nullptr ? used : whole->used;
  std::vector<std::pair<std::uint16_t, Slot>> out;
  for (const auto& [column, slot] : whole->used) out.emplace_back(node->columns[column], slot);
  return out;
}

std::vector<ScanColumn> RangeInfo::system_columns() const {
  std::vector<ScanColumn> out;
  for (const auto& [column, slot] : whole != nullptr ? whole->system : system) out.push_back({column, slot});
  return out;
}

std::vector<Slot> RangeInfo::table_slots() const {
  std::vector<Slot> out;
  for (const auto& [column, slot] : used) out.push_back(slot);
  for (const auto& [column, slot] : system) out.push_back(slot);
  return out;
}

void Planner::divide(RangeInfo& range) {
  range.tree = std::make_shared<const PartitionTree>(*context_.catalog, range.table);
  for (const PartitionNode* leaf : range.tree->leaves()) {
    auto part = std::make_unique<RangeInfo>();
    part->entry = range.entry;
    part->table = leaf->table;
    part->whole = &range;
    part->node = leaf;
    range.parts.push_back(std::move(part));
  }
}

Slot Planner::table_slot(RangeInfo& range) {
  if (range.table_slot == kNoSlot) range.table_slot = new_slot(type_oid::kOid);
  return range.table_slot;
}

namespace {

// Whether a value of `type` compares with the key's as it is.
bool comparable(Oid key, Oid type) {
  key = base_type(key);
  type = base_type(type);
  if (key == type || (is_integer_type(key) && is_integer_type(type))) return true;
  const TypeInfo* a = find_type(key);
  const TypeInfo* b = find_type(type);
  if (a == nullptr || b == nullptr || a->order != b->order) return false;
  return a->order == Order::kBytes ? a->rep == Rep::kBytes && b->rep == Rep::kBytes : a->order == Order::kFloat;
}

// Bounds of text are in the order of bytes (sql/ddl/partition.cc): a condition under a collation says something else.
bool follows_bytes(Oid type, std::uint16_t collation, bool equality) {
  const Order order = order_under(type, collation);
  return !is_collated(order) || (equality && is_deterministic(order));
}

const Expr* without_relabel(const Expr* expr) {
  while (expr->kind == ExprKind::kRelabel) expr = expr->as<UnaryExpr>().arg;
  return expr;
}

// Reads conditions on the key of one partitioned table.
class FilterReader {
 public:
  FilterReader(const RangeInfo& base, const PartitionNode& node, Arena& arena) : base_(base), node_(node), arena_(arena) {
    for (const Partitioning::Part& part : node.partitioning->parts()) keys_.push_back(key_over_slots(part));
  }

  // False: nothing of the condition is about the key.
  bool add(const Expr* condition, PartitionFilter& out) const {
    switch (condition->kind) {
      case ExprKind::kFunction: {
        const auto& call = condition->as<FunctionExpr>();
        if (call.op == nullptr || call.args.size() != 2 || call.op->btree_strategy == 0) return false;
        if (!follows_bytes(call.args[0]->type, call.collation, call.op->btree_strategy == 3)) return false;
        const int strategy = call.op->btree_strategy;
        return compare(call.args[0], call.args[1], strategy, out) || compare(call.args[1], call.args[0], 6 - strategy, out);
      }
      case ExprKind::kArrayCompare: {
        const auto& compare = condition->as<ArrayCompareExpr>();
        if (compare.all || compare.op == nullptr || compare.op->btree_strategy != 3) return false;
        if (!follows_bytes(compare.left->type, compare.collation, true)) return false;
        const int part = part_of(compare.left);
        if (part < 0 || !comparable(type_of(part), compare.types[1]) || !usable(compare.array)) return false;
        out.conditions.push_back({static_cast<std::uint16_t>(part), Test::kAny, {compare.array, {}, false}});
        return true;
      }
      case ExprKind::kNullTest: {
        const auto& test = condition->as<TestExpr>();
        const int part = test.of_row ? -1 : part_of(test.arg);
        if (part < 0) return false;
        out.conditions.push_back({static_cast<std::uint16_t>(part), test.test == TestOp::kIsNull ? Test::kIsNull : Test::kIsNotNull, {}});
        return true;
      }
      case ExprKind::kSlot: return boolean(condition, true, out);
      case ExprKind::kBool: break;
      default: return false;
    }
    const auto& logic = condition->as<BoolExpr>();
    if (logic.op == BoolOp::kNot) return boolean(logic.args[0], false, out);
    if (logic.op == BoolOp::kAnd) {
      bool any = false;
      for (const Expr* arg : logic.args) any = add(arg, out) || any;
      return any;
    }
    std::vector<PartitionFilter> list;
    for (const Expr* arg : logic.args)
      if (!add(arg, list.emplace_back())) return false;   // it may be true for rows of any partition
    out.alternatives.push_back(std::move(list));
    return true;
  }

 private:
  Oid type_of(int part) const { return node_.partitioning->parts()[static_cast<std::size_t>(part)].type; }
  const Expr* slot_of(std::uint16_t column, Oid type) const {
    const std::uint16_t root = node_.to_root[column];
    for (const auto& [used, slot] : base_.used)
      if (used == root) return make_slot(arena_, slot, type, -1);
    return nullptr;
  }
  // Null: nobody reads some column of it.
  const Expr* key_over_slots(const Partitioning::Part& part) const {
    if (part.column != kExpressionPart) return slot_of(part.column, part.type);
    bool known = true;
    const Expr* out = rewrite(arena_, part.bound.expr, [&](const Expr* node) -> const Expr* {
      if (node->kind != ExprKind::kColumn) return nullptr;
      const Expr* slot = slot_of(static_cast<std::uint16_t>(node->as<ColumnExpr>().column), node->type);
      known = known && slot != nullptr;
      return slot;
    });
    return known ? without_relabel(out) : nullptr;
  }
  int part_of(const Expr* expr) const {
    expr = without_relabel(expr);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Expr* key = keys_[i];
      if (key == nullptr) continue;
      if (key->kind == ExprKind::kSlot ? expr->kind == ExprKind::kSlot && expr->as<SlotExpr>().slot == key->as<SlotExpr>().slot : equal(expr, key))
        return static_cast<int>(i);
    }
    return -1;
  }
  // Whether the value is the same for all rows of the table.
  bool usable(const Expr* value) const {
    std::vector<Slot> slots;
    collect_slots(value, slots);
    for (const Slot slot : base_.table_slots())
      if (contains(slots, slot)) return false;
    return !contains(slots, base_.table_slot) && !contains_volatile(value) && !contains_routine(value);
  }
  bool compare(const Expr* side, const Expr* value, int strategy, PartitionFilter& out) const {
    const int part = part_of(side);
    if (part < 0 || !comparable(type_of(part), value->type) || !usable(value)) return false;
    out.conditions.push_back({static_cast<std::uint16_t>(part), static_cast<Test>(strategy), {value, {}, false}});
    return true;
  }
  bool boolean(const Expr* side, bool value, PartitionFilter& out) const {
    const int part = side->kind == ExprKind::kSlot ? part_of(side) : -1;
    if (part < 0 || type_of(part) != type_oid::kBool) return false;
    out.conditions.push_back({static_cast<std::uint16_t>(part), Test::kEqual, {make_bool(arena_, value), {}, false}});
    return true;
  }

  const RangeInfo& base_;
  const PartitionNode& node_;
  Arena& arena_;
  std::vector<const Expr*> keys_;
};

// A constant, or a list of constants.
bool is_known(const Expr* expr) {
  if (expr == nullptr || expr->kind == ExprKind::kConst) return true;
  if (expr->kind != ExprKind::kArray || expr->as<ListExpr>().nested) return false;
  const ExprList items = expr->as<ListExpr>().args;
  return std::all_of(items.begin(), items.end(), [](const Expr* item) { return item->kind == ExprKind::kConst; });
}

// Values that planning knows.
bool read_constant(const PartitionCondition& condition, PartitionTerm* term) {
  if (condition.value.expr == nullptr) return true;
  if (!is_known(condition.value.expr)) return false;
  if (condition.value.expr->kind == ExprKind::kArray) {
    for (const Expr* item : condition.value.expr->as<ListExpr>().args)
      if (const Value& value = item->as<ConstExpr>().value; !value.is_null) term->values.push_back(value);
    return true;
  }
  return add_term_values(condition, condition.value.expr->as<ConstExpr>().value, term);
}

// The leaves that are read, in the order of their bounds; `order` is made false where the children have none.
void choose_leaves(const PartitionNode& node, const PartitionLevel& level, bool backward, std::vector<const PartitionNode*>& out) {
  const std::vector<bool> may = prune(*level.partitioning, level.filter, read_constant);
  std::vector<std::size_t> order;
  if (level.partitioning->strategy() == 'r') {
    for (const std::uint32_t i : level.partitioning->ranges()) order.push_back(i);
    if (level.partitioning->default_child() >= 0) order.push_back(static_cast<std::size_t>(level.partitioning->default_child()));
  } else {
    // A list's partitions come in the order of their first values.
    for (const auto& [value, child] : level.partitioning->listed())
      if (std::find(order.begin(), order.end(), child) == order.end()) order.push_back(child);
    for (std::size_t i = 0; i < node.children.size(); ++i)
      if (std::find(order.begin(), order.end(), i) == order.end() && static_cast<int>(i) != level.partitioning->default_child()) order.push_back(i);
    if (level.partitioning->default_child() >= 0) order.push_back(static_cast<std::size_t>(level.partitioning->default_child()));
  }
  if (backward) std::reverse(order.begin(), order.end());
  for (const std::size_t i : order) {
    if (!may[i]) continue;
    if (level.levels[i] != nullptr) choose_leaves(*node.children[i], *level.levels[i], backward, out);
    else out.push_back(node.children[i].get());
  }
}

bool decides_later(const PartitionFilter& filter) {
  for (const PartitionCondition& condition : filter.conditions)
    if (!is_known(condition.value.expr)) return true;
  for (const std::vector<PartitionFilter>& list : filter.alternatives)
    if (std::any_of(list.begin(), list.end(), decides_later)) return true;
  return false;
}
bool decides_later(const PartitionLevel& level) {
  if (decides_later(level.filter)) return true;
  return std::any_of(level.levels.begin(), level.levels.end(), [](const auto& below) { return below != nullptr && decides_later(*below); });
}

// What share of the partitions an execution reads, about.
double share_read(const PartitionLevel& level, std::size_t leaves) {
  std::vector<bool> known(level.partitioning->parts().size(), false);
  for (const PartitionCondition& condition : level.filter.conditions)
    if (condition.value.expr != nullptr && condition.value.expr->kind != ExprKind::kConst && condition.test == Test::kEqual) known[condition.part] = true;
  const bool one = std::find(known.begin(), known.end(), false) == known.end();
  return one && leaves > 1 ? 1.0 / static_cast<double>(leaves) : 1.0;
}

}  // namespace

std::shared_ptr<PartitionLevel> Planner::partition_level(const RangeInfo& base, const PartitionNode& node, std::span<Conjunct* const> conjuncts) {
  auto level = std::make_shared<PartitionLevel>();
  level->partitioning = node.partitioning;
  const FilterReader reader(base, node, arena_);
  for (const Conjunct* conjunct : conjuncts)
    if (!conjunct->is_volatile && conjunct->subselects.empty()) (void)reader.add(conjunct->expr, level->filter);
  level->scans.assign(node.children.size(), -1);
  for (const std::unique_ptr<PartitionNode>& child : node.children)
    level->levels.push_back(child->partitioning != nullptr ? partition_level(base, *child, conjuncts) : nullptr);
  return level;
}

Planner::Path Planner::partitions_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                                       std::span<const OrderWish> wish, double row_limit) {
  Path path;
  path.level = partition_level(base, base.tree->root(), conjuncts);
  // Ranges follow each other in the order of the key's first column, if they are ordered by it alone.
  const Partitioning& top = *base.tree->root().partitioning;
  bool sequence = !wish.empty() && top.strategy() == 'r' && top.parts().size() == 1 && top.default_child() < 0 && top.parts()[0].column != kExpressionPart;
  if (sequence) {
    Slot key = kNoSlot;
    for (const auto& [column, slot] : base.used)
      if (column == top.parts()[0].column) key = slot;
    sequence = key != kNoSlot && wish[0].slot == key;
    for (const auto& below : path.level->levels) sequence = sequence && below == nullptr;
  }
  path.backward = sequence && wish[0].descending;
  std::vector<const PartitionNode*> leaves;
  choose_leaves(base.tree->root(), *path.level, path.backward, leaves);
  bool ordered = sequence || leaves.size() == 1;
  path.method = ScanMethod::kSequential;
  for (const PartitionNode* leaf : leaves) {
    RangeInfo& part = *base.parts[leaf->leaf];
    part.used = part.columns();
    part.system = base.system;
    part.current_of = base.current_of;
    part.key_slot = base.key_slot;
    part.partition_slot = base.partition_slot;
    Path one = table_path(part, conjuncts, outer, wish, row_limit);
    ordered = ordered && one.ordered;
    if (one.method != ScanMethod::kSequential) path.method = one.method;
    path.parameterised |= one.parameterised;
    path.rows += one.rows;
    path.cost += one.cost;
    path.scanned += one.scanned;
    path.parts.push_back(std::move(one));
    path.leaves.push_back(leaf->leaf);
  }
  const double share = share_read(*path.level, leaves.size());
  path.rows = std::max(1.0, path.rows * share);
  path.cost = path.cost * share + 0.01;
  path.ordered = ordered && !wish.empty();
  if (!path.ordered && !wish.empty()) {
    // Sorted afterwards: then each is read as is cheapest.
    Path unordered = partitions_path(base, conjuncts, outer, {}, 0);
    return unordered;
  }
  return path;
}

Status Planner::compile_level(PartitionLevel& level) {
  const auto compile_filter = [&](auto& self, PartitionFilter& filter) -> Status {
    for (PartitionCondition& condition : filter.conditions)
      if (condition.value.expr != nullptr) {
        WANDIAN_ASSIGN(condition.value, compile_expr(condition.value.expr));
      }
    for (std::vector<PartitionFilter>& list : filter.alternatives)
      for (PartitionFilter& one : list) WANDIAN_TRY(self(self, one));
    return {};
  };
  WANDIAN_TRY(compile_filter(compile_filter, level.filter));
  for (const auto& below : level.levels)
    if (below != nullptr) WANDIAN_TRY(compile_level(*below));
  return {};
}

Result<NodePtr> Planner::make_partitions(RangeInfo& base, const Path& path, std::span<Conjunct* const> conjuncts) {
  auto node = std::make_unique<PartitionsNode>();
  node->tree = base.tree;
  node->ordered = path.ordered;
  node->rows = path.rows;
  node->cost = path.cost;
  std::vector<std::int32_t> child_of(base.parts.size(), -1);
  for (std::size_t i = 0; i < path.parts.size(); ++i) {
    RangeInfo& part = *base.parts[path.leaves[i]];
    part.used = part.columns();
    part.system = base.system;
    WANDIAN_ASSIGN(NodePtr scan, make_scan(part, path.parts[i], conjuncts));
    auto& made = static_cast<ScanNode&>(*scan);
    if (path.parts.size() > 1) made.alias += "_" + std::to_string(i + 1);
    node->tables.push_back(part.table->oid);
    child_of[path.leaves[i]] = static_cast<std::int32_t>(i);
    node->children.push_back(std::move(scan));
  }
  if (decides_later(*path.level)) {
    WANDIAN_TRY(compile_level(*path.level));
    const auto fill = [&](auto& self, PartitionLevel& level, const PartitionNode& at) -> void {
      for (std::size_t i = 0; i < at.children.size(); ++i) {
        if (level.levels[i] != nullptr) self(self, *level.levels[i], *at.children[i]);
        else level.scans[i] = child_of[at.children[i]->leaf];
      }
    };
    fill(fill, *path.level, base.tree->root());
    node->level = path.level;
  }
  scans_.emplace_back(node.get(), &base);
  return NodePtr(std::move(node));
}

}  // namespace wandian::sql
