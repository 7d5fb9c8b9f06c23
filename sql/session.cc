// The life of a session: start, calls and what they wait for, cancellation, timeouts, end.
#include "sql/session.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <optional>

#include "engine/sequence.h"
#include "sql/copy/copy_in.h"
#include "sql/encoding_sink.h"
#include "sql/null_sink.h"
#include "sql/procedure_caller.h"
#include "sql/session_impl.h"
#include "sql/session_notify.h"
#include "sql/routine/value_cast.h"
#include "sql/session_portal.h"
#include "sql/session_wait.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kShownQueryBytes = 1023;   // track_activity_query_size

}  // namespace

/// What wire holds: its destructor lets the session finish what cannot be cut short.
class SessionShell final : public Session {
 public:
  explicit SessionShell(SessionImpl* impl) : impl_(impl) {}
  ~SessionShell() override { impl_->close(); }
  Poll query(std::string_view text) override { return impl_->query(text); }
  Poll parse(std::string_view name, std::string_view text, std::span<const Oid> types) override {
    return impl_->parse(name, text, types);
  }
  Poll bind(const BindMessage& message) override { return impl_->bind(message); }
  Poll describe_statement(std::string_view name) override { return impl_->describe_statement(name); }
  Poll describe_portal(std::string_view name) override { return impl_->describe_portal(name); }
  Poll execute(std::string_view portal, std::uint32_t max_rows) override { return impl_->execute(portal, max_rows); }
  void expect_sync() override { impl_->expect_sync(); }
  Poll close_statement(std::string_view name) override { return impl_->close_statement(name); }
  Poll close_portal(std::string_view name) override { return impl_->close_portal(name); }
  Poll sync() override { return impl_->sync(); }
  bool copying_in() const override { return impl_->copying_in(); }
  Poll copy_data(std::string_view bytes) override { return impl_->copy_data(bytes); }
  Poll copy_done() override { return impl_->copy_done(); }
  Poll copy_fail(std::string_view message) override { return impl_->copy_fail(message); }
  Poll proceed() override { return impl_->proceed(); }
  void cancel() override { impl_->cancel(); }
  char transaction_status() const override { return impl_->transaction_status(); }
  Lsn take_answer_floor() override { return impl_->take_answer_floor(); }

 private:
  SessionImpl* impl_;
};

Result<std::unique_ptr<Session>> Session::create(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity) {
  WANDIAN_ASSIGN(SessionImpl * impl, SessionImpl::open(server, shard, sink, identity));
  return std::unique_ptr<Session>(std::make_unique<SessionShell>(impl));
}

// ---- Start ----

Result<SessionImpl*> SessionImpl::open(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity) {
  const std::shared_ptr<const Catalog> catalog = shard.catalog();
  const auto role_object = catalog->find_object(ObjectKind::kRole, 0, identity.user);
  std::optional<RoleProperties> role;
  if (role_object != nullptr) role = RoleProperties::decode(role_object->definition);
  if (!role) return Status{sqlstate::invalid_authorization_specification, "role \"" + identity.user + "\" does not exist"};
  const auto database_object = catalog->find_object(ObjectKind::kDatabase, 0, identity.database);
  std::optional<DatabaseProperties> database;
  if (database_object != nullptr) database = DatabaseProperties::decode(database_object->definition);
  if (!database) return Status{sqlstate::invalid_catalog_name, "database \"" + identity.database + "\" does not exist"};
  if (!database->allow_connections)
    return Status{sqlstate::object_not_in_prerequisite_state,
                  "database \"" + identity.database + "\" is not currently accepting connections"};
  if (!role->superuser) {
    const AccessScope scope{*catalog, database_object->oid, role_object->oid};
    if (!check_privilege(scope, AclKind::kDatabase, database_object->oid, privilege::kConnect).ok())
      return Status{sqlstate::insufficient_privilege, "permission denied for database \"" + identity.database + "\""}.with_detail(
          "User does not have CONNECT privilege.");
    if (role->connection_limit >= 0 && server.sessions_of_role(role_object->oid) >= static_cast<unsigned>(role->connection_limit))
      return Status{sqlstate::too_many_connections, "too many connections for role \"" + identity.user + "\""};
  }
  if (!role->superuser && database->connection_limit >= 0 &&
      server.sessions_of(database_object->oid, nullptr) >= static_cast<unsigned>(database->connection_limit))
    return Status{sqlstate::too_many_connections, "too many connections for database \"" + identity.database + "\""};

  auto* session = new SessionImpl(server, shard, sink, identity, role_object->oid, role->superuser);
  session->database_ = database_object->oid;
  session->database_name_ = database_object->name;
  if (Status status = session->start(*role, *database); !status.ok()) {
    delete session;
    return status;
  }
  if (!server.add_session(*session)) {
    delete session;
    return Status{sqlstate::invalid_catalog_name, "database \"" + identity.database + "\" does not exist"};
  }
  return session;
}

