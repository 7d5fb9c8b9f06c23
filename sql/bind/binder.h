// bind: from parse tree to bound tree (sql/bind/bound.h): names, types, coercions, PostgreSQL's checks.
// Owns:       nothing after it returns.
// Thread:     the session's shard, or a helper thread if nothing in the statement needs SessionHooks.
// Errors:     PostgreSQL's SQLSTATE, message, detail, hint and position.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/bind/bound.h"
#include "sql/functions/registry.h"
#include "sql/parse/parser.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// A native procedure that SELECT f(...) or CALL f(...) can name.
struct ProcedureSignature {
  std::uint32_t id = 0;
  std::vector<Oid> args;
  Oid result_type = 0;               ///< type_oid::kVoid for none
  std::shared_ptr<const ObjectDef> object;   ///< its catalog entry
};

/// Implemented by the server over its loaded modules and the catalog.
class ProcedureLookup {
 public:
  virtual ~ProcedureLookup() = default;
  /// Appends every overload of `name` in one schema of the search path.
  virtual void find_procedures(const Catalog& catalog, Oid schema, std::string_view name, std::vector<ProcedureSignature>* out) const = 0;
};

/// Names in a statement that stand for its parameters: PL/pgSQL's variables, and what a function in SQL calls its arguments.
class BindVariables {
 public:
  /// Which wins where a column has the same name; kNeither is 42702.
  enum class Precedence : std::uint8_t { kNeither, kVariable, kColumn };
  struct Variable {
    std::uint32_t param = 0;           ///< 0-based number of the parameter
    Oid type = 0;
    std::int32_t typmod = -1;
  };
  struct Found {
    bool is_row = false;               ///< `fields`, otherwise `scalar`
    Variable scalar;
    std::vector<std::pair<std::string, Variable>> fields;
    Oid row_type = 0;                  ///< of a row; 0: it has no name
  };
  virtual ~BindVariables() = default;
  virtual Precedence precedence() const = 0;
  /// What a name of one or more parts stands for. False: nothing. Fails with 55000, 42703.
  virtual Result<bool> find(std::span<const std::string_view> names, Found* out) = 0;
  /// $number.
  virtual Result<bool> find_number(std::uint32_t number, Found* out) = 0;
};

/// What names are resolved against. Everything outlives the call of bind.
struct BindContext {
  std::shared_ptr<const Catalog> catalog;
  Oid database = 0;
  /// Schemas to search, in order, complete: pg_catalog stands where PostgreSQL would look (first, unless the setting names it)
  /// and the session's temporary schema in front of it, if there is one.
  std::vector<Oid> search_path;
  Oid temporary_schema = 0;          ///< of this session; 0 = none
  Oid role = 0;                      ///< who runs the statement, and must be allowed to use the schemas that are named; 0: nobody is asked
  const ProcedureLookup* procedures = nullptr;
  BindVariables* variables = nullptr;
  /// What a SELECT's one column is coerced to, through its text where nothing else leads there; null: it stays as it is.
  const struct ResolvedType* assign_to = nullptr;
  /// The tree is to be printed again (sql/expr/deparse.h): nothing is folded or flattened.
  bool as_written = false;
  /// What a trigger function's statements can read under names of their own; null: nothing.
  const struct TransitionTables* transitions = nullptr;
  /// The transaction is: what nobody may write is then refused for that.
  bool read_only = false;
  /// INSERT may name a materialized view: it is being filled.
  bool fills_views = false;
  /// Nothing is put in place of a call of a function in SQL.
  bool keep_calls = false;
  /// The body of every function that is one expression is put in place of its call, at whatever cost, in PL/pgSQL too.
  bool expand_calls = false;
  /// The text is in the form that definitions are kept in, which names relations by OID and columns by number.
  bool stored = false;
  /// For literals and constant folding: format settings, time stamps and SessionHooks (may be null: then regclass literals and
  /// their like stay casts, evaluated at execution). Its arena is not used.
  EvalContext* eval = nullptr;
};

/// The collation that a name stands for, as definitions name it. 42704, 3F000; without position.
Result<std::string> resolve_collation(std::span<PgQuery__Node* const> name, const BindContext& context);

