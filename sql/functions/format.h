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
  bool interval = false;
  std::string_view zone_name;      ///< empty: none
  std::int32_t zone_offset = 0;    ///< seconds east
};
Status format_time(std::string_view pattern, const FormatInput& input, std::string* out);

struct ParsedTime {
  BrokenTime time;
  std::optional<std::int32_t> zone_offset;   ///< seconds east
};
/// 22007 and 22008 as PostgreSQL words them.
Status parse_time_by(std::string_view pattern, std::string_view text, ParsedTime* out);

/// A number (its decimal text, rounded already to the pattern's digits by the caller) by a numeric pattern: 9 0 . D , G
/// FM S MI PL SG PR L TH th RN V EEEE and quoted text.
struct NumberPattern {
  int before = 0;          ///< digit places before the point
  int after = 0;           ///< and behind it
  int shift = 0;           ///< V: digits to shift left by
  bool exponent = false;   ///< EEEE
  bool roman = false;
};
NumberPattern examine_number_pattern(std::string_view pattern);
std::string format_number(std::string_view pattern, bool negative, std::string_view integer_digits, std::string_view fraction_digits);

}  // namespace wandian::sql
