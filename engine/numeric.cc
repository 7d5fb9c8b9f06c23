#include "engine/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/numeric_stored.h"

namespace wandian {

using namespace numeric_detail;

namespace {

// Rank among the kinds in PostgreSQL's order: -Infinity < finite < Infinity < NaN.
int kind_rank(Numeric::Kind kind) {
  switch (kind) {
    case Numeric::Kind::kNegativeInfinity: return 0;
    case Numeric::Kind::kFinite: return 1;
    case Numeric::Kind::kPositiveInfinity: return 2;
    case Numeric::Kind::kNan: return 3;
  }
  return 3;
}

// Compares magnitudes of finite numbers.
int compare_magnitude(const Numeric& a, const Numeric& b) {
  if (a.digits.empty() || b.digits.empty())
    return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  const std::size_t n = std::min(a.digits.size(), b.digits.size());
  for (std::size_t i = 0; i < n; ++i)
    if (a.digits[i] != b.digits[i]) return a.digits[i] < b.digits[i] ? -1 : 1;
  return a.digits.size() == b.digits.size() ? 0 : a.digits.size() < b.digits.size() ? -1 : 1;
}

// |a| + |b|, or |a| - |b| with |a| >= |b|.
Numeric combine_magnitudes(const Numeric& a, const Numeric& b, bool subtract) {
  Numeric out;
  out.dscale = std::max(a.dscale, b.dscale);
  if (a.digits.empty() || b.digits.empty()) {
    const Numeric& only = a.digits.empty() ? b : a;
    out.digits = only.digits;
    out.weight = only.weight;
    return out;
  }
  const int high = std::max(a.weight, b.weight) + 1;
  const int low = std::min(a.weight - static_cast<int>(a.digits.size()), b.weight - static_cast<int>(b.digits.size())) + 1;
  out.digits.assign(static_cast<std::size_t>(high - low + 1), 0);
  int carry = 0;
  for (int position = low; position <= high; ++position) {
    const int ia = a.weight - position;
    const int ib = b.weight - position;
    const int da = ia >= 0 && ia < static_cast<int>(a.digits.size()) ? a.digits[static_cast<std::size_t>(ia)] : 0;
    const int db = ib >= 0 && ib < static_cast<int>(b.digits.size()) ? b.digits[static_cast<std::size_t>(ib)] : 0;
    int sum = da + (subtract ? -db : db) + carry;
    carry = 0;
    if (sum < 0) {
      sum += Numeric::kBase;
      carry = -1;
    } else if (sum >= Numeric::kBase) {
      sum -= Numeric::kBase;
      carry = 1;
    }
    out.digits[static_cast<std::size_t>(high - position)] = static_cast<std::int16_t>(sum);
  }
  out.weight = high;
  out.normalize();
  return out;
}

// Digits of value at decimal position `scale`: keeps that many after the point, rounding or cutting.
void cut(Numeric* value, int scale, bool round) {
  value->dscale = std::max(scale, 0);
  if (!value->finite() || value->digits.empty()) return;
  // How many decimal digits of the number stay, counted from its first base digit's top.
  const std::int64_t keep = static_cast<std::int64_t>(value->weight + 1) * Numeric::kBaseDigits + scale;
  if (keep < 0 || (keep == 0 && !round)) {
    value->digits.clear();
    value->normalize();
    return;
  }
  const auto whole = static_cast<std::size_t>(keep / Numeric::kBaseDigits);
  const int part = static_cast<int>(keep % Numeric::kBaseDigits);
  if (whole >= value->digits.size()) return;
  bool up;
  if (part == 0) {
    up = round && value->digits[whole] >= Numeric::kBase / 2;
    value->digits.resize(whole);
    if (up) {
      std::size_t i = whole;
      while (i > 0 && value->digits[i - 1] == Numeric::kBase - 1) value->digits[--i] = 0;
      if (i > 0) {
        ++value->digits[i - 1];
      } else {
        value->digits.insert(value->digits.begin(), 1);
        ++value->weight;
      }
    }
  } else {
    const auto unit = static_cast<int>(kPowersOfTen[Numeric::kBaseDigits - part]);
    const int digit = value->digits[whole];
    const int rest = digit % unit;
    int kept = digit - rest;
    if (round && rest >= unit / 2) kept += unit;
    value->digits.resize(whole + 1);
    std::size_t i = whole;
    value->digits[i] = static_cast<std::int16_t>(kept);
    while (value->digits[i] >= Numeric::kBase) {
      value->digits[i] = static_cast<std::int16_t>(value->digits[i] - Numeric::kBase);
      if (i == 0) {
        value->digits.insert(value->digits.begin(), 1);
        ++value->weight;
        break;
      }
      ++value->digits[--i];
    }
  }
  value->normalize();
}

}  // namespace

Numeric Numeric::of_int(std::int64_t value) { return of_int128(value, 0); }

Numeric Numeric::of_int128(Int128 value, int dscale) {
  Numeric out;
  out.dscale = dscale;
  out.negative = value < 0;
  auto m = static_cast<UInt128>(value);
  if (value < 0) m = 0 - m;
  const int groups = (dscale + 3) / 4;
  // Padding up to whole groups may overflow only for values within four digits of the type's limit; those keep
  // their low digits apart.
  const auto pad = static_cast<unsigned>(kPowersOfTen[groups * 4 - dscale]);
  std::int16_t digits[12];
  int at = 12;
  unsigned carry = 0;
  while (m != 0 || carry != 0) {
    const auto low = static_cast<unsigned>(m % kBase) * pad + carry;
    m /= kBase;
    digits[--at] = static_cast<std::int16_t>(low % kBase);
    carry = low / kBase;
  }
  out.digits.assign(digits + at, digits + 12);
  out.weight = 12 - at - 1 - groups;
  out.normalize();
  return out;
}

Numeric Numeric::of_kind(Kind kind) {
  Numeric out;
  out.kind = kind;
  return out;
}

int Numeric::sign() const {
  switch (kind) {
    case Kind::kNan: case Kind::kPositiveInfinity: return 1;
    case Kind::kNegativeInfinity: return -1;
    case Kind::kFinite: break;
  }
  return digits.empty() ? 0 : negative ? -1 : 1;
}

void Numeric::normalize() {
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  std::size_t zeros = 0;
  while (zeros < digits.size() && digits[zeros] == 0) ++zeros;
  if (zeros > 0) {
    digits.erase(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(zeros));
    weight -= static_cast<std::int32_t>(zeros);
  }
  if (digits.empty()) {
    weight = 0;
    negative = false;
  }
}

Numeric load_numeric(const Value& value) {
  const Stored s(value);
  Numeric out;
  out.kind = s.kind();
  if (!out.finite()) return out;
  out.negative = s.negative();
  out.weight = s.weight;
  out.dscale = s.dscale();
  out.digits.resize(static_cast<std::size_t>(s.count));
  if (s.count > 0) std::memcpy(out.digits.data(), s.digits, 2 * static_cast<std::size_t>(s.count));
  return out;
}

Status store_numeric(const Numeric& number, Arena& arena, Value* out) {
  if (!number.finite()) {
    char* p = static_cast<char*>(arena.allocate(2, 2));
    const auto flags = static_cast<std::uint16_t>(kSpecialBit | static_cast<unsigned>(number.kind));
    std::memcpy(p, &flags, 2);
    *out = Value::of_bytes(p, 2);
    return {};
  }
  std::size_t first = 0;
  std::size_t last = number.digits.size();
  while (first < last && number.digits[first] == 0) ++first;
  while (last > first && number.digits[last - 1] == 0) --last;
  const std::int32_t weight = first == last ? 0 : number.weight - static_cast<std::int32_t>(first);
  if (weight > Numeric::kMaxWeight || weight < -Numeric::kMaxWeight || number.dscale > Numeric::kMaxScale)
    return out_of_range();
  const std::size_t size = kHeaderBytes + 2 * (last - first);
  char* p = static_cast<char*>(arena.allocate(size, 2));
  const auto flags =
      static_cast<std::uint16_t>(number.dscale | (number.negative && first != last ? kNegativeBit : 0));
  const auto stored_weight = static_cast<std::int16_t>(weight);
  std::memcpy(p, &flags, 2);
  std::memcpy(p + 2, &stored_weight, 2);
  if (last > first) std::memcpy(p + kHeaderBytes, number.digits.data() + first, 2 * (last - first));
  *out = Value::of_bytes(p, size);
  return {};
}

Value numeric_from_int(std::int64_t value, Arena& arena) { return store_small(value, 0, 0, arena); }

Status numeric_from_double(double value, int significant_digits, Arena& arena, Value* out) {
  Numeric number;
  if (std::isnan(value)) {
    number.kind = Numeric::Kind::kNan;
  } else if (std::isinf(value)) {
    number.kind = infinity(value < 0);
  } else {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, significant_digits);
    WANDIAN_TRY(parse_numeric({text, static_cast<std::size_t>(end.ptr - text)}, &number));
  }
  return store_numeric(number, arena, out);
}

