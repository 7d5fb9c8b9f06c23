#include "sql/types/json.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "engine/numeric.h"

namespace wandian::sql {

namespace {

constexpr int kMaxDepth = 4000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || is_digit(c) || c == '_' || (c & 0x80);
}

enum class Token : std::uint8_t {
  kEnd, kString, kNumber, kTrue, kFalse, kNull, kOpenObject, kCloseObject, kOpenArray, kCloseArray, kComma, kColon
};

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

class Parser {
 public:
  Parser(std::string_view text, bool for_jsonb, Arena& arena) : text_(text), jsonb_(for_jsonb), arena_(arena) {}

  Status run(JsonNode* out) {
    if (next() && value(out, 0) && token_ != Token::kEnd) fail(expected("end of input"));
    return std::move(error_);
  }

 private:
  std::string_view token_text() const { return text_.substr(begin_, end_ - begin_); }

  // What PostgreSQL says about the token here; the end of the text has a message of its own.
  std::string expected(std::string_view what) const {
    if (token_ == Token::kEnd && what != "end of input") return "The input string ended unexpectedly.";
    return "Expected " + std::string(what) + ", but found \"" + std::string(token_text()) + "\".";
  }

  bool fail(std::string detail, SqlState code = sqlstate::invalid_text_representation,
            const char* message = "invalid input syntax for type json") {
    if (!error_.ok()) return false;
    std::size_t line = 1;
    std::size_t start = 0;
    for (std::size_t i = 0; i < begin_ && i < text_.size(); ++i)
      if (text_[i] == '\n') {
        ++line;
        start = i + 1;
      }
    std::size_t from = start;
    while (end_ - from >= 50) {
      ++from;
      while (from < end_ && (text_[from] & 0xc0) == 0x80) ++from;
    }
    const bool cut_front = from > start + 3;
    if (!cut_front) from = start;
    const bool cut_back = token_ != Token::kEnd && end_ < text_.size() && text_[end_] != '\n' && text_[end_] != '\r';
    error_ = Status{code, message}.with_detail(std::move(detail)).with_context(
        "JSON data, line " + std::to_string(line) + ": " + (cut_front ? "..." : "") +
        std::string(text_.substr(from, end_ - from)) + (cut_back ? "..." : ""));
    return false;
  }
  bool invalid_token() { return fail("Token \"" + std::string(token_text()) + "\" is invalid."); }

  bool next() {
    while (end_ < text_.size() && (text_[end_] == ' ' || text_[end_] == '\t' || text_[end_] == '\n' || text_[end_] == '\r'))
      ++end_;
    begin_ = end_;
    if (begin_ == text_.size()) {
      token_ = Token::kEnd;
      return true;
    }
    const char c = text_[begin_];
    end_ = begin_ + 1;
    switch (c) {
      case '{': token_ = Token::kOpenObject; return true;
      case '}': token_ = Token::kCloseObject; return true;
      case '[': token_ = Token::kOpenArray; return true;
      case ']': token_ = Token::kCloseArray; return true;
      case ',': token_ = Token::kComma; return true;
      case ':': token_ = Token::kColon; return true;
      case '"': token_ = Token::kString; return string();
      default: break;
    }
    if (is_digit(c) || c == '-') {
      token_ = Token::kNumber;
      return number();
    }
    token_ = Token::kNull;
    if (!is_word(c)) return invalid_token();
    while (end_ < text_.size() && is_word(text_[end_])) ++end_;
    const std::string_view word = token_text();
    if (word == "true") token_ = Token::kTrue;
    else if (word == "false") token_ = Token::kFalse;
    else if (word != "null") return invalid_token();
    return true;
  }

  bool number() {
    std::size_t at = begin_ + (text_[begin_] == '-' ? 1 : 0);
    bool bad = false;
    const auto digits = [&] {
      const std::size_t from = at;
      while (at < text_.size() && is_digit(text_[at])) ++at;
      if (at == from) bad = true;
    };
    if (at < text_.size() && text_[at] == '0') ++at;
    else digits();
    if (at < text_.size() && text_[at] == '.') {
      ++at;
      digits();
    }
    if (at < text_.size() && (text_[at] | 0x20) == 'e') {
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      digits();
    }
    while (at < text_.size() && is_word(text_[at])) {
      ++at;
      bad = true;
    }
    end_ = at;
    return !bad || invalid_token();
  }

