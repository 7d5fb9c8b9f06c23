#include "sql/functions/extension_functions.h"

#include <algorithm>

#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

std::span<const ExtensionSymbol> symbols_of(std::string_view library) {
  if (library == "$libdir/pgcrypto") return pgcrypto_symbols();
  if (library == "$libdir/pg_stat_statements") return pg_stat_statements_symbols();
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

std::string random_bytes(EvalContext& ctx, std::size_t count) {
  std::string out;
  while (out.size() < count) {
    const std::uint64_t bits = ctx.session->strong_random_bits();
    out.append(reinterpret_cast<const char*>(&bits), std::min<std::size_t>(sizeof bits, count - out.size()));
  }
  return out;
}

}  // namespace wandian::sql
