// Character strings, byte strings and uuids: lengths in characters, UTF-8, padding, and their text forms.
// Thread:  pure functions; memory comes from the arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/types/text_builder.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// 22001: the table of codes has one code a condition name, and the warning's 01004 holds this name there.
inline constexpr SqlState kStringDataTooLong{"22001"};

// UTF-8. Text inside the server is always well formed.
/// 22021 "invalid byte sequence for encoding ..." at the first bad one; a zero byte is one too.
Status check_utf8(std::string_view text);
std::size_t utf8_length(std::string_view text);                       ///< characters
std::size_t utf8_offset(std::string_view text, std::size_t characters);  ///< bytes of that many characters, at most all
/// Bytes of the character that starts with this byte.
constexpr std::size_t utf8_bytes(char lead) {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}
std::uint32_t decode_utf8(std::string_view text);                     ///< code point of the first character
std::size_t encode_utf8(std::uint32_t code, char* out);               ///< returns the bytes written, at most 4
bool is_ascii(std::string_view text);

/// varchar(n): 22001, but blanks that do not fit are dropped; an explicit cast cuts without an error.
Status fit_varchar(std::string_view text, std::int32_t typmod, bool explicit_cast, Arena& arena, Value* out);
/// char(n): padded with blanks.
Status fit_bpchar(std::string_view text, std::int32_t typmod, bool explicit_cast, Arena& arena, Value* out);
/// name: cut to 63 bytes, or fewer, at a character's end.
std::string_view fit_name(std::string_view text, std::size_t bytes_most = 63);
std::string_view without_trailing_blanks(std::string_view text);

Status parse_bytea(std::string_view text, Arena& arena, Value* out);
void write_hex(std::string_view bytes, char* out);                    ///< two digits a byte
void write_bytea_escaped(std::string_view bytes, TextBuilder& out);
int hex_digit(char c);                                                ///< -1: none

Status parse_uuid(std::string_view text, Arena& arena, Value* out);
inline constexpr std::size_t kUuidTextBytes = 36;
char* write_uuid(const char* bytes, char* out);

}  // namespace wandian::sql
