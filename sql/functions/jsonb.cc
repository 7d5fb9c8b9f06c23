// Functions and operators that look into json and jsonb, and change jsonb.
#include <algorithm>

#include "engine/numeric.h"
#include "sql/functions/bindings.h"
#include "sql/functions/json_parse.h"
#include "sql/functions/json_text.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

using Kind = JsonNode::Kind;

bool parse(EvalContext& ctx, const Value& v, bool jsonb, JsonNode* out) {
  return check(ctx, parse_json(v.bytes(), jsonb, ctx.arena, out));
}

// A node as a value: json gives the text it was read from, jsonb its normal form (the text it was read from, too,
// since jsonb is held normalized), ->> the string itself.
bool give(EvalContext&, const JsonNode* node, bool as_text, Value* result) {
  if (node == nullptr || (as_text && node->kind == Kind::kNull)) return return_null(result);
  *result = Value::of_bytes(as_text && node->kind == Kind::kString ? node->text : node->raw);
  return true;
}

const JsonNode* element(const JsonNode& node, std::int64_t i) {
  if (node.kind != Kind::kArray) return nullptr;
  if (i < 0) i += node.count;
  return i >= 0 && i < node.count ? &node.items[i] : nullptr;
}

template <bool jsonb, bool as_text>
bool object_field(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], jsonb, &node)) return false;
  return give(ctx, node.kind == Kind::kObject ? node.find(args[1].bytes()) : nullptr, as_text, result);
}
template <bool jsonb, bool as_text>
bool array_element(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], jsonb, &node)) return false;
  // PostgreSQL holds a jsonb scalar as an array of one.
  if (jsonb && node.scalar()) return give(ctx, args[1].i == 0 || args[1].i == -1 ? &node : nullptr, as_text, result);
  return give(ctx, element(node, args[1].i), as_text, result);
}

const JsonNode* step(const JsonNode& node, std::string_view name) {
  if (node.kind == Kind::kObject) return node.find(name);
  std::int64_t i;
  if (node.kind != Kind::kArray || !parse_int(name, INT32_MIN, INT32_MAX, "integer", &i).ok()) return nullptr;
  return element(node, i);
}
template <bool jsonb, bool as_text>
bool extract_path(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode root;
  if (!parse(ctx, args[0], jsonb, &root)) return false;
  const ArrayView path(args[1]);
  const JsonNode* node = &root;
  for (std::uint32_t i = 0; i < path.count() && node != nullptr; ++i) {
    const Value name = path.element(i);
    node = name.is_null ? nullptr : step(*node, name.bytes());
  }
  return give(ctx, node, as_text, result);
}

bool needs(EvalContext& ctx, const JsonNode& node, Kind kind, const char* function) {
  if (node.kind == kind) return true;
  const std::string what = node.kind == Kind::kObject  ? "an object"
                           : node.kind == Kind::kArray ? "a non-object"
                                                       : "a scalar";
  return ctx.fail({sqlstate::invalid_parameter_value, std::string("cannot ") + function + " " + what});
}

