// ModifyDriver: runs one INSERT, UPDATE or DELETE to its end as a coroutine that suspends only where it has to wait.
// Owns:       the operations under way, the rows of RETURNING, and the keys whose foreign keys are still to be checked.
// Thread:     the session's shard.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "sql/exec/foreign_keys.h"
#include "sql/exec/operator.h"
#include "sql/exec/row_writer.h"
#include "sql/exec/table_access.h"
#include "sql/exec/triggers.h"

namespace wandian::sql {

/// One row to change: `others` are the kept slots of the other tables.
struct Target {
  PartitionId partition = kNoPartition;
  KeyRef key;
  const Value* others = nullptr;
  std::uint32_t action = 0;          ///< MERGE: the action that the statement's snapshot asks for
  const PartitionNode* leaf = nullptr;   ///< of a partitioned table: where the row is
};

/// What becomes of rows once they are locked; evaluated on the session's shard.
class Mutation {
 public:
  virtual ~Mutation() = default;
  enum class Decision : std::uint8_t { kUpdate, kDelete, kSkip };
  bool deletes = false;
  std::vector<std::uint16_t> columns;   ///< that a foreign key's action sets
  /// Of the row that decide() is asked about, then of the one that done() is told of; where the statement reads them.
  SystemColumns system;
  bool key_changes = false;          ///< primary key or placement may change
  /// Of a partitioned table: what the rows are in, and where the one that was written last is now.
  const PartitionNode* leaf = nullptr;
  Oid written_to = 0;
  /// What a column of the statement's table is in the rows' own.
  std::uint16_t at(std::uint16_t column) const { return leaf == nullptr ? column : leaf->columns[column]; }
  bool may_move = true;              ///< to another partition
  bool waits = false;                ///< decide() calls routines: it is begun anew when they have been run
  std::shared_ptr<const TableDef> capture_table;   ///< of a foreign key's action: whose transition tables get the rows; null: the rows' own
  virtual RowLock lock_of(const Target&) const { return deletes || key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate; }
  /// `values` holds the row's columns and is changed in place. *decision is what `deletes` says, and may be changed.
  virtual Status decide(const Target& target, bool changed, std::span<Value> values, Decision* decision) = 0;
  /// The row is not there any more; `by_itself`: this command has written it already.
  virtual Status gone(const Target&, bool /*by_itself*/) { return {}; }
  virtual Status done(const Target& target, std::span<const Value> old_values, std::span<const Value> new_values) = 0;
};

class ModifyDriver {
 public:
  ModifyDriver(ExecContext& ctx, const ModifyPlan& plan, Operator* source);
  ~ModifyDriver();

  /// All rows; finish() is still to come.
  Task<Status> run();
  std::uint64_t processed() const { return processed_; }
  std::size_t returned_rows() const { return returned_count_; }
  std::span<const Value> returned(std::size_t row) const { return {returned_.data() + row * returning_width_, returning_width_}; }

  /// BEFORE STATEMENT triggers; run() does it itself.
  Task<Status> before_statement();
  /// When all rows are written: notes its AFTER STATEMENT triggers, as run() does itself.
  void after_statement();
  /// For COPY and the like: rows of `columns` values each, which are the parameters of the plan's VALUES.
  Task<Status> insert_values(std::span<const Value> values, std::size_t columns);
  /// Checks what is still open: foreign keys. AFTER triggers are fired after the last part of the statement has finished: fire_triggers().
  Task<Status> finish();
  static Task<Status> fire_triggers(ExecContext& ctx);
  /// RETURNING that calls routines or holds sub-selects, of a statement in WITH: the rows that were kept for it become its values.
  Task<Status> compute_returned();
  /// Around the rows that a foreign key's action writes to a table.
  Task<Status> before_action(std::shared_ptr<const TableDef> table, bool deletes, std::span<const std::uint16_t> columns);
  void after_action(const std::shared_ptr<const TableDef>& table, bool deletes, std::span<const std::uint16_t> columns);
  /// Locks the targets, decides, writes, and follows foreign keys. Rows gone meanwhile are skipped; *missing counts them.
  Task<Status> mutate(std::shared_ptr<const TableDef> table, std::span<const Target> targets, Mutation& mutation, unsigned depth,
                      std::uint64_t* missing);
  /// The same for targets of the statement's table, which may be partitioned.
  Task<Status> mutate_targets(std::span<const Target> targets, Mutation& mutation, std::uint64_t* missing);