Status numeric_to_int(const Value& value, std::int64_t min, std::int64_t max, std::string_view type_name,
                      std::int64_t* out) {
  const Stored s(value);
  if (s.special())
    return {sqlstate::feature_not_supported,
            std::string(s.kind() == Numeric::Kind::kNan ? "cannot convert NaN to " : "cannot convert infinity to ") +
                std::string(type_name)};
  Int128 m = 0;
  if (s.weight > 5) {
    m = static_cast<Int128>(1) << 100;
  } else {
    for (int position = s.weight, i = 0; position >= 0; --position, ++i)
      m = m * Numeric::kBase + (i < s.count ? s.digit(i) : 0);
    const int fraction = s.weight + 1;   // index of the first digit after the point
    if (s.count > 0 && fraction >= 0 && fraction < s.count && s.digit(fraction) >= Numeric::kBase / 2) ++m;
    if (s.negative()) m = -m;
  }
  if (m < min || m > max) return {sqlstate::numeric_value_out_of_range, std::string(type_name) + " out of range"};
  *out = static_cast<std::int64_t>(m);
  return {};
}

double numeric_to_double(const Value& value) {
  const Stored s(value);
  switch (s.kind()) {
    case Numeric::Kind::kNan: return std::numeric_limits<double>::quiet_NaN();
    case Numeric::Kind::kPositiveInfinity: return std::numeric_limits<double>::infinity();
    case Numeric::Kind::kNegativeInfinity: return -std::numeric_limits<double>::infinity();
    case Numeric::Kind::kFinite: break;
  }
  Small small;
  if (load_small(value, &small) && small.groups == 0 && std::abs(small.mantissa) < (std::int64_t{1} << 53))
    return static_cast<double>(small.mantissa);
  std::string text(numeric_text_bound(value), '\0');
  const char* end = write_numeric_text(value, text.data());
  double out = 0;
  const auto result = std::from_chars(text.data(), end, out);
  if (result.ec == std::errc::result_out_of_range) {
    // Too small is 0, too large is infinite.
    const double magnitude = s.weight < 0 ? 0.0 : std::numeric_limits<double>::infinity();
    return s.negative() ? -magnitude : magnitude;
  }
  return out;
}

