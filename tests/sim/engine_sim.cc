#include "tests/sim/engine_sim.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/scan.h"
#include "storage/log_format.h"

namespace wandian {

namespace {
EngineSim* running = nullptr;
constexpr std::int32_t kAccounts = 24;
constexpr unsigned kClientsPerShard = 3;
}  // namespace

void EngineSim::Tally::add(const Tally& other) {
  auto* mine = reinterpret_cast<std::uint64_t*>(this);
  const auto* theirs = reinterpret_cast<const std::uint64_t*>(&other);
  static_assert(sizeof(Tally) % sizeof(std::uint64_t) == 0);
  for (std::size_t i = 0; i < sizeof(Tally) / sizeof(std::uint64_t); ++i) mine[i] += theirs[i];
}

// A session's worth of random transactions, one after the other.
struct EngineSim::Client {
  Client(EngineSim& owner, unsigned on) : sim(owner), shard(on), transaction(owner.database_->shard(on)) {}
  ~Client() {
    // The process died: nothing is undone, but the objects go.
    if (transaction.active()) transaction.abandon();
  }

  Task<void> life() {
    while (sim.broken_.empty() && !sim.env_.dead() && !stopping) {
      ++sim.started_;
      co_await one();
      ++sim.tally_.transactions;
      co_await transaction.shard().next_turn();
    }
    idle = true;
  }

  Task<void> one() {
    Random& random = sim.random_;
    const Isolation isolation = random.one_in(3) ? Isolation::kRepeatableRead : Isolation::kReadCommitted;
    transaction.begin(isolation, false);
    std::vector<Effect> effects;
    std::vector<std::pair<Transaction::Savepoint, std::size_t>> savepoints;
    const std::uint64_t steps = 1 + random.below(5);
    for (std::uint64_t i = 0; i < steps; ++i) {
      while (!transaction.begin_statement()) co_await transaction.shard().next_turn();
      if (random.one_in(4)) {
        look();
        transaction.end_statement();
        if (random.one_in(2)) co_await transaction.shard().next_turn();
        continue;
      }
      OneRow one(*sim.database_, sim.table_oid_);
      const auto id = static_cast<std::int32_t>(1 + random.below(kAccounts));
      const auto amount = static_cast<std::int64_t>(random.below(100)) + 1;
      Effect effect{Effect::Kind::kAdd, id, amount};
      RowBatch* batch;
      switch (random.below(6)) {
        case 0: effect.kind = Effect::Kind::kInsert; batch = &one.insert(id, amount, sim.row_text(id)); break;
        case 1: effect.kind = Effect::Kind::kDelete; batch = &one.remove(id); break;
        case 2: batch = &one.lock(id, static_cast<RowLock>(random.below(4))); break;
        default: batch = &one.add(id, amount);
      }
      const Status status = co_await transaction.write(std::span(&batch, 1));
      transaction.end_statement();
      if (!status.ok()) {
        if (status.code() == sqlstate::deadlock_detected) ++sim.tally_.deadlocks;
        else if (status.code() == sqlstate::serialization_failure) ++sim.tally_.serialization_failures;
        else sim.fail("unexpected error of a write: " + status.error().message);
        co_await transaction.rollback();
        ++sim.tally_.rollbacks;
        co_return;
      }
      const RowOutcome outcome = one.op().outcome;
      if (outcome == RowOutcome::kConflict) ++sim.tally_.conflicts;
      if (outcome == RowOutcome::kInserted || outcome == RowOutcome::kUpdated || outcome == RowOutcome::kDeleted) effects.push_back(effect);
      if (random.one_in(4)) savepoints.emplace_back(transaction.savepoint(), effects.size());
      if (!savepoints.empty() && random.one_in(5)) {
        co_await transaction.rollback_to(savepoints.back().first);
        effects.resize(savepoints.back().second);
        ++sim.tally_.savepoint_rollbacks;
      }
      if (random.one_in(3)) co_await transaction.shard().next_turn();
    }
    if (random.one_in(8)) {
      co_await transaction.rollback();
      ++sim.tally_.rollbacks;
      co_return;
    }
    const Status status = co_await transaction.commit(SyncCommit::kOn);
    if (!status.ok()) {
      if (status.code() == sqlstate::disk_full) ++sim.tally_.refused_full;
      else sim.fail("unexpected error of a commit: " + status.error().message);
      co_await transaction.rollback();
      co_return;
    }
    if (transaction.last_commit().bytes == 0) {
      if (!effects.empty()) sim.fail("a transaction with writes committed without an LSN");
      co_return;
    }
    ++sim.tally_.commits;
    sim.history_.push_back({transaction.last_commit(), std::move(effects)});
  }

