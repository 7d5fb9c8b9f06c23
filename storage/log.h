// The write-ahead log: the shared ring that shards fill, the one writer that makes it durable, and the clock.
// Owns:       the tail, the marks, the ring, the prefix, the durable LSN; the writer owns the segment files.
// Thread:     admit(), commit(), append_part(), demand() and the LSN readers from any shard; step() from the writer alone.
// Invariants: prefix <= tail; durable <= prefix; LSNs only grow; below the prefix every commit window is closed
//             and every byte is in the ring; a byte of the ring is reused only when it is durable.
// Errors:     what can fail (no room in the ring or in preallocated segments) is refused by admit(), before anything
//             is reserved. A failed write or sync ends the process: the outcome is unknown, and recovery decides
//             (PostgreSQL wiki, "Fsync Errors"; Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
//
// Order of the window, and why each step stands where it does: docs/architecture.md, "The LSN is the clock".
//   marks := tail; L := fetch_add(tail) + size; publish(L); commit mark := clear; copy into the ring; fill mark := clear
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/base/env.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"

namespace wandian {

inline constexpr std::size_t kMaxRecordBytes = 256 * 1024;
inline constexpr std::uint64_t kMarkClear = ~std::uint64_t{0};

enum class RecordKind : std::uint8_t {
  kCommit = 1,   ///< one whole transaction, or the last piece of one whose parts came before
  kPart = 2,     ///< a piece of a transaction that is larger than a record; counts only once its commit record is there
};

/// On disk and in the ring, before each record's payload. storage/README.md documents it byte by byte.
struct RecordHeader {
  std::uint32_t total_bytes;     ///< header and payload, padded to 8
  std::uint32_t payload_bytes;
  RecordKind kind;
  std::uint8_t reserved[3];
  std::uint32_t part_count;      ///< kCommit: how many parts belong to it
  std::uint64_t transaction;     ///< binds parts to their commit; unique among open transactions
  std::uint64_t begin_lsn;       ///< where it stands: patched inside the window
  std::uint64_t checksum;        ///< XXH3 of header (begin_lsn and checksum as 0) and payload, then mixed with begin_lsn
};
static_assert(sizeof(RecordHeader) == 40, "on-disk layout: see storage/README.md");

/// A record being encoded by one shard: header room first, then payload. seal() pads it and computes the content hash,
/// so that nothing is left to do in the window but to patch the position in.
class RecordBuffer {
 public:
  RecordBuffer();
  void clear();
  char* reserve(std::size_t bytes);          ///< room for more payload
  void commit(std::size_t bytes) { size_ += bytes; }
  void append(const void* data, std::size_t bytes) {
    std::memcpy(reserve(bytes), data, bytes);
    size_ += bytes;
  }
  std::size_t payload_bytes() const { return size_ - sizeof(RecordHeader); }
  std::size_t total_bytes() const { return size_; }   ///< after seal(): what the log will take
  void seal(RecordKind kind, std::uint64_t transaction, std::uint32_t part_count);
  /// Patches position and checksum; only inside the window.
  void place(Lsn begin);
  const char* data() const { return data_.data(); }

 private:
  std::vector<char> data_;
  std::size_t size_ = sizeof(RecordHeader);
  std::uint64_t content_hash_ = 0;
};

/// Implemented above: recovery (and later replication) feeds it whole transactions in commit order.
class LogApplier {
 public:
  virtual ~LogApplier() = default;
  /// `payloads` are the parts in order, then the commit record's own. `commit` is the transaction's commit LSN.
  virtual Status apply(Lsn commit, std::span<const std::span<const char>> payloads) = 0;
};

struct LogOptions {
  std::string directory;                     ///< <data-dir>/wal
  std::size_t ring_bytes = 64u << 20;        ///< power of two
  std::size_t segment_bytes = 64u << 20;     ///< of file, preallocated and zero-filled before it is used
  unsigned shards = 1;
  std::uint64_t idle_mark_us = 1000;         ///< a mark frame follows the last group after this much idleness
};

struct RecoveryReport {
  Lsn end;                                   ///< where the log goes on
  Lsn proved_durable;                        ///< the last durable LSN that a frame states
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  bool tail_cut = false;                     ///< a torn tail was dropped
  std::string cut_description;               ///< file, offset and reason, for the server log
};

class Log {
 public:
  /// Opens or creates the directory, replays everything after `from` into `applier`, rewrites and syncs what no frame proved durable,
  /// and is then ready to append. Damage before the last durable mark is data_corrupted with file, offset and LSN.
  static Result<std::unique_ptr<Log>> open(Env& env, const LogOptions& options, LogApplier& applier, RecoveryReport* report);
  ~Log();

