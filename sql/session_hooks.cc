// What functions ask of the session itself: sequences, settings, identity, clocks, random numbers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/sequence.h"
#include "engine/system_columns.h"
#include "sql/access/roles.h"
#include "sql/session_impl.h"
#include "sql/types/datetime.h"
#include "storage/log.h"

namespace wandian::sql {

namespace {

Status no_such_sequence(Oid oid) {
  return Status{sqlstate::undefined_table, "could not open relation with OID " + std::to_string(oid)};
}

Status read_only_function(std::string_view function) {
  return Status{sqlstate::read_only_sql_transaction, "cannot execute " + std::string(function) + "() in a read-only transaction"};
}

// Whoever signals a session must have the privileges of its role, or of pg_signal_backend; superusers' sessions are for superusers.
Status check_signal(const AccessScope& scope, const ActivitySnapshot& other, const std::string& doing, const std::string& what) {
  if (is_superuser_role(scope.catalog, scope.role)) return {};
  if (is_superuser_role(scope.catalog, other.role))
    return Status{sqlstate::insufficient_privilege, "must be a superuser to " + doing + " superuser " + what};
  if (has_privileges_of(scope.catalog, scope.database, scope.role, other.role) ||
      has_privileges_of(scope.catalog, scope.database, scope.role, role_oid::kSignalBackend))
    return {};
  return Status{sqlstate::insufficient_privilege,
                "must be a member of the role whose " + what + " is being " + (doing == "cancel" ? "canceled" : "terminated") + " or member of pg_signal_backend"};
}

}  // namespace

// ---- Sequences ----

Status SessionImpl::sequence_access(Oid sequence, Privileges any_of) {
  if (superuser_) [[likely]] return {};
  SequenceAccess& last = sequence_access_;
  if (last.sequence == sequence && last.role == current_role_ && last.any_of == any_of && last.catalog == catalog()) return {};
  const AccessScope scope = access_scope();
  const std::optional<Securable> object = securable_relation(scope.catalog, sequence);
  if (object && privileges_on(scope, *object, any_of) == 0) return permission_denied("sequence", object->name);
  last = {sequence, current_role_, any_of, catalog()};
  return {};
}

Result<std::int64_t> SessionImpl::nextval(Oid sequence) {
  WANDIAN_TRY(sequence_access(sequence, privilege::kUsage | privilege::kUpdate));
  return identity_value(sequence);
}

Result<std::int64_t> SessionImpl::identity_value(Oid sequence) {
  const std::shared_ptr<const SequenceDef> def = catalog()->sequence(sequence);
  if (def == nullptr) return no_such_sequence(sequence);
  if (read_only_ && !def->temporary) return read_only_function("nextval");
  if (!trying_fast_ && next_taken_ < taken_values_.size() && taken_values_[next_taken_].sequence == sequence)
    return taken_values_[next_taken_++].value;
  std::uint64_t floor = 0;
  std::int64_t value = 0;
  if (def->cache == 1) [[likely]] {
    std::int64_t last = 0;
    WANDIAN_ASSIGN(value, sequence_next(shard_, *def, &last, &floor));
  } else {
    CachedValues& cached = cached_values_[sequence];
    if (cached.definition == def && cached.given != cached.last) {
      value = cached.given + def->increment;
    } else {
      cached.definition = nullptr;
      WANDIAN_ASSIGN(value, sequence_next(shard_, *def, &cached.last, &floor));
      cached.definition = def;
    }
    cached.given = value;
  }
  if (trying_fast_) taken_values_.push_back({sequence, value});
  transaction_.raise_answer_floor(floor);
  if (must_wait_for_log(shard_)) [[unlikely]] hold_rows_ = true;
  sequence_values_[sequence] = value;
  last_sequence_ = sequence;
  return value;
}

Result<std::int64_t> SessionImpl::currval(Oid sequence) {
  const std::shared_ptr<const SequenceDef> def = catalog()->sequence(sequence);
  if (def == nullptr) return no_such_sequence(sequence);
  WANDIAN_TRY(sequence_access(sequence, privilege::kSelect | privilege::kUsage));
  const auto found = sequence_values_.find(sequence);
  if (found == sequence_values_.end())
    return Status{sqlstate::object_not_in_prerequisite_state,
                  "currval of sequence \"" + def->name + "\" is not yet defined in this session"};
  return found->second;
}

Result<std::int64_t> SessionImpl::lastval() {
  if (last_sequence_ == 0 || catalog()->sequence(last_sequence_) == nullptr)
    return Status{sqlstate::object_not_in_prerequisite_state, "lastval is not yet defined in this session"};
  WANDIAN_TRY(sequence_access(last_sequence_, privilege::kSelect | privilege::kUsage));
  return sequence_values_[last_sequence_];
}

Result<std::int64_t> SessionImpl::setval(Oid sequence, std::int64_t value, bool is_called) {
  const std::shared_ptr<const SequenceDef> def = catalog()->sequence(sequence);
  if (def == nullptr) return no_such_sequence(sequence);
  WANDIAN_TRY(sequence_access(sequence, privilege::kUpdate));
  if (read_only_ && !def->temporary) return read_only_function("setval");
  if (value < def->minimum || value > def->maximum)
    return Status{sqlstate::numeric_value_out_of_range, "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" +
                                                            def->name + "\" (" + std::to_string(def->minimum) + ".." +
                                                            std::to_string(def->maximum) + ")"};
  std::uint64_t floor = 0;
  WANDIAN_TRY(sequence_set(shard_, *def, value, is_called, &floor));
  cached_values_.erase(sequence);
  transaction_.raise_answer_floor(floor);
  if (must_wait_for_log(shard_)) [[unlikely]] hold_rows_ = true;
  if (is_called) sequence_values_[sequence] = value;
  return value;
}

// ---- Settings ----

Result<std::optional<std::string>> SessionImpl::current_setting(std::string_view name, bool missing_ok) {
  std::optional<std::string> value = show_value(name);
  if (!value && !missing_ok) return unrecognized_setting(name);
  WANDIAN_TRY(check_readable_setting(name));
  return value;
}

Result<std::string> SessionImpl::set_config(std::string_view name, std::string_view value, bool is_local) {
  WANDIAN_TRY(set_value(name, value, is_local, true));
  return show_value(name).value_or("");
}

std::string SessionImpl::version() {
  return "PostgreSQL " + settings_.value(*find_setting("server_version")) +
         " (Wandian) on x86_64-pc-linux-gnu, compiled by gcc " __VERSION__ ", 64-bit";
}

// ---- Who and where ----

std::string SessionImpl::current_user() {
  const auto role = catalog()->object(ObjectKind::kRole, current_role_);
  return role != nullptr ? role->name : identity_.user;
}
std::string SessionImpl::session_user() {
  const auto role = catalog()->object(ObjectKind::kRole, session_role_);
  return role != nullptr ? role->name : identity_.user;
}
std::string SessionImpl::current_database() {
  const auto database = catalog()->object(ObjectKind::kDatabase, database_);
  return database != nullptr ? database->name : database_name_;
}

std::optional<std::string> SessionImpl::current_schema() {
  std::vector<std::string> names = current_schemas(false);
  if (names.empty()) return std::nullopt;
  return std::move(names.front());
}

std::vector<std::string> SessionImpl::current_schemas(bool include_implicit) {
  const auto name_of = [&](Oid oid) -> std::string {
    if (oid == kPgCatalogSchema) return "pg_catalog";
    if (oid == kInformationSchema) return "information_schema";
    const auto schema = catalog()->schema(oid);
    return schema != nullptr ? schema->name : "";
  };
  const std::vector<std::string>& given = settings_.decoded().search_path;
  const auto is_given = [&](std::string_view name) { return std::find(given.begin(), given.end(), name) != given.end(); };
  std::vector<std::string> out;
  for (const Oid oid : search_path()) {
    const bool implicit = (oid == kPgCatalogSchema && !is_given("pg_catalog")) || (oid == temporary_schema_ && !is_given("pg_temp"));
    if (!implicit || include_implicit) out.push_back(name_of(oid));
  }
  return out;
}

std::string SessionImpl::current_query() {
  const std::lock_guard guard(activity_mutex_);
  return activity_.query;
}
std::int32_t SessionImpl::backend_pid() { return identity_.process_id; }
std::optional<std::string> SessionImpl::client_address() {
  if (identity_.client_address.empty()) return std::nullopt;
  return identity_.client_address;
}
std::optional<std::int32_t> SessionImpl::client_port() {
  if (identity_.client_address.empty()) return std::nullopt;
  return identity_.client_port;
}
std::optional<std::string> SessionImpl::server_address() {
  const std::string& listen = server_.options().listen_addresses;
  if (identity_.client_address.empty()) return std::nullopt;
  if (listen.empty() || listen == "localhost" || listen == "*" || listen.find(',') != std::string::npos) return identity_.client_address;
  return listen;
}
std::optional<std::int32_t> SessionImpl::server_port() {
  if (identity_.client_address.empty()) return std::nullopt;
  return server_.options().port;
}
std::int64_t SessionImpl::server_start_time() { return server_.start_time(); }
std::int64_t SessionImpl::configuration_load_time() { return server_.start_time(); }
std::int64_t SessionImpl::clock_timestamp() { return shard_.wall_us() - std::int64_t{kEpochDays} * kDayMicros; }

// ---- Transactions ----

std::uint64_t SessionImpl::transaction_id() { return full_transaction_number(transaction_.id()); }
std::optional<std::uint64_t> SessionImpl::transaction_id_if_assigned() {
  if (!transaction_.has_writes()) return std::nullopt;
  return full_transaction_number(transaction_.id());
}
std::string SessionImpl::current_snapshot() {
  const std::string at = std::to_string(transaction_.view().snapshot.bytes);
  return at + ":" + at + ":";
}

// ---- Other sessions ----

Result<bool> SessionImpl::cancel_backend(std::int32_t pid) {
  const std::optional<ActivitySnapshot> other = server_.activity(pid);
  if (!other) {
    notice(Severity::kWarning, sqlstate::warning, "PID " + std::to_string(pid) + " is not a PostgreSQL server process");
    return false;
  }
  WANDIAN_TRY(check_signal(access_scope(), *other, "cancel", "query"));
  server_.cancel_backend(pid);
  return true;
}
Result<bool> SessionImpl::terminate_backend(std::int32_t pid) {
  const std::optional<ActivitySnapshot> other = server_.activity(pid);
  if (!other) {
    notice(Severity::kWarning, sqlstate::warning, "PID " + std::to_string(pid) + " is not a PostgreSQL server process");
    return false;
  }
  WANDIAN_TRY(check_signal(access_scope(), *other, "terminate", "process"));
  server_.terminate_backend(pid);
  return true;
}
std::vector<std::int32_t> SessionImpl::blocking_pids(std::int32_t pid) { return lock_report_.blockers_of(pid); }
Result<bool> SessionImpl::reload_configuration() { return true; }

// The row that asked for it is given first; the statement then waits before it goes on.
Status SessionImpl::sleep(double seconds) {
  if (seconds > 0) {
    sleep_seconds_ += seconds;
    hold_rows_ = true;
  }
  return {};
}

// ---- Random numbers: xoroshiro128+ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021) ----

std::uint64_t SessionImpl::random_bits() {
  const std::uint64_t a = random_state_[0];
  std::uint64_t b = random_state_[1];
  const std::uint64_t result = a + b;
  b ^= a;
  random_state_[0] = std::rotl(a, 24) ^ b ^ (b << 16);
  random_state_[1] = std::rotl(b, 37);
  return result;
}

std::uint64_t SessionImpl::strong_random_bits() {
  std::uint64_t bits = 0;
  engine_database().env().entropy(&bits, sizeof bits);
  return bits;
}

void SessionImpl::seed_random(double seed) {
  std::uint64_t state = 0;
  std::memcpy(&state, &seed, sizeof state);
  // splitmix64: neighbouring seeds give unrelated states, and never both words zero.
  for (std::uint64_t& word : random_state_) {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    word = mixed ^ (mixed >> 31);
  }
}

// ---- The log ----

bool SessionImpl::in_recovery() { return false; }
std::uint64_t SessionImpl::current_lsn() { return shard_.log().tail().bytes; }
std::uint64_t SessionImpl::flushed_lsn() { return shard_.log().durable().bytes; }

}  // namespace wandian::sql
