// Checks of domains: their conditions, compiled when the definition enters a catalog, and run wherever a value becomes one of the domain.
// Thread:  compiled forms are immutable; evaluation as in expression.h.
#pragma once

#include <string>
#include <vector>

#include "sql/bind/binder.h"
#include "sql/expr/expression.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

/// What UserType::checks_compiled points to.
struct DomainChecks {
  struct Check {
    std::string name;
    BoundExpression bound;           ///< VALUE is its one column
    CompiledExpr code;
  };
  Arena arena;
  std::vector<Check> checks;
  bool waits = false;                ///< some check calls a routine
};

/// The condition of a domain's CHECK over VALUE. 42703, 42804, ... as for a table's.
Result<BoundExpression> bind_domain_check(const ParseNode* node, std::string_view text, const BindContext& context, Oid base, std::int32_t typmod, bool fold);
Result<BoundExpression> bind_domain_check(std::string_view expression, const BindContext& context, Oid base, std::int32_t typmod, bool fold);
Status compile_domain_checks(const BindContext& context, UserType* domain);

/// Whether some check of a domain, or of one that it is made over, calls a routine.
bool domain_waits(Oid domain);
/// Whether a value (also null) may be one of a domain, whose bases count as well. False: ctx.error is 23502 or 23514.
bool check_domain(EvalContext& ctx, Oid domain, const Value& value);

}  // namespace wandian::sql
