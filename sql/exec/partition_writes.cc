// Writes to partitioned tables: where rows go, and rows that go from one partition to another.
#include <algorithm>

#include "engine/database.h"
#include "engine/placement.h"
#include "sql/exec/modify.h"
#include "sql/exec/table_access.h"

namespace wandian::sql {

const PartitionNode* ModifyDriver::leaf_of_row() {
  if (modify_.tree == nullptr) return nullptr;
  const auto table = static_cast<Oid>(ctx_.slots[modify_.table_slot].i);
  if (last_leaf_ == nullptr || last_leaf_->table->oid != table) last_leaf_ = modify_.tree->find(table);
  return last_leaf_;
}

Task<Status> ModifyDriver::mutate_targets(std::span<const Target> targets, Mutation& mutation, std::uint64_t* missing) {
  if (modify_.tree == nullptr) co_return co_await mutate(modify_.table, targets, mutation, 0, missing);
  const bool key_changes = mutation.key_changes;
  for (std::size_t begin = 0, end = 0; begin < targets.size(); begin = end) {
    while (end < targets.size() && targets[end].leaf == targets[begin].leaf) ++end;
    mutation.leaf = targets[begin].leaf;
    const TableDef& table = *mutation.leaf->table;
    // The partition may have a primary key, or be placed, by other columns than the partitioned table says.
    mutation.key_changes = key_changes;
    const auto sets = [&](const std::vector<ModifyPlan::Set>& list) {
      for (const ModifyPlan::Set& set : list) {
        const std::uint16_t column = mutation.at(set.column);
        for (const std::vector<std::uint16_t>* key : {&table.codec_columns[0], &table.placement.columns})
          if (std::find(key->begin(), key->end(), column) != key->end()) mutation.key_changes = true;
      }
    };
    sets(modify_.sets);
    for (const ModifyPlan::Action& action : modify_.actions)
      if (action.kind == PlanKind::kUpdate) sets(action.sets);
    WANDIAN_CO_TRY(co_await mutate(mutation.leaf->table, targets.subspan(begin, end - begin), mutation, 0, missing));
  }
  co_return Status{};
}

Status ModifyDriver::route_insert(std::shared_ptr<const TableDef>* table, const PartitionNode** leaf) {
  if (!target_guard_.empty()) {
    bool belongs = true;
    WANDIAN_TRY(target_guard_.belongs(values_, eval(), &belongs));
    if (!belongs) return partition_violation(*ctx_.env->catalog, *modify_.table, values_, eval());
  }
  WANDIAN_ASSIGN(*leaf, modify_.tree->route(values_, *ctx_.env->catalog, eval()));
  *table = (*leaf)->table;
  std::vector<Value> row((*table)->layout_columns(), Value::null());
  for (std::size_t c = 0; c < modify_.table->columns.size(); ++c)
    if (const std::uint16_t column = (*leaf)->columns[static_cast<std::uint16_t>(c)]; column < row.size()) row[column] = values_[c];
  values_ = std::move(row);
  return {};
}

Status ModifyDriver::check_routed(const TableDef& table, bool routed) {
  bool belongs = true;
  if (!routed) {
    WANDIAN_TRY(target_guard_.belongs(values_, eval(), &belongs));
  } else {
    const PartitionGuard guard(*ctx_.env->catalog, table);
    WANDIAN_TRY(guard.belongs(values_, eval(), &belongs));
  }
  if (belongs) return {};
  return partition_violation(*ctx_.env->catalog, table, values_, eval());
}

Task<Status> ModifyDriver::move_row(std::shared_ptr<const TableDef> table, Mutation& mutation, unsigned depth, RowWriter& writes, Written item,
                                    std::vector<WriteOp>* ops, std::vector<Written>* written) {
  const std::shared_ptr<const Catalog>& catalog = ctx_.env->catalog;
  const std::span<const Value> new_values(item.new_values, table->layout_columns());
  if (depth == 0 && modify_.tree == nullptr) co_return partition_violation(*catalog, *table, new_values, eval());
  if (!mutation.may_move)
    co_return Status(sqlstate::feature_not_supported, "invalid ON UPDATE specification")
        .with_detail("The result tuple would appear in a different partition than the original tuple.");
  std::optional<PartitionTree> own;
  if (depth != 0) own.emplace(*catalog, partition_root(*catalog, table));
  const PartitionTree& tree = own ? *own : *modify_.tree;
  const PartitionNode* from = tree.find(table->oid);
  // The row by the columns of the table that the statement names.
  std::vector<Value> row(tree.root().table->columns.size(), Value::null());
  for (std::size_t c = 0; c < row.size(); ++c)
    if (const std::uint16_t column = from->columns[static_cast<std::uint16_t>(c)]; column < new_values.size()) row[c] = new_values[column];
  if (depth == 0 && !target_guard_.empty()) {
    bool belongs = true;
    WANDIAN_CO_TRY(target_guard_.belongs(row, eval(), &belongs));
    if (!belongs) co_return partition_violation(*catalog, *modify_.table, row, eval());
  }
  Result<const PartitionNode*> routed = tree.route(row, *catalog, eval());
  if (!routed.ok()) co_return routed.take_status();
  const PartitionNode& to = *routed.value();
  item.moved_to = to.table;
  const TableDef& there = *to.table;
  for (const TableDef* above = table.get(); above != nullptr; above = catalog->table(above->partition_of).get()) {
    if (above->oid == tree.root().table->oid) break;
    if (above->referencing.empty()) continue;
    co_return Status(sqlstate::feature_not_supported,
                     "cannot move tuple across partitions when a non-root ancestor of the source partition is directly referenced in a foreign key")
        .with_detail("A foreign key points to ancestor \"" + above->name + "\" but not the root ancestor \"" + tree.root().table->name + "\".")
        .with_hint("Consider defining the foreign key on table \"" + tree.root().table->name + "\".");
  }
  Arena& memory = writes.inputs();
  bool skip = false;
  const std::span<const Value> old_values(item.old_values, table->layout_columns());
  // What is inserted must outlive the next row, and the triggers' functions may wait.
  const std::size_t width = there.layout_columns();
  item.moved_values = memory.allocate_array<Value>(width);
  for (std::size_t c = 0; c < width; ++c) new (item.moved_values + c) Value(Value::null());
  for (std::size_t c = 0; c < row.size(); ++c)
    if (const std::uint16_t column = to.columns[static_cast<std::uint16_t>(c)]; column < width) item.moved_values[column] = copy_value(there.columns[column].type, row[c], memory);
  if (!table->triggers.empty())
    WANDIAN_CO_TRY(co_await triggers().before_row(table, TriggerDef::kDelete, {}, old_values, {}, memory, &skip));
  if (skip) co_return Status{};
  const std::size_t erase = ops->size();
  WANDIAN_CO_TRY(queue_delete(writes, *table, table, *item.target, old_values, ops));
  (*ops)[erase].op->moves = true;
  if (!there.triggers.empty()) {
    WANDIAN_CO_TRY(co_await triggers().before_row(to.table, TriggerDef::kInsert, {}, {}, {item.moved_values, there.columns.size()}, memory, &skip));
    if (!skip) {
      bool belongs = true;
      const PartitionGuard guard(*catalog, there);
      WANDIAN_CO_TRY(guard.belongs({item.moved_values, width}, eval(), &belongs));
      if (!belongs) co_return partition_violation(*catalog, there, {item.moved_values, width}, eval());
    }
  }
  if (skip) {
    item.deleted = true;
    item.moved_to = nullptr;
    item.ops = ops->size() - item.first_op;
    written->push_back(std::move(item));
    co_return Status{};
  }
  const std::span<Value> values(item.moved_values, width);
  if (there.hidden_row_number) values[there.columns.size()] = Value::of_int(new_row_number(*ctx_.shard, there));
  if (there.generator != nullptr) WANDIAN_CO_TRY(there.generator->generate(values, memory));
  WANDIAN_CO_TRY(check_not_null(there, values, eval()));
  std::string_view bytes;
  WANDIAN_CO_TRY(encode_row(there, values, memory, &bytes));
  if (there.row_checks != nullptr && there.row_checks->waits()) WANDIAN_CO_TRY(co_await check_constraints(there, bytes));
  else WANDIAN_CO_TRY(check_row(there, bytes.data(), eval()));
  Result<PartitionId> place = place_row(ctx_.shard->database().placement(), there, *catalog, values, true);
  if (!place.ok()) co_return place.take_status();
  RowOp& insert = writes.add(to.table, place.value(), key_of(there, 0, values, memory));
  insert.kind = RowOp::Kind::kInsert;
  insert.row = bytes;
  ops->push_back({&insert, -1});
  for (std::size_t x = 0; x < there.indexes.size(); ++x) {
    if (there.indexes[x].global_table == 0) continue;
    bool has = false;
    GlobalEntry entry;
    WANDIAN_CO_TRY(make_global_entry(ctx_, there, x, values, memory, &has, &entry));
    if (!has) continue;
    RowOp& op = writes.add(entry.table, entry.partition, entry.key);
    op.kind = RowOp::Kind::kInsert;
    op.row = entry.row;
    ops->push_back({&op, static_cast<int>(x)});
  }
  // What the statement returns is read by the columns of the partition that the row was in.
  for (std::size_t c = 0; c < row.size(); ++c) {
    const std::uint16_t here = from->columns[static_cast<std::uint16_t>(c)], new_place = to.columns[static_cast<std::uint16_t>(c)];
    if (here < table->columns.size() && new_place < width) item.new_values[here] = values[new_place];
  }
  item.ops = ops->size() - item.first_op;
  written->push_back(std::move(item));
  co_return Status{};
}

Status ModifyDriver::moved(const std::shared_ptr<const TableDef>& table, const Written& item, unsigned depth) {
  const std::span<const Value> old_values(item.old_values, table->layout_columns());
  const std::span<const Value> values(item.moved_values, item.moved_to->layout_columns());
  if (item.moved_to->has_later_keys) WANDIAN_TRY(foreign_keys_.written_unique(item.moved_to, values, nullptr));
  if (!item.moved_to->foreign_keys.empty()) WANDIAN_TRY(foreign_keys_.written(item.moved_to, values, nullptr));
  // Foreign keys lead to the partitioned table: for them the row was updated.
  WANDIAN_TRY(foreign_keys_.removed(table, old_values, item.new_values, depth));
  if (!table->triggers.empty()) WANDIAN_TRY(triggers().after_row(table, TriggerDef::kDelete, {}, old_values, {}));
  if (!item.moved_to->triggers.empty()) WANDIAN_TRY(triggers().after_row(item.moved_to, TriggerDef::kInsert, {}, {}, values));
  return {};
}

}  // namespace wandian::sql
