// Whole shards on threads of their own, over the real log: descriptors, version chains, snapshots, reclamation, rings.
// Sessions transfer between accounts that other shards own and count what they did in a row of their own; readers look at all
// of it in place. Promises checked:
//   every snapshot sees the same total, in one turn and, at REPEATABLE READ, over many; a snapshot that covers a commit sees it,
//   and its whole transaction with it; a row that stays is never missed, whatever is trimmed from its chain.
// Some reads decide as visible_version() does, but give the core away between a version's stamp and its descriptor: a descriptor
// that stands for another transaction too early is only met by a thread that was stopped right there.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <thread>
#include <vector>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "engine/transaction.h"
#include "storage/base/env.h"
#include "tests/engine/row_helpers.h"
#include "tests/engine/stress_time.h"
#include "tests/storage/temp_directory.h"

namespace wandian {
namespace {

constexpr unsigned kWriters = 2, kReaders = 2, kShards = kWriters + kReaders;
constexpr unsigned kSessions = 3;            // on each writing shard
constexpr std::int32_t kAccounts = 6;
constexpr std::int32_t kCounters = static_cast<std::int32_t>(kWriters * kSessions);
constexpr std::int64_t kTotal = 1000 * kAccounts;

KeyBuffer key_of(const TableDef& table, std::int32_t id) {
  KeyBuffer key;
  const Value value = Value::of_int(id);
  table.codecs[0].encode(std::span(&value, 1), key);
  return key;
}

// visible_version() for a transaction that has written nothing, by a thread that is stopped at the worst moment.
const Version* slowly_visible_version(const Row& row, ReadView& view) {
  for (const Version* version = row.head.load(std::memory_order_acquire); version != nullptr;
       version = version->older.load(std::memory_order_acquire)) {
    std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
    if ((stamp & kStampActive) != 0) {
      std::this_thread::yield();
      stamp = stamp_descriptor(stamp)->state.load(std::memory_order_acquire);
      if (stamp == TxnDescriptor::kActive || stamp == TxnDescriptor::kAborted) continue;
    }
    if (stamp > view.snapshot.bytes) continue;
    view.raise_floor(stamp);
    return version;
  }
  return nullptr;
}

class Stress {
 public:
  Stress() {
    DatabaseOptions options;
    options.data_directory = directory_.path();
    options.shards = kShards;
    options.log_ring_bytes = 4u << 20;
    options.log_segment_bytes = 4u << 20;
    RecoveryReport report;
    Result<std::unique_ptr<Database>> opened = Database::open(posix_env(), options, nullptr, &report);
    if (!opened.ok()) {
      failure_.check(false, "the database did not open");
      return;
    }
    database_ = opened.take();
    database_->log().start_thread();
    Task<void> fill = this->fill(database_->shard(0));
    drive_alone(fill);
  }

  void run() {
    ASSERT_EQ(failure_.first(), nullptr) << failure_.first();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kWriters; ++i) threads.emplace_back([this, i] { write(database_->shard(i)); });
    for (unsigned i = kWriters; i < kShards; ++i) threads.emplace_back([this, i] { read(database_->shard(i)); });
    const auto end = std::chrono::steady_clock::now() + stress_time();
    while (!failure_ && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stop_.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failure_.first(), nullptr) << failure_.first();
    std::uint64_t commits = 0;
    for (const Done& done : done_) commits += done.count.load();
    std::printf("%llu commits, %llu sums, %llu sums of long snapshots\n", static_cast<unsigned long long>(commits),
                static_cast<unsigned long long>(sums_.load()), static_cast<unsigned long long>(long_sums_.load()));
    if (failure_) return;
    EXPECT_GT(commits, 0u);
    EXPECT_GT(sums_.load(), 0u);
    EXPECT_GT(long_sums_.load(), 0u);
  }

 private:
  // What a session has committed, with the LSN of it; count is stored last.
  struct alignas(64) Done {
    std::atomic<std::uint64_t> lsn{0}, count{0};
  };

  // Everybody's turns by this thread, before the others exist.
  template <class T>
  void drive_alone(Task<T>& task) {
    bool started = false;
    while (!task.done()) {
      for (unsigned i = 0; i < kShards; ++i) {
        Shard& shard = database_->shard(i);
        shard.begin_turn();
        if (i == 0 && !std::exchange(started, true)) task.start();
        shard.step();
        shard.end_turn();
      }
    }
  }

