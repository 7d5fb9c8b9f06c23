#include "engine/wait_edge.h"

#include "engine/transaction.h"

namespace wandian {

const char* lock_mode_name(TableLock mode) {
  static constexpr const char* kNames[] = {"", "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
                                           "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string WaitEdge::text(Oid database) const {
  std::string lock;
  switch (what) {
    case What::kTransaction: lock = "ShareLock on transaction " + std::to_string(holder); break;
    case What::kTable:
      lock = std::string(lock_mode_name(static_cast<TableLock>(mode))) + " on relation " + std::to_string(table) + " of database " +
             std::to_string(database);
      break;
    case What::kAdvisory:
      lock = std::string(mode != 0 ? "ShareLock" : "ExclusiveLock") + " on advisory lock [" + std::to_string(advisory.database) + "," +
             std::to_string(advisory.high) + "," + std::to_string(advisory.low) + "," + (advisory.two ? "2" : "1") + "]";
      break;
  }
  return "Process " + std::to_string(waiter_process) + " waits for " + lock + "; blocked by process " + std::to_string(holder_process) + ".";
}

}  // namespace wandian
