// ValueCasts: values from one type to another as PL/pgSQL assigns them, each cast compiled once a session.
// Owns:    the compiled casts.
// Thread:  the session's shard.
#pragma once

#include <map>
#include <tuple>

#include "sql/bind/binder.h"
#include "sql/expr/expression.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

class ValueCasts {
 public:
  /// *out is `in` as a value of `target`; its bytes are those of `in` or stand in eval.arena.
  Status cast(const BindContext& context, EvalContext& eval, const Value& in, Oid source, Oid target, std::int32_t typmod, Value* out);

 private:
  struct Cast {
    BoundExpression bound;
    Arena code_arena;
    CompiledExpr code;
  };
  std::map<std::tuple<Oid, Oid, std::int32_t>, std::unique_ptr<Cast>> casts_;
};

/// A value of a row type or composite type, whose fields `fields` are, as a record without the dropped ones.
Value live_record(std::span<const RowField> fields, const Value& composite, Arena& arena);

}  // namespace wandian::sql
