#include "tests/storage/log_crash_model.h"

#include <algorithm>

namespace wandian {
namespace {
LogCrashModel* active = nullptr;
}

LogCrashModel::LogCrashModel(std::uint64_t seed) : env_(seed), random_(env_.random()), options_(small_log()) {
  in_window_.assign(options_.shards, false);
}

SimEnv::FaultCounts LogCrashModel::fired() const {
  SimEnv::FaultCounts counts = env_.fired();
  counts[static_cast<std::size_t>(SimEnv::Fault::kBitFlip)] += flipped_;
  return counts;
}

void LogCrashModel::hook(SimPoint) noexcept {
  if (active != nullptr) active->at_point();
}

std::string LogCrashModel::run(int rounds) {
  std::string error;
  for (int round = 0; round < rounds && error.empty(); ++round) {
    error = open();
    if (error.empty() && log_) error = work();
    const bool power = !random_.one_in(4);
    log_.reset();
    if (power) {
      env_.crash();
    } else {
      env_.kill();
    }
    env_.restart();
    if (error.empty() && bit_flips && random_.one_in(3)) error = damage_and_repair();
  }
  env_.inject_none();
  env_.set_capacity(~std::uint64_t{0});
  if (error.empty()) error = open();
  if (error.empty() && !log_) error = "did not open although nothing fails";
  log_.reset();
  return error;
}

std::string LogCrashModel::open() {
  if (faults) {
    env_.inject_none();
    if (random_.one_in(2)) {
      using F = SimEnv::Fault;
      for (const F fault : {F::kWriteError, F::kShortWrite, F::kNoSpace, F::kSyncFailure, F::kReadError, F::kShortRead,
                            F::kNameError})
        if (random_.one_in(2)) env_.inject(fault, 10 + random_.below(90));
    }
    env_.set_capacity(random_.one_in(4) ? env_.used_bytes() + random_.below(4 * options_.segment_bytes)
                                        : ~std::uint64_t{0});
    if (random_.one_in(3)) env_.die_within_call(1 + random_.below(120));
  }
  for (int attempt = 0; attempt < 6; ++attempt) {
    CollectingApplier applier;
    RecoveryReport report;
    Result<std::unique_ptr<Log>> opened = Log::open(env_, options_, applier, &report);
    ++tally_.opens;
    if (opened.ok()) {
      log_ = opened.take();
      if (report.tail_cut) ++tally_.tails_cut;
      std::string error = check_recovered(applier.commits, durable_);
      if (!error.empty()) return error;
      if (report.end.bytes != (transactions_.empty() ? 0 : transactions_.back().lsn.bytes))
        // Parts without a commit may follow the last commit.
        if (!transactions_.empty() && report.end < transactions_.back().lsn)
          return "the report's end is before the last commit";
      durable_ = durable_before_ = log_->durable();
      return {};
    }
    ++tally_.failed_opens;
    const SqlState code = opened.status().code();
    if (code != sqlstate::io_error && code != sqlstate::disk_full)
      return "open failed without damage: " + opened.status().error().message;
    if (random_.one_in(2)) env_.crash();
    env_.restart();
    if (attempt >= 3) {
      env_.inject_none();
      env_.set_capacity(~std::uint64_t{0});
    }
  }
  return "open kept failing";
}

/// What was applied must be a prefix of what was committed and hold everything up to `must_hold`; the rest is
/// forgotten.
std::string LogCrashModel::check_recovered(const std::vector<AppliedCommit>& applied, Lsn must_hold) {
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (i >= transactions_.size()) return "recovery invented a commit at LSN " + to_string(applied[i].lsn);
    if (applied[i].lsn != transactions_[i].lsn || applied[i].content != transactions_[i].content)
      return "commit " + std::to_string(i) + " at LSN " + to_string(transactions_[i].lsn) +
             " came back as another at LSN " + to_string(applied[i].lsn);
  }
  for (std::size_t i = applied.size(); i < transactions_.size(); ++i)
    if (transactions_[i].lsn <= must_hold)
      return "the commit at LSN " + to_string(transactions_[i].lsn) + ", acknowledged at " + to_string(must_hold) +
             ", is lost";
  transactions_.resize(applied.size());
  return {};
}

void LogCrashModel::observe() {
  const Lsn now = log_->durable();
  if (now < durable_) broken_ = "the durable LSN fell";
  if (now > durable_) {
    durable_before_ = durable_;
    durable_ = now;
  }
}

void LogCrashModel::at_point() noexcept {
  if (depth_ > 2 || !random_.one_in(6)) return;
  ++depth_;
  if (random_.one_in(2)) {
    log_->step();
    observe();
  } else {
    const auto shard = static_cast<unsigned>(random_.below(options_.shards));
    if (!in_window_[shard]) commit_something(shard);
  }
  --depth_;
}

