// LockReport: who holds and waits for which lock on all shards, as pg_locks, pg_blocking_pids() and pg_stat_activity show it.
// Thread:     asked for on one shard; every shard answers for itself by a message.
// Invariants: shards answer one after another: what is told of two of them need not have been true at the same moment.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/oid.h"
#include "engine/task.h"
#include "engine/wait_edge.h"

namespace wandian {

class Shard;

struct LockReport {
  struct TableEntry {
    Oid table = 0;
    std::uint64_t transaction = 0;
    std::int32_t process = 0;
    TableLock mode{};
    bool granted = false;
    auto operator<=>(const TableEntry&) const = default;
  };
  std::vector<TableEntry> tables;   ///< sorted; a strong lock, which every shard knows, once; waiting if it waits anywhere
  std::vector<WaitEdge> waits;

  /// Sessions that `process` waits for, each once.
  std::vector<std::int32_t> blockers_of(std::int32_t process) const;
};

Task<LockReport> report_locks(Shard& here);

/// Adds who waits for whom on this shard: for rows, tables and advisory locks.
void collect_waits(Shard& here, std::vector<WaitEdge>* edges);

}  // namespace wandian
