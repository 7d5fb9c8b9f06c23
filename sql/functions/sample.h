// Whether TABLESAMPLE draws a row.
// Thread:  immutable.
#pragma once

#include "sql/functions/registry.h"

namespace wandian::sql {

/// (percent), or (percent, seed, row) that draws the same rows each time. In no catalog. 2202G, 2202H.
const FunctionDef* sample_function(bool repeatable);

}  // namespace wandian::sql
