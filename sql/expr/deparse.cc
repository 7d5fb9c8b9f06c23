#include "sql/expr/deparse.h"

#include "engine/type.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

class Deparser {
 public:
  explicit Deparser(const DeparseOptions& options) : options_(options) {}
  std::string take() { return std::move(out_); }

  /// `implicit`: show implicit casts too, where leaving them out would change what the text means.
  void print(const Expr& expr, bool implicit);

 private:
  void print_list(ExprList list, bool implicit, std::string_view separator = ", ") {
    bool first = true;
    for (const Expr* item : list) {
      if (!first) out_ += separator;
      first = false;
      print(*item, implicit);
    }
  }
  void print_constant(const ConstExpr& constant);
  void print_call(const FunctionExpr& call, bool implicit);
  bool print_syntax(const FunctionExpr& call);
  void print_cast(const Expr& arg, Oid type, std::int32_t typmod);
  void print_bracketed(const Expr& expr) {
    // Subscripts and fields: all but a plain column in parentheses.
    const bool plain = expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kParam || expr.kind == ExprKind::kSlot;
    if (!plain) out_ += '(';
    print(expr, true);
    if (!plain) out_ += ')';
  }

  const DeparseOptions& options_;
  std::string out_;
};

std::string_view test_text(TestOp test) {
  switch (test) {
    case TestOp::kIsNull: return " IS NULL";
    case TestOp::kIsNotNull: return " IS NOT NULL";
    case TestOp::kIsTrue: return " IS TRUE";
    case TestOp::kIsNotTrue: return " IS NOT TRUE";
    case TestOp::kIsFalse: return " IS FALSE";
    case TestOp::kIsNotFalse: return " IS NOT FALSE";
    case TestOp::kIsUnknown: return " IS UNKNOWN";
    case TestOp::kIsNotUnknown: return " IS NOT UNKNOWN";
  }
  return "";
}

std::string_view sql_value_text(SqlValue value) {
  switch (value) {
    case SqlValue::kCurrentDate: return "CURRENT_DATE";
    case SqlValue::kCurrentTime: return "CURRENT_TIME";
    case SqlValue::kCurrentTimestamp: return "CURRENT_TIMESTAMP";
    case SqlValue::kLocalTime: return "LOCALTIME";
    case SqlValue::kLocalTimestamp: return "LOCALTIMESTAMP";
    case SqlValue::kCurrentRole: return "CURRENT_ROLE";
    case SqlValue::kCurrentUser: return "CURRENT_USER";
    case SqlValue::kUser: return "USER";
    case SqlValue::kSessionUser: return "SESSION_USER";
    case SqlValue::kCurrentCatalog: return "CURRENT_CATALOG";
    case SqlValue::kCurrentSchema: return "CURRENT_SCHEMA";
  }
  return "";
}

void Deparser::print_constant(const ConstExpr& constant) {
  if (constant.value.is_null) {
    out_ += "NULL";
    if (constant.type != kUnknown) out_ += "::" + format_type(constant.type, constant.typmod);
    return;
  }
  std::string text;
  if (constant.type == kUnknown) {
    out_ += quote_literal(constant.value.bytes());
    return;
  }
  if (options_.eval != nullptr) {
    if (!append_text(*options_.eval, constant.type, constant.value, text)) text = "?";
  } else {
    Arena arena;
    const FormatSettings format;
    EvalContext ctx{arena, format};
    if (!append_text(ctx, constant.type, constant.value, text)) text = "?";
  }
  switch (constant.type) {
    case kInt4:
      if (text[0] != '-') {
        out_ += text;
        return;
      }
      break;
    case kNumeric:
      if (text[0] >= '0' && text[0] <= '9' && text.find_first_of("eE.") != std::string::npos) {
        out_ += text;
        if (constant.typmod >= 0) out_ += "::" + format_type(constant.type, constant.typmod);
        return;
      }
      break;
    case kBool: out_ += text == "t" ? "true" : "false"; return;
    default: break;
  }
  out_ += quote_literal(text) + "::" + format_type(constant.type, constant.typmod);
}

