// Functions that ask the session and the server: sequences, settings, identity, transactions, locks, randomness.
#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/catalog.h"
#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/collation.h"
#include "sql/types/datetime.h"
#include "sql/types/number_text.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

template <class T>
bool take(EvalContext& ctx, Result<T> from, T* out) {
  if (!from.ok()) return ctx.fail(from.take_status());
  *out = from.take();
  return true;
}
bool give_text(EvalContext& ctx, const std::optional<std::string>& text, Value* result) {
  return text ? return_text(ctx, result, *text) : return_null(result);
}
bool give_int(EvalContext& ctx, Result<std::int64_t> from, Value* result) {
  std::int64_t v;
  return take(ctx, std::move(from), &v) && return_int(result, v);
}
bool give_bool(EvalContext& ctx, Result<bool> from, Value* result) {
  bool v;
  return take(ctx, std::move(from), &v) && return_bool(result, v);
}
bool give_void(EvalContext& ctx, Status status, Value* result) {
  return check(ctx, std::move(status)) && return_int(result, 0);
}

bool identity_value(EvalContext& ctx, const Value* args, Value* result) {
  return give_int(ctx, ctx.session->identity_value(static_cast<Oid>(args[0].i)), result);
}
bool nextval(EvalContext& ctx, const Value* args, Value* result) {
  return give_int(ctx, ctx.session->nextval(static_cast<Oid>(args[0].i)), result);
}
bool currval(EvalContext& ctx, const Value* args, Value* result) {
  return give_int(ctx, ctx.session->currval(static_cast<Oid>(args[0].i)), result);
}
bool lastval(EvalContext& ctx, const Value*, Value* result) { return give_int(ctx, ctx.session->lastval(), result); }
bool setval(EvalContext& ctx, const Value* args, Value* result) {
  return give_int(ctx, ctx.session->setval(static_cast<Oid>(args[0].i), args[1].i, true), result);
}
bool setval_called(EvalContext& ctx, const Value* args, Value* result) {
  return give_int(ctx, ctx.session->setval(static_cast<Oid>(args[0].i), args[1].i, args[2].as_bool()), result);
}
bool serial_sequence(EvalContext& ctx, const Value* args, Value* result) {
  std::optional<std::string> name;
  return take(ctx, ctx.session->serial_sequence(args[0].bytes(), args[1].bytes()), &name) && give_text(ctx, name, result);
}

bool setting(EvalContext& ctx, const Value& name, bool missing_ok, Value* result) {
  std::optional<std::string> value;
  return take(ctx, ctx.session->current_setting(name.bytes(), missing_ok), &value) && give_text(ctx, value, result);
}
bool current_setting(EvalContext& ctx, const Value* args, Value* result) { return setting(ctx, args[0], false, result); }
bool current_setting_missing(EvalContext& ctx, const Value* args, Value* result) {
  return setting(ctx, args[0], args[1].as_bool(), result);
}
bool set_config(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return ctx.fail({sqlstate::null_value_not_allowed, "SET requires parameter name"});
  std::string value;
  return take(ctx,
              ctx.session->set_config(args[0].bytes(), args[1].is_null ? std::string_view() : args[1].bytes(),
                                      !args[2].is_null && args[2].as_bool()),
              &value) &&
         return_text(ctx, result, value);
}
bool version(EvalContext& ctx, const Value*, Value* result) { return return_text(ctx, result, ctx.session->version()); }

bool current_user(EvalContext& ctx, const Value*, Value* result) {
  return return_text(ctx, result, ctx.session->current_user());
}
bool session_user(EvalContext& ctx, const Value*, Value* result) {
  return return_text(ctx, result, ctx.session->session_user());
}
bool current_database(EvalContext& ctx, const Value*, Value* result) {
  return return_text(ctx, result, ctx.session->current_database());
}
bool current_schema(EvalContext& ctx, const Value*, Value* result) {
  return give_text(ctx, ctx.session->current_schema(), result);
}
bool current_schemas(EvalContext& ctx, const Value* args, Value* result) {
  std::vector<Value> names;
  for (const std::string& name : ctx.session->current_schemas(args[0].as_bool())) names.push_back(copy_text(ctx, name));
  *result = build_array(kName, names, ctx.arena);
  return true;
}
bool current_query(EvalContext& ctx, const Value*, Value* result) {
  return return_text(ctx, result, ctx.session->current_query());
}
bool backend_pid(EvalContext& ctx, const Value*, Value* result) { return return_int(result, ctx.session->backend_pid()); }
bool client_port(EvalContext& ctx, const Value*, Value* result) {
  const auto port = ctx.session->client_port();
  return port ? return_int(result, *port) : return_null(result);
}
bool server_port(EvalContext& ctx, const Value*, Value* result) {
  const auto port = ctx.session->server_port();
  return port ? return_int(result, *port) : return_null(result);
}
bool start_time(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, ctx.session->server_start_time());
}
bool load_time(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, ctx.session->configuration_load_time());
}

