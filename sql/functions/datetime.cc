// Arithmetic on dates, times, timestamps and intervals, and the clock.
#include "sql/types/datetime.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

bool timestamp_out_of_range(EvalContext& ctx) {
  return ctx.fail({sqlstate::datetime_field_overflow, "timestamp out of range"});
}
bool interval_out_of_range(EvalContext& ctx) {
  return ctx.fail({sqlstate::datetime_field_overflow, "interval out of range"});
}
bool date_out_of_range(EvalContext& ctx, const char* message) {
  return ctx.fail({sqlstate::datetime_field_overflow, message});
}

namespace {

bool add_months(std::int64_t micros, std::int32_t months, std::int64_t* out) {
  BrokenTime t;
  break_timestamp(micros, &t);
  const std::int64_t index = static_cast<std::int64_t>(t.year) * 12 + t.month - 1 + months;
  const std::int64_t year = index / 12 - (index % 12 < 0 ? 1 : 0);
  if (year < -4713 || year > 294277) return false;
  t.year = static_cast<std::int32_t>(year);
  t.month = static_cast<std::int32_t>(index - year * 12) + 1;
  t.day = std::min(t.day, days_in_month(t.year, t.month));
  return make_timestamp(t, out);
}

bool add_days(std::int64_t micros, std::int32_t days, std::int64_t* out) {
  std::int64_t step;
  return !__builtin_mul_overflow(std::int64_t{days}, kDayMicros, &step) && !__builtin_add_overflow(micros, step, out) &&
         timestamp_in_range(*out);
}

}  // namespace

bool add_interval(std::int64_t micros, const IntervalValue& span, std::int64_t* out) {
  *out = micros;
  if (!timestamp_finite(micros)) return true;
  if (span.months != 0 && !add_months(*out, span.months, out)) return false;
  if (span.days != 0 && !add_days(*out, span.days, out)) return false;
  return !__builtin_add_overflow(*out, span.microseconds, out) && timestamp_in_range(*out);
}

bool add_interval(const TimeZone& zone, std::int64_t micros, const IntervalValue& span, std::int64_t* out) {
  *out = micros;
  if (!timestamp_finite(micros)) return true;
  // Months and days move the wall clock; hours do not.
  if (span.months != 0 || span.days != 0) {
    std::int64_t local;
    if (!to_local(zone, *out, &local)) return false;
    if (span.months != 0) {
      if (!add_months(local, span.months, &local)) return false;
      if (!from_local(zone, local, out) || !to_local(zone, *out, &local)) return false;
    }
    if (span.days != 0 && (!add_days(local, span.days, &local) || !from_local(zone, local, out))) return false;
  }
  return !__builtin_add_overflow(*out, span.microseconds, out) && timestamp_in_range(*out);
}

bool negate_interval(const IntervalValue& v, IntervalValue* out) {
  return !__builtin_sub_overflow(std::int64_t{0}, v.microseconds, &out->microseconds) &&
         !__builtin_sub_overflow(0, v.days, &out->days) && !__builtin_sub_overflow(0, v.months, &out->months);
}

bool justify_hours(IntervalValue* v) {
  const std::int64_t days = v->microseconds / kDayMicros;
  v->microseconds -= days * kDayMicros;
  if (__builtin_add_overflow(v->days, static_cast<std::int32_t>(days), &v->days)) return false;
  if (v->days > 0 && v->microseconds < 0) {
    v->microseconds += kDayMicros;
    --v->days;
  } else if (v->days < 0 && v->microseconds > 0) {
    v->microseconds -= kDayMicros;
    ++v->days;
  }
  return true;
}

bool justify_days(IntervalValue* v) {
  const std::int32_t months = v->days / 30;
  v->days -= months * 30;
  if (__builtin_add_overflow(v->months, months, &v->months)) return false;
  if (v->months > 0 && v->days < 0) {
    v->days += 30;
    --v->months;
  } else if (v->months < 0 && v->days > 0) {
    v->days -= 30;
    ++v->months;
  }
  return true;
}

bool date_to_timestamp(std::int64_t days, std::int64_t* out) {
  if (days == kDateInfinity) *out = kTimestampInfinity;
  else if (days == kDateMinusInfinity) *out = kTimestampMinusInfinity;
  else if (days >= kEndTimestamp / kDayMicros) return false;
  else *out = days * kDayMicros;
  return true;
}

