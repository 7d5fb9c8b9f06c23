// TableScan: reads a table, or a range of one of its indexes, in place, at a view, on the session's shard.
// Thread:     any shard; takes no lock.
// Invariants: between turns it holds keys, never pointers: call pause() before the turn ends and next() seeks again.
//             An index entry counts only if the version the view sees has that key, so a row is returned at most once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"
#include "engine/index/ordered_index.h"
#include "engine/read_set.h"
#include "engine/table.h"
#include "engine/version.h"

namespace wandian {

/// Bounds on the leading columns of an index, as encoded keys (KeyCodec). Unset bounds are open. A bound that covers only some
/// leading columns is a prefix: `upper` inclusive then means every key that starts with it.
struct ScanRange {
  KeyBuffer lower, upper;
  bool has_lower = false, has_upper = false;
  bool lower_inclusive = true, upper_inclusive = true;

  /// The keys that begin with these values of the index's first columns.
  static ScanRange prefix(const KeyCodec& codec, std::span<const Value> values) {
    ScanRange range;
    codec.encode(values, range.lower);
    range.upper = range.lower;
    range.has_lower = range.has_upper = true;
    return range;
  }
};

class IndexEntries;

class TableScan {
 public:
  TableScan();
  ~TableScan();
  TableScan(const TableScan&) = delete;
  TableScan& operator=(const TableScan&) = delete;

  struct Options {
    unsigned index = 0;                  ///< position in TableDef::indexes; must not be a global one
    PartitionId partition = kNoPartition;   ///< one partition, or kNoPartition for all of them
    bool ordered = false;                ///< in the index's order over all partitions (merges them); else partition by partition
    bool backward = false;
  };
  /// Starts, or starts again. Copies the range.
  void open(std::shared_ptr<const TableDef> table, const Options& options, const ScanRange& range);
  /// The next row that `view` sees. False at the end.
  bool next(ReadView& view, RowView* out);
  /// Gives pointers up; cheap if called once a turn.
  void pause();

 private:
  struct Source;
  bool advance(Source& source, ReadView& view);
  bool advance_in_order(ReadView& view, RowView* out);
  void remember(ReadView& view);
  std::shared_ptr<const TableDef> table_;
  Options options_;
  ScanRange range_;
  RangeProgress progress_;               ///< SERIALIZABLE: what has been read of the range
  std::vector<std::unique_ptr<Source>> sources_;
  std::size_t current_ = 0;
  std::size_t unfinished_ = 0;           ///< not ordered: those at the front of `sources_` have more rows
  std::vector<std::size_t> heap_;
  std::unique_ptr<IndexEntries> entries_;   ///< of a computed index
  bool merging_started_ = false;
};

/// One row by its whole primary key; the fast path of point reads. False if the view sees none.
bool find_row(const TableDef& table, PartitionId partition, KeyRef key, ReadView& view, RowView* out);

}  // namespace wandian
