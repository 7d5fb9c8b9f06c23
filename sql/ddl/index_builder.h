// Index definitions as they are written, made IndexDefs, and kept true when the table changes.
// Thread:  the session's shard.
// Errors:  PostgreSQL's; nothing is applied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/ddl/context.h"

namespace wandian::sql {

/// The definition of an index over the table as it is, its name chosen and reserved.
Result<IndexDef> make_index(DdlContext& ctx, Changes& changes, const TableDef& table, const PgQuery__IndexStmt& node);

/// The columns of the table that a key part, an INCLUDE column or the predicate of the index reads.
Result<std::vector<std::uint16_t>> columns_of_index(DdlContext& ctx, const TableDef& table, const IndexDef& index);

/// Expressions and predicates of all indexes, which read in the names and types of `old`, written anew in those of `table`.
Status reprint_indexes(DdlContext& ctx, const TableDef& old, TableDef* table);

/// Gives the index's columns their names, which they keep: one that is there twice gets a number.
void name_index_columns(const TableDef& table, IndexDef* index);

/// What PostgreSQL calls the index when no name is given: after its columns.
std::string choose_index_name(DdlContext& ctx, Changes& changes, const TableDef& table, const IndexDef& index);

/// 42704 if the type cannot be indexed this way, 0A000 if not here.
Status check_indexable(Oid type, IndexMethod method);

}  // namespace wandian::sql
