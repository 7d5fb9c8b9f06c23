#include "sql/expr/eval_nodes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "engine/array_value.h"
#include "sql/expr/call_journal.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"

namespace wandian::sql::eval {

using namespace type_oid;

namespace {

inline bool run(const EvalNode* node, EvalContext& ctx, const ExprInput& in, Value* out) { return node->fn(*node, ctx, in, out); }
template <class T>
const T& as(const EvalNode& node) {
  return static_cast<const T&>(node);
}

// An operand's value; false after an error. Never allocates unless it is a node.
template <OperandKind K>
inline bool load(const Operand& operand, EvalContext& ctx, const ExprInput& in, Value* scratch, const Value** out) {
  if constexpr (K == OperandKind::kSlot) {
    *out = &in.columns[operand.index];
  } else if constexpr (K == OperandKind::kParam) {
    *out = &in.params[operand.index];
  } else if constexpr (K == OperandKind::kConst) {
    *out = &operand.constant;
  } else {
    *out = scratch;
    return run(operand.node, ctx, in, scratch);
  }
  return true;
}

inline bool load_any(const Operand& operand, EvalContext& ctx, const ExprInput& in, Value* scratch, const Value** out) {
  switch (operand.kind) {
    case OperandKind::kSlot: return load<OperandKind::kSlot>(operand, ctx, in, scratch, out);
    case OperandKind::kParam: return load<OperandKind::kParam>(operand, ctx, in, scratch, out);
    case OperandKind::kConst: return load<OperandKind::kConst>(operand, ctx, in, scratch, out);
    case OperandKind::kNode: return load<OperandKind::kNode>(operand, ctx, in, scratch, out);
  }
  return false;
}

template <Compare Op>
constexpr bool holds(std::int64_t a, std::int64_t b) {
  switch (Op) {
    case Compare::kEqual: return a == b;
    case Compare::kNotEqual: return a != b;
    case Compare::kLess: return a < b;
    case Compare::kLessEqual: return a <= b;
    case Compare::kGreater: return a > b;
    case Compare::kGreaterEqual: return a >= b;
  }
  return false;
}

template <Compare Op, OperandKind L, OperandKind R>
bool compare_integers(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& compare = as<CompareNode>(node);
  Value left_scratch, right_scratch;
  const Value *left, *right;
  if (!load<L>(compare.left, ctx, in, &left_scratch, &left)) return false;
  if (!load<R>(compare.right, ctx, in, &right_scratch, &right)) return false;
  if (left->is_null || right->is_null) {
    *out = Value::null();
    return true;
  }
  *out = Value::of_bool(holds<Op>(left->i, right->i));
  return true;
}

template <Compare Op>
EvalNode::Fn pick_integer_comparison(OperandKind left, OperandKind right) {
  using K = OperandKind;
  static constexpr EvalNode::Fn kTable[4][4] = {
      {compare_integers<Op, K::kSlot, K::kSlot>, compare_integers<Op, K::kSlot, K::kParam>, compare_integers<Op, K::kSlot, K::kConst>,
       compare_integers<Op, K::kSlot, K::kNode>},
      {compare_integers<Op, K::kParam, K::kSlot>, compare_integers<Op, K::kParam, K::kParam>, compare_integers<Op, K::kParam, K::kConst>,
       compare_integers<Op, K::kParam, K::kNode>},
      {compare_integers<Op, K::kConst, K::kSlot>, compare_integers<Op, K::kConst, K::kParam>, compare_integers<Op, K::kConst, K::kConst>,
       compare_integers<Op, K::kConst, K::kNode>},
      {compare_integers<Op, K::kNode, K::kSlot>, compare_integers<Op, K::kNode, K::kParam>, compare_integers<Op, K::kNode, K::kConst>,
       compare_integers<Op, K::kNode, K::kNode>}};
  return kTable[static_cast<int>(left)][static_cast<int>(right)];
}

template <bool Equal>
bool compare_texts(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& compare = as<CompareNode>(node);
  Value left_scratch, right_scratch;
  const Value *left, *right;
  if (!load_any(compare.left, ctx, in, &left_scratch, &left)) return false;
  if (!load_any(compare.right, ctx, in, &right_scratch, &right)) return false;
  if (left->is_null || right->is_null) {
    *out = Value::null();
    return true;
  }
  *out = Value::of_bool((left->bytes() == right->bytes()) == Equal);
  return true;
}

template <char Symbol, Oid Type>
bool arithmetic(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& binary = as<ArithmeticNode>(node);
  Value left_scratch, right_scratch;
  const Value *left, *right;
  if (!load_any(binary.left, ctx, in, &left_scratch, &left)) return false;
  if (!load_any(binary.right, ctx, in, &right_scratch, &right)) return false;
  if (left->is_null || right->is_null) {
    *out = Value::null();
    return true;
  }
  std::int64_t result = 0;
  bool overflow = false;
  if constexpr (Symbol == '+') {
    overflow = __builtin_add_overflow(left->i, right->i, &result);
  } else if constexpr (Symbol == '-') {
    overflow = __builtin_sub_overflow(left->i, right->i, &result);
  } else {
    overflow = __builtin_mul_overflow(left->i, right->i, &result);
  }
  if constexpr (Type == kInt4) overflow = overflow || result < INT32_MIN || result > INT32_MAX;
  if constexpr (Type == kInt2) overflow = overflow || result < INT16_MIN || result > INT16_MAX;
  if (overflow) [[unlikely]] {
    return ctx.fail(Status{sqlstate::numeric_value_out_of_range,
                           Type == kInt2 ? "smallint out of range" : Type == kInt4 ? "integer out of range" : "bigint out of range"});
  }
  *out = Value::of_int(result);
  return true;
}

template <Oid Type>
EvalNode::Fn pick_arithmetic(char symbol) {
  switch (symbol) {
    case '+': return arithmetic<'+', Type>;
    case '-': return arithmetic<'-', Type>;
    default: return arithmetic<'*', Type>;
  }
}

constexpr std::size_t kInlineArgs = 8;

// Arguments on the stack, in the arena if there are many.
class Args {
 public:
  Args(std::size_t count, EvalContext& ctx) : values_(count <= kInlineArgs ? inline_.data() : ctx.arena.allocate_array<Value>(count)) {
    if (count > kInlineArgs) std::fill_n(values_, count, Value{});
  }
  Value* data() { return values_; }
  Value& operator[](std::size_t i) { return values_[i]; }

