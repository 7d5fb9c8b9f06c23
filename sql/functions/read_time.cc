// Reads dates and times by the template patterns of to_date and to_timestamp.
#include <algorithm>
#include <array>
#include <climits>
#include <optional>
#include <span>

#include "sql/functions/format.h"
#include "sql/functions/time_pattern.h"
#include "sql/types/number_text.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

using Key = TimeKey;

// What a text gave for each field; zero is nothing, as PostgreSQL takes it.
struct Fields {
  Convention convention{};
  std::int32_t hour = 0, minute = 0, second = 0, day_seconds = 0, millis = 0, micros = 0, precision = 0;
  std::int32_t year = 0, year_digits = 0, century = 0, month = 0, day = 0, year_day = 0, weekday = 0, week = 0, month_week = 0;
  std::int32_t julian = 0, afternoon = 0, before_christ = 0, zone_sign = 0, zone_hours = 0, zone_minutes = 0;
  bool twelve = false;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// strtol(): blanks, a sign, digits. `used` is 0 where there are no digits.
struct Integer {
  std::int64_t value = 0;
  std::size_t used = 0;
};
Integer read_integer(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_blank(text[at])) ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  Integer out;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    out.value = std::min<std::int64_t>(out.value * 10 + (text[at] - '0'), INT64_MAX / 100);
    out.used = at + 1;
  }
  if (negative) out.value = -out.value;
  return out;
}

Status invalid(std::string message) { return {sqlstate::invalid_datetime_format, std::move(message)}; }
Status invalid_value(std::string_view value, const TimePiece& p) {
  return invalid("invalid value \"" + std::string(value) + "\" for \"" + std::string(p.text) + "\"");
}

Status set(std::int32_t* field, std::int32_t value, const TimePiece& p) {
  if (*field != 0 && *field != value)
    return invalid("conflicting values for \"" + std::string(p.text) + "\" field in formatting string")
        .with_detail("This value contradicts a previous setting for the same field type.");
  *field = value;
  return {};
}

// Years of fewer than four digits are nearest to 2020.
std::int32_t near_2020(std::int32_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  if (year < 1000) return year + 1000;
  return year;
}

class Reader {
 public:
  Reader(std::string_view text, std::span<const TimePiece> pieces, Fields* out, bool standard = false)
      : text_(text), pieces_(pieces), f_(*out), standard_(standard) {}

  Status run() {
    for (i_ = 0; i_ < pieces_.size() && at_ < text_.size(); ++i_) {
      const TimePiece& p = pieces_[i_];
      const bool field = p.kind == TimePiece::Kind::kField;
      if (!exact_ && (field ? p.key != Key::kFX : i_ == 0)) pass_blanks();
      if (!field) {
        if (standard_) WANDIAN_TRY(exact_literal(p));
        else literal(p);
        continue;
      }
      if (p.convention != Convention::kNone) {
        if (f_.convention != Convention::kNone && f_.convention != p.convention)
          return invalid("invalid combination of date conventions")
              .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
        f_.convention = p.convention;
      }
      WANDIAN_TRY(read(p));
      if (!exact_ && !standard_) {
        passed_ = 0;
        pass_blanks();
      }
    }
    if (!standard_) return {};
    if (i_ < pieces_.size()) return invalid("input string is too short for datetime format");
    pass_blanks();
    if (more()) return invalid("trailing characters remain in input string after datetime format");
    return {};
  }

 private:
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  bool more() const { return at_ < text_.size(); }
  void pass_blanks() {
    for (; more() && is_blank(text_[at_]); ++at_) ++passed_;
  }
  void pass_character() {
    if (more()) at_ = std::min(text_.size(), at_ + utf8_bytes(text_[at_]));
  }

  Status exact_literal(const TimePiece& p) {
    if (!rest().starts_with(p.text))
      return invalid(std::string("unmatched format ") + (p.kind == TimePiece::Kind::kText ? "character" : "separator") + " \"" + std::string(p.text) + "\"");
    at_ += p.text.size();
    return {};
  }

  // A separator of the pattern stands for one of the text, or for none; other text for a character, whichever it is, but not for one
  // when more has been passed already than the pattern has.
  void literal(const TimePiece& p) {
    if (exact_) return pass_character();
    if (p.kind != TimePiece::Kind::kText) {
      --passed_;
      if (!more() || (!is_blank(text_[at_]) && !is_separator(text_[at_]))) return;
      ++at_;
      ++passed_;
    } else if (passed_ > 0) {
      --passed_;
    } else {
      pass_character();
    }
  }