  // A scan of everything, to be compared when all commits at or below its snapshot are known.
  void look() {
    Seen seen{transaction.view().snapshot, {}};
    if (transaction.has_writes()) return;   // own writes are not in the model yet
    seen.rows = sim.read_all(transaction);
    sim.seen_.push_back(std::move(seen));
    ++sim.tally_.scans;
  }

  EngineSim& sim;
  unsigned shard;
  Transaction transaction;
  Task<void> task;
  bool stopping = false, idle = false;
};

EngineSim::EngineSim(std::uint64_t seed, const Options& options) : options_(options), env_(seed), random_(env_.random()) {
  database_options_.data_directory = "/data";
  database_options_.shards = 2 + static_cast<unsigned>(random_.below(2));
  // About the smallest that three shards' largest records allow.
  database_options_.log_ring_bytes = 1u << 20;
  database_options_.log_segment_bytes = 5u << 18;
  database_options_.deadlock_timeout_us = 2000;
  wide_rows_ = random_.one_in(5);
}

EngineSim::~EngineSim() {
  sim_point_hook = nullptr;
  clients_.clear();
  database_.reset();
}

std::string EngineSim::row_text(std::int32_t id) {
  std::string text = "row" + std::to_string(id);
  if (wide_rows_ && random_.one_in(2)) text.resize(random_.below(random_.one_in(8) ? 400'000 : 100'000), 'x');
  return text;
}

EngineSim::Rows EngineSim::model_at(Lsn lsn) const {
  Rows rows = base_;
  for (const Commit& commit : history_) {
    if (commit.lsn > lsn) break;
    for (const Effect& effect : commit.effects) {
      if (effect.kind == Effect::Kind::kAdd) rows[effect.id] += effect.amount;
      else if (effect.kind == Effect::Kind::kInsert) rows[effect.id] = effect.amount;
      else rows.erase(effect.id);
    }
  }
  return rows;
}

EngineSim::Rows EngineSim::read_all(Transaction& transaction) {
  Rows rows;
  const std::shared_ptr<const TableDef> table = database_->catalog()->table(table_oid_);
  TableScan scan;
  TableScan::Options options;
  options.ordered = random_.one_in(2);
  options.backward = options.ordered && random_.one_in(2);
  scan.open(table, options, {});
  RowView row;
  while (scan.next(transaction.view(), &row)) {
    const auto id = static_cast<std::int32_t>(table->layouts->read(row.layout, row.row, 0).i);
    if (!rows.emplace(id, table->layouts->read(row.layout, row.row, 1).i).second) fail("a scan gave row " + std::to_string(id) + " twice");
  }
  return rows;
}

void EngineSim::turn(unsigned index) {
  if (in_turn_[index]) return;
  in_turn_[index] = true;
  Shard* outer = Shard::current();
  (void)outer;
  Shard& shard = database_->shard(index);
  shard.begin_turn();
  shard.step();
  shard.end_turn();
  in_turn_[index] = false;
}

void EngineSim::hook(SimPoint) noexcept {
  if (running != nullptr) running->at_point();
}

// Inside some shard's commit window: now and then another shard has a turn, or the log writer a step.
void EngineSim::at_point() noexcept {
  if (depth_ != 0 || !options_.nested) return;
  ++depth_;
  if (random_.one_in(6)) {
    const auto index = static_cast<unsigned>(random_.below(database_options_.shards));
    turn(index);
  } else if (random_.one_in(12)) {
    step_log();
  }
  --depth_;
}

void EngineSim::step_log() {
  if (env_.dead()) return;
  database_->log().step();
  // Whoever was waiting may have been answered before the machine died within that step.
  observe();
}

void EngineSim::observe() {
  Log& log = database_->log();
  const Log::Statistics now = log.statistics();
  if (log.durable() > durable_) {
    stated_ = durable_;
    durable_ = log.durable();
  } else if (now.groups == seen_statistics_.groups && now.frames > seen_statistics_.frames && !env_.dead()) {
    stated_ = durable_;   // a mark was written
  }
  tally_.segments += now.segments - seen_statistics_.segments;
  seen_statistics_ = now;
}

std::string EngineSim::make_table() {
  Transaction transaction(database_->shard(0));
  auto table = std::make_shared<TableDef>();
  Task<Status> commit;
  Shard& shard = database_->shard(0);
  shard.begin_turn();
  transaction.begin(Isolation::kReadCommitted, false);
  describe_test_table(*database_, "accounts", false, {0}, *table);
  table_oid_ = table->oid;
  CatalogChange change;
  change.kind = ObjectKind::kTable;
  change.oid = table->oid;
  change.table = table;
  Status status = transaction.change_catalog({change});
  commit = transaction.commit(SyncCommit::kOn);
  commit.start();
  shard.end_turn();
  for (int i = 0; i < 100 && !commit.done(); ++i) {
    turn(0);
    step_log();
  }
  if (!status.ok() || !commit.done() || !commit.result().ok()) return "could not make the table";
  table_lsn_ = transaction.last_commit();
  for (int i = 0; i < 100 && database_->log().durable() < table_lsn_; ++i) step_log();
  observe();
  return database_->log().durable() < table_lsn_ ? "the table did not become durable" : "";
}

std::string EngineSim::live() {
  clients_.clear();
  for (unsigned shard = 0; shard < database_options_.shards; ++shard)
    for (unsigned i = 0; i < kClientsPerShard; ++i) clients_.push_back(std::make_unique<Client>(*this, shard));
  for (const auto& client : clients_) {
    in_turn_[client->shard] = true;
    database_->shard(client->shard).begin_turn();
    client->task = client->life();
    client->task.start();
    database_->shard(client->shard).end_turn();
    in_turn_[client->shard] = false;
  }
  if (options_.faults) {
    // Rare enough that most lives get somewhere; which kinds, the seed says.
    using F = SimEnv::Fault;
    static constexpr F kKinds[] = {F::kWriteError, F::kShortWrite, F::kSyncFailure, F::kNoSpace, F::kNameError};
    if (random_.one_in(2)) inject_some(kKinds, 400);
    if (random_.one_in(wide_rows_ ? 2 : 4))
      env_.set_capacity(env_.used_bytes() + random_.below((wide_rows_ ? 1 : 3) * database_options_.log_segment_bytes));
    // A power cut in the middle of a write leaves torn, lost and reordered sectors.
    if (!random_.one_in(3)) env_.die_within_call(1 + random_.below(random_.one_in(2) ? 40 : 300));
    if (random_.one_in(4)) env_.jump_wall_clock(static_cast<std::int64_t>(random_.below(1'000'000'000)) - 500'000'000);
  }
  // A slow writer makes groups of many frames' worth of commits.
  const std::uint64_t turns_per_log_step = 2 + random_.below(random_.one_in(2) ? 4 : 40);
  const std::uint64_t target = started_ + options_.transactions / std::max(options_.rounds, 1u) + random_.below(20);
  const std::uint64_t most = 400 + random_.below(4000);
  for (std::uint64_t i = 0; i < most && (started_ < target || random_.one_in(2)) && broken_.empty() && !env_.dead(); ++i) {
    if (random_.one_in(turns_per_log_step)) step_log();
    else turn(static_cast<unsigned>(random_.below(database_options_.shards)));
    if (random_.one_in(8)) env_.advance(static_cast<std::int64_t>(random_.below(random_.one_in(50) ? 200'000 : 800)));
    if (random_.one_in(500)) env_.set_capacity(~std::uint64_t{0});
    if (i % 16 == 0)
      if (std::string what = check_scans(); !what.empty()) return what;
  }
  const std::uint64_t end = random_.below(4);
  if (end == 0) {
    // Everything is written and marked when the machine goes.
    for (int i = 0; i < 8 && !env_.dead(); ++i) {
      step_log();
      env_.advance(600);
    }
  } else if (end <= 2 && options_.faults && !env_.dead()) {
    // A group of many commits is written, or half of it, and not synced when the machine goes.
    for (int i = 0; i < 60; ++i) turn(static_cast<unsigned>(random_.below(database_options_.shards)));
    env_.die_within_call(1 + random_.below(2));
    step_log();
  }
  if (std::string what = check_scans(); !what.empty()) return what;
  return broken_;
}

std::string EngineSim::check_scans() {
  std::sort(history_.begin(), history_.end(), [](const Commit& a, const Commit& b) { return a.lsn < b.lsn; });
  for (const Seen& seen : seen_)
    if (seen.rows != model_at(seen.snapshot)) {
      std::string what = "a scan at " + std::to_string(seen.snapshot.bytes) + " saw other rows than were committed";
      const Rows model = model_at(seen.snapshot);
      for (std::int32_t id = 1; id <= kAccounts; ++id) {
        const auto a = seen.rows.find(id), b = model.find(id);
        const std::string left = a == seen.rows.end() ? "-" : std::to_string(a->second), right = b == model.end() ? "-" : std::to_string(b->second);
        if (left != right) what += "; row " + std::to_string(id) + " saw " + left + " model " + right;
      }
      return what;
    }
  seen_.clear();
  return {};
}

Status EngineSim::open() {
  ++tally_.opens;
  Result<std::unique_ptr<Database>> opened = Database::open(env_, database_options_, nullptr, &report_);
  if (!opened.ok()) return opened.take_status();
  database_ = opened.take();
  seen_statistics_ = {};
  in_turn_.assign(database_options_.shards, false);
  if (report_.tail_cut) {
    ++tally_.tails_cut;
    if (report_.cut_description.find(".wal\"") == std::string::npos)
      fail("the log's tail was cut without saying where: " + report_.cut_description);
  }
  return {};
}

void EngineSim::inject_some(std::span<const SimEnv::Fault> faults, std::uint64_t most_calls) {
  for (const SimEnv::Fault fault : faults)
    if (random_.one_in(2)) env_.inject(fault, 2 + random_.below(most_calls));
}

// The process or the whole machine goes, and comes back with nothing failing.
void EngineSim::die() {
  clients_.clear();
  env_.inject_none();
  env_.set_capacity(~std::uint64_t{0});
  if (!env_.dead()) env_.kill();
  database_.reset();
  if (!random_.one_in(5)) {
    env_.crash();
    ++tally_.crashes;
  }
  env_.restart();
}

// Calls fail and the power goes during recovery too; whatever such an attempt left, a later one finds everything.
std::string EngineSim::open_among_faults() {
  using F = SimEnv::Fault;
  static constexpr F kKinds[] = {F::kWriteError, F::kShortWrite, F::kSyncFailure, F::kNoSpace, F::kReadError, F::kShortRead, F::kNameError};
  static constexpr F kReads[] = {F::kReadError, F::kShortRead};   // few calls, so they fail often
  for (int attempt = 0;; ++attempt) {
    const bool disturbed = options_.faults && attempt < 3 && random_.one_in(3);
    if (disturbed) {
      if (random_.one_in(2)) inject_some(kKinds, 40);
      if (random_.one_in(2)) inject_some(kReads, 4);
      if (random_.one_in(2)) env_.die_within_call(1 + random_.below(60));
      if (random_.one_in(4)) env_.set_capacity(env_.used_bytes() + random_.below(database_options_.log_segment_bytes));
    }
    const Status status = open();
    if (status.ok() && !env_.dead()) {
      env_.inject_none();
      env_.set_capacity(~std::uint64_t{0});
      env_.die_within_call(0);
      return {};
    }
    const std::string what = status.ok() ? "the machine is gone" : status.error().message + " " + status.error().detail;
    if (!disturbed) return "the database did not open: " + what;
    if (!status.ok() && status.code() != sqlstate::io_error && status.code() != sqlstate::disk_full)
      return "a failing call was taken for something else: " + what;
    ++tally_.failed_opens;
    die();
  }
}

// What recovery brought back is the commits up to where it ended, and that covers what was acknowledged.
std::string EngineSim::recovered() {
  const Lsn end = report_.end;
  if (end < durable_) return "recovery ended at " + std::to_string(end.bytes) + ", before " + std::to_string(durable_.bytes) + ", which was acknowledged";
  if (table_lsn_.bytes == 0 || end < table_lsn_) {
    // The table's own making was in the residue that rot may take: the next life makes it again.
    table_lsn_ = {};
    base_.clear();
    history_.clear();
    durable_ = stated_ = end;
    return {};
  }
  Transaction transaction(database_->shard(0));
  Shard& shard = database_->shard(0);
  shard.begin_turn();
  transaction.begin(Isolation::kReadCommitted, true);
  std::string what;
  if (!transaction.begin_statement()) what = "no snapshot after recovery";
  else if (read_all(transaction) != model_at(end)) what = "after recovery up to " + std::to_string(end.bytes) + " the rows are not those of its commits";
  transaction.end_statement();
  transaction.try_rollback();
  shard.end_turn();
  // Later commits never happened; LSNs after the end will be used again.
  for (const Commit& commit : history_)
    if (commit.lsn <= end && commit.lsn <= durable_) ++tally_.acknowledged;
  base_ = model_at(end);
  history_.clear();
  durable_ = stated_ = end;   // the new segment's header states it
  return what;
}

// Whether a text names the file and the offset of the frame (or header) that a byte lies in.
std::string EngineSim::check_place(const std::string& text, const std::string& path, const std::string& content, std::uint64_t byte) const {
  const std::string quoted = '"' + path + '"';
  const std::size_t file = text.find(quoted);
  if (file == std::string::npos) return "damage in " + quoted + " was reported elsewhere: " + text;
  const std::size_t word = text.find("offset ", file);
  if (word == std::string::npos) return "damage was reported without its offset: " + text;
  const std::uint64_t offset = std::strtoull(text.c_str() + word + 7, nullptr, 10);
  std::uint64_t bytes = kSegmentHeaderBytes;
  if (offset != 0 && offset + sizeof(FrameHeader) <= content.size()) {
    FrameHeader header;
    std::memcpy(&header, content.data() + offset, sizeof header);
    bytes = frame_bytes(header.payload_bytes);
  }
  if (byte >= offset && byte - offset < bytes) return {};
  return "damage at byte " + std::to_string(byte) + " of " + quoted + " was reported at another offset: " + text;
}

// One bit of the log rots while the machine is off.
std::string EngineSim::damage() {
  const Result<std::vector<std::string>> names = env_.files().list("/data/wal");
  if (!names.ok() || names.value().empty()) return {};
  const std::string path = "/data/wal/" + names.value()[random_.below(names.value().size())];
  const std::string content = env_.content(path);
  const std::size_t used = content.find_last_not_of('\0') + 1;
  if (used == 0) return {};
  // The last bytes are where a tail begins to look torn, so half of the bits lie there.
  const std::size_t from = random_.one_in(2) && used > 2048 ? used - 2048 : 0;
  const std::uint64_t bit = from * 8 + random_.below((used - from) * 8);
  env_.flip_bit(path, bit);
  const Status refused = open();
  if (!refused.ok()) {
    ++tally_.damage_reported;
    env_.flip_bit(path, bit, true);
    if (refused.code() != sqlstate::data_corrupted) return "damage was taken for something else: " + refused.error().message;
    return check_place(refused.error().message, path, content, bit / 8);
  }
  if (report_.end < durable_) {
    if (report_.end < stated_)
      return "rot before the last durable mark at " + to_string(stated_) + " was not reported, the log was cut at " + to_string(report_.end);
    if (!report_.tail_cut) return "acknowledged commits went with a flipped bit, and recovery did not say that it cut the log";
    if (report_.proved_durable > report_.end) return "the log was cut before its last durable mark";
    if (std::string what = check_place(report_.cut_description, path, content, bit / 8); !what.empty()) return what;
    ++tally_.damage_cut;
    durable_ = report_.end;   // the residue that the design documents: rot behind the last mark
  } else {
    ++tally_.damage_void;
  }
  std::string what = recovered();
  env_.kill();
  database_.reset();
  env_.restart();
  return what;
}

std::string EngineSim::run() {
  running = this;
  sim_point_hook = &EngineSim::hook;
  std::string what;
  for (unsigned round = 0; what.empty(); ++round) {
    if (round != 0 && options_.bit_flips && random_.one_in(2)) what = damage();
    if (what.empty()) what = open_among_faults();
    if (what.empty()) what = recovered();
    if (what.empty() && round >= options_.rounds && tally_.transactions >= options_.transactions && tally_.crashes > 0) break;
    if (what.empty() && table_lsn_.bytes == 0) what = make_table();
    if (what.empty() && round > options_.rounds + 60) what = "the seed got nowhere";
    if (what.empty()) what = live();
    seen_.clear();
    std::sort(history_.begin(), history_.end(), [](const Commit& a, const Commit& b) { return a.lsn < b.lsn; });
    die();
    if (what.empty()) what = broken_;
  }
  running = nullptr;
  sim_point_hook = nullptr;
  return what;
}

}  // namespace wandian
