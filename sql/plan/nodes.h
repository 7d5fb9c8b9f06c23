// The physical plan: a tree of nodes over one frame of slots.
// Every column that a statement needs has one slot in the frame; a scan writes its columns there, an expression reads them, and what
// is kept (sorts, hash tables) is saved from slots and restored into the same slots. So rows are never re-arranged between
// operators, a correlated sub-select reads its outer row where it stands, and a parameterised inner scan does likewise.
// Owns:       PlanBody owns the arena of the rewritten expressions and their compiled forms.
// Thread:     immutable once planned.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/row_op.h"
#include "engine/table.h"
#include "sql/bind/bound.h"
#include "sql/expr/expression.h"
#include "sql/expr/inverted.h"
#include "sql/partition/tree.h"
#include "sql/plan/plan.h"

namespace wandian::sql {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = ~Slot{0};

struct SlotInfo {
  Oid type = 0;
  Order order = Order::kNone;
  bool by_value = true;
};

/// An expression over slots and its compiled form.
struct PlanExpr {
  const Expr* expr = nullptr;
  CompiledExpr code;
  bool waits = false;                ///< holds calls of routines: to be evaluated by JournaledEval alone
  explicit operator bool() const { return expr != nullptr; }
};

/// Slots that an operator keeps copies of.
struct SavedSlots {
  std::vector<Slot> slots;
  std::vector<std::uint8_t> by_value;   ///< by position in `slots`
  bool all_by_value = true;
};

enum class NodeType : std::uint8_t {
  kResult,          ///< one row without columns, if `filter` holds
  kScan,            ///< ScanNode
  kPartitions,      ///< PartitionsNode: the scans of a partitioned table's partitions, one after the other
  kSystemScan,      ///< SystemScanNode
  kFunctionScan,    ///< FunctionScanNode
  kValues,          ///< ValuesNode
  kCteScan,         ///< CteScanNode
  kWorkScan,        ///< WorkScanNode: the working table of a recursive union
  kTransitionScan,  ///< TransitionScanNode
  kFilter,          ///< FilterNode
  kProject,         ///< ProjectNode
  kProjectSet,      ///< ProjectNode whose expressions may return sets
  kNestLoop,        ///< JoinPlanNode
  kHashJoin,        ///< JoinPlanNode; child 1 is the build side
  kSort,            ///< SortNode
  kAggregate,       ///< AggregateNode
  kWindow,          ///< WindowNode
  kGroupingSets,    ///< GroupingSetsNode: each row once for each grouping set
  kUnique,          ///< UniqueNode: of neighbours
  kLimit,           ///< LimitNode
  kAppend,          ///< AppendNode
  kSetOp,           ///< SetOpNode: INTERSECT, EXCEPT
  kRecursiveUnion,  ///< RecursiveUnionNode
  kMaterialize,     ///< MaterializeNode
  kApply,           ///< ApplyNode: correlated sub-selects
  kWith,            ///< WithNode: forgets its CTEs' rows when it starts again
  kLockRows,        ///< LockRowsNode
};

struct PlanNode {
  explicit PlanNode(NodeType t) : type(t) {}
  virtual ~PlanNode() = default;

  NodeType type;
  std::uint32_t id = 0;                        ///< position in PlanBody's numbering, for instrumentation
  std::uint32_t arena = 0;                     ///< where expressions evaluated for this node's row put their results
  std::vector<std::unique_ptr<PlanNode>> children;
  std::vector<Slot> visible;                   ///< what may be read above
  std::vector<Slot> pointer_slots;             ///< slots this node writes whose values may point into row versions or row arenas
  std::vector<Slot> free_slots;                ///< slots read in the subtree that it does not produce: it is correlated
  double rows = 1, startup_cost = 0, cost = 0;

