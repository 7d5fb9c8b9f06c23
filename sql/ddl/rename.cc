// ALTER ... RENAME, OWNER TO, SET SCHEMA.
#include <algorithm>

#include "sql/ddl/dependency.h"
#include "sql/ddl/index_builder.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/role.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/expr/deparse.h"
#include "sql/routine/trigger_rows.h"

namespace wandian::sql {

namespace {

// CHECK conditions, generation expressions and indexes with their columns' names as they are in `table`, from texts over the names in
// `old`.
Status reprint_expressions(DdlContext& ctx, const TableDef& old, TableDef* table) {
  const std::vector<StandaloneColumn> columns = standalone_columns(old);
  for (CheckDef& check : table->checks) {
    StandaloneOptions options;
    options.use = StandaloneUse::kCheck;
    options.table_name = old.name;
    options.columns = columns;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(check.expression, ctx.bind_context(), options));
    check.expression = deparse(bound.expr, {column_names(*table), nullptr, false, {}});
  }
  for (TriggerDef& trigger : table->triggers) {
    if (trigger.condition.empty()) continue;
    TriggerRows rows(old);
    BindContext context = ctx.bind_context();
    context.variables = &rows;
    StandaloneOptions options;
    options.use = StandaloneUse::kTriggerWhen;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(trigger.condition, context, options));
    trigger.condition = deparse(bound.expr, trigger_row_names(*table));
  }
  for (PartitionKeyPart& part : table->partition_key) {
    if (part.column != kExpressionPart) continue;
    StandaloneOptions options;
    options.use = StandaloneUse::kPartitionKey;
    options.table_name = old.name;
    options.columns = columns;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(part.expression, ctx.bind_context(), options));
    part.expression = deparse(bound.expr, {column_names(*table), nullptr, false});
  }
  for (std::size_t i = 0; i < old.columns.size(); ++i) {
    if (old.columns[i].generated == 0) continue;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_generation(ctx, old, static_cast<std::uint16_t>(i)));
    table->columns[i].default_expression = deparse(bound.expr, {column_names(*table), nullptr, false});
  }
  return reprint_indexes(ctx, old, table);
}

Status rename_table_column(DdlContext& ctx, const TableDef& old, std::string_view from, const std::string& to) {
  const int column = old.find_column(from);
  if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(from) + " does not exist"};
  const std::vector<std::shared_ptr<const TableDef>> partitions = all_partitions(*ctx.catalog(), old);
  if (old.find_column(to) >= 0)   // partitions are renamed first
    return Status{sqlstate::duplicate_column,
                  "column " + quoted(to) + " of relation " + quoted(partitions.empty() ? old.name : partitions.front()->name) + " already exists"};
  for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
    if (to == system) return Status{sqlstate::duplicate_column, "column name " + quoted(to) + " conflicts with a system column name"};
  Changes changes;
  std::vector<std::shared_ptr<const TableDef>> tables = partitions;
  tables.insert(tables.begin(), ctx.catalog()->table(old.oid));
  for (const std::shared_ptr<const TableDef>& before : tables) {
    const int own = before->find_column(from);
    auto table = std::make_shared<TableDef>(*before);
    table->columns[static_cast<std::size_t>(own)].name = to;
    WANDIAN_TRY(reprint_expressions(ctx, *before, table.get()));
    changes.put(std::move(table));
  }
  return ctx.apply(changes);
}

// What a partition has from the table above it is called as it is there.
Status refuse_inherited(DdlContext& ctx, const TableDef& table, std::string_view name, bool column, bool only) {
  const std::shared_ptr<const TableDef> parent = ctx.catalog()->table(table.partition_of);
  const auto bad = [](std::string message) { return Status{sqlstate::invalid_table_definition, std::move(message)}; };
  if (column) {
    if (parent != nullptr && parent->find_column(name) >= 0) return bad("cannot rename inherited column " + quoted(name));
    if (only && !table.partitions.empty()) return bad("inherited column " + quoted(name) + " must be renamed in child tables too");
    return {};
  }
  const auto has = [&](const TableDef& of) {
    return std::any_of(of.checks.begin(), of.checks.end(), [&](const CheckDef& check) { return check.name == name && !check.no_inherit; });
  };
  if (!has(table)) return {};
  if (parent != nullptr && has(*parent)) return bad("cannot rename inherited constraint " + quoted(name));
  if (only && !table.partitions.empty()) return bad("inherited constraint " + quoted(name) + " must be renamed in child tables too");
  return {};
}

