#include "storage/log_writer.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace wandian {
namespace {

constexpr char kZeroSector[kSectorBytes] = {};

}  // namespace

Status Log::Writer::check(const LogOptions& options) {
  const auto refuse = [](std::string what) { return Status{sqlstate::invalid_parameter_value, std::move(what)}; };
  if (options.shards == 0) return refuse("the log needs at least one shard");
  if (options.ring_bytes == 0 || (options.ring_bytes & (options.ring_bytes - 1)) != 0)
    return refuse("the log's ring must be a power of two of bytes");
  if (options.max_record_bytes > kMaxRecordBytes || options.max_record_bytes < sizeof(RecordHeader))
    return refuse("the log's largest record is out of range");
  const std::uint64_t needed = static_cast<std::uint64_t>(options.shards + 1) * options.max_record_bytes;
  if (options.ring_bytes < needed)
    return refuse("the log's ring must hold " + std::to_string(needed) + " bytes for this many shards");
  if (options.segment_bytes % kSectorBytes != 0 || options.segment_bytes < kSegmentHeaderBytes ||
      payload_room(options.segment_bytes - kSegmentHeaderBytes, options.shards) < needed)
    return refuse("a log segment must be a multiple of 512 bytes and hold " + std::to_string(needed) +
                  " bytes of records for this many shards");
  return {};
}

std::uint64_t Log::Writer::payload_room(std::uint64_t file_bytes, unsigned shards) {
  const std::uint64_t sectors = file_bytes / kSectorBytes, slack = slack_sectors(shards);
  return sectors > slack ? (sectors - slack) * kWorstPayload : 0;
}

