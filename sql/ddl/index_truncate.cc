// TRUNCATE.
#include <algorithm>

#include "sql/ddl/fill.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/rewrite.h"
#include "sql/ddl/sequence.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/exec/receiver.h"

namespace wandian::sql {

Status empty_tables(DdlContext& ctx, const std::vector<Oid>& tables, bool restart_identity) {
  Changes changes;
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  const auto empty = [&](const TableDef& old) {
    auto table = std::make_shared<TableDef>(old);
    table->storage_id = ctx.allocate_storage_id();
    table->storage.reset();
    table->older_layouts.clear();
    changes.put(std::move(table));
  };
  for (const Oid oid : tables) {
    const auto old = catalog->table(oid);
    empty(*old);
    for (const IndexDef& index : old->indexes)
      if (index.global_table != 0) empty(*catalog->table(index.global_table));
    if (!restart_identity) continue;
    for (const auto& [sequence_oid, sequence] : catalog->sequences()) {
      if (sequence->owned_by_table != oid) continue;
      auto restarted = std::make_shared<SequenceDef>(*sequence);
      restart_sequence(restarted.get(), sequence->start);
      changes.put(std::move(restarted));
    }
  }
  return ctx.apply(changes);
}

namespace {

// Tables that refer to these and are not among them.
std::vector<std::pair<Oid, Oid>> foreign_referrers(const Catalog& catalog, const std::vector<Oid>& tables) {
  std::vector<std::pair<Oid, Oid>> out;
  for (const auto& [oid, table] : catalog.tables()) {
    if (std::find(tables.begin(), tables.end(), oid) != tables.end()) continue;
    for (const ForeignKeyDef& key : table->foreign_keys) {
      // A key that leads to a partitioned table leads to each of its partitions.
      const auto reached = std::find_if(tables.begin(), tables.end(), [&](Oid truncated) {
        for (auto at = catalog.table(truncated); at != nullptr; at = catalog.table(at->partition_of)) {
          if (at->oid == key.referenced_table) return true;
          if (at->partition_of == 0) break;
        }
        return false;
      });
      if (reached == tables.end() || key.parent != 0) continue;
      out.emplace_back(oid, *reached);
      break;
    }
  }
  return out;
}

}  // namespace

Task<Status> truncate_tables(DdlContext& ctx) {
  const PgQuery__TruncateStmt& node = *ctx.statement.node->truncate_stmt;
  const bool cascade = node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  std::vector<Oid> tables;
  for (std::size_t i = 0; i < node.n_relations; ++i) {
    Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.relations[i]->range_var, TableLock::kAccessExclusive, false);
    if (!locked.ok()) co_return locked.take_status();
    if (locked.value()->is_materialized_view()) co_return wrong_object_type(locked.value()->name, "a table");
    WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kRelation, locked.value()->oid, privilege::kTruncate));
    WANDIAN_CO_TRY(ctx.session.check_not_in_use(*locked.value(), "TRUNCATE"));
    if (std::find(tables.begin(), tables.end(), locked.value()->oid) == tables.end()) tables.push_back(locked.value()->oid);
    if (!locked.value()->is_partitioned()) continue;
    if (node.relations[i]->range_var->inh == 0)
      co_return Status{sqlstate::wrong_object_type, "cannot truncate only a partitioned table"}.with_hint(
          "Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.");
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, locked.value(), TableLock::kAccessExclusive);
    if (!below.ok()) co_return below.take_status();
    for (const std::shared_ptr<const TableDef>& partition : below.value())
      if (std::find(tables.begin(), tables.end(), partition->oid) == tables.end()) tables.push_back(partition->oid);
  }
  for (;;) {
    const std::shared_ptr<const Catalog> catalog = ctx.catalog();
    const std::vector<std::pair<Oid, Oid>> referrers = foreign_referrers(*catalog, tables);
    if (referrers.empty()) break;
    if (!cascade) {
      const std::string from = catalog->table(referrers[0].first)->name, to = catalog->table(referrers[0].second)->name;
      co_return Status{sqlstate::feature_not_supported, "cannot truncate a table referenced in a foreign key constraint"}
          .with_detail("Table " + quoted(from) + " references " + quoted(to) + ".")
          .with_hint("Truncate table " + quoted(from) + " at the same time, or use TRUNCATE ... CASCADE.");
    }
    for (const auto& [oid, referenced] : referrers) {
      ctx.notice(sqlstate::successful_completion, "truncate cascades to table " + quoted(catalog->table(oid)->name));
      Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(oid, TableLock::kAccessExclusive);
      if (!locked.ok()) co_return locked.take_status();
      WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kRelation, oid, privilege::kTruncate));
      WANDIAN_CO_TRY(ctx.session.check_not_in_use(*locked.value(), "TRUNCATE"));
      tables.push_back(oid);
      Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, locked.value(), TableLock::kAccessExclusive);
      if (!below.ok()) co_return below.take_status();
      for (const std::shared_ptr<const TableDef>& partition : below.value()) tables.push_back(partition->oid);
    }
  }
  if (node.restart_seqs)
    for (const auto& [oid, sequence] : ctx.catalog()->sequences())
      if (std::find(tables.begin(), tables.end(), sequence->owned_by_table) != tables.end()) WANDIAN_CO_TRY(ctx.must_own_relation(oid));
  for (const Oid oid : tables) WANDIAN_CO_TRY(co_await ctx.session.fire_statement_triggers(ctx.catalog()->table(oid), true, TriggerDef::kTruncate));
  WANDIAN_CO_TRY(empty_tables(ctx, tables, node.restart_seqs));
  for (const Oid oid : tables) WANDIAN_CO_TRY(co_await ctx.session.fire_statement_triggers(ctx.catalog()->table(oid), false, TriggerDef::kTruncate));
  co_return Status{};
}

}  // namespace wandian::sql
