// SessionImpl: the session behind sql::Session, as the rest of sql sees it (DDL, system relations, functions through SessionHooks).
// Owns:       transaction, settings, prepared statements, portals.
// Thread:     its shard.
// Where what is: session.cc (life, waiting), session_query.cc (simple protocol), session_extended.cc, session_run.cc (plans and
//             portals), session_transaction.cc (blocks, savepoints), session_utility.cc (dispatch), session_cursor.cc,
//             session_copy.cc, session_hooks.cc; SessionHooks' methods about catalog objects are in sql/catalog/session_hooks_*.cc.
// Waiting:    what is done within one call uses no coroutine; everything else is one Task at a time (operation_). It suspends only
//             in park(), and is always resumed from a call of wire (Session::proceed), so that output is only made in calls.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "engine/transaction.h"
#include "sql/bind/binder.h"
#include "sql/catalog_objects.h"
#include "sql/ddl/ddl.h"
#include "sql/exec/execution.h"
#include "sql/functions/registry.h"
#include "sql/functions/session_hooks.h"
#include "sql/server.h"
#include "sql/session.h"
#include "sql/settings/session_settings.h"
#include "sql/statement_cache.h"

namespace wandian::sql {

struct Portal;          // sql/session_portal.h
struct CopyIn;          // sql/copy/copy_in.h
class NullSink;

/// One row of pg_prepared_statements.
struct PreparedInfo {
  std::string name, statement;
  std::int64_t prepare_time = 0;
  std::vector<Oid> parameter_types;
  bool from_sql = false;
};
/// One row of pg_cursors.
struct CursorInfo {
  std::string name, statement;
  bool is_holdable = false, is_binary = false, is_scrollable = false;
  std::int64_t creation_time = 0;
};

class SessionImpl final : public SessionHooks {
 public:
  // ---- For DDL, system relations and functions ---------------------------------------------------------------------

  Server& server() { return server_; }
  Shard& shard() { return shard_; }
  Database& engine_database() { return shard_.database(); }
  Transaction& transaction() { return transaction_; }
  const SessionIdentity& identity() const { return identity_; }
  Oid database() const { return database_; }
  Oid current_role() const { return current_role_; }
  Oid session_role() const { return session_role_; }
  bool is_superuser() const { return superuser_; }
  SessionSettings& settings() { return settings_; }
  const SessionSettings& settings() const { return settings_; }

  /// As the transaction sees it: its own uncommitted DDL included.
  const std::shared_ptr<const Catalog>& catalog() { return transaction_.catalog(); }
  /// For bind_statement() and bind_standalone_expression(); good until the catalog or a setting changes.
  BindContext bind_context();
  /// Schemas to search, complete (pg_catalog and the temporary schema where they belong).
  const std::vector<Oid>& search_path();
  /// Where CREATE without a schema puts things: 3F000 if there is none.
  Result<Oid> creation_schema();
  /// 0: this session has none yet. DDL makes it (named pg_temp_<process id>) and says so here; undone with the transaction.
  Oid temporary_schema() const { return temporary_schema_; }
  void set_temporary_schema(Oid schema);

  /// An evaluation context with this session's settings and clocks.
  EvalContext eval_context(Arena& arena);
  /// For Execution::create and BatchInserter::create: a statement has been begun.
  ExecutionEnv& execution_env();

  /// Waits until the snapshot of a new statement covers what this session has seen.
  Task<void> begin_statement();
  /// Locks a table for the rest of the transaction; lock_timeout counts.
  Task<Status> lock_table(std::shared_ptr<const TableDef> table, TableLock mode, LockWait wait = LockWait::kBlock);
  /// Plans `bound`, locks, begins a statement and runs it to its end inside the open transaction.
  /// @param processed  rows returned or changed
  Task<Status> run_bound(std::shared_ptr<const BoundStatement> bound, std::span<const Value> params, RowReceiver& receiver,
                         std::uint64_t* processed);
  /// The same for SQL text of our own making (one statement).
  Task<Status> run_sql(std::string text, RowReceiver& receiver, std::uint64_t* processed);

  /// Gives the shard to others until the next turn; then answers 57014 if the statement was cancelled.
  Task<Status> yield_turn();
  /// 57014, 57P01, ... if the statement is to end.
  Status check_cancel();

  void notice(Severity severity, SqlState code, std::string message, std::string detail = {}, std::string hint = {});
  void notice(ErrorRecord record);

  /// BEGIN was given, or several statements share an implicit transaction.
  bool in_transaction_block() const { return block_ != Block::kNone && block_ != Block::kSingle; }
  /// 25001 `CREATE DATABASE cannot run inside a transaction block`.
  Status prevent_in_transaction_block(std::string_view command);

