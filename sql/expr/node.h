// Expression nodes: typed and name-resolved, made by sql/bind, rewritten by sql/plan, compiled by sql/expr/expression.h.
// Owns:       nothing; nodes, their lists and their bytes live in the arena of the statement (or of the plan that rewrote them).
// Thread:     immutable once the function that made them returned; read by any shard.
// Invariants: every node has a type; no node has type unknown except a constant or parameter nobody asked a type of (the
//             statement's end turns those into text). Children are never null unless the comment says so.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/oid.h"
#include "engine/value.h"
#include "sql/functions/registry.h"

namespace wandian::sql {

struct Query;   // sql/bind/bound.h

enum class ExprKind : std::uint8_t {
  kConst,          ///< ConstExpr
  kParam,          ///< ParamExpr: $n of the statement
  kColumn,         ///< ColumnExpr: a column of a range entry, possibly of an outer query
  kSlot,           ///< SlotExpr: a column of the operator's input; made by the planner alone
  kSubColumn,      ///< SubColumnExpr: inside SubLinkExpr::test, an output column of the sub-select
  kFunction,       ///< FunctionExpr: function call, operator, cast by function
  kAggregate,      ///< AggregateExpr
  kWindow,         ///< WindowExpr: a window function, or an aggregate, with OVER
  kGrouping,       ///< GroupingExpr: GROUPING(...)
  kRelabel,        ///< UnaryExpr: the same value under another type (binary-coercible cast, COLLATE)
  kIoCast,         ///< UnaryExpr: through the text form
  kDomain,         ///< UnaryExpr: a value of the base type as one of a domain, checked
  kArrayCast,      ///< ArrayCastExpr: an element-wise cast of an array
  kElement,        ///< ElementExpr: inside ArrayCastExpr::element, the element
  kTestValue,      ///< TestValueExpr: inside CaseExpr::whens, the value of CASE's argument
  kBool,           ///< BoolExpr: AND, OR, NOT
  kCase,           ///< CaseExpr
  kCoalesce,       ///< ListExpr
  kGreatest,       ///< ListExpr
  kLeast,          ///< ListExpr
  kNullIf,         ///< FunctionExpr with the equality operator: type is the first argument's
  kDistinct,       ///< FunctionExpr with the equality operator: IS DISTINCT FROM
  kNullTest,       ///< TestExpr: IS [NOT] NULL; of a row: all fields
  kBoolTest,       ///< TestExpr: IS [NOT] TRUE/FALSE/UNKNOWN
  kArrayCompare,   ///< ArrayCompareExpr: x op ANY/ALL (array); IN lists
  kArray,          ///< ListExpr: ARRAY[...]; `type` is the array type
  kRow,            ///< RowExpr
  kRowCompare,     ///< RowCompareExpr: (a, b) < (c, d); equality becomes AND of comparisons instead
  kSubscript,      ///< SubscriptExpr: a[1], a[1:2]
  kField,          ///< FieldExpr: (record).field
  kSubLink,        ///< SubLinkExpr: EXISTS, scalar, ANY, ALL, ARRAY
  kSqlValue,       ///< SqlValueExpr: CURRENT_DATE, CURRENT_USER, ...
  kSetToDefault,   ///< DefaultMarker: DEFAULT in INSERT VALUES or UPDATE SET before the binder replaced it; never left in a bound tree
};

/// How a cast or call was written, for the deparser.
enum class CallForm : std::uint8_t { kCall, kOperator, kExplicitCast, kImplicitCast, kSqlSyntax };

struct Expr {
  ExprKind kind;
  bool returns_set = false;          ///< of this node itself, not of its children
  /// Of a value that can have one: its collation (sql/types/collation.h), 0 for the default. Of what compares or reads text: the
  /// collation that it does so by. Set when its query is complete (sql/bind/collations.cc).
  std::uint16_t collation = 0;
  Oid type = 0;
  std::int32_t typmod = -1;
  std::int32_t location = -1;        ///< byte offset in the statement's text, -1 if it does not stand there

  template <class T>
  const T& as() const {
    return static_cast<const T&>(*this);
  }

