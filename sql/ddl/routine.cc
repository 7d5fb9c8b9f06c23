// CREATE FUNCTION and PROCEDURE in LANGUAGE sql and plpgsql, ALTER FUNCTION.
#include <algorithm>

#include "sql/ddl/dependency.h"
#include "sql/ddl/statements.h"
#include "sql/expr/deparse.h"
#include "sql/functions/extension_functions.h"
#include "sql/functions/quote.h"
#include "sql/parse/lexer.h"
#include "sql/routine/body.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

Status bad_definition(std::string message) { return Status{sqlstate::invalid_function_definition, std::move(message)}; }

struct DeclaredType {
  Oid type = 0;
  Oid relation = 0;      ///< the row type of this table or view, or this composite type; `type` is record
};

// A table's or view's row type is told by its relation, as results have it.
Result<DeclaredType> declared_type(DdlContext& ctx, Oid type) {
  DeclaredType out;
  out.type = type;
  if (type_kind(type) != 'c') return out;
  out.type = kRecord;
  out.relation = relation_of_row_type(type);
  if (ctx.catalog()->table(out.relation) == nullptr && ctx.catalog()->object(ObjectKind::kView, out.relation) == nullptr) out.relation = type;
  return out;
}

Result<DeclaredType> declared_type(DdlContext& ctx, const PgQuery__TypeName& name) {
  DeclaredType out;
  if (name.pct_type != 0 && name.n_names >= 2) {
    PgQuery__RangeVar relation = PG_QUERY__RANGE_VAR__INIT;
    std::string table(string_value(name.names[name.n_names - 2])), schema;
    if (name.n_names > 2) schema = string_value(name.names[name.n_names - 3]);
    relation.relname = table.data();
    relation.schemaname = schema.data();
    const auto found = ctx.find(relation);
    const auto def = found ? ctx.catalog()->table(found->oid) : nullptr;
    if (def == nullptr) return undefined_relation(schema, table);
    const std::string column(string_value(name.names[name.n_names - 1]));
    const int position = def->find_column(column);
    if (position < 0) return undefined_column(column, table);
    out.type = def->columns[static_cast<std::size_t>(position)].type;
    ctx.notice(sqlstate::successful_completion, "type reference " + table + "." + column + "%TYPE converted to " + format_type(out.type));
    return declared_type(ctx, out.type);
  }
  Result<ResolvedType> type = resolve_type(name, ctx.statement.text);
  if (type.ok()) return declared_type(ctx, type->type);
  if (type.status().code() == sqlstate::undefined_object && name.n_names >= 1 && name.n_names <= 2 && name.n_array_bounds == 0) {
    PgQuery__RangeVar relation = PG_QUERY__RANGE_VAR__INIT;
    std::string table(string_value(name.names[name.n_names - 1])), schema;
    if (name.n_names > 1) schema = string_value(name.names[0]);
    relation.relname = table.data();
    relation.schemaname = schema.data();
    const auto found = ctx.find(relation);
    if (found && (found->kind == FoundRelation::Kind::kTable || found->kind == FoundRelation::Kind::kView)) {
      out.type = kRecord;
      out.relation = found->oid;
      return out;
    }
  }
  return type.take_status();
}

std::string value_text(const ParseNode* node) {
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST) {
    const PgQuery__AConst& constant = *node->a_const;
    switch (constant.val_case) {
      case PG_QUERY__A__CONST__VAL_SVAL: return std::string(text_or_empty(constant.sval->sval));
      case PG_QUERY__A__CONST__VAL_IVAL: return std::to_string(constant.ival->ival);
      case PG_QUERY__A__CONST__VAL_FVAL: return std::string(text_or_empty(constant.fval->fval));
      case PG_QUERY__A__CONST__VAL_BOOLVAL: return constant.boolval->boolval != 0 ? "true" : "false";
      default: return {};
    }
  }
  return std::string(string_value(node));
}

}  // namespace

void add_setting(DdlContext& ctx, const PgQuery__VariableSetStmt& set, std::vector<std::pair<std::string, std::string>>* settings) {
  const SettingDef* def = find_setting(text_or_empty(set.name));
  const std::string name(def != nullptr ? def->name : text_or_empty(set.name));
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL) {
    settings->clear();
    return;
  }
  std::erase_if(*settings, [&](const auto& entry) { return entry.first == name; });
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET || set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT) return;
  std::string value;
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_CURRENT) {
    value = ctx.session.settings().show(name).value_or("");
  } else {
    const bool names = name == "search_path" || name == "temp_tablespaces";
    for (std::size_t i = 0; i < set.n_args; ++i) {
      if (i != 0) value += ", ";
      const std::string part = value_text(set.args[i]);
      value += names ? quote_identifier(part) : part;
    }
  }
  settings->emplace_back(name, value);
}

