#include "tests/storage/log_stress_model.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "storage/base/random.h"
#include "storage/log.h"
#include "tests/storage/temp_directory.h"

namespace wandian {
namespace {

constexpr unsigned kMaxShards = 8;
using Seconds = std::chrono::duration<double>;

struct Content {
  std::uint64_t shard, sequence, fill;
};

struct Sample {
  Lsn snapshot;
  std::array<std::uint64_t, kMaxShards> published;  ///< each shard's newest published commit, loaded after the snapshot
};

struct alignas(64) Shard {
  std::atomic<std::uint64_t> published{0};
  std::vector<Lsn> commits;
  std::vector<Sample> samples;
  std::uint64_t waits = 0;
  std::string broken;
};

/// Applies by comparing: nothing is kept.
class ComparingApplier final : public LogApplier {
 public:
  explicit ComparingApplier(const std::vector<Shard>& shards) : shards_(shards), next_(shards.size()) {}
  Status apply(Lsn commit, std::uint64_t, std::span<const std::span<const char>> payloads) override {
    Content content;
    const std::span<const char> payload = payloads.back();
    if (payload.size() < sizeof content) return Status{sqlstate::internal_error, "a payload is too short"};
    std::memcpy(&content, payload.data(), sizeof content);
    if (content.shard >= shards_.size() || content.sequence != next_[content.shard] ||
        content.sequence >= shards_[content.shard].commits.size() ||
        shards_[content.shard].commits[content.sequence] != commit || payload.size() != sizeof content + content.fill)
      return Status{sqlstate::internal_error, "another commit than the one appended at LSN " + to_string(commit)};
    for (std::size_t i = sizeof content; i < payload.size(); ++i)
      if (payload[i] != static_cast<char>(content.sequence))
        return Status{sqlstate::internal_error, "a payload is mixed up"};
    ++next_[content.shard];
    ++applied;
    return {};
  }
  std::uint64_t applied = 0;

 private:
  const std::vector<Shard>& shards_;
  std::vector<std::uint64_t> next_;
};

class IgnoringApplier final : public LogApplier {
 public:
  Status apply(Lsn, std::uint64_t, std::span<const std::span<const char>>) override { return {}; }
};

class Burst {
 public:
  Burst(unsigned shards, unsigned readers, double seconds, std::uint64_t seed)
      : shards_(shards), readers_(readers), seconds_(seconds), seed_(seed) {
    options_.directory = directory_.path() + "/wal";
    options_.ring_bytes = seed % 2 == 0 ? 64 * 1024 : 4 << 20;  // wraps often, or hardly ever waits for the disk
    options_.segment_bytes = 2 << 20;
    options_.shards = shards;
    options_.max_record_bytes = 2048;
  }

  void run(LogStressResult* result) {
    IgnoringApplier nothing;
    RecoveryReport report;
    Result<std::unique_ptr<Log>> opened = Log::open(posix_env(), options_, nothing, &report);
    if (!opened.ok()) {
      result->broken = opened.status().error().message;
      return;
    }
    log_ = opened.take();
    log_->start_thread();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < shards_.size(); ++i) threads.emplace_back([this, i] { commit_loop(i); });
    for (unsigned i = 0; i < readers_.size(); ++i) threads.emplace_back([this, i] { read_loop(i); });
    std::this_thread::sleep_for(Seconds(seconds_));
    stop_.store(true, std::memory_order_release);
    for (std::thread& thread : threads) thread.join();
    const Lsn tail = log_->tail();
    log_->stop();
    if (log_->durable() != tail) result->broken = "stop() left something undurable";
    log_.reset();
    judge(result);
    reopen(result);
  }

 private:
  void sample(Shard& own, Lsn* last) {
    Sample taken;
    taken.snapshot = log_->snapshot(*last);
    for (unsigned i = 0; i < shards_.size(); ++i)
      taken.published[i] = shards_[i].published.load(std::memory_order_acquire);
    if (taken.snapshot < *last) own.broken = "a snapshot fell";
    *last = taken.snapshot;
    if (own.samples.size() < kMaxSamples) own.samples.push_back(taken);
  }

