#include "sql/types/datetime.h"

#include <cstdlib>
#include <cstring>

#include "sql/types/number_text.h"

namespace wandian::sql {

const char* const kMonthNames[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char* const kWeekdayNames[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

namespace {

char* write_text(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The year as it is shown: 1 BC is 0 in the calendar.
std::uint32_t shown_year(std::int32_t year) { return static_cast<std::uint32_t>(year > 0 ? year : 1 - year); }

char* write_ymd(const FormatSettings& format, std::int32_t year, std::int32_t month, std::int32_t day, char* out) {
  const std::uint32_t y = shown_year(year);
  const auto m = static_cast<std::uint32_t>(month);
  const auto d = static_cast<std::uint32_t>(day);
  const bool day_first = format.date_order == FormatSettings::DateOrder::kDmy;
  switch (format.date_style) {
    case FormatSettings::DateStyle::kIso:
      out = write_padded(y, 4, out);
      *out++ = '-';
      out = write_padded(m, 2, out);
      *out++ = '-';
      return write_padded(d, 2, out);
    case FormatSettings::DateStyle::kGerman:
      out = write_padded(d, 2, out);
      *out++ = '.';
      out = write_padded(m, 2, out);
      *out++ = '.';
      return write_padded(y, 4, out);
    case FormatSettings::DateStyle::kSql:
    case FormatSettings::DateStyle::kPostgres: {
      const char separator = format.date_style == FormatSettings::DateStyle::kSql ? '/' : '-';
      out = write_padded(day_first ? d : m, 2, out);
      *out++ = separator;
      out = write_padded(day_first ? m : d, 2, out);
      *out++ = separator;
      return write_padded(y, 4, out);
    }
  }
  return out;
}

char* write_clock(const BrokenTime& t, char* out) {
  out = write_padded(static_cast<std::uint32_t>(t.hour), 2, out);
  *out++ = ':';
  out = write_padded(static_cast<std::uint32_t>(t.minute), 2, out);
  *out++ = ':';
  out = write_padded(static_cast<std::uint32_t>(t.second), 2, out);
  return write_fraction(t.micros, out);
}

// A timestamp, with the zone that holds if `zone` is not null.
char* write_broken(const FormatSettings& format, const BrokenTime& t, const TimeZone::LocalType* zone, char* out) {
  if (format.date_style == FormatSettings::DateStyle::kPostgres) {
    const std::int32_t days = days_from_civil(t.year, t.month, t.day);
    out = write_text({kWeekdayNames[weekday_of(days)], 3}, out);
    *out++ = ' ';
    const std::string_view month{kMonthNames[t.month - 1], 3};
    if (format.date_order == FormatSettings::DateOrder::kDmy) {
      out = write_padded(static_cast<std::uint32_t>(t.day), 2, out);
      *out++ = ' ';
      out = write_text(month, out);
    } else {
      out = write_text(month, out);
      *out++ = ' ';
      out = write_padded(static_cast<std::uint32_t>(t.day), 2, out);
    }
    *out++ = ' ';
    out = write_clock(t, out);
    *out++ = ' ';
    out = write_padded(shown_year(t.year), 4, out);
  } else {
    out = write_ymd(format, t.year, t.month, t.day, out);
    *out++ = ' ';
    out = write_clock(t, out);
  }
  if (zone != nullptr) {
    const bool numeric = format.date_style == FormatSettings::DateStyle::kIso || zone->abbreviation.empty() ||
                         zone->abbreviation.size() > 10 || zone->abbreviation.front() == '+' ||
                         zone->abbreviation.front() == '-';
    if (format.date_style == FormatSettings::DateStyle::kIso) {
      out = write_offset(zone->offset, out);
    } else {
      *out++ = ' ';
      out = numeric ? write_offset(zone->offset, out) : write_text(zone->abbreviation, out);
    }
  }
  if (t.year <= 0) out = write_text(" BC", out);
  return out;
}

}  // namespace

std::int32_t days_in_month(std::int64_t year, std::int32_t month) {
  constexpr std::int32_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

// Both by counting from March of year 0, in 400-year eras: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int32_t days_from_civil(std::int64_t year, std::int32_t month, std::int32_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = floor_divide(y, 400);
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int32_t>(era * 146097 + day_of_era - 730425);
}

void civil_from_days(std::int32_t days, std::int32_t* year, std::int32_t* month, std::int32_t* day) {
  const std::int64_t z = static_cast<std::int64_t>(days) + 730425;
  const std::int64_t era = floor_divide(z, 146097);
  const auto day_of_era = static_cast<std::uint32_t>(z - era * 146097);
  const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t shifted = (5 * day_of_year + 2) / 153;
  *day = static_cast<std::int32_t>(day_of_year - (153 * shifted + 2) / 5 + 1);
  *month = static_cast<std::int32_t>(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = static_cast<std::int32_t>(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

void break_timestamp(std::int64_t micros, BrokenTime* out) {
  const std::int64_t days = floor_divide(micros, kDayMicros);
  const std::int64_t rest = micros - days * kDayMicros;
  civil_from_days(static_cast<std::int32_t>(days), &out->year, &out->month, &out->day);
  const auto seconds = static_cast<std::int32_t>(rest / kSecondMicros);
  out->micros = static_cast<std::int32_t>(rest % kSecondMicros);
  out->hour = seconds / 3600;
  out->minute = seconds / 60 % 60;
  out->second = seconds % 60;
}

bool make_timestamp(const BrokenTime& t, std::int64_t* out) {
  *out = 0;
  if (t.year < -4713 || t.year > 294277) return false;
  const std::int64_t days = days_from_civil(t.year, t.month, t.day);
  const std::int64_t clock = ((t.hour * 60ll + t.minute) * 60 + t.second) * kSecondMicros + t.micros;
  if (__builtin_mul_overflow(days, kDayMicros, out) || __builtin_add_overflow(*out, clock, out)) return false;
  return timestamp_in_range(*out);
}

namespace {
std::int64_t unix_seconds(std::int64_t micros) { return floor_divide(micros, kSecondMicros) + kEpochDays * 86400ll; }
}  // namespace

const TimeZone::LocalType& zone_at(const TimeZone& zone, std::int64_t utc_micros) {
  return zone.at(unix_seconds(utc_micros));
}
const TimeZone::LocalType& zone_of_local(const TimeZone& zone, std::int64_t local_micros) {
  return zone.of_local(unix_seconds(local_micros));
}

bool to_local(const TimeZone& zone, std::int64_t utc_micros, std::int64_t* local) {
  *local = utc_micros;
  if (!timestamp_finite(utc_micros)) return true;
  return !__builtin_add_overflow(utc_micros, zone_at(zone, utc_micros).offset * kSecondMicros, local) &&
         timestamp_in_range(*local);
}

bool from_local(const TimeZone& zone, std::int64_t local_micros, std::int64_t* utc) {
  *utc = local_micros;
  if (!timestamp_finite(local_micros)) return true;
  return !__builtin_sub_overflow(local_micros, zone_of_local(zone, local_micros).offset * kSecondMicros, utc) &&
         timestamp_in_range(*utc);
}

char* write_fraction(std::int32_t micros, char* out) {
  if (micros == 0) return out;
  *out++ = '.';
  char* end = write_padded(static_cast<std::uint32_t>(std::abs(micros)), 6, out);
  while (end[-1] == '0') --end;
  return end;
}

char* write_offset(std::int32_t seconds_east, char* out) {
  *out++ = seconds_east < 0 ? '-' : '+';
  const auto magnitude = static_cast<std::uint32_t>(std::abs(seconds_east));
  out = write_padded(magnitude / 3600, 2, out);
  if (magnitude % 3600 == 0) return out;
  *out++ = ':';
  out = write_padded(magnitude / 60 % 60, 2, out);
  if (magnitude % 60 == 0) return out;
  *out++ = ':';
  return write_padded(magnitude % 60, 2, out);
}

char* write_date(const FormatSettings& format, std::int32_t days, char* out) {
  if (days == kDateInfinity) return write_text("infinity", out);
  if (days == kDateMinusInfinity) return write_text("-infinity", out);
  std::int32_t year, month, day;
  civil_from_days(days, &year, &month, &day);
  out = write_ymd(format, year, month, day, out);
  return year <= 0 ? write_text(" BC", out) : out;
}

char* write_time(std::int64_t micros, char* out) {
  BrokenTime t;
  t.hour = static_cast<std::int32_t>(micros / kHourMicros);
  t.minute = static_cast<std::int32_t>(micros / kMinuteMicros % 60);
  t.second = static_cast<std::int32_t>(micros / kSecondMicros % 60);
  t.micros = static_cast<std::int32_t>(micros % kSecondMicros);
  return write_clock(t, out);
}

char* write_timestamp(const FormatSettings& format, std::int64_t micros, char* out) {
  if (micros == kTimestampInfinity) return write_text("infinity", out);
  if (micros == kTimestampMinusInfinity) return write_text("-infinity", out);
  BrokenTime t;
  break_timestamp(micros, &t);
  return write_broken(format, t, nullptr, out);
}

char* write_timestamptz(const FormatSettings& format, std::int64_t micros, char* out) {
  if (!timestamp_finite(micros)) return write_timestamp(format, micros, out);
  const TimeZone::LocalType& zone = zone_at(zone_of(format), micros);
  BrokenTime t;
  break_timestamp(micros + zone.offset * kSecondMicros, &t);
  return write_broken(format, t, &zone, out);
}

std::int64_t round_micros(std::int64_t micros, std::int32_t typmod) {
  constexpr std::int64_t kUnits[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
  if (typmod < 0 || typmod >= 6 || !timestamp_finite(micros)) return micros;
  const std::int64_t unit = kUnits[typmod];
  const std::int64_t half = unit / 2;
  return micros >= 0 ? (micros + half) / unit * unit : -((-micros + half) / unit * unit);
}

Status zone_offset(std::string_view name, std::int64_t micros, bool local, std::int32_t* seconds_east) {
  bool daylight;
  if (const TimeZone* dynamic = dynamic_abbreviation(name)) {
    *seconds_east = abbreviation_offset(*dynamic, name, unix_seconds(micros) - (local ? dynamic->of_local(unix_seconds(micros)).offset : 0));
    return {};
  }
  if (find_time_zone_abbreviation(name, seconds_east, &daylight)) return {};
  const std::string_view text = trim_blanks(name);
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    // A bare offset is POSIX's here: west is positive.
    std::int64_t part[3] = {0, 0, 0};
    std::size_t at = 1;
    int n = 0;
    for (; n < 3 && at < text.size(); ++n) {
      const std::size_t end = std::min(text.find(':', at), text.size());
      if (!parse_int(text.substr(at, end - at), 0, 167, "interval", &part[n]).ok()) break;
      at = end + 1;
    }
    if (n > 0 && at > text.size()) {
      const auto seconds = static_cast<std::int32_t>(part[0] * 3600 + part[1] * 60 + part[2]);
      *seconds_east = text.front() == '+' ? -seconds : seconds;
      return {};
    }
  }
  const TimeZone* zone = find_time_zone(text);
  if (zone == nullptr)
    return {sqlstate::invalid_parameter_value, "time zone \"" + std::string(name) + "\" not recognized"};
  *seconds_east = (local ? zone_of_local(*zone, micros) : zone_at(*zone, micros)).offset;
  return {};
}

}  // namespace wandian::sql
