// The functions of the extensions that the server brings along: pgcrypto, uuid-ossp, pg_stat_statements. CREATE EXTENSION declares them as functions of
// LANGUAGE C whose library and symbol are found here.
// Thread:  immutable tables.
#pragma once

#include <cstddef>
#include <span>
#include <string>
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
/// Bytes for keys and identifiers, from the session's strong source.
std::string random_bytes(EvalContext& ctx, std::size_t count);
std::span<const ExtensionSymbol> pg_stat_statements_symbols();
std::span<const ExtensionSymbol> pgcrypto_symbols();
std::span<const ExtensionSymbol> uuid_ossp_symbols();

}  // namespace wandian::sql