  Task<Status> run_statement(Transaction& transaction, RowBatch& batch) {
    while (!transaction.begin_statement()) co_await transaction.shard().next_turn();
    RowBatch* one = &batch;
    Status status = co_await transaction.write(std::span(&one, 1));
    transaction.end_statement();
    co_return std::move(status);
  }

  // Accounts first, then the sessions' counters.
  Task<void> fill(Shard& shard) {
    Transaction transaction(shard);
    transaction.begin(Isolation::kReadCommitted, false);
    auto table = std::make_shared<TableDef>();
    describe_test_table(*database_, "accounts", false, {0}, *table);
    CatalogChange change;
    change.kind = ObjectKind::kTable;
    change.oid = table->oid;
    change.table = table;
    failure_.check(transaction.change_catalog({change}).ok(), "the table was refused");
    Status status = co_await transaction.commit(SyncCommit::kOn);
    failure_.check(status.ok(), "the table was not made");
    oid_ = table->oid;
    table_ = database_->catalog()->table(oid_);
    layouts_ = table_->layouts.get();
    // Rows of the writing shards alone: a reader's turn is long.
    for (std::int32_t id = 0; ids_.size() < kAccounts + kCounters; ++id) {
      if (database_->owner_of(hash_partition(key_of(*table_, id))) >= kWriters) continue;
      const bool account = ids_.size() < kAccounts;
      ids_.push_back(id);
      transaction.begin(Isolation::kReadCommitted, false);
      OneRow row(*database_, oid_);
      status = co_await run_statement(transaction, row.insert(id, account ? kTotal / kAccounts : 0, "a name"));
      failure_.check(status.ok(), "a row was refused");
      status = co_await transaction.commit(SyncCommit::kOn);
      failure_.check(status.ok(), "a row was not committed");
    }
  }

  Task<void> session(Shard& shard, unsigned number) {
    std::mt19937_64 random(number + 1);
    Transaction transaction(shard);
    const std::int32_t counter = ids_[kAccounts + number];
    std::uint64_t count = 0;
    while (!stop_.load(std::memory_order_relaxed) && !failure_) {
      transaction.begin(Isolation::kReadCommitted, false);
      // In the order of ids, so that nobody waits in a circle.
      std::int32_t low = ids_[random() % kAccounts], high = ids_[random() % kAccounts];
      if (low > high) std::swap(low, high);
      const std::int64_t amount = static_cast<std::int64_t>(random() % 100) - 50;
      OneRow from(*database_, oid_), to(*database_, oid_), own(*database_, oid_);
      Status status = co_await run_statement(transaction, from.add(low, -amount));
      failure_.check(status.ok(), "an account was not found or not written");
      if (low == high || random() % 4 != 0) {
        status = co_await run_statement(transaction, to.add(high, amount));
        failure_.check(status.ok(), "the other account was not found or not written");
        status = co_await run_statement(transaction, own.add(counter, 1));
        failure_.check(status.ok(), "the counter was not found or not written");
        status = co_await transaction.commit(SyncCommit::kOff);
        failure_.check(status.ok(), "a transfer was not committed");
        done_[number].lsn.store(transaction.last_commit().bytes, std::memory_order_release);
        done_[number].count.store(++count, std::memory_order_release);
      } else {
        co_await transaction.rollback();   // half a transfer
      }
      if (random() % 2 == 0) co_await shard.next_turn();
    }
  }

  void turn_over(Shard& shard, std::mt19937_64& random) {
    shard.end_turn();
    if (random() % 8 == 0 && shard.prepare_sleep()) std::this_thread::yield();
  }

  // Ends when every writer has: what is sent to a shard that has stopped would wait for ever.
  void write(Shard& shard) {
    std::mt19937_64 random(shard.index());
    std::vector<Task<void>> sessions;
    bool over = false;
    while (running_.load(std::memory_order_acquire) != 0) {
      shard.begin_turn();
      if (sessions.empty())
        for (unsigned i = 0; i < kSessions; ++i) {
          sessions.push_back(session(shard, shard.index() * kSessions + i));
          sessions.back().start();
        }
      shard.step();
      bool all = true;
      for (const Task<void>& session : sessions) all = all && session.done();
      if (all && !over) running_.fetch_sub(1, std::memory_order_acq_rel);
      over = all;
      turn_over(shard, random);
    }
  }

  struct Sum {
    bool whole = true;
    std::int64_t total = 0;
    std::array<std::uint64_t, kCounters> counts{};
  };

