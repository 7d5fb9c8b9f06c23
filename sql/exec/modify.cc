#include "sql/exec/modify.h"

#include <algorithm>
#include <functional>
#include <set>

#include "engine/database.h"
#include "engine/placement.h"
#include "sql/exec/table_access.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

bool any_before_row(const ModifyPlan& plan) {
  constexpr std::uint16_t kBeforeRow = TriggerDef::kRow | TriggerDef::kBefore;
  if (plan.tree == nullptr) return has_triggers(*plan.table, kBeforeRow);
  const auto leaves = plan.tree->leaves();
  return std::any_of(leaves.begin(), leaves.end(), [](const PartitionNode* leaf) { return has_triggers(*leaf->table, kBeforeRow); });
}

bool same_value(Oid type, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  return is_by_value(type) ? a.i == b.i : a.bytes() == b.bytes();
}

// A foreign key may lead to a partition by way of the tables above it.
bool touches_foreign_keys(const TableDef& table) { return !table.foreign_keys.empty() || !table.referencing.empty() || table.partition_of != 0; }

}  // namespace

ModifyDriver::ModifyDriver(ExecContext& ctx, const ModifyPlan& plan, Operator* source)
    : ctx_(ctx),
      modify_(plan),
      source_(source),
      writer_(ctx),
      foreign_keys_(*this, ctx),
      batch_rows_(plan.calls_routines || any_before_row(plan) ? 1 : kBatchRows),
      returning_width_(plan.returning_waits ? plan.returning_slots.slots.size() : plan.returning.size()),
      captures_(has_transition_tables(*plan.table)) {
  if (plan.table->partition_of != 0) target_guard_ = PartitionGuard(*ctx.env->catalog, *plan.table);
  const auto does = [&plan](PlanKind kind) {
    return plan.kind == kind || std::any_of(plan.actions.begin(), plan.actions.end(),
                                            [kind](const ModifyPlan::Action& action) { return !action.nothing && action.kind == kind; });
  };
  if (does(PlanKind::kInsert)) events_.push_back(TriggerDef::kInsert);
  if (does(PlanKind::kUpdate) || plan.conflict == ConflictAction::kUpdate) events_.push_back(TriggerDef::kUpdate);
  if (does(PlanKind::kDelete)) events_.push_back(TriggerDef::kDelete);
  if (plan.kind == PlanKind::kUpdate)
    for (const ModifyPlan::Set& set : plan.sets) set_columns_.push_back(set.column);
  for (const ModifyPlan::Set& set : plan.conflict_sets) set_columns_.push_back(set.column);
  for (const ModifyPlan::Action& action : plan.actions) {
    if (action.kind != PlanKind::kUpdate) continue;
    for (const ModifyPlan::Set& set : action.sets) set_columns_.push_back(set.column);
  }
}
ModifyDriver::~ModifyDriver() = default;

void ModifyDriver::set_source_aside() {
  ctx_.hold_snapshot();
  if (source_ != nullptr) source_->pause(ctx_);   // null: one row, found by its key
  source_frame_.assign(ctx_.slots, ctx_.slots + ctx_.body->slots.size());
}

void ModifyDriver::bring_source_back() { std::copy(source_frame_.begin(), source_frame_.end(), ctx_.slots); }

Task<Status> ModifyDriver::before_statement() {
  if (modify_.table->triggers.empty()) co_return Status{};
  for (const std::uint16_t event : events_) WANDIAN_CO_TRY(co_await triggers().before_statement(modify_.table, event, set_columns_));
  co_return Status{};
}

void ModifyDriver::after_statement() {
  if (modify_.table->triggers.empty()) return;
  for (auto event = events_.rbegin(); event != events_.rend(); ++event) triggers().after_statement(modify_.table, *event, set_columns_);
}

Task<Status> ModifyDriver::run() {
  if (!modify_.table->triggers.empty()) WANDIAN_CO_TRY(co_await before_statement());
  if (modify_.instead_of) WANDIAN_CO_TRY(co_await run_instead());
  else if (modify_.kind == PlanKind::kInsert) WANDIAN_CO_TRY(co_await run_insert());
  else if (modify_.kind == PlanKind::kMerge) WANDIAN_CO_TRY(co_await run_merge());
  else if (modify_.at_owner) WANDIAN_CO_TRY(co_await run_at_owner());
  else WANDIAN_CO_TRY(co_await run_locked());
  after_statement();
  co_return Status{};
}

Task<Status> ModifyDriver::finish() {
  if (foreign_keys_.pending()) WANDIAN_CO_TRY(co_await foreign_keys_.run());
  co_return Status{};
}

Task<Status> ModifyDriver::fire_triggers(ExecContext& ctx) {
  if (ctx.triggers != nullptr) WANDIAN_CO_TRY(co_await ctx.triggers->run());
  co_return Status{};
}

