// The functions of the extensions that the server brings along: pgcrypto and uuid-ossp. CREATE EXTENSION declares them as functions of
// LANGUAGE C whose library and symbol are found here.
// Thread:  immutable tables.
#pragma once

#include <span>
#include <string_view>

#include "sql/functions/registry.h"

namespace wandian::sql {

/// Null if the library has no such function, or there is no such library.
ScalarFn find_extension_function(std::string_view library, std::string_view symbol);
bool is_extension_library(std::string_view library);

struct ExtensionSymbol {
  std::string_view name;
  ScalarFn fn;
};
std::span<const ExtensionSymbol> pgcrypto_symbols();
std::span<const ExtensionSymbol> uuid_ossp_symbols();

}  // namespace wandian::sql
