// Jsonpath: SQL/JSON path expressions, as PostgreSQL 15 reads and prints them. A value is held as its printed form.
// Thread:  pure functions; trees live in the arena given.
// Errors:  42601 with PostgreSQL's messages, 22P02 for no expression at all, 2201B for a regular expression that is none.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "engine/arena.h"
#include "sql/functions/regex.h"
#include "sql/types/text_builder.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct JsonPathSubscript;

/// One step of a path, or an operation; `next` is the step that goes on from its result.
struct JsonPathNode {
  enum class Kind : std::uint8_t {
    kNull, kBool, kNumber, kString, kVariable,                                  ///< values: text, flag
    kRoot, kCurrent, kLast,                                                     ///< $, @, last
    kAnd, kOr, kNot, kIsUnknown, kExists, kStartsWith, kLikeRegex,              ///< predicates: left, right
    kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual,
    kAdd, kSubtract, kMultiply, kDivide, kModulo, kPlus, kMinus,                ///< arithmetic: left, right
    kKey, kAnyKey, kAnyArray, kSubscripts, kAnyDepth, kFilter,                  ///< accessors
    kType, kSize, kAbs, kFloor, kCeiling, kDouble, kDatetime, kKeyValue,        ///< methods; kDatetime has a template in `left`, or none
  };
  static constexpr std::uint32_t kDeepest = std::numeric_limits<std::uint32_t>::max();   ///< `last` in **{...}

  Kind kind = Kind::kNull;
  bool flag = false;                ///< kBool
  std::uint8_t regex_flags = 0;     ///< kLikeRegex: JsonPathRegexFlag
  std::uint32_t first = 0, last = 0;   ///< kAnyDepth: levels; kSubscripts: `first` of them
  std::string_view text;            ///< strings without quotes and escapes, numbers as numeric prints them, keys, the pattern
  const JsonPathNode* left = nullptr;
  const JsonPathNode* right = nullptr;
  const JsonPathSubscript* subscripts = nullptr;
  JsonPathNode* next = nullptr;

  bool predicate() const { return kind >= Kind::kAnd && kind <= Kind::kGreaterOrEqual; }
};

struct JsonPathSubscript {
  const JsonPathNode* from = nullptr;
  const JsonPathNode* to = nullptr;   ///< null: one element
};

enum JsonPathRegexFlag : std::uint8_t { kRegexIgnoreCase = 1, kRegexDotAll = 2, kRegexMultiline = 4, kRegexExpanded = 8, kRegexQuote = 16 };
RegexFlags regex_flags_of(const JsonPathNode& like_regex);

struct JsonPath {
  bool strict = false;
  const JsonPathNode* root = nullptr;
};

Status parse_jsonpath(std::string_view text, Arena& arena, JsonPath* out);
void write_jsonpath(const JsonPath& path, TextBuilder& out);
/// "+", "starts with", "keyvalue": as messages name it.
std::string_view jsonpath_operation(JsonPathNode::Kind kind);

}  // namespace wandian::sql
