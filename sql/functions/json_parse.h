// JSON arguments of set-returning functions: taken apart at the first row and kept for the others.
#pragma once

#include <new>

#include "sql/functions/bindings.h"
#include "sql/types/json.h"

namespace wandian::sql {

inline bool parse_once(EvalContext& ctx, const Value& json, bool jsonb, const JsonNode** root) {
  SetCallState& call = *ctx.set_call;
  if (call.kept == nullptr) {
    auto* node = new (call.arena.allocate(sizeof(JsonNode), alignof(JsonNode))) JsonNode;
    if (!check(ctx, parse_json(json.bytes(), jsonb, call.arena, node))) return false;
    call.kept = node;
  }
  *root = static_cast<const JsonNode*>(call.kept);
  return true;
}

}  // namespace wandian::sql
