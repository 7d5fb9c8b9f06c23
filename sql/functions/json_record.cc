// JSON as values of types: json_populate_record and its like.
#include <algorithm>

#include "sql/expr/domain_value.h"
#include "sql/expr/call_journal.h"
#include "sql/functions/bindings.h"
#include "sql/types/json.h"
#include "sql/types/text_io.h"
#include "sql/types/record_shape.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Kind = JsonNode::Kind;

// `key`: the member that the value is of, for hints; empty: none.
bool to_value(EvalContext& ctx, const JsonNode* node, Oid type, std::int32_t typmod, const Value& old, Value* out, std::string_view key = {});

// A record's fields in the order of `fields`, whether or not those name the places of dropped columns; null where it has fewer.
class FieldsInOrder {
 public:
  explicit FieldsInOrder(const Value& record) {
    if (!record.is_null) view_.emplace(record);
  }
  Value next(bool dropped) {
    if (!view_) return Value::null();
    if (!dropped)
      while (at_ < view_->count() && view_->type(at_) == kInvalidOid) ++at_;
    return at_ < view_->count() ? view_->field(at_++) : Value::null();
  }

 private:
  std::optional<RecordView> view_;
  std::uint32_t at_ = 0;
};

// Members become the fields of their names; a field without one keeps what it has.
bool fill(EvalContext& ctx, const JsonNode& object, std::span<const RowField> fields, const Value& old, std::vector<Value>* values) {
  values->assign(fields.size(), Value::null());
  FieldsInOrder own(old);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Value before = own.next(fields[i].dropped);
    if (fields[i].dropped) continue;
    const JsonNode* member = object.find(fields[i].name);
    (*values)[i] = before;
    if (member == nullptr && !old.is_null) continue;
    if (!to_value(ctx, member, fields[i].type, fields[i].typmod, before, &(*values)[i], fields[i].name)) return false;
  }
  return true;
}

Value record_of(EvalContext& ctx, std::span<const RowField> fields, std::span<const Value> values) {
  std::vector<Oid> types;
  for (const RowField& field : fields) types.push_back(field.dropped ? kInvalidOid : field.type);
  return build_record(types, values, ctx.arena);
}

bool to_record(EvalContext& ctx, const JsonNode& object, Oid type, const Value& old, Value* out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields))
    return ctx.fail({sqlstate::datatype_mismatch, "first argument of json_populate_record must be a row type"});
  std::vector<Value> values;
  if (!fill(ctx, object, fields, old, &values)) return false;
  *out = record_of(ctx, fields, values);
  return true;
}

bool expected_array(EvalContext& ctx, std::string_view key, const std::string& place) {
  Status status{sqlstate::invalid_text_representation, "expected JSON array"};
  const std::string of_key = "key \"" + std::string(key) + "\".";
  if (!place.empty()) status = std::move(status).with_hint("See the array element " + place + (key.empty() ? "." : " of " + of_key));
  else if (!key.empty()) status = std::move(status).with_hint("See the value of " + of_key);
  return ctx.fail(std::move(status));
}

// Arrays within arrays are further dimensions, as far as they go.
bool collect(EvalContext& ctx, const JsonNode& node, Oid element, std::int32_t typmod, std::size_t depth, std::vector<ArrayDimension>* shape,
             std::vector<Value>* values, std::string_view key, const std::string& place) {
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
    // The first element tells how deep arrays go; one that is deeper is text of an element.
    const bool deeper = values->empty() || depth + 1 < shape->size();
    const bool nested = item.kind == Kind::kArray && element != kJson && element != kJsonb && deeper;
    if (nested) {
      if (!collect(ctx, item, element, typmod, depth + 1, shape, values, key, place + "[" + std::to_string(i) + "]")) return false;
      continue;
    }
    if (depth + 1 < shape->size()) return expected_array(ctx, key, place + "[" + std::to_string(i) + "]");
    if (!to_value(ctx, &item, element, typmod, Value::null(), &values->emplace_back())) return false;
  }
  return true;
}

