// money: whole cents. Its text is that of lc_monetary "C", as the server has it: $1,234.56.
#include "sql/types/money.h"

#include <cmath>
#include <limits>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

bool too_large(EvalContext& ctx) { return out_of_range(ctx, "money"); }

bool give_money(EvalContext& ctx, Int128 cents, Value* result) {
  if (cents > std::numeric_limits<std::int64_t>::max() || cents < std::numeric_limits<std::int64_t>::min()) return too_large(ctx);
  return return_int(result, static_cast<std::int64_t>(cents));
}
bool give_money(EvalContext& ctx, double cents, Value* result) {
  cents = std::rint(cents);
  if (!(cents >= -9223372036854775808.0 && cents < 9223372036854775808.0)) return too_large(ctx);
  return return_int(result, static_cast<std::int64_t>(cents));
}

bool plus(EvalContext& ctx, const Value* args, Value* result) { return give_money(ctx, static_cast<Int128>(args[0].i) + args[1].i, result); }
bool minus(EvalContext& ctx, const Value* args, Value* result) { return give_money(ctx, static_cast<Int128>(args[0].i) - args[1].i, result); }
template <bool money_first>
bool times_integer(EvalContext& ctx, const Value* args, Value* result) {
  return give_money(ctx, static_cast<Int128>(args[0].i) * args[1].i, result);
}
template <bool money_first>
bool times_float(EvalContext& ctx, const Value* args, Value* result) {
  return give_money(ctx, static_cast<double>(args[money_first ? 0 : 1].i) * args[money_first ? 1 : 0].d, result);
}
bool over_integer(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i == 0) return division_by_zero(ctx);
  return give_money(ctx, static_cast<Int128>(args[0].i) / args[1].i, result);
}
bool over_float(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].d == 0) return division_by_zero(ctx);
  return give_money(ctx, static_cast<double>(args[0].i) / args[1].d, result);
}
bool over_money(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i == 0) return division_by_zero(ctx);
  return return_double(result, static_cast<double>(args[0].i) / static_cast<double>(args[1].i));
}
bool from_integer(EvalContext& ctx, const Value* args, Value* result) { return give_money(ctx, static_cast<Int128>(args[0].i) * 100, result); }
bool from_numeric(EvalContext& ctx, const Value* args, Value* result) {
  Numeric number = load_numeric(args[0]);
  if (!number.finite())
    return ctx.fail({sqlstate::feature_not_supported, number.nan() ? "cannot convert NaN to bigint" : "cannot convert infinity to bigint"});
  number = multiply(number, Numeric::of_int(100));
  Value stored;
  return check(ctx, store_numeric(number, ctx.arena, &stored)) &&
         check(ctx, numeric_to_int(stored, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), "bigint", &result->i)) &&
         return_int(result, result->i);
}
bool to_numeric(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, store_numeric(Numeric::of_int128(args[0].i, 2), ctx.arena, result));
}

constexpr FunctionBinding kBindings[] = {
    {"cash_pl", plus}, {"cash_mi", minus}, {"cash_mul_int2", times_integer<true>}, {"cash_mul_int4", times_integer<true>},
    {"cash_mul_int8", times_integer<true>}, {"int2_mul_cash", times_integer<false>}, {"int4_mul_cash", times_integer<false>},
    {"int8_mul_cash", times_integer<false>}, {"cash_mul_flt4", times_float<true>}, {"cash_mul_flt8", times_float<true>},
    {"flt4_mul_cash", times_float<false>}, {"flt8_mul_cash", times_float<false>}, {"cash_div_int2", over_integer},
    {"cash_div_int4", over_integer}, {"cash_div_int8", over_integer}, {"cash_div_flt4", over_float}, {"cash_div_flt8", over_float},
    {"cash_div_cash", over_money}, {"int4_cash", from_integer}, {"int8_cash", from_integer}, {"numeric_cash", from_numeric},
    {"cash_numeric", to_numeric},
};

struct MoneySum {
  Int128 cents;
  bool any;
};
bool sum_step(EvalContext&, Arena&, void* state, const Oid*, const Value* args) {
  auto& sum = *static_cast<MoneySum*>(state);
  sum.cents += args[0].i;
  sum.any = true;
  return true;
}
bool sum_finish(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const auto& sum = *static_cast<const MoneySum*>(state);
  return sum.any ? give_money(ctx, sum.cents, result) : return_null(result);
}

constexpr AggregateBinding kAggregates[] = {
    {"sum(money)", sizeof(MoneySum), sum_step, sum_finish},
};

}  // namespace

Status parse_money(std::string_view text, std::int64_t* out) {
  const auto bad = [&] { return invalid_input("money", text); };
  std::string_view body = trim_blanks(text);
  bool negative = false;
  const auto skip = [&](char c) {
    while (!body.empty() && body.front() == ' ') body.remove_prefix(1);
    if (body.empty() || body.front() != c) return false;
    body.remove_prefix(1);
    return true;
  };
  (void)skip('$');
  bool parentheses = false;
  if (skip('-')) negative = true;
  else if (skip('(')) negative = parentheses = true;
  else (void)skip('+');
  (void)skip('$');
  while (!body.empty() && body.front() == ' ') body.remove_prefix(1);
  Int128 cents = 0;
  int decimals = -1;   // behind the point; the third one rounds
  std::size_t i = 0;
  for (; i < body.size(); ++i) {
    const char c = body[i];
    if (c >= '0' && c <= '9') {
      if (decimals < 2) cents = cents * 10 + (c - '0');
      else if (decimals == 2 && c >= '5') ++cents;
      if (decimals >= 0) ++decimals;
      if (cents > static_cast<Int128>(std::numeric_limits<std::int64_t>::max()) + 1)
        return {sqlstate::numeric_value_out_of_range, "value \"" + std::string(text) + "\" is out of range for type money"};
    } else if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c != ',' || decimals >= 0) {
      break;
    }
  }
  for (; decimals < 2; decimals = decimals < 0 ? 1 : decimals + 1) cents *= 10;
  for (; i < body.size(); ++i) {
    if (body[i] == ' ' || body[i] == '$' || (parentheses && body[i] == ')')) continue;
    if (body[i] == '-') negative = true;
    else return bad();
  }
  if (negative) cents = -cents;
  if (cents > std::numeric_limits<std::int64_t>::max() || cents < std::numeric_limits<std::int64_t>::min())
    return {sqlstate::numeric_value_out_of_range, "value \"" + std::string(text) + "\" is out of range for type money"};
  *out = static_cast<std::int64_t>(cents);
  return {};
}

std::string money_text(std::int64_t cents) {
  const std::uint64_t size = cents < 0 ? 0 - static_cast<std::uint64_t>(cents) : static_cast<std::uint64_t>(cents);
  std::string digits = std::to_string(size / 100);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  const std::string rest = std::to_string(size % 100);
  return std::string(cents < 0 ? "-$" : "$") + digits + (rest.size() < 2 ? ".0" : ".") + rest;
}

std::span<const FunctionBinding> money_bindings() { return kBindings; }
std::span<const AggregateBinding> money_aggregate_bindings() { return kAggregates; }

}  // namespace wandian::sql
