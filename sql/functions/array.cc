// Functions and operators of arrays.
#include <algorithm>

#include "sql/functions/bindings.h"
#include "sql/types/string_types.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Elements = std::vector<Value>;
using Dimensions = std::vector<ArrayDimension>;

Elements elements_of(const ArrayView& array) {
  Elements out(array.count());
  for (std::uint32_t i = 0; i < array.count(); ++i) out[i] = array.element(i);
  return out;
}
Dimensions dimensions_of(const ArrayView& array) {
  Dimensions out;
  for (int d = 0; d < array.dimensions(); ++d) out.push_back({array.length(d), array.lower_bound(d)});
  return out;
}

Order order_of(Oid element) {
  const TypeInfo* type = find_type(element);
  return type != nullptr ? type->order : Order::kNone;
}
bool equal(Order order, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  return order == Order::kNone ? a.bytes() == b.bytes() : compare_values(order, a, b) == 0;
}

bool dimension_count(EvalContext&, const Value* args, Value* result) {
  const ArrayView array(args[0]);
  return array.dimensions() == 0 ? return_null(result) : return_int(result, array.dimensions());
}
bool dimensions_text(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView array(args[0]);
  if (array.dimensions() == 0) return return_null(result);
  std::string out;
  for (int d = 0; d < array.dimensions(); ++d)
    out += "[" + std::to_string(array.lower_bound(d)) + ":" +
           std::to_string(array.lower_bound(d) + array.length(d) - 1) + "]";
  return return_text(ctx, result, out);
}
template <class Get>
bool of_dimension(const Value* args, Value* result, const Get& get) {
  const ArrayView array(args[0]);
  if (args[1].i < 1 || args[1].i > array.dimensions()) return return_null(result);
  return return_int(result, get(array, static_cast<int>(args[1].i) - 1));
}
bool length(EvalContext&, const Value* args, Value* result) {
  return of_dimension(args, result, [](const ArrayView& a, int d) { return a.length(d); });
}
bool lower(EvalContext&, const Value* args, Value* result) {
  return of_dimension(args, result, [](const ArrayView& a, int d) { return a.lower_bound(d); });
}
bool upper(EvalContext&, const Value* args, Value* result) {
  return of_dimension(args, result, [](const ArrayView& a, int d) { return a.lower_bound(d) + a.length(d) - 1; });
}
bool cardinality(EvalContext&, const Value* args, Value* result) { return return_int(result, ArrayView(args[0]).count()); }

bool more_than_one_dimension(EvalContext& ctx) {
  return ctx.fail({sqlstate::data_exception, "argument must be empty or one-dimensional array"});
}

// array_append and array_prepend: null arrays are empty; the lower bound stays.
bool with_element(EvalContext& ctx, const Value& array_value, const Value& element, Oid element_type, bool at_end, Value* result) {
  Elements elements;
  std::int32_t lower_bound = 1;
  if (!array_value.is_null) {
    const ArrayView array(array_value);
    if (array.dimensions() > 1) return more_than_one_dimension(ctx);
    elements = elements_of(array);
    if (array.dimensions() == 1) lower_bound = array.lower_bound(0);
  }
  elements.insert(at_end ? elements.end() : elements.begin(), element);
  const ArrayDimension one[] = {{static_cast<std::int32_t>(elements.size()), lower_bound}};
  *result = build_array(element_type, one, elements, ctx.arena);
  return true;
}
bool append(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return with_element(ctx, args[0], args[1], element_of(types[0]), true, result);
}
bool prepend(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return with_element(ctx, args[1], args[0], element_of(types[1]), false, result);
}

