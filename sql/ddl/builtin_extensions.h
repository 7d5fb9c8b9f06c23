// The extensions that the server brings along.
// Thread:  immutable tables.
#pragma once

#include <span>
#include <string_view>

#include "sql/ddl/extension.h"

namespace wandian::sql {

std::span<const ExtensionInfo> builtin_extensions();
/// Null if there is none of that name.
const ExtensionInfo* builtin_extension(std::string_view name);

}  // namespace wandian::sql
