// PlaceLookup: the rows that have given places (ctid), one after the other.
// A place that says its row's key leads there at once, and so does one that the session has shown lately. Others cost one pass over
// the table for all of them; where the same operator is asked again and again (the inner side of a join), the second pass keeps where
// every such row is. No place is followed as an address.
// Thread:  the session's shard.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/scan.h"
#include "sql/exec/place_memory.h"

namespace wandian::sql {

struct ExecContext;

class PlaceLookup {
 public:
  explicit PlaceLookup(std::shared_ptr<const TableDef> table) : table_(std::move(table)) {}

  /// Starts over with these places, in any order; each counts once.
  void open(std::vector<std::int64_t> places);
  enum class Found : std::uint8_t { kRow, kEnd, kPause };
  Found next(ExecContext& ctx, RowView* out);
  /// Gives pointers up.
  void pause() { scan_.pause(); }

 private:
  bool find(ExecContext& ctx, std::int64_t place, RowView* out);
  bool find_known(ExecContext& ctx, const PlaceMemory::Entry& known, std::int64_t place, RowView* out);
  bool has_place(ExecContext& ctx, const RowView& row, std::int64_t place) const;
  void start_scan();

  std::shared_ptr<const TableDef> table_;
  std::vector<std::int64_t> places_, missing_;   ///< sorted
  std::size_t next_ = 0;
  TableScan scan_;
  enum class State : std::uint8_t { kPlaces, kScanning, kGathering, kEnd } state_ = State::kEnd;
  unsigned passes_ = 0;
  /// Where every row is whose place does not say it, as of the statement's snapshot.
  std::unique_ptr<std::unordered_map<std::int64_t, PlaceMemory::Entry>> gathered_;
  KeyBuffer key_;
};

}  // namespace wandian::sql
