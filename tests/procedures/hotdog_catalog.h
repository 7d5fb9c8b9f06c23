// The chain's tables made without SQL: the definitions that CREATE EXTENSION hotdog arrives at, CHECK constraints as plain code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/database.h"
#include "engine/table.h"
#include "engine/transaction.h"

namespace wandian {

namespace hotdog_catalog {

/// column >= low, and <= high.
class RangeCheck final : public RowChecks {
 public:
  struct Bound {
    std::uint16_t column;
    std::int64_t low, high;
    const char* constraint;
  };
  explicit RangeCheck(std::vector<Bound> bounds) : bounds_(std::move(bounds)) {}
  Status check(const TableDef& table, const char* row) const override {
    for (const Bound& bound : bounds_) {
      const Value value = table.layouts->newest().read(row, bound.column);
      if (!value.is_null && (value.i < bound.low || value.i > bound.high))
        return Status{sqlstate::check_violation, "new row for relation \"" + table.name + "\" violates check constraint \"" + bound.constraint + "\""};
    }
    return {};
  }

 private:
  std::vector<Bound> bounds_;
};

class Compiler final : public CatalogCompiler {
 public:
  Status compile_table(const Catalog&, TableDef& table) override {
    using Bound = RangeCheck::Bound;
    std::vector<Bound> bounds;
    if (table.name == "menu") bounds = {{2, 1, INT64_MAX, "menu_price_cents_check"}};
    if (table.name == "stock") bounds = {{2, 0, INT64_MAX, "stock_quantity_check"}};
    if (table.name == "orders") bounds = {{4, 0, 2, "orders_status_check"}, {5, 0, INT64_MAX, "orders_total_cents_check"}};
    if (table.name == "order_lines") bounds = {{4, 1, INT64_MAX, "order_lines_quantity_check"}};
    if (table.name == "payments") bounds = {{3, 0, INT64_MAX, "payments_amount_cents_check"}};
    if (!bounds.empty()) table.row_checks = std::make_shared<RangeCheck>(std::move(bounds));
    return {};
  }
  Status compile_object(const Catalog&, ObjectDef&) override { return {}; }
};

struct Column {
  const char* name;
  Oid type;
  bool not_null = true;
};

inline std::shared_ptr<TableDef> table(Database& database, const char* name, std::vector<Column> columns, std::vector<std::uint16_t> key,
                                       PlacementKind placement, Oid directory) {
  auto out = std::make_shared<TableDef>();
  out->oid = database.allocate_oid();
  out->schema = kPublicSchema;
  out->name = name;
  out->storage_id = database.allocate_storage_id();
  for (const Column& column : columns) {
    ColumnDef def;
    def.name = column.name;
    def.type = column.type;
    def.not_null = column.not_null;
    out->columns.push_back(def);
  }
  IndexDef primary;
  primary.oid = database.allocate_oid();
  primary.name = std::string(name) + "_pkey";
  primary.primary = primary.unique = true;
  for (const std::uint16_t column : key) primary.parts.push_back({column, false, false});
  out->indexes.push_back(primary);
  out->placement.kind = placement;
  if (placement == PlacementKind::kDirectory) out->placement.columns = {1};
  if (placement == PlacementKind::kRegion) {
    out->placement.columns = {0};
    out->placement.directory = directory;
  }
  return out;
}

inline void unique(Database& database, TableDef& table, const char* name, std::vector<std::uint16_t> columns) {
  IndexDef index;
  index.oid = database.allocate_oid();
  index.name = name;
  index.unique = true;
  for (const std::uint16_t column : columns) index.parts.push_back({column, false, false});
  table.indexes.push_back(index);
}

inline void references(Database& database, TableDef& table, const char* name, std::vector<std::uint16_t> columns, const TableDef& to,
                       std::vector<std::uint16_t> referenced) {
  ForeignKeyDef key;
  key.oid = database.allocate_oid();
  key.name = name;
  key.columns = std::move(columns);
  key.referenced_table = to.oid;
  key.referenced_columns = std::move(referenced);
  key.referenced_index = to.indexes[0].oid;
  table.foreign_keys.push_back(key);
}

/// Call inside a turn of shard 0 with an active transaction; commit it afterwards.
inline Status make(Database& database, Transaction& transaction) {
  using namespace type_oid;
  auto stores = table(database, "stores", {{"store_id", kInt4}, {"region", kText}, {"name", kText}}, {0}, PlacementKind::kDirectory, 0);
  auto menu = table(database, "menu", {{"sku", kInt4}, {"name", kText}, {"price_cents", kInt8}}, {0}, PlacementKind::kKey, 0);
  auto stock = table(database, "stock", {{"store_id", kInt4}, {"sku", kInt4}, {"quantity", kInt4}, {"taken", kInt8}, {"restocked", kInt8}}, {0, 1},
                     PlacementKind::kRegion, stores->oid);
  references(database, *stock, "stock_store_id_fkey", {0}, *stores, {0});
  references(database, *stock, "stock_sku_fkey", {1}, *menu, {0});
  auto orders = table(database, "orders",
                      {{"store_id", kInt4}, {"order_id", kInt8}, {"customer_id", kInt8}, {"request_id", kInt8}, {"status", kInt2},
                       {"total_cents", kInt8}, {"placed_at", kTimestamptz}},
                      {0, 1}, PlacementKind::kRegion, stores->oid);
  unique(database, *orders, "orders_request_key", {0, 3});
  references(database, *orders, "orders_store_id_fkey", {0}, *stores, {0});
  auto lines = table(database, "order_lines",
                     {{"store_id", kInt4}, {"order_id", kInt8}, {"line_no", kInt2}, {"sku", kInt4}, {"quantity", kInt4}, {"price_cents", kInt8}},
                     {0, 1, 2}, PlacementKind::kRegion, stores->oid);
  references(database, *lines, "order_lines_order_fkey", {0, 1}, *orders, {0, 1});
  auto payments = table(database, "payments",
                        {{"store_id", kInt4}, {"order_id", kInt8}, {"provider_ref", kInt8}, {"amount_cents", kInt8}, {"paid_at", kTimestamptz},
                         {"refunded_at", kTimestamptz, false}},
                        {0, 1}, PlacementKind::kRegion, stores->oid);
  unique(database, *payments, "payments_provider_ref_key", {0, 2});
  references(database, *payments, "payments_order_fkey", {0, 1}, *orders, {0, 1});
  std::vector<CatalogChange> changes;
  for (const auto& def : {stores, menu, stock, orders, lines, payments}) {
    CatalogChange change;
    change.kind = ObjectKind::kTable;
    change.oid = def->oid;
    change.table = def;
    changes.push_back(change);
  }
  return transaction.change_catalog(std::move(changes));
}

/// Rows as a loader would write them: one batch an owner.
class Loader {
 public:
  Loader(Database& database, Transaction& transaction) : database_(database), transaction_(transaction) {}
  Status add(const std::shared_ptr<const TableDef>& table, std::vector<Value> values) {
    const Result<PartitionId> partition = place_row(database_.placement(), *table, *transaction_.catalog(), values, true);
    if (!partition.ok()) return partition.status().clone();
    Item& item = items_.emplace_back();
    item.table = table;
    item.row.resize(table->layouts->newest().encoded_size(values));
    table->layouts->newest().encode(values, item.row.data());
    table->codecs[0].encode_from_row(table->layouts->newest(), item.row.data(), table->codec_columns[0], item.key);
    RowOp op;
    op.kind = RowOp::Kind::kInsert;
    op.lock = RowLock::kUpdate;
    op.partition = partition.value();
    op.table = &item.table;
    op.key = item.key;
    op.row = item.row;
    auto& batch = batches_[database_.owner_of(op.partition)];
    if (batch == nullptr) batch = std::make_unique<RowBatch>();
    batch->ops.push_back(std::move(op));
    return {};
  }
  Task<Status> run() {
    while (!transaction_.begin_statement()) co_await transaction_.shard().next_turn();
    std::vector<RowBatch*> pointers;
    for (auto& [owner, batch] : batches_) pointers.push_back(batch.get());
    Status status = co_await transaction_.write(pointers);
    transaction_.end_statement();
    for (RowBatch* batch : pointers)
      for (const RowOp& op : batch->ops)
        if (status.ok() && op.outcome != RowOutcome::kInserted) status = Status{sqlstate::unique_violation, "loading met a row that is there"};
    co_return std::move(status);
  }

 private:
  struct Item {
    std::shared_ptr<const TableDef> table;
    std::string row;
    KeyBuffer key;
  };
  Database& database_;
  Transaction& transaction_;
  std::deque<Item> items_;
  std::map<unsigned, std::unique_ptr<RowBatch>> batches_;
};

}  // namespace hotdog_catalog
}  // namespace wandian
