// The binder's inside: one Binder a statement, one Scope a query level. Private to sql/bind.
// Errors are thrown as BindError inside and caught where binder.h's functions begin; nothing else throws it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <memory>
#include <vector>

#include "sql/access/acl.h"
#include "sql/bind/binder.h"
#include "sql/bind/bound.h"
#include "sql/bind/stored_names.h"
#include "sql/expr/tree.h"

namespace wandian::sql {

struct BindError {
  Status status;
};
[[noreturn]] inline void fail(Status status) { throw BindError{std::move(status)}; }
inline void must(Status status) {
  if (!status.ok()) fail(std::move(status));
}

/// Where an expression stands; decides what it may hold, and how an error calls the place.
enum class Place : std::uint8_t {
  kTarget, kWhere, kJoinOn, kFrom, kHaving, kFilter, kGroupBy, kOrderBy, kDistinctOn, kLimit, kOffset, kReturning, kValues,
  kInsertTarget, kUpdateSource, kConflictWhere, kCheck, kDefault, kIndex, kIndexPredicate, kUsing, kExecute, kCall, kCopyWhere, kTriggerWhen,
  kMergeWhen, kWindowPartition, kWindowOrder, kWindowRange, kWindowRows, kWindowGroups, kGenerated, kPartitionKey, kPartitionBound,
  kFromQuery,   ///< a sub-select in FROM
};

struct NamedExpr {
  std::string_view name;
  const Expr* expr;
};

/// A name that FROM made: a range entry, or a join that merges columns or has an alias.
struct NsItem {
  std::string_view alias;
  Oid schema = 0;                      ///< of a relation without alias: may qualify it
  std::string_view schema_name;
  int range = -1;
  const RangeEntry* entry = nullptr;   ///< null for a join
  std::vector<NamedExpr> columns;      ///< of a join
  bool relation_visible = true;
  bool columns_visible = true;
  bool lateral_only = false;           ///< still inside FROM: only LATERAL may see it
  bool lateral_ok = true;
  bool is_view_target = false;         ///< `columns` are those of the view that the statement writes to
};

/// A view that a statement writes to: its columns and conditions over the one table behind it, which is the target's range entry.
struct ViewTarget {
  std::string_view name;
  Oid schema = 0;
  std::shared_ptr<const TableDef> table;
  const RangeEntry* instead = nullptr; ///< what is behind is a view whose INSTEAD OF triggers get the rows; `table` is its view_table()
  std::vector<NamedExpr> columns;
  std::vector<int> base;               ///< by column: its position in the table, or -1: not updatable
  std::map<int, std::string> defaults; ///< by column of the table: that of the outermost view that has one
  std::string computed, computed_of;   ///< a column with a default that is none of the table, and its view: what INSERT gives has no place
  const Expr* where = nullptr;
  std::vector<Query::ViewCheck> checks;   ///< innermost first
  bool has_sublinks = false;
  /// What is checked: the view for who writes, whatever is behind it for the view's owner. `columns`: by column of the view, the
  /// column there, or -1.
  struct Level {
    std::uint32_t access = 0;
    std::vector<int> columns;
  };
  std::vector<Level> levels;           ///< of what is behind the view, then, first, of itself
};

struct PendingCte {
  std::string_view name;
};

struct Scope {
  Scope* parent = nullptr;
  Query* query = nullptr;
  std::vector<RangeEntry*> ranges;
  std::vector<NsItem> items;
  std::vector<CommonTable*> ctes;
  std::vector<std::string_view> future_ctes;   ///< named later in the same WITH: for the hint
  std::vector<const PgQuery__WindowDef*> windows;   ///< by WindowExpr::window: those of the WINDOW clause, then what OVER says
  Place place = Place::kTarget;
  bool lateral_active = false;
  bool in_aggregate = false;
  bool allow_set_functions = false;
  bool in_filter = false;
  CommonTable* recursive = nullptr;    ///< this is the query of a WITH RECURSIVE item
  std::vector<const PgQuery__LockingClause*> outer_locking;
  std::string_view default_table;      ///< standalone expressions: the table's name
};

/// How a function or operator was chosen.
struct Candidate {
  std::vector<Oid> args;               ///< variadic tail and missing defaults worked in
  const FunctionDef* function = nullptr;
  const AggregateDef* aggregate = nullptr;
  const OperatorDef* op = nullptr;
  const ProcedureSignature* procedure = nullptr;
  std::shared_ptr<const ObjectDef> object;   ///< of a routine
  std::vector<std::uint16_t> positions;      ///< of the given arguments among the declared ones, where some were named
  int variadic_from = -1;              ///< first argument of the expanded variadic tail
  unsigned defaults_used = 0;
};

enum class CoerceContext : std::uint8_t { kImplicit, kAssignment, kExplicit };
enum class CoercePath : std::uint8_t { kNone, kRelabel, kFunction, kIo, kArray };

bool is_polymorphic(Oid type);
char type_category(Oid type);
bool is_preferred(char category, Oid type);
/// Element type of a true array type, 0 otherwise (int2vector and oidvector count, name and the like do not).
Oid element_type_of(Oid array);
Oid array_type_of(Oid element);
CoercePath find_coercion(Oid target, Oid source, CoerceContext context, const FunctionDef** function);
bool is_binary_coercible(Oid source, Oid target);
bool can_coerce(std::span<const Oid> inputs, std::span<const Oid> targets, CoerceContext context);
/// The function that applies a typmod to a value of its own type, or null.
const FunctionDef* length_function(Oid type);
/// "f(integer, unknown)"; with the names of the last arguments "f(integer, b => unknown)".
std::string signature_text(std::string_view name, std::span<const Oid> args, std::span<const std::string_view> names = {});
/// How format_type names a type, without modifiers.
std::string type_text(Oid type);
std::string_view place_name(Place place);

/// Index of the winner; -1 none, -2 ambiguous.
int choose_candidate(std::span<const Candidate> candidates, std::span<const Oid> inputs);

/// Result type after filling polymorphic declared types in place. Throws 42804 / 42P18 style errors as PostgreSQL does.
Oid resolve_polymorphic(std::span<const Oid> actual, std::vector<Oid>* declared, Oid result, std::string_view what);
/// Whether the polymorphic arguments agree at all.
bool polymorphic_consistent(std::span<const Oid> actual, std::span<const Oid> declared);

/// Where the parse tree names a relation `name` without a schema, if anywhere.
std::optional<int> find_range_var(const ProtobufCMessage& message, std::string_view name);
/// Whether two parts of a statement were written alike, wherever they stand.
bool same_message(const ProtobufCMessage& a, const ProtobufCMessage& b);
bool is_order_by_type(Oid type);

RowLock row_lock(PgQuery__LockClauseStrength strength);

class Binder {
 public:
  Binder(const BindContext& context, std::string_view text, Arena& arena, std::span<const Oid> parameter_types);

