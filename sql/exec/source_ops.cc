// Rows that come from nowhere else: one row, VALUES, functions, system relations, CTEs and working tables.
#include <deque>

#include "sql/catalog/system_relation.h"
#include "sql/exec/operator.h"
#include "sql/exec/set_function.h"

namespace wandian::sql {

namespace {

class ResultOperator final : public Operator {
 public:
  explicit ResultOperator(const ResultNode& node) : Operator(node), result_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    ctx.reset_row(node_.arena);
    done_ = false;
  }
  Step do_next(ExecContext& ctx) override {
    if (done_) return Step::kEnd;
    done_ = true;
    if (result_.filter) {
      bool passes;
      if (!ctx.test(result_.filter, node_.arena, &passes)) return Step::kError;
      if (!passes) return Step::kEnd;
    }
    return Step::kRow;
  }

 private:
  const ResultNode& result_;
  bool done_ = false;
};

class ValuesOperator final : public Operator {
 public:
  explicit ValuesOperator(const ValuesNode& node) : Operator(node), values_(node) {}

 protected:
  void do_restart(ExecContext&) override { next_ = 0; }
  Step do_next(ExecContext& ctx) override {
    while (next_ < values_.rows_exprs.size()) {
      if (ctx.out_of_budget()) return Step::kPause;
      ctx.reset_row(node_.arena);
      const std::vector<PlanExpr>& row = values_.rows_exprs[next_++];
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (values_.slots[i] == kNoSlot) continue;
        if (!ctx.eval(row[i], node_.arena, &ctx.slots[values_.slots[i]])) return Step::kError;
      }
      bool passes = true;
      if (values_.filter && !ctx.test(values_.filter, node_.arena, &passes)) return Step::kError;
      if (passes) return Step::kRow;
      count_filtered(ctx);
    }
    return Step::kEnd;
  }

 private:
  const ValuesNode& values_;
  std::size_t next_ = 0;
};

class SystemScanOperator final : public Operator {
 public:
  SystemScanOperator(const SystemScanNode& node, const ExecContext& ctx)
      : Operator(node), scan_(node), memory_(ctx.memory_limit()), rows_{memory_, static_cast<unsigned>(node.relation->columns.size()), {}} {}

 protected:
  void do_restart(ExecContext&) override { next_ = 0; }
  Step do_next(ExecContext& ctx) override {
    if (!produced_) {
      const ExecutionEnv& env = *ctx.env;
      if (env.server == nullptr || env.hooks == nullptr || ctx.shard == nullptr)
        return ctx.fail(Status(sqlstate::feature_not_supported, "system relations cannot be read here"));
      const SystemContext system{*env.server, *ctx.shard, *env.hooks, *env.catalog, env.database};
      if (Status status = scan_.relation->produce(system, rows_); !status.ok()) return ctx.fail(std::move(status));
      produced_ = true;
    }
    const std::size_t width = rows_.columns;
    const std::size_t count = width == 0 ? 0 : rows_.values.size() / width;
    while (next_ < count) {
      if (ctx.out_of_budget()) return Step::kPause;
      ctx.reset_row(node_.arena);
      const Value* row = rows_.values.data() + next_++ * width;
      for (const ScanColumn& c : scan_.columns) ctx.slots[c.slot] = row[c.column];
      bool passes = true;
      if (scan_.filter && !ctx.test(scan_.filter, node_.arena, &passes)) return Step::kError;
      if (passes) return Step::kRow;
      count_filtered(ctx);
    }
    return Step::kEnd;
  }

 private:
  const SystemScanNode& scan_;
  Arena memory_;
  SystemRows rows_;
  bool produced_ = false;
  std::size_t next_ = 0;
};

class FunctionScanOperator final : public Operator {
 public:
  FunctionScanOperator(const FunctionScanNode& node, const ExecContext& ctx) : Operator(node), scan_(node) {
    for (std::size_t i = 0; i < node.functions.size(); ++i) calls_.emplace_back(ctx);
    row_.resize(node.total_columns + 1u);
  }

