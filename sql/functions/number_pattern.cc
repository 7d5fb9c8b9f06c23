#include "sql/functions/number_pattern.h"

#include <algorithm>
#include <optional>

#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

using Mark = NumberPattern::Mark;

enum class Word : std::uint8_t {
  kComma, kPoint, kZero, kNine, kBlank, kLocalPoint, kExponent, kFill, kGroup, kCurrency, kMinus, kPlus, kAngle, kRoman, kSignBoth,
  kSpelled, kSign, kOrdinal, kShift
};
struct Name {
  std::string_view upper, lower;
  Word word;
};
// Longer names first where one begins another.
constexpr Name kNames[] = {
    {",", ",", Word::kComma}, {".", ".", Word::kPoint}, {"0", "0", Word::kZero}, {"9", "9", Word::kNine}, {"B", "b", Word::kBlank},
    {"C", "c", Word::kSpelled}, {"D", "d", Word::kLocalPoint}, {"EEEE", "eeee", Word::kExponent}, {"FM", "fm", Word::kFill},
    {"G", "g", Word::kGroup}, {"L", "l", Word::kCurrency}, {"MI", "mi", Word::kMinus}, {"PL", "pl", Word::kPlus},
    {"PR", "pr", Word::kAngle}, {"RN", "rn", Word::kRoman}, {"SG", "sg", Word::kSignBoth}, {"SP", "sp", Word::kSpelled},
    {"S", "s", Word::kSign}, {"TH", "th", Word::kOrdinal}, {"V", "v", Word::kShift},
};

Status refuse(std::string message) { return {sqlstate::syntax_error, std::move(message)}; }

class Reader {
 public:
  Reader(std::string_view text, NumberPattern* out) : text_(text), p_(*out) {}

  Status run() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      const Name* found = nullptr;
      for (const Name& name : kNames)
        if (rest.starts_with(name.upper) || rest.starts_with(name.lower)) {
          found = &name;
          break;
        }
      if (found != nullptr) {
        lower_ = rest[0] >= 'a';
        at_ += found->upper.size();
        WANDIAN_TRY(take(found->word));
      } else if (rest[0] == '"') {
        quoted();
      } else {
        if (rest.starts_with("\\\"")) ++at_;
        literal();
      }
    }
    return {};
  }

 private:
  void literal() {
    const std::size_t n = std::min(utf8_bytes(text_[at_]), text_.size() - at_);
    p_.pieces.push_back({Mark::kLiteral, false, text_.substr(at_, n)});
    at_ += n;
  }
  void quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      literal();
    }
    if (at_ < text_.size()) ++at_;
  }
  void add(Mark mark) { p_.pieces.push_back({mark, lower_, {}}); }

  Status take(Word word) {
    if (p_.exponent && word != Word::kExponent) return refuse("\"EEEE\" must be the last pattern used");
    switch (word) {
      case Word::kNine:
      case Word::kZero: return digit(word);
      case Word::kPoint:
      case Word::kLocalPoint:
        if (p_.point) return refuse("multiple decimal points");
        if (p_.shifting) return refuse("cannot use \"V\" and decimal point together");
        p_.point = true;
        add(Mark::kPoint);
        return {};
      case Word::kComma:
      case Word::kGroup: add(Mark::kComma); return {};
      case Word::kCurrency: add(Mark::kCurrency); return {};
      case Word::kOrdinal: add(Mark::kOrdinal); return {};
      case Word::kRoman:
        p_.roman = true;
        add(Mark::kRoman);
        return {};
      case Word::kFill:
        p_.fill_mode = true;
        add(Mark::kSilent);
        return {};
      case Word::kBlank:
        if (p_.before == 0 && p_.after == 0 && !p_.zero) blank_ = true;
        add(Mark::kSilent);
        return {};
      case Word::kSpelled: add(Mark::kSilent); return {};
      case Word::kShift:
        if (p_.point) return refuse("cannot use \"V\" and decimal point together");
        p_.shifting = true;
        add(Mark::kSilent);
        return {};
      case Word::kExponent:
        if (p_.exponent) return refuse("cannot use \"EEEE\" twice");
        if (p_.fill_mode || p_.own_sign || p_.bracket || p_.minus || p_.plus || p_.roman || p_.shifting || blank_)
          return refuse("\"EEEE\" is incompatible with other formats")
              .with_detail("\"EEEE\" may only be used together with digit and decimal point patterns.");
        p_.exponent = true;
        add(Mark::kSilent);
        return {};
      default: return sign(word);
    }
  }

  Status digit(Word word) {
    const bool zero = word == Word::kZero;
    if (p_.bracket) return refuse(zero ? "\"0\" must be ahead of \"PR\"" : "\"9\" must be ahead of \"PR\"");
    add(zero ? Mark::kZero : Mark::kNine);
    if (!zero && p_.shifting) {
      ++p_.shift;
      return {};
    }
    if (zero && !p_.zero && !p_.point) {
      p_.zero = true;
      p_.first_zero = p_.before + 1;
    }
    ++(p_.point ? p_.after : p_.before);
    if (zero) p_.last_zero = p_.before + p_.after;
    return {};
  }

  Status sign(Word word) {
    switch (word) {
      case Word::kSign:
        if (p_.own_sign) return refuse("cannot use \"S\" twice");
        if (p_.plus || p_.minus || p_.bracket) return refuse("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
        p_.own_sign = true;
        p_.sign = p_.point ? NumberPattern::SignPlace::kBehind : NumberPattern::SignPlace::kBefore;
        if (!p_.point) p_.places_before_sign = p_.before;
        add(Mark::kSilent);   // written and read with the first or the last digit
        return {};
      case Word::kMinus:
        if (p_.own_sign) return refuse("cannot use \"S\" and \"MI\" together");
        p_.minus = true;
        add(Mark::kMinus);
        return {};
      case Word::kPlus:
        if (p_.own_sign) return refuse("cannot use \"S\" and \"PL\" together");
        p_.plus = true;
        add(Mark::kPlus);
        return {};
      case Word::kSignBoth:
        if (p_.own_sign) return refuse("cannot use \"S\" and \"SG\" together");
        p_.minus = p_.plus = true;
        add(Mark::kSignBoth);
        return {};
      default:
        if (p_.own_sign || p_.plus || p_.minus)
          return refuse("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
        p_.bracket = true;
        add(Mark::kSilent);
        return {};
    }
  }

  std::string_view text_;
  NumberPattern& p_;
  std::size_t at_ = 0;
  bool lower_ = false;
  bool blank_ = false;   // B came before any place
};

}  // namespace

Status parse_number_pattern(std::string_view text, NumberPattern* out) { return Reader(text, out).run(); }

}  // namespace wandian::sql
