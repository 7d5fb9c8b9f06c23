#include "sql/catalog/deparse.h"

#include "sql/functions/quote.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

class Deparser {
 public:
  explicit Deparser(const DefinitionStyle& options) : options_(options) {}

  std::string text(const Expr* expr) {
    switch (expr->kind) {
      case ExprKind::kConst: return constant(expr->as<ConstExpr>());
      case ExprKind::kParam: return "$" + std::to_string(expr->as<ParamExpr>().index + 1);
      case ExprKind::kColumn: {
        const auto& column = expr->as<ColumnExpr>();
        if (column.column < 0 || static_cast<std::size_t>(column.column) >= options_.columns.size()) return system_column(column.column);
        return quote_identifier(options_.columns[static_cast<std::size_t>(column.column)]);
      }
      case ExprKind::kFunction: return function(expr->as<FunctionExpr>());
      case ExprKind::kRelabel: {
        const auto& cast = expr->as<UnaryExpr>();
        if (!cast.collation.empty()) return "(" + text(cast.arg) + " COLLATE " + quote_identifier(cast.collation) + ")";
        return cast.form == CallForm::kImplicitCast ? text(cast.arg) : cast_text(cast.arg, cast.type, cast.typmod);
      }
      case ExprKind::kIoCast: {
        const auto& cast = expr->as<UnaryExpr>();
        return cast.form == CallForm::kImplicitCast ? text(cast.arg) : cast_text(cast.arg, cast.type, cast.typmod);
      }
      case ExprKind::kArrayCast: {
        const auto& cast = expr->as<ArrayCastExpr>();
        return cast.form == CallForm::kImplicitCast ? text(cast.arg) : cast_text(cast.arg, cast.type, cast.typmod);
      }
      case ExprKind::kTestValue: return {};
      case ExprKind::kBool: return logic(expr->as<BoolExpr>());
      case ExprKind::kCase: return choice(expr->as<CaseExpr>());
      case ExprKind::kCoalesce: return "COALESCE(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kGreatest: return "GREATEST(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kLeast: return "LEAST(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kNullIf: return "NULLIF(" + list(expr->as<FunctionExpr>().args) + ")";
      case ExprKind::kDistinct: {
        const auto& call = expr->as<FunctionExpr>();
        return "(" + text(call.args[0]) + " IS DISTINCT FROM " + text(call.args[1]) + ")";
      }
      case ExprKind::kNullTest: {
        const auto& test = expr->as<TestExpr>();
        return "(" + text(test.arg) + (test.test == TestOp::kIsNull ? " IS NULL)" : " IS NOT NULL)");
      }
      case ExprKind::kBoolTest: {
        static constexpr const char* kTests[] = {"NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"};
        const auto& test = expr->as<TestExpr>();
        return "(" + text(test.arg) + " IS " + kTests[static_cast<std::size_t>(test.test)] + ")";
      }
      case ExprKind::kArrayCompare: {
        const auto& compare = expr->as<ArrayCompareExpr>();
        return "(" + text(compare.left) + " " + std::string(compare.op->name) + (compare.all ? " ALL (" : " ANY (") + text(compare.array) + "))";
      }
      case ExprKind::kArray: {
        const auto& array = expr->as<ListExpr>();
        if (array.args.empty()) return "ARRAY[]::" + format_type(array.type, -1);
        return "ARRAY[" + list(array.args) + "]";
      }
      case ExprKind::kRow: return "ROW(" + list(expr->as<RowExpr>().args) + ")";
      case ExprKind::kRowCompare: {
        static constexpr const char* kOperators[] = {" < ", " <= ", " >= ", " > "};
        const auto& compare = expr->as<RowCompareExpr>();
        return "(ROW(" + list(compare.left) + ")" + kOperators[static_cast<std::size_t>(compare.op)] + "ROW(" + list(compare.right) + "))";
      }
      case ExprKind::kSubscript: return subscript(expr->as<SubscriptExpr>());
      case ExprKind::kField: return "(" + text(expr->as<FieldExpr>().record) + ")." + quote_identifier(expr->as<FieldExpr>().name);
      case ExprKind::kSqlValue: return sql_value(expr->as<SqlValueExpr>());
      default: return "?";
    }
  }

 private:
  static std::string system_column(std::int16_t column) {
    switch (column) {
      case kCtidColumn: return "ctid";
      case kXminColumn: return "xmin";
      case kCminColumn: return "cmin";
      case kXmaxColumn: return "xmax";
      case kCmaxColumn: return "cmax";
      case kTableOidColumn: return "tableoid";
      default: return "?";
    }
  }
  std::string list(ExprList args) {
    std::string out;
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (i != 0) out += ", ";
      out += text(args[i]);
    }
    return out;
  }
  std::string cast_text(const Expr* arg, Oid type, std::int32_t typmod) {
    // A constant needs no parentheses: its own cast ends it.
    if (arg->kind == ExprKind::kConst && arg->type == type) return constant(arg->as<ConstExpr>(), typmod);
    return "(" + text(arg) + ")::" + format_type(type, typmod);
  }

