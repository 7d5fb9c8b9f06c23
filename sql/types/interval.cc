// Intervals: PostgreSQL's and ISO 8601's input, the four output styles, interval(p) and its field ranges.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "sql/types/datetime.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

// Field bits of an interval's typmod.
constexpr std::int32_t kMonthBit = 1 << 1, kYearBit = 1 << 2, kDayBit = 1 << 3, kHourBit = 1 << 10,
                       kMinuteBit = 1 << 11, kSecondBit = 1 << 12, kFullRange = 0x7fff, kFullPrecision = 0xffff;

enum class Unit : std::uint8_t {
  kMicrosecond, kMillisecond, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear, kDecade, kCentury, kMillennium
};

struct UnitName {
  std::string_view name;
  Unit unit;
};
constexpr UnitName kUnitNames[] = {
    {"us", Unit::kMicrosecond}, {"usec", Unit::kMicrosecond}, {"usecs", Unit::kMicrosecond},
    {"usecond", Unit::kMicrosecond}, {"useconds", Unit::kMicrosecond}, {"microsecond", Unit::kMicrosecond},
    {"microseconds", Unit::kMicrosecond}, {"microsecon", Unit::kMicrosecond},
    {"ms", Unit::kMillisecond}, {"msec", Unit::kMillisecond}, {"msecs", Unit::kMillisecond},
    {"msecond", Unit::kMillisecond}, {"mseconds", Unit::kMillisecond}, {"millisecond", Unit::kMillisecond},
    {"milliseconds", Unit::kMillisecond}, {"millisecon", Unit::kMillisecond},
    {"s", Unit::kSecond}, {"sec", Unit::kSecond}, {"secs", Unit::kSecond}, {"second", Unit::kSecond},
    {"seconds", Unit::kSecond},
    {"m", Unit::kMinute}, {"min", Unit::kMinute}, {"mins", Unit::kMinute}, {"minute", Unit::kMinute},
    {"minutes", Unit::kMinute},
    {"h", Unit::kHour}, {"hr", Unit::kHour}, {"hrs", Unit::kHour}, {"hour", Unit::kHour}, {"hours", Unit::kHour},
    {"d", Unit::kDay}, {"day", Unit::kDay}, {"days", Unit::kDay},
    {"w", Unit::kWeek}, {"week", Unit::kWeek}, {"weeks", Unit::kWeek},
    {"mon", Unit::kMonth}, {"mons", Unit::kMonth}, {"month", Unit::kMonth}, {"months", Unit::kMonth},
    {"y", Unit::kYear}, {"yr", Unit::kYear}, {"yrs", Unit::kYear}, {"year", Unit::kYear}, {"years", Unit::kYear},
    {"dec", Unit::kDecade}, {"decs", Unit::kDecade}, {"decade", Unit::kDecade}, {"decades", Unit::kDecade},
    {"c", Unit::kCentury}, {"cent", Unit::kCentury}, {"century", Unit::kCentury}, {"centuries", Unit::kCentury},
    {"mil", Unit::kMillennium}, {"mils", Unit::kMillennium}, {"millennia", Unit::kMillennium},
    {"millennium", Unit::kMillennium},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

constexpr std::uint32_t bit_of(Unit unit) { return 1u << static_cast<unsigned>(unit); }

// A number as its whole part and fraction, both with the number's sign.
struct Amount {
  std::int64_t whole = 0;
  double fraction = 0;
};

// Adds up the fields; false from any step that overflows.
struct Sum {
  std::uint32_t seen = 0;   // one bit a unit
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t micros = 0;

  bool add_months(std::int64_t count, std::int64_t months_each) {
    std::int64_t v;
    return !__builtin_mul_overflow(count, months_each, &v) && !__builtin_add_overflow(months, v, &months);
  }
  bool add_days(std::int64_t count, std::int64_t days_each) {
    std::int64_t v;
    return !__builtin_mul_overflow(count, days_each, &v) && !__builtin_add_overflow(days, v, &days);
  }
  bool add_micros(std::int64_t count, std::int64_t micros_each) {
    std::int64_t v;
    return !__builtin_mul_overflow(count, micros_each, &v) && !__builtin_add_overflow(micros, v, &micros);
  }
  bool add_fraction(double fraction, std::int64_t micros_each) {
    if (fraction == 0) return true;
    const double scaled = fraction * static_cast<double>(micros_each);
    std::int64_t v = static_cast<std::int64_t>(scaled);
    const double rest = scaled - static_cast<double>(v);
    if (rest > 0.5) ++v;
    else if (rest < -0.5) --v;
    return !__builtin_add_overflow(micros, v, &micros);
  }
  bool add_day_fraction(double fraction, int days_each) {
    if (fraction == 0) return true;
    const double scaled = fraction * days_each;
    const auto whole = static_cast<std::int64_t>(scaled);
    return add_days(whole, 1) && add_fraction(scaled - static_cast<double>(whole), kDayMicros);
  }
  bool add_month_fraction(double fraction, int months_each) {
    return add_months(static_cast<std::int64_t>(std::rint(fraction * months_each)), 1);
  }
  bool add(const Amount& a, Unit unit) {
    switch (unit) {
      case Unit::kMicrosecond: return add_micros(a.whole, 1) && add_fraction(a.fraction, 1);
      case Unit::kMillisecond: return add_micros(a.whole, 1000) && add_fraction(a.fraction, 1000);
      case Unit::kSecond: return add_micros(a.whole, kSecondMicros) && add_fraction(a.fraction, kSecondMicros);
      case Unit::kMinute: return add_micros(a.whole, kMinuteMicros) && add_fraction(a.fraction, kMinuteMicros);
      case Unit::kHour: return add_micros(a.whole, kHourMicros) && add_fraction(a.fraction, kHourMicros);
      case Unit::kDay: return add_days(a.whole, 1) && add_fraction(a.fraction, kDayMicros);
      case Unit::kWeek: return add_days(a.whole, 7) && add_day_fraction(a.fraction, 7);
      case Unit::kMonth: return add_months(a.whole, 1) && add_day_fraction(a.fraction, 30);
      case Unit::kYear: return add_months(a.whole, 12) && add_month_fraction(a.fraction, 12);
      case Unit::kDecade: return add_months(a.whole, 120) && add_month_fraction(a.fraction, 120);
      case Unit::kCentury: return add_months(a.whole, 1200) && add_month_fraction(a.fraction, 1200);
      case Unit::kMillennium: return add_months(a.whole, 12000) && add_month_fraction(a.fraction, 12000);
    }
    return true;
  }
};

enum class Fault : std::uint8_t { kNone, kSyntax, kOverflow };

// [sign]digits[.digits]; the sign is given apart.
bool parse_amount(std::string_view text, bool negative, Amount* out, bool* overflow) {
  const std::size_t point = std::min(text.find('.'), text.size());
  std::int64_t whole = 0;
  for (std::size_t i = 0; i < point; ++i) {
    if (!is_digit(text[i])) return false;
    if (__builtin_mul_overflow(whole, std::int64_t{10}, &whole) ||
        __builtin_add_overflow(whole, std::int64_t{text[i] - '0'}, &whole)) {
      *overflow = true;
      return true;
    }
  }
  double fraction = 0;
  if (point < text.size()) {
    const std::string decimal = "0" + std::string(text.substr(point)) + "0";
    if (std::from_chars(decimal.data(), decimal.data() + decimal.size(), fraction).ptr != decimal.data() + decimal.size())
      return false;
  }
  if (point == 0 && text.size() <= 1) return false;
  *out = {negative ? -whole : whole, negative ? -fraction : fraction};
  return true;
}

const UnitName* find_unit(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(c | 0x20);
  for (const UnitName& u : kUnitNames)
    if (u.name == lower) return &u;
  return nullptr;
}

// The unit of a bare number: seconds, or the lowest field that the type allows.
Unit default_unit(std::int32_t range) {
  if (range == kFullRange || (range & kSecondBit)) return Unit::kSecond;
  if (range & kMinuteBit) return Unit::kMinute;
  if (range & kHourBit) return Unit::kHour;
  if (range & kDayBit) return Unit::kDay;
  if (range & kMonthBit) return Unit::kMonth;
  return range & kYearBit ? Unit::kYear : Unit::kSecond;
}

struct Token {
  enum class Kind : std::uint8_t { kNumber, kClock, kYearMonth, kWord } kind;
  bool negative = false;
  bool has_sign = false;
  std::string_view text;
};

bool tokenize(std::string_view text, std::vector<Token>* out) {
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    // Punctuation but signs and points only divides.
    if (is_blank(c) || (c > 0x20 && c < 0x7f && !is_digit(c) && !is_letter(c) && c != '+' && c != '-' && c != '.')) {
      ++at;
      continue;
    }
    Token token{Token::Kind::kNumber, false, false, {}};
    if (c == '+' || c == '-') {
      token.has_sign = true;
      token.negative = c == '-';
      ++at;
      while (at < text.size() && is_blank(text[at])) ++at;
      if (at == text.size()) return false;
    }
    const std::size_t begin = at;
    if (is_digit(text[at]) || text[at] == '.') {
      while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) ++at;
      if (at < text.size() && text[at] == ':') {
        token.kind = Token::Kind::kClock;
        while (at < text.size() && (is_digit(text[at]) || text[at] == '.' || text[at] == ':')) ++at;
      } else if (at + 1 < text.size() && text[at] == '-' && is_digit(text[at + 1])) {
        token.kind = Token::Kind::kYearMonth;
        ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        if (at < text.size() && text[at] == '-') return false;   // a date
      }
    } else if (is_letter(text[at]) && !token.has_sign) {
      token.kind = Token::Kind::kWord;
      while (at < text.size() && is_letter(text[at])) ++at;
    } else {
      return false;
    }
    token.text = text.substr(begin, at - begin);
    out->push_back(token);
  }
  return !out->empty();
}

