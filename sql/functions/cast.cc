// The functions behind casts: between numbers, strings, booleans, and with a type's length or precision.
#include <cmath>
#include <limits>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/types/json.h"
#include "sql/types/number_text.h"
#include "sql/types/string_types.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

template <class T>
constexpr std::string_view name_of() {
  if constexpr (sizeof(T) == 2) return "smallint";
  else if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? "integer" : "OID";
  else return "bigint";
}

template <class T>
bool to_int(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t v = args[0].i;
  if (v < std::int64_t{std::numeric_limits<T>::min()} || v > std::int64_t{std::numeric_limits<T>::max()})
    return out_of_range(ctx, name_of<T>());
  return return_int(result, v);
}
bool same(EvalContext&, const Value* args, Value* result) {
  *result = args[0];
  return true;
}
// Half to even, as rint does.
template <class T>
bool float_to_int(EvalContext& ctx, const Value* args, Value* result) {
  const double v = std::rint(args[0].d);
  const double limit = std::ldexp(1.0, 8 * sizeof(T) - 1);
  if (std::isnan(v) || v < -limit || v >= limit) return out_of_range(ctx, name_of<T>());
  return return_int(result, static_cast<std::int64_t>(v));
}
bool int_to_double(EvalContext&, const Value* args, Value* result) {
  return return_double(result, static_cast<double>(args[0].i));
}
bool int_to_float(EvalContext&, const Value* args, Value* result) {
  return return_double(result, static_cast<double>(static_cast<float>(args[0].i)));
}
bool double_to_float(EvalContext& ctx, const Value* args, Value* result) {
  const auto v = static_cast<float>(args[0].d);
  if (std::isinf(v) && !std::isinf(args[0].d))
    return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: overflow"});
  if (v == 0 && args[0].d != 0)
    return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: underflow"});
  return return_double(result, static_cast<double>(v));
}
bool int_to_numeric(EvalContext& ctx, const Value* args, Value* result) {
  *result = numeric_from_int(args[0].i, ctx.arena);
  return true;
}
template <class T>
bool numeric_to_integer(EvalContext& ctx, const Value* args, Value* result) {
  result->is_null = false;
  result->size = 0;
  return check(ctx, numeric_to_int(args[0], std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), name_of<T>(),
                                   &result->i));
}
template <int significant>
bool float_to_numeric(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, numeric_from_double(args[0].d, significant, ctx.arena, result));
}
bool numeric_text_out_of_range(EvalContext& ctx, const Value& v, const char* type) {
  return ctx.fail({sqlstate::numeric_value_out_of_range,
                   "\"" + numeric_to_string(load_numeric(v)) + "\" is out of range for type " + type});
}
bool numeric_to_float8(EvalContext& ctx, const Value* args, Value* result) {
  const double v = numeric_to_double(args[0]);
  const Numeric n = load_numeric(args[0]);
  if (n.finite() && (std::isinf(v) || (v == 0 && !n.zero()))) return numeric_text_out_of_range(ctx, args[0], "double precision");
  return return_double(result, v);
}
bool numeric_to_float4(EvalContext& ctx, const Value* args, Value* result) {
  const Numeric n = load_numeric(args[0]);
  const auto v = static_cast<float>(numeric_to_double(args[0]));
  if (n.finite() && (std::isinf(v) || (v == 0 && !n.zero()))) return numeric_text_out_of_range(ctx, args[0], "real");
  return return_double(result, static_cast<double>(v));
}
bool numeric_typmod_cast(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, apply_numeric_typmod(args[0], static_cast<std::int32_t>(args[1].i), ctx.arena, result));
}

bool int_to_bool(EvalContext&, const Value* args, Value* result) { return return_bool(result, args[0].i != 0); }
bool bool_to_text(EvalContext&, const Value* args, Value* result) {
  *result = Value::of_bytes(args[0].as_bool() ? std::string_view("true") : std::string_view("false"));
  return true;
}
bool int_to_char(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].i < INT8_MIN || args[0].i > INT8_MAX)
    return ctx.fail({sqlstate::numeric_value_out_of_range, "\"char\" out of range"});
  return return_int(result, args[0].i);
}
bool char_to_text(EvalContext& ctx, const Value* args, Value* result) {
  const char c = static_cast<char>(args[0].i);
  return return_text(ctx, result, {&c, c == '\0' ? 0u : 1u});
}
bool text_to_char(EvalContext&, const Value* args, Value* result) {
  return return_int(result, args[0].size == 0 ? 0 : static_cast<std::int8_t>(args[0].p[0]));
}
bool text_to_name(EvalContext&, const Value* args, Value* result) {
  *result = Value::of_bytes(fit_name(args[0].bytes()));
  return true;
}
bool bpchar_to_name(EvalContext&, const Value* args, Value* result) {
  *result = Value::of_bytes(without_trailing_blanks(fit_name(args[0].bytes())));
  return true;
}
bool varchar_cast(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, fit_varchar(args[0].bytes(), static_cast<std::int32_t>(args[1].i), args[2].as_bool(), ctx.arena, result));
}
bool bpchar_cast(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, fit_bpchar(args[0].bytes(), static_cast<std::int32_t>(args[1].i), args[2].as_bool(), ctx.arena, result));
}
bool text_to_regclass(EvalContext& ctx, const Value* args, Value* result) {
  return object_from_text(ctx, kRegclass, args[0].bytes(), result);
}

