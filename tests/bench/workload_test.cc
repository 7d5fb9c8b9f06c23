#include "bench/day/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "bench/day/requests.h"

namespace wandian::bench {
namespace {

std::array<std::int64_t, kMenuItems> printed_prices() {
  std::array<std::int64_t, kMenuItems> prices;
  for (std::size_t i = 0; i < kMenuItems; ++i) prices[i] = menu()[i].price_cents;
  return prices;
}

OrderGenerator generator(std::uint64_t seed, std::uint64_t orders, double zipf = 0.8) {
  return OrderGenerator(seed, orders, 1000, zipf, 1, printed_prices());
}

TEST(Workload, TheSameSeedMakesTheSameDay) {
  auto a = generator(3, 10'000), b = generator(3, 10'000), other = generator(4, 10'000);
  bool differs = false;
  for (int i = 0; i < 10'000; ++i) {
    Order x{}, y{}, z{};
    a.next(x);
    b.next(y);
    other.next(z);
    ASSERT_EQ(x.store, y.store);
    ASSERT_EQ(x.total_cents, y.total_cents);
    ASSERT_EQ(x.item, y.item);
    differs = differs || x.store != z.store;
  }
  EXPECT_TRUE(differs);
}

TEST(Workload, OrdersAreOfTheChainsShape) {
  constexpr int kOrders = 100'000;
  auto day = generator(1, kOrders);
  std::int64_t total = 0;
  int paid = 0, cancelled = 0;
  std::set<std::uint64_t> customers;
  std::array<int, kMostLines + 1> by_lines{};
  for (int i = 0; i < kOrders; ++i) {
    Order order{};
    day.next(order);
    ASSERT_LT(order.store, 1000U);
    ASSERT_GE(order.lines, 1);
    ASSERT_LE(order.lines, kMostLines);
    ++by_lines[order.lines];
    ASSERT_EQ(order.request_id, static_cast<std::uint64_t>(i + 1));
    customers.insert(order.customer_id);
    std::set<int> items;
    std::int64_t sum = 0;
    for (std::size_t line = 0; line < order.lines; ++line) {
      ASSERT_LT(order.item[line], kMenuItems);
      ASSERT_TRUE(items.insert(order.item[line]).second) << "an item stands on one line";
      ASSERT_GE(order.quantity[line], 1);
      sum += menu()[order.item[line]].price_cents * order.quantity[line];
    }
    ASSERT_EQ(sum, order.total_cents);
    total += sum;
    paid += order.fate == Fate::pay || order.fate == Fate::pay_then_cancel;
    cancelled += order.fate == Fate::cancel || order.fate == Fate::pay_then_cancel;
  }
  EXPECT_GT(total / kOrders, 1000) << "a million orders are worth ten million yuan";
  EXPECT_NEAR(paid, 0.97 * kOrders, 0.003 * kOrders);
  EXPECT_NEAR(cancelled, 0.03 * kOrders, 0.003 * kOrders);
  EXPECT_GT(customers.size(), 60'000U);
  EXPECT_LE(*customers.rbegin(), kCustomers);
  for (int lines = 1; lines <= kMostLines; ++lines) EXPECT_GT(by_lines[static_cast<std::size_t>(lines)], kOrders / 100);
}

TEST(Workload, StoresArePopularByZipf) {
  constexpr int kOrders = 200'000;
  auto day = generator(9, kOrders, 1.0);
  std::vector<int> counts(1000);
  double most = 0;
  for (std::uint32_t store = 0; store < 1000; ++store) most = std::max(most, day.popularity(store));
  for (int i = 0; i < kOrders; ++i) {
    Order order{};
    day.next(order);
    ++counts[order.store];
  }
  std::sort(counts.rbegin(), counts.rend());
  double harmonic = 0;
  for (int rank = 1; rank <= 1000; ++rank) harmonic += 1.0 / rank;
  EXPECT_NEAR(most, 1 / harmonic, 1e-9);
  EXPECT_NEAR(counts[0], kOrders / harmonic, 0.03 * kOrders / harmonic);
  EXPECT_NEAR(counts[9], kOrders / harmonic / 10, 0.1 * kOrders / harmonic / 10);
}

TEST(Workload, TheDayPeaksAtLunchAndDinner) {
  const auto profile = hourly_profile();
  EXPECT_NEAR(std::accumulate(profile.begin(), profile.end(), 0.0), 1, 1e-9);
  EXPECT_GT(profile[12], 3 * profile[15]);
  EXPECT_GT(profile[18], 2 * profile[15]);
  auto day = generator(1, 1000);
  int last = 0;
  for (int i = 0; i < 1000; ++i) {
    Order order{};
    day.next(order);
    ASSERT_GE(day.minute_of_day(), last);
    last = day.minute_of_day();
    ASSERT_LT(last, 24 * 60);
  }
  EXPECT_GE(last, 22 * 60);
}

TEST(Requests, PlaceOrderIsABindExecuteSyncOfExactLength) {
  Order order{};
  order.store = 6;
  order.customer_id = 0x0102030405060708;
  order.request_id = 42;
  order.lines = 2;
  order.item = {4, 9};
  order.quantity = {1, 3};
  char bytes[kLargestCall];
  const std::size_t size = write_place_order(bytes, order);
  const std::string_view call(bytes, size);
  ASSERT_EQ(call[0], 'B');
  const std::size_t bind = 1 + (static_cast<unsigned char>(call[3]) << 8 | static_cast<unsigned char>(call[4]));
  ASSERT_EQ(call.substr(bind), std::string_view("E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04", 15));
  EXPECT_EQ(call.substr(5, 3), std::string_view("\0o\0", 3));
  EXPECT_EQ(call.substr(14, 8), std::string_view("\0\0\0\x04\0\0\0\x07", 8)) << "the store's id counts from 1";
  EXPECT_EQ(call.substr(26, 8), "\x01\x02\x03\x04\x05\x06\x07\x08");
  const std::string_view skus("\0\0\0\x24\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\5\0\0\0\4\0\0\0\x0a", 40);
  EXPECT_EQ(call.substr(46, 40), skus);
  EXPECT_EQ(call.substr(bind - 4, 4), std::string_view("\0\1\0\1", 4)) << "results in binary";
}

TEST(Requests, TheLargestCallFits) {
  Order order{};
  order.lines = kMostLines;
  char bytes[kLargestCall];
  EXPECT_LE(write_place_order(bytes, order), kLargestCall);
}

}  // namespace
}  // namespace wandian::bench
