#include "engine/row_layout.h"

#include <algorithm>

namespace wandian {

namespace {

// Delta: number of changes, then for each its column * 2 + (1 if null) and, unless null, the value: a fixed slot's bytes,
// or a length and that many bytes. Counts are LEB128.
std::size_t varint_size(std::uint64_t v) {
  std::size_t bytes = 1;
  for (; v >= 0x80; v >>= 7) ++bytes;
  return bytes;
}

char* put_varint(std::uint64_t v, char* out) {
  for (; v >= 0x80; v >>= 7) *out++ = static_cast<char>(v | 0x80);
  *out++ = static_cast<char>(v);
  return out;
}

// At most five bytes: all counts are below 2^32.
bool get_varint(const char*& at, const char* end, std::uint32_t& out) {
  std::uint64_t v = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at == end) return false;
    const auto byte = static_cast<std::uint8_t>(*at++);
    v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      out = static_cast<std::uint32_t>(v);
      return v <= 0xffffffffu;
    }
  }
  return false;
}

}  // namespace

RowLayout::RowLayout(std::span<const RowColumn> columns) {
  DB_ASSERT(columns.size() <= kMaxColumns);
  const auto nullable = std::count_if(columns.begin(), columns.end(), [](const RowColumn& c) { return c.nullable; });
  null_bytes_ = static_cast<std::uint32_t>((nullable + 7) / 8);
  slots_.reserve(columns.size());
  std::uint32_t offset = null_bytes_;
  unsigned null_bit = 0;
  for (const RowColumn& column : columns) {
    Slot slot{offset, kNoSlot, 0, 0, column.rep};
    if (column.nullable) {
      slot.null_byte = static_cast<std::uint16_t>(null_bit / 8);
      slot.null_mask = static_cast<std::uint8_t>(1u << (null_bit % 8));
      ++null_bit;
    }
    if (column.rep == Rep::kBytes) {
      slot.begin_slot = last_end_;
      last_end_ = offset;
    }
    offset += fixed_bytes(column.rep);
    slots_.push_back(slot);
  }
  fixed_size_ = offset;
}

[[gnu::always_inline]] inline void RowLayout::store_fixed(Rep rep, const Value& value, char* at) {
  switch (rep) {
    case Rep::kInt8Bit: std::memcpy(at, &value.i, 1); return;
    case Rep::kInt16: std::memcpy(at, &value.i, 2); return;
    case Rep::kInt32: case Rep::kUint32: std::memcpy(at, &value.i, 4); return;
    case Rep::kInt64: case Rep::kFloat64: std::memcpy(at, &value.i, 8); return;
    case Rep::kFloat32: {
      const float narrow = static_cast<float>(value.d);
      std::memcpy(at, &narrow, 4);
      return;
    }
    case Rep::kFixed16: std::memcpy(at, value.p, 16); return;
    case Rep::kBytes: return;
  }
}

std::uint64_t RowLayout::encoded_size(std::span<const Value> values) const {
  DB_DCHECK(values.size() == slots_.size());
  std::uint64_t size = fixed_size_;
  if (last_end_ == kNoSlot) return size;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].rep == Rep::kBytes && !values[i].is_null) size += values[i].size;
  return size;
}

std::uint32_t RowLayout::encode(std::span<const Value> values, char* out) const {
  DB_DCHECK(values.size() == slots_.size());
  std::memset(out, 0, null_bytes_);
  std::uint32_t end = fixed_size_;
  const Value* value = values.data();
  for (const Slot *slot = slots_.data(), *last = slot + slots_.size(); slot != last; ++slot, ++value) {
    char* const at = out + slot->offset;
    if (!value->is_null && slot->rep != Rep::kBytes) [[likely]] {
      store_fixed(slot->rep, *value, at);
      continue;
    }
    if (value->is_null) {
      DB_DCHECK(slot->null_mask != 0);
      out[slot->null_byte] = static_cast<char>(out[slot->null_byte] | slot->null_mask);
    }
    if (slot->rep != Rep::kBytes) {
      std::memset(at, 0, fixed_bytes(slot->rep));
      continue;
    }
    if (!value->is_null && value->size != 0) {
      std::memcpy(out + end, value->p, value->size);
      end += value->size;
    }
    std::memcpy(at, &end, 4);
  }
  return end;
}

