// Window functions: a partition is kept whole, then its rows are given out, each with its functions' values. Aggregates go along with the
// frame: rows that enter it are added, rows that leave it are taken out where the aggregate can do that, and it begins anew otherwise.
#include <algorithm>
#include <cstring>

#include "sql/exec/window_frame.h"

namespace wandian::sql {

namespace {

bool same_value(Order order, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  return compare_values(order, a, b) == 0;
}

// An aggregate over the rows [begin, end) of the partition.
struct RunningAggregate {
  explicit RunningAggregate(std::size_t memory_limit) : memory(memory_limit), result_memory(memory_limit) {}
  Arena memory, result_memory;
  char* state = nullptr;
  std::size_t begin = 0, end = 0;
  bool finished = false;              // `result` is that of these rows
  bool fresh = false;                 // with exclusion: begun for the current row
  std::size_t span = 0;               // ... and which part of the frame is being added
  Value result;
};

struct Call {
  const PlanWindowCall* plan = nullptr;
  std::vector<WindowColumn> args;
  WindowColumn filter;
  std::unique_ptr<RunningAggregate> aggregate;
  std::int64_t buckets = 0;           // of ntile in this partition; 0: not known yet
};

class WindowOperator final : public Operator {
 public:
  WindowOperator(const WindowNode& node, const ExecContext& ctx)
      : Operator(node), window_(node), frame_(node, ctx.memory_limit()), scratch_(*ctx.env),
        partitions_{WindowPartition(ctx.memory_limit()), WindowPartition(ctx.memory_limit())} {
    for (const SortSlot& key : node.partition) partition_keys_.emplace_back(node.saved, key.slot);
    for (const SortSlot& key : node.order) order_keys_.emplace_back(node.saved, key.slot);
    for (const PlanWindowCall& plan : node.calls) {
      Call& call = calls_.emplace_back();
      call.plan = &plan;
      for (const Slot arg : plan.args) call.args.emplace_back(node.saved, arg);
      widest_ = std::max(widest_, plan.args.size());
      if (plan.filter != kNoSlot) call.filter = WindowColumn(node.saved, plan.filter);
      if (plan.call->aggregate != nullptr) call.aggregate = std::make_unique<RunningAggregate>(ctx.memory_limit());
      needs_frame_ = needs_frame_ || plan.call->aggregate != nullptr || reads_frame(plan.call->function->window);
    }
    args_.resize(widest_ + 1);
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    for (WindowPartition& partition : partitions_) partition.clear();
    state_ = State::kFill;
    ended_ = in_row_ = false;
    frame_.restart();
    children_[0]->restart(ctx);
  }

  Step do_next(ExecContext& ctx) override {
    for (;;) {
      if (state_ == State::kFill) {
        const Step step = fill(ctx);
        if (step != Step::kRow) return step;
        if (!frame_.prepare(ctx, node_.arena)) return Step::kError;
        begin_partition();
      }
      if (row_ < current().rows.size()) {
        const Step step = give_row(ctx);
        if (step == Step::kRow) ++row_;
        return step;
      }
      if (ended_) return Step::kEnd;
      // The other one begins with the row that ended this one.
      current().clear();
      current_ ^= 1;
      state_ = State::kFill;
    }
  }

 private:
  enum class State : std::uint8_t { kFill, kOutput };
  static constexpr std::size_t kScratchRows = 256;   // after as many steps, what they left behind is forgotten

  static bool reads_frame(WindowFunction function) {
    return function == WindowFunction::kFirstValue || function == WindowFunction::kLastValue || function == WindowFunction::kNthValue;
  }
  WindowPartition& current() { return partitions_[current_]; }