  // Whether digits end at what comes next in the pattern, so that a field may have any number of them.
  bool separated() const {
    if (pieces_[i_].ordinal != 0 || i_ + 1 == pieces_.size()) return true;
    const TimePiece& next = pieces_[i_ + 1];
    if (next.kind == TimePiece::Kind::kField) return !next.digits;
    return !(next.text.size() == 1 && next.text[0] >= '0' && next.text[0] <= '9');
  }

  Status number(const TimePiece& p, int width, std::int32_t* out, int* consumed = nullptr) {
    const std::size_t begin = at_;
    while (more() && is_blank(text_[at_])) ++at_;
    const std::string_view copy = rest().substr(0, static_cast<std::size_t>(width));
    Integer v;
    if (!p.fill || separated()) {
      v = read_integer(text_.substr(begin));
      at_ = begin + v.used;
    } else {
      const std::string needed = "Field requires " + std::to_string(width) + " characters, but only ";
      constexpr const char* kHint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
      if (copy.size() < static_cast<std::size_t>(width))
        return invalid("source string too short for \"" + std::string(p.text) + "\" formatting field")
            .with_detail(needed + std::to_string(copy.size()) + " remain.")
            .with_hint(kHint);
      v = read_integer(copy);
      if (v.used > 0 && v.used < copy.size())
        return invalid_value(copy, p).with_detail(needed + std::to_string(v.used) + " could be parsed.").with_hint(kHint);
      at_ += v.used;
    }
    if (at_ == begin) return invalid_value(copy, p).with_detail("Value must be an integer.");
    if (v.value < INT_MIN || v.value > INT_MAX)
      return Status{sqlstate::datetime_field_overflow, "value for \"" + std::string(p.text) + "\" in source string is out of range"}
          .with_detail("Value must be in the range -2147483648 to 2147483647.");
    if (out != nullptr) WANDIAN_TRY(set(out, static_cast<std::int32_t>(v.value), p));
    if (consumed != nullptr) *consumed = static_cast<int>(at_ - begin);
    return {};
  }
  void pass_ordinal(const TimePiece& p) {
    if (p.ordinal == 0) return;
    pass_character();
    pass_character();
  }
  Status plain(const TimePiece& p, int width, std::int32_t* out) {
    WANDIAN_TRY(number(p, width, out));
    pass_ordinal(p);
    return {};
  }
  Status plain(const TimePiece& p, std::int32_t* out) { return plain(p, static_cast<int>(p.text.size()), out); }

  // One of several words, in any case.
  template <class Get>
  Status word(const TimePiece& p, int count, const Get& get, int* which) {
    for (int i = 0; i < count; ++i) {
      const std::string_view w = get(i);
      const std::string_view here = rest().substr(0, w.size());
      if (here.size() == w.size() && std::equal(w.begin(), w.end(), here.begin(), [](char a, char b) { return lower(a) == lower(b); })) {
        at_ += w.size();
        *which = i;
        return {};
      }
    }
    std::size_t end = at_;
    while (end < text_.size() && !is_blank(text_[end])) ++end;
    return invalid_value(text_.substr(at_, end - at_), p)
        .with_detail("The given value did not match any of the allowed values for this field.");
  }
  Status pair(const TimePiece& p, std::string_view no, std::string_view yes, std::int32_t* out) {
    int which = 0;
    WANDIAN_TRY(word(p, 2, [&](int i) { return i == 0 ? no : yes; }, &which));
    return set(out, which, p);
  }

