// a[i] := v and its kin on array values.
#pragma once

#include <span>

#include "engine/arena.h"
#include "engine/array_value.h"
#include "storage/base/status.h"

namespace wandian::sql::plpgsql {

/// `array` (may be null) with the element at `subscripts` replaced; one-dimensional arrays grow as PostgreSQL's do.
/// 2202E: subscripts that do not fit.
Result<Value> assign_element(const Value& array, Oid element_type, std::span<const std::int64_t> subscripts, const Value& element, Arena& arena);
/// The part of an array that FOREACH ... SLICE n gives in its `index`th turn; dimensions - n leading ones are counted through.
Value array_slice(const ArrayView& array, int slice, std::uint32_t index, Arena& arena);

}  // namespace wandian::sql::plpgsql
