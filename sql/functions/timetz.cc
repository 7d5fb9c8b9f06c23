// time with time zone: its functions and operators.
#include "sql/types/timetz.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

constexpr std::uint64_t kSign64 = 1ull << 63;
constexpr std::uint32_t kSign32 = 1u << 31;

std::int64_t day_part(std::int64_t micros) {
  const std::int64_t out = micros % kDayMicros;
  return out < 0 ? out + kDayMicros : out;
}
bool give(EvalContext& ctx, const TimeTz& time, Value* result) {
  *result = store_timetz(time, ctx.arena);
  return true;
}

template <int sign>
bool add_span(EvalContext& ctx, const Value* args, Value* result) {
  TimeTz time = load_timetz(args[0]);
  time.micros = day_part(time.micros + sign * (load_interval(args[1]).microseconds % kDayMicros));
  return give(ctx, time, result);
}
bool span_plus_time(EvalContext& ctx, const Value* args, Value* result) {
  const Value swapped[] = {args[1], args[0]};
  return add_span<1>(ctx, swapped, result);
}
bool to_time(EvalContext&, const Value* args, Value* result) { return return_int(result, load_timetz(args[0]).micros); }
bool from_time(EvalContext& ctx, const Value* args, Value* result) {
  return give(ctx, {args[0].i, zone_at(zone_of(ctx.format), ctx.transaction_timestamp).offset}, result);
}
bool from_timestamptz(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[0].i)) return return_null(result);
  const std::int32_t offset = zone_at(zone_of(ctx.format), args[0].i).offset;
  return give(ctx, {day_part(args[0].i + offset * kSecondMicros), offset}, result);
}
bool scale(EvalContext& ctx, const Value* args, Value* result) {
  TimeTz time = load_timetz(args[0]);
  time.micros = round_micros(time.micros, static_cast<std::int32_t>(args[1].i));
  return give(ctx, time, result);
}
bool add_date(EvalContext& ctx, const Value& date, const Value& time, Value* result) {
  if (!date_finite(date.i)) return return_int(result, date.i < 0 ? kTimestampMinusInfinity : kTimestampInfinity);
  std::int64_t midnight;
  const TimeTz t = load_timetz(time);
  if (!date_to_timestamp(date.i, &midnight)) return timestamp_out_of_range(ctx);
  const std::int64_t out = midnight + t.micros - t.offset * kSecondMicros;
  return timestamp_in_range(out) ? return_int(result, out) : timestamp_out_of_range(ctx);
}
bool date_and_time(EvalContext& ctx, const Value* args, Value* result) { return add_date(ctx, args[0], args[1], result); }
bool time_and_date(EvalContext& ctx, const Value* args, Value* result) { return add_date(ctx, args[1], args[0], result); }

// timestamptz(date, time): on the session's clock.
bool date_and_local_time(EvalContext& ctx, const Value* args, Value* result) {
  if (!date_finite(args[0].i)) return return_int(result, args[0].i < 0 ? kTimestampMinusInfinity : kTimestampInfinity);
  std::int64_t midnight, out;
  if (!date_to_timestamp(args[0].i, &midnight) || !from_local(zone_of(ctx.format), midnight + args[1].i, &out)) return timestamp_out_of_range(ctx);
  return return_int(result, out);
}

TimeTz moved(const TimeTz& time, std::int32_t offset) { return {day_part(time.micros + (offset - time.offset) * kSecondMicros), offset}; }
bool at_zone(EvalContext& ctx, const Value* args, Value* result) {
  std::int32_t offset;
  if (!check(ctx, zone_offset(args[0].bytes(), ctx.transaction_timestamp, false, &offset))) return false;
  return give(ctx, moved(load_timetz(args[1]), offset), result);
}
bool at_span(EvalContext& ctx, const Value* args, Value* result) {
  const IntervalValue span = load_interval(args[0]);
  if (span.months != 0 || span.days != 0) {
    char text[kIntervalTextBytes];
    const std::string shown(text, write_interval(ctx.format, span, text));
    return ctx.fail({sqlstate::invalid_parameter_value, "interval time zone \"" + shown + "\" must not include months or days"});
  }
  return give(ctx, moved(load_timetz(args[1]), static_cast<std::int32_t>(span.microseconds / kSecondMicros)), result);
}