SessionImpl::SessionImpl(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity, Oid role, bool superuser)
    : server_(server),
      shard_(shard),
      sink_(&sink),
      client_sink_(&sink),
      identity_(identity),
      authenticated_role_(role),
      session_role_(role),
      current_role_(role),
      superuser_(superuser),
      settings_(server.defaults(), superuser),
      transaction_(shard) {
  wake_up_.session = closer_.session = this;
  const auto set_timer = [&](Timer& timer, void (SessionImpl::*fired)()) {
    timer.session = this;
    timer.fired = fired;
  };
  set_timer(statement_timer_, &SessionImpl::statement_timed_out);
  set_timer(lock_timer_, &SessionImpl::lock_timed_out);
  set_timer(idle_timer_, &SessionImpl::idle_timed_out);
  set_timer(sleep_timer_, &SessionImpl::sleep_over);
  unnamed_portal_ = std::make_unique<Portal>();
  simple_portal_ = std::make_unique<Portal>();
  env_.shard = &shard_;
  env_.transaction = &transaction_;
  env_.hooks = this;
  env_.server = &server_;
  env_.ready = &wake_up_;
  env_.cancelled = &cancelled_;
  env_.deferred = &deferred_;
  seed();
}

SessionImpl::~SessionImpl() {
  for (Timer* timer : {&statement_timer_, &lock_timer_, &idle_timer_, &sleep_timer_}) disarm(*timer);
  shard_.unpost(wake_up_);
}

Status SessionImpl::start(const RoleProperties& role, const DatabaseProperties& database) {
  backend_start_ = clock_timestamp();
  advisory_.process_id = identity_.process_id;
  transaction_.set_session(identity_.process_id, database_);
  settings_.force("is_superuser", superuser_ ? "on" : "off");
  settings_.force("session_authorization", identity_.user);
  // What a database or role has set may have become wrong since; that must not keep anybody out.
  const auto apply = [&](const std::vector<std::pair<std::string, std::string>>& list, SettingSource source) {
    for (const auto& [name, value] : list) {
      Status status = check_identity_setting(name, value);
      if (status.ok()) status = settings_.set_startup(name, value, source);
      if (!status.ok()) notice(Severity::kWarning, status.code(), status.error().message);
    }
  };
  settings_.set_superuser(true);   // whoever stored them was asked then
  if (const auto all = catalog()->object(ObjectKind::kSettings, kAllSettings))
    if (const auto settings = DatabaseProperties::decode(all->definition)) apply(settings->settings, SettingSource::kDefault);
  apply(database.settings, SettingSource::kDatabase);
  apply(role.settings, SettingSource::kUser);
  for (const RoleProperties::InDatabase& in : role.in_databases)
    if (in.database == database_) apply(in.settings, SettingSource::kUser);
  settings_.set_superuser(superuser_);
  for (const auto& [name, value] : identity_.settings) {
    WANDIAN_TRY(check_identity_setting(name, value));
    WANDIAN_TRY(settings_.set_startup(name, value, SettingSource::kClient));
  }
  settings_changed();
  env_.format = &settings_.decoded().format;
  env_.database = database_;
  choose_sink();
  settings_.report_all([&](std::string_view name, std::string_view value) { sink_->parameter_status(name, value); });
  {
    const std::lock_guard guard(activity_mutex_);
    activity_.process_id = identity_.process_id;
    activity_.database = database_;
    activity_.database_name = database_name_;
    activity_.role = session_role_;
    activity_.user = identity_.user;
    activity_.client_address = identity_.client_address;
    activity_.client_port = identity_.client_port;
    activity_.tls = identity_.tls;
    activity_.backend_start = activity_.state_change = backend_start_;
    activity_.shard = shard_.index();
    activity_.application_name = show_value("application_name").value_or("");
    activity_.state = ActivityState::kIdle;
  }
  become_idle();
  return {};
}

