// CREATE INDEX and TRUNCATE.
#include <algorithm>

#include "sql/ddl/rewrite.h"
#include "sql/ddl/sequence.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/exec/receiver.h"

namespace wandian::sql {

namespace {

Status refuse_unsupported(const DdlContext& ctx, const PgQuery__IndexStmt& node) {
  const std::string_view method = text_or_empty(node.access_method);
  if (!method.empty() && method != "btree") {
    for (const std::string_view known : {"hash", "gist", "gin", "spgist", "brin"})
      if (method == known) return feature_not_supported("access method " + quoted(method) + " is not supported").with_hint("Use btree.");
    return Status{sqlstate::undefined_object, "access method " + quoted(method) + " does not exist"};
  }
  if (node.where_clause != nullptr) return feature_not_supported("partial indexes are not supported");
  const std::string_view space = text_or_empty(node.table_space);
  if (!space.empty() && space != "pg_default") return Status{sqlstate::undefined_object, "tablespace " + quoted(space) + " does not exist"};
  for (std::size_t i = 0; i < node.n_index_params; ++i) {
    const PgQuery__IndexElem& element = *node.index_params[i]->index_elem;
    if (element.expr != nullptr) return feature_not_supported("indexes over expressions are not supported");
    for (std::size_t c = 0; c < element.n_opclass; ++c) {
      const std::string_view name = string_value(element.opclass[c]);
      if (name.ends_with("_pattern_ops") || name.ends_with("_ops") || name == "pg_catalog") continue;
      return Status{sqlstate::undefined_object, "operator class " + quoted(name) + " does not exist for access method \"btree\""};
    }
    if (element.n_collation != 0) {
      const std::string name(string_value(element.collation[element.n_collation - 1]));
      if (name != "default" && name != "C" && name != "POSIX")
        return Status{sqlstate::undefined_object, "collation " + quoted(name) + " for encoding \"UTF8\" does not exist"};
    }
  }
  (void)ctx;
  return {};
}

// The definition of the index over the table as it is.
Result<IndexDef> make_index(DdlContext& ctx, Changes& changes, const TableDef& table, const PgQuery__IndexStmt& node) {
  IndexDef index;
  index.unique = node.unique;
  index.nulls_not_distinct = node.nulls_not_distinct;
  std::vector<std::string> names;
  const auto add = [&](const PgQuery__IndexElem& element, bool key) -> Status {
    const int column = table.find_column(text_or_empty(element.name));
    if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(text_or_empty(element.name)) + " does not exist"};
    if (key) WANDIAN_TRY(check_indexable(table.columns[static_cast<std::size_t>(column)].type));
    IndexPart part;
    part.column = static_cast<std::uint16_t>(column);
    part.descending = element.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    part.nulls_first = element.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
                       (part.descending && element.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST);
    index.parts.push_back(part);
    std::string name(text_or_empty(element.name));
    // A column that is there twice gets a number, as PostgreSQL names it.
    const std::string base = name;
    for (int n = 1; std::find(names.begin(), names.end(), name) != names.end(); ++n) name = base + std::to_string(n);
    names.push_back(std::move(name));
    return {};
  };
  if (node.n_index_params > 32) return Status{sqlstate::too_many_columns, "cannot use more than 32 columns in an index"};
  for (std::size_t i = 0; i < node.n_index_params; ++i) WANDIAN_TRY(add(*node.index_params[i]->index_elem, true));
  index.key_parts = static_cast<std::uint16_t>(node.n_index_params);
  for (std::size_t i = 0; i < node.n_index_including_params; ++i) WANDIAN_TRY(add(*node.index_including_params[i]->index_elem, false));
  WANDIAN_TRY(read_options(node.options, node.n_options, true, &index.options));
  index.name = text_or_empty(node.idxname);
  if (index.name.empty()) index.name = choose_relation_name(ctx, changes, table.name, joined_column_names(names), "idx", table.schema, false);
  index.oid = ctx.allocate_oid();
  return index;
}

}  // namespace

