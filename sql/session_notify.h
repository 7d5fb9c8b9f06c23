// A session's part in LISTEN and NOTIFY, made when it first uses one of them; and how listening sessions of other shards are told.
// Thread:     the session's shard.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/mailbox.h"
#include "engine/shard_loop.h"
#include "engine/transaction.h"
#include "sql/notification_queue.h"

namespace wandian::sql {

class Server;
class SessionImpl;

/// One shard's listening sessions; run() lets those that are idle have what has come.
class ShardListeners final : public Runnable {
 public:
  void add(SessionImpl& session) { sessions_.push_back(&session); }
  void remove(SessionImpl& session) { std::erase(sessions_, &session); }
  void run() override;

 private:
  std::vector<SessionImpl*> sessions_;
};

/// Tells another shard that something was added to a queue it reads. One for each ordered pair of shards.
struct NotifyMessage final : Message {
  Server* server = nullptr;
  std::atomic<bool> under_way{false};   ///< cleared before the queue is read: what is added later sends again
  void deliver(Shard& here) override;
};

class SessionNotifications final : public CommitWatcher {
 public:
  SessionNotifications(NotificationQueue& queue, Oid database, std::int32_t process) : queue_(queue), database_(database), process_(process) {}
  ~SessionNotifications() override;

  // --- of the open transaction
  /// Does nothing if the transaction has sent the same before. 54000 if a transaction could never send that much.
  Status send(std::string_view channel, std::string_view payload);
  void listen(std::string_view channel) { actions_.push_back({Action::kListen, std::string(channel)}); }
  void unlisten(std::string_view channel) { actions_.push_back({Action::kUnlisten, std::string(channel)}); }
  void unlisten_all() { actions_.push_back({Action::kUnlistenAll, {}}); }
  bool pending() const { return !sent_.empty() || !actions_.empty(); }
  bool has_sent() const { return !sent_.empty(); }
  struct Mark {
    std::size_t sent = 0, actions = 0;
  };
  Mark mark() const { return {sent_.size(), actions_.size()}; }
  void undo_to(Mark mark);
  /// Before the commit; may be called again after it had to wait. `*floor`: what a snapshot after a LISTEN has to cover.
  /// 54000 if the queue is full.
  Status prepare(unsigned shard, Lsn* floor);
  /// Returns the shards whose sessions are to be told.
  std::uint64_t end(bool committed);

  // CommitWatcher
  void before_commit() override { queue_.begin_append(database_, sent_, reserved_bytes_); }
  void committed(Lsn commit) noexcept override {
    told_ = queue_.end_append(commit);
    reserved_bytes_ = 0;
  }

  // --- of the session
  bool listening() const { return reader_.listening(); }
  const std::vector<std::string>& channels() const { return channels_; }
  bool behind() const { return reader_.behind(); }
  bool read(std::vector<NotificationPtr>* out) {
    return queue_.read(reader_, [this](std::string_view channel) { return wanted_.contains(channel); }, out);
  }
  bool listed = false;                         ///< in its shard's list of listening sessions

 private:
  struct Action {
    enum class Kind : std::uint8_t { kListen, kUnlisten, kUnlistenAll };
    using enum Kind;
    Kind kind;
    std::string channel;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct SameSent {
    std::size_t operator()(const Notification* one) const {
      return std::hash<std::string_view>{}(one->channel) * 31 + std::hash<std::string_view>{}(one->payload);
    }
    bool operator()(const Notification* a, const Notification* b) const { return a->channel == b->channel && a->payload == b->payload; }
  };
  void apply(const Action& action);

  NotificationQueue& queue_;
  const Oid database_;
  const std::int32_t process_;
  std::vector<NotificationPtr> sent_;
  std::unordered_set<const Notification*, SameSent, SameSent> distinct_;   ///< of sent_
  std::size_t sent_bytes_ = 0;
  std::vector<Action> actions_;
  std::size_t reserved_bytes_ = 0;
  bool prepared_ = false;
  std::uint64_t told_ = 0;
  NotificationQueue::Reader reader_;
  std::vector<std::string> channels_;          ///< in the order they were listened to
  std::unordered_set<std::string, TextHash, std::equal_to<>> wanted_;
};

}  // namespace wandian::sql