  // --- any shard -----------------------------------------------------------------------------------------------

  enum class Admission : std::uint8_t { kAdmitted, kWait, kDiskFull };
  /// Whether a record of `bytes` fits now. kWait: demand() room and try again next turn; kDiskFull: 53100.
  Admission admit(std::size_t bytes) const {
    if (tail_.load(std::memory_order_acquire) + bytes + margin_ <= admission_limit_.load(std::memory_order_acquire)) [[likely]]
      return Admission::kAdmitted;
    return disk_full_.load(std::memory_order_acquire) ? Admission::kDiskFull : Admission::kWait;
  }

  /// The commit window. `record` is sealed and admitted. `publish(Lsn)` makes the transaction visible: one store.
  /// Returns the commit LSN: the end of the record.
  template <class Publish>
  Lsn commit(unsigned shard, RecordBuffer& record, Publish&& publish) noexcept {
    Marks& marks = marks_[shard];
    const std::uint64_t before = tail_.load(std::memory_order_acquire);
    marks.fill.store(before, std::memory_order_seq_cst);
    marks.commit.store(before, std::memory_order_seq_cst);       // pairs with the loads in snapshot()
    const std::uint64_t begin = tail_.fetch_add(record.total_bytes(), std::memory_order_seq_cst);
    const Lsn end{begin + record.total_bytes()};
    publish(end);
    marks.commit.store(kMarkClear, std::memory_order_release);
    record.place(Lsn{begin});
    copy_into_ring(begin, record);
    marks.fill.store(kMarkClear, std::memory_order_release);     // pairs with the writer's load after its load of the tail
    return end;
  }

  /// Part records: fill mark alone. Returns the record's begin.
  Lsn append_part(unsigned shard, RecordBuffer& record) noexcept;

  /// max(prefix, min(tail, commit marks), last). Load it only after the request's bytes were received.
  Lsn snapshot(Lsn last) const noexcept {
    const std::uint64_t prefix = prefix_.load(std::memory_order_acquire);
    std::uint64_t low = tail_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < shards_; ++i) low = std::min(low, marks_[i].commit.load(std::memory_order_acquire));
    return Lsn{std::max(std::max(prefix, low), last.bytes)};
  }
  Lsn tail() const noexcept { return Lsn{tail_.load(std::memory_order_acquire)}; }
  Lsn prefix() const noexcept { return Lsn{prefix_.load(std::memory_order_acquire)}; }
  /// Raises the prefix to a snapshot that the caller computed (answers under synchronous_commit = off leave with it).
  void raise_prefix(Lsn snapshot) noexcept;
  Lsn durable() const noexcept { return Lsn{durable_.load(std::memory_order_acquire)}; }
  /// What may be answered: durable here and, later, on the synchronous standbys.
  Lsn released() const noexcept { return durable(); }

  /// Says that somebody waits for `lsn` to be durable; wakes the writer if it sleeps. Call once a turn, not once a commit.
  void demand(Lsn lsn) noexcept;
  /// Whom the writer wakes (once a group, only if it sleeps) when the durable LSN rises or room appears.
  void attach(unsigned shard, Wakeup* wakeup);

  // --- the writer ------------------------------------------------------------------------------------------------

  /// One round: raise the prefix, write frames, sync, raise the durable LSN, prepare segments, write an idle mark.
  /// Returns whether it did anything. In production a thread loops over it; in simulation the scheduler calls it.
  bool step();
  /// When step() wants to be called next even if nobody demands anything (idle mark); INT64_MAX = never.
  std::int64_t next_deadline_us() const;
  /// The production thread: loops over step() and sleeps between. stop() writes and syncs everything first.
  void start_thread();
  void stop();

  struct Statistics {
    std::uint64_t groups = 0, frames = 0, bytes_written = 0, sync_us_total = 0, sync_us_max = 0;
  };
  Statistics statistics() const;

 private:
  Log();
  struct alignas(64) Marks {
    std::atomic<std::uint64_t> commit{kMarkClear};
    std::atomic<std::uint64_t> fill{kMarkClear};
  };
  void copy_into_ring(std::uint64_t begin, const RecordBuffer& record) noexcept;

  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> prefix_{0};
  std::atomic<std::uint64_t> durable_{0};
  alignas(64) std::atomic<std::uint64_t> admission_limit_{0};
  std::atomic<bool> disk_full_{false};
  std::uint64_t margin_ = 0;                 ///< one maximal record a shard: the overshoot of concurrent fetch_adds
  unsigned shards_ = 0;
  std::unique_ptr<Marks[]> marks_;
  struct Writer;                             ///< storage/log_writer.h
  std::unique_ptr<Writer> writer_;
};

}  // namespace wandian
