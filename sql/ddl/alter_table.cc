// ALTER TABLE, and what ALTER INDEX, SEQUENCE and VIEW share with it.
#include <algorithm>

#include "sql/ddl/grant.h"
#include "sql/ddl/alteration.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/statements.h"

namespace wandian::sql {

namespace {

TableLock lock_for(const PgQuery__AlterTableStmt& node) {
  bool only_options = true, only_foreign_keys = true;
  for (std::size_t i = 0; i < node.n_cmds; ++i) {
    const PgQuery__AlterTableCmd& command = *node.cmds[i]->alter_table_cmd;
    switch (command.subtype) {
      case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
      case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
      case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics: only_foreign_keys = false; break;
      case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
        only_options = false;
        if (command.def->constraint->contype != PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN) only_foreign_keys = false;
        break;
      default: only_options = only_foreign_keys = false;
    }
  }
  if (only_options) return TableLock::kShareUpdateExclusive;
  return only_foreign_keys ? TableLock::kShareRowExclusive : TableLock::kAccessExclusive;
}

const char* kind_word(PgQuery__ObjectType type) {
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: return "an index";
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return "a sequence";
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return "a view";
    default: return "a table";
  }
}

// ALTER INDEX ... ALTER COLUMN n SET STATISTICS: of expressions alone.
Status set_index_statistics(DdlContext& ctx, TableDef& table, Oid oid, const PgQuery__AlterTableCmd& command) {
  WANDIAN_ASSIGN(const std::int16_t target, read_statistics_target(ctx, command));
  for (IndexDef& index : table.indexes) {
    if (index.oid != oid) continue;
    const int number = command.num;
    if (number < 1 || static_cast<std::size_t>(number) > index.parts.size())
      return Status{sqlstate::undefined_column, "column number " + std::to_string(number) + " of relation " + quoted(index.name) + " does not exist"};
    IndexPart& part = index.parts[static_cast<std::size_t>(number) - 1];
    if (part.column == kExpressionPart) {
      part.statistics_target = target;
      return {};
    }
    const std::string& name = part.name.empty() ? table.columns[part.column].name : part.name;
    if (number > index.key_parts)
      return feature_not_supported("cannot alter statistics on included column " + quoted(name) + " of index " + quoted(index.name));
    return feature_not_supported("cannot alter statistics on non-expression column " + quoted(name) + " of index " + quoted(index.name))
        .with_hint("Alter statistics on table column instead.");
  }
  return {};
}

// What only tables have, ENABLE and DISABLE of triggers and REPLICA IDENTITY, as errors call it; "" for other commands.
std::string_view table_action(PgQuery__AlterTableType type) {
  switch (type) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig: return "ENABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig: return "ENABLE ALWAYS TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig: return "ENABLE REPLICA TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig: return "DISABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll: return "ENABLE TRIGGER ALL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll: return "DISABLE TRIGGER ALL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser: return "ENABLE TRIGGER USER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser: return "DISABLE TRIGGER USER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity: return "REPLICA IDENTITY";
    default: return {};
  }
}

