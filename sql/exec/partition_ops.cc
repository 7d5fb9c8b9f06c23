// The partitions of a table, read one after the other; those that the parameters rule out are not opened.
#include "sql/exec/operator.h"
#include "sql/exec/partition_pruning.h"

namespace wandian::sql {

namespace {

class PartitionsOperator final : public Operator {
 public:
  explicit PartitionsOperator(const PartitionsNode& node) : Operator(node), partitions_(node) {}

 protected:
  void do_restart(ExecContext&) override {
    prepared_ = false;
    at_ = 0;
  }
  Step do_next(ExecContext& ctx) override {
    if (!prepared_ && !prepare(ctx)) return Step::kError;
    while (at_ < chosen_.size()) {
      const std::size_t child = chosen_[at_];
      if (partitions_.table_slot != kNoSlot) ctx.slots[partitions_.table_slot] = Value::of_int(partitions_.tables[child]);
      const Step step = children_[child]->next(ctx);
      if (step != Step::kEnd) return step;
      if (++at_ < chosen_.size()) start(ctx);
    }
    return Step::kEnd;
  }

 private:
  void start(ExecContext& ctx) {
    OperatorPtr& child = children_[chosen_[at_]];
    if (child == nullptr) child = make_operator(*node_.children[chosen_[at_]], ctx);
    child->restart(ctx);
  }
  bool prepare(ExecContext& ctx) {
    prepared_ = true;
    chosen_.clear();
    ctx.reset_row(node_.arena);
    if (partitions_.level == nullptr) {
      for (std::size_t i = 0; i < children_.size(); ++i) chosen_.push_back(i);
    } else {
      may_.assign(children_.size(), false);
      if (!choose(ctx, *partitions_.level)) return false;
      for (std::size_t i = 0; i < may_.size(); ++i)
        if (may_[i]) chosen_.push_back(i);
    }
    if (!chosen_.empty()) start(ctx);
    return true;
  }
  bool choose(ExecContext& ctx, const PartitionLevel& level) {
    bool failed = false;
    const std::vector<bool> may = prune(*level.partitioning, level.filter, [&](const PartitionCondition& condition, PartitionTerm* term) {
      if (!condition.value) return true;
      Value value;
      if (failed || !ctx.eval(condition.value, node_.arena, &value)) {
        failed = true;
        return false;
      }
      return add_term_values(condition, value, term);
    });
    if (failed) return false;
    for (std::size_t i = 0; i < may.size(); ++i) {
      if (!may[i]) continue;
      if (level.levels[i] != nullptr) {
        if (!choose(ctx, *level.levels[i])) return false;
      } else if (level.scans[i] >= 0) {
        may_[static_cast<std::size_t>(level.scans[i])] = true;
      }
    }
    return true;
  }

  const PartitionsNode& partitions_;
  bool prepared_ = false;
  std::size_t at_ = 0;
  std::vector<bool> may_;
  std::vector<std::size_t> chosen_;
};

}  // namespace

OperatorPtr make_partitions_operator(const PlanNode& node, ExecContext&) {
  if (node.type != NodeType::kPartitions) return nullptr;
  return std::make_unique<PartitionsOperator>(node.as<PartitionsNode>());
}

}  // namespace wandian::sql
