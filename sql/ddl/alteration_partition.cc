// ALTER TABLE of partitioned tables and of partitions: what must not be done to one without the others, and how a partition follows the
// table above it.
#include <algorithm>

#include "sql/ddl/alteration.h"
#include "sql/ddl/partition.h"
#include "sql/expr/tree.h"

namespace wandian::sql {

namespace {

Status bad_table(std::string message) { return Status{sqlstate::invalid_table_definition, std::move(message)}; }

}  // namespace

bool TableAlteration::in_partition_key(std::uint16_t column) const {
  const Partitioning* partitioning = partitioning_of(*old_);
  if (partitioning == nullptr) return false;
  for (const Partitioning::Part& part : partitioning->parts()) {
    if (part.column == column) return true;
    if (part.column != kExpressionPart) continue;
    for (const ColumnUse& use : collect_columns(part.bound.expr))
      if (use.column == static_cast<std::int16_t>(column)) return true;
  }
  return false;
}

// What a partition has from the table above it goes when it goes there.
Status TableAlteration::refuse_inherited(const PgQuery__AlterTableCmd& command) const {
  const std::shared_ptr<const TableDef> parent = ctx_.catalog()->table(old_->partition_of);
  const std::string name(text_or_empty(command.name));
  const int column = table_->find_column(name);
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: return Status{sqlstate::wrong_object_type, "cannot add column to a partition"};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: return column < 0 ? Status{} : bad_table("cannot drop inherited column " + quoted(name));
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: return column < 0 ? Status{} : bad_table("cannot alter inherited column " + quoted(name));
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression:
      return column < 0 || table_->columns[static_cast<std::size_t>(column)].generated == 0 ? Status{} : bad_table("cannot drop generation expression from inherited column");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: {
      const int above = parent->find_column(name);
      return above >= 0 && parent->columns[static_cast<std::size_t>(above)].not_null ? bad_table("column " + quoted(name) + " is marked NOT NULL in parent table") : Status{};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint: {
      const bool check = std::any_of(parent->checks.begin(), parent->checks.end(), [&](const CheckDef& c) { return c.name == name && !c.no_inherit; });
      const bool key = std::any_of(table_->foreign_keys.begin(), table_->foreign_keys.end(), [&](const ForeignKeyDef& k) { return k.name == name && k.parent != 0; });
      const bool index = std::any_of(table_->indexes.begin(), table_->indexes.end(), [&](const IndexDef& i) { return i.name == name && i.constraint != 0 && i.parent != 0; });
      return check || key || index ? bad_table("cannot drop inherited constraint " + quoted(name) + " of relation " + quoted(old_->name)) : Status{};
    }
    default: return {};
  }
}

Status TableAlteration::refuse_only(const PgQuery__AlterTableCmd& command) const {
  const std::string name(text_or_empty(command.name));
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
      if (command.def != nullptr && command.def->node_case == PG_QUERY__NODE__NODE_LIST && command.def->list->n_items != 0)
        return Status{sqlstate::invalid_parameter_value, "unrecognized parameter " + quoted(text_or_empty(command.def->list->items[0]->def_elem->defname))};
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn: WANDIAN_TRY(find_clusterable(ctx_, *table_, name).take_status()); [[fallthrough]];
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster: return feature_not_supported("cannot mark index clustered in partitioned table");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint: {
      const PgQuery__Constraint& node = *command.def->constraint;
      if (node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK && node.is_no_inherit != 0)
        return bad_table("cannot add NO INHERIT constraint to partitioned table " + quoted(old_->name));
      if (node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN && only_)
        return Status{sqlstate::wrong_object_type, "cannot use ONLY for foreign key on partitioned table " + quoted(old_->name) + " referencing relation " +
                                                       quoted(text_or_empty(node.pktable->relname))};
      if (node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN && node.skip_validation != 0)
        return Status{sqlstate::wrong_object_type, "cannot add NOT VALID foreign key on partitioned table " + quoted(old_->name) + " referencing relation " +
                                                       quoted(text_or_empty(node.pktable->relname))}
            .with_detail("This feature is not yet supported on partitioned tables.");
      if (!text_or_empty(node.indexname).empty())
        return feature_not_supported("ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables");
      break;
    }
    default: break;
  }
  if (!only_ || old_->partitions.empty()) return {};
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: return bad_table("column must be added to child tables too");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      return bad_table("cannot drop column from only the partitioned table when partitions exist").with_hint("Do not specify the ONLY keyword.");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: return bad_table("type of inherited column " + quoted(name) + " must be changed in child tables too");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      return bad_table("cannot remove constraint from only the partitioned table when partitions exist").with_hint("Do not specify the ONLY keyword.");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull: {
      for (const Oid oid : old_->partitions) {
        const std::shared_ptr<const TableDef> partition = ctx_.catalog()->table(oid);
        const int column = partition->find_column(name);
        if (column >= 0 && !partition->columns[static_cast<std::size_t>(column)].not_null)
          return bad_table("constraint must be added to child tables too")
              .with_detail("Column " + quoted(name) + " of relation " + quoted(partition->name) + " is not already NOT NULL.")
              .with_hint("Do not specify the ONLY keyword.");
      }
      return {};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      if (command.def->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK) return bad_table("constraint must be added to child tables too");
      return {};
    default: return {};
  }
}

