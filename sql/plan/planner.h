// Planner: turns one bound statement into a PlanBody. Used by plan_statement() alone.
// Owns:       the scopes of the queries being planned. Plans come out as trees of PlanNode.
// Thread:     one planner a statement.
// How it goes: expressions are "lowered" first, i.e. columns become slots and sub-selects become slots that an operator fills; from
// then on every question ("which table does this condition need?") is a question about slots. Scans learn at the very end
// which columns anybody asked for (finalize.cc).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sql/bind/bound.h"
#include "sql/expr/tree.h"
#include "sql/plan/nodes.h"
#include "sql/plan/plan.h"
#include "sql/statistics/table_statistics.h"
#include "sql/types/collation.h"

namespace wandian::sql {

/// What a range entry became.
struct RangeInfo {
  const RangeEntry* entry = nullptr;
  std::shared_ptr<const TableDef> table;
  std::vector<std::pair<std::uint16_t, Slot>> used;   ///< columns somebody asked for
  std::vector<std::pair<std::uint16_t, Slot>> system; ///< system columns somebody asked for, by minus their number
  std::vector<Slot> outputs;                          ///< kSubquery, kSetResult: all columns
  struct PlanScope* pulled = nullptr;                     ///< kSubquery whose FROM and WHERE became part of the outer query's
  NodePtr plan;                                       ///< kSubquery: until it is put into the tree
  double rows = 0;
  Slot key_slot = kNoSlot, partition_slot = kNoSlot;  ///< asked for by writes and row locks
  Slot presence = kNoSlot;                            ///< null where an outer join has no row of it
  bool planned = false;
  std::shared_ptr<const PartitionTree> tree;          ///< a partitioned table, read with its partitions
  std::vector<std::unique_ptr<RangeInfo>> parts;      ///< by PartitionTree::leaves()
  Slot table_slot = kNoSlot;                          ///< of `tree`: the table a row is in, if asked for
  const Expr* current_of = nullptr;                   ///< the cursor whose row it is, and no other
  // Of a part.
  const RangeInfo* whole = nullptr;
  const PartitionNode* node = nullptr;

  /// `used`, which a part takes from the whole.
  std::vector<std::pair<std::uint16_t, Slot>> columns() const;
  /// `system` as scans and writes take it.
  std::vector<ScanColumn> system_columns() const;
  /// The slots of `used` and `system`.
  std::vector<Slot> table_slots() const;
};

struct PlanScope {
  const Query* query = nullptr;
  PlanScope* parent = nullptr;
  std::vector<RangeInfo> ranges;
  struct Cte {
    std::int32_t index = -1;            ///< in PlanBody::ctes once planned
    std::int32_t work = -1;             ///< while its recursive term is planned: the working table
    Slot work_marker = kNoSlot;         ///< stands for the working table in free_slots
    double rows = 0;
  };
  std::vector<Cte> ctes;
  struct Aggregation* aggregation = nullptr;   ///< while what stands above its grouping is lowered
};

using Subselects = std::vector<std::unique_ptr<PlanSubselect>>;

/// Whether they are nothing but questions for init plans.
bool only_ask(const Subselects& subselects);

/// A condition over slots, with the correlated sub-selects that must be evaluated before it.
struct Conjunct {
  const Expr* expr = nullptr;
  Subselects subselects;
  Subselects asks;                      ///< init plans alone: the condition may stand wherever they have been computed before the first row
  bool behind_gate = false;             ///< nothing is read unless conditions without columns hold
  std::vector<Slot> slots;
  bool is_volatile = false;
  bool derived = false;                 ///< follows from others: good for keys and pruning, not needed as a filter
  bool used = false;
};

/// One input of a join: a table that may still choose how it is read, or a plan.
struct Relation {
  RangeInfo* base = nullptr;            ///< kTable not yet planned
  NodePtr plan;
  std::vector<RangeInfo*> members;      ///< whose columns it gives
  std::vector<Conjunct*> conjuncts;     ///< of this relation alone
  std::vector<Slot> needs;              ///< LATERAL: slots of other relations that must come before

