// generate_series over numbers and times.
#include <limits>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

bool zero_step(EvalContext& ctx) { return ctx.fail({sqlstate::invalid_parameter_value, "step size cannot equal zero"}); }

template <bool has_step>
bool int_series(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const std::int64_t start = args[0].i, stop = args[1].i;
  const std::int64_t step = has_step ? args[2].i : 1;
  if (step == 0) return zero_step(ctx);
  // start + position * step, without overflow.
  const Int128 v = static_cast<Int128>(start) + static_cast<Int128>(*position) * step;
  *done = step > 0 ? v > stop : v < stop;
  if (*done) return true;
  columns[0] = Value::of_int(static_cast<std::int64_t>(v));
  ++*position;
  return true;
}

template <bool has_step>
bool numeric_series(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const Numeric start = load_numeric(args[0]), stop = load_numeric(args[1]);
  const Numeric step = has_step ? load_numeric(args[2]) : Numeric::of_int(1);
  const auto refuse = [&](const Numeric& n, const char* what) {
    return ctx.fail({sqlstate::invalid_parameter_value, std::string(what) + (n.nan() ? " cannot be NaN" : " cannot be infinity")});
  };
  if (!start.finite()) return refuse(start, "start value");
  if (!stop.finite()) return refuse(stop, "stop value");
  if (!step.finite()) return refuse(step, "step size");
  if (step.zero()) return zero_step(ctx);
  const Numeric v =
      *position == 0 ? start : add(start, multiply(step, Numeric::of_int(static_cast<std::int64_t>(*position))));
  const int c = compare_numeric(v, stop);
  *done = step.negative ? c < 0 : c > 0;
  if (*done) return true;
  ++*position;
  return check(ctx, store_numeric(v, ctx.arena, &columns[0]));
}

// Each time follows from the one before, so that months end where the series has them end: the position is the time
// last returned, moved away from 0, which means that nothing was returned yet.
template <bool with_zone>
bool time_series(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const IntervalValue step = load_interval(args[2]);
  const Int128 span = interval_span(args[2]);
  if (span == 0) return zero_step(ctx);
  std::int64_t v = args[0].i;
  if (*position != 0) {
    const auto last = static_cast<std::int64_t>(*position ^ 0x4000000000000000u);
    const bool ok = with_zone ? add_interval(zone_of(ctx.format), last, step, &v) : add_interval(last, step, &v);
    if (!ok) return timestamp_out_of_range(ctx);
  }
  *done = span > 0 ? v > args[1].i : v < args[1].i;
  if (*done) return true;
  if (!timestamp_finite(v)) return ctx.fail({sqlstate::invalid_parameter_value, "timestamp out of range"});
  columns[0] = Value::of_int(v);
  *position = static_cast<std::uint64_t>(v) ^ 0x4000000000000000u;
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"generate_series_int4", nullptr, nullptr, int_series<false>},
    {"generate_series_step_int4", nullptr, nullptr, int_series<true>},
    {"generate_series_int8", nullptr, nullptr, int_series<false>},
    {"generate_series_step_int8", nullptr, nullptr, int_series<true>},
    {"generate_series_numeric", nullptr, nullptr, numeric_series<false>},
    {"generate_series_step_numeric", nullptr, nullptr, numeric_series<true>},
    {"generate_series_timestamp", nullptr, nullptr, time_series<false>},
    {"generate_series_timestamptz", nullptr, nullptr, time_series<true>},
};

}  // namespace

std::span<const FunctionBinding> set_bindings() { return kBindings; }

}  // namespace wandian::sql
