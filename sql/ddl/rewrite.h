// Rewriting and validating the rows of a table that a definition changes, in steps that leave the shard to others in between.
// Thread:     the session's shard; the table is locked ACCESS EXCLUSIVE (SHARE for indexes).
// Errors:     23505, 23502, 23514, 23503 with the messages of ALTER TABLE and CREATE INDEX.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/ddl/context.h"

namespace wandian::sql {

/// A column whose values are computed from the old row instead of copied.
struct ComputedColumn {
  std::uint16_t column = 0;
  std::shared_ptr<BoundExpression> expression;   ///< ColumnExpr: position in the old table; of the column's type
};

/// Copies every row of `old` into the new storage of the table with that OID in the catalog as it is now. NOT NULL and CHECK of the new
/// definition are checked, unique indexes too.
Task<Status> copy_rows(DdlContext& ctx, std::shared_ptr<const TableDef> old, std::vector<ComputedColumn> computed);

/// Fills the global index's table of `index_oid` from the rows of the table.
Task<Status> fill_global_index(DdlContext& ctx, Oid table, Oid index_oid);

/// Makes the owners build the indexes that the table's newest definition has more.
Task<Status> build_local_indexes(DdlContext& ctx, Oid table);

/// 23505 if two rows have the same key in a unique index.
Task<Status> check_unique_rows(DdlContext& ctx, Oid table, IndexDef index);
/// Whatever an index's expressions or predicate fail with for some row.
Task<Status> check_index_expressions(DdlContext& ctx, Oid table, IndexDef index);
/// 23502, 23514, 23503 if some row breaks it.
Task<Status> check_not_null_rows(DdlContext& ctx, Oid table, std::string column);
Task<Status> check_check_rows(DdlContext& ctx, Oid table, std::string name, std::string expression);
Task<Status> check_foreign_key_rows(DdlContext& ctx, Oid table, ForeignKeyDef key);

/// The first row of a query, if there is one.
struct FoundRow {
  Arena arena;
  std::vector<Value> values;
  bool found = false;
};
Task<Status> first_row(DdlContext& ctx, std::string sql, std::vector<Oid> types, FoundRow* out);
/// "Key (a)=(1)".
std::string key_text(DdlContext& ctx, const TableDef& table, std::span<const std::uint16_t> columns, std::span<const Value> values);

/// "schema"."table", whatever the search path.
std::string full_name(DdlContext& ctx, const TableDef& table);

}  // namespace wandian::sql