Task<Status> ModifyDriver::before_action(std::shared_ptr<const TableDef> table, bool deletes, std::span<const std::uint16_t> columns) {
  if (table->triggers.empty()) co_return Status{};
  co_return co_await triggers().before_statement(table, deletes ? TriggerDef::kDelete : TriggerDef::kUpdate, columns);
}

void ModifyDriver::after_action(const std::shared_ptr<const TableDef>& table, bool deletes, std::span<const std::uint16_t> columns) {
  if (!table->triggers.empty()) triggers().after_statement(table, deletes ? TriggerDef::kDelete : TriggerDef::kUpdate, columns);
}

void ModifyDriver::capture(const TableDef& table, const Mutation& mutation, unsigned depth, std::uint16_t event, std::span<const Value> old_values,
                           std::span<const Value> new_values) {
  if (depth == 0) {
    if (captures_) triggers().capture(*modify_.table, event, old_values, new_values, mutation.leaf, mutation.leaf);
    return;
  }
  const TableDef& whole = mutation.capture_table != nullptr ? *mutation.capture_table : table;
  if (!has_transition_tables(whole)) return;
  if (whole.oid == table.oid) return triggers().capture(whole, event, old_values, new_values);
  const PartitionTree tree(*ctx_.env->catalog, mutation.capture_table);
  const PartitionNode* leaf = tree.find(table.oid);
  triggers().capture(whole, event, old_values, new_values, leaf, leaf);
}

Task<Status> ModifyDriver::check_constraints(const TableDef& table, std::string_view row) {
  const auto& checks = static_cast<const SessionChecks&>(*table.row_checks);
  co_return co_await awaited_.eval(ctx_, *ctx_.row_memory[0], [&] { return check_row(table, row.data(), eval(), &checks); });
}

// ---- views with INSTEAD OF triggers ----

// The source's row, or what evaluate_insert() has made of parameters, as the triggers' OLD and NEW.
Task<Status> ModifyDriver::instead_of_row(Arena& memory) {
  const bool inserts = modify_.kind == PlanKind::kInsert, deletes = modify_.kind == PlanKind::kDelete;
  const std::uint16_t event = inserts ? TriggerDef::kInsert : deletes ? TriggerDef::kDelete : TriggerDef::kUpdate;
  const TableDef& view = *modify_.table;
  const std::size_t width = view.columns.size();
  const std::vector<ScanColumn>& columns = inserts ? modify_.returning_columns : modify_.target_columns;
  memory.reset();
  std::vector<Value> old_values(width, Value::null()), new_values;
  const auto keep = [&](std::vector<Value>& row) {
    for (std::size_t c = 0; c < width; ++c) row[c] = copy_value(view.columns[c].type, row[c], memory);
  };
  if (inserts) {
    WANDIAN_CO_TRY(evaluate_insert(modify_.sets));
    new_values = values_;
  } else {
    for (const ScanColumn& c : modify_.target_columns) old_values[c.column] = ctx_.slots[c.slot];
    keep(old_values);
    new_values = old_values;
    ctx_.reset_row(0);
    for (const ModifyPlan::Set& set : modify_.sets)
      if (!ctx_.eval(set.value, 0, &new_values[set.column])) co_return std::move(ctx_.error);
  }
  keep(new_values);
  if (source_ != nullptr) set_source_aside();
  bool skip = false;
  const std::span<Value> given = deletes ? std::span<Value>() : std::span<Value>(new_values);
  WANDIAN_CO_TRY(co_await triggers().instead_of_row(modify_.table, event, old_values, given, memory, &skip));
  if (!skip) {
    ++processed_;
    if (!deletes) WANDIAN_CO_TRY(check_view(columns, new_values));
    WANDIAN_CO_TRY(return_row(columns, deletes ? old_values : new_values, nullptr));
  }
  if (source_ != nullptr) bring_source_back();
  co_return Status{};
}

Task<Status> ModifyDriver::run_instead() {
  Arena memory(ctx_.memory_limit());
  if (source_ == nullptr) co_return co_await instead_of_row(memory);
  source_->restart(ctx_);
  for (;;) {
    const Step step = source_->next(ctx_);
    if (step == Step::kEnd) co_return Status{};
    if (step == Step::kError) co_return std::move(ctx_.error);
    if (step == Step::kPause) WANDIAN_CO_TRY(co_await ctx_.pause(source_));
    else WANDIAN_CO_TRY(co_await instead_of_row(memory));
  }
}

