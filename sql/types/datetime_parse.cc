// Reads dates and times as liberally as PostgreSQL does (manual, appendix B.1): the text is cut into fields, each
// field says what it is, and what they leave open comes from DateStyle.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "sql/types/datetime.h"
#include "sql/types/timetz.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80); }

enum class Target : std::uint8_t { kDate, kTime, kTimestamp, kTimestamptz };
enum class Fault : std::uint8_t { kNone, kSyntax, kField, kMonthDay, kZone, kZoneName, kRange };

constexpr std::string_view kTargetNames[] = {"date", "time", "timestamp", "timestamp with time zone"};

struct Parsed {
  enum class Special : std::uint8_t { kNone, kInfinity, kMinusInfinity } special = Special::kNone;
  bool has_date = false, has_time = false, has_zone = false;
  BrokenTime time;
  std::int32_t zone_offset = 0;          // seconds east
  const TimeZone* zone = nullptr;        // named zone, instead of an offset
};

struct Parser {
  const FormatSettings& format;
  std::int64_t now;
  Target target;
  std::string bad_zone;

  // What has been seen.
  std::optional<std::int32_t> year = {}, month = {}, day = {}, day_of_year = {};
  bool two_digit_year = false;
  bool bc = false, has_era = false;
  bool text_month = false;   // the month was given by name
  std::optional<std::int32_t> julian = {};
  std::optional<bool> afternoon = {};
  Parsed out = {};

  Fault run(std::string_view text);
  Fault clock(std::string_view token);
  Fault word(std::string_view token, std::string_view rest, std::size_t* extra);
  Fault number(std::string_view token);
  Fault date(std::string_view token);
  Fault offset(std::string_view token);
  Fault part(std::string_view digits);
  Fault finish();
  void set_date(std::int32_t days) {
    civil_from_days(days, &out.time.year, &out.time.month, &out.time.day);
    out.has_date = true;
  }
  bool date_complete() const { return out.has_date || julian || (year && ((month && day) || day_of_year)); }
  bool any_date_part() const { return year || month || day; }
};

std::int32_t to_number(std::string_view digits) {
  std::int64_t v = 0;
  for (const char c : digits) v = std::min<std::int64_t>(v * 10 + (c - '0'), 1'000'000'000);
  return static_cast<std::int32_t>(v);
}

std::int32_t fraction_micros(std::string_view digits) {
  if (digits.empty()) return 0;
  if (digits.size() <= 6) {
    std::int32_t v = to_number(digits);
    for (std::size_t i = digits.size(); i < 6; ++i) v *= 10;
    return v;
  }
  const std::string text = "0." + std::string(digits.substr(0, 40));
  double v = 0;
  std::from_chars(text.data(), text.data() + text.size(), v);
  return static_cast<std::int32_t>(std::rint(v * 1000000.0));
}

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::optional<std::int32_t> month_of(std::string_view lower) {
  for (std::int32_t m = 0; m < 12; ++m) {
    const std::string_view name = kMonthNames[m];
    const auto same = [&](std::string_view a, std::string_view b) {
      return a.size() == b.size() &&
             std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return x == (y | 0x20); });
    };
    if (same(lower, name) || same(lower, name.substr(0, 3)) || (m == 8 && lower == "sept")) return m + 1;
  }
  return std::nullopt;
}

bool is_weekday(std::string_view lower) {
  if (lower.size() < 3) return false;
  for (const char* name : kWeekdayNames) {
    const std::string_view full = name;
    if (lower.size() <= full.size() && std::equal(lower.begin(), lower.end(), full.begin(),
                                                  [](char x, char y) { return x == (y | 0x20); }) &&
        (lower.size() == 3 || lower.size() == full.size() || lower == "tues" || lower == "wednes" || lower == "thur" ||
         lower == "thurs"))
      return true;
  }
  return lower == "weds";
}

