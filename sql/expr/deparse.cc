#include "sql/expr/deparse.h"

#include <algorithm>

#include "engine/array_value.h"
#include "sql/bind/stored_names.h"
#include "sql/expr/deparser.h"
#include "sql/functions/citext.h"
#include "sql/functions/quote.h"
#include "sql/functions/session_hooks.h"
#include "sql/routine/routine.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr int kIndentVariable = 4;
constexpr int kIndentLimit = 40, kIndentStandard = 8;   // beyond it lines are indented less

// Never E'...': backslashes stand for themselves in what is printed.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string_view system_column(std::int16_t column) {
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

bool is_cast(const Expr* expr) {
  if (expr->kind == ExprKind::kRelabel || expr->kind == ExprKind::kIoCast || expr->kind == ExprKind::kDomain || expr->kind == ExprKind::kArrayCast) return true;
  if (expr->kind != ExprKind::kFunction) return false;
  const CallForm form = expr->as<FunctionExpr>().form;
  return form == CallForm::kExplicitCast || form == CallForm::kImplicitCast;
}

bool is_operator(const Expr* expr) {
  return expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().op != nullptr && !is_cast(expr) &&
         expr->as<FunctionExpr>().form != CallForm::kCall;
}

bool is_object_name(Oid type) {
  switch (type) {
    case kRegclass: case kRegproc: case kRegprocedure: case kRegoper: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation: return true;
    default: return false;
  }
}

char arithmetic(const Expr* expr) {
  const auto& call = expr->as<FunctionExpr>();
  if (call.args.size() != 2 || call.op->name.size() != 1) return 0;
  const char c = call.op->name[0];
  return c == '+' || c == '-' ? '+' : c == '*' || c == '/' || c == '%' ? '*' : 0;
}

/// Inside of brackets or commas, or between AND and OR, a condition needs no parentheses of its own.
bool is_loose(const Expr* parent) {
  switch (parent->kind) {
    case ExprKind::kFunction: return !is_cast(parent) && !is_operator(parent) && parent->as<FunctionExpr>().form != CallForm::kSqlSyntax;
    case ExprKind::kSubscript: case ExprKind::kArray: case ExprKind::kRow: case ExprKind::kCoalesce: case ExprKind::kGreatest:
    case ExprKind::kLeast: case ExprKind::kNullIf: case ExprKind::kCase: case ExprKind::kAggregate: case ExprKind::kWindow: return true;
    default: return false;
  }
}

// PostgreSQL's isSimpleNode(): whether `expr` needs no parentheses inside of `parent`.
bool is_simple(const Expr* expr, const Expr* parent) {
  switch (expr->kind) {
    case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain:
      return expr->as<UnaryExpr>().collate.empty() && is_simple(expr->as<UnaryExpr>().arg, expr);
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
    case ExprKind::kNullTest: case ExprKind::kBoolTest: case ExprKind::kDistinct: case ExprKind::kSubLink:
      return parent->kind == ExprKind::kBool || is_loose(parent);
    case ExprKind::kBool:
      if (parent->kind != ExprKind::kBool) return is_loose(parent);
      if (expr->as<BoolExpr>().op == BoolOp::kOr) return parent->as<BoolExpr>().op == BoolOp::kOr;
      return parent->as<BoolExpr>().op != BoolOp::kNot;
    case ExprKind::kArrayCompare: case ExprKind::kRowCompare: return false;
    default: return true;
  }
}

// (a, b) = (SELECT ...) is kept as comparisons with the fields of one sub-select's row.
const SubLinkExpr* row_sublink(const Expr* field) {
  if (field->kind != ExprKind::kField || field->as<FieldExpr>().record->kind != ExprKind::kSubLink) return nullptr;
  const auto& link = field->as<FieldExpr>().record->as<SubLinkExpr>();
  return link.link == SubLinkKind::kRow ? &link : nullptr;
}

const SubLinkExpr* compares_with_row(const Expr* expr) {
  if (!is_operator(expr) || expr->as<FunctionExpr>().args.size() != 2) return nullptr;
  return row_sublink(expr->as<FunctionExpr>().args[1]);
}

std::string_view row_operator(RowCompareOp op) {
  static constexpr std::string_view kOperators[] = {"<", "<=", ">=", ">"};
  return kOperators[static_cast<std::size_t>(op)];
}

