// Expressions as SQL text, as PostgreSQL's ruleutils prints them: pg_get_expr, pg_get_constraintdef, EXPLAIN.
// Thread:     any (the session's, if its hooks are needed to name objects of reg* constants).
#pragma once

#include <functional>
#include <string>

#include "sql/expr/node.h"
#include "sql/functions/registry.h"

namespace wandian::sql {

struct DeparseOptions {
  /// Names a column ("total", "o.total"), already quoted where needed.
  std::function<std::string(const ColumnExpr&)> column;
  /// Names a slot of an operator's input, for EXPLAIN; without it slots print as "slot N".
  std::function<std::string(const SlotExpr&)> slot;
  /// For constants' text forms. Its session names regclass constants; without a session they print as numbers.
  EvalContext* eval = nullptr;
};

/// "(total > (0)::numeric)": operators in parentheses, casts as (x)::type, typed constants as 'x'::text.
std::string expr_to_sql(const Expr& expr, const DeparseOptions& options);

}  // namespace wandian::sql
