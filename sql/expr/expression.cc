#include "sql/expr/expression.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/array_value.h"
#include "engine/type.h"
#include "sql/expr/eval_nodes.h"
#include "sql/expr/tree.h"
#include "sql/functions/collated.h"
#include "sql/types/collation.h"
#include "sql/types/record_shape.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// Types whose values are compared as the integers that hold them.
bool compares_as_integers(Oid left, Oid right) {
  if (is_integer_type(left) && is_integer_type(right)) return true;
  if (left != right) return false;
  const TypeInfo* info = find_type(left);
  return info != nullptr && info->order == Order::kInteger;
}

bool is_text(Oid type) { return type == kText || type == kVarchar; }

class Compiler {
 public:
  Compiler(Arena& arena, const CompileOptions& options) : arena_(arena), options_(options) {}

  /// Null: status() says why.
  const EvalNode* compile(const Expr& expr);
  Status take_status() { return std::move(status_); }

 private:
  template <class T>
  T* make(EvalNode::Fn fn) {
    auto* out = make_node<T>(arena_);
    out->fn = fn;
    return out;
  }
  const EvalNode* error(Status status) {
    if (status_.ok()) status_ = std::move(status);
    return nullptr;
  }
  bool compile_list(ExprList list, std::span<const EvalNode* const>* out) {
    std::vector<const EvalNode*> nodes;
    nodes.reserve(list.size());
    for (const Expr* expr : list) {
      const EvalNode* node = expr == nullptr ? nullptr : compile(*expr);
      if (expr != nullptr && node == nullptr) return false;
      nodes.push_back(node);
    }
    *out = copy_list<const EvalNode*>(arena_, nodes);
    return true;
  }
  bool fill_call(eval::CallNode* node, const FunctionDef* function, std::span<const Oid> types, ExprList args, std::uint16_t collation);
  const EvalNode* compile_call(const FunctionExpr& call);
  const EvalNode* compile_comparison(const FunctionExpr& call);
  const EvalNode* compile_arithmetic(const FunctionExpr& call);
  const EvalNode* compile_array_compare(const ArrayCompareExpr& compare);
  const EvalNode* compile_sql_value(const SqlValueExpr& value);
  eval::Operand operand(const Expr& expr);

  Arena& arena_;
  const CompileOptions& options_;
  Status status_;
};

eval::Operand Compiler::operand(const Expr& expr) {
  eval::Operand out;
  if (expr.kind == ExprKind::kSlot) {
    out.kind = eval::OperandKind::kSlot;
    out.index = expr.as<SlotExpr>().slot;
  } else if (expr.kind == ExprKind::kColumn && options_.columns_are_slots && expr.as<ColumnExpr>().column >= 0) {
    out.kind = eval::OperandKind::kSlot;
    out.index = static_cast<std::uint32_t>(expr.as<ColumnExpr>().column);
  } else if (expr.kind == ExprKind::kParam) {
    out.kind = eval::OperandKind::kParam;
    out.index = expr.as<ParamExpr>().index;
  } else if (expr.kind == ExprKind::kConst && !expr.as<ConstExpr>().value.is_null) {
    out.kind = eval::OperandKind::kConst;
    out.constant = expr.as<ConstExpr>().value;
  } else {
    out.kind = eval::OperandKind::kNode;
    out.node = compile(expr);
  }
  return out;
}

bool Compiler::fill_call(eval::CallNode* node, const FunctionDef* function, std::span<const Oid> types, ExprList args, std::uint16_t collation) {
  if (function->returns_set) {
    error(Status{sqlstate::feature_not_supported, "set-valued function called in context that cannot accept a set"});
    return false;
  }
  if (function->fn == nullptr && function->typed_fn == nullptr) {
    error(Status{sqlstate::feature_not_supported, "function " + std::string(function->name) + " is not supported"});
    return false;
  }
  node->function = function;
  node->scalar = function->fn;
  node->typed = function->typed_fn;
  if (const TypedFn collated = collation == kNoCollation ? nullptr : collated_function(*function, types, collation)) {
    node->scalar = nullptr;
    node->typed = collated;
  }
  node->types = types.data();
  node->strict = function->strict;
  return compile_list(args, &node->args);
}

