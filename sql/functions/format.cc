// to_char, to_number, to_date, to_timestamp as SQL functions.
#include "sql/functions/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
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
  input.time.hour = static_cast<std::int32_t>(v.microseconds / kHourMicros);
  input.time.minute = static_cast<std::int32_t>(v.microseconds / kMinuteMicros % 60);
  input.time.second = static_cast<std::int32_t>(v.microseconds / kSecondMicros % 60);
  input.time.micros = static_cast<std::int32_t>(v.microseconds % kSecondMicros);
  return give_time(ctx, args[1], input, result);
}

bool to_date(EvalContext& ctx, const Value* args, Value* result) {
  ParsedTime parsed;
  if (!check(ctx, parse_time_by(args[1].bytes(), args[0].bytes(), &parsed))) return false;
  return return_int(result, days_from_civil(parsed.time.year, parsed.time.month, parsed.time.day));
}
bool to_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  ParsedTime parsed;
  if (!check(ctx, parse_time_by(args[1].bytes(), args[0].bytes(), &parsed))) return false;
  std::int64_t local, utc;
  if (!make_timestamp(parsed.time, &local)) return timestamp_out_of_range(ctx);
  if (parsed.zone_offset) return return_int(result, local - *parsed.zone_offset * kSecondMicros);
  return from_local(zone_of(ctx.format), local, &utc) ? return_int(result, utc) : timestamp_out_of_range(ctx);
}

std::string roman(std::int64_t n, bool lower, bool fill) {
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
  if (lower)
    for (char& c : out) c = static_cast<char>(c + 32);
  return fill && out.size() < 15 ? std::string(15 - out.size(), ' ') + out : out;
}

bool number_to_char(EvalContext& ctx, Numeric n, std::string_view pattern, Value* result) {
  const NumberPattern shape = examine_number_pattern(pattern);
  if (!n.finite()) {
    // The words stand in the places of digits.
    const bool negative = n.kind == Numeric::Kind::kNegativeInfinity;
    return return_text(ctx, result, format_number(pattern, negative, n.kind == Numeric::Kind::kNan ? "NaN" : "Infinity", ""));
  }
  if (shape.roman) {
    round_to(&n, 0);
    Value whole;
    std::int64_t v = 0;
    if (!check(ctx, store_numeric(n, ctx.arena, &whole))) return false;
    if (!numeric_to_int(whole, INT64_MIN, INT64_MAX, "bigint", &v).ok()) v = 0;
    const bool fill = !(pattern.substr(0, 2) == "FM" || pattern.substr(0, 2) == "fm");
    return return_text(ctx, result, roman(v, pattern.find("rn") != std::string_view::npos, fill));
  }
  if (shape.exponent) {
    char text[64];
    Value stored;
    if (!check(ctx, store_numeric(n, ctx.arena, &stored))) return false;
    std::snprintf(text, sizeof text, "% .*e", std::min(shape.after, 30), numeric_to_double(stored));
    return return_text(ctx, result, text);
  }
  if (shape.shift > 0) {
    Numeric factor = Numeric::of_int(1);
    for (int i = 0; i < std::min(shape.shift, 1000); ++i) factor = multiply(factor, Numeric::of_int(10));
    n = multiply(n, factor);
  }
  round_to(&n, shape.after);
  const bool negative = n.sign() < 0;
  const std::string text = numeric_to_string(absolute(n));
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view all = text;
  return return_text(ctx, result,
                     format_number(pattern, negative, all.substr(0, point), point < all.size() ? all.substr(point + 1) : ""));
}
bool numeric_to_char(EvalContext& ctx, const Value* args, Value* result) {
  return number_to_char(ctx, load_numeric(args[0]), args[1].bytes(), result);
}
bool int_to_char(EvalContext& ctx, const Value* args, Value* result) {
  return number_to_char(ctx, Numeric::of_int(args[0].i), args[1].bytes(), result);
}
// A float is rounded as printf() rounds it, to no more than its significant digits; a zero that was negative keeps its sign.
template <int significant>
bool float_to_char(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view pattern = args[1].bytes();
  const NumberPattern shape = examine_number_pattern(pattern);
  if (std::isfinite(args[0].d) && !shape.roman && !shape.exponent && shape.shift == 0) {
    char text[512];
    const int whole = std::snprintf(text, sizeof text, "%.0f", std::fabs(args[0].d));
    std::snprintf(text, sizeof text, "%.*f", std::clamp(significant - whole, 0, std::max(shape.after, 0)), args[0].d);
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const std::size_t point = std::min(digits.find('.'), digits.size());
    return return_text(ctx, result,
                       format_number(pattern, negative, digits.substr(0, point), point < digits.size() ? digits.substr(point + 1) : ""));
  }
  Value n;
  return check(ctx, numeric_from_double(args[0].d, significant, ctx.arena, &n)) &&
         number_to_char(ctx, load_numeric(n), args[1].bytes(), result);
}

// Takes the digits, the point and the sign out of the text; group marks and literal text do not count.
bool to_number(EvalContext& ctx, const Value* args, Value* result) {
  std::string digits;
  bool negative = false;
  bool point = false;
  for (const char c : args[0].bytes()) {
    if (c >= '0' && c <= '9') digits.push_back(c);
    else if (c == '.' && !point) {
      point = true;
      digits.push_back('.');
    } else if (c == '-' || c == '<') {
      negative = true;
    }
  }
  const NumberPattern shape = examine_number_pattern(args[1].bytes());
  const std::size_t at = digits.find('.');
  if (at != std::string::npos) digits.resize(std::min(digits.size(), at + 1 + static_cast<std::size_t>(shape.after)));
  if (digits.empty() || digits == ".")
    return ctx.fail({sqlstate::invalid_text_representation, "invalid input syntax for type numeric: \" \""});
  if (digits.back() == '.') digits.pop_back();
  Numeric n;
  if (!check(ctx, parse_numeric((negative ? "-" : "") + digits, &n))) return false;
  n.dscale = std::max(n.dscale, 0);
  return check(ctx, store_numeric(n, ctx.arena, result));
}

constexpr FunctionBinding kBindings[] = {
    {"timestamp_to_char", timestamp_to_char<false>}, {"timestamptz_to_char", timestamp_to_char<true>},
    {"interval_to_char", interval_to_char}, {"to_date", to_date}, {"to_timestamp", to_timestamp},
    {"int4_to_char", int_to_char}, {"int8_to_char", int_to_char}, {"numeric_to_char", numeric_to_char},
    {"float4_to_char", float_to_char<6>}, {"float8_to_char", float_to_char<15>}, {"numeric_to_number", to_number},
};

}  // namespace

std::span<const FunctionBinding> format_bindings() { return kBindings; }

}  // namespace wandian::sql
