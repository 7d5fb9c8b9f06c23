// What a transaction waits with: requests at owners, their cancellation, and the search for deadlocks.
#pragma once

#include <coroutine>
#include <memory>
#include <vector>

#include "engine/advisory_lock.h"
#include "engine/owner.h"
#include "engine/shard.h"
#include "engine/table_lock.h"
#include "engine/transaction.h"

namespace wandian {

/// Travels to a request's owner and ends its wait there, if it still waits.
struct CancelMessage final : Message {
  RowRequest* request = nullptr;
  Shard* origin = nullptr;
  Status why;
  void (*done)(void* context) = nullptr;
  void* context = nullptr;
  void deliver(Shard& here) override;
};

struct Transaction::Slot {
  RowRequest request;
  CancelMessage cancel;
  Transaction* transaction = nullptr;
  bool outstanding = false;
  bool cancelling = false;
};

/// Asks one shard who waits for whom there.
struct WaitsMessage final : Message {
  struct DeadlockSearch* search = nullptr;
  std::vector<WaitEdge> edges;
  void deliver(Shard& here) override;
};

/// After deadlock_timeout: collects the waits of all shards twice; a cycle through this transaction in both is real, since a wait
/// that ended in between has another number.
struct DeadlockSearch final : Runnable {
  Transaction* transaction = nullptr;
  std::vector<WaitsMessage> messages;
  unsigned pending = 0;
  bool second = false;
  bool running = false;
  std::vector<std::vector<WaitEdge>> cycles;   ///< found in the first collection
  Shard::TimerId timer = 0;

  void arm();
  void disarm();
  void run() override;                 ///< the timeout
  void collect();
  void collected();
};

struct Transaction::Waiting final : Runnable {
  explicit Waiting(Transaction& owner) : transaction(owner) { deadlock.transaction = &owner; }
  Transaction& transaction;
  std::coroutine_handle<> handle;
  TableLockRequest* table_lock = nullptr;   ///< that waits, at shard table_lock_at
  unsigned table_lock_at = 0;
  Status table_lock_cancelled;
  AdvisoryRequest* advisory = nullptr;      ///< that waits
  std::uint32_t advisory_waits = 0;
  Status advisory_cancelled;
  std::atomic<bool>* stop_validating = nullptr;   ///< while a commit is being validated
  Status validation_cancelled;
  DeadlockSearch deadlock;

  /// Lets the coroutine go on when nothing of this transaction is under way any more.
  void resume_if_idle() {
    if (handle && transaction.pending_ == 0 && !deadlock.running) transaction.shard_.post(*this);
  }
  void run() override {
    if (handle) std::exchange(handle, {}).resume();
  }
};

/// Ends a table lock's wait at another shard. Answers before or after the lock request itself: both are counted.
struct TableLockCancel final : Message {
  TableLockRequest* request = nullptr;
  Shard* origin = nullptr;
  void (*done)(void* context) = nullptr;
  void* context = nullptr;
  void deliver(Shard& here) override;
};

}  // namespace wandian
