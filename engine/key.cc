#include "engine/key.h"

#include <bit>
#include <cmath>
#include <string>

#include "engine/numeric.h"
#include "engine/ordered_bytes.h"
#include "engine/text_order.h"

namespace wandian {

namespace {

constexpr char kNullFirst = 0x00, kNotNull = 0x01, kNullLast = 0x02;

// Width of a column's value in the key, or 0 if it varies.
std::uint32_t key_width(const KeyColumn& column) {
  return column.rep == Rep::kBytes || column.order == Order::kNumeric ? 0 : fixed_bytes(column.rep);
}

bool has_key_form(Order order) { return order != Order::kNone; }

// The values that hold others.
void append_compound_key(Order order, const Value& value, std::string& out) {
  switch (order) {
    case Order::kArray: return append_array_key(value, out);
    case Order::kRecord: return append_record_key(value, out);
    case Order::kRange: return append_range_key(value, out);
    default: return append_jsonb_key(value, out);
  }
}

bool is_integer(Rep rep) {
  return rep == Rep::kInt8Bit || rep == Rep::kInt16 || rep == Rep::kInt32 || rep == Rep::kUint32 || rep == Rep::kInt64;
}

inline bool integer_fits(Rep rep, std::int64_t i) {
  switch (rep) {
    case Rep::kInt8Bit: return i >= 0 && i <= 0xff;
    case Rep::kInt16: return i == static_cast<std::int16_t>(i);
    case Rep::kInt32: return i == static_cast<std::int32_t>(i);
    case Rep::kUint32: return i == static_cast<std::uint32_t>(i);
    default: return true;
  }
}

inline void put64(std::uint64_t v, char* out) {
  v = __builtin_bswap64(v);
  std::memcpy(out, &v, 8);
}
inline void put32(std::uint32_t v, char* out) {
  v = __builtin_bswap32(v);
  std::memcpy(out, &v, 4);
}
template <class Bits>
Bits ordered_bits(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

std::uint64_t double_bits(double d) {
  if (std::isnan(d)) return ~std::uint64_t{0};   // above +inf whatever its payload or sign
  return ordered_bits(std::bit_cast<std::uint64_t>(d == 0 ? 0.0 : d));
}
std::uint32_t float_bits(float f) {
  if (std::isnan(f)) return ~std::uint32_t{0};
  return ordered_bits(std::bit_cast<std::uint32_t>(f == 0 ? 0.0f : f));
}

void put_interval(const Value& value, char* out) {
  const Int128 length = interval_span(value);   // 2^31 months in µs pass 64 bits
  put64(static_cast<std::uint64_t>(length >> 64) ^ (std::uint64_t{1} << 63), out);
  put64(static_cast<std::uint64_t>(length), out + 8);
}

void append_escaped(std::string_view bytes, KeyBuffer& out) {
  while (!bytes.empty()) {
    const auto* zero = static_cast<const char*>(std::memchr(bytes.data(), 0, bytes.size()));
    if (zero == nullptr) break;
    const std::size_t run = static_cast<std::size_t>(zero - bytes.data()) + 1;
    out.append(bytes.data(), run);
    out.push_back(static_cast<char>(0xff));
    bytes.remove_prefix(run);
  }
  char* at = out.extend(bytes.size() + 2);
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  at[bytes.size()] = 0;
  at[bytes.size() + 1] = 0;
}

}  // namespace

KeyCodec::KeyCodec(std::span<const KeyColumn> columns) : columns_(columns.begin(), columns.end()) {
  for (const KeyColumn& column : columns_) {
    if (!has_key_form(column.order)) supported_ = false;
    const std::uint32_t width = key_width(column);
    if (width == 0) fixed_ = false;
    fixed_bytes_ += width + (column.nullable ? 1 : 0);
    if (!is_integer(column.rep) || column.descending) integers_ = false;
    steps_.push_back(step_of(column));
  }
  if (fixed_bytes_ > kIntegerBytes || !supported_) integers_ = false;
  if (!fixed_) fixed_bytes_ = 0;
}

KeyCodec::Step KeyCodec::step_of(const KeyColumn& column) {
  if (!is_integer(column.rep)) return {};
  const std::uint32_t bytes = wandian::fixed_bytes(column.rep);
  const bool has_sign = column.order == Order::kInteger && column.rep != Rep::kInt8Bit && column.rep != Rep::kUint32;
  return {has_sign ? std::uint64_t{1} << (8 * bytes - 1) : 0, static_cast<std::uint8_t>(64 - 8 * bytes), static_cast<std::uint8_t>(bytes),
          column.nullable, column.nulls_first ? kNullFirst : kNullLast};
}

inline char* KeyCodec::Step::put(std::int64_t i, char* at) const {
  if (nullable) *at++ = kNotNull;
  put64(big(i), at);
  return at + bytes;
}

inline char* KeyCodec::Step::put(const Value& value, char* at) const {
  if (!value.is_null) [[likely]] return put(value.i, at);
  DB_DCHECK(nullable);
  *at++ = null;
  put64(0, at);
  return at + bytes;
}

void KeyCodec::append_value(unsigned position, const Value& value, KeyBuffer& out) const {
  const KeyColumn& column = columns_[position];
  if (value.is_null) {
    DB_DCHECK(column.nullable);
    char* at = out.extend(1 + key_width(column));
    std::memset(at, 0, 1 + key_width(column));
    *at = column.nulls_first ? kNullFirst : kNullLast;
    return;
  }
  if (column.nullable) out.push_back(kNotNull);
  const std::uint32_t start = out.size();
  const auto append_integer = [&] {
    char bytes[8];
    const Step step = steps_[position];
    put64(step.big(value.i), bytes);
    out.append(bytes, step.bytes);
  };
  switch (column.order) {
    case Order::kInteger: case Order::kUnsigned: append_integer(); break;
    case Order::kFloat:
      if (column.rep == Rep::kFloat32) put32(float_bits(static_cast<float>(value.d)), out.extend(4));
      else put64(double_bits(value.d), out.extend(8));
      break;
    case Order::kInterval: put_interval(value, out.extend(16)); break;
    case Order::kPadded: {
      std::string_view text = value.bytes();
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
      append_escaped(text, out);
      break;
    }
    case Order::kBytes:
      if (column.rep == Rep::kFixed16) out.append(value.p, 16);
      else if (column.rep == Rep::kBytes) append_escaped(value.bytes(), out);
      else append_integer();
      break;
    case Order::kNumeric: {
      std::string key;
      append_numeric_key(value, key);
      out.append(key.data(), key.size());
      break;
    }
    case Order::kJsonb: case Order::kArray: case Order::kRecord: case Order::kRange: {
      std::string key;
      append_compound_key(column.order, value, key);
      out.append(key.data(), key.size());
      break;
    }
    case Order::kNone: break;
    default: {
      std::string key;
      append_collated_key(column.order, value, key);
      out.append(key.data(), key.size());
    }
  }
  if (!column.descending) return;
  for (char *at = out.data() + start, *end = out.data() + out.size(); at != end; ++at) *at = static_cast<char>(~*at);
}

template <class Read>
bool KeyCodec::encode_with(unsigned count, Read&& read, KeyBuffer& out) const {
  DB_DCHECK(count <= columns_.size());
  out.clear();
  if (integers_) {
    // The buffer holds at least kInlineBytes, more than any such key and what is written behind it.
    static_assert(kIntegerBytes + kSlack <= KeyBuffer::kInlineBytes);
    char* const begin = out.data();
    char* at = begin;
    const Step* step = steps_.data();
    for (unsigned i = 0; i < count; ++i) at = step[i].put(read(i), at);
    out.extend(static_cast<std::size_t>(at - begin));
    return true;
  }
  if (!supported_) return false;
  for (unsigned i = 0; i < count; ++i) append_value(i, read(i), out);
  return true;
}

bool KeyCodec::encode(std::span<const Value> values, KeyBuffer& out) const {
  return encode_with(static_cast<unsigned>(values.size()), [&](unsigned i) { return values[i]; }, out);
}

bool KeyCodec::encode_integers(std::span<const std::int64_t> values, KeyBuffer& out) const {
  DB_DCHECK(values.size() <= columns_.size());
  const auto count = static_cast<unsigned>(values.size());
  if (!integers_) {
    for (unsigned i = 0; i < count; ++i)
      if (!fits(i, Value::of_int(values[i]))) return false;
    return encode_with(count, [&](unsigned i) { return Value::of_int(values[i]); }, out);
  }
  out.clear();
  char* const begin = out.data();
  char* at = begin;
  const Step* step = steps_.data();
  for (unsigned i = 0; i < count; ++i) {
    if (!step[i].fits(values[i]) && !fits(i, Value::of_int(values[i]))) return false;
    at = step[i].put(values[i], at);
  }
  out.extend(static_cast<std::size_t>(at - begin));
  return true;
}

bool KeyCodec::encode_columns(std::span<const Value> values, std::span<const std::uint16_t> columns, KeyBuffer& out) const {
  return encode_with(static_cast<unsigned>(columns.size()), [&](unsigned i) -> const Value& { return values[columns[i]]; }, out);
}

bool KeyCodec::encode_from_row(const RowLayout& layout, const char* row, std::span<const std::uint16_t> columns,
                               KeyBuffer& out) const {
  return encode_with(static_cast<unsigned>(columns.size()), [&](unsigned i) { return layout.read(row, columns[i]); }, out);
}

bool KeyCodec::encode_from_row(const LayoutSet& layouts, LayoutSet::Id layout_id, const char* row,
                               std::span<const std::uint16_t> columns, KeyBuffer& out) const {
  return encode_with(static_cast<unsigned>(columns.size()),
                     [&](unsigned i) { return layouts.read(layout_id, row, columns[i]); }, out);
}

bool KeyCodec::same_key(const RowLayout& a_layout, const char* a, const RowLayout& b_layout, const char* b,
                        std::span<const std::uint16_t> columns) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Value x = a_layout.read(a, columns[i]);
    const Value y = b_layout.read(b, columns[i]);
    if (x.is_null != y.is_null) return false;
    if (x.is_null) continue;
    const Rep rep = columns_[i].rep;
    if (is_integer(rep)) {
      if (x.i != y.i) return false;
    } else if (rep == Rep::kBytes || rep == Rep::kFixed16) {
      // Equal bytes are equal keys; different bytes need not be different ones (1.0 and 1.00).
      if (x.bytes() == y.bytes()) continue;
      if (columns_[i].order == Order::kBytes || compare_values(columns_[i].order, x, y) != 0) return false;
    } else if (double_bits(x.d) != double_bits(y.d)) {
      return false;
    }
  }
  return true;
}

bool KeyCodec::append(unsigned position, const Value& value, KeyBuffer& out) const {
  if (!supported_) return false;
  append_value(position, value, out);
  return true;
}

bool KeyCodec::fits(unsigned position, const Value& value) const {
  if (value.is_null) return columns_[position].nullable;
  const Rep rep = columns_[position].rep;
  if (is_integer(rep)) return integer_fits(rep, value.i);
  if (rep == Rep::kFloat32) return std::isnan(value.d) || value.d == static_cast<double>(static_cast<float>(value.d));
  return true;
}

bool KeyCodec::successor(KeyBuffer& prefix) {
  std::uint32_t size = prefix.size();
  char* bytes = prefix.data();
  while (size != 0 && static_cast<std::uint8_t>(bytes[size - 1]) == 0xff) --size;
  if (size == 0) return false;
  ++bytes[size - 1];
  prefix.resize_down(size);
  return true;
}

}  // namespace wandian
