// Assignments to parts of values: a.b.c[1] := v, a[1:2] := v; records as values of composite types.
#include <algorithm>

#include "engine/array_value.h"
#include "sql/co_try.h"
#include "sql/functions/jsonb_path.h"
#include "sql/messages.h"
#include "sql/plpgsql/array_assign.h"
#include "sql/plpgsql/run.h"
#include "sql/types/text_io.h"

namespace wandian::sql::plpgsql {

bool Interpreter::path_type(const Target& target, VariableType* out) const {
  Target base = target;
  base.path.clear();
  if (!target_type(base, out)) return false;
  for (std::size_t i = 0; i < target.path.size(); ++i) {
    const TargetStep& step = target.path[i];
    const Oid type = base_type(out->type);
    if (type == type_oid::kJsonb) {
      *out = {false, 0, type, -1};
      return true;
    }
    if (step.field.empty()) {
      const TypeInfo* info = find_type(type);
      if (info == nullptr || info->category != 'A' || info->element == 0) return false;
      // All subscripts in a row lead to an element, or to an array if one of them is a slice.
      bool slice = step.slice;
      while (i + 1 < target.path.size() && target.path[i + 1].field.empty()) slice = slice || target.path[++i].slice;
      *out = {false, 0, slice ? type : info->element, -1};
      continue;
    }
    std::vector<RowField> fields;
    if (type_kind(type) != 'c' || !session_.row_fields(type, &fields)) return false;
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const RowField& f) { return !f.dropped && f.name == step.field; });
    if (field == fields.end()) return false;
    *out = {false, 0, field->type, field->typmod};
  }
  return true;
}

Task<Status> Interpreter::assign_path(const Statement& next) {
  const Target& target = next.targets[0];
  VariableType to;
  const bool known = path_type(target, &to);
  Evaluated value;
  WANDIAN_CO_TRY(co_await evaluate(*next.text, known ? &to : nullptr, &value));
  std::vector<Step> steps;
  const auto subscript = [this](const Text* text, Step* step, std::optional<std::int64_t>* out) -> Task<Status> {
    if (text == nullptr) co_return Status{};
    Evaluated at;
    WANDIAN_CO_TRY(co_await evaluate(*text, nullptr, &at));
    if (at.value.is_null) co_return Status{sqlstate::null_value_not_allowed, "array subscript in assignment must not be null"};
    step->is_integer = at.type == type_oid::kInt4 || at.type == type_oid::kInt2;
    Evaluated as_text = at;
    WANDIAN_CO_TRY(cast(&as_text, type_oid::kText, -1));
    step->key = scratch_.copy(as_text.value.bytes());
    if (at.type == type_oid::kText || at.type == type_oid::kUnknown) co_return Status{};
    WANDIAN_CO_TRY(cast(&at, type_oid::kInt4, -1));
    *out = at.value.i;
    co_return Status{};
  };
  for (const TargetStep& step : target.path) {
    Step made;
    made.step = &step;
    WANDIAN_CO_TRY(co_await subscript(step.lower, &made, &made.lower));
    WANDIAN_CO_TRY(co_await subscript(step.upper, &made, &made.upper));
    steps.push_back(made);
  }
  VariableState& state = states_[target.variable];
  const std::string& name = tree_.variables[target.variable].name;
  if (target.field.empty() && type_of(target.variable).is_row)
    co_return Status{sqlstate::datatype_mismatch, "cannot subscript type record because it does not support subscripting"};
  Cell* cell = &state.cell;
  VariableType whole = type_of(target.variable);
  if (!target.field.empty()) {
    std::size_t field = 0;
    WANDIAN_CO_TRY(field_of(target, &field));
    cell = &state.fields[field];
    state.is_null = false;
    whole = {false, 0, state.shape->fields[field].type, state.shape->fields[field].typmod};
  }
  Evaluated made;
  made.type = base_type(whole.type);
  WANDIAN_CO_TRY(store_part(cell->value, made.type, target.field.empty() ? name : target.field, steps, value, &made.value));
  // A domain has a say about the whole.
  WANDIAN_CO_TRY(cast(&made, whole.type, whole.typmod));
  cell->set(made.value, is_by_value(whole.type));
  co_return Status{};
}