Status rename_constraint(DdlContext& ctx, const TableDef& old, std::string_view from, const std::string& to) {
  auto table = std::make_shared<TableDef>(old);
  bool found = false;
  const auto taken = [&] {
    return std::any_of(old.checks.begin(), old.checks.end(), [&](const CheckDef& c) { return c.name == to; }) ||
           std::any_of(old.foreign_keys.begin(), old.foreign_keys.end(), [&](const ForeignKeyDef& k) { return k.name == to; }) ||
           std::any_of(old.indexes.begin(), old.indexes.end(), [&](const IndexDef& i) { return i.constraint != 0 && i.name == to; });
  };
  if (taken()) return Status{sqlstate::duplicate_object, "constraint " + quoted(to) + " for relation " + quoted(old.name) + " already exists"};
  for (CheckDef& check : table->checks)
    if (check.name == from) check.name = to, found = true;
  for (ForeignKeyDef& key : table->foreign_keys)
    if (key.name == from) key.name = to, found = true;
  for (IndexDef& index : table->indexes)
    if (index.constraint != 0 && index.name == from) {
      if (ctx.relation_exists(old.schema, to)) return Status{sqlstate::duplicate_table, "relation " + quoted(to) + " already exists"};
      index.name = to;
      found = true;
    }
  if (!found) return Status{sqlstate::undefined_object, "constraint " + quoted(from) + " for table " + quoted(old.name) + " does not exist"};
  Changes changes;
  const bool is_check = std::any_of(old.checks.begin(), old.checks.end(), [&](const CheckDef& check) { return check.name == from; });
  for (const std::shared_ptr<const TableDef>& before : all_partitions(*ctx.catalog(), old)) {
    if (!is_check) break;
    auto partition = std::make_shared<TableDef>(*before);
    for (CheckDef& check : partition->checks)
      if (check.name == from) check.name = to;
    changes.put(std::move(partition));
  }
  changes.put(std::move(table));
  return ctx.apply(changes);
}

Status rename_view_column(DdlContext& ctx, const ObjectDef& old, std::string_view from, const std::string& to) {
  std::optional<ViewDefinition> definition = ViewDefinition::decode(old.definition);
  if (!definition) return Status{sqlstate::data_corrupted, "definition of view " + quoted(old.name) + " cannot be read"};
  bool found = false;
  for (const ViewDefinition::Column& column : definition->columns)
    if (column.name == to) return Status{sqlstate::duplicate_column, "column " + quoted(to) + " of relation " + quoted(old.name) + " already exists"};
  for (ViewDefinition::Column& column : definition->columns)
    if (column.name == from) column.name = to, found = true;
  if (!found) return Status{sqlstate::undefined_column, "column " + quoted(from) + " does not exist"};
  auto view = std::make_shared<ObjectDef>(old);
  view->definition = definition->encode();
  Changes changes;
  changes.put(std::move(view));
  return ctx.apply(changes);
}

bool is_routine(PgQuery__ObjectType type) {
  return type == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION || type == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ||
         type == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE;
}
std::string_view routine_word(PgQuery__ObjectType type) {
  return type == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ? "procedure" : type == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE ? "routine" : "function";
}

