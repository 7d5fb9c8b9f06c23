// The write-ahead log: the shared ring that shards fill, the one writer that makes it durable, and the clock.
// Owns:       the tail, the marks, the ring, the prefix, the durable LSN; the writer owns the segment files.
// Thread:     admit(), commit(), append_part(), demand() and the LSN readers from any shard; step() from the writer
//             alone.
// Invariants: durable <= filled <= prefix <= tail; LSNs only grow; below the prefix every commit window is closed,
//             below the writer's filled prefix every byte is in the ring; a byte of the ring is reused only when it is
//             durable.
// Errors:     what can fail (no room in the ring or in preallocated segments) is refused by admit(), before anything
//             is reserved. A failed write or sync ends the process: the outcome is unknown, and recovery decides
//             (PostgreSQL wiki, "Fsync Errors"; Rebello et al., "Can Applications Recover from fsync Failures?", ATC
//             2020).
//
// Order of the window, and why each step stands where it does: docs/architecture.md, "The LSN is the clock".
//   marks := tail; L := fetch_add(tail) + size; publish(L); commit mark := clear; copy into the ring;
//   fill mark := clear
// The tail is changed by read-modify-writes alone, so who loads a value that covers L synchronizes with the fetch_add
// that made L, and so sees the mark that was stored before it or something later: releases and acquires are enough.
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
#include "storage/base/sim_point.h"
#include "storage/base/status.h"

namespace wandian {

inline constexpr std::size_t kMaxRecordBytes = 256 * 1024;
inline constexpr std::uint64_t kMarkClear = ~std::uint64_t{0};

enum class RecordKind : std::uint8_t {
  kCommit = 1,  ///< one whole transaction, or the last piece of one whose parts came before
  kPart = 2,    ///< a piece of a transaction that is larger than a record; counts only once its commit record is there
};

/// On disk and in the ring, before each record's payload. storage/README.md documents it byte by byte.
struct RecordHeader {
  std::uint32_t total_bytes;  ///< header and payload, padded to 8
  std::uint32_t payload_bytes;
  RecordKind kind;
  std::uint8_t reserved[3];
  std::uint32_t part_count;   ///< kCommit: how many parts belong to it, the last so many of its transaction
  std::uint64_t transaction;  ///< binds parts to their commit; unique among open transactions
  std::uint64_t begin_lsn;    ///< where it stands: patched inside the window
  std::uint64_t checksum;     ///< XXH3 of the fields above but begin_lsn and of the payload, then mixed with begin_lsn
};
static_assert(sizeof(RecordHeader) == 40, "on-disk layout: see storage/README.md");

/// A record's checksum at its place. Multiplying by an odd number is one to one, so a record at another place never
/// verifies.
constexpr std::uint64_t placed_checksum(std::uint64_t content_hash, Lsn begin) {
  return content_hash ^ ((begin.bytes + 1) * 0x9e3779b97f4a7c15u);
}

/// A record being encoded by one shard: header room first, then payload. seal() pads it and computes the content hash,
/// so that nothing is left to do in the window but to patch the position in.
class RecordBuffer {
 public:
  RecordBuffer();
  void clear() { size_ = sizeof(RecordHeader); }
  char* reserve(std::size_t bytes) {  ///< room for more payload
    if (capacity_ - size_ < bytes + kPadding) [[unlikely]]
      grow(bytes);
    return data_.get() + size_;
  }
  void commit(std::size_t bytes) { size_ += bytes; }
  void append(const void* data, std::size_t bytes) {
    std::memcpy(reserve(bytes), data, bytes);
    size_ += bytes;
  }
  std::size_t payload_bytes() const { return size_ - sizeof(RecordHeader); }
  std::size_t total_bytes() const { return size_; }  ///< after seal(): what the log will take
  /// Once, after the last byte of payload; the record then is at most kMaxRecordBytes.
  /// @param part_count  of a commit: how many parts of its transaction came before; of a part: not looked at.
  void seal(RecordKind kind, std::uint64_t transaction, std::uint32_t part_count);
  /// Patches position and checksum; only inside the window.
  void place(Lsn begin) noexcept {
    const std::uint64_t words[2] = {begin.bytes, placed_checksum(content_hash_, begin)};
    std::memcpy(data_.get() + offsetof(RecordHeader, begin_lsn), words, sizeof words);
  }
  const char* data() const { return data_.get(); }

