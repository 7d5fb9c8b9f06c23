// The numeric patterns of to_char and to_number (PostgreSQL manual, 9.8): 9 0 . D , G FM S MI PL SG PR L TH th RN V EEEE B C
// and quoted text.
// Thread:  pure functions.
// Errors:  42601 for patterns that contradict themselves, 0A000 for RN and EEEE where a number is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace wandian::sql {

struct NumberPattern {
  enum class Mark : std::uint8_t { kNine, kZero, kPoint, kComma, kMinus, kPlus, kSignBoth, kOrdinal, kCurrency, kRoman, kSilent, kLiteral };
  enum class SignPlace : std::uint8_t { kNone, kBefore, kBehind };   ///< of S
  struct Piece {
    Mark mark;
    bool lower = false;        ///< th, rn
    std::string_view text;     ///< a character of a literal
  };

  std::vector<Piece> pieces;
  int before = 0;              ///< digit places before the point
  int after = 0;               ///< and behind it
  int shift = 0;               ///< places behind V
  int first_zero = 0;          ///< the place of the first 0 before the point, counted from 1; 0: none
  int last_zero = 0;           ///< the place of the last 0
  int places_before_sign = 0;  ///< digit places when S came
  SignPlace sign = SignPlace::kNone;
  bool zero = false, point = false, fill_mode = false, own_sign = false, bracket = false, minus = false, plus = false;
  bool roman = false, shifting = false, exponent = false;
};
/// The pieces refer to `text`.
Status parse_number_pattern(std::string_view text, NumberPattern* out);

/// Fills a pattern. `digits` are the number's, without a sign ('#' where they do not fit); `blanks` places before them stay empty;
/// `sign` is '+', '-', or 0 for a roman number.
std::string write_number(NumberPattern pattern, std::string_view digits, int blanks, char sign);
/// Takes a number's text out of an input, and how many digits stood behind its point.
Status read_number(const NumberPattern& pattern, std::string_view input, std::string* number, int* scale);

}  // namespace wandian::sql