  bool string() {
    scratch_.clear();
    std::size_t at = begin_ + 1;
    std::uint32_t high = 0;
    const auto stop = [&](std::size_t to) { end_ = std::min(to, text_.size()); };
    // json keeps its text: only jsonb has to turn surrogates into a character.
    const auto low_missing = [&] {
      if (!jsonb_) {
        high = 0;
        return true;
      }
      stop(at);
      return fail("Unicode low surrogate must follow a high surrogate.");
    };
    for (;; ) {
      if (at >= text_.size()) {
        stop(at);
        return invalid_token();
      }
      const char c = text_[at];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) {
        stop(at);
        char hex[8];
        std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned>(c));
        return fail(std::string("Character with value 0x") + hex + " must be escaped.");
      }
      if (c != '\\') {
        if (high != 0 && !low_missing()) return false;
        scratch_.push_back(c);
        ++at;
        continue;
      }
      if (++at == text_.size()) {
        stop(at);
        return invalid_token();
      }
      if (text_[at] == 'u') {
        std::uint32_t code = 0;
        for (int i = 1; i <= 4; ++i) {
          const char h = at + static_cast<std::size_t>(i) < text_.size() ? text_[at + static_cast<std::size_t>(i)] : '\0';
          const bool letter = (h | 0x20) >= 'a' && (h | 0x20) <= 'f';
          if (!is_digit(h) && !letter) {
            stop(at + static_cast<std::size_t>(i) + 1);
            return fail("\"\\u\" must be followed by four hexadecimal digits.");
          }
          code = code * 16 + static_cast<std::uint32_t>(is_digit(h) ? h - '0' : (h | 0x20) - 'a' + 10);
        }
        at += 5;
        if (code >= 0xd800 && code < 0xdc00) {
          if (high != 0 && jsonb_) {
            stop(at);
            return fail("Unicode high surrogate must not follow a high surrogate.");
          }
          high = code;
          continue;
        }
        if (code >= 0xdc00 && code < 0xe000) {
          if (high == 0) {
            if (!low_missing()) return false;
            continue;
          }
          code = 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff);
          high = 0;
        } else if (high != 0 && !low_missing()) {
          return false;
        }
        if (code == 0 && jsonb_) {
          stop(at);
          return fail("\\u0000 cannot be converted to text.", sqlstate::untranslatable_character,
                      "unsupported Unicode escape sequence");
        }
        append_utf8(code, scratch_);
        continue;
      }
      if (high != 0 && !low_missing()) return false;
      switch (text_[at]) {
        case '"': case '\\': case '/': scratch_.push_back(text_[at]); break;
        case 'b': scratch_.push_back('\b'); break;
        case 'f': scratch_.push_back('\f'); break;
        case 'n': scratch_.push_back('\n'); break;
        case 'r': scratch_.push_back('\r'); break;
        case 't': scratch_.push_back('\t'); break;
        default: {
          std::size_t length = 1;
          while (at + length < text_.size() && (text_[at + length] & 0xc0) == 0x80) ++length;
          stop(at + length);
          return fail("Escape sequence \"\\" + std::string(text_.substr(at, length)) + "\" is invalid.");
        }
      }
      ++at;
    }
    if (high != 0 && !low_missing()) return false;
    end_ = at + 1;
    return true;
  }

  // The value at the current token; leaves the token after it.
  bool value(JsonNode* out, int depth) {
    if (depth > kMaxDepth) {
      error_ = Status{sqlstate::statement_too_complex, "stack depth limit exceeded"};
      return false;
    }
    const std::size_t from = begin_;
    switch (token_) {
      case Token::kString:
        out->kind = JsonNode::Kind::kString;
        out->text = arena_.copy(scratch_);
        break;
      case Token::kNumber:
        out->kind = JsonNode::Kind::kNumber;
        out->text = token_text();
        if (jsonb_) {
          Value number;
          error_ = numeric_from_text(out->text, -1, arena_, &number);
          if (!error_.ok()) return false;
        }
        break;
      case Token::kTrue: out->kind = JsonNode::Kind::kTrue; break;
      case Token::kFalse: out->kind = JsonNode::Kind::kFalse; break;
      case Token::kNull: out->kind = JsonNode::Kind::kNull; break;
      case Token::kOpenArray:
        if (!array(out, depth)) return false;
        break;
      case Token::kOpenObject:
        if (!object(out, depth)) return false;
        break;
      default: return fail(expected("JSON value"));
    }
    out->raw = text_.substr(from, end_ - from);
    return next();
  }

  // Both leave the closing token as the current one.
  bool array(JsonNode* out, int depth) {
    out->kind = JsonNode::Kind::kArray;
    std::vector<JsonNode> items;
    if (!next()) return false;
    if (token_ != Token::kCloseArray) {
      for (;;) {
        if (!value(&items.emplace_back(), depth + 1)) return false;
        if (token_ == Token::kCloseArray) break;
        if (token_ != Token::kComma) return fail(expected("\",\" or \"]\""));
        if (!next()) return false;
      }
    }
    out->count = static_cast<std::uint32_t>(items.size());
    out->items = arena_.allocate_array<JsonNode>(items.size());
    std::copy(items.begin(), items.end(), out->items);
    return true;
  }

  bool object(JsonNode* out, int depth) {
    out->kind = JsonNode::Kind::kObject;
    struct Member {
      std::string_view key;
      JsonNode node;
    };
    std::vector<Member> members;
    if (!next()) return false;
    if (token_ != Token::kCloseObject) {
      if (token_ != Token::kString) return fail(expected("string or \"}\""));
      for (;;) {
        if (token_ != Token::kString) return fail(expected("string"));
        Member& member = members.emplace_back();
        member.key = arena_.copy(scratch_);
        if (!next()) return false;
        if (token_ != Token::kColon) return fail(expected("\":\""));
        if (!next() || !value(&member.node, depth + 1)) return false;
        if (token_ == Token::kCloseObject) break;
        if (token_ != Token::kComma) return fail(expected("\",\" or \"}\""));
        if (!next()) return false;
      }
    }
    if (jsonb_) {
      std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
        return a.key.size() != b.key.size() ? a.key.size() < b.key.size() : a.key < b.key;
      });
      // Of equal names the last stays.
      std::size_t kept = 0;
      for (std::size_t i = 0; i < members.size(); ++i)
        if (i + 1 == members.size() || members[i].key != members[i + 1].key) members[kept++] = members[i];
      members.resize(kept);
    }
    out->count = static_cast<std::uint32_t>(members.size());
    out->items = arena_.allocate_array<JsonNode>(members.size());
    out->keys = arena_.allocate_array<std::string_view>(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      out->items[i] = members[i].node;
      out->keys[i] = members[i].key;
    }
    return true;
  }

  std::string_view text_;
  bool jsonb_;
  Arena& arena_;
  Token token_ = Token::kEnd;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string scratch_;
  Status error_;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (std::uint32_t i = count; i-- > 0;)
    if (keys[i] == key) return &items[i];
  return nullptr;
}

