// CREATE TRIGGER, DROP TRIGGER, ALTER TRIGGER ... RENAME, ALTER TABLE ... ENABLE and DISABLE TRIGGER.
#include <algorithm>
#include <functional>
#include <utility>

#include "sql/ddl/dependency.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/statements.h"
#include "sql/expr/deparse.h"
#include "sql/expr/tree.h"
#include "sql/functions/registry.h"
#include "sql/routine/routine.h"
#include "sql/routine/trigger_rows.h"

namespace wandian::sql {

namespace {

constexpr int kTimingAfter = 0, kTimingInstead = TriggerDef::kInstead;

// A table or view whose triggers change: a copy of the table, or the view as one.
struct Triggered {
  std::shared_ptr<TableDef> table;
  std::shared_ptr<const ObjectDef> view;   // null: a table

  std::string_view kind() const { return view != nullptr ? "view" : "table"; }
  Status put(Changes& changes) {
    std::sort(table->triggers.begin(), table->triggers.end(), [](const TriggerDef& a, const TriggerDef& b) { return a.name < b.name; });
    if (view == nullptr) {
      changes.put(std::move(table));
      return {};
    }
    std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
    if (!definition) return Status{sqlstate::data_corrupted, "definition of view " + quoted(view->name) + " cannot be read"};
    definition->triggers = table->triggers;
    auto changed = std::make_shared<ObjectDef>(*view);
    changed->definition = definition->encode();
    changes.put(std::move(changed));
    return {};
  }
};

// The relation, found, locked and found again.
Task<Result<Triggered>> lock_triggered(DdlContext& ctx, const PgQuery__RangeVar& name, TableLock mode) {
  const std::optional<FoundRelation> found = ctx.find(name);
  Triggered out;
  if (found && found->kind == FoundRelation::Kind::kView) {
    Status locked = co_await ctx.lock_name(found->schema, std::string(text_or_empty(name.relname)));
    if (!locked.ok()) co_return Result<Triggered>(std::move(locked));
    out.view = ctx.catalog()->object(ObjectKind::kView, found->oid);
    if (out.view == nullptr) co_return Result<Triggered>(undefined_relation(text_or_empty(name.schemaname), text_or_empty(name.relname)));
    Result<std::shared_ptr<TableDef>> table = view_as_table(*out.view);
    if (!table.ok()) co_return Result<Triggered>(table.take_status());
    out.table = table.take();
    co_return Result<Triggered>(std::move(out));
  }
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(name, mode, false);
  if (!locked.ok()) co_return Result<Triggered>(locked.take_status());
  out.table = std::make_shared<TableDef>(*locked.value());
  co_return Result<Triggered>(std::move(out));
}

Status bad_definition(std::string message) { return Status{sqlstate::invalid_object_definition, std::move(message)}; }

// The function a trigger runs: without parameters, returning trigger.
Result<Oid> trigger_function(DdlContext& ctx, const PgQuery__CreateTrigStmt& node) {
  const std::string name(string_value(node.funcname[node.n_funcname - 1]));
  std::vector<Oid> schemas = ctx.bind_context().search_path;
  std::string full = name;
  if (node.n_funcname > 1) {
    const std::string schema(string_value(node.funcname[node.n_funcname - 2]));
    full = schema + "." + name;
    WANDIAN_ASSIGN(const Oid only, ctx.find_schema(schema));
    schemas = {only};
  }
  for (const Oid schema : schemas) {
    const auto object = ctx.catalog()->find_object(ObjectKind::kFunction, schema, name + "()");
    if (object == nullptr) continue;
    const Routine* routine = routine_of(*object);
    WANDIAN_TRY(check_privilege(ctx.access(), AclKind::kFunction, object->oid, privilege::kExecute));
    if (routine == nullptr || routine->declaration.result != type_oid::kTrigger) return bad_definition("function " + full + " must return type trigger");
    return object->oid;
  }
  for (const FunctionDef* builtin : find_functions(name))
    if (builtin->args.empty()) return bad_definition("function " + full + " must return type trigger");
  return Status{sqlstate::undefined_function, "function " + full + "() does not exist"};
}

// WHEN, in its canonical form.
Result<std::string> condition_text(DdlContext& ctx, const PgQuery__CreateTrigStmt& node, const TableDef& table) {
  TriggerRows rows(table);
  BindContext context = ctx.bind_context();
  context.variables = &rows;
  StandaloneOptions options;
  options.use = StandaloneUse::kTriggerWhen;
  WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(node.when_clause, ctx.statement.text, context, options));
  if (contains_sublink(bound.expr)) return feature_not_supported("cannot use subquery in trigger WHEN condition");
  // The first mention of a row that there is none of.
  const auto refuse = [&](bool old_row, bool new_row, std::string message) -> Status {
    std::int32_t location = -1;
    const bool found = any_node(bound.expr, [&](const Expr* node) {
      if (node->kind != ExprKind::kParam) return false;
      const bool is_new = node->as<ParamExpr>().index >= table.columns.size();
      if (!(is_new ? new_row : old_row)) return false;
      location = node->location;
      return true;
    });
    return found ? bad_definition(std::move(message)).with_position(ctx.position(location)) : Status{};
  };
  if (node.row == 0) WANDIAN_TRY(refuse(true, true, "statement trigger's WHEN condition cannot reference column values"));
  if ((node.events & TriggerDef::kInsert) != 0) WANDIAN_TRY(refuse(true, false, "INSERT trigger's WHEN condition cannot reference OLD values"));
  if ((node.events & TriggerDef::kDelete) != 0) WANDIAN_TRY(refuse(false, true, "DELETE trigger's WHEN condition cannot reference NEW values"));
  return deparse(bound.expr, trigger_row_names(table));
}

}  // namespace

