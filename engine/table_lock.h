// Table locks: PostgreSQL's eight modes. The weak ones (up to ROW EXCLUSIVE) never exclude each other and are counted on the
// session's shard alone; a strong one visits every shard, in order, and waits there for what excludes it.
// Thread:     each TableLocks belongs to its shard.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "engine/mailbox.h"
#include "engine/owner.h"
#include "engine/transaction.h"

namespace wandian {

/// One lock request at one shard; travels there and back for strong modes.
struct TableLockRequest final : Message {
  Oid table = 0;
  TableLock mode = TableLock::kAccessShare;
  std::uint64_t transaction = 0;       ///< Transaction::id()
  std::int32_t process_id = 0;         ///< of its session
  Shard* origin = nullptr;
  bool no_wait = false;
  bool release = false;                ///< gives up the transaction's lock of this mode instead
  bool granted = false;
  void (*done)(void* context, TableLockRequest& request) = nullptr;
  void* context = nullptr;
  std::uint32_t wait_number = 0;
  bool queued = false;
  void deliver(Shard& here) override;
};

bool table_locks_conflict(TableLock a, TableLock b);

class TableLocks {
 public:
  /// True: granted. False: somebody excludes it (no_wait), or it is queued and `done` will be told.
  bool acquire(TableLockRequest& request);
  /// The weak modes of this shard's own sessions, when nothing excludes them.
  bool try_acquire(Oid table, TableLock mode, std::uint64_t transaction, std::int32_t process_id);
  /// Nothing if the transaction does not hold this mode.
  void release(Oid table, TableLock mode, std::uint64_t transaction, Shard& here);
  /// Ends a wait, which may let go on who stood behind it; false if it was granted already.
  bool cancel(TableLockRequest& request, Shard& here);
  void collect_waits(std::vector<WaitEdge>& edges) const;

  struct Holder {
    std::uint64_t transaction;
    std::int32_t process_id;
    TableLock mode;
  };
  struct Entry {
    std::vector<Holder> holders;
    std::vector<TableLockRequest*> queue;
  };
  const std::unordered_map<Oid, Entry>& entries() const { return entries_; }

 private:
  bool grantable(const Entry& entry, TableLock mode, std::uint64_t transaction, const TableLockRequest* until) const;
  void grant_waiters(Entry& entry, Shard& here);
  std::unordered_map<Oid, Entry> entries_;
};

}  // namespace wandian
