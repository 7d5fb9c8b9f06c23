// SessionHooks: definitions as pg_get_* prints them, comments, sizes.
#include <algorithm>
#include <functional>

#include "engine/table.h"
#include "sql/bind/routine_arguments.h"
#include "sql/catalog/producers.h"
#include "sql/parse/lexer.h"
#include "sql/catalog/relation_names.h"
#include "sql/catalog/stored_objects.h"
#include "sql/expr/deparse.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/quote.h"
#include "sql/functions/registry.h"
#include "sql/index_expressions.h"
#include "sql/messages.h"
#include "sql/routine/trigger_rows.h"
#include "sql/session_impl.h"
#include "sql/statistics/statistics_store.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

std::string column_list(const TableDef& table, const std::vector<std::uint16_t>& columns) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) out += (i != 0 ? ", " : "") + quote_identifier(table.columns[columns[i]].name);
  return out;
}

using ExpressionText = std::function<std::string(const std::string&)>;

std::string part_name(const TableDef& table, const IndexPart& part, const ExpressionText& expression) {
  if (part.column != kExpressionPart) return part.column < table.columns.size() ? quote_identifier(table.columns[part.column].name) : std::string();
  return index_expression_text(expression(part.shown()));
}

std::string key_list(const TableDef& table, const IndexDef& index, std::size_t from, std::size_t to, bool with_order, const ExpressionText& expression = {}) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) {
    const IndexPart& part = index.parts[i];
    if (i != from) out += ", ";
    out += part_name(table, part, expression);
    if (!with_order) continue;
    if (!part.collation.empty() && part.collation[0] != '=') out += " COLLATE " + shown_collation(part.collation);
    if (!part.opclass.empty()) out += " " + quote_identifier(part.opclass);
    if (part.descending) out += " DESC";
    if (part.descending && !part.nulls_first) out += " NULLS LAST";
    if (!part.descending && part.nulls_first) out += " NULLS FIRST";
  }
  return out;
}

std::string options_text(const std::vector<std::pair<std::string, std::string>>& options) {
  std::string out;
  for (const auto& [name, value] : options)
    out += (out.empty() ? "" : ", ") + quote_identifier(name) + "=" + (quote_identifier(value) == value ? value : quote_literal(value));
  return out;
}

std::string key_constraint(const TableDef& table, const IndexDef& index) {
  std::string out = index.primary ? "PRIMARY KEY (" : index.nulls_not_distinct ? "UNIQUE NULLS NOT DISTINCT (" : "UNIQUE (";
  out += key_list(table, index, 0, index.key_parts, false) + ")";
  if (index.parts.size() > index.key_parts) out += " INCLUDE (" + key_list(table, index, index.key_parts, index.parts.size(), false) + ")";
  if (!index.options.empty()) out += " WITH (" + options_text(index.options) + ")";
  if (index.deferrable) out += " DEFERRABLE";
  if (index.initially_deferred) out += " INITIALLY DEFERRED";
  return out;
}

const char* action_text(char action) {
  switch (action) {
    case 'r': return "RESTRICT";
    case 'c': return "CASCADE";
    case 'n': return "SET NULL";
    case 'd': return "SET DEFAULT";
    default: return nullptr;
  }
}

}  // namespace

std::optional<std::string> SessionImpl::expression_text(std::string_view node_tree, Oid relation, bool pretty) {
  DefinitionStyle printing;
  printing.pretty = pretty;
  return print_stored(node_tree, relation, std::move(printing));
}

std::string SessionImpl::print_stored(std::string_view node_tree, Oid relation, DefinitionStyle printing) {
  const std::shared_ptr<const Catalog> known = catalog();
  const auto table = relation != 0 ? known->table(relation) : nullptr;
  std::vector<StandaloneColumn> columns;
  printing.names = this;
  printing.format = &settings_.decoded().format;
  StandaloneOptions options;
  options.use = StandaloneUse::kUsing;
  if (table != nullptr) {
    columns = standalone_columns(*table);
    printing.columns = column_names(*table);
    options.table_name = table->name;
    options.columns = columns;
  }
  Arena arena;
  EvalContext eval = eval_context(arena);
  BindContext context = bind_context();
  context.role = 0;   // stored
  context.keep_calls = true;
  // Kept text is read by the settings that it is kept in, and shown by the session's.
  static const FormatSettings plain;
  EvalContext stored{arena, plain, this, eval.statement_timestamp, eval.transaction_timestamp, {}};
  context.eval = &stored;
  printing.format = &eval.format;
  const Result<BoundExpression> bound = bind_standalone_expression(node_tree, context, options);
  if (!bound.ok()) return std::string(node_tree);
  const Expr* expr = bound.value().expr;
  if (expr->kind != ExprKind::kRow || !node_tree.starts_with("ROW(")) return deparse(expr, printing);
  // The expressions of an index are kept as a row.
  std::string list;
  for (const Expr* one : expr->as<RowExpr>().args) {
    const std::string text = deparse(one, printing);
    list += (list.empty() ? "" : text.starts_with('\n') ? "," : ", ") + text;
  }
  return list;
}

