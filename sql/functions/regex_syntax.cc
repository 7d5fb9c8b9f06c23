// What comes before a regular expression (directors, embedded options), and the two older syntaxes, basic and extended ones: they are
// written as advanced ones (PostgreSQL manual, 9.7.3), which sql/functions/regex.cc knows.
#include <algorithm>
#include <string>

#include "sql/functions/regex.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

Status refused_pattern(const char* what) { return {sqlstate::invalid_regular_expression, std::string("invalid regular expression: ") + what}; }

bool is_option_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// One of the letters in "(?letters)", of which e means what it says.
Status take_embedded(char letter, RegexFlags* flags) {
  if (letter == 'e') {
    flags->syntax = RegexSyntax::kExtended;
    return {};
  }
  if (letter == 'g' || !parse_regex_flags(std::string_view(&letter, 1), flags).ok()) return refused_pattern("invalid embedded option");
  return {};
}

Status take_embedded_options(std::string_view* pattern, RegexFlags* flags) {
  std::size_t at = 2;
  for (; at < pattern->size() && is_option_letter((*pattern)[at]); ++at) WANDIAN_TRY(take_embedded((*pattern)[at], flags));
  if (at == pattern->size() || (*pattern)[at] != ')') return refused_pattern("invalid embedded option");
  pattern->remove_prefix(at + 1);
  if (flags->syntax == RegexSyntax::kLiteral) flags->expanded = flags->newline_sensitive_dot = flags->newline_sensitive_anchors = false;
  return {};
}

// Reads a basic or extended expression and writes the advanced one that means the same. Whether parentheses are balanced is left to whoever
// reads that.
class Advancer {
 public:
  Advancer(std::string_view pattern, const RegexFlags& flags, std::string* out)
      : p_(pattern), basic_(flags.syntax == RegexSyntax::kBasic), expanded_(flags.expanded), out_(*out) {}

  Status run() {
    for (skip_space(); at_ < p_.size(); skip_space()) WANDIAN_TRY(basic_ ? basic_token() : extended_token());
    return {};
  }

 private:
  // What stands before a token decides what it means.
  enum class Last : std::uint8_t { kNothing, kOpen, kStart, kAtom, kRepeat };

  Status basic_token() {
    const char c = p_[at_];
    switch (c) {
      case '*': return starts() ? plain() : repeat("*");
      case '[': return bracket();
      case '.': return emit(".", Last::kAtom);
      case '^': return last_ == Last::kNothing || last_ == Last::kOpen ? emit("^", Last::kStart) : plain();
      case '$': return ends() ? emit("$", Last::kRepeat) : plain();
      case '\\': return basic_escape();
      default: return plain();
    }
  }

  Status basic_escape() {
    if (++at_ == p_.size()) return refused_pattern("invalid escape \\ sequence");
    const char c = p_[at_];
    switch (c) {
      case '{': return bound();
      case '(': return emit("(", Last::kOpen);
      case ')': return emit(")", Last::kAtom);
      case '<': return emit("\\m", Last::kRepeat);
      case '>': return emit("\\M", Last::kRepeat);
      default:
        if (c < '1' || c > '9') return plain();
        return emit(std::string("(?:\\") + c + ")", Last::kAtom);
    }
  }

  Status extended_token() {
    const char c = p_[at_];
    switch (c) {
      case '*': case '+': case '?': return repeat(std::string_view(&c, 1));
      case '{': {
        const std::size_t brace = at_++;
        skip_space();
        const bool counts = at_ < p_.size() && p_[at_] >= '0' && p_[at_] <= '9';
        at_ = counts ? at_ - 1 : brace;
        return counts ? bound() : plain();
      }
      case '[': return bracket();
      case '.': return emit(".", Last::kAtom);
      case '^': return emit("^", Last::kStart);
      case '$': return emit("$", Last::kStart);
      case '|': return emit("|", Last::kNothing);
      case '(':
        ++depth_;
        return emit("(", Last::kOpen);
      case ')':
        if (depth_ == 0) return plain();   // nothing to close: itself
        --depth_;
        return emit(")", Last::kAtom);
      case '\\':
        if (++at_ == p_.size()) return refused_pattern("invalid escape \\ sequence");
        return plain();
      default: return plain();
    }
  }

  // A character that stands for itself.
  Status plain() {
    const std::size_t size = utf8_bytes(p_[at_]);
    if (std::string_view("\\^$.|?*+()[]{}").find(p_[at_]) != std::string_view::npos) out_.push_back('\\');
    out_.append(p_.substr(at_, size));
    at_ += size;
    last_ = Last::kAtom;
    return {};
  }

