// LIKE: % is any text, _ is one character, the escape character (a backslash) takes the next one literally.
// Thread:  pure functions.
#pragma once

#include <string_view>

#include "storage/base/status.h"

namespace wandian::sql {

/// 22025 "LIKE pattern must not end with escape character". `bytes`: _ is one byte (bytea).
Status like(std::string_view text, std::string_view pattern, bool bytes, bool* out);

/// The literal text that every match of a LIKE pattern begins with (for index ranges); *exact if it is all of it.
std::string_view like_prefix(std::string_view pattern, bool* exact);

}  // namespace wandian::sql