Status ModifyDriver::check_view(std::span<const ScanColumn> columns, std::span<const Value> values, const PartitionNode* leaf) {
  if (modify_.checks.empty()) return {};
  ctx_.reset_row(0);
  for (const ScanColumn& c : columns) ctx_.slots[c.slot] = values[leaf != nullptr ? leaf->columns[c.column] : c.column];
  put_system_columns(modify_.target_system, system_, ctx_.slots);
  for (const ModifyPlan::Check& check : modify_.checks) {
    bool holds;
    if (!ctx_.test(check.condition, 0, &holds)) return std::move(ctx_.error);
    if (!holds)
      return Status(sqlstate::with_check_option_violation, "new row violates check option for view \"" + check.view + "\"")
          .with_detail(failing_row(leaf != nullptr ? *leaf->table : *modify_.table, values, eval()));
  }
  return {};
}

Status ModifyDriver::return_row(std::span<const ScanColumn> columns, std::span<const Value> values, const Value* others, const PartitionNode* leaf,
                                Oid table) {
  if (modify_.returning.empty()) return {};
  ctx_.reset_row(0);
  for (const ScanColumn& c : columns) ctx_.slots[c.slot] = values[leaf != nullptr ? leaf->columns[c.column] : c.column];
  put_system_columns(modify_.target_system, system_, ctx_.slots);
  if (others != nullptr) restore_slots(modify_.others, others, ctx_.slots);
  if (leaf != nullptr && modify_.table_slot != kNoSlot) ctx_.slots[modify_.table_slot] = Value::of_int(table != 0 ? table : leaf->table->oid);
  if (modify_.returning_waits) {
    const Value* kept = save_slots(modify_.returning_slots, ctx_.slots, ctx_.statement);
    returned_.insert(returned_.end(), kept, kept + returning_width_);
    ++returned_count_;
    return {};
  }
  ++returned_count_;
  for (const PlanExpr& expr : modify_.returning) {
    Value value;
    if (!ctx_.eval(expr, 0, &value)) return std::move(ctx_.error);
    returned_.push_back(is_by_value(expr.expr->type) ? value : copy_bytes(value, ctx_.statement));
  }
  return {};
}

Task<Status> ModifyDriver::compute_returned() {
  std::vector<Value> computed;
  OperatorPtr subselects;
  for (std::size_t row = 0; row < returned_count_; ++row) {
    restore_slots(modify_.returning_slots, returned(row).data(), ctx_.slots);
    if (modify_.returning_node) WANDIAN_CO_TRY(co_await run_subselects(*modify_.returning_node, subselects));
    for (const PlanExpr& expr : modify_.returning) {
      Value value;
      WANDIAN_CO_TRY(co_await awaited_.eval(ctx_, *ctx_.row_memory[0], [&] {
        ctx_.reset_row(0);
        return ctx_.eval(expr, 0, &value) ? Status{} : std::move(ctx_.error);
      }));
      computed.push_back(is_by_value(expr.expr->type) ? value : copy_bytes(value, ctx_.statement));
    }
  }
  returned_ = std::move(computed);
  returning_width_ = modify_.returning.size();
  co_return Status{};
}

// ---- changes decided at the owner: one operation a row ----

RowTransform::Verdict OwnerTransform::apply(const RowView& newest, bool changed, Arena& arena, std::string_view* out, Status* error) {
  const TableDef& table = *modify->table;
  const LayoutSet& layouts = *table.layouts;
  EvalContext eval{arena, *env->format, nullptr, env->statement_timestamp, env->transaction_timestamp, {}};
  ExprInput input;
  input.columns = frame;
  input.params = params;
  for (const ScanColumn& c : modify->target_columns) frame[c.slot] = layouts.read(newest.layout, newest.row, c.column);
  if (!modify->target_system.empty())
    put_system_columns(modify->target_system, system_columns(table, env->shard->database().place_secret(), newest, nullptr), frame);
  if (others != nullptr) restore_slots(modify->others, others, frame);
  if (changed && modify->recheck) {
    bool passes;
    if (!modify->recheck.code.test(eval, input, &passes)) {
      *error = std::move(eval.error);
      return Verdict::kError;
    }
    if (!passes) return Verdict::kSkip;
  }
  if (deletes) return Verdict::kDelete;
  const RowLayout& layout = layouts.newest();
  constexpr std::size_t kFew = 32;
  ColumnChange few[kFew];
  std::vector<ColumnChange> many;
  if (modify->sets.size() > kFew) many.resize(modify->sets.size());
  const std::span<ColumnChange> changes = modify->sets.size() > kFew ? std::span(many) : std::span(few, modify->sets.size());
  bool null_written = false;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    changes[i].column = modify->sets[i].column;
    if (!modify->sets[i].value.code.eval(eval, input, &changes[i].value)) {
      *error = std::move(eval.error);
      return Verdict::kError;
    }
    null_written |= changes[i].value.is_null && table.columns[changes[i].column].not_null;
  }
  if (null_written || newest.layout != layouts.newest_id() || table.generator != nullptr) {
    std::vector<Value> values(table.layout_columns());
    layouts.read_all(newest.layout, newest.row, values);
    for (const ColumnChange& change : changes) values[change.column] = change.value;
    if (table.generator != nullptr) {
      if (Status status = table.generator->generate(values, arena); !status.ok()) {
        *error = std::move(status);
        return Verdict::kError;
      }
    }
    // There is no session here, but what the error says of the row and of its table needs the types.
    CatalogTypes types(*env->catalog, {}, env->database);
    const TypeCatalogScope scope(&types);
    if (Status status = check_not_null(table, values, eval); !status.ok()) {
      *error = std::move(status);
      return Verdict::kError;
    }
    if (Status status = encode_row(table, values, arena, out); !status.ok()) {
      *error = std::move(status);
      return Verdict::kError;
    }
  } else {
    const std::uint64_t size = layout.updated_size(newest.row, changes);
    if (size > (std::uint64_t{1} << 30)) {
      *error = Status(sqlstate::program_limit_exceeded, "row is too big");
      return Verdict::kError;
    }
    char* bytes = static_cast<char*>(arena.allocate(size, 8));
    layout.update(newest.row, changes, bytes);
    *out = {bytes, size};
  }
  if (Status status = check_row(table, out->data(), eval); !status.ok()) {
    *error = std::move(status);
    return Verdict::kError;
  }
  return Verdict::kUpdate;
}

