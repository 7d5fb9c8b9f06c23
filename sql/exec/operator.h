// Operator: one node of a plan at work, as a state machine that can stop after any row.
// Owns:       its state and what it keeps; the current row is in the frame's slots.
// Thread:     the session's shard.
// Invariants: after kPause the driver calls pause() on the tree before the turn ends and next() again in a later turn. A row
//             is good until the operator's next next() or restart().
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/shard.h"
#include "engine/transaction.h"
#include "sql/co_try.h"
#include "sql/expr/call_journal.h"
#include "sql/exec/execution.h"
#include "sql/expr/expression.h"
#include "sql/plan/nodes.h"

namespace wandian::sql {

enum class Step : std::uint8_t { kRow, kEnd, kPause, kError };

/// Memory for the results of expressions of one row, and the context they are evaluated in.
struct RowMemory {
  Arena arena;
  EvalContext eval;
  explicit RowMemory(const ExecutionEnv& env)
      : eval{arena, *env.format, env.hooks, env.statement_timestamp, env.transaction_timestamp, {}} {}
};

struct CteState;
struct WorkTable;
class SubselectRunner;
class ModifyDriver;
class Operator;
class Triggers;

struct NodeStats {
  std::uint64_t rows = 0, loops = 0;
  std::int64_t nanoseconds = 0, first_nanoseconds = 0;
  std::uint64_t filtered = 0;
};

/// Where a cursor stands, for WHERE CURRENT OF: the row that its one scan has given last.
struct CursorPosition {
  const PlanNode* scan = nullptr;              ///< a scan, or the partitions of a table
  Oid table = 0;                               ///< that the row is in
  PartitionId partition = kNoPartition;
  std::string key;
  bool is_of(const PlanNode& node) const {
    return scan == &node || (scan->type == NodeType::kPartitions &&
                             std::any_of(scan->children.begin(), scan->children.end(), [&](const NodePtr& child) { return child.get() == &node; }));
  }
};

struct ExecContext {
  const PlanBody* body = nullptr;
  const ExecutionEnv* env = nullptr;
  Shard* shard = nullptr;
  Transaction* transaction = nullptr;
  ReadView view;
  Value* slots = nullptr;
  const Value* params = nullptr;
  ExprInput input;
  std::vector<std::unique_ptr<RowMemory>> row_memory;
  std::vector<std::unique_ptr<CteState>> ctes;
  std::vector<std::unique_ptr<WorkTable>> works;
  std::vector<std::unique_ptr<SubselectRunner>> inits;   ///< of PlanBody::init_plans
  std::vector<NodeStats> stats;                ///< empty unless instrumented
  std::vector<ModifyDriver*> written;          ///< that have run, in that order: foreign keys are checked at the statement's end
  std::shared_ptr<Triggers> triggers;          ///< of the tables that the statement writes; null until one has some (Triggers::of())
  Arena statement{};                           ///< lives as long as the execution
  Status error;
  /// Set with kPause when something else than the next turn is waited for.
  Task<Status> wait;
  /// The same for a routine that must be run; its `done` says that it has been.
  RoutineCall* call = nullptr;
  std::coroutine_handle<> call_waiter;         ///< the coroutine that waits for `call`, if it is one
  bool driven = false;                         ///< Execution::run() is under way
  std::unique_ptr<CursorPosition> position;    ///< null: nobody will ask

  EvalContext& eval(std::uint32_t arena) { return row_memory[arena]->eval; }
  void reset_row(std::uint32_t arena) { row_memory[arena]->arena.reset(); }
  /// Before the turn ends: what the view sees must be kept. Undone by ~ExecContext.
  void hold_snapshot() {
    if (held_ || shard == nullptr || transaction == nullptr) return;
    shard->hold_snapshot(view.snapshot);
    held_ = true;
  }
  ExecContext() = default;
  ExecContext(const ExecContext&) = delete;
  ExecContext& operator=(const ExecContext&) = delete;
  ~ExecContext() {
    if (held_) shard->release_snapshot(view.snapshot);
  }

  Status cancelled() const { return env->cancelled == nullptr || env->cancelled->ok() ? Status{} : env->cancelled->clone(); }
  /// For coroutines: runs `wanted` to its end.
  Task<Status> run_call(RoutineCall& wanted);
  /// The rest in another turn. Not ok: the statement was cancelled meanwhile.
  Task<Status> next_share();
  /// After kPause of `source` (may be null), or where the share is used up: waits for what it waits for, or for the next share.
  Task<Status> pause(Operator* source);

