// Fills the numeric patterns of to_char.
#include <algorithm>

#include "sql/functions/number_pattern.h"

namespace wandian::sql {

namespace {

using Mark = NumberPattern::Mark;
using SignPlace = NumberPattern::SignPlace;

std::string_view ordinal_of(std::string_view digits) {
  const char last = digits.back();
  if (digits.size() > 1 && digits[digits.size() - 2] == '1') return "TH";
  return last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
}

class Writer {
 public:
  Writer(NumberPattern& pattern, std::string_view digits, int blanks, char sign)
      : p_(pattern), digits_(digits), blanks_(blanks), sign_(sign), first_zero_(std::max(pattern.first_zero - 1, 0)) {
    if (p_.roman) {
      p_.sign = SignPlace::kNone;
      p_.places_before_sign = p_.before = p_.after = blanks_ = 0;
      p_.own_sign = p_.bracket = p_.minus = p_.plus = p_.zero = p_.point = p_.shifting = false;
    }
    prepare_sign();
    count_ = p_.after + p_.before - 1;
    if (p_.fill_mode && p_.point) find_last_relevant();
    if (!sign_written_ && blanks_ == 0) ++count_;
  }

  std::string run() {
    for (const NumberPattern::Piece& piece : p_.pieces) write(piece);
    // Where the pattern has more places than the number has digits, nothing follows.
    const std::size_t end = out_.find('\0');
    if (end != std::string::npos) out_.resize(end);
    return std::move(out_);
  }

 private:
  // MI, PL and SG write the sign themselves.
  void prepare_sign() {
    if (p_.plus || p_.minus) {
      sign_written_ = p_.minus;
      return;
    }
    if (sign_ != '-' && p_.fill_mode) p_.bracket = false;
    sign_written_ = sign_ == '+' && p_.fill_mode && !p_.own_sign;
    if (p_.sign == SignPlace::kBefore && p_.before == p_.places_before_sign) p_.sign = SignPlace::kBehind;
  }
  // With FM, zeros at the end are not shown, but for those that the pattern asks for.
  void find_last_relevant() {
    const std::size_t point = digits_.find('.');
    if (point == std::string_view::npos) return;
    last_relevant_ = static_cast<int>(std::max(point, digits_.find_last_not_of('0')));
    if (p_.last_zero > blanks_)
      last_relevant_ = std::max(last_relevant_, std::min(static_cast<int>(digits_.size()) - 1, p_.last_zero - blanks_));
  }

  char digit() const { return next_ < digits_.size() ? digits_[next_] : '\0'; }
  bool ends_at_point() const { return last_relevant_ >= 0 && digits_[static_cast<std::size_t>(last_relevant_)] == '.'; }
  // "9.9" shows 0.1 as " .1".
  bool hides_zero() const { return !p_.zero && next_ == 0 && digit() == '0' && p_.after != 0; }
  void local_sign() { out_ += sign_ == '-' ? '-' : '+'; }

  void write(const NumberPattern::Piece& piece) {
    switch (piece.mark) {
      case Mark::kNine:
      case Mark::kZero:
      case Mark::kPoint:
        if (!p_.roman) place(piece.mark);
        return;
      case Mark::kComma:
        if (in_number_) out_ += ',';
        else if (!p_.fill_mode) out_ += ' ';
        return;
      case Mark::kCurrency: out_ += ' '; return;
      case Mark::kRoman: roman(piece.lower); return;
      case Mark::kOrdinal: ordinal(piece.lower); return;
      case Mark::kMinus:
        if (sign_ == '-') out_ += '-';
        else if (!p_.fill_mode) out_ += ' ';
        return;
      case Mark::kPlus:
        if (sign_ == '+') out_ += '+';
        else if (!p_.fill_mode) out_ += ' ';
        return;
      case Mark::kSignBoth: out_ += sign_; return;
      case Mark::kLiteral: out_ += piece.text; return;
      case Mark::kSilent: return;
    }
  }

  // A place of the pattern: the sign if it is due, then a blank, a zero, the point or a digit.
  void place(Mark mark) {
    in_number_ = false;
    if (!sign_written_ && (at_ >= blanks_ || (p_.zero && first_zero_ == at_)) && (!hides_zero() || ends_at_point())) leading_sign();
    if (at_ < blanks_ && (first_zero_ > at_ || !p_.zero)) {
      if (!p_.fill_mode) out_ += ' ';
    } else if (p_.zero && at_ < blanks_) {
      out_ += '0';
      in_number_ = true;
    } else {
      number_place(mark);
      if (next_ < digits_.size()) ++next_;
    }
    closing_sign();
    ++at_;
  }
  void leading_sign() {
    if (p_.own_sign) {
      if (p_.sign != SignPlace::kBefore) return;
      local_sign();
    } else if (p_.bracket) {
      out_ += sign_ == '+' ? ' ' : '<';
    } else if (sign_ == '+') {
      if (!p_.fill_mode) out_ += ' ';
    } else if (sign_ == '-') {
      out_ += '-';
    }
    sign_written_ = true;
  }
  void number_place(Mark mark) {
    if (digit() == '.') {
      if (!ends_at_point() || p_.fill_mode) out_ += '.';
    } else if (last_relevant_ >= 0 && static_cast<int>(next_) > last_relevant_ && mark != Mark::kZero) {
    } else if (hides_zero()) {
      if (!p_.fill_mode) out_ += ' ';
      else if (ends_at_point()) out_ += '0';
    } else {
      out_ += digit();
      in_number_ = true;
    }
  }
  void closing_sign() {
    int end = count_ + (blanks_ != 0 ? 1 : 0) + (p_.point ? 1 : 0);
    if (last_relevant_ >= 0 && last_relevant_ == static_cast<int>(next_)) end = at_;
    if (at_ + 1 != end) return;
    if (sign_written_ && p_.bracket) out_ += sign_ == '+' ? ' ' : '>';
    else if (p_.own_sign && p_.sign == SignPlace::kBehind) local_sign();
  }

  void roman(bool lower) {
    std::string text(digits_.substr(next_));
    if (lower)
      for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!p_.fill_mode && text.size() < 15) out_.append(15 - text.size(), ' ');
    out_ += text;
  }
  void ordinal(bool lower) {
    if (p_.roman || digits_.starts_with('#') || sign_ == '-' || p_.point) return;
    for (const char c : ordinal_of(digits_)) out_ += static_cast<char>(lower ? c + 32 : c);
  }

  NumberPattern& p_;
  std::string_view digits_;
  int blanks_;
  char sign_;
  int first_zero_;
  int count_ = 0;
  int last_relevant_ = -1;    // the last digit that is shown; -1: all are
  bool sign_written_ = false;
  bool in_number_ = false;    // the place before showed a digit
  int at_ = 0;                // places written
  std::size_t next_ = 0;      // next digit
  std::string out_;
};

}  // namespace

std::string write_number(NumberPattern pattern, std::string_view digits, int blanks, char sign) {
  return Writer(pattern, digits, blanks, sign).run();
}

}  // namespace wandian::sql
