// The ledger of large blocks: what all requests together hold of memory in values, sorts, answers and messages that arrive.
// Thread:  any.
// Errors:  allocate() throws, reallocate() answers nullptr where the limit would be passed; the statement ends with 53200.
// Why:     a value may have a thousand million bytes, as in PostgreSQL. There a process takes the consequence; here a few such
//          statements at a time would be the end of the server. Blocks below kFrom are not counted, so that the hot path is not
//          touched: many small ones grow into blocks of that size.
#pragma once

#include <cstddef>
#include <memory>

namespace wandian::large_memory {

inline constexpr std::size_t kFrom = std::size_t{1} << 20;

/// In bytes; without a call there is no limit.
void set_limit(std::size_t bytes) noexcept;
std::size_t held() noexcept;

void give_counted(std::size_t bytes) noexcept;
inline void give(std::size_t bytes) noexcept {
  if (bytes >= kFrom) give_counted(bytes);
}

/// realloc() of a message's buffer, counted; its end is free() and give(). nullptr where the limit would be passed or there is no
/// memory, and then nothing has changed. Up to kAlwaysGranted bytes the limit does not hold: what says that there was too little
/// memory must find room.
[[nodiscard]] char* reallocate(char* block, std::size_t from, std::size_t to) noexcept;
inline constexpr std::size_t kAlwaysGranted = std::size_t{4} << 20;

struct Deleter {
  std::size_t bytes = 0;
  void operator()(char* block) const noexcept {
    delete[] block;
    give(bytes);
  }
};
/// A block that is counted as long as it lives.
using Block = std::unique_ptr<char[], Deleter>;
/// Throws std::bad_alloc.
Block allocate(std::size_t bytes);

}  // namespace wandian::large_memory
