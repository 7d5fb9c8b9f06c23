// SortSpill: the sorted runs of a sort that does not fit into memory, in a temporary file, and their merge.
// A run is blocks of whole rows; each has its length in front of it. While runs are merged, a block of each is in memory.
// Thread:     the session's shard. kPause: the disk is busy; the same call again in a later turn.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sql/exec/operator.h"
#include "sql/exec/spill.h"

namespace wandian::sql {

class SortSpill {
 public:
  /// `less` compares two kept rows.
  SortSpill(SpillPool& pool, const SavedSlots& saved, std::function<bool(const Value*, const Value*)> less)
      : file_(pool), saved_(saved), less_(std::move(less)) {}

  /// The rows of one run, in their order, then end_run(). kRow: it is kept.
  Step add(ExecContext& ctx, const Value* row);
  Step end_run(ExecContext& ctx);
  /// Starts from the first row, again perhaps.
  void begin_merge();
  /// kRow: *row is good until the next call.
  Step next(ExecContext& ctx, const Value** row);

 private:
  struct Run {
    std::uint64_t begin = 0, end = 0;
    std::vector<std::uint32_t> blocks;   ///< their sizes
  };
  struct Reader {
    std::size_t run = 0, block = 0;      ///< the block that is read, or to be read next
    std::uint64_t offset = 0;
    std::shared_ptr<std::string> bytes, coming;
    SpillWait wait;
    std::size_t at = 0;                  ///< within `bytes`
    std::vector<Value> row;
  };
  Step flush(ExecContext& ctx);
  void ask(Reader& reader);
  Step advance(ExecContext& ctx, Reader& reader);
  bool before(std::size_t a, std::size_t b) const;

  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
  SpillFile file_;
  const SavedSlots& saved_;
  std::function<bool(const Value*, const Value*)> less_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> blocks_;    ///< of the run being written
  std::uint64_t run_begin_ = 0;
  std::string block_;                    ///< being filled
  SpillWait writing_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::size_t> heap_;        ///< readers with a row, the least in front
  std::size_t starting_ = 0;             ///< readers before it have their first row or none
  bool taken_ = false;                   ///< the front's row was given out
};

}  // namespace wandian::sql
