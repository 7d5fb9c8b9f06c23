// a[i] := v and its kin on array values.
#pragma once

#include <optional>
#include <span>

#include "engine/arena.h"
#include "engine/array_value.h"
#include "storage/base/status.h"

namespace wandian::sql::plpgsql {

/// `array` (may be null) with the element at `subscripts` replaced; one-dimensional arrays grow as PostgreSQL's do.
/// 2202E: subscripts that do not fit.
Result<Value> assign_element(const Value& array, Oid element_type, std::span<const std::int64_t> subscripts, const Value& element, Arena& arena);
/// a[lower:upper] := source; a bound that is left out is the array's. 0A000: more dimensions than one; 2202E: bounds that do not fit.
Result<Value> assign_slice(const Value& array, Oid element_type, std::optional<std::int64_t> lower, std::optional<std::int64_t> upper,
                           const ArrayView& source, Arena& arena);
/// The part of an array that FOREACH ... SLICE n gives in its `index`th turn; dimensions - n leading ones are counted through.
Value array_slice(const ArrayView& array, int slice, std::uint32_t index, Arena& arena);

}  // namespace wandian::sql::plpgsql
