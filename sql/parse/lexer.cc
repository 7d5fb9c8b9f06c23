#include "sql/parse/lexer.h"

#include <array>

namespace wandian::sql {

namespace {

enum : std::uint8_t { kDigit = 1, kWordStart = 2, kWord = 4, kOperatorChar = 8 };

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> out{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool start = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    out[c] = static_cast<std::uint8_t>((digit ? kDigit : 0) | (start ? kWordStart : 0) | (start || digit || c == '$' ? kWord : 0));
  }
  for (const char c : std::string_view("~!@#^&|`?+-*/%<>=")) out[static_cast<unsigned char>(c)] |= kOperatorChar;
  return out;
}();

constexpr bool has_class(char c, std::uint8_t wanted) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; }
constexpr bool is_digit(char c) { return has_class(c, kDigit); }
constexpr bool is_word_start(char c) { return has_class(c, kWordStart); }
constexpr bool is_word(char c) { return has_class(c, kWord); }
constexpr bool is_operator(char c) { return has_class(c, kOperatorChar); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool Token::is(std::string_view keyword) const {
  if (kind != TokenKind::kWord || text.size() != keyword.size()) return false;
  for (std::size_t i = 0; i < keyword.size(); ++i) {
    if (lower(text[i]) != keyword[i]) return false;
  }
  return true;
}

bool Lexer::skip_blanks() {
  const std::size_t size = text_.size();
  while (at_ < size) {
    const char c = text_[at_];
    if (is_space(c)) {
      ++at_;
    } else if (c == '-' && at_ + 1 < size && text_[at_ + 1] == '-') {
      while (at_ < size && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    } else if (c == '/' && at_ + 1 < size && text_[at_ + 1] == '*') {
      int depth = 1;   // comments nest
      at_ += 2;
      while (depth > 0) {
        if (at_ + 1 >= size) return false;
        if (text_[at_] == '*' && text_[at_ + 1] == '/') {
          --depth;
          at_ += 2;
        } else if (text_[at_] == '/' && text_[at_ + 1] == '*') {
          ++depth;
          at_ += 2;
        } else {
          ++at_;
        }
      }
    } else {
      break;
    }
  }
  return true;
}

Token Lexer::finish(TokenKind kind, std::size_t begin) {
  return {kind, text_.substr(begin, at_ - begin), static_cast<std::uint32_t>(begin)};
}

// at_ stands behind the opening quote.
Token Lexer::string_from(std::size_t begin, TokenKind kind, bool backslashes) {
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\'') {
      if (at_ < text_.size() && text_[at_] == '\'') {
        ++at_;
        continue;
      }
      return finish(kind, begin);
    }
    if (backslashes && c == '\\' && at_ < text_.size()) ++at_;
  }
  return finish(TokenKind::kError, begin);
}

