// Collations: those that every database has (C, POSIX, ICU's one for each locale) and those that users made, as definitions, bound
// expressions and functions meet them.
// Owns:       a Collation for each that was asked for, and ICU's collator behind it, for as long as the process lives.
// Thread:     any; a Collation is immutable, and finding it by number takes no lock.
// Form:       definitions name a collation by text: a built-in one by its name ("C", "de-x-icu"), one of users by what never changes of
//             it, "@<oid>/<provider><d or n>/<locale>", so that its name can, and so that an index's order is known from its definition.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "engine/text_order.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct Collation {
  std::uint16_t id = 0;              ///< of this process; what Expr::collation holds
  std::string stored;                ///< as definitions name it
  Oid oid = 0;                       ///< pg_collation.oid
  char provider = 'c';               ///< as pg_collation.collprovider
  bool deterministic = true;
  std::string locale;                ///< colliculocale, or collcollate
  Order order = Order::kBytes;       ///< of text
  bool ascii_case = false;           ///< upper() and lower() change the letters of ASCII alone
};

/// ObjectKind::kCollation: what users made; ObjectDef::parent is its schema. Nothing of it changes but the version.
struct CollationDefinition {
  char provider = 'i';               ///< 'i' or 'c'
  bool deterministic = true;
  std::string locale;                ///< of ICU, or lc_collate
  std::string ctype;                 ///< lc_ctype of the C library
  std::string version;               ///< of ICU's rules when it was made or looked at last
  std::string stored;                ///< how other definitions name it; not part of the encoded form
  std::string encode() const;
  static std::optional<CollationDefinition> decode(std::string_view bytes, Oid oid);
};

/// Expr::collation of what has no collation of its own, or the default one.
inline constexpr std::uint16_t kNoCollation = 0;
inline constexpr std::uint16_t kDefaultCollation = 1, kCCollationId = 2;
/// Expr::collation where two implicit collations met: whoever needs one fails.
inline constexpr std::uint16_t kIndeterminateCollation = 0xffff;
inline constexpr Oid kCollationForFunction = 3162;   ///< pg_collation_for()
inline constexpr Oid kDefaultCollationOid = 100, kCCollationOid = 950;

/// By what a definition says; null if that names none. The text of one of users is taken as it is.
const Collation* find_collation(std::string_view stored);
/// `id` must be one that find_collation() gave.
const Collation& collation_of(std::uint16_t id);
/// A collation of pg_catalog by its OID, or null.
const Collation* find_builtin_collation(Oid oid);
/// How definitions name a collation that users made.
std::string stored_collation(Oid oid, char provider, bool deterministic, std::string_view locale);
/// The OID in such a name; 0 if it is none.
Oid user_collation_oid(std::string_view stored);

/// How values of `type` are ordered under Expr::collation.
inline Order order_under(Oid type, std::uint16_t collation) {
  if (collation <= kDefaultCollation || collation == kIndeterminateCollation) return collated_order(type, Order::kBytes);
  return collated_order(type, collation_of(collation).order);
}
/// The order of a definition's column; for engine/text_order.h.
Order order_of_collation(std::string_view stored);
/// Text of some kind, an array of text, or a domain over these.
bool is_collatable(Oid type);
bool is_deterministic_collation(std::uint16_t collation);

/// ICU's collations, as initdb takes them over: "und-x-icu" and one for each of ICU's locales, from kFirstIcuCollation on.
struct IcuCollation {
  std::string name, locale, comment;
};
inline constexpr Oid kFirstIcuCollation = 12342;
std::span<const IcuCollation> icu_collations();
/// 22023 if ICU cannot make a collator for the locale.
Status check_icu_locale(std::string_view locale);
/// collversion: of the collator's rules; empty if there is no such collator.
std::string icu_collation_version(std::string_view locale);

enum class LetterCase : std::uint8_t { kLower, kUpper, kTitle };
/// The text in another case, as the collation's language has it.
std::string_view change_case(const Collation& collation, LetterCase to, std::string_view text, Arena& arena);

}  // namespace wandian::sql
