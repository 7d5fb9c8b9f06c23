// Operators that look at one row at a time: filter, projection, set-returning projection, limit, unique, materialize, with.
#include <deque>

#include "sql/exec/operator.h"
#include "engine/array_value.h"
#include "sql/exec/set_function.h"

namespace wandian::sql {

namespace {

class FilterOperator final : public Operator {
 public:
  explicit FilterOperator(const FilterNode& node) : Operator(node), filter_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override { children_[0]->restart(ctx); }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (const Step passed = filtered(ctx, filter_.filter); passed != Step::kEnd) return passed;
    }
  }

 private:
  const FilterNode& filter_;
};

class ProjectOperator final : public Operator {
 public:
  explicit ProjectOperator(const ProjectNode& node) : Operator(node), project_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override { children_[0]->restart(ctx); }
  Step do_next(ExecContext& ctx) override {
    const Step step = children_[0]->next(ctx);
    if (step != Step::kRow) return step;
    for (const auto& [expr, slot] : project_.items)
      if (!ctx.eval(expr, node_.arena, &ctx.slots[slot])) return Step::kError;
    return Step::kRow;
  }

 private:
  const ProjectNode& project_;
};

// The fields of a set-returning function's rows, those of type anyelement as its array argument makes them.
std::vector<Oid> field_types(const FunctionExpr& call) {
  std::vector<Oid> types = call.function->out_types;
  for (Oid& type : types) {
    if (type != type_oid::kAnyElement) continue;
    const TypeInfo* array = call.args.empty() ? nullptr : find_type(call.args[0]->type);
    if (array != nullptr) type = array->element;
  }
  return types;
}

// One column may be all that a record has.
bool gives_record(const FunctionExpr& call) {
  return !call.function->out_types.empty() && (call.type == type_oid::kRecord || type_kind(call.type) == 'c');
}

class ProjectSetOperator final : public Operator {
 public:
  ProjectSetOperator(const ProjectNode& node, const ExecContext& ctx) : Operator(node), project_(node) {
    for (std::size_t i = 0; i < node.sets.size(); ++i) calls_.emplace_back(ctx);
    is_set_.assign(node.items.size(), 0);
    for (const ProjectNode::SetItem& set : node.sets) {
      is_set_[set.item] = 1;
      field_types_.push_back(field_types(*set.call));
    }
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    in_row_ = false;
    starting_ = calls_.size();
    computing_ = false;
    eval_.reset();
    for (SetCall& call : calls_) call.reset();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    if (computing_) return compute_items(ctx);
    for (;;) {
      if (ctx.out_of_budget()) return Step::kPause;
      if (!in_row_) {
        if (starting_ == calls_.size()) {
          const Step step = children_[0]->next(ctx);
          if (step != Step::kRow) return step;
          starting_ = 0;
        }
        for (; starting_ < calls_.size(); ++starting_)
          if (const Step step = calls_[starting_].start(ctx, *project_.sets[starting_].call, project_.sets[starting_].args); step != Step::kRow)
            return step;
        in_row_ = true;
      }
      ctx.reset_row(node_.arena);
      bool any = false;
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        const ProjectNode::SetItem& set = project_.sets[i];
        const std::size_t columns = std::max<std::size_t>(1, field_types_[i].size());
        results_.assign(columns, Value::null());
        const Step step = calls_[i].next(ctx, ctx.eval(node_.arena), results_.data());
        if (step == Step::kError) return step;
        if (step == Step::kRow) any = true;
        Value& out = ctx.slots[project_.items[set.item].second];
        if (step != Step::kRow) out = Value::null();
        else if (columns == 1 && !gives_record(*set.call)) out = results_[0];
        else out = build_record(field_types_[i], results_, ctx.row_memory[node_.arena]->arena);
      }
      if (!any) {
        in_row_ = false;
        continue;
      }
      next_item_ = 0;
      return compute_items(ctx);
    }
  }

 private:
  // The expressions beside the sets; goes on where it had to wait.
  Step compute_items(ExecContext& ctx) {
    computing_ = true;
    for (; next_item_ < project_.items.size(); ++next_item_) {
      if (is_set_[next_item_] != 0) continue;
      const Step step = eval_.eval(ctx, project_.items[next_item_].first, node_.arena, &ctx.slots[project_.items[next_item_].second]);
      if (step != Step::kRow) return step;
    }
    computing_ = false;
    return Step::kRow;
  }

  JournaledEval eval_;
  std::size_t starting_ = 0, next_item_ = 0;
  bool computing_ = false;
  const ProjectNode& project_;
  std::deque<SetCall> calls_;
  std::vector<std::uint8_t> is_set_;
  std::vector<std::vector<Oid>> field_types_;   ///< a set
  std::vector<Value> results_;
  bool in_row_ = false;
};