bool to_array(EvalContext& ctx, const JsonNode& node, Oid element, std::int32_t typmod, Value* out, std::string_view key) {
  std::vector<ArrayDimension> shape;
  std::vector<Value> values;
  if (!collect(ctx, node, element, typmod, 0, &shape, &values, key, {})) return false;
  *out = values.empty() ? build_array(element, values, ctx.arena) : build_array(element, shape, values, ctx.arena);
  return true;
}

bool to_value(EvalContext& ctx, const JsonNode* node, Oid type, std::int32_t typmod, const Value& old, Value* out, std::string_view key) {
  if (type_kind(type) == 'd') {
    return to_value(ctx, node, base_type(type), domain_typmod(ctx, type), old, out, key) && check_domain(ctx, type, *out);
  }
  *out = Value::null();
  if (node == nullptr) return true;
  if (type == kJson || type == kJsonb) return value_from_text(ctx, type, typmod, node->raw, out);
  if (node->kind == Kind::kNull) return true;
  if (type_kind(type) == 'c' && node->kind == Kind::kObject) return to_record(ctx, *node, type, old, out);
  const Oid element = element_of(type);
  if (element != kInvalidOid && node->kind == Kind::kArray) return to_array(ctx, *node, element, typmod, out, key);
  if (element != kInvalidOid && node->kind != Kind::kString)
    return expected_array(ctx, key, {});
  return value_from_text(ctx, type, typmod, node->kind == Kind::kString ? node->text : node->raw, out);
}

std::string call_of(bool jsonb, std::string_view rest) { return (jsonb ? "jsonb_" : "json_") + std::string(rest); }

// The fields of a record that has no type of its own: those that its value has.
bool fields_of_value(EvalContext& ctx, const Value& record, const std::string& function, std::vector<RowField>* fields) {
  if (record.is_null)
    return ctx.fail(Status{sqlstate::feature_not_supported, "could not determine row type for result of " + function}.with_hint(
        "Provide a non-null record argument, or call the function in the FROM clause using a column definition list."));
  const RecordView view(record);
  const std::span<const std::string> names = shape_names(view.shape());
  for (std::uint32_t i = 0; i < view.count(); ++i)
    fields->push_back({i < names.size() ? names[i] : "f" + std::to_string(i + 1), view.type(i), -1, view.type(i) == kInvalidOid});
  return true;
}

template <bool jsonb>
bool read_object(EvalContext& ctx, const Value& json, JsonNode* out) {
  if (!check(ctx, parse_json(json.bytes(), jsonb, ctx.arena, out))) return false;
  if (out->kind == Kind::kObject) return true;
  return ctx.fail({sqlstate::invalid_parameter_value, "cannot call populate_composite on " + std::string(out->kind == Kind::kArray ? "an array" : "a scalar")});
}

template <bool jsonb>
bool populate(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  const std::string function = call_of(jsonb, "populate_record");
  const Oid type = base_type(types[0]);
  if (type_kind(type) != 'c' && type != kRecord)
    return ctx.fail({sqlstate::datatype_mismatch, "first argument of " + function + " must be a row type"});
  *result = args[0];
  std::vector<RowField> fields;
  if (type == kRecord && !fields_of_value(ctx, args[0], function, &fields)) return false;
  if (args[1].is_null) return true;
  JsonNode node;
  if (!read_object<jsonb>(ctx, args[1], &node)) return false;
  if (type != kRecord) return to_record(ctx, node, type, args[0], result) && (types[0] == type || check_domain(ctx, types[0], *result));
  std::vector<Value> values;
  if (!fill(ctx, node, fields, args[0], &values)) return false;
  *result = record_of(ctx, fields, values);
  return true;
}

bool no_columns(EvalContext& ctx) {
  return ctx.fail(Status{sqlstate::feature_not_supported, "function returning record called in context that cannot accept type record"}.with_hint(
      "Try calling the function in the FROM clause using a column definition list."));
}
bool to_record_unshaped(EvalContext& ctx, const Oid*, const Value*, Value*) { return no_columns(ctx); }