 private:
  std::array<Value, kInlineArgs> inline_;
  Value* values_;
};

// All arguments are computed, whatever is null among them: an error in one shows. N < 0: any number.
template <int N, bool Strict, bool Typed>
bool call(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CallNode>(node);
  if constexpr (N >= 0) {
    std::array<Value, N == 0 ? 1 : N> values;
    bool any_null = false;
    for (std::size_t i = 0; i < N; ++i) {
      if (!run(c.args[i], ctx, in, &values[i])) [[unlikely]] return false;
      any_null = any_null || values[i].is_null;
    }
    if (Strict && any_null) {
      *out = Value::null();
      return true;
    }
    if constexpr (Typed) return c.typed(ctx, c.types, values.data(), out);
    return c.scalar(ctx, values.data(), out);
  } else {
    Args values(c.args.size(), ctx);
    bool any_null = false;
    for (std::size_t i = 0; i < c.args.size(); ++i) {
      if (!run(c.args[i], ctx, in, &values[i])) [[unlikely]] return false;
      any_null = any_null || values[i].is_null;
    }
    if (Strict && any_null) {
      *out = Value::null();
      return true;
    }
    return c.invoke(ctx, values.data(), out);
  }
}

template <bool Strict, bool Typed>
EvalNode::Fn pick_call(std::size_t count) {
  switch (count) {
    case 0: return call<0, Strict, Typed>;
    case 1: return call<1, Strict, Typed>;
    case 2: return call<2, Strict, Typed>;
    case 3: return call<3, Strict, Typed>;
    default: return call<-1, Strict, Typed>;
  }
}

// One step of ANY / ALL. Returns false after an error; *decided says that the answer is in *out.
bool compare_step(const ArrayCompareNode& node, EvalContext& ctx, Value* pair, bool* unknown, bool* decided, Value* out) {
  Value result;
  if (node.call.strict && (pair[0].is_null || pair[1].is_null)) {
    result = Value::null();
  } else if (!node.call.invoke(ctx, pair, &result)) {
    return false;
  }
  if (result.is_null) {
    *unknown = true;
  } else if ((result.i != 0) != node.all) {
    *out = Value::of_bool(!node.all);
    *decided = true;
  }
  return true;
}

void finish_compare(const ArrayCompareNode& node, bool unknown, Value* out) { *out = unknown ? Value::null() : Value::of_bool(node.all); }

bool array_dimensions_error(EvalContext& ctx) {
  return ctx.fail(Status{sqlstate::array_subscript_error,
                         "multidimensional arrays must have array expressions with matching dimensions"});
}

}  // namespace

EvalNode::Fn integer_comparison(Compare op, OperandKind left, OperandKind right) {
  switch (op) {
    case Compare::kEqual: return pick_integer_comparison<Compare::kEqual>(left, right);
    case Compare::kNotEqual: return pick_integer_comparison<Compare::kNotEqual>(left, right);
    case Compare::kLess: return pick_integer_comparison<Compare::kLess>(left, right);
    case Compare::kLessEqual: return pick_integer_comparison<Compare::kLessEqual>(left, right);
    case Compare::kGreater: return pick_integer_comparison<Compare::kGreater>(left, right);
    case Compare::kGreaterEqual: return pick_integer_comparison<Compare::kGreaterEqual>(left, right);
  }
  return nullptr;
}

EvalNode::Fn text_equality(bool equal) { return equal ? compare_texts<true> : compare_texts<false>; }

EvalNode::Fn integer_arithmetic(char symbol, Oid type) {
  if (type == kInt2) return pick_arithmetic<kInt2>(symbol);
  if (type == kInt4) return pick_arithmetic<kInt4>(symbol);
  return pick_arithmetic<kInt8>(symbol);
}

EvalNode::Fn call_function(const CallNode& node) {
  const std::size_t count = node.args.size();
  if (node.typed != nullptr) return node.strict ? pick_call<true, true>(count) : pick_call<false, true>(count);
  return node.strict ? pick_call<true, false>(count) : pick_call<false, false>(count);
}

bool constant(const EvalNode& node, EvalContext&, const ExprInput&, Value* out) {
  *out = as<ConstNode>(node).value;
  return true;
}
bool param(const EvalNode& node, EvalContext&, const ExprInput& in, Value* out) {
  *out = in.params[as<IndexNode>(node).index];
  return true;
}
bool slot(const EvalNode& node, EvalContext&, const ExprInput& in, Value* out) {
  *out = in.columns[as<IndexNode>(node).index];
  return true;
}
bool element(const EvalNode&, EvalContext&, const ExprInput& in, Value* out) {
  *out = *in.element;
  return true;
}
bool test_value(const EvalNode&, EvalContext&, const ExprInput& in, Value* out) {
  *out = *in.test;
  return true;
}

// Arguments come before the journal is asked: what they call stands there first.
bool eval_arguments(const CallNode& call, EvalContext& ctx, const ExprInput& in, std::vector<Value>* values, bool* is_null) {
  values->resize(call.args.size());
  *is_null = false;
  for (std::size_t i = 0; i < values->size(); ++i) {
    if (!run(call.args[i], ctx, in, &(*values)[i])) return false;
    *is_null = *is_null || (call.strict && (*values)[i].is_null);
  }
  return true;
}

bool routine_call(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CallNode>(node);
  if (ctx.journal == nullptr) {
    return ctx.fail(Status{sqlstate::feature_not_supported,
                           "function " + std::string(c.function->name) + " cannot be called here: it is written in SQL or PL/pgSQL"});
  }
  std::vector<Value> values;
  bool is_null = false;
  if (!eval_arguments(c, ctx, in, &values, &is_null)) return false;
  if (is_null) {
    *out = Value::null();
    return true;
  }
  if (ctx.journal->take(out)) return true;
  ctx.journal->ask(c.function, {c.types, c.args.size() + 1}, values);
  return false;
}

bool journaled_call(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CallNode>(node);
  std::vector<Value> values;
  bool is_null = false;
  if (!eval_arguments(c, ctx, in, &values, &is_null)) return false;
  if (is_null) {
    *out = Value::null();
    return true;
  }
  if (ctx.journal != nullptr && ctx.journal->take(out)) return true;
  // What it calls itself (a domain's check) would stand in the journal in its place.
  CallJournal* const journal = std::exchange(ctx.journal, nullptr);
  const bool done = c.invoke(ctx, values.data(), out);
  ctx.journal = journal;
  if (done && journal != nullptr && !journal->asked()) journal->note(*out, is_by_value(c.types[c.args.size()]));
  return done;
}

bool null_if(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CallNode>(node);
  std::array<Value, 2> values;
  if (!run(c.args[0], ctx, in, &values[0]) || !run(c.args[1], ctx, in, &values[1])) return false;
  if (!values[0].is_null && !values[1].is_null) {
    Value same;
    if (!c.invoke(ctx, values.data(), &same)) return false;
    if (!same.is_null && same.i != 0) {
      *out = Value::null();
      return true;
    }
  }
  *out = values[0];
  return true;
}

bool is_distinct(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CallNode>(node);
  std::array<Value, 2> values;
  if (!run(c.args[0], ctx, in, &values[0]) || !run(c.args[1], ctx, in, &values[1])) return false;
  if (values[0].is_null || values[1].is_null) {
    *out = Value::of_bool(values[0].is_null != values[1].is_null);
    return true;
  }
  Value same;
  if (!c.invoke(ctx, values.data(), &same)) return false;
  *out = Value::of_bool(same.is_null || same.i == 0);
  return true;
}

bool as_unsigned(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  if (!run(as<UnaryNode>(node).arg, ctx, in, out)) return false;
  if (!out->is_null) out->i &= 0xFFFFFFFF;
  return true;
}
bool as_signed(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  if (!run(as<UnaryNode>(node).arg, ctx, in, out)) return false;
  if (!out->is_null) out->i = static_cast<std::int32_t>(static_cast<std::uint32_t>(out->i));
  return true;
}

bool to_domain(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& cast = as<DomainNode>(node);
  return run(cast.arg, ctx, in, out) && check_domain(ctx, cast.domain, *out);
}

bool io_cast(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& cast = as<IoCastNode>(node);
  Value value;
  if (!run(cast.arg, ctx, in, &value)) return false;
  if (value.is_null) {
    *out = Value::null();
    return true;
  }
  switch (cast.source) {
    case kText: case kVarchar: case kBpchar: case kName: case kCitext: case kUnknown: case kCstring:
      return value_from_text(ctx, cast.target, cast.typmod, value.bytes(), out);
    default: break;
  }
  std::string text;
  if (!append_text(ctx, cast.source, value, text)) return false;
  const std::string_view kept = ctx.arena.copy(text);
  if (cast.target == kText || (cast.target == kVarchar && cast.typmod < 0)) {
    *out = Value::of_bytes(kept);
    return true;
  }
  return value_from_text(ctx, cast.target, cast.typmod, kept, out);
}

bool array_cast(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& cast = as<ArrayCastNode>(node);
  Value value;
  if (!run(cast.arg, ctx, in, &value)) return false;
  if (value.is_null) {
    *out = Value::null();
    return true;
  }
  const ArrayView view(value);
  std::vector<Value> elements(view.count());
  ExprInput inner = in;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    const Value source = view.element(i);
    inner.element = &source;
    if (!run(cast.element, ctx, inner, &elements[i])) return false;
  }
  std::vector<ArrayDimension> dimensions;
  for (int d = 0; d < view.dimensions(); ++d) dimensions.push_back({view.length(d), view.lower_bound(d)});
  *out = build_array(cast.element_type, dimensions, elements, ctx.arena);
  return true;
}

