// Arithmetic and mathematics on numeric (engine/numeric.h), and money-like helpers.
#include "engine/numeric.h"

#include <algorithm>
#include <limits>

#include "sql/functions/bindings.h"

namespace wandian::sql {

namespace {

bool give(EvalContext& ctx, const Numeric& n, Value* result) { return check(ctx, store_numeric(n, ctx.arena, result)); }

template <Status (*fn)(const Value&, const Value&, Arena&, Value*)>
bool on_values(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, fn(args[0], args[1], ctx.arena, result));
}
template <Status (*fn)(const Numeric&, const Numeric&, Numeric*)>
bool on_two(EvalContext& ctx, const Value* args, Value* result) {
  Numeric out;
  return check(ctx, fn(load_numeric(args[0]), load_numeric(args[1]), &out)) && give(ctx, out, result);
}
template <Status (*fn)(const Numeric&, Numeric*)>
bool on_one(EvalContext& ctx, const Value* args, Value* result) {
  Numeric out;
  return check(ctx, fn(load_numeric(args[0]), &out)) && give(ctx, out, result);
}
template <Numeric (*fn)(const Numeric&)>
bool plain(EvalContext& ctx, const Value* args, Value* result) {
  return give(ctx, fn(load_numeric(args[0])), result);
}

Numeric negated(const Numeric& n) { return negate(n); }
Numeric absolute_of(const Numeric& n) { return absolute(n); }
Numeric ceiling_of(const Numeric& n) { return ceiling(n); }
Numeric floor_of(const Numeric& n) { return floor(n); }
Numeric sign_of(const Numeric& n) { return n.nan() ? n : Numeric::of_int(n.sign()); }
Numeric incremented(const Numeric& n) { return add(n, Numeric::of_int(1)); }
bool same(EvalContext&, const Value* args, Value* result) {
  *result = args[0];
  return true;
}

// round(n, s), trunc(n, s): s within what a numeric can hold.
template <void (*fn)(Numeric*, int)>
bool to_scale(EvalContext& ctx, const Value* args, Value* result) {
  Numeric n = load_numeric(args[0]);
  const auto scale = static_cast<int>(std::clamp<std::int64_t>(args[1].i, -(Numeric::kMaxWeight + 1) * 4, Numeric::kMaxScale));
  fn(&n, scale);
  return give(ctx, n, result);
}
template <void (*fn)(Numeric*, int)>
bool to_whole(EvalContext& ctx, const Value* args, Value* result) {
  Numeric n = load_numeric(args[0]);
  fn(&n, 0);
  return give(ctx, n, result);
}

bool decimal_logarithm(EvalContext& ctx, const Value* args, Value* result) {
  Numeric out;
  return check(ctx, logarithm(Numeric::of_int(10), load_numeric(args[0]), &out)) && give(ctx, out, result);
}
bool factorial_of(EvalContext& ctx, const Value* args, Value* result) {
  Numeric out;
  return check(ctx, factorial(args[0].i, &out)) && give(ctx, out, result);
}
Status least_common_multiple(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.finite() || !b.finite()) {
    *out = Numeric::of_kind(Numeric::Kind::kNan);
    return {};
  }
  const int dscale = std::max(a.dscale, b.dscale);
  if (a.zero() || b.zero()) {
    *out = Numeric{};
  } else {
    Numeric g;
    WANDIAN_TRY(greatest_common_divisor(a, b, &g));
    *out = absolute(multiply(divide(a, g, 0, false), b));
  }
  out->dscale = dscale;
  return {};
}

int smallest_scale(const Numeric& n) {
  int scale = (static_cast<int>(n.digits.size()) - n.weight - 1) * Numeric::kBaseDigits;
  if (scale <= 0 || n.digits.empty()) return 0;
  for (int last = n.digits.back(); last % 10 == 0; last /= 10) --scale;
  return std::max(scale, 0);
}
bool scale(EvalContext&, const Value* args, Value* result) {
  const Numeric n = load_numeric(args[0]);
  return n.finite() ? return_int(result, n.dscale) : return_null(result);
}
bool min_scale(EvalContext&, const Value* args, Value* result) {
  const Numeric n = load_numeric(args[0]);
  return n.finite() ? return_int(result, smallest_scale(n)) : return_null(result);
}
bool trim_scale(EvalContext& ctx, const Value* args, Value* result) {
  Numeric n = load_numeric(args[0]);
  if (n.finite()) n.dscale = smallest_scale(n);
  return give(ctx, n, result);
}

