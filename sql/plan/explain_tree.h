// What EXPLAIN shows, before it is text or json: nodes as PostgreSQL has them, with what it says of each.
// Thread:  any; plain data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/exec/operator.h"
#include "sql/plan/plan.h"

namespace wandian::sql {

/// A value of json: already written, a string, or a list of strings.
struct ShownValue {
  enum class Kind : std::uint8_t { kRaw, kText, kList } kind = Kind::kText;
  std::string text;
  std::vector<std::string> list;
  static ShownValue raw(std::string text) { return {Kind::kRaw, std::move(text), {}}; }
  static ShownValue of(std::string text) { return {Kind::kText, std::move(text), {}}; }
  static ShownValue of(std::vector<std::string> list) { return {Kind::kList, {}, std::move(list)}; }
};

struct ShownDetail {
  std::string label;
  ShownValue value;
  bool in_text = true;                   ///< else it shows in json alone
};

struct ShownNode {
  std::string title;                     ///< "Index Scan using a on b"
  std::vector<std::pair<std::string, ShownValue>> identity;   ///< in json instead of the title, but for what all nodes have
  std::string relationship;              ///< "Outer", "Inner", "Member", "InitPlan", "SubPlan"; "" for the root
  std::string subplan;                   ///< its name in front of it: "CTE x", "InitPlan 1 (returns $0)"
  std::string join_type;                 ///< json
  double startup = 0, total = 0, rows = 1;
  int width = 0;
  const NodeStats* stats = nullptr;      ///< null: not measured
  std::vector<ShownDetail> details;
  std::vector<ShownNode> children;
};

ShownNode shown_tree(const Plan& plan, const std::vector<NodeStats>& stats);

}  // namespace wandian::sql