  Status read(const TimePiece& p) {
    switch (p.key) {
      case Key::kFX: exact_ = true; return {};
      case Key::kHH12: f_.twelve = true; return plain(p, 2, &f_.hour);
      case Key::kHH24: return plain(p, 2, &f_.hour);
      case Key::kMI: return plain(p, &f_.minute);
      case Key::kSS: return plain(p, &f_.second);
      case Key::kSSSS: return plain(p, &f_.day_seconds);
      case Key::kMS: return fraction(p, 3, &f_.millis);
      case Key::kUS: return fraction(p, 6, &f_.micros);
      case Key::kFF1: case Key::kFF2: case Key::kFF3: case Key::kFF4: case Key::kFF5: case Key::kFF6:
        f_.precision = static_cast<int>(p.key) - static_cast<int>(Key::kFF1) + 1;
        return fraction(p, f_.precision, &f_.micros);
      case Key::kAM: f_.twelve = true; return pair(p, "am", "pm", &f_.afternoon);
      case Key::kAMDots: f_.twelve = true; return pair(p, "a.m.", "p.m.", &f_.afternoon);
      case Key::kAD: return pair(p, "ad", "bc", &f_.before_christ);
      case Key::kADDots: return pair(p, "a.d.", "b.c.", &f_.before_christ);
      case Key::kTZ: case Key::kOF:
        return {sqlstate::feature_not_supported, "formatting field \"" + std::string(p.text) + "\" is only supported in to_char"};
      case Key::kTZH: return zone_hours(p);
      case Key::kTZM:
        if (f_.zone_sign == 0) f_.zone_sign = 1;
        return number(p, 2, &f_.zone_minutes);
      default: return read_date(p);
    }
  }

  Status read_date(const TimePiece& p) {
    switch (p.key) {
      case Key::kMonth: return month(p, 12);
      case Key::kMon: return month(p, 3);
      case Key::kRM: {
        int which = 0;   // longer ones first
        WANDIAN_TRY(word(p, 12, [](int i) { return std::string_view(kRomanMonths[11 - i]); }, &which));
        return set(&f_.month, 12 - which, p);
      }
      case Key::kDay: return weekday(p, 12);
      case Key::kDy: return weekday(p, 3);
      case Key::kMM: return plain(p, &f_.month);
      case Key::kDD: return plain(p, &f_.day);
      case Key::kDDD: return plain(p, &f_.year_day);
      case Key::kIDDD: return plain(p, 3, &f_.year_day);
      case Key::kD: return plain(p, &f_.weekday);
      case Key::kID:
        WANDIAN_TRY(number(p, 1, &f_.weekday));
        if (++f_.weekday > 7) f_.weekday = 1;   // Sunday is 1
        pass_ordinal(p);
        return {};
      case Key::kWW: case Key::kIW: return plain(p, &f_.week);
      case Key::kW: return plain(p, &f_.month_week);
      case Key::kQ: return plain(p, nullptr);
      case Key::kCC: return plain(p, &f_.century);
      case Key::kJ: return plain(p, &f_.julian);
      case Key::kYcommaYYY: return grouped_year(p);
      case Key::kYYYY: case Key::kIYYY:
        f_.year_digits = 4;
        return plain(p, &f_.year);
      case Key::kYYY: case Key::kIYY: return short_year(p, 3);
      case Key::kYY: case Key::kIY: return short_year(p, 2);
      case Key::kY: case Key::kI: return short_year(p, 1);
      default: return {};
    }
  }

  Status fraction(const TimePiece& p, int width, std::int32_t* out) {
    int digits = 0;
    WANDIAN_TRY(number(p, width, out, &digits));
    // 25 is .25 and 250 is .25 too.
    for (const int full = p.key == Key::kMS ? 3 : 6; digits > 0 && digits < full; ++digits)
      *out = static_cast<std::int32_t>(static_cast<std::uint32_t>(*out) * 10u);
    pass_ordinal(p);
    return {};
  }
  // A minus may have been passed as a separator.
  Status zone_hours(const TimePiece& p) {
    if (more() && (text_[at_] == '+' || text_[at_] == '-' || text_[at_] == ' ')) f_.zone_sign = text_[at_++] == '-' ? -1 : 1;
    else f_.zone_sign = passed_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
    return number(p, 2, &f_.zone_hours);
  }
  Status month(const TimePiece& p, std::size_t letters) {
    int which = 0;
    WANDIAN_TRY(word(p, 12, [&](int i) { return std::string_view(kMonthNames[i]).substr(0, letters); }, &which));
    return set(&f_.month, which + 1, p);
  }
  Status weekday(const TimePiece& p, std::size_t letters) {
    int which = 0;
    WANDIAN_TRY(word(p, 7, [&](int i) { return std::string_view(kWeekdayNames[i]).substr(0, letters); }, &which));
    WANDIAN_TRY(set(&f_.weekday, which, p));
    ++f_.weekday;
    return {};
  }
  Status short_year(const TimePiece& p, int digits) {
    int consumed = 0;
    WANDIAN_TRY(number(p, static_cast<int>(p.text.size()), &f_.year, &consumed));
    if (consumed < 4) f_.year = near_2020(f_.year);
    f_.year_digits = digits;
    pass_ordinal(p);
    return {};
  }
  Status grouped_year(const TimePiece& p) {
    const Integer thousands = read_integer(rest());
    std::size_t at = at_ + thousands.used;
    Integer rest_of_year;
    if (thousands.used > 0 && at < text_.size() && text_[at] == ',') {
      ++at;
      while (at < text_.size() && is_blank(text_[at])) ++at;
      rest_of_year = read_integer(text_.substr(at, 3));
    }
    if (rest_of_year.used == 0) return invalid("invalid input string for \"Y,YYY\"");
    WANDIAN_TRY(set(&f_.year, static_cast<std::int32_t>(rest_of_year.value + thousands.value * 1000), p));
    f_.year_digits = 4;
    at_ = at + rest_of_year.used;
    pass_ordinal(p);
    return {};
  }

