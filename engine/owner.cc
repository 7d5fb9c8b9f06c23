#include "engine/owner.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "engine/redo.h"
#include "engine/shard.h"
#include "engine/shard_state.h"
#include "engine/system_columns.h"

namespace wandian {

namespace {

// Row lock modes that exclude each other (PostgreSQL manual, table 13.3).
bool conflicts(RowLock a, RowLock b) {
  static constexpr bool kTable[4][4] = {
      {false, false, false, true}, {false, false, true, true}, {false, true, true, true}, {true, true, true, true}};
  return kTable[static_cast<int>(a)][static_cast<int>(b)];
}

void refuse_to_wait(RowOp& op, const TableDef& table) {
  op.outcome = RowOutcome::kError;
  op.error = Status{sqlstate::lock_not_available, "could not obtain lock on row in relation \"" + table.name + "\""};
}

}  // namespace

Owner::Head Owner::look_at(Row& row, const TxnDescriptor* self) {
  Version* version = row.head.load(std::memory_order_relaxed);
  const std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
  if ((stamp & kStampActive) == 0) return {version, HeadState::kCommitted, stamp, nullptr};
  TxnDescriptor* descriptor = stamp_descriptor(stamp);
  if (descriptor == self) return {version, HeadState::kOwn, 0, descriptor};
  const std::uint64_t state = descriptor->state.load(std::memory_order_acquire);
  // Committed, though not stamped yet: the newest committed version. Aborted, but its undo is still on its way here: it is
  // waited for like an active one, since the undo wakes whoever waits.
  if (state != TxnDescriptor::kActive && state != TxnDescriptor::kAborted) return {version, HeadState::kCommitted, state, nullptr};
  return {version, HeadState::kHeldByOther, 0, descriptor};
}

void RowRequest::retry(Shard& here) {
  if (!here.state().owner.run(*this)) return;
  if (origin == &here) done(context, *this);
  else here.state().mailbox.send(origin->index(), *this);
}

void RowRequest::deliver(Shard& here) {
  if (&here == origin) {
    done(context, *this);
    return;
  }
  if (here.state().owner.run(*this)) here.state().mailbox.send(origin->index(), *this);
}

Owner::~Owner() = default;

OwnerTransaction& Owner::transaction(TxnDescriptor& descriptor) {
  OwnerTransaction*& slot = descriptor.at[shard_.index()];
  if (slot == nullptr) {
    if (idle_transactions_.empty()) {
      transactions_.push_back(std::make_unique<OwnerTransaction>());
      idle_transactions_.push_back(transactions_.back().get());
    }
    slot = idle_transactions_.back();
    idle_transactions_.pop_back();
    slot->descriptor = &descriptor;
  }
  return *slot;
}

bool Owner::run(RowRequest& request) {
  RowBatch& batch = *request.batch;
  request.finished = false;
  while (batch.next < batch.ops.size()) {
    RowOp& op = batch.ops[batch.next];
    Step step;
    try {
      if (!request.cancelled.ok()) {
        op.error = std::move(request.cancelled);
        request.cancelled = {};
        op.outcome = RowOutcome::kError;
        step = Step::kDone;
      } else {
        step = run_op(request, op);
      }
    } catch (const std::bad_alloc&) {
      op.error = Status{sqlstate::out_of_memory, "out of memory"};
      op.outcome = RowOutcome::kError;
      step = Step::kDone;
    }
    request.resumed = false;
    if (step == Step::kWait) return false;
    ++batch.next;
    if (op.outcome == RowOutcome::kError && batch.stop_on_error) break;
  }
  request.finished = true;
  return true;
}

Owner::Step Owner::run_op(RowRequest& request, RowOp& op) {
  if (op.kind == RowOp::Kind::kCount) [[unlikely]] return count(request, op);
  return op.kind == RowOp::Kind::kInsert ? insert(request, op) : modify(request, op);
}

Owner::Step Owner::wait(RowRequest& request, RowOp& op, Row& row, TablePartition& partition) {
  if (op.wait == LockWait::kSkip) {
    op.outcome = RowOutcome::kSkipped;
    return Step::kDone;
  }
  if (op.wait == LockWait::kNoWait) {
    refuse_to_wait(op, *partition.table);
    return Step::kDone;
  }
  request.descriptor->waits.fetch_add(1, std::memory_order_relaxed);   // it may wait at several owners at once
  request.waiting_transaction = request.descriptor;
  park(request, row, partition, op.lock);
  return Step::kWait;
}

void Owner::park(Waiter& waiter, Row& row, TablePartition& partition, RowLock mode) {
  LockEntry& entry = locks_[&row];
  entry.partition = &partition;
  row.lock_state = 1;
  waiter.waiting_on = &row;
  waiter.waiting_mode = mode;
  if (waiter.resumed) entry.queue.push_front(&waiter);
  else entry.queue.push_back(&waiter);
}

void Owner::mark(TxnDescriptor& descriptor, std::shared_ptr<const ReadSet> reads) {
  transaction(descriptor).marked = true;
  marks_.set(descriptor, std::move(reads));
}

// True: the operation has to wait for the end of a transaction that has read what it is about to write; *step says how it does.
bool Owner::meets_mark(RowRequest& request, RowOp& op, const Version* before, const char* after, Step* step) {
  const bool there = before != nullptr && !before->tombstone();
  const Marks::Write write{**op.table, op.partition, op.key, there ? before->row() : nullptr, there ? before->layout : std::uint16_t{0}, after};
  TxnDescriptor* holder = marks_.met_by(write, request.descriptor);
  if (holder == nullptr) return false;
  *step = Step::kDone;
  if (op.wait == LockWait::kNoWait) {
    refuse_to_wait(op, **op.table);
    return true;
  }
  *step = Step::kWait;
  request.waiting_transaction = request.descriptor;
  marks_.wait(request, *holder);
  return true;
}

void Owner::unpark(Waiter& waiter) {
  if (waiter.ready || (waiter.waiting_on == nullptr && !waiter.waiting_at_mark)) return;
  waiter.ready = true;
  ready_.push_back(&waiter);
}

bool Owner::locked_by_others(Row& row, const TxnDescriptor* self, RowLock mode) const {
  if (row.lock_state == 0) return false;
  const auto found = locks_.find(&row);
  if (found == locks_.end()) return false;
  for (const LockHolder& holder : found->second.holders)
    if (holder.descriptor != self && conflicts(holder.mode, mode)) return true;
  return false;
}

void Owner::add_lock(OwnerTransaction& transaction, TablePartition& partition, Row& row, RowLock mode, std::uint32_t command) {
  LockEntry& entry = locks_[&row];
  entry.partition = &partition;
  row.lock_state = 1;
  for (const LockHolder& holder : entry.holders)
    if (holder.descriptor == transaction.descriptor && holder.mode >= mode) return;
  entry.holders.push_back({transaction.descriptor, mode, command});
  transaction.locks.push_back({&row, command});
}

// --- inserting ---------------------------------------------------------------------------------------------------

Row* Owner::unique_conflict(TablePartition& partition, unsigned i, const char* bytes, std::uint16_t layout, const Row* self,
                            const TxnDescriptor* own, bool* must_wait, std::uint64_t* floor) {
  const TableDef& table = *partition.table;
  const IndexDef& definition = table.indexes[i];
  const std::size_t parts = definition.key_parts == 0 ? definition.parts.size() : definition.key_parts;
  const std::span<const std::uint16_t> columns(table.codec_columns[i].data(), parts);
  KeyBuffer wanted, key;
  // False: the version has no entry that another could be equal to.
  const auto key_of = [&](std::uint16_t row_layout, const char* row, KeyBuffer& out) {
    if (!table.is_computed(i)) [[likely]] {
      if (!definition.nulls_not_distinct)
        for (const std::uint16_t column : columns)
          if (table.layouts->read(row_layout, row, column).is_null) return false;
      table.codecs[i].encode_from_row(*table.layouts, row_layout, row, columns, out);
      return true;
    }
    Result<std::span<const Value>> values = entries_.parts(table, i, row_layout, row);
    if (!values.ok() || values->empty()) return false;
    if (!definition.nulls_not_distinct && std::any_of(values->begin(), values->end(), [](const Value& value) { return value.is_null; })) return false;
    table.codecs[i].encode(values.value(), out);
    return true;
  };
  if (!key_of(layout, bytes, wanted)) return nullptr;
  OrderedIndex::Cursor cursor(partition.index(table, i));
  for (bool on = partition.index(table, i).seek_prefix(wanted, cursor); on; on = cursor.next()) {
    Row* row = static_cast<Row*>(cursor.value());
    if (row == self) continue;
    const Head head = look_at(*row, own);
    // Newest and uncommitted versions count: an uncommitted insert or delete of this key by another is waited for.
    const auto has_key = [&](const Version& version) {
      return !version.tombstone() && key_of(version.layout, version.row(), key) && key.ref() == wanted.ref();
    };
    if (head.state == HeadState::kHeldByOther) {
      bool concerns = false;
      for (const Version* version = head.version; version != nullptr && !concerns;
           version = version->older.load(std::memory_order_relaxed)) {
        concerns = has_key(*version);
        if ((version->stamp.load(std::memory_order_relaxed) & kStampActive) == 0) break;
      }
      if (!concerns) continue;
      *must_wait = true;
      return row;
    }
    if (head.state == HeadState::kCommitted) *floor = std::max(*floor, head.lsn);
    if (has_key(*head.version)) return row;
  }
  return nullptr;
}

Version* Owner::allocate_version(Row& row, std::size_t bytes) {
  if (row.inline_used == 0 && bytes <= row.inline_capacity) {
    row.inline_used = 1;
    Version* version = new (row.inline_version()) Version();
    version->flags = Version::kInline;
    version->capacity = row.inline_capacity;
    return version;
  }
  void* memory = std::malloc(sizeof(Version) + bytes);
  if (memory == nullptr) throw std::bad_alloc();
  Version* version = new (memory) Version();
  version->capacity = static_cast<std::uint32_t>(bytes);
  return version;
}

Row* Owner::allocate_row(std::size_t bytes) {
  void* memory = std::malloc(sizeof(Row) + sizeof(Version) + bytes);
  if (memory == nullptr) throw std::bad_alloc();
  Row* row = new (memory) Row();
  row->inline_capacity = static_cast<std::uint32_t>(bytes);
  row->inline_used = 1;
  Version* version = new (row->inline_version()) Version();
  version->flags = Version::kInline | Version::kExclusive;
  version->capacity = row->inline_capacity;
  return row;
}

void Owner::install_row(OwnerTransaction& transaction, TablePartition& partition, Row* row, std::size_t size, std::uint32_t command) {
  Version* version = row->inline_version();
  version->size = static_cast<std::uint32_t>(size);
  version->layout = partition.table->layout;
  version->command = command;
  version->stamp.store(active_stamp(transaction.descriptor), std::memory_order_relaxed);
  TablePartition::count(partition.inserts);
  row->head.store(version, std::memory_order_release);
  transaction.writes.push_back({row, version, &partition, command});
}

void Owner::install_version(OwnerTransaction& transaction, TablePartition& partition, Row& row, Version* version, std::size_t size,
                            std::uint16_t flags, std::uint32_t command) {
  Version* below = row.head.load(std::memory_order_relaxed);
  version->flags = static_cast<std::uint16_t>(version->flags | flags);
  version->size = static_cast<std::uint32_t>(size);
  version->layout = partition.table->layout;
  version->command = command;
  version->stamp.store(active_stamp(transaction.descriptor), std::memory_order_relaxed);
  version->older.store(below, std::memory_order_relaxed);
  TablePartition::count(version->tombstone() ? partition.deletes : below->tombstone() ? partition.inserts : partition.updates);
  row.head.store(version, std::memory_order_release);
  transaction.writes.push_back({&row, version, &partition, command});
  trim_below(row, *below);
}

namespace {

auto copy_of(std::string_view bytes) {
  return [bytes](char* at) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  };
}

}  // namespace

