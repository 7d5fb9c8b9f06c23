#include "sql/expr/deparse.h"

#include "engine/array_value.h"
#include "sql/functions/quote.h"
#include "sql/routine/routine.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// Never E'...': backslashes stand for themselves in what is printed.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

class Deparser {
 public:
  explicit Deparser(const DefinitionStyle& options) : options_(options) {}

  /// `show`: casts that nobody wrote are printed, as PostgreSQL does for arguments of operators and functions.
  std::string text(const Expr* expr, bool show = false) {
    switch (expr->kind) {
      case ExprKind::kConst: return constant(expr->as<ConstExpr>());
      case ExprKind::kParam: {
        const std::uint32_t index = expr->as<ParamExpr>().index;
        return index < options_.parameters.size() ? options_.parameters[index] : "$" + std::to_string(index + 1);
      }
      case ExprKind::kColumn: {
        const auto& column = expr->as<ColumnExpr>();
        if (column.column < 0 || static_cast<std::size_t>(column.column) >= options_.columns.size()) return system_column(column.column);
        if (options_.domain_value) return "VALUE";
        return quote_identifier(options_.columns[static_cast<std::size_t>(column.column)]);
      }
      case ExprKind::kFunction: return function(expr->as<FunctionExpr>(), show);
      case ExprKind::kRelabel: {
        const auto& cast = expr->as<UnaryExpr>();
        if (!cast.collation.empty()) return wrap(argument(cast.arg, expr, show) + " COLLATE " + quote_identifier(cast.collation));
        return cast_or_argument(cast.arg, expr, cast.form, show);
      }
      case ExprKind::kIoCast: case ExprKind::kDomain: return cast_or_argument(expr->as<UnaryExpr>().arg, expr, expr->as<UnaryExpr>().form, show);
      case ExprKind::kArrayCast: return cast_or_argument(expr->as<ArrayCastExpr>().arg, expr, expr->as<ArrayCastExpr>().form, show);
      case ExprKind::kTestValue: return {};
      case ExprKind::kBool: return logic(expr->as<BoolExpr>());
      case ExprKind::kCase: return choice(expr->as<CaseExpr>());
      case ExprKind::kCoalesce: return "COALESCE(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kGreatest: return "GREATEST(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kLeast: return "LEAST(" + list(expr->as<ListExpr>().args) + ")";
      case ExprKind::kNullIf: return "NULLIF(" + list(expr->as<FunctionExpr>().args) + ")";
      case ExprKind::kDistinct: {
        const auto& call = expr->as<FunctionExpr>();
        return wrap(argument(call.args[0], expr, true) + " IS DISTINCT FROM " + argument(call.args[1], expr, true));
      }
      case ExprKind::kNullTest: {
        const auto& test = expr->as<TestExpr>();
        return wrap(argument(test.arg, expr, true) + (test.test == TestOp::kIsNull ? " IS NULL" : " IS NOT NULL"));
      }
      case ExprKind::kBoolTest: {
        static constexpr const char* kTests[] = {"NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"};
        const auto& test = expr->as<TestExpr>();
        return wrap(argument(test.arg, expr, false) + " IS " + kTests[static_cast<std::size_t>(test.test)]);
      }
      case ExprKind::kArrayCompare: {
        const auto& compare = expr->as<ArrayCompareExpr>();
        return wrap(argument(compare.left, expr, true) + " " + std::string(compare.op->name) + (compare.all ? " ALL (" : " ANY (") +
                    argument(compare.array, expr, true) + ")");
      }
      case ExprKind::kArray: {
        const auto& array = expr->as<ListExpr>();
        if (array.args.empty()) return "ARRAY[]::" + type_name(array.type, -1);
        return "ARRAY[" + list(array.args) + "]";
      }
      case ExprKind::kRow: {
        std::vector<const Expr*> live;    // without the places of dropped columns
        for (const Expr* arg : expr->as<RowExpr>().args)
          if (arg->type != kInvalidOid) live.push_back(arg);
        const std::string row = "ROW(" + list(live) + ")";
        return expr->type == kRecord ? row : row + "::" + type_name(expr->type, -1);
      }
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
  std::string type_name(Oid type, std::int32_t typmod) const {
    if (options_.names != nullptr || type < kFirstUserOid) return format_type(type, typmod);
    const TypeInfo* info = find_type(type);
    if (info != nullptr && info->category == 'A' && info->element != 0) return type_name(info->element, typmod) + "[]";
    return stored_type_name(type);
  }
  std::string wrap(std::string inner) const { return options_.pretty ? inner : "(" + inner + ")"; }
  std::string argument(const Expr* expr, const Expr* parent, bool show) {
    if (!options_.pretty || is_simple(expr, parent)) return text(expr, show);
    return "(" + text(expr, show) + ")";
  }
  static bool is_cast(const Expr* expr) {
    if (expr->kind == ExprKind::kRelabel || expr->kind == ExprKind::kIoCast || expr->kind == ExprKind::kDomain || expr->kind == ExprKind::kArrayCast) return true;
    if (expr->kind != ExprKind::kFunction) return false;
    const CallForm form = expr->as<FunctionExpr>().form;
    return form == CallForm::kExplicitCast || form == CallForm::kImplicitCast;
  }
  static bool is_operator(const Expr* expr) {
    return expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().op != nullptr && !is_cast(expr) &&
           expr->as<FunctionExpr>().form != CallForm::kCall;
  }
  static char arithmetic(const Expr* expr) {
    const auto& call = expr->as<FunctionExpr>();
    if (call.args.size() != 2 || call.op->name.size() != 1) return 0;
    const char c = call.op->name[0];
    return c == '+' || c == '-' ? '+' : c == '*' || c == '/' || c == '%' ? '*' : 0;
  }
  /// Inside of brackets or commas, or between AND and OR, a condition needs no parentheses of its own.
  static bool is_loose(const Expr* parent) {
    switch (parent->kind) {
      case ExprKind::kFunction: return !is_cast(parent) && !is_operator(parent) && parent->as<FunctionExpr>().form != CallForm::kSqlSyntax;
      case ExprKind::kSubscript: case ExprKind::kArray: case ExprKind::kRow: case ExprKind::kCoalesce: case ExprKind::kGreatest:
      case ExprKind::kLeast: case ExprKind::kNullIf: case ExprKind::kCase: return true;
      default: return false;
    }
  }
  static bool is_simple(const Expr* expr, const Expr* parent) {
    switch (expr->kind) {
      case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain:
        return expr->as<UnaryExpr>().collation.empty() && is_simple(expr->as<UnaryExpr>().arg, expr);
      case ExprKind::kArrayCast: return is_simple(expr->as<ArrayCastExpr>().arg, expr);
      case ExprKind::kFunction:
        if (!is_operator(expr)) return true;
        if (is_operator(parent)) {
          const char mine = arithmetic(expr), its = arithmetic(parent);
          if (mine == 0 || its == 0) return false;
          if (mine != its) return mine == '*';
          return parent->as<FunctionExpr>().args[0] == expr;
        }
        return parent->kind == ExprKind::kBool || is_loose(parent);
      case ExprKind::kNullTest: case ExprKind::kBoolTest: case ExprKind::kDistinct: return parent->kind == ExprKind::kBool || is_loose(parent);
      case ExprKind::kBool:
        if (parent->kind != ExprKind::kBool) return is_loose(parent);
        if (expr->as<BoolExpr>().op == BoolOp::kOr) return parent->as<BoolExpr>().op == BoolOp::kOr;
        return parent->as<BoolExpr>().op != BoolOp::kNot;
      case ExprKind::kArrayCompare: case ExprKind::kRowCompare: return false;
      default: return true;
    }
  }
  std::string cast_or_argument(const Expr* arg, const Expr* cast, CallForm form, bool show) {
    return form == CallForm::kImplicitCast && !show ? argument(arg, cast, false) : cast_text(arg, cast);
  }
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
      out += text(args[i], true);
    }
    return out;
  }
  std::string cast_text(const Expr* arg, const Expr* cast) {
    // A constant needs no parentheses: its own cast ends it.
    if (arg->kind == ExprKind::kConst && arg->type == cast->type) return constant(arg->as<ConstExpr>(), cast->typmod);
    return wrap(argument(arg, cast, false)) + "::" + type_name(cast->type, cast->typmod);
  }

  std::string constant(const ConstExpr& constant, std::int32_t typmod = -2) {
    if (typmod == -2) typmod = constant.typmod;
    const std::string type = constant.type == kUnknown ? "text" : type_name(constant.type, typmod);
    if (constant.value.is_null) return constant.type == kUnknown ? "NULL" : "NULL::" + type;
    Arena arena;
    static const FormatSettings plain;
    EvalContext eval{arena, plain, options_.names, 0, 0, {}};
    std::string value;
    const bool named = constant.type == kRegclass || constant.type == kRegproc || constant.type == kRegprocedure || constant.type == kRegoper;
    // A stored definition keeps an enum's value as its ordinal, which outlives renaming as well.
    if (options_.names == nullptr && type_kind(constant.type) == 'e')
      return "'" + std::to_string(constant.value.i) + "'::bigint::" + type;
    if (options_.names == nullptr && is_enum_array(constant)) return enum_array(constant, type);
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
      case kUnknown: return literal(value);
      default: break;
    }
    return literal(value) + "::" + type;
  }

