// Functions and operators of ranges.
#include "sql/functions/bindings.h"
#include "sql/types/multirange.h"
#include "sql/types/range_text.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

enum class Op : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
template <Op op>
bool compare(EvalContext&, const Value* args, Value* result) {
  const int c = compare_ranges(args[0], args[1]);
  if constexpr (op == Op::kEq) return return_bool(result, c == 0);
  if constexpr (op == Op::kNe) return return_bool(result, c != 0);
  if constexpr (op == Op::kLt) return return_bool(result, c < 0);
  if constexpr (op == Op::kLe) return return_bool(result, c <= 0);
  if constexpr (op == Op::kGt) return return_bool(result, c > 0);
  return return_bool(result, c >= 0);
}
bool three_way(EvalContext&, const Value* args, Value* result) {
  const int c = compare_ranges(args[0], args[1]);
  return return_int(result, c < 0 ? -1 : c > 0 ? 1 : 0);
}
bool hash(EvalContext&, const Value* args, Value* result) { return return_int(result, static_cast<std::int32_t>(hash_range(args[0]))); }

// Two ranges of one type, and how their bounds compare.
struct Pair {
  RangeParts a, b;
  Order order;
  explicit Pair(const Value* args) : a(load_range(args[0])), b(load_range(args[1])), order(range_order(a.type)) {}
  bool any_empty() const { return a.empty || b.empty; }
  int compare(const RangeBound& x, const RangeBound& y) const { return compare_bounds(order, x, y); }
};

bool contains(const RangeParts& outer, const RangeParts& inner) {
  if (inner.empty) return true;
  if (outer.empty) return false;
  const Order order = range_order(outer.type);
  return compare_bounds(order, outer.lower, inner.lower) <= 0 && compare_bounds(order, outer.upper, inner.upper) >= 0;
}
bool contains_range(EvalContext&, const Value* args, Value* result) { return return_bool(result, contains(load_range(args[0]), load_range(args[1]))); }
bool contained_by(EvalContext&, const Value* args, Value* result) { return return_bool(result, contains(load_range(args[1]), load_range(args[0]))); }

bool holds_value(const RangeParts& range, const Value& value) {
  if (range.empty) return false;
  const Order order = range_order(range.type);
  if (!range.lower.infinite) {
    const int c = compare_values(order, range.lower.value, value);
    if (c > 0 || (c == 0 && !range.lower.inclusive)) return false;
  }
  if (!range.upper.infinite) {
    const int c = compare_values(order, range.upper.value, value);
    if (c < 0 || (c == 0 && !range.upper.inclusive)) return false;
  }
  return true;
}
bool contains_element(EvalContext&, const Value* args, Value* result) { return return_bool(result, holds_value(load_range(args[0]), args[1])); }
bool element_contained(EvalContext&, const Value* args, Value* result) { return return_bool(result, holds_value(load_range(args[1]), args[0])); }

bool overlap(const Pair& p) {
  return !p.any_empty() && p.compare(p.a.lower, p.b.upper) <= 0 && p.compare(p.b.lower, p.a.upper) <= 0;
}
bool overlaps(EvalContext&, const Value* args, Value* result) { return return_bool(result, overlap(Pair(args))); }
bool before(EvalContext&, const Value* args, Value* result) {
  const Pair p(args);
  return return_bool(result, !p.any_empty() && p.compare(p.a.upper, p.b.lower) < 0);
}
bool after(EvalContext&, const Value* args, Value* result) {
  const Pair p(args);
  return return_bool(result, !p.any_empty() && p.compare(p.a.lower, p.b.upper) > 0);
}
bool over_left(EvalContext&, const Value* args, Value* result) {
  const Pair p(args);
  return return_bool(result, !p.any_empty() && p.compare(p.a.upper, p.b.upper) <= 0);
}
bool over_right(EvalContext&, const Value* args, Value* result) {
  const Pair p(args);
  return return_bool(result, !p.any_empty() && p.compare(p.a.lower, p.b.lower) >= 0);
}

