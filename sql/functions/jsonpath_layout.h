// Where a part of a jsonb stands in PostgreSQL's binary form of it: keyvalue() shows that.
// Thread:  pure functions.
#pragma once

#include <cstdint>

#include "sql/types/json.h"

namespace wandian::sql {

/// Bytes from the start of `root`'s container to that of `part`, which is inside it; 0 if it is not.
std::int64_t jsonb_offset(const JsonNode& root, const JsonNode& part);

}  // namespace wandian::sql
