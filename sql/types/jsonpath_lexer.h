// The tokens of a jsonpath.
// Thread:  one at a time; strings of tokens live in the arena.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "storage/base/status.h"

namespace wandian::sql {

class JsonPathLexer {
 public:
  enum class Token : std::uint8_t {
    kEnd, kSymbol, kAnd, kOr, kNot, kAny, kLess, kLessOrEqual, kEqual, kNotEqual, kGreater, kGreaterOrEqual,
    kString, kIdentifier, kVariable, kNumber, kInteger,
    kIs, kTo, kAbs, kLax, kFlag, kLast, kNull, kSize, kTrue, kType, kWith, kFalse, kFloor, kDouble, kExists, kStarts, kStrict,
    kCeiling, kUnknown, kDatetime, kKeyValue, kLikeRegex,
  };

  JsonPathLexer(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

  /// Moves to the next token; false: error().
  bool next();
  Token token() const { return token_; }
  char symbol() const { return symbol_; }               ///< of kSymbol
  std::string_view text() const { return value_; }      ///< of strings, identifiers, keywords, variables and numbers
  bool is(char symbol) const { return token_ == Token::kSymbol && symbol_ == symbol; }
  bool keyword() const { return token_ >= Token::kIs; }
  /// Sets "message at or near ..." for the token last read, and returns false.
  bool fail(std::string_view message);
  Status& error() { return error_; }

 private:
  bool number();
  bool quoted(Token token);
  bool bare();
  bool escape(std::string* out);
  bool unicode(std::string* out);
  void classify();

  std::string_view text_;
  Arena& arena_;
  std::size_t at_ = 0;
  Token token_ = Token::kEnd;
  char symbol_ = 0;
  std::string_view value_;
  std::string_view seen_;   ///< what errors name
  Status error_;
};

}  // namespace wandian::sql
