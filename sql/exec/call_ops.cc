// Filters and projections whose expressions call routines: what they compute begins anew after each wait (docs/functions.md).
#include "sql/exec/operator.h"

namespace wandian::sql {

Step JournaledEval::eval(ExecContext& ctx, const PlanExpr& expr, RowMemory& memory, Value* out) {
  EvalContext& eval = memory.eval;
  if (!expr.waits) {
    if (!expr.code.eval(eval, ctx.input, out)) return ctx.fail(eval);
    return Step::kRow;
  }
  if (waiting_) {
    if (!journal_.call().done) {
      ctx.call = &journal_.call();
      return Step::kPause;
    }
    journal_.answer();
    waiting_ = false;
  }
  journal_.rewind();
  eval.journal = &journal_;
  const bool done = expr.code.eval(eval, ctx.input, out);
  eval.journal = nullptr;
  if (done) {
    // The result may point into the journal, or into a row version that a later wait lets go.
    if (!is_by_value(expr.expr->type)) *out = copy_bytes(*out, memory.arena);
    journal_.clear();
    return Step::kRow;
  }
  if (!journal_.asked()) {
    journal_.clear();
    return ctx.fail(eval);
  }
  waiting_ = true;
  ctx.call = &journal_.call();
  return Step::kPause;
}

namespace {

class CallFilterOperator final : public Operator {
 public:
  explicit CallFilterOperator(const FilterNode& node) : Operator(node), filter_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    in_row_ = false;
    eval_.reset();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      if (!in_row_) {
        const Step step = children_[0]->next(ctx);
        if (step != Step::kRow) return step;
        in_row_ = true;
      }
      Value holds;
      if (const Step step = eval_.eval(ctx, filter_.filter, node_.arena, &holds); step != Step::kRow) return step;
      in_row_ = false;
      if (!holds.is_null && holds.as_bool()) return Step::kRow;
      count_filtered(ctx);
      if (ctx.out_of_budget()) return Step::kPause;
    }
  }

 private:
  const FilterNode& filter_;
  JournaledEval eval_;
  bool in_row_ = false;
};

class CallProjectOperator final : public Operator {
 public:
  explicit CallProjectOperator(const ProjectNode& node) : Operator(node), project_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    in_row_ = false;
    eval_.reset();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    if (!in_row_) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      in_row_ = true;
      item_ = 0;
    }
    for (; item_ < project_.items.size(); ++item_) {
      const auto& [expr, slot] = project_.items[item_];
      if (const Step step = eval_.eval(ctx, expr, node_.arena, &ctx.slots[slot]); step != Step::kRow) return step;
      // Later items may wait, and the version that this one points into be gone by then.
      if (!expr.waits && !is_by_value(expr.expr->type)) ctx.slots[slot] = copy_bytes(ctx.slots[slot], ctx.row_memory[node_.arena]->arena);
    }
    in_row_ = false;
    return Step::kRow;
  }

 private:
  const ProjectNode& project_;
  JournaledEval eval_;
  std::size_t item_ = 0;
  bool in_row_ = false;
};

}  // namespace

OperatorPtr make_call_filter(const FilterNode& node) { return std::make_unique<CallFilterOperator>(node); }
OperatorPtr make_call_project(const ProjectNode& node) { return std::make_unique<CallProjectOperator>(node); }

}  // namespace wandian::sql
