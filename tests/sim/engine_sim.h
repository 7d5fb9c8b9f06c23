// One seed's life of a whole engine: clients on several shards whose transactions interleave at random, a disk that fails, power
// cuts, reopening; and an oracle that knows what every commit did.
// Checked:  every snapshot's scan shows exactly the commits at or below it; after a crash the tables are exactly the commits up to
//           where recovery ended, which covers every acknowledged one, and every reopening succeeds once nothing fails; one
//           flipped bit is either void, or reported with its file and the offset of its frame, or, after the last durable
//           mark, cut with everything behind it, and recovery says so.
// Thread:   one. Turns of other shards also run inside commit windows, at the marked points.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/shard.h"
#include "engine/transaction.h"
#include "storage/base/env_sim.h"
#include "tests/engine/row_helpers.h"

namespace wandian {

class EngineSim {
 public:
  struct Options {
    unsigned rounds = 2;               ///< lives between crashes, at least
    unsigned transactions = 100;       ///< that end in one seed, at least
    bool faults = true;                ///< failing calls too, not only power cuts
    bool bit_flips = true;
    bool nested = true;                ///< turns inside commit windows
  };
  struct Tally {
    std::uint64_t transactions = 0, commits = 0, rollbacks = 0, savepoint_rollbacks = 0, conflicts = 0, deadlocks = 0, serialization_failures = 0, refused_full = 0, acknowledged = 0,
                  scans = 0, crashes = 0, opens = 0, failed_opens = 0, tails_cut = 0, damage_reported = 0, damage_cut = 0, damage_void = 0,
                  segments = 0;
    void add(const Tally& other);
  };

  EngineSim(std::uint64_t seed, const Options& options);
  ~EngineSim();
  /// "" or what broke.
  std::string run();
  const Tally& tally() const { return tally_; }
  const SimEnv::FaultCounts& fired() const { return env_.fired(); }

 private:
  struct Effect {
    enum class Kind : std::uint8_t { kAdd, kInsert, kDelete } kind;
    std::int32_t id;
    std::int64_t amount;
  };
  struct Commit {
    Lsn lsn;
    std::vector<Effect> effects;
  };
  struct Client;
  struct Seen {
    Lsn snapshot;
    std::map<std::int32_t, std::int64_t> rows;
  };
  using Rows = std::map<std::int32_t, std::int64_t>;

  Status open();
  std::string open_among_faults();
  void die();
  void inject_some(std::span<const SimEnv::Fault> faults, std::uint64_t most_calls);
  std::string make_table();
  std::string live();
  void turn(unsigned shard);
  void step_log();
  void observe();
  std::string check_scans();
  std::string recovered();
  std::string damage();
  std::string check_place(const std::string& text, const std::string& path, const std::string& content, std::uint64_t byte) const;
  std::string row_text(std::int32_t id);
  Rows model_at(Lsn lsn) const;
  Rows read_all(Transaction& transaction);
  void fail(std::string what) {
    if (broken_.empty()) broken_ = std::move(what);
  }
  static void hook(SimPoint) noexcept;
  void at_point() noexcept;

  Options options_;
  SimEnv env_;
  Random& random_;
  DatabaseOptions database_options_;
  RecoveryReport report_;
  std::unique_ptr<Database> database_;
  std::vector<std::unique_ptr<Client>> clients_;
  Oid table_oid_ = 0;
  Rows base_;                          ///< what the first commits of this history stand on
  std::vector<Commit> history_;        ///< by LSN, of the log's present history
  Lsn table_lsn_;
  std::vector<Seen> seen_;
  Lsn durable_;                        ///< acknowledged up to here
  Lsn stated_;                         ///< a frame or a header on disk states that everything up to here was durable
  Log::Statistics seen_statistics_;
  bool wide_rows_ = false;             ///< rows so large that the log fills segments and records need parts
  std::vector<bool> in_turn_;
  int depth_ = 0;
  std::uint64_t started_ = 0;
  std::string broken_;
  Tally tally_;
};

}  // namespace wandian
