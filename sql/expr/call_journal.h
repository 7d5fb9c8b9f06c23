// CallJournal: what the calls of one row's expression have answered so far, so that its evaluation can begin anew after a wait.
// Owns:       the answers' bytes and the arguments of the call that is asked for.
// Thread:     the session's shard.
// Invariants: evaluation from the start meets the same calls in the same order, since everything that could answer otherwise (all
//             built-in functions that are not immutable, and all routines) is answered from here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "engine/oid.h"
#include "engine/value.h"

namespace wandian::sql {

struct FunctionDef;
struct TriggerEvent;

/// The rows that a routine answered: one value a column.
struct RoutineRows {
  Arena arena;
  std::size_t width = 1;
  std::vector<Value> values;
  std::size_t size() const { return width == 0 ? 0 : values.size() / width; }
  const Value* at(std::size_t row) const { return values.data() + row * width; }
};

/// What is wanted of whoever can wait: run this routine with these arguments.
struct RoutineCall {
  const FunctionDef* function = nullptr;   ///< FunctionDef::routine says which
  std::vector<Value> args;
  std::span<const Oid> types;              ///< of the arguments, then of the result, as the call was bound
  /// Not null: all rows are wanted.
  RoutineRows* rows = nullptr;
  Arena* arena = nullptr;                  ///< for the result's bytes
  Value result;
  bool done = false;                       ///< it has been run
  const TriggerEvent* trigger = nullptr;   ///< sql/routine/trigger.h: the routine is a trigger's
};

class CallJournal {
 public:
  /// Evaluation begins, from the first call.
  void rewind() { next_ = 0; }
  /// Another row, or another expression.
  void clear() {
    entries_.clear();
    next_ = 0;
    asked_ = false;
    if (used_) arena_.reset();
    used_ = false;
  }
  /// The answer of the next call, if it is there.
  bool take(Value* out) {
    if (next_ == entries_.size()) return false;
    *out = entries_[next_++];
    return true;
  }
  /// What a built-in function answered.
  void note(const Value& value, bool by_value) {
    used_ = true;
    entries_.push_back(by_value || value.is_null ? value : Value::of_bytes(arena_.copy(value.bytes())));
    next_ = entries_.size();
  }
  /// Ends the evaluation: this routine must be run first. Arguments that are not held by value are copied.
  void ask(const FunctionDef* function, std::span<const Oid> types, std::span<const Value> args);
  bool asked() const { return asked_; }
  RoutineCall& call() { return call_; }
  /// The call has been run: its answer is the next entry.
  void answer() {
    asked_ = false;
    entries_.push_back(call_.result);
  }

 private:
  std::vector<Value> entries_;
  std::size_t next_ = 0;
  bool asked_ = false, used_ = false;
  RoutineCall call_;
  Arena arena_;
};

}  // namespace wandian::sql