  std::string constant(const ConstExpr& constant, std::int32_t typmod = -2) {
    if (typmod == -2) typmod = constant.typmod;
    const std::string type = constant.type == kUnknown ? "text" : format_type(constant.type, typmod);
    if (constant.value.is_null) return constant.type == kUnknown ? "NULL" : "NULL::" + type;
    Arena arena;
    static const FormatSettings plain;
    EvalContext eval{arena, plain, options_.names, 0, 0, {}};
    std::string value;
    const bool named = constant.type == kRegclass || constant.type == kRegproc || constant.type == kRegprocedure || constant.type == kRegoper;
    if (named && options_.names == nullptr) value = std::to_string(static_cast<Oid>(constant.value.i));
    else if (!append_text(eval, constant.type, constant.value, value)) return "NULL::" + type;
    switch (constant.type) {
      case kInt4:
        if (value[0] != '-') return value;
        break;
      case kNumeric: {
        const bool number = value[0] >= '0' && value[0] <= '9' && value.find_first_of("eE.") != std::string::npos;
        if (number) return typmod >= 0 ? value + "::" + type : value;
        break;
      }
      case kBool: return value == "t" ? "true" : "false";
      case kUnknown: return quote_literal(value);
      default: break;
    }
    return quote_literal(value) + "::" + type;
  }