  std::size_t memory_limit() const { return env->memory_limit_bytes; }
  /// A new turn, or a new call: the statement may hold the shard for another share.
  void begin_share() {
    checks_ = 0;
    if (shard != nullptr) shard->start_budget();
  }
  bool out_of_budget() {
    if (env->checks_per_share != 0) [[unlikely]] return ++checks_ >= env->checks_per_share;
    return shard != nullptr && shard->out_of_budget();
  }

  Step fail(Status status) {
    error = std::move(status);
    return Step::kError;
  }
  Step fail(EvalContext& eval) { return fail(std::move(eval.error)); }

  bool eval(const PlanExpr& expr, std::uint32_t arena, Value* out) {
    EvalContext& context = eval(arena);
    if (expr.code.eval(context, input, out)) [[likely]] return true;
    error = std::move(context.error);
    return false;
  }
  bool test(const PlanExpr& expr, std::uint32_t arena, bool* passes) {
    EvalContext& context = eval(arena);
    if (expr.code.test(context, input, passes)) [[likely]] return true;
    error = std::move(context.error);
    return false;
  }

 private:
  bool held_ = false;
  std::uint32_t checks_ = 0;
};

class Operator {
 public:
  explicit Operator(const PlanNode& node) : node_(node) {}
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  Step next(ExecContext& ctx) {
    secured_ = false;
    const Step step = ctx.stats.empty() ? do_next(ctx) : timed_next(ctx);
    live_ = step == Step::kRow;
    ended_ = step == Step::kEnd;
    return step;
  }
  /// From the start; slots that the subtree reads from outside may have changed. Also called before the first next().
  void restart(ExecContext& ctx) {
    live_ = ended_ = false;
    if (!ctx.stats.empty()) ++ctx.stats[node_.id].loops;
    do_restart(ctx);
  }
  /// The same, when no slot that the subtree reads from outside has changed since restart(): what was kept is right still.
  void rewind(ExecContext& ctx) {
    live_ = ended_ = false;
    if (!ctx.stats.empty()) ++ctx.stats[node_.id].loops;
    do_rewind(ctx);
  }
  /// Gives pointers into row versions up: the current row's values are copied. Not `standing`: whoever reads the subtree has read it to
  /// its end, and may have rows of its own in the same slots.
  void pause(ExecContext& ctx, bool standing = true);

  const PlanNode& node() const { return node_; }
  std::vector<std::unique_ptr<Operator>>& children() { return children_; }

 protected:
  virtual Step do_next(ExecContext& ctx) = 0;
  virtual void do_restart(ExecContext& ctx) = 0;
  /// Scans give cursors up here.
  virtual void do_rewind(ExecContext& ctx) { do_restart(ctx); }
  virtual void do_pause(ExecContext&) {}
  /// After the children's pause, which may have put other rows of theirs into the frame.
  virtual void after_pause(ExecContext&) {}
  /// Whether what was kept at the last run is still right for a restart.
  bool keeps_result() const { return node_.free_slots.empty(); }
  void count_filtered(ExecContext& ctx) {
    if (!ctx.stats.empty()) [[unlikely]] ++ctx.stats[node_.id].filtered;
  }
  /// Of the row in the frame: kRow if it passes the filter, which may be none; kEnd if it does not, which is counted.
  Step filtered(ExecContext& ctx, const PlanExpr& filter) {
    bool passes = true;
    if (filter && !ctx.test(filter, node_.arena, &passes)) return Step::kError;
    if (passes) return Step::kRow;
    count_filtered(ctx);
    return Step::kEnd;
  }

  const PlanNode& node_;
  std::vector<std::unique_ptr<Operator>> children_;

 private:
  Step timed_next(ExecContext& ctx);
  bool live_ = false;      ///< the last next() answered kRow
  bool ended_ = false;     ///< ... or kEnd
  bool secured_ = false;   ///< ... and its values have been copied since
};
using OperatorPtr = std::unique_ptr<Operator>;

OperatorPtr make_operator(const PlanNode& node, ExecContext& ctx);

// ---- Kept rows ----

/// A copy of the saved slots: one Value each, with the bytes behind them in the same arena.
Value* save_slots(const SavedSlots& saved, const Value* frame, Arena& arena);
/// The same into memory for saved.slots.size() values.
void save_slots_into(const SavedSlots& saved, const Value* frame, Arena& arena, Value* out);
inline void restore_slots(const SavedSlots& saved, const Value* row, Value* frame) {
  const std::size_t count = saved.slots.size();
  for (std::size_t i = 0; i < count; ++i) frame[saved.slots[i]] = row[i];
}
inline Value copy_bytes(const Value& value, Arena& arena) {
  if (value.is_null) return value;
  return Value::of_bytes(arena.copy(value.bytes()));
}

/// Rows kept in order, found by number.
class RowStore {
 public:
  RowStore(const SavedSlots& saved, std::size_t limit) : saved_(saved), arena_(limit) {}
  void add(const Value* frame) { rows_.push_back(save_slots(saved_, frame, arena_)); }
  std::size_t size() const { return rows_.size(); }
  const Value* at(std::size_t i) const { return rows_[i]; }
  void clear() {
    rows_.clear();
    arena_.reset();
  }
  void swap(RowStore& other) = delete;