  // Keeps the child's row. A row that differs from the one before in the order begins a group of peers.
  void keep(ExecContext& ctx, WindowPartition& partition) {
    Value* row = save_slots(window_.saved, ctx.slots, partition.memory);
    bool begins = partition.rows.empty();
    if (!begins) {
      const Value* last = partition.rows.back();
      for (std::size_t i = 0; i < order_keys_.size() && !begins; ++i)
        begins = !same_value(window_.order[i].order, order_keys_[i].of(last, ctx.slots), order_keys_[i].of(row, ctx.slots));
    }
    if (begins) partition.groups.push_back(partition.rows.size());
    partition.rows.push_back(row);
  }
  bool in_partition(ExecContext& ctx, const Value* first) const {
    for (std::size_t i = 0; i < partition_keys_.size(); ++i)
      if (!same_value(window_.partition[i].order, partition_keys_[i].of(first, ctx.slots), ctx.slots[window_.partition[i].slot])) return false;
    return true;
  }
  // kRow: the partition is complete. kEnd: there is none.
  Step fill(ExecContext& ctx) {
    while (!ended_) {
      const Step step = children_[0]->next(ctx);
      if (step == Step::kEnd) {
        ended_ = true;
        break;
      }
      if (step != Step::kRow) return step;
      if (!current().rows.empty() && !in_partition(ctx, current().rows.front())) {
        keep(ctx, partitions_[current_ ^ 1]);
        return Step::kRow;
      }
      keep(ctx, current());
    }
    return current().rows.empty() ? Step::kEnd : Step::kRow;
  }

  void begin_partition() {
    state_ = State::kOutput;
    row_ = 0;
    in_row_ = false;
    frame_.begin_partition();
    for (Call& call : calls_) {
      call.buckets = 0;
      if (call.aggregate) begin_aggregate(call, 0);
    }
  }

  // The current row with its functions' values; after kPause, called again for the same one.
  Step give_row(ExecContext& ctx) {
    if (!in_row_) {
      if (ctx.out_of_budget()) return Step::kPause;
      ctx.reset_row(node_.arena);
      restore_slots(window_.saved, current().rows[row_], ctx.slots);
      frame_.move_to(current(), row_);
      call_at_ = 0;
      framed_ = false;
      in_row_ = true;
      for (Call& call : calls_)
        if (call.aggregate) call.aggregate->fresh = false;
    }
    if (needs_frame_ && !framed_) {
      const Step step = frame_.find(ctx, scratch_.eval, current(), row_);
      if (step != Step::kRow) return step;
      framed_ = true;
    }
    for (; call_at_ < calls_.size(); ++call_at_) {
      Call& call = calls_[call_at_];
      Value& out = ctx.slots[call.plan->out];
      const Step step = call.aggregate ? aggregate(ctx, call, &out) : function(ctx, call, &out);
      if (step != Step::kRow) return step;
    }
    in_row_ = false;
    return Step::kRow;
  }

  // ---- Window functions ----

  const Value& argument(ExecContext& ctx, const Call& call, std::size_t arg, std::size_t row) {
    return call.args[arg].of(current().rows[row], ctx.slots);
  }

  Step function(ExecContext& ctx, Call& call, Value* out) {
    const WindowPartition& partition = current();
    const std::size_t rows = partition.rows.size();
    const auto as_double = [](std::size_t n) { return static_cast<double>(n); };
    const std::size_t first_peer = partition.groups[frame_.group()];
    switch (call.plan->call->function->window) {
      case WindowFunction::kRowNumber: *out = Value::of_int(static_cast<std::int64_t>(row_ + 1)); break;
      case WindowFunction::kRank: *out = Value::of_int(static_cast<std::int64_t>(first_peer + 1)); break;
      case WindowFunction::kDenseRank: *out = Value::of_int(static_cast<std::int64_t>(frame_.group() + 1)); break;
      case WindowFunction::kPercentRank: *out = Value::of_double(rows <= 1 ? 0 : as_double(first_peer) / as_double(rows - 1)); break;
      case WindowFunction::kCumeDist: *out = Value::of_double(as_double(partition.group_end(frame_.group())) / as_double(rows)); break;
      case WindowFunction::kNtile: return ntile(ctx, call, out);
      case WindowFunction::kLag: offset_value(ctx, call, true, out); break;
      case WindowFunction::kLead: offset_value(ctx, call, false, out); break;
      case WindowFunction::kFirstValue: framed_value(ctx, call, 0, false, out); break;
      case WindowFunction::kLastValue: framed_value(ctx, call, 0, true, out); break;
      case WindowFunction::kNthValue: {
        const Value& n = argument(ctx, call, 1, row_);
        *out = Value::null();
        if (n.is_null) break;
        if (n.i <= 0)
          return ctx.fail(Status{sqlstate::invalid_argument_for_nth_value_function, "argument of nth_value must be greater than zero"});
        framed_value(ctx, call, static_cast<std::size_t>(n.i - 1), false, out);
        break;
      }
      case WindowFunction::kNone: DB_ASSERT(false);
    }
    return Step::kRow;
  }