bool logical_not(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  if (!run(as<UnaryNode>(node).arg, ctx, in, out)) return false;
  if (!out->is_null) out->i = out->i == 0 ? 1 : 0;
  return true;
}

bool logical_and(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  bool unknown = false;
  for (const EvalNode* arg : as<ListNode>(node).args) {
    Value value;
    if (!run(arg, ctx, in, &value)) return false;
    if (value.is_null) {
      unknown = true;
    } else if (value.i == 0) {
      *out = Value::of_bool(false);
      return true;
    }
  }
  *out = unknown ? Value::null() : Value::of_bool(true);
  return true;
}

bool logical_or(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  bool unknown = false;
  for (const EvalNode* arg : as<ListNode>(node).args) {
    Value value;
    if (!run(arg, ctx, in, &value)) return false;
    if (value.is_null) {
      unknown = true;
    } else if (value.i != 0) {
      *out = Value::of_bool(true);
      return true;
    }
  }
  *out = unknown ? Value::null() : Value::of_bool(false);
  return true;
}

bool case_when(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<CaseNode>(node);
  Value test;
  ExprInput with_test = in;
  if (c.arg != nullptr) {
    if (!run(c.arg, ctx, in, &test)) return false;
    with_test.test = &test;
  }
  for (const CaseNode::When& when : c.whens) {
    Value condition;
    if (!run(when.condition, ctx, with_test, &condition)) return false;
    if (!condition.is_null && condition.i != 0) return run(when.result, ctx, in, out);
  }
  return run(c.otherwise, ctx, in, out);
}