 private:
  static constexpr std::size_t kPadding = 8;
  void grow(std::size_t bytes);

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t size_ = sizeof(RecordHeader);
  std::uint64_t content_hash_ = 0;
};
static_assert(offsetof(RecordHeader, checksum) == offsetof(RecordHeader, begin_lsn) + 8, "place() writes both at once");

/// Implemented above: recovery (and later replication) feeds it whole transactions in commit order.
class LogApplier {
 public:
  virtual ~LogApplier() = default;
  /// `payloads` are the parts in order, then the commit record's own. `commit` is the transaction's commit LSN, `transaction` what
  /// its record was sealed with.
  virtual Status apply(Lsn commit, std::uint64_t transaction, std::span<const std::span<const char>> payloads) = 0;
};

struct LogOptions {
  std::string directory;                  ///< <data-dir>/wal
  std::size_t ring_bytes = 64u << 20;     ///< power of two
  std::size_t segment_bytes = 64u << 20;  ///< of file, preallocated and zero-filled before it is used
  unsigned shards = 1;
  std::uint64_t idle_mark_us = 1000;  ///< a mark frame follows the last group after this much idleness
  Lsn replay_from;                    ///< a checkpoint's: commits at or before it are not fed to the applier
  Lsn read_from;                      ///< begin of the oldest part then open; 0: none was, so replay_from
  std::size_t max_record_bytes = kMaxRecordBytes;  ///< what no record will exceed; smaller lets tests use small rings
};

struct RecoveryReport {
  Lsn end;             ///< where the log goes on
  Lsn proved_durable;  ///< the last durable LSN that a frame states
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  bool tail_cut = false;        ///< a torn tail was dropped
  std::string cut_description;  ///< file, offset and reason, for the server log
};

class Log {
 public:
  /// Opens or creates the directory, replays everything after `replay_from` into `applier`, rewrites and syncs what no
  /// frame proved durable, and is then ready to append. Damage before the last durable mark is data_corrupted with
  /// file, offset and LSN.
  static Result<std::unique_ptr<Log>> open(Env& env, const LogOptions& options, LogApplier& applier,
                                           RecoveryReport* report);
  ~Log();

  // --- any shard -----------------------------------------------------------------------------------------------

  enum class Admission : std::uint8_t { kAdmitted, kWait, kDiskFull };
  /// Whether a record of `bytes` fits now. kWait: demand() the tail and try again next turn; kDiskFull: 53100.
  Admission admit(std::size_t bytes) const { return admit_beside(margin_, bytes); }
  /// The same for a record that is far smaller than the largest and whose writer cannot wait, as a sequence's: half of one maximal
  /// record is set aside for all of these. Whoever was let in by it waits before it writes the next one.
  Admission admit_small(std::size_t bytes) const { return admit_beside(margin_ - small_reserve_, bytes); }