 private:
  const SavedSlots& saved_;
  Arena arena_;
  std::vector<Value*> rows_;
};

/// Rows of a CTE, read from its plan as far as any scan has asked. One that writes runs to its end when it is first asked.
struct CteState {
  CteState(const PlanCte& plan, std::size_t limit);
  ~CteState();
  const PlanCte& cte;
  RowStore rows;
  OperatorPtr source;
  std::unique_ptr<ModifyDriver> writer;
  bool started = false, done = false;
  /// kRow: row(wanted) is there.
  Step fetch(ExecContext& ctx, std::size_t wanted);
  const Value* row(std::size_t i) const;
  /// Of one that writes: all of it, unless it has been done.
  Task<Status> write(ExecContext& ctx);
  void reset() {
    rows.clear();
    started = done = false;
  }
};

/// A call that may have to be evaluated again: everything that `evaluate` computes in `memory` is answered from a journal, and begun
/// anew whenever a routine has been run. What it gives may point into the journal, which lives until the next call of eval().
class AwaitedEval {
 public:
  template <class Evaluate>
  Task<Status> eval(ExecContext& ctx, RowMemory& memory, Evaluate evaluate) {
    journal_.clear();
    for (;;) {
      journal_.rewind();
      memory.eval.journal = &journal_;
      Status status = evaluate();
      memory.eval.journal = nullptr;
      if (!journal_.asked()) co_return std::move(status);
      WANDIAN_CO_TRY(co_await ctx.run_call(journal_.call()));
      journal_.answer();
    }
  }

 private:
  CallJournal journal_;
};

/// The rows that the recursive term of a WITH RECURSIVE reads in this round.
struct WorkTable {
  std::vector<const Value*> rows;
};

std::uint64_t hash_int(std::uint64_t v);
/// Hash of several values; nulls are equal to each other.
std::uint64_t hash_slots(std::span<const Slot> slots, std::span<const Order> orders, const Value* frame);
/// Whether the kept values equal those in the slots; null equals null.
bool equal_to_slots(const Value* kept, std::span<const Slot> slots, std::span<const Order> orders, const Value* frame);
int compare_sort_values(const SortSlot& key, const Value& a, const Value& b);

// Families of operators, each in its own file; null if the node is not theirs.
OperatorPtr make_scan_operator(const PlanNode& node, ExecContext& ctx);        // scan_ops.cc
OperatorPtr make_partitions_operator(const PlanNode& node, ExecContext& ctx);  // partition_ops.cc
OperatorPtr make_source_operator(const PlanNode& node, ExecContext& ctx);      // source_ops.cc
OperatorPtr make_row_operator(const PlanNode& node, ExecContext& ctx);         // row_ops.cc
OperatorPtr make_join_operator(const PlanNode& node, ExecContext& ctx);        // join_ops.cc
OperatorPtr make_sort_operator(const PlanNode& node, ExecContext& ctx);        // sort_ops.cc
OperatorPtr make_aggregate_operator(const PlanNode& node, ExecContext& ctx);   // aggregate_ops.cc
OperatorPtr make_window_operator(const PlanNode& node, ExecContext& ctx);      // window_ops.cc
OperatorPtr make_set_operator(const PlanNode& node, ExecContext& ctx);         // set_ops.cc
OperatorPtr make_apply_operator(const PlanNode& node, ExecContext& ctx);       // apply_ops.cc
OperatorPtr make_lock_operator(const PlanNode& node, ExecContext& ctx);        // lock_ops.cc

/// Evaluates expressions that may call routines, one after the other.
class JournaledEval {
 public:
  /// kRow: *out is there, its bytes in the row's arena. kPause: ctx.call must be run first, then the same again.
  Step eval(ExecContext& ctx, const PlanExpr& expr, std::uint32_t arena, Value* out) { return eval(ctx, expr, *ctx.row_memory[arena], out); }
  Step eval(ExecContext& ctx, const PlanExpr& expr, RowMemory& memory, Value* out);
  /// Forgets an evaluation that was not finished.
  void reset() {
    journal_.clear();
    waiting_ = false;
  }

