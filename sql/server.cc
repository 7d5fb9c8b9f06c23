#include "sql/server.h"

#include <algorithm>

#include "engine/shard.h"
#include "engine/transaction.h"
#include "sql/catalog_objects.h"
#include "sql/session_impl.h"
#include "sql/shard_share.h"
#include "sql/types/datetime.h"

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

Server::Server(Database& database, ServerOptions options) : database_(database), options_(std::move(options)) {
  start_time_ = database_.env().clock().wall_us() - kEpochMicros;
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
  return server;
}

Status Server::bootstrap() {
  const std::shared_ptr<const Catalog> catalog = database_.catalog();
  for (const auto& [key, object] : catalog->objects())
    if (key.first == ObjectKind::kRole) return {};

  Shard& shard = database_.shard(0);
  Transaction transaction(shard);
  Task<Status> commit;
  Status status;
  shard.begin_turn();
  transaction.begin(Isolation::kReadCommitted, false);
  {
    RoleProperties role;
    role.superuser = role.create_role = role.create_database = role.can_login = role.replication = role.bypass_rls = true;
    role.verifier = options_.superuser_verifier;
    const std::string& user = options_.superuser;
    std::vector<CatalogChange> changes;
    changes.push_back(object_change(ObjectKind::kRole, kBootstrapRole, user, 0, role.encode()));
    const std::string plain = DatabaseProperties{}.encode();
    const bool one_database = user == "postgres";
    changes.push_back(object_change(ObjectKind::kDatabase, kPostgresDatabase, "postgres", kBootstrapRole, plain));
    changes.push_back(schema_change(one_database ? kPublicSchema : transaction.allocate_oid(), kPostgresDatabase, kBootstrapRole, "public"));
    if (!one_database) {
      const Oid own = transaction.allocate_oid();
      changes.push_back(object_change(ObjectKind::kDatabase, own, user, kBootstrapRole, plain));
      changes.push_back(schema_change(kPublicSchema, own, kBootstrapRole, "public"));
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
  return {true, role->can_login, role->superuser, role->verifier};
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

void Server::add_session(SessionImpl& session) {
  const std::lock_guard guard(sessions_mutex_);
  sessions_.push_back(&session);
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

}  // namespace wandian::sql
