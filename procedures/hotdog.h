// The chain's business rules: the extension `hotdog`.
#pragma once

#include "engine/procedure.h"

namespace wandian::procedures {

/// Stores, menu, stock, orders, payments, and the procedures that keep them. The contract is bench/README.md's.
const ProcedureModule& hotdog();

}  // namespace wandian::procedures
