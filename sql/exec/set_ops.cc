// Set operations: append, INTERSECT and EXCEPT by hash, and the recursive union of WITH RECURSIVE.
#include "sql/exec/operator.h"

namespace wandian::sql {

namespace {

// Moves an input's columns to the slots that the operation's rows have. Source and destination slots are disjoint.
void map_slots(ExecContext& ctx, const std::vector<Slot>& from, const std::vector<Slot>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) ctx.slots[to[i]] = ctx.slots[from[i]];
}

class AppendOperator final : public Operator {
 public:
  explicit AppendOperator(const AppendNode& node) : Operator(node), append_(node) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    child_ = 0;
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      const Step step = children_[child_]->next(ctx);
      ctx.reset_row(node_.arena);
      if (step == Step::kRow) map_slots(ctx, append_.inputs[child_], append_.outputs);
      if (step != Step::kEnd) return step;
      if (child_ + 1 == children_.size()) return Step::kEnd;
      children_[++child_]->restart(ctx);
    }
  }

 private:
  const AppendNode& append_;
  std::size_t child_ = 0;
};

class SetOperator final : public Operator {
 public:
  SetOperator(const SetOpNode& node, const ExecContext& ctx) : Operator(node), set_(node), memory_(ctx.memory_limit()) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    child_ = 0;
    output_ = 0;
    table_.clear();
    entries_.clear();
    memory_.reset();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    while (child_ < 2) {
      const Step step = children_[child_]->next(ctx);
      if (step == Step::kEnd) {
        if (++child_ < 2) children_[child_]->restart(ctx);
        continue;
      }
      if (step != Step::kRow) return step;
      map_slots(ctx, set_.inputs[child_], set_.outputs);
      count(ctx);
    }
    for (; output_ < entries_.size(); ++output_) {
      if (ctx.out_of_budget()) return Step::kPause;
      ctx.reset_row(node_.arena);
      Entry& entry = *entries_[output_];
      if (entry.left == 0) continue;
      if (set_.all) {
        // As often as PostgreSQL gives it: the lesser count, or the difference.
        std::int64_t wanted = set_.op == SetOp::kIntersect ? std::min(entry.left, entry.right) : entry.left - entry.right;
        if (entry.given >= wanted) continue;
        ++entry.given;
        restore_slots(set_.saved, entry.values(), ctx.slots);
        return Step::kRow;
      }
      if ((entry.right != 0) != (set_.op == SetOp::kIntersect)) continue;
      ++output_;
      restore_slots(set_.saved, entry.values(), ctx.slots);
      return Step::kRow;
    }
    return Step::kEnd;
  }

 private:
  struct Entry {
    std::int64_t left, right, given;
    Value* values() { return reinterpret_cast<Value*>(this + 1); }
  };
  void count(ExecContext& ctx) {
    const std::uint64_t hash = hash_slots(set_.outputs, set_.orders, ctx.slots);
    Entry* entry = table_.find(hash, [&](Entry& kept) { return equal_to_slots(kept.values(), set_.outputs, set_.orders, ctx.slots); });
    if (entry == nullptr) {
      if (child_ == 1) return;   // only on the right: in neither result
      entry = static_cast<Entry*>(memory_.allocate(sizeof(Entry) + set_.saved.slots.size() * sizeof(Value), 8));
      entry->left = entry->right = entry->given = 0;
      save_slots_into(set_.saved, ctx.slots, memory_, entry->values());
      table_.insert(hash, entry);
      entries_.push_back(entry);
    }
    ++(child_ == 0 ? entry->left : entry->right);
  }

  const SetOpNode& set_;
  Arena memory_;
  PartedTable<Entry> table_;
  std::vector<Entry*> entries_;
  std::size_t child_ = 0, output_ = 0;
};

class RecursiveUnionOperator final : public Operator {
 public:
  RecursiveUnionOperator(const RecursiveUnionNode& node, const ExecContext& ctx)
      : Operator(node), union_(node), seen_memory_(ctx.memory_limit()), memory_{Arena(ctx.memory_limit()), Arena(ctx.memory_limit())} {}

 protected:
  void do_restart(ExecContext& ctx) override {
    recursive_ = false;
    seen_.clear();
    seen_memory_.reset();
    next_rows_.clear();
    for (Arena& memory : memory_) memory.reset();
    filling_ = 0;
    ctx.works[union_.work]->rows.clear();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      const Step step = children_[recursive_ ? 1 : 0]->next(ctx);
      if (step == Step::kRow) {
        ctx.reset_row(node_.arena);
        map_slots(ctx, union_.inputs[recursive_ ? 1 : 0], union_.outputs);
        if (!union_.all && !first_time(ctx)) continue;
        next_rows_.push_back(save_slots(union_.saved, ctx.slots, memory_[filling_]));
        return step;
      }
      if (step != Step::kEnd) return step;
      // The rows of this round are the working table of the next one.
      if (next_rows_.empty()) return Step::kEnd;
      recursive_ = true;
      ctx.works[union_.work]->rows = std::move(next_rows_);
      next_rows_.clear();
      filling_ ^= 1;
      memory_[filling_].reset();
      children_[1]->restart(ctx);
    }
  }

 private:
  bool first_time(ExecContext& ctx) {
    const std::uint64_t hash = hash_slots(union_.outputs, union_.orders, ctx.slots);
    if (seen_.find(hash, [&](Value& kept) { return equal_to_slots(&kept, union_.outputs, union_.orders, ctx.slots); }) != nullptr)
      return false;
    seen_.insert(hash, save_slots(union_.saved, ctx.slots, seen_memory_));
    return true;
  }

  const RecursiveUnionNode& union_;
  Arena seen_memory_;
  Arena memory_[2];                     // this round's rows, and those of the one before
  unsigned filling_ = 0;
  PartedTable<Value> seen_;
  std::vector<const Value*> next_rows_;
  bool recursive_ = false;
};

}  // namespace

OperatorPtr make_set_operator(const PlanNode& node, ExecContext& ctx) {
  switch (node.type) {
    case NodeType::kAppend: return std::make_unique<AppendOperator>(node.as<AppendNode>());
    case NodeType::kSetOp: return std::make_unique<SetOperator>(node.as<SetOpNode>(), ctx);
    case NodeType::kRecursiveUnion: return std::make_unique<RecursiveUnionOperator>(node.as<RecursiveUnionNode>(), ctx);
    default: return nullptr;
  }
}

}  // namespace wandian::sql
