// The SEARCH and CYCLE clauses of WITH RECURSIVE: further columns of the recursive query, as PostgreSQL's rewriter makes them.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr Oid kRecordArray = 2287, kRecordEquals = 2988;

std::string_view clause_name(const char* name) { return name != nullptr ? std::string_view(name) : std::string_view{}; }

}  // namespace

// What is wrong with the names of a SEARCH or CYCLE clause.
std::vector<std::size_t> Binder::clause_columns(std::span<const RangeColumn> columns, std::span<PgQuery__Node* const> names, const char* clause, int location) {
  std::vector<std::size_t> out;
  for (const PgQuery__Node* node : names) {
    const std::string_view wanted = string_value(node);
    std::size_t at_column = 0;
    while (at_column < columns.size() && columns[at_column].name != wanted) ++at_column;
    if (at_column == columns.size())
      fail(at(Status{sqlstate::syntax_error, std::string(clause) + " column " + quoted(wanted) + " not in WITH query column list"}, location));
    if (std::find(out.begin(), out.end(), at_column) != out.end())
      fail(at(Status{sqlstate::duplicate_column, std::string(clause) + " column " + quoted(wanted) + " specified more than once"}, location));
    out.push_back(at_column);
  }
  return out;
}

void Binder::open_search(SearchClauses& clauses, std::span<const RangeColumn> columns) {
  const auto apart = [&](const char* a, const char* b, std::string_view first, std::string_view second, int location) {
    if (first == second)
      fail(at(Status{sqlstate::syntax_error, std::string(a) + " column name and " + b + " column name are the same"}, location));
  };
  const auto add = [&](const char* column, Oid type, std::int32_t typmod) {
    clauses.columns.push_back({arena_.copy(clause_name(column)), type, typmod, true});
  };
  clauses.first = columns.size();
  if (const PgQuery__CTESearchClause* search = clauses.search) {
    clauses.search_columns = clause_columns(columns, {search->search_col_list, search->n_search_col_list}, "search", search->location);
    add(search->search_seq_column, search->search_breadth_first != 0 ? kRecord : kRecordArray, -1);
  }
  const PgQuery__CTECycleClause* cycle = clauses.cycle;
  if (cycle == nullptr) return;
  clauses.cycle_columns = clause_columns(columns, {cycle->cycle_col_list, cycle->n_cycle_col_list}, "cycle", cycle->location);
  Scope& scope = scopes_.emplace_back();
  const Expr* both[] = {bind_in_place(scope, cycle->cycle_mark_value, Place::kTarget), bind_in_place(scope, cycle->cycle_mark_default, Place::kTarget)};
  const Oid type = common_type(both, "CYCLE");
  const std::int32_t typmod = common_typmod(both, type);
  clauses.mark = coerce_common(both[0], type, "CYCLE/TO");
  clauses.no_mark = coerce_common(both[1], type, "CYCLE/DEFAULT");
  if (!is_order_by_type(type)) fail(Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(type)});
  apart("cycle mark", "cycle path", clause_name(cycle->cycle_mark_column), clause_name(cycle->cycle_path_column), cycle->location);
  if (clauses.search != nullptr) {
    apart("search sequence", "cycle mark", clause_name(clauses.search->search_seq_column), clause_name(cycle->cycle_mark_column), clauses.search->location);
    apart("search sequence", "cycle path", clause_name(clauses.search->search_seq_column), clause_name(cycle->cycle_path_column), clauses.search->location);
  }
  add(cycle->cycle_mark_column, type, typmod);
  add(cycle->cycle_path_column, kRecordArray, -1);
}

// The further columns are seen by name in the recursive term, where an ambiguous one is told first.
void Binder::check_search_names(const SearchClauses& clauses, std::span<const RangeColumn> columns) {
  const auto unused = [&](std::string_view wanted, const char* what, int location) {
    for (const RangeColumn& column : columns.first(clauses.first)) {
      if (column.name != wanted) continue;
      fail(at(Status{sqlstate::syntax_error, std::string(what) + " column name " + quoted(wanted) + " already used in WITH query column list"}, location));
    }
  };
  if (clauses.search != nullptr) unused(clause_name(clauses.search->search_seq_column), "search sequence", clauses.search->location);
  if (clauses.cycle == nullptr) return;
  unused(clause_name(clauses.cycle->cycle_mark_column), "cycle mark", clauses.cycle->location);
  unused(clause_name(clauses.cycle->cycle_path_column), "cycle path", clauses.cycle->location);
}

// ROW of some columns of an arm, after `before`.
const Expr* Binder::row_of(const SetArm& arm, const std::vector<std::size_t>& columns, const Expr* before) {
  auto* row = make<RowExpr>();
  std::vector<const Expr*> fields;
  if (before != nullptr) fields.push_back(before);
  for (const std::size_t column : columns) fields.push_back(arm.outputs[column]);
  row->args = keep(fields);
  row->type = kRecord;
  return row;
}

const Expr* Binder::array_of_row(const Expr* row) {
  auto* array = make<ListExpr>(ExprKind::kArray);
  array->args = list({row});
  array->element_type = kRecord;
  array->type = kRecordArray;
  return array;
}