Task<Status> create_index(DdlContext& ctx) {
  const PgQuery__IndexStmt& node = *ctx.statement.node->index_stmt;
  if (node.concurrent) WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("CREATE INDEX CONCURRENTLY"));
  WANDIAN_CO_TRY(refuse_unsupported(ctx, node));
  if (const auto found = ctx.find(*node.relation); found && found->kind == FoundRelation::Kind::kView)
    co_return wrong_object_type(node.relation->relname, "a table or materialized view");
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.relation, TableLock::kShare, false);
  if (!locked.ok()) co_return locked.take_status();
  const std::shared_ptr<const TableDef> old = locked.take();
  const std::string name(text_or_empty(node.idxname));
  if (!name.empty()) {
    WANDIAN_CO_TRY(co_await ctx.lock_name(old->schema, name));
    if (ctx.relation_exists(old->schema, name)) {
      if (!node.if_not_exists) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
      ctx.notice(sqlstate::duplicate_table, "relation " + quoted(name) + " already exists, skipping");
      co_return Status{};
    }
  }
  Changes changes;
  Result<IndexDef> made = make_index(ctx, changes, *old, node);
  if (!made.ok()) co_return made.take_status();
  const IndexDef index = made.take();
  if (old->indexes.size() >= 32) co_return Status{sqlstate::program_limit_exceeded, "tables can have at most 31 indexes beside the primary key"};
  const bool local = !index.unique || unique_is_local(*old, index);
  if (index.unique && local) WANDIAN_CO_TRY(co_await check_unique_rows(ctx, old->oid, index));
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

// ---- TRUNCATE ----

namespace {

class NoRows final : public RowReceiver {
 public:
  Status row(std::span<const Value>) override { return {}; }
};

Status swap_storages(DdlContext& ctx, const std::vector<Oid>& tables, bool restart_identity) {
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

// Tables that refer to these and are not among them.
std::vector<std::pair<Oid, Oid>> foreign_referrers(const Catalog& catalog, const std::vector<Oid>& tables) {
  std::vector<std::pair<Oid, Oid>> out;
  for (const auto& [oid, table] : catalog.tables()) {
    if (std::find(tables.begin(), tables.end(), oid) != tables.end()) continue;
    for (const ForeignKeyDef& key : table->foreign_keys)
      if (std::find(tables.begin(), tables.end(), key.referenced_table) != tables.end()) {
        out.emplace_back(oid, key.referenced_table);
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
    if (std::find(tables.begin(), tables.end(), locked.value()->oid) == tables.end()) tables.push_back(locked.value()->oid);
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
      tables.push_back(oid);
    }
  }
  if (!has_written(ctx)) co_return swap_storages(ctx, tables, node.restart_seqs);
  // Rows that this transaction wrote before stand in its log record without their storage's number: here rows are deleted one by
  // one. Referring tables first, so that no foreign key is in the way.
  std::vector<Oid> order;
  while (order.size() < tables.size()) {
    const std::size_t before = order.size();
    for (const Oid oid : tables) {
      if (std::find(order.begin(), order.end(), oid) != order.end()) continue;
      std::vector<Oid> rest{oid};
      bool free = true;
      for (const auto& [other, referenced] : foreign_referrers(*ctx.catalog(), rest))
        free = free && std::find(order.begin(), order.end(), other) != order.end();
      if (free) order.push_back(oid);
    }
    if (order.size() == before) co_return refuse_after_writes(ctx, "TRUNCATE");
  }
  for (const Oid oid : order) {
    NoRows nobody;
    std::uint64_t processed = 0;
    WANDIAN_CO_TRY(co_await ctx.session.run_sql("DELETE FROM " + full_name(ctx, *ctx.catalog()->table(oid)), nobody, &processed));
  }
  if (!node.restart_seqs) co_return Status{};
  Changes changes;
  for (const auto& [oid, sequence] : ctx.catalog()->sequences()) {
    if (std::find(tables.begin(), tables.end(), sequence->owned_by_table) == tables.end()) continue;
    auto restarted = std::make_shared<SequenceDef>(*sequence);
    restart_sequence(restarted.get(), sequence->start);
    changes.put(std::move(restarted));
  }
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