bool width_bucket(EvalContext& ctx, const Value* args, Value* result) {
  const Numeric v = load_numeric(args[0]), low = load_numeric(args[1]), high = load_numeric(args[2]);
  const std::int64_t count = args[3].i;
  const auto bad = [&](const char* what) {
    return ctx.fail({sqlstate::invalid_argument_for_width_bucket_function, what});
  };
  if (count <= 0) return bad("count must be greater than zero");
  if (v.nan() || low.nan() || high.nan()) return bad("operand, lower bound, and upper bound cannot be NaN");
  if (!low.finite() || !high.finite()) return bad("lower and upper bounds must be finite");
  const int direction = compare_numeric(low, high);
  if (direction == 0) return bad("lower bound cannot equal upper bound");
  std::int64_t bucket = 0;
  if (direction < 0 ? compare_numeric(v, low) < 0 : compare_numeric(v, low) > 0) {
    bucket = 0;
  } else if (direction < 0 ? compare_numeric(v, high) >= 0 : compare_numeric(v, high) <= 0) {
    bucket = count + 1;
  } else {
    const Numeric part = multiply(subtract(v, low), Numeric::of_int(count));
    // The quotient is rounded first, so that it may come to be `count`.
    const Numeric range = subtract(high, low);
    Numeric quotient = divide(part, range, division_scale(part, range), true);
    truncate_to(&quotient, 0);
    Value whole;
    if (!give(ctx, quotient, &whole)) return false;
    if (!check(ctx, numeric_to_int(whole, INT32_MIN, INT32_MAX, "integer", &bucket))) return false;
    ++bucket;
  }
  if (bucket > INT32_MAX) return out_of_range(ctx, "integer");
  return return_int(result, bucket);
}

bool larger(EvalContext&, const Value* args, Value* result) {
  *result = compare_numeric(args[0], args[1]) > 0 ? args[0] : args[1];
  return true;
}
bool smaller(EvalContext&, const Value* args, Value* result) {
  *result = compare_numeric(args[0], args[1]) < 0 ? args[0] : args[1];
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"numeric_add", on_values<add_numeric>},
    {"numeric_sub", on_values<subtract_numeric>},
    {"numeric_mul", on_values<multiply_numeric>},
    {"numeric_div", on_two<divide>},
    {"numeric_mod", on_two<modulo>},
    {"numeric_div_trunc", on_two<integer_divide>},
    {"numeric_power", on_two<power>},
    {"numeric_log", on_two<logarithm>},
    {"numeric_gcd", on_two<greatest_common_divisor>},
    {"numeric_lcm", on_two<least_common_multiple>},
    {"numeric_sqrt", on_one<square_root>},
    {"numeric_exp", on_one<exponential>},
    {"numeric_ln", on_one<natural_logarithm>},
    {"log(numeric)", decimal_logarithm},
    {"log10(numeric)", decimal_logarithm},
    {"numeric_fac", factorial_of},
    {"numeric_uminus", plain<negated>},
    {"numeric_uplus", same},
    {"numeric_abs", plain<absolute_of>},
    {"numeric_sign", plain<sign_of>},
    {"numeric_ceil", plain<ceiling_of>},
    {"numeric_floor", plain<floor_of>},
    {"numeric_inc", plain<incremented>},
    {"numeric_round", to_scale<round_to>},
    {"numeric_trunc", to_scale<truncate_to>},
    {"round(numeric)", to_whole<round_to>},
    {"trunc(numeric)", to_whole<truncate_to>},
    {"numeric_scale", scale},
    {"numeric_min_scale", min_scale},
    {"numeric_trim_scale", trim_scale},
    {"width_bucket_numeric", width_bucket},
    {"numeric_larger", larger},
    {"numeric_smaller", smaller},
};

}  // namespace

std::span<const FunctionBinding> numeric_bindings() { return kBindings; }

}  // namespace wandian::sql
