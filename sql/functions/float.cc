// Arithmetic and mathematics on float4 and float8, with PostgreSQL's overflow, underflow and domain errors.
#include <cmath>
#include <limits>
#include <numbers>

#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

bool overflow(EvalContext& ctx) {
  return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: overflow"});
}
bool underflow(EvalContext& ctx) {
  return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: underflow"});
}
bool input_out_of_range(EvalContext& ctx) {
  return ctx.fail({sqlstate::numeric_value_out_of_range, "input is out of range"});
}

// A result that became infinite from finite operands overflowed.
template <class T>
bool give(EvalContext& ctx, T v, bool infinite_input, Value* result) {
  if (std::isinf(v) && !infinite_input) [[unlikely]] return overflow(ctx);
  return return_double(result, static_cast<double>(v));
}

template <class T>
bool plus(EvalContext& ctx, const Value* args, Value* result) {
  return give<T>(ctx, static_cast<T>(args[0].d) + static_cast<T>(args[1].d),
                 std::isinf(args[0].d) || std::isinf(args[1].d), result);
}
template <class T>
bool minus(EvalContext& ctx, const Value* args, Value* result) {
  return give<T>(ctx, static_cast<T>(args[0].d) - static_cast<T>(args[1].d),
                 std::isinf(args[0].d) || std::isinf(args[1].d), result);
}
template <class T>
bool times(EvalContext& ctx, const Value* args, Value* result) {
  const T v = static_cast<T>(args[0].d) * static_cast<T>(args[1].d);
  if (v == 0 && args[0].d != 0 && args[1].d != 0) return underflow(ctx);
  return give<T>(ctx, v, std::isinf(args[0].d) || std::isinf(args[1].d), result);
}
template <class T>
bool over(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].d == 0 && !std::isnan(args[0].d)) return division_by_zero(ctx);
  const T v = static_cast<T>(args[0].d) / static_cast<T>(args[1].d);
  if (v == 0 && args[0].d != 0 && !std::isinf(args[1].d)) return underflow(ctx);
  return give<T>(ctx, v, std::isinf(args[0].d), result);
}

bool negate(EvalContext&, const Value* args, Value* result) { return return_double(result, -args[0].d); }
bool same(EvalContext&, const Value* args, Value* result) { return return_double(result, args[0].d); }
bool absolute(EvalContext&, const Value* args, Value* result) { return return_double(result, std::fabs(args[0].d)); }
bool larger(EvalContext&, const Value* args, Value* result) {
  *result = compare_values(Order::kFloat, args[0], args[1]) > 0 ? args[0] : args[1];
  return true;
}
bool smaller(EvalContext&, const Value* args, Value* result) {
  *result = compare_values(Order::kFloat, args[0], args[1]) < 0 ? args[0] : args[1];
  return true;
}

template <double (*fn)(double)>
bool plain(EvalContext&, const Value* args, Value* result) {
  return return_double(result, fn(args[0].d));
}
// Functions that are infinite or zero only beyond double's range.
template <double (*fn)(double)>
bool ranged(EvalContext& ctx, const Value* args, Value* result) {
  return give(ctx, fn(args[0].d), std::isinf(args[0].d), result);
}
// Functions of finite arguments alone.
template <double (*fn)(double)>
bool of_finite(EvalContext& ctx, const Value* args, Value* result) {
  if (std::isinf(args[0].d)) return input_out_of_range(ctx);
  return give(ctx, fn(args[0].d), true, result);
}
// Functions of [low, high].
template <double (*fn)(double)>
bool of_unit(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d < -1 || args[0].d > 1) return input_out_of_range(ctx);
  return return_double(result, fn(args[0].d));
}

double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

constexpr double kRadiansPerDegree = 0.0174532925199432957692;
double degrees(double v) { return v / kRadiansPerDegree; }
double cotangent(double v) { return 1.0 / std::tan(v); }

// Sines and cosines of degrees within the first quadrant, scaled so that 30, 45 and 60 degrees give the exact values
// that the last digit of a plain computation would miss.
double low_sine(double v) {
  static const double sine_30 = std::sin(30.0 * kRadiansPerDegree);
  return std::sin(v * kRadiansPerDegree) / sine_30 / 2.0;
}
double low_cosine(double v) {
  static const double rest_60 = 1.0 - std::cos(60.0 * kRadiansPerDegree);
  return 1.0 - (1.0 - std::cos(v * kRadiansPerDegree)) / rest_60 / 2.0;
}
double quadrant_sine(double v) { return v <= 30 ? low_sine(v) : low_cosine(90 - v); }
double quadrant_cosine(double v) { return v <= 60 ? low_cosine(v) : low_sine(90 - v); }

