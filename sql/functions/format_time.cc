#include <algorithm>
#include <cstdlib>
#include <vector>
#include <cmath>

#include "sql/functions/datetime_math.h"
#include "sql/functions/format.h"
#include "sql/types/letter_case.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

enum class Key : std::uint8_t {
  kHH24, kHH12, kHH, kMI, kSSSSS, kSSSS, kSS, kMS, kUS, kFF1, kFF2, kFF3, kFF4, kFF5, kFF6, kAM, kAMDots, kPM, kPMDots,
  kYcommaYYY, kYYYY, kYYY, kYY, kY, kIYYY, kIYY, kIY, kI, kBC, kBCDots, kAD, kADDots, kMonth, kMon, kMM, kRM, kDay, kDy,
  kDDD, kIDDD, kDD, kID, kD, kWW, kIW, kW, kCC, kJ, kQ, kTZH, kTZM, kTZ, kOF
};
struct Word {
  std::string_view text;   // upper case
  Key key;
};
// Longer words first where one begins another.
constexpr Word kWords[] = {
    {"HH24", Key::kHH24}, {"HH12", Key::kHH12}, {"HH", Key::kHH}, {"MI", Key::kMI}, {"SSSSS", Key::kSSSSS},
    {"SSSS", Key::kSSSS}, {"SS", Key::kSS}, {"MS", Key::kMS}, {"US", Key::kUS}, {"FF1", Key::kFF1}, {"FF2", Key::kFF2},
    {"FF3", Key::kFF3}, {"FF4", Key::kFF4}, {"FF5", Key::kFF5}, {"FF6", Key::kFF6}, {"A.M.", Key::kAMDots},
    {"P.M.", Key::kPMDots}, {"AM", Key::kAM}, {"PM", Key::kPM}, {"Y,YYY", Key::kYcommaYYY}, {"YYYY", Key::kYYYY},
    {"YYY", Key::kYYY}, {"YY", Key::kYY}, {"Y", Key::kY}, {"IYYY", Key::kIYYY}, {"IYY", Key::kIYY}, {"IDDD", Key::kIDDD},
    {"IY", Key::kIY}, {"ID", Key::kID}, {"IW", Key::kIW}, {"I", Key::kI}, {"B.C.", Key::kBCDots}, {"A.D.", Key::kADDots},
    {"BC", Key::kBC}, {"AD", Key::kAD}, {"MONTH", Key::kMonth}, {"MON", Key::kMon}, {"MM", Key::kMM}, {"RM", Key::kRM},
    {"DAY", Key::kDay}, {"DY", Key::kDy}, {"DDD", Key::kDDD}, {"DD", Key::kDD}, {"D", Key::kD}, {"WW", Key::kWW},
    {"W", Key::kW}, {"CC", Key::kCC}, {"J", Key::kJ}, {"Q", Key::kQ}, {"TZH", Key::kTZH}, {"TZM", Key::kTZM},
    {"TZ", Key::kTZ}, {"OF", Key::kOF},
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool begins_with(std::string_view text, std::string_view upper_word) {
  return text.size() >= upper_word.size() &&
         std::equal(upper_word.begin(), upper_word.end(), text.begin(), [](char a, char b) { return a == upper(b); });
}

// One piece of a pattern: a word with its modifiers, or literal text.
struct Piece {
  bool literal = false;
  std::string_view text;   // as written in the pattern
  Key key{};
  bool fill = true;        // no FM
  bool exact = false;      // FX came before
  int ordinal = 0;         // 1 TH, 2 th
};

std::vector<Piece> take_apart(std::string_view pattern, std::vector<std::string>* storage) {
  std::vector<Piece> out;
  bool fill = true;
  bool exact = false;
  storage->reserve(pattern.size() + 1);
  for (std::size_t i = 0; i < pattern.size();) {
    const std::string_view rest = pattern.substr(i);
    if (begins_with(rest, "FM")) {
      fill = false;
      i += 2;
      continue;
    }
    if (begins_with(rest, "FX")) {
      exact = true;
      i += 2;
      continue;
    }
    if (begins_with(rest, "TM")) {
      fill = false;  // a translated name is as long as it is
      i += 2;
      continue;
    }
    const Word* found = nullptr;
    for (const Word& w : kWords)
      if (begins_with(rest, w.text)) {
        found = &w;
        break;
      }
    if (found != nullptr) {
      Piece piece;
      piece.text = rest.substr(0, found->text.size());
      piece.key = found->key;
      piece.fill = fill;
      piece.exact = exact;
      fill = true;
      i += found->text.size();
      const std::string_view after = pattern.substr(i, 2);
      if (after == "TH" || after == "th") {
        piece.ordinal = after == "TH" ? 1 : 2;
        i += 2;
      }
      out.push_back(piece);
      continue;
    }
    if (rest[0] == '"') {
      std::string text;
      ++i;
      while (i < pattern.size() && pattern[i] != '"') {
        if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
        text.push_back(pattern[i++]);
      }
      if (i < pattern.size()) ++i;
      storage->push_back(std::move(text));
      Piece piece;
      piece.literal = true;
      piece.text = storage->back();
      piece.ordinal = -1;   // quoted
      out.push_back(piece);
      continue;
    }
    std::size_t n = 1;
    if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') {
      ++i;
    } else {
      while (i + n < pattern.size() && (pattern[i + n] & 0xc0) == 0x80) ++n;
    }
    Piece piece;
    piece.literal = true;
    piece.text = pattern.substr(i, n);
    out.push_back(piece);
    i += n;
  }
  return out;
}