// The next row to change. Where the plan is one row by its key, that row is looked up here, without operators.
Step ModifyDriver::next_target() {
  if (source_ != nullptr) return source_->next(ctx_);
  if (std::exchange(looked_up_, true)) return Step::kEnd;
  const FastPath& fast = ctx_.body->fast;
  const TableDef& table = *fast.table;
  const KeyCodec& codec = table.codecs[0];
  values_.resize(fast.key.size());
  for (std::size_t i = 0; i < fast.key.size(); ++i) {
    if (!ctx_.eval(fast.key[i], 0, &values_[i])) return Step::kError;
    if (values_[i].is_null || !codec.fits(static_cast<unsigned>(i), values_[i])) return Step::kEnd;
  }
  KeyBuffer key;
  codec.encode(values_, key);
  RowView row;
  if (!find_by_key(ctx_, table, key, values_, &row)) return Step::kEnd;
  const ScanNode& scan = *fast.scan;
  if (scan.filter) {
    for (const ScanColumn& c : scan.filter_columns) ctx_.slots[c.slot] = table.layouts->read(row.layout, row.row, c.column);
    bool passes;
    if (!ctx_.test(scan.filter, 0, &passes)) return Step::kError;
    if (!passes) return Step::kEnd;
  }
  ctx_.slots[modify_.key_slot] = Value::of_bytes(writer_.inputs().copy(key.ref().view()));
  ctx_.slots[modify_.partition_slot] = Value::of_int(row.partition);
  return Step::kRow;
}

Task<Status> ModifyDriver::run_at_owner() {
  const bool deletes = modify_.kind == PlanKind::kDelete;
  const std::shared_ptr<const TableDef>& table = modify_.table;
  std::vector<Value*> frames(ctx_.env->shard->database().shards(), nullptr);
  struct Sent {
    RowOp* op;
    const Value* others;
  };
  std::vector<Sent> sent;
  bool more = true;
  if (source_ != nullptr) source_->restart(ctx_);
  while (more) {
    const Step step = next_target();
    if (step == Step::kError) co_return std::move(ctx_.error);
    if (step == Step::kPause) {
      WANDIAN_CO_TRY(co_await ctx_.pause(source_));
      continue;
    }
    if (step == Step::kRow) {
      const Value& key = ctx_.slots[modify_.key_slot];
      const auto partition = static_cast<PartitionId>(ctx_.slots[modify_.partition_slot].i);
      if (key.is_null) continue;   // the target is the empty side of an outer join
      Arena& inputs = writer_.inputs();
      const std::string_view copied = inputs.copy(key.bytes());
      RowOp& op = writer_.add(table, partition, {copied.data(), static_cast<std::uint32_t>(copied.size())});
      op.lock = deletes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
      op.want_new = !deletes && !modify_.returning.empty();
      op.want_old = deletes && !modify_.returning.empty();
      auto* transform = new (inputs.allocate(sizeof(OwnerTransform), alignof(OwnerTransform))) OwnerTransform();
      transform->modify = &modify_;
      transform->env = ctx_.env;
      transform->params = ctx_.params;
      const unsigned owner = ctx_.transaction->owner_of(partition);
      if (frames[owner] == nullptr) {
        frames[owner] = ctx_.statement.allocate_array<Value>(ctx_.body->slots.size() + 1);
        for (std::size_t i = 0; i < ctx_.body->slots.size(); ++i) frames[owner][i] = Value::null();
        // Values of init plans do not change any more.
        for (const std::unique_ptr<PlanSubselect>& plan : ctx_.body->init_plans) frames[owner][plan->out] = ctx_.slots[plan->out];
      }
      transform->frame = frames[owner];
      transform->deletes = deletes;
      if (!modify_.others.slots.empty()) transform->others = save_slots(modify_.others, ctx_.slots, inputs);
      op.transform = transform;
      sent.push_back({&op, transform->others});
    } else {
      more = false;
    }
    if (more && writer_.pending() < batch_rows_) continue;
    if (more) set_source_aside();
    WANDIAN_CO_TRY(co_await writer_.send());
    for (const Sent& item : sent) {
      RowOp& op = *item.op;
      switch (op.outcome) {
        case RowOutcome::kUpdated:
        case RowOutcome::kDeleted: {
          ++processed_;
          if (modify_.returning.empty()) break;
          values_.resize(table->layout_columns());
          if (deletes) table->layouts->read_all(op.old_layout, op.old_row.data(), values_);
          else table->layouts->read_all(table->layouts->newest_id(), op.new_row.data(), values_);
          if (!modify_.target_system.empty()) {
            system_ = deletes ? system_columns_before(*ctx_.shard, *table, op) : system_columns_after(ctx_, op, op.new_row);
            if (deletes) system_.xmax = transaction_number(ctx_.transaction->id());
          }
          WANDIAN_CO_TRY(return_row(modify_.target_columns, values_, item.others));
          break;
        }
        case RowOutcome::kConflict:
          values_.resize(table->layout_columns());
          table->layouts->read_all(table->layouts->newest_id(), op.new_row.data(), values_);
          co_return raise_conflict(*table, static_cast<std::size_t>(op.conflict_index), values_);
        case RowOutcome::kMoved:
          co_return Status(sqlstate::serialization_failure, "tuple to be locked was already moved to another partition due to concurrent update");
        default: break;
      }
    }
    sent.clear();
    writer_.clear();
    if (more) bring_source_back();
  }
  co_return Status{};
}

