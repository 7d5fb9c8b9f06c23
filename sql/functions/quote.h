// Quoting of identifiers and literals as PostgreSQL prints them.
// Thread:  pure functions.
#pragma once

#include <string>
#include <string_view>

namespace wandian::sql {

/// Whether the word is a key word that an unquoted identifier may not be everywhere (PostgreSQL 15, appendix C).
bool is_reserved_word(std::string_view lower);
/// Quoted only where necessary: name, "Mixed Case", "select".
std::string quote_identifier(std::string_view name);
/// 'it''s', E'back\\slash'.
std::string quote_literal(std::string_view text);

}  // namespace wandian::sql
