// ReadSet: what a SERIALIZABLE transaction has read, so that its owners can say before it commits whether that still stands
// (docs/serializable.md). Absences are keys and ranges, too.
// Owns:       copies of keys; keeps the storages alive.
// Thread:     filled by the transaction's shard; immutable from the commit on, and then read by the owners.
// Invariants: it covers everything that was read, never less. Beyond kMostEntries a table is covered as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/key.h"
#include "engine/table.h"

namespace wandian {

class ReadSet {
 public:
  /// Keys of one index from `lower` on to `upper`; a side that is not there is open.
  struct Range {
    PartitionId partition = kNoPartition;   ///< kNoPartition: all of them
    std::uint16_t index = 0;                ///< position in the definition that was read with
    std::uint8_t slot = 0;                  ///< the index's
    bool has_lower = false, has_upper = false;
    bool upper_inclusive = false;
    std::string lower, upper;
    bool operator==(const Range&) const = default;
    bool covers(KeyRef key) const {
      return (!has_lower || lower <= key.view()) && (!has_upper || (upper_inclusive ? key.view() <= upper : key.view() < upper));
    }
  };
  struct Table {
    std::shared_ptr<TableStorage> storage;
    bool whole = false;
    std::unordered_set<std::string> points;   ///< four bytes of partition, then a primary key
    std::vector<Range> ranges;
  };
  static constexpr std::size_t kMostEntries = 4096;

  bool empty() const { return tables_.empty(); }
  /// In the order in which they were read first.
  const std::vector<std::unique_ptr<Table>>& tables() const { return tables_; }
  const Table* find(const TableStorage& storage) const;

  void add_point(const TableDef& table, PartitionId partition, KeyRef primary_key);
  void add_range(const TableDef& table, Range range);
  /// Everything that `other` holds.
  void add_all(const ReadSet& other);

  static std::string point(PartitionId partition, KeyRef primary_key);
  static PartitionId partition_of(std::string_view point);
  static KeyRef key_of(std::string_view point);

 private:
  friend class RangeProgress;
  Table& table(const std::shared_ptr<TableStorage>& storage);
  static void limit(Table& table);
  std::unordered_map<const TableStorage*, Table*> by_storage_;
  std::vector<std::unique_ptr<Table>> tables_;
};

/// Keeps one range of a read set up to where a scan has come: one that is abandoned early has read no more than that.
class RangeProgress {
 public:
  /// A scan of `full` begins. `in_order`: rows come in the index's order, so that the last one's key tells how far it got.
  void begin(ReadSet& reads, const TableDef& table, const ReadSet::Range& full, bool in_order, bool backward);
  bool begun() const { return table_ != nullptr; }
  /// The row with this key was given out.
  void passed(KeyRef key);
  /// There are no more rows.
  void ended();
  void reset() { table_ = nullptr; }

 private:
  ReadSet::Table* table_ = nullptr;
  std::size_t at_ = 0;
  ReadSet::Range full_;
  bool in_order_ = false, backward_ = false;
};

}  // namespace wandian