namespace {

// What kinds of triggers a kind of relation can have.
Status check_kind(const PgQuery__CreateTrigStmt& node, const Triggered& of) {
  const TableDef& table = *of.table;
  const auto not_for = [&](std::string_view what, const char* detail) {
    return Status{sqlstate::wrong_object_type, quoted(table.name) + " is " + std::string(what)}.with_detail(detail);
  };
  if (table.is_materialized_view())
    return Status{sqlstate::wrong_object_type, "relation " + quoted(table.name) + " cannot have triggers"}.with_detail(
        "This operation is not supported for materialized views.");
  if (of.view != nullptr) {
    if (node.timing != kTimingInstead && node.row != 0) return not_for("a view", "Views cannot have row-level BEFORE or AFTER triggers.");
    if ((node.events & TriggerDef::kTruncate) != 0) return not_for("a view", "Views cannot have TRUNCATE triggers.");
  } else {
    if (node.timing == kTimingInstead) return not_for(table.is_partitioned() ? "a partitioned table" : "a table", "Tables cannot have INSTEAD OF triggers.");
    if (table.is_partitioned() && node.row != 0 && node.n_transition_rels > 0)
      return feature_not_supported(quoted(table.name) + " is a partitioned table").with_detail("ROW triggers with transition tables are not supported on partitioned tables.");
  }
  if (node.row != 0 && (node.events & TriggerDef::kTruncate) != 0) return feature_not_supported("TRUNCATE FOR EACH ROW triggers are not supported");
  if (node.timing != kTimingInstead) return {};
  if (node.row == 0) return feature_not_supported("INSTEAD OF triggers must be FOR EACH ROW");
  if (node.when_clause != nullptr) return feature_not_supported("INSTEAD OF triggers cannot have WHEN conditions");
  if (node.n_columns > 0) return feature_not_supported("INSTEAD OF triggers cannot have column lists");
  return {};
}

// REFERENCING.
Status read_transition_tables(const PgQuery__CreateTrigStmt& node, const Triggered& of, TriggerDef* trigger) {
  constexpr int kEvents = TriggerDef::kInsert | TriggerDef::kDelete | TriggerDef::kUpdate | TriggerDef::kTruncate;
  for (std::size_t i = 0; i < node.n_transition_rels; ++i) {
    const PgQuery__TriggerTransition& transition = *node.transition_rels[i]->trigger_transition;
    if (!transition.is_table)
      return feature_not_supported("ROW variable naming in the REFERENCING clause is not supported")
          .with_hint("Use OLD TABLE or NEW TABLE for naming transition tables.");
    if (of.view != nullptr)
      return Status{sqlstate::wrong_object_type, quoted(of.table->name) + " is a view"}.with_detail("Triggers on views cannot have transition tables.");
    if (node.row != 0 && of.table->partition_of != 0) return feature_not_supported("ROW triggers with transition tables are not supported on partitions");
    if (node.timing != kTimingAfter) return bad_definition("transition table name can only be specified for an AFTER trigger");
    if ((node.events & TriggerDef::kTruncate) != 0) return feature_not_supported("TRUNCATE triggers with transition tables are not supported");
    const int events = node.events & kEvents;
    if ((events & (events - 1)) != 0) return feature_not_supported("transition tables cannot be specified for triggers with more than one event");
    if (node.n_columns > 0) return feature_not_supported("transition tables cannot be specified for triggers with column lists");
    const std::string word = transition.is_new ? "NEW TABLE" : "OLD TABLE";
    std::string& name = transition.is_new ? trigger->new_table : trigger->old_table;
    if (transition.is_new ? events == TriggerDef::kDelete : events == TriggerDef::kInsert)
      return bad_definition(word + " can only be specified for " + (transition.is_new ? "an INSERT or UPDATE trigger" : "a DELETE or UPDATE trigger"));
    if (!name.empty()) return bad_definition(word + " cannot be specified multiple times");
    name = truncate_identifier(text_or_empty(transition.name));
  }
  if (!trigger->old_table.empty() && trigger->old_table == trigger->new_table)
    return bad_definition("OLD TABLE name and NEW TABLE name cannot be the same");
  return {};
}

}  // namespace

