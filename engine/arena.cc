#include "engine/arena.h"

#include <algorithm>

namespace wandian {

void* Arena::allocate_slow(std::size_t bytes, std::size_t align) {
  const std::size_t grown = blocks_.empty() ? kFirstBlockBytes : std::min<std::size_t>(blocks_.back().size * 2, 1 << 20);
  const std::size_t size = std::max(grown, bytes + align);
  if (size > limit_bytes_ || total_bytes_ > limit_bytes_ - size) throw std::bad_alloc();
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  total_bytes_ += size;
  cursor_ = reinterpret_cast<std::uintptr_t>(blocks_.back().data.get());
  end_ = cursor_ + size;
  return allocate(bytes, align);
}

void Arena::reset() {
  if (blocks_.empty()) return;
  blocks_.resize(1);
  total_bytes_ = blocks_.front().size;
  cursor_ = reinterpret_cast<std::uintptr_t>(blocks_.front().data.get());
  end_ = cursor_ + blocks_.front().size;
}

}  // namespace wandian
