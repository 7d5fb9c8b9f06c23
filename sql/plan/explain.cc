#include "sql/plan/explain.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

std::string constant_text(const ConstExpr& constant) {
  const std::string type = format_type(constant.type, -1);
  if (constant.value.is_null) return "NULL::" + type;
  Arena arena;
  const FormatSettings format;
  EvalContext eval{arena, format, nullptr, 0, 0, {}};
  std::string text;
  if (!append_text(eval, constant.type, constant.value, text)) return "?";
  switch (constant.type) {
    case type_oid::kInt4: return text[0] == '-' ? "'" + text + "'::integer" : text;
    case type_oid::kNumeric: return text;
    case type_oid::kBool: return text == "t" ? "true" : "false";
    default: break;
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'::" + type;
}

}  // namespace

SlotNames::SlotNames(const PlanBody& body) : names_(body.slots.size()) {
  unsigned scans = 0;
  const std::function<void(const PlanNode&)> count = [&](const PlanNode& node) {
    if (node.children.empty() && node.type != NodeType::kResult) ++scans;
    if (node.type == NodeType::kApply)
      for (const std::unique_ptr<PlanSubselect>& plan : node.as<ApplyNode>().subselects) count(*plan->plan);
    for (const NodePtr& child : node.children) count(*child);
  };
  if (body.root) count(*body.root);
  for (const PlanCte& cte : body.ctes) count(*cte.plan);
  for (const std::unique_ptr<PlanSubselect>& plan : body.init_plans) count(*plan->plan);
  const bool qualify = scans > 1;
  for (const PlanCte& cte : body.ctes) visit(*cte.plan, qualify);
  unsigned number = 0;
  for (const std::unique_ptr<PlanSubselect>& plan : body.init_plans) {
    visit(*plan->plan, qualify);
    names_[plan->out] = "$" + std::to_string(number++);
  }
  if (body.root) visit(*body.root, qualify);
}

void SlotNames::visit(const PlanNode& node, bool qualify) {
  for (const NodePtr& child : node.children) visit(*child, qualify);
  const auto name = [&](const std::string& alias, std::string_view column, Slot slot) {
    if (slot != kNoSlot) names_[slot] = qualify ? quote_identifier(alias) + "." + quote_identifier(column) : quote_identifier(column);
  };
  switch (node.type) {
    case NodeType::kScan: {
      const auto& scan = node.as<ScanNode>();
      for (const std::vector<ScanColumn>* columns : {&scan.filter_columns, &scan.columns})
        for (const ScanColumn& c : *columns) name(scan.alias, scan.table->columns[c.column].name, c.slot);
      break;
    }
    case NodeType::kSystemScan: {
      const auto& scan = node.as<SystemScanNode>();
      for (const ScanColumn& c : scan.columns) name(scan.alias, scan.relation->columns[c.column].name, c.slot);
      break;
    }
    case NodeType::kFunctionScan:
      for (const ScanColumn& c : node.as<FunctionScanNode>().columns) name(node.as<FunctionScanNode>().alias, node.as<FunctionScanNode>().alias, c.slot);
      break;
    case NodeType::kValues: {
      const auto& values = node.as<ValuesNode>();
      for (std::size_t i = 0; i < values.slots.size(); ++i) name(values.alias, "column" + std::to_string(i + 1), values.slots[i]);
      break;
    }
    case NodeType::kCteScan:
      for (const auto& [position, slot] : node.as<CteScanNode>().columns) name(node.as<CteScanNode>().alias, "column" + std::to_string(position + 1), slot);
      break;
    case NodeType::kProject:
      for (const auto& [expr, slot] : node.as<ProjectNode>().items)
        if (names_[slot].empty()) names_[slot] = "(" + expression_text(expr.expr, *this) + ")";
      break;
    case NodeType::kAggregate:
      for (const PlanAggregate& call : node.as<AggregateNode>().aggregates) {
        std::string text = std::string(call.call->aggregate->name) + "(" + (call.distinct ? "DISTINCT " : "");
        if (call.args.empty()) text += "*";
        for (std::size_t i = 0; i < call.args.size(); ++i) text += (i != 0 ? ", " : "") + expression_text(call.args[i].expr, *this);
        names_[call.out] = text + ")";
      }
      break;
    case NodeType::kGroupingSets: {
      const auto& sets = node.as<GroupingSetsNode>();
      for (std::size_t i = 0; i < sets.outputs.size(); ++i) names_[sets.outputs[i]] = names_[sets.inputs[i]];
      for (const auto& [slot, values] : sets.groupings) names_[slot] = "(GROUPING(...))";
      break;
    }
    case NodeType::kWindow:
      for (const PlanWindowCall& call : node.as<WindowNode>().calls) {
        std::string text(call.call->function != nullptr ? call.call->function->name : call.call->aggregate->name);
        text += call.call->star ? "(*" : "(";
        for (std::size_t i = 0; i < call.args.size(); ++i) text += (i != 0 ? ", " : "") + names_[call.args[i]];
        names_[call.out] = "(" + text + ") OVER (?))";
      }
      break;
    case NodeType::kApply:
      for (const std::unique_ptr<PlanSubselect>& plan : node.as<ApplyNode>().subselects) {
        visit(*plan->plan, qualify);
        names_[plan->out] = "(" + plan->name + ")";
      }
      break;
    default: break;
  }
}