  std::vector<PreparedInfo> prepared_statements() const;
  std::vector<CursorInfo> cursors() const;
  ActivitySnapshot activity_snapshot() const;      ///< any thread
  std::int64_t statement_timestamp() const { return statement_timestamp_; }
  std::int64_t transaction_timestamp() const { return transaction_timestamp_; }

  // ---- SessionHooks: session_hooks.cc ---------------------------------------------------------------------------------
  Result<std::int64_t> nextval(Oid sequence) override;
  Result<std::int64_t> currval(Oid sequence) override;
  Result<std::int64_t> lastval() override;
  Result<std::int64_t> setval(Oid sequence, std::int64_t value, bool is_called) override;
  Result<std::optional<std::string>> current_setting(std::string_view name, bool missing_ok) override;
  Result<std::string> set_config(std::string_view name, std::string_view value, bool is_local) override;
  std::string version() override;
  std::string current_user() override;
  std::string session_user() override;
  std::string current_database() override;
  std::optional<std::string> current_schema() override;
  std::vector<std::string> current_schemas(bool include_implicit) override;
  std::string current_query() override;
  std::int32_t backend_pid() override;
  std::optional<std::string> client_address() override;
  std::optional<std::int32_t> client_port() override;
  std::optional<std::string> server_address() override;
  std::optional<std::int32_t> server_port() override;
  std::int64_t server_start_time() override;
  std::int64_t configuration_load_time() override;
  std::int64_t clock_timestamp() override;
  std::uint64_t transaction_id() override;
  std::optional<std::uint64_t> transaction_id_if_assigned() override;
  std::string current_snapshot() override;
  Result<std::string> export_snapshot() override;
  Result<bool> cancel_backend(std::int32_t pid) override;
  Result<bool> terminate_backend(std::int32_t pid) override;
  std::vector<std::int32_t> blocking_pids(std::int32_t pid) override;
  Result<bool> reload_configuration() override;
  Status notify(std::string_view channel, std::string_view payload) override;
  std::vector<std::string> listening_channels() override;
  Status sleep(double seconds) override;
  Result<bool> advisory_lock(std::int64_t key, bool two_keys, bool shared, bool transaction, bool wait) override;
  Result<bool> advisory_unlock(std::int64_t key, bool two_keys, bool shared) override;
  Status advisory_unlock_all() override;
  std::uint64_t random_bits() override;
  std::uint64_t strong_random_bits() override;
  void seed_random(double seed) override;
  bool in_recovery() override;
  std::uint64_t current_lsn() override;
  std::uint64_t flushed_lsn() override;

  // ---- SessionHooks: sql/catalog/session_hooks_*.cc -------------------------------------------------------------------
  Result<std::optional<std::string>> serial_sequence(std::string_view table, std::string_view column) override;
  Result<Oid> resolve(ObjectClass kind, std::string_view name, bool missing_ok) override;
  std::optional<std::string> object_name(ObjectClass kind, Oid oid) override;
  bool visible(ObjectClass kind, Oid oid) override;
  std::optional<std::string> type_name(Oid type, std::int32_t typmod) override;
  Result<std::optional<bool>> has_privilege(Oid role, PrivilegeClass kind, Oid object, std::int16_t column,
                                            std::string_view privilege) override;
  Result<Oid> resolve_privilege_object(PrivilegeClass kind, std::string_view name) override;
  std::optional<std::string> expression_text(std::string_view node_tree, Oid relation, bool pretty) override;
  std::optional<std::string> constraint_definition(Oid constraint, bool pretty) override;
  std::optional<std::string> index_definition(Oid index, std::int32_t column, bool pretty) override;
  std::optional<std::string> view_definition(Oid view, bool pretty) override;
  std::optional<std::string> function_definition(Oid function) override;
  std::optional<std::string> function_arguments(Oid function, bool identity) override;
  std::optional<std::string> function_result(Oid function) override;
  std::optional<std::string> trigger_definition(Oid trigger, bool pretty) override;
  std::optional<std::string> rule_definition(Oid rule, bool pretty) override;
  std::optional<std::string> partition_key_definition(Oid relation) override;
  std::optional<std::string> description(Oid object, Oid catalog, std::int32_t column, bool shared) override;
  std::optional<bool> index_column_property(Oid index, std::int32_t column, std::string_view property) override;
  std::optional<std::int64_t> size(SizeKind kind, Oid object) override;

  // ---- What Session's shell calls -------------------------------------------------------------------------------------
  static Result<SessionImpl*> open(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity);
  /// The client is gone: ends what runs, rolls back, drops temporary objects, then deletes itself, now or in a later turn.
  void close();
  Poll query(std::string_view text);
  Poll parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types);
  Poll bind(const BindMessage& message);
  Poll describe_statement(std::string_view name);
  Poll describe_portal(std::string_view name);
  Poll execute(std::string_view portal, std::uint32_t max_rows);
  Poll close_statement(std::string_view name);
  Poll close_portal(std::string_view name);
  Poll sync();
  bool copying_in() const { return copy_in_ != nullptr; }
  Poll copy_data(std::string_view bytes);
  Poll copy_done();
  Poll copy_fail(std::string_view message);
  Poll proceed();
  void cancel();
  char transaction_status() const {
    return block_ == Block::kExplicit ? 'T' : block_ == Block::kFailed ? 'E' : 'I';
  }
  Lsn take_answer_floor();

