#include "engine/prepared.h"

#include <algorithm>
#include <coroutine>
#include <utility>

#include "engine/redo.h"
#include "engine/shard.h"
#include "engine/shard_state.h"
#include "engine/transaction.h"

namespace wandian {

namespace {

std::string quoted(const std::string& gid) { return "\"" + gid + "\""; }

Status unknown(const std::string& gid) {
  return Status{sqlstate::undefined_object, "prepared transaction with identifier " + quoted(gid) + " does not exist"};
}

/// Has a transaction finished on its own shard, and comes back with what became of it.
struct FinishPrepared final : Message, Runnable {
  Transaction* transaction = nullptr;
  std::string_view gid;
  bool commit = false;
  Shard* origin = nullptr;
  Status status;
  Task<void> work;
  std::coroutine_handle<> waiting;

  void deliver(Shard& here) override {
    if (&here == origin) {
      here.post(*this);
      return;
    }
    work = at_home(here);
    work.start();
  }
  void run() override { waiting.resume(); }
  Task<void> at_home(Shard& here) {
    status = co_await transaction->finish_prepared(gid, commit);
    here.send(origin->index(), *this);
  }
};

/// A change of one row that the log holds.
class ApplyDelta final : public RowTransform {
 public:
  ApplyDelta(const TableDef& table, const redo::Operation& operation) : table_(table), operation_(operation) {}
  Verdict apply(const RowView& newest, bool, Arena& arena, std::string_view* out, Status* error) override {
    if (operation_.kind == RedoKind::kDelete) return Verdict::kDelete;
    const RowLayout& layout = table_.layouts->newest();
    std::vector<Value> values(layout.columns());
    table_.layouts->read_all(newest.layout, newest.row, values);
    std::string old_row(layout.encoded_size(values), '\0');
    layout.encode(values, old_row.data());
    std::string row;
    if (operation_.layout != table_.layout || !layout.apply_delta(old_row.data(), operation_.data, row) || !layout.valid(row)) {
      *error = Status{sqlstate::data_corrupted, "malformed change of a prepared transaction in the log"};
      return Verdict::kError;
    }
    *out = arena.copy(row);
    return Verdict::kUpdate;
  }

 private:
  const TableDef& table_;
  const redo::Operation& operation_;
};

Task<Status> redo_one(Transaction& transaction, const redo::Operation& operation) {
  std::shared_ptr<const TableDef> table = transaction.catalog()->table(operation.table);
  if (table == nullptr) co_return Status{sqlstate::data_corrupted, "a prepared transaction names an unknown table"};
  const bool locks = operation.kind == RedoKind::kLockRow;
  const TableLock mode = operation.kind == RedoKind::kLockTable ? static_cast<TableLock>(operation.mode)
                         : locks                                ? TableLock::kRowShare
                                                                : TableLock::kRowExclusive;
  Status status = co_await transaction.lock_table(table, mode, LockWait::kBlock);
  if (!status.ok() || operation.kind == RedoKind::kLockTable) co_return std::move(status);
  transaction.next_command();
  ApplyDelta transform(*table, operation);
  RowBatch batch;
  RowOp& op = batch.ops.emplace_back();
  op.table = &table;
  op.partition = operation.partition;
  op.key = operation.key;
  op.kind = locks ? RowOp::Kind::kLock : operation.kind == RedoKind::kInsert ? RowOp::Kind::kInsert : RowOp::Kind::kModify;
  op.lock = locks ? static_cast<RowLock>(operation.mode) : RowLock::kUpdate;
  op.transform = &transform;
  KeyBuffer key;
  std::string row;
  if (operation.kind == RedoKind::kInsert) {
    const RowLayout& layout = table->layouts->newest();
    std::vector<Value> values(layout.columns());
    if (operation.layout >= table->layouts->size() || !table->layouts->layout(operation.layout).valid(operation.data))
      co_return Status{sqlstate::data_corrupted, "malformed row of a prepared transaction in the log"};
    table->layouts->read_all(operation.layout, operation.data.data(), values);
    row.resize(layout.encoded_size(values));
    layout.encode(values, row.data());
    table->codecs[0].encode_from_row(layout, row.data(), table->codec_columns[0], key);
    op.key = key;
    op.row = row;
  }
  RowBatch* pointer = &batch;
  status = co_await transaction.write(std::span(&pointer, 1));
  if (!status.ok()) co_return std::move(status);
  const RowOutcome outcome = batch.ops.front().outcome;
  const bool done = outcome == RowOutcome::kInserted || outcome == RowOutcome::kUpdated || outcome == RowOutcome::kDeleted ||
                    outcome == RowOutcome::kLocked || (locks && outcome == RowOutcome::kAbsent);   // its own delete has the lock
  co_return done ? Status{} : Status{sqlstate::data_corrupted, "a prepared transaction cannot be written anew"};
}

Task<Status> redo_all(Transaction& transaction, std::string_view operations, std::string_view locks) {
  while (!transaction.begin_statement()) co_await transaction.shard().next_turn();
  Status status;
  // Its locks on rows first: what it wrote has them already.
  for (std::string_view rest : {operations, locks})
    while (status.ok() && !rest.empty()) {
      redo::Operation operation;
      status = redo::read_operation(&rest, &operation);
      if (status.ok()) status = co_await redo_one(transaction, operation);
    }
  transaction.end_statement();
  co_return std::move(status);
}

}  // namespace

PreparedTransactions::PreparedTransactions() = default;

PreparedTransactions::~PreparedTransactions() {
  for (auto& [gid, entry] : entries_)
    if (entry.transaction != nullptr) entry.transaction->abandon();
}

Status PreparedTransactions::reserve(const PreparedTransactionInfo& info, unsigned limit) {
  const std::lock_guard guard(mutex_);
  if (entries_.contains(info.gid))
    return Status{sqlstate::duplicate_object, "transaction identifier " + quoted(info.gid) + " is already in use"};
  if (entries_.size() >= limit)
    return Status{sqlstate::out_of_memory, "maximum number of prepared transactions reached"}.with_hint(
        "Increase max_prepared_transactions (currently " + std::to_string(limit) + ").");
  entries_[info.gid].info = info;
  return {};
}

void PreparedTransactions::forget(const std::string& gid) {
  const std::lock_guard guard(mutex_);
  entries_.erase(gid);
}

void PreparedTransactions::keep(const std::string& gid, std::unique_ptr<Transaction> transaction) {
  const std::lock_guard guard(mutex_);
  entries_[gid].transaction = std::move(transaction);
}

std::vector<PreparedTransactionInfo> PreparedTransactions::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<PreparedTransactionInfo> out;
  for (const auto& [gid, entry] : entries_)
    if (entry.transaction != nullptr) out.push_back(entry.info);
  return out;
}

