#include "sql/exec/deferred.h"

#include <algorithm>

#include "sql/exec/foreign_keys.h"
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

Task<Status> DeferredConstraints::check(ExecContext& ctx, bool everything, std::vector<Oid> constraints) {
  std::vector<Event> mine, others;
  for (const Event& event : events_)
    (everything || std::find(constraints.begin(), constraints.end(), event.constraint) != constraints.end() ? mine : others).push_back(event);
  ForeignKeys keys(ctx);
  for (std::size_t at = 0; at < mine.size();) {
    constexpr std::size_t kBatch = 256;
    for (std::size_t i = 0; i < kBatch && at < mine.size(); ++i, ++at) keys.take_deferred(mine[at]);
    WANDIAN_CO_TRY(co_await keys.run());
    if (ctx.out_of_budget()) WANDIAN_CO_TRY(co_await ctx.next_share());
  }
  events_ = std::move(others);
  if (events_.empty()) memory_.reset();
  co_return Status{};
}

}  // namespace wandian::sql
