#include "engine/arena.h"

#include <algorithm>

namespace wandian {

void* Arena::allocate_slow(std::size_t bytes, std::size_t align) {
  const std::size_t grown = blocks_.empty() ? kFirstBlockBytes : std::min(blocks_.back().get_deleter().bytes * 2, large_memory::kFrom);
  const std::size_t needed = bytes + align, left = limit_bytes_ - std::min(total_bytes_, limit_bytes_);
  if (needed < bytes || needed > left) throw std::bad_alloc();
  const std::size_t size = std::max(needed, std::min(grown, left));
  blocks_.push_back(large_memory::allocate(size));
  total_bytes_ += size;
  cursor_ = reinterpret_cast<std::uintptr_t>(blocks_.back().get());
  end_ = cursor_ + size;
  return allocate(bytes, align);
}

void Arena::reset() {
  if (blocks_.empty()) return;
  const std::size_t first = blocks_.front().get_deleter().bytes;
  blocks_.resize(first < large_memory::kFrom ? 1 : 0);
  total_bytes_ = blocks_.empty() ? 0 : first;
  cursor_ = reinterpret_cast<std::uintptr_t>(blocks_.empty() ? kNothing : blocks_.front().get());
  end_ = cursor_ + total_bytes_;
}

}  // namespace wandian