// A function under another name, or in another schema.
Task<Status> move_routine(DdlContext& ctx, const PgQuery__ObjectWithArgs& with_args, std::string_view word, const std::string* new_name, Oid new_schema) {
  Result<std::shared_ptr<const ObjectDef>> found = find_routine(ctx, with_args, word);
  if (!found.ok()) co_return found.take_status();
  WANDIAN_CO_TRY(ctx.must_own_function(found.value()->oid));
  WANDIAN_CO_TRY(ctx.may_create_in(new_schema != 0 ? new_schema : found.value()->parent));
  auto changed = std::make_shared<ObjectDef>(*found.value());
  std::optional<FunctionObject> function = FunctionObject::decode(changed->definition);
  if (!function) co_return Status{sqlstate::data_corrupted, "the function's definition cannot be read"};
  if (new_name != nullptr) function->name = *new_name;
  if (new_schema != 0) changed->parent = new_schema;
  changed->name = function->object_name();
  changed->definition = function->encode();
  if (changed->name == found.value()->name && changed->parent == found.value()->parent) co_return Status{};
  WANDIAN_CO_TRY(co_await ctx.lock_name(changed->parent, changed->name));
  if (ctx.catalog()->find_object(ObjectKind::kFunction, changed->parent, changed->name) != nullptr) {
    std::string shown = function->name + "(";
    for (std::size_t i = 0; i < function->arguments.size(); ++i)
      shown += (i != 0 ? ", " : "") + ctx.session.object_name(ObjectClass::kType, function->arguments[i]).value_or("?");
    co_return Status{sqlstate::duplicate_function, std::string(function->is_procedure ? "procedure " : "function ") + shown + ") already exists in schema " +
                                                       quoted(ctx.schema_name(changed->parent))};
  }
  Changes changes;
  changes.put(std::move(changed));
  co_return ctx.apply(changes);
}

const char* article_of(PgQuery__ObjectType type) {
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: return "an index";
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return "a sequence";
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return "a view";
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: return "a materialized view";
    default: return "a table";
  }
}

// ALTER TABLE reaches every relation; ALTER INDEX, SEQUENCE and VIEW their own kind alone.
bool kind_fits(DdlContext& ctx, PgQuery__ObjectType type, const FoundRelation& found) {
  const FoundRelation::Kind kind = found.kind;
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: return kind == FoundRelation::Kind::kTable && ctx.catalog()->table(found.oid)->is_materialized_view();
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: return kind == FoundRelation::Kind::kIndex;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return kind == FoundRelation::Kind::kSequence;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return kind == FoundRelation::Kind::kView;
    default: return kind != FoundRelation::Kind::kSystem;
  }
}

Status rename_relation(DdlContext& ctx, const FoundRelation& found, const std::string& from, const std::string& to) {
  if (found.kind == FoundRelation::Kind::kTable || found.kind == FoundRelation::Kind::kView) WANDIAN_TRY(refuse_type_name(ctx, found.schema, to));
  if (ctx.relation_exists(found.schema, to)) return Status{sqlstate::duplicate_table, "relation " + quoted(to) + " already exists"};
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  Changes changes;
  switch (found.kind) {
    case FoundRelation::Kind::kTable: {
      auto table = std::make_shared<TableDef>(*catalog->table(found.oid));
      table->name = to;
      changes.put(std::move(table));
      break;
    }
    case FoundRelation::Kind::kIndex: {
      auto table = std::make_shared<TableDef>(*catalog->table(found.table));
      for (IndexDef& index : table->indexes)
        if (index.oid == found.oid) index.name = to;
      changes.put(std::move(table));
      break;
    }
    case FoundRelation::Kind::kSequence: {
      auto sequence = std::make_shared<SequenceDef>(*catalog->sequence(found.oid));
      sequence->name = to;
      changes.put(std::move(sequence));
      break;
    }
    case FoundRelation::Kind::kView: {
      auto view = std::make_shared<ObjectDef>(*catalog->object(ObjectKind::kView, found.oid));
      view->name = to;
      changes.put(std::move(view));
      break;
    }
    case FoundRelation::Kind::kSystem: return Status{sqlstate::insufficient_privilege, "permission denied: " + quoted(from) + " is a system catalog"};
  }
  return ctx.apply(changes);
}

}  // namespace

