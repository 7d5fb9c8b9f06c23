// RowOp: one write or lock of one row by its key, as it travels to the partition's owner. Batches go as one message.
// Owns:       inputs belong to the statement, which waits and does not touch them until the batch is answered; outputs
//             are written by the owner into the batch.
// Thread:     filled by the session's shard, run by the owner, read by the session's shard again.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/table.h"
#include "engine/version.h"
#include "storage/base/status.h"

namespace wandian {

/// PostgreSQL's four row lock modes, weakest first (manual, 13.3.2).
enum class RowLock : std::uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };
/// What a statement does when a row is locked.
enum class LockWait : std::uint8_t { kBlock, kNoWait, kSkip };

/// Decides at the owner what becomes of the newest version of a row. Evaluates only what is pure: no session state but
/// what was captured. Runs on the owner's thread, so it keeps scratch memory of its own (given as `arena`).
class RowTransform {
 public:
  enum class Verdict : std::uint8_t {
    kUpdate,   ///< `out` holds the new row, encoded with the table's current layout
    kDelete,
    kKeep,     ///< leave it, keep the lock
    kSkip,     ///< the condition does not hold for the newest version: not counted, keep the lock as PostgreSQL does
    kError,    ///< `error` is set
  };
  virtual ~RowTransform() = default;
  /// `changed` says that the row is newer than the statement's snapshot (READ COMMITTED re-check).
  virtual Verdict apply(const RowView& newest, bool changed, Arena& arena, std::string_view* out, Status* error) = 0;
};

enum class RowOutcome : std::uint8_t {
  kPending,
  kInserted, kUpdated, kDeleted, kLocked,
  kAbsent,      ///< there is no live row with that key (any more)
  kConflict,    ///< an insert met a live row: see conflict_index and `existing`
  kSkipped,     ///< the transform said kSkip, or LockWait::kSkip met a lock
  kSelfModified,///< this very command wrote the row already: UPDATE and DELETE pass it by, ON CONFLICT DO UPDATE is 21000
  kMoved,       ///< since the statement's snapshot the row went to another partition of its table
  kError,
};

struct RowOp {
  enum class Kind : std::uint8_t {
    kInsert, kModify, kLock,
    kCount,   ///< how many live rows of the partition have `key` in `index`, once no other transaction's are uncommitted: see `found`
  };

  // In.
  Kind kind = Kind::kModify;
  RowLock lock = RowLock::kNoKeyUpdate;        ///< kLock: the mode; kModify: kNoKeyUpdate or kUpdate (deletes, key changes)
  LockWait wait = LockWait::kBlock;
  bool report_conflict = false;                ///< kInsert: a conflict is an outcome (ON CONFLICT), not error 23505
  bool changes_next = false;                   ///< kLock: for a change that the statement is about to make, not for SELECT ... FOR
  bool moves = false;                          ///< kModify that deletes: the row goes to another partition of its table
  bool want_old = false, want_new = false;     ///< copy the row before/after into the batch's arena (RETURNING)
  PartitionId partition = kNoPartition;
  std::shared_ptr<const TableDef>* table = nullptr;   ///< kept alive by the statement
  KeyRef key;                                  ///< primary key; kCount: the key parts of `index`
  std::uint16_t index = 0;                     ///< kCount
  std::string_view row;                        ///< kInsert: bytes in the current layout
  RowTransform* transform = nullptr;           ///< kModify

  // Out.
  RowOutcome outcome = RowOutcome::kPending;
  bool changed = false;                        ///< the newest version is newer than the statement's snapshot: old_row is that version
  std::uint32_t found = 0;                     ///< kCount
  std::int16_t conflict_index = -1;            ///< which index of the table an insert conflicted on
  std::string_view old_row, new_row;           ///< in RowBatch::arena
  std::uint16_t old_layout = 0;
  std::uint32_t old_writer = 0;                ///< number of the transaction that wrote old_row
  const Row* anchor = nullptr;                 ///< of the row that was found or made: an address to compare, not to follow
  Status error;
};

/// The operations of one statement for one owner, and what comes back.
struct RowBatch {
  std::deque<RowOp> ops;
  Arena arena;                                 ///< written by the owner while it runs the batch
  std::string redo;                            ///< the log operations of what was written, in order
  std::uint64_t floor = 0;                     ///< newest commit that an outcome depended on
  std::uint32_t next = 0;                      ///< first operation not yet finished
  bool stop_on_error = true;
};

}  // namespace wandian
