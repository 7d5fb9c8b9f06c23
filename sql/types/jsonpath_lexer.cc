#include "sql/types/jsonpath_lexer.h"

#include <algorithm>

namespace wandian::sql {

namespace {

using Token = JsonPathLexer::Token;

struct Keyword {
  std::string_view word;
  bool exact;   ///< lower case alone
  Token token;
};
constexpr Keyword kKeywords[] = {
    {"is", false, Token::kIs}, {"to", false, Token::kTo}, {"abs", false, Token::kAbs}, {"lax", false, Token::kLax}, {"flag", false, Token::kFlag},
    {"last", false, Token::kLast}, {"null", true, Token::kNull}, {"size", false, Token::kSize}, {"true", true, Token::kTrue},
    {"type", false, Token::kType}, {"with", false, Token::kWith}, {"false", true, Token::kFalse}, {"floor", false, Token::kFloor},
    {"double", false, Token::kDouble}, {"exists", false, Token::kExists}, {"starts", false, Token::kStarts}, {"strict", false, Token::kStrict},
    {"ceiling", false, Token::kCeiling}, {"unknown", false, Token::kUnknown}, {"datetime", false, Token::kDatetime},
    {"keyvalue", false, Token::kKeyValue}, {"like_regex", false, Token::kLikeRegex},
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_special(char c) { return std::string_view("?%$.[]{}()|&!=<>@#,*:-+/").find(c) != std::string_view::npos; }
bool is_other(char c) { return !is_special(c) && !is_blank(c) && c != '\\' && c != '"'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = static_cast<char>(c | 0x20);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

void append_utf8(std::uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
  out->push_back(static_cast<char>(kLead[more] | (code >> (6 * more))));
  for (int i = more - 1; i >= 0; --i) out->push_back(static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f)));
}

}  // namespace

bool JsonPathLexer::fail(std::string_view message) {
  if (!error_.ok()) return false;
  error_ = Status{sqlstate::syntax_error, seen_.empty() ? std::string(message) + " at end of jsonpath input"
                                                        : std::string(message) + " at or near \"" + std::string(seen_) + "\" of jsonpath input"};
  return false;
}

bool JsonPathLexer::next() {
  for (;;) {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    if (text_.substr(at_, 2) != "/*") break;
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) {
      seen_ = {};
      return fail("unexpected end of comment");
    }
    at_ = end + 2;
  }
  if (at_ >= text_.size()) {
    token_ = Token::kEnd;
    seen_ = value_ = {};
    return true;
  }
  const char c = text_[at_];
  if (c == '"') {
    ++at_;
    return quoted(Token::kString);
  }
  if (c == '$' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
    at_ += 2;
    return quoted(Token::kVariable);
  }
  if (c == '$' && at_ + 1 < text_.size() && is_other(text_[at_ + 1])) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_other(text_[end])) ++end;
    seen_ = text_.substr(at_, end - at_);
    value_ = seen_.substr(1);
    at_ = end;
    token_ = Token::kVariable;
    return true;
  }
  if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
  if (!is_special(c)) return bare();
  static constexpr struct {
    std::string_view text;
    Token token;
  } kOperators[] = {{"&&", Token::kAnd}, {"||", Token::kOr}, {"**", Token::kAny}, {"<=", Token::kLessOrEqual}, {"==", Token::kEqual},
                    {"<>", Token::kNotEqual}, {"!=", Token::kNotEqual}, {">=", Token::kGreaterOrEqual}, {"!", Token::kNot},
                    {"<", Token::kLess}, {">", Token::kGreater}};
  token_ = Token::kSymbol;
  symbol_ = c;
  std::size_t size = 1;
  for (const auto& op : kOperators) {
    if (text_.substr(at_, op.text.size()) != op.text) continue;
    token_ = op.token;
    size = op.text.size();
    break;
  }
  seen_ = text_.substr(at_, size);
  at_ += size;
  return true;
}

bool JsonPathLexer::number() {
  const std::size_t begin = at_;
  std::size_t end = at_;
  const auto digits = [&] {
    while (end < text_.size() && is_digit(text_[end])) ++end;
  };
  token_ = Token::kInteger;
  if (text_[end] == '0') ++end;
  else digits();
  if (end < text_.size() && text_[end] == '.') {
    token_ = Token::kNumber;
    ++end;
    digits();
  }
  if (end < text_.size() && (text_[end] | 0x20) == 'e') {
    std::size_t exponent = end + 1;
    if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
    if (exponent >= text_.size() || !is_digit(text_[exponent])) {
      const bool sign = exponent > end + 1;
      seen_ = text_.substr(begin, exponent - begin);
      return fail(sign ? "invalid numeric literal" : "trailing junk after numeric literal");
    }
    token_ = Token::kNumber;
    end = exponent;
    digits();
  }
  if (end < text_.size() && is_other(text_[end])) {
    std::size_t junk = end + 1;
    while (junk < text_.size() && (text_[junk] & 0xc0) == 0x80) ++junk;
    seen_ = text_.substr(begin, junk - begin);
    return fail("trailing junk after numeric literal");
  }
  seen_ = value_ = text_.substr(begin, end - begin);
  at_ = end;
  return true;
}

