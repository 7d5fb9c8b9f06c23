// Fields of dates and times: extract, date_part, date_trunc, date_bin, age, make_*.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/types/datetime.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

void iso_week(std::int32_t days, std::int32_t* year, std::int32_t* week) {
  // The week belongs to the year of its Thursday.
  const std::int32_t monday_based = (weekday_of(days) + 6) % 7;
  const std::int32_t thursday = days - monday_based + 3;
  std::int32_t month, day;
  civil_from_days(thursday, year, &month, &day);
  *week = (thursday - days_from_civil(*year, 1, 1)) / 7 + 1;
}

namespace {

enum class Field : std::uint8_t {
  kMicroseconds, kMilliseconds, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear, kDecade, kCentury,
  kMillennium, kJulian, kIsoYear, kDow, kIsoDow, kDoy, kEpoch, kTimezone, kTimezoneHour, kTimezoneMinute, kNone
};
struct FieldName {
  std::string_view name;
  Field field;
};
constexpr FieldName kFieldNames[] = {
    {"microseconds", Field::kMicroseconds}, {"microsecond", Field::kMicroseconds}, {"us", Field::kMicroseconds},
    {"usec", Field::kMicroseconds}, {"usecs", Field::kMicroseconds},
    {"milliseconds", Field::kMilliseconds}, {"millisecond", Field::kMilliseconds}, {"ms", Field::kMilliseconds},
    {"msec", Field::kMilliseconds}, {"msecs", Field::kMilliseconds},
    {"second", Field::kSecond}, {"seconds", Field::kSecond}, {"sec", Field::kSecond}, {"secs", Field::kSecond},
    {"s", Field::kSecond},
    {"minute", Field::kMinute}, {"minutes", Field::kMinute}, {"min", Field::kMinute}, {"mins", Field::kMinute},
    {"m", Field::kMinute},
    {"hour", Field::kHour}, {"hours", Field::kHour}, {"hr", Field::kHour}, {"hrs", Field::kHour}, {"h", Field::kHour},
    {"day", Field::kDay}, {"days", Field::kDay}, {"d", Field::kDay},
    {"week", Field::kWeek}, {"weeks", Field::kWeek}, {"w", Field::kWeek},
    {"month", Field::kMonth}, {"months", Field::kMonth}, {"mon", Field::kMonth}, {"mons", Field::kMonth},
    {"quarter", Field::kQuarter}, {"qtr", Field::kQuarter},
    {"year", Field::kYear}, {"years", Field::kYear}, {"y", Field::kYear}, {"yr", Field::kYear}, {"yrs", Field::kYear},
    {"decade", Field::kDecade}, {"decades", Field::kDecade}, {"dec", Field::kDecade}, {"decs", Field::kDecade},
    {"century", Field::kCentury}, {"centuries", Field::kCentury}, {"cent", Field::kCentury}, {"c", Field::kCentury},
    {"millennium", Field::kMillennium}, {"millennia", Field::kMillennium}, {"mil", Field::kMillennium},
    {"mils", Field::kMillennium},
    {"julian", Field::kJulian}, {"jd", Field::kJulian}, {"isoyear", Field::kIsoYear}, {"dow", Field::kDow},
    {"isodow", Field::kIsoDow}, {"doy", Field::kDoy}, {"epoch", Field::kEpoch}, {"timezone", Field::kTimezone},
    {"timezone_h", Field::kTimezoneHour}, {"timezone_hour", Field::kTimezoneHour},
    {"timezone_m", Field::kTimezoneMinute}, {"timezone_minute", Field::kTimezoneMinute},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

Field find_field(std::string_view name) {
  const std::string wanted = lower(name);
  for (const FieldName& f : kFieldNames)
    if (f.name == wanted) return f.field;
  return Field::kNone;
}

bool unknown_unit(EvalContext& ctx, std::string_view name, Field field, std::string_view type) {
  const std::string unit = "unit \"" + lower(name) + "\" not ";
  if (field == Field::kNone)
    return ctx.fail({sqlstate::invalid_parameter_value, unit + "recognized for type " + std::string(type)});
  return ctx.fail({sqlstate::feature_not_supported, unit + "supported for type " + std::string(type)});
}

// date_trunc knows the units of time alone; the rest are fields to it that it has never heard of.
Field unit_of_time(std::string_view name) {
  const Field field = find_field(name);
  return field >= Field::kJulian && field < Field::kTimezone ? Field::kNone : field;
}

// A field's value: scaled / 10^digits, or infinite, or null.
struct Part {
  Int128 scaled = 0;
  int digits = 0;
  int infinite = 0;   // sign
  bool is_null = false;
  bool has_exact = false;   // exact stands instead of scaled
  Numeric exact = {};
};

constexpr std::string_view kDateName = "date", kTimeName = "time without time zone",
                           kTimestampName = "timestamp without time zone",
                           kTimestamptzName = "timestamp with time zone", kIntervalName = "interval";

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The century and millennium that a year lies in: there is no year 0, the first begins with year 1.
std::int64_t century(std::int64_t year) { return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100); }
std::int64_t millennium(std::int64_t year) { return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000); }

