#include "bench/day/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/day/random.h"

namespace wandian::bench {
namespace {

TEST(Histogram, EmptyAnswersZero) {
  Histogram histogram;
  EXPECT_EQ(histogram.percentile_ns(0.99), 0U);
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(Histogram, PercentilesAreWithinOnePercentOfTheSortedValues) {
  Histogram histogram;
  Random random(7);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random.next() >> (24 + random.below(36));   // from nanoseconds to minutes
    values.push_back(value);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.001, 0.1, 0.5, 0.95, 0.99, 0.999, 1.0}) {
    const auto index = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size()))) - 1;
    const auto exact = static_cast<double>(values[index]);
    const auto reported = static_cast<double>(histogram.percentile_ns(fraction));
    EXPECT_GE(reported, exact);
    EXPECT_LE(reported, exact * 1.01 + 1) << fraction;
  }
  EXPECT_EQ(histogram.max_ns(), values.back());
}

TEST(Histogram, MergeCountsBoth) {
  Histogram a, b;
  a.record(10);
  b.record(1'000'000);
  a.merge(b);
  EXPECT_EQ(a.count(), 2U);
  EXPECT_EQ(a.percentile_ns(0.5), 10U);
  EXPECT_EQ(a.max_ns(), 1'000'000U);
}

TEST(Histogram, ValuesBeyondItsRangeKeepTheirMaximum) {
  Histogram histogram;
  histogram.record(std::uint64_t{1} << 50);
  EXPECT_EQ(histogram.max_ns(), std::uint64_t{1} << 50);
  EXPECT_GT(histogram.percentile_ns(0.5), 0U);
}

}  // namespace
}  // namespace wandian::bench