std::string sql_value(const SqlValueExpr& expr) {
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

}  // namespace

bool looks_like_call(const Expr* expr) {
  switch (expr->kind) {
    case ExprKind::kFunction: return !is_cast(expr) && !is_operator(expr);
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast: case ExprKind::kNullIf: case ExprKind::kSqlValue: return true;
    default: return false;
  }
}

void Deparser::keyword(std::string_view word, int before, int after, int plus) {
  if (!indents_) {
    out_ += word;
    return;
  }
  indent_ += before;
  while (!out_.empty() && out_.back() == ' ') out_.pop_back();
  int amount = std::max(indent_, 0);
  if (indent_ >= kIndentLimit) amount = (kIndentLimit + (indent_ - kIndentLimit) / (kIndentStandard / 2)) % kIndentLimit;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(amount + plus), ' ');
  out_ += word;
  indent_ = std::max(indent_ + after, 0);
}

std::string Deparser::type_name(Oid type, std::int32_t typmod) const {
  if (!stored() || (type < kFirstUserOid && type != type_oid::kCitext)) return format_type(type, typmod);
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->category == 'A' && info->element != 0) return type_name(info->element, typmod) + "[]";
  return stored_type_name(type);
}

void Deparser::put(const Expr* expr, bool show) {
  switch (expr->kind) {
    case ExprKind::kConst: return put_constant(expr->as<ConstExpr>());
    case ExprKind::kParam: {
      const std::uint32_t index = expr->as<ParamExpr>().index;
      const bool named = index < options_.parameters.size() && !options_.parameters[index].empty();
      const bool among_relations = std::any_of(levels_.begin(), levels_.end(), [](const QueryNames* level) { return !level->aliases.empty(); });
      if (named && !options_.parameters_of.empty() && among_relations) out_ += options_.parameters_of + ".";
      out_ += named ? options_.parameters[index] : "$" + std::to_string(index + 1);
      return;
    }
    case ExprKind::kColumn: return put_column(expr->as<ColumnExpr>());
    case ExprKind::kFunction: return put_function(expr->as<FunctionExpr>(), show);
    case ExprKind::kRelabel: {
      const auto& cast = expr->as<UnaryExpr>();
      if (cast.collate.empty()) return put_cast_or_argument(cast.arg, expr, cast.form, show);
      const bool own = options_.collated_constants && cast.arg->kind == ExprKind::kConst;
      if (!own) open();
      put_argument(cast.arg, expr, show);
      out_ += " COLLATE " + (options_.names == nullptr ? quote_identifier(cast.collate) : shown_collation(cast.collate));
      if (!own) close();
      return;
    }
    case ExprKind::kIoCast: case ExprKind::kDomain: return put_cast_or_argument(expr->as<UnaryExpr>().arg, expr, expr->as<UnaryExpr>().form, show);
    case ExprKind::kArrayCast: return put_cast_or_argument(expr->as<ArrayCastExpr>().arg, expr, expr->as<ArrayCastExpr>().form, show);
    case ExprKind::kTestValue: return;
    case ExprKind::kBool: return put_logic(expr->as<BoolExpr>());
    case ExprKind::kCase: return put_case(expr->as<CaseExpr>());
    case ExprKind::kCoalesce:
      if (const auto& merged = expr->as<ListExpr>(); !merged.merged.empty() && merged_name_is_clear(merged)) {
        out_ += quote_identifier(merged.merged);
        return;
      }
      [[fallthrough]];
    case ExprKind::kGreatest: case ExprKind::kLeast:
      out_ += expr->kind == ExprKind::kCoalesce ? "COALESCE(" : expr->kind == ExprKind::kGreatest ? "GREATEST(" : "LEAST(";
      put_list(expr->as<ListExpr>().args);
      out_ += ')';
      return;
    case ExprKind::kNullIf:
      out_ += "NULLIF(";
      put_list(expr->as<FunctionExpr>().args);
      out_ += ')';
      return;
    case ExprKind::kDistinct: {
      const auto& call = expr->as<FunctionExpr>();
      open();
      put_argument(call.args[0], expr, true);
      out_ += " IS DISTINCT FROM ";
      put_argument(call.args[1], expr, true);
      return close();
    }
    case ExprKind::kNullTest: {
      const auto& test = expr->as<TestExpr>();
      open();
      put_argument(test.arg, expr, true);
      out_ += test.test == TestOp::kIsNull ? " IS NULL" : " IS NOT NULL";
      return close();
    }
    case ExprKind::kBoolTest: {
      static constexpr const char* kTests[] = {"NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"};
      const auto& test = expr->as<TestExpr>();
      open();
      put_argument(test.arg, expr, false);
      out_ += std::string(" IS ") + kTests[static_cast<std::size_t>(test.test)];
      return close();
    }
    case ExprKind::kArrayCompare: return put_array_compare(expr->as<ArrayCompareExpr>());
    case ExprKind::kArray: {
      const auto& array = expr->as<ListExpr>();
      out_ += "ARRAY[";
      put_list(array.args);
      out_ += ']';
      if (array.args.empty()) out_ += "::" + type_name(array.type, -1);
      return;
    }
    case ExprKind::kRow: {
      const auto& row = expr->as<RowExpr>();
      if (row.whole_range >= 0 && !levels_.empty()) return put_whole_row(row);
      std::vector<const Expr*> live;   // without the places of dropped columns
      for (const Expr* arg : row.args)
        if (arg->type != kInvalidOid) live.push_back(arg);
      out_ += "ROW(";
      put_list(live);
      out_ += ')';
      if (expr->type != kRecord && row.form == CallForm::kExplicitCast) out_ += "::" + type_name(expr->type, -1);
      return;
    }
    case ExprKind::kRowCompare: {
      const auto& compare = expr->as<RowCompareExpr>();
      if (const SubLinkExpr* link = row_sublink(compare.right[0])) return put_row_sublink(compare.left, row_operator(compare.op), *link);
      out_ += "(ROW(";
      put_list(compare.left);
      out_ += ") " + std::string(row_operator(compare.op)) + " ROW(";
      put_list(compare.right);
      out_ += "))";
      return;
    }
    case ExprKind::kSubscript: return put_subscript(expr->as<SubscriptExpr>());
    case ExprKind::kField: {
      const auto& field = expr->as<FieldExpr>();
      const bool bare = field.record->kind == ExprKind::kField || field.record->kind == ExprKind::kSubscript;
      if (!bare) out_ += '(';
      put(field.record);
      if (!bare) out_ += ')';
      out_ += "." + quote_identifier(field.name);
      return;
    }
    case ExprKind::kSqlValue:
      out_ += sql_value(expr->as<SqlValueExpr>());
      return;
    case ExprKind::kSubLink: return put_sublink(expr->as<SubLinkExpr>());
    case ExprKind::kAggregate: return put_aggregate(expr->as<AggregateExpr>());
    case ExprKind::kWindow: return put_window(expr->as<WindowExpr>());
    case ExprKind::kGrouping:
      out_ += "GROUPING(";
      put_list(expr->as<GroupingExpr>().args);
      out_ += ')';
      return;
    default: out_ += '?';
  }
}

