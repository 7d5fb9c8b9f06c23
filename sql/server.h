// Server: what all sessions share: settings, statement caches, the list of sessions, native procedures, who may log in.
// Owns:       everything below it. Built by the composition root after the Database is open; outlives every Session.
// Thread:     made and bootstrapped before the shards run; afterwards as each member says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/database.h"
#include "engine/oid.h"
#include "sql/settings/session_settings.h"
#include "storage/base/status.h"

namespace wandian::sql {

class ProcedureCaller;   // sql/procedure_caller.h: runs native procedures
class ProcedureLookup;   // sql/bind/binder.h
class NotificationQueue;   // sql/notification_queue.h
class SessionImpl;
class SpillPool;         // sql/exec/spill.h
class StatisticsStore;   // sql/statistics/statistics_store.h
struct TlsInfo;          // sql/session.h
struct ShardShare;       // sql/shard_share.h: one shard's caches and sessions

/// Compiles what the engine does not understand (CHECK constraints). Give it to Database::open. Stateless; never destroyed.
CatalogCompiler& catalog_compiler();

struct ServerOptions {
  std::vector<std::pair<std::string, std::string>> settings;   ///< --set name=value, in order
  std::string superuser = "wandian";           ///< of a new data directory
  std::string superuser_verifier;              ///< SCRAM verifier; empty: no password
  std::int32_t port = 5433;                    ///< shown by SHOW port and inet_server_port()
  std::string listen_addresses = "localhost";
  std::uint32_t max_connections = 1000;
  std::string unix_socket_directory;
  std::size_t notification_queue_bytes = std::size_t{256} << 20;   ///< of sent notifications that somebody has yet to read
};

/// What authentication needs to know about a role.
struct RoleLoginInfo {
  bool exists = false;
  bool can_login = false;
  bool superuser = false;
  std::string verifier;
};

enum class ActivityState : std::uint8_t { kStarting, kIdle, kActive, kIdleInTransaction, kIdleInFailedTransaction };

/// One row of pg_stat_activity.
struct ActivitySnapshot {
  std::int32_t process_id = 0;
  Oid database = 0;
  std::string database_name;
  Oid role = 0;
  std::string user;
  std::string application_name;
  std::string client_address;
  std::int32_t client_port = -1;
  std::int64_t backend_start = 0;              ///< µs from 2000-01-01 UTC, as the ones below; 0: none
  std::int64_t transaction_start = 0;
  std::int64_t query_start = 0;
  std::int64_t state_change = 0;
  ActivityState state = ActivityState::kIdle;
  std::string query;                           ///< its first 1023 bytes
  unsigned shard = 0;
  std::shared_ptr<const TlsInfo> tls;
};

class Server {
 public:
  /// Checks the settings (42704, 22023). `database` outlives the server.
  static Result<std::unique_ptr<Server>> create(Database& database, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A data directory without a role gets the superuser, the databases `postgres` and one named like the superuser, and their
  /// schemas `public`: one transaction on shard 0, durable with the log's next group. Call before any shard's thread runs, after
  /// a thread (or the caller, by Log::step()) can make room in the log. Does nothing if there is a role already.
  Status bootstrap();

  Database& database() { return database_; }
  const ServerOptions& options() const { return options_; }
  const SettingDefaults& defaults() const { return defaults_; }
  std::int64_t start_time() const { return start_time_; }   ///< µs from 2000-01-01 UTC

  /// For wire's Authenticator. Inside a turn of some shard.
  RoleLoginInfo find_role(std::string_view user);

  /// How another session is cancelled or ended (wire routes by process number). May be empty: then nobody is. Set before
  /// the first session.
  void set_signals(std::function<void(std::int32_t)> cancel, std::function<void(std::int32_t)> terminate);
  void cancel_backend(std::int32_t process_id);
  void terminate_backend(std::int32_t process_id);

  /// Native procedures; null: there are none. Set before the first session; both outlive the server.
  void set_procedures(const ProcedureLookup* lookup, ProcedureCaller* caller);
  const ProcedureLookup* procedures() const { return procedures_; }
  ProcedureCaller* procedure_caller() { return procedure_caller_; }

  /// All live sessions. Any thread.
  std::vector<ActivitySnapshot> activity() const;
  std::optional<ActivitySnapshot> activity(std::int32_t process_id) const;

  NotificationQueue& notification_queue() { return *notification_queue_; }
  StatisticsStore& statistics() { return *statistics_; }
  /// pg_stat_statements: the setting shared_preload_libraries names it, and how many statements a shard keeps.
  bool counts_statements() const { return counts_statements_; }
  std::size_t most_statements() const { return most_statements_; }
  std::int64_t statistics_reset_time() const { return statistics_reset_.load(std::memory_order_relaxed); }   ///< µs from 2000-01-01 UTC
  void note_statistics_reset();
  /// Null: there are no temporary files (in simulation).
  SpillPool* spill() { return spill_.get(); }

  // --- sql's own ---------------------------------------------------------------------------------------------------
  ShardShare& share(unsigned shard) { return *shares_[shard]; }
  /// False: the session's database is closed.
  bool add_session(SessionImpl& session);
  void remove_session(SessionImpl& session);
  /// Sessions connected to a database (DROP DATABASE), not counting `except`.
  unsigned sessions_of(Oid database, const SessionImpl* except) const;
  unsigned sessions_of_role(Oid role) const;
  /// From now on nobody can connect to the database; false if somebody but `except` is. Until its DROP or rename has ended.
  bool close_database(Oid database, const SessionImpl* except);
  void open_database(Oid database);
  /// Process numbers of a database's sessions.
  std::vector<std::int32_t> processes_of(Oid database, const SessionImpl* except) const;

 private:
  Server(Database& database, ServerOptions options);
  bool is_past(const std::string& valid_until) const;

  Database& database_;
  ServerOptions options_;
  SettingDefaults defaults_;
  std::int64_t start_time_ = 0;
  std::vector<std::unique_ptr<ShardShare>> shares_;
  std::function<void(std::int32_t)> cancel_, terminate_;
  const ProcedureLookup* procedures_ = nullptr;
  ProcedureCaller* procedure_caller_ = nullptr;
  std::unique_ptr<NotificationQueue> notification_queue_;
  std::unique_ptr<StatisticsStore> statistics_;
  std::unique_ptr<SpillPool> spill_;
  bool counts_statements_ = false;
  std::size_t most_statements_ = 0;
  std::atomic<std::int64_t> statistics_reset_{0};
  mutable std::mutex sessions_mutex_;          ///< the list alone; taken when sessions come and go and by activity()
  std::vector<SessionImpl*> sessions_;
  std::vector<Oid> closed_databases_;
};

}  // namespace wandian::sql