  template <class T>
  const T& as() const {
    return static_cast<const T&>(*this);
  }
};
using NodePtr = std::unique_ptr<PlanNode>;

struct ResultNode : PlanNode {
  ResultNode() : PlanNode(NodeType::kResult) {}
  PlanExpr filter;                             ///< "One-Time Filter"
};

struct ScanColumn {
  std::uint16_t column = 0;
  Slot slot = 0;
};

/// A condition on one leading column of an index: column = value, or column = ANY (array).
struct KeyCondition {
  PlanExpr value;
  bool list = false;
  Oid element_type = 0;                        ///< of `list`
};

enum class ScanMethod : std::uint8_t {
  kSequential,   ///< index 0 from end to end
  kIndex,        ///< a range (or several, for lists) of an index
  kPoint,        ///< one row by its whole primary key
  kGlobal,       ///< one row by a global unique index
  kPlace,        ///< rows by their places: ctid
  kCurrent,      ///< the row that a cursor stands on
};

struct ScanNode : PlanNode {
  ScanNode() : PlanNode(NodeType::kScan) {}
  std::shared_ptr<const TableDef> table;
  std::string alias;
  ScanMethod method = ScanMethod::kSequential;
  std::uint16_t index = 0;
  std::shared_ptr<const TableDef> global;      ///< kGlobal: the index's own table
  std::vector<ScanColumn> filter_columns;      ///< read before `filter` is evaluated
  std::vector<ScanColumn> columns;             ///< read for rows that pass
  std::vector<ScanColumn> system;              ///< system columns, by minus their number; read before `filter` is evaluated
  PlanExpr filter;
  std::vector<KeyCondition> equals;            ///< on the index's leading columns; kPlace: the one on ctid; kCurrent: the cursor's name
  PlanExpr lower, upper;                       ///< on the column after them
  bool lower_inclusive = true, upper_inclusive = true;
  PlanExpr inverted;                           ///< kIndex of an inverted index: what its column is compared with
  InvertedOp inverted_op{};
  std::uint8_t inverted_part = 0;
  std::vector<std::pair<std::uint16_t, PlanExpr>> known;   ///< columns whose value is known: decide the partition
  bool ordered = false, backward = false;
  Slot key_slot = kNoSlot;                     ///< gets the primary key's bytes
  Slot partition_slot = kNoSlot;               ///< gets the partition
  std::vector<const Expr*> index_conditions;   ///< for EXPLAIN
};

/// A condition on a part of a partitioned table's key.
struct PartitionCondition {
  std::uint16_t part = 0;
  PartitionTerm::Test test = PartitionTerm::Test::kEqual;
  PlanExpr value;                              ///< kAny: an array; of kIsNull and kIsNotNull: none
};
/// Conditions that all hold, and lists of filters one of which holds.
struct PartitionFilter {
  std::vector<PartitionCondition> conditions;
  std::vector<std::vector<PartitionFilter>> alternatives;
  bool empty() const { return conditions.empty() && alternatives.empty(); }
};
/// One partitioned table of a tree: which of its partitions are read is known when its filter's values are.
struct PartitionLevel {
  const Partitioning* partitioning = nullptr;
  PartitionFilter filter;
  std::vector<std::int32_t> scans;             ///< by Partitioning::children(): position in PlanNode::children, or -1
  std::vector<std::shared_ptr<PartitionLevel>> levels;   ///< likewise, of those that are partitioned themselves
};
struct PartitionsNode : PlanNode {
  PartitionsNode() : PlanNode(NodeType::kPartitions) {}
  std::shared_ptr<const PartitionTree> tree;
  std::vector<Oid> tables;                     ///< by child
  std::shared_ptr<PartitionLevel> level;       ///< null: all children are read
  bool ordered = false;                        ///< the children come in the order of their rows; else `backward` is false
  Slot table_slot = kNoSlot;                   ///< gets the OID of the table that the row is in
};

struct SystemScanNode : PlanNode {
  SystemScanNode() : PlanNode(NodeType::kSystemScan) {}
  const SystemRelation* relation = nullptr;
  std::string alias;
  std::vector<ScanColumn> columns;
  PlanExpr filter;
};

struct PlanFunction {
  const FunctionExpr* set_call = nullptr;      ///< set-returning; else `value` gives one row
  std::vector<PlanExpr> args;
  PlanExpr value;
  std::uint16_t first_column = 0, column_count = 1;
  bool of_record = false;                      ///< it gives records, whose fields are the columns
};
struct FunctionScanNode : PlanNode {
  FunctionScanNode() : PlanNode(NodeType::kFunctionScan) {}
  std::string alias;
  std::vector<PlanFunction> functions;
  std::uint16_t total_columns = 0;
  bool ordinality = false;
  std::vector<ScanColumn> columns;
  PlanExpr filter;
};

struct ValuesNode : PlanNode {
  ValuesNode() : PlanNode(NodeType::kValues) {}
  std::string alias;
  std::vector<Slot> slots;                     ///< by column; kNoSlot if nobody reads it
  std::vector<std::vector<PlanExpr>> rows_exprs;
  PlanExpr filter;
};

struct CteScanNode : PlanNode {
  CteScanNode() : PlanNode(NodeType::kCteScan) {}
  std::string alias, name;
  std::uint32_t cte = 0;                       ///< index in PlanBody::ctes
  std::vector<std::pair<std::uint16_t, Slot>> columns;   ///< position among the CTE's saved values -> slot here
  PlanExpr filter;
};

struct WorkScanNode : PlanNode {
  WorkScanNode() : PlanNode(NodeType::kWorkScan) {}
  std::string alias;
  std::uint32_t work = 0;                      ///< number of the recursive union's working table
  std::vector<std::pair<std::uint16_t, Slot>> columns;
  PlanExpr filter;
};

/// A transition table of the trigger function that runs the statement.
struct TransitionScanNode : PlanNode {
  TransitionScanNode() : PlanNode(NodeType::kTransitionScan) {}
  std::string alias, name;
  bool new_rows = false;
  std::vector<ScanColumn> columns;
  PlanExpr filter;
};

struct FilterNode : PlanNode {
  FilterNode() : PlanNode(NodeType::kFilter) {}
  PlanExpr filter;
};

struct ProjectNode : PlanNode {
  explicit ProjectNode(NodeType t = NodeType::kProject) : PlanNode(t) {}
  std::vector<std::pair<PlanExpr, Slot>> items;
  /// kProjectSet: items that return sets, by position in `items`, have their call's arguments here.
  struct SetItem {
    std::uint32_t item = 0;
    const FunctionExpr* call = nullptr;
    std::vector<PlanExpr> args;
  };
  std::vector<SetItem> sets;
};

enum class JoinKind : std::uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti };

