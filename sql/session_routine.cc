// Functions, procedures and DO in a session: whose body runs, and the statements that bodies run (docs/functions.md).
#include <utility>

#include "engine/array_value.h"
#include "sql/messages.h"
#include "sql/routine/body.h"
#include "sql/routine/trigger.h"
#include "sql/routine/value_cast.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"

namespace wandian::sql {

namespace {

// How deep routines may call each other. PostgreSQL's bound is max_stack_depth; a run here takes memory, not stack.
constexpr unsigned kMaxRoutineDepth = 2000;
constexpr std::uint32_t kMostLooks = 100'000;
constexpr std::int64_t kShareUs = 1000;

Status too_deep() {
  return Status{sqlstate::statement_too_complex, "stack depth limit exceeded"}.with_hint(
      "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.");
}

}  // namespace

void make_internal(Status& status, std::string_view text, std::int32_t skipped_characters) {
  ErrorRecord& error = status.error();
  if (error.position <= 0) return;
  error.internal_position = std::max(1, error.position - skipped_characters);
  error.internal_query = text;
  error.position = 0;
}

// ---- Context lines ----

std::string SessionImpl::current_context() const {
  std::string out;
  for (std::size_t i = frames_.size(); i-- > 0;) frames_[i]->append_context(out);
  return out;
}

void SessionImpl::complete_context(Status& status) const {
  ErrorRecord& error = status.error();
  if (error.context_complete) return;
  error.context_complete = true;
  const std::string lines = current_context();
  if (lines.empty()) return;
  if (!error.context.empty()) error.context += '\n';
  error.context += lines;
}

// ---- Shares of the turn ----

bool SessionImpl::share_used_up() {
  const std::int64_t now = engine_database().env().clock().monotonic_us();
  if (share_end_us_ == 0) {
    share_end_us_ = now + kShareUs;
    share_looks_ = 0;
  }
  return now >= share_end_us_ || ++share_looks_ > kMostLooks;
}

Task<Status> SessionImpl::share_turn() {
  WANDIAN_CO_TRY(check_cancel());
  if (!share_used_up()) co_return Status{};
  co_await pause();
  share_end_us_ = 0;
  co_return check_cancel();
}

Task<Status> SessionImpl::settle_row() {
  while (hold_rows_) co_await pause();
  co_return check_cancel();
}

ValueCasts& SessionImpl::casts() {
  if (casts_ == nullptr) casts_ = std::make_unique<ValueCasts>();
  return *casts_;
}

// ---- Running a routine ----

Task<Status> SessionImpl::run_routine(RoutineCall& call, const ReadView& callers) {
  if (routine_depth_ >= kMaxRoutineDepth) {
    Status status = too_deep();
    complete_context(status);
    co_return std::move(status);
  }
  WANDIAN_CO_TRY(co_await share_turn());
  WANDIAN_CO_TRY(ensure_transaction());
  const Transaction::OpenStatement open = transaction_.set_statement_aside();
  const int triggers = call.trigger != nullptr ? 1 : 0;
  ++routine_depth_;
  trigger_depth_ += triggers;
  // Only the statements of the function itself know the transition tables, and only those around it its caller's variables.
  BindVariables* const variables = std::exchange(variables_, nullptr);
  const std::shared_ptr<const TransitionTables> outer = std::exchange(transitions_, call.trigger != nullptr ? call.trigger->transitions : nullptr);
  Status status = co_await guarded(run_body(call, callers));
  transitions_ = outer;
  variables_ = variables;
  trigger_depth_ -= triggers;
  --routine_depth_;
  if (transaction_.active()) transaction_.bring_statement_back(open);
  if (!status.ok()) {
    complete_context(status);
    co_return std::move(status);
  }
  call.done = true;
  co_return Status{};
}

Result<std::shared_ptr<RoutineBody>> SessionImpl::find_body(const RoutineCall& call) {
  constexpr std::size_t kMostBodies = 1000;
  const Routine& routine = *call.function->routine;
  std::string key = std::to_string(routine.oid);
  key.append(reinterpret_cast<const char*>(call.types.data()), call.types.size_bytes());
  if (call.trigger != nullptr) key += "t" + std::to_string(call.trigger->trigger) + "," + std::to_string(call.trigger->table->oid);
  const auto found = bodies_.find(key);
  if (found != bodies_.end() && found->second->routine_id == routine.id) return found->second;
  std::shared_ptr<RoutineBody> body;
  if (routine.is_plpgsql()) {
    WANDIAN_ASSIGN(body, make_plpgsql_body(*this, routine, call.types, call.trigger));
  } else {
    WANDIAN_ASSIGN(body, make_sql_body(*this, routine, call.types));
  }
  body->routine_id = routine.id;
  if (bodies_.size() >= kMostBodies) bodies_.clear();
  bodies_[key] = body;
  return body;
}

Task<Status> SessionImpl::run_body(RoutineCall& call, const ReadView& callers) {
  const Routine& routine = *call.function->routine;
  const FunctionObject& declared = routine.declaration;
  Result<std::shared_ptr<RoutineBody>> body = find_body(call);
  if (!body.ok()) co_return body.take_status();
  RoutineRun run{*this, call, {}};
  run.view.read_only = declared.volatility != 'v' && call.trigger == nullptr;
  run.view.callers = callers;
  const Oid outer_role = current_role_, outer_definer = definer_role_;
  const std::size_t mark = settings_.mark();
  if (declared.security_definer) {
    definer_role_ = routine.owner;
    become(session_role_, definer_role_);
  }
  const auto leave = [&] {
    if (!declared.security_definer) return;
    definer_role_ = outer_definer;
    become(session_role_, outer_role);
  };
  for (const auto& [name, value] : declared.settings) {
    Status status = set_value(name, value, true, true);
    if (!status.ok()) {
      settings_.rollback_to(mark);
      settings_changed();
      leave();
      co_return std::move(status);
    }
  }
  const std::shared_ptr<RoutineBody> held = body.take();
  Status status = co_await held->run(run);
  if (!declared.settings.empty() && mark <= settings_.mark()) {
    settings_.rollback_to(mark);
    settings_changed();
  }
  leave();
  co_return std::move(status);
}

// ---- Statements inside ----

Result<std::shared_ptr<const BoundStatement>> SessionImpl::bind_nested(const ParseNode* node, std::string_view text, BindVariables* variables,
                                                                       const ResolvedType* assign_to) {
  Arena arena;
  EvalContext eval = eval_context(arena);
  BindContext context = bind_context();
  context.eval = &eval;
  context.variables = variables;
  context.assign_to = assign_to;
  return bind_statement(node, text, context);
}

Result<CompiledPtr> SessionImpl::compile_nested(std::shared_ptr<const ParsedStatements> parsed, std::size_t index, BindVariables* variables,
                                                std::span<const Oid> declared) {
  BindVariables* const outer = std::exchange(variables_, variables);
  Result<CompiledPtr> compiled = compile(std::move(parsed), index, nullptr, declared);
  variables_ = outer;
  return compiled;
}

bool SessionImpl::is_current(const CompiledStatement& statement) {
  if (statement.bound == nullptr) return true;
  if (statement.context != plan_context()) return false;
  return statement.catalog == catalog() || statement.holds_in(*catalog());
}

// Locks, then a snapshot: as lock_and_begin(), but what has become stale is for the caller to compile again.
Task<Status> SessionImpl::lock_nested(const CompiledStatement& statement, const NestedView& view, bool* stale) {
  *stale = false;
  WANDIAN_CO_TRY(ensure_transaction());
  if (!try_lock(statement)) {
    for (const auto& [table, mode] : statement.locks) WANDIAN_CO_TRY(co_await lock_table(table, mode));
  }
  if (statement.bound != nullptr && statement.bound->asks_shards) lock_report_ = co_await settled(report_locks(shard_));
  if (view.read_only && view.callers.snapshot.bytes != 0) {
    queried_ = true;
    transaction_.begin_statement_as(view.callers);
  } else {
    co_await begin_statement();
  }
  if (is_current(statement)) {
    Status allowed = check_access(statement);
    if (!allowed.ok()) transaction_.end_statement();
    co_return std::move(allowed);
  }
  transaction_.end_statement();
  *stale = true;
  co_return check_cancel();
}

namespace {

std::string_view writing_command(const CompiledStatement& statement) {
  if (statement.plan != nullptr) return statement.plan->writes ? statement.plan->write_command : std::string_view();
  if (statement.bound != nullptr) return {};
  switch (statement.kind) {
    case StatementKind::kExplain:
    case StatementKind::kShow:
    case StatementKind::kFetch:
    case StatementKind::kSet: return {};
    default: return statement.tag;
  }
}

bool makes_materialized_view(const ParseNode& node) {
  return node.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT && node.create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
}

}  // namespace

Status SessionImpl::resolve_prepared(CompiledPtr* statement, std::vector<Value>* params, Arena& arena) {
  Portal portal;
  portal.statement = *statement;
  portal.params = *params;
  WANDIAN_TRY(resolve_execute(portal));
  *statement = portal.statement;
  params->clear();
  for (std::size_t i = 0; i < portal.params.size(); ++i) params->push_back(copy_value((*statement)->parameter_types[i], portal.params[i], arena));
  return {};
}

Task<Status> SessionImpl::begin_nested(const CompiledPtr& statement, std::span<const Value> params, const NestedView& view,
                                       std::unique_ptr<Execution>* execution, bool* stale) {
  if (view.read_only)
    if (const std::string_view command = writing_command(*statement); !command.empty())
      co_return Status{sqlstate::feature_not_supported, std::string(command) + " is not allowed in a non-volatile function"};
  WANDIAN_CO_TRY(co_await lock_nested(*statement, view, stale));
  if (*stale) co_return Status{};
  Status status = check_may_run(*statement);
  if (status.ok()) *execution = Execution::create(statement->plan, execution_env(), params);
  else transaction_.end_statement();
  co_return std::move(status);
}

// After begin_nested() the statement is open already; later portions begin one of their own.
Task<Status> SessionImpl::read_nested(Execution& execution, std::uint64_t max_rows, RowReceiver& receiver, const NestedView& view,
                                      std::uint64_t* rows, bool* finished) {
  if (!transaction_.in_statement()) {
    if (view.read_only && view.callers.snapshot.bytes != 0) transaction_.begin_statement_as(view.callers);
    else co_await begin_statement();
  }
  Status status = co_await run_execution(execution, max_rows, receiver, rows, finished);
  transaction_.end_statement();
  co_return std::move(status);
}

Task<Status> SessionImpl::run_nested(const CompiledPtr& statement, std::span<const Value> params, std::uint64_t max_rows,
                                     RowReceiver& receiver, const NestedView& view, NestedResult* result, bool* stale, BindVariables* variables) {
  *stale = false;
  result->kind = statement->kind;
  result->processed = 0;
  result->more = false;
  result->returned_rows = statement->returns_rows;
  if (statement->empty) co_return Status{};
  if (statement->kind == StatementKind::kTransaction)
    co_return Status{sqlstate::feature_not_supported, "EXECUTE of transaction commands is not implemented"};
  if (statement->plan == nullptr) {
    if (view.read_only)
      if (const std::string_view command = writing_command(*statement); !command.empty())
        co_return Status{sqlstate::feature_not_supported, std::string(command) + " is not allowed in a non-volatile function"};
    Portal portal;
    portal.statement = statement;
    for (std::size_t i = 0; i < params.size(); ++i)
      portal.params.push_back(i < statement->parameter_types.size() ? copy_value(statement->parameter_types[i], params[i], portal.arena) : params[i]);
    std::string tag(statement->tag);
    WANDIAN_CO_TRY(ensure_transaction());
    transaction_.next_command();
    if (statement->bound != nullptr) {
      Status status = statement->bound->procedure.routine != nullptr ? co_await run_call(portal, receiver) : co_await run_procedure(portal, receiver);
      if (status.ok() && statement->returns_rows) result->processed = 1;
      co_return std::move(status);
    }
    if (statement->kind == StatementKind::kExecute) co_return Status{sqlstate::invalid_cursor_definition, "cannot open EXECUTE query as cursor"};
    if (statement->kind == StatementKind::kCopy && text_or_empty(statement->node()->copy_stmt->filename).empty())
      co_return Status{sqlstate::feature_not_supported, "cannot COPY to/from client in PL/pgSQL"};
    const bool binds = statement->kind == StatementKind::kExplain || statement->kind == StatementKind::kDeclareCursor ||
                       (statement->kind == StatementKind::kCreateTableAs && !makes_materialized_view(*statement->node()));
    BindVariables* const outer = std::exchange(variables_, binds ? variables : nullptr);
    Status ran = co_await run_utility(portal, &tag);
    variables_ = outer;
    WANDIAN_CO_TRY(std::move(ran));
    if (portal.kept != nullptr) {
      result->returned_rows = true;
      result->processed = portal.kept->rows();
      for (std::size_t row = 0; row < portal.kept->rows() && (max_rows == 0 || row < max_rows); ++row)
        WANDIAN_CO_TRY(receiver.row(portal.kept->at(row)));
    } else if (const std::size_t space = tag.rfind(' '); statement->kind == StatementKind::kCreateTableAs && space != std::string::npos) {
      result->processed = std::strtoull(tag.c_str() + space + 1, nullptr, 10);
    }
    co_return Status{};
  }
  // What needs no operators and nothing to wait for.
  if (statement->fast && !view.read_only && is_current(*statement)) {
    WANDIAN_CO_TRY(ensure_transaction());
    WANDIAN_CO_TRY(check_may_run(*statement));
    queried_ = true;
    if (try_lock(*statement) && statement->catalog == catalog() && statement->denied == nullptr && transaction_.begin_statement()) {
      Arena arena;
      Status status;
      ExecutionEnv& env = execution_env();
      // Values of sequences that an attempt took are the long way's.
      taken_values_.clear();
      next_taken_ = 0;
      trying_fast_ = true;
      const bool done = run_fast(*statement->plan, env, params, arena, receiver, &result->processed, &status);
      trying_fast_ = false;
      transaction_.end_statement();
      if (done) taken_values_.clear();
      if (done) co_return std::move(status);
    }
  }
  std::unique_ptr<Execution> execution;
  WANDIAN_CO_TRY(co_await begin_nested(statement, params, view, &execution, stale));
  if (*stale) co_return Status{};
  std::uint64_t rows = 0;
  bool finished = false;
  Status status = co_await run_execution(*execution, max_rows, receiver, &rows, &finished);
  transaction_.end_statement();
  if (!status.ok()) co_return std::move(status);
  result->more = !finished;
  result->processed = execution->plan().kind == PlanKind::kSelect ? rows : execution->processed();
  co_return Status{};
}

// ---- Blocks with exception handlers ----

Status SessionImpl::begin_subtransaction() {
  WANDIAN_TRY(ensure_transaction());
  savepoints_.push_back(savepoint_here({}));
  return {};
}

void SessionImpl::release_subtransaction() {
  savepoints_.pop_back();
  for (auto& [key, portal] : portals_) portal->savepoint_depth = std::min(portal->savepoint_depth, savepoints_.size());
}

Task<void> SessionImpl::rollback_subtransaction() {
  const SavepointEntry savepoint = std::move(savepoints_.back());
  const std::size_t depth = savepoints_.size();
  savepoints_.pop_back();
  // The portals that hold the statements around stay: they were there before.
  for (auto at = portals_.begin(); at != portals_.end();) {
    Portal& portal = *at->second;
    if (portal.held || portal.savepoint_depth < depth || !portal.is_cursor) {
      ++at;
    } else {
      close_portal_object(portal);
      at = portals_.erase(at);
    }
  }
  if (transaction_.active()) transaction_.end_statement();
  co_await restore(savepoint);
  search_path_catalog_.reset();
  // A lock that came too late was one statement's; whoever catches it goes on.
  if (cancelled_.code() == sqlstate::lock_not_available) cancelled_ = {};
}

// ---- CALL and DO ----

Task<Status> SessionImpl::run_call(Portal& portal, RowReceiver& receiver) {
  WANDIAN_CO_TRY(ensure_transaction());
  const CompiledPtr statement = portal.statement;
  const ProcedureCall& procedure = statement->bound->procedure;
  WANDIAN_CO_TRY(check_access(*statement));
  Arena arena;
  RoutineCall call;
  call.function = procedure.routine;
  call.types = procedure.types;
  call.arena = &arena;
  // Arguments may call functions themselves.
  CallJournal journal;
  EvalContext context = eval_context(arena);
  context.journal = &journal;
  ExprInput input;
  input.params = portal.params.data();
  for (const CompiledExpr& argument : statement->arguments) {
    Value value;
    journal.clear();
    for (;;) {
      journal.rewind();
      if (argument.eval(context, input, &value)) break;
      if (!journal.asked()) co_return std::move(context.error);
      WANDIAN_CO_TRY(co_await run_routine(journal.call(), transaction_.view()));
      journal.answer();
    }
    call.args.push_back(copy_value(procedure.types[call.args.size()], value, arena));
  }
  const bool outermost = routine_depth_ == 0 && block_ == Block::kSingle && !pipelining_;
  const unsigned outer = outermost ? 0 : non_atomic_depth_;
  if (outermost || may_end_transaction()) non_atomic_depth_ = routine_depth_ + 1;
  Status status = co_await run_routine(call, transaction_.view());
  non_atomic_depth_ = outer;
  if (!status.ok()) co_return std::move(status);
  if (!statement->returns_rows) co_return Status{};
  const std::span<const TargetEntry> columns = statement->bound->result_columns();
  std::vector<Value> row(columns.size(), Value::null());
  if (!call.result.is_null) {
    const RecordView record(call.result);
    for (std::size_t i = 0; i < row.size() && i < record.count(); ++i) row[i] = record.field(static_cast<std::uint32_t>(i));
  }
  co_return receiver.row(row);
}

// CALL as a statement of its own.
Task<Status> SessionImpl::run_user_procedure(Portal& portal, RowReceiver& receiver) {
  WANDIAN_CO_TRY(ensure_transaction());
  Result<CompiledPtr> current = current_form(portal.statement, portal.described);
  if (!current.ok()) co_return current.take_status();
  portal.statement = current.take();
  queried_ = true;
  Status status = co_await run_call(portal, receiver);
  if (transaction_.active()) transaction_.end_statement();
  co_return std::move(status);
}

Task<Status> SessionImpl::run_do(StatementRef statement) {
  const PgQuery__DoStmt& node = *statement.node->do_stmt;
  std::string language = "plpgsql";
  std::string_view source;
  bool has_source = false;
  for (std::size_t i = 0; i < node.n_args; ++i) {
    const PgQuery__DefElem& option = *node.args[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "language") language = string_value(option.arg);
    if (key == "as") {
      source = string_value(option.arg);
      has_source = true;
    }
  }
  if (!has_source) co_return Status{sqlstate::syntax_error, "no inline code specified"};
  if (language != "plpgsql") {
    if (language == "sql" || language == "c" || language == "internal")
      co_return Status{sqlstate::feature_not_supported, "language " + quoted(language) + " does not support inline code execution"};
    co_return Status{sqlstate::undefined_object, "language " + quoted(language) + " does not exist"};
  }
  WANDIAN_CO_TRY(check_privilege(access_scope(), AclKind::kLanguage, language_by_name(language), privilege::kUsage));
  if (routine_depth_ >= kMaxRoutineDepth) co_return too_deep();
  Result<std::shared_ptr<RoutineBody>> body = make_do_body(*this, source);
  if (!body.ok()) {
    Status status = body.take_status();
    // The block stands in the statement's text: its errors are shown there.
    if (const std::int32_t position = status.error().position; position > 0) {
      const std::size_t begin = statement.text.find(source);
      if (begin != std::string_view::npos) {
        status.error().position = position + character_position(statement.text, static_cast<std::int32_t>(begin)) - 1;
      } else {
        make_internal(status, source);
      }
    }
    co_return std::move(status);
  }
  WANDIAN_CO_TRY(ensure_transaction());
  Arena arena;
  RoutineCall call;
  call.arena = &arena;
  RoutineRun run{*this, call, {}};
  const bool outermost = routine_depth_ == 0 && block_ == Block::kSingle && !pipelining_;
  ++routine_depth_;
  if (outermost) non_atomic_depth_ = routine_depth_;
  Status status = co_await guarded(body.value()->run(run));
  if (outermost) non_atomic_depth_ = 0;
  --routine_depth_;
  if (transaction_.active()) transaction_.end_statement();
  if (!status.ok()) complete_context(status);
  co_return std::move(status);
}

Task<Status> SessionImpl::end_transaction_inside(bool commit, bool chain) {
  (void)chain;   // the next transaction has this one's characteristics either way: a statement's own has no others
  if (transaction_.active()) transaction_.end_statement();
  const Isolation isolation = isolation_;
  const bool read_only = read_only_;
  // The statement's own portal is not the transaction's.
  std::unique_ptr<Portal> simple = std::exchange(simple_portal_, std::make_unique<Portal>());
  std::unique_ptr<Portal> unnamed = std::exchange(unnamed_portal_, std::make_unique<Portal>());
  Status status;
  if (commit) status = co_await commit_transaction();
  else co_await rollback_transaction();
  simple_portal_ = std::move(simple);
  unnamed_portal_ = std::move(unnamed);
  ensure_block();
  isolation_ = isolation;
  read_only_ = read_only;
  statement_timestamp_ = transaction_timestamp_ = clock_timestamp();
  if (!status.ok()) co_return std::move(status);
  co_return ensure_transaction();
}

// ---- Cursors of PL/pgSQL ----

Task<Status> SessionImpl::open_cursor(std::string* name, CompiledPtr statement, std::span<const Value> params, bool scroll,
                                      const NestedView& view, bool* stale) {
  *stale = false;
  if (statement->plan == nullptr || !statement->returns_rows)
    co_return Status{sqlstate::invalid_cursor_definition, "cannot open " + std::string(statement->tag) + " query as cursor"};
  if (name->empty()) {
    do *name = "<unnamed portal " + std::to_string(++last_cursor_) + ">";
    while (portals_.contains(*name));
  } else if (portals_.contains(*name)) {
    co_return Status{sqlstate::duplicate_cursor, "cursor " + quoted(*name) + " already in use"};
  }
  std::unique_ptr<Execution> execution;
  WANDIAN_CO_TRY(co_await begin_nested(statement, params, view, &execution, stale));
  if (*stale) co_return Status{};
  auto cursor = std::make_unique<Portal>();
  cursor->name = *name;
  cursor->is_cursor = true;
  cursor->scroll = scroll;
  cursor->creation_time = statement_timestamp_;
  cursor->savepoint_depth = savepoints_.size();
  cursor->statement = std::move(statement);
  cursor->execution = std::move(execution);
  cursor->execution->keep_position();
  cursor->view = transaction_.view();
  shard_.hold_snapshot(cursor->view.snapshot);
  cursor->holds_snapshot = true;
  transaction_.end_statement();
  portals_[*name] = std::move(cursor);
  co_return Status{};
}

bool SessionImpl::has_cursor(std::string_view name) { return portals_.find(name) != portals_.end(); }

Task<Status> SessionImpl::fetch_cursor(std::string_view name, CursorMove direction, std::int64_t count, bool all, bool move,
                                       RowReceiver& receiver, std::vector<ResultColumn>* columns, std::uint64_t* moved) {
  Portal* cursor = name.empty() ? nullptr : find_portal(name);
  if (cursor == nullptr) co_return Status{sqlstate::invalid_cursor_name, "cursor " + quoted(name) + " does not exist"};
  *columns = cursor->result_columns();
  co_return co_await move_cursor(*cursor, direction, count, all, move, receiver, moved);
}

Status SessionImpl::close_cursor(std::string_view name) {
  const auto found = portals_.find(name);
  if (found == portals_.end()) return Status{sqlstate::invalid_cursor_name, "cursor " + quoted(name) + " does not exist"};
  close_portal_object(*found->second);
  portals_.erase(found);
  return {};
}

}  // namespace wandian::sql
