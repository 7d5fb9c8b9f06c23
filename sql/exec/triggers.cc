#include "sql/exec/triggers.h"

#include <algorithm>

#include "sql/exec/row_writer.h"
#include "sql/messages.h"
#include "sql/routine/routine.h"

namespace wandian::sql {

namespace {

constexpr std::uint16_t kEvents = TriggerDef::kInsert | TriggerDef::kDelete | TriggerDef::kUpdate | TriggerDef::kTruncate;

std::string_view operation_name(std::uint16_t event) {
  switch (event) {
    case TriggerDef::kInsert: return "INSERT";
    case TriggerDef::kDelete: return "DELETE";
    case TriggerDef::kUpdate: return "UPDATE";
    default: return "TRUNCATE";
  }
}

}  // namespace

bool Triggers::fires(const TableDef&, const TriggerDef& trigger, std::uint16_t wanted, std::span<const std::uint16_t> columns) const {
  constexpr std::uint16_t kTiming = TriggerDef::kRow | TriggerDef::kBefore;
  if (trigger.enabled == 'D' || trigger.enabled == 'R') return false;
  if ((trigger.events & kTiming) != (wanted & kTiming) || (trigger.events & wanted & kEvents) == 0) return false;
  if ((wanted & TriggerDef::kUpdate) == 0 || trigger.columns.empty()) return true;
  return std::any_of(trigger.columns.begin(), trigger.columns.end(),
                     [&](std::uint16_t column) { return std::find(columns.begin(), columns.end(), column) != columns.end(); });
}

Status Triggers::condition_holds(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values,
                                 bool* holds) {
  *holds = true;
  if (table.triggers[trigger].condition.empty()) return {};
  const auto* conditions = static_cast<const TriggerConditions*>(table.trigger_conditions.get());
  if (conditions == nullptr || trigger >= conditions->conditions.size()) return Status(sqlstate::internal_error, "a trigger's condition was not compiled");
  const std::size_t width = table.columns.size();
  std::vector<Value> row(2 * width, Value::null());
  std::copy_n(old_values.begin(), std::min(width, old_values.size()), row.begin());
  std::copy_n(new_values.begin(), std::min(width, new_values.size()), row.begin() + static_cast<std::ptrdiff_t>(width));
  Arena arena;
  RowMemory memory(*ctx_.env);
  ExprInput input;
  input.params = row.data();
  if (!conditions->conditions[trigger].test(memory.eval, input, holds)) return std::move(memory.eval.error);
  return {};
}

Task<Status> Triggers::fire(const TriggerDef& trigger, TriggerEvent& event) {
  const std::shared_ptr<const ObjectDef> object = ctx_.transaction->catalog()->object(ObjectKind::kFunction, trigger.function);
  const Routine* routine = object != nullptr ? routine_of(*object) : nullptr;
  if (routine == nullptr) co_return Status(sqlstate::undefined_function, "the function of trigger " + quoted(trigger.name) + " does not exist");
  Arena arena;
  event.name = trigger.name;
  event.arguments = trigger.arguments;
  RoutineCall call;
  call.function = &routine->def;
  call.arena = &arena;
  call.trigger = &event;
  co_return co_await ctx_.run_call(call);
}

Task<Status> Triggers::statement(std::shared_ptr<const TableDef> table, bool before, std::uint16_t event, std::span<const std::uint16_t> columns) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | (before ? TriggerDef::kBefore : 0));
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    const TriggerDef& trigger = table->triggers[i];
    if (!fires(*table, trigger, wanted, columns)) continue;
    bool holds = true;
    WANDIAN_CO_TRY(condition_holds(*table, i, {}, {}, &holds));
    if (!holds) continue;
    TriggerEvent about;
    about.table = table;
    about.when = before ? "BEFORE" : "AFTER";
    about.level = "STATEMENT";
    about.operation = operation_name(event);
    WANDIAN_CO_TRY(co_await fire(trigger, about));
  }
  co_return Status{};
}

Task<Status> Triggers::before_row(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns,
                                  std::span<const Value> old_values, std::span<Value> values, Arena& memory, bool* skip, const PartitionGuard* guard) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | TriggerDef::kBefore | TriggerDef::kRow);
  *skip = false;
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    const TriggerDef& trigger = table->triggers[i];
    if (!fires(*table, trigger, wanted, columns)) continue;
    bool holds = true;
    WANDIAN_CO_TRY(condition_holds(*table, i, old_values, event == TriggerDef::kDelete ? std::span<const Value>() : values, &holds));
    if (!holds) continue;
    TriggerEvent about;
    about.table = table;
    about.when = "BEFORE";
    about.level = "ROW";
    about.operation = operation_name(event);
    if (event != TriggerDef::kInsert) about.old_row = old_values;
    if (event != TriggerDef::kDelete) about.new_row = values;
    about.arena = &memory;
    WANDIAN_CO_TRY(co_await fire(trigger, about));
    if (about.skip) {
      *skip = true;
      co_return Status{};
    }
    if (event != TriggerDef::kDelete)
      for (std::size_t c = 0; c < table->columns.size() && c < about.returned.size(); ++c)
        if (!table->columns[c].dropped) values[c] = about.returned[c];
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

std::span<const Value> Triggers::keep(const TableDef& table, std::span<const Value> values) {
  if (values.empty()) return {};
  const std::size_t width = table.columns.size();
  Value* kept = ctx_.statement.allocate_array<Value>(width);
  for (std::size_t i = 0; i < width; ++i) new (kept + i) Value(copy_value(table.columns[i].type, values[i], ctx_.statement));
  return {kept, width};
}

Status Triggers::after_row(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns,
                           std::span<const Value> old_values, std::span<const Value> new_values) {
  const std::uint16_t wanted = static_cast<std::uint16_t>(event | TriggerDef::kRow);
  std::span<const Value> old_kept, new_kept;
  bool kept = false;
  for (std::size_t i = 0; i < table->triggers.size(); ++i) {
    if (!fires(*table, table->triggers[i], wanted, columns)) continue;
    bool holds = true;
    WANDIAN_TRY(condition_holds(*table, i, old_values, new_values, &holds));
    if (!holds) continue;
    if (!kept) {
      if (event != TriggerDef::kInsert) old_kept = keep(*table, old_values);
      if (event != TriggerDef::kDelete) new_kept = keep(*table, new_values);
      kept = true;
    }
    events_.push_back({table, i, event, old_kept, new_kept});
  }
  return {};
}

Task<Status> Triggers::run() {
  // Functions may write to the same table, but their statements have triggers of their own: nothing is added here meanwhile.
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const Event event = events_[i];
    TriggerEvent about;
    about.table = event.table;
    about.when = "AFTER";
    about.level = "ROW";
    about.operation = operation_name(event.event);
    about.old_row = event.old_values;
    about.new_row = event.new_values;
    WANDIAN_CO_TRY(co_await fire(event.table->triggers[event.trigger], about));
  }
  events_.clear();
  co_return Status{};
}

}  // namespace wandian::sql
