// Calls of functions and procedures that users wrote: which of them a call means, arguments by name, defaults, their columns.
#include <algorithm>
#include <charconv>

#include "sql/bind/internal.h"
#include "sql/bind/routine_arguments.h"
#include "sql/messages.h"
#include "sql/plpgsql/parser.h"
#include "sql/routine/routine.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// The declared position of each given argument. False: the function cannot be called with these.
bool place_arguments(const Routine& routine, std::span<const std::string_view> names, std::vector<std::uint16_t>* positions) {
  const FunctionObject& declared = routine.declaration;
  std::vector<std::uint8_t> given(routine.inputs.size(), 0);
  positions->clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t position = i;
    if (!names[i].empty()) {
      position = 0;
      while (position < routine.inputs.size() && declared.parameters[routine.inputs[position]].name != names[i]) ++position;
    }
    if (position >= routine.inputs.size() || given[position] != 0) return false;
    given[position] = 1;
    positions->push_back(static_cast<std::uint16_t>(position));
  }
  for (std::size_t i = 0; i < given.size(); ++i)
    if (given[i] == 0 && !declared.parameters[routine.inputs[i]].has_default) return false;
  return true;
}

}  // namespace

std::vector<const Expr*> Binder::bind_arguments(Scope& scope, const PgQuery__FuncCall& call, std::vector<std::string_view>* names) {
  std::vector<const Expr*> args;
  names->clear();
  for (std::size_t i = 0; i < call.n_args; ++i) {
    const ParseNode* node = call.args[i];
    std::string_view name;
    if (node->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
      const PgQuery__NamedArgExpr& named = *node->named_arg_expr;
      name = arena_.copy(text_or_empty(named.name));
      if (std::find(names->begin(), names->end(), name) != names->end())
        fail(at(Status{sqlstate::syntax_error, "argument name " + quoted(name) + " used more than once"}, named.location));
      node = named.arg;
    } else if (!names->empty() && !names->back().empty()) {
      fail(at(Status{sqlstate::syntax_error, "positional argument cannot follow named argument"}, bind_expr(scope, node)->location));
    }
    args.push_back(bind_expr(scope, node));
    names->push_back(name);
  }
  return args;
}

namespace {

// The routines of a schema that have this name; what they may be called with is for the caller to say.
// Without a schema the name is an OID.
std::vector<Candidate> routines_named(const Catalog& catalog, Oid schema, std::string_view name) {
  std::vector<Candidate> out;
  const auto& objects = catalog.objects();
  if (schema == 0) {
    std::uint32_t oid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), oid);
    if (error != std::errc{} || end != name.data() + name.size()) return out;
    const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kFunction, oid);
    if (object == nullptr || object->compiled == nullptr) return out;
    Candidate& candidate = out.emplace_back();
    candidate.function = &routine_of(*object)->def;
    candidate.object = object;
    return out;
  }
  for (auto it = objects.lower_bound({ObjectKind::kFunction, 0}); it != objects.end() && it->first.first == ObjectKind::kFunction; ++it) {
    const std::shared_ptr<const ObjectDef>& object = it->second;
    if (object->parent != schema || object->compiled == nullptr) continue;
    const Routine& routine = *routine_of(*object);
    if (routine.declaration.name != name) continue;
    Candidate& candidate = out.emplace_back();
    candidate.function = &routine.def;
    candidate.object = object;
  }
  return out;
}

}  // namespace

