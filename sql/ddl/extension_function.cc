// CREATE EXTENSION, CREATE FUNCTION ... LANGUAGE C.
#include <algorithm>

#include "sql/ddl/builtin_extensions.h"
#include "sql/ddl/services.h"
#include "sql/ddl/statements.h"
#include "sql/functions/extension_functions.h"

namespace wandian::sql {

namespace {

std::shared_ptr<ObjectDef> function_object(DdlContext& ctx, Oid schema, const FunctionObject& function) {
  auto object = std::make_shared<ObjectDef>();
  object->kind = ObjectKind::kFunction;
  object->parent = schema;
  object->owner = ctx.session.current_role();
  object->name = function.object_name();
  object->definition = function.encode();
  return object;
}

std::string signature(DdlContext& ctx, const FunctionObject& function) {
  std::string out = function.name + "(";
  for (std::size_t i = 0; i < function.arguments.size(); ++i)
    out += (i != 0 ? ", " : "") + ctx.session.object_name(ObjectClass::kType, function.arguments[i]).value_or("?");
  return out + ")";
}

}  // namespace

Task<Status> create_extension(DdlContext& ctx) {
  const PgQuery__CreateExtensionStmt& node = *ctx.statement.node->create_extension_stmt;
  const std::string name(text_or_empty(node.extname));
  std::string schema_name, version;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "schema") schema_name = option_text(option);
    if (key == "new_version") version = option_text(option);
  }
  if (!ctx.session.is_superuser())
    co_return Status{sqlstate::insufficient_privilege, "permission denied to create extension " + quoted(name)}.with_hint(
        "Must be superuser to create this extension.");
  WANDIAN_CO_TRY(co_await ctx.lock_name(1, name));
  if (name == kPlpgsqlName || ctx.catalog()->find_object(ObjectKind::kExtension, ctx.session.database(), name) != nullptr) {
    if (!node.if_not_exists) co_return Status{sqlstate::duplicate_object, "extension " + quoted(name) + " already exists"};
    ctx.notice(sqlstate::duplicate_object, "extension " + quoted(name) + " already exists, skipping");
    co_return Status{};
  }
  const ExtensionInfo* info = nullptr;
  if (const ExtensionInfo* brought = builtin_extension(name); brought != nullptr) {
    info = brought;
  } else if (ExtensionSource* source = ddl_services().extensions; source != nullptr) {
    Result<const ExtensionInfo*> found = source->find_extension(name);
    if (!found.ok()) co_return found.take_status();
    info = found.value();
  }
  if (info == nullptr)
    co_return Status{sqlstate::feature_not_supported, "extension " + quoted(name) + " is not available"}
        .with_detail("The server has no extension of that name.")
        .with_hint("The extension must first be installed on the system where Wandian is running.");
  if (!version.empty() && version != info->version)
    co_return Status{sqlstate::invalid_parameter_value, "extension " + quoted(name) + " has no installation script nor update path for version " + quoted(version)};
  Result<Oid> schema = schema_name.empty() ? ctx.session.creation_schema() : ctx.find_schema(schema_name);
  if (!schema.ok()) co_return schema.take_status();
  Result<ParsedStatements> parsed = ParsedStatements::parse(info->schema_sql);
  if (!parsed.ok()) co_return parsed.take_status();
  std::vector<ExtensionObject::Member> members;
  for (std::size_t i = 0; i < parsed->statements().size(); ++i) {
    StatementRef statement;
    statement.node = parsed->statements()[i].node;
    statement.text = parsed->text();
    statement.statement_text = parsed->statement_text(i);
    statement.kind = classify(statement.node);
    if (!is_ddl(statement.kind)) co_return feature_not_supported("the script of an extension holds definitions alone");
    std::string tag;
    DdlContext inner(ctx.session, statement, &tag);
    inner.forced_schema = schema.value();
    inner.members = &members;
    Status status = co_await run_statement(inner);
    if (!status.ok()) {
      status.error().position = 0;
      co_return std::move(status).with_context("script of extension " + quoted(name));
    }
  }
  Changes changes;
  for (const NativeProcedure& procedure : info->procedures) {
    FunctionObject function;
    function.name = procedure.name;
    function.arguments = procedure.arguments;
    function.argument_names = procedure.argument_names;
    function.result = procedure.result;
    function.strict = procedure.strict;
    function.module = info->module;
    function.symbol = procedure.name;
    std::shared_ptr<ObjectDef> object = function_object(ctx, schema.value(), function);
    if (ctx.catalog()->find_object(ObjectKind::kFunction, schema.value(), object->name) != nullptr)
      co_return Status{sqlstate::duplicate_function, "function " + quoted(function.name) + " already exists with same argument types"};
    object->oid = ctx.allocate_oid();
    members.push_back({catalog_oid::kProc, object->oid});
    changes.put(std::move(object));
  }
  ExtensionObject stored;
  stored.version = info->version;
  stored.schema = schema.value();
  stored.members = std::move(members);
  auto extension = std::make_shared<ObjectDef>();
  extension->kind = ObjectKind::kExtension;
  extension->oid = ctx.allocate_oid();
  extension->parent = ctx.session.database();
  extension->owner = ctx.session.current_role();
  extension->name = name;
  extension->definition = stored.encode();
  if (!info->comment.empty()) {
    auto comment = std::make_shared<ObjectDef>();
    comment->kind = ObjectKind::kComment;
    comment->oid = ctx.allocate_oid();
    comment->parent = extension->oid;
    comment->owner = extension->owner;
    comment->name = comment_name(catalog_oid::kExtension, 0);
    comment->definition = info->comment;
    changes.put(std::move(comment));
  }
  changes.put(std::move(extension));
  co_return ctx.apply(changes);
}