bool touch(EvalContext& ctx, const Pair& p, bool* out) {
  *out = false;
  if (p.any_empty()) return true;
  if (!bounds_meet(ctx, p.a, p.a.upper, p.b.lower, out)) return false;
  return *out || bounds_meet(ctx, p.a, p.b.upper, p.a.lower, out);
}
bool adjacent(EvalContext& ctx, const Value* args, Value* result) {
  bool out;
  return touch(ctx, Pair(args), &out) && return_bool(result, out);
}

bool span_of(EvalContext& ctx, const Value* args, const Pair& p, Value* result) {
  if (p.any_empty()) {
    *result = p.a.empty ? args[1] : args[0];
    return true;
  }
  RangeParts out;
  out.type = p.a.type;
  out.lower = p.compare(p.a.lower, p.b.lower) < 0 ? p.a.lower : p.b.lower;
  out.upper = p.compare(p.a.upper, p.b.upper) > 0 ? p.a.upper : p.b.upper;
  return make_range(ctx, out, result);
}
bool merge(EvalContext& ctx, const Value* args, Value* result) { return span_of(ctx, args, Pair(args), result); }
bool unite(EvalContext& ctx, const Value* args, Value* result) {
  const Pair p(args);
  if (!p.any_empty() && !overlap(p)) {
    bool touching;
    if (!touch(ctx, p, &touching)) return false;
    if (!touching) return ctx.fail({sqlstate::data_exception, "result of range union would not be contiguous"});
  }
  return span_of(ctx, args, p, result);
}
bool intersect(EvalContext& ctx, const Value* args, Value* result) {
  const Pair p(args);
  RangeParts out;
  out.type = p.a.type;
  out.empty = !overlap(p);
  if (!out.empty) {
    out.lower = p.compare(p.a.lower, p.b.lower) >= 0 ? p.a.lower : p.b.lower;
    out.upper = p.compare(p.a.upper, p.b.upper) <= 0 ? p.a.upper : p.b.upper;
  }
  return make_range(ctx, out, result);
}
bool subtract(EvalContext& ctx, const Value* args, Value* result) {
  const Pair p(args);
  *result = args[0];
  if (p.any_empty() || !overlap(p)) return true;
  const bool left = p.compare(p.a.lower, p.b.lower) < 0;    // something of it lies before the other
  const bool right = p.compare(p.a.upper, p.b.upper) > 0;
  if (left && right) return ctx.fail({sqlstate::data_exception, "result of range difference would not be contiguous"});
  RangeParts out;
  out.type = p.a.type;
  out.empty = !left && !right;
  out.lower = p.a.lower;
  out.upper = p.a.upper;
  if (left) out.upper = {p.b.lower.value, false, !p.b.lower.inclusive, false};
  if (right) out.lower = {p.b.upper.value, false, !p.b.upper.inclusive, true};
  return make_range(ctx, out, result);
}

template <bool upper>
bool bound(EvalContext&, const Value* args, Value* result) {
  const RangeParts range = load_range(args[0]);
  const RangeBound& of = upper ? range.upper : range.lower;
  if (range.empty || of.infinite) return return_null(result);
  *result = of.value;
  return true;
}
template <bool upper>
bool inclusive(EvalContext&, const Value* args, Value* result) {
  const RangeParts range = load_range(args[0]);
  return return_bool(result, !range.empty && (upper ? range.upper : range.lower).inclusive);
}
template <bool upper>
bool infinite(EvalContext&, const Value* args, Value* result) {
  const RangeParts range = load_range(args[0]);
  return return_bool(result, !range.empty && (upper ? range.upper : range.lower).infinite);
}
bool is_empty(EvalContext&, const Value* args, Value* result) { return return_bool(result, load_range(args[0]).empty); }

