// Queries as text, clause by clause.
#include <algorithm>

#include "sql/bind/stored_names.h"
#include "sql/expr/deparser.h"
#include "sql/functions/quote.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr int kStandard = 8, kJoin = 4, kVariable = 4;   // how far PostgreSQL indents

bool is_simple_values(const Query& query, std::span<const std::string> result_columns) {
  if (query.ranges.size() != 1 || query.ranges[0]->kind != RangeKind::kValues || query.where != nullptr || query.grouped || query.distinct) return false;
  const std::span<const TargetEntry> targets = query.result_columns();
  if (targets.size() != query.ranges[0]->columns.size()) return false;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].expr->kind != ExprKind::kColumn || targets[i].expr->as<ColumnExpr>().column != static_cast<std::int16_t>(i)) return false;
    if (i < result_columns.size() && result_columns[i] != query.ranges[0]->columns[i].name) return false;
  }
  return true;
}

bool is_whole_row(const Expr* expr) { return expr->kind == ExprKind::kRow && expr->as<RowExpr>().whole_range >= 0; }

std::string_view lock_words(RowLock strength) {
  switch (strength) {
    case RowLock::kKeyShare: return " FOR KEY SHARE";
    case RowLock::kShare: return " FOR SHARE";
    case RowLock::kNoKeyUpdate: return " FOR NO KEY UPDATE";
    default: return " FOR UPDATE";
  }
}

// What a part that is to follow needs in front of it: a line of its own where the line would get too long.
bool overflows(const std::string& out, const std::string& part, std::int32_t width) {
  const std::size_t line = out.rfind('\n');
  const std::size_t used = out.size() - (line == std::string::npos ? 0 : line + 1);
  return used + part.size() > static_cast<std::size_t>(width);
}

void drop_spaces(std::string* out) {
  while (!out->empty() && out->back() == ' ') out->pop_back();
}

// Whether it is written as a set operation inside of another, not as a sub-select.
bool nests(const Query& query) {
  return query.set_operation != nullptr && query.ctes.empty() && query.order_by.empty() && query.limit == nullptr && query.offset == nullptr;
}

}  // namespace

void Deparser::put_query(const Query& query, std::span<const std::string> result_columns, bool named) {
  const int outer_indent = indent_;
  const QueryNames names = choose_names(query);
  levels_.push_back(&names);
  put_with(query);
  if (query.set_operation != nullptr) put_set_operation(query, query.set_operation->inputs.size(), result_columns, named);
  else put_select(query, result_columns, named);
  put_order(query, query.set_operation != nullptr);
  put_limits(query);
  put_marks(query);
  levels_.pop_back();
  indent_ = outer_indent;
}

void Deparser::put_with(const Query& query) {
  if (query.ctes.empty()) return;
  if (indents_) {
    indent_ += kStandard;
    out_ += ' ';
  }
  std::string_view separator = query.with_recursive ? "WITH RECURSIVE " : "WITH ";
  for (const CommonTable* table : query.ctes) {
    out_ += separator;
    out_ += quote_identifier(table->name);
    for (std::size_t i = 0; i < table->alias_columns; ++i) out_ += (i == 0 ? "(" : ", ") + quote_identifier(table->columns[i].name);
    if (table->alias_columns > 0) out_ += ')';
    out_ += " AS ";
    if (table->materialized) out_ += "MATERIALIZED ";
    if (table->not_materialized) out_ += "NOT MATERIALIZED ";
    out_ += '(';
    if (indents_) keyword("", 0, 0, 0);
    put_query(*table->query, {}, true);
    if (indents_) keyword("", 0, 0, 0);
    out_ += ')';
    separator = ", ";
  }
  if (indents_) {
    indent_ -= kStandard;
    keyword("", 0, 0, 0);
  } else {
    out_ += ' ';
  }
}

// ---- Set operations ----

