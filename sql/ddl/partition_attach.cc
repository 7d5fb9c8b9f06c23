// ATTACH PARTITION and DETACH PARTITION, of tables and of indexes.
#include <algorithm>

#include "sql/ddl/alteration.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/rewrite.h"
#include "sql/expr/deparse.h"
#include "sql/expr/tree.h"
#include "sql/functions/quote.h"

namespace wandian::sql {

namespace {

Status refuse_attach(const TableDef& parent, const TableDef& table, const Catalog& catalog) {
  if (table.partition_of != 0) return Status{sqlstate::wrong_object_type, quoted(table.name) + " is already a partition"};
  for (std::shared_ptr<const TableDef> above = catalog.table(parent.oid); above != nullptr; above = catalog.table(above->partition_of)) {
    if (above->oid == table.oid)
      return Status{sqlstate::duplicate_table, "circular inheritance not allowed"}.with_detail(quoted(parent.name) + " is already a child of " + quoted(table.name) + ".");
    if (above->partition_of == 0) break;
  }
  if (parent.temporary && !table.temporary)
    return Status{sqlstate::wrong_object_type, "cannot attach a permanent relation as partition of temporary relation " + quoted(parent.name)};
  if (!parent.temporary && table.temporary)
    return Status{sqlstate::wrong_object_type, "cannot attach a temporary relation as partition of permanent relation " + quoted(parent.name)};
  if (table.placement.kind != PlacementKind::kKey)
    return feature_not_supported("a table that is placed by PARTITION BY DIRECTORY, REGION or SHARD cannot be attached as a partition");
  for (const ColumnDef& column : table.columns)
    if (!column.dropped && column.identity != 0)
      return feature_not_supported("a table with identity columns cannot be attached as a partition").with_hint("Drop the identity first.");
  for (const TriggerDef& trigger : table.triggers)
    if ((trigger.events & TriggerDef::kRow) != 0 && (!trigger.old_table.empty() || !trigger.new_table.empty()))
      return Status{sqlstate::feature_not_supported,
                    "trigger " + quoted(trigger.name) + " prevents table " + quoted(table.name) + " from becoming a partition"}
          .with_detail("ROW triggers with transition tables are not supported on partitions.");
  return {};
}

// The partition with what it takes from the partitioned table above, and the tables below it likewise.
Task<Status> adopt(DdlContext& ctx, Oid parent_oid, Oid table_oid, const PartitionBound* bound) {
  const std::shared_ptr<const TableDef> parent = ctx.catalog()->table(parent_oid);
  TableAlteration alteration(ctx, ctx.catalog()->table(table_oid));
  WANDIAN_CO_TRY(alteration.inherit(*parent, bound));
  WANDIAN_CO_TRY(co_await alteration.finish());
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  for (const Oid below : table->partitions) WANDIAN_CO_TRY(co_await adopt(ctx, table_oid, below, nullptr));
  co_return Status{};
}

Task<Result<std::shared_ptr<const TableDef>>> lock_default(DdlContext& ctx, const TableDef& parent) {
  using Answer = Result<std::shared_ptr<const TableDef>>;
  const Partitioning* partitioning = partitioning_of(parent);
  if (partitioning->default_child() < 0) co_return Answer(std::shared_ptr<const TableDef>());
  Result<std::shared_ptr<const TableDef>> locked =
      co_await ctx.lock_table(partitioning->children()[static_cast<std::size_t>(partitioning->default_child())].table, TableLock::kAccessExclusive);
  if (!locked.ok()) co_return Answer(locked.take_status());
  Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, locked.value(), TableLock::kAccessExclusive);
  if (!below.ok()) co_return Answer(below.take_status());
  co_return Answer(locked.take());
}

}  // namespace

