// Functions that put text together or recode it: concat, format, quoting, encode and decode, digests.
#include <algorithm>

#include "sql/functions/bindings.h"
#include "sql/functions/digest.h"
#include "sql/functions/quote.h"
#include "sql/types/network.h"
#include "sql/types/number_text.h"
#include "sql/types/string_types.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// The tail of a VARIADIC "any" call: a record of its own types, or an array (sql/functions/registry.h).
class Tail {
 public:
  Tail(Oid type, const Value& value) {
    if (value.is_null) return;
    if (type == kRecord) {
      const RecordView record(value);
      for (std::uint32_t i = 0; i < record.count(); ++i) items_.push_back({record.type(i), record.field(i)});
    } else {
      const ArrayView array(value);
      for (std::uint32_t i = 0; i < array.count(); ++i) items_.push_back({array.element_type(), array.element(i)});
    }
  }
  struct Item {
    Oid type;
    Value value;
  };
  std::size_t size() const { return items_.size(); }
  const Item& operator[](std::size_t i) const { return items_[i]; }

 private:
  std::vector<Item> items_;
};

bool concat(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const Tail tail(types[0], args[0]);
  TextBuilder out(ctx.arena);
  for (std::size_t i = 0; i < tail.size(); ++i)
    if (!tail[i].value.is_null && !append_text(ctx, tail[i].type, tail[i].value, out)) return false;
  *result = out.value();
  return true;
}

bool concat_ws(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  if (args[0].is_null || args[1].is_null) return return_null(result);
  const Tail tail(types[1], args[1]);
  TextBuilder out(ctx.arena);
  bool first = true;
  for (std::size_t i = 0; i < tail.size(); ++i) {
    if (tail[i].value.is_null) continue;
    if (!first) out.append(args[0].bytes());
    first = false;
    if (!append_text(ctx, tail[i].type, tail[i].value, out)) return false;
  }
  *result = out.value();
  return true;
}

bool bad_parameter(EvalContext& ctx, std::string message) {
  return ctx.fail({sqlstate::invalid_parameter_value, std::move(message)});
}

// format(text, ...): %[position$][-][width]type, with * widths.
class Formatter {
 public:
  Formatter(EvalContext& ctx, std::string_view pattern, const Tail& tail) : ctx_(ctx), s_(pattern), tail_(tail), out_(ctx.arena) {}

  bool run(Value* result) {
    while (at_ < s_.size()) {
      const char c = s_[at_++];
      if (c != '%') {
        out_.push_back(c);
        continue;
      }
      if (at_ == s_.size()) return unterminated();
      if (s_[at_] == '%') {
        out_.push_back(s_[at_++]);
        continue;
      }
      if (!one()) return false;
    }
    *result = out_.value();
    return true;
  }

 private:
  bool unterminated() {
    return ctx_.fail(Status{sqlstate::invalid_parameter_value, "unterminated format() type specifier"}.with_hint(
        "For a single \"%\" use \"%%\"."));
  }
  bool number(std::int64_t* out, bool* any) {
    *any = false;
    *out = 0;
    while (at_ < s_.size() && s_[at_] >= '0' && s_[at_] <= '9') {
      *out = *out * 10 + (s_[at_++] - '0');
      *any = true;
      if (*out > INT32_MAX) return bad_parameter(ctx_, "number is out of range");
    }
    return true;
  }
  bool take(std::size_t position, const Tail::Item** item) {
    if (position >= tail_.size()) return bad_parameter(ctx_, "too few arguments for format()");
    *item = &tail_[position];
    return true;
  }