  // Of one character of the pattern, or the last one of a pair.
  Status emit(std::string_view text, Last last) {
    out_.append(text);
    ++at_;
    last_ = last;
    return {};
  }

  Status repeat(std::string_view how) {
    if (last_ != Last::kAtom) return refused_pattern("quantifier operand invalid");
    return emit(how, Last::kRepeat);
  }

  // At the brace: {m}, {m,} or {m,n}, the last brace with a backslash in a basic expression. The numbers are looked at later.
  Status bound() {
    if (last_ != Last::kAtom) return refused_pattern("quantifier operand invalid");
    out_.push_back('{');
    const std::size_t begin = ++at_;
    for (skip_space(); at_ < p_.size() && ((p_[at_] >= '0' && p_[at_] <= '9') || p_[at_] == ','); skip_space()) out_.push_back(p_[at_++]);
    if (at_ == p_.size()) return refused_pattern("braces {} not balanced");
    const std::string_view end = basic_ ? "\\}" : "}";
    if (at_ == begin || !p_.substr(at_).starts_with(end)) return refused_pattern("invalid repetition count(s)");
    at_ += end.size() - 1;
    return emit("}", Last::kRepeat);
  }

  // A backslash in brackets stands for itself.
  Status bracket() {
    if (p_.substr(at_, 7) == "[[:<:]]" || p_.substr(at_, 7) == "[[:>:]]") {
      out_.append(p_[at_ + 3] == '<' ? "\\m" : "\\M");
      at_ += 7;
      last_ = Last::kRepeat;
      return {};
    }
    const auto copy = [&](std::size_t count) {
      for (; count > 0 && at_ < p_.size(); --count, ++at_) {
        if (p_[at_] == '\\') out_.push_back('\\');
        out_.push_back(p_[at_]);
      }
    };
    copy(1);
    if (at_ < p_.size() && p_[at_] == '^') copy(1);
    for (bool first = true; at_ < p_.size() && (first || p_[at_] != ']'); first = false) {
      const char kind = at_ + 1 < p_.size() ? p_[at_ + 1] : '\0';
      const bool named = p_[at_] == '[' && (kind == ':' || kind == '.' || kind == '=');
      const std::size_t close = named ? p_.find(std::string(1, kind) + "]", at_ + 2) : std::string_view::npos;
      copy(close == std::string_view::npos ? 1 : close + 2 - at_);
    }
    if (at_ == p_.size()) return refused_pattern("brackets [] not balanced");
    copy(1);
    last_ = Last::kAtom;
    return {};
  }

  bool starts() const { return last_ == Last::kNothing || last_ == Last::kOpen || last_ == Last::kStart; }

  // Whether a dollar sign here is an anchor of a basic expression.
  bool ends() {
    const std::size_t dollar = at_++;
    skip_space();
    const bool out = at_ == p_.size() || p_.substr(at_).starts_with("\\)");
    at_ = dollar;
    return out;
  }

  // In expanded syntax, spaces and comments to the line's end.
  void skip_space() {
    while (expanded_) {
      while (at_ < p_.size() && std::string_view(" \t\n\v\f\r").find(p_[at_]) != std::string_view::npos) ++at_;
      if (at_ == p_.size() || p_[at_] != '#') return;
      at_ = std::min(p_.find('\n', at_), p_.size());
    }
  }

  std::string_view p_;
  bool basic_;
  bool expanded_;
  std::string& out_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Last last_ = Last::kNothing;
};

}  // namespace

Status take_regex_options(std::string_view* pattern, RegexFlags* flags) {
  if (flags->syntax == RegexSyntax::kLiteral) {
    if (flags->expanded || flags->newline_sensitive_dot || flags->newline_sensitive_anchors) return refused_pattern("invalid argument to regex function");
    return {};
  }
  if (pattern->size() > 3 && pattern->starts_with("***")) {
    const char director = (*pattern)[3];
    if (director == '?') return refused_pattern("invalid regexp (reg version 0.8)");
    if (director != '=' && director != ':') return refused_pattern("quantifier operand invalid");
    pattern->remove_prefix(4);
    flags->syntax = director == '=' ? RegexSyntax::kLiteral : RegexSyntax::kAdvanced;
    if (director == '=') flags->expanded = flags->newline_sensitive_dot = flags->newline_sensitive_anchors = false;
  }
  if (flags->syntax == RegexSyntax::kAdvanced && pattern->size() > 2 && pattern->starts_with("(?") && is_option_letter((*pattern)[2]))
    return take_embedded_options(pattern, flags);
  return {};
}

Status advance_regex(std::string_view pattern, const RegexFlags& flags, std::string* out) { return Advancer(pattern, flags, out).run(); }

}  // namespace wandian::sql