  // binder.cc
  void bind_top(const ParseNode* node, BoundStatement* out);
  const Expr* bind_standalone(const ParseNode* node, const StandaloneOptions& options);
  const Expr* coerce_anyhow(const Expr* expr, Oid target, std::int32_t typmod);
  void assign_target(Query& query, const ResolvedType& to);
  void check_generation(const Expr* expr, std::span<const StandaloneColumn> columns);
  void take_dependencies(BoundStatement* out);
  std::vector<std::shared_ptr<const SequenceDef>>& sequences() { return sequences_; }
  std::vector<std::shared_ptr<const ObjectDef>>& objects() { return objects_; }
  const Expr* fold(const Expr* expr);
  /// Text of a view in place of the statement's own: positions mean nothing there.
  std::string_view swap_text(std::string_view text) { return std::exchange(text_, text); }

  // bind_select.cc
  Query* bind_select(const PgQuery__SelectStmt& select, Scope* parent, bool resolve_unknowns = true, CommonTable* recursive = nullptr);
  Query* bind_query_node(const ParseNode* node, Scope* parent, bool resolve_unknowns = true);
  void bind_with(const PgQuery__WithClause* with, Scope& scope);
  void finish_query(Scope& scope, Query& query);
  std::vector<TargetEntry> bind_target_list(Scope& scope, PgQuery__Node** items, std::size_t count, Place place);
  void resolve_unknown_targets(std::vector<TargetEntry>& targets);

