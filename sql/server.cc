#include "sql/server.h"

#include <algorithm>

#include "engine/shard.h"
#include "engine/transaction.h"
#include "sql/access/acl.h"
#include "sql/access/roles.h"
#include "sql/catalog_objects.h"
#include "sql/exec/spill.h"
#include "sql/session_impl.h"
#include "sql/shard_share.h"
#include "sql/statistics/statistics_store.h"
#include "sql/types/datetime.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

/// From the Unix epoch to 2000-01-01, µs.
constexpr std::int64_t kEpochMicros = std::int64_t{kEpochDays} * kDayMicros;

CatalogChange object_change(ObjectKind kind, Oid oid, std::string name, Oid owner, std::string definition) {
  CatalogChange change;
  change.kind = kind;
  change.oid = oid;
  change.object = std::make_shared<ObjectDef>();
  change.object->kind = kind;
  change.object->oid = oid;
  change.object->owner = owner;
  change.object->name = std::move(name);
  change.object->definition = std::move(definition);
  return change;
}

CatalogChange schema_change(Oid oid, Oid database, Oid owner, std::string name) {
  CatalogChange change;
  change.kind = ObjectKind::kSchema;
  change.oid = oid;
  change.schema = std::make_shared<SchemaDef>();
  change.schema->oid = oid;
  change.schema->database = database;
  change.schema->owner = owner;
  change.schema->name = std::move(name);
  return change;
}

}  // namespace

bool Server::is_past(const std::string& valid_until) const {
  if (valid_until.empty()) return false;
  static const FormatSettings plain;
  Arena arena;
  EvalContext context{arena, plain, nullptr, 0, 0, {}};
  Value value;
  return value_from_text(context, type_oid::kTimestamptz, -1, valid_until, &value) && value.i < database_.env().clock().wall_us() - kEpochMicros;
}

Server::Server(Database& database, ServerOptions options) : database_(database), options_(std::move(options)) {
  start_time_ = database_.env().clock().wall_us() - kEpochMicros;
  statistics_reset_ = start_time_;
  statistics_ = std::make_unique<StatisticsStore>();
  if (&database_.env() == &posix_env()) spill_ = std::make_unique<SpillPool>(database_.env(), database_.options().data_directory + "/spill");
  notification_queue_ = std::make_unique<NotificationQueue>(options_.notification_queue_bytes);
  for (unsigned i = 0; i < database_.shards(); ++i) {
    shares_.push_back(std::make_unique<ShardShare>());
    shares_.back()->notify_messages = std::make_unique<NotifyMessage[]>(database_.shards());
    for (unsigned to = 0; to < database_.shards(); ++to) shares_.back()->notify_messages[to].server = this;
  }
}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(Database& database, ServerOptions options) {
  std::unique_ptr<Server> server(new Server(database, std::move(options)));
  const ServerOptions& given = server->options_;
  SettingDefaults& defaults = server->defaults_;
  defaults.force("port", std::to_string(given.port));
  defaults.force("listen_addresses", given.listen_addresses);
  defaults.force("max_connections", std::to_string(given.max_connections));
  defaults.force("unix_socket_directories", given.unix_socket_directory);
  defaults.force("data_directory", database.options().data_directory);
  defaults.force("deadlock_timeout", std::to_string(database.options().deadlock_timeout_us / 1000));
  for (const auto& [name, value] : given.settings) WANDIAN_TRY(defaults.set(name, value));
  std::vector<std::string> libraries;
  (void)split_setting_list(defaults.get(setting_index(*find_setting("shared_preload_libraries"))), &libraries);
  server->counts_statements_ = std::find(libraries.begin(), libraries.end(), "pg_stat_statements") != libraries.end();
  const std::size_t most = std::stoul(defaults.get(setting_index(*find_setting("pg_stat_statements.max"))));
  server->most_statements_ = std::max<std::size_t>(1, most / database.shards());
  return server;
}

