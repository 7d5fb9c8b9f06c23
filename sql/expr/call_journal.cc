#include "sql/expr/call_journal.h"

#include "sql/expr/expression.h"

namespace wandian::sql {

void CallJournal::ask(const FunctionDef* function, std::span<const Oid> types, std::span<const Value> args) {
  if (asked_) return;   // the first is answered first, and what follows begins anew
  asked_ = used_ = true;
  call_.function = function;
  call_.types = types;
  call_.rows = nullptr;
  call_.done = false;
  call_.arena = &arena_;
  call_.result = Value::null();
  call_.args.clear();
  for (std::size_t i = 0; i < args.size(); ++i) call_.args.push_back(copy_value(types[i], args[i], arena_));
}

}  // namespace wandian::sql
