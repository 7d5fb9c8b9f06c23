#include "server/serve.h"

#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "engine/database.h"
#include "engine/shard.h"
#include "procedures/hotdog.h"
#include "server/procedure_host.h"
#include "sql/ddl/services.h"
#include "sql/server.h"
#include "sql/session.h"
#include "sql/settings/setting.h"
#include "storage/base/env.h"
#include "storage/base/large_memory.h"
#include "storage/base/memory_reserve.h"
#include "wire/scram.h"
#include "wire/server.h"
#include "wire/tls.h"

namespace wandian::server {

namespace {

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::kDebug: return spdlog::level::debug;
    case Severity::kLog: case Severity::kInfo: case Severity::kNotice: return spdlog::level::info;
    case Severity::kWarning: return spdlog::level::warn;
    case Severity::kError: return spdlog::level::err;
    case Severity::kFatal: case Severity::kPanic: return spdlog::level::critical;
  }
  return spdlog::level::info;
}

int refuse(const Status& status) {
  const ErrorRecord& error = status.error();
  spdlog::critical("{} ({})", error.message, error.code.text());
  if (!error.detail.empty()) spdlog::critical("DETAIL: {}", error.detail);
  if (!error.hint.empty()) spdlog::critical("HINT: {}", error.hint);
  return 1;
}

// One server a data directory: the lock goes with the process, however it ends.
class DirectoryLock {
 public:
  Status acquire(const std::string& directory) {
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      return Status{sqlstate::io_error, "could not create data directory \"" + directory + "\": " + std::strerror(errno)};
    const std::string path = directory + "/wandian.pid";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) return Status{sqlstate::io_error, "could not open \"" + path + "\": " + std::strerror(errno)};
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
      return Status{sqlstate::lock_file_exists, "data directory \"" + directory + "\" is in use by another server"}
          .with_hint("Is another wandian serving from it? Its process id is in wandian.pid.");
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd_, 0) != 0 || ::write(fd_, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size()))
      return Status{sqlstate::io_error, "could not write \"" + path + "\": " + std::strerror(errno)};
    return {};
  }
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_ = -1;
};

class LogClock final : public wire::ReleaseClock {
 public:
  explicit LogClock(Database& database) : database_(database) {}
  Lsn released() noexcept override { return database_.log().released(); }
  void demand(unsigned shard, Lsn lsn) noexcept override { database_.log().demand(shard, lsn); }

 private:
  Database& database_;
};

class RoleAuthenticator final : public wire::Authenticator {
 public:
  explicit RoleAuthenticator(sql::Server& server) : server_(server) {}
  wire::RoleLogin find_role(std::string_view user) override {
    sql::RoleLoginInfo role = server_.find_role(user);
    return {role.exists, role.can_login, role.superuser, std::move(role.verifier)};
  }

 private:
  sql::Server& server_;
};

bool loopback_only(const std::vector<std::string>& hosts) {
  return std::all_of(hosts.begin(), hosts.end(), [](const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
  });
}

Result<std::string> verifier_for(std::string_view password) {
  if (password.empty()) return Status{sqlstate::invalid_password, "empty passwords are not allowed"};
  constexpr int kIterations = 4096;   // as PostgreSQL's scram_iterations
  char salt[16];
  posix_env().entropy(salt, sizeof salt);
  return wire::make_verifier(password, kIterations, std::string_view(salt, sizeof salt));
}

// Without a setting: what statements hold at a time must not push the data out of memory.
std::size_t default_request_memory() {
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 4;
}

// Settings of the engine itself; the rest are sql's.
Status engine_setting(const std::string& name, const std::string& value, DatabaseOptions* options, std::size_t* preallocate,
                      std::size_t* notification_queue, bool* taken) {
  if (name == "deadlock_timeout") {   // sessions show it, the engine keeps to it
    WANDIAN_ASSIGN(const std::string milliseconds, sql::check_setting(*sql::find_setting(name), value));
    options->deadlock_timeout_us = std::strtoll(milliseconds.c_str(), nullptr, 10) * 1000;
    return {};
  }
  std::size_t request_memory = 0;
  std::size_t* out = name == "max_memory"           ? &options->max_memory_bytes
                     : name == "preallocate_memory" ? preallocate
                     : name == "max_request_memory" ? &request_memory
                     : name == "max_notification_memory" ? notification_queue
                                                         : nullptr;
  *taken = out != nullptr;
  if (!*taken) return {};
  char* end = nullptr;
  const unsigned long long number = std::strtoull(value.c_str(), &end, 10);
  std::string unit(end);
  unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
  const std::pair<const char*, std::size_t> units[] = {{"", 1}, {"B", 1}, {"kB", 1u << 10}, {"MB", 1u << 20}, {"GB", 1u << 30}};
  for (const auto& [name_of_unit, factor] : units)
    if (unit == name_of_unit && end != value.c_str()) {
      *out = number * factor;
      if (out == &request_memory) large_memory::set_limit(request_memory == 0 ? ~std::size_t{0} : request_memory);
      return {};
    }
  return Status{sqlstate::invalid_parameter_value, "invalid value for parameter \"" + name + "\": \"" + value + "\""}
      .with_hint("Valid units for this parameter are \"B\", \"kB\", \"MB\" and \"GB\".");
}