struct JoinPlanNode : PlanNode {
  explicit JoinPlanNode(NodeType t) : PlanNode(t) {}
  JoinKind kind = JoinKind::kInner;
  PlanExpr filter;                             ///< on pairs; part of the join condition
  // kHashJoin
  std::vector<Slot> left_keys, right_keys;     ///< pairwise equal
  std::vector<Order> key_orders;
  SavedSlots saved;                            ///< of the build side, keys first
  std::vector<const Expr*> hash_conditions;    ///< for EXPLAIN
};

struct SortSlot {
  Slot slot = 0;
  Order order = Order::kNone;
  bool descending = false, nulls_first = false;
};

struct SortNode : PlanNode {
  SortNode() : PlanNode(NodeType::kSort) {}
  std::vector<SortSlot> keys;
  SavedSlots saved;
  PlanExpr limit, offset;                      ///< of the LIMIT above, if rows beyond their sum are never asked for
};

struct PlanAggregate {
  const AggregateExpr* call = nullptr;
  std::vector<PlanExpr> args;
  std::vector<PlanExpr> direct_args;           ///< of WITHIN GROUP: evaluated when a group is given out
  PlanExpr filter;
  std::vector<SortSlot> order_by;              ///< over `order_args`' positions (slot = position in args, then order_exprs)
  std::vector<PlanExpr> order_exprs;
  bool distinct = false;
  bool count_star = false;
  Slot out = 0;
  std::vector<Order> arg_orders;
  std::vector<std::uint8_t> arg_by_value;
  std::vector<std::uint8_t> order_by_value;
};