std::optional<std::string> SessionImpl::constraint_definition(Oid constraint, bool pretty) {
  const std::shared_ptr<const Catalog> known = catalog();
  for (const auto& [oid, table] : known->tables()) {
    if (table->internal) continue;
    for (const IndexDef& index : table->indexes)
      if (index.constraint == constraint && constraint != 0) return key_constraint(*table, index);
    for (const CheckDef& check : table->checks)
      if (check.oid == constraint)
        return "CHECK (" + expression_text(check.expression, oid, pretty).value_or(check.expression) + ")" + (check.no_inherit ? " NO INHERIT" : "") +
               (check.validated ? "" : " NOT VALID");
    for (const ForeignKeyDef& key : table->foreign_keys) {
      if (key.oid != constraint) continue;
      const auto referenced = known->table(key.referenced_table);
      if (referenced == nullptr) return std::nullopt;
      std::string out = "FOREIGN KEY (" + column_list(*table, key.columns) + ") REFERENCES " +
                        object_name(ObjectClass::kRelation, referenced->oid).value_or(referenced->name) + "(" +
                        column_list(*referenced, key.referenced_columns) + ")";
      if (key.match == 'f') out += " MATCH FULL";
      if (const char* action = action_text(key.on_update)) out += std::string(" ON UPDATE ") + action;
      if (const char* action = action_text(key.on_delete)) out += std::string(" ON DELETE ") + action;
      if (!key.delete_columns.empty()) out += " (" + column_list(*table, key.delete_columns) + ")";
      if (key.deferrable) out += " DEFERRABLE";
      if (key.initially_deferred) out += " INITIALLY DEFERRED";
      if (!key.validated) out += " NOT VALID";
      return out;
    }
    for (const TriggerDef& trigger : table->triggers) {
      if (trigger.constraint == 0 || trigger.constraint != constraint) continue;
      std::string out = "TRIGGER";
      if (trigger.deferrable) out += " DEFERRABLE";
      if (trigger.initially_deferred) out += " INITIALLY DEFERRED";
      return out;
    }
  }
  const auto& objects = known->objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kType, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kType; ++it) {
    if (it->second->compiled == nullptr) continue;
    const auto& domain = *static_cast<const UserType*>(it->second->compiled.get());
    for (const DomainCheck& check : domain.checks) {
      if (check.oid != constraint) continue;
      DefinitionStyle style;
      style.columns = {"VALUE"};
      style.domain_value = true;
      style.names = this;
      style.format = &settings_.decoded().format;
      style.pretty = pretty;
      Result<BoundExpression> bound = bind_domain_check(check.expression, bind_context(), domain.base, domain.typmod, false);
      return "CHECK (" + (bound.ok() ? deparse(bound->expr, style) : check.expression) + ")" + (check.validated ? "" : " NOT VALID");
    }
  }
  return std::nullopt;
}