  std::string_view text_;
  std::span<const TimePiece> pieces_;
  Fields& f_;
  bool standard_;
  std::size_t at_ = 0, i_ = 0;
  int passed_ = 0;       // characters passed beyond those of the pattern
  bool exact_ = false;   // FX came
};

// Makes a date and a time of the day of what was read.
class Assembly {
 public:
  Assembly(Fields& fields, std::string_view text, ParsedTime* out) : f_(fields), text_(text), out_(*out), t_(out->time) {}

  Status run() {
    t_.year = 0;   // 1 BC, which is what nothing given means
    WANDIAN_TRY(clock());
    year();
    if (f_.julian != 0) set_day(f_.julian);
    weeks();
    if (f_.month_week != 0) f_.day = (f_.month_week - 1) * 7 + 1;
    if (f_.day != 0) {
      t_.day = f_.day;
      has_day_ = true;
    }
    if (f_.month != 0) {
      t_.month = f_.month;
      has_month_ = true;
    }
    if (f_.year_day != 0 && (t_.month <= 1 || t_.day <= 1)) WANDIAN_TRY(day_of_year());
    t_.micros = f_.millis * 1000 + f_.micros;
    out_.precision = f_.precision;
    if (!valid()) return out_of_range();
    return zone();
  }

 private:
  Status out_of_range() const {
    return {sqlstate::datetime_field_overflow, "date/time field value out of range: \"" + std::string(text_) + "\""};
  }
  void set_day(std::int32_t julian) {
    civil_from_days(static_cast<std::int32_t>(static_cast<std::uint32_t>(julian) - static_cast<std::uint32_t>(kJulianDays)), &t_.year,
                    &t_.month, &t_.day);
    has_year_ = has_month_ = has_day_ = true;
  }

  Status clock() {
    t_.hour = f_.day_seconds / 3600;
    t_.minute = f_.day_seconds % 3600 / 60;
    t_.second = f_.day_seconds % 60;
    if (f_.second != 0) t_.second = f_.second;
    if (f_.minute != 0) t_.minute = f_.minute;
    if (f_.hour != 0) t_.hour = f_.hour;
    if (!f_.twelve) return {};
    if (t_.hour < 1 || t_.hour > 12)
      return invalid("hour \"" + std::to_string(t_.hour) + "\" is invalid for the 12-hour clock")
          .with_hint("Use the 24-hour clock, or give an hour between 1 and 12.");
    if (f_.afternoon != 0 && t_.hour < 12) t_.hour += 12;
    else if (f_.afternoon == 0 && t_.hour == 12) t_.hour = 0;
    return {};
  }

  void year() {
    if (f_.year == 0 && f_.century == 0) return;
    has_year_ = true;
    const std::int32_t century = f_.before_christ != 0 ? -f_.century : f_.century;
    if (f_.year == 0) {
      t_.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    } else if (century != 0 && f_.year_digits <= 2) {
      // The century is given: of the year the last two digits count.
      t_.year = f_.year % 100;
      if (t_.year == 0) t_.year = century * 100 + (century >= 0 ? 0 : 1);
      else if (century >= 0) t_.year += (century - 1) * 100;
      else t_.year = (century + 1) * 100 - t_.year + 1;
    } else {
      t_.year = f_.before_christ != 0 ? -f_.year : f_.year;
      if (t_.year < 0) ++t_.year;
    }
  }