template <bool jsonb>
bool array_length(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], jsonb, &node)) return false;
  if (node.kind != Kind::kArray)
    return ctx.fail({sqlstate::invalid_parameter_value, node.kind == Kind::kObject ? "cannot get array length of a non-array"
                                                                                   : "cannot get array length of a scalar"});
  return return_int(result, node.count);
}
template <bool jsonb>
bool type_of(EvalContext& ctx, const Value* args, Value* result) {
  constexpr std::string_view kNames[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
  JsonNode node;
  return parse(ctx, args[0], jsonb, &node) && return_text(ctx, result, kNames[static_cast<int>(node.kind)]);
}

template <bool jsonb, bool as_text>
bool array_elements(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const JsonNode* root = nullptr;
  if (!parse_once(ctx, args[0], jsonb, &root)) return false;
  const JsonNode& node = *root;
  if (node.kind != Kind::kArray && jsonb)
    return ctx.fail({sqlstate::invalid_parameter_value, node.kind == Kind::kObject ? "cannot extract elements from an object"
                                                                                   : "cannot extract elements from a scalar"});
  if (node.kind != Kind::kArray)
    return ctx.fail({sqlstate::invalid_parameter_value, std::string("cannot call json_array_elements") +
                                                            (as_text ? "_text" : "") +
                                                            (node.kind == Kind::kObject ? " on a non-array" : " on a scalar")});
  *done = *position >= node.count;
  return *done || give(ctx, &node.items[(*position)++], as_text, &columns[0]);
}
template <bool jsonb, bool as_text>
bool each(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const JsonNode* root = nullptr;
  if (!parse_once(ctx, args[0], jsonb, &root)) return false;
  const JsonNode& node = *root;
  if (!needs(ctx, node, Kind::kObject, "call json_each on")) return false;
  *done = *position >= node.count;
  if (*done) return true;
  columns[0] = Value::of_bytes(node.keys[*position]);
  return give(ctx, &node.items[(*position)++], as_text, &columns[1]);
}
template <bool jsonb>
bool object_keys(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const JsonNode* root = nullptr;
  if (!parse_once(ctx, args[0], jsonb, &root)) return false;
  const JsonNode& node = *root;
  if (node.kind != Kind::kObject)
    return ctx.fail({sqlstate::invalid_parameter_value, std::string("cannot call ") + (jsonb ? "jsonb" : "json") + "_object_keys on " +
                                                            (node.kind == Kind::kArray ? "an array" : "a scalar")});
  *done = *position >= node.count;
  if (!*done) columns[0] = Value::of_bytes(node.keys[(*position)++]);
  return true;
}

bool same_scalar(const JsonNode& a, const JsonNode& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::kNumber) {
    Numeric x, y;
    return parse_numeric(a.text, &x).ok() && parse_numeric(b.text, &y).ok() && compare_numeric(x, y) == 0;
  }
  return a.kind != Kind::kString || a.text == b.text;
}

// outer @> inner. `top`: an array contains a scalar that is one of its elements.
bool node_contains(const JsonNode& outer, const JsonNode& inner, bool top) {
  if (outer.kind == Kind::kArray && inner.scalar()) {
    if (!top) return false;
    for (std::uint32_t i = 0; i < outer.count; ++i)
      if (outer.items[i].scalar() && same_scalar(outer.items[i], inner)) return true;
    return false;
  }
  if (outer.kind != inner.kind) return false;
  if (outer.kind == Kind::kObject) {
    for (std::uint32_t i = 0; i < inner.count; ++i) {
      const JsonNode* member = outer.find(inner.keys[i]);
      if (member == nullptr || !node_contains(*member, inner.items[i], false)) return false;
    }
    return true;
  }
  if (outer.kind == Kind::kArray) {
    for (std::uint32_t i = 0; i < inner.count; ++i) {
      bool found = false;
      for (std::uint32_t k = 0; k < outer.count && !found; ++k) {
        const JsonNode& item = outer.items[k];
        found = inner.items[i].scalar() ? item.scalar() && same_scalar(item, inner.items[i])
                                        : node_contains(item, inner.items[i], false);
      }
      if (!found) return false;
    }
    return true;
  }
  return same_scalar(outer, inner);
}
template <bool swapped>
bool contains(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode outer, inner;
  return parse(ctx, args[swapped ? 1 : 0], true, &outer) && parse(ctx, args[swapped ? 0 : 1], true, &inner) &&
         return_bool(result, node_contains(outer, inner, true));
}

bool has_key(const JsonNode& node, std::string_view key) {
  if (node.kind == Kind::kObject) return node.find(key) != nullptr;
  if (node.kind == Kind::kString) return node.text == key;
  if (node.kind != Kind::kArray) return false;
  return std::any_of(node.items, node.items + node.count,
                     [&](const JsonNode& item) { return item.kind == Kind::kString && item.text == key; });
}
bool exists(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  return parse(ctx, args[0], true, &node) && return_bool(result, has_key(node, args[1].bytes()));
}
template <bool all>
bool exists_keys(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  const ArrayView keys(args[1]);
  for (std::uint32_t i = 0; i < keys.count(); ++i) {
    const Value key = keys.element(i);
    if (key.is_null) continue;
    if (has_key(node, key.bytes()) != all) return return_bool(result, !all);
  }
  return return_bool(result, all);
}

