// engine_sim [--seeds N] [--from SEED] [--rounds N] [--transactions N] [--seed ONE]: runs seeds, prints what fired and what broke.
// A failing seed prints itself and replays exactly with --seed.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "tests/sim/engine_sim.h"

int main(int argc, char** argv) {
  CLI::App app{"The engine from one seed"};
  std::uint64_t seeds = 200, from = 1, one = 0;
  wandian::EngineSim::Options options;
  bool no_faults = false, no_flips = false, no_nested = false, verbose = false;
  app.add_option("--seeds", seeds);
  app.add_option("--from", from);
  app.add_option("--seed", one);
  app.add_option("--rounds", options.rounds);
  app.add_option("--transactions", options.transactions);
  app.add_flag("--no-faults", no_faults);
  app.add_flag("--no-flips", no_flips);
  app.add_flag("--no-nested", no_nested);
  app.add_flag("--verbose", verbose);
  CLI11_PARSE(app, argc, argv);
  options.faults = !no_faults;
  options.bit_flips = !no_flips;
  options.nested = !no_nested;
  if (one != 0) {
    from = one;
    seeds = 1;
  }
  wandian::EngineSim::Tally tally;
  wandian::SimEnv::FaultCounts fired{};
  std::uint64_t failed = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    if (verbose) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed));
    wandian::EngineSim sim(seed, options);
    const std::string what = sim.run();
    tally.add(sim.tally());
    const wandian::SimEnv::FaultCounts counts = sim.fired();
    for (std::size_t i = 0; i < counts.size(); ++i) fired[i] += counts[i];
    if (!what.empty()) {
      ++failed;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), what.c_str());
      if (failed >= 10) break;
    }
  }
  const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf("seeds %llu  commits %llu  acknowledged %llu  rollbacks %llu  to savepoints %llu  conflicts %llu  deadlocks %llu  40001 %llu  refused full %llu  scans %llu\n",
              n(seeds), n(tally.commits), n(tally.acknowledged), n(tally.rollbacks), n(tally.savepoint_rollbacks), n(tally.conflicts), n(tally.deadlocks),
              n(tally.serialization_failures), n(tally.refused_full), n(tally.scans));
  std::printf("crashes %llu  opens %llu  failed opens %llu  tails cut %llu  damage reported %llu  damage cut %llu\n", n(tally.crashes), n(tally.opens),
              n(tally.failed_opens), n(tally.tails_cut), n(tally.damage_reported), n(tally.damage_cut));
  for (std::size_t i = 0; i < fired.size(); ++i)
    std::printf("  %-18s %llu\n", std::string(wandian::SimEnv::fault_name(static_cast<wandian::SimEnv::Fault>(i))).c_str(), n(fired[i]));
  std::printf("%llu passed, %llu failed\n", n(seeds - failed), n(failed));
  return failed == 0 ? 0 : 1;
}
