#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace wandian::bench {

// What `wandian bench day` was asked to do. bench/README.md describes the day and the report.
struct DayOptions {
  std::string url = "postgresql://wandian@127.0.0.1:5433/wandian";
  std::uint64_t orders = 1'000'000;
  int stores = 10'000;
  int connections = 16;
  int pipeline = 16;              // requests in flight on a connection
  double rate = 0;                // orders per second to start; 0 starts one whenever a slot is free
  double zipf = 0.8;              // the exponent of the stores' popularity
  std::uint64_t seed = 1;
  std::string json_file;
  std::string procedure_prefix;   // calls PREFIXplace_order and so on: the same rules under another name
  bool setup = true;              // create and fill what is missing
  bool checks = true;             // verify the rules by SQL afterwards
  bool quiet = false;             // no progress lines
};

/// Adds the options of `bench day` to a CLI11 command; they are written to `options` when the command line is parsed.
void add_day_options(CLI::App& command, DayOptions& options);

/// Plays the day against `options.url` and prints the report on standard output.
/// Returns the exit status: 0 if every order was acknowledged and no rule is broken, 1 if not, 2 if it could not
/// start (no server, no login, no permission to create the schema).
int run_day(const DayOptions& options);

}  // namespace wandian::bench