std::string_view ordinal_suffix(std::int64_t n) {
  const std::int64_t last = (n < 0 ? -n : n) % 100;
  if (last / 10 != 1) {
    if (last % 10 == 1) return "ST";
    if (last % 10 == 2) return "ND";
    if (last % 10 == 3) return "RD";
  }
  return "TH";
}

// As the word is written: MONTH, Month or month.
std::string in_case_of(std::string_view word, std::string_view text) {
  std::string out(text);
  const bool first_upper = word[0] >= 'A' && word[0] <= 'Z';
  const bool second_upper = word.size() > 1 && word[1] >= 'A' && word[1] <= 'Z';
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = first_upper && (i == 0 || second_upper) ? upper(out[i]) : lower(out[i]);
  return out;
}

constexpr const char* kRoman[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

class Writer {
 public:
  Writer(const FormatInput& input, std::string* out) : in_(input), t_(input.time), out_(*out) {
    if (!in_.interval) days_ = days_from_civil(t_.year, t_.month, t_.day);
  }

  Status write(const Piece& p) {
    switch (p.key) {
      case Key::kHH24: return number(p, t_.hour, 2);
      case Key::kHH12:
      case Key::kHH: return number(p, t_.hour % 12 == 0 ? 12 : t_.hour % 12, 2);
      case Key::kMI: return number(p, t_.minute, 2);
      case Key::kSS: return number(p, t_.second, 2);
      case Key::kSSSSS:
      case Key::kSSSS: return number(p, t_.hour * 3600 + t_.minute * 60 + t_.second, 0);
      case Key::kMS: case Key::kFF3: return number(p, t_.micros / 1000, 3, true);
      case Key::kUS: case Key::kFF6: return number(p, t_.micros, 6, true);
      case Key::kFF1: return number(p, t_.micros / 100000, 1, true);
      case Key::kFF2: return number(p, t_.micros / 10000, 2, true);
      case Key::kFF4: return number(p, t_.micros / 100, 4, true);
      case Key::kFF5: return number(p, t_.micros / 10, 5, true);
      case Key::kAM: case Key::kPM: case Key::kAMDots: case Key::kPMDots: {
        const bool afternoon = t_.hour % 24 >= 12;
        const bool dots = p.key == Key::kAMDots || p.key == Key::kPMDots;
        return word(p, dots ? (afternoon ? "P.M." : "A.M.") : (afternoon ? "PM" : "AM"));
      }
      case Key::kTZ:
        if (in_.interval) return no_intervals();
        out_ += p.text[0] >= 'a' ? lowered(in_.zone_name) : std::string(in_.zone_name);
        return {};
      case Key::kTZH: return offset_hours(true);
      case Key::kTZM: return number(p, std::abs(in_.zone_offset) % 3600 / 60, 2);
      case Key::kOF: {
        const Status status = offset_hours(true);
        if (std::abs(in_.zone_offset) % 3600 != 0) {
          out_ += ':';
          put(std::abs(in_.zone_offset) % 3600 / 60, 2);
        }
        return status.ok() ? Status() : status.clone();
      }
      case Key::kYcommaYYY: {
        const std::int32_t y = shown_year();
        out_ += std::to_string(y / 1000) + ",";
        put(y % 1000, 3);
        return suffix(p, y);
      }
      case Key::kYYYY: return number(p, shown_year(), in_.interval ? (shown_year() < 0 ? 5 : 4) : 4);
      case Key::kYYY: return number(p, shown_year() % 1000, 3);
      case Key::kYY: return number(p, shown_year() % 100, 2);
      case Key::kY: return number(p, shown_year() % 10, 1);
      case Key::kCC: {
        const std::int32_t y = t_.year;
        if (in_.interval) return number(p, y / 100, 2);
        const std::int32_t century = y > 0 ? (y + 99) / 100 : -((99 - (y - 1)) / 100);
        return number(p, century, 2);
      }
      default: break;
    }
    if (p.key == Key::kMM) return number(p, t_.month, 2);
    if (p.key == Key::kDD) return number(p, t_.day, 2);
    if (p.key == Key::kQ) {
      if (t_.month != 0) out_ += std::to_string((t_.month - 1) / 3 + 1);
      return {};
    }
    if (p.key == Key::kDDD)
      return number(p, in_.interval ? t_.year * 360 + t_.month * 30 + t_.day : days_ - days_from_civil(t_.year, 1, 1) + 1, 3);
    if (p.key == Key::kRM) {
      if (t_.month == 0) return {};
      std::string text = kRoman[t_.month - 1];
      if (p.text[0] == 'r') text = lowered(text);
      if (p.fill) text.resize(std::max<std::size_t>(text.size(), 4), ' ');
      out_ += text;
      return {};
    }
    if (in_.interval) {
      // An interval has no weeks: the year of its weeks is its year.
      switch (p.key) {
        case Key::kIYYY: return number(p, t_.year, 4);
        case Key::kIYY: return number(p, t_.year % 1000, 3);
        case Key::kIY: return number(p, t_.year % 100, 2);
        case Key::kI: return number(p, t_.year % 10, 1);
        default: return no_intervals();
      }
    }
    std::int32_t iso_year, iso_week_number;
    iso_week(days_, &iso_year, &iso_week_number);
    const std::int32_t iso_shown = iso_year > 0 ? iso_year : 1 - iso_year;
    const std::int32_t weekday = weekday_of(days_);
    switch (p.key) {
      case Key::kBC: case Key::kAD: return word(p, t_.year <= 0 ? "BC" : "AD");
      case Key::kBCDots: case Key::kADDots: return word(p, t_.year <= 0 ? "B.C." : "A.D.");
      case Key::kMonth: return name(p, kMonthNames[t_.month - 1], 9);
      case Key::kMon: return name(p, std::string_view(kMonthNames[t_.month - 1]).substr(0, 3), 0);
      case Key::kDay: return name(p, kWeekdayNames[weekday], 9);
      case Key::kDy: return name(p, std::string_view(kWeekdayNames[weekday]).substr(0, 3), 0);
      case Key::kIYYY: return number(p, iso_shown, 4);
      case Key::kIYY: return number(p, iso_shown % 1000, 3);
      case Key::kIY: return number(p, iso_shown % 100, 2);
      case Key::kI: return number(p, iso_shown % 10, 1);
      case Key::kIDDD: return number(p, (iso_week_number - 1) * 7 + (weekday == 0 ? 7 : weekday), 3);
      case Key::kID: return number(p, weekday == 0 ? 7 : weekday, 0);
      case Key::kD: return number(p, weekday + 1, 0);
      case Key::kWW: return number(p, (days_ - days_from_civil(t_.year, 1, 1)) / 7 + 1, 2);
      case Key::kIW: return number(p, iso_week_number, 2);
      case Key::kW: return number(p, (t_.day - 1) / 7 + 1, 0);
      case Key::kJ: return number(p, days_ + kJulianDays, 0);
      default: return {};
    }
  }

 private:
  static Status no_intervals() {
    return Status{sqlstate::invalid_datetime_format, "invalid format specification for an interval value"}.with_hint(
        "Intervals are not tied to specific calendar dates.");
  }
  static std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = lower(c);
    return out;
  }
  std::int32_t shown_year() const { return in_.interval || t_.year > 0 ? t_.year : 1 - t_.year; }
  void put(std::int64_t v, int width) {
    char text[kNumberTextBytes];
    if (v < 0) {
      out_ += '-';
      v = -v;
      width = std::max(width, 0);
    }
    out_.append(text, write_padded(static_cast<std::uint32_t>(v), width, text));
  }
  Status suffix(const Piece& p, std::int64_t v) {
    if (p.ordinal != 0) {
      const std::string_view s = ordinal_suffix(v);
      out_ += p.ordinal == 1 ? std::string(s) : lowered(s);
    }
    return {};
  }
  Status number(const Piece& p, std::int64_t v, int width, bool always = false) {
    put(v, p.fill || always ? width : 0);
    return suffix(p, v);
  }
  Status word(const Piece& p, std::string_view text) {
    out_ += p.text[0] >= 'a' ? lowered(text) : std::string(text);
    return {};
  }
  Status name(const Piece& p, std::string_view text, std::size_t width) {
    std::string shown = in_case_of(p.text, text);
    if (p.fill && width > shown.size()) shown.resize(width, ' ');
    out_ += shown;
    return {};
  }
  Status offset_hours(bool sign) {
    if (in_.interval) return no_intervals();
    if (sign) out_ += in_.zone_offset < 0 ? '-' : '+';
    put(std::abs(in_.zone_offset) / 3600, 2);
    return {};
  }

  const FormatInput& in_;
  const BrokenTime& t_;
  std::string& out_;
  std::int32_t days_ = 0;
};

