// Mailbox: how shards talk. One ring for each ordered pair of shards; overflow stays with the sender.
// Thread:     each Mailbox belongs to its shard; the rings between two of them are lock-free.
// Invariants: outbox and ring together are one FIFO. A producer never waits. A sleeping shard is woken once per flush, a
//             running one never by a syscall.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "engine/ring.h"
#include "storage/base/wakeup.h"

namespace wandian {

class Shard;

/// What travels. The same object usually comes back as its own answer, so that nothing is allocated for either way.
struct Message {
  virtual ~Message() = default;
  /// Runs on the shard it was sent to.
  virtual void deliver(Shard& here) = 0;
};

using MessageRing = SpscRing<Message, 1024>;

/// All rings of a database, by sender and receiver.
class MessageRings {
 public:
  explicit MessageRings(unsigned shards) : shards_(shards), rings_(std::size_t{shards} * shards) {
    for (auto& ring : rings_) ring = std::make_unique<MessageRing>();
    wakeups_.resize(shards, nullptr);
  }
  unsigned shards() const { return shards_; }
  MessageRing& ring(unsigned from, unsigned to) { return *rings_[std::size_t{from} * shards_ + to]; }
  /// Set before any shard runs.
  void set_wakeup(unsigned shard, Wakeup* wakeup) { wakeups_[shard] = wakeup; }
  Wakeup* wakeup(unsigned shard) { return wakeups_[shard]; }

 private:
  unsigned shards_;
  std::vector<std::unique_ptr<MessageRing>> rings_;
  std::vector<Wakeup*> wakeups_;
};

class Mailbox {
 public:
  Mailbox(MessageRings& rings, unsigned self) : rings_(rings), self_(self), outboxes_(rings.shards()), dirty_(rings.shards(), false) {}

  void send(unsigned to, Message& message) {
    if (!outboxes_[to].empty() || !rings_.ring(self_, to).push(&message)) outboxes_[to].push_back(&message);
    dirty_[to] = true;
    any_dirty_ = true;
  }
  /// Once a turn or after a batch: moves overflow into the rings and wakes who got something.
  void flush() {
    if (!any_dirty_) return;
    any_dirty_ = false;
    talked_ = true;
    for (unsigned to = 0; to < rings_.shards(); ++to) {
      if (!dirty_[to]) continue;
      std::deque<Message*>& outbox = outboxes_[to];
      while (!outbox.empty() && rings_.ring(self_, to).push(outbox.front())) outbox.pop_front();
      dirty_[to] = !outbox.empty();
      any_dirty_ = any_dirty_ || dirty_[to];
      if (rings_.wakeup(to) != nullptr) rings_.wakeup(to)->wake();
    }
  }
  /// Delivers up to `limit` messages; returns how many.
  unsigned receive(Shard& here, unsigned limit) {
    unsigned delivered = 0;
    for (unsigned from = 0; from < rings_.shards() && delivered < limit; ++from) {
      if (from == self_) continue;
      MessageRing& ring = rings_.ring(from, self_);
      while (delivered < limit) {
        Message* message = ring.pop();
        if (message == nullptr) break;
        message->deliver(here);
        ++delivered;
      }
    }
    return delivered;
  }
  bool has_mail() const {
    for (unsigned from = 0; from < rings_.shards(); ++from)
      if (from != self_ && !rings_.ring(from, self_).empty()) return true;
    return false;
  }
  bool has_overflow() const { return any_dirty_; }
  /// Whether anything was sent since the last call.
  bool talked() { return std::exchange(talked_, false); }

 private:
  MessageRings& rings_;
  unsigned self_;
  std::vector<std::deque<Message*>> outboxes_;
  std::vector<bool> dirty_;
  bool any_dirty_ = false;
  bool talked_ = false;
};

}  // namespace wandian