Fault add_clock(const Token& token, std::int32_t range, Sum* sum) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(token.text.find(':', begin), token.text.size());
    parts.push_back(token.text.substr(begin, end - begin));
    if (end == token.text.size()) break;
    begin = end + 1;
  }
  if (parts.size() > 3) return Fault::kSyntax;
  const bool minutes_first =
      parts.size() == 2 && (range == (kMinuteBit | kSecondBit) || parts[1].find('.') != std::string_view::npos);
  Unit units[3] = {Unit::kHour, Unit::kMinute, Unit::kSecond};
  bool overflow = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Unit unit = units[i + (minutes_first ? 1 : 0)];
    Amount amount;
    if (unit != Unit::kSecond && parts[i].find('.') != std::string_view::npos) return Fault::kSyntax;
    if (parts[i].empty()) {
      if (i + 1 < parts.size() || i == 0) return Fault::kSyntax;
      continue;
    }
    if (!parse_amount(parts[i], token.negative, &amount, &overflow)) return Fault::kSyntax;
    if (overflow || (unit != Unit::kHour && std::abs(amount.whole) > (unit == Unit::kSecond ? 60 : 59)))
      return Fault::kOverflow;
    if (!sum->add(amount, unit)) return Fault::kOverflow;
  }
  return Fault::kNone;
}