void Deparser::put_argument(const Expr* expr, const Expr* parent, bool show) {
  const bool wrapped = options_.pretty && !is_simple(expr, parent);
  if (wrapped) out_ += '(';
  put(expr, show);
  if (wrapped) out_ += ')';
}

void Deparser::put_list(ExprList args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i != 0) out_ += ", ";
    put(args[i], true);
  }
}

void Deparser::put_column(const ColumnExpr& column) {
  if (levels_.empty()) {
    if (column.column < 0 || static_cast<std::size_t>(column.column) >= options_.columns.size()) out_ += system_column(column.column);
    else if (options_.domain_value) out_ += "VALUE";
    else out_ += quote_identifier(options_.columns[static_cast<std::size_t>(column.column)]);
    return;
  }
  const QueryNames& names = names_at(column.levels_up);
  const RangeEntry& entry = *names.query->ranges[column.range];
  if (stored()) {
    // Columns of system relations may get other numbers one day.
    // What a sample draws has no numbers for columns that were dropped.
    const bool by_name = entry.kind == RangeKind::kSystem || (entry.view != 0 && entry.view < kFirstUserOid) || entry.sample_argument != nullptr;
    const std::string place = kRangeNumber + std::to_string(column.levels_up) + "." + std::to_string(column.range);
    out_ += "\"" + place + "\".";
    if (column.column < 0) out_ += system_column(column.column);
    else if (by_name) out_ += quote_identifier(entry.columns[static_cast<std::size_t>(column.column)].name);
    else out_ += "\"" + std::to_string(column.column) + "\"";
    return;
  }
  out_ += quote_identifier(names.aliases[column.range]) + ".";
  if (column.column < 0) out_ += system_column(column.column);
  else out_ += quote_identifier(names.columns[column.range][static_cast<std::size_t>(column.column)]);
}

