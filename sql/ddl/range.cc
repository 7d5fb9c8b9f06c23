// CREATE TYPE ... AS RANGE: the range type, its multirange type, and the functions that make values of them.
#include <algorithm>

#include "sql/bind/binder.h"
#include "sql/catalog/producers.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

struct RangeOptions {
  const PgQuery__DefElem *subtype = nullptr, *opclass = nullptr, *collation = nullptr, *canonical = nullptr, *difference = nullptr, *multirange = nullptr;
};

Status read_range_options(DdlContext& ctx, const PgQuery__CreateRangeStmt& node, RangeOptions* out) {
  for (std::size_t i = 0; i < node.n_params; ++i) {
    const PgQuery__DefElem& option = *node.params[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    const PgQuery__DefElem** slot = key == "subtype"                ? &out->subtype
                                    : key == "subtype_opclass"      ? &out->opclass
                                    : key == "collation"            ? &out->collation
                                    : key == "canonical"            ? &out->canonical
                                    : key == "subtype_diff"         ? &out->difference
                                    : key == "multirange_type_name" ? &out->multirange
                                                                    : nullptr;
    if (slot == nullptr) return Status{sqlstate::syntax_error, "type attribute " + quoted(key) + " not recognized"};
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    if (option.arg == nullptr) return Status{sqlstate::syntax_error, std::string(key) + " requires a parameter"};
    *slot = &option;
  }
  if (out->subtype == nullptr) return Status{sqlstate::syntax_error, "type attribute \"subtype\" is required"};
  return {};
}

// A name, perhaps with a schema, as an option has it: the grammar reads it as that of a type.
std::vector<std::string> option_names(const PgQuery__DefElem& option) {
  const ParseNode& arg = *option.arg;
  if (arg.node_case == PG_QUERY__NODE__NODE_TYPE_NAME) return name_list(arg.type_name->names, arg.type_name->n_names);
  if (arg.node_case == PG_QUERY__NODE__NODE_LIST) return name_list(arg.list->items, arg.list->n_items);
  return {std::string(string_value(&arg))};
}

Status read_subtype(DdlContext& ctx, const PgQuery__DefElem& option, Oid* out) {
  if (option.arg->node_case != PG_QUERY__NODE__NODE_TYPE_NAME) {
    WANDIAN_ASSIGN(*out, find_type_oid(ctx, option_names(option)));
  } else {
    Result<ResolvedType> type = resolve_type(*option.arg->type_name, ctx.statement.text);
    if (!type.ok()) {
      // PostgreSQL does not say where in the statement it is.
      Status status = type.take_status();
      status.error().position = 0;
      return status;
    }
    *out = type.value().type;
  }
  if (type_kind(*out) == 'p') return Status{sqlstate::datatype_mismatch, "range subtype cannot be " + format_type(*out)};
  return ctx.may_use_type(*out);
}

// Only default classes give a type the order that it has everywhere else.
Status check_subtype_class(const PgQuery__DefElem* option, Oid subtype) {
  if (option == nullptr) {
    const TypeInfo* info = find_type(base_type(subtype));
    if (info != nullptr && info->order != Order::kNone) return {};
    return Status{sqlstate::undefined_object, "data type " + format_type(subtype) + " has no default operator class for access method \"btree\""}.with_hint(
        "You must specify an operator class for the range type or define a default operator class for the subtype.");
  }
  const std::vector<std::string> names = option_names(*option);
  bool known = false;
  for (const OperatorClass& one : operator_classes()) {
    if (one.method != kBtreeAccess || one.name != names.back()) continue;
    known = true;
    if (!accepts_type(one, base_type(subtype))) continue;
    if (one.is_default) return {};
    return feature_not_supported("operator class " + quoted(name_text(names)) + " is not supported for range types: it is not the default one of its type");
  }
  if (known) return Status{sqlstate::datatype_mismatch, "operator class " + quoted(name_text(names)) + " does not accept data type " + format_type(subtype)};
  return Status{sqlstate::undefined_object, "operator class " + quoted(name_text(names)) + " does not exist for access method \"btree\""};
}

Status read_range_collation(DdlContext& ctx, const PgQuery__DefElem* option, Oid subtype, std::string* out) {
  if (!is_collatable(subtype)) {
    if (option == nullptr) return {};
    return Status{sqlstate::wrong_object_type, "range collation specified but subtype does not support collation"};
  }
  if (option == nullptr) {
    const auto domain = type_kind(subtype) == 'd' ? ctx.catalog()->object(ObjectKind::kType, subtype) : nullptr;
    if (domain != nullptr) *out = definition_of(*domain).collation;
    return {};
  }
  std::span<PgQuery__Node* const> name;
  if (option->arg->node_case == PG_QUERY__NODE__NODE_TYPE_NAME) name = {option->arg->type_name->names, option->arg->type_name->n_names};
  else if (option->arg->node_case == PG_QUERY__NODE__NODE_LIST) name = {option->arg->list->items, option->arg->list->n_items};
  else name = {&option->arg, 1};
  WANDIAN_ASSIGN(*out, resolve_collation(name, ctx.bind_context()));
  return {};
}

struct DifferenceFunction {
  Oid oid = 0, result = 0;
  char volatility = 'i';
};

// f(subtype, subtype), one of PostgreSQL's or of users'.
std::optional<DifferenceFunction> find_difference(DdlContext& ctx, const std::vector<std::string>& names, Oid subtype) {
  const std::string_view schema = names.size() > 1 ? std::string_view(names[names.size() - 2]) : std::string_view();
  const std::vector<Oid> wanted{subtype, subtype};
  if (schema.empty() || schema == "pg_catalog")
    for (const FunctionDef* known : find_functions(names.back()))
      if (known->args == wanted) return DifferenceFunction{known->oid, known->result, static_cast<char>(known->volatility)};
  FunctionObject sought;
  sought.name = names.back();
  sought.arguments = wanted;
  const BindContext context = ctx.bind_context();
  std::vector<Oid> schemas(context.search_path.begin(), context.search_path.end());
  if (!schema.empty()) {
    const auto one = ctx.catalog()->find_schema(context.database, schema);
    schemas.assign(one ? 1 : 0, one.value_or(0));
  }
  for (const Oid where : schemas) {
    const auto object = ctx.catalog()->find_object(ObjectKind::kFunction, where, sought.object_name());
    const auto function = object != nullptr ? FunctionObject::decode(object->definition) : std::nullopt;
    if (function && !function->is_procedure) return DifferenceFunction{object->oid, function->result, function->volatility};
  }
  return std::nullopt;
}

Status read_difference(DdlContext& ctx, const PgQuery__DefElem* option, Oid subtype, Oid* out) {
  if (option == nullptr) return {};
  const std::vector<std::string> names = option_names(*option);
  const std::string shown = name_text(names) + "(" + format_type(subtype) + ", " + format_type(subtype) + ")";
  const std::optional<DifferenceFunction> found = find_difference(ctx, names, subtype);
  if (!found) return Status{sqlstate::undefined_function, "function " + shown + " does not exist"};
  if (found->result != type_oid::kFloat8)
    return Status{sqlstate::invalid_object_definition, "range subtype diff function " + shown + " must return type double precision"};
  if (found->volatility != 'i') return Status{sqlstate::invalid_object_definition, "range subtype diff function " + shown + " must be immutable"};
  if (found->oid >= kFirstUserOid) WANDIAN_TRY(check_privilege(ctx.access(), AclKind::kFunction, found->oid, privilege::kExecute));
  *out = found->oid;
  return {};
}

// "range" becomes "multirange"; a name without it gets "_multirange" behind it.
std::string multirange_name(const std::string& range) {
  const std::size_t at = range.find("range");
  if (at != std::string::npos) return truncate_identifier(range.substr(0, at) + "multi" + range.substr(at));
  constexpr std::string_view kEnd = "_multirange";
  constexpr std::size_t kMostBytes = 63;
  std::size_t size = std::min(range.size(), kMostBytes - kEnd.size());
  while (size < range.size() && size > 0 && (static_cast<unsigned char>(range[size]) & 0xc0) == 0x80) --size;
  return range.substr(0, size) + std::string(kEnd);
}

Task<Status> place_multirange(DdlContext& ctx, const PgQuery__DefElem* option, const NewType& range, NewType* out) {
  std::vector<std::string> names{ctx.schema_name(range.schema), multirange_name(range.name)};
  if (option != nullptr) names = option_names(*option);
  const std::string name = truncate_identifier(names.back());
  const bool same_schema = names.size() < 2 || names[names.size() - 2] == ctx.schema_name(range.schema);
  if (option != nullptr && name == range.name && same_schema)
    co_return Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\""}
        .with_detail("Key (typname, typnamespace)=(" + name + ", " + std::to_string(range.schema) + ") already exists.")
        .with_table("pg_catalog", "pg_type")
        .with_constraint("pg_type_typname_nsp_index");
  Status placed = co_await place_new_type(ctx, names, out);
  if (!placed.ok() && option == nullptr && placed.code() == sqlstate::duplicate_object)
    co_return std::move(placed)
        .with_detail("Failed while creating a multirange type for type " + quoted(range.name) + ".")
        .with_hint("You can manually specify a multirange type name using the \"multirange_type_name\" attribute.");
  co_return placed;
}