int compare_numeric(const Value& a, const Value& b) {
  const Stored x(a);
  const Stored y(b);
  if (x.special() || y.special()) {
    const int rx = kind_rank(x.kind());
    const int ry = kind_rank(y.kind());
    return rx - ry;
  }
  if (x.count == 0 || y.count == 0) {
    const int sx = x.count == 0 ? 0 : x.negative() ? -1 : 1;
    const int sy = y.count == 0 ? 0 : y.negative() ? -1 : 1;
    return sx - sy;
  }
  if (x.negative() != y.negative()) return x.negative() ? -1 : 1;
  const int direction = x.negative() ? -1 : 1;
  if (x.weight != y.weight) return x.weight < y.weight ? -direction : direction;
  const int n = std::min(x.count, y.count);
  for (int i = 0; i < n; ++i) {
    const int dx = x.digit(i);
    const int dy = y.digit(i);
    if (dx != dy) return dx < dy ? -direction : direction;
  }
  return x.count == y.count ? 0 : x.count < y.count ? -direction : direction;
}

int compare_numeric(const Numeric& a, const Numeric& b) {
  if (!a.finite() || !b.finite()) return kind_rank(a.kind) - kind_rank(b.kind);
  const int sa = a.sign();
  const int sb = b.sign();
  if (sa != sb) return sa < sb ? -1 : 1;
  return sa * compare_magnitude(a, b);
}