const EvalNode* Compiler::compile_comparison(const FunctionExpr& call) {
  if (call.op == nullptr || call.args.size() != 2 || call.type != kBool) return nullptr;
  const Oid left = call.args[0]->type, right = call.args[1]->type;
  eval::Compare op;
  const std::string_view symbol = call.op->name;
  if (symbol == "=") {
    op = eval::Compare::kEqual;
  } else if (symbol == "<>") {
    op = eval::Compare::kNotEqual;
  } else if (symbol == "<") {
    op = eval::Compare::kLess;
  } else if (symbol == "<=") {
    op = eval::Compare::kLessEqual;
  } else if (symbol == ">") {
    op = eval::Compare::kGreater;
  } else if (symbol == ">=") {
    op = eval::Compare::kGreaterEqual;
  } else {
    return nullptr;
  }
  const bool enums = call.op->left == kAnyEnum && left == right;
  if (!enums && (call.op->left != left || call.op->right != right)) {
    // varchar is read as text behind a relabel, which the operands see through.
    return nullptr;
  }
  const bool integers = compares_as_integers(left, right);
  const bool texts = is_text(left) && is_text(right) && is_deterministic_collation(call.collation) && (op == eval::Compare::kEqual || op == eval::Compare::kNotEqual);
  if (!integers && !texts) return nullptr;
  auto* node = make_node<eval::CompareNode>(arena_);
  const auto see_through = [](const Expr* expr) {
    while (expr->kind == ExprKind::kRelabel && is_text(expr->type) && is_text(expr->as<UnaryExpr>().arg->type)) {
      expr = expr->as<UnaryExpr>().arg;
    }
    return expr;
  };
  node->left = operand(*see_through(call.args[0]));
  node->right = operand(*see_through(call.args[1]));
  if (!status_.ok()) return nullptr;
  node->fn = integers ? eval::integer_comparison(op, node->left.kind, node->right.kind) : eval::text_equality(op == eval::Compare::kEqual);
  return node;
}

const EvalNode* Compiler::compile_arithmetic(const FunctionExpr& call) {
  if (call.op == nullptr || call.args.size() != 2 || !is_integer_type(call.type)) return nullptr;
  if (!is_integer_type(call.args[0]->type) || !is_integer_type(call.args[1]->type)) return nullptr;
  if (call.op->left != call.args[0]->type || call.op->right != call.args[1]->type) return nullptr;
  const std::string_view symbol = call.op->name;
  if (symbol != "+" && symbol != "-" && symbol != "*") return nullptr;
  auto* node = make_node<eval::ArithmeticNode>(arena_);
  node->left = operand(*call.args[0]);
  node->right = operand(*call.args[1]);
  if (!status_.ok()) return nullptr;
  node->type = call.type;
  node->fn = eval::integer_arithmetic(symbol[0], call.type);
  return node;
}

const EvalNode* Compiler::compile_call(const FunctionExpr& call) {
  if (call.kind == ExprKind::kFunction) {
    if (const EvalNode* special = compile_comparison(call)) return special;
    if (!status_.ok()) return nullptr;
    if (const EvalNode* special = compile_arithmetic(call)) return special;
    if (!status_.ok()) return nullptr;
  }
  auto* node = make_node<eval::CallNode>(arena_);
  if (call.function->routine != nullptr && !call.function->returns_set) {
    node->function = call.function;
    node->types = call.types.data();
    node->strict = call.function->strict;
    node->fn = eval::routine_call;
    return compile_list(call.args, &node->args) ? node : nullptr;
  }
  if (!fill_call(node, call.function, call.types, call.args, call.collation)) return nullptr;
  switch (call.kind) {
    case ExprKind::kNullIf: node->fn = eval::null_if; break;
    case ExprKind::kDistinct: node->fn = eval::is_distinct; break;
    default:
      node->fn = options_.journaled && call.function->volatility != Volatility::kImmutable ? eval::journaled_call : eval::call_function(*node);
      break;
  }
  return node;
}