  /// The commit window. `record` is sealed and admitted. `publish(Lsn)` makes the transaction visible: one store.
  /// Returns the commit LSN: the end of the record.
  template <class Publish>
  Lsn commit(unsigned shard, RecordBuffer& record, Publish&& publish) noexcept {
    Marks& marks = marks_[shard];
    const std::uint64_t before = tail_.load(std::memory_order_acquire);
    // Releases also here: who sees this mark instead of the last window's clear must see that window's work too.
    marks.fill.store(before, std::memory_order_release);
#ifndef WANDIAN_FAULT_commit_mark_late
    marks.commit.store(before, std::memory_order_release);  // pairs with the loads in snapshot()
#endif
    sim_point(SimPoint::kCommitMarked);
    const std::uint64_t begin = tail_.fetch_add(record.total_bytes(), std::memory_order_acq_rel);
#ifdef WANDIAN_FAULT_commit_mark_late
    sim_point(SimPoint::kCommitReserved);
    marks.commit.store(before, std::memory_order_release);
#endif
    const Lsn end{begin + record.total_bytes()};
    sim_point(SimPoint::kCommitReserved);
    publish(end);
    sim_point(SimPoint::kCommitPublished);
    marks.newest.store(end.bytes, std::memory_order_relaxed);
    marks.commit.store(kMarkClear, std::memory_order_release);
    sim_point(SimPoint::kCommitVisible);
    record.place(Lsn{begin});
    copy_into_ring(begin, record);
    marks.fill.store(kMarkClear, std::memory_order_release);  // pairs with the writer's load after its load of the tail
    sim_point(SimPoint::kCommitFilled);
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

  /// Says that somebody on this shard waits for `lsn` to be durable; wakes the writer if it sleeps. Call once a turn, not
  /// once a commit, and after commits under synchronous_commit = off too: a sleeping writer looks at nothing.
  void demand(unsigned shard, Lsn lsn) noexcept;
  /// A shard that is about to sleep has nothing more to commit, and one that begins a turn may have: where many commit, the
  /// writer gathers them for a short time while a shard that waits for it is at work.
  void rest(unsigned shard) noexcept;
  void work(unsigned shard) noexcept { marks_[shard].resting.store(false, std::memory_order_relaxed); }
  /// Whom the writer wakes (once a group, only if it sleeps) when the durable LSN rises and the shard waits for that. Who
  /// waits for room tries again each turn and does not sleep.
  /// Null detaches; the wake-up outlives its attachment and the round that was under way.
  void attach(unsigned shard, Wakeup* wakeup);

  // --- any thread that may block -----------------------------------------------------------------------------------

  /// A checkpoint covers everything up to `lsn`: removes segments that hold nothing later.
  Status release_before(Lsn lsn);

  // --- the writer ------------------------------------------------------------------------------------------------

  /// One round (a group at most): raise the prefix, write frames, sync, raise the durable LSN, prepare segments, write
  /// an idle mark. Returns whether it did anything. In production a thread loops over it; in simulation the scheduler
  /// calls it.
  bool step();
  /// When step() wants to be called next even if nobody demands anything (idle mark); INT64_MAX = never.
  std::int64_t next_deadline_us() const;
  /// The production threads: one loops over step() and sleeps between, one prepares segments. stop() writes and syncs
  /// everything first; nobody commits during it. The destructor stops the threads, but without them it writes nothing.
  void start_thread();
  void stop();

  struct Statistics {
    std::uint64_t groups = 0;         ///< without idle marks
    std::uint64_t frames = 0;         ///< with marks
    std::uint64_t bytes_written = 0;  ///< of file: records, frame headers and padding
    std::uint64_t sync_us_total = 0, sync_us_max = 0;
    std::uint64_t segments = 0;  ///< prepared since open()
  };
  Statistics statistics() const;

 private:
  Log();
  struct alignas(64) Marks {
    std::atomic<std::uint64_t> commit{kMarkClear};
    std::atomic<std::uint64_t> fill{kMarkClear};
    std::atomic<std::uint64_t> newest{0};      ///< LSN of the shard's last commit
    std::atomic<std::uint64_t> demanded{0};    ///< LSN: the highest that the shard waits for or has waited for
    std::atomic<bool> resting{true};
  };
  /// No shard that waits for a sync is at work: a group gains nothing by waiting longer.
  bool all_rest() const noexcept {
    const std::uint64_t durable = durable_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < shards_; ++i)
      if (!marks_[i].resting.load(std::memory_order_seq_cst) && marks_[i].newest.load(std::memory_order_relaxed) > durable) return false;
    return true;
  }
  /// `margin`: what is kept free for the records of others.
  Admission admit_beside(std::uint64_t margin, std::size_t bytes) const {
    if (tail_.load(std::memory_order_acquire) + bytes + margin <= admission_limit_.load(std::memory_order_acquire)) [[likely]]
      return Admission::kAdmitted;
    return disk_full_.load(std::memory_order_acquire) ? Admission::kDiskFull : Admission::kWait;
  }
  void copy_into_ring(std::uint64_t begin, const RecordBuffer& record) noexcept {
    const std::size_t at = begin & ring_mask_, bytes = record.total_bytes(), straight = ring_mask_ + 1 - at;
    if (bytes <= straight) [[likely]] {
      std::memcpy(ring_ + at, record.data(), bytes);
    } else {
      std::memcpy(ring_ + at, record.data(), straight);
      std::memcpy(ring_, record.data() + straight, bytes - straight);
    }
  }

  // Fixed after open(), read by everybody.
  char* ring_ = nullptr;  ///< every page touched, so that no window meets a page fault
  std::size_t ring_mask_ = 0;
  /// One maximal record a shard: the overshoot of concurrent fetch_adds, which is of all shards but the one that was checked last.
  /// So one of these records is never used, and half of it may be lent out.
  std::uint64_t margin_ = 0;
  std::uint64_t small_reserve_ = 0;
  unsigned shards_ = 0;
  std::unique_ptr<Marks[]> marks_;  ///< each written by its shard alone
  struct Writer;                    ///< storage/log_writer.h
  std::unique_ptr<Writer> writer_;

  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> prefix_{0};  ///< the writer and raise_prefix()
  std::atomic<std::uint64_t> durable_{0};             ///< the writer
  alignas(64) std::atomic<std::uint64_t> admission_limit_{0};
  std::atomic<bool> disk_full_{false};
};

}  // namespace wandian
