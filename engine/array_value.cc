#include "engine/array_value.h"

#include <new>

#include "storage/base/assert.h"

namespace wandian {

namespace {

constexpr std::uint32_t kNullBit = 0x80000000u;
constexpr std::size_t kMaxBytes = 1u << 30;

Rep rep_of(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->rep : Rep::kBytes;
}

void put_word(char* p, std::uint32_t v) { std::memcpy(p, &v, 4); }

}  // namespace

Value build_array(Oid element_type, std::span<const ArrayDimension> dimensions, std::span<const Value> elements,
                  Arena& arena) {
  const Rep rep = rep_of(element_type);
  bool has_nulls = false;
  std::size_t data_bytes = 0;
  for (const Value& v : elements) {
    has_nulls = has_nulls || v.is_null;
    if (rep == Rep::kBytes && !v.is_null) data_bytes += v.size;
  }
  const std::size_t bitmap = has_nulls ? (elements.size() + 7) / 8 : 0;
  const std::size_t width = fixed_bytes(rep);
  const std::size_t header = 8 + 8 * dimensions.size();
  const std::size_t size = header + bitmap + width * elements.size() + data_bytes;
  if (size > kMaxBytes) throw std::bad_alloc();
  char* p = static_cast<char*>(arena.allocate(size, 8));
  put_word(p, element_type);
  p[4] = static_cast<char>(dimensions.size());
  p[5] = has_nulls ? 1 : 0;
  p[6] = p[7] = 0;
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    put_word(p + 8 + 8 * d, static_cast<std::uint32_t>(dimensions[d].length));
    put_word(p + 12 + 8 * d, static_cast<std::uint32_t>(dimensions[d].lower_bound));
  }
  char* nulls = p + header;
  std::memset(nulls, 0, bitmap);
  char* fixed = nulls + bitmap;
  char* data = fixed + width * elements.size();
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < elements.size(); ++i, fixed += width) {
    const Value& v = elements[i];
    if (v.is_null) nulls[i / 8] = static_cast<char>(nulls[i / 8] | (1 << (i % 8)));
    if (rep == Rep::kBytes) {
      if (!v.is_null) {
        if (v.size > 0) std::memcpy(data + end, v.p, v.size);
        end += v.size;
      }
      put_word(fixed, end);
    } else if (v.is_null) {
      std::memset(fixed, 0, width);
    } else {
      store_fixed(rep, v, fixed);
    }
  }
  return Value::of_bytes(p, size);
}

Value build_array(Oid element_type, std::span<const Value> elements, Arena& arena) {
  if (elements.empty()) return build_array(element_type, {}, elements, arena);
  const ArrayDimension one[] = {{static_cast<std::int32_t>(elements.size()), 1}};
  return build_array(element_type, one, elements, arena);
}

Value relabel_array(const Value& array, Oid element_type, Arena& arena) {
  DB_ASSERT(rep_of(element_type) == ArrayView(array).rep());
  char* p = static_cast<char*>(arena.allocate(array.size, 8));
  std::memcpy(p, array.p, array.size);
  put_word(p, element_type);
  return Value::of_bytes(p, array.size);
}

Value RecordView::field(std::uint32_t i) const {
  const std::size_t at = 4 + 8 * static_cast<std::size_t>(i);
  const std::uint32_t end = word(at + 4);
  if (end & kNullBit) return Value::null();
  const std::uint32_t begin = i == 0 ? 0 : word(at - 4) & ~kNullBit;
  const char* data = p_ + 4 + 8 * static_cast<std::size_t>(count_) + begin;
  const Rep rep = rep_of(type(i));
  return rep == Rep::kBytes ? Value::of_bytes(data, end - begin) : load_fixed(rep, data);
}

Value build_record(std::span<const Oid> types, std::span<const Value> fields, Arena& arena, std::uint32_t shape) {
  const std::size_t header = 4 + 8 * fields.size();
  std::size_t size = header;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].is_null) continue;
    const Rep rep = rep_of(types[i]);
    size += rep == Rep::kBytes ? fields[i].size : fixed_bytes(rep);
  }
  if (size > kMaxBytes) throw std::bad_alloc();
  char* p = static_cast<char*>(arena.allocate(size, 8));
  put_word(p, static_cast<std::uint32_t>(fields.size()) | shape << RecordView::kCountBits);
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    char* slot = p + 4 + 8 * i;
    put_word(slot, types[i]);
    if (fields[i].is_null) {
      put_word(slot + 4, end | kNullBit);
      continue;
    }
    const Rep rep = rep_of(types[i]);
    char* data = p + header + end;
    if (rep == Rep::kBytes) {
      if (fields[i].size > 0) std::memcpy(data, fields[i].p, fields[i].size);
      end += fields[i].size;
    } else {
      store_fixed(rep, fields[i], data);
      end += fixed_bytes(rep);
    }
    put_word(slot + 4, end);
  }
  return Value::of_bytes(p, size);
}

}  // namespace wandian
