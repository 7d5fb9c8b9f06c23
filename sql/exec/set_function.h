// SetCall: one call of a set-returning function being read row by row.
// Thread:  the session's shard.
#pragma once

#include <vector>

#include "sql/exec/operator.h"
#include "sql/functions/collated.h"

namespace wandian::sql {

class SetCall {
 public:
  explicit SetCall(const ExecContext& ctx) : memory_(*ctx.env) {}

  /// Forgets a start that waits.
  void reset() {
    starting_ = asked_ = false;
    eval_.reset();
  }
  /// Evaluates the arguments, and runs a routine. kError; kPause: again when ctx.call has been run; kRow when next() may be called.
  Step start(ExecContext& ctx, const FunctionExpr& call, std::span<const PlanExpr> args) {
    if (!starting_) {
      memory_.arena.reset();
      state_.kept = nullptr;
      function_ = call.function;
      ascii_letters_ = has_ascii_letters(call.collation);
      position_ = 0;
      args_.resize(args.size());
      done_ = false;
      next_arg_ = 0;
      rows_.reset();
      starting_ = true;
    }
    for (; next_arg_ < args.size(); ++next_arg_) {
      if (const Step step = eval_.eval(ctx, args[next_arg_], memory_, &args_[next_arg_]); step != Step::kRow) {
        if (step == Step::kError) reset();
        return step;
      }
      Value& value = args_[next_arg_];
      if (value.is_null && function_->strict) done_ = true;
      // What the arguments point to must outlive the turn, since the function reads them for every row.
      if (!is_by_value(args[next_arg_].expr->type)) value = copy_bytes(value, memory_.arena);
    }
    if (function_->collect_fn != nullptr && !done_) {
      rows_ = std::make_unique<RoutineRows>();
      rows_->width = std::max<std::size_t>(1, function_->out_types.size());
      if (!function_->collect_fn(memory_.eval, *function_, call.types.data(), args_.data(), rows_.get())) {
        reset();
        return ctx.fail(memory_.eval);
      }
    }
    if (function_->routine != nullptr && !done_) {
      if (!asked_) ask(call);
      if (!call_.done) {
        ctx.call = &call_;
        return Step::kPause;
      }
    }
    starting_ = asked_ = false;
    return Step::kRow;
  }
  bool done() const { return done_; }
  /// The next row into `columns`; kEnd when there is none. Results live in `results`' arena.
  Step next(ExecContext& ctx, EvalContext& results, Value* columns) {
    if (done_) return Step::kEnd;
    if (rows_ != nullptr) {
      if (position_ == rows_->size()) {
        done_ = true;
        return Step::kEnd;
      }
      const Value* row = rows_->at(position_++);
      std::copy(row, row + rows_->width, columns);
      return Step::kRow;
    }
    results.set_call = &state_;
    results.ascii_letters = ascii_letters_;
    const bool made = function_->set_fn(results, args_.data(), &position_, columns, &done_);
    results.ascii_letters = false;
    if (!made) return ctx.fail(results);
    return done_ ? Step::kEnd : Step::kRow;
  }

 private:
  void ask(const FunctionExpr& call) {
    asked_ = true;
    rows_ = std::make_unique<RoutineRows>();
    rows_->width = std::max<std::size_t>(1, function_->out_types.size());
    call_.function = function_;
    call_.types = call.types;
    call_.args = args_;
    call_.rows = rows_.get();
    call_.arena = &rows_->arena;
    call_.done = false;
  }

  RowMemory memory_;
  SetCallState state_{memory_.arena};
  const FunctionDef* function_ = nullptr;
  bool ascii_letters_ = false;
  std::vector<Value> args_;
  std::uint64_t position_ = 0;
  bool done_ = true;
  // While it starts.
  bool starting_ = false, asked_ = false;
  std::size_t next_arg_ = 0;
  JournaledEval eval_;
  RoutineCall call_;
  std::unique_ptr<RoutineRows> rows_;
};

}  // namespace wandian::sql