// date_part() and extract(): the field in µs, or 22023 / 0A000.
bool field(EvalContext& ctx, const Value* args, Int128* value, int* scale_of) {
  const TimeTz time = load_timetz(args[1]);
  std::string name(args[0].bytes());
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  const auto is = [&](std::initializer_list<std::string_view> words) { return std::find(words.begin(), words.end(), name) != words.end(); };
  const std::int64_t seconds = time.micros % kMinuteMicros;
  *scale_of = 0;
  if (is({"timezone"})) *value = time.offset;
  else if (is({"timezone_hour", "timezone_h"})) *value = time.offset / 3600;
  else if (is({"timezone_minute", "timezone_m"})) *value = time.offset / 60 % 60;
  else if (is({"hour", "hours", "h", "hr", "hrs"})) *value = time.micros / kHourMicros;
  else if (is({"minute", "minutes", "m", "min", "mins"})) *value = time.micros / kMinuteMicros % 60;
  else if (is({"second", "seconds", "s", "sec", "secs"})) *value = seconds, *scale_of = 6;
  else if (is({"millisecond", "milliseconds", "ms", "msec", "msecs", "mseconds", "millisecon"})) *value = seconds, *scale_of = 3;
  else if (is({"microsecond", "microseconds", "us", "usec", "usecs", "useconds", "microsecon"})) *value = seconds;
  else if (is({"epoch"})) *value = time.micros - time.offset * kSecondMicros, *scale_of = 6;
  else {
    constexpr std::string_view kKnown[] = {"day", "days", "d", "month", "months", "mon", "mons", "year", "years", "y", "yr", "yrs", "decade", "decades",
                                           "century", "centuries", "millennium", "quarter", "week", "weeks", "dow", "doy", "isodow", "isoyear", "julian"};
    if (std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown))
      return ctx.fail({sqlstate::feature_not_supported, "unit \"" + name + "\" not supported for type time with time zone"});
    return ctx.fail({sqlstate::invalid_parameter_value, "unit \"" + name + "\" not recognized for type time with time zone"});
  }
  return true;
}
bool date_part(EvalContext& ctx, const Value* args, Value* result) {
  Int128 value;
  int digits;
  if (!field(ctx, args, &value, &digits)) return false;
  return return_double(result, static_cast<double>(value) / (digits == 6 ? 1e6 : digits == 3 ? 1e3 : 1.0));
}
bool extract(EvalContext& ctx, const Value* args, Value* result) {
  Int128 value;
  int digits;
  return field(ctx, args, &value, &digits) && check(ctx, store_numeric(Numeric::of_int128(value, digits), ctx.arena, result));
}

// Two periods, each from the earlier of its ends; nulls as the standard has them.
bool overlaps(EvalContext&, const Value* args, Value* result) {
  const auto order = [](const Value& a, const Value& b) { return std::memcmp(a.p, b.p, 16); };
  Value begin[2], end[2];
  for (int i = 0; i < 2; ++i) {
    begin[i] = args[2 * i];
    end[i] = args[2 * i + 1];
    if (begin[i].is_null && end[i].is_null) return return_null(result);
    if (begin[i].is_null || (!end[i].is_null && order(begin[i], end[i]) > 0)) std::swap(begin[i], end[i]);
  }
  const int c = order(begin[0], begin[1]);
  if (c == 0) {
    if (end[0].is_null || end[1].is_null) return return_null(result);
    return return_bool(result, true);
  }
  const int first = c < 0 ? 0 : 1;
  const Value& stop = end[first];
  const Value& other = begin[1 - first];
  if (stop.is_null) return return_null(result);
  if (order(other, stop) < 0) return return_bool(result, true);
  return end[1 - first].is_null ? return_null(result) : return_bool(result, false);
}

constexpr FunctionBinding kBindings[] = {
    {"timetz_pl_interval", add_span<1>}, {"timetz_mi_interval", add_span<-1>}, {"interval_pl_timetz(interval,timetz)", span_plus_time},
    {"timetz_time", to_time}, {"time_timetz", from_time}, {"timestamptz_timetz", from_timestamptz}, {"timetz_scale", scale},
    {"datetimetz_timestamptz", date_and_time}, {"timestamptz(date,time)", date_and_local_time}, {"timetzdate_pl(timetz,date)", time_and_date}, {"timetz_zone", at_zone}, {"timetz_izone", at_span},
    {"timetz_part", date_part}, {"extract_timetz", extract}, {"overlaps_timetz", overlaps},
};

}  // namespace

TimeTz load_timetz(const Value& value) {
  std::uint64_t instant;
  std::uint32_t west;
  std::memcpy(&instant, value.p, 8);
  std::memcpy(&west, value.p + 8, 4);
  TimeTz out;
  out.offset = -static_cast<std::int32_t>(__builtin_bswap32(west) ^ kSign32);
  out.micros = static_cast<std::int64_t>(__builtin_bswap64(instant) ^ kSign64) + out.offset * kSecondMicros;
  return out;
}

Value store_timetz(const TimeTz& time, Arena& arena) {
  const std::uint64_t instant = __builtin_bswap64(static_cast<std::uint64_t>(time.micros - time.offset * kSecondMicros) ^ kSign64);
  const std::uint32_t west = __builtin_bswap32(static_cast<std::uint32_t>(-time.offset) ^ kSign32);
  char* p = static_cast<char*>(arena.allocate(16, 8));
  std::memcpy(p, &instant, 8);
  std::memcpy(p + 8, &west, 4);
  std::memset(p + 12, 0, 4);
  return Value::of_bytes(p, 16);
}

char* write_timetz(const TimeTz& time, char* out) { return write_offset(time.offset, write_time(time.micros, out)); }

std::span<const FunctionBinding> timetz_bindings() { return kBindings; }

}  // namespace wandian::sql