  // bind_locking.cc
  void mark_rows(Query& query, std::size_t range, RowLock strength, LockWait wait);
  void note_written_mark(Query& query, std::size_t range, RowLock strength, LockWait wait);
  void bind_locking(Scope& scope, const PgQuery__SelectStmt& select, Query& query);

  // bind_from.cc
  const JoinNode* bind_from_item(Scope& scope, const ParseNode* node, std::vector<NsItem>* items);
  void bind_from(Scope& scope, Query& query, PgQuery__Node** items, std::size_t count);
  int add_range(Scope& scope, RangeEntry* entry);
  RangeEntry* make_table_entry(std::shared_ptr<const TableDef> table, std::string_view alias);
  NsItem make_item(Scope& scope, int range);
  void check_duplicate_aliases(const std::vector<NsItem>& items);
  void add_items(Scope& scope, std::vector<NsItem> items);
  RangeEntry* make_subquery_entry(const Query* query, const PgQuery__Alias* alias, std::string_view fallback);
  std::span<const RangeColumn> rename_columns(std::span<const RangeColumn> columns, const PgQuery__Alias* alias, std::string_view name);

  // bind_dml.cc
  Query* bind_insert(const PgQuery__InsertStmt& insert, Scope* parent);
  Query* bind_update(const PgQuery__UpdateStmt& update, Scope* parent);
  Query* bind_delete(const PgQuery__DeleteStmt& del, Scope* parent);
  Query* bind_merge(const PgQuery__MergeStmt& merge);

  // bind_expr.cc
  const Expr* bind_expr(Scope& scope, const ParseNode* node);
  const Expr* bind_in_place(Scope& scope, const ParseNode* node, Place place);
  /// What a column is given: an expression, or DEFAULT as the whole of it.
  const Expr* bind_value(Scope& scope, const ParseNode* node, Place place);
  const Expr* bind_condition(Scope& scope, const ParseNode* node, Place place, std::string_view clause);
  const Expr* to_boolean(const Expr* expr, std::string_view clause);
  const Expr* column_expr(const RangeEntry& entry, int range, int column, int levels_up, int location);
  /// All columns; `read`: they count as read.
  std::vector<NamedExpr> expand_item(Scope& scope, const NsItem& item, int levels_up, int location, bool read = true);
  const NsItem* find_item(Scope& scope, std::string_view schema, std::string_view name, int* levels_up, int location);
  std::vector<NamedExpr> record_fields(Scope& scope, const Expr* record);
  const Expr* find_field(Scope& scope, const Expr* record, std::string_view field, int location);
  const Expr* function_row(const RangeEntry& entry, int range, int levels_up, int location);

  // bind_call.cc
  std::span<const RecordField> fields_of(Oid type);
  /// `row`: instead of the call's arguments; null then means that no function takes it.
  const Expr* bind_function_call(Scope& scope, const PgQuery__FuncCall& call, const Expr* row = nullptr);
  const Expr* call_of_row(Scope& scope, const Expr* row, std::string_view function, int location);
  void note_given(FunctionExpr* call, const Candidate& candidate, std::size_t count, std::size_t named);
  bool find_procedure_call(const PgQuery__FuncCall& call, std::vector<ProcedureSignature>* found);
  void bind_procedure_call(const PgQuery__FuncCall& call, BoundStatement* out, bool is_call);
  std::vector<Candidate> function_candidates(std::string_view name, std::size_t arg_count);
  /// For f(1, b => 2): the last arguments have these names.
  std::vector<Candidate> named_candidates(std::string_view name, std::size_t arg_count, std::span<const std::string_view> names);
  /// A named call's arguments where the function has them, with the defaults of those left out.
  std::vector<const Expr*> in_declared_order(const Candidate& candidate, std::span<const Expr* const> given);

