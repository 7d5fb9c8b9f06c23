// ForeignKeys: referential integrity of one statement. What it wrote is checked at its end: referenced rows are locked KEY SHARE at
// their owners; rows that refer to what was deleted or changed are refused, deleted or updated.
// Thread:  the session's shard.
// Errors:  23503 with PostgreSQL's messages.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "sql/exec/operator.h"

namespace wandian::sql {

class ModifyDriver;

class ForeignKeys {
 public:
  explicit ForeignKeys(ModifyDriver& driver, ExecContext& ctx) : driver_(driver), ctx_(ctx) {}

  /// A row was stored: what it refers to must exist. With `old_values`, only keys that changed are checked.
  Status written(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values);
  /// A row is gone, or its referenced columns changed (`new_values` not null).
  Status removed(const std::shared_ptr<const TableDef>& table, std::span<const Value> old_values, const Value* new_values, unsigned depth);
  bool pending() const { return !checks_.empty() || !removals_.empty(); }
  Task<Status> run();

 private:
  struct Check {
    std::shared_ptr<const TableDef> table;
    const ForeignKeyDef* key;
    std::vector<Value> values;          ///< by ForeignKeyDef::columns
  };
  struct Removal {
    std::shared_ptr<const TableDef> table;        ///< referenced
    std::shared_ptr<const TableDef> referencing;
    const ForeignKeyDef* key;
    std::vector<Value> old_values, new_values;    ///< by ForeignKeyDef::referenced_columns; new: empty if deleted
    unsigned depth;
  };
  Task<Status> check_all();
  Task<Status> follow(const Removal& removal);
  Status violation(const Check& check);
  Status still_referenced(const Removal& removal);

  ModifyDriver& driver_;
  ExecContext& ctx_;
  std::vector<Check> checks_;
  std::vector<Removal> removals_;
  std::unordered_set<std::string> seen_;
};

}  // namespace wandian::sql
