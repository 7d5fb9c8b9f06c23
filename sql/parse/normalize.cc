#include "sql/parse/normalize.h"

#include <array>
#include <charconv>

#include "sql/parse/lexer.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMaxLiterals = 64;
constexpr std::size_t kMaxBytes = 16384;

/// What a word says about the literals around it.
enum class WordRole : std::uint8_t {
  kNone,
  kRefused,          ///< the statement compares expressions with each other, or is not worth it
  kExpression,       ///< an expression may follow
  kOrder,            ///< ORDER: numbers are positions from here
  kOrderEnd,         ///< FOR: the end of ORDER BY
  kOrderEndExpression,   ///< LIMIT, OFFSET, RETURNING: both
  kAs,               ///< a type or an alias follows
};

constexpr std::uint64_t pack(std::string_view word) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < word.size(); ++i) out |= static_cast<std::uint64_t>(static_cast<unsigned char>(word[i])) << (8 * i);
  return out;
}

WordRole role_of(std::string_view word) {
  if (word.size() > 11 || word.size() < 2) return WordRole::kNone;
  char lower[16] = {};
  for (std::size_t i = 0; i < word.size(); ++i) lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  if (word.size() > 8) {
    const std::string_view text(lower, word.size());
    if (text == "returning") return WordRole::kOrderEndExpression;
    return text == "intersect" || text == "tablesample" ? WordRole::kRefused : WordRole::kNone;
  }
  switch (pack({lower, word.size()})) {
    case pack("group"): case pack("distinct"): case pack("union"): case pack("except"): case pack("with"): case pack("over"):
    case pack("window"): return WordRole::kRefused;
    case pack("select"): case pack("where"): case pack("and"): case pack("or"): case pack("not"): case pack("like"): case pack("ilike"):
    case pack("between"): case pack("then"): case pack("else"): case pack("when"): case pack("on"): case pack("having"): case pack("case"):
    case pack("in"): case pack("from"): return WordRole::kExpression;
    case pack("order"): return WordRole::kOrder;
    case pack("for"): return WordRole::kOrderEnd;
    case pack("limit"): case pack("offset"): return WordRole::kOrderEndExpression;
    case pack("as"): return WordRole::kAs;
    default: return WordRole::kNone;
  }
}

/// A token, and what its word means.
struct Seen {
  Token token;
  WordRole role = WordRole::kNone;
};

bool allows_literal_after(const Seen& previous) {
  switch (previous.token.kind) {
    case TokenKind::kOperator:
    case TokenKind::kOpen:
    case TokenKind::kComma: return true;
    case TokenKind::kWord: return previous.role == WordRole::kExpression || previous.role == WordRole::kOrderEndExpression;
    default: return false;
  }
}

// Behind it a sign is an operator between two operands. A keyword is not told from a name here, unless an expression begins behind it.
bool ends_operand(const Token& token) {
  switch (token.kind) {
    case TokenKind::kWord: return role_of(token.text) == WordRole::kNone;
    case TokenKind::kQuotedName: case TokenKind::kInteger: case TokenKind::kDecimal: case TokenKind::kString: case TokenKind::kOtherString:
    case TokenKind::kParam: case TokenKind::kClose: return true;
    default: return false;
  }
}

bool is_sign(const Token& token) { return token.kind == TokenKind::kOperator && (token.text == "-" || token.text == "+"); }

LiteralClass integer_class(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return LiteralClass::kNumeric;
  return value >= INT32_MIN && value <= INT32_MAX ? LiteralClass::kInt4 : LiteralClass::kInt8;
}

}  // namespace

Oid literal_type(LiteralClass literal_class) {
  switch (literal_class) {
    case LiteralClass::kInt4: return type_oid::kInt4;
    case LiteralClass::kInt8: return type_oid::kInt8;
    case LiteralClass::kNumeric: return type_oid::kNumeric;
    case LiteralClass::kUnknown: break;
  }
  return 0;
}

