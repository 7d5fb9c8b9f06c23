// Functions and operators of multiranges, and the aggregates that make them.
#include <algorithm>
#include <cstring>

#include "sql/functions/bindings.h"
#include "sql/types/multirange.h"
#include "sql/types/range_text.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Ranges = std::vector<RangeParts>;

Ranges ranges_of(const Value& value, bool is_range) {
  if (!is_range) return load_multirange(value);
  RangeParts range = load_range(value);
  return range.empty ? Ranges{} : Ranges{range};
}
Oid range_type_of(Oid type) { return find_type(type)->base; }

// Two sets of ranges, each given as a range or a multirange.
template <bool a_range, bool b_range>
struct Pair {
  Ranges a, b;
  Order order = Order::kNone;
  explicit Pair(const Value* args) : a(ranges_of(args[0], a_range)), b(ranges_of(args[1], b_range)) {
    if (!a.empty()) order = range_order(a[0].type);
  }
  bool any_empty() const { return a.empty() || b.empty(); }
  int compare(const RangeBound& x, const RangeBound& y) const { return compare_bounds(order, x, y); }
  bool overlap(const RangeParts& x, const RangeParts& y) const { return compare(x.lower, y.upper) <= 0 && compare(y.lower, x.upper) <= 0; }
};

template <bool a_range, bool b_range>
bool overlaps(EvalContext&, const Value* args, Value* result) {
  const Pair<a_range, b_range> p(args);
  for (const RangeParts& x : p.a)
    for (const RangeParts& y : p.b)
      if (p.overlap(x, y)) return return_bool(result, true);
  return return_bool(result, false);
}
// Whether each range of the second lies in one of the first.
template <bool a_range, bool b_range, bool swapped>
bool contains(EvalContext&, const Value* args, Value* result) {
  const Value ordered[] = {args[swapped ? 1 : 0], args[swapped ? 0 : 1]};
  const Pair<a_range, b_range> p(ordered);
  for (const RangeParts& inner : p.b) {
    bool found = false;
    for (const RangeParts& outer : p.a) found = found || (p.compare(outer.lower, inner.lower) <= 0 && p.compare(outer.upper, inner.upper) >= 0);
    if (!found) return return_bool(result, false);
  }
  return return_bool(result, true);
}
template <bool swapped>
bool contains_element(EvalContext&, const Value* args, Value* result) {
  const Value& value = args[swapped ? 0 : 1];
  for (const RangeParts& range : load_multirange(args[swapped ? 1 : 0])) {
    const Order order = range_order(range.type);
    const RangeBound lower{value, false, true, true}, upper{value, false, true, false};
    if (compare_bounds(order, range.lower, lower) <= 0 && compare_bounds(order, range.upper, upper) >= 0) return return_bool(result, true);
  }
  return return_bool(result, false);
}
enum class Side : std::uint8_t { kBefore, kAfter, kOverLeft, kOverRight };
template <bool a_range, bool b_range, Side side>
bool stands(EvalContext&, const Value* args, Value* result) {
  const Pair<a_range, b_range> p(args);
  if (p.any_empty()) return return_bool(result, false);
  if constexpr (side == Side::kBefore) return return_bool(result, p.compare(p.a.back().upper, p.b.front().lower) < 0);
  if constexpr (side == Side::kAfter) return return_bool(result, p.compare(p.a.front().lower, p.b.back().upper) > 0);
  if constexpr (side == Side::kOverLeft) return return_bool(result, p.compare(p.a.back().upper, p.b.back().upper) <= 0);
  return return_bool(result, p.compare(p.a.front().lower, p.b.front().lower) >= 0);
}
template <bool a_range, bool b_range>
bool adjacent(EvalContext& ctx, const Value* args, Value* result) {
  const Pair<a_range, b_range> p(args);
  bool meets = false;
  if (p.any_empty()) return return_bool(result, false);
  if (!bounds_meet(ctx, p.a[0], p.a.back().upper, p.b.front().lower, &meets)) return false;
  if (!meets && !bounds_meet(ctx, p.a[0], p.b.back().upper, p.a.front().lower, &meets)) return false;
  return return_bool(result, meets);
}

