// SELECT: target lists, WITH, GROUP BY, DISTINCT, ORDER BY and LIMIT. Set operations and VALUES: bind_set.cc; FOR UPDATE: bind_locking.cc.
#include <algorithm>
#include <set>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_set(const ParseNode* node) { return node != nullptr && node->node_case != PG_QUERY__NODE__NODE__NOT_SET; }

bool ends_in_star(const ParseNode* node) {
  if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
    const PgQuery__ColumnRef& ref = *node->column_ref;
    return ref.n_fields > 0 && ref.fields[ref.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
  }
  if (node->node_case == PG_QUERY__NODE__NODE_A_INDIRECTION) {
    const PgQuery__AIndirection& indirection = *node->a_indirection;
    return indirection.n_indirection > 0 &&
           indirection.indirection[indirection.n_indirection - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
  }
  return false;
}


// Where an item stands that may name a target by its name or number, and so not be the target's own expression.
int item_location(const ParseNode* node, const Expr* target) {
  if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) return node->column_ref->location;
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST) return node->a_const->location;
  return target->location;
}

// The column a target shows, for RowDescription.
void set_origin(const Scope& own, TargetEntry& target) {
  const auto outer = [&own](unsigned levels) {
    const Scope* scope = &own;
    for (; levels > 0 && scope != nullptr; --levels) scope = scope->parent;
    return scope;
  };
  if (target.expr->kind == ExprKind::kRow && target.expr->as<RowExpr>().whole_range >= 0) {
    // A whole row shows its relation, and no column of it.
    const auto& row = target.expr->as<RowExpr>();
    const Scope* scope = outer(row.whole_levels_up);
    const auto range = static_cast<std::size_t>(row.whole_range);
    if (scope == nullptr || range >= scope->ranges.size()) return;
    const RangeEntry& entry = *scope->ranges[range];
    target.origin_table = entry.kind == RangeKind::kTable ? entry.table->oid : entry.kind == RangeKind::kSystem ? entry.system->oid : entry.view;
    return;
  }
  if (target.expr->kind != ExprKind::kColumn) return;
  const auto& column = target.expr->as<ColumnExpr>();
  if (column.column < 0) return;
  const Scope* scope = outer(column.levels_up);
  if (scope == nullptr || column.range >= scope->ranges.size()) return;
  const RangeEntry& entry = *scope->ranges[column.range];
  const auto position = static_cast<std::size_t>(column.column);
  switch (entry.kind) {
    case RangeKind::kTable:
      target.origin_table = entry.table->oid;
      target.origin_column = static_cast<std::int16_t>(column.column + 1);
      return;
    case RangeKind::kSystem:
      target.origin_table = entry.system->oid;
      target.origin_column = static_cast<std::int16_t>(column.column + 1);
      return;
    case RangeKind::kSubquery:
      if (entry.view != 0) {
        target.origin_table = entry.view;
        target.origin_column = static_cast<std::int16_t>(column.column + 1);
      } else if (position < entry.query->targets.size()) {
        target.origin_table = entry.query->targets[position].origin_table;
        target.origin_column = entry.query->targets[position].origin_column;
      }
      return;
    case RangeKind::kCte:
      if (!entry.self_reference && entry.cte->query != nullptr && position < entry.cte->query->result_columns().size()) {
        const TargetEntry& source = entry.cte->query->result_columns()[position];
        target.origin_table = source.origin_table;
        target.origin_column = source.origin_column;
      }
      return;
    default: return;
  }
}

}  // namespace

std::vector<TargetEntry> Binder::bind_target_list(Scope& scope, PgQuery__Node** items, std::size_t count, Place place) {
  std::vector<TargetEntry> out;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__ResTarget& item = *items[i]->res_target;
    if (ends_in_star(item.val)) {
      std::vector<NamedExpr> columns;
      if (item.val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
        columns = expand_star(scope, *item.val->column_ref);
      } else {
        PgQuery__AIndirection base = *item.val->a_indirection;
        base.n_indirection -= 1;
        const Place outer = std::exchange(scope.place, place);
        const Expr* record = base.n_indirection == 0 ? bind_expr(scope, base.arg) : bind_indirection(scope, base);
        scope.place = outer;
        columns = record_fields(scope, record);
        if (columns.empty()) {
          if (record->type == kRecord) {
            fail(at(Status{sqlstate::feature_not_supported, "record type has not been registered"}, record->location));
          }
          fail(at(Status{sqlstate::wrong_object_type, "type " + type_text(record->type) + " is not composite"}, record->location));
        }
      }
      for (const NamedExpr& column : columns) {
        TargetEntry target;
        target.expr = column.expr;
        target.name = column.name;
        set_origin(scope, target);
        out.push_back(target);
      }
      continue;
    }
    TargetEntry target;
    target.expr = bind_in_place(scope, item.val, place);
    target.name = arena_.copy(item.name != nullptr && *item.name != '\0' ? std::string_view(item.name) : column_name_of(item.val));
    set_origin(scope, target);
    out.push_back(target);
  }
  if (out.size() > 1664) fail(Status{sqlstate::too_many_columns, "target lists can have at most 1664 entries"});
  return out;
}

