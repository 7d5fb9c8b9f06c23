// Aggregates that keep a number: count, sum, avg, min, max, variances, bit and bool.
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/collated.h"
#include "sql/functions/datetime_math.h"
#include "sql/types/collation.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

template <class T>
T& as(void* state) {
  return *static_cast<T*>(state);
}
template <class T>
const T& as(const void* state) {
  return *static_cast<const T*>(state);
}

struct Count {
  std::int64_t n;
};
bool count_step(EvalContext&, Arena&, void* state, const Oid*, const Value*) {
  ++as<Count>(state).n;
  return true;
}
bool count_finish(EvalContext&, const void* state, const Oid*, Value* result) { return return_int(result, as<Count>(state).n); }

// Integers: the sum in 128 bits holds as many int8 as there can be rows.
struct IntSum {
  Int128 sum;
  std::int64_t n;
};
bool int_step(EvalContext&, Arena&, void* state, const Oid*, const Value* args) {
  as<IntSum>(state).sum += args[0].i;
  ++as<IntSum>(state).n;
  return true;
}
bool int_sum_to_int8(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const IntSum& s = as<IntSum>(state);
  if (s.n == 0) return return_null(result);
  if (s.sum > std::numeric_limits<std::int64_t>::max() || s.sum < std::numeric_limits<std::int64_t>::min())
    return out_of_range(ctx, "bigint");
  return return_int(result, static_cast<std::int64_t>(s.sum));
}
bool int_sum_to_numeric(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const IntSum& s = as<IntSum>(state);
  if (s.n == 0) return return_null(result);
  return check(ctx, store_numeric(Numeric::of_int128(s.sum, 0), ctx.arena, result));
}
bool give_average(EvalContext& ctx, const Numeric& sum, std::int64_t n, Value* result) {
  Numeric out;
  return check(ctx, divide(sum, Numeric::of_int(n), &out)) && check(ctx, store_numeric(out, ctx.arena, result));
}
bool int_average(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const IntSum& s = as<IntSum>(state);
  return s.n == 0 ? return_null(result) : give_average(ctx, Numeric::of_int128(s.sum, 0), s.n, result);
}

bool numeric_step(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  return check(ctx, as<NumericSum>(state).add(args[0], arena));
}
bool numeric_sum(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const NumericSum& s = as<NumericSum>(state);
  if (s.count == 0) return return_null(result);
  return check(ctx, store_numeric(s.total(), ctx.arena, result));
}
bool numeric_average(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const NumericSum& s = as<NumericSum>(state);
  return s.count == 0 ? return_null(result) : give_average(ctx, s.total(), s.count, result);
}

// Variances of exact numbers from the sums of values and of squares.
struct Squares {
  NumericSum values;
  NumericSum squares;
};
bool add_square(EvalContext& ctx, Arena& arena, Squares& s, const Value& v) {
  Value square;
  return check(ctx, s.values.add(v, arena)) && check(ctx, multiply_numeric(v, v, ctx.arena, &square)) &&
         check(ctx, s.squares.add(square, arena));
}
bool squares_step(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  return add_square(ctx, arena, as<Squares>(state), args[0]);
}
bool int_squares_step(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  return add_square(ctx, arena, as<Squares>(state), numeric_from_int(args[0].i, ctx.arena));
}
template <bool sample, bool root>
bool exact_variance(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const Squares& s = as<Squares>(state);
  if (s.values.count == 0 || (sample && s.values.count == 1)) return return_null(result);
  const Numeric total = s.values.total();
  Numeric out;
  if (!total.finite()) {
    out = Numeric::of_kind(Numeric::Kind::kNan);
  } else {
    const Numeric n = Numeric::of_int(s.values.count);
    const Numeric spread = subtract(multiply(n, s.squares.total()), multiply(total, total));
    if (spread.sign() > 0) {
      const Numeric divisor = multiply(n, sample ? Numeric::of_int(s.values.count - 1) : n);
      const int scale = division_scale(spread, divisor);
      out = divide(spread, divisor, scale, true);
      if (root) out = square_root(out, scale);
    }
  }
  return check(ctx, store_numeric(out, ctx.arena, result));
}