// jsonb to SQL scalars: only from a JSON scalar of that kind.
bool jsonb_scalar(EvalContext& ctx, const Value& v, JsonNode::Kind wanted, const char* type, JsonNode* node) {
  if (!check(ctx, parse_json(v.bytes(), true, ctx.arena, node))) return false;
  const bool boolean = node->kind == JsonNode::Kind::kTrue || node->kind == JsonNode::Kind::kFalse;
  if (wanted == JsonNode::Kind::kTrue ? boolean : node->kind == wanted) return true;
  constexpr std::string_view kKinds[] = {"null", "boolean", "boolean", "numeric", "string", "array", "object"};
  return ctx.fail({sqlstate::invalid_parameter_value, "cannot cast jsonb " +
                                                          std::string(kKinds[static_cast<int>(node->kind)]) + " to type " + type});
}
bool jsonb_to_bool(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  return jsonb_scalar(ctx, args[0], JsonNode::Kind::kTrue, "boolean", &node) &&
         return_bool(result, node.kind == JsonNode::Kind::kTrue);
}
bool jsonb_number(EvalContext& ctx, const Value* args, const char* type, Value* number) {
  JsonNode node;
  return jsonb_scalar(ctx, args[0], JsonNode::Kind::kNumber, type, &node) &&
         check(ctx, numeric_from_text(node.text, -1, ctx.arena, number));
}
bool jsonb_to_numeric(EvalContext& ctx, const Value* args, Value* result) {
  return jsonb_number(ctx, args, "numeric", result);
}
template <class T>
bool jsonb_to_int(EvalContext& ctx, const Value* args, Value* result) {
  Value number;
  return jsonb_number(ctx, args, name_of<T>().data(), &number) && numeric_to_integer<T>(ctx, &number, result);
}
bool jsonb_to_float8(EvalContext& ctx, const Value* args, Value* result) {
  Value number;
  return jsonb_number(ctx, args, "double precision", &number) && numeric_to_float8(ctx, &number, result);
}
bool jsonb_to_float4(EvalContext& ctx, const Value* args, Value* result) {
  Value number;
  return jsonb_number(ctx, args, "real", &number) && numeric_to_float4(ctx, &number, result);
}

using I2 = std::int16_t;
using I4 = std::int32_t;
using I8 = std::int64_t;

constexpr FunctionBinding kBindings[] = {
    {"i2toi4", same}, {"i4toi2", to_int<I2>}, {"int28", same}, {"int82", to_int<I2>}, {"int48", same}, {"int84", to_int<I4>},
    {"oidtoi8", same}, {"i8tooid", to_int<std::uint32_t>},
    {"i2tod", int_to_double}, {"i4tod", int_to_double}, {"i8tod", int_to_double},
    {"i2tof", int_to_float}, {"i4tof", int_to_float}, {"i8tof", int_to_float},
    {"dtoi2", float_to_int<I2>}, {"dtoi4", float_to_int<I4>}, {"dtoi8", float_to_int<I8>},
    {"ftoi2", float_to_int<I2>}, {"ftoi4", float_to_int<I4>}, {"ftoi8", float_to_int<I8>},
    {"ftod", same}, {"dtof", double_to_float},
    {"int2_numeric", int_to_numeric}, {"int4_numeric", int_to_numeric}, {"int8_numeric", int_to_numeric},
    {"numeric_int2", numeric_to_integer<I2>}, {"numeric_int4", numeric_to_integer<I4>},
    {"numeric_int8", numeric_to_integer<I8>},
    {"float4_numeric", float_to_numeric<6>}, {"float8_numeric", float_to_numeric<15>},
    {"numeric_float4", numeric_to_float4}, {"numeric_float8", numeric_to_float8}, {"numeric", numeric_typmod_cast},
    {"int4_bool", int_to_bool}, {"bool_int4", same}, {"booltext", bool_to_text},
    {"chartoi4", same}, {"i4tochar", int_to_char}, {"char_text", char_to_text}, {"text_char", text_to_char},
    {"char_bpchar", char_to_text}, {"text_name", text_to_name}, {"name_text", same}, {"bpchar_name", bpchar_to_name},
    {"name_bpchar", same}, {"varchar", varchar_cast}, {"bpchar", bpchar_cast}, {"text_regclass", text_to_regclass},
    {"jsonb_bool", jsonb_to_bool}, {"jsonb_numeric", jsonb_to_numeric}, {"jsonb_int2", jsonb_to_int<I2>},
    {"jsonb_int4", jsonb_to_int<I4>}, {"jsonb_int8", jsonb_to_int<I8>}, {"jsonb_float4", jsonb_to_float4},
    {"jsonb_float8", jsonb_to_float8},
};

}  // namespace

std::span<const FunctionBinding> cast_bindings() { return kBindings; }

}  // namespace wandian::sql
