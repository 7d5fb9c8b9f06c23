// GRANT role TO role, REVOKE role FROM role; ALTER ROLE and ALTER DATABASE ... SET.
#include <algorithm>

#include "sql/access/roles.h"
#include "sql/ddl/role.h"
#include "sql/ddl/statements.h"

namespace wandian::sql {

namespace {

Status check_may_grant(DdlContext& ctx, Oid role, Oid grantor) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  if (is_superuser_role(*catalog, role)) {
    if (!ctx.session.is_superuser()) return denied("must be superuser to alter superusers");
    return {};
  }
  if (may_create_roles(ctx) || is_admin_of(*catalog, ctx.session.database(), grantor, role)) return {};
  return denied("must have admin option on role " + quoted(role_name(*catalog, role)));
}

}  // namespace

Status add_members(DdlContext& ctx, Oid role, std::span<const Oid> members, Oid grantor, bool admin) {
  if (members.empty()) return {};
  WANDIAN_TRY(check_may_grant(ctx, role, grantor));
  if (grantor != ctx.session.current_role() && !ctx.session.is_superuser()) return denied("must be superuser to set grantor");
  if (role == role_oid::kDatabaseOwner) return Status{sqlstate::internal_error, "role " + quoted(role_name(*ctx.catalog(), role)) + " cannot have explicit members"};
  for (const Oid member : members) {
    const std::shared_ptr<const Catalog> catalog = ctx.catalog();
    if (member == role_oid::kDatabaseOwner)
      return Status{sqlstate::internal_error, "role " + quoted(role_name(*catalog, member)) + " cannot be a member of any role"};
    if (is_member_of_nosuper(*catalog, ctx.session.database(), role, member))
      return Status{sqlstate::invalid_grant_operation, "role " + quoted(role_name(*catalog, role)) + " is a member of role " + quoted(role_name(*catalog, member))};
    RoleProperties properties = *role_properties(*catalog, member);
    const auto known = std::find_if(properties.member_of.begin(), properties.member_of.end(), [&](const auto& one) { return one.role == role; });
    if (known != properties.member_of.end() && (!admin || known->admin)) {
      ctx.notice(sqlstate::successful_completion,
                 "role " + quoted(role_name(*catalog, member)) + " is already a member of role " + quoted(role_name(*catalog, role)));
      continue;
    }
    if (known != properties.member_of.end()) *known = {role, grantor, admin};
    else properties.member_of.push_back({role, grantor, admin});
    Changes changes;
    put_role(changes, *catalog->object(ObjectKind::kRole, member), properties);
    WANDIAN_TRY(ctx.apply(changes));
  }
  return {};
}

Status remove_members(DdlContext& ctx, Oid role, std::span<const Oid> members, bool admin_only) {
  if (members.empty()) return {};
  WANDIAN_TRY(check_may_grant(ctx, role, ctx.session.current_role()));
  for (const Oid member : members) {
    const std::shared_ptr<const Catalog> catalog = ctx.catalog();
    RoleProperties properties = *role_properties(*catalog, member);
    const auto known = std::find_if(properties.member_of.begin(), properties.member_of.end(), [&](const auto& one) { return one.role == role; });
    if (known == properties.member_of.end()) {
      ctx.session.notice(Severity::kWarning, sqlstate::warning,
                         "role " + quoted(role_name(*catalog, member)) + " is not a member of role " + quoted(role_name(*catalog, role)));
      continue;
    }
    if (admin_only) known->admin = false;
    else properties.member_of.erase(known);
    Changes changes;
    put_role(changes, *catalog->object(ObjectKind::kRole, member), properties);
    WANDIAN_TRY(ctx.apply(changes));
  }
  return {};
}

Status grant_role(DdlContext& ctx) {
  const PgQuery__GrantRoleStmt& node = *ctx.statement.node->grant_role_stmt;
  Oid grantor = ctx.session.current_role();
  if (node.grantor != nullptr) {
    WANDIAN_ASSIGN(grantor, find_role(ctx, *node.grantor));
  }
  std::vector<Oid> members;
  for (std::size_t i = 0; i < node.n_grantee_roles; ++i) {
    WANDIAN_ASSIGN(const Oid member, find_role(ctx, *node.grantee_roles[i]->role_spec));
    members.push_back(member);
  }
  for (std::size_t i = 0; i < node.n_granted_roles; ++i) {
    const PgQuery__AccessPriv& granted = *node.granted_roles[i]->access_priv;
    if (granted.n_cols != 0) return Status{sqlstate::invalid_grant_operation, "column names cannot be included in GRANT/REVOKE ROLE"};
    const std::string_view name = text_or_empty(granted.priv_name);
    const auto role = ctx.catalog()->find_object(ObjectKind::kRole, 0, name);
    if (role == nullptr) return Status{sqlstate::undefined_object, "role " + quoted(name) + " does not exist"};
    if (node.is_grant != 0) WANDIAN_TRY(add_members(ctx, role->oid, members, grantor, node.admin_opt != 0));
    else WANDIAN_TRY(remove_members(ctx, role->oid, members, node.admin_opt != 0));
  }
  return {};
}