  std::string function(const FunctionExpr& call) {
    if (call.form == CallForm::kImplicitCast && !call.args.empty()) return text(call.args[0]);
    if (call.form == CallForm::kExplicitCast && !call.args.empty()) return cast_text(call.args[0], call.type, call.typmod);
    if (call.op != nullptr && call.form != CallForm::kCall) {
      if (call.args.size() == 2) return "(" + text(call.args[0]) + " " + std::string(call.op->name) + " " + text(call.args[1]) + ")";
      if (call.args.size() == 1) return "(" + std::string(call.op->name) + " " + text(call.args[0]) + ")";
    }
    const std::string_view name = call.function->name;
    if (call.form == CallForm::kSqlSyntax) {
      const std::string special = sql_syntax(name, call.args);
      if (!special.empty()) return special;
    }
    std::string out = quote_identifier(name) + "(";
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      if (i != 0) out += ", ";
      const bool tail = i + 1 == call.args.size();
      if (tail && call.variadic_array && call.args[i]->kind == ExprKind::kArray) out += list(call.args[i]->as<ListExpr>().args);
      else out += text(call.args[i]);
    }
    return out + ")";
  }
  static std::string bare_text(const Expr* expr) {
    if (expr->kind != ExprKind::kConst || expr->as<ConstExpr>().value.is_null) return {};
    return std::string(expr->as<ConstExpr>().value.bytes());
  }
  std::string sql_syntax(std::string_view name, ExprList args) {
    if (name == "extract" && args.size() == 2 && args[0]->kind == ExprKind::kConst)
      return "EXTRACT(" + bare_text(args[0]) + " FROM " + text(args[1]) + ")";
    if (name == "timezone" && args.size() == 2) return "(" + text(args[1]) + " AT TIME ZONE " + text(args[0]) + ")";
    if (name == "overlaps" && args.size() == 4)
      return "((" + text(args[0]) + ", " + text(args[1]) + ") OVERLAPS (" + text(args[2]) + ", " + text(args[3]) + "))";
    if (name == "position" && args.size() == 2) return "POSITION((" + text(args[1]) + ") IN (" + text(args[0]) + "))";
    if (name == "substring" && args.size() == 3) return "SUBSTRING(" + text(args[0]) + " FROM " + text(args[1]) + " FOR " + text(args[2]) + ")";
    if (name == "substring" && args.size() == 2) return "SUBSTRING(" + text(args[0]) + " FROM " + text(args[1]) + ")";
    if (name == "overlay" && args.size() >= 3) {
      std::string out = "OVERLAY(" + text(args[0]) + " PLACING " + text(args[1]) + " FROM " + text(args[2]);
      if (args.size() == 4) out += " FOR " + text(args[3]);
      return out + ")";
    }
    const char* side = name == "ltrim" ? "LEADING" : name == "rtrim" ? "TRAILING" : name == "btrim" ? "BOTH" : nullptr;
    if (side != nullptr && args.size() == 2) return "TRIM(" + std::string(side) + " " + text(args[1]) + " FROM " + text(args[0]) + ")";
    if (side != nullptr && args.size() == 1) return "TRIM(" + std::string(side) + " FROM " + text(args[0]) + ")";
    return {};
  }

  std::string logic(const BoolExpr& expr) {
    if (expr.op == BoolOp::kNot) return "(NOT " + text(expr.args[0]) + ")";
    std::string out = "(";
    for (std::size_t i = 0; i < expr.args.size(); ++i) {
      if (i != 0) out += expr.op == BoolOp::kAnd ? " AND " : " OR ";
      out += text(expr.args[i]);
    }
    return out + ")";
  }

  std::string choice(const CaseExpr& expr) {
    indent_ += 4;
    const std::string line = "\n" + std::string(indent_, ' ');
    std::string out = "\n" + std::string(indent_ - 4, ' ') + "CASE";
    if (expr.arg != nullptr) out += " " + text(expr.arg);
    for (const CaseWhen& when : expr.whens) {
      const Expr* condition = when.condition;
      // CASE x WHEN y holds x = y.
      if (expr.arg != nullptr && condition->kind == ExprKind::kFunction && condition->as<FunctionExpr>().args.size() == 2)
        condition = condition->as<FunctionExpr>().args[1];
      out += line + "WHEN " + text(condition) + " THEN " + text(when.result);
    }
    out += line + "ELSE " + text(expr.otherwise);
    indent_ -= 4;
    return out + "\n" + std::string(indent_, ' ') + "END";
  }

  std::string subscript(const SubscriptExpr& expr) {
    std::string out = expr.array->kind == ExprKind::kColumn ? text(expr.array) : "(" + text(expr.array) + ")";
    for (std::size_t i = 0; i < expr.upper.size(); ++i) {
      out += "[";
      if (expr.slice) {
        if (i < expr.lower.size() && expr.lower[i] != nullptr) out += text(expr.lower[i]);
        out += ":";
      }
      if (expr.upper[i] != nullptr) out += text(expr.upper[i]);
      out += "]";
    }
    return out;
  }

  static std::string sql_value(const SqlValueExpr& expr) {
    const auto precise = [&](const char* name) {
      return expr.typmod >= 0 ? std::string(name) + "(" + std::to_string(expr.typmod) + ")" : std::string(name);
    };
    switch (expr.value) {
      case SqlValue::kCurrentDate: return "CURRENT_DATE";
      case SqlValue::kCurrentTime: return precise("CURRENT_TIME");
      case SqlValue::kCurrentTimestamp: return precise("CURRENT_TIMESTAMP");
      case SqlValue::kLocalTime: return precise("LOCALTIME");
      case SqlValue::kLocalTimestamp: return precise("LOCALTIMESTAMP");
      case SqlValue::kCurrentRole: return "CURRENT_ROLE";
      case SqlValue::kCurrentUser: return "CURRENT_USER";
      case SqlValue::kUser: return "USER";
      case SqlValue::kSessionUser: return "SESSION_USER";
      case SqlValue::kCurrentCatalog: return "CURRENT_CATALOG";
      case SqlValue::kCurrentSchema: return "CURRENT_SCHEMA";
    }
    return {};
  }

  const DefinitionStyle& options_;
  std::size_t indent_ = 0;
};

}  // namespace

std::string deparse(const Expr* expr, const DefinitionStyle& options) { return Deparser(options).text(expr); }

std::vector<std::string> column_names(const TableDef& table) {
  std::vector<std::string> out;
  out.reserve(table.columns.size());
  for (const ColumnDef& column : table.columns) out.push_back(column.name);
  return out;
}

}  // namespace wandian::sql
