// Sort: input is sorted in short runs as it arrives, and runs are merged as rows are asked for, so that no step is long.
// With a LIMIT above, a heap keeps the best rows alone. What is more than the statement's share of memory goes to a temporary file, a
// sorted run each time that share is full.
#include <algorithm>

#include "sql/exec/operator.h"
#include "sql/exec/sort_spill.h"
#include "sql/server.h"

namespace wandian::sql {

namespace {

class SortOperator final : public Operator {
 public:
  SortOperator(const SortNode& node, const ExecContext& ctx) : Operator(node), sort_(node), memory_(ctx.memory_limit()) {
    // Where each key stands among the saved values.
    for (const SortSlot& key : node.keys)
      for (std::size_t i = 0; i < node.saved.slots.size(); ++i)
        if (node.saved.slots[i] == key.slot) {
          positions_.push_back(i);
          break;
        }
    DB_ASSERT(positions_.size() == node.keys.size());
    prefixed_ = !node.keys.empty() && (node.keys[0].order == Order::kInteger || node.keys[0].order == Order::kBytes ||
                                       node.keys[0].order == Order::kUnsigned);
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    if ((state_ == State::kMerge || state_ == State::kSpilled) && keeps_result() && !top_) {
      if (state_ == State::kSpilled) spill_->begin_merge();
      else begin_merge();
      return;
    }
    state_ = State::kFill;
    spill_.reset();
    pending_ = nullptr;
    ended_ = false;
    prepared_ = false;
    rows_.clear();
    runs_.clear();
    memory_.reset();
    children_[0]->restart(ctx);
  }

  Step do_next(ExecContext& ctx) override {
    while (state_ == State::kFill || state_ == State::kDump) {
      const Step step = state_ == State::kFill ? fill(ctx) : dump(ctx);
      if (step != Step::kRow) return step;
    }
    if (ctx.out_of_budget()) return Step::kPause;
    ctx.reset_row(node_.arena);
    const Value* row = nullptr;
    if (state_ == State::kSpilled) {
      if (const Step step = spill_->next(ctx, &row); step != Step::kRow) return step;
    } else {
      row = take();
      if (row == nullptr) return Step::kEnd;
    }
    restore_slots(sort_.saved, row, ctx.slots);
    return Step::kRow;
  }

 private:
  enum class State : std::uint8_t { kFill, kDump, kMerge, kSpilled };
  static constexpr std::size_t kRunRows = 2048;       // sorted in well under a millisecond
  static constexpr std::int64_t kTopLimit = 8192;    // beyond it, runs: sorting the heap is one step
  struct Item {
    std::uint64_t prefix;   // orders as the first key does, as far as it goes
    const Value* row;
  };

  // kRow: the state has changed.
  Step fill(ExecContext& ctx) {
    if (!prepared_ && !prepare(ctx)) return Step::kError;
    prepared_ = true;
    SpillPool* const pool = ctx.env->server == nullptr ? nullptr : ctx.env->server->spill();
    for (;;) {
      const Step step = children_[0]->next(ctx);
      if (step == Step::kEnd) break;
      if (step != Step::kRow) return step;
      if (top_) {
        add_top(ctx);
        continue;
      }
      add(ctx);
      if (memory_.used_bytes() <= ctx.env->spill_bytes || pool == nullptr) continue;
      if (spill_ == nullptr)
        spill_ = std::make_unique<SortSpill>(*pool, sort_.saved, [this](const Value* a, const Value* b) { return less_by_keys(a, b); });
      end_run();
      begin_merge();
      state_ = State::kDump;
      return Step::kRow;
    }
    end_run();
    begin_merge();
    ended_ = true;
    if (spill_ != nullptr) state_ = State::kDump;
    return Step::kRow;
  }
  // What is in memory becomes a run of the file. kRow: it has.
  Step dump(ExecContext& ctx) {
    for (;;) {
      if (pending_ == nullptr) pending_ = take();
      if (pending_ == nullptr) break;
      if (const Step step = spill_->add(ctx, pending_); step != Step::kRow) return step;
      pending_ = nullptr;
      if (ctx.out_of_budget()) return Step::kPause;
    }
    if (const Step step = spill_->end_run(ctx); step != Step::kRow) return step;
    runs_.clear();
    memory_.reset();
    state_ = State::kFill;
    if (!ended_) return Step::kRow;
    spill_->begin_merge();
    state_ = State::kSpilled;
    return Step::kRow;
  }

