// Lexer: PostgreSQL's tokens, as far as finding literals, brackets and words needs them; a few ns a byte, no allocation.
// Thread:     a value of its own.
// Invariants: follows scan.l with standard_conforming_strings on; what it cannot place (an unterminated literal, a broken
//             comment) is kError, and the caller leaves the text to the real parser.
#pragma once

#include <cstdint>
#include <string_view>

namespace wandian::sql {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,
  kWord,          ///< identifier or keyword, not quoted
  kQuotedName,    ///< "..."
  kInteger,       ///< digits alone
  kDecimal,       ///< with a point or an exponent
  kString,        ///< '...' without prefix
  kOtherString,   ///< E'', B'', X'', N'', U&'', $$...$$
  kParam,         ///< $1
  kOperator,      ///< + - * / ...
  kCast,          ///< ::
  kOpen,          ///< ( or [
  kClose,         ///< ) or ]
  kComma,
  kSemicolon,
  kDot,
  kColon,         ///< : alone, and :=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  std::uint32_t offset = 0;
  /// Whether the word is `keyword`, which is given in lower case.
  bool is(std::string_view keyword) const;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  bool skip_blanks();
  Token finish(TokenKind kind, std::size_t begin);
  Token string_from(std::size_t begin, TokenKind kind, bool backslashes);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace wandian::sql
