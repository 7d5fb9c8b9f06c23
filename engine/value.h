// Value: one SQL value while a statement runs. Its type is known from the plan, never stored beside it.
// Thread:  plain data. Bytes it points to are owned by an Arena, a row version (good until the turn ends) or the plan.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace wandian {

/// How values of a type are held (engine/type.h says which type uses which):
///   integers, bool, "char", oid and reg*, date (days from 2000-01-01), time (µs), timestamp and timestamptz (µs from
///   2000-01-01, INT64_MIN/MAX = -infinity/infinity; date uses INT32_MIN/MAX): `i`
///   float4 (held as double, rounded to float on every assignment) and float8: `d`
///   everything else (text, numeric, uuid, interval, arrays, json, ...): `p` and `size`
struct Value {
  union {
    std::int64_t i;
    double d;
    const char* p;
  };
  std::uint32_t size = 0;
  bool is_null = true;

  constexpr Value() : i(0) {}
  static constexpr Value null() { return {}; }
  static constexpr Value of_int(std::int64_t v) {
    Value out;
    out.i = v;
    out.is_null = false;
    return out;
  }
  static constexpr Value of_bool(bool v) { return of_int(v ? 1 : 0); }
  static constexpr Value of_double(double v) {
    Value out;
    out.d = v;
    out.is_null = false;
    return out;
  }
  static constexpr Value of_bytes(const char* data, std::size_t size) {
    Value out;
    out.p = data;
    out.size = static_cast<std::uint32_t>(size);
    out.is_null = false;
    return out;
  }
  static constexpr Value of_bytes(std::string_view text) { return of_bytes(text.data(), text.size()); }

  constexpr bool as_bool() const { return i != 0; }
  constexpr std::string_view bytes() const { return {p, size}; }
};
static_assert(sizeof(Value) == 16 && std::is_trivially_copyable_v<Value>);

/// An interval's 16 bytes behind Value::p, in host order, not necessarily aligned.
struct IntervalValue {
  std::int64_t microseconds = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;
};
static_assert(sizeof(IntervalValue) == 16);

inline IntervalValue load_interval(const Value& value) {
  IntervalValue out;
  std::memcpy(&out, value.p, sizeof out);
  return out;
}

}  // namespace wandian
