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

struct ExtensionSymbol {
  std::string_view name;
  ScalarFn fn;                ///< null: `set`
  SetFn set = nullptr;
  int arguments = -1;         ///< of the functions it stands for; -1: it takes whatever they have
};

/// Null if the library has no such function of so many arguments, or there is no such library.
const ExtensionSymbol* find_extension_function(std::string_view library, std::string_view symbol, std::size_t arguments);
bool has_extension_function(std::string_view library, std::string_view symbol);
bool is_extension_library(std::string_view library);

/// Bytes for keys and identifiers, from the session's strong source.
std::string random_bytes(EvalContext& ctx, std::size_t count);
std::span<const ExtensionSymbol> pg_stat_statements_symbols();
std::span<const ExtensionSymbol> pgcrypto_symbols();
std::span<const ExtensionSymbol> pgcrypto_pgp_symbols();
std::span<const ExtensionSymbol> uuid_ossp_symbols();

}  // namespace wandian::sql