std::string SlotNames::name(Slot slot) const { return names_[slot].empty() ? "?column?" : names_[slot]; }

std::string expression_text(const Expr* expr, const SlotNames& names) {
  const auto list = [&](ExprList args) {
    std::string out;
    for (std::size_t i = 0; i < args.size(); ++i) out += (i != 0 ? ", " : "") + expression_text(args[i], names);
    return out;
  };
  switch (expr->kind) {
    case ExprKind::kSlot: return names.name(expr->as<SlotExpr>().slot);
    case ExprKind::kConst: return constant_text(expr->as<ConstExpr>());
    case ExprKind::kParam: return "$" + std::to_string(expr->as<ParamExpr>().index + 1);
    case ExprKind::kFunction: {
      const auto& call = expr->as<FunctionExpr>();
      if (call.op != nullptr && call.args.size() == 2)
        return "(" + expression_text(call.args[0], names) + " " + std::string(call.op->name) + " " + expression_text(call.args[1], names) + ")";
      if (call.op != nullptr && call.args.size() == 1) return "(" + std::string(call.op->name) + " " + expression_text(call.args[0], names) + ")";
      if (call.form == CallForm::kImplicitCast && !call.args.empty()) return expression_text(call.args[0], names);
      if (call.form == CallForm::kExplicitCast && !call.args.empty())
        return "(" + expression_text(call.args[0], names) + ")::" + format_type(call.type, call.typmod);
      return std::string(call.function->name) + "(" + list(call.args) + ")";
    }
    case ExprKind::kRelabel:
    case ExprKind::kDomain:
    case ExprKind::kIoCast: {
      const auto& cast = expr->as<UnaryExpr>();
      return "(" + expression_text(cast.arg, names) + ")::" + format_type(cast.type, cast.typmod);
    }
    case ExprKind::kBool: {
      const auto& logic = expr->as<BoolExpr>();
      if (logic.op == BoolOp::kNot) return "(NOT " + expression_text(logic.args[0], names) + ")";
      std::string out = "(";
      for (std::size_t i = 0; i < logic.args.size(); ++i) {
        if (i != 0) out += logic.op == BoolOp::kAnd ? " AND " : " OR ";
        out += expression_text(logic.args[i], names);
      }
      return out + ")";
    }
    case ExprKind::kNullTest: {
      const auto& test = expr->as<TestExpr>();
      return "(" + expression_text(test.arg, names) + (test.test == TestOp::kIsNull ? " IS NULL)" : " IS NOT NULL)");
    }
    case ExprKind::kBoolTest: {
      static constexpr const char* kTests[] = {"NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"};
      const auto& test = expr->as<TestExpr>();
      return "(" + expression_text(test.arg, names) + " IS " + kTests[static_cast<std::size_t>(test.test)] + ")";
    }
    case ExprKind::kArrayCompare: {
      const auto& compare = expr->as<ArrayCompareExpr>();
      return "(" + expression_text(compare.left, names) + " " + std::string(compare.op->name) + (compare.all ? " ALL (" : " ANY (") +
             expression_text(compare.array, names) + "))";
    }
    case ExprKind::kArray: return "ARRAY[" + list(expr->as<ListExpr>().args) + "]";
    case ExprKind::kCoalesce: return "COALESCE(" + list(expr->as<ListExpr>().args) + ")";
    case ExprKind::kGreatest: return "GREATEST(" + list(expr->as<ListExpr>().args) + ")";
    case ExprKind::kLeast: return "LEAST(" + list(expr->as<ListExpr>().args) + ")";
    case ExprKind::kNullIf: return "NULLIF(" + list(expr->as<FunctionExpr>().args) + ")";
    case ExprKind::kDistinct: {
      const auto& call = expr->as<FunctionExpr>();
      return "(" + expression_text(call.args[0], names) + " IS DISTINCT FROM " + expression_text(call.args[1], names) + ")";
    }
    case ExprKind::kRow: return "ROW(" + list(expr->as<RowExpr>().args) + ")";
    case ExprKind::kCase: {
      const auto& choice = expr->as<CaseExpr>();
      std::string out = "CASE";
      if (choice.arg != nullptr) out += " " + expression_text(choice.arg, names);
      for (const CaseWhen& when : choice.whens) {
        const Expr* condition = when.condition;
        // CASE x WHEN y holds x = y.
        if (choice.arg != nullptr && condition->kind == ExprKind::kFunction && condition->as<FunctionExpr>().args.size() == 2)
          condition = condition->as<FunctionExpr>().args[1];
        out += " WHEN " + expression_text(condition, names) + " THEN " + expression_text(when.result, names);
      }
      return out + " ELSE " + expression_text(choice.otherwise, names) + " END";
    }
    default: return "...";
  }
}