// The first `inputs` of the operation: it leans to the left.
void Deparser::put_set_operation(const Query& query, std::size_t inputs, std::span<const std::string> result_columns, bool named) {
  const SetOperation& operation = *query.set_operation;
  const Query& left = *query.ranges[operation.inputs[0].range]->query;
  const bool wraps_left = inputs == 2 && nests(left) && (left.set_operation->op != operation.op || left.set_operation->all != operation.all);
  if (wraps_left) {
    out_ += '(';
    keyword("", kStandard, 0, 0);
  }
  if (inputs > 2) put_set_operation(query, inputs - 1, result_columns, named);
  else put_set_input(query, 0, result_columns, named);
  if (wraps_left) keyword(") ", -kStandard, 0, 0);
  else if (indents_) keyword("", 0, 0, 0);
  else out_ += ' ';
  static constexpr std::string_view kWords[] = {"UNION ", "INTERSECT ", "EXCEPT "};
  out_ += kWords[static_cast<std::size_t>(operation.op)];
  if (operation.all) out_ += "ALL ";
  const Query& right = *query.ranges[operation.inputs[inputs - 1].range]->query;
  const bool nested = nests(right);
  const int deeper = nested ? kStandard : 0;
  if (nested) out_ += '(';
  keyword("", deeper, 0, 0);
  put_set_input(query, inputs - 1, result_columns, false);
  if (indents_) indent_ -= deeper;
  if (nested) keyword(")", 0, 0, 0);
}

void Deparser::put_set_input(const Query& query, std::size_t input, std::span<const std::string> result_columns, bool named) {
  const Query& arm = *query.ranges[query.set_operation->inputs[input].range]->query;
  const bool wrapped = !arm.ctes.empty() || !arm.order_by.empty() || !arm.written_marks.empty() || arm.limit != nullptr || arm.offset != nullptr;
  if (wrapped) out_ += '(';
  put_query(arm, result_columns, named);
  if (wrapped) out_ += ')';
}

// ---- SELECT ----

void Deparser::put_select(const Query& query, std::span<const std::string> result_columns, bool named) {
  if (indents_) {
    indent_ += kStandard;
    out_ += ' ';
  }
  if (is_simple_values(query, result_columns)) return put_values(*query.ranges[0]);
  out_ += "SELECT";
  if (query.distinct) out_ += " DISTINCT";
  for (std::size_t i = 0; i < query.distinct_on.size(); ++i) {
    out_ += i == 0 ? " ON (" : ", ";
    put_target_reference(query, query.distinct_on[i]);
  }
  if (!query.distinct_on.empty()) out_ += ')';
  put_targets(query, result_columns, named);
  put_from(query);
  if (query.where != nullptr) {
    keyword(" WHERE ", -kStandard, kStandard, 1);
    put(query.where);
  }
  put_groups(query);
  if (query.having != nullptr) {
    keyword(" HAVING ", -kStandard, kStandard, 0);
    put(query.having);
  }
  put_windows(query);
}

void Deparser::put_target(const TargetEntry& target, std::string_view name, bool named) {
  std::string_view shown = named ? std::string_view{} : std::string_view("?column?");
  std::string column;
  put(target.expr, true);
  if (target.expr->kind == ExprKind::kColumn) {
    const auto& reference = target.expr->as<ColumnExpr>();
    const QueryNames& names = names_at(reference.levels_up);
    if (reference.column >= 0) column = names.columns[reference.range][static_cast<std::size_t>(reference.column)];
    else column = aside([&] { put(target.expr); }).substr(quote_identifier(names.aliases[reference.range]).size() + 1);
    shown = column;
  } else if (target.expr->kind == ExprKind::kCoalesce && !target.expr->as<ListExpr>().merged.empty() && merged_name_is_clear(target.expr->as<ListExpr>())) {
    shown = target.expr->as<ListExpr>().merged;
  } else if (is_whole_row(target.expr) && !stored()) {
    // By itself it would be all of the columns.
    out_ += "::" + type_name(target.expr->type, -1);
  }
  if (stored() || shown.empty() || shown != name) out_ += " AS " + quote_identifier(name);
}

