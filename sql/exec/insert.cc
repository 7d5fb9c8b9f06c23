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
  std::shared_ptr<const TableDef> table = modify_.table;
  const PartitionNode* leaf = nullptr;
  if (modify_.tree != nullptr) WANDIAN_CO_TRY(route_insert(&table, &leaf));
  if (!table->triggers.empty()) {
    bool skip = false;
    // The functions may wait: what the row points to must stay.
    for (std::size_t c = 0; c < table->columns.size(); ++c) values_[c] = copy_value(table->columns[c].type, values_[c], writer_.inputs());
    if (source_ != nullptr) set_source_aside();
    PartitionGuard guard;
    if (leaf != nullptr) guard = PartitionGuard(*ctx_.env->catalog, *table);
    WANDIAN_CO_TRY(co_await triggers().before_row(table, TriggerDef::kInsert, {}, {}, {values_.data(), table->columns.size()}, writer_.inputs(), &skip,
                                                 leaf != nullptr ? &guard : nullptr));
    if (source_ != nullptr) bring_source_back();
    if (skip) co_return Status{};
    if (leaf != nullptr && has_triggers(*table, TriggerDef::kRow | TriggerDef::kBefore | TriggerDef::kInsert)) WANDIAN_CO_TRY(check_routed(*table, true));
  }
  if (table->hidden_row_number) values_[table->columns.size()] = Value::of_int(new_row_number(*ctx_.shard, *table));
  if (table->generator != nullptr) WANDIAN_CO_TRY(table->generator->generate(values_, writer_.inputs()));
  WANDIAN_CO_TRY(check_not_null(*table, values_, eval()));
  PendingInsert row;
  row.table = table;
  row.leaf = leaf;
  Arena& arena = writer_.inputs();
  WANDIAN_CO_TRY(encode_row(*table, values_, arena, &row.row));
  if (table->row_checks != nullptr && table->row_checks->waits()) {
    if (source_ != nullptr) set_source_aside();
    WANDIAN_CO_TRY(co_await check_constraints(*table, row.row));
    if (source_ != nullptr) bring_source_back();
  } else {
    WANDIAN_CO_TRY(check_row(*table, row.row.data(), eval()));
  }
  if (leaf == nullptr && !target_guard_.empty()) WANDIAN_CO_TRY(check_routed(*table, false));
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
  inserts_.push_back(std::move(row));
  co_return Status{};
}

Status ModifyDriver::send_later(PendingInsert& row) {
  const std::shared_ptr<const TableDef>& table = row.table;
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
  const std::span<const Value> values(row.values, row.table->layout_columns());
  if (!modify_.target_system.empty()) system_ = system_columns_after(ctx_, *row.op);
  if (captures_) triggers().capture(*modify_.table, TriggerDef::kInsert, {}, values, nullptr, row.leaf);
  if (!row.table->triggers.empty()) WANDIAN_TRY(triggers().after_row(row.table, TriggerDef::kInsert, {}, {}, values));
  if (row.table->has_later_keys) WANDIAN_TRY(foreign_keys_.written_unique(row.table, values, nullptr));
  if (!row.table->foreign_keys.empty()) WANDIAN_TRY(foreign_keys_.written(row.table, values, nullptr));
  WANDIAN_TRY(check_view(modify_.returning_columns, values, row.leaf));
  return return_row(modify_.returning_columns, values, nullptr, row.leaf);
}

namespace {

// Which index of the partitioned table an index of one of its partitions belongs to.
std::size_t index_above(const Catalog& catalog, const TableDef& root, const TableDef& leaf, std::size_t index) {
  Oid oid = leaf.indexes[index].parent;
  for (std::shared_ptr<const TableDef> table = catalog.table(leaf.partition_of); table != nullptr && oid != 0; table = catalog.table(table->partition_of))
    for (std::size_t i = 0; i < table->indexes.size(); ++i) {
      if (table->indexes[i].oid != oid) continue;
      if (table->oid == root.oid) return i;
      oid = table->indexes[i].parent;
      break;
    }
  return ~std::size_t{0};
}

}  // namespace

bool ModifyDriver::arbitrates(const PendingInsert& row, std::size_t index) const {
  if (modify_.conflict == ConflictAction::kNone) return false;
  if (row.leaf != nullptr && !modify_.any_arbiter) index = index_above(*ctx_.env->catalog, *modify_.table, *row.table, index);
  return modify_.any_arbiter || std::find(modify_.arbiters.begin(), modify_.arbiters.end(), index) != modify_.arbiters.end();
}

