// Where rows are: TableStorage -> TablePartition -> OrderedIndex -> Row -> Version chain.
// Owns:       partitions' indexes and row versions.
// Thread:     a TablePartition is written by its owner alone and read in place by every shard.
// Invariants: a key has one Row as long as any version of it is kept; a chain runs from the newest version to the oldest.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/index/ordered_index.h"
#include "engine/version.h"

namespace wandian {

using PartitionId = std::uint32_t;
inline constexpr PartitionId kMaxPartitions = 1024;
inline constexpr PartitionId kNoPartition = ~PartitionId{0};

class Shard;   // engine/shard.h

struct TablePartition {
  TablePartition(TableStorage& storage, const TableDef& table, PartitionId partition);
  ~TablePartition();
  TablePartition(const TablePartition&) = delete;
  TablePartition& operator=(const TablePartition&) = delete;

  const PartitionId id;
  /// By IndexDef::slot; null where there is none (yet). The primary index is the first. There is room for those that a transaction drops
  /// beside those that it makes, since it may be rolled back.
  static constexpr std::size_t kSlots = kIndexSlots;
  std::array<std::atomic<OrderedIndex*>, kSlots> indexes{};
  std::atomic<std::int64_t> live_rows{0};               ///< newest versions that are not tombstones: statistics
  /// Rows written since the server started, rolled back ones too: written by the owner, read by all.
  std::atomic<std::uint64_t> inserts{0}, updates{0}, deletes{0};
  static void count(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // Owner only.
  TableStorage& storage;
  /// A copy of the newest definition that the owner wrote with, without its storage (which would own itself).
  std::shared_ptr<const TableDef> table;
  struct Garbage {
    Row* row;
    std::uint64_t lsn;                                  ///< what is older than the version committed here may go
  };
  std::deque<Garbage> garbage;
  bool in_garbage_list = false;
  std::vector<Row*> held;                               ///< some of what they have is for long snapshots: looked at again when one of those ends
  /// An index that `table` does not have any more, though nobody has committed that: its entries still go with their versions.
  struct Dropped {
    std::shared_ptr<const TableDef> table;              ///< the last definition that had it
    unsigned index;                                     ///< its position there
  };
  std::vector<Dropped> dropped;

  /// By slot.
  const OrderedIndex& index(std::size_t slot) const { return *indexes[slot].load(std::memory_order_acquire); }
  OrderedIndex& index(std::size_t slot) { return *indexes[slot].load(std::memory_order_acquire); }
  /// By position in a definition.
  OrderedIndex& index(const TableDef& of, std::size_t position) { return index(of.indexes[position].slot); }
  const OrderedIndex* find_index(const TableDef& of, std::size_t position) const {
    return indexes[of.indexes[position].slot].load(std::memory_order_acquire);
  }
  /// Owner: makes the indexes that the newer definition has more, and fills them with every version's key. Frees those that neither it
  /// nor `published` has, which is what others see (null: the newer one is).
  void adopt(const TableDef& newer, const TableDef* published, Limbo& limbo);
};

struct TableStorage : std::enable_shared_from_this<TableStorage> {
  TableStorage() = default;
  ~TableStorage();
  /// Null until the owner wrote the first row there.
  TablePartition* find(PartitionId partition) const { return slots[partition].load(std::memory_order_acquire); }
  /// Owner only. `writer`: knows which definition is published; null in recovery, where `table` is.
  TablePartition& at(const TableDef& table, PartitionId partition, Limbo& limbo, Shard* writer);
  /// For tables without a primary key. Any shard.
  std::int64_t next_row_number() { return row_number.fetch_add(1, std::memory_order_relaxed) + 1; }

  std::array<std::atomic<TablePartition*>, kMaxPartitions> slots{};
  std::atomic<PartitionId> highest{0};                  ///< one past the highest slot in use
  std::atomic<std::uint64_t> created{0};                ///< LSN of the DDL that made it; a floor for absences in it
  std::atomic<std::int64_t> row_number{0};
};

/// Column checks that sql compiles: NOT NULL is checked by the engine, CHECK constraints here. Foreign keys and unique
/// indexes are the engine's own.
class RowChecks {
 public:
  virtual ~RowChecks() = default;
  /// `row` is encoded with the table's current layout. Evaluated where the row is written.
  virtual Status check(const TableDef& table, const char* row) const = 0;
  /// Whether they were compiled with the definition of a type, so that a new one of it makes them anew.
  virtual bool depends_on(Oid) const { return false; }
  /// They call what only a session can run: check() refuses (0A000), sql evaluates them where it may wait.
  virtual bool waits() const { return false; }
};

/// Generated columns, whose expressions sql compiles.
class RowGenerator {
 public:
  virtual ~RowGenerator() = default;
  /// Gives the generated columns of a whole row, by TableDef::columns, their values; bytes are in `arena`. Any shard.
  virtual Status generate(std::span<Value> values, Arena& arena) const = 0;
  /// Whether a key that decides the row's place or its primary key is generated.
  virtual bool generates_key() const = 0;
};

}  // namespace wandian