Owner::Step Owner::insert(RowRequest& request, RowOp& op) {
  const TableDef& table = **op.table;
  if (shard_.database().memory_exhausted()) {
    op.outcome = RowOutcome::kError;
    op.error = Status{sqlstate::out_of_memory, "out of memory"}
                   .with_detail("The server has reached \"max_memory\".")
                   .with_hint("Delete data or raise \"max_memory\"; reads and deletes still work.");
    return Step::kDone;
  }
  TablePartition& partition = table.storage->at(table, op.partition, shard_.limbo(), &shard_);
  OwnerTransaction& transaction = this->transaction(*request.descriptor);
  Row* row = static_cast<Row*>(partition.index(0).find_own(op.key));
  if (row != nullptr) {
    const Head head = look_at(*row, request.descriptor);
    if (head.state == HeadState::kHeldByOther) return wait(request, op, *row, partition);
    if (head.state == HeadState::kCommitted) request.batch->floor = std::max(request.batch->floor, head.lsn);
    if (!head.version->tombstone()) {
      op.outcome = RowOutcome::kConflict;
      op.conflict_index = 0;
      return Step::kDone;
    }
    if (locked_by_others(*row, request.descriptor, RowLock::kUpdate)) return wait(request, op, *row, partition);
  }
  if (table.computed_indexes != 0) [[unlikely]]
    if (Status failed = make_entries(table, op.row.data()); !failed.ok()) {
      op.outcome = RowOutcome::kError;
      op.error = std::move(failed);
      return Step::kDone;
    }
  for (unsigned i = 1; i < table.indexes.size(); ++i) {
    if (!table.indexes[i].enforced() || table.indexes[i].global_table != 0) continue;
    bool must_wait = false;
    Row* other = unique_conflict(partition, i, op.row.data(), table.layout, row, request.descriptor, &must_wait, &request.batch->floor);
    if (other == nullptr) continue;
    if (must_wait) return wait(request, op, *other, partition);
    op.outcome = RowOutcome::kConflict;
    op.conflict_index = static_cast<std::int16_t>(i);
    return Step::kDone;
  }
  Step step;
  if (!marks_.empty() && meets_mark(request, op, nullptr, op.row.data(), &step)) return step;
  const bool fresh = row == nullptr;
  if (fresh) {
    row = make_row(transaction, partition, op.row.size(), request.command, copy_of(op.row));
    partition.index(0).insert(op.key, row);
  } else {
    push_version(transaction, partition, *row, op.row.size(), Version::kExclusive | Version::kKeyChanged, request.command, copy_of(op.row));
  }
  for (unsigned i = 1; i < table.indexes.size(); ++i)
    if (table.indexes[i].global_table == 0) insert_entry(table, partition, i, op.row.data(), *row);
  partition.live_rows.fetch_add(1, std::memory_order_relaxed);
  redo::append_insert(request.batch->redo, table.oid, op.partition, table.layout, op.row);
  op.anchor = row;
  op.outcome = RowOutcome::kInserted;
  return Step::kDone;
}

