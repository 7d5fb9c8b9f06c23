// Roles: CREATE, ALTER and DROP ROLE; GRANT and REVOKE as far as they mean anything while every role that may create is a superuser.
#include <algorithm>
#include <charconv>

#include "sql/ddl/services.h"
#include "sql/ddl/statements.h"

namespace wandian::sql {

Result<Oid> find_role(DdlContext& ctx, const PgQuery__RoleSpec& role) {
  switch (role.roletype) {
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE:
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER: return ctx.session.current_role();
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER: return ctx.session.session_role();
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC: return Status{sqlstate::undefined_object, "role \"public\" does not exist"};
    default: break;
  }
  const auto found = ctx.catalog()->find_object(ObjectKind::kRole, 0, text_or_empty(role.rolename));
  if (found == nullptr) return Status{sqlstate::undefined_object, "role " + quoted(text_or_empty(role.rolename)) + " does not exist"};
  return found->oid;
}

namespace {

Status require_superuser(DdlContext& ctx, const char* what) {
  if (ctx.session.is_superuser()) return {};
  return Status{sqlstate::insufficient_privilege, std::string("permission denied to ") + what};
}

Status set_password(const PgQuery__DefElem& option, RoleProperties* role) {
  if (option.arg == nullptr) {
    role->verifier.clear();
    return {};
  }
  const std::string text = option_text(option);
  if (text.starts_with("SCRAM-SHA-256$")) {
    role->verifier = text;
    return {};
  }
  if (text.starts_with("md5") && text.size() == 35) return feature_not_supported("MD5 passwords are not supported").with_hint("Use SCRAM-SHA-256.");
  if (text.empty()) {
    role->verifier.clear();
    return {};
  }
  if (!ddl_services().hash_password)
    return feature_not_supported("plain passwords are not accepted here").with_hint("Give a SCRAM-SHA-256 verifier, as psql's \\password does.");
  WANDIAN_ASSIGN(role->verifier, ddl_services().hash_password(text));
  return {};
}

Status apply_options(DdlContext& ctx, PgQuery__Node** options, std::size_t count, RoleProperties* role) {
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    const bool on = option_text(option) != "false";
    if (key == "password") WANDIAN_TRY(set_password(option, role));
    else if (key == "superuser") role->superuser = on;
    else if (key == "inherit") role->inherit = on;
    else if (key == "createrole") role->create_role = on;
    else if (key == "createdb") role->create_database = on;
    else if (key == "canlogin") role->can_login = on;
    else if (key == "isreplication") role->replication = on;
    else if (key == "bypassrls") role->bypass_rls = on;
    else if (key == "validUntil") role->valid_until = option.arg != nullptr ? option_text(option) : std::string();
    else if (key == "connectionlimit") {
      const std::string text = option_text(option);
      std::from_chars(text.data(), text.data() + text.size(), role->connection_limit);
      if (role->connection_limit < -1) return Status{sqlstate::invalid_parameter_value, "invalid connection limit: " + text};
    } else if (key == "sysid") {
      ctx.notice(sqlstate::successful_completion, "SYSID can no longer be specified");
    } else {
      return feature_not_supported("membership of roles is not supported");
    }
  }
  return {};
}

std::shared_ptr<ObjectDef> role_object(const std::string& name, const RoleProperties& properties) {
  auto role = std::make_shared<ObjectDef>();
  role->kind = ObjectKind::kRole;
  role->name = name;
  role->definition = properties.encode();
  return role;
}

}  // namespace

Status create_role(DdlContext& ctx) {
  const PgQuery__CreateRoleStmt& node = *ctx.statement.node->create_role_stmt;
  WANDIAN_TRY(require_superuser(ctx, "create role"));
  const std::string name(text_or_empty(node.role));
  if (name.starts_with("pg_"))
    return Status{sqlstate::reserved_name, "role name " + quoted(name) + " is reserved"}.with_detail("Role names starting with \"pg_\" are reserved.");
  if (name == "public" || name == "none") return Status{sqlstate::reserved_name, "role name " + quoted(name) + " is reserved"};
  if (ctx.catalog()->find_object(ObjectKind::kRole, 0, name) != nullptr)
    return Status{sqlstate::duplicate_object, "role " + quoted(name) + " already exists"};
  RoleProperties properties;
  properties.can_login = node.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_USER;
  WANDIAN_TRY(apply_options(ctx, node.options, node.n_options, &properties));
  std::shared_ptr<ObjectDef> role = role_object(name, properties);
  role->oid = ctx.allocate_oid();
  Changes changes;
  changes.put(std::move(role));
  return ctx.apply(changes);
}

