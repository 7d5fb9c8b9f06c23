// SessionImpl: the session behind sql::Session, as the rest of sql sees it (DDL, system relations, functions through SessionHooks).
// Owns:       transaction, settings, prepared statements, portals.
// Thread:     its shard.
// Where what is: session.cc (life, waiting), session_query.cc (simple protocol), session_extended.cc, session_run.cc (plans and
//             portals), session_transaction.cc (blocks, savepoints), session_utility.cc (dispatch), session_cursor.cc,
//             session_copy.cc, session_advisory.cc, session_prepared.cc, session_notify.cc, session_hooks.cc; SessionHooks' methods about catalog objects are
//             in sql/catalog/session_hooks_*.cc.
// Waiting:    what is done within one call uses no coroutine; everything else is one Task at a time (operation_). It suspends only
//             in park(), and is always resumed from a call of wire (Session::proceed), so that output is only made in calls.
#pragma once

#include <algorithm>
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

#include "engine/advisory_lock.h"
#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/lock_report.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "engine/transaction.h"
#include "sql/access/privileges.h"
#include "sql/access/roles.h"
#include "sql/bind/binder.h"
#include "sql/catalog_objects.h"
#include "sql/ddl/ddl.h"
#include "sql/exec/deferred.h"
#include "sql/exec/execution.h"
#include "sql/exec/place_memory.h"
#include "sql/expr/call_journal.h"
#include "sql/functions/registry.h"
#include "sql/functions/session_hooks.h"
#include "sql/server.h"
#include "sql/session.h"
#include "sql/settings/session_settings.h"
#include "sql/statement_cache.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

struct Portal;          // sql/session_portal.h
class CopyIn;           // sql/copy/copy_in.h
struct CopyOptions;     // sql/copy/copy_options.h
class NullSink;
class Encoding;        // sql/types/encoding.h
class EncodingSink;
class SessionNotifications;   // sql/session_notify.h
class RunningProcedure; // sql/procedure_caller.h
class RoutineBody;      // sql/routine/body.h
class RoutineFrame;
class ValueCasts;       // sql/routine/value_cast.h
struct TransitionTables;   // sql/routine/trigger.h

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

/// 55000: what a statement reads a materialized view for is not there yet.
Status not_populated(const TableDef& view);

struct DefinitionStyle;   // sql/expr/deparse.h

/// The extension of which statements are counted, and the error of who asks where they are not: 55000.
inline constexpr std::string_view kStatementsExtension = "pg_stat_statements";
Status statements_not_loaded();

class SessionImpl final : public SessionHooks, public RoutineRunner, public TypeCatalog {
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
  bool is_superuser() const { return superuser_; }   ///< the current role
  bool may_read_settings() { return superuser_ || has_privileges_of(*catalog(), database_, current_role_, role_oid::kReadAllSettings); }
  /// 42501 if the current role must not see it.
  Status check_readable_setting(std::string_view name);
  /// Whether `role` or `session_authorization` may have the value. 22023, 42501; other settings: yes.
  Status check_identity_setting(std::string_view name, std::string_view value);
  /// Until `act_as(0)`: definitions are made in the name of this role.
  void act_as(Oid role) {
    acting_ = role != 0 ? std::exchange(definer_role_, role) : (definer_role_ = acting_, Oid{0});
    settings_changed();
  }
  /// The database was closed to others: when the transaction ends, it is open again, or gone.
  void expect_open_database(Oid database) { closed_databases_.push_back(database); }
  Oid authenticated_role() const { return authenticated_role_; }
  /// Who asks for privileges now.
  AccessScope access_scope() { return {*catalog(), database_, current_role_, temporary_schema_}; }
  /// A schema that a statement names can be used, if it is there: 42501.
  Status check_named_schema(std::string_view schema) {
    const std::optional<Oid> named = schema.empty() || superuser_ ? std::nullopt : catalog()->find_schema(database_, schema);
    return named ? check_schema_usage(access_scope(), *named) : Status{};
  }
  /// Whether the current role may run it: 42501.
  Status check_access(const BoundStatement& statement);
  /// The same, decided once for a statement and a catalog.
  Status check_access(const CompiledStatement& statement);
  SessionSettings& settings() { return settings_; }
  const SessionSettings& settings() const { return settings_; }
  /// As SHOW says it; nullopt if there is no such setting.
  std::optional<std::string> show_value(std::string_view name);