void Server::note_statistics_reset() { statistics_reset_.store(database_.env().clock().wall_us() - kEpochMicros, std::memory_order_relaxed); }

namespace {

CatalogChange acl_change(Oid object, Acl acl) { return object_change(ObjectKind::kAcl, object, {}, 0, ObjectAcl{std::move(acl), {}}.encode()); }

// Everybody may use a schema `public`; who owns the database may create in it.
void add_public_schema(std::vector<CatalogChange>& changes, Oid oid, Oid database) {
  using namespace privilege;
  changes.push_back(schema_change(oid, database, role_oid::kDatabaseOwner, "public"));
  changes.push_back(acl_change(oid, {{role_oid::kDatabaseOwner, role_oid::kDatabaseOwner, kUsage | kCreate}, {kPublic, role_oid::kDatabaseOwner, kUsage}}));
}

void add_predefined_roles(std::vector<CatalogChange>& changes) {
  for (const PredefinedRole& one : predefined_roles()) {
    RoleProperties role;
    for (const Oid parent : one.member_of) role.member_of.push_back({parent, kBootstrapRole, false});
    changes.push_back(object_change(ObjectKind::kRole, one.oid, std::string(one.name), 0, role.encode()));
  }
}

void add_templates(std::vector<CatalogChange>& changes, Transaction& transaction) {
  using namespace privilege;
  for (const bool closed : {false, true}) {
    DatabaseProperties properties;
    properties.is_template = true;
    properties.allow_connections = !closed;
    const Oid oid = closed ? kTemplate0Database : kTemplate1Database;
    changes.push_back(object_change(ObjectKind::kDatabase, oid, closed ? "template0" : "template1", kBootstrapRole, properties.encode()));
    changes.push_back(acl_change(oid, {{kPublic, kBootstrapRole, kConnect}, {kBootstrapRole, kBootstrapRole, kCreate | kTemporary | kConnect}}));
    add_public_schema(changes, transaction.allocate_oid(), oid);
  }
}

}  // namespace

Status Server::bootstrap() {
  const std::shared_ptr<const Catalog> catalog = database_.catalog();
  const bool is_new = catalog->object(ObjectKind::kRole, kBootstrapRole) == nullptr;
  if (!is_new && catalog->object(ObjectKind::kRole, role_oid::kDatabaseOwner) != nullptr) return {};

  Shard& shard = database_.shard(0);
  Transaction transaction(shard);
  Task<Status> commit;
  Status status;
  shard.begin_turn();
  transaction.begin(Isolation::kReadCommitted, false);
  {
    std::vector<CatalogChange> changes;
    add_predefined_roles(changes);
    add_templates(changes, transaction);
    if (is_new) {
      RoleProperties role;
      role.superuser = role.create_role = role.create_database = role.can_login = role.replication = role.bypass_rls = true;
      role.verifier = options_.superuser_verifier;
      const std::string& user = options_.superuser;
      changes.push_back(object_change(ObjectKind::kRole, kBootstrapRole, user, 0, role.encode()));
      const std::string plain = DatabaseProperties{}.encode();
      const bool one_database = user == "postgres";
      changes.push_back(object_change(ObjectKind::kDatabase, kPostgresDatabase, "postgres", kBootstrapRole, plain));
      add_public_schema(changes, one_database ? kPublicSchema : transaction.allocate_oid(), kPostgresDatabase);
      if (!one_database) {
        const Oid own = transaction.allocate_oid();
        changes.push_back(object_change(ObjectKind::kDatabase, own, user, kBootstrapRole, plain));
        add_public_schema(changes, kPublicSchema, own);
      }
    } else {
      // A directory from before there were privileges: its schemas `public` become what those of new ones are.
      for (const auto& [oid, schema] : catalog->schemas())
        if (schema->name == "public" && schema->owner == kBootstrapRole) add_public_schema(changes, oid, schema->database);
    }
    status = transaction.change_catalog(std::move(changes));
  }
  if (!status.ok()) {
    transaction.try_rollback();
  } else {
    commit = transaction.commit(SyncCommit::kOn);
    commit.start();
  }
  shard.step();
  shard.end_turn();
  while (commit.valid() && !commit.done()) {
    shard.begin_turn();
    shard.step();
    shard.end_turn();
  }
  if (commit.valid()) {
    status = commit.result();
    if (!status.ok()) {
      shard.begin_turn();
      transaction.try_rollback();
      shard.end_turn();
    }
  }
  return status;
}

