// One seed's life of a log: shards that commit in random interleavings, a disk that fails, power cuts, reopening; and
// what must hold of it. Used by the crash tests and by the tests that show that planted bugs are caught.
#pragma once

#include <string>
#include <vector>

#include "tests/storage/log_test_util.h"

namespace wandian {

class LogCrashModel {
 public:
  explicit LogCrashModel(std::uint64_t seed);

  /// Runs `rounds` of open, work, crash. Returns "" or what broke.
  std::string run(int rounds);

  /// Faults that fired, bits flipped in copies of the disk included.
  SimEnv::FaultCounts fired() const;
  struct Tally {
    std::uint64_t commits = 0, acknowledged = 0, opens = 0, failed_opens = 0, tails_cut = 0, refused_full = 0,
                  damage_found = 0, damage_in_the_residue = 0, segments = 0;
  };
  const Tally& tally() const { return tally_; }
  bool faults = true;  ///< also failing calls, not only power cuts
  bool nested = true;  ///< runs turns of others inside the commit window
  bool bit_flips = true;

 private:
  struct Transaction {
    Lsn lsn;
    std::string content;
  };
  void at_point() noexcept;
  static void hook(SimPoint) noexcept;
  std::string open();
  std::string check_recovered(const std::vector<AppliedCommit>& applied, Lsn must_hold);
  std::string work();
  void commit_something(unsigned shard);
  void observe();
  std::string damage_and_repair();

  SimEnv env_;
  Random& random_;
  LogOptions options_;
  std::unique_ptr<Log> log_;
  std::vector<Transaction> transactions_;  ///< of the log's present history, by LSN
  Lsn durable_, durable_before_;           ///< as acknowledged; and before it last rose
  std::vector<bool> in_window_;
  int depth_ = 0;
  std::uint64_t next_transaction_ = 0;
  std::string broken_;
  std::uint64_t flipped_ = 0;
  Tally tally_;
};

}  // namespace wandian