const EvalNode* Compiler::compile_array_compare(const ArrayCompareExpr& compare) {
  if (compare.function->fn == nullptr && compare.function->typed_fn == nullptr) {
    return error(Status{sqlstate::feature_not_supported, "function " + std::string(compare.function->name) + " is not supported"});
  }
  auto* node = make_node<eval::ArrayCompareNode>(arena_);
  node->call.function = compare.function;
  node->call.scalar = compare.function->fn;
  node->call.typed = compare.function->typed_fn;
  if (const TypedFn collated = compare.collation == kNoCollation ? nullptr : collated_function(*compare.function, compare.types, compare.collation)) {
    node->call.scalar = nullptr;
    node->call.typed = collated;
  }
  node->call.types = compare.types.data();
  node->call.strict = compare.function->strict;
  node->all = compare.all;
  node->left = compile(*compare.left);
  if (node->left == nullptr) return nullptr;
  if (compare.array->kind == ExprKind::kArray && !compare.array->as<ListExpr>().nested) {
    const ExprList items = compare.array->as<ListExpr>().args;
    const Oid element = compare.array->as<ListExpr>().element_type;
    const bool constants = std::all_of(items.begin(), items.end(), [](const Expr* item) { return item->kind == ExprKind::kConst; });
    const bool equality = compare.op != nullptr && (compare.all ? compare.op->name == "<>" : compare.op->name == "=");
    if (constants && equality && compares_as_integers(compare.left->type, element)) {
      // A sorted set of integers.
      std::vector<std::int64_t> values;
      bool has_null = false;
      for (const Expr* item : items) {
        const Value& value = item->as<ConstExpr>().value;
        has_null = has_null || value.is_null;
        if (!value.is_null) values.push_back(value.i);
      }
      std::sort(values.begin(), values.end());
      auto* set = make_node<eval::IntegerSetNode>(arena_);
      set->left = node->left;
      set->values = copy_list(arena_, values);
      set->has_null = has_null;
      set->negative = compare.all;
      set->fn = eval::in_integer_set;
      return set;
    }
    if (!compile_list(items, &node->items)) return nullptr;
    node->fn = eval::compare_list;
    return node;
  }
  node->array = compile(*compare.array);
  if (node->array == nullptr) return nullptr;
  node->fn = eval::compare_array;
  return node;
}

const EvalNode* Compiler::compile_sql_value(const SqlValueExpr& value) {
  auto* node = make_node<eval::SqlValueNode>(arena_);
  node->fn = eval::sql_value;
  node->value = value.value;
  node->typmod = value.typmod;
  const auto cast_to = [&](Oid target) {
    const CastDef* cast = find_cast(kTimestamptz, target);
    node->convert = cast != nullptr ? find_function(cast->function) : nullptr;
    return node->convert != nullptr && (node->convert->fn != nullptr || node->convert->typed_fn != nullptr);
  };
  bool ok = true;
  switch (value.value) {
    case SqlValue::kCurrentDate: ok = cast_to(kDate); break;
    case SqlValue::kCurrentTime: ok = cast_to(kTimetz); break;
    case SqlValue::kLocalTime: ok = cast_to(kTime); break;
    case SqlValue::kLocalTimestamp: ok = cast_to(kTimestamp); break;
    default: break;
  }
  if (!ok) return error(Status{sqlstate::feature_not_supported, "this date/time function is not supported"});
  const std::array<Oid, 2> convert_types{kTimestamptz, value.type};
  node->convert_types = copy_list<Oid>(arena_, std::span<const Oid>(convert_types)).data();
  if (value.typmod >= 0) {
    const CastDef* length = find_cast(value.type, value.type);
    node->length = length != nullptr ? find_function(length->function) : nullptr;
    const std::array<Oid, 3> length_types{value.type, kInt4, value.type};
    node->length_types = copy_list<Oid>(arena_, std::span<const Oid>(length_types)).data();
  }
  return node;
}