  bool prepare(ExecContext& ctx) {
    top_ = false;
    if (!sort_.limit) return true;
    Value limit, offset = Value::of_int(0);
    if (!ctx.eval(sort_.limit, node_.arena, &limit)) return false;
    if (sort_.offset && !ctx.eval(sort_.offset, node_.arena, &offset)) return false;
    if (offset.is_null) offset = Value::of_int(0);
    if (limit.is_null || limit.i < 0 || offset.i < 0 || limit.i > kTopLimit || offset.i > kTopLimit) return true;
    top_rows_ = static_cast<std::size_t>(limit.i + offset.i);
    top_ = true;
    garbage_bytes_ = 0;
    return true;
  }

  std::uint64_t prefix_of(const Value& value) const {
    const SortSlot& key = sort_.keys[0];
    if (value.is_null) return key.nulls_first ? 0 : ~std::uint64_t{0};
    std::uint64_t prefix;
    if (key.order == Order::kInteger) {
      prefix = static_cast<std::uint64_t>(value.i) ^ (std::uint64_t{1} << 63);
    } else if (key.order == Order::kUnsigned) {
      prefix = static_cast<std::uint64_t>(value.i);
    } else {
      prefix = 0;
      const std::size_t count = std::min<std::size_t>(8, value.size);
      for (std::size_t i = 0; i < count; ++i) prefix |= static_cast<std::uint64_t>(static_cast<unsigned char>(value.p[i])) << (56 - 8 * i);
    }
    return key.descending ? ~prefix : prefix;
  }
  bool less(const Item& a, const Item& b) const {
    return a.prefix != b.prefix ? a.prefix < b.prefix : less_by_keys(a.row, b.row);
  }
  bool less_by_keys(const Value* a, const Value* b) const {
    for (std::size_t i = 0; i < sort_.keys.size(); ++i) {
      const int order = compare_sort_values(sort_.keys[i], a[positions_[i]], b[positions_[i]]);
      if (order != 0) return order < 0;
    }
    return false;
  }
  Item item_of(const Value* row) const { return {prefixed_ ? prefix_of(row[positions_[0]]) : 0, row}; }

  void add(ExecContext& ctx) {
    if (rows_.capacity() == 0) rows_.reserve(kRunRows);
    rows_.push_back(item_of(save_slots(sort_.saved, ctx.slots, memory_)));
    if (rows_.size() == kRunRows) end_run();
  }
  void end_run() {
    if (rows_.empty()) return;
    // Stable, so that the order of equal rows does not depend on the length of runs.
    std::stable_sort(rows_.begin(), rows_.end(), [this](const Item& a, const Item& b) { return less(a, b); });
    runs_.push_back(std::move(rows_));
    rows_.clear();
  }

