// CompiledIndexKeys: the computed indexes of a table definition, bound and compiled: for the engine, which asks for entries, and
// for the planner, which asks what an index stands for.
// Owns:       the bound expressions, folded, and their code.
// Thread:     immutable once compiled; read by any shard.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/index_entries.h"
#include "sql/bind/binder.h"
#include "sql/expr/expression.h"
#include "sql/expr/inverted.h"

namespace wandian::sql {

class SessionHooks;

class CompiledIndexKeys final : public IndexKeys {
 public:
  struct Part {
    std::uint16_t column = kExpressionPart;
    BoundExpression bound;           ///< kExpressionPart; ColumnExpr: position in the table
    /// kExpressionPart: what the same looks like in queries, with the calls of functions that those keep; `bound` where it has none.
    BoundExpression in_queries;
    CompiledExpr code;
    const Expr* expr() const { return in_queries.expr != nullptr ? in_queries.expr : bound.expr; }
  };
  struct Index {
    bool computed = false;
    std::vector<Part> parts;         ///< the key parts
    std::vector<InvertedClass> classes;   ///< of an inverted index, by part
    BoundExpression predicate;       ///< expr is null where the index is not partial
    BoundExpression predicate_in_queries;
    const Expr* condition() const { return predicate_in_queries.expr != nullptr ? predicate_in_queries.expr : predicate.expr; }
    CompiledExpr predicate_code;
    std::vector<std::uint16_t> columns;
  };

  static Result<std::shared_ptr<const CompiledIndexKeys>> compile(const TableDef& table, const BindContext& context);

  const Index& index(std::size_t i) const { return indexes_[i]; }
  /// Users' functions that the definitions call.
  const std::vector<Oid>& called() const { return called_; }

  std::span<const std::uint16_t> columns(unsigned index) const override { return indexes_[index].columns; }
  Status evaluate(unsigned index, const Value* row, Arena& arena, std::vector<Value>& parts) const override;

 private:
  Arena code_arena_;
  std::vector<Index> indexes_;       ///< by TableDef::indexes
  std::vector<Oid> called_;
};

/// Null if no index of the table is computed.
inline const CompiledIndexKeys* index_expressions(const TableDef& table) {
  return static_cast<const CompiledIndexKeys*>(table.index_keys.get());
}

/// What definitions of a table are bound with: pg_catalog and its own schema, no session.
BindContext definition_context(const Catalog& catalog, const TableDef& table);

/// An expression as an index's definition shows it: in parentheses, unless it reads like a call.
std::string index_expression_text(std::string text);

/// "a, lower(b)": the key parts of an index as PostgreSQL names them where a key is shown. Without a session expressions
/// are shown as they are kept.
std::string key_part_names(const TableDef& table, const IndexDef& index, SessionHooks* session);
/// The type of a key part.
Oid key_part_type(const TableDef& table, const IndexPart& part);
/// The values of an index's key parts for a whole row: none if it has no entry there, as in a partial index.
Status key_part_values(const TableDef& table, std::size_t index, std::span<const Value> row, Arena& arena, std::vector<Value>* out);

}  // namespace wandian::sql
