#include "sql/functions/sample.h"

#include <bit>

#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// Mixes 64 bits (the finalizer of MurmurHash3).
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t out = 0xcbf29ce484222325;   // FNV-1a
  for (const char c : bytes) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return out;
}

std::uint64_t hash_row(const Value& row) {
  const RecordView view(row);
  std::uint64_t out = 0;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    const Value field = view.field(i);
    const TypeInfo* type = find_type(view.type(i));
    const bool bytes = type == nullptr || type->rep == Rep::kBytes || type->rep == Rep::kFixed16;
    out = mixed(out + (field.is_null ? 1 : bytes ? hash_bytes(field.bytes()) : static_cast<std::uint64_t>(field.i)));
  }
  return out;
}

template <bool repeatable>
bool draw(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return ctx.fail({sqlstate::invalid_tablesample_argument, "TABLESAMPLE parameter cannot be null"});
  if (repeatable && args[1].is_null)
    return ctx.fail({sqlstate::invalid_tablesample_repeat, "TABLESAMPLE REPEATABLE parameter cannot be null"});
  const double percent = args[0].d;
  if (!(percent >= 0 && percent <= 100))
    return ctx.fail({sqlstate::invalid_tablesample_argument, "sample percentage must be between 0 and 100"});
  const std::uint64_t lot = repeatable ? mixed(hash_row(args[2]) ^ mixed(std::bit_cast<std::uint64_t>(args[1].d)))
                                       : ctx.session->strong_random_bits();
  return return_bool(result, static_cast<double>(lot >> 11) * 0x1p-53 * 100 < percent);
}

FunctionDef make_function(bool repeatable) {
  FunctionDef out;
  out.oid = kInvalidOid;
  out.name = "tablesample";
  out.result = kBool;
  out.args = {kFloat4};
  if (repeatable) out.args = {kFloat4, kFloat8, kRecord};
  out.strict = false;
  out.volatility = Volatility::kVolatile;
  out.fn = repeatable ? draw<true> : draw<false>;
  return out;
}

}  // namespace

const FunctionDef* sample_function(bool repeatable) {
  static const FunctionDef& once = *new FunctionDef(make_function(false));
  static const FunctionDef& again = *new FunctionDef(make_function(true));
  return repeatable ? &again : &once;
}

}  // namespace wandian::sql
