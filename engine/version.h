// Rows, their version chains, and who sees which version.
// Thread:     chains are changed by the owner of the partition alone; a published version changes in two atomic words,
//             its stamp and its link to the older one.
// Invariants: stamps fall from newer to older; a stamp is a commit LSN, or the address of an active transaction's
//             descriptor with the top bit set; only the head of a chain (and older ones of the same transaction) can carry a descriptor.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/descriptor.h"
#include "storage/base/lsn.h"

namespace wandian {

class ReadSet;   // engine/read_set.h

struct Version {
  enum Flags : std::uint16_t {
    kTombstone = 1,      ///< the row is deleted as of this version; it has no bytes
    kInline = 2,         ///< stands in its Row's own allocation
    kKeyChanged = 4,     ///< some secondary key differs from the older version's
    kExclusive = 8,      ///< written under RowLock::kUpdate (insert, delete, key change): FOR KEY SHARE waits for it
    kGone = 16,          ///< of a tombstone: the row went to another table, a partition of the same
  };
  std::atomic<std::uint64_t> stamp;      ///< written by the owner (release), read by all (acquire)
  std::atomic<Version*> older{nullptr};
  std::uint32_t size = 0;                ///< bytes of the row
  /// Of the writing transaction while that is active: an own write is seen from the next command on. Once it has committed the owner
  /// puts the transaction's number here, before it stores the stamp (engine/system_columns.h).
  std::uint32_t command = 0;
  std::uint16_t flags = 0;
  std::uint16_t layout = 0;
  std::uint32_t capacity = 0;            ///< bytes there is room for

  const char* row() const { return reinterpret_cast<const char*>(this + 1); }
  char* row() { return reinterpret_cast<char*>(this + 1); }
  /// The version that bytes got by reading belong to.
  static const Version& of_row(const char* row) { return *(reinterpret_cast<const Version*>(row) - 1); }
  bool tombstone() const { return (flags & kTombstone) != 0; }
};
static_assert(sizeof(Version) == 32);

/// The anchor that indexes point to: one a key, stable while any version is kept.
struct Row {
  std::atomic<Version*> head{nullptr};   ///< stored by the owner (release), loaded by all (acquire)
  std::uint32_t inline_capacity = 0;     ///< bytes of row data that the allocation has room for behind an inline Version
  std::uint8_t inline_used = 0;          ///< owner only
  std::uint8_t lock_state = 0;           ///< owner only: 1 = the lock table has an entry for this row
  std::uint8_t queued = 0;               ///< owner only: kQueued, kHeld
  std::uint8_t reserved = 0;
  /// Row::queued: it stands in the partition's garbage queue; it stands in its list of held rows. Who is in neither may be freed.
  static constexpr std::uint8_t kQueued = 1, kHeld = 2;
  Version* inline_version() { return reinterpret_cast<Version*>(this + 1); }
};
static_assert(sizeof(Row) == 16);

inline constexpr std::uint64_t kStampActive = std::uint64_t{1} << 63;

inline std::uint64_t active_stamp(const TxnDescriptor* descriptor) {
  return reinterpret_cast<std::uint64_t>(descriptor) | kStampActive;
}
inline TxnDescriptor* stamp_descriptor(std::uint64_t stamp) {
  return reinterpret_cast<TxnDescriptor*>(stamp & ~kStampActive);
}

/// What a transaction sees. `floor` gathers the newest commit that any answer built from this view depends on.
struct ReadView {
  Lsn snapshot;
  const TxnDescriptor* own = nullptr;    ///< null for a transaction that has written nothing
  std::uint32_t command = 0;             ///< own versions of earlier commands (< command) are seen
  std::uint64_t floor = 0;               ///< bytes of an Lsn; raised while reading
  ReadSet* reads = nullptr;              ///< where a SERIALIZABLE transaction remembers what it read; null at other levels

  void raise_floor(std::uint64_t lsn) {
    if (lsn > floor) floor = lsn;
  }
};

/// The version that `view` sees, which may be a tombstone, or null. No reader ever waits: a version whose descriptor is
/// still active will commit later than the snapshot (proof: docs/architecture.md). Raises the floor by every commit it
/// passes that is not newer than the snapshot.
inline const Version* visible_version(const Row& row, ReadView& view) {
  for (const Version* version = row.head.load(std::memory_order_acquire); version != nullptr;
       version = version->older.load(std::memory_order_acquire)) {
    std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
    if ((stamp & kStampActive) != 0) [[unlikely]] {
      const TxnDescriptor* descriptor = stamp_descriptor(stamp);
      if (descriptor == view.own) {
        if (version->command < view.command) return version;
        continue;
      }
      stamp = descriptor->state.load(std::memory_order_acquire);
      if (stamp == TxnDescriptor::kActive || stamp == TxnDescriptor::kAborted) continue;
    }
    if (stamp <= view.snapshot.bytes) {
      view.raise_floor(stamp);
      return version;
    }
  }
  return nullptr;
}

/// A row as an operator sees it: good until the turn ends.
struct RowView {
  const char* row = nullptr;
  std::uint16_t layout = 0;
  Row* anchor = nullptr;
  std::uint32_t partition = 0;
  std::uint64_t stamp = 0;               ///< of the version seen, resolved: its commit LSN, or 0 for an own write
};

}  // namespace wandian
