#include "sql/exec/triggers.h"

#include <algorithm>

#include "sql/exec/deferred.h"
#include "sql/exec/row_writer.h"
#include "sql/messages.h"
#include "sql/routine/routine.h"

namespace wandian::sql {

namespace {

constexpr std::uint16_t kEvents = TriggerDef::kInsert | TriggerDef::kDelete | TriggerDef::kUpdate | TriggerDef::kTruncate;

std::string_view operation_name(std::uint16_t event) {
  switch (event & kEvents) {
    case TriggerDef::kInsert: return "INSERT";
    case TriggerDef::kDelete: return "DELETE";
    case TriggerDef::kUpdate: return "UPDATE";
    default: return "TRUNCATE";
  }
}

// What a row trigger that fires at once is told; the row that its event does not have is left out.
TriggerEvent row_event(std::shared_ptr<const TableDef> table, std::string_view when, std::uint16_t event, std::span<const Value> old_row,
                       std::span<const Value> new_row, Arena& memory) {
  TriggerEvent about;
  about.table = std::move(table);
  about.when = when;
  about.level = "ROW";
  about.operation = operation_name(event);
  if (event != TriggerDef::kInsert) about.old_row = old_row;
  if (event != TriggerDef::kDelete) about.new_row = new_row;
  about.arena = &memory;
  return about;
}

}  // namespace

Triggers& Triggers::of(ExecContext& ctx) {
  if (ctx.triggers == nullptr) ctx.triggers = std::make_shared<Triggers>(ctx);
  return *ctx.triggers;
}

bool Triggers::fires(const TriggerDef& trigger, std::uint16_t wanted, std::span<const std::uint16_t> columns) const {
  constexpr std::uint16_t kTiming = TriggerDef::kRow | TriggerDef::kBefore | TriggerDef::kInstead;
  if (trigger.enabled == 'D' || trigger.enabled == (ctx_.env->is_replica ? 'O' : 'R')) return false;
  if ((trigger.events & kTiming) != (wanted & kTiming) || (trigger.events & wanted & kEvents) == 0) return false;
  if ((wanted & TriggerDef::kUpdate) == 0 || trigger.columns.empty()) return true;
  return std::any_of(trigger.columns.begin(), trigger.columns.end(),
                     [&](std::uint16_t column) { return std::find(columns.begin(), columns.end(), column) != columns.end(); });
}

// ---- WHEN ----

bool Triggers::condition_waits(const TableDef& table, std::size_t trigger) {
  if (table.triggers[trigger].condition.empty()) return false;
  const auto* conditions = static_cast<const TriggerConditions*>(table.trigger_conditions.get());
  return conditions != nullptr && trigger < conditions->waits.size() && conditions->waits[trigger] != 0;
}

Status Triggers::condition_holds(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values,
                                 CallJournal* journal, bool* holds) {
  *holds = true;
  if (table.triggers[trigger].condition.empty()) return {};
  const auto* conditions = static_cast<const TriggerConditions*>(table.trigger_conditions.get());
  if (conditions == nullptr || trigger >= conditions->conditions.size()) return Status(sqlstate::internal_error, "a trigger's condition was not compiled");
  const std::size_t width = table.columns.size();
  std::vector<Value> row(2 * width, Value::null());
  std::copy_n(old_values.begin(), std::min(width, old_values.size()), row.begin());
  std::copy_n(new_values.begin(), std::min(width, new_values.size()), row.begin() + static_cast<std::ptrdiff_t>(width));
  RowMemory memory(*ctx_.env);
  memory.eval.journal = journal;
  ExprInput input;
  input.params = row.data();
  if (!conditions->conditions[trigger].test(memory.eval, input, holds)) return std::move(memory.eval.error);
  return {};
}

Task<Status> Triggers::await_condition(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values,
                                       bool* holds) {
  if (!condition_waits(table, trigger)) co_return condition_holds(table, trigger, old_values, new_values, nullptr, holds);
  CallJournal journal;
  for (;;) {
    journal.rewind();
    Status status = condition_holds(table, trigger, old_values, new_values, &journal, holds);
    if (!journal.asked()) co_return std::move(status);
    WANDIAN_CO_TRY(co_await ctx_.run_call(journal.call()));
    journal.answer();
  }
}

Task<Status> Triggers::settle() {
  for (std::size_t i = 0; unsettled_ != 0 && i < events_.size(); ++i) {
    if (!events_[i].unsettled) continue;
    const Event event = events_[i];
    bool holds = false;
    WANDIAN_CO_TRY(co_await await_condition(*event.table, event.trigger, event.old_values, event.new_values, &holds));
    events_[i].unsettled = false;
    --unsettled_;
    const TriggerDef& trigger = event.table->triggers[event.trigger];
    const bool deferred = ctx_.env->deferred != nullptr && ctx_.env->deferred->is_deferred(trigger);
    events_[i].withdrawn = !holds || deferred;
    if (holds && deferred) put_off(*event.table, trigger, event.event, event.old_values, event.new_values);
  }
  co_return Status{};
}

// ---- Firing ----

Task<Status> Triggers::fire(const TriggerDef& trigger, TriggerEvent& event) {
  const std::shared_ptr<const ObjectDef> object = ctx_.transaction->catalog()->object(ObjectKind::kFunction, trigger.function);
  const Routine* routine = object != nullptr ? routine_of(*object) : nullptr;
  if (routine == nullptr) co_return Status(sqlstate::undefined_function, "the function of trigger " + quoted(trigger.name) + " does not exist");
  Arena arena;
  event.trigger = trigger.oid;
  event.name = trigger.name;
  event.arguments = trigger.arguments;
  RoutineCall call;
  call.function = &routine->def;
  call.arena = &arena;
  call.trigger = &event;
  co_return co_await ctx_.run_call(call);
}

Task<Status> Triggers::before_statement(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns) {
  std::uint16_t& fired = tables_[table->oid].before_fired;
  if ((fired & event) != 0) co_return Status{};
  fired |= event;
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    const TriggerDef& trigger = table->triggers[i];
    if (!fires(trigger, static_cast<std::uint16_t>(event | TriggerDef::kBefore), columns)) continue;
    bool holds = true;
    WANDIAN_CO_TRY(co_await await_condition(*table, i, {}, {}, &holds));
    if (!holds) continue;
    TriggerEvent about;
    about.table = table;
    about.when = "BEFORE";
    about.level = "STATEMENT";
    about.operation = operation_name(event);
    WANDIAN_CO_TRY(co_await fire(trigger, about));
  }
  co_return Status{};
}

