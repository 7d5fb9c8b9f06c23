#include "sql/plpgsql/array_assign.h"

#include <climits>
#include <vector>

namespace wandian::sql::plpgsql {

namespace {
constexpr std::int64_t kMostElements = std::int64_t{1} << 27;

Status out_of_range() { return Status{sqlstate::array_subscript_error, "array subscript out of range"}; }
}  // namespace

Result<Value> assign_element(const Value& array, Oid element_type, std::span<const std::int64_t> subscripts, const Value& element, Arena& arena) {
  for (const std::int64_t subscript : subscripts)
    if (subscript < INT_MIN || subscript > INT_MAX) return Status{sqlstate::numeric_value_out_of_range, "integer out of range"};
  if (subscripts.size() > static_cast<std::size_t>(kMaxArrayDimensions))
    return Status{sqlstate::program_limit_exceeded, "number of array dimensions (" + std::to_string(subscripts.size()) + ") exceeds the maximum allowed (6)"};
  std::vector<ArrayDimension> dimensions;
  std::vector<Value> elements;
  if (array.is_null || ArrayView(array).dimensions() == 0) {
    for (const std::int64_t subscript : subscripts) dimensions.push_back({1, static_cast<std::int32_t>(subscript)});
    elements.push_back(element);
    return build_array(element_type, dimensions, elements, arena);
  }
  const ArrayView view(array);
  if (static_cast<std::size_t>(view.dimensions()) != subscripts.size())
    return Status{sqlstate::array_subscript_error, "wrong number of array subscripts"};
  for (int d = 0; d < view.dimensions(); ++d) dimensions.push_back({view.length(d), view.lower_bound(d)});
  elements.reserve(view.count() + 1);
  for (std::uint32_t i = 0; i < view.count(); ++i) elements.push_back(view.element(i));
  if (subscripts.size() == 1) {
    const std::int64_t at = subscripts[0];
    ArrayDimension& only = dimensions[0];
    if (at < only.lower_bound) {
      const std::int64_t added = only.lower_bound - at;
      if (added + only.length > kMostElements) return Status{sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"};
      elements.insert(elements.begin(), static_cast<std::size_t>(added), Value::null());
      only.lower_bound = static_cast<std::int32_t>(at);
    } else if (at >= std::int64_t{only.lower_bound} + only.length) {
      const std::int64_t length = at - only.lower_bound + 1;
      if (length > kMostElements) return Status{sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"};
      elements.resize(static_cast<std::size_t>(length), Value::null());
    }
    only.length = static_cast<std::int32_t>(elements.size());
    elements[static_cast<std::size_t>(at - only.lower_bound)] = element;
    return build_array(element_type, dimensions, elements, arena);
  }
  std::size_t index = 0;
  for (std::size_t d = 0; d < subscripts.size(); ++d) {
    const std::int64_t offset = subscripts[d] - dimensions[d].lower_bound;
    if (offset < 0 || offset >= dimensions[d].length) return out_of_range();
    index = index * static_cast<std::size_t>(dimensions[d].length) + static_cast<std::size_t>(offset);
  }
  elements[index] = element;
  return build_array(element_type, dimensions, elements, arena);
}

Result<Value> assign_slice(const Value& array, Oid element_type, std::optional<std::int64_t> lower, std::optional<std::int64_t> upper,
                           const ArrayView& source, Arena& arena) {
  const bool empty = array.is_null || ArrayView(array).dimensions() == 0;
  if (!empty && ArrayView(array).dimensions() != 1)
    return Status{sqlstate::feature_not_supported, "assignment to slices of arrays of several dimensions is not supported"};
  if (empty && (!lower || !upper))
    return Status{sqlstate::array_subscript_error, "array slice subscript must provide both boundaries"}.with_detail(
        "When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
  const std::int64_t first = lower.value_or(empty ? 0 : ArrayView(array).lower_bound(0));
  const std::int64_t last = upper.value_or(empty ? 0 : ArrayView(array).lower_bound(0) + ArrayView(array).length(0) - 1);
  if (first > last) return Status{sqlstate::array_subscript_error, "upper bound cannot be less than lower bound"};
  if (source.count() < last - first + 1) return Status{sqlstate::array_subscript_error, "source array too small"};
  Value out = array;
  for (std::int64_t at = first; at <= last; ++at) {
    const std::int64_t subscript[] = {at};
    WANDIAN_ASSIGN(out, assign_element(out, element_type, subscript, source.element(static_cast<std::uint32_t>(at - first)), arena));
  }
  return out;
}

Value array_slice(const ArrayView& array, int slice, std::uint32_t index, Arena& arena) {
  std::vector<ArrayDimension> dimensions;
  std::uint32_t size = 1;
  for (int d = array.dimensions() - slice; d < array.dimensions(); ++d) {
    dimensions.push_back({array.length(d), array.lower_bound(d)});
    size *= static_cast<std::uint32_t>(array.length(d));
  }
  std::vector<Value> elements;
  for (std::uint32_t i = 0; i < size; ++i) elements.push_back(array.element(index * size + i));
  return build_array(array.element_type(), dimensions, elements, arena);
}

}  // namespace wandian::sql::plpgsql
