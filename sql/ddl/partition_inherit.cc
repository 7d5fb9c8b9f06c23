// What a partition takes from the table that it is a partition of: columns, conditions, indexes, foreign keys, triggers.
#include <algorithm>

#include "sql/ddl/index_builder.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/table_builder.h"
#include "sql/expr/deparse.h"

namespace wandian::sql {

Status inherit_columns(DdlContext& ctx, const TableDef& parent, TableDef* table) {
  for (const ColumnDef& theirs : parent.columns) {
    if (theirs.dropped) continue;
    ColumnDef column = theirs;
    column.identity = 0;   // the partitioned table alone gives numbers
    column.has_missing_value = false;
    column.missing_value.clear();
    column.statistics_target = -1;
    column.dimensions = 0;
    table->columns.push_back(std::move(column));
  }
  for (const CheckDef& check : parent.checks) {
    if (check.no_inherit) continue;
    CheckDef& copy = table->checks.emplace_back(check);
    copy.oid = ctx.allocate_oid();
  }
  return {};
}

Status check_inherits(const TableDef& parent, const TableDef& table) {
  const auto mismatch = [](std::string message) { return Status{sqlstate::datatype_mismatch, std::move(message)}; };
  for (const ColumnDef& column : table.columns)
    if (!column.dropped && parent.find_column(column.name) < 0)
      return mismatch("table " + quoted(table.name) + " contains column " + quoted(column.name) + " not found in parent " + quoted(parent.name))
          .with_detail("The new partition may contain only the columns present in parent.");
  for (const ColumnDef& theirs : parent.columns) {
    if (theirs.dropped) continue;
    const int found = table.find_column(theirs.name);
    if (found < 0) return mismatch("child table is missing column " + quoted(theirs.name));
    const ColumnDef& column = table.columns[static_cast<std::size_t>(found)];
    if (column.type != theirs.type || column.typmod != theirs.typmod)
      return mismatch("child table " + quoted(table.name) + " has different type for column " + quoted(theirs.name));
    if (column.collation != theirs.collation)
      return Status{sqlstate::collation_mismatch, "child table " + quoted(table.name) + " has different collation for column " + quoted(theirs.name)};
    if (theirs.not_null && !column.not_null) return mismatch("column " + quoted(theirs.name) + " in child table must be marked NOT NULL");
    if (theirs.generated != 0 && column.generated == 0) return mismatch("column " + quoted(theirs.name) + " in child table must be a generated column");
    if (theirs.generated == 0 && column.generated != 0) return mismatch("column " + quoted(theirs.name) + " in child table must not be a generated column");
    if (theirs.generated != 0 && theirs.default_expression != column.default_expression)
      return mismatch("column " + quoted(theirs.name) + " in child table has a conflicting generation expression");
  }
  for (const CheckDef& theirs : parent.checks) {
    if (theirs.no_inherit) continue;
    const auto own = std::find_if(table.checks.begin(), table.checks.end(), [&](const CheckDef& check) { return check.name == theirs.name; });
    if (own == table.checks.end()) return mismatch("child table is missing constraint " + quoted(theirs.name));
    if (own->expression != theirs.expression) return mismatch("child table " + quoted(table.name) + " has different definition for check constraint " + quoted(theirs.name));
    if (own->no_inherit)
      return Status{sqlstate::invalid_object_definition, "constraint " + quoted(theirs.name) + " conflicts with non-inherited constraint on child table " + quoted(table.name)};
    if (theirs.validated && !own->validated)
      return Status{sqlstate::invalid_object_definition, "constraint " + quoted(theirs.name) + " conflicts with NOT VALID constraint on child table " + quoted(table.name)};
  }
  return {};
}

// ---- Indexes ----

namespace {

// Expressions name columns, which are called the same in both tables.
IndexPart part_for(const ColumnMap& map, IndexPart part) {
  part.statistics_target = -1;
  if (part.column != kExpressionPart) part.column = map[part.column];
  return part;
}

}  // namespace

bool same_index(const TableDef& a, const IndexDef& index, const TableDef& b, const IndexDef& other) {
  if (index.method != other.method || index.unique != other.unique || index.key_parts != other.key_parts || index.parts.size() != other.parts.size() ||
      index.nulls_not_distinct != other.nulls_not_distinct || index.predicate != other.predicate || index.written_predicate != other.written_predicate)
    return false;
  const ColumnMap map(a, b);
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    const IndexPart mine = part_for(map, index.parts[i]);
    const IndexPart& theirs = other.parts[i];
    if (mine.column != theirs.column || mine.expression != theirs.expression || mine.written != theirs.written || mine.opclass != theirs.opclass || mine.collation != theirs.collation) return false;
    if (i < index.key_parts && (mine.descending != theirs.descending || mine.nulls_first != theirs.nulls_first)) return false;
  }
  return true;
}