bool clock_part(Field field, const BrokenTime& t, Part* out) {
  switch (field) {
    case Field::kMicroseconds: *out = {t.second * kSecondMicros + t.micros}; return true;
    case Field::kMilliseconds: *out = {t.second * kSecondMicros + t.micros, 3}; return true;
    case Field::kSecond: *out = {t.second * kSecondMicros + t.micros, 6}; return true;
    case Field::kMinute: *out = {t.minute}; return true;
    case Field::kHour: *out = {t.hour}; return true;
    default: return false;
  }
}

bool calendar_part(Field field, const BrokenTime& t, Part* out) {
  const std::int32_t days = days_from_civil(t.year, t.month, t.day);
  std::int32_t iso_year, week;
  switch (field) {
    case Field::kDay: *out = {t.day}; return true;
    case Field::kMonth: *out = {t.month}; return true;
    case Field::kQuarter: *out = {(t.month - 1) / 3 + 1}; return true;
    case Field::kWeek:
      iso_week(days, &iso_year, &week);
      *out = {week};
      return true;
    case Field::kIsoYear:
      iso_week(days, &iso_year, &week);
      *out = {iso_year > 0 ? iso_year : iso_year - 1};
      return true;
    case Field::kYear: *out = {t.year > 0 ? t.year : t.year - 1}; return true;
    case Field::kDecade: *out = {floor_divide(t.year, 10)}; return true;
    case Field::kCentury: *out = {century(t.year)}; return true;
    case Field::kMillennium: *out = {millennium(t.year)}; return true;
    case Field::kDow: *out = {weekday_of(days)}; return true;
    case Field::kIsoDow: *out = {weekday_of(days) == 0 ? 7 : weekday_of(days)}; return true;
    case Field::kDoy: *out = {days - days_from_civil(t.year, 1, 1) + 1}; return true;
    default: return false;
  }
}

bool zone_part(Field field, std::int32_t offset, Part* out) {
  switch (field) {
    case Field::kTimezone: *out = {offset}; return true;
    case Field::kTimezoneHour: *out = {offset / 3600}; return true;
    case Field::kTimezoneMinute: *out = {offset % 3600 / 60}; return true;
    default: return false;
  }
}

// Fields that grow with time are infinite for an infinite value; the others are null.
bool infinite_part(Field field, bool positive, Part* out) {
  switch (field) {
    case Field::kYear: case Field::kDecade: case Field::kCentury: case Field::kMillennium: case Field::kJulian:
    case Field::kIsoYear: case Field::kEpoch:
      out->infinite = positive ? 1 : -1;
      return true;
    case Field::kNone: return false;
    default: out->is_null = true; return true;
  }
}