namespace {

// Options that CREATE and ALTER FUNCTION share. False: not one of these.
Result<bool> apply_option(DdlContext& ctx, const PgQuery__DefElem& option, FunctionObject* function) {
  const std::string_view key = text_or_empty(option.defname);
  const auto is_true = [&] { return option_text(option) == "true" || option_text(option) == "1"; };
  const bool of_functions = key == "strict" || key == "volatility" || key == "leakproof" || key == "cost" || key == "rows" || key == "parallel" || key == "window";
  if (of_functions && function->is_procedure)
    return bad_definition("invalid attribute in procedure definition").with_position(ctx.position(option.location));
  if (key == "strict") function->strict = is_true();
  else if (key == "volatility") function->volatility = option_text(option)[0];
  else if (key == "security") function->security_definer = is_true();
  else if (key == "leakproof") function->leakproof = is_true();
  else if (key == "parallel") {
    const std::string value = option_text(option);
    if (value != "safe" && value != "restricted" && value != "unsafe")
      return Status{sqlstate::syntax_error, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE"};
    function->parallel = value[0];
  } else if (key == "cost" || key == "rows") {
    const std::string value = option_text(option);
    if (std::strtod(value.c_str(), nullptr) <= 0)
      return Status{sqlstate::invalid_parameter_value, std::string(key == "cost" ? "COST" : "ROWS") + " must be positive"};
    (key == "cost" ? function->cost : function->rows) = value;
  } else if (key == "set") {
    if (option.arg != nullptr && option.arg->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT) add_setting(ctx, *option.arg->variable_set_stmt, &function->settings);
  } else if (key == "support") {
    return feature_not_supported("planner support functions are not supported");
  } else if (key == "window") {
    if (is_true()) return feature_not_supported("window functions in SQL or PL/pgSQL are not supported");
  } else if (key == "transform") {
    return feature_not_supported("transforms are not supported");
  } else {
    return false;
  }
  return true;
}

// A body without quotes: RETURN expr, or BEGIN ATOMIC ... END. Its text, as statements.
Result<std::string> unquoted_body(std::string_view text, std::string_view statement) {
  (void)text;
  Lexer lexer(statement);
  int depth = 0;
  Token previous;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd && token.kind != TokenKind::kError; previous = token, token = lexer.next()) {
    if (token.kind == TokenKind::kOpen) ++depth;
    if (token.kind == TokenKind::kClose) --depth;
    if (depth != 0 || token.kind != TokenKind::kWord) continue;
    if (token.is("return")) return "SELECT " + std::string(statement.substr(token.offset + token.text.size() + 1));
    if (token.is("atomic") && previous.is("begin")) {
      const std::string_view rest = statement.substr(token.offset + token.text.size());
      std::size_t end = 0;
      Lexer inner(rest);
      for (Token t = inner.next(); t.kind != TokenKind::kEnd && t.kind != TokenKind::kError; t = inner.next())
        if (t.kind == TokenKind::kWord && t.is("end")) end = t.offset;
      std::string body(rest.substr(0, end));
      while (!body.empty() && is_space(body.back())) body.pop_back();
      std::size_t begin = 0;
      while (begin < body.size() && is_space(body[begin])) ++begin;
      return body.substr(begin);
    }
  }
  return bad_definition("no function body specified");
}

bool is_polymorphic_type(Oid type) {
  switch (type) {
    case kAnyElement: case kAnyArray: case kAnyNonArray: case kAnyEnum: case kAnyRange: case kAnyMultirange: case kAnyCompatible: case kAnyCompatibleArray: case kAnyCompatibleNonArray:
      return true;
    default: return false;
  }
}

Status read_parameters(DdlContext& ctx, const PgQuery__CreateFunctionStmt& node, FunctionObject* function) {
  bool defaults = false, variadic = false;
  for (std::size_t i = 0; i < node.n_parameters; ++i) {
    const PgQuery__FunctionParameter& given = *node.parameters[i]->function_parameter;
    FunctionObject::Parameter parameter;
    parameter.name = text_or_empty(given.name);
    WANDIAN_ASSIGN(const DeclaredType type, declared_type(ctx, *given.arg_type));
    parameter.type = type.relation == 0 ? type.type : FunctionObject::row_type(type.relation);
    switch (given.mode) {
      case PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT: parameter.mode = 'o'; break;
      case PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_INOUT: parameter.mode = 'b'; break;
      case PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_VARIADIC: parameter.mode = 'v'; break;
      case PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE: parameter.mode = 't'; break;
      default: parameter.mode = 'i';
    }
    const bool input = parameter.mode == 'i' || parameter.mode == 'b' || parameter.mode == 'v';
    if (given.arg_type->setof != 0)
      return bad_definition(function->is_procedure ? "procedures cannot accept set arguments" : "functions cannot accept set arguments");
    if (parameter.type == kVoid || parameter.type == kTrigger || parameter.type == kInternal || parameter.type == kCstring || parameter.type == kAny)
      return bad_definition((function->language == "plpgsql" ? "PL/pgSQL functions cannot accept type " : "SQL function cannot accept type ") +
                            (parameter.type == kAny ? "\"any\"" : format_type(parameter.type)));
    if (variadic && input) return bad_definition("VARIADIC parameter must be the last input parameter");
    if (parameter.mode == 'v') {
      variadic = true;
      const TypeInfo* info = find_type(parameter.type);
      if (parameter.type != kAnyArray && parameter.type != kAnyCompatibleArray && (info == nullptr || info->category != 'A' || info->element == 0))
        return bad_definition("VARIADIC parameter must be an array");
    }
    if (!parameter.name.empty())
      for (const FunctionObject::Parameter& earlier : function->parameters) {
        if (earlier.name != parameter.name) continue;
        // As PostgreSQL: an input and an output parameter may share a name only where neither is INOUT.
        const bool earlier_in = earlier.mode == 'i' || earlier.mode == 'v', this_in = parameter.mode == 'i' || parameter.mode == 'v';
        const bool earlier_out = earlier.mode == 'o' || earlier.mode == 't', this_out = parameter.mode == 'o' || parameter.mode == 't';
        if ((earlier_in && this_out) || (earlier_out && this_in)) continue;
        return bad_definition("parameter name " + quoted(parameter.name) + " used more than once");
      }
    if (given.defexpr != nullptr) {
      if (!input) return bad_definition("only input parameters can have default values");
      StandaloneOptions options;
      options.use = StandaloneUse::kDefault;
      options.target_type = is_polymorphic_type(parameter.type) ? 0 : parameter.type;
      options.target_name = parameter.name;
      WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(given.defexpr, ctx.statement.text, ctx.bind_context(), options));
      parameter.default_text = deparse(bound.expr, {{}, nullptr, false, {}});
      parameter.has_default = defaults = true;
    } else if (defaults && input) {
      return bad_definition("input parameters after one with a default value must also have defaults");
    }
    if (input) {
      function->arguments.push_back(parameter.type);
      function->argument_names.push_back(parameter.name);
    }
    function->parameters.push_back(std::move(parameter));
  }
  if (std::all_of(function->argument_names.begin(), function->argument_names.end(), [](const std::string& name) { return name.empty(); }))
    function->argument_names.clear();
  return {};
}