RoleLoginInfo Server::find_role(std::string_view user) {
  const std::shared_ptr<const Catalog> catalog = database_.catalog();
  const std::shared_ptr<const ObjectDef> object = catalog->find_object(ObjectKind::kRole, 0, user);
  if (object == nullptr) return {};
  const std::optional<RoleProperties> role = RoleProperties::decode(object->definition);
  if (!role) return {};
  // A password that has expired is none.
  const bool expired = is_past(role->valid_until);
  return {true, role->can_login, role->superuser, expired ? std::string() : role->verifier};
}

void Server::set_signals(std::function<void(std::int32_t)> cancel, std::function<void(std::int32_t)> terminate) {
  cancel_ = std::move(cancel);
  terminate_ = std::move(terminate);
}
void Server::cancel_backend(std::int32_t process_id) {
  if (cancel_) cancel_(process_id);
}
void Server::terminate_backend(std::int32_t process_id) {
  if (terminate_) terminate_(process_id);
}

void Server::set_procedures(const ProcedureLookup* lookup, ProcedureCaller* caller) {
  procedures_ = lookup;
  procedure_caller_ = caller;
}

std::vector<ActivitySnapshot> Server::activity() const {
  std::vector<ActivitySnapshot> out;
  const std::lock_guard guard(sessions_mutex_);
  out.reserve(sessions_.size());
  for (const SessionImpl* session : sessions_) out.push_back(session->activity_snapshot());
  return out;
}

std::optional<ActivitySnapshot> Server::activity(std::int32_t process_id) const {
  for (ActivitySnapshot& one : activity())
    if (one.process_id == process_id) return std::move(one);
  return std::nullopt;
}

bool Server::add_session(SessionImpl& session) {
  const std::lock_guard guard(sessions_mutex_);
  if (std::find(closed_databases_.begin(), closed_databases_.end(), session.database()) != closed_databases_.end()) return false;
  sessions_.push_back(&session);
  return true;
}

void Server::remove_session(SessionImpl& session) {
  const std::lock_guard guard(sessions_mutex_);
  std::erase(sessions_, &session);
}

unsigned Server::sessions_of(Oid database, const SessionImpl* except) const {
  const std::lock_guard guard(sessions_mutex_);
  return static_cast<unsigned>(std::count_if(sessions_.begin(), sessions_.end(), [&](const SessionImpl* session) {
    return session != except && session->database() == database;
  }));
}

unsigned Server::sessions_of_role(Oid role) const {
  const std::lock_guard guard(sessions_mutex_);
  return static_cast<unsigned>(
      std::count_if(sessions_.begin(), sessions_.end(), [&](const SessionImpl* session) { return session->authenticated_role() == role; }));
}

bool Server::close_database(Oid database, const SessionImpl* except) {
  const std::lock_guard guard(sessions_mutex_);
  for (const SessionImpl* session : sessions_)
    if (session != except && session->database() == database) return false;
  closed_databases_.push_back(database);
  return true;
}

void Server::open_database(Oid database) {
  const std::lock_guard guard(sessions_mutex_);
  std::erase(closed_databases_, database);
}

std::vector<std::int32_t> Server::processes_of(Oid database, const SessionImpl* except) const {
  std::vector<std::int32_t> out;
  const std::lock_guard guard(sessions_mutex_);
  for (const SessionImpl* session : sessions_)
    if (session != except && session->database() == database) out.push_back(session->identity().process_id);
  return out;
}

}  // namespace wandian::sql