std::int64_t timestamp_to_date(std::int64_t micros) {
  if (micros == kTimestampInfinity) return kDateInfinity;
  if (micros == kTimestampMinusInfinity) return kDateMinusInfinity;
  return micros / kDayMicros - (micros % kDayMicros < 0 ? 1 : 0);
}

std::int64_t time_of_day(std::int64_t micros) {
  const std::int64_t rest = micros % kDayMicros;
  return rest < 0 ? rest + kDayMicros : rest;
}

namespace {

bool give_interval(EvalContext& ctx, const IntervalValue& v, Value* result) {
  *result = interval_value(v, ctx.arena);
  return true;
}
bool give_timestamp(EvalContext& ctx, bool ok, std::int64_t v, Value* result) {
  return ok ? return_int(result, v) : timestamp_out_of_range(ctx);
}

bool date_plus_days(EvalContext& ctx, const Value* args, std::int64_t sign, Value* result) {
  if (!date_finite(args[0].i)) return return_int(result, args[0].i);
  const std::int64_t v = args[0].i + sign * args[1].i;
  if (v < kMinDate || v >= kEndDate) return date_out_of_range(ctx, "date out of range");
  return return_int(result, v);
}
bool date_pli(EvalContext& ctx, const Value* args, Value* result) { return date_plus_days(ctx, args, 1, result); }
bool date_mii(EvalContext& ctx, const Value* args, Value* result) { return date_plus_days(ctx, args, -1, result); }
bool integer_pl_date(EvalContext& ctx, const Value* args, Value* result) {
  const Value swapped[2] = {args[1], args[0]};
  return date_plus_days(ctx, swapped, 1, result);
}
bool date_mi(EvalContext& ctx, const Value* args, Value* result) {
  if (!date_finite(args[0].i) || !date_finite(args[1].i))
    return date_out_of_range(ctx, "cannot subtract infinite dates");
  return return_int(result, args[0].i - args[1].i);
}

// timestamp + interval and its kin; `kFrom` says what stands on the left.
enum class From : std::uint8_t { kDate, kLocal, kUtc };
template <From from, bool minus, bool swapped>
bool plus_interval(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue span = load_interval(args[swapped ? 0 : 1]);
  if (minus && !negate_interval(span, &span)) return interval_out_of_range(ctx);
  std::int64_t t = args[swapped ? 1 : 0].i;
  if (from == From::kDate && !date_to_timestamp(t, &t))
    return date_out_of_range(ctx, "date out of range for timestamp");
  std::int64_t v;
  const bool ok = from == From::kUtc ? add_interval(zone_of(ctx.format), t, span, &v) : add_interval(t, span, &v);
  return give_timestamp(ctx, ok, v, result);
}

template <bool minus, bool swapped>
bool time_plus_interval(EvalContext&, const Value* args, Value* result) {
  const IntervalValue span = load_interval(args[swapped ? 0 : 1]);
  const std::int64_t step = span.microseconds % kDayMicros;
  return return_int(result, time_of_day(args[swapped ? 1 : 0].i + (minus ? -step : step)));
}
bool time_minus_time(EvalContext& ctx, const Value* args, Value* result) {
  return give_interval(ctx, {args[0].i - args[1].i, 0, 0}, result);
}

bool timestamp_minus(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[0].i) || !timestamp_finite(args[1].i))
    return date_out_of_range(ctx, "cannot subtract infinite timestamps");
  // Wraps around, as PostgreSQL's subtraction does: from the first timestamp to the last are more microseconds than fit.
  IntervalValue v;
  v.microseconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(args[0].i) - static_cast<std::uint64_t>(args[1].i));
  return justify_hours(&v) ? give_interval(ctx, v, result) : interval_out_of_range(ctx);
}

// date + time.
template <bool swapped>
bool date_plus_time(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t days = args[swapped ? 1 : 0].i;
  std::int64_t t;
  if (!date_to_timestamp(days, &t)) return date_out_of_range(ctx, "date out of range for timestamp");
  if (timestamp_finite(t)) t += args[swapped ? 0 : 1].i;
  return give_timestamp(ctx, !timestamp_finite(t) || timestamp_in_range(t), t, result);
}