  /// As the transaction sees it: its own uncommitted DDL included.
  const std::shared_ptr<const Catalog>& catalog() { return transaction_.catalog(); }
  /// For bind_statement() and bind_standalone_expression(); good until the catalog or a setting changes.
  BindContext bind_context();
  /// Schemas to search, complete (pg_catalog and the temporary schema where they belong).
  const std::vector<Oid>& search_path();
  /// Where CREATE without a schema puts things: 3F000 if there is none.
  Result<Oid> creation_schema();
  /// 0: this session has none yet. DDL makes it (named pg_temp_<process id>) and says so here; undone with the transaction.
  Oid temporary_schema() const override { return temporary_schema_; }
  void set_temporary_schema(Oid schema);
  /// A temporary table was made that a commit drops or empties.
  void expect_on_commit() { on_commit_ = true; }

  /// A type that this transaction has made or changed, and a label it has added to an enum that was there before.
  void note_changed_type(Oid type) { changed_types_.push_back(type); }
  bool has_changed_type(Oid type) const { return std::find(changed_types_.begin(), changed_types_.end(), type) != changed_types_.end(); }
  void note_new_label(Oid label) { new_labels_.push_back(label); }

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

  // ---- For the bodies of functions, procedures and triggers: session_routine.cc -----------------------------------------

  /// What a routine's statements see: new snapshots, or, where it is not volatile, what its caller sees.
  struct NestedView {
    bool read_only = false;
    ReadView callers;
  };
  struct NestedResult {
    std::uint64_t processed = 0;       ///< rows returned or changed
    bool more = false;                 ///< rows beyond max_rows are there
    StatementKind kind = StatementKind::kOther;
    bool returned_rows = false;
  };
  Task<Status> run_routine(RoutineCall& call, const ReadView& callers) override;
  /// Binds one statement in which names may be variables; `assign_to` is what its one column is coerced to.
  Result<std::shared_ptr<const BoundStatement>> bind_nested(const ParseNode* node, std::string_view text, BindVariables* variables,
                                                            const ResolvedType* assign_to);
  /// The statement ready to run; `variables` may be null, `declared` are types of parameters.
  Result<CompiledPtr> compile_nested(std::shared_ptr<const ParsedStatements> parsed, std::size_t index, BindVariables* variables,
                                     std::span<const Oid> declared);
  /// Whether names in it still mean the same.
  bool is_current(const CompiledStatement& statement);
  /// A number for everything that binding may bake into a tree: search path, formats, roles.
  std::uint64_t plan_context();
  /// Runs a statement inside the open transaction. *stale: its definitions changed while locks were waited for; compile it again.
  /// `variables`: what names of a statement mean that is bound again when it runs (EXPLAIN, DECLARE CURSOR, CREATE TABLE AS); may be null.
  Task<Status> run_nested(const CompiledPtr& statement, std::span<const Value> params, std::uint64_t max_rows, RowReceiver& receiver,
                          const NestedView& view, NestedResult* result, bool* stale, BindVariables* variables = nullptr);
  /// EXECUTE of a prepared statement: *statement becomes what was prepared, *params its parameters, their bytes in `arena`.
  Status resolve_prepared(CompiledPtr* statement, std::vector<Value>* params, Arena& arena);
  /// The same for a query that gives its rows in portions: begun here, read by read_nested().
  Task<Status> begin_nested(const CompiledPtr& statement, std::span<const Value> params, const NestedView& view,
                            std::unique_ptr<Execution>* execution, bool* stale);
  Task<Status> read_nested(Execution& execution, std::uint64_t max_rows, RowReceiver& receiver, const NestedView& view, std::uint64_t* rows,
                           bool* finished);
  /// After a value was computed: waits where what was called (pg_sleep, nextval) wants it.
  Task<Status> settle_row();
  bool must_settle() const { return hold_rows_; }
  /// Around the evaluation of expressions outside of statements, by one who settles rows: what is called may want to wait. Returns
  /// what to set it to afterwards.
  bool set_rows_can_wait(bool can) { return std::exchange(rows_can_wait_, can); }
  /// Lets others have the shard if this turn's share is used up.
  Task<Status> share_turn();
  bool share_used_up();
  /// A savepoint of a block with an exception handler.
  Status begin_subtransaction();
  void release_subtransaction();
  Task<void> rollback_subtransaction();
  ValueCasts& casts();
  /// Frames of routines under way, the innermost last; they write the context of errors.
  std::vector<RoutineFrame*>& frames() { return frames_; }
  void complete_context(Status& status) const;
  std::string current_context() const;
  Task<Status> run_do(StatementRef statement);
  /// For statements without a plan (TRUNCATE): the table's BEFORE or AFTER STATEMENT triggers. `event`: TriggerDef::kTruncate.
  Task<Status> fire_statement_triggers(std::shared_ptr<const TableDef> table, bool before, std::uint16_t event);
  /// Whether a procedure may end the transaction here.
  bool may_end_transaction() const { return routine_depth_ == non_atomic_depth_ && non_atomic_depth_ > 0; }
  Task<Status> end_transaction_inside(bool commit, bool chain);