  // The first row of a partition says how many buckets there are; the first ones hold a row more if the rows do not divide.
  Step ntile(ExecContext& ctx, Call& call, Value* out) {
    *out = Value::null();
    if (call.buckets == 0) {
      const Value& buckets = argument(ctx, call, 0, row_);
      if (buckets.is_null) return Step::kRow;
      if (buckets.i <= 0) return ctx.fail(Status{sqlstate::invalid_argument_for_ntile_function, "argument of ntile must be greater than zero"});
      call.buckets = buckets.i;
    }
    const auto rows = static_cast<std::int64_t>(current().rows.size()), row = static_cast<std::int64_t>(row_);
    const std::int64_t size = rows / call.buckets, larger = rows % call.buckets, in_larger = larger * (size + 1);
    *out = Value::of_int(row < in_larger ? row / (size + 1) + 1 : larger + (row - in_larger) / std::max<std::int64_t>(1, size) + 1);
    return Step::kRow;
  }

  void offset_value(ExecContext& ctx, const Call& call, bool back, Value* out) {
    std::int64_t offset = 1;
    if (call.args.size() > 1) {
      const Value& given = argument(ctx, call, 1, row_);
      if (given.is_null) {
        *out = Value::null();
        return;
      }
      offset = given.i;
    }
    const std::int64_t target = static_cast<std::int64_t>(row_) + (back ? -offset : offset);
    if (target >= 0 && target < static_cast<std::int64_t>(current().rows.size())) *out = argument(ctx, call, 0, static_cast<std::size_t>(target));
    else *out = call.args.size() > 2 ? argument(ctx, call, 2, row_) : Value::null();
  }

  void framed_value(ExecContext& ctx, const Call& call, std::size_t n, bool from_end, Value* out) {
    const std::size_t none = current().rows.size();
    const std::size_t row = frame_.nth(n, from_end, none);
    *out = row == none ? Value::null() : argument(ctx, call, 0, row);
  }

  // ---- Aggregates ----

  const MovingAggregate* moving(const Call& call) const {
    // A frame whose start stays needs no way back.
    return window_.frame.start == FrameBound::kUnboundedPreceding ? nullptr : call.plan->call->aggregate->moving;
  }
  void begin_aggregate(Call& call, std::size_t row) {
    RunningAggregate& running = *call.aggregate;
    const MovingAggregate* mover = moving(call);
    const std::size_t bytes = mover != nullptr ? mover->state_bytes : call.plan->call->aggregate->state_bytes;
    running.memory.reset();
    running.state = static_cast<char*>(running.memory.allocate(bytes + 16, 16));
    std::memset(running.state, 0, bytes);
    running.begin = running.end = row;
    running.finished = false;
  }

  // Whether the row counts; its arguments are in args_ then.
  bool load(ExecContext& ctx, const Call& call, std::size_t row) {
    const Value* values = current().rows[row];
    if (call.plan->filter != kNoSlot) {
      const Value& passes = call.filter.of(values, ctx.slots);
      if (passes.is_null || passes.i == 0) return false;
    }
    const bool skips_nulls = call.plan->call->aggregate->skips_nulls;
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      args_[i] = call.args[i].of(values, ctx.slots);
      if (args_[i].is_null && skips_nulls) return false;
    }
    return true;
  }
  void tidy() {
    if (++steps_ % kScratchRows == 0) scratch_.arena.reset();
  }
  bool add(ExecContext& ctx, Call& call, std::size_t row) {
    call.aggregate->finished = false;
    if (!load(ctx, call, row)) return true;
    tidy();
    const MovingAggregate* mover = moving(call);
    const auto step = mover != nullptr ? mover->step : call.plan->call->aggregate->step;
    return step(scratch_.eval, call.aggregate->memory, call.aggregate->state, call.plan->call->types.data(), args_.data());
  }
  bool remove(ExecContext& ctx, Call& call, std::size_t row, bool* done) {
    call.aggregate->finished = false;
    if (!load(ctx, call, row)) return true;
    tidy();
    return moving(call)->unstep(scratch_.eval, call.aggregate->memory, call.aggregate->state, call.plan->call->types.data(), args_.data(), done);
  }

