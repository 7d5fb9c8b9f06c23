// OutBuffer: bytes on their way to a client; sql encodes rows straight into it, wire drains it.
// Owns:    one growing block, given back when the client has it all.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace wandian::sql {

class OutBuffer {
 public:
  void append(const char* data, std::size_t size) {
    std::memcpy(reserve(size), data, size);
    size_ += size;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
  void push_back(char c) {
    *reserve(1) = c;
    ++size_;
  }
  void append_int16(std::uint16_t v) { append_raw(__builtin_bswap16(v)); }
  void append_int32(std::uint32_t v) { append_raw(__builtin_bswap32(v)); }
  void append_int64(std::uint64_t v) { append_raw(__builtin_bswap64(v)); }
  /// Overwrites 4 bytes at `offset` (a length written before its body was known).
  void patch_int32(std::size_t offset, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(data_ + offset, &v, 4);
  }
  std::size_t size() const { return size_; }
  const char* data() const { return data_; }
  bool has_memory() const { return capacity_ != 0; }
  /// Forgets what was appended after `size` (a row that failed half way).
  void truncate(std::size_t size) { size_ = size; }

  /// Room for `bytes` more at the end; commit(n) makes n of them count.
  char* reserve(std::size_t bytes) {
    if (capacity_ - size_ < bytes) [[unlikely]] grow(bytes);
    return data_ + size_;
  }
  void commit(std::size_t bytes) { size_ += bytes; }

  OutBuffer() = default;
  ~OutBuffer();
  OutBuffer(const OutBuffer&) = delete;
  OutBuffer& operator=(const OutBuffer&) = delete;
  void swap(OutBuffer& other) noexcept;
  /// Gives the memory back: an idle session owns no buffer.
  void release();

 private:
  template <class T>
  void append_raw(T v) {
    std::memcpy(reserve(sizeof v), &v, sizeof v);
    size_ += sizeof v;
  }
  void grow(std::size_t bytes);
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// A message whose length is known only when its body is written. One that is not closed, since its value could not be written or
/// memory ran out, takes its bytes back.
class OpenMessage {
 public:
  OpenMessage(OutBuffer& out, char type) : out_(out), begin_(out.size()) {
    out.push_back(type);
    out.append_int32(0);
  }
  ~OpenMessage() {
    if (!closed_) out_.truncate(begin_);
  }
  void close() {
    out_.patch_int32(begin_ + 1, static_cast<std::uint32_t>(out_.size() - begin_ - 1));
    closed_ = true;
  }
  OpenMessage(const OpenMessage&) = delete;
  OpenMessage& operator=(const OpenMessage&) = delete;

 protected:
  OutBuffer& out_;

 private:
  std::size_t begin_;
  bool closed_ = false;
};

}  // namespace wandian::sql
