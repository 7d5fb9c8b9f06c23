// Functions and operators of bit strings.
#include <algorithm>

#include "sql/functions/bindings.h"
#include "sql/types/bit_string.h"

namespace wandian::sql {

namespace {

bool give_bits(EvalContext& ctx, const std::string& bits, Value* result) {
  *result = Value::of_bytes(ctx.arena.copy(bits));
  return true;
}

template <char op>
bool combine(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view a = args[0].bytes(), b = args[1].bytes();
  if (a.size() != b.size())
    return ctx.fail({sqlstate::string_data_length_mismatch, std::string("cannot ") + (op == '&' ? "AND" : op == '|' ? "OR" : "XOR") +
                                                                " bit strings of different sizes"});
  std::string out(a);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool x = a[i] == '1', y = b[i] == '1';
    out[i] = (op == '&' ? x && y : op == '|' ? x || y : x != y) ? '1' : '0';
  }
  return give_bits(ctx, out, result);
}
bool invert(EvalContext& ctx, const Value* args, Value* result) {
  std::string out(args[0].bytes());
  for (char& c : out) c = c == '1' ? '0' : '1';
  return give_bits(ctx, out, result);
}
template <bool left>
bool shift(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view bits = args[0].bytes();
  const bool to_left = left == (args[1].i >= 0);
  const auto by = static_cast<std::size_t>(std::min<std::int64_t>(args[1].i < 0 ? -args[1].i : args[1].i, static_cast<std::int64_t>(bits.size())));
  const std::string zeros(by, '0');
  return give_bits(ctx, to_left ? std::string(bits.substr(by)) + zeros : zeros + std::string(bits.substr(0, bits.size() - by)), result);
}
bool concatenate_bits(EvalContext& ctx, const Value* args, Value* result) {
  return give_bits(ctx, std::string(args[0].bytes()) + std::string(args[1].bytes()), result);
}

bool substring(EvalContext& ctx, std::string_view bits, std::int64_t from, std::int64_t length, bool has_length, std::string* out) {
  if (has_length && length < 0) return ctx.fail({sqlstate::substring_error, "negative substring length not allowed"});
  const auto size = static_cast<std::int64_t>(bits.size());
  const std::int64_t begin = std::max<std::int64_t>(from, 1);
  const std::int64_t end = has_length ? std::min(from + length, size + 1) : size + 1;
  *out = begin < end ? std::string(bits.substr(static_cast<std::size_t>(begin - 1), static_cast<std::size_t>(end - begin))) : std::string();
  return true;
}
template <bool has_length>
bool substring_of(EvalContext& ctx, const Value* args, Value* result) {
  std::string out;
  return substring(ctx, args[0].bytes(), args[1].i, has_length ? args[2].i : 0, has_length, &out) && give_bits(ctx, out, result);
}
template <bool has_length>
bool overlay(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view bits = args[0].bytes(), with = args[1].bytes();
  const std::int64_t from = args[2].i;
  const std::int64_t length = has_length ? args[3].i : static_cast<std::int64_t>(with.size());
  if (from <= 0) return ctx.fail({sqlstate::substring_error, "negative substring length not allowed"});
  std::string head, tail;
  return substring(ctx, bits, 1, from - 1, true, &head) && substring(ctx, bits, from + length, 0, false, &tail) &&
         give_bits(ctx, head + std::string(with) + tail, result);
}
bool position(EvalContext&, const Value* args, Value* result) {
  const std::string_view bits = args[0].bytes(), wanted = args[1].bytes();
  if (bits.empty() || wanted.size() > bits.size()) return return_int(result, 0);
  const std::size_t at = bits.find(wanted);
  return return_int(result, at == std::string_view::npos ? 0 : static_cast<std::int64_t>(at) + 1);
}

bool length(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].size); }
bool octets(EvalContext&, const Value* args, Value* result) { return return_int(result, (args[0].size + 7) / 8); }
bool ones(EvalContext&, const Value* args, Value* result) {
  const std::string_view bits = args[0].bytes();
  return return_int(result, std::count(bits.begin(), bits.end(), '1'));
}
bool index_of(EvalContext& ctx, const Value* args, std::size_t* at) {
  if (args[1].i < 0 || args[1].i >= args[0].size)
    return ctx.fail({sqlstate::array_subscript_error, "bit index " + std::to_string(args[1].i) + " out of valid range (0.." +
                                                          std::to_string(static_cast<std::int64_t>(args[0].size) - 1) + ")"});
  *at = static_cast<std::size_t>(args[1].i);
  return true;
}
bool get_bit(EvalContext& ctx, const Value* args, Value* result) {
  std::size_t at;
  return index_of(ctx, args, &at) && return_int(result, args[0].bytes()[at] == '1' ? 1 : 0);
}
bool set_bit(EvalContext& ctx, const Value* args, Value* result) {
  std::size_t at;
  if (!index_of(ctx, args, &at)) return false;
  if (args[2].i != 0 && args[2].i != 1) return ctx.fail({sqlstate::invalid_parameter_value, "new bit must be 0 or 1"});
  std::string out(args[0].bytes());
  out[at] = args[2].i != 0 ? '1' : '0';
  return give_bits(ctx, out, result);
}

