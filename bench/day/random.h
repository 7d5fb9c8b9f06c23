#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wandian::bench {

// xoshiro256++ (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2019), seeded by SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// 0 to bound - 1; the bias of one multiplication is below 2^-32 of a value's share.
  std::uint32_t below(std::uint32_t bound) { return scale(static_cast<std::uint32_t>(next() >> 32), bound); }

  static std::uint32_t scale(std::uint32_t random, std::uint32_t bound) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(random) * bound) >> 32);
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t state_[4];
};

// Draws an index in proportion to its weight with one random number and at most two loads.
// Walker's alias method as Vose builds it ("A Linear Algorithm for Generating Random Numbers with a Given
// Distribution", 1991).
class WeightedChoice {
 public:
  WeightedChoice() = default;
  explicit WeightedChoice(const std::vector<double>& weights);

  std::uint32_t draw(Random& random) const { return pick(random.next()); }
  std::uint32_t pick(std::uint64_t bits) const {
    const std::uint32_t slot = Random::scale(static_cast<std::uint32_t>(bits >> 32),
                                             static_cast<std::uint32_t>(entries_.size()));
    const Entry& entry = entries_[slot];
    return static_cast<std::uint32_t>(bits) < entry.keep_below ? slot : entry.alias;
  }

 private:
  struct Entry {
    std::uint32_t keep_below;
    std::uint32_t alias;
  };
  std::vector<Entry> entries_;
};

}  // namespace wandian::bench
