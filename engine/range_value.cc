#include "engine/range_value.h"

#include <cstring>

#include "engine/array_value.h"
#include "storage/base/assert.h"

namespace wandian {

namespace {

constexpr std::size_t kHeaderBytes = 8;

const TypeInfo* subtype_of(Oid range_type) {
  const TypeInfo* range = find_type(range_type);
  return range != nullptr ? find_type(range->base) : nullptr;
}

// A bound and where the next one begins.
const char* load_bound(Rep rep, const char* p, Value* out) {
  if (rep != Rep::kBytes) {
    *out = load_fixed(rep, p);
    return p + fixed_bytes(rep);
  }
  std::uint32_t size;
  std::memcpy(&size, p, 4);
  *out = Value::of_bytes(p + 4, size);
  return p + 4 + size;
}

std::size_t bound_bytes(Rep rep, const RangeBound& bound) {
  if (bound.infinite) return 0;
  return rep == Rep::kBytes ? 4 + std::size_t{bound.value.size} : fixed_bytes(rep);
}

char* store_bound(Rep rep, const RangeBound& bound, char* p) {
  if (bound.infinite) return p;
  if (rep != Rep::kBytes) {
    store_fixed(rep, bound.value, p);
    return p + fixed_bytes(rep);
  }
  std::memcpy(p, &bound.value.size, 4);
  if (bound.value.size > 0) std::memcpy(p + 4, bound.value.p, bound.value.size);
  return p + 4 + bound.value.size;
}

}  // namespace

RangeParts load_range(const Value& value) {
  RangeParts out;
  std::memcpy(&out.type, value.p, 4);
  const auto flags = static_cast<unsigned char>(value.p[4]);
  out.empty = (flags & kRangeEmpty) != 0;
  out.lower.infinite = (flags & kRangeLowerInfinite) != 0;
  out.upper.infinite = (flags & kRangeUpperInfinite) != 0;
  out.lower.inclusive = (flags & kRangeLowerInclusive) != 0;
  out.upper.inclusive = (flags & kRangeUpperInclusive) != 0;
  const TypeInfo* subtype = subtype_of(out.type);
  if (out.empty || subtype == nullptr) return out;
  const char* p = value.p + kHeaderBytes;
  if (!out.lower.infinite) p = load_bound(subtype->rep, p, &out.lower.value);
  if (!out.upper.infinite) load_bound(subtype->rep, p, &out.upper.value);
  return out;
}

Value store_range(const RangeParts& range, Arena& arena) {
  const TypeInfo* subtype = subtype_of(range.type);
  DB_ASSERT(subtype != nullptr);
  unsigned char flags = 0;
  std::size_t size = kHeaderBytes;
  if (range.empty) {
    flags = kRangeEmpty;
  } else {
    flags = static_cast<unsigned char>((range.lower.infinite ? kRangeLowerInfinite : range.lower.inclusive ? kRangeLowerInclusive : 0) |
                                       (range.upper.infinite ? kRangeUpperInfinite : range.upper.inclusive ? kRangeUpperInclusive : 0));
    size += bound_bytes(subtype->rep, range.lower) + bound_bytes(subtype->rep, range.upper);
  }
  char* begin = static_cast<char*>(arena.allocate(size, 8));
  std::memset(begin, 0, kHeaderBytes);
  std::memcpy(begin, &range.type, 4);
  begin[4] = static_cast<char>(flags);
  if (!range.empty) store_bound(subtype->rep, range.upper, store_bound(subtype->rep, range.lower, begin + kHeaderBytes));
  return Value::of_bytes(begin, size);
}

Order range_order(Oid range_type) {
  const TypeInfo* range = find_type(range_type);
  if (range == nullptr || range->bounds != Order::kNone) return range != nullptr ? range->bounds : Order::kNone;
  const TypeInfo* subtype = find_type(range->base);
  return subtype != nullptr ? subtype->order : Order::kNone;
}

int compare_bounds(Order order, const RangeBound& a, const RangeBound& b) {
  // An infinite lower bound is before everything, an infinite upper one behind it.
  if (a.infinite && b.infinite) return a.lower == b.lower ? 0 : a.lower ? -1 : 1;
  if (a.infinite) return a.lower ? -1 : 1;
  if (b.infinite) return b.lower ? 1 : -1;
  if (const int c = compare_values(order, a.value, b.value); c != 0) return c;
  // Of equal values: an upper bound that is left out ends before, a lower one begins behind.
  if (!a.inclusive && !b.inclusive) return a.lower == b.lower ? 0 : a.lower ? 1 : -1;
  if (!a.inclusive) return a.lower ? 1 : -1;
  if (!b.inclusive) return b.lower ? -1 : 1;
  return 0;
}

int compare_ranges(const Value& a, const Value& b) {
  const RangeParts x = load_range(a);
  const RangeParts y = load_range(b);
  if (x.empty || y.empty) return static_cast<int>(y.empty) - static_cast<int>(x.empty);
  const Order order = range_order(x.type);
  if (const int c = compare_bounds(order, x.lower, y.lower); c != 0) return c;
  return compare_bounds(order, x.upper, y.upper);
}

std::uint64_t hash_range(const Value& value) {
  const RangeParts range = load_range(value);
  if (range.empty) return 1;
  const Order order = range_order(range.type);
  const auto part = [&](const RangeBound& bound) -> std::uint64_t {
    if (bound.infinite) return 2;
    return hash_value(order, bound.value) * 2 + (bound.inclusive ? 1 : 0);
  };
  return part(range.lower) * 0x9E3779B97F4A7C15ULL + part(range.upper);
}

}  // namespace wandian