template <bool varying>
bool fit(EvalContext& ctx, const Value* args, Value* result) {
  return check(ctx, fit_bits(args[0].bytes(), varying, args[1].i > 0 ? static_cast<std::int32_t>(args[1].i) : -1, args[2].as_bool(), ctx.arena, result));
}
// The low bits of a number, with its sign in front of them.
bool from_integer(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t count = args[1].i > 0 ? args[1].i : 1;
  std::string out;
  for (std::int64_t i = count - 1; i >= 0; --i) out.push_back((args[0].i >> std::min<std::int64_t>(i, 63)) & 1 ? '1' : '0');
  return give_bits(ctx, out, result);
}
template <class T>
bool to_integer(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view bits = args[0].bytes();
  if (bits.size() > sizeof(T) * 8) return out_of_range(ctx, sizeof(T) == 8 ? "bigint" : "integer");
  std::uint64_t out = 0;
  for (const char c : bits) out = (out << 1) | (c == '1' ? 1 : 0);
  return return_int(result, static_cast<T>(out));
}

constexpr FunctionBinding kBindings[] = {
    {"bit_and", combine<'&'>}, {"bit_or", combine<'|'>}, {"bitxor", combine<'#'>}, {"bitnot", invert}, {"bitshiftleft", shift<true>},
    {"bitshiftright", shift<false>}, {"bitcat", concatenate_bits}, {"bitsubstr", substring_of<true>}, {"bitsubstr_no_len", substring_of<false>},
    {"bitoverlay", overlay<true>}, {"bitoverlay_no_len", overlay<false>}, {"bitposition", position}, {"bitlength", length},
    {"bit_length(bit)", length}, {"bitoctetlength", octets}, {"bit_bit_count", ones}, {"bitgetbit", get_bit}, {"bitsetbit", set_bit},
    {"bit", fit<false>}, {"varbit", fit<true>}, {"bitfromint4", from_integer}, {"bitfromint8", from_integer},
    {"bittoint4", to_integer<std::int32_t>}, {"bittoint8", to_integer<std::int64_t>},
};

// bit_and, bit_or and bit_xor.
struct FoldedBits {
  const char* bits;
  std::uint32_t size;
  bool any;
};
template <char op>
bool fold_bits(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  auto& folded = *static_cast<FoldedBits*>(state);
  Value out = args[0];
  const Value both[] = {Value::of_bytes(folded.bits, folded.size), args[0]};
  if (folded.any && !combine<op>(ctx, both, &out)) return false;
  const std::string_view kept = arena.copy(out.bytes());
  folded = {kept.data(), static_cast<std::uint32_t>(kept.size()), true};
  return true;
}
bool folded_bits(EvalContext&, const void* state, const Oid*, Value* result) {
  const auto& folded = *static_cast<const FoldedBits*>(state);
  if (!folded.any) return return_null(result);
  *result = Value::of_bytes(folded.bits, folded.size);
  return true;
}

constexpr AggregateBinding kAggregates[] = {
    {"bit_and(bit)", sizeof(FoldedBits), fold_bits<'&'>, folded_bits},
    {"bit_or(bit)", sizeof(FoldedBits), fold_bits<'|'>, folded_bits},
    {"bit_xor(bit)", sizeof(FoldedBits), fold_bits<'#'>, folded_bits},
};

}  // namespace

std::span<const FunctionBinding> bit_bindings() { return kBindings; }
std::span<const AggregateBinding> bit_aggregate_bindings() { return kAggregates; }

}  // namespace wandian::sql
