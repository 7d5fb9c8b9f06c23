// Memory that is there before it is needed. The first touch of a page costs a fault, which is dear where the machine is a
// virtual one (10 to 20 µs were measured): a shard should not pay for it in the middle of an order.
#pragma once

#include <cstddef>

namespace wandian {

/// Maps `bytes` (rounded up to the allocator's granule), touches each page, and gives the memory to the allocator, which
/// keeps it. Takes as long as the faults take. Returns the bytes it has now: less than asked for if the system gave less,
/// 0 if the allocator takes none (jemalloc, the C library's).
std::size_t reserve_memory(std::size_t bytes);

}  // namespace wandian