bool coalesce(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  for (const EvalNode* arg : as<ListNode>(node).args) {
    if (!run(arg, ctx, in, out)) return false;
    if (!out->is_null) return true;
  }
  *out = Value::null();
  return true;
}

bool extreme(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& e = as<ExtremeNode>(node);
  Value best;
  for (const EvalNode* arg : e.args) {
    Value value;
    if (!run(arg, ctx, in, &value)) return false;
    if (value.is_null) continue;
    if (best.is_null) {
      best = value;
      continue;
    }
    const int order = compare_values(e.order, value, best);
    if (e.greatest ? order > 0 : order < 0) best = value;
  }
  *out = best;
  return true;
}

bool is_null(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  Value value;
  if (!run(as<UnaryNode>(node).arg, ctx, in, &value)) return false;
  *out = Value::of_bool(value.is_null);
  return true;
}
bool is_not_null(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  Value value;
  if (!run(as<UnaryNode>(node).arg, ctx, in, &value)) return false;
  *out = Value::of_bool(!value.is_null);
  return true;
}

namespace {

bool row_test(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out, bool want_null) {
  Value value;
  if (!run(as<UnaryNode>(node).arg, ctx, in, &value)) return false;
  if (value.is_null) {
    *out = Value::of_bool(want_null);
    return true;
  }
  const RecordView record(value);
  bool all = true;
  for (std::uint32_t i = 0; i < record.count() && all; ++i) all = record.type(i) == kInvalidOid || record.field(i).is_null == want_null;
  *out = Value::of_bool(all);
  return true;
}

}  // namespace