bool interval_plus(EvalContext& ctx, const Value* args, Value* result) {
  const IntervalValue a = load_interval(args[0]);
  const IntervalValue b = load_interval(args[1]);
  IntervalValue v;
  if (__builtin_add_overflow(a.microseconds, b.microseconds, &v.microseconds) ||
      __builtin_add_overflow(a.days, b.days, &v.days) || __builtin_add_overflow(a.months, b.months, &v.months))
    return interval_out_of_range(ctx);
  return give_interval(ctx, v, result);
}
bool interval_minus(EvalContext& ctx, const Value* args, Value* result) {
  const IntervalValue a = load_interval(args[0]);
  const IntervalValue b = load_interval(args[1]);
  IntervalValue v;
  if (__builtin_sub_overflow(a.microseconds, b.microseconds, &v.microseconds) ||
      __builtin_sub_overflow(a.days, b.days, &v.days) || __builtin_sub_overflow(a.months, b.months, &v.months))
    return interval_out_of_range(ctx);
  return give_interval(ctx, v, result);
}
bool interval_negate(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue v;
  return negate_interval(load_interval(args[0]), &v) ? give_interval(ctx, v, result) : interval_out_of_range(ctx);
}

bool fits_int32(double v) { return v >= -2147483648.0 && v < 2147483648.0; }
std::int32_t wrapping_sum(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
double round_micro(double v) { return std::rint(v * 1e6) / 1e6; }

// Fractions of months become days, fractions of days become time.
}  // namespace

bool scale_interval(const IntervalValue& span, double factor, bool divide, IntervalValue* out) {
  const auto scaled = [&](double v) { return divide ? v / factor : v * factor; };
  const double months = scaled(span.months);
  const double days = scaled(span.days);
  if (std::isnan(months) || std::isnan(days) || !fits_int32(months) || !fits_int32(days)) return false;
  out->months = static_cast<std::int32_t>(months);
  out->days = static_cast<std::int32_t>(days);
  const double rest_days = round_micro((months - out->months) * 30);
  double rest_seconds = round_micro((days - out->days + rest_days - static_cast<std::int32_t>(rest_days)) * 86400);
  if (std::fabs(rest_seconds) >= 86400) {
    out->days = wrapping_sum(out->days, static_cast<std::int32_t>(rest_seconds / 86400));
    rest_seconds -= static_cast<std::int32_t>(rest_seconds / 86400) * 86400;
  }
  out->days = wrapping_sum(out->days, static_cast<std::int32_t>(rest_days));
  const double micros = std::rint(scaled(static_cast<double>(span.microseconds)) + rest_seconds * 1e6);
  if (std::isnan(micros) || micros < -9223372036854775808.0 || micros >= 9223372036854775808.0) return false;
  out->microseconds = static_cast<std::int64_t>(micros);
  return true;
}

namespace {

template <bool swapped>
bool interval_times(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue v;
  if (!scale_interval(load_interval(args[swapped ? 1 : 0]), args[swapped ? 0 : 1].d, false, &v))
    return interval_out_of_range(ctx);
  return give_interval(ctx, v, result);
}
bool interval_divide(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].d == 0) return division_by_zero(ctx);
  IntervalValue v;
  if (!scale_interval(load_interval(args[0]), args[1].d, true, &v)) return interval_out_of_range(ctx);
  return give_interval(ctx, v, result);
}

template <bool (*first)(IntervalValue*), bool (*second)(IntervalValue*)>
bool justify(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue v = load_interval(args[0]);
  if (!first(&v) || !second(&v)) return interval_out_of_range(ctx);
  return give_interval(ctx, v, result);
}
bool nothing(IntervalValue*) { return true; }
// Both, with one sign for all three fields in the end.
bool justify_both(IntervalValue* v) {
  if (!justify_hours(v) || !justify_days(v)) return false;
  if (v->months > 0 && (v->days < 0 || (v->days == 0 && v->microseconds < 0))) {
    v->days += 30;
    --v->months;
  } else if (v->months < 0 && (v->days > 0 || (v->days == 0 && v->microseconds > 0))) {
    v->days -= 30;
    ++v->months;
  }
  if (v->days > 0 && v->microseconds < 0) {
    v->microseconds += kDayMicros;
    --v->days;
  } else if (v->days < 0 && v->microseconds > 0) {
    v->microseconds -= kDayMicros;
    ++v->days;
  }
  return true;
}