void SessionImpl::seed() {
  do {
    engine_database().env().entropy(random_state_, sizeof random_state_);
  } while (random_state_[0] == 0 && random_state_[1] == 0);
}

// ---- Calls and waiting ----

bool SessionImpl::Park::await_ready() const {
  if (reason == Parked::kNextCall) return session.in_call_;
  return reason == Parked::kWake && std::exchange(session.woken_, false);
}

void SessionImpl::Park::await_suspend(std::coroutine_handle<> handle) const {
  session.parked_handle_ = handle;
  session.parked_ = reason;
  if (reason == Parked::kNextCall) session.sink_->resume();
}

Poll SessionImpl::start_operation(Task<void> operation) {
  operation_ = std::move(operation);
  operation_.start();
  return poll_operation();
}

Poll SessionImpl::poll_operation() {
  if (!operation_.valid()) return Poll::kReady;
  if (operation_.done()) {
    Task<void> done = std::move(operation_);
    done.result();
    return Poll::kReady;
  }
  return parked_ == Parked::kCopyData ? Poll::kReady : Poll::kPending;
}

Poll SessionImpl::proceed() {
  return call([&] {
    if (!operation_.valid() && notifications_ != nullptr) notifications_came();   // the client took what was there
    const bool goes_on = parked_ == Parked::kNextCall || parked_ == Parked::kRoom || (parked_ == Parked::kWake && woken_);
    if (operation_.valid() && goes_on) {
      parked_ = Parked::kNone;
      woken_ = false;
      std::exchange(parked_handle_, {}).resume();
    }
    return poll_operation();
  });
}

void SessionImpl::woken() {
  next_turn_posted_ = false;
  woken_ = true;
  if (closing_ && !operation_.valid()) {
    finish_closing();
    return;
  }
  if (parked_ == Parked::kWake || parked_ == Parked::kRoom) sink_->resume();
}

Task<Status> SessionImpl::guarded(Task<Status> task) {
  try {
    co_return co_await task;
  } catch (const std::bad_alloc&) {
    co_return Status{sqlstate::out_of_memory, "out of memory"};
  }
}

Task<void> SessionImpl::pause() {
  if (std::exchange(hold_rows_, false)) {
    if (sleep_seconds_ > 0) co_await sleep_through();
    while (cancelled_.ok() && must_wait_for_log(shard_)) co_await next_turn();
    if (!awaited_advisory_.empty()) co_await wait_for_advisory_locks();
  } else if (sink_->congested()) {
    co_await park(Parked::kRoom);
  } else {
    co_await next_turn();
  }
}

Task<void> SessionImpl::next_turn() {
  if (!next_turn_posted_) {
    next_turn_posted_ = true;
    shard_.post_next_turn(wake_up_);
  }
  while (next_turn_posted_) co_await park(Parked::kWake);
}

Task<void> SessionImpl::sleep_through() {
  const double seconds = std::exchange(sleep_seconds_, 0);
  const double ms = std::min(seconds * 1000.0, 1e15);
  arm(sleep_timer_, static_cast<std::int64_t>(std::ceil(ms)));
  while (sleep_timer_.id != 0 && cancelled_.ok()) co_await park(Parked::kWake);
  disarm(sleep_timer_);
}

Task<Status> SessionImpl::yield_turn() {
  WANDIAN_CO_TRY(check_cancel());
  co_await pause();
  co_return check_cancel();
}

Status SessionImpl::check_cancel() { return cancelled_.ok() ? Status{} : cancelled_.clone(); }

