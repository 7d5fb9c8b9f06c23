// From a plan to the nodes that EXPLAIN shows.
#include "sql/plan/explain_tree.h"

#include <algorithm>

#include "sql/functions/quote.h"
#include "sql/plan/explain.h"

namespace wandian::sql {

namespace {

std::string relation_text(const std::string& name, const std::string& alias) {
  return alias.empty() || alias == name ? quote_identifier(name) : quote_identifier(name) + " " + quote_identifier(alias);
}

class TreeMaker {
 public:
  TreeMaker(const Plan& plan, const std::vector<NodeStats>& stats) : body_(*plan.body), stats_(stats), names_(body_) {}

  ShownNode run() {
    if (body_.modify) return write(*body_.modify, body_.root.get(), true);
    if (body_.root == nullptr) return empty_result();
    return node(*body_.root, true);
  }

 private:
  static ShownNode empty_result() {
    ShownNode out;
    out.title = "Result";
    out.identity = {{"Node Type", ShownValue::of(std::string("Result"))}};
    out.total = 0.01;
    return out;
  }

  ShownNode write(const ModifyPlan& modify, const PlanNode* root, bool is_root) {
    static constexpr const char* kNames[] = {"", "Insert", "Update", "Delete", "Merge"};
    const std::string operation = kNames[static_cast<std::size_t>(modify.kind)];
    ShownNode out;
    out.title = operation + " on " + quote_identifier(modify.table->name);
    out.identity = {{"Node Type", ShownValue::of(std::string("ModifyTable"))}, {"Operation", ShownValue::of(operation)}};
    name_relation(out, modify.table->name, modify.table->name);
    if (modify.conflict != ConflictAction::kNone)
      out.details.push_back({"Conflict Resolution", ShownValue::of(std::string(modify.conflict == ConflictAction::kNothing ? "NOTHING" : "UPDATE"))});
    if (is_root) add_top_plans(out);
    out.children.push_back(root == nullptr ? empty_result() : node(*root, false));
    ShownNode& source = out.children.back();
    source.relationship = "Outer";
    out.startup = source.startup;
    out.total = source.total;
    out.rows = modify.returning.empty() ? 0 : source.rows;
    out.width = 0;
    return out;
  }

  int width_of(const PlanNode& node) const {
    int width = 0;
    for (const Slot slot : node.visible) {
      const TypeInfo* type = find_type(body_.slots[slot].type);
      width += type != nullptr && type->length > 0 ? type->length : 32;
    }
    return width;
  }
  const NodeStats* stats_of(const PlanNode& node) const { return stats_.empty() ? nullptr : &stats_[node.id]; }

  void filter(ShownNode& out, const PlanNode& node, const PlanExpr& expr, const std::string& label = "Filter") {
    if (!expr) return;
    out.details.push_back({label, ShownValue::of(expression_text(expr.expr, names_))});
    const NodeStats* stats = stats_of(node);
    if (stats == nullptr) return;
    const std::string removed = label == "Join Filter" ? "Rows Removed by Join Filter" : "Rows Removed by Filter";
    if (label != "One-Time Filter")
      out.details.push_back({removed, ShownValue::raw(std::to_string(stats->filtered / std::max<std::uint64_t>(1, stats->loops))), stats->filtered != 0});
  }
  std::string conditions(const std::vector<const Expr*>& list) const {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) out += (i != 0 ? " AND " : "") + expression_text(list[i], names_);
    return list.size() > 1 ? "(" + out + ")" : out;
  }
  static void name_relation(ShownNode& out, const std::string& name, const std::string& alias) {
    out.identity.emplace_back("Relation Name", ShownValue::of(name));
    out.identity.emplace_back("Alias", ShownValue::of(alias.empty() ? name : alias));
  }

