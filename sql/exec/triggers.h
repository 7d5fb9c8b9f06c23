// Triggers: the triggers of the tables that a statement writes, fired in the order of their names.
// Owns:    the events of AFTER ROW triggers until the statement's end; their values are in the statement's memory.
// Thread:  the session's shard.
// Errors:  what the functions raise; 39P01.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sql/bind/binder.h"
#include "sql/exec/operator.h"
#include "sql/partition/tree.h"
#include "sql/routine/trigger.h"

namespace wandian::sql {

/// TableDef::trigger_conditions: WHEN of each trigger, by its position. Its parameters are the old row's columns, then the new one's.
struct TriggerConditions {
  Arena arena;
  std::vector<BoundExpression> bound;
  std::vector<CompiledExpr> conditions;
};

inline bool has_triggers(const TableDef& table, std::uint16_t events) {
  for (const TriggerDef& trigger : table.triggers)
    if ((trigger.events & events) == events && trigger.enabled != 'D' && trigger.enabled != 'R') return true;
  return false;
}

class Triggers {
 public:
  explicit Triggers(ExecContext& ctx) : ctx_(ctx) {}

  /// `event`: TriggerDef::kInsert, ...; `columns`: that UPDATE sets.
  Task<Status> statement(std::shared_ptr<const TableDef> table, bool before, std::uint16_t event, std::span<const std::uint16_t> columns);
  /// With `guard` a trigger that the partition has from the table above it must not send the row elsewhere: 0A000.
  /// BEFORE ROW: `values` (of kInsert, kUpdate) is changed in place, its bytes are put into `memory`. *skip: leave the row alone.
  Task<Status> before_row(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns,
                          std::span<const Value> old_values, std::span<Value> values, Arena& memory, bool* skip, const PartitionGuard* guard = nullptr);
  /// Notes a row for its AFTER ROW triggers.
  Status after_row(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns,
                   std::span<const Value> old_values, std::span<const Value> new_values);
  bool pending() const { return !events_.empty(); }
  /// Fires what after_row() has noted.
  Task<Status> run();

 private:
  struct Event {
    std::shared_ptr<const TableDef> table;
    std::size_t trigger;
    std::uint16_t event;
    std::span<const Value> old_values, new_values;
  };
  bool fires(const TableDef& table, const TriggerDef& trigger, std::uint16_t wanted, std::span<const std::uint16_t> columns) const;
  Status condition_holds(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values, bool* holds);
  Task<Status> fire(const TriggerDef& trigger, TriggerEvent& event);
  std::span<const Value> keep(const TableDef& table, std::span<const Value> values);

  ExecContext& ctx_;
  std::vector<Event> events_;
};

}  // namespace wandian::sql