// Floating point: Youngs and Cramer's update, so that large means do not cancel.
struct FloatMoments {
  double n;
  double sum;
  double squares;
};
bool float_step(EvalContext& ctx, Arena&, void* state, const Oid*, const Value* args) {
  FloatMoments& s = as<FloatMoments>(state);
  const double v = args[0].d;
  const double before = s.n;
  const double old_sum = s.sum;
  s.n += 1;
  s.sum += v;
  if (before > 0) {
    const double t = v * s.n - s.sum;
    s.squares += t * t / (s.n * before);
    if (std::isinf(s.sum) || std::isinf(s.squares)) {
      if (!std::isinf(old_sum) && !std::isinf(v) && !std::isnan(v))
        return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: overflow"});
      s.squares = std::numeric_limits<double>::quiet_NaN();
    }
  } else if (!std::isfinite(v)) {
    s.squares = std::numeric_limits<double>::quiet_NaN();
  }
  return true;
}
bool float_average(EvalContext&, const void* state, const Oid*, Value* result) {
  const FloatMoments& s = as<FloatMoments>(state);
  return s.n == 0 ? return_null(result) : return_double(result, s.sum / s.n);
}
template <bool sample, bool root>
bool float_variance(EvalContext&, const void* state, const Oid*, Value* result) {
  const FloatMoments& s = as<FloatMoments>(state);
  if (s.n == 0 || (sample && s.n == 1)) return return_null(result);
  const double v = s.squares / (sample ? s.n - 1 : s.n);
  return return_double(result, root ? std::sqrt(v) : v);
}

struct FloatSum {
  double sum;
  bool any;
};
template <class T>
bool float_sum_step(EvalContext& ctx, Arena&, void* state, const Oid*, const Value* args) {
  FloatSum& s = as<FloatSum>(state);
  const T sum = s.any ? static_cast<T>(s.sum) + static_cast<T>(args[0].d) : static_cast<T>(args[0].d);
  if (std::isinf(sum) && !std::isinf(s.sum) && !std::isinf(args[0].d))
    return ctx.fail({sqlstate::numeric_value_out_of_range, "value out of range: overflow"});
  s.sum = static_cast<double>(sum);
  s.any = true;
  return true;
}
bool float_sum(EvalContext&, const void* state, const Oid*, Value* result) {
  const FloatSum& s = as<FloatSum>(state);
  return s.any ? return_double(result, s.sum) : return_null(result);
}

struct IntervalSum {
  IntervalValue sum;
  std::int64_t n;
};
bool interval_step(EvalContext& ctx, Arena&, void* state, const Oid*, const Value* args) {
  IntervalSum& s = as<IntervalSum>(state);
  const IntervalValue v = load_interval(args[0]);
  ++s.n;
  if (__builtin_add_overflow(s.sum.microseconds, v.microseconds, &s.sum.microseconds) ||
      __builtin_add_overflow(s.sum.days, v.days, &s.sum.days) || __builtin_add_overflow(s.sum.months, v.months, &s.sum.months))
    return interval_out_of_range(ctx);
  return true;
}
bool interval_sum(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const IntervalSum& s = as<IntervalSum>(state);
  if (s.n == 0) return return_null(result);
  *result = interval_value(s.sum, ctx.arena);
  return true;
}
bool interval_average(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const IntervalSum& s = as<IntervalSum>(state);
  if (s.n == 0) return return_null(result);
  IntervalValue v;
  if (!scale_interval(s.sum, static_cast<double>(s.n), true, &v)) return interval_out_of_range(ctx);
  *result = interval_value(v, ctx.arena);
  return true;
}