 protected:
  explicit constexpr Expr(ExprKind k) : kind(k) {}
};

using ExprList = std::span<const Expr* const>;

struct ConstExpr : Expr {
  ConstExpr() : Expr(ExprKind::kConst) {}
  Value value;                       ///< bytes in the arena; of type unknown: the literal's text
};

struct ParamExpr : Expr {
  ParamExpr() : Expr(ExprKind::kParam) {}
  std::uint32_t index = 0;           ///< 0-based: $1 is 0
};

/// System columns as ColumnExpr::column; user columns are 0-based positions in RangeEntry::columns.
inline constexpr std::int16_t kCtidColumn = -1, kXminColumn = -2, kCminColumn = -3, kXmaxColumn = -4, kCmaxColumn = -5,
                              kTableOidColumn = -6;
constexpr std::string_view system_column_name(std::int16_t column) {
  constexpr std::string_view kNames[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
  return kNames[-column - 1];
}
constexpr Oid system_column_type(std::int16_t column) {
  switch (column) {
    case kCtidColumn: return type_oid::kTid;
    case kXminColumn: case kXmaxColumn: return type_oid::kXid;
    case kCminColumn: case kCmaxColumn: return type_oid::kCid;
    default: return type_oid::kOid;
  }
}

struct ColumnExpr : Expr {
  ColumnExpr() : Expr(ExprKind::kColumn) {}
  std::uint16_t range = 0;           ///< index in Query::ranges of the query `levels_up` above this one
  std::int16_t column = 0;
  std::uint16_t levels_up = 0;       ///< 0 = the query the expression belongs to; > 0 makes a sub-select correlated
};

struct SlotExpr : Expr {
  SlotExpr() : Expr(ExprKind::kSlot) {}
  std::uint32_t slot = 0;            ///< index in ExprInput::columns
};

struct SubColumnExpr : Expr {
  SubColumnExpr() : Expr(ExprKind::kSubColumn) {}
  std::uint16_t column = 0;
};

/// A call of a built-in function. `types` are the arguments' actual types and then the result's (registry.h, typed_fn).
/// A variadic call already has its tail collected into a kArray.
struct FunctionExpr : Expr {
  explicit FunctionExpr(ExprKind k = ExprKind::kFunction) : Expr(k) {}
  const FunctionDef* function = nullptr;
  const OperatorDef* op = nullptr;   ///< set if it was written as (or stands for) an operator
  ExprList args;
  std::span<const Oid> types;
  CallForm form = CallForm::kCall;
  bool variadic_array = false;       ///< the last argument is the collected tail of a variadic call
  // Where the call named some of its arguments or left some to their defaults: the positions of those that it gave, in its order.
  bool partly_given = false;
  std::span<const std::uint16_t> given;
  std::uint16_t named_from = 0xffff; ///< those from here on in `given` were given by name
  std::span<const RecordField> fields;   ///< of a set of records: what each has
};

struct SortKey {
  const Expr* expr = nullptr;
  bool descending = false;
  bool nulls_first = false;          ///< resolved: DESC without NULLS is nulls first
};

struct AggregateExpr : Expr {
  AggregateExpr() : Expr(ExprKind::kAggregate) {}
  const AggregateDef* aggregate = nullptr;
  ExprList args;                     ///< empty for count(*); of WITHIN GROUP: what is sorted, as `order_by` says
  ExprList direct_args;              ///< before WITHIN GROUP: one value a group
  std::span<const Oid> types;        ///< actual argument types (direct ones first), then the result's
  const Expr* filter = nullptr;      ///< may be null
  std::span<const SortKey> order_by;
  bool distinct = false;
  bool star = false;
  std::uint16_t levels_up = 0;       ///< whose groups it aggregates: that of the query this many levels out. Columns of `args` count from here.
};

/// Belongs to the query it stands in; its arguments hold no other.
struct WindowExpr : Expr {
  WindowExpr() : Expr(ExprKind::kWindow) {}
  const FunctionDef* function = nullptr;     ///< a window function, or null
  const AggregateDef* aggregate = nullptr;   ///< an aggregate over the frame, or null
  ExprList args;                     ///< empty for count(*)
  std::span<const Oid> types;        ///< actual argument types, then the result's
  const Expr* filter = nullptr;      ///< of an aggregate; may be null
  std::uint16_t window = 0;          ///< index in Query::windows
  bool star = false;
};

/// Bit by bit, the first argument highest: whether the current grouping set leaves the expression out.
struct GroupingExpr : Expr {
  GroupingExpr() : Expr(ExprKind::kGrouping) {}
  ExprList args;                     ///< as written
  std::span<const std::uint16_t> groups;   ///< positions in Query::group_by, one an argument
};

struct UnaryExpr : Expr {
  explicit UnaryExpr(ExprKind k) : Expr(k) {}
  const Expr* arg = nullptr;
  CallForm form = CallForm::kImplicitCast;
  std::string_view collate;          ///< kRelabel made by COLLATE: the collation as definitions name it; otherwise empty
};

struct ArrayCastExpr : Expr {
  ArrayCastExpr() : Expr(ExprKind::kArrayCast) {}
  const Expr* arg = nullptr;
  const Expr* element = nullptr;     ///< over one ElementExpr
  CallForm form = CallForm::kImplicitCast;
};

struct ElementExpr : Expr {
  ElementExpr() : Expr(ExprKind::kElement) {}
};

struct TestValueExpr : Expr {
  TestValueExpr() : Expr(ExprKind::kTestValue) {}
};

enum class BoolOp : std::uint8_t { kAnd, kOr, kNot };

struct BoolExpr : Expr {
  BoolExpr() : Expr(ExprKind::kBool) {}
  BoolOp op = BoolOp::kAnd;
  ExprList args;                     ///< kAnd, kOr: two or more, flattened; kNot: one
};

struct CaseWhen {
  const Expr* condition = nullptr;   ///< boolean; with CaseExpr::arg it compares a TestValueExpr
  const Expr* result = nullptr;
};

struct CaseExpr : Expr {
  CaseExpr() : Expr(ExprKind::kCase) {}
  const Expr* arg = nullptr;         ///< may be null
  std::span<const CaseWhen> whens;
  const Expr* otherwise = nullptr;   ///< never null: a NULL constant if there is no ELSE
};

struct ListExpr : Expr {
  explicit ListExpr(ExprKind k) : Expr(k) {}
  ExprList args;
  Oid element_type = 0;              ///< kArray
  bool nested = false;               ///< kArray: the arguments are arrays themselves, which become a further dimension
  std::string_view merged;           ///< kCoalesce: the column that FULL JOIN ... USING made of the two arguments; else empty
};

enum class TestOp : std::uint8_t { kIsNull, kIsNotNull, kIsTrue, kIsNotTrue, kIsFalse, kIsNotFalse, kIsUnknown, kIsNotUnknown };

struct TestExpr : Expr {
  explicit TestExpr(ExprKind k) : Expr(k) {}
  TestOp test = TestOp::kIsNull;
  const Expr* arg = nullptr;
  bool of_row = false;               ///< kNullTest of a record: every field is (not) null
};

struct ArrayCompareExpr : Expr {
  ArrayCompareExpr() : Expr(ExprKind::kArrayCompare) {}
  const OperatorDef* op = nullptr;   ///< element operator: left op element
  const FunctionDef* function = nullptr;
  std::span<const Oid> types;        ///< left, element, result
  const Expr* left = nullptr;
  const Expr* array = nullptr;       ///< a kArray of constants or parameters for an IN list
  bool all = false;                  ///< ALL, otherwise ANY
  bool in_list = false;              ///< was written as [NOT] IN (...)
};

struct RowExpr : Expr {
  RowExpr() : Expr(ExprKind::kRow) {}
  ExprList args;
  std::span<const std::string_view> names;   ///< empty for ROW(...); the columns' names of a whole-row reference
  std::int32_t whole_range = -1;     ///< range entry that this is a whole-row reference to, or -1
  std::uint16_t whole_levels_up = 0; ///< as ColumnExpr::levels_up, of the whole row
  CallForm form = CallForm::kExplicitCast;   ///< of a composite type: how it became one
};

enum class RowCompareOp : std::uint8_t { kLess, kLessEqual, kGreaterEqual, kGreater };

struct RowCompareExpr : Expr {
  RowCompareExpr() : Expr(ExprKind::kRowCompare) {}
  RowCompareOp op = RowCompareOp::kLess;
  ExprList left, right;              ///< pairwise; `less` and `equal` say how a pair is compared
  std::span<const FunctionExpr* const> less;    ///< left[i] < right[i] (or > for kGreater, kGreaterEqual), as expressions
  std::span<const FunctionExpr* const> equal;   ///< left[i] = right[i]
};

struct SubscriptExpr : Expr {
  SubscriptExpr() : Expr(ExprKind::kSubscript) {}
  const Expr* array = nullptr;
  ExprList upper;                    ///< one a dimension; a null pointer where a slice omits its bound
  ExprList lower;                    ///< slices only, else empty; may hold null pointers
  bool slice = false;
  const Expr* store = nullptr;       ///< assignment: the array with this in that place; else null
};

struct FieldExpr : Expr {
  FieldExpr() : Expr(ExprKind::kField) {}
  const Expr* record = nullptr;
  std::uint16_t field = 0;           ///< 0-based
  std::string_view name;
};

enum class SubLinkKind : std::uint8_t {
  kExists,   ///< EXISTS (query)
  kScalar,   ///< (query): its single column of at most one row, null without a row; 21000 if there are more
  kRow,      ///< a record of all columns of at most one row, null without a row: UPDATE ... SET (a, b) = (query), through FieldExpr;
             ///< the FieldExprs of one assignment share the pointer, so that it runs once
  kAny,      ///< test is true for some row (IN, = ANY); three-valued
  kAll,      ///< test is true for every row; three-valued
  kArray,    ///< ARRAY(query)
};

/// Correlated if `query` holds columns with levels_up reaching out (Query::correlated says so).
struct SubLinkExpr : Expr {
  SubLinkExpr() : Expr(ExprKind::kSubLink) {}
  SubLinkKind link = SubLinkKind::kScalar;
  const Query* query = nullptr;
  const Expr* test = nullptr;        ///< kAny, kAll: boolean over this level's expressions and SubColumnExprs; else null
  bool simple_in = false;            ///< kAny whose test is `expr = column` for each column, joined by AND: can become a semi join
};

enum class SqlValue : std::uint8_t {
  kCurrentDate, kCurrentTime, kCurrentTimestamp, kLocalTime, kLocalTimestamp,   ///< typmod holds the precision
  kCurrentRole, kCurrentUser, kUser, kSessionUser, kCurrentCatalog, kCurrentSchema,
};

struct SqlValueExpr : Expr {
  SqlValueExpr() : Expr(ExprKind::kSqlValue) {}
  SqlValue value = SqlValue::kCurrentDate;
};

struct DefaultMarker : Expr {
  DefaultMarker() : Expr(ExprKind::kSetToDefault) {}
};

}  // namespace wandian::sql