  // Projections and the like do not show; their child stands in their place.
  ShownNode node(const PlanNode& n, bool is_root) {
    const bool only_partition = n.type == NodeType::kPartitions && n.children.size() == 1 && n.as<PartitionsNode>().level == nullptr;
    const bool passes = only_partition || n.type == NodeType::kProject || n.type == NodeType::kWith || n.type == NodeType::kApply ||
                        n.type == NodeType::kGroupingSets || n.type == NodeType::kFilter;
    if (passes) {
      ShownNode out = node(*n.children[0], is_root);
      if (n.type == NodeType::kFilter) filter(out, n, n.as<FilterNode>().filter);   // its condition shows as the input's
      if (n.type == NodeType::kApply)
        for (const std::unique_ptr<PlanSubselect>& plan : n.as<ApplyNode>().subselects)
          if (plan->plan) out.children.push_back(subplan(node(*plan->plan, false), "SubPlan", plan->name));
      return out;
    }
    ShownNode out;
    out.startup = n.startup_cost;
    out.total = n.cost;
    out.rows = n.rows;
    out.width = width_of(n);
    out.stats = stats_of(n);
    identify(out, n);
    describe(out, n);
    if (is_root) add_top_plans(out);
    for (std::size_t i = 0; i < n.children.size(); ++i) {
      ShownNode child = node(*n.children[i], false);
      const bool member = n.type == NodeType::kAppend || n.type == NodeType::kPartitions || n.type == NodeType::kSetOp;
      if (n.type == NodeType::kHashJoin && i == 1) child = hash_of(std::move(child));
      child.relationship = member ? "Member" : i == 0 ? "Outer" : "Inner";
      out.children.push_back(std::move(child));
    }
    return out;
  }
  // PostgreSQL's node for the table that a hash join builds.
  static ShownNode hash_of(ShownNode child) {
    ShownNode out;
    out.title = "Hash";
    out.identity = {{"Node Type", ShownValue::of(std::string("Hash"))}};
    out.startup = out.total = child.total;
    out.rows = child.rows;
    out.width = child.width;
    out.stats = child.stats;
    child.relationship = "Outer";
    out.children.push_back(std::move(child));
    return out;
  }
  static ShownNode subplan(ShownNode made, std::string relationship, std::string name) {
    made.relationship = std::move(relationship);
    made.subplan = std::move(name);
    return made;
  }
  void add_top_plans(ShownNode& out) {
    for (const PlanCte& cte : body_.ctes)
      out.children.push_back(subplan(cte.modify != nullptr ? write(*cte.modify, cte.plan.get(), false) : node(*cte.plan, false), "InitPlan", "CTE " + cte.name));
    unsigned number = 0;
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans)
      out.children.push_back(subplan(node(*plan->plan, false), "InitPlan", plan->name + " (returns $" + std::to_string(number++) + ")"));
  }

