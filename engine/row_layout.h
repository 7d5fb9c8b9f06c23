// RowLayout: the byte form of a row; LayoutSet: all byte forms that a table's rows may have after ALTER TABLE.
// Form:    null bitmap (one bit a nullable column, set = null; absent when no column is nullable), then one fixed slot
//          a column in column order without padding, then the bytes of the kBytes columns in column order. A kBytes slot
//          is 4 bytes: the offset, from the start of the row, at which that column's bytes end; they begin where those
//          of the kBytes column before end, the first ones right behind the fixed part. Integers are little-endian; a
//          null takes a zeroed slot and no bytes. A row knows its size: the last kBytes end, or the fixed part.
// Thread:  immutable after construction; rows are read by any thread.
// Errors:  what comes from the log is checked (valid(), decode_delta(), apply_delta() answer false on malformed bytes);
//          read() and update() trust the row, which this process encoded or checked.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/type.h"
#include "engine/value.h"
#include "storage/base/assert.h"

namespace wandian {

static_assert(std::endian::native == std::endian::little, "rows and deltas are little-endian on disk");

struct RowColumn {
  Rep rep = Rep::kInt64;
  bool nullable = true;
};

/// One assignment of an UPDATE. Lists of changes are in ascending column order, each column at most once.
struct ColumnChange {
  std::uint16_t column = 0;
  Value value;
};

class RowLayout {
 public:
  static constexpr unsigned kMaxColumns = 1600;   ///< PostgreSQL's MaxHeapAttributeNumber

  explicit RowLayout(std::span<const RowColumn> columns);

  unsigned columns() const { return static_cast<unsigned>(slots_.size()); }
  Rep rep(unsigned column) const { return slots_[column].rep; }
  bool nullable(unsigned column) const { return slots_[column].null_mask != 0; }
  /// Bytes of bitmap and fixed slots: the size of a row without kBytes columns, the least size of any.
  std::uint32_t fixed_size() const { return fixed_size_; }
  bool has_bytes() const { return last_end_ != kNoSlot; }
  /// Offset of the fixed slot of `column`, for readers that know the type (typed procedure access).
  std::uint32_t slot_offset(unsigned column) const { return slots_[column].offset; }

  std::uint32_t row_size(const char* row) const {
    return last_end_ == kNoSlot ? fixed_size_ : load<std::uint32_t>(row + last_end_);
  }
  bool is_null(const char* row, unsigned column) const {
    const Slot& slot = slots_[column];
    return (static_cast<std::uint8_t>(row[slot.null_byte]) & slot.null_mask) != 0;
  }

  /// O(1). Pointers in the Value lead into `row`. kInt8Bit reads as 0..255: "char" is ordered as unsigned.
  Value read(const char* row, unsigned column) const { return read_inline(row, column); }
  /// The same in the caller's code, for loops over columns and rows.
  [[gnu::always_inline]] Value read_inline(const char* row, unsigned column) const {
    const Slot& slot = slots_[column];
    // A not-null column has an empty mask, so the test costs it a load that hits and a branch never taken.
    if ((static_cast<std::uint8_t>(row[slot.null_byte]) & slot.null_mask) != 0) [[unlikely]] return Value::null();
    const char* at = row + slot.offset;
    switch (slot.rep) {
      case Rep::kInt8Bit: return Value::of_int(load<std::uint8_t>(at));
      case Rep::kInt16: return Value::of_int(load<std::int16_t>(at));
      case Rep::kInt32: return Value::of_int(load<std::int32_t>(at));
      case Rep::kUint32: return Value::of_int(load<std::uint32_t>(at));
      case Rep::kInt64: return Value::of_int(load<std::int64_t>(at));
      case Rep::kFloat32: return Value::of_double(load<float>(at));
      case Rep::kFloat64: return Value::of_double(load<double>(at));
      case Rep::kFixed16: return Value::of_bytes(at, 16);
      case Rep::kBytes: break;
    }
    const std::uint32_t begin = slot.begin_slot == kNoSlot ? fixed_size_ : load<std::uint32_t>(row + slot.begin_slot);
    return Value::of_bytes(row + begin, load<std::uint32_t>(at) - begin);
  }

