#include "sql/types/string_types.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

// Bytes of the well-formed character at the start, or 0 (Unicode 15, table 3-7).
std::size_t valid_character(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const unsigned c = at(0);
  if (c < 0x80) return c == 0 ? 0 : 1;
  if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if ((c == 0xe0 && at(1) < 0xa0) || (c == 0xed && at(1) > 0x9f)) return 0;
    return 3;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if ((c == 0xf0 && at(1) < 0x90) || (c == 0xf4 && at(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080u;
constexpr std::uint64_t kOnes = 0x0101010101010101u;

}  // namespace

Status check_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    // Eight bytes of ASCII without a zero at a time.
    while (i + 8 <= text.size()) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      if (((word | (word - kOnes)) & kHighBits) != 0) break;
      i += 8;
    }
    if (i >= text.size()) break;
    const std::size_t n = valid_character(text.substr(i));
    if (n == 0) {
      std::string message = "invalid byte sequence for encoding \"UTF8\":";
      const auto lead = static_cast<unsigned char>(text[i]);
      const std::size_t shown = lead >= 0xf8 || (lead & 0xc0) == 0x80 ? 1 : std::min(text.size() - i, utf8_bytes(text[i]));
      for (std::size_t k = 0; k < std::max<std::size_t>(shown, 1); ++k) {
        char hex[8];
        std::snprintf(hex, sizeof hex, " 0x%02x", static_cast<unsigned char>(text[i + k]));
        message += hex;
      }
      return {sqlstate::character_not_in_repertoire, std::move(message)};
    }
    i += n;
  }
  return {};
}

std::size_t utf8_length(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (c & 0xc0) != 0x80;
  return n;
}

std::size_t utf8_offset(std::string_view text, std::size_t characters) {
  std::size_t i = 0;
  while (characters > 0 && i < text.size()) {
    i += utf8_bytes(text[i]);
    --characters;
  }
  return std::min(i, text.size());
}

std::uint32_t decode_utf8(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<std::uint32_t>(s[i]) & 0x3f : 0u; };
  if (s.empty()) return 0;
  const auto c = static_cast<unsigned char>(s[0]);
  if (c < 0x80) return c;
  if (c < 0xe0) return ((c & 0x1fu) << 6) | at(1);
  if (c < 0xf0) return ((c & 0x0fu) << 12) | (at(1) << 6) | at(2);
  return ((c & 0x07u) << 18) | (at(1) << 12) | (at(2) << 6) | at(3);
}

std::size_t encode_utf8(std::uint32_t code, char* out) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xc0 | (code >> 6));
    out[1] = tail(0);
    return 2;
  }
  if (code < 0x10000) {
    out[0] = static_cast<char>(0xe0 | (code >> 12));
    out[1] = tail(6);
    out[2] = tail(0);
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | (code >> 18));
  out[1] = tail(12);
  out[2] = tail(6);
  out[3] = tail(0);
  return 4;
}

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & kHighBits) return false;
  }
  for (; i < text.size(); ++i)
    if (text[i] & 0x80) return false;
  return true;
}

Status fit_varchar(std::string_view text, std::int32_t typmod, bool explicit_cast, Arena& arena, Value* out) {
  const auto limit = static_cast<std::size_t>(typmod - 4);
  if (typmod >= 4 && text.size() > limit) {
    const std::size_t end = utf8_offset(text, limit);
    if (!explicit_cast && text.find_first_not_of(' ', end) != std::string_view::npos)
      return {kStringDataTooLong,
              "value too long for type character varying(" + std::to_string(limit) + ")"};
    text = text.substr(0, end);
  }
  *out = Value::of_bytes(arena.copy(text));
  return {};
}

