// FROM: tables, views, sub-selects, functions, VALUES, common tables and joins.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/catalog_objects.h"
#include "sql/functions/sample.h"
#include "sql/messages.h"
#include "sql/routine/routine.h"
#include "sql/routine/trigger.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr int kMaxViewDepth = 64;

std::string_view alias_name(const PgQuery__Alias* alias) {
  return alias != nullptr && alias->aliasname != nullptr ? std::string_view(alias->aliasname) : std::string_view{};
}

// The stored form gives every range and its columns names, and says by a mark before each whether somebody wrote it.
bool is_written(std::string_view stored) { return stored.starts_with(kWrittenName); }
std::string_view unmarked(std::string_view stored) { return stored.empty() ? stored : stored.substr(1); }

bool unnests_several(const ParseNode* node) {
  return node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL && node->func_call->n_args > 1 && node->func_call->n_funcname == 1 &&
         string_value(node->func_call->funcname[0]) == "unnest";
}

bool is_security_invoker(const ViewDefinition& view) {
  for (const auto& [option, value] : view.options)
    if (option == "security_invoker") return value == "true" || value == "on" || value == "yes" || value == "1";
  return false;
}

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view{} : std::string_view(text); }

}  // namespace

int Binder::add_range(Scope& scope, RangeEntry* entry) {
  if (scope.ranges.size() >= 65000) fail(Status{sqlstate::statement_too_complex, "too many range table entries"});
  scope.ranges.push_back(entry);
  return static_cast<int>(scope.ranges.size()) - 1;
}

std::span<const RangeColumn> Binder::rename_columns(std::span<const RangeColumn> columns, const PgQuery__Alias* alias, std::string_view table) {
  if (alias == nullptr || alias->n_colnames == 0) return columns;
  std::vector<RangeColumn> out(columns.begin(), columns.end());
  std::size_t next = 0;
  for (std::size_t i = 0; i < alias->n_colnames; ++i) {
    // The stored form has a name for each column, those that were dropped included.
    while (next < out.size() && out[next].hidden && !context_.stored) ++next;
    if (next == out.size()) {
      const auto visible = std::count_if(columns.begin(), columns.end(), [](const RangeColumn& c) { return !c.hidden; });
      fail(Status{sqlstate::invalid_column_reference, "table " + quoted(table) + " has " + std::to_string(visible) +
                                                          " columns available but " + std::to_string(alias->n_colnames) +
                                                          " columns specified"});
    }
    const std::string_view column = string_value(alias->colnames[i]);
    out[next++].name = arena_.copy(context_.stored ? unmarked(column) : column);
  }
  // A column that came later must not be taken for one of those.
  for (std::size_t i = next; context_.stored && i < out.size(); ++i)
    if (std::any_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(next), [&](const RangeColumn& named) { return named.name == out[i].name; }))
      out[i].name = {};
  return keep(out);
}

void Binder::apply_alias(RangeEntry* entry, const PgQuery__Alias* alias) {
  entry->own_columns = entry->columns;
  entry->columns = rename_columns(entry->columns, alias, entry->alias);
  if (alias == nullptr) return;
  entry->aliased = !context_.stored || is_written(alias_name(alias));
  for (std::size_t i = 0; i < alias->n_colnames; ++i)
    if (!context_.stored || is_written(string_value(alias->colnames[i]))) ++entry->alias_columns;
}

// What its own words say, which are none of this statement's.
const Query* Binder::bind_inner_query(const ParseNode* node, const BindContext& context, Oid check_as) {
  Binder binder(context, {}, arena_, {});
  binder.variables_ = nullptr;
  binder.view_depth_ = view_depth_;
  binder.stack_base_ = stack_base_;
  binder.check_as_ = check_as;
  binder.stored_text_ = true;
  binder.accesses_ = std::move(accesses_);
  binder.executed_ = std::move(executed_);
  const Query* query = binder.bind_query_node(node, nullptr);
  accesses_ = std::move(binder.accesses_);
  executed_ = std::move(binder.executed_);
  for (auto& table : binder.tables_) depend_on(std::move(table));
  for (auto& object : binder.objects_) depend_on(std::move(object));
  for (auto& sequence : binder.sequences_) sequences_.push_back(std::move(sequence));
  for (auto& function : binder.functions_) functions_.push_back(std::move(function));
  cacheable = cacheable && binder.cacheable;
  uses_temporary_ = uses_temporary_ || binder.uses_temporary_;
  asks_shards_ = asks_shards_ || binder.asks_shards_;
  return query;
}

// There are no policies yet, and what they would hide must not be shown.
Status check_row_security(const Catalog& catalog, const TableDef& table, Oid role) {
  if (!table.row_security || role == 0 || (role == table.owner && !table.forced_row_security)) return {};
  const auto object = catalog.object(ObjectKind::kRole, role);
  const auto properties = object != nullptr ? RoleProperties::decode(object->definition) : std::nullopt;
  if (properties && (properties->superuser || properties->bypass_rls)) return {};
  return Status{sqlstate::feature_not_supported, "row-level security of table " + quoted(table.name) + " for other roles than its owner is not supported"};
}

