// MERGE: each row of the join takes the first action whose condition holds. Rows that match are locked first; one that changed
// meanwhile is joined and asked again, and one that is gone, or does not match any more, counts as not matched.
#include <unordered_set>

#include "sql/exec/modify.h"

namespace wandian::sql {

class MergeMutation final : public Mutation {
 public:
  explicit MergeMutation(ModifyDriver& driver) : driver_(driver), ctx_(driver.ctx_), plan_(driver.modify_) {
    key_changes = plan_.key_changes;
    waits = plan_.decisions_wait;
  }

  RowLock lock_of(const Target& target) const override {
    return plan_.actions[target.action].kind == PlanKind::kDelete || key_changes ? RowLock::kUpdate : RowLock::kNoKeyUpdate;
  }
  Status decide(const Target& target, bool changed, std::span<Value> values, Decision* decision) override {
    ctx_.reset_row(0);
    for (const ScanColumn& c : plan_.target_columns) ctx_.slots[c.slot] = values[at(c.column)];
    put_system_columns(plan_.target_system, system, ctx_.slots);
    if (leaf != nullptr) ctx_.slots[plan_.table_slot] = Value::of_int(leaf->table->oid);
    if (target.others != nullptr) restore_slots(plan_.others, target.others, ctx_.slots);
    std::uint32_t number = target.action;
    if (changed) {
      bool matches = true;
      if (plan_.recheck && !ctx_.test(plan_.recheck, 0, &matches)) return std::move(ctx_.error);
      if (!matches) {
        *decision = Decision::kSkip;
        unmatched.push_back(target.others);
        return {};
      }
      WANDIAN_TRY(driver_.choose_action(true, &number));
    }
    if (number == plan_.actions.size() || plan_.actions[number].nothing) {
      *decision = Decision::kSkip;
      return {};
    }
    const ModifyPlan::Action& action = plan_.actions[number];
    *decision = action.kind == PlanKind::kDelete ? Decision::kDelete : Decision::kUpdate;
    results_.resize(action.sets.size());
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (!ctx_.eval(action.sets[i].value, 0, &results_[i])) return std::move(ctx_.error);
    for (std::size_t i = 0; i < results_.size(); ++i) values[at(action.sets[i].column)] = results_[i];
    return {};
  }
  Status gone(const Target& target, bool by_itself) override {
    if (by_itself)
      return Status(sqlstate::cardinality_violation, "MERGE command cannot affect row a second time")
          .with_hint("Ensure that not more than one source row matches any one target row.");
    unmatched.push_back(target.others);
    return {};
  }
  Status done(const Target&, std::span<const Value>, std::span<const Value>) override {
    ++driver_.processed_;
    return {};
  }

  std::vector<const Value*> unmatched;   ///< the kept slots of rows that turned out not to match