  /// Bytes that encode(values, ...) writes. May pass 4 GiB, which the caller must refuse (54000) before encode().
  std::uint64_t encoded_size(std::span<const Value> values) const;
  /// One value a column; a not-null column's value is not null. Writes encoded_size(values) bytes and returns that.
  std::uint32_t encode(std::span<const Value> values, char* out) const;

  /// As encoded_size() and encode(), for `old_row` of this layout with `changes` applied. `out` must not overlap
  /// `old_row`; values may point into `old_row`.
  std::uint64_t updated_size(const char* old_row, std::span<const ColumnChange> changes) const;
  std::uint32_t update(const char* old_row, std::span<const ColumnChange> changes, char* out) const;

  /// True if `bytes` is exactly one row of this layout, so that read() and update() stay inside it.
  bool valid(std::string_view bytes) const;

  /// The log's form of an UPDATE: the changed columns alone. delta_size() bytes; needs no old row.
  std::size_t delta_size(std::span<const ColumnChange> changes) const;
  char* write_delta(std::span<const ColumnChange> changes, char* out) const;   ///< returns the end
  void append_delta(std::span<const ColumnChange> changes, std::string& out) const;
  /// Replaces `changes`; its values point into `delta`. False if malformed.
  bool decode_delta(std::string_view delta, std::vector<ColumnChange>& changes) const;
  /// Replaces `out` by the new row. False if `delta` is malformed.
  bool apply_delta(const char* old_row, std::string_view delta, std::string& out) const;

 private:
  static constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};
  struct Slot {
    std::uint32_t offset;
    std::uint32_t begin_slot;     ///< kBytes: offset of the end word of the kBytes column before, or kNoSlot
    std::uint16_t null_byte;
    std::uint8_t null_mask;       ///< 0: not nullable
    Rep rep;
  };
  template <class T>
  static T load(const char* at) {
    T out;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  static void store_fixed(Rep rep, const Value& value, char* at);

  std::vector<Slot> slots_;
  std::uint32_t null_bytes_ = 0;
  std::uint32_t fixed_size_ = 0;
  std::uint32_t last_end_ = kNoSlot;
};

/// The layouts of one table by small id, oldest first. Column numbers mean the same in all of them; a row of an older
/// layout answers the stored default for columns that were added after it. A value type: copies share the layouts and
/// the defaults' bytes, so the catalog copies it to publish a changed table.
class LayoutSet {
 public:
  using Id = std::uint16_t;

  LayoutSet() = default;
  explicit LayoutSet(RowLayout first) { add(std::move(first), {}); }

  /// `missing[i]` is what rows of older layouts answer for column (newest().columns() + i); its bytes are copied. One
  /// value for each column that `next` has more. Returns the id of `next`, now the newest.
  Id add(RowLayout next, std::span<const Value> missing);

  std::size_t size() const { return layouts_.size(); }
  const RowLayout& layout(Id id) const { return *layouts_[id]; }
  const RowLayout& newest() const { return *layouts_.back(); }
  Id newest_id() const { return static_cast<Id>(layouts_.size() - 1); }

  Value read(Id id, const char* row, unsigned column) const {
    const RowLayout& layout = *layouts_[id];
    if (column < layout.columns()) [[likely]] return layout.read(row, column);
    return missing_[column];
  }
  /// All columns of the newest layout, for encoding the row anew in it. out.size() == newest().columns().
  void read_all(Id id, const char* row, std::span<Value> out) const;

 private:
  std::vector<std::shared_ptr<const RowLayout>> layouts_;
  std::vector<Value> missing_;                            ///< by column; null for those of the first layout
  std::vector<std::shared_ptr<const std::string>> bytes_; ///< what missing_ points to
};

}  // namespace wandian
