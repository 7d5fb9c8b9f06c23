// StatementStatistics: what pg_stat_statements shows, as one shard counts it.
// Owns:       an entry for each statement that the shard has run, by role, database and query; at most as many as it was given.
// Thread:     entries are counted into by their shard alone, without a lock; find() and what looks at all entries, from any shard,
//             take one. A compiled statement keeps its entry, so that running it again looks nothing up.
// Invariants: an entry that was thrown out or reset is marked so, and whoever kept it finds itself another one.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/oid.h"

namespace wandian::sql {

/// Times of a kind, in ns: their number, sum, extremes and variance (Welford 1962, "Note on a Method for Calculating Corrected Sums of
/// Squares and Products").
struct TimeSums {
  std::uint64_t count = 0;
  double total = 0, least = 0, most = 0, mean = 0, squares = 0;   ///< squares: sum of squared distances from the mean
  /// The sums of both (Chan, Golub, LeVeque 1979).
  void add(const TimeSums& other);
  double deviation() const { return count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count)); }
};

/// TimeSums that one thread changes while others may look.
class RunningTimes {
 public:
  void add(double ns);
  TimeSums read() const;

 private:
  // Relaxed: figures for people, each right by itself.
  std::atomic<std::uint64_t> count_{0};
  std::atomic<double> total_{0}, least_{0}, most_{0}, mean_{0}, squares_{0};
};

struct StatementKey {
  Oid role = 0, database = 0;
  std::int64_t query = 0;
  bool operator==(const StatementKey&) const = default;
};

struct StatementEntry {
  StatementKey key;
  std::string text;
  RunningTimes executions, plans;
  std::atomic<std::uint64_t> rows{0};
  std::atomic<bool> gone{false};     ///< no longer in the table; set under its lock
  double usage = 0;                  ///< under the lock: calls as of the last eviction, older ones counting for less
  std::uint64_t counted = 0;         ///< under the lock: of `usage`
};

class StatementStatistics {
 public:
  /// The entry of a query, made if it is not there; `text` is what it is shown as. The least used make room.
  std::shared_ptr<StatementEntry> find(const StatementKey& key, std::string_view text, std::size_t most);
  /// A zero matches all.
  void reset(Oid role, Oid database, std::int64_t query);
  std::vector<std::shared_ptr<const StatementEntry>> entries() const;
  std::uint64_t evictions() const;

 private:
  struct Hash {
    std::size_t operator()(const StatementKey& key) const {
      return static_cast<std::size_t>(static_cast<std::uint64_t>(key.query) ^ (static_cast<std::uint64_t>(key.role) << 32) ^ key.database);
    }
  };
  void evict();

  mutable std::mutex mutex_;
  std::unordered_map<StatementKey, std::shared_ptr<StatementEntry>, Hash> entries_;
  std::uint64_t evictions_ = 0;
};

/// The number and the shown text of a statement, its constants taken out; of one that is no query, those of its text.
struct QueryIdentity {
  std::int64_t query = 0;
  std::string text;
};
QueryIdentity identify_query(std::string_view text, bool is_query);

}  // namespace wandian::sql
