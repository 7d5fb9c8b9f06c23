// TriggerEvent: what a trigger function is told, and what it answers.
// Owns:    nothing; values live as long as the call.
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

struct TriggerEvent {
  std::shared_ptr<const TableDef> table;
  std::string_view name;
  std::string_view when;             ///< BEFORE, AFTER, INSTEAD OF
  std::string_view level;            ///< ROW, STATEMENT
  std::string_view operation;        ///< INSERT, UPDATE, DELETE, TRUNCATE
  std::span<const std::string> arguments;
  /// By position in the table's columns, dropped ones included; empty where there is no such row.
  std::span<const Value> old_row, new_row;
  /// Of BEFORE ROW triggers: the row that the function returned, its bytes in `arena`. Empty: it returned NULL, leave the row alone.
  mutable std::vector<Value> returned;
  mutable bool skip = false;
  Arena* arena = nullptr;
};

inline Oid trigger_relation(const TriggerEvent& event) { return event.table->oid; }

}  // namespace wandian::sql
