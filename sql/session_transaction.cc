// Transaction blocks, as PostgreSQL's manual describes them (BEGIN, COMMIT, SAVEPOINT, SET TRANSACTION, and 55.2.2.1 for
// implicit transactions of several statements and of pipelines).
#include <utility>

#include "engine/table.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/parse/parser.h"
#include "sql/plan/plan.h"
#include "sql/session_notify.h"
#include "sql/session_portal.h"
#include "sql/session_wait.h"

namespace wandian::sql {

namespace {

using Kind = PgQuery__TransactionStmtKind;

Status only_in_block(std::string_view command) {
  return Status{sqlstate::no_active_sql_transaction, std::string(command) + " can only be used in transaction blocks"};
}

}  // namespace

// ---- State ----

void SessionImpl::ensure_block() {
  if (block_ != Block::kNone) return;   // in a pipeline, the transaction of the statement before
  const DecodedSettings& defaults = settings_.decoded();
  block_ = Block::kSingle;
  isolation_ = defaults.default_isolation;
  read_uncommitted_ = defaults.default_read_uncommitted;
  read_only_ = defaults.default_read_only;
  deferrable_ = defaults.default_deferrable;
  first_modes_ = {isolation_, read_uncommitted_, read_only_, deferrable_};
  queried_ = false;
  transaction_timestamp_ = statement_timestamp_;
}

Status SessionImpl::ensure_transaction() {
  ensure_block();
  if (transaction_.active()) return {};
  transaction_.begin(isolation_, read_only_);
  // Who waits for what the session has locked waits for this transaction.
  if (!session_advisory_.empty()) advisory_.transaction.store(transaction_.id(), std::memory_order_relaxed);
  return {};
}

Status SessionImpl::refuse_if_failed(const CompiledStatement& statement) {
  if (block_ != Block::kFailed || statement.empty || allowed_in_failed_transaction(statement.node())) return {};
  return Status{sqlstate::in_failed_sql_transaction,
                "current transaction is aborted, commands ignored until end of transaction block"};
}

Status not_populated(const TableDef& view) {
  return Status{sqlstate::object_not_in_prerequisite_state, "materialized view " + quoted(view.name) + " has not been populated"}.with_hint(
      "Use the REFRESH MATERIALIZED VIEW command.");
}

Status SessionImpl::check_may_run(const CompiledStatement& statement) {
  if (read_only_ && statement.plan != nullptr && statement.plan->writes) return read_only_refusal(statement.plan->write_command);
  if (statement.unpopulated != nullptr) [[unlikely]] return not_populated(*statement.unpopulated);
  return {};
}

Status SessionImpl::prevent_in_transaction_block(std::string_view command) {
  if (in_transaction_block())
    return Status{sqlstate::active_sql_transaction, std::string(command) + " cannot run inside a transaction block"};
  if (routine_depth_ != 0)
    return Status{sqlstate::active_sql_transaction, std::string(command) + " cannot be executed from a function"};
  if (pipelining_ && block_ == Block::kSingle)
    return Status{sqlstate::active_sql_transaction, std::string(command) + " cannot be executed within a pipeline"};
  commit_at_once_ = true;
  return {};
}

Status SessionImpl::require_transaction_block(std::string_view command) {
  return in_transaction_block() ? Status{} : only_in_block(command);
}

void SessionImpl::warn_outside_transaction_block(std::string_view command) {
  if (in_transaction_block() || routine_depth_ > 0) return;
  notice(Severity::kWarning, sqlstate::no_active_sql_transaction, std::string(command) + " can only be used in transaction blocks");
}

// ---- Commit and rollback ----

// Portals made within `depth` savepoints or more end; held ones do not.
void SessionImpl::drop_portals(std::size_t depth, bool keep_held) {
  for (auto at = portals_.begin(); at != portals_.end();) {
    Portal& portal = *at->second;
    const bool held = keep_held && portal.held;
    if (held || portal.savepoint_depth < depth) {
      ++at;
    } else {
      close_portal_object(portal);
      at = portals_.erase(at);
    }
  }
  if (unnamed_portal_->statement != nullptr && unnamed_portal_->savepoint_depth >= depth) close_portal_object(*unnamed_portal_);
  if (simple_portal_->execution != nullptr) close_portal_object(*simple_portal_);
}

// What the end of a transaction, whichever, leaves of the session's own state.
void SessionImpl::forget_transaction(bool committed) {
  savepoints_.clear();
  release_transaction_advisory(0);
  if (!exported_snapshots_.empty() || !imported_snapshot_.empty()) [[unlikely]] release_snapshots();
  advisory_.transaction.store(0, std::memory_order_relaxed);
  const bool settings = settings_.uncommitted();
  if (committed) {
    committed_temporary_schema_ = temporary_schema_;
    settings_.commit();
  } else {
    temporary_schema_ = committed_temporary_schema_;
    settings_.rollback();
  }
  if (settings) settings_changed();
  changed_types_.clear();
  new_labels_.clear();
  for (const Oid database : std::exchange(closed_databases_, {})) server_.open_database(database);
  block_ = Block::kNone;
  queried_ = false;
  deferred_.clear();
  if (notifications_ != nullptr) [[unlikely]] end_notifications(committed);
}

bool SessionImpl::try_commit_transaction(Status* status) {
  *status = {};
  if (has_cursors_to_hold() || deferred_.pending() || !on_commit_tables().empty()) return false;
  const SyncCommit level = settings_.decoded().synchronous_commit;
  drop_portals(0, true);
  if (notifications_ != nullptr && notifications_->pending()) [[unlikely]] {
    *status = prepare_notifications();
    if (!status->ok()) return try_rollback_transaction();
  }
  if (transaction_.active()) {
    if (!transaction_.try_commit(level, status)) return false;
    if (!status->ok()) [[unlikely]] {
      if (!transaction_.try_rollback()) return false;
      forget_transaction(false);
      return true;
    }
  }
  if (level == SyncCommit::kOff) relaxed_answer_ = true;
  forget_transaction(true);
  return true;
}

// Temporary tables that a commit drops or empties.
std::vector<std::shared_ptr<const TableDef>> SessionImpl::on_commit_tables() {
  std::vector<std::shared_ptr<const TableDef>> out;
  if (!on_commit_ || !transaction_.active()) [[likely]] return out;
  for (const auto& [oid, table] : catalog()->tables()) {
    if (table->schema != temporary_schema_ || table->on_commit == 0) continue;
    if (table->on_commit == 'd' || table->storage->highest.load(std::memory_order_acquire) != 0) out.push_back(table);
  }
  return out;
}

Task<Status> SessionImpl::run_on_commit() {
  std::string dropped, emptied;
  for (const std::shared_ptr<const TableDef>& table : on_commit_tables()) {
    std::string& list = table->on_commit == 'd' ? dropped : emptied;
    list += (list.empty() ? "pg_temp." : ", pg_temp.") + quote_identifier(table->name);
  }
  struct NoRows final : RowReceiver {
    Status row(std::span<const Value>) override { return {}; }
  } nobody;
  std::uint64_t processed = 0;
  if (!dropped.empty()) WANDIAN_CO_TRY(co_await run_sql("DROP TABLE " + dropped + " CASCADE", nobody, &processed));
  if (!emptied.empty()) WANDIAN_CO_TRY(co_await run_sql("TRUNCATE " + emptied, nobody, &processed));
  co_return Status{};
}

Task<Status> SessionImpl::commit_transaction() {
  if (deferred_.pending()) {
    Status status = co_await check_deferred(true, {});
    if (!status.ok()) {
      co_await rollback_transaction();
      co_return std::move(status);
    }
  }
  if (has_cursors_to_hold()) {
    Status status = co_await hold_cursors();
    if (!status.ok()) {
      co_await rollback_transaction();
      co_return std::move(status);
    }
  }
  Status status;
  if (!on_commit_tables().empty()) {
    status = co_await guarded(run_on_commit());
    if (!status.ok()) {
      co_await rollback_transaction();
      co_return std::move(status);
    }
  }
  if (try_commit_transaction(&status)) co_return std::move(status);
  const SyncCommit level = settings_.decoded().synchronous_commit;
  if (transaction_.active()) {
    status = co_await settled(guarded(transaction_.commit(level)));
    if (!status.ok()) {
      co_await rollback_transaction();
      co_return std::move(status);
    }
  }
  if (level == SyncCommit::kOff) relaxed_answer_ = true;
  forget_transaction(true);
  co_return Status{};
}

bool SessionImpl::try_rollback_transaction() {
  drop_portals(0, true);
  if (transaction_.active() && !transaction_.try_rollback()) return false;
  forget_transaction(false);
  return true;
}

Task<void> SessionImpl::rollback_transaction() {
  drop_portals(0, true);
  if (transaction_.active() && !transaction_.try_rollback()) co_await settled(transaction_.rollback());
  forget_transaction(false);
}

// What a block's own commands made of its modes goes with what else they did: AND CHAIN does not pass it on.
void SessionImpl::fail_block() {
  block_ = Block::kFailed;
  isolation_ = first_modes_.isolation;
  read_uncommitted_ = first_modes_.read_uncommitted;
  read_only_ = first_modes_.read_only;
  deferrable_ = first_modes_.deferrable;
}

// After an error, at once: everything of an implicit transaction; of a block what came after its last savepoint.
bool SessionImpl::try_abort_statement() {
  if (transaction_.active()) transaction_.end_statement();
  if (block_ == Block::kNone || block_ == Block::kFailed) return true;
  const bool explicit_block = block_ == Block::kExplicit;
  if (explicit_block && !savepoints_.empty()) return false;
  if (!try_rollback_transaction()) return false;
  if (explicit_block) fail_block();
  return true;
}

Task<void> SessionImpl::abort_statement() {
  if (try_abort_statement()) co_return;
  const bool explicit_block = block_ == Block::kExplicit;
  if (explicit_block && !savepoints_.empty()) {
    co_await undo_to(savepoints_.back());
    block_ = Block::kFailed;
  } else {
    co_await rollback_transaction();
    if (explicit_block) fail_block();
  }
}

Task<void> SessionImpl::abort_and_report(Status status) {
  const Encoding* spoken = client_encoding();
  co_await abort_statement();
  send_error(std::move(status), spoken);
}

SessionImpl::SavepointEntry SessionImpl::savepoint_here(std::string_view name) {
  SavepointEntry entry;
  entry.name = name;
  entry.point = transaction_.savepoint();
  entry.settings_mark = settings_.mark();
  entry.advisory_locks = transaction_advisory_.size();
  entry.read_only = read_only_;
  entry.temporary_schema = temporary_schema_;
  entry.deferred = deferred_.mark();
  if (notifications_ != nullptr) {
    entry.notifications_sent = notifications_->mark().sent;
    entry.listen_actions = notifications_->mark().actions;
  }
  return entry;
}

Task<void> SessionImpl::undo_to(const SavepointEntry& savepoint) {
  drop_portals(static_cast<std::size_t>(&savepoint - savepoints_.data()) + 1, false);
  co_await restore(savepoint);
}

// Rows, locks, settings and what else a transaction changes, as they were.
Task<void> SessionImpl::restore(const SavepointEntry& savepoint) {
  if (transaction_.active()) co_await settled(transaction_.rollback_to(savepoint.point));
  release_transaction_advisory(savepoint.advisory_locks);
  settings_.rollback_to(savepoint.settings_mark);
  read_only_ = savepoint.read_only;
  temporary_schema_ = savepoint.temporary_schema;
  if (notifications_ != nullptr) notifications_->undo_to({savepoint.notifications_sent, savepoint.listen_actions});
  deferred_.undo_to(savepoint.deferred);
  settings_changed();
}

bool SessionImpl::try_finish_implicit(Status* status) {
  *status = {};
  if (block_ != Block::kSingle && block_ != Block::kImplicit) return true;
  return try_commit_transaction(status);
}

Task<Status> SessionImpl::finish_implicit() {
  if (block_ != Block::kSingle && block_ != Block::kImplicit) co_return Status{};
  co_return co_await commit_transaction();
}

// ---- Commands ----

Status SessionImpl::begin_block(const PgQuery__TransactionStmt& statement) {
  if (block_ == Block::kExplicit) {
    notice(Severity::kWarning, sqlstate::active_sql_transaction, "there is already a transaction in progress");
    return apply_transaction_modes(statement.options, statement.n_options, false);
  }
  ensure_block();
  const Block before = std::exchange(block_, Block::kExplicit);
  Status status = apply_transaction_modes(statement.options, statement.n_options, false);
  if (!status.ok()) block_ = before;   // there is no block then
  return status;
}

// COMMIT AND CHAIN: a new block with the characteristics of the last one.
void SessionImpl::chain_block() {
  block_ = Block::kExplicit;
  first_modes_ = {isolation_, read_uncommitted_, read_only_, deferrable_};
  queried_ = false;
  transaction_timestamp_ = statement_timestamp_;
}

// What needs no coroutine: BEGIN, SAVEPOINT, RELEASE, and most ends. False: run_transaction_command(), nothing was done.
bool SessionImpl::try_transaction_command(StatementRef statement, std::string_view* tag, Status* status) {
  const PgQuery__TransactionStmt& command = *statement.node->transaction_stmt;
  *status = {};
  const bool in_block = block_ == Block::kExplicit || block_ == Block::kFailed;
  switch (command.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
      *status = begin_block(command);
      return true;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK: {
      const bool commit = command.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT;
      if (!in_block) {
        if (command.chain != 0) {
          *status = only_in_block(commit ? "COMMIT AND CHAIN" : "ROLLBACK AND CHAIN");
          return true;
        }
        notice(Severity::kWarning, sqlstate::no_active_sql_transaction, "there is no transaction in progress");
      }
      const bool failed = block_ == Block::kFailed;
      if (failed) *tag = "ROLLBACK";
      if (commit && !failed) {
        if (!try_commit_transaction(status)) return false;
      } else if (!try_rollback_transaction()) {
        return false;
      }
      if (command.chain != 0 && status->ok()) chain_block();
      return true;
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT: {
      if (!in_block) {
        *status = only_in_block("SAVEPOINT");
        return true;
      }
      if (*status = ensure_transaction(); !status->ok()) return true;
      savepoints_.push_back(savepoint_here(text_or_empty(command.savepoint_name)));
      return true;
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE: {
      if (!in_block) {
        *status = only_in_block("RELEASE SAVEPOINT");
        return true;
      }
      const std::string_view name = text_or_empty(command.savepoint_name);
      for (std::size_t i = savepoints_.size(); i-- > 0;) {
        if (savepoints_[i].name != name) continue;
        savepoints_.resize(i);
        for (auto& [key, portal] : portals_) portal->savepoint_depth = std::min(portal->savepoint_depth, i);
        return true;
      }
      *status = Status{sqlstate::invalid_savepoint_specification, "savepoint \"" + std::string(name) + "\" does not exist"};
      return true;
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
      if (!in_block) {
        notice(Severity::kWarning, sqlstate::no_active_sql_transaction, "there is no transaction in progress");
        *tag = "ROLLBACK";
        return true;
      }
      if (block_ != Block::kFailed) return false;
      *tag = "ROLLBACK";
      return try_rollback_transaction();
    default: return false;
  }
}

Task<Status> SessionImpl::run_transaction_command(StatementRef statement, std::string* tag) {
  const PgQuery__TransactionStmt& command = *statement.node->transaction_stmt;
  switch (command.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      co_return co_await rollback_to_savepoint(text_or_empty(command.savepoint_name));
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: {
      Status status = co_await commit_transaction();
      if (status.ok() && command.chain != 0) chain_block();
      co_return std::move(status);
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
      *tag = "ROLLBACK";
      co_await rollback_transaction();
      if (command.chain != 0) chain_block();
      co_return Status{};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
      if (block_ == Block::kExplicit) co_return co_await prepare_transaction(std::string(text_or_empty(command.gid)));
      *tag = "ROLLBACK";   // of a failed block
      co_await rollback_transaction();
      co_return Status{};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
      WANDIAN_CO_TRY(prevent_in_transaction_block(*tag));
      co_return co_await finish_prepared(std::string(text_or_empty(command.gid)),
                                         command.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED);
    default: co_return Status{sqlstate::feature_not_supported, std::string(*tag) + " is not supported"};
  }
}

Task<Status> SessionImpl::rollback_to_savepoint(std::string_view name) {
  if (block_ != Block::kExplicit && block_ != Block::kFailed) co_return only_in_block("ROLLBACK TO SAVEPOINT");
  std::size_t found = savepoints_.size();
  for (std::size_t i = savepoints_.size(); i-- > 0 && found == savepoints_.size();)
    if (savepoints_[i].name == name) found = i;
  if (found == savepoints_.size())
    co_return Status{sqlstate::invalid_savepoint_specification, "savepoint \"" + std::string(name) + "\" does not exist"};
  savepoints_.resize(found + 1);
  co_await undo_to(savepoints_.back());
  block_ = Block::kExplicit;
  co_return Status{};
}

// ---- Characteristics ----

std::string_view SessionImpl::isolation_name() const {
  const bool none = block_ == Block::kNone;
  const DecodedSettings& defaults = settings_.decoded();
  if (none ? defaults.default_read_uncommitted : read_uncommitted_) return "read uncommitted";
  switch (none ? defaults.default_isolation : isolation_) {
    case Isolation::kSerializable: return "serializable";
    case Isolation::kRepeatableRead: return "repeatable read";
    default: return "read committed";
  }
}

Status SessionImpl::set_isolation(std::string_view level) {
  Isolation wanted = Isolation::kReadCommitted;
  bool uncommitted = false;
  if (level == "serializable") {
    wanted = Isolation::kSerializable;
  } else if (level == "repeatable read") {
    wanted = Isolation::kRepeatableRead;
  } else if (level == "read uncommitted") {
    uncommitted = true;
  } else if (level != "read committed") {
    return Status{sqlstate::invalid_parameter_value,
                  "invalid value for parameter \"transaction_isolation\": \"" + std::string(level) + "\""}
        .with_hint("Available values: serializable, repeatable read, read committed, read uncommitted.");
  }
  if (wanted != isolation_ || uncommitted != read_uncommitted_) {
    if (queried_)
      return Status{sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query"};
    if (!savepoints_.empty())
      return Status{sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"};
    // Locks alone do not need the level; the engine's transaction begins anew with it.
    if (transaction_.active() && wanted != isolation_) {
      if (transaction_.has_writes())
        return Status{sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query"};
      if (!transaction_.try_rollback()) return Status{sqlstate::active_sql_transaction, "the transaction is busy"};
    }
  }
  isolation_ = wanted;
  read_uncommitted_ = uncommitted;
  return {};
}

Status SessionImpl::set_read_only(bool on) {
  if (!on && read_only_) {
    if (!savepoints_.empty() && savepoints_.back().read_only)
      return Status{sqlstate::active_sql_transaction, "cannot set transaction read-write mode inside a read-only transaction"};
    if (queried_) return Status{sqlstate::active_sql_transaction, "transaction read-write mode must be set before any query"};
    if (transaction_.active() && !transaction_.has_writes()) transaction_.try_rollback();
  }
  read_only_ = on;
  return {};
}

Status SessionImpl::set_deferrable(bool on) {
  if (!savepoints_.empty()) return Status{sqlstate::active_sql_transaction, "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction"};
  if (queried_) return Status{sqlstate::active_sql_transaction, "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"};
  deferrable_ = on;
  return {};
}

Status SessionImpl::apply_transaction_modes(PgQuery__Node** options, std::size_t count, bool session_defaults) {
  for (std::size_t i = 0; i < count; ++i) {
    if (options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
    const PgQuery__DefElem& option = *options[i]->def_elem;
    const std::string_view name = text_or_empty(option.defname);
    if (option.arg == nullptr || option.arg->node_case != PG_QUERY__NODE__NODE_A_CONST) continue;
    const PgQuery__AConst& value = *option.arg->a_const;
    const bool on = value.val_case == PG_QUERY__A__CONST__VAL_IVAL && value.ival->ival != 0;
    const std::string_view text =
        value.val_case == PG_QUERY__A__CONST__VAL_SVAL ? text_or_empty(value.sval->sval) : std::string_view();
    if (session_defaults) {
      const std::string setting = "default_" + std::string(name);
      WANDIAN_TRY(settings_.set(setting, name == "transaction_isolation" ? text : on ? "on" : "off", false, true));
    } else if (name == "transaction_isolation") {
      WANDIAN_TRY(set_isolation(text));
    } else if (name == "transaction_read_only") {
      WANDIAN_TRY(set_read_only(on));
    } else if (name == "transaction_deferrable") {
      WANDIAN_TRY(set_deferrable(on));
    }
  }
  return {};
}

}  // namespace wandian::sql
