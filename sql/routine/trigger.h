// TriggerEvent: what a trigger function is told, and what it answers; TransitionTables: the rows that REFERENCING gives names to.
// Owns:    a TransitionTable its rows; of an event nothing, values live as long as the call.
// Thread:  the session's shard.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/value.h"

namespace wandian::sql {

/// Old or new rows of what one statement did to a table, by position in the table's columns.
struct TransitionTable {
  explicit TransitionTable(std::size_t limit_bytes) : memory(limit_bytes) {}
  Arena memory;
  std::vector<const Value*> rows;
};

/// The transition tables of one trigger: relations for the statements of its function, under these names.
struct TransitionTables {
  std::shared_ptr<const TableDef> table;
  std::string old_name, new_name;    ///< "" = there is none
  std::shared_ptr<const TransitionTable> old_rows, new_rows;
};

struct TriggerEvent {
  std::shared_ptr<const TableDef> table;   ///< of a trigger on a view: view_table()
  Oid trigger = 0;
  std::string_view name;
  std::string_view when;             ///< BEFORE, AFTER, INSTEAD OF
  std::string_view level;            ///< ROW, STATEMENT
  std::string_view operation;        ///< INSERT, UPDATE, DELETE, TRUNCATE
  std::span<const std::string> arguments;
  /// By position in the table's columns, dropped ones included; empty where there is no such row.
  std::span<const Value> old_row, new_row;
  std::shared_ptr<const TransitionTables> transitions;   ///< null: it has none
  /// Of BEFORE ROW and INSTEAD OF triggers: the row that the function returned, its bytes in `arena`. Empty: it returned NULL, leave the
  /// row alone.
  mutable std::vector<Value> returned;
  mutable bool skip = false;
  Arena* arena = nullptr;
};

}  // namespace wandian::sql