double sine_degrees(double v) {
  v = std::fmod(v, 360.0);
  double s = 1;
  if (v < 0) {
    v = -v;
    s = -s;
  }
  if (v > 180) {
    v = 360 - v;
    s = -s;
  }
  if (v > 90) v = 180 - v;
  return s * quadrant_sine(v);
}
double cosine_degrees(double v) {
  v = std::fabs(std::fmod(v, 360.0));
  double s = 1;
  if (v > 180) v = 360 - v;
  if (v > 90) {
    v = 180 - v;
    s = -s;
  }
  return s * quadrant_cosine(v);
}
// The angle of the first quadrant with the same tangent and cotangent but for their sign, which it gives.
double reduce_to_quadrant(double* v) {
  *v = std::fmod(*v, 360.0);
  double s = 1;
  if (*v < 0) {
    *v = -*v;
    s = -s;
  }
  if (*v > 180) {
    *v = 360 - *v;
    s = -s;
  }
  if (*v > 90) {
    *v = 180 - *v;
    s = -s;
  }
  return s;
}
double tangent_degrees(double v) {
  static const double tangent_45 = quadrant_sine(45) / quadrant_cosine(45);
  const double s = reduce_to_quadrant(&v);
  const double out = s * (quadrant_sine(v) / quadrant_cosine(v) / tangent_45);
  return out == 0 ? 0 : out;
}
double cotangent_degrees(double v) {
  static const double cotangent_45 = quadrant_cosine(45) / quadrant_sine(45);
  const double s = reduce_to_quadrant(&v);
  const double out = s * (quadrant_cosine(v) / quadrant_sine(v) / cotangent_45);
  return out == 0 ? 0 : out;
}
// Of 0 to 1, scaled so that the values at 0, 0.5 and 1 are exact.
double arc_sine_degrees(double v) {
  static const double arc_sine_half = std::asin(0.5), arc_cosine_half = std::acos(0.5);
  return v <= 0.5 ? std::asin(v) / arc_sine_half * 30.0 : 90.0 - std::acos(v) / arc_cosine_half * 60.0;
}
double arc_cosine_degrees(double v) {
  static const double arc_sine_half = std::asin(0.5), arc_cosine_half = std::acos(0.5);
  return v <= 0.5 ? 90.0 - std::asin(v) / arc_sine_half * 30.0 : std::acos(v) / arc_cosine_half * 60.0;
}
double asind(double v) { return v >= 0 ? arc_sine_degrees(v) : -arc_sine_degrees(-v); }
double acosd(double v) { return v >= 0 ? arc_cosine_degrees(v) : 90.0 + arc_sine_degrees(-v); }
double atand(double v) {
  static const double arc_tangent_1 = std::atan(1.0);
  return std::atan(v) / arc_tangent_1 * 45.0;
}
bool atan2d(EvalContext&, const Value* args, Value* result) {
  static const double arc_tangent_1 = std::atan(1.0);
  return return_double(result, std::atan2(args[0].d, args[1].d) / arc_tangent_1 * 45.0);
}
double round_even(double v) { return std::rint(v); }
double natural_exp(double v) { return std::exp(v); }