void Binder::add_routine_candidates(std::string_view schema, std::string_view name, std::span<const std::string_view> names, bool variadic,
                                    bool procedures, std::vector<Candidate>* candidates) {
  const bool named = std::any_of(names.begin(), names.end(), [](std::string_view n) { return !n.empty(); });
  std::vector<Candidate> found;
  const auto add_schema = [&](Oid parent) {
    for (Candidate& candidate : routines_named(catalog(), parent, name)) {
      const Routine& routine = *candidate.function->routine;
      if (procedures && !routine.declaration.is_procedure) continue;
      candidate.args = routine.def.args;
      if (named) {
        if (!place_arguments(routine, names, &candidate.positions)) continue;
        candidate.args.clear();
        for (const std::uint16_t position : candidate.positions) candidate.args.push_back(routine.def.args[position]);
      } else {
        const std::size_t count = names.size();
        if (routine.def.variadic != 0 && !variadic) {
          const std::size_t fixed = candidate.args.size() - 1;
          if (count >= fixed + 1) {
            candidate.args.resize(fixed);
            candidate.args.resize(count, routine.def.variadic);
            candidate.variadic_from = static_cast<int>(fixed);
          }
        }
        if (variadic && routine.def.variadic == 0) continue;
        if (candidate.args.size() > count && candidate.args.size() - count <= routine.defaults && candidate.variadic_from < 0) {
          candidate.defaults_used = static_cast<unsigned>(candidate.args.size() - count);
          candidate.args.resize(count);
        }
        if (candidate.args.size() != count) continue;
      }
      found.push_back(std::move(candidate));
    }
  };
  if (schema.empty()) {
    for (const Oid parent : context_.search_path) add_schema(parent);
  } else if (schema == "pg_temp") {
    if (context_.temporary_schema != 0) add_schema(context_.temporary_schema);
  } else if (schema == "pg_catalog") {
    add_schema(0);   // a stored definition names functions by OID
  } else if (const auto parent = catalog().find_schema(context_.database, schema)) {
    add_schema(*parent);
  }
  // A candidate that had to be expanded loses against one with the same arguments that had not; then the search path decides.
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return (a.variadic_from >= 0) + (a.defaults_used > 0) < (b.variadic_from >= 0) + (b.defaults_used > 0);
  });
  for (Candidate& candidate : found) {
    const bool hidden = std::any_of(candidates->begin(), candidates->end(), [&](const Candidate& earlier) {
      return earlier.args == candidate.args && (earlier.defaults_used == 0) >= (candidate.defaults_used == 0) &&
             (earlier.object == nullptr || earlier.object->parent != candidate.object->parent || candidate.defaults_used == 0);
    });
    if (!hidden) candidates->push_back(std::move(candidate));
  }
}

std::vector<const Expr*> Binder::routine_arguments(const Candidate& chosen, std::vector<const Expr*> args, std::vector<Oid>* declared,
                                                   int location) {
  const Routine& routine = *chosen.function->routine;
  if (chosen.variadic_from >= 0) {
    const auto from = static_cast<std::size_t>(chosen.variadic_from);
    const std::vector<const Expr*> tail(args.begin() + chosen.variadic_from, args.end());
    args.resize(from);
    const Oid element = (*declared)[from];
    auto* array = make<ListExpr>(ExprKind::kArray);
    array->args = keep(tail);
    array->element_type = element;
    array->type = array_type_of(element);
    array->location = location;
    args.push_back(array);
    return args;
  }
  std::vector<const Expr*> out(routine.inputs.size(), nullptr);
  for (std::size_t i = 0; i < args.size(); ++i) out[chosen.positions.empty() ? i : chosen.positions[i]] = args[i];
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] != nullptr) continue;
    const FunctionObject::Parameter& parameter = routine.declaration.parameters[routine.inputs[i]];
    out[i] = bind_default(parameter.default_text, [&](const Expr* value) -> const Expr* {
      if (!is_polymorphic(parameter.type))
        return coerce_with_typmod(value, parameter.type, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
      else if (value->type == kUnknown)
        return coerce(value, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      return value;
    });
  }
  return out;
}

namespace {

bool is_strict_throughout(const Expr* expr) {
  return !any_node(expr, [](const Expr* node) {
    switch (node->kind) {
      case ExprKind::kConst: case ExprKind::kParam: case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kArrayCast: case ExprKind::kElement:
        return false;
      case ExprKind::kFunction: return !node->as<FunctionExpr>().function->strict;
      default: return true;
    }
  });
}

bool contains_mutable(const Expr* expr, Volatility least) {
  return any_node(expr, [&](const Expr* node) {
    if (node->kind == ExprKind::kSqlValue) return least == Volatility::kStable;
    if (node->kind != ExprKind::kFunction) return false;
    const Volatility volatility = node->as<FunctionExpr>().function->volatility;
    return volatility == Volatility::kVolatile || (least == Volatility::kStable && volatility == Volatility::kStable);
  });
}

}  // namespace

namespace {

// The query whose one column is what a function gives. Nullopt: the body is more than that.
std::optional<std::string> body_query(const Routine& routine, bool plpgsql_too) {
  if (routine.declaration.language == "sql") return routine.declaration.source;
  if (routine.declaration.language != "plpgsql" || !plpgsql_too) return std::nullopt;
  std::optional<std::string> expression = plpgsql::returned_expression(routine.declaration.source);
  if (!expression) return std::nullopt;
  return "SELECT " + *expression;
}

}  // namespace

