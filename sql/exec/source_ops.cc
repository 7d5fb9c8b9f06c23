// Rows that come from nowhere else: one row, VALUES, functions, system relations, CTEs and working tables.
#include <deque>

#include "engine/array_value.h"
#include "sql/catalog/system_relation.h"
#include "sql/exec/operator.h"
#include "sql/exec/set_function.h"
#include "sql/routine/trigger.h"

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
  void do_restart(ExecContext&) override {
    next_ = column_ = 0;
    eval_.reset();
  }
  Step do_next(ExecContext& ctx) override {
    while (next_ < values_.rows_exprs.size()) {
      const std::vector<PlanExpr>& row = values_.rows_exprs[next_];
      if (column_ == 0) {
        if (ctx.out_of_budget()) return Step::kPause;
        ctx.reset_row(node_.arena);
      }
      for (; column_ < row.size(); ++column_) {
        const Slot slot = values_.slots[column_];
        if (slot == kNoSlot) continue;
        if (!row[column_].waits) [[likely]] {
          if (!ctx.eval(row[column_], node_.arena, &ctx.slots[slot])) return Step::kError;
        } else if (const Step step = eval_.eval(ctx, row[column_], node_.arena, &ctx.slots[slot]); step != Step::kRow) {
          return step;
        }
      }
      ++next_;
      column_ = 0;
      if (const Step step = filtered(ctx, values_.filter); step != Step::kEnd) return step;
    }
    return Step::kEnd;
  }

 private:
  const ValuesNode& values_;
  std::size_t next_ = 0, column_ = 0;   ///< the row and the column that come next
  JournaledEval eval_;
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
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kEnd) return step;
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

// A record's fields, dropped ones left out, in the places of the columns. `fields` says which those are, where it is known.
void spread_record(Value record, std::span<const RecordField> fields, std::span<Value> columns) {
  std::fill(columns.begin(), columns.end(), Value::null());
  if (record.is_null) return;
  const RecordView view(record);
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < view.count() && next < columns.size(); ++i)
    if (fields.empty() ? view.type(i) != kInvalidOid : i < fields.size() && !fields[i].dropped) columns[next++] = view.field(i);
}

class FunctionScanOperator final : public Operator {
 public:
  FunctionScanOperator(const FunctionScanNode& node, const ExecContext& ctx)
      : Operator(node), scan_(node), single_(*ctx.env), singles_(node.functions.size()) {
    for (std::size_t i = 0; i < node.functions.size(); ++i) calls_.emplace_back(ctx);
    row_.resize(node.total_columns + 1u);
  }

 protected:
  void do_restart(ExecContext&) override {
    starting_ = 0;
    number_ = 0;
    eval_.reset();
    for (SetCall& call : calls_) call.reset();
  }
  Step do_next(ExecContext& ctx) override {
    // Everything that may wait comes before the first row.
    for (; starting_ < calls_.size(); ++starting_) {
      const PlanFunction& function = scan_.functions[starting_];
      Step step = Step::kRow;
      if (function.set_call != nullptr) {
        step = calls_[starting_].start(ctx, *function.set_call, function.args);
      } else if (function.value.waits) {
        if (starting_ == 0) single_.arena.reset();
        step = eval_.eval(ctx, function.value, single_, &singles_[starting_]);
      }
      if (step != Step::kRow) return step;
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
          step = calls_[i].next(ctx, ctx.eval(node_.arena), function.of_record ? &record_ : out);
          if (step == Step::kError) return step;
          if (step == Step::kRow && function.of_record) spread_record(record_, function.set_call->fields, std::span(out, function.column_count));
        } else {
          step = number_ == 0 ? Step::kRow : Step::kEnd;
          if (step == Step::kRow && !give_single(ctx, i, out)) return Step::kError;
        }
        if (step == Step::kRow) any = true;
        else std::fill(out, out + function.column_count, Value::null());
      }
      if (!any) return Step::kEnd;
      ++number_;
      if (scan_.ordinality) row_[scan_.total_columns - 1u] = Value::of_int(static_cast<std::int64_t>(number_));
      for (const ScanColumn& c : scan_.columns) ctx.slots[c.slot] = row_[c.column];
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kEnd) return step;
    }
  }

 private:
  // The one row of a function that returns no set: a value, or the fields of a record.
  bool give_single(ExecContext& ctx, std::size_t i, Value* out) {
    const PlanFunction& function = scan_.functions[i];
    Value value = singles_[i];
    if (!function.value.waits && !ctx.eval(function.value, node_.arena, &value)) return false;
    if (function.of_record) spread_record(value, {}, std::span(out, function.column_count));
    else *out = value;
    return true;
  }

  const FunctionScanNode& scan_;
  std::deque<SetCall> calls_;
  std::vector<Value> row_;
  Value record_;
  std::size_t starting_ = 0;
  JournaledEval eval_;
  RowMemory single_;
  std::vector<Value> singles_;
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
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kEnd) return step;
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
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kEnd) return step;
    }
    return Step::kEnd;
  }

 private:
  const WorkScanNode& scan_;
  std::size_t next_ = 0;
};

// The rows stay as long as the execution does.
class TransitionScanOperator final : public Operator {
 public:
  explicit TransitionScanOperator(const TransitionScanNode& node) : Operator(node), scan_(node) {}

 protected:
  void do_restart(ExecContext&) override { next_ = 0; }
  Step do_next(ExecContext& ctx) override {
    if (ctx.env->transitions == nullptr) return ctx.fail(Status(sqlstate::internal_error, "there is no transition table here"));
    const TransitionTable& rows = scan_.new_rows ? *ctx.env->transitions->new_rows : *ctx.env->transitions->old_rows;
    while (next_ < rows.rows.size()) {
      if (ctx.out_of_budget()) return Step::kPause;
      const Value* row = rows.rows[next_++];
      ctx.reset_row(node_.arena);
      for (const ScanColumn& c : scan_.columns) ctx.slots[c.slot] = row[c.column];
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kEnd) return step;
    }
    return Step::kEnd;
  }

 private:
  const TransitionScanNode& scan_;
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
    case NodeType::kTransitionScan: return std::make_unique<TransitionScanOperator>(node.as<TransitionScanNode>());
    default: return nullptr;
  }
}

}  // namespace wandian::sql