enum class AggStrategy : std::uint8_t { kPlain, kHashed, kSorted };
struct AggregateNode : PlanNode {
  AggregateNode() : PlanNode(NodeType::kAggregate) {}
  AggStrategy strategy = AggStrategy::kPlain;
  std::vector<Slot> groups;
  std::vector<Order> group_orders;
  SavedSlots saved;                            ///< groups first, then what depends on them
  std::vector<PlanAggregate> aggregates;
  PlanExpr having;                             ///< applied by a filter above; kept for EXPLAIN
  /// Grouping sets without a column have a group although there is no row: the slots that tell them apart, and their values.
  std::vector<std::vector<std::pair<Slot, std::int64_t>>> empty_sets;
};

/// Gives each input row once for each grouping set; a column that the set leaves out is null.
struct GroupingSetsNode : PlanNode {
  GroupingSetsNode() : PlanNode(NodeType::kGroupingSets) {}
  std::vector<Slot> inputs, outputs;           ///< pairwise: the columns grouped by, and what stands for them above
  std::vector<std::vector<std::uint8_t>> sets; ///< by set: whether it has the column
  Slot set_slot = kNoSlot;                     ///< gets the set's number, which is grouped by, too
  /// GROUPING(...): its slot, and its value by set.
  std::vector<std::pair<Slot, std::vector<std::int64_t>>> groupings;
};

/// A window function over the slots of the input, which comes sorted by partition and order.
struct PlanWindowCall {
  const WindowExpr* call = nullptr;
  std::vector<Slot> args;
  Slot filter = kNoSlot;
  Slot out = 0;
};

struct WindowNode : PlanNode {
  WindowNode() : PlanNode(NodeType::kWindow) {}
  std::vector<SortSlot> partition, order;
  WindowFrame frame;                           ///< its offsets are `start_offset` and `end_offset`
  PlanExpr start_offset, end_offset;
  std::vector<PlanWindowCall> calls;
  SavedSlots saved;                            ///< what is kept of a row
};

struct UniqueNode : PlanNode {
  UniqueNode() : PlanNode(NodeType::kUnique) {}
  SavedSlots keys;
  std::vector<Order> orders;
};

struct LimitNode : PlanNode {
  LimitNode() : PlanNode(NodeType::kLimit) {}
  PlanExpr limit, offset;
  bool with_ties = false;
  SavedSlots tie_slots;
  std::vector<Order> tie_orders;
};

struct AppendNode : PlanNode {
  AppendNode() : PlanNode(NodeType::kAppend) {}
  std::vector<Slot> outputs;
  std::vector<std::vector<Slot>> inputs;       ///< by child: the slot that each output takes its value from
};

struct SetOpNode : PlanNode {
  SetOpNode() : PlanNode(NodeType::kSetOp) {}
  SetOp op = SetOp::kIntersect;
  bool all = false;
  std::vector<Slot> outputs;
  std::vector<std::vector<Slot>> inputs;
  std::vector<Order> orders;
  SavedSlots saved;                            ///< the outputs
};

struct RecursiveUnionNode : PlanNode {
  RecursiveUnionNode() : PlanNode(NodeType::kRecursiveUnion) {}
  std::uint32_t work = 0;
  bool all = false;
  std::vector<Slot> outputs;
  std::vector<std::vector<Slot>> inputs;
  std::vector<Order> orders;
  SavedSlots saved;
};