  enum class CursorMove : std::uint8_t { kForward, kBackward, kAbsolute, kRelative };
  Task<Status> open_cursor(std::string* name, CompiledPtr statement, std::span<const Value> params, bool scroll, const NestedView& view,
                           bool* stale);
  Task<Status> fetch_cursor(std::string_view name, CursorMove direction, std::int64_t count, bool all, bool move, RowReceiver& receiver,
                            std::vector<ResultColumn>* columns, std::uint64_t* moved);
  Status close_cursor(std::string_view name);
  bool has_cursor(std::string_view name);

  /// Gives the shard to others until the next turn; then answers 57014 if the statement was cancelled.
  Task<Status> yield_turn();
  /// 57014, 57P01, ... if the statement is to end.
  Status check_cancel();

  void notice(Severity severity, SqlState code, std::string message, std::string detail = {}, std::string hint = {});
  void notice(ErrorRecord record);

  /// BEGIN was given, or several statements of one simple query share an implicit transaction.
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
  Result<std::int64_t> identity_value(Oid sequence) override;
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
  Result<bool> cursor_row(std::string_view cursor, const TableDef& table, std::uint32_t* partition, std::string* key) override;
  std::uint64_t transaction_id() override;
  std::optional<std::uint64_t> transaction_id_if_assigned() override;
  std::string current_snapshot() override;
  Result<std::string> export_snapshot() override;
  Result<bool> cancel_backend(std::int32_t pid) override;
  Result<bool> terminate_backend(std::int32_t pid) override;
  std::vector<std::int32_t> blocking_pids(std::int32_t pid) override;
  Result<bool> reload_configuration() override;
  void notice_of_function(std::string message) override { notice(Severity::kNotice, sqlstate::successful_completion, std::move(message)); }
  Status notify(std::string_view channel, std::string_view payload) override;
  std::vector<std::string> listening_channels() override;
  std::int32_t trigger_depth() override { return trigger_depth_; }
  double notification_queue_usage() override;
  Status sleep(double seconds) override;
  Result<bool> advisory_lock(std::int64_t key, bool two_keys, bool shared, bool transaction, bool wait) override;
  Result<bool> advisory_unlock(std::int64_t key, bool two_keys, bool shared) override;
  Status advisory_unlock_all() override;
  std::uint64_t random_bits() override;
  std::uint64_t strong_random_bits() override;
  Status reset_statement_statistics(Oid role, Oid database, std::int64_t query) override;
  void seed_random(double seed) override;
  bool in_recovery() override;
  std::uint64_t current_lsn() override;
  std::uint64_t flushed_lsn() override;

  // ---- SessionHooks: sql/catalog/session_hooks_*.cc -------------------------------------------------------------------
  Result<std::optional<std::string>> serial_sequence(std::string_view table, std::string_view column) override;
  Status read_signature(std::string_view text, bool none, std::string_view* name, std::vector<Oid>* arguments);
  Result<Oid> resolve_operator(std::string_view text, std::string_view name, const std::vector<Oid>& arguments, bool missing_ok);
  Result<std::string> find_collation_name(const std::string& schema, const std::string& name);
  Result<Oid> resolve(ObjectClass kind, std::string_view name, bool missing_ok) override;
  std::optional<std::string> object_name(ObjectClass kind, Oid oid) override;
  bool visible(ObjectClass kind, Oid oid) override;
  std::optional<std::string> type_name(Oid type, std::int32_t typmod) override;
  Result<std::optional<bool>> has_privilege(Oid role, PrivilegeClass kind, Oid object, std::int16_t column,
                                            std::string_view privilege) override;
  Result<Oid> resolve_privilege_object(PrivilegeClass kind, std::string_view name) override;
  Result<std::int16_t> resolve_column(Oid relation, std::string_view name) override;
  const Catalog& current_catalog() override { return *catalog(); }
  std::optional<std::string> expression_text(std::string_view node_tree, Oid relation, bool pretty) override;
  /// A kept expression as the session sees it; the kept text if it cannot be bound any more.
  std::string print_stored(std::string_view node_tree, Oid relation, DefinitionStyle printing);
  std::optional<std::string> constraint_definition(Oid constraint, bool pretty) override;
  std::optional<std::string> index_definition(Oid index, std::int32_t column, bool pretty) override;
  std::optional<std::string> view_definition(Oid view, bool pretty, std::int32_t wrap_column) override;
  std::optional<std::vector<bool>> updatable_columns(Oid view, bool* deletable) override;
  std::optional<std::string> function_definition(Oid function) override;
  std::string sql_body_text(const Routine& routine);
  std::optional<std::string> function_arguments(Oid function, bool identity) override;
  std::optional<std::string> function_result(Oid function) override;
  std::optional<std::string> argument_default(Oid function, std::int32_t number) override;
  std::string trigger_condition(const TableDef& table, const TriggerDef& trigger, bool pretty);
  std::optional<std::string> trigger_definition(Oid trigger, bool pretty) override;
  std::optional<std::string> rule_definition(Oid rule, bool pretty) override;
  std::optional<std::string> partition_key_definition(Oid relation) override;
  std::optional<std::string> partition_constraint_definition(Oid relation) override;
  std::vector<PartitionRelation> partition_tree(Oid relation) override;
  std::vector<Oid> partition_ancestors(Oid relation) override;
  Result<std::vector<Oid>> hash_partition_key(Oid relation) override;
  std::optional<std::string> description(Oid object, Oid catalog, std::int32_t column, bool shared) override;
  Result<ObjectIdentity> identify(Oid object_catalog, Oid object, std::int32_t column) override;
  void identify_relation(Oid relation, std::int32_t column, ObjectIdentity* out);
  void identify_function(Oid function, ObjectIdentity* out);
  void identify_type(Oid type, ObjectIdentity* out);
  void identify_part(const TableDef& table, const std::string& name, std::string_view link, ObjectIdentity* out);
  void identify_constraint(Oid constraint, ObjectIdentity* out);
  void identify_operator(Oid op, ObjectIdentity* out);
  void identify_collation(Oid collation, ObjectIdentity* out);
  void identify_named(Oid object_catalog, Oid object, ObjectIdentity* out);
  std::string relation_column_name(Oid relation, std::int32_t column);
  std::optional<bool> index_column_property(Oid index, std::int32_t column, std::string_view property) override;
  std::optional<std::int64_t> size(SizeKind kind, Oid object) override;

