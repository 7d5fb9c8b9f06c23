// TableAlteration: one ALTER TABLE statement's commands, gathered into one new definition and the work on rows that it needs.
// Owns:       the definition under construction.
// Thread:     the session's shard; the table is locked.
// Invariants: nothing is applied before every command was understood; rows are looked at once.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sql/ddl/dependency.h"
#include "sql/ddl/rewrite.h"
#include "sql/ddl/table_builder.h"

namespace wandian::sql {

/// What SET STATISTICS gives. 22023 below -1; above 10000 a warning, and that.
Result<std::int16_t> read_statistics_target(DdlContext& ctx, const PgQuery__AlterTableCmd& command);

class TableAlteration {
 public:
  TableAlteration(DdlContext& ctx, std::shared_ptr<const TableDef> old);

  /// One command, if it belongs to this pass.
  Status run(const PgQuery__AlterTableCmd& command, unsigned pass);
  static constexpr unsigned kPasses = 5;   ///< drops, types, additions, columns' properties, the rest
  /// The same for a partition of the table that the statement names: as far as it does not follow from inherit().
  Status run_inherited(const PgQuery__AlterTableCmd& command, unsigned pass);
  /// Makes the partition what its parent, which is altered already, asks for: indexes, constraints, triggers; with `bound` it becomes one.
  Status inherit(const TableDef& parent, const PartitionBound* bound);
  /// ONLY: what the table gets or loses its partitions do not. 42P16 where they must.
  void set_only() { only_ = true; }

  /// Foreign keys that were added; their referenced tables must be locked and given to add_foreign_key().
  const std::vector<ForeignKeySpec>& foreign_keys() const { return builder_.foreign_keys; }
  Status add_constraints();
  Status add_foreign_key(const ForeignKeySpec& spec, std::shared_ptr<const TableDef> referenced);
  Task<Status> finish();
  /// Other tables that lose a constraint or a default.
  std::set<Oid> other_tables() { return drops_.tables(); }

 private:
  Status column_of(std::string_view name, std::uint16_t* column) const;
  Status add_column(const PgQuery__AlterTableCmd& command);
  Status default_of_new_column(std::uint16_t column);
  Status drop_column(const PgQuery__AlterTableCmd& command);
  Status forget_column(std::uint16_t column);
  Status drop_expression(const PgQuery__AlterTableCmd& command);
  Status drop_constraint(const PgQuery__AlterTableCmd& command);
  Status alter_type(const PgQuery__AlterTableCmd& command);
  Status set_default(const PgQuery__AlterTableCmd& command);
  Status set_not_null(const PgQuery__AlterTableCmd& command, bool not_null);
  Status add_identity(const PgQuery__AlterTableCmd& command);
  Status set_identity(const PgQuery__AlterTableCmd& command);
  Status drop_identity(const PgQuery__AlterTableCmd& command);
  Status set_options(const PgQuery__AlterTableCmd& command, bool reset);
  Status change_owner(const PgQuery__AlterTableCmd& command);
  Status validate_constraint(const PgQuery__AlterTableCmd& command);
  Status cluster_on(std::string_view name);
  Status set_statistics(const PgQuery__AlterTableCmd& command);
  Status alter_constraint(const PgQuery__AlterTableCmd& command);
  Status add_key_from_index(const PgQuery__Constraint& node);
  void forget_primary_key();
  Status check_placement() const;
  Status rebind_checks();
  Status bind_computed();
  Task<Status> check_before();
  Task<Status> check_after();

  struct Late {
    std::uint16_t column;
    std::string expression;          ///< bound once the new sequences are in the catalog
  };

  DdlContext& ctx_;
  Changes changes_;
  const std::shared_ptr<const TableDef> old_;
  std::shared_ptr<TableDef> table_;
  TableBuilder builder_;
  DropPlan drops_;
  Status refuse_inherited(const PgQuery__AlterTableCmd& command) const;
  Status refuse_only(const PgQuery__AlterTableCmd& command) const;
  Status inherit_checks(const TableDef& parent);
  Status forget_orphans(const TableDef& parent);
  bool in_partition_key(std::uint16_t column) const;

  bool has_drops_ = false, cascade_ = false, only_ = false;
  bool rewrite_ = false;
  std::vector<ComputedColumn> computed_;
  std::vector<Late> late_;
  std::vector<std::string> not_null_;            ///< columns whose rows are to be checked
  std::vector<std::string> filled_not_null_;     ///< new columns that need the table to be empty
  std::vector<CheckDef> new_checks_;
  std::vector<ForeignKeyDef> new_foreign_keys_;
  std::vector<Oid> new_indexes_;
};

}  // namespace wandian::sql
