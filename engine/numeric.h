// Numeric: exact decimal arithmetic with PostgreSQL's results, display scales and limits.
// Held as: bytes behind Value: u16 sign and display scale, i16 weight, then base-10000 digits (host order, unaligned)
//          without leading or trailing zero digits; NaN and the infinities are the first two bytes alone.
// Thread:  pure functions.
// Errors:  22003 numeric_value_out_of_range, 22012 division_by_zero, 2201E, 2201F, as PostgreSQL words them.
// PostgreSQL 15 manual, 8.1.2 and 9.3; long division: Knuth, The Art of Computer Programming 2, 4.3.1 D.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian {

// Wide enough for sums of int8 and for interval lengths; of an alignment that an arena gives by default.
__extension__ typedef __int128 Int128 __attribute__((aligned(8)));
__extension__ typedef unsigned __int128 UInt128 __attribute__((aligned(8)));

/// A number being worked on. Digits are base 10000, most significant first; the first one stands for 10000^weight.
struct Numeric {
  enum class Kind : std::uint8_t { kFinite, kNan, kPositiveInfinity, kNegativeInfinity };
  static constexpr int kBase = 10000;
  static constexpr int kBaseDigits = 4;
  static constexpr int kMaxWeight = 32767;         ///< 131072 decimal digits before the point
  static constexpr int kMaxScale = 16383;          ///< decimal digits after the point
  static constexpr int kMaxDisplayScale = 1000;    ///< of computed results
  static constexpr int kMinSignificantDigits = 16;

  Kind kind = Kind::kFinite;
  bool negative = false;
  std::int32_t weight = 0;
  std::int32_t dscale = 0;   ///< decimal digits shown after the point
  boost::container::small_vector<std::int16_t, 32> digits;

  static Numeric of_int(std::int64_t value);
  static Numeric of_int128(Int128 value, int dscale);   ///< value / 10^dscale
  static Numeric of_kind(Kind kind);
  bool finite() const { return kind == Kind::kFinite; }
  bool nan() const { return kind == Kind::kNan; }
  bool zero() const { return finite() && digits.empty(); }
  bool integral() const { return finite() && static_cast<int>(digits.size()) <= weight + 1; }
  /// -1, 0, 1; NaN counts as 1.
  int sign() const;
  /// Drops zero digits at both ends.
  void normalize();
};

Numeric load_numeric(const Value& value);
/// The value's bytes; 22003 "value overflows numeric format" beyond the limits.
Status store_numeric(const Numeric& number, Arena& arena, Value* out);

// Text: PostgreSQL's input syntax with surrounding blanks; 22P02 and 22003 as numeric_in reports them.
Status parse_numeric(std::string_view text, Numeric* out);
/// With a short path for up to 18 digits; applies typmod (-1 = none).
Status numeric_from_text(std::string_view text, std::int32_t typmod, Arena& arena, Value* out);
/// An upper bound of the bytes that write_numeric_text needs.
std::size_t numeric_text_bound(const Value& value);
/// Writes the text form at `out` and returns its end.
char* write_numeric_text(const Value& value, char* out);
std::string numeric_to_string(const Numeric& number);

/// Rounds to numeric(p,s) and checks the precision: 22003 "numeric field overflow" with PostgreSQL's detail.
Status apply_numeric_typmod(Numeric* number, std::int32_t typmod);
Status apply_numeric_typmod(const Value& value, std::int32_t typmod, Arena& arena, Value* out);
constexpr std::int32_t numeric_typmod(int precision, int scale) { return ((precision << 16) | (scale & 0x7ff)) + 4; }
constexpr int numeric_typmod_precision(std::int32_t typmod) { return ((typmod - 4) >> 16) & 0xffff; }
constexpr int numeric_typmod_scale(std::int32_t typmod) { return (((typmod - 4) & 0x7ff) ^ 1024) - 1024; }

// Conversions. Integers round half away from zero; 22003 "<type name> out of range", 0A000 for NaN and infinity.
Value numeric_from_int(std::int64_t value, Arena& arena);
Status numeric_from_double(double value, int significant_digits, Arena& arena, Value* out);
Status numeric_to_int(const Value& value, std::int64_t min, std::int64_t max, std::string_view type_name,
                      std::int64_t* out);
