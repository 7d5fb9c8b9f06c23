// StatisticsStore: the statistics of all tables, for the planners of all sessions.
// Owns:       what was collected last of each table. Nothing of it is logged; after a restart it is collected anew when it is missed.
// Thread:     any. The mutex is taken when a statement is planned or statistics are shown, never where a planned statement runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "engine/catalog.h"
#include "engine/table.h"
#include "sql/statistics/table_statistics.h"

namespace wandian {
class Shard;
}

namespace wandian::sql {

class StatisticsStore {
 public:
  StatisticsStore() = default;
  /// Shards do not run any more: what they were collecting is given up.
  ~StatisticsStore();
  StatisticsStore(const StatisticsStore&) = delete;
  StatisticsStore& operator=(const StatisticsStore&) = delete;
  /// Null: nothing is known.
  std::shared_ptr<const TableStatistics> find(Oid table) const;
  void put(const TableDef& table, std::shared_ptr<const TableStatistics> statistics);
  /// Grows with each put(): plans that are older may be worse than new ones.
  std::uint32_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  /// A statement over this table is planned: if what is known of it is missing or old, it is collected in the background on this
  /// shard, in small shares of its turns. Small tables are left alone.
  void keep_fresh(Shard& shard, const std::shared_ptr<const TableDef>& table);

 private:
  bool begin(Oid table);
  void end(Oid table);
  struct Entry {
    std::weak_ptr<const TableStorage> storage;   ///< gone: so is the table
    std::shared_ptr<const TableStatistics> statistics;
  };
  struct Job;
  mutable std::mutex mutex_;
  std::unordered_map<Oid, Entry> entries_;
  std::unordered_set<Oid> collecting_;           ///< in the background
  std::unordered_set<Job*> jobs_;                ///< those that do it, until they have ended
  std::atomic<std::uint32_t> epoch_{0};
};

/// Rows that the table has now, as its partitions count them.
double count_live_rows(const TableDef& table);

}  // namespace wandian::sql
