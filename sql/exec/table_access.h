// Where a row is, from its key: used by scans, single-row paths and writes.
// Thread:  the session's shard.
#pragma once

#include <span>

#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "engine/table.h"
#include "engine/version.h"

namespace wandian::sql {

struct ExecContext;

/// The partition of the row with this primary key (`key_values` in the primary index's order); kNoPartition if the key does not
/// decide it.
PartitionId locate_key(Shard& shard, const TableDef& table, KeyRef key, std::span<const Value> key_values);

/// The row that the statement's view sees under this primary key.
bool find_by_key(ExecContext& ctx, const TableDef& table, KeyRef key, std::span<const Value> key_values, RowView* out);

}  // namespace wandian::sql
