// Subscripts of jsonb, read and assigned.
#include <vector>

#include "sql/expr/eval_nodes.h"
#include "sql/functions/jsonb_path.h"
#include "sql/types/text_builder.h"
#include "sql/types/type_forms.h"

namespace wandian::sql::eval {

namespace {

// The subscripts as text; *null where one of them is.
bool json_path(const SubscriptNode& s, EvalContext& ctx, const ExprInput& in, std::vector<std::string_view>* path, bool* null) {
  *null = false;
  for (std::size_t i = 0; i < s.upper.size(); ++i) {
    Value key;
    if (!s.upper[i]->fn(*s.upper[i], ctx, in, &key)) return false;
    if (key.is_null) {
      *null = true;
      path->emplace_back();
      continue;
    }
    if (s.key_types[i] == type_oid::kText) {
      path->push_back(key.bytes());
      continue;
    }
    TextBuilder text(ctx.arena);
    if (!append_text(ctx, s.key_types[i], key, text)) return false;
    path->push_back(text.view());
  }
  return true;
}

}  // namespace

bool json_element(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& s = static_cast<const SubscriptNode&>(node);
  Value document;
  if (!s.array->fn(*s.array, ctx, in, &document)) return false;
  std::vector<std::string_view> path;
  bool null;
  *out = Value::null();
  if (document.is_null) return true;
  if (!json_path(s, ctx, in, &path, &null)) return false;
  return null || jsonb_element(ctx, document, path, out);
}

bool json_store(const EvalNode& node, EvalContext& ctx, const ExprInput& in, Value* out) {
  const auto& s = static_cast<const SubscriptNode&>(node);
  Value document, value;
  std::vector<std::string_view> path;
  bool null;
  if (!s.array->fn(*s.array, ctx, in, &document) || !json_path(s, ctx, in, &path, &null)) return false;
  if (null) return ctx.fail({sqlstate::null_value_not_allowed, "jsonb subscript in assignment must not be null"});
  if (!s.store->fn(*s.store, ctx, in, &value)) return false;
  return jsonb_assign(ctx, document, path, s.key_types[0] == type_oid::kInt4, value, out);
}

}  // namespace wandian::sql::eval