void Triggers::after_statement(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns) {
  // One that was noted before and has not been fired sees what has come since.
  for (std::size_t i = next_event_; i < events_.size(); ++i)
    if (events_[i].event == event && events_[i].table->oid == table->oid) events_[i].withdrawn = true;
  for (std::size_t i = 0; i < table->triggers.size(); ++i)
    if (fires(table->triggers[i], event, columns)) events_.push_back({table, i, event, {}, {}});
}

Status Triggers::take_returned(const TableDef& table, const TriggerEvent& about, std::span<Value> values) {
  for (std::size_t c = 0; c < table.columns.size() && c < about.returned.size(); ++c)
    if (!table.columns[c].dropped) values[c] = about.returned[c];
  return {};
}

Task<Status> Triggers::before_row(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns,
                                  std::span<const Value> old_values, std::span<Value> values, Arena& memory, bool* skip, const PartitionGuard* guard) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | TriggerDef::kBefore | TriggerDef::kRow);
  *skip = false;
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    const TriggerDef& trigger = table->triggers[i];
    if (!fires(trigger, wanted, columns)) continue;
    bool holds = true;
    const std::span<const Value> new_values = event == TriggerDef::kDelete ? std::span<const Value>() : values;
    WANDIAN_CO_TRY(co_await await_condition(*table, i, old_values, new_values, &holds));
    if (!holds) continue;
    TriggerEvent about = row_event(table, "BEFORE", event, old_values, new_values, memory);
    WANDIAN_CO_TRY(co_await fire(trigger, about));
    if (about.skip) {
      *skip = true;
      co_return Status{};
    }
    if (event != TriggerDef::kDelete) WANDIAN_CO_TRY(take_returned(*table, about, values));
    if (guard == nullptr || trigger.parent == 0) continue;
    bool belongs = true;
    RowMemory row(*ctx_.env);
    WANDIAN_CO_TRY(guard->belongs(values, row.eval, &belongs));
    if (belongs) continue;
    const std::string place = schema_name(*ctx_.env->catalog, table->schema) + "." + table->name;
    co_return Status(sqlstate::feature_not_supported, "moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported")
        .with_detail("Before executing trigger " + quoted(trigger.name) + ", the row was to be in partition " + quoted(place) + ".");
  }
  co_return Status{};
}

