#include "sql/functions/extension_functions.h"

#include <algorithm>

namespace wandian::sql {

namespace {

std::span<const ExtensionSymbol> symbols_of(std::string_view library) {
  if (library == "$libdir/pgcrypto") return pgcrypto_symbols();
  if (library == "$libdir/uuid-ossp") return uuid_ossp_symbols();
  return {};
}

}  // namespace

bool is_extension_library(std::string_view library) { return !symbols_of(library).empty(); }

ScalarFn find_extension_function(std::string_view library, std::string_view symbol) {
  const auto symbols = symbols_of(library);
  const auto found = std::find_if(symbols.begin(), symbols.end(), [&](const ExtensionSymbol& s) { return s.name == symbol; });
  return found != symbols.end() ? found->fn : nullptr;
}

}  // namespace wandian::sql