  // ---- TypeCatalog: sql/catalog/session_hooks_names.cc ----------------------------------------------------------------
  TypeCatalog* types() override { return this; }
  std::optional<std::string> collation_version(Oid collation) override;
  std::string collation_name(Oid collation) override { return CatalogTypes(*catalog(), search_path(), database_).collation_name(collation); }
  const UserType* user_type(Oid type) override;
  std::string user_type_name(Oid type) override;
  std::pair<std::string, std::string> type_identity(Oid type) override;
  Oid find_user_type(std::string_view schema, std::string_view name) override;
  bool row_fields(Oid type, std::vector<RowField>* out) override;
  bool type_exists(Oid type);
  bool is_new_label(Oid label) override { return std::find(new_labels_.begin(), new_labels_.end(), label) != new_labels_.end(); }

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
  void expect_sync() { sync_follows_ = true; }
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
  /// Another session may have sent something that this one listens to.
  void notifications_came();

  /// 55006 if an open cursor reads the table, or deferred checks are still to be made for rows of it that were changed.
  /// `what` is the statement that would change its definition.
  Status check_not_in_use(const TableDef& table, std::string_view what);
  const LockReport& lock_report() const { return lock_report_; }

 private:
  /// kSingle: a statement's own transaction, or that of a pipeline until its Sync. kImplicit: the statements of one simple query
  /// share one that nobody began. kFailed: a block that only ROLLBACK, COMMIT and ROLLBACK TO leave. The engine's transaction begins with the first
  /// statement that needs it, and is gone while a block without savepoints is failed.
  enum class Block : std::uint8_t { kNone, kSingle, kImplicit, kExplicit, kFailed };

  struct Prepared {
    std::string name;
    CompiledPtr statement;
    bool from_sql = false;
    bool described = false;                      ///< its result columns were shown to the client: the shape is fixed
    std::int64_t prepare_time = 0;
  };
  struct SavepointEntry {
    std::string name;
    Transaction::Savepoint point;
    std::size_t settings_mark = 0;
    std::size_t advisory_locks = 0;
    bool read_only = false;
    Oid temporary_schema = 0;
    std::size_t notifications_sent = 0, listen_actions = 0;
    DeferredConstraints::Mark deferred;
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
  /// Drives a session whose client is gone.
  struct Closer final : Runnable {
    SessionImpl* session = nullptr;
    void run() override { session->go_on_closing(); }
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
  /// kWake: woken() was called. kRoom: the client took what was there. kNextCall: as soon as wire calls. kCopyData: the client's
  /// next CopyData, CopyDone or CopyFail.
  enum class Parked : std::uint8_t { kNone, kWake, kRoom, kNextCall, kCopyData };
  struct Park {
    SessionImpl& session;
    Parked reason;
    bool await_ready() const;
    void await_suspend(std::coroutine_handle<> handle) const;
    void await_resume() const {}
  };