Result<InheritedIndex> inherit_index(DdlContext& ctx, Changes& changes, const TableDef& parent, const IndexDef& index, TableDef* table) {
  for (const IndexDef& own : table->indexes)
    if (own.parent == index.oid) return InheritedIndex{InheritedIndex::How::kFound, own.oid};
  for (IndexDef& own : table->indexes) {
    if (own.oid == 0 || own.parent != 0 || !same_index(parent, index, *table, own)) continue;
    // A constraint's index goes with one of the same kind of constraint alone.
    if (index.constraint != 0 && (own.constraint == 0 || own.primary != index.primary || own.deferrable != index.deferrable)) continue;
    own.parent = index.oid;
    return InheritedIndex{InheritedIndex::How::kFound, own.oid};
  }
  if (index.primary && primary_key(*table) != nullptr)
    return Status{sqlstate::invalid_table_definition, "multiple primary keys for table " + quoted(table->name) + " are not allowed"};
  const ColumnMap map(parent, *table);
  IndexDef copy = index;
  copy.parent = index.oid;
  copy.global_table = 0;
  copy.clustered = copy.replica_identity = copy.invalid = false;
  copy.oid = ctx.allocate_oid();
  if (copy.constraint != 0) copy.constraint = ctx.allocate_oid();
  for (IndexPart& part : copy.parts) part = part_for(map, part);
  WANDIAN_TRY(check_covers_partition_key(*table, copy));
  if (index.primary) {
    copy.name = choose_relation_name(ctx, changes, table->name, {}, "pkey", table->schema, true);
  } else if (index.constraint != 0) {
    std::vector<std::string> names;
    for (const IndexPart& part : copy.parts) names.push_back(table->columns[part.column].name);
    copy.name = choose_relation_name(ctx, changes, table->name, joined_column_names(names), "key", table->schema, true);
  } else {
    copy.name = choose_index_name(ctx, changes, *table, copy);
  }
  const Oid oid = copy.oid;
  if (index.primary)
    for (std::size_t p = 0; p < copy.key_parts; ++p) table->columns[copy.parts[p].column].not_null = true;
  if (!index.primary || index.deferrable) {
    if (table->indexes.size() >= 32) return Status{sqlstate::program_limit_exceeded, "tables can have at most 31 indexes beside the primary key"};
    table->indexes.push_back(std::move(copy));
    return InheritedIndex{InheritedIndex::How::kMade, oid};
  }
  if (table->hidden_row_number) {
    table->hidden_row_number = false;
    table->indexes[0] = std::move(copy);
  } else {
    table->indexes.insert(table->indexes.begin(), std::move(copy));
  }
  return InheritedIndex{InheritedIndex::How::kMadePrimary, oid};
}

// ---- Foreign keys, triggers ----

Result<bool> inherit_foreign_key(DdlContext& ctx, const TableDef& parent, const ForeignKeyDef& key, TableDef* table) {
  for (ForeignKeyDef& own : table->foreign_keys)
    if (own.parent == key.oid) {
      own.deferrable = key.deferrable;
      own.initially_deferred = key.initially_deferred;
      return false;
    }
  const ColumnMap map(parent, *table);
  ForeignKeyDef copy = key;
  for (std::uint16_t& column : copy.columns) column = map[column];
  for (std::uint16_t& column : copy.delete_columns) column = map[column];
  for (ForeignKeyDef& own : table->foreign_keys) {
    if (own.parent != 0 || own.referenced_table != copy.referenced_table || own.columns != copy.columns || own.referenced_columns != copy.referenced_columns) continue;
    if (own.on_update != copy.on_update || own.on_delete != copy.on_delete || own.match != copy.match || own.deferrable != copy.deferrable ||
        own.initially_deferred != copy.initially_deferred || !own.validated)
      continue;
    own.parent = key.oid;
    return false;
  }
  copy.oid = ctx.allocate_oid();
  copy.parent = key.oid;
  const auto taken = [&](const std::string& name) {
    return std::any_of(table->foreign_keys.begin(), table->foreign_keys.end(), [&](const ForeignKeyDef& other) { return other.name == name; }) ||
           std::any_of(table->checks.begin(), table->checks.end(), [&](const CheckDef& other) { return other.name == name; });
  };
  std::vector<std::string> names;
  for (const std::uint16_t column : copy.columns) names.push_back(table->columns[column].name);
  for (unsigned attempt = 0; taken(copy.name); ++attempt)
    copy.name = make_object_name(table->name, joined_column_names(names), attempt == 0 ? "fkey" : "fkey" + std::to_string(attempt));
  table->foreign_keys.push_back(std::move(copy));
  return true;
}

Status inherit_trigger(DdlContext& ctx, const TableDef& parent, const TriggerDef& trigger, TableDef* table) {
  if ((trigger.events & TriggerDef::kRow) == 0) return {};
  for (const TriggerDef& own : table->triggers)
    if (own.parent == trigger.oid) return {};
  if (std::any_of(table->triggers.begin(), table->triggers.end(), [&](const TriggerDef& other) { return other.name == trigger.name; }))
    return Status{sqlstate::duplicate_object, "trigger " + quoted(trigger.name) + " for relation " + quoted(table->name) + " already exists"};
  const ColumnMap map(parent, *table);
  TriggerDef copy = trigger;
  copy.oid = ctx.allocate_oid();
  copy.parent = trigger.oid;
  if (copy.constraint != 0) copy.constraint = ctx.allocate_oid();
  for (std::uint16_t& column : copy.columns) column = map[column];
  table->triggers.push_back(std::move(copy));
  std::sort(table->triggers.begin(), table->triggers.end(), [](const TriggerDef& a, const TriggerDef& b) { return a.name < b.name; });
  return {};
}

Task<Result<std::vector<std::shared_ptr<const TableDef>>>> lock_partitions(DdlContext& ctx, std::shared_ptr<const TableDef> table, TableLock mode) {
  using Answer = Result<std::vector<std::shared_ptr<const TableDef>>>;
  std::vector<std::shared_ptr<const TableDef>> out;
  for (const std::shared_ptr<const TableDef>& partition : all_partitions(*ctx.catalog(), *table)) {
    Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(partition->oid, mode);
    if (!locked.ok()) co_return Answer(locked.take_status());
    out.push_back(locked.take());
  }
  co_return Answer(std::move(out));
}

}  // namespace wandian::sql
