// JSON text: checked, taken apart, and written in jsonb's normal form. jsonb is held as that text.
// Thread:  pure functions; memory comes from the arena.
// Errors:  22P02 with PostgreSQL's detail and context; 22P05 for \u0000 in jsonb.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/types/text_builder.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct JsonNode {
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject } kind = Kind::kNull;
  std::uint32_t count = 0;        ///< elements or members
  std::string_view raw;           ///< the text it was read from
  std::string_view text;          ///< a string without quotes and escapes; a number as written
  JsonNode* items = nullptr;      ///< elements, or members' values
  std::string_view* keys = nullptr;

  bool scalar() const { return kind < Kind::kArray; }
  /// The last member of that name, or null.
  const JsonNode* find(std::string_view key) const;
};

/// Reads one value. for_jsonb: refuses \u0000 and numbers out of numeric's range, and sorts members as jsonb does
/// (by length, then bytes; the last of equal names stays).
Status parse_json(std::string_view text, bool for_jsonb, Arena& arena, JsonNode* out);

/// jsonb's text form of a node.
void write_jsonb(const JsonNode& node, TextBuilder& out);
/// A string as a JSON literal, in quotes.
void write_json_string(std::string_view text, TextBuilder& out);

/// text -> the bytes of a jsonb value.
Status normalize_jsonb(std::string_view text, Arena& arena, Value* out);

}  // namespace wandian::sql