// Null: ssl is off. File names without a directory are in the data directory, as in PostgreSQL.
Result<std::shared_ptr<const wire::TlsContext>> tls_context(const sql::Server& server, const std::string& data_directory) {
  const auto setting = [&](const char* name) { return server.defaults().get(sql::setting_index(*sql::find_setting(name))); };
  const auto file = [&](const char* name) {
    const std::string value = setting(name);
    return value.empty() || value.front() == '/' ? value : data_directory + "/" + value;
  };
  if (setting("ssl") != "on") return std::shared_ptr<const wire::TlsContext>();
  if (!setting("ssl_passphrase_command").empty())
    return Status{sqlstate::feature_not_supported, "ssl_passphrase_command is not supported"};
  wire::TlsOptions tls;
  tls.certificate_file = file("ssl_cert_file");
  tls.key_file = file("ssl_key_file");
  tls.ca_file = file("ssl_ca_file");
  tls.crl_file = file("ssl_crl_file");
  tls.crl_directory = file("ssl_crl_dir");
  tls.dh_params_file = file("ssl_dh_params_file");
  tls.ciphers = setting("ssl_ciphers");
  tls.ecdh_curve = setting("ssl_ecdh_curve");
  tls.minimum_version = setting("ssl_min_protocol_version");
  tls.maximum_version = setting("ssl_max_protocol_version");
  tls.prefer_server_ciphers = setting("ssl_prefer_server_ciphers") == "on";
  return wire::TlsContext::create(tls);
}

// SIGHUP: certificates that were renewed are read again.
void reload_tls(const sql::Server& server, const std::string& data_directory, wire::WireServer& wire) {
  Result<std::shared_ptr<const wire::TlsContext>> tls = tls_context(server, data_directory);
  if (!tls.ok()) {
    spdlog::error("{}", tls.status().error().message);
    spdlog::info("SSL configuration was not reloaded");
    return;
  }
  spdlog::info("SIGHUP: {}", tls.value() != nullptr ? "the files of TLS were read again" : "there is nothing to read again");
  wire.set_tls(tls.take());
}

}  // namespace