void Deparser::put_whole_row(const RowExpr& row) {
  const QueryNames& names = names_at(row.whole_levels_up);
  if (stored()) {
    out_ += "\"" + (kRangeNumber + std::to_string(row.whole_levels_up)) + "." + std::to_string(row.whole_range) + "\".\"*\"";
    return;
  }
  out_ += quote_identifier(names.aliases[static_cast<std::size_t>(row.whole_range)]) + ".*";
}

void Deparser::put_cast_or_argument(const Expr* arg, const Expr* cast, CallForm form, bool show) {
  // What takes any record takes a composite value as it is.
  const bool as_record = form == CallForm::kImplicitCast && cast->type == kRecord && type_kind(arg->type) == 'c';
  if (as_record || (form == CallForm::kImplicitCast && !show)) put_argument(arg, cast, false);
  else put_cast(arg, cast);
}

void Deparser::put_cast(const Expr* arg, const Expr* cast) {
  // A constant needs no parentheses: its own cast ends it.
  if (arg->kind == ExprKind::kConst && arg->type == cast->type) return put_constant(arg->as<ConstExpr>(), cast->typmod);
  open();
  put_argument(arg, cast, false);
  close();
  // A domain's value has its base type without the modifier.
  const bool from_domain = cast->kind == ExprKind::kRelabel && type_kind(arg->type) == 'd';
  out_ += "::" + type_name(cast->type, from_domain ? -1 : cast->typmod);
}

namespace {

bool is_enum_array(const ConstExpr& constant) {
  const TypeInfo* info = find_type(constant.type);
  return info != nullptr && info->category == 'A' && type_kind(info->element) == 'e';
}

}  // namespace

// The ordinals as an array of bigint.
std::string Deparser::enum_array(const ConstExpr& constant, const std::string& type) const {
  Arena arena;
  static const FormatSettings plain;
  EvalContext eval{arena, plain, nullptr, 0, 0, {}};
  std::string text;
  (void)append_text(eval, find_type(kInt8)->array, relabel_array(constant.value, kInt8, arena), text);
  return "'" + text + "'::bigint[]::" + type;
}

void Deparser::put_constant(const ConstExpr& constant, std::int32_t typmod) {
  if (typmod == -2) typmod = constant.typmod;
  const std::string type = constant.type == kUnknown ? "text" : type_name(constant.type, typmod);
  if (constant.value.is_null) {
    out_ += constant.type == kUnknown ? "NULL" : "NULL::" + type;
    return;
  }
  Arena arena;
  static const FormatSettings plain;
  EvalContext eval{arena, options_.format != nullptr ? *options_.format : plain, options_.names, 0, 0, {}};
  std::string value;
  const bool named = is_object_name(constant.type);
  // A stored definition keeps an enum's value as its ordinal, which outlives renaming as well.
  if (stored() && type_kind(constant.type) == 'e') {
    out_ += "'" + std::to_string(constant.value.i) + "'::bigint::" + type;
    return;
  }
  if (stored() && is_enum_array(constant)) {
    out_ += enum_array(constant, type);
    return;
  }
  if (named && stored()) {
    value = std::to_string(static_cast<Oid>(constant.value.i));
  } else if (!append_text(eval, constant.type, constant.value, value)) {
    out_ += "NULL::" + type;
    return;
  }
  switch (constant.type) {
    case kInt4:
      if (value[0] == '-') break;
      out_ += value;
      return;
    case kNumeric: {
      const bool number = value[0] >= '0' && value[0] <= '9' && value.find_first_of("eE.") != std::string::npos;
      if (!number) break;
      out_ += typmod >= 0 ? value + "::" + type : value;
      return;
    }
    case kBool: out_ += value == "t" ? "true" : "false"; return;
    case kUnknown: out_ += literal(value); return;
    default: break;
  }
  out_ += literal(value) + "::" + type;
}

