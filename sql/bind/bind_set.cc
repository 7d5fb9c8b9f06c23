// UNION, INTERSECT, EXCEPT and VALUES.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"
#include "sql/types/collation.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_set_operation(const PgQuery__SelectStmt& select) {
  return select.op != PG_QUERY__SET_OPERATION__SETOP_NONE && select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED;
}

// Whether a nested set operation is only brackets: no clause of its own.
bool is_plain(const PgQuery__SelectStmt& select) {
  return select.n_sort_clause == 0 && select.limit_count == nullptr && select.limit_offset == nullptr && select.n_locking_clause == 0 &&
         select.with_clause == nullptr;
}

const char* construct_name(PgQuery__SetOperation op) {
  switch (op) {
    case PG_QUERY__SET_OPERATION__SETOP_UNION: return "UNION";
    case PG_QUERY__SET_OPERATION__SETOP_INTERSECT: return "INTERSECT";
    default: return "EXCEPT";
  }
}

}  // namespace

Binder::SetArm Binder::bind_set_arm(const PgQuery__SelectStmt& select, Scope& scope, bool resolve_unknowns) {
  if (select.n_locking_clause > 0) {
    const std::string clause(lock_name(row_lock(select.locking_clause[0]->locking_clause->strength)));
    fail(Status{sqlstate::feature_not_supported, clause + " is not allowed with UNION/INTERSECT/EXCEPT"});
  }
  SetArm arm;
  arm.query = bind_select(select, &scope, resolve_unknowns);
  RangeEntry* entry = make_subquery_entry(arm.query, nullptr, "*SELECT*");
  arm.range = add_range(scope, entry);
  for (std::size_t i = 0; i < entry->columns.size(); ++i) {
    auto* column = const_cast<Expr*>(column_expr(*entry, arm.range, static_cast<int>(i), 0, arm.query->targets[i].expr->location));
    arm.outputs.push_back(column);
  }
  return arm;
}

