// Shapes: the names of the fields of records that have no type of their own, by number.
// Owns:    a table for the whole process that only grows, up to a limit; beyond it records have no names, as ROW(...) has none.
// Thread:  any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wandian::sql {

/// The number of these names; 0: none is left.
std::uint32_t record_shape(std::span<const std::string_view> names);
/// Empty for 0.
std::span<const std::string> shape_names(std::uint32_t shape);

}  // namespace wandian::sql