namespace {

struct FunctionOptions {
  std::string language;
  std::vector<std::string> as;
  bool strict = false;
};

Result<FunctionOptions> function_options(const PgQuery__CreateFunctionStmt& node) {
  FunctionOptions out;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "language") out.language = option_text(option);
    if (key == "strict") out.strict = option_text(option) == "true";
    if (key == "as" && option.arg != nullptr && option.arg->node_case == PG_QUERY__NODE__NODE_LIST)
      for (std::size_t p = 0; p < option.arg->list->n_items; ++p) out.as.emplace_back(string_value(option.arg->list->items[p]));
  }
  if (out.language.empty()) {
    if (node.sql_body != nullptr) out.language = "sql";
    else return Status{sqlstate::invalid_function_definition, "no language specified"};
  }
  return out;
}

Result<FunctionObject> declared_function(DdlContext& ctx, const PgQuery__CreateFunctionStmt& node, const FunctionOptions& options) {
  FunctionObject function;
  function.name = string_value(node.funcname[node.n_funcname - 1]);
  function.is_procedure = node.is_procedure;
  function.strict = options.strict;
  bool named = false;
  for (std::size_t i = 0; i < node.n_parameters; ++i) {
    const PgQuery__FunctionParameter& parameter = *node.parameters[i]->function_parameter;
    if (parameter.mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_IN && parameter.mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_DEFAULT)
      return feature_not_supported("native procedures have IN parameters alone");
    if (parameter.defexpr != nullptr) return feature_not_supported("parameters of native procedures cannot have defaults");
    WANDIAN_ASSIGN(const ResolvedType type, resolve_type(*parameter.arg_type, ctx.statement.text));
    function.arguments.push_back(type.type);
    function.argument_names.emplace_back(text_or_empty(parameter.name));
    named = named || !function.argument_names.back().empty();
  }
  if (!named) function.argument_names.clear();
  function.result = type_oid::kVoid;
  if (node.return_type != nullptr) {
    if (node.return_type->setof) return feature_not_supported("native procedures cannot return sets");
    WANDIAN_ASSIGN(const ResolvedType type, resolve_type(*node.return_type, ctx.statement.text));
    function.result = type.type;
  } else if (!node.is_procedure) {
    return Status{sqlstate::invalid_function_definition, "function result type must be specified"};
  }
  return function;
}

}  // namespace

Task<Status> create_function(DdlContext& ctx) {
  const PgQuery__CreateFunctionStmt& node = *ctx.statement.node->create_function_stmt;
  Result<FunctionOptions> options = function_options(node);
  if (!options.ok()) co_return options.take_status();
  if (options->language == "sql" || options->language == "plpgsql") co_return co_await create_routine(ctx, options->language);
  if (options->language != "c") {
    if (options->language == "internal")
      co_return feature_not_supported("functions in language " + quoted(options->language) + " are not supported")
          .with_hint("Write a native procedure: CREATE FUNCTION ... LANGUAGE C AS 'module', 'symbol'.");
    co_return Status{sqlstate::undefined_object, "language " + quoted(options->language) + " does not exist"};
  }
  if (!ctx.session.is_superuser()) co_return Status{sqlstate::insufficient_privilege, "permission denied for language c"};
  if (options->as.empty()) co_return Status{sqlstate::invalid_function_definition, "no function body specified"};
  if (is_extension_library(options->as[0])) co_return co_await create_routine(ctx, options->language);
  Result<FunctionObject> declared = declared_function(ctx, node, options.value());
  if (!declared.ok()) co_return declared.take_status();
  FunctionObject function = declared.take();
  function.module = options->as[0];
  function.symbol = options->as.size() > 1 ? options->as[1] : function.name;
  ModuleSource* modules = ddl_services().modules;
  if (modules == nullptr)
    co_return Status{sqlstate::undefined_file, "could not access file " + quoted(function.module) + ": this server loads no modules"};
  Result<NativeProcedure> native = modules->find_procedure(function.module, function.symbol);
  if (!native.ok()) co_return native.take_status();
  if (native->arguments != function.arguments || native->result != function.result) {
    FunctionObject theirs;
    theirs.name = native->name;
    theirs.arguments = native->arguments;
    co_return Status{sqlstate::invalid_function_definition, "procedure " + quoted(function.symbol) + " of module " + quoted(function.module) + " has another signature"}
        .with_detail("The module declares " + signature(ctx, theirs) + " returning " +
                     ctx.session.object_name(ObjectClass::kType, native->result).value_or("?") + ".");
  }
  Result<Oid> schema = node.n_funcname > 1 ? ctx.find_schema(string_value(node.funcname[node.n_funcname - 2])) : ctx.session.creation_schema();
  if (!schema.ok()) co_return schema.take_status();
  std::shared_ptr<ObjectDef> object = function_object(ctx, schema.value(), function);
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), object->name));
  const auto old = ctx.catalog()->find_object(ObjectKind::kFunction, schema.value(), object->name);
  if (old != nullptr) {
    if (!node.replace) co_return Status{sqlstate::duplicate_function, "function " + quoted(function.name) + " already exists with same argument types"};
    const auto before = FunctionObject::decode(old->definition);
    if (before && before->result != function.result)
      co_return Status{sqlstate::invalid_function_definition, "cannot change return type of existing function"}.with_hint(
          "Use DROP FUNCTION " + signature(ctx, function) + " first.");
  }
  object->oid = old != nullptr ? old->oid : ctx.allocate_oid();
  Changes changes;
  changes.put(std::move(object));
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
