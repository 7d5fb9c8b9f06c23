// SetCall: one call of a set-returning function being read row by row.
// Thread:  the session's shard.
#pragma once

#include <vector>

#include "sql/exec/operator.h"

namespace wandian::sql {

class SetCall {
 public:
  explicit SetCall(const ExecContext& ctx) : memory_(*ctx.env) {}

  /// Evaluates the arguments. kError, or kRow when next() may be called.
  Step start(ExecContext& ctx, const FunctionExpr& call, std::span<const PlanExpr> args) {
    memory_.arena.reset();
    function_ = call.function;
    position_ = 0;
    args_.resize(args.size());
    done_ = false;
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (!args[i].code.eval(memory_.eval, ctx.input, &args_[i])) return ctx.fail(memory_.eval);
      if (args_[i].is_null && function_->strict) done_ = true;
    }
    // What the arguments point to must outlive the turn, since the function reads them for every row.
    for (std::size_t i = 0; i < args.size(); ++i)
      if (!is_by_value(args[i].expr->type)) args_[i] = copy_bytes(args_[i], memory_.arena);
    return Step::kRow;
  }
  bool done() const { return done_; }
  /// The next row into `columns`; kEnd when there is none. Results live in `results`' arena.
  Step next(ExecContext& ctx, EvalContext& results, Value* columns) {
    if (done_) return Step::kEnd;
    if (!function_->set_fn(results, args_.data(), &position_, columns, &done_)) return ctx.fail(results);
    return done_ ? Step::kEnd : Step::kRow;
  }

 private:
  RowMemory memory_;
  const FunctionDef* function_ = nullptr;
  std::vector<Value> args_;
  std::uint64_t position_ = 0;
  bool done_ = true;
};

}  // namespace wandian::sql
