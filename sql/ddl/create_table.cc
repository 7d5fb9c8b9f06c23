// CREATE TABLE.
#include <algorithm>

#include "sql/ddl/partition.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"

namespace wandian::sql {

namespace {

Status refuse_unsupported(const PgQuery__CreateStmt& node, bool temporary) {
  if (node.n_inh_relations != 0 && node.partbound == nullptr && node.partspec != nullptr)
    return Status{sqlstate::invalid_object_definition, "cannot create partitioned table as inheritance child"};
  if (node.n_inh_relations != 0 && node.partbound == nullptr) return feature_not_supported("table inheritance is not supported");
  if (node.of_typename != nullptr) return feature_not_supported("typed tables are not supported");
  const std::string_view space = text_or_empty(node.tablespacename);
  if (!space.empty() && space != "pg_default") return Status{sqlstate::undefined_object, "tablespace " + quoted(space) + " does not exist"};
  if (!space.empty() && node.partspec != nullptr) return feature_not_supported("cannot specify default tablespace for partitioned relations");
  const std::string_view method = text_or_empty(node.access_method);
  if (!method.empty() && method != "heap") return Status{sqlstate::undefined_object, "access method " + quoted(method) + " does not exist"};
  if (node.oncommit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_NOOP || node.oncommit == PG_QUERY__ON_COMMIT_ACTION__ON_COMMIT_ACTION_UNDEFINED) return {};
  if (!temporary) return Status{sqlstate::invalid_table_definition, "ON COMMIT can only be used on temporary tables"};
  return {};
}

}  // namespace

void set_on_commit(DdlContext& ctx, PgQuery__OnCommitAction action, TableDef* table) {
  if (action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP) table->on_commit = 'd';
  if (action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS) table->on_commit = 'r';
  if (table->on_commit != 0) ctx.session.expect_on_commit();
}

namespace {

Status add_elements(TableBuilder& builder, const PgQuery__CreateStmt& node) {
  for (std::size_t i = 0; i < node.n_table_elts; ++i) {
    const ParseNode& element = *node.table_elts[i];
    switch (element.node_case) {
      case PG_QUERY__NODE__NODE_COLUMN_DEF:
        if (node.partbound != nullptr) WANDIAN_TRY(builder.merge_column(*element.column_def));
        else WANDIAN_TRY(builder.add_column(*element.column_def));
        break;
      case PG_QUERY__NODE__NODE_CONSTRAINT: WANDIAN_TRY(builder.add_constraint(*element.constraint)); break;
      case PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE: WANDIAN_TRY(builder.add_like(*element.table_like_clause)); break;
      default: return feature_not_supported("this kind of table element is not supported");
    }
  }
  for (std::size_t i = 0; i < node.n_constraints; ++i) WANDIAN_TRY(builder.add_constraint(*node.constraints[i]->constraint));
  return builder.apply_generated();
}

Status apply_keys_and_checks(TableBuilder& builder) {
  // The primary key first, then the others as they stand there.
  for (const bool primary : {true, false})
    for (const KeySpec& key : builder.keys)
      if (key.primary == primary) WANDIAN_TRY(builder.apply_key(key));
  TableDef& table = builder.table();
  if (table.indexes.empty() || !table.indexes[0].primary || table.indexes[0].deferrable) builder.use_hidden_row_number();
  WANDIAN_TRY(builder.apply_indexes());
  for (const CheckSpec& check : builder.checks) {
    if (table.is_partitioned() && check.no_inherit)
      return Status{sqlstate::invalid_table_definition, "cannot add NO INHERIT constraint to partitioned table " + quoted(table.name)};
    WANDIAN_TRY(builder.apply_check(check));
  }
  return {};
}

bool is_partition_key(const PgQuery__CreateStmt& node) { return node.partspec != nullptr && partition_strategy(*node.partspec) != 0; }

// The table that a new partition belongs to, and whose DEFAULT partition, if there is one, gives its place up.
Task<Result<std::shared_ptr<const TableDef>>> lock_parent(DdlContext& ctx, const PgQuery__CreateStmt& node, bool temporary) {
  using Answer = Result<std::shared_ptr<const TableDef>>;
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.inh_relations[0]->range_var, TableLock::kAccessExclusive, false);
  if (!locked.ok()) co_return Answer(locked.take_status());
  const std::shared_ptr<const TableDef> parent = locked.take();
  if (!parent->is_partitioned()) co_return Answer(Status{sqlstate::invalid_object_definition, quoted(parent->name) + " is not partitioned"});
  if (parent->temporary != temporary) {
    const std::string kinds = temporary ? "a temporary relation as partition of permanent relation " : "a permanent relation as partition of temporary relation ";
    co_return Answer(Status{sqlstate::wrong_object_type, "cannot create " + kinds + quoted(parent->name)});
  }
  if (Status owned = ctx.must_own_relation(parent->oid); !owned.ok()) co_return Answer(std::move(owned));
  const Partitioning* partitioning = partitioning_of(*parent);
  if (partitioning->default_child() < 0 || node.partbound->is_default != 0) co_return Answer(parent);
  Result<std::shared_ptr<const TableDef>> other =
      co_await ctx.lock_table(partitioning->children()[static_cast<std::size_t>(partitioning->default_child())].table, TableLock::kAccessExclusive);
  if (!other.ok()) co_return Answer(other.take_status());
  Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, other.value(), TableLock::kAccessExclusive);
  if (!below.ok()) co_return Answer(below.take_status());
  co_return Answer(ctx.catalog()->table(parent->oid));
}