void Deparser::put_targets(const Query& query, std::span<const std::string> result_columns, bool named) {
  std::string_view separator = " ";
  bool last_was_multiline = false;
  const std::span<const TargetEntry> targets = query.result_columns();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    out_ += separator;
    separator = ", ";
    const std::string_view name = i < result_columns.size() ? std::string_view(result_columns[i]) : targets[i].name;
    const std::string text = aside([&] { put_target(targets[i], name, named); });
    if (indents_ && options_.wrap_column >= 0) {
      const bool begins_line = text.starts_with('\n');
      if (begins_line) drop_spaces(&out_);
      else if (i > 0 && (last_was_multiline || overflows(out_, text, options_.wrap_column))) keyword("", -kStandard, kStandard, kVariable);
      last_was_multiline = text.find('\n', begins_line ? 1 : 0) != std::string::npos;
    }
    out_ += text;
  }
}

void Deparser::put_values(const RangeEntry& entry) {
  out_ += "VALUES ";
  for (std::size_t row = 0; row < entry.values.size(); ++row) {
    out_ += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < entry.values[row].size(); ++i) {
      if (i != 0) out_ += ',';
      put(entry.values[row][i]);
    }
    out_ += ')';
  }
}

// ---- FROM ----

void Deparser::put_from(const Query& query) {
  for (std::size_t i = 0; i < query.from.size(); ++i) {
    if (i == 0) {
      keyword(" FROM ", -kStandard, kStandard, 2);
      put_from_item(query, *query.from[i]);
      continue;
    }
    out_ += ", ";
    const std::string text = aside([&] { put_from_item(query, *query.from[i]); });
    if (indents_ && options_.wrap_column >= 0) {
      if (text.starts_with('\n')) drop_spaces(&out_);
      else if (overflows(out_, text, options_.wrap_column)) keyword("", -kStandard, kStandard, kVariable);
    }
    out_ += text;
  }
}

void Deparser::put_from_item(const Query& query, const JoinNode& node) {
  if (node.is_join) put_join(query, node);
  else put_range(query, node.range);
}