bool row_is_null(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) { return row_test(node, ctx, in, out, true); }
bool row_is_not_null(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  return row_test(node, ctx, in, out, false);
}

bool bool_test(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& t = as<BoolTestNode>(node);
  Value value;
  if (!run(t.arg, ctx, in, &value)) return false;
  const bool is_true = !value.is_null && value.i != 0;
  const bool is_false = !value.is_null && value.i == 0;
  bool result = false;
  switch (t.test) {
    case TestOp::kIsTrue: result = is_true; break;
    case TestOp::kIsNotTrue: result = !is_true; break;
    case TestOp::kIsFalse: result = is_false; break;
    case TestOp::kIsNotFalse: result = !is_false; break;
    case TestOp::kIsUnknown: case TestOp::kIsNull: result = value.is_null; break;
    case TestOp::kIsNotUnknown: case TestOp::kIsNotNull: result = !value.is_null; break;
  }
  *out = Value::of_bool(result);
  return true;
}

bool compare_list(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<ArrayCompareNode>(node);
  std::array<Value, 2> pair;
  if (!run(c.left, ctx, in, &pair[0])) return false;
  bool unknown = false, decided = false;
  for (const EvalNode* item : c.items) {
    if (!run(item, ctx, in, &pair[1])) return false;
    if (!compare_step(c, ctx, pair.data(), &unknown, &decided, out)) return false;
    if (decided) return true;
  }
  finish_compare(c, unknown, out);
  return true;
}

bool compare_array(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& c = as<ArrayCompareNode>(node);
  std::array<Value, 2> pair;
  Value array_value;
  if (!run(c.left, ctx, in, &pair[0]) || !run(c.array, ctx, in, &array_value)) return false;
  if (array_value.is_null) {
    *out = Value::null();
    return true;
  }
  const ArrayView view(array_value);
  bool unknown = false, decided = false;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    pair[1] = view.element(i);
    if (!compare_step(c, ctx, pair.data(), &unknown, &decided, out)) return false;
    if (decided) return true;
  }
  finish_compare(c, unknown, out);
  return true;
}

bool in_integer_set(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& set = as<IntegerSetNode>(node);
  Value value;
  if (!run(set.left, ctx, in, &value)) return false;
  if (value.is_null) {
    *out = set.values.empty() && !set.has_null ? Value::of_bool(set.negative) : Value::null();
    return true;
  }
  const bool found = set.values.size() <= 8 ? std::find(set.values.begin(), set.values.end(), value.i) != set.values.end()
                                            : std::binary_search(set.values.begin(), set.values.end(), value.i);
  *out = found ? Value::of_bool(!set.negative) : set.has_null ? Value::null() : Value::of_bool(set.negative);
  return true;
}

bool array(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& a = as<ArrayNode>(node);
  Args values(a.args.size(), ctx);
  for (std::size_t i = 0; i < a.args.size(); ++i) {
    if (!run(a.args[i], ctx, in, &values[i])) return false;
  }
  *out = build_array(a.element_type, std::span<const Value>(values.data(), a.args.size()), ctx.arena);
  return true;
}

