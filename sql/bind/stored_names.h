// Names in the stored form of definitions (sql/expr/deparse.h), which the deparser writes and the binder reads.
#pragma once

#include <string>
#include <string_view>

#include "engine/oid.h"

namespace wandian::sql {

/// Before the name of a range or of one of its columns: somebody wrote it as an alias, or it is only what it happened to be called.
inline constexpr char kWrittenName = '=', kGivenName = '@';
/// Before a range's number, "@levels.number", in place of its name in a column reference.
inline constexpr char kRangeNumber = '@';
/// AND and OR as calls, in pg_catalog: where one stands directly inside of another, the grammar would make one of the two.
inline constexpr std::string_view kStoredAnd = "@and", kStoredOr = "@or";
/// pg_catalog."16384"
inline std::string stored_object_name(Oid oid) { return "pg_catalog.\"" + std::to_string(oid) + "\""; }

}  // namespace wandian::sql
