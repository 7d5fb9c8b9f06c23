// What GRANT, ALTER DEFAULT PRIVILEGES and changes of owners share.
// Thread:  the session's shard.
#pragma once

#include <optional>
#include <vector>

#include "sql/ddl/context.h"

namespace wandian::sql {

/// Puts an object's lists in place of what it had.
void put_acl(DdlContext& ctx, Changes& changes, Oid object, ObjectAcl acl);
/// A GRANT or REVOKE read so far: which bits, of what.
struct GrantWords {
  Privileges bits = 0;
  bool all = false;
};
/// The privileges that a list names; all of `kind` if it is empty. 42601, 0LP01.
Result<GrantWords> read_privileges(PgQuery__Node* const* nodes, std::size_t count, AclKind kind);
/// kPublic for PUBLIC. 42704.
Result<Oid> find_grantee(DdlContext& ctx, const PgQuery__RoleSpec& role);
/// One list as a GRANT or REVOKE leaves it.
Result<Acl> grant_in_acl(Acl acl, const PgQuery__GrantStmt& statement, std::span<const Oid> grantees, Privileges rights, Oid grantor, Oid owner);
/// New objects among `changes` get what ALTER DEFAULT PRIVILEGES says.
void add_default_privileges(DdlContext& ctx, std::vector<CatalogChange>* changes);

/// The object is somebody else's from now on, in name and in its lists.
void change_owner(DdlContext& ctx, Changes& changes, const Securable& object, Oid new_owner);
/// The same with the checks of ALTER ... OWNER TO. `schema` 0: nothing is created there.
Status give_to(DdlContext& ctx, Changes& changes, const Securable& object, Oid new_owner, Oid schema);

}  // namespace wandian::sql
