// Joins the catalog facts of builtins.inc with the implementations, once, and answers look-ups by hash.
#include "sql/functions/registry.h"

#include <algorithm>
#include <charconv>
#include <boost/unordered/unordered_flat_map.hpp>

#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

namespace {

// Lists of OIDs are text ("23 25"), so that the tables need no code to build.
struct FunctionRow {
  Oid oid;
  const char* name;
  const char* key;
  Oid result;
  const char* args;
  Oid variadic;
  std::uint8_t defaults;
  bool strict;
  char volatility;
  char kind;
  bool returns_set;
  const char* out_names;
  const char* out_types;
  const char* arg_names;
};
struct OperatorRow {
  Oid oid;
  const char* name;
  Oid left, right, result, function, commutator, negator;
  std::uint8_t btree_strategy;
  bool hashable;
};
struct CastRow {
  Oid source, target, function;
  char method, context;
};
struct AggregateRow {
  Oid oid;
  const char* name;
  const char* key;
  Oid result;
  const char* args;
  char kind;
  std::uint8_t direct_args;
  Oid variadic;
};

constexpr FunctionRow kFunctionRows[] = {
#define WANDIAN_FUNCTION(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#include "sql/functions/citext.inc"
#undef WANDIAN_FUNCTION
};
constexpr OperatorRow kOperatorRows[] = {
#define WANDIAN_OPERATOR(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#include "sql/functions/citext.inc"
#undef WANDIAN_OPERATOR
};
constexpr CastRow kCastRows[] = {
#define WANDIAN_CAST(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#include "sql/functions/citext.inc"
#undef WANDIAN_CAST
};
constexpr AggregateRow kAggregateRows[] = {
#define WANDIAN_AGGREGATE(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#include "sql/functions/citext.inc"
#undef WANDIAN_AGGREGATE
};
constexpr TypeFunctions kTypeFunctions[] = {
#define WANDIAN_TYPE(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#include "sql/functions/citext.inc"
#undef WANDIAN_TYPE
};

// Type input, output and send as SQL functions, by the contract of text_io.h.
bool call_input(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return value_from_text(ctx, types[1], -1, args[0].bytes(), result);
}
bool call_input_with_typmod(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return value_from_text(ctx, types[3], static_cast<std::int32_t>(args[2].i), args[0].bytes(), result);
}
bool call_output(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_text(ctx, types[0], args[0], out)) return false;
  *result = out.value();
  return true;
}
bool call_send(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_binary(ctx, types[0], args[0], out)) return false;
  *result = out.value();
  return true;
}
bool call_receive(EvalContext& ctx, const Value*, Value*) {
  return ctx.fail({sqlstate::feature_not_supported, "cannot accept a value of type internal"});
}

std::vector<Oid> parse_oids(std::string_view text) {
  std::vector<Oid> out;
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    Oid oid = 0;
    p = std::from_chars(p, end, oid).ptr;
    out.push_back(oid);
    if (p < end) ++p;
  }
  return out;
}

