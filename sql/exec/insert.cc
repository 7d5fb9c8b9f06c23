// INSERT: rows go to their owners in batches; conflicts come back as outcomes and are errors, or ON CONFLICT's business.
#include <algorithm>
#include <functional>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/exec/modify.h"
#include "sql/exec/table_access.h"
#include "sql/index_expressions.h"

namespace wandian::sql {

namespace {
constexpr unsigned kMostRetries = 1000;
}  // namespace

// The row to insert from the source's current row, into values_.
Status ModifyDriver::evaluate_insert(std::span<const ModifyPlan::Set> sets) {
  const TableDef& table = *modify_.table;
  values_.assign(table.layout_columns(), Value::null());
  ctx_.reset_row(0);
  for (const ModifyPlan::Set& set : sets)
    if (!ctx_.eval(set.value, 0, &values_[set.column])) return std::move(ctx_.error);
  return {};
}

// Checks and encodes values_, and gives the row its place among the pending ones.
Task<Status> ModifyDriver::queue_insert() {
  const std::shared_ptr<const TableDef>& table = modify_.table;
  if (!table->triggers.empty()) {
    bool skip = false;
    // The functions may wait: what the row points to must stay.
    for (std::size_t c = 0; c < table->columns.size(); ++c) values_[c] = copy_value(table->columns[c].type, values_[c], writer_.inputs());
    if (source_ != nullptr) set_source_aside();
    WANDIAN_CO_TRY(co_await triggers_.before_row(table, TriggerDef::kInsert, {}, {}, {values_.data(), table->columns.size()}, writer_.inputs(), &skip));
    if (source_ != nullptr) bring_source_back();
    if (skip) co_return Status{};
  }
  if (table->hidden_row_number) values_[table->columns.size()] = Value::of_int(new_row_number(*ctx_.shard, *table));
  if (table->generator != nullptr) WANDIAN_CO_TRY(table->generator->generate(values_, writer_.inputs()));
  WANDIAN_CO_TRY(check_not_null(*table, values_, eval()));
  PendingInsert row;
  Arena& arena = writer_.inputs();
  WANDIAN_CO_TRY(encode_row(*table, values_, arena, &row.row));
  WANDIAN_CO_TRY(check_row(*table, row.row.data(), eval()));
  // From here on the values are those in the encoded row, which lives as long as the batch.
  row.values = arena.allocate_array<Value>(values_.size());
  table->layouts->read_all(table->layouts->newest_id(), row.row.data(), {row.values, values_.size()});
  row.key = key_of(*table, 0, {row.values, values_.size()}, arena);
  Result<PartitionId> place = place_row(ctx_.shard->database().placement(), *table, *ctx_.env->catalog, {row.values, values_.size()}, true);
  if (!place.ok()) co_return place.take_status();
  row.partition = place.value();
  if (row.partition == kNoPartition) {
    // Its directory does not know the key: the foreign key says so.
    WANDIAN_CO_TRY(foreign_keys_.written(table, {row.values, values_.size()}, nullptr));
    WANDIAN_CO_TRY(co_await foreign_keys_.run());
    co_return Status(sqlstate::foreign_key_violation, "the row has no place: its directory does not know its key")
        .with_table(schema_name(*ctx_.env->catalog, table->schema), table->name);
  }
  inserts_.push_back(row);
  co_return Status{};
}

Status ModifyDriver::send_later(PendingInsert& row) {
  const std::shared_ptr<const TableDef>& table = modify_.table;
  RowOp& op = writer_.add(table, row.partition, row.key);
  op.kind = RowOp::Kind::kInsert;
  op.row = row.row;
  row.op = &op;
  row.first_global = global_ops_.size();
  for (std::size_t i = 0; i < table->indexes.size(); ++i) {
    if (table->indexes[i].global_table == 0) continue;
    bool has = false;
    GlobalEntry entry;
    WANDIAN_TRY(make_global_entry(ctx_, *table, i, {row.values, table->layout_columns()}, writer_.inputs(), &has, &entry));
    if (!has) continue;
    RowOp& global = writer_.add(entry.table, entry.partition, entry.key);
    global.kind = RowOp::Kind::kInsert;
    global.row = entry.row;
    global_ops_.push_back({&global, i});
  }
  row.globals = global_ops_.size() - row.first_global;
  return {};
}

Status ModifyDriver::inserted(const PendingInsert& row) {
  ++processed_;
  const std::span<const Value> values(row.values, modify_.table->layout_columns());
  if (!modify_.table->triggers.empty()) WANDIAN_TRY(triggers_.after_row(modify_.table, TriggerDef::kInsert, {}, {}, values));
  if (modify_.table->has_later_keys) WANDIAN_TRY(foreign_keys_.written_unique(modify_.table, values, nullptr));
  if (!modify_.table->foreign_keys.empty()) WANDIAN_TRY(foreign_keys_.written(modify_.table, values, nullptr));
  WANDIAN_TRY(check_view(modify_.returning_columns, values));
  return return_row(modify_.returning_columns, values, nullptr);
}

bool ModifyDriver::arbitrates(std::size_t index) const {
  if (modify_.conflict == ConflictAction::kNone) return false;
  return modify_.any_arbiter || std::find(modify_.arbiters.begin(), modify_.arbiters.end(), index) != modify_.arbiters.end();
}

Task<Status> ModifyDriver::flush_inserts() {
  const TableDef& table = *modify_.table;
  const std::size_t width = table.layout_columns();
  bool global = false;
  for (const IndexDef& index : table.indexes) global |= index.global_table != 0;
  if (modify_.conflict != ConflictAction::kNone && global) {
    // A conflict in one index must undo what went into the others: row by row.
    for (std::size_t i = 0; i < inserts_.size(); ++i) WANDIAN_CO_TRY(co_await insert_carefully(inserts_[i]));
  } else {
    for (PendingInsert& row : inserts_) WANDIAN_CO_TRY(send_later(row));
    WANDIAN_CO_TRY(co_await writer_.send());
    for (std::size_t i = 0; i < inserts_.size(); ++i) {
      const PendingInsert& row = inserts_[i];
      for (std::size_t g = row.first_global; g < row.first_global + row.globals; ++g)
        if (global_ops_[g].op->outcome == RowOutcome::kConflict) co_return raise_conflict(table, global_ops_[g].index, {row.values, width});
      if (row.op->outcome == RowOutcome::kInserted) {
        WANDIAN_CO_TRY(inserted(row));
        continue;
      }
      if (row.op->outcome != RowOutcome::kConflict)
        co_return Status(sqlstate::serialization_failure, "the row's place changed due to concurrent update");
      const auto index = static_cast<std::size_t>(row.op->conflict_index);
      if (!arbitrates(index)) co_return raise_conflict(table, index, {row.values, width});
      bool retry = false;
      WANDIAN_CO_TRY(co_await resolve_conflict(row, index, &retry));
      if (retry) WANDIAN_CO_TRY(co_await insert_carefully(row));
    }
  }
  inserts_.clear();
  global_ops_.clear();
  writer_.clear();
  co_return Status{};
}

// One row with its global entries, all or nothing, until it is in or its conflict is resolved.
Task<Status> ModifyDriver::insert_carefully(PendingInsert row) {
  const std::size_t width = modify_.table->layout_columns();
  for (unsigned attempt = 0; attempt < kMostRetries; ++attempt) {
    RowWriter writer(ctx_);
    std::vector<GlobalOp> globals;
    const std::shared_ptr<const TableDef>& table = modify_.table;
    RowOp& op = writer.add(table, row.partition, row.key);
    op.kind = RowOp::Kind::kInsert;
    op.row = row.row;
    for (std::size_t i = 0; i < table->indexes.size(); ++i) {
      if (table->indexes[i].global_table == 0) continue;
      bool has = false;
      GlobalEntry entry;
      WANDIAN_CO_TRY(make_global_entry(ctx_, *table, i, {row.values, width}, writer.inputs(), &has, &entry));
      if (!has) continue;
      RowOp& made = writer.add(entry.table, entry.partition, entry.key);
      made.kind = RowOp::Kind::kInsert;
      made.row = entry.row;
      globals.push_back({&made, i});
    }
    Transaction::Savepoint savepoint;
    if (!globals.empty()) savepoint = ctx_.transaction->savepoint();
    WANDIAN_CO_TRY(co_await writer.send());
    std::int64_t conflict = op.outcome == RowOutcome::kConflict ? op.conflict_index : -1;
    bool done = op.outcome == RowOutcome::kInserted;
    for (const GlobalOp& made : globals) {
      if (made.op->outcome == RowOutcome::kInserted) continue;
      done = false;
      if (conflict < 0) conflict = static_cast<std::int64_t>(made.index);
    }
    if (done) {
      if (!globals.empty() && modify_.conflict == ConflictAction::kUpdate) touched_.emplace(row.key.view());
      co_return inserted(row);
    }
    if (conflict < 0) co_return Status(sqlstate::serialization_failure, "the row's place changed due to concurrent update");
    if (!globals.empty()) co_await ctx_.transaction->rollback_to(savepoint);
    if (!arbitrates(static_cast<std::size_t>(conflict))) co_return raise_conflict(*table, static_cast<std::size_t>(conflict), {row.values, width});
    bool retry = false;
    WANDIAN_CO_TRY(co_await resolve_conflict(row, static_cast<std::size_t>(conflict), &retry));
    if (!retry) co_return Status{};
  }
  co_return Status(sqlstate::serialization_failure, "could not resolve a conflict with concurrent transactions");
}

namespace {

class ConflictMutation final : public Mutation {
 public:
  ConflictMutation(ExecContext& ctx, const ModifyPlan& plan, const Value* proposed, std::function<Status(std::span<const Value>)> returning)
      : ctx_(ctx), plan_(plan), proposed_(proposed), returning_(std::move(returning)) {}
  Status decide(const Target&, bool, std::span<Value> values, Decision* decision) override {
    ctx_.reset_row(0);
    for (const ScanColumn& c : plan_.conflict_columns) ctx_.slots[c.slot] = values[c.column];
    for (const ScanColumn& c : plan_.excluded_columns) ctx_.slots[c.slot] = proposed_[c.column];
    if (plan_.conflict_where) {
      bool passes;
      if (!ctx_.test(plan_.conflict_where, 0, &passes)) return std::move(ctx_.error);
      if (!passes) {
        *decision = Decision::kSkip;
        return {};
      }
    }
    results_.resize(plan_.conflict_sets.size());
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (!ctx_.eval(plan_.conflict_sets[i].value, 0, &results_[i])) return std::move(ctx_.error);
    for (std::size_t i = 0; i < results_.size(); ++i) values[plan_.conflict_sets[i].column] = results_[i];
    return {};
  }
  Status done(const Target&, std::span<const Value>, std::span<const Value> new_values) override { return returning_(new_values); }