bool transaction_id(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, static_cast<std::int64_t>(ctx.session->transaction_id()));
}
bool transaction_id_if_assigned(EvalContext& ctx, const Value*, Value* result) {
  const auto id = ctx.session->transaction_id_if_assigned();
  return id ? return_int(result, static_cast<std::int64_t>(*id)) : return_null(result);
}
// How long ago, counted in transactions; numbers of other shards may be ahead.
bool xid_age(EvalContext& ctx, const Value* args, Value* result) {
  constexpr std::int64_t kFirstNormal = 3;
  if (args[0].i < kFirstNormal) return return_int(result, std::numeric_limits<std::int32_t>::max());
  const auto now = static_cast<std::uint32_t>(ctx.session->transaction_id());
  return return_int(result, std::max(0, static_cast<std::int32_t>(now - static_cast<std::uint32_t>(args[0].i))));
}
bool to_xid(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i & 0xffffffff); }
bool export_snapshot(EvalContext& ctx, const Value*, Value* result) {
  std::string name;
  return take(ctx, ctx.session->export_snapshot(), &name) && return_text(ctx, result, name);
}

bool cancel_backend(EvalContext& ctx, const Value* args, Value* result) {
  return give_bool(ctx, ctx.session->cancel_backend(static_cast<std::int32_t>(args[0].i)), result);
}
bool terminate_backend(EvalContext& ctx, const Value* args, Value* result) {
  return give_bool(ctx, ctx.session->terminate_backend(static_cast<std::int32_t>(args[0].i)), result);
}
bool blocking_pids(EvalContext& ctx, const Value* args, Value* result) {
  std::vector<Value> pids;
  for (const std::int32_t pid : ctx.session->blocking_pids(static_cast<std::int32_t>(args[0].i))) pids.push_back(Value::of_int(pid));
  *result = build_array(kInt4, pids, ctx.arena);
  return true;
}
bool reload_configuration(EvalContext& ctx, const Value*, Value* result) {
  return give_bool(ctx, ctx.session->reload_configuration(), result);
}
bool notify(EvalContext& ctx, const Value* args, Value* result) {
  return give_void(ctx,
                   ctx.session->notify(args[0].is_null ? std::string_view() : args[0].bytes(),
                                       args[1].is_null ? std::string_view() : args[1].bytes()),
                   result);
}
bool listening_channels(EvalContext& ctx, const Value*, std::uint64_t* position, Value* columns, bool* done) {
  const auto channels = ctx.session->listening_channels();
  *done = *position >= channels.size();
  if (!*done) columns[0] = copy_text(ctx, channels[(*position)++]);
  return true;
}
bool notification_queue_usage(EvalContext& ctx, const Value*, Value* result) {
  return return_double(result, ctx.session->notification_queue_usage());
}
bool sleep(EvalContext& ctx, const Value* args, Value* result) { return give_void(ctx, ctx.session->sleep(args[0].d), result); }
bool sleep_for(EvalContext& ctx, const Value* args, Value* result) {
  return give_void(ctx, ctx.session->sleep(static_cast<double>(interval_span(args[0])) / 1e6), result);
}
bool sleep_until(EvalContext& ctx, const Value* args, Value* result) {
  return give_void(ctx, ctx.session->sleep(static_cast<double>(args[0].i - ctx.session->clock_timestamp()) / 1e6), result);
}

// Two int4 keys are one number in a space of their own.
std::int64_t advisory_key(const Value* args, bool two) {
  if (!two) return args[0].i;
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(args[0].i) << 32) | static_cast<std::uint32_t>(args[1].i));
}
template <bool two, bool shared, bool transaction, bool wait>
bool advisory_lock(EvalContext& ctx, const Value* args, Value* result) {
  bool taken;
  if (!take(ctx, ctx.session->advisory_lock(advisory_key(args, two), two, shared, transaction, wait), &taken)) return false;
  return wait ? return_int(result, 0) : return_bool(result, taken);
}
template <bool two, bool shared>
bool advisory_unlock(EvalContext& ctx, const Value* args, Value* result) {
  return give_bool(ctx, ctx.session->advisory_unlock(advisory_key(args, two), two, shared), result);
}
bool advisory_unlock_all(EvalContext& ctx, const Value*, Value* result) {
  return give_void(ctx, ctx.session->advisory_unlock_all(), result);
}