namespace {

class Explainer {
 public:
  Explainer(const Plan& plan, const ExplainOptions& options, const std::vector<NodeStats>& stats)
      : body_(*plan.body), options_(options), stats_(stats), names_(body_) {}

  std::vector<std::string> run() {
    if (body_.modify) {
      write(*body_.modify, body_.root.get(), 0, "");
      if (body_.root == nullptr) {
        lines_.push_back("  ->  Result" + costs(0, 0.01, 1, 0));
        if (!body_.ctes.empty()) top_plans(0, *body_.ctes[0].plan);
      }
    }
    if (body_.root) node(*body_.root, body_.modify ? 1 : 0, body_.modify != nullptr, "");
    else if (!body_.modify) lines_.push_back("Result" + costs(0, 0.01, 1, 0));
    return std::move(lines_);
  }

 private:
  void write(const ModifyPlan& modify, const PlanNode* root, unsigned indent, const std::string& arrow) {
    static constexpr const char* kNames[] = {"", "Insert on ", "Update on ", "Delete on ", "Merge on "};
    std::string line = arrow + kNames[static_cast<std::size_t>(modify.kind)] + quote_identifier(modify.table->name);
    line += costs(root == nullptr ? 0 : root->startup_cost, root == nullptr ? 0.01 : root->cost, root == nullptr ? 1 : root->rows, 0);
    lines_.push_back(line);
    if (modify.conflict != ConflictAction::kNone)
      detail(indent, "Conflict Resolution", modify.conflict == ConflictAction::kNothing ? "NOTHING" : "UPDATE");
  }
  std::string costs(double startup, double total, double rows, int width) const {
    if (!options_.costs) return {};
    char text[128];
    std::snprintf(text, sizeof text, "  (cost=%.2f..%.2f rows=%.0f width=%d)", startup, total, rows < 1 ? 1.0 : rows, width);
    return text;
  }
  int width_of(const PlanNode& node) const {
    int width = 0;
    for (const Slot slot : node.visible) {
      const TypeInfo* type = find_type(body_.slots[slot].type);
      width += type != nullptr && type->length > 0 ? type->length : 32;
    }
    return width;
  }
  std::string actual(const PlanNode& node) const {
    if (stats_.empty()) return {};
    const NodeStats& stats = stats_[node.id];
    if (stats.loops == 0) return " (never executed)";
    char text[160];
    const auto loops = static_cast<double>(stats.loops);
    if (options_.timing)
      std::snprintf(text, sizeof text, " (actual time=%.3f..%.3f rows=%.0f loops=%llu)", static_cast<double>(stats.first_nanoseconds) / loops / 1e6,
                    static_cast<double>(stats.nanoseconds) / loops / 1e6, static_cast<double>(stats.rows) / loops,
                    static_cast<unsigned long long>(stats.loops));
    else
      std::snprintf(text, sizeof text, " (actual rows=%.0f loops=%llu)", static_cast<double>(stats.rows) / loops, static_cast<unsigned long long>(stats.loops));
    return text;
  }
  static std::string spaces(unsigned level) { return level == 0 ? std::string() : std::string(6 * level - 4, ' '); }
  void detail(unsigned indent, std::string_view label, const std::string& text) {
    lines_.push_back(std::string(indent == 0 ? 2 : 6 * indent + 2, ' ') + std::string(label) + ": " + text);
  }
  void filter(unsigned indent, const PlanNode& node, const PlanExpr& expr, std::string_view label = "Filter") {
    if (!expr) return;
    detail(indent, label, expression_text(expr.expr, names_));
    if (!stats_.empty() && stats_[node.id].filtered != 0) {
      const NodeStats& stats = stats_[node.id];
      detail(indent, label == "Join Filter" ? "Rows Removed by Join Filter" : "Rows Removed by Filter",
             std::to_string(stats.filtered / std::max<std::uint64_t>(1, stats.loops)));
    }
  }
  std::string conditions(const std::vector<const Expr*>& list) const {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) out += (i != 0 ? " AND " : "") + expression_text(list[i], names_);
    return list.size() > 1 ? "(" + out + ")" : out;
  }
  static std::string relation(const std::string& name, const std::string& alias) {
    return alias.empty() || alias == name ? quote_identifier(name) : quote_identifier(name) + " " + quote_identifier(alias);
  }