Task<Status> attach_partition(DdlContext& ctx, std::shared_ptr<const TableDef> parent, const PgQuery__PartitionCmd& command) {
  if (!parent->is_partitioned()) co_return Status{sqlstate::invalid_object_definition, "table " + quoted(parent->name) + " is not partitioned"};
  const std::string name(text_or_empty(command.name->relname));
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*command.name, TableLock::kAccessExclusive, false);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> table = locked.take();
  WANDIAN_CO_TRY(ctx.must_own_relation(table->oid));
  Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, table, TableLock::kAccessExclusive);
  if (!below.ok()) co_return below.take_status();
  WANDIAN_CO_TRY(refuse_attach(*parent, *table, *ctx.catalog()));
  Result<std::shared_ptr<const TableDef>> other = co_await lock_default(ctx, *parent);
  if (!other.ok()) co_return other.take_status();
  parent = ctx.catalog()->table(parent->oid);
  Result<PartitionBound> bound = read_partition_bound(ctx, *parent, name, *command.bound);
  if (!bound.ok()) co_return bound.take_status();
  WANDIAN_CO_TRY(check_inherits(*parent, *table));
  WANDIAN_CO_TRY(co_await adopt(ctx, parent->oid, table->oid, &bound.value()));
  WANDIAN_CO_TRY(co_await check_partition_rows(ctx, table->oid, false));
  if (other.value() != nullptr) WANDIAN_CO_TRY(co_await check_partition_rows(ctx, other.value()->oid, true));
  co_return Status{};
}

namespace {

// Rows of the partition that foreign keys lead to by way of the tables above it.
Task<Status> refuse_referenced(DdlContext& ctx, const TableDef& table) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  for (std::shared_ptr<const TableDef> above = catalog->table(table.partition_of); above != nullptr; above = catalog->table(above->partition_of)) {
    for (const Oid oid : above->referencing) {
      const std::shared_ptr<const TableDef> referencing = catalog->table(oid);
      if (referencing == nullptr || referencing->partition_of != 0) continue;
      for (const ForeignKeyDef& key : referencing->foreign_keys) {
        if (key.referenced_table != above->oid || key.parent != 0) continue;
        const ColumnMap map(*above, table);
        std::string list, join;
        std::vector<std::uint16_t> columns;
        std::vector<Oid> types;
        for (std::size_t i = 0; i < key.columns.size(); ++i) {
          const std::string mine = "fk." + quote_identifier(referencing->columns[key.columns[i]].name);
          const std::uint16_t column = map[key.referenced_columns[i]];
          columns.push_back(column);
          types.push_back(referencing->columns[key.columns[i]].type);
          list += (i != 0 ? ", " : "") + mine;
          join += (i != 0 ? " AND " : "") + mine + " = pk." + quote_identifier(table.columns[column].name);
        }
        std::string sql = "SELECT " + list + " FROM " + full_name(ctx, *referencing) + " fk JOIN " + full_name(ctx, table) + " pk ON " + join + " LIMIT 1";
        FoundRow found;
        WANDIAN_CO_TRY(co_await first_row(ctx, std::move(sql), std::move(types), &found));
        if (!found.found) continue;
        co_return Status(sqlstate::foreign_key_violation, "removing partition " + quoted(table.name) + " violates foreign key constraint " + quoted(key.name))
            .with_detail(key_text(ctx, table, columns, found.values) + " is still referenced from table " + quoted(referencing->name) + ".")
            .with_table(ctx.schema_name(referencing->schema), referencing->name)
            .with_constraint(key.name);
      }
    }
    if (above->partition_of == 0) break;
  }
  co_return Status{};
}

// DETACH CONCURRENTLY leaves the partition's condition behind, as a constraint.
Status keep_condition(DdlContext& ctx, const TableDef& old, TableDef* table) {
  const std::vector<StandaloneColumn> columns = standalone_columns(old);
  StandaloneOptions options;
  options.use = StandaloneUse::kCheck;
  options.table_name = old.name;
  options.columns = columns;
  WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(partition_condition(*ctx.catalog(), old), ctx.bind_context(), options));
  CheckDef check;
  check.expression = deparse(bound.expr, {column_names(old), nullptr, false, {}});
  std::vector<std::string> names;
  for (const ColumnUse& use : collect_columns(bound.expr)) names.push_back(old.columns[static_cast<std::size_t>(use.column)].name);
  for (unsigned attempt = 0;; ++attempt) {
    check.name = make_object_name(old.name, names.size() == 1 ? names[0] : std::string(), attempt == 0 ? "check" : "check" + std::to_string(attempt));
    if (!constraint_exists(*ctx.catalog(), old.schema, check.name)) break;
  }
  check.oid = ctx.allocate_oid();
  table->checks.push_back(std::move(check));
  return {};
}

