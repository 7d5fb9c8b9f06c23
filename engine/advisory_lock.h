// Advisory locks: names that sessions lock by agreement (PostgreSQL manual, 13.3.5), held by sessions or by transactions.
// Owns:       who holds which key and who waits for it, of the whole database.
// Thread:     any shard; one mutex of a few instructions, since they are taken a few times a transaction at most.
// Invariants: what one released stands before what the next who took anything sees: floor() is raised at each release.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/mailbox.h"
#include "engine/oid.h"
#include "engine/wait_edge.h"
#include "storage/base/status.h"

namespace wandian {

/// A session, as far as advisory locks know it.
struct AdvisoryLocker {
  std::int32_t process_id = 0;
  /// Of its transaction in progress, 0 without one; who waits for this session waits for that.
  std::atomic<std::uint64_t> transaction{0};
};

/// One wish for a lock; while it waits it stands in the key's queue, and comes back to its session's shard as a message.
struct AdvisoryRequest final : Message {
  AdvisoryKey key;
  bool shared = false;
  AdvisoryLocker* locker = nullptr;
  Shard* origin = nullptr;
  std::uint32_t wait_number = 0;
  bool granted = false;
  bool queued = false;
  void (*done)(void* context) = nullptr;
  void* context = nullptr;
  void deliver(Shard& here) override;
};

class AdvisoryLocks {
 public:
  enum class Outcome : std::uint8_t {
    kGranted,
    kHeld,       ///< somebody excludes it
    kFull,       ///< kMaxHolders are reached: 53200
  };
  /// Takes it once more, if nobody excludes it.
  Outcome try_acquire(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker);
  /// kHeld: it is queued, and `request.done` will be told on its origin shard, unless cancel() takes it out before.
  Outcome acquire(AdvisoryRequest& request);
  /// Gives one of the locker's holds back. False: it has none. `floor` is what the locker's answers depend on by now.
  bool release(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker, std::uint64_t floor, Shard& here);
  /// Takes a request out of its queue. False: it was granted, and the message is under way.
  bool cancel(AdvisoryRequest& request, Shard& here);

  /// What whoever holds a lock must be able to see.
  std::uint64_t floor() const { return floor_.load(std::memory_order_acquire); }

  /// Those of `shard`'s own sessions, so that each stands in one shard's list.
  void collect_waits(const Shard& shard, std::vector<WaitEdge>& edges) const;

  struct Info {
    AdvisoryKey key;
    bool shared, granted;
    std::int32_t process_id;
    std::uint64_t transaction;
  };
  std::vector<Info> list() const;

  static constexpr std::size_t kMaxHolders = std::size_t{1} << 20;

 private:
  struct Holder {
    AdvisoryLocker* locker;
    std::uint64_t exclusive = 0, shared = 0;
  };
  struct Entry {
    std::vector<Holder> holders;
    std::deque<AdvisoryRequest*> queue;
  };
  static bool grantable(const Entry& entry, bool shared, const AdvisoryLocker& locker, const AdvisoryRequest* until);
  Outcome take(Entry& entry, bool shared, AdvisoryLocker& locker);
  void grant_waiters(Entry& entry, Shard& here);
  void drop_if_idle(const AdvisoryKey& key, const Entry& entry);

  mutable std::mutex mutex_;
  std::unordered_map<AdvisoryKey, Entry, AdvisoryKey::Hash> entries_;
  std::size_t holders_ = 0;
  std::atomic<std::uint64_t> floor_{0};
};

/// 53200, with PostgreSQL's words for a lock table that is full.
Status advisory_locks_full();

}  // namespace wandian
