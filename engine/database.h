// Database: what all shards share, put together: environment, log, published catalog, placement, partitions' owners.
// Owns:       everything below it. Built by server/ (production) or by the simulator.
// Thread:     opened and closed by one thread; the rest as each part says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/advisory_lock.h"
#include "engine/catalog.h"
#include "engine/mailbox.h"
#include "engine/placement.h"
#include "engine/exported_snapshots.h"
#include "engine/prepared.h"
#include "engine/quiescence.h"
#include "engine/system_columns.h"
#include "storage/base/env.h"
#include "storage/log.h"

namespace wandian {

class Shard;
struct SnapshotSet;
struct SnapshotSlot;

struct DatabaseOptions {
  std::string data_directory;
  unsigned shards = 2;
  std::size_t max_memory_bytes = 0;        ///< 0 = no limit
  std::size_t log_ring_bytes = 64u << 20;
  std::size_t log_segment_bytes = 64u << 20;
  std::int64_t deadlock_timeout_us = 1'000'000;
};

class Database {
 public:
  /// Recovers or creates the data directory. `compiler` may be null (tests without SQL).
  static Result<std::unique_ptr<Database>> open(Env& env, const DatabaseOptions& options, CatalogCompiler* compiler, RecoveryReport* report);
  ~Database();

  const DatabaseOptions& options() const { return options_; }
  Env& env() { return env_; }
  Log& log() { return *log_; }
  PlacementMap& placement() { return placement_; }
  CatalogCompiler* compiler() { return compiler_; }
  QuiescenceDomain& quiescence() { return *quiescence_; }
  AdvisoryLocks& advisory_locks() { return advisory_locks_; }
  const PlaceSecret& place_secret() const { return place_secret_; }
  PreparedTransactions& prepared() { return prepared_; }
  ExportedSnapshots& exported_snapshots() { return exported_snapshots_; }
  unsigned shards() const { return options_.shards; }
  Shard& shard(unsigned index) { return *shards_[index]; }
  unsigned owner_of(PartitionId partition) const { return partition % options_.shards; }

  /// The newest published catalog. The reference is good until the turn ends; copy the shared_ptr to keep it.
  std::shared_ptr<const Catalog> catalog() const;
  std::uint64_t catalog_version() const { return catalog_version_.load(std::memory_order_acquire); }
  /// Publishes what a committed DDL made of it, at `commit`.
  void publish_catalog(std::span<const CatalogChange> changes, Lsn commit);

  Oid allocate_oid();
  std::uint64_t allocate_storage_id();

  MessageRings& rings() { return *rings_; }
  /// Each shard's published snapshots (engine/snapshot_slot.h).
  SnapshotSlot& snapshot_slot(unsigned shard);
  /// Every snapshot in use or to come: the release LSN, loaded first, then the shards' slots.
  void collect_snapshots(SnapshotSet* out);

  /// Bytes in use as the allocator counts them; refreshed by shards now and then. Writes are refused beyond the limit.
  bool memory_exhausted() const { return memory_exhausted_.load(std::memory_order_relaxed); }
  void update_memory_state();

 private:
  friend class ReplayApplier;
  Database(Env& env, const DatabaseOptions& options, CatalogCompiler* compiler);

  Env& env_;
  DatabaseOptions options_;
  CatalogCompiler* compiler_;
  std::unique_ptr<QuiescenceDomain> quiescence_;
  std::unique_ptr<Log> log_;
  PlacementMap placement_;
  AdvisoryLocks advisory_locks_;
  PreparedTransactions prepared_;
  ExportedSnapshots exported_snapshots_;
  PlaceSecret place_secret_;
  std::unique_ptr<MessageRings> rings_;
  std::unique_ptr<SnapshotSlot[]> snapshot_slots_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::mutex catalog_mutex_;                   // publication and copying of one pointer; never held while anything else runs
  std::shared_ptr<const Catalog> catalog_;
  std::atomic<std::uint64_t> catalog_version_{0};
  std::atomic<Oid> next_oid_{kFirstUserOid};
  std::atomic<std::uint64_t> next_storage_id_{1};
  std::atomic<bool> memory_exhausted_{false};
};

}  // namespace wandian