// --- changing and locking ----------------------------------------------------------------------------------------

Owner::Step Owner::modify(RowRequest& request, RowOp& op) {
  const TableDef& table = **op.table;
  RowBatch& batch = *request.batch;
  TablePartition* found = table.storage->find(op.partition);
  Row* row = found == nullptr ? nullptr : static_cast<Row*>(found->index(0).find(op.key));
  if (row == nullptr) {
    op.outcome = RowOutcome::kAbsent;
    return Step::kDone;
  }
  TablePartition& partition = table.storage->at(table, op.partition, shard_.limbo(), &shard_);
  op.anchor = row;
  const Head head = look_at(*row, request.descriptor);
  if (head.state == HeadState::kHeldByOther) {
    const bool shares = op.kind == RowOp::Kind::kLock && op.lock == RowLock::kKeyShare && (head.version->flags & Version::kExclusive) == 0;
    if (!shares) return wait(request, op, *row, partition);
    add_lock(transaction(*request.descriptor), partition, *row, op.lock, request.command);
    op.outcome = RowOutcome::kLocked;
    return Step::kDone;
  }
  if (row->lock_state != 0) {
    if (locked_by_others(*row, request.descriptor, op.lock)) return wait(request, op, *row, partition);
    // Nobody overtakes a waiter, but for who holds the row already.
    if (!request.resumed && head.state != HeadState::kOwn) {
      const LockEntry& entry = locks_[row];
      bool holds = false;
      for (const LockHolder& holder : entry.holders) holds = holds || holder.descriptor == request.descriptor;
      if (!entry.queue.empty() && !holds) return wait(request, op, *row, partition);
    }
  }
  Version& newest = *head.version;
  bool changed = false;
  if (head.state == HeadState::kCommitted) {
    batch.floor = std::max(batch.floor, head.lsn);
    changed = op.changed = head.lsn > request.snapshot.bytes;
    if (changed && request.isolation != Isolation::kReadCommitted) {
      op.outcome = RowOutcome::kError;
      const bool deleted = newest.tombstone() && (newest.flags & Version::kGone) == 0;
      op.error = Status{sqlstate::serialization_failure, deleted && (op.kind != RowOp::Kind::kLock || op.changes_next)
                                                            ? "could not serialize access due to concurrent delete"
                                                            : "could not serialize access due to concurrent update"};
      return Step::kDone;
    }
  } else if (newest.command >= request.command) {
    op.outcome = newest.tombstone() ? RowOutcome::kAbsent : RowOutcome::kSelfModified;
    if (op.kind == RowOp::Kind::kLock) op.outcome = RowOutcome::kLocked;
    return Step::kDone;
  }
  if (newest.tombstone()) {
    op.outcome = changed && (newest.flags & Version::kGone) != 0 ? RowOutcome::kMoved : RowOutcome::kAbsent;
    return Step::kDone;
  }
  OwnerTransaction& transaction = this->transaction(*request.descriptor);
  const auto copy_row = [&](const Version& version) { return batch.arena.copy({version.row(), version.size}); };
  if (op.want_old) {
    op.old_row = copy_row(newest);
    op.old_layout = newest.layout;
    op.old_writer = writer_of(newest);
  }
  if (op.kind == RowOp::Kind::kLock) {
    add_lock(transaction, partition, *row, op.lock, request.command);
    op.outcome = RowOutcome::kLocked;
    return Step::kDone;
  }
  RowView view{newest.row(), newest.layout, row, op.partition, head.state == HeadState::kCommitted ? head.lsn : 0};
  std::string_view bytes;
  Step step;
  switch (op.transform->apply(view, changed, batch.arena, &bytes, &op.error)) {
    case RowTransform::Verdict::kError:
      op.outcome = RowOutcome::kError;
      return Step::kDone;
    case RowTransform::Verdict::kSkip:
      if (changed) add_lock(transaction, partition, *row, op.lock, request.command);
      op.outcome = RowOutcome::kSkipped;
      return Step::kDone;
    case RowTransform::Verdict::kKeep:
      add_lock(transaction, partition, *row, op.lock, request.command);
      op.outcome = RowOutcome::kLocked;
      return Step::kDone;
    case RowTransform::Verdict::kDelete:
      if (locked_by_others(*row, request.descriptor, RowLock::kUpdate)) return wait(request, op, *row, partition);
      if (!marks_.empty() && meets_mark(request, op, &newest, nullptr, &step)) return step;
      push_version(transaction, partition, *row, 0, Version::kTombstone | Version::kExclusive | (op.moves ? Version::kGone : 0), request.command,
                   [](char*) {});
      partition.live_rows.fetch_sub(1, std::memory_order_relaxed);
      redo::append_delete(batch.redo, table.oid, op.partition, op.key);
      op.outcome = RowOutcome::kDeleted;
      return Step::kDone;
    case RowTransform::Verdict::kUpdate:
      break;
  }
  if (shard_.database().memory_exhausted()) {
    op.outcome = RowOutcome::kError;
    op.error = Status{sqlstate::out_of_memory, "out of memory"}
                   .with_detail("The server has reached \"max_memory\".")
                   .with_hint("Delete data or raise \"max_memory\"; reads and deletes still work.");
    return Step::kDone;
  }
  // Secondary keys that change get new entries beside the old ones, which go with the old version.
  std::uint16_t flags = op.lock == RowLock::kUpdate ? Version::kExclusive : 0;
  const RowLayout& layout = table.layouts->newest();
  std::uint64_t changed_indexes = 0;
  if (table.computed_indexes != 0) [[unlikely]]
    if (Status failed = make_entries(table, bytes.data()); !failed.ok()) {
      op.outcome = RowOutcome::kError;
      op.error = std::move(failed);
      return Step::kDone;
    }
  for (unsigned i = 1; i < table.indexes.size(); ++i) {
    if (table.indexes[i].global_table != 0) continue;
    if (table.is_computed(i)) [[unlikely]] {
      entries_.remake(table, i, newest.layout, newest.row());
      if (entries_.same(*made_[i])) continue;
    } else if (table.codecs[i].same_key(table.layouts->layout(newest.layout), newest.row(), layout, bytes.data(), table.codec_columns[i])) {
      continue;
    }
    changed_indexes |= std::uint64_t{1} << i;
    flags |= Version::kKeyChanged;
    if (!table.indexes[i].enforced()) continue;
    bool must_wait = false;
    Row* other = unique_conflict(partition, i, bytes.data(), table.layout, row, request.descriptor, &must_wait, &batch.floor);
    if (other == nullptr) continue;
    if (must_wait) return wait(request, op, *other, partition);
    op.outcome = RowOutcome::kConflict;
    op.conflict_index = static_cast<std::int16_t>(i);
    op.new_row = batch.arena.copy(bytes);
    return Step::kDone;
  }
  if (!marks_.empty() && meets_mark(request, op, &newest, bytes.data(), &step)) return step;
  redo::append_update(batch.redo, table, op.partition, op.key, newest.layout, newest.row(), bytes.data());
  if (op.want_new) op.new_row = batch.arena.copy(bytes);
  push_version(transaction, partition, *row, bytes.size(), flags, request.command, copy_of(bytes));
  for (unsigned i = 1; changed_indexes != 0 && i < table.indexes.size(); ++i)
    if ((changed_indexes >> i & 1) != 0) insert_entry(table, partition, i, bytes.data(), *row);
  op.outcome = RowOutcome::kUpdated;
  return Step::kDone;
}