  Step aggregate(ExecContext& ctx, Call& call, Value* out) {
    const Step step = window_.frame.exclusion == FrameExclusion::kNone ? follow_frame(ctx, call) : collect_frame(ctx, call);
    if (step != Step::kRow) return step;
    RunningAggregate& running = *call.aggregate;
    if (!running.finished) {
      const MovingAggregate* mover = moving(call);
      const auto finish = mover != nullptr ? mover->finish : call.plan->call->aggregate->finish;
      Value result;
      if (!finish(scratch_.eval, running.state, call.plan->call->types.data(), &result)) return ctx.fail(scratch_.eval);
      running.result_memory.reset();
      running.result = is_by_value(call.plan->call->type) ? result : copy_bytes(result, running.result_memory);
      running.finished = true;
      tidy();
    }
    *out = running.result;
    return Step::kRow;
  }

  // Frames only move forward: what left at the front is taken out, what came at the end is added.
  Step follow_frame(ExecContext& ctx, Call& call) {
    RunningAggregate& running = *call.aggregate;
    while (running.begin < frame_.begin()) {
      bool done = moving(call) != nullptr && running.begin < running.end && running.end > frame_.begin();
      if (done && !remove(ctx, call, running.begin, &done)) return ctx.fail(scratch_.eval);
      if (!done) {
        begin_aggregate(call, frame_.begin());
        break;
      }
      ++running.begin;
      if (ctx.out_of_budget()) return Step::kPause;
    }
    while (running.end < frame_.end()) {
      if (!add(ctx, call, running.end)) return ctx.fail(scratch_.eval);
      ++running.end;
      if (ctx.out_of_budget()) return Step::kPause;
    }
    return Step::kRow;
  }

  // With rows left out, the frame is added anew for each row.
  Step collect_frame(ExecContext& ctx, Call& call) {
    RunningAggregate& running = *call.aggregate;
    const std::span<const FrameCursor::Span> spans = frame_.spans();
    if (!running.fresh) {
      begin_aggregate(call, spans.empty() ? 0 : spans[0].begin);
      running.span = 0;
      running.fresh = true;
    }
    for (; running.span < spans.size(); ++running.span) {
      running.end = std::max(running.end, spans[running.span].begin);
      while (running.end < spans[running.span].end) {
        if (!add(ctx, call, running.end)) return ctx.fail(scratch_.eval);
        ++running.end;
        if (ctx.out_of_budget()) return Step::kPause;
      }
    }
    return Step::kRow;
  }

  const WindowNode& window_;
  FrameCursor frame_;
  RowMemory scratch_;                     // for what steps leave behind
  std::size_t steps_ = 0;
  WindowPartition partitions_[2];         // the current one, and the first row of the next; a spill would begin where their limit is met
  unsigned current_ = 0;
  std::vector<WindowColumn> partition_keys_, order_keys_;
  std::vector<Call> calls_;
  std::size_t widest_ = 0;
  std::vector<Value> args_;
  bool needs_frame_ = false;
  State state_ = State::kFill;
  bool ended_ = false;
  std::size_t row_ = 0;                   // the next one to give out
  bool in_row_ = false, framed_ = false;  // giving it out was begun; its frame is known
  std::size_t call_at_ = 0;
};

}  // namespace

OperatorPtr make_window_operator(const PlanNode& node, ExecContext& ctx) {
  if (node.type != NodeType::kWindow) return nullptr;
  return std::make_unique<WindowOperator>(node.as<WindowNode>(), ctx);
}

}  // namespace wandian::sql