Fault parse_fields(const FormatSettings& format, std::string_view text, std::int32_t range, Sum* sum) {
  std::vector<Token> tokens;
  if (!tokenize(text, &tokens)) return Fault::kSyntax;
  // In SQL's style, one sign in front and none behind holds for every field.
  if (format.interval_style == FormatSettings::IntervalStyle::kSqlStandard && tokens[0].negative) {
    bool other_sign = false;
    for (std::size_t i = 1; i < tokens.size(); ++i) other_sign = other_sign || tokens[i].has_sign;
    if (!other_sign)
      for (Token& t : tokens) t.negative = true;
  }
  bool ago = false;
  bool overflow = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    switch (token.kind) {
      case Token::Kind::kClock: {
        constexpr std::uint32_t kClockBits = bit_of(Unit::kHour) | bit_of(Unit::kMinute) | bit_of(Unit::kSecond);
        if (sum->seen & kClockBits) return Fault::kSyntax;
        sum->seen |= kClockBits;
        const Fault fault = add_clock(token, range, sum);
        if (fault != Fault::kNone) return fault;
        break;
      }
      case Token::Kind::kYearMonth: {
        const std::size_t dash = token.text.find('-');
        Amount years, months;
        if (!parse_amount(token.text.substr(0, dash), token.negative, &years, &overflow) ||
            !parse_amount(token.text.substr(dash + 1), token.negative, &months, &overflow) || years.fraction != 0)
          return Fault::kSyntax;
        if (overflow || std::abs(months.whole) >= 12) return Fault::kOverflow;
        if (!sum->add(years, Unit::kYear) || !sum->add(months, Unit::kMonth)) return Fault::kOverflow;
        break;
      }
      case Token::Kind::kNumber: {
        Amount amount;
        if (!parse_amount(token.text, token.negative, &amount, &overflow)) return Fault::kSyntax;
        if (overflow) return Fault::kOverflow;
        Unit unit = default_unit(range);
        if (i + 1 < tokens.size() && tokens[i + 1].kind == Token::Kind::kWord) {
          const UnitName* named = find_unit(tokens[i + 1].text);
          if (named != nullptr) {
            unit = named->unit;
            ++i;
          } else {
            return Fault::kSyntax;
          }
        } else if (i + 1 < tokens.size() && tokens[i + 1].kind == Token::Kind::kClock) {
          unit = Unit::kDay;
        } else if (i + 1 < tokens.size()) {
          return Fault::kSyntax;
        }
        if (sum->seen & bit_of(unit)) return Fault::kSyntax;
        sum->seen |= bit_of(unit);
        if (!sum->add(amount, unit)) return Fault::kOverflow;
        break;
      }
      case Token::Kind::kWord:
        if (tokens.size() == 1 || token.text.size() != 3 || (token.text[0] | 0x20) != 'a' ||
            (token.text[1] | 0x20) != 'g' || (token.text[2] | 0x20) != 'o')
          return Fault::kSyntax;
        ago = true;
        break;
    }
  }
  if (ago) {
    sum->months = -sum->months;
    sum->days = -sum->days;
    sum->micros = -sum->micros;
  }
  return Fault::kNone;
}

