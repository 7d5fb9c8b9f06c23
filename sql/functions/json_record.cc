// JSON as values of types: json_populate_record and its like.
#include "sql/expr/domain_value.h"
#include "sql/functions/bindings.h"
#include "sql/types/json.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Kind = JsonNode::Kind;

bool to_value(EvalContext& ctx, const JsonNode* node, Oid type, std::int32_t typmod, const Value& old, Value* out);

// Members become the fields of their names; a field without one keeps what it has.
bool to_record(EvalContext& ctx, const JsonNode& object, Oid type, const Value& old, Value* out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields))
    return ctx.fail({sqlstate::datatype_mismatch, "first argument of json_populate_record must be a row type"});
  std::vector<Value> values(fields.size());
  std::vector<Oid> types;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    types.push_back(fields[i].dropped ? kInvalidOid : fields[i].type);
    if (fields[i].dropped) continue;
    Value before;
    if (!old.is_null) {
      const RecordView record(old);
      if (i < record.count()) before = record.field(static_cast<std::uint32_t>(i));
    }
    const JsonNode* member = object.find(fields[i].name);
    values[i] = before;
    if (member == nullptr && !old.is_null) continue;
    if (!to_value(ctx, member, fields[i].type, fields[i].typmod, before, &values[i])) return false;
  }
  *out = build_record(types, values, ctx.arena);
  return true;
}

// Arrays within arrays are further dimensions, as far as they go.
bool collect(EvalContext& ctx, const JsonNode& node, Oid element, std::int32_t typmod, std::size_t depth, std::vector<ArrayDimension>* shape,
             std::vector<Value>* values) {
  const auto ragged = [&] {
    return ctx.fail(Status{sqlstate::invalid_text_representation, "malformed JSON array"}.with_detail(
        "Multidimensional arrays must have sub-arrays with matching dimensions."));
  };
  if (depth == shape->size()) shape->push_back({static_cast<std::int32_t>(node.count)});
  else if ((*shape)[depth].length != static_cast<std::int32_t>(node.count)) return ragged();
  if (shape->size() > kMaxArrayDimensions)
    return ctx.fail({sqlstate::program_limit_exceeded, "number of array dimensions (7) exceeds the maximum allowed (6)"});
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const JsonNode& item = node.items[i];
    const bool nested = item.kind == Kind::kArray && element != kJson && element != kJsonb;
    if (nested) {
      if (i > 0 && depth + 1 == shape->size()) return ragged();
      if (!collect(ctx, item, element, typmod, depth + 1, shape, values)) return false;
      continue;
    }
    if (depth + 1 < shape->size()) return ragged();
    if (!to_value(ctx, &item, element, typmod, Value::null(), &values->emplace_back())) return false;
  }
  return true;
}

bool to_array(EvalContext& ctx, const JsonNode& node, Oid element, std::int32_t typmod, Value* out) {
  std::vector<ArrayDimension> shape;
  std::vector<Value> values;
  if (!collect(ctx, node, element, typmod, 0, &shape, &values)) return false;
  *out = values.empty() ? build_array(element, values, ctx.arena) : build_array(element, shape, values, ctx.arena);
  return true;
}

bool to_value(EvalContext& ctx, const JsonNode* node, Oid type, std::int32_t typmod, const Value& old, Value* out) {
  if (type_kind(type) == 'd') {
    return to_value(ctx, node, base_type(type), domain_typmod(ctx, type), old, out) && check_domain(ctx, type, *out);
  }
  *out = Value::null();
  if (node == nullptr) return true;
  if (type == kJson || type == kJsonb) return value_from_text(ctx, type, typmod, node->raw, out);
  if (node->kind == Kind::kNull) return true;
  if (type_kind(type) == 'c' && node->kind == Kind::kObject) return to_record(ctx, *node, type, old, out);
  const Oid element = element_of(type);
  if (element != kInvalidOid && node->kind == Kind::kArray) return to_array(ctx, *node, element, typmod, out);
  if (element != kInvalidOid && node->kind != Kind::kString)
    return ctx.fail(Status{sqlstate::invalid_text_representation, "expected JSON array"});
  return value_from_text(ctx, type, typmod, node->kind == Kind::kString ? node->text : node->raw, out);
}

template <bool jsonb>
bool populate(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  const Oid type = base_type(types[0]);
  if (type_kind(type) != 'c')
    return ctx.fail({sqlstate::datatype_mismatch, std::string("first argument of ") + (jsonb ? "jsonb" : "json") + "_populate_record must be a row type"});
  *result = args[0];
  if (args[1].is_null) return true;
  JsonNode node;
  if (!check(ctx, parse_json(args[1].bytes(), jsonb, ctx.arena, &node))) return false;
  if (node.kind != Kind::kObject)
    return ctx.fail({sqlstate::invalid_parameter_value, std::string("cannot call ") + (jsonb ? "jsonb" : "json") + "_populate_record on " +
                                                            (node.kind == Kind::kArray ? "an array" : "a scalar")});
  return to_record(ctx, node, type, args[0], result) && (types[0] == type || check_domain(ctx, types[0], *result));
}

constexpr FunctionBinding kBindings[] = {
    {"json_populate_record", nullptr, populate<false>},
    {"jsonb_populate_record", nullptr, populate<true>},
};

}  // namespace

std::span<const FunctionBinding> json_record_bindings() { return kBindings; }

}  // namespace wandian::sql