void SessionImpl::cancel() {
  if (operation_.valid()) cancel_running(Status{sqlstate::query_canceled, "canceling statement due to user request"});
}

void SessionImpl::cancel_running(Status why) {
  if (!cancelled_.ok()) return;
  cancelled_ = std::move(why);
  if (transaction_.active()) transaction_.cancel(cancelled_.clone());
  if (procedure_ != nullptr) procedure_->cancel(cancelled_.clone());
  woken_ = true;
  if (parked_ == Parked::kWake || parked_ == Parked::kRoom) sink_->resume();
}

// ---- Time ----

void SessionImpl::begin_statement_clock() {
  statement_timestamp_ = clock_timestamp();
  taken_values_.clear();
  next_taken_ = 0;
  const std::int64_t timeout = settings_.decoded().statement_timeout_ms;
  if (timeout > 0 || statement_timer_.id != 0) [[unlikely]] {
    disarm(statement_timer_);
    if (timeout > 0) arm(statement_timer_, timeout);
  }
}

void SessionImpl::arm(Timer& timer, std::int64_t ms) {
  disarm(timer);
  // Not from the turn's start: a timeout must not be shorter than asked for.
  const std::int64_t now = engine_database().env().clock().monotonic_us();
  timer.id = shard_.add_timer(now + std::min<std::int64_t>(ms, INT64_MAX / 4000) * 1000, timer);
}

void SessionImpl::disarm(Timer& timer) {
  if (timer.id != 0) shard_.cancel_timer(std::exchange(timer.id, 0));
}

void SessionImpl::statement_timed_out() {
  if (operation_.valid()) cancel_running(Status{sqlstate::query_canceled, "canceling statement due to statement timeout"});
}

void SessionImpl::lock_timed_out() {
  if (!operation_.valid()) return;
  cancel_running(Status{sqlstate::lock_not_available, "canceling statement due to lock timeout"});
}

void SessionImpl::idle_timed_out() {
  if (operation_.valid() || closing_) return;
  const bool in_transaction = block_ != Block::kNone;
  sink_->error(Status{in_transaction ? sqlstate::idle_in_transaction_session_timeout : sqlstate::idle_session_timeout,
                      in_transaction ? "terminating connection due to idle-in-transaction timeout"
                                     : "terminating connection due to idle-session timeout"}
                   .with_severity(Severity::kFatal));
}

void SessionImpl::sleep_over() { woken(); }

// ---- Activity ----

void SessionImpl::become_active(std::string_view query) {
  begin_statement_clock();
  share_end_us_ = 0;
  disarm(idle_timer_);
  const std::lock_guard guard(activity_mutex_);
  activity_.state = ActivityState::kActive;
  activity_.query_start = activity_.state_change = statement_timestamp_;
  activity_.transaction_start = block_ == Block::kNone ? statement_timestamp_ : transaction_timestamp_;
  std::size_t size = std::min(query.size(), kShownQueryBytes);
  while (size < query.size() && size > 0 && (static_cast<unsigned char>(query[size]) & 0xC0) == 0x80) --size;
  activity_.query.assign(query.data(), size);
}

void SessionImpl::become_idle() {
  disarm(statement_timer_);
  cancelled_ = {};
  woken_ = sync_follows_ = false;
  sleep_seconds_ = 0;
  hold_rows_ = false;
  awaited_advisory_.clear();
  const bool in_transaction = block_ != Block::kNone;
  const DecodedSettings& settings = settings_.decoded();
  const std::int64_t timeout = in_transaction ? settings.idle_in_transaction_timeout_ms : settings.idle_session_timeout_ms;
  if (timeout > 0) arm(idle_timer_, timeout);
  {
    const std::lock_guard guard(activity_mutex_);
    activity_.state = block_ == Block::kFailed ? ActivityState::kIdleInFailedTransaction
                      : in_transaction         ? ActivityState::kIdleInTransaction
                                               : ActivityState::kIdle;
    if (!in_transaction) activity_.transaction_start = 0;
  }
  if (notifications_ != nullptr && !in_transaction && notifications_->behind()) [[unlikely]] deliver_notifications();
}