// Everything but a table: its owner, and the storage parameters of an index.
Status alter_other(DdlContext& ctx, const PgQuery__AlterTableStmt& node, const FoundRelation& found) {
  Changes changes;
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  std::shared_ptr<ObjectDef> view;   // as the commands so far have left it
  const auto changed_view = [&] {
    if (view == nullptr) view = std::make_shared<ObjectDef>(*catalog->object(ObjectKind::kView, found.oid));
    return view.get();
  };
  for (std::size_t i = 0; i < node.n_cmds; ++i) {
    const PgQuery__AlterTableCmd& command = *node.cmds[i]->alter_table_cmd;
    if (command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner) {
      WANDIAN_ASSIGN(const Oid role, find_role(ctx, *command.newowner));
      if (found.kind == FoundRelation::Kind::kSequence) {
        const auto sequence = catalog->sequence(found.oid);
        if (const auto table = catalog->table(sequence->owned_by_table); table != nullptr && table->owner != role)
          return feature_not_supported("cannot change owner of sequence " + quoted(sequence->name))
              .with_detail("Sequence " + quoted(sequence->name) + " is linked to table " + quoted(table->name) + ".");
      }
      if (found.kind != FoundRelation::Kind::kIndex) WANDIAN_TRY(give_to(ctx, changes, *securable_relation(*catalog, found.oid), role, found.schema));
      continue;
    }
    if (found.kind == FoundRelation::Kind::kIndex && command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace) {
      if (text_or_empty(command.name) == "pg_default") continue;
      return Status{sqlstate::undefined_object, "tablespace " + quoted(text_or_empty(command.name)) + " does not exist"};
    }
    if (found.kind == FoundRelation::Kind::kIndex && command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics) {
      auto table = std::make_shared<TableDef>(*catalog->table(found.table));
      WANDIAN_TRY(set_index_statistics(ctx, *table, found.oid, command));
      changes.put(std::move(table));
      continue;
    }
    const bool options = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions || command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions;
    if (found.kind == FoundRelation::Kind::kView && options && command.def != nullptr) {
      WANDIAN_TRY(set_view_options(ctx, command, changed_view()));
      continue;
    }
    if (found.kind == FoundRelation::Kind::kView && command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault) {
      WANDIAN_TRY(set_view_default(ctx, command, changed_view()));
      continue;
    }
    if (const std::string_view action = table_action(command.subtype); !action.empty())
      return Status{sqlstate::wrong_object_type,
                    "ALTER action " + std::string(action) + " cannot be performed on relation " + quoted(text_or_empty(node.relation->relname))}
          .with_detail(found.kind == FoundRelation::Kind::kView ? "This operation is not supported for views." : "This operation is not supported for indexes.");
    if (found.kind == FoundRelation::Kind::kView && command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics)
      return Status{sqlstate::wrong_object_type,
                    "ALTER action ALTER COLUMN ... SET STATISTICS cannot be performed on relation " + quoted(text_or_empty(node.relation->relname))}
          .with_detail("This operation is not supported for views.");
    if (found.kind != FoundRelation::Kind::kIndex || !options || command.def == nullptr)
      return feature_not_supported("this form of ALTER is not supported for " + quoted(text_or_empty(node.relation->relname)));
    auto table = std::make_shared<TableDef>(*catalog->table(found.table));
    std::vector<std::pair<std::string, std::string>> given;
    const bool sets = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions;
    if (table->is_partitioned())
      return Status{sqlstate::wrong_object_type,
                    std::string("ALTER action ") + (sets ? "SET" : "RESET") + " cannot be performed on relation " + quoted(text_or_empty(node.relation->relname))}
          .with_detail("This operation is not supported for partitioned indexes.");
    const auto altered = std::find_if(table->indexes.begin(), table->indexes.end(), [&](const IndexDef& index) { return index.oid == found.oid; });
    if (altered == table->indexes.end()) return undefined_relation(text_or_empty(node.relation->schemaname), text_or_empty(node.relation->relname));
    if (sets) WANDIAN_TRY(read_options(command.def->list->items, command.def->list->n_items, altered->method, &given));
    else
      for (std::size_t o = 0; o < command.def->list->n_items; ++o) given.emplace_back(text_or_empty(command.def->list->items[o]->def_elem->defname), "");
    for (auto& [name, value] : given) {
      std::erase_if(altered->options, [&name = name](const auto& option) { return option.first == name; });
      if (sets) altered->options.emplace_back(name, value);
    }
    changes.put(std::move(table));
  }
  if (view != nullptr) changes.put(std::move(view));
  return ctx.apply(changes);
}

Status run_commands(TableAlteration& alteration, const PgQuery__AlterTableStmt& node) {
  for (unsigned pass = 0; pass < TableAlteration::kPasses; ++pass)
    for (std::size_t i = 0; i < node.n_cmds; ++i) WANDIAN_TRY(alteration.run(*node.cmds[i]->alter_table_cmd, pass));
  return alteration.add_constraints();
}

// The partitions follow, each after the table above it.
Task<Status> alter_partitions(DdlContext& ctx, const PgQuery__AlterTableStmt& node, const std::vector<std::shared_ptr<const TableDef>>& partitions) {
  for (const std::shared_ptr<const TableDef>& before : partitions) {
    const std::shared_ptr<const TableDef> partition = ctx.catalog()->table(before->oid);
    TableAlteration alteration(ctx, partition);
    for (unsigned pass = 0; pass < TableAlteration::kPasses; ++pass)
      for (std::size_t i = 0; i < node.n_cmds; ++i) WANDIAN_CO_TRY(alteration.run_inherited(*node.cmds[i]->alter_table_cmd, pass));
    const std::shared_ptr<const TableDef> parent = ctx.catalog()->table(partition->partition_of);
    WANDIAN_CO_TRY(alteration.inherit(*parent, nullptr));
    WANDIAN_CO_TRY(co_await alteration.finish());
  }
  co_return Status{};
}

const PgQuery__AlterTableCmd* partition_command(const PgQuery__AlterTableStmt& node) {
  const PgQuery__AlterTableCmd* command = node.n_cmds == 1 ? node.cmds[0]->alter_table_cmd : nullptr;
  if (command == nullptr) return nullptr;
  const bool attaches = command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition || command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition ||
                        command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartitionFinalize;
  return attaches ? command : nullptr;
}

TableLock partition_lock(const PgQuery__AlterTableCmd& command) {
  const bool detaches = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition && command.def->partition_cmd->concurrent == 0;
  return detaches ? TableLock::kAccessExclusive : TableLock::kShareUpdateExclusive;
}

}  // namespace

