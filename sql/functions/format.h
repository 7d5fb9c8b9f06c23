// to_char, to_date and to_timestamp by template patterns (PostgreSQL manual, 9.8).
// Limits:  day and month names are English; the patterns TZH and TZM are read, TZ is written only.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/value.h"
#include "sql/types/datetime.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// What a pattern is filled from. A timestamp has all of it; an interval's hours may exceed 23 and it has no weekday.
struct FormatInput {
  BrokenTime time;
  std::int64_t hour = 0;           ///< instead of time.hour
  bool interval = false;
  std::string_view zone_name;      ///< empty: none
  std::int32_t zone_offset = 0;    ///< seconds east
};
Status format_time(std::string_view pattern, const FormatInput& input, std::string* out);

struct ParsedTime {
  BrokenTime time;
  std::optional<std::int32_t> zone_offset;   ///< seconds east
  std::int32_t precision = 0;                ///< digits of a second that a pattern FF1 to FF6 asked for; 0: all
};
/// What nothing is given for is 0001-01-01 BC. 22007, 22008 and 22009 as PostgreSQL words them.
Status parse_time_by(std::string_view pattern, std::string_view text, ParsedTime* out);

/// What a template of SQL/JSON's datetime() asks for.
struct StandardFields {
  bool dated = false, timed = false, zoned = false;
};
/// As parse_time_by(), by the SQL standard's rules: separators and literal text must stand as the pattern has them, and nothing may be left.
Status parse_standard_time(std::string_view pattern, std::string_view text, ParsedTime* out, StandardFields* wanted);

}  // namespace wandian::sql