// P1Y2M3W4DT5H6M7S and P0001-02-03T04:05:06.
Fault parse_iso(std::string_view text, Sum* sum) {
  bool in_time = false;
  std::size_t at = 1;
  bool any = false;
  bool overflow = false;
  while (at < text.size()) {
    if (text[at] == 'T') {
      if (in_time) return Fault::kSyntax;
      in_time = true;
      ++at;
      continue;
    }
    const bool negative = text[at] == '-';
    if (negative || text[at] == '+') ++at;
    const std::size_t begin = at;
    while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) ++at;
    Amount amount;
    if (!parse_amount(text.substr(begin, at - begin), negative, &amount, &overflow)) return Fault::kSyntax;
    if (overflow) return Fault::kOverflow;
    any = true;
    const char unit = at < text.size() ? text[at] : '\0';
    if (unit == '-' || unit == ':' || unit == '\0' || unit == 'T') {
      // The alternative format.
      if (in_time) {
        const Token clock{Token::Kind::kClock, negative, negative, text.substr(begin)};
        return clock.text.find(':') == std::string_view::npos ? Fault::kSyntax : add_clock(clock, kFullRange, sum);
      }
      if (!sum->add(amount, Unit::kYear)) return Fault::kOverflow;
      for (const Unit next : {Unit::kMonth, Unit::kDay}) {
        if (at == text.size() || text[at] != '-') break;
        const std::size_t from = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        if (!parse_amount(text.substr(from, at - from), negative, &amount, &overflow)) return Fault::kSyntax;
        if (overflow || !sum->add(amount, next)) return Fault::kOverflow;
      }
      continue;
    }
    ++at;
    Unit named;
    if (in_time) {
      if (unit == 'H') named = Unit::kHour;
      else if (unit == 'M') named = Unit::kMinute;
      else if (unit == 'S') named = Unit::kSecond;
      else return Fault::kSyntax;
    } else {
      if (unit == 'Y') named = Unit::kYear;
      else if (unit == 'M') named = Unit::kMonth;
      else if (unit == 'W') named = Unit::kWeek;
      else if (unit == 'D') named = Unit::kDay;
      else return Fault::kSyntax;
    }
    if (!sum->add(amount, named)) return Fault::kOverflow;
  }
  return any ? Fault::kNone : Fault::kSyntax;
}