  // rows_ is a heap with the worst row on top.
  void add_top(ExecContext& ctx) {
    if (top_rows_ == 0) return;
    const auto worse = [this](const Item& a, const Item& b) { return less(a, b); };
    if (rows_.size() == top_rows_) {
      probe_.resize(sort_.saved.slots.size());
      for (std::size_t i = 0; i < probe_.size(); ++i) probe_[i] = ctx.slots[sort_.saved.slots[i]];
      const Item candidate = item_of(probe_.data());
      if (!less(candidate, rows_.front())) return;
      std::pop_heap(rows_.begin(), rows_.end(), worse);
      auto* reused = const_cast<Value*>(rows_.back().row);
      if (!sort_.saved.all_by_value) {
        for (std::size_t i = 0; i < probe_.size(); ++i)
          if (sort_.saved.by_value[i] == 0) garbage_bytes_ += reused[i].is_null ? 0 : reused[i].size;
        if (garbage_bytes_ > kMostGarbage) compact(reused);
      }
      save_slots_into(sort_.saved, ctx.slots, memory_, reused);
      rows_.back() = item_of(reused);
    } else {
      rows_.push_back(item_of(save_slots(sort_.saved, ctx.slots, memory_)));
    }
    std::push_heap(rows_.begin(), rows_.end(), worse);
  }
  // Copies what is still wanted out of the arena, then back. `unused`: the row about to be overwritten.
  void compact(Value*& unused) {
    Arena other;
    std::vector<Value*> copies(rows_.size());
    const std::size_t width = sort_.saved.slots.size();
    const auto copy = [&](const Value* row, Arena& to) {
      Value* out = to.allocate_array<Value>(width);
      for (std::size_t i = 0; i < width; ++i) out[i] = sort_.saved.by_value[i] != 0 ? row[i] : copy_bytes(row[i], to);
      return out;
    };
    for (std::size_t i = 0; i < rows_.size(); ++i) copies[i] = copy(rows_[i].row, other);
    memory_.reset();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Value* row = copy(copies[i], memory_);
      if (rows_[i].row == unused) unused = row;
      rows_[i].row = row;
    }
    garbage_bytes_ = 0;
  }

  void begin_merge() {
    state_ = State::kMerge;
    heap_.clear();
    for (std::size_t i = 0; i < runs_.size(); ++i) heap_.push_back({i, runs_[i].data(), runs_[i].data() + runs_[i].size()});
    std::make_heap(heap_.begin(), heap_.end(), later());
  }
  struct Run {
    std::size_t number;
    const Item* at;
    const Item* end;
  };
  struct Later {
    const SortOperator* sort;
    bool operator()(const Run& a, const Run& b) const {
      if (sort->less(*b.at, *a.at)) return true;
      if (sort->less(*a.at, *b.at)) return false;
      return b.number < a.number;
    }
  };
  Later later() const { return {this}; }
  const Value* take() {
    if (heap_.empty()) return nullptr;
    const Value* row = heap_.front().at->row;
    if (heap_.size() == 1) {
      if (++heap_.front().at == heap_.front().end) heap_.clear();
      return row;
    }
    Run run = heap_.front();
    if (++run.at == run.end) {
      std::pop_heap(heap_.begin(), heap_.end(), later());
      heap_.pop_back();
      return row;
    }
    // Sift the run's next row down from the top: one descent where pop and push would be two.
    std::size_t hole = 0;
    const Later after = later();
    for (;;) {
      std::size_t child = 2 * hole + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && after(heap_[child], heap_[child + 1])) ++child;
      if (!after(run, heap_[child])) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = run;
    return row;
  }

  static constexpr std::size_t kMostGarbage = 4u << 20;
  const SortNode& sort_;
  Arena memory_;                          // kept rows
  std::unique_ptr<SortSpill> spill_;      // null: all of it fits into memory
  const Value* pending_ = nullptr;        // the row that the file waits for
  bool ended_ = false;                    // the input
  std::vector<std::size_t> positions_;
  bool prefixed_ = false, prepared_ = false, top_ = false;
  State state_ = State::kFill;
  std::vector<Item> rows_;                // the run being filled, or the heap of the best rows
  std::vector<std::vector<Item>> runs_;   // sorted; each a block of its own, so that none is ever copied to grow
  std::vector<Run> heap_;
  std::size_t top_rows_ = 0, garbage_bytes_ = 0;
  std::vector<Value> probe_;
};

}  // namespace

OperatorPtr make_sort_operator(const PlanNode& node, ExecContext& ctx) {
  if (node.type != NodeType::kSort) return nullptr;
  return std::make_unique<SortOperator>(node.as<SortNode>(), ctx);
}

}  // namespace wandian::sql