Status Owner::make_entries(const TableDef& table, const char* row) {
  while (made_.size() < table.indexes.size()) made_.push_back(std::make_unique<IndexEntries>());
  for (unsigned i = 1; i < table.indexes.size(); ++i)
    if (table.is_computed(i) && table.indexes[i].global_table == 0) WANDIAN_TRY(made_[i]->make(table, i, table.layout, row));
  return {};
}

// The row's entry, or, where they are computed, those that make_entries() made.
void Owner::insert_entry(const TableDef& table, TablePartition& partition, unsigned i, const char* bytes, Row& row) {
  if (table.is_computed(i)) [[unlikely]] {
    for (const KeyBuffer& key : made_[i]->keys()) partition.index(table, i).insert(key, &row);
    return;
  }
  KeyBuffer key;
  table.codecs[i].encode_from_row(table.layouts->newest(), bytes, table.codec_columns[i], key);
  partition.index(table, i).insert(key, &row);
}

// For a unique constraint that is checked after the writes: whatever others are writing under the key is waited for.
Owner::Step Owner::count(RowRequest& request, RowOp& op) {
  const TableDef& table = **op.table;
  op.found = 0;
  op.outcome = RowOutcome::kLocked;
  if (table.storage->find(op.partition) == nullptr) return Step::kDone;
  TablePartition& partition = table.storage->at(table, op.partition, shard_.limbo(), &shard_);
  const std::size_t parts = table.indexes[op.index].key_parts;
  KeyBuffer key;
  const auto has_key = [&](const Version& version) {
    if (version.tombstone()) return false;
    if (!table.is_computed(op.index)) {
      table.codecs[op.index].encode_from_row(*table.layouts, version.layout, version.row(), std::span(table.codec_columns[op.index]).first(parts), key);
      return key.ref() == op.key;
    }
    const Result<std::span<const Value>> values = entries_.parts(table, op.index, version.layout, version.row());
    if (!values.ok() || values.value().empty()) return false;
    table.codecs[op.index].encode(values.value(), key);
    return key.ref() == op.key;
  };
  OrderedIndex::Cursor cursor(partition.index(table, op.index));
  for (bool on = partition.index(table, op.index).seek_prefix(op.key, cursor); on; on = cursor.next()) {
    Row* row = static_cast<Row*>(cursor.value());
    const Head head = look_at(*row, request.descriptor);
    if (head.state == HeadState::kHeldByOther) {
      bool concerns = false;
      for (const Version* version = head.version; version != nullptr && !concerns; version = version->older.load(std::memory_order_relaxed)) {
        concerns = has_key(*version);
        if ((version->stamp.load(std::memory_order_relaxed) & kStampActive) == 0) break;
      }
      if (concerns) return wait(request, op, *row, partition);
      continue;
    }
    if (head.state == HeadState::kCommitted) request.batch->floor = std::max(request.batch->floor, head.lsn);
    op.found += has_key(*head.version);
  }
  return Step::kDone;
}