// The smallest or largest so far, by the order of the argument's type; bytes are kept in the group's arena.
struct Extreme {
  Value value;
  std::uint32_t capacity;
  bool any;
};
template <bool largest>
bool keep_extreme(Arena& arena, Extreme& s, Rep rep, Order order, const Value* args) {
  if (s.any) {
    const int c = compare_values(order, args[0], s.value);
    if (largest ? c <= 0 : c >= 0) return true;
  }
  s.any = true;
  if (rep != Rep::kBytes && rep != Rep::kFixed16) {
    s.value = args[0];
    return true;
  }
  if (s.capacity < args[0].size || s.value.p == nullptr) {
    s.capacity = std::max<std::uint32_t>(args[0].size * 2, 32);
    s.value.p = static_cast<const char*>(arena.allocate(s.capacity, 8));
  }
  if (args[0].size > 0) std::memcpy(const_cast<char*>(s.value.p), args[0].p, args[0].size);
  s.value.size = args[0].size;
  s.value.is_null = false;
  return true;
}
template <bool largest>
bool extreme_step(EvalContext&, Arena& arena, void* state, const Oid* types, const Value* args) {
  const TypeInfo* type = find_type(types[0]);
  DB_ASSERT(type != nullptr && type->order != Order::kNone);
  return keep_extreme<largest>(arena, as<Extreme>(state), type->rep, type->order, args);
}
// The same for types whose order is known here.
template <bool largest>
bool integer_extreme_step(EvalContext&, Arena&, void* state, const Oid*, const Value* args) {
  Extreme& s = as<Extreme>(state);
  if (s.any && (largest ? args[0].i <= s.value.i : args[0].i >= s.value.i)) return true;
  s.any = true;
  s.value = args[0];
  return true;
}
template <bool largest>
bool numeric_extreme_step(EvalContext&, Arena& arena, void* state, const Oid*, const Value* args) {
  return keep_extreme<largest>(arena, as<Extreme>(state), Rep::kBytes, Order::kNumeric, args);
}
// The collation stands behind the result's type.
template <bool largest>
bool collated_extreme_step(EvalContext&, Arena& arena, void* state, const Oid* types, const Value* args) {
  return keep_extreme<largest>(arena, as<Extreme>(state), find_type(types[0])->rep, order_under(types[0], static_cast<std::uint16_t>(types[2])), args);
}
bool extreme_finish(EvalContext&, const void* state, const Oid*, Value* result) {
  const Extreme& s = as<Extreme>(state);
  *result = s.any ? s.value : Value::null();
  return true;
}

struct Folded {
  std::int64_t value;
  bool any;
};
enum class Fold : std::uint8_t { kAnd, kOr, kXor };
template <Fold fold>
bool fold_step(EvalContext&, Arena&, void* state, const Oid*, const Value* args) {
  Folded& s = as<Folded>(state);
  if (!s.any) s.value = args[0].i;
  else if (fold == Fold::kAnd) s.value &= args[0].i;
  else if (fold == Fold::kOr) s.value |= args[0].i;
  else s.value ^= args[0].i;
  s.any = true;
  return true;
}
bool fold_finish(EvalContext&, const void* state, const Oid*, Value* result) {
  const Folded& s = as<Folded>(state);
  return s.any ? return_int(result, s.value) : return_null(result);
}

// ---- Over frames that move ----

bool count_unstep(EvalContext&, Arena&, void* state, const Oid*, const Value*, bool*) {
  --as<Count>(state).n;
  return true;
}
bool int_unstep(EvalContext&, Arena&, void* state, const Oid*, const Value* args, bool*) {
  as<IntSum>(state).sum -= args[0].i;
  --as<IntSum>(state).n;
  return true;
}
bool interval_unstep(EvalContext& ctx, Arena&, void* state, const Oid*, const Value* args, bool*) {
  IntervalSum& s = as<IntervalSum>(state);
  const IntervalValue v = load_interval(args[0]);
  --s.n;
  if (__builtin_sub_overflow(s.sum.microseconds, v.microseconds, &s.sum.microseconds) ||
      __builtin_sub_overflow(s.sum.days, v.days, &s.sum.days) || __builtin_sub_overflow(s.sum.months, v.months, &s.sum.months))
    return interval_out_of_range(ctx);
  return true;
}

// The scale of a sum is the largest of what is in it: when the last value of that scale goes, the rest has to be asked.
struct MovingNumeric {
  NumericSum sum;
  std::int64_t of_scale;   ///< values whose scale is the sum's
};
int scale_of(const Value& value) { return load_numeric(value).dscale; }
bool moving_numeric_step(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  MovingNumeric& s = as<MovingNumeric>(state);
  const int scale = scale_of(args[0]);
  if (scale > s.sum.dscale) s.of_scale = 0;
  if (scale >= s.sum.dscale) ++s.of_scale;
  return check(ctx, s.sum.add(args[0], arena));
}
bool moving_numeric_unstep(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args, bool* done) {
  MovingNumeric& s = as<MovingNumeric>(state);
  if (s.sum.dscale > 0 && scale_of(args[0]) == s.sum.dscale && --s.of_scale == 0) {
    *done = false;
    return true;
  }
  return check(ctx, s.sum.subtract(args[0], arena));
}
bool moving_numeric_sum(EvalContext& ctx, const void* state, const Oid* types, Value* result) {
  return numeric_sum(ctx, &as<MovingNumeric>(state).sum, types, result);
}
bool moving_numeric_average(EvalContext& ctx, const void* state, const Oid* types, Value* result) {
  return numeric_average(ctx, &as<MovingNumeric>(state).sum, types, result);
}

