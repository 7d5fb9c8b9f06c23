// Time zones of the system's tz database (TZif files, RFC 8536) and POSIX rules, and PostgreSQL's abbreviations.
// Owns:    a process-wide cache of zones; a zone once found is never freed, so pointers to it stay good.
// Thread:  any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wandian::sql {

struct TimeZone {
  struct LocalType {
    std::int32_t offset;        ///< seconds east of UTC
    bool daylight;
    std::string abbreviation;
  };
  /// "the nth weekday of a month" and its kin, from the file's footer: holds after the last transition.
  struct RuleDate {
    enum class Kind : std::uint8_t { kJulian, kDayOfYear, kMonthWeekDay } kind = Kind::kMonthWeekDay;
    std::int32_t month = 0, week = 0, day = 0;
    std::int32_t seconds = 7200;   ///< local time of day
  };
  struct Rule {
    LocalType standard{0, false, "UTC"};
    LocalType daylight{0, true, ""};
    bool has_daylight = false;
    RuleDate begin, end;
  };

  std::string name;
  std::vector<std::int64_t> transitions;    ///< seconds from 1970-01-01 UTC, ascending
  std::vector<std::uint8_t> transition_types;
  std::vector<LocalType> types;
  bool has_rule = false;
  Rule rule;

  /// What holds at an instant (seconds from 1970).
  const LocalType& at(std::int64_t utc_seconds) const;
  /// The offset for a wall-clock time (as if it were UTC, seconds from 1970). In a gap the time before it counts,
  /// in an overlap the time after it, as in PostgreSQL.
  const LocalType& of_local(std::int64_t local_seconds) const;
  /// Instant of the next change after `utc_seconds`; false if there is none.
  bool next_transition(std::int64_t utc_seconds, std::int64_t* at) const;
};

const TimeZone& utc_time_zone();
/// By name ("Asia/Shanghai", any case), POSIX rule ("CET-1CEST") or null. The canonical name is in it.
const TimeZone* find_time_zone(std::string_view name);
/// A zone of fixed offset, named as PostgreSQL does for SET TIME ZONE +8: "<+08>-08".
const TimeZone* fixed_time_zone(std::int32_t seconds_east);
/// The zone behind an abbreviation whose offset depends on the time ("MSK"), or null; and that offset.
const TimeZone* dynamic_abbreviation(std::string_view word);
std::int32_t abbreviation_offset(const TimeZone& zone, std::string_view word, std::int64_t utc_seconds);
/// PostgreSQL's default abbreviations ("PST", "cest"): seconds east of UTC.
bool find_time_zone_abbreviation(std::string_view word, std::int32_t* seconds_east, bool* daylight);

}  // namespace wandian::sql
