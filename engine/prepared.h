// Prepared transactions: PREPARE TRANSACTION's first phase done, their outcome in somebody else's hands (PostgreSQL manual, "PREPARE
// TRANSACTION"). They keep their locks and uncommitted versions, and survive a restart: the log has their operations and locks.
// Owns:       the detached transactions, each on the shard where it was prepared (on shard 0 after a restart).
// Thread:     any shard; one mutex of a few instructions.
// Errors:     42710, 42704, 42501, 55000, 53400, as PostgreSQL's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/oid.h"
#include "engine/task.h"
#include "storage/base/status.h"

namespace wandian {

class Database;
class Shard;
class Transaction;

struct PreparedTransactionInfo {
  std::string gid;
  Oid owner = 0, database = 0;
  std::int64_t prepared_at = 0;        ///< µs from 2000-01-01 UTC
  std::uint64_t transaction = 0;
};

class PreparedTransactions {
 public:
  PreparedTransactions();
  ~PreparedTransactions();             ///< what is still prepared is abandoned: the log has it

  /// Claims a name before anything is logged under it.
  Status reserve(const PreparedTransactionInfo& info, unsigned limit);
  /// Nothing came of it.
  void forget(const std::string& gid);
  /// `transaction` stands for the name from now on.
  void keep(const std::string& gid, std::unique_ptr<Transaction> transaction);
  std::vector<PreparedTransactionInfo> list() const;

  /// Commits or rolls back, on the transaction's shard, called from `here`. *floor is what the answer depends on.
  /// @param role  0 for a superuser, else only its own may be finished
  Task<Status> finish(Shard& here, std::string gid, Oid database, Oid role, bool commit, std::uint64_t* floor);

  // Recovery, before shards run.
  void recovered(PreparedTransactionInfo info, std::string_view operations, std::string_view locks);
  void recovered_end(const std::string& gid);
  /// Writes and locks anew what the log says; drives all shards of `database`, on the calling thread.
  Status reinstate(Database& database);

 private:
  struct Entry {
    PreparedTransactionInfo info;
    std::unique_ptr<Transaction> transaction;   ///< null while it is being prepared
    bool busy = false;                          ///< somebody finishes it
    std::string operations, locks;              ///< after recovery, until they are reinstated
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace wandian
