#include "storage/base/memory_reserve.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

// Of mimalloc 2, which executables are linked with; libraries know of no allocator, so it may be absent.
extern "C" bool mi_manage_os_memory(void* start, std::size_t size, bool is_committed, bool is_large, bool is_zero, int numa_node)
    __attribute__((weak));

namespace wandian {

namespace {
constexpr std::size_t kGranule = std::size_t{32} << 20;    // mimalloc hands arenas out in segments of this size
constexpr std::size_t kMostPieces = 32;                    // it can manage 64 of them
constexpr std::size_t kPage = 4096;
}  // namespace

std::size_t reserve_memory(std::size_t bytes) {
  if (mi_manage_os_memory == nullptr || bytes == 0) return 0;
  bytes = (bytes + kGranule - 1) / kGranule * kGranule;
  const std::size_t piece = std::max((bytes / kMostPieces + kGranule - 1) / kGranule * kGranule, 8 * kGranule);
  std::size_t reserved = 0;
  while (reserved < bytes) {
    const std::size_t size = std::min(piece, bytes - reserved);
    void* mapped = ::mmap(nullptr, size + kGranule, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) break;
    const std::uintptr_t start = (reinterpret_cast<std::uintptr_t>(mapped) + kGranule - 1) / kGranule * kGranule;
    const std::size_t before = start - reinterpret_cast<std::uintptr_t>(mapped);
    if (before != 0) ::munmap(mapped, before);
    if (before != kGranule) ::munmap(reinterpret_cast<void*>(start + size), kGranule - before);
    ::madvise(reinterpret_cast<void*>(start), size, MADV_HUGEPAGE);
    for (std::size_t at = 0; at < size; at += kPage) *reinterpret_cast<volatile char*>(start + at) = 0;
    // "Large" tells it that the pages are not to be given back to the system when they fall idle.
    if (!mi_manage_os_memory(reinterpret_cast<void*>(start), size, true, true, true, -1)) {
      ::munmap(reinterpret_cast<void*>(start), size);
      break;
    }
    reserved += size;
  }
  return reserved;
}

}  // namespace wandian