bool fits_int32(std::int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; }

// The value's fields as they are shown.
struct Fields {
  std::int64_t years, months, days, hours, minutes, seconds;
  std::int32_t micros;

  explicit Fields(const IntervalValue& v)
      : years(v.months / 12), months(v.months % 12), days(v.days), hours(v.microseconds / kHourMicros),
        minutes(v.microseconds / kMinuteMicros % 60), seconds(v.microseconds / kSecondMicros % 60),
        micros(static_cast<std::int32_t>(v.microseconds % kSecondMicros)) {}
  bool time_zero() const { return hours == 0 && minutes == 0 && seconds == 0 && micros == 0; }
  bool time_negative() const { return hours < 0 || minutes < 0 || seconds < 0 || micros < 0; }
};

char* put(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}
std::uint32_t magnitude(std::int64_t v) { return static_cast<std::uint32_t>(v < 0 ? -v : v); }
char* put_seconds(const Fields& f, int width, char* out) {
  return write_fraction(f.micros, write_padded(magnitude(f.seconds), width, out));
}

char* write_postgres(const Fields& f, char* out) {
  bool zero = true;
  bool negative_before = false;
  const auto part = [&](std::int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (!zero) *out++ = ' ';
    if (negative_before && value > 0) *out++ = '+';
    out = write_int(value, out);
    *out++ = ' ';
    out = put(unit, out);
    if (value != 1) *out++ = 's';
    negative_before = value < 0;
    zero = false;
  };
  part(f.years, "year");
  part(f.months, "mon");
  part(f.days, "day");
  if (zero || !f.time_zero()) {
    if (!zero) *out++ = ' ';
    if (f.time_negative()) *out++ = '-';
    else if (negative_before) *out++ = '+';
    out = write_padded(magnitude(f.hours), 2, out);
    *out++ = ':';
    out = write_padded(magnitude(f.minutes), 2, out);
    *out++ = ':';
    out = put_seconds(f, 2, out);
  }
  return out;
}

char* write_verbose(const Fields& f, char* out) {
  bool zero = true;
  bool before = false;
  *out++ = '@';
  const auto part = [&](std::int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (zero) {
      before = value < 0;
      value = value < 0 ? -value : value;
    } else if (before) {
      value = -value;
    }
    *out++ = ' ';
    out = write_int(value, out);
    *out++ = ' ';
    out = put(unit, out);
    if (value != 1) *out++ = 's';
    zero = false;
  };
  part(f.years, "year");
  part(f.months, "mon");
  part(f.days, "day");
  part(f.hours, "hour");
  part(f.minutes, "min");
  if (f.seconds != 0 || f.micros != 0) {
    *out++ = ' ';
    if (f.seconds < 0 || (f.seconds == 0 && f.micros < 0)) {
      if (zero) before = true;
      else if (!before) *out++ = '-';
    } else if (before) {
      *out++ = '-';
    }
    out = put_seconds(f, 1, out);
    out = put(magnitude(f.seconds) != 1 || f.micros != 0 ? " secs" : " sec", out);
    zero = false;
  }
  if (zero) out = put(" 0", out);
  if (before) out = put(" ago", out);
  return out;
}

char* write_iso(const Fields& f, char* out) {
  if (f.years == 0 && f.months == 0 && f.days == 0 && f.time_zero()) return put("PT0S", out);
  *out++ = 'P';
  const auto part = [&](std::int64_t value, char unit) {
    if (value == 0) return;
    out = write_int(value, out);
    *out++ = unit;
  };
  part(f.years, 'Y');
  part(f.months, 'M');
  part(f.days, 'D');
  if (!f.time_zero()) *out++ = 'T';
  part(f.hours, 'H');
  part(f.minutes, 'M');
  if (f.seconds != 0 || f.micros != 0) {
    if (f.seconds < 0 || f.micros < 0) *out++ = '-';
    out = put_seconds(f, 1, out);
    *out++ = 'S';
  }
  return out;
}

