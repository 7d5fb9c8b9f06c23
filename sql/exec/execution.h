// Execution: one run of a plan, as a portal has it: rows up to a limit, then suspended, then on.
// Owns:       operators' state, the statement's memory, and the coroutine that writes, if one is needed.
// Thread:     the session's shard.
// Invariants: run() returns without pointers into row versions held, so it may be called again in any later turn.
//             While it answers kWaiting, operations are outstanding at owners: the transaction must not end and the
//             execution must not be destroyed before `ready` was posted; Transaction::cancel() shortens the wait.
// Errors:     take_error(); the caller then undoes the statement (Transaction::rollback_to). bad_alloc becomes 53200.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/shard.h"
#include "engine/transaction.h"
#include "sql/exec/receiver.h"
#include "sql/functions/registry.h"
#include "sql/plan/plan.h"

namespace wandian::sql {

class DeferredConstraints;
class PlaceMemory;
class Server;
struct TransitionTables;   // sql/routine/trigger.h
struct RoutineCall;

/// Who runs routines for an execution that is not driven by a session's own loop (COPY).
class RoutineRunner {
 public:
  virtual ~RoutineRunner() = default;
  virtual Task<Status> run_routine(RoutineCall& call, const ReadView& callers) = 0;
};

/// What an execution needs from its session. Everything outlives the execution.
struct ExecutionEnv {
  Shard* shard = nullptr;
  Transaction* transaction = nullptr;         ///< begin_statement() was called; null only for plans without tables
  std::shared_ptr<const Catalog> catalog;     ///< the one the plan was made for
  SessionHooks* hooks = nullptr;
  const FormatSettings* format = nullptr;
  std::int64_t statement_timestamp = 0;       ///< µs from 2000-01-01 UTC
  std::int64_t transaction_timestamp = 0;
  std::size_t memory_limit_bytes = std::size_t{1} << 30;   ///< beyond it the statement ends with 53200
  std::size_t spill_bytes = std::size_t{64} << 20;         ///< what a sort keeps in memory before it uses a temporary file
  Server* server = nullptr;                   ///< for system relations, and its temporary files
  Oid database = 0;
  DeferredConstraints* deferred = nullptr;    ///< the transaction's; null: every constraint is checked at the statement's end
  bool is_replica = false;                    ///< session_replication_role: foreign keys and ordinary triggers are not looked at
  std::shared_ptr<const TransitionTables> transitions;   ///< of the trigger function that runs the statement; null: none
  Runnable* ready = nullptr;                  ///< posted when a wait (kWaiting) is over
  const Status* cancelled = nullptr;          ///< may be null; once it is not ok, the statement ends with it where it next stops
  /// Not 0: a share of the turn ends after this many checks instead of by the clock, so that tests and simulations stop statements
  /// wherever they can stop. At least 4, since operators that stand on each other check before either of them gets on.
  std::uint32_t checks_per_share = 0;
  RoutineRunner* routines = nullptr;          ///< null: run() answers kCall
  PlaceMemory* places = nullptr;              ///< the session's; may be null
};

enum class Progress : std::uint8_t {
  kDone,        ///< all rows were given; processed() and tag() are final
  kSuspended,   ///< max_rows were given; run() goes on after them
  kPaused,      ///< the turn's share is used up, or the receiver is congested: call run() again next turn, or when there is room
  kCall,        ///< call() must be run; then run() goes on
  kWaiting,     ///< for owners; env.ready is posted when run() can go on
  kFailed,      ///< take_error()
};

class Execution {
 public:
  /// `params` are copied. Never fails: what can fail is reported by run().
  static std::unique_ptr<Execution> create(std::shared_ptr<const Plan> plan, const ExecutionEnv& env, std::span<const Value> params);
  ~Execution();
  /// Before the first run(): current_row() will be asked.
  void keep_position();
  struct CurrentRow {
    enum class Kind : std::uint8_t {
      kRow,
      kElsewhere,      ///< in another partition of a partitioned table
      kNotReferenced,  ///< FOR UPDATE and its like are there, but not of the table
      kReferencedTwice,
      kNotSimple,      ///< the table is not what the rows come from, one by one
    } kind = Kind::kNotSimple;
    PartitionId partition = kNoPartition;
    std::string_view key;
  };
  /// The row of `table` that the row given last came from.
  CurrentRow current_row(const TableDef& table) const;
  /// Where a row came from, if the rows are those of one scan: for who keeps them.
  struct RowPlace {
    Oid table = 0;
    PartitionId partition = kNoPartition;
    std::string_view key;
  };
  std::optional<RowPlace> place() const;
  /// What current_row() has said of a row of the plan that came from `place`.
  static CurrentRow current_row(const Plan& plan, const RowPlace& place, const TableDef& table);
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// Gives at most `max_rows` (0 = all) further rows to `receiver`. After kPaused and kWaiting the same call goes on with the same
  /// limit: rows given before count. Each call starts a share of the turn (Shard::start_budget) of its own.
  Progress run(std::uint64_t max_rows, RowReceiver& receiver);

  /// Rows returned (SELECT), inserted, updated or deleted so far.
  std::uint64_t processed() const;
  /// The command tag: "INSERT 0 3", "UPDATE 1", "SELECT 10" (`rows_returned` counts only the last run, as PostgreSQL's portals do).
  std::string tag(std::uint64_t rows_returned) const;
  Status take_error();
  /// After kCall. Whoever runs it sets its result and `done`.
  RoutineCall& call();
  /// What the statement sees.
  const ReadView& view() const;

  const Plan& plan() const;
  /// EXPLAIN ANALYZE: count and time operators from here on; call before the first run().
  void instrument();
  std::vector<std::string> explain(const ExplainOptions& options) const;

 private:
  Execution();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Statements whose whole effect is one row found by its key run without operators: SELECT by full primary key, INSERT of
/// one row of VALUES, UPDATE and DELETE by full primary key. Never touches the heap when warm. Returns false, with nothing
/// done, if the plan is not of that kind or if the operation has to wait or hop: use Execution then.
bool run_fast(const Plan& plan, const ExecutionEnv& env, std::span<const Value> params, Arena& arena, RowReceiver& receiver,
              std::uint64_t* processed, Status* status);

/// Batch insertion for COPY FROM and CREATE TABLE AS: one statement, any number of insert() calls, then finish(). `rows` holds rows
/// of columns.size() values each, row after row, of the columns' types; missing columns take their defaults. Constraints, foreign
/// keys and global indexes are checked as for INSERT. The values are not touched after insert()'s task is done. `env` is copied;
/// what it points to outlives the inserter.
class BatchInserter {
 public:
  /// `columns`: positions in TableDef::columns.
  static Result<std::unique_ptr<BatchInserter>> create(const ExecutionEnv& env, std::shared_ptr<const TableDef> table,
                                                       std::span<const std::uint16_t> columns);
  virtual ~BatchInserter() = default;
  virtual Task<Status> insert(std::span<const Value> rows) = 0;
  /// After the last rows: what is checked at the end of a statement (foreign keys).
  virtual Task<Status> finish() = 0;
  virtual std::uint64_t inserted() const = 0;
};

}  // namespace wandian::sql
