// The bound tree: a statement with every name resolved and every expression typed, in the shape of PostgreSQL's Query.
// Owns:       BoundStatement owns the arena that holds the tree, and keeps the definitions it refers to alive.
// Thread:     immutable once bind() returned; may be read by any shard.
// Invariants: all names are copied into the arena; the parse tree may go. Columns of joins are resolved to the columns of
//             their inputs (a FULL JOIN's USING column is a COALESCE), so there are no range entries for joins.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/row_op.h"
#include "sql/access/relation_access.h"
#include "sql/catalog/system_relation.h"
#include "sql/expr/node.h"

namespace wandian::sql {

struct Query;
struct CommonTable;

// ---- Range table ----

struct RangeColumn {
  std::string_view name;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool hidden = false;               ///< a dropped column of a table, or what SELECT * does not show
  std::uint16_t collation = 0;       ///< as Expr::collation
};

enum class RangeKind : std::uint8_t {
  kTable,       ///< table
  kSubquery,    ///< query (a view is one, too)
  kFunction,    ///< functions
  kValues,      ///< values
  kCte,         ///< cte
  kSystem,      ///< system
  kSetResult,   ///< the rows of the query's own set operation: ranges[0] of a query whose set_operation is set
  kTransition,  ///< a transition table of the trigger function that runs the statement
  kExcluded,    ///< EXCLUDED of ON CONFLICT DO UPDATE: the row proposed for insertion; columns as the target table's
};

/// One call of ROWS FROM (...); an ordinary function in FROM is a list of one.
struct RangeFunction {
  const Expr* call = nullptr;        ///< a FunctionExpr that may return a set, or any expression (one row)
  std::uint16_t first_column = 0;    ///< its first column in RangeEntry::columns
  std::uint16_t column_count = 1;
  bool defined = false;              ///< a column definition list gave it its columns
};

struct RangeEntry {
  RangeKind kind = RangeKind::kTable;
  std::string_view alias;            ///< the name it goes by
  std::string_view name;             ///< the relation's own name, if it has one
  std::span<const RangeColumn> columns;   ///< kTable: by position in TableDef::columns
  bool only = false;                 ///< kTable: ONLY, without the partitions below it
  bool lateral = false;              ///< refers to entries to its left, at the same level (levels_up = 0)
  // How it was written, for who prints it again.
  std::span<const RangeColumn> own_columns;   ///< `columns` before an alias renamed some
  std::uint16_t alias_columns = 0;   ///< how many of the visible ones an alias named
  bool aliased = false;              ///< an alias was written
  // TABLESAMPLE, where the query is bound as it was written: the method, its argument, and REPEATABLE's or null.
  std::string_view sample_method;
  const Expr* sample_argument = nullptr;
  const Expr* sample_seed = nullptr;
  // kTable, kExcluded; of a view that a statement writes by its INSTEAD OF triggers, view_table()
  const TableDef* table = nullptr;   ///< kept alive by BoundStatement::tables, or by the view's object
  bool new_rows = false;             ///< kTransition: NEW TABLE
  // kSubquery
  const Query* query = nullptr;
  Oid view = 0;                      ///< the view it came from, or 0
  std::uint32_t access = 0;          ///< its number in BoundStatement::accesses, from 1; 0: what it reads is checked elsewhere
  char check_option = 0;             ///< of that view: 0, 'l' (LOCAL) or 'c' (CASCADED)
  // kFunction
  std::span<const RangeFunction> functions;
  bool ordinality = false;           ///< the last column is the row's number (int8)
  // kValues: every row has as many expressions as there are columns, already of the columns' types
  std::span<const ExprList> values;
  // kCte
  const CommonTable* cte = nullptr;
  std::uint16_t cte_levels_up = 0;   ///< whose `ctes` it belongs to; 0 = this query's
  bool self_reference = false;       ///< stands inside the recursive term: the working table
  // kSystem
  const SystemRelation* system = nullptr;
};

enum class JoinType : std::uint8_t { kInner, kLeft, kRight, kFull };

struct JoinNode {
  bool is_join = false;
  std::uint16_t range = 0;           ///< !is_join
  JoinType type = JoinType::kInner;  ///< CROSS JOIN is kInner without `on`
  const JoinNode* left = nullptr;
  const JoinNode* right = nullptr;
  const Expr* on = nullptr;          ///< may be null; USING and NATURAL are equalities here
  std::span<const std::string_view> using_columns;   ///< of USING and NATURAL
  std::string_view using_alias;      ///< USING (...) AS alias, or empty
};

// ---- Queries ----

struct TargetEntry {
  const Expr* expr = nullptr;
  std::string_view name;
  bool junk = false;                 ///< not shown: only ORDER BY, GROUP BY or DISTINCT ON wants it
  bool computed = false;             ///< written as more than the column that it came to
  Oid origin_table = 0;              ///< RowDescription: the column it shows, if it shows one
  std::int16_t origin_column = 0;    ///< 1-based attribute number, 0 = none
};

struct OrderItem {
  std::uint16_t target = 0;          ///< index in Query::targets
  bool descending = false;
  bool nulls_first = false;
};

enum class SetOp : std::uint8_t { kUnion, kIntersect, kExcept };

/// Inputs are range entries of kind kSubquery; `outputs` are expressions over that entry that have the common types.
struct SetInput {
  std::uint16_t range = 0;
  ExprList outputs;
};

/// kUnion may have any number of inputs; kIntersect and kExcept have two. (a UNION b) EXCEPT c nests as a sub-query.
struct SetOperation {
  SetOp op = SetOp::kUnion;
  bool all = false;
  std::span<const SetInput> inputs;
};

enum class FrameMode : std::uint8_t { kRange, kRows, kGroups };
enum class FrameBound : std::uint8_t { kUnboundedPreceding, kOffsetPreceding, kCurrentRow, kOffsetFollowing, kUnboundedFollowing };
enum class FrameExclusion : std::uint8_t { kNone, kCurrentRow, kGroup, kTies };

/// Which rows of its partition a row's window functions see; as here, unless something else is said.
struct WindowFrame {
  FrameMode mode = FrameMode::kRange;
  FrameBound start = FrameBound::kUnboundedPreceding, end = FrameBound::kCurrentRow;
  FrameExclusion exclusion = FrameExclusion::kNone;
  const Expr* start_offset = nullptr;   ///< without columns; of ROWS and GROUPS int8, of RANGE a type to add to the key
  const Expr* end_offset = nullptr;
};

struct WindowDefinition {
  std::string_view name;             ///< of the WINDOW clause, or empty
  std::span<const SortKey> partition_by;   ///< the order to sort in is at will, but for what is in `order_by`, too
  std::span<const SortKey> order_by;
  WindowFrame frame;
  std::string_view base;             ///< the window that this one extends, or empty: what it has from there is not written again
  bool order_inherited = false;
  bool frame_written = false;
  bool frame_between = false;        ///< BETWEEN ... AND ..., not the beginning alone
};

struct RowMark {
  std::uint16_t range = 0;
  RowLock strength = RowLock::kUpdate;
  LockWait wait = LockWait::kBlock;
};

struct CommonTable {
  std::string_view name;
  std::span<const RangeColumn> columns;
  bool recursive = false;            ///< refers to itself: query.set_operation has two inputs, the second holds the self reference
  bool materialized = false;         ///< AS MATERIALIZED
  bool not_materialized = false;     ///< AS NOT MATERIALIZED
  std::uint16_t alias_columns = 0;   ///< how many columns WITH names
  std::uint32_t references = 0;      ///< how often the statement reads it
  const Query* query = nullptr;
};

/// An item of GROUP BY as it was written.
struct GroupingItem {
  enum class Kind : std::uint8_t { kColumns, kEmpty, kRollup, kCube, kSets } kind = Kind::kColumns;
  std::span<const std::uint16_t> columns;     ///< kColumns: positions in Query::group_by
  std::span<const GroupingItem> content;
};

enum class Command : std::uint8_t { kSelect, kInsert, kUpdate, kDelete, kMerge };

struct Assignment {
  std::uint16_t column = 0;          ///< position in TableDef::columns
  const Expr* value = nullptr;       ///< coerced to the column's type and typmod
};

enum class ConflictAction : std::uint8_t { kNone, kNothing, kUpdate };

struct OnConflict {
  ConflictAction action = ConflictAction::kNone;
  bool any_index = false;            ///< DO NOTHING without a target: every unique index arbitrates
  std::span<const std::uint16_t> indexes;   ///< positions in TableDef::indexes that arbitrate
  std::uint16_t excluded = 0;        ///< kUpdate: range entry EXCLUDED
  std::span<const Assignment> assignments;
  const Expr* where = nullptr;       ///< may be null
};

/// WHEN [NOT] MATCHED [AND condition] THEN ... of MERGE.
struct MergeAction {
  bool matched = false;
  bool nothing = false;              ///< DO NOTHING
  Command command = Command::kInsert;
  const Expr* condition = nullptr;   ///< may be null
  std::span<const Assignment> assignments;   ///< as of Query::assignments
};

/// As messages name it: "FOR UPDATE", ...
std::string_view lock_name(RowLock strength);
struct Query;
/// 0A000 if the rows of a query of this shape (grouped, a set operation, ...) cannot be locked.
Status check_lockable(const Query& query, RowLock strength);

/// One SELECT, VALUES, set operation, INSERT, UPDATE, DELETE or MERGE.
struct Query {
  Command command = Command::kSelect;
  std::span<const RangeEntry* const> ranges;
  std::span<const CommonTable* const> ctes;
  std::span<const JoinNode* const> from;    ///< joined without condition; empty: one row without columns
  const Expr* where = nullptr;              ///< may be null

