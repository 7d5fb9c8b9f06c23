// ProbeBatch: a child's rows taken a few at a time by an operator that looks each of them up in a large table, so that the cache
// misses of several rows pass beside each other.
// Owns:       the rows' values.
// Thread:     the session's shard.
// Invariants: only for children whose rows are values without bytes elsewhere, which nobody can take away. The row taken last stands in
//             the frame. The batches grow from one row on, so that whoever wants few rows has few made.
#pragma once

#include <algorithm>

#include "sql/exec/operator.h"

namespace wandian::sql {

class ProbeBatch {
 public:
  static constexpr std::size_t kMost = 16;
  struct Row {
    std::uint64_t hash = 0;
    void* found = nullptr;   ///< what the owner has found so far
    bool null_key = false;
  };

  ProbeBatch(const PlanNode& child, const ExecContext& ctx);
  /// Not possible: the owner takes its child's rows one by one.
  bool possible() const { return possible_; }
  void reset() {
    at_ = count_ = 0;
    wanted_ = 1;
    taken_ = ended_ = filling_ = false;
  }
  bool empty() const { return at_ == count_ || filling_; }

  /// When it is empty: takes rows from `source`. each(row) is called for every one while it stands in the frame. kRow: there are some.
  template <class Each>
  Step fill(ExecContext& ctx, Operator& source, Each&& each) {
    if (!filling_) {
      taken_ = false;   // at the end, too: whoever has read it all may put rows of its own into the same slots
      if (ended_) return Step::kEnd;
      at_ = count_ = 0;
      filling_ = true;   // until it is full, over pauses of `source`
    }
    while (count_ < wanted_) {
      const Step step = source.next(ctx);
      if (step == Step::kEnd) {
        ended_ = true;
        break;
      }
      if (step != Step::kRow) return step;
      Row& row = rows_[count_];
      row = {};
      each(row);
      Value* const values = values_of(count_++);
      for (std::size_t i = 0; i < kept_.slots.size(); ++i) values[i] = ctx.slots[kept_.slots[i]];
    }
    filling_ = false;
    wanted_ = std::min(kMost, wanted_ * 2);
    return count_ == 0 ? Step::kEnd : Step::kRow;
  }
  /// Of a batch that is full: what is there.
  std::span<Row> rows() { return {rows_, count_}; }
  /// The next row stands in the frame again.
  const Row& take(ExecContext& ctx) {
    restore_slots(kept_, values_of(at_), ctx.slots);
    taken_ = true;
    return rows_[at_++];
  }
  /// When children have paused, which may have put later rows into the frame: the row taken stands there again.
  void after_pause(ExecContext& ctx);

 private:
  Value* values_of(std::size_t i) { return values_.data() + i * kept_.slots.size(); }

  SavedSlots kept_;
  bool possible_ = false, taken_ = false, ended_ = false, filling_ = false;
  std::size_t at_ = 0, count_ = 0, wanted_ = 1;
  Row rows_[kMost];
  std::vector<Value> values_;
};

}  // namespace wandian::sql