Task<Status> ModifyDriver::flush_inserts() {
  bool global = false;
  const TableDef* looked_at = nullptr;
  for (const PendingInsert& row : inserts_) {
    if (row.table.get() == looked_at) continue;
    looked_at = row.table.get();
    for (const IndexDef& index : looked_at->indexes) global |= index.global_table != 0;
  }
  if (modify_.conflict != ConflictAction::kNone && global) {
    // A conflict in one index must undo what went into the others: row by row.
    for (std::size_t i = 0; i < inserts_.size(); ++i) WANDIAN_CO_TRY(co_await insert_carefully(inserts_[i]));
  } else {
    for (PendingInsert& row : inserts_) WANDIAN_CO_TRY(send_later(row));
    WANDIAN_CO_TRY(co_await writer_.send());
    for (std::size_t i = 0; i < inserts_.size(); ++i) {
      const PendingInsert& row = inserts_[i];
      const TableDef& table = *row.table;
      const std::size_t width = table.layout_columns();
      for (std::size_t g = row.first_global; g < row.first_global + row.globals; ++g)
        if (global_ops_[g].op->outcome == RowOutcome::kConflict) co_return raise_conflict(table, global_ops_[g].index, {row.values, width});
      if (row.op->outcome == RowOutcome::kInserted) {
        WANDIAN_CO_TRY(inserted(row));
        if (triggers_ != nullptr && triggers_->unsettled()) WANDIAN_CO_TRY(co_await triggers_->settle());
        continue;
      }
      if (row.op->outcome != RowOutcome::kConflict)
        co_return Status(sqlstate::serialization_failure, "the row's place changed due to concurrent update");
      const auto index = static_cast<std::size_t>(row.op->conflict_index);
      if (!arbitrates(row, index)) co_return raise_conflict(table, index, {row.values, width});
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
  const std::size_t width = row.table->layout_columns();
  for (unsigned attempt = 0; attempt < kMostRetries; ++attempt) {
    RowWriter writer(ctx_);
    std::vector<GlobalOp> globals;
    const std::shared_ptr<const TableDef>& table = row.table;
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
      row.op = &op;
      if (!globals.empty() && modify_.conflict == ConflictAction::kUpdate) touched_.insert(touched_key(*table, row.key));
      WANDIAN_CO_TRY(inserted(row));
      if (triggers_ != nullptr && triggers_->unsettled()) WANDIAN_CO_TRY(co_await triggers_->settle());
      co_return Status{};
    }
    if (conflict < 0) co_return Status(sqlstate::serialization_failure, "the row's place changed due to concurrent update");
    if (!globals.empty()) co_await ctx_.transaction->rollback_to(savepoint);
    if (!arbitrates(row, static_cast<std::size_t>(conflict))) co_return raise_conflict(*table, static_cast<std::size_t>(conflict), {row.values, width});
    bool retry = false;
    WANDIAN_CO_TRY(co_await resolve_conflict(row, static_cast<std::size_t>(conflict), &retry));
    if (!retry) co_return Status{};
  }
  co_return Status(sqlstate::serialization_failure, "could not resolve a conflict with concurrent transactions");
}

namespace {

class ConflictMutation final : public Mutation {
 public:
  ConflictMutation(ExecContext& ctx, const ModifyPlan& plan, const Value* proposed,
                   std::function<Status(std::span<const Value>, const SystemColumns&)> returning)
      : ctx_(ctx), plan_(plan), proposed_(proposed), returning_(std::move(returning)) {
    may_move = false;
    waits = plan.decisions_wait;
  }
  /// The row and the proposed one in their slots.
  void show(std::span<const Value> values) {
    ctx_.reset_row(0);
    for (const ScanColumn& c : plan_.conflict_columns) ctx_.slots[c.slot] = values[at(c.column)];
    put_system_columns(plan_.target_system, system, ctx_.slots);
    for (const ScanColumn& c : plan_.excluded_columns) ctx_.slots[c.slot] = proposed_[at(c.column)];
    if (leaf != nullptr && plan_.table_slot != kNoSlot) ctx_.slots[plan_.table_slot] = Value::of_int(leaf->table->oid);
  }
  Status decide(const Target&, bool, std::span<Value> values, Decision* decision) override {
    show(values);
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
    for (std::size_t i = 0; i < results_.size(); ++i) values[at(plan_.conflict_sets[i].column)] = results_[i];
    return {};
  }
  Status done(const Target&, std::span<const Value>, std::span<const Value> new_values) override { return returning_(new_values, system); }

 private:
  ExecContext& ctx_;
  const ModifyPlan& plan_;
  const Value* proposed_;
  std::function<Status(std::span<const Value>, const SystemColumns&)> returning_;
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
      found = find_row(*row.table, partition, key.ref(), newest, &seen) && seen.stamp <= view.snapshot.bytes;
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
  if (touched_.contains(touched_key(*row.table, key.ref()))) co_return second_time();
  ConflictMutation mutation(ctx_, modify_, row.values, [this, leaf = row.leaf](std::span<const Value> values, const SystemColumns& system) {
    ++processed_;
    // The row was locked before it was updated, and shows it: clients tell updates from inserts by that.
    system_ = system;
    system_.xmax = system.xmin;
    WANDIAN_TRY(check_view(modify_.returning_columns, values, leaf));
    return return_row(modify_.returning_columns, values, nullptr, leaf);
  });
  mutation.leaf = row.leaf;
  for (const ModifyPlan::Set& set : modify_.conflict_sets) {
    const TableDef& table = *row.table;
    const auto has = [&](const std::vector<std::uint16_t>& columns) {
      return std::find(columns.begin(), columns.end(), mutation.at(set.column)) != columns.end();
    };
    mutation.key_changes = mutation.key_changes || has(table.codec_columns[0]) || has(table.placement.columns);
  }
  // What this command wrote itself cannot be locked again: its row does not come back.
  RowWriter probe(ctx_);
  RowOp& op = probe.add(row.table, partition, key);
  op.kind = RowOp::Kind::kLock;
  op.lock = mutation.key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
  op.want_old = true;
  WANDIAN_CO_TRY(co_await probe.send());
  if (op.outcome == RowOutcome::kAbsent || op.outcome == RowOutcome::kMoved) {
    *retry = true;
    co_return Status{};
  }
  if (op.outcome == RowOutcome::kSelfModified || (op.outcome == RowOutcome::kLocked && op.old_row.data() == nullptr))
    co_return second_time();
  if (modify_.conflict_node) {
    std::vector<Value> values(row.table->layout_columns());
    row.table->layouts->read_all(op.old_layout, op.old_row.data(), values);
    mutation.system = system_columns_before(*ctx_.shard, *row.table, op);
    mutation.show(values);
    WANDIAN_CO_TRY(co_await run_subselects(*modify_.conflict_node, conflict_node_));
  }
  const Target target{partition, key, nullptr, 0, row.leaf};
  std::uint64_t missing = 0;
  WANDIAN_CO_TRY(co_await mutate(row.table, {&target, 1}, mutation, 0, &missing));
  *retry = missing != 0;
  if (missing == 0) {
    for (const IndexDef& definition : row.table->indexes)
      if (definition.global_table != 0) {
        touched_.insert(touched_key(*row.table, key.ref()));
        break;
      }
  }
  co_return Status{};
}

Task<Status> ModifyDriver::run_subselects(const PlanNode& node, OperatorPtr& at_work) {
  if (at_work == nullptr) at_work = make_operator(node, ctx_);
  at_work->restart(ctx_);
  for (;;) {
    const Step step = at_work->next(ctx_);
    if (step == Step::kRow) co_return Status{};
    if (step == Step::kError) co_return std::move(ctx_.error);
    WANDIAN_CO_TRY(co_await ctx_.pause(at_work.get()));
  }
}

// The primary key of the row that holds the unique key, if `view` sees one. DO UPDATE locks it by a primary key without looking.
Status ModifyDriver::find_conflicting(const PendingInsert& row, std::size_t index, ReadView view, KeyBuffer* key, PartitionId* partition,
                                      bool* found) {
  const TableDef& table = *row.table;
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
    scan.open(row.table, options, ScanRange::prefix(table.codecs[index], values));
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
  Arena memory(ctx_.memory_limit());
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
    if (modify_.instead_of) {
      WANDIAN_CO_TRY(co_await instead_of_row(memory));
      continue;
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
