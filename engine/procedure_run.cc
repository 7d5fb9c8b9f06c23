#include "engine/procedure_run.h"

#include <algorithm>
#include <exception>

#include "engine/placement.h"
#include "engine/redo.h"
#include "engine/shard_state.h"
#include "engine/transaction_wait.h"

namespace wandian {

namespace {

constexpr std::uint32_t kMaxRows = 20'000;               ///< one local call may look at
constexpr std::int64_t kMaxRunUs = 5'000;
constexpr std::size_t kAdmissionBytes = 64 * 1024;       ///< asked for before a call starts; most need a hundredth
constexpr std::size_t kMaxPayload = kMaxRecordBytes - sizeof(RecordHeader) - 64;

}  // namespace

Value copy_value(Arena& arena, Oid type, const Value& value) {
  const TypeInfo* info = find_type(type);
  if (value.is_null || info == nullptr || (info->rep != Rep::kBytes && info->rep != Rep::kFixed16)) return value;
  return Value::of_bytes(arena.copy(value.bytes()));
}

// The partition of a key's first column alone, where that says it: by hash, or in the directory.
static PartitionId partition_of_key(const PlacementMap& map, const TableDef& table, const Value& value) {
  const Placement& placement = table.placement;
  if (value.is_null || !table.codecs[0].fits(0, value)) return kNoPartition;
  if (placement.kind == PlacementKind::kShard) {
    if (placement.columns.size() != 1 || placement.columns[0] != table.codec_columns[0][0]) return kNoPartition;
    std::vector<const Value*> known(table.columns.size(), nullptr);
    known[placement.columns[0]] = &value;
    return place_lookup(map, table, known);
  }
  KeyBuffer key;
  table.codecs[0].encode(std::span(&value, 1), key);
  if (placement.kind == PlacementKind::kDirectory) return map.find(table.oid, key);
  return placement.kind == PlacementKind::kKey && table.codecs[0].columns() == 1 ? hash_partition(key) : kNoPartition;
}

Result<const void*> bind_procedure(Shard& shard, const ProcedureDefinition& procedure, Oid schema, std::shared_ptr<const TableDef>* key_table) {
  Shard::State& state = shard.state();
  const std::shared_ptr<const Catalog>& catalog = shard.catalog();
  Shard::State::BoundProcedure* found =
      state.last_procedure == &procedure ? state.last_bound : &state.bound_procedures[&procedure];
  state.last_procedure = &procedure;
  state.last_bound = found;
  if (found->catalog_version != catalog->version || found->schema != schema || found->bound == nullptr) [[unlikely]] {
    ProcedureBinder binder(catalog, schema);
    std::shared_ptr<const void> bound;
    try {
      bound = procedure.bind(binder);
    } catch (const std::exception& e) {
      return Status{sqlstate::external_routine_exception, std::string("procedure could not be bound: ") + e.what()};
    }
    if (!binder.ok()) return binder.take_status();
    found->key_table = nullptr;
    if (procedure.local != nullptr) {
      found->key_table = binder.table(procedure.key_table).shared();
      if (!binder.ok()) return binder.take_status();
      if (!is_integer_type(found->key_table->columns[found->key_table->codec_columns[0][0]].type))
        return Status{sqlstate::datatype_mismatch, "the key of table \"" + found->key_table->name + "\" is not an integer, as procedures want it"};
    }
    found->schema = schema;
    found->bound = std::move(bound);
    found->catalog_version = catalog->version;
  }
  if (key_table != nullptr) *key_table = found->key_table;
  return static_cast<const void*>(found->bound.get());
}

// --- the session's side ------------------------------------------------------------------------------------------

void LocalRun::reset() {
  request_ = {};
  partition_ = kNoPartition;
  directory_ = 0;
  arena_.reset();
  status_ = {};
  cancelled_ = {};
  commit_ = {};
  floor_ = 0;
  redo_.clear();
  reads_ = {};
  notices_.clear();
  descriptor_ = nullptr;
  finished_ = answered_ = only_now_ = false;
  ready = resumed = false;
  waiting_on = nullptr;
}

// Finds the key's owner. False: finished with an error.
bool LocalRun::prepare(const Request& request) {
  request_ = request;
  std::shared_ptr<const TableDef> key_table;
  const Result<const void*> bound = bind_procedure(origin_, *request.procedure, request.schema, &key_table);
  if (!bound.ok()) {
    status_ = bound.status().clone();
    finished_ = true;
    return false;
  }
  // The key's place. A key that its directory does not know has none: the procedure runs here and finds no row of it.
  owner_ = origin_.index();
  partition_ = partition_of_key(origin_.database().placement(), *key_table, request.args[request.procedure->key_argument]);
  if (partition_ != kNoPartition) owner_ = origin_.database().owner_of(partition_);
  if (partition_ != kNoPartition && owner_ == origin_.index() && key_table->placement.kind == PlacementKind::kDirectory) directory_ = key_table->oid;
  return true;
}

bool LocalRun::try_now(const Request& request) {
  if (!prepare(request)) return true;
  if (owner_ != origin_.index() || request.transaction != nullptr) {
    reset();
    return false;
  }
  only_now_ = true;
  for (int tries = 0; tries < 4; ++tries) {
    const Attempt done = attempt(origin_);
    if (done == Attempt::kAgain) continue;
    if (done != Attempt::kDone) break;
    finish();
    return true;
  }
  reset();
  return false;
}

bool LocalRun::start(const Request& request) {
  if (!prepare(request)) return true;
  if (Transaction* transaction = request.transaction) {
    descriptor_ = &transaction->ensure_descriptor();
    descriptor_->owners |= std::uint64_t{1} << owner_;
    snapshot_ = transaction->view_.snapshot;
    isolation_ = transaction->isolation_;
    command_ = transaction->view_.command;
    transaction->waiting_->deadlock.arm();
  }
  if (owner_ != origin_.index()) {
    origin_.state().mailbox.send(owner_, *this);
    return false;
  }
  if (!run_at(origin_)) return false;
  finish();
  return true;
}

void LocalRun::finish() {
  finished_ = true;
  if (Transaction* transaction = request_.transaction) {
    transaction->redo_ += redo_;
    transaction->view_.raise_floor(floor_);
    if (transaction->reads_ != nullptr) transaction->reads_->add_all(reads_);
    transaction->waiting_->deadlock.disarm();
  }
}

void LocalRun::deliver(Shard& here) {
  if (&here == &origin_ && owner_ != here.index()) {
    answered_ = true;
    complete_if_idle();
    return;
  }
  if (run_at(here)) answer(here);
}

// The answer and a cancellation's acknowledgement may come in either order; the session hears when both are here.
void LocalRun::complete_if_idle() {
  if (!answered_ || cancel_.run != nullptr) return;
  finish();
  request_.done(request_.context);
}

void LocalRun::answer(Shard& here) {
  if (&here == &origin_) {
    finish();
    request_.done(request_.context);
  } else {
    here.state().mailbox.send(origin_.index(), *this);
  }
}

void LocalRun::retry(Shard& here) {
  if (run_at(here)) answer(here);
}

void LocalRun::run() {
  Shard& here = *here_;
  here_ = nullptr;
  if (run_at(here)) answer(here);
}

void LocalRun::CancelMessage::deliver(Shard& here) {
  if (&here == &run->origin_) {
    LocalRun* cancelled = std::exchange(run, nullptr);
    cancelled->complete_if_idle();
    return;
  }
  run->cancelled_ = std::move(why);
  here.state().owner.unpark(*run);
  here.state().mailbox.send(run->origin_.index(), *this);
}

void LocalRun::cancel(Status why) {
  if (finished_ || cancel_.run != nullptr) return;
  if (owner_ == origin_.index()) {
    cancelled_ = std::move(why);
    origin_.state().owner.unpark(*this);
    return;
  }
  cancel_.run = this;
  cancel_.why = std::move(why);
  origin_.state().mailbox.send(owner_, cancel_);
}

// --- the owner's side --------------------------------------------------------------------------------------------

bool LocalRun::run_at(Shard& here) {
  for (int tries = 0; tries < 8; ++tries) {
    switch (attempt(here)) {
      case Attempt::kDone: return true;
      case Attempt::kAgain: continue;
      case Attempt::kParked: return false;
      case Attempt::kLater: tries = 8; break;
    }
  }
  here_ = &here;
  here.post_next_turn(*this);
  return false;
}

LocalRun::Attempt LocalRun::attempt(Shard& here) {
  if (!cancelled_.ok()) {
    status_ = std::move(cancelled_);
    return Attempt::kDone;
  }
  const Result<const void*> bound = bind_procedure(here, *request_.procedure, request_.schema, nullptr);
  if (!bound.ok()) {
    status_ = bound.status().clone();
    return Attempt::kDone;
  }
  Owner& owner = here.state().owner;
  const bool block = request_.transaction != nullptr;
  LocalContext context;
  // Not older than what was stamped here last, nor than what the session has seen.
  if (!block || isolation_ == Isolation::kReadCommitted) {
    if (!here.take_snapshot(Lsn{std::max(owner.last_commit(), request_.need.bytes)}, &context.view_.snapshot)) return Attempt::kLater;
  } else {
    context.view_.snapshot = snapshot_;
  }
  if (!block) {
    switch (here.log().admit(kAdmissionBytes)) {
      case Log::Admission::kAdmitted: break;
      case Log::Admission::kWait: here.demand(here.log().tail()); return Attempt::kLater;
      case Log::Admission::kDiskFull: status_ = log_disk_full(); return Attempt::kDone;
    }
  }
  TxnDescriptor* descriptor = descriptor_;
  if (!block) descriptor = here.state().allocate_descriptor(here.index(), here.state().new_transaction_id(here.index()), 0);
  OwnerTransaction& transaction = owner.transaction(*descriptor);
  context.shard_ = &here;
  context.owner_ = &owner;
  context.transaction_ = &transaction;
  context.descriptor_ = descriptor;
  context.partition_ = partition_;
  if (const Oid directory = std::exchange(directory_, 0); directory != 0) {
    context.last_directory_ = directory;
    context.last_placed_ = request_.args[request_.procedure->key_argument].i;
  }
  context.in_block_ = block;
  context.command_ = block ? command_ : 1;
  context.view_.own = descriptor;
  context.view_.command = context.command_ + 1;
  if (block && isolation_ == Isolation::kSerializable) {
    reads_ = {};
    context.view_.reads = &reads_;
  }
  context.now_ = request_.now;
  context.arena_ = &arena_;
  context.redo_ = &here.state().procedure_redo;
  context.redo_->clear();
  context.notices_ = &notices_;
  notices_.clear();
  context.rows_left_ = kMaxRows;
  context.deadline_us_ = here.database().env().clock().monotonic_us() + kMaxRunUs;
  bool answered = false;
  Value result;
  try {
    answered = request_.procedure->local(context, bound.value(), request_.args, &result);
  } catch (const std::bad_alloc&) {
    context.fail(Status{sqlstate::out_of_memory, "out of memory"});
  } catch (const std::exception& e) {
    context.fail(Status{sqlstate::external_routine_exception, e.what()});
  } catch (...) {
    context.fail(Status{sqlstate::external_routine_exception, "the procedure threw something that is not an exception"});
  }
  result_ = result;
  return conclude(here, context, answered, transaction);
}

void LocalRun::undo(Shard& here, OwnerTransaction& transaction) {
  Owner& owner = here.state().owner;
  TxnDescriptor& descriptor = *transaction.descriptor;
  if (request_.transaction != nullptr) {
    owner.undo(descriptor, command_);
    return;
  }
  const bool seen = !transaction.writes.empty();
  descriptor.state.store(TxnDescriptor::kAborted, std::memory_order_release);
  owner.finish(descriptor, nullptr);
  here.state().release_descriptor(here, &descriptor, seen);
}

LocalRun::Attempt LocalRun::conclude(Shard& here, LocalContext& context, bool answered, OwnerTransaction& transaction) {
  using Outcome = LocalContext::Outcome;
  Owner& owner = here.state().owner;
  const bool block = request_.transaction != nullptr;
  floor_ = std::max(floor_, context.view_.floor);
  if (!answered && context.outcome_ == Outcome::kRunning)
    context.fail(Status{sqlstate::external_routine_exception, "the procedure answered false without an error"});
  if (context.outcome_ == Outcome::kRunning && !block && context.redo_->size() > kMaxPayload)
    context.fail(Status{sqlstate::program_limit_exceeded, "local procedure wrote more than one log record holds"});
  switch (context.outcome_) {
    case Outcome::kFailed:
      undo(here, transaction);
      status_ = std::move(context.status_);
      return Attempt::kDone;
    case Outcome::kOvertaken:
      undo(here, transaction);
      if (block && isolation_ != Isolation::kReadCommitted) {
        status_ = Status{sqlstate::serialization_failure, "could not serialize access due to concurrent update"};
        return Attempt::kDone;
      }
      return Attempt::kAgain;
    case Outcome::kBlocked:
      undo(here, transaction);
      if (only_now_) return Attempt::kLater;
      if (context.blocked_mark_ != nullptr) {
        owner.park_at_mark(*this, *context.blocked_mark_);
        return Attempt::kParked;
      }
      waiting_transaction = block ? descriptor_ : nullptr;
      if (block) descriptor_->waits.fetch_add(1, std::memory_order_relaxed);
      owner.park(*this, *context.blocked_row_, *context.blocked_partition_, context.blocked_mode_);
      return Attempt::kParked;
    case Outcome::kRunning:
      break;
  }
  resumed = false;
  if (block) {
    redo_ = *context.redo_;
    return Attempt::kDone;
  }
  TxnDescriptor& descriptor = *transaction.descriptor;
  if (transaction.writes.empty()) {
    owner.finish(descriptor, nullptr);
    here.state().release_descriptor(here, &descriptor, false);
    return Attempt::kDone;
  }
  RecordBuffer& record = here.state().record;
  record.clear();
  const std::int64_t now = here.wall_us();
  record.append(&now, sizeof now);
  record.append(context.redo_->data(), context.redo_->size());
  record.seal(RecordKind::kCommit, descriptor.transaction_id, 0);
  if (record.total_bytes() > kAdmissionBytes && here.log().admit(record.total_bytes()) != Log::Admission::kAdmitted) {
    undo(here, transaction);
    here.demand(here.log().tail());
    return Attempt::kLater;
  }
  const Lsn commit = here.log().commit(here.index(), record, [&](Lsn lsn) { descriptor.state.store(lsn.bytes, std::memory_order_release); });
  commit_ = commit;
  floor_ = std::max(floor_, commit.bytes);
  owner.finish(descriptor, &commit);
  here.state().release_descriptor(here, &descriptor, true);
  here.demand(commit);
  return Attempt::kDone;
}

// --- global procedures -------------------------------------------------------------------------------------------

namespace {

class ApplyChanges final : public RowTransform {
 public:
  ApplyChanges(const TableDef& table, std::span<const ColumnChange> changes) : table_(table), changes_(changes) {}
  Verdict apply(const RowView& newest, bool, Arena& arena, std::string_view* out, Status* error) override {
    const RowLayout& layout = table_.layouts->newest();
    std::vector<Value> values(layout.columns());
    table_.layouts->read_all(newest.layout, newest.row, values);
    for (const ColumnChange& change : changes_) values[change.column] = change.value;
    const std::size_t size = layout.encoded_size(values);
    char* bytes = arena.allocate_bytes(size);
    layout.encode(values, bytes);
    if (table_.row_checks != nullptr) {
      Status status = table_.row_checks->check(table_, bytes);
      if (!status.ok()) {
        *error = std::move(status);
        return Verdict::kError;
      }
    }
    *out = {bytes, size};
    return Verdict::kUpdate;
  }

