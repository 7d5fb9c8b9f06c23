#include "sql/plan/explain.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "sql/functions/quote.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

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
      for (const std::unique_ptr<PlanSubselect>& plan : node.as<ApplyNode>().subselects)
        if (plan->plan) count(*plan->plan);
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
      for (const ScanColumn& c : scan.system) name(scan.alias, system_column_name(static_cast<std::int16_t>(-c.column)), c.slot);
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
        if (!plan->plan) continue;
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
      if (!cast.collate.empty()) return "(" + expression_text(cast.arg, names) + " COLLATE " + shown_collation(cast.collate) + ")";
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

}  // namespace wandian::sql