// Containers in the making: items, and names for objects.
struct Draft {
  std::vector<JsonNode> items;
  std::vector<std::string_view> keys;

  explicit Draft(const JsonNode& node)
      : items(node.items, node.items + node.count), keys(node.keys, node.keys + (node.keys != nullptr ? node.count : 0)) {}
  JsonNode node(Kind kind) {
    JsonNode out;
    out.kind = kind;
    out.count = static_cast<std::uint32_t>(items.size());
    out.items = items.data();
    out.keys = kind == Kind::kObject ? keys.data() : nullptr;
    return out;
  }
  void erase(std::size_t i) {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    if (!keys.empty()) keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(i));
  }
};

// Written, then normalized, which sorts the members.
bool give_jsonb(EvalContext& ctx, const JsonNode& node, Value* result) {
  TextBuilder out(ctx.arena);
  write_jsonb(node, out);
  return to_jsonb(ctx, out.view(), result);
}

bool concatenate(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode a, b;
  if (!parse(ctx, args[0], true, &a) || !parse(ctx, args[1], true, &b)) return false;
  if (a.kind == Kind::kObject && b.kind == Kind::kObject) {
    Draft draft(a);
    draft.items.insert(draft.items.end(), b.items, b.items + b.count);
    draft.keys.insert(draft.keys.end(), b.keys, b.keys + b.count);
    return give_jsonb(ctx, draft.node(Kind::kObject), result);
  }
  const auto as_array = [](const JsonNode& node, std::vector<JsonNode>* out) {
    if (node.kind == Kind::kArray) out->insert(out->end(), node.items, node.items + node.count);
    else out->push_back(node);
  };
  Draft draft{JsonNode{}};
  as_array(a, &draft.items);
  as_array(b, &draft.items);
  return give_jsonb(ctx, draft.node(Kind::kArray), result);
}

bool delete_from_scalar(EvalContext& ctx) {
  return ctx.fail({sqlstate::invalid_parameter_value, "cannot delete from scalar"});
}
void erase_key(Draft* draft, Kind kind, std::string_view key) {
  for (std::size_t i = draft->items.size(); i-- > 0;)
    if (kind == Kind::kObject ? draft->keys[i] == key : draft->items[i].kind == Kind::kString && draft->items[i].text == key)
      draft->erase(i);
}
bool delete_key(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  if (node.scalar()) return delete_from_scalar(ctx);
  Draft draft(node);
  erase_key(&draft, node.kind, args[1].bytes());
  return give_jsonb(ctx, draft.node(node.kind), result);
}
bool delete_keys(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  if (node.scalar()) return delete_from_scalar(ctx);
  Draft draft(node);
  const ArrayView keys(args[1]);
  for (std::uint32_t i = 0; i < keys.count(); ++i)
    if (const Value key = keys.element(i); !key.is_null) erase_key(&draft, node.kind, key.bytes());
  return give_jsonb(ctx, draft.node(node.kind), result);
}
bool delete_index(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  if (node.scalar()) return delete_from_scalar(ctx);
  if (node.kind == Kind::kObject)
    return ctx.fail({sqlstate::invalid_parameter_value, "cannot delete from object using integer index"});
  Draft draft(node);
  const std::int64_t i = args[1].i < 0 ? args[1].i + node.count : args[1].i;
  if (i >= 0 && i < node.count) draft.erase(static_cast<std::size_t>(i));
  return give_jsonb(ctx, draft.node(node.kind), result);
}

enum class Change : std::uint8_t { kSet, kDelete, kInsertBefore, kInsertAfter };