// --- the end of a transaction ------------------------------------------------------------------------------------

// Removes the entries of keys that `gone` has and no version from the head down to `until` (exclusive) has.
void Owner::erase_secondary_keys(TablePartition& partition, Row& row, const Version& gone, const Version* until) {
  if (gone.tombstone()) return;
  const TableDef& table = *partition.table;
  for (unsigned i = 1; i < table.indexes.size(); ++i)
    if (table.indexes[i].global_table == 0) erase_keys_of(table, i, partition, row, gone, until);
  for (const TablePartition::Dropped& of : partition.dropped) erase_keys_of(*of.table, of.index, partition, row, gone, until);
}

void Owner::erase_keys_of(const TableDef& table, unsigned i, TablePartition& partition, Row& row, const Version& gone, const Version* until) {
  // What was written with a newer layout than a dropped index's definition has was never in that index.
  const auto known = [&](const Version& version) { return version.layout < table.layouts->size(); };
  if (!known(gone)) return;
  if (table.is_computed(i)) [[unlikely]] return erase_computed_keys(table, i, partition, row, gone, until);
  KeyBuffer key, other;
  table.codecs[i].encode_from_row(*table.layouts, gone.layout, gone.row(), table.codec_columns[i], key);
  bool kept = false;
  for (const Version* v = row.head.load(std::memory_order_relaxed); v != nullptr && v != until && !kept;
       v = v->older.load(std::memory_order_relaxed)) {
    if (v == &gone || v->tombstone() || !known(*v)) continue;
    table.codecs[i].encode_from_row(*table.layouts, v->layout, v->row(), table.codec_columns[i], other);
    kept = other.ref() == key.ref();
  }
  if (!kept) partition.index(table, i).erase(key, shard_.limbo());
}