bool nested_array(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& a = as<ArrayNode>(node);
  std::vector<Value> elements;
  std::vector<ArrayDimension> dimensions;
  std::int32_t outer = 0;
  bool saw_empty = false;
  for (const EvalNode* arg : a.args) {
    Value value;
    if (!run(arg, ctx, in, &value)) return false;
    if (value.is_null) {
      saw_empty = true;
      continue;
    }
    const ArrayView view(value);
    if (view.dimensions() == 0) {
      saw_empty = true;
      continue;
    }
    if (outer == 0) {
      if (view.dimensions() + 1 > kMaxArrayDimensions) {
        return ctx.fail(Status{sqlstate::program_limit_exceeded, "number of array dimensions (" + std::to_string(view.dimensions() + 1) +
                                                                      ") exceeds the maximum allowed (6)"});
      }
      for (int d = 0; d < view.dimensions(); ++d) dimensions.push_back({view.length(d), view.lower_bound(d)});
    } else {
      if (static_cast<std::size_t>(view.dimensions()) != dimensions.size()) return array_dimensions_error(ctx);
      for (int d = 0; d < view.dimensions(); ++d) {
        if (view.length(d) != dimensions[static_cast<std::size_t>(d)].length ||
            view.lower_bound(d) != dimensions[static_cast<std::size_t>(d)].lower_bound) {
          return array_dimensions_error(ctx);
        }
      }
    }
    ++outer;
    for (std::uint32_t i = 0; i < view.count(); ++i) elements.push_back(view.element(i));
  }
  if (outer > 0 && saw_empty) return array_dimensions_error(ctx);
  if (outer == 0) {
    *out = build_array(a.element_type, std::span<const Value>{}, ctx.arena);
    return true;
  }
  dimensions.insert(dimensions.begin(), ArrayDimension{outer, 1});
  *out = build_array(a.element_type, dimensions, elements, ctx.arena);
  return true;
}

bool row(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& r = as<RowNode>(node);
  Args values(r.args.size(), ctx);
  for (std::size_t i = 0; i < r.args.size(); ++i) {
    if (!run(r.args[i], ctx, in, &values[i])) return false;
  }
  *out = build_record(r.types, std::span<const Value>(values.data(), r.args.size()), ctx.arena, r.shape);
  return true;
}

bool row_compare(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& r = as<RowCompareNode>(node);
  for (std::size_t i = 0; i < r.strict.size(); ++i) {
    Value same;
    if (!run(r.equal[i], ctx, in, &same)) return false;
    if (same.is_null) {
      *out = Value::null();
      return true;
    }
    if (same.i != 0) continue;
    return run(r.strict[i], ctx, in, out);
  }
  *out = Value::of_bool(r.or_equal);
  return true;
}

bool subscript(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& s = as<SubscriptNode>(node);
  Value array_value;
  if (!run(s.array, ctx, in, &array_value)) return false;
  *out = Value::null();
  if (array_value.is_null) return true;
  const ArrayView view(array_value);
  const bool fits = static_cast<std::size_t>(view.dimensions()) == s.upper.size();
  std::int64_t position = 0;
  bool inside = fits;
  for (std::size_t d = 0; d < s.upper.size(); ++d) {
    Value index;
    if (!run(s.upper[d], ctx, in, &index)) return false;
    if (index.is_null || !inside) {
      inside = false;
      continue;
    }
    const std::int64_t offset = index.i - view.lower_bound(static_cast<int>(d));
    const std::int32_t length = view.length(static_cast<int>(d));
    if (offset < 0 || offset >= length) {
      inside = false;
      continue;
    }
    position = position * length + offset;
  }
  if (inside) *out = view.element(static_cast<std::uint32_t>(position));
  return true;
}