// How many are true decides both bool_and and bool_or.
struct Truths {
  std::int64_t rows, yes;
};
bool truths_step(EvalContext&, Arena&, void* state, const Oid*, const Value* args) {
  ++as<Truths>(state).rows;
  as<Truths>(state).yes += args[0].i;
  return true;
}
bool truths_unstep(EvalContext&, Arena&, void* state, const Oid*, const Value* args, bool*) {
  --as<Truths>(state).rows;
  as<Truths>(state).yes -= args[0].i;
  return true;
}
template <bool all>
bool truths_finish(EvalContext&, const void* state, const Oid*, Value* result) {
  const Truths& s = as<Truths>(state);
  if (s.rows == 0) return return_null(result);
  return return_bool(result, all ? s.yes == s.rows : s.yes > 0);
}

constexpr MovingAggregate kMovingCount{sizeof(Count), count_step, count_unstep, count_finish};
constexpr MovingAggregate kMovingIntSum8{sizeof(IntSum), int_step, int_unstep, int_sum_to_int8};
constexpr MovingAggregate kMovingIntSum{sizeof(IntSum), int_step, int_unstep, int_sum_to_numeric};
constexpr MovingAggregate kMovingIntAverage{sizeof(IntSum), int_step, int_unstep, int_average};
constexpr MovingAggregate kMovingSum{sizeof(MovingNumeric), moving_numeric_step, moving_numeric_unstep, moving_numeric_sum};
constexpr MovingAggregate kMovingAverage{sizeof(MovingNumeric), moving_numeric_step, moving_numeric_unstep, moving_numeric_average};
constexpr MovingAggregate kMovingIntervalSum{sizeof(IntervalSum), interval_step, interval_unstep, interval_sum};
constexpr MovingAggregate kMovingIntervalAverage{sizeof(IntervalSum), interval_step, interval_unstep, interval_average};
constexpr MovingAggregate kMovingAnd{sizeof(Truths), truths_step, truths_unstep, truths_finish<true>};
constexpr MovingAggregate kMovingOr{sizeof(Truths), truths_step, truths_unstep, truths_finish<false>};

#define VARIANCES(type, state, step, function)                                                                   \
  {"var_pop(" type ")", sizeof(state), step, function<false, false>},                                            \
      {"var_samp(" type ")", sizeof(state), step, function<true, false>},                                        \
      {"variance(" type ")", sizeof(state), step, function<true, false>},                                        \
      {"stddev_pop(" type ")", sizeof(state), step, function<false, true>},                                      \
      {"stddev_samp(" type ")", sizeof(state), step, function<true, true>},                                      \
      {"stddev(" type ")", sizeof(state), step, function<true, true>}
#define EXTREMES_BY(type, step)                                        \
  {"min(" type ")", sizeof(Extreme), step<false>, extreme_finish},     \
      {"max(" type ")", sizeof(Extreme), step<true>, extreme_finish}
#define EXTREMES(type) EXTREMES_BY(type, extreme_step)
#define INTEGER_EXTREMES(type) EXTREMES_BY(type, integer_extreme_step)

