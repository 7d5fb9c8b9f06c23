// Transaction: begin, statements, savepoints, commit and rollback, on the shard of its session.
// Owns:       its descriptor while it writes, its redo, its catalog changes and the locks it holds at every shard.
// Thread:     its session's shard. What it writes elsewhere travels in RowBatches.
// Invariants: an outcome is set, and ROLLBACK TO is answered, only when no operation of it is outstanding at an owner.
// Errors:     40001, 40P01, 55P03, 57014, 23505, 23503, 53100, 53200, ...; after an error of write() the statement must be
//             undone (rollback_to its savepoint, or rollback): the caller does that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/row_op.h"
#include "engine/task.h"
#include "engine/version.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"

namespace wandian {

class Shard;
class Database;
struct AdvisoryKey;
struct AdvisoryLocker;
struct PreparedTransactionInfo;

enum class Isolation : std::uint8_t { kReadCommitted, kRepeatableRead, kSerializable };
enum class SyncCommit : std::uint8_t { kOff, kLocal, kRemoteWrite, kOn, kRemoteApply };

/// Table locks, PostgreSQL's eight modes in its order (manual, 13.3.1).
enum class TableLock : std::uint8_t {
  kAccessShare = 1, kRowShare, kRowExclusive, kShareUpdateExclusive, kShare, kShareRowExclusive, kExclusive, kAccessExclusive,
};

/// Something that happens in commit order, beside the commits themselves.
class CommitWatcher {
 public:
  virtual ~CommitWatcher() = default;
  /// Just before the commit window. It may throw bad_alloc, and then nothing is committed; it may wait for another watcher's window.
  virtual void before_commit() = 0;
  /// Just after it, always.
  virtual void committed(Lsn commit) noexcept = 0;
};

class Transaction {
 public:
  explicit Transaction(Shard& shard);
  ~Transaction();                          ///< must not be active: rollback() first
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Whose it is, for the details of a deadlock.
  void set_session(std::int32_t process_id, Oid database) {
    process_id_ = process_id;
    database_ = database;
  }
  std::int32_t process_id() const { return process_id_; }

  bool active() const { return active_; }
  void begin(Isolation isolation, bool read_only);
  Isolation isolation() const { return isolation_; }
  bool read_only() const { return read_only_; }

  /// The catalog as this transaction sees it: the published one and its own uncommitted DDL.
  const std::shared_ptr<const Catalog>& catalog();

  /// Starts a statement: next command, and a new snapshot under READ COMMITTED (or if there is none yet). False: the snapshot
  /// cannot cover yet what the session has seen; try again next turn.
  bool begin_statement();
  void end_statement();
  bool in_statement() const { return in_statement_; }
  /// Reads of the current statement. `view().floor` flows into answer_floor().
  ReadView& view() { return view_; }
  /// A view for foreign-key checks and ON CONFLICT, apart from the statement's own: everything committed up to now, and own
  /// writes of earlier commands. False: try again next turn. The caller hands its floor to raise_answer_floor().
  bool newest_view(ReadView* view);
  /// Later writes of the same statement become visible to its later parts (next command number).
  void next_command();

  /// A statement that others run inside of (functions, triggers): what it sees and the number it writes with.
  struct OpenStatement {
    Lsn snapshot;
    std::uint32_t command = 0;
    bool in_statement = false, registered = false;
  };
  /// The statement's snapshot must be held by whoever goes on with it (Shard::hold_snapshot).
  OpenStatement set_statement_aside();
  void bring_statement_back(const OpenStatement& statement);
  /// Of a transaction at REPEATABLE READ or above that has none yet: the snapshot of another one, which is held for it until its end.
  void use_snapshot(Lsn snapshot);
  /// Instead of begin_statement(), for a statement that is to see exactly what `callers` sees and writes nothing.
  void begin_statement_as(const ReadView& callers);

  /// Runs the batches at their owners and waits for all of them. Each RowBatch goes to one owner: `batches[i]` holds
  /// operations whose partitions belong to one shard. Errors of operations are in the operations; the Status says the first.
  Task<Status> write(std::span<RowBatch*> batches);
  /// The same when everything is owned by this shard and nothing has to wait: no coroutine. False: use write(), which goes on
  /// from where this stopped.
  bool try_write(RowBatch& batch, Status* status);
  /// Which shard owns a partition.
  unsigned owner_of(PartitionId partition) const;
  bool owned_here(PartitionId partition) const;

  Task<Status> lock_table(std::shared_ptr<const TableDef> table, TableLock mode, LockWait wait);
  /// The weak modes of ordinary statements when nobody holds a strong lock: no coroutine. False: use lock_table().
  bool try_lock_table(const TableDef& table, TableLock mode);
  /// The same for tables none of which the transaction has locked yet: it is not looked whether it has.
  bool try_lock_new_table(const TableDef& table, TableLock mode);
  bool holds_table_locks() const { return !table_locks_.empty(); }

  /// Waits in the queue of an advisory lock that try_acquire() did not give. What it guarded is seen by the next statement.
  Task<Status> lock_advisory(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker);

