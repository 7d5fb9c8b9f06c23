#include "sql/access/roles.h"

#include <algorithm>

namespace wandian::sql {

namespace {

using namespace role_oid;

constexpr Oid kMonitorIsIn[] = {kReadAllSettings, kReadAllStats, kStatScanTables};
constexpr PredefinedRole kPredefined[] = {
    {kDatabaseOwner, "pg_database_owner", {}},
    {kReadAllData, "pg_read_all_data", {}},
    {kWriteAllData, "pg_write_all_data", {}},
    {kMonitor, "pg_monitor", kMonitorIsIn},
    {kReadAllSettings, "pg_read_all_settings", {}},
    {kReadAllStats, "pg_read_all_stats", {}},
    {kStatScanTables, "pg_stat_scan_tables", {}},
    {kReadServerFiles, "pg_read_server_files", {}},
    {kWriteServerFiles, "pg_write_server_files", {}},
    {kExecuteServerProgram, "pg_execute_server_program", {}},
    {kSignalBackend, "pg_signal_backend", {}},
    {kCheckpoint, "pg_checkpoint", {}},
};

}  // namespace

std::span<const PredefinedRole> predefined_roles() { return kPredefined; }

const RoleProperties* role_properties(const Catalog& catalog, Oid role) {
  const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kRole, role);
  return object == nullptr ? nullptr : static_cast<const RoleProperties*>(object->compiled.get());
}

bool is_superuser_role(const Catalog& catalog, Oid role) {
  const RoleProperties* properties = role_properties(catalog, role);
  return properties != nullptr && properties->superuser;
}

std::string role_name(const Catalog& catalog, Oid role) {
  const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kRole, role);
  return object != nullptr ? object->name : "unknown (OID=" + std::to_string(role) + ")";
}

std::vector<Oid> roles_of(const Catalog& catalog, Oid database, Oid member, bool inherited) {
  std::vector<Oid> out{member};
  const std::shared_ptr<const ObjectDef> own = catalog.object(ObjectKind::kDatabase, database);
  const auto add = [&](Oid role) {
    if (std::find(out.begin(), out.end(), role) == out.end()) out.push_back(role);
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    const RoleProperties* properties = role_properties(catalog, out[i]);
    if (properties == nullptr || (inherited && !properties->inherit)) continue;
    for (const RoleProperties::Membership& membership : properties->member_of) add(membership.role);
    if (own != nullptr && own->owner == out[i]) add(kDatabaseOwner);
  }
  return out;
}

bool is_member_of_nosuper(const Catalog& catalog, Oid database, Oid member, Oid role) {
  if (member == role) return true;
  const std::vector<Oid> roles = roles_of(catalog, database, member, false);
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool is_member_of(const Catalog& catalog, Oid database, Oid member, Oid role) {
  return member == role || is_superuser_role(catalog, member) || is_member_of_nosuper(catalog, database, member, role);
}

bool has_privileges_of(const Catalog& catalog, Oid database, Oid member, Oid role) {
  if (member == role || is_superuser_role(catalog, member)) return true;
  const std::vector<Oid> roles = roles_of(catalog, database, member, true);
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool is_admin_of(const Catalog& catalog, Oid database, Oid member, Oid role) {
  if (is_superuser_role(catalog, member)) return true;
  for (const Oid one : roles_of(catalog, database, member, false)) {
    const RoleProperties* properties = role_properties(catalog, one);
    if (properties == nullptr) continue;
    for (const RoleProperties::Membership& membership : properties->member_of)
      if (membership.role == role && membership.admin) return true;
  }
  return false;
}

}  // namespace wandian::sql