// The rows that the recursion begins with.
void Binder::search_first_arm(const SearchClauses& clauses, SetArm& arm) {
  if (arm.query->set_operation != nullptr)
    fail(Status{sqlstate::feature_not_supported, "with a SEARCH or CYCLE clause, the left side of the UNION must be a SELECT"});
  std::vector<const Expr*> added;
  if (clauses.search != nullptr) {
    const Expr* zero = make_constant(arena_, kInt8, -1, Value::of_int(0));
    added.push_back(clauses.search->search_breadth_first != 0 ? row_of(arm, clauses.search_columns, zero)
                                                              : array_of_row(row_of(arm, clauses.search_columns, nullptr)));
  }
  if (clauses.cycle != nullptr) {
    added.push_back(clauses.no_mark);
    added.push_back(array_of_row(row_of(arm, clauses.cycle_columns, nullptr)));
  }
  arm.outputs.insert(arm.outputs.end(), added.begin(), added.end());
}

// The recursive term: it gives the further columns of the row that it comes from, too, and goes no further from a row that is marked.
void Binder::search_second_arm(Scope& scope, const SearchClauses& clauses, const CommonTable& table, SetArm& arm) {
  Query& query = *arm.query;
  if (query.set_operation != nullptr)
    fail(Status{sqlstate::feature_not_supported, "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT"});
  std::size_t self = 0;
  while (self < query.ranges.size() && !(query.ranges[self]->self_reference && query.ranges[self]->cte == &table)) ++self;
  if (self == query.ranges.size())
    fail(Status{sqlstate::feature_not_supported, "with a SEARCH or CYCLE clause, the recursive reference to WITH query " + quoted(table.name) +
                                                     " must be at the top level of its right-hand SELECT"});
  if (query.targets.size() != clauses.first || query.distinct || query.grouped)
    fail(Status{sqlstate::feature_not_supported, "GROUP BY and DISTINCT in the recursive term of a query with a SEARCH or CYCLE clause are not supported"});
  std::vector<TargetEntry> targets(query.targets.begin(), query.targets.end());
  RangeEntry* entry = scope.ranges[static_cast<std::size_t>(arm.range)];
  std::vector<RangeColumn> columns(entry->columns.begin(), entry->columns.end());
  std::vector<const Expr*> inner, outer;   // of the row it comes from: within the term, and beside it
  for (std::size_t i = 0; i < clauses.columns.size(); ++i) {
    const RangeColumn& column = clauses.columns[i];
    inner.push_back(column_expr(*query.ranges[self], static_cast<int>(self), static_cast<int>(clauses.first + i), 0, -1));
    TargetEntry target;
    target.expr = inner.back();
    target.name = column.name;
    targets.push_back(target);
    columns.push_back({column.name, column.type, column.typmod, false});
  }
  query.targets = keep(targets);
  entry->columns = keep(columns);
  for (std::size_t i = 0; i < clauses.columns.size(); ++i)
    outer.push_back(column_expr(*entry, arm.range, static_cast<int>(clauses.first + i), 0, -1));

  const auto append = [&](const Expr* array, const Expr* row) {
    const FunctionDef* function = sql::find_functions("array_append")[0];
    return make_call(function, list({array, row}), kRecordArray, CallForm::kCall, -1);
  };
  std::vector<const Expr*> added;
  std::size_t next = 0;
  if (clauses.search != nullptr) {
    const Expr* before = outer[next++];
    if (clauses.search->search_breadth_first != 0) {
      auto* depth = make<FieldExpr>();
      depth->record = before;
      depth->field = 0;
      depth->name = "f1";
      depth->type = kInt8;
      const Expr* deeper = make_operator("+", depth, make_constant(arena_, kInt8, -1, Value::of_int(1)), -1);
      added.push_back(row_of(arm, clauses.search_columns, deeper));
    } else {
      added.push_back(append(before, row_of(arm, clauses.search_columns, nullptr)));
    }
  }
  if (clauses.cycle != nullptr) {
    const Expr* going_on = make_operator("<>", inner[next], clauses.mark, -1);
    query.where = query.where == nullptr ? going_on : bool_list(BoolOp::kAnd, {query.where, going_on});
    const Expr* path = outer[next + 1];
    const Expr* row = row_of(arm, clauses.cycle_columns, nullptr);
    auto* met = make<ArrayCompareExpr>();
    met->op = sql::find_operator(kRecordEquals);
    met->function = sql::find_function(met->op->function);
    met->types = keep(std::vector<Oid>{kRecord, kRecord, kBool});
    met->left = row;
    met->array = path;
    met->type = kBool;
    auto* mark = make<CaseExpr>();
    mark->whens = keep(std::vector<CaseWhen>{{met, clauses.mark}});
    mark->otherwise = clauses.no_mark;
    mark->type = clauses.mark->type;
    mark->typmod = clauses.columns[next].typmod;
    added.push_back(mark);
    added.push_back(append(path, row));
  }
  arm.outputs.insert(arm.outputs.end(), added.begin(), added.end());
}

}  // namespace wandian::sql
