// Inverted indexes (USING gin): the elements that a value is found by, and those that a condition asks for.
// Form:    an element is the number of its key part, then bytes by operator class:
//   array_ops        an array's element as an index key of its type; "E" alone stands for an empty array
//   jsonb_ops        K key or string in an array; S string; N number as a key; T, F, Z true, false, null
//   jsonb_path_ops   a hash of a scalar and the keys that lead to it
// Thread:  pure functions; bytes come from the arena.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/value.h"
#include "sql/functions/registry.h"
#include "storage/base/status.h"

namespace wandian::sql {

enum class InvertedClass : std::uint8_t { kArray, kJsonb, kJsonbPath };
enum class InvertedOp : std::uint8_t { kContains, kContained, kOverlaps, kEquals, kHasKey, kHasAny, kHasAll };

/// The class of a key part of `type`.
InvertedClass inverted_class(const IndexPart& part, Oid type);

/// What `op` asks of a column on its left side, or on its right if `swapped`; none if the class does not answer it.
std::optional<InvertedOp> inverted_op(InvertedClass of, const OperatorDef& op, bool swapped);

/// Appends the elements of a value that is not null; some may be there twice.
Status append_elements(InvertedClass of, std::uint8_t part, const Value& value, Arena& arena, std::vector<Value>& out);

/// A superset of the rows for which `column op value` holds: those with all, or any, of the elements.
struct InvertedQuery {
  std::vector<Value> elements;       ///< without duplicates
  bool all = false;
  bool everything = false;           ///< the elements tell nothing: every row may be one
};
Status inverted_query(InvertedClass of, std::uint8_t part, InvertedOp op, const Value& value, Arena& arena, InvertedQuery* out);

/// Sorts values of bytes and leaves one of equal ones.
void sort_elements(std::vector<Value>& elements);

}  // namespace wandian::sql