void Deparser::put_join(const Query& query, const JoinNode& node) {
  static constexpr std::string_view kWords[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
  open();
  put_from_item(query, *node.left);
  const bool crosses = node.type == JoinType::kInner && node.on == nullptr;
  keyword(crosses ? " CROSS JOIN " : kWords[static_cast<std::size_t>(node.type)], -kStandard, kStandard, kJoin);
  const bool wrapped = options_.pretty && node.right->is_join;
  if (wrapped) out_ += '(';
  put_from_item(query, *node.right);
  if (wrapped) out_ += ')';
  if (!node.using_columns.empty()) {
    out_ += " USING (";
    for (std::size_t i = 0; i < node.using_columns.size(); ++i) out_ += (i == 0 ? "" : ", ") + quote_identifier(node.using_columns[i]);
    out_ += ')';
    if (!node.using_alias.empty()) out_ += " AS " + quote_identifier(node.using_alias);
  } else if (node.on != nullptr) {
    out_ += " ON ";
    open();
    put(node.on);
    close();
  } else if (!crosses) {
    out_ += " ON TRUE";
  }
  close();
}

void Deparser::put_relation(Oid oid, const RangeEntry& entry) {
  if (stored()) {
    out_ += stored_object_name(oid);
    return;
  }
  const std::string name = options_.names->object_name(ObjectClass::kRelation, oid).value_or(std::string(entry.name));
  const bool hidden = std::any_of(levels_.begin(), levels_.end(), [&](const QueryNames* level) {
    return std::any_of(level->query->ctes.begin(), level->query->ctes.end(), [&](const CommonTable* table) { return quote_identifier(table->name) == name; });
  });
  if (hidden && entry.table != nullptr) out_ += options_.names->object_name(ObjectClass::kNamespace, entry.table->schema).value_or("") + ".";
  out_ += name;
}

void Deparser::put_range_call(const Expr* call) {
  if (looks_like_call(call)) return put(call, true);
  out_ += "CAST(";
  put(call);
  out_ += " AS " + type_name(call->type, call->typmod) + ")";
}

void Deparser::put_range_functions(const RangeEntry& entry) {
  const auto unnests = [](const RangeFunction& function) {
    return function.call->kind == ExprKind::kFunction && function.call->as<FunctionExpr>().function->routine == nullptr &&
           function.call->as<FunctionExpr>().function->name == "unnest";
  };
  if (entry.functions.size() == 1) {
    put_range_call(entry.functions[0].call);
  } else if (std::all_of(entry.functions.begin(), entry.functions.end(), unnests)) {
    out_ += stored() ? "unnest(" : "UNNEST(";
    for (std::size_t i = 0; i < entry.functions.size(); ++i) {
      if (i != 0) out_ += ", ";
      put_list(entry.functions[i].call->as<FunctionExpr>().args);
    }
    out_ += ')';
  } else {
    out_ += "ROWS FROM(";
    for (std::size_t i = 0; i < entry.functions.size(); ++i) {
      if (i != 0) out_ += ", ";
      put_range_call(entry.functions[i].call);
      if (!entry.functions[i].defined) continue;
      out_ += " AS ";
      put_definitions(entry, entry.functions[i]);
    }
    out_ += ')';
  }
  if (entry.ordinality) out_ += " WITH ORDINALITY";
}

void Deparser::put_definitions(const RangeEntry& entry, const RangeFunction& function) {
  for (std::size_t i = 0; i < function.column_count; ++i) {
    const RangeColumn& column = entry.columns[function.first_column + i];
    out_ += (i == 0 ? "(" : ", ") + quote_identifier(column.name) + " " + type_name(column.type, column.typmod);
  }
  out_ += ')';
}

void Deparser::put_sample(const RangeEntry& entry) {
  out_ += " TABLESAMPLE " + quote_identifier(entry.sample_method) + " (";
  put(entry.sample_argument);
  out_ += ')';
  if (entry.sample_seed == nullptr) return;
  out_ += " REPEATABLE (";
  put(entry.sample_seed);
  out_ += ')';
}

void Deparser::put_range(const Query& query, std::uint16_t range) {
  const RangeEntry& entry = *query.ranges[range];
  if (entry.lateral) out_ += "LATERAL ";
  switch (entry.kind) {
    case RangeKind::kTable:
      if (entry.only) out_ += "ONLY ";
      put_relation(entry.table->oid, entry);
      break;
    case RangeKind::kSystem: put_relation(entry.system->oid, entry); break;
    case RangeKind::kCte: out_ += quote_identifier(entry.cte->name); break;
    case RangeKind::kFunction: put_range_functions(entry); break;
    case RangeKind::kValues:
      out_ += '(';
      put_values(entry);
      out_ += ')';
      break;
    case RangeKind::kSubquery:
      if (entry.view != 0) {
        put_relation(entry.view, entry);
        break;
      }
      out_ += '(';
      put_query(*entry.query, {}, true);
      out_ += ')';
      break;
    default: break;
  }
  put_alias(query, range);
  if (entry.sample_argument != nullptr) put_sample(entry);
}

void Deparser::put_alias(const Query& query, std::uint16_t range) {
  const RangeEntry& entry = *query.ranges[range];
  if (stored()) {
    out_ += " AS " + quote_identifier((entry.aliased ? kWrittenName : kGivenName) + std::string(entry.alias));
    // What it calls its columns, whatever they will be called later.
    const bool system = entry.kind == RangeKind::kSystem || (entry.view != 0 && entry.view < kFirstUserOid);
    const bool defines = entry.functions.size() == 1 && entry.functions[0].defined;
    const std::size_t count = defines ? 0 : system ? entry.alias_columns : entry.columns.size();
    if (defines) put_definitions(entry, entry.functions[0]);
    std::size_t visible = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const RangeColumn& column = entry.columns[i];
      const bool written = !column.hidden && visible++ < entry.alias_columns;
      out_ += (i == 0 ? "(" : ", ") + quote_identifier((written ? kWrittenName : kGivenName) + std::string(column.hidden ? std::string_view{} : column.name));
    }
    if (count > 0) out_ += ')';
    return;
  }
  const QueryNames& names = names_at(0);
  const bool lists = names.lists_columns[range] != 0;
  bool shown = entry.aliased || lists;
  switch (entry.kind) {
    case RangeKind::kTable: case RangeKind::kSystem: case RangeKind::kCte: shown = shown || names.aliases[range] != entry.name; break;
    case RangeKind::kSubquery: shown = shown || entry.view == 0 || names.aliases[range] != entry.name; break;
    default: shown = true;
  }
  if (shown) out_ += " " + quote_identifier(names.aliases[range]);
  if (entry.functions.size() == 1 && entry.functions[0].defined) return put_definitions(entry, entry.functions[0]);
  if (!lists) return;
  bool first = true;
  for (const std::string& column : names.columns[range]) {
    if (column.empty()) continue;
    out_ += (first ? "(" : ", ") + quote_identifier(column);
    first = false;
  }
  out_ += ')';
}

