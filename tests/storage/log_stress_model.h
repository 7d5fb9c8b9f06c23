// Real threads on the commit window, the ring, snapshots and the prefix, with the writer's threads beside them.
#pragma once

#include <cstdint>
#include <string>

namespace wandian {

struct LogStressResult {
  std::uint64_t commits = 0, snapshots = 0, bursts = 0, recovered = 0, waits_for_room = 0;
  std::uint64_t uncovered = 0;  ///< snapshots that covered a commit not yet published
  std::string broken;           ///< any other broken promise
};

/// Bursts of commits and snapshots from `shards` committing and `readers` reading threads for about `seconds`, each
/// burst followed by a reopening that compares what was recovered with what was appended. Ends early if a promise is
/// broken.
LogStressResult run_log_stress(unsigned shards, unsigned readers, double seconds);

}  // namespace wandian