  // bind_routine.cc
  /// Functions (or procedures) that users wrote, of this name and able to take these arguments, behind `candidates`.
  /// `names`: of the arguments, "" for those given by position.
  void add_routine_candidates(std::string_view schema, std::string_view name, std::span<const std::string_view> names, bool variadic,
                              bool procedures, std::vector<Candidate>* candidates);
  /// A call's arguments in declared order, with defaults filled in and the variadic tail collected.
  /// `named`: how many of the arguments, the last ones, were given by name.
  const Expr* bind_routine_call(const Candidate& chosen, std::vector<const Expr*> args, bool variadic_array, std::size_t named, int location);
  std::vector<const Expr*> routine_arguments(const Candidate& chosen, std::vector<const Expr*> args, std::vector<Oid>* declared, int location);
  const Expr* null_unless_given(const Expr* body, std::span<const Expr* const> args);
  const Expr* inline_call(const FunctionDef& function, std::span<const Expr* const> args, Oid result);
  bool bind_routine_procedure(const PgQuery__FuncCall& call, BoundStatement* out);
  /// The arguments of a call with their names.
  std::vector<const Expr*> bind_arguments(Scope& scope, const PgQuery__FuncCall& call, std::vector<std::string_view>* names);

  // operators.cc
  const Expr* make_operator(std::string_view name, const Expr* left, const Expr* right, int location);
  const FunctionExpr* make_operator_node(std::string_view name, const Expr* left, const Expr* right, int location,
                                         ExprKind kind = ExprKind::kFunction);
  const Expr* make_array_operator(std::string_view name, const Expr* left, const Expr* right, bool all, int location);
  const Candidate* choose_operator(std::string_view name, Oid left, Oid right, int location, Candidate* storage);

  // coerce.cc
  const Expr* coerce(const Expr* expr, Oid target, std::int32_t typmod, CoerceContext context, CallForm form, int location);
  /// A value of a domain as one of its base type; anything else as it is.
  const Expr* without_domain(const Expr* expr);
  const Expr* row_to_composite(const RowExpr& row, Oid target, CoerceContext context, CallForm form, int location);
  /// The row type of a table as a row of its columns, dropped ones included.
  const Expr* typed_row(Scope& scope, const NsItem& item, int levels_up, int location);
  /// A composite value with one of its fields replaced.
  const Expr* with_field(const Expr* composite, Oid type, std::string_view field, const Expr* value, std::string_view column, int location);
  const Expr* to_domain(const Expr* expr, Oid domain, CoerceContext context, CallForm form, int location);
  const Expr* coerce_with_typmod(const Expr* expr, Oid target, std::int32_t typmod, CoerceContext context, CallForm form, int location);
  const Expr* coerce_assignment(const Expr* expr, Oid target, std::int32_t typmod, std::string_view column, int location);
  const Expr* coerce_common(const Expr* expr, Oid target, std::string_view construct);
  Oid common_type(std::span<const Expr* const> exprs, std::string_view construct, const Expr** which = nullptr);
  std::int32_t common_typmod(std::span<const Expr* const> exprs, Oid type);
  const Expr* literal_to_type(const ConstExpr& literal, Oid target, std::int32_t typmod, int location);
  const FunctionExpr* make_call(const FunctionDef* function, ExprList args, Oid result, CallForm form, int location);
  const Expr* text_constant(std::string_view text, int location);

  // collations.cc
  /// The collation that COLLATE names, as definitions name it. 42704.
  std::string_view named_collation(std::span<PgQuery__Node* const> name, int location);
  /// Of a column, by what its definition says; 0: none but its type's.
  std::uint16_t column_collation(Oid type, std::string_view stored);
  /// Gives every expression of a query, or one that stands alone, its collation. 42P21, 42P22, 0A000.
  void derive_collations(Scope& scope, Query& query);
  void derive_collations(const Expr* expr);
  /// Of a column that several expressions make. 42P21; with `any` two that do not agree give none.
  std::uint16_t common_collation(std::span<const Expr* const> exprs, bool any);

