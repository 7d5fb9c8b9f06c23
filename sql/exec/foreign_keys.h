// ForeignKeys: referential integrity of one statement, and its deferrable unique constraints. What it wrote is checked at its end: referenced rows are locked KEY SHARE at
// their owners; rows that refer to what was deleted or changed are refused, deleted or updated.
// Thread:  the session's shard.
// Errors:  23503 with PostgreSQL's messages.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "sql/exec/deferred.h"
#include "sql/exec/operator.h"
#include "sql/partition/tree.h"

namespace wandian::sql {

class ModifyDriver;
struct Target;

class ForeignKeys {
 public:
  explicit ForeignKeys(ModifyDriver& driver, ExecContext& ctx) : driver_(&driver), ctx_(ctx) {}
  /// For what was deferred: it writes nothing.
  explicit ForeignKeys(ExecContext& ctx) : ctx_(ctx) {}

  /// A row was stored: what it refers to must exist. With `old_values`, only keys that changed are checked.
  Status written(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values);
  /// A row is gone, or its referenced columns changed (`new_values` not null).
  Status removed(const std::shared_ptr<const TableDef>& table, std::span<const Value> old_values, const Value* new_values, unsigned depth);
  /// A row was stored: nobody else may have its keys in deferrable unique indexes.
  Status written_unique(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values);
  /// A check that was put off. The row may have gone since, and what it referred to may be there again.
  void take_deferred(const DeferredConstraints::Event& event);
  bool pending() const { return !checks_.empty() || !removals_.empty() || !uniques_.empty(); }
  Task<Status> run();

 private:
  struct Check {
    std::shared_ptr<const TableDef> table;
    const ForeignKeyDef* key;
    std::vector<Value> values;          ///< by ForeignKeyDef::columns
    bool deferred = false;
  };
  struct Removal {
    std::shared_ptr<const TableDef> table;        ///< referenced
    std::string name;                             ///< of the table, or of its partition, that the row was in
    std::shared_ptr<const TableDef> referencing;
    const ForeignKeyDef* key;
    std::vector<Value> old_values, new_values;    ///< by ForeignKeyDef::referenced_columns; new: empty if deleted
    unsigned depth;
  };
  struct Unique {
    std::shared_ptr<const TableDef> table;
    std::size_t index = 0;
    std::vector<Value> values;          ///< of the key parts
  };
  /// What a key refers to by: of a partitioned table, the partition that the values lead to, with the key by its columns and index.
  struct Way {
    std::shared_ptr<const TableDef> table;
    const ForeignKeyDef* key = nullptr;
  };
  /// False: no partition can have such a row.
  bool find_way(const std::shared_ptr<const TableDef>& table, const ForeignKeyDef& key, std::span<const Value> values, Way* out);
  Status removed_from(const std::shared_ptr<const TableDef>& table, const TableDef& partition, const ColumnMap& columns, std::span<const Value> old_values, const Value* new_values,
                      unsigned depth);
  Task<Status> check_all();
  Task<Status> check_uniques();
  Task<Status> missing(const Check& check);
  Task<Status> follow(const Removal& removal);
  std::shared_ptr<const TableDef> declared_for(std::shared_ptr<const TableDef> table, const ForeignKeyDef& key) const;
  /// ALTER TABLE DISABLE TRIGGER ALL and session_replication_role leave keys unchecked.
  bool are_checked(const TableDef& table) const;
  bool is_referenced_again(const Removal& removal, ReadView& view);
  /// Rows of `table` whose foreign key says `values`; with `any` the first one is enough.
  Task<Status> find_referring(std::shared_ptr<const TableDef> table, const ForeignKeyDef& key, std::span<const Value> values, bool any,
                              Arena& memory, std::vector<Target>* out);
  Result<std::vector<Value>> default_values(const TableDef& table, std::span<const std::uint16_t> columns);
  Status violation(const Check& check);
  Status still_referenced(const Removal& removal);

  ModifyDriver* driver_ = nullptr;
  ExecContext& ctx_;
  std::vector<Check> checks_;
  std::vector<Removal> removals_;
  std::vector<Unique> uniques_;
  std::unordered_set<std::string> seen_;
  std::map<Oid, std::unique_ptr<PartitionTree>> trees_;                    ///< by partitioned table
  std::map<std::pair<Oid, Oid>, std::unique_ptr<ForeignKeyDef>> ways_;     ///< by key and partition
};

}  // namespace wandian::sql
