// to_char's patterns for numbers.
#include <algorithm>
#include <vector>

#include "sql/functions/format.h"

namespace wandian::sql {

namespace {

enum class Mark : std::uint8_t { kNine, kZero, kPoint, kComma, kSign, kMinus, kPlus, kSignBoth, kAngle, kOrdinal, kCurrency,
                                 kLiteral, kShift };
struct Node {
  Mark mark;
  std::string text;
};
struct Pattern {
  std::vector<Node> nodes;
  NumberPattern shape;
  bool fill = true;
  bool lower_ordinal = false;
  int first_zero = -1;      // digit place of the first 0 before the point
  int last_zero_after = 0;  // places behind the point up to the last 0
  bool has_point = false, has_sign = false, has_own_sign = false, angle = false;
};

bool begins(std::string_view text, std::string_view upper_word) {
  return text.size() >= upper_word.size() && std::equal(upper_word.begin(), upper_word.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'a' && b <= 'z' ? b - 32 : b);
         });
}

Pattern take_apart(std::string_view s) {
  Pattern p;
  bool shifting = false;
  const auto digit = [&](Mark mark) {
    p.nodes.push_back({mark, ""});
    if (shifting) {
      ++p.shape.shift;
      ++p.shape.before;
    } else if (p.has_point) {
      ++p.shape.after;
      if (mark == Mark::kZero) p.last_zero_after = p.shape.after;
    } else {
      if (mark == Mark::kZero && p.first_zero < 0) p.first_zero = p.shape.before;
      ++p.shape.before;
    }
  };
  for (std::size_t i = 0; i < s.size();) {
    const std::string_view rest = s.substr(i);
    const auto take = [&](Mark mark, std::size_t n) {
      p.nodes.push_back({mark, ""});
      i += n;
    };
    if (begins(rest, "FM")) {
      p.fill = false;
      i += 2;
    } else if (rest[0] == '9') {
      digit(Mark::kNine);
      ++i;
    } else if (rest[0] == '0') {
      digit(Mark::kZero);
      ++i;
    } else if (rest[0] == '.' || begins(rest, "D")) {
      p.has_point = true;
      take(Mark::kPoint, 1);
    } else if (rest[0] == ',' || begins(rest, "G")) {
      take(Mark::kComma, 1);
    } else if (begins(rest, "SG")) {
      p.has_own_sign = true;
      take(Mark::kSignBoth, 2);
    } else if (begins(rest, "S")) {
      p.has_sign = true;
      take(Mark::kSign, 1);
    } else if (begins(rest, "MI")) {
      p.has_own_sign = true;
      take(Mark::kMinus, 2);
    } else if (begins(rest, "PL")) {
      take(Mark::kPlus, 2);
    } else if (begins(rest, "PR")) {
      p.angle = true;
      take(Mark::kAngle, 2);
    } else if (begins(rest, "TH")) {
      p.lower_ordinal = rest[0] == 't';
      take(Mark::kOrdinal, 2);
    } else if (begins(rest, "RN")) {
      p.shape.roman = true;
      i += 2;
    } else if (begins(rest, "EEEE")) {
      p.shape.exponent = true;
      i += 4;
    } else if (begins(rest, "L")) {
      take(Mark::kCurrency, 1);
    } else if (begins(rest, "V")) {
      shifting = true;
      take(Mark::kShift, 1);
    } else if (begins(rest, "B")) {
      ++i;
    } else if (rest[0] == '"') {
      Node node{Mark::kLiteral, ""};
      for (++i; i < s.size() && s[i] != '"'; ++i) {
        if (s[i] == '\\' && i + 1 < s.size()) ++i;
        node.text.push_back(s[i]);
      }
      if (i < s.size()) ++i;
      p.nodes.push_back(std::move(node));
    } else {
      p.nodes.push_back({Mark::kLiteral, std::string(1, rest[0])});
      ++i;
    }
  }
  return p;
}

}  // namespace

NumberPattern examine_number_pattern(std::string_view pattern) { return take_apart(pattern).shape; }