class LimitOperator final : public Operator {
 public:
  LimitOperator(const LimitNode& node, const ExecContext& ctx) : Operator(node), limit_node_(node), tie_memory_(ctx.memory_limit()) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    started_ = false;
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    if (!started_) {
      if (!start(ctx)) return Step::kError;
      started_ = true;
    }
    for (;;) {
      if (limited_ && given_ >= limit_ && !ties_) return Step::kEnd;
      if (limited_ && limit_ == 0) return Step::kEnd;
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (skipped_ < offset_) {
        ++skipped_;
        continue;
      }
      if (limited_ && given_ >= limit_) {
        // WITH TIES: as long as the sort keys equal those of the last row within the limit.
        if (equal_to_slots(last_.data(), limit_node_.tie_slots.slots, limit_node_.tie_orders, ctx.slots)) return Step::kRow;
        limit_ = given_;
        ties_ = false;
        return Step::kEnd;
      }
      ++given_;
      if (ties_ && given_ == limit_) {
        last_.resize(limit_node_.tie_slots.slots.size());
        save_slots_into(limit_node_.tie_slots, ctx.slots, tie_memory_, last_.data());
      }
      return Step::kRow;
    }
  }

 private:
  bool start(ExecContext& ctx) {
    given_ = skipped_ = offset_ = limit_ = 0;
    limited_ = false;
    ties_ = limit_node_.with_ties;
    tie_memory_.reset();
    Value value;
    if (limit_node_.offset) {
      if (!ctx.eval(limit_node_.offset, node_.arena, &value)) return false;
      if (!value.is_null && value.i < 0) {
        ctx.error = Status(sqlstate::invalid_row_count_in_result_offset_clause, "OFFSET must not be negative");
        return false;
      }
      offset_ = value.is_null ? 0 : value.i;
    }
    if (limit_node_.limit) {
      if (!ctx.eval(limit_node_.limit, node_.arena, &value)) return false;
      if (!value.is_null && value.i < 0) {
        ctx.error = Status(sqlstate::invalid_row_count_in_limit_clause, "LIMIT must not be negative");
        return false;
      }
      limited_ = !value.is_null;
      limit_ = value.is_null ? 0 : value.i;
    }
    return true;
  }

  const LimitNode& limit_node_;
  Arena tie_memory_;
  std::vector<Value> last_;
  std::int64_t given_ = 0, skipped_ = 0, offset_ = 0, limit_ = 0;
  bool started_ = false, limited_ = false, ties_ = false;
};

class UniqueOperator final : public Operator {
 public:
  UniqueOperator(const UniqueNode& node, const ExecContext& ctx)
      : Operator(node), unique_(node), memory_(ctx.memory_limit()), last_(node.keys.slots.size()) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    has_last_ = false;
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (has_last_ && equal_to_slots(last_.data(), unique_.keys.slots, unique_.orders, ctx.slots)) continue;
      has_last_ = true;
      memory_.reset();
      save_slots_into(unique_.keys, ctx.slots, memory_, last_.data());
      return Step::kRow;
    }
  }

 private:
  const UniqueNode& unique_;
  Arena memory_;
  std::vector<Value> last_;
  bool has_last_ = false;
};

class MaterializeOperator final : public Operator {
 public:
  MaterializeOperator(const MaterializeNode& node, const ExecContext& ctx)
      : Operator(node), materialize_(node), rows_(node.saved, ctx.memory_limit()) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    next_ = 0;
    if (started_ && keeps_result()) return;
    started_ = true;
    complete_ = false;
    rows_.clear();
    children_[0]->restart(ctx);
  }
  void do_rewind(ExecContext&) override { next_ = 0; }   // further rows come from where the child stands
  Step do_next(ExecContext& ctx) override {
    ctx.reset_row(node_.arena);
    if (next_ < rows_.size()) {
      if (ctx.out_of_budget()) return Step::kPause;
      restore_slots(materialize_.saved, rows_.at(next_++), ctx.slots);
      return Step::kRow;
    }
    if (complete_) return Step::kEnd;
    const Step step = children_[0]->next(ctx);
    if (step == Step::kEnd) complete_ = true;
    if (step == Step::kRow) {
      rows_.add(ctx.slots);
      ++next_;
    }
    return step;
  }

 private:
  const MaterializeNode& materialize_;
  RowStore rows_;
  std::size_t next_ = 0;
  bool started_ = false, complete_ = false;
};

class WithOperator final : public Operator {
 public:
  explicit WithOperator(const WithNode& node) : Operator(node), with_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    for (const std::uint32_t cte : with_.ctes) ctx.ctes[cte]->reset();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override { return children_[0]->next(ctx); }

 private:
  const WithNode& with_;
};

}  // namespace

OperatorPtr make_row_operator(const PlanNode& node, ExecContext& ctx) {
  switch (node.type) {
    case NodeType::kFilter:
      if (node.as<FilterNode>().filter.waits) return make_call_filter(node.as<FilterNode>());
      return std::make_unique<FilterOperator>(node.as<FilterNode>());
    case NodeType::kProject:
      for (const auto& [expr, slot] : node.as<ProjectNode>().items)
        if (expr.waits) return make_call_project(node.as<ProjectNode>());
      return std::make_unique<ProjectOperator>(node.as<ProjectNode>());
    case NodeType::kProjectSet: return std::make_unique<ProjectSetOperator>(node.as<ProjectNode>(), ctx);
    case NodeType::kLimit: return std::make_unique<LimitOperator>(node.as<LimitNode>(), ctx);
    case NodeType::kUnique: return std::make_unique<UniqueOperator>(node.as<UniqueNode>(), ctx);
    case NodeType::kMaterialize: return std::make_unique<MaterializeOperator>(node.as<MaterializeNode>(), ctx);
    case NodeType::kWith: return std::make_unique<WithOperator>(node.as<WithNode>());
    default: return nullptr;
  }
}

}  // namespace wandian::sql
