// Evaluates a jsonpath over a jsonb, in lax and strict mode.
// Thread:  one at a time; memory comes from the context's arena.
#pragma once

#include <vector>

#include "sql/functions/jsonpath_datetime.h"
#include "sql/functions/registry.h"
#include "sql/types/json.h"
#include "sql/types/jsonpath.h"

namespace wandian::sql {

/// What a path yields: a node, or a time.
struct JsonPathItem {
  const JsonNode* node = nullptr;
  const JsonPathTime* time = nullptr;
};
void write_jsonpath_item(const JsonPathItem& item, TextBuilder& out);

struct JsonPathCall {
  const JsonPath* path = nullptr;
  const JsonNode* document = nullptr;
  const JsonNode* variables = nullptr;   ///< an object, or null
  bool silent = false;                   ///< errors that a document can cause end the evaluation without a message
  bool with_zone = false;                ///< the session's time zone may be used
};

enum class JsonPathResult : std::uint8_t { kFound, kNothing, kSuppressed, kFailed };

/// kSuppressed: an error of a silent call; kFailed: ctx.error is set. `items` null: whether there is something is all that is asked.
JsonPathResult run_jsonpath(EvalContext& ctx, const JsonPathCall& call, std::vector<JsonPathItem>* items);

}  // namespace wandian::sql
