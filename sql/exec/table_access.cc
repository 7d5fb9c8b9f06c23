#include "sql/exec/table_access.h"

#include "engine/database.h"
#include "engine/placement.h"
#include "sql/exec/operator.h"

namespace wandian::sql {

PartitionId locate_key(Shard& shard, const TableDef& table, KeyRef key, std::span<const Value> key_values) {
  if (table.placement.kind == PlacementKind::kKey) return hash_partition(key);
  const std::vector<std::uint16_t>& columns = table.codec_columns[0];
  constexpr std::size_t kSmall = 64;
  const Value* small[kSmall] = {};
  std::vector<const Value*> large;
  const std::size_t width = table.layout_columns();
  if (width > kSmall) large.assign(width, nullptr);
  const std::span<const Value*> known = width > kSmall ? std::span(large) : std::span(small, width);
  for (std::size_t i = 0; i < columns.size() && i < key_values.size(); ++i) known[columns[i]] = &key_values[i];
  return place_lookup(shard.database().placement(), table, known);
}

std::int64_t new_row_number(Shard& shard, const TableDef& table) {
  constexpr unsigned kTries = 1000;   // one in kKeyPartitions is right
  std::int64_t number = table.storage->next_row_number();
  const PartitionId home = shard.index();
  if (table.placement.kind != PlacementKind::kKey || home >= kKeyPartitions || shard.database().owner_of(home) != shard.index()) return number;
  KeyBuffer key;
  for (unsigned tries = 1; tries < kTries; ++tries) {
    table.codecs[0].encode_integers({&number, 1}, key);
    if (hash_partition(key) == home) break;
    number = table.storage->next_row_number();
  }
  return number;
}

bool find_by_key(ExecContext& ctx, const TableDef& table, KeyRef key, std::span<const Value> key_values, RowView* out) {
  const PartitionId partition = locate_key(*ctx.shard, table, key, key_values);
  if (partition != kNoPartition) return find_row(table, partition, key, ctx.view, out);
  const PartitionId end = table.storage->highest.load(std::memory_order_acquire);
  for (PartitionId p = 0; p < end; ++p)
    if (find_row(table, p, key, ctx.view, out)) return true;
  return false;
}

void put_system_columns(std::span<const ScanColumn> columns, const SystemColumns& values, Value* slots) {
  for (const ScanColumn& c : columns) {
    switch (-static_cast<int>(c.column)) {
      case kCtidColumn: slots[c.slot] = Value::of_int(values.ctid); break;
      case kXminColumn: slots[c.slot] = Value::of_int(values.xmin); break;
      case kXmaxColumn: slots[c.slot] = Value::of_int(values.xmax); break;
      // PostgreSQL keeps both in one word.
      default: slots[c.slot] = Value::of_int(values.cmin);
    }
  }
}

SystemColumns system_columns_before(Shard& shard, const TableDef& table, const RowOp& op) {
  SystemColumns out;
  out.ctid = place_of(table, shard.database().place_secret(), op.old_layout, op.old_row.data(), op.anchor);
  out.xmin = op.old_writer;
  return out;
}

SystemColumns system_columns_after(ExecContext& ctx, const RowOp& op, std::string_view updated) {
  const TableDef& table = **op.table;
  SystemColumns out;
  out.ctid = place_of(table, ctx.shard->database().place_secret(), table.layouts->newest_id(), updated.empty() ? op.row.data() : updated.data(), op.anchor);
  out.xmin = transaction_number(ctx.transaction->id());
  out.cmin = shown_command(ctx.view.command);
  return out;
}

}  // namespace wandian::sql
