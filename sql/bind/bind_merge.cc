// MERGE.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

namespace {

// An unconditional WHEN leaves nothing to those of its kind behind it.
void check_reachable(const PgQuery__MergeStmt& merge) {
  bool closed[2] = {false, false};
  for (std::size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    const PgQuery__MergeWhenClause& clause = *merge.merge_when_clauses[i]->merge_when_clause;
    bool& after_all = closed[clause.matched != 0 ? 1 : 0];
    if (after_all) fail(Status{sqlstate::syntax_error, "unreachable WHEN clause specified after unconditional WHEN clause"});
    after_all = clause.condition == nullptr;
  }
}

}  // namespace

MergeAction Binder::bind_merge_action(Scope& scope, const TableDef& table, const PgQuery__MergeWhenClause& clause) {
  MergeAction out;
  out.matched = clause.matched != 0;
  if (clause.condition != nullptr) {
    out.condition = bind_condition(scope, clause.condition, Place::kMergeWhen, "WHEN");
    any_node(out.condition, [&](const Expr* node) {
      if (node->kind != ExprKind::kColumn) return false;
      const auto& column = node->as<ColumnExpr>();
      if (column.levels_up != 0 || column.column >= 0 || column.column == kTableOidColumn) return false;
      static constexpr std::string_view kNames[] = {"ctid", "xmin", "cmin", "xmax", "cmax"};
      const auto number = static_cast<std::size_t>(-column.column - 1);
      fail(at(Status{sqlstate::invalid_column_reference, "cannot use system column " + quoted(number < 5 ? kNames[number] : "ctid") +
                                                             " in MERGE WHEN condition"},
              column.location));
    });
  }
  switch (clause.command_type) {
    case PG_QUERY__CMD_TYPE__CMD_UPDATE:
      out.command = Command::kUpdate;
      note_target_command(privilege::kUpdate);
      out.assignments = keep(bind_set_list(scope, table, clause.target_list, clause.n_target_list));
      break;
    case PG_QUERY__CMD_TYPE__CMD_DELETE:
      out.command = Command::kDelete;
      note_target_command(privilege::kDelete);
      break;
    case PG_QUERY__CMD_TYPE__CMD_INSERT: {
      out.command = Command::kInsert;
      note_target_command(privilege::kInsert);
      const bool overriding = clause.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE ||
                              clause.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE;
      const bool overriding_user = clause.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE;
      const std::vector<InsertColumn> columns = bind_insert_columns(table, clause.target_list, clause.n_target_list);
      for (const InsertColumn& column : columns)
        if (column.part != nullptr) fail(at(Status{sqlstate::feature_not_supported, "assignment to parts of a column in MERGE is not supported"}, column.location));
      std::vector<const Expr*> values(table.columns.size(), nullptr), row;
      for (std::size_t i = 0; i < clause.n_values; ++i) row.push_back(bind_value(scope, clause.values[i], Place::kInsertTarget));
      if (clause.n_values > 0) {
        check_insert_width(columns, clause.n_target_list > 0, row.size(), row.size() > columns.size() ? row[columns.size()] : nullptr);
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        const int column = columns[i].column;
        note_written(Command::kInsert, column);
        if (row[i]->returns_set) {
          fail(at(Status{sqlstate::feature_not_supported, "set-valued function called in context that cannot accept a set"},
                  row[i]->location));
        }
        check_generated(table, column, row[i], row[i]->location, overriding);
        const bool replaced = overriding_user && table.columns[static_cast<std::size_t>(column)].identity != 0;
        values[static_cast<std::size_t>(column)] =
            replaced ? column_default(table, column, row[i]->location) : assign(table, column, row[i], row[i]->location);
      }
      out.assignments = complete_row(table, values);
      break;
    }
    default: out.nothing = true;
  }
  return out;
}

Query* Binder::bind_merge(const PgQuery__MergeStmt& merge) {
  Scope& scope = scopes_.emplace_back();
  auto* query = make<Query>();
  query->command = Command::kMerge;
  scope.query = query;
  if (merge.with_clause != nullptr && merge.with_clause->recursive != 0) {
    fail(Status{sqlstate::syntax_error, "WITH RECURSIVE is not supported for MERGE statement"});
  }
  bind_with(merge.with_clause, scope);
  check_reachable(merge);
  const int target = bind_target_table(scope, *merge.relation, Command::kMerge);
  const TableDef& table = *scope.ranges[static_cast<std::size_t>(target)]->table;
  scope.items.push_back(make_item(scope, target));
  scope.items[0].lateral_only = true;
  scope.items[0].lateral_ok = false;
  std::vector<NsItem> source_items;
  const JoinNode* source = bind_from_item(scope, merge.source_relation, &source_items);
  for (const NsItem& item : source_items) {
    if (!item.relation_visible || item.alias != scope.items[0].alias) continue;
    fail(Status{sqlstate::duplicate_alias, "name " + quoted(item.alias) + " specified more than once"}.with_detail(
        "The name is used both as MERGE target table and data source."));
  }
  scope.items[0].lateral_only = false;
  scope.items[0].lateral_ok = true;
  add_items(scope, std::move(source_items));

  bool inserts = false;
  for (std::size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    inserts |= merge.merge_when_clauses[i]->merge_when_clause->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT;
  }
  auto* inner = make<JoinNode>();
  inner->range = static_cast<std::uint16_t>(target);
  auto* join = make<JoinNode>();
  join->is_join = true;
  join->type = inserts ? JoinType::kLeft : JoinType::kInner;
  join->left = source;
  join->right = inner;
  join->on = bind_condition(scope, merge.join_condition, Place::kJoinOn, "ON");
  query->from = keep(std::vector<const JoinNode*>{join});

  const NsItem target_item = scope.items[0];
  std::vector<MergeAction> actions;
  for (std::size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    const PgQuery__MergeWhenClause& clause = *merge.merge_when_clauses[i]->merge_when_clause;
    // Where nothing matched there is no row of the target to look at.
    if (clause.matched == 0) scope.items.erase(scope.items.begin());
    actions.push_back(bind_merge_action(scope, table, clause));
    if (clause.matched == 0) scope.items.insert(scope.items.begin(), target_item);
  }
  query->merge_actions = keep(actions);
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  finish_query(scope, *query);
  return query;
}

}  // namespace wandian::sql
