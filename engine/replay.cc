#include "engine/replay.h"

#include <algorithm>
#include <cstdlib>

#include "engine/sequence.h"
#include "engine/shard.h"
#include "engine/shard_state.h"
#include "engine/system_columns.h"

namespace wandian {

namespace {

Status malformed(const char* what) { return Status{sqlstate::data_corrupted, std::string("malformed operation in the log: ") + what}; }

Row* make_committed_row(std::string_view bytes, std::uint16_t layout, std::uint32_t writer, Lsn commit) {
  void* memory = std::malloc(sizeof(Row) + sizeof(Version) + bytes.size());
  if (memory == nullptr) throw std::bad_alloc();
  Row* row = new (memory) Row();
  row->inline_capacity = static_cast<std::uint32_t>(bytes.size());
  row->inline_used = 1;
  Version* version = new (row->inline_version()) Version();
  version->flags = Version::kInline;
  version->capacity = row->inline_capacity;
  version->size = static_cast<std::uint32_t>(bytes.size());
  version->layout = layout;
  version->command = writer;
  std::memcpy(version->row(), bytes.data(), bytes.size());
  version->stamp.store(commit.bytes, std::memory_order_relaxed);
  row->head.store(version, std::memory_order_release);
  return row;
}

}  // namespace

Status ReplayApplier::apply(Lsn commit, std::uint64_t transaction, std::span<const std::span<const char>> payloads) {
  writer_ = transaction_number(transaction);
  highest_transaction_ = std::max(highest_transaction_, transaction_counter(transaction));
  try {
    const std::span<const char> last = payloads.back();
    if (last.size() < 8) return malformed("commit time");
    std::string_view operations(last.data() + 8, last.size() - 8);
    if (payloads.size() > 1) {
      joined_.clear();
      for (std::size_t i = 0; i + 1 < payloads.size(); ++i) joined_.append(payloads[i].data(), payloads[i].size());
      joined_.append(operations);
      operations = joined_;
    }
    return apply_operations(commit, operations);
  } catch (const std::bad_alloc&) {
    return Status{sqlstate::out_of_memory, "out of memory while recovering"};
  }
}

Status ReplayApplier::apply_operations(Lsn commit, std::string_view rest) {
  while (!rest.empty()) {
    redo::Operation operation;
    WANDIAN_TRY(redo::read_operation(&rest, &operation));
    if (operation.kind != RedoKind::kCatalog && !pending_changes_.empty()) publish(commit);
    switch (operation.kind) {
      case RedoKind::kCatalog: WANDIAN_TRY(change_catalog(operation.data)); break;
      case RedoKind::kSequence: set_sequence(operation); break;
      case RedoKind::kPrepare: database_.prepared().recovered(std::move(operation.prepared), operation.data, operation.locks); break;
      case RedoKind::kFinishPrepared: database_.prepared().recovered_end(operation.prepared.gid); break;
      case RedoKind::kInsert:
      case RedoKind::kUpdate:
      case RedoKind::kDelete: WANDIAN_TRY(write_row(operation, commit)); break;
      default: return malformed("a lock outside of a prepared transaction");
    }
  }
  if (!pending_changes_.empty()) publish(commit);
  return {};
}

void ReplayApplier::set_sequence(const redo::Operation& operation) {
  const std::shared_ptr<const SequenceDef> sequence = database_.catalog()->sequence(operation.table);
  if (sequence == nullptr) return;   // dropped in a transaction that committed before this stride
  sequence->state->last_value = operation.value;
  sequence->state->is_called = operation.is_called;
  sequence->state->logged = false;
}

Status ReplayApplier::write_row(const redo::Operation& operation, Lsn commit) {
  if (cached_ == nullptr || cached_oid_ != operation.table) {
    cached_ = database_.catalog()->table(operation.table);
    cached_oid_ = operation.table;
    if (cached_ == nullptr) return malformed("unknown table");
  }
  switch (operation.kind) {
    case RedoKind::kInsert: return insert(*cached_, operation.partition, operation.layout, operation.data, commit);
    case RedoKind::kUpdate: return update(*cached_, operation.partition, operation.layout, operation.key, operation.data, commit);
    default: return remove(*cached_, operation.partition, operation.key);
  }
}

// Definitions enter the catalog, and partitions that have rows get the indexes that are new over them.
void ReplayApplier::publish(Lsn commit) {
  database_.publish_catalog(pending_changes_, commit);
  for (const CatalogChange& change : pending_changes_) {
    if (change.drop || change.table == nullptr) continue;
    const std::shared_ptr<const TableDef> table = database_.catalog()->table(change.table->oid);
    if (table == nullptr) continue;
    const PartitionId end = table->storage->highest.load(std::memory_order_acquire);
    for (PartitionId partition = 0; partition < end; ++partition)
      if (table->storage->find(partition) != nullptr)
        table->storage->at(*table, partition, database_.shard(database_.owner_of(partition)).limbo(), nullptr);
  }
  pending_changes_.clear();
  cached_ = nullptr;
}

Status ReplayApplier::insert(const TableDef& table, PartitionId partition, std::uint16_t layout, std::string_view bytes, Lsn commit) {
  if (layout >= table.layouts->size() || !table.layouts->layout(layout).valid(bytes)) return malformed("row");
  Limbo& limbo = database_.shard(database_.owner_of(partition)).limbo();
  TablePartition& storage = table.storage->at(table, partition, limbo, nullptr);
  table.codecs[0].encode_from_row(*table.layouts, layout, bytes.data(), table.codec_columns[0], key_);
  if (storage.index(0).find(key_) != nullptr) return malformed("insert of a key that is there");
  Row* row = make_committed_row(bytes, layout, writer_, commit);
  storage.index(0).insert(key_, row);
  for (unsigned i = 1; i < table.indexes.size(); ++i) {
    if (table.indexes[i].global_table != 0) continue;
    if (table.is_computed(i)) {
      entries_.remake(table, i, layout, bytes.data());
      for (const KeyBuffer& key : entries_.keys()) storage.index(table, i).insert(key, row);
      continue;
    }
    table.codecs[i].encode_from_row(*table.layouts, layout, bytes.data(), table.codec_columns[i], other_key_);
    storage.index(table, i).insert(other_key_, row);
  }
  storage.live_rows.fetch_add(1, std::memory_order_relaxed);
  if (table.hidden_row_number) {
    const std::int64_t number = table.layouts->read(layout, bytes.data(), static_cast<unsigned>(table.columns.size())).i;
    if (number > table.storage->row_number.load(std::memory_order_relaxed)) table.storage->row_number.store(number, std::memory_order_relaxed);
  }
  if (table.placement.kind == PlacementKind::kDirectory) {
    const Value region = table.layouts->read(layout, bytes.data(), table.placement.columns[0]);
    if (region.is_null) return malformed("store without region");
    WANDIAN_TRY(database_.placement().restore(table.oid, key_, region.bytes(), partition));
  }
  return {};
}

Status ReplayApplier::update(const TableDef& table, PartitionId partition, std::uint16_t layout, KeyRef key, std::string_view delta, Lsn commit) {
  TablePartition* storage = table.storage->find(partition);
  Row* row = storage == nullptr ? nullptr : static_cast<Row*>(storage->index(0).find(key));
  if (row == nullptr || layout != table.layout) return malformed("update of a row that is not there");
  Version* old = row->head.load(std::memory_order_relaxed);
  const RowLayout& newest = table.layouts->newest();
  std::string widened;
  const char* old_bytes = old->row();
  if (old->layout != layout) {
    // A row of an older layout is encoded anew, with the defaults of the columns it lacks.
    std::vector<Value> values(newest.columns());
    table.layouts->read_all(old->layout, old->row(), values);
    widened.resize(newest.encoded_size(values));
    newest.encode(values, widened.data());
    old_bytes = widened.data();
  }
  if (!newest.apply_delta(old_bytes, delta, new_row_) || !newest.valid(new_row_)) return malformed("changed columns");
  for (unsigned i = 1; i < table.indexes.size(); ++i) {
    if (table.indexes[i].global_table != 0) continue;
    const std::span<const std::uint16_t> columns = table.codec_columns[i];
    Limbo& limbo = database_.shard(database_.owner_of(partition)).limbo();
    if (table.is_computed(i)) {
      entries_.remake(table, i, layout, old_bytes);
      for (const KeyBuffer& own : entries_.keys()) storage->index(table, i).erase(own, limbo);
      entries_.remake(table, i, layout, new_row_.data());
      for (const KeyBuffer& own : entries_.keys()) storage->index(table, i).insert(own, row);
      continue;
    }
    if (table.codecs[i].same_key(newest, old_bytes, newest, new_row_.data(), columns)) continue;
    table.codecs[i].encode_from_row(newest, old_bytes, columns, key_);
    storage->index(table, i).erase(key_, limbo);
    table.codecs[i].encode_from_row(newest, new_row_.data(), columns, key_);
    storage->index(table, i).insert(key_, row);
  }
  Version* version = old;
  if (new_row_.size() > old->capacity) {
    void* memory = std::malloc(sizeof(Version) + new_row_.size());
    if (memory == nullptr) throw std::bad_alloc();
    version = new (memory) Version();
    version->capacity = static_cast<std::uint32_t>(new_row_.size());
    row->head.store(version, std::memory_order_release);
    if ((old->flags & Version::kInline) != 0) row->inline_used = 0;
    else std::free(old);
  }
  std::memcpy(version->row(), new_row_.data(), new_row_.size());
  version->size = static_cast<std::uint32_t>(new_row_.size());
  version->layout = layout;
  version->command = writer_;
  version->stamp.store(commit.bytes, std::memory_order_relaxed);
  return {};
}

Status ReplayApplier::remove(const TableDef& table, PartitionId partition, KeyRef key) {
  TablePartition* storage = table.storage->find(partition);
  Row* row = storage == nullptr ? nullptr : static_cast<Row*>(storage->index(0).find(key));
  if (row == nullptr) return malformed("delete of a row that is not there");
  Limbo& limbo = database_.shard(database_.owner_of(partition)).limbo();
  Version* version = row->head.load(std::memory_order_relaxed);
  for (unsigned i = 1; i < table.indexes.size(); ++i) {
    if (table.indexes[i].global_table != 0) continue;
    if (table.is_computed(i)) {
      entries_.remake(table, i, version->layout, version->row());
      for (const KeyBuffer& own : entries_.keys()) storage->index(table, i).erase(own, limbo);
      continue;
    }
    table.codecs[i].encode_from_row(*table.layouts, version->layout, version->row(), table.codec_columns[i], key_);
    storage->index(table, i).erase(key_, limbo);
  }
  storage->index(0).erase(key, limbo);
  storage->live_rows.fetch_sub(1, std::memory_order_relaxed);
  if ((version->flags & Version::kInline) == 0) std::free(version);
  std::free(row);
  return {};
}

void ReplayApplier::saw_oid(Oid oid) {
  // A composite type's OID is made from its relation's, which is the one that was given out.
  if ((oid & kRowTypeBit) != 0) oid = relation_of_row_type(oid);
  highest_oid_ = std::max(highest_oid_, oid);
}

Status ReplayApplier::change_catalog(std::string_view bytes) {
  Result<CatalogChange> change = CatalogEditor::decode(bytes);
  if (!change.ok()) return change.take_status();
  saw_oid(change->oid);
  if (change->table != nullptr) {
    saw_oid(change->table->oid);
    highest_storage_ = std::max(highest_storage_, change->table->storage_id);
    for (const IndexDef& index : change->table->indexes) saw_oid(index.oid), saw_oid(index.constraint), saw_oid(index.global_table);
    for (const CheckDef& check : change->table->checks) saw_oid(check.oid);
    for (const ForeignKeyDef& key : change->table->foreign_keys) saw_oid(key.oid);
  }
  if (change->sequence != nullptr) saw_oid(change->sequence->oid);
  if (change->schema != nullptr) saw_oid(change->schema->oid);
  if (change->object != nullptr) {
    saw_oid(change->object->oid);
    if (change->kind == ObjectKind::kType && database_.compiler() != nullptr) saw_oid(database_.compiler()->declare_type(*change->object));
  }
  pending_changes_.push_back(change.take());
  return {};
}

void ReplayApplier::finish() {
  Oid next = database_.next_oid_.load();
  database_.next_oid_.store(std::max(next, highest_oid_ + 1));
  database_.next_storage_id_.store(std::max(database_.next_storage_id_.load(), highest_storage_ + 1));
  for (unsigned i = 0; i < database_.shards(); ++i) {
    Shard& shard = database_.shard(i);
    // A number that was there before would pass for the old one's where clients compare them.
    shard.state().next_transaction = std::max(shard.state().next_transaction, highest_transaction_ + 1);
    shard.limbo().free_everything();
  }
}

}  // namespace wandian
