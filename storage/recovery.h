// Recovery of the log: what the segments say, what of it counts, and where the log goes on.
// Owns:    the rule that tells a torn tail from damage, and the rewrite that makes the recovered durable.
// Thread:  the opening one.
// The rule: frames are read in order. A bad frame at LSN p is damage if anything states that more than p was durable: a
//          later frame whose header verifies, or the header of a later segment that restarts the log. Otherwise nothing
//          was promised of what lay there, and the log ends at the last whole record before it. If a later frame begins
//          at p exactly, no byte of the log is missing (what is bad was a mark) and reading goes on there.
// Recovered is not durable: bytes may have been read from a page cache that never reaches the disk. So everything after
//          the last LSN proved durable is written again, into a new segment that restarts the log there and that gets
//          its name only when all of it is synced. A crash before that leaves the old state, a crash after it the new
//          one; nothing old is changed. What older segments hold beyond the restart is void from then on.
// Errors:  data_corrupted naming file, offset and LSN; feature_not_supported for another format version; io_error,
//          disk_full.
#pragma once

#include <vector>

#include "storage/log_segment.h"

namespace wandian {

struct SegmentStart {
  std::uint64_t number;
  Lsn begin;  ///< of its first byte of the log
};

struct RecoveredLog {
  DatabaseId database;
  Lsn end;                             ///< everything before it is applied and durable
  Segment current;                     ///< synced, open for appending
  std::vector<SegmentStart> segments;  ///< that hold the log, ascending, the current one last
};

/// Reads, applies, rewrites. A directory that does not exist or holds no log becomes a new, empty log.
Result<RecoveredLog> recover_log(Env& env, const LogOptions& options, LogApplier& applier, RecoveryReport* report);

}  // namespace wandian