// The definition that must stay while a range over this subtype is made; 0: there is none.
Oid locked_type(DdlContext& ctx, Oid subtype) {
  const TypeInfo* info = find_type(subtype);
  const Oid of = info != nullptr && info->category == 'A' && info->element != 0 ? info->element : subtype;
  return ctx.catalog()->object(ObjectKind::kType, of) != nullptr ? of : 0;
}

// One of the functions that make values of a range type or its multirange type, which are code of the server's.
void add_constructor(DdlContext& ctx, const ObjectDef& type, const char* symbol, std::span<const Oid> arguments, bool variadic, Changes& changes) {
  FunctionObject function;
  function.name = type.name;
  function.language = "internal";
  function.source = symbol;
  function.arguments.assign(arguments.begin(), arguments.end());
  function.result = type.oid;
  function.strict = std::string_view(symbol).starts_with("multi");
  function.volatility = 'i';
  function.parallel = 's';
  for (const Oid argument : arguments) {
    FunctionObject::Parameter& parameter = function.parameters.emplace_back();
    parameter.type = argument;
    parameter.mode = variadic ? 'v' : 'i';
  }
  auto object = std::make_shared<ObjectDef>();
  object->kind = ObjectKind::kFunction;
  object->oid = ctx.allocate_oid();
  object->parent = type.parent;
  object->owner = type.owner;
  object->name = function.object_name();
  object->definition = function.encode();
  changes.put(std::move(object));
}

}  // namespace

