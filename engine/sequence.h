// Sequences: one shared counter each; the stride is logged before a value of it leaves.
// Thread:     any shard.
// Errors:     2200H at the limit of a sequence that does not cycle; 53100; 53000 where the log has no room and the caller went on all
//             the same: once must_wait_for_log() says so, nothing is taken before it says no.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "engine/catalog.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"

namespace wandian {

class Shard;

struct SequenceState {
  // A mutex of a few instructions: sequences are taken a stride at a time by nobody; contention is two shards.
  std::mutex mutex;
  std::int64_t last_value = 0;
  bool is_called = false;
  std::int64_t logged_until = 0;       ///< values up to here were promised by the log
  bool logged = false;
  bool restarted = false;              ///< by a definition whose commit is to log it
  std::atomic<std::uint64_t> floor{0}; ///< LSN of the newest stride or setval: answers wait for it
};

/// `*floor` is raised to the LSN that answers must wait for. With CACHE, the values up to `*last` are the caller's too.
Result<std::int64_t> sequence_next(Shard& shard, const SequenceDef& sequence, std::int64_t* last, std::uint64_t* floor);
/// setval: logged at once.
Status sequence_set(Shard& shard, const SequenceDef& sequence, std::int64_t value, bool is_called, std::uint64_t* floor);
/// Whether the log holds up those who commit. A sequence's record is written where nobody can wait, so its taker does at the next chance.
bool must_wait_for_log(Shard& shard);
struct SequenceValue {
  std::int64_t last_value;
  bool is_called;
};
SequenceValue sequence_read(const SequenceDef& sequence);

}  // namespace wandian
