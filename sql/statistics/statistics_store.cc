#include "sql/statistics/statistics_store.h"

#include <algorithm>
#include <cmath>

#include "engine/shard.h"
#include "sql/statistics/collect.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

// Below it any plan is good enough.
constexpr double kSmallTable = 1000;
// As autovacuum_analyze_scale_factor and its threshold.
constexpr double kChangedShare = 0.1, kChangedRows = 500;

}  // namespace

double count_live_rows(const TableDef& table) {
  double rows = 0;
  if (table.storage == nullptr) return rows;
  const PartitionId end = table.storage->highest.load(std::memory_order_acquire);
  for (PartitionId partition = 0; partition < end; ++partition)
    if (const TablePartition* found = table.storage->find(partition))
      rows += static_cast<double>(found->live_rows.load(std::memory_order_relaxed));
  return std::max(0.0, rows);
}

std::shared_ptr<const TableStatistics> StatisticsStore::find(Oid table) const {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(table);
  return found == entries_.end() ? nullptr : found->second.statistics;
}

void StatisticsStore::put(const TableDef& table, std::shared_ptr<const TableStatistics> statistics) {
  const std::lock_guard guard(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.storage.expired(); });
  entries_[table.oid] = {table.storage, std::move(statistics)};
  epoch_.fetch_add(1, std::memory_order_relaxed);
}

bool StatisticsStore::begin(Oid table) {
  const std::lock_guard guard(mutex_);
  return collecting_.insert(table).second;
}
void StatisticsStore::end(Oid table) {
  const std::lock_guard guard(mutex_);
  collecting_.erase(table);
}

// One collection in the background; frees itself when it is done.
struct StatisticsStore::Job final : Runnable {
  Job(StatisticsStore& s, Shard& on, std::shared_ptr<const TableDef> of)
      : store(s), shard(on), table(std::move(of)), columns(columns_to_collect(*table, {})) {}
  StatisticsStore& store;
  Shard& shard;
  std::shared_ptr<const TableDef> table;
  std::vector<CollectColumn> columns;
  Task<void> work;

  Task<void> collect() {
    Lsn snapshot;
    while (!shard.take_snapshot(Lsn{0}, &snapshot)) co_await shard.next_turn();
    // Without a lock: rows of a later definition are not seen by a snapshot that is older than it.
    if (shard.catalog()->table(table->oid) == table) co_await collect_at(snapshot);
    store.end(table->oid);
    shard.post(*this);
  }
  Task<void> collect_at(Lsn snapshot) {
    shard.hold_snapshot(snapshot);
    CollectRequest request{shard, table, {}, std::move(columns), nullptr, shard.wall_us() - std::int64_t{kEpochDays} * kDayMicros, nullptr};
    request.view.snapshot = snapshot;
    try {
      Result<std::shared_ptr<const TableStatistics>> found = co_await collect_statistics(std::move(request));
      if (found.ok()) {
        std::const_pointer_cast<TableStatistics>(found.value())->automatic = true;
        store.put(*table, found.take());
      }
    } catch (const std::bad_alloc&) {
      // There will be another time.
    }
    shard.release_snapshot(snapshot);
  }
  void run() override {
    if (work.valid()) {
      {
        const std::lock_guard guard(store.mutex_);
        store.jobs_.erase(this);
      }
      delete this;
      return;
    }
    work = collect();
    work.start();
  }
};

StatisticsStore::~StatisticsStore() {
  for (Job* job : jobs_) delete job;
}

void StatisticsStore::keep_fresh(Shard& shard, const std::shared_ptr<const TableDef>& table) {
  if (table->storage == nullptr) return;
  const double rows = count_live_rows(*table);
  if (rows < kSmallTable) return;
  if (const std::shared_ptr<const TableStatistics> known = find(table->oid))
    if (std::abs(known->rows - rows) <= kChangedRows + kChangedShare * known->rows) return;
  if (!begin(table->oid)) return;
  auto job = std::make_unique<Job>(*this, shard, table);
  {
    const std::lock_guard guard(mutex_);
    jobs_.insert(job.get());
  }
  shard.post_next_turn(*job.release());
}

}  // namespace wandian::sql