double numeric_to_double(const Value& value);   ///< infinite beyond double's range
/// Bytes of the value as PostgreSQL keeps it, its length word included: a short header does for scales below 64 and weights of -64 to 63.
std::size_t numeric_datum_size(const Value& value);

// Order and keys. NaN equals NaN and is above everything.
int compare_numeric(const Value& a, const Value& b);
int compare_numeric(const Numeric& a, const Numeric& b);
std::uint64_t hash_numeric(const Value& value);
/// Bytes whose memcmp order is the numeric order; self-delimiting, so that key columns can be concatenated.
void append_numeric_key(const Value& value, std::string& out);
/// The same for intervals, in PostgreSQL's order (a month is 30 days, a day is 24 hours).
void append_interval_key(const Value& value, std::string& out);
/// An interval's length in µs under that rule.
Int128 interval_span(const Value& value);

// Arithmetic on values, with paths for small numbers that need neither loops over digits nor a Numeric.
Status add_numeric(const Value& a, const Value& b, Arena& arena, Value* out);
Status subtract_numeric(const Value& a, const Value& b, Arena& arena, Value* out);
Status multiply_numeric(const Value& a, const Value& b, Arena& arena, Value* out);

// Arithmetic on numbers.
Numeric add(const Numeric& a, const Numeric& b);
Numeric subtract(const Numeric& a, const Numeric& b);
Numeric multiply(const Numeric& a, const Numeric& b);
/// The product rounded to `rscale` decimal digits.
Numeric multiply(const Numeric& a, const Numeric& b, int rscale);
/// PostgreSQL's choice of scale for a / b.
int division_scale(const Numeric& a, const Numeric& b);
Status divide(const Numeric& a, const Numeric& b, Numeric* out);
/// The quotient of finite numbers with `rscale` decimal digits, rounded or truncated; b is not zero.
Numeric divide(const Numeric& a, const Numeric& b, int rscale, bool round);
Status integer_divide(const Numeric& a, const Numeric& b, Numeric* out);
Status modulo(const Numeric& a, const Numeric& b, Numeric* out);
Numeric negate(Numeric value);
Numeric absolute(Numeric value);
/// To `scale` decimal digits (negative: to tens, hundreds, ...), half away from zero. dscale becomes max(scale, 0).
void round_to(Numeric* value, int scale);
void truncate_to(Numeric* value, int scale);
Numeric ceiling(const Numeric& value);
Numeric floor(const Numeric& value);

// engine/numeric_math.cc
Status square_root(const Numeric& value, Numeric* out);
Status exponential(const Numeric& value, Numeric* out);
Status natural_logarithm(const Numeric& value, Numeric* out);
Status logarithm(const Numeric& base, const Numeric& value, Numeric* out);
Status power(const Numeric& base, const Numeric& exponent, Numeric* out);
Status factorial(std::int64_t n, Numeric* out);
Status greatest_common_divisor(const Numeric& a, const Numeric& b, Numeric* out);
/// sqrt for a given result scale (variances); value is finite and not negative.
Numeric square_root(const Numeric& value, int rscale);

/// Sums numerics exactly: in 128 bits as long as they are small, with a Numeric behind it otherwise. Movable with
/// memcpy: `big` lives in the arena of whoever calls.
struct NumericSum {
  Int128 small = 0;          ///< in units of 10^-16
  std::int64_t count = 0;      ///< finite and not
  std::int64_t nan_count = 0, positive_infinity_count = 0, negative_infinity_count = 0;
  std::int32_t dscale = 0;
  std::uint32_t big_size = 0;
  const char* big = nullptr;   ///< stored numeric that has to be added, or null

  Status add(const Value& value, Arena& arena);
  /// Takes out a value that was added. The scale stays: the caller knows whether it has to.
  Status subtract(const Value& value, Arena& arena);
  /// The sum (count > 0).
  Numeric total() const;

 private:
  Status add_big(Numeric value, Arena& arena);
};

}  // namespace wandian
