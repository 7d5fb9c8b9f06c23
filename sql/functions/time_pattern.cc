#include "sql/functions/time_pattern.h"

#include <algorithm>

#include "sql/types/number_text.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

struct Word {
  std::string_view text;   // matched as it is: MONTH, Month and month are words, mOnth is none
  TimeKey key;
  bool digits;
  Convention convention = Convention::kNone;
};
constexpr auto kG = Convention::kGregorian;
constexpr auto kW = Convention::kIsoWeek;
// Longer words first where one begins another.
constexpr Word kWords[] = {
    {"A.D.", TimeKey::kADDots, false}, {"A.M.", TimeKey::kAMDots, false}, {"AD", TimeKey::kAD, false}, {"AM", TimeKey::kAM, false},
    {"B.C.", TimeKey::kADDots, false}, {"BC", TimeKey::kAD, false}, {"CC", TimeKey::kCC, true},
    {"DAY", TimeKey::kDay, false}, {"DDD", TimeKey::kDDD, true, kG}, {"DD", TimeKey::kDD, true, kG}, {"DY", TimeKey::kDy, false},
    {"Day", TimeKey::kDay, false}, {"Dy", TimeKey::kDy, false}, {"D", TimeKey::kD, true, kG},
    {"FF1", TimeKey::kFF1, true}, {"FF2", TimeKey::kFF2, true}, {"FF3", TimeKey::kFF3, true}, {"FF4", TimeKey::kFF4, true},
    {"FF5", TimeKey::kFF5, true}, {"FF6", TimeKey::kFF6, true}, {"FX", TimeKey::kFX, false},
    {"HH24", TimeKey::kHH24, true}, {"HH12", TimeKey::kHH12, true}, {"HH", TimeKey::kHH12, true},
    {"IDDD", TimeKey::kIDDD, true, kW}, {"ID", TimeKey::kID, true, kW}, {"IW", TimeKey::kIW, true, kW},
    {"IYYY", TimeKey::kIYYY, true, kW}, {"IYY", TimeKey::kIYY, true, kW}, {"IY", TimeKey::kIY, true, kW},
    {"I", TimeKey::kI, true, kW}, {"J", TimeKey::kJ, true},
    {"MI", TimeKey::kMI, true}, {"MM", TimeKey::kMM, true, kG}, {"MONTH", TimeKey::kMonth, false, kG},
    {"MON", TimeKey::kMon, false, kG}, {"MS", TimeKey::kMS, true}, {"Month", TimeKey::kMonth, false, kG},
    {"Mon", TimeKey::kMon, false, kG}, {"OF", TimeKey::kOF, false},
    {"P.M.", TimeKey::kAMDots, false}, {"PM", TimeKey::kAM, false}, {"Q", TimeKey::kQ, true}, {"RM", TimeKey::kRM, false, kG},
    {"SSSSS", TimeKey::kSSSS, true}, {"SSSS", TimeKey::kSSSS, true}, {"SS", TimeKey::kSS, true},
    {"TZH", TimeKey::kTZH, false}, {"TZM", TimeKey::kTZM, true}, {"TZ", TimeKey::kTZ, false}, {"US", TimeKey::kUS, true},
    {"WW", TimeKey::kWW, true, kG}, {"W", TimeKey::kW, true, kG},
    {"Y,YYY", TimeKey::kYcommaYYY, true, kG}, {"YYYY", TimeKey::kYYYY, true, kG}, {"YYY", TimeKey::kYYY, true, kG},
    {"YY", TimeKey::kYY, true, kG}, {"Y", TimeKey::kY, true, kG},
};

// A word's lower form is matched too; of those in two cases (Day, Month) there is none of their own.
bool begins_with(std::string_view text, std::string_view word) {
  if (text.starts_with(word)) return true;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [&](char a, char b) { return lower(a) == b; });
}
const Word* find_word(std::string_view text) {
  for (const Word& word : kWords)
    if (begins_with(text, word.text)) return &word;
  return nullptr;
}

class Reader {
 public:
  explicit Reader(std::string_view pattern) : pattern_(pattern) {}

  std::vector<TimePiece> run() {
    while (at_ < pattern_.size()) {
      const std::string_view start = rest();
      const bool fill = !(start.starts_with("FM") || start.starts_with("fm"));
      const bool translated = start.starts_with("TM") || start.starts_with("tm");
      if (!fill || translated) at_ += 2;
      if (const Word* word = find_word(rest())) {
        field(*word, fill, translated);
      } else if (at_ < pattern_.size()) {
        if (pattern_[at_] == '"') {
          quoted();
        } else {
          if (rest().starts_with("\\\"")) ++at_;
          literal(false);
        }
      }
    }
    return std::move(pieces_);
  }

 private:
  std::string_view rest() const { return pattern_.substr(at_); }

  void field(const Word& word, bool fill, bool translated) {
    TimePiece piece{TimePiece::Kind::kField, pattern_.substr(at_, word.text.size()), word.key, word.digits, word.convention, fill,
                    translated};
    at_ += word.text.size();
    const std::string_view suffix = pattern_.substr(at_, 2);
    if (suffix == "TH" || suffix == "th") piece.ordinal = suffix == "TH" ? 1 : 2;
    if (piece.ordinal != 0 || suffix == "SP") at_ += 2;
    pieces_.push_back(piece);
  }
  void quoted() {
    for (++at_; at_ < pattern_.size() && pattern_[at_] != '"';) {
      if (pattern_[at_] == '\\' && at_ + 1 < pattern_.size()) ++at_;
      literal(true);
    }
    if (at_ < pattern_.size()) ++at_;
  }
  void literal(bool in_quotes) {
    const std::size_t n = std::min(utf8_bytes(pattern_[at_]), pattern_.size() - at_);
    const auto kind = in_quotes                       ? TimePiece::Kind::kText
                      : is_separator(pattern_[at_]) ? TimePiece::Kind::kSeparator
                      : is_blank(pattern_[at_])     ? TimePiece::Kind::kSpace
                                                    : TimePiece::Kind::kText;
    pieces_.push_back({kind, pattern_.substr(at_, n)});
    at_ += n;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::vector<TimePiece> pieces_;
};

}  // namespace

bool is_separator(char c) {
  return c > 0x20 && c < 0x7f && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9');
}

std::vector<TimePiece> parse_time_pattern(std::string_view pattern) { return Reader(pattern).run(); }

std::int32_t julian_day(std::int32_t year, std::int32_t month, std::int32_t day) {
  // Years begin in March, so that the day of the leap year is their last.
  std::int64_t y = year + 4800ll;
  std::int64_t m = month + 1;
  if (month <= 2) {
    --y;
    m += 12;
  }
  const std::int64_t century = y / 100;
  return static_cast<std::int32_t>(y * 365 + y / 4 - century + century / 4 + 7834 * m / 256 + day - 32167);
}

std::int32_t iso_week_day(std::int32_t year, std::int32_t week) {
  const std::int32_t fourth = julian_day(year, 1, 4);   // always of the first week
  const std::int32_t weekday = fourth % 7;              // 0 = Monday
  return (week - 1) * 7 + fourth - (weekday < 0 ? weekday + 7 : weekday);
}

}  // namespace wandian::sql
