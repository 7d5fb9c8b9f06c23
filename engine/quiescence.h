// Quiescent-state reclamation: memory that readers of other shards may still look at is freed when every
// participant has passed a turn, or slept, since it was unlinked.
// Owns:       one counter a participant (a shard, or a helper thread that reads), and each shard's limbo list.
// Thread:     Participant and Limbo by their own shard; the counters are read by all.
// Invariants: a participant that is offline holds no pointer into shared structures. What is retired was unlinked
//             before; an unlinked version keeps its own links, and what they point to outlives the same grace period.
// Source:     Fraser, "Practical lock-freedom" (2004), 5.2; McKenney, quiescent-state based reclamation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "storage/base/assert.h"

namespace wandian {

class QuiescenceDomain {
 public:
  explicit QuiescenceDomain(unsigned participants) : count_(participants), slots_(new Slot[participants]) {}

  unsigned participants() const { return count_; }

  /// Back online: publish, full fence, then read. The exchange is the fence (tsan does not model stand-alone ones).
  void online(unsigned self) { slots_[self].turn.exchange(slots_[self].resume_at | 1, std::memory_order_seq_cst); }
  /// Offline: after the last read.
  void offline(unsigned self) {
    Slot& slot = slots_[self];
    slot.resume_at = slot.turn.load(std::memory_order_relaxed) + 2;
    slot.turn.exchange(slot.resume_at & ~std::uint64_t{1}, std::memory_order_seq_cst);
  }
  /// One turn passed: nothing read before is used again.
  void quiesce(unsigned self) {
    Slot& slot = slots_[self];
    slot.turn.exchange(slot.turn.load(std::memory_order_relaxed) + 2, std::memory_order_seq_cst);
  }

  /// A ticket is a copy of all counters; it is past when each participant was offline then, or has moved on.
  using Ticket = std::vector<std::uint64_t>;
  void take(Ticket& ticket) const {
    ticket.resize(count_);
    for (unsigned i = 0; i < count_; ++i) ticket[i] = slots_[i].turn.load(std::memory_order_seq_cst);
  }
  bool passed(const Ticket& ticket, unsigned self) const {
    for (unsigned i = 0; i < count_; ++i) {
      if (i == self || (ticket[i] & 1) == 0) continue;
      if (slots_[i].turn.load(std::memory_order_acquire) == ticket[i]) return false;
    }
    return true;
  }

 private:
  // Odd: online. Every turn adds two, so a value seen online never comes again.
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> turn{0};
    std::uint64_t resume_at = 0;   ///< owner only
  };
  unsigned count_;
  std::unique_ptr<Slot[]> slots_;
};

/// A shard's list of memory that waits for a grace period.
class Limbo {
 public:
  using FreeFn = void (*)(void* object, void* context);
  Limbo(QuiescenceDomain& domain, unsigned self) : domain_(domain), self_(self) {}
  ~Limbo() { free_everything(); }
  Limbo(const Limbo&) = delete;
  Limbo& operator=(const Limbo&) = delete;

  /// `object` was unlinked before this call; `free_fn(object, context)` runs on this shard after a grace period.
  void retire(void* object, FreeFn free_fn, void* context = nullptr) {
    open_.push_back({object, free_fn, context});
  }
  /// Once a turn: closes the open batch and frees the batches whose grace period is over. The shard itself must hold
  /// no pointer into shared structures when it calls this.
  void collect();
  /// Only when no other participant reads any more (shutdown, tests).
  void free_everything();
  std::size_t waiting() const { return waiting_ + open_.size(); }

 private:
  struct Item {
    void* object;
    FreeFn free_fn;
    void* context;
  };
  struct Batch {
    QuiescenceDomain::Ticket ticket;
    std::vector<Item> items;
  };
  QuiescenceDomain& domain_;
  [[maybe_unused]] unsigned self_;   // not by the planted bug that frees without a grace period
  std::vector<Item> open_;
  std::deque<Batch> batches_;
  std::vector<Batch> spare_;
  std::size_t waiting_ = 0;
};

}  // namespace wandian