  // Helpers
  Arena& arena() { return arena_; }
  const Catalog& catalog() const { return *context_.catalog; }
  const BindContext& context() const { return context_; }
  std::string_view name(const char* text) { return text == nullptr || *text == '\0' ? std::string_view{} : arena_.copy(text); }
  /// The error with the position of a byte offset in the text.
  Status at(Status status, int location) const;
  template <class T, class... Args>
  T* make(Args&&... args) {
    return make_node<T>(arena_, std::forward<Args>(args)...);
  }
  template <class T>
  std::span<const T> keep(const std::vector<T>& items) {
    return copy_list<T>(arena_, items);
  }
  ExprList list(std::initializer_list<const Expr*> items) {
    return copy_list<const Expr*>(arena_, std::span<const Expr* const>(items.begin(), items.size()));
  }
  void depend_on(std::shared_ptr<const TableDef> table);
  void depend_on_partitions(const TableDef& table);
  void depend_on(std::shared_ptr<const ObjectDef> object) { objects_.push_back(std::move(object)); }
  void note_sequence(Oid sequence);

  // accesses.cc: what whoever runs the statement must be allowed to do
  /// The number of a new entry in BoundStatement::accesses.
  std::uint32_t note_access(Oid relation, Privileges privileges);
  RelationAccess& access(std::uint32_t number) { return accesses_[number - 1]; }
  /// The columns that an expression of this scope holds are read.
  void note_read(Scope& scope, const Expr* expr);
  /// A column of what the statement writes to is read, by its position there.
  void note_target_read(int column);
  /// A column of the target, by its position in the table, is given a value.
  void note_written(Command command, int column);
  void note_target_command(Privileges privileges);
  void note_executed(Oid function);
  /// 42501 if the schema that is named cannot be used.
  void check_schema(std::string_view schema, int location) const;
  /// What is bound depends on the definition of a type that users made, or of the one it is an array of.
  void note_type(Oid type);
  void check_stack(int location) const;
  std::vector<Oid>& parameters() { return parameters_; }
  EvalContext* eval() { return context_.eval; }
  bool cacheable = true;
  /// Something has another collation than the default one, so that they matter at all.
  bool collated_ = false;

 private:
  friend struct SelectBinder;
  const Expr* bind_column_ref(Scope& scope, const PgQuery__ColumnRef& ref);
  /// The stored form's "@levels.range"."column"; the column is a number, a name, or "*".
  const Expr* stored_column(Scope& scope, std::string_view range, std::string_view column);
  const Expr* find_column_ref(Scope& scope, std::span<const std::string_view> names, int location, bool must_exist);
  const Expr* bind_variable(const BindVariables::Variable& variable, int location);
  /// Null: there is none; with `quiet` also where it has no such field or no shape yet.
  const Expr* find_variable(std::span<const std::string_view> names, int location, bool quiet);
  const Expr* variable_row(const BindVariables::Found& found, int location);
  const Expr* find_column(Scope& scope, std::string_view name, int location);
  const Expr* item_column(Scope& scope, const NsItem& item, std::string_view name, int levels_up, int location);
  const Expr* whole_row(Scope& scope, const NsItem& item, int levels_up, int location);
  const Expr* raise(const Expr* expr, int levels_up);
  void mark_correlated(Scope& scope, int levels_up);
  [[noreturn]] void missing_column(const Scope& scope, std::string_view table, std::string_view column, int location);   ///< column_hints.cc
  [[noreturn]] void missing_relation(Scope& scope, std::string_view schema, std::string_view name, int location);
  const Expr* bind_constant(const PgQuery__AConst& constant);
  const Expr* bind_param(const PgQuery__ParamRef& param);
  const Expr* bind_a_expr(Scope& scope, const PgQuery__AExpr& expr);
  const Expr* bind_in(Scope& scope, const PgQuery__AExpr& expr, std::string_view op);
  const Expr* bind_between(Scope& scope, const PgQuery__AExpr& expr);
  const Expr* bind_distinct(Scope& scope, const PgQuery__AExpr& expr);
  const Expr* bind_bool(Scope& scope, const PgQuery__BoolExpr& expr);
  const Expr* bind_case(Scope& scope, const PgQuery__CaseExpr& expr);
  const Expr* bind_cast(Scope& scope, const PgQuery__TypeCast& cast);
  const Expr* bind_array(Scope& scope, const PgQuery__AArrayExpr& array, Oid array_type, Oid element_type, std::int32_t typmod);
  const Expr* bind_row(Scope& scope, const PgQuery__RowExpr& row);
  const Expr* name_character(const Expr* name, const Expr* index);
  const Expr* bind_indirection(Scope& scope, const PgQuery__AIndirection& indirection);
  const Expr* bind_sublink(Scope& scope, const PgQuery__SubLink& link);
  const Expr* bind_value_function(const PgQuery__SQLValueFunction& function);
  const Expr* compare_rows(std::string_view op, std::span<const Expr* const> left, std::span<const Expr* const> right, int location);
  void refuse_sets(const Expr* expr, std::string_view construct);
  const Expr* make_distinct(const Expr* left, const Expr* right, int location);
  const Expr* bool_list(BoolOp op, std::vector<const Expr*> args);
  const Expr* negated(const Expr* arg, int location);
  std::vector<NamedExpr> expand_star(Scope& scope, const PgQuery__ColumnRef& ref);
  const Expr* field_of(Scope& scope, const Expr* record, std::string_view field, int location);