Token Lexer::next() {
  if (!skip_blanks()) {
    const std::size_t begin = at_;
    at_ = text_.size();
    return finish(TokenKind::kError, begin);
  }
  const std::size_t begin = at_;
  const std::size_t size = text_.size();
  if (at_ >= size) return finish(TokenKind::kEnd, begin);
  const char c = text_[at_++];
  const char following = at_ < size ? text_[at_] : '\0';

  if (is_word_start(c)) {
    if (following == '\'') {
      const char prefix = lower(c);
      if (prefix == 'e' || prefix == 'b' || prefix == 'x' || prefix == 'n') {
        ++at_;
        return string_from(begin, TokenKind::kOtherString, prefix == 'e');
      }
    }
    if (lower(c) == 'u' && following == '&' && at_ + 1 < size && text_[at_ + 1] == '\'') {
      at_ += 2;
      return string_from(begin, TokenKind::kOtherString, false);
    }
    while (at_ < size && is_word(text_[at_])) ++at_;
    return finish(TokenKind::kWord, begin);
  }
  if (is_digit(c) || (c == '.' && is_digit(following))) {
    bool decimal = c == '.';
    while (at_ < size && is_digit(text_[at_])) ++at_;
    if (!decimal && at_ < size && text_[at_] == '.' && !(at_ + 1 < size && text_[at_ + 1] == '.')) {
      decimal = true;
      ++at_;
      while (at_ < size && is_digit(text_[at_])) ++at_;
    } else if (decimal) {
      while (at_ < size && is_digit(text_[at_])) ++at_;
    }
    if (at_ < size && lower(text_[at_]) == 'e') {
      std::size_t exponent = at_ + 1;
      if (exponent < size && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < size && is_digit(text_[exponent])) {
        decimal = true;
        at_ = exponent;
        while (at_ < size && is_digit(text_[at_])) ++at_;
      }
    }
    if (at_ < size && is_word(text_[at_])) {   // "trailing junk after numeric literal"
      while (at_ < size && is_word(text_[at_])) ++at_;
      return finish(TokenKind::kError, begin);
    }
    return finish(decimal ? TokenKind::kDecimal : TokenKind::kInteger, begin);
  }
  switch (c) {
    case '\'': return string_from(begin, TokenKind::kString, false);
    case '"':
      while (at_ < size) {
        if (text_[at_++] != '"') continue;
        if (at_ < size && text_[at_] == '"') {
          ++at_;
          continue;
        }
        return finish(TokenKind::kQuotedName, begin);
      }
      return finish(TokenKind::kError, begin);
    case '(':
    case '[': return finish(TokenKind::kOpen, begin);
    case ')':
    case ']': return finish(TokenKind::kClose, begin);
    case ',': return finish(TokenKind::kComma, begin);
    case ';': return finish(TokenKind::kSemicolon, begin);
    case '.':
      if (following == '.') ++at_;
      return finish(TokenKind::kDot, begin);
    case ':':
      if (following == ':') {
        ++at_;
        return finish(TokenKind::kCast, begin);
      }
      if (following == '=') ++at_;
      return finish(TokenKind::kColon, begin);
    case '$': {
      if (is_digit(following)) {
        while (at_ < size && is_digit(text_[at_])) ++at_;
        return finish(TokenKind::kParam, begin);
      }
      std::size_t tag_end = at_;
      while (tag_end < size && is_word(text_[tag_end]) && text_[tag_end] != '$') ++tag_end;
      if (tag_end >= size || text_[tag_end] != '$') return finish(TokenKind::kError, begin);
      const std::string_view tag = text_.substr(begin, tag_end + 1 - begin);
      const std::size_t close = text_.find(tag, tag_end + 1);
      if (close == std::string_view::npos) {
        at_ = size;
        return finish(TokenKind::kError, begin);
      }
      at_ = close + tag.size();
      return finish(TokenKind::kOtherString, begin);
    }
    default: break;
  }
  if (is_operator(c)) {
    // Longer ones are no operators, and reading on from each of their characters would take forever.
    constexpr std::size_t kMaxOperatorBytes = 64;
    while (at_ < size && at_ - begin < kMaxOperatorBytes && is_operator(text_[at_])) {
      // A comment ends an operator.
      if (text_[at_] == '-' && at_ + 1 < size && text_[at_ + 1] == '-') break;
      if (text_[at_] == '/' && at_ + 1 < size && text_[at_ + 1] == '*') break;
      ++at_;
    }
    // As PostgreSQL: an operator of several characters may end in + or - only if it holds one of ~ ! @ # ^ & | ` ? %.
    const std::string_view all = text_.substr(begin, at_ - begin);
    if (all.size() > 1 && all.size() < kMaxOperatorBytes && all.find_first_of("~!@#^&|`?%") == std::string_view::npos) {
      while (at_ - begin > 1 && (text_[at_ - 1] == '+' || text_[at_ - 1] == '-')) --at_;
    }
    return finish(TokenKind::kOperator, begin);
  }
  return finish(TokenKind::kError, begin);
}

}  // namespace wandian::sql
