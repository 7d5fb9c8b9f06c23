// Questions about expression trees, and rewriting them. Everything here leaves its input alone and allocates in the arena given.
// Thread:     any.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "sql/expr/node.h"

namespace wandian::sql {

template <class T>
T* make_node(Arena& arena, auto&&... args) {
  return new (arena.allocate(sizeof(T), alignof(T))) T(std::forward<decltype(args)>(args)...);
}
template <class T>
std::span<const T> copy_list(Arena& arena, std::span<const T> items) {
  if (items.empty()) return {};
  T* out = arena.allocate_array<T>(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) new (out + i) T(items[i]);
  return {out, items.size()};
}
template <class T>
std::span<const T> copy_list(Arena& arena, const std::vector<T>& items) {
  return copy_list(arena, std::span<const T>(items));
}

using ExprVisitor = std::function<void(const Expr*)>;
/// Calls `visit` for each direct child (SubLinkExpr: its test alone, not the query's own expressions).
void for_each_child(const Expr& expr, const ExprVisitor& visit);

/// Depth first over the tree, parents before children; `visit` returning true ends the walk, and the walk returns true.
bool any_node(const Expr* expr, const std::function<bool(const Expr*)>& visit);
/// The same for every expression of a query: targets, conditions, ON, VALUES, ... of this query, and with `deep` of its
/// sub-queries (ranges, CTEs, set operations and sub-selects; `level` says how far below `query` the expression stands).
bool any_query_expr(const struct Query& query, bool deep, const std::function<bool(const Expr*, int level)>& visit);

using ExprMutator = std::function<const Expr*(const Expr*)>;
/// A copy of `expr` whose direct children went through `mutate`; `expr` itself if none changed.
const Expr* mutate_children(Arena& arena, const Expr* expr, const ExprMutator& mutate);
/// Bottom up over the whole tree: `mutate` sees each node after its children; null means "keep".
const Expr* rewrite(Arena& arena, const Expr* expr, const ExprMutator& mutate);

using ColumnMapper = std::function<const Expr*(const ColumnExpr& column, int below)>;
/// A copy in which every column is what `map` makes of it, null meaning "keep"; in the sub-selects, too: `below` says how many queries
/// further in the column stands (map_columns.cc).
const Expr* map_columns(Arena& arena, const Expr* expr, const ColumnMapper& map);

/// The conjuncts of a condition, ANDs flattened; none for null.
std::vector<const Expr*> split_conjuncts(const Expr* condition);
/// The reverse; null for an empty list.
const Expr* make_conjunction(Arena& arena, std::span<const Expr* const> conjuncts);

struct ColumnUse {
  std::uint16_t range;
  std::int16_t column;
  bool operator==(const ColumnUse&) const = default;
};
/// Columns of `levels_up` == level in the expression, sub-selects' insides included; no duplicates.
std::vector<ColumnUse> collect_columns(const Expr* expr, int level = 0);
/// Bit i is set if the expression uses range entry i (of the first 64) at level 0.
std::uint64_t range_bits(const Expr* expr);

bool is_constant(const Expr* expr);        ///< a ConstExpr
bool contains_volatile(const Expr* expr);  ///< sub-selects included
bool contains_mutable(const Expr* expr);   ///< whatever is not immutable, as PostgreSQL's catalog says: functions, casts through text
/// Neither columns, sub-selects, aggregates nor volatile functions: one value for the whole statement (parameters and stable
/// functions allowed).
bool is_statement_constant(const Expr* expr);
/// Computes the same on any shard's thread, from the row, the parameters, FormatSettings and the time stamps alone: no
/// SessionHooks, no sub-selects, nothing volatile.
bool is_pure(const Expr* expr);
/// A call of a function that users wrote, not looking into sub-selects.
bool contains_routine(const Expr* expr);
bool contains_param(const Expr* expr);
bool contains_columns(const Expr* expr);   ///< of any level
bool contains_aggregate(const Expr* expr);
bool contains_window(const Expr* expr);
bool contains_set_function(const Expr* expr);
bool contains_sublink(const Expr* expr);

/// Structural equality; locations, written forms and names do not count. Volatile functions are equal too: callers ask.
bool equal(const Expr* a, const Expr* b);
/// The same of sub-selects (equal_query.cc). False for some that are: those with set operations, windows or WITH.
bool equal_queries(const Query& a, const Query& b);
std::uint64_t hash(const Expr* expr);

/// `b op' a` for `a op b` if the operator has a commutator, otherwise null.
const Expr* commute(Arena& arena, const FunctionExpr& expr);
/// NOT of a condition, pushed into comparisons (negator), AND/OR, tests; otherwise wrapped.
const Expr* negate(Arena& arena, const Expr* expr);

const ConstExpr* make_constant(Arena& arena, Oid type, std::int32_t typmod, Value value);
const ConstExpr* make_bool(Arena& arena, bool value);
const ConstExpr* make_null(Arena& arena, Oid type);
const SlotExpr* make_slot(Arena& arena, std::uint32_t slot, Oid type, std::int32_t typmod, std::uint16_t collation = 0);
const SlotExpr* make_slot(Arena& arena, std::uint32_t slot, const Expr& of);
/// The comparison `left op right` for a btree strategy (1 <, 2 <=, 3 =, 4 >=, 5 >), or null if the types have none.
const FunctionExpr* make_comparison(Arena& arena, int btree_strategy, const Expr* left, const Expr* right);

}  // namespace wandian::sql
