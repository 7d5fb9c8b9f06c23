#include "sql/expr/inverted.h"

#include <xxhash.h>

#include <algorithm>
#include <string>

#include "engine/array_value.h"
#include "engine/key.h"
#include "engine/numeric.h"
#include "sql/types/json.h"

namespace wandian::sql {

namespace {

Value make_element(std::uint8_t part, std::string_view bytes, Arena& arena) {
  char* out = arena.allocate_bytes(bytes.size() + 1);
  out[0] = static_cast<char>(part);
  if (!bytes.empty()) std::memcpy(out + 1, bytes.data(), bytes.size());
  return Value::of_bytes(out, bytes.size() + 1);
}

// ---- Arrays ----

Status append_array(std::uint8_t part, const Value& value, Arena& arena, std::vector<Value>& out) {
  const ArrayView array(value);
  if (array.count() == 0) {
    out.push_back(make_element(part, "E", arena));
    return {};
  }
  const TypeInfo* type = find_type(array.element_type());
  const KeyColumn column{type->rep, type->order, false, false, false};
  const KeyCodec codec(std::span<const KeyColumn>(&column, 1));
  KeyBuffer key;
  std::string bytes;
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const Value element = array.element(i);
    if (element.is_null) continue;   // equal to nothing
    codec.encode({&element, 1}, key);
    bytes.assign("V").append(key.ref().view());
    out.push_back(make_element(part, bytes, arena));
  }
  return {};
}

// ---- jsonb ----

using Kind = JsonNode::Kind;

Status number_key(const JsonNode& node, Arena& arena, std::string& out) {
  Value number;
  WANDIAN_TRY(numeric_from_text(node.text, -1, arena, &number));
  append_numeric_key(number, out);
  return {};
}

// The scalar's kind and value.
Status scalar_bytes(const JsonNode& node, Arena& arena, std::string& out) {
  switch (node.kind) {
    case Kind::kNull: out += 'Z'; return {};
    case Kind::kTrue: out += 'T'; return {};
    case Kind::kFalse: out += 'F'; return {};
    case Kind::kString:
      out += 'S';
      out += node.text;
      return {};
    default: out += 'N'; return number_key(node, arena, out);
  }
}

Status append_jsonb(const JsonNode& node, bool in_array, std::uint8_t part, Arena& arena, std::vector<Value>& out) {
  std::string bytes;
  const auto add_key = [&](std::string_view key) {
    bytes.assign("K").append(key);
    out.push_back(make_element(part, bytes, arena));
  };
  if (node.kind == Kind::kObject) {
    for (std::uint32_t i = 0; i < node.count; ++i) {
      add_key(node.keys[i]);
      WANDIAN_TRY(append_jsonb(node.items[i], false, part, arena, out));
    }
    return {};
  }
  if (node.kind == Kind::kArray) {
    for (std::uint32_t i = 0; i < node.count; ++i) WANDIAN_TRY(append_jsonb(node.items[i], true, part, arena, out));
    return {};
  }
  if (in_array && node.kind == Kind::kString) {
    add_key(node.text);
    return {};
  }
  WANDIAN_TRY(scalar_bytes(node, arena, bytes));
  out.push_back(make_element(part, bytes, arena));
  return {};
}

Status append_paths(const JsonNode& node, std::uint64_t path, std::uint8_t part, Arena& arena, std::vector<Value>& out) {
  if (node.kind == Kind::kObject || node.kind == Kind::kArray) {
    for (std::uint32_t i = 0; i < node.count; ++i) {
      const std::uint64_t below = node.kind == Kind::kArray ? path : XXH3_64bits_withSeed(node.keys[i].data(), node.keys[i].size(), path + 1);
      WANDIAN_TRY(append_paths(node.items[i], below, part, arena, out));
    }
    return {};
  }
  std::string bytes;
  WANDIAN_TRY(scalar_bytes(node, arena, bytes));
  const std::uint64_t hash = XXH3_64bits_withSeed(bytes.data(), bytes.size(), path);
  out.push_back(make_element(part, {reinterpret_cast<const char*>(&hash), sizeof hash}, arena));
  return {};
}

}  // namespace

