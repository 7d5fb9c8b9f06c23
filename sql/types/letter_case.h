// Upper and lower case of UTF-8 text, character by character as in PostgreSQL's C.UTF-8 locale.
// Thread:  any.
#pragma once

#include <string_view>

#include "engine/arena.h"

namespace wandian::sql {

std::string_view to_lower(std::string_view text, Arena& arena);
std::string_view to_upper(std::string_view text, Arena& arena);
/// The first letter of each word upper, the others lower.
std::string_view to_title(std::string_view text, Arena& arena);
std::uint32_t lower_character(std::uint32_t code);
bool is_alphanumeric(std::uint32_t code);

}  // namespace wandian::sql