// What belongs to citext is found without its schema only where that is searched.
std::string Deparser::extension_prefix(Oid oid) const {
  if (stored() || !is_citext_object(oid) || options_.names->visible(ObjectClass::kType, kCitext)) return {};
  TypeCatalog* const types = options_.names->types();
  const std::string schema = types != nullptr ? types->type_identity(kCitext).first : std::string();
  return schema.empty() ? std::string() : quote_identifier(schema) + ".";
}

std::string Deparser::operator_text(const OperatorDef& op) const {
  const std::string prefix = extension_prefix(op.oid);
  return prefix.empty() ? std::string(op.name) : "OPERATOR(" + prefix + std::string(op.name) + ")";
}

// "s." where the search path does not find a function of users.
std::string Deparser::declared_schema(Oid function, std::string_view name) const {
  if (options_.names->visible(ObjectClass::kFunction, function)) return {};
  const std::string signature = options_.names->object_name(ObjectClass::kFunctionSignature, function).value_or("");
  const std::size_t end = signature.find(quote_identifier(name) + "(");
  return end == std::string::npos ? std::string() : signature.substr(0, end);
}

void Deparser::put_function(const FunctionExpr& call, bool show) {
  if (is_cast(&call) && !call.args.empty()) return put_cast_or_argument(call.args[0], &call, call.form, show);
  if (const SubLinkExpr* link = compares_with_row(&call)) return put_row_sublink(call.args.first(1), call.op->name, *link);
  if (is_operator(&call) && (call.args.size() == 1 || call.args.size() == 2)) {
    open();
    if (call.args.size() == 2) {
      put_argument(call.args[0], &call, true);
      out_ += ' ';
    }
    out_ += operator_text(*call.op) + " ";
    put_argument(call.args.back(), &call, true);
    return close();
  }
  if (call.form == CallForm::kSqlSyntax && put_sql_syntax(call)) return;
  const Routine* routine = call.function->routine;
  // The code of a function that an extension or a range type declares is called without the declaration, but has its OID.
  const bool declared = routine == nullptr && call.function->oid >= kFirstUserOid;
  if (stored() && (routine != nullptr || declared)) {
    out_ += stored_object_name(call.function->oid);
  } else {
    if (declared) out_ += declared_schema(call.function->oid, call.function->name);
    if (routine != nullptr && !options_.names->visible(ObjectClass::kFunction, routine->oid)) out_ += quote_identifier(routine->schema_name) + ".";
    if (routine == nullptr) out_ += extension_prefix(call.function->oid);
    out_ += quote_identifier(routine != nullptr ? std::string_view(routine->declaration.name) : call.function->name);
  }
  out_ += '(';
  put_call_arguments(call);
  out_ += ')';
}

void Deparser::put_call_arguments(const FunctionExpr& call) {
  if (call.partly_given) {
    for (std::size_t i = 0; i < call.given.size(); ++i) {
      if (i != 0) out_ += ", ";
      const std::uint16_t position = call.given[i];
      if (i >= call.named_from) {
        const Routine* routine = call.function->routine;
        out_ += quote_identifier(routine != nullptr ? std::string_view(routine->declaration.parameters[routine->inputs[position]].name)
                                                    : call.function->arg_names[position]) +
                " => ";
      }
      put(call.args[position], true);
    }
    return;
  }
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (i != 0) out_ += ", ";
    if (call.variadic_array && i + 1 == call.args.size()) {
      // Of VARIADIC "any" what was given one by one is a record here.
      if (call.args[i]->kind == ExprKind::kRow && call.function->variadic == kAny) {
        put_list(call.args[i]->as<RowExpr>().args);
        continue;
      }
      out_ += "VARIADIC ";
    }
    put(call.args[i], true);
  }
}

