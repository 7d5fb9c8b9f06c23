// Where rows are: TableStorage -> TablePartition -> OrderedIndex -> Row -> Version chain.
// Owns:       partitions' indexes and row versions.
// Thread:     a TablePartition is written by its owner alone and read in place by every shard.
// Invariants: a key has one Row as long as any version of it is kept; a chain runs from the newest version to the oldest.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "engine/index/ordered_index.h"
#include "engine/version.h"

namespace wandian {

using PartitionId = std::uint32_t;
inline constexpr PartitionId kMaxPartitions = 1024;
inline constexpr PartitionId kNoPartition = ~PartitionId{0};

struct TablePartition {
  TablePartition(const TableDef& table, PartitionId partition);
  ~TablePartition();
  PartitionId id;
  std::vector<std::unique_ptr<OrderedIndex>> indexes;   ///< by TableDef::indexes; null where the index is global
  std::atomic<std::int64_t> live_rows{0};               ///< newest committed versions that are not tombstones: statistics
  std::atomic<std::int64_t> next_row_number{1};         ///< hidden row numbers: number * kMaxPartitions + partition
};

struct TableStorage {
  TableStorage() = default;
  ~TableStorage();
  /// Null until the owner wrote the first row there.
  TablePartition* find(PartitionId partition) const { return slots[partition].load(std::memory_order_acquire); }
  /// Owner only.
  TablePartition& at(const TableDef& table, PartitionId partition);

  std::array<std::atomic<TablePartition*>, kMaxPartitions> slots{};
  std::atomic<PartitionId> highest{0};                  ///< one past the highest slot in use
  Lsn created;                                          ///< LSN of the DDL that made it; a floor for absences in it
  std::atomic<std::int64_t> row_number_hint{0};
};

/// Column checks that sql compiles: NOT NULL is checked by the engine, CHECK constraints here. Foreign keys and unique
/// indexes are the engine's own.
class RowChecks {
 public:
  virtual ~RowChecks() = default;
  /// `row` is encoded with the table's current layout. Evaluated where the row is written.
  virtual Status check(const TableDef& table, const char* row) const = 0;
};

}  // namespace wandian
