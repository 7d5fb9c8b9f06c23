// Subscripts of jsonb: what j['a'][1] gives, and j with something else in that place.
// Thread:  any; memory comes from the context's arena.
#pragma once

#include <span>
#include <string_view>

#include "sql/functions/registry.h"

namespace wandian::sql {

/// Null where there is nothing in that place.
bool jsonb_element(EvalContext& ctx, const Value& document, std::span<const std::string_view> path, Value* out);

/// `value` may be null, which is JSON's null. What is missing on the way is made: an array where the path has a number, otherwise an object.
/// `document` null: one is made, an array if `first_is_integer`. 22023, 22P02 as PostgreSQL.
bool jsonb_assign(EvalContext& ctx, const Value& document, std::span<const std::string_view> path, bool first_is_integer, const Value& value, Value* out);

}  // namespace wandian::sql