struct MaterializeNode : PlanNode {
  MaterializeNode() : PlanNode(NodeType::kMaterialize) {}
  SavedSlots saved;
};

struct PlanSubselect {
  SubLinkKind kind = SubLinkKind::kScalar;
  bool once = false;                           ///< uncorrelated: evaluated at most once an execution
  bool lazy = false;                           ///< of an init plan: computed when a row asks for it, not before the first
  std::int32_t init = -1;                      ///< of an ApplyNode: asks for that init plan, and is nothing but `guard` and `out` itself
  PlanExpr guard;                              ///< of an ApplyNode: it is computed for the rows for which this holds; empty: for all
  NodePtr plan;
  std::vector<Slot> outputs;                   ///< of the sub-select
  PlanExpr test;                               ///< kAny, kAll
  /// kAny, uncorrelated and simple: left values looked up in a hash set of the outputs instead of `test`.
  std::vector<PlanExpr> hash_left;
  std::vector<Order> hash_orders;
  SavedSlots saved;                            ///< the outputs, for the hash set or a list kept for `once` kAny/kAll
  Oid element_type = 0;                        ///< kArray
  bool of_arrays = false;                      ///< kArray: the elements are arrays, which become a further dimension
  std::vector<Oid> field_types;                ///< kRow
  Slot out = 0;
  std::string name;                            ///< "InitPlan 1", "SubPlan 2"
};

struct ApplyNode : PlanNode {
  ApplyNode() : PlanNode(NodeType::kApply) {}
  std::vector<std::unique_ptr<PlanSubselect>> subselects;
};

struct WithNode : PlanNode {
  WithNode() : PlanNode(NodeType::kWith) {}
  std::vector<std::uint32_t> ctes;
};

struct PlanRowMark {
  std::shared_ptr<const TableDef> table;
  RowLock strength = RowLock::kUpdate;
  LockWait wait = LockWait::kBlock;
  Slot key_slot = kNoSlot, partition_slot = kNoSlot;
  std::vector<ScanColumn> columns;             ///< read again if the row changed
  std::vector<ScanColumn> system;              ///< likewise, as ScanNode::system
  std::shared_ptr<const PartitionTree> tree;   ///< of a partitioned table: `table_slot` says where the row is
  Slot table_slot = kNoSlot;
};
struct LockRowsNode : PlanNode {
  LockRowsNode() : PlanNode(NodeType::kLockRows) {}
  std::vector<PlanRowMark> marks;
  PlanExpr recheck;                            ///< the WHERE clause, for rows that changed; may be empty
};