// ---- Settings ----

namespace {

using SettingList = std::vector<std::pair<std::string, std::string>>;

Status change_settings(DdlContext& ctx, const PgQuery__VariableSetStmt& set, SettingList* settings) {
  SettingList before = *settings;
  add_setting(ctx, set, settings);
  for (const auto& entry : *settings)
    if (std::find(before.begin(), before.end(), entry) == before.end()) WANDIAN_TRY(ctx.session.settings().check(entry.first, entry.second));
  const bool resets = set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET || set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT;
  if (resets && find_setting(text_or_empty(set.name)) == nullptr && !is_custom_setting_name(text_or_empty(set.name)))
    return unrecognized_setting(text_or_empty(set.name));
  return {};
}

}  // namespace

Status change_database_settings(DdlContext& ctx, const ObjectDef& database, const PgQuery__VariableSetStmt& set) {
  WANDIAN_TRY(ctx.must_own(*securable_database(*ctx.catalog(), database.oid)));
  DatabaseProperties properties = DatabaseProperties::decode(database.definition).value_or(DatabaseProperties{});
  WANDIAN_TRY(change_settings(ctx, set, &properties.settings));
  auto changed = std::make_shared<ObjectDef>(database);
  changed->definition = properties.encode();
  Changes changes;
  changes.put(std::move(changed));
  return ctx.apply(changes);
}

Status alter_role_setting(DdlContext& ctx) {
  const PgQuery__AlterRoleSetStmt& node = *ctx.statement.node->alter_role_set_stmt;
  Oid role = 0;
  if (node.role != nullptr) {
    if (text_or_empty(node.role->rolename).starts_with("pg_"))
      return Status{sqlstate::reserved_name, "role name " + quoted(node.role->rolename) + " is reserved"}.with_detail("Cannot alter reserved roles.");
    WANDIAN_ASSIGN(role, find_role(ctx, *node.role));
    if (is_superuser_role(*ctx.catalog(), role)) {
      if (!ctx.session.is_superuser()) return denied("must be superuser to alter superusers");
    } else if (!may_create_roles(ctx) && role != ctx.session.current_role()) {
      return denied("permission denied");
    }
  }
  std::shared_ptr<const ObjectDef> database;
  if (!text_or_empty(node.database).empty()) {
    database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, node.database);
    if (database == nullptr) return Status{sqlstate::invalid_catalog_name, "database " + quoted(node.database) + " does not exist"};
    if (role == 0) return change_database_settings(ctx, *database, *node.setstmt);
  } else if (role == 0 && !ctx.session.is_superuser()) {
    return denied("must be superuser to alter settings globally");
  }
  Changes changes;
  if (role == 0) {
    const auto old = ctx.catalog()->object(ObjectKind::kSettings, kAllSettings);
    DatabaseProperties all = (old != nullptr ? DatabaseProperties::decode(old->definition) : std::nullopt).value_or(DatabaseProperties{});
    WANDIAN_TRY(change_settings(ctx, *node.setstmt, &all.settings));
    auto object = std::make_shared<ObjectDef>();
    object->kind = ObjectKind::kSettings;
    object->oid = kAllSettings;
    object->definition = all.encode();
    changes.put(std::move(object));
    return ctx.apply(changes);
  }
  RoleProperties properties = *role_properties(*ctx.catalog(), role);
  if (database == nullptr) {
    WANDIAN_TRY(change_settings(ctx, *node.setstmt, &properties.settings));
  } else {
    auto in = std::find_if(properties.in_databases.begin(), properties.in_databases.end(), [&](const auto& one) { return one.database == database->oid; });
    if (in == properties.in_databases.end()) in = properties.in_databases.insert(in, {database->oid, {}});
    WANDIAN_TRY(change_settings(ctx, *node.setstmt, &in->settings));
    if (in->settings.empty()) properties.in_databases.erase(in);
  }
  put_role(changes, *ctx.catalog()->object(ObjectKind::kRole, role), properties);
  return ctx.apply(changes);
}

}  // namespace wandian::sql
