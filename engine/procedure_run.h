// LocalRun and GlobalRun: calls of native procedures under way.
// Owns:       the call's result and notices.
// Thread:     made and answered on the session's shard; a local run runs on the owner of its key.
// Invariants: an autocommit local run that meets a lock waits holding nothing, and starts again; it commits where it ran.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/mailbox.h"
#include "engine/owner.h"
#include "engine/procedure.h"
#include "engine/shard.h"
#include "engine/transaction.h"

namespace wandian {

/// One call of a local procedure.
class LocalRun final : public Message, public Waiter, public Runnable {
 public:
  struct Request {
    const ProcedureDefinition* procedure = nullptr;
    Oid schema = 0;                      ///< where the procedure's tables are
    std::span<const Value> args;         ///< the caller's, until the run is finished
    Transaction* transaction = nullptr;  ///< the open block it belongs to; null: commits by itself
    std::int64_t now = 0;                ///< transaction timestamp
    Lsn need;                            ///< the session has seen this much
    void (*done)(void* context) = nullptr;   ///< on the session's shard; never inside start()
    void* context = nullptr;
  };
  explicit LocalRun(Shard& origin) : origin_(origin) {}
  /// True: finished at once.
  bool start(const Request& request);
  /// The same, if this shard owns the key and nothing has to be waited for. False: nothing was done.
  bool try_now(const Request& request);
  /// Ready for another call; keeps its memory.
  void reset();
  bool finished() const { return finished_; }
  /// Ends a wait with `why` as soon as it can.
  void cancel(Status why);

  Status take_status() { return std::move(status_); }
  const Value& result() const { return result_; }
  Lsn commit() const { return commit_; }           ///< Lsn{}: wrote nothing
  std::uint64_t floor() const { return floor_; }
  std::vector<ErrorRecord>& notices() { return notices_; }

  void deliver(Shard& here) override;
  void retry(Shard& here) override;
  void run() override;

 private:
  enum class Attempt : std::uint8_t { kDone, kAgain, kLater, kParked };
  bool run_at(Shard& here);
  bool prepare(const Request& request);
  Attempt attempt(Shard& here);
  Attempt conclude(Shard& here, LocalContext& context, bool answered, OwnerTransaction& transaction);
  void undo(Shard& here, OwnerTransaction& transaction);
  void answer(Shard& here);
  void finish();
  void complete_if_idle();

  Shard& origin_;
  Request request_;
  unsigned owner_ = 0;
  PartitionId partition_ = kNoPartition;
  Oid directory_ = 0;              ///< which just said so: the first attempt need not ask again
  Arena arena_;
  Value result_;
  Status status_, cancelled_;
  Lsn commit_;
  std::uint64_t floor_ = 0;
  std::string redo_;
  ReadSet reads_;                  ///< of the last attempt, in a SERIALIZABLE transaction
  std::vector<ErrorRecord> notices_;
  TxnDescriptor* descriptor_ = nullptr;              ///< of the block
  Lsn snapshot_;
  Isolation isolation_ = Isolation::kReadCommitted;
  std::uint32_t command_ = 0;
  bool finished_ = false;
  bool only_now_ = false;                            ///< gives up instead of waiting
  Shard* here_ = nullptr;                            ///< where it waits for its next turn
  bool answered_ = false;
  struct CancelMessage final : Message {
    LocalRun* run = nullptr;                         ///< null unless under way
    Status why;
    void deliver(Shard& here) override;
  };
  CancelMessage cancel_;
};

/// Resolves a procedure's tables under the shard's catalog; kept until the catalog changes.
Result<const void*> bind_procedure(Shard& shard, const ProcedureDefinition& procedure, Oid schema, std::shared_ptr<const TableDef>* key_table);

/// Runs a global procedure in `transaction`, whose statement has begun.
Task<Status> run_global(Shard& shard, Transaction& transaction, const ProcedureDefinition& procedure, Oid schema,
                        std::span<const Value> args, std::int64_t now, Arena& arena, std::vector<ErrorRecord>* notices, Value* result);

/// A result's bytes, copied where they outlive the run.
Value copy_value(Arena& arena, Oid type, const Value& value);

}  // namespace wandian