Status TableAlteration::run_inherited(const PgQuery__AlterTableCmd& command, unsigned pass) {
  const auto in = [&](unsigned wanted) { return pass == wanted; };
  const int column = table_->find_column(text_or_empty(command.name));
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics: return in(4) ? set_statistics(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: return in(0) && column >= 0 ? drop_column(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      if (in(0)) std::erase_if(table_->checks, [&](const CheckDef& check) { return check.name == text_or_empty(command.name); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: return in(1) ? alter_type(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: {
      if (!in(2)) return {};
      if (table_->find_column(text_or_empty(command.def->column_def->colname)) >= 0) return {};
      const std::size_t keys = builder_.keys.size(), checks = builder_.checks.size(), foreign_keys = builder_.foreign_keys.size();
      WANDIAN_TRY(add_column(command));
      // Its constraints come from the parent, as inherit() finds them there.
      builder_.keys.resize(keys);
      builder_.checks.resize(checks);
      builder_.foreign_keys.resize(foreign_keys);
      return {};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault: return in(3) ? set_default(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull: return in(3) ? set_not_null(command, true) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: return in(3) ? set_not_null(command, false) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression: return in(3) ? drop_expression(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint: {
      const bool known = std::any_of(table_->checks.begin(), table_->checks.end(), [&](const CheckDef& check) { return check.name == text_or_empty(command.name); });
      return in(4) && known ? validate_constraint(command) : Status{};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser: {
      if (!in(4)) return {};
      // Copies alone, as they are above now.
      const std::shared_ptr<const TableDef> parent = ctx_.catalog()->table(old_->partition_of);
      const bool all = text_or_empty(command.name).empty();
      if (command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll || command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll)
        table_->key_checks = parent->key_checks;
      for (TriggerDef& own : table_->triggers)
        for (const TriggerDef& theirs : parent->triggers)
          if (own.parent == theirs.oid && (all || theirs.name == text_or_empty(command.name))) own.enabled = theirs.enabled;
      return {};
    }
    default: return {};
  }
}

Status TableAlteration::inherit_checks(const TableDef& parent) {
  for (const CheckDef& theirs : parent.checks) {
    if (theirs.no_inherit) continue;
    const auto own = std::find_if(table_->checks.begin(), table_->checks.end(), [&](const CheckDef& check) { return check.name == theirs.name; });
    if (own != table_->checks.end()) {
      if (own->expression == theirs.expression) continue;
      return Status{sqlstate::duplicate_object, "constraint " + quoted(theirs.name) + " for relation " + quoted(old_->name) + " already exists"};
    }
    CheckDef& copy = table_->checks.emplace_back(theirs);
    copy.oid = ctx_.allocate_oid();
    if (copy.validated) new_checks_.push_back(copy);
  }
  return {};
}

// Copies of what the table above does not have any more.
Status TableAlteration::forget_orphans(const TableDef& parent) {
  const auto orphan = [](const auto& list, Oid oid) { return oid != 0 && std::none_of(list.begin(), list.end(), [&](const auto& item) { return item.oid == oid; }); };
  std::erase_if(table_->foreign_keys, [&](const ForeignKeyDef& key) { return orphan(parent.foreign_keys, key.parent); });
  std::erase_if(table_->triggers, [&](const TriggerDef& trigger) { return orphan(parent.triggers, trigger.parent); });
  for (std::size_t i = table_->indexes.size(); i-- > 0;) {
    if (!orphan(parent.indexes, table_->indexes[i].parent)) continue;
    if (i == 0) {
      forget_primary_key();
      continue;
    }
    if (table_->indexes[i].global_table != 0) changes_.drop(ObjectKind::kTable, table_->indexes[i].global_table);
    table_->indexes.erase(table_->indexes.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return {};
}

Status TableAlteration::inherit(const TableDef& parent, const PartitionBound* bound) {
  if (bound != nullptr) {
    table_->partition_of = parent.oid;
    table_->bound = *bound;
  } else {
    WANDIAN_TRY(forget_orphans(parent));
  }
  WANDIAN_TRY(inherit_checks(parent));
  for (const IndexDef& index : parent.indexes) {
    // Of an index that is made part by part the partitions get none of its own accord.
    if (index.oid == 0 || (index.invalid && bound == nullptr)) continue;
    WANDIAN_ASSIGN(const InheritedIndex made, inherit_index(ctx_, changes_, parent, index, table_.get()));
    if (made.how == InheritedIndex::How::kMadePrimary) rewrite_ = true;
    if (made.how != InheritedIndex::How::kMade) continue;
    new_indexes_.push_back(made.oid);
    for (const IndexPart& part : table_->indexes.back().parts)
      if (part.column != kExpressionPart && part.column >= old_->columns.size()) rewrite_ = true;
  }
  for (const ForeignKeyDef& key : parent.foreign_keys) {
    WANDIAN_ASSIGN(const bool made, inherit_foreign_key(ctx_, parent, key, table_.get()));
    if (made) new_foreign_keys_.push_back(table_->foreign_keys.back());
  }
  for (const TriggerDef& trigger : parent.triggers) WANDIAN_TRY(inherit_trigger(ctx_, parent, trigger, table_.get()));
  return {};
}

}  // namespace wandian::sql