 private:
  ModifyDriver& driver_;
  ExecContext& ctx_;
  const ModifyPlan& plan_;
  std::vector<Value> results_;
};

Status ModifyDriver::choose_action(bool matched, std::uint32_t* chosen) {
  for (std::uint32_t i = 0; i < modify_.actions.size(); ++i) {
    const ModifyPlan::Action& action = modify_.actions[i];
    if (action.matched != matched) continue;
    bool holds = true;
    if (action.condition && !ctx_.test(action.condition, 0, &holds)) return std::move(ctx_.error);
    if (!holds) continue;
    *chosen = i;
    return {};
  }
  *chosen = static_cast<std::uint32_t>(modify_.actions.size());
  return {};
}

Task<Status> ModifyDriver::merge_unmatched(bool source_is_aside) {
  std::uint32_t number = 0;
  const auto evaluate = [&]() -> Status {
    ctx_.reset_row(0);
    WANDIAN_TRY(choose_action(false, &number));
    if (number == modify_.actions.size() || modify_.actions[number].nothing) return {};
    return evaluate_insert(modify_.actions[number].sets);
  };
  if (!modify_.decisions_wait) WANDIAN_CO_TRY(evaluate());
  else if (source_is_aside) WANDIAN_CO_TRY(co_await awaited_.eval(ctx_, *ctx_.row_memory[0], evaluate));
  else WANDIAN_CO_TRY(co_await await_aside(evaluate));
  if (number == modify_.actions.size() || modify_.actions[number].nothing) co_return Status{};
  co_return co_await queue_insert();
}

Task<Status> ModifyDriver::merge_targets(std::vector<Target>& targets) {
  MergeMutation mutation(*this);
  WANDIAN_CO_TRY(co_await mutate_targets(targets, mutation, nullptr));
  for (const Value* others : mutation.unmatched) {
    if (others != nullptr) restore_slots(modify_.others, others, ctx_.slots);
    for (const std::vector<ScanColumn>* columns : {&modify_.target_columns, &modify_.target_system})
      for (const ScanColumn& c : *columns) ctx_.slots[c.slot] = Value::null();
    WANDIAN_CO_TRY(co_await merge_unmatched(true));
  }
  if (!mutation.unmatched.empty()) WANDIAN_CO_TRY(co_await flush_inserts());
  targets.clear();
  co_return Status{};
}

// Rows are written in the source's order, as far as that can be seen: one kind of work is done before the other begins.
Task<Status> ModifyDriver::run_merge() {
  Arena memory(ctx_.memory_limit());
  std::vector<Target> targets;
  std::unordered_set<std::string_view> keys;
  const auto write_targets = [&]() -> Task<Status> {
    set_source_aside();
    WANDIAN_CO_TRY(co_await merge_targets(targets));
    keys.clear();
    memory.reset();
    bring_source_back();
    co_return Status{};
  };
  const auto write_inserts = [&]() -> Task<Status> {
    set_source_aside();
    WANDIAN_CO_TRY(co_await flush_inserts());
    bring_source_back();
    co_return Status{};
  };
  source_->restart(ctx_);
  for (;;) {
    const Step step = source_->next(ctx_);
    if (step == Step::kError) co_return std::move(ctx_.error);
    if (step == Step::kPause) {
      WANDIAN_CO_TRY(co_await ctx_.pause(source_));
      continue;
    }
    if (step == Step::kEnd) break;
    if (ctx_.slots[modify_.key_slot].is_null) {
      if (!targets.empty()) WANDIAN_CO_TRY(co_await write_targets());
      WANDIAN_CO_TRY(co_await merge_unmatched(false));
      if (inserts_.size() >= batch_rows_) WANDIAN_CO_TRY(co_await write_inserts());
      continue;
    }
    std::uint32_t action = 0;
    const auto choose = [&] {
      ctx_.reset_row(0);
      return choose_action(true, &action);
    };
    if (modify_.decisions_wait) WANDIAN_CO_TRY(co_await await_aside(choose));
    else WANDIAN_CO_TRY(choose());
    if (action == modify_.actions.size() || modify_.actions[action].nothing) continue;
    if (!inserts_.empty()) WANDIAN_CO_TRY(co_await write_inserts());
    // A target that comes again is told from one that others changed by having been written before.
    if (keys.contains(ctx_.slots[modify_.key_slot].bytes())) WANDIAN_CO_TRY(co_await write_targets());
    const std::string_view key = memory.copy(ctx_.slots[modify_.key_slot].bytes());
    keys.insert(key);
    Target& target = targets.emplace_back();
    target.partition = static_cast<PartitionId>(ctx_.slots[modify_.partition_slot].i);
    target.key = {key.data(), static_cast<std::uint32_t>(key.size())};
    target.action = action;
    target.leaf = leaf_of_row();
    if (!modify_.others.slots.empty()) target.others = save_slots(modify_.others, ctx_.slots, memory);
    if (targets.size() >= batch_rows_) WANDIAN_CO_TRY(co_await write_targets());
  }
  if (!targets.empty()) WANDIAN_CO_TRY(co_await merge_targets(targets));
  co_return co_await flush_inserts();
}

}  // namespace wandian::sql