RangeEntry* Binder::make_table_entry(std::shared_ptr<const TableDef> table, std::string_view alias) {
  if (Status status = check_row_security(catalog(), *table, context_.role); !status.ok()) fail(std::move(status));
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kTable;
  entry->table = table.get();
  entry->name = table->name;   // the definition outlives the statement
  entry->alias = alias.empty() ? std::string_view(table->name) : alias;
  std::vector<RangeColumn> columns;
  columns.reserve(table->columns.size());
  for (const ColumnDef& column : table->columns) columns.push_back({column.name, column.type, column.typmod, column.dropped, column_collation(column.type, column.collation)});
  entry->columns = keep(columns);
  depend_on_partitions(*table);
  // What refers to a table above, and its key, matter to a partition as well.
  for (std::shared_ptr<const TableDef> above = catalog().table(table->partition_of); above != nullptr;) {
    const Oid next = above->partition_of;
    depend_on(std::move(above));
    above = catalog().table(next);
  }
  depend_on(std::move(table));
  return entry;
}

void Binder::depend_on_partitions(const TableDef& table) {
  for (const Oid oid : table.partitions) {
    std::shared_ptr<const TableDef> partition = catalog().table(oid);
    if (partition == nullptr) continue;
    depend_on_partitions(*partition);
    depend_on(std::move(partition));
  }
}

RangeEntry* Binder::make_system_entry(const SystemRelation& relation, std::string_view alias) {
  if (!relation.view_definition.empty()) {
    ++view_depth_;
    Result<ParsedStatements> parsed = ParsedStatements::parse(relation.view_definition);
    if (!parsed.ok()) fail(parsed.take_status());
    BindContext inner = context_;
    inner.stored = inner.as_written = inner.keep_calls = false;
    const Query* query = bind_inner_query(parsed->statements()[0].node, inner, relation.kind == 'v' ? kBootstrapRole : check_as_);
    --view_depth_;
    RangeEntry* entry = make_subquery_entry(query, nullptr, relation.name);
    entry->view = relation.oid;
    if (!alias.empty()) entry->alias = alias;
    // The definition says the names; the query the types.
    std::vector<RangeColumn> columns(entry->columns.begin(), entry->columns.end());
    for (std::size_t i = 0; i < columns.size() && i < relation.columns.size(); ++i) columns[i].name = relation.columns[i].name;
    entry->columns = keep(columns);
    entry->name = relation.name;
    return entry;
  }
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kSystem;
  asks_shards_ = asks_shards_ || relation.name == "pg_locks" || relation.name == "pg_stat_activity";
  entry->system = &relation;
  entry->name = relation.name;
  entry->alias = alias.empty() ? std::string_view(relation.name) : alias;
  std::vector<RangeColumn> columns;
  for (const SystemColumn& column : relation.columns) columns.push_back({column.name, column.type, -1, false});
  entry->columns = keep(columns);
  return entry;
}

RangeEntry* Binder::make_subquery_entry(const Query* query, const PgQuery__Alias* alias, std::string_view fallback) {
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kSubquery;
  entry->query = query;
  entry->alias = alias == nullptr ? fallback : arena_.copy(context_.stored ? unmarked(alias_name(alias)) : alias_name(alias));
  std::vector<RangeColumn> columns;
  for (const TargetEntry& target : query->targets) {
    if (!target.junk) columns.push_back({target.name, target.expr->type, target.expr->typmod, false, target.expr->collation});
  }
  entry->columns = keep(columns);
  apply_alias(entry, alias);
  return entry;
}

RangeEntry* Binder::bind_view(const ObjectDef& view, std::string_view alias) {
  const std::optional<ViewDefinition> definition = ViewDefinition::decode(view.definition);
  if (!definition) fail(Status{sqlstate::data_corrupted, "definition of view " + quoted(view.name) + " cannot be read"});
  if (++view_depth_ > kMaxViewDepth) {
    fail(Status{sqlstate::invalid_object_definition, "infinite recursion detected in rules for relation " + quoted(view.name)});
  }
  Result<ParsedStatements> parsed = ParsedStatements::parse(definition->query);
  if (!parsed.ok()) fail(parsed.take_status());
  if (parsed->statements().size() != 1) fail(Status{sqlstate::data_corrupted, "definition of view " + quoted(view.name) + " cannot be read"});
  const BindContext inner = stored_context(context_);
  // What is behind a view is its owner's business, unless the view says that it is that of who asks.
  const Query* query = bind_inner_query(parsed->statements()[0].node, inner, is_security_invoker(*definition) ? 0 : view.owner);
  --view_depth_;
  RangeEntry* entry = make_subquery_entry(query, nullptr, {});
  entry->view = view.oid;
  for (const auto& [option, value] : definition->options)
    if (option == "check_option") entry->check_option = value == "local" ? 'l' : 'c';
  entry->name = arena_.copy(view.name);
  entry->alias = alias.empty() ? entry->name : alias;
  std::vector<RangeColumn> columns(entry->columns.begin(), entry->columns.end());
  for (std::size_t i = 0; i < columns.size() && i < definition->columns.size(); ++i) {
    columns[i].name = arena_.copy(definition->columns[i].name);
  }
  entry->columns = keep(columns);
  return entry;
}