 private:
  ExecContext& ctx_;
  const ModifyPlan& plan_;
  const Value* proposed_;
  std::function<Status(std::span<const Value>)> returning_;
  std::vector<Value> results_;
};

}  // namespace

Task<Status> ModifyDriver::resolve_conflict(const PendingInsert& row, std::size_t index, bool* retry) {
  KeyBuffer key;
  PartitionId partition = kNoPartition;
  bool found = false;
  if (modify_.conflict == ConflictAction::kNothing) {
    if (ctx_.transaction->isolation() == Isolation::kReadCommitted) co_return Status{};
    // That nothing was done rests on a row that the transaction must be able to see.
    ReadView view = ctx_.transaction->view(), newest;
    WANDIAN_CO_TRY(find_conflicting(row, index, view, &key, &partition, &found));
    if (found) {
      if (!ctx_.transaction->newest_view(&newest)) {
        *retry = true;
        co_return co_await ctx_.next_share();
      }
      ++newest.command;
      RowView seen;
      found = find_row(*modify_.table, partition, key.ref(), newest, &seen) && seen.stamp <= view.snapshot.bytes;
    }
    if (!found) co_return Status(sqlstate::serialization_failure, "could not serialize access due to concurrent update");
    co_return Status{};
  }
  ReadView newest;
  if (index == 0 || ctx_.transaction->newest_view(&newest)) WANDIAN_CO_TRY(find_conflicting(row, index, newest, &key, &partition, &found));
  if (!found) {
    *retry = true;
    // Whoever committed or undid the conflicting row did so just now: let other work run before looking again.
    co_return co_await ctx_.next_share();
  }
  const auto second_time = [] {
    return Status(sqlstate::cardinality_violation, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .with_hint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.");
  };
  if (touched_.contains(std::string(key.ref().view()))) co_return second_time();
  ConflictMutation mutation(ctx_, modify_, row.values, [this](std::span<const Value> values) {
    ++processed_;
    WANDIAN_TRY(check_view(modify_.returning_columns, values));
    return return_row(modify_.returning_columns, values, nullptr);
  });
  for (const ModifyPlan::Set& set : modify_.conflict_sets) {
    const TableDef& table = *modify_.table;
    const auto has = [&](const std::vector<std::uint16_t>& columns) {
      return std::find(columns.begin(), columns.end(), set.column) != columns.end();
    };
    mutation.key_changes = mutation.key_changes || has(table.codec_columns[0]) || has(table.placement.columns);
  }
  // What this command wrote itself cannot be locked again: its row does not come back.
  RowWriter probe(ctx_);
  RowOp& op = probe.add(modify_.table, partition, key);
  op.kind = RowOp::Kind::kLock;
  op.lock = mutation.key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
  op.want_old = true;
  WANDIAN_CO_TRY(co_await probe.send());
  if (op.outcome == RowOutcome::kAbsent) {
    *retry = true;
    co_return Status{};
  }
  if (op.outcome == RowOutcome::kSelfModified || (op.outcome == RowOutcome::kLocked && op.old_row.data() == nullptr))
    co_return second_time();
  const Target target{partition, key, nullptr};
  std::uint64_t missing = 0;
  WANDIAN_CO_TRY(co_await mutate(modify_.table, {&target, 1}, mutation, 0, &missing));
  *retry = missing != 0;
  if (missing == 0) {
    for (const IndexDef& definition : modify_.table->indexes)
      if (definition.global_table != 0) {
        touched_.emplace(key.ref().view());
        break;
      }
  }
  co_return Status{};
}

// The primary key of the row that holds the unique key, if `view` sees one. DO UPDATE locks it by a primary key without looking.
Status ModifyDriver::find_conflicting(const PendingInsert& row, std::size_t index, ReadView view, KeyBuffer* key, PartitionId* partition,
                                      bool* found) {
  const TableDef& table = *modify_.table;
  if (index == 0) {
    key->assign(row.key);
    *partition = row.partition;
    RowView seen;
    ++view.command;
    *found = modify_.conflict != ConflictAction::kNothing || find_row(table, row.partition, row.key, view, &seen);
    ctx_.transaction->raise_answer_floor(view.floor);
    return {};
  }
  // This command's own rows count, too: they are what a second proposal conflicts with.
  ++view.command;
  const IndexDef& definition = table.indexes[index];
  if (definition.global_table != 0) {
    bool has = false;
    GlobalEntry entry;
    Arena arena;
    WANDIAN_TRY(make_global_entry(ctx_, table, index, {row.values, table.layout_columns()}, arena, &has, &entry));
    RowView seen;
    if (!has || !find_row(*entry.table, entry.partition, entry.key, view, &seen)) return {};
    std::vector<Value> primary;
    for (std::size_t i = 0; i < table.codec_columns[0].size(); ++i)
      primary.push_back(entry.table->layouts->read(seen.layout, seen.row, static_cast<unsigned>(definition.key_parts + i)));
    table.codecs[0].encode(primary, *key);
    *partition = locate_key(*ctx_.shard, table, *key, primary);
    *found = *partition != kNoPartition;
  } else {
    std::vector<Value> values;
    Arena arena;
    WANDIAN_TRY(key_part_values(table, index, {row.values, table.layout_columns()}, arena, &values));
    TableScan scan;
    TableScan::Options options;
    options.index = static_cast<unsigned>(index);
    options.partition = row.partition;
    scan.open(modify_.table, options, ScanRange::prefix(table.codecs[index], values));
    RowView seen;
    if (scan.next(view, &seen)) {
      table.codecs[0].encode_from_row(*table.layouts, seen.layout, seen.row, table.codec_columns[0], *key);
      *partition = seen.partition;
      *found = true;
    }
    scan.pause();
  }
  ctx_.transaction->raise_answer_floor(view.floor);
  return {};
}

Task<Status> ModifyDriver::run_insert() {
  if (source_ == nullptr) {
    WANDIAN_CO_TRY(evaluate_insert(modify_.sets));
    WANDIAN_CO_TRY(co_await queue_insert());
    WANDIAN_CO_TRY(co_await flush_inserts());
    co_return Status{};
  }
  source_->restart(ctx_);
  for (;;) {
    const Step step = source_->next(ctx_);
    if (step == Step::kError) co_return std::move(ctx_.error);
    if (step == Step::kPause) {
      WANDIAN_CO_TRY(co_await ctx_.pause(source_));
      continue;
    }
    if (step == Step::kEnd) break;
    WANDIAN_CO_TRY(evaluate_insert(modify_.sets));
    WANDIAN_CO_TRY(co_await queue_insert());
    if (inserts_.size() < batch_rows_) continue;
    set_source_aside();
    WANDIAN_CO_TRY(co_await flush_inserts());
    bring_source_back();
  }
  WANDIAN_CO_TRY(co_await flush_inserts());
  co_return Status{};
}

Task<Status> ModifyDriver::insert_values(std::span<const Value> values, std::size_t columns) {
  const std::size_t rows = columns == 0 ? 0 : values.size() / columns;
  for (std::size_t r = 0; r < rows; ++r) {
    // The plan is that of INSERT ... VALUES ($1, $2, ...): each row is its parameters.
    ctx_.params = values.data() + r * columns;
    ctx_.input.params = ctx_.params;
    if (source_ != nullptr) {
      // Defaults that call routines are computed there.
      source_->restart(ctx_);
      Step step;
      while ((step = source_->next(ctx_)) == Step::kPause) WANDIAN_CO_TRY(co_await ctx_.pause(source_));
      if (step == Step::kError) co_return std::move(ctx_.error);
    }
    WANDIAN_CO_TRY(evaluate_insert(modify_.sets));
    WANDIAN_CO_TRY(co_await queue_insert());
    if (inserts_.size() < batch_rows_) continue;
    WANDIAN_CO_TRY(co_await flush_inserts());
    if (ctx_.out_of_budget()) WANDIAN_CO_TRY(co_await ctx_.next_share());
  }
  WANDIAN_CO_TRY(co_await flush_inserts());
  co_return Status{};
}

}  // namespace wandian::sql