  /// Records DDL. It is seen by catalog() at once and by others at commit; the caller holds the strong table locks.
  Status change_catalog(std::vector<CatalogChange> changes);
  Oid allocate_oid();

  struct Savepoint {
    std::uint32_t command = 0;
    std::size_t redo_bytes = 0;
    std::size_t catalog_changes = 0;
    std::size_t table_locks = 0;
  };
  Savepoint savepoint();
  /// Undoes everything written since, at all owners, and releases the row and table locks taken since.
  Task<void> rollback_to(Savepoint savepoint);

  /// Waits only for admission to the log (and, at a strong level, nothing: durability gates the answer, not the session), and,
  /// if SERIALIZABLE, for the owners of what was read: 40001 if that has changed. After an error: rollback().
  Task<Status> commit(SyncCommit level);
  /// Without a coroutine when there is room in the log. False: use commit().
  bool try_commit(SyncCommit level, Status* status);
  Task<void> rollback();
  bool try_rollback();

  /// PREPARE TRANSACTION: logs what was written and locked under `info.gid`, and hands all of it to *prepared, which only
  /// PreparedTransactions finishes; this one is over then. After an error: rollback().
  Task<Status> prepare(const PreparedTransactionInfo& info, std::unique_ptr<Transaction>* prepared);
  /// The outcome of a prepared transaction, on its shard. After an error it is still prepared.
  Task<Status> finish_prepared(std::string_view gid, bool commit);

  /// What an answer built so far depends on: reads, own commit, catalog, sequences. Grows; the session takes it with each answer.
  std::uint64_t answer_floor() const { return answer_floor_; }
  void raise_answer_floor(std::uint64_t lsn) { answer_floor_ = std::max(answer_floor_, lsn); }
  /// Commit LSN of the transaction that ended last; Lsn{} if it wrote nothing or was rolled back.
  Lsn last_commit() const { return last_commit_; }
  bool has_writes() const { return descriptor_ != nullptr; }
  std::uint64_t id();                      ///< transaction id (txid_current): assigns a descriptor

  /// `watcher` is told of this transaction's commit, which then is logged even if nothing was changed. Forgotten with its end.
  void watch_commit(CommitWatcher* watcher) { watcher_ = watcher; }

  /// Forgets everything without telling anyone: the engine it belongs to has died (simulation, process end).
  void abandon();

  /// Ends a wait in progress with 57014 (or `why`), at once if it waits for a lock, else at the next safe point.
  void cancel(Status why);

  Shard& shard() { return shard_; }

 private:
  friend class Shard;
  friend class LocalRun;
  friend class GlobalContext;
  friend struct DeadlockSearch;
  struct Slot;                             ///< a request under way and its cancellation (engine/transaction_wait.h)
  struct Waiting;

  TxnDescriptor& ensure_descriptor();
  /// Starts a batch at its owner. False: it is under way.
  bool start(RowBatch& batch);
  void request_done(Slot& slot);
  Task<void> wait_for_requests();
  static void answered(void* context);
  template <class Question>
  Task<void> ask_owners(std::vector<Question>& questions);
  bool must_validate() const;
  Task<Status> validate();
  Task<Status> acquire_strong(Oid table, TableLock mode, LockWait wait);
  bool encode_single_record();
  Task<Status> encode_records(const std::string& operations);
  Task<Status> log_operations(const std::string& operations);
  Task<void> collect_locks(std::string* out);
  std::unique_ptr<Transaction> detach();
  Task<Status> write_parts(std::uint32_t* parts);
  Lsn commit_record();
  void finish(const Lsn* commit);
  void release_table_locks(std::size_t from);
  void forget();
  void register_view();
  void unregister_view();

  Shard& shard_;
  std::int32_t process_id_ = 0;
  Oid database_ = 0;
  bool active_ = false;
  bool read_only_ = false;
  bool has_snapshot_ = false;
  bool in_statement_ = false;
  Isolation isolation_ = Isolation::kReadCommitted;
  ReadView view_;
  std::uint32_t last_command_ = 1;         ///< view_.command goes back to a statement's that others ran inside of; this does not
  std::uint64_t answer_floor_ = 0;
  Lsn last_commit_;
  std::uint64_t id_ = 0;
  TxnDescriptor* descriptor_ = nullptr;
  CommitWatcher* watcher_ = nullptr;
  std::unique_ptr<ReadSet> reads_;                         ///< SERIALIZABLE and not READ ONLY: view_.reads
  std::string redo_;
  std::shared_ptr<const Catalog> catalog_;                 ///< the published one this statement uses
  std::vector<CatalogChange> catalog_changes_;
  std::vector<std::shared_ptr<const Catalog>> overlays_;   ///< after each change, so that a savepoint can go back
  struct HeldTableLock {
    Oid table;
    TableLock mode;
  };
  std::vector<HeldTableLock> table_locks_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::unique_ptr<Waiting> waiting_;
  unsigned pending_ = 0;
  std::size_t view_index_ = kNoView;
  static constexpr std::size_t kNoView = ~std::size_t{0};
};

}  // namespace wandian
