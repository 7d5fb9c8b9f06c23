// The stored form of numerics, read and written in place; shared by numeric.cc and numeric_text.cc alone.
#pragma once

#include <cstring>

#include "engine/numeric.h"

namespace wandian::numeric_detail {

inline constexpr std::uint16_t kNegativeBit = 0x4000;
inline constexpr std::uint16_t kSpecialBit = 0x8000;
inline constexpr std::uint16_t kScaleMask = 0x3fff;
inline constexpr std::size_t kHeaderBytes = 4;
inline constexpr std::int64_t kPowersOfTen[] = {1,
                                         10,
                                         100,
                                         1000,
                                         10000,
                                         100000,
                                         1000000,
                                         10000000,
                                         100000000,
                                         1000000000,
                                         10000000000,
                                         100000000000,
                                         1000000000000,
                                         10000000000000,
                                         100000000000000,
                                         1000000000000000,
                                         10000000000000000,
                                         100000000000000000,
                                         1000000000000000000};

// The stored form, read in place.
struct Stored {
  std::uint16_t flags;
  std::int16_t weight = 0;
  const char* digits;
  int count;

  explicit Stored(const Value& value) : digits(value.p + kHeaderBytes) {
    std::memcpy(&flags, value.p, 2);
    if (flags & kSpecialBit) {
      count = 0;
      return;
    }
    std::memcpy(&weight, value.p + 2, 2);
    count = static_cast<int>(value.size - kHeaderBytes) / 2;
  }
  bool special() const { return flags & kSpecialBit; }
  bool negative() const { return flags & kNegativeBit; }
  int dscale() const { return flags & kScaleMask; }
  Numeric::Kind kind() const { return special() ? static_cast<Numeric::Kind>(flags & 3) : Numeric::Kind::kFinite; }
  std::int16_t digit(int i) const {
    std::int16_t d;
    std::memcpy(&d, digits + 2 * i, 2);
    return d;
  }
};

// A number of at most 18 decimal digits: mantissa / 10000^groups.
struct Small {
  std::int64_t mantissa;
  int groups;
  int dscale;
};

inline bool load_small(const Value& value, Small* out) {
  if (value.size < kHeaderBytes || value.size > kHeaderBytes + 8) return false;
  const Stored s(value);
  const int groups = (s.dscale() + 3) / 4;
  if (groups > 4 || s.weight < -4 || s.weight + groups > 3) return false;
  std::int64_t m = 0;
  for (int i = 0; i < s.count; ++i) m = m * Numeric::kBase + s.digit(i);
  for (int position = s.weight - s.count + 1; s.count > 0 && position > -groups; --position) m *= Numeric::kBase;
  *out = {s.negative() ? -m : m, groups, s.dscale()};
  return true;
}

inline Value store_small(std::int64_t mantissa, int groups, int dscale, Arena& arena) {
  std::uint64_t m = mantissa < 0 ? 0 - static_cast<std::uint64_t>(mantissa) : static_cast<std::uint64_t>(mantissa);
  std::int16_t digits[6];
  int at = 6;
  int position = -groups;
  while (m != 0 && m % Numeric::kBase == 0) {
    m /= Numeric::kBase;
    ++position;
  }
  const int low = position;
  while (m != 0) {
    digits[--at] = static_cast<std::int16_t>(m % Numeric::kBase);
    m /= Numeric::kBase;
  }
  const int count = 6 - at;
  const std::size_t size = kHeaderBytes + 2 * static_cast<std::size_t>(count);
  char* out = static_cast<char*>(arena.allocate(size, 2));
  const auto flags = static_cast<std::uint16_t>(dscale | (mantissa < 0 ? kNegativeBit : 0));
  const auto weight = static_cast<std::int16_t>(count == 0 ? 0 : low + count - 1);
  std::memcpy(out, &flags, 2);
  std::memcpy(out + 2, &weight, 2);
  std::memcpy(out + kHeaderBytes, digits + at, 2 * static_cast<std::size_t>(count));
  return Value::of_bytes(out, size);
}

inline Numeric::Kind infinity(bool negative) {
  return negative ? Numeric::Kind::kNegativeInfinity : Numeric::Kind::kPositiveInfinity;
}

inline Status out_of_range() { return {sqlstate::numeric_value_out_of_range, "value overflows numeric format"}; }

}  // namespace wandian::numeric_detail