 private:
  const TableDef& table_;
  std::span<const ColumnChange> changes_;
};

}  // namespace

void GlobalContext::notice(std::string message) {
  ErrorRecord record;
  record.severity = Severity::kNotice;
  record.message = std::move(message);
  notices_->push_back(std::move(record));
}

Result<PartitionId> GlobalContext::place(const TableDef& table, std::span<const Value> key_values) {
  std::vector<const Value*> known(table.columns.size(), nullptr);
  for (std::size_t i = 0; i < key_values.size() && i < table.codec_columns[0].size(); ++i) known[table.codec_columns[0][i]] = &key_values[i];
  return place_lookup(transaction_->shard().database().placement(), table, known);
}

Task<Status> GlobalContext::lock_row(const ProcedureTable& table, ProcedureKey key, RowLock mode, std::vector<Value>* values) {
  values->clear();
  const std::span<const Value> key_values = key.values();
  const Result<PartitionId> partition = place(table.def(), key_values);
  if (!partition.ok()) co_return partition.status().clone();
  if (partition.value() == kNoPartition) co_return Status{};
  KeyBuffer encoded;
  table.def().codecs[0].encode(key_values, encoded);
  RowBatch batch;
  RowOp op;
  op.kind = RowOp::Kind::kLock;
  op.lock = mode;
  op.want_old = true;
  op.partition = partition.value();
  std::shared_ptr<const TableDef> def = table.shared();
  op.table = &def;
  op.key = encoded;
  batch.ops.push_back(std::move(op));
  RowBatch* pointer = &batch;
  Status status = co_await transaction_->write(std::span(&pointer, 1));
  if (!status.ok()) co_return std::move(status);
  RowOp& done = batch.ops.front();
  if (done.outcome != RowOutcome::kLocked || done.old_row.empty()) co_return Status{};
  const char* row = arena_->copy(done.old_row).data();
  values->resize(table.def().layouts->newest().columns());
  table.def().layouts->read_all(done.old_layout, row, *values);
  co_return Status{};
}

Task<Status> GlobalContext::update(const ProcedureTable& table, ProcedureKey key, std::span<const ColumnChange> changes) {
  const std::span<const Value> key_values = key.values();
  const Result<PartitionId> partition = place(table.def(), key_values);
  if (!partition.ok()) co_return partition.status().clone();
  KeyBuffer encoded;
  table.def().codecs[0].encode(key_values, encoded);
  ApplyChanges transform(table.def(), changes);
  RowBatch batch;
  RowOp op;
  op.kind = RowOp::Kind::kModify;
  op.lock = RowLock::kNoKeyUpdate;
  op.partition = partition.value();
  std::shared_ptr<const TableDef> def = table.shared();
  op.table = &def;
  op.key = encoded;
  op.transform = &transform;
  batch.ops.push_back(std::move(op));
  transaction_->next_command();
  RowBatch* pointer = &batch;
  Status status = co_await transaction_->write(std::span(&pointer, 1));
  if (!status.ok()) co_return std::move(status);
  if (batch.ops.front().outcome != RowOutcome::kUpdated)
    co_return Status{sqlstate::serialization_failure, "could not serialize access due to concurrent delete"};
  co_return Status{};
}

Task<Status> GlobalContext::insert(const ProcedureTable& table, std::span<const Value> values) {
  const TableDef& def = table.def();
  if (!table.takes(values.size())) co_return table.refuse_values();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i].is_null && def.columns[i].not_null)
      co_return Status{sqlstate::not_null_violation, "null value in column \"" + def.columns[i].name + "\" of relation \"" + def.name +
                                                         "\" violates not-null constraint"}
          .with_column(def.columns[i].name);
  for (const ProcedureTable::ForeignKey& foreign : table.foreign_keys_) {
    const ForeignKeyDef& key = *foreign.def;
    const TableDef& referenced = *foreign.referenced;
    if (foreign.columns.empty())
      co_return Status{sqlstate::feature_not_supported, "a procedure cannot check foreign key constraint \"" + key.name +
                                                            "\", which refers to other columns than the primary key's"};
    std::vector<Value> key_values;
    bool null = false;
    for (const std::uint16_t column : foreign.columns) {
      key_values.push_back(values[column]);
      null = null || values[column].is_null;
    }
    if (null) continue;
    const Result<PartitionId> place_of = place(referenced, key_values);
    if (!place_of.ok()) co_return place_of.status().clone();
    bool there = false;
    if (place_of.value() != kNoPartition) {
      KeyBuffer encoded;
      referenced.codecs[0].encode(key_values, encoded);
      RowBatch batch;
      RowOp op;
      op.kind = RowOp::Kind::kLock;
      op.lock = RowLock::kKeyShare;
      op.partition = place_of.value();
      std::shared_ptr<const TableDef> pointer_def = foreign.referenced;
      op.table = &pointer_def;
      op.key = encoded;
      batch.ops.push_back(std::move(op));
      RowBatch* pointer = &batch;
      Status status = co_await transaction_->write(std::span(&pointer, 1));
      if (!status.ok()) co_return std::move(status);
      there = batch.ops.front().outcome == RowOutcome::kLocked;
    }
    if (!there)
      co_return Status{sqlstate::foreign_key_violation,
                       "insert or update on table \"" + def.name + "\" violates foreign key constraint \"" + key.name + "\""}
          .with_table("public", def.name)
          .with_constraint(key.name);
  }
  const RowLayout& layout = def.layouts->newest();
  std::string row(layout.encoded_size(values), '\0');
  layout.encode(values, row.data());
  if (def.row_checks != nullptr) {
    Status status = def.row_checks->check(def, row.data());
    if (!status.ok()) co_return std::move(status);
  }
  const Result<PartitionId> partition =
      place_row(transaction_->shard().database().placement(), def, *transaction_->catalog(), values, true);
  if (!partition.ok()) co_return partition.status().clone();
  KeyBuffer encoded;
  def.codecs[0].encode_from_row(layout, row.data(), def.codec_columns[0], encoded);
  RowBatch batch;
  RowOp op;
  op.kind = RowOp::Kind::kInsert;
  op.lock = RowLock::kUpdate;
  op.partition = partition.value();
  std::shared_ptr<const TableDef> shared = table.shared();
  op.table = &shared;
  op.key = encoded;
  op.row = row;
  batch.ops.push_back(std::move(op));
  transaction_->next_command();
  RowBatch* pointer = &batch;
  Status status = co_await transaction_->write(std::span(&pointer, 1));
  if (!status.ok()) co_return std::move(status);
  RowOp& done = batch.ops.front();
  if (done.outcome == RowOutcome::kConflict)
    co_return Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"" +
                                                     def.indexes[static_cast<std::size_t>(done.conflict_index)].name + "\""}
        .with_constraint(def.indexes[static_cast<std::size_t>(done.conflict_index)].name);
  co_return Status{};
}