 private:
  /// kSingle: one statement's own transaction (until Sync in a pipeline). kImplicit: several statements share one that nobody
  /// began. kFailed: a block that only ROLLBACK, COMMIT and ROLLBACK TO leave.
  enum class Block : std::uint8_t { kNone, kSingle, kImplicit, kExplicit, kFailed };

  struct Prepared {
    std::string name;
    CompiledPtr statement;
    std::vector<Oid> declared;
    bool from_sql = false;
    bool used = false;                           ///< its result columns were shown to the client
    std::int64_t prepare_time = 0;
  };
  struct SavepointEntry {
    std::string name;
    Transaction::Savepoint point;
    std::size_t settings_mark = 0;
    bool read_only = false;
    Oid temporary_schema = 0;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  template <class T>
  using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

  /// Posted by whoever this session waits for; makes wire call proceed().
  struct WakeUp final : Runnable {
    SessionImpl* session = nullptr;
    void run() override { session->woken(); }
  };
  struct Timer final : Runnable {
    SessionImpl* session = nullptr;
    void (SessionImpl::*fired)() = nullptr;
    Shard::TimerId id = 0;
    void run() override {
      id = 0;
      (session->*fired)();
    }
  };
  enum class Parked : std::uint8_t { kNone, kWake, kRoom, kNextCall };
  struct Park {
    SessionImpl& session;
    Parked reason;
    bool await_ready() const { return reason == Parked::kNextCall && session.in_call_; }
    void await_suspend(std::coroutine_handle<> handle) const;
    void await_resume() const {}
  };

  SessionImpl(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity, Oid role, bool superuser);
  ~SessionImpl() override;

  // session.cc: life and waiting
  Status start();
  Status apply_startup_settings();
  Poll begin_call();
  Poll start_operation(Task<void> operation);
  Poll drive();
  void woken();
  Park park(Parked reason) { return Park{*this, reason}; }
  template <class T>
  Task<T> settled(Task<T> task);                 ///< awaits the engine, then comes back into a call
  Task<void> pause();                            ///< kPaused: next turn, or when the client takes what is there
  void cancel_running(Status why);
  void start_statement_clock();
  void stop_statement_clock();
  void arm(Timer& timer, std::int64_t ms);
  void disarm(Timer& timer);
  void statement_timed_out();
  void lock_timed_out();
  void idle_timed_out();
  void sleep_over();
  void set_idle();
  void set_activity(ActivityState state);
  void show_query(std::string_view text);
  void report_settings();
  void send_error(Status status);
  Task<void> close_operation();
  void destroy_if_closed();

  // session_transaction.cc
  Status ensure_transaction();
  void begin_transaction(Block block);
  Status refuse_if_failed(const CompiledStatement& statement);
  Status refuse_if_failed();
  /// Commits what an implicit transaction holds; the error of a failed commit has been sent.
  bool try_finish_implicit();
  Task<Status> commit_transaction();
  Task<void> rollback_transaction();
  void forget_transaction(bool committed);
  /// After an error: rolls back as far as PostgreSQL does at once, and moves the block to its next state.
  Task<void> abort_statement();
  bool try_abort_statement();
  Task<Status> run_transaction_command(StatementRef statement, std::string* tag);
  Status apply_transaction_modes(PgQuery__Node** options, std::size_t count, bool session_default);
  Status check_writable(const CompiledStatement& statement);
  void after_rollback_to(const SavepointEntry& savepoint);
  void drop_portals_of_transaction(bool committed);

  // session_query.cc
  bool try_fast_query(std::string_view text);
  Task<void> run_query(std::string text);
  Task<void> run_simple_statement(CompiledPtr statement, Portal* prepared, bool last);

  // session_run.cc
  std::uint64_t plan_context();
  Result<CompiledPtr> compile(std::shared_ptr<const ParsedStatements> parsed, std::size_t index, std::span<const Oid> declared);
  Result<CompiledPtr> compile_text(std::string_view text, std::span<const Oid> declared, bool allow_many);
  Result<CompiledPtr> current_form(const CompiledPtr& statement);
  bool try_lock(const CompiledStatement& statement);
  Task<Status> lock_and_begin(CompiledPtr* statement, bool shape_fixed);
  Result<bool> try_fast(const CompiledStatement& statement, std::span<const Value> params, std::span<const Format> formats,
                        std::uint64_t* processed);
  Task<Status> run_portal(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::string* tag, bool* suspended);
  Task<Status> run_execution(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, Progress* progress);
  Task<Status> run_procedure(Portal& portal, RowReceiver& receiver, std::string* tag);
  Task<Status> fill_portal(Portal& portal);
  Status decode_parameters(const CompiledStatement& statement, const BindMessage& message, Portal& portal);
  void close_portal_object(Portal& portal);