  SessionImpl(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity, Oid role, bool superuser);
  ~SessionImpl() override;

  // session.cc: life and waiting
  Status start(const RoleProperties& role, const DatabaseProperties& database);
  template <class Body>
  Poll call(Body&& body);
  Poll start_operation(Task<void> operation);
  Poll poll_operation();
  void woken();
  void go_on_closing();
  Park park(Parked reason) { return Park{*this, reason}; }
  template <class T>
  Task<T> settled(Task<T> task);                 ///< awaits the engine, then comes back into a call
  Task<Status> guarded(Task<Status> task);       ///< bad_alloc becomes 53200
  Task<void> pause();                            ///< next turn; or when the client took what is there; or when hold_rows_ is settled
  Task<void> next_turn();
  Task<void> sleep_through();
  void cancel_running(Status why);
  void begin_statement_clock();
  void arm(Timer& timer, std::int64_t ms);
  void disarm(Timer& timer);
  void statement_timed_out();
  void lock_timed_out();
  void idle_timed_out();
  void sleep_over();
  void become_active(std::string_view query);
  void become_idle();
  void send_error(Status status);
  /// In the encoding that was the client's when the statement failed: the rollback may have brought back another. Null: UTF-8.
  void send_error(Status status, const Encoding* spoken);
  void start_closing();
  Task<void> closing_operation();
  void finish_closing();
  void seed();

  // session_transaction.cc
  void ensure_block();
  Status ensure_transaction();
  Status refuse_if_failed(const CompiledStatement& statement);
  bool try_commit_transaction(Status* status);
  Task<Status> commit_transaction();
  bool try_rollback_transaction();
  Task<void> rollback_transaction();
  void forget_transaction(bool committed);
  bool try_abort_statement();
  Task<void> abort_statement();
  Task<void> abort_and_report(Status status);
  bool try_finish_implicit(Status* status);
  Task<Status> finish_implicit();
  bool try_transaction_command(StatementRef statement, std::string_view* tag, Status* status);
  Task<Status> run_transaction_command(StatementRef statement, std::string* tag);
  void become(Oid session_role, Oid current_role);
  Status begin_block(const PgQuery__TransactionStmt& statement);
  void chain_block();
  void fail_block();
  Status apply_transaction_modes(PgQuery__Node** options, std::size_t count, bool session_defaults);
  Status set_isolation(std::string_view level);
  Status set_read_only(bool on);
  Status set_deferrable(bool on);
  Status check_may_run(const CompiledStatement& statement);
  std::vector<std::shared_ptr<const TableDef>> on_commit_tables();
  Task<Status> run_on_commit();
  Task<Status> rollback_to_savepoint(std::string_view name);
  SavepointEntry savepoint_here(std::string_view name);
  Task<void> undo_to(const SavepointEntry& savepoint);
  Task<void> restore(const SavepointEntry& savepoint);
  void drop_portals(std::size_t depth, bool keep_held);
  std::string_view isolation_name() const;

  // session_constraints.cc
  template <class Work>
  Task<Status> with_execution(Work work);
  Task<Status> check_deferred(bool everything, std::vector<Oid> constraints);
  Status find_constraints(const PgQuery__RangeVar& name, std::vector<Oid>* out);
  Task<Status> run_set_constraints(StatementRef statement);

  // session_query.cc
  bool try_fast_query(std::string_view text);
  Task<void> run_query(std::string text);
  Task<Status> run_simple_text(std::string_view text);
  Task<Status> run_simple_statement(Portal& portal, bool own_text);
  Task<Status> finish_if_last();
  Task<void> finish_simple(CompiledPtr statement, std::uint64_t rows);
  bool literal_parameters(const CompiledStatement& statement, const NormalizedQuery& query, Portal& portal);
  void finish_query();

  // session_snapshot.cc
  Status import_snapshot(const std::string& name);
  void release_snapshots();

  // session_advisory.cc
  struct AdvisoryHold {
    AdvisoryKey key;
    bool shared = false;
    bool operator==(const AdvisoryHold&) const = default;
  };
  void note_advisory_lock(const AdvisoryHold& hold, bool of_transaction);
  Task<void> wait_for_advisory_locks();
  void release_advisory(const AdvisoryHold& hold);
  void release_session_advisory();
  void release_transaction_advisory(std::size_t from);

  // session_prepared.cc
  Status check_preparable(const std::string& gid);
  unsigned most_prepared_transactions() const;
  Task<Status> prepare_transaction(std::string gid);
  Task<Status> finish_prepared(std::string gid, bool commit);

