#include "sql/routine/value_cast.h"

namespace wandian::sql {

Status ValueCasts::cast(const BindContext& context, EvalContext& eval, const Value& in, Oid source, Oid target, std::int32_t typmod,
                        Value* out) {
  if (in.is_null || target == 0 || (source == target && typmod < 0)) {
    *out = in;
    return {};
  }
  std::unique_ptr<Cast>& cast = casts_[{source, target, typmod}];
  if (cast == nullptr) {
    auto made = std::make_unique<Cast>();
    WANDIAN_ASSIGN(made->bound, bind_value_cast(source == type_oid::kUnknown ? type_oid::kText : source, target, typmod, context));
    WANDIAN_ASSIGN(made->code, compile(*made->bound.expr, made->code_arena));
    cast = std::move(made);
  }
  ExprInput input;
  input.params = &in;
  if (!cast->code.eval(eval, input, out)) return std::move(eval.error);
  return {};
}

}  // namespace wandian::sql