  void identify(ShownNode& out, const PlanNode& n) {
    const auto is = [&](const std::string& type) {
      out.title = type;
      out.identity.emplace_back("Node Type", ShownValue::of(type));
    };
    switch (n.type) {
      case NodeType::kScan: identify_scan(out, n.as<ScanNode>()); break;
      case NodeType::kSystemScan:
        is("Seq Scan");
        name_relation(out, n.as<SystemScanNode>().relation->name, n.as<SystemScanNode>().alias);
        out.title += " on " + relation_text(n.as<SystemScanNode>().relation->name, n.as<SystemScanNode>().alias);
        break;
      case NodeType::kFunctionScan: {
        const auto& scan = n.as<FunctionScanNode>();
        std::string function = scan.alias;
        if (scan.functions.size() == 1 && scan.functions[0].set_call != nullptr) function = scan.functions[0].set_call->function->name;
        is("Function Scan");
        out.identity.emplace_back("Function Name", ShownValue::of(function));
        out.identity.emplace_back("Alias", ShownValue::of(scan.alias));
        out.title += " on " + relation_text(function, scan.alias);
        break;
      }
      case NodeType::kValues:
        is("Values Scan");
        out.identity.emplace_back("Alias", ShownValue::of(std::string("*VALUES*")));
        out.title += " on \"*VALUES*\"";
        break;
      case NodeType::kCteScan:
        is("CTE Scan");
        out.identity.emplace_back("CTE Name", ShownValue::of(n.as<CteScanNode>().name));
        out.identity.emplace_back("Alias", ShownValue::of(n.as<CteScanNode>().alias));
        out.title += " on " + relation_text(n.as<CteScanNode>().name, n.as<CteScanNode>().alias);
        break;
      case NodeType::kWorkScan:
        is("WorkTable Scan");
        out.identity.emplace_back("CTE Name", ShownValue::of(n.as<WorkScanNode>().alias));
        out.identity.emplace_back("Alias", ShownValue::of(n.as<WorkScanNode>().alias));
        out.title += " on " + quote_identifier(n.as<WorkScanNode>().alias);
        break;
      case NodeType::kTransitionScan:
        is("Named Tuplestore Scan");
        out.identity.emplace_back("Tuplestore Name", ShownValue::of(n.as<TransitionScanNode>().name));
        out.identity.emplace_back("Alias", ShownValue::of(n.as<TransitionScanNode>().alias));
        out.title += " on " + relation_text(n.as<TransitionScanNode>().name, n.as<TransitionScanNode>().alias);
        break;
      case NodeType::kProjectSet: is("ProjectSet"); break;
      case NodeType::kNestLoop:
      case NodeType::kHashJoin: {
        static constexpr const char* kKinds[] = {"Inner", "Left", "Right", "Full", "Semi", "Anti"};
        out.join_type = kKinds[static_cast<std::size_t>(n.as<JoinPlanNode>().kind)];
        const bool hash = n.type == NodeType::kHashJoin, inner = out.join_type == "Inner";
        is(hash ? "Hash Join" : "Nested Loop");
        if (hash) out.title = inner ? "Hash Join" : "Hash " + out.join_type + " Join";
        else if (!inner) out.title += " " + out.join_type + " Join";
        break;
      }
      case NodeType::kSort: is("Sort"); break;
      case NodeType::kAggregate: {
        const auto& aggregate = n.as<AggregateNode>();
        std::string strategy = aggregate.strategy == AggStrategy::kHashed ? "Hashed" : aggregate.strategy == AggStrategy::kPlain ? "Plain" : "Sorted";
        if (!aggregate.empty_sets.empty()) strategy = "Mixed";
        is("Aggregate");
        out.identity.emplace_back("Strategy", ShownValue::of(strategy));
        out.identity.emplace_back("Partial Mode", ShownValue::of(std::string("Simple")));
        if (strategy == "Hashed") out.title = "HashAggregate";
        if (strategy == "Mixed") out.title = "MixedAggregate";
        if (strategy == "Sorted") out.title = "GroupAggregate";
        break;
      }
      case NodeType::kWindow: is("WindowAgg"); break;
      case NodeType::kUnique: is("Unique"); break;
      case NodeType::kLimit: is("Limit"); break;
      case NodeType::kPartitions: is(n.children.empty() ? "Result" : "Append"); break;
      case NodeType::kAppend: is("Append"); break;
      case NodeType::kSetOp: {
        const auto& set = n.as<SetOpNode>();
        const std::string command = std::string(set.op == SetOp::kIntersect ? "Intersect" : "Except") + (set.all ? " All" : "");
        is("SetOp");
        out.identity.emplace_back("Strategy", ShownValue::of(std::string("Hashed")));
        out.identity.emplace_back("Command", ShownValue::of(command));
        out.title = "HashSetOp " + command;
        break;
      }
      case NodeType::kRecursiveUnion: is("Recursive Union"); break;
      case NodeType::kMaterialize: is("Materialize"); break;
      case NodeType::kLockRows: is("LockRows"); break;
      default: is("Result"); break;
    }
  }
  void identify_scan(ShownNode& out, const ScanNode& scan) const {
    const bool sequential = scan.method == ScanMethod::kSequential;
    const bool place = scan.method == ScanMethod::kPlace || scan.method == ScanMethod::kCurrent;
    const std::string type = sequential ? "Seq Scan" : place ? "Tid Scan" : "Index Scan";
    out.title = type;
    out.identity.emplace_back("Node Type", ShownValue::of(type));
    if (!sequential && !place) {
      const std::string& index = scan.table->indexes[scan.index].name;
      out.identity.emplace_back("Scan Direction", ShownValue::of(std::string(scan.backward ? "Backward" : "Forward")));
      out.identity.emplace_back("Index Name", ShownValue::of(index));
      out.title += std::string(scan.backward ? " Backward" : "") + " using " + quote_identifier(index);
    }
    name_relation(out, scan.table->name, scan.alias);
    out.title += " on " + relation_text(scan.table->name, scan.alias);
  }