std::vector<std::string_view> parse_names(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <class Def>
class ByName {
 public:
  void build(std::span<const Def> defs) {
    std::vector<const Def*> sorted;
    for (const Def& d : defs) sorted.push_back(&d);
    std::stable_sort(sorted.begin(), sorted.end(), [](const Def* a, const Def* b) { return a->name < b->name; });
    entries_ = std::move(sorted);
    for (std::size_t i = 0; i < entries_.size();) {
      std::size_t end = i + 1;
      while (end < entries_.size() && entries_[end]->name == entries_[i]->name) ++end;
      ranges_.emplace(entries_[i]->name, std::span<const Def* const>(entries_.data() + i, end - i));
      i = end;
    }
  }
  std::span<const Def* const> find(std::string_view name) const {
    const auto it = ranges_.find(name);
    return it == ranges_.end() ? std::span<const Def* const>{} : it->second;
  }

 private:
  std::vector<const Def*> entries_;
  boost::unordered_flat_map<std::string_view, std::span<const Def* const>> ranges_;
};

template <class Def>
class ByOid {
 public:
  void build(std::span<const Def> defs) {
    for (const Def& d : defs) map_.emplace(d.oid, &d);
  }
  const Def* find(Oid oid) const {
    const auto it = map_.find(oid);
    return it == map_.end() ? nullptr : it->second;
  }

 private:
  boost::unordered_flat_map<Oid, const Def*> map_;
};

struct Registry {
  std::vector<FunctionDef> functions;
  std::vector<OperatorDef> operators;
  std::vector<CastDef> casts;
  std::vector<AggregateDef> aggregates;
  ByName<FunctionDef> functions_by_name;
  ByName<OperatorDef> operators_by_name;
  ByName<AggregateDef> aggregates_by_name;
  ByOid<FunctionDef> functions_by_oid;
  ByOid<OperatorDef> operators_by_oid;
  ByOid<AggregateDef> aggregates_by_oid;
  boost::unordered_flat_map<std::uint64_t, const CastDef*> casts_by_types;
  boost::unordered_flat_map<Oid, const TypeFunctions*> type_functions;
  std::string gaps;

  Registry() {
    add_functions();
    add_aggregates();
    for (const OperatorRow& r : kOperatorRows)
      operators.push_back({r.oid, r.name, r.left, r.right, r.result, r.function, r.commutator, r.negator,
                           r.btree_strategy, r.hashable});
    for (const CastRow& r : kCastRows)
      casts.push_back({r.source, r.target, static_cast<CastDef::Method>(r.method), r.function,
                       static_cast<CastDef::Context>(r.context)});
    for (const CastDef& c : casts) casts_by_types.emplace((static_cast<std::uint64_t>(c.source) << 32) | c.target, &c);
    for (const TypeFunctions& t : kTypeFunctions) type_functions.emplace(t.type, &t);
    functions_by_name.build(functions);
    functions_by_oid.build(functions);
    operators_by_name.build(operators);
    operators_by_oid.build(operators);
    aggregates_by_name.build(aggregates);
    aggregates_by_oid.build(aggregates);
  }

  void add_functions() {
    boost::unordered_flat_map<std::string_view, const FunctionBinding*> bindings;
    boost::unordered_flat_map<std::string_view, bool> used;
    for (const auto& table :
         {array_bindings(), bit_bindings(), cast_bindings(), catalog_bindings(), citext_bindings(), compare_bindings(), datetime_bindings(),
          datetime_field_bindings(), encoding_bindings(), enum_bindings(), float_bindings(), format_bindings(), integer_bindings(), json_bindings(),
          json_record_bindings(), jsonb_bindings(), jsonpath_bindings(), keyword_bindings(), money_bindings(), multirange_bindings(), network_bindings(), normalize_bindings(), numeric_bindings(), pattern_bindings(), range_bindings(), session_bindings(), set_bindings(),
          string_bindings(), text_bindings(), timetz_bindings()})
      for (const FunctionBinding& b : table) {
        if (!bindings.emplace(b.key, &b).second) gaps += "bound twice: " + std::string(b.key) + "\n";
        used.emplace(b.key, false);
      }
    boost::unordered_flat_map<std::string_view, WindowFunction> windows;
    for (const WindowBinding& b : window_bindings()) {
      windows.emplace(b.key, b.function);
      used.emplace(b.key, false);
    }
    for (const FunctionRow& r : kFunctionRows) {
      FunctionDef def;
      def.oid = r.oid;
      def.name = r.name;
      def.result = r.result;
      def.args = parse_oids(r.args);
      def.variadic = r.variadic;
      def.defaults = r.defaults;
      def.strict = r.strict;
      def.volatility = static_cast<Volatility>(r.volatility);
      def.kind = r.kind;
      def.returns_set = r.returns_set;
      def.out_names = parse_names(r.out_names);
      def.out_types = parse_oids(r.out_types);
      def.arg_names = parse_names(r.arg_names);
      const std::string_view key = r.key;
      if (key == "type input") {
        def.typed_fn = def.args.size() == 3 ? call_input_with_typmod : call_input;
      } else if (key == "type output") {
        def.typed_fn = call_output;
      } else if (key == "type send") {
        def.typed_fn = call_send;
      } else if (key == "type receive") {
        def.fn = call_receive;
      } else if (const auto window = windows.find(key); window != windows.end()) {
        def.window = window->second;
        used[key] = true;
      } else if (const auto it = bindings.find(key); it != bindings.end()) {
        def.fn = it->second->fn;
        def.typed_fn = it->second->typed;
        def.set_fn = it->second->set;
        def.collect_fn = it->second->collect;
        used[key] = true;
      } else {
        gaps += "not implemented: " + std::string(key) + "\n";
        continue;
      }
      functions.push_back(std::move(def));
    }
    for (const auto& [key, seen] : used)
      if (!seen) gaps += "not in builtins.inc: " + std::string(key) + "\n";
  }

  void add_aggregates() {
    boost::unordered_flat_map<std::string_view, const AggregateBinding*> bindings;
    std::size_t bound = 0;
    for (const auto& table : {aggregate_bindings(), bit_aggregate_bindings(), money_aggregate_bindings(), multirange_aggregate_bindings(), collecting_aggregate_bindings(), regression_aggregate_bindings()})
      for (const AggregateBinding& b : table) bindings.emplace(b.key, &b);
    boost::unordered_flat_map<std::string_view, const OrderedSetBinding*> ordered;
    for (const OrderedSetBinding& b : ordered_set_bindings()) ordered.emplace(b.key, &b);
    for (const AggregateRow& r : kAggregateRows) {
      if (const auto set = ordered.find(r.key); set != ordered.end()) {
        ++bound;
        AggregateDef& def = aggregates.emplace_back();
        def.oid = r.oid;
        def.name = r.name;
        def.args = parse_oids(r.args);
        def.result = r.result;
        def.kind = r.kind;
        def.direct_args = r.direct_args;
        def.variadic = r.variadic;
        def.skips_nulls = r.kind == 'o';
        def.finish_sorted = set->second->finish_sorted;
        def.finish_rank = set->second->finish_rank;
        continue;
      }
      const auto it = bindings.find(r.key);
      if (it == bindings.end()) {
        gaps += "aggregate not implemented: " + std::string(r.key) + "\n";
        continue;
      }
      ++bound;
      const AggregateBinding& b = *it->second;
      aggregates.push_back({r.oid, r.name, parse_oids(r.args), r.result, b.state_bytes, b.skips_nulls, b.step, b.finish, b.moving});
    }
    if (bound != bindings.size() + ordered.size()) gaps += "an aggregate is not in builtins.inc\n";
  }
};

const Registry& registry() {
  static const Registry& instance = *new Registry;   // never freed: definitions are pointed to by plans
  return instance;
}

}  // namespace

