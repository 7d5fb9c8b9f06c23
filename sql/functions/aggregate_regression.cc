// Aggregates over pairs (y, x) of float8: correlation, covariance and linear regression.
#include <cmath>

#include "sql/functions/bindings.h"

namespace wandian::sql {

namespace {

// Sums, and sums of squared and mixed distances from the means, kept by Youngs and Cramer's update.
struct Pairs {
  double n;
  double x, y;
  double xx, yy, xy;
};

bool step(EvalContext& ctx, Arena&, void* state, const Oid*, const Value* args) {
  Pairs& s = *static_cast<Pairs*>(state);
  const double y = args[0].d, x = args[1].d, before = s.n;
  const Pairs old = s;
  s.n += 1;
  s.x += x;
  s.y += y;
  const bool finite = std::isfinite(x) && std::isfinite(y);
  if (before > 0) {
    const double dx = x * s.n - s.x, dy = y * s.n - s.y, scale = 1.0 / (s.n * before);
    s.xx += dx * dx * scale;
    s.yy += dy * dy * scale;
    s.xy += dx * dy * scale;
    const auto overflowed = [&](double now, double was) { return std::isinf(now) && !std::isinf(was); };
    const bool any = std::isinf(s.x) || std::isinf(s.y) || std::isinf(s.xx) || std::isinf(s.yy) || std::isinf(s.xy);
    if (any && finite && (overflowed(s.x, old.x) || overflowed(s.y, old.y) || overflowed(s.xx, old.xx) || overflowed(s.yy, old.yy) || overflowed(s.xy, old.xy)))
      return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: overflow"});
  } else if (!finite) {
    const double none = std::nan("");
    if (!std::isfinite(x)) s.xx = s.xy = none;
    if (!std::isfinite(y)) s.yy = s.xy = none;
  }
  return true;
}

const Pairs& pairs(const void* state) { return *static_cast<const Pairs*>(state); }

bool count(EvalContext&, const void* state, const Oid*, Value* result) { return return_int(result, static_cast<std::int64_t>(pairs(state).n)); }

template <double Pairs::*sum, bool mean>
bool total(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  if (s.n < 1) return return_null(result);
  return return_double(result, mean ? s.*sum / s.n : s.*sum);
}
bool covariance_of_sample(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  return s.n < 2 ? return_null(result) : return_double(result, s.xy / (s.n - 1));
}
bool correlation(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  if (s.n < 1 || s.xx == 0 || s.yy == 0) return return_null(result);
  return return_double(result, s.xy / std::sqrt(s.xx * s.yy));
}
bool determination(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  if (s.n < 1 || s.xx == 0) return return_null(result);
  return return_double(result, s.yy == 0 ? 1 : s.xy * s.xy / (s.xx * s.yy));
}
bool slope(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  return s.n < 1 || s.xx == 0 ? return_null(result) : return_double(result, s.xy / s.xx);
}
bool intercept(EvalContext&, const void* state, const Oid*, Value* result) {
  const Pairs& s = pairs(state);
  return s.n < 1 || s.xx == 0 ? return_null(result) : return_double(result, (s.y - s.x * s.xy / s.xx) / s.n);
}

constexpr AggregateBinding kBindings[] = {
    {"regr_count(float8,float8)", sizeof(Pairs), step, count},
    {"regr_sxx(float8,float8)", sizeof(Pairs), step, total<&Pairs::xx, false>},
    {"regr_syy(float8,float8)", sizeof(Pairs), step, total<&Pairs::yy, false>},
    {"regr_sxy(float8,float8)", sizeof(Pairs), step, total<&Pairs::xy, false>},
    {"regr_avgx(float8,float8)", sizeof(Pairs), step, total<&Pairs::x, true>},
    {"regr_avgy(float8,float8)", sizeof(Pairs), step, total<&Pairs::y, true>},
    {"covar_pop(float8,float8)", sizeof(Pairs), step, total<&Pairs::xy, true>},
    {"covar_samp(float8,float8)", sizeof(Pairs), step, covariance_of_sample},
    {"corr(float8,float8)", sizeof(Pairs), step, correlation},
    {"regr_r2(float8,float8)", sizeof(Pairs), step, determination},
    {"regr_slope(float8,float8)", sizeof(Pairs), step, slope},
    {"regr_intercept(float8,float8)", sizeof(Pairs), step, intercept},
};

}  // namespace

std::span<const AggregateBinding> regression_aggregate_bindings() { return kBindings; }

}  // namespace wandian::sql
