// ReplayApplier: applies whole transactions from the log to the tables, before the shards run.
// Thread:     the opening thread alone.
// Errors:     data_corrupted for operations that cannot be: the record's checksum was right, so it is our bug or a log
//             of another version.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/index_entries.h"
#include "engine/redo.h"
#include "storage/log.h"

namespace wandian {

class ReplayApplier final : public LogApplier {
 public:
  explicit ReplayApplier(Database& database) : database_(database) {}
  Status apply(Lsn commit, std::uint64_t transaction, std::span<const std::span<const char>> payloads) override;
  /// After the last transaction: counters that must go on above everything seen.
  void finish();

 private:
  Status apply_operations(Lsn commit, std::string_view rest);
  Status write_row(const redo::Operation& operation, Lsn commit);
  void set_sequence(const redo::Operation& operation);
  Status insert(const TableDef& table, PartitionId partition, std::uint16_t layout, std::string_view row, Lsn commit);
  Status update(const TableDef& table, PartitionId partition, std::uint16_t layout, KeyRef key, std::string_view delta, Lsn commit);
  Status remove(const TableDef& table, PartitionId partition, KeyRef key);
  Status change_catalog(std::string_view bytes);
  void publish(Lsn commit);
  void saw_oid(Oid oid);

  Database& database_;
  std::vector<CatalogChange> pending_changes_;
  Oid highest_oid_ = 0;
  std::uint64_t highest_storage_ = 0;
  std::uint64_t highest_transaction_ = 0;   ///< counter of a transaction's number, without its shard
  std::uint32_t writer_ = 0;                ///< number of the transaction that is being applied
  std::string joined_, new_row_;
  // The table of the operation before, which is mostly this one's too.
  Oid cached_oid_ = 0;
  std::shared_ptr<const TableDef> cached_;
  KeyBuffer key_, other_key_;
  IndexEntries entries_;
};

}  // namespace wandian
