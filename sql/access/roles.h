// Roles: their attributes, who is a member of whom, and the roles that every database has.
// Thread:  pure functions over one catalog.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/catalog_objects.h"

namespace wandian::sql {

/// PostgreSQL's predefined roles.
namespace role_oid {
inline constexpr Oid kDatabaseOwner = 6171, kReadAllData = 6181, kWriteAllData = 6182, kMonitor = 3373, kReadAllSettings = 3374,
                     kReadAllStats = 3375, kStatScanTables = 3377, kReadServerFiles = 4569, kWriteServerFiles = 4570,
                     kExecuteServerProgram = 4571, kSignalBackend = 4200, kCheckpoint = 4544;
}  // namespace role_oid

struct PredefinedRole {
  Oid oid;
  std::string_view name;
  std::span<const Oid> member_of;
};
std::span<const PredefinedRole> predefined_roles();

/// Null: there is no such role.
const RoleProperties* role_properties(const Catalog& catalog, Oid role);
bool is_superuser_role(const Catalog& catalog, Oid role);
/// As messages name it; "unknown (OID=n)" if there is none.
std::string role_name(const Catalog& catalog, Oid role);

/// Every role that `member` is, directly or not, itself first. `inherited`: only those whose privileges it has without SET ROLE.
/// The owner of `database` is a member of pg_database_owner.
std::vector<Oid> roles_of(const Catalog& catalog, Oid database, Oid member, bool inherited);

/// SET ROLE may go there; superusers may go anywhere.
bool is_member_of(const Catalog& catalog, Oid database, Oid member, Oid role);
/// The same without a superuser's right to everything.
bool is_member_of_nosuper(const Catalog& catalog, Oid database, Oid member, Oid role);
bool has_privileges_of(const Catalog& catalog, Oid database, Oid member, Oid role);
/// Whether `member` may grant membership in `role`: a superuser, or WITH ADMIN OPTION.
bool is_admin_of(const Catalog& catalog, Oid database, Oid member, Oid role);

}  // namespace wandian::sql
