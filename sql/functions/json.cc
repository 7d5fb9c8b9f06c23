// Functions that make JSON from SQL values.
#include <utility>

#include "sql/functions/bindings.h"
#include "sql/functions/json_text.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool to_json(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_json(ctx, types[0], args[0], out)) return false;
  *result = out.value();
  return true;
}
bool to_jsonb_value(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  Value json;
  return to_json(ctx, types, args, &json) && to_jsonb(ctx, json.bytes(), result);
}

// row_to_json: with line feeds between the members if asked for.
bool row_to_json(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_json_record(ctx, types[0], args[0], ",", out)) return false;
  *result = out.value();
  return true;
}
bool row_to_json_pretty(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_json_record(ctx, types[0], args[0], args[1].as_bool() ? ",\n " : ",", out)) return false;
  *result = out.value();
  return true;
}

bool array_to_json_pretty(EvalContext& ctx, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_json_array(ctx, args[0], args[1].as_bool() ? ",\n " : ",", out)) return false;
  *result = out.value();
  return true;
}

// A document without the members that are null, and without blanks.
void write_without_nulls(const JsonNode& node, TextBuilder& out) {
  if (node.scalar()) {
    if (node.kind == JsonNode::Kind::kString) write_json_string(node.text, out);
    else out.append(node.raw);
    return;
  }
  const bool object = node.kind == JsonNode::Kind::kObject;
  bool any = false;
  out.push_back(object ? '{' : '[');
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (object && node.items[i].kind == JsonNode::Kind::kNull) continue;
    if (std::exchange(any, true)) out.push_back(',');
    if (object) {
      write_json_string(node.keys[i], out);
      out.push_back(':');
    }
    write_without_nulls(node.items[i], out);
  }
  out.push_back(object ? '}' : ']');
}
bool json_strip_nulls(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!check(ctx, parse_json(args[0].bytes(), false, ctx.arena, &node))) return false;
  TextBuilder out(ctx.arena);
  write_without_nulls(node, out);
  *result = out.value();
  return true;
}

// The tail of a VARIADIC "any" call as types and values.
void spread(Oid type, const Value& value, std::vector<Oid>* types, std::vector<Value>* values) {
  if (value.is_null) return;
  if (type == kRecord) {
    const RecordView record(value);
    for (std::uint32_t i = 0; i < record.count(); ++i) {
      types->push_back(record.type(i));
      values->push_back(record.field(i));
    }
  } else {
    const ArrayView array(value);
    for (std::uint32_t i = 0; i < array.count(); ++i) {
      types->push_back(array.element_type());
      values->push_back(array.element(i));
    }
  }
}

bool finish(EvalContext& ctx, const TextBuilder& out, bool jsonb, Value* result) {
  if (jsonb) return to_jsonb(ctx, out.view(), result);
  *result = out.value();
  return true;
}

template <bool jsonb>
bool build_object(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  std::vector<Oid> kinds;
  std::vector<Value> values;
  spread(types[0], args[0], &kinds, &values);
  if (values.size() % 2 != 0)
    return ctx.fail(Status{sqlstate::invalid_parameter_value, "argument list must have even number of elements"}.with_hint(
        std::string("The arguments of ") + (jsonb ? "jsonb_build_object()" : "json_build_object()") +
        " must consist of alternating keys and values."));
  TextBuilder out(ctx.arena);
  out.push_back('{');
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (i > 0) out.append(", ");
    if (values[i].is_null)
      return ctx.fail(jsonb ? Status{sqlstate::invalid_parameter_value, "argument " + std::to_string(i + 1) + ": key must not be null"}
                            : Status{sqlstate::invalid_parameter_value, "argument " + std::to_string(i + 1) + " cannot be null"}
                                  .with_hint("Object keys should be text."));
    if (!append_json_key(ctx, kinds[i], values[i], out)) return false;
    out.append(" : ");
    if (!append_json(ctx, kinds[i + 1], values[i + 1], out)) return false;
  }
  out.push_back('}');
  return finish(ctx, out, jsonb, result);
}
template <bool jsonb>
bool build_array_of(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  std::vector<Oid> kinds;
  std::vector<Value> values;
  spread(types[0], args[0], &kinds, &values);
  TextBuilder out(ctx.arena);
  out.push_back('[');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.append(", ");
    if (!append_json(ctx, kinds[i], values[i], out)) return false;
  }
  out.push_back(']');
  return finish(ctx, out, jsonb, result);
}
bool empty_object(EvalContext& ctx, const Value*, Value* result) { return return_text(ctx, result, "{}"); }
bool empty_array(EvalContext& ctx, const Value*, Value* result) { return return_text(ctx, result, "[]"); }

