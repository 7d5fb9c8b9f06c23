// Views of what the server is doing: settings, sessions, locks, prepared statements, cursors.
#include <algorithm>
#include <array>
#include <set>

#include "engine/numeric.h"
#include "engine/shard.h"
#include "engine/shard_state.h"
#include "engine/system_columns.h"
#include "sql/access/roles.h"
#include "sql/catalog/producers.h"
#include "sql/catalog_objects.h"
#include "sql/session_impl.h"
#include "sql/types/network.h"

namespace wandian::sql {

namespace {

std::string number_text(double value, SettingType type) {
  if (type == SettingType::kReal) {
    std::string text = std::to_string(value);
    while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
      const bool dot = text.back() == '.';
      text.pop_back();
      if (dot) break;
    }
    return text;
  }
  return std::to_string(static_cast<std::int64_t>(value));
}

const char* source_name(SettingSource source) {
  switch (source) {
    case SettingSource::kCommandLine: return "command line";
    case SettingSource::kDatabase: return "database";
    case SettingSource::kUser: return "user";
    case SettingSource::kClient: return "client";
    case SettingSource::kSession: return "session";
    default: return "default";
  }
}

Status pg_settings(const SystemContext& context, SystemRows& rows) {
  auto* session = dynamic_cast<SessionImpl*>(&context.session);
  const bool all = session == nullptr || session->may_read_settings();
  for (const SettingDef& def : all_settings()) {
    if (!all && is_hidden_setting(def.name)) continue;
    std::string value = session != nullptr ? session->settings().value(def) : context.server.defaults().get(setting_index(def));
    // The transaction's modes are its own, not the setting's.
    if (session != nullptr && def.name.starts_with("transaction_")) value = session->show_value(def.name).value_or(value);
    CatalogRow row(rows);
    row.t(def.name).t(value);
    const std::string_view unit = unit_name(def.unit);
    if (unit.empty()) row.null();
    else row.t(unit);
    row.t(def.category).t(def.description).null().t(context_name(def.context)).t(type_name(def.type));
    row.t(source_name(session != nullptr ? session->settings().source(def) : SettingSource::kDefault));
    if (def.type == SettingType::kInteger || def.type == SettingType::kReal) {
      row.t(number_text(def.minimum, def.type)).t(number_text(def.maximum, def.type));
    } else {
      row.null(2);
    }
    if (def.type == SettingType::kEnum) {
      std::vector<std::string> words;
      std::string_view list = def.options.substr(0, def.options.find('|'));
      while (!list.empty()) {
        const std::size_t comma = list.find(',');
        words.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
      }
      row.texts(words);
    } else {
      row.null();
    }
    row.t(def.boot).t(context.server.defaults().get(setting_index(def))).null(2).b(false);
    row.done();
  }
  return {};
}

const char* state_name(ActivityState state) {
  switch (state) {
    case ActivityState::kIdle: return "idle";
    case ActivityState::kActive: return "active";
    case ActivityState::kIdleInTransaction: return "idle in transaction";
    case ActivityState::kIdleInFailedTransaction: return "idle in transaction (aborted)";
    default: return "active";
  }
}

const LockReport& report_of(const SystemContext& context) {
  static const LockReport kNothing;
  const auto* session = dynamic_cast<SessionImpl*>(&context.session);
  return session != nullptr ? session->lock_report() : kNothing;
}

const char* wait_event(const LockReport& report, std::int32_t process) {
  for (const WaitEdge& edge : report.waits) {
    if (edge.waiter_process != process) continue;
    switch (edge.what) {
      case WaitEdge::What::kTable: return "relation";
      case WaitEdge::What::kAdvisory: return "advisory";
      default: return "transactionid";
    }
  }
  return nullptr;
}

Status pg_stat_activity(const SystemContext& context, SystemRows& rows) {
  const LockReport& report = report_of(context);
  const auto* self = dynamic_cast<SessionImpl*>(&context.session);
  const Oid asking = self != nullptr ? self->current_role() : kBootstrapRole;
  for (const ActivitySnapshot& session : context.server.activity()) {
    const auto time = [](CatalogRow& row, std::int64_t at) {
      if (at == 0) row.null();
      else row.i(at);
    };
    CatalogRow row(rows);
    row.i(session.database).t(session.database_name).i(session.process_id).null().i(session.role).t(session.user).t(session.application_name);
    NetworkAddress client;
    const bool shown = has_privileges_of(context.catalog, context.database, asking, session.role) ||
                       has_privileges_of(context.catalog, context.database, asking, role_oid::kReadAllStats);
    if (!shown) {
      row.null(13).t("<insufficient privilege>").null();
      row.done();
      continue;
    }
    if (session.client_address.empty() || !parse_network(session.client_address, false, &client).ok()) row.null();
    else row.value(store_network(client, rows.arena));
    row.null().i(session.client_port);
    time(row, session.backend_start);
    time(row, session.transaction_start);
    time(row, session.query_start);
    time(row, session.state_change);
    if (const char* event = wait_event(report, session.process_id); event != nullptr) row.t("Lock").t(event);
    else if (session.state != ActivityState::kActive && session.state != ActivityState::kStarting) row.t("Client").t("ClientRead");
    else row.null(2);
    row.t(state_name(session.state)).null(3).t(session.query).t("client backend");
    row.done();
  }
  return {};
}

Status pg_stat_ssl(const SystemContext& context, SystemRows& rows) {
  for (const ActivitySnapshot& session : context.server.activity()) {
    CatalogRow row(rows);
    row.i(session.process_id).b(session.tls != nullptr);
    if (session.tls == nullptr) {
      row.null(6);
    } else {
      const TlsInfo& tls = *session.tls;
      row.t(tls.version).t(tls.cipher).i(tls.bits);
      Value serial = Value::null();
      if (!tls.client_serial.empty()) WANDIAN_TRY(numeric_from_text(tls.client_serial, -1, rows.arena, &serial));
      tls.client_dn.empty() ? row.null() : row.t(tls.client_dn);
      row.value(serial);
      tls.issuer_dn.empty() ? row.null() : row.t(tls.issuer_dn);
    }
    row.done();
  }
  return {};
}

// As virtual transactions: shard and number.
std::string transaction_text(std::uint64_t transaction) {
  return std::to_string(transaction >> 56) + "/" + std::to_string(transaction & 0xffffffffffffffu);
}

// Who waits for a row waits for the transaction that holds it.
Status pg_locks(const SystemContext& context, SystemRows& rows) {
  const LockReport& report = report_of(context);
  for (const LockReport::TableEntry& lock : report.tables) {
    const bool relation = context.catalog.table(lock.table) != nullptr || context.catalog.object(ObjectKind::kView, lock.table) != nullptr ||
                          find_system_relation(lock.table) != nullptr;
    if (!relation) continue;   // it stands for a name
    CatalogRow row(rows);
    row.t("relation").i(context.database).i(lock.table).null(7);
    row.t(transaction_text(lock.transaction)).i(lock.process).t(lock_mode_name(lock.mode)).b(lock.granted).b(false).null();
    row.done();
  }
  const auto add_transaction = [&](std::uint64_t transaction, std::uint64_t owner, std::int32_t process, const char* mode, bool granted) {
    CatalogRow row(rows);
    row.t("transactionid").null(5).i(transaction_number(transaction)).null(3);
    row.t(transaction_text(owner)).i(process).t(mode).b(granted).b(false).null();
    row.done();
  };
  std::set<std::uint64_t> holders;
  for (const WaitEdge& edge : report.waits) {
    if (edge.what != WaitEdge::What::kTransaction) continue;
    add_transaction(edge.holder, edge.waiter, edge.waiter_process, "ShareLock", false);
    if (holders.insert(edge.holder).second) add_transaction(edge.holder, edge.holder, edge.holder_process, "ExclusiveLock", true);
  }
  for (const AdvisoryLocks::Info& lock : context.shard.database().advisory_locks().list()) {
    CatalogRow row(rows);
    row.t("advisory").i(lock.key.database).null(5).i(lock.key.high).i(lock.key.low).i(lock.key.two ? 2 : 1);
    row.t(transaction_text(lock.transaction)).i(lock.process_id).t(lock.shared ? "ShareLock" : "ExclusiveLock").b(lock.granted).b(false).null();
    row.done();
  }
  return {};
}

Status pg_prepared_xacts(const SystemContext& context, SystemRows& rows) {
  const auto name_of = [&](ObjectKind kind, Oid oid) {
    const auto object = context.catalog.object(kind, oid);
    return object != nullptr ? object->name : std::string("???");
  };
  for (const PreparedTransactionInfo& info : context.shard.database().prepared().list())
    CatalogRow(rows).i(transaction_number(info.transaction)).t(info.gid).i(info.prepared_at)
        .t(name_of(ObjectKind::kRole, info.owner)).t(name_of(ObjectKind::kDatabase, info.database)).done();
  return {};
}

Status pg_prepared_statements(const SystemContext& context, SystemRows& rows) {
  const auto* session = dynamic_cast<SessionImpl*>(&context.session);
  if (session == nullptr) return {};
  for (const PreparedInfo& info : session->prepared_statements()) {
    std::vector<Value> types;
    for (const Oid type : info.parameter_types) types.push_back(Value::of_int(type));
    CatalogRow row(rows);
    row.t(info.name).t(info.statement).i(info.prepare_time).value(build_array(type_oid::kRegtype, types, rows.arena)).b(info.from_sql).i(0).i(0);
    row.done();
  }
  return {};
}

Status pg_cursors(const SystemContext& context, SystemRows& rows) {
  const auto* session = dynamic_cast<SessionImpl*>(&context.session);
  if (session == nullptr) return {};
  for (const CursorInfo& info : session->cursors())
    CatalogRow(rows).t(info.name).t(info.statement).b(info.is_holdable).b(info.is_binary).b(info.is_scrollable).i(info.creation_time).done();
  return {};
}

Status pg_stat_database(const SystemContext& context, SystemRows& rows) {
  const std::vector<ActivitySnapshot> sessions = context.server.activity();
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kDatabase, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kDatabase; ++it) {
    const ObjectDef& database = *it->second;
    const auto connected = std::count_if(sessions.begin(), sessions.end(), [&](const ActivitySnapshot& s) { return s.database == database.oid; });
    CatalogRow row(rows);
    row.i(database.oid).t(database.name).i(connected);
    for (int i = 0; i < 13; ++i) row.i(0);
    row.null(2);
    for (int i = 0; i < 5; ++i) row.d(0);
    for (int i = 0; i < 4; ++i) row.i(0);
    row.null();
    row.done();
  }
  return {};
}

constexpr SystemProducer kActivityProducers[] = {
    {"pg_settings", pg_settings},
    {"pg_stat_activity", pg_stat_activity},
    {"pg_stat_ssl", pg_stat_ssl},
    {"pg_locks", pg_locks},
    {"pg_prepared_xacts", pg_prepared_xacts},
    {"pg_prepared_statements", pg_prepared_statements},
    {"pg_cursors", pg_cursors},
    {"pg_stat_database", pg_stat_database},
};

}  // namespace

std::span<const SystemProducer> activity_producers() { return kActivityProducers; }

}  // namespace wandian::sql