bool timestamp_field(EvalContext& ctx, std::string_view name, std::int64_t value, bool with_zone, bool is_date, Part* out) {
  const Field field = find_field(name);
  const std::string_view type = is_date ? kDateName : with_zone ? kTimestamptzName : kTimestampName;
  const bool clock = field <= Field::kHour;
  if (is_date && (clock || field >= Field::kTimezone)) return unknown_unit(ctx, name, field, type);
  if (!timestamp_finite(value))
    return infinite_part(field, value > 0, out) || unknown_unit(ctx, name, field, type);
  if (!with_zone && field >= Field::kTimezone) return unknown_unit(ctx, name, field, type);
  std::int32_t offset = 0;
  if (with_zone) offset = zone_at(zone_of(ctx.format), value).offset;
  const std::int64_t local = value + offset * kSecondMicros;
  if (field == Field::kEpoch) {
    *out = {static_cast<Int128>(value) + static_cast<Int128>(kEpochDays) * kDayMicros, 6};
    if (is_date) *out = {value / kSecondMicros + kEpochDays * 86400ll};
    if (out->scaled > std::numeric_limits<std::int64_t>::max()) {
      // Beyond 64 bits PostgreSQL divides, with fewer digits than there are.
      const Numeric micros = Numeric::of_int128(out->scaled, 0), second = Numeric::of_int(kSecondMicros);
      out->has_exact = true;
      out->exact = divide(micros, second, division_scale(micros, second), true);
      round_to(&out->exact, 6);
    }
    return true;
  }
  BrokenTime t;
  break_timestamp(local, &t);
  if (field == Field::kJulian) {
    const std::int64_t day = timestamp_to_date(local) + kJulianDays;
    if (is_date) {
      *out = {day};
      return true;
    }
    // The fraction of the day, as PostgreSQL's numeric division shows it.
    const Numeric clock = Numeric::of_int(time_of_day(local));
    const Numeric whole_day = Numeric::of_int(kDayMicros);
    out->has_exact = true;
    out->exact = add(Numeric::of_int(day), divide(clock, whole_day, division_scale(clock, whole_day), true));
    return true;
  }
  return clock_part(field, t, out) || calendar_part(field, t, out) || zone_part(field, offset, out) ||
         unknown_unit(ctx, name, field, type);
}

// A date behind the last timestamp.
bool late_date_field(EvalContext& ctx, std::string_view name, std::int32_t days, Part* out) {
  const Field field = find_field(name);
  if (field <= Field::kHour || field >= Field::kTimezone) return unknown_unit(ctx, name, field, kDateName);
  BrokenTime t;
  civil_from_days(days, &t.year, &t.month, &t.day);
  if (field == Field::kEpoch) *out = {(std::int64_t{days} + kEpochDays) * 86400};
  else if (field == Field::kJulian) *out = {std::int64_t{days} + kJulianDays};
  else return calendar_part(field, t, out) || unknown_unit(ctx, name, field, kDateName);
  return true;
}

bool interval_field(EvalContext& ctx, std::string_view name, const IntervalValue& v, Part* out) {
  const Field field = find_field(name);
  BrokenTime t;
  t.hour = 0;
  t.minute = static_cast<std::int32_t>(v.microseconds / kMinuteMicros % 60);
  t.second = static_cast<std::int32_t>(v.microseconds / kSecondMicros % 60);
  t.micros = static_cast<std::int32_t>(v.microseconds % kSecondMicros);
  const std::int64_t years = v.months / 12;
  switch (field) {
    case Field::kHour: *out = {v.microseconds / kHourMicros}; return true;
    case Field::kDay: *out = {v.days}; return true;
    case Field::kMonth: *out = {v.months % 12}; return true;
    case Field::kQuarter: *out = {v.months % 12 / 3 + 1}; return true;
    case Field::kYear: *out = {years}; return true;
    case Field::kDecade: *out = {years / 10}; return true;
    case Field::kCentury: *out = {years / 100}; return true;
    case Field::kMillennium: *out = {years / 1000}; return true;
    case Field::kEpoch: {
      // A year is 365.25 days here, a month 30.
      const Int128 quarter_days = (static_cast<Int128>(1461) * years + static_cast<Int128>(120) * (v.months % 12) +
                                   static_cast<Int128>(4) * v.days);
      *out = {quarter_days * (kDayMicros / 4) + v.microseconds, 6};
      return true;
    }
    default: break;
  }
  return clock_part(field, t, out) || unknown_unit(ctx, name, field, kIntervalName);
}

bool time_field(EvalContext& ctx, std::string_view name, std::int64_t micros, Part* out) {
  const Field field = find_field(name);
  BrokenTime t;
  t.hour = static_cast<std::int32_t>(micros / kHourMicros);
  t.minute = static_cast<std::int32_t>(micros / kMinuteMicros % 60);
  t.second = static_cast<std::int32_t>(micros / kSecondMicros % 60);
  t.micros = static_cast<std::int32_t>(micros % kSecondMicros);
  if (field == Field::kEpoch) {
    *out = {micros, 6};
    return true;
  }
  return clock_part(field, t, out) || unknown_unit(ctx, name, field, kTimeName);
}