std::optional<std::string> SessionImpl::index_definition(Oid oid, std::int32_t column, bool pretty) {
  const std::shared_ptr<const Catalog> known = catalog();
  const auto facts = relation_facts(*known, oid);
  if (!facts || facts->index == nullptr) return std::nullopt;
  const IndexDef& index = *facts->index;
  const TableDef& table = *facts->table;
  const ExpressionText expression = [&](const std::string& text) { return expression_text(text, table.oid, pretty).value_or(text); };
  if (column > 0) {
    if (static_cast<std::size_t>(column) > index.parts.size()) return std::string();
    return part_name(table, index.parts[static_cast<std::size_t>(column) - 1], expression);
  }
  std::string out = index.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  out += quote_identifier(index.name) + (table.is_partitioned() ? " ON ONLY " : " ON ");
  const std::string qualified = quote_identifier(schema_text(*known, table.schema)) + "." + quote_identifier(table.name);
  out += pretty ? object_name(ObjectClass::kRelation, table.oid).value_or(qualified) : qualified;
  out += std::string(" USING ") + (index.method == IndexMethod::kGin ? "gin" : index.method == IndexMethod::kHash ? "hash" : "btree");
  out += " (" + key_list(table, index, 0, index.key_parts, true, expression) + ")";
  if (index.parts.size() > index.key_parts) out += " INCLUDE (" + key_list(table, index, index.key_parts, index.parts.size(), false) + ")";
  if (index.nulls_not_distinct) out += " NULLS NOT DISTINCT";
  if (!index.options.empty()) out += " WITH (" + options_text(index.options) + ")";
  if (!index.predicate.empty()) out += " WHERE " + expression(index.shown_predicate());
  return out;
}

namespace {

// What a view or a materialized view is defined by.
std::optional<ViewDefinition> stored_view(const Catalog& catalog, Oid oid) {
  if (const auto view = catalog.object(ObjectKind::kView, oid)) return ViewDefinition::decode(view->definition);
  const auto table = catalog.table(oid);
  return table != nullptr && table->is_materialized_view() ? ViewDefinition::decode(table->view_definition) : std::nullopt;
}

}  // namespace

std::optional<std::string> SessionImpl::view_definition(Oid oid, bool pretty, std::int32_t wrap_column) {
  if (const SystemRelation* system = find_system_relation(oid); system != nullptr && !system->view_definition.empty())
    return " " + system->view_definition + ";";
  const std::optional<ViewDefinition> view = stored_view(*catalog(), oid);
  if (!view) return std::nullopt;
  const Result<std::shared_ptr<const BoundStatement>> bound = bind_view_query(*view, bind_context(), true);
  if (!bound.ok()) return std::nullopt;
  std::vector<std::string> columns;
  if (const auto table = catalog()->table(oid)) columns = column_names(*table);
  else
    for (const ViewDefinition::Column& column : view->columns) columns.push_back(column.name);
  DefinitionStyle style;
  style.names = this;
  style.format = &settings_.decoded().format;
  style.pretty = pretty;
  style.wrap_column = wrap_column;
  return deparse_view(*bound.value()->query, columns, style) + ";";
}

std::optional<std::vector<bool>> SessionImpl::updatable_columns(Oid oid, bool* deletable) {
  const std::shared_ptr<const ObjectDef> view = catalog()->object(ObjectKind::kView, oid);
  if (view == nullptr) return std::nullopt;
  *deletable = false;
  const std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
  if (!definition) return std::vector<bool>();
  const Result<std::shared_ptr<const BoundStatement>> bound = bind_view_query(*definition, bind_context(), false);
  if (!bound.ok() || bound.value()->query == nullptr) return std::vector<bool>();
  *deletable = view_write_refusal(*bound.value()->query) == nullptr;
  return view_updatable_columns(*bound.value()->query);
}

namespace {

std::optional<FunctionObject> native_function(const Catalog& catalog, Oid oid) {
  const auto object = catalog.object(ObjectKind::kFunction, oid);
  return object != nullptr ? FunctionObject::decode(object->definition) : std::nullopt;
}

std::string arguments_text(std::span<const Oid> types, const std::vector<std::string>& names, Oid variadic) {
  std::string out;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i != 0) out += ", ";
    if (variadic != 0 && i + 1 == types.size()) out += "VARIADIC ";
    if (i < names.size() && !names[i].empty()) out += quote_identifier(names[i]) + " ";
    out += format_type(types[i]);
  }
  return out;
}

// a, "B" as 'a', 'B'.
std::string list_of_literals(const std::string& names) {
  std::string out, name;
  bool in_quotes = false;
  const auto flush = [&] {
    if (!out.empty()) out += ", ";
    out += quote_literal(name);
    name.clear();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == '"') in_quotes = !in_quotes;
    else if (names[i] == ',' && !in_quotes) flush();
    else if (names[i] != ' ' || in_quotes) name += names[i];
  }
  flush();
  return out;
}