 protected:
  void do_restart(ExecContext&) override {
    started_ = false;
    number_ = 0;
  }
  Step do_next(ExecContext& ctx) override {
    if (!started_) {
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        const PlanFunction& function = scan_.functions[i];
        if (function.set_call != nullptr && calls_[i].start(ctx, *function.set_call, function.args) == Step::kError)
          return Step::kError;
      }
      started_ = true;
    }
    for (;;) {
      if (ctx.out_of_budget()) return Step::kPause;
      ctx.reset_row(node_.arena);
      bool any = false;
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        const PlanFunction& function = scan_.functions[i];
        Value* out = row_.data() + function.first_column;
        Step step;
        if (function.set_call != nullptr) {
          step = calls_[i].next(ctx, ctx.eval(node_.arena), out);
          if (step == Step::kError) return step;
        } else {
          step = number_ == 0 ? Step::kRow : Step::kEnd;
          if (step == Step::kRow && !ctx.eval(function.value, node_.arena, out)) return Step::kError;
        }
        if (step == Step::kRow) any = true;
        else std::fill(out, out + function.column_count, Value::null());
      }
      if (!any) return Step::kEnd;
      ++number_;
      if (scan_.ordinality) row_[scan_.total_columns - 1u] = Value::of_int(static_cast<std::int64_t>(number_));
      for (const ScanColumn& c : scan_.columns) ctx.slots[c.slot] = row_[c.column];
      bool passes = true;
      if (scan_.filter && !ctx.test(scan_.filter, node_.arena, &passes)) return Step::kError;
      if (passes) return Step::kRow;
      count_filtered(ctx);
    }
  }

 private:
  const FunctionScanNode& scan_;
  std::deque<SetCall> calls_;
  std::vector<Value> row_;
  bool started_ = false;
  std::uint64_t number_ = 0;
};

class CteScanOperator final : public Operator {
 public:
  explicit CteScanOperator(const CteScanNode& node) : Operator(node), scan_(node) {}

 protected:
  void do_restart(ExecContext&) override { next_ = 0; }
  void do_pause(ExecContext& ctx) override {
    CteState& state = *ctx.ctes[scan_.cte];
    if (state.source) state.source->pause(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    CteState& state = *ctx.ctes[scan_.cte];
    for (;;) {
      if (ctx.out_of_budget()) return Step::kPause;
      const Step step = state.fetch(ctx, next_);
      if (step != Step::kRow) return step;
      const Value* row = state.row(next_++);
      ctx.reset_row(node_.arena);
      for (const auto& [position, slot] : scan_.columns) ctx.slots[slot] = row[position];
      bool passes = true;
      if (scan_.filter && !ctx.test(scan_.filter, node_.arena, &passes)) return Step::kError;
      if (passes) return Step::kRow;
      count_filtered(ctx);
    }
  }

 private:
  const CteScanNode& scan_;
  std::size_t next_ = 0;
};

class WorkScanOperator final : public Operator {
 public:
  explicit WorkScanOperator(const WorkScanNode& node) : Operator(node), scan_(node) {}

 protected:
  void do_restart(ExecContext&) override { next_ = 0; }
  Step do_next(ExecContext& ctx) override {
    const WorkTable& work = *ctx.works[scan_.work];
    while (next_ < work.rows.size()) {
      if (ctx.out_of_budget()) return Step::kPause;
      const Value* row = work.rows[next_++];
      ctx.reset_row(node_.arena);
      for (const auto& [position, slot] : scan_.columns) ctx.slots[slot] = row[position];
      bool passes = true;
      if (scan_.filter && !ctx.test(scan_.filter, node_.arena, &passes)) return Step::kError;
      if (passes) return Step::kRow;
      count_filtered(ctx);
    }
    return Step::kEnd;
  }

 private:
  const WorkScanNode& scan_;
  std::size_t next_ = 0;
};

}  // namespace

OperatorPtr make_source_operator(const PlanNode& node, ExecContext& ctx) {
  switch (node.type) {
    case NodeType::kResult: return std::make_unique<ResultOperator>(node.as<ResultNode>());
    case NodeType::kValues: return std::make_unique<ValuesOperator>(node.as<ValuesNode>());
    case NodeType::kSystemScan: return std::make_unique<SystemScanOperator>(node.as<SystemScanNode>(), ctx);
    case NodeType::kFunctionScan: return std::make_unique<FunctionScanOperator>(node.as<FunctionScanNode>(), ctx);
    case NodeType::kCteScan: return std::make_unique<CteScanOperator>(node.as<CteScanNode>());
    case NodeType::kWorkScan: return std::make_unique<WorkScanOperator>(node.as<WorkScanNode>());
    default: return nullptr;
  }
}

}  // namespace wandian::sql