// HH:MM[:SS[.ffffff]] or MM:SS.ffffff.
Fault Parser::clock(std::string_view token) {
  if (out.has_time) return Fault::kSyntax;
  std::array<std::int32_t, 3> v{0, 0, 0};
  std::size_t at = 0;
  std::size_t n = 0;
  for (; n < 3; ++n) {
    const std::size_t begin = at;
    while (at < token.size() && is_digit(token[at])) ++at;
    if (at == begin) return Fault::kSyntax;
    v[n] = to_number(token.substr(begin, at - begin));
    if (at == token.size() || token[at] != ':') {
      ++n;
      break;
    }
    ++at;
  }
  std::int32_t micros = 0;
  if (at < token.size()) {
    if (token[at] != '.' || !(at + 1 == token.size() || all_digits(token.substr(at + 1)))) return Fault::kSyntax;
    micros = fraction_micros(token.substr(at + 1));
    if (n == 2) {   // minutes and seconds
      v = {0, v[0], v[1]};
    }
  }
  if (n < 2) return Fault::kSyntax;
  out.time.hour = v[0];
  out.time.minute = v[1];
  out.time.second = v[2];
  out.time.micros = micros;
  if (micros >= 1000000) {
    out.time.micros -= 1000000;
    ++out.time.second;
  }
  out.has_time = true;
  return Fault::kNone;
}

Fault Parser::offset(std::string_view token) {
  if (out.has_zone) return Fault::kSyntax;
  const bool negative = token[0] == '-';
  const std::string_view body = token.substr(1);
  std::int32_t hours = 0, minutes = 0, seconds = 0;
  if (body.find(':') == std::string_view::npos) {
    if (!all_digits(body)) return Fault::kSyntax;
    if (body.size() > 2) {
      const std::size_t split = body.size() - 2;
      minutes = to_number(body.substr(split));
      hours = to_number(body.substr(0, split));
      if (body.size() > 4) {
        seconds = minutes;
        minutes = hours % 100;
        hours /= 100;
      }
    } else {
      hours = to_number(body);
    }
  } else {
    std::array<std::int32_t, 3> v{0, 0, 0};
    std::size_t begin = 0;
    for (std::size_t n = 0;; ++n) {
      const std::size_t end = std::min(body.find(':', begin), body.size());
      if (n == 3 || !all_digits(body.substr(begin, end - begin))) return Fault::kSyntax;
      v[n] = to_number(body.substr(begin, end - begin));
      if (end == body.size()) break;
      begin = end + 1;
    }
    hours = v[0];
    minutes = v[1];
    seconds = v[2];
  }
  if (hours > 15 || minutes > 59 || seconds > 59) return Fault::kZone;
  const std::int32_t total = hours * 3600 + minutes * 60 + seconds;
  out.zone_offset = negative ? -total : total;
  out.has_zone = true;
  return Fault::kNone;
}

// One numeric part of a date: which one depends on what is known already, on the number of digits, and on DateStyle.
Fault Parser::part(std::string_view digits) {
  const std::int32_t v = to_number(digits);
  const bool ymd = format.date_order == FormatSettings::DateOrder::kYmd;
  const auto take_year = [&] {
    year = v;
    two_digit_year = digits.size() <= 2;
  };
  if (digits.size() == 3 && year && !month && !day && !day_of_year && v >= 1 && v <= 366) {
    day_of_year = v;
  } else if (!year && !month && !day) {
    if (digits.size() >= 3 || ymd) take_year();
    else if (format.date_order == FormatSettings::DateOrder::kDmy) day = v;
    else month = v;
  } else if (year && !month) {
    month = v;
  } else if (year && month && !day) {
    if (text_month && digits.size() >= 3 && two_digit_year) {   // the number before was the day after all
      day = *year;
      take_year();
    } else {
      day = v;
    }
  } else if (month && !day) {
    if (text_month && (digits.size() >= 3 || ymd)) take_year();
    else day = v;
  } else if (day && !month) {
    month = v;
  } else if (month && day && !year) {
    take_year();
  } else {
    return Fault::kSyntax;
  }
  return Fault::kNone;
}