Query* Binder::bind_set_operation(const PgQuery__SelectStmt& select, Scope* parent, CommonTable* recursive, SearchClauses* clauses) {
  check_stack(-1);
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  scope.query = query;
  bind_with(select.with_clause, scope);
  const char* construct = construct_name(select.op);

  auto* result = make<RangeEntry>();
  result->kind = RangeKind::kSetResult;
  result->alias = result->name = "*SELECT*";
  add_range(scope, result);

  // A chain of one operation, A UNION B UNION C, becomes one node; the tree leans to the left.
  std::vector<const PgQuery__SelectStmt*> sources{select.rarg};
  const PgQuery__SelectStmt* leftmost = select.larg;
  if (recursive == nullptr && select.op == PG_QUERY__SET_OPERATION__SETOP_UNION) {
    while (is_set_operation(*leftmost) && leftmost->op == select.op && leftmost->all == select.all && is_plain(*leftmost)) {
      sources.push_back(leftmost->rarg);
      leftmost = leftmost->larg;
    }
  }
  sources.push_back(leftmost);
  std::reverse(sources.begin(), sources.end());

  std::vector<SetArm> arms;
  std::vector<Oid> types;
  std::vector<std::int32_t> typmods;
  std::vector<std::string_view> names;
  for (std::size_t a = 0; a < sources.size(); ++a) {
    if (recursive != nullptr && a == 0) {
      if (const std::optional<int> location = find_range_var(sources[a]->base, recursive->name)) {
        fail(at(Status{sqlstate::invalid_recursion, "recursive reference to query " + quoted(recursive->name) +
                                                        " must not appear within its non-recursive term"},
                *location));
      }
    }
    SetArm arm = bind_set_arm(*sources[a], scope, recursive != nullptr && a == 0);
    if (a == 0) {
      for (std::size_t i = 0; i < arm.outputs.size(); ++i) {
        types.push_back(arm.outputs[i]->type);
        typmods.push_back(arm.outputs[i]->typmod);
        names.push_back(arm.query->targets[i].name);
      }
      if (recursive != nullptr) {
        // From here on the query may refer to itself.
        std::vector<RangeColumn> columns;
        for (std::size_t i = 0; i < types.size(); ++i) {
          const std::string_view column = i < recursive->columns.size() ? recursive->columns[i].name : names[i];
          columns.push_back({column, types[i], typmods[i], false});
        }
        if (clauses != nullptr) {
          open_search(*clauses, columns);
          columns.insert(columns.end(), clauses->columns.begin(), clauses->columns.end());
        }
        recursive->columns = keep(columns);
        scope.recursive = recursive;
      }
    } else {
      if (arm.outputs.size() != types.size()) {
        const Expr* where = arm.query->targets.empty() ? nullptr : arm.query->targets[0].expr;
        fail(at(Status{sqlstate::syntax_error, "each " + std::string(construct) + " query must have the same number of columns"},
                where != nullptr ? where->location : -1));
      }
      for (std::size_t i = 0; i < types.size(); ++i) {
        auto* so_far = make<ColumnExpr>();
        so_far->type = types[i];
        so_far->typmod = typmods[i];
        const Expr* pair[] = {so_far, arm.outputs[i]};
        const Oid type = common_type(pair, construct);
        typmods[i] = common_typmod(pair, type);
        if (recursive != nullptr && type != types[i]) {
          fail(at(Status{sqlstate::datatype_mismatch, "recursive query " + quoted(recursive->name) + " column " + std::to_string(i + 1) +
                                                          " has type " + type_text(types[i]) + " in non-recursive term but type " +
                                                          type_text(type) + " overall"}
                      .with_hint("Cast the output of the non-recursive term to the correct type."),
                  arms[0].query->targets[i].expr->location));
        }
        types[i] = type;
      }
    }
    arms.push_back(std::move(arm));
  }
  scope.recursive = nullptr;
  if (clauses != nullptr) {
    check_search_names(*clauses, recursive->columns);
    search_first_arm(*clauses, arms[0]);
    search_second_arm(scope, *clauses, *recursive, arms[1]);
    for (const RangeColumn& column : clauses->columns) {
      types.push_back(column.type);
      typmods.push_back(column.typmod);
      names.push_back(column.name);
    }
  }
  const auto written_at = [&](std::size_t column) {
    return column < arms[0].query->targets.size() ? arms[0].query->targets[column].expr->location : -1;
  };

  std::vector<RangeColumn> columns;
  std::vector<SetInput> inputs;
  for (SetArm& arm : arms) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      const Expr* output = arm.outputs[i];
      if (output->type == types[i]) continue;
      TargetEntry& target = const_cast<TargetEntry&>(arm.query->targets[i]);
      if (output->type == kUnknown) {
        // A literal of no type yet takes the common one where it stands.
        target.expr = coerce_common(target.expr, types[i], construct);
        auto* entry = scope.ranges[static_cast<std::size_t>(arm.range)];
        std::vector<RangeColumn> renewed(entry->columns.begin(), entry->columns.end());
        renewed[i].type = types[i];
        entry->columns = keep(renewed);
        arm.outputs[i] = column_expr(*entry, arm.range, static_cast<int>(i), 0, output->location);
        continue;
      }
      arm.outputs[i] = coerce_common(output, types[i], construct);
    }
    SetInput input;
    input.range = static_cast<std::uint16_t>(arm.range);
    input.outputs = keep(arm.outputs);
    inputs.push_back(input);
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (select.all == 0 && !is_order_by_type(types[i])) {
      fail(at(Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(types[i])},
              written_at(i)));
    }
    columns.push_back({names[i], types[i], typmods[i], false});
    if (collated_ && is_collatable(types[i])) {
      std::vector<const Expr*> column;
      for (const SetArm& arm : arms) column.push_back(i < arm.query->targets.size() ? arm.query->targets[i].expr : arm.outputs[i]);
      columns.back().collation = common_collation(column, select.op == PG_QUERY__SET_OPERATION__SETOP_UNION && select.all != 0);
    }
  }
  result->columns = keep(columns);
  auto* operation = make<SetOperation>();
  operation->op = select.op == PG_QUERY__SET_OPERATION__SETOP_UNION       ? SetOp::kUnion
                  : select.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ? SetOp::kIntersect
                                                                           : SetOp::kExcept;
  operation->all = select.all != 0;
  operation->inputs = keep(inputs);
  query->set_operation = operation;

  auto* node = make<JoinNode>();
  query->from = keep(std::vector<const JoinNode*>{node});
  std::vector<TargetEntry> targets;
  for (std::size_t i = 0; i < types.size(); ++i) {
    TargetEntry target;
    target.expr = column_expr(*result, 0, static_cast<int>(i), 0, written_at(i));
    target.name = names[i];
    targets.push_back(target);
  }
  // ORDER BY may name result columns and nothing else.
  scope.items.clear();
  scope.items.push_back(make_item(scope, 0));
  scope.items.back().relation_visible = false;
  const std::size_t visible = targets.size();
  bind_order_by(scope, select, targets, *query);
  if (targets.size() > visible) {
    fail(at(Status{sqlstate::feature_not_supported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause"}
                .with_detail("Only result column names can be used, not expressions or functions.")
                .with_hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."),
            targets[visible].expr->location));
  }
  bind_limit(scope, select, *query);
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  bind_locking(scope, select, *query);
  store_targets(*query, targets);
  finish_query(scope, *query);
  return query;
}

