// Ordered-set aggregates (percentiles, mode) over sorted values, and hypothetical-set aggregates (rank and its kin) from a rank.
#include <cmath>

#include "sql/functions/bindings.h"
#include "sql/functions/datetime_math.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Rows = std::span<const Value* const>;

bool check_fraction(EvalContext& ctx, double fraction) {
  if (fraction >= 0 && fraction <= 1) return true;
  char text[64];
  std::snprintf(text, sizeof text, "%g", fraction);
  return ctx.fail({sqlstate::numeric_value_out_of_range, "percentile value " + std::string(text) + " is not between 0 and 1"});
}

// The first value whose share of the rows reaches the fraction.
bool discrete(EvalContext&, const Oid*, Rows rows, double fraction, Value* result) {
  const double position = std::ceil(fraction * static_cast<double>(rows.size()));
  *result = *rows[position <= 1 ? 0 : static_cast<std::size_t>(position) - 1];
  return true;
}

bool between_doubles(EvalContext&, const Value& low, const Value& high, double share, Value* result) {
  return return_double(result, low.d + share * (high.d - low.d));
}

// low + (high - low) * share, as SQL's operators on intervals compute it.
bool between_intervals(EvalContext& ctx, const Value& low, const Value& high, double share, Value* result) {
  const IntervalValue a = load_interval(low), b = load_interval(high);
  IntervalValue span, part, out;
  if (__builtin_sub_overflow(b.microseconds, a.microseconds, &span.microseconds) || __builtin_sub_overflow(b.days, a.days, &span.days) ||
      __builtin_sub_overflow(b.months, a.months, &span.months) || !scale_interval(span, share, false, &part) ||
      __builtin_add_overflow(a.microseconds, part.microseconds, &out.microseconds) || __builtin_add_overflow(a.days, part.days, &out.days) ||
      __builtin_add_overflow(a.months, part.months, &out.months)) {
    return interval_out_of_range(ctx);
  }
  *result = interval_value(out, ctx.arena);
  return true;
}

// Between the two rows around the fraction's place.
bool continuous(EvalContext& ctx, const Oid* types, Rows rows, double fraction, Value* result) {
  const double place = fraction * static_cast<double>(rows.size() - 1);
  const auto first = static_cast<std::size_t>(std::floor(place)), second = static_cast<std::size_t>(std::ceil(place));
  if (first == second) {
    *result = *rows[first];
    return true;
  }
  const double share = place - static_cast<double>(first);
  return (types[1] == kInterval ? between_intervals : between_doubles)(ctx, *rows[first], *rows[second], share, result);
}

using Percentile = bool (*)(EvalContext&, const Oid*, Rows, double, Value*);

template <Percentile percentile>
bool one(EvalContext& ctx, const Oid* types, const Value* direct, Rows rows, Value* result) {
  if (direct[0].is_null) return return_null(result);
  if (!check_fraction(ctx, direct[0].d)) return false;
  return rows.empty() ? return_null(result) : percentile(ctx, types, rows, direct[0].d, result);
}

template <Percentile percentile>
bool many(EvalContext& ctx, const Oid* types, const Value* direct, Rows rows, Value* result) {
  if (direct[0].is_null || rows.empty()) return return_null(result);
  const ArrayView fractions(direct[0]);
  std::vector<ArrayDimension> dimensions;
  for (int d = 0; d < fractions.dimensions(); ++d) dimensions.push_back({fractions.length(d), fractions.lower_bound(d)});
  std::vector<Value> out(fractions.count());
  for (std::uint32_t i = 0; i < fractions.count(); ++i) {
    const Value fraction = fractions.element(i);
    if (fraction.is_null) continue;
    if (!check_fraction(ctx, fraction.d) || !percentile(ctx, types, rows, fraction.d, &out[i])) return false;
  }
  if (dimensions.empty()) *result = build_array(types[1], std::span<const Value>{}, ctx.arena);
  else *result = build_array(types[1], dimensions, out, ctx.arena);
  return true;
}

// The value that comes most often; of several the first.
bool mode(EvalContext&, const Oid* types, const Value*, Rows rows, Value* result) {
  const TypeInfo* type = find_type(types[0]);
  std::size_t best = 0, best_count = 0;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && compare_values(type->order, *rows[begin], *rows[end]) == 0) ++end;
    if (end - begin > best_count) {
      best = begin;
      best_count = end - begin;
    }
    begin = end;
  }
  if (rows.empty()) return return_null(result);
  *result = *rows[best];
  return true;
}

bool rank(const HypotheticalRank& r, Value* result) { return return_int(result, r.before + 1); }
bool dense_rank(const HypotheticalRank& r, Value* result) { return return_int(result, r.distinct_before + 1); }
bool percent_rank(const HypotheticalRank& r, Value* result) {
  return return_double(result, r.rows == 0 ? 0 : static_cast<double>(r.before) / static_cast<double>(r.rows));
}
bool cume_dist(const HypotheticalRank& r, Value* result) {
  return return_double(result, static_cast<double>(r.before + r.equal + 1) / static_cast<double>(r.rows + 1));
}

constexpr OrderedSetBinding kBindings[] = {
    {"percentile_disc(float8,anyelement)", one<discrete>},
    {"percentile_cont(float8,float8)", one<continuous>},
    {"percentile_cont(float8,interval)", one<continuous>},
    {"percentile_disc(_float8,anyelement)", many<discrete>},
    {"percentile_cont(_float8,float8)", many<continuous>},
    {"percentile_cont(_float8,interval)", many<continuous>},
    {"mode(anyelement)", mode},
    {"rank(any)", nullptr, rank},
    {"dense_rank(any)", nullptr, dense_rank},
    {"percent_rank(any)", nullptr, percent_rank},
    {"cume_dist(any)", nullptr, cume_dist},
};

}  // namespace

std::span<const OrderedSetBinding> ordered_set_bindings() { return kBindings; }

}  // namespace wandian::sql