bool concatenate(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null || args[1].is_null) {
    *result = args[0].is_null ? args[1] : args[0];
    return true;
  }
  const ArrayView a(args[0]);
  const ArrayView b(args[1]);
  if (a.dimensions() == 0 || b.dimensions() == 0) {
    *result = args[a.dimensions() == 0 ? 1 : 0];
    return true;
  }
  const auto incompatible = [&](std::string detail) {
    return ctx.fail(Status{sqlstate::array_subscript_error, "cannot concatenate incompatible arrays"}.with_detail(std::move(detail)));
  };
  Dimensions x = dimensions_of(a);
  Dimensions y = dimensions_of(b);
  const std::size_t nx = x.size(), ny = y.size();
  if (nx > ny + 1 || ny > nx + 1)
    return incompatible("Arrays of " + std::to_string(nx) + " and " + std::to_string(ny) +
                        " dimensions are not compatible for concatenation.");
  Dimensions out = nx >= ny ? x : y;
  // A slice of the other keeps the bounds of the others in it, which PostgreSQL compares with the lengths.
  if (nx != ny)
    for (std::size_t d = 1; d < out.size(); ++d) {
      const ArrayDimension& slice = nx > ny ? y[d - 1] : x[d - 1];
      if (slice.lower_bound != out[d].lower_bound)
        return incompatible("Arrays with differing dimensions are not compatible for concatenation.");
    }
  // Where one has a dimension less, it is one more slice of the other.
  const std::size_t skip_x = nx >= ny ? 1 : 0;
  const std::size_t skip_y = ny >= nx ? 1 : 0;
  for (std::size_t d = 1; d < out.size(); ++d)
    if (x[d - 1 + skip_x].length != y[d - 1 + skip_y].length)
      return incompatible(nx == ny ? "Arrays with differing element dimensions are not compatible for concatenation."
                                   : "Arrays with differing dimensions are not compatible for concatenation.");
  out[0].length = (nx >= ny ? x[0].length : 1) + (ny >= nx ? y[0].length : 1);
  Elements elements = elements_of(a);
  const Elements more = elements_of(b);
  elements.insert(elements.end(), more.begin(), more.end());
  *result = build_array(a.element_type(), out, elements, ctx.arena);
  return true;
}

bool remove(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const ArrayView array(args[0]);
  if (array.dimensions() > 1)
    return ctx.fail({sqlstate::feature_not_supported, "removing elements from multidimensional arrays is not supported"});
  const Order order = order_of(array.element_type());
  Elements kept;
  for (const Value& v : elements_of(array))
    if (!equal(order, v, args[1])) kept.push_back(v);
  if (kept.size() == array.count()) {
    *result = args[0];
    return true;
  }
  const ArrayDimension one[] = {{static_cast<std::int32_t>(kept.size()), array.lower_bound(0)}};
  *result = kept.empty() ? build_array(array.element_type(), kept, ctx.arena)
                         : build_array(array.element_type(), one, kept, ctx.arena);
  return true;
}
bool replace(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const ArrayView array(args[0]);
  const Order order = order_of(array.element_type());
  Elements elements = elements_of(array);
  for (Value& v : elements)
    if (equal(order, v, args[1])) v = args[2];
  *result = build_array(array.element_type(), dimensions_of(array), elements, ctx.arena);
  return true;
}

bool find_position(EvalContext& ctx, const Value* args, std::int64_t start, bool has_start, Value* result) {
  if (args[0].is_null) return return_null(result);
  const ArrayView array(args[0]);
  if (array.dimensions() > 1)
    return ctx.fail({sqlstate::feature_not_supported, "searching for elements in multidimensional arrays is not supported"});
  if (array.dimensions() == 0) return return_null(result);
  const Order order = order_of(array.element_type());
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const std::int64_t subscript = array.lower_bound(0) + static_cast<std::int64_t>(i);
    if (has_start && subscript < start) continue;
    if (equal(order, array.element(i), args[1])) return return_int(result, subscript);
  }
  return return_null(result);
}
bool position(EvalContext& ctx, const Value* args, Value* result) { return find_position(ctx, args, 0, false, result); }
bool position_from(EvalContext& ctx, const Value* args, Value* result) {
  if (args[2].is_null) return ctx.fail({sqlstate::null_value_not_allowed, "initial position must not be null"});
  return find_position(ctx, args, args[2].i, true, result);
}
bool positions(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const ArrayView array(args[0]);
  if (array.dimensions() > 1)
    return ctx.fail({sqlstate::feature_not_supported, "searching for elements in multidimensional arrays is not supported"});
  const Order order = order_of(array.element_type());
  Elements found;
  for (std::uint32_t i = 0; i < array.count(); ++i)
    if (equal(order, array.element(i), args[1])) found.push_back(Value::of_int(array.lower_bound(0) + static_cast<std::int64_t>(i)));
  *result = build_array(kInt4, found, ctx.arena);
  return true;
}

