#include "sql/output.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace wandian::sql {

OutBuffer::~OutBuffer() { std::free(data_); }

void OutBuffer::swap(OutBuffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

void OutBuffer::release() {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

void OutBuffer::grow(std::size_t bytes) {
  const std::size_t wanted = std::max(std::max<std::size_t>(capacity_ * 2, 8192), size_ + bytes);
  char* grown = static_cast<char*>(std::realloc(data_, wanted));
  if (grown == nullptr) throw std::bad_alloc();
  data_ = grown;
  capacity_ = wanted;
}

}  // namespace wandian::sql