void Owner::erase_computed_keys(const TableDef& table, unsigned i, TablePartition& partition, Row& row, const Version& gone, const Version* until) {
  entries_.remake(table, i, gone.layout, gone.row());
  for (const KeyBuffer& key : entries_.keys()) {
    bool kept = false;
    for (const Version* v = row.head.load(std::memory_order_relaxed); v != nullptr && v != until && !kept;
         v = v->older.load(std::memory_order_relaxed)) {
      if (v == &gone || v->tombstone() || v->layout >= table.layouts->size()) continue;
      other_entries_.remake(table, i, v->layout, v->row());
      kept = other_entries_.has(key);
    }
    if (!kept) partition.index(table, i).erase(key, shard_.limbo());
  }
}

void Owner::pop_version(const OwnerTransaction::Write& write) {
  Row& row = *write.row;
  Version* version = write.version;
  TablePartition& partition = *write.partition;
  DB_ASSERT(row.head.load(std::memory_order_relaxed) == version);
  Version* older = version->older.load(std::memory_order_relaxed);
  const bool was_live = !version->tombstone();
  const bool is_live = older != nullptr && !older->tombstone();
  if (was_live != is_live) partition.live_rows.fetch_add(is_live ? 1 : -1, std::memory_order_relaxed);
  if (older == nullptr || (version->flags & Version::kKeyChanged) != 0) erase_secondary_keys(partition, row, *version, nullptr);
  if (older == nullptr) {
    KeyBuffer key;
    const TableDef& table = *partition.table;
    table.codecs[0].encode_from_row(*table.layouts, version->layout, version->row(), table.codec_columns[0], key);
    partition.index(0).erase(key, shard_.limbo());
    wake(row);
    if (row.lock_state != 0) {
      // Waiters start again and do not find it; none of them keeps a pointer to it.
      const auto found = locks_.find(&row);
      if (found != locks_.end() && found->second.holders.empty() && found->second.queue.empty()) locks_.erase(found);
      else if (found != locks_.end()) {
        for (Waiter* waiter : found->second.queue) {
          waiter->waiting_on = nullptr;
          if (!waiter->ready) {
            waiter->ready = true;
            ready_.push_back(waiter);
          }
        }
        locks_.erase(found);
      }
    }
    shard_.limbo().retire(&row, [](void* object, void*) { std::free(object); });
    return;
  }
  row.head.store(older, std::memory_order_release);
  retire_version(row, version);
}