Status read_result(DdlContext& ctx, const PgQuery__CreateFunctionStmt& node, FunctionObject* function) {
  std::vector<const FunctionObject::Parameter*> outputs;
  for (const FunctionObject::Parameter& parameter : function->parameters) {
    if (parameter.mode == 't') function->returns_table = function->returns_set = true;
    if (parameter.mode == 'o' || parameter.mode == 'b' || parameter.mode == 't') outputs.push_back(&parameter);
  }
  const Oid implied = outputs.empty() ? 0 : outputs.size() == 1 ? outputs[0]->type : kRecord;
  if (function->is_procedure) {
    function->result = outputs.empty() ? kVoid : kRecord;
    return {};
  }
  if (node.return_type == nullptr) {
    if (implied == 0) return bad_definition("function result type must be specified");
    function->result = implied;
    return {};
  }
  WANDIAN_ASSIGN(const DeclaredType type, declared_type(ctx, *node.return_type));
  function->result = type.type;
  function->result_relation = type.relation;
  function->returns_set = function->returns_set || node.return_type->setof != 0;
  if (function->returns_table) {
    function->result = implied;
    return {};
  }
  if (implied != 0 && implied == function->result_type()) {
    function->result = implied;
    function->result_relation = 0;
    return {};
  }
  if (implied != 0 && (implied != type.type || type.relation != 0))
    return bad_definition("function result type must be " + format_type(implied) + " because of OUT parameters");
  return {};
}