// Indexes, foreign keys and triggers of the table above, once the new one has its own.
Status inherit_the_rest(DdlContext& ctx, Changes& changes, const TableDef& parent, TableDef* table) {
  for (const IndexDef& index : parent.indexes) {
    if (index.oid == 0) continue;
    if (index.primary && primary_key(*table) != nullptr)
      return Status{sqlstate::invalid_table_definition, "multiple primary keys for table " + quoted(table->name) + " are not allowed"};
    WANDIAN_TRY(inherit_index(ctx, changes, parent, index, table).take_status());
  }
  for (const ForeignKeyDef& key : parent.foreign_keys) WANDIAN_TRY(inherit_foreign_key(ctx, parent, key, table).take_status());
  for (const TriggerDef& trigger : parent.triggers) WANDIAN_TRY(inherit_trigger(ctx, parent, trigger, table));
  return {};
}

}  // namespace

Task<Status> create_table(DdlContext& ctx) {
  const PgQuery__CreateStmt& node = *ctx.statement.node->create_stmt;
  const std::string name(node.relation->relname);
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*node.relation, &temporary);
  if (!schema.ok()) {
    Status status = schema.take_status();
    if (status.code() == sqlstate::insufficient_privilege && !ctx.session.is_superuser()) status.error().position = ctx.position(node.relation->location);
    co_return std::move(status);
  }
  if (node.n_inh_relations != 0 && node.partbound == nullptr && node.partspec == nullptr)
    if (const std::optional<FoundRelation> above = ctx.find(*node.inh_relations[0]->range_var); above && above->kind == FoundRelation::Kind::kTable)
      if (ctx.catalog()->table(above->oid)->is_partitioned())
        co_return Status{sqlstate::wrong_object_type, "cannot inherit from partitioned table " + quoted(text_or_empty(node.inh_relations[0]->range_var->relname))};
  WANDIAN_CO_TRY(refuse_unsupported(node, temporary));
  Result<bool> claimed = co_await ctx.claim_relation_name(schema.value(), name, node.if_not_exists != 0);
  if (!claimed.ok()) co_return claimed.take_status();
  if (!claimed.value()) co_return Status{};
  WANDIAN_CO_TRY(refuse_type_name(ctx, schema.value(), name));
  auto table = std::make_shared<TableDef>();
  table->oid = ctx.allocate_oid();
  table->schema = schema.value();
  table->owner = ctx.session.current_role();
  table->name = name;
  table->temporary = temporary;
  table->storage_id = ctx.allocate_storage_id();
  set_on_commit(ctx, node.oncommit, table.get());
  Changes changes;
  changes.reserve(schema.value(), name);
  WANDIAN_CO_TRY(read_options(node.options, node.n_options, std::nullopt, &table->options));
  TableBuilder builder(ctx, changes, table);
  std::shared_ptr<const TableDef> parent;
  if (node.partbound != nullptr) {
    Result<std::shared_ptr<const TableDef>> found = co_await lock_parent(ctx, node, temporary);
    if (!found.ok()) co_return found.take_status();
    parent = found.take();
    WANDIAN_CO_TRY(inherit_columns(ctx, *parent, table.get()));
  }
  if (is_partition_key(node) && node.n_options != 0)
    co_return Status{sqlstate::invalid_parameter_value, "unrecognized parameter " + quoted(text_or_empty(node.options[0]->def_elem->defname))};
  WANDIAN_CO_TRY(add_elements(builder, node));
  if (parent != nullptr) {
    Result<PartitionBound> bound = read_partition_bound(ctx, *parent, name, *node.partbound);
    if (!bound.ok()) co_return bound.take_status();
    table->bound = bound.take();
    table->partition_of = parent->oid;
  }
  if (is_partition_key(node)) WANDIAN_CO_TRY(read_partition_key(ctx, *node.partspec, table.get()));
  WANDIAN_CO_TRY(apply_keys_and_checks(builder));
  for (const ForeignKeySpec& key : builder.foreign_keys) {
    const std::string_view wanted_schema = text_or_empty(key.referenced->schemaname);
    const bool self = text_or_empty(key.referenced->relname) == name && (wanted_schema.empty() || wanted_schema == ctx.schema_name(schema.value()));
    std::shared_ptr<const TableDef> referenced;
    if (!self) {
      Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*key.referenced, TableLock::kShareRowExclusive, false);
      if (!locked.ok()) {
        if (locked.status().code() == sqlstate::wrong_object_type)
          co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
        co_return locked.take_status();
      }
      referenced = locked.take();
      if (referenced->is_materialized_view())
        co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
    }
    WANDIAN_CO_TRY(builder.apply_foreign_key(key, std::move(referenced)));
  }
  if (node.partspec != nullptr && !is_partition_key(node)) {
    if (parent != nullptr) co_return feature_not_supported("a partition cannot be placed by PARTITION BY DIRECTORY, REGION or SHARD");
    WANDIAN_CO_TRY(builder.set_placement(*node.partspec));
  }
  if (parent != nullptr) WANDIAN_CO_TRY(inherit_the_rest(ctx, changes, *parent, table.get()));
  WANDIAN_CO_TRY(builder.settle_global_indexes(nullptr, false));
  changes.put(table);
  if (text_or_empty(node.relation->relpersistence) == "u")
    ctx.notice(sqlstate::successful_completion, "table " + quoted(name) + " is logged: unlogged tables are not supported");
  WANDIAN_CO_TRY(ctx.apply(changes));
  if (parent == nullptr || table->bound.is_default) co_return Status{};
  const Partitioning* partitioning = partitioning_of(*ctx.catalog()->table(parent->oid));
  if (partitioning->default_child() < 0) co_return Status{};
  co_return co_await check_partition_rows(ctx, partitioning->children()[static_cast<std::size_t>(partitioning->default_child())].table, true);
}

}  // namespace wandian::sql