bool random_uuid(EvalContext& ctx, const Value*, Value* result) {
  std::uint64_t bits[2] = {ctx.session->strong_random_bits(), ctx.session->strong_random_bits()};
  char* p = ctx.arena.allocate_bytes(16);
  std::memcpy(p, bits, 16);
  p[6] = static_cast<char>((p[6] & 0x0f) | 0x40);   // version 4
  p[8] = static_cast<char>((p[8] & 0x3f) | 0x80);   // RFC 4122's variant
  *result = Value::of_bytes(p, 16);
  return true;
}
// Under the default collation; functions/collated.cc has the others.
bool collation_for(EvalContext& ctx, const Oid* types, const Value*, Value* result) {
  if (types[0] == type_oid::kUnknown) return return_null(result);
  if (!is_collatable(types[0]) && types[0] != type_oid::kCitext) return ctx.fail({sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(types[0])});
  *result = Value::of_bytes(types[0] == type_oid::kName ? "\"C\"" : "\"default\"");
  return true;
}

bool type_of(EvalContext&, const Oid* types, const Value*, Value* result) { return return_int(result, types[0]); }

bool in_recovery(EvalContext& ctx, const Value*, Value* result) { return return_bool(result, ctx.session->in_recovery()); }
bool current_lsn(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, static_cast<std::int64_t>(ctx.session->current_lsn()));
}
bool flushed_lsn(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, static_cast<std::int64_t>(ctx.session->flushed_lsn()));
}
// A position moved by a number of bytes.
template <bool minus, std::size_t lsn>
bool move_lsn(EvalContext& ctx, const Value* args, Value* result) {
  const Numeric bytes = load_numeric(args[1 - lsn]);
  if (bytes.nan())
    return ctx.fail({sqlstate::feature_not_supported, minus ? "cannot subtract NaN from pg_lsn" : "cannot add NaN to pg_lsn"});
  const Numeric from = Numeric::of_int128(static_cast<Int128>(static_cast<std::uint64_t>(args[lsn].i)), 0);
  Numeric moved = minus ? subtract(from, bytes) : add(from, bytes);
  round_to(&moved, 0);
  const Numeric most = Numeric::of_int128(static_cast<Int128>(~std::uint64_t{0}), 0);
  if (!moved.finite() || moved.sign() < 0 || compare_numeric(moved, most) > 0)
    return ctx.fail({sqlstate::invalid_parameter_value, "pg_lsn out of range"});
  std::uint64_t out = 0;
  for (const char digit : numeric_to_string(moved)) out = out * 10 + static_cast<std::uint64_t>(digit - '0');
  return return_int(result, static_cast<std::int64_t>(out));
}
bool lsn_difference(EvalContext& ctx, const Value* args, Value* result) {
  const Int128 d = static_cast<Int128>(static_cast<std::uint64_t>(args[0].i)) - static_cast<std::uint64_t>(args[1].i);
  return check(ctx, store_numeric(Numeric::of_int128(d, 0), ctx.arena, result));
}

bool trigger_depth(EvalContext& ctx, const Value*, Value* result) { return return_int(result, ctx.session->trigger_depth()); }

bool no(EvalContext&, const Value*, Value* result) { return return_bool(result, false); }
bool nothing(EvalContext&, const Value*, Value* result) { return return_null(result); }
bool my_temporary_schema(EvalContext& ctx, const Value*, Value* result) { return return_int(result, ctx.session->temporary_schema()); }
bool is_others_temporary_schema(EvalContext& ctx, const Value* args, Value* result) {
  const Oid schema = static_cast<Oid>(args[0].i);
  if (schema == ctx.session->temporary_schema()) return return_bool(result, false);
  const auto found = ctx.session->current_catalog().schema(schema);
  return return_bool(result, found != nullptr && found->name.starts_with("pg_temp_"));
}

template <bool nulls>
bool count_nulls(EvalContext&, const Oid* types, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  std::int64_t null_count = 0;
  std::int64_t total = 0;
  const auto count = [&](const auto& items, auto get) {
    total = items.count();
    for (std::uint32_t i = 0; i < items.count(); ++i) null_count += get(items, i).is_null;
  };
  if (types[0] == kRecord) count(RecordView(args[0]), [](const RecordView& r, std::uint32_t i) { return r.field(i); });
  else count(ArrayView(args[0]), [](const ArrayView& a, std::uint32_t i) { return a.element(i); });
  return return_int(result, nulls ? null_count : total - null_count);
}

