#include "sql/types/range_text.h"

#include <limits>
#include <string>

#include "sql/types/datetime.h"
#include "sql/types/number_text.h"
#include "sql/types/quoted_element.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

Status malformed(std::string_view text, const char* detail) {
  return Status{sqlstate::invalid_text_representation, "malformed range literal: \"" + std::string(text) + "\""}.with_detail(detail);
}

// Types whose values follow each other are kept as [lower,upper).
bool to_canonical(EvalContext& ctx, RangeParts* parts) {
  Status overflow;
  std::int64_t most;
  switch (parts->type) {
    case kInt4Range:
      most = INT32_MAX;
      overflow = Status{sqlstate::numeric_value_out_of_range, "integer out of range"};
      break;
    case kInt8Range:
      most = INT64_MAX;
      overflow = Status{sqlstate::numeric_value_out_of_range, "bigint out of range"};
      break;
    case kDateRange:
      most = kEndDate - 1;
      overflow = Status{sqlstate::datetime_field_overflow, "date out of range"};
      break;
    default: return true;
  }
  const auto step = [&](RangeBound* bound, bool wanted) {
    if (bound->infinite || bound->inclusive == wanted) return true;
    if (parts->type == kDateRange && !date_finite(static_cast<std::int32_t>(bound->value.i))) return true;   // infinity has no next day
    if (bound->value.i == most) return false;
    ++bound->value.i;
    bound->inclusive = wanted;
    return true;
  };
  return (step(&parts->lower, true) && step(&parts->upper, false)) || ctx.fail(std::move(overflow));
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text)
    if (c == '"' || c == '\\' || c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || is_blank(c)) return true;
  return false;
}

bool append_bound(EvalContext& ctx, Oid subtype, const RangeBound& bound, TextBuilder& out) {
  if (bound.infinite) return true;
  TextBuilder one(ctx.arena);
  if (!append_text(ctx, subtype, bound.value, one)) return false;
  if (!needs_quotes(one.view())) {
    out.append(one.view());
    return true;
  }
  out.push_back('"');
  for (const char c : one.view()) {
    if (c == '"' || c == '\\') out.push_back(c);
    out.push_back(c);
  }
  out.push_back('"');
  return true;
}

// Text up to a bracket or comma, without its quotes; an empty one that has none is infinite.
bool take_bound(std::string_view text, std::size_t* at, std::string* out, bool* infinite) {
  *infinite = *at < text.size() && (text[*at] == ',' || text[*at] == ')' || text[*at] == ']');
  if (*infinite) return true;
  return take_quoted_element(text, at, out, [](char c) { return c == ',' || c == ')' || c == ']' || c == '(' || c == '['; });
}

}  // namespace

bool make_range(EvalContext& ctx, RangeParts parts, Value* out) {
  const auto store = [&] {
    *out = store_range(parts, ctx.arena);
    return true;
  };
  if (parts.empty) return store();
  const Order order = range_order(parts.type);
  const auto settle = [&] {
    if (parts.lower.infinite || parts.upper.infinite) return true;
    const int c = compare_values(order, parts.lower.value, parts.upper.value);
    if (c > 0) return ctx.fail({sqlstate::data_exception, "range lower bound must be less than or equal to range upper bound"});
    parts.empty = c == 0 && !(parts.lower.inclusive && parts.upper.inclusive);
    return true;
  };
  if (!settle() || parts.empty) return parts.empty && store();
  if (!to_canonical(ctx, &parts)) return false;
  // (1,2) of integers holds nothing either.
  if (!parts.lower.infinite && !parts.upper.infinite)
    parts.empty = compare_values(order, parts.lower.value, parts.upper.value) >= 0 && !(parts.lower.inclusive && parts.upper.inclusive);
  return store();
}

bool range_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out) {
  const auto bad = [&](const char* detail) { return ctx.fail(malformed(text, detail)); };
  const Oid subtype = find_type(type)->base;
  RangeParts parts;
  parts.type = type;
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) ++at;
  };
  skip_blanks();
  constexpr std::string_view kEmpty = "empty";
  const std::string_view word = text.substr(at, kEmpty.size());
  if (word.size() == kEmpty.size() && std::equal(word.begin(), word.end(), kEmpty.begin(), [](char a, char b) { return (a | 0x20) == b; })) {
    at += kEmpty.size();
    skip_blanks();
    if (at != text.size()) return bad("Junk after \"empty\" key word.");
    parts.empty = true;
    return make_range(ctx, parts, out);
  }
  if (at == text.size() || (text[at] != '(' && text[at] != '[')) return bad("Missing left parenthesis or bracket.");
  parts.lower.inclusive = text[at++] == '[';
  std::string lower, upper;
  if (!take_bound(text, &at, &lower, &parts.lower.infinite)) return bad("Unexpected end of input.");
  if (at == text.size() || text[at] != ',') return bad("Missing comma after lower bound.");
  ++at;
  if (!take_bound(text, &at, &upper, &parts.upper.infinite)) return bad("Unexpected end of input.");
  if (at == text.size() || (text[at] != ')' && text[at] != ']')) return bad("Too many commas.");
  parts.upper.inclusive = text[at++] == ']';
  skip_blanks();
  if (at != text.size()) return bad("Junk after right parenthesis or bracket.");
  if (!parts.lower.infinite && !value_from_text(ctx, subtype, typmod, lower, &parts.lower.value)) return false;
  if (!parts.upper.infinite && !value_from_text(ctx, subtype, typmod, upper, &parts.upper.value)) return false;
  return make_range(ctx, parts, out);
}

bool append_range_text(EvalContext& ctx, const Value& value, TextBuilder& out) {
  const RangeParts parts = load_range(value);
  if (parts.empty) {
    out.append("empty");
    return true;
  }
  const Oid subtype = find_type(parts.type)->base;
  out.push_back(parts.lower.inclusive ? '[' : '(');
  if (!append_bound(ctx, subtype, parts.lower, out)) return false;
  out.push_back(',');
  if (!append_bound(ctx, subtype, parts.upper, out)) return false;
  out.push_back(parts.upper.inclusive ? ']' : ')');
  return true;
}

}  // namespace wandian::sql