  // session_utility.cc
  Task<Status> run_utility(Portal& portal, std::string* tag);
  Status run_set(StatementRef statement);
  Status run_discard(StatementRef statement, std::string* tag);
  Status run_prepare(StatementRef statement);
  Status run_deallocate(StatementRef statement);
  Result<CompiledPtr> resolve_execute(StatementRef statement, Portal& portal);
  Task<Status> run_explain(Portal& portal);
  Task<Status> run_lock(StatementRef statement);
  Status run_maintenance(StatementRef statement);
  std::vector<ResultColumn> utility_columns(StatementRef statement);
  Status run_show(Portal& portal);

  // session_cursor.cc
  Task<Status> declare_cursor(Portal& portal);
  Task<Status> fetch(Portal& portal, std::string* tag);
  Status close_cursor(StatementRef statement);
  Task<Status> hold_cursors();

  // session_copy.cc
  Task<Status> run_copy(Portal& portal, std::string* tag);
  Task<Status> copy_out(Portal& portal, std::string* tag);
  Task<Status> copy_in(Portal& portal, std::string* tag);

  // session_extended.cc
  Portal* find_portal(std::string_view name);
  Prepared* find_prepared(std::string_view name);
  Task<void> run_execute(Portal& portal, std::uint32_t max_rows);
  Task<void> run_sync();
  Poll fail_call(Status status);
  Task<void> fail_operation(Status status);

  friend struct PortalReceiver;
  friend class NullSink;
  friend class SessionShell;

  Server& server_;
  Shard& shard_;
  SessionSink* sink_;
  SessionIdentity identity_;
  Oid database_ = 0;
  std::string database_name_;
  Oid session_role_ = 0, current_role_ = 0;
  bool superuser_ = false;
  SessionSettings settings_;
  Transaction transaction_;
  Block block_ = Block::kNone;
  bool pipelining_ = false;                      ///< an extended statement has run since the last Sync
  bool read_only_ = false, deferrable_ = false;
  Isolation isolation_ = Isolation::kReadCommitted;
  bool read_uncommitted_ = false;                ///< asked for; shown back
  bool first_statement_done_ = false;            ///< SET TRANSACTION ISOLATION LEVEL comes too late
  std::vector<SavepointEntry> savepoints_;
  std::uint64_t answered_floor_ = 0;             ///< of what was given to the sink since take_answer_floor()
  bool relaxed_answers_ = false;                 ///< synchronous_commit was off for all of it

  // Statements and portals
  NameMap<Prepared> prepared_;
  Prepared unnamed_statement_;
  bool unnamed_statement_open_ = false;
  NameMap<std::unique_ptr<Portal>> portals_;
  std::unique_ptr<Portal> unnamed_portal_;
  bool unnamed_portal_open_ = false;
  std::unique_ptr<Portal> simple_portal_;        ///< of the simple protocol's statements
  std::unique_ptr<CopyIn> copy_in_;
  NormalizedQuery normalized_;

  // Names
  std::vector<Oid> search_path_;
  std::shared_ptr<const Catalog> search_path_catalog_;
  std::uint64_t search_path_generation_ = 0;
  Oid temporary_schema_ = 0;
  std::uint64_t plan_context_ = 0;
  std::string execution_error_;

  // Sequences
  std::unordered_map<Oid, std::int64_t> sequence_values_;
  Oid last_sequence_ = 0;

  // Time
  std::int64_t statement_timestamp_ = 0, transaction_timestamp_ = 0, backend_start_ = 0;
  Timer statement_timer_, lock_timer_, idle_timer_, sleep_timer_;
  double sleep_seconds_ = 0;

  // Waiting
  Task<void> operation_;
  std::coroutine_handle<> parked_handle_;
  Parked parked_ = Parked::kNone;
  bool in_call_ = false, woken_ = false, closing_ = false, waiting_for_engine_ = false;
  WakeUp wake_up_;
  Status cancelled_;
  std::unique_ptr<NullSink> null_sink_;
  std::unique_ptr<ExecutionEnv> env_;
  Arena scratch_;                                ///< of one call
  std::uint64_t random_state_[2] = {};

  // Activity: read by any thread.
  mutable std::mutex activity_mutex_;
  ActivitySnapshot activity_;
  std::atomic<ActivityState> activity_state_{ActivityState::kStarting};
};

}  // namespace wandian::sql