namespace {

bool subscript_error(EvalContext& ctx, std::string message) { return ctx.fail({sqlstate::array_subscript_error, std::move(message)}); }

// Puts `values` at `first` and on in an array of one dimension, which grows to either side; what is in between becomes null.
bool store_span(EvalContext& ctx, const Value& array, Oid element_type, std::int64_t first, std::span<const Value> values, Value* out) {
  std::vector<Value> elements;
  std::int64_t lower = first;
  if (!array.is_null && ArrayView(array).dimensions() == 1) {
    const ArrayView view(array);
    lower = view.lower_bound(0);
    for (std::uint32_t i = 0; i < view.count(); ++i) elements.push_back(view.element(i));
  }
  const std::int64_t low = std::min(lower, first);
  const std::int64_t end = std::max(lower + static_cast<std::int64_t>(elements.size()), first + static_cast<std::int64_t>(values.size()));
  if (end - low > 134217727) return ctx.fail({sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"});
  std::vector<Value> grown(static_cast<std::size_t>(end - low));
  std::copy(elements.begin(), elements.end(), grown.begin() + (lower - low));
  std::copy(values.begin(), values.end(), grown.begin() + (first - low));
  const ArrayDimension one[] = {{static_cast<std::int32_t>(grown.size()), static_cast<std::int32_t>(low)}};
  *out = build_array(element_type, one, grown, ctx.arena);
  return true;
}

bool store_element(EvalContext& ctx, const Value& array, Oid element_type, std::span<const std::int64_t> at, const Value& value, Value* out) {
  const std::size_t dimensions = array.is_null ? 0 : static_cast<std::size_t>(ArrayView(array).dimensions());
  if (dimensions != 0 && dimensions != at.size()) return subscript_error(ctx, "wrong number of array subscripts");
  if (at.size() == 1) return store_span(ctx, array, element_type, at[0], std::span(&value, 1), out);
  std::vector<ArrayDimension> shape;
  std::vector<Value> elements{value};
  if (dimensions == 0) {
    for (const std::int64_t i : at) shape.push_back({1, static_cast<std::int32_t>(i)});
  } else {
    const ArrayView view(array);
    elements.clear();
    for (std::uint32_t i = 0; i < view.count(); ++i) elements.push_back(view.element(i));
    std::int64_t position = 0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      const int dimension = static_cast<int>(d);
      shape.push_back({view.length(dimension), view.lower_bound(dimension)});
      const std::int64_t offset = at[d] - view.lower_bound(dimension);
      if (offset < 0 || offset >= view.length(dimension)) return subscript_error(ctx, "array subscript out of range");
      position = position * view.length(dimension) + offset;
    }
    elements[static_cast<std::size_t>(position)] = value;
  }
  *out = build_array(element_type, shape, elements, ctx.arena);
  return true;
}

}  // namespace

bool array_store(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& s = as<SubscriptNode>(node);
  Value array, value;
  if (!run(s.array, ctx, in, &array)) return false;
  std::vector<std::int64_t> from, to;
  const auto bounds = [&](std::span<const EvalNode* const> list, std::vector<std::int64_t>* indexes) {
    for (const EvalNode* expr : list) {
      if (expr == nullptr) {
        indexes->push_back(INT64_MAX);   // left out
        continue;
      }
      Value index;
      if (!run(expr, ctx, in, &index)) return false;
      if (index.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "array subscript in assignment must not be null"});
      indexes->push_back(index.i);
    }
    return true;
  };
  if (!bounds(s.lower, &from) || !bounds(s.upper, &to) || !run(s.store, ctx, in, &value)) return false;
  if (to.size() > kMaxArrayDimensions)
    return ctx.fail({sqlstate::program_limit_exceeded, "number of array dimensions (" + std::to_string(to.size()) + ") exceeds the maximum allowed (6)"});
  if (!s.slice) return store_element(ctx, array, s.element_type, to, value, out);
  *out = array;
  if (value.is_null) return true;   // no new elements, no change
  const bool empty = array.is_null || ArrayView(array).dimensions() == 0;
  if (to.size() != 1 || (!empty && ArrayView(array).dimensions() != 1))
    return ctx.fail({sqlstate::feature_not_supported, "assignment to slices of several dimensions is not supported"});
  if (empty && (from[0] == INT64_MAX || to[0] == INT64_MAX))
    return ctx.fail(Status{sqlstate::array_subscript_error, "array slice subscript must provide both boundaries"}.with_detail(
        "When assigning to a slice of an empty array value, slice boundaries must be fully specified."));
  if (from[0] == INT64_MAX) from[0] = ArrayView(array).lower_bound(0);
  if (to[0] == INT64_MAX) to[0] = ArrayView(array).lower_bound(0) + ArrayView(array).length(0) - 1;
  if (from[0] > to[0]) return subscript_error(ctx, "upper bound cannot be less than lower bound");
  const ArrayView source(value);
  if (source.count() < to[0] - from[0] + 1) return subscript_error(ctx, "source array too small");
  std::vector<Value> values;
  for (std::int64_t i = from[0]; i <= to[0]; ++i) values.push_back(source.element(static_cast<std::uint32_t>(i - from[0])));
  return store_span(ctx, array, s.element_type, from[0], values, out);
}