void Owner::release_entry_if_idle(Row& row, LockEntry& entry) {
  if (!entry.holders.empty() || !entry.queue.empty()) return;
  row.lock_state = 0;
  locks_.erase(&row);
}

void Owner::wake(Row& row) {
  if (row.lock_state == 0) return;
  const auto found = locks_.find(&row);
  if (found == locks_.end()) return;
  LockEntry& entry = found->second;
  if (entry.queue.empty()) {
    release_entry_if_idle(row, entry);
    return;
  }
  Waiter* first = entry.queue.front();
  if (first->ready) return;
  first->ready = true;
  ready_.push_back(first);
}

void Owner::finish(TxnDescriptor& descriptor, const Lsn* commit) {
  OwnerTransaction* transaction = descriptor.at[shard_.index()];
  if (transaction == nullptr) return;
  descriptor.at[shard_.index()] = nullptr;
  if (commit != nullptr) {
    last_commit_ = std::max(last_commit_, commit->bytes);
    const std::uint32_t number = transaction_number(descriptor.transaction_id);
    for (const OwnerTransaction::Write& write : transaction->writes) {
      write.version->command = number;
      write.version->stamp.store(commit->bytes, std::memory_order_release);
      if ((write.version->flags & (Version::kTombstone | Version::kKeyChanged)) != 0) queue_garbage(*write.partition, *write.row, commit->bytes);
    }
    for (const OwnerTransaction::Write& write : transaction->writes) wake(*write.row);
  } else {
    for (auto it = transaction->writes.rbegin(); it != transaction->writes.rend(); ++it) {
      Row& row = *it->row;
      const bool last = it->version->older.load(std::memory_order_relaxed) == nullptr;
      pop_version(*it);
      if (!last) wake(row);
    }
  }
  for (const OwnerTransaction::Lock& lock : transaction->locks) {
    const auto found = locks_.find(lock.row);
    if (found == locks_.end()) continue;
    std::erase_if(found->second.holders, [&](const LockHolder& holder) { return holder.descriptor == &descriptor; });
    wake(*lock.row);
  }
  if (std::exchange(transaction->marked, false)) marks_.clear(descriptor, ready_);
  transaction->writes.clear();
  transaction->locks.clear();
  transaction->descriptor = nullptr;
  idle_transactions_.push_back(transaction);
}