// ---- What follows ----

void Deparser::put_sort_expression(const Expr* expr) {
  const bool wrapped = expr->kind != ExprKind::kConst && expr->kind != ExprKind::kColumn &&
                       (options_.pretty || expr->kind == ExprKind::kAggregate || expr->kind == ExprKind::kWindow ||
                        (expr->kind == ExprKind::kFunction && (expr->as<FunctionExpr>().op == nullptr || expr->as<FunctionExpr>().form == CallForm::kCall)));
  if (expr->kind == ExprKind::kConst && expr->type == type_oid::kInt4 && !expr->as<ConstExpr>().value.is_null) {
    // A bare number would mean a column.
    out_ += aside([&] { put(expr); });
    if (expr->as<ConstExpr>().value.i >= 0) out_ += "::integer";
    return;
  }
  if (wrapped) out_ += '(';
  put(expr, true);
  if (wrapped) out_ += ')';
}

void Deparser::put_target_reference(const Query& query, std::uint16_t target) {
  // A number means that target and no other, were it a sub-select.
  if (stored() && !query.targets[target].junk) out_ += std::to_string(target + 1);
  else put_sort_expression(query.targets[target].expr);
}

void Deparser::put_direction(bool descending, bool nulls_first) {
  if (descending) out_ += nulls_first ? " DESC" : " DESC NULLS LAST";
  else if (nulls_first) out_ += " NULLS FIRST";
}

void Deparser::put_sort_keys(std::span<const SortKey> keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i != 0) out_ += ", ";
    put_sort_expression(keys[i].expr);
    put_direction(keys[i].descending, keys[i].nulls_first);
  }
}

void Deparser::put_order(const Query& query, bool by_number) {
  for (std::size_t i = 0; i < query.order_by.size(); ++i) {
    const OrderItem& item = query.order_by[i];
    if (i == 0) keyword(" ORDER BY ", -kStandard, kStandard, 1);
    else out_ += ", ";
    if (by_number) out_ += std::to_string(item.target + 1);
    else put_target_reference(query, item.target);
    put_direction(item.descending, item.nulls_first);
  }
}

void Deparser::put_groups(const Query& query) {
  if (query.group_by.empty() && query.grouping_items.empty()) return;
  keyword(" GROUP BY ", -kStandard, kStandard, 1);
  if (query.group_distinct) out_ += "DISTINCT ";
  for (std::size_t i = 0; i < query.grouping_items.size(); ++i) {
    if (i != 0) out_ += ", ";
    put_grouping_item(query, query.grouping_items[i], true);
  }
  if (!query.grouping_items.empty()) return;
  for (std::size_t i = 0; i < query.group_by.size(); ++i) {
    if (i != 0) out_ += ", ";
    put_target_reference(query, query.group_by[i]);
  }
}

void Deparser::put_grouping_item(const Query& query, const GroupingItem& item, bool bare) {
  switch (item.kind) {
    case GroupingItem::Kind::kEmpty: out_ += "()"; return;
    case GroupingItem::Kind::kColumns: {
      const bool wrapped = !bare || item.columns.size() != 1;
      if (wrapped) out_ += '(';
      for (std::size_t i = 0; i < item.columns.size(); ++i) {
        if (i != 0) out_ += ", ";
        put_target_reference(query, query.group_by[item.columns[i]]);
      }
      if (wrapped) out_ += ')';
      return;
    }
    case GroupingItem::Kind::kRollup: out_ += "ROLLUP("; break;
    case GroupingItem::Kind::kCube: out_ += "CUBE("; break;
    case GroupingItem::Kind::kSets: out_ += "GROUPING SETS ("; break;
  }
  for (std::size_t i = 0; i < item.content.size(); ++i) {
    if (i != 0) out_ += ", ";
    put_grouping_item(query, item.content[i], item.kind != GroupingItem::Kind::kSets);
  }
  out_ += ')';
}

