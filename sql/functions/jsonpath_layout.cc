#include "sql/functions/jsonpath_layout.h"

#include "engine/numeric.h"

namespace wandian::sql {

namespace {

constexpr std::int64_t kWord = 4;   // a container's header and its entries; containers and numbers are aligned to it

std::int64_t aligned(std::int64_t at) { return (at + kWord - 1) / kWord * kWord; }

std::int64_t numeric_bytes(const JsonNode& node) {
  Numeric number;
  (void)parse_numeric(node.text, &number);   // was checked when it was read
  number.normalize();
  const bool is_short = number.dscale <= 63 && number.weight >= -64 && number.weight <= 63;
  return kWord + (is_short ? 2 : 4) + 2 * static_cast<std::int64_t>(number.digits.size());
}

// Lays out `node` at `at`; the end. Notes where `part` begins.
std::int64_t lay_out(const JsonNode& node, std::int64_t at, const JsonNode& part, std::int64_t* found) {
  switch (node.kind) {
    case JsonNode::Kind::kString: return at + static_cast<std::int64_t>(node.text.size());
    case JsonNode::Kind::kNumber: return aligned(at) + numeric_bytes(node);
    case JsonNode::Kind::kArray: case JsonNode::Kind::kObject: break;
    default: return at;
  }
  at = aligned(at);
  const bool object = node.kind == JsonNode::Kind::kObject;
  // Copies of a node share what is inside.
  if (&node == &part || (node.kind == part.kind && node.count == part.count && node.items == part.items && node.count > 0)) *found = at;
  at += kWord + kWord * node.count * (object ? 2 : 1);
  for (std::uint32_t i = 0; object && i < node.count; ++i) at += static_cast<std::int64_t>(node.keys[i].size());
  for (std::uint32_t i = 0; i < node.count; ++i) at = lay_out(node.items[i], at, part, found);
  return at;
}

}  // namespace

std::int64_t jsonb_offset(const JsonNode& root, const JsonNode& part) {
  std::int64_t found = 0;
  (void)lay_out(root, 0, part, &found);
  return found;
}

}  // namespace wandian::sql