Task<Status> GlobalContext::call(const ProcedureDefinition& procedure, std::span<const Value> args, Value* result) {
  Shard& shard = transaction_->shard();
  transaction_->next_command();
  LocalRun run(shard);
  // The caller's may be temporaries: g++ 12 does not keep all of them across a suspension.
  const std::span<Value> kept(arena_->allocate_array<Value>(args.size()), args.size());
  for (std::size_t i = 0; i < args.size(); ++i) kept[i] = copy_value(*arena_, procedure.arguments[i], args[i]);
  LocalRun::Request request;
  request.procedure = &procedure;
  request.schema = schema_;
  request.args = kept;
  request.transaction = transaction_;
  request.now = now_;
  request.need = Lsn{std::max(transaction_->answer_floor(), transaction_->view().floor)};
  request.context = transaction_;
  request.done = [](void* context) {
    auto* transaction = static_cast<Transaction*>(context);
    --transaction->pending_;
    transaction->waiting_->resume_if_idle();
  };
  if (!run.start(request)) {
    ++transaction_->pending_;
    co_await transaction_->wait_for_requests();
  }
  for (ErrorRecord& notice : run.notices()) notices_->push_back(std::move(notice));
  *result = copy_value(*arena_, procedure.result, run.result());
  co_return run.take_status();
}

Task<Status> run_global(Shard& shard, Transaction& transaction, const ProcedureDefinition& procedure, Oid schema,
                        std::span<const Value> args, std::int64_t now, Arena& arena, std::vector<ErrorRecord>* notices, Value* result) {
  const Result<const void*> bound = bind_procedure(shard, procedure, schema, nullptr);
  if (!bound.ok()) co_return bound.status().clone();
  // Kept alive over the call: a catalog that changes meanwhile binds anew for others.
  const std::shared_ptr<const void> keep = shard.state().bound_procedures[&procedure].bound;
  GlobalContext context;
  context.transaction_ = &transaction;
  context.arena_ = &arena;
  context.now_ = now;
  context.notices_ = notices;
  context.schema_ = schema;
  Status status;
  try {
    status = co_await procedure.global(context, keep.get(), args, result);
  } catch (const std::bad_alloc&) {
    status = Status{sqlstate::out_of_memory, "out of memory"};
  } catch (const std::exception& e) {
    status = Status{sqlstate::external_routine_exception, e.what()};
  }
  co_return std::move(status);
}

}  // namespace wandian