void forget_parents(const TableDef& parent, TableDef* table) {
  const auto of_parent = [&](Oid oid) {
    return std::any_of(parent.indexes.begin(), parent.indexes.end(), [&](const IndexDef& index) { return index.oid == oid; });
  };
  for (IndexDef& index : table->indexes)
    if (of_parent(index.parent)) index.parent = 0;
  for (ForeignKeyDef& key : table->foreign_keys) key.parent = 0;
}

// Triggers that are copies go, from the tables below as well.
Status drop_copies(DdlContext& ctx, Changes& changes, const TableDef& table, const std::vector<Oid>& copied) {
  for (const Oid oid : table.partitions) {
    const std::shared_ptr<const TableDef> below = ctx.catalog()->table(oid);
    auto changed = std::make_shared<TableDef>(*below);
    std::vector<Oid> gone;
    std::erase_if(changed->triggers, [&](const TriggerDef& trigger) {
      if (std::find(copied.begin(), copied.end(), trigger.parent) == copied.end()) return false;
      gone.push_back(trigger.oid);
      return true;
    });
    if (gone.empty()) continue;
    changes.put(std::move(changed));
    WANDIAN_TRY(drop_copies(ctx, changes, *below, gone));
  }
  return {};
}

}  // namespace

Task<Status> detach_partition(DdlContext& ctx, std::shared_ptr<const TableDef> parent, const PgQuery__PartitionCmd& command, bool finalize) {
  if (command.concurrent) WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("ALTER TABLE ... DETACH CONCURRENTLY"));
  if (!parent->is_partitioned())
    co_return Status{sqlstate::invalid_object_definition, "table " + quoted(parent->name) + " is not partitioned"};
  const std::string name(text_or_empty(command.name->relname));
  if (command.concurrent && partitioning_of(*parent)->default_child() >= 0)
    co_return Status{sqlstate::object_not_in_prerequisite_state, "cannot detach partitions concurrently when a default partition exists"};
  Result<std::shared_ptr<const TableDef>> other = co_await lock_default(ctx, *parent);
  if (!other.ok()) co_return other.take_status();
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*command.name, TableLock::kAccessExclusive, false);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> old = locked.take();
  if (old->partition_of != parent->oid)
    co_return Status{sqlstate::undefined_table, "relation " + quoted(name) + " is not a partition of relation " + quoted(parent->name)};
  if (finalize)   // a detach is done at once here
    co_return Status{sqlstate::object_not_in_prerequisite_state, "cannot complete detaching partition " + quoted(name)}.with_detail("There's no pending concurrent detach.");
  Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, old, TableLock::kAccessExclusive);
  if (!below.ok()) co_return below.take_status();
  WANDIAN_CO_TRY(co_await refuse_referenced(ctx, *old));
  auto table = std::make_shared<TableDef>(*old);
  if (command.concurrent) WANDIAN_CO_TRY(keep_condition(ctx, *old, table.get()));
  table->partition_of = 0;
  table->bound = {};
  forget_parents(*parent, table.get());
  std::vector<Oid> copied;
  std::erase_if(table->triggers, [&](const TriggerDef& trigger) {
    if (trigger.parent == 0) return false;
    copied.push_back(trigger.oid);
    return true;
  });
  Changes changes;
  changes.put(table);
  WANDIAN_CO_TRY(drop_copies(ctx, changes, *old, copied));
  co_return ctx.apply(changes);
}

// ---- Indexes ----

