// Arrays and records as bytes behind Value: how they are laid out, read and built. sql gives them text and binary form.
// Array:   u32 element type, u8 dimensions, u8 has_nulls, u16 0; per dimension i32 length, i32 lower bound;
//          a null bitmap (bit set = null) if has_nulls; per element fixed_bytes(rep), for kBytes an end offset;
//          then the bytes of kBytes elements. An empty array has no dimension.
// Record:  u32 fields (12 bits) and shape (20 bits); per field u32 type, u32 end offset (top bit set = null); then the bytes. The shape
//          tells the fields' names to whoever prints them (sql/types/record_shape.h) and means nothing in another process; 0: none. A
//          field of type 0 stands for a dropped one.
// Thread:  plain data, host order, not aligned.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "engine/type.h"
#include "engine/value.h"

namespace wandian {

/// A value of `rep` from its bytes in a row, array or record (kFixed16 and kBytes point into them).
inline Value load_fixed(Rep rep, const char* p) {
  switch (rep) {
    case Rep::kInt8Bit: {
      std::int8_t v;
      std::memcpy(&v, p, 1);
      return Value::of_int(v);
    }
    case Rep::kInt16: {
      std::int16_t v;
      std::memcpy(&v, p, 2);
      return Value::of_int(v);
    }
    case Rep::kInt32: {
      std::int32_t v;
      std::memcpy(&v, p, 4);
      return Value::of_int(v);
    }
    case Rep::kUint32: {
      std::uint32_t v;
      std::memcpy(&v, p, 4);
      return Value::of_int(v);
    }
    case Rep::kInt64: {
      std::int64_t v;
      std::memcpy(&v, p, 8);
      return Value::of_int(v);
    }
    case Rep::kFloat32: {
      float v;
      std::memcpy(&v, p, 4);
      return Value::of_double(static_cast<double>(v));
    }
    case Rep::kFloat64: {
      double v;
      std::memcpy(&v, p, 8);
      return Value::of_double(v);
    }
    case Rep::kFixed16: return Value::of_bytes(p, 16);
    case Rep::kBytes: break;
  }
  return Value::null();
}

/// The reverse of load_fixed; not for kBytes.
inline void store_fixed(Rep rep, const Value& value, char* p) {
  switch (rep) {
    case Rep::kInt8Bit: {
      const auto v = static_cast<std::int8_t>(value.i);
      std::memcpy(p, &v, 1);
      return;
    }
    case Rep::kInt16: {
      const auto v = static_cast<std::int16_t>(value.i);
      std::memcpy(p, &v, 2);
      return;
    }
    case Rep::kInt32:
    case Rep::kUint32: {
      const auto v = static_cast<std::uint32_t>(value.i);
      std::memcpy(p, &v, 4);
      return;
    }
    case Rep::kInt64: std::memcpy(p, &value.i, 8); return;
    case Rep::kFloat32: {
      const auto v = static_cast<float>(value.d);
      std::memcpy(p, &v, 4);
      return;
    }
    case Rep::kFloat64: std::memcpy(p, &value.d, 8); return;
    case Rep::kFixed16: std::memcpy(p, value.p, 16); return;
    case Rep::kBytes: return;
  }
}

/// PostgreSQL's limit of dimensions.
inline constexpr int kMaxArrayDimensions = 6;

class ArrayView {
 public:
  explicit ArrayView(const Value& value) : p_(value.p) {
    std::memcpy(&element_type_, p_, 4);
    dimensions_ = static_cast<std::uint8_t>(p_[4]);
    has_nulls_ = p_[5] != 0;
    count_ = dimensions_ == 0 ? 0 : 1;
    for (int d = 0; d < dimensions_; ++d) count_ *= static_cast<std::uint32_t>(length(d));
    const TypeInfo* type = find_type(element_type_);
    rep_ = type != nullptr ? type->rep : Rep::kBytes;
    nulls_ = p_ + 8 + 8 * dimensions_;
    fixed_ = nulls_ + (has_nulls_ ? (count_ + 7) / 8 : 0);
    data_ = fixed_ + static_cast<std::size_t>(count_) * fixed_bytes(rep_);
  }
  Oid element_type() const { return element_type_; }
  int dimensions() const { return dimensions_; }
  std::int32_t length(int dimension) const { return word(8 + 8 * dimension); }
  std::int32_t lower_bound(int dimension) const { return word(12 + 8 * dimension); }
  std::uint32_t count() const { return count_; }   ///< elements of all dimensions
  bool has_nulls() const { return has_nulls_; }
  Rep rep() const { return rep_; }
  /// Element `i` in storage (row-major) order; points into the array.
  Value element(std::uint32_t i) const {
    if (has_nulls_ && ((static_cast<unsigned char>(nulls_[i / 8]) >> (i % 8)) & 1)) return Value::null();
    if (rep_ != Rep::kBytes) return load_fixed(rep_, fixed_ + static_cast<std::size_t>(i) * fixed_bytes(rep_));
    const std::uint32_t begin = i == 0 ? 0 : end_offset(i - 1);
    return Value::of_bytes(data_ + begin, end_offset(i) - begin);
  }

 private:
  std::int32_t word(int offset) const {
    std::int32_t v;
    std::memcpy(&v, p_ + offset, 4);
    return v;
  }
  std::uint32_t end_offset(std::uint32_t i) const {
    std::uint32_t v;
    std::memcpy(&v, fixed_ + static_cast<std::size_t>(i) * 4, 4);
    return v;
  }
  const char* p_;
  const char* nulls_;
  const char* fixed_;
  const char* data_;
  Oid element_type_;
  std::uint32_t count_;
  std::uint8_t dimensions_;
  bool has_nulls_;
  Rep rep_;
};

/// Element by element in `order` (kNone: byte by byte), then by length and dimensions; nulls above everything.
int compare_arrays(const ArrayView& x, const ArrayView& y, Order order);

struct ArrayDimension {
  std::int32_t length;
  std::int32_t lower_bound = 1;
};

/// The array of `elements` (their product of lengths many; none if dimensions is empty).
/// Throws bad_alloc if it would not fit in 1 GiB.
Value build_array(Oid element_type, std::span<const ArrayDimension> dimensions, std::span<const Value> elements, Arena& arena);
/// One dimension from 1; without elements the empty array.
Value build_array(Oid element_type, std::span<const Value> elements, Arena& arena);

/// The same elements as of another type that is held alike.
Value relabel_array(const Value& array, Oid element_type, Arena& arena);

class RecordView {
 public:
  explicit RecordView(const Value& value) : p_(value.p) {
    std::uint32_t head;
    std::memcpy(&head, p_, 4);
    count_ = head & ((1u << kCountBits) - 1);
    shape_ = head >> kCountBits;
  }
  static constexpr unsigned kCountBits = 12;
  std::uint32_t count() const { return count_; }
  std::uint32_t shape() const { return shape_; }
  Oid type(std::uint32_t i) const { return word(4 + 8 * static_cast<std::size_t>(i)); }
  Value field(std::uint32_t i) const;

 private:
  std::uint32_t word(std::size_t offset) const {
    std::uint32_t v;
    std::memcpy(&v, p_ + offset, 4);
    return v;
  }
  const char* p_;
  std::uint32_t count_;
  std::uint32_t shape_;
};

Value build_record(std::span<const Oid> types, std::span<const Value> fields, Arena& arena, std::uint32_t shape = 0);

}  // namespace wandian
