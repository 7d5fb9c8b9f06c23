// A sql::Session that answers without a database, the shard loop under it, and the clock that releases its answers.
// The first word of a statement says what it does; see FakeSession::run().
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/shard_loop.h"
#include "sql/session.h"
#include "storage/base/env.h"
#include "wire/host.h"

namespace wandian::wire::test {

class FakeSession;

/// Released LSN in the test's hand.
class FakeReleaseClock final : public ReleaseClock {
 public:
  Lsn released() noexcept override { return Lsn{released_.load(std::memory_order_acquire)}; }
  void demand(unsigned, Lsn lsn) noexcept override {
    std::uint64_t seen = demanded_.load();
    while (seen < lsn.bytes && !demanded_.compare_exchange_weak(seen, lsn.bytes)) {
    }
    demands_.fetch_add(1);
    if (automatic_.load()) release(lsn.bytes);
  }
  void release(std::uint64_t lsn) {
    std::uint64_t seen = released_.load();
    while (seen < lsn && !released_.compare_exchange_weak(seen, lsn, std::memory_order_acq_rel)) {
    }
    for (Wakeup* wakeup : wakeups) wakeup->wake();
  }
  std::uint64_t next_commit() { return tail_.fetch_add(1) + 1; }
  std::uint64_t tail() const { return tail_.load(); }
  std::uint64_t demanded() const { return demanded_.load(); }
  std::uint64_t demands() const { return demands_.load(); }
  void set_automatic(bool on) { automatic_.store(on); }
  std::vector<Wakeup*> wakeups;

 private:
  std::atomic<std::uint64_t> released_{0}, tail_{0}, demanded_{0}, demands_{0};
  std::atomic<bool> automatic_{true};
};

/// A shard with nothing in it but sessions that wait for the test.
class FakeShard final : public ShardLoop {
 public:
  void begin_turn() override {}
  bool step() override;
  void end_turn() override { turns.fetch_add(1, std::memory_order_relaxed); }
  bool prepare_sleep() override { return !go_on_.load(std::memory_order_acquire); }
  std::int64_t next_deadline_us() const override { return INT64_MAX; }

  /// Any thread: sessions that wait go on.
  void release_waiting() {
    go_on_.store(true, std::memory_order_release);
    wakeup.wake();
  }
  EventfdWakeup wakeup;
  std::atomic<std::uint64_t> turns{0};
  std::vector<FakeSession*> waiting;   ///< the shard's thread

 private:
  std::atomic<bool> go_on_{false};
};

/// What the sessions of a test share.
struct FakeDatabase {
  FakeReleaseClock clock;
  std::vector<std::unique_ptr<FakeShard>> shards;
  std::atomic<int> sessions{0};
  std::atomic<std::uint64_t> statements{0};
  std::atomic<std::uint64_t> copied_bytes{0};
  std::atomic<int> waiting{0};
  std::mutex mutex;
  sql::SessionIdentity last_identity;        ///< under mutex

  SessionFactory factory();
};

class FakeAuthenticator final : public Authenticator {
 public:
  RoleLogin find_role(std::string_view user) override {
    const auto found = roles.find(std::string(user));
    return found == roles.end() ? RoleLogin{} : found->second;
  }
  std::map<std::string, RoleLogin> roles;
};

class FakeSession final : public sql::Session {
 public:
  FakeSession(FakeDatabase& database, FakeShard& shard, sql::SessionSink& sink);
  ~FakeSession() override;

  sql::Poll query(std::string_view text) override;
  sql::Poll parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types) override;
  sql::Poll bind(const sql::BindMessage& message) override;
  sql::Poll describe_statement(std::string_view name) override;
  sql::Poll describe_portal(std::string_view name) override;
  sql::Poll execute(std::string_view portal, std::uint32_t max_rows) override;
  sql::Poll close_statement(std::string_view name) override;
  sql::Poll close_portal(std::string_view name) override;
  sql::Poll sync() override;
  bool copying_in() const override { return copying_; }
  sql::Poll copy_data(std::string_view bytes) override;
  sql::Poll copy_done() override;
  sql::Poll copy_fail(std::string_view message) override;
  sql::Poll proceed() override;
  void cancel() override;
  char transaction_status() const override { return status_; }
  Lsn take_answer_floor() override {
    const Lsn floor = floor_;
    floor_ = Lsn{};
    return floor;
  }
  void go_on() { sink_.resume(); }

 private:
  sql::Poll run(std::string_view text, bool describe);
  sql::Poll stream_rows();
  void fail(SqlState code, std::string message);
  void row(std::string_view value);
  void describe(std::string_view text);

  FakeDatabase& database_;
  FakeShard& shard_;
  sql::SessionSink& sink_;
  std::unordered_map<std::string, std::string> statements_;
  std::unordered_map<std::string, std::string> portals_;
  std::string point_statement_, point_portal_;   ///< the hot path of measurements allocates nothing
  Lsn floor_;
  std::uint64_t rows_left_ = 0;
  char status_ = 'I';
  bool copying_ = false;
  bool waiting_ = false;
  bool cancelled_ = false;
};

}  // namespace wandian::wire::test