  std::vector<std::string> sort_keys(const SortNode& sort) const {
    std::vector<std::string> out;
    for (const SortSlot& key : sort.keys) {
      std::string text = names_.name(key.slot);
      if (key.descending) text += " DESC";
      if (key.nulls_first != key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
      out.push_back(std::move(text));
    }
    return out;
  }
  std::vector<std::string> set_columns(const GroupingSetsNode& sets, const std::vector<std::uint8_t>& set) const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < set.size(); ++i)
      if (set[i] != 0) out.push_back(names_.name(sets.outputs[i]));
    return out;
  }

  void describe(ShownNode& out, const PlanNode& n) {
    switch (n.type) {
      case NodeType::kResult: filter(out, n, n.as<ResultNode>().filter, "One-Time Filter"); break;
      case NodeType::kScan: {
        const auto& scan = n.as<ScanNode>();
        if (!scan.index_conditions.empty()) out.details.push_back({scan.method == ScanMethod::kPlace ? "TID Cond" : "Index Cond", ShownValue::of(conditions(scan.index_conditions))});
        if (scan.method == ScanMethod::kCurrent) {
          const Expr* cursor = scan.equals[0].value.expr;
          const std::string name = cursor->kind == ExprKind::kConst ? std::string(cursor->as<ConstExpr>().value.bytes()) : expression_text(cursor, names_);
          out.details.push_back({"TID Cond", ShownValue::of("CURRENT OF " + name)});
        }
        filter(out, n, scan.filter);
        break;
      }
      case NodeType::kPartitions:
        if (n.children.empty()) out.details.push_back({"One-Time Filter", ShownValue::of(std::string("false"))});
        break;
      case NodeType::kSystemScan: filter(out, n, n.as<SystemScanNode>().filter); break;
      case NodeType::kFunctionScan: filter(out, n, n.as<FunctionScanNode>().filter); break;
      case NodeType::kValues: filter(out, n, n.as<ValuesNode>().filter); break;
      case NodeType::kCteScan: filter(out, n, n.as<CteScanNode>().filter); break;
      case NodeType::kWorkScan: filter(out, n, n.as<WorkScanNode>().filter); break;
      case NodeType::kTransitionScan: filter(out, n, n.as<TransitionScanNode>().filter); break;
      case NodeType::kNestLoop: filter(out, n, n.as<JoinPlanNode>().filter, "Join Filter"); break;
      case NodeType::kHashJoin:
        if (!n.as<JoinPlanNode>().hash_conditions.empty())
          out.details.push_back({"Hash Cond", ShownValue::of(conditions(n.as<JoinPlanNode>().hash_conditions))});
        filter(out, n, n.as<JoinPlanNode>().filter, "Join Filter");
        break;
      case NodeType::kSort: out.details.push_back({"Sort Key", ShownValue::of(sort_keys(n.as<SortNode>()))}); break;
      case NodeType::kAggregate: {
        if (n.children[0]->type == NodeType::kGroupingSets) {
          const auto& grouping = n.children[0]->as<GroupingSetsNode>();
          for (const std::vector<std::uint8_t>& set : grouping.sets)
            if (!set_columns(grouping, set).empty()) out.details.push_back({"Hash Key", ShownValue::of(set_columns(grouping, set))});
          for (const std::vector<std::uint8_t>& set : grouping.sets)
            if (set_columns(grouping, set).empty()) out.details.push_back({"Group Key", ShownValue::of(std::vector<std::string>{"()"})});
          break;
        }
        std::vector<std::string> keys;
        for (const Slot slot : n.as<AggregateNode>().groups) keys.push_back(names_.name(slot));
        if (!keys.empty()) out.details.push_back({"Group Key", ShownValue::of(std::move(keys))});
        break;
      }
      default: break;
    }
  }

  const PlanBody& body_;
  const std::vector<NodeStats>& stats_;
  SlotNames names_;
};

}  // namespace

ShownNode shown_tree(const Plan& plan, const std::vector<NodeStats>& stats) { return TreeMaker(plan, stats).run(); }

}  // namespace wandian::sql