int serve(const ServeOptions& options) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("wandian"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
  spdlog::set_level(spdlog::level::from_str(options.log_level));

  const char* user = std::getenv("WANDIAN_USER");
  const char* password = std::getenv("WANDIAN_PASSWORD");
  const bool trust = options.authentication == "trust";
  if (trust && !loopback_only(options.hosts))
    return refuse(Status{sqlstate::invalid_parameter_value, "--auth trust listens on loopback addresses alone"}
                      .with_hint("Set WANDIAN_PASSWORD and leave --auth out, or listen on 127.0.0.1."));
  DirectoryLock lock;
  if (Status status = lock.acquire(options.data_directory); !status.ok()) return refuse(status);

  // Signals are waited for by this thread alone.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  DatabaseOptions database_options;
  database_options.data_directory = options.data_directory;
  database_options.shards = options.shards != 0 ? options.shards : std::clamp(std::thread::hardware_concurrency(), 1u, kMaxShards);
  sql::ServerOptions server_options;
  std::size_t preallocate = 0;
  large_memory::set_limit(default_request_memory());
  for (const auto& [name, value] : options.settings) {
    bool taken = false;
    if (Status status = engine_setting(name, value, &database_options, &preallocate, &server_options.notification_queue_bytes, &taken); !status.ok()) return refuse(status);
    if (!taken) server_options.settings.emplace_back(name, value);
    if (name == "max_connections") server_options.max_connections = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  }

  if (preallocate != 0) {
    spdlog::info("preallocating {} MB", preallocate >> 20);
    const std::size_t reserved = reserve_memory(preallocate);
    if (reserved < preallocate) spdlog::warn("preallocated {} MB of {} MB", reserved >> 20, preallocate >> 20);
  }

  RecoveryReport report;
  Result<std::unique_ptr<Database>> opened = Database::open(posix_env(), database_options, &sql::catalog_compiler(), &report);
  if (!opened.ok()) return refuse(opened.status());
  std::vector<std::unique_ptr<EventfdWakeup>> wakeups;   // the log's writer uses them as long as there is a database
  std::unique_ptr<Database> database = opened.take();
  if (report.tail_cut) spdlog::warn("log cut after its last durable mark: {}", report.cut_description);
  if (report.records != 0) spdlog::info("recovered {} transactions, {} bytes of log, up to {}", report.records, report.bytes, to_string(report.end));
  database->log().start_thread();

  if (user != nullptr) server_options.superuser = user;
  if (password != nullptr) {
    const Result<std::string> verifier = verifier_for(password);
    if (!verifier.ok()) return refuse(verifier.status());
    server_options.superuser_verifier = verifier.value();
  }
  server_options.port = options.port;
  server_options.unix_socket_directory = options.unix_socket_directory;
  server_options.listen_addresses.clear();
  for (const std::string& host : options.hosts) server_options.listen_addresses += (server_options.listen_addresses.empty() ? "" : ",") + host;
  if (report.end.bytes == 0 && password == nullptr && !trust)
    return refuse(Status{sqlstate::invalid_password, "a new data directory needs a password for its superuser"}
                      .with_hint("Set WANDIAN_PASSWORD, or start with --auth trust on loopback."));

  ProcedureHost host(database->shards(), options.module_directory);
  host.add(procedures::hotdog());
  sql::ddl_services().extensions = &host;
  sql::ddl_services().modules = &host;
  sql::ddl_services().hash_password = [](std::string_view text) { return verifier_for(text); };

  Result<std::unique_ptr<sql::Server>> created = sql::Server::create(*database, std::move(server_options));
  if (!created.ok()) return refuse(created.status());
  std::unique_ptr<sql::Server> server = created.take();
  server->set_procedures(&host, &host);
  if (Status status = server->bootstrap(); !status.ok()) return refuse(status);

  std::vector<wire::ShardBinding> bindings;
  for (unsigned i = 0; i < database->shards(); ++i) {
    wakeups.push_back(std::make_unique<EventfdWakeup>());
    database->shard(i).attach_wakeup(wakeups.back().get());
    bindings.push_back({&database->shard(i), wakeups.back().get(), {}});
  }
  wire::WireOptions wire_options;
  wire_options.hosts = options.hosts;
  wire_options.port = options.port;
  wire_options.unix_socket_directory = options.unix_socket_directory;
  wire_options.max_connections = server->options().max_connections;
  wire_options.authentication = trust ? wire::Authentication::kTrust : wire::Authentication::kScram;
  wire_options.log = [](Severity severity, std::string_view message) { spdlog::log(level_of(severity), "{}", message); };
  Result<std::shared_ptr<const wire::TlsContext>> tls = tls_context(*server, options.data_directory);
  if (!tls.ok()) return refuse(tls.status());
  wire_options.tls = tls.take();
  LogClock clock(*database);
  RoleAuthenticator authenticator(*server);
  wire::WireServer wire(
      std::move(wire_options), posix_env(), std::move(bindings),
      [&](unsigned shard, sql::SessionSink& sink, const sql::SessionIdentity& identity) {
        return sql::Session::create(*server, database->shard(shard), sink, identity);
      },
      authenticator, clock);
  server->set_signals([&](std::int32_t process) { wire.cancel_backend(process); }, [&](std::int32_t process) { wire.terminate_backend(process); });
  if (Status status = wire.start(); !status.ok()) return refuse(status);
  wire.set_accepting(true);
  std::printf("ready: %s port %u, %u shards, data in %s\n", server->options().listen_addresses.c_str(), static_cast<unsigned>(wire.port()),
              database->shards(), options.data_directory.c_str());
  std::fflush(stdout);

  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) reload_tls(*server, options.data_directory, wire);
  spdlog::info("stopping: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  wire.begin_shutdown(5'000'000);
  wire.wait_drained(6'000'000);
  wire.stop();
  database->log().stop();
  server.reset();
  spdlog::info("stopped");
  return 0;
}

}  // namespace wandian::server