Status Interpreter::store_part(const Value& current, Oid type, std::string_view column, std::span<const Step> steps, const Evaluated& value, Value* out) {
  const Oid base = base_type(type);
  Evaluated part = value;
  if (steps.empty()) {
    WANDIAN_TRY(cast(&part, type, -1));
    *out = part.value;
    return {};
  }
  const TargetStep& step = *steps[0].step;
  if (base == type_oid::kJsonb) {
    std::vector<std::string_view> keys;
    for (const Step& each : steps) {
      if (!each.step->field.empty())
        return Status{sqlstate::datatype_mismatch, "cannot assign to field " + quoted(each.step->field) + " of column " + quoted(column) +
                                                       " because its type jsonb is not a composite type"};
      if (each.step->slice) return Status{sqlstate::datatype_mismatch, "jsonb subscript does not support slices"};
      keys.push_back(each.key);
    }
    WANDIAN_TRY(cast(&part, type_oid::kJsonb, -1));
    EvalContext context = session_.eval_context(scratch_);
    return jsonb_assign(context, current, keys, steps[0].is_integer, part.value, out) ? Status{} : std::move(context.error);
  }
  if (!step.field.empty()) {
    std::vector<RowField> fields;
    if (type_kind(base) != 'c' || !session_.row_fields(base, &fields))
      return Status{sqlstate::datatype_mismatch, "cannot assign to field " + quoted(step.field) + " of column " + quoted(column) + " because its type " +
                                                     format_type(type) + " is not a composite type"};
    std::vector<Oid> types;
    std::vector<Value> values;
    bool found = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      types.push_back(fields[i].dropped ? kInvalidOid : fields[i].type);
      values.push_back(Value::null());
      if (!current.is_null && i < RecordView(current).count()) values.back() = RecordView(current).field(static_cast<std::uint32_t>(i));
      if (fields[i].dropped || fields[i].name != step.field) continue;
      found = true;
      Evaluated field;
      field.type = fields[i].type;
      WANDIAN_TRY(store_part(values.back(), fields[i].type, column, steps.subspan(1), value, &field.value));
      WANDIAN_TRY(cast(&field, fields[i].type, fields[i].typmod));
      values.back() = field.value;
    }
    if (!found)
      return Status{sqlstate::undefined_column, "cannot assign to field " + quoted(step.field) + " of column " + quoted(column) +
                                                    " because there is no such column in data type " + format_type(type)};
    *out = build_record(types, values, scratch_);
    return {};
  }
  const TypeInfo* info = find_type(base);
  if (info == nullptr || info->category != 'A' || info->element == 0)
    return Status{sqlstate::datatype_mismatch, "cannot subscript type " + format_type(type) + " because it does not support subscripting"};
  std::size_t count = 0;
  bool slice = false;
  while (count < steps.size() && steps[count].step->field.empty()) slice = slice || steps[count++].step->slice;
  std::vector<std::int64_t> subscripts;
  for (std::size_t i = 0; i < count; ++i) {
    if (!steps[i].upper && steps[i].step->upper != nullptr) return Status{sqlstate::datatype_mismatch, "array subscript must have type integer"};
    if (!slice) subscripts.push_back(*steps[i].upper);
  }
  if (slice) {
    if (count != 1 || count != steps.size())
      return Status{sqlstate::feature_not_supported, "assignment to slices of arrays of several dimensions is not supported"};
    WANDIAN_TRY(cast(&part, base, -1));
    *out = current;
    if (part.value.is_null) return {};   // no new elements, no change
    WANDIAN_ASSIGN(*out, assign_slice(current, info->element, steps[0].lower, steps[0].upper, ArrayView(part.value), scratch_));
    return {};
  }
  Value element = Value::null();
  if (count < steps.size() && !current.is_null) {
    // What the rest of the path changes is the element as it is now.
    const ArrayView view(current);
    std::int64_t position = 0;
    bool inside = static_cast<std::size_t>(view.dimensions()) == count;
    for (std::size_t d = 0; inside && d < count; ++d) {
      const std::int64_t offset = subscripts[d] - view.lower_bound(static_cast<int>(d));
      inside = offset >= 0 && offset < view.length(static_cast<int>(d));
      position = position * view.length(static_cast<int>(d)) + offset;
    }
    if (inside) element = view.element(static_cast<std::uint32_t>(position));
  }
  WANDIAN_TRY(store_part(element, info->element, column, steps.subspan(count), value, &element));
  WANDIAN_ASSIGN(*out, assign_element(current, info->element, subscripts, element, scratch_));
  return {};
}

Status Interpreter::record_to_composite(Evaluated* value, Oid type) {
  // PostgreSQL takes the way through the record's text.
  const auto refuse = [&](const char* why) {
    std::string text;
    EvalContext context = session_.eval_context(scratch_);
    (void)append_text(context, type_oid::kRecord, value->value, text);
    return Status{sqlstate::invalid_text_representation, "malformed record literal: " + quoted(text)}.with_detail(why);
  };
  if (value->value.is_null) {
    value->type = type;
    return {};
  }
  std::vector<RowField> fields;
  if (!session_.row_fields(type, &fields)) return Status{sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"};
  const RecordView record(value->value);
  std::uint32_t next = 0;
  std::vector<Oid> types;
  std::vector<Value> values;
  for (const RowField& field : fields) {
    types.push_back(field.dropped ? kInvalidOid : field.type);
    values.push_back(Value::null());
    if (field.dropped) continue;
    if (next >= record.count()) return refuse("Too few columns.");
    Evaluated part;
    part.value = record.field(next);
    part.type = record.type(next);
    ++next;
    WANDIAN_TRY(cast(&part, field.type, field.typmod));
    values.back() = part.value;
  }
  if (next < record.count()) return refuse("Too many columns.");
  value->value = build_record(types, values, scratch_);
  value->type = type;
  value->typmod = -1;
  return {};
}

}  // namespace wandian::sql::plpgsql