  /// Slots that it gives, as far as anything asked for them.
  std::vector<Slot> slots() const;
};

struct OrderWish {
  Slot slot = 0;
  bool descending = false, nulls_first = false;
};

struct Aggregation {
  std::vector<const Expr*> groups;      ///< as bound
  std::vector<Slot> group_slots;
  std::vector<std::pair<const AggregateExpr*, Slot>> calls;
  std::vector<PlanAggregate> plans;
  Subselects* input_subselects = nullptr;
  std::vector<std::pair<const Expr*, Slot>> inputs;   ///< arguments that must be computed before
  std::vector<std::pair<Slot, std::vector<std::int64_t>>> groupings;   ///< GROUPING(...), its value by grouping set
};

/// Window functions found while targets are lowered, and what their input has to compute for them.
struct Windowing {
  std::vector<std::pair<const WindowExpr*, Slot>> calls;
  std::vector<std::vector<PlanWindowCall>> by_window;   ///< as Query::windows
  std::vector<std::pair<const Expr*, Slot>> items;
  Subselects subselects;
  Subselects of_frames;                                 ///< in the frames' bounds: computed before the first row
  std::vector<std::unique_ptr<WindowNode>> nodes;       ///< from the bottom up
};

/// What must be true for an expression to come to the sub-select that is lowered (branches.cc).
struct Guard {
  const Expr* condition = nullptr;
  const Guard* outer = nullptr;
};

struct Planned {
  NodePtr node;
  std::vector<Slot> outputs;
};

class Planner {
 public:
  Planner(PlanBody& body, const PlanContext& context) : body_(body), context_(context), arena_(body.arena) {}

  Status plan(Plan& plan, const Query& query);

 private:
  struct Lowering {
    PlanScope* scope = nullptr;
    Subselects* subselects = nullptr;        ///< correlated ones go here; null: not allowed
    Aggregation* aggregation = nullptr;      ///< set above GROUP BY
    const std::vector<Slot>* sub_outputs = nullptr;
    const std::vector<const Expr*>* sub_exprs = nullptr;   ///< instead of sub_outputs: lowered expressions
    Windowing* windowing = nullptr;          ///< set where window functions may stand
    const Guard* guard = nullptr;
    bool eager = false;                      ///< rows may have changed when the expression is evaluated: no guards
    bool rechecked = false;                  ///< the same, but of what is not one value for all rows
    bool at_start = false;                   ///< of an expression that is evaluated once, before the first row
  };

  // planner.cc: slots, expressions, sub-selects, CTEs
  Slot new_slot(Oid type, std::uint16_t collation = 0);
  Slot new_slot(const Expr& of) { return new_slot(of.type, of.collation); }
  PlanScope& open_scope(const Query& query, PlanScope* parent);
  Status plan_ranges(PlanScope& scope);
  Result<Slot> column_slot(PlanScope& scope, std::uint16_t range, std::int16_t column);
  Slot system_slot(RangeInfo& range, std::int16_t column, Oid type);
  Result<const Expr*> lower(const Lowering& lowering, const Expr* expr);
  const Expr* lower_node(const Lowering& lowering, const Expr* expr, Status* status);
  const Expr* lower_sublink(const Lowering& lowering, const SubLinkExpr& link, Status* status);
  const Expr* lower_aggregate(const Lowering& lowering, const AggregateExpr& call, Status* status);
  const Expr* lower_grouping(const Lowering& lowering, const GroupingExpr& call, Status* status);
  /// `journaled`: it is evaluated with a journal, whether or not it calls routines itself.
  Result<PlanExpr> compile_expr(const Expr* lowered, bool journaled = false);
  /// The value of an expression without columns, computed once, before the first row.
  Result<const Expr*> compute_once(const Expr* lowered);
  /// A sub-select that gives the value of an expression.
  Result<std::unique_ptr<PlanSubselect>> value_of(const Expr* lowered);
  Result<PlanExpr> lower_and_compile(const Lowering& lowering, const Expr* expr);
  Status plan_cte(PlanScope& scope, std::uint16_t index);
  PlanScope& cte_scope(PlanScope& from, const RangeEntry& entry, std::uint16_t* index);
  NodePtr apply(NodePtr child, Subselects subselects);
  /// `node`, whose expressions read what the sub-selects give: they are computed before its first row.
  NodePtr after_subselects(NodePtr node, Subselects subselects);
  Result<NodePtr> filter(NodePtr child, const Expr* lowered);