  // session_run.cc
  Result<CompiledPtr> compile(std::shared_ptr<const ParsedStatements> parsed, std::size_t index, const ParseNode* inner,
                              std::span<const Oid> declared);
  Status bind_and_plan(CompiledStatement& statement, const ParseNode* node, bool plan);
  Status sequence_access(Oid sequence, Privileges any_of);
  Result<CompiledPtr> compile_text(std::string_view text, std::span<const Oid> declared);
  Result<CompiledPtr> current_form(const CompiledPtr& statement, bool shape_fixed);
  bool try_lock(const CompiledStatement& statement);
  /// kDone: *status says how it went. kNot: nothing was done (but a RowDescription may have been sent), take the long way.
  enum class Fast : std::uint8_t { kDone, kNot };
  // session_statistics.cc: what pg_stat_statements counts
  bool counts_statements() const { return statistics_wanted_ && settings_.decoded().track_statements; }
  static std::int64_t statement_clock();   ///< ns, monotonic
  bool statistics_wanted(const Catalog& catalog) const;
  void find_statistics(const CompiledStatement& statement);
  void count_statement(const CompiledStatement& statement, std::int64_t spent_ns, std::uint64_t rows);
  /// A portal's plan ran for a while; its statement is counted when it has ended.
  void count_run(Portal& portal, std::int64_t spent_ns, std::uint64_t rows, bool finished);
  /// The same of BEGIN and its like; `begun` 0: it is not counted.
  void count_command(const CompiledStatement& statement, std::int64_t begun);
  std::int64_t command_begins() const { return counts_statements() && settings_.decoded().track_utility ? statement_clock() : 0; }
  Task<Status> run_counted_utility(Portal& portal, std::string* tag);

  Fast try_fast(const CompiledStatement& statement, std::span<const Value> params, std::span<const Format> formats, Status* status,
                std::uint64_t* processed);
  Fast try_fast_procedure(const CompiledStatement& statement, std::span<const Value> params, std::span<const Format> formats,
                          Status* status);
  bool commits_by_itself() const {
    return block_ == Block::kSingle && sync_follows_ && isolation_ != Isolation::kSerializable;   // whose reads its commit validates
  }
  Status evaluate_arguments(const CompiledStatement& statement, std::span<const Value> params, Arena& arena, std::vector<Value>* out);
  Task<Status> lock_and_begin(CompiledPtr* statement, bool shape_fixed);
  Task<Status> run_portal(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::string* tag, bool* suspended);
  Task<Status> run_plan(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows, bool* finished);
  /// @param first_view  what the first run is to see, instead of what the open statement sees
  Task<Status> run_execution(Execution& execution, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows, bool* finished,
                             const ReadView* first_view = nullptr);
  Task<Status> run_procedure(Portal& portal, RowReceiver& receiver);
  Task<Status> give_kept(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows, bool* finished);
  void close_portal_object(Portal& portal);
  void command_complete(const CompiledStatement& statement, std::uint64_t rows);
  void show_notices(std::span<const ErrorRecord> notices);

  // session_routine.cc
  Task<Status> run_body(RoutineCall& call, const ReadView& callers);
  Result<std::shared_ptr<RoutineBody>> find_body(const RoutineCall& call);
  Task<Status> lock_nested(const CompiledStatement& statement, const NestedView& view, bool* stale);
  Task<Status> run_call(Portal& portal, RowReceiver& receiver);
  Task<Status> run_user_procedure(Portal& portal, RowReceiver& receiver);

  // session_utility.cc
  Task<Status> run_utility(Portal& portal, std::string* tag);
  Status run_set(StatementRef statement);
  Status set_value(std::string_view name, std::string_view value, bool local, bool in_transaction);
  void settings_changed();
  void choose_sink();
  Task<Status> run_discard(StatementRef statement);
  Status run_prepare(const CompiledStatement& statement);
  Status run_deallocate(StatementRef statement);
  Status resolve_execute(Portal& portal);
  Task<Status> run_explain(Portal& portal);
  std::vector<std::pair<std::string, std::string>> planner_settings();
  Task<Status> run_lock(StatementRef statement);
  Task<Status> lock_with_partitions(Oid table, TableLock mode, LockWait wait, bool partitions);
  Task<Status> lock_view(Oid view, TableLock mode, LockWait wait);
  Status run_maintenance(StatementRef statement);
  Status run_show(Portal& portal);

  // session_analyze.cc
  Task<Status> run_vacuum(StatementRef statement);
  bool may_maintain(Oid relation, bool vacuum);
  Task<Status> analyze_table(Oid table, std::vector<std::uint16_t> columns, bool verbose);
  Result<std::vector<ResultColumn>> utility_columns(const CompiledStatement& statement);
  Status require_transaction_block(std::string_view command);
  void warn_outside_transaction_block(std::string_view command);

