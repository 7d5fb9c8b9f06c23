// What a role has: objects, privileges on them, settings.
// Thread:  pure functions over one catalog.
#pragma once

#include <string>
#include <vector>

#include "sql/access/privileges.h"
#include "sql/ddl/context.h"

namespace wandian::sql {

/// Objects of a database, and databases, that a role owns.
std::vector<Securable> objects_owned_by(const Catalog& catalog, Oid role, Oid database);
/// Objects of a database, and databases, whose lists name a role that does not own them.
std::vector<Securable> objects_granted_to(const Catalog& catalog, Oid role, Oid database);
/// Why a role cannot be dropped, as PostgreSQL lists it; empty: it can.
std::vector<std::string> role_dependents(DdlContext& ctx, Oid role);

}  // namespace wandian::sql