  // branches.cc
  static bool has_branches(const Lowering& lowering, const Expr* expr);
  const Expr* lower_branches(const Lowering& lowering, const Expr* expr, Status* status);
  const Expr* lower_list(const Lowering& lowering, const Expr* list, Status* status);
  const Expr* lower_case(const Lowering& lowering, const CaseExpr& source, Status* status);
  const Expr* hold(const Lowering& lowering, const Expr* lowered, Status* status);
  Status add_guard(const Lowering& lowering, PlanSubselect& plan);
  Status ask_for(const Lowering& lowering, std::size_t init);

  // window.cc
  const Expr* lower_window(const Lowering& lowering, const WindowExpr& call, Status* status);
  Result<Slot> window_input(const Lowering& lowering, Windowing& windowing, const Expr* expr, Slot filter);
  Result<std::vector<SortSlot>> window_keys(const Lowering& lowering, Windowing& windowing, std::span<const SortKey> keys);
  std::vector<std::size_t> window_order(const Query& query, const Windowing& windowing) const;
  /// Makes the nodes, when all calls are known and the aggregation below is not made yet: keys may hold aggregates.
  Status lower_windows(PlanScope& scope, const Lowering& lowering);
  /// Puts them on top of their input; `sorted` gets the order of the rows that come out.
  Result<NodePtr> stack_windows(NodePtr node, Windowing& windowing, std::vector<SortSlot>* sorted);

  // select.cc: everything above FROM
  Result<Planned> plan_query(const Query& query, PlanScope* parent);
  Result<Planned> plan_select(PlanScope& scope);
  void refuse_lock(std::string_view kind, std::string_view name);
  Status plan_set_operation(PlanScope& scope, NodePtr* node);
  Status plan_recursive(PlanScope& scope, const CommonTable& cte, PlanScope::Cte& state, Planned* out);
  bool one_row_a_group(const PlanScope& scope, const std::vector<Slot>& groups) const;
  Result<NodePtr> aggregate(PlanScope& scope, NodePtr child, Aggregation& aggregation, std::vector<Slot> group_inputs);
  Result<NodePtr> project(NodePtr child, std::vector<std::pair<const Expr*, Slot>> items, Subselects subselects);
  Result<NodePtr> project_sets(NodePtr child, std::vector<const Expr*>& targets);
  NodePtr sort(NodePtr child, const std::vector<SortSlot>& keys);
  NodePtr distinct(NodePtr child, const std::vector<Slot>& slots);
  Order order_of(Slot slot) const { return body_.slots[slot].order; }

  // A way to read one table (access.cc).
  struct Path {
    ScanMethod method = ScanMethod::kSequential;
    std::uint16_t index = 0;
    std::vector<const Expr*> equals;         ///< values of the leading columns
    std::vector<std::uint8_t> lists;
    const Expr* lower = nullptr;
    const Expr* upper = nullptr;
    bool lower_inclusive = true, upper_inclusive = true;
    const Expr* inverted = nullptr;          ///< of an inverted index: what its column is compared with
    InvertedOp inverted_op{};
    std::uint8_t inverted_part = 0;
    std::vector<Conjunct*> exact;            ///< conditions that the keys fully stand for
    std::vector<const Expr*> conditions;     ///< for EXPLAIN
    std::vector<std::pair<std::uint16_t, const Expr*>> known;
    bool ordered = false, backward = false;  ///< gives the order wished for
    bool parameterised = false;              ///< uses slots of `outer`
    double rows = 0, cost = 0;               ///< rows after all conditions
    double scanned = 0;
    // Of a partitioned table: those of the partitions that are read, and the conditions that decide which.
    std::vector<Path> parts;
    std::vector<std::size_t> leaves;         ///< by `parts`: position in PartitionTree::leaves()
    std::shared_ptr<PartitionLevel> level;
  };