// Writes `node` with the place at path[level..] changed.
bool write_changed(EvalContext& ctx, const JsonNode& node, const ArrayView& path, std::uint32_t level, const JsonNode* value,
                   Change change, bool create, TextBuilder& out) {
  const Value name = path.element(level);
  if (name.is_null)
    return ctx.fail({sqlstate::null_value_not_allowed,
                     "path element at position " + std::to_string(level + 1) + " is null"});
  if (node.scalar()) {
    write_jsonb(node, out);
    return true;
  }
  const bool last = level + 1 == path.count();
  Draft draft(node);
  std::size_t at = draft.items.size();
  bool found = false;
  std::int64_t index = 0;
  if (node.kind == Kind::kObject) {
    for (std::size_t i = 0; i < draft.keys.size(); ++i)
      if (draft.keys[i] == name.bytes()) {
        at = i;
        found = true;
      }
  } else {
    if (!parse_int(name.bytes(), INT32_MIN, INT32_MAX, "integer", &index).ok())
      return ctx.fail({sqlstate::invalid_text_representation,
                       "path element at position " + std::to_string(level + 1) + " is not an integer: \"" +
                           std::string(name.bytes()) + "\""});
    if (index < 0) index += node.count;
    found = index >= 0 && index < node.count;
    if (found) at = static_cast<std::size_t>(index);
  }
  if (!last) {
    if (found) {
      TextBuilder inner(ctx.arena);
      if (!write_changed(ctx, draft.items[at], path, level + 1, value, change, create, inner)) return false;
      JsonNode parsed;
      if (!check(ctx, parse_json(inner.view(), true, ctx.arena, &parsed))) return false;
      draft.items[at] = parsed;
    }
  } else if (change == Change::kDelete) {
    if (found) draft.erase(at);
  } else if (node.kind == Kind::kObject) {
    if (found && change != Change::kSet)
      return ctx.fail(Status{sqlstate::invalid_parameter_value, "cannot replace existing key"}.with_hint(
          "Try using the function jsonb_set to replace key value."));
    if (found) {
      draft.items[at] = *value;
    } else if (create || change != Change::kSet) {
      draft.items.push_back(*value);
      draft.keys.push_back(name.bytes());
    }
  } else if (found && change == Change::kSet) {
    draft.items[at] = *value;
  } else if (found || create || change != Change::kSet) {
    const std::size_t place = found ? at + (change == Change::kInsertAfter ? 1 : 0) : index < 0 ? 0 : draft.items.size();
    draft.items.insert(draft.items.begin() + static_cast<std::ptrdiff_t>(place), *value);
  }
  write_jsonb(draft.node(node.kind), out);
  return true;
}
bool change_path(EvalContext& ctx, const Value* args, const Value* value, Change change, bool create, Value* result) {
  JsonNode node, replacement;
  if (!parse(ctx, args[0], true, &node) || (value != nullptr && !parse(ctx, *value, true, &replacement))) return false;
  const ArrayView path(args[1]);
  if (path.dimensions() > 1) return ctx.fail({sqlstate::array_subscript_error, "wrong number of array subscripts"});
  if (node.scalar())
    return ctx.fail({sqlstate::invalid_parameter_value,
                     change == Change::kDelete ? "cannot delete path in scalar" : "cannot set path in scalar"});
  const bool into_nothing = node.count == 0 && (change == Change::kDelete || (change == Change::kSet && !create));
  if (path.count() == 0 || into_nothing) {
    *result = args[0];
    return true;
  }
  TextBuilder out(ctx.arena);
  return write_changed(ctx, node, path, 0, value != nullptr ? &replacement : nullptr, change, create, out) &&
         to_jsonb(ctx, out.view(), result);
}
bool delete_path(EvalContext& ctx, const Value* args, Value* result) {
  return change_path(ctx, args, nullptr, Change::kDelete, false, result);
}
bool set_path(EvalContext& ctx, const Value* args, Value* result) {
  return change_path(ctx, args, &args[2], Change::kSet, args[3].as_bool(), result);
}
// As jsonb_set(), but a null value is what the last argument says.
bool set_path_lax(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null || args[1].is_null || args[3].is_null) return return_null(result);
  if (args[4].is_null)
    return ctx.fail({sqlstate::invalid_parameter_value,
                     "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""});
  if (!args[2].is_null) return set_path(ctx, args, result);
  const std::string_view treatment = args[4].bytes();
  if (treatment == "raise_exception")
    return ctx.fail(Status{sqlstate::null_value_not_allowed, "JSON value must not be null"}
                        .with_detail("Exception was raised because null_value_treatment is \"raise_exception\".")
                        .with_hint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed."));
  if (treatment == "use_json_null") {
    const Value changed[4] = {args[0], args[1], Value::of_bytes(std::string_view("null")), args[3]};
    return set_path(ctx, changed, result);
  }
  if (treatment == "delete_key") return delete_path(ctx, args, result);
  if (treatment == "return_target") {
    *result = args[0];
    return true;
  }
  return ctx.fail({sqlstate::invalid_parameter_value,
                   "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""});
}
bool insert_path(EvalContext& ctx, const Value* args, Value* result) {
  return change_path(ctx, args, &args[2], args[3].as_bool() ? Change::kInsertAfter : Change::kInsertBefore, true, result);
}

void strip_nulls(JsonNode* node) {
  if (node->scalar()) return;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < node->count; ++i) {
    strip_nulls(&node->items[i]);
    if (node->kind == Kind::kObject && node->items[i].kind == Kind::kNull) continue;
    node->items[kept] = node->items[i];
    if (node->kind == Kind::kObject) node->keys[kept] = node->keys[i];
    ++kept;
  }
  node->count = kept;
}
bool stripped(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  strip_nulls(&node);
  return give_jsonb(ctx, node, result);
}

void write_pretty(const JsonNode& node, std::size_t indent, TextBuilder& out) {
  if (node.scalar()) return write_jsonb(node, out);
  const bool object = node.kind == Kind::kObject;
  out.push_back(object ? '{' : '[');
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (i > 0) out.push_back(',');
    out.push_back('\n');
    out.append(indent + 4, ' ');
    if (object) {
      write_json_string(node.keys[i], out);
      out.append(": ");
    }
    write_pretty(node.items[i], indent + 4, out);
  }
  out.push_back('\n');
  out.append(indent, ' ');
  out.push_back(object ? '}' : ']');
}
bool pretty(EvalContext& ctx, const Value* args, Value* result) {
  JsonNode node;
  if (!parse(ctx, args[0], true, &node)) return false;
  TextBuilder out(ctx.arena);
  write_pretty(node, 0, out);
  *result = out.value();
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"json_object_field", object_field<false, false>}, {"json_object_field_text", object_field<false, true>},
    {"jsonb_object_field", object_field<true, false>}, {"jsonb_object_field_text", object_field<true, true>},
    {"json_array_element", array_element<false, false>}, {"json_array_element_text", array_element<false, true>},
    {"jsonb_array_element", array_element<true, false>}, {"jsonb_array_element_text", array_element<true, true>},
    {"json_extract_path", extract_path<false, false>}, {"json_extract_path_text", extract_path<false, true>},
    {"jsonb_extract_path", extract_path<true, false>}, {"jsonb_extract_path_text", extract_path<true, true>},
    {"json_array_length", array_length<false>}, {"jsonb_array_length", array_length<true>},
    {"json_typeof", type_of<false>}, {"jsonb_typeof", type_of<true>},
    {"json_array_elements", nullptr, nullptr, array_elements<false, false>},
    {"json_array_elements_text", nullptr, nullptr, array_elements<false, true>},
    {"jsonb_array_elements", nullptr, nullptr, array_elements<true, false>},
    {"jsonb_array_elements_text", nullptr, nullptr, array_elements<true, true>},
    {"json_each", nullptr, nullptr, each<false, false>}, {"json_each_text", nullptr, nullptr, each<false, true>},
    {"jsonb_each", nullptr, nullptr, each<true, false>}, {"jsonb_each_text", nullptr, nullptr, each<true, true>},
    {"json_object_keys", nullptr, nullptr, object_keys<false>}, {"jsonb_object_keys", nullptr, nullptr, object_keys<true>},
    {"jsonb_contains", contains<false>}, {"jsonb_contained", contains<true>}, {"jsonb_exists", exists},
    {"jsonb_exists_any", exists_keys<false>}, {"jsonb_exists_all", exists_keys<true>},
    {"jsonb_concat", concatenate}, {"jsonb_delete", delete_key}, {"jsonb_delete_array", delete_keys},
    {"jsonb_delete_idx", delete_index}, {"jsonb_delete_path", delete_path}, {"jsonb_set", set_path}, {"jsonb_set_lax", set_path_lax},
    {"jsonb_insert", insert_path}, {"jsonb_strip_nulls", stripped}, {"jsonb_pretty", pretty},
};

}  // namespace

std::span<const FunctionBinding> jsonb_bindings() { return kBindings; }

}  // namespace wandian::sql
