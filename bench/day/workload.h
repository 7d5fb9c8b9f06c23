#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/day/random.h"

namespace wandian::bench {

inline constexpr int kMenuItems = 40;
inline constexpr int kMostLines = 6;
inline constexpr std::uint32_t kCustomers = 100'000;
inline constexpr std::array<std::string_view, 8> kRegions = {"north",     "south",     "east",      "west",
                                                            "northeast", "northwest", "southwest", "central"};

struct MenuItem {
  std::string_view name;
  std::int64_t price_cents;
};

/// The chain's menu: the item at index i has sku i + 1.
std::span<const MenuItem, kMenuItems> menu();

/// The region of a store, as an index into kRegions.
inline int region_of(int store_id) { return (store_id - 1) % static_cast<int>(kRegions.size()); }
/// The city whose branch a store is; its name is "<city>店<store_id>".
std::string_view city_of(int store_id);

/// The share of a day's orders in each hour; the shares sum to 1. Lunch and dinner peak.
std::span<const double, 24> hourly_profile();

// What becomes of an order after it was placed.
enum class Fate : std::uint8_t { pay, pay_then_cancel, cancel, leave };

struct Order {
  std::uint64_t customer_id;
  std::uint64_t request_id;   // counts up from the generator's first
  std::int64_t total_cents;
  std::uint32_t store;        // store_id - 1
  std::uint8_t lines;
  Fate fate;
  std::array<std::uint8_t, kMostLines> item;       // sku - 1
  std::array<std::uint8_t, kMostLines> quantity;
};

// Makes the orders of the day in the order in which they are placed, the same ones for the same seed.
// Thread: one. No allocation after construction.
class OrderGenerator {
 public:
  /// @param orders        how many orders the day has: the hours are stretched over them
  /// @param zipf          exponent of the stores' popularity; 0 makes all alike
  /// @param first_request the first order's request_id
  /// @param prices        cents of the item at each index
  OrderGenerator(std::uint64_t seed, std::uint64_t orders, int stores, double zipf, std::uint64_t first_request,
                 std::array<std::int64_t, kMenuItems> prices);

  void next(Order& order);

  std::uint64_t made() const { return made_; }
  /// Minutes since midnight of the last order made.
  int minute_of_day() const;
  /// The share of all orders that go to the store, 0 to 1.
  double popularity(std::uint32_t store) const { return popularity_[store]; }

 private:
  enum class DayPart { morning, lunch, afternoon, dinner, night };
  static DayPart part_of(int hour);

  Random random_;
  std::uint64_t made_ = 0;
  std::uint64_t first_request_;
  int hour_ = 0;
  std::array<std::uint64_t, 25> hour_begins_{};   // the number of the first order of each hour
  std::array<std::int64_t, kMenuItems> prices_;
  std::array<WeightedChoice, 5> items_;           // by DayPart
  std::array<WeightedChoice, 5> line_counts_;
  WeightedChoice stores_;
  std::vector<double> popularity_;
};

}  // namespace wandian::bench