void Deparser::print_cast(const Expr& arg, Oid type, std::int32_t typmod) {
  if (arg.kind == ExprKind::kConst && arg.type == type && arg.typmod == -1) {
    // The constant already carries its type's label.
    auto labelled = arg.as<ConstExpr>();
    labelled.typmod = typmod;
    if (type == kInt4 || type == kBool) {
      out_ += '(';
      print(arg, true);
      out_ += ")::" + format_type(type, typmod);
      return;
    }
    print_constant(labelled);
    return;
  }
  out_ += '(';
  print(arg, false);
  out_ += ")::" + format_type(type, typmod);
}

bool Deparser::print_syntax(const FunctionExpr& call) {
  const std::string_view name = call.function->name;
  const auto arg = [&](std::size_t i) { print(*call.args[i], false); };
  const auto bracketed = [&](std::size_t i) {
    out_ += '(';
    arg(i);
    out_ += ')';
  };
  if (name == "timezone" && call.args.size() == 2) {
    out_ += '(';
    arg(1);
    out_ += " AT TIME ZONE ";
    arg(0);
    out_ += ')';
    return true;
  }
  if (name == "extract" && call.args.size() == 2 && call.args[0]->kind == ExprKind::kConst) {
    out_ += "EXTRACT(";
    out_ += call.args[0]->as<ConstExpr>().value.bytes();
    out_ += " FROM ";
    arg(1);
    out_ += ')';
    return true;
  }
  if (name == "position" && call.args.size() == 2) {
    out_ += "POSITION(";
    bracketed(1);
    out_ += " IN ";
    bracketed(0);
    out_ += ')';
    return true;
  }
  if (name == "substring" && call.args.size() >= 2) {
    out_ += "SUBSTRING(";
    arg(0);
    out_ += " FROM ";
    arg(1);
    if (call.args.size() == 3) {
      out_ += " FOR ";
      arg(2);
    }
    out_ += ')';
    return true;
  }
  if (name == "overlay" && call.args.size() >= 3) {
    out_ += "OVERLAY(";
    arg(0);
    out_ += " PLACING ";
    arg(1);
    out_ += " FROM ";
    arg(2);
    if (call.args.size() == 4) {
      out_ += " FOR ";
      arg(3);
    }
    out_ += ')';
    return true;
  }
  const std::string_view side = name == "btrim" ? "BOTH" : name == "ltrim" ? "LEADING" : name == "rtrim" ? "TRAILING" : "";
  if (!side.empty()) {
    out_ += "TRIM(";
    out_ += side;
    if (call.args.size() == 2) {
      out_ += ' ';
      arg(1);
    }
    out_ += " FROM ";
    arg(0);
    out_ += ')';
    return true;
  }
  return false;
}

void Deparser::print_call(const FunctionExpr& call, bool implicit) {
  switch (call.form) {
    case CallForm::kImplicitCast:
      if (!implicit) {
        print(*call.args[0], false);
        return;
      }
      print_cast(*call.args[0], call.type, call.typmod);
      return;
    case CallForm::kExplicitCast: print_cast(*call.args[0], call.type, call.typmod); return;
    case CallForm::kOperator:
      out_ += '(';
      if (call.args.size() == 1) {
        out_ += std::string(call.op->name) + " ";
        print(*call.args[0], true);
      } else {
        print(*call.args[0], true);
        out_ += " " + std::string(call.op->name) + " ";
        print(*call.args[1], true);
      }
      out_ += ')';
      return;
    case CallForm::kSqlSyntax:
      if (print_syntax(call)) return;
      break;
    case CallForm::kCall: break;
  }
  out_ += quote_identifier(call.function->name) + "(";
  const Expr* tail = call.variadic_array && !call.args.empty() ? call.args.back() : nullptr;
  const bool spread = tail != nullptr && (tail->kind == ExprKind::kArray || tail->kind == ExprKind::kRow);
  if (!spread) {
    print_list(call.args, true);
  } else {
    // The tail was written as single arguments.
    print_list(call.args.first(call.args.size() - 1), true);
    const ExprList items = tail->kind == ExprKind::kArray ? tail->as<ListExpr>().args : tail->as<RowExpr>().args;
    if (call.args.size() > 1 && !items.empty()) out_ += ", ";
    print_list(items, true);
  }
  out_ += ')';
}

