// Literals out of a simple query's text, so that statements which differ in them alone share one plan.
// Thread:     any; no allocation once the buffers of `out` have grown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/oid.h"

namespace wandian::sql {

enum class LiteralClass : std::uint8_t { kInt4, kInt8, kNumeric, kUnknown };

struct NormalizedLiteral {
  LiteralClass literal_class = LiteralClass::kUnknown;
  /// The value's text form: digits with a sign, or the string without its quotes. Points into the query's text, or into
  /// NormalizedQuery::unescaped if the string held doubled quotes.
  std::string_view text;
};

/// The cache's key is `text` and the classes, compared in full; parameter n of `text` is literals[n - 1].
struct NormalizedQuery {
  std::string text;
  std::vector<NormalizedLiteral> literals;
  std::string unescaped;
};

/// The parameter type to bind with: int4, int8, numeric, or unknown (0: inferred from the context, like a quoted literal).
Oid literal_type(LiteralClass literal_class);

/// Replaces literals by $n where that cannot change what the statement means. False: leave the text as it is (not a
/// single SELECT, INSERT, UPDATE or DELETE; has parameters, GROUP BY, DISTINCT, set operations, WITH, window functions; has
/// no literal, or more than 64). Literals in ORDER BY, in types, in typed literals (DATE '...') and in places not known to
/// be safe stay in the text. If the normalized text does not bind, or a literal does not convert to the type that was
/// inferred, the statement must be run from its own text, which then gives the right error.
bool normalize_literals(std::string_view text, NormalizedQuery* out);

}  // namespace wandian::sql
