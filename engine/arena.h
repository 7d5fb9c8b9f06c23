// Arena: bump allocation for what lives as long as a statement, a row or a plan; freed all at once.
// Thread:  one at a time.
// Errors:  throws std::bad_alloc when its byte limit (work memory of a statement) is passed, or that of all requests together
//          (storage/base/large_memory.h); the statement's boundary turns that into 53200.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "storage/base/large_memory.h"

namespace wandian {

class Arena {
 public:
  static constexpr std::size_t kFirstBlockBytes = 4096;
  explicit Arena(std::size_t limit_bytes = ~std::size_t{0}) : limit_bytes_(limit_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `align` is a power of two, at most 16. Never null, not for no bytes either.
  void* allocate(std::size_t bytes, std::size_t align = 8) {
    const std::uintptr_t start = (cursor_ + align - 1) & ~(align - 1);
    if (bytes <= end_ - start && start <= end_) [[likely]] {
      cursor_ = start + bytes;
      return reinterpret_cast<void*>(start);
    }
    return allocate_slow(bytes, align);
  }
  char* allocate_bytes(std::size_t bytes) { return static_cast<char*>(allocate(bytes, 1)); }
  /// Empty text may have no address itself; the copy has one.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    char* out = allocate_bytes(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }
  template <class T>
  T* allocate_array(std::size_t count) {
    if (count > (~std::size_t{0} >> 1) / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  /// Forgets everything; keeps the first block unless it is a large one, so a statement that fits in it never allocates again.
  void reset();
  std::size_t used_bytes() const { return total_bytes_; }  ///< bytes obtained from the heap and not returned

 private:
  void* allocate_slow(std::size_t bytes, std::size_t align);

  alignas(16) static constexpr char kNothing[1] = {};   ///< where no bytes are before the first block is there
  std::uintptr_t cursor_ = reinterpret_cast<std::uintptr_t>(&kNothing);
  std::uintptr_t end_ = cursor_;
  std::size_t limit_bytes_;
  std::size_t total_bytes_ = 0;
  std::vector<large_memory::Block> blocks_;
};

}  // namespace wandian