/// INSERT, UPDATE, DELETE or MERGE on top of a plan that finds what to write: PlanBody::root, or that of its CTE.
struct ModifyPlan {
  PlanKind kind = PlanKind::kInsert;
  std::shared_ptr<const TableDef> table;
  struct Set {
    std::uint16_t column = 0;
    PlanExpr value;                            ///< over the source's slots and, for UPDATE, the target's
  };
  std::vector<Set> sets;                       ///< INSERT: one a column given; UPDATE: the columns set
  std::vector<ScanColumn> target_columns;      ///< UPDATE, DELETE: what sets, recheck and RETURNING read of the target
  std::vector<ScanColumn> target_system;       ///< its system columns, as ScanNode::system; INSERT: those of the new or conflicting row
  Slot key_slot = kNoSlot, partition_slot = kNoSlot;
  PlanExpr recheck;                            ///< UPDATE, DELETE: WHERE with the joins' conditions
  SavedSlots others;                           ///< slots of the other tables that sets, recheck and RETURNING read
  bool at_owner = false;                       ///< everything can be decided at the row's owner in one operation
  bool key_changes = false;                    ///< the primary key or the placement may change
  bool may_repeat = false;                     ///< joins: the same target may come twice
  std::vector<PlanExpr> returning;             ///< over target_columns' slots (the new row; of DELETE the old one) and others
  bool returning_waits = false;                ///< some of `returning` calls routines: evaluated when the rows are given out
  SavedSlots returning_slots;                  ///< ... over these
  NodePtr returning_node;                      ///< sub-selects over the returned row, one row of it; null: none. They run when rows are given out
  bool calls_routines = false;                 ///< the source, the sets or checks call routines: rows are written one by one, for them to see
  bool decisions_wait = false;                 ///< ON CONFLICT DO UPDATE, MERGE: what is decided about a row calls routines
  /// `table` is a view (view_table()) whose INSTEAD OF triggers get the rows; `target_columns` are all of its columns.
  bool instead_of = false;
  struct Check {
    std::string view;
    PlanExpr condition;                        ///< over the new row's slots, as `returning`
  };
  std::vector<Check> checks;                   ///< WITH CHECK OPTION
  std::vector<ScanColumn> returning_columns;   ///< INSERT: slots that the new row's columns go to
  // INSERT ... ON CONFLICT
  ConflictAction conflict = ConflictAction::kNone;
  bool any_arbiter = false;
  std::vector<std::uint16_t> arbiters;
  std::vector<Set> conflict_sets;
  PlanExpr conflict_where;
  NodePtr conflict_node;                       ///< sub-selects that these read, one row of them; null: none
  std::vector<ScanColumn> excluded_columns;    ///< slots of EXCLUDED
  std::vector<ScanColumn> conflict_columns;    ///< slots of the existing row
  /// MERGE: in their order. `recheck` is the join's condition; a null key_slot is a row without a match.
  struct Action {
    bool matched = false;
    bool nothing = false;
    PlanKind kind = PlanKind::kInsert;
    PlanExpr condition;
    std::vector<Set> sets;
  };
  std::vector<Action> actions;
  /// The target is partitioned: rows are in the leaves. Columns above are the target's, as PartitionNode::columns has them.
  std::shared_ptr<const PartitionTree> tree;
  Slot table_slot = kNoSlot;                   ///< the table that a row is in; kNoSlot: nobody asks
};

struct PlanCte {
  std::string name;
  NodePtr plan;                                ///< of one that writes: what finds the rows to write
  SavedSlots saved;                            ///< outputs by column; none of one that writes
  std::unique_ptr<ModifyPlan> modify;          ///< it writes: its rows are those of RETURNING
};

/// One row by its full primary key: kSelect, kUpdate, kDelete; one row of values: kInsert.
struct FastPath {
  bool possible = false;
  std::shared_ptr<const TableDef> table;
  std::vector<PlanExpr> key;                   ///< in the primary index's order
  std::vector<PlanExpr> outputs;               ///< result columns over slots
  std::vector<std::int32_t> output_columns;    ///< the table's column it is, or -1: then `outputs` is evaluated
  const ScanNode* scan = nullptr;
};

struct PlanBody {
  std::shared_ptr<const BoundStatement> statement;
  Arena arena;                                 ///< rewritten expressions, compiled forms, constants
  std::vector<SlotInfo> slots;
  std::uint32_t arenas = 1;                    ///< row arenas; 0 belongs to the statement's top
  std::uint32_t nodes = 0;
  std::uint32_t works = 0;                     ///< working tables of recursive unions
  std::vector<PlanCte> ctes;
  std::vector<std::uint32_t> writing_ctes;     ///< those that write, as the statement names them
  std::vector<std::unique_ptr<PlanSubselect>> init_plans;   ///< in the order to evaluate them
  NodePtr root;                                ///< null: nothing to read (one row of INSERT VALUES)
  std::vector<Slot> outputs;                   ///< SELECT: slots of the result columns
  std::unique_ptr<ModifyPlan> modify;
  FastPath fast;
  bool locks_rows = false;
  bool depends_on_parameters = false;          ///< with their values in its text the statement might be planned better
};

}  // namespace wandian::sql