bool unite(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  Ranges all = load_multirange(args[0]);
  const Ranges more = load_multirange(args[1]);
  all.insert(all.end(), more.begin(), more.end());
  return store_multirange(ctx, range_type_of(types[2]), std::move(all), result);
}
Ranges common(const Ranges& a, const Ranges& b) {
  Ranges out;
  for (const RangeParts& x : a) {
    const Order order = range_order(x.type);
    for (const RangeParts& y : b) {
      if (compare_bounds(order, x.lower, y.upper) > 0 || compare_bounds(order, y.lower, x.upper) > 0) continue;
      RangeParts both = x;
      if (compare_bounds(order, y.lower, x.lower) > 0) both.lower = y.lower;
      if (compare_bounds(order, y.upper, x.upper) < 0) both.upper = y.upper;
      out.push_back(both);
    }
  }
  return out;
}
bool intersect(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return store_multirange(ctx, range_type_of(types[2]), common(load_multirange(args[0]), load_multirange(args[1])), result);
}
bool subtract(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  Ranges left = load_multirange(args[0]);
  for (const RangeParts& taken : load_multirange(args[1])) {
    const Order order = range_order(taken.type);
    Ranges kept;
    for (const RangeParts& range : left) {
      if (compare_bounds(order, range.lower, taken.upper) > 0 || compare_bounds(order, taken.lower, range.upper) > 0) {
        kept.push_back(range);
        continue;
      }
      RangeParts piece = range;
      if (compare_bounds(order, range.lower, taken.lower) < 0) {
        piece.upper = {taken.lower.value, false, !taken.lower.inclusive, false};
        kept.push_back(piece);
      }
      if (compare_bounds(order, range.upper, taken.upper) > 0) {
        piece = range;
        piece.lower = {taken.upper.value, false, !taken.upper.inclusive, true};
        kept.push_back(piece);
      }
    }
    left = std::move(kept);
  }
  // In canonical form, which may leave nothing of a piece.
  for (RangeParts& piece : left) {
    Value stored;
    if (!make_range(ctx, piece, &stored)) return false;
    piece = load_range(stored);
  }
  return store_multirange(ctx, range_type_of(types[2]), std::move(left), result);
}
bool span(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  const Ranges ranges = load_multirange(args[0]);
  RangeParts out;
  out.type = types[1];
  out.empty = ranges.empty();
  if (!out.empty) {
    out.lower = ranges.front().lower;
    out.upper = ranges.back().upper;
  }
  *result = store_range(out, ctx.arena);
  return true;
}

template <bool upper>
bool bound(EvalContext&, const Value* args, Value* result) {
  const Ranges ranges = load_multirange(args[0]);
  if (ranges.empty()) return return_null(result);
  const RangeBound& of = upper ? ranges.back().upper : ranges.front().lower;
  if (of.infinite) return return_null(result);
  *result = of.value;
  return true;
}
template <bool upper, bool infinite>
bool bound_is(EvalContext&, const Value* args, Value* result) {
  const Ranges ranges = load_multirange(args[0]);
  if (ranges.empty()) return return_bool(result, false);
  const RangeBound& of = upper ? ranges.back().upper : ranges.front().lower;
  return return_bool(result, infinite ? of.infinite : of.inclusive);
}
bool is_empty(EvalContext&, const Value* args, Value* result) { return return_bool(result, ArrayView(args[0]).count() == 0); }

