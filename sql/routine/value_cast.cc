#include "sql/routine/value_cast.h"

#include "engine/array_value.h"

namespace wandian::sql {

Status ValueCasts::cast(const BindContext& context, EvalContext& eval, const Value& in, Oid source, Oid target, std::int32_t typmod,
                        Value* out) {
  // A domain may refuse null.
  if ((in.is_null && type_kind(target) != 'd') || target == 0 || (source == target && typmod < 0)) {
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

Value live_record(std::span<const RowField> fields, const Value& composite, Arena& arena) {
  const RecordView view(composite);
  std::vector<Oid> types;
  std::vector<Value> values;
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    if (fields[i].dropped) continue;
    types.push_back(fields[i].type);
    values.push_back(i < view.count() ? view.field(i) : Value::null());
  }
  return build_record(types, values, arena);
}

}  // namespace wandian::sql
