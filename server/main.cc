// wandian: one executable, its commands.
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "bench/day/day.h"
#include "server/serve.h"

int main(int argc, char** argv) {
  CLI::App app{"Wandian: an in-memory OLTP database that speaks the PostgreSQL protocol"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "wandian 0.1.0 (PostgreSQL 15 compatible)");

  wandian::server::ServeOptions serve;
  std::vector<std::string> hosts, settings;
  CLI::App* serve_command = app.add_subcommand("serve", "Run a server");
  serve_command->add_option("--data-dir", serve.data_directory, "directory of the data; made if it is not there")->required();
  serve_command->add_option("--host", hosts, "addresses to listen on; '*' for all (default 127.0.0.1)");
  serve_command->add_option("--port", serve.port, "TCP port; 0 lets the system choose (default 5433)");
  serve_command->add_option("--unix-socket-dir", serve.unix_socket_directory, "directory of a Unix socket; none if not given");
  serve_command->add_option("--shards", serve.shards, "threads that own data (default: one a core)");
  serve_command->add_option("--auth", serve.authentication, "scram-sha-256 or trust (loopback alone)")
      ->check(CLI::IsMember({"scram-sha-256", "trust"}));
  serve_command->add_option("--module-dir", serve.module_directory, "directory that CREATE FUNCTION ... LANGUAGE C loads modules from");
  serve_command->add_option("--set", settings, "name=value: a setting's default for all sessions");
  serve_command->add_option("--log-level", serve.log_level, "debug, info, warning, error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));

  CLI::App* bench_command = app.add_subcommand("bench", "Measure a server");
  bench_command->require_subcommand(1);
  CLI::App* day_command = bench_command->add_subcommand("day", "Play a day of the chain");
  wandian::bench::DayOptions day;
  wandian::bench::add_day_options(*day_command, day);

  CLI11_PARSE(app, argc, argv);
  if (day_command->parsed()) return wandian::bench::run_day(day);
  if (!hosts.empty()) serve.hosts = hosts;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::fprintf(stderr, "--set wants name=value, not \"%s\"\n", setting.c_str());
      return 2;
    }
    serve.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return wandian::server::serve(serve);
}
