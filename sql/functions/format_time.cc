// Fills the template patterns of to_char.
#include <cstdlib>

#include "sql/functions/format.h"
#include "sql/functions/time_pattern.h"

namespace wandian::sql {

namespace {

using Key = TimeKey;

std::string_view ordinal_suffix(std::string_view number) {
  const char last = number.back();
  if (number.size() > 1 && number[number.size() - 2] == '1') return "TH";
  return last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// As the word is written: MONTH, Month or month.
std::string in_case_of(std::string_view word, std::string_view text) {
  std::string out(text);
  const bool first_upper = word[0] >= 'A' && word[0] <= 'Z';
  const bool second_upper = word.size() > 1 && word[1] >= 'A' && word[1] <= 'Z';
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = first_upper && (i == 0 || second_upper) ? upper(out[i]) : lower(out[i]);
  return out;
}

class Writer {
 public:
  Writer(const FormatInput& input, std::string* out) : in_(input), t_(input.time), out_(*out) {
    julian_ = julian_day(t_.year, t_.month, t_.day);
    // Of an interval, about how many days it has.
    year_day_ = in_.interval ? (t_.year * 12 + t_.month) * 30 + t_.day : julian_ - julian_day(t_.year, 1, 1) + 1;
  }

  Status write(const TimePiece& p) {
    if (p.kind != TimePiece::Kind::kField) {
      out_ += p.text;
      return {};
    }
    if (in_.interval && of_calendar(p.key))
      return Status{sqlstate::invalid_datetime_format, "invalid format specification for an interval value"}.with_hint(
          "Intervals are not tied to specific calendar dates.");
    if (!write_clock(p) && !write_date(p)) write_year(p);
    return {};
  }

 private:
  static bool of_calendar(Key key) {
    switch (key) {
      case Key::kTZ: case Key::kTZH: case Key::kTZM: case Key::kOF: case Key::kAD: case Key::kADDots: case Key::kMonth:
      case Key::kMon: case Key::kDay: case Key::kDy: case Key::kD: case Key::kID: return true;
      default: return false;
    }
  }

  bool write_clock(const TimePiece& p) {
    const std::int64_t hour = in_.hour;
    const std::int32_t offset = std::abs(in_.zone_offset);
    switch (p.key) {
      case Key::kFX: return true;
      case Key::kHH24: return signed_number(p, hour, hour, 2);
      case Key::kHH12: return signed_number(p, hour % 12 == 0 ? 12 : hour % 12, hour, 2);
      case Key::kMI: return signed_number(p, t_.minute, t_.minute, 2);
      case Key::kSS: return signed_number(p, t_.second, t_.second, 2);
      case Key::kSSSS: return number(p, hour * 3600 + t_.minute * 60 + t_.second, 0);
      case Key::kFF1: return full_number(p, t_.micros / 100000, 1);
      case Key::kFF2: return full_number(p, t_.micros / 10000, 2);
      case Key::kMS: case Key::kFF3: return full_number(p, t_.micros / 1000, 3);
      case Key::kFF4: return full_number(p, t_.micros / 100, 4);
      case Key::kFF5: return full_number(p, t_.micros / 10, 5);
      case Key::kUS: case Key::kFF6: return full_number(p, t_.micros, 6);
      case Key::kAM: return word(p, hour % 24 >= 12 ? "PM" : "AM");
      case Key::kAMDots: return word(p, hour % 24 >= 12 ? "P.M." : "A.M.");
      case Key::kTZ: out_ += p.text[0] >= 'a' ? lowered(in_.zone_name) : std::string(in_.zone_name); return true;
      case Key::kTZH:
        out_ += in_.zone_offset < 0 ? '-' : '+';
        put(offset / 3600, 2);
        return true;
      case Key::kTZM: put(offset % 3600 / 60, 2); return true;
      case Key::kOF:
        out_ += in_.zone_offset < 0 ? '-' : '+';
        put(offset / 3600, p.fill ? 2 : 0);
        if (offset % 3600 != 0) {
          out_ += ':';
          put(offset % 3600 / 60, 2);
        }
        return true;
      default: return false;
    }
  }

  bool write_date(const TimePiece& p) {
    const std::int32_t weekday = (julian_ + 1) % 7;   // 0 = Sunday
    switch (p.key) {
      case Key::kAD: return word(p, t_.year <= 0 ? "BC" : "AD");
      case Key::kADDots: return word(p, t_.year <= 0 ? "B.C." : "A.D.");
      case Key::kMonth: return name(p, kMonthNames[t_.month - 1], 9);
      case Key::kMon: return name(p, std::string_view(kMonthNames[t_.month - 1]).substr(0, 3), 0);
      case Key::kDay: return name(p, kWeekdayNames[weekday], 9);
      case Key::kDy: return name(p, std::string_view(kWeekdayNames[weekday]).substr(0, 3), 0);
      case Key::kMM: return signed_number(p, t_.month, t_.month, 2);
      case Key::kDD: return number(p, t_.day, 2);
      case Key::kDDD: return number(p, year_day_, 3);
      case Key::kIDDD: return number(p, julian_ - iso_week_day(iso_year(), 1) + 1, 3);
      case Key::kD: return number(p, weekday + 1, 0);
      case Key::kID: return number(p, weekday == 0 ? 7 : weekday, 0);
      case Key::kWW: return number(p, (year_day_ - 1) / 7 + 1, 2);
      case Key::kIW: return number(p, iso_week(), 2);
      case Key::kW: return number(p, (t_.day - 1) / 7 + 1, 0);
      case Key::kJ: return number(p, julian_, 0);
      case Key::kQ: return t_.month == 0 || number(p, (t_.month - 1) / 3 + 1, 0);
      case Key::kRM: return roman_month(p);
      default: return false;
    }
  }

  bool write_year(const TimePiece& p) {
    const std::int32_t y = shown(t_.year);
    switch (p.key) {
      case Key::kYcommaYYY: {
        const std::size_t begin = out_.size();
        put(y / 1000, 0);
        out_ += ',';
        put(y % 1000, 3);
        return suffix(p, begin);
      }
      case Key::kYYYY: return signed_number(p, y, y, 4);
      case Key::kYYY: return signed_number(p, y % 1000, y, 3);
      case Key::kYY: return signed_number(p, y % 100, y, 2);
      case Key::kY: return number(p, y % 10, 0);
      // The width is that of the calendar's year.
      case Key::kIYYY: return signed_number(p, shown(iso_year()), y, 4);
      case Key::kIYY: return signed_number(p, shown(iso_year()) % 1000, y, 3);
      case Key::kIY: return signed_number(p, shown(iso_year()) % 100, y, 2);
      case Key::kI: return number(p, shown(iso_year()) % 10, 0);
      case Key::kCC: {
        const std::int32_t century = in_.interval ? t_.year / 100 : t_.year > 0 ? (t_.year - 1) / 100 + 1 : t_.year / 100 - 1;
        return century <= 99 && century >= -99 ? signed_number(p, century, century, 2) : full_number(p, century, 0);
      }
      default: return true;
    }
  }

  // XII is the first of the months from the end: an interval of less than no months counts from there.
  bool roman_month(const TimePiece& p) {
    if (t_.month == 0 && t_.year == 0) return true;
    const std::int32_t month = t_.month > 0 ? t_.month : t_.month < 0 ? 13 + t_.month : t_.year >= 0 ? 12 : 1;
    std::string text = kRomanMonths[month - 1];
    if (p.text[0] == 'r') text = lowered(text);
    if (p.fill && text.size() < 4) text.resize(4, ' ');
    out_ += text;
    return true;
  }

  std::int32_t iso_year() const {
    std::int32_t year = t_.year;
    if (julian_ < iso_week_day(year, 1)) --year;
    else if (julian_ >= iso_week_day(year + 1, 1) && (julian_ - iso_week_day(year, 1)) / 7 + 1 >= 52) ++year;
    return year;
  }
  std::int32_t iso_week() const { return (julian_ - iso_week_day(iso_year(), 1)) / 7 + 1; }
  std::int32_t shown(std::int32_t year) const { return in_.interval || year > 0 ? year : 1 - year; }

  static std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = lower(c);
    return out;
  }
  // Zeros in front up to `width`, of which the sign is a part.
  void put(std::int64_t v, int width) {
    const std::string digits = std::to_string(v < 0 ? -v : v);
    const int size = static_cast<int>(digits.size()) + (v < 0 ? 1 : 0);
    if (v < 0) out_ += '-';
    if (size < width) out_.append(static_cast<std::size_t>(width - size), '0');
    out_ += digits;
  }
  bool suffix(const TimePiece& p, std::size_t begin) {
    if (p.ordinal == 0) return true;
    const std::string_view s = ordinal_suffix(std::string_view(out_).substr(begin));
    out_ += p.ordinal == 1 ? std::string(s) : lowered(s);
    return true;
  }
  bool full_number(const TimePiece& p, std::int64_t v, int width) {
    const std::size_t begin = out_.size();
    put(v, width);
    return suffix(p, begin);
  }
  bool number(const TimePiece& p, std::int64_t v, int width) { return full_number(p, v, p.fill ? width : 0); }
  // One place more where what it belongs to is negative.
  bool signed_number(const TimePiece& p, std::int64_t v, std::int64_t of, int width) { return number(p, v, of < 0 ? width + 1 : width); }
  bool word(const TimePiece& p, std::string_view text) {
    out_ += p.text[0] >= 'a' ? lowered(text) : std::string(text);
    return true;
  }
  bool name(const TimePiece& p, std::string_view text, std::size_t width) {
    std::string out = in_case_of(p.text, text);
    if (p.fill && !p.translated && width > out.size()) out.resize(width, ' ');
    out_ += out;
    return true;
  }

  const FormatInput& in_;
  const BrokenTime& t_;
  std::string& out_;
  std::int32_t julian_, year_day_;
};

}  // namespace

Status format_time(std::string_view pattern, const FormatInput& input, std::string* out) {
  Writer writer(input, out);
  for (const TimePiece& p : parse_time_pattern(pattern)) WANDIAN_TRY(writer.write(p));
  return {};
}

}  // namespace wandian::sql