bool square_root(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d < 0)
    return ctx.fail({sqlstate::invalid_argument_for_power_function, "cannot take square root of a negative number"});
  return give(ctx, std::sqrt(args[0].d), std::isinf(args[0].d), result);
}
bool exponential(EvalContext& ctx, const Value* args, Value* result) {
  const double v = natural_exp(args[0].d);
  if (v == 0 && !std::isinf(args[0].d)) return underflow(ctx);
  return give(ctx, v, std::isinf(args[0].d), result);
}
template <double (*fn)(double)>
bool logarithm(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d == 0) return ctx.fail({sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of zero"});
  if (args[0].d < 0)
    return ctx.fail({sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number"});
  return give(ctx, fn(args[0].d), std::isinf(args[0].d), result);
}
bool power(EvalContext& ctx, const Value* args, Value* result) {
  const double a = args[0].d;
  const double b = args[1].d;
  if (std::isnan(a)) return return_double(result, b == 0 ? 1.0 : a);
  if (std::isnan(b)) return return_double(result, a == 1 ? 1.0 : b);
  if (a == 0 && b < 0)
    return ctx.fail({sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined"});
  if (a < 0 && std::floor(b) != b && !std::isinf(b))
    return ctx.fail({sqlstate::invalid_argument_for_power_function,
                     "a negative number raised to a non-integer power yields a complex result"});
  const double v = std::pow(a, b);
  if (v == 0 && a != 0 && !std::isinf(a) && !std::isinf(b)) return underflow(ctx);
  return give(ctx, v, std::isinf(a) || std::isinf(b), result);
}
bool radians(EvalContext& ctx, const Value* args, Value* result) {
  const double v = args[0].d * kRadiansPerDegree;
  if (v == 0 && args[0].d != 0) return underflow(ctx);
  return return_double(result, v);
}
bool arc_tangent2(EvalContext&, const Value* args, Value* result) {
  return return_double(result, std::atan2(args[0].d, args[1].d));
}
bool acosh_of(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d < 1) return input_out_of_range(ctx);
  return return_double(result, std::acosh(args[0].d));
}
bool atanh_of(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d < -1 || args[0].d > 1) return input_out_of_range(ctx);
  return return_double(result, std::atanh(args[0].d));
}
bool pi(EvalContext&, const Value*, Value* result) { return return_double(result, std::numbers::pi); }

bool random(EvalContext& ctx, const Value*, Value* result) {
  return return_double(result, static_cast<double>(ctx.session->random_bits() >> 11) * 0x1p-53);
}
bool set_seed(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].d < -1 || args[0].d > 1 || std::isnan(args[0].d))
    return ctx.fail({sqlstate::invalid_parameter_value,
                     "setseed parameter " + std::to_string(args[0].d) + " is out of allowed range [-1,1]"});
  ctx.session->seed_random(args[0].d);
  return return_int(result, 0);
}

bool width_bucket(EvalContext& ctx, const Value* args, Value* result) {
  const double v = args[0].d, low = args[1].d, high = args[2].d;
  const std::int64_t count = args[3].i;
  const auto bad = [&](const char* what) {
    return ctx.fail({sqlstate::invalid_argument_for_width_bucket_function, what});
  };
  if (count <= 0) return bad("count must be greater than zero");
  if (std::isnan(v) || std::isnan(low) || std::isnan(high)) return bad("operand, lower bound, and upper bound cannot be NaN");
  if (std::isinf(low) || std::isinf(high)) return bad("lower and upper bounds must be finite");
  if (low == high) return bad("lower bound cannot equal upper bound");
  std::int64_t bucket;
  if (low < high ? v < low : v > low) bucket = 0;
  else if (low < high ? v >= high : v <= high) bucket = count + 1;
  else {
    const double place = static_cast<double>(count) * (v - low) / (high - low) + 1;
    // What is too much for an integer is the least one, as where PostgreSQL casts it.
    bucket = place < 2147483648.0 ? static_cast<std::int64_t>(place) : INT32_MIN;
  }
  if (bucket > INT32_MAX) return out_of_range(ctx, "integer");
  return return_int(result, bucket);
}

using F4 = float;
using F8 = double;

constexpr FunctionBinding kBindings[] = {
    {"float4pl", plus<F4>}, {"float8pl", plus<F8>}, {"float48pl", plus<F8>}, {"float84pl", plus<F8>},
    {"float4mi", minus<F4>}, {"float8mi", minus<F8>}, {"float48mi", minus<F8>}, {"float84mi", minus<F8>},
    {"float4mul", times<F4>}, {"float8mul", times<F8>}, {"float48mul", times<F8>}, {"float84mul", times<F8>},
    {"float4div", over<F4>}, {"float8div", over<F8>}, {"float48div", over<F8>}, {"float84div", over<F8>},
    {"float4um", negate}, {"float8um", negate}, {"float4up", same}, {"float8up", same},
    {"float4abs", absolute}, {"float8abs", absolute},
    {"float4larger", larger}, {"float8larger", larger}, {"float4smaller", smaller}, {"float8smaller", smaller},
    {"dround", plain<round_even>}, {"dtrunc", plain<std::trunc>}, {"dceil", plain<std::ceil>},
    {"dfloor", plain<std::floor>}, {"dsign", plain<sign>}, {"degrees", ranged<degrees>}, {"radians", radians},
    {"dsqrt", square_root}, {"dcbrt", ranged<std::cbrt>}, {"dpow", power}, {"dexp", exponential},
    {"dlog1", logarithm<std::log>}, {"dlog10", logarithm<std::log10>}, {"dpi", pi},
    {"dsin", of_finite<std::sin>}, {"dcos", of_finite<std::cos>}, {"dtan", of_finite<std::tan>},
    {"dcot", of_finite<cotangent>}, {"dasin", of_unit<std::asin>}, {"dacos", of_unit<std::acos>},
    {"datan", plain<std::atan>}, {"datan2", arc_tangent2}, {"dsinh", plain<std::sinh>}, {"dcosh", plain<std::cosh>},
    {"dtanh", plain<std::tanh>}, {"dasinh", plain<std::asinh>}, {"dacosh", acosh_of}, {"datanh", atanh_of},
    {"dsind", of_finite<sine_degrees>}, {"dcosd", of_finite<cosine_degrees>}, {"dtand", of_finite<tangent_degrees>},
    {"dcotd", of_finite<cotangent_degrees>}, {"dasind", of_unit<asind>}, {"dacosd", of_unit<acosd>}, {"datand", plain<atand>},
    {"datan2d", atan2d},
    {"drandom", random}, {"setseed", set_seed}, {"width_bucket_float8", width_bucket},
};

}  // namespace

std::span<const FunctionBinding> float_bindings() { return kBindings; }

}  // namespace wandian::sql
