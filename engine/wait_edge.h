// Who waits for whom, and for what: what a search for deadlocks collects, and what it tells.
#pragma once

#include <cstdint>
#include <string>

#include "engine/oid.h"
#include "engine/row_op.h"

namespace wandian {

enum class TableLock : std::uint8_t;   // engine/transaction.h

/// One advisory lock of one database. Keys of one int8 and of two int4 are different names.
struct AdvisoryKey {
  Oid database = 0;
  std::uint32_t high = 0, low = 0;
  bool two = false;
  bool operator==(const AdvisoryKey&) const = default;
  struct Hash {
    std::size_t operator()(const AdvisoryKey& key) const {
      const std::uint64_t name = std::uint64_t{key.high} << 32 | key.low;
      return static_cast<std::size_t>((name ^ (std::uint64_t{key.database} << 1 | std::uint64_t{key.two})) * 0x9e3779b97f4a7c15u);
    }
  };
};

struct WaitEdge {
  enum class What : std::uint8_t { kTransaction, kTable, kAdvisory };
  std::uint64_t waiter = 0, holder = 0;   ///< transaction ids
  std::uint32_t wait_number = 0;          ///< a later wait of the waiter has another one
  std::int32_t waiter_process = 0, holder_process = 0;
  What what = What::kTransaction;
  std::uint8_t mode = 0;                  ///< kTable: a TableLock; kAdvisory: 1 = shared
  Oid table = 0;
  AdvisoryKey advisory;

  /// "Process 1 waits for ShareLock on transaction 7; blocked by process 2." (deadlock.c's wording, as drivers parse it)
  std::string text(Oid database) const;
};

/// "AccessShareLock" ... as pg_locks shows them.
const char* lock_mode_name(TableLock mode);

}  // namespace wandian