  // session_notify.cc
  SessionNotifications& notifications();
  Status run_notify(StatementRef statement);
  Status prepare_notifications();
  void end_notifications(bool committed);
  void deliver_notifications();
  void stop_listening();
  bool idle_outside_transaction() const { return block_ == Block::kNone && activity_.state == ActivityState::kIdle; }

  // session_cursor.cc
  /// 0A000 for what a cursor of this kind cannot show.
  Status check_cursor(const PgQuery__DeclareCursorStmt& declare, const BoundStatement& bound) const;
  Task<Status> declare_cursor(Portal& portal);
  Task<Status> fetch(Portal& portal, std::string* tag);
  Task<Status> move_cursor(Portal& cursor, CursorMove direction, std::int64_t count, bool all, bool move, RowReceiver& receiver,
                           std::uint64_t* moved);
  Task<Status> fetch_rows(Portal& cursor, std::uint64_t count, RowReceiver& receiver, std::uint64_t* rows);
  Task<Status> keep_all(Portal& cursor);
  Status close_cursor(StatementRef statement);
  Task<Status> hold_cursors();
  bool has_cursors_to_hold() const;

  // session_copy.cc
  Task<Status> run_copy(Portal& portal, std::string* tag);
  Task<Status> copy_to(const CompiledStatement& statement, const PgQuery__CopyStmt& copy, const CopyOptions& options, std::string* tag);
  Task<Status> copy_from(const CompiledStatement& statement, const PgQuery__CopyStmt& copy, const CopyOptions& options,
                         std::string* tag);

  const Encoding* client_encoding() const { return settings_.decoded().format.client_encoding; }
  /// A text of the client's in UTF-8; `kept` holds it if it had to be converted. 22021, 22P05.
  Status from_client(std::string_view* text, std::string* kept) const;

  // session_extended.cc
  Portal* find_portal(std::string_view name);
  Prepared* find_prepared(std::string_view name);
  Poll fail_call(Status status);
  Task<void> fail_operation(Status status);
  Status do_parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types);
  Status do_bind(const BindMessage& message);
  Status decode_parameters(const CompiledStatement& statement, const BindMessage& message, Portal& portal);
  Status do_describe(const CompiledStatement& statement, const Portal* portal);
  bool try_fast_execute(Portal& portal, CompiledPtr* ending, Poll* poll);
  Task<void> run_execute(Portal& portal, CompiledPtr statement, std::string name, std::uint32_t max_rows);
  Task<Status> run_execute_rows(Portal& portal, std::uint32_t max_rows, std::string* tag, bool* suspended);
  Task<void> run_sync();

  friend class ClientReceiver;
  friend class CopyRunner;
  friend class NullSink;
  friend class SessionShell;

  Server& server_;
  Shard& shard_;
  SessionSink* sink_;
  SessionSink* client_sink_;                     ///< what sink_ is, or what an EncodingSink before it gives to
  std::unique_ptr<EncodingSink> encoding_sink_;  ///< null until the client speaks another encoding than UTF-8
  SessionIdentity identity_;
  Oid database_ = 0;
  std::string database_name_;
  Oid authenticated_role_ = 0, session_role_ = 0, current_role_ = 0;
  Oid acting_ = 0;                               ///< definer_role_ outside of act_as()
  std::vector<Oid> closed_databases_;
  Oid definer_role_ = 0;                         ///< inside a SECURITY DEFINER routine: its owner
  bool superuser_ = false;                       ///< the current role is one
  SessionSettings settings_;
  Transaction transaction_;

  // The transaction block
  Block block_ = Block::kNone;
  bool pipelining_ = false;                      ///< an extended statement has run since the last Sync
  bool commit_at_once_ = false;                  ///< the statement must not share its transaction with later ones of a pipeline
  bool read_only_ = false, deferrable_ = false;
  /// The modes the transaction began with.
  struct {
    Isolation isolation = Isolation::kReadCommitted;
    bool read_uncommitted = false, read_only = false, deferrable = false;
  } first_modes_;
  Isolation isolation_ = Isolation::kReadCommitted;
  bool read_uncommitted_ = false;                ///< asked for; shown back
  bool queried_ = false;                         ///< a statement took a snapshot: the isolation level is fixed
  std::vector<SavepointEntry> savepoints_;
  std::unique_ptr<SessionNotifications> notifications_;   ///< null until LISTEN or NOTIFY is used
  DeferredConstraints deferred_;
  bool relaxed_answer_ = false;                  ///< synchronous_commit was off for what is being answered