bool now(EvalContext& ctx, const Value*, Value* result) { return return_int(result, ctx.transaction_timestamp); }
bool statement_timestamp(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, ctx.statement_timestamp);
}
bool clock_timestamp(EvalContext& ctx, const Value*, Value* result) {
  return return_int(result, ctx.session != nullptr ? ctx.session->clock_timestamp() : ctx.statement_timestamp);
}
bool time_of_day_text(EvalContext& ctx, const Value* args, Value* result) {
  Value t;
  clock_timestamp(ctx, args, &t);
  const TimeZone::LocalType& zone = zone_at(zone_of(ctx.format), t.i);
  BrokenTime b;
  break_timestamp(t.i + zone.offset * kSecondMicros, &b);
  char text[96];
  const int n = std::snprintf(text, sizeof text, "%.3s %.3s %02d %02d:%02d:%02d.%06d %04d %s",
                              kWeekdayNames[weekday_of(days_from_civil(b.year, b.month, b.day))], kMonthNames[b.month - 1],
                              b.day, b.hour, b.minute, b.second, b.micros, b.year, zone.abbreviation.c_str());
  return return_text(ctx, result, {text, std::min(sizeof text - 1, static_cast<std::size_t>(n))});
}

bool date_is_finite(EvalContext&, const Value* args, Value* result) { return return_bool(result, date_finite(args[0].i)); }
bool timestamp_is_finite(EvalContext&, const Value* args, Value* result) {
  return return_bool(result, timestamp_finite(args[0].i));
}
bool interval_is_finite(EvalContext&, const Value*, Value* result) { return return_bool(result, true); }

// timezone(zone, t): a timestamp becomes an instant, an instant becomes what the clock there shows.
template <bool local>
bool at_zone(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[1].i)) return return_int(result, args[1].i);
  std::int32_t east;
  if (!check(ctx, zone_offset(args[0].bytes(), args[1].i, local, &east))) return false;
  const std::int64_t v = args[1].i + (local ? -east : east) * kSecondMicros;
  return give_timestamp(ctx, timestamp_in_range(v), v, result);
}
template <bool local>
bool at_interval_zone(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[1].i)) return return_int(result, args[1].i);
  const IntervalValue zone = load_interval(args[0]);
  if (zone.months != 0 || zone.days != 0) {
    char text[kIntervalTextBytes];
    const std::string shown(text, write_interval(ctx.format, zone, text));
    return ctx.fail({sqlstate::invalid_parameter_value, "interval time zone \"" + shown + "\" must not include months or days"});
  }
  const std::int64_t v = args[1].i + (local ? -zone.microseconds : zone.microseconds) / kSecondMicros * kSecondMicros;
  return give_timestamp(ctx, timestamp_in_range(v), v, result);
}

// Casts.
bool date_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  return date_to_timestamp(args[0].i, &v) ? return_int(result, v) : date_out_of_range(ctx, "date out of range for timestamp");
}
bool date_timestamptz(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  if (!date_to_timestamp(args[0].i, &v)) return date_out_of_range(ctx, "date out of range for timestamp");
  const bool ok = from_local(zone_of(ctx.format), v, &v);
  return give_timestamp(ctx, ok, v, result);
}
bool timestamp_date(EvalContext&, const Value* args, Value* result) {
  return return_int(result, timestamp_to_date(args[0].i));
}
bool timestamptz_date(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t local;
  if (!to_local(zone_of(ctx.format), args[0].i, &local)) return timestamp_out_of_range(ctx);
  return return_int(result, timestamp_to_date(local));
}
bool timestamp_time(EvalContext&, const Value* args, Value* result) {
  if (!timestamp_finite(args[0].i)) return return_null(result);
  return return_int(result, time_of_day(args[0].i));
}
bool timestamptz_time(EvalContext& ctx, const Value* args, Value* result) {
  if (!timestamp_finite(args[0].i)) return return_null(result);
  std::int64_t local;
  if (!to_local(zone_of(ctx.format), args[0].i, &local)) return timestamp_out_of_range(ctx);
  return return_int(result, time_of_day(local));
}
bool timestamptz_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool ok = to_local(zone_of(ctx.format), args[0].i, &v);
  return give_timestamp(ctx, ok, v, result);
}
bool timestamp_timestamptz(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool ok = from_local(zone_of(ctx.format), args[0].i, &v);
  return give_timestamp(ctx, ok, v, result);
}
bool time_interval(EvalContext& ctx, const Value* args, Value* result) {
  return give_interval(ctx, {args[0].i, 0, 0}, result);
}
bool interval_time(EvalContext&, const Value* args, Value* result) {
  return return_int(result, time_of_day(load_interval(args[0]).microseconds));
}
bool micros_scale(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t v = round_micros(args[0].i, static_cast<std::int32_t>(args[1].i));
  return give_timestamp(ctx, !timestamp_finite(v) || timestamp_in_range(v), v, result);
}
bool time_scale(EvalContext&, const Value* args, Value* result) {
  return return_int(result, round_micros(args[0].i, static_cast<std::int32_t>(args[1].i)));
}
bool interval_scale(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue v = load_interval(args[0]);
  return check(ctx, apply_interval_typmod(static_cast<std::int32_t>(args[1].i), &v)) && give_interval(ctx, v, result);
}
bool to_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  const double seconds = args[0].d;
  if (std::isnan(seconds)) return date_out_of_range(ctx, "timestamp cannot be NaN");
  if (std::isinf(seconds)) return return_int(result, seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity);
  const double micros = std::rint((seconds - 86400.0 * kEpochDays) * 1e6);
  if (!(std::fabs(micros) < 9.2233720368547e18) || !timestamp_in_range(static_cast<std::int64_t>(micros))) {
    char text[64];
    std::snprintf(text, sizeof text, "timestamp out of range: \"%g\"", seconds);
    return date_out_of_range(ctx, text);
  }
  return return_int(result, static_cast<std::int64_t>(micros));
}