 private:
  friend class ForeignKeys;
  static constexpr std::size_t kBatchRows = 256;   ///< that are written, or asked of another shard, together
  struct PendingInsert {
    std::shared_ptr<const TableDef> table;
    const PartitionNode* leaf = nullptr;   ///< of a partitioned table
    Value* values = nullptr;         ///< by layout column
    std::string_view row;
    KeyRef key;
    PartitionId partition = kNoPartition;
    RowOp* op = nullptr;
    std::size_t first_global = 0, globals = 0;   ///< in global_ops_
  };
  struct GlobalOp {
    RowOp* op;
    std::size_t index;
  };
  Task<Status> run_insert();
  Task<Status> run_at_owner();
  Step next_target();
  Task<Status> run_locked();
  /// Of a view: its INSTEAD OF triggers get the rows.
  Task<Status> run_instead();
  Task<Status> instead_of_row(Arena& memory);
  Task<Status> run_merge();
  /// The first action for a row, matched or not, whose condition holds in the frame; its number, or the number of actions.
  Status choose_action(bool matched, std::uint32_t* action);
  /// Evaluates what may call routines, while the source is set aside.
  template <class Evaluate>
  Task<Status> await_aside(Evaluate evaluate) {
    set_source_aside();
    WANDIAN_CO_TRY(co_await awaited_.eval(ctx_, *ctx_.row_memory[0], evaluate));
    bring_source_back();
    co_return Status{};
  }
  /// An INSERT of MERGE from the frame, if an action says so.
  Task<Status> merge_unmatched(bool source_is_aside);
  Task<Status> merge_targets(std::vector<Target>& targets);
  Status evaluate_insert(std::span<const ModifyPlan::Set> sets);
  Task<Status> queue_insert();
  Status send_later(PendingInsert& row);
  Task<Status> flush_inserts();
  Status inserted(const PendingInsert& row);
  /// CHECK constraints of an encoded row, those that call routines among them.
  Task<Status> check_constraints(const TableDef& table, std::string_view row);
  /// ON CONFLICT for one row; *retry: the other row is gone, insert again.
  Task<Status> resolve_conflict(const PendingInsert& row, std::size_t index, bool* retry);
  Task<Status> insert_carefully(PendingInsert row);
  bool arbitrates(const PendingInsert& row, std::size_t index) const;
  /// Routes values_ to a partition and puts them into the order of its columns.
  Status route_insert(std::shared_ptr<const TableDef>* table, const PartitionNode** leaf);
  /// After its triggers: whether values_ still belong to the partition that they are inserted into.
  Status check_routed(const TableDef& table, bool routed);
  struct Written {
    const Target* target;
    Value* old_values;
    Value* new_values;
    std::size_t first_op, ops;
    bool deleted;
    std::shared_ptr<const TableDef> moved_to;   ///< another partition
    Value* moved_values;
    const RowOp* lock;
  };
  struct WriteOp {
    RowOp* op;
    int index;                       ///< that a conflict of it means, or -1 for the operation's own
  };
  /// What done() is told of a row that was written.
  SystemColumns system_columns_of(const TableDef& table, const Written& item, std::span<const WriteOp> ops);
  Status queue_delete(RowWriter& writes, const TableDef& table, std::shared_ptr<const TableDef> shared, const Target& target, std::span<const Value> values,
                      std::vector<WriteOp>* ops);
  /// A row that belongs to another partition now: deleted here, inserted there.
  Task<Status> move_row(std::shared_ptr<const TableDef> table, Mutation& mutation, unsigned depth, RowWriter& writes, Written item,
                        std::vector<WriteOp>* ops, std::vector<Written>* written);
  /// What follows once a moved row is written.
  Status moved(const std::shared_ptr<const TableDef>& table, const Written& item, unsigned depth);
  /// Rows for transition tables. `old_values` and `new_values` are by the columns of the table they were written to.
  void capture(const TableDef& table, const Mutation& mutation, unsigned depth, std::uint16_t event, std::span<const Value> old_values,
               std::span<const Value> new_values);
  const PartitionNode* leaf_of_row();
  /// Sub-selects over one row: their values are in their slots then. Those of DO UPDATE read the row, which is locked, so that they hold
  /// when it is changed, and what was to be inserted.
  Task<Status> run_subselects(const PlanNode& node, OperatorPtr& at_work);
  Status find_conflicting(const PendingInsert& row, std::size_t index, ReadView view, KeyBuffer* key, PartitionId* partition, bool* found);
  /// 44000 if a row that was written is not one that its view shows.
  Status check_view(std::span<const ScanColumn> columns, std::span<const Value> values, const PartitionNode* leaf = nullptr);
  Status return_row(std::span<const ScanColumn> columns, std::span<const Value> values, const Value* others, const PartitionNode* leaf = nullptr,
                    Oid table = 0);
  Status raise_conflict(const TableDef& table, std::size_t index, std::span<const Value> values);
  /// Around a batch in the middle of the source: the rows of the batch take its row's place in the frame, and it may have to wait.
  /// Where there is no source there is one row, which fills no batch.
  void set_source_aside();
  void bring_source_back();
  EvalContext& eval() { return ctx_.eval(0); }