bool Deparser::put_sql_syntax(const FunctionExpr& call) {
  const std::string_view name = call.function->name;
  const ExprList args = call.args;
  const auto text = [&](std::size_t i) { return aside([&] { put(args[i]); }); };
  const std::size_t count = args.size();
  if (name == "extract" && count == 2 && args[0]->kind == ExprKind::kConst && !args[0]->as<ConstExpr>().value.is_null) {
    out_ += "EXTRACT(" + std::string(args[0]->as<ConstExpr>().value.bytes()) + " FROM " + text(1) + ")";
  } else if (name == "timezone" && count == 2) {
    out_ += "(" + text(1) + " AT TIME ZONE " + text(0) + ")";
  } else if (name == "overlaps" && count == 4) {
    out_ += "((" + text(0) + ", " + text(1) + ") OVERLAPS (" + text(2) + ", " + text(3) + "))";
  } else if (name == "position" && count == 2) {
    out_ += "POSITION((" + text(1) + ") IN (" + text(0) + "))";
  } else if (name == "substring" && (count == 2 || count == 3)) {
    const bool pattern = count == 3 && args[1]->type == kText;
    out_ += "SUBSTRING(" + text(0) + (pattern ? " SIMILAR " : " FROM ") + text(1);
    if (count == 3) out_ += (pattern ? " ESCAPE " : " FOR ") + text(2);
    out_ += ")";
  } else if (name == "overlay" && count >= 3) {
    out_ += "OVERLAY(" + text(0) + " PLACING " + text(1) + " FROM " + text(2);
    if (count == 4) out_ += " FOR " + text(3);
    out_ += ")";
  } else {
    const char* side = name == "ltrim" ? "LEADING" : name == "rtrim" ? "TRAILING" : name == "btrim" ? "BOTH" : nullptr;
    if (side == nullptr || count == 0 || count > 2) return false;
    out_ += "TRIM(" + std::string(side);
    if (count == 2) out_ += " " + text(1);
    out_ += " FROM " + text(0) + ")";
  }
  return true;
}

void Deparser::put_logic(const BoolExpr& expr) {
  if (expr.op == BoolOp::kNot) {
    open();
    out_ += "NOT ";
    put_argument(expr.args[0], &expr, false);
    return close();
  }
  const bool is_and = expr.op == BoolOp::kAnd;
  // Comparisons with one sub-select's row are one.
  if (const SubLinkExpr* link = compares_with_row(expr.args[0])) {
    std::vector<const Expr*> left;
    for (const Expr* arg : expr.args)
      if (compares_with_row(arg) == link) left.push_back(arg->as<FunctionExpr>().args[0]);
    if (left.size() == expr.args.size()) return put_row_sublink(left, expr.args[0]->as<FunctionExpr>().op->name, *link);
  }
  open();
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    if (i != 0) out_ += is_and ? " AND " : " OR ";
    const Expr* arg = expr.args[i];
    if (stored() && arg->kind == ExprKind::kBool && arg->as<BoolExpr>().op == expr.op) {
      out_ += "pg_catalog." + quote_identifier(is_and ? kStoredAnd : kStoredOr) + "(";
      put_list(arg->as<BoolExpr>().args);
      out_ += ')';
      continue;
    }
    put_argument(arg, &expr, false);
  }
  close();
}

void Deparser::put_case(const CaseExpr& expr) {
  keyword("CASE", 0, kIndentVariable, 0);
  if (expr.arg != nullptr) {
    out_ += ' ';
    put(expr.arg, true);
  }
  for (const CaseWhen& when : expr.whens) {
    const Expr* condition = when.condition;
    // CASE x WHEN y holds x = y.
    if (expr.arg != nullptr && condition->kind == ExprKind::kFunction && condition->as<FunctionExpr>().args.size() == 2)
      condition = condition->as<FunctionExpr>().args[1];
    if (!indents_) out_ += ' ';
    keyword("WHEN ", 0, 0, 0);
    put(condition);
    out_ += " THEN ";
    put(when.result, true);
  }
  if (!indents_) out_ += ' ';
  keyword("ELSE ", 0, 0, 0);
  put(expr.otherwise, true);
  if (!indents_) out_ += ' ';
  keyword("END", -kIndentVariable, 0, 0);
}

void Deparser::put_array_compare(const ArrayCompareExpr& compare) {
  open();
  if (stored() && compare.in_list) {
    // So that it is one again, of the same types.
    put_argument(compare.left, &compare, false);
    out_ += compare.all ? " NOT IN (" : " IN (";
    const Expr* array = compare.array;
    while (array->kind != ExprKind::kArray) array = array->kind == ExprKind::kArrayCast ? array->as<ArrayCastExpr>().arg : array->as<UnaryExpr>().arg;
    put_list(array->as<ListExpr>().args);
    out_ += ')';
    return close();
  }
  put_argument(compare.left, &compare, true);
  out_ += " " + operator_text(*compare.op) + (compare.all ? " ALL (" : " ANY (");
  put_argument(compare.array, &compare, true);
  // A sub-select by itself would be read as the rows to compare with.
  if (compare.array->kind == ExprKind::kSubLink && compare.array->as<SubLinkExpr>().link == SubLinkKind::kScalar)
    out_ += "::" + type_name(compare.array->type, compare.array->typmod);
  out_ += ')';
  close();
}

