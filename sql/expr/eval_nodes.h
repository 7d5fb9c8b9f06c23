// The evaluators behind CompiledExpr. Private to sql/expr.
#pragma once

#include <cstdint>
#include <span>

#include "engine/type.h"
#include "sql/expr/expression.h"

namespace wandian::sql::eval {

struct ConstNode : EvalNode {
  Value value;
};
struct IndexNode : EvalNode {
  std::uint32_t index = 0;
};
struct UnaryNode : EvalNode {
  const EvalNode* arg = nullptr;
};
struct ListNode : EvalNode {
  std::span<const EvalNode* const> args;
};

struct CallNode : ListNode {
  const FunctionDef* function = nullptr;
  ScalarFn scalar = nullptr;
  decltype(FunctionDef::typed_fn) typed = nullptr;
  const Oid* types = nullptr;
  bool strict = true;

  bool invoke(EvalContext& ctx, const Value* values, Value* out) const {
    return typed != nullptr ? typed(ctx, types, values, out) : scalar(ctx, values, out);
  }
};

/// Where a side of a comparison comes from, when it needs no call.
enum class OperandKind : std::uint8_t { kSlot, kParam, kConst, kNode };
struct Operand {
  OperandKind kind = OperandKind::kNode;
  std::uint32_t index = 0;
  Value constant;
  const EvalNode* node = nullptr;
};
enum class Compare : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
struct CompareNode : EvalNode {
  Operand left, right;
};
struct ArithmeticNode : EvalNode {
  Operand left, right;
  Oid type = 0;
};

struct IoCastNode : UnaryNode {
  Oid source = 0, target = 0;
  std::int32_t typmod = -1;
};
struct DomainNode : UnaryNode {
  Oid domain = 0;
};
struct ArrayCastNode : UnaryNode {
  const EvalNode* element = nullptr;
  Oid element_type = 0;
};
struct CaseNode : UnaryNode {
  struct When {
    const EvalNode* condition;
    const EvalNode* result;
  };
  std::span<const When> whens;
  const EvalNode* otherwise = nullptr;
};
struct ExtremeNode : ListNode {
  Order order = Order::kNone;
  bool greatest = true;
};
struct BoolTestNode : UnaryNode {
  TestOp test = TestOp::kIsTrue;
};
struct ArrayCompareNode : EvalNode {
  CallNode call;
  const EvalNode* left = nullptr;
  const EvalNode* array = nullptr;
  std::span<const EvalNode* const> items;
  bool all = false;
};
struct IntegerSetNode : EvalNode {
  const EvalNode* left = nullptr;
  std::span<const std::int64_t> values;
  bool has_null = false;
  bool negative = false;
};
struct ArrayNode : ListNode {
  Oid element_type = 0;
};
struct RowNode : ListNode {
  std::span<const Oid> types;
  std::uint32_t shape = 0;
};
struct RowCompareNode : EvalNode {
  std::span<const EvalNode* const> strict, equal;
  bool or_equal = false;
};
struct SubscriptNode : EvalNode {
  const EvalNode* array = nullptr;
  std::span<const EvalNode* const> upper, lower;   ///< null entries: bound omitted
  const EvalNode* store = nullptr;   ///< array_store and json_store alone
  std::span<const Oid> key_types;    ///< of `upper`; json_element and json_store alone
  Oid element_type = 0;
  bool slice = false;
};
struct FieldNode : UnaryNode {
  std::uint16_t field = 0;
};
struct SqlValueNode : EvalNode {
  SqlValue value = SqlValue::kCurrentDate;
  std::int32_t typmod = -1;
  const FunctionDef* convert = nullptr;
  const Oid* convert_types = nullptr;
  const FunctionDef* length = nullptr;
  const Oid* length_types = nullptr;
};

#define WANDIAN_EVALUATOR(name) bool name(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out)
WANDIAN_EVALUATOR(constant);
WANDIAN_EVALUATOR(param);
WANDIAN_EVALUATOR(slot);
WANDIAN_EVALUATOR(element);
WANDIAN_EVALUATOR(test_value);
WANDIAN_EVALUATOR(routine_call);
WANDIAN_EVALUATOR(journaled_call);
WANDIAN_EVALUATOR(null_if);
WANDIAN_EVALUATOR(is_distinct);
WANDIAN_EVALUATOR(as_unsigned);
WANDIAN_EVALUATOR(as_signed);
WANDIAN_EVALUATOR(io_cast);
WANDIAN_EVALUATOR(array_store);
WANDIAN_EVALUATOR(to_domain);
WANDIAN_EVALUATOR(array_cast);
WANDIAN_EVALUATOR(logical_not);
WANDIAN_EVALUATOR(logical_and);
WANDIAN_EVALUATOR(logical_or);
WANDIAN_EVALUATOR(case_when);
WANDIAN_EVALUATOR(coalesce);
WANDIAN_EVALUATOR(extreme);
WANDIAN_EVALUATOR(is_null);
WANDIAN_EVALUATOR(is_not_null);
WANDIAN_EVALUATOR(row_is_null);
WANDIAN_EVALUATOR(row_is_not_null);
WANDIAN_EVALUATOR(bool_test);
WANDIAN_EVALUATOR(compare_list);
WANDIAN_EVALUATOR(compare_array);
WANDIAN_EVALUATOR(in_integer_set);
WANDIAN_EVALUATOR(array);
WANDIAN_EVALUATOR(nested_array);
WANDIAN_EVALUATOR(row);
WANDIAN_EVALUATOR(row_compare);
WANDIAN_EVALUATOR(subscript);
WANDIAN_EVALUATOR(json_element);
WANDIAN_EVALUATOR(json_store);
WANDIAN_EVALUATOR(array_slice);
WANDIAN_EVALUATOR(field);
WANDIAN_EVALUATOR(sql_value);

/// The evaluator for a call, chosen by its number of arguments and strictness.
EvalNode::Fn call_function(const CallNode& node);
EvalNode::Fn integer_comparison(Compare op, OperandKind left, OperandKind right);
EvalNode::Fn text_equality(bool equal);
EvalNode::Fn integer_arithmetic(char symbol, Oid type);

}  // namespace wandian::sql::eval
