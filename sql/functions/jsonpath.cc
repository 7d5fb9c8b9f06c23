// The functions and operators over jsonb and jsonpath.
#include "sql/functions/bindings.h"
#include "sql/functions/json_text.h"
#include "sql/functions/jsonpath_run.h"
#include "sql/expr/call_journal.h"

namespace wandian::sql {

namespace {

// Arguments: jsonb, jsonpath, and where the function has them the variables and whether it is silent. `operators` are silent.
bool run(EvalContext& ctx, const Value* args, bool by_operator, bool with_zone, std::vector<JsonPathItem>* items, JsonPathResult* result) {
  auto* document = ctx.arena.allocate_array<JsonNode>(2);
  JsonPath path;
  if (!check(ctx, parse_json(args[0].bytes(), true, ctx.arena, &document[0])) || !check(ctx, parse_jsonpath(args[1].bytes(), ctx.arena, &path)))
    return false;
  JsonPathCall call;
  call.path = &path;
  call.document = &document[0];
  call.silent = by_operator || args[3].as_bool();
  call.with_zone = with_zone;
  if (!by_operator) {
    if (!check(ctx, parse_json(args[2].bytes(), true, ctx.arena, &document[1]))) return false;
    if (document[1].kind != JsonNode::Kind::kObject)
      return ctx.fail(Status{sqlstate::invalid_parameter_value, "\"vars\" argument is not an object"}.with_detail(
          "Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
    call.variables = &document[1];
  }
  *result = run_jsonpath(ctx, call, items);
  return *result != JsonPathResult::kFailed;
}

template <bool by_operator, bool with_zone>
bool path_exists(EvalContext& ctx, const Value* args, Value* result) {
  JsonPathResult found;
  if (!run(ctx, args, by_operator, with_zone, nullptr, &found)) return false;
  return found == JsonPathResult::kSuppressed ? return_null(result) : return_bool(result, found == JsonPathResult::kFound);
}

template <bool by_operator, bool with_zone>
bool path_match(EvalContext& ctx, const Value* args, Value* result) {
  JsonPathResult found;
  std::vector<JsonPathItem> items;
  if (!run(ctx, args, by_operator, with_zone, &items, &found)) return false;
  if (items.size() == 1 && items[0].node != nullptr) {
    switch (items[0].node->kind) {
      case JsonNode::Kind::kFalse: return return_bool(result, false);
      case JsonNode::Kind::kTrue: return return_bool(result, true);
      case JsonNode::Kind::kNull: return return_null(result);
      default: break;
    }
  }
  if (!by_operator && !args[3].as_bool()) return ctx.fail({sqlstate::singleton_sql_json_item_required, "single boolean result is expected"});
  return return_null(result);
}

template <bool with_zone>
bool path_query(EvalContext& ctx, const FunctionDef&, const Oid*, const Value* args, RoutineRows* rows) {
  JsonPathResult found;
  std::vector<JsonPathItem> items;
  if (!run(ctx, args, false, with_zone, &items, &found)) return false;
  for (const JsonPathItem& item : items) {
    TextBuilder out(ctx.arena);
    write_jsonpath_item(item, out);
    rows->values.push_back(out.value());
  }
  return true;
}

template <bool with_zone>
bool path_query_array(EvalContext& ctx, const Value* args, Value* result) {
  JsonPathResult found;
  std::vector<JsonPathItem> items;
  if (!run(ctx, args, false, with_zone, &items, &found)) return false;
  TextBuilder out(ctx.arena);
  out.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.append(", ");
    write_jsonpath_item(items[i], out);
  }
  out.push_back(']');
  *result = out.value();
  return true;
}

template <bool with_zone>
bool path_query_first(EvalContext& ctx, const Value* args, Value* result) {
  JsonPathResult found;
  std::vector<JsonPathItem> items;
  if (!run(ctx, args, false, with_zone, &items, &found)) return false;
  if (items.empty()) return return_null(result);
  TextBuilder out(ctx.arena);
  write_jsonpath_item(items[0], out);
  *result = out.value();
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"jsonb_path_exists", path_exists<false, false>}, {"jsonb_path_exists_tz", path_exists<false, true>},
    {"jsonb_path_exists_opr", path_exists<true, false>},
    {"jsonb_path_match", path_match<false, false>}, {"jsonb_path_match_tz", path_match<false, true>},
    {"jsonb_path_match_opr", path_match<true, false>},
    {"jsonb_path_query", nullptr, nullptr, nullptr, path_query<false>}, {"jsonb_path_query_tz", nullptr, nullptr, nullptr, path_query<true>},
    {"jsonb_path_query_array", path_query_array<false>}, {"jsonb_path_query_array_tz", path_query_array<true>},
    {"jsonb_path_query_first", path_query_first<false>}, {"jsonb_path_query_first_tz", path_query_first<true>},
};

}  // namespace

std::span<const FunctionBinding> jsonpath_bindings() { return kBindings; }

}  // namespace wandian::sql
