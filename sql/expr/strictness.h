// What becomes of an expression when something in it is null.
// Thread:  pure functions.
// Source:  the notions of strict functions and conditions that reject nulls, as outer joins and partial indexes need them:
//          Galindo-Legaria, Rosenthal, "Outerjoin simplification and reordering for query optimization", TODS 1997.
#pragma once

#include <functional>

#include "sql/expr/node.h"

namespace wandian::sql {

/// Which expressions are taken to be null.
using TakenForNull = std::function<bool(const Expr*)>;

/// Whether `expr` is certainly null then. False: not known.
bool null_then(const Expr* expr, const TakenForNull& nulls);
/// Whether the condition `expr` is certainly not true then, but false or null.
bool not_true_then(const Expr* expr, const TakenForNull& nulls);

}  // namespace wandian::sql