CommonTable* Binder::find_cte(Scope& scope, std::string_view table, int* levels_up, bool* self_reference) {
  *levels_up = 0;
  *self_reference = false;
  for (Scope* level = &scope; level != nullptr; level = level->parent, ++*levels_up) {
    if (level->recursive != nullptr && level->recursive->name == table) {
      // Inside its own query, which is one level below the WITH that names it.
      *self_reference = true;
      ++*levels_up;
      return level->recursive;
    }
    for (CommonTable* cte : level->ctes) {
      if (cte->name == table) return cte;
    }
  }
  return nullptr;
}

// A name of REFERENCING, in a statement of the trigger's function; null: it is none.
RangeEntry* Binder::bind_transition(std::string_view name, std::string_view alias) {
  const TransitionTables* transitions = context_.transitions;
  if (transitions == nullptr || (name != transitions->old_name && name != transitions->new_name)) return nullptr;
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kTransition;
  entry->new_rows = name == transitions->new_name;
  entry->name = arena_.copy(name);
  entry->alias = alias.empty() ? entry->name : alias;
  std::vector<RangeColumn> columns;
  for (const ColumnDef& column : transitions->table->columns) columns.push_back({arena_.copy(column.name), column.type, column.typmod, column.dropped});
  entry->columns = keep(columns);
  // Its columns are the table's, whose definition may have been made anew since the statement that fired the trigger began.
  if (auto table = catalog().table(transitions->table->oid); table != nullptr) depend_on(std::move(table));
  cacheable = false;
  return entry;
}

RangeEntry* Binder::bind_range_var(Scope& scope, const PgQuery__RangeVar& range) {
  const std::string_view schema = text_of(range.schemaname);
  const std::string_view table = text_of(range.relname);
  std::string_view alias = range.alias != nullptr ? arena_.copy(alias_name(range.alias)) : std::string_view{};
  // Who wrote no alias sees the relation under the name that it has now.
  if (context_.stored) alias = is_written(alias) ? unmarked(alias) : std::string_view{};
  RangeEntry* entry = nullptr;
  if (schema.empty()) {
    int levels_up = 0;
    bool self = false;
    if (CommonTable* cte = find_cte(scope, table, &levels_up, &self)) {
      if (!self && cte->query->command != Command::kSelect && cte->query->returning.empty()) {
        fail(at(Status{sqlstate::feature_not_supported, "WITH query " + quoted(cte->name) + " does not have a RETURNING clause"},
                range.location));
      }
      ++cte->references;
      entry = make<RangeEntry>();
      entry->kind = RangeKind::kCte;
      entry->cte = cte;
      entry->cte_levels_up = static_cast<std::uint16_t>(levels_up);
      entry->self_reference = self;
      entry->name = cte->name;
      entry->alias = alias.empty() ? cte->name : alias;
      entry->columns = cte->columns;
      apply_alias(entry, range.alias);
      return entry;
    }
    if (RangeEntry* transition = bind_transition(table, alias); transition != nullptr) {
      apply_alias(transition, range.alias);
      return transition;
    }
  }
  if (range.catalogname != nullptr && *range.catalogname != '\0') {
    const auto database = catalog().object(ObjectKind::kDatabase, context_.database);
    if (database != nullptr && database->name != range.catalogname) {
      fail(at(Status{sqlstate::feature_not_supported, "cross-database references are not implemented: " +
                                                          quoted(std::string(range.catalogname) + "." + std::string(schema) + "." + std::string(table))},
              range.location));
    }
  }
  check_schema(schema, range.location);
  std::optional<FoundRelation> found = context_.stored && schema == "pg_catalog" ? find_stored_relation(context_, table) : std::nullopt;
  if (!found) found = find_relation(context_, schema, table);
  if (!found) {
    for (Scope* level = &scope; level != nullptr && schema.empty(); level = level->parent) {
      for (const std::string_view later : level->future_ctes) {
        if (later != table) continue;
        fail(at(Status{sqlstate::undefined_table, "relation " + quoted(table) + " does not exist"}
                    .with_detail("There is a WITH item named " + quoted(table) + ", but it cannot be referenced from this part of the query.")
                    .with_hint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references."),
                range.location));
      }
    }
    fail(at(undefined_relation(schema, table), range.location));
  }
  const std::uint32_t itself = note_access(found->oid, privilege::kSelect);   // a view's right is asked for before those behind it
  switch (found->kind) {
    case FoundRelation::Kind::kTable:
      entry = make_table_entry(catalog().table(found->oid), alias);
      entry->only = range.inh == 0;
      break;
    case FoundRelation::Kind::kView: {
      auto view = catalog().object(ObjectKind::kView, found->oid);
      entry = bind_view(*view, alias);
      depend_on(std::move(view));
      break;
    }
    case FoundRelation::Kind::kSystem: entry = make_system_entry(*found->system, alias); break;
    case FoundRelation::Kind::kIndex:
      fail(at(Status{sqlstate::wrong_object_type, "cannot open relation " + quoted(table)}.with_detail(
                  "This operation is not supported for indexes."),
              range.location));
    case FoundRelation::Kind::kSequence: {
      // The one row of a sequence: of the relation that has a row for each of them.
      auto* query = make<Query>();
      RangeEntry* inner = make_system_entry(sequence_states(), {});
      query->ranges = keep(std::vector<const RangeEntry*>{inner});
      auto* node = make<JoinNode>();
      query->from = keep(std::vector<const JoinNode*>{node});
      std::vector<TargetEntry> targets;
      for (std::size_t i = 0; i < inner->columns.size(); ++i) {
        const Expr* column = column_expr(*inner, 0, static_cast<int>(i), 0, -1);
        if (inner->columns[i].name == "oid") {
          query->where = make_operator("=", column, make_constant(arena_, kOid, -1, Value::of_int(found->oid)), -1);
        } else {
          targets.push_back({column, inner->columns[i].name, false, 0, 0});
        }
      }
      query->targets = keep(targets);
      note_sequence(found->oid);
      entry = make_subquery_entry(query, nullptr, arena_.copy(table));
      entry->view = found->oid;
      entry->name = arena_.copy(catalog().sequence(found->oid)->name);
      entry->alias = alias.empty() ? entry->name : alias;
      break;
    }
  }
  apply_alias(entry, range.alias);
  entry->access = itself;
  return entry;
}