// ---- changes decided on the session's shard: lock first, then write ----

namespace {

class StatementMutation final : public Mutation {
 public:
  StatementMutation(ExecContext& ctx, const ModifyPlan& plan, std::function<Status(std::span<const Value>, const Value*, const Mutation&)> returning)
      : ctx_(ctx), plan_(plan), returning_(std::move(returning)) {}

  Status decide(const Target& target, bool changed, std::span<Value> values, Decision* decision) override {
    ctx_.reset_row(0);
    for (const ScanColumn& c : plan_.target_columns) ctx_.slots[c.slot] = values[at(c.column)];
    put_system_columns(plan_.target_system, system, ctx_.slots);
    if (target.others != nullptr) restore_slots(plan_.others, target.others, ctx_.slots);
    if (leaf != nullptr) ctx_.slots[plan_.table_slot] = Value::of_int(leaf->table->oid);
    if (changed && plan_.recheck) {
      bool passes;
      if (!ctx_.test(plan_.recheck, 0, &passes)) return std::move(ctx_.error);
      if (!passes) {
        *decision = Decision::kSkip;
        return {};
      }
    }
    if (deletes) return {};
    results_.resize(plan_.sets.size());
    for (std::size_t i = 0; i < plan_.sets.size(); ++i)
      if (!ctx_.eval(plan_.sets[i].value, 0, &results_[i])) return std::move(ctx_.error);
    for (std::size_t i = 0; i < plan_.sets.size(); ++i) values[at(plan_.sets[i].column)] = results_[i];
    return {};
  }
  Status done(const Target& target, std::span<const Value> old_values, std::span<const Value> new_values) override {
    return returning_(deletes ? old_values : new_values, target.others, *this);
  }

 private:
  ExecContext& ctx_;
  const ModifyPlan& plan_;
  std::function<Status(std::span<const Value>, const Value*, const Mutation&)> returning_;
  std::vector<Value> results_;
};

}  // namespace

Task<Status> ModifyDriver::run_locked() {
  StatementMutation mutation(ctx_, modify_, [this](std::span<const Value> values, const Value* others, const Mutation& of) {
    ++processed_;
    system_ = of.system;
    if (modify_.kind == PlanKind::kUpdate) WANDIAN_TRY(check_view(modify_.target_columns, values, of.leaf));
    return return_row(modify_.target_columns, values, others, of.leaf, of.written_to);
  });
  mutation.deletes = modify_.kind == PlanKind::kDelete;
  mutation.key_changes = modify_.key_changes;
  Arena memory(ctx_.memory_limit());
  std::vector<Target> targets;
  bool more = true;
  source_->restart(ctx_);
  while (more) {
    const Step step = source_->next(ctx_);
    if (step == Step::kError) co_return std::move(ctx_.error);
    if (step == Step::kPause) {
      WANDIAN_CO_TRY(co_await ctx_.pause(source_));
      continue;
    }
    if (step == Step::kRow) {
      const Value& key = ctx_.slots[modify_.key_slot];
      if (key.is_null) continue;
      const std::string_view copied = memory.copy(key.bytes());
      Target& target = targets.emplace_back();
      target.partition = static_cast<PartitionId>(ctx_.slots[modify_.partition_slot].i);
      target.key = {copied.data(), static_cast<std::uint32_t>(copied.size())};
      target.leaf = leaf_of_row();
      if (!modify_.others.slots.empty()) target.others = save_slots(modify_.others, ctx_.slots, memory);
    } else {
      more = false;
    }
    if (more && targets.size() < batch_rows_) continue;
    if (more) set_source_aside();
    WANDIAN_CO_TRY(co_await mutate_targets(targets, mutation, nullptr));
    targets.clear();
    memory.reset();
    if (more) bring_source_back();
  }
  co_return Status{};
}

