// SpscRing: one producer shard, one consumer shard, pointers in order, no lock.
// Thread:     push() by the producer alone, pop() by the consumer alone.
// Invariants: the consumer sees what the producer wrote into the object before it pushed the pointer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace wandian {

template <class T, std::size_t kCapacity>
class SpscRing {
  static_assert((kCapacity & (kCapacity - 1)) == 0);

 public:
  bool push(T* item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == kCapacity) {
      head_seen_ = head_.load(std::memory_order_acquire);   // pairs with the store in pop(): the slot was read
      if (tail - head_seen_ == kCapacity) return false;
    }
    slots_[tail & (kCapacity - 1)] = item;
#ifdef WANDIAN_FAULT_ring_publish_early
    tail_.store(tail + 1, std::memory_order_relaxed);
#else
    tail_.store(tail + 1, std::memory_order_release);       // pairs with the load in pop()
#endif
    return true;
  }

  T* pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return nullptr;
    }
    T* item = slots_[head & (kCapacity - 1)];
    head_.store(head + 1, std::memory_order_release);
    return item;
  }

  /// Consumer: whether pop() would give something now.
  bool empty() const { return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire); }

 private:
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;   // producer only
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;   // consumer only
  alignas(64) std::array<T*, kCapacity> slots_{};
};

}  // namespace wandian
