#include "sql/functions/pgp/armor.h"

#include <cstdint>
#include <optional>

namespace wandian::sql::pgp {

namespace {

constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kLineLetters = 76;

void append_group(std::uint32_t bits, std::string* out) {
  for (int shift = 18; shift >= 0; shift -= 6) out->push_back(kLetters[bits >> shift & 63]);
}

// Every full line ends with a newline, the last one too if it is full.
void append_base64(std::string_view data, std::string* out) {
  std::size_t line = 0;
  for (std::size_t at = 0; at < data.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = at; i < at + 3; ++i) bits = bits << 8 | (i < data.size() ? static_cast<unsigned char>(data[i]) : 0);
    append_group(bits, out);
    for (std::size_t i = data.size(); i < at + 3; ++i) (*out)[out->size() - (at + 3 - i)] = '=';
    if ((line += 4) == kLineLetters && at + 3 <= data.size()) {
      out->push_back('\n');
      line = 0;
    }
  }
}

std::optional<std::uint32_t> letter_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  if (c == '=') return 0;
  return std::nullopt;
}

Fault read_base64(std::string_view text, std::string* out) {
  std::uint32_t bits = 0;
  std::size_t letters = 0, kept = 3;   // of a group: how many bytes count
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    const auto value = letter_value(c);
    if (!value) return Fault::kCorruptArmor;
    if (c == '=' && kept == 3) {
      if (letters < 2) return Fault::kCorruptArmor;
      kept = letters - 1;
    }
    bits = bits << 6 | *value;
    if (++letters < 4) continue;
    for (std::size_t i = 0; i < kept; ++i) out->push_back(static_cast<char>(bits >> (16 - 8 * i) & 255));
    bits = 0;
    letters = 0;
  }
  return letters == 0 ? Fault::kNone : Fault::kCorruptArmor;
}

// Section 6.1.
std::uint32_t checksum(std::string_view data) {
  constexpr std::uint32_t kStart = 0xb704ce, kPolynomial = 0x1864cfb;
  std::uint32_t crc = kStart;
  for (const char c : data) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? kPolynomial : 0);
  }
  return crc & 0xffffff;
}

// A line "-----BEGIN ...-----": where it starts, and where the next line does.
struct Separator {
  std::size_t begin, end;
};
std::optional<Separator> find_separator(std::string_view text, std::size_t from, std::string_view word) {
  constexpr std::string_view kDashes = "-----";
  std::size_t begin = from;
  while (true) {
    begin = text.find(word, begin);
    if (begin == text.npos) return std::nullopt;
    if (begin == from || text[begin - 1] == '\n') break;
    begin += word.size();
  }
  std::size_t at = begin + word.size();
  for (; at < text.size() && text[at] != '-'; ++at)
    if (static_cast<unsigned char>(text[at]) < ' ') return std::nullopt;
  if (text.substr(at, kDashes.size()) != kDashes) return std::nullopt;
  at += kDashes.size();
  if (at == text.size()) return Separator{begin, at};
  if (text[at] != '\n' && text[at] != '\r') return std::nullopt;
  if (text[at] == '\r') ++at;
  if (at < text.size() && text[at] == '\n') ++at;
  return Separator{begin, at};
}

struct Parts {
  std::string_view headers;   // whole lines
  std::string_view body;      // from the empty line to the end's
};
Fault find_parts(std::string_view text, Parts* out) {
  const auto begin = find_separator(text, 0, "-----BEGIN");
  if (!begin) return Fault::kCorruptArmor;
  const auto end = find_separator(text, begin->end, "-----END");
  if (!end) return Fault::kCorruptArmor;
  std::size_t at = begin->end;
  while (at < end->begin && text[at] != '\n' && text[at] != '\r') {
    at = text.substr(0, end->begin).find('\n', at);
    if (at == text.npos) return Fault::kCorruptArmor;
    ++at;
  }
  out->headers = text.substr(begin->end, at - begin->end);
  out->body = text.substr(at, end->begin - at);
  return Fault::kNone;
}

}  // namespace

std::string armor(std::string_view data, const ArmorHeaders& headers) {
  std::string out = "-----BEGIN PGP MESSAGE-----\n";
  for (const auto& [name, value] : headers) {
    out += name;
    out += ": ";
    out += value;
    out += '\n';
  }
  out += '\n';
  append_base64(data, &out);
  if (out.back() != '\n') out += '\n';
  out += '=';
  append_group(checksum(data), &out);
  return out + "\n-----END PGP MESSAGE-----\n";
}

Fault dearmor(std::string_view text, std::string* out) {
  Parts parts;
  WANDIAN_PGP_TRY(find_parts(text, &parts));
  const std::size_t sign = parts.body.rfind('=');
  // What stands before the sign of the checksum is the line's end; it does not count.
  if (sign == parts.body.npos || sign == 0) return Fault::kCorruptArmor;
  std::string sum;
  WANDIAN_PGP_TRY(read_base64(parts.body.substr(sign + 1, 4), &sum));
  if (sum.size() != 3) return Fault::kCorruptArmor;
  std::uint32_t wanted = 0;
  for (const char c : sum) wanted = wanted << 8 | static_cast<unsigned char>(c);
  WANDIAN_PGP_TRY(read_base64(parts.body.substr(0, sign - 1), out));
  return checksum(*out) == wanted ? Fault::kNone : Fault::kCorruptArmor;
}

Fault armor_headers(std::string_view text, ArmorHeaders* out) {
  Parts parts;
  WANDIAN_PGP_TRY(find_parts(text, &parts));
  for (std::string_view rest = parts.headers; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(": ");
    if (colon == line.npos) return Fault::kCorruptArmor;
    out->emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return Fault::kNone;
}

}  // namespace wandian::sql::pgp
