// Owner: what a shard does for the partitions it owns: applies row operations, keeps row locks and their queues, stamps or
// undoes versions when a transaction ends, and removes what nobody can see.
// Owns:       OwnerTransactions, the lock table, garbage queues.
// Thread:     its shard's.
// Invariants: a row's lock entry exists as long as it has holders or waiters; rows with one are not freed. Who waits
//             is served before a newcomer. An operation that waited starts again from the newest version.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/index_entries.h"
#include "engine/mailbox.h"
#include "engine/marks.h"
#include "engine/row_op.h"
#include "engine/snapshot_slot.h"
#include "engine/transaction.h"
#include "engine/wait_edge.h"

namespace wandian {

class Shard;
struct RowRequest;

/// What one owner knows of a transaction: what to stamp or undo, what to unlock.
struct OwnerTransaction {
  struct Write {
    Row* row;
    Version* version;
    TablePartition* partition;
    std::uint32_t command;
  };
  struct Lock {
    Row* row;
    std::uint32_t command;
  };
  TxnDescriptor* descriptor = nullptr;
  std::vector<Write> writes;
  std::vector<Lock> locks;
  bool marked = false;                  ///< owner's Marks have an entry of it
};

/// Whatever can stand in a row's queue.
struct Waiter {
  Row* waiting_on = nullptr;
  bool waiting_at_mark = false;         ///< of a SERIALIZABLE transaction, instead of at a row
  bool ready = false;                   ///< told to try again
  bool resumed = false;                 ///< it is trying again: it need not queue behind others
  RowLock waiting_mode = RowLock::kUpdate;
  /// Whose wait this is for deadlock detection; null if it holds nothing, so that nobody can wait for it.
  TxnDescriptor* waiting_transaction = nullptr;
  /// Tries again, on the owner's shard.
  virtual void retry(Shard& here) = 0;

 protected:
  ~Waiter() = default;
};

/// A batch on its way to an owner, perhaps waiting there, and back.
struct RowRequest final : Message, Waiter {
  RowBatch* batch = nullptr;
  TxnDescriptor* descriptor = nullptr;
  Shard* origin = nullptr;
  unsigned owner = 0;
  Lsn snapshot;
  Isolation isolation = Isolation::kReadCommitted;
  std::uint32_t command = 0;
  void (*done)(void* context, RowRequest& request) = nullptr;   ///< on the origin shard
  void* context = nullptr;
  bool finished = true;                 ///< set by the owner, read after the answer arrived

  Status cancelled;                     ///< the owner's while it is there: ends the wait

  void deliver(Shard& here) override;
  void retry(Shard& here) override;
};

class Owner {
 public:
  explicit Owner(Shard& shard) : shard_(shard) {}
  ~Owner();

  /// Runs the batch from where it stands. True: finished. False: it waits here, and `done` will be told.
  bool run(RowRequest& request);
  /// Ends the wait of a request with `why`, if it still waits here.
  void cancel(RowRequest& request, Status why);
  /// Stamps with `commit`, or undoes everything if it is null; releases locks, wakes waiters. The caller then may forget the descriptor.
  void finish(TxnDescriptor& descriptor, const Lsn* commit);
  /// Undoes what was written and locked by commands >= `command`.
  void undo(TxnDescriptor& descriptor, std::uint32_t command);
  OwnerTransaction& transaction(TxnDescriptor& descriptor);

  /// Lets requests that were told to try again do so. Returns whether any ran.
  bool run_ready();
  /// Once a turn: frees what no snapshot can see.
  void collect_garbage();
  bool has_garbage() const { return !garbage_.empty(); }

  // Primitives, shared with native procedures. All assume that this shard owns the partition.

  /// Puts a version of `size` bytes with an active stamp on top of `row` and trims what is older than the horizon below it.
  /// `fill(char*)` writes the row's bytes before anyone can see them.
  template <class Fill>
  Version* push_version(OwnerTransaction& transaction, TablePartition& partition, Row& row, std::size_t size, std::uint16_t flags,
                        std::uint32_t command, Fill&& fill) {
    Version* version = allocate_version(row, size);
    fill(version->row());
    install_version(transaction, partition, row, version, size, flags, command);
    return version;
  }
  /// A new anchor with its first version, not yet in any index.
  template <class Fill>
  Row* make_row(OwnerTransaction& transaction, TablePartition& partition, std::size_t size, std::uint32_t command, Fill&& fill) {
    Row* row = allocate_row(size);
    fill(row->inline_version()->row());
    install_row(transaction, partition, row, size, command);
    return row;
  }