ActivitySnapshot SessionImpl::activity_snapshot() const {
  const std::lock_guard guard(activity_mutex_);
  return activity_;
}

// ---- Answers ----

void SessionImpl::send_error(Status status) {
  relaxed_answer_ = relaxed_answer_ || settings_.decoded().synchronous_commit == SyncCommit::kOff;
  sink_->error(status);
}

void SessionImpl::send_error(Status status, const Encoding* spoken) {
  if (spoken == client_encoding() || closing_) [[likely]] return send_error(std::move(status));
  SessionSink* const now = sink_;
  EncodingSink then(*client_sink_);
  if (spoken != nullptr) then.use(*spoken);
  sink_ = spoken == nullptr ? client_sink_ : &then;
  send_error(std::move(status));
  sink_ = now;
}

Lsn SessionImpl::take_answer_floor() {
  const Lsn floor{transaction_.answer_floor()};
  if (!std::exchange(relaxed_answer_, false)) return floor;
  // Under synchronous_commit = off an answer leaves with the prefix: everybody's next snapshot then covers what it says.
  Lsn snapshot;
  if (!shard_.take_snapshot(floor, &snapshot)) return floor;
  shard_.log().raise_prefix(snapshot);
  return Lsn{};
}

void SessionImpl::notice(Severity severity, SqlState code, std::string message, std::string detail, std::string hint) {
  ErrorRecord record;
  record.severity = severity;
  record.code = code;
  record.message = std::move(message);
  record.detail = std::move(detail);
  record.hint = std::move(hint);
  notice(std::move(record));
}

void SessionImpl::notice(ErrorRecord record) {
  const Severity least = settings_.decoded().client_min_messages;
  // INFO always reaches the client; LOG stands below NOTICE there.
  if (record.severity != Severity::kInfo && record.severity < least) return;
  sink_->notice(record);
}

void SessionImpl::show_notices(std::span<const ErrorRecord> notices) {
  for (const ErrorRecord& record : notices) notice(record);
}

// ---- The end ----

void SessionImpl::close() {
  server_.remove_session(*this);
  closing_ = true;
  if (notifications_ != nullptr && !transaction_.active()) stop_listening();
  null_sink_ = std::make_unique<NullSink>(shard_, closer_);
  sink_ = null_sink_.get();
  disarm(idle_timer_);
  disarm(statement_timer_);
  disarm(lock_timer_);
  if (!operation_.valid()) {
    start_closing();
    if (!operation_.valid()) finish_closing();
    return;
  }
  cancel_running(Status{sqlstate::admin_shutdown, "terminating connection"});
  go_on_closing();
}

// Takes the place of wire's proceed().
void SessionImpl::go_on_closing() {
  if (parked_ == Parked::kCopyData) {
    copy_in_ = nullptr;
    parked_ = Parked::kNextCall;
  }
  if (operation_.valid() && proceed() == Poll::kPending) return;
  if (operation_.valid()) return;
  if (block_ != Block::kNone || transaction_.active() || temporary_schema_ != 0) {
    cancelled_ = {};
    start_closing();
    if (operation_.valid()) return;
  }
  finish_closing();
}

void SessionImpl::start_closing() {
  const TypeCatalogScope types(this);
  (void)start_operation(closing_operation());
}

Task<void> SessionImpl::closing_operation() {
  co_await rollback_transaction();
  block_ = Block::kNone;
  if (temporary_schema_ != 0) {
    Status status = ensure_transaction();
    if (status.ok()) status = co_await guarded(drop_temporary_objects(*this, temporary_schema_));
    if (status.ok()) status = co_await guarded(commit_transaction());
    // What could not be dropped stays behind without an owner; nobody can name it, and a restart forgets its rows.
    if (!status.ok()) co_await rollback_transaction();
    temporary_schema_ = committed_temporary_schema_ = 0;
  }
}

void SessionImpl::finish_closing() {
  // A runnable of ours that is still queued for the next turn comes back here first.
  if (next_turn_posted_) return;
  stop_listening();
  release_session_advisory();
  null_sink_->forget();
  delete this;
}

}  // namespace wandian::sql