  // SELECT
  std::span<const TargetEntry> targets;     ///< visible ones first
  bool has_aggregates = false;
  bool has_target_sets = false;             ///< a set-returning function in the target list
  bool has_sublinks = false;
  bool correlated = false;                  ///< holds columns of an outer query
  bool grouped = false;                     ///< GROUP BY, HAVING or an aggregate is there
  std::span<const std::uint16_t> group_by;  ///< indexes of targets
  /// GROUPING SETS, ROLLUP and CUBE worked out: positions in `group_by`. Empty: one set, all of `group_by`.
  std::span<const std::span<const std::uint16_t>> grouping_sets;
  // Of a query that is bound as it was written: where GROUP BY holds sets, its items; FOR UPDATE and its like, sub-selects included.
  std::span<const GroupingItem> grouping_items;
  std::span<const RowMark> written_marks;
  bool group_distinct = false;              ///< GROUP BY DISTINCT
  bool with_recursive = false;              ///< WITH RECURSIVE
  std::span<const WindowDefinition> windows;
  bool has_windows = false;                 ///< some window function is there
  const Expr* having = nullptr;             ///< may be null
  bool distinct = false;
  std::span<const std::uint16_t> distinct_on;   ///< DISTINCT ON: indexes of targets; empty with `distinct`: all visible ones
  std::span<const OrderItem> order_by;
  const Expr* limit = nullptr;              ///< int8, may be null; a null value is no limit
  const Expr* offset = nullptr;             ///< int8, may be null
  bool with_ties = false;
  const SetOperation* set_operation = nullptr;
  std::span<const RowMark> row_marks;