/// Refuses (0A000) a table with row-level security that applies to this role.
Status check_row_security(const Catalog& catalog, const TableDef& table, Oid role);

/// Binds SELECT, VALUES, INSERT, UPDATE, DELETE and CALL.
/// @param text             the whole text the statement was parsed from (positions of errors refer to it)
/// @param parameter_types  declared types of $1...; 0 or missing: inferred. Errors: 42P18 if a type cannot be inferred.
Result<std::shared_ptr<const BoundStatement>> bind_statement(const ParseNode* node, std::string_view text,
                                                             const BindContext& context, std::span<const Oid> parameter_types = {});

// ---- For definitions ----

/// A column that a standalone expression may refer to; ColumnExpr::column is its position in the list.
struct StandaloneColumn {
  std::string_view name;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool hidden = false;               ///< dropped: takes a position, has no name
  bool generated = false;
  std::string_view collation;        ///< as definitions name it, "" = the type's
};

enum class StandaloneUse : std::uint8_t {
  kDefault,    ///< DEFAULT: no columns (0A000), no sub-selects, no aggregates
  kCheck,      ///< CHECK: boolean
  kWhere,      ///< a boolean condition over the columns (COPY ... WHERE, partial index)
  kIndex,      ///< an index expression: immutable, of built-in functions
  kIndexPredicate,   ///< the condition of a partial index: likewise, boolean
  kGenerated,  ///< GENERATED ALWAYS AS: immutable, without generated columns; coerced as an assignment
  kUsing,      ///< ALTER COLUMN ... TYPE ... USING: columns allowed, coerced as an assignment
  kTriggerWhen,   ///< a trigger's WHEN: no columns of its own; old and new are variables
  kExecute,    ///< an argument of EXECUTE or SET: no columns
  kPartitionKey,     ///< an expression of PARTITION BY: as kIndex
  kPartitionBound,   ///< a value of FOR VALUES: no columns
};

struct BoundExpression {
  std::unique_ptr<Arena> arena;
  const Expr* expr = nullptr;        ///< columns are ColumnExpr{range 0, column = position in the list}
  std::vector<std::shared_ptr<const SequenceDef>> sequences;   ///< nextval('...') of constants
  std::vector<std::shared_ptr<const ObjectDef>> objects;       ///< functions that it calls, and what else it names
};

/// What becomes of calls of users' functions in the expressions of indexes.
enum class RoutineCalls : std::uint8_t {
  kInlined,    ///< as in queries; 0A000 for what is left
  kMatched,    ///< as in queries, and what is left stays: to find the expression in them
  kShown,      ///< all stay, to be printed
  kExpanded,   ///< bodies stand for all; 0A000 for what is left
};

struct StandaloneOptions {
  StandaloneUse use = StandaloneUse::kDefault;
  std::string_view table_name;       ///< may qualify the columns
  std::span<const StandaloneColumn> columns;
  Oid target_type = 0;               ///< 0 = as it comes (unknown becomes text); otherwise coerced as an assignment does
  std::int32_t target_typmod = -1;
  std::string_view target_name;      ///< the column's name, for the message of 42804
  bool fold = false;                 ///< constant folding; leave off for what is to be printed back
  RoutineCalls calls = RoutineCalls::kInlined;
};

/// How the expression of a generated column is bound; `columns` are those of its table (standalone_columns()).
StandaloneOptions generation_options(const TableDef& table, std::uint16_t column, std::span<const StandaloneColumn> columns);

/// @param text  an expression: "now() + interval '1 day'"
Result<BoundExpression> bind_standalone_expression(std::string_view text, const BindContext& context, const StandaloneOptions& options);
/// The same from a parse node (a column's DEFAULT in CREATE TABLE); `text` is the statement's text, for positions.
Result<BoundExpression> bind_standalone_node(const ParseNode* node, std::string_view text, const BindContext& context,
                                             const StandaloneOptions& options);