Task<Status> ModifyDriver::mutate(std::shared_ptr<const TableDef> table, std::span<const Target> targets, Mutation& mutation,
                                  unsigned depth, std::uint64_t* missing) {
  if (depth > 64) co_return Status(sqlstate::statement_too_complex, "foreign key actions are nested too deeply");
  const LayoutSet& layouts = *table->layouts;
  const std::size_t width = table->layout_columns();
  RowWriter locks(ctx_), writes(ctx_);
  std::vector<RowOp*> locked;
  if (table->generator != nullptr && table->generator->generates_key()) mutation.key_changes = true;
  for (const Target& target : targets) {
    RowOp& op = locks.add(table, target.partition, target.key);
    op.kind = RowOp::Kind::kLock;
    op.lock = mutation.lock_of(target);
    op.changes_next = op.want_old = true;
    locked.push_back(&op);
  }
  WANDIAN_CO_TRY(co_await locks.send());

  std::vector<Written> written;
  std::vector<WriteOp> ops;
  PartitionGuard guard;
  if (table->partition_of != 0) guard = PartitionGuard(*ctx_.env->catalog, *table);
  Arena& memory = writes.inputs();
  // A join may lead to a row more than once; its first change counts. The owner knows only what earlier batches have written.
  std::set<std::pair<PartitionId, KeyRef>> decided;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const RowOp& lock = *locked[i];
    if (lock.outcome == RowOutcome::kMoved)
      co_return Status(sqlstate::serialization_failure, "tuple to be locked was already moved to another partition due to concurrent update");
    if (lock.outcome != RowOutcome::kLocked || lock.old_row.data() == nullptr) {
      if (missing != nullptr) ++*missing;
      WANDIAN_CO_TRY(mutation.gone(targets[i], lock.outcome == RowOutcome::kLocked));
      continue;
    }
    Value* old_values = memory.allocate_array<Value>(width);
    Value* new_values = memory.allocate_array<Value>(width);
    layouts.read_all(lock.old_layout, lock.old_row.data(), {old_values, width});
    std::copy(old_values, old_values + width, new_values);
    if (!modify_.target_system.empty()) mutation.system = system_columns_before(*ctx_.shard, *table, lock);
    Mutation::Decision decision = mutation.deletes ? Mutation::Decision::kDelete : Mutation::Decision::kUpdate;
    if (mutation.waits) {
      const bool deletes = mutation.deletes;
      WANDIAN_CO_TRY(co_await awaited_.eval(ctx_, *ctx_.row_memory[0], [&] {
        std::copy(old_values, old_values + width, new_values);
        decision = deletes ? Mutation::Decision::kDelete : Mutation::Decision::kUpdate;
        return mutation.decide(targets[i], lock.changed, {new_values, width}, &decision);
      }));
    } else {
      WANDIAN_CO_TRY(mutation.decide(targets[i], lock.changed, {new_values, width}, &decision));
    }
    if (decision == Mutation::Decision::kSkip) continue;
    if (!decided.emplace(targets[i].partition, targets[i].key).second) {
      WANDIAN_CO_TRY(mutation.gone(targets[i], true));
      continue;
    }
    const bool deletes = decision == Mutation::Decision::kDelete;
    bool key_changes = mutation.key_changes;
    if (!table->triggers.empty()) {
      // The functions may wait: what the new row points to must stay.
      for (std::size_t c = 0; c < table->columns.size(); ++c)
        if (!is_by_value(table->columns[c].type) && new_values[c].p != old_values[c].p) new_values[c] = copy_bytes(new_values[c], memory);
      const std::uint16_t event = deletes ? TriggerDef::kDelete : TriggerDef::kUpdate;
      bool skip = false;
      WANDIAN_CO_TRY(co_await triggers().before_row(table, event, depth == 0 ? std::span<const std::uint16_t>(set_columns_) : mutation.columns,
                                                   {old_values, width}, {new_values, width}, memory, &skip));
      if (skip) continue;
      // What a trigger has changed may be part of the key.
      const auto changed = [&](const std::vector<std::uint16_t>& columns) {
        for (const std::uint16_t column : columns)
          if (column < table->columns.size() && !same_value(table->columns[column].type, old_values[column], new_values[column])) return true;
        return false;
      };
      if (!deletes && has_triggers(*table, TriggerDef::kRow | TriggerDef::kBefore | TriggerDef::kUpdate))
        key_changes = key_changes || changed(table->codec_columns[0]) || changed(table->placement.columns);
    }
    Written item{&targets[i], old_values, new_values, ops.size(), 0, deletes, nullptr, nullptr, &lock};
    if (!deletes && !guard.empty()) {
      bool belongs = true;
      WANDIAN_CO_TRY(guard.belongs({new_values, width}, eval(), &belongs));
      if (!belongs) {
        WANDIAN_CO_TRY(co_await move_row(table, mutation, depth, writes, item, &ops, &written));
        continue;
      }
    }
    if (deletes) {
      WANDIAN_CO_TRY(queue_delete(writes, *table, table, targets[i], {old_values, width}, &ops));
    } else {
      // Values were made in the row's memory: they must outlive the next row.
      for (std::size_t c = 0; c < table->columns.size(); ++c)
        if (!is_by_value(table->columns[c].type) && new_values[c].p != old_values[c].p) new_values[c] = copy_bytes(new_values[c], memory);
      if (table->generator != nullptr) WANDIAN_CO_TRY(table->generator->generate({new_values, width}, memory));
      WANDIAN_CO_TRY(check_not_null(*table, {new_values, width}, eval()));
      std::string_view bytes;
      WANDIAN_CO_TRY(encode_row(*table, {new_values, width}, memory, &bytes));
      if (table->row_checks != nullptr && table->row_checks->waits()) WANDIAN_CO_TRY(co_await check_constraints(*table, bytes));
      else WANDIAN_CO_TRY(check_row(*table, bytes.data(), eval()));
      if (table->placement.kind == PlacementKind::kDirectory) {
        const std::uint16_t region = table->placement.columns[0];
        if (old_values[region].bytes() != new_values[region].bytes())
          co_return Status(sqlstate::feature_not_supported, "moving a row of a directory to another region is not supported");
      }
      PartitionId partition = targets[i].partition;
      KeyRef key = targets[i].key;
      if (key_changes) {
        key = key_of(*table, 0, {new_values, width}, memory);
        Result<PartitionId> place =
            place_row(ctx_.shard->database().placement(), *table, *ctx_.env->catalog, {new_values, width}, true);
        if (!place.ok()) co_return place.take_status();
        partition = place.value();
        if (partition == kNoPartition) {
          WANDIAN_CO_TRY(foreign_keys_.written(table, {new_values, width}, nullptr));
          WANDIAN_CO_TRY(co_await foreign_keys_.run());
          co_return Status(sqlstate::foreign_key_violation, "the row has no place: its directory does not know its key");
        }
      }
      if (partition == targets[i].partition && key == targets[i].key) {
        RowOp& op = writes.add(table, partition, key);
        op.lock = key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
        op.transform = new (memory.allocate(sizeof(ReplaceRow), alignof(ReplaceRow))) ReplaceRow(bytes);
        ops.push_back({&op, -1});
      } else {
        RowOp& erase = writes.add(table, targets[i].partition, targets[i].key);
        erase.lock = RowLock::kUpdate;
        erase.transform = &delete_row_;
        ops.push_back({&erase, -1});
        RowOp& insert = writes.add(table, partition, key);
        insert.kind = RowOp::Kind::kInsert;
        insert.row = bytes;
        ops.push_back({&insert, -1});
      }
      for (std::size_t x = 0; x < table->indexes.size(); ++x) {
        if (table->indexes[x].global_table == 0) continue;
        bool had = false, has = false;
        GlobalEntry before, after;
        WANDIAN_CO_TRY(make_global_entry(ctx_, *table, x, {old_values, width}, memory, &had, &before));
        WANDIAN_CO_TRY(make_global_entry(ctx_, *table, x, {new_values, width}, memory, &has, &after));
        if (had && has && before.row == after.row) continue;
        if (had && has && before.key == after.key) {
          RowOp& op = writes.add(after.table, after.partition, after.key);
          op.transform = new (memory.allocate(sizeof(ReplaceRow), alignof(ReplaceRow))) ReplaceRow(after.row);
          ops.push_back({&op, static_cast<int>(x)});
          continue;
        }
        if (had) {
          RowOp& op = writes.add(before.table, before.partition, before.key);
          op.lock = RowLock::kUpdate;
          op.transform = &delete_row_;
          ops.push_back({&op, static_cast<int>(x)});
        }
        if (has) {
          RowOp& op = writes.add(after.table, after.partition, after.key);
          op.kind = RowOp::Kind::kInsert;
          op.row = after.row;
          ops.push_back({&op, static_cast<int>(x)});
        }
      }
    }
    item.ops = ops.size() - item.first_op;
    written.push_back(std::move(item));
  }
  WANDIAN_CO_TRY(co_await writes.send());
  for (const Written& item : written) {
    for (std::size_t o = item.first_op; o < item.first_op + item.ops; ++o) {
      const auto& [op, index] = ops[o];
      if (op->outcome == RowOutcome::kConflict && item.moved_to != nullptr)
        co_return raise_conflict(*item.moved_to, index >= 0 ? static_cast<std::size_t>(index) : static_cast<std::size_t>(op->conflict_index),
                                 {item.moved_values, item.moved_to->layout_columns()});
      if (op->outcome == RowOutcome::kConflict)
        co_return raise_conflict(*table, index >= 0 ? static_cast<std::size_t>(index) : static_cast<std::size_t>(op->conflict_index),
                                 {item.new_values, width});
    }
    mutation.written_to = item.moved_to != nullptr ? item.moved_to->oid : 0;
    if (!modify_.target_system.empty()) mutation.system = system_columns_of(*table, item, ops);
    if (item.moved_to != nullptr) {
      WANDIAN_CO_TRY(moved(table, item, depth));
      capture(*table, mutation, depth, TriggerDef::kUpdate, {item.old_values, width}, {item.new_values, width});
      if (triggers_ != nullptr && triggers_->unsettled()) WANDIAN_CO_TRY(co_await triggers_->settle());
      WANDIAN_CO_TRY(mutation.done(*item.target, {item.old_values, width}, {item.new_values, width}));
      continue;
    }
    if (!item.deleted && table->has_later_keys)
      WANDIAN_CO_TRY(foreign_keys_.written_unique(table, {item.new_values, width}, item.old_values));
    if (touches_foreign_keys(*table)) {
      if (!item.deleted) WANDIAN_CO_TRY(foreign_keys_.written(table, {item.new_values, width}, item.old_values));
      WANDIAN_CO_TRY(foreign_keys_.removed(table, {item.old_values, width}, item.deleted ? nullptr : item.new_values, depth));
    }
    const std::uint16_t event = item.deleted ? TriggerDef::kDelete : TriggerDef::kUpdate;
    if (captures_ || depth != 0) capture(*table, mutation, depth, event, {item.old_values, width}, {item.new_values, width});
    if (!table->triggers.empty())
      WANDIAN_CO_TRY(triggers().after_row(table, event, depth == 0 ? std::span<const std::uint16_t>(set_columns_) : mutation.columns,
                                          {item.old_values, width}, {item.new_values, width}));
    if (triggers_ != nullptr && triggers_->unsettled()) WANDIAN_CO_TRY(co_await triggers_->settle());
    WANDIAN_CO_TRY(mutation.done(*item.target, {item.old_values, width}, {item.new_values, width}));
  }
  co_return Status{};
}