Status fit_bpchar(std::string_view text, std::int32_t typmod, bool explicit_cast, Arena& arena, Value* out) {
  if (typmod < 4) {
    *out = Value::of_bytes(arena.copy(text));
    return {};
  }
  const auto limit = static_cast<std::size_t>(typmod - 4);
  const std::size_t length = utf8_length(text);
  if (length > limit) {
    const std::size_t end = utf8_offset(text, limit);
    if (!explicit_cast && text.find_first_not_of(' ', end) != std::string_view::npos)
      return {kStringDataTooLong,
              "value too long for type character(" + std::to_string(limit) + ")"};
    *out = Value::of_bytes(arena.copy(text.substr(0, end)));
    return {};
  }
  const std::size_t size = text.size() + (limit - length);
  char* p = arena.allocate_bytes(size);
  if (!text.empty()) std::memcpy(p, text.data(), text.size());
  std::memset(p + text.size(), ' ', limit - length);
  *out = Value::of_bytes(p, size);
  return {};
}

std::string_view fit_name(std::string_view text, std::size_t bytes_most) {
  if (text.size() <= bytes_most) return text;
  std::size_t end = bytes_most;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = static_cast<char>(c | 0x20);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

Status parse_bytea(std::string_view text, Arena& arena, Value* out) {
  char* p = arena.allocate_bytes(text.size());
  std::size_t n = 0;
  if (text.size() >= 2 && text[0] == '\\' && text[1] == 'x') {
    int high = -1;
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (high < 0 && is_blank(text[i])) continue;
      const int digit = hex_digit(text[i]);
      if (digit < 0)
        return {sqlstate::invalid_parameter_value,
                "invalid hexadecimal digit: \"" + std::string(text.substr(i, utf8_bytes(text[i]))) + "\""};
      if (high < 0) {
        high = digit;
      } else {
        p[n++] = static_cast<char>(high * 16 + digit);
        high = -1;
      }
    }
    if (high >= 0) return {sqlstate::invalid_parameter_value, "invalid hexadecimal data: odd number of digits"};
    *out = Value::of_bytes(p, n);
    return {};
  }
  const auto octal = [&](std::size_t i, char max) { return i < text.size() && text[i] >= '0' && text[i] <= max; };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      p[n++] = text[i++];
    } else if (octal(i + 1, '3') && octal(i + 2, '7') && octal(i + 3, '7')) {
      p[n++] = static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 4;
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      p[n++] = '\\';
      i += 2;
    } else {
      return {sqlstate::invalid_text_representation, "invalid input syntax for type bytea"};
    }
  }
  *out = Value::of_bytes(p, n);
  return {};
}

void write_hex(std::string_view bytes, char* out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    *out++ = kHex[(c >> 4) & 15];
    *out++ = kHex[c & 15];
  }
}

void write_bytea_escaped(std::string_view bytes, TextBuilder& out) {
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\\') {
      out.append("\\\\");
    } else if (u < 0x20 || u > 0x7e) {
      out.push_back('\\');
      out.push_back(static_cast<char>('0' + (u >> 6)));
      out.push_back(static_cast<char>('0' + ((u >> 3) & 7)));
      out.push_back(static_cast<char>('0' + (u & 7)));
    } else {
      out.push_back(c);
    }
  }
}

Status parse_uuid(std::string_view text, Arena& arena, Value* out) {
  char* p = arena.allocate_bytes(16);
  std::string_view body = text;
  bool bad = false;
  if (!body.empty() && body.front() == '{') {
    bad = body.back() != '}';
    body = body.substr(1, body.size() >= 2 ? body.size() - 2 : 0);
  }
  std::size_t at = 0;
  for (int i = 0; i < 16 && !bad; ++i) {
    const int high = at < body.size() ? hex_digit(body[at]) : -1;
    const int low = at + 1 < body.size() ? hex_digit(body[at + 1]) : -1;
    bad = high < 0 || low < 0;
    if (bad) break;
    p[i] = static_cast<char>(high * 16 + low);
    at += 2;
    if (i % 2 == 1 && i < 15 && at < body.size() && body[at] == '-') ++at;
  }
  if (bad || at != body.size()) return invalid_input("uuid", text);
  *out = Value::of_bytes(p, 16);
  return {};
}

char* write_uuid(const char* bytes, char* out) {
  std::size_t at = 0;
  for (const std::size_t group : {4, 2, 2, 2, 6}) {
    if (at > 0) *out++ = '-';
    write_hex({bytes + at, group}, out);
    out += 2 * group;
    at += group;
  }
  return out;
}

}  // namespace wandian::sql
