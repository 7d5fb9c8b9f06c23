// A small table for tests of the engine, and operations on its rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/row_op.h"
#include "engine/transaction.h"

namespace wandian {

/// (id int4 primary key, value int8, name text), with a unique index on name if asked.
inline void describe_test_table(Database& database, const std::string& name, bool unique_name, std::vector<std::uint16_t> key, TableDef& table) {
  table.oid = database.allocate_oid();
  table.schema = kPublicSchema;
  table.name = name;
  table.storage_id = database.allocate_storage_id();
  table.columns.resize(3);
  table.columns[0].name = "id";
  table.columns[0].type = type_oid::kInt4;
  table.columns[0].not_null = true;
  table.columns[1].name = "value";
  table.columns[1].type = type_oid::kInt8;
  table.columns[2].name = "name";
  table.columns[2].type = type_oid::kText;
  IndexDef primary;
  primary.oid = database.allocate_oid();
  primary.name = name + "_pkey";
  primary.primary = primary.unique = true;
  for (const std::uint16_t column : key) primary.parts.push_back({column, false, false});
  table.indexes.push_back(primary);
  if (!unique_name) return;
  IndexDef index;
  index.oid = database.allocate_oid();
  index.name = name + "_name_key";
  index.unique = true;
  index.parts.push_back({2, false, false});
  table.indexes.push_back(index);
}

/// The row's bytes with one column changed.
inline std::string_view with_column(const TableDef& table, const RowView& row, const ColumnChange& change, Arena& arena) {
  const RowLayout& layout = table.layouts->newest();
  const std::size_t size = layout.updated_size(row.row, std::span(&change, 1));
  char* bytes = arena.allocate_bytes(size);
  layout.update(row.row, std::span(&change, 1), bytes);
  return {bytes, size};
}

/// Adds `delta` to value, or deletes.
class AddValue final : public RowTransform {
 public:
  AddValue(const TableDef& table, std::int64_t delta, bool remove = false) : table_(table), delta_(delta), remove_(remove) {}
  Verdict apply(const RowView& newest, bool, Arena& arena, std::string_view* out, Status*) override {
    if (remove_) return Verdict::kDelete;
    *out = with_column(table_, newest, {1, Value::of_int(table_.layouts->newest().read(newest.row, 1).i + delta_)}, arena);
    return Verdict::kUpdate;
  }

 private:
  const TableDef& table_;
  std::int64_t delta_;
  bool remove_;
};

/// One operation on one row of a table made by make_table().
struct OneRow {
  OneRow(Database& database, Oid oid) : table(database.catalog()->table(oid)) {}
  template <class Engine>
  OneRow(Engine& engine, Oid oid) : OneRow(*engine.database, oid) {}
  RowBatch& insert(std::int32_t id, std::int64_t value, const std::string& name) {
    const Value values[3] = {Value::of_int(id), Value::of_int(value), Value::of_bytes(name)};
    return prepare(RowOp::Kind::kInsert, values);
  }
  RowBatch& add(std::int32_t id, std::int64_t delta) {
    transform = std::make_unique<AddValue>(*table, delta);
    const Value values[3] = {Value::of_int(id), Value::null(), Value::null()};
    return prepare(RowOp::Kind::kModify, values);
  }
  RowBatch& remove(std::int32_t id) {
    transform = std::make_unique<AddValue>(*table, 0, true);
    const Value values[3] = {Value::of_int(id), Value::null(), Value::null()};
    prepare(RowOp::Kind::kModify, values);
    batch.ops.back().lock = RowLock::kUpdate;
    return batch;
  }
  RowBatch& lock(std::int32_t id, RowLock mode, LockWait wait = LockWait::kBlock) {
    const Value values[3] = {Value::of_int(id), Value::null(), Value::null()};
    prepare(RowOp::Kind::kLock, values);
    batch.ops.back().lock = mode;
    batch.ops.back().wait = wait;
    return batch;
  }
  RowOp& op() { return batch.ops.back(); }

  std::shared_ptr<const TableDef> table;
  RowBatch batch;
  KeyBuffer key;
  std::string row;
  std::unique_ptr<RowTransform> transform;

 private:
  RowBatch& prepare(RowOp::Kind kind, std::span<const Value> values) {
    RowOp op;
    op.kind = kind;
    op.table = &table;
    table->codecs[0].encode(values.first(1), key);
    op.partition = hash_partition(key);
    op.key = key;
    op.transform = transform.get();
    if (kind == RowOp::Kind::kInsert) {
      const RowLayout& layout = table->layouts->newest();
      row.resize(layout.encoded_size(values));
      layout.encode(values, row.data());
      op.row = row;
    }
    batch.ops.push_back(std::move(op));
    return batch;
  }
};

}  // namespace wandian
