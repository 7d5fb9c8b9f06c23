// Index keys: values of several columns as bytes whose memcmp order is SQL's order.
// Form, column after column:
//   nullable columns begin with a byte: 00 null (NULLS FIRST), 01 a value follows, 02 null (NULLS LAST); the null of a
//     type of fixed width is padded with zeros to that width, so that such keys keep one length.
//   integers: big-endian in the width of their Rep, sign flipped (kUint32, kInt8Bit and Order::kUnsigned: not flipped)
//   floats: big-endian bits, flipped so that -inf < ... < 0 = -0 < ... < inf < NaN
//   kFixed16: uuid as it is; interval as its length in µs (a month is 30 days), 16 bytes, sign flipped
//   kBytes, kPadded: 00 written as 00 FF, ended by 00 00; kPadded without its trailing spaces
//   numeric: append_numeric_key of engine/numeric.h, which ends itself
//   arrays, records, ranges and jsonb: engine/ordered_bytes.h
//   text under a collation: engine/text_order.h
//   DESC inverts every byte but the null byte.
// No column's form is a prefix of another value's, so keys compare column by column, and the keys that begin with given
// first columns are exactly those with that prefix: [prefix, successor(prefix)).
// Thread:  KeyCodec is immutable; a KeyBuffer belongs to one thread.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/row_layout.h"
#include "engine/type.h"
#include "engine/value.h"

namespace wandian {

/// Key bytes owned by someone else.
struct KeyRef {
  const char* data = nullptr;
  std::uint32_t size = 0;

  std::string_view view() const { return {data, size}; }
  friend bool operator==(KeyRef a, KeyRef b) { return a.view() == b.view(); }
  /// string_view compares chars as unsigned bytes, then by length: the order of keys.
  friend std::strong_ordering operator<=>(KeyRef a, KeyRef b) { return a.view() <=> b.view(); }
};

/// Where a key is built: 64 bytes in place, the heap beyond. Reusing one keeps its heap block.
class KeyBuffer {
 public:
  static constexpr std::uint32_t kInlineBytes = 64;

  KeyBuffer() = default;
  explicit KeyBuffer(KeyRef key) { assign(key); }
  KeyBuffer(const KeyBuffer& other) { assign(other.ref()); }
  KeyBuffer& operator=(const KeyBuffer& other) {
    if (this != &other) assign(other.ref());
    return *this;
  }

  KeyRef ref() const { return {data(), size_}; }
  operator KeyRef() const { return ref(); }   // NOLINT: a buffer is used wherever a key is
  const char* data() const { return heap_ ? heap_.get() : inline_; }
  char* data() { return heap_ ? heap_.get() : inline_; }
  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void clear() { size_ = 0; }
  void assign(KeyRef key) {
    size_ = 0;
    append(key.data, key.size);
  }
  void append(const void* bytes, std::size_t count) {
    if (count != 0) std::memcpy(extend(count), bytes, count);
  }
  void push_back(char byte) { *extend(1) = byte; }
  /// `count` more bytes to be written by the caller.
  char* extend(std::size_t count) {
    if (count > capacity_ - size_) [[unlikely]] grow(count);
    char* at = data() + size_;
    size_ += static_cast<std::uint32_t>(count);
    return at;
  }
  void resize_down(std::uint32_t size) { size_ = size; }

 private:
  [[gnu::noinline]] void grow(std::size_t more) {
    const std::size_t capacity = std::max<std::size_t>(std::size_t{capacity_} * 2, std::size_t{size_} + more);
    DB_ASSERT(capacity <= 0xffffffffu);
    std::unique_ptr<char[]> bytes(new char[capacity]);
    std::memcpy(bytes.get(), data(), size_);
    heap_ = std::move(bytes);
    capacity_ = static_cast<std::uint32_t>(capacity);
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = kInlineBytes;
  std::unique_ptr<char[]> heap_;
  char inline_[kInlineBytes];
};

struct KeyColumn {
  Rep rep = Rep::kInt64;
  Order order = Order::kInteger;
  bool nullable = false;
  bool descending = false;
  bool nulls_first = false;   ///< absolute: PostgreSQL's default is descending
};

class KeyCodec {
 public:
  explicit KeyCodec(std::span<const KeyColumn> columns);

