// Placement: which partition a key belongs to, and which shard owns a partition.
// Thread:     read by any shard without locks; the directory is written under a mutex that readers never take.
// Invariants: the number of partitions never depends on the number of shards; the log names tables and partitions only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/table.h"
#include "engine/value.h"

namespace wandian {

inline constexpr unsigned kKeyPartitions = 16;         ///< ids 0..15: tables placed by hash
inline constexpr unsigned kPartitionsPerRegion = 4;    ///< ids 16..: four for each region, in order of first use

/// The partition of a hash-placed key. `key` is the memcomparable encoding of the placement columns.
PartitionId hash_partition(KeyRef key);

class PlacementMap {
 public:
  PlacementMap();
  ~PlacementMap();

  /// Where the directory's row with this key is; kNoPartition if there never was one.
  PartitionId find(Oid directory, KeyRef key) const;
  /// Gives a new key its place in `region` (creating the region with its first store). A key that has one keeps it.
  /// Err 54000 when the partitions are used up.
  Result<PartitionId> place(Oid directory, KeyRef key, std::string_view region);
  /// Recovery: what the log says.
  Status restore(Oid directory, KeyRef key, std::string_view region, PartitionId partition);
  struct Region {
    std::string name;
    PartitionId first;
  };
  std::vector<Region> regions(Oid directory) const;
  /// One past the highest partition in use.
  PartitionId partitions() const { return partitions_.load(std::memory_order_acquire); }

 private:
  struct Directory;
  Directory* directory(Oid oid, bool create);
  mutable std::mutex mutex_;                            // writers, and readers of regions()
  std::array<std::atomic<Directory*>, 64> directories_{};
  std::atomic<PartitionId> partitions_{kKeyPartitions};
};

/// Where a row of `table` belongs, from its values (by TableDef::columns). kNoPartition: its directory has no such key, or the
/// placement column is null.
Result<PartitionId> place_row(PlacementMap& map, const TableDef& table, const Catalog& catalog, std::span<const Value> values, bool inserting);
/// Where rows can be whose leading placement columns are known: `known[c]` points to the value or is null. kNoPartition: anywhere.
PartitionId place_lookup(const PlacementMap& map, const TableDef& table, std::span<const Value* const> known);

}  // namespace wandian