Status check_result_type(const FunctionObject& function) {
  const bool plpgsql = function.language == "plpgsql";
  if (function.result == kTrigger) {
    if (!plpgsql) return bad_definition("SQL functions cannot return type trigger");
    if (!function.arguments.empty())
      return bad_definition("trigger functions cannot have declared arguments")
          .with_hint("The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV instead.")
          .with_context("compilation of PL/pgSQL function " + quoted(function.name) + " near line 1");
    if (function.returns_set) return bad_definition("trigger functions cannot return sets");
    return {};
  }
  if (function.result == kInternal || function.result == kCstring || function.result == kAny)
    return bad_definition(std::string(plpgsql ? "PL/pgSQL functions" : "SQL functions") + " cannot return type " + format_type(function.result));
  if (is_polymorphic_type(function.result) && std::none_of(function.arguments.begin(), function.arguments.end(), is_polymorphic_type))
    return bad_definition("cannot determine result data type")
        .with_detail("A result of type " + format_type(function.result) +
                     " requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange.");
  return {};
}

// What CREATE OR REPLACE may not change.
Status check_replacement(DdlContext& ctx, const FunctionObject& before, const FunctionObject& after) {
  const std::string kind = before.is_procedure ? "PROCEDURE " : "FUNCTION ";
  std::string signature = quote_identifier(after.name) + "(";
  for (std::size_t i = 0; i < after.arguments.size(); ++i) signature += (i != 0 ? "," : "") + format_type(after.arguments[i]);
  signature += ")";
  (void)ctx;
  const std::string hint = "Use DROP " + kind + signature + " first.";
  if (before.is_procedure != after.is_procedure)
    return Status{sqlstate::wrong_object_type, "cannot change routine kind"}.with_detail(
        quoted(after.name) + (before.is_procedure ? " is a procedure." : " is a function."));
  if (before.result != after.result || before.returns_set != after.returns_set || before.result_relation != after.result_relation)
    return bad_definition(before.is_procedure ? "cannot change whether a procedure has output parameters" : "cannot change return type of existing function")
        .with_hint(hint);
  const auto outputs = [](const FunctionObject& function) {
    std::vector<std::pair<std::string, Oid>> out;
    for (const FunctionObject::Parameter& parameter : function.parameters)
      if (parameter.mode == 'o' || parameter.mode == 'b' || parameter.mode == 't') out.emplace_back(parameter.name, parameter.type);
    return out;
  };
  if (after.result == kRecord && outputs(before) != outputs(after))
    return bad_definition("cannot change return type of existing function").with_detail("Row type defined by OUT parameters is different.").with_hint(hint);
  const auto inputs = [](const FunctionObject& function) {
    std::vector<const FunctionObject::Parameter*> out;
    for (const FunctionObject::Parameter& parameter : function.parameters)
      if (parameter.mode == 'i' || parameter.mode == 'b' || parameter.mode == 'v') out.push_back(&parameter);
    return out;
  };
  const auto old_inputs = inputs(before), new_inputs = inputs(after);
  for (std::size_t i = 0; i < old_inputs.size() && i < new_inputs.size(); ++i) {
    if (!old_inputs[i]->name.empty() && old_inputs[i]->name != new_inputs[i]->name)
      return bad_definition("cannot change name of input parameter " + quoted(old_inputs[i]->name)).with_hint(hint);
  }
  for (std::size_t i = 0; i < old_inputs.size() && i < new_inputs.size(); ++i)
    if (old_inputs[i]->has_default && !new_inputs[i]->has_default)
      return bad_definition("cannot remove parameter defaults from existing function").with_hint(hint);
  return {};
}

}  // namespace