std::uint64_t hash_numeric(const Value& value) {
  const Stored s(value);
  if (s.special()) return XXH3_64bits(value.p, 2);
  if (s.count == 0) return 0x9e3779b97f4a7c15u;
  const std::uint64_t seed =
      static_cast<std::uint16_t>(s.weight) | (static_cast<std::uint64_t>(s.negative()) << 16) | (1u << 20);
  return XXH3_64bits_withSeed(s.digits, 2 * static_cast<std::size_t>(s.count), seed);
}

void append_numeric_key(const Value& value, std::string& out) {
  const Stored s(value);
  switch (s.kind()) {
    case Numeric::Kind::kNegativeInfinity: out.push_back(0x10); return;
    case Numeric::Kind::kPositiveInfinity: out.push_back(0x50); return;
    case Numeric::Kind::kNan: out.push_back(0x60); return;
    case Numeric::Kind::kFinite: break;
  }
  if (s.count == 0) {
    out.push_back(0x30);
    return;
  }
  out.push_back(s.negative() ? 0x20 : 0x40);
  const unsigned mask = s.negative() ? 0xffff : 0;
  const auto put = [&](unsigned v) {
    v ^= mask;
    out.push_back(static_cast<char>(v >> 8));
    out.push_back(static_cast<char>(v));
  };
  put(static_cast<unsigned>(s.weight + 0x8000));
  // A digit is stored plus one, so that the end (0) is below every digit.
  for (int i = 0; i < s.count; ++i) put(static_cast<unsigned>(s.digit(i) + 1));
  put(0);
}

Int128 interval_span(const Value& value) {
  const IntervalValue v = load_interval(value);
  const std::int64_t days = static_cast<std::int64_t>(v.months) * 30 + v.days;
  return static_cast<Int128>(days) * 86'400'000'000 + v.microseconds;
}

void append_interval_key(const Value& value, std::string& out) {
  // Below 2^80 in magnitude: ten bytes after the offset hold it.
  const auto biased = static_cast<UInt128>(interval_span(value) + (static_cast<Int128>(1) << 79));
  for (int shift = 72; shift >= 0; shift -= 8) out.push_back(static_cast<char>(biased >> shift));
}

Status add_numeric(const Value& a, const Value& b, Arena& arena, Value* out) {
  Small x, y;
  if (load_small(a, &x) && load_small(b, &y)) [[likely]] {
    const int groups = std::max(x.groups, y.groups);
    std::int64_t mx, my, sum;
    if (!__builtin_mul_overflow(x.mantissa, kPowersOfTen[4 * (groups - x.groups)], &mx) &&
        !__builtin_mul_overflow(y.mantissa, kPowersOfTen[4 * (groups - y.groups)], &my) &&
        !__builtin_add_overflow(mx, my, &sum)) {
      *out = store_small(sum, groups, std::max(x.dscale, y.dscale), arena);
      return {};
    }
  }
  return store_numeric(add(load_numeric(a), load_numeric(b)), arena, out);
}

Status subtract_numeric(const Value& a, const Value& b, Arena& arena, Value* out) {
  Small x, y;
  if (load_small(a, &x) && load_small(b, &y)) [[likely]] {
    const int groups = std::max(x.groups, y.groups);
    std::int64_t mx, my, sum;
    if (!__builtin_mul_overflow(x.mantissa, kPowersOfTen[4 * (groups - x.groups)], &mx) &&
        !__builtin_mul_overflow(y.mantissa, kPowersOfTen[4 * (groups - y.groups)], &my) &&
        !__builtin_sub_overflow(mx, my, &sum)) {
      *out = store_small(sum, groups, std::max(x.dscale, y.dscale), arena);
      return {};
    }
  }
  return store_numeric(subtract(load_numeric(a), load_numeric(b)), arena, out);
}

Status multiply_numeric(const Value& a, const Value& b, Arena& arena, Value* out) {
  Small x, y;
  std::int64_t product;
  if (load_small(a, &x) && load_small(b, &y) && !__builtin_mul_overflow(x.mantissa, y.mantissa, &product)) [[likely]] {
    *out = store_small(product, x.groups + y.groups, x.dscale + y.dscale, arena);
    return {};
  }
  return store_numeric(multiply(load_numeric(a), load_numeric(b)), arena, out);
}