std::span<const FunctionDef> all_functions() { return registry().functions; }
std::span<const OperatorDef> all_operators() { return registry().operators; }
std::span<const CastDef> all_casts() { return registry().casts; }
std::span<const AggregateDef> all_aggregates() { return registry().aggregates; }

std::span<const FunctionDef* const> find_functions(std::string_view name) {
  return registry().functions_by_name.find(name);
}
const FunctionDef* find_function(Oid oid) { return registry().functions_by_oid.find(oid); }
std::span<const OperatorDef* const> find_operators(std::string_view name) {
  return registry().operators_by_name.find(name);
}
const OperatorDef* find_operator(Oid oid) { return registry().operators_by_oid.find(oid); }
const CastDef* find_cast(Oid source, Oid target) {
  const auto& map = registry().casts_by_types;
  const auto it = map.find((static_cast<std::uint64_t>(source) << 32) | target);
  return it == map.end() ? nullptr : it->second;
}
std::span<const AggregateDef* const> find_aggregates(std::string_view name) {
  return registry().aggregates_by_name.find(name);
}
const AggregateDef* find_aggregate(Oid oid) { return registry().aggregates_by_oid.find(oid); }
const TypeFunctions* find_type_functions(Oid type) {
  const auto& map = registry().type_functions;
  const auto it = map.find(type);
  return it == map.end() ? nullptr : it->second;
}
std::span<const TypeFunctions> all_type_functions() { return kTypeFunctions; }
std::string registry_gaps() { return registry().gaps; }

}  // namespace wandian::sql
