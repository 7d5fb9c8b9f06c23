// The parts of messages that several places of sql/ say in the same words as PostgreSQL does.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace wandian::sql {

/// A name as messages show it: between quotes that are not doubled inside. Not for SQL text: see quote_identifier().
inline std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

inline Status undefined_column(std::string_view column, std::string_view relation) {
  return Status{sqlstate::undefined_column, "column " + quoted(column) + " of relation " + quoted(relation) + " does not exist"};
}

/// 25006 of a statement that would write: "INSERT", "SELECT FOR UPDATE", ...
inline Status read_only_refusal(std::string_view command) {
  return Status{sqlstate::read_only_sql_transaction, "cannot execute " + std::string(command) + " in a read-only transaction"};
}

}  // namespace wandian::sql