// Digits and month names joined by '-', '/' or '.'.
Fault Parser::date(std::string_view token) {
  std::size_t begin = 0;
  std::array<std::string_view, 4> parts;
  std::size_t n = 0;
  const char separator = token[token.find_first_of("-/.")];
  for (;;) {
    const std::size_t end = std::min(token.find(separator, begin), token.size());
    if (n == 3 || end == begin) return Fault::kSyntax;
    parts[n++] = token.substr(begin, end - begin);
    if (end == token.size()) break;
    begin = end + 1;
  }
  // A month by name goes first, so that the numbers around it find their places.
  std::array<bool, 3> done{};
  for (std::size_t i = 0; i < n; ++i) {
    if (all_digits(parts[i])) continue;
    std::string lower(parts[i]);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    const auto m = month_of(lower);
    if (!m || month) return Fault::kSyntax;
    month = *m;
    text_month = true;
    done[i] = true;
  }
  if (n == 2 && !month && !day && !year) {
    // yyyy.ddd
    if (separator == '.' && parts[0].size() >= 4 && parts[1].size() == 3) {
      year = to_number(parts[0]);
      day_of_year = to_number(parts[1]);
      return Fault::kNone;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (done[i]) continue;
    const Fault fault = part(parts[i]);
    if (fault != Fault::kNone) return fault;
  }
  return Fault::kNone;
}

Fault Parser::number(std::string_view token) {
  if (date_complete() || (token.size() == 6 && out.has_date)) {
    if (!out.has_time && (token.size() == 4 || token.size() == 6)) {
      out.time.hour = to_number(token.substr(0, 2));
      out.time.minute = to_number(token.substr(2, 2));
      out.time.second = token.size() == 6 ? to_number(token.substr(4)) : 0;
      out.has_time = true;
      return Fault::kNone;
    }
    return Fault::kSyntax;
  }
  if (!any_date_part()) {
    if (target != Target::kTime && token.size() >= 6) {   // [yy]yymmdd
      const std::size_t digits = token.size() - 4;
      year = to_number(token.substr(0, digits));
      two_digit_year = digits == 2;
      month = to_number(token.substr(digits, 2));
      day = to_number(token.substr(digits + 2));
      return Fault::kNone;
    }
    if (target == Target::kTime && (token.size() == 4 || token.size() == 6)) {
      out.time.hour = to_number(token.substr(0, 2));
      out.time.minute = to_number(token.substr(2, 2));
      out.time.second = token.size() == 6 ? to_number(token.substr(4)) : 0;
      out.has_time = true;
      return Fault::kNone;
    }
  }
  return part(token);
}

// `extra`: how many more characters of `rest` belong to the word (a zone's name with '/', '_', digits).
Fault Parser::word(std::string_view token, std::string_view rest, std::size_t* extra) {
  std::string lower(token);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  *extra = 0;
  const auto relative = [&](std::int64_t days) {
    std::int64_t local;
    if (!to_local(zone_of(format), now, &local)) return Fault::kRange;
    BrokenTime t;
    break_timestamp(local, &t);
    set_date(days_from_civil(t.year, t.month, t.day) + static_cast<std::int32_t>(days));
    return Fault::kNone;
  };
  if (const auto m = month_of(lower)) {
    if (month && !day && !text_month) {   // "15 Jan": the number was the day
      day = month;
      month.reset();
    }
    if (month) return Fault::kSyntax;
    month = *m;
    text_month = true;
    return Fault::kNone;
  }
  if (is_weekday(lower)) return Fault::kNone;
  if (lower == "at" || lower == "on" || lower == "the" || lower == "t") return Fault::kNone;
  if (lower == "am" || lower == "pm" || lower == "a.m." || lower == "p.m.") {
    afternoon = lower[0] == 'p';
    return Fault::kNone;
  }
  if (lower == "bc" || lower == "ad") {
    if (has_era) return Fault::kSyntax;
    has_era = true;
    bc = lower == "bc";
    return Fault::kNone;
  }
  if (target != Target::kTime) {
    if (lower == "infinity") {
      out.special = Parsed::Special::kInfinity;
      return Fault::kNone;
    }
    if (lower == "epoch") {
      set_date(-kEpochDays);
      out.has_time = true;
      out.has_zone = true;
      return Fault::kNone;
    }
    if (lower == "today") return relative(0);
    if (lower == "yesterday") return relative(-1);
    if (lower == "tomorrow") return relative(1);
  }
  if (lower == "now") {
    std::int64_t local;
    if (!to_local(zone_of(format), now, &local)) return Fault::kRange;
    break_timestamp(local, &out.time);
    out.has_date = out.has_time = true;
    if (target == Target::kTimestamptz) {
      out.has_zone = true;
      out.zone_offset = zone_at(zone_of(format), now).offset;
    }
    return Fault::kNone;
  }
  if (lower == "allballs") {
    out.has_time = true;
    out.has_zone = true;
    return Fault::kNone;
  }
  if (lower == "dst") return Fault::kNone;
  // A zone: an abbreviation, or a name that may go on with other characters.
  while (*extra < rest.size() && !is_blank(rest[*extra]) && rest[*extra] != ',' && rest[*extra] != '(') ++*extra;
  const std::string_view full{token.data(), token.size() + *extra};
  if (out.has_zone) return Fault::kSyntax;
  bool daylight;
  if (const TimeZone* dynamic = *extra == 0 ? dynamic_abbreviation(token) : nullptr) {
    out.zone = dynamic;
    out.has_zone = true;
    return Fault::kNone;
  }
  if (*extra == 0 && find_time_zone_abbreviation(token, &out.zone_offset, &daylight)) {
    out.has_zone = true;
    return Fault::kNone;
  }
  if (full.find_first_of("/_+-0123456789<") != std::string_view::npos || full.size() > 2) {
    // A word with such marks or digits right behind it is a date, or, where no date can be, a zone.
    const bool named = !rest.empty() && (is_digit(rest[0]) || std::string_view("-/.+").find(rest[0]) != std::string_view::npos);
    if (named && target != Target::kTime && !date_complete()) return Fault::kSyntax;
    out.zone = find_time_zone(full);
    if (out.zone != nullptr) {
      out.has_zone = true;
      return Fault::kNone;
    }
    if (full.find('/') != std::string_view::npos || (named && (target == Target::kTime || date_complete()))) {
      bad_zone = full;
      for (char& c : bad_zone)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      return Fault::kZoneName;
    }
  }
  return Fault::kSyntax;
}

Fault Parser::run(std::string_view text) {
  std::size_t at = 0;
  bool any = false;
  while (at < text.size()) {
    const char c = text[at];
    if (is_blank(c) || c == ',') {
      ++at;
      continue;
    }
    const bool any_before = std::exchange(any, true);
    const std::size_t begin = at;
    Fault fault = Fault::kNone;
    if (is_digit(c)) {
      while (at < text.size() && is_digit(text[at])) ++at;
      if (at < text.size() && text[at] == ':') {
        while (at < text.size() && (is_digit(text[at]) || text[at] == ':' || text[at] == '.')) ++at;
        fault = clock(text.substr(begin, at - begin));
      } else if (at < text.size() && (text[at] == '-' || text[at] == '/' || text[at] == '.') &&
                 !(any_date_part() && date_complete()) && at + 1 < text.size() &&
                 (is_digit(text[at + 1]) || is_letter(text[at + 1]))) {
        const char separator = text[at];
        // Up to three parts; a fourth '-' begins a zone's offset ("2026-01-31-08").
        int separators = 0;
        while (at < text.size()) {
          if (is_digit(text[at])) {
            ++at;
          } else if (text[at] == separator && separators < 2) {
            ++separators;
            ++at;
          } else if (is_letter(text[at]) && (text[at - 1] == separator)) {
            std::size_t end = at;
            while (end < text.size() && is_letter(text[end])) ++end;
            at = end;
          } else {
            break;
          }
        }
        fault = date(text.substr(begin, at - begin));
      } else if (at < text.size() && text[at] == '.' && date_complete()) {
        // hhmmss.ffffff
        const std::string_view whole = text.substr(begin, at - begin);
        const std::size_t fraction = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        fault = whole.size() == 6 ? number(whole) : Fault::kSyntax;
        out.time.micros = fraction_micros(text.substr(fraction, at - fraction));
      } else {
        fault = number(text.substr(begin, at - begin));
      }
    } else if (c == '+' || c == '-') {
      ++at;
      while (at < text.size() && is_blank(text[at])) ++at;
      if (at < text.size() && is_digit(text[at])) {
        const std::size_t digits = at;
        while (at < text.size() && (is_digit(text[at]) || text[at] == ':')) ++at;
        std::string token(1, c);
        token += text.substr(digits, at - digits);
        fault = out.has_time || target == Target::kTimestamptz || date_complete() ? offset(token) : Fault::kSyntax;
      } else {
        const std::size_t word_begin = at;
        while (at < text.size() && is_letter(text[at])) ++at;
        std::string lower(text.substr(word_begin, at - word_begin));
        for (char& x : lower) x = static_cast<char>(x | 0x20);
        if (lower == "infinity" && target != Target::kTime)
          out.special = c == '-' ? Parsed::Special::kMinusInfinity : Parsed::Special::kInfinity;
        else
          fault = Fault::kSyntax;
      }
    } else if (is_letter(c)) {
      while (at < text.size() && is_letter(text[at])) ++at;
      const std::string_view token = text.substr(begin, at - begin);
      // J2451187
      if ((token == "J" || token == "j") && at < text.size() && is_digit(text[at])) {
        const std::size_t digits = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        julian = to_number(text.substr(digits, at - digits));
      } else if ((token == "T" || token == "t") && at < text.size() && is_digit(text[at])) {
        // The separator of ISO 8601.
      } else if (at < text.size() && (text[at] == '-' || text[at] == '/' || text[at] == '.') && !date_complete() &&
                 at + 1 < text.size() && is_digit(text[at + 1]) && [&] {
                   std::string lower(token);
                   for (char& x : lower) x = static_cast<char>(x | 0x20);
                   return month_of(lower).has_value();
                 }()) {
        while (at < text.size() && (is_digit(text[at]) || text[at] == '-' || text[at] == '/' || text[at] == '.')) ++at;
        fault = date(text.substr(begin, at - begin));
      } else {
        std::size_t extra = 0;
        fault = word(token, text.substr(at), &extra);
        at += extra;
      }
    } else if (c == '(' || c == ')') {
      ++at;
    } else if (c > 0x20 && c < 0x7f && c != '.') {
      ++at;   // other punctuation only divides
      any = any_before;
    } else {
      return Fault::kSyntax;
    }
    if (fault != Fault::kNone) return fault;
  }
  return any ? finish() : Fault::kSyntax;
}

Fault Parser::finish() {
  if (out.special != Parsed::Special::kNone) return Fault::kNone;
  if (target == Target::kTime && !out.has_time) return Fault::kSyntax;
  if (julian) {
    set_date(*julian - kJulianDays);
  } else if (any_date_part()) {
    if (out.has_date) return Fault::kSyntax;
    // What is there is looked at first, whether it is a whole date or not.
    std::int32_t y = year.value_or(1);
    if (!year) {
    } else if (bc) {
      if (y <= 0) return Fault::kField;
      y = 1 - y;
    } else if (two_digit_year) {
      y += y < 70 ? 2000 : 1900;
    } else if (y == 0) {
      return Fault::kField;
    }
    if (day_of_year) {
      if (!year) return Fault::kSyntax;
      if (*day_of_year < 1 || *day_of_year > 366) return Fault::kField;
      set_date(days_from_civil(std::min(y, 5874898), 1, 1) + *day_of_year - 1);
    } else {
      if ((month && (*month < 1 || *month > 12)) || (day && (*day < 1 || *day > 31))) return Fault::kMonthDay;
      if (!year || !month || !day) return Fault::kSyntax;
      if (*day > days_in_month(y, *month)) return Fault::kField;
      out.time.year = y;
      out.time.month = *month;
      out.time.day = *day;
      out.has_date = true;
    }
  }
  if (afternoon) {
    if (!out.has_time || out.time.hour > 12) return Fault::kField;
    if (*afternoon && out.time.hour != 12) out.time.hour += 12;
    if (!*afternoon && out.time.hour == 12) out.time.hour = 0;
  }
  const BrokenTime& t = out.time;
  if (t.minute > 59 || t.second > 60 || t.hour > 24 || (t.hour == 24 && (t.minute > 0 || t.second > 0 || t.micros > 0)))
    return Fault::kField;
  if (target == Target::kTime) return out.has_time ? Fault::kNone : Fault::kSyntax;
  if (!out.has_date) return Fault::kSyntax;
  return Fault::kNone;
}

Status to_status(Fault fault, const Parser& parser, std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const std::string name(kTargetNames[static_cast<int>(parser.target)]);
  switch (fault) {
    case Fault::kNone: return {};
    case Fault::kSyntax:
      return {sqlstate::invalid_datetime_format, "invalid input syntax for type " + name + ": " + quoted};
    case Fault::kField:
      return {sqlstate::datetime_field_overflow, "date/time field value out of range: " + quoted};
    case Fault::kMonthDay:
      return Status{sqlstate::datetime_field_overflow, "date/time field value out of range: " + quoted}.with_hint(
          "Perhaps you need a different \"datestyle\" setting.");
    case Fault::kZone:
      return {sqlstate::invalid_time_zone_displacement_value, "time zone displacement out of range: " + quoted};
    case Fault::kZoneName:
      return {sqlstate::invalid_parameter_value, "time zone \"" + parser.bad_zone + "\" not recognized"};
    case Fault::kRange:
      return {sqlstate::datetime_field_overflow,
              (parser.target == Target::kDate ? "date" : "timestamp") + (" out of range: " + quoted)};
  }
  return {};
}

// YYYY-MM-DD[ HH:MM:SS[.ffffff][+HH[:MM]]], what programs send; anything else is left to Parser.
bool quick_parse(std::string_view text, Parsed* out) {
  const auto two = [&](std::size_t at, std::int32_t* v) {
    if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return false;
    *v = (text[at] - '0') * 10 + (text[at + 1] - '0');
    return true;
  };
  BrokenTime& t = out->time;
  std::int32_t century, years;
  if (text.size() < 10 || text[4] != '-' || text[7] != '-' || !two(0, &century) || !two(2, &years) ||
      !two(5, &t.month) || !two(8, &t.day))
    return false;
  t.year = century * 100 + years;
  if (t.year < 1 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in_month(t.year, t.month)) return false;
  out->has_date = true;
  if (text.size() == 10) return true;
  if ((text[10] != ' ' && text[10] != 'T') || text.size() < 19 || text[13] != ':' || text[16] != ':' ||
      !two(11, &t.hour) || !two(14, &t.minute) || !two(17, &t.second))
    return false;
  if (t.hour > 23 || t.minute > 59 || t.second > 59) return false;
  out->has_time = true;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    const std::size_t begin = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at - begin > 6) return false;
    t.micros = fraction_micros(text.substr(begin, at - begin));
  }
  if (at == text.size()) return true;
  if (text[at] == 'Z' && at + 1 == text.size()) {
    out->has_zone = true;
    return true;
  }
  std::int32_t hours, minutes = 0;
  if ((text[at] != '+' && text[at] != '-') || !two(at + 1, &hours)) return false;
  if (text.size() == at + 6 && text[at + 3] == ':') {
    if (!two(at + 4, &minutes)) return false;
  } else if (text.size() != at + 3) {
    return false;
  }
  if (hours > 15 || minutes > 59) return false;
  out->zone_offset = (hours * 60 + minutes) * (text[at] == '-' ? -60 : 60);
  out->has_zone = true;
  return true;
}

