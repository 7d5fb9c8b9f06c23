#include "sql/functions/json_text.h"

#include <algorithm>
#include <cmath>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "sql/types/datetime.h"
#include "sql/types/record_shape.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool append_dimension(EvalContext& ctx, const ArrayView& array, int dimension, std::string_view separator, std::uint32_t* next,
                      TextBuilder& out) {
  out.push_back('[');
  for (std::int32_t i = 0; i < array.length(dimension); ++i) {
    if (i > 0) out.append(separator);
    if (dimension + 1 < array.dimensions()) {
      if (!append_dimension(ctx, array, dimension + 1, ",", next, out)) return false;
    } else if (!append_json(ctx, array.element_type(), array.element((*next)++), out)) {
      return false;
    }
  }
  out.push_back(']');
  return true;
}

// Dates and times are ISO 8601 whatever DateStyle says.
bool append_time(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  FormatSettings iso = ctx.format;
  iso.date_style = FormatSettings::DateStyle::kIso;
  char text[kDateTimeTextBytes];
  char* end = type == kDate        ? write_date(iso, static_cast<std::int32_t>(value.i), text)
              : type == kTimestamp ? write_timestamp(iso, value.i, text)
                                   : write_timestamptz(iso, value.i, text);
  const bool finite = type == kDate ? date_finite(value.i) : timestamp_finite(value.i);
  if (finite && type != kDate) *std::find(text, end, ' ') = 'T';
  constexpr std::string_view kBefore = " BC";
  const bool before = std::string_view(text, static_cast<std::size_t>(end - text)).ends_with(kBefore);
  if (before) end -= kBefore.size();
  const bool whole_hours = finite && type == kTimestamptz && end - text > 3 && (end[-3] == '+' || end[-3] == '-');
  out.push_back('"');
  out.append(text, static_cast<std::size_t>(end - text));
  if (whole_hours) out.append(":00");
  if (before) out.append(kBefore);
  out.push_back('"');
  return true;
}

}  // namespace

bool append_json(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  if (value.is_null) {
    out.append("null");
    return true;
  }
  switch (type) {
    case kBool: out.append(value.as_bool() ? "true" : "false"); return true;
    case kInt2: case kInt4: case kInt8: return append_text(ctx, type, value, out);
    case kFloat4: case kFloat8: {
      if (std::isfinite(value.d)) return append_text(ctx, type, value, out);
      break;
    }
    case kNumeric: {
      if (load_numeric(value).finite()) return append_text(ctx, type, value, out);
      break;
    }
    case kJson: case kJsonb: out.append(value.bytes()); return true;
    case kDate: case kTimestamp: case kTimestamptz: return append_time(ctx, type, value, out);
    case kRecord: return append_json_record(ctx, type, value, ",", out);
    default: break;
  }
  if (element_of(type) != 0 && type != kOidVector && type != kInt2Vector) return append_json_array(ctx, value, ",", out);
  if (type_kind(type) == 'c') return append_json_record(ctx, type, value, ",", out);
  if (type_kind(type) == 'd') return append_json(ctx, base_type(type), value, out);
  TextBuilder text(ctx.arena);
  if (!append_text(ctx, type, value, text)) return false;
  write_json_string(text.view(), out);
  return true;
}

bool append_json_array(EvalContext& ctx, const Value& value, std::string_view separator, TextBuilder& out) {
  const ArrayView array(value);
  std::uint32_t next = 0;
  if (array.dimensions() != 0) return append_dimension(ctx, array, 0, separator, &next, out);
  out.append("[]");
  return true;
}

bool append_json_record(EvalContext& ctx, Oid type, const Value& value, std::string_view separator, TextBuilder& out) {
  const RecordView record(value);
  std::vector<RowField> fields;
  if (type_kind(type) == 'c' && !row_fields(ctx, type, &fields))
    return ctx.fail({sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"});
  const std::span<const std::string> names = shape_names(record.shape());
  const std::size_t count = fields.empty() ? record.count() : fields.size();
  std::size_t unnamed = 0;
  bool any = false;
  out.push_back('{');
  for (std::uint32_t i = 0; i < count; ++i) {
    if (fields.empty() ? record.type(i) == kInvalidOid : fields[i].dropped) continue;
    if (any) out.append(separator);
    any = true;
    ++unnamed;
    const std::string name = !fields.empty() ? fields[i].name : unnamed <= names.size() ? names[unnamed - 1] : "f" + std::to_string(unnamed);
    write_json_string(name, out);
    out.push_back(':');
    const Value field = i < record.count() ? record.field(i) : Value::null();
    if (!append_json(ctx, fields.empty() ? record.type(i) : fields[i].type, field, out)) return false;
  }
  out.push_back('}');
  return true;
}

bool append_json_key(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  if (value.is_null) return ctx.fail({sqlstate::invalid_parameter_value, "field name must not be null"});
  if (type == kJson || type == kJsonb || type == kRecord || type_kind(type) == 'c' || (element_of(type) != 0 && type != kOidVector))
    return ctx.fail({sqlstate::invalid_parameter_value, "key value must be scalar, not array, composite, or json"});
  if (type == kBool) {
    out.append(value.as_bool() ? "\"true\"" : "\"false\"");
    return true;
  }
  if (type == kDate || type == kTimestamp || type == kTimestamptz) return append_time(ctx, type, value, out);
  TextBuilder text(ctx.arena);
  if (!append_text(ctx, type, value, text)) return false;
  write_json_string(text.view(), out);
  return true;
}

bool to_jsonb(EvalContext& ctx, std::string_view json, Value* result) {
  Status status = normalize_jsonb(json, ctx.arena, result);
  return status.ok() || ctx.fail(std::move(status));
}

}  // namespace wandian::sql
