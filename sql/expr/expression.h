// CompiledExpr: an expression as a tree of typed evaluators, one indirect call a node.
// Owns:       nothing; nodes live in the arena given to compile(), constants in the arena of the tree they came from
//             (both must outlive it).
// Thread:     immutable, so one plan is evaluated by any shard; everything that changes is in EvalContext and on the stack.
// Errors:     evaluation returns false and sets EvalContext::error. Results that need memory are made in EvalContext::arena
//             or point into the input.
#pragma once

#include <cstdint>
#include <span>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/expr/node.h"
#include "sql/functions/registry.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// The row an expression is evaluated against.
struct ExprInput {
  const Value* columns = nullptr;    ///< by SlotExpr::slot
  const Value* params = nullptr;     ///< by ParamExpr::index, already of the parameters' types
  const Value* test = nullptr;       ///< set by CASE while it evaluates its WHENs
  const Value* element = nullptr;    ///< set by an array cast for each element
};

struct EvalNode {
  using Fn = bool (*)(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out);
  Fn fn;
};

class CompiledExpr {
 public:
  CompiledExpr() = default;
  explicit CompiledExpr(const EvalNode* root) : root_(root) {}
  explicit operator bool() const { return root_ != nullptr; }

  bool eval(EvalContext& ctx, const ExprInput& in, Value* out) const { return root_->fn(*root_, ctx, in, out); }

  /// For conditions: *passes is true only if the value is true (null and false are not). False: ctx.error.
  bool test(EvalContext& ctx, const ExprInput& in, bool* passes) const {
    Value value;
    if (!root_->fn(*root_, ctx, in, &value)) [[unlikely]] return false;
    *passes = !value.is_null && value.i != 0;
    return true;
  }

 private:
  const EvalNode* root_ = nullptr;
};

struct CompileOptions {
  /// ColumnExpr (levels_up 0, not a system column) reads slot `column` of the input; for CHECK and DEFAULT expressions and
  /// other single-table uses. Without it a ColumnExpr does not compile.
  bool columns_are_slots = false;
  /// The expression holds calls of routines and will be evaluated with a journal: built-in functions that are not immutable
  /// answer once for each row.
  bool journaled = false;
};

/// Fails with XX000 on what the planner must have replaced (columns, sub-selects, aggregates), and with 0A000 on a
/// set-returning function where a single value is wanted.
Result<CompiledExpr> compile(const Expr& expr, Arena& arena, const CompileOptions& options = {});

/// The value of an expression without columns, at bind or plan time. Its bytes live in ctx.arena.
Result<Value> evaluate_constant(const Expr& expr, EvalContext& ctx, const Value* params = nullptr);

/// Whether a value of `type` that is not null may be copied as a Value alone (no bytes elsewhere).
bool is_by_value(Oid type);
/// Copies the bytes a value points to, if any.
Value copy_value(Oid type, const Value& value, Arena& arena);

}  // namespace wandian::sql