constexpr FunctionBinding kBindings[] = {
    {"nextval_oid", nextval}, {"currval_oid", currval}, {"lastval", lastval}, {"setval_oid", setval},
    {"setval3_oid", setval_called}, {"pg_get_serial_sequence", serial_sequence},
    {"show_config_by_name", current_setting}, {"show_config_by_name_missing_ok", current_setting_missing},
    {"set_config_by_name", set_config}, {"pgsql_version", version},
    {"current_user", current_user}, {"session_user", session_user}, {"current_database", current_database},
    {"current_schema", current_schema}, {"current_schemas", current_schemas}, {"current_query", current_query},
    {"pg_backend_pid", backend_pid}, {"inet_client_port", client_port}, {"inet_server_port", server_port},
    {"pg_postmaster_start_time", start_time}, {"pg_conf_load_time", load_time},
    {"pg_current_xact_id", transaction_id}, {"pg_current_xact_id_if_assigned", transaction_id_if_assigned}, {"xid8toxid", to_xid}, {"xid_age", xid_age},
    {"pg_export_snapshot", export_snapshot},
    {"pg_cancel_backend", cancel_backend}, {"pg_terminate_backend", terminate_backend},
    {"pg_blocking_pids", blocking_pids}, {"pg_safe_snapshot_blocking_pids", blocking_pids},
    {"pg_reload_conf", reload_configuration}, {"pg_notify", notify},
    {"pg_listening_channels", nullptr, nullptr, listening_channels},
    {"pg_notification_queue_usage", notification_queue_usage},
    {"pg_sleep", sleep}, {"pg_sleep_for(interval)", sleep_for}, {"pg_sleep_until(timestamptz)", sleep_until},
    {"pg_advisory_lock_int8", advisory_lock<false, false, false, true>},
    {"pg_advisory_lock_int4", advisory_lock<true, false, false, true>},
    {"pg_advisory_lock_shared_int8", advisory_lock<false, true, false, true>},
    {"pg_advisory_lock_shared_int4", advisory_lock<true, true, false, true>},
    {"pg_advisory_xact_lock_int8", advisory_lock<false, false, true, true>},
    {"pg_advisory_xact_lock_int4", advisory_lock<true, false, true, true>},
    {"pg_advisory_xact_lock_shared_int8", advisory_lock<false, true, true, true>},
    {"pg_advisory_xact_lock_shared_int4", advisory_lock<true, true, true, true>},
    {"pg_try_advisory_lock_int8", advisory_lock<false, false, false, false>},
    {"pg_try_advisory_lock_int4", advisory_lock<true, false, false, false>},
    {"pg_try_advisory_lock_shared_int8", advisory_lock<false, true, false, false>},
    {"pg_try_advisory_lock_shared_int4", advisory_lock<true, true, false, false>},
    {"pg_try_advisory_xact_lock_int8", advisory_lock<false, false, true, false>},
    {"pg_try_advisory_xact_lock_int4", advisory_lock<true, false, true, false>},
    {"pg_try_advisory_xact_lock_shared_int8", advisory_lock<false, true, true, false>},
    {"pg_try_advisory_xact_lock_shared_int4", advisory_lock<true, true, true, false>},
    {"pg_advisory_unlock_int8", advisory_unlock<false, false>}, {"pg_advisory_unlock_int4", advisory_unlock<true, false>},
    {"pg_advisory_unlock_shared_int8", advisory_unlock<false, true>},
    {"pg_advisory_unlock_shared_int4", advisory_unlock<true, true>}, {"pg_advisory_unlock_all", advisory_unlock_all},
    {"gen_random_uuid", random_uuid}, {"pg_typeof", nullptr, type_of}, {"pg_collation_for", nullptr, collation_for},
    {"pg_is_in_recovery", in_recovery}, {"pg_current_wal_lsn", current_lsn}, {"pg_current_wal_insert_lsn", current_lsn},
    {"pg_current_wal_flush_lsn", flushed_lsn}, {"pg_last_wal_receive_lsn", nothing}, {"pg_last_wal_replay_lsn", nothing},
    {"pg_last_xact_replay_timestamp", nothing}, {"pg_lsn_mi", lsn_difference},
    {"pg_lsn_pli", move_lsn<false, 0>}, {"pg_lsn_mii", move_lsn<true, 0>}, {"numeric_pl_pg_lsn(numeric,pg_lsn)", move_lsn<false, 1>},
    {"pg_wal_lsn_diff(pg_lsn,pg_lsn)", lsn_difference},
    {"pg_jit_available", no}, {"pg_is_other_temp_schema", is_others_temporary_schema}, {"pg_is_wal_replay_paused", no},
    {"pg_my_temp_schema", my_temporary_schema}, {"pg_trigger_depth", trigger_depth},
    {"pg_num_nulls", nullptr, count_nulls<true>}, {"pg_num_nonnulls", nullptr, count_nulls<false>},
};

}  // namespace

const FunctionDef& identity_function() {
  static const FunctionDef def = [] {
    FunctionDef copy = *find_functions("nextval")[0];
    copy.fn = identity_value;
    return copy;
  }();
  return def;
}

std::span<const FunctionBinding> session_bindings() { return kBindings; }

}  // namespace wandian::sql