  // Statements and portals
  NameMap<Prepared> prepared_;
  Prepared unnamed_statement_;
  NameMap<std::unique_ptr<Portal>> portals_;
  std::unique_ptr<Portal> unnamed_portal_;       ///< kept and used again; not there if its statement is null
  std::unique_ptr<Portal> simple_portal_;        ///< of the simple protocol's statements
  CopyIn* copy_in_ = nullptr;                    ///< the COPY FROM STDIN under way; lives in its coroutine
  bool sync_follows_ = false;                    ///< extended protocol: nothing else joins this statement's transaction
  bool last_of_query_ = true;                    ///< simple protocol: no statement of the same text follows
  NormalizedQuery normalized_;
  std::string classes_;

  // Names
  std::vector<Oid> search_path_;
  std::shared_ptr<const Catalog> search_path_catalog_;
  std::uint64_t search_path_generation_ = 0;
  Oid temporary_schema_ = 0, committed_temporary_schema_ = 0;
  std::vector<Oid> changed_types_, new_labels_;   ///< of the open transaction
  bool on_commit_ = false;           ///< some temporary table was made with ON COMMIT DROP or DELETE ROWS
  std::uint64_t plan_context_ = 0;
  bool statistics_wanted_ = false;               ///< with the search path

  // Sequences
  std::unordered_map<Oid, std::int64_t> sequence_values_;
  /// Values taken ahead of a sequence with CACHE, as long as its definition stays the same.
  struct CachedValues {
    std::shared_ptr<const SequenceDef> definition;
    std::int64_t given, last;
  };
  std::unordered_map<Oid, CachedValues> cached_values_;
  Oid last_sequence_ = 0;
  /// What the current role was last found to be allowed.
  struct SequenceAccess {
    Oid sequence = 0, role = 0;
    Privileges any_of = 0;
    std::shared_ptr<const Catalog> catalog;
  } sequence_access_;
  /// Values that a statement's attempt within one call took: if it has to go the long way, it gets the same ones again.
  struct TakenValue {
    Oid sequence;
    std::int64_t value;
  };
  std::vector<TakenValue> taken_values_;
  std::size_t next_taken_ = 0;
  bool trying_fast_ = false;

  // Advisory locks
  AdvisoryLocker advisory_;
  std::vector<std::pair<AdvisoryHold, std::uint64_t>> session_advisory_;   ///< with how often
  std::vector<AdvisoryHold> transaction_advisory_;                         ///< in the order in which they were taken
  struct AwaitedAdvisory {
    AdvisoryHold hold;
    bool of_transaction;
  };
  std::vector<AwaitedAdvisory> awaited_advisory_;
  std::vector<std::string> exported_snapshots_;   ///< by the transaction that is open
  std::string imported_snapshot_;
  LockReport lock_report_;   ///< as of the begin of the last statement that shows locks

  // Time
  std::int64_t statement_timestamp_ = 0, transaction_timestamp_ = 0, backend_start_ = 0;
  Timer statement_timer_, lock_timer_, idle_timer_, sleep_timer_;
  double sleep_seconds_ = 0;
  bool hold_rows_ = false;                       ///< something has to be waited for before the next row: pg_sleep, room in the log, an advisory lock
  bool rows_can_wait_ = false;                   ///< whoever evaluates looks at hold_rows_ after each row

  // Waiting
  Task<void> operation_;
  std::coroutine_handle<> parked_handle_;
  Parked parked_ = Parked::kNone;
  bool in_call_ = false, woken_ = false, closing_ = false, next_turn_posted_ = false, reads_while_pending_ = false;
  WakeUp wake_up_;
  Closer closer_;
  Status cancelled_;
  RunningProcedure* procedure_ = nullptr;
  std::unique_ptr<NullSink> null_sink_;
  ExecutionEnv env_;
  PlaceMemory places_;
  Arena scratch_;                                ///< of one statement that runs within one call
  std::vector<Value> argument_values_;
  std::uint64_t random_state_[2] = {};

  // Routines
  std::unordered_map<std::string, std::shared_ptr<RoutineBody>> bodies_;
  std::vector<RoutineFrame*> frames_;
  BindVariables* variables_ = nullptr;           ///< while compile_nested() binds
  std::shared_ptr<const TransitionTables> transitions_;   ///< of the trigger function that runs; null: none
  std::unique_ptr<ValueCasts> casts_;
  unsigned routine_depth_ = 0, non_atomic_depth_ = 0;
  std::int64_t share_end_us_ = 0;                ///< until when a statement with routines may hold the shard this turn
  std::uint32_t share_looks_ = 0;                ///< at share_end_us_: bounded, so that a share ends where no clock runs, too
  std::uint64_t last_cursor_ = 0;                ///< number of the last cursor that was given a name

  // Activity
  mutable std::mutex activity_mutex_;            ///< of activity_: read by any thread
  ActivitySnapshot activity_;
  std::int32_t trigger_depth_ = 0;
};

}  // namespace wandian::sql
