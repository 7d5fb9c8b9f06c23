// Expressions: every node of the grammar that yields a value.
#include <algorithm>
#include <charconv>

#include "engine/array_value.h"
#include "sql/bind/internal.h"
#include "sql/functions/citext.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

std::string_view operator_name(PgQuery__Node** names, std::size_t count) {
  return count == 0 ? std::string_view{} : string_value(names[count - 1]);
}

bool is_row(const ParseNode* node) { return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR; }

std::string_view test_clause(PgQuery__BoolTestType type) {
  switch (type) {
    case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE: return "IS TRUE";
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE: return "IS NOT TRUE";
    case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE: return "IS FALSE";
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE: return "IS NOT FALSE";
    case PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN: return "IS UNKNOWN";
    default: return "IS NOT UNKNOWN";
  }
}

TestOp test_op(PgQuery__BoolTestType type) {
  switch (type) {
    case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE: return TestOp::kIsTrue;
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE: return TestOp::kIsNotTrue;
    case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE: return TestOp::kIsFalse;
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE: return TestOp::kIsNotFalse;
    case PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN: return TestOp::kIsUnknown;
    default: return TestOp::kIsNotUnknown;
  }
}

}  // namespace

const Expr* Binder::bind_in_place(Scope& scope, const ParseNode* node, Place place) {
  const Place outer = std::exchange(scope.place, place);
  const Expr* out = bind_expr(scope, node);
  scope.place = outer;
  return out;
}

const Expr* Binder::bind_value(Scope& scope, const ParseNode* node, Place place) {
  if (node->node_case != PG_QUERY__NODE__NODE_SET_TO_DEFAULT) return bind_in_place(scope, node, place);
  auto* out = make<DefaultMarker>();
  out->type = kUnknown;
  out->location = node->set_to_default->location;
  return out;
}

