#include "bench/day/load.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>

#include "tests/bench/fake_server.h"

namespace wandian::bench {
namespace {

// The chain's rules in a few maps, with shelves that never empty.
struct Ledger {
  std::map<std::uint64_t, std::int64_t> orders;                     // by store
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> requests;  // (store, request_id) -> times placed
  std::uint64_t payments = 0, payment_cents = 0, cancellations = 0, restocks = 0;

  FakeAnswer take(const FakeCall& call) {
    switch (call.statement) {
      case 'o':
        ++requests[{call.integer(0), call.integer(2)}];
        return {++orders[call.integer(0)]};
      case 'p':
        ++payments;
        payment_cents += call.integer(3);
        return {static_cast<std::int64_t>(call.integer(3))};
      case 'c': ++cancellations; return {};
      default: ++restocks; return {static_cast<std::int64_t>(call.integer(2))};
    }
  }
};

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    options_.stores = 50;
    options_.orders = 2000;
    options_.connections = 3;
    options_.pipeline = 4;
    options_.quiet = true;
    for (std::size_t i = 0; i < kMenuItems; ++i) prices_[i] = menu()[i].price_cents;
  }

  // Runs the load against `handler`; whether it finished.
  bool run(FakeServer::Handler handler, int shelf = 1'000'000) {
    server_ = std::make_unique<FakeServer>(std::move(handler));
    std::string error;
    const auto url = parse_connection_url(server_->url(), error);
    EXPECT_TRUE(url) << error;
    generator_ = std::make_unique<OrderGenerator>(1, options_.orders, options_.stores, 0.8, 100, prices_);
    load_ = std::make_unique<Load>(options_, *generator_,
                                   std::vector<std::int32_t>(static_cast<std::size_t>(options_.stores) * kMenuItems, shelf));
    EXPECT_TRUE(load_->connect(*url)) << load_->error();
    return load_->run();
  }
  ~LoadTest() override {
    load_.reset();     // closes the connections, so that the server's threads end
    server_.reset();
  }

  // What handlers use is declared before the server, whose threads call them until it is gone.
  DayOptions options_;
  Ledger ledger_;
  int calls_ = 0;
  std::set<std::uint64_t> refused_;
  std::array<std::int64_t, kMenuItems> prices_{};
  std::unique_ptr<FakeServer> server_;
  std::unique_ptr<OrderGenerator> generator_;
  std::unique_ptr<Load> load_;
};

TEST_F(LoadTest, TheBooksAreWhatTheServerAcknowledged) {
  ASSERT_TRUE(run([&](const FakeCall& call) { return ledger_.take(call); }));
  const Books& books = load_->books();
  EXPECT_EQ(books.placed, 2000U);
  EXPECT_EQ(books.failed, 0U);
  EXPECT_EQ(books.paid, ledger_.payments);
  EXPECT_EQ(books.paid_cents, ledger_.payment_cents);
  EXPECT_EQ(books.cancelled, ledger_.cancellations);
  EXPECT_EQ(ledger_.restocks, 0U);
  EXPECT_EQ(load_->order_latency().count(), 2000U);
  EXPECT_EQ(ledger_.requests.size(), 2000U);
  std::uint64_t orders = 0;
  for (std::size_t i = 0; i < books.stores.size(); ++i) {
    const auto n = static_cast<std::uint64_t>(ledger_.orders[i + 1]);
    EXPECT_EQ(books.stores[i].orders, n);
    EXPECT_EQ(books.stores[i].order_ids, n * (n + 1) / 2);
    orders += n;
  }
  EXPECT_EQ(orders, 2000U);
}

TEST_F(LoadTest, LowShelvesAreRestocked) {
  ASSERT_TRUE(run([&](const FakeCall& call) { return ledger_.take(call); }, 20));
  EXPECT_GT(ledger_.restocks, 10U);
  EXPECT_EQ(load_->books().restocks, ledger_.restocks);
  EXPECT_EQ(load_->books().units_restocked, ledger_.restocks * Load::kRestockUnits);
}

TEST_F(LoadTest, AnOutOfStockOrderIsRestockedAndPlacedAgainUnderItsRequest) {
  ASSERT_TRUE(run([&](const FakeCall& call) -> FakeAnswer {
    if (call.statement == 'o' && call.integer(2) % 10 == 0 && refused_.insert(call.integer(2)).second) return {0, "HD001"};
    return ledger_.take(call);
  }));
  EXPECT_EQ(refused_.size(), 200U);
  EXPECT_EQ(load_->books().refused_out_of_stock, 200U);
  EXPECT_GE(ledger_.restocks, 200U);
  EXPECT_EQ(load_->books().failed, 0U);
  EXPECT_EQ(load_->books().placed, 2000U);
  EXPECT_EQ(ledger_.requests.size(), 2000U) << "the same request_id again";
}

TEST_F(LoadTest, SerializationFailuresAreAskedAgain) {
  ASSERT_TRUE(run([&](const FakeCall& call) -> FakeAnswer {
    if (++calls_ % 7 == 0) return {0, calls_ % 2 == 0 ? "40001" : "40P01"};
    return ledger_.take(call);
  }));
  EXPECT_GT(load_->books().retried, 100U);
  EXPECT_EQ(load_->books().placed, 2000U);
  EXPECT_EQ(load_->books().failed, 0U);
}

TEST_F(LoadTest, OtherErrorsFailTheOrderAndTheDayGoesOn) {
  ASSERT_TRUE(run([&](const FakeCall& call) -> FakeAnswer {
    if (call.statement == 'o' && call.integer(2) == 777) return {0, "53200"};
    return ledger_.take(call);
  }));
  EXPECT_EQ(load_->books().failed, 1U);
  EXPECT_EQ(load_->books().placed, 1999U);
  ASSERT_EQ(load_->refusals().size(), 1U);
  EXPECT_EQ(load_->refusals()[0], "53200: no");
}

TEST_F(LoadTest, ALostConnectionEndsTheRunAndSaysSo) {
  EXPECT_FALSE(run([&](const FakeCall& call) -> FakeAnswer {
    if (++calls_ == 500) return {0, "", true};
    return ledger_.take(call);
  }));
  EXPECT_FALSE(load_->error().empty());
  EXPECT_LT(load_->books().placed, 2000U);
}

// One stall of a tenth of the run must show in about a tenth of the latencies, not in one.
TEST_F(LoadTest, TheOpenLoopCountsFromTheIntendedStart) {
  options_.rate = 2000;
  options_.connections = 1;
  options_.pipeline = 2;
  ASSERT_TRUE(run([&](const FakeCall& call) {
    if (call.statement == 'o' && ++calls_ == 500) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return ledger_.take(call);
  }));
  EXPECT_GE(load_->seconds(), 0.95);
  EXPECT_GE(load_->order_latency().percentile_ms(0.9), 50);
  EXPECT_GE(static_cast<double>(load_->order_latency().max_ns()), 290e6);
  EXPECT_EQ(load_->books().placed, 2000U);
}

}  // namespace
}  // namespace wandian::bench
