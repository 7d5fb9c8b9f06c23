// engine_sim [--seeds N] [--from SEED] [--rounds N] [--transactions N] [--seed ONE]: runs seeds, prints what fired and what broke.
// A failing seed prints itself and replays exactly with --seed. --require-faults N fails if a class of fault fired less often.
// --expect TEXT is for engines with a planted bug: success is a seed that breaks with TEXT in what it says.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/engine_sim.h"

namespace {

std::uint64_t running_seed = 0;

/// An assertion ends the process; whoever looks at it needs the seed.
void print_seed_and_die(int) {
  std::fprintf(stderr, "seed %llu ended the process\n", static_cast<unsigned long long>(running_seed));
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

using Named = std::vector<std::pair<std::string, std::uint64_t>>;

unsigned long long n(std::uint64_t v) { return v; }

Named tallied(const wandian::EngineSim::Tally& tally) {
  return {{"transactions", tally.transactions},
          {"commits", tally.commits},
          {"acknowledged", tally.acknowledged},
          {"rollbacks", tally.rollbacks},
          {"savepoint_rollbacks", tally.savepoint_rollbacks},
          {"conflicts", tally.conflicts},
          {"deadlocks", tally.deadlocks},
          {"serialization_failures", tally.serialization_failures},
          {"refused_disk_full", tally.refused_full},
          {"scans", tally.scans},
          {"crashes", tally.crashes},
          {"opens", tally.opens},
          {"failed_opens", tally.failed_opens},
          {"tails_cut", tally.tails_cut},
          {"damage_reported", tally.damage_reported},
          {"damage_cut", tally.damage_cut},
          {"damage_void", tally.damage_void},
          {"segments", tally.segments}};
}

bool write_json(const std::string& path, const Named& figures, const Named& faults) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{");
  for (const auto& [name, count] : figures) std::fprintf(file, "\"%s\": %llu, ", name.c_str(), n(count));
  std::fprintf(file, "\"faults\": {");
  for (std::size_t i = 0; i < faults.size(); ++i)
    std::fprintf(file, "%s\"%s\": %llu", i == 0 ? "" : ", ", faults[i].first.c_str(), n(faults[i].second));
  std::fprintf(file, "}}\n");
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The engine from one seed"};
  std::uint64_t seeds = 200, from = 1, one = 0, required = 0;
  wandian::EngineSim::Options options;
  bool no_faults = false, no_flips = false, no_nested = false, verbose = false;
  std::string json, expected;
  app.add_option("--seeds", seeds);
  app.add_option("--from", from);
  app.add_option("--seed", one, "this seed alone");
  app.add_option("--rounds", options.rounds, "lives of a seed, at least");
  app.add_option("--transactions", options.transactions, "that end in a seed, at least");
  app.add_option("--require-faults", required, "how often each class of fault must fire");
  app.add_option("--expect", expected, "succeed only if a seed breaks and says this");
  app.add_option("--json", json, "write the counts to this file");
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
  std::signal(SIGABRT, &print_seed_and_die);
  wandian::EngineSim::Tally tally;
  wandian::SimEnv::FaultCounts fired{};
  std::uint64_t failed = 0, ran = 0;
  bool met_expectation = false;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    running_seed = seed;
    if (verbose) std::fprintf(stderr, "seed %llu\n", n(seed));
    wandian::EngineSim sim(seed, options);
    const std::string what = sim.run();
    ++ran;
    tally.add(sim.tally());
    for (std::size_t i = 0; i < fired.size(); ++i) fired[i] += sim.fired()[i];
    if (what.empty()) continue;
    ++failed;
    std::printf("seed %llu: %s\n", n(seed), what.c_str());
    std::fflush(stdout);
    met_expectation = !expected.empty() && what.find(expected) != std::string::npos;
    if (met_expectation || failed >= 10) break;
  }
  Named figures{{"seeds", ran}, {"failed", failed}}, faults;
  for (auto& figure : tallied(tally)) figures.push_back(std::move(figure));
  std::uint64_t short_of_faults = 0;
  for (const auto& [name, count] : figures) std::printf("%-24s %llu\n", name.c_str(), n(count));
  std::printf("faults that the engine met:\n");
  for (std::size_t i = 0; i < fired.size(); ++i) {
    faults.emplace_back(wandian::SimEnv::fault_name(static_cast<wandian::SimEnv::Fault>(i)), fired[i]);
    if (fired[i] < required) ++short_of_faults;
    std::printf("  %-22s %llu%s\n", faults.back().first.c_str(), n(fired[i]), fired[i] < required ? "  (too few)" : "");
  }
  if (!json.empty() && !write_json(json, figures, faults)) {
    std::printf("could not write %s\n", json.c_str());
    return 1;
  }
  std::printf("%llu passed, %llu failed\n", n(ran - failed), n(failed));
  if (!expected.empty()) return met_expectation ? 0 : 1;
  return failed == 0 && short_of_faults == 0 ? 0 : 1;
}
