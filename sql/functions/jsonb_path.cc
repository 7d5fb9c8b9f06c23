#include "sql/functions/jsonb_path.h"

#include <vector>

#include "sql/functions/json_text.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

using Kind = JsonNode::Kind;

constexpr std::int64_t kMaxElements = 10'000'000;   // that a number in a path may ask to fill with nulls

bool parse_index(std::string_view text, std::int64_t* out) {
  // As strtol reads it: blanks before it, none behind.
  return !text.empty() && text.back() > ' ' && parse_int(text, INT32_MIN, INT32_MAX, "integer", out).ok();
}

class Assignment {
 public:
  Assignment(EvalContext& ctx, std::span<const std::string_view> path, const JsonNode& value) : ctx_(ctx), path_(path), value_(value) {}

  bool place(const JsonNode& node, std::size_t level, JsonNode* out) {
    if (level == path_.size()) {
      *out = value_;
      return true;
    }
    if (node.scalar())
      return ctx_.fail(Status{sqlstate::invalid_parameter_value, "cannot replace existing key"}.with_detail(
          "The path assumes key is a composite object, but it is a scalar value."));
    return node.kind == Kind::kObject ? place_member(node, level, out) : place_element(node, level, out);
  }

 private:
  bool place_member(const JsonNode& node, std::size_t level, JsonNode* out) {
    std::vector<JsonNode> items(node.items, node.items + node.count);
    std::vector<std::string_view> keys(node.keys, node.keys + node.count);
    std::size_t at = 0;
    while (at < keys.size() && keys[at] != path_[level]) ++at;
    if (at < keys.size()) {
      if (!place(node.items[at], level + 1, &items[at])) return false;
    } else {
      keys.push_back(path_[level]);
      if (!make(level + 1, &items.emplace_back())) return false;
    }
    return keep(Kind::kObject, items, keys, out);
  }
  bool place_element(const JsonNode& node, std::size_t level, JsonNode* out) {
    std::int64_t index;
    if (!parse_index(path_[level], &index))
      return ctx_.fail({sqlstate::invalid_text_representation,
                        "path element at position " + std::to_string(level + 1) + " is not an integer: \"" + std::string(path_[level]) + "\""});
    const std::int64_t count = node.count;
    if (index < -count)
      return ctx_.fail({sqlstate::invalid_parameter_value,
                        "path element at position " + std::to_string(level + 1) + " is out of range: " + std::to_string(index)});
    if (index < 0) index += count;
    std::vector<JsonNode> items(node.items, node.items + node.count);
    if (index < count) {
      if (!place(node.items[index], level + 1, &items[static_cast<std::size_t>(index)])) return false;
    } else if (!fill(index, &items) || !make(level + 1, &items.emplace_back())) {
      return false;
    }
    return keep(Kind::kArray, items, {}, out);
  }
  // What the path asks for from `level` on, where there is nothing.
  bool make(std::size_t level, JsonNode* out) {
    if (level == path_.size()) {
      *out = value_;
      return true;
    }
    std::int64_t index;
    std::vector<JsonNode> items;
    if (!parse_index(path_[level], &index)) {
      const std::string_view keys[] = {path_[level]};
      return make(level + 1, &items.emplace_back()) && keep(Kind::kObject, items, keys, out);
    }
    return fill(index, &items) && make(level + 1, &items.emplace_back()) && keep(Kind::kArray, items, {}, out);
  }
  bool fill(std::int64_t count, std::vector<JsonNode>* items) {
    if (count > kMaxElements) return ctx_.fail({sqlstate::program_limit_exceeded, "number of jsonb array elements exceeds the maximum allowed"});
    while (static_cast<std::int64_t>(items->size()) < count) items->emplace_back();
    return true;
  }
  bool keep(Kind kind, std::span<const JsonNode> items, std::span<const std::string_view> keys, JsonNode* out) {
    out->kind = kind;
    out->count = static_cast<std::uint32_t>(items.size());
    out->items = ctx_.arena.allocate_array<JsonNode>(items.size());
    std::copy(items.begin(), items.end(), out->items);
    out->keys = ctx_.arena.allocate_array<std::string_view>(keys.size());
    std::copy(keys.begin(), keys.end(), out->keys);
    return true;
  }

  EvalContext& ctx_;
  std::span<const std::string_view> path_;
  const JsonNode& value_;
};

bool parse(EvalContext& ctx, const Value& value, JsonNode* out) {
  Status status = parse_json(value.bytes(), true, ctx.arena, out);
  return status.ok() || ctx.fail(std::move(status));
}

}  // namespace

bool jsonb_element(EvalContext& ctx, const Value& document, std::span<const std::string_view> path, Value* out) {
  JsonNode root;
  if (!parse(ctx, document, &root)) return false;
  const JsonNode* node = &root;
  for (const std::string_view step : path) {
    std::int64_t index = 0;
    const JsonNode* inner = nullptr;
    if (node->kind == Kind::kObject) inner = node->find(step);
    else if (node->kind == Kind::kArray && parse_index(step, &index)) {
      if (index < 0) index += node->count;
      if (index >= 0 && index < node->count) inner = &node->items[index];
    }
    if (inner == nullptr) {
      *out = Value::null();
      return true;
    }
    node = inner;
  }
  *out = Value::of_bytes(node->raw);
  return true;
}

bool jsonb_assign(EvalContext& ctx, const Value& document, std::span<const std::string_view> path, bool first_is_integer, const Value& value,
                  Value* out) {
  JsonNode root, stored;
  if (document.is_null) root.kind = first_is_integer ? Kind::kArray : Kind::kObject;
  else if (!parse(ctx, document, &root)) return false;
  if (!value.is_null && !parse(ctx, value, &stored)) return false;
  JsonNode changed;
  if (!Assignment(ctx, path, stored).place(root, 0, &changed)) return false;
  TextBuilder text(ctx.arena);
  write_jsonb(changed, text);
  return to_jsonb(ctx, text.view(), out);   // which sorts the members
}

}  // namespace wandian::sql