Task<Status> rename_object(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  const std::string to = truncate_identifier(text_or_empty(node.newname));
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
    Result<Oid> schema = ctx.find_schema(text_or_empty(node.subname), false);
    if (!schema.ok()) co_return schema.take_status();
    WANDIAN_CO_TRY(ctx.must_own(*securable_schema(*ctx.catalog(), schema.value())));
    WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kDatabase, ctx.session.database(), privilege::kCreate));
    if (schema.value() == kPgCatalogSchema || schema.value() == kInformationSchema)
      co_return Status{sqlstate::insufficient_privilege, "permission denied to rename a system schema"};
    if (to.starts_with("pg_"))
      co_return Status{sqlstate::reserved_name, "unacceptable schema name " + quoted(to)}.with_detail("The prefix \"pg_\" is reserved for system schemas.");
    if (ctx.catalog()->find_schema(ctx.session.database(), to)) co_return Status{sqlstate::duplicate_schema, "schema " + quoted(to) + " already exists"};
    auto renamed = std::make_shared<SchemaDef>(*ctx.catalog()->schema(schema.value()));
    renamed->name = to;
    Changes changes;
    changes.put(std::move(renamed));
    co_return ctx.apply(changes);
  }
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER) co_return co_await rename_trigger(ctx);
  if (is_routine(node.rename_type))
    co_return co_await move_routine(ctx, *node.object->object_with_args, routine_word(node.rename_type), &to, 0);
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_ROLE) {
    co_return rename_role(ctx, text_or_empty(node.subname), to);
  }
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE) co_return co_await rename_database(ctx, std::string(text_or_empty(node.subname)), to);
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION) co_return co_await rename_collation(ctx);
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE || node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN) co_return co_await rename_type(ctx);
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE) co_return co_await rename_attribute(ctx);
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT) co_return co_await rename_domain_constraint(ctx);
  const bool part = node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN || node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT;
  if (node.relation == nullptr) co_return feature_not_supported("renaming this kind of object is not supported");
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  const std::string name(text_or_empty(node.relation->relname));
  if (!found) {
    if (!node.missing_ok) co_return undefined_relation(text_or_empty(node.relation->schemaname), name);
    ctx.notice(sqlstate::successful_completion, "relation " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  const PgQuery__ObjectType wanted = part ? node.relation_type : node.rename_type;
  WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
  if (!kind_fits(ctx, wanted, *found)) co_return wrong_object_type(name, article_of(wanted));
  std::shared_ptr<const TableDef> table;
  if (found->kind == FoundRelation::Kind::kTable || found->kind == FoundRelation::Kind::kIndex) {
    Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(found->table, TableLock::kAccessExclusive);
    if (!locked.ok()) co_return locked.take_status();
    table = locked.take();
  }
  if (found->kind == FoundRelation::Kind::kView) WANDIAN_CO_TRY(co_await ctx.lock_view(found->oid, TableLock::kAccessExclusive));
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN) {
    if (found->kind == FoundRelation::Kind::kView)
      co_return rename_view_column(ctx, *ctx.catalog()->object(ObjectKind::kView, found->oid), text_or_empty(node.subname), to);
    if (found->kind != FoundRelation::Kind::kTable)
      co_return Status{sqlstate::wrong_object_type, "cannot rename columns of relation " + quoted(name)};
    WANDIAN_CO_TRY(refuse_inherited(ctx, *table, text_or_empty(node.subname), true, node.relation->inh == 0));
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, table, TableLock::kAccessExclusive);
    if (!below.ok()) co_return below.take_status();
    for (const std::shared_ptr<const TableDef>& partition : below.value()) WANDIAN_CO_TRY(ctx.must_own_relation(partition->oid));
    co_return rename_table_column(ctx, *table, text_or_empty(node.subname), to);
  }
  if (node.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT) {
    if (found->kind != FoundRelation::Kind::kTable) co_return wrong_object_type(name, "a table");
    WANDIAN_CO_TRY(refuse_inherited(ctx, *table, text_or_empty(node.subname), false, node.relation->inh == 0));
    Result<std::vector<std::shared_ptr<const TableDef>>> below = co_await lock_partitions(ctx, table, TableLock::kAccessExclusive);
    if (!below.ok()) co_return below.take_status();
    co_return rename_constraint(ctx, *table, text_or_empty(node.subname), to);
  }
  WANDIAN_CO_TRY(ctx.may_create_in(found->schema));
  WANDIAN_CO_TRY(co_await ctx.lock_name(found->schema, to));
  co_return rename_relation(ctx, *found, name, to);
}