// Containment looks at elements alone; a null is contained nowhere.
bool contains_all(const ArrayView& outer, const ArrayView& inner) {
  const Order order = order_of(outer.element_type());
  for (std::uint32_t i = 0; i < inner.count(); ++i) {
    const Value wanted = inner.element(i);
    if (wanted.is_null) return false;
    bool found = false;
    for (std::uint32_t k = 0; k < outer.count() && !found; ++k) {
      const Value v = outer.element(k);
      found = !v.is_null && equal(order, v, wanted);
    }
    if (!found) return false;
  }
  return true;
}
bool contains(EvalContext&, const Value* args, Value* result) {
  return return_bool(result, contains_all(ArrayView(args[0]), ArrayView(args[1])));
}
bool contained(EvalContext&, const Value* args, Value* result) {
  return return_bool(result, contains_all(ArrayView(args[1]), ArrayView(args[0])));
}
bool overlap(EvalContext&, const Value* args, Value* result) {
  const ArrayView a(args[0]);
  const ArrayView b(args[1]);
  const Order order = order_of(a.element_type());
  for (std::uint32_t i = 0; i < a.count(); ++i) {
    const Value v = a.element(i);
    if (v.is_null) continue;
    for (std::uint32_t k = 0; k < b.count(); ++k) {
      const Value w = b.element(k);
      if (!w.is_null && equal(order, v, w)) return return_bool(result, true);
    }
  }
  return return_bool(result, false);
}

bool to_text(EvalContext& ctx, const Value* args, const Value* null_text, Value* result) {
  const ArrayView array(args[0]);
  TextBuilder out(ctx.arena);
  bool first = true;
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const Value v = array.element(i);
    if (v.is_null && null_text == nullptr) continue;
    if (!first) out.append(args[1].bytes());
    first = false;
    if (v.is_null) out.append(null_text->bytes());
    else if (!append_text(ctx, array.element_type(), v, out)) return false;
  }
  *result = out.value();
  return true;
}
bool array_to_string(EvalContext& ctx, const Value* args, Value* result) { return to_text(ctx, args, nullptr, result); }
bool array_to_string_null(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null || args[1].is_null) return return_null(result);
  return to_text(ctx, args, args[2].is_null ? nullptr : &args[2], result);
}

// string_to_array: a null separator splits into characters, an empty one does not split.
void split(const Value& text, const Value& separator, const Value* null_text, Elements* out) {
  const std::string_view s = text.bytes();
  const auto add = [&](std::string_view part) {
    const bool null = null_text != nullptr && !null_text->is_null && part == null_text->bytes();
    out->push_back(null ? Value::null() : Value::of_bytes(part));
  };
  if (s.empty()) return;
  if (separator.is_null) {
    for (std::size_t i = 0; i < s.size(); i += utf8_bytes(s[i])) add(s.substr(i, utf8_bytes(s[i])));
    return;
  }
  if (separator.size == 0) return add(s);
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = s.find(separator.bytes(), begin);
    add(s.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return;
    begin = end + separator.size;
  }
}
template <bool has_null>
bool string_to_array(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  Elements parts;
  split(args[0], args[1], has_null ? &args[2] : nullptr, &parts);
  *result = build_array(kText, parts, ctx.arena);
  return true;
}
template <bool has_null>
bool string_to_table(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  Elements parts;
  if (!args[0].is_null) split(args[0], args[1], has_null ? &args[2] : nullptr, &parts);
  *done = *position >= parts.size();
  if (!*done) columns[0] = parts[(*position)++];
  return true;
}

