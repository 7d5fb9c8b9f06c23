// pg_export_snapshot() and SET TRANSACTION SNAPSHOT (engine/exported_snapshots.h).
#include "engine/exported_snapshots.h"
#include "sql/messages.h"
#include "sql/session_impl.h"

namespace wandian::sql {

static Status refused(const char* why) { return Status{sqlstate::feature_not_supported, why}; }

Result<std::string> SessionImpl::export_snapshot() {
  if (!savepoints_.empty()) return Status{sqlstate::active_sql_transaction, "cannot export a snapshot from a subtransaction"};
  const ExportedSnapshot snapshot{transaction_.view().snapshot, database_, isolation_, read_only_};
  exported_snapshots_.push_back(engine_database().exported_snapshots().add(shard_, snapshot, transaction_.id()));
  return exported_snapshots_.back();
}

Status SessionImpl::import_snapshot(const std::string& name) {
  if (queried_ || !savepoints_.empty() || transaction_.has_writes())
    return Status{sqlstate::active_sql_transaction, "SET TRANSACTION SNAPSHOT must be called before any query"};
  if (isolation_ == Isolation::kReadCommitted)
    return refused("a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ");
  ExportedSnapshots& all = engine_database().exported_snapshots();
  const std::optional<ExportedSnapshot> offered = all.find(name);
  if (!offered) return Status{sqlstate::invalid_parameter_value, "invalid snapshot identifier: " + quoted(name)};
  if (isolation_ == Isolation::kSerializable) {
    if (offered->isolation != Isolation::kSerializable)
      return refused("a serializable transaction cannot import a snapshot from a non-serializable transaction");
    if (offered->read_only && !read_only_)
      return refused("a non-read-only serializable transaction cannot import a snapshot from a read-only transaction");
  }
  if (offered->database != database_) return refused("cannot import a snapshot from a different database");
  WANDIAN_TRY(ensure_transaction());
  const std::optional<ExportedSnapshot> joined = all.join(name);
  if (!joined) return Status{sqlstate::invalid_parameter_value, "invalid snapshot identifier: " + quoted(name)};
  imported_snapshot_ = name;
  transaction_.use_snapshot(joined->snapshot);
  queried_ = true;
  return {};
}

void SessionImpl::release_snapshots() {
  ExportedSnapshots& all = engine_database().exported_snapshots();
  for (const std::string& name : exported_snapshots_) all.withdraw(name, shard_);
  exported_snapshots_.clear();
  if (!imported_snapshot_.empty()) all.release(imported_snapshot_, shard_);
  imported_snapshot_.clear();
}

}  // namespace wandian::sql
