#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wandian::bench {

// Counts latencies in buckets whose width grows with the value, so that every percentile is known to within 0.8 %
// whatever its magnitude, in fixed memory and without an allocation.
// Look: HdrHistogram (Gil Tene), whose bucket layout this follows.
// Thread: one.
class Histogram {
 public:
  /// Counts one value in nanoseconds; anything above about 18 minutes counts as that.
  void record(std::uint64_t nanoseconds) {
    ++counts_[index_of(std::min(nanoseconds, kLargest))];
    ++total_;
    max_ = std::max(max_, nanoseconds);
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = std::max(max_, other.max_);
  }

  void clear() { *this = Histogram{}; }

  std::uint64_t count() const { return total_; }
  std::uint64_t max_ns() const { return max_; }

  /// The smallest value, in nanoseconds, that at least `fraction` (0 to 1) of the values do not exceed; 0 when empty.
  /// Reported as the upper edge of its bucket, never above the largest value seen.
  std::uint64_t percentile_ns(double fraction) const {
    if (total_ == 0) return 0;
    const double exact = fraction * static_cast<double>(total_);
    auto wanted = static_cast<std::uint64_t>(exact);
    if (static_cast<double>(wanted) < exact) ++wanted;
    wanted = std::clamp<std::uint64_t>(wanted, 1, total_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(upper_edge(i), max_);
    }
    return max_;
  }

  double percentile_ms(double fraction) const { return static_cast<double>(percentile_ns(fraction)) / 1e6; }

 private:
  static constexpr int kSubBits = 7;
  static constexpr std::uint64_t kSub = 1U << kSubBits;
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << 40) - 1;
  static constexpr std::size_t kBuckets = (40 - kSubBits + 1) * kSub;

  // Values below kSub have a bucket each; above, the leading kSubBits + 1 bits choose the bucket.
  static std::size_t index_of(std::uint64_t value) {
    if (value < kSub) return value;
    const int shift = std::bit_width(value) - 1 - kSubBits;
    return static_cast<std::size_t>(shift) * kSub + (value >> shift);
  }
  static std::uint64_t upper_edge(std::size_t index) {
    if (index < 2 * kSub) return index;
    const std::size_t shift = index / kSub - 1;
    const std::uint64_t lead = index % kSub + kSub;
    return ((lead + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace wandian::bench