Status alter_role(DdlContext& ctx) {
  if (ctx.statement.node->node_case != PG_QUERY__NODE__NODE_ALTER_ROLE_STMT)
    return feature_not_supported("ALTER ROLE ... SET is not supported").with_hint("Set the parameter in the session or on the command line.");
  const PgQuery__AlterRoleStmt& node = *ctx.statement.node->alter_role_stmt;
  WANDIAN_ASSIGN(const Oid oid, find_role(ctx, *node.role));
  if (oid != ctx.session.current_role()) WANDIAN_TRY(require_superuser(ctx, "alter role"));
  const auto old = ctx.catalog()->object(ObjectKind::kRole, oid);
  if (old == nullptr) return Status{sqlstate::undefined_object, "role does not exist"};
  RoleProperties properties = RoleProperties::decode(old->definition).value_or(RoleProperties{});
  for (std::size_t i = 0; i < node.n_options; ++i)
    if (text_or_empty(node.options[i]->def_elem->defname) != "password") WANDIAN_TRY(require_superuser(ctx, "alter role"));
  WANDIAN_TRY(apply_options(ctx, node.options, node.n_options, &properties));
  std::shared_ptr<ObjectDef> role = role_object(old->name, properties);
  role->oid = oid;
  Changes changes;
  changes.put(std::move(role));
  return ctx.apply(changes);
}

Status drop_role(DdlContext& ctx) {
  const PgQuery__DropRoleStmt& node = *ctx.statement.node->drop_role_stmt;
  WANDIAN_TRY(require_superuser(ctx, "drop role"));
  Changes changes;
  for (std::size_t i = 0; i < node.n_roles; ++i) {
    const PgQuery__RoleSpec& spec = *node.roles[i]->role_spec;
    if (spec.roletype != PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING)
      return Status{sqlstate::invalid_parameter_value, "cannot use special role specifier in DROP ROLE"};
    const std::string name(text_or_empty(spec.rolename));
    const auto role = ctx.catalog()->find_object(ObjectKind::kRole, 0, name);
    if (role == nullptr) {
      if (!node.missing_ok) return Status{sqlstate::undefined_object, "role " + quoted(name) + " does not exist"};
      ctx.notice(sqlstate::successful_completion, "role " + quoted(name) + " does not exist, skipping");
      continue;
    }
    if (role->oid == ctx.session.current_role()) return Status{sqlstate::object_in_use, "current user cannot be dropped"};
    if (role->oid == ctx.session.session_role()) return Status{sqlstate::object_in_use, "session user cannot be dropped"};
    if (role->oid == kBootstrapRole)
      return Status{sqlstate::dependent_objects_still_exist, "cannot drop role " + name + " because it is required by the database system"};
    std::vector<std::string> owned;
    for (const auto& [oid, table] : ctx.catalog()->tables())
      if (table->owner == role->oid && !table->internal) owned.push_back("owner of table " + table->name);
    for (const auto& [oid, sequence] : ctx.catalog()->sequences())
      if (sequence->owner == role->oid) owned.push_back("owner of sequence " + sequence->name);
    for (const auto& [oid, schema] : ctx.catalog()->schemas())
      if (schema->owner == role->oid) owned.push_back("owner of schema " + schema->name);
    for (const auto& [key, object] : ctx.catalog()->objects())
      if (key.first == ObjectKind::kView && object->owner == role->oid) owned.push_back("owner of view " + object->name);
    if (!owned.empty())
      return Status{sqlstate::dependent_objects_still_exist, "role " + quoted(name) + " cannot be dropped because some objects depend on it"}.with_detail(
          join(owned, "\n"));
    changes.drop(ObjectKind::kRole, role->oid);
  }
  return ctx.apply(changes);
}

Status grant_or_revoke(DdlContext& ctx) {
  const PgQuery__GrantStmt& node = *ctx.statement.node->grant_stmt;
  const auto is_superuser = [&](Oid oid) {
    const auto role = ctx.catalog()->object(ObjectKind::kRole, oid);
    const auto properties = role != nullptr ? RoleProperties::decode(role->definition) : std::nullopt;
    return properties && properties->superuser;
  };
  for (std::size_t i = 0; i < node.n_grantees; ++i) {
    const PgQuery__RoleSpec& spec = *node.grantees[i]->role_spec;
    if (spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC)
      return feature_not_supported("privileges of PUBLIC are not supported");
    WANDIAN_ASSIGN(const Oid role, find_role(ctx, spec));
    // A superuser has every privilege, whatever is granted or revoked.
    if (!is_superuser(role)) return feature_not_supported("privileges of roles that are not superusers are not supported");
  }
  return {};
}

}  // namespace wandian::sql