// t TABLESAMPLE method (percent) [REPEATABLE (seed)]: as a sub-select of the rows that are drawn.
RangeEntry* Binder::bind_sample(Scope& scope, const PgQuery__RangeTableSample& sample) {
  const PgQuery__RangeVar& relation = *sample.relation->range_var;
  RangeEntry* table = bind_range_var(scope, relation);
  if (table->kind != RangeKind::kTable) {
    fail(at(Status{sqlstate::feature_not_supported, "TABLESAMPLE clause can only be applied to tables and materialized views"}, relation.location));
  }
  const std::string method(string_value(sample.method[sample.n_method - 1]));
  if (method != "bernoulli" && method != "system") {
    fail(at(Status{sqlstate::undefined_object, "tablesample method " + method + " does not exist"}, sample.location));
  }
  if (sample.n_args != 1) {
    fail(at(Status{sqlstate::invalid_tablesample_argument,
                   "tablesample method " + method + " requires 1 argument, not " + std::to_string(sample.n_args)},
            sample.location));
  }
  bool correlated = false;
  const auto argument = [&](const ParseNode* node, Oid type) {
    // The table is there, but what it samples by cannot be its own.
    scope.ranges.push_back(table);
    const Expr* value = bind_in_place(scope, node, Place::kFrom);
    scope.ranges.pop_back();
    const Expr* out = coerce(value, type, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
    if (out == nullptr) {
      fail(at(Status{sqlstate::datatype_mismatch, "TABLESAMPLE argument must be type " + type_text(type) + ", not type " + type_text(value->type)},
              value->location));
    }
    correlated = correlated || contains_columns(out) ||
                 any_node(out, [](const Expr* part) { return part->kind == ExprKind::kSubLink && part->as<SubLinkExpr>().query->correlated; });
    return out;
  };
  // In the sub-select that draws the rows an outer query is one level further out.
  const auto inside = [&](const Expr* value) { return raise(value, 1); };
  if (context_.as_written) {
    table->sample_method = arena_.copy(method);
    table->sample_argument = argument(sample.args[0], kFloat4);
    if (sample.repeatable != nullptr) table->sample_seed = argument(sample.repeatable, kFloat8);
    return table;
  }
  auto* query = make<Query>();
  query->ranges = keep(std::vector<const RangeEntry*>{table});
  query->from = keep(std::vector<const JoinNode*>{make<JoinNode>()});
  std::vector<const Expr*> args{inside(argument(sample.args[0], kFloat4))};
  if (sample.repeatable != nullptr) {
    // The same rows are drawn as long as they are the same.
    auto* row = make<RowExpr>();
    std::vector<const Expr*> fields;
    for (std::size_t i = 0; i < table->columns.size(); ++i)
      if (!table->columns[i].hidden) fields.push_back(column_expr(*table, 0, static_cast<int>(i), 0, -1));
    row->args = keep(fields);
    row->type = kRecord;
    args.push_back(inside(argument(sample.repeatable, kFloat8)));
    args.push_back(row);
  }
  query->correlated = correlated;
  query->where = make_call(sample_function(sample.repeatable != nullptr), keep(args), kBool, CallForm::kCall, -1);
  std::vector<TargetEntry> targets;
  for (std::size_t i = 0; i < table->columns.size(); ++i) {
    if (table->columns[i].hidden) continue;
    TargetEntry target;
    target.expr = column_expr(*table, 0, static_cast<int>(i), 0, -1);
    target.name = table->columns[i].name;
    target.origin_table = table->table->oid;
    target.origin_column = static_cast<std::int16_t>(i + 1);
    targets.push_back(target);
  }
  query->targets = keep(targets);
  RangeEntry* entry = make_subquery_entry(query, nullptr, table->alias);
  entry->name = table->name;
  return entry;
}

// Where a column definition list may stand at all.
void Binder::check_definitions(const PgQuery__RangeFunction& range, std::span<PgQuery__Node* const> definitions, std::size_t calls) {
  if (definitions.empty()) return;
  const int location = definitions[0]->column_def->location;
  const auto refuse = [&](const char* message, const char* hint) { fail(at(Status{sqlstate::syntax_error, message}.with_hint(hint), location)); };
  if (calls > 1 && range.is_rowsfrom != 0)
    refuse("ROWS FROM() with multiple functions cannot have a column definition list",
           "Put a separate column definition list for each function inside ROWS FROM().");
  if (calls > 1)
    refuse("UNNEST() with multiple arguments cannot have a column definition list",
           "Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.");
  if (range.ordinality != 0)
    refuse("WITH ORDINALITY cannot be used with a column definition list", "Put the column definition list inside ROWS FROM().");
}

// f(...) AS t(a int, ...): the call, of a function whose rows have these columns.
const Expr* Binder::with_definitions(Scope& scope, const Expr* call, std::span<PgQuery__Node* const> definitions) {
  const int location = definitions[0]->column_def->location;
  const auto refuse = [&](SqlState code, std::string message) { fail(at(Status{code, std::move(message)}, location)); };
  if (type_kind(base_type(call->type)) == 'c')
    refuse(sqlstate::syntax_error, "a column definition list is redundant for a function returning a named composite type");
  if (call->type != kRecord) refuse(sqlstate::syntax_error, "a column definition list is only allowed for functions returning \"record\"");
  if (!record_fields(scope, call).empty())
    refuse(sqlstate::syntax_error, "a column definition list is redundant for a function with OUT parameters");
  const FunctionDef* of = call->kind == ExprKind::kFunction ? call->as<FunctionExpr>().function : nullptr;
  if (of == nullptr || (of->collect_fn == nullptr && of->routine == nullptr))
    refuse(sqlstate::feature_not_supported, "a column definition list for this expression is not supported");
  const auto& source = call->as<FunctionExpr>();
  auto shaped = std::make_shared<FunctionDef>(*of);
  if (of->routine == nullptr && !of->returns_set) {
    shaped->returns_set = true;
    shaped->strict = false;   // one row of nulls instead of none
  }
  for (const PgQuery__Node* node : definitions) {
    const PgQuery__ColumnDef& definition = *node->column_def;
    const std::string_view name = arena_.copy(std::string_view(definition.colname));
    if (definition.type_name->setof != 0)
      fail(at(Status{sqlstate::invalid_table_definition, "column " + quoted(name) + " cannot be declared SETOF"}, definition.location));
    Result<ResolvedType> resolved = resolve_type(*definition.type_name, text_, &context_);
    if (!resolved.ok()) fail(resolved.take_status());
    if (std::find(shaped->out_names.begin(), shaped->out_names.end(), name) != shaped->out_names.end())
      fail(Status{sqlstate::duplicate_column, "column name " + quoted(name) + " specified more than once"});
    if (type_kind(resolved->type) == 'p' && resolved->type != kRecord && resolved->type != 2287)
      fail(Status{sqlstate::invalid_table_definition, "column " + quoted(name) + " has pseudo-type " + type_text(resolved->type)});
    note_type(resolved->type);
    shaped->out_names.push_back(name);
    shaped->out_types.push_back(resolved->type);
    shaped->out_typmods.push_back(resolved->typmod);
  }
  const FunctionDef* function = shaped.get();
  functions_.push_back(std::move(shaped));
  return make_call(function, source.args, kRecord, source.form, source.location);
}

RangeEntry* Binder::bind_range_function(Scope& scope, const PgQuery__RangeFunction& range) {
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kFunction;
  entry->lateral = range.lateral != 0;
  const std::string_view alias = arena_.copy(context_.stored ? unmarked(alias_name(range.alias)) : alias_name(range.alias));
  std::vector<RangeColumn> columns;
  std::vector<RangeFunction> functions;
  std::string_view first_name;
  std::size_t calls = 0;
  for (std::size_t i = 0; i < range.n_functions; ++i) calls += unnests_several(range.functions[i]->list->items[0]) ? 2 : 1;
  const std::span<PgQuery__Node* const> definitions(range.coldeflist, range.n_coldeflist);
  check_definitions(range, definitions, calls);
  const bool outer = std::exchange(scope.lateral_active, true);   // functions in FROM see what stands left of them
  const auto add = [&](const Expr* call, std::string_view name, std::span<PgQuery__Node* const> listed) {
    RangeFunction function;
    if (call->type == kUnknown) call = coerce(call, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (!listed.empty()) call = with_definitions(scope, call, listed);
    function.call = call;
    function.defined = !listed.empty();
    function.first_column = static_cast<std::uint16_t>(columns.size());
    const std::vector<NamedExpr> fields = record_fields(scope, call);
    if (fields.empty()) {
      if (call->type == kRecord) {
        fail(at(Status{sqlstate::syntax_error, "a column definition list is required for functions returning \"record\""}, call->location));
      }
      // A function of one column gives it the alias's name.
      std::string_view column = calls == 1 && !alias.empty() ? alias : name;
      // One OUT parameter says what its column is called.
      if (call->kind == ExprKind::kFunction && call->as<FunctionExpr>().function->routine != nullptr) {
        const Routine& routine = *call->as<FunctionExpr>().function->routine;
        if (routine.outputs.size() == 1 && !routine.declaration.parameters[routine.outputs[0]].name.empty())
          column = routine.declaration.parameters[routine.outputs[0]].name;
      }
      columns.push_back({column, call->type, call->typmod, false});
    } else {
      const std::size_t first = columns.size();
      for (const NamedExpr& field : fields) columns.push_back({field.name, field.expr->type, field.expr->typmod, false});
      if (call->kind == ExprKind::kFunction) {
        const std::vector<std::int32_t>& typmods = call->as<FunctionExpr>().function->out_typmods;
        for (std::size_t i = 0; i < typmods.size(); ++i) columns[first + i].typmod = typmods[i];
      }
    }
    function.column_count = static_cast<std::uint16_t>(columns.size() - function.first_column);
    functions.push_back(function);
    if (first_name.empty()) first_name = name;
  };
  for (std::size_t i = 0; i < range.n_functions; ++i) {
    const PgQuery__List& item = *range.functions[i]->list;
    const ParseNode* node = item.items[0];
    std::span<PgQuery__Node* const> listed = definitions;
    if (item.n_items > 1 && item.items[1] != nullptr && item.items[1]->node_case == PG_QUERY__NODE__NODE_LIST)
      listed = {item.items[1]->list->items, item.items[1]->list->n_items};
    // unnest(a, b, ...) stands for ROWS FROM (unnest(a), unnest(b), ...).
    if (unnests_several(node)) {
      for (std::size_t k = 0; k < node->func_call->n_args; ++k) {
        PgQuery__FuncCall single = *node->func_call;
        PgQuery__Node* argument = node->func_call->args[k];
        single.n_args = 1;
        single.args = &argument;
        const Place place = std::exchange(scope.place, Place::kFrom);
        add(bind_function_call(scope, single), "unnest", {});
        scope.place = place;
      }
      continue;
    }
    add(bind_in_place(scope, node, Place::kFrom), column_name_of(node), listed);
  }
  scope.lateral_active = outer;
  if (range.ordinality != 0) {
    columns.push_back({"ordinality", kInt8, -1, false});
    entry->ordinality = true;
  }
  // Functions see the tables to their left without LATERAL being written.
  for (const RangeFunction& function : functions) {
    for (const ColumnUse& use : collect_columns(function.call)) {
      (void)use;
      entry->lateral = true;
    }
  }
  entry->alias = alias.empty() ? arena_.copy(first_name) : alias;
  for (RangeColumn& column : columns) column.name = arena_.copy(column.name);
  entry->columns = keep(columns);
  apply_alias(entry, range.alias);
  entry->functions = keep(functions);
  return entry;
}

NsItem Binder::make_item(Scope& scope, int range) {
  NsItem item;
  const RangeEntry& entry = *scope.ranges[static_cast<std::size_t>(range)];
  item.alias = entry.alias;
  item.range = range;
  item.entry = &entry;
  if (entry.table != nullptr && entry.alias == entry.name) {
    item.schema = entry.table->schema;
    if (const auto schema = catalog().schema(entry.table->schema)) item.schema_name = arena_.copy(schema->name);
  }
  if (entry.system != nullptr) {
    item.schema = entry.system->schema;
    item.schema_name = entry.system->schema == kInformationSchema ? "information_schema" : "pg_catalog";
  }
  return item;
}

void Binder::check_duplicate_aliases(const std::vector<NsItem>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].relation_visible || items[i].alias.empty()) continue;
    for (std::size_t k = i + 1; k < items.size(); ++k) {
      if (!items[k].relation_visible || items[k].alias != items[i].alias) continue;
      // Two tables of one name in different schemas are told apart by the schema.
      if (items[i].schema != 0 && items[k].schema != 0 && items[i].schema != items[k].schema) continue;
      fail(Status{sqlstate::duplicate_alias, "table name " + quoted(items[i].alias) + " specified more than once"});
    }
  }
}