char* write_sql_standard(Fields f, char* out) {
  const bool has_negative = f.years < 0 || f.months < 0 || f.days < 0 || f.time_negative();
  const bool has_positive =
      f.years > 0 || f.months > 0 || f.days > 0 || f.hours > 0 || f.minutes > 0 || f.seconds > 0 || f.micros > 0;
  const bool year_month = f.years != 0 || f.months != 0;
  const bool day_time = f.days != 0 || !f.time_zero();
  if (!has_negative && !has_positive) return put("0", out);
  const auto clock = [&] {
    out = write_uint(magnitude(f.hours), out);
    *out++ = ':';
    out = write_padded(magnitude(f.minutes), 2, out);
    *out++ = ':';
    out = put_seconds(f, 2, out);
  };
  if ((has_negative && has_positive) || (year_month && day_time)) {
    *out++ = f.years < 0 || f.months < 0 ? '-' : '+';
    out = write_uint(magnitude(f.years), out);
    *out++ = '-';
    out = write_uint(magnitude(f.months), out);
    *out++ = ' ';
    *out++ = f.days < 0 ? '-' : '+';
    out = write_uint(magnitude(f.days), out);
    *out++ = ' ';
    *out++ = f.time_negative() ? '-' : '+';
    clock();
    return out;
  }
  if (has_negative) *out++ = '-';
  if (year_month) {
    out = write_uint(magnitude(f.years), out);
    *out++ = '-';
    return write_uint(magnitude(f.months), out);
  }
  if (f.days != 0) {
    out = write_uint(magnitude(f.days), out);
    *out++ = ' ';
  }
  clock();
  return out;
}

}  // namespace

Status parse_interval(const FormatSettings& format, std::int32_t typmod, std::string_view text, IntervalValue* out) {
  const std::int32_t range = typmod >= 0 ? (typmod >> 16) & kFullRange : kFullRange;
  constexpr std::size_t kMostBytes = 255;   // as interval_in()'s buffer
  Sum sum;
  const std::string_view body = trim_blanks(text);
  Fault fault = !body.empty() && body[0] == 'P' ? parse_iso(body, &sum)
                : more_than_blanks(body, kMostBytes)        ? Fault::kSyntax
                                                            : parse_fields(format, body, range, &sum);
  if (fault == Fault::kNone && (!fits_int32(sum.months) || !fits_int32(sum.days))) fault = Fault::kOverflow;
  if (fault == Fault::kSyntax)
    return {sqlstate::invalid_datetime_format, "invalid input syntax for type interval: \"" + std::string(text) + "\""};
  if (fault == Fault::kOverflow)
    return {sqlstate::interval_field_overflow, "interval field value out of range: \"" + std::string(text) + "\""};
  *out = {sum.micros, static_cast<std::int32_t>(sum.days), static_cast<std::int32_t>(sum.months)};
  return apply_interval_typmod(typmod, out);
}

char* write_interval(const FormatSettings& format, const IntervalValue& value, char* out) {
  const Fields fields(value);
  switch (format.interval_style) {
    case FormatSettings::IntervalStyle::kPostgres: return write_postgres(fields, out);
    case FormatSettings::IntervalStyle::kPostgresVerbose: return write_verbose(fields, out);
    case FormatSettings::IntervalStyle::kSqlStandard: return write_sql_standard(fields, out);
    case FormatSettings::IntervalStyle::kIso8601: return write_iso(fields, out);
  }
  return out;
}

Status apply_interval_typmod(std::int32_t typmod, IntervalValue* value) {
  if (typmod < 0) return {};
  const std::int32_t range = (typmod >> 16) & kFullRange;
  const std::int32_t precision = typmod & kFullPrecision;
  const auto cut = [value](std::int64_t unit) { value->microseconds = value->microseconds / unit * unit; };
  if (range != kFullRange && !(range & kSecondBit)) {
    if (range & kMinuteBit) {
      cut(kMinuteMicros);
    } else if (range & kHourBit) {
      cut(kHourMicros);
    } else if (range & kDayBit) {
      value->microseconds = 0;
    } else {
      value->microseconds = 0;
      value->days = 0;
      if (!(range & kMonthBit)) value->months = value->months / 12 * 12;
    }
  }
  if (precision != kFullPrecision) value->microseconds = round_micros(value->microseconds, precision);
  return {};
}

}  // namespace wandian::sql