bool of_nothing(EvalContext& ctx, const Oid* types, const Value*, Value* result) { return store_multirange(ctx, range_type_of(types[0]), {}, result); }
bool of_range(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return store_multirange(ctx, range_type_of(types[1]), {load_range(args[0])}, result);
}
bool of_ranges(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  const ArrayView array(args[0]);
  if (array.dimensions() > 1) return ctx.fail({sqlstate::cardinality_violation, "multiranges cannot be constructed from multidimensional arrays"});
  Ranges ranges;
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const Value range = array.element(i);
    if (range.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "multirange values cannot contain null members"});
    ranges.push_back(load_range(range));
  }
  return store_multirange(ctx, range_type_of(types[1]), std::move(ranges), result);
}
bool elements(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView ranges(args[0]);
  *done = *position >= ranges.count();
  if (!*done) columns[0] = ranges.element(static_cast<std::uint32_t>((*position)++));
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"range_overlaps_multirange", overlaps<true, false>}, {"multirange_overlaps_range", overlaps<false, true>},
    {"multirange_overlaps_multirange", overlaps<false, false>},
    {"multirange_contains_elem", contains_element<false>}, {"elem_contained_by_multirange", contains_element<true>},
    {"multirange_contains_range", contains<false, true, false>}, {"multirange_contains_multirange", contains<false, false, false>},
    {"range_contains_multirange", contains<true, false, false>}, {"range_contained_by_multirange", contains<false, true, true>},
    {"multirange_contained_by_multirange", contains<false, false, true>}, {"multirange_contained_by_range", contains<true, false, true>},
    {"range_adjacent_multirange", adjacent<true, false>}, {"multirange_adjacent_range", adjacent<false, true>},
    {"multirange_adjacent_multirange", adjacent<false, false>},
    {"range_before_multirange", stands<true, false, Side::kBefore>}, {"multirange_before_range", stands<false, true, Side::kBefore>},
    {"multirange_before_multirange", stands<false, false, Side::kBefore>},
    {"range_after_multirange", stands<true, false, Side::kAfter>}, {"multirange_after_range", stands<false, true, Side::kAfter>},
    {"multirange_after_multirange", stands<false, false, Side::kAfter>},
    {"range_overleft_multirange", stands<true, false, Side::kOverLeft>}, {"multirange_overleft_range", stands<false, true, Side::kOverLeft>},
    {"multirange_overleft_multirange", stands<false, false, Side::kOverLeft>},
    {"range_overright_multirange", stands<true, false, Side::kOverRight>}, {"multirange_overright_range", stands<false, true, Side::kOverRight>},
    {"multirange_overright_multirange", stands<false, false, Side::kOverRight>},
    {"multirange_union", nullptr, unite}, {"multirange_intersect", nullptr, intersect}, {"multirange_minus", nullptr, subtract},
    {"range_merge_from_multirange", nullptr, span}, {"multirange_lower", bound<false>}, {"multirange_upper", bound<true>},
    {"multirange_lower_inc", bound_is<false, false>}, {"multirange_upper_inc", bound_is<true, false>},
    {"multirange_lower_inf", bound_is<false, true>}, {"multirange_upper_inf", bound_is<true, true>}, {"multirange_empty", is_empty},
    {"multirange_constructor0", nullptr, of_nothing}, {"multirange_constructor1", nullptr, of_range}, {"multirange_constructor2", nullptr, of_ranges},
    {"multirange_unnest", nullptr, nullptr, elements},
};

// range_agg and range_intersect_agg.
struct Collected {
  Value* values;
  std::size_t size, capacity;
};
bool collect(EvalContext&, Arena& arena, void* state, const Oid*, const Value* args) {
  auto& s = *static_cast<Collected*>(state);
  if (s.size == s.capacity) {
    const std::size_t wanted = std::max<std::size_t>(s.capacity * 2, 8);
    Value* moved = arena.allocate_array<Value>(wanted);
    if (s.size > 0) std::memcpy(static_cast<void*>(moved), s.values, s.size * sizeof(Value));
    s.values = moved;
    s.capacity = wanted;
  }
  s.values[s.size++] = Value::of_bytes(arena.copy(args[0].bytes()));
  return true;
}
template <bool of_multiranges>
bool united(EvalContext& ctx, const void* state, const Oid* types, Value* result) {
  const auto& s = *static_cast<const Collected*>(state);
  if (s.size == 0) return return_null(result);
  Ranges all;
  for (std::size_t i = 0; i < s.size; ++i) {
    const Ranges more = ranges_of(s.values[i], !of_multiranges);
    all.insert(all.end(), more.begin(), more.end());
  }
  return store_multirange(ctx, range_type_of(types[1]), std::move(all), result);
}
template <bool of_multiranges>
bool shared(EvalContext& ctx, const void* state, const Oid* types, Value* result) {
  const auto& s = *static_cast<const Collected*>(state);
  if (s.size == 0) return return_null(result);
  Ranges left = ranges_of(s.values[0], !of_multiranges);
  for (std::size_t i = 1; i < s.size; ++i) left = common(left, ranges_of(s.values[i], !of_multiranges));
  if (of_multiranges) return store_multirange(ctx, range_type_of(types[1]), std::move(left), result);
  RangeParts out;
  out.type = types[1];
  out.empty = true;
  return make_range(ctx, left.empty() ? out : left[0], result);
}

constexpr AggregateBinding kAggregates[] = {
    {"range_agg(anyrange)", sizeof(Collected), collect, united<false>},
    {"range_agg(anymultirange)", sizeof(Collected), collect, united<true>},
    {"range_intersect_agg(anyrange)", sizeof(Collected), collect, shared<false>},
    {"range_intersect_agg(anymultirange)", sizeof(Collected), collect, shared<true>},
};

}  // namespace

std::span<const FunctionBinding> multirange_bindings() { return kBindings; }
std::span<const AggregateBinding> multirange_aggregate_bindings() { return kAggregates; }

}  // namespace wandian::sql
