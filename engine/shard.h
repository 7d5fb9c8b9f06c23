// Shard: one thread's worth of database: partitions it owns, sessions dealt to it, its timers, its rings to the others.
// Owns:       its run queue, limbo, descriptor pool, lock table, outboxes, published snapshots.
// Thread:     its own, but for what says "any shard". In simulation one thread drives all shards, so "owner" is checked against
//             current(), never against a thread id.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <span>
#include <vector>

#include "engine/database.h"
#include "engine/quiescence.h"
#include "engine/shard_loop.h"
#include "engine/transaction.h"

namespace wandian {

struct Message;   // engine/mailbox.h

class Shard final : public ShardLoop {
 public:
  Shard(Database& database, unsigned index);
  ~Shard() override;

  unsigned index() const { return index_; }
  Database& database() { return database_; }
  Log& log() { return database_.log(); }
  /// The shard whose code runs now; null outside of turns.
  static Shard* current();

  // ShardLoop
  void begin_turn() override;
  void catch_up() override;
  bool step() override;
  void end_turn() override;
  bool prepare_sleep() override;
  bool talked() override;
  bool has_mail() const override;
  std::int64_t next_deadline_us() const override;
  /// How others wake it; set before the first turn.
  void attach_wakeup(Wakeup* wakeup);

  /// Runs `item` in this turn's or the next step().
  void post(Runnable& item) { run_queue_.push(item); }
  void unpost(Runnable& item) { run_queue_.remove(item); }
  /// Awaitable: goes on in the next turn; whoever holds pointers gives them up before.
  auto next_turn() {
    struct Awaiter : Runnable {
      Shard& shard;
      std::coroutine_handle<> waiting;
      explicit Awaiter(Shard& s) : shard(s) {}
      bool await_ready() { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        waiting = handle;
        shard.post_next_turn(*this);
      }
      void await_resume() {}
      void run() override { waiting.resume(); }
    };
    return Awaiter(*this);
  }
  /// Takes `message` to another shard, with what else goes there in this turn.
  void send(unsigned to, Message& message);
  void post_next_turn(Runnable& item) { next_turn_queue_.push(item); }

  /// One-shot timers, by Clock::monotonic_us().
  using TimerId = std::uint64_t;
  TimerId add_timer(std::int64_t deadline_us, Runnable& item);
  void cancel_timer(TimerId id);
  std::int64_t now_us() const { return now_us_; }      ///< monotonic, read once a turn
  std::int64_t wall_us();                              ///< since the Unix epoch

  /// A statement has used this turn's share when it returns true: it pauses and goes on next turn.
  bool out_of_budget() { return ++budget_ticks_ >= kBudgetCheckRows && budget_used_up(); }
  void start_budget();

  /// A snapshot that covers everything answered so far and `need`; false: spin was not enough, try next turn.
  bool take_snapshot(Lsn need, Lsn* snapshot);
  /// Keeps versions for a snapshot that lives on by itself (cursors, exported snapshots). Open statements and REPEATABLE READ
  /// transactions are known without it.
  void hold_snapshot(Lsn snapshot);
  void release_snapshot(Lsn snapshot);

  Limbo& limbo() { return limbo_; }
  /// Asks for durability at the end of this turn.
  void demand(Lsn lsn) { demand_ = std::max(demand_, lsn); }

  const std::shared_ptr<const Catalog>& catalog();     ///< the published one, cached by version

  struct State;                                        ///< engine/shard_state.h: the engine's own files alone
  State& state() { return *state_; }

 private:
  friend class Transaction;
  bool budget_used_up();
  unsigned receive();
  void run_queued();
  std::uint64_t publish_long_views();
  std::uint64_t lowest_view();
  void age_views();
  static constexpr std::uint32_t kBudgetCheckRows = 64;

  Database& database_;
  const unsigned index_;
  Limbo limbo_;
  RunQueue run_queue_, next_turn_queue_;
  std::int64_t now_us_ = 0;
  std::int64_t budget_end_us_ = 0, budget_least_end_us_ = 0;
  std::uint32_t budget_ticks_ = 0;
  Lsn last_snapshot_, demand_;
  /// A snapshot below aged_ has been in use for kLongViewUs at least: owners are told of it by itself.
  static constexpr std::int64_t kLongViewUs = 100'000;
  std::uint64_t aged_ = 0, ageing_ = 0;
  std::int64_t next_ageing_us_ = 0;
  bool has_young_views_ = false;
  std::shared_ptr<const Catalog> catalog_;
  std::uint64_t catalog_version_ = 0;
  struct Timers;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<State> state_;
  Wakeup* wakeup_ = nullptr;
};

}  // namespace wandian
