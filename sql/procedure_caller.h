// ProcedureCaller: how a session runs a native procedure, whoever keeps the loaded modules.
// Thread:  the session's shard.
// Errors:  what the procedure raised; 38000 if it threw; 57014 when cancelled.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/shard_loop.h"
#include "engine/transaction.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// One call under way.
class RunningProcedure {
 public:
  /// Not before it is done, unless the transaction was rolled back with nothing outstanding.
  virtual ~RunningProcedure() = default;
  /// True: done, take the outcome. False: `ready` (given to start) is posted when it is worth asking again.
  virtual bool done() = 0;
  virtual Status take_status() = 0;
  /// The result; its bytes live as long as this object.
  virtual Value result() const = 0;
  /// Notices that the procedure raised, in order.
  virtual std::span<const ErrorRecord> notices() const { return {}; }
  virtual void cancel(Status why) = 0;
};

struct ProcedureRequest {
  std::uint32_t procedure = 0;         ///< ProcedureSignature::id
  std::span<const Value> args;         ///< of the declared types; copied
  Shard* shard = nullptr;
  Transaction* transaction = nullptr;  ///< active; no statement begun
  bool autocommit = false;             ///< the transaction will be committed right after: a local procedure may commit by itself
  std::int64_t statement_timestamp = 0;
  std::int64_t transaction_timestamp = 0;
  Runnable* ready = nullptr;
};

class ProcedureCaller {
 public:
  virtual ~ProcedureCaller() = default;
  /// The whole call at once, if its key is owned by this shard and nothing has to wait: no allocation when warm. False: nothing
  /// was done, use start(). The result's bytes live in `arena`. On an error *status is set; the transaction must be undone.
  virtual bool run_now(const ProcedureRequest& request, Arena& arena, Value* result, std::vector<ErrorRecord>* notices,
                       Status* status) = 0;
  virtual std::unique_ptr<RunningProcedure> start(const ProcedureRequest& request) = 0;
};

}  // namespace wandian::sql
