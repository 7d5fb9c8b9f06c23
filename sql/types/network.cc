#include "sql/types/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "sql/types/number_text.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

constexpr char kFamily4 = 2, kFamily6 = 3;

// "/24" at the end; -1: none. False: no number.
bool take_mask(std::string_view* text, unsigned most, int* out) {
  *out = -1;
  const std::size_t slash = text->find('/');
  if (slash == std::string_view::npos) return true;
  const std::string_view digits = text->substr(slash + 1);
  *text = text->substr(0, slash);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), *out);
  return parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size() && *out >= 0 && static_cast<unsigned>(*out) <= most;
}

// Up to four decimal numbers; how many there were, 0 if it is no such thing.
std::size_t parse_octets(std::string_view text, std::uint8_t* out) {
  std::size_t count = 0;
  for (;;) {
    unsigned octet = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), octet);
    if (parsed.ec != std::errc{} || octet > 255 || count == 4) return 0;
    out[count++] = static_cast<std::uint8_t>(octet);
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    if (text.empty()) return count;
    if (text[0] != '.') return 0;
    text.remove_prefix(1);
  }
}

// What a cidr without a mask means: as much as is written, and at least what its class has.
unsigned class_bits(std::uint8_t first, std::size_t octets) {
  const unsigned of_class = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  return std::max<unsigned>(of_class, static_cast<unsigned>(octets) * 8);
}

}  // namespace

NetworkAddress NetworkAddress::masked(unsigned length, bool set) const {
  NetworkAddress out = *this;
  for (std::size_t i = 0; i < size(); ++i) {
    const unsigned kept = length >= (i + 1) * 8 ? 8 : length <= i * 8 ? 0 : length - static_cast<unsigned>(i) * 8;
    const auto mask = static_cast<std::uint8_t>(0xff00u >> kept);
    out.bytes[i] = static_cast<std::uint8_t>(set ? out.bytes[i] | static_cast<std::uint8_t>(~mask) : out.bytes[i] & mask);
  }
  return out;
}

NetworkAddress load_network(const Value& value) {
  NetworkAddress out;
  out.v6 = value.p[0] == kFamily6;
  out.bits = static_cast<std::uint8_t>(value.p[1 + out.size()]);
  std::memcpy(out.bytes.data(), value.p + 2 + out.size(), out.size());
  return out;
}

Value store_network(const NetworkAddress& address, Arena& arena) {
  const std::size_t size = address.size();
  char* p = arena.allocate_bytes(2 + 2 * size);
  p[0] = address.v6 ? kFamily6 : kFamily4;
  std::memcpy(p + 1, address.masked(address.bits).bytes.data(), size);
  p[1 + size] = static_cast<char>(address.bits);
  std::memcpy(p + 2 + size, address.bytes.data(), size);
  return Value::of_bytes(p, 2 + 2 * size);
}

Status parse_network(std::string_view text, bool cidr, NetworkAddress* out) {
  const char* type = cidr ? "cidr" : "inet";
  std::string_view body = text;
  *out = {};
  out->v6 = text.find(':') != std::string_view::npos;
  int mask = -1;
  if (!take_mask(&body, out->most_bits(), &mask)) return invalid_input(type, text);
  if (out->v6) {
    if (inet_pton(AF_INET6, std::string(body).c_str(), out->bytes.data()) != 1) return invalid_input(type, text);
    out->bits = static_cast<std::uint8_t>(mask < 0 ? 128 : mask);
  } else {
    const std::size_t octets = parse_octets(body, out->bytes.data());
    if (octets == 0) return invalid_input(type, text);
    if (mask < 0 && !cidr && octets < 4) return invalid_input(type, text);
    if (!cidr && mask >= 0 && static_cast<std::size_t>(mask / 8) > octets) return invalid_input(type, text);
    out->bits = static_cast<std::uint8_t>(mask >= 0 ? static_cast<unsigned>(mask) : cidr ? class_bits(out->bytes[0], octets) : 32u);
  }
  if (cidr && out->masked(out->bits) != *out)
    return Status{sqlstate::invalid_text_representation, "invalid cidr value: \"" + std::string(text) + "\""}.with_detail(
        "Value has bits set to right of mask.");
  return {};
}

std::string address_text(const NetworkAddress& address) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string network_text(const NetworkAddress& address, bool cidr) {
  std::string out = address_text(address);
  if (cidr || address.bits != address.most_bits()) out += "/" + std::to_string(address.bits);
  return out;
}

Status parse_macaddr(std::string_view text, std::int64_t* out) {
  // Twelve digits, in pairs, threes or sixes between one kind of separator, or in one piece.
  const std::string_view body = trim_blanks(text);
  std::uint64_t value = 0;
  unsigned digits = 0;
  char separator = 0;
  std::size_t run = 0, every = 0;
  for (const char c : body) {
    const int digit = hex_digit(c);
    if (digit >= 0) {
      if (++digits > 12) return invalid_input("macaddr", text);
      value = value * 16 + static_cast<std::uint64_t>(digit);
      ++run;
      continue;
    }
    if ((c != ':' && c != '-' && c != '.') || (separator != 0 && c != separator) || (every != 0 && run != every)) return invalid_input("macaddr", text);
    separator = c;
    every = run;
    run = 0;
  }
  const bool shape = separator == 0 || (every == run && (separator == ':' ? every == 2 || every == 6 : separator == '-' ? every == 2 || every == 4 || every == 6 : every == 4));
  if (digits != 12 || !shape) return invalid_input("macaddr", text);
  *out = static_cast<std::int64_t>(value);
  return {};
}

Status parse_macaddr8(std::string_view text, std::int64_t* out) {
  // Six or eight bytes of two digits each, with one kind of separator or none between any of them.
  const std::string_view body = trim_blanks(text);
  std::uint64_t value = 0;
  unsigned bytes = 0;
  char separator = 0;
  for (std::size_t at = 0; at < body.size();) {
    const int high = hex_digit(body[at]);
    const int low = at + 1 < body.size() ? hex_digit(body[at + 1]) : -1;
    if (high < 0 || low < 0 || ++bytes > 8) return invalid_input("macaddr8", text);
    value = value << 8 | static_cast<std::uint64_t>(high * 16 + low);
    at += 2;
    if (at < body.size() && (body[at] == ':' || body[at] == '-' || body[at] == '.')) {
      if ((separator != 0 && body[at] != separator) || at + 1 == body.size()) return invalid_input("macaddr8", text);
      separator = body[at++];
    }
  }
  if (bytes != 6 && bytes != 8) return invalid_input("macaddr8", text);
  if (bytes == 6) value = (value & 0xffffff000000) << 16 | 0xfffe000000 | (value & 0xffffff);
  *out = static_cast<std::int64_t>(value);
  return {};
}

namespace {

std::string hex_bytes(std::int64_t address, int count) {
  std::string out;
  for (int byte = count - 1; byte >= 0; --byte) {
    const auto b = static_cast<unsigned>((address >> (8 * byte)) & 0xff);
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
    if (byte > 0) out += ':';
  }
  return out;
}

}  // namespace

std::string macaddr_text(std::int64_t address) { return hex_bytes(address, 6); }
std::string macaddr8_text(std::int64_t address) { return hex_bytes(address, 8); }

}  // namespace wandian::sql