  /// False if a column has no key form (kNone): the index is refused with 42704.
  bool supported() const { return supported_; }
  unsigned columns() const { return static_cast<unsigned>(columns_.size()); }
  const KeyColumn& column(unsigned i) const { return columns_[i]; }
  /// All full keys have fixed_bytes() bytes.
  bool fixed() const { return fixed_; }
  std::uint32_t fixed_bytes() const { return fixed_bytes_; }

  /// Replaces `out` by the key of the first values.size() columns (a full key, or a prefix for a range). False only if
  /// !supported(). Integers must fit their column: see fits().
  bool encode(std::span<const Value> values, KeyBuffer& out) const;
  /// The same for integers, of which none is null. False if one does not fit its column, so that no key equals it.
  bool encode_integers(std::span<const std::int64_t> values, KeyBuffer& out) const;
  /// The key of a row of `values` (one a column), of its `columns`.
  bool encode_columns(std::span<const Value> values, std::span<const std::uint16_t> columns, KeyBuffer& out) const;
  /// The full key, or with columns.size() < columns() a prefix, straight from a row; `columns` are row column numbers.
  bool encode_from_row(const RowLayout& layout, const char* row, std::span<const std::uint16_t> columns,
                       KeyBuffer& out) const;
  bool encode_from_row(const LayoutSet& layouts, LayoutSet::Id layout_id, const char* row,
                       std::span<const std::uint16_t> columns, KeyBuffer& out) const;
  /// True if all of these columns are equal in both rows as keys, so an UPDATE need not touch the index.
  bool same_key(const RowLayout& a_layout, const char* a, const RowLayout& b_layout, const char* b,
                std::span<const std::uint16_t> columns) const;

  /// Appends one more column to a prefix of `position` columns, for bounds such as (a = 1 AND b > 5).
  bool append(unsigned position, const Value& value, KeyBuffer& out) const;

  /// False if an integer or float4 column cannot hold `value`, as when an int8 expression meets an int4 column: no key
  /// equals it, and a range ends at the column's last value on that side.
  bool fits(unsigned position, const Value& value) const;

  /// Turns a prefix into the least key above all keys that begin with it. False if there is none (all FF, or empty):
  /// the range is open at its end.
  static bool successor(KeyBuffer& prefix);

 private:
  void append_value(unsigned position, const Value& value, KeyBuffer& out) const;
  template <class Read>
  bool encode_with(unsigned count, Read&& read, KeyBuffer& out) const;

  /// An integer's way into a key: its sign, if it has one, flipped, and the low `bytes` bytes of it big-endian, behind a
  /// byte that tells a null if the column may hold one.
  struct Step {
    std::uint64_t flip = 0;
    std::uint8_t shift = 0;
    std::uint8_t bytes = 8;
    bool nullable = false;
    char null = 0;              ///< the byte that stands for one
    /// A number of 64 bits that begins with those bytes.
    std::uint64_t big(std::int64_t i) const { return (static_cast<std::uint64_t>(i) ^ flip) << shift; }
    /// True only if it does, for certain: a column without a sign may hold more.
    bool fits(std::int64_t i) const { return flip != 0 && static_cast<std::int64_t>(static_cast<std::uint64_t>(i) << shift) >> shift == i; }
    /// Writes kSlack bytes more than it gives back as written.
    char* put(std::int64_t i, char* at) const;
    char* put(const Value& value, char* at) const;
  };
  static Step step_of(const KeyColumn& column);
  std::vector<KeyColumn> columns_;
  std::vector<Step> steps_;      ///< by column; of integers
  std::uint32_t fixed_bytes_ = 0;
  bool fixed_ = true;
  bool supported_ = true;
  bool integers_ = true;         ///< integers only, ascending, at most kIntegerBytes: encoded without growth checks
  static constexpr std::uint32_t kIntegerBytes = 48;
  static constexpr std::uint32_t kSlack = 8;
};

}  // namespace wandian
