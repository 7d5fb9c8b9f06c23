// Transaction descriptors: the one word that makes a transaction's writes visible everywhere at once.
// Owns:       `state`, written by the transaction's shard alone and read by all.
// Thread:     allocated from and returned to a pool of the session's shard.
// Invariants: a descriptor is reused only when every owner it touched has reported its stamps done and a grace period has passed
//             (a reader may have loaded its address from a stamp just before).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace wandian {

inline constexpr unsigned kMaxShards = 64;

struct OwnerTransaction;   // engine/owner.h: what one owner knows of a transaction

struct alignas(64) TxnDescriptor {
  static constexpr std::uint64_t kActive = 0;
  static constexpr std::uint64_t kAborted = ~std::uint64_t{0} >> 1;   ///< above every LSN
  std::atomic<std::uint64_t> state{kActive};   ///< kActive, kAborted or the commit LSN; store release pairs with load acquire
  std::uint64_t transaction_id = 0;            ///< fixed while in use: shard in the top 8 bits, counter below; names parts in the log
  std::uint32_t shard = 0;
  std::atomic<std::uint32_t> waits{0};         ///< number of the newest wait, for deadlock detection; counted by the owners that it waits at
  std::int32_t process_id = 0;                 ///< fixed while in use: its session's, for who waits for it
  std::uint64_t owners = 0;                    ///< session's shard only: bit set of the shards it has written or locked at
  /// Entry i is owner i's alone.
  std::array<OwnerTransaction*, kMaxShards> at{};
};

}  // namespace wandian