// The parameters of a function in SQL or PL/pgSQL, as pg_get_function_arguments lists them; those of TABLE alone with `table`. Defaults
// are shown if there is who prints them.
std::string parameters_text(const FunctionObject& function, bool table, const ExpressionText& defaults) {
  std::string out;
  for (const FunctionObject::Parameter& parameter : function.parameters) {
    if ((parameter.mode == 't') != table) continue;
    if (!out.empty()) out += ", ";
    switch (parameter.mode) {
      case 'o': out += "OUT "; break;
      case 'b': out += "INOUT "; break;
      case 'v': out += "VARIADIC "; break;
      case 'i':
        if (function.is_procedure) out += "IN ";
        break;
      default: break;
    }
    if (!parameter.name.empty()) out += quote_identifier(parameter.name) + " ";
    out += format_type(parameter.type);
    if (defaults && parameter.has_default) out += " DEFAULT " + defaults(parameter.default_text);
  }
  return out;
}

// A body between dollar signs that it does not hold.
std::string dollar_quoted(const std::string& source, bool procedure) {
  std::string tag = procedure ? "$procedure" : "$function";
  while (source.find(tag) != std::string::npos) tag += "x";
  tag += "$";
  return tag + source + tag;
}

std::string definition_text(const FunctionObject& function, const std::string& schema, const std::string& result, const std::string& body, const ExpressionText& defaults) {
  std::string out = function.is_procedure ? "CREATE OR REPLACE PROCEDURE " : "CREATE OR REPLACE FUNCTION ";
  out += quote_identifier(schema) + "." + quote_identifier(function.name) + "(" + parameters_text(function, false, defaults) + ")\n";
  if (!function.is_procedure) out += " RETURNS " + result + "\n";
  out += " LANGUAGE " + function.language + "\n";
  std::string options;
  if (function.volatility == 'i') options += " IMMUTABLE";
  if (function.volatility == 's') options += " STABLE";
  if (function.parallel == 's') options += " PARALLEL SAFE";
  if (function.parallel == 'r') options += " PARALLEL RESTRICTED";
  if (function.strict) options += " STRICT";
  if (function.security_definer) options += " SECURITY DEFINER";
  if (function.leakproof) options += " LEAKPROOF";
  if (!function.cost.empty() && std::strtod(function.cost.c_str(), nullptr) != (function.language == "c" || function.language == "internal" ? 1 : 100)) options += " COST " + function.cost;
  if (!function.rows.empty() && std::strtod(function.rows.c_str(), nullptr) != 1000) options += " ROWS " + function.rows;
  if (!options.empty()) out += options + "\n";
  for (const auto& [name, value] : function.settings)
    out += " SET " + quote_identifier(name) + " TO " + (name == "search_path" || name == "temp_tablespaces" ? list_of_literals(value) : quote_literal(value)) + "\n";
  if (function.sql_body) return out + body;
  if (function.language == "c") return out + "AS '" + function.module + "', " + dollar_quoted(function.symbol, false) + "\n";
  return out + "AS " + dollar_quoted(function.source, function.is_procedure) + "\n";
}

}  // namespace

// The statements of a body without quotes: queries as PostgreSQL prints them, others as they were written.
std::string SessionImpl::sql_body_text(const Routine& routine) {
  const FunctionObject& function = routine.declaration;
  const bool returns = function.source.starts_with("SELECT ") && function.source.find(';') == std::string::npos;
  const std::string as_written = returns ? "RETURN " + function.source.substr(7) + "\n" : "BEGIN ATOMIC\n " + function.source + "\nEND\n";
  Result<ParsedStatements> parsed = ParsedStatements::parse(function.source);
  if (!parsed.ok()) return as_written;
  RoutineArguments arguments(routine, function.arguments);
  BindContext context = bind_context();
  context.variables = &arguments;
  context.as_written = context.keep_calls = true;
  DefinitionStyle style;
  style.names = this;
  style.format = &settings_.decoded().format;
  style.parameters_of = quote_identifier(function.name);
  for (const std::size_t input : routine.inputs) style.parameters.push_back(quote_identifier(function.parameters[input].name));
  std::string out = returns ? "RETURN " : "BEGIN ATOMIC\n";
  for (std::size_t i = 0; i < parsed->statements().size(); ++i) {
    const ParseNode* node = parsed->statements()[i].node;
    std::string text(parsed->statement_text(i));
    while (!text.empty() && is_space(text.front())) text.erase(0, 1);
    while (!text.empty() && is_space(text.back())) text.pop_back();
    text.insert(0, " ");
    if (node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
      const Result<std::shared_ptr<const BoundStatement>> bound = bind_statement(node, parsed->text(), context);
      if (!bound.ok() || bound.value()->query == nullptr) return as_written;
      if (returns) return out + deparse(bound.value()->query->targets[0].expr, style) + "\n";
      text = deparse_view(*bound.value()->query, {}, style);
      if (text.ends_with(';')) text.pop_back();
      for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) text.insert(at + 1, " ");
    }
    out += text + ";\n";
  }
  return out + "END\n";
}

