#include "storage/log.h"

#include "storage/log_format.h"
#include "storage/log_writer.h"

namespace wandian {

RecordBuffer::RecordBuffer() { grow(1024); }

void RecordBuffer::grow(std::size_t bytes) {
  const std::size_t capacity = std::max(capacity_ * 2, size_ + bytes + kPadding);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (data_) std::memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = capacity;
}

void RecordBuffer::seal(RecordKind kind, std::uint64_t transaction, std::uint32_t part_count) {
  const std::size_t payload = payload_bytes();
  const std::size_t total = (size_ + 7) & ~std::size_t{7};
  DB_ASSERT(total <= kMaxRecordBytes);
  std::memset(data_.get() + size_, 0, total - size_);  // reserve() kept room for it
  size_ = total;
  RecordHeader header{};
  header.total_bytes = static_cast<std::uint32_t>(total);
  header.payload_bytes = static_cast<std::uint32_t>(payload);
  header.kind = kind;
  header.part_count = kind == RecordKind::kCommit ? part_count : 0;
  header.transaction = transaction;
  std::memcpy(data_.get(), &header, sizeof header);
  content_hash_ = record_content_hash(data_.get(), total);
}

Log::Log() = default;

Log::~Log() {
  if (writer_ != nullptr && writer_->threaded()) writer_->stop();
}

Result<std::unique_ptr<Log>> Log::open(Env& env, const LogOptions& options, LogApplier& applier,
                                       RecoveryReport* report) {
  WANDIAN_TRY(Writer::check(options));
  WANDIAN_ASSIGN(RecoveredLog recovered, recover_log(env, options, applier, report));
  std::unique_ptr<Log> log(new Log);
  const std::uint64_t end = recovered.end.bytes;
  log->tail_.store(end, std::memory_order_relaxed);
  log->prefix_.store(end, std::memory_order_relaxed);
  log->durable_.store(end, std::memory_order_relaxed);
  log->shards_ = options.shards;
  log->margin_ = static_cast<std::uint64_t>(options.shards) * options.max_record_bytes;
  log->small_reserve_ = options.max_record_bytes / 2;
  log->marks_ = std::make_unique<Marks[]>(options.shards);
  log->writer_ = std::make_unique<Writer>(*log, env, options, std::move(recovered));
  return log;
}

Lsn Log::append_part(unsigned shard, RecordBuffer& record) noexcept {
  Marks& marks = marks_[shard];
  marks.fill.store(tail_.load(std::memory_order_acquire), std::memory_order_release);
  sim_point(SimPoint::kCommitMarked);
  const std::uint64_t begin = tail_.fetch_add(record.total_bytes(), std::memory_order_acq_rel);
  sim_point(SimPoint::kCommitReserved);
  record.place(Lsn{begin});
  copy_into_ring(begin, record);
  marks.fill.store(kMarkClear, std::memory_order_release);
  sim_point(SimPoint::kCommitFilled);
  return Lsn{begin};
}

void Log::raise_prefix(Lsn snapshot) noexcept {
  std::uint64_t now = prefix_.load(std::memory_order_acquire);
  while (now < snapshot.bytes &&
         !prefix_.compare_exchange_weak(now, snapshot.bytes, std::memory_order_acq_rel, std::memory_order_acquire)) {
  }
}

// Store and load here, store and load in Writer::write_group() and wake_shards(), all sequentially consistent: either the writer
// sees the demand, or this load, and with it every later look at the durable LSN, sees what the writer reached.
void Log::demand(unsigned shard, Lsn lsn) noexcept {
  std::atomic<std::uint64_t>& demanded = marks_[shard].demanded;
  if (demanded.load(std::memory_order_relaxed) < lsn.bytes) demanded.store(lsn.bytes, std::memory_order_seq_cst);
  if (durable_.load(std::memory_order_seq_cst) < lsn.bytes) writer_->wakeup.nudge();
}

// Of two shards that come to rest at a time one sees the other's flag, and of the last one and a writer that goes to nap one sees the
// other's: so somebody ends the nap. A writer that sleeps is left alone.
void Log::rest(unsigned shard) noexcept {
  marks_[shard].resting.store(true, std::memory_order_seq_cst);
  if (writer_->napping.load(std::memory_order_seq_cst) && all_rest()) writer_->wakeup.wake();
}

void Log::attach(unsigned shard, Wakeup* wakeup) {
  DB_ASSERT(shard < shards_);
  writer_->shard_wakeups[shard].store(wakeup, std::memory_order_release);
}

Status Log::release_before(Lsn lsn) { return writer_->release_before(lsn); }
bool Log::step() { return writer_->step(); }
std::int64_t Log::next_deadline_us() const { return writer_->next_deadline_us(); }
void Log::start_thread() { writer_->start_threads(); }
void Log::stop() { writer_->stop(); }

Log::Statistics Log::statistics() const {
  const Writer::Counters& counters = writer_->counters;
  Statistics statistics;
  statistics.groups = counters.groups.load(std::memory_order_relaxed);
  statistics.frames = counters.frames.load(std::memory_order_relaxed);
  statistics.bytes_written = counters.bytes_written.load(std::memory_order_relaxed);
  statistics.sync_us_total = counters.sync_us_total.load(std::memory_order_relaxed);
  statistics.sync_us_max = counters.sync_us_max.load(std::memory_order_relaxed);
  statistics.segments = counters.segments.load(std::memory_order_relaxed);
  return statistics;
}

}  // namespace wandian