bool fill(EvalContext& ctx, const Oid* types, const Value* args, const Value* bounds, Value* result) {
  if (args[1].is_null || (bounds != nullptr && bounds->is_null))
    return ctx.fail({sqlstate::null_value_not_allowed, "dimension array or low bound array cannot be null"});
  const ArrayView lengths(args[1]);
  Dimensions dimensions;
  std::int64_t count = 1;
  if (lengths.dimensions() > 1 || lengths.count() > kMaxArrayDimensions)
    return ctx.fail({sqlstate::array_subscript_error, "wrong number of array subscripts"});
  for (std::uint32_t d = 0; d < lengths.count(); ++d) {
    const Value n = lengths.element(d);
    if (n.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "dimension values cannot be null"});
    ArrayDimension dimension{static_cast<std::int32_t>(n.i), 1};
    if (bounds != nullptr) {
      const ArrayView lower_bounds(*bounds);
      if (lower_bounds.count() != lengths.count())
        return ctx.fail(Status{sqlstate::array_subscript_error, "wrong number of array subscripts"}.with_detail(
            "Low bound array has different size than dimensions array."));
      dimension.lower_bound = static_cast<std::int32_t>(lower_bounds.element(d).i);
    }
    if (n.i < 0 || __builtin_mul_overflow(count, n.i, &count) || count > 134217727)
      return ctx.fail({sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"});
    dimensions.push_back(dimension);
  }
  if (dimensions.empty() || count == 0) {
    *result = build_array(types[0], {}, ctx.arena);
    return true;
  }
  const Elements elements(static_cast<std::size_t>(count), args[0]);
  *result = build_array(types[0], dimensions, elements, ctx.arena);
  return true;
}
bool array_fill(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return fill(ctx, types, args, nullptr, result);
}
bool array_fill_bounds(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  return fill(ctx, types, args, &args[2], result);
}

bool trim(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView array(args[0]);
  const std::int64_t length = array.dimensions() > 0 ? array.length(0) : 0;
  if (args[1].i < 0 || args[1].i > length)
    return ctx.fail({sqlstate::array_subscript_error, "number of elements to trim must be between 0 and " + std::to_string(length)});
  if (args[1].i == length) {
    *result = build_array(array.element_type(), {}, ctx.arena);
    return true;
  }
  Dimensions dimensions = dimensions_of(array);
  Elements elements = elements_of(array);
  dimensions[0].length -= static_cast<std::int32_t>(args[1].i);
  elements.resize(elements.size() / static_cast<std::size_t>(length) * static_cast<std::size_t>(dimensions[0].length));
  for (ArrayDimension& d : dimensions) d.lower_bound = 1;
  *result = build_array(array.element_type(), dimensions, elements, ctx.arena);
  return true;
}

bool unnest(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView array(args[0]);
  *done = *position >= array.count();
  if (!*done) columns[0] = array.element(static_cast<std::uint32_t>((*position)++));
  return true;
}
template <bool has_reverse>
bool subscripts(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView array(args[0]);
  const std::int64_t d = args[1].i;
  *done = d < 1 || d > array.dimensions() || *position >= static_cast<std::uint64_t>(array.length(static_cast<int>(d) - 1));
  if (*done) return true;
  const auto dimension = static_cast<int>(d) - 1;
  const auto step = static_cast<std::int64_t>((*position)++);
  const std::int64_t low = array.lower_bound(dimension);
  const bool reverse = has_reverse && args[2].as_bool();
  columns[0] = Value::of_int(reverse ? low + array.length(dimension) - 1 - step : low + step);
  return true;
}
// information_schema._pg_expandarray's rows: each element with its place.
bool expand_array(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView array(args[0]);
  *done = *position >= array.count();
  if (*done) return true;
  columns[0] = array.element(static_cast<std::uint32_t>(*position));
  columns[1] = Value::of_int(static_cast<std::int64_t>(++*position));
  return true;
}

// width_bucket(operand, thresholds): how many of the ascending thresholds are not above the operand.
bool width_bucket(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView thresholds(args[1]);
  if (thresholds.dimensions() > 1) return ctx.fail({sqlstate::array_subscript_error, "thresholds must be one-dimensional array"});
  const Order order = order_of(thresholds.element_type());
  std::uint32_t low = 0, high = thresholds.count();
  for (std::uint32_t i = 0; i < high; ++i)
    if (thresholds.element(i).is_null) return ctx.fail({sqlstate::null_value_not_allowed, "thresholds array must not contain NULLs"});
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (compare_values(order, args[0], thresholds.element(middle)) < 0) high = middle;
    else low = middle + 1;
  }
  return return_int(result, low);
}

bool larger(EvalContext&, const Value* args, Value* result) {
  *result = compare_values(Order::kArray, args[0], args[1]) > 0 ? args[0] : args[1];
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"array_ndims", dimension_count}, {"array_dims", dimensions_text}, {"array_length", length}, {"array_lower", lower},
    {"array_upper", upper}, {"array_cardinality", cardinality},
    {"array_append", nullptr, append}, {"array_prepend", nullptr, prepend}, {"array_cat", concatenate},
    {"array_remove", remove}, {"array_replace", replace},
    {"array_position", position}, {"array_position_start", position_from}, {"array_positions", positions},
    {"arraycontains", contains}, {"arraycontained", contained}, {"arrayoverlap", overlap},
    {"array_to_text", array_to_string}, {"array_to_text_null", array_to_string_null},
    {"text_to_array", string_to_array<false>}, {"text_to_array_null", string_to_array<true>},
    {"text_to_table", nullptr, nullptr, string_to_table<false>},
    {"text_to_table_null", nullptr, nullptr, string_to_table<true>},
    {"array_fill", nullptr, array_fill}, {"array_fill_with_lower_bounds", nullptr, array_fill_bounds},
    {"trim_array", trim}, {"array_unnest", nullptr, nullptr, unnest},
    {"generate_subscripts", nullptr, nullptr, subscripts<true>},
    {"generate_subscripts_nodir", nullptr, nullptr, subscripts<false>},
    {"array_larger", larger}, {"width_bucket_array", width_bucket},
    {"_pg_expandarray(anyarray)", nullptr, nullptr, expand_array},
};

}  // namespace

std::span<const FunctionBinding> array_bindings() { return kBindings; }

}  // namespace wandian::sql