  // from.cc: joins
  struct SemiJoin {
    JoinKind kind = JoinKind::kSemi;
    Relation relation;
    std::vector<Conjunct*> on;
  };
  struct JoinProblem {
    std::vector<Relation> relations;
    std::vector<Conjunct*> conjuncts;
    std::vector<SemiJoin> semis;
    std::vector<std::pair<PlanScope*, const JoinNode*>> outer;   ///< outer joins not yet planned
    bool semis_may_join = false;               ///< nobody writes or locks its rows: a semi join may become an inner one
    std::vector<Slot> slots() const;
  };
  enum class JoinMethod : std::uint8_t { kHash, kHashSwapped, kNestScan, kNestMaterial };
  struct JoinEstimate {
    JoinMethod method = JoinMethod::kNestMaterial;
    double rows = 0, cost = 0;
  };
  Result<NodePtr> plan_from(PlanScope& scope, std::span<const OrderWish> wish, double row_limit, bool* ordered);
  Status collect_query(PlanScope& scope, JoinProblem& problem);
  Status collect(PlanScope& scope, const JoinNode& node, JoinProblem& problem);
  Status collect_outer(JoinProblem& problem);
  Status add_conjuncts(PlanScope& scope, const Expr* condition, JoinProblem* semis, std::vector<Conjunct*>& out);
  const Expr* as_array_comparison(const PlanScope& scope, const Expr* condition);
  Result<const Expr*> compute_operand_once(const Expr* lowered);
  Conjunct* make_conjunct(const Expr* lowered, Subselects subselects);
  Result<Relation> leaf(PlanScope& scope, std::uint16_t range);
  Status outer_join(PlanScope& scope, const JoinNode& node, JoinProblem& problem);
  Result<Relation> as_relation(JoinProblem& problem);
  Result<NodePtr> solve(JoinProblem& problem, std::span<const OrderWish> wish, double row_limit, bool* ordered);
  void derive_equalities(JoinProblem& problem);
  std::vector<std::size_t> join_order(JoinProblem& problem);
  struct OrderSearch;                        ///< join_order.cc
  std::vector<std::size_t> greedy_order(JoinProblem& problem, OrderSearch& search);
  std::vector<std::size_t> best_order(JoinProblem& problem, OrderSearch& search);
  void join_unique_semis(JoinProblem& problem);
  bool is_unique_by(const Relation& relation, const std::vector<Conjunct*>& on) const;
  Result<NodePtr> join(NodePtr left, const std::vector<Slot>& left_slots, Relation& right, JoinKind kind, const std::vector<Conjunct*>& on);
  Result<NodePtr> hash_join(NodePtr left, NodePtr right, const std::vector<Slot>& left_slots, const std::vector<Slot>& right_slots,
                            JoinKind kind, const std::vector<Conjunct*>& on, double rows, double cost);
  /// What is known of a join's right side before its left side is.
  struct RightSide {
    double rows = 0, cost = 0;               ///< on its own
    std::vector<Slot> slots;
    Path inner;                              ///< as the inner side of a nested loop; not parameterised: no use
  };
  RightSide right_side(const Relation& right, JoinKind kind, const std::vector<Slot>& left_slots, const std::vector<Conjunct*>& on);
  JoinEstimate estimate_join(double left_rows, double left_cost, const std::vector<Slot>& left_slots, const Relation& right,
                             const RightSide& side, JoinKind kind, const std::vector<Conjunct*>& on);
  JoinEstimate estimate_join(double left_rows, double left_cost, const std::vector<Slot>& left_slots, const Relation& right,
                             JoinKind kind, const std::vector<Conjunct*>& on) {
    return estimate_join(left_rows, left_cost, left_slots, right, right_side(right, kind, left_slots, on), kind, on);
  }
  bool hashable(const Conjunct& conjunct, const std::vector<Slot>& left, const std::vector<Slot>& right, const Expr** left_key,
                const Expr** right_key) const;
  void estimate(const Relation& relation, double* rows, double* cost);
  Result<NodePtr> finish_relation(Relation& relation);
  Result<NodePtr> filter_all(NodePtr node, std::span<Conjunct* const> conjuncts);
  Result<NodePtr> pass_gates(std::span<Conjunct* const> gates);
  Status try_semi_join(PlanScope& scope, const Expr* conjunct, JoinProblem& problem, bool* done);
  bool can_pull_up(const PlanScope& scope, std::size_t range) const;
  /// Whether an outer join may put nulls in the place of the range's rows (whole_row.cc).
  static bool is_nullable(const Query& query, std::uint16_t range);
  /// Whether a row of the range is a value somewhere, which is null where an outer join has none.
  static bool shows_presence(const PlanScope& scope, std::size_t range);
  static bool gives_slot(const PlanScope& scope, Slot slot);
  static bool belongs_to_outer_query(const PlanScope& scope, Slot slot);
  const Expr* lower_whole_row(const Lowering& lowering, const RowExpr& row, Status* status);

