// The extension citext: a type of text that compares without regard to case. The type, its operators, casts and functions have OIDs of their
// own below those of users and are known to every database; they are found and shown where the extension has been created.
// Thread:  any.
#pragma once

#include <optional>

#include "engine/catalog.h"
#include "engine/oid.h"

namespace wandian::sql {

inline constexpr std::string_view kCitextName = "citext";
inline constexpr Oid kFirstCitextOid = 15900, kLastCitextOid = 15999;
inline constexpr Oid kCitextFamilies[] = {15961, 15962, 15963};   ///< of its operator classes
constexpr bool is_citext_object(Oid oid) { return oid >= kFirstCitextOid && oid <= kLastCitextOid; }

/// Makes the type known to the engine; to be called before the first definition is read.
void publish_citext();
/// The schema that the extension was created in; none: it is not there.
std::optional<Oid> citext_schema(const Catalog& catalog, Oid database);

}  // namespace wandian::sql