void Binder::resolve_unknown_targets(std::vector<TargetEntry>& targets) {
  for (TargetEntry& target : targets) {
    if (target.expr->type != kUnknown) continue;
    target.expr = coerce(target.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  }
}

void Binder::store_targets(Query& query, std::vector<TargetEntry>& targets) { query.targets = keep(targets); }

// ---- ORDER BY, GROUP BY and DISTINCT refer to targets ----

int Binder::find_target_sql99(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, Place place) {
  const Expr* expr = bind_in_place(scope, node, place);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (equal(targets[i].expr, expr)) return static_cast<int>(i);
  }
  TargetEntry junk;
  junk.expr = expr;
  junk.junk = true;
  targets.push_back(junk);
  return static_cast<int>(targets.size()) - 1;
}

// GROUP BY may name a target, but none that is computed after grouping.
void Binder::refuse_above_grouping(const Expr* target) {
  any_node(target, [&](const Expr* node) {
    if (node->kind == ExprKind::kAggregate && node->as<AggregateExpr>().levels_up == 0) {
      fail(at(Status{sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY"}, node->location));
    }
    if (node->kind == ExprKind::kWindow) {
      fail(at(Status{sqlstate::windowing_error, "window functions are not allowed in GROUP BY"}, node->location));
    }
    return false;
  });
}

int Binder::find_target_sql92(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, Place place,
                              std::string_view clause) {
  if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && node->column_ref->n_fields == 1 &&
      node->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING) {
    const std::string_view name = string_value(node->column_ref->fields[0]);
    const int location = node->column_ref->location;
    // GROUP BY prefers the input's columns, as SQL has it; ORDER BY prefers the output's.
    const bool input_first = place == Place::kGroupBy && find_column(scope, name, location) != nullptr;
    if (!input_first) {
      int found = -1;
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].junk || targets[i].name != name) continue;
        if (found < 0) {
          found = static_cast<int>(i);
        } else if (!equal(targets[static_cast<std::size_t>(found)].expr, targets[i].expr)) {
          fail(at(Status{sqlstate::ambiguous_column, std::string(clause) + " " + quoted(name) + " is ambiguous"}, location));
        }
      }
      if (found >= 0) {
        const Expr* expr = targets[static_cast<std::size_t>(found)].expr;
        if (place == Place::kGroupBy) refuse_above_grouping(expr);
        return found;
      }
    }
  }
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST) {
    const PgQuery__AConst& constant = *node->a_const;
    if (constant.isnull != 0 || constant.val_case != PG_QUERY__A__CONST__VAL_IVAL) {
      fail(at(Status{sqlstate::syntax_error, "non-integer constant in " + std::string(clause)}, constant.location));
    }
    const int position = constant.ival->ival;
    int visible = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i].junk || ++visible != position) continue;
      if (place == Place::kGroupBy) refuse_above_grouping(targets[i].expr);
      return static_cast<int>(i);
    }
    fail(at(Status{sqlstate::invalid_column_reference,
                   std::string(clause) + " position " + std::to_string(position) + " is not in select list"},
            constant.location));
  }
  return find_target_sql99(scope, node, targets, place);
}

namespace {

Status no_ordering(const Expr* expr) {
  return Status{sqlstate::undefined_function, "could not identify an ordering operator for type " + type_text(expr->type)}.with_hint(
      "Use an explicit ordering operator or modify the query.");
}
Status no_equality(const Expr* expr) {
  return Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(expr->type)};
}

}  // namespace

