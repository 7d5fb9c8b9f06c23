// NotificationQueue: what committed transactions have sent with NOTIFY and some listening session has not read yet.
// Owns:       a queue a database, in the order of the commits' LSNs; where each reader stands.
// Thread:     any shard. One mutex, which nobody takes but notifying and listening sessions; it is held over a notifying commit's
//             window, so that the queue's order is that of the LSNs.
// Invariants: a queue begins where its slowest reader stands; without readers it is empty.
// Errors:     a full queue refuses the transaction before it commits (54000): a session that listens and does not read must not
//             take all memory.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/descriptor.h"
#include "engine/oid.h"
#include "storage/base/lsn.h"

namespace wandian::sql {

struct Notification {
  std::string channel, payload;
  std::int32_t process = 0;            ///< of the session that sent it
  Lsn commit;

  std::size_t bytes() const { return sizeof *this + channel.capacity() + payload.capacity(); }
};
using NotificationPtr = std::shared_ptr<Notification>;

class NotificationQueue {
  struct DatabaseQueue;

 public:
  explicit NotificationQueue(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// A listening session's place in its database's queue.
  class Reader {
   public:
    bool listening() const { return queue_ != nullptr; }
    /// Whether something was added that this reader has not looked at.
    bool behind() const { return queue_ != nullptr && queue_->end.load(std::memory_order_acquire) != position_; }

   private:
    friend class NotificationQueue;
    DatabaseQueue* queue_ = nullptr;
    std::uint64_t position_ = 0;
    unsigned shard_ = 0;
    std::int32_t process_ = 0;
  };

  /// From now on `reader` sees what commits. Returns the newest commit that it will not see: a snapshot that is to be complete
  /// beside it covers that.
  Lsn add(Reader& reader, Oid database, unsigned shard, std::int32_t process);
  void remove(Reader& reader);
  /// The next of what `wanted` (by channel) lets through, a bounded number; false: there is nothing more.
  template <class Wanted>
  bool read(Reader& reader, const Wanted& wanted, std::vector<NotificationPtr>* out) {
    const std::lock_guard guard(mutex_);
    if (!reader.behind()) return false;
    DatabaseQueue& queue = *reader.queue_;
    const std::uint64_t end = std::min(queue.end.load(std::memory_order_relaxed), reader.position_ + kReadAtOnce);
    for (std::uint64_t i = reader.position_; i != end; ++i) {
      const NotificationPtr& one = queue.entries[i - queue.begin];
      if (wanted(one->channel)) out->push_back(one);
    }
    move(reader, end);
    return true;
  }

  bool could_hold(std::size_t bytes) const { return bytes <= limit_bytes_; }
  /// Sets room aside; false: there is none.
  bool reserve(std::size_t bytes);
  void give_back(std::size_t bytes);
  double usage() const;
  /// Whom to name in a warning that the queue fills, at most once in a few seconds; empty: no warning is due.
  std::optional<std::int32_t> slowest_if_filling(Oid database, std::int64_t now_us);

  /// Around a commit window: begin_append() may throw bad_alloc, and then has done nothing. end_append() gives the notifications
  /// their LSN and lets others in; what nobody listens to is dropped. Returns the shards that have readers, a bit each.
  /// @param bytes  what was set aside for `sent`
  void begin_append(Oid database, std::span<const NotificationPtr> sent, std::size_t bytes);
  std::uint64_t end_append(Lsn commit) noexcept;

 private:
  static constexpr std::uint64_t kReadAtOnce = 256;

  struct DatabaseQueue {
    std::deque<NotificationPtr> entries;
    std::uint64_t begin = 0;                     ///< position of the first entry
    std::atomic<std::uint64_t> end{0};           ///< position behind the last one
    std::map<std::uint64_t, std::vector<Reader*>> readers;   ///< by where they stand
    std::array<unsigned, kMaxShards> readers_of_shard{};
    std::uint64_t shards = 0;                    ///< those that have readers, a bit each
    Lsn newest;                                  ///< the last commit that notified here
  };
  DatabaseQueue& of_database(Oid database);
  void move(Reader& reader, std::uint64_t to);
  void take_out(Reader& reader);
  void drop_read(DatabaseQueue& queue);

  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};       ///< queued, and set aside
  mutable std::mutex mutex_;
  std::unordered_map<Oid, std::unique_ptr<DatabaseQueue>> queues_;   ///< never removed from: readers point at them
  DatabaseQueue* appending_ = nullptr;                 ///< between begin_append() and end_append()
  std::size_t appended_ = 0, unheard_bytes_ = 0;
  std::int64_t last_warning_us_ = 0;
};

}  // namespace wandian::sql