  ExecContext& ctx_;
  const ModifyPlan& modify_;
  Operator* source_;
  RowWriter writer_;
  ForeignKeys foreign_keys_;
  std::uint64_t processed_ = 0;
  bool looked_up_ = false;
  std::size_t batch_rows_ = kBatchRows;
  std::size_t returning_width_ = 0, returned_count_ = 0;
  std::vector<Value> returned_;
  Triggers* triggers_ = nullptr;     ///< the statement's; null as long as no table with triggers was written
  Triggers& triggers() { return triggers_ != nullptr ? *triggers_ : *(triggers_ = &Triggers::of(ctx_)); }
  std::vector<std::uint16_t> events_;        ///< TriggerDef::kInsert, ...: what the statement may do to its table
  std::vector<std::uint16_t> set_columns_;   ///< that its UPDATE sets
  std::vector<Value> source_frame_;   ///< while the source is set aside
  std::vector<PendingInsert> inserts_;
  std::vector<Value> values_;
  SystemColumns system_;             ///< of the row that is returned or checked, if anybody reads them
  std::vector<GlobalOp> global_ops_;
  /// Primary keys that ON CONFLICT DO UPDATE has inserted or changed. Owners know it themselves, but where a savepoint stands
  /// around each row: it begins a new command.
  std::unordered_set<std::string> touched_;
  static std::string touched_key(const TableDef& table, KeyRef key) { return std::to_string(table.oid) + ":" + std::string(key.view()); }
  const PartitionNode* last_leaf_ = nullptr;
  PartitionGuard target_guard_;      ///< the statement's table is itself a partition
  DeleteRow delete_row_;
  AwaitedEval awaited_;
  bool captures_ = false;            ///< the statement's table has triggers with transition tables
  OperatorPtr conflict_node_;        ///< made when it is wanted first
  friend class MergeMutation;
};

/// Evaluates WHERE and SET at the row's owner. One a row; frames are shared by the rows of one owner's batch.
class OwnerTransform final : public RowTransform {
 public:
  const ModifyPlan* modify = nullptr;
  const ExecutionEnv* env = nullptr;
  const Value* params = nullptr;
  Value* frame = nullptr;                ///< as wide as the plan's frame; of this batch alone
  const Value* others = nullptr;
  bool deletes = false;
  Verdict apply(const RowView& newest, bool changed, Arena& arena, std::string_view* out, Status* error) override;
};

}  // namespace wandian::sql
