// to_char, to_number, to_date, to_timestamp as SQL functions.
#include "sql/functions/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/functions/number_pattern.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

bool give_time(EvalContext& ctx, const Value& pattern, const FormatInput& input, Value* result) {
  std::string out;
  return check(ctx, format_time(pattern.bytes(), input, &out)) && return_text(ctx, result, out);
}
template <bool with_zone>
bool timestamp_to_char(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[0].i) || args[1].size == 0) return return_null(result);
  FormatInput input;
  std::int64_t local = args[0].i;
  if (with_zone) {
    const TimeZone::LocalType& zone = zone_at(zone_of(ctx.format), local);
    input.zone_name = zone.abbreviation;
    input.zone_offset = zone.offset;
    local += zone.offset * kSecondMicros;
  }
  break_timestamp(local, &input.time);
  input.hour = input.time.hour;
  return give_time(ctx, args[1], input, result);
}
bool interval_to_char(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].size == 0) return return_null(result);
  const IntervalValue v = load_interval(args[0]);
  FormatInput input;
  input.interval = true;
  input.time.year = v.months / 12;
  input.time.month = v.months % 12;
  input.time.day = v.days;
  input.hour = v.microseconds / kHourMicros;
  input.time.minute = static_cast<std::int32_t>(v.microseconds / kMinuteMicros % 60);
  input.time.second = static_cast<std::int32_t>(v.microseconds / kSecondMicros % 60);
  input.time.micros = static_cast<std::int32_t>(v.microseconds % kSecondMicros);
  return give_time(ctx, args[1], input, result);
}

bool to_date(EvalContext& ctx, const Value* args, Value* result) {
  ParsedTime parsed;
  if (!check(ctx, parse_time_by(args[1].bytes(), args[0].bytes(), &parsed))) return false;
  const BrokenTime& t = parsed.time;
  constexpr std::int32_t kFirstYear = -4713, kEndYear = 5874898;
  if (t.year >= kFirstYear && t.year <= kEndYear) {
    const std::int32_t days = days_from_civil(t.year, t.month, t.day);
    if (days >= kMinDate && days < kEndDate) return return_int(result, days);
  }
  return ctx.fail({sqlstate::datetime_field_overflow, "date out of range: \"" + std::string(args[0].bytes()) + "\""});
}
bool to_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  ParsedTime parsed;
  if (!check(ctx, parse_time_by(args[1].bytes(), args[0].bytes(), &parsed))) return false;
  std::int64_t local, utc;
  // The local time may lie just beyond the range of which the instant is a part.
  if (!make_timestamp(parsed.time, &local) && (parsed.time.year < -4714 || parsed.time.year > 294277 || local == 0))
    return timestamp_out_of_range(ctx);
  if (parsed.zone_offset) {
    utc = local - *parsed.zone_offset * kSecondMicros;
    if (!timestamp_in_range(utc)) return timestamp_out_of_range(ctx);
  } else {
    utc = local - zone_of_local(zone_of(ctx.format), local).offset * kSecondMicros;
    if (!timestamp_in_range(utc)) return timestamp_out_of_range(ctx);
  }
  return return_int(result, round_micros(utc, parsed.precision != 0 ? parsed.precision : -1));
}

std::string roman(std::int64_t n) {
  if (n < 1 || n > 3999) return std::string(15, '#');
  struct Step {
    int value;
    const char* text;
  };
  constexpr Step kSteps[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
                             {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}};
  std::string out;
  for (const Step& s : kSteps)
    for (; n >= s.value; n -= s.value) out += s.text;
  return out;
}

bool parse_pattern(EvalContext& ctx, const Value& text, NumberPattern* out) {
  return check(ctx, parse_number_pattern(text.bytes(), out));
}