bool give(EvalContext& ctx, const Part& part, bool as_numeric, Value* result) {
  if (part.is_null) return return_null(result);
  if (part.has_exact) {
    if (!check(ctx, store_numeric(part.exact, ctx.arena, result))) return false;
    return as_numeric || return_double(result, numeric_to_double(*result));
  }
  if (as_numeric) {
    const Numeric n = part.infinite == 0 ? Numeric::of_int128(part.scaled, part.digits)
                                         : Numeric::of_kind(part.infinite > 0 ? Numeric::Kind::kPositiveInfinity
                                                                              : Numeric::Kind::kNegativeInfinity);
    return check(ctx, store_numeric(n, ctx.arena, result));
  }
  if (part.infinite != 0) return return_double(result, part.infinite * std::numeric_limits<double>::infinity());
  return return_double(result, static_cast<double>(part.scaled) / std::pow(10.0, part.digits));
}

enum class Kind : std::uint8_t { kDate, kTime, kLocal, kUtc, kInterval };
template <Kind kind, bool as_numeric>
bool extract(EvalContext& ctx, const Value* args, Value* result) {
  Part part;
  const std::string_view name = args[0].bytes();
  bool ok;
  if constexpr (kind == Kind::kInterval) {
    if (!as_numeric && find_field(name) == Field::kEpoch) {   // in floating point, as PostgreSQL adds it up
      const IntervalValue v = load_interval(args[1]);
      double seconds = static_cast<double>(v.microseconds) / 1e6;
      seconds += 365.25 * 86400 * (v.months / 12);
      seconds += 30.0 * 86400 * (v.months % 12);
      seconds += 86400.0 * v.days;
      return return_double(result, seconds);
    }
    ok = interval_field(ctx, name, load_interval(args[1]), &part);
  } else if constexpr (kind == Kind::kTime) {
    ok = time_field(ctx, name, args[1].i, &part);
  } else if constexpr (kind == Kind::kDate) {
    // date_part goes by the timestamp at midnight, extract by the date itself.
    std::int64_t t = 0;
    if (!date_to_timestamp(args[1].i, &t)) {
      if (!as_numeric) return date_out_of_range(ctx, "date out of range for timestamp");
      return late_date_field(ctx, name, static_cast<std::int32_t>(args[1].i), &part) && give(ctx, part, as_numeric, result);
    }
    ok = timestamp_field(ctx, name, t, false, as_numeric, &part);
  } else {
    ok = timestamp_field(ctx, name, args[1].i, kind == Kind::kUtc, false, &part);
  }
  return ok && give(ctx, part, as_numeric, result);
}

// Cuts a broken-down time to a field. False: the field does not cut.
bool cut(Field field, BrokenTime* t) {
  const auto clear_clock = [t] { t->hour = t->minute = t->second = t->micros = 0; };
  const auto clear_date = [t, &clear_clock](std::int32_t year) {
    t->year = year;
    t->month = t->day = 1;
    clear_clock();
  };
  switch (field) {
    case Field::kMicroseconds: return true;
    case Field::kMilliseconds: t->micros = t->micros / 1000 * 1000; return true;
    case Field::kSecond: t->micros = 0; return true;
    case Field::kMinute: t->second = t->micros = 0; return true;
    case Field::kHour: t->minute = t->second = t->micros = 0; return true;
    case Field::kDay: clear_clock(); return true;
    case Field::kWeek: {
      const std::int32_t days = days_from_civil(t->year, t->month, t->day);
      civil_from_days(days - (weekday_of(days) + 6) % 7, &t->year, &t->month, &t->day);
      clear_clock();
      return true;
    }
    case Field::kMonth: t->day = 1; clear_clock(); return true;
    case Field::kQuarter:
      t->month = (t->month - 1) / 3 * 3 + 1;
      t->day = 1;
      clear_clock();
      return true;
    case Field::kYear: clear_date(t->year); return true;
    case Field::kDecade: clear_date(static_cast<std::int32_t>(floor_divide(t->year, 10) * 10)); return true;
    case Field::kCentury: clear_date(static_cast<std::int32_t>(floor_divide(t->year - 1, 100) * 100 + 1)); return true;
    case Field::kMillennium: clear_date(static_cast<std::int32_t>(floor_divide(t->year - 1, 1000) * 1000 + 1)); return true;
    default: return false;
  }
}

