// The one writer of the log: takes the filled prefix out of the ring and makes it durable, group by group.
// Owns:    the ring's memory, the open segment, the spare one, the list of segments.
// Thread:  step() and what it calls: the writer's. prepare(): the preparer's (without threads: step() calls it).
//          wakeup: anybody's. What both threads touch is under mutex_; a group takes it only to change segments.
// Invariants: written <= filled; durable is raised only after every file of the group was synced; a frame is never
//          rewritten; the room in the open and the spare segment covers every byte that admission let in, however it
//          falls into groups.
// Why the last holds: a group of n bytes takes at most n / kWorstPayload + 1 sectors, so a group (with its mark) lowers
//          the admission limit by less than two sectors of payload. A limit that a shard has checked is used within one
//          window; what stands there unfilled holds back all that came later, so few groups fit in between:
//          kSlackSectorsPerShard.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/log_segment.h"
#include "storage/recovery.h"

namespace wandian {

struct Log::Writer {
 public:
  Writer(Log& log, Env& env, const LogOptions& options, RecoveredLog recovered);
  ~Writer();

  bool step();
  std::int64_t next_deadline_us() const;
  void start_threads();
  bool threaded() const { return threaded_; }
  void stop();
  Status release_before(Lsn lsn);

  ThreadWakeup wakeup;  ///< of the writer's thread
  std::atomic<bool> napping{false};   ///< it gathers a group
  std::vector<std::atomic<Wakeup*>> shard_wakeups;
  struct Counters {
    std::atomic<std::uint64_t> groups{0}, frames{0}, bytes_written{0}, sync_us_total{0}, sync_us_max{0}, segments{0};
  } counters;

  /// Smallest options that leave room to work; why they do not, or ok.
  static Status check(const LogOptions& options);

 private:
  static constexpr std::uint64_t kWorstPayload = kSectorBytes - sizeof(FrameHeader);  ///< of a frame's only sector
  static constexpr std::uint64_t kSlackSectorsPerShard = 8, kSlackSectors = 32;
  static constexpr std::uint64_t kGatherFromBytes = 512, kGatheredBytes = 128 * 1024;  ///< of a group
  static constexpr std::int64_t kGatherUs = 4000;     ///< from the end of one group to the next, at most
  static constexpr std::int64_t kHoldUs = 1000, kHoldSyncs = 4;   ///< that hold() waits from the end of a group, at most
  static constexpr std::uint64_t kHoldBytes = 1400;   ///< that must be expected in this time: a handful of commits
  static constexpr std::int64_t kRetryUs = 100'000;  ///< between attempts to prepare a segment on a full disk

  static std::uint64_t slack_sectors(unsigned shards) { return kSlackSectors + kSlackSectorsPerShard * shards; }
  static std::uint64_t payload_room(std::uint64_t file_bytes, unsigned shards);

  void collect_filled();
#ifdef WANDIAN_FAULT_ack_before_write
  void answer_before_write();
#endif
  void write_group();
  void append_frame(FrameKind kind, std::uint64_t payload_bytes);
  bool next_segment();
  bool flush_pieces();
  bool make_durable();
  bool mark_due(std::int64_t now) const;
  void write_mark();
  void publish_limit();
  void wake_shards(std::uint64_t before);
  bool fail(std::string_view what, const Status& status);
  bool has_work();

  bool prepare();
  void gather();
  void hold();
  void nap_until(std::int64_t until_us, bool only_while_busy);
  void run_writer();
  void run_preparer();

  Log& log_;
  Env& env_;
  const LogOptions options_;
  const DatabaseId database_;
  const std::uint64_t seed_;
  std::size_t ring_bytes_;

  // The writer's.
  Segment current_;
  std::vector<std::unique_ptr<File>> left_;  ///< files that this group has filled up: to be synced with it
  std::uint64_t filled_ = 0, written_ = 0;   ///< LSNs
  std::uint64_t synced_ = 0;                 ///< LSN: what log_.durable_ says, but by the writer's own knowledge
  std::uint64_t stated_durable_ = 0;         ///< the highest durable LSN that a frame or header on disk states
  std::int64_t last_group_us_ = 0;
  std::uint64_t last_group_bytes_ = 0;
  std::uint64_t bytes_per_ms_ = 0;    ///< of commits, over the last groups
  std::int64_t last_sync_us_ = 0;
  std::uint64_t published_room_ = 0;
  std::vector<FrameHeader> headers_;  ///< of the group; never grows while pieces point into it
  std::vector<std::span<const char>> pieces_;
  std::uint64_t pieces_offset_ = 0;  ///< in the open file, of the first piece
  std::atomic<bool> dead_{false};    ///< fatal() was called; in production nobody lives to see it

  // Both threads', under mutex_.
  mutable std::mutex mutex_;
  std::condition_variable preparer_wanted_;
  std::optional<Segment> spare_;
  std::vector<SegmentStart> segments_;
  std::uint64_t next_number_;
  bool stopping_ = false;

  // The preparer's; the flags are read by the writer.
  std::optional<SegmentBuilder> builder_;
  std::atomic<bool> spare_wanted_{true};
  std::atomic<bool> disk_full_{false};
  std::atomic<std::int64_t> retry_at_us_{0};

  std::atomic<bool> stop_writer_{false};
  bool threaded_ = false;
  std::thread writer_thread_, preparer_thread_;
};

}  // namespace wandian
