#include <CLI/CLI.hpp>

#include "bench/day/day.h"

namespace wandian::bench {

void add_day_options(CLI::App& command, DayOptions& options) {
  command.add_option("--url", options.url, "the server, postgresql://user:password@host:port/dbname")
      ->capture_default_str();
  command.add_option("--orders", options.orders, "orders of the day")->capture_default_str();
  command.add_option("--stores", options.stores, "stores of the chain")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--connections", options.connections, "connections")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command.add_option("--pipeline", options.pipeline, "orders under way on a connection at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command.add_option("--rate", options.rate, "orders a second in an open loop; 0: as fast as they are answered")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--zipf", options.zipf, "exponent of the stores' popularity; 0: all alike")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 4.0));
  command.add_option("--seed", options.seed, "the same seed makes the same orders")->capture_default_str();
  command.add_option("--json", options.json_file, "write the report to this file too, '-' for standard output");
  command.add_option("--user-procedures", options.procedure_prefix,
                     "call PREFIXplace_order and so on: the same rules, loaded under other names")
      ->type_name("PREFIX");
  command.add_flag("!--no-setup", options.setup, "expect the tables to be there, filled");
  command.add_flag("!--no-checks", options.checks, "do not verify the rules afterwards");
  command.add_flag("--quiet", options.quiet, "no progress on standard error");
}

}  // namespace wandian::bench
