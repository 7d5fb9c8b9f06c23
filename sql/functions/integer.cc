// Arithmetic on int2, int4, int8 and oid, with PostgreSQL's overflow checks.
#include <limits>
#include <numeric>

#include "sql/functions/bindings.h"

namespace wandian::sql {

namespace {

template <class T>
constexpr std::string_view name_of() {
  if constexpr (sizeof(T) == 2) return "smallint";
  else if constexpr (sizeof(T) == 4) return "integer";
  else return "bigint";
}

template <class T>
bool give(EvalContext& ctx, std::int64_t v, bool overflow, Value* result) {
  if (overflow || v < std::numeric_limits<T>::min() || v > std::numeric_limits<T>::max()) [[unlikely]]
    return out_of_range(ctx, name_of<T>());
  return return_int(result, v);
}

// T is the result's type.
template <class T>
bool plus(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool overflow = __builtin_add_overflow(args[0].i, args[1].i, &v);
  return give<T>(ctx, v, overflow, result);
}
template <class T>
bool minus(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool overflow = __builtin_sub_overflow(args[0].i, args[1].i, &v);
  return give<T>(ctx, v, overflow, result);
}
template <class T>
bool times(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool overflow = __builtin_mul_overflow(args[0].i, args[1].i, &v);
  return give<T>(ctx, v, overflow, result);
}
template <class T>
bool over(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i == 0) return division_by_zero(ctx);
  if (args[1].i == -1) return give<T>(ctx, 0 - static_cast<std::uint64_t>(args[0].i),
                                      args[0].i == std::numeric_limits<std::int64_t>::min(), result);
  return give<T>(ctx, args[0].i / args[1].i, false, result);
}
bool modulo(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i == 0) return division_by_zero(ctx);
  return return_int(result, args[1].i == -1 ? 0 : args[0].i % args[1].i);
}
template <class T>
bool negate(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool overflow = __builtin_sub_overflow(std::int64_t{0}, args[0].i, &v);
  return give<T>(ctx, v, overflow, result);
}
template <class T>
bool absolute(EvalContext& ctx, const Value* args, Value* result) {
  return args[0].i < 0 ? negate<T>(ctx, args, result) : return_int(result, args[0].i);
}
bool same(EvalContext&, const Value* args, Value* result) {
  *result = args[0];
  return true;
}
template <class T>
bool increment(EvalContext& ctx, const Value* args, Value* result) {
  std::int64_t v;
  const bool overflow = __builtin_add_overflow(args[0].i, std::int64_t{1}, &v);
  return give<T>(ctx, v, overflow, result);
}

bool bit_and(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i & args[1].i); }
bool bit_or(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i | args[1].i); }
bool bit_xor(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i ^ args[1].i); }
bool bit_not(EvalContext&, const Value* args, Value* result) { return return_int(result, ~args[0].i); }
// A shift counts modulo the width of the register that PostgreSQL shifts in.
template <class T>
constexpr std::int64_t shift_count(std::int64_t n) {
  return n & (sizeof(T) == 8 ? 63 : 31);
}
template <class T>
bool shift_left(EvalContext&, const Value* args, Value* result) {
  const auto v = static_cast<std::uint64_t>(args[0].i) << shift_count<T>(args[1].i);
  return return_int(result, static_cast<T>(v));
}
template <class T>
bool shift_right(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<T>(args[0].i) >> shift_count<T>(args[1].i));
}

template <class T>
bool gcd(EvalContext& ctx, const Value* args, Value* result) {
  const auto magnitude = [](std::int64_t v) { return v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v); };
  const std::uint64_t g = std::gcd(magnitude(args[0].i), magnitude(args[1].i));
  return give<T>(ctx, static_cast<std::int64_t>(g), g > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), result);
}
template <class T>
bool lcm(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].i == 0 || args[1].i == 0) return return_int(result, 0);
  Value g;
  if (!gcd<T>(ctx, args, &g)) return false;
  std::int64_t v;
  bool overflow = __builtin_mul_overflow(args[0].i / g.i, args[1].i, &v);
  if (!overflow && v < 0) overflow = __builtin_sub_overflow(std::int64_t{0}, v, &v);
  return give<T>(ctx, v, overflow, result);
}
bool larger(EvalContext&, const Value* args, Value* result) {
  *result = args[0].i >= args[1].i ? args[0] : args[1];
  return true;
}
bool smaller(EvalContext&, const Value* args, Value* result) {
  *result = args[0].i <= args[1].i ? args[0] : args[1];
  return true;
}

using I2 = std::int16_t;
using I4 = std::int32_t;
using I8 = std::int64_t;

constexpr FunctionBinding kBindings[] = {
    {"int2pl", plus<I2>}, {"int4pl", plus<I4>}, {"int8pl", plus<I8>}, {"int24pl", plus<I4>}, {"int42pl", plus<I4>},
    {"int28pl", plus<I8>}, {"int82pl", plus<I8>}, {"int48pl", plus<I8>}, {"int84pl", plus<I8>},
    {"int2mi", minus<I2>}, {"int4mi", minus<I4>}, {"int8mi", minus<I8>}, {"int24mi", minus<I4>}, {"int42mi", minus<I4>},
    {"int28mi", minus<I8>}, {"int82mi", minus<I8>}, {"int48mi", minus<I8>}, {"int84mi", minus<I8>},
    {"int2mul", times<I2>}, {"int4mul", times<I4>}, {"int8mul", times<I8>}, {"int24mul", times<I4>},
    {"int42mul", times<I4>}, {"int28mul", times<I8>}, {"int82mul", times<I8>}, {"int48mul", times<I8>},
    {"int84mul", times<I8>},
    {"int2div", over<I2>}, {"int4div", over<I4>}, {"int8div", over<I8>}, {"int24div", over<I4>}, {"int42div", over<I4>},
    {"int28div", over<I8>}, {"int82div", over<I8>}, {"int48div", over<I8>}, {"int84div", over<I8>},
    {"int2mod", modulo}, {"int4mod", modulo}, {"int8mod", modulo},
    {"int2um", negate<I2>}, {"int4um", negate<I4>}, {"int8um", negate<I8>},
    {"int2up", same}, {"int4up", same}, {"int8up", same},
    {"int2abs", absolute<I2>}, {"int4abs", absolute<I4>}, {"int8abs", absolute<I8>},
    {"int4inc", increment<I4>}, {"int8inc", increment<I8>},
    {"int2and", bit_and}, {"int4and", bit_and}, {"int8and", bit_and},
    {"int2or", bit_or}, {"int4or", bit_or}, {"int8or", bit_or},
    {"int2xor", bit_xor}, {"int4xor", bit_xor}, {"int8xor", bit_xor},
    {"int2not", bit_not}, {"int4not", bit_not}, {"int8not", bit_not},
    {"int2shl", shift_left<I2>}, {"int4shl", shift_left<I4>}, {"int8shl", shift_left<I8>},
    {"int2shr", shift_right<I2>}, {"int4shr", shift_right<I4>}, {"int8shr", shift_right<I8>},
    {"int4gcd", gcd<I4>}, {"int8gcd", gcd<I8>}, {"int4lcm", lcm<I4>}, {"int8lcm", lcm<I8>},
    {"int2larger", larger}, {"int4larger", larger}, {"int8larger", larger},
    {"int2smaller", smaller}, {"int4smaller", smaller}, {"int8smaller", smaller},
};

}  // namespace

std::span<const FunctionBinding> integer_bindings() { return kBindings; }

}  // namespace wandian::sql