Query* Binder::bind_values(const PgQuery__SelectStmt& select, Scope* parent) {
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  scope.query = query;
  bind_with(select.with_clause, scope);
  std::vector<std::vector<const Expr*>> rows;
  std::size_t width = 0;
  for (std::size_t r = 0; r < select.n_values_lists; ++r) {
    const PgQuery__List& source = *select.values_lists[r]->list;
    std::vector<const Expr*> row;
    for (std::size_t i = 0; i < source.n_items; ++i) {
      const ParseNode* node = source.items[i];
      row.push_back(bind_in_place(scope, node, Place::kValues));
    }
    if (r == 0) {
      width = row.size();
    } else if (row.size() != width) {
      fail(at(Status{sqlstate::syntax_error, "VALUES lists must all be the same length"}, row.empty() ? -1 : row[0]->location));
    }
    rows.push_back(std::move(row));
  }
  auto* entry = make<RangeEntry>();
  entry->kind = RangeKind::kValues;
  entry->alias = entry->name = "*VALUES*";
  std::vector<RangeColumn> columns;
  for (std::size_t i = 0; i < width; ++i) {
    std::vector<const Expr*> column;
    for (const auto& row : rows) column.push_back(row[i]);
    const Oid type = common_type(column, "VALUES");
    const std::int32_t typmod = common_typmod(column, type);
    for (auto& row : rows) row[i] = coerce_common(row[i], type, "VALUES");
    for (std::size_t r = 0; r < rows.size(); ++r) column[r] = rows[r][i];
    columns.push_back({arena_.copy("column" + std::to_string(i + 1)), type, typmod, false, common_collation(column, true)});
  }
  entry->columns = keep(columns);
  std::vector<ExprList> lists;
  for (const auto& row : rows) lists.push_back(keep(row));
  entry->values = keep(lists);
  const int range = add_range(scope, entry);
  auto* node = make<JoinNode>();
  query->from = keep(std::vector<const JoinNode*>{node});
  scope.items.push_back(make_item(scope, range));
  std::vector<TargetEntry> targets;
  for (std::size_t i = 0; i < width; ++i) {
    TargetEntry target;
    target.expr = column_expr(*entry, range, static_cast<int>(i), 0, rows[0][i]->location);
    target.name = columns[i].name;
    targets.push_back(target);
  }
  bind_order_by(scope, select, targets, *query);
  bind_limit(scope, select, *query);
  if (select.n_locking_clause > 0) {
    const std::string clause(lock_name(row_lock(select.locking_clause[0]->locking_clause->strength)));
    fail(Status{sqlstate::feature_not_supported, clause + " cannot be applied to VALUES"});
  }
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  store_targets(*query, targets);
  finish_query(scope, *query);
  return query;
}

}  // namespace wandian::sql