// Parses into *out; the Parser is kept for its error.
Status parse(const FormatSettings& format, std::int64_t now, Target target, std::string_view text, Parsed* out) {
  constexpr std::size_t kMostBytes = 128;   // as MAXDATELEN
  if (target != Target::kTime && quick_parse(text, out)) return {};
  Parser parser{.format = format, .now = now, .target = target, .bad_zone = {}};
  const Fault fault = more_than_blanks(text, kMostBytes) ? Fault::kSyntax : parser.run(text);
  if (fault != Fault::kNone) return to_status(fault, parser, text);
  *out = parser.out;
  return {};
}

Status out_of_range(Target target, std::string_view text) {
  return {sqlstate::datetime_field_overflow,
          (target == Target::kDate ? "date" : "timestamp") + (" out of range: \"" + std::string(text) + "\"")};
}

}  // namespace

Status parse_date(const FormatSettings& format, std::int64_t now, std::string_view text, std::int32_t* out) {
  Parsed p;
  WANDIAN_TRY(parse(format, now, Target::kDate, text, &p));
  if (p.special != Parsed::Special::kNone) {
    *out = p.special == Parsed::Special::kInfinity ? kDateInfinity : kDateMinusInfinity;
    return {};
  }
  if (p.time.year < -4713 || (p.time.year == -4713 && (p.time.month < 11 || (p.time.month == 11 && p.time.day < 24))) ||
      p.time.year >= 5874898)
    return out_of_range(Target::kDate, text);
  *out = days_from_civil(p.time.year, p.time.month, p.time.day);
  return {};
}

