// What CREATE TABLE AS, materialized views and TRUNCATE share: tables emptied and filled as a whole.
// Thread:  the session's shard.
#pragma once

#include <cstddef>
#include <vector>

#include "sql/ddl/context.h"
#include "sql/exec/receiver.h"

namespace wandian::sql {

/// Puts rows of `width` columns into a table that this transaction holds locked.
Task<Status> insert_rows(DdlContext& ctx, Oid table, const RowCollector& rows, std::size_t width);
/// Gives tables, and what belongs to their keys, storages without rows.
Status empty_tables(DdlContext& ctx, const std::vector<Oid>& tables, bool restart_identity);

}  // namespace wandian::sql