Task<Status> create_routine(DdlContext& ctx, const std::string& language) {
  const PgQuery__CreateFunctionStmt& node = *ctx.statement.node->create_function_stmt;
  FunctionObject function;
  function.name = truncate_identifier(string_value(node.funcname[node.n_funcname - 1]));
  function.is_procedure = node.is_procedure != 0;
  function.language = language;
  function.strict = false;
  bool has_source = false;
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key != "set" && std::find(seen.begin(), seen.end(), key) != seen.end())
      co_return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    seen.push_back(key);
    if (key == "language") continue;
    if (key == "as") {
      if (option.arg->node_case == PG_QUERY__NODE__NODE_LIST) {
        if (language == "c") {
          function.module = string_value(option.arg->list->items[0]);
          function.symbol = option.arg->list->n_items > 1 ? std::string(string_value(option.arg->list->items[1])) : function.name;
          if (!has_extension_function(function.module, function.symbol))
            co_return Status{sqlstate::undefined_function, "could not find function " + quoted(function.symbol) + " in file " + quoted(function.module)};
          has_source = true;
          continue;
        }
        if (option.arg->list->n_items > 1) co_return bad_definition("only one AS item needed for language " + quoted(language));
        function.source = string_value(option.arg->list->items[0]);
        has_source = true;
      }
      continue;
    }
    Result<bool> known = apply_option(ctx, option, &function);
    if (!known.ok()) co_return known.take_status();
    if (!known.value()) co_return feature_not_supported("option " + quoted(key) + " of CREATE FUNCTION is not supported");
  }
  if (node.sql_body != nullptr) {
    if (language != "sql") co_return bad_definition("inline SQL function body only valid for language SQL");
    if (has_source) co_return bad_definition("duplicate function body specified");
    Result<std::string> body = unquoted_body(ctx.statement.text, ctx.statement.statement_text);
    if (!body.ok()) co_return body.take_status();
    function.source = body.take();
    function.sql_body = has_source = true;
  }
  if (!has_source) co_return bad_definition("no function body specified");
  WANDIAN_CO_TRY(read_parameters(ctx, node, &function));
  WANDIAN_CO_TRY(read_result(ctx, node, &function));
  WANDIAN_CO_TRY(check_result_type(function));
  if (!function.rows.empty() && !function.returns_set)
    co_return Status{sqlstate::invalid_parameter_value, "ROWS is not applicable when function does not return a set"};
  Result<Oid> schema = ctx.forced_schema != 0 ? Result<Oid>(ctx.forced_schema)
                       : node.n_funcname > 1 && string_value(node.funcname[node.n_funcname - 2]) == "pg_temp" ? ctx.ensure_temporary_schema()
                       : node.n_funcname > 1  ? ctx.find_schema(string_value(node.funcname[node.n_funcname - 2]))
                                              : ctx.session.creation_schema();
  if (!schema.ok()) co_return schema.take_status();
  WANDIAN_CO_TRY(ctx.may_create_in(schema.value()));
  WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kLanguage, language_by_name(language), privilege::kUsage));
  if (function.leakproof && !ctx.session.is_superuser())
    co_return Status{sqlstate::insufficient_privilege, "only superuser can define a leakproof function"};
  for (const FunctionObject::Parameter& parameter : function.parameters) WANDIAN_CO_TRY(ctx.may_use_type(parameter.type));
  if (function.result != 0) WANDIAN_CO_TRY(ctx.may_use_type(function.result));
  auto object = std::make_shared<ObjectDef>();
  object->kind = ObjectKind::kFunction;
  object->parent = schema.value();
  object->owner = ctx.session.current_role();
  object->name = function.object_name();
  object->definition = function.encode();
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), object->name));
  const auto old = ctx.catalog()->find_object(ObjectKind::kFunction, schema.value(), object->name);
  if (old != nullptr) {
    if (node.replace == 0) co_return Status{sqlstate::duplicate_function, "function " + quoted(function.name) + " already exists with same argument types"};
    WANDIAN_CO_TRY(ctx.must_own_function(old->oid));
    if (const auto before = FunctionObject::decode(old->definition)) WANDIAN_CO_TRY(check_replacement(ctx, *before, function));
    object->owner = old->owner;
  }
  object->oid = old != nullptr ? old->oid : ctx.allocate_oid();
  const std::string source = function.source;
  const bool in_quotes = !function.sql_body;
  Changes changes;
  changes.put(object);
  WANDIAN_CO_TRY(ctx.apply(changes));
  // The body is looked at with the function in place: it may call itself.
  const std::optional<std::string> check = ctx.session.settings().show("check_function_bodies");
  if ((check && *check == "off") || language == "c") co_return Status{};
  const auto made = ctx.catalog()->object(ObjectKind::kFunction, object->oid);
  if (made == nullptr || made->compiled == nullptr) co_return Status{sqlstate::internal_error, "the function did not enter the catalog"};
  Status status = language == "plpgsql" ? check_plpgsql_body(ctx.session, *routine_of(*made)) : check_sql_body(ctx.session, *routine_of(*made), &function);
  if (status.ok() && function.sql_body && !(function.body_columns.empty() && function.body_functions.empty())) {
    auto with_uses = std::make_shared<ObjectDef>(*made);
    with_uses->definition = function.encode();
    Changes more;
    more.put(std::move(with_uses));
    status = ctx.apply(more);
  }
  if (status.ok() || status.error().position == 0) co_return std::move(status);
  // Where the body stands in the statement as it is, the error is shown there.
  const std::size_t begin = in_quotes ? ctx.statement.text.find(source) : std::string_view::npos;
  if (begin != std::string_view::npos) {
    status.error().position += character_position(ctx.statement.text, static_cast<std::int32_t>(begin)) - 1;
  } else {
    make_internal(status, source);
  }
  co_return std::move(status);
}