// The signed decimal text in the places of a pattern; what does not fit is shown as '#'.
bool fill_places(EvalContext& ctx, const NumberPattern& pattern, std::string_view number, Value* result) {
  const char sign = number.starts_with('-') ? '-' : '+';
  if (sign == '-') number.remove_prefix(1);
  const int whole = static_cast<int>(std::min(number.find('.'), number.size()));
  std::string digits(number);
  if (whole > pattern.before) {
    digits.assign(static_cast<std::size_t>(pattern.before + pattern.after + 1), '#');
    digits[static_cast<std::size_t>(pattern.before)] = '.';
  }
  const auto ordinal = [](const NumberPattern::Piece& p) { return p.mark == NumberPattern::Mark::kOrdinal; };
  const bool counts = digits[0] != '#' && sign != '-' && !pattern.point;
  if (counts && (digits.back() < '0' || digits.back() > '9') && std::any_of(pattern.pieces.begin(), pattern.pieces.end(), ordinal))
    return ctx.fail({sqlstate::invalid_text_representation, "\"" + digits + "\" is not a number"});
  return return_text(ctx, result, write_number(pattern, digits, std::max(pattern.before - whole, 0), sign));
}
bool fill_exponent_hashes(EvalContext& ctx, const NumberPattern& pattern, Value* result) {
  std::string hashes(static_cast<std::size_t>(pattern.before + pattern.after + 6), '#');
  hashes[0] = ' ';
  hashes[static_cast<std::size_t>(pattern.before + 1)] = '.';
  return return_text(ctx, result, hashes);
}