void LogCrashModel::commit_something(unsigned shard) {
  const std::uint64_t id = ++next_transaction_;
  // Numbers return after a while, as descriptors do, whatever became of their last user.
  const std::uint64_t number = shard * 4 + id % 4;
  const std::uint32_t parts = random_.one_in(8) ? static_cast<std::uint32_t>(1 + random_.below(3)) : 0;
  const bool rolls_back = parts > 0 && random_.one_in(3);
  std::string whole;
  for (std::uint32_t i = 0; i <= parts; ++i) {
    std::string content = std::to_string(id) + ":" + std::to_string(i) + ":";
    content.append(random_.one_in(10) ? random_.below(3900) : random_.below(200), static_cast<char>('a' + id % 26));
    RecordBuffer record = make_record(content, i < parts ? RecordKind::kPart : RecordKind::kCommit, number, parts);
    const Log::Admission admission = log_->admit(record.total_bytes());
    if (admission != Log::Admission::kAdmitted) {
      if (admission == Log::Admission::kDiskFull) ++tally_.refused_full;
      return;  // rolled back: the parts stay without a commit
    }
    if (i == parts && rolls_back) return;
    whole += content;
    in_window_[shard] = true;
    if (i < parts) {
      log_->append_part(shard, record);
    } else {
      log_->commit(shard, record, [&](Lsn lsn) {
        // Nested turns commit in between, so the order of LSNs is not the order of these calls.
        const auto at = std::upper_bound(transactions_.begin(), transactions_.end(), lsn,
                                         [](Lsn a, const Transaction& t) { return a < t.lsn; });
        transactions_.insert(at, {lsn, whole});
        ++tally_.commits;
      });
    }
    in_window_[shard] = false;
    const Lsn snapshot = log_->snapshot(Lsn{});
    if (snapshot < log_->prefix() || snapshot > log_->tail()) broken_ = "a snapshot out of bounds";
  }
}

std::string LogCrashModel::work() {
  active = this;
  sim_point_hook = nested ? &LogCrashModel::hook : nullptr;
  if (faults && random_.one_in(2)) env_.die_within_call(1 + random_.below(random_.one_in(2) ? 20 : 150));
  const std::uint64_t steps = 20 + random_.below(300);
  for (std::uint64_t i = 0; i < steps && broken_.empty() && !env_.dead(); ++i) {
    const std::uint64_t what = random_.below(10);
    if (what < 6) {
      commit_something(static_cast<unsigned>(random_.below(options_.shards)));
    } else if (what < 9) {
      log_->step();
      observe();
    } else {
      env_.advance(static_cast<std::int64_t>(random_.below(random_.one_in(10) ? 200'000 : 2'000)));
      if (random_.one_in(20)) env_.set_capacity(~std::uint64_t{0});
    }
  }
  // Half of the time the last group is complete when the crash comes.
  if (random_.one_in(2))
    for (int i = 0; i < 20 && log_->step(); ++i) observe();
  sim_point_hook = nullptr;
  active = nullptr;
  if (faults && !env_.dead() && random_.one_in(4)) {
    // A group of many sectors is written and not yet synced when the crash comes.
    for (int i = 0; i < 8; ++i) commit_something(static_cast<unsigned>(random_.below(options_.shards)));
    env_.die_within_call(2);
    log_->step();
  }
  tally_.segments += log_->statistics().segments;
  tally_.acknowledged += static_cast<std::uint64_t>(
      std::count_if(transactions_.begin(), transactions_.end(),
                    [&](const Transaction& transaction) { return transaction.lsn <= durable_; }));
  if (log_->durable() != durable_) observe();
  return broken_;
}

/// One flipped bit in a copy of the disk: the log either says where it is damaged or serves a prefix that holds all that a later
/// group proved durable.
std::string LogCrashModel::damage_and_repair() {
  env_.inject_none();
  env_.set_capacity(~std::uint64_t{0});
  Result<std::vector<std::string>> names = env_.files().list(options_.directory);
  if (!names.ok() || names->empty()) return {};
  const std::string path = options_.directory + "/" + (*names)[random_.below(names->size())];
  const std::string content = env_.content(path);
  const std::size_t used = content.find_last_not_of('\0');
  if (used == std::string::npos) return {};
  const std::uint64_t bit = random_.below((used + 1) * 8);

  // Opening writes, so it is tried on a copy.
  std::vector<std::pair<std::string, std::string>> saved;
  for (const std::string& name : *names)
    saved.emplace_back(options_.directory + "/" + name, env_.content(options_.directory + "/" + name));
  SimEnv copy(random_.next());
  for (const auto& [file_path, bytes] : saved) {
    Result<std::unique_ptr<File>> file = copy.files().open(file_path, OpenMode::kCreate);
    if (!file.ok() || !(*file)->write(std::span<const char>(bytes), 0).ok() || !(*file)->sync().ok())
      return "could not copy";
  }
  if (!copy.files().sync_directory(options_.directory).ok()) return "could not copy";
  copy.flip_bit(path, bit);
  CollectingApplier applier;
  RecoveryReport report;
  Result<std::unique_ptr<Log>> opened = Log::open(copy, options_, applier, &report);
  flipped_ += copy.fired()[static_cast<std::size_t>(SimEnv::Fault::kBitFlip)];
  if (!opened.ok()) {
    if (opened.status().code() != sqlstate::data_corrupted)
      return "a flipped bit was reported as " + opened.status().error().message;
    if (opened.status().error().message.find(options_.directory) == std::string::npos)
      return "the report names no file";
    ++tally_.damage_found;
    return {};
  }
  const std::vector<Transaction> before = transactions_;
  const std::string error = check_recovered(applier.commits, durable_before_);
  if (error.empty() && !before.empty() && transactions_.size() < before.size() &&
      before[transactions_.size()].lsn <= durable_)
    ++tally_.damage_in_the_residue;
  transactions_ = before;
  return error.empty() ? "" : "bit " + std::to_string(bit) + " of " + path + " flipped: " + error;
}

}  // namespace wandian
