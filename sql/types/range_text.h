// Ranges: their text and binary forms, and the making of one from its bounds.
// Thread:  pure functions; memory comes from the context's arena.
#pragma once

#include <string_view>

#include "engine/range_value.h"
#include "sql/functions/registry.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

/// A range of bounds that are in order, in its type's canonical form; empty if nothing lies between them. False: 22000, 22003, 22008.
bool make_range(EvalContext& ctx, RangeParts parts, Value* out);
/// '[1,5)', 'empty'. 22P02 malformed range literal.
bool range_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out);
bool append_range_text(EvalContext& ctx, const Value& value, TextBuilder& out);

}  // namespace wandian::sql
