#include "sql/types/multirange.h"

#include <algorithm>

#include "engine/array_value.h"
#include "sql/types/number_text.h"
#include "sql/types/range_text.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

Status malformed(std::string_view text, const char* detail) {
  return Status{sqlstate::invalid_text_representation, "malformed multirange literal: \"" + std::string(text) + "\""}.with_detail(detail);
}

// The end of the range that begins at `at`, behind its closing bracket; 0 if it has none.
std::size_t end_of_range(std::string_view text, std::size_t at) {
  bool quoted = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') ++at;
    else if (text[at] == '"') quoted = !quoted;
    else if (!quoted && (text[at] == ')' || text[at] == ']')) return at + 1;
  }
  return 0;
}

}  // namespace

Oid multirange_type_of(Oid range) {
  if (range >= kFirstUserOid) {
    const UserType* definition = find_user_type(range);
    return definition != nullptr ? definition->multirange : 0;
  }
  for (const TypeInfo& type : all_types())
    if (type.kind == 'm' && type.base == range) return type.oid;
  return 0;
}

std::vector<RangeParts> load_multirange(const Value& value) {
  std::vector<RangeParts> out;
  const ArrayView ranges(value);
  for (std::uint32_t i = 0; i < ranges.count(); ++i) out.push_back(load_range(ranges.element(i)));
  return out;
}

bool store_multirange(EvalContext& ctx, Oid range_type, std::vector<RangeParts> ranges, Value* out) {
  const Order order = range_order(range_type);
  std::erase_if(ranges, [](const RangeParts& range) { return range.empty; });
  std::stable_sort(ranges.begin(), ranges.end(), [&](const RangeParts& a, const RangeParts& b) {
    const int c = compare_bounds(order, a.lower, b.lower);
    return c != 0 ? c < 0 : compare_bounds(order, a.upper, b.upper) < 0;
  });
  std::vector<RangeParts> merged;
  for (const RangeParts& range : ranges) {
    bool joins = false;
    if (!merged.empty()) {
      joins = compare_bounds(order, range.lower, merged.back().upper) <= 0;
      if (!joins && !bounds_meet(ctx, range, merged.back().upper, range.lower, &joins)) return false;
    }
    if (!joins) merged.push_back(range);
    else if (compare_bounds(order, range.upper, merged.back().upper) > 0) merged.back().upper = range.upper;
  }
  std::vector<Value> values;
  for (const RangeParts& range : merged) values.push_back(store_range(range, ctx.arena));
  *out = build_array(range_type, values, ctx.arena);
  return true;
}

bool multirange_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out) {
  const Oid range_type = find_type(type)->base;
  const auto bad = [&](const char* detail) { return ctx.fail(malformed(text, detail)); };
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) ++at;
  };
  skip_blanks();
  if (at == text.size() || text[at] != '{') return bad("Missing left brace.");
  ++at;
  std::vector<RangeParts> ranges;
  for (bool first = true;; first = false) {
    skip_blanks();
    if (at == text.size()) return bad("Unexpected end of input.");
    if (first && text[at] == '}') break;
    std::size_t end;
    constexpr std::string_view kEmpty = "empty";
    const std::string_view word = text.substr(at, kEmpty.size());
    if (text[at] == '[' || text[at] == '(') {
      end = end_of_range(text, at);
      if (end == 0) return bad("Unexpected end of input.");
    } else if (word.size() == kEmpty.size() && std::equal(word.begin(), word.end(), kEmpty.begin(), [](char a, char b) { return (a | 0x20) == b; })) {
      end = at + kEmpty.size();
    } else {
      return bad("Expected range start.");
    }
    Value range;
    if (!range_from_text(ctx, range_type, typmod, text.substr(at, end - at), &range)) return false;
    ranges.push_back(load_range(range));
    at = end;
    skip_blanks();
    if (at == text.size()) return bad("Unexpected end of input.");
    if (text[at] == '}') break;
    if (text[at] != ',') return bad("Expected comma or end of multirange.");
    ++at;
  }
  ++at;
  skip_blanks();
  if (at != text.size()) return bad("Junk after closing right brace.");
  return store_multirange(ctx, range_type, std::move(ranges), out);
}

bool append_multirange_text(EvalContext& ctx, const Value& value, TextBuilder& out) {
  const ArrayView ranges(value);
  out.push_back('{');
  for (std::uint32_t i = 0; i < ranges.count(); ++i) {
    if (i > 0) out.push_back(',');
    if (!append_range_text(ctx, ranges.element(i), out)) return false;
  }
  out.push_back('}');
  return true;
}

}  // namespace wandian::sql