SystemColumns ModifyDriver::system_columns_of(const TableDef& table, const Written& item, std::span<const WriteOp> ops) {
  SystemColumns out = system_columns_before(*ctx_.shard, table, *item.lock);
  const std::uint32_t own = transaction_number(ctx_.transaction->id());
  if (item.deleted) {
    out.xmax = own;
    return out;
  }
  out.xmin = own;
  out.cmin = shown_command(ctx_.view.command);
  // A row whose key changes is inserted anew.
  for (const WriteOp& write : ops.subspan(item.first_op, item.ops))
    if (write.index < 0 && write.op->kind == RowOp::Kind::kInsert) return system_columns_after(ctx_, *write.op);
  return out;
}

Status ModifyDriver::queue_delete(RowWriter& writes, const TableDef& table, std::shared_ptr<const TableDef> shared, const Target& target,
                                  std::span<const Value> values, std::vector<WriteOp>* ops) {
  RowOp& op = writes.add(shared, target.partition, target.key);
  op.lock = RowLock::kUpdate;
  op.transform = &delete_row_;
  ops->push_back({&op, -1});
  for (std::size_t x = 0; x < table.indexes.size(); ++x) {
    if (table.indexes[x].global_table == 0) continue;
    bool has = false;
    GlobalEntry entry;
    WANDIAN_TRY(make_global_entry(ctx_, table, x, values, writes.inputs(), &has, &entry));
    if (!has) continue;
    RowOp& erase = writes.add(entry.table, entry.partition, entry.key);
    erase.lock = RowLock::kUpdate;
    erase.transform = &delete_row_;
    ops->push_back({&erase, static_cast<int>(x)});
  }
  return {};
}

Status ModifyDriver::raise_conflict(const TableDef& table, std::size_t index, std::span<const Value> values) {
  return unique_violation(*ctx_.env->catalog, table, index, values, eval());
}

}  // namespace wandian::sql