Task<Status> Triggers::instead_of_row(std::shared_ptr<const TableDef> view, std::uint16_t event, std::span<const Value> old_values,
                                      std::span<Value> values, Arena& memory, bool* skip) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | TriggerDef::kInstead | TriggerDef::kRow);
  *skip = false;
  for (const TriggerDef& trigger : view->triggers) {
    if (!fires(trigger, wanted, {})) continue;
    TriggerEvent about = row_event(view, "INSTEAD OF", event, old_values, values, memory);
    WANDIAN_CO_TRY(co_await fire(trigger, about));
    if (about.skip) {
      *skip = true;
      co_return Status{};
    }
    if (event != TriggerDef::kDelete) WANDIAN_CO_TRY(take_returned(*view, about, values));
  }
  co_return Status{};
}

// ---- AFTER ----

std::span<const Value> Triggers::keep(const TableDef& table, std::span<const Value> values) {
  if (values.empty()) return {};
  const std::size_t width = table.columns.size();
  Value* kept = ctx_.statement.allocate_array<Value>(width);
  for (std::size_t i = 0; i < width; ++i) new (kept + i) Value(copy_value(table.columns[i].type, values[i], ctx_.statement));
  return {kept, width};
}

void Triggers::put_off(const TableDef& table, const TriggerDef& trigger, std::uint16_t event, std::span<const Value> old_values,
                       std::span<const Value> new_values) {
  std::vector<Value> values;
  std::vector<Oid> types;
  for (const std::span<const Value> row : {old_values, new_values})
    for (std::size_t c = 0; c < table.columns.size() && !row.empty(); ++c) values.push_back(row[c]), types.push_back(table.columns[c].type);
  DeferredConstraints::Event put{table.oid, trigger.constraint, DeferredConstraints::Kind::kTrigger, values};
  put.operation = static_cast<std::uint16_t>(event & kEvents);
  ctx_.env->deferred->add(put, types);
}

Status Triggers::after_row(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns,
                           std::span<const Value> old_values, std::span<const Value> new_values) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | TriggerDef::kRow);
  if (event == TriggerDef::kInsert) old_values = {};
  if (event == TriggerDef::kDelete) new_values = {};
  std::span<const Value> old_kept, new_kept;
  bool kept = false;
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    const TriggerDef& trigger = table->triggers[i];
    if (!fires(trigger, wanted, columns)) continue;
    const bool waits = condition_waits(*table, i);
    bool holds = true;
    if (!waits) WANDIAN_TRY(condition_holds(*table, i, old_values, new_values, nullptr, &holds));
    if (!holds) continue;
    if (!waits && ctx_.env->deferred != nullptr && ctx_.env->deferred->is_deferred(trigger)) {
      put_off(*table, trigger, event, old_values, new_values);
      continue;
    }
    if (!kept) {
      old_kept = keep(*table, old_values);
      new_kept = keep(*table, new_values);
      kept = true;
    }
    events_.push_back({table, i, wanted, old_kept, new_kept, waits});
    unsettled_ += waits ? 1 : 0;
  }
  return {};
}