  // INSERT, UPDATE, DELETE, MERGE: ranges[0] is the target table.
  /// INSERT: every column that the table's rows get a value for, defaults filled in, over `from` (which is empty for one row of
  /// VALUES; the VALUES list or the SELECT is ranges[1] otherwise). UPDATE: the columns that SET names.
  std::span<const Assignment> assignments;
  bool instead_of = false;           ///< ranges[0] is a view: a table whose rows its INSTEAD OF triggers get, or of UPDATE and DELETE its sub-query
  OnConflict on_conflict;
  /// MERGE: `from` joins the source with the target, outer where rows without a match matter.
  std::span<const MergeAction> merge_actions;
  std::span<const TargetEntry> returning;
  const Expr* current_of = nullptr;         ///< UPDATE, DELETE ... WHERE CURRENT OF: the cursor's name; there is no `where` then
  /// INSERT, UPDATE: conditions of views WITH CHECK OPTION that the new row, as ranges[0], must meet; the innermost view's first.
  struct ViewCheck {
    std::string_view view;
    const Expr* condition = nullptr;
  };
  std::span<const ViewCheck> view_checks;

  /// Targets without junk, or RETURNING.
  std::span<const TargetEntry> result_columns() const;
};

// ---- Statements ----

enum class BoundKind : std::uint8_t {
  kQuery,           ///< query
  kCallProcedure,   ///< procedure: SELECT f(...) or CALL f(...) of a native procedure
};

/// A native procedure's call; arguments hold constants, parameters and functions of them, no columns and no sub-selects.
struct ProcedureCall {
  std::uint32_t id = 0;              ///< as ProcedureLookup gave it
  const FunctionDef* routine = nullptr;   ///< instead: a procedure in SQL or PL/pgSQL
  std::span<const Oid> types;        ///< of a routine's arguments, then record
  std::string_view name;
  ExprList args;                     ///< of the declared types
  Oid result_type = 0;
  bool is_call = false;              ///< CALL: answers no row
  std::string_view column_name;      ///< of the result
};

struct BoundStatement {
  std::unique_ptr<Arena> arena;
  BoundKind kind = BoundKind::kQuery;
  const Query* query = nullptr;
  ProcedureCall procedure;
  std::vector<Oid> parameter_types;  ///< every $n up to the highest; none is unknown
  // What it depends on. A plan holds as long as catalog->version is the same, or all of these are the same definitions.
  std::uint64_t catalog_version = 0;
  std::vector<std::shared_ptr<const TableDef>> tables;
  std::vector<std::shared_ptr<const ObjectDef>> objects;   ///< views, procedures
  std::vector<std::shared_ptr<const SequenceDef>> sequences;
  std::vector<std::shared_ptr<const FunctionDef>> functions;   ///< of routines whose columns are those of a relation
  // What whoever runs it must be allowed to do.
  std::vector<RelationAccess> accesses;
  std::vector<Oid> executed;         ///< functions
  bool uses_temporary = false;       ///< some relation is temporary
  bool has_volatile = false;         ///< some function is volatile
  bool asks_shards = false;          ///< it shows locks and waits: all shards are asked before it runs
  /// False: bound with something that changes without the catalog (a literal like 'now', a name of a temporary object), so that
  /// it must not be kept for another statement of the same text. A prepared statement may keep it.
  bool cacheable = true;

  /// The result columns: targets of a SELECT without junk, RETURNING, or a procedure's one column; empty: no rows.
  std::span<const TargetEntry> result_columns() const;
  std::vector<TargetEntry> procedure_result;
};

}  // namespace wandian::sql
