// Function calls: built-in functions, function-style casts, aggregates, and native procedures at statement level.
#include <algorithm>

#include "sql/bind/internal.h"

namespace wandian::sql {

using namespace type_oid;

std::string_view place_name(Place place) {
  switch (place) {
    case Place::kTarget: return "SELECT";
    case Place::kWhere:
    case Place::kConflictWhere: return "WHERE";
    case Place::kJoinOn: return "JOIN conditions";
    case Place::kFrom: return "functions in FROM";
    case Place::kHaving: return "HAVING";
    case Place::kFilter: return "FILTER";
    case Place::kGroupBy: return "GROUP BY";
    case Place::kOrderBy: return "ORDER BY";
    case Place::kDistinctOn: return "DISTINCT ON";
    case Place::kLimit: return "LIMIT";
    case Place::kOffset: return "OFFSET";
    case Place::kReturning: return "RETURNING";
    case Place::kValues: return "VALUES";
    case Place::kInsertTarget: return "VALUES";
    case Place::kUpdateSource: return "UPDATE";
    case Place::kCheck: return "check constraints";
    case Place::kDefault: return "DEFAULT expressions";
    case Place::kIndex: return "index expressions";
    case Place::kIndexPredicate: return "index predicates";
    case Place::kUsing: return "transform expressions";
    case Place::kExecute: return "EXECUTE parameters";
    case Place::kCall: return "CALL arguments";
    case Place::kCopyWhere: return "COPY FROM WHERE conditions";
    case Place::kMergeWhen: return "MERGE WHEN conditions";
  }
  return "";
}

namespace {

struct CallName {
  std::string_view schema, name;
};

CallName call_name(const PgQuery__FuncCall& call) {
  CallName out;
  if (call.n_funcname == 0) return out;
  out.name = string_value(call.funcname[call.n_funcname - 1]);
  if (call.n_funcname > 1) out.schema = string_value(call.funcname[call.n_funcname - 2]);
  return out;
}

bool is_builtin_schema(std::string_view schema) {
  return schema.empty() || schema == "pg_catalog" || schema == "information_schema";
}

std::string full_name(const CallName& call) {
  return call.schema.empty() ? std::string(call.name) : std::string(call.schema) + "." + std::string(call.name);
}

Status undefined_function(const CallName& call, std::span<const Oid> types, bool ambiguous) {
  const std::string signature = signature_text(full_name(call), types);
  if (ambiguous) {
    return Status{sqlstate::ambiguous_function, "function " + signature + " is not unique"}.with_hint(
        "Could not choose a best candidate function. You might need to add explicit type casts.");
  }
  return Status{sqlstate::undefined_function, "function " + signature + " does not exist"}.with_hint(
      "No function matches the given name and argument types. You might need to add explicit type casts.");
}

// What built-in functions take for arguments that were left out: no and nothing, but for these.
Value default_argument(std::string_view function, Oid type) {
  if (type == kBool) return Value::of_int(function == "jsonb_set" || function == "parse_ident" ? 1 : 0);
  return type == kFloat8 ? Value::of_double(0) : Value::of_int(0);
}

int exact_match(std::span<const Candidate> candidates, std::span<const Oid> types) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (std::equal(candidates[i].args.begin(), candidates[i].args.end(), types.begin(), types.end())) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

std::vector<Candidate> Binder::function_candidates(std::string_view name, std::size_t arg_count) {
  std::vector<Candidate> out;
  for (const FunctionDef* function : sql::find_functions(name)) {
    if (function->kind == 'a' || function->kind == 'w') continue;
    Candidate candidate;
    candidate.function = function;
    candidate.args = function->args;
    if (function->variadic != 0) {
      // f(fixed..., VARIADIC tail): the tail's arguments are matched one by one.
      const std::size_t fixed = function->args.size() - 1;
      if (arg_count < fixed + 1) continue;
      candidate.args.resize(fixed);
      candidate.args.resize(arg_count, function->variadic);
      candidate.variadic_from = static_cast<int>(fixed);
    }
    // Arguments with defaults may be left out at the end.
    if (candidate.args.size() > arg_count && candidate.args.size() - arg_count <= function->defaults) {
      candidate.defaults_used = static_cast<unsigned>(candidate.args.size() - arg_count);
      candidate.args.resize(arg_count);
    }
    if (candidate.args.size() == arg_count) out.push_back(std::move(candidate));
  }
  for (const AggregateDef* aggregate : sql::find_aggregates(name)) {
    Candidate candidate;
    candidate.aggregate = aggregate;
    candidate.args = aggregate->args;
    if (candidate.args.size() == arg_count) out.push_back(std::move(candidate));
  }
  // A candidate that had to be expanded loses against one with the same arguments that had not.
  std::stable_sort(out.begin(), out.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return (a.variadic_from >= 0) + a.defaults_used < (b.variadic_from >= 0) + b.defaults_used;
                   });
  std::vector<Candidate> unique;
  for (Candidate& candidate : out) {
    const bool repeated =
        std::any_of(unique.begin(), unique.end(), [&](const Candidate& earlier) { return earlier.args == candidate.args; });
    if (!repeated) unique.push_back(std::move(candidate));
  }
  return unique;
}

const Expr* Binder::bind_function_call(Scope& scope, const PgQuery__FuncCall& call) {
  const CallName called = call_name(call);
  const int location = call.location;
  if (call.over != nullptr) {
    fail(at(Status{sqlstate::feature_not_supported, "window functions are not supported"}, location));
  }
  if (call.agg_within_group != 0) {
    fail(at(Status{sqlstate::feature_not_supported, "WITHIN GROUP is not supported"}, location));
  }
  const bool is_aggregate_name = is_builtin_schema(called.schema) && !sql::find_aggregates(called.name).empty();
  const bool outer_aggregate = std::exchange(scope.in_aggregate, scope.in_aggregate || is_aggregate_name);
  std::vector<const Expr*> args;
  std::vector<Oid> types;
  for (std::size_t i = 0; i < call.n_args; ++i) {
    const Expr* arg = bind_expr(scope, call.args[i]);
    args.push_back(arg);
    types.push_back(arg->type);
  }
  scope.in_aggregate = outer_aggregate;

  if (!is_builtin_schema(called.schema) && called.schema != "pg_temp" && !catalog().find_schema(context_.database, called.schema)) {
    fail(at(Status{sqlstate::invalid_schema_name, "schema \"" + std::string(called.schema) + "\" does not exist"}, location));
  }
  std::vector<Candidate> candidates;
  if (is_builtin_schema(called.schema)) candidates = function_candidates(called.name, args.size());
  if (call.func_variadic != 0) {
    // The array is given as such: match the declared arguments.
    candidates.clear();
    for (const FunctionDef* function : sql::find_functions(called.name)) {
      if (function->variadic == 0 || function->args.size() != args.size()) continue;
      Candidate candidate;
      candidate.function = function;
      candidate.args = function->args;
      candidates.push_back(std::move(candidate));
    }
  }
  if (call.agg_star != 0) {
    const bool plain_function = !candidates.empty() && candidates[0].aggregate == nullptr;
    std::erase_if(candidates, [](const Candidate& candidate) { return candidate.aggregate == nullptr; });
    if (candidates.empty() && plain_function) {
      fail(at(Status{sqlstate::wrong_object_type, std::string(called.name) + "(*) specified, but " + std::string(called.name) +
                                                      " is not an aggregate function"},
              location));
    }
  }
  int chosen = exact_match(candidates, types);
  if (chosen < 0 && args.size() == 1 && is_builtin_schema(called.schema) && call.agg_distinct == 0 && call.n_agg_order == 0) {
    // f(x) with f a type's name: a cast, if it needs no function of another name.
    if (const TypeInfo* info = find_type(called.name); info != nullptr && info->category != 'P') {
      bool cast = types[0] == kUnknown;
      if (!cast) {
        const FunctionDef* function = nullptr;
        const CoercePath path = find_coercion(info->oid, types[0], CoerceContext::kExplicit, &function);
        cast = path == CoercePath::kRelabel || (path == CoercePath::kIo && !(types[0] == kRecord && info->category == 'S'));
      }
      if (cast) return coerce(args[0], info->oid, -1, CoerceContext::kExplicit, CallForm::kCall, location);
    }
  }
  if (chosen < 0) chosen = choose_candidate(candidates, types);
  if (chosen < 0) {
    std::vector<ProcedureSignature> procedures;
    if (find_procedure_call(call, &procedures)) {
      fail(at(Status{sqlstate::feature_not_supported, "function " + full_name(called) + " is a native procedure and cannot be part of an expression"}
                  .with_hint("Call it as a statement of its own: SELECT " + full_name(called) + "(...) or CALL " + full_name(called) + "(...)."),
              location));
    }
    if (call.agg_star != 0) {
      fail(at(Status{sqlstate::undefined_function, "function " + full_name(called) + "() does not exist"}.with_hint(
                  "No function matches the given name and argument types. You might need to add explicit type casts."),
              location));
    }
    fail(at(undefined_function(called, types, chosen == -2), location));
  }
  const Candidate& candidate = candidates[static_cast<std::size_t>(chosen)];

  std::vector<Oid> declared = candidate.args;
  Oid result = candidate.function != nullptr ? candidate.function->result : candidate.aggregate->result;
  try {
    result = resolve_polymorphic(types, &declared, result, called.name);
  } catch (BindError& error) {
    fail(at(std::move(error.status), location));
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (declared[i] == kAny && args[i]->type == kUnknown && called.name == "pg_typeof") continue;
    if (declared[i] == kAny && args[i]->type == kUnknown) {
      // "any" takes what comes; a literal of no type yet is text for all that look at it.
      args[i] = coerce(args[i], kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      continue;
    }
    const Expr* coerced = coerce(args[i], declared[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (coerced == nullptr) fail(at(undefined_function(called, types, false), location));
    args[i] = coerced;
  }
  for (unsigned i = 0; i < candidate.defaults_used; ++i) {
    const Oid type = candidate.function->args[args.size()];
    args.push_back(make_constant(arena_, type, -1, default_argument(candidate.function->name, type)));
  }
  if (candidate.aggregate != nullptr) return bind_aggregate(scope, call, candidate, std::move(args), called.name);

  const auto not_aggregate = [&](std::string_view what) {
    fail(at(Status{sqlstate::wrong_object_type,
                   std::string(what) + " specified, but " + std::string(called.name) + " is not an aggregate function"},
            location));
  };
  if (call.agg_distinct != 0) not_aggregate("DISTINCT");
  if (call.n_agg_order > 0) not_aggregate("ORDER BY");
  if (call.agg_filter != nullptr) not_aggregate("FILTER");
  bool collected = call.func_variadic != 0;
  if (candidate.variadic_from >= 0) {
    const auto from = static_cast<std::size_t>(candidate.variadic_from);
    const std::vector<const Expr*> tail(args.begin() + candidate.variadic_from, args.end());
    args.resize(from);
    if (candidate.function->variadic == kAny) {
      // VARIADIC "any": the tail keeps its types, as the fields of a record.
      auto* row = make<RowExpr>();
      row->args = keep(tail);
      row->type = kRecord;
      row->location = location;
      args.push_back(row);
    } else {
      auto* array = make<ListExpr>(ExprKind::kArray);
      array->args = keep(tail);
      array->element_type = declared[from];
      array->type = array_type_of(declared[from]);
      array->location = location;
      args.push_back(array);
    }
    collected = true;
  }
  if (candidate.function->returns_set) {
    switch (scope.place) {
      case Place::kTarget: case Place::kGroupBy: case Place::kOrderBy: case Place::kDistinctOn: case Place::kInsertTarget:
        if (scope.in_aggregate) {
          fail(at(Status{sqlstate::feature_not_supported, "aggregate function calls cannot contain set-returning function calls"}.with_hint(
                      "You might be able to move the set-returning function into a LATERAL FROM item."),
                  location));
        }
        if (scope.query != nullptr) scope.query->has_target_sets = true;
        break;
      case Place::kFrom: break;
      default:
        fail(at(Status{sqlstate::feature_not_supported,
                       "set-returning functions are not allowed in " + std::string(place_name(scope.place))},
                location));
    }
  }
  auto* out = const_cast<FunctionExpr*>(make_call(
      candidate.function, keep(args), result,
      call.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX ? CallForm::kSqlSyntax : CallForm::kCall, location));
  out->variadic_array = collected;
  return out;
}

void Binder::check_aggregate_place(Scope& scope, std::string_view what, int location) {
  switch (scope.place) {
    case Place::kTarget: case Place::kHaving: case Place::kOrderBy: case Place::kDistinctOn: break;
    default:
      fail(at(Status{sqlstate::grouping_error, std::string(what) + " are not allowed in " + std::string(place_name(scope.place))}, location));
  }
}

const Expr* Binder::bind_aggregate(Scope& scope, const PgQuery__FuncCall& call, const Candidate& chosen, std::vector<const Expr*> args,
                                   std::string_view name) {
  const int location = call.location;
  auto* out = make<AggregateExpr>();
  out->aggregate = chosen.aggregate;
  out->location = location;
  out->star = call.agg_star != 0;
  out->distinct = call.agg_distinct != 0;
  if (args.empty() && !out->star) {
    fail(at(Status{sqlstate::wrong_object_type, std::string(name) + "(*) must be used to call a parameterless aggregate function"}, location));
  }
  if (call.agg_filter != nullptr) out->filter = bind_condition(scope, call.agg_filter, Place::kFilter, "FILTER");

  std::vector<SortKey> order;
  for (std::size_t i = 0; i < call.n_agg_order; ++i) {
    const PgQuery__SortBy& by = *call.agg_order[i]->sort_by;
    SortKey key;
    const bool outer = std::exchange(scope.in_aggregate, true);
    key.expr = bind_expr(scope, by.node);
    scope.in_aggregate = outer;
    if (key.expr->type == kUnknown) key.expr = coerce(key.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    // The same expression as an argument is that argument, with its coercion.
    for (std::size_t k = 0; k < args.size(); ++k) {
      const Expr* arg = args[k];
      while (arg->kind == ExprKind::kRelabel) arg = arg->as<UnaryExpr>().arg;
      if (equal(key.expr, arg) || equal(key.expr, args[k])) key.expr = args[k];
    }
    key.descending = by.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    key.nulls_first = by.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
                      (by.sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST && key.descending);
    if (!is_order_by_type(key.expr->type)) {
      fail(at(Status{sqlstate::undefined_function, "could not identify an ordering operator for type " + type_text(key.expr->type)}.with_hint(
                  "Use an explicit ordering operator or modify the query."),
              key.expr->location));
    }
    if (out->distinct && std::none_of(args.begin(), args.end(), [&](const Expr* arg) { return equal(arg, key.expr); })) {
      fail(at(Status{sqlstate::invalid_column_reference,
                     "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"},
              key.expr->location));
    }
    order.push_back(key);
  }
  if (out->distinct) {
    for (const Expr* arg : args) {
      if (is_order_by_type(arg->type)) continue;
      fail(at(Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(arg->type)}, arg->location));
    }
  }
  // An aggregate belongs to the innermost query whose columns it aggregates.
  int lowest = INT32_MAX;
  int nested = -1;   // where an aggregate stands inside
  const auto look = [&](const Expr* expr) {
    any_node(expr, [&](const Expr* node) {
      if (node->kind == ExprKind::kColumn) lowest = std::min<int>(lowest, node->as<ColumnExpr>().levels_up);
      if (node->kind == ExprKind::kSubLink) {
        any_query_expr(*node->as<SubLinkExpr>().query, true, [&](const Expr* inner, int level) {
          if (inner->kind == ExprKind::kColumn) {
            const int up = inner->as<ColumnExpr>().levels_up - level - 1;
            if (up >= 0) lowest = std::min(lowest, up);
          }
          return false;
        });
      }
      if (node->kind == ExprKind::kAggregate && nested < 0) nested = node->location;
      return false;
    });
  };
  for (const Expr* arg : args) look(arg);
  for (const SortKey& key : order) look(key.expr);
  look(out->filter);
  if (nested >= 0) fail(at(Status{sqlstate::grouping_error, "aggregate function calls cannot be nested"}, nested));
  if (lowest != INT32_MAX && lowest > 0) {
    fail(at(Status{sqlstate::feature_not_supported, "aggregates over the columns of an outer query are not supported"}, location));
  }
  check_aggregate_place(scope, "aggregate functions", location);

  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  std::vector<Oid> declared = chosen.args;
  const Oid result = resolve_polymorphic(types, &declared, chosen.aggregate->result, name);
  types.push_back(result);
  out->args = keep(args);
  out->types = keep(types);
  out->order_by = keep(order);
  out->type = result;
  if (scope.query != nullptr) {
    scope.query->has_aggregates = true;
    scope.query->grouped = true;
  }
  return out;
}

bool Binder::find_procedure_call(const PgQuery__FuncCall& call, std::vector<ProcedureSignature>* found) {
  if (context_.procedures == nullptr) return false;
  const CallName called = call_name(call);
  if (called.schema.empty()) {
    if (!sql::find_functions(called.name).empty() || !sql::find_aggregates(called.name).empty()) return false;
    for (const Oid schema : context_.search_path) context_.procedures->find_procedures(catalog(), schema, called.name, found);
  } else if (const auto schema = catalog().find_schema(context_.database, called.schema)) {
    context_.procedures->find_procedures(catalog(), *schema, called.name, found);
  }
  return !found->empty();
}

void Binder::bind_procedure_call(const PgQuery__FuncCall& call, BoundStatement* out, bool is_call) {
  const CallName called = call_name(call);
  std::vector<ProcedureSignature> procedures;
  const bool any = find_procedure_call(call, &procedures);
  if (call.agg_star != 0 || call.agg_distinct != 0 || call.agg_filter != nullptr || call.n_agg_order > 0) {
    fail(at(Status{sqlstate::wrong_object_type, std::string(called.name) + " is not an aggregate function"}, call.location));
  }
  Scope& scope = scopes_.emplace_back();
  scope.place = Place::kCall;
  std::vector<const Expr*> args;
  std::vector<Oid> types;
  for (std::size_t i = 0; i < call.n_args; ++i) {
    args.push_back(bind_expr(scope, call.args[i]));
    types.push_back(args.back()->type);
  }
  if (!any) {
    if (is_call && is_builtin_schema(called.schema) && !sql::find_functions(called.name).empty()) {
      fail(at(Status{sqlstate::wrong_object_type, signature_text(full_name(called), types) + " is not a procedure"}.with_hint(
                  "To call a function, use SELECT."),
              call.location));
    }
    if (is_call) {
      fail(at(Status{sqlstate::undefined_function, "procedure " + signature_text(full_name(called), types) + " does not exist"}.with_hint(
                  "No procedure matches the given name and argument types. You might need to add explicit type casts."),
              call.location));
    }
    fail(at(undefined_function(called, types, false), call.location));
  }
  std::vector<Candidate> candidates;
  for (const ProcedureSignature& procedure : procedures) {
    Candidate candidate;
    candidate.procedure = &procedure;
    candidate.args = procedure.args;
    const bool hidden = std::any_of(candidates.begin(), candidates.end(),
                                    [&](const Candidate& earlier) { return earlier.args == candidate.args; });
    if (candidate.args.size() == args.size() && !hidden) candidates.push_back(std::move(candidate));
  }
  int chosen = exact_match(candidates, types);
  if (chosen < 0) chosen = choose_candidate(candidates, types);
  if (chosen < 0) {
    Status status = undefined_function(called, types, chosen == -2);
    if (is_call && chosen == -1) {
      status = Status{sqlstate::undefined_function, "procedure " + signature_text(full_name(called), types) + " does not exist"}.with_hint(
          "No procedure matches the given name and argument types. You might need to add explicit type casts.");
    }
    fail(at(std::move(status), call.location));
  }
  const ProcedureSignature& procedure = *candidates[static_cast<std::size_t>(chosen)].procedure;
  for (std::size_t i = 0; i < args.size(); ++i) {
    args[i] = coerce(args[i], procedure.args[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    args[i] = fold(args[i]);
  }
  out->kind = BoundKind::kCallProcedure;
  out->procedure.id = procedure.id;
  out->procedure.name = arena_.copy(called.name);
  out->procedure.args = keep(args);
  out->procedure.result_type = procedure.result_type;
  out->procedure.is_call = is_call;
  if (procedure.object != nullptr) depend_on(procedure.object);
}

}  // namespace wandian::sql
