// TextBuilder: a string that grows in an Arena, for results of unknown length.
// Thread:  one at a time.
#pragma once

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"

namespace wandian::sql {

class TextBuilder {
 public:
  /// PostgreSQL's limit of one value.
  static constexpr std::size_t kMaxBytes = (1u << 30) - 1;

  explicit TextBuilder(Arena& arena, std::size_t expected = 64) : arena_(arena) { grow(expected); }
  void append(const char* data, std::size_t size) {
    if (size == 0) return;
    std::memcpy(reserve(size), data, size);
    size_ += size;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
  void append(std::size_t count, char c) {
    std::memset(reserve(count), c, count);
    size_ += count;
  }
  void push_back(char c) {
    *reserve(1) = c;
    ++size_;
  }
  /// Room for `bytes` more at the end; commit(n) makes n of them count.
  char* reserve(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return data_ + size_;
  }
  void commit(std::size_t bytes) { size_ += bytes; }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  Value value() const { return Value::of_bytes(data_, size_); }

 private:
  void grow(std::size_t bytes) {
    if (bytes > kMaxBytes - size_) throw std::bad_alloc();
    const std::size_t wanted = std::max(capacity_ * 2, size_ + bytes);
    char* moved = arena_.allocate_bytes(wanted);
    if (size_ > 0) std::memcpy(moved, data_, size_);
    data_ = moved;
    capacity_ = wanted;
  }
  Arena& arena_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace wandian::sql
