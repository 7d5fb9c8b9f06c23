// What the statements about roles share.
// Thread:  the session's shard.
#pragma once

#include <span>
#include <string>

#include "sql/catalog_objects.h"
#include "sql/ddl/context.h"

namespace wandian::sql {

/// 42501 with a message of its own.
Status denied(std::string message);
/// The current role is a superuser or has CREATEROLE.
bool may_create_roles(DdlContext& ctx);
void put_role(Changes& changes, const ObjectDef& old, const RoleProperties& properties);

/// Makes roles members of `role`. 42501, 0LP01 for cycles.
Status add_members(DdlContext& ctx, Oid role, std::span<const Oid> members, Oid grantor, bool admin);
/// `admin_only`: takes the option to grant it on, and leaves them members.
Status remove_members(DdlContext& ctx, Oid role, std::span<const Oid> members, bool admin_only);
/// ALTER ROLE ... SET and RESET.
Status alter_role_setting(DdlContext& ctx);
Status rename_role(DdlContext& ctx, std::string_view from, const std::string& to);

}  // namespace wandian::sql
