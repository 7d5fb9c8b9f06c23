// The rows of one partition, and which of them a row's window functions see.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <deque>
#include <span>

#include "sql/exec/operator.h"

namespace wandian::sql {

/// A kept slot of a window's rows; one that is the same for all rows (it comes from outside) is read from the frame.
class WindowColumn {
 public:
  WindowColumn() = default;
  WindowColumn(const SavedSlots& saved, Slot slot);
  const Value& of(const Value* row, const Value* frame) const { return saved_ ? row[at_] : frame[at_]; }

 private:
  std::uint32_t at_ = 0;
  bool saved_ = false;
};

struct WindowPartition {
  explicit WindowPartition(std::size_t memory_limit) : memory(memory_limit) {}
  Arena memory;
  std::deque<Value*> rows;
  std::deque<std::size_t> groups;   ///< where each group of peers begins

  std::size_t group_end(std::size_t group) const { return group + 1 < groups.size() ? groups[group + 1] : rows.size(); }
  void clear() {
    rows.clear();
    groups.clear();
    memory.reset();
  }
};

/// Moves with the current row through a partition.
class FrameCursor {
 public:
  struct Span {
    std::size_t begin = 0, end = 0;
  };
  FrameCursor(const WindowNode& node, std::size_t memory_limit);

  /// Evaluates the offsets: once an execution. False: ctx.error is set.
  bool prepare(ExecContext& ctx, std::uint32_t arena);
  void restart();
  void begin_partition() { group_ = head_ = tail_ = 0; }
  /// The group of peers alone; rows come one after the other.
  void move_to(const WindowPartition& partition, std::size_t row);
  /// The frame, too. kPause: called again with the same row.
  Step find(ExecContext& ctx, EvalContext& eval, const WindowPartition& partition, std::size_t row);

  std::size_t group() const { return group_; }
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  /// The frame in the order of its rows, without what is excluded.
  std::span<const Span> spans() const { return {spans_, span_count_}; }
  /// The nth row of the frame (from 0), or of its end; the number of rows of the partition if there is none.
  std::size_t nth(std::size_t n, bool from_end, std::size_t none) const;

 private:
  std::size_t bound(FrameBound bound, std::int64_t offset, bool is_end, const WindowPartition& partition, std::size_t row) const;
  Step find_range(ExecContext& ctx, EvalContext& eval, const WindowPartition& partition, const Value* current, bool is_end);
  bool in_range(EvalContext& eval, const Value& value, const Value& base, const Value& offset, bool subtract, bool less, bool* result) const;
  void exclude(const WindowPartition& partition, std::size_t row);

  const WindowNode& node_;
  const WindowFrame& frame_;
  Arena memory_;                    // of the offsets
  Value start_offset_, end_offset_;
  bool prepared_ = false;
  Oid key_type_ = 0;
  WindowColumn key_;                // of RANGE with offsets
  std::size_t group_ = 0, head_ = 0, tail_ = 0, begin_ = 0, end_ = 0;
  Span spans_[3];
  std::size_t span_count_ = 0;
};

}  // namespace wandian::sql