// json_object(text[]): pairs in a row, or one pair a row of a two-dimensional array.
template <bool jsonb>
bool object_of_array(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView array(args[0]);
  if (array.dimensions() == 1 && array.count() % 2 != 0)
    return ctx.fail({sqlstate::array_subscript_error, "array must have even number of elements"});
  if (array.dimensions() == 2 && array.length(1) != 2)
    return ctx.fail({sqlstate::array_subscript_error, "array must have two columns"});
  if (array.dimensions() > 2) return ctx.fail({sqlstate::array_subscript_error, "wrong number of array subscripts"});
  TextBuilder out(ctx.arena);
  out.push_back('{');
  for (std::uint32_t i = 0; i < array.count(); i += 2) {
    if (i > 0) out.append(", ");
    const Value key = array.element(i);
    if (key.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "null value not allowed for object key"});
    write_json_string(key.bytes(), out);
    out.append(" : ");
    const Value value = array.element(i + 1);
    if (value.is_null) out.append("null");
    else write_json_string(value.bytes(), out);
  }
  out.push_back('}');
  return finish(ctx, out, jsonb, result);
}

// json_object(keys, values).
template <bool jsonb>
bool object_of_two(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView keys(args[0]), values(args[1]);
  if (keys.dimensions() > 1 || keys.dimensions() != values.dimensions())
    return ctx.fail({sqlstate::array_subscript_error, "wrong number of array subscripts"});
  if (keys.count() != values.count()) return ctx.fail({sqlstate::array_subscript_error, "mismatched array dimensions"});
  TextBuilder out(ctx.arena);
  out.push_back('{');
  for (std::uint32_t i = 0; i < keys.count(); ++i) {
    if (i > 0) out.append(", ");
    const Value key = keys.element(i);
    if (key.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "null value not allowed for object key"});
    write_json_string(key.bytes(), out);
    out.append(" : ");
    const Value value = values.element(i);
    if (value.is_null) out.append("null");
    else write_json_string(value.bytes(), out);
  }
  out.push_back('}');
  return finish(ctx, out, jsonb, result);
}

constexpr FunctionBinding kBindings[] = {
    {"to_json", nullptr, to_json},
    {"to_jsonb", nullptr, to_jsonb_value},
    {"row_to_json", nullptr, row_to_json},
    {"row_to_json_pretty", nullptr, row_to_json_pretty},
    {"array_to_json", nullptr, to_json}, {"array_to_json_pretty", array_to_json_pretty}, {"json_strip_nulls", json_strip_nulls},
    {"json_build_object", nullptr, build_object<false>},
    {"jsonb_build_object", nullptr, build_object<true>},
    {"json_build_object_noargs", empty_object},
    {"jsonb_build_object_noargs", empty_object},
    {"json_build_array", nullptr, build_array_of<false>},
    {"jsonb_build_array", nullptr, build_array_of<true>},
    {"json_build_array_noargs", empty_array},
    {"jsonb_build_array_noargs", empty_array},
    {"json_object", object_of_array<false>},
    {"jsonb_object", object_of_array<true>},
    {"json_object_two_arg", object_of_two<false>},
    {"jsonb_object_two_arg", object_of_two<true>},
};

}  // namespace

std::span<const FunctionBinding> json_bindings() { return kBindings; }

}  // namespace wandian::sql
