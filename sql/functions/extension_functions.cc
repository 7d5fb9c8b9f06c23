#include "sql/functions/extension_functions.h"

#include <algorithm>

#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

struct Library {
  std::string_view name;
  std::span<const ExtensionSymbol> (*symbols)();
};
constexpr Library kLibraries[] = {
    {"$libdir/pgcrypto", pgcrypto_symbols},
    {"$libdir/pgcrypto", pgcrypto_pgp_symbols},
    {"$libdir/pg_stat_statements", pg_stat_statements_symbols},
    {"$libdir/uuid-ossp", uuid_ossp_symbols},
};

template <class Test>
const ExtensionSymbol* find(std::string_view library, const Test& test) {
  for (const Library& known : kLibraries) {
    if (known.name != library) continue;
    const auto symbols = known.symbols();
    const auto found = std::find_if(symbols.begin(), symbols.end(), test);
    if (found != symbols.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

bool is_extension_library(std::string_view library) {
  return find(library, [](const ExtensionSymbol&) { return true; }) != nullptr;
}
bool has_extension_function(std::string_view library, std::string_view symbol) {
  return find(library, [&](const ExtensionSymbol& s) { return s.name == symbol; }) != nullptr;
}
const ExtensionSymbol* find_extension_function(std::string_view library, std::string_view symbol, std::size_t arguments) {
  return find(library, [&](const ExtensionSymbol& s) {
    return s.name == symbol && (s.arguments < 0 || static_cast<std::size_t>(s.arguments) == arguments);
  });
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
