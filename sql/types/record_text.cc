// Composite values as text and bytes, field by field as their type has them now.
#include "engine/array_value.h"
#include "sql/expr/domain_value.h"
#include "sql/types/number_text.h"
#include "sql/types/quoted_element.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

Status malformed(std::string_view text, const char* detail) {
  return Status{sqlstate::invalid_text_representation, "malformed record literal: \"" + std::string(text) + "\""}.with_detail(detail);
}

bool unknown_type(EvalContext& ctx, Oid type) {
  return ctx.fail({sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"});
}

// One field between commas or parentheses.
bool take_field(std::string_view text, std::size_t* at, std::string* out) {
  return take_quoted_element(text, at, out, [](char c) { return c == ',' || c == ')'; });
}

}  // namespace

void append_record_field(std::string_view text, TextBuilder& out) {
  bool quote = text.empty();
  for (const char c : text) quote = quote || c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || is_blank(c);
  if (!quote) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back(c);
    out.push_back(c);
  }
  out.push_back('"');
}

bool composite_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields)) return unknown_type(ctx, type);
  const auto bad = [&](const char* detail) { return ctx.fail(malformed(text, detail)); };
  std::size_t at = 0;
  while (at < text.size() && is_blank(text[at])) ++at;
  if (at == text.size() || text[at] != '(') return bad("Missing left parenthesis.");
  ++at;
  std::vector<Value> values(fields.size());
  std::vector<Oid> types;
  bool comma = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    types.push_back(fields[i].dropped ? kInvalidOid : fields[i].type);
    if (fields[i].dropped) continue;
    if (comma) {
      if (at == text.size() || text[at] != ',') return bad("Too few columns.");
      ++at;
    }
    comma = true;
    if (at < text.size() && (text[at] == ',' || text[at] == ')')) {
      if (type_kind(fields[i].type) == 'd' && !check_domain(ctx, fields[i].type, values[i])) return false;
      continue;
    }
    std::string field;
    if (!take_field(text, &at, &field)) return bad("Unexpected end of input.");
    if (!value_from_text(ctx, fields[i].type, fields[i].typmod, field, &values[i])) return false;
  }
  if (at == text.size() || text[at] != ')') return bad("Too many columns.");
  ++at;
  while (at < text.size() && is_blank(text[at])) ++at;
  if (at != text.size()) return bad("Junk after right parenthesis.");
  *out = build_record(types, values, ctx.arena);
  return true;
}

bool append_composite_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields)) return unknown_type(ctx, type);
  const RecordView record(value);
  out.push_back('(');
  bool comma = false;
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    if (fields[i].dropped) continue;
    if (comma) out.push_back(',');
    comma = true;
    const Value field = i < record.count() ? record.field(i) : Value::null();
    if (field.is_null) continue;
    TextBuilder one(ctx.arena);
    if (!append_text(ctx, fields[i].type, field, one)) return false;
    append_record_field(one.view(), out);
  }
  out.push_back(')');
  return true;
}

}  // namespace wandian::sql