SortKey Binder::sort_key(const PgQuery__SortBy& by, const Expr* expr) {
  SortKey key;
  key.expr = expr;
  key.descending = by.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
  if (by.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
    const std::string_view op = by.n_use_op == 0 ? std::string_view{} : string_value(by.use_op[by.n_use_op - 1]);
    if (op != "<" && op != ">") {
      fail(at(Status{sqlstate::wrong_object_type, "operator " + std::string(op) + " is not a valid ordering operator"}.with_hint(
                  "Ordering operators must be \"<\" or \">\" members of btree operator families."),
              by.location));
    }
    key.descending = op == ">";
  }
  key.nulls_first = by.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
                    (by.sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST && key.descending);
  // Kinds of numbers that wrap have equality alone.
  const bool wraps = base_type(expr->type) == kXid || base_type(expr->type) == kCid;
  if (wraps || !is_order_by_type(expr->type)) {
    const bool column = by.node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
    fail(at(no_ordering(expr), column ? by.node->column_ref->location : expr->location));
  }
  return key;
}

void Binder::bind_order_by(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query) {
  std::vector<OrderItem> order;
  for (std::size_t i = 0; i < select.n_sort_clause; ++i) {
    const PgQuery__SortBy& by = *select.sort_clause[i]->sort_by;
    const int target = find_target_sql92(scope, by.node, targets, Place::kOrderBy, "ORDER BY");
    TargetEntry& entry = targets[static_cast<std::size_t>(target)];
    if (entry.expr->type == kUnknown) {
      entry.expr = coerce(entry.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    }
    const SortKey key = sort_key(by, entry.expr);
    const OrderItem item{static_cast<std::uint16_t>(target), key.descending, key.nulls_first};
    const bool repeated = std::any_of(order.begin(), order.end(), [&](const OrderItem& o) { return o.target == item.target; });
    if (!repeated) order.push_back(item);
  }
  query.order_by = keep(order);
}

using GroupingSet = std::vector<std::uint16_t>;

namespace {

constexpr std::size_t kMaxGroupingSets = 4096, kMaxCubeElements = 12;

Status too_many_grouping_sets() {
  return Status{sqlstate::statement_too_complex, "too many grouping sets present (maximum " + std::to_string(kMaxGroupingSets) + ")"};
}

GroupingSet joined(const GroupingSet& left, const GroupingSet& right) {
  GroupingSet out = left;
  for (const std::uint16_t column : right) {
    if (std::find(out.begin(), out.end(), column) == out.end()) out.push_back(column);
  }
  return out;
}

}  // namespace

// An item of GROUP BY: columns that stand together.
GroupingSet Binder::bind_group_item(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, GroupingSet& group) {
  if (node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR && node->row_expr->row_format == PG_QUERY__COERCION_FORM__COERCE_IMPLICIT_CAST) {
    GroupingSet out;
    for (std::size_t i = 0; i < node->row_expr->n_args; ++i) {
      out = joined(out, bind_group_item(scope, node->row_expr->args[i], targets, group));
    }
    return out;
  }
  const int target = find_target_sql92(scope, node, targets, Place::kGroupBy, "GROUP BY");
  TargetEntry& entry = targets[static_cast<std::size_t>(target)];
  if (entry.expr->type == kUnknown) {
    entry.expr = coerce(entry.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  }
  if (!is_order_by_type(entry.expr->type)) fail(at(no_equality(entry.expr), entry.expr->location));
  const auto index = static_cast<std::uint16_t>(target);
  const auto known = std::find(group.begin(), group.end(), index);
  const auto position = static_cast<std::uint16_t>(known - group.begin());
  if (known == group.end()) group.push_back(index);
  return {position};
}

// The sets that an item of GROUP BY stands for.
std::vector<GroupingSet> Binder::bind_grouping_sets(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, GroupingSet& group) {
  check_stack(-1);
  if (node->node_case != PG_QUERY__NODE__NODE_GROUPING_SET) return {bind_group_item(scope, node, targets, group)};
  const PgQuery__GroupingSet& source = *node->grouping_set;
  std::vector<GroupingSet> out;
  switch (source.kind) {
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_EMPTY: return {{}};
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_SETS:
      for (std::size_t i = 0; i < source.n_content; ++i) {
        for (GroupingSet& set : bind_grouping_sets(scope, source.content[i], targets, group)) out.push_back(std::move(set));
        if (out.size() > kMaxGroupingSets) fail(too_many_grouping_sets());
      }
      return out;
    default: break;
  }
  const bool cube = source.kind == PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_CUBE;
  if (cube && source.n_content > kMaxCubeElements) {
    fail(at(Status{sqlstate::too_many_columns, "CUBE is limited to " + std::to_string(kMaxCubeElements) + " elements"}, source.location));
  }
  std::vector<GroupingSet> parts;
  for (std::size_t i = 0; i < source.n_content; ++i) parts.push_back(bind_group_item(scope, source.content[i], targets, group));
  if (parts.size() >= kMaxGroupingSets) fail(too_many_grouping_sets());
  const std::size_t count = cube ? std::size_t{1} << parts.size() : parts.size() + 1;
  for (std::size_t i = 0; i < count; ++i) {
    GroupingSet set;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (cube ? (i >> k & 1) != 0 : k + i < parts.size()) set = joined(set, parts[k]);
    }
    out.push_back(std::move(set));
  }
  return out;
}

// The same item as it was written; its columns are known by now.
GroupingItem Binder::written_grouping(Scope& scope, const ParseNode* node, std::vector<TargetEntry>& targets, GroupingSet& group) {
  GroupingItem out;
  if (node->node_case != PG_QUERY__NODE__NODE_GROUPING_SET) {
    out.columns = keep(bind_group_item(scope, node, targets, group));
    return out;
  }
  const PgQuery__GroupingSet& source = *node->grouping_set;
  switch (source.kind) {
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_EMPTY: out.kind = GroupingItem::Kind::kEmpty; return out;
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_ROLLUP: out.kind = GroupingItem::Kind::kRollup; break;
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_CUBE: out.kind = GroupingItem::Kind::kCube; break;
    default: out.kind = GroupingItem::Kind::kSets; break;
  }
  std::vector<GroupingItem> content;
  for (std::size_t i = 0; i < source.n_content; ++i) {
    const GroupingItem item = written_grouping(scope, source.content[i], targets, group);
    // GROUPING SETS inside of others are as good as what they hold.
    if (item.kind == GroupingItem::Kind::kSets && out.kind == GroupingItem::Kind::kSets) content.insert(content.end(), item.content.begin(), item.content.end());
    else content.push_back(item);
  }
  out.content = keep(content);
  return out;
}

void Binder::bind_group_by(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query) {
  GroupingSet group;
  std::vector<GroupingSet> sets{{}};
  bool written_sets = false;
  for (std::size_t i = 0; i < select.n_group_clause; ++i) {
    written_sets = written_sets || select.group_clause[i]->node_case == PG_QUERY__NODE__NODE_GROUPING_SET;
    const std::vector<GroupingSet> item = bind_grouping_sets(scope, select.group_clause[i], targets, group);
    if (sets.size() * item.size() > kMaxGroupingSets) fail(too_many_grouping_sets());
    // Each set of one item with each of another.
    std::vector<GroupingSet> product;
    for (const GroupingSet& left : sets) {
      for (const GroupingSet& right : item) product.push_back(joined(left, right));
    }
    sets = std::move(product);
  }
  if (select.group_distinct != 0) {
    std::vector<GroupingSet> unique;
    for (GroupingSet& set : sets) {
      std::sort(set.begin(), set.end());
      if (std::find(unique.begin(), unique.end(), set) == unique.end()) unique.push_back(std::move(set));
    }
    sets = std::move(unique);
  }
  if (select.n_group_clause > 0) query.grouped = true;
  query.group_by = keep(group);
  const bool one_set = sets.size() == 1 && !group.empty();   // as good as none
  if (context_.as_written && written_sets && !one_set) {
    std::vector<GroupingItem> items;
    for (std::size_t i = 0; i < select.n_group_clause; ++i) items.push_back(written_grouping(scope, select.group_clause[i], targets, group));
    query.grouping_items = keep(items);
  }
  query.group_distinct = select.group_distinct != 0;
  if (!written_sets || (sets.size() == 1 && sets[0].size() == group.size())) return;
  std::vector<std::span<const std::uint16_t>> kept;
  for (const GroupingSet& set : sets) kept.push_back(keep(set));
  query.grouping_sets = keep(kept);
}

void Binder::bind_distinct_clause(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query) {
  if (select.n_distinct_clause == 0) return;
  query.distinct = true;
  if (!is_set(select.distinct_clause[0])) {
    for (const OrderItem& item : query.order_by) {
      if (!targets[item.target].junk) continue;
      fail(at(Status{sqlstate::invalid_column_reference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list"},
              targets[item.target].expr->location));
    }
    for (TargetEntry& target : targets) {
      if (target.junk) continue;
      if (target.expr->type == kUnknown) {
        target.expr = coerce(target.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      }
      if (!is_order_by_type(target.expr->type) && target.expr->type != kRecord) fail(at(no_equality(target.expr), target.expr->location));
    }
    return;
  }
  std::vector<std::uint16_t> on;
  std::vector<int> locations;
  for (std::size_t i = 0; i < select.n_distinct_clause; ++i) {
    const int target = find_target_sql92(scope, select.distinct_clause[i], targets, Place::kDistinctOn, "DISTINCT ON");
    TargetEntry& entry = targets[static_cast<std::size_t>(target)];
    if (entry.expr->type == kUnknown) {
      entry.expr = coerce(entry.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    }
    if (!is_order_by_type(entry.expr->type)) fail(at(no_equality(entry.expr), entry.expr->location));
    const auto index = static_cast<std::uint16_t>(target);
    if (std::find(on.begin(), on.end(), index) != on.end()) continue;
    on.push_back(index);
    locations.push_back(item_location(select.distinct_clause[i], entry.expr));
  }
  // The first ORDER BY items must be these, in any order.
  const auto refuse = [&](std::size_t item) {
    fail(at(Status{sqlstate::invalid_column_reference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"}, locations[item]));
  };
  bool left_list = false;
  std::vector<bool> matched(on.size(), false);
  for (const OrderItem& item : query.order_by) {
    const auto member = static_cast<std::size_t>(std::find(on.begin(), on.end(), item.target) - on.begin());
    if (member == on.size()) {
      left_list = true;
      continue;
    }
    if (left_list) refuse(member);
    matched[member] = true;
  }
  for (std::size_t i = 0; left_list && i < on.size(); ++i) {
    if (!matched[i]) refuse(i);
  }
  // They are printed in the order in which they sort.
  if (context_.as_written) {
    std::stable_sort(on.begin(), on.end(), [&](std::uint16_t a, std::uint16_t b) {
      const auto place = [&](std::uint16_t target) {
        return std::find_if(query.order_by.begin(), query.order_by.end(), [&](const OrderItem& item) { return item.target == target; });
      };
      return place(a) < place(b);
    });
  }
  query.distinct_on = keep(on);
}

const Expr* Binder::bind_limit_expr(Scope& scope, const ParseNode* node, Place place, std::string_view clause) {
  if (node == nullptr) return nullptr;
  return constant_argument(bind_in_place(scope, node, place), kInt8, clause);
}

const Expr* Binder::constant_argument(const Expr* value, Oid type, std::string_view clause) {
  const Expr* out = coerce(value, type, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  if (out == nullptr) {
    fail(at(Status{sqlstate::datatype_mismatch, "argument of " + std::string(clause) + " must be type " + type_text(type) +
                                                    ", not type " + type_text(value->type)},
            value->location));
  }
  any_node(out, [&](const Expr* node) {
    const bool variable = node->kind == ExprKind::kColumn ? node->as<ColumnExpr>().levels_up == 0
                                                          : node->kind == ExprKind::kSubLink && !collect_columns(node).empty();
    if (!variable) return false;
    fail(at(Status{sqlstate::invalid_column_reference, "argument of " + std::string(clause) + " must not contain variables"}, node->location));
  });
  return out;
}

void Binder::bind_limit(Scope& scope, const PgQuery__SelectStmt& select, Query& query) {
  query.offset = bind_limit_expr(scope, select.limit_offset, Place::kOffset, "OFFSET");
  query.with_ties = select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES;
  if (query.with_ties && is_set(select.limit_count) && select.limit_count->node_case == PG_QUERY__NODE__NODE_A_CONST &&
      select.limit_count->a_const->isnull != 0) {
    fail(Status{sqlstate::invalid_row_count_in_limit_clause, "row count cannot be null in FETCH FIRST ... WITH TIES clause"});
  }
  query.limit = bind_limit_expr(scope, select.limit_count, Place::kLimit, "LIMIT");
}

// ---- Ungrouped columns ----

// Which columns grouped by the arguments of GROUPING(...) are.
void Binder::place_groupings(const Expr* expr, std::span<const Expr* const> groups) {
  any_node(expr, [&](const Expr* node) {
    if (node->kind != ExprKind::kGrouping) return false;
    auto& grouping = const_cast<GroupingExpr&>(node->as<GroupingExpr>());
    std::vector<std::uint16_t> positions;
    for (const Expr* arg : grouping.args) {
      std::size_t i = 0;
      while (i < groups.size() && !equal(groups[i], arg)) ++i;
      if (i == groups.size()) {
        fail(at(Status{sqlstate::grouping_error, "arguments to GROUPING must be grouping expressions of the associated query level"}, arg->location));
      }
      positions.push_back(static_cast<std::uint16_t>(i));
    }
    grouping.groups = keep(positions);
    return false;
  });
}

void Binder::check_grouping(Scope& scope, Query& query, std::span<const TargetEntry> targets) {
  if (!query.grouped) return;
  std::vector<const Expr*> groups, common;
  for (std::uint16_t i = 0; i < query.group_by.size(); ++i) {
    groups.push_back(targets[query.group_by[i]].expr);
    const bool everywhere = std::all_of(query.grouping_sets.begin(), query.grouping_sets.end(),
                                        [&](std::span<const std::uint16_t> set) { return std::find(set.begin(), set.end(), i) != set.end(); });
    if (everywhere) common.push_back(groups.back());
  }
  // A table whose whole primary key is grouped by gives one value of each of its columns a group.
  const auto depends_on_key = [&](std::uint16_t range) {
    const RangeEntry& entry = *scope.ranges[range];
    if (entry.kind != RangeKind::kTable || entry.table->hidden_row_number || entry.table->indexes.empty()) return false;
    const IndexDef& primary = entry.table->indexes[0];
    if (!primary.primary) return false;
    for (std::size_t i = 0; i < primary.key_parts && i < primary.parts.size(); ++i) {
      const bool grouped = std::any_of(common.begin(), common.end(), [&](const Expr* group) {
        return group->kind == ExprKind::kColumn && group->as<ColumnExpr>().levels_up == 0 && group->as<ColumnExpr>().range == range &&
               group->as<ColumnExpr>().column == static_cast<std::int16_t>(primary.parts[i].column);
      });
      if (!grouped) return false;
    }
    return true;
  };
  const auto column_name = [&](const ColumnExpr& column) {
    const RangeEntry& entry = *scope.ranges[column.range];
    const std::string name = column.column >= 0 ? std::string(entry.columns[static_cast<std::size_t>(column.column)].name) : "ctid";
    return std::string(entry.alias) + "." + name;
  };
  bool in_direct_argument = false;
  const auto check = [&](auto&& self, const Expr* expr, int level) -> void {
    if (expr == nullptr || expr->kind == ExprKind::kConst || expr->kind == ExprKind::kParam) return;
    if (expr->kind == ExprKind::kAggregate && expr->as<AggregateExpr>().levels_up == level) {
      const ExprList direct = expr->as<AggregateExpr>().direct_args;
      in_direct_argument = true;
      for (const Expr* arg : direct) self(self, arg, level);
      in_direct_argument = false;
      return;
    }
    if (level == 0 && expr->kind == ExprKind::kGrouping) return;
    for (const Expr* group : groups) {
      if (level == 0 ? equal(group, expr) : (group->kind != ExprKind::kColumn && equal(raise(group, level), expr))) return;
    }
    if (expr->kind == ExprKind::kColumn) {
      const auto& column = expr->as<ColumnExpr>();
      if (column.levels_up != level) return;
      for (const Expr* group : groups) {
        if (group->kind == ExprKind::kColumn && group->as<ColumnExpr>().range == column.range &&
            group->as<ColumnExpr>().column == column.column && group->as<ColumnExpr>().levels_up == 0) {
          return;
        }
      }
      if (depends_on_key(column.range)) return;
      if (level == 0) {
        Status status{sqlstate::grouping_error,
                      "column " + quoted(column_name(column)) + " must appear in the GROUP BY clause or be used in an aggregate function"};
        if (in_direct_argument) {
          status = std::move(status).with_detail("Direct arguments of an ordered-set aggregate must use only grouped columns.");
        }
        fail(at(std::move(status), column.location));
      }
      fail(at(Status{sqlstate::grouping_error, "subquery uses ungrouped column " + quoted(column_name(column)) + " from outer query"},
              column.location));
    }
    if (expr->kind == ExprKind::kSubLink) {
      const Query& query = *expr->as<SubLinkExpr>().query;
      std::set<const Expr*> aggregated;   // columns that this query's aggregates in there take
      any_query_expr(query, true, [&](const Expr* inner, int below) {
        if (inner->kind != ExprKind::kAggregate || inner->as<AggregateExpr>().levels_up != level + below + 1) return false;
        const auto each_column = [](const Expr* of, const auto& visit) {
          any_node(of, [&](const Expr* node) {
            if (node->kind == ExprKind::kColumn) visit(node);
            if (node->kind != ExprKind::kSubLink) return false;
            return any_query_expr(*node->as<SubLinkExpr>().query, true, [&](const Expr* further_in, int) {
              if (further_in->kind == ExprKind::kColumn) visit(further_in);
              return false;
            });
          });
        };
        each_column(inner, [&](const Expr* column) { aggregated.insert(column); });
        for (const Expr* direct : inner->as<AggregateExpr>().direct_args) each_column(direct, [&](const Expr* column) { aggregated.erase(column); });
        return false;
      });
      any_query_expr(query, true, [&](const Expr* inner, int below) {
        // The walk visits every node: only columns need a look of their own here.
        if (inner->kind == ExprKind::kColumn && !aggregated.contains(inner)) self(self, inner, level + below + 1);
        return false;
      });
    }
    for_each_child(*expr, [&](const Expr* child) { self(self, child, level); });
  };
  for (const TargetEntry& target : targets) place_groupings(target.expr, groups);
  place_groupings(query.having, groups);
  for (const TargetEntry& target : targets) check(check, target.expr, 0);
  for (const WindowDefinition& window : query.windows) {
    for (const std::span<const SortKey> keys : {window.partition_by, window.order_by}) {
      for (const SortKey& key : keys) {
        place_groupings(key.expr, groups);
        check(check, key.expr, 0);
      }
    }
  }
  if (query.having != nullptr) check(check, query.having, 0);
}

// ---- The whole ----

void Binder::bind_tail(Scope& scope, const PgQuery__SelectStmt& select, std::vector<TargetEntry>& targets, Query& query) {
  bind_order_by(scope, select, targets, query);
  bind_group_by(scope, select, targets, query);
  bind_distinct_clause(scope, select, targets, query);
  bind_limit(scope, select, query);
  bind_windows(scope, query);
}

Query* Binder::bind_query_node(const ParseNode* node, Scope* parent, bool resolve_unknowns) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT: return bind_select(*node->select_stmt, parent, resolve_unknowns);
    case PG_QUERY__NODE__NODE_INSERT_STMT: return bind_insert(*node->insert_stmt, parent);
    case PG_QUERY__NODE__NODE_UPDATE_STMT: return bind_update(*node->update_stmt, parent);
    case PG_QUERY__NODE__NODE_DELETE_STMT: return bind_delete(*node->delete_stmt, parent);
    default: fail(Status{sqlstate::feature_not_supported, "this kind of sub-select is not supported"});
  }
}

Query* Binder::bind_select(const PgQuery__SelectStmt& select, Scope* parent, bool resolve_unknowns, CommonTable* recursive) {
  check_stack(-1);
  if (select.into_clause != nullptr) {
    fail(Status{sqlstate::syntax_error, "SELECT ... INTO is not allowed here"});
  }
  if (select.n_values_lists > 0) return bind_values(select, parent);
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE && select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED) {
    return bind_set_operation(select, parent, recursive);
  }
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  scope.query = query;
  bind_with(select.with_clause, scope);
  for (std::size_t i = 0; i < select.n_window_clause; ++i) scope.windows.push_back(select.window_clause[i]->window_def);
  bind_from(scope, *query, select.from_clause, select.n_from_clause);
  std::vector<TargetEntry> targets = bind_target_list(scope, select.target_list, select.n_target_list, Place::kTarget);
  query->where = bind_condition(scope, select.where_clause, Place::kWhere, "WHERE");
  query->having = bind_condition(scope, select.having_clause, Place::kHaving, "HAVING");
  if (query->having != nullptr) query->grouped = true;
  bind_tail(scope, select, targets, *query);
  if (resolve_unknowns) resolve_unknown_targets(targets);
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  bind_locking(scope, select, *query);
  check_grouping(scope, *query, targets);
  store_targets(*query, targets);
  finish_query(scope, *query);
  return query;
}

// ---- WITH ----

CommonTable* Binder::bind_cte(const PgQuery__CommonTableExpr& cte, Scope& scope, bool recursive) {
  SearchClauses clauses{cte.search_clause, cte.cycle_clause, {}, {}, nullptr, nullptr, 0, {}};
  const bool searches = cte.search_clause != nullptr || cte.cycle_clause != nullptr;
  if (cte.ctequery->node_case == PG_QUERY__NODE__NODE_MERGE_STMT) {
    fail(at(Status{sqlstate::feature_not_supported, "MERGE not supported in WITH query"}, cte.location));
  }
  const bool writes = cte.ctequery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT;
  auto* table = make<CommonTable>();
  table->name = name(cte.ctename);
  table->materialized = cte.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeAlways;
  table->alias_columns = static_cast<std::uint16_t>(cte.n_aliascolnames);
  table->not_materialized = cte.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeNever;
  const bool refers_to_itself = recursive && find_range_var(cte.ctequery->base, table->name).has_value();
  if (refers_to_itself) {
    if (writes) {
      fail(at(Status{sqlstate::invalid_recursion, "recursive query " + quoted(table->name) + " must not contain data-modifying statements"},
              cte.location));
    }
    const PgQuery__SelectStmt& select = *cte.ctequery->select_stmt;
    if (select.op != PG_QUERY__SET_OPERATION__SETOP_UNION) {
      fail(at(Status{sqlstate::invalid_recursion, "recursive query " + quoted(table->name) +
                                                      " does not have the form non-recursive-term UNION [ALL] recursive-term"},
              cte.location));
    }
    table->recursive = true;
  }
  if (searches && !refers_to_itself) fail(at(Status{sqlstate::syntax_error, "WITH query is not recursive"}, cte.location));
  const auto rename = [&](std::span<const RangeColumn> columns) {
    if (cte.n_aliascolnames > columns.size()) {
      fail(at(Status{sqlstate::invalid_column_reference, "WITH query " + quoted(table->name) + " has " + std::to_string(columns.size()) +
                                                             " columns available but " + std::to_string(cte.n_aliascolnames) +
                                                             " columns specified"},
              cte.location));
    }
    std::vector<RangeColumn> out(columns.begin(), columns.end());
    for (std::size_t i = 0; i < cte.n_aliascolnames; ++i) out[i].name = arena_.copy(string_value(cte.aliascolnames[i]));
    return keep(out);
  };
  // The recursive term sees the columns under their aliases; bind_set_operation fills them in from the first term.
  std::vector<std::string_view> aliases;
  for (std::size_t i = 0; i < cte.n_aliascolnames; ++i) aliases.push_back(arena_.copy(string_value(cte.aliascolnames[i])));
  if (refers_to_itself) {
    std::vector<RangeColumn> names;
    for (const std::string_view alias : aliases) names.push_back({alias, 0, -1, false});
    table->columns = keep(names);
    table->query = bind_set_operation(*cte.ctequery->select_stmt, &scope, table, searches ? &clauses : nullptr);
  } else {
    table->query = bind_query_node(cte.ctequery, &scope);
  }
  if (writes && scope.parent != nullptr) {
    fail(at(Status{sqlstate::feature_not_supported, "WITH clause containing a data-modifying statement must be at the top level"},
            cte.location));
  }
  std::vector<RangeColumn> columns;
  for (const TargetEntry& target : table->query->result_columns()) columns.push_back({target.name, target.expr->type, target.expr->typmod, false, target.expr->collation});
  table->columns = rename(keep(columns));
  return table;
}

void Binder::bind_with(const PgQuery__WithClause* with, Scope& scope) {
  if (with == nullptr) return;
  if (scope.query != nullptr) scope.query->with_recursive = with->recursive != 0;
  std::vector<const PgQuery__CommonTableExpr*> items;
  for (std::size_t i = 0; i < with->n_ctes; ++i) {
    const PgQuery__CommonTableExpr* cte = with->ctes[i]->common_table_expr;
    for (const PgQuery__CommonTableExpr* earlier : items) {
      if (std::string_view(earlier->ctename) == cte->ctename) {
        fail(at(Status{sqlstate::duplicate_alias, "WITH query name " + quoted(cte->ctename) + " specified more than once"}, cte->location));
      }
    }
    items.push_back(cte);
  }
  if (with->recursive == 0) {
    for (const PgQuery__CommonTableExpr* cte : items) scope.future_ctes.push_back(name(cte->ctename));
    for (const PgQuery__CommonTableExpr* cte : items) {
      CommonTable* table = bind_cte(*cte, scope, false);
      scope.ctes.push_back(table);
      scope.future_ctes.erase(scope.future_ctes.begin());
    }
    return;
  }
  // RECURSIVE lets items refer to later ones: bind each after those it needs.
  std::vector<bool> done(items.size(), false);
  for (std::size_t left = items.size(); left > 0;) {
    const std::size_t before = left;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (done[i]) continue;
      bool ready = true;
      for (std::size_t k = 0; k < items.size(); ++k) {
        if (k != i && !done[k] && find_range_var(items[i]->ctequery->base, items[k]->ctename)) ready = false;
      }
      if (!ready) continue;
      scope.ctes.push_back(bind_cte(*items[i], scope, true));
      done[i] = true;
      --left;
    }
    if (left == before) {
      fail(at(Status{sqlstate::feature_not_supported, "mutual recursion between WITH items is not implemented"}, with->location));
    }
  }
}

}  // namespace wandian::sql