  bool one() {
    std::int64_t n;
    bool any;
    std::int64_t position = 0;
    std::int64_t width = 0;
    bool left = false;
    if (!number(&n, &any)) return false;
    bool width_read = false;
    if (any && at_ < s_.size() && s_[at_] == '$') {
      ++at_;
      if (n == 0) return bad_parameter(ctx_, "format specifies argument 0, but arguments are numbered from 1");
      position = n;
    } else if (any) {
      width = n;
      width_read = true;
    }
    if (!width_read) {
      while (at_ < s_.size() && s_[at_] == '-') {
        left = true;
        ++at_;
      }
      if (at_ < s_.size() && s_[at_] == '*') {
        ++at_;
        if (!number(&n, &any)) return false;
        std::size_t source = next_;
        if (any) {
          if (at_ == s_.size() || s_[at_] != '$')
            return bad_parameter(ctx_, "width argument position must be ended by \"$\"");
          ++at_;
          if (n == 0) return bad_parameter(ctx_, "format specifies argument 0, but arguments are numbered from 1");
          source = static_cast<std::size_t>(n - 1);
        }
        const Tail::Item* item;
        if (!take(source, &item)) return false;
        next_ = source + 1;
        if (!item->value.is_null) {
          TextBuilder text(ctx_.arena);
          if (!append_text(ctx_, item->type, item->value, text) ||
              !check(ctx_, parse_int(text.view(), INT32_MIN, INT32_MAX, "integer", &width)))
            return false;
        }
        if (width < 0) {
          left = true;
          width = -width;
        }
      } else if (!number(&width, &any)) {
        return false;
      }
    }
    if (at_ == s_.size()) return unterminated();
    const char type = s_[at_++];
    if (type != 's' && type != 'I' && type != 'L') {
      const std::size_t n_bytes = utf8_bytes(type);
      return ctx_.fail(Status{sqlstate::invalid_parameter_value, "unrecognized format() type specifier \"" +
                                                                     std::string(s_.substr(at_ - 1, n_bytes)) + "\""}
                           .with_hint("For a single \"%\" use \"%%\"."));
    }
    const std::size_t source = position > 0 ? static_cast<std::size_t>(position - 1) : next_;
    const Tail::Item* item;
    if (!take(source, &item)) return false;
    next_ = source + 1;
    std::string text;
    if (item->value.is_null) {
      if (type == 'I')
        return ctx_.fail({sqlstate::null_value_not_allowed, "null values cannot be formatted as an SQL identifier"});
      if (type == 'L') text = "NULL";
    } else {
      TextBuilder plain(ctx_.arena);
      if (!append_text(ctx_, item->type, item->value, plain)) return false;
      text = type == 's' ? std::string(plain.view()) : type == 'I' ? quote_identifier(plain.view()) : quote_literal(plain.view());
    }
    const auto length = static_cast<std::int64_t>(utf8_length(text));
    if (width > static_cast<std::int64_t>(TextBuilder::kMaxBytes / 2)) return bad_parameter(ctx_, "number is out of range");
    const auto blanks = static_cast<std::size_t>(std::max<std::int64_t>(width - length, 0));
    if (!left) out_.append(blanks, ' ');
    out_.append(text);
    if (left) out_.append(blanks, ' ');
    return true;
  }

  EvalContext& ctx_;
  std::string_view s_;
  const Tail& tail_;
  TextBuilder out_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
};

bool format(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const Tail tail(types[1], args[1]);
  return Formatter(ctx, args[0].bytes(), tail).run(result);
}
bool format_alone(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const Tail tail(kRecord, Value::null());
  return Formatter(ctx, args[0].bytes(), tail).run(result);
}

bool quote_ident(EvalContext& ctx, const Value* args, Value* result) {
  return return_text(ctx, result, quote_identifier(args[0].bytes()));
}
bool quote_literal_text(EvalContext& ctx, const Value* args, Value* result) {
  return return_text(ctx, result, quote_literal(args[0].bytes()));
}
bool quote_nullable(EvalContext& ctx, const Value* args, Value* result) {
  return return_text(ctx, result, args[0].is_null ? "NULL" : quote_literal(args[0].bytes()));
}
// The value as a cast to text gives it, which for a truth value is its word and for an address has the length of its mask.
bool append_cast(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  if (type == kInet) {
    out.append(network_text(load_network(value), true));
    return true;
  }
  if (type != kBool) return append_text(ctx, type, value, out);
  out.append(value.as_bool() ? "true" : "false");
  return true;
}

bool quote_any(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder text(ctx.arena);
  return append_cast(ctx, types[0], args[0], text) && return_text(ctx, result, quote_literal(text.view()));
}
bool quote_any_nullable(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  if (args[0].is_null) return return_text(ctx, result, "NULL");
  return quote_any(ctx, types, args, result);
}

// text || anything, anything || text.
bool text_then_any(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena, args[0].size + 32);
  out.append(args[0].bytes());
  if (!append_cast(ctx, types[1], args[1], out)) return false;
  *result = out.value();
  return true;
}
bool any_then_text(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena, args[1].size + 32);
  if (!append_cast(ctx, types[0], args[0], out)) return false;
  out.append(args[1].bytes());
  *result = out.value();
  return true;
}