bool truncate(EvalContext& ctx, const Value* args, bool with_zone, const TimeZone& zone, Value* result) {
  const Field field = unit_of_time(args[0].bytes());
  const std::string_view type = with_zone ? kTimestamptzName : kTimestampName;
  BrokenTime t;
  if (!timestamp_finite(args[1].i)) return return_int(result, args[1].i);
  const std::int32_t offset = with_zone ? zone_at(zone, args[1].i).offset : 0;
  break_timestamp(args[1].i + offset * kSecondMicros, &t);
  if (!cut(field, &t)) return unknown_unit(ctx, args[0].bytes(), field, type);
  std::int64_t v;
  if (!make_timestamp(t, &v)) return timestamp_out_of_range(ctx);
  if (with_zone) {
    // From the day on, the zone's offset is the one of the new time; below, the old one stays.
    if (field >= Field::kDay) {
      if (!from_local(zone, v, &v)) return timestamp_out_of_range(ctx);
    } else {
      v -= offset * kSecondMicros;
    }
  }
  return return_int(result, v);
}
template <bool with_zone>
bool date_trunc(EvalContext& ctx, const Value* args, Value* result) {
  return truncate(ctx, args, with_zone, zone_of(ctx.format), result);
}
bool date_trunc_zone(EvalContext& ctx, const Value* args, Value* result) {
  // An abbreviation is an offset, even where a zone is called like it (CET).
  std::int32_t east;
  bool daylight;
  const TimeZone* zone = find_time_zone_abbreviation(args[2].bytes(), &east, &daylight) ? nullptr : find_time_zone(args[2].bytes());
  if (zone == nullptr) {
    if (!check(ctx, zone_offset(args[2].bytes(), args[1].i, false, &east))) return false;
    zone = fixed_time_zone(east);
  }
  return truncate(ctx, args, true, *zone, result);
}
bool interval_trunc(EvalContext& ctx, const Value* args, Value* result) {
  const Field field = unit_of_time(args[0].bytes());
  IntervalValue v = load_interval(args[1]);
  const auto keep_months = [&v](std::int32_t unit) {
    v.months = v.months / unit * unit;
    v.days = 0;
    v.microseconds = 0;
  };
  switch (field) {
    case Field::kMicroseconds: break;
    case Field::kMilliseconds: v.microseconds = v.microseconds / 1000 * 1000; break;
    case Field::kSecond: v.microseconds = v.microseconds / kSecondMicros * kSecondMicros; break;
    case Field::kMinute: v.microseconds = v.microseconds / kMinuteMicros * kMinuteMicros; break;
    case Field::kHour: v.microseconds = v.microseconds / kHourMicros * kHourMicros; break;
    case Field::kDay: v.microseconds = 0; break;
    case Field::kMonth: keep_months(1); break;
    case Field::kQuarter: keep_months(3); break;
    case Field::kYear: keep_months(12); break;
    case Field::kDecade: keep_months(120); break;
    case Field::kCentury: keep_months(1200); break;
    case Field::kMillennium: keep_months(12000); break;
    case Field::kWeek:
      return ctx.fail(Status{sqlstate::feature_not_supported, "unit \"" + lower(args[0].bytes()) + "\" not supported for type interval"}
                          .with_detail("Months usually have fractional weeks."));
    default: return unknown_unit(ctx, args[0].bytes(), field, kIntervalName);
  }
  *result = interval_value(v, ctx.arena);
  return true;
}

