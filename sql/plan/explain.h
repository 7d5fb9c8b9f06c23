// EXPLAIN in PostgreSQL's formats text and json.
// Thread:  any; looks at an immutable plan.
#pragma once

#include <string>
#include <vector>

#include "sql/exec/operator.h"
#include "sql/plan/nodes.h"
#include "sql/plan/plan.h"

namespace wandian::sql {

/// One entry a line of text, or one entry that is the whole json. `stats` by PlanNode::id, or empty without ANALYZE.
std::vector<std::string> explain_tree(const Plan& plan, const ExplainOptions& options, const std::vector<NodeStats>& stats);
/// An expression over slots as text; columns are named through the scans of the plan.
class SlotNames {
 public:
  explicit SlotNames(const PlanBody& body);
  std::string name(Slot slot) const;

 private:
  void visit(const PlanNode& node, bool qualify);
  std::vector<std::string> names_;
};
std::string expression_text(const Expr* expr, const SlotNames& names);

}  // namespace wandian::sql
