#include "engine/database.h"

#include <algorithm>
#include <cstdio>

#include "engine/replay.h"
#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

namespace {
/// Threads beside the shards that read tables in place (checkpoints, verification).
constexpr unsigned kReadingHelpers = 4;
}  // namespace

Database::Database(Env& env, const DatabaseOptions& options, CatalogCompiler* compiler)
    : env_(env), options_(options), compiler_(compiler) {
  env.entropy(&place_secret_, sizeof place_secret_);
  place_secret_.first |= 1;
  place_secret_.second |= 1;
}

Database::~Database() {
  // Shards go first: their limbo frees what readers no longer look at. Then the tables, with the catalog.
  if (log_ != nullptr) log_->stop();
  shards_.clear();
}

Result<std::unique_ptr<Database>> Database::open(Env& env, const DatabaseOptions& options, CatalogCompiler* compiler, RecoveryReport* report) {
  if (options.shards == 0 || options.shards > kMaxShards)
    return Status{sqlstate::invalid_parameter_value, "the number of shards must be between 1 and " + std::to_string(kMaxShards)};
  std::unique_ptr<Database> database(new Database(env, options, compiler));
  database->quiescence_ = std::make_unique<QuiescenceDomain>(options.shards + kReadingHelpers);
  database->rings_ = std::make_unique<MessageRings>(options.shards);
  database->snapshot_slots_ = std::make_unique<SnapshotSlot[]>(options.shards);
  database->catalog_ = CatalogEditor::initial();
  for (unsigned i = 0; i < options.shards; ++i) database->shards_.push_back(std::make_unique<Shard>(*database, i));
  ReplayApplier applier(*database);
  LogOptions log_options;
  log_options.directory = options.data_directory + "/wal";
  log_options.ring_bytes = options.log_ring_bytes;
  log_options.segment_bytes = options.log_segment_bytes;
  log_options.shards = options.shards;
  Result<std::unique_ptr<Log>> log = Log::open(env, log_options, applier, report);
  if (!log.ok()) return log.take_status();
  database->log_ = log.take();
  applier.finish();
  WANDIAN_TRY(database->prepared_.reinstate(*database));
  return database;
}

std::shared_ptr<const Catalog> Database::catalog() const {
  const std::lock_guard guard(catalog_mutex_);
  return catalog_;
}

void Database::publish_catalog(std::span<const CatalogChange> changes, Lsn commit) {
  const std::lock_guard guard(catalog_mutex_);
  Result<std::shared_ptr<const Catalog>> next = CatalogEditor::apply(*catalog_, changes, compiler_);
  // The same changes were applied once already, under locks that kept others off these objects.
  DB_ASSERT(next.ok());
  const_cast<Catalog&>(*next.value()).lsn = std::max(commit, catalog_->lsn);
  for (const CatalogChange& change : changes) {
    if (change.drop || change.table == nullptr) continue;
    const auto table = next.value()->table(change.table->oid);
    if (table == nullptr) continue;   // dropped again by the same transaction
    TableStorage& storage = *table->storage;
    if (storage.created.load(std::memory_order_relaxed) == 0) storage.created.store(commit.bytes, std::memory_order_relaxed);
  }
  catalog_ = next.take();
  catalog_version_.store(catalog_->version, std::memory_order_release);
}

Oid Database::allocate_oid() { return next_oid_.fetch_add(1, std::memory_order_relaxed); }
std::uint64_t Database::allocate_storage_id() { return next_storage_id_.fetch_add(1, std::memory_order_relaxed); }

SnapshotSlot& Database::snapshot_slot(unsigned shard) { return snapshot_slots_[shard]; }

void Database::collect_snapshots(SnapshotSet* out) {
  // The release LSN first, then the slots: a shard that wakes in between publishes and then takes a snapshot at or above the prefix,
  // which is at or above what was released before.
  std::uint64_t low = log_->released().bytes;
  out->longs.clear();
  for (unsigned i = 0; i < options_.shards; ++i) {
    const SnapshotSlot& slot = snapshot_slots_[i];
    low = std::min(low, slot.low.load(std::memory_order_seq_cst));
    const unsigned end = slot.longs_end.load(std::memory_order_acquire);
    for (unsigned at = 0; at < end; ++at)
      if (const std::uint64_t snapshot = slot.longs[at].load(std::memory_order_acquire); snapshot != 0) out->longs.push_back(snapshot);
  }
  std::sort(out->longs.begin(), out->longs.end());
  out->horizon = Lsn{low};
}

void Database::update_memory_state() {
  if (options_.max_memory_bytes == 0) return;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return;
  unsigned long long total = 0, resident = 0;
  const int fields = std::fscanf(file, "%llu %llu", &total, &resident);
  std::fclose(file);
  if (fields == 2) memory_exhausted_.store(resident * 4096 > options_.max_memory_bytes, std::memory_order_relaxed);
}

}  // namespace wandian
