// The extensions that the server brings along.
// Thread:  immutable tables.
#pragma once

#include <span>
#include <string_view>

#include "sql/ddl/extension.h"

namespace wandian::sql {

/// Where PL/pgSQL is an extension by name alone: it is always there.
inline constexpr Oid kPlpgsqlExtension = 13559;
inline constexpr std::string_view kPlpgsqlName = "plpgsql", kPlpgsqlVersion = "1.0", kPlpgsqlComment = "PL/pgSQL procedural language";

std::span<const ExtensionInfo> builtin_extensions();
/// Null if there is none of that name.
const ExtensionInfo* builtin_extension(std::string_view name);

}  // namespace wandian::sql