InvertedClass inverted_class(const IndexPart& part, Oid type) {
  if (type != type_oid::kJsonb) return InvertedClass::kArray;
  return part.opclass == "jsonb_path_ops" ? InvertedClass::kJsonbPath : InvertedClass::kJsonb;
}

std::optional<InvertedOp> inverted_op(InvertedClass of, const OperatorDef& op, bool swapped) {
  const bool array = of == InvertedClass::kArray;
  if (array != (op.left != type_oid::kJsonb)) return std::nullopt;
  if (op.name == "@>") return swapped ? (array ? std::optional(InvertedOp::kContained) : std::nullopt) : std::optional(InvertedOp::kContains);
  if (op.name == "<@") return swapped ? std::optional(InvertedOp::kContains) : (array ? std::optional(InvertedOp::kContained) : std::nullopt);
  if (array && op.name == "&&") return InvertedOp::kOverlaps;
  if (array && op.btree_strategy == 3) return InvertedOp::kEquals;
  if (of != InvertedClass::kJsonb || swapped) return std::nullopt;
  if (op.name == "?") return InvertedOp::kHasKey;
  if (op.name == "?|") return InvertedOp::kHasAny;
  if (op.name == "?&") return InvertedOp::kHasAll;
  return std::nullopt;
}

Status append_elements(InvertedClass of, std::uint8_t part, const Value& value, Arena& arena, std::vector<Value>& out) {
  if (of == InvertedClass::kArray) return append_array(part, value, arena, out);
  JsonNode root;
  WANDIAN_TRY(parse_json(value.bytes(), true, arena, &root));
  // A scalar by itself is found as an array of one is.
  if (of == InvertedClass::kJsonb) return append_jsonb(root, root.scalar(), part, arena, out);
  return append_paths(root, 0, part, arena, out);
}

void sort_elements(std::vector<Value>& elements) {
  std::sort(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return a.bytes() < b.bytes(); });
  elements.erase(std::unique(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return a.bytes() == b.bytes(); }), elements.end());
}

Status inverted_query(InvertedClass of, std::uint8_t part, InvertedOp op, const Value& value, Arena& arena, InvertedQuery* out) {
  *out = {};
  const auto key = [&](const Value& name) { out->elements.push_back(make_element(part, "K" + std::string(name.bytes()), arena)); };
  switch (op) {
    case InvertedOp::kHasKey: key(value); break;
    case InvertedOp::kHasAny:
    case InvertedOp::kHasAll: {
      const ArrayView keys(value);
      for (std::uint32_t i = 0; i < keys.count(); ++i)
        if (const Value name = keys.element(i); !name.is_null) key(name);
      out->all = op == InvertedOp::kHasAll;
      break;
    }
    case InvertedOp::kContains:
      WANDIAN_TRY(append_elements(of, part, value, arena, out->elements));
      out->all = true;
      if (of == InvertedClass::kArray && ArrayView(value).count() == 0) out->elements.clear();   // everything contains nothing
      break;
    case InvertedOp::kEquals:
      WANDIAN_TRY(append_elements(of, part, value, arena, out->elements));
      out->all = true;
      break;
    case InvertedOp::kOverlaps:
      if (ArrayView(value).count() != 0) WANDIAN_TRY(append_elements(of, part, value, arena, out->elements));
      break;
    case InvertedOp::kContained:
      WANDIAN_TRY(append_elements(of, part, value, arena, out->elements));
      out->elements.push_back(make_element(part, "E", arena));
      break;
  }
  out->everything = out->all && out->elements.empty();
  sort_elements(out->elements);
  return {};
}

}  // namespace wandian::sql