void Deparser::put_subscript(const SubscriptExpr& expr) {
  const bool bare = expr.array->kind == ExprKind::kColumn;
  if (!bare) out_ += '(';
  put(expr.array);
  if (!bare) out_ += ')';
  for (std::size_t i = 0; i < expr.upper.size(); ++i) {
    out_ += '[';
    if (expr.slice) {
      if (i < expr.lower.size() && expr.lower[i] != nullptr) put(expr.lower[i]);
      out_ += ':';
    }
    if (expr.upper[i] != nullptr) put(expr.upper[i]);
    out_ += ']';
  }
}

void Deparser::put_row_sublink(ExprList left, std::string_view op, const SubLinkExpr& link) {
  out_ += "((";
  put_list(left);
  out_ += ") " + std::string(op) + " (";
  put_query(*link.query, {}, false);
  out_ += "))";
}

void Deparser::put_sublink(const SubLinkExpr& link) {
  out_ += link.link == SubLinkKind::kArray ? "ARRAY(" : "(";
  if (link.test != nullptr) {
    std::string op;
    const auto put_left = [&](const Expr* comparison) {
      const auto& call = comparison->as<FunctionExpr>();
      put(call.args[0], true);
      if (op.empty()) op = operator_text(*call.op);
    };
    const Expr* test = link.test;
    if (test->kind == ExprKind::kBool) {
      out_ += '(';
      for (std::size_t i = 0; i < test->as<BoolExpr>().args.size(); ++i) {
        if (i != 0) out_ += ", ";
        put_left(test->as<BoolExpr>().args[i]);
      }
      out_ += ')';
    } else if (test->kind == ExprKind::kRowCompare) {
      out_ += '(';
      put_list(test->as<RowCompareExpr>().left);
      out_ += ')';
      op = row_operator(test->as<RowCompareExpr>().op);
    } else {
      put_left(test);
    }
    if (link.link == SubLinkKind::kAny && op == "=") out_ += " IN ";
    else out_ += " " + std::string(op) + (link.link == SubLinkKind::kAny ? " ANY " : " ALL ");
  }
  if (link.link == SubLinkKind::kExists) out_ += "EXISTS ";
  const bool inner = link.test != nullptr || link.link == SubLinkKind::kExists;
  if (inner) out_ += '(';
  put_query(*link.query, {}, false);
  out_ += inner ? "))" : ")";
}

void Deparser::put_aggregate(const AggregateExpr& call) {
  out_ += extension_prefix(call.aggregate->oid) + quote_identifier(call.aggregate->name) + "(";
  if (call.distinct) out_ += "DISTINCT ";
  if (call.aggregate->kind == 'o' || call.aggregate->kind == 'h') {
    put_list(call.direct_args);
    out_ += ") WITHIN GROUP (ORDER BY ";
    put_sort_keys(call.order_by);
  } else {
    if (call.star) out_ += '*';
    put_list(call.args);
    if (!call.order_by.empty()) {
      out_ += " ORDER BY ";
      put_sort_keys(call.order_by);
    }
  }
  if (call.filter != nullptr) {
    out_ += ") FILTER (WHERE ";
    put(call.filter);
  }
  out_ += ')';
}

void Deparser::put_window(const WindowExpr& call) {
  out_ += quote_identifier(call.function != nullptr ? call.function->name : call.aggregate->name) + "(";
  if (call.star) out_ += '*';
  put_list(call.args);
  if (call.filter != nullptr) {
    out_ += ") FILTER (WHERE ";
    put(call.filter);
  }
  out_ += ") OVER ";
  if (levels_.empty()) return;
  const WindowDefinition& window = names_at(0).query->windows[call.window];
  if (!window.name.empty()) out_ += quote_identifier(window.name);
  else put_window_definition(window);
}

std::string deparse(const Expr* expr, const DefinitionStyle& options) {
  Deparser deparser(options);
  deparser.put(expr);
  return deparser.take();
}

std::vector<std::string> column_names(const TableDef& table) {
  std::vector<std::string> out;
  out.reserve(table.columns.size());
  for (const ColumnDef& column : table.columns) out.push_back(column.name);
  return out;
}

}  // namespace wandian::sql