// date_bin(stride, t, origin).
bool date_bin(EvalContext& ctx, const Value* args, Value* result) {
  const IntervalValue stride = load_interval(args[0]);
  if (!timestamp_finite(args[1].i)) return return_int(result, args[1].i);
  if (!timestamp_finite(args[2].i)) return date_out_of_range(ctx, "origin out of range");
  if (stride.months != 0)
    return ctx.fail({sqlstate::feature_not_supported, "timestamps cannot be binned into intervals containing months or years"});
  std::int64_t width;
  if (__builtin_mul_overflow(static_cast<std::int64_t>(stride.days), kDayMicros, &width) ||
      __builtin_add_overflow(width, stride.microseconds, &width))
    return interval_out_of_range(ctx);
  if (width <= 0) return date_out_of_range(ctx, "stride must be greater than zero");
  std::int64_t distance;
  if (__builtin_sub_overflow(args[1].i, args[2].i, &distance)) return interval_out_of_range(ctx);
  // The bin's begin may be out of the range of 64 bits where `t` is not.
  const Int128 v = Int128{args[2].i} + Int128{floor_divide(distance, width)} * width;
  const bool fits = v >= INT64_MIN && v <= INT64_MAX && timestamp_in_range(static_cast<std::int64_t>(v));
  return fits ? return_int(result, static_cast<std::int64_t>(v)) : timestamp_out_of_range(ctx);
}

// age(a, b): years, months and days as a calendar counts them.
bool age_between(EvalContext& ctx, std::int64_t a, std::int64_t b, Value* result) {
  // PostgreSQL counts from infinity, too, as the instant that it is held as; the other one is out of its calendar.
  if (a == kTimestampMinusInfinity || b == kTimestampMinusInfinity) return timestamp_out_of_range(ctx);
  const bool flipped = a < b;
  BrokenTime later, earlier;
  break_timestamp(flipped ? b : a, &later);
  break_timestamp(flipped ? a : b, &earlier);
  std::int64_t micros = (((later.hour - earlier.hour) * 60ll + later.minute - earlier.minute) * 60 + later.second -
                         earlier.second) * kSecondMicros + later.micros - earlier.micros;
  std::int32_t days = later.day - earlier.day;
  std::int32_t months = (later.year - earlier.year) * 12 + later.month - earlier.month;
  if (micros < 0) {
    micros += kDayMicros;
    --days;
  }
  while (days < 0) {   // borrowed from the month that the count starts in
    days += days_in_month(earlier.year, earlier.month);
    --months;
  }
  const std::int32_t sign = flipped ? -1 : 1;
  *result = interval_value({micros * sign, days * sign, months * sign}, ctx.arena);
  return true;
}
bool timestamp_age(EvalContext& ctx, const Value* args, Value* result) {
  return age_between(ctx, args[0].i, args[1].i, result);
}
bool timestamptz_age(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t a, b;
  if (!to_local(zone_of(ctx.format), args[0].i, &a) || !to_local(zone_of(ctx.format), args[1].i, &b))
    return timestamp_out_of_range(ctx);
  return age_between(ctx, a, b, result);
}
std::int64_t today(EvalContext& ctx) {
  std::int64_t local = 0;
  to_local(zone_of(ctx.format), ctx.transaction_timestamp, &local);
  return timestamp_to_date(local) * kDayMicros;
}
bool age_of_timestamp(EvalContext& ctx, const Value* args, Value* result) {
  return age_between(ctx, today(ctx), args[0].i, result);
}
bool age_of_timestamptz(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t local;
  if (!to_local(zone_of(ctx.format), args[0].i, &local)) return timestamp_out_of_range(ctx);
  return age_between(ctx, today(ctx), local, result);
}