Task<Status> create_trigger(DdlContext& ctx) {
  const PgQuery__CreateTrigStmt& node = *ctx.statement.node->create_trig_stmt;
  const std::string relation(text_or_empty(node.relation->relname));
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  if (!found) co_return undefined_relation(text_or_empty(node.relation->schemaname), relation);
  if (found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kView) {
    std::string detail = "This operation is not supported for system catalogs.";
    if (found->kind == FoundRelation::Kind::kIndex) detail = "This operation is not supported for indexes.";
    if (found->kind == FoundRelation::Kind::kSequence) detail = "This operation is not supported for sequences.";
    co_return Status{sqlstate::wrong_object_type, "relation " + quoted(relation) + " cannot have triggers"}.with_detail(std::move(detail));
  }
  Result<Triggered> locked = co_await lock_triggered(ctx, *node.relation, TableLock::kShareRowExclusive);
  if (!locked.ok()) co_return locked.take_status();
  Triggered of = locked.take();
  std::shared_ptr<TableDef>& table = of.table;
  WANDIAN_CO_TRY(check_kind(node, of));
  TriggerDef trigger;
  WANDIAN_CO_TRY(read_transition_tables(node, of, &trigger));
  WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kRelation, table->oid, privilege::kTrigger));
  if (node.constrrel != nullptr) {
    const std::optional<FoundRelation> from = ctx.find(*node.constrrel);
    if (!from) co_return undefined_relation(text_or_empty(node.constrrel->schemaname), text_or_empty(node.constrrel->relname));
    trigger.constraint_table = from->oid;
  }
  std::vector<std::shared_ptr<const TableDef>> partitions;
  if (of.view == nullptr) {
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, table, TableLock::kShareRowExclusive);
    if (!below.ok()) co_return below.take_status();
    partitions = below.take();
  }
  trigger.deferrable = node.deferrable != 0;
  trigger.initially_deferred = node.initdeferred != 0;
  trigger.name = truncate_identifier(text_or_empty(node.trigname));
  trigger.events = static_cast<std::uint16_t>(node.events | node.timing | (node.row != 0 ? TriggerDef::kRow : 0));
  for (std::size_t i = 0; i < node.n_columns; ++i) {
    const std::string column(string_value(node.columns[i]));
    const int position = table->find_column(column);
    if (position < 0) co_return undefined_column(column, table->name);
    if (std::find(trigger.columns.begin(), trigger.columns.end(), position) != trigger.columns.end())
      co_return Status{sqlstate::duplicate_column, "column " + quoted(column) + " specified more than once"};
    trigger.columns.push_back(static_cast<std::uint16_t>(position));
  }
  for (std::size_t i = 0; i < node.n_args; ++i) trigger.arguments.emplace_back(string_value(node.args[i]));
  if (node.when_clause != nullptr) {
    Result<std::string> condition = condition_text(ctx, node, *table);
    if (!condition.ok()) co_return condition.take_status();
    trigger.condition = condition.take();
  }
  Result<Oid> function = trigger_function(ctx, node);
  if (!function.ok()) co_return function.take_status();
  trigger.function = function.value();
  const auto old = std::find_if(table->triggers.begin(), table->triggers.end(), [&](const TriggerDef& other) { return other.name == trigger.name; });
  if (old != table->triggers.end()) {
    if (node.replace == 0)
      co_return Status{sqlstate::duplicate_object, "trigger " + quoted(trigger.name) + " for relation " + quoted(table->name) + " already exists"};
    if (old->parent != 0)
      co_return Status{sqlstate::duplicate_object, "trigger " + quoted(trigger.name) + " for relation " + quoted(table->name) + " is an internal or a child trigger"};
    if (old->constraint != 0)
      co_return Status{sqlstate::duplicate_object, "trigger " + quoted(trigger.name) + " for relation " + quoted(table->name) + " is a constraint trigger"};
    trigger.oid = old->oid;
    table->triggers.erase(old);
  } else {
    trigger.oid = ctx.allocate_oid();
  }
  if (node.isconstraint != 0) trigger.constraint = ctx.allocate_oid();
  table->triggers.push_back(std::move(trigger));
  Changes changes;
  WANDIAN_CO_TRY(of.put(changes));
  WANDIAN_CO_TRY(ctx.apply(changes));
  // Each partition gets its copy from the table above it; one of a trigger that was replaced is made anew.
  for (const std::shared_ptr<const TableDef>& before : partitions) {
    auto partition = std::make_shared<TableDef>(*ctx.catalog()->table(before->oid));
    const std::shared_ptr<const TableDef> parent = ctx.catalog()->table(partition->partition_of);
    for (const TriggerDef& theirs : parent->triggers) {
      std::erase_if(partition->triggers, [&](const TriggerDef& own) { return own.parent == theirs.oid; });
      WANDIAN_CO_TRY(inherit_trigger(ctx, *parent, theirs, partition.get()));
    }
    Changes more;
    more.put(std::move(partition));
    WANDIAN_CO_TRY(ctx.apply(more));
  }
  co_return Status{};
}

