// How each sql/functions/*.cc offers its implementations to the registry, which joins them with builtins.inc.
// A function's key is pg_proc.prosrc for functions that PostgreSQL implements in C ("int4pl"), and
// "name(type,type)" with pg_type names for those it writes in SQL, and for aggregates.
// Thread:  immutable tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/array_value.h"
#include "sql/functions/registry.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

using TypedFn = bool (*)(EvalContext& ctx, const Oid* types, const Value* args, Value* result);

struct FunctionBinding {
  std::string_view key;
  ScalarFn fn = nullptr;
  TypedFn typed = nullptr;
  SetFn set = nullptr;
  CollectFn collect = nullptr;
};

struct WindowBinding {
  std::string_view key;
  WindowFunction function;
};

struct AggregateBinding {
  std::string_view key;
  std::uint32_t state_bytes;
  bool (*step)(EvalContext& ctx, Arena& group_arena, void* state, const Oid* types, const Value* args);
  bool (*finish)(EvalContext& ctx, const void* state, const Oid* types, Value* result);
  bool skips_nulls = true;
  const MovingAggregate* moving = nullptr;
};

struct OrderedSetBinding {
  std::string_view key;
  bool (*finish_sorted)(EvalContext& ctx, const Oid* types, const Value* direct, std::span<const Value* const> rows, Value* result);
  bool (*finish_rank)(const HypotheticalRank& rank, Value* result) = nullptr;
};

std::span<const FunctionBinding> array_bindings();
std::span<const FunctionBinding> bit_bindings();
std::span<const FunctionBinding> cast_bindings();
std::span<const FunctionBinding> catalog_bindings();
std::span<const FunctionBinding> citext_bindings();
std::span<const FunctionBinding> compare_bindings();
std::span<const FunctionBinding> datetime_bindings();
std::span<const FunctionBinding> datetime_field_bindings();
std::span<const FunctionBinding> encoding_bindings();
std::span<const FunctionBinding> enum_bindings();
std::span<const FunctionBinding> float_bindings();
std::span<const FunctionBinding> format_bindings();
std::span<const FunctionBinding> integer_bindings();
std::span<const FunctionBinding> json_bindings();
std::span<const FunctionBinding> json_record_bindings();
std::span<const FunctionBinding> jsonb_bindings();
std::span<const FunctionBinding> jsonpath_bindings();
std::span<const FunctionBinding> money_bindings();
std::span<const FunctionBinding> multirange_bindings();
std::span<const FunctionBinding> keyword_bindings();
std::span<const FunctionBinding> network_bindings();
std::span<const FunctionBinding> normalize_bindings();
std::span<const FunctionBinding> numeric_bindings();
std::span<const FunctionBinding> pattern_bindings();
std::span<const FunctionBinding> range_bindings();
std::span<const FunctionBinding> session_bindings();
std::span<const FunctionBinding> set_bindings();
std::span<const FunctionBinding> string_bindings();
std::span<const FunctionBinding> text_bindings();
std::span<const FunctionBinding> timetz_bindings();
std::span<const WindowBinding> window_bindings();
std::span<const OrderedSetBinding> ordered_set_bindings();
std::span<const AggregateBinding> aggregate_bindings();
std::span<const AggregateBinding> bit_aggregate_bindings();
std::span<const AggregateBinding> money_aggregate_bindings();
std::span<const AggregateBinding> multirange_aggregate_bindings();
std::span<const AggregateBinding> collecting_aggregate_bindings();
std::span<const AggregateBinding> regression_aggregate_bindings();

/// The code behind the functions that make values of a range or multirange type, by pg_proc.prosrc; null if it is none of them.
TypedFn find_range_constructor(std::string_view symbol);
/// What a function of pattern_bindings() does under a collation, which stands behind the result's type, with the letters of `ascii` alone or
/// its language's; null if it does the same there.
TypedFn collated_pattern(ScalarFn fn, bool ascii);

// Small words of every implementation.
inline bool check(EvalContext& ctx, Status status) {
  if (status.ok()) [[likely]] return true;
  return ctx.fail(std::move(status));
}
inline Value copy_text(EvalContext& ctx, std::string_view text) { return Value::of_bytes(ctx.arena.copy(text)); }
inline bool return_int(Value* result, std::int64_t v) {
  *result = Value::of_int(v);
  return true;
}
inline bool return_bool(Value* result, bool v) { return return_int(result, v ? 1 : 0); }
inline bool return_double(Value* result, double v) {
  *result = Value::of_double(v);
  return true;
}
inline bool return_null(Value* result) {
  *result = Value::null();
  return true;
}
inline bool return_text(EvalContext& ctx, Value* result, std::string_view text) {
  *result = copy_text(ctx, text);
  return true;
}
inline bool out_of_range(EvalContext& ctx, std::string_view type) {
  return ctx.fail({sqlstate::numeric_value_out_of_range, std::string(type) + " out of range"});
}
inline bool division_by_zero(EvalContext& ctx) { return ctx.fail({sqlstate::division_by_zero, "division by zero"}); }

}  // namespace wandian::sql