// What a text gave for each field.
struct Fields {
  std::optional<std::int32_t> year, month, day, day_of_year, hour, minute, second, micros, julian, century, seconds_of_day;
  std::optional<std::int32_t> iso_year, iso_week, iso_day, week, week_of_month, zone_hours, zone_minutes;
  std::optional<bool> afternoon;
  bool bc = false, twelve = false, year_short = false, zone_negative = false;
};

class Reader {
 public:
  Reader(std::string_view text) : text_(text) {}

  Status read(const std::vector<Piece>& pieces, Fields* f) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece& p = pieces[i];
      if (at_ >= text_.size()) break;
      if (p.literal) {
        literal(p);
        continue;
      }
      if (!p.exact) skip_blanks();
      const bool next_is_digit = i + 1 < pieces.size() && !pieces[i + 1].literal;
      WANDIAN_TRY(field(p, next_is_digit, f));
    }
    return {};
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  // A separator in the pattern passes any one separator, and blanks; other literal text is passed by length.
  void literal(const Piece& p) {
    const bool separator = p.ordinal != -1 && p.text.size() == 1 &&
                           !((lower(p.text[0]) >= 'a' && lower(p.text[0]) <= 'z') || (p.text[0] >= '0' && p.text[0] <= '9'));
    if (separator) {
      if (!p.exact) skip_blanks();
      if (at_ < text_.size() && !is_blank(p.text[0]) && is_separator(text_[at_])) ++at_;
      else if (at_ < text_.size() && is_blank(p.text[0]) && is_separator(text_[at_]) && text_[at_] != '-' && text_[at_] != '+') ++at_;
      return;
    }
    at_ = std::min(text_.size(), at_ + p.text.size());
  }
  static bool is_separator(char c) {
    return c > 0x20 && c < 0x7f && !((lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'));
  }

  Status number(const Piece& p, int width, bool limited, std::optional<std::int32_t>* out, int* digits = nullptr) {
    bool negative = false;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) negative = text_[at_++] == '-';
    const std::size_t begin = at_;
    std::int64_t v = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' &&
           (!limited || static_cast<int>(at_ - begin) < width)) {
      v = std::min<std::int64_t>(v * 10 + (text_[at_] - '0'), INT32_MAX + 1ll);
      ++at_;
    }
    if (at_ == begin)
      return Status{sqlstate::invalid_datetime_format, "invalid value \"" + std::string(text_.substr(begin, static_cast<std::size_t>(std::max(width, 1)))) +
                                                           "\" for \"" + std::string(p.text) + "\""}
          .with_detail("Value must be an integer.");
    if (v > INT32_MAX)
      return Status{sqlstate::datetime_field_overflow, "value for \"" + std::string(p.text) + "\" in source string is out of range"}
          .with_detail("Value must be in the range -2147483648 to 2147483647.");
    *out = static_cast<std::int32_t>(negative ? -v : v);
    if (digits != nullptr) *digits = static_cast<int>(at_ - begin);
    if (p.ordinal > 0) at_ = std::min(text_.size(), at_ + 2);
    return {};
  }

  // One of several words, in any case; index in *which.
  template <class Get>
  Status word(const Piece& p, int count, const Get& get, std::int32_t* which) {
    std::size_t best = 0;
    for (int i = 0; i < count; ++i) {
      const std::string_view w = get(i);
      const std::string_view here = text_.substr(at_, w.size());
      if (w.size() > best && here.size() == w.size() &&
          std::equal(w.begin(), w.end(), here.begin(), [](char a, char b) { return lower(a) == lower(b); })) {
        best = w.size();
        *which = i;
      }
    }
    if (best == 0) {
      std::size_t end = at_;
      while (end < text_.size() && !is_blank(text_[end])) ++end;
      return Status{sqlstate::invalid_datetime_format,
                    "invalid value \"" + std::string(text_.substr(at_, end - at_)) + "\" for \"" + std::string(p.text) + "\""}
          .with_detail("The given value did not match any of the allowed values for this field.");
    }
    at_ += best;
    return {};
  }

  Status field(const Piece& p, bool limited, Fields* f) {
    std::int32_t which = 0;
    int digits = 0;
    switch (p.key) {
      case Key::kHH24: return number(p, 2, limited, &f->hour);
      case Key::kHH12:
      case Key::kHH: f->twelve = true; return number(p, 2, limited, &f->hour);
      case Key::kMI: return number(p, 2, limited, &f->minute);
      case Key::kSS: return number(p, 2, limited, &f->second);
      case Key::kSSSSS:
      case Key::kSSSS: return number(p, 5, limited, &f->seconds_of_day);
      case Key::kMS: case Key::kUS: case Key::kFF1: case Key::kFF2: case Key::kFF3: case Key::kFF4: case Key::kFF5:
      case Key::kFF6: {
        const int width = p.key == Key::kMS ? 3 : p.key == Key::kUS ? 6 : static_cast<int>(p.key) - static_cast<int>(Key::kFF1) + 1;
        std::optional<std::int32_t> v;
        WANDIAN_TRY(number(p, width, true, &v, &digits));
        for (int i = digits; i < 6; ++i) v = *v * 10;
        f->micros = *v;
        return {};
      }
      case Key::kAM: case Key::kPM: {
        WANDIAN_TRY(word(p, 2, [](int i) { return std::string_view(i == 0 ? "AM" : "PM"); }, &which));
        f->afternoon = which == 1;
        f->twelve = true;
        return {};
      }
      case Key::kAMDots: case Key::kPMDots: {
        WANDIAN_TRY(word(p, 2, [](int i) { return std::string_view(i == 0 ? "A.M." : "P.M."); }, &which));
        f->afternoon = which == 1;
        f->twelve = true;
        return {};
      }
      case Key::kBC: case Key::kAD:
        WANDIAN_TRY(word(p, 2, [](int i) { return std::string_view(i == 0 ? "AD" : "BC"); }, &which));
        f->bc = which == 1;
        return {};
      case Key::kBCDots: case Key::kADDots:
        WANDIAN_TRY(word(p, 2, [](int i) { return std::string_view(i == 0 ? "A.D." : "B.C."); }, &which));
        f->bc = which == 1;
        return {};
      case Key::kMonth:
        WANDIAN_TRY(word(p, 12, [](int i) { return std::string_view(kMonthNames[i]); }, &which));
        f->month = which + 1;
        return {};
      case Key::kMon:
        WANDIAN_TRY(word(p, 12, [](int i) { return std::string_view(kMonthNames[i]).substr(0, 3); }, &which));
        f->month = which + 1;
        return {};
      case Key::kRM:
        WANDIAN_TRY(word(p, 12, [](int i) { return std::string_view(kRoman[i]); }, &which));
        f->month = which + 1;
        return {};
      case Key::kDay: return word(p, 7, [](int i) { return std::string_view(kWeekdayNames[i]); }, &which);
      case Key::kDy: return word(p, 7, [](int i) { return std::string_view(kWeekdayNames[i]).substr(0, 3); }, &which);
      case Key::kMM: return number(p, 2, limited, &f->month);
      case Key::kDD: return number(p, 2, limited, &f->day);
      case Key::kDDD: return number(p, 3, limited, &f->day_of_year);
      case Key::kYcommaYYY: {
        std::optional<std::int32_t> thousands;
        WANDIAN_TRY(number(p, 1, true, &thousands));
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
        WANDIAN_TRY(number(p, 3, true, &f->year));
        f->year = *f->year + *thousands * 1000;
        return {};
      }
      case Key::kYYYY:
        return number(p, 4, limited, &f->year);
      case Key::kYYY: case Key::kYY: case Key::kY: {
        const int width = static_cast<int>(p.text.size());
        WANDIAN_TRY(number(p, width, limited, &f->year, &digits));
        if (digits < 4) adjust_year(&f->year, digits);
        f->year_short = true;
        return {};
      }
      case Key::kIYYY: case Key::kIYY: case Key::kIY: case Key::kI:
        WANDIAN_TRY(number(p, static_cast<int>(p.text.size()), limited, &f->iso_year, &digits));
        if (digits < 4 && p.key != Key::kIYYY) adjust_year(&f->iso_year, digits);
        return {};
      case Key::kIW: return number(p, 2, limited, &f->iso_week);
      case Key::kID: return number(p, 1, true, &f->iso_day);
      case Key::kWW: return number(p, 2, limited, &f->week);
      case Key::kW: return number(p, 1, true, &f->week_of_month);
      case Key::kCC: return number(p, 2, limited, &f->century);
      case Key::kJ: return number(p, 7, limited, &f->julian);
      case Key::kQ: case Key::kD: case Key::kIDDD: {
        std::optional<std::int32_t> ignored;
        return number(p, static_cast<int>(p.text.size()), limited, &ignored);
      }
      case Key::kTZH:
        f->zone_negative = at_ < text_.size() && text_[at_] == '-';
        if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
        return number(p, 2, true, &f->zone_hours);
      case Key::kTZM: return number(p, 2, true, &f->zone_minutes);
      case Key::kTZ: case Key::kOF:
        return {sqlstate::feature_not_supported,
                "formatting field \"" + std::string(p.text) + "\" is only supported in to_char"};
    }
    return {};
  }

  // Years of fewer than four digits are nearest to 2020.
  static void adjust_year(std::optional<std::int32_t>* year, int digits) {
    std::int32_t y = **year;
    if (digits <= 2) y += y < 70 ? 2000 : y < 100 ? 1900 : 0;
    else if (digits == 3) y += y < 520 ? 2000 : 1000;
    *year = y;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Status format_time(std::string_view pattern, const FormatInput& input, std::string* out) {
  std::vector<std::string> storage;
  Writer writer(input, out);
  for (const Piece& p : take_apart(pattern, &storage)) {
    if (p.literal) *out += p.text;
    else WANDIAN_TRY(writer.write(p));
  }
  return {};
}

Status parse_time_by(std::string_view pattern, std::string_view text, ParsedTime* out) {
  std::vector<std::string> storage;
  Fields f;
  WANDIAN_TRY(Reader(text).read(take_apart(pattern, &storage), &f));
  const auto out_of_range = [&] {
    return Status{sqlstate::datetime_field_overflow, "date/time field value out of range: \"" + std::string(text) + "\""};
  };
  BrokenTime t;
  t.year = 0;   // 1 BC, which is what nothing given means
  bool has_year = false;
  if (f.seconds_of_day) {
    f.hour = *f.seconds_of_day / 3600;
    f.minute = *f.seconds_of_day / 60 % 60;
    f.second = *f.seconds_of_day % 60;
  }
  t.hour = f.hour.value_or(0);
  if (f.twelve && f.hour) {
    if (t.hour < 1 || t.hour > 12)
      return Status{sqlstate::invalid_datetime_format, "hour \"" + std::to_string(t.hour) + "\" is invalid for the 12-hour clock"}
          .with_hint("Use the 24-hour clock, or give an hour between 1 and 12.");
    if (f.afternoon.value_or(false) && t.hour < 12) t.hour += 12;
    else if (!f.afternoon.value_or(true) && t.hour == 12) t.hour = 0;
  }
  t.minute = f.minute.value_or(0);
  t.second = f.second.value_or(0);
  t.micros = f.micros.value_or(0);
  if (f.year) {
    t.year = *f.year;
    has_year = true;
    if (f.bc) t.year = t.year > 0 ? 1 - t.year : t.year;
    else if (t.year < 0) t.year += 1;
    if (f.century && f.year_short) t.year = t.year % 100 + (*f.century - 1) * 100;
  } else if (f.century) {
    t.year = (f.bc ? -*f.century : *f.century) * 100 - 99;
    has_year = true;
  }
  t.month = f.month.value_or(1);
  t.day = f.day.value_or(1);
  std::optional<std::int32_t> days;
  if (f.julian) days = *f.julian - kJulianDays;
  else if (f.iso_week) {
    const std::int32_t january4 = days_from_civil(f.iso_year.value_or(t.year), 1, 4);
    const std::int32_t monday = january4 - (weekday_of(january4) + 6) % 7;
    days = monday + (*f.iso_week - 1) * 7 + f.iso_day.value_or(1) - 1;
  } else if (f.iso_year) {
    t.year = *f.iso_year;
    has_year = true;
  }
  if (f.week_of_month) t.day = (*f.week_of_month - 1) * 7 + 1;
  if (f.week && !f.day_of_year) f.day_of_year = (*f.week - 1) * 7 + 1;
  if (f.day_of_year && !days && !f.month) {
    if (!has_year)
      return {sqlstate::invalid_datetime_format, "cannot calculate day of year without year information"};
    if (*f.day_of_year < 1 || *f.day_of_year > (is_leap_year(t.year) ? 366 : 365)) return out_of_range();
    days = days_from_civil(t.year, 1, 1) + *f.day_of_year - 1;
  }
  if (days) civil_from_days(*days, &t.year, &t.month, &t.day);
  if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.day > days_in_month(t.year, t.month) || t.hour < 0 ||
      t.hour > 23 || t.minute < 0 || t.minute > 59 || t.second < 0 || t.second > 59)
    return out_of_range();
  out->time = t;
  if (f.zone_hours) {
    const std::int32_t seconds = *f.zone_hours * 3600 + f.zone_minutes.value_or(0) * 60;
    out->zone_offset = f.zone_negative ? -seconds : seconds;
  }
  return {};
}

}  // namespace wandian::sql
