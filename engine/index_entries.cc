#include "engine/index_entries.h"

#include <algorithm>

namespace wandian {

Result<std::span<const Value>> IndexEntries::parts(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row) {
  arena_.reset();
  parts_.clear();
  if (row_.size() < table.layout_columns()) row_.resize(table.layout_columns());
  for (const std::uint16_t column : table.index_keys->columns(index)) row_[column] = table.layouts->read(layout, row, column);
  WANDIAN_TRY(table.index_keys->evaluate(index, row_.data(), arena_, parts_));
  return std::span<const Value>(parts_);
}

Status IndexEntries::make(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row) {
  count_ = 0;
  WANDIAN_ASSIGN(const std::span<const Value> values, parts(table, index, layout, row));
  if (values.empty()) return {};
  const KeyCodec& codec = table.codecs[index];
  const std::vector<std::uint16_t>& columns = table.codec_columns[index];
  const std::size_t a_key = table.indexes[index].inverted() ? 1 : values.size();
  for (std::size_t first = 0; first < values.size(); first += a_key) {
    if (count_ == keys_.size()) keys_.emplace_back();
    KeyBuffer& key = keys_[count_++];
    codec.encode(values.subspan(first, a_key), key);
    for (std::size_t c = a_key; c < columns.size(); ++c)
      codec.append(static_cast<unsigned>(c), table.layouts->read(layout, row, columns[c]), key);
  }
  return {};
}

void IndexEntries::remake(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row) {
  if (!make(table, index, layout, row).ok()) count_ = 0;
}

bool IndexEntries::has(KeyRef key) const {
  return std::any_of(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(count_), [&](const KeyBuffer& own) { return own.ref() == key; });
}

bool IndexEntries::same(const IndexEntries& other) const {
  return std::equal(keys().begin(), keys().end(), other.keys().begin(), other.keys().end(),
                    [](const KeyBuffer& a, const KeyBuffer& b) { return a.ref() == b.ref(); });
}

}  // namespace wandian
