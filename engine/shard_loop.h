// What drives a shard: the production loop (wire, over Asio) and the simulator both see a shard as this.
// Thread:  the shard's.
#pragma once

#include <cstdint>

namespace wandian {

/// Something that is run once on a shard's loop. Intrusive, so queueing allocates nothing; it may be queued again only
/// after it ran.
class Runnable {
 public:
  virtual ~Runnable() = default;
  virtual void run() = 0;

 private:
  friend class RunQueue;
  Runnable* next_ = nullptr;
  bool queued_ = false;
};

class RunQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  /// Does nothing if it is queued already.
  void push(Runnable& item) {
    if (item.queued_) return;
    item.queued_ = true;
    item.next_ = nullptr;
    (tail_ != nullptr ? tail_->next_ : head_) = &item;
    tail_ = &item;
  }
  Runnable* pop() {
    Runnable* item = head_;
    if (item == nullptr) return nullptr;
    head_ = item->next_;
    if (head_ == nullptr) tail_ = nullptr;
    item->queued_ = false;
    item->next_ = nullptr;
    return item;
  }
  void remove(Runnable& item) {
    if (!item.queued_) return;
    Runnable** link = &head_;
    Runnable* previous = nullptr;
    while (*link != &item) {
      previous = *link;
      link = &(*link)->next_;
    }
    *link = item.next_;
    if (tail_ == &item) tail_ = previous;
    item.queued_ = false;
    item.next_ = nullptr;
  }

 private:
  Runnable* head_ = nullptr;
  Runnable* tail_ = nullptr;
};

/// A turn: bring requests in (the driver), then step(), then send answers out (the driver).
///   before reading sockets      begin_turn()   goes online, publishes the shard's snapshots
///   with the requests received  catch_up()     rings, timers, what they set going; its answers may leave before step()
///                               step()         the same, and what earlier turns left for this one: long statements
///   after sending               end_turn()     a quiescent state; frees what nobody reads; demands durability once
/// Before it blocks, the driver calls prepare_sleep(); if that says true it may block until woken, a socket is ready or
/// next_deadline_us() has come, and begin_turn() ends the sleep. Woken through the shard's Wakeup.
class ShardLoop {
 public:
  virtual ~ShardLoop() = default;
  virtual void begin_turn() = 0;
  virtual void catch_up() {}
  /// Returns whether it left work that can go on at once.
  virtual bool step() = 0;
  virtual void end_turn() = 0;
  virtual bool prepare_sleep() = 0;
  /// Whether it has told another shard something since it was asked last, so that an answer is a matter of microseconds:
  /// waiting awake for it is cheaper than sleeping and being woken.
  virtual bool talked() { return false; }
  virtual bool has_mail() const { return false; }
  /// In µs of Clock::monotonic_us(); INT64_MAX = none.
  virtual std::int64_t next_deadline_us() const = 0;
};

}  // namespace wandian
