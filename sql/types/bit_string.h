// Bit strings. A value of bit or bit varying is held as its text, a character '0' or '1' a bit: so its bytes order as PostgreSQL orders it.
// Thread:  pure functions; memory comes from the arena.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/types/text_builder.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// '1010', 'b1010' or 'xA0'. typmod -1: any length. 22P02, 22026, 22001.
Status parse_bits(std::string_view text, bool varying, std::int32_t typmod, Arena& arena, Value* out);
/// Brings a value to the length of bit(n) or bit varying(n). Explicitly it is cut, or filled with zeros, otherwise refused.
Status fit_bits(std::string_view bits, bool varying, std::int32_t typmod, bool is_explicit, Arena& arena, Value* out);
/// PostgreSQL's binary form: the number of bits, then bytes with the first bit highest.
std::string pack_bits(std::string_view bits);
std::string unpack_bits(std::string_view bytes, std::size_t count);

}  // namespace wandian::sql
