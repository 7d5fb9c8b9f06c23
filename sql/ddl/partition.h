// Partitioned tables as they are written: PARTITION BY, FOR VALUES, ATTACH and DETACH, and what a partition takes from the table that
// it is a partition of.
// Thread:     the session's shard; the tables are locked.
// Errors:     PostgreSQL's; nothing is applied.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/ddl/context.h"
#include "sql/ddl/table_builder.h"
#include "sql/partition/tree.h"

namespace wandian::sql {

/// Whether PARTITION BY says LIST, RANGE or HASH: 'l', 'r' or 'h', else 0.
char partition_strategy(const PgQuery__PartitionSpec& spec);
/// PARTITION BY LIST | RANGE | HASH, once the columns are known.
Status read_partition_key(DdlContext& ctx, const PgQuery__PartitionSpec& spec, TableDef* table);
/// A unique index of a partitioned table must have the columns of its key: 0A000.
Status check_covers_partition_key(const TableDef& table, const IndexDef& index);

/// FOR VALUES ... of a partition called `name`, checked against the partitions that are there. 42P16, 42P17.
Result<PartitionBound> read_partition_bound(DdlContext& ctx, const TableDef& parent, const std::string& name, const PgQuery__PartitionBoundSpec& spec);

/// CREATE TABLE ... PARTITION OF: the columns and conditions of the parent.
Status inherit_columns(DdlContext& ctx, const TableDef& parent, TableDef* table);
/// ATTACH: whether the table's columns and constraints are the parent's. 42804, 42P17.
Status check_inherits(const TableDef& parent, const TableDef& table);

/// What was done about an index of the parent in a partition.
struct InheritedIndex {
  enum class How : std::uint8_t { kFound, kMade, kMadePrimary } how = How::kFound;
  Oid oid = 0;
};
/// Attaches an index of the partition that is the same, or makes one.
Result<InheritedIndex> inherit_index(DdlContext& ctx, Changes& changes, const TableDef& parent, const IndexDef& index, TableDef* table);
/// The same for a foreign key; true: it was made.
Result<bool> inherit_foreign_key(DdlContext& ctx, const TableDef& parent, const ForeignKeyDef& key, TableDef* table);
/// A copy of a row trigger. 42710.
Status inherit_trigger(DdlContext& ctx, const TableDef& parent, const TriggerDef& trigger, TableDef* table);
/// Whether the indexes are alike but for the numbers of their columns.
bool same_index(const TableDef& a, const IndexDef& index, const TableDef& b, const IndexDef& other);

/// "((a IS NOT NULL) AND (a >= 1) AND (a < 10))": what the bounds of a partition and of the tables above it say; "" = nothing.
std::string partition_condition(const Catalog& catalog, const TableDef& table);

/// Locks all partitions below a table. The definitions as they are then, parents before their children.
Task<Result<std::vector<std::shared_ptr<const TableDef>>>> lock_partitions(DdlContext& ctx, std::shared_ptr<const TableDef> table, TableLock mode);

Task<Status> attach_partition(DdlContext& ctx, std::shared_ptr<const TableDef> parent, const PgQuery__PartitionCmd& command);
Task<Status> detach_partition(DdlContext& ctx, std::shared_ptr<const TableDef> parent, const PgQuery__PartitionCmd& command, bool finalize);
/// ALTER INDEX ... ATTACH PARTITION.
Task<Status> attach_index(DdlContext& ctx, std::shared_ptr<const TableDef> table, Oid index, const PgQuery__PartitionCmd& command);

/// 23514 if some row of the table, or of a partition below it, does not belong there; `is_default`: of the DEFAULT partition.
Task<Status> check_partition_rows(DdlContext& ctx, Oid table, bool is_default);

}  // namespace wandian::sql