Task<Status> create_range(DdlContext& ctx) {
  const PgQuery__CreateRangeStmt& node = *ctx.statement.node->create_range_stmt;
  NewType where;
  WANDIAN_CO_TRY(co_await place_new_type(ctx, name_list(node.type_name, node.n_type_name), &where));
  RangeOptions options;
  WANDIAN_CO_TRY(read_range_options(ctx, node, &options));
  UserType range;
  range.kind = 'r';
  WANDIAN_CO_TRY(read_subtype(ctx, *options.subtype, &range.base));
  WANDIAN_CO_TRY(check_subtype_class(options.opclass, range.base));
  WANDIAN_CO_TRY(read_range_collation(ctx, options.collation, range.base, &range.collation));
  // There are no types of which nothing but the name is known.
  if (options.canonical != nullptr)
    co_return Status{sqlstate::invalid_object_definition, "cannot specify a canonical function without a pre-created shell type"}.with_hint(
        "Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE.");
  WANDIAN_CO_TRY(read_difference(ctx, options.difference, range.base, &range.difference));
  NewType multirange_where;
  WANDIAN_CO_TRY(co_await place_multirange(ctx, options.multirange, where, &multirange_where));
  const Oid locked = locked_type(ctx, range.base);
  if (locked != 0) WANDIAN_CO_TRY(co_await lock_type_oid(ctx, locked, TableLock::kAccessShare));
  UserType multirange;
  multirange.kind = 'm';
  multirange.array = ctx.allocate_oid();
  range.array = ctx.allocate_oid();
  // Each names the other: the range, whose OID is the lower one, is declared first.
  const std::shared_ptr<ObjectDef> object = type_object(ctx, where, range);
  multirange.base = object->oid;
  const std::shared_ptr<ObjectDef> multirange_object = type_object(ctx, multirange_where, multirange);
  range.multirange = multirange_object->oid;
  object->definition = range.encode();
  Changes changes;
  changes.put(object);
  changes.put(multirange_object);
  const Oid bounds[] = {range.base, range.base, type_oid::kText};
  const Oid ranges[] = {object->oid, range.array};
  add_constructor(ctx, *object, "range_constructor2", std::span(bounds).first(2), false, changes);
  add_constructor(ctx, *object, "range_constructor3", bounds, false, changes);
  add_constructor(ctx, *multirange_object, "multirange_constructor0", {}, false, changes);
  add_constructor(ctx, *multirange_object, "multirange_constructor2", std::span(ranges).last(1), true, changes);
  add_constructor(ctx, *multirange_object, "multirange_constructor1", std::span(ranges).first(1), false, changes);
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