namespace {

// An index of a partitioned table is valid when each partition has one of it that is.
bool has_all_parts(const Catalog& catalog, const TableDef& table, Oid index) {
  return std::all_of(table.partitions.begin(), table.partitions.end(), [&](Oid oid) {
    const std::shared_ptr<const TableDef> partition = catalog.table(oid);
    return std::any_of(partition->indexes.begin(), partition->indexes.end(), [&](const IndexDef& own) { return own.parent == index && !own.invalid; });
  });
}

Status validate_upward(DdlContext& ctx, Oid table_oid, Oid index_oid) {
  for (;;) {
    const std::shared_ptr<const Catalog> catalog = ctx.catalog();
    const std::shared_ptr<const TableDef> old = catalog->table(table_oid);
    if (!has_all_parts(*catalog, *old, index_oid)) return {};
    auto table = std::make_shared<TableDef>(*old);
    Oid above = 0;
    for (IndexDef& index : table->indexes)
      if (index.oid == index_oid) index.invalid = false, above = index.parent;
    Changes changes;
    changes.put(std::move(table));
    WANDIAN_TRY(ctx.apply(changes));
    if (above == 0) return {};
    index_oid = above;
    table_oid = old->partition_of;
  }
}

}  // namespace

Task<Status> attach_index(DdlContext& ctx, std::shared_ptr<const TableDef> table, Oid index_oid, const PgQuery__PartitionCmd& command) {
  const std::string name(text_or_empty(command.name->relname));
  const auto index_of = [](const TableDef& of, Oid oid) -> const IndexDef* {
    for (const IndexDef& index : of.indexes)
      if (index.oid == oid) return &index;
    return nullptr;
  };
  const std::optional<FoundRelation> found = ctx.find(*command.name);
  if (!found) co_return undefined_relation(text_or_empty(command.name->schemaname), name);
  if (found->kind != FoundRelation::Kind::kIndex) co_return Status{sqlstate::invalid_object_definition, quoted(name) + " is not an index"};
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(found->table, TableLock::kShareUpdateExclusive);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> partition = locked.take();
  const IndexDef* parent_index = index_of(*table, index_oid);
  if (parent_index == nullptr || !table->is_partitioned())
    co_return Status{sqlstate::wrong_object_type, "ALTER action ATTACH PARTITION cannot be performed on relation " + quoted(parent_index != nullptr ? parent_index->name : name)}
        .with_detail("This operation is not supported for indexes.");
  const IndexDef& own = *index_of(*partition, found->oid);
  if (own.parent == index_oid) co_return Status{};
  const std::string message = "cannot attach index " + quoted(own.name) + " as a partition of index " + quoted(parent_index->name);
  const auto refuse = [&](std::string detail) { return Status{sqlstate::object_not_in_prerequisite_state, message}.with_detail(std::move(detail)); };
  if (own.parent != 0) co_return refuse("Index " + quoted(own.name) + " is already attached to another index.");
  if (partition->partition_of != table->oid) co_return refuse("Index " + quoted(own.name) + " is not an index on any partition of table " + quoted(table->name) + ".");
  const bool has_one = std::any_of(partition->indexes.begin(), partition->indexes.end(), [&](const IndexDef& other) { return other.parent == index_oid; });
  if (has_one) co_return refuse("Another index is already attached for partition " + quoted(partition->name) + ".");
  if (!same_index(*table, *parent_index, *partition, own))
    co_return Status{sqlstate::invalid_object_definition, message}.with_detail("The index definitions do not match.");
  if (parent_index->constraint != 0 && own.constraint == 0)
    co_return Status{sqlstate::invalid_object_definition, message}.with_detail("The index " + quoted(parent_index->name) + " belongs to a constraint in table " +
                                                                               quoted(table->name) + " but no constraint exists for index " + quoted(own.name) + ".");
  auto changed = std::make_shared<TableDef>(*partition);
  for (IndexDef& index : changed->indexes)
    if (index.oid == found->oid) index.parent = index_oid;
  Changes changes;
  changes.put(std::move(changed));
  WANDIAN_CO_TRY(ctx.apply(changes));
  co_return validate_upward(ctx, table->oid, index_oid);
}

}  // namespace wandian::sql