  void weeks() {
    if (f_.week == 0) return;
    if (f_.convention != Convention::kIsoWeek) {
      f_.year_day = (f_.week - 1) * 7 + 1;
      return;
    }
    // Without a day of the week it is Monday.
    const std::int32_t monday = iso_week_day(t_.year, f_.week);
    set_day(f_.weekday == 0 ? monday : f_.weekday > 1 ? monday + f_.weekday - 2 : monday + 6);
  }

  Status day_of_year() {
    if (t_.year == 0 && f_.before_christ == 0) return invalid("cannot calculate day of year without year information");
    if (f_.convention == Convention::kIsoWeek) {
      set_day(iso_week_day(t_.year, 1) - 1 + f_.year_day);
      return {};
    }
    std::int32_t month = 1, before = 0;
    for (; month <= 12 && f_.year_day > before + days_in_month(t_.year, month); ++month) before += days_in_month(t_.year, month);
    if (t_.month <= 1) t_.month = month;
    if (t_.day <= 1) t_.day = f_.year_day - before;
    has_month_ = has_day_ = true;
    return {};
  }

  bool valid() const {
    if (has_month_ && (t_.month < 1 || t_.month > 12)) return false;
    if (has_day_ && (t_.day < 1 || t_.day > 31)) return false;
    if (has_year_ && has_month_ && has_day_ && t_.day > days_in_month(t_.year, t_.month)) return false;
    return t_.hour >= 0 && t_.hour < 24 && t_.minute >= 0 && t_.minute < 60 && t_.second >= 0 && t_.second < 60 && t_.micros >= 0 &&
           t_.micros < 1'000'000;
  }

  Status zone() {
    if (f_.zone_sign == 0) return {};
    constexpr std::int32_t kMaxHours = 15;
    if (f_.zone_hours < 0 || f_.zone_hours > kMaxHours || f_.zone_minutes < 0 || f_.zone_minutes >= 60)
      return {sqlstate::invalid_time_zone_displacement_value, "time zone displacement out of range: \"" + std::string(text_) + "\""};
    out_.zone_offset = f_.zone_sign * (f_.zone_hours * 60 + f_.zone_minutes) * 60;
    return {};
  }

  Fields& f_;
  std::string_view text_;
  ParsedTime& out_;
  BrokenTime& t_;
  bool has_year_ = false, has_month_ = false, has_day_ = false;
};

}  // namespace

Status parse_time_by(std::string_view pattern, std::string_view text, ParsedTime* out) {
  const std::vector<TimePiece> pieces = parse_time_pattern(pattern);
  Fields fields;
  out->time = BrokenTime{};
  WANDIAN_TRY(Reader(text, pieces, &fields).run());
  return Assembly(fields, text, out).run();
}

Status parse_standard_time(std::string_view pattern, std::string_view text, ParsedTime* out, StandardFields* wanted) {
  const std::vector<TimePiece> pieces = parse_time_pattern(pattern);
  for (const TimePiece& p : pieces) {
    if (p.kind == TimePiece::Kind::kSeparator && std::string_view("-./,':;").find(p.text) == std::string_view::npos)
      return invalid("invalid datetime format separator: \"" + std::string(p.text) + "\"");
    if (p.kind != TimePiece::Kind::kField || p.key == Key::kFX) continue;
    switch (p.key) {
      case Key::kHH24: case Key::kHH12: case Key::kMI: case Key::kSSSS: case Key::kSS: case Key::kMS: case Key::kUS: case Key::kFF1:
      case Key::kFF2: case Key::kFF3: case Key::kFF4: case Key::kFF5: case Key::kFF6: case Key::kAM: case Key::kAMDots:
        wanted->timed = true;
        break;
      case Key::kTZH: case Key::kTZM: wanted->zoned = true; break;
      case Key::kTZ: case Key::kOF:
        return {sqlstate::feature_not_supported, "formatting field \"" + std::string(p.text) + "\" is only supported in to_char"};
      default: wanted->dated = true;
    }
  }
  Fields fields;
  out->time = BrokenTime{};
  WANDIAN_TRY(Reader(text, pieces, &fields, true).run());
  return Assembly(fields, text, out).run();
}

}  // namespace wandian::sql