std::uint64_t RowLayout::updated_size(const char* old_row, std::span<const ColumnChange> changes) const {
  std::uint64_t size = row_size(old_row);
  for (const ColumnChange& change : changes) {
    const Slot& slot = slots_[change.column];
    if (slot.rep != Rep::kBytes) continue;
    if (!is_null(old_row, change.column)) size -= read(old_row, change.column).size;
    if (!change.value.is_null) size += change.value.size;
  }
  return size;
}

std::uint32_t RowLayout::update(const char* old_row, std::span<const ColumnChange> changes, char* out) const {
  // The first changed kBytes column: all slots and bytes before it stay where they are.
  std::uint32_t first_moved = kNoSlot;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    DB_DCHECK(i == 0 || changes[i - 1].column < changes[i].column);
    if (slots_[changes[i].column].rep != Rep::kBytes) continue;
    first_moved = changes[i].column;
    break;
  }
  std::uint32_t end = row_size(old_row);
  if (first_moved == kNoSlot) {
    std::memcpy(out, old_row, end);
  } else {
    const std::uint32_t before = slots_[first_moved].begin_slot;
    end = before == kNoSlot ? fixed_size_ : load<std::uint32_t>(old_row + before);
    std::memcpy(out, old_row, end);
  }
  for (const ColumnChange& change : changes) {
    const Slot& slot = slots_[change.column];
    const auto cleared = static_cast<std::uint8_t>(static_cast<std::uint8_t>(out[slot.null_byte]) & ~slot.null_mask);
    if (slot.null_mask != 0)
      out[slot.null_byte] = static_cast<char>(change.value.is_null ? cleared | slot.null_mask : cleared);
    DB_DCHECK(!change.value.is_null || slot.null_mask != 0);
    if (slot.rep == Rep::kBytes) continue;
    if (change.value.is_null) std::memset(out + slot.offset, 0, fixed_bytes(slot.rep));
    else store_fixed(slot.rep, change.value, out + slot.offset);
  }
  if (first_moved == kNoSlot) return end;

  std::size_t next = 0;
  for (std::uint32_t column = first_moved; column < slots_.size(); ++column) {
    const Slot& slot = slots_[column];
    if (slot.rep != Rep::kBytes) continue;
    while (next < changes.size() && changes[next].column < column) ++next;
    const bool changed = next < changes.size() && changes[next].column == column;
    const Value value = changed ? changes[next].value : read(old_row, column);
    if (!value.is_null && value.size != 0) {
      std::memcpy(out + end, value.p, value.size);
      end += value.size;
    }
    std::memcpy(out + slot.offset, &end, 4);
  }
  return end;
}

bool RowLayout::valid(std::string_view bytes) const {
  if (bytes.size() < fixed_size_) return false;
  std::uint32_t end = fixed_size_;
  for (std::uint32_t column = 0; column < slots_.size(); ++column) {
    const Slot& slot = slots_[column];
    if (slot.rep != Rep::kBytes) continue;
    const auto next = load<std::uint32_t>(bytes.data() + slot.offset);
    if (next < end || next > bytes.size()) return false;
    if (next != end && is_null(bytes.data(), column)) return false;
    end = next;
  }
  return end == bytes.size();
}

std::size_t RowLayout::delta_size(std::span<const ColumnChange> changes) const {
  std::size_t size = varint_size(changes.size());
  for (const ColumnChange& change : changes) {
    size += varint_size(std::uint64_t{change.column} * 2);
    if (change.value.is_null) continue;
    const Rep rep = slots_[change.column].rep;
    size += rep == Rep::kBytes ? varint_size(change.value.size) + change.value.size : fixed_bytes(rep);
  }
  return size;
}

