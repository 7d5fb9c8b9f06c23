#include "sql/parse/normalize.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sql/parse/lexer.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMaxLiterals = 64;
constexpr std::size_t kMaxBytes = 16384;

// A statement with one of these compares expressions with each other, or is not worth it.
constexpr std::array<std::string_view, 9> kRefused{"group", "distinct", "union", "intersect", "except", "with", "over", "window",
                                                   "tablesample"};
// Words that an expression may follow.
constexpr std::array<std::string_view, 19> kBeforeExpression{"select", "where", "and", "or",    "not",       "like", "ilike",
                                                             "between", "then", "else", "when", "returning", "limit", "offset",
                                                             "on",     "having", "case", "in", "from"};

template <std::size_t N>
bool is_one_of(const Token& token, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return token.is(word); });
}

bool allows_literal_after(const Token& previous) {
  switch (previous.kind) {
    case TokenKind::kOperator:
    case TokenKind::kOpen:
    case TokenKind::kComma: return true;
    case TokenKind::kWord: return is_one_of(previous, kBeforeExpression);
    default: return false;
  }
}

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
  };
  std::array<Level, 64> levels{};
  std::size_t depth = 0;

  Lexer lexer(text);
  Token before, previous;    // the two tokens in front of `token`
  Token token = lexer.next();
  if (!(token.is("select") || token.is("insert") || token.is("update") || token.is("delete"))) return false;
  std::size_t copied = 0;
  bool in_type = false;
  while (token.kind != TokenKind::kEnd) {
    Token following = lexer.next();
    Level& level = levels[depth];
    switch (token.kind) {
      case TokenKind::kError:
      case TokenKind::kParam: return false;
      case TokenKind::kSemicolon:
        if (following.kind != TokenKind::kEnd) return false;
        break;
      case TokenKind::kOpen:
        if (++depth == levels.size()) return false;
        levels[depth] = {level.keep || (in_type && token.text == "("), false};
        break;
      case TokenKind::kClose:
        if (depth == 0) return false;
        --depth;
        break;
      case TokenKind::kWord:
        if (is_one_of(token, kRefused)) return false;
        if (token.is("order")) level.ordering = true;
        if (token.is("limit") || token.is("offset") || token.is("returning") || token.is("for")) level.ordering = false;
        break;
      case TokenKind::kInteger:
      case TokenKind::kDecimal:
      case TokenKind::kString: {
        // 'a' <newline> 'b' is one literal; type(10) 'x' has a modifier that must not become a parameter.
        if (token.kind == TokenKind::kString) {
          if (following.kind == TokenKind::kString) return false;
          if (previous.kind == TokenKind::kClose) return false;
        }
        std::size_t begin = token.offset;
        bool safe = !level.keep && !level.ordering && allows_literal_after(previous);
        if (safe && previous.kind == TokenKind::kOperator && token.kind != TokenKind::kString &&
            (previous.text == "-" || previous.text == "+") && allows_literal_after(before)) {
          // The grammar folds a sign into the number, which decides its class (-2147483648 is an int4); a cast binds tighter.
          if (previous.text == "+" || following.kind == TokenKind::kCast || following.text == "[") {
            safe = false;
          } else if (previous.offset + 1 == token.offset) {
            begin = previous.offset;
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
    if (token.kind == TokenKind::kCast || token.is("as")) {
      in_type = true;
    } else if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName && token.kind != TokenKind::kDot) {
      in_type = false;
    }
    before = previous;
    previous = token;
    token = following;
  }
  if (out->literals.empty()) return false;
  out->text.append(text.substr(copied));
  return true;
}

}  // namespace wandian::sql
