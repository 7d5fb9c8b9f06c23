#include "engine/redo.h"

#include <vector>

#include "engine/row_op.h"

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

void append_prepare(std::string& out, const PreparedTransactionInfo& info, std::string_view operations, std::string_view locks) {
  char* at = extend(out, 27 + info.gid.size() + operations.size() + locks.size());
  at = put(at, RedoKind::kPrepare);
  at = put(at, static_cast<std::uint16_t>(info.gid.size()));
  at = put(at, info.owner);
  at = put(at, info.database);
  at = put(at, info.prepared_at);
  at = put(at, static_cast<std::uint32_t>(operations.size()));
  at = put(at, static_cast<std::uint32_t>(locks.size()));
  for (const std::string_view bytes : {std::string_view(info.gid), operations, locks}) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
}

void append_finish_prepared(std::string& out, std::string_view gid) {
  char* at = extend(out, 3 + gid.size());
  at = put(at, RedoKind::kFinishPrepared);
  at = put(at, static_cast<std::uint16_t>(gid.size()));
  std::memcpy(at, gid.data(), gid.size());
}

void append_row_lock(std::string& out, Oid table, PartitionId partition, std::uint8_t mode, KeyRef key) {
  char* at = extend(out, 10 + key.size);
  at = put(at, RedoKind::kLockRow);
  at = put(at, table);
  at = put(at, static_cast<std::uint16_t>(partition));
  at = put(at, mode);
  at = put(at, static_cast<std::uint16_t>(key.size));
  std::memcpy(at, key.data, key.size);
}

void append_table_lock(std::string& out, Oid table, std::uint8_t mode) {
  char* at = extend(out, 6);
  at = put(at, RedoKind::kLockTable);
  at = put(at, table);
  put(at, mode);
}

namespace {

Status malformed(const char* what) { return Status{sqlstate::data_corrupted, std::string("malformed operation in the log: ") + what}; }

struct Cursor {
  std::string_view& rest;
  template <class T>
  bool take(T* out) {
    if (rest.size() < sizeof *out) return false;
    std::memcpy(out, rest.data(), sizeof *out);
    rest.remove_prefix(sizeof *out);
    return true;
  }
  bool take(std::size_t bytes, std::string_view* out) {
    if (rest.size() < bytes) return false;
    *out = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return true;
  }
  bool take_place(Operation* out) {
    std::uint16_t partition = 0;
    if (!take(&out->table) || !take(&partition) || partition >= kMaxPartitions) return false;
    out->partition = partition;
    return true;
  }
  bool take_key(std::uint16_t bytes, Operation* out) {
    std::string_view key;
    if (!take(bytes, &key)) return false;
    out->key = {key.data(), bytes};
    return true;
  }
};

}  // namespace

Status read_operation(std::string_view* rest, Operation* out) {
  Cursor in{*rest};
  std::uint16_t key_bytes = 0;
  std::uint32_t size = 0;
  if (!in.take(&out->kind)) return malformed("nothing");
  switch (out->kind) {
    case RedoKind::kInsert:
      if (!in.take_place(out) || !in.take(&out->layout) || !in.take(&size) || !in.take(size, &out->data)) return malformed("insert");
      return {};
    case RedoKind::kUpdate:
      if (!in.take_place(out) || !in.take(&out->layout) || !in.take(&key_bytes) || !in.take(&size) || !in.take_key(key_bytes, out) ||
          !in.take(size, &out->data))
        return malformed("update");
      return {};
    case RedoKind::kDelete:
      if (!in.take_place(out) || !in.take(&key_bytes) || !in.take_key(key_bytes, out)) return malformed("delete");
      return {};
    case RedoKind::kCatalog:
      if (!in.take(&size) || !in.take(size, &out->data)) return malformed("catalog change");
      return {};
    case RedoKind::kSequence: {
      std::uint8_t called = 0;
      if (!in.take(&out->table) || !in.take(&out->value) || !in.take(&called)) return malformed("sequence");
      out->is_called = called != 0;
      return {};
    }
    case RedoKind::kPrepare: {
      std::uint32_t lock_bytes = 0;
      std::string_view gid;
      if (!in.take(&key_bytes) || !in.take(&out->prepared.owner) || !in.take(&out->prepared.database) || !in.take(&out->prepared.prepared_at) ||
          !in.take(&size) || !in.take(&lock_bytes) || !in.take(key_bytes, &gid) || !in.take(size, &out->data) || !in.take(lock_bytes, &out->locks))
        return malformed("prepared transaction");
      out->prepared.gid = gid;
      return {};
    }
    case RedoKind::kFinishPrepared: {
      std::string_view gid;
      if (!in.take(&key_bytes) || !in.take(key_bytes, &gid)) return malformed("end of a prepared transaction");
      out->prepared.gid = gid;
      return {};
    }
    case RedoKind::kLockRow:
      if (!in.take_place(out) || !in.take(&out->mode) || !in.take(&key_bytes) || !in.take_key(key_bytes, out) ||
          out->mode > static_cast<std::uint8_t>(RowLock::kUpdate))
        return malformed("row lock");
      return {};
    case RedoKind::kLockTable:
      if (!in.take(&out->table) || !in.take(&out->mode) || out->mode == 0 || out->mode > 8) return malformed("table lock");
      return {};
  }
  return malformed("unknown kind");
}

}  // namespace wandian::redo
