// Deparse: expression trees as SQL text, as PostgreSQL prints them (pg_get_expr, pg_get_constraintdef) and as definitions are kept.
// Thread:  pure functions; the session's hooks are asked for names on the session's shard.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/expr/node.h"

namespace wandian::sql {

class SessionHooks;

struct DefinitionStyle {
  /// By ColumnExpr::column of range 0.
  std::vector<std::string> columns;
  /// Prints names of relations and their like as the session's search path makes them; null: as OIDs ('16384'::regclass), the form
  /// that definitions are kept in, since it outlives renaming.
  SessionHooks* names = nullptr;
  bool domain_value = false;         ///< the one column is a domain's VALUE
  bool pretty = false;               ///< leaves out parentheses that precedence makes needless
  std::vector<std::string> parameters;   ///< what parameters are called, by number; the others are $n
  const FormatSettings* format = nullptr;   ///< how constants are shown; null: as definitions are kept
};

std::string deparse(const Expr* expr, const DefinitionStyle& options);
/// Names of a table's columns by position, for DefinitionStyle::columns.
std::vector<std::string> column_names(const TableDef& table);

}  // namespace wandian::sql
