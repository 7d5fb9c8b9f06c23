// Where a row is, from its key: used by scans, single-row paths and writes.
// Thread:  the session's shard.
#pragma once

#include <span>

#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/row_op.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "engine/system_columns.h"
#include "engine/table.h"
#include "engine/version.h"
#include "sql/plan/nodes.h"

namespace wandian::sql {

struct ExecContext;

/// The partition of the row with this primary key (`key_values` in the primary index's order); kNoPartition if the key does not
/// decide it.
PartitionId locate_key(Shard& shard, const TableDef& table, KeyRef key, std::span<const Value> key_values);

/// A hidden row number that nothing else has. If it decides the partition, that is one of the session's shard, always the same: a row
/// without a key of its own stays where it was made, inserting it takes no other shard, and a scan without an order meets such rows
/// as they were inserted, as PostgreSQL's clients are used to.
std::int64_t new_row_number(Shard& shard, const TableDef& table);

/// The row that the statement's view sees under this primary key.
bool find_by_key(ExecContext& ctx, const TableDef& table, KeyRef key, std::span<const Value> key_values, RowView* out);

/// Puts system columns, numbered as in ScanNode::system, into their slots.
void put_system_columns(std::span<const ScanColumn> columns, const SystemColumns& values, Value* slots);
/// Those of a row that was read or locked under a key, from its bytes and the operation's outcome: as they were before the statement.
SystemColumns system_columns_before(Shard& shard, const TableDef& table, const RowOp& op);
/// Those of the row that the running statement has written by `op`, an insert, or an update if `updated` has its bytes.
SystemColumns system_columns_after(ExecContext& ctx, const RowOp& op, std::string_view updated = {});

}  // namespace wandian::sql