void Owner::describe_locks(const TxnDescriptor& descriptor, std::string* out) const {
  const OwnerTransaction* transaction = descriptor.at[shard_.index()];
  if (transaction == nullptr) return;
  KeyBuffer key;
  for (const OwnerTransaction::Lock& lock : transaction->locks) {
    const auto found = locks_.find(lock.row);
    if (found == locks_.end()) continue;
    const LockEntry& entry = found->second;
    const TableDef& table = *entry.partition->table;
    const Version* version = lock.row->head.load(std::memory_order_relaxed);
    while (version != nullptr && version->tombstone()) version = version->older.load(std::memory_order_relaxed);
    if (version == nullptr) continue;
    table.codecs[0].encode_from_row(*table.layouts, version->layout, version->row(), table.codec_columns[0], key);
    for (const LockHolder& holder : entry.holders)
      if (holder.descriptor == &descriptor)
        redo::append_row_lock(*out, table.oid, entry.partition->id, static_cast<std::uint8_t>(holder.mode), key);
  }
}

void Owner::undo(TxnDescriptor& descriptor, std::uint32_t command) {
  OwnerTransaction* transaction = descriptor.at[shard_.index()];
  if (transaction == nullptr) return;
  while (!transaction->writes.empty() && transaction->writes.back().command >= command) {
    const OwnerTransaction::Write write = transaction->writes.back();
    transaction->writes.pop_back();
    const bool last = write.version->older.load(std::memory_order_relaxed) == nullptr;
    if (last) std::erase_if(transaction->locks, [&](const OwnerTransaction::Lock& lock) { return lock.row == write.row; });
    pop_version(write);
    if (!last) wake(*write.row);
  }
  for (const OwnerTransaction::Lock& lock : transaction->locks) {
    if (lock.command < command) continue;
    const auto found = locks_.find(lock.row);
    if (found == locks_.end()) continue;
    std::erase_if(found->second.holders,
                  [&](const LockHolder& holder) { return holder.descriptor == &descriptor && holder.command >= command; });
    wake(*lock.row);
  }
  std::erase_if(transaction->locks, [&](const OwnerTransaction::Lock& lock) { return lock.command >= command; });
}

void Owner::cancel(RowRequest& request, Status why) {
  if (request.finished || (request.waiting_on == nullptr && !request.waiting_at_mark)) return;
  request.cancelled = std::move(why);
  unpark(request);
}

bool Owner::run_ready() {
  if (ready_.empty()) return false;
  std::vector<Waiter*> batch;
  batch.swap(ready_);
  for (Waiter* waiter : batch) {
    Row* row = waiter->waiting_on;
    waiter->ready = false;
    waiter->waiting_on = nullptr;
    if (std::exchange(waiter->waiting_at_mark, false)) marks_.forget(*waiter);
    if (row != nullptr) {
      const auto found = locks_.find(row);
      if (found != locks_.end()) {
        std::erase(found->second.queue, waiter);
        waiter->resumed = true;
      }
    }
    waiter->retry(shard_);
    // Whoever is next may be compatible with what the first one took.
    if (row != nullptr && locks_.contains(row)) wake_next(*row, waiter);
  }
  return true;
}

// Wakes the first of the queue unless that is `just_ran`, which went back there.
void Owner::wake_next(Row& row, const Waiter* just_ran) {
  LockEntry& entry = locks_[&row];
  if (!entry.queue.empty() && entry.queue.front() == just_ran) return;
  wake(row);
}

void Owner::collect_waits(std::vector<WaitEdge>& edges) const {
  for (const auto& [row, entry] : locks_) {
    for (std::size_t i = 0; i < entry.queue.size(); ++i) {
      const Waiter* waiter = entry.queue[i];
      const TxnDescriptor* self = waiter->waiting_transaction;
      if (waiter->ready || self == nullptr) continue;
      const auto add = [&](const TxnDescriptor* holder) {
        if (holder == nullptr || holder == self) return;
        edges.push_back({.waiter = self->transaction_id, .holder = holder->transaction_id, .wait_number = self->waits.load(std::memory_order_relaxed),
                         .waiter_process = self->process_id, .holder_process = holder->process_id, .advisory = {}});
      };
      const Head head = look_at(*row, self);
      if (head.state == HeadState::kHeldByOther) add(head.holder);
      for (const LockHolder& holder : entry.holders)
        if (conflicts(holder.mode, waiter->waiting_mode)) add(holder.descriptor);
      for (std::size_t j = 0; j < i; ++j) add(entry.queue[j]->waiting_transaction);
    }
  }
}

}  // namespace wandian
