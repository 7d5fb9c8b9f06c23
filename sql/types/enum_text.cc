// Enums as text.
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

bool enum_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out) {
  const TypeCatalogScope scope(types_of(ctx));
  const UserType* definition = find_user_type(type);
  const EnumLabel* label = definition != nullptr ? definition->label(text) : nullptr;
  if (label == nullptr)
    return ctx.fail({sqlstate::invalid_text_representation,
                     "invalid input value for enum " + format_type(type) + ": \"" + std::string(text) + "\""});
  if (current_type_catalog()->is_new_label(label->oid))
    return ctx.fail(Status{sqlstate::unsafe_new_enum_value_usage,
                           "unsafe use of new value \"" + label->text + "\" of enum type " + format_type(type)}
                        .with_hint("New enum values must be committed before they can be used."));
  *out = Value::of_int(label->ordinal);
  return true;
}

bool enum_label(EvalContext& ctx, Oid type, const Value& value, std::string_view* out) {
  TypeCatalog* types = types_of(ctx);
  const UserType* definition = types != nullptr ? types->user_type(type) : nullptr;
  const EnumLabel* label = definition != nullptr ? definition->label(value.i) : nullptr;
  if (label == nullptr)
    return ctx.fail({sqlstate::invalid_binary_representation, "invalid internal value for enum: " + std::to_string(value.i)});
  *out = label->text;
  return true;
}

}  // namespace wandian::sql
