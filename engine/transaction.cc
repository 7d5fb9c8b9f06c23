#include "engine/transaction.h"

#include <algorithm>

#include "engine/advisory_lock.h"
#include "engine/prepared.h"
#include "engine/redo.h"
#include "engine/sequence.h"
#include "engine/shard.h"
#include "engine/shard_state.h"
#include "engine/transaction_wait.h"

namespace wandian {

namespace {
// Payload of one record: what fits beside its header.
constexpr std::size_t kMaxPayload = kMaxRecordBytes - sizeof(RecordHeader) - 64;
}  // namespace

Transaction::Transaction(Shard& shard) : shard_(shard), waiting_(std::make_unique<Waiting>(*this)) {}

Transaction::~Transaction() {
  DB_ASSERT(!active_);
  waiting_->deadlock.disarm();
}

void Transaction::begin(Isolation isolation, bool read_only) {
  DB_ASSERT(!active_);
  active_ = true;
  isolation_ = isolation;
  read_only_ = read_only;
  has_snapshot_ = false;
  view_.own = nullptr;
  view_.command = last_command_ = 1;
  view_.floor = 0;
  if (isolation == Isolation::kSerializable && !read_only) reads_ = std::make_unique<ReadSet>();
  view_.reads = reads_.get();
}

const std::shared_ptr<const Catalog>& Transaction::catalog() {
  if (!overlays_.empty()) return overlays_.back();
  if (!in_statement_ || catalog_ == nullptr) {
    const std::shared_ptr<const Catalog>& published = shard_.catalog();
    if (catalog_ != published) catalog_ = published;
  }
  return catalog_;
}

void Transaction::register_view() {
  if (view_index_ != kNoView) return;
  std::vector<Transaction*>& views = shard_.state().views;
  view_index_ = views.size();
  views.push_back(this);
}

void Transaction::unregister_view() {
  if (view_index_ == kNoView) return;
  std::vector<Transaction*>& views = shard_.state().views;
  views[view_index_] = views.back();
  views[view_index_]->view_index_ = view_index_;
  views.pop_back();
  view_index_ = kNoView;
}

bool Transaction::begin_statement() {
  in_statement_ = false;
  const std::uint64_t catalog_lsn = catalog()->lsn.bytes;
  raise_answer_floor(catalog_lsn);
  if (!has_snapshot_ || isolation_ == Isolation::kReadCommitted) {
    Lsn snapshot;
    if (!shard_.take_snapshot(Lsn{answer_floor_}, &snapshot)) return false;
    view_.snapshot = snapshot;
    has_snapshot_ = true;
    register_view();
  }
  next_command();
  in_statement_ = true;
  return true;
}

void Transaction::end_statement() {
  raise_answer_floor(view_.floor);
  in_statement_ = false;
  if (isolation_ == Isolation::kReadCommitted) unregister_view();
}

bool Transaction::newest_view(ReadView* view) {
  *view = view_;
  view->reads = nullptr;
  return shard_.take_snapshot(Lsn{std::max(answer_floor_, view_.floor)}, &view->snapshot);
}

void Transaction::next_command() { view_.command = ++last_command_; }

Transaction::OpenStatement Transaction::set_statement_aside() {
  const OpenStatement statement{view_.snapshot, view_.command, in_statement_, view_index_ != kNoView};
  end_statement();
  return statement;
}

void Transaction::bring_statement_back(const OpenStatement& statement) {
  view_.snapshot = statement.snapshot;
  view_.command = statement.command;
  in_statement_ = statement.in_statement;
  if (statement.registered) register_view();
}

void Transaction::use_snapshot(Lsn snapshot) {
  DB_ASSERT(active_ && !has_snapshot_ && isolation_ != Isolation::kReadCommitted);
  view_.snapshot = snapshot;
  has_snapshot_ = true;
}

void Transaction::begin_statement_as(const ReadView& callers) {
  view_.snapshot = callers.snapshot;
  view_.command = callers.command;
  has_snapshot_ = true;
  register_view();
  in_statement_ = true;
}

std::uint64_t Transaction::id() {
  if (id_ == 0) id_ = shard_.state().new_transaction_id(shard_.index());
  return id_;
}

TxnDescriptor& Transaction::ensure_descriptor() {
  if (descriptor_ == nullptr) {
    descriptor_ = shard_.state().allocate_descriptor(shard_.index(), id(), process_id_);
    view_.own = descriptor_;
  }
  return *descriptor_;
}

unsigned Transaction::owner_of(PartitionId partition) const { return shard_.database().owner_of(partition); }
bool Transaction::owned_here(PartitionId partition) const { return owner_of(partition) == shard_.index(); }

// --- row operations ----------------------------------------------------------------------------------------------

bool Transaction::start(RowBatch& batch) {
  TxnDescriptor& descriptor = ensure_descriptor();
  Slot* slot = nullptr;
  for (const std::unique_ptr<Slot>& candidate : slots_)
    if (!candidate->outstanding && !candidate->cancelling) slot = candidate.get();
  if (slot == nullptr) {
    slots_.push_back(std::make_unique<Slot>());
    slot = slots_.back().get();
    slot->transaction = this;
    slot->request.origin = &shard_;
    slot->request.context = slot;
    slot->request.done = [](void* context, RowRequest&) {
      Slot& done = *static_cast<Slot*>(context);
      done.transaction->request_done(done);
    };
  }
  RowRequest& request = slot->request;
  request.batch = &batch;
  request.descriptor = &descriptor;
  request.owner = owner_of(batch.ops.front().partition);
  request.snapshot = view_.snapshot;
  request.isolation = isolation_;
  request.command = view_.command;
  request.waiting_on = nullptr;
  request.ready = request.resumed = false;
  request.cancelled = {};
  descriptor.owners |= std::uint64_t{1} << request.owner;
  if (request.owner == shard_.index()) {
    if (shard_.state().owner.run(request)) {
      view_.raise_floor(batch.floor);
      redo_ += batch.redo;
      return true;
    }
  } else {
    shard_.state().mailbox.send(request.owner, request);
  }
  slot->outstanding = true;
  ++pending_;
  waiting_->deadlock.arm();
  return false;
}

void Transaction::request_done(Slot& slot) {
  slot.outstanding = false;
  view_.raise_floor(slot.request.batch->floor);
  redo_ += slot.request.batch->redo;
  --pending_;
  waiting_->resume_if_idle();
}

bool Transaction::try_write(RowBatch& batch, Status* status) {
  *status = {};
  if (batch.ops.empty()) return true;
  if (!owned_here(batch.ops.front().partition)) return false;
  if (!start(batch)) return false;
  for (RowOp& op : batch.ops)
    if (op.outcome == RowOutcome::kError) {
      *status = op.error.clone();
      break;
    }
  return true;
}

Task<void> Transaction::wait_for_requests() {
  struct Awaiter {
    Transaction& transaction;
    bool await_ready() const { return transaction.pending_ == 0 && !transaction.waiting_->deadlock.running; }
    void await_suspend(std::coroutine_handle<> handle) const { transaction.waiting_->handle = handle; }
    void await_resume() const {}
  };
  while (pending_ != 0 || waiting_->deadlock.running) co_await Awaiter{*this};
  waiting_->deadlock.disarm();
}

Task<Status> Transaction::write(std::span<RowBatch*> batches) {
  for (RowBatch* batch : batches) {
    if (batch->ops.empty()) continue;
    bool under_way = batch->next != 0 && batch->next == batch->ops.size();
    for (const std::unique_ptr<Slot>& slot : slots_) under_way = under_way || (slot->outstanding && slot->request.batch == batch);
    if (!under_way) start(*batch);
  }
  co_await wait_for_requests();
  for (RowBatch* batch : batches)
    for (RowOp& op : batch->ops)
      if (op.outcome == RowOutcome::kError) co_return op.error.clone();
  co_return Status{};
}

// A message that this transaction had counted in pending_ is back.
void Transaction::answered(void* context) {
  auto* transaction = static_cast<Transaction*>(context);
  --transaction->pending_;
  transaction->waiting_->resume_if_idle();
}

void Transaction::cancel(Status why) {
  for (const std::unique_ptr<Slot>& owned : slots_) {
    Slot& slot = *owned;
    if (!slot.outstanding || slot.cancelling) continue;
    if (slot.request.owner == shard_.index()) {
      shard_.state().owner.cancel(slot.request, why.clone());
      continue;
    }
    slot.cancelling = true;
    ++pending_;
    slot.cancel.request = &slot.request;
    slot.cancel.origin = &shard_;
    slot.cancel.why = why.clone();
    slot.cancel.context = &slot;
    slot.cancel.done = [](void* context) {
      Slot& done = *static_cast<Slot*>(context);
      done.cancelling = false;
      answered(done.transaction);
    };
    shard_.state().mailbox.send(slot.request.owner, slot.cancel);
  }
  if (waiting_->table_lock != nullptr && waiting_->table_lock_cancelled.ok()) {
    waiting_->table_lock_cancelled = std::move(why);
    if (waiting_->table_lock_at == shard_.index()) {
      TableLockRequest& request = *waiting_->table_lock;
      if (shard_.state().table_locks.cancel(request, shard_)) request.done(request.context, request);
    } else {
      auto* message = new TableLockCancel();
      message->request = waiting_->table_lock;
      message->origin = &shard_;
      message->context = this;
      message->done = answered;
      ++pending_;
      shard_.state().mailbox.send(waiting_->table_lock_at, *message);
    }
  }
  if (waiting_->stop_validating != nullptr) {
    waiting_->stop_validating->store(true, std::memory_order_relaxed);
    waiting_->validation_cancelled = why.clone();
  }
  if (AdvisoryRequest* request = waiting_->advisory; request != nullptr && waiting_->advisory_cancelled.ok()) {
    waiting_->advisory_cancelled = std::move(why);
    if (shard_.database().advisory_locks().cancel(*request, shard_)) request->done(request->context);
  }
}

// --- table locks -------------------------------------------------------------------------------------------------

bool Transaction::try_lock_table(const TableDef& table, TableLock mode) {
  for (const HeldTableLock& held : table_locks_)
    if (held.table == table.oid && held.mode == mode) return true;
  return try_lock_new_table(table, mode);
}

bool Transaction::try_lock_new_table(const TableDef& table, TableLock mode) {
  if (mode > TableLock::kRowExclusive) return false;
  if (!shard_.state().table_locks.try_acquire(table.oid, mode, id(), process_id_)) return false;
  table_locks_.push_back({table.oid, mode});
  return true;
}

Task<Status> Transaction::lock_table(std::shared_ptr<const TableDef> table, TableLock mode, LockWait wait) {
  if (try_lock_table(*table, mode)) co_return Status{};
  co_return co_await acquire_strong(table->oid, mode, wait);
}

Task<Status> Transaction::acquire_strong(Oid table, TableLock mode, LockWait wait) {
  const bool weak = mode <= TableLock::kRowExclusive;
  TableLockRequest request;
  request.table = table;
  request.mode = mode;
  request.transaction = id();
  request.process_id = process_id_;
  request.origin = &shard_;
  request.no_wait = wait != LockWait::kBlock;
  request.context = this;
  request.done = [](void* context, TableLockRequest&) {
    static_cast<Transaction*>(context)->waiting_->table_lock = nullptr;
    answered(context);
  };
  // One shard after the other, always in the same order, so that two strong locks on one table cannot cross.
  for (unsigned at = 0; at < shard_.database().shards(); ++at) {
    if (weak && at != shard_.index()) continue;
    request.granted = false;
    ++request.wait_number;
    waiting_->table_lock_cancelled = {};
    if (at == shard_.index()) {
      if (!shard_.state().table_locks.acquire(request) && request.queued) {
        waiting_->table_lock = &request;
        waiting_->table_lock_at = at;
        ++pending_;
        waiting_->deadlock.arm();
        co_await wait_for_requests();
      }
    } else {
      waiting_->table_lock = &request;
      waiting_->table_lock_at = at;
      ++pending_;
      waiting_->deadlock.arm();
      shard_.state().mailbox.send(at, request);
      co_await wait_for_requests();
    }
    if (request.granted && at == 0) table_locks_.push_back({table, mode});
    if (request.granted && at != 0 && weak) table_locks_.push_back({table, mode});
    if (!request.granted) {
      if (!waiting_->table_lock_cancelled.ok()) co_return std::move(waiting_->table_lock_cancelled);
      const std::shared_ptr<const TableDef> definition = catalog()->table(table);
      co_return Status{sqlstate::lock_not_available,
                       "could not obtain lock on relation \"" + (definition ? definition->name : std::to_string(table)) + "\""};
    }
  }
  co_return Status{};
}

// Those taken since there were `from` of them.
void Transaction::release_table_locks(std::size_t from) {
  for (std::size_t i = table_locks_.size(); i-- > from;) {
    const HeldTableLock& held = table_locks_[i];
    shard_.state().table_locks.release(held.table, held.mode, id_, shard_);
    if (held.mode <= TableLock::kRowExclusive) continue;
    for (unsigned at = 0; at < shard_.database().shards(); ++at) {
      if (at == shard_.index()) continue;
      auto* request = new TableLockRequest();
      request->table = held.table;
      request->mode = held.mode;
      request->transaction = id_;
      request->origin = &shard_;
      request->release = true;
      request->done = [](void*, TableLockRequest& done) { delete &done; };
      shard_.state().mailbox.send(at, *request);
    }
  }
  table_locks_.resize(from);
}

// --- advisory locks ----------------------------------------------------------------------------------------------

Task<Status> Transaction::lock_advisory(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker) {
  AdvisoryRequest request;
  request.key = key;
  request.shared = shared;
  request.locker = &locker;
  request.origin = &shard_;
  request.wait_number = ++waiting_->advisory_waits;
  request.context = this;
  request.done = [](void* context) {
    static_cast<Transaction*>(context)->waiting_->advisory = nullptr;
    answered(context);
  };
  AdvisoryLocks& locks = shard_.database().advisory_locks();
  locker.transaction.store(id(), std::memory_order_relaxed);
  waiting_->advisory_cancelled = {};
  const AdvisoryLocks::Outcome outcome = locks.acquire(request);
  if (outcome == AdvisoryLocks::Outcome::kHeld) {
    waiting_->advisory = &request;
    ++pending_;
    waiting_->deadlock.arm();
    co_await wait_for_requests();
    if (!request.granted) co_return std::move(waiting_->advisory_cancelled);
  } else if (outcome == AdvisoryLocks::Outcome::kFull) {
    co_return advisory_locks_full();
  }
  raise_answer_floor(locks.floor());
  co_return Status{};
}

// --- catalog -----------------------------------------------------------------------------------------------------

Status Transaction::change_catalog(std::vector<CatalogChange> changes) {
  for (CatalogChange& change : changes) {
    if (change.drop || change.table == nullptr) continue;
    // No place that an index had or has, for whoever sees it so: this one may be rolled back, as a whole or in part.
    std::vector<std::shared_ptr<const TableDef>> known;
    known.push_back(shard_.catalog()->table(change.table->oid));
    for (const auto& overlay : overlays_) known.push_back(overlay->table(change.table->oid));
    std::vector<const TableDef*> others;
    for (const auto& other : known)
      if (other != nullptr) others.push_back(other.get());
    give_slots(*change.table, others, true);
    if (std::any_of(change.table->indexes.begin(), change.table->indexes.end(), [](const IndexDef& index) { return index.slot >= kIndexSlots; }))
      return Status{sqlstate::program_limit_exceeded, "too many indexes of table \"" + change.table->name + "\" were made and dropped in one transaction"};
  }
  Result<std::shared_ptr<const Catalog>> next = CatalogEditor::apply(*catalog(), changes, shard_.database().compiler());
  if (!next.ok()) return next.take_status();
  for (CatalogChange& change : changes) {
    // What the overlay made (storage, counters) is what the commit publishes.
    if (change.drop) continue;
    if (change.table != nullptr) change.table->storage = next.value()->table(change.table->oid)->storage;
    if (change.sequence != nullptr) change.sequence->state = next.value()->sequence(change.sequence->oid)->state;
    redo::append_catalog(redo_, change);
    catalog_changes_.push_back(change);
    overlays_.push_back(next.value());
  }
  for (CatalogChange& change : changes) {
    if (!change.drop) continue;
    redo::append_catalog(redo_, change);
    catalog_changes_.push_back(change);
    overlays_.push_back(next.value());
  }
  ensure_descriptor();
  return {};
}

Oid Transaction::allocate_oid() { return shard_.database().allocate_oid(); }

// --- savepoints --------------------------------------------------------------------------------------------------

Transaction::Savepoint Transaction::savepoint() {
  next_command();
  return {view_.command, redo_.size(), catalog_changes_.size(), table_locks_.size()};
}

namespace {

/// A question to the owners of what a transaction has written or locked, which answer() at once; it comes back as its own answer.
struct OwnerQuestion : Message {
  TxnDescriptor* descriptor = nullptr;
  Shard* origin = nullptr;
  void (*done)(void* context) = nullptr;
  void* context = nullptr;
  virtual void answer(Owner& owner) = 0;
  void deliver(Shard& here) final {
    if (&here == origin) {
      done(context);
      return;
    }
    answer(here.state().owner);
    here.state().mailbox.send(origin->index(), *this);
  }
};

struct UndoQuestion final : OwnerQuestion {
  std::uint32_t command = 0;
  void answer(Owner& owner) override { owner.undo(*descriptor, command); }
};

/// Which row locks a transaction holds there beside those of its writes.
struct LocksQuestion final : OwnerQuestion {
  std::string locks;
  void answer(Owner& owner) override { owner.describe_locks(*descriptor, &locks); }
};

}  // namespace

// By shard, and only of the owners that know this transaction; all have answered when it returns.
template <class Question>
Task<void> Transaction::ask_owners(std::vector<Question>& questions) {
  if (descriptor_ == nullptr) co_return;
  for (unsigned at = 0; at < questions.size(); ++at) {
    if ((descriptor_->owners >> at & 1) == 0) continue;
    Question& question = questions[at];
    question.descriptor = descriptor_;
    question.origin = &shard_;
    question.context = this;
    question.done = answered;
    if (at == shard_.index()) {
      question.answer(shard_.state().owner);
      continue;
    }
    ++pending_;
    shard_.state().mailbox.send(at, question);
  }
  co_await wait_for_requests();
}

Task<void> Transaction::rollback_to(Savepoint savepoint) {
  std::vector<UndoQuestion> questions(shard_.database().shards());
  for (UndoQuestion& question : questions) question.command = savepoint.command;
  co_await ask_owners(questions);
  redo_.resize(savepoint.redo_bytes);
  catalog_changes_.resize(savepoint.catalog_changes);
  overlays_.resize(savepoint.catalog_changes);
  release_table_locks(savepoint.table_locks);
  next_command();
}

// --- SERIALIZABLE (docs/serializable.md) ---------------------------------------------------------------------------

// Who wrote nothing is serial at its snapshot.
bool Transaction::must_validate() const {
  return reads_ != nullptr && !reads_->empty() && (!redo_.empty() || !catalog_changes_.empty());
}

// From here on nobody changes what was read until the outcome is known, or the status is 40001.
Task<Status> Transaction::validate() {
  const std::shared_ptr<const ReadSet> reads = std::move(reads_);
  view_.reads = nullptr;
#ifdef WANDIAN_FAULT_no_validation
  co_return Status{};
#endif
  std::uint64_t owners = 0;
  const std::uint64_t all = shard_.database().shards() == kMaxShards ? ~std::uint64_t{0} : (std::uint64_t{1} << shard_.database().shards()) - 1;
  for (const std::unique_ptr<ReadSet::Table>& table : reads->tables()) {
    if (table->whole) owners = all;
    for (const std::string& point : table->points) owners |= std::uint64_t{1} << owner_of(ReadSet::partition_of(point));
    for (const ReadSet::Range& range : table->ranges)
      owners |= range.partition == kNoPartition ? all : std::uint64_t{1} << owner_of(range.partition);
  }
  TxnDescriptor& descriptor = ensure_descriptor();
  descriptor.owners |= owners;
  std::vector<ValidateMessage> messages(shard_.database().shards());
  std::atomic<bool> stop{false};
  waiting_->stop_validating = &stop;
  for (unsigned at = 0; at < messages.size(); ++at) {
    if ((owners >> at & 1) == 0) continue;
    ValidateMessage& message = messages[at];
    message.reads = reads;
    message.descriptor = &descriptor;
    message.snapshot = view_.snapshot;
    message.origin = &shard_;
    message.stop = &stop;
    message.context = this;
    message.done = answered;
    if (at != shard_.index()) {
      ++pending_;
      shard_.state().mailbox.send(at, message);
    } else if (!message.start(shard_)) {
      ++pending_;
      shard_.post_next_turn(message);
    }
  }
  co_await wait_for_requests();
  waiting_->stop_validating = nullptr;
  if (!waiting_->validation_cancelled.ok()) co_return std::exchange(waiting_->validation_cancelled, Status{});
  for (const ValidateMessage& message : messages)
    if (!message.valid)
      co_return Status{sqlstate::serialization_failure, "could not serialize access due to read/write dependencies among transactions"}
          .with_detail("What the transaction has read was changed by another one before it could commit.")
          .with_hint("The transaction might succeed if retried.");
  co_return Status{};
}

// --- commit and rollback -----------------------------------------------------------------------------------------

bool Transaction::encode_single_record() {
  RecordBuffer& record = shard_.state().record;
  record.clear();
  const std::int64_t now = shard_.wall_us();
  record.append(&now, sizeof now);
  record.append(redo_.data(), redo_.size());
  record.seal(RecordKind::kCommit, id_, 0);
  return true;
}

// Visible at once and everywhere by the one store inside; nothing here can fail or wait.
Lsn Transaction::commit_record() {
  TxnDescriptor& descriptor = *descriptor_;
  if (watcher_ != nullptr) [[unlikely]] watcher_->before_commit();
  const Lsn committed = shard_.log().commit(shard_.index(), shard_.state().record,
                                            [&](Lsn commit) { descriptor.state.store(commit.bytes, std::memory_order_release); });
  if (watcher_ != nullptr) [[unlikely]] watcher_->committed(committed);
  return committed;
}

bool Transaction::try_commit(SyncCommit level, Status* status) {
  (void)level;   // what an answer waits for is the session's business: it looks at answer_floor()
  DB_ASSERT(active_ && pending_ == 0);
  *status = {};
  if (catalog_changes_.empty() && redo_.empty()) {
    if (watcher_ == nullptr) {
      finish(nullptr);
      return true;
    }
    ensure_descriptor();
  }
  if (!catalog_changes_.empty() || redo_.size() > kMaxPayload || must_validate()) return false;
  encode_single_record();
  if (shard_.log().admit(shard_.state().record.total_bytes()) != Log::Admission::kAdmitted) return false;
  const Lsn commit = commit_record();
  finish(&commit);
  return true;
}

// Writes what does not fit into one record as parts, and leaves the last record encoded and admitted for whoever awaited this, who
// commits it without a yield.
Task<Status> Transaction::encode_records(const std::string& operations) {
  RecordBuffer& record = shard_.state().record;
  std::uint32_t parts = 0;
  std::size_t sent = 0;
  for (;;) {
    const bool last = operations.size() - sent <= kMaxPayload;
    for (;;) {
      // Encoded anew after each wait: the buffer is shared by all transactions of the shard.
      record.clear();
      if (last) {
        const std::int64_t now = shard_.wall_us();
        record.append(&now, sizeof now);
      }
      record.append(operations.data() + sent, last ? operations.size() - sent : kMaxPayload);
      record.seal(last ? RecordKind::kCommit : RecordKind::kPart, id(), last ? parts : 0);
      const Log::Admission admission = shard_.log().admit(record.total_bytes());
      if (admission == Log::Admission::kAdmitted) break;
      if (admission == Log::Admission::kDiskFull) co_return log_disk_full();
      shard_.demand(shard_.log().tail());
      co_await shard_.next_turn();
    }
    if (last) break;
    shard_.log().append_part(shard_.index(), record);
    sent += kMaxPayload;
    ++parts;
  }
  co_return Status{};
}

Task<Status> Transaction::commit(SyncCommit level) {
  Status status;
  if (must_validate()) status = co_await validate();
  if (!status.ok()) co_return std::move(status);
  if (try_commit(level, &status)) co_return std::move(status);
  // Definitions stand among the rows in the order in which both were made: replay reads a row by the definition of its time.
  const std::size_t own_redo = redo_.size();
  for (const CatalogChange& change : catalog_changes_) {
    // Strides logged while the sequence was this transaction's secret stand before its definition, where replay skips them.
    if (change.sequence == nullptr || change.drop) continue;
    SequenceState& state = *change.sequence->state;
    const std::lock_guard guard(state.mutex);
    if (state.is_called || state.logged || state.restarted)
      redo::append_sequence(redo_, change.sequence->oid, state.logged ? state.logged_until : state.last_value, state.logged || state.is_called);
  }
  status = co_await encode_records(redo_);
  if (!status.ok()) {
    redo_.resize(own_redo);
    co_return std::move(status);
  }
  const Lsn commit = commit_record();
  if (!catalog_changes_.empty()) shard_.database().publish_catalog(catalog_changes_, commit);
  finish(&commit);
  co_return Status{};
}

// --- PREPARE TRANSACTION (engine/prepared.h) ---------------------------------------------------------------------------

// Operations that no version's visibility hangs on.
Task<Status> Transaction::log_operations(const std::string& operations) {
  Status status = co_await encode_records(operations);
  if (!status.ok()) co_return std::move(status);
  const Lsn logged = shard_.log().commit(shard_.index(), shard_.state().record, [](Lsn) {});
  raise_answer_floor(logged.bytes);
  shard_.demand(logged);
  co_return Status{};
}

Task<void> Transaction::collect_locks(std::string* out) {
  for (const HeldTableLock& held : table_locks_) redo::append_table_lock(*out, held.table, static_cast<std::uint8_t>(held.mode));
  std::vector<LocksQuestion> questions(shard_.database().shards());
  co_await ask_owners(questions);
  for (const LocksQuestion& question : questions) *out += question.locks;
}

Task<Status> Transaction::prepare(const PreparedTransactionInfo& info, std::unique_ptr<Transaction>* prepared) {
  if (!catalog_changes_.empty())
    co_return Status{sqlstate::feature_not_supported, "cannot PREPARE a transaction that has changed definitions"};
  for (const HeldTableLock& held : table_locks_)
    if (const std::shared_ptr<const TableDef> table = catalog()->table(held.table); table != nullptr && table->temporary)
      co_return Status{sqlstate::feature_not_supported, "cannot PREPARE a transaction that has operated on temporary objects"};
  Status status;
  if (must_validate()) status = co_await validate();
  if (!status.ok()) co_return std::move(status);
  std::string locks, operations;
  co_await collect_locks(&locks);
  redo::append_prepare(operations, info, redo_, locks);
  status = co_await log_operations(operations);
  if (!status.ok()) co_return std::move(status);
  *prepared = detach();
  co_return Status{};
}

// A transaction of its own with everything that this one wrote and locked.
std::unique_ptr<Transaction> Transaction::detach() {
  auto other = std::make_unique<Transaction>(shard_);
  other->set_session(0, database_);
  other->begin(isolation_, true);
  other->id_ = id();
  other->descriptor_ = descriptor_;
  other->view_.own = descriptor_;
  other->redo_ = std::move(redo_);
  other->catalog_ = catalog_;
  other->table_locks_ = std::move(table_locks_);
  other->answer_floor_ = answer_floor_;
  table_locks_.clear();
  last_commit_ = Lsn{};
  unregister_view();
  forget();
  return other;
}

Task<Status> Transaction::finish_prepared(std::string_view gid, bool commit) {
  std::string end;
  redo::append_finish_prepared(end, gid);
  if (commit) {
    ensure_descriptor();   // a transaction that wrote nothing commits this record all the same
    redo_.insert(0, end);
    Status status = co_await this->commit(SyncCommit::kOn);
    if (!status.ok()) redo_.erase(0, end.size());
    co_return std::move(status);
  }
  Status status = co_await log_operations(end);
  if (!status.ok()) co_return std::move(status);
  co_await rollback();
  co_return Status{};
}

bool Transaction::try_rollback() {
  DB_ASSERT(active_);
  if (pending_ != 0) return false;
  if (descriptor_ != nullptr) descriptor_->state.store(TxnDescriptor::kAborted, std::memory_order_release);
  redo_.clear();
  finish(nullptr);
  return true;
}

Task<void> Transaction::rollback() {
  if (pending_ != 0) {
    cancel(Status{sqlstate::query_canceled, "canceling statement due to rollback"});
    co_await wait_for_requests();
  }
  try_rollback();
}

// Tells the owners, and lets go of everything. `commit` is null for a rollback and for a transaction that wrote nothing.
void Transaction::finish(const Lsn* commit) {
  last_commit_ = commit != nullptr ? *commit : Lsn{};
  if (commit != nullptr) {
    raise_answer_floor(commit->bytes);
    shard_.demand(*commit);
  }
  unregister_view();
  Shard::State& state = shard_.state();
  if (descriptor_ != nullptr) {
    TxnDescriptor* descriptor = descriptor_;
    // Locks without writes: nothing carries its stamp, so either outcome will do.
    if (commit == nullptr) descriptor->state.store(TxnDescriptor::kAborted, std::memory_order_release);
    const std::uint64_t self = std::uint64_t{1} << shard_.index();
    if ((descriptor->owners & self) != 0) state.owner.finish(*descriptor, commit);
    std::uint64_t others = descriptor->owners & ~self;
    if (others == 0) {
      state.release_descriptor(shard_, descriptor, true);
    } else {
      if (state.free_groups.empty()) {
        state.groups.push_back(std::make_unique<FinishGroup>());
        state.groups.back()->messages.resize(shard_.database().shards());
        state.free_groups.push_back(state.groups.back().get());
      }
      FinishGroup* group = state.free_groups.back();
      state.free_groups.pop_back();
      group->origin = &shard_;
      group->descriptor = descriptor;
      group->committed = commit != nullptr;
      if (commit != nullptr) group->commit = *commit;
      group->catalogs.assign(overlays_.begin(), overlays_.end());
      group->catalogs.push_back(catalog_);
      group->pending = static_cast<unsigned>(__builtin_popcountll(others));
      for (unsigned at = 0; others != 0; ++at) {
        if ((others >> at & 1) == 0) continue;
        others &= ~(std::uint64_t{1} << at);
        group->messages[at].group = group;
        state.mailbox.send(at, group->messages[at]);
      }
    }
  }
  release_table_locks(0);
  forget();
}

void Transaction::abandon() {
  unregister_view();
  table_locks_.clear();
  pending_ = 0;
  forget();
}

void Transaction::forget() {
  descriptor_ = nullptr;
  watcher_ = nullptr;
  id_ = 0;
  view_.own = nullptr;
  view_.reads = nullptr;
  reads_.reset();
  redo_.clear();
  if (redo_.capacity() > 64 * 1024) redo_.shrink_to_fit();
  catalog_changes_.clear();
  overlays_.clear();
  has_snapshot_ = in_statement_ = false;
  raise_answer_floor(view_.floor);
  active_ = false;
}

}  // namespace wandian