void Deparser::print(const Expr& expr, bool implicit) {
  switch (expr.kind) {
    case ExprKind::kConst: print_constant(expr.as<ConstExpr>()); return;
    case ExprKind::kParam: out_ += "$" + std::to_string(expr.as<ParamExpr>().index + 1); return;
    case ExprKind::kColumn: out_ += options_.column ? options_.column(expr.as<ColumnExpr>()) : "?"; return;
    case ExprKind::kSlot:
      out_ += options_.slot ? options_.slot(expr.as<SlotExpr>()) : "slot " + std::to_string(expr.as<SlotExpr>().slot);
      return;
    case ExprKind::kSubColumn: out_ += "column" + std::to_string(expr.as<SubColumnExpr>().column + 1); return;
    case ExprKind::kElement: out_ += "element"; return;
    case ExprKind::kTestValue: out_ += "CASE_TEST_EXPR"; return;
    case ExprKind::kSetToDefault: out_ += "DEFAULT"; return;
    case ExprKind::kFunction: print_call(expr.as<FunctionExpr>(), implicit); return;
    case ExprKind::kNullIf:
      out_ += "NULLIF(";
      print_list(expr.as<FunctionExpr>().args, true);
      out_ += ')';
      return;
    case ExprKind::kDistinct: {
      out_ += '(';
      print(*expr.as<FunctionExpr>().args[0], true);
      out_ += " IS DISTINCT FROM ";
      print(*expr.as<FunctionExpr>().args[1], true);
      out_ += ')';
      return;
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = expr.as<AggregateExpr>();
      out_ += quote_identifier(aggregate.aggregate->name) + "(";
      if (aggregate.distinct) out_ += "DISTINCT ";
      if (aggregate.star) out_ += '*';
      print_list(aggregate.args, true);
      bool first = true;
      for (const SortKey& key : aggregate.order_by) {
        out_ += first ? " ORDER BY " : ", ";
        first = false;
        print(*key.expr, false);
        if (key.descending) out_ += " DESC";
        if (key.nulls_first != key.descending) out_ += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
      }
      out_ += ')';
      if (aggregate.filter != nullptr) {
        out_ += " FILTER (WHERE ";
        print(*aggregate.filter, false);
        out_ += ')';
      }
      return;
    }
    case ExprKind::kRelabel: {
      const auto& relabel = expr.as<UnaryExpr>();
      if (!relabel.collation.empty()) {
        out_ += '(';
        print(*relabel.arg, implicit);
        out_ += " COLLATE " + quote_identifier(relabel.collation) + ")";
        return;
      }
      if (relabel.form == CallForm::kImplicitCast && !implicit) {
        print(*relabel.arg, false);
        return;
      }
      print_cast(*relabel.arg, expr.type, expr.typmod);
      return;
    }
    case ExprKind::kIoCast: {
      const auto& cast = expr.as<UnaryExpr>();
      if (cast.form == CallForm::kImplicitCast && !implicit) {
        print(*cast.arg, false);
        return;
      }
      print_cast(*cast.arg, expr.type, expr.typmod);
      return;
    }
    case ExprKind::kArrayCast: {
      const auto& cast = expr.as<ArrayCastExpr>();
      if (cast.form == CallForm::kImplicitCast && !implicit) {
        print(*cast.arg, false);
        return;
      }
      print_cast(*cast.arg, expr.type, expr.typmod);
      return;
    }
    case ExprKind::kBool: {
      const auto& boolean = expr.as<BoolExpr>();
      out_ += '(';
      if (boolean.op == BoolOp::kNot) {
        out_ += "NOT ";
        print(*boolean.args[0], false);
      } else {
        print_list(boolean.args, false, boolean.op == BoolOp::kAnd ? " AND " : " OR ");
      }
      out_ += ')';
      return;
    }
    case ExprKind::kCase: {
      const auto& source = expr.as<CaseExpr>();
      out_ += "CASE";
      if (source.arg != nullptr) {
        out_ += ' ';
        print(*source.arg, true);
      }
      for (const CaseWhen& when : source.whens) {
        out_ += " WHEN ";
        const Expr* condition = when.condition;
        // CASE x WHEN y compares; only y was written.
        if (source.arg != nullptr && condition->kind == ExprKind::kFunction && condition->as<FunctionExpr>().args.size() == 2) {
          condition = condition->as<FunctionExpr>().args[1];
        }
        print(*condition, false);
        out_ += " THEN ";
        print(*when.result, true);
      }
      out_ += " ELSE ";
      print(*source.otherwise, true);
      out_ += " END";
      return;
    }
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast:
      out_ += expr.kind == ExprKind::kCoalesce ? "COALESCE(" : expr.kind == ExprKind::kGreatest ? "GREATEST(" : "LEAST(";
      print_list(expr.as<ListExpr>().args, true);
      out_ += ')';
      return;
    case ExprKind::kNullTest: case ExprKind::kBoolTest:
      out_ += '(';
      print(*expr.as<TestExpr>().arg, expr.kind == ExprKind::kNullTest);
      out_ += test_text(expr.as<TestExpr>().test);
      out_ += ')';
      return;
    case ExprKind::kArrayCompare: {
      const auto& compare = expr.as<ArrayCompareExpr>();
      out_ += '(';
      print(*compare.left, true);
      out_ += " " + std::string(compare.op->name) + (compare.all ? " ALL (" : " ANY (");
      print(*compare.array, true);
      out_ += "))";
      return;
    }
    case ExprKind::kArray:
      out_ += "ARRAY[";
      print_list(expr.as<ListExpr>().args, true);
      out_ += ']';
      if (expr.as<ListExpr>().args.empty()) out_ += "::" + format_type(expr.type, -1);
      return;
    case ExprKind::kRow:
      out_ += "ROW(";
      print_list(expr.as<RowExpr>().args, true);
      out_ += ')';
      return;
    case ExprKind::kRowCompare: {
      const auto& compare = expr.as<RowCompareExpr>();
      out_ += "(ROW(";
      print_list(compare.left, true);
      switch (compare.op) {
        case RowCompareOp::kLess: out_ += ") < ROW("; break;
        case RowCompareOp::kLessEqual: out_ += ") <= ROW("; break;
        case RowCompareOp::kGreaterEqual: out_ += ") >= ROW("; break;
        case RowCompareOp::kGreater: out_ += ") > ROW("; break;
      }
      print_list(compare.right, true);
      out_ += "))";
      return;
    }
    case ExprKind::kSubscript: {
      const auto& subscript = expr.as<SubscriptExpr>();
      print_bracketed(*subscript.array);
      for (std::size_t i = 0; i < subscript.upper.size(); ++i) {
        out_ += '[';
        if (subscript.slice) {
          if (subscript.lower[i] != nullptr) print(*subscript.lower[i], false);
          out_ += ':';
        }
        if (subscript.upper[i] != nullptr) print(*subscript.upper[i], false);
        out_ += ']';
      }
      return;
    }
    case ExprKind::kField:
      print_bracketed(*expr.as<FieldExpr>().record);
      out_ += "." + quote_identifier(expr.as<FieldExpr>().name);
      return;
    case ExprKind::kSubLink:
      switch (expr.as<SubLinkExpr>().link) {
        case SubLinkKind::kExists: out_ += "EXISTS (SubPlan)"; return;
        case SubLinkKind::kArray: out_ += "ARRAY (SubPlan)"; return;
        default: out_ += "(SubPlan)"; return;
      }
    case ExprKind::kSqlValue:
      out_ += sql_value_text(expr.as<SqlValueExpr>().value);
      if (expr.typmod >= 0) out_ += "(" + std::to_string(expr.typmod) + ")";
      return;
  }
}

}  // namespace

std::string expr_to_sql(const Expr& expr, const DeparseOptions& options) {
  Deparser deparser(options);
  deparser.print(expr, false);
  return deparser.take();
}

}  // namespace wandian::sql