namespace {

void add_row(std::shared_ptr<TransitionTable>& to, const TableDef& table, std::span<const Value> values, const PartitionNode* leaf, std::size_t limit) {
  if (to == nullptr) to = std::make_shared<TransitionTable>(limit);
  Value* row = to->memory.allocate_array<Value>(table.columns.size());
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const std::size_t from = leaf == nullptr ? c : leaf->columns[static_cast<std::uint16_t>(c)];
    new (row + c) Value(from < values.size() ? copy_value(table.columns[c].type, values[from], to->memory) : Value::null());
  }
  to->rows.push_back(row);
}

}  // namespace

void Triggers::capture(const TableDef& table, std::uint16_t event, std::span<const Value> old_values, std::span<const Value> new_values,
                       const PartitionNode* old_leaf, const PartitionNode* new_leaf) {
  bool old_wanted = false, new_wanted = false;
  for (const TriggerDef& trigger : table.triggers) {
    if ((trigger.events & event) == 0 || trigger.enabled == 'D') continue;
    old_wanted = old_wanted || !trigger.old_table.empty();
    new_wanted = new_wanted || !trigger.new_table.empty();
  }
  if (!old_wanted && !new_wanted) return;
  TableState& state = tables_[table.oid];
  const std::size_t limit = ctx_.memory_limit();
  switch (event) {
    case TriggerDef::kInsert: add_row(state.inserted, table, new_values, new_leaf, limit); break;
    case TriggerDef::kDelete: add_row(state.deleted, table, old_values, old_leaf, limit); break;
    default:
      if (old_wanted) add_row(state.old_updated, table, old_values, old_leaf, limit);
      if (new_wanted) add_row(state.new_updated, table, new_values, new_leaf, limit);
  }
}

std::shared_ptr<const TransitionTables> Triggers::transitions_of(const std::shared_ptr<const TableDef>& table, const TriggerDef& trigger,
                                                                 std::uint16_t event) {
  if (trigger.old_table.empty() && trigger.new_table.empty()) return nullptr;
  TableState& state = tables_[table->oid];
  const bool updates = (event & TriggerDef::kUpdate) != 0;
  std::shared_ptr<TransitionTable>& old_rows = updates ? state.old_updated : state.deleted;
  std::shared_ptr<TransitionTable>& new_rows = updates ? state.new_updated : state.inserted;
  for (std::shared_ptr<TransitionTable>* rows : {&old_rows, &new_rows})
    if (*rows == nullptr) *rows = std::make_shared<TransitionTable>(ctx_.memory_limit());
  auto out = std::make_shared<TransitionTables>();
  out->table = table;
  out->old_name = trigger.old_table;
  out->new_name = trigger.new_table;
  out->old_rows = old_rows;
  out->new_rows = new_rows;
  return out;
}

Task<Status> Triggers::run() {
  // Functions may write to the same table, but their statements have triggers of their own: nothing is added here meanwhile.
  for (next_event_ = 0; next_event_ < events_.size();) {
    const Event event = events_[next_event_++];
    if (event.withdrawn) continue;
    const TriggerDef& trigger = event.table->triggers[event.trigger];
    const bool row = (event.event & TriggerDef::kRow) != 0;
    bool holds = true;
    if (!row) WANDIAN_CO_TRY(co_await await_condition(*event.table, event.trigger, {}, {}, &holds));
    if (!holds) continue;
    TriggerEvent about;
    about.table = event.table;
    about.when = "AFTER";
    about.level = row ? "ROW" : "STATEMENT";
    about.operation = operation_name(event.event);
    about.old_row = event.old_values;
    about.new_row = event.new_values;
    about.transitions = transitions_of(event.table, trigger, event.event);
    WANDIAN_CO_TRY(co_await fire(trigger, about));
  }
  events_.clear();
  next_event_ = 0;
  tables_.clear();
  co_return Status{};
}

Task<Status> Triggers::fire_deferred(std::shared_ptr<const TableDef> table, const TriggerDef& trigger, std::uint16_t event,
                                     std::span<const Value> old_values, std::span<const Value> new_values) {
  TriggerEvent about;
  about.table = table;
  about.when = "AFTER";
  about.level = "ROW";
  about.operation = operation_name(event);
  about.old_row = old_values;
  about.new_row = new_values;
  co_return co_await fire(trigger, about);
}

}  // namespace wandian::sql
