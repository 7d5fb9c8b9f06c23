// What PostgreSQL's advanced regular expressions refuse and the engine behind sql/functions/regex.cc would take: it is looked for
// before a pattern is compiled.
#include <string>
#include <vector>

#include "sql/functions/regex.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

// The characters that have names ([[.hyphen.]]).
constexpr std::string_view kCharacterNames =
    " NUL SOH STX ETX EOT ENQ ACK BEL alert BS backspace HT tab LF newline VT vertical-tab FF form-feed CR carriage-return SO SI DLE DC1 "
    "DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4 FS IS3 GS IS2 RS IS1 US space exclamation-mark quotation-mark number-sign dollar-sign "
    "percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign comma hyphen hyphen-minus period full-stop "
    "slash solidus zero one two three four five six seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign "
    "question-mark commercial-at left-square-bracket backslash reverse-solidus right-square-bracket circumflex circumflex-accent "
    "underscore low-line grave-accent left-brace left-curly-bracket vertical-line right-brace right-curly-bracket tilde DEL ";

constexpr std::string_view kClassNames = " alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit ";

class Checker {
 public:
  Checker(std::string_view pattern, bool expanded) : p_(pattern), expanded_(expanded) {}

  Status run() {
    while (at_ < p_.size()) {
      const char c = p_[at_];
      if (c == '\\') {
        WANDIAN_TRY(escape());
      } else if (c == '[') {
        WANDIAN_TRY(bracket());
      } else if (c == '{' && is_digit(next())) {
        WANDIAN_TRY(bound());
      } else if (p_.substr(at_, 3) == "(?#") {
        skip_behind(')');
      } else if (c == '#' && expanded_) {
        skip_behind('\n');
      } else if (c == ')') {
        close();
      } else if (c == '(' && (next() == '*' || (next() == '?' && !is_group(p_.substr(at_ + 2))))) {
        return refuse("quantifier operand invalid");
      } else if (c == '(') {
        open_.push_back(next() == '?' ? 0 : ++groups_);
        ++at_;
      } else {
        at_ += utf8_bytes(c);
      }
    }
    return {};
  }

 private:
  static Status refuse(const char* what) {
    return {sqlstate::invalid_regular_expression, std::string("invalid regular expression: ") + what};
  }
  char next(std::size_t ahead = 1) const { return at_ + ahead < p_.size() ? p_[at_ + ahead] : '\0'; }

  // What may follow "(?".
  static bool is_group(std::string_view rest) {
    return rest.starts_with(':') || rest.starts_with('=') || rest.starts_with('!') || rest.starts_with("<=") || rest.starts_with("<!");
  }

  void skip_behind(char end) {
    const std::size_t at = p_.find(end, at_);
    at_ = at == std::string_view::npos ? p_.size() : at + 1;
  }

  void close() {
    if (!open_.empty()) {
      if (const std::size_t group = open_.back(); group < std::size(closed_)) closed_[group] = true;
      open_.pop_back();
    }
    ++at_;
  }

  Status escape() {
    const char c = next();
    // A back reference leads to a group that has ended. More digits may be a character's number.
    if (!in_bracket_ && c >= '1' && c <= '9' && !is_digit(next(2)) && !closed_[c - '0']) return refuse("invalid backreference number");
    if (is_alnum(c) && !is_digit(c) && std::string_view("abBcdDefmMnrsStuUvwWxyYZA").find(c) == std::string_view::npos)
      return refuse("invalid escape \\ sequence");
    at_ += c == '\0' ? 1 : 1 + utf8_bytes(c);
    return {};
  }

  // {m}, {m,} or {m,n}.
  Status bound() {
    ++at_;
    int low = 0, high = 0;
    WANDIAN_TRY(count(&low));
    high = low;
    if (at_ < p_.size() && p_[at_] == ',') {
      ++at_;
      high = kMostRepetitions;
      if (at_ < p_.size() && is_digit(p_[at_])) WANDIAN_TRY(count(&high));
    }
    if (at_ == p_.size()) return refuse("braces {} not balanced");
    if (p_[at_] != '}' || low > high) return refuse("invalid repetition count(s)");
    ++at_;
    return {};
  }
  Status count(int* out) {
    *out = 0;
    for (; at_ < p_.size() && is_digit(p_[at_]); ++at_) {
      *out = *out * 10 + (p_[at_] - '0');
      if (*out > kMostRepetitions) return refuse("invalid repetition count(s)");
    }
    return {};
  }

  Status bracket() {
    in_bracket_ = true;
    Status status = members();
    in_bracket_ = false;
    return status;
  }
  Status members() {
    // The edges of words, [[:<:]] and [[:>:]], are no members.
    if (p_.substr(at_, 7) == "[[:<:]]" || p_.substr(at_, 7) == "[[:>:]]") {
      at_ += 7;
      return {};
    }
    ++at_;
    if (at_ < p_.size() && p_[at_] == '^') ++at_;
    for (bool first = true; at_ < p_.size() && (first || p_[at_] != ']'); first = false) {
      Member from;
      WANDIAN_TRY(member(&from));
      if (at_ + 1 >= p_.size() || p_[at_] != '-' || p_[at_ + 1] == ']') continue;
      ++at_;
      Member to;
      WANDIAN_TRY(member(&to));
      if (from.is_class || to.is_class || (from.known && to.known && from.code > to.code)) return refuse("invalid character range");
    }
    if (at_ < p_.size()) ++at_;
    return {};
  }

  struct Member {
    bool is_class = false;
    bool known = true;         // `code` is what it stands for
    std::uint32_t code = 0;
  };
  Status member(Member* out) {
    const char c = p_[at_];
    if (c == '[' && (next() == ':' || next() == '.' || next() == '=')) {
      const char kind = next();
      const std::size_t end = p_.find(std::string(1, kind) + "]", at_ + 2);
      if (end == std::string_view::npos) return refuse("brackets [] not balanced");
      const std::string_view name = p_.substr(at_ + 2, end - at_ - 2);
      at_ = end + 2;
      out->is_class = kind == ':';
      if (kind == ':') return kClassNames.find(" " + std::string(name) + " ") == std::string_view::npos ? refuse("invalid character class") : Status{};
      if (name.empty() || utf8_length(name) != 1) {
        out->known = false;
        return kCharacterNames.find(" " + std::string(name) + " ") == std::string_view::npos ? refuse("invalid collating element") : Status{};
      }
      out->code = decode_utf8(name);
      return {};
    }
    if (c == '\\' && at_ + 1 < p_.size()) {
      const char of = next();
      out->is_class = of == 'd' || of == 'w' || of == 's';
      out->known = !is_alnum(of);
      out->code = static_cast<unsigned char>(of);
      return escape();
    }
    out->code = decode_utf8(p_.substr(at_));
    at_ += utf8_bytes(c);
    return {};
  }

  static constexpr int kMostRepetitions = 255;
  std::string_view p_;
  bool expanded_;
  std::size_t at_ = 0;
  bool in_bracket_ = false;
  std::size_t groups_ = 0;
  std::vector<std::size_t> open_;   // the parentheses around: their group's number, 0 if they make none
  bool closed_[10] = {};            // by number of the group
};

}  // namespace

Status check_regex(std::string_view pattern, bool expanded) {
  return Checker(pattern, expanded).run();
}

}  // namespace wandian::sql
