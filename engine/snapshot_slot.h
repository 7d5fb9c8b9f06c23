// What one shard's readers still need, as the owners of partitions see it.
// Owns:       one slot a shard: the lowest of its ordinary snapshots, and apart from it each snapshot that has grown old.
// Thread:     written by its shard at the start of a turn, read by all owners.
// Invariants: a snapshot in use is covered by `low` or stands in `longs`, at every moment. One that grows old is stored in `longs` before
//             `low` rises above it, and owners load `low` first: who sees the risen `low` sees the entry. It keeps its place until its
//             end, so that a reader of the list never misses it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "storage/base/lsn.h"

namespace wandian {

struct alignas(64) SnapshotSlot {
  static constexpr unsigned kLongs = 48;   ///< further ones keep `low` down, as all did
  std::atomic<std::uint64_t> low{~std::uint64_t{0}};   ///< ~0 while the shard sleeps without any
  std::atomic<unsigned> longs_end{0};      ///< places from here on were never used
  std::array<std::atomic<std::uint64_t>, kLongs> longs{};   ///< 0: free
};

/// Which versions somebody may still look at.
struct SnapshotSet {
  Lsn horizon;                             ///< every snapshot but the long ones is at or above it
  std::vector<std::uint64_t> longs;        ///< ascending

  /// Whether a version committed at `from`, whose successor was committed at `until`, is seen by anybody.
  bool needs(std::uint64_t from, std::uint64_t until) const {
    if (until > horizon.bytes) return true;
    const auto at = std::lower_bound(longs.begin(), longs.end(), from);
    return at != longs.end() && *at < until;
  }
};

}  // namespace wandian