Status parse_time(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out) {
  Parsed p;
  WANDIAN_TRY(parse(format, now, Target::kTime, text, &p));
  const BrokenTime& t = p.time;
  *out = ((t.hour * 60ll + t.minute) * 60 + t.second) * kSecondMicros + t.micros;
  return {};
}

Status parse_timetz(const FormatSettings& format, std::int64_t now, std::string_view text, TimeTz* out) {
  Parsed p;
  WANDIAN_TRY(parse(format, now, Target::kTime, text, &p));
  const BrokenTime& t = p.time;
  out->micros = ((t.hour * 60ll + t.minute) * 60 + t.second) * kSecondMicros + t.micros;
  if (p.has_zone && p.zone == nullptr) {
    out->offset = p.zone_offset;
    return {};
  }
  const TimeZone& zone = p.zone != nullptr ? *p.zone : zone_of(format);
  std::int64_t local = 0;
  if (p.has_date && make_timestamp(p.time, &local)) {
    out->offset = zone_of_local(zone, local).offset;
    return {};
  }
  // A zone that changes its clock needs a date, if it was named.
  out->offset = zone_at(zone, now).offset;
  if (p.zone != nullptr && (zone_at(zone, now + 91 * kDayMicros).offset != out->offset || zone_at(zone, now + 182 * kDayMicros).offset != out->offset))
    return {sqlstate::invalid_datetime_format, "invalid input syntax for type time with time zone: \"" + std::string(text) + "\""};
  return {};
}