bool bad_date(EvalContext& ctx, std::int64_t y, std::int64_t m, std::int64_t d, const char* what = "date field value out of range") {
  char text[96];
  std::snprintf(text, sizeof text, "%s: %d-%02d-%02d", what, static_cast<int>(y), static_cast<int>(m),
                static_cast<int>(d));
  return date_out_of_range(ctx, text);
}
// The error of make_date shows the astronomical year, that of the others the one given.
bool build_date(EvalContext& ctx, const Value* args, bool astronomical, BrokenTime* t) {
  std::int64_t y = args[0].i;
  const std::int64_t m = args[1].i, d = args[2].i;
  if (y == INT32_MIN) return bad_date(ctx, y, m, d);
  if (y < 0) ++y;
  if (args[0].i == 0 || m < 1 || m > 12 || d < 1 || d > days_in_month(y, static_cast<std::int32_t>(m)))
    return bad_date(ctx, astronomical ? y : args[0].i, m, d);
  if (y < -4713 || y > 5874897 || (y == -4713 && (m < 11 || (m == 11 && d < 24)))) 
    return bad_date(ctx, astronomical ? y : args[0].i, m, d, "date out of range");
  t->year = static_cast<std::int32_t>(y);
  t->month = static_cast<std::int32_t>(m);
  t->day = static_cast<std::int32_t>(d);
  return true;
}
bool build_clock(EvalContext& ctx, const Value* args, std::int64_t* micros) {
  const std::int64_t h = args[0].i, m = args[1].i;
  const double s = args[2].d;
  const std::int64_t total = (h * 60 + m) * kMinuteMicros + static_cast<std::int64_t>(s >= 0 && s <= 60 ? std::rint(s * 1e6) : 0);
  if (h < 0 || m < 0 || m > 59 || !(s >= 0 && s <= 60) || h > 24 || total > kDayMicros) {
    char text[96];
    const int n = std::snprintf(text, sizeof text, "time field value out of range: %d:%02d:", static_cast<int>(h), static_cast<int>(m));
    if (std::isfinite(s)) std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), "%02g", s);
    else std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), "%s", std::isnan(s) ? "NaN" : s < 0 ? "-Infinity" : "Infinity");
    return date_out_of_range(ctx, text);
  }
  *micros = total;
  return true;
}
bool make_date(EvalContext& ctx, const Value* args, Value* result) {
  BrokenTime t;
  return build_date(ctx, args, true, &t) && return_int(result, days_from_civil(t.year, t.month, t.day));
}
bool make_time(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t micros;
  return build_clock(ctx, args, &micros) && return_int(result, micros);
}
bool build_timestamp(EvalContext& ctx, const Value* args, std::int64_t* out) {
  BrokenTime t;
  std::int64_t micros;
  if (!build_date(ctx, args, false, &t) || !build_clock(ctx, args + 3, &micros)) return false;
  const std::int64_t days = days_from_civil(t.year, t.month, t.day);
  if (__builtin_mul_overflow(days, kDayMicros, out) || __builtin_add_overflow(*out, micros, out) || !timestamp_in_range(*out))
    return timestamp_out_of_range(ctx);
  return true;
}
bool make_timestamp_of(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  return build_timestamp(ctx, args, &v) && return_int(result, v);
}
bool make_timestamptz(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  if (!build_timestamp(ctx, args, &v)) return false;
  return from_local(zone_of(ctx.format), v, &v) ? return_int(result, v) : timestamp_out_of_range(ctx);
}
bool make_timestamptz_zone(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  std::int32_t east;
  if (!build_timestamp(ctx, args, &v) || !check(ctx, zone_offset(args[6].bytes(), v, true, &east))) return false;
  // Unlike in timezone(), a numeric zone is ISO's here: east is positive.
  if (!args[6].bytes().empty() && (args[6].bytes()[0] == '+' || args[6].bytes()[0] == '-')) east = -east;
  return return_int(result, v - east * kSecondMicros);
}
bool make_interval(EvalContext& ctx, const Value* args, Value* result) {
  IntervalValue v;
  // What is too many for months and days wraps, as in PostgreSQL 15.
  const std::int64_t months = args[0].i * 12 + args[1].i;
  const std::int64_t days = args[2].i * 7 + args[3].i;
  const double seconds = args[6].d;
  if (std::isnan(seconds) || std::isinf(seconds)) return interval_out_of_range(ctx);
  v.months = static_cast<std::int32_t>(months);
  v.days = static_cast<std::int32_t>(days);
  v.microseconds = (args[4].i * 60 + args[5].i) * kMinuteMicros + static_cast<std::int64_t>(std::rint(seconds * 1e6));
  *result = interval_value(v, ctx.arena);
  return true;
}

// (s1, e1) OVERLAPS (s2, e2) on timestamps, dates having been cast. Nulls leave it unknown unless the rest decides.
bool overlaps(EvalContext&, const Value* args, Value* result) {
  Value s1 = args[0], e1 = args[1], s2 = args[2], e2 = args[3];
  const auto order = [](Value* s, Value* e) {
    if (s->is_null) std::swap(*s, *e);
    else if (!e->is_null && s->i > e->i) std::swap(*s, *e);
  };
  order(&s1, &e1);
  order(&s2, &e2);
  if (s1.is_null || s2.is_null) return return_null(result);
  if (s1.i == s2.i) {
    if (e1.is_null || e2.is_null) return return_null(result);
    return return_bool(result, true);
  }
  const bool first_later = s1.i > s2.i;
  const Value& later = first_later ? s1 : s2;
  const Value& other_end = first_later ? e2 : e1;
  const Value& later_end = first_later ? e1 : e2;
  if (other_end.is_null) return return_null(result);
  if (later.i < other_end.i) return return_bool(result, true);
  if (later_end.is_null) return return_null(result);
  return return_bool(result, false);
}

