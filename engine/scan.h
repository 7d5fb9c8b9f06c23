// TableScan: reads a table, or a range of one of its indexes, in place, at a view, on the session's shard.
// Thread:     any shard; takes no lock.
// Invariants: between turns it holds keys, never pointers: call pause() before the turn ends and next() seeks again.
//             An index entry counts only if the version the view sees has that key, so a row is returned at most once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
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
  bool next(ReadView& view, RowView* out) {
    if (current_window_ != nullptr && current_window_->take(out)) [[likely]] return true;
    return next_slowly(view, out);
  }
  /// Gives pointers up; cheap if called once a turn.
  void pause();

 private:
  /// Entries of one partition's index that are looked at together, so that the cache misses of their rows pass beside each other.
  struct Window {
    static constexpr unsigned kMost = 16;
    PartitionId partition = kNoPartition;
    std::uint32_t at = 0;                  ///< the entry that comes next
    std::uint32_t count = 0;
    void* const* rows = nullptr;           ///< in the cursor
    std::span<const void* const> ahead;    ///< rows that will be wanted after these
    const Version* versions[kMost];        ///< that the view sees; null: none, or a tombstone

    /// The next row of them that is there.
    bool take(RowView* out) {
      while (at < count) {
        if (at < ahead.size()) OrderedIndex::Cursor::prefetch(ahead[at]);
        const Version* const version = versions[at];
        Row* const row = static_cast<Row*>(rows[at++]);
        if (version == nullptr) continue;
        const std::uint64_t stamp = version->stamp.load(std::memory_order_relaxed);
        *out = {version->row(), version->layout, row, partition, (stamp & kStampActive) == 0 ? stamp : 0};
        return true;
      }
      return false;
    }
  };
  /// One partition's part of the scan.
  struct Source {
    Window window;
    TablePartition* storage = nullptr;
    std::optional<OrderedIndex::Cursor> cursor;
    std::uint32_t covered = 0;   ///< entries from the cursor's on, to the window's end
    RowView row;                 ///< of a merge: the row that waits for its turn
    KeyBuffer key;               ///< where to go on after a pause
    bool positioned = false;     ///< `key` says where the scan stands
    bool again = false;          ///< after a pause the row at `key` itself is wanted again (a merge had not given it out yet)
    bool finished = false;
    bool sought = false;         ///< the cursor is on the first entry, which no window has looked at yet
    bool moved = false;          ///< of a merge: the row was given out
    KeyRef taken_key();
    /// All that the cursor has at hand was taken: a good moment to go on with another partition.
    bool at_batch_end() const { return window.count != 0 && window.at == window.count && cursor->rest_of_batch().size() == covered; }
  };
  bool next_slowly(ReadView& view, RowView* out);
  bool advance(Source& source, ReadView& view);
  bool take(Source& source, RowView* out);
  bool look(Source& source, ReadView& view);
  const OrderedIndex* index_of(Source& source);
  void start_together();
  bool seek(Source& source);
  bool own_entry(Source& source, const RowView& row);
  bool advance_in_order(ReadView& view, RowView* out);
  void go_round();
  void remember(ReadView& view);
  std::shared_ptr<const TableDef> table_;
  Options options_;
  ScanRange range_;
  RangeProgress progress_;               ///< SERIALIZABLE: what has been read of the range
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<OrderedIndex::Cursor*> together_;
  bool fresh_ = false;                   ///< several partitions, none of them looked at
  std::size_t current_ = 0;
  std::size_t unfinished_ = 0;           ///< not ordered: those at the front of `sources_` have more rows
  Window* current_window_ = nullptr;     ///< not ordered, by the primary key, not SERIALIZABLE: no need to ask the cursor for each row
  unsigned wanted_ = 1;                  ///< entries of the next window: few rows are looked at if few are wanted
  std::vector<std::size_t> heap_;
  std::unique_ptr<IndexEntries> entries_;   ///< of a computed index
  bool merging_started_ = false;
};

/// One row by its whole primary key; the fast path of point reads. False if the view sees none.
bool find_row(const TableDef& table, PartitionId partition, KeyRef key, ReadView& view, RowView* out);

}  // namespace wandian
