// What only the engine's own files see of a shard.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/mailbox.h"
#include "engine/owner.h"
#include "engine/shard.h"
#include "engine/snapshot_slot.h"
#include "engine/system_columns.h"
#include "engine/table_lock.h"
#include "storage/log.h"

namespace wandian {

/// 53100, for Log::Admission::kDiskFull.
Status log_disk_full();

/// Ends a transaction at one owner and says when that is done. Lives in the pool of the transaction's shard.
struct FinishGroup;
struct FinishMessage final : Message {
  FinishGroup* group = nullptr;
  void deliver(Shard& here) override;
};
struct FinishGroup {
  Shard* origin = nullptr;
  TxnDescriptor* descriptor = nullptr;
  bool committed = false;
  Lsn commit;
  unsigned pending = 0;
  /// Keep the tables alive that owners still stamp: those, too, that the transaction itself made, emptied or dropped.
  std::vector<std::shared_ptr<const Catalog>> catalogs;
  std::vector<FinishMessage> messages;
};

struct Shard::State {
  State(Shard& shard, MessageRings& rings) : owner(shard), mailbox(rings, shard.index()) {}
  Owner owner;
  Mailbox mailbox;
  TableLocks table_locks;
  RecordBuffer record;                                  ///< of the commit that is being encoded
  std::vector<std::unique_ptr<TxnDescriptor>> descriptors;
  std::vector<TxnDescriptor*> free_descriptors;
  std::vector<std::unique_ptr<FinishGroup>> groups;      ///< all of them, those under way included
  std::vector<FinishGroup*> free_groups;
  std::multiset<std::uint64_t> held_snapshots;          ///< of cursors and exported snapshots
  std::vector<Transaction*> views;                      ///< transactions with a statement or a REPEATABLE READ snapshot open
  std::vector<std::uint64_t> long_views;                ///< scratch: of the snapshots in use those that have grown old
  unsigned published_longs = 0;                         ///< places of the slot's list that are in use
  std::uint64_t next_transaction = 1;
  std::int64_t next_memory_check_us = 0;
  /// What procedures were bound to, for one catalog (engine/procedure_run.cc).
  struct BoundProcedure {
    std::uint64_t catalog_version = 0;
    Oid schema = 0;
    std::shared_ptr<const void> bound;
    std::shared_ptr<const TableDef> key_table;
  };
  std::unordered_map<const void*, BoundProcedure> bound_procedures;
  /// Shares of this turn that long statements have begun, and those of the turn before.
  std::uint32_t shares = 0, shares_before = 0;
  std::string procedure_redo;                           ///< of the local procedure that runs now
  const void* last_procedure = nullptr;                 ///< the entry found last, which is mostly the next one too
  BoundProcedure* last_bound = nullptr;

  std::uint64_t new_transaction_id(unsigned shard) {
    if (transaction_number(next_transaction) == 0) [[unlikely]] ++next_transaction;   // those numbers mean something else to clients
    return std::uint64_t{shard} << 56 | next_transaction++;
  }

  /// `seen`: a version carried its address, so that a reader may have loaded it from a stamp just before the owners stamped:
  /// reuse only after a grace period.
  void release_descriptor(Shard& shard, TxnDescriptor* descriptor, bool seen) {
#ifdef WANDIAN_FAULT_descriptor_reused_early
    seen = false;
#endif
    if (!seen) {
      free_descriptors.push_back(descriptor);
      return;
    }
    shard.limbo().retire(descriptor, [](void* object, void* context) {
      static_cast<State*>(context)->free_descriptors.push_back(static_cast<TxnDescriptor*>(object));
    }, this);
  }

  TxnDescriptor* allocate_descriptor(unsigned shard, std::uint64_t id, std::int32_t process_id) {
    if (free_descriptors.empty()) {
      descriptors.push_back(std::make_unique<TxnDescriptor>());
      free_descriptors.push_back(descriptors.back().get());
    }
    TxnDescriptor* descriptor = free_descriptors.back();
    free_descriptors.pop_back();
    descriptor->state.store(TxnDescriptor::kActive, std::memory_order_release);
    descriptor->transaction_id = id;
    descriptor->process_id = process_id;
    descriptor->shard = shard;
    descriptor->owners = 0;
    descriptor->waits.store(0, std::memory_order_relaxed);
    return descriptor;
  }
};

}  // namespace wandian