std::optional<std::string> SessionImpl::function_arguments(Oid oid, bool identity) {
  const std::shared_ptr<const Catalog> known = catalog();
  if (const FunctionDef* function = find_function(oid)) return arguments_text(function->args, {}, function->variadic);
  if (const AggregateDef* aggregate = find_aggregate(oid)) return arguments_text(aggregate->args, {}, 0);
  const auto native = native_function(*known, oid);
  if (!native) return std::nullopt;
  if (!native->is_native()) {
    const ExpressionText defaults = [&](const std::string& text) { return expression_text(text, 0, false).value_or(text); };
    return parameters_text(*native, false, identity ? ExpressionText() : defaults);
  }
  return arguments_text(native->arguments, native->argument_names, 0);
}

std::optional<std::string> SessionImpl::argument_default(Oid oid, std::int32_t number) {
  const auto function = native_function(*catalog(), oid);
  if (!function || number < 1 || static_cast<std::size_t>(number) > function->parameters.size()) return std::nullopt;
  const FunctionObject::Parameter& parameter = function->parameters[static_cast<std::size_t>(number) - 1];
  if (!parameter.has_default) return std::nullopt;
  return expression_text(parameter.default_text, 0, false);
}

std::optional<std::string> SessionImpl::function_result(Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  if (const FunctionDef* function = find_function(oid)) return (function->returns_set ? "SETOF " : "") + format_type(function->result);
  if (const AggregateDef* aggregate = find_aggregate(oid)) return format_type(aggregate->result);
  const auto native = native_function(*known, oid);
  if (!native || native->is_procedure) return std::nullopt;
  if (native->returns_table) return "TABLE(" + parameters_text(*native, true, {}) + ")";
  const std::string set = native->returns_set ? "SETOF " : "";
  if (native->result_relation != 0 && type_kind(native->result_relation) != 'c')
    return set + object_name(ObjectClass::kRelation, native->result_relation).value_or(std::to_string(native->result_relation));
  return set + format_type(native->result_type());
}

std::optional<std::string> SessionImpl::function_definition(Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  const auto native = native_function(*known, oid);
  if (!native) return std::nullopt;
  const auto object = known->object(ObjectKind::kFunction, oid);
  if (!native->is_native())
    return definition_text(*native, schema_text(*known, object->parent), function_result(oid).value_or(""),
                           native->sql_body && routine_of(*object) != nullptr ? sql_body_text(*routine_of(*object)) : std::string(),
                           [&](const std::string& text) { return expression_text(text, 0, false).value_or(text); });
  std::string out = native->is_procedure ? "CREATE OR REPLACE PROCEDURE " : "CREATE OR REPLACE FUNCTION ";
  out += quote_identifier(schema_text(*known, object->parent)) + "." + quote_identifier(native->name) + "(" +
         arguments_text(native->arguments, native->argument_names, 0) + ")\n";
  if (!native->is_procedure) out += " RETURNS " + format_type(native->result) + "\n";
  out += " LANGUAGE c\n";
  if (native->strict) out += " STRICT\n";
  return out + "AS " + quote_literal(native->module) + ", $function$" + native->symbol + "$function$\n";
}

std::string SessionImpl::trigger_condition(const TableDef& table, const TriggerDef& trigger, bool pretty) {
  TriggerRows rows(table);
  BindContext context = bind_context();
  context.variables = &rows;
  StandaloneOptions options;
  options.use = StandaloneUse::kTriggerWhen;
  const Result<BoundExpression> bound = bind_standalone_expression(trigger.condition, context, options);
  if (!bound.ok()) return trigger.condition;
  DefinitionStyle style = trigger_row_names(table);
  style.names = this;
  style.format = &settings_.decoded().format;
  style.pretty = pretty;
  return deparse(bound.value().expr, style);
}