  // bind_aggregate.cc
  const Expr* bind_aggregate(Scope& scope, const PgQuery__FuncCall& call, const Candidate& chosen, std::vector<const Expr*> args,
                             std::size_t direct, std::string_view name);
  /// Throws if the aggregate wants WITHIN GROUP and does not have it, or the reverse, or has too many or too few direct arguments.
  void check_ordered_set(const PgQuery__FuncCall& call, const AggregateDef& aggregate, std::span<const Oid> types, std::size_t direct,
                         const std::string& name);
  /// Gives each hypothetical argument and the column it is compared with their common type.
  void unify_hypothetical(std::vector<const Expr*>& args, std::vector<Oid>& types, std::size_t direct);
  std::vector<SortKey> bind_aggregate_order(Scope& scope, const PgQuery__FuncCall& call, std::span<const Expr* const> args, bool distinct);
  void check_set_place(Scope& scope, int location);
  void check_aggregate_place(Scope& scope, std::string_view what, int location);
  void check_direct_arguments(std::span<const Expr* const> direct, int level);
  const Expr* bind_grouping(Scope& scope, const PgQuery__GroupingFunc& call);

  // bind_window.cc
  const Expr* bind_window_call(Scope& scope, const PgQuery__FuncCall& call, const Candidate& chosen, std::vector<const Expr*> args,
                               std::string_view name, Oid result);
  std::uint16_t find_window(Scope& scope, const PgQuery__WindowDef& over);
  void bind_windows(Scope& scope, Query& query);
  WindowDefinition bind_window(Scope& scope, const PgQuery__WindowDef& source, std::span<const WindowDefinition> earlier);
  std::span<const SortKey> bind_window_keys(Scope& scope, PgQuery__Node** items, std::size_t count, Place place,
                                            std::span<const SortKey> directions);
  WindowFrame bind_frame(Scope& scope, const PgQuery__WindowDef& source, std::span<const SortKey> order);
  const Expr* bind_frame_offset(Scope& scope, const ParseNode* node, FrameMode mode, const Expr* key);

