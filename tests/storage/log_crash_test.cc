// The log alone on a simulated disk, over many seeds: nothing acknowledged is lost, nothing damaged is served.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/storage/log_crash_model.h"

namespace wandian {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

TEST(LogCrash, NothingAcknowledgedIsLostAndNothingDamagedIsServed) {
  const std::uint64_t first = from_environment("WANDIAN_SIM_SEED", 1);
  const std::uint64_t seeds = from_environment("WANDIAN_SIM_SEEDS", 5000);
  SimEnv::FaultCounts fired{};
  LogCrashModel::Tally tally;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    LogCrashModel model(seed);
    const std::string error = model.run(4);
    ASSERT_EQ(error, "") << "seed " << seed << ": run again with WANDIAN_SIM_SEED=" << seed << " WANDIAN_SIM_SEEDS=1";
    const SimEnv::FaultCounts counts = model.fired();
    for (std::size_t i = 0; i < fired.size(); ++i) fired[i] += counts[i];
    const LogCrashModel::Tally& one = model.tally();
    tally.commits += one.commits;
    tally.acknowledged += one.acknowledged;
    tally.opens += one.opens;
    tally.failed_opens += one.failed_opens;
    tally.tails_cut += one.tails_cut;
    tally.refused_full += one.refused_full;
    tally.damage_found += one.damage_found;
    tally.damage_in_the_residue += one.damage_in_the_residue;
    tally.segments += one.segments;
  }
  const auto print = [](const char* what, std::uint64_t count) {
    std::printf("  %-28s %10llu\n", what, static_cast<unsigned long long>(count));
  };
  std::printf("%llu seeds\n", static_cast<unsigned long long>(seeds));
  for (std::size_t i = 0; i < fired.size(); ++i) {
    print(std::string(SimEnv::fault_name(static_cast<SimEnv::Fault>(i))).c_str(), fired[i]);
    // The log never looks at the wall clock, so it cannot notice a jump.
    if (seeds >= 5000 && i != static_cast<std::size_t>(SimEnv::Fault::kClockJump)) {
      EXPECT_GE(fired[i], 500u) << SimEnv::fault_name(static_cast<SimEnv::Fault>(i));
    }
  }
  print("commits", tally.commits);
  print("acknowledged at a crash", tally.acknowledged);
  print("opens", tally.opens);
  print("failed opens", tally.failed_opens);
  print("torn tails cut", tally.tails_cut);
  print("refused: disk full", tally.refused_full);
  print("damage reported", tally.damage_found);
  print("damage in the last group", tally.damage_in_the_residue);
  print("segments prepared", tally.segments);
}

}  // namespace
}  // namespace wandian
