// Roots, exponentials, logarithms and powers of numerics. Each result is computed with guard digits and rounded to
// the scale that PostgreSQL would show.
#include <algorithm>
#include <cmath>
#include <string>

#include "engine/numeric.h"

namespace wandian {

namespace {

constexpr int kGuardDigits = 8;
constexpr double kLog10OfE = 0.434294481903252;
constexpr double kLnOf10 = 2.302585092994046;
constexpr int kMaxResultScale = 2 * Numeric::kMaxDisplayScale;

Status overflow() { return {sqlstate::numeric_value_out_of_range, "value overflows numeric format"}; }

double to_double(const Numeric& value) {
  // Enough leading digits for a double; only estimates are taken from it.
  double out = 0;
  const std::size_t n = std::min<std::size_t>(value.digits.size(), 5);
  for (std::size_t i = 0; i < n; ++i) out = out * Numeric::kBase + value.digits[i];
  out *= std::pow(10.0, 4.0 * (value.weight - static_cast<int>(n) + 1));
  return value.negative ? -out : out;
}

int display_scale(int wanted, int at_least) {
  return std::min(std::max({wanted, at_least, 0}), Numeric::kMaxDisplayScale);
}

Numeric one() { return Numeric::of_int(1); }

// log10(|ln(value)|), truncated: how many digits of ln lie before its point.
int ln_weight(const Numeric& value) {
  if (value.sign() <= 0) return 0;
  static const Numeric low = Numeric::of_int128(9, 1);
  static const Numeric high = Numeric::of_int128(11, 1);
  if (compare_numeric(value, low) >= 0 && compare_numeric(value, high) <= 0) {
    const Numeric x = subtract(value, one());
    if (x.digits.empty()) return 0;
    return x.weight * Numeric::kBaseDigits + static_cast<int>(std::log10(x.digits[0]));
  }
  double digits = value.digits[0];
  int weight = value.weight * Numeric::kBaseDigits;
  if (value.digits.size() > 1) {
    digits = digits * Numeric::kBase + value.digits[1];
    weight -= Numeric::kBaseDigits;
  }
  return static_cast<int>(std::log10(std::abs(std::log(digits) + weight * kLnOf10)));
}

// e^value with `rscale` digits; value is within +-6000.
Numeric exp_to(const Numeric& value, int rscale) {
  const double estimate = to_double(value);
  const int result_weight = static_cast<int>(estimate * kLog10OfE);
  if (result_weight < -rscale - 2) {
    Numeric out;
    out.dscale = rscale;
    return out;
  }
  int halvings = 0;
  for (double x = std::abs(estimate); x > 0.01; x /= 2) ++halvings;
  // Squaring doubles the relative error each time.
  const int scale = std::max(1 + result_weight + rscale + static_cast<int>(halvings * 0.301029995663981) + kGuardDigits,
                             kGuardDigits) + 1;
  Numeric x = value;
  if (halvings > 0) {
    Numeric divisor = one();
    for (int i = 0; i < halvings; ++i) divisor = add(divisor, divisor);
    x = divide(value, divisor, scale + halvings / 3 + 2, true);
  }
  Numeric sum = add(one(), x);
  Numeric term = x;
  for (std::int64_t n = 2;; ++n) {
    term = divide(multiply(term, x, scale), Numeric::of_int(n), scale, true);
    if (term.digits.empty()) break;
    sum = add(sum, term);
  }
  int weight_estimate = 0;
  for (int i = 0; i < halvings; ++i) {
    // A result far below or above 1 needs fewer or no more digits after its point.
    weight_estimate = sum.weight * 2 * Numeric::kBaseDigits;
    const int local = std::max(scale - std::min(weight_estimate, 0) - std::max(weight_estimate, 0), rscale + kGuardDigits);
    sum = multiply(sum, sum, std::min(local, Numeric::kMaxScale));
  }
  round_to(&sum, rscale);
  return sum;
}

// ln(value) with `rscale` digits; value is above 0.
Numeric ln_to(const Numeric& value, int rscale) {
  static const Numeric low = Numeric::of_int128(9, 1);
  static const Numeric high = Numeric::of_int128(11, 1);
  Numeric x = value;
  int roots = 0;
  int scale = rscale + kGuardDigits;
  // Bring x near 1 by square roots: ln(x) = 2^n ln(x^(1/2^n)).
  while (compare_numeric(x, low) <= 0) {
    const int local = std::max(scale + 2 - x.weight * Numeric::kBaseDigits / 2, scale);
    x = square_root(x, std::min(local, Numeric::kMaxScale));
    ++roots;
  }
  while (compare_numeric(x, high) >= 0) {
    x = square_root(x, scale + 6);
    ++roots;
  }
  scale += static_cast<int>((roots + 1) * 0.301029995663981) + 2;
  if (roots > 0) {
    // Redo with the digits that the doublings at the end will cost.
    x = value;
    for (int i = 0; i < roots; ++i) {
      const int local = std::max(scale + 2 - x.weight * Numeric::kBaseDigits / 2, scale);
      x = square_root(x, std::min(local, Numeric::kMaxScale));
    }
  }
  // ln(x) = 2 (z + z^3/3 + z^5/5 + ...) with z = (x-1)/(x+1).
  const Numeric z = divide(subtract(x, one()), add(x, one()), scale + 4, true);
  const Numeric square = multiply(z, z, scale + 4);
  Numeric sum = z;
  Numeric part = z;
  for (std::int64_t n = 3;; n += 2) {
    part = multiply(part, square, scale + 4);
    const Numeric term = divide(part, Numeric::of_int(n), scale + 4, true);
    if (term.digits.empty()) break;
    sum = add(sum, term);
  }
  Numeric factor = Numeric::of_int(2);
  for (int i = 0; i < roots; ++i) factor = add(factor, factor);
  sum = multiply(sum, factor);
  round_to(&sum, rscale);
  return sum;
}

// base^exponent for a whole exponent.
Status power_of_int(const Numeric& base, std::int64_t exponent, int exponent_dscale, Numeric* out) {
  double estimate = 0;   // log10 of the result
  if (!base.digits.empty()) {
    double f = base.digits[0];
    int p = base.weight * Numeric::kBaseDigits;
    for (std::size_t i = 1; i < base.digits.size() && i * Numeric::kBaseDigits < 16; ++i) {
      f = f * Numeric::kBase + base.digits[i];
      p -= Numeric::kBaseDigits;
    }
    estimate = static_cast<double>(exponent) * (std::log10(f) + p);
  }
  if (estimate > (Numeric::kMaxWeight + 1) * Numeric::kBaseDigits) return overflow();
  *out = Numeric{};
  const int rscale = display_scale(Numeric::kMinSignificantDigits, std::max(base.dscale, exponent_dscale));
  if (estimate + 1 < -rscale) {
    out->dscale = rscale;
    return {};
  }
  if (exponent == 0) {
    *out = one();
    out->dscale = rscale;
    return {};
  }
  if (base.digits.empty()) {
    if (exponent < 0) return {sqlstate::division_by_zero, "division by zero"};
    out->dscale = rscale;
    return {};
  }
  if (exponent == 1) {
    *out = base;
    round_to(out, rscale);
    return {};
  }
  if (exponent == 2) {
    *out = multiply(base, base, rscale);
    return {};
  }
  if (exponent == -1) {
    *out = divide(one(), base, rscale, true);
    return {};
  }
  const auto magnitude = static_cast<std::uint64_t>(exponent < 0 ? -exponent : exponent);
  // Significant digits kept while multiplying: those of the result, the growth of the error, and a guard.
  const int significant = std::max(1 + rscale + static_cast<int>(estimate), 1) +
                          static_cast<int>(std::log(static_cast<double>(magnitude))) + 2 * kGuardDigits;
  const auto keep = [significant](Numeric* value) {
    const int scale = significant - value->weight * Numeric::kBaseDigits;
    if (scale < value->dscale || static_cast<int>(value->digits.size()) * 4 > significant + 8)
      round_to(value, std::min(std::max(scale, 0), 2 * Numeric::kMaxScale));
  };
  Numeric product = (magnitude & 1) ? base : one();
  Numeric square = base;
  for (std::uint64_t rest = magnitude >> 1; rest != 0; rest >>= 1) {
    square = multiply(square, square, 2 * Numeric::kMaxScale);
    square.dscale = std::min(square.dscale, 2 * Numeric::kMaxScale);
    keep(&square);
    if (rest & 1) {
      product = multiply(product, square, 2 * Numeric::kMaxScale);
      keep(&product);
    }
    if (square.weight > Numeric::kMaxWeight || product.weight > Numeric::kMaxWeight) {
      if (exponent > 0) return overflow();
      *out = Numeric{};
      out->dscale = rscale;
      return {};
    }
  }
  if (exponent < 0) {
    *out = divide(one(), product, rscale, true);
  } else {
    *out = product;
    round_to(out, rscale);
  }
  return {};
}

Status complex_result() {
  return {sqlstate::invalid_argument_for_power_function,
          "a negative number raised to a non-integer power yields a complex result"};
}

// Powers where an operand is NaN or infinite, by POSIX's rules for pow().
Status special_power(const Numeric& base, const Numeric& exponent, Numeric* out) {
  const auto kind = [out](Numeric::Kind k) {
    *out = Numeric::of_kind(k);
    return Status{};
  };
  if (base.finite() && compare_numeric(base, one()) == 0) {
    *out = one();
    out->dscale = 16;
    if (exponent.nan() || !exponent.finite()) out->dscale = 0;
    return {};
  }
  if (exponent.zero()) {
    *out = one();
    return {};
  }
  if (base.nan() || exponent.nan()) return kind(Numeric::Kind::kNan);
  if (base.zero() && exponent.sign() < 0)
    return {sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined"};
  if (base.sign() < 0 && exponent.finite() && !exponent.integral()) return complex_result();
  if (!exponent.finite()) {
    const int against_one = compare_numeric(absolute(base), one());
    if (against_one == 0) {
      *out = one();
      return {};
    }
    if ((against_one > 0) == (exponent.sign() > 0)) return kind(Numeric::Kind::kPositiveInfinity);
    *out = Numeric{};
    return {};
  }
  if (exponent.sign() < 0) {
    *out = Numeric{};
    return {};
  }
  const bool odd = exponent.weight == static_cast<int>(exponent.digits.size()) - 1 && (exponent.digits.back() & 1);
  return kind(base.sign() < 0 && odd ? Numeric::Kind::kNegativeInfinity : Numeric::Kind::kPositiveInfinity);
}

}  // namespace

Numeric square_root(const Numeric& value, int rscale) {
  Numeric out;
  if (value.digits.empty()) {
    out.dscale = rscale;
    return out;
  }
  // Newton's iteration from a double, each step doubling the digits; the mantissa is scaled to stay in double's range.
  const int shift = value.weight / 2;
  Numeric scaled = value;
  scaled.weight -= 2 * shift;
  scaled.dscale = std::max(0, static_cast<int>(scaled.digits.size()) * 4);
  Numeric x;
  (void)parse_numeric(std::to_string(std::sqrt(to_double(scaled))), &x);
  if (x.digits.empty()) x = one();
  const int final_scale = std::max(rscale + 4 * shift + kGuardDigits, kGuardDigits);
  static const Numeric half = Numeric::of_int128(5, 1);
  int scale = 10;
  for (int extra = 0; extra < 2;) {
    scale = std::min(scale * 2 + 2, final_scale);
    x = multiply(add(x, divide(scaled, x, scale, true)), half, scale);
    if (scale == final_scale) ++extra;
  }
  x.weight += shift;
  x.dscale = std::max(0, final_scale - 4 * shift);
  x.normalize();
  round_to(&x, rscale);
  return x;
}

Status square_root(const Numeric& value, Numeric* out) {
  if (value.sign() < 0 && !value.nan())
    return {sqlstate::invalid_argument_for_power_function, "cannot take square root of a negative number"};
  if (!value.finite()) {
    *out = value;
    return {};
  }
  const int root_weight = (value.weight + 1) * Numeric::kBaseDigits / 2 - 1;
  *out = square_root(value, display_scale(Numeric::kMinSignificantDigits - root_weight, value.dscale));
  return {};
}

Status exponential(const Numeric& value, Numeric* out) {
  if (!value.finite()) {
    *out = value.kind == Numeric::Kind::kNegativeInfinity ? Numeric{} : value;
    return {};
  }
  const double estimate = to_double(value);
  if (std::abs(estimate) >= kMaxResultScale * 3.0) {
    if (estimate > 0) return overflow();
    *out = Numeric{};
    out->dscale = Numeric::kMaxDisplayScale;
    return {};
  }
  const double digits = std::clamp(estimate * kLog10OfE, -1.0 * kMaxResultScale, 1.0 * kMaxResultScale);
  *out = exp_to(value, display_scale(Numeric::kMinSignificantDigits - static_cast<int>(digits), value.dscale));
  return {};
}

namespace {
Status check_logarithm(const Numeric& value) {
  if (value.zero()) return {sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of zero"};
  if (value.sign() < 0 && !value.nan())
    return {sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number"};
  return {};
}
}  // namespace

Status natural_logarithm(const Numeric& value, Numeric* out) {
  WANDIAN_TRY(check_logarithm(value));
  if (!value.finite()) {
    *out = value;
    return {};
  }
  *out = ln_to(value, display_scale(Numeric::kMinSignificantDigits - ln_weight(value), value.dscale));
  return {};
}

Status logarithm(const Numeric& base, const Numeric& value, Numeric* out) {
  if (base.nan() || value.nan()) {
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  // With an infinity among them, signs are looked at before zeros.
  if (!base.finite() || !value.finite())
    for (const Numeric* number : {&base, &value})
      if (number->sign() < 0) WANDIAN_TRY(check_logarithm(*number));
  WANDIAN_TRY(check_logarithm(base));
  WANDIAN_TRY(check_logarithm(value));
  if (!base.finite()) {
    *out = value.finite() ? Numeric{} : Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  if (!value.finite()) {
    *out = value;
    return {};
  }
  const int base_weight = ln_weight(base);
  const int value_weight = ln_weight(value);
  const int result_weight = value_weight - base_weight;
  const int rscale =
      display_scale(Numeric::kMinSignificantDigits - result_weight, std::max(base.dscale, value.dscale));
  const Numeric ln_base = ln_to(base, std::max(rscale + result_weight - base_weight + kGuardDigits, 0));
  const Numeric ln_value = ln_to(value, std::max(rscale + result_weight - value_weight + kGuardDigits, 0));
  if (ln_base.digits.empty()) return {sqlstate::division_by_zero, "division by zero"};
  *out = divide(ln_value, ln_base, rscale, true);
  return {};
}

Status power(const Numeric& base, const Numeric& exponent, Numeric* out) {
  if (!base.finite() || !exponent.finite()) return special_power(base, exponent, out);
  if (base.zero() && exponent.sign() < 0)
    return {sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined"};
  if (base.sign() < 0 && !exponent.integral()) return complex_result();
  if (exponent.integral() && exponent.weight <= 2) {
    std::int64_t n = 0;
    for (int i = 0; i <= exponent.weight; ++i)
      n = n * Numeric::kBase +
          (i < static_cast<int>(exponent.digits.size()) ? exponent.digits[static_cast<std::size_t>(i)] : 0);
    if (n <= 2147483647) return power_of_int(base, exponent.negative ? -n : n, exponent.dscale, out);
  }
  *out = Numeric{};
  if (base.zero()) {
    out->dscale = Numeric::kMinSignificantDigits;
    return {};
  }
  const bool odd = exponent.integral() && exponent.weight == static_cast<int>(exponent.digits.size()) - 1 &&
                   (exponent.digits.back() & 1);
  const Numeric magnitude = absolute(base);
  const int weight = ln_weight(magnitude);
  const Numeric rough = multiply(ln_to(magnitude, std::max(8 - weight, 0)), exponent, std::max(8 - weight, 0));
  double estimate = to_double(rough);
  if (std::abs(estimate) > kMaxResultScale * 3.01) {
    if (estimate > 0) return overflow();
    out->dscale = Numeric::kMaxDisplayScale;
    return {};
  }
  estimate *= kLog10OfE;
  const int rscale = display_scale(Numeric::kMinSignificantDigits - static_cast<int>(estimate),
                                   std::max(base.dscale, exponent.dscale));
  const int significant = std::max(rscale + static_cast<int>(estimate), 0);
  const int local = std::max(significant - weight + kGuardDigits, 0);
  *out = exp_to(multiply(ln_to(magnitude, local + 4), exponent, local + 4), rscale);
  if (base.sign() < 0 && odd) *out = negate(*out);
  return {};
}

Status factorial(std::int64_t n, Numeric* out) {
  if (n < 0) return {sqlstate::numeric_value_out_of_range, "factorial of a negative number is undefined"};
  if (n > 32177) return overflow();
  *out = one();
  for (std::int64_t i = 2; i <= n; ++i) *out = multiply(*out, Numeric::of_int(i));
  return {};
}

Status greatest_common_divisor(const Numeric& a, const Numeric& b, Numeric* out) {
  const int dscale = std::max(a.dscale, b.dscale);
  if (!a.finite() || !b.finite()) {
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  Numeric x = absolute(a);
  Numeric y = absolute(b);
  while (!y.digits.empty()) {
    Numeric rest;
    WANDIAN_TRY(modulo(x, y, &rest));
    x = std::move(y);
    y = std::move(rest);
  }
  x.dscale = dscale;
  *out = std::move(x);
  return {};
}

}  // namespace wandian