  Query* bind_values(const PgQuery__SelectStmt& select, Scope* parent);
  struct SearchClauses;
  Query* bind_set_operation(const PgQuery__SelectStmt& select, Scope* parent, CommonTable* recursive, SearchClauses* clauses = nullptr);
  /// One input of a set operation.
  struct SetArm {
    Query* query = nullptr;
    int range = 0;
    std::vector<const Expr*> outputs;
  };
  /// SEARCH and CYCLE of a recursive query, with the columns that they add to it (sql/bind/bind_search.cc).
  struct SearchClauses {
    const PgQuery__CTESearchClause* search = nullptr;
    const PgQuery__CTECycleClause* cycle = nullptr;
    std::vector<std::size_t> search_columns, cycle_columns;
    const Expr* mark = nullptr;
    const Expr* no_mark = nullptr;
    std::size_t first = 0;             ///< how many columns the query has without them
    std::vector<RangeColumn> columns;
  };
  std::vector<std::size_t> clause_columns(std::span<const RangeColumn> columns, std::span<PgQuery__Node* const> names, const char* clause, int location);
  void check_search_names(const SearchClauses& clauses, std::span<const RangeColumn> columns);
  void open_search(SearchClauses& clauses, std::span<const RangeColumn> columns);
  const Expr* row_of(const SetArm& arm, const std::vector<std::size_t>& columns, const Expr* before);
  const Expr* array_of_row(const Expr* row);
  void search_first_arm(const SearchClauses& clauses, SetArm& arm);
  void search_second_arm(Scope& scope, const SearchClauses& clauses, const CommonTable& table, SetArm& arm);
  SetArm bind_set_arm(const PgQuery__SelectStmt& select, Scope& scope, bool resolve_unknowns);
  void bind_tail(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query);
  GroupingItem written_grouping(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, std::vector<std::uint16_t>& group);
  void bind_order_by(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query);
  std::vector<std::uint16_t> bind_group_item(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets,
                                             std::vector<std::uint16_t>& group);
  std::vector<std::vector<std::uint16_t>> bind_grouping_sets(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets,
                                                             std::vector<std::uint16_t>& group);
  void bind_group_by(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query);
  void bind_distinct_clause(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query);
  void bind_limit(Scope& scope, const PgQuery__SelectStmt& select, Query& query);
  SortKey sort_key(const PgQuery__SortBy& by, const Expr* expr);
  const Expr* bind_limit_expr(Scope& scope, const ParseNode* node, Place place, std::string_view clause);
  /// An argument that is one value for the whole statement: of a given type, without columns.
  const Expr* constant_argument(const Expr* value, Oid type, std::string_view clause);
  void place_groupings(const Expr* expr, std::span<const Expr* const> groups);
  void check_grouping(Scope& scope, Query& query, std::span<const TargetEntry> targets);
  int find_target_sql92(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, Place place, std::string_view clause);
  void refuse_above_grouping(const Expr* target);
  int find_target_sql99(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, Place place);
  void store_targets(Query& query, std::vector<TargetEntry>& targets);

  RangeEntry* bind_range_var(Scope& scope, const PgQuery__RangeVar& range);
  RangeEntry* bind_transition(std::string_view name, std::string_view alias);
  RangeEntry* bind_range_function(Scope& scope, const PgQuery__RangeFunction& range);
  RangeEntry* bind_sample(Scope& scope, const PgQuery__RangeTableSample& sample);
  void check_definitions(const PgQuery__RangeFunction& range, std::span<PgQuery__Node* const> definitions, std::size_t calls);
  const Expr* with_definitions(Scope& scope, const Expr* call, std::span<PgQuery__Node* const> definitions);
  /// A built-in function whose rows are of a row type: the function with that type's columns.
  const FunctionDef* with_row_columns(const FunctionDef* function, Oid row_type);
  RangeEntry* bind_view(const ObjectDef& view, std::string_view alias);
  void apply_alias(RangeEntry* entry, const PgQuery__Alias* alias);
  const Query* bind_inner_query(const ParseNode* node, const BindContext& context, Oid check_as);
  RangeEntry* make_system_entry(const SystemRelation& relation, std::string_view alias);
  const JoinNode* bind_join(Scope& scope, const PgQuery__JoinExpr& join, std::vector<NsItem>* items);
  CommonTable* find_cte(Scope& scope, std::string_view name, int* levels_up, bool* self_reference);
  CommonTable* bind_cte(const PgQuery__CommonTableExpr& cte, Scope& scope, bool recursive);

