#include "sql/types/bit_string.h"

#include <algorithm>

#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string character_at(std::string_view text, std::size_t at) {
  std::size_t size = 1;
  while (at + size < text.size() && (text[at + size] & 0xc0) == 0x80) ++size;
  return std::string(text.substr(at, size));
}

}  // namespace

Status parse_bits(std::string_view text, bool varying, std::int32_t typmod, Arena& arena, Value* out) {
  const bool hex = !text.empty() && (text[0] | 0x20) == 'x';
  if (hex || (!text.empty() && (text[0] | 0x20) == 'b')) text.remove_prefix(1);
  std::string bits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hex) {
      const int digit = hex_value(text[i]);
      if (digit < 0) return {sqlstate::invalid_text_representation, "\"" + character_at(text, i) + "\" is not a valid hexadecimal digit"};
      for (int b = 3; b >= 0; --b) bits.push_back((digit >> b) & 1 ? '1' : '0');
      continue;
    }
    if (text[i] != '0' && text[i] != '1')
      return {sqlstate::invalid_text_representation, "\"" + character_at(text, i) + "\" is not a valid binary digit"};
    bits.push_back(text[i]);
  }
  return fit_bits(bits, varying, typmod, false, arena, out);
}

Status fit_bits(std::string_view bits, bool varying, std::int32_t typmod, bool is_explicit, Arena& arena, Value* out) {
  const auto wanted = static_cast<std::size_t>(std::max(typmod, 0));
  const bool fits = typmod < 0 || (varying ? bits.size() <= wanted : bits.size() == wanted);
  if (fits) {
    *out = Value::of_bytes(arena.copy(bits));
    return {};
  }
  if (!is_explicit && varying)
    return {kStringDataTooLong, "bit string too long for type bit varying(" + std::to_string(typmod) + ")"};
  if (!is_explicit)
    return {sqlstate::string_data_length_mismatch,
            "bit string length " + std::to_string(bits.size()) + " does not match type bit(" + std::to_string(typmod) + ")"};
  std::string fitted(bits.substr(0, wanted));
  fitted.resize(wanted, '0');
  *out = Value::of_bytes(arena.copy(fitted));
  return {};
}

std::string pack_bits(std::string_view bits) {
  std::string out((bits.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (bits[i] == '1') out[i / 8] = static_cast<char>(out[i / 8] | (0x80 >> (i % 8)));
  return out;
}

std::string unpack_bits(std::string_view bytes, std::size_t count) {
  std::string out(count, '0');
  for (std::size_t i = 0; i < count; ++i)
    if ((bytes[i / 8] & (0x80 >> (i % 8))) != 0) out[i] = '1';
  return out;
}

}  // namespace wandian::sql
