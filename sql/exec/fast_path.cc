// Statements of one row by its key, without operators and, when warm, without the heap: the key is made from parameters, the row is
// read or written where it is, and columns are read straight into the result.
#include <new>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/exec/execution.h"
#include "sql/exec/modify.h"
#include "sql/exec/table_access.h"

namespace wandian::sql {

namespace {

// A batch of one operation, kept from statement to statement: its arena and queue keep their first block.
RowBatch& warm_batch() {
  thread_local RowBatch batch;
  batch.ops.clear();
  batch.arena.reset();
  batch.redo.clear();
  batch.floor = 0;
  batch.next = 0;
  return batch;
}

class FastRun {
 public:
  FastRun(const Plan& plan, const ExecutionEnv& env, std::span<const Value> params, Arena& arena, RowReceiver& receiver,
          std::uint64_t* processed, Status* status)
      : plan_(plan),
        body_(*plan.body),
        env_(env),
        table_(*plan.body->fast.table),
        arena_(arena),
        receiver_(receiver),
        processed_(processed),
        status_(status),
        eval_{arena, *env.format, env.hooks, env.statement_timestamp, env.transaction_timestamp, {}} {
    slots_ = arena.allocate_array<Value>(body_.slots.size() + 1);
    for (std::size_t i = 0; i < body_.slots.size(); ++i) slots_[i] = Value::null();
    input_.columns = slots_;
    input_.params = params.data();
  }

  bool run() {
    switch (plan_.kind) {
      case PlanKind::kSelect: return select();
      case PlanKind::kInsert: return insert();
      default: return modify();
    }
  }

 private:
  bool fail(Status status) {
    *status_ = std::move(status);
    return true;
  }
  // False: the statement failed, or no row can have such a key (*empty).
  bool make_key(bool* empty) {
    const FastPath& fast = body_.fast;
    const KeyCodec& codec = table_.codecs[0];
    Value* values = arena_.allocate_array<Value>(fast.key.size());
    *empty = false;
    for (std::size_t i = 0; i < fast.key.size(); ++i) {
      if (!fast.key[i].code.eval(eval_, input_, &values[i])) {
        *status_ = std::move(eval_.error);
        return false;
      }
      if (values[i].is_null || !codec.fits(static_cast<unsigned>(i), values[i])) {
        *empty = true;
        return false;
      }
    }
    codec.encode({values, fast.key.size()}, key_);
    partition_ = locate_key(*env_.shard, table_, key_, {values, fast.key.size()});
    return true;
  }

  bool select() {
    const FastPath& fast = body_.fast;
    bool empty;
    if (!make_key(&empty)) return true;
    if (partition_ == kNoPartition) return false;
    ReadView& view = env_.transaction->view();
    RowView row;
    const bool found = find_row(table_, partition_, key_, view, &row);
    env_.transaction->raise_answer_floor(view.floor);
    if (!found) return true;
    const LayoutSet& layouts = *table_.layouts;
    const ScanNode& scan = *fast.scan;
    for (const ScanColumn& c : scan.filter_columns) slots_[c.slot] = layouts.read(row.layout, row.row, c.column);
    if (scan.filter) {
      bool passes;
      if (!scan.filter.code.test(eval_, input_, &passes)) return fail(std::move(eval_.error));
      if (!passes) return true;
    }
    for (const ScanColumn& c : scan.columns) slots_[c.slot] = layouts.read(row.layout, row.row, c.column);
    Value* out = arena_.allocate_array<Value>(fast.outputs.size() + 1);
    for (std::size_t i = 0; i < fast.outputs.size(); ++i) {
      if (fast.output_columns[i] >= 0) out[i] = slots_[body_.outputs[i]];
      else if (!fast.outputs[i].code.eval(eval_, input_, &out[i])) return fail(std::move(eval_.error));
    }
    *processed_ = 1;
    if (Status status = receiver_.row({out, fast.outputs.size()}); !status.ok()) return fail(std::move(status));
    return true;
  }

  bool return_row(std::span<const ScanColumn> columns, std::uint16_t layout, const char* row) {
    const ModifyPlan& modify = *body_.modify;
    if (modify.returning.empty()) return true;
    for (const ScanColumn& c : columns) slots_[c.slot] = table_.layouts->read(layout, row, c.column);
    Value* out = arena_.allocate_array<Value>(modify.returning.size());
    for (std::size_t i = 0; i < modify.returning.size(); ++i)
      if (!modify.returning[i].code.eval(eval_, input_, &out[i])) return fail(std::move(eval_.error));
    if (Status status = receiver_.row({out, modify.returning.size()}); !status.ok()) return fail(std::move(status));
    return true;
  }