Numeric add(const Numeric& a, const Numeric& b) {
  if (a.nan() || b.nan()) return Numeric::of_kind(Numeric::Kind::kNan);
  if (!a.finite() || !b.finite()) {
    if (!a.finite() && !b.finite() && a.kind != b.kind) return Numeric::of_kind(Numeric::Kind::kNan);
    return Numeric::of_kind(a.finite() ? b.kind : a.kind);
  }
  Numeric out;
  if (a.negative == b.negative) {
    out = combine_magnitudes(a, b, false);
    out.negative = a.negative;
  } else if (compare_magnitude(a, b) >= 0) {
    out = combine_magnitudes(a, b, true);
    out.negative = a.negative;
  } else {
    out = combine_magnitudes(b, a, true);
    out.negative = b.negative;
  }
  if (out.digits.empty()) out.negative = false;
  return out;
}

Numeric subtract(const Numeric& a, const Numeric& b) { return add(a, negate(b)); }

Numeric multiply(const Numeric& a, const Numeric& b) { return multiply(a, b, std::min(a.dscale + b.dscale, 1 << 20)); }

Numeric multiply(const Numeric& a, const Numeric& b, int rscale) {
  if (a.nan() || b.nan()) return Numeric::of_kind(Numeric::Kind::kNan);
  if (!a.finite() || !b.finite()) {
    const int sign = a.sign() * b.sign();
    return Numeric::of_kind(sign == 0 ? Numeric::Kind::kNan : infinity(sign < 0));
  }
  Numeric out;
  if (a.digits.empty() || b.digits.empty()) {
    out.dscale = std::min(rscale, Numeric::kMaxScale);
    return out;
  }
  const std::size_t n = a.digits.size() + b.digits.size();
  boost::container::small_vector<std::uint64_t, 64> sums(n, 0);
  for (std::size_t i = 0; i < a.digits.size(); ++i) {
    const auto d = static_cast<std::uint64_t>(a.digits[i]);
    if (d == 0) continue;
    for (std::size_t j = 0; j < b.digits.size(); ++j) sums[i + j + 1] += d * static_cast<std::uint64_t>(b.digits[j]);
  }
  out.digits.resize(n);
  std::uint64_t carry = 0;
  for (std::size_t i = n; i-- > 0;) {
    const std::uint64_t sum = sums[i] + carry;
    out.digits[i] = static_cast<std::int16_t>(sum % Numeric::kBase);
    carry = sum / Numeric::kBase;
  }
  out.weight = a.weight + b.weight + 1;
  out.negative = a.negative != b.negative;
  out.dscale = rscale;
  out.normalize();
  const int scale = std::min(rscale, Numeric::kMaxScale);
  if (scale < a.dscale + b.dscale) round_to(&out, scale);
  return out;
}

int division_scale(const Numeric& a, const Numeric& b) {
  const int first_a = a.digits.empty() ? 0 : a.digits[0];
  const int first_b = b.digits.empty() ? 0 : b.digits[0];
  const int weight_a = a.digits.empty() ? 0 : a.weight;
  const int weight_b = b.digits.empty() ? 0 : b.weight;
  const int quotient_weight = weight_a - weight_b - (first_a <= first_b ? 1 : 0);
  const int scale = Numeric::kMinSignificantDigits - quotient_weight * Numeric::kBaseDigits;
  return std::min(std::max({scale, a.dscale, b.dscale, 0}), Numeric::kMaxDisplayScale);
}

