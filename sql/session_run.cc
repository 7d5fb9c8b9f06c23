// From a statement to its rows: compiling, caching, locking, running.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/table.h"
#include "sql/access/roles.h"
#include "sql/catalog/stored_objects.h"
#include "sql/plan/nodes.h"
#include "sql/session_notify.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"
#include "sql/shard_share.h"
#include "sql/statistics/statistics_store.h"
#include "sql/types/timezone.h"

namespace wandian::sql {

static constexpr std::size_t kStatementMemoryBytes = std::size_t{1} << 30;   ///< of one operator
// Memory is what this server is about: a sort below it never waits for a disk, however small work_mem is.
static constexpr std::size_t kLeastSortBytes = std::size_t{64} << 20;

// ---- Names and contexts ----

const std::vector<Oid>& SessionImpl::search_path() {
  const std::shared_ptr<const Catalog>& now = catalog();
  // New statistics make new plans. Both numbers only grow, so their sum changes with either.
  const std::uint64_t statistics = server_.statistics().epoch(), generation = settings_.plan_generation() + statistics;
  if (search_path_catalog_ == now && search_path_generation_ == generation) [[likely]] return search_path_;
  search_path_catalog_ = now;
  search_path_generation_ = generation;
  search_path_.clear();
  superuser_ = is_superuser_role(*now, current_role_);
  statistics_wanted_ = statistics_wanted(*now);
  settings_.set_superuser(superuser_);
  bool catalog_named = false, temporary_named = false;
  const AccessScope scope = access_scope();
  const auto add = [&](Oid schema) {
    if (schema != 0 && (superuser_ || schema == temporary_schema_ || may_use_schema(scope, schema)) &&
        std::find(search_path_.begin(), search_path_.end(), schema) == search_path_.end()) search_path_.push_back(schema);
  };
  for (const std::string& name : settings_.decoded().search_path) {
    if (name == "pg_catalog") {
      catalog_named = true;
      add(kPgCatalogSchema);
    } else if (name == "pg_temp") {
      temporary_named = true;
      add(temporary_schema_);
    } else if (name == "$user") {
      if (const std::optional<Oid> schema = now->find_schema(database_, current_user())) add(*schema);
    } else if (name == "information_schema") {
      add(kInformationSchema);
    } else if (const std::optional<Oid> schema = now->find_schema(database_, name)) {
      add(*schema);
    }
  }
  if (!catalog_named) search_path_.insert(search_path_.begin(), kPgCatalogSchema);
  if (!temporary_named && temporary_schema_ != 0) search_path_.insert(search_path_.begin(), temporary_schema_);
  // Everything that binding may bake into a tree: names, and literals of dates, times and the like.
  const FormatSettings& format = settings_.decoded().format;
  std::string key = std::to_string(database_);
  for (const Oid schema : search_path_) key.append(",").append(std::to_string(schema));
  key.append(";").append(std::to_string(static_cast<int>(format.date_style))).append(std::to_string(static_cast<int>(format.date_order)));
  key.append(std::to_string(static_cast<int>(format.interval_style))).append(format.bytea_hex ? "h" : "e");
  key.append(std::to_string(format.extra_float_digits)).append(";").append(format.time_zone != nullptr ? format.time_zone->name : "");
  key.append(";").append(std::to_string(current_role_)).append(",").append(std::to_string(session_role_));
  std::unordered_map<std::string, std::uint64_t>& contexts = server_.share(shard_.index()).contexts;
  plan_context_ = contexts.try_emplace(std::move(key), contexts.size() + 1).first->second | statistics << 32;
  return search_path_;
}

std::uint64_t SessionImpl::plan_context() {
  (void)search_path();
  return plan_context_;
}

void SessionImpl::set_temporary_schema(Oid schema) {
  temporary_schema_ = schema;
  search_path_catalog_.reset();
}

Result<Oid> SessionImpl::creation_schema() {
  const std::shared_ptr<const Catalog>& now = catalog();
  for (const std::string& name : settings_.decoded().search_path) {
    if (name == "pg_temp") {
      if (temporary_schema_ != 0) return temporary_schema_;
      continue;
    }
    const std::optional<Oid> schema = now->find_schema(database_, name == "$user" ? current_user() : name);
    if (schema && (superuser_ || may_use_schema(access_scope(), *schema))) return *schema;
    if (name == "pg_catalog") return Oid{kPgCatalogSchema};
  }
  return Status{sqlstate::invalid_schema_name, "no schema has been selected to create in"};
}

BindContext SessionImpl::bind_context() {
  BindContext context;
  context.catalog = catalog();
  context.database = database_;
  context.search_path = search_path();
  context.temporary_schema = temporary_schema_;
  context.role = superuser_ ? 0 : current_role_;
  context.procedures = server_.procedures();
  context.variables = variables_;
  context.transitions = transitions_.get();
  context.read_only = block_ == Block::kNone ? settings_.decoded().default_read_only : read_only_;
  return context;
}

EvalContext SessionImpl::eval_context(Arena& arena) {
  // A statement that begins a transaction is bound before it does.
  const std::int64_t begun = block_ == Block::kNone ? statement_timestamp_ : transaction_timestamp_;
  return EvalContext{arena, settings_.decoded().format, this, statement_timestamp_, begun, {}};
}

ExecutionEnv& SessionImpl::execution_env() {
  if (env_.catalog != catalog()) env_.catalog = catalog();
  env_.statement_timestamp = statement_timestamp_;
  env_.transaction_timestamp = transaction_timestamp_;
  env_.memory_limit_bytes = kStatementMemoryBytes;
  env_.is_replica = settings_.decoded().is_replica;
  env_.transitions = transitions_;
  env_.places = &places_;
  env_.spill_bytes = std::clamp(settings_.decoded().work_mem_bytes, kLeastSortBytes, kStatementMemoryBytes / 2);
  return env_;
}

// ---- Compiling ----

Status SessionImpl::bind_and_plan(CompiledStatement& statement, const ParseNode* node, bool plan) {
  Arena arena;
  EvalContext eval = eval_context(arena);
  BindContext context = bind_context();
  context.eval = &eval;
  statement.catalog = context.catalog;
  statement.context = plan_context();
  WANDIAN_ASSIGN(statement.bound, bind_statement(node, statement.text(), context, statement.declared_types));
  const BoundStatement& bound = *statement.bound;
  statement.parameter_types = bound.parameter_types;
  for (const TargetEntry& target : bound.result_columns()) {
    ResultColumn column;
    column.name = target.name;
    column.type = target.expr->type;
    column.typmod = target.expr->typmod;
    column.table = target.origin_table;
    column.attribute = target.origin_column;
    statement.columns.push_back(std::move(column));
  }
  statement.returns_rows = !statement.columns.empty();
  if (bound.kind == BoundKind::kCallProcedure) {
    statement.code = std::make_unique<Arena>();
    CompileOptions options;
    options.journaled = bound.procedure.routine != nullptr;
    for (const Expr* argument : bound.procedure.args) {
      WANDIAN_ASSIGN(const CompiledExpr code, sql::compile(*argument, *statement.code, options));
      statement.arguments.push_back(code);
    }
    if (bound.procedure.routine == nullptr) {
      statement.returns_rows = !bound.procedure.is_call;
      if (bound.procedure.is_call) statement.columns.clear();
    }
  } else if (plan) {
    PlanContext plan_with;
    plan_with.catalog = context.catalog;
    plan_with.placement = &engine_database().placement();
    plan_with.statistics = &server_.statistics();
    WANDIAN_ASSIGN(statement.plan, plan_statement(statement.bound, plan_with));
    statement.columns = statement.plan->columns;
    statement.returns_rows = statement.plan->returns_rows;
    statement.fast = statement.plan->body->fast.possible;
    for (const PlanLock& lock : statement.plan->locks)
      if (auto table = context.catalog->table(lock.table)) {
        if (!table->populated) statement.unpopulated = table.get();
        server_.statistics().keep_fresh(shard_, table);
        statement.locks.emplace_back(std::move(table), lock.mode);
      } else if (const auto view = context.catalog->object(ObjectKind::kView, lock.table)) {
        statement.locks.emplace_back(view_to_lock(*view), lock.mode);
      }
  }
  describe_columns(statement);
  (void)check_access(statement);   // whoever runs it is told
  return {};
}

// ---- Privileges ----

Status SessionImpl::check_access(const BoundStatement& statement) {
  const AccessScope scope = access_scope();
  for (const RelationAccess& access : statement.accesses) WANDIAN_TRY(check_relation_access(scope, access));
  for (const Oid function : statement.executed) WANDIAN_TRY(check_privilege(scope, AclKind::kFunction, function, privilege::kExecute));
  return {};
}

Status SessionImpl::check_access(const CompiledStatement& statement) {
  if (statement.bound == nullptr) return {};
  if (statement.access_catalog != catalog()) {
    Status status = check_access(*statement.bound);
    statement.denied = status.ok() ? nullptr : std::make_shared<const Status>(std::move(status));
    statement.access_catalog = catalog();
  }
  return statement.denied == nullptr ? Status{} : statement.denied->clone();
}

Result<CompiledPtr> SessionImpl::compile(std::shared_ptr<const ParsedStatements> parsed, std::size_t index, const ParseNode* inner,
                                         std::span<const Oid> declared) {
  auto statement = std::make_shared<CompiledStatement>();
  statement->parsed = std::move(parsed);
  statement->index = index;
  statement->inner = inner;
  statement->declared_types.assign(declared.begin(), declared.end());
  if (statement->parsed->statements().empty()) {
    statement->empty = true;
    statement->tag = "";
    return CompiledPtr(std::move(statement));
  }
  const ParseNode* node = statement->node();
  statement->kind = classify(node);
  statement->tag = command_tag(node);
  switch (statement->kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kCall: {
      const std::int64_t begun = counts_statements() && settings_.decoded().track_planning ? statement_clock() : 0;
      WANDIAN_TRY(bind_and_plan(*statement, node, true));
      if (begun != 0) statement->planning_ns = statement_clock() - begun;
      break;
    }
    case StatementKind::kExplain:
    case StatementKind::kDeclareCursor:
    case StatementKind::kCreateTableAs: {
      // Bound now for the types of their parameters, and again when they run.
      const ParseNode* inside = inner_statement(node);
      std::optional<SelectWithoutInto> select;
      if (inside == node) inside = select.emplace(*node).node();   // SELECT INTO
      const StatementKind kind = inside != nullptr ? classify(inside) : StatementKind::kOther;
      const bool bindable = kind == StatementKind::kSelect || kind == StatementKind::kInsert || kind == StatementKind::kUpdate ||
                            kind == StatementKind::kDelete || kind == StatementKind::kMerge;
      if (bindable) {
        CompiledStatement types;
        types.parsed = statement->parsed;
        types.declared_types = statement->declared_types;
        WANDIAN_TRY(bind_and_plan(types, inside, false));
        if (statement->kind == StatementKind::kDeclareCursor) WANDIAN_TRY(check_cursor(*node->declare_cursor_stmt, *types.bound));
        statement->parameter_types = types.parameter_types;
      }
      if (statement->kind == StatementKind::kExplain) {
        WANDIAN_ASSIGN(statement->columns, utility_columns(*statement));
      }
      break;
    }
    case StatementKind::kShow: {
      const char* name = node->variable_show_stmt->name;
      if (name != nullptr && std::string_view(name) != "all" && !show_value(name)) return unrecognized_setting(name);
      WANDIAN_ASSIGN(statement->columns, utility_columns(*statement));
      break;
    }
    default: break;
  }
  return CompiledPtr(std::move(statement));
}

Result<CompiledPtr> SessionImpl::compile_text(std::string_view text, std::span<const Oid> declared) {
  StatementCache& cache = server_.share(shard_.index()).statements;
  const StatementCache::Key key{plan_context(), {reinterpret_cast<const char*>(declared.data()), declared.size_bytes()}, text};
  if (CompiledPtr found = cache.find(key, catalog())) return found;
  WANDIAN_ASSIGN(ParsedStatements parsed, ParsedStatements::parse(text));
  if (parsed.statements().size() > 1)
    return Status{sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement"};
  WANDIAN_ASSIGN(CompiledPtr statement, compile(std::make_shared<const ParsedStatements>(std::move(parsed)), 0, nullptr, declared));
  // A transaction's own DDL is nobody else's.
  const bool own_catalog = statement->bound != nullptr && catalog() != shard_.catalog();
  const bool uncacheable = statement->bound != nullptr && (!statement->bound->cacheable || statement->bound->uses_temporary);
  if (!own_catalog && !uncacheable) cache.insert(key, statement);
  return statement;
}

namespace {

bool same_shape(const CompiledStatement& a, const CompiledStatement& b) {
  if (a.columns.size() != b.columns.size() || a.returns_rows != b.returns_rows) return false;
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const ResultColumn &x = a.columns[i], &y = b.columns[i];
    if (x.type != y.type || x.typmod != y.typmod || x.name != y.name) return false;
  }
  return true;
}

}  // namespace

// The statement as it has to be run now: itself under the catalog and the settings it was compiled for.
Result<CompiledPtr> SessionImpl::current_form(const CompiledPtr& statement, bool shape_fixed) {
  if (statement->bound == nullptr) return statement;
  if (statement->catalog == catalog() && statement->context == plan_context()) [[likely]] return statement;
  // The types that were inferred at first stay, as PostgreSQL's do.
  const bool whole_text = statement->inner == nullptr && statement->parsed->statements().size() == 1;
  WANDIAN_ASSIGN(CompiledPtr renewed,
                 whole_text ? compile_text(statement->text(), statement->parameter_types)
                            : compile(statement->parsed, statement->index, statement->inner, statement->parameter_types));
  if (shape_fixed && !same_shape(*statement, *renewed))
    return Status{sqlstate::feature_not_supported, "cached plan must not change result type"}.with_routine("RevalidateCachedQuery");
  return renewed;
}

// ---- Locks and snapshots ----

bool SessionImpl::try_lock(const CompiledStatement& statement) {
  // A table may have a great many partitions.
  constexpr std::size_t kMany = 8;
  if (statement.locks.size() > kMany && !transaction_.holds_table_locks()) {
    for (const auto& [table, mode] : statement.locks)
      if (!transaction_.try_lock_new_table(*table, mode)) return false;
    return true;
  }
  for (const auto& [table, mode] : statement.locks)
    if (!transaction_.try_lock_table(*table, mode)) return false;
  return true;
}

Task<Status> SessionImpl::lock_table(std::shared_ptr<const TableDef> table, TableLock mode, LockWait wait) {
  if (transaction_.try_lock_table(*table, mode)) co_return Status{};
  const std::int64_t timeout = settings_.decoded().lock_timeout_ms;
  if (timeout > 0 && wait == LockWait::kBlock) arm(lock_timer_, timeout);
  Status status = co_await settled(transaction_.lock_table(std::move(table), mode, wait));
  disarm(lock_timer_);
  co_return std::move(status);
}

Task<void> SessionImpl::begin_statement() {
  queried_ = true;
  while (!transaction_.begin_statement()) co_await pause();
}

// Locks first, then the catalog, then a snapshot not older: a definition that changed while we waited is bound anew.
Task<Status> SessionImpl::lock_and_begin(CompiledPtr* statement, bool shape_fixed) {
  WANDIAN_CO_TRY(ensure_transaction());
  for (;;) {
    Result<CompiledPtr> current = current_form(*statement, shape_fixed);
    if (!current.ok()) co_return current.take_status();
    *statement = current.take();
    if (!try_lock(**statement)) {
      for (const auto& [table, mode] : (*statement)->locks) WANDIAN_CO_TRY(co_await lock_table(table, mode));
    }
    if ((*statement)->bound != nullptr && (*statement)->bound->asks_shards) lock_report_ = co_await settled(report_locks(shard_));
    co_await begin_statement();
    if ((*statement)->bound == nullptr || (*statement)->holds_in(*catalog())) break;
    transaction_.end_statement();
    WANDIAN_CO_TRY(check_cancel());
  }
  // That the transaction may not write is said before that the role may not.
  Status allowed = read_only_ && (*statement)->plan != nullptr && (*statement)->plan->writes ? check_may_run(**statement) : check_access(**statement);
  if (!allowed.ok()) transaction_.end_statement();
  co_return std::move(allowed);
}

// ---- Within one call ----

SessionImpl::Fast SessionImpl::try_fast(const CompiledStatement& statement, std::span<const Value> params,
                                        std::span<const Format> formats, Status* status, std::uint64_t* processed) {
  if (*status = ensure_transaction(); !status->ok()) [[unlikely]] return Fast::kDone;
  if (*status = check_may_run(statement); !status->ok()) [[unlikely]] return Fast::kDone;
  if (!try_lock(statement) || statement.catalog != catalog() || statement.denied != nullptr) [[unlikely]] return Fast::kNot;
  queried_ = true;
  if (!transaction_.begin_statement()) [[unlikely]] return Fast::kNot;
  if (env_.catalog != statement.catalog) env_.catalog = statement.catalog;
  env_.statement_timestamp = statement_timestamp_;
  env_.transaction_timestamp = transaction_timestamp_;
  Arena& arena = server_.share(shard_.index()).row_arena;
  DataRowEncoder encoder(*sink_, statement.columns, formats, settings_.decoded().format, this);
  const SessionNotifications::Mark mark = notifications_ != nullptr ? notifications_->mark() : SessionNotifications::Mark{};
  trying_fast_ = true;
  const std::int64_t begun = counts_statements() ? statement_clock() : 0;
  const bool done = run_fast(*statement.plan, env_, params, arena, encoder, processed, status);
  if (begun != 0 && done && status->ok()) count_statement(statement, statement_clock() - begun, *processed);
  trying_fast_ = false;
  if (!done && notifications_ != nullptr) [[unlikely]] notifications_->undo_to(mark);   // it is run again, the long way
  arena.reset();
  transaction_.end_statement();
  return done ? Fast::kDone : Fast::kNot;
}

Status SessionImpl::evaluate_arguments(const CompiledStatement& statement, std::span<const Value> params, Arena& arena,
                                       std::vector<Value>* out) {
  EvalContext context = eval_context(arena);
  ExprInput input;
  input.params = params.data();
  out->resize(statement.arguments.size());
  for (std::size_t i = 0; i < statement.arguments.size(); ++i)
    if (!statement.arguments[i].eval(context, input, &(*out)[i])) [[unlikely]] return std::move(context.error);
  return {};
}

SessionImpl::Fast SessionImpl::try_fast_procedure(const CompiledStatement& statement, std::span<const Value> params,
                                                  std::span<const Format> formats, Status* status) {
  ProcedureCaller* caller = server_.procedure_caller();
  if (caller == nullptr || statement.bound->procedure.routine != nullptr) return Fast::kNot;
  if (*status = ensure_transaction(); !status->ok()) [[unlikely]] return Fast::kDone;
  if (read_only_) return Fast::kNot;
  if (statement.catalog != catalog() || statement.denied != nullptr) [[unlikely]] return Fast::kNot;
  queried_ = true;
  const std::int64_t begun = counts_statements() ? statement_clock() : 0;
  Arena& arena = server_.share(shard_.index()).row_arena;
  if (*status = evaluate_arguments(statement, params, arena, &argument_values_); status->ok()) [[likely]] {
    ProcedureRequest request;
    request.procedure = statement.bound->procedure.id;
    request.args = argument_values_;
    request.shard = &shard_;
    request.transaction = &transaction_;
    request.autocommit = commits_by_itself();
    request.statement_timestamp = statement_timestamp_;
    request.transaction_timestamp = transaction_timestamp_;
    request.ready = &wake_up_;
    Value result;
    std::vector<ErrorRecord> notices;
    if (!caller->run_now(request, arena, &result, &notices, status)) {
      arena.reset();
      return Fast::kNot;
    }
    if (!notices.empty()) [[unlikely]] show_notices(notices);
    if (status->ok() && statement.returns_rows) {
      DataRowEncoder encoder(*sink_, statement.columns, formats, settings_.decoded().format, this);
      *status = encoder.row({&result, 1});
    }
    if (begun != 0 && status->ok()) count_statement(statement, statement_clock() - begun, statement.returns_rows ? 1 : 0);
  }
  arena.reset();
  return Fast::kDone;
}

void SessionImpl::command_complete(const CompiledStatement& statement, std::uint64_t rows) {
  char tag[48];
  const std::string_view word = statement.kind == StatementKind::kInsert ? std::string_view("INSERT 0") : statement.tag;
  std::memcpy(tag, word.data(), word.size());
  char* at = tag + word.size();
  if (statement.kind != StatementKind::kCall) {
    *at++ = ' ';
    at = std::to_chars(at, tag + sizeof tag, rows).ptr;
  }
  sink_->command_complete({tag, static_cast<std::size_t>(at - tag)});
}

// ---- The long way ----

Task<Status> SessionImpl::run_execution(Execution& execution, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows,
                                        bool* finished, const ReadView* first_view) {
  CountingReceiver counting(receiver, hold_rows_);
  *finished = false;
  bool waiting = false;
  for (;;) {
    // While owners still work for it, only their answer ends it: cancel_running() has asked them to hurry.
    if (!waiting) WANDIAN_CO_TRY(check_cancel());
    shard_.start_budget();
    const ReadView statement_view = transaction_.view();
    if (first_view != nullptr) transaction_.view() = *first_view;
    const bool could_wait = std::exchange(rows_can_wait_, true);
    const Progress progress = execution.run(max_rows, counting);   // it counts what it has given since it was last suspended
    rows_can_wait_ = could_wait;
    if (std::exchange(first_view, nullptr) != nullptr) {
      const ReadView used = transaction_.view();
      transaction_.view() = statement_view;
      transaction_.view().raise_floor(used.floor);
      if (used.own != nullptr) transaction_.view().own = used.own;   // row locks may have made it
    }
    waiting = progress == Progress::kWaiting;
    if (progress == Progress::kCall) {
      disarm(lock_timer_);
      WANDIAN_CO_TRY(co_await run_routine(execution.call(), execution.view()));
      continue;
    }
    if (progress == Progress::kWaiting) {
      const std::int64_t timeout = settings_.decoded().lock_timeout_ms;
      if (timeout > 0 && lock_timer_.id == 0) arm(lock_timer_, timeout);
      co_await park(Parked::kWake);
      continue;
    }
    disarm(lock_timer_);
    *rows = counting.rows();
    if (progress == Progress::kPaused) {
      co_await pause();
      continue;
    }
    if (progress == Progress::kFailed) co_return execution.take_error();
    *finished = progress == Progress::kDone;
    while (hold_rows_) co_await pause();
    co_return check_cancel();
  }
}

Task<Status> SessionImpl::run_plan(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows, bool* finished) {
  if (portal.execution == nullptr) {
    WANDIAN_CO_TRY(co_await lock_and_begin(&portal.statement, portal.described));
    WANDIAN_CO_TRY(check_may_run(*portal.statement));
    portal.execution = Execution::create(portal.statement->plan, execution_env(), portal.params);
  } else if (!std::exchange(portal.begun, false)) {
    co_await begin_statement();
  }
  portal.started = true;
  const std::int64_t begun = counts_statements() ? statement_clock() : 0;
  Status status = co_await run_execution(*portal.execution, max_rows, receiver, rows, finished);
  if (begun != 0 && status.ok()) count_run(portal, statement_clock() - begun, *rows, *finished);
  transaction_.end_statement();
  co_return std::move(status);
}

Task<Status> SessionImpl::give_kept(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::uint64_t* rows, bool* finished) {
  *rows = 0;
  shard_.start_budget();
  while (portal.next_kept < portal.kept->rows() && (max_rows == 0 || *rows < max_rows)) {
    if (receiver.congested() || shard_.out_of_budget()) {
      co_await pause();
      WANDIAN_CO_TRY(check_cancel());
      shard_.start_budget();
    }
    WANDIAN_CO_TRY(receiver.row(portal.kept->at(portal.next_kept++)));
    ++*rows;
  }
  *finished = portal.next_kept == portal.kept->rows() && (max_rows == 0 || *rows < max_rows);
  co_return Status{};
}

Task<Status> SessionImpl::run_procedure(Portal& portal, RowReceiver& receiver) {
  ProcedureCaller* caller = server_.procedure_caller();
  if (caller == nullptr) co_return Status{sqlstate::feature_not_supported, "native procedures are not loaded"};
  WANDIAN_CO_TRY(ensure_transaction());
  if (read_only_)
    co_return Status{sqlstate::read_only_sql_transaction,
                     "cannot execute " + std::string(portal.statement->tag) + " of a native procedure in a read-only transaction"};
  Result<CompiledPtr> current = current_form(portal.statement, portal.described);
  if (!current.ok()) co_return current.take_status();
  portal.statement = current.take();
  const CompiledStatement& statement = *portal.statement;
  WANDIAN_CO_TRY(check_access(statement));
  queried_ = true;
  Arena arena;
  std::vector<Value> args;
  WANDIAN_CO_TRY(evaluate_arguments(statement, portal.params, arena, &args));
  ProcedureRequest request;
  request.procedure = statement.bound->procedure.id;
  request.args = args;
  request.shard = &shard_;
  request.transaction = &transaction_;
  request.autocommit = commits_by_itself();
  request.statement_timestamp = statement_timestamp_;
  request.transaction_timestamp = transaction_timestamp_;
  request.ready = &wake_up_;
  const std::unique_ptr<RunningProcedure> running = caller->start(request);
  procedure_ = running.get();
  const std::int64_t timeout = settings_.decoded().lock_timeout_ms;
  if (timeout > 0 && !running->done()) arm(lock_timer_, timeout);
  while (!running->done()) co_await park(Parked::kWake);
  disarm(lock_timer_);
  procedure_ = nullptr;
  show_notices(running->notices());
  WANDIAN_CO_TRY(running->take_status());
  if (!statement.returns_rows) co_return Status{};
  const Value result = running->result();
  co_return receiver.row({&result, 1});
}

// Runs a portal as far as `max_rows`. *tag is the command tag when it is finished; *suspended if it is not.
Task<Status> SessionImpl::run_portal(Portal& portal, std::uint64_t max_rows, RowReceiver& receiver, std::string* tag, bool* suspended) {
  *suspended = false;
  std::uint64_t rows = 0;
  bool finished = true;
  if (portal.kept != nullptr) {
    WANDIAN_CO_TRY(co_await give_kept(portal, max_rows, receiver, &rows, &finished));
  } else if (portal.statement->kind == StatementKind::kExecute) {
    WANDIAN_CO_TRY(resolve_execute(portal));
    co_return co_await run_portal(portal, max_rows, receiver, tag, suspended);
  } else if (portal.statement->is_procedure_call()) {
    const CompiledPtr called = portal.statement;
    const std::int64_t begun = counts_statements() ? statement_clock() : 0;
    if (portal.statement->bound->procedure.routine != nullptr) WANDIAN_CO_TRY(co_await run_user_procedure(portal, receiver));
    else WANDIAN_CO_TRY(co_await run_procedure(portal, receiver));
    if (begun != 0) count_statement(*called, statement_clock() - begun, called->kind == StatementKind::kCall ? 0 : 1);
    portal.done = true;
    *tag = portal.statement->kind == StatementKind::kCall ? "CALL" : "SELECT 1";
    co_return Status{};
  } else if (portal.statement->bound != nullptr) {
    WANDIAN_CO_TRY(co_await run_plan(portal, max_rows, receiver, &rows, &finished));
    if (finished) *tag = portal.execution->tag(rows);
  } else {
    *tag = portal.statement->tag;
    WANDIAN_CO_TRY(co_await run_counted_utility(portal, tag));
    if (portal.kept != nullptr) WANDIAN_CO_TRY(co_await give_kept(portal, max_rows, receiver, &rows, &finished));
  }
  *suspended = !finished;
  portal.done = finished;
  co_return Status{};
}

void SessionImpl::close_portal_object(Portal& portal) {
  if (portal.holds_snapshot) {
    shard_.release_snapshot(portal.view.snapshot);
    portal.holds_snapshot = false;
  }
  portal.reset();
}

// ---- For DDL ----

Task<Status> SessionImpl::run_bound(std::shared_ptr<const BoundStatement> bound, std::span<const Value> params, RowReceiver& receiver,
                                    std::uint64_t* processed) {
  PlanContext plan_with;
  plan_with.catalog = catalog();
  plan_with.placement = &engine_database().placement();
  Result<std::shared_ptr<const Plan>> planned = plan_statement(std::move(bound), plan_with);
  if (!planned.ok()) co_return planned.take_status();
  const std::shared_ptr<const Plan> plan = planned.take();
  WANDIAN_CO_TRY(ensure_transaction());
  for (const PlanLock& lock : plan->locks) {
    auto table = plan_with.catalog->table(lock.table);
    if (table != nullptr && !table->populated) co_return not_populated(*table);
    if (const auto view = plan_with.catalog->object(ObjectKind::kView, lock.table)) table = view_to_lock(*view);
    if (table != nullptr) WANDIAN_CO_TRY(co_await lock_table(std::move(table), lock.mode));
  }
  co_await begin_statement();
  const std::unique_ptr<Execution> execution = Execution::create(plan, execution_env(), params);
  std::uint64_t rows = 0;
  bool finished = false;
  Status status = co_await run_execution(*execution, 0, receiver, &rows, &finished);
  *processed = execution->processed();
  transaction_.end_statement();
  co_return std::move(status);
}

Task<Status> SessionImpl::run_sql(std::string text, RowReceiver& receiver, std::uint64_t* processed) {
  Result<CompiledPtr> compiled = compile_text(text, {});
  if (!compiled.ok()) co_return compiled.take_status();
  if (compiled.value()->bound != nullptr) co_return co_await run_bound(compiled.value()->bound, {}, receiver, processed);
  std::string tag(compiled.value()->tag);
  *processed = 0;
  if (!is_ddl(compiled.value()->kind))
    co_return Status{sqlstate::feature_not_supported, std::string(tag) + " cannot be run here"};
  WANDIAN_CO_TRY(ensure_transaction());
  const CompiledPtr statement = compiled.take();
  co_return co_await run_ddl(*this, statement->ref(), &tag);
}

}  // namespace wandian::sql
