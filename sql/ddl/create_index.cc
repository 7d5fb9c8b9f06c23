// CREATE INDEX.
#include <algorithm>

#include "sql/catalog/producers.h"
#include "sql/ddl/alteration.h"
#include "sql/ddl/index_builder.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/rewrite.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"

namespace wandian::sql {

namespace {

// Each partition gets what the table above it has.
Task<Status> inherit_indexes(DdlContext& ctx, const std::vector<std::shared_ptr<const TableDef>>& partitions) {
  for (const std::shared_ptr<const TableDef>& before : partitions) {
    const std::shared_ptr<const TableDef> partition = ctx.catalog()->table(before->oid);
    TableAlteration alteration(ctx, partition);
    const std::shared_ptr<const TableDef> parent = ctx.catalog()->table(partition->partition_of);
    WANDIAN_CO_TRY(alteration.inherit(*parent, nullptr));
    WANDIAN_CO_TRY(co_await alteration.finish());
  }
  co_return Status{};
}

// What has no rows of its own to index.
Status refuse_relation(FoundRelation::Kind kind, std::string_view name) {
  if (kind == FoundRelation::Kind::kIndex) return Status{sqlstate::wrong_object_type, quoted(name) + " is an index"};
  const bool view = kind == FoundRelation::Kind::kView;
  if (!view && kind != FoundRelation::Kind::kSequence) return {};
  return Status{sqlstate::wrong_object_type, "cannot create index on relation " + quoted(name)}.with_detail(
      std::string("This operation is not supported for ") + (view ? "views." : "sequences."));
}

}  // namespace

Task<Status> create_index(DdlContext& ctx) {
  const PgQuery__IndexStmt& node = *ctx.statement.node->index_stmt;
  if (node.concurrent) WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("CREATE INDEX CONCURRENTLY"));
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  if (found) WANDIAN_CO_TRY(refuse_relation(found->kind, text_or_empty(node.relation->relname)));
  // Two that are made at once would each add theirs to the definition as it was before both: the lock below lets both in.
  std::string indexes = "(indexes)";
  if (found) WANDIAN_CO_TRY(co_await ctx.lock_name(found->oid, std::move(indexes)));
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.relation, TableLock::kShare, false);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> old = locked.take();
  WANDIAN_CO_TRY(ctx.must_own_relation(old->oid));
  if (old->schema != ctx.session.temporary_schema()) WANDIAN_CO_TRY(ctx.may_create_in(old->schema));
  if (old->is_partitioned() && node.concurrent) co_return feature_not_supported("cannot create index on partitioned table " + quoted(old->name) + " concurrently");
  std::vector<std::shared_ptr<const TableDef>> partitions;
  if (node.relation->inh != 0) {
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, old, TableLock::kShare);
    if (!below.ok()) co_return below.take_status();
    partitions = below.take();
  }
  const std::string name(text_or_empty(node.idxname));
  if (!name.empty()) WANDIAN_CO_TRY(co_await ctx.lock_name(old->schema, name));
  Changes changes;
  Result<IndexDef> made = make_index(ctx, changes, *old, node);
  if (!made.ok()) co_return made.take_status();
  IndexDef index = made.take();
  if (old->is_partitioned()) WANDIAN_CO_TRY(check_covers_partition_key(*old, index));
  // What is wrong with the index comes before what is wrong with its name, even where one of that name would do.
  if (!name.empty() && ctx.relation_exists(old->schema, name)) {
    if (!node.if_not_exists) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
    ctx.notice(sqlstate::duplicate_table, "relation " + quoted(name) + " already exists, skipping");
    co_return Status{};
  }
  if (old->is_partitioned()) {
    index.invalid = node.relation->inh == 0 && !old->partitions.empty();
    auto table = std::make_shared<TableDef>(*old);
    table->indexes.push_back(std::move(index));
    changes.put(std::move(table));
    WANDIAN_CO_TRY(ctx.apply(changes));
    co_return co_await inherit_indexes(ctx, partitions);
  }
  if (old->indexes.size() >= 32) co_return Status{sqlstate::program_limit_exceeded, "tables can have at most 31 indexes beside the primary key"};
  const bool local = !index.unique || index.nulls_not_distinct || unique_is_local(*old, index);
  if (index.unique && local) WANDIAN_CO_TRY(co_await check_unique_rows(ctx, old->oid, index));
  else if (local && index.computed()) WANDIAN_CO_TRY(co_await check_index_expressions(ctx, old->oid, index));
  auto table = std::make_shared<TableDef>(*old);
  table->indexes.push_back(index);
  TableBuilder builder(ctx, changes, table);
  WANDIAN_CO_TRY(builder.settle_global_indexes(old.get(), false));
  changes.put(table);
  WANDIAN_CO_TRY(ctx.apply(changes));
  if (local) WANDIAN_CO_TRY(co_await build_local_indexes(ctx, old->oid));
  else WANDIAN_CO_TRY(co_await fill_global_index(ctx, old->oid, index.oid));
  co_return Status{};
}

}  // namespace wandian::sql
