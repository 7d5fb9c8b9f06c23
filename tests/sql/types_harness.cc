#include "tests/sql/types_harness.h"

#include "engine/array_value.h"

namespace wandian::sql {

namespace {

bool polymorphic(Oid type) {
  using namespace type_oid;
  return type == kAny || type == kAnyElement || type == kAnyArray || type == kAnyNonArray || type == kAnyCompatible ||
         type == kAnyCompatibleArray || type == kAnyCompatibleNonArray;
}

// Whether the arguments' types are the declared ones; with `loosely`, a polymorphic type takes what it may.
bool fits(const std::vector<Oid>& declared, const std::vector<Harness::Argument>& arguments, bool loosely) {
  using namespace type_oid;
  if (declared.size() != arguments.size()) return false;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    const Oid given = Harness::type_named(arguments[i].type);
    if (declared[i] == given) continue;
    if (!loosely || !polymorphic(declared[i])) return false;
    const bool wants_array = declared[i] == kAnyArray || declared[i] == kAnyCompatibleArray;
    if (wants_array && find_type(given)->category != 'A') return false;
  }
  return true;
}

}  // namespace

std::string Harness::call(std::string_view name, const std::vector<Argument>& arguments, std::string_view result_type) {
  for (const bool loosely : {false, true})
    for (const FunctionDef* f : find_functions(name)) {
      if (f->variadic == type_oid::kAny && loosely && arguments.size() >= f->args.size() - 1)
        return run(*f, arguments, result_type);
      if (fits(f->args, arguments, loosely)) return run(*f, arguments, result_type);
    }
  return "no such function";
}

std::string Harness::apply(std::string_view op, const std::vector<Argument>& arguments, std::string_view result_type) {
  for (const bool loosely : {false, true})
    for (const OperatorDef* o : find_operators(op)) {
      std::vector<Oid> declared;
      if (o->left != 0) declared.push_back(o->left);
      declared.push_back(o->right);
      if (fits(declared, arguments, loosely)) return run(*find_function(o->function), arguments, result_type);
    }
  return "no such operator";
}

std::string Harness::run(const FunctionDef& function, const std::vector<Argument>& arguments, std::string_view result_type) {
  std::vector<Oid> types;
  std::vector<Value> values;
  for (const Argument& a : arguments) {
    types.push_back(type_named(a.type));
    Value& v = values.emplace_back();
    if (!a.is_null && !value_from_text(ctx, types.back(), -1, a.text, &v)) return failure();
  }
  if (function.variadic == type_oid::kAny) {
    const std::size_t fixed = function.args.size() - 1;
    const Value tail = build_record(std::span(types).subspan(fixed), std::span(values).subspan(fixed), arena);
    types.resize(fixed);
    values.resize(fixed);
    types.push_back(type_oid::kRecord);
    values.push_back(tail);
  }
  const Oid result = result_type.empty() ? function.result : type_named(result_type);
  types.push_back(result);
  if (function.strict)
    for (const Value& v : values)
      if (v.is_null) return "NULL";
  if (function.set_fn != nullptr) {
    std::string out;
    std::uint64_t position = 0;
    for (int row = 0; row < 100; ++row) {
      std::vector<Value> columns(std::max<std::size_t>(function.out_types.size(), 1));
      bool done = false;
      if (!function.set_fn(ctx, values.data(), &position, columns.data(), &done)) return failure();
      if (done) break;
      if (row > 0) out += ";";
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (c > 0) out += ",";
        const Oid type = function.out_types.empty() || polymorphic(function.out_types[c]) ? result : function.out_types[c];
        out += print(type, columns[c]);
      }
    }
    return out;
  }
  Value v;
  const bool ok = function.typed_fn != nullptr ? function.typed_fn(ctx, types.data(), values.data(), &v)
                                               : function.fn(ctx, values.data(), &v);
  return ok ? print(result, v) : failure();
}

std::string Harness::aggregate(std::string_view name, std::string_view type, const std::vector<std::string_view>& rows) {
  const Oid argument = type_named(type);
  for (const AggregateDef* a : find_aggregates(name)) {
    if (a->args.size() != 1 || (a->args[0] != argument && !polymorphic(a->args[0]))) continue;
    const Oid array = find_type(argument)->array;
    const Oid result = a->result == type_oid::kAnyArray ? array : a->result == type_oid::kAnyElement ? argument : a->result;
    const Oid types[] = {argument, result};
    void* state = arena.allocate(a->state_bytes, 16);
    std::memset(state, 0, a->state_bytes);
    for (const std::string_view row : rows) {
      Value v;
      if (row != "NULL" && !value_from_text(ctx, argument, -1, row, &v)) return failure();
      if (v.is_null && a->skips_nulls) continue;
      if (!a->step(ctx, arena, state, types, &v)) return failure();
    }
    Value v;
    return a->finish(ctx, state, types, &v) ? print(result, v) : failure();
  }
  return "no such aggregate";
}

}  // namespace wandian::sql