constexpr AggregateBinding kBindings[] = {
    {"count()", sizeof(Count), count_step, count_finish, false, &kMovingCount},
    {"count(any)", sizeof(Count), count_step, count_finish, true, &kMovingCount},
    {"sum(int2)", sizeof(IntSum), int_step, int_sum_to_int8, true, &kMovingIntSum8},
    {"sum(int4)", sizeof(IntSum), int_step, int_sum_to_int8, true, &kMovingIntSum8},
    {"sum(int8)", sizeof(IntSum), int_step, int_sum_to_numeric, true, &kMovingIntSum},
    {"sum(numeric)", sizeof(NumericSum), numeric_step, numeric_sum, true, &kMovingSum},
    {"sum(float4)", sizeof(FloatSum), float_sum_step<float>, float_sum},
    {"sum(float8)", sizeof(FloatSum), float_sum_step<double>, float_sum},
    {"sum(interval)", sizeof(IntervalSum), interval_step, interval_sum, true, &kMovingIntervalSum},
    {"avg(int2)", sizeof(IntSum), int_step, int_average, true, &kMovingIntAverage},
    {"avg(int4)", sizeof(IntSum), int_step, int_average, true, &kMovingIntAverage},
    {"avg(int8)", sizeof(IntSum), int_step, int_average, true, &kMovingIntAverage},
    {"avg(numeric)", sizeof(NumericSum), numeric_step, numeric_average, true, &kMovingAverage},
    {"avg(float4)", sizeof(FloatMoments), float_step, float_average},
    {"avg(float8)", sizeof(FloatMoments), float_step, float_average},
    {"avg(interval)", sizeof(IntervalSum), interval_step, interval_average, true, &kMovingIntervalAverage},
    VARIANCES("int2", Squares, int_squares_step, exact_variance),
    VARIANCES("int4", Squares, int_squares_step, exact_variance),
    VARIANCES("int8", Squares, int_squares_step, exact_variance),
    VARIANCES("numeric", Squares, squares_step, exact_variance),
    VARIANCES("float4", FloatMoments, float_step, float_variance),
    VARIANCES("float8", FloatMoments, float_step, float_variance),
    INTEGER_EXTREMES("int2"), INTEGER_EXTREMES("int4"), INTEGER_EXTREMES("int8"), INTEGER_EXTREMES("date"), INTEGER_EXTREMES("time"),
    INTEGER_EXTREMES("timestamp"), INTEGER_EXTREMES("timestamptz"), EXTREMES_BY("numeric", numeric_extreme_step),
    EXTREMES("oid"), EXTREMES("float4"), EXTREMES("float8"), EXTREMES("text"), EXTREMES("bpchar"), EXTREMES("interval"), EXTREMES("anyarray"), EXTREMES("pg_lsn"),
    EXTREMES("citext"), EXTREMES("tid"), EXTREMES("anyenum"), EXTREMES("inet"), EXTREMES("timetz"), EXTREMES("money"), EXTREMES("xid8"),
    {"bool_and(bool)", sizeof(Folded), fold_step<Fold::kAnd>, fold_finish, true, &kMovingAnd},
    {"every(bool)", sizeof(Folded), fold_step<Fold::kAnd>, fold_finish, true, &kMovingAnd},
    {"bool_or(bool)", sizeof(Folded), fold_step<Fold::kOr>, fold_finish, true, &kMovingOr},
    {"bit_and(int2)", sizeof(Folded), fold_step<Fold::kAnd>, fold_finish},
    {"bit_and(int4)", sizeof(Folded), fold_step<Fold::kAnd>, fold_finish},
    {"bit_and(int8)", sizeof(Folded), fold_step<Fold::kAnd>, fold_finish},
    {"bit_or(int2)", sizeof(Folded), fold_step<Fold::kOr>, fold_finish},
    {"bit_or(int4)", sizeof(Folded), fold_step<Fold::kOr>, fold_finish},
    {"bit_or(int8)", sizeof(Folded), fold_step<Fold::kOr>, fold_finish},
    {"bit_xor(int2)", sizeof(Folded), fold_step<Fold::kXor>, fold_finish},
    {"bit_xor(int4)", sizeof(Folded), fold_step<Fold::kXor>, fold_finish},
    {"bit_xor(int8)", sizeof(Folded), fold_step<Fold::kXor>, fold_finish},
};
#undef VARIANCES
#undef EXTREMES
#undef EXTREMES_BY
#undef INTEGER_EXTREMES

}  // namespace

std::span<const AggregateBinding> aggregate_bindings() { return kBindings; }

const AggregateDef* collated_aggregate(const AggregateDef& aggregate) {
  static const std::vector<AggregateDef>& all = *[] {
    auto* const out = new std::vector<AggregateDef>;
    for (const AggregateDef& known : all_aggregates()) {
      if ((known.name != "min" && known.name != "max") || known.args.size() != 1) continue;
      if (known.args[0] != type_oid::kText && known.args[0] != type_oid::kBpchar && known.args[0] != type_oid::kAnyArray) continue;
      out->push_back(known);
      out->back().step = known.name == "max" ? collated_extreme_step<true> : collated_extreme_step<false>;
    }
    return out;
  }();
  const auto found = std::find_if(all.begin(), all.end(), [&](const AggregateDef& known) { return known.oid == aggregate.oid; });
  return found != all.end() ? &*found : nullptr;
}

}  // namespace wandian::sql