  static bool is_enum_array(const ConstExpr& constant) {
    const TypeInfo* info = find_type(constant.type);
    return info != nullptr && info->category == 'A' && type_kind(info->element) == 'e';
  }
  // The ordinals as an array of bigint.
  std::string enum_array(const ConstExpr& constant, const std::string& type) const {
    Arena arena;
    static const FormatSettings plain;
    EvalContext eval{arena, plain, nullptr, 0, 0, {}};
    std::string text;
    (void)append_text(eval, find_type(kInt8)->array, relabel_array(constant.value, kInt8, arena), text);
    return "'" + text + "'::bigint[]::" + type;
  }

  std::string function(const FunctionExpr& call, bool show) {
    if (is_cast(&call) && !call.args.empty()) return cast_or_argument(call.args[0], &call, call.form, show);
    if (is_operator(&call)) {
      if (call.args.size() == 2)
        return wrap(argument(call.args[0], &call, true) + " " + std::string(call.op->name) + " " + argument(call.args[1], &call, true));
      if (call.args.size() == 1) return wrap(std::string(call.op->name) + " " + argument(call.args[0], &call, true));
    }
    const std::string_view name = call.function->name;
    if (call.form == CallForm::kSqlSyntax) {
      const std::string special = sql_syntax(name, call.args);
      if (!special.empty()) return special;
    }
    std::string out = quote_identifier(name) + "(";
    // What is not in `public` might not be found by whoever reads this.
    if (call.function->routine != nullptr && call.function->routine->schema_name != "public")
      out = quote_identifier(call.function->routine->schema_name) + "." + out;
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      if (i != 0) out += ", ";
      const bool tail = i + 1 == call.args.size();
      if (tail && call.variadic_array && call.args[i]->kind == ExprKind::kArray) out += list(call.args[i]->as<ListExpr>().args);
      else out += text(call.args[i], true);
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
    if (expr.op == BoolOp::kNot) return wrap("NOT " + argument(expr.args[0], &expr, false));
    std::string out;
    for (std::size_t i = 0; i < expr.args.size(); ++i) {
      if (i != 0) out += expr.op == BoolOp::kAnd ? " AND " : " OR ";
      out += argument(expr.args[i], &expr, false);
    }
    return wrap(std::move(out));
  }

  std::string choice(const CaseExpr& expr) {
    indent_ += 4;
    const std::string line = "\n" + std::string(indent_, ' ');
    std::string out = "\n" + std::string(indent_ - 4, ' ') + "CASE";
    if (expr.arg != nullptr) out += " " + text(expr.arg, true);
    for (const CaseWhen& when : expr.whens) {
      const Expr* condition = when.condition;
      // CASE x WHEN y holds x = y.
      if (expr.arg != nullptr && condition->kind == ExprKind::kFunction && condition->as<FunctionExpr>().args.size() == 2)
        condition = condition->as<FunctionExpr>().args[1];
      out += line + "WHEN " + text(condition) + " THEN " + text(when.result, true);
    }
    out += line + "ELSE " + text(expr.otherwise, true);
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