Status parse_json(std::string_view text, bool for_jsonb, Arena& arena, JsonNode* out) {
  return Parser(text, for_jsonb, arena).run(out);
}

void write_json_string(std::string_view text, TextBuilder& out) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    out.push_back('\\');
    switch (c) {
      case '"': case '\\': out.push_back(c); break;
      case '\b': out.push_back('b'); break;
      case '\f': out.push_back('f'); break;
      case '\n': out.push_back('n'); break;
      case '\r': out.push_back('r'); break;
      case '\t': out.push_back('t'); break;
      default: {
        constexpr char kHex[] = "0123456789abcdef";
        out.append("u00");
        out.push_back(kHex[(c >> 4) & 15]);
        out.push_back(kHex[c & 15]);
      }
    }
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

void write_jsonb(const JsonNode& node, TextBuilder& out) {
  switch (node.kind) {
    case JsonNode::Kind::kNull: out.append("null"); return;
    case JsonNode::Kind::kTrue: out.append("true"); return;
    case JsonNode::Kind::kFalse: out.append("false"); return;
    case JsonNode::Kind::kString: write_json_string(node.text, out); return;
    case JsonNode::Kind::kNumber: {
      Arena arena;
      Value number;
      if (!numeric_from_text(node.text, -1, arena, &number).ok()) return;   // was checked when it was read
      char* p = out.reserve(numeric_text_bound(number));
      out.commit(static_cast<std::size_t>(write_numeric_text(number, p) - p));
      return;
    }
    case JsonNode::Kind::kArray:
    case JsonNode::Kind::kObject: break;
  }
  const bool object = node.kind == JsonNode::Kind::kObject;
  out.push_back(object ? '{' : '[');
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (i > 0) out.append(", ");
    if (object) {
      write_json_string(node.keys[i], out);
      out.append(": ");
    }
    write_jsonb(node.items[i], out);
  }
  out.push_back(object ? '}' : ']');
}

Status normalize_jsonb(std::string_view text, Arena& arena, Value* out) {
  JsonNode node;
  WANDIAN_TRY(parse_json(text, true, arena, &node));
  TextBuilder builder(arena, text.size() + 16);
  write_jsonb(node, builder);
  *out = builder.value();
  return {};
}

}  // namespace wandian::sql