const JoinNode* Binder::bind_from_item(Scope& scope, const ParseNode* node, std::vector<NsItem>* items) {
  check_stack(-1);
  RangeEntry* entry = nullptr;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR: entry = bind_range_var(scope, *node->range_var); break;
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT: {
      const PgQuery__RangeSubselect& source = *node->range_subselect;
      if (source.alias == nullptr) {
        int location = -1;
        if (source.subquery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && source.subquery->select_stmt->n_values_lists > 0) {
          fail(Status{sqlstate::syntax_error, "VALUES in FROM must have an alias"}.with_hint("For example, FROM (VALUES ...) [AS] foo."));
        }
        fail(at(Status{sqlstate::syntax_error, "subquery in FROM must have an alias"}.with_hint("For example, FROM (SELECT ...) [AS] foo."),
                location));
      }
      const bool outer = std::exchange(scope.lateral_active, source.lateral != 0);
      const Place place = std::exchange(scope.place, Place::kFromQuery);
      const Query* query = bind_query_node(source.subquery, &scope);
      scope.place = place;
      scope.lateral_active = outer;
      entry = make_subquery_entry(query, source.alias, {});
      entry->lateral = source.lateral != 0;
      break;
    }
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION: entry = bind_range_function(scope, *node->range_function); break;
    case PG_QUERY__NODE__NODE_JOIN_EXPR: return bind_join(scope, *node->join_expr, items);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE: entry = bind_sample(scope, *node->range_table_sample); break;
    case PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC: fail(Status{sqlstate::feature_not_supported, "XMLTABLE is not supported"});
    default: fail(Status{sqlstate::feature_not_supported, "this kind of FROM item is not supported"});
  }
  const int range = add_range(scope, entry);
  items->push_back(make_item(scope, range));
  auto* out = make<JoinNode>();
  out->range = static_cast<std::uint16_t>(range);
  return out;
}