bool construct(EvalContext& ctx, Oid type, const Value* args, bool lower_inclusive, bool upper_inclusive, Value* result) {
  RangeParts parts;
  parts.type = type;
  parts.lower = {args[0], args[0].is_null, lower_inclusive, true};
  parts.upper = {args[1], args[1].is_null, upper_inclusive, false};
  return make_range(ctx, parts, result);
}
bool construct2(EvalContext& ctx, const Oid* types, const Value* args, Value* result) { return construct(ctx, types[2], args, true, false, result); }
bool construct3(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  if (args[2].is_null) return ctx.fail({sqlstate::data_exception, "range constructor flags argument must not be null"});
  const std::string_view flags = args[2].bytes();
  if (flags.size() != 2 || (flags[0] != '[' && flags[0] != '(') || (flags[1] != ']' && flags[1] != ')'))
    return ctx.fail(Status{sqlstate::syntax_error, "invalid range bound flags"}.with_hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
  return construct(ctx, types[3], args, flags[0] == '[', flags[1] == ']', result);
}
bool canonical(EvalContext&, const Value* args, Value* result) {
  *result = args[0];   // every value is in that form
  return true;
}
bool subtract_integers(EvalContext&, const Value* args, Value* result) {
  return return_double(result, static_cast<double>(args[0].i) - static_cast<double>(args[1].i));
}
bool subtract_times(EvalContext&, const Value* args, Value* result) {
  return return_double(result, (static_cast<double>(args[0].i) - static_cast<double>(args[1].i)) / 1e6);
}

constexpr FunctionBinding kBindings[] = {
    {"range_eq", compare<Op::kEq>},
    {"range_ne", compare<Op::kNe>},
    {"range_lt", compare<Op::kLt>},
    {"range_le", compare<Op::kLe>},
    {"range_gt", compare<Op::kGt>},
    {"range_ge", compare<Op::kGe>},
    {"range_cmp", three_way},
    {"hash_range", hash},
    {"range_contains", contains_range},
    {"range_contained_by", contained_by},
    {"range_contains_elem", contains_element},
    {"elem_contained_by_range", element_contained},
    {"range_overlaps", overlaps},
    {"range_before", before},
    {"range_after", after},
    {"range_overleft", over_left},
    {"range_overright", over_right},
    {"range_adjacent", adjacent},
    {"range_merge", merge},
    {"range_union", unite},
    {"range_intersect", intersect},
    {"range_minus", subtract},
    {"range_lower", bound<false>},
    {"range_upper", bound<true>},
    {"range_lower_inc", inclusive<false>},
    {"range_upper_inc", inclusive<true>},
    {"range_lower_inf", infinite<false>},
    {"range_upper_inf", infinite<true>},
    {"range_empty", is_empty},
    {"range_constructor2", nullptr, construct2},
    {"range_constructor3", nullptr, construct3},
    {"int4range_canonical", canonical},
    {"int8range_canonical", canonical},
    {"daterange_canonical", canonical},
    {"int4range_subdiff", subtract_integers},
    {"int8range_subdiff", subtract_integers},
    {"daterange_subdiff", subtract_integers},
    {"tsrange_subdiff", subtract_times},
    {"tstzrange_subdiff", subtract_times},
};

}  // namespace

bool bounds_meet(EvalContext& ctx, const RangeParts& of, const RangeBound& upper, const RangeBound& lower, bool* out) {
  *out = false;
  if (upper.infinite || lower.infinite) return true;
  const int c = compare_values(range_order(of.type), upper.value, lower.value);
  if (c == 0) {
    *out = upper.inclusive != lower.inclusive;
    return true;
  }
  const bool discrete = of.type == kInt4Range || of.type == kInt8Range || of.type == kDateRange;
  if (c > 0 || !discrete) return true;
  // What is between them is empty in canonical form if they meet.
  RangeParts gap;
  gap.type = of.type;
  gap.lower = {upper.value, false, !upper.inclusive, true};
  gap.upper = {lower.value, false, !lower.inclusive, false};
  Value between;
  if (!make_range(ctx, gap, &between)) return false;
  *out = load_range(between).empty;
  return true;
}
std::span<const FunctionBinding> range_bindings() { return kBindings; }

TypedFn find_range_constructor(std::string_view symbol) {
  if (symbol.find("range_constructor") == std::string_view::npos) return nullptr;
  for (const std::span<const FunctionBinding> all : {range_bindings(), multirange_bindings()})
    for (const FunctionBinding& one : all)
      if (one.key == symbol) return one.typed;
  return nullptr;
}

}  // namespace wandian::sql
