// What follows from conditions: whether a partial index has every row that a query wants.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "sql/expr/node.h"

namespace wandian::sql {

enum class Implied : std::uint8_t {
  kNo,         ///< not known to follow
  kUnknown,    ///< may follow once the parameters have values
  kYes,
};

/// Whether `predicate` is true wherever all of `conditions` are. Finds what ordinary predicates need: the same clause, a narrower range,
/// lists, IS NOT NULL of what a strict condition reads; not all that follows.
Implied implied_by(std::span<const Expr* const> conditions, const Expr* predicate);

}  // namespace wandian::sql
