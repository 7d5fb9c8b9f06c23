// What PostgreSQL shows of a row beside its columns: its place (ctid) and the transactions that wrote and ended its version.
// Places:  48 bits, as type tid holds them. Where the primary key is one integer (or the hidden row number), a key from 0 up to
//          2^47 - 1 is the place itself, and so is any of at most 32 bits, its sign one of them: the row is found from it, whoever made
//          it up. Any other row's place has the top bit set and is made from its anchor's address, which is the row's own for as long as any version of it is kept; such a place is compared
//          and never followed. Both survive updates that leave the primary key alone.
// Numbers: a transaction's number counts up on each shard and carries the shard in its low bits; what clients see as xid are its low
//          32 bits. It is known before the commit, is kept in the version in the room of what only an active transaction needs, and comes
//          back from the log with the row. Numbers go on above all that the log holds.
// Thread:  any; rows are read in place, so within the turn.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/catalog.h"
#include "engine/descriptor.h"
#include "engine/version.h"

namespace wandian {

/// The counter of a TxnDescriptor::transaction_id, without its shard.
constexpr std::uint64_t transaction_counter(std::uint64_t transaction_id) { return transaction_id & ((std::uint64_t{1} << 56) - 1); }
/// As xid8.
constexpr std::uint64_t full_transaction_number(std::uint64_t transaction_id) {
  return transaction_counter(transaction_id) * kMaxShards + (transaction_id >> 56);
}
/// As xid. Of a counter alone, without a shard, 0 where the numbers of some shards would be PostgreSQL's reserved ones (0, 1, 2).
constexpr std::uint32_t transaction_number(std::uint64_t transaction_id) {
  return static_cast<std::uint32_t>(full_transaction_number(transaction_id));
}

/// The number of the transaction that wrote the version, committed or not.
inline std::uint32_t writer_of(const Version& version) {
  const std::uint64_t stamp = version.stamp.load(std::memory_order_acquire);
  return (stamp & kStampActive) != 0 ? transaction_number(stamp_descriptor(stamp)->transaction_id) : version.command;
}

/// A command's number as cmin shows it: a transaction's first statement is 0.
constexpr std::uint32_t shown_command(std::uint32_t command) {
  constexpr std::uint32_t kFirst = 2;   // Transaction::begin() counts as 1
  return command < kFirst ? 0 : command - kFirst;
}

struct SystemColumns {
  std::int64_t ctid = 0;
  std::uint32_t xmin = 0;
  std::uint32_t xmax = 0;                ///< of the transaction that wrote the next version; 0: none has, or it was undone
  std::uint32_t cmin = 0;                ///< of an own version that is not committed yet: the command; otherwise 0
};

/// Scrambles addresses, so that what clients see of them says nothing about the process's memory. Fixed while the process runs.
struct PlaceSecret {
  std::uint64_t first = 1, second = 1;   ///< odd
};

/// @param row  bytes in layout `layout` of the table
std::int64_t place_of(const TableDef& table, const PlaceSecret& secret, std::uint16_t layout, const char* row, const Row* anchor);
/// The primary key that a place of this table says, if it says one.
std::optional<std::int64_t> key_of_place(const TableDef& table, std::int64_t place);
/// Of a row got by reading. `own`: the descriptor of the reading transaction, or null.
SystemColumns system_columns(const TableDef& table, const PlaceSecret& secret, const RowView& row, const TxnDescriptor* own);

}  // namespace wandian