 private:
  CallJournal journal_;
  bool waiting_ = false;
};

OperatorPtr make_call_filter(const FilterNode& node);     // call_ops.cc
OperatorPtr make_call_project(const ProjectNode& node);

/// Evaluates a sub-select and stores its value in its slot. kRow when done.
class SubselectRunner {
 public:
  SubselectRunner(const PlanSubselect& plan, ExecContext& ctx);
  ~SubselectRunner();
  /// kRow: the slot holds the value for the current outer row. `fresh` starts a new outer row.
  Step run(ExecContext& ctx, std::uint32_t arena, bool fresh);
  void pause(ExecContext& ctx);
  /// Everything anew: what was kept for `once` goes, too.
  void restart(ExecContext& ctx);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A hash set or map over values; small groups of it grow on their own, so that no growth holds the shard for long.
/// Entries are found by hash and a comparison given by the caller.
template <class Entry>
class PartedTable {
 public:
  PartedTable() { parts_.resize(1); }
  std::size_t size() const { return size_; }
  void clear() {
    parts_.clear();
    parts_.resize(1);
    shift_ = 64;
    size_ = 0;
  }
  /// The entry for which `same(entry)` holds, or null.
  template <class Same>
  Entry* find(std::uint64_t hash, Same&& same) const {
    const Part& part = parts_[part_of(hash)];
    if (part.cells.empty()) return nullptr;
    const std::size_t mask = part.cells.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      const Cell& cell = part.cells[i];
      if (cell.entry == nullptr) return nullptr;
      if (cell.hash == hash && same(*cell.entry)) return cell.entry;
    }
  }
  /// `entry` is not there yet.
  void insert(std::uint64_t hash, Entry* entry) {
    Part* part = &parts_[part_of(hash)];
    if ((part->used + 1) * 4 > part->cells.size() * 3) {
      if (parts_.size() == 1 && part->used >= kSplitAt) {
        split();
        part = &parts_[part_of(hash)];
      }
      if ((part->used + 1) * 4 > part->cells.size() * 3) grow(*part);
    }
    place(*part, hash, entry);
    ++size_;
  }
  void prefetch(std::uint64_t hash) const {
    const Part& part = parts_[part_of(hash)];
    if (!part.cells.empty()) __builtin_prefetch(&part.cells[hash & (part.cells.size() - 1)]);
  }
  /// When the cell has come: its entry, which probably is the one.
  void prefetch_entry(std::uint64_t hash) const {
    const Part& part = parts_[part_of(hash)];
    if (!part.cells.empty()) __builtin_prefetch(part.cells[hash & (part.cells.size() - 1)].entry);
  }

 private:
  static constexpr std::size_t kSplitAt = 12 * 1024;
  static constexpr unsigned kPartBits = 6;
  struct Cell {
    std::uint64_t hash = 0;
    Entry* entry = nullptr;
  };
  struct Part {
    std::vector<Cell> cells;
    std::size_t used = 0;
  };
  std::size_t part_of(std::uint64_t hash) const { return shift_ == 64 ? 0 : hash >> shift_; }
  static void place(Part& part, std::uint64_t hash, Entry* entry) {
    const std::size_t mask = part.cells.size() - 1;
    std::size_t i = hash & mask;
    while (part.cells[i].entry != nullptr) i = (i + 1) & mask;
    part.cells[i] = {hash, entry};
    ++part.used;
  }
  static void grow(Part& part) {
    std::vector<Cell> old = std::move(part.cells);
    part.cells.assign(old.empty() ? 64 : old.size() * 2, Cell{});
    part.used = 0;
    for (const Cell& cell : old)
      if (cell.entry != nullptr) place(part, cell.hash, cell.entry);
  }
  void split() {
    Part old = std::move(parts_[0]);
    parts_.clear();
    parts_.resize(std::size_t{1} << kPartBits);
    shift_ = 64 - kPartBits;
    for (Part& part : parts_) part.cells.assign(512, Cell{});
    for (const Cell& cell : old.cells) {
      if (cell.entry == nullptr) continue;
      Part& part = parts_[part_of(cell.hash)];
      if ((part.used + 1) * 4 > part.cells.size() * 3) grow(part);
      place(part, cell.hash, cell.entry);
    }
  }
  std::vector<Part> parts_;
  unsigned shift_ = 64;
  std::size_t size_ = 0;
};

}  // namespace wandian::sql