std::optional<std::string> SessionImpl::trigger_definition(Oid oid, bool pretty) {
  const std::shared_ptr<const Catalog> known = catalog();
  const TriggerDef* found = nullptr;
  const std::shared_ptr<const TableDef> table = find_triggered(*known, [&](const TableDef& of) {
    for (const TriggerDef& trigger : of.triggers)
      if (trigger.oid == oid) found = &trigger;
    return found != nullptr;
  });
  if (table == nullptr) return std::nullopt;
  const TriggerDef& trigger = *found;
  const auto relation = [&](const TableDef& of) {
    const std::string qualified = quote_identifier(schema_text(*known, of.schema)) + "." + quote_identifier(of.name);
    return pretty ? object_name(ObjectClass::kRelation, of.oid).value_or(qualified) : qualified;
  };
  std::string out = std::string(trigger.constraint != 0 ? "CREATE CONSTRAINT TRIGGER " : "CREATE TRIGGER ") + quote_identifier(trigger.name);
  out += (trigger.events & TriggerDef::kInstead) != 0 ? " INSTEAD OF" : (trigger.events & TriggerDef::kBefore) != 0 ? " BEFORE" : " AFTER";
  std::string_view separator = " ";
  const auto event = [&](std::uint16_t bit, std::string_view word) {
    if ((trigger.events & bit) == 0) return;
    out.append(separator).append(word);
    separator = " OR ";
  };
  event(TriggerDef::kInsert, "INSERT");
  event(TriggerDef::kDelete, "DELETE");
  event(TriggerDef::kUpdate, "UPDATE");
  for (std::size_t i = 0; i < trigger.columns.size(); ++i)
    out += (i == 0 ? " OF " : ", ") + quote_identifier(table->columns[trigger.columns[i]].name);
  event(TriggerDef::kTruncate, "TRUNCATE");
  out += " ON " + relation(*table);
  if (trigger.constraint != 0) {
    if (const auto from = known->table(trigger.constraint_table)) {
      // As it is seen from here, qualified or not.
      out += " FROM " + object_name(ObjectClass::kRelation, from->oid).value_or(relation(*from));
    }
    out += trigger.deferrable ? " DEFERRABLE" : " NOT DEFERRABLE";
    out += trigger.initially_deferred ? " INITIALLY DEFERRED" : " INITIALLY IMMEDIATE";
  }
  if (!trigger.old_table.empty() || !trigger.new_table.empty()) {
    out += " REFERENCING";
    if (!trigger.old_table.empty()) out += " OLD TABLE AS " + quote_identifier(trigger.old_table);
    if (!trigger.new_table.empty()) out += " NEW TABLE AS " + quote_identifier(trigger.new_table);
  }
  out += (trigger.events & TriggerDef::kRow) != 0 ? " FOR EACH ROW" : " FOR EACH STATEMENT";
  if (!trigger.condition.empty()) out += " WHEN (" + trigger_condition(*table, trigger, pretty) + ")";
  out += " EXECUTE FUNCTION " + object_name(ObjectClass::kFunction, trigger.function).value_or(std::to_string(trigger.function)) + "(";
  for (std::size_t i = 0; i < trigger.arguments.size(); ++i) out += (i != 0 ? ", " : "") + quote_literal(trigger.arguments[i]);
  return out + ")";
}
std::optional<std::string> SessionImpl::rule_definition(Oid rule, bool pretty) {
  const Oid view = rule & ~kRuleBit;
  const std::optional<std::string> query = (rule & kRuleBit) != 0 ? view_definition(view, pretty, 0) : std::nullopt;
  const auto facts = query ? relation_facts(*catalog(), view) : std::nullopt;
  if (!facts) return std::nullopt;
  const std::string qualified = quote_identifier(schema_text(*catalog(), facts->schema)) + "." + quote_identifier(facts->name);
  return "CREATE RULE \"_RETURN\" AS\n    ON SELECT TO " + (pretty ? object_name(ObjectClass::kRelation, view).value_or(qualified) : qualified) +
         " DO INSTEAD " + *query;
}