char* RowLayout::write_delta(std::span<const ColumnChange> changes, char* out) const {
  out = put_varint(changes.size(), out);
  for (const ColumnChange& change : changes) {
    const Rep rep = slots_[change.column].rep;
    out = put_varint(std::uint64_t{change.column} * 2 + (change.value.is_null ? 1 : 0), out);
    if (change.value.is_null) continue;
    if (rep != Rep::kBytes) {
      store_fixed(rep, change.value, out);
      out += fixed_bytes(rep);
      continue;
    }
    out = put_varint(change.value.size, out);
    if (change.value.size != 0) std::memcpy(out, change.value.p, change.value.size);
    out += change.value.size;
  }
  return out;
}

void RowLayout::append_delta(std::span<const ColumnChange> changes, std::string& out) const {
  const std::size_t start = out.size();
  out.resize(start + delta_size(changes));
  write_delta(changes, out.data() + start);
}

bool RowLayout::decode_delta(std::string_view delta, std::vector<ColumnChange>& changes) const {
  changes.clear();
  const char* at = delta.data();
  const char* const end = at + delta.size();
  std::uint32_t count = 0;
  if (!get_varint(at, end, count) || count > slots_.size()) return false;
  changes.reserve(count);
  std::uint32_t least = 0;   // columns ascend
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t head = 0;
    if (!get_varint(at, end, head)) return false;
    const std::uint32_t column = head / 2;
    if (column < least || column >= slots_.size()) return false;
    least = column + 1;
    const Slot& slot = slots_[column];
    ColumnChange change{static_cast<std::uint16_t>(column), Value::null()};
    if ((head & 1) != 0) {
      if (slot.null_mask == 0) return false;
      changes.push_back(change);
      continue;
    }
    std::uint32_t size = fixed_bytes(slot.rep);
    if (slot.rep == Rep::kBytes && !get_varint(at, end, size)) return false;
    if (size > static_cast<std::size_t>(end - at)) return false;
    switch (slot.rep) {
      case Rep::kInt8Bit: change.value = Value::of_int(load<std::uint8_t>(at)); break;
      case Rep::kInt16: change.value = Value::of_int(load<std::int16_t>(at)); break;
      case Rep::kInt32: change.value = Value::of_int(load<std::int32_t>(at)); break;
      case Rep::kUint32: change.value = Value::of_int(load<std::uint32_t>(at)); break;
      case Rep::kInt64: change.value = Value::of_int(load<std::int64_t>(at)); break;
      case Rep::kFloat32: change.value = Value::of_double(load<float>(at)); break;
      case Rep::kFloat64: change.value = Value::of_double(load<double>(at)); break;
      case Rep::kFixed16: case Rep::kBytes: change.value = Value::of_bytes(at, size); break;
    }
    at += size;
    changes.push_back(change);
  }
  return at == end;
}

bool RowLayout::apply_delta(const char* old_row, std::string_view delta, std::string& out) const {
  std::vector<ColumnChange> changes;
  if (!decode_delta(delta, changes)) return false;
  const std::uint64_t size = updated_size(old_row, changes);
  if (size > 0xffffffffu) return false;
  out.resize(size);
  update(old_row, changes, out.data());
  return true;
}

LayoutSet::Id LayoutSet::add(RowLayout next, std::span<const Value> missing) {
  const unsigned had = layouts_.empty() ? next.columns() : newest().columns();
  DB_ASSERT(next.columns() == had + missing.size() && layouts_.size() < 0xffff);
  missing_.resize(had);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    Value value = missing[i];
    const Rep rep = next.rep(had + static_cast<unsigned>(i));
    if (!value.is_null && (rep == Rep::kBytes || rep == Rep::kFixed16)) {
      bytes_.push_back(std::make_shared<const std::string>(value.bytes()));
      value = Value::of_bytes(*bytes_.back());
    }
    missing_.push_back(value);
  }
  layouts_.push_back(std::make_shared<const RowLayout>(std::move(next)));
  return newest_id();
}

void LayoutSet::read_all(Id id, const char* row, std::span<Value> out) const {
  DB_DCHECK(out.size() == newest().columns());
  for (unsigned column = 0; column < out.size(); ++column) out[column] = read(id, row, column);
}

}  // namespace wandian