namespace {

const TriggerDef* named_trigger(const TableDef& table, std::string_view name) {
  for (const TriggerDef& trigger : table.triggers)
    if (trigger.name == name) return &trigger;
  return nullptr;
}

// The copies of a trigger, in the partitions below.
void each_copy(DdlContext& ctx, Changes& changes, const TableDef& table, Oid trigger, const std::function<void(TableDef&, Oid)>& change) {
  for (const Oid oid : table.partitions) {
    auto partition = std::make_shared<TableDef>(*ctx.catalog()->table(oid));
    Oid copy = 0;
    for (const TriggerDef& own : partition->triggers)
      if (own.parent == trigger) copy = own.oid;
    if (copy == 0) continue;
    change(*partition, copy);
    each_copy(ctx, changes, *partition, copy, change);
    changes.put(std::move(partition));
  }
}

}  // namespace

Task<Status> drop_trigger(DdlContext& ctx) {
  const PgQuery__DropStmt& node = *ctx.statement.node->drop_stmt;
  for (std::size_t i = 0; i < node.n_objects; ++i) {
    const PgQuery__List& parts = *node.objects[i]->list;
    const std::string name(string_value(parts.items[parts.n_items - 1]));
    PgQuery__RangeVar relation = PG_QUERY__RANGE_VAR__INIT;
    std::string table_name(string_value(parts.items[parts.n_items - 2])), schema;
    if (parts.n_items > 2) schema = string_value(parts.items[parts.n_items - 3]);
    relation.relname = table_name.data();
    relation.schemaname = schema.data();
    const std::optional<FoundRelation> found = ctx.find(relation);
    if (!found || (found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kView)) {
      if (node.missing_ok == 0) co_return undefined_relation(schema, table_name);
      ctx.notice(sqlstate::successful_completion, "relation " + quoted(table_name) + " does not exist, skipping");
      continue;
    }
    Result<Triggered> locked = co_await lock_triggered(ctx, relation, TableLock::kAccessExclusive);
    if (!locked.ok()) co_return locked.take_status();
    Triggered of = locked.take();
    TableDef& table = *of.table;
    WANDIAN_CO_TRY(ctx.must_own_relation(table.oid));
    if (of.view == nullptr) {
      WANDIAN_CO_TRY(ctx.session.check_not_in_use(table, "DROP TRIGGER"));
      Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, of.table, TableLock::kAccessExclusive);
      if (!below.ok()) co_return below.take_status();
    }
    Changes changes;
    if (const TriggerDef* trigger = named_trigger(table, name)) {
      if (trigger->parent != 0) {
        const std::string above = describe(ctx, {RefKind::kTrigger, trigger->parent, table.partition_of, 0});
        co_return Status{sqlstate::dependent_objects_still_exist, "cannot drop " + describe(ctx, {RefKind::kTrigger, trigger->oid, table.oid, 0}) + " because " + above + " requires it"}
            .with_hint("You can drop " + above + " instead.");
      }
      each_copy(ctx, changes, table, trigger->oid,
                [](TableDef& partition, Oid copy) { std::erase_if(partition.triggers, [&](const TriggerDef& own) { return own.oid == copy; }); });
    }
    if (std::erase_if(table.triggers, [&](const TriggerDef& trigger) { return trigger.name == name; }) == 0) {
      if (node.missing_ok == 0) co_return Status{sqlstate::undefined_object, "trigger " + quoted(name) + " for table " + quoted(table_name) + " does not exist"};
      ctx.notice(sqlstate::successful_completion, "trigger " + quoted(name) + " for relation " + quoted(table_name) + " does not exist, skipping");
      continue;
    }
    WANDIAN_CO_TRY(of.put(changes));
    WANDIAN_CO_TRY(ctx.apply(changes));
  }
  co_return Status{};
}