  Sum look(const std::vector<Row*>& anchors, ReadView& view, bool slowly) {
    Sum sum;
    for (std::size_t i = 0; i < anchors.size(); ++i) {
      const Version* version = slowly ? slowly_visible_version(*anchors[i], view) : visible_version(*anchors[i], view);
      if (version == nullptr || version->tombstone()) {
        sum.whole = false;
        continue;
      }
      const std::int64_t value = layouts_->read(version->layout, version->row(), 1).i;
      if (i < kAccounts) sum.total += value;
      else sum.counts[i - kAccounts] = static_cast<std::uint64_t>(value);
    }
    return sum;
  }

  bool anchors_of(Shard& shard, std::vector<Row*>& anchors) {
    Lsn snapshot;
    if (!shard.take_snapshot(Lsn{}, &snapshot)) return false;
    ReadView view{snapshot};
    anchors.clear();
    for (const std::int32_t id : ids_) {
      const KeyBuffer key = key_of(*table_, id);
      RowView row;
      const bool found = find_row(*table_, hash_partition(key), key, view, &row);
      failure_.check(found, "a row that stays was not found");
      if (!found) return false;
      anchors.push_back(row.anchor);
    }
    return true;
  }

  // One short snapshot: taken when `known` was committed already, so it has to see that.
  void check_short(Shard& shard, const std::vector<Row*>& anchors, bool slowly) {
    std::array<std::uint64_t, kCounters> known{};
    std::uint64_t need = 0;
    for (std::size_t i = 0; i < known.size(); ++i) {
      known[i] = done_[i].count.load(std::memory_order_acquire);
      need = std::max(need, done_[i].lsn.load(std::memory_order_acquire));
    }
    Lsn snapshot;
    if (!shard.take_snapshot(Lsn{need}, &snapshot)) return;
    ReadView view{snapshot};
    const Sum sum = look(anchors, view, slowly);
    failure_.check(sum.whole, "a snapshot missed a row that stays");
    failure_.check(!sum.whole || sum.total == kTotal, "a snapshot saw part of a transfer");
    failure_.check(view.floor <= snapshot.bytes, "a snapshot saw a later commit");
    for (std::size_t i = 0; i < known.size(); ++i)
      failure_.check(!sum.whole || sum.counts[i] >= known[i], "a snapshot missed a commit that it covers");
    sums_.fetch_add(1, std::memory_order_relaxed);
  }

  void read(Shard& shard) {
    std::mt19937_64 random(shard.index());
    std::vector<Row*> anchors;
    Transaction long_one(shard);
    Sum first;
    unsigned turns_left = 0;
    while (running_.load(std::memory_order_acquire) != 0 || long_one.active()) {
      shard.begin_turn();
      shard.step();
      if (failure_ && long_one.active()) long_one.try_rollback();
      if (!failure_ && anchors_of(shard, anchors)) {
        for (int i = 0; i < 16 && !failure_; ++i) check_short(shard, anchors, i % 2 == 0);
        // A snapshot that lives for many turns sees the same until it ends.
        if (!long_one.active()) long_one.begin(Isolation::kRepeatableRead, true);
        if (long_one.begin_statement()) {
          const Sum sum = look(anchors, long_one.view(), false);
          failure_.check(sum.whole, "a long snapshot missed a row that stays");
          failure_.check(!sum.whole || sum.total == kTotal, "a long snapshot saw part of a transfer");
          if (turns_left == 0) {
            first = sum;
            turns_left = 2 + random() % 64;
          }
          failure_.check(sum.counts == first.counts, "a long snapshot saw a change");
          long_one.end_statement();
          long_sums_.fetch_add(1, std::memory_order_relaxed);
          if (--turns_left == 0 || running_.load(std::memory_order_relaxed) == 0) {
            turns_left = 0;
            failure_.check(long_one.try_rollback(), "a transaction that only read did not end at once");
          }
        }
      }
      turn_over(shard, random);
    }
  }

  TempDirectory directory_;
  std::unique_ptr<Database> database_;
  Oid oid_ = 0;
  std::vector<std::int32_t> ids_;   ///< accounts first
  std::shared_ptr<const TableDef> table_;
  const LayoutSet* layouts_ = nullptr;
  std::array<Done, kCounters> done_;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> running_{kWriters};
  std::atomic<std::uint64_t> sums_{0}, long_sums_{0};
  StressFailure failure_;
};

TEST(ShardStress, TransfersBesideReadersOnOtherShards) { Stress().run(); }

}  // namespace
}  // namespace wandian
