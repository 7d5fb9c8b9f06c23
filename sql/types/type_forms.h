// The pieces of text_io.h that live in files of their own: arrays, records, object names.
// Thread:  any; memory comes from the context's arena.
#pragma once

#include <string_view>

#include "sql/functions/registry.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

/// Both forms into a TextBuilder too: functions build their results with it.
bool append_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);
bool append_binary(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);

/// '{1,2}', '[0:1]={a,"b c"}', with nested dimensions. 22P02 malformed array literal.
bool array_from_text(EvalContext& ctx, Oid element, std::int32_t typmod, std::string_view text, Value* out);
bool append_array_text(EvalContext& ctx, const Value& value, TextBuilder& out);
/// '1 2 3' of oidvector and int2vector.
bool vector_from_text(EvalContext& ctx, Oid element, std::string_view text, Value* out);
bool append_record_text(EvalContext& ctx, const Value& value, TextBuilder& out);

/// '(1,"a b",)' of a composite or row type. 22P02 malformed record literal.
bool composite_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out);
bool append_composite_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);
/// One field of a record's text, in quotes where it needs them.
void append_record_field(std::string_view text, TextBuilder& out);

/// A label of an enum: 22P02 if it has none of that name, 55P04 if this transaction added it to a type that was there before.
bool enum_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out);
bool enum_label(EvalContext& ctx, Oid type, const Value& value, std::string_view* out);

/// regclass & co: a name or a number. Prints numbers where the session knows no name.
bool object_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out);
void append_object_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);

/// The element type of an array type (oidvector and int2vector too), else 0.
inline Oid element_of(Oid array) {
  const TypeInfo* type = find_type(array);
  return type != nullptr && (type->category == 'A' || array == 2287) ? type->element : kInvalidOid;
}

}  // namespace wandian::sql
