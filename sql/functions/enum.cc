// Functions of enums: first and last labels, ranges of them.
#include "sql/functions/bindings.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

// The labels of the type that arguments of anyenum have.
bool labels_of(EvalContext& ctx, Oid type, std::span<const EnumLabel>* out) {
  TypeCatalog* types = types_of(ctx);
  const UserType* definition = types != nullptr ? types->user_type(type) : nullptr;
  if (definition == nullptr || definition->kind != 'e')
    return ctx.fail({sqlstate::feature_not_supported, "could not determine actual enum type"});
  *out = definition->labels;
  return true;
}

bool no_labels(EvalContext& ctx, Oid type) {
  return ctx.fail({sqlstate::object_not_in_prerequisite_state, "enum " + format_type(type) + " contains no values"});
}

template <bool last>
bool end_of_enum(EvalContext& ctx, const Oid* types, const Value*, Value* result) {
  std::span<const EnumLabel> labels;
  if (!labels_of(ctx, types[0], &labels)) return false;
  if (labels.empty()) return no_labels(ctx, types[0]);
  return return_int(result, (last ? labels.back() : labels.front()).ordinal);
}

bool labels_between(EvalContext& ctx, Oid type, const Value& from, const Value& to, Value* result) {
  std::span<const EnumLabel> labels;
  if (!labels_of(ctx, type, &labels)) return false;
  std::vector<Value> values;
  for (const EnumLabel& label : labels) {
    if (!from.is_null && label.ordinal < from.i) continue;
    if (!to.is_null && label.ordinal > to.i) continue;
    values.push_back(Value::of_int(label.ordinal));
  }
  *result = build_array(type, values, ctx.arena);
  return true;
}

bool range_all(EvalContext& ctx, const Oid* types, const Value*, Value* result) {
  return labels_between(ctx, types[0], Value::null(), Value::null(), result);
}
bool range_bounds(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return labels_between(ctx, types[0], args[0], args[1], result);
}

template <bool larger>
bool extreme(EvalContext&, const Value* args, Value* result) {
  return return_int(result, larger ? std::max(args[0].i, args[1].i) : std::min(args[0].i, args[1].i));
}

bool read_enum(EvalContext& ctx, const Value* args, Value* result) {
  return value_from_text(ctx, static_cast<Oid>(args[1].i), -1, args[0].bytes(), result);
}
// The text may be null: a domain has a say about that.
bool read_domain(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null || args[1].is_null) return return_null(result);
  return value_from_text(ctx, static_cast<Oid>(args[1].i), -1, args[0].bytes(), result);
}
bool write_enum(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  TextBuilder out(ctx.arena);
  if (!append_text(ctx, types[0], args[0], out)) return false;
  *result = out.value();
  return true;
}
bool receive_enum(EvalContext& ctx, const Value*, Value*) {
  return ctx.fail({sqlstate::feature_not_supported, "cannot accept a value of type internal"});
}

bool hash_enum(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int32_t>(hash_value(Order::kInteger, args[0])));
}

constexpr FunctionBinding kBindings[] = {
    {"enum_first", nullptr, end_of_enum<false>},
    {"enum_last", nullptr, end_of_enum<true>},
    {"enum_range_all", nullptr, range_all},
    {"enum_range_bounds", nullptr, range_bounds},
    {"enum_smaller", extreme<false>},
    {"enum_larger", extreme<true>},
    {"hashenum", hash_enum},
    {"domain_in", read_domain},
    {"domain_recv", receive_enum},
    {"enum_in", read_enum},
    {"enum_out", nullptr, write_enum},
    {"enum_recv", receive_enum},
    {"enum_send", nullptr, write_enum},
};

}  // namespace

std::span<const FunctionBinding> enum_bindings() { return kBindings; }

}  // namespace wandian::sql