  // Projections and With do not show; their child stands in their place.
  void node(const PlanNode& n, unsigned indent, bool arrow, const std::string& heading) {
    const PlanNode* shown = &n;
    if (n.type == NodeType::kProject || n.type == NodeType::kWith || n.type == NodeType::kApply || n.type == NodeType::kGroupingSets) {
      node(*n.children[0], indent, arrow, heading);
      if (n.type == NodeType::kApply)
        for (const std::unique_ptr<PlanSubselect>& plan : n.as<ApplyNode>().subselects) subplan(*plan->plan, indent, plan->name);
      if (indent == 0 || (&n == body_.root.get())) top_plans(indent, n);
      return;
    }
    if (n.type == NodeType::kPartitions && n.children.size() == 1 && n.as<PartitionsNode>().level == nullptr) {
      node(*n.children[0], indent, arrow, heading);
      if (&n == body_.root.get()) top_plans(indent, n);
      return;
    }
    if (n.type == NodeType::kFilter) {
      // Its condition shows as the input's filter.
      pending_.push_back(&n);
      node(*n.children[0], indent, arrow, heading);
      return;
    }
    if (!heading.empty()) lines_.push_back(std::string(6 * indent - 4, ' ') + heading);
    std::string line = arrow ? std::string(indent == 0 ? 0 : 6 * indent - 4, ' ') + "->  " : spaces(indent);
    line += title(n) + costs(n.startup_cost, n.cost, n.rows, width_of(n)) + actual(n);
    lines_.push_back(std::move(line));
    details(n, indent);
    for (const PlanNode* above : std::exchange(pending_, {})) filter(indent, *above, above->as<FilterNode>().filter);
    if (shown == body_.root.get()) top_plans(indent, n);
    for (const NodePtr& child : n.children) node(*child, indent + 1, true, "");
  }
  void subplan(const PlanNode& n, unsigned indent, const std::string& name, const ModifyPlan* modify = nullptr) {
    lines_.push_back(std::string(6 * indent + 2, ' ') + name);
    const std::size_t first = lines_.size();
    if (modify != nullptr) write(*modify, &n, indent + 1, std::string(6 * indent + 2, ' ') + "->  ");
    node(n, indent + (modify != nullptr ? 2 : 1), true, "");
    for (std::size_t i = first; i < lines_.size(); ++i) lines_[i] = "  " + lines_[i];
  }
  void top_plans(unsigned indent, const PlanNode&) {
    if (std::exchange(top_shown_, true)) return;
    for (const PlanCte& cte : body_.ctes) subplan(*cte.plan, indent, "CTE " + cte.name, cte.modify.get());
    unsigned number = 0;
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans)
      subplan(*plan->plan, indent, plan->name + " (returns $" + std::to_string(number++) + ")");
  }

  std::string title(const PlanNode& n) const {
    switch (n.type) {
      case NodeType::kResult: return "Result";
      case NodeType::kScan: {
        const auto& scan = n.as<ScanNode>();
        const std::string on = " on " + relation(scan.table->name, scan.alias);
        if (scan.method == ScanMethod::kSequential) return "Seq Scan" + on;
        return std::string("Index Scan") + (scan.backward ? " Backward" : "") + " using " + quote_identifier(scan.table->indexes[scan.index].name) + on;
      }
      case NodeType::kSystemScan: return "Seq Scan on " + relation(n.as<SystemScanNode>().relation->name, n.as<SystemScanNode>().alias);
      case NodeType::kFunctionScan: {
        const auto& scan = n.as<FunctionScanNode>();
        std::string function = scan.alias;
        if (scan.functions.size() == 1 && scan.functions[0].set_call != nullptr) function = scan.functions[0].set_call->function->name;
        return "Function Scan on " + relation(function, scan.alias);
      }
      case NodeType::kValues: return "Values Scan on \"*VALUES*\"";
      case NodeType::kCteScan: return "CTE Scan on " + relation(n.as<CteScanNode>().name, n.as<CteScanNode>().alias);
      case NodeType::kWorkScan: return "WorkTable Scan on " + quote_identifier(n.as<WorkScanNode>().alias);
      case NodeType::kProjectSet: return "ProjectSet";
      case NodeType::kNestLoop:
      case NodeType::kHashJoin: {
        static constexpr const char* kKinds[] = {"", " Left", " Right", " Full", " Semi", " Anti"};
        const std::string kind = kKinds[static_cast<std::size_t>(n.as<JoinPlanNode>().kind)];
        if (n.type == NodeType::kHashJoin) return "Hash" + kind + " Join";
        return kind.empty() ? "Nested Loop" : "Nested Loop" + kind + " Join";
      }
      case NodeType::kSort: return "Sort";
      case NodeType::kAggregate: {
        const auto& aggregate = n.as<AggregateNode>();
        if (!aggregate.empty_sets.empty()) return "MixedAggregate";
        if (aggregate.strategy == AggStrategy::kHashed) return "HashAggregate";
        return aggregate.strategy == AggStrategy::kPlain ? "Aggregate" : "GroupAggregate";
      }
      case NodeType::kWindow: return "WindowAgg";
      case NodeType::kUnique: return "Unique";
      case NodeType::kLimit: return "Limit";
      case NodeType::kPartitions:
        if (n.children.empty()) return "Result";
        [[fallthrough]];
      case NodeType::kAppend: return "Append";
      case NodeType::kSetOp: {
        const auto& set = n.as<SetOpNode>();
        return std::string("HashSetOp ") + (set.op == SetOp::kIntersect ? "Intersect" : "Except") + (set.all ? " All" : "");
      }
      case NodeType::kRecursiveUnion: return "Recursive Union";
      case NodeType::kMaterialize: return "Materialize";
      case NodeType::kLockRows: return "LockRows";
      default: return "Result";
    }
  }

  std::string set_text(const GroupingSetsNode& sets, const std::vector<std::uint8_t>& set) const {
    std::string out;
    for (std::size_t i = 0; i < set.size(); ++i)
      if (set[i] != 0) out += (out.empty() ? "" : ", ") + names_.name(sets.outputs[i]);
    return out;
  }
  static bool has_column(const std::vector<std::uint8_t>& set) { return std::find(set.begin(), set.end(), 1) != set.end(); }

  void details(const PlanNode& n, unsigned indent) {
    switch (n.type) {
      case NodeType::kResult: filter(indent, n, n.as<ResultNode>().filter, "One-Time Filter"); break;
      case NodeType::kScan: {
        const auto& scan = n.as<ScanNode>();
        if (!scan.index_conditions.empty()) detail(indent, "Index Cond", conditions(scan.index_conditions));
        filter(indent, n, scan.filter);
        break;
      }
      case NodeType::kPartitions:
        if (n.children.empty()) detail(indent, "One-Time Filter", "false");
        break;
      case NodeType::kSystemScan: filter(indent, n, n.as<SystemScanNode>().filter); break;
      case NodeType::kNestLoop: filter(indent, n, n.as<JoinPlanNode>().filter, "Join Filter"); break;
      case NodeType::kHashJoin:
        detail(indent, "Hash Cond", conditions(n.as<JoinPlanNode>().hash_conditions));
        filter(indent, n, n.as<JoinPlanNode>().filter, "Join Filter");
        break;
      case NodeType::kSort: {
        std::string keys;
        for (const SortSlot& key : n.as<SortNode>().keys) {
          if (!keys.empty()) keys += ", ";
          keys += names_.name(key.slot);
          if (key.descending) keys += " DESC";
          if (key.nulls_first != key.descending) keys += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
        }
        detail(indent, "Sort Key", keys);
        break;
      }
      case NodeType::kAggregate: {
        if (n.children[0]->type == NodeType::kGroupingSets) {
          const auto& grouping = n.children[0]->as<GroupingSetsNode>();
          for (const std::vector<std::uint8_t>& set : grouping.sets)
            if (has_column(set)) detail(indent, "Hash Key", set_text(grouping, set));
          for (const std::vector<std::uint8_t>& set : grouping.sets)
            if (!has_column(set)) detail(indent, "Group Key", "()");
          break;
        }
        std::string keys;
        for (const Slot slot : n.as<AggregateNode>().groups) keys += (keys.empty() ? "" : ", ") + names_.name(slot);
        if (!keys.empty()) detail(indent, "Group Key", keys);
        break;
      }
      default: break;
    }
  }

  const PlanBody& body_;
  const ExplainOptions& options_;
  const std::vector<NodeStats>& stats_;
  SlotNames names_;
  std::vector<std::string> lines_;
  bool top_shown_ = false;
  std::vector<const PlanNode*> pending_;   // filters above the node being shown
};

}  // namespace

std::vector<std::string> explain_tree(const Plan& plan, const ExplainOptions& options, const std::vector<NodeStats>& stats) {
  return Explainer(plan, options, stats).run();
}

}  // namespace wandian::sql
