// Redo: the operations inside a commit record's payload, and their replay.
// Form (storage/README.md has the record around it): 8 bytes of commit time (µs since the Unix epoch), then operations:
//   byte kind; kInsert: table u32, partition u16, layout u16, bytes u32, row
//              kUpdate: table u32, partition u16, layout u16, key bytes u16, delta bytes u32, key, delta (changed columns)
//              kDelete: table u32, partition u16, key bytes u16, key
//              kCatalog: bytes u32, CatalogEditor's form of one change
//              kSequence: sequence u32, value i64, is_called u8 (replay goes on after `value`)
//              kPrepare: gid bytes u16, owner u32, database u32, prepared at i64, operations bytes u32, lock bytes u32, gid,
//                the operations of a prepared transaction, its locks; replay keeps them until
//              kFinishPrepared: gid bytes u16, gid; what a commit does follows in the same record
//              among a prepared transaction's locks: kLockRow: table u32, partition u16, mode u8, key bytes u16, key;
//                kLockTable: table u32, mode u8
// Thread:     encoding where a row is written (its owner); replay single-threaded, before shards run.
// Errors:     malformed bytes are data_corrupted: the checksum was right, so this is our bug or another version's log.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/prepared.h"
#include "engine/table.h"

namespace wandian {

enum class RedoKind : std::uint8_t {
  kInsert = 1, kUpdate = 2, kDelete = 3, kCatalog = 4, kSequence = 5, kPrepare = 6, kFinishPrepared = 7, kLockRow = 8, kLockTable = 9,
};

namespace redo {

template <class T>
char* put(char* at, T v) {
  std::memcpy(at, &v, sizeof v);
  return at + sizeof v;
}

inline constexpr std::size_t kInsertHeader = 13, kUpdateHeader = 15, kDeleteHeader = 9, kSequenceBytes = 14;

inline char* write_insert_header(char* at, Oid table, PartitionId partition, std::uint16_t layout, std::uint32_t row_bytes) {
  at = put(at, RedoKind::kInsert);
  at = put(at, table);
  at = put(at, static_cast<std::uint16_t>(partition));
  at = put(at, layout);
  return put(at, row_bytes);
}
inline char* write_update_header(char* at, Oid table, PartitionId partition, std::uint16_t layout, std::uint16_t key_bytes,
                                 std::uint32_t delta_bytes) {
  at = put(at, RedoKind::kUpdate);
  at = put(at, table);
  at = put(at, static_cast<std::uint16_t>(partition));
  at = put(at, layout);
  at = put(at, key_bytes);
  return put(at, delta_bytes);
}
inline char* write_delete_header(char* at, Oid table, PartitionId partition, std::uint16_t key_bytes) {
  at = put(at, RedoKind::kDelete);
  at = put(at, table);
  at = put(at, static_cast<std::uint16_t>(partition));
  return put(at, key_bytes);
}

void append_insert(std::string& out, Oid table, PartitionId partition, std::uint16_t layout, std::string_view row);
void append_delete(std::string& out, Oid table, PartitionId partition, KeyRef key);
/// The columns in which `new_row` (current layout) differs from `old_row`.
void append_update(std::string& out, const TableDef& table, PartitionId partition, KeyRef key, std::uint16_t old_layout,
                   const char* old_row, const char* new_row);
void append_catalog(std::string& out, const CatalogChange& change);
void append_prepare(std::string& out, const PreparedTransactionInfo& info, std::string_view operations, std::string_view locks);
void append_finish_prepared(std::string& out, std::string_view gid);
void append_row_lock(std::string& out, Oid table, PartitionId partition, std::uint8_t mode, KeyRef key);
void append_table_lock(std::string& out, Oid table, std::uint8_t mode);

/// One operation as it stands in the log; what its kind does not have is empty.
struct Operation {
  RedoKind kind{};
  Oid table = 0;                       ///< kSequence: the sequence
  PartitionId partition = 0;
  std::uint16_t layout = 0;
  std::uint8_t mode = 0;
  KeyRef key;
  std::string_view data;               ///< row, changed columns, catalog change, a prepared transaction's operations
  std::int64_t value = 0;
  bool is_called = false;
  PreparedTransactionInfo prepared;
  std::string_view locks;
};
/// Takes the first operation off `rest`. data_corrupted if there is none whole.
Status read_operation(std::string_view* rest, Operation* out);
void append_sequence(std::string& out, Oid sequence, std::int64_t value, bool is_called);

}  // namespace redo

}  // namespace wandian