bool array_slice(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& s = as<SubscriptNode>(node);
  Value array_value;
  if (!run(s.array, ctx, in, &array_value)) return false;
  *out = Value::null();
  if (array_value.is_null) return true;
  const ArrayView view(array_value);
  const auto dimensions = static_cast<std::size_t>(view.dimensions());
  std::array<std::int64_t, kMaxArrayDimensions> from{}, to{};
  if (s.upper.size() > kMaxArrayDimensions) {
    return ctx.fail(Status{sqlstate::program_limit_exceeded, "number of array dimensions (" + std::to_string(s.upper.size()) +
                                                                  ") exceeds the maximum allowed (6)"});
  }
  const auto bound = [&](const EvalNode* expr, std::int64_t missing, std::int64_t* value, bool* null) {
    *value = missing;
    if (expr == nullptr) return true;
    Value index;
    if (!run(expr, ctx, in, &index)) return false;
    *null = *null || index.is_null;
    *value = index.i;
    return true;
  };
  bool null = false;
  for (std::size_t d = 0; d < s.upper.size(); ++d) {
    const bool real = d < dimensions;
    const std::int64_t first = real ? view.lower_bound(static_cast<int>(d)) : 1;
    const std::int64_t last = real ? first + view.length(static_cast<int>(d)) - 1 : 0;
    if (!bound(s.lower[d], first, &from[d], &null) || !bound(s.upper[d], last, &to[d], &null)) return false;
  }
  if (null) return true;
  const Oid element_type = view.element_type();
  const auto empty = [&] {
    *out = build_array(element_type, std::span<const Value>{}, ctx.arena);
    return true;
  };
  if (s.upper.size() > dimensions || dimensions == 0) return empty();
  std::size_t total = 1;
  std::vector<ArrayDimension> shape;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const std::int64_t first = view.lower_bound(static_cast<int>(d));
    const std::int64_t last = first + view.length(static_cast<int>(d)) - 1;
    if (d >= s.upper.size()) {
      from[d] = first;
      to[d] = last;
    }
    from[d] = std::max(from[d], first);
    to[d] = std::min(to[d], last);
    if (from[d] > to[d]) return empty();
    shape.push_back({static_cast<std::int32_t>(to[d] - from[d] + 1), 1});
    total *= static_cast<std::size_t>(to[d] - from[d] + 1);
  }
  std::vector<Value> elements;
  elements.reserve(total);
  std::array<std::int64_t, kMaxArrayDimensions> at = from;
  for (std::size_t n = 0; n < total; ++n) {
    std::int64_t position = 0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      position = position * view.length(static_cast<int>(d)) + (at[d] - view.lower_bound(static_cast<int>(d)));
    }
    elements.push_back(view.element(static_cast<std::uint32_t>(position)));
    for (std::size_t d = dimensions; d-- > 0;) {
      if (++at[d] <= to[d]) break;
      at[d] = from[d];
    }
  }
  *out = build_array(element_type, shape, elements, ctx.arena);
  return true;
}

bool field(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& f = as<FieldNode>(node);
  Value record;
  if (!run(f.arg, ctx, in, &record)) return false;
  *out = Value::null();
  if (record.is_null) return true;
  // A value may be older than the attribute.
  const RecordView view(record);
  if (f.field < view.count()) *out = view.field(f.field);
  return true;
}

bool sql_value(const EvalNode& node, EvalContext& ctx, const ExprInput&, Value* out) {
  const auto& s = as<SqlValueNode>(node);
  const auto text = [&](std::string_view value) {
    *out = Value::of_bytes(ctx.arena.copy(value));
    return true;
  };
  const auto call = [&](const FunctionDef* function, const Oid* types, const Value* args, Value* result) {
    return function->typed_fn != nullptr ? function->typed_fn(ctx, types, args, result) : function->fn(ctx, args, result);
  };
  switch (s.value) {
    case SqlValue::kCurrentDate: case SqlValue::kCurrentTime: case SqlValue::kCurrentTimestamp: case SqlValue::kLocalTime:
    case SqlValue::kLocalTimestamp: {
      const Value now = Value::of_int(ctx.transaction_timestamp);
      *out = now;
      if (s.convert != nullptr && !call(s.convert, s.convert_types, &now, out)) return false;
      if (s.length != nullptr) {
        const std::array<Value, 2> args{*out, Value::of_int(s.typmod)};
        return call(s.length, s.length_types, args.data(), out);
      }
      return true;
    }
    default: break;
  }
  if (ctx.session == nullptr) return ctx.fail(Status{sqlstate::internal_error, "no session to ask"});
  switch (s.value) {
    case SqlValue::kSessionUser: return text(ctx.session->session_user());
    case SqlValue::kCurrentCatalog: return text(ctx.session->current_database());
    case SqlValue::kCurrentSchema: {
      const std::optional<std::string> schema = ctx.session->current_schema();
      *out = Value::null();
      return !schema || text(*schema);
    }
    default: return text(ctx.session->current_user());
  }
}

}  // namespace wandian::sql::eval
