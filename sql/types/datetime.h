// Dates, times and timestamps: the calendar, their text forms in every DateStyle, and arithmetic that functions share.
// Units:   days and µs from 2000-01-01; INT64_MIN/MAX (date: INT32_MIN/MAX) are the infinities.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "sql/functions/registry.h"
#include "sql/types/timezone.h"

namespace wandian::sql {

inline constexpr std::int64_t kSecondMicros = 1'000'000;
inline constexpr std::int64_t kMinuteMicros = 60 * kSecondMicros;
inline constexpr std::int64_t kHourMicros = 60 * kMinuteMicros;
inline constexpr std::int64_t kDayMicros = 24 * kHourMicros;
inline constexpr std::int32_t kEpochDays = 10957;              ///< from 1970-01-01 to 2000-01-01
inline constexpr std::int32_t kJulianDays = 2451545;           ///< Julian day of 2000-01-01
inline constexpr std::int32_t kDateMinusInfinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int32_t kDateInfinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kTimestampMinusInfinity = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kTimestampInfinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMinTimestamp = -211813488000000000;   ///< 4714-11-24 BC
inline constexpr std::int64_t kEndTimestamp = 9223371331200000000;   ///< 294277-01-01, not included
inline constexpr std::int32_t kMinDate = -2451545;                   ///< 4714-11-24 BC
inline constexpr std::int32_t kEndDate = 2145031949;                 ///< 5874898-01-01, not included

constexpr bool is_leap_year(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
std::int32_t days_in_month(std::int64_t year, std::int32_t month);
/// Proleptic Gregorian, astronomical years (0 is 1 BC). Within PostgreSQL's range of dates.
std::int32_t days_from_civil(std::int64_t year, std::int32_t month, std::int32_t day);
void civil_from_days(std::int32_t days, std::int32_t* year, std::int32_t* month, std::int32_t* day);
/// 0 = Sunday.
constexpr std::int32_t weekday_of(std::int32_t days) {
  const std::int64_t d = (static_cast<std::int64_t>(days) + 6) % 7;
  return static_cast<std::int32_t>(d < 0 ? d + 7 : d);
}

/// A timestamp taken apart.
struct BrokenTime {
  std::int32_t year = 2000, month = 1, day = 1;   ///< astronomical year
  std::int32_t hour = 0, minute = 0, second = 0, micros = 0;
};
void break_timestamp(std::int64_t micros, BrokenTime* out);
/// False if out of range.
bool make_timestamp(const BrokenTime& time, std::int64_t* out);
constexpr bool timestamp_in_range(std::int64_t v) { return v >= kMinTimestamp && v < kEndTimestamp; }
constexpr bool timestamp_finite(std::int64_t v) { return v != kTimestampInfinity && v != kTimestampMinusInfinity; }
constexpr bool date_finite(std::int64_t v) { return v != kDateInfinity && v != kDateMinusInfinity; }

inline const TimeZone& zone_of(const FormatSettings& format) {
  return format.time_zone != nullptr ? *format.time_zone : utc_time_zone();
}
/// Offset in seconds east at an instant / for a local time (µs from 2000).
const TimeZone::LocalType& zone_at(const TimeZone& zone, std::int64_t utc_micros);
const TimeZone::LocalType& zone_of_local(const TimeZone& zone, std::int64_t local_micros);
/// timestamptz <-> timestamp in a zone; infinities pass. False: out of range.
bool to_local(const TimeZone& zone, std::int64_t utc_micros, std::int64_t* local);
bool from_local(const TimeZone& zone, std::int64_t local_micros, std::int64_t* utc);

// Text. `now` (µs, UTC) stands behind 'now', 'today', ...
Status parse_date(const FormatSettings& format, std::int64_t now, std::string_view text, std::int32_t* out);
Status parse_time(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out);
Status parse_timestamp(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out);
Status parse_timestamptz(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out);

inline constexpr std::size_t kDateTimeTextBytes = 128;
char* write_date(const FormatSettings& format, std::int32_t days, char* out);
char* write_time(std::int64_t micros, char* out);
char* write_timestamp(const FormatSettings& format, std::int64_t micros, char* out);
char* write_timestamptz(const FormatSettings& format, std::int64_t micros, char* out);
/// "+08", "-03:30", "+05:45:01".
char* write_offset(std::int32_t seconds_east, char* out);
/// ".25" without trailing zeros; nothing for 0.
char* write_fraction(std::int32_t micros, char* out);

/// Rounds to timestamp(p), time(p): half away from zero. typmod -1 keeps all six digits.
std::int64_t round_micros(std::int64_t micros, std::int32_t typmod);

/// A zone given by name, abbreviation or offset text ('+08', 'PST', 'Asia/Shanghai'): the offset in seconds east that
/// holds at an instant or, with `local`, for a wall-clock time. 22023 time zone "x" not recognized.
Status zone_offset(std::string_view zone, std::int64_t micros, bool local, std::int32_t* seconds_east);

extern const char* const kMonthNames[12];
extern const char* const kWeekdayNames[7];

// Intervals (sql/types/interval.cc).
Status parse_interval(const FormatSettings& format, std::int32_t typmod, std::string_view text, IntervalValue* out);
inline constexpr std::size_t kIntervalTextBytes = 192;
char* write_interval(const FormatSettings& format, const IntervalValue& value, char* out);
/// interval(p), interval day to second, ...: fields outside the range are dropped, seconds rounded. 22008
Status apply_interval_typmod(std::int32_t typmod, IntervalValue* value);
inline Value interval_value(const IntervalValue& value, Arena& arena) {
  char* p = static_cast<char*>(arena.allocate(sizeof value, 8));
  std::memcpy(p, &value, sizeof value);
  return Value::of_bytes(p, sizeof value);
}

}  // namespace wandian::sql
