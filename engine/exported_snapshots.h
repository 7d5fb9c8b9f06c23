// Exported snapshots: pg_export_snapshot() and SET TRANSACTION SNAPSHOT (PostgreSQL manual, "Snapshot Synchronization Functions").
// Owns:       who still uses which snapshot; the shard of the exporter holds it for all of them until the last one is done.
// Thread:     any shard; one mutex of a few instructions.
// Invariants: the hold never moves from one shard to another, so that an owner which looks at the shards' slots one by one never misses it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/oid.h"
#include "storage/base/lsn.h"

namespace wandian {

class Shard;
enum class Isolation : std::uint8_t;

struct ExportedSnapshot {
  Lsn snapshot;
  Oid database = 0;
  Isolation isolation{};
  bool read_only = false;
};

class ExportedSnapshots {
 public:
  /// `exporter` sees the snapshot now. The name is good until release() by the exporter.
  std::string add(Shard& exporter, const ExportedSnapshot& snapshot, std::uint64_t transaction);
  /// Takes part in the snapshot; to be ended by release(). None: no transaction that exported it is open.
  std::optional<ExportedSnapshot> join(const std::string& name);
  /// Only looks at it.
  std::optional<ExportedSnapshot> find(const std::string& name) const;
  /// The exporter's end: nobody joins any more.
  void withdraw(const std::string& name, Shard& here);
  void release(const std::string& name, Shard& here);

 private:
  struct Entry {
    ExportedSnapshot snapshot;
    Shard* holder = nullptr;
    unsigned users = 1;
    bool open = true;
  };
  void release_locked(std::map<std::string, Entry>::iterator entry, Shard& here);

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::uint64_t next_ = 1;
};

}  // namespace wandian