  // The operation has to wait: it goes on in a coroutine elsewhere, so nothing may have been done here.
  bool modify() {
    const ModifyPlan& modify = *body_.modify;
    const bool deletes = plan_.kind == PlanKind::kDelete;
    bool empty;
    if (!make_key(&empty)) return true;
    Transaction& transaction = *env_.transaction;
    if (partition_ == kNoPartition || !transaction.owned_here(partition_)) return false;
    const ScanNode& scan = *body_.fast.scan;
    // Other conditions are looked at in the row that the view sees, as a scan would.
    ReadView& view = transaction.view();
    RowView row;
    const bool found = find_row(table_, partition_, key_, view, &row);
    transaction.raise_answer_floor(view.floor);
    if (!found) return true;
    if (scan.filter) {
      for (const ScanColumn& c : scan.filter_columns) slots_[c.slot] = table_.layouts->read(row.layout, row.row, c.column);
      bool passes;
      if (!scan.filter.code.test(eval_, input_, &passes)) return fail(std::move(eval_.error));
      if (!passes) return true;
    }
    if (held_by_other(row)) return false;
    RowBatch& batch = warm_batch();
    RowOp& op = batch.ops.emplace_back();
    std::shared_ptr<const TableDef> table = body_.fast.table;
    op.table = &table;
    op.partition = partition_;
    op.key = key_;
    op.wait = LockWait::kNoWait;
    op.lock = deletes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
    op.want_new = !deletes && !modify.returning.empty();
    op.want_old = deletes && !modify.returning.empty();
    OwnerTransform transform;
    transform.modify = &modify;
    transform.env = &env_;
    transform.params = input_.params;
    transform.frame = slots_;
    transform.deletes = deletes;
    op.transform = &transform;
    Status status;
    if (!transaction.try_write(batch, &status)) DB_ASSERT(false);   // never waits, and its owner is here
    if (op.outcome == RowOutcome::kError && op.error.code() == sqlstate::lock_not_available) return false;
    if (!status.ok()) return fail(std::move(status));
    switch (op.outcome) {
      case RowOutcome::kUpdated:
        *processed_ = 1;
        return return_row(modify.target_columns, table_.layouts->newest_id(), op.new_row.data());
      case RowOutcome::kDeleted:
        *processed_ = 1;
        return return_row(modify.target_columns, op.old_layout, op.old_row.data());
      case RowOutcome::kConflict: {
        std::vector<Value> values(table_.layout_columns());
        table_.layouts->read_all(table_.layouts->newest_id(), op.new_row.data(), values);
        return fail(unique_violation(*env_.catalog, table_, static_cast<std::size_t>(op.conflict_index), values, eval_));
      }
      case RowOutcome::kMoved:
        return fail(Status(sqlstate::serialization_failure, "tuple to be locked was already moved to another partition due to concurrent update"));
      default: return true;
    }
  }
  bool held_by_other(const RowView& row) const {
    const Version* head = row.anchor->head.load(std::memory_order_acquire);
    const std::uint64_t stamp = head->stamp.load(std::memory_order_acquire);
    if ((stamp & kStampActive) == 0) return false;
    const TxnDescriptor* descriptor = stamp_descriptor(stamp);
    return descriptor != env_.transaction->view().own && descriptor->state.load(std::memory_order_acquire) == TxnDescriptor::kActive;
  }

  bool insert() {
    const ModifyPlan& modify = *body_.modify;
    const std::size_t width = table_.layout_columns();
    Transaction& transaction = *env_.transaction;
    Value* values = arena_.allocate_array<Value>(width);
    for (std::size_t i = 0; i < width; ++i) values[i] = Value::null();
    for (const ModifyPlan::Set& set : modify.sets)
      if (!set.value.code.eval(eval_, input_, &values[set.column])) return fail(std::move(eval_.error));
    if (table_.hidden_row_number) values[table_.columns.size()] = Value::of_int(new_row_number(*env_.shard, table_));
    if (table_.generator != nullptr) [[unlikely]] {
      if (Status status = table_.generator->generate({values, width}, arena_); !status.ok()) return fail(std::move(status));
    }
    if (Status status = check_not_null(table_, {values, width}, eval_); !status.ok()) return fail(std::move(status));
    Result<PartitionId> place = place_row(env_.shard->database().placement(), table_, *env_.catalog, {values, width}, true);
    if (!place.ok()) return fail(place.take_status());
    partition_ = place.value();
    if (partition_ == kNoPartition || !transaction.owned_here(partition_)) return false;
    std::string_view row;
    if (Status status = encode_row(table_, {values, width}, arena_, &row); !status.ok()) return fail(std::move(status));
    if (Status status = check_row(table_, row.data(), eval_); !status.ok()) return fail(std::move(status));
    RowBatch& batch = warm_batch();
    RowOp& op = batch.ops.emplace_back();
    std::shared_ptr<const TableDef> table = body_.fast.table;
    op.kind = RowOp::Kind::kInsert;
    op.wait = LockWait::kNoWait;
    op.table = &table;
    op.partition = partition_;
    op.key = key_of(table_, 0, {values, width}, arena_);
    op.row = row;
    Status status;
    if (!transaction.try_write(batch, &status)) DB_ASSERT(false);
    if (op.outcome == RowOutcome::kError && op.error.code() == sqlstate::lock_not_available) return false;
    if (!status.ok()) return fail(std::move(status));
    if (op.outcome == RowOutcome::kConflict)
      return fail(unique_violation(*env_.catalog, table_, static_cast<std::size_t>(op.conflict_index), {values, width}, eval_));
    if (op.outcome != RowOutcome::kInserted) return fail(Status(sqlstate::serialization_failure, "the row's place changed due to concurrent update"));
    *processed_ = 1;
    return return_row(modify.returning_columns, table_.layouts->newest_id(), row.data());
  }

  const Plan& plan_;
  const PlanBody& body_;
  const ExecutionEnv& env_;
  const TableDef& table_;
  Arena& arena_;
  RowReceiver& receiver_;
  std::uint64_t* processed_;
  Status* status_;
  EvalContext eval_;
  ExprInput input_;
  Value* slots_;
  KeyBuffer key_;
  PartitionId partition_ = kNoPartition;
};

}  // namespace

bool run_fast(const Plan& plan, const ExecutionEnv& env, std::span<const Value> params, Arena& arena, RowReceiver& receiver,
              std::uint64_t* processed, Status* status) {
  if (!plan.body->fast.possible) return false;
  *processed = 0;
  *status = {};
  try {
    return FastRun(plan, env, params, arena, receiver, processed, status).run();
  } catch (const std::bad_alloc&) {
    *status = Status(sqlstate::out_of_memory, "out of memory");
    return true;
  }
}

}  // namespace wandian::sql
