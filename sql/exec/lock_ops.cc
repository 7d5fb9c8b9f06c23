// FOR UPDATE and its kin: each row is locked at its owner when it is about to be given out, so that LIMIT and SKIP LOCKED lock only
// what they return. A row that changed while its lock was waited for is looked at again.
#include "sql/exec/operator.h"
#include "sql/exec/table_access.h"

namespace wandian::sql {

namespace {

class LockRowsOperator final : public Operator {
 public:
  explicit LockRowsOperator(const LockRowsNode& node) : Operator(node), locks_(node) {
    for (const PlanRowMark& mark : node.marks) tables_.push_back(mark.table);
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    in_row_ = waiting_ = false;
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      if (!in_row_) {
        const Step step = children_[0]->next(ctx);
        if (step != Step::kRow) return step;
        in_row_ = true;
        changed_ = false;
        mark_ = 0;
      }
      bool dropped = false;
      for (; mark_ < locks_.marks.size(); ++mark_) {
        const PlanRowMark& mark = locks_.marks[mark_];
        if (!waiting_) {
          if (ctx.slots[mark.key_slot].is_null) continue;   // the empty side of an outer join
          Status status;
          if (!start(ctx, mark, &status)) {
            waiting_ = true;
            batches_[0] = batch_.get();
            ctx.wait = ctx.transaction->write(batches_);
            return Step::kPause;
          }
        }
        waiting_ = false;
        RowOp& op = batch_->ops.front();
        if (op.outcome == RowOutcome::kError) return ctx.fail(std::move(op.error));
        if (op.outcome == RowOutcome::kMoved)
          return ctx.fail(Status(sqlstate::serialization_failure, "tuple to be locked was already moved to another partition due to concurrent update"));
        if (op.outcome == RowOutcome::kAbsent || op.outcome == RowOutcome::kSkipped) {
          dropped = true;
          break;
        }
        if (op.changed && op.old_row.data() != nullptr) {
          changed_ = true;
          Arena& arena = ctx.row_memory[node_.arena]->arena;
          const std::string_view row = arena.copy(op.old_row);
          const TableDef& table = *tables_[mark_];
          const PartitionNode* leaf = mark.tree != nullptr ? mark.tree->find(table.oid) : nullptr;
          for (const ScanColumn& c : mark.columns)
            ctx.slots[c.slot] = table.layouts->read(op.old_layout, row.data(), leaf != nullptr ? leaf->columns[c.column] : c.column);
          if (!mark.system.empty()) put_system_columns(mark.system, system_columns_before(*ctx.shard, table, op), ctx.slots);
        }
      }
      in_row_ = false;
      if (dropped) continue;
      if (changed_ && locks_.recheck) {
        bool passes;
        if (!ctx.test(locks_.recheck, node_.arena, &passes)) return Step::kError;
        if (!passes) continue;
      }
      return Step::kRow;
    }
  }

 private:
  // True: the operation is done.
  bool start(ExecContext& ctx, const PlanRowMark& mark, Status* status) {
    batch_ = std::make_unique<RowBatch>();
    RowOp& op = batch_->ops.emplace_back();
    op.kind = RowOp::Kind::kLock;
    op.lock = mark.strength;
    op.wait = mark.wait;
    op.want_old = true;
    // Operations under way name their table by its address: nothing is, here.
    if (mark.tree != nullptr)
      if (const PartitionNode* leaf = mark.tree->find(static_cast<Oid>(ctx.slots[mark.table_slot].i))) tables_[mark_] = leaf->table;
    op.table = &tables_[mark_];
    op.partition = static_cast<PartitionId>(ctx.slots[mark.partition_slot].i);
    const std::string_view key = batch_key_.assign(ctx.slots[mark.key_slot].bytes());
    op.key = {key.data(), static_cast<std::uint32_t>(key.size())};
    return ctx.transaction->try_write(*batch_, status);
  }

  const LockRowsNode& locks_;
  std::vector<std::shared_ptr<const TableDef>> tables_;
  std::unique_ptr<RowBatch> batch_;
  RowBatch* batches_[1] = {};
  std::string batch_key_;
  std::size_t mark_ = 0;
  bool in_row_ = false, waiting_ = false, changed_ = false;
};

}  // namespace

OperatorPtr make_lock_operator(const PlanNode& node, ExecContext&) {
  if (node.type != NodeType::kLockRows) return nullptr;
  return std::make_unique<LockRowsOperator>(node.as<LockRowsNode>());
}

}  // namespace wandian::sql