const Expr* Binder::to_boolean(const Expr* expr, std::string_view clause) {
  if (expr->type != kBool) {
    const Expr* out = coerce(expr, kBool, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
    if (out == nullptr) {
      fail(at(Status{sqlstate::datatype_mismatch,
                     "argument of " + std::string(clause) + " must be type boolean, not type " + type_text(expr->type)},
              expr->location));
    }
    expr = out;
  }
  if (expr->returns_set) {
    fail(at(Status{sqlstate::datatype_mismatch, "argument of " + std::string(clause) + " must not return a set"}, expr->location));
  }
  return expr;
}

void Binder::refuse_sets(const Expr* expr, std::string_view construct) {
  any_node(expr, [&](const Expr* node) {
    if (!node->returns_set) return false;
    fail(at(Status{sqlstate::feature_not_supported, "set-returning functions are not allowed in " + std::string(construct)}.with_hint(
                "You might be able to move the set-returning function into a LATERAL FROM item."),
            node->location));
  });
}

const Expr* Binder::bind_condition(Scope& scope, const ParseNode* node, Place place, std::string_view clause) {
  if (node == nullptr) return nullptr;
  return to_boolean(bind_in_place(scope, node, place), clause);
}

const Expr* Binder::bind_expr(Scope& scope, const ParseNode* node) {
  if (node == nullptr) fail(Status{sqlstate::internal_error, "missing expression"});
  check_stack(-1);
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF: return bind_column_ref(scope, *node->column_ref);
    case PG_QUERY__NODE__NODE_PARAM_REF: return bind_param(*node->param_ref);
    case PG_QUERY__NODE__NODE_A_CONST: return bind_constant(*node->a_const);
    case PG_QUERY__NODE__NODE_A_EXPR: return bind_a_expr(scope, *node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR: return bind_bool(scope, *node->bool_expr);
    case PG_QUERY__NODE__NODE_FUNC_CALL: return bind_function_call(scope, *node->func_call);
    case PG_QUERY__NODE__NODE_TYPE_CAST: return bind_cast(scope, *node->type_cast);
    case PG_QUERY__NODE__NODE_CASE_EXPR: return bind_case(scope, *node->case_expr);
    case PG_QUERY__NODE__NODE_SUB_LINK: return bind_sublink(scope, *node->sub_link);
    case PG_QUERY__NODE__NODE_ROW_EXPR: return bind_row(scope, *node->row_expr);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR: return bind_array(scope, *node->a_array_expr, 0, 0, -1);
    case PG_QUERY__NODE__NODE_A_INDIRECTION: return bind_indirection(scope, *node->a_indirection);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION: return bind_value_function(*node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR: {
      const PgQuery__CoalesceExpr& source = *node->coalesce_expr;
      std::vector<const Expr*> args;
      for (std::size_t i = 0; i < source.n_args; ++i) args.push_back(bind_expr(scope, source.args[i]));
      for (const Expr* arg : args) refuse_sets(arg, "COALESCE");
      const Oid type = common_type(args, "COALESCE");
      const std::int32_t typmod = common_typmod(args, type);
      for (const Expr*& arg : args) arg = coerce_common(arg, type, "COALESCE");
      auto* out = make<ListExpr>(ExprKind::kCoalesce);
      out->args = keep(args);
      out->type = type;
      out->typmod = typmod;
      out->location = source.location;
      return out;
    }
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR: {
      const PgQuery__MinMaxExpr& source = *node->min_max_expr;
      const bool greatest = source.op == PG_QUERY__MIN_MAX_OP__IS_GREATEST;
      const char* construct = greatest ? "GREATEST" : "LEAST";
      std::vector<const Expr*> args;
      for (std::size_t i = 0; i < source.n_args; ++i) args.push_back(bind_expr(scope, source.args[i]));
      const Oid type = common_type(args, construct);
      const std::int32_t typmod = common_typmod(args, type);
      for (const Expr*& arg : args) arg = coerce_common(arg, type, construct);
      auto* out = make<ListExpr>(greatest ? ExprKind::kGreatest : ExprKind::kLeast);
      out->args = keep(args);
      out->type = type;
      out->typmod = typmod;
      out->location = source.location;
      return out;
    }
    case PG_QUERY__NODE__NODE_NULL_TEST: {
      const PgQuery__NullTest& source = *node->null_test;
      auto* out = make<TestExpr>(ExprKind::kNullTest);
      out->test = source.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL ? TestOp::kIsNull : TestOp::kIsNotNull;
      out->arg = bind_expr(scope, source.arg);
      out->of_row = out->arg->type == kRecord || type_kind(base_type(out->arg->type)) == 'c';
      out->type = kBool;
      out->location = source.location;
      return out;
    }
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST: {
      const PgQuery__BooleanTest& source = *node->boolean_test;
      auto* out = make<TestExpr>(ExprKind::kBoolTest);
      out->test = test_op(source.booltesttype);
      out->arg = to_boolean(bind_expr(scope, source.arg), test_clause(source.booltesttype));
      out->type = kBool;
      out->location = source.location;
      return out;
    }
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE: {
      const PgQuery__CollateClause& source = *node->collate_clause;
      const Expr* arg = bind_expr(scope, source.arg);
      if (arg->type == kUnknown) arg = coerce(arg, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
      if (!is_collatable(arg->type)) {
        fail(at(Status{sqlstate::datatype_mismatch, "collations are not supported by type " + type_text(arg->type)}, source.location));
      }
      auto* out = make<UnaryExpr>(ExprKind::kRelabel);
      out->arg = arg;
      out->type = arg->type;
      out->typmod = arg->typmod;
      out->collate = named_collation({source.collname, source.n_collname}, source.location);
      collated_ = true;
      out->form = CallForm::kSqlSyntax;
      out->location = source.location;
      return out;
    }
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      fail(at(Status{sqlstate::syntax_error, "DEFAULT is not allowed in this context"}, node->set_to_default->location));
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR: return bind_expr(scope, node->named_arg_expr->arg);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC: return bind_grouping(scope, *node->grouping_func);
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR:
      fail(Status{sqlstate::syntax_error, "WHERE CURRENT OF is not supported here"});
    case PG_QUERY__NODE__NODE_XML_EXPR:
    case PG_QUERY__NODE__NODE_XML_SERIALIZE: fail(Status{sqlstate::feature_not_supported, "XML is not supported"});
    default: fail(Status{sqlstate::feature_not_supported, "this kind of expression is not supported"});
  }
}

const Expr* Binder::bind_constant(const PgQuery__AConst& constant) {
  auto* out = make<ConstExpr>();
  out->location = constant.location;
  out->type = kUnknown;
  if (constant.isnull != 0) return out;
  switch (constant.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      out->type = kInt4;
      out->value = Value::of_int(constant.ival->ival);
      return out;
    case PG_QUERY__A__CONST__VAL_FVAL: {
      const std::string_view digits = constant.fval->fval;
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error == std::errc{} && end == digits.data() + digits.size()) {
        out->type = value >= INT32_MIN && value <= INT32_MAX ? kInt4 : kInt8;
        out->value = Value::of_int(value);
        return out;
      }
      out->value = Value::of_bytes(arena_.copy(digits));
      return literal_to_type(*out, kNumeric, -1, constant.location);
    }
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      out->type = kBool;
      out->value = Value::of_bool(constant.boolval->boolval != 0);
      return out;
    case PG_QUERY__A__CONST__VAL_SVAL:
      out->value = Value::of_bytes(arena_.copy(constant.sval->sval != nullptr ? constant.sval->sval : ""));
      return out;
    case PG_QUERY__A__CONST__VAL_BSVAL:
      out->value = Value::of_bytes(arena_.copy(constant.bsval->bsval));
      return literal_to_type(*out, kBit, -1, constant.location);
    default: return out;
  }
}

const Expr* Binder::bind_param(const PgQuery__ParamRef& ref) {
  if (ref.number <= 0 || ref.number > 65535) {
    fail(at(Status{sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(ref.number)}, ref.location));
  }
  if (variables_ != nullptr) {
    BindVariables::Found found;
    Result<bool> any = variables_->find_number(static_cast<std::uint32_t>(ref.number), &found);
    if (!any.ok()) fail(at(any.take_status(), ref.location));
    if (!any.value()) fail(at(Status{sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(ref.number)}, ref.location));
    return found.is_row ? variable_row(found, ref.location) : bind_variable(found.scalar, ref.location);
  }
  // A definition has none.
  if (context_.as_written) fail(at(Status{sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(ref.number)}, ref.location));
  const auto index = static_cast<std::size_t>(ref.number - 1);
  if (index >= parameters_.size()) parameters_.resize(index + 1, 0);
  if (parameters_[index] == 0) parameters_[index] = kUnknown;
  auto* out = make<ParamExpr>();
  out->index = static_cast<std::uint32_t>(index);
  out->type = parameters_[index];
  out->location = ref.location;
  return out;
}

const Expr* Binder::bool_list(BoolOp op, std::vector<const Expr*> args) {
  if (args.size() == 1) return args[0];
  auto* out = make<BoolExpr>();
  out->op = op;
  std::vector<const Expr*> flat;
  for (const Expr* arg : args) {
    if (arg->kind == ExprKind::kBool && arg->as<BoolExpr>().op == op && !context_.as_written) {
      for (const Expr* inner : arg->as<BoolExpr>().args) flat.push_back(inner);
    } else {
      flat.push_back(arg);
    }
  }
  out->args = keep(flat);
  out->type = kBool;
  out->location = args[0]->location;
  return out;
}

const Expr* Binder::negated(const Expr* arg, int location) {
  auto* out = make<BoolExpr>();
  out->op = BoolOp::kNot;
  out->args = list({arg});
  out->type = kBool;
  out->location = location;
  return out;
}

const Expr* Binder::bind_bool(Scope& scope, const PgQuery__BoolExpr& expr) {
  const bool is_not = expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR;
  const bool is_and = expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
  const std::string_view clause = is_not ? "NOT" : is_and ? "AND" : "OR";
  std::vector<const Expr*> args;
  for (std::size_t i = 0; i < expr.n_args; ++i) args.push_back(to_boolean(bind_expr(scope, expr.args[i]), clause));
  if (is_not) return negated(args[0], expr.location);
  return bool_list(is_and ? BoolOp::kAnd : BoolOp::kOr, std::move(args));
}

const Expr* Binder::compare_rows(std::string_view op, std::span<const Expr* const> left, std::span<const Expr* const> right, int location) {
  if (left.size() != right.size()) {
    fail(at(Status{sqlstate::syntax_error, "unequal number of entries in row expressions"}, location));
  }
  if (left.empty()) fail(at(Status{sqlstate::feature_not_supported, "cannot compare rows of zero length"}, location));
  if (left.size() == 1) return make_operator(op, left[0], right[0], location);
  if (op == "=" || op == "<>" || op == "!=") {
    std::vector<const Expr*> pairs;
    for (std::size_t i = 0; i < left.size(); ++i) {
      const Expr* pair = make_operator(op, left[i], right[i], location);
      if (pair->type != kBool) {
        fail(at(Status{sqlstate::datatype_mismatch, "row comparison operator must yield type boolean, not type " + type_text(pair->type)},
                location));
      }
      pairs.push_back(pair);
    }
    return bool_list(op == "=" ? BoolOp::kAnd : BoolOp::kOr, std::move(pairs));
  }
  RowCompareOp kind;
  if (op == "<") {
    kind = RowCompareOp::kLess;
  } else if (op == "<=") {
    kind = RowCompareOp::kLessEqual;
  } else if (op == ">=") {
    kind = RowCompareOp::kGreaterEqual;
  } else if (op == ">") {
    kind = RowCompareOp::kGreater;
  } else {
    for (std::size_t i = 0; i < left.size(); ++i) make_operator(op, left[i], right[i], location);   // a missing operator comes first
    fail(at(Status{sqlstate::feature_not_supported, "could not determine interpretation of row comparison operator " + std::string(op)}
                .with_hint("Row comparison operators must be associated with btree operator families."),
            location));
  }
  auto* out = make<RowCompareExpr>();
  out->op = kind;
  out->type = kBool;
  out->location = location;
  std::vector<const Expr*> lefts, rights;
  std::vector<const FunctionExpr*> less, equal_to;
  const std::string_view strict = kind == RowCompareOp::kLess || kind == RowCompareOp::kLessEqual ? "<" : ">";
  for (std::size_t i = 0; i < left.size(); ++i) {
    // The operator written decides how unknown literals are read, then both comparisons see the coerced sides.
    const FunctionExpr* written = make_operator_node(op, left[i], right[i], location);
    lefts.push_back(written->args[0]);
    rights.push_back(written->args[1]);
    less.push_back(make_operator_node(strict, written->args[0], written->args[1], location));
    equal_to.push_back(make_operator_node("=", written->args[0], written->args[1], location));
  }
  out->left = keep(lefts);
  out->right = keep(rights);
  out->less = keep(less);
  out->equal = keep(equal_to);
  return out;
}

const Expr* Binder::bind_in(Scope& scope, const PgQuery__AExpr& expr, std::string_view op) {
  const bool negative = op == "<>";
  const PgQuery__List& items = *expr.rexpr->list;
  const Expr* left = bind_expr(scope, expr.lexpr);
  std::vector<const Expr*> constants, others;
  for (std::size_t i = 0; i < items.n_items; ++i) {
    const Expr* item = bind_expr(scope, items.items[i]);
    // Only the current level's columns matter: what is outer is one value for each scan.
    (collect_columns(item).empty() ? constants : others).push_back(item);
  }
  std::vector<const Expr*> parts;
  if (constants.size() > 1) {
    std::vector<const Expr*> all{left};
    all.insert(all.end(), constants.begin(), constants.end());
    const Oid scalar = common_type(all, {});
    bool usable = scalar != 0 && scalar != kRecord && array_type_of(scalar) != 0;
    if (usable) {
      for (const Expr* item : all) {
        const Oid source = item->type;
        if (!can_coerce({&source, 1}, {&scalar, 1}, CoerceContext::kImplicit)) usable = false;
      }
    }
    if (usable) {
      std::vector<const Expr*> elements;
      for (const Expr* item : constants) elements.push_back(coerce_common(item, scalar, "IN"));
      auto* array = make<ListExpr>(ExprKind::kArray);
      array->args = keep(elements);
      array->element_type = scalar;
      array->type = array_type_of(scalar);
      array->location = -1;
      auto* compare = const_cast<ArrayCompareExpr*>(
          &make_array_operator(op, left, array, negative, expr.location)->as<ArrayCompareExpr>());
      compare->in_list = true;
      parts.push_back(compare);
    } else {
      others.insert(others.begin(), constants.begin(), constants.end());
    }
  } else {
    others.insert(others.begin(), constants.begin(), constants.end());
  }
  for (const Expr* item : others) {
    if (left->kind == ExprKind::kRow && item->kind == ExprKind::kRow) {
      parts.push_back(compare_rows(op, left->as<RowExpr>().args, item->as<RowExpr>().args, expr.location));
    } else {
      parts.push_back(to_boolean(make_operator(op, left, item, expr.location), "IN"));
    }
  }
  const BoolOp op_between = negative ? BoolOp::kAnd : BoolOp::kOr;
  if (!context_.as_written) return bool_list(op_between, std::move(parts));
  const Expr* out = parts[0];   // PostgreSQL's tree has one on top of another
  for (std::size_t i = 1; i < parts.size(); ++i) out = bool_list(op_between, {out, parts[i]});
  return out;
}

const Expr* Binder::bind_between(Scope& scope, const PgQuery__AExpr& expr) {
  const PgQuery__List& bounds = *expr.rexpr->list;
  const int location = expr.location;
  // Bound anew for each comparison: a parameter has its type after the first.
  const auto compare = [&](std::string_view op, const ParseNode* right) {
    const Expr* a = bind_expr(scope, expr.lexpr);
    const Expr* b = bind_expr(scope, right);
    if (a->kind == ExprKind::kRow && b->kind == ExprKind::kRow) {
      return compare_rows(op, a->as<RowExpr>().args, b->as<RowExpr>().args, location);
    }
    return make_operator(op, a, b, location);
  };
  const auto within = [&](const ParseNode* low, const ParseNode* high) {
    return bool_list(BoolOp::kAnd, {to_boolean(compare(">=", low), "AND"), to_boolean(compare("<=", high), "AND")});
  };
  const auto outside = [&](const ParseNode* low, const ParseNode* high) {
    return bool_list(BoolOp::kOr, {to_boolean(compare("<", low), "OR"), to_boolean(compare(">", high), "OR")});
  };
  const ParseNode* low = bounds.items[0];
  const ParseNode* high = bounds.items[1];
  switch (expr.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN: return within(low, high);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN: return outside(low, high);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM: return bool_list(BoolOp::kOr, {within(low, high), within(high, low)});
    default: return bool_list(BoolOp::kAnd, {outside(low, high), outside(high, low)});
  }
}

const Expr* Binder::make_distinct(const Expr* left, const Expr* right, int location) {
  const FunctionExpr* out = make_operator_node("=", left, right, location, ExprKind::kDistinct);
  if (out->type != kBool) {
    fail(at(Status{sqlstate::datatype_mismatch, "IS DISTINCT FROM requires = operator to yield boolean"}, location));
  }
  return out;
}

const Expr* Binder::bind_distinct(Scope& scope, const PgQuery__AExpr& expr) {
  const bool negative = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT;
  const Expr* left = bind_expr(scope, expr.lexpr);
  const Expr* right = bind_expr(scope, expr.rexpr);
  const Expr* out = nullptr;
  const auto is_null_literal = [](const Expr* e) {
    return e->kind == ExprKind::kConst && e->type == kUnknown && e->as<ConstExpr>().value.is_null;
  };
  if (left->kind == ExprKind::kRow && right->kind == ExprKind::kRow) {
    const auto& a = left->as<RowExpr>();
    const auto& b = right->as<RowExpr>();
    if (a.args.size() != b.args.size()) {
      fail(at(Status{sqlstate::syntax_error, "unequal number of entries in row expressions"}, expr.location));
    }
    std::vector<const Expr*> pairs;
    for (std::size_t i = 0; i < a.args.size(); ++i) pairs.push_back(make_distinct(a.args[i], b.args[i], expr.location));
    out = pairs.empty() ? make_bool(arena_, false) : bool_list(BoolOp::kOr, std::move(pairs));
  } else if (is_null_literal(left) || is_null_literal(right)) {
    auto* test = make<TestExpr>(ExprKind::kNullTest);
    test->arg = is_null_literal(right) ? left : right;
    if (test->arg->type == kUnknown) test->arg = coerce(test->arg, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    test->test = negative ? TestOp::kIsNull : TestOp::kIsNotNull;
    test->type = kBool;
    test->location = expr.location;
    return test;
  } else {
    out = make_distinct(left, right, expr.location);
  }
  return negative ? negated(out, expr.location) : out;
}

const Expr* Binder::bind_a_expr(Scope& scope, const PgQuery__AExpr& expr) {
  const std::string_view op = operator_name(expr.name, expr.n_name);
  // Besides PostgreSQL's own there are those of citext alone, in its schema.
  const std::optional<Oid> citext = expr.n_name == 2 ? citext_schema(catalog(), context_.database) : std::nullopt;
  const bool of_citext = citext && context_.catalog->find_schema(context_.database, string_value(expr.name[0])) == citext;
  if (expr.n_name == 2 && string_value(expr.name[0]) != "pg_catalog" && !of_citext) {
    fail(at(Status{sqlstate::undefined_function, "operator does not exist: " + std::string(string_value(expr.name[0])) + "." + std::string(op)},
            expr.location));
  }
  switch (expr.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP: {
      if (expr.lexpr != nullptr && is_row(expr.lexpr) && expr.rexpr->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
          expr.rexpr->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) {
        const Expr* left = bind_expr(scope, expr.lexpr);
        const PgQuery__SubLink& source = *expr.rexpr->sub_link;
        auto* link = make<SubLinkExpr>();
        link->link = SubLinkKind::kRow;
        link->query = bind_query_node(source.subselect, &scope);
        link->type = kRecord;
        link->location = source.location;
        if (scope.query != nullptr) scope.query->has_sublinks = true;
        std::vector<const Expr*> fields;
        for (const TargetEntry& target : link->query->targets) {
          if (target.junk) continue;
          auto* field = make<FieldExpr>();
          field->record = link;
          field->field = static_cast<std::uint16_t>(fields.size());
          field->name = target.name;
          field->type = target.expr->type;
          field->typmod = target.expr->typmod;
          fields.push_back(field);
        }
        const auto& lefts = left->as<RowExpr>().args;
        if (fields.size() < lefts.size()) fail(at(Status{sqlstate::syntax_error, "subquery has too few columns"}, source.location));
        if (fields.size() > lefts.size()) fail(at(Status{sqlstate::syntax_error, "subquery has too many columns"}, source.location));
        return compare_rows(op, lefts, fields, expr.location);
      }
      const Expr* left = expr.lexpr != nullptr ? bind_expr(scope, expr.lexpr) : nullptr;
      const Expr* right = bind_expr(scope, expr.rexpr);
      if (left != nullptr && left->kind == ExprKind::kRow && right->kind == ExprKind::kRow && is_row(expr.lexpr) && is_row(expr.rexpr)) {
        return compare_rows(op, left->as<RowExpr>().args, right->as<RowExpr>().args, expr.location);
      }
      return make_operator(op, left, right, expr.location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL: {
      const Expr* left = bind_expr(scope, expr.lexpr);
      const Expr* right = bind_expr(scope, expr.rexpr);
      return make_array_operator(op, left, right, expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL, expr.location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT: return bind_distinct(scope, expr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF: {
      const Expr* left = bind_expr(scope, expr.lexpr);
      const Expr* right = bind_expr(scope, expr.rexpr);
      auto* out = const_cast<FunctionExpr*>(make_operator_node("=", left, right, expr.location, ExprKind::kNullIf));
      if (out->type != kBool) {
        fail(at(Status{sqlstate::datatype_mismatch, "NULLIF requires = operator to yield boolean"}, expr.location));
      }
      // A composite value is compared as a record and stays what it is.
      const Expr* first = without_domain(left);
      const bool composite = type_kind(first->type) == 'c';
      out->type = composite ? first->type : out->args[0]->type;
      out->typmod = composite ? first->typmod : out->args[0]->typmod;
      return out;
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN: return bind_in(scope, expr, op);
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR: {
      const Expr* left = bind_expr(scope, expr.lexpr);
      const Expr* right = bind_expr(scope, expr.rexpr);
      return make_operator(op, left, right, expr.location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM: return bind_between(scope, expr);
    default: fail(at(Status{sqlstate::feature_not_supported, "this kind of operator is not supported"}, expr.location));
  }
}

const Expr* Binder::bind_case(Scope& scope, const PgQuery__CaseExpr& expr) {
  auto* out = make<CaseExpr>();
  out->location = expr.location;
  const TestValueExpr* placeholder = nullptr;
  if (expr.arg != nullptr) {
    const Expr* arg = bind_expr(scope, expr.arg);
    if (arg->type == kUnknown) arg = coerce(arg, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    out->arg = arg;
    auto* test = make<TestValueExpr>();
    test->type = arg->type;
    test->typmod = arg->typmod;
    placeholder = test;
  }
  std::vector<CaseWhen> whens;
  for (std::size_t i = 0; i < expr.n_args; ++i) {
    const PgQuery__CaseWhen& source = *expr.args[i]->case_when;
    CaseWhen when;
    const Expr* condition = bind_expr(scope, source.expr);
    if (placeholder != nullptr) condition = make_operator("=", placeholder, condition, source.location);
    when.condition = to_boolean(condition, "CASE/WHEN");
    when.result = bind_expr(scope, source.result);
    whens.push_back(when);
  }
  const Expr* otherwise = nullptr;
  if (expr.defresult != nullptr) {
    otherwise = bind_expr(scope, expr.defresult);
  } else {
    otherwise = make<ConstExpr>();
    const_cast<Expr*>(otherwise)->type = kUnknown;
  }
  std::vector<const Expr*> results{otherwise};
  for (const CaseWhen& when : whens) results.push_back(when.result);
  for (const CaseWhen& when : whens) refuse_sets(when.condition, "CASE");
  for (const Expr* result : results) refuse_sets(result, "CASE");
  const Oid type = common_type(results, "CASE");
  out->otherwise = coerce_common(otherwise, type, "CASE/ELSE");
  for (CaseWhen& when : whens) when.result = coerce_common(when.result, type, "CASE/WHEN");
  results = {out->otherwise};
  for (const CaseWhen& when : whens) results.push_back(when.result);
  out->whens = keep(whens);
  out->type = type;
  out->typmod = common_typmod(results, type);
  return out;
}

const Expr* Binder::bind_cast(Scope& scope, const PgQuery__TypeCast& cast) {
  Result<ResolvedType> resolved = resolve_type(*cast.type_name, text_, &context_);
  if (!resolved.ok()) fail(resolved.take_status());
  const ResolvedType target = resolved.value();
  const int location = cast.location >= 0 ? cast.location : cast.type_name->location;
  const Expr* arg = nullptr;
  if (cast.arg->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR && element_type_of(target.type) != 0 && target.type != kInt2Vector &&
      target.type != kOidVector) {
    arg = bind_array(scope, *cast.arg->a_array_expr, target.type, element_type_of(target.type), target.typmod);
  } else {
    arg = bind_expr(scope, cast.arg);
  }
  if (target.stored && type_kind(target.type) == 'e' && arg->kind == ExprKind::kConst && arg->type == kInt8) {
    note_type(target.type);
    auto* label = make<ConstExpr>(arg->as<ConstExpr>());
    label->type = target.type;
    return label;
  }
  if (target.stored && type_kind(element_type_of(target.type)) == 'e' && arg->kind == ExprKind::kConst && element_type_of(arg->type) == kInt8) {
    note_type(target.type);
    auto* labels = make<ConstExpr>(arg->as<ConstExpr>());
    labels->type = target.type;
    labels->value = relabel_array(labels->value, element_type_of(target.type), arena_);
    return labels;
  }
  const Expr* out = coerce_with_typmod(arg, target.type, target.typmod, CoerceContext::kExplicit, CallForm::kExplicitCast, location);
  if (out == nullptr) {
    fail(at(Status{sqlstate::cannot_coerce, "cannot cast type " + type_text(arg->type) + " to " + type_text(target.type)}, location));
  }
  return out;
}

const Expr* Binder::bind_array(Scope& scope, const PgQuery__AArrayExpr& array, Oid array_type, Oid element_type, std::int32_t typmod) {
  std::vector<const Expr*> elements;
  bool nested = false;
  for (std::size_t i = 0; i < array.n_elements; ++i) {
    const ParseNode* node = array.elements[i];
    const Expr* element = nullptr;
    if (node->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
      element = bind_array(scope, *node->a_array_expr, array_type, element_type, typmod);
      nested = true;
    } else {
      element = bind_expr(scope, node);
      if (!nested && element->type != kInt2Vector && element->type != kOidVector && element_type_of(element->type) != 0) nested = true;
    }
    elements.push_back(element);
  }
  Oid coerce_type = 0;
  const bool hard = array_type != 0;
  if (hard) {
    coerce_type = nested ? array_type : element_type;
  } else {
    if (elements.empty()) {
      fail(at(Status{sqlstate::indeterminate_datatype, "cannot determine type of empty array"}.with_hint(
                  "Explicitly cast to the desired type, for example ARRAY[]::integer[]."),
              array.location));
    }
    coerce_type = common_type(elements, "ARRAY");
    if (nested) {
      array_type = coerce_type;
      element_type = element_type_of(array_type);
      if (element_type == 0) {
        fail(at(Status{sqlstate::undefined_object, "could not find element type for data type " + type_text(array_type)}, array.location));
      }
    } else {
      element_type = coerce_type;
      array_type = array_type_of(element_type);
      if (array_type == 0) {
        fail(at(Status{sqlstate::undefined_object, "could not find array type for data type " + type_text(element_type)}, array.location));
      }
    }
  }
  for (const Expr*& element : elements) {
    const int location = element->location;
    const Expr* coerced =
        hard ? coerce_with_typmod(element, coerce_type, typmod, CoerceContext::kExplicit, CallForm::kExplicitCast, location)
             : coerce_common(element, coerce_type, "ARRAY");
    if (coerced == nullptr) {
      fail(at(Status{sqlstate::cannot_coerce, "cannot cast type " + type_text(element->type) + " to " + type_text(coerce_type)}, location));
    }
    element = coerced;
  }
  auto* out = make<ListExpr>(ExprKind::kArray);
  out->args = keep(elements);
  out->type = array_type;
  out->element_type = element_type;
  out->nested = nested;
  out->location = array.location;
  return out;
}

const Expr* Binder::bind_row(Scope& scope, const PgQuery__RowExpr& row) {
  auto* out = make<RowExpr>();
  std::vector<const Expr*> args;
  for (std::size_t i = 0; i < row.n_args; ++i) {
    const ParseNode* node = row.args[i];
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && node->column_ref->n_fields > 0 &&
        node->column_ref->fields[node->column_ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR) {
      for (const NamedExpr& column : expand_star(scope, *node->column_ref)) args.push_back(column.expr);
      continue;
    }
    args.push_back(bind_expr(scope, node));
  }
  if (args.size() > 1664) {
    fail(at(Status{sqlstate::too_many_columns, "ROW expressions can have at most 1664 entries"}, row.location));
  }
  out->args = keep(args);
  out->type = kRecord;
  out->location = row.location;
  return out;
}

// A name is an array of characters, counted from zero.
const Expr* Binder::name_character(const Expr* name, const Expr* index) {
  const Expr* number = coerce(index, kInt4, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  if (number == nullptr) fail(at(Status{sqlstate::datatype_mismatch, "array subscript must have type integer"}, index->location));
  const Expr* one = make_constant(arena_, kInt4, -1, Value::of_int(1));
  const std::vector<Oid> wanted{kText, kInt4, kInt4};
  for (const FunctionDef* function : sql::find_functions("substr")) {
    if (function->args != wanted) continue;
    const Expr* text = coerce(name, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    const Expr* character = make_call(function, list({text, make_operator("+", number, one, -1), one}), kText, CallForm::kCall, name->location);
    return coerce(character, kChar, -1, CoerceContext::kExplicit, CallForm::kExplicitCast, -1);
  }
  fail(Status{sqlstate::internal_error, "there is no substr(text, integer, integer)"});
}

const Expr* Binder::bind_indirection(Scope& scope, const PgQuery__AIndirection& indirection) {
  const Expr* base = without_domain(bind_expr(scope, indirection.arg));
  std::size_t i = 0;
  while (i < indirection.n_indirection) {
    const ParseNode* node = indirection.indirection[i];
    if (node->node_case == PG_QUERY__NODE__NODE_STRING) {
      base = field_of(scope, base, string_value(node), base->location);
      ++i;
      continue;
    }
    if (node->node_case == PG_QUERY__NODE__NODE_A_STAR) {
      fail(at(Status{sqlstate::feature_not_supported, "row expansion via \"*\" is not supported here"}, base->location));
    }
    if (base->type == kName && node->a_indices->is_slice == 0) {
      base = name_character(base, bind_expr(scope, node->a_indices->uidx));
      ++i;
      continue;
    }
    auto* out = make<SubscriptExpr>();
    std::vector<const Expr*> upper, lower;
    for (std::size_t k = i; k < indirection.n_indirection && indirection.indirection[k]->node_case == PG_QUERY__NODE__NODE_A_INDICES; ++k) {
      out->slice = out->slice || indirection.indirection[k]->a_indices->is_slice != 0;
    }
    Oid element = element_type_of(base->type);
    if (base->type == kInt2Vector) element = kInt2;
    if (base->type == kOidVector) element = kOid;
    const bool by_key = base->type == kJsonb;
    if (element == 0 && !by_key) {
      fail(at(Status{sqlstate::datatype_mismatch, "cannot subscript type " + type_text(base->type) + " because it does not support subscripting"},
              base->location));
    }
    const auto index = [&](const ParseNode* bound) -> const Expr* {
      if (bound == nullptr) return nullptr;
      const Expr* value = bind_expr(scope, bound);
      const Expr* out_value = coerce(value, kInt4, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
      if (out_value == nullptr) {
        fail(at(Status{sqlstate::datatype_mismatch, "array subscript must have type integer"}, value->location));
      }
      return out_value;
    };
    for (; i < indirection.n_indirection && indirection.indirection[i]->node_case == PG_QUERY__NODE__NODE_A_INDICES; ++i) {
      const PgQuery__AIndices& indices = *indirection.indirection[i]->a_indices;
      if (by_key) {
        if (indices.is_slice != 0) {
          fail(at(Status{sqlstate::datatype_mismatch, "jsonb subscript does not support slices"}, bind_expr(scope, indices.uidx != nullptr ? indices.uidx : indices.lidx)->location));
        }
        upper.push_back(json_key(bind_expr(scope, indices.uidx), indices.uidx));
        continue;
      }
      if (out->slice && indices.is_slice == 0) {
        lower.push_back(make_constant(arena_, kInt4, -1, Value::of_int(1)));
        upper.push_back(index(indices.uidx));
      } else {
        if (out->slice) lower.push_back(index(indices.lidx));
        upper.push_back(index(indices.uidx));
      }
    }
    out->array = base;
    out->upper = keep(upper);
    out->lower = keep(lower);
    out->type = by_key ? static_cast<Oid>(kJsonb) : out->slice ? base->type : element;
    out->location = base->location;
    base = i < indirection.n_indirection ? without_domain(out) : out;
  }
  return base;
}

// A subscript of jsonb is a number or text, and has to be clearly one of them.
const Expr* Binder::json_key(const Expr* key, const ParseNode* node) {
  // Errors stand where the subscript begins, which a cast behind it does not.
  while (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST && node->type_cast->arg != nullptr) node = node->type_cast->arg;
  const int location = node->node_case == PG_QUERY__NODE__NODE_A_CONST ? node->a_const->location : key->location;
  const auto refuse = [&](const char* hint) {
    fail(at(Status{sqlstate::datatype_mismatch, "subscript type " + type_text(key->type) + " is not supported"}.with_hint(hint), location));
  };
  const Expr* number = key->type == kUnknown ? nullptr : coerce(key, kInt4, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  const Expr* text = coerce(key, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  if (number != nullptr && text != nullptr) refuse("jsonb subscript must be coercible to only one type, integer or text.");
  if (number == nullptr && text == nullptr) refuse("jsonb subscript must be coercible to either integer or text.");
  return number != nullptr ? number : text;
}

const Expr* Binder::bind_sublink(Scope& scope, const PgQuery__SubLink& link) {
  switch (scope.place) {
    case Place::kDefault:
      fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in DEFAULT expression"}, link.location));
    case Place::kCheck: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in check constraint"}, link.location));
    case Place::kIndex: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in index expression"}, link.location));
    case Place::kIndexPredicate: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in index predicate"}, link.location));
    case Place::kUsing: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in transform expression"}, link.location));
    case Place::kExecute: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in EXECUTE parameter"}, link.location));
    case Place::kCall: fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in CALL argument"}, link.location));
    case Place::kCopyWhere:
      fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in COPY FROM WHERE condition"}, link.location));
    case Place::kGenerated:
      fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in column generation expression"}, link.location));
    case Place::kPartitionKey:
      fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in partition key expression"}, link.location));
    case Place::kPartitionBound:
      fail(at(Status{sqlstate::feature_not_supported, "cannot use subquery in partition bound"}, link.location));
    default: break;
  }
  auto* out = make<SubLinkExpr>();
  out->location = link.location;
  if (scope.query != nullptr) scope.query->has_sublinks = true;
  // What stands left of IN is bound first, so that parameters are numbered and typed in the order of the text.
  std::vector<const Expr*> left;
  const bool compares =
      link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK || link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
  if (compares) {
    const Expr* test = bind_expr(scope, link.testexpr);
    if (is_row(link.testexpr)) {
      left.assign(test->as<RowExpr>().args.begin(), test->as<RowExpr>().args.end());
    } else {
      left.push_back(test);
    }
  }
  out->query = bind_query_node(link.subselect, &scope);
  std::vector<const TargetEntry*> columns;
  for (const TargetEntry& target : out->query->targets) {
    if (!target.junk) columns.push_back(&target);
  }
  switch (link.sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
      out->link = SubLinkKind::kExists;
      out->type = kBool;
      return out;
    case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK:
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK: {
      if (columns.size() != 1) {
        fail(at(Status{sqlstate::syntax_error, "subquery must return only one column"}, link.location));
      }
      const Expr* column = columns[0]->expr;
      out->link = SubLinkKind::kScalar;
      out->type = column->type;
      out->typmod = column->typmod;
      if (link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK) {
        out->link = SubLinkKind::kArray;
        out->type = element_type_of(column->type) != 0 && column->type != kInt2Vector && column->type != kOidVector
                        ? column->type
                        : array_type_of(column->type);
        if (out->type == 0) {
          fail(at(Status{sqlstate::undefined_object, "could not find array type for data type " + type_text(column->type)}, link.location));
        }
      }
      return out;
    }
    case PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK:
    case PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK: {
      const bool any = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
      out->link = any ? SubLinkKind::kAny : SubLinkKind::kAll;
      out->type = kBool;
      if (left.size() < columns.size()) fail(at(Status{sqlstate::syntax_error, "subquery has too many columns"}, link.location));
      if (left.size() > columns.size()) fail(at(Status{sqlstate::syntax_error, "subquery has too few columns"}, link.location));
      const std::string_view op = link.n_oper_name == 0 ? "=" : operator_name(link.oper_name, link.n_oper_name);
      std::vector<const Expr*> right;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        auto* column = make<SubColumnExpr>();
        column->column = static_cast<std::uint16_t>(i);
        column->type = columns[i]->expr->type;
        column->typmod = columns[i]->expr->typmod;
        column->location = link.location;
        right.push_back(column);
      }
      out->test = to_boolean(compare_rows(op, left, right, link.location), any ? "ANY" : "ALL");
      out->simple_in = any && op == "=";
      return out;
    }
    default: fail(at(Status{sqlstate::feature_not_supported, "this kind of sub-select is not supported"}, link.location));
  }
}

const Expr* Binder::bind_value_function(const PgQuery__SQLValueFunction& function) {
  auto* out = make<SqlValueExpr>();
  out->location = function.location;
  switch (function.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE: out->value = SqlValue::kCurrentDate; out->type = kDate; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
      out->value = SqlValue::kCurrentTime;
      out->type = kTimetz;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
      out->value = SqlValue::kCurrentTimestamp;
      out->type = kTimestamptz;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N: out->value = SqlValue::kLocalTime; out->type = kTime; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N: out->value = SqlValue::kLocalTimestamp; out->type = kTimestamp; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE: out->value = SqlValue::kCurrentRole; out->type = kName; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER: out->value = SqlValue::kCurrentUser; out->type = kName; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER: out->value = SqlValue::kUser; out->type = kName; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER: out->value = SqlValue::kSessionUser; out->type = kName; break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG: out->value = SqlValue::kCurrentCatalog; out->type = kName; break;
    default: out->value = SqlValue::kCurrentSchema; out->type = kName; break;
  }
  switch (function.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      if (function.typmod < 0) {
        fail(at(Status{sqlstate::invalid_parameter_value, "TIMESTAMP(" + std::to_string(function.typmod) + ") precision must not be negative"},
                function.location));
      }
      out->typmod = std::min(function.typmod, 6);
      break;
    default: break;
  }
  return out;
}

}  // namespace wandian::sql
