// The deparser's inside: one buffer that expressions (deparse.cc) and queries (deparse_query.cc) are printed into, under names that
// deparse_names.cc chooses. Private to sql/expr.
// The layout is PostgreSQL's: what breaks a line, and how far it is indented, follows ruleutils.
#pragma once

#include <string>
#include <vector>

#include "sql/bind/bound.h"
#include "sql/expr/deparse.h"

namespace wandian::sql {

/// What the ranges of a query and their columns are called in its text.
struct QueryNames {
  const Query* query = nullptr;
  std::vector<std::string> aliases;                 ///< by range
  std::vector<std::vector<std::string>> columns;    ///< by range, then column; "" for a hidden one
  std::vector<std::uint8_t> lists_columns;          ///< by range: whether its alias names columns
};

class Deparser {
 public:
  explicit Deparser(const DefinitionStyle& options) : options_(options), indents_(options.names != nullptr) {}

  /// `show`: casts that nobody wrote are printed, as PostgreSQL does for arguments of operators and functions.
  void put(const Expr* expr, bool show = false);
  /// `named`: every target shows its name, were it the one that nobody would have to say.
  void put_query(const Query& query, std::span<const std::string> result_columns, bool named);
  std::string take() { return std::move(out_); }

 private:
  bool stored() const { return options_.names == nullptr; }
  /// "schema." before the name of what belongs to an extension, or nothing.
  std::string declared_schema(Oid function, std::string_view name) const;
  std::string extension_prefix(Oid oid) const;
  std::string operator_text(const OperatorDef& op) const;
  void open() { if (!options_.pretty) out_ += '('; }
  void close() { if (!options_.pretty) out_ += ')'; }
  /// A key word at the beginning of a line, where lines are broken at all.
  void keyword(std::string_view word, int before, int after, int plus);
  /// Prints by `body`, into a buffer of its own.
  template <class Body>
  std::string aside(Body body) {
    std::string outer = std::exchange(out_, {});
    body();
    return std::exchange(out_, std::move(outer));
  }

  // deparse.cc
  std::string type_name(Oid type, std::int32_t typmod) const;
  void put_argument(const Expr* expr, const Expr* parent, bool show);
  void put_list(ExprList args);
  void put_column(const ColumnExpr& column);
  void put_whole_row(const RowExpr& row);
  void put_constant(const ConstExpr& constant, std::int32_t typmod = -2);
  void put_cast(const Expr* arg, const Expr* cast);
  void put_cast_or_argument(const Expr* arg, const Expr* cast, CallForm form, bool show);
  void put_function(const FunctionExpr& call, bool show);
  void put_call_arguments(const FunctionExpr& call);
  bool put_sql_syntax(const FunctionExpr& call);
  void put_logic(const BoolExpr& expr);
  void put_case(const CaseExpr& expr);
  void put_array_compare(const ArrayCompareExpr& compare);
  void put_subscript(const SubscriptExpr& expr);
  void put_sublink(const SubLinkExpr& link);
  void put_row_sublink(ExprList left, std::string_view op, const SubLinkExpr& link);
  void put_aggregate(const AggregateExpr& call);
  void put_window(const WindowExpr& call);
  std::string enum_array(const ConstExpr& constant, const std::string& type) const;

  // deparse_query.cc
  void put_with(const Query& query);
  void put_set_operation(const Query& query, std::size_t inputs, std::span<const std::string> result_columns, bool named);
  void put_set_input(const Query& query, std::size_t input, std::span<const std::string> result_columns, bool named);
  void put_select(const Query& query, std::span<const std::string> result_columns, bool named);
  void put_targets(const Query& query, std::span<const std::string> result_columns, bool named);
  void put_target(const TargetEntry& target, std::string_view name, bool named);
  void put_from(const Query& query);
  void put_from_item(const Query& query, const JoinNode& node);
  void put_range(const Query& query, std::uint16_t range);
  void put_range_functions(const RangeEntry& entry);
  void put_range_call(const Expr* call);
  void put_definitions(const RangeEntry& entry, const RangeFunction& function);
  void put_sample(const RangeEntry& entry);
  void put_relation(Oid oid, const RangeEntry& entry);
  void put_alias(const Query& query, std::uint16_t range);
  void put_join(const Query& query, const JoinNode& node);
  void put_values(const RangeEntry& entry);
  void put_groups(const Query& query);
  void put_grouping_item(const Query& query, const GroupingItem& item, bool bare);
  void put_windows(const Query& query);
  void put_window_definition(const WindowDefinition& window);
  void put_frame(const WindowDefinition& window);
  void put_order(const Query& query, bool by_number);
  void put_limits(const Query& query);
  void put_marks(const Query& query);
  /// An expression of ORDER BY, GROUP BY and their like.
  void put_sort_expression(const Expr* expr);
  void put_target_reference(const Query& query, std::uint16_t target);
  void put_sort_keys(std::span<const SortKey> keys);
  void put_direction(bool descending, bool nulls_first);

  // deparse_names.cc
  QueryNames choose_names(const Query& query) const;
  const QueryNames& names_at(std::uint16_t levels_up) const { return *levels_[levels_.size() - 1 - levels_up]; }
  /// Whether a column that FULL JOIN merged can be told by its name alone.
  bool merged_name_is_clear(const ListExpr& merged) const;

  const DefinitionStyle& options_;
  std::string out_;
  bool indents_;
  int indent_ = 0;
  std::vector<const QueryNames*> levels_;   ///< innermost last; empty: an expression by itself
};

/// Whether an expression reads like a function call, so that FROM and indexes may hold it without more ado.
bool looks_like_call(const Expr* expr);

}  // namespace wandian::sql
