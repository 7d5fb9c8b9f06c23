#include "engine/table.h"

#include <algorithm>
#include <cstdlib>

#include "engine/index_entries.h"
#include "engine/shard.h"

namespace wandian {

namespace {

std::shared_ptr<const TableDef> without_storage(const TableDef& table) {
  auto copy = std::make_shared<TableDef>(table);
  copy->storage.reset();
  return copy;
}

}  // namespace

TablePartition::TablePartition(TableStorage& owner, const TableDef& definition, PartitionId partition)
    : id(partition), storage(owner), table(without_storage(definition)) {
  for (std::size_t i = 0; i < table->indexes.size(); ++i)
    if (table->indexes[i].global_table == 0)
      indexes[table->indexes[i].slot].store(new OrderedIndex(table->codecs[i]), std::memory_order_release);
}

TablePartition::~TablePartition() {
  OrderedIndex* primary = indexes[0].load(std::memory_order_acquire);
  OrderedIndex::Cursor cursor(*primary);
  for (bool on = cursor.seek_first(); on; on = cursor.next()) {
    Row* row = static_cast<Row*>(cursor.value());
    for (Version* version = row->head.load(std::memory_order_relaxed); version != nullptr;) {
      Version* older = version->older.load(std::memory_order_relaxed);
      if ((version->flags & Version::kInline) == 0) std::free(version);
      version = older;
    }
    std::free(row);
  }
  for (auto& index : indexes) delete index.load(std::memory_order_relaxed);
}

namespace {

// Over every version in the chains, because older snapshots use it too.
void fill_index(const OrderedIndex& primary, const TableDef& table, unsigned i, OrderedIndex& index) {
  OrderedIndex::Cursor cursor(primary);
  KeyBuffer key;
  IndexEntries entries;
  for (bool on = cursor.seek_first(); on; on = cursor.next()) {
    Row* row = static_cast<Row*>(cursor.value());
    for (const Version* version = row->head.load(std::memory_order_relaxed); version != nullptr;
         version = version->older.load(std::memory_order_relaxed)) {
      if (version->tombstone()) continue;
      if (table.is_computed(i)) {
        entries.remake(table, i, version->layout, version->row());
        for (const KeyBuffer& entry : entries.keys()) index.insert(entry, row);
        continue;
      }
      table.codecs[i].encode_from_row(*table.layouts, version->layout, version->row(), table.codec_columns[i], key);
      index.insert(key, row);
    }
  }
}

bool has_index(const TableDef& table, Oid index) {
  return std::any_of(table.indexes.begin(), table.indexes.end(), [&](const IndexDef& own) { return own.oid == index; });
}

}  // namespace

void TablePartition::adopt(const TableDef& newer, const TableDef* published, Limbo& limbo) {
  // What is here: of the definition until now, and dropped by whoever has not committed.
  std::vector<Dropped> here = std::move(dropped);
  dropped.clear();
  for (unsigned i = 0; i < table->indexes.size(); ++i)
    if (table->indexes[i].global_table == 0) here.push_back({table, i});
  std::array<OrderedIndex*, kSlots> next{};
  for (unsigned i = 0; i < newer.indexes.size(); ++i) {
    const IndexDef& wanted = newer.indexes[i];
    if (wanted.global_table != 0) continue;
    OrderedIndex*& place = next[wanted.slot];
    for (const Dropped& known : here) {
      const IndexDef& own = known.table->indexes[known.index];
      if (own.oid == wanted.oid && (i == 0) == (known.index == 0)) place = indexes[own.slot].load(std::memory_order_relaxed);
    }
    if (place != nullptr) continue;
    DB_ASSERT(i != 0);
    place = new OrderedIndex(newer.codecs[i]);
    fill_index(index(0), newer, i, *place);
  }
  for (const Dropped& known : here) {
    const IndexDef& own = known.table->indexes[known.index];
    if (has_index(newer, own.oid) || published == nullptr || !has_index(*published, own.oid) || next[own.slot] != nullptr) continue;
    next[own.slot] = indexes[own.slot].load(std::memory_order_relaxed);
    dropped.push_back(known);
  }
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    OrderedIndex* old = indexes[slot].load(std::memory_order_relaxed);
    if (old == next[slot]) continue;
    indexes[slot].store(next[slot], std::memory_order_release);
    const bool kept = old == nullptr || std::find(next.begin(), next.end(), old) != next.end();
    if (!kept) limbo.retire(old, [](void* object, void*) { delete static_cast<OrderedIndex*>(object); });
  }
  table = without_storage(newer);
}

TableStorage::~TableStorage() {
  for (auto& slot : slots) delete slot.load(std::memory_order_acquire);
}

TablePartition& TableStorage::at(const TableDef& table, PartitionId partition, Limbo& limbo, Shard* writer) {
  TablePartition* found = slots[partition].load(std::memory_order_relaxed);
  if (found == nullptr) [[unlikely]] {
    found = new TablePartition(*this, table, partition);
    slots[partition].store(found, std::memory_order_release);
    PartitionId seen = highest.load(std::memory_order_relaxed);
    while (seen <= partition && !highest.compare_exchange_weak(seen, partition + 1, std::memory_order_release)) {
    }
  } else if (found->table->definition_id != table.definition_id) [[unlikely]] {
    const std::shared_ptr<const TableDef> published = writer == nullptr ? nullptr : writer->catalog()->table(table.oid);
    found->adopt(table, published.get(), limbo);
  }
  return *found;
}

}  // namespace wandian