const EvalNode* Compiler::compile(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kConst: {
      auto* node = make<eval::ConstNode>(eval::constant);
      node->value = expr.as<ConstExpr>().value;
      return node;
    }
    case ExprKind::kParam: {
      auto* node = make<eval::IndexNode>(eval::param);
      node->index = expr.as<ParamExpr>().index;
      return node;
    }
    case ExprKind::kSlot: {
      auto* node = make<eval::IndexNode>(eval::slot);
      node->index = expr.as<SlotExpr>().slot;
      return node;
    }
    case ExprKind::kColumn: {
      const auto& column = expr.as<ColumnExpr>();
      if (!options_.columns_are_slots || column.levels_up != 0 || column.column < 0) {
        return error(Status{sqlstate::internal_error, "column reference was not resolved to a slot"});
      }
      auto* node = make<eval::IndexNode>(eval::slot);
      node->index = static_cast<std::uint32_t>(column.column);
      return node;
    }
    case ExprKind::kElement: return make<eval::IndexNode>(eval::element);
    case ExprKind::kTestValue: return make<eval::IndexNode>(eval::test_value);
    case ExprKind::kFunction: case ExprKind::kNullIf: case ExprKind::kDistinct: return compile_call(expr.as<FunctionExpr>());
    case ExprKind::kRelabel: {
      const auto& relabel = expr.as<UnaryExpr>();
      const EvalNode* arg = compile(*relabel.arg);
      if (arg == nullptr) return nullptr;
      const TypeInfo* from = find_type(relabel.arg->type);
      const TypeInfo* to = find_type(expr.type);
      // oid is held without sign, int4 with one.
      const bool to_unsigned = to != nullptr && to->rep == Rep::kUint32 && from != nullptr && from->rep != Rep::kUint32;
      const bool to_signed = to != nullptr && to->rep == Rep::kInt32 && from != nullptr && from->rep == Rep::kUint32;
      if (!to_unsigned && !to_signed) return arg;
      auto* node = make<eval::UnaryNode>(to_unsigned ? eval::as_unsigned : eval::as_signed);
      node->arg = arg;
      return node;
    }
    case ExprKind::kIoCast: {
      const auto& cast = expr.as<UnaryExpr>();
      auto* node = make<eval::IoCastNode>(eval::io_cast);
      node->arg = compile(*cast.arg);
      if (node->arg == nullptr) return nullptr;
      node->source = cast.arg->type;
      node->target = expr.type;
      node->typmod = expr.typmod;
      return node;
    }
    case ExprKind::kDomain: {
      auto* node = make<eval::DomainNode>(eval::to_domain);
      node->arg = compile(*expr.as<UnaryExpr>().arg);
      node->domain = expr.type;
      return node->arg != nullptr ? node : nullptr;
    }
    case ExprKind::kArrayCast: {
      const auto& cast = expr.as<ArrayCastExpr>();
      auto* node = make<eval::ArrayCastNode>(eval::array_cast);
      node->arg = compile(*cast.arg);
      node->element = node->arg != nullptr ? compile(*cast.element) : nullptr;
      if (node->element == nullptr) return nullptr;
      const TypeInfo* info = find_type(expr.type);
      node->element_type = info != nullptr ? info->element : 0;
      return node;
    }
    case ExprKind::kBool: {
      const auto& boolean = expr.as<BoolExpr>();
      if (boolean.op == BoolOp::kNot) {
        auto* node = make<eval::UnaryNode>(eval::logical_not);
        node->arg = compile(*boolean.args[0]);
        return node->arg != nullptr ? node : nullptr;
      }
      auto* node = make<eval::ListNode>(boolean.op == BoolOp::kAnd ? eval::logical_and : eval::logical_or);
      return compile_list(boolean.args, &node->args) ? node : nullptr;
    }
    case ExprKind::kCase: {
      const auto& source = expr.as<CaseExpr>();
      auto* node = make<eval::CaseNode>(eval::case_when);
      if (source.arg != nullptr) {
        node->arg = compile(*source.arg);
        if (node->arg == nullptr) return nullptr;
      }
      std::vector<eval::CaseNode::When> whens;
      for (const CaseWhen& when : source.whens) {
        eval::CaseNode::When compiled;
        compiled.condition = compile(*when.condition);
        compiled.result = compiled.condition != nullptr ? compile(*when.result) : nullptr;
        if (compiled.result == nullptr) return nullptr;
        whens.push_back(compiled);
      }
      node->whens = copy_list(arena_, whens);
      node->otherwise = compile(*source.otherwise);
      return node->otherwise != nullptr ? node : nullptr;
    }
    case ExprKind::kCoalesce: {
      auto* node = make<eval::ListNode>(eval::coalesce);
      return compile_list(expr.as<ListExpr>().args, &node->args) ? node : nullptr;
    }
    case ExprKind::kGreatest: case ExprKind::kLeast: {
      auto* node = make<eval::ExtremeNode>(eval::extreme);
      const TypeInfo* info = find_type(expr.type);
      const TypeInfo* compared = find_type(base_type(expr.type));
      while (compared != nullptr && compared->category == 'A' && compared->element != 0) compared = find_type(base_type(compared->element));
      if (compared == nullptr || compared->order == Order::kNone)
        return error(Status{sqlstate::undefined_function, "could not identify a comparison function for type " + format_type(base_type(expr.type))});
      node->order = info != nullptr ? order_under(expr.type, expr.collation) : Order::kNone;
      node->greatest = expr.kind == ExprKind::kGreatest;
      return compile_list(expr.as<ListExpr>().args, &node->args) ? node : nullptr;
    }
    case ExprKind::kNullTest: {
      const auto& test = expr.as<TestExpr>();
      const bool is_null = test.test == TestOp::kIsNull;
      auto* node = make<eval::UnaryNode>(test.of_row ? (is_null ? eval::row_is_null : eval::row_is_not_null)
                                                     : (is_null ? eval::is_null : eval::is_not_null));
      node->arg = compile(*test.arg);
      return node->arg != nullptr ? node : nullptr;
    }
    case ExprKind::kBoolTest: {
      auto* node = make<eval::BoolTestNode>(eval::bool_test);
      node->test = expr.as<TestExpr>().test;
      node->arg = compile(*expr.as<TestExpr>().arg);
      return node->arg != nullptr ? node : nullptr;
    }
    case ExprKind::kArrayCompare: return compile_array_compare(expr.as<ArrayCompareExpr>());
    case ExprKind::kArray: {
      const auto& array = expr.as<ListExpr>();
      auto* node = make<eval::ArrayNode>(array.nested ? eval::nested_array : eval::array);
      node->element_type = array.element_type;
      return compile_list(array.args, &node->args) ? node : nullptr;
    }
    case ExprKind::kRow: {
      const auto& row = expr.as<RowExpr>();
      auto* node = make<eval::RowNode>(eval::row);
      std::vector<Oid> types;
      for (const Expr* arg : row.args) types.push_back(arg->type);
      node->types = copy_list(arena_, types);
      if (expr.type == kRecord && !row.names.empty()) node->shape = record_shape(row.names);
      return compile_list(row.args, &node->args) ? node : nullptr;
    }
    case ExprKind::kRowCompare: {
      const auto& compare = expr.as<RowCompareExpr>();
      auto* node = make<eval::RowCompareNode>(eval::row_compare);
      std::vector<const EvalNode*> strict, equal_to;
      for (std::size_t i = 0; i < compare.less.size(); ++i) {
        strict.push_back(compile(*compare.less[i]));
        equal_to.push_back(strict.back() != nullptr ? compile(*compare.equal[i]) : nullptr);
        if (equal_to.back() == nullptr) return nullptr;
      }
      node->strict = copy_list<const EvalNode*>(arena_, strict);
      node->equal = copy_list<const EvalNode*>(arena_, equal_to);
      node->or_equal = compare.op == RowCompareOp::kLessEqual || compare.op == RowCompareOp::kGreaterEqual;
      return node;
    }
    case ExprKind::kSubscript: {
      const auto& subscript = expr.as<SubscriptExpr>();
      const bool json = base_type(subscript.array->type) == type_oid::kJsonb;
      auto* node = make<eval::SubscriptNode>(json                         ? (subscript.store != nullptr ? eval::json_store : eval::json_element)
                                             : subscript.store != nullptr ? eval::array_store
                                             : subscript.slice            ? eval::array_slice
                                                                          : eval::subscript);
      if (json) {
        std::vector<Oid> types;
        for (const Expr* key : subscript.upper) types.push_back(key->type);
        node->key_types = copy_list<Oid>(arena_, types);
      }
      node->array = compile(*subscript.array);
      if (node->array == nullptr) return nullptr;
      if (subscript.store != nullptr) {
        node->store = compile(*subscript.store);
        if (node->store == nullptr) return nullptr;
        const TypeInfo* info = find_type(expr.type);
        node->element_type = info != nullptr ? info->element : 0;
        node->slice = subscript.slice;
      }
      return compile_list(subscript.upper, &node->upper) && compile_list(subscript.lower, &node->lower) ? node : nullptr;
    }
    case ExprKind::kField: {
      auto* node = make<eval::FieldNode>(eval::field);
      node->field = expr.as<FieldExpr>().field;
      node->arg = compile(*expr.as<FieldExpr>().record);
      return node->arg != nullptr ? node : nullptr;
    }
    case ExprKind::kSqlValue: return compile_sql_value(expr.as<SqlValueExpr>());
    case ExprKind::kAggregate: return error(Status{sqlstate::internal_error, "aggregate was not planned"});
    case ExprKind::kWindow: return error(Status{sqlstate::internal_error, "window function was not planned"});
    case ExprKind::kGrouping: return error(Status{sqlstate::internal_error, "GROUPING was not planned"});
    case ExprKind::kSubLink: return error(Status{sqlstate::internal_error, "sub-select was not planned"});
    case ExprKind::kSubColumn: return error(Status{sqlstate::internal_error, "column of a sub-select was not planned"});
    case ExprKind::kSetToDefault: return error(Status{sqlstate::internal_error, "DEFAULT was not replaced"});
  }
  return error(Status{sqlstate::internal_error, "unknown expression"});
}

}  // namespace

Result<CompiledExpr> compile(const Expr& expr, Arena& arena, const CompileOptions& options) {
  Compiler compiler(arena, options);
  const EvalNode* root = compiler.compile(expr);
  if (root == nullptr) return compiler.take_status();
  return CompiledExpr(root);
}

Result<Value> evaluate_constant(const Expr& expr, EvalContext& ctx, const Value* params) {
  Arena scratch;
  WANDIAN_ASSIGN(const CompiledExpr compiled, compile(expr, scratch));
  ExprInput input;
  input.params = params;
  Value value;
  if (!compiled.eval(ctx, input, &value)) return std::move(ctx.error);
  return copy_value(expr.type, value, ctx.arena);
}

bool is_by_value(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr && info->rep != Rep::kBytes && info->rep != Rep::kFixed16;
}

Value copy_value(Oid type, const Value& value, Arena& arena) {
  if (value.is_null || is_by_value(type)) return value;
  return Value::of_bytes(arena.copy(value.bytes()));
}

}  // namespace wandian::sql