Status divide(const Numeric& a, const Numeric& b, Numeric* out) {
  if (a.nan() || b.nan()) {
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  if (!a.finite()) {
    if (!b.finite()) {
      *out = Numeric::of_kind(Numeric::Kind::kNan);
      return {};
    }
    if (b.zero()) return {sqlstate::division_by_zero, "division by zero"};
    *out = Numeric::of_kind(infinity(a.sign() * b.sign() < 0));
    return {};
  }
  if (!b.finite()) {
    *out = Numeric{};
    return {};
  }
  if (b.zero()) return {sqlstate::division_by_zero, "division by zero"};
  *out = divide(a, b, division_scale(a, b), true);
  return {};
}

Numeric divide(const Numeric& a, const Numeric& b, int rscale, bool round) {
  Numeric out;
  out.dscale = std::max(rscale, 0);
  if (a.digits.empty()) return out;
  // Quotient digits wanted: those before the point, those after it, and one to round by.
  const int quotient_weight = a.weight - b.weight;
  const int after = rscale >= 0 ? (rscale + 3) / 4 : -((-rscale) / 4);
  const int wanted = quotient_weight + 1 + after + 1;
  if (wanted <= 0) return out;
  const auto count = static_cast<std::size_t>(wanted);
  if (b.digits.size() == 1) {
    const auto divisor = static_cast<std::uint32_t>(b.digits[0]);
    std::uint32_t rest = 0;
    out.digits.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t part = rest * Numeric::kBase + (i < a.digits.size() ? static_cast<std::uint32_t>(a.digits[i]) : 0);
      out.digits[i] = static_cast<std::int16_t>(part / divisor);
      rest = part % divisor;
    }
  } else {
    // Knuth's D with both scaled so that the divisor's first digit is at least half the base.
    const std::size_t n = b.digits.size();
    const std::uint32_t scale = Numeric::kBase / (static_cast<std::uint32_t>(b.digits[0]) + 1);
    boost::container::small_vector<std::uint32_t, 64> u(count + n + 1, 0);
    boost::container::small_vector<std::uint32_t, 64> v(n, 0);
    std::uint32_t carry = 0;
    for (std::size_t i = n; i-- > 0;) {
      const std::uint32_t x = static_cast<std::uint32_t>(b.digits[i]) * scale + carry;
      v[i] = x % Numeric::kBase;
      carry = x / Numeric::kBase;
    }
    carry = 0;
    for (std::size_t i = std::min(a.digits.size(), count + n); i-- > 0;) {
      const std::uint32_t x = static_cast<std::uint32_t>(a.digits[i]) * scale + carry;
      u[i + 1] = x % Numeric::kBase;
      carry = x / Numeric::kBase;
    }
    u[0] = carry;
    out.digits.resize(count);
    for (std::size_t j = 0; j < count; ++j) {
      const std::uint32_t top = u[j] * Numeric::kBase + u[j + 1];
      std::uint32_t guess = top / v[0];
      std::uint32_t rest = top % v[0];
      while (guess >= Numeric::kBase || (n > 1 && guess * v[1] > rest * Numeric::kBase + u[j + 2])) {
        --guess;
        rest += v[0];
        if (rest >= Numeric::kBase) break;
      }
      std::int64_t borrow = 0;
      for (std::size_t i = n; i-- > 0;) {
        std::int64_t x = static_cast<std::int64_t>(u[j + 1 + i]) - static_cast<std::int64_t>(guess) * v[i] + borrow;
        borrow = 0;
        if (x < 0) {
          borrow = -((-x + Numeric::kBase - 1) / Numeric::kBase);
          x -= borrow * Numeric::kBase;
        }
        u[j + 1 + i] = static_cast<std::uint32_t>(x);
      }
      std::int64_t head = static_cast<std::int64_t>(u[j]) + borrow;
      if (head < 0) {
        --guess;
        std::uint32_t back = 0;
        for (std::size_t i = n; i-- > 0;) {
          const std::uint32_t x = u[j + 1 + i] + v[i] + back;
          u[j + 1 + i] = x % Numeric::kBase;
          back = x / Numeric::kBase;
        }
        head += back;
      }
      u[j] = 0;
      out.digits[j] = static_cast<std::int16_t>(guess);
    }
  }
  out.weight = quotient_weight;
  out.negative = a.negative != b.negative;
  const int dscale = out.dscale;
  cut(&out, rscale, round);
  out.normalize();
  out.dscale = dscale;
  return out;
}

Status integer_divide(const Numeric& a, const Numeric& b, Numeric* out) {
  if (a.finite() && b.finite() && !b.zero()) {
    *out = divide(a, b, 0, false);
    return {};
  }
  return divide(a, b, out);
}