// The columns that a query wants of a function's rows.
bool wanted_fields(EvalContext& ctx, const FunctionDef& function, const Value* base, std::vector<RowField>* fields) {
  for (std::size_t i = 0; i < function.out_types.size(); ++i)
    fields->push_back({std::string(function.out_names[i]), function.out_types[i], i < function.out_typmods.size() ? function.out_typmods[i] : -1, false});
  if (!fields->empty()) return true;
  return base != nullptr ? fields_of_value(ctx, *base, std::string(function.name), fields) : no_columns(ctx);
}

// Rows with columns of their own are given so, others as records.
bool add_row(EvalContext& ctx, const FunctionDef& function, const JsonNode& object, std::span<const RowField> fields, const Value& old, Oid type,
             RoutineRows* rows) {
  std::vector<Value> values;
  if (!fill(ctx, object, fields, old, &values)) return false;
  if (type_kind(type) == 'd' && !check_domain(ctx, type, record_of(ctx, fields, values))) return false;
  if (function.out_types.empty()) rows->values.push_back(record_of(ctx, fields, values));
  else rows->values.insert(rows->values.end(), values.begin(), values.end());
  return true;
}

// json_populate_record(base, json) and json_to_record(json) with a column definition list.
template <bool jsonb, bool has_base>
bool collect_record(EvalContext& ctx, const FunctionDef& function, const Oid* types, const Value* args, RoutineRows* rows) {
  std::vector<RowField> fields;
  if (!wanted_fields(ctx, function, has_base ? &args[0] : nullptr, &fields)) return false;
  const Value& json = args[has_base ? 1 : 0];
  JsonNode node;
  if (json.is_null) {
    FieldsInOrder own(has_base ? args[0] : Value::null());
    for (const RowField& field : fields) rows->values.push_back(own.next(field.dropped));
    return true;
  }
  return read_object<jsonb>(ctx, json, &node) &&
         add_row(ctx, function, node, fields, has_base ? args[0] : Value::null(), has_base ? types[0] : kRecord, rows);
}

template <bool jsonb, bool has_base>
bool collect_recordset(EvalContext& ctx, const FunctionDef& function, const Oid* types, const Value* args, RoutineRows* rows) {
  const Value& json = args[has_base ? 1 : 0];
  const Oid type = has_base ? base_type(types[0]) : kRecord;
  if (type_kind(type) != 'c' && type != kRecord)
    return ctx.fail({sqlstate::datatype_mismatch, "first argument of " + std::string(function.name) + " must be a row type"});
  std::vector<RowField> fields;
  if (!wanted_fields(ctx, function, has_base ? &args[0] : nullptr, &fields)) return false;
  if (json.is_null) return true;
  JsonNode node;
  if (!check(ctx, parse_json(json.bytes(), jsonb, ctx.arena, &node))) return false;
  const auto refuse = [&](std::string message) { return ctx.fail({sqlstate::invalid_parameter_value, std::move(message)}); };
  if (node.kind != Kind::kArray)
    return refuse("cannot call " + std::string(function.name) + (node.kind == Kind::kObject && !jsonb ? " on an object" : jsonb ? " on a non-array" : " on a scalar"));
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (node.items[i].kind != Kind::kObject) return refuse("argument of " + std::string(function.name) + " must be an array of objects");
    if (!add_row(ctx, function, node.items[i], fields, has_base ? args[0] : Value::null(), has_base ? types[0] : kRecord, rows)) return false;
  }
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"json_populate_record", nullptr, populate<false>, nullptr, collect_record<false, true>},
    {"jsonb_populate_record", nullptr, populate<true>, nullptr, collect_record<true, true>},
    {"json_to_record", nullptr, to_record_unshaped, nullptr, collect_record<false, false>},
    {"jsonb_to_record", nullptr, to_record_unshaped, nullptr, collect_record<true, false>},
    {"json_populate_recordset", nullptr, nullptr, nullptr, collect_recordset<false, true>},
    {"jsonb_populate_recordset", nullptr, nullptr, nullptr, collect_recordset<true, true>},
    {"json_to_recordset", nullptr, nullptr, nullptr, collect_recordset<false, false>},
    {"jsonb_to_recordset", nullptr, nullptr, nullptr, collect_recordset<true, false>},
};

}  // namespace

std::span<const FunctionBinding> json_record_bindings() { return kBindings; }

}  // namespace wandian::sql