// A strict function's body that is not strict itself.
const Expr* Binder::null_unless_given(const Expr* body, std::span<const Expr* const> args) {
  std::vector<CaseWhen> whens;
  auto* out = make<CaseExpr>();
  for (const Expr* arg : args) {
    auto* test = make<TestExpr>(ExprKind::kNullTest);
    test->type = kBool;
    test->test = TestOp::kIsNull;
    test->arg = arg;
    whens.push_back({test, make_null(arena_, body->type)});
  }
  if (whens.empty()) return body;
  out->whens = keep(whens);
  out->otherwise = body;
  out->type = body->type;
  out->typmod = body->typmod;
  out->collation = body->collation;
  return out;
}

// SELECT expression as the whole of a body in SQL: the expression takes the call's place, where that makes no difference but speed
// (PostgreSQL's inline_function()). Null: it does not.
const Expr* Binder::inline_call(const FunctionDef& function, std::span<const Expr* const> args, Oid result) {
  const Routine& routine = *function.routine;
  const FunctionObject& declared = routine.declaration;
  const bool always = context_.expand_calls;
  const std::optional<std::string> query_text = body_query(routine, always);
  if (!query_text || declared.returns_set || declared.security_definer || !declared.settings.empty() || result == kVoid ||
      result == kRecord || !routine.outputs.empty() || std::find(inlining_.begin(), inlining_.end(), &routine) != inlining_.end())
    return nullptr;
  Result<ParsedStatements> parsed = ParsedStatements::parse(*query_text);
  if (!parsed.ok() || parsed->statements().size() != 1 || parsed->statements()[0].node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return nullptr;
  const PgQuery__SelectStmt& select = *parsed->statements()[0].node->select_stmt;
  if (select.n_target_list != 1 || select.n_from_clause != 0 || select.where_clause != nullptr || select.n_group_clause != 0 ||
      select.having_clause != nullptr || select.n_sort_clause != 0 || select.limit_count != nullptr || select.limit_offset != nullptr ||
      select.with_clause != nullptr || select.n_distinct_clause != 0 || select.n_values_lists != 0 || select.larg != nullptr ||
      select.into_clause != nullptr || select.n_locking_clause != 0)
    return nullptr;
  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  RoutineArguments arguments(routine, types);
  BindContext context = context_;
  context.variables = &arguments;
  context.assign_to = nullptr;
  Binder inner(context, {}, arena_, {});
  inner.inlining_ = inlining_;
  inner.inlining_.push_back(&routine);
  const Expr* body = nullptr;
  try {
    const Query* query = inner.bind_select(select, nullptr);
    if (query->has_aggregates || query->has_target_sets || query->has_sublinks || query->targets.size() != 1) return nullptr;
    body = query->targets[0].expr;
    if (body->type != result) body = inner.coerce(body, result, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  } catch (const BindError&) {
    return nullptr;   // the call will say what is wrong with it
  }
  if (body == nullptr || contains_sublink(body)) return nullptr;
  if (declared.volatility == 'i' && contains_mutable(body, Volatility::kStable)) return nullptr;
  if (declared.volatility == 's' && contains_mutable(body, Volatility::kVolatile)) return nullptr;
  std::vector<unsigned> uses(args.size(), 0);
  any_node(body, [&](const Expr* node) {
    if (node->kind == ExprKind::kParam) ++uses[node->as<ParamExpr>().index];
    return false;
  });
  bool guarded = declared.strict && !is_strict_throughout(body);
  for (std::size_t i = 0; i < args.size(); ++i) guarded = guarded || (declared.strict && uses[i] == 0);
  if (guarded && !always) return nullptr;
  for (std::size_t i = 0; i < args.size() && !always; ++i) {
    const bool costly = contains_sublink(args[i]) || contains_volatile(args[i]) || contains_routine(args[i]);
    if (uses[i] != 1 && costly) return nullptr;
  }
  for (auto& table : inner.tables_) depend_on(std::move(table));
  for (const Oid called : inner.executed_) note_executed(called);
  for (auto& object : inner.objects_) depend_on(std::move(object));
  for (auto& sequence : inner.sequences_) sequences_.push_back(std::move(sequence));
  for (auto& made : inner.functions_) functions_.push_back(std::move(made));
  cacheable = cacheable && inner.cacheable;
  const Expr* in_place = rewrite(arena_, body, [&](const Expr* node) -> const Expr* {
    return node->kind == ExprKind::kParam ? args[node->as<ParamExpr>().index] : nullptr;
  });
  return guarded ? null_unless_given(in_place, args) : in_place;
}

const Expr* Binder::bind_routine_call(const Candidate& chosen, std::vector<const Expr*> args, bool variadic_array, std::size_t named, int location) {
  const Routine& routine = *chosen.function->routine;
  std::vector<Oid> types, declared = chosen.args;
  for (const Expr* arg : args) types.push_back(arg->type);
  if (routine.declaration.is_procedure) {
    fail(at(Status{sqlstate::wrong_object_type, signature_text(routine.declaration.name, types) + " is a procedure"}.with_hint(
                "To call a procedure, use CALL."),
            location));
  }
  if (routine.declaration.result == kTrigger)
    fail(Status{sqlstate::feature_not_supported, "trigger functions can only be called as triggers"}.with_context(
        "compilation of PL/pgSQL function " + quoted(routine.declaration.name) + " near line 1"));
  depend_on(chosen.object);
  Oid result = chosen.function->result;
  try {
    result = resolve_polymorphic(types, &declared, result, routine.declaration.name);
  } catch (BindError& error) {
    fail(at(std::move(error.status), location));
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (is_polymorphic(chosen.args[i]) && args[i]->type == kUnknown && is_polymorphic(declared[i]))
      args[i] = coerce(args[i], kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    else
      args[i] = coerce(args[i], declared[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (args[i] == nullptr) fail(at(Status{sqlstate::undefined_function, "function " + signature_text(routine.declaration.name, types) + " does not exist"}, location));
  }
  const std::size_t given_count = args.size();
  args = routine_arguments(chosen, std::move(args), &declared, location);
  if (const Expr* inlined = context_.keep_calls ? nullptr : inline_call(*chosen.function, args, result)) return inlined;
  // Who is to be printed keeps its own name.
  const FunctionDef* function = routine.built_in != nullptr && !context_.keep_calls ? routine.built_in : chosen.function;
  if (routine.declaration.result_relation != 0) {
    // Its columns are those that the relation has now.
    auto shaped = std::make_shared<FunctionDef>(*function);
    if (auto table = catalog().table(routine.declaration.result_relation)) {
      for (const ColumnDef& column : table->columns) {
        if (column.dropped) continue;
        shaped->out_names.push_back(arena_.copy(column.name));
        shaped->out_types.push_back(column.type);
      }
      depend_on(std::move(table));
    } else if (auto view = catalog().object(ObjectKind::kView, routine.declaration.result_relation)) {
      if (const auto definition = ViewDefinition::decode(view->definition)) {
        for (const ViewDefinition::Column& column : definition->columns) {
          shaped->out_names.push_back(arena_.copy(column.name));
          shaped->out_types.push_back(column.type);
        }
      }
      depend_on(std::move(view));
    } else {
      for (const RecordField& field : fields_of(routine.declaration.result_relation)) {
        if (field.dropped) continue;
        shaped->out_names.push_back(field.name);
        shaped->out_types.push_back(field.type);
      }
    }
    function = shaped.get();
    functions_.push_back(std::move(shaped));
  }
  auto* out = const_cast<FunctionExpr*>(make_call(function, keep(args), result, CallForm::kCall, location));
  out->variadic_array = variadic_array || chosen.variadic_from >= 0;
  if (chosen.variadic_from < 0 && (named > 0 || given_count < args.size())) note_given(out, chosen, given_count, named);
  return out;
}

// CALL p(...). False: there is no procedure of that name.
bool Binder::bind_routine_procedure(const PgQuery__FuncCall& call, BoundStatement* out) {
  const std::string_view name = string_value(call.funcname[call.n_funcname - 1]);
  const std::string_view schema = call.n_funcname > 1 ? string_value(call.funcname[call.n_funcname - 2]) : std::string_view{};
  if (!schema.empty() && !catalog().find_schema(context_.database, schema)) return false;
  Scope& scope = scopes_.emplace_back();
  scope.place = Place::kCall;
  std::vector<std::string_view> names;
  std::vector<const Expr*> args = bind_arguments(scope, call, &names);
  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  // OUT parameters stand in a CALL, too; what is given for them is not looked at.
  std::vector<Candidate> candidates;
  const auto add_schema = [&](Oid parent) {
    for (Candidate& candidate : routines_named(catalog(), parent, name)) {
      const Routine& routine = *candidate.function->routine;
      const std::vector<FunctionObject::Parameter>& parameters = routine.declaration.parameters;
      std::vector<std::uint8_t> given(parameters.size(), 0);
      bool fits = true;
      const bool variadic = !parameters.empty() && parameters.back().mode == 'v' && call.func_variadic == 0;
      for (std::size_t i = 0; i < names.size() && fits; ++i) {
        std::size_t position = i;
        if (!names[i].empty()) {
          position = 0;
          while (position < parameters.size() && parameters[position].name != names[i]) ++position;
        } else if (variadic && position >= parameters.size()) {
          position = parameters.size() - 1;
        }
        fits = position < parameters.size() && (given[position] == 0 || (variadic && position + 1 == parameters.size()));
        if (!fits) break;
        given[position] = 1;
        candidate.positions.push_back(static_cast<std::uint16_t>(position));
        const bool tail = variadic && position + 1 == parameters.size();
        candidate.args.push_back(tail ? routine.def.variadic : parameters[position].mode == 'o' ? kAny : parameters[position].type);
      }
      for (std::size_t i = 0; i < parameters.size() && fits; ++i) fits = given[i] != 0 || parameters[i].has_default;
      const bool hidden = std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& other) { return other.args == candidate.args; });
      if (fits && !hidden) candidates.push_back(std::move(candidate));
    }
  };
  if (schema.empty())
    for (const Oid parent : context_.search_path) add_schema(parent);
  else
    add_schema(*catalog().find_schema(context_.database, schema));
  if (candidates.empty()) return false;
  const int picked = choose_candidate(candidates, types);
  if (picked < 0) {
    if (picked == -1) return false;
    fail(at(Status{sqlstate::ambiguous_function, "procedure " + signature_text(name, types) + " is not unique"}.with_hint(
                "Could not choose a best candidate procedure. You might need to add explicit type casts."),
            call.location));
  }
  const Candidate& chosen = candidates[static_cast<std::size_t>(picked)];
  const Routine& routine = *chosen.function->routine;
  if (!routine.declaration.is_procedure) {
    fail(at(Status{sqlstate::wrong_object_type, signature_text(name, types) + " is not a procedure"}.with_hint("To call a function, use SELECT."),
            call.location));
  }
  depend_on(chosen.object);
  note_executed(chosen.object->oid);
  // The input parameters' values, in their order.
  std::vector<Oid> declared = chosen.args;
  (void)resolve_polymorphic(types, &declared, kVoid, name);
  const std::vector<FunctionObject::Parameter>& parameters = routine.declaration.parameters;
  std::vector<const Expr*> by_parameter(parameters.size(), nullptr);
  std::vector<const Expr*> tail;
  const bool variadic = !parameters.empty() && parameters.back().mode == 'v' && call.func_variadic == 0;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::size_t position = chosen.positions[i];
    if (parameters[position].mode == 'o') continue;
    const Expr* value = coerce(args[i], declared[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (variadic && position + 1 == parameters.size()) tail.push_back(value);
    else by_parameter[position] = value;
  }
  if (variadic) {
    auto* array = make<ListExpr>(ExprKind::kArray);
    array->args = keep(tail);
    array->element_type = routine.def.variadic;
    array->type = array_type_of(routine.def.variadic);
    by_parameter.back() = array;
  }
  std::vector<const Expr*> inputs;
  Candidate direct;
  direct.function = chosen.function;
  for (std::size_t i = 0; i < routine.inputs.size(); ++i) {
    if (by_parameter[routine.inputs[i]] == nullptr) continue;
    inputs.push_back(by_parameter[routine.inputs[i]]);
    direct.positions.push_back(static_cast<std::uint16_t>(i));
  }
  inputs = routine_arguments(direct, std::move(inputs), &declared, call.location);
  out->kind = BoundKind::kCallProcedure;
  out->procedure.routine = chosen.function;
  out->procedure.name = arena_.copy(name);
  std::vector<Oid> input_types;
  for (const Expr*& input : inputs) {
    input = fold(input);
    input_types.push_back(input->type);
  }
  input_types.push_back(kRecord);
  out->procedure.args = keep(inputs);
  out->procedure.types = keep(input_types);
  out->procedure.result_type = kRecord;
  out->procedure.is_call = true;
  for (const std::size_t position : routine.outputs) {
    TargetEntry target;
    target.expr = make_null(arena_, parameters[position].type);
    target.name = arena_.copy(parameters[position].name.empty() ? "column" + std::to_string(out->procedure_result.size() + 1) : parameters[position].name);
    out->procedure_result.push_back(target);
  }
  return true;
}

}  // namespace wandian::sql
