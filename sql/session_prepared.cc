// PREPARE TRANSACTION, COMMIT PREPARED and ROLLBACK PREPARED (engine/prepared.h).
#include "engine/prepared.h"
#include "sql/session_impl.h"
#include "sql/session_notify.h"
#include "sql/session_wait.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMostGidBytes = 199;   // GIDSIZE - 1

Status cannot_prepare(std::string_view why) {
  return Status{sqlstate::feature_not_supported, "cannot PREPARE a transaction that has " + std::string(why)};
}

}  // namespace

Status SessionImpl::check_preparable(const std::string& gid) {
  if (has_cursors_to_hold()) return cannot_prepare("created a cursor WITH HOLD");
  if (!exported_snapshots_.empty()) return cannot_prepare("exported snapshots");
  if (gid.size() > kMostGidBytes)
    return Status{sqlstate::invalid_parameter_value, "transaction identifier \"" + gid + "\" is too long"};
  if (most_prepared_transactions() == 0)
    return Status{sqlstate::object_not_in_prerequisite_state, "prepared transactions are disabled"}.with_hint(
        "Set max_prepared_transactions to a nonzero value.");
  if (notifications_ != nullptr && notifications_->pending()) return cannot_prepare("executed LISTEN, UNLISTEN, or NOTIFY");
  if (!transaction_advisory_.empty()) return cannot_prepare("taken advisory locks");
  return {};
}

unsigned SessionImpl::most_prepared_transactions() const {
  return static_cast<unsigned>(std::strtoul(settings_.value(*find_setting("max_prepared_transactions")).c_str(), nullptr, 10));
}

// As COMMIT: whatever comes of it, the block is over.
Task<Status> SessionImpl::prepare_transaction(std::string gid) {
  Status status = check_preparable(gid);
  if (status.ok()) status = ensure_transaction();
  PreparedTransactions& all = engine_database().prepared();
  PreparedTransactionInfo info;
  info.gid = gid;
  info.owner = current_role_;
  info.database = database_;
  info.prepared_at = clock_timestamp();
  if (status.ok()) {
    info.transaction = transaction_.id();
    status = all.reserve(info, most_prepared_transactions());
    if (status.ok()) {
      drop_portals(0, true);
      std::unique_ptr<Transaction> prepared;
      status = co_await settled(guarded(transaction_.prepare(info, &prepared)));
      if (status.ok()) all.keep(gid, std::move(prepared));
      else all.forget(gid);
    }
  }
  if (!status.ok()) {
    co_await rollback_transaction();
    co_return std::move(status);
  }
  forget_transaction(true);
  co_return Status{};
}

Task<Status> SessionImpl::finish_prepared(std::string gid, bool commit) {
  std::uint64_t floor = 0;
  Status status = co_await settled(
      guarded(engine_database().prepared().finish(shard_, std::move(gid), database_, superuser_ ? 0 : current_role_, commit, &floor)));
  transaction_.raise_answer_floor(floor);
  co_return std::move(status);
}

}  // namespace wandian::sql