Result<std::optional<std::string>> SessionImpl::serial_sequence(std::string_view table_name, std::string_view column_name) {
  const std::shared_ptr<const Catalog> known = catalog();
  WANDIAN_ASSIGN(const Oid oid, resolve(ObjectClass::kRelation, table_name, false));
  const auto table = known->table(oid);
  if (table == nullptr) {   // a view, for one: nothing owns a sequence there
    WANDIAN_TRY(resolve_column(oid, column_name).take_status());
    return std::optional<std::string>();
  }
  const int column = table->find_column(column_name);
  if (column < 0)
    return undefined_column(column_name, table->name);
  for (const auto& [sequence_oid, sequence] : known->sequences())
    if (sequence->owned_by_table == oid && sequence->owned_by_column == column)
      return std::optional<std::string>(quote_identifier(schema_text(*known, sequence->schema)) + "." + quote_identifier(sequence->name));
  return std::optional<std::string>();
}

std::optional<std::string> SessionImpl::description(Oid object, Oid object_catalog, std::int32_t column, bool) {
  const std::shared_ptr<const Catalog> known = catalog();
  for (auto it = known->objects().lower_bound(std::pair(ObjectKind::kComment, Oid{0}));
       it != known->objects().end() && it->first.first == ObjectKind::kComment; ++it) {
    const ObjectDef& comment = *it->second;
    if (comment.parent != object) continue;
    if (object_catalog != 0 ? comment.name == comment_name(object_catalog, column) : comment.name.ends_with("." + std::to_string(column)))
      return comment.definition;
  }
  return std::nullopt;
}

std::optional<bool> SessionImpl::index_column_property(Oid oid, std::int32_t column, std::string_view property) {
  const auto facts = relation_facts(*catalog(), oid);
  if (!facts || facts->index == nullptr || column < 1 || static_cast<std::size_t>(column) > facts->index->parts.size()) return std::nullopt;
  const IndexPart& part = facts->index->parts[static_cast<std::size_t>(column) - 1];
  const bool key = static_cast<std::size_t>(column) <= facts->index->key_parts;
  if (property == "asc") return key ? std::optional(!part.descending) : std::nullopt;
  if (property == "desc") return key ? std::optional(part.descending) : std::nullopt;
  if (property == "nulls_first") return key ? std::optional(part.nulls_first) : std::nullopt;
  if (property == "nulls_last") return key ? std::optional(!part.nulls_first) : std::nullopt;
  if (property == "orderable" || property == "search_array" || property == "search_nulls") return key;
  if (property == "returnable") return true;
  if (property == "distance_orderable") return false;
  return std::nullopt;
}

namespace {

// What the rows take, about: fixed part, version header, and a share of the index.
std::int64_t table_bytes(const TableDef& table) {
  constexpr std::int64_t kRowOverhead = 96;
  return static_cast<std::int64_t>(count_live_rows(table)) * (kRowOverhead + table.layouts->newest().fixed_size());
}
std::int64_t index_bytes(const TableDef& table) {
  constexpr std::int64_t kEntry = 40;
  return static_cast<std::int64_t>(count_live_rows(table)) * kEntry;
}

}  // namespace

std::optional<std::int64_t> SessionImpl::size(SizeKind kind, Oid object) {
  const std::shared_ptr<const Catalog> known = catalog();
  if (kind == SizeKind::kDatabase || kind == SizeKind::kTablespace) {
    if (kind == SizeKind::kDatabase && known->object(ObjectKind::kDatabase, object) == nullptr) return std::nullopt;
    constexpr std::int64_t kCatalogBytes = 8192;   // a database without tables has its catalog all the same
    std::int64_t total = kCatalogBytes;
    for (const auto& [oid, table] : known->tables()) {
      const auto schema = known->schema(table->schema);
      if (kind == SizeKind::kDatabase && schema != nullptr && schema->database != 0 && schema->database != object) continue;
      total += table_bytes(*table) + index_bytes(*table) * static_cast<std::int64_t>(table->indexes.size());
    }
    return total;
  }
  const auto facts = relation_facts(*known, object);
  if (!facts) return std::nullopt;
  if (facts->kind == FoundRelation::Kind::kSequence) return 8192;
  if (facts->table == nullptr) return 0;
  const std::int64_t indexes = index_bytes(*facts->table);
  if (facts->kind == FoundRelation::Kind::kIndex) return indexes;
  const std::int64_t all_indexes = indexes * static_cast<std::int64_t>(facts->table->indexes.size());
  switch (kind) {
    case SizeKind::kIndexes: return all_indexes;
    case SizeKind::kTotalRelation: return table_bytes(*facts->table) + all_indexes;
    default: return table_bytes(*facts->table);
  }
}

}  // namespace wandian::sql