bool JsonPathLexer::quoted(Token token) {
  std::string out;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] != '\\') out.push_back(text_[at_++]);
    else if (!escape(&out)) return false;
  }
  if (at_ >= text_.size()) {
    seen_ = {};
    return fail("unexpected end of quoted string");
  }
  seen_ = text_.substr(at_, 1);
  ++at_;
  value_ = arena_.copy(out);
  token_ = token;
  return true;
}

bool JsonPathLexer::bare() {
  std::string out;
  while (at_ < text_.size() && (is_other(text_[at_]) || text_[at_] == '\\')) {
    if (text_[at_] != '\\') out.push_back(text_[at_++]);
    else if (!escape(&out)) return false;
  }
  // What ends a word is what PostgreSQL's scanner has read when it gives it out: blanks, or nothing yet.
  std::size_t end = at_;
  while (end < text_.size() && is_blank(text_[end])) ++end;
  seen_ = text_.substr(at_, end - at_);
  value_ = arena_.copy(out);
  classify();
  return true;
}

void JsonPathLexer::classify() {
  token_ = Token::kIdentifier;
  for (const Keyword& keyword : kKeywords) {
    if (keyword.word.size() != value_.size()) continue;
    const bool same = std::equal(value_.begin(), value_.end(), keyword.word.begin(), [&](char a, char b) {
      return keyword.exact ? a == b : (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
    });
    if (same) token_ = keyword.token;
  }
}

bool JsonPathLexer::escape(std::string* out) {
  const std::size_t begin = at_;
  if (at_ + 1 >= text_.size()) {
    seen_ = text_.substr(at_, 1);
    return fail("unexpected end after backslash");
  }
  const char c = text_[at_ + 1];
  switch (c) {
    case 'b': out->push_back('\b'); break;
    case 'f': out->push_back('\f'); break;
    case 'n': out->push_back('\n'); break;
    case 'r': out->push_back('\r'); break;
    case 't': out->push_back('\t'); break;
    case 'v': out->push_back('\v'); break;
    case 'u': return unicode(out);
    case 'x': {
      const int high = at_ + 2 < text_.size() ? hex_value(text_[at_ + 2]) : -1;
      const int low = at_ + 3 < text_.size() ? hex_value(text_[at_ + 3]) : -1;
      if (high < 0 || low < 0) {
        seen_ = text_.substr(begin, high < 0 ? 2 : 3);
        return fail("invalid hex character sequence");
      }
      if (high * 16 + low == 0) {
        error_ = Status{sqlstate::untranslatable_character, "unsupported Unicode escape sequence"}.with_detail(
            "\\u0000 cannot be converted to text.");
        return false;
      }
      append_utf8(static_cast<std::uint32_t>(high * 16 + low), out);
      at_ += 4;
      return true;
    }
    default: out->push_back(c);
  }
  at_ += 2;
  return true;
}

// A run of \uXXXX and \u{X...}, since surrogates come in pairs.
bool JsonPathLexer::unicode(std::string* out) {
  const std::size_t begin = at_;
  std::uint32_t high = 0;
  const auto low_missing = [&] {
    error_ = Status{sqlstate::invalid_text_representation, "invalid input syntax for type jsonpath"}.with_detail(
        "Unicode low surrogate must follow a high surrogate.");
    return false;
  };
  while (text_.substr(at_, 2) == "\\u") {
    std::size_t at = at_ + 2;
    const bool braces = at < text_.size() && text_[at] == '{';
    if (braces) ++at;
    std::uint32_t code = 0;
    std::size_t digits = 0;
    for (; at < text_.size() && digits < (braces ? 6u : 4u) && hex_value(text_[at]) >= 0; ++at, ++digits)
      code = code * 16 + static_cast<std::uint32_t>(hex_value(text_[at]));
    if (braces ? digits == 0 || at >= text_.size() || text_[at] != '}' : digits < 4) {
      seen_ = text_.substr(begin, at - begin);
      return fail("invalid unicode sequence");
    }
    if (braces) ++at;
    at_ = at;
    if (code == 0) {
      error_ = Status{sqlstate::untranslatable_character, "unsupported Unicode escape sequence"}.with_detail(
          "\\u0000 cannot be converted to text.");
      return false;
    }
    if (code >= 0xd800 && code < 0xdc00) {
      if (high != 0) {
        error_ = Status{sqlstate::invalid_text_representation, "invalid input syntax for type jsonpath"}.with_detail(
            "Unicode high surrogate must not follow a high surrogate.");
        return false;
      }
      high = code;
      continue;
    }
    if (code >= 0xdc00 && code < 0xe000) {
      if (high == 0) return low_missing();
      code = 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff);
      high = 0;
    } else if (high != 0) {
      return low_missing();
    }
    append_utf8(code, out);
  }
  return high == 0 || low_missing();
}

}  // namespace wandian::sql
