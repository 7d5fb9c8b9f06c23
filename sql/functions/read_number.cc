// Reads numbers by the patterns of to_number.
#include <algorithm>

#include "sql/functions/number_pattern.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

using Mark = NumberPattern::Mark;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// A place passes a byte; what follows may then begin within a character.
std::size_t bytes_of(char c) { return (c & 0xc0) == 0x80 ? 1 : utf8_bytes(c); }

class Scanner {
 public:
  Scanner(const NumberPattern& pattern, std::string_view input) : p_(pattern), in_(input) {}

  void run() {
    for (const NumberPattern::Piece& piece : p_.pieces) {
      if (ended()) break;
      take(piece.mark);
    }
    if (number_.back() == '.') number_.pop_back();
  }
  std::string number() && { return std::move(number_); }
  int scale() const { return behind_; }

 private:
  bool ended() const { return at_ >= in_.size(); }
  char here() const { return in_[at_]; }
  // Characters that are no data.
  void skip(int n) {
    while (n-- > 0 && !ended() && std::string_view("0123456789.,+-").find(here()) == std::string_view::npos)
      at_ += bytes_of(here());
  }
  void sign(bool minus, bool plus) {
    if (minus && here() == '-') number_[0] = '-';
    else if (plus && here() == '+') number_[0] = '+';
    else return skip(1);
    ++at_;
  }

  void take(Mark mark) {
    switch (mark) {
      case Mark::kNine:
      case Mark::kZero:
      case Mark::kPoint:
        place(mark != Mark::kPoint);
        ++at_;
        return;
      case Mark::kComma:
        if (!p_.fill_mode && here() == ',') ++at_;
        return;
      case Mark::kCurrency: return skip(1);
      case Mark::kOrdinal:
        if (!p_.point) skip(2);
        return;
      case Mark::kMinus: return sign(true, false);
      case Mark::kPlus: return sign(false, true);
      case Mark::kSignBoth: return sign(true, true);
      case Mark::kLiteral: at_ += bytes_of(here()); return;
      case Mark::kRoman:
      case Mark::kSilent: return;
    }
  }

  // One place of the number: a sign before the first digit, the digit or the point, a sign behind it. The caller passes one
  // character more.
  void place(bool of_digit) {
    if (ended()) return;
    if (here() == ' ') ++at_;
    if (ended()) return;
    if (number_[0] == ' ' && of_digit && before_ + behind_ == 0) leading_sign();
    if (ended()) return;
    bool read = false;
    if (is_digit(here())) {
      if (point_ && behind_ == p_.after) return;
      number_.push_back(here());
      ++(point_ ? behind_ : before_);
      read = true;
    } else if (p_.point && !point_ && here() == '.') {
      number_.push_back('.');
      point_ = read = true;
    }
    if (number_[0] == ' ' && before_ + behind_ > 0) trailing_sign(read);
  }
  void leading_sign() {
    const bool minus = here() == '-' || (p_.bracket && here() == '<');
    if (p_.own_sign && p_.sign == NumberPattern::SignPlace::kBefore ? here() == '-' : minus) number_[0] = '-';
    else if (here() == '+') number_[0] = '+';
    else return;
    ++at_;
  }
  // S stands right behind the last digit; MI, PL and SG may come earlier than their place in the pattern.
  void trailing_sign(bool read) {
    if (p_.own_sign) {
      if (!read || at_ + 1 >= in_.size() || is_digit(in_[at_ + 1])) return;
      if (in_[at_ + 1] != '-' && in_[at_ + 1] != '+') return;
      number_[0] = in_[++at_];
    } else if (!read && (p_.plus || p_.minus) && (here() == '-' || here() == '+')) {
      number_[0] = here();
    }
  }

  const NumberPattern& p_;
  std::string_view in_;
  std::size_t at_ = 0;
  std::string number_ = " ";   // the first character is the sign
  int before_ = 0, behind_ = 0;
  bool point_ = false;
};

}  // namespace

Status read_number(const NumberPattern& pattern, std::string_view input, std::string* number, int* scale) {
  if (pattern.exponent) return {sqlstate::feature_not_supported, "\"EEEE\" not supported for input"};
  if (pattern.roman) return {sqlstate::feature_not_supported, "\"RN\" not supported for input"};
  Scanner scanner(pattern, input);
  scanner.run();
  *scale = scanner.scale();
  *number = std::move(scanner).number();
  return {};
}

}  // namespace wandian::sql