  enum class HeadState : std::uint8_t { kCommitted, kOwn, kHeldByOther };
  struct Head {
    Version* version;
    HeadState state;
    std::uint64_t lsn;                  ///< kCommitted
    TxnDescriptor* holder;              ///< kHeldByOther
  };
  /// The newest version and whose it is.
  static Head look_at(Row& row, const TxnDescriptor* self);
  /// The row that stands in the way of `bytes` in unique index `i`, or null.
  Row* unique_conflict(TablePartition& partition, unsigned i, const char* bytes, std::uint16_t layout, const Row* self,
                       const TxnDescriptor* own, bool* must_wait, std::uint64_t* floor);
  /// Makes the entries of all computed indexes for a row of the current layout, for insert_entry(). The errors are the expressions'.
  Status make_entries(const TableDef& table, const char* row);
  void insert_entry(const TableDef& table, TablePartition& partition, unsigned i, const char* bytes, Row& row);
  /// Puts the waiter into the row's queue.
  void park(Waiter& waiter, Row& row, TablePartition& partition, RowLock mode);
  /// Takes a waiter out of whatever queue it stands in and tells it to try again.
  void unpark(Waiter& waiter);
  void add_lock(OwnerTransaction& transaction, TablePartition& partition, Row& row, RowLock mode, std::uint32_t command);
  // What SERIALIZABLE transactions that are about to commit have read (engine/marks.h).
  bool has_marks() const { return !marks_.empty(); }
  void mark(TxnDescriptor& descriptor, std::shared_ptr<const ReadSet> reads);
  /// The transaction whose end the write must wait for, or null. Asked by whoever is about to write, if has_marks().
  TxnDescriptor* mark_met_by(const Marks::Write& write, const TxnDescriptor* self) const { return marks_.met_by(write, self); }
  void park_at_mark(Waiter& waiter, const TxnDescriptor& descriptor) { marks_.wait(waiter, descriptor); }
  /// Newest commit that was stamped here: a local procedure's snapshot is not older.
  std::uint64_t last_commit() const { return last_commit_; }

  /// Appends the transaction's row locks here, as redo's kLockRow.
  void describe_locks(const TxnDescriptor& descriptor, std::string* out) const;

  /// For deadlock detection: who waits for whom here.
  void collect_waits(std::vector<WaitEdge>& edges) const;

  struct LockHolder {
    TxnDescriptor* descriptor;
    RowLock mode;
    std::uint32_t command;
  };
  struct LockEntry {
    std::vector<LockHolder> holders;
    std::deque<Waiter*> queue;
    TablePartition* partition = nullptr;
  };
  bool locked_by_others(Row& row, const TxnDescriptor* self, RowLock mode) const;

 private:
  enum class Step { kDone, kWait };
  Step run_op(RowRequest& request, RowOp& op);
  Step insert(RowRequest& request, RowOp& op);
  Step modify(RowRequest& request, RowOp& op);
  Step count(RowRequest& request, RowOp& op);
  Step wait(RowRequest& request, RowOp& op, Row& row, TablePartition& partition);
  bool meets_mark(RowRequest& request, RowOp& op, const Version* before, const char* after, Step* step);
  void pop_version(const OwnerTransaction::Write& write);
  void erase_secondary_keys(TablePartition& partition, Row& row, const Version& gone, const Version* until);
  void erase_keys_of(const TableDef& table, unsigned i, TablePartition& partition, Row& row, const Version& gone, const Version* until);
  void erase_computed_keys(const TableDef& table, unsigned i, TablePartition& partition, Row& row, const Version& gone, const Version* until);
  void wake(Row& row);
  void wake_next(Row& row, const Waiter* just_ran);
  void release_entry_if_idle(Row& row, LockEntry& entry);
  void retire_version(Row& row, Version* version);
  void retire_chain(Row& row, Version* version);
  void queue_garbage(TablePartition& partition, Row& row, std::uint64_t lsn);
  enum class Swept { kDone, kLater, kHeld };
  Swept sweep(TablePartition& partition, Row& row);
  bool trim_row(TablePartition& partition, Row& row, Version& newest_visible);
  void trim_below(Row& row, Version& version);
  void free_row(TablePartition& partition, Row& row, Version& tombstone);
  void refresh_snapshots();
  Version* allocate_version(Row& row, std::size_t bytes);
  static Row* allocate_row(std::size_t bytes);
  void install_version(OwnerTransaction& transaction, TablePartition& partition, Row& row, Version* version, std::size_t size,
                       std::uint16_t flags, std::uint32_t command);
  void install_row(OwnerTransaction& transaction, TablePartition& partition, Row* row, std::size_t size, std::uint32_t command);

  Shard& shard_;
  std::unordered_map<Row*, LockEntry> locks_;
  std::vector<Waiter*> ready_;
  Marks marks_;
  struct GarbageSource {
    std::shared_ptr<TableStorage> storage;
    TablePartition* partition;
  };
  std::deque<GarbageSource> garbage_;
  std::vector<GarbageSource> held_;        ///< partitions with held rows
  std::vector<std::unique_ptr<OwnerTransaction>> transactions_;   ///< all of them, those that descriptors point to included
  std::vector<OwnerTransaction*> idle_transactions_;
  SnapshotSet snapshots_, new_snapshots_;  ///< in use, as of this turn's end; scratch
  std::uint64_t last_commit_ = 0;
  // Of computed indexes: those of the row that is being written, by index, and of the versions that it is compared with.
  std::vector<std::unique_ptr<IndexEntries>> made_;
  IndexEntries entries_, other_entries_;
};

}  // namespace wandian