Task<Status> rename_trigger(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  const std::string from(text_or_empty(node.subname)), to = truncate_identifier(text_or_empty(node.newname));
  Result<Triggered> locked = co_await lock_triggered(ctx, *node.relation, TableLock::kAccessExclusive);
  if (!locked.ok()) co_return locked.take_status();
  Triggered of = locked.take();
  std::shared_ptr<TableDef>& table = of.table;
  WANDIAN_CO_TRY(ctx.must_own_relation(table->oid));
  const auto named = [&](const std::string& name) {
    return std::find_if(table->triggers.begin(), table->triggers.end(), [&](const TriggerDef& trigger) { return trigger.name == name; });
  };
  const auto renamed = named(from);
  if (renamed == table->triggers.end())
    co_return Status{sqlstate::undefined_object, "trigger " + quoted(from) + " for table " + quoted(table->name) + " does not exist"};
  if (named(to) != table->triggers.end())
    co_return Status{sqlstate::duplicate_object, "trigger " + quoted(to) + " for relation " + quoted(table->name) + " already exists"};
  if (renamed->parent != 0)
    co_return Status{sqlstate::internal_error, "cannot rename trigger " + quoted(from) + " on table " + quoted(table->name)}.with_hint(
        "Rename the trigger on the partitioned table " + quoted(ctx.catalog()->table(table->partition_of)->name) + " instead.");
  Changes changes;
  each_copy(ctx, changes, *table, renamed->oid, [&](TableDef& partition, Oid copy) {
    for (TriggerDef& own : partition.triggers)
      if (own.oid == copy) own.name = to;
    std::sort(partition.triggers.begin(), partition.triggers.end(), [](const TriggerDef& a, const TriggerDef& b) { return a.name < b.name; });
  });
  renamed->name = to;
  WANDIAN_CO_TRY(of.put(changes));
  co_return ctx.apply(changes);
}

Status enable_trigger(TableDef& table, const PgQuery__AlterTableCmd& command, bool superuser) {
  char enabled = 'O';
  bool all = false, system = false;
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig: break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig: enabled = 'A'; break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig: enabled = 'R'; break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig: enabled = 'D'; break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll: all = system = true; break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser: all = true; break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll: enabled = 'D', all = system = true; break;
    default: enabled = 'D', all = true; break;
  }
  if (system) {
    // What PostgreSQL checks keys with are triggers, too.
    const bool has_keys = !table.foreign_keys.empty() || !table.referencing.empty() ||
                          std::any_of(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) { return index.deferrable; });
    if (has_keys && !superuser) return Status{sqlstate::insufficient_privilege, "permission denied: \"RI_ConstraintTrigger\" is a system trigger"};
    table.key_checks = enabled;
  }
  bool found = all;
  for (TriggerDef& trigger : table.triggers) {
    if (!all && trigger.name != text_or_empty(command.name)) continue;
    trigger.enabled = enabled;
    found = true;
  }
  if (found) return {};
  return Status{sqlstate::undefined_object, "trigger " + quoted(text_or_empty(command.name)) + " for table " + quoted(table.name) + " does not exist"};
}

}  // namespace wandian::sql