  void commit_loop(unsigned index) {
    Shard& own = shards_[index];
    Random random(seed_ * 31 + index);
    RecordBuffer record;
    Lsn last, durable;
    char fill[1024];
    while (!stop_.load(std::memory_order_acquire) && own.commits.size() < kMaxCommits) {
      const std::uint64_t batch = 1 + random.below(8);
      for (std::uint64_t i = 0; i < batch; ++i) {
        Content content{index, own.commits.size(), random.one_in(20) ? random.below(sizeof fill) : random.below(100)};
        std::memset(fill, static_cast<char>(content.sequence), content.fill);
        record.clear();
        record.append(&content, sizeof content);
        record.append(fill, content.fill);
        record.seal(RecordKind::kCommit, index, 0);
        while (log_->admit(record.total_bytes()) != Log::Admission::kAdmitted) {
          ++own.waits;
          log_->demand(index, log_->tail());
          std::this_thread::yield();
        }
        const Lsn lsn =
            log_->commit(index, record, [&](Lsn end) { own.published.store(end.bytes, std::memory_order_release); });
        own.commits.push_back(lsn);
        sample(own, &last);
      }
      if (random.one_in(4)) log_->raise_prefix(last);
      log_->demand(index, own.commits.back());
      // Each is loaded before the one that bounds it, since all of them rise meanwhile.
      const Lsn now = log_->durable();
      const Lsn prefix = log_->prefix();
      const Lsn tail = log_->tail();
      if (now < durable) own.broken = "the durable LSN fell";
      if (now > prefix) own.broken = "the durable LSN is beyond the prefix";
      if (prefix > tail) own.broken = "the prefix is beyond the tail";
      durable = now;
    }
  }

  void read_loop(unsigned index) {
    Lsn last;
    Shard& own = readers_[index];
    while (!stop_.load(std::memory_order_acquire)) {
      for (int i = 0; i < 32; ++i) sample(own, &last);
      std::this_thread::yield();
    }
  }

  /// A snapshot taken before its sample saw shard i's newest published commit at P: the next commit of i after P was
  /// not yet published, so it must lie beyond the snapshot.
  void judge(LogStressResult* result) {
    const auto judge_one = [&](const Shard& own) {
      if (!own.broken.empty()) result->broken = own.broken;
      for (const Sample& sample : own.samples) {
        ++result->snapshots;
        for (unsigned i = 0; i < shards_.size(); ++i) {
          const std::vector<Lsn>& commits = shards_[i].commits;
          const auto next = std::upper_bound(commits.begin(), commits.end(), Lsn{sample.published[i]});
          if (next != commits.end() && *next <= sample.snapshot) ++result->uncovered;
        }
      }
    };
    for (const Shard& shard : shards_) judge_one(shard);
    for (const Shard& reader : readers_) judge_one(reader);
    for (const Shard& shard : shards_) {
      result->commits += shard.commits.size();
      result->waits_for_room += shard.waits;
    }
    ++result->bursts;
  }

  void reopen(LogStressResult* result) {
    ComparingApplier comparing(shards_);
    RecoveryReport report;
    Result<std::unique_ptr<Log>> opened = Log::open(posix_env(), options_, comparing, &report);
    if (!opened.ok()) {
      result->broken = opened.status().error().message;
      return;
    }
    std::uint64_t appended = 0;
    for (const Shard& shard : shards_) appended += shard.commits.size();
    if (appended != comparing.applied) result->broken = "recovery lost commits";
    result->recovered += comparing.applied;
  }

  static constexpr std::size_t kMaxSamples = 400'000, kMaxCommits = 400'000;
  TempDirectory directory_;
  LogOptions options_;
  std::unique_ptr<Log> log_;
  std::vector<Shard> shards_, readers_;
  const double seconds_;
  const std::uint64_t seed_;
  std::atomic<bool> stop_{false};
};

}  // namespace

LogStressResult run_log_stress(unsigned shards, unsigned readers, double seconds) {
  LogStressResult result;
  const auto end = std::chrono::steady_clock::now() + Seconds(seconds);
  std::uint64_t seed = 0;
  do {
    const double left = std::chrono::duration_cast<Seconds>(end - std::chrono::steady_clock::now()).count();
    Burst(shards, readers, std::clamp(left, 0.05, 0.5), ++seed).run(&result);
  } while (std::chrono::steady_clock::now() < end && result.broken.empty() && result.uncovered == 0);
  return result;
}

}  // namespace wandian
