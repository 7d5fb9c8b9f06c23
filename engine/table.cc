#include "engine/table.h"

#include <cstdlib>

#include "engine/index_entries.h"

namespace wandian {

namespace {

std::unique_ptr<const TableDef> without_storage(const TableDef& table) {
  auto copy = std::make_unique<TableDef>(table);
  copy->storage.reset();
  return copy;
}

}  // namespace

TablePartition::TablePartition(TableStorage& owner, const TableDef& definition, PartitionId partition)
    : id(partition), storage(owner), table(without_storage(definition)) {
  for (std::size_t i = 0; i < table->indexes.size(); ++i)
    if (table->indexes[i].global_table == 0)
      indexes[i].store(new OrderedIndex(table->codecs[i]), std::memory_order_release);
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

void TablePartition::adopt(const TableDef& newer, Limbo& limbo) {
  // An index that was dropped frees its slot; one that moved in the list or is new is built over every version in the
  // chains, because older snapshots use it too.
  std::array<OrderedIndex*, 32> next{};
  for (std::size_t i = 0; i < newer.indexes.size(); ++i) {
    if (newer.indexes[i].global_table != 0) continue;
    for (std::size_t j = 0; j < table->indexes.size(); ++j)
      if (table->indexes[j].oid == newer.indexes[i].oid && (i == 0) == (j == 0)) next[i] = indexes[j].load(std::memory_order_relaxed);
    if (next[i] != nullptr) continue;
    DB_ASSERT(i != 0);
    next[i] = new OrderedIndex(newer.codecs[i]);
    OrderedIndex::Cursor cursor(index(0));
    KeyBuffer key;
    IndexEntries entries;
    for (bool on = cursor.seek_first(); on; on = cursor.next()) {
      Row* row = static_cast<Row*>(cursor.value());
      for (const Version* version = row->head.load(std::memory_order_relaxed); version != nullptr;
           version = version->older.load(std::memory_order_relaxed)) {
        if (version->tombstone()) continue;
        if (newer.is_computed(static_cast<unsigned>(i))) {
          entries.remake(newer, static_cast<unsigned>(i), version->layout, version->row());
          for (const KeyBuffer& entry : entries.keys()) next[i]->insert(entry, row);
          continue;
        }
        newer.codecs[i].encode_from_row(*newer.layouts, version->layout, version->row(), newer.codec_columns[i], key);
        next[i]->insert(key, row);
      }
    }
  }
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    OrderedIndex* old = indexes[i].load(std::memory_order_relaxed);
    if (old == next[i]) continue;
    indexes[i].store(next[i], std::memory_order_release);
    bool kept = old == nullptr;
    for (OrderedIndex* other : next) kept = kept || other == old;
    if (!kept) limbo.retire(old, [](void* object, void*) { delete static_cast<OrderedIndex*>(object); });
  }
  table = without_storage(newer);
}

TableStorage::~TableStorage() {
  for (auto& slot : slots) delete slot.load(std::memory_order_acquire);
}

TablePartition& TableStorage::at(const TableDef& table, PartitionId partition, Limbo& limbo) {
  TablePartition* found = slots[partition].load(std::memory_order_relaxed);
  if (found == nullptr) [[unlikely]] {
    found = new TablePartition(*this, table, partition);
    slots[partition].store(found, std::memory_order_release);
    PartitionId seen = highest.load(std::memory_order_relaxed);
    while (seen <= partition && !highest.compare_exchange_weak(seen, partition + 1, std::memory_order_release)) {
    }
  } else if (found->table->definition_id != table.definition_id) [[unlikely]] {
    found->adopt(table, limbo);
  }
  return *found;
}

}  // namespace wandian
