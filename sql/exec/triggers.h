// Triggers: the triggers of the tables and views that a statement writes, fired in the order of their names.
// Owns:    the events of AFTER triggers until the statement's end, and the transition tables; their values are in the statement's
//          memory.
// Thread:  the session's shard.
// Errors:  what the functions raise; 39P01.
#pragma once

#include <map>
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
  std::vector<std::uint8_t> waits;   ///< the condition calls routines
};

inline bool has_triggers(const TableDef& table, std::uint16_t events) {
  for (const TriggerDef& trigger : table.triggers)
    if ((trigger.events & events) == events && trigger.enabled != 'D') return true;
  return false;
}

/// Whether some trigger of the table wants the rows of a statement as tables.
inline bool has_transition_tables(const TableDef& table) {
  for (const TriggerDef& trigger : table.triggers)
    if (trigger.enabled != 'D' && (!trigger.old_table.empty() || !trigger.new_table.empty())) return true;
  return false;
}

class Triggers {
 public:
  explicit Triggers(ExecContext& ctx) : ctx_(ctx) {}
  /// Of the statement, whose parts share one: made when the first of them asks.
  static Triggers& of(ExecContext& ctx);

  /// BEFORE STATEMENT, once a statement for each table and event. `event`: TriggerDef::kInsert, ...; `columns`: that UPDATE sets.
  Task<Status> before_statement(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns);
  /// AFTER STATEMENT: to be fired by run(), after what is noted already. Said again for a table, it comes later.
  void after_statement(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns);
  /// With `guard` a trigger that the partition has from the table above it must not send the row elsewhere: 0A000.
  /// BEFORE ROW: `values` (of kInsert, kUpdate) is changed in place, its bytes are put into `memory`. *skip: leave the row alone.
  Task<Status> before_row(std::shared_ptr<const TableDef> table, std::uint16_t event, std::span<const std::uint16_t> columns,
                          std::span<const Value> old_values, std::span<Value> values, Arena& memory, bool* skip, const PartitionGuard* guard = nullptr);
  /// INSTEAD OF, of a view: as before_row(). Of kDelete `values` is empty.
  Task<Status> instead_of_row(std::shared_ptr<const TableDef> view, std::uint16_t event, std::span<const Value> old_values, std::span<Value> values,
                              Arena& memory, bool* skip);
  /// Notes a row for its AFTER ROW triggers; one whose constraint is deferred goes to the transaction's. Then settle().
  Status after_row(const std::shared_ptr<const TableDef>& table, std::uint16_t event, std::span<const std::uint16_t> columns,
                   std::span<const Value> old_values, std::span<const Value> new_values);
  /// Notes a row for the transition tables of `table`; `leaf` is the partition of it that the values are of.
  void capture(const TableDef& table, std::uint16_t event, std::span<const Value> old_values, std::span<const Value> new_values,
               const PartitionNode* old_leaf = nullptr, const PartitionNode* new_leaf = nullptr);
  /// Conditions of noted rows that call routines are still to be evaluated.
  bool unsettled() const { return unsettled_ != 0; }
  Task<Status> settle();
  /// Fires what after_row() and after_statement() have noted.
  Task<Status> run();
  /// A trigger that was put off.
  Task<Status> fire_deferred(std::shared_ptr<const TableDef> table, const TriggerDef& trigger, std::uint16_t event, std::span<const Value> old_values,
                             std::span<const Value> new_values);

 private:
  struct Event {
    std::shared_ptr<const TableDef> table;
    std::size_t trigger;
    std::uint16_t event;             ///< with kRow where it is one of a row
    std::span<const Value> old_values, new_values;
    bool unsettled = false;          ///< its condition is not known yet
    bool withdrawn = false;
  };
  /// What the statement does to one table.
  struct TableState {
    std::uint16_t before_fired = 0;  ///< events
    std::shared_ptr<TransitionTable> old_updated, new_updated, deleted, inserted;
  };
  bool fires(const TriggerDef& trigger, std::uint16_t wanted, std::span<const std::uint16_t> columns) const;
  static bool condition_waits(const TableDef& table, std::size_t trigger);
  Status condition_holds(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values,
                         CallJournal* journal, bool* holds);
  /// The same where it may have to wait.
  Task<Status> await_condition(const TableDef& table, std::size_t trigger, std::span<const Value> old_values, std::span<const Value> new_values, bool* holds);
  Task<Status> fire(const TriggerDef& trigger, TriggerEvent& event);
  Status take_returned(const TableDef& table, const TriggerEvent& about, std::span<Value> values);
  std::span<const Value> keep(const TableDef& table, std::span<const Value> values);
  void put_off(const TableDef& table, const TriggerDef& trigger, std::uint16_t event, std::span<const Value> old_values, std::span<const Value> new_values);
  std::shared_ptr<const TransitionTables> transitions_of(const std::shared_ptr<const TableDef>& table, const TriggerDef& trigger, std::uint16_t event);

  ExecContext& ctx_;
  std::vector<Event> events_;
  std::size_t next_event_ = 0;       ///< of run()
  std::size_t unsettled_ = 0;
  std::map<Oid, TableState> tables_;
};

}  // namespace wandian::sql
