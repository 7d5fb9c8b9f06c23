// The functions of the extension pg_stat_statements that are not in SQL.
#include "sql/functions/extension_functions.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

bool reset(EvalContext& ctx, const Value* args, Value* result) {
  Status status = ctx.session->reset_statement_statistics(static_cast<Oid>(args[0].i), static_cast<Oid>(args[1].i), args[2].i);
  if (!status.ok()) return ctx.fail(std::move(status));
  *result = Value::of_int(0);
  return true;
}

constexpr ExtensionSymbol kSymbols[] = {{"pg_stat_statements_reset_1_7", reset}};

}  // namespace

std::span<const ExtensionSymbol> pg_stat_statements_symbols() { return kSymbols; }

}  // namespace wandian::sql