// OVERLAPS with a length instead of an end, first, second or both.
enum class Start : std::uint8_t { kLocal, kUtc, kTime };
template <Start start, bool first, bool second>
bool overlaps_lengths(EvalContext& ctx, const Value* args, Value* result) {
  Value ends[4] = {args[0], args[1], args[2], args[3]};
  const auto end_of = [&](Value* begin) {
    Value& length = begin[1];
    if (begin[0].is_null || length.is_null) {
      length = Value::null();
      return true;
    }
    const IntervalValue span = load_interval(length);
    std::int64_t end;
    if (start == Start::kTime) end = time_of_day(begin[0].i + span.microseconds % kDayMicros);
    else if (!(start == Start::kUtc ? add_interval(zone_of(ctx.format), begin[0].i, span, &end) : add_interval(begin[0].i, span, &end)))
      return timestamp_out_of_range(ctx);
    length = Value::of_int(end);
    return true;
  };
  return (!first || end_of(ends)) && (!second || end_of(ends + 2)) && overlaps(ctx, ends, result);
}

constexpr FunctionBinding kBindings[] = {
    {"timestamp_part", extract<Kind::kLocal, false>}, {"timestamptz_part", extract<Kind::kUtc, false>},
    {"interval_part", extract<Kind::kInterval, false>}, {"time_part", extract<Kind::kTime, false>},
    {"date_part(text,date)", extract<Kind::kDate, false>},
    {"extract_timestamp", extract<Kind::kLocal, true>}, {"extract_timestamptz", extract<Kind::kUtc, true>},
    {"extract_interval", extract<Kind::kInterval, true>}, {"extract_time", extract<Kind::kTime, true>},
    {"extract_date", extract<Kind::kDate, true>},
    {"timestamp_trunc", date_trunc<false>}, {"timestamptz_trunc", date_trunc<true>},
    {"timestamptz_trunc_zone", date_trunc_zone}, {"interval_trunc", interval_trunc},
    {"timestamp_bin", date_bin}, {"timestamptz_bin", date_bin},
    {"timestamp_age", timestamp_age}, {"timestamptz_age", timestamptz_age},
    {"age(timestamp)", age_of_timestamp}, {"age(timestamptz)", age_of_timestamptz},
    {"make_date", make_date}, {"make_time", make_time}, {"make_timestamp", make_timestamp_of},
    {"make_timestamptz", make_timestamptz}, {"make_timestamptz_at_timezone", make_timestamptz_zone},
    {"make_interval", make_interval}, {"overlaps_timestamp", overlaps}, {"overlaps_time", overlaps},
    {"overlaps(timestamp,interval,timestamp,interval)", overlaps_lengths<Start::kLocal, true, true>},
    {"overlaps(timestamp,interval,timestamp,timestamp)", overlaps_lengths<Start::kLocal, true, false>},
    {"overlaps(timestamp,timestamp,timestamp,interval)", overlaps_lengths<Start::kLocal, false, true>},
    {"overlaps(timestamptz,interval,timestamptz,interval)", overlaps_lengths<Start::kUtc, true, true>},
    {"overlaps(timestamptz,interval,timestamptz,timestamptz)", overlaps_lengths<Start::kUtc, true, false>},
    {"overlaps(timestamptz,timestamptz,timestamptz,interval)", overlaps_lengths<Start::kUtc, false, true>},
    {"overlaps(time,interval,time,interval)", overlaps_lengths<Start::kTime, true, true>},
    {"overlaps(time,interval,time,time)", overlaps_lengths<Start::kTime, true, false>},
    {"overlaps(time,time,time,interval)", overlaps_lengths<Start::kTime, false, true>},
};

}  // namespace

std::span<const FunctionBinding> datetime_field_bindings() { return kBindings; }

}  // namespace wandian::sql
