// CLUSTER: rows are kept in the order of their primary keys, so that it is remembered and shown, not done.
#include <algorithm>

#include "sql/ddl/partition.h"
#include "sql/ddl/statements.h"

namespace wandian::sql {

namespace {

Status check_options(DdlContext& ctx, const PgQuery__ClusterStmt& node) {
  for (std::size_t i = 0; i < node.n_params; ++i) {
    const PgQuery__DefElem& option = *node.params[i]->def_elem;
    const std::string_view name = text_or_empty(option.defname);
    if (name != "verbose")
      return Status{sqlstate::syntax_error, "unrecognized CLUSTER option " + quoted(name)}.with_position(ctx.position(option.location));
    WANDIAN_TRY(option_bool(option).take_status());
  }
  return {};
}

// The indexes of the partitions that belong to one of the partitioned table.
void mark_partitions(DdlContext& ctx, const std::vector<std::shared_ptr<const TableDef>>& partitions, Oid index, Changes& changes) {
  std::vector<Oid> family{index};
  for (const std::shared_ptr<const TableDef>& before : partitions) {
    auto partition = std::make_shared<TableDef>(*ctx.catalog()->table(before->oid));
    const auto own = std::find_if(partition->indexes.begin(), partition->indexes.end(), [&](const IndexDef& one) {
      return one.parent != 0 && std::find(family.begin(), family.end(), one.parent) != family.end();
    });
    if (own == partition->indexes.end()) continue;
    family.push_back(own->oid);
    if (partition->is_partitioned()) continue;
    mark_clustered(*partition, own->oid);
    changes.put(std::move(partition));
  }
}

}  // namespace

Result<const IndexDef*> find_index_of(DdlContext& ctx, const TableDef& table, std::string_view name) {
  const auto found = std::find_if(table.indexes.begin(), table.indexes.end(), [&](const IndexDef& index) { return index.oid != 0 && index.name == name; });
  if (found != table.indexes.end()) return &*found;
  const std::optional<FoundRelation> other = find_relation(ctx.bind_context(), ctx.schema_name(table.schema), name);
  if (!other) return Status{sqlstate::undefined_object, "index " + quoted(name) + " for table " + quoted(table.name) + " does not exist"};
  if (other->kind != FoundRelation::Kind::kIndex) return wrong_object_type(name, "an index");
  return Status{sqlstate::wrong_object_type, quoted(name) + " is not an index for table " + quoted(table.name)};
}

Result<Oid> find_clusterable(DdlContext& ctx, const TableDef& table, std::string_view name) {
  WANDIAN_ASSIGN(const IndexDef* const found, find_index_of(ctx, table, name));
  if (found->method != IndexMethod::kBtree)
    return feature_not_supported("cannot cluster on index " + quoted(name) + " because access method does not support clustering");
  if (!found->predicate.empty()) return feature_not_supported("cannot cluster on partial index " + quoted(name));
  return found->oid;
}

void mark_clustered(TableDef& table, Oid index) {
  for (IndexDef& one : table.indexes) one.clustered = index != 0 && one.oid == index;
}

Task<Status> cluster(DdlContext& ctx) {
  const PgQuery__ClusterStmt& node = *ctx.statement.node->cluster_stmt;
  WANDIAN_CO_TRY(check_options(ctx, node));
  if (node.relation == nullptr) co_return ctx.session.prevent_in_transaction_block("CLUSTER");
  const std::string_view schema = text_or_empty(node.relation->schemaname), name = text_or_empty(node.relation->relname);
  const std::string_view index_name = text_or_empty(node.indexname);
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  if (!found) co_return undefined_relation(schema, name);
  if (found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kSystem) co_return wrong_object_type(name, "a table or materialized view");
  WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
  const auto never_clustered = [&] {
    return Status{sqlstate::undefined_object, "there is no previously clustered index for table " + quoted(name)};
  };
  if (found->kind == FoundRelation::Kind::kSystem)
    co_return index_name.empty() ? never_clustered() : feature_not_supported("system catalogs cannot be clustered: they are not kept as tables");
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(found->oid, TableLock::kAccessExclusive);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> table = locked.take();
  WANDIAN_CO_TRY(ctx.session.check_not_in_use(*table, "CLUSTER"));
  if (index_name.empty()) {
    const bool before = std::any_of(table->indexes.begin(), table->indexes.end(), [](const IndexDef& index) { return index.clustered; });
    co_return before ? Status{} : never_clustered();
  }
  Changes changes;
  if (table->is_partitioned()) {
    const bool known = ctx.catalog()->find_relation(table->schema, std::string(index_name)).has_value();   // of whichever table
    if (known) WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("CLUSTER"));
  }
  Result<Oid> index = find_clusterable(ctx, *table, index_name);
  if (!index.ok()) co_return index.take_status();
  if (table->is_partitioned()) {
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, table, TableLock::kAccessExclusive);
    if (!below.ok()) co_return below.take_status();
    mark_partitions(ctx, below.value(), index.value(), changes);
  } else {
    auto clustered = std::make_shared<TableDef>(*table);
    mark_clustered(*clustered, index.value());
    changes.put(std::move(clustered));
  }
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
