#include "storage/base/large_memory.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace wandian::large_memory {

namespace {

std::atomic<std::size_t> held_bytes{0};
std::atomic<std::size_t> limit_bytes{~std::size_t{0}};

std::size_t counted(std::size_t bytes) { return bytes < kFrom ? 0 : bytes; }

/// A block has another size from now on. Smaller always succeeds.
bool resize(std::size_t from, std::size_t to) {
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

}  // namespace

void set_limit(std::size_t bytes) noexcept { limit_bytes.store(bytes, std::memory_order_relaxed); }
std::size_t held() noexcept { return held_bytes.load(std::memory_order_relaxed); }

void give_counted(std::size_t bytes) noexcept { held_bytes.fetch_sub(bytes, std::memory_order_relaxed); }

char* reallocate(char* block, std::size_t from, std::size_t to) noexcept {
  if (to <= kAlwaysGranted) {
    held_bytes.fetch_add(counted(to) - counted(from), std::memory_order_relaxed);
  } else if (!resize(from, to)) {
    return nullptr;
  }
  char* const moved = static_cast<char*>(std::realloc(block, to));
  if (moved == nullptr) held_bytes.fetch_sub(counted(to) - counted(from), std::memory_order_relaxed);
  return moved;
}

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