template <std::size_t kBytes, class Digest>
Value digest_value(EvalContext& ctx, const Digest& digest) {
  return copy_text(ctx, {digest.data(), kBytes});
}
bool md5_hex(EvalContext& ctx, const Value* args, Value* result) {
  const auto digest = md5(args[0].bytes());
  char* p = ctx.arena.allocate_bytes(32);
  write_hex({digest.data(), digest.size()}, p);
  *result = Value::of_bytes(p, 32);
  return true;
}
bool sha224_of(EvalContext& ctx, const Value* args, Value* result) {
  *result = digest_value<28>(ctx, sha256(args[0].bytes(), true));
  return true;
}
bool sha256_of(EvalContext& ctx, const Value* args, Value* result) {
  *result = digest_value<32>(ctx, sha256(args[0].bytes()));
  return true;
}
bool sha384_of(EvalContext& ctx, const Value* args, Value* result) {
  *result = digest_value<48>(ctx, sha512(args[0].bytes(), true));
  return true;
}
bool sha512_of(EvalContext& ctx, const Value* args, Value* result) {
  *result = digest_value<64>(ctx, sha512(args[0].bytes()));
  return true;
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum class Encoding : std::uint8_t { kHex, kBase64, kEscape };
bool find_encoding(EvalContext& ctx, std::string_view name, Encoding* out) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (lower == "hex") *out = Encoding::kHex;
  else if (lower == "base64") *out = Encoding::kBase64;
  else if (lower == "escape") *out = Encoding::kEscape;
  else return bad_parameter(ctx, "unrecognized encoding: \"" + std::string(name) + "\"");
  return true;
}

