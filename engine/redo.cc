#include "engine/redo.h"

#include <vector>

namespace wandian::redo {

namespace {

char* extend(std::string& out, std::size_t bytes) {
  const std::size_t at = out.size();
  out.resize(at + bytes);
  return out.data() + at;
}

bool same_value(Rep rep, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  if (rep == Rep::kBytes || rep == Rep::kFixed16) return a.bytes() == b.bytes();
  return a.i == b.i;   // doubles by their bits
}

}  // namespace

void append_insert(std::string& out, Oid table, PartitionId partition, std::uint16_t layout, std::string_view row) {
  char* at = extend(out, kInsertHeader + row.size());
  at = write_insert_header(at, table, partition, layout, static_cast<std::uint32_t>(row.size()));
  std::memcpy(at, row.data(), row.size());
}

void append_delete(std::string& out, Oid table, PartitionId partition, KeyRef key) {
  char* at = extend(out, kDeleteHeader + key.size);
  at = write_delete_header(at, table, partition, static_cast<std::uint16_t>(key.size));
  std::memcpy(at, key.data, key.size);
}

void append_update(std::string& out, const TableDef& table, PartitionId partition, KeyRef key, std::uint16_t old_layout,
                   const char* old_row, const char* new_row) {
  const RowLayout& layout = table.layouts->newest();
  thread_local std::vector<ColumnChange> changes;
  changes.clear();
  for (unsigned column = 0; column < layout.columns(); ++column) {
    const Value now = layout.read(new_row, column);
    if (!same_value(layout.rep(column), table.layouts->read(old_layout, old_row, column), now))
      changes.push_back({static_cast<std::uint16_t>(column), now});
  }
  const std::size_t delta = layout.delta_size(changes);
  char* at = extend(out, kUpdateHeader + key.size + delta);
  at = write_update_header(at, table.oid, partition, table.layout, static_cast<std::uint16_t>(key.size), static_cast<std::uint32_t>(delta));
  std::memcpy(at, key.data, key.size);
  layout.write_delta(changes, at + key.size);
}

void append_catalog(std::string& out, const CatalogChange& change) {
  const std::size_t at = out.size();
  out.append(5, '\0');
  CatalogEditor::encode(change, out);
  put(put(out.data() + at, RedoKind::kCatalog), static_cast<std::uint32_t>(out.size() - at - 5));
}

void append_sequence(std::string& out, Oid sequence, std::int64_t value, bool is_called) {
  char* at = extend(out, kSequenceBytes);
  at = put(at, RedoKind::kSequence);
  at = put(at, sequence);
  at = put(at, value);
  put(at, static_cast<std::uint8_t>(is_called));
}

}  // namespace wandian::redo