void Binder::add_items(Scope& scope, std::vector<NsItem> items) {
  for (NsItem& item : items) scope.items.push_back(std::move(item));
}

const JoinNode* Binder::bind_join(Scope& scope, const PgQuery__JoinExpr& join, std::vector<NsItem>* items) {
  auto* out = make<JoinNode>();
  out->is_join = true;
  switch (join.jointype) {
    case PG_QUERY__JOIN_TYPE__JOIN_LEFT: out->type = JoinType::kLeft; break;
    case PG_QUERY__JOIN_TYPE__JOIN_RIGHT: out->type = JoinType::kRight; break;
    case PG_QUERY__JOIN_TYPE__JOIN_FULL: out->type = JoinType::kFull; break;
    default: out->type = JoinType::kInner; break;
  }
  std::vector<NsItem> left, right;
  out->left = bind_from_item(scope, join.larg, &left);
  // The right side may look at the left one if it is LATERAL.
  const std::size_t mark = scope.items.size();
  const bool lateral_ok = out->type == JoinType::kInner || out->type == JoinType::kLeft;
  for (NsItem item : left) {
    item.lateral_only = true;
    item.lateral_ok = lateral_ok;
    scope.items.push_back(std::move(item));
  }
  out->right = bind_from_item(scope, join.rarg, &right);
  scope.items.resize(mark);

  const auto columns_of = [&](std::vector<NsItem>& side) {
    std::vector<NamedExpr> columns;
    for (const NsItem& item : side) {
      if (!item.columns_visible) continue;
      for (NamedExpr& column : expand_item(scope, item, 0, -1, false)) columns.push_back(column);
    }
    return columns;
  };

  std::vector<std::string_view> shared;
  std::vector<NamedExpr> left_columns, right_columns;
  if (join.is_natural != 0 || join.n_using_clause > 0) {
    left_columns = columns_of(left);
    right_columns = columns_of(right);
  }
  if (join.is_natural != 0) {
    for (const NamedExpr& column : left_columns) {
      if (std::any_of(right_columns.begin(), right_columns.end(), [&](const NamedExpr& other) { return other.name == column.name; }) &&
          std::find(shared.begin(), shared.end(), column.name) == shared.end()) {
        shared.push_back(column.name);
      }
    }
  } else {
    for (std::size_t i = 0; i < join.n_using_clause; ++i) {
      const std::string_view column = arena_.copy(string_value(join.using_clause[i]));
      if (std::find(shared.begin(), shared.end(), column) != shared.end()) {
        fail(Status{sqlstate::duplicate_column, "column name " + quoted(column) + " appears more than once in USING clause"});
      }
      shared.push_back(column);
    }
  }
  std::vector<NsItem> all;
  for (NsItem& item : left) all.push_back(item);
  for (NsItem& item : right) all.push_back(item);
  check_duplicate_aliases(all);

  std::vector<NamedExpr> merged;
  if (join.is_natural != 0 || join.n_using_clause > 0) {
    std::vector<const Expr*> conditions;
    const auto find_side = [&](std::vector<NamedExpr>& columns, std::string_view column, const char* side) {
      const Expr* found = nullptr;
      for (const NamedExpr& candidate : columns) {
        if (candidate.name != column) continue;
        if (found != nullptr) {
          fail(Status{sqlstate::ambiguous_column, "common column name " + quoted(column) + " appears more than once in " + side + " table"});
        }
        found = candidate.expr;
      }
      if (found == nullptr) {
        fail(Status{sqlstate::undefined_column, "column " + quoted(column) + " specified in USING clause does not exist in " + side + " table"});
      }
      return found;
    };
    for (const std::string_view column : shared) {
      const Expr* l = find_side(left_columns, column, "left");
      const Expr* r = find_side(right_columns, column, "right");
      note_read(scope, l);
      note_read(scope, r);
      const Expr* both[] = {l, r};
      common_type(both, "JOIN/USING");   // its error comes first
      conditions.push_back(to_boolean(make_operator("=", l, r, -1), "JOIN/USING"));
      const Oid type = common_type(both, "JOIN/USING");
      const std::int32_t typmod = common_typmod(both, type);
      const Expr* l_common = coerce_with_typmod(l, type, typmod, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      const Expr* r_common = coerce_with_typmod(r, type, typmod, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      if (l_common == nullptr || r_common == nullptr) {
        fail(Status{sqlstate::cannot_coerce, "JOIN/USING types " + type_text(l->type) + " and " + type_text(r->type) + " cannot be matched"});
      }
      const Expr* value = nullptr;
      if (out->type == JoinType::kFull) {
        auto* both_sides = make<ListExpr>(ExprKind::kCoalesce);
        both_sides->args = list({l_common, r_common});
        both_sides->type = type;
        both_sides->typmod = typmod;
        if (join.alias == nullptr) both_sides->merged = column;
        value = both_sides;
      } else if (out->type == JoinType::kRight) {
        value = r_common;
      } else {
        // A side that already has the common type is preferred, as no cast hides the column then.
        value = l->type == type || out->type == JoinType::kLeft ? l_common : r->type == type ? r_common : l_common;
      }
      if (context_.as_written && join.alias == nullptr && value != l && value != r && out->type != JoinType::kFull) {
        // Cast, it is a column of the join.
        auto* column_of_join = make<ListExpr>(ExprKind::kCoalesce);
        column_of_join->args = list({value});
        column_of_join->type = type;
        column_of_join->typmod = typmod;
        column_of_join->merged = column;
        value = column_of_join;
      }
      merged.push_back({column, value});
    }
    out->on = conditions.empty() ? nullptr : bool_list(BoolOp::kAnd, conditions);
    out->using_columns = keep(shared);
    if (join.join_using_alias != nullptr) out->using_alias = arena_.copy(alias_name(join.join_using_alias));
  } else if (join.quals != nullptr) {
    std::vector<NsItem> outside = std::move(scope.items);
    scope.items = all;
    // Inside ON, only the join's own tables are seen (and outer queries').
    const bool outer = std::exchange(scope.lateral_active, false);
    out->on = bind_condition(scope, join.quals, Place::kJoinOn, "JOIN/ON");
    scope.lateral_active = outer;
    scope.items = std::move(outside);
  }

  const bool has_alias = join.alias != nullptr;
  const bool merges = join.is_natural != 0 || join.n_using_clause > 0;
  if (!has_alias && !merges) {
    for (NsItem& item : all) items->push_back(std::move(item));
    return out;
  }
  NsItem item;
  item.relation_visible = has_alias;
  item.alias = has_alias ? arena_.copy(alias_name(join.alias)) : std::string_view{};
  const auto is_shared = [&](std::string_view column) { return std::find(shared.begin(), shared.end(), column) != shared.end(); };
  item.columns = merged;
  if (!merges) {
    left_columns = columns_of(left);
    right_columns = columns_of(right);
  }
  for (const NamedExpr& column : left_columns) {
    if (!is_shared(column.name)) item.columns.push_back(column);
  }
  for (const NamedExpr& column : right_columns) {
    if (!is_shared(column.name)) item.columns.push_back(column);
  }
  if (has_alias) {
    if (join.alias->n_colnames > item.columns.size()) {
      fail(Status{sqlstate::invalid_column_reference, "join expression " + quoted(item.alias) + " has " + std::to_string(item.columns.size()) +
                                                          " columns available but " + std::to_string(join.alias->n_colnames) +
                                                          " columns specified"});
    }
    for (std::size_t i = 0; i < join.alias->n_colnames; ++i) item.columns[i].name = arena_.copy(string_value(join.alias->colnames[i]));
    // An alias hides the tables inside.
  } else {
    for (NsItem inner : all) {
      inner.columns_visible = false;
      items->push_back(std::move(inner));
    }
  }
  if (join.join_using_alias != nullptr) {
    NsItem using_item;
    using_item.alias = arena_.copy(alias_name(join.join_using_alias));
    using_item.columns = merged;
    using_item.columns_visible = false;
    items->push_back(std::move(using_item));
  }
  items->push_back(std::move(item));
  return out;
}

void Binder::bind_from(Scope& scope, Query& query, PgQuery__Node** nodes, std::size_t count) {
  std::vector<const JoinNode*> from(query.from.begin(), query.from.end());
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<NsItem> items;
    const JoinNode* node = bind_from_item(scope, nodes[i], &items);
    from.push_back(node);
    // What follows in the list may look at this only through LATERAL.
    for (NsItem& item : items) {
      item.lateral_only = true;
      scope.items.push_back(std::move(item));
    }
    check_duplicate_aliases(scope.items);
  }
  for (NsItem& item : scope.items) {
    item.lateral_only = false;
    item.lateral_ok = true;
  }
  query.from = keep(from);
}

}  // namespace wandian::sql