constexpr FunctionBinding kBindings[] = {
    {"date_pli", date_pli}, {"date_mii", date_mii}, {"date_mi", date_mi}, {"integer_pl_date(int4,date)", integer_pl_date},
    {"date_pl_interval", plus_interval<From::kDate, false, false>},
    {"date_mi_interval", plus_interval<From::kDate, true, false>},
    {"interval_pl_date(interval,date)", plus_interval<From::kDate, false, true>},
    {"timestamp_pl_interval", plus_interval<From::kLocal, false, false>},
    {"timestamp_mi_interval", plus_interval<From::kLocal, true, false>},
    {"interval_pl_timestamp(interval,timestamp)", plus_interval<From::kLocal, false, true>},
    {"timestamptz_pl_interval", plus_interval<From::kUtc, false, false>},
    {"timestamptz_mi_interval", plus_interval<From::kUtc, true, false>},
    {"interval_pl_timestamptz(interval,timestamptz)", plus_interval<From::kUtc, false, true>},
    {"time_pl_interval", time_plus_interval<false, false>}, {"time_mi_interval", time_plus_interval<true, false>},
    {"interval_pl_time(interval,time)", time_plus_interval<false, true>},
    {"time_mi_time", time_minus_time}, {"timestamp_mi", timestamp_minus},
    {"datetime_timestamp", date_plus_time<false>}, {"timedate_pl(time,date)", date_plus_time<true>},
    {"interval_pl", interval_plus}, {"interval_mi", interval_minus}, {"interval_um", interval_negate},
    {"interval_mul", interval_times<false>}, {"mul_d_interval", interval_times<true>}, {"interval_div", interval_divide},
    {"interval_justify_hours", justify<justify_hours, nothing>}, {"interval_justify_days", justify<justify_days, nothing>},
    {"interval_justify_interval", justify<justify_both, nothing>},
    {"now", now}, {"statement_timestamp", statement_timestamp}, {"clock_timestamp", clock_timestamp},
    {"timeofday", time_of_day_text},
    {"date_finite", date_is_finite}, {"timestamp_finite", timestamp_is_finite}, {"interval_finite", interval_is_finite},
    {"timestamp_zone", at_zone<true>}, {"timestamptz_zone", at_zone<false>},
    {"timestamp_izone", at_interval_zone<true>}, {"timestamptz_izone", at_interval_zone<false>},
    {"date_timestamp", date_timestamp}, {"date_timestamptz", date_timestamptz}, {"timestamp_date", timestamp_date},
    {"timestamptz_date", timestamptz_date}, {"timestamp_time", timestamp_time}, {"timestamptz_time", timestamptz_time},
    {"timestamptz_timestamp", timestamptz_timestamp}, {"timestamp_timestamptz", timestamp_timestamptz},
    {"time_interval", time_interval}, {"interval_time", interval_time},
    {"timestamp_scale", micros_scale}, {"timestamptz_scale", micros_scale}, {"time_scale", time_scale},
    {"interval_scale", interval_scale}, {"float8_timestamptz", to_timestamp},
};

}  // namespace

std::span<const FunctionBinding> datetime_bindings() { return kBindings; }

}  // namespace wandian::sql