/// The name that a result column of this expression has; "?column?" where the expression gives none.
std::string_view column_name_of(const ParseNode* node);
/// The columns of a table as StandaloneColumns; names point into the definition.
std::vector<StandaloneColumn> standalone_columns(const TableDef& table);

/// A type name with its modifiers: "numeric(10,2)", "text[]". serial is not a type here. 42704, 42601, 22023.
struct ResolvedType {
  Oid type = 0;
  std::int32_t typmod = -1;
  bool stored = false;               ///< named by its OID, as stored definitions do: an integer may stand for an enum's value
};
/// Names of types that users made are looked up in `context`, or as the running session does.
Result<ResolvedType> resolve_type(const PgQuery__TypeName& name, std::string_view text, const BindContext* context = nullptr);
/// From text, as regtype and to_regtype read it.
Result<ResolvedType> resolve_type(std::string_view type_text);

/// $1 of type `source` as a value of type `target`, as PL/pgSQL assigns: through its text where nothing else leads there.
Result<BoundExpression> bind_value_cast(Oid source, Oid target, std::int32_t typmod, const BindContext& context);

/// What ObjectDef::definition of a view holds, and TableDef::view_definition of a materialized one.
struct ViewDefinition {
  struct Column {
    std::string name;
    Oid type = 0;
    std::int32_t typmod = -1;
    std::string collation;           ///< as definitions name it; "": the type's
    std::string default_expression;  ///< as ColumnDef::default_expression
  };
  std::vector<Column> columns;
  std::string query;                 ///< the SELECT in its stored form, which follows whatever is renamed (sql/expr/deparse.h)
  std::vector<std::pair<std::string, std::string>> options;   ///< check_option, security_barrier, security_invoker
  std::vector<TriggerDef> triggers;  ///< as TableDef::triggers
  std::string encode() const;
  static std::optional<ViewDefinition> decode(std::string_view bytes);
};
/// Whether a view (as view_table()) has INSTEAD OF triggers. `event`: TriggerDef::kInsert, ...
bool has_instead_trigger(const TableDef& view, std::uint16_t event);
/// The view as if it were a table: its columns, and its triggers without what is compiled for them.
Result<std::shared_ptr<TableDef>> view_as_table(const ObjectDef& view);
/// The collation of a column that an expression makes, as definitions name it; "": its type's. 42P22 if two met in it.
Result<std::string> derived_collation(const Expr& expr, std::string_view column);
/// Binds the view's SELECT and gives its stored form, and names and types of its columns; `aliases` rename the first ones (42601 if
/// there are too many).
Result<ViewDefinition> define_view(const ParseNode* select, std::string_view text, std::span<const std::string> aliases,
                                   const BindContext& context, std::vector<Oid>* depends_on = nullptr);
/// The view's SELECT, bound anew.
Result<std::shared_ptr<const BoundStatement>> bind_view_query(const ViewDefinition& view, const BindContext& context, bool as_written);

/// Why rows cannot be written through a query, in PostgreSQL's words; null if they can be.
const char* view_write_refusal(const Query& query);
/// By column of the query: whether it is one of the table behind it.
std::vector<bool> view_updatable_columns(const Query& query);

// ---- Names, for DDL too ----

struct FoundRelation {
  enum class Kind : std::uint8_t { kTable, kIndex, kSequence, kView, kSystem } kind = Kind::kTable;
  Oid oid = 0;
  Oid schema = 0;
  Oid table = 0;                     ///< kIndex: its table; kTable: itself
  const SystemRelation* system = nullptr;
};
/// Looks a relation up; nullopt if there is none. `schema` "" searches the path. Fails with 3F000 never: an unknown schema is
/// "no such relation" too.
std::optional<FoundRelation> find_relation(const BindContext& context, std::string_view schema, std::string_view name);
/// The same by OID, for names in stored definitions: "16384".
std::optional<FoundRelation> find_stored_relation(const BindContext& context, std::string_view oid);
/// What the names of a stored definition are resolved against.
BindContext stored_context(const BindContext& context);
/// 42P01 `relation "a.b" does not exist`.
Status undefined_relation(std::string_view schema, std::string_view name);

}  // namespace wandian::sql
