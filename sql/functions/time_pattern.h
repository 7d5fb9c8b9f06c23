// The template patterns of to_char, to_date and to_timestamp (PostgreSQL manual, 9.8) taken apart.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wandian::sql {

enum class TimeKey : std::uint8_t {
  kFX, kHH24, kHH12, kMI, kSSSS, kSS, kMS, kUS, kFF1, kFF2, kFF3, kFF4, kFF5, kFF6, kAM, kAMDots, kYcommaYYY, kYYYY, kYYY, kYY, kY,
  kIYYY, kIYY, kIY, kI, kAD, kADDots, kMonth, kMon, kMM, kRM, kDay, kDy, kDDD, kIDDD, kDD, kID, kD, kWW, kIW, kW, kCC, kJ, kQ, kTZH,
  kTZM, kTZ, kOF
};
/// Which calendar a field belongs to: they do not mix in what is read.
enum class Convention : std::uint8_t { kNone, kGregorian, kIsoWeek };

struct TimePiece {
  enum class Kind : std::uint8_t { kField, kSpace, kSeparator, kText };
  Kind kind;
  std::string_view text;      ///< the word as it is written, or the literal's character
  TimeKey key{};
  bool digits = false;        ///< the field is digits
  Convention convention{};
  bool fill = true;           ///< no FM
  bool translated = false;    ///< TM
  int ordinal = 0;            ///< 1 TH, 2 th
};
/// The pieces refer to `pattern`.
std::vector<TimePiece> parse_time_pattern(std::string_view pattern);
bool is_separator(char c);

inline constexpr const char* kRomanMonths[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

/// The Julian day, whatever the month and day are.
std::int32_t julian_day(std::int32_t year, std::int32_t month, std::int32_t day);
/// The Julian day of the Monday of an ISO week.
std::int32_t iso_week_day(std::int32_t year, std::int32_t week);

}  // namespace wandian::sql