Log::Writer::Writer(Log& log, Env& env, const LogOptions& options, RecoveredLog recovered)
    : shard_wakeups(options.shards),
      log_(log),
      env_(env),
      options_(options),
      database_(recovered.database),
      seed_(identity_seed(recovered.database)),
      ring_bytes_(options.ring_bytes),
      current_(std::move(recovered.current)),
      filled_(recovered.end.bytes),
      written_(recovered.end.bytes),
      synced_(recovered.end.bytes),
      stated_durable_(recovered.end.bytes),
      segments_(std::move(recovered.segments)),
      next_number_(current_.number + 1) {
  void* const memory = ::mmap(nullptr, ring_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DB_ASSERT(memory != MAP_FAILED);
  std::memset(memory, 0, ring_bytes_);  // touches every page
  log_.ring_ = static_cast<char*>(memory);
  log_.ring_mask_ = ring_bytes_ - 1;
  const std::size_t frames = ring_bytes_ / (kMaxFrameBytes - sizeof(FrameHeader)) + 2;
  headers_.reserve(frames + ring_bytes_ / options_.segment_bytes + 2);
  publish_limit();
}

Log::Writer::~Writer() { ::munmap(log_.ring_, ring_bytes_); }

bool Log::Writer::step() {
  if (dead_.load(std::memory_order_relaxed)) return false;
  bool did = false;
  collect_filled();
  if (filled_ > written_) {
#ifdef WANDIAN_FAULT_ack_before_write
    answer_before_write();
#endif
    write_group();
    did = true;
  } else if (mark_due(env_.clock().monotonic_us())) {
    write_mark();
    did = true;
  }
  if (!threaded_ && !dead_.load(std::memory_order_relaxed)) did |= prepare();
  if (dead_.load(std::memory_order_relaxed)) return false;
  publish_limit();
  return did;
}

/// The tail first, then the fill marks: the other way round, a shard that reserves in between would be taken for idle.
/// Marks may be stale, so the minimum may lie below what was seen before.
void Log::Writer::collect_filled() {
  std::uint64_t low = log_.tail_.load(std::memory_order_acquire);
  for (unsigned i = 0; i < log_.shards_; ++i) low = std::min(low, log_.marks_[i].fill.load(std::memory_order_acquire));
  filled_ = std::max(filled_, low);
  log_.raise_prefix(Lsn{filled_});
}

#ifdef WANDIAN_FAULT_ack_before_write
/// The planted bug: whoever waits for this group is answered; the writing follows, as in an engine that writes behind.
void Log::Writer::answer_before_write() {
  log_.durable_.store(filled_, std::memory_order_release);
  wake_shards(synced_);
  if (threaded_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}
#endif

bool Log::Writer::fail(std::string_view what, const Status& status) {
  dead_.store(true, std::memory_order_relaxed);
  env_.fatal("the log's " + std::string(what) + " failed: " + status.error().message +
             "; the outcome of unanswered commits is unknown until recovery decides");
  return false;
}

void Log::Writer::write_group() {
  headers_.clear();
  pieces_.clear();
  pieces_offset_ = current_.offset;
  const std::uint64_t first_segment = current_.number;
  last_group_bytes_ = filled_ - written_;
  while (written_ < filled_) {
    if (current_.room() == 0 && !next_segment()) return;
    const std::uint64_t most = std::min<std::uint64_t>(kMaxFrameBytes, current_.room()) - sizeof(FrameHeader);
    append_frame(FrameKind::kData, std::min(filled_ - written_, most));
  }
#ifdef WANDIAN_FAULT_ack_before_sync
  if (!flush_pieces()) return;
  log_.durable_.store(written_, std::memory_order_release);
  wake_shards(synced_);
#endif
  if (!make_durable()) return;
  const std::uint64_t before = synced_;
  stated_durable_ = before;
  synced_ = written_;
  log_.durable_.store(synced_, std::memory_order_seq_cst);  // pairs with durable(), and with demand()
  const std::int64_t now = env_.clock().monotonic_us();
  const std::uint64_t since_us = static_cast<std::uint64_t>(std::max<std::int64_t>(now - last_group_us_, 1));
  bytes_per_ms_ = (3 * bytes_per_ms_ + last_group_bytes_ * 1000 / since_us) / 4;
  last_group_us_ = now;
  counters.groups.fetch_add(1, std::memory_order_relaxed);
  if (current_.number != first_segment) {
    // Listed only now: the segment before may be released once this one is known to hold the next byte of the log.
    const std::lock_guard lock(mutex_);
    for (const FrameHeader& header : headers_)
      if (header.segment != segments_.back().number) segments_.push_back({header.segment, Lsn{header.begin_lsn}});
  }
  publish_limit();
  wake_shards(before);
}

/// Header, one or two spans of the ring, padding: written from where they stand.
void Log::Writer::append_frame(FrameKind kind, std::uint64_t payload_bytes) {
  const std::size_t at = written_ & log_.ring_mask_;
  const std::size_t straight = std::min<std::size_t>(payload_bytes, ring_bytes_ - at);
  const std::span<const char> first(log_.ring_ + at, straight), second(log_.ring_, payload_bytes - straight);
  DB_ASSERT(headers_.size() < headers_.capacity());
  headers_.push_back(make_frame_header(kind, current_.number, current_.offset, Lsn{written_}, Lsn{synced_},
                                       payload_bytes, hash_payload(first, second), seed_));
  const std::uint64_t whole = frame_bytes(payload_bytes);
  DB_ASSERT(whole <= current_.room());
  pieces_.emplace_back(reinterpret_cast<const char*>(&headers_.back()), sizeof(FrameHeader));
  if (!first.empty()) pieces_.push_back(first);
  if (!second.empty()) pieces_.push_back(second);
  if (const std::size_t padding = whole - sizeof(FrameHeader) - payload_bytes; padding > 0)
    pieces_.emplace_back(kZeroSector, padding);
  current_.offset += whole;
  written_ += payload_bytes;
  counters.frames.fetch_add(1, std::memory_order_relaxed);
  counters.bytes_written.fetch_add(whole, std::memory_order_relaxed);
}

bool Log::Writer::next_segment() {
  if (!flush_pieces()) return false;
  left_.push_back(std::move(current_.file));
  {
    const std::lock_guard lock(mutex_);
    DB_ASSERT(spare_.has_value());  // admission let nothing in beyond it
    current_ = std::move(*spare_);
    spare_.reset();
    spare_wanted_.store(true, std::memory_order_release);
  }
  preparer_wanted_.notify_one();
  pieces_offset_ = current_.offset;
  return true;
}

bool Log::Writer::flush_pieces() {
  if (pieces_.empty()) return true;
  const Status status = current_.file->write(pieces_, pieces_offset_);
  pieces_.clear();
  return status.ok() || fail("write", status);
}

/// What is left to write, and with it all that was written since the last time. Older segments first.
bool Log::Writer::make_durable() {
  const std::int64_t before = env_.clock().monotonic_us();
  for (const std::unique_ptr<File>& file : left_)
    if (const Status status = file->sync(); !status.ok()) return fail("sync", status);
  left_.clear();
  const Status status = pieces_.empty() ? current_.file->sync() : current_.file->write_durable(pieces_, pieces_offset_);
  pieces_.clear();
  if (!status.ok()) return fail("write or sync", status);
  const auto took = static_cast<std::uint64_t>(std::max<std::int64_t>(env_.clock().monotonic_us() - before, 0));
  last_sync_us_ = static_cast<std::int64_t>(took);
  counters.sync_us_total.fetch_add(took, std::memory_order_relaxed);
  if (took > counters.sync_us_max.load(std::memory_order_relaxed))
    counters.sync_us_max.store(took, std::memory_order_relaxed);
  return true;
}

bool Log::Writer::mark_due(std::int64_t now) const {
  // Where room is scarce a mark is not worth a sector that an admitted record may need.
  return stated_durable_ < written_ && now - last_group_us_ >= static_cast<std::int64_t>(options_.idle_mark_us) &&
         current_.room() >= kSectorBytes && published_room_ > 2 * kWorstPayload;
}

void Log::Writer::write_mark() {
  headers_.clear();
  pieces_.clear();
  pieces_offset_ = current_.offset;
  append_frame(FrameKind::kMark, 0);
  if (!make_durable()) return;
  stated_durable_ = written_;
}

void Log::Writer::publish_limit() {
  std::uint64_t file_room = current_.room();
  {
    const std::lock_guard lock(mutex_);
    if (spare_) file_room += spare_->room();
  }
  published_room_ = payload_room(file_room, log_.shards_);
  const std::uint64_t by_segments = written_ + published_room_;
  const std::uint64_t by_ring = synced_ + ring_bytes_;
  // Only where the disk is what stops admission: room in the ring comes by itself.
  const bool full = disk_full_.load(std::memory_order_acquire) && by_segments <= by_ring;
  const std::uint64_t limit = std::min(by_segments, by_ring);
  log_.disk_full_.store(full, std::memory_order_release);
  log_.admission_limit_.store(limit, std::memory_order_release);  // pairs with admit()
}

/// Those that wait for something beyond `before`, what was durable until now. Pairs with demand().
void Log::Writer::wake_shards(std::uint64_t before) {
  for (unsigned i = 0; i < log_.shards_; ++i) {
    if (log_.marks_[i].demanded.load(std::memory_order_seq_cst) <= before) continue;
    if (Wakeup* const wakeup = shard_wakeups[i].load(std::memory_order_acquire)) wakeup->wake();
  }
}

std::int64_t Log::Writer::next_deadline_us() const {
  if (dead_.load(std::memory_order_relaxed)) return INT64_MAX;
  std::int64_t deadline = INT64_MAX;
  if (stated_durable_ < written_ && current_.room() >= kSectorBytes && published_room_ > 2 * kWorstPayload)
    deadline = last_group_us_ + static_cast<std::int64_t>(options_.idle_mark_us);
  if (!threaded_ && spare_wanted_.load(std::memory_order_acquire))
    deadline = std::min(deadline, retry_at_us_.load(std::memory_order_relaxed));
  return deadline;
}

/// One slice of the next segment; true if it did something.
bool Log::Writer::prepare() {
  if (!spare_wanted_.load(std::memory_order_acquire)) return false;
  const std::int64_t now = env_.clock().monotonic_us();
  if (now < retry_at_us_.load(std::memory_order_relaxed)) return false;
  if (!builder_) {
    SegmentHeader header{};
    header.segment = next_number_;
    header.segment_bytes = options_.segment_bytes;
    header.database = database_;
    header.start_lsn = kContinues;
    builder_.emplace(env_, options_.directory, header);
  }
  Result<bool> done = builder_->step();
  if (!done.ok()) {
    if (done.status().code() != sqlstate::disk_full) {
      fail("preparation of a segment", done.status());
      return true;
    }
    disk_full_.store(true, std::memory_order_release);
    retry_at_us_.store(now + kRetryUs, std::memory_order_relaxed);
    return true;
  }
  if (!*done) return true;
  {
    const std::lock_guard lock(mutex_);
    spare_ = builder_->take();
    ++next_number_;
    spare_wanted_.store(false, std::memory_order_release);
  }
  builder_.reset();
  disk_full_.store(false, std::memory_order_release);
  counters.segments.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Status Log::Writer::release_before(Lsn lsn) {
  for (;;) {
    std::uint64_t number;
    {
      const std::lock_guard lock(mutex_);
      if (segments_.size() < 2 || segments_[1].begin > lsn) return {};
      number = segments_[0].number;
    }
    WANDIAN_TRY(env_.files().remove(segment_path(options_.directory, number)));
    // One at a time: whatever a crash keeps of the removals, the segments left follow one another.
    WANDIAN_TRY(env_.files().sync_directory(options_.directory));
    const std::lock_guard lock(mutex_);
    segments_.erase(segments_.begin());
  }
}

bool Log::Writer::has_work() {
  collect_filled();
  return filled_ > written_;
}

/// Lets the group grow until `until_us`, or until it is large enough; `only_while_busy`: or until no shard has anything to do.
void Log::Writer::nap_until(std::int64_t until_us, bool only_while_busy) {
  while (filled_ - written_ < kGatheredBytes) {
    const std::int64_t left_us = until_us - env_.clock().monotonic_us();
    if (left_us <= 0) return;
    wakeup.begin_nap();
    if (stop_writer_.load(std::memory_order_acquire) || (only_while_busy && log_.all_rest())) {
      wakeup.cancel_sleep();
      return;
    }
    wakeup.sleep(left_us);
    collect_filled();
  }
}

/// Where commits arrive so fast that a few syncs' time brings many, a group is held for that time even if the shards rest: who sends
/// at a rate of his own gets many small groups otherwise, and their syncs take the processor time that the next commits need.
/// A few clients that wait for their answers do not reach this rate: held, they would only be slower.
void Log::Writer::hold() {
  const std::int64_t hold_us = std::min(kHoldUs, kHoldSyncs * last_sync_us_);
  if (bytes_per_ms_ * static_cast<std::uint64_t>(hold_us) >= kHoldBytes * 1000) nap_until(last_group_us_ + hold_us, false);
}

/// Where many commit, a group that waits for the commits at hand costs them less than one more sync costs everybody: a sync
/// and the answers it lets go take as much of a core as dozens of commits. Who commits alone is never made to wait.
void Log::Writer::gather() {
  if (last_group_bytes_ < kGatherFromBytes) return;
  if (!has_work()) return;
  hold();
  napping.store(true, std::memory_order_seq_cst);
  nap_until(last_group_us_ + kGatherUs, true);
  napping.store(false, std::memory_order_relaxed);
}

void Log::Writer::run_writer() {
  ::prctl(PR_SET_TIMERSLACK, 1000UL);   // ns: gather() naps for less than the usual slack
  while (!stop_writer_.load(std::memory_order_acquire)) {
    gather();
    if (step()) continue;
    wakeup.begin_sleep();
    if (stop_writer_.load(std::memory_order_acquire) || has_work()) {
      wakeup.cancel_sleep();
      continue;
    }
    const std::int64_t deadline = next_deadline_us();
    if (deadline == INT64_MAX) {
      wakeup.sleep(-1);
    } else {
      wakeup.sleep(std::max<std::int64_t>(deadline - env_.clock().monotonic_us(), 0));
    }
  }
}

void Log::Writer::run_preparer() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::int64_t wait_us = retry_at_us_.load(std::memory_order_relaxed) - env_.clock().monotonic_us();
    if (!spare_wanted_.load(std::memory_order_acquire)) {
      preparer_wanted_.wait(lock);
    } else if (wait_us > 0) {
      preparer_wanted_.wait_for(lock, std::chrono::microseconds(wait_us));
    } else {
      lock.unlock();
      prepare();
      wakeup.wake();  // the limit or disk_full may have changed
      lock.lock();
    }
  }
}

void Log::Writer::start_threads() {
  DB_ASSERT(!threaded_);
  threaded_ = true;
  writer_thread_ = std::thread([this] { run_writer(); });
  preparer_thread_ = std::thread([this] { run_preparer(); });
}

void Log::Writer::stop() {
  if (threaded_) {
    stop_writer_.store(true, std::memory_order_release);
    wakeup.wake();
    writer_thread_.join();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    preparer_wanted_.notify_one();
    preparer_thread_.join();
  }
  for (;;) {
    if (dead_.load(std::memory_order_relaxed)) break;
    collect_filled();
    if (filled_ == written_) break;
    write_group();
  }
  if (!dead_.load(std::memory_order_relaxed) && stated_durable_ < written_ && current_.room() >= kSectorBytes)
    write_mark();
  threaded_ = false;
}

}  // namespace wandian