  int bind_target_table(Scope& scope, const PgQuery__RangeVar& range, Command command);
  int bind_instead_target(Scope& scope, RangeEntry* entry, const ObjectDef& view, Command command);
  /// The target as a name: the table, or the view in front of it.
  NsItem target_item(Scope& scope, int target);
  /// Whether a view's INSTEAD OF triggers get what the command would write.
  static bool writes_by_triggers(const ObjectDef& view, Command command);
  static void note_defaults(const ObjectDef& view, ViewTarget* target);
  ViewTarget open_view(const RangeEntry& view, Command command, bool cascaded);
  [[noreturn]] void refuse_view_column(std::string_view column, std::string_view view = {}) const;
  const Expr* with_view_condition(Scope& scope, const Expr* where);
  /// WHERE of UPDATE and DELETE.
  void bind_target_condition(Scope& scope, const ParseNode* where, Query& query);
  /// A column that INSERT gives a value, and where the statement names it.
  struct InsertColumn {
    int column;
    int location;
    const PgQuery__ResTarget* part = nullptr;   ///< c.f or a[1], not the whole column
  };
  std::vector<InsertColumn> bind_insert_columns(const TableDef& table, PgQuery__Node** items, std::size_t count);
  void check_insert_width(std::span<const InsertColumn> columns, bool listed, std::size_t width, const Expr* first_extra);
  /// `values` by column, null where the default is taken.
  std::span<const Assignment> complete_row(const TableDef& table, std::span<const Expr* const> values);
  MergeAction bind_merge_action(Scope& scope, const TableDef& table, const PgQuery__MergeWhenClause& clause);
  const Expr* bind_default(std::string_view expression, const std::function<const Expr*(const Expr*)>& finish);
  /// Null: the views that the statement writes through have none for the table's column.
  const std::string* view_default(int column) const;
  const Expr* column_default(const TableDef& table, int column, int location);
  const Expr* assign(const TableDef& table, int column, const Expr* value, int location);
  /// The column of the statement's target, as it was before.
  const Expr* target_column(Scope& scope, const TableDef& table, int column);
  /// Assignment to c.f, a[1], ...: the whole column with that part replaced; `whole` null: the column was null.
  const Expr* assign_part(Scope& scope, const TableDef& table, int column, const PgQuery__ResTarget& target, const Expr* whole, const Expr* value);
  const Expr* store_json(Scope& scope, const Expr* whole, std::span<PgQuery__Node* const> path, const Expr* value, std::string_view column, int location);
  /// A subscript of jsonb, as `node` says it.
  const Expr* json_key(const Expr* key, const ParseNode* node);
  const Expr* store_part(Scope& scope, const Expr* whole, Oid type, std::span<PgQuery__Node* const> path, const Expr* value, std::string_view column,
                         int location);
  std::vector<Assignment> bind_set_list(Scope& scope, const TableDef& table, PgQuery__Node** items, std::size_t count);
  void bind_on_conflict(Scope& scope, const PgQuery__OnConflictClause& clause, const TableDef& table, Query& query);
  int find_target_column(const TableDef& table, std::string_view column, int location);
  void check_generated(const TableDef& table, int column, const Expr* value, int location, bool overriding_system);
  void bind_returning(Scope& scope, PgQuery__Node** items, std::size_t count, Query& query);

  const BindContext& context_;
  std::string_view text_;
  Arena& arena_;
  std::vector<Oid> parameters_;        ///< 0 = not seen yet, unknown = seen and not yet typed
  std::size_t fixed_parameters_ = 0;
  std::vector<std::shared_ptr<const TableDef>> tables_;
  std::vector<std::shared_ptr<const ObjectDef>> objects_;
  std::vector<std::shared_ptr<const SequenceDef>> sequences_;
  std::deque<Scope> scopes_;           ///< stable addresses
  std::map<std::uint64_t, const SubLinkExpr*> multi_assignments_;
  BindVariables* variables_;           ///< null inside of views and defaults, which know no variables
  std::vector<std::shared_ptr<const FunctionDef>> functions_;   ///< made for this statement
  std::vector<const Routine*> inlining_;   ///< whose bodies are being put in place of their calls
  std::optional<ViewTarget> view_target_;    ///< of the writing statement being bound
  Command writing_ = Command::kSelect;       ///< what it is
  bool asks_shards_ = false;
  bool uses_temporary_ = false;
  std::vector<RelationAccess> accesses_;
  std::vector<Oid> executed_;
  Oid check_as_ = 0;                         ///< RelationAccess::check_as of what is bound: the owner of the view it stands in
  std::uint32_t target_access_ = 0;          ///< of the writing statement being bound, unless it writes through a view
  bool stored_text_ = false;                 ///< what is bound was checked when it was stored: a view, a default
  int view_depth_ = 0;
  const char* stack_base_;
};

}  // namespace wandian::sql