bool normalize_literals(std::string_view text, NormalizedQuery* out) {
  out->text.clear();
  out->literals.clear();
  out->unescaped.clear();
  if (text.size() > kMaxBytes) return false;
  out->unescaped.reserve(text.size());   // so that views into it stay good

  struct Level {
    bool keep = false;       // literals stay: a type's modifiers, a CTE, a column definition list
    bool ordering = false;   // inside ORDER BY: a bare number is a position
    bool signed_group = false;   // opened right behind a sign, which the grammar folds into a number that stands first in it
  };
  std::array<Level, 64> levels{};
  std::size_t depth = 0;

  Lexer lexer(text);
  Seen earlier, before, previous;     // the three tokens in front of `token`
  Token token = lexer.next();
  if (!(token.is("select") || token.is("insert") || token.is("update") || token.is("delete"))) return false;
  std::size_t copied = 0;
  bool in_type = false;
  while (token.kind != TokenKind::kEnd) {
    const Token following = lexer.next();
    Level& level = levels[depth];
    const WordRole role = token.kind == TokenKind::kWord ? role_of(token.text) : WordRole::kNone;
    switch (token.kind) {
      case TokenKind::kError:
      case TokenKind::kParam: return false;
      case TokenKind::kSemicolon:
        if (following.kind != TokenKind::kEnd) return false;
        break;
      case TokenKind::kOpen:
        if (++depth == levels.size()) return false;
        levels[depth] = {level.keep || (in_type && token.text == "("), false, is_sign(previous.token)};
        break;
      case TokenKind::kClose:
        if (depth == 0) return false;
        --depth;
        break;
      case TokenKind::kWord:
        if (role == WordRole::kRefused) return false;
        if (role == WordRole::kOrder) level.ordering = true;
        if (role == WordRole::kOrderEnd || role == WordRole::kOrderEndExpression) level.ordering = false;
        break;
      case TokenKind::kInteger:
      case TokenKind::kDecimal:
      case TokenKind::kString: {
        // 'a' <newline> 'b' is one literal; type(10) 'x' has a modifier that must not become a parameter.
        if (token.kind == TokenKind::kString) {
          if (following.kind == TokenKind::kString) return false;
          if (previous.token.kind == TokenKind::kClose) return false;
        }
        std::size_t begin = token.offset;
        bool safe = !level.keep && !level.ordering && allows_literal_after(previous);
        const std::string_view sign = previous.token.kind == TokenKind::kOperator ? previous.token.text : std::string_view{};
        if (token.kind != TokenKind::kString && level.signed_group &&
            (previous.token.kind == TokenKind::kOpen || (is_sign(previous.token) && before.token.kind == TokenKind::kOpen)))
          safe = false;
        // `- -5` negates a number, but `a - -5` takes one away.
        if (is_sign(previous.token) && is_sign(before.token) && !ends_operand(earlier.token)) safe = false;
        if (safe && token.kind != TokenKind::kString && (sign == "-" || sign == "+") && allows_literal_after(before)) {
          // The grammar folds a sign into the number, which decides its class (-2147483648 is an int4); a cast binds tighter.
          if (sign == "+" || following.kind == TokenKind::kCast || following.text == "[") {
            safe = false;
          } else if (previous.token.offset + 1 == token.offset) {
            begin = previous.token.offset;
          } else {
            safe = false;
          }
        }
        if (safe && token.kind == TokenKind::kString && token.text.find('\\') != std::string_view::npos) safe = false;
        if (!safe) break;
        if (out->literals.size() == kMaxLiterals) return false;
        const std::size_t end = token.offset + token.text.size();
        NormalizedLiteral literal;
        if (token.kind == TokenKind::kString) {
          literal.text = token.text.substr(1, token.text.size() - 2);
          if (literal.text.find('\'') != std::string_view::npos) {
            const std::size_t start = out->unescaped.size();
            for (std::size_t i = 0; i < literal.text.size(); ++i) {
              out->unescaped.push_back(literal.text[i]);
              if (literal.text[i] == '\'') ++i;
            }
            literal.text = std::string_view(out->unescaped).substr(start);
          }
        } else {
          literal.text = text.substr(begin, end - begin);
          literal.literal_class =
              token.kind == TokenKind::kDecimal ? LiteralClass::kNumeric : integer_class(literal.text);
        }
        out->literals.push_back(literal);
        out->text.append(text.substr(copied, begin - copied));
        out->text.push_back('$');
        char digits[8];
        const auto written = std::to_chars(digits, digits + sizeof digits, out->literals.size());
        out->text.append(digits, static_cast<std::size_t>(written.ptr - digits));
        copied = end;
        break;
      }
      default: break;
    }
    // A type follows :: and AS: names, dots, brackets of arrays, and a bracket with its modifiers.
    if (token.kind == TokenKind::kCast || role == WordRole::kAs) {
      in_type = true;
    } else if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName && token.kind != TokenKind::kDot) {
      in_type = false;
    }
    earlier = before;
    before = previous;
    previous = {token, role};
    token = following;
  }
  if (out->literals.empty()) return false;
  out->text.append(text.substr(copied));
  return true;
}

}  // namespace wandian::sql
