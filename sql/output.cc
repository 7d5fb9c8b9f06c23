#include "sql/output.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "storage/base/large_memory.h"

namespace wandian::sql {

OutBuffer::~OutBuffer() { release(); }

void OutBuffer::swap(OutBuffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

void OutBuffer::release() {
  std::free(data_);
  large_memory::give(capacity_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

void OutBuffer::grow(std::size_t bytes) {
  const std::size_t wanted = std::max(std::max<std::size_t>(capacity_ * 2, 8192), size_ + bytes);
  char* const grown = large_memory::reallocate(data_, capacity_, wanted);
  if (grown == nullptr) throw std::bad_alloc();
  data_ = grown;
  capacity_ = wanted;
}

}  // namespace wandian::sql
