// What a view reads: what its definition depends on.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "sql/bind/binder.h"

namespace wandian::sql {

struct ViewUses {
  std::set<Oid> relations;                             ///< tables, views, sequences, functions, types
  std::set<std::pair<Oid, std::uint16_t>> columns;     ///< of tables and views
};
/// Of an encoded ViewDefinition. Empty if it does not bind any more. Views that it reads are named, not looked into.
ViewUses view_uses(std::string_view definition, const BindContext& context);

}  // namespace wandian::sql