Status parse_timestamp(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out) {
  Parsed p;
  WANDIAN_TRY(parse(format, now, Target::kTimestamp, text, &p));
  if (p.special != Parsed::Special::kNone) {
    *out = p.special == Parsed::Special::kInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
    return {};
  }
  if (!make_timestamp(p.time, out)) return out_of_range(Target::kTimestamp, text);
  return {};
}

Status parse_timestamptz(const FormatSettings& format, std::int64_t now, std::string_view text, std::int64_t* out) {
  Parsed p;
  WANDIAN_TRY(parse(format, now, Target::kTimestamptz, text, &p));
  if (p.special != Parsed::Special::kNone) {
    *out = p.special == Parsed::Special::kInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
    return {};
  }
  // The local time may lie just beyond the range of which the instant is a part.
  std::int64_t local = 0;
  if (!make_timestamp(p.time, &local) && (p.time.year < -4714 || p.time.year > 294277 || local == 0))
    return out_of_range(Target::kTimestamptz, text);
  const std::int32_t offset = p.zone != nullptr  ? zone_of_local(*p.zone, local).offset
                              : p.has_zone ? p.zone_offset
                                           : zone_of_local(zone_of(format), local).offset;
  *out = local - offset * kSecondMicros;
  if (!timestamp_in_range(*out)) return out_of_range(Target::kTimestamptz, text);
  return {};
}

}  // namespace wandian::sql
