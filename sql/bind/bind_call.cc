// Function calls: which function is meant, function-style casts, and native procedures at statement level.
#include <algorithm>

#include "sql/access/privileges.h"
#include "sql/bind/internal.h"
#include "sql/functions/citext.h"
#include "sql/messages.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

std::string_view place_name(Place place) {
  switch (place) {
    case Place::kTarget: return "SELECT";
    case Place::kWhere:
    case Place::kConflictWhere: return "WHERE";
    case Place::kJoinOn: return "JOIN conditions";
    case Place::kFrom: return "functions in FROM";
    case Place::kFromQuery: return "FROM clause of their own query level";
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
    case Place::kTriggerWhen: return "trigger WHEN conditions";
    case Place::kCopyWhere: return "COPY FROM WHERE conditions";
    case Place::kMergeWhen: return "MERGE WHEN conditions";
    case Place::kWindowPartition: return "window PARTITION BY";
    case Place::kWindowOrder: return "window ORDER BY";
    case Place::kWindowRange: return "window RANGE";
    case Place::kWindowRows: return "window ROWS";
    case Place::kWindowGroups: return "window GROUPS";
    case Place::kGenerated: return "column generation expressions";
    case Place::kPartitionKey: return "partition key expressions";
    case Place::kPartitionBound: return "partition bound";
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

Status undefined_function(const CallName& call, std::span<const Oid> types, bool ambiguous, std::span<const std::string_view> names = {}) {
  const std::string signature = signature_text(full_name(call), types, names);
  if (ambiguous) {
    return Status{sqlstate::ambiguous_function, "function " + signature + " is not unique"}.with_hint(
        "Could not choose a best candidate function. You might need to add explicit type casts.");
  }
  return Status{sqlstate::undefined_function, "function " + signature + " does not exist"}.with_hint(
      "No function matches the given name and argument types. You might need to add explicit type casts.");
}

// What built-in functions take for arguments that were left out: no and nothing, but for these.
Value default_argument(std::string_view function, Oid type) {
  if (type == kBool) return Value::of_int(function.starts_with("jsonb_set") || function == "parse_ident" ? 1 : 0);
  if (type == kJsonb) return Value::of_bytes(std::string_view("{}"));
  if (type == kText) return Value::of_bytes(std::string_view(function == "jsonb_set_lax" ? "use_json_null" : "NFC"));
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
    if (function->kind == 'a') continue;
    if (is_citext_object(function->oid) && !citext_schema(catalog(), context_.database)) continue;
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
    if (aggregate->variadic != 0 && arg_count > 0) candidate.args.assign(arg_count, aggregate->variadic);
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

std::vector<const Expr*> Binder::in_declared_order(const Candidate& candidate, std::span<const Expr* const> given) {
  const FunctionDef& function = *candidate.function;
  std::vector<const Expr*> out(function.args.size(), nullptr);
  for (std::size_t i = 0; i < given.size(); ++i) out[candidate.positions[i]] = given[i];
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == nullptr) out[i] = make_constant(arena_, function.args[i], -1, default_argument(function.name, function.args[i]));
  }
  return out;
}

std::vector<Candidate> Binder::named_candidates(std::string_view name, std::size_t arg_count, std::span<const std::string_view> names) {
  std::vector<Candidate> out;
  const std::size_t positional = arg_count - names.size();
  for (const FunctionDef* function : sql::find_functions(name)) {
    if (function->variadic != 0 || function->arg_names.size() != function->args.size() || function->args.size() < arg_count) continue;
    Candidate candidate;
    candidate.function = function;
    std::vector<bool> given(function->args.size(), false);
    const auto give = [&](std::size_t position) {
      candidate.positions.push_back(static_cast<std::uint16_t>(position));
      candidate.args.push_back(function->args[position]);
      given[position] = true;
    };
    for (std::size_t i = 0; i < positional; ++i) give(i);
    for (const std::string_view wanted : names) {
      const auto found = std::find(function->arg_names.begin(), function->arg_names.end(), wanted);
      const auto position = static_cast<std::size_t>(found - function->arg_names.begin());
      if (found == function->arg_names.end() || given[position]) break;
      give(position);
    }
    // What is left out must have a default; those are the last ones.
    const std::size_t required = function->args.size() - function->defaults;
    const bool complete = std::all_of(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(required), [](bool is) { return is; });
    if (complete && candidate.args.size() == arg_count) out.push_back(std::move(candidate));
  }
  return out;
}

// row.f, of something that has no such field: the function f of the row, or null.
const Expr* Binder::call_of_row(Scope& scope, const Expr* row, std::string_view function, int location) {
  if (row->type != kRecord && type_kind(base_type(row->type)) != 'c') return nullptr;
  const std::string name(function);
  PgQuery__String string = PG_QUERY__STRING__INIT;
  string.sval = const_cast<char*>(name.c_str());
  PgQuery__Node node = PG_QUERY__NODE__INIT;
  node.node_case = PG_QUERY__NODE__NODE_STRING;
  node.string = &string;
  PgQuery__Node* names[] = {&node};
  PgQuery__FuncCall call = PG_QUERY__FUNC_CALL__INIT;
  call.n_funcname = 1;
  call.funcname = names;
  call.location = location;
  return bind_function_call(scope, call, row);
}

namespace {

// The type that a call may mean as a cast; types that are relations are none.
const TypeInfo* type_called(std::string_view schema, std::string_view name) {
  if (is_builtin_schema(schema))
    if (const TypeInfo* info = find_type(name)) return info;
  TypeCatalog* const types = schema == "pg_catalog" ? nullptr : current_type_catalog();
  const TypeInfo* info = types != nullptr ? find_type(types->find_user_type(schema, name)) : nullptr;
  return info != nullptr && info->kind != 'c' ? info : nullptr;
}

}  // namespace

const Expr* Binder::bind_function_call(Scope& scope, const PgQuery__FuncCall& call, const Expr* row) {
  const CallName called = call_name(call);
  const int location = call.location;
  if (called.schema == "pg_catalog" && (called.name == kStoredAnd || called.name == kStoredOr)) {
    std::vector<const Expr*> conditions;
    for (std::size_t i = 0; i < call.n_args; ++i) conditions.push_back(bind_expr(scope, call.args[i]));
    return bool_list(called.name == kStoredAnd ? BoolOp::kAnd : BoolOp::kOr, std::move(conditions));
  }
  const bool within_group = call.agg_within_group != 0;
  const bool is_aggregate_name = call.over == nullptr && is_builtin_schema(called.schema) && !sql::find_aggregates(called.name).empty();
  const bool outer_aggregate = std::exchange(scope.in_aggregate, scope.in_aggregate || is_aggregate_name);
  std::vector<std::string_view> names;
  std::vector<const Expr*> args = row != nullptr ? std::vector<const Expr*>{row} : bind_arguments(scope, call, &names);
  if (row != nullptr) names.emplace_back();
  std::vector<Oid> types;
  // What WITHIN GROUP sorts are arguments, too: the last ones.
  for (std::size_t i = 0; within_group && i < call.n_agg_order; ++i) {
    args.push_back(bind_in_place(scope, call.agg_order[i]->sort_by->node, Place::kOrderBy));
    names.emplace_back();
  }
  for (const Expr* arg : args) types.push_back(arg->type);
  scope.in_aggregate = outer_aggregate;

  if (!is_builtin_schema(called.schema) && called.schema != "pg_temp" && !catalog().find_schema(context_.database, called.schema)) {
    fail(at(Status{sqlstate::invalid_schema_name, "schema \"" + std::string(called.schema) + "\" does not exist"}, location));
  }
  check_schema(called.schema, location);
  std::vector<Candidate> candidates;
  std::vector<std::string_view> given_names;   // of the last arguments
  std::copy_if(names.begin(), names.end(), std::back_inserter(given_names), [](std::string_view name) { return !name.empty(); });
  const bool named = !given_names.empty();
  if (is_builtin_schema(called.schema)) {
    candidates = named ? named_candidates(called.name, args.size(), given_names) : function_candidates(called.name, args.size());
  }
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
  add_routine_candidates(called.schema, called.name, names, call.func_variadic != 0, false, &candidates);
  if (call.agg_star != 0) {
    const auto is_plain = [](const Candidate& candidate) { return candidate.aggregate == nullptr && candidate.function->kind != 'w'; };
    const bool plain_function = !candidates.empty() && is_plain(candidates[0]);
    std::erase_if(candidates, is_plain);
    if (candidates.empty() && plain_function) {
      fail(at(Status{sqlstate::wrong_object_type, std::string(called.name) + "(*) specified, but " + std::string(called.name) +
                                                      " is not an aggregate function"},
              location));
    }
  }
  int chosen = exact_match(candidates, types);
  // Only a function of users can be declared with a domain; all others see the type it is made over.
  if (chosen < 0 && called.name != "pg_typeof") {
    for (std::size_t i = 0; i < args.size(); ++i) {
      args[i] = without_domain(args[i]);
      types[i] = args[i]->type;
    }
    chosen = exact_match(candidates, types);
  }
  if (chosen < 0 && row == nullptr && args.size() == 1 && call.agg_distinct == 0 && call.n_agg_order == 0 && call.over == nullptr && !named) {
    // f(x) with f a type's name: a cast, if it needs no function of another name.
    if (const TypeInfo* info = type_called(called.schema, called.name); info != nullptr && info->category != 'P') {
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
  if (chosen < 0 && row != nullptr) return nullptr;
  // f(row): its field f.
  const bool plain = call.agg_distinct == 0 && call.agg_star == 0 && call.n_agg_order == 0 && call.agg_filter == nullptr && call.over == nullptr &&
                     call.func_variadic == 0 && !named;
  if (chosen < 0 && plain && args.size() == 1 && call.n_funcname == 1)
    if (const Expr* field = find_field(scope, args[0], called.name, location)) return field;
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
    fail(at(undefined_function(called, types, chosen == -2, given_names), location));
  }
  const Candidate& candidate = candidates[static_cast<std::size_t>(chosen)];
  if (candidate.object != nullptr) note_executed(candidate.object->oid);
  else if (candidate.function != nullptr && is_restricted(catalog(), *candidate.function)) note_executed(candidate.function->oid);
  if (candidate.object != nullptr) {
    const std::string_view clause = call.agg_distinct != 0 ? "DISTINCT" : within_group ? "WITHIN GROUP" : call.n_agg_order > 0 ? "ORDER BY"
                                    : call.agg_filter != nullptr ? "FILTER" : call.over != nullptr ? "OVER" : "";
    if (!clause.empty()) {
      fail(at(Status{sqlstate::wrong_object_type, std::string(clause) + " specified, but " + std::string(called.name) + " is not " +
                                                      (clause == "OVER" ? "a window function nor an aggregate function" : "an aggregate function")},
              location));
    }
    if (candidate.function->returns_set) check_set_place(scope, location);
    return bind_routine_call(candidate, std::move(args), call.func_variadic != 0, given_names.size(), location);
  }
  const std::size_t direct = within_group ? args.size() - call.n_agg_order : 0;
  if (candidate.aggregate != nullptr) check_ordered_set(call, *candidate.aggregate, types, direct, full_name(called));
  if (candidate.aggregate != nullptr && candidate.aggregate->kind == 'h') unify_hypothetical(args, types, direct);

  std::vector<Oid> declared = candidate.args;
  Oid result = candidate.function != nullptr ? candidate.function->result : candidate.aggregate->result;
  result = resolve_polymorphic(types, &declared, result, called.name);
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (declared[i] == kAny && args[i]->type == kUnknown && (called.name == "pg_typeof" || called.name == "pg_column_size")) continue;
    if (declared[i] == kAny && args[i]->type == kUnknown) {
      // "any" takes what comes; a literal of no type yet is text for all that look at it.
      args[i] = coerce(args[i], kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      continue;
    }
    // What takes any record looks at the fields as their type has them.
    if (declared[i] == kRecord && type_kind(args[i]->type) == 'c') continue;
    const Expr* coerced = coerce(args[i], declared[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (coerced == nullptr) fail(at(undefined_function(called, types, false), location));
    args[i] = coerced;
  }
  const std::size_t given_count = args.size();
  if (!candidate.positions.empty()) args = in_declared_order(candidate, args);
  for (unsigned i = 0; i < candidate.defaults_used; ++i) {
    const Oid type = candidate.function->args[args.size()];
    args.push_back(make_constant(arena_, type, -1, default_argument(candidate.function->name, type)));
  }
  const bool is_window = candidate.function != nullptr && candidate.function->kind == 'w';
  if (is_window && call.over == nullptr) {
    fail(at(Status{sqlstate::wrong_object_type, "window function " + std::string(called.name) + " requires an OVER clause"}, location));
  }
  if (is_window && within_group) {
    fail(at(Status{sqlstate::wrong_object_type, "window function " + std::string(called.name) + " cannot have WITHIN GROUP"}, location));
  }
  if (is_window || (candidate.aggregate != nullptr && call.over != nullptr)) {
    return bind_window_call(scope, call, candidate, std::move(args), called.name, result);
  }
  if (candidate.aggregate != nullptr) return bind_aggregate(scope, call, candidate, std::move(args), direct, called.name);

  const auto not_aggregate = [&](std::string_view what, std::string_view instead = "an aggregate function") {
    fail(at(Status{sqlstate::wrong_object_type,
                   std::string(what) + " specified, but " + std::string(called.name) + " is not " + std::string(instead)},
            location));
  };
  if (call.agg_distinct != 0) not_aggregate("DISTINCT");
  if (within_group) not_aggregate("WITHIN GROUP");
  if (call.n_agg_order > 0) not_aggregate("ORDER BY");
  if (call.agg_filter != nullptr) not_aggregate("FILTER");
  if (call.over != nullptr) not_aggregate("OVER", "a window function nor an aggregate function");
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
  if (candidate.function->returns_set) check_set_place(scope, location);
  const FunctionDef* function = candidate.function;
  if (function->returns_set && function->collect_fn != nullptr && type_kind(base_type(result)) == 'c')
    function = with_row_columns(function, base_type(result));
  auto* out = const_cast<FunctionExpr*>(make_call(
      function, keep(args), result,
      call.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX ? CallForm::kSqlSyntax : CallForm::kCall, location));
  out->variadic_array = collected;
  if (!candidate.positions.empty() || candidate.defaults_used > 0) note_given(out, candidate, given_count, given_names.size());
  if (out->returns_set && function->set_fn != nullptr && type_kind(base_type(result)) == 'c') out->fields = fields_of(base_type(result));
  return out;
}

const FunctionDef* Binder::with_row_columns(const FunctionDef* function, Oid row_type) {
  auto shaped = std::make_shared<FunctionDef>(*function);
  std::vector<RowField> fields;
  (void)CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(row_type, &fields);
  for (const RowField& field : fields) {
    if (field.dropped) continue;
    shaped->out_names.push_back(arena_.copy(field.name));
    shaped->out_types.push_back(field.type);
    shaped->out_typmods.push_back(field.typmod);
  }
  note_type(row_type);
  functions_.push_back(shaped);
  return shaped.get();
}

void Binder::note_given(FunctionExpr* call, const Candidate& candidate, std::size_t count, std::size_t named) {
  std::vector<std::uint16_t> positions = candidate.positions;
  if (positions.empty())
    for (std::size_t i = 0; i < count; ++i) positions.push_back(static_cast<std::uint16_t>(i));
  call->partly_given = true;
  call->given = keep(positions);
  if (named > 0) call->named_from = static_cast<std::uint16_t>(positions.size() - named);
}

// The fields of a row type or composite type as it is now, dropped ones with their places.
std::span<const RecordField> Binder::fields_of(Oid type) {
  std::vector<RowField> fields;
  std::vector<RecordField> out;
  if (!CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(type, &fields)) return {};
  note_type(type);
  for (const RowField& field : fields) out.push_back({arena_.copy(field.name), field.type, field.typmod, field.dropped});
  return keep(out);
}

// Where a set-returning function may stand.
void Binder::check_set_place(Scope& scope, int location) {
  switch (scope.place) {
    case Place::kWindowRange: case Place::kWindowRows: case Place::kWindowGroups:
      fail(at(Status{sqlstate::feature_not_supported, "set-returning functions are not allowed in window definitions"}, location));
    case Place::kTarget: case Place::kGroupBy: case Place::kOrderBy: case Place::kDistinctOn: case Place::kInsertTarget:
    case Place::kWindowPartition: case Place::kWindowOrder:
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
  check_schema(called.schema, call.location);
  if (is_call && bind_routine_procedure(call, out)) return;
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
    if (call.args[i]->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
      fail(at(Status{sqlstate::feature_not_supported, "named arguments of native procedures are not supported"},
              call.args[i]->named_arg_expr->location));
    }
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
  if (procedure.object != nullptr) {
    note_executed(procedure.object->oid);
    depend_on(procedure.object);
  }
}

}  // namespace wandian::sql