Task<Status> PreparedTransactions::finish(Shard& here, std::string gid, Oid database, Oid role, bool commit, std::uint64_t* floor) {
  Transaction* transaction = nullptr;
  {
    const std::lock_guard guard(mutex_);
    const auto found = entries_.find(gid);
    if (found == entries_.end() || found->second.transaction == nullptr) co_return unknown(gid);
    Entry& entry = found->second;
    if (entry.busy) co_return Status{sqlstate::object_not_in_prerequisite_state, "prepared transaction with identifier " + quoted(gid) + " is busy"};
    if (role != 0 && role != entry.info.owner)
      co_return Status{sqlstate::insufficient_privilege, "permission denied to finish prepared transaction"}.with_hint(
          "Must be superuser or the user that prepared the transaction.");
    if (database != entry.info.database)
      co_return Status{sqlstate::feature_not_supported, "prepared transaction belongs to another database"}.with_hint(
          "Connect to the database where the transaction was prepared to finish it.");
    entry.busy = true;
    transaction = entry.transaction.get();
  }
  Status status;
  if (&transaction->shard() == &here) {
    status = co_await transaction->finish_prepared(gid, commit);
  } else {
    FinishPrepared message;
    message.transaction = transaction;
    message.gid = gid;
    message.commit = commit;
    message.origin = &here;
    struct Awaiter {
      FinishPrepared& message;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) const {
        message.waiting = handle;
        message.origin->send(message.transaction->shard().index(), message);
      }
      void await_resume() const {}
    };
    co_await Awaiter{message};
    status = std::move(message.status);
  }
  const std::lock_guard guard(mutex_);
  Entry& entry = entries_[gid];
  entry.busy = false;
  if (!status.ok()) co_return std::move(status);
  *floor = entry.transaction->answer_floor();
  entries_.erase(gid);
  co_return Status{};
}

void PreparedTransactions::recovered(PreparedTransactionInfo info, std::string_view operations, std::string_view locks) {
  Entry& entry = entries_[info.gid];
  entry.info = std::move(info);
  entry.operations = operations;
  entry.locks = locks;
}

void PreparedTransactions::recovered_end(const std::string& gid) { entries_.erase(gid); }

Status PreparedTransactions::reinstate(Database& database) {
  for (auto& [gid, entry] : entries_) {
    entry.transaction = std::make_unique<Transaction>(database.shard(0));
    Transaction& transaction = *entry.transaction;
    transaction.set_session(0, entry.info.database);
    transaction.begin(Isolation::kReadCommitted, false);
    entry.info.transaction = transaction.id();
    Task<Status> work = redo_all(transaction, entry.operations, entry.locks);
    bool started = false;
    while (!work.valid() || !work.done()) {
      for (unsigned i = 0; i < database.shards(); ++i) {
        Shard& shard = database.shard(i);
        shard.begin_turn();
        if (i == 0 && !std::exchange(started, true)) work.start();
        shard.step();
        shard.end_turn();
      }
    }
    if (Status status = work.result(); !status.ok()) return status;
    entry.operations.clear();
    entry.locks.clear();
  }
  return {};
}

}  // namespace wandian
