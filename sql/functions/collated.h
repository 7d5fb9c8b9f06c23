// Functions and aggregates whose answer depends on a collation: what each wants of it, and the code that takes it.
// Thread:  immutable tables.
#pragma once

#include <string_view>

#include "sql/functions/bindings.h"

namespace wandian::sql {

struct CollationUse {
  enum class Kind : std::uint8_t {
    kNone,      ///< the collation is nothing to it
    kOrder,     ///< compares: by the collation's order
    kCase,      ///< changes letters, as the collation's language does
    kShow,      ///< pg_collation_for()
    kRefused,   ///< looks into text: not under a collation that takes different texts for equal
  } kind = Kind::kNone;
  std::string_view what;             ///< as messages call the use
  std::string_view needed;           ///< kRefused: as messages call it where the collations of the arguments do not agree; empty: that does no harm
};

CollationUse collation_use(const FunctionDef& function);
/// The code of a function under a collation that is not the default one, which stands in `types` behind the result's type; null where
/// the function's own code does as well.
TypedFn collated_function(const FunctionDef& function, std::span<const Oid> types, std::uint16_t collation);
/// Whether a function under this collation (Expr::collation) knows no letters but those of ASCII: EvalContext::ascii_letters.
bool has_ascii_letters(std::uint16_t collation);
/// Whether the function asks which letters its collation has, so that one over names, which are under "C", differs from one over texts.
bool asks_for_letters(const FunctionDef& function);
/// An aggregate that compares text by the collation which stands in `types` behind the result's type; null if `aggregate` compares none.
const AggregateDef* collated_aggregate(const AggregateDef& aggregate);

}  // namespace wandian::sql