Result<std::int16_t> read_statistics_target(DdlContext& ctx, const PgQuery__AlterTableCmd& command) {
  constexpr int kMost = 10000;
  const int target = command.def->integer->ival;
  if (target < -1) return Status{sqlstate::invalid_parameter_value, "statistics target " + std::to_string(target) + " is too low"};
  if (target > kMost) ctx.session.notice(Severity::kWarning, sqlstate::invalid_parameter_value, "lowering statistics target to " + std::to_string(kMost));
  return static_cast<std::int16_t>(std::min(target, kMost));
}

Task<Status> alter_table(DdlContext& ctx) {
  if (ctx.statement.node->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT) co_return feature_not_supported("this form of ALTER is not supported");
  const PgQuery__AlterTableStmt& node = *ctx.statement.node->alter_table_stmt;
  if (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE) co_return co_await alter_composite(ctx);
  const std::string name(text_or_empty(node.relation->relname));
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  if (!found) {
    if (!node.missing_ok) co_return undefined_relation(text_or_empty(node.relation->schemaname), name);
    ctx.notice(sqlstate::successful_completion, "relation " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  const bool wants_table = node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE;
  WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
  if (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
    if (found->kind != FoundRelation::Kind::kTable || !ctx.catalog()->table(found->oid)->is_materialized_view()) co_return wrong_object_type(name, "a materialized view");
  } else if (!wants_table) {
    const bool fits = (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX && found->kind == FoundRelation::Kind::kIndex) ||
                      (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE && found->kind == FoundRelation::Kind::kSequence) ||
                      (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW && found->kind == FoundRelation::Kind::kView);
    if (!fits) co_return wrong_object_type(name, kind_word(node.objtype));
  }
  if (found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kSystem) {
    if (found->kind == FoundRelation::Kind::kIndex) {
      Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(found->table, TableLock::kShareUpdateExclusive);
      if (!locked.ok()) co_return locked.take_status();
      if (const PgQuery__AlterTableCmd* command = partition_command(node); command != nullptr && command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition)
        co_return co_await attach_index(ctx, locked.value(), found->oid, *command->def->partition_cmd);
    }
    if (found->kind == FoundRelation::Kind::kView) WANDIAN_CO_TRY(co_await ctx.lock_view(found->oid, TableLock::kAccessExclusive));
    co_return alter_other(ctx, node, *found);
  }
  if (const PgQuery__AlterTableCmd* command = partition_command(node)) {
    Result<std::shared_ptr<const TableDef>> parent = co_await ctx.lock_table(*node.relation, partition_lock(*command), false);
    if (!parent.ok()) co_return parent.take_status();
    if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition) co_return co_await attach_partition(ctx, parent.take(), *command->def->partition_cmd);
    const bool finalize = command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartitionFinalize;
    co_return co_await detach_partition(ctx, parent.take(), *command->def->partition_cmd, finalize);
  }
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(*node.relation, lock_for(node), false);
  if (!locked.ok()) co_return locked.take_status();
  WANDIAN_CO_TRY(ctx.session.check_not_in_use(*locked.value(), "ALTER TABLE"));
  std::vector<std::shared_ptr<const TableDef>> partitions;
  if (node.relation->inh != 0) {
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, locked.value(), lock_for(node));
    if (!below.ok()) co_return below.take_status();
    partitions = below.take();
    for (const std::shared_ptr<const TableDef>& partition : partitions) {
      WANDIAN_CO_TRY(ctx.must_own_relation(partition->oid));
      WANDIAN_CO_TRY(ctx.session.check_not_in_use(*partition, "ALTER TABLE"));
    }
  }
  TableAlteration alteration(ctx, locked.value());
  if (node.relation->inh == 0) alteration.set_only();
  WANDIAN_CO_TRY(run_commands(alteration, node));
  for (const ForeignKeySpec& key : alteration.foreign_keys()) {
    const std::optional<FoundRelation> other = ctx.find(*key.referenced);
    std::shared_ptr<const TableDef> referenced;
    if (!other || other->oid != locked.value()->oid) {
      Result<std::shared_ptr<const TableDef>> theirs = co_await ctx.lock_table(*key.referenced, TableLock::kShareRowExclusive, false);
      if (!theirs.ok()) {
        if (theirs.status().code() == sqlstate::wrong_object_type)
          co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
        co_return theirs.take_status();
      }
      referenced = theirs.take();
      if (referenced->is_materialized_view())
        co_return Status{sqlstate::wrong_object_type, "referenced relation " + quoted(key.referenced->relname) + " is not a table"};
    }
    WANDIAN_CO_TRY(alteration.add_foreign_key(key, std::move(referenced)));
  }
  const std::set<Oid> others = alteration.other_tables();
  for (const Oid oid : others) {
    if (oid == locked.value()->oid) continue;
    WANDIAN_CO_TRY(co_await ctx.lock_relation(oid, TableLock::kAccessExclusive));
  }
  WANDIAN_CO_TRY(co_await alteration.finish());
  co_return co_await alter_partitions(ctx, node, partitions);
}

}  // namespace wandian::sql
