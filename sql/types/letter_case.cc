#include "sql/types/letter_case.h"

#include <clocale>
#include <cstdint>
#include <cwctype>

#include "sql/types/string_types.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

namespace {

// The C library's tables for Unicode; its C.UTF-8 locale needs no file.
locale_t unicode() {
  static const locale_t locale = [] {
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8 != nullptr ? utf8 : newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return locale;
}

template <class Map>
std::string_view mapped(std::string_view text, Arena& arena, const Map& map) {
  TextBuilder out(arena, text.size() + 8);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_bytes(text[i]);
    char bytes[4];
    out.append(bytes, encode_utf8(map(decode_utf8(text.substr(i, n))), bytes));
    i += n;
  }
  return out.view();
}

std::uint32_t upper_character(std::uint32_t code) {
  if (code < 0x80) return code >= 'a' && code <= 'z' ? code - 32 : code;
  return static_cast<std::uint32_t>(towupper_l(static_cast<wint_t>(code), unicode()));
}

}  // namespace

std::uint32_t lower_character(std::uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  return static_cast<std::uint32_t>(towlower_l(static_cast<wint_t>(code), unicode()));
}

bool is_alphanumeric(std::uint32_t code) {
  if (code < 0x80)
    return (code >= '0' && code <= '9') || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z');
  return iswalnum_l(static_cast<wint_t>(code), unicode()) != 0;
}

std::string_view to_lower(std::string_view text, Arena& arena) { return mapped(text, arena, lower_character); }
std::string_view to_upper(std::string_view text, Arena& arena) { return mapped(text, arena, upper_character); }

std::string_view to_title(std::string_view text, Arena& arena) {
  bool inside = false;
  return mapped(text, arena, [&](std::uint32_t code) {
    const std::uint32_t out = inside ? lower_character(code) : upper_character(code);
    inside = is_alphanumeric(code);
    return out;
  });
}

}  // namespace wandian::sql
