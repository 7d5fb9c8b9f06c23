#include "sql/exec/deferred.h"

#include <algorithm>

#include "sql/exec/foreign_keys.h"
#include "sql/exec/triggers.h"
#include "sql/expr/expression.h"

namespace wandian::sql {

void DeferredConstraints::add(Event event, std::span<const Oid> types) {
  Value* values = memory_.allocate_array<Value>(event.values.size());
  for (std::size_t i = 0; i < event.values.size(); ++i)
    values[i] = event.values[i].is_null ? Value::null() : copy_value(types[i], event.values[i], memory_);
  event.values = {values, event.values.size()};
  events_.push_back(event);
}

bool DeferredConstraints::pending(const Catalog& catalog, Oid table) const {
  return std::any_of(events_.begin(), events_.end(), [&](const Event& event) {
    if (event.kind != Kind::kRemoval) return event.table == table;
    const std::shared_ptr<const TableDef> referring = catalog.table(event.table);
    if (referring == nullptr) return false;
    return std::any_of(referring->foreign_keys.begin(), referring->foreign_keys.end(),
                       [&](const ForeignKeyDef& key) { return key.oid == event.constraint && key.referenced_table == table; });
  });
}

void DeferredConstraints::undo_to(const Mark& mark) {
  events_.resize(std::min(events_.size(), mark.events));
  modes_ = mark.modes;
  all_ = mark.all;
  if (events_.empty()) memory_.reset();
}

void DeferredConstraints::clear() {
  events_.clear();
  modes_.clear();
  all_.reset();
  memory_.reset();
}

// A trigger that is gone, or that fires no more, is none to be fired.
Task<Status> DeferredConstraints::fire(ExecContext& ctx, Event event) {
  const std::shared_ptr<const TableDef> table = ctx.transaction->catalog()->table(event.table);
  if (table == nullptr) co_return Status{};
  const std::size_t width = table->columns.size();
  const bool has_old = event.operation != TriggerDef::kInsert, has_new = event.operation != TriggerDef::kDelete;
  if (event.values.size() != width * (has_old + has_new)) co_return Status{};
  const std::span<const Value> old_values = has_old ? event.values.first(width) : std::span<const Value>();
  const std::span<const Value> new_values = has_new ? event.values.last(width) : std::span<const Value>();
  for (const TriggerDef& trigger : table->triggers) {
    if (trigger.constraint != event.constraint) continue;
    ctx.transaction->next_command();
    co_return co_await Triggers::of(ctx).fire_deferred(table, trigger, event.operation, old_values, new_values);
  }
  co_return Status{};
}

// In the order in which they were put off.
Task<Status> DeferredConstraints::check(ExecContext& ctx, bool everything, std::vector<Oid> constraints) {
  constexpr std::size_t kBatch = 256;
  for (;;) {
    std::vector<Event> mine, others;
    for (const Event& event : events_)
      (everything || std::find(constraints.begin(), constraints.end(), event.constraint) != constraints.end() ? mine : others).push_back(event);
    events_ = std::move(others);
    if (mine.empty()) break;
    ForeignKeys keys(ctx);
    for (std::size_t at = 0; at < mine.size();) {
      for (std::size_t i = 0; i < kBatch && at < mine.size() && mine[at].kind != Kind::kTrigger; ++i, ++at) keys.take_deferred(mine[at]);
      WANDIAN_CO_TRY(co_await keys.run());
      if (at < mine.size() && mine[at].kind == Kind::kTrigger) WANDIAN_CO_TRY(co_await fire(ctx, mine[at++]));
      if (ctx.out_of_budget()) WANDIAN_CO_TRY(co_await ctx.next_share());
    }
  }
  if (events_.empty()) memory_.reset();
  co_return Status{};
}

}  // namespace wandian::sql