void Deparser::put_windows(const Query& query) {
  bool first = true;
  for (const WindowDefinition& window : query.windows) {
    if (window.name.empty()) continue;
    if (first) keyword(" WINDOW ", -kStandard, kStandard, 1);
    else out_ += ", ";
    first = false;
    out_ += quote_identifier(window.name) + " AS ";
    put_window_definition(window);
  }
}

void Deparser::put_window_definition(const WindowDefinition& window) {
  out_ += '(';
  std::string_view space;
  if (!window.base.empty()) {
    out_ += quote_identifier(window.base);
    space = " ";
  }
  if (!window.partition_by.empty() && window.base.empty()) {
    out_ += "PARTITION BY ";
    for (std::size_t i = 0; i < window.partition_by.size(); ++i) {
      if (i != 0) out_ += ", ";
      put_sort_expression(window.partition_by[i].expr);
    }
    space = " ";
  }
  if (!window.order_by.empty() && !window.order_inherited) {
    out_ += space;
    out_ += "ORDER BY ";
    put_sort_keys(window.order_by);
    space = " ";
  }
  if (window.frame_written) {
    out_ += space;
    put_frame(window);
  }
  out_ += ')';
}

void Deparser::put_frame(const WindowDefinition& window) {
  const WindowFrame& frame = window.frame;
  const auto bound = [&](FrameBound at, const Expr* offset) {
    switch (at) {
      case FrameBound::kUnboundedPreceding: out_ += " UNBOUNDED PRECEDING"; return;
      case FrameBound::kCurrentRow: out_ += " CURRENT ROW"; return;
      case FrameBound::kUnboundedFollowing: out_ += " UNBOUNDED FOLLOWING"; return;
      case FrameBound::kOffsetPreceding: case FrameBound::kOffsetFollowing: break;
    }
    out_ += ' ';
    put(offset);
    out_ += at == FrameBound::kOffsetPreceding ? " PRECEDING" : " FOLLOWING";
  };
  out_ += frame.mode == FrameMode::kRows ? "ROWS" : frame.mode == FrameMode::kGroups ? "GROUPS" : "RANGE";
  if (window.frame_between) out_ += " BETWEEN";
  bound(frame.start, frame.start_offset);
  if (window.frame_between) {
    out_ += " AND";
    bound(frame.end, frame.end_offset);
  }
  if (frame.exclusion == FrameExclusion::kCurrentRow) out_ += " EXCLUDE CURRENT ROW";
  if (frame.exclusion == FrameExclusion::kGroup) out_ += " EXCLUDE GROUP";
  if (frame.exclusion == FrameExclusion::kTies) out_ += " EXCLUDE TIES";
}

void Deparser::put_limits(const Query& query) {
  if (query.offset != nullptr) {
    keyword(" OFFSET ", -kStandard, kStandard, 0);
    put(query.offset);
  }
  if (query.limit == nullptr) return;
  if (query.with_ties) {
    keyword(" FETCH FIRST ", -kStandard, kStandard, 0);
    out_ += '(';
    put(query.limit);
    out_ += ") ROWS WITH TIES";
    return;
  }
  keyword(" LIMIT ", -kStandard, kStandard, 0);
  if (query.limit->kind == ExprKind::kConst && query.limit->as<ConstExpr>().value.is_null) out_ += "ALL";
  else put(query.limit);
}

void Deparser::put_marks(const Query& query) {
  for (const RowMark& mark : query.written_marks) {
    keyword(lock_words(mark.strength), -kStandard, kStandard, 0);
    out_ += " OF " + quote_identifier(stored() ? kRangeNumber + ("0." + std::to_string(mark.range)) : names_at(0).aliases[mark.range]);
    if (mark.wait == LockWait::kNoWait) out_ += " NOWAIT";
    if (mark.wait == LockWait::kSkip) out_ += " SKIP LOCKED";
  }
}

std::string deparse_view(const Query& query, std::span<const std::string> result_columns, const DefinitionStyle& options) {
  Deparser deparser(options);
  deparser.put_query(query, result_columns, true);
  return deparser.take();
}

std::string stored_query(const Query& query) {
  const DefinitionStyle style;
  return deparse_view(query, {}, style);
}

}  // namespace wandian::sql
