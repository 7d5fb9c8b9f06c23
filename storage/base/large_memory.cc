#include "storage/base/large_memory.h"

#include <atomic>
#include <new>

namespace wandian::large_memory {

namespace {

std::atomic<std::size_t> held_bytes{0};
std::atomic<std::size_t> limit_bytes{~std::size_t{0}};

std::size_t counted(std::size_t bytes) { return bytes < kFrom ? 0 : bytes; }

}  // namespace

void set_limit(std::size_t bytes) noexcept { limit_bytes.store(bytes, std::memory_order_relaxed); }
std::size_t held() noexcept { return held_bytes.load(std::memory_order_relaxed); }

bool resize_counted(std::size_t from, std::size_t to) noexcept {
  const std::size_t before = counted(from), after = counted(to);
  if (after <= before) {
    held_bytes.fetch_sub(before - after, std::memory_order_relaxed);
    return true;
  }
  const std::size_t more = after - before, limit = limit_bytes.load(std::memory_order_relaxed);
  if (more <= limit && held_bytes.fetch_add(more, std::memory_order_relaxed) <= limit - more) return true;
  if (more <= limit) held_bytes.fetch_sub(more, std::memory_order_relaxed);
  return false;
}

void take(std::size_t from, std::size_t to) noexcept { held_bytes.fetch_add(counted(to) - counted(from), std::memory_order_relaxed); }

void give_counted(std::size_t bytes) noexcept { held_bytes.fetch_sub(counted(bytes), std::memory_order_relaxed); }

Block allocate(std::size_t bytes) {
  if (!resize(0, bytes)) throw std::bad_alloc();
  char* const block = new (std::nothrow) char[bytes];
  if (block == nullptr) {
    give(bytes);
    throw std::bad_alloc();
  }
  return Block(block, Deleter{bytes});
}

}  // namespace wandian::large_memory