Status modulo(const Numeric& a, const Numeric& b, Numeric* out) {
  if (a.nan() || b.nan()) {
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  if (!a.finite()) {
    if (b.zero()) return {sqlstate::division_by_zero, "division by zero"};
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  if (!b.finite()) {
    *out = a;
    return {};
  }
  if (b.zero()) return {sqlstate::division_by_zero, "division by zero"};
  *out = subtract(a, multiply(divide(a, b, 0, false), b));
  out->dscale = std::max(a.dscale, b.dscale);
  return {};
}

Numeric negate(Numeric value) {
  if (value.kind == Numeric::Kind::kPositiveInfinity) value.kind = Numeric::Kind::kNegativeInfinity;
  else if (value.kind == Numeric::Kind::kNegativeInfinity) value.kind = Numeric::Kind::kPositiveInfinity;
  else if (!value.digits.empty()) value.negative = !value.negative;
  return value;
}

Numeric absolute(Numeric value) {
  if (value.kind == Numeric::Kind::kNegativeInfinity) value.kind = Numeric::Kind::kPositiveInfinity;
  value.negative = false;
  return value;
}

void round_to(Numeric* value, int scale) {
  if (value->finite()) cut(value, scale, true);
}
void truncate_to(Numeric* value, int scale) {
  if (value->finite()) cut(value, scale, false);
}

Numeric ceiling(const Numeric& value) {
  if (!value.finite()) return value;
  Numeric out = value;
  truncate_to(&out, 0);
  if (!value.negative && compare_numeric(out, value) != 0) out = add(out, Numeric::of_int(1));
  return out;
}

Numeric floor(const Numeric& value) { return negate(ceiling(negate(value))); }

Status NumericSum::add(const Value& value, Arena& arena) {
  const Stored s(value);
  ++count;
  switch (s.kind()) {
    case Numeric::Kind::kNan: ++nan_count; return {};
    case Numeric::Kind::kPositiveInfinity: ++positive_infinity_count; return {};
    case Numeric::Kind::kNegativeInfinity: ++negative_infinity_count; return {};
    case Numeric::Kind::kFinite: break;
  }
  dscale = std::max(dscale, s.dscale());
  Small x;
  Int128 sum;
  if (load_small(value, &x) &&
      !__builtin_add_overflow(small, static_cast<Int128>(x.mantissa) * kPowersOfTen[16 - 4 * x.groups], &sum)) {
    small = sum;
    return {};
  }
  return add_big(load_numeric(value), arena);
}

Status NumericSum::add_big(Numeric total, Arena& arena) {
  if (big != nullptr) total = wandian::add(total, load_numeric(Value::of_bytes(big, big_size)));
  Value stored;
  WANDIAN_TRY(store_numeric(total, arena, &stored));
  big = stored.p;
  big_size = stored.size;
  return {};
}

Status NumericSum::subtract(const Value& value, Arena& arena) {
  const Stored s(value);
  --count;
  switch (s.kind()) {
    case Numeric::Kind::kNan: --nan_count; return {};
    case Numeric::Kind::kPositiveInfinity: --positive_infinity_count; return {};
    case Numeric::Kind::kNegativeInfinity: --negative_infinity_count; return {};
    case Numeric::Kind::kFinite: break;
  }
  Small x;
  Int128 sum;
  if (load_small(value, &x) &&
      !__builtin_sub_overflow(small, static_cast<Int128>(x.mantissa) * kPowersOfTen[16 - 4 * x.groups], &sum)) {
    small = sum;
    return {};
  }
  return add_big(wandian::subtract(Numeric(), load_numeric(value)), arena);
}

Numeric NumericSum::total() const {
  if (nan_count > 0 || (positive_infinity_count > 0 && negative_infinity_count > 0))
    return Numeric::of_kind(Numeric::Kind::kNan);
  if (positive_infinity_count > 0) return Numeric::of_kind(Numeric::Kind::kPositiveInfinity);
  if (negative_infinity_count > 0) return Numeric::of_kind(Numeric::Kind::kNegativeInfinity);
  Numeric sum = Numeric::of_int128(small, 16);
  if (big != nullptr) sum = wandian::add(sum, load_numeric(Value::of_bytes(big, big_size)));
  sum.dscale = dscale;
  return sum;
}

std::size_t numeric_datum_size(const Value& value) {
  const Stored stored(value);
  constexpr std::size_t kLengthWord = 4, kShort = 2, kLong = 4;
  if (stored.special()) return kLengthWord + kShort;
  const bool is_short = stored.dscale() <= 63 && stored.weight >= -64 && stored.weight <= 63;
  return kLengthWord + (is_short ? kShort : kLong) + 2 * static_cast<std::size_t>(stored.count);
}

}  // namespace wandian
