// The types that users made, by OID (engine/type.h's publish_type puts them here).
// Owns:    a table of two levels that only grows: what is in it is met by values and plans at any time.
// Thread:  any; looking up is two loads.
#pragma once

#include "engine/type.h"

namespace wandian {

/// Row types and their arrays are made up when they are first asked for: their OIDs tell all there is to know.
const TypeInfo* find_user_type(Oid oid);

}  // namespace wandian