  // access.cc: how one table is read
  Path best_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                 std::span<const OrderWish> wish, double row_limit);
  /// Rows by ctid, if a condition gives it; false: none does.
  bool place_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer, Path* out);
  Path table_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                  std::span<const OrderWish> wish, double row_limit);
  Result<NodePtr> make_scan(RangeInfo& base, const Path& path, std::span<Conjunct* const> conjuncts);
  Result<NodePtr> plan_simple_range(PlanScope& scope, std::uint16_t range);

  // partitions.cc
  void divide(RangeInfo& range);
  Slot table_slot(RangeInfo& range);
  Path partitions_path(const RangeInfo& base, std::span<Conjunct* const> conjuncts, const std::vector<Slot>& outer,
                       std::span<const OrderWish> wish, double row_limit);
  std::shared_ptr<PartitionLevel> partition_level(const RangeInfo& base, const PartitionNode& node, std::span<Conjunct* const> conjuncts);
  Status compile_level(PartitionLevel& level);
  Result<NodePtr> make_partitions(RangeInfo& base, const Path& path, std::span<Conjunct* const> conjuncts);

  // estimate.cc: how many rows
  /// Rows that the table has; a floor for costs, since a plan outlives the state it was made in: a table that is small now may not stay so.
  double table_rows(const TableDef& table);
  static constexpr double kLeastRows = 1000;
  /// Share of the rows for which the condition holds.
  double selectivity(const Expr* condition);
  /// The same for all of them together: bounds from both sides on one column are one range.
  double selectivity(std::span<Conjunct* const> conjuncts);
  double equality_selectivity(const Expr* column, const Expr* value);
  std::optional<double> inequality_selectivity(const Expr* column, const Expr* value, int strategy);
  const ColumnStatistics* statistics_of(const Expr* slot);
  const TableStatistics* statistics_of(const TableDef& table);
  /// How many different values a column has in its table, 0 if nobody knows.
  double distinct_of(const Expr* slot);
  /// How many groups `rows` rows make by these slots.
  double group_count(std::span<const Slot> slots, double rows);
  /// Of all pairs of rows, those for which the equality holds; nothing if nobody knows.
  std::optional<double> join_selectivity(const Expr* left, const Expr* right);

  // modify.cc
  Status plan_write(const Query& query, PlanScope* parent, ModifyPlan& modify, NodePtr& root);
  Status plan_insert(PlanScope& scope, ModifyPlan& modify, NodePtr& root);
  Status plan_targets(PlanScope& scope, ModifyPlan& modify, NodePtr& root);
  bool stays_in_partition(const TableDef& table, std::span<const Assignment> assignments) const;
  Status plan_update_delete(PlanScope& scope, ModifyPlan& modify, NodePtr& root);
  Status plan_merge(PlanScope& scope, ModifyPlan& modify, NodePtr& root);
  Status plan_assignments(PlanScope& scope, ModifyPlan& modify, Subselects& subselects);
  Status plan_instead(PlanScope& scope, ModifyPlan& modify, NodePtr& root);
  Status journal_decisions(ModifyPlan& modify, std::span<PlanExpr* const> parts);
  void keep_others(ModifyPlan& modify, std::span<const Slot> read) const;
  Status plan_writing_ctes();
  Status project_waiting(ModifyPlan& modify, NodePtr& root, bool all);
  Status plan_returning(PlanScope& scope, const Query& query, ModifyPlan& modify);
  void find_fast_path(Plan& plan);

  // finalize.cc
  void finalize();
  friend class Finalizer;

  PlanBody& body_;
  const PlanContext& context_;
  Arena& arena_;
  std::deque<PlanScope> scopes_;
  std::deque<Conjunct> conjuncts_;
  std::vector<std::pair<PlanNode*, RangeInfo*>> scans_;    ///< to be told their columns
  std::vector<std::vector<Slot>> cte_free_;
  std::map<std::uint32_t, Slot> work_markers_;             ///< working table -> the slot that stands for it
  unsigned next_init_ = 1, next_sub_ = 1;
  // Of FOR UPDATE and its like in views. PostgreSQL finds these when it plans the view and when it begins to run the plan; whatever
  // else is wrong comes first.
  Status shape_refusal_, relation_refusal_;
  std::vector<std::pair<const SubLinkExpr*, std::size_t>> init_links_;   ///< of sub-selects that are init plans: an expression lowered again reads them
  /// By slot: the column of a table that it is.
  struct SlotColumn {
    const TableDef* table = nullptr;
    std::uint16_t column = 0;
  };
  std::vector<SlotColumn> slot_columns_;
  std::map<Oid, std::shared_ptr<const TableStatistics>> statistics_;   ///< of tables that were asked for; null: none

 public:
  const std::vector<std::pair<PlanNode*, RangeInfo*>>& scans() const { return scans_; }
  const std::map<std::uint32_t, Slot>& work_markers() const { return work_markers_; }
};

/// Whether a value of `type` can be made a key of a column of `column` type as it is.
bool same_key_form(Oid column, Oid type);

/// Whether rows sorted in the one way are sorted in the other, too.
bool starts_with(std::span<const SortSlot> sorted, std::span<const SortSlot> keys);

/// Slots an expression reads, without duplicates, appended.
void collect_slots(const Expr* expr, std::vector<Slot>& out);
/// Whether the range stands where a join may put nulls for its row; `nullable`: the whole of the tree does (whole_row.cc).
bool nullable_side(const JoinNode& node, std::uint16_t range, bool nullable);

inline bool contains(std::span<const Slot> slots, Slot slot) {
  for (const Slot s : slots)
    if (s == slot) return true;
  return false;
}
inline bool subset(std::span<const Slot> inner, std::span<const Slot> outer) {
  for (const Slot s : inner)
    if (!contains(outer, s)) return false;
  return true;
}

/// Fills in what is known once the whole tree stands: scans' columns, kept slots, free slots, row arenas.
void finalize_plan(PlanBody& body, const std::vector<std::pair<PlanNode*, RangeInfo*>>& scans,
                   const std::map<std::uint32_t, Slot>& work_markers);

}  // namespace wandian::sql