std::string format_number(std::string_view pattern_text, bool negative, std::string_view integer_digits,
                          std::string_view fraction_digits) {
  const Pattern p = take_apart(pattern_text);
  const auto before = static_cast<std::size_t>(p.shape.before);
  const auto after = static_cast<std::size_t>(p.shape.after);
  std::string whole(integer_digits == "0" ? std::string_view() : integer_digits);
  std::string fraction(fraction_digits.substr(0, after));
  fraction.resize(after, '0');
  const bool finite = whole.empty() || (whole[0] >= '0' && whole[0] <= '9');
  const bool overflow = whole.size() > before;
  const bool point = overflow || (finite && after > 0);
  if (overflow) {
    whole.assign(before, '#');
    fraction.assign(std::min(after, fraction_digits.size()), '#');
  }
  // A lone zero is shown where there is nothing behind the point to show instead.
  if (whole.empty() && before > 0 && (after == 0 || (!p.fill && p.last_zero_after == 0 &&
                                                     fraction.find_first_not_of('0') == std::string::npos)))
    whole = "0";
  if (!p.fill) {
    std::size_t keep = after;
    while (keep > static_cast<std::size_t>(p.last_zero_after) && fraction[keep - 1] == '0') --keep;
    fraction.resize(keep);
  }
  const std::size_t blanks = before - whole.size();
  std::string out;
  bool started = false;
  bool fraction_part = false;
  std::size_t place = 0;
  std::size_t behind = 0;
  const bool sign_leads = p.has_sign && !p.nodes.empty() &&
                          std::find_if(p.nodes.begin(), p.nodes.end(), [](const Node& n) {
                            return n.mark == Mark::kSign || n.mark == Mark::kNine || n.mark == Mark::kZero || n.mark == Mark::kPoint;
                          })->mark == Mark::kSign;
  const auto start = [&] {
    if (started) return;
    started = true;
    if (p.angle) {
      if (negative) out += '<';
      else if (p.fill) out += ' ';
    } else if (sign_leads) {
      out += negative ? '-' : '+';
    } else if (!p.has_sign && !p.has_own_sign) {
      if (negative) out += '-';
      else if (p.fill) out += ' ';
    }
  };
  for (const Node& n : p.nodes) {
    switch (n.mark) {
      case Mark::kNine:
      case Mark::kZero:
        if (fraction_part) {
          start();
          if (behind < fraction.size()) out += fraction[behind];
          ++behind;
        } else {
          if (place >= blanks) {
            start();
            out += whole[place - blanks];
          } else if (p.first_zero >= 0 && static_cast<std::size_t>(p.first_zero) <= place) {
            start();
            out += '0';
          } else if (p.fill) {
            out += ' ';
          }
          ++place;
        }
        break;
      case Mark::kPoint:
        // The digits have no point where the pattern has no places behind it; what follows is not shown then.
        if (!point) return out;
        start();
        out += '.';
        fraction_part = true;
        break;
      case Mark::kComma:
        if (started) out += ',';
        else if (p.fill) out += ' ';
        break;
      case Mark::kSign:
        if (!sign_leads) out += negative ? '-' : '+';
        break;
      case Mark::kMinus: out += negative ? "-" : p.fill ? " " : ""; break;
      case Mark::kPlus: out += !negative ? "+" : p.fill ? " " : ""; break;
      case Mark::kSignBoth: out += negative ? '-' : '+'; break;
      case Mark::kAngle:
        if (negative) out += '>';
        else if (p.fill) out += ' ';
        break;
      case Mark::kOrdinal:
        if (!negative && !p.has_point && !overflow) {
          const std::string digits = whole.empty() ? "0" : whole;
          const char last = digits.back();
          const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
          const char* suffix = teen ? "TH" : last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
          for (const char* c = suffix; *c; ++c) out += static_cast<char>(p.lower_ordinal ? *c + 32 : *c);
        }
        break;
      case Mark::kCurrency:
        if (p.fill) out += ' ';
        break;
      case Mark::kLiteral: out += n.text; break;
      case Mark::kShift: break;
    }
  }
  return out;
}

}  // namespace wandian::sql
