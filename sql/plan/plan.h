// Plan: what the executor does for one statement. Made once from a bound statement, shared by all executions of it.
// Owns:       the physical tree, its compiled expressions and the bound statement they point into.
// Thread:     immutable after plan_statement(); any shard may execute it.
// Invariants: a plan is good for the catalog version it was made with, and for no other.
// Errors:     0A000 for what is not supported, 42809, 42P17, ... with PostgreSQL's message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/oid.h"
#include "engine/transaction.h"
#include "storage/base/status.h"

namespace wandian {
class PlacementMap;
}

namespace wandian::sql {

class StatisticsStore;   // sql/statistics/statistics_store.h
struct BoundStatement;   // sql/bind/bound.h
struct PlanBody;         // sql/plan/nodes.h

enum class PlanKind : std::uint8_t { kSelect, kInsert, kUpdate, kDelete, kMerge };

/// One column of a RowDescription.
struct ResultColumn {
  std::string name;
  Oid type = 0;
  std::int32_t typmod = -1;
  Oid table = 0;                ///< the table it is a plain column of, or 0
  std::int16_t attribute = 0;   ///< 1-based, with `table`
};

/// A table the statement touches, with the lock to take before its snapshot. The strongest mode of all uses.
struct PlanLock {
  Oid table = 0;
  TableLock mode = TableLock::kAccessShare;
};

/// What the planner may look at.
struct PlanContext {
  std::shared_ptr<const Catalog> catalog;
  const PlacementMap* placement = nullptr;   ///< null: no pruning at planning time (pruning happens at execution anyway)
  const StatisticsStore* statistics = nullptr;   ///< null: rows are counted by the tables' storage, and that is all that is known
};

class Plan {
 public:
  Plan();
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  PlanKind kind = PlanKind::kSelect;
  std::vector<ResultColumn> columns;         ///< of the SELECT, or of RETURNING; empty: the statement returns no rows
  bool returns_rows = false;                 ///< true also for a SELECT without columns
  bool depends_on_parameters = false;        ///< a partial index would do if parameters had the right values
  bool writes = false;                       ///< refused in a READ ONLY transaction (25006); FOR UPDATE counts
  std::string_view write_command;            ///< for 25006: "INSERT", "UPDATE", "DELETE", "SELECT FOR UPDATE", ...
  std::vector<PlanLock> locks;
  std::vector<Oid> parameter_types;
  std::uint64_t catalog_version = 0;

  /// Executor's part.
  std::unique_ptr<PlanBody> body;
};

/// @param statement  kept alive by the plan.
Result<std::shared_ptr<const Plan>> plan_statement(std::shared_ptr<const BoundStatement> statement, const PlanContext& context);

/// EXPLAIN.
struct ExplainOptions {
  bool analyze = false;
  bool verbose = false;
  bool costs = true;
  bool timing = true;
  bool summary = false;                      ///< "Planning Time", "Execution Time"; on with ANALYZE unless given
  bool buffers = false;                      ///< there are none, and so says json; text says nothing of none, as in PostgreSQL
  bool json = false;
  /// Shown if they are there: SETTINGS' names and values, and with `summary` the times.
  std::optional<std::vector<std::pair<std::string, std::string>>> settings;
  std::optional<double> planning_ms, execution_ms;
};
/// Without execution: one entry a line, or the whole json.
std::vector<std::string> explain_plan(const Plan& plan, const ExplainOptions& options);

}  // namespace wandian::sql