bool encode(EvalContext& ctx, const Value* args, Value* result) {
  Encoding encoding;
  if (!find_encoding(ctx, args[1].bytes(), &encoding)) return false;
  const std::string_view s = args[0].bytes();
  TextBuilder out(ctx.arena, s.size() * 2 + 8);
  switch (encoding) {
    case Encoding::kHex:
      write_hex(s, out.reserve(2 * s.size()));
      out.commit(2 * s.size());
      break;
    case Encoding::kEscape:
      for (const char c : s) {
        const auto u = static_cast<unsigned char>(c);
        if (u == 0 || (u & 0x80)) {
          out.push_back('\\');
          out.push_back(static_cast<char>('0' + (u >> 6)));
          out.push_back(static_cast<char>('0' + ((u >> 3) & 7)));
          out.push_back(static_cast<char>('0' + (u & 7)));
        } else {
          if (c == '\\') out.push_back('\\');
          out.push_back(c);
        }
      }
      break;
    case Encoding::kBase64: {
      std::size_t line = 0;
      for (std::size_t i = 0; i < s.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, s.size() - i);
        std::uint32_t v = 0;
        for (std::size_t k = 0; k < 3; ++k) v = (v << 8) | (k < n ? static_cast<unsigned char>(s[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out.push_back(k <= n ? kBase64[(v >> (18 - 6 * k)) & 63] : '=');
        line += 4;
        if (line == 76 && n == 3) {   // behind the last line too, if it is full without padding
          out.push_back('\n');
          line = 0;
        }
      }
      break;
    }
  }
  *result = out.value();
  return true;
}

bool decode_base64(EvalContext& ctx, std::string_view s, Value* result) {
  TextBuilder out(ctx.arena, s.size());
  std::uint32_t v = 0;
  int n = 0;
  int padding = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (is_blank(c)) continue;
    if (c == '=') {
      if (padding == 0 && n < 2) return bad_parameter(ctx, "unexpected \"=\" while decoding base64 sequence");
      ++padding;
      v <<= 6;
    } else {
      const char* at = std::find(kBase64, kBase64 + 64, c);
      if (at == kBase64 + 64)
        return bad_parameter(ctx, "invalid symbol \"" + std::string(s.substr(i, utf8_bytes(c))) +
                                      "\" found while decoding base64 sequence");
      v = (v << 6) | static_cast<std::uint32_t>(at - kBase64);
    }
    if (++n == 4) {
      for (int k = 0; k < 3 - padding; ++k) out.push_back(static_cast<char>(v >> (16 - 8 * k)));
      n = 0;
      v = 0;
    }
  }
  if (n != 0)
    return ctx.fail(Status{sqlstate::invalid_parameter_value, "invalid base64 end sequence"}.with_hint(
        "Input data is missing padding, is truncated, or is otherwise corrupted."));
  *result = out.value();
  return true;
}

bool decode(EvalContext& ctx, const Value* args, Value* result) {
  Encoding encoding;
  if (!find_encoding(ctx, args[1].bytes(), &encoding)) return false;
  const std::string_view s = args[0].bytes();
  switch (encoding) {
    case Encoding::kHex: return check(ctx, parse_bytea("\\x" + std::string(s), ctx.arena, result));
    case Encoding::kEscape: return check(ctx, parse_bytea(s, ctx.arena, result));
    case Encoding::kBase64: return decode_base64(ctx, s, result);
  }
  return true;
}

template <class T>
bool to_hex(EvalContext& ctx, const Value* args, Value* result) {
  auto v = static_cast<T>(args[0].i);
  char text[16];
  std::size_t at = sizeof text;
  do {
    text[--at] = "0123456789abcdef"[v & 15];
    v = static_cast<T>(v >> 4);
  } while (v != 0);
  return return_text(ctx, result, {text + at, sizeof text - at});
}

// parse_ident('schema."Table"').
bool parse_identifier(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  const auto bad = [&](const char* detail) {
    Status status{sqlstate::invalid_parameter_value, "string is not a valid identifier: \"" + std::string(s) + "\""};
    if (detail != nullptr) status = std::move(status).with_detail(detail);
    return ctx.fail(std::move(status));
  };
  const auto letter = [](char c) { return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (c & 0x80); };
  std::vector<Value> parts;
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < s.size() && is_blank(s[at])) ++at;
  };
  skip();
  for (;;) {
    if (at < s.size() && s[at] == '"') {
      std::string name;
      for (++at;; ++at) {
        if (at == s.size()) return bad("String has unclosed double quotes.");
        if (s[at] == '"') {
          if (at + 1 < s.size() && s[at + 1] == '"') ++at;
          else break;
        }
        name.push_back(s[at]);
      }
      ++at;
      if (name.empty()) return bad("Quoted identifier must not be empty.");
      parts.push_back(copy_text(ctx, name));
    } else if (at < s.size() && letter(s[at])) {
      std::string name;
      while (at < s.size() && (letter(s[at]) || (s[at] >= '0' && s[at] <= '9') || s[at] == '$')) {
        const char c = s[at++];
        name.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
      }
      parts.push_back(copy_text(ctx, name));
    } else {
      return bad(at < s.size() && s[at] == '.' ? "No valid identifier before \".\"."
                 : !parts.empty()              ? "No valid identifier after \".\"."
                                               : nullptr);
    }
    skip();
    if (at == s.size()) break;
    if (s[at] != '.') {
      if (args[1].as_bool()) return bad(nullptr);
      break;
    }
    ++at;
    skip();
  }
  *result = build_array(kText, parts, ctx.arena);
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"text_concat", nullptr, concat},
    {"text_concat_ws", nullptr, concat_ws},
    {"text_format", nullptr, format},
    {"text_format_nv", format_alone},
    {"quote_ident", quote_ident},
    {"quote_literal", quote_literal_text},
    {"quote_nullable", quote_nullable},
    {"quote_literal(anyelement)", nullptr, quote_any},
    {"quote_nullable(anyelement)", nullptr, quote_any_nullable},
    {"textanycat(text,anynonarray)", nullptr, text_then_any},
    {"anytextcat(anynonarray,text)", nullptr, any_then_text},
    {"md5_text", md5_hex},
    {"md5_bytea", md5_hex},
    {"sha224_bytea", sha224_of},
    {"sha256_bytea", sha256_of},
    {"sha384_bytea", sha384_of},
    {"sha512_bytea", sha512_of},
    {"binary_encode", encode},
    {"binary_decode", decode},
    {"to_hex32", to_hex<std::uint32_t>},
    {"to_hex64", to_hex<std::uint64_t>},
    {"parse_ident", parse_identifier},
};

}  // namespace

std::span<const FunctionBinding> string_bindings() { return kBindings; }

}  // namespace wandian::sql
