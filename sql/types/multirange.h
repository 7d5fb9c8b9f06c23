// Multiranges: sets of ranges that neither overlap nor touch, in order. Held as an array of ranges of one dimension, which orders as
// PostgreSQL orders them.
// Thread:  pure functions; memory comes from the context's arena.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/range_value.h"
#include "sql/functions/registry.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

/// The multirange type over a range type, of users' as the catalog in force has it; 0: there is none.
Oid multirange_type_of(Oid range);
/// The ranges of a multirange.
std::vector<RangeParts> load_multirange(const Value& value);
/// Any ranges of one type: empty ones go, those that overlap or touch become one.
bool store_multirange(EvalContext& ctx, Oid range_type, std::vector<RangeParts> ranges, Value* out);
/// Whether nothing lies between the end of one range and the beginning of another, which do not overlap (sql/functions/range.cc).
bool bounds_meet(EvalContext& ctx, const RangeParts& of, const RangeBound& upper, const RangeBound& lower, bool* out);

/// '{[1,3),[5,8)}'. 22P02 malformed multirange literal.
bool multirange_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out);
bool append_multirange_text(EvalContext& ctx, const Value& value, TextBuilder& out);

}  // namespace wandian::sql
