// PartitionTree: a partitioned table and all that is below it, as one statement sees them: where a row goes, and how the columns of
// each table stand to those of the root.
// Owns:       the definitions, which it keeps alive.
// Thread:     immutable once made; any shard.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"
#include "sql/partition/partitioning.h"

namespace wandian::sql {

/// Columns of one table by those of another: empty where they are the same.
class ColumnMap {
 public:
  static constexpr std::uint16_t kNone = 0xffff;
  ColumnMap() = default;
  /// By name: what `from` calls its columns, as positions in `to`.
  ColumnMap(const TableDef& from, const TableDef& to);
  bool same() const { return columns_.empty(); }
  std::uint16_t operator[](std::uint16_t column) const { return columns_.empty() ? column : columns_[column]; }

 private:
  std::vector<std::uint16_t> columns_;
};

struct PartitionNode {
  std::shared_ptr<const TableDef> table;
  const Partitioning* partitioning = nullptr;   ///< null: rows are here
  ColumnMap columns;                            ///< by the root's column: this table's
  ColumnMap to_root;                            ///< by this table's column: the root's
  std::vector<std::unique_ptr<PartitionNode>> children;   ///< by Partitioning::children()
  std::size_t leaf = 0;                         ///< position in PartitionTree::leaves
};

class PartitionTree {
 public:
  PartitionTree(const Catalog& catalog, std::shared_ptr<const TableDef> root);

  const PartitionNode& root() const { return *root_; }
  std::span<const PartitionNode* const> leaves() const { return leaves_; }
  /// Null if it is not one of the leaves.
  const PartitionNode* find(Oid table) const;
  /// The leaf that takes a row given by the root's columns. 23514 if there is none.
  Result<const PartitionNode*> route(std::span<const Value> row, const Catalog& catalog, EvalContext& eval) const;

 private:
  std::unique_ptr<PartitionNode> make(const Catalog& catalog, std::shared_ptr<const TableDef> table, const TableDef& root);
  std::unique_ptr<PartitionNode> root_;
  std::vector<const PartitionNode*> leaves_;
};

/// The partitioned table at the top, or the table itself.
std::shared_ptr<const TableDef> partition_root(const Catalog& catalog, std::shared_ptr<const TableDef> table);
/// All partitions below the table, parents before their children, in the order of their OIDs.
std::vector<std::shared_ptr<const TableDef>> all_partitions(const Catalog& catalog, const TableDef& table);
/// Asks whether rows of a partition, given by its columns, belong where they are: by its bound and those of the tables above it.
class PartitionGuard {
 public:
  PartitionGuard() = default;
  PartitionGuard(const Catalog& catalog, const TableDef& table);
  /// The table is no partition.
  bool empty() const { return levels_.empty(); }
  Status belongs(std::span<const Value> row, EvalContext& eval, bool* answer) const;

 private:
  struct Level {
    std::shared_ptr<const TableDef> parent;
    Oid child = 0;
    ColumnMap columns;               ///< by the parent's column: the partition's
  };
  std::vector<Level> levels_;
};

/// 23514 `new row for relation "p" violates partition constraint`.
Status partition_violation(const Catalog& catalog, const TableDef& table, std::span<const Value> row, EvalContext& eval);

/// "Partition key of the failing row contains (a, b) = (1, 2)."
std::string describe_partition_key(const TableDef& table, const Partitioning& partitioning, std::span<const Value> key, EvalContext& eval);

}  // namespace wandian::sql