Task<Status> alter_schema_of(DdlContext& ctx) {
  const PgQuery__AlterObjectSchemaStmt& node = *ctx.statement.node->alter_object_schema_stmt;
  if (is_routine(node.object_type)) {
    Result<Oid> schema = ctx.find_schema(text_or_empty(node.newschema));
    if (!schema.ok()) co_return schema.take_status();
    co_return co_await move_routine(ctx, *node.object->object_with_args, routine_word(node.object_type), nullptr, schema.value());
  }
  if (node.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION) co_return co_await alter_collation_schema(ctx);
  if (node.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE || node.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN) co_return co_await alter_type_schema(ctx);
  if (node.relation == nullptr) co_return feature_not_supported("ALTER ... SET SCHEMA is not supported for this kind of object");
  const std::string name(text_or_empty(node.relation->relname));
  const std::optional<FoundRelation> found = ctx.find(*node.relation);
  if (!found) {
    if (!node.missing_ok) co_return undefined_relation(text_or_empty(node.relation->schemaname), name);
    ctx.notice(sqlstate::successful_completion, "relation " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
  if (!kind_fits(ctx, node.object_type, *found)) co_return wrong_object_type(name, article_of(node.object_type));
  Result<Oid> schema = ctx.find_schema(text_or_empty(node.newschema));
  if (!schema.ok()) co_return schema.take_status();
  WANDIAN_CO_TRY(ctx.may_create_in(schema.value()));
  if (schema.value() == kPgCatalogSchema || schema.value() == kInformationSchema)
    co_return feature_not_supported("cannot move objects into a system schema");
  if (schema.value() == found->schema) co_return Status{};
  if (found->kind == FoundRelation::Kind::kView) WANDIAN_CO_TRY(co_await ctx.lock_view(found->oid, TableLock::kAccessExclusive));
  std::shared_ptr<const TableDef> table;
  if (found->kind == FoundRelation::Kind::kTable) {
    Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(found->oid, TableLock::kAccessExclusive);
    if (!locked.ok()) co_return locked.take_status();
    table = locked.take();
    if (table->temporary) co_return feature_not_supported("cannot move objects into or out of temporary schemas");
  }
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), name));
  if (ctx.relation_exists(schema.value(), name))
    co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists in schema " + quoted(text_or_empty(node.newschema))};
  Changes changes;
  if (table != nullptr) {
    auto moved = std::make_shared<TableDef>(*table);
    moved->schema = schema.value();
    changes.put(std::move(moved));
    for (const auto& [oid, sequence] : ctx.catalog()->sequences()) {
      if (sequence->owned_by_table != table->oid) continue;
      auto with_it = std::make_shared<SequenceDef>(*sequence);
      with_it->schema = schema.value();
      changes.put(std::move(with_it));
    }
  } else if (found->kind == FoundRelation::Kind::kSequence) {
    auto moved = std::make_shared<SequenceDef>(*ctx.catalog()->sequence(found->oid));
    if (moved->owned_by_table != 0)
      co_return Status{sqlstate::feature_not_supported, "cannot move an owned sequence into another schema"};
    moved->schema = schema.value();
    changes.put(std::move(moved));
  } else if (found->kind == FoundRelation::Kind::kView) {
    auto moved = std::make_shared<ObjectDef>(*ctx.catalog()->object(ObjectKind::kView, found->oid));
    moved->parent = schema.value();
    changes.put(std::move(moved));
  } else {
    co_return wrong_object_type(name, "a table");
  }
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
