// Deparse: bound trees as SQL text, as PostgreSQL prints them (pg_get_expr, pg_get_viewdef, pg_get_constraintdef) and as definitions
// are kept. Trees that are printed were bound with BindContext::as_written.
// Thread:  pure functions; the session's hooks are asked for names on the session's shard.
// The stored form outlives renaming: it names relations, types and functions by OID (pg_catalog."16384"), and in queries columns by
// the number of their range and their own ("@0.1"."2"). BindContext::stored reads it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/expr/node.h"

namespace wandian::sql {

class SessionHooks;
struct FormatSettings;

struct DefinitionStyle {
  /// By ColumnExpr::column of range 0.
  std::vector<std::string> columns;
  /// Prints names of relations and their like as the session's search path makes them; null: the stored form.
  SessionHooks* names = nullptr;
  bool collated_constants = false;   ///< a constant's COLLATE is its own, not an expression around it
  bool domain_value = false;         ///< the one column is a domain's VALUE
  bool pretty = false;               ///< leaves out parentheses that precedence makes needless
  std::vector<std::string> parameters;   ///< what parameters are called, by number; the others are $n
  std::string parameters_of;         ///< the function whose they are: named with them wherever relations have names, too; "" = nobody's
  /// Width beyond which targets and FROM items go to a line of their own; 0: each has one; negative: none has.
  std::int32_t wrap_column = 0;
  const FormatSettings* format = nullptr;   ///< of constants; null: as settings are from the start, which the stored form wants
};

std::string deparse(const Expr* expr, const DefinitionStyle& options);
/// A view's query; `result_columns` are what the view calls its columns.
std::string deparse_view(const Query& query, std::span<const std::string> result_columns, const DefinitionStyle& options);
/// The same in the stored form, with the columns' own names.
std::string stored_query(const Query& query);
/// Names of a table's columns by position, for DefinitionStyle::columns.
std::vector<std::string> column_names(const TableDef& table);

}  // namespace wandian::sql
