// What ranges and their columns are called in a query's text: as whoever wrote it called them where that was said, otherwise as they are
// called now, and told apart where two would have one name (PostgreSQL's set_rtable_names() and set_using_names()).
#include <algorithm>
#include <map>
#include <set>

#include "sql/expr/deparser.h"
#include "sql/expr/tree.h"

namespace wandian::sql {

namespace {

// Names that JOIN ... USING gives the columns it merges, and those that no other column of a range may have.
struct UsingNames {
  std::vector<std::map<std::size_t, std::string>> given;    // by range, then column
  std::vector<std::set<std::string, std::less<>>> taken;    // by range
};

void give_name(const Expr* side, std::string_view name, UsingNames* out) {
  any_node(side, [&](const Expr* node) {
    if (node->kind != ExprKind::kColumn || node->as<ColumnExpr>().levels_up != 0 || node->as<ColumnExpr>().column < 0) return false;
    out->given[node->as<ColumnExpr>().range].emplace(static_cast<std::size_t>(node->as<ColumnExpr>().column), name);
    return false;
  });
}

void collect_using(const JoinNode& node, std::vector<std::string_view> above, UsingNames* out) {
  if (!node.is_join) {
    out->taken[node.range].insert(above.begin(), above.end());
    return;
  }
  for (std::size_t i = 0; i < node.using_columns.size(); ++i) {
    // One equality a column, in their order.
    const Expr* equality = node.using_columns.size() == 1 ? node.on : node.on->as<BoolExpr>().args[i];
    for (const Expr* side : equality->as<FunctionExpr>().args) give_name(side, node.using_columns[i], out);
    above.push_back(node.using_columns[i]);
  }
  collect_using(*node.left, above, out);
  collect_using(*node.right, above, out);
}

std::string told_apart(std::string_view name, const auto& is_taken) {
  std::string out(name);
  for (int i = 1; is_taken(out); ++i) out = std::string(name) + "_" + std::to_string(i);
  return out;
}

}  // namespace

QueryNames Deparser::choose_names(const Query& query) const {
  QueryNames out;
  out.query = &query;
  std::set<std::string, std::less<>> used;
  // A view's rule has OLD and NEW in front of all others.
  if (!stored()) used = {"old", "new"};
  for (const QueryNames* level : levels_) used.insert(level->aliases.begin(), level->aliases.end());
  UsingNames names;
  names.given.resize(query.ranges.size());
  names.taken.resize(query.ranges.size());
  for (const JoinNode* node : query.from) collect_using(*node, {}, &names);
  for (std::size_t range = 0; range < query.ranges.size(); ++range) {
    const RangeEntry& entry = *query.ranges[range];
    const bool relation = entry.kind == RangeKind::kTable || entry.kind == RangeKind::kSystem || (entry.kind == RangeKind::kSubquery && entry.view != 0);
    const std::string_view wanted = relation && !entry.aliased ? entry.name : entry.alias;
    out.aliases.push_back(told_apart(wanted, [&](const std::string& name) { return used.contains(name); }));
    used.insert(out.aliases.back());
    std::vector<std::string>& columns = out.columns.emplace_back(entry.columns.size());
    std::set<std::string, std::less<>> in_range = std::move(names.taken[range]);
    bool changed = false;
    for (const auto& [column, name] : names.given[range]) {
      columns[column] = name;
      in_range.insert(name);
    }
    std::size_t visible = 0;
    for (std::size_t i = 0; i < entry.columns.size(); ++i) {
      if (entry.columns[i].hidden) continue;
      const std::string_view own = i < entry.own_columns.size() ? entry.own_columns[i].name : entry.columns[i].name;
      const std::string_view name = visible++ < entry.alias_columns ? entry.columns[i].name : own;
      if (columns[i].empty()) {
        columns[i] = told_apart(name, [&](const std::string& candidate) { return in_range.contains(candidate); });
        in_range.insert(columns[i]);
      }
      changed = changed || columns[i] != own;
    }
    out.lists_columns.push_back(entry.kind == RangeKind::kFunction || changed || (!relation && entry.alias_columns > 0));
  }
  return out;
}

bool Deparser::merged_name_is_clear(const ListExpr& merged) const {
  if (levels_.empty()) return false;
  std::set<std::uint16_t> ranges;
  const bool outer = any_node(&merged, [&](const Expr* node) {
    if (node->kind != ExprKind::kColumn) return false;
    ranges.insert(node->as<ColumnExpr>().range);
    return node->as<ColumnExpr>().levels_up != 0;
  });
  if (outer) return false;
  const QueryNames& names = names_at(0);
  for (std::size_t range = 0; range < names.columns.size(); ++range) {
    if (ranges.contains(static_cast<std::uint16_t>(range))) continue;
    const auto& columns = names.columns[range];
    if (std::find(columns.begin(), columns.end(), merged.merged) != columns.end()) return false;
  }
  return true;
}

}  // namespace wandian::sql