// As C prints it, infinities and NaN as PostgreSQL's printf() does.
std::string printed(const char* form, int digits, double v) {
  if (!std::isfinite(v)) return std::isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity";
  std::string text(static_cast<std::size_t>(std::max(digits, 0)) + 340, '\0');
  const int size = std::snprintf(text.data(), text.size(), form, digits, v);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string scientific(const Numeric& n, int scale) {
  std::string digits = numeric_to_string(absolute(n));
  const std::size_t point = std::min(digits.find('.'), digits.size());
  if (point < digits.size()) digits.erase(point, 1);
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  const int exponent = first == digits.size() ? 0 : static_cast<int>(point) - static_cast<int>(first) - 1;
  digits.erase(0, first);
  if (digits.empty()) digits = "0";
  digits.insert(1, ".");
  Numeric mantissa;
  if (!parse_numeric(digits.size() == 2 ? digits.substr(0, 1) : digits, &mantissa).ok()) return {};
  round_to(&mantissa, scale);
  char tail[16];
  std::snprintf(tail, sizeof tail, "e%+03d", exponent);
  return (n.negative ? "-" : " ") + numeric_to_string(mantissa) + tail;
}

bool numeric_to_char(EvalContext& ctx, Numeric n, NumberPattern pattern, Value* result) {
  if (pattern.exponent)
    return n.finite() ? return_text(ctx, result, scientific(n, pattern.after)) : fill_exponent_hashes(ctx, pattern, result);
  if (pattern.shifting) {
    Numeric factor;
    if (!check(ctx, power(Numeric::of_int(10), Numeric::of_int(pattern.shift), &factor))) return false;
    n = multiply(n, factor);
    pattern.before += pattern.shift;
  }
  if (n.finite()) round_to(&n, pattern.after);
  return fill_places(ctx, pattern, numeric_to_string(n), result);
}
bool numeric_to_char(EvalContext& ctx, const Value* args, Value* result) {
  NumberPattern pattern;
  if (!parse_pattern(ctx, args[1], &pattern)) return false;
  if (args[1].size == 0) return return_text(ctx, result, "");
  if (!pattern.roman) return numeric_to_char(ctx, load_numeric(args[0]), std::move(pattern), result);
  std::int64_t whole;
  return check(ctx, numeric_to_int(args[0], INT32_MIN, INT32_MAX, "integer", &whole)) &&
         return_text(ctx, result, write_number(pattern, roman(whole), 0, 0));
}

// An int4 wraps where V shifts it too far, an int8 is an error then.
template <bool wide>
bool int_to_char(EvalContext& ctx, const Value* args, Value* result) {
  NumberPattern pattern;
  if (!parse_pattern(ctx, args[1], &pattern)) return false;
  if (args[1].size == 0) return return_text(ctx, result, "");
  std::int64_t v = args[0].i;
  if (pattern.roman) {
    if (v < INT32_MIN || v > INT32_MAX) return out_of_range(ctx, "integer");
    return return_text(ctx, result, write_number(pattern, roman(v), 0, 0));
  }
  if (pattern.exponent) {
    if (wide) return numeric_to_char(ctx, Numeric::of_int(v), std::move(pattern), result);
    return return_text(ctx, result, printed("% .*e", pattern.after, static_cast<double>(v)));
  }
  if (pattern.shifting) {
    const double factor = std::pow(10.0, pattern.shift);
    if (wide) {
      if (factor >= 9223372036854775808.0 || __builtin_mul_overflow(v, static_cast<std::int64_t>(factor), &v))
        return out_of_range(ctx, "bigint");
    } else {
      const std::int32_t wrapped = factor > INT32_MAX ? INT32_MIN : static_cast<std::int32_t>(factor);
      v = static_cast<std::int32_t>(static_cast<std::uint32_t>(v) * static_cast<std::uint32_t>(wrapped));
    }
    pattern.before += pattern.shift;
  }
  std::string number = std::to_string(v);
  if (pattern.after > 0) number += "." + std::string(static_cast<std::size_t>(pattern.after), '0');
  return fill_places(ctx, pattern, number, result);
}

// A float is rounded as printf() rounds it, to no more than its significant digits; a zero that was negative keeps its sign.
template <class Float, int significant>
bool float_to_char(EvalContext& ctx, const Value* args, Value* result) {
  NumberPattern pattern;
  if (!parse_pattern(ctx, args[1], &pattern)) return false;
  if (args[1].size == 0) return return_text(ctx, result, "");
  double v = args[0].d;
  if (pattern.roman) {
    const double whole = std::rint(v);
    const bool fits = whole >= 1 && whole <= 3999;
    return return_text(ctx, result, write_number(pattern, roman(fits ? static_cast<std::int64_t>(whole) : 0), 0, 0));
  }
  if (pattern.exponent)
    return std::isfinite(v) ? return_text(ctx, result, printed("% .*e", pattern.after, v)) : fill_exponent_hashes(ctx, pattern, result);
  if (pattern.shifting) {
    v = static_cast<Float>(static_cast<Float>(v) * static_cast<Float>(std::pow(10.0, pattern.shift)));
    pattern.before += pattern.shift;
  }
  const int whole = static_cast<int>(printed("%.*f", 0, std::fabs(v)).size());
  if (whole >= significant) pattern.after = 0;
  else pattern.after = std::min(pattern.after, significant - whole);
  return fill_places(ctx, pattern, printed("%.*f", pattern.after, v), result);
}

bool to_number(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].size == 0) return return_null(result);
  NumberPattern pattern;
  std::string number;
  int scale = 0;
  if (!parse_pattern(ctx, args[1], &pattern)) return false;
  if (!check(ctx, read_number(pattern, args[0].bytes(), &number, &scale))) return false;
  const std::int32_t typmod = numeric_typmod(pattern.before + pattern.shift + scale, scale);
  if (!check(ctx, numeric_from_text(number, typmod, ctx.arena, result))) return false;
  if (!pattern.shifting) return true;
  Numeric factor;
  return check(ctx, power(Numeric::of_int(10), Numeric::of_int(-pattern.shift), &factor)) &&
         check(ctx, store_numeric(multiply(load_numeric(*result), factor), ctx.arena, result));
}

constexpr FunctionBinding kBindings[] = {
    {"timestamp_to_char", timestamp_to_char<false>}, {"timestamptz_to_char", timestamp_to_char<true>},
    {"interval_to_char", interval_to_char}, {"to_date", to_date}, {"to_timestamp", to_timestamp},
    {"int4_to_char", int_to_char<false>}, {"int8_to_char", int_to_char<true>}, {"numeric_to_char", numeric_to_char},
    {"float4_to_char", float_to_char<float, 6>}, {"float8_to_char", float_to_char<double, 15>}, {"numeric_to_number", to_number},
};

}  // namespace

std::span<const FunctionBinding> format_bindings() { return kBindings; }

}  // namespace wandian::sql
