// SQL values as JSON, as to_json writes them.
// Thread:  one at a time; memory comes from the context's arena.
#pragma once

#include "sql/functions/registry.h"
#include "sql/types/json.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

/// A value of any type as JSON.
bool append_json(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);
/// A record as an object: the members' names are its type's, or those of the query it comes from, else f1, f2, ...
bool append_json_record(EvalContext& ctx, Oid type, const Value& value, std::string_view separator, TextBuilder& out);
/// `separator` stands between the elements of the outermost dimension.
bool append_json_array(EvalContext& ctx, const Value& value, std::string_view separator, TextBuilder& out);
/// As the name of a member; 22023 for null, arrays and objects.
bool append_json_key(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out);
/// The text of `json` as a jsonb value.
bool to_jsonb(EvalContext& ctx, std::string_view json, Value* result);

}  // namespace wandian::sql