Task<Status> alter_function(DdlContext& ctx) {
  const PgQuery__AlterFunctionStmt& node = *ctx.statement.node->alter_function_stmt;
  const bool procedure = node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE;
  Result<std::shared_ptr<const ObjectDef>> found = find_routine(ctx, *node.func, procedure ? "procedure" : "function");
  if (!found.ok()) co_return found.take_status();
  WANDIAN_CO_TRY(ctx.must_own_function(found.value()->oid));
  std::optional<FunctionObject> function = FunctionObject::decode(found.value()->definition);
  if (!function) co_return Status{sqlstate::data_corrupted, "the function's definition cannot be read"};
  if (function->is_native()) co_return feature_not_supported("native procedures cannot be altered");
  for (std::size_t i = 0; i < node.n_actions; ++i) {
    Result<bool> known = apply_option(ctx, *node.actions[i]->def_elem, &*function);
    if (!known.ok()) co_return known.take_status();
    if (!known.value()) co_return feature_not_supported("this option of ALTER FUNCTION is not supported");
  }
  if (function->leakproof && !ctx.session.is_superuser())
    co_return Status{sqlstate::insufficient_privilege, "only superuser can define a leakproof function"};
  auto changed = std::make_shared<ObjectDef>(*found.value());
  changed->definition = function->encode();
  Changes changes;
  changes.put(std::move(changed));
  co_return ctx.apply(changes);
}

Result<std::shared_ptr<const ObjectDef>> find_routine(DdlContext& ctx, const PgQuery__ObjectWithArgs& with_args, std::string_view what) {
  const std::string name(string_value(with_args.objname[with_args.n_objname - 1]));
  std::vector<Oid> schemas = ctx.bind_context().search_path;
  if (with_args.n_objname > 1) {
    WANDIAN_ASSIGN(const Oid only, ctx.find_schema(string_value(with_args.objname[with_args.n_objname - 2])));
    schemas = {only};
  }
  std::vector<Oid> types;
  for (std::size_t i = 0; i < with_args.n_objargs; ++i) {
    if (with_args.objargs[i]->node_case != PG_QUERY__NODE__NODE_TYPE_NAME) continue;
    WANDIAN_ASSIGN(const DeclaredType type, declared_type(ctx, *with_args.objargs[i]->type_name));
    types.push_back(type.relation == 0 ? type.type : FunctionObject::row_type(type.relation));
  }
  std::string signature = name + "(";
  for (std::size_t i = 0; i < types.size(); ++i) signature += (i != 0 ? ", " : "") + format_type(types[i]);
  signature += ")";
  std::vector<std::shared_ptr<const ObjectDef>> matches;
  for (const Oid schema : schemas)
    for (const auto& [key, candidate] : ctx.catalog()->objects()) {
      if (key.first != ObjectKind::kFunction || candidate->parent != schema) continue;
      const auto stored = FunctionObject::decode(candidate->definition);
      if (!stored || stored->name != name || (with_args.args_unspecified == 0 && stored->arguments != types)) continue;
      const bool fits = what == "routine" || stored->is_procedure == (what == "procedure");
      if (fits) {
        matches.push_back(candidate);
      } else if (with_args.args_unspecified == 0 && matches.empty()) {
        return Status{sqlstate::wrong_object_type, signature + " is not a " + std::string(what)};
      }
    }
  if (matches.size() == 1 || (matches.size() > 1 && with_args.args_unspecified == 0)) return matches[0];
  if (matches.size() > 1)
    return Status{sqlstate::ambiguous_function, std::string(what) + " name " + quoted(name) + " is not unique"}.with_hint(
        "Specify the argument list to select the " + std::string(what) + " unambiguously.");
  if (with_args.args_unspecified != 0) return Status{sqlstate::undefined_function, "could not find a " + std::string(what) + " named " + quoted(name)};
  return Status{sqlstate::undefined_function, std::string(what) + " " + signature + " does not exist"};
}

}  // namespace wandian::sql
