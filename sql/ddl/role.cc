// Roles: CREATE, ALTER, DROP and RENAME.
#include <algorithm>
#include <charconv>

#include "sql/access/roles.h"
#include "sql/ddl/role.h"
#include "sql/ddl/role_dependents.h"
#include "sql/ddl/services.h"
#include "sql/ddl/statements.h"
#include "sql/types/text_io.h"

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

Status denied(std::string message) { return Status{sqlstate::insufficient_privilege, std::move(message)}; }

bool may_create_roles(DdlContext& ctx) {
  const RoleProperties* self = role_properties(*ctx.catalog(), ctx.session.current_role());
  return self != nullptr && (self->superuser || self->create_role);
}

void put_role(Changes& changes, const ObjectDef& old, const RoleProperties& properties) {
  auto role = std::make_shared<ObjectDef>(old);
  role->definition = properties.encode();
  changes.put(std::move(role));
}

namespace {

bool is_reserved(std::string_view name) { return name.starts_with("pg_"); }

Status reserved(std::string_view name, const char* detail) {
  return Status{sqlstate::reserved_name, "role name " + quoted(name) + " is reserved"}.with_detail(detail);
}

// What CREATE and ALTER ROLE say, each option once.
struct RoleOptions {
  const PgQuery__DefElem *password = nullptr, *superuser = nullptr, *inherit = nullptr, *create_role = nullptr, *create_database = nullptr, *can_login = nullptr,
                         *replication = nullptr, *bypass_rls = nullptr, *connection_limit = nullptr, *valid_until = nullptr, *in_roles = nullptr,
                         *members = nullptr, *admins = nullptr;
};

Result<RoleOptions> read_options(DdlContext& ctx, PgQuery__Node* const* nodes, std::size_t count) {
  RoleOptions out;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *nodes[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "sysid") {
      ctx.notice(sqlstate::successful_completion, "SYSID can no longer be specified");
      continue;
    }
    const PgQuery__DefElem** slot = key == "password" ? &out.password : key == "superuser" ? &out.superuser : key == "inherit" ? &out.inherit
                                    : key == "createrole" ? &out.create_role : key == "createdb" ? &out.create_database : key == "canlogin" ? &out.can_login
                                    : key == "isreplication" ? &out.replication : key == "bypassrls" ? &out.bypass_rls
                                    : key == "connectionlimit" ? &out.connection_limit : key == "validUntil" ? &out.valid_until
                                    : key == "addroleto" ? &out.in_roles : key == "rolemembers" ? &out.members : key == "adminmembers" ? &out.admins : nullptr;
    if (slot == nullptr) return Status{sqlstate::internal_error, "option " + quoted(key) + " not recognized"};
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    *slot = &option;
  }
  return out;
}

Status set_password(DdlContext& ctx, const PgQuery__DefElem& option, RoleProperties* role) {
  const std::string text = option.arg != nullptr ? option_text(option) : std::string();
  if (text.empty()) {
    if (option.arg != nullptr) ctx.notice(sqlstate::successful_completion, "empty string is not a valid password, clearing password");
    role->verifier.clear();
    return {};
  }
  if (text.starts_with("SCRAM-SHA-256$")) {
    role->verifier = text;
    return {};
  }
  if (text.starts_with("md5") && text.size() == 35) return feature_not_supported("MD5 passwords are not supported").with_hint("Use SCRAM-SHA-256.");
  if (!ddl_services().hash_password)
    return feature_not_supported("plain passwords are not accepted here").with_hint("Give a SCRAM-SHA-256 verifier, as psql's \\password does.");
  WANDIAN_ASSIGN(role->verifier, ddl_services().hash_password(text));
  return {};
}

// Kept as text that means the same under every setting.
Status set_valid_until(DdlContext& ctx, const PgQuery__DefElem& option, RoleProperties* role) {
  role->valid_until.clear();
  if (option.arg == nullptr) return {};
  Arena arena;
  EvalContext context = ctx.session.eval_context(arena);
  Value value;
  if (!value_from_text(context, type_oid::kTimestamptz, -1, option_text(option), &value)) return std::move(context.error);
  static const FormatSettings plain;
  EvalContext printing{arena, plain, nullptr, 0, 0, {}};
  if (!append_text(printing, type_oid::kTimestamptz, value, role->valid_until)) return std::move(printing.error);
  return {};
}

Status apply_options(DdlContext& ctx, const RoleOptions& options, RoleProperties* role) {
  const auto flag = [](const PgQuery__DefElem* option, bool* value) {
    if (option != nullptr) *value = option_text(*option) != "false";
  };
  flag(options.superuser, &role->superuser);
  flag(options.inherit, &role->inherit);
  flag(options.create_role, &role->create_role);
  flag(options.create_database, &role->create_database);
  flag(options.can_login, &role->can_login);
  flag(options.replication, &role->replication);
  flag(options.bypass_rls, &role->bypass_rls);
  if (options.connection_limit != nullptr) {
    const std::string text = option_text(*options.connection_limit);
    std::from_chars(text.data(), text.data() + text.size(), role->connection_limit);
    if (role->connection_limit < -1) return Status{sqlstate::invalid_parameter_value, "invalid connection limit: " + text};
  }
  if (options.password != nullptr) WANDIAN_TRY(set_password(ctx, *options.password, role));
  if (options.valid_until != nullptr) WANDIAN_TRY(set_valid_until(ctx, *options.valid_until, role));
  return {};
}

Result<std::vector<Oid>> roles_of_option(DdlContext& ctx, const PgQuery__DefElem* option) {
  std::vector<Oid> out;
  for (std::size_t i = 0; option != nullptr && i < option->arg->list->n_items; ++i) {
    WANDIAN_ASSIGN(const Oid role, find_role(ctx, *option->arg->list->items[i]->role_spec));
    out.push_back(role);
  }
  return out;
}

}  // namespace

Status create_role(DdlContext& ctx) {
  const PgQuery__CreateRoleStmt& node = *ctx.statement.node->create_role_stmt;
  WANDIAN_ASSIGN(const RoleOptions options, read_options(ctx, node.options, node.n_options));
  RoleProperties properties;
  properties.can_login = node.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_USER;
  WANDIAN_TRY(apply_options(ctx, options, &properties));
  if (!ctx.session.is_superuser()) {
    if (properties.superuser) return denied("must be superuser to create superusers");
    if (properties.replication) return denied("must be superuser to create replication users");
    if (properties.bypass_rls) return denied("must be superuser to create bypassrls users");
    if (!may_create_roles(ctx)) return denied("permission denied to create role");
  }
  const std::string name = truncate_identifier(text_or_empty(node.role));
  if (is_reserved(name)) return reserved(name, "Role names starting with \"pg_\" are reserved.");
  if (name == "public" || name == "none") return Status{sqlstate::reserved_name, "role name " + quoted(name) + " is reserved"};
  if (ctx.catalog()->find_object(ObjectKind::kRole, 0, name) != nullptr)
    return Status{sqlstate::duplicate_object, "role " + quoted(name) + " already exists"};
  auto role = std::make_shared<ObjectDef>();
  role->kind = ObjectKind::kRole;
  role->name = name;
  role->oid = ctx.allocate_oid();
  role->definition = properties.encode();
  const Oid oid = role->oid;
  Changes changes;
  changes.put(std::move(role));
  WANDIAN_TRY(ctx.apply(changes));
  WANDIAN_ASSIGN(const std::vector<Oid> parents, roles_of_option(ctx, options.in_roles));
  WANDIAN_ASSIGN(const std::vector<Oid> admins, roles_of_option(ctx, options.admins));
  WANDIAN_ASSIGN(const std::vector<Oid> members, roles_of_option(ctx, options.members));
  const Oid grantor = ctx.session.current_role();
  for (const Oid parent : parents) WANDIAN_TRY(add_members(ctx, parent, {&oid, 1}, grantor, false));
  WANDIAN_TRY(add_members(ctx, oid, admins, grantor, true));
  return add_members(ctx, oid, members, grantor, false);
}

Status alter_role(DdlContext& ctx) {
  if (ctx.statement.node->node_case != PG_QUERY__NODE__NODE_ALTER_ROLE_STMT) return alter_role_setting(ctx);
  const PgQuery__AlterRoleStmt& node = *ctx.statement.node->alter_role_stmt;
  if (is_reserved(text_or_empty(node.role->rolename))) return reserved(node.role->rolename, "Cannot alter reserved roles.");
  WANDIAN_ASSIGN(const RoleOptions options, read_options(ctx, node.options, node.n_options));
  WANDIAN_ASSIGN(const Oid oid, find_role(ctx, *node.role));
  const auto old = ctx.catalog()->object(ObjectKind::kRole, oid);
  RoleProperties properties = *role_properties(*ctx.catalog(), oid);
  if (!ctx.session.is_superuser()) {
    if (options.superuser != nullptr || properties.superuser) return denied("must be superuser to alter superuser roles or change superuser attribute");
    if (options.replication != nullptr || properties.replication) return denied("must be superuser to alter replication roles or change replication attribute");
    if (options.bypass_rls != nullptr) return denied("must be superuser to change bypassrls attribute");
    const bool password_alone = node.n_options == 1 && options.password != nullptr;
    if (!may_create_roles(ctx) && !(password_alone && oid == ctx.session.current_role())) return denied("permission denied");
  }
  // The catalog must not be left without anybody who may do everything.
  if (oid == kBootstrapRole && options.superuser != nullptr && option_text(*options.superuser) == "false")
    return feature_not_supported("the bootstrap user must have the SUPERUSER attribute");
  WANDIAN_TRY(apply_options(ctx, options, &properties));
  Changes changes;
  put_role(changes, *old, properties);
  WANDIAN_TRY(ctx.apply(changes));
  if (options.members == nullptr) return {};
  // ALTER GROUP ... ADD or DROP USER.
  WANDIAN_ASSIGN(const std::vector<Oid> members, roles_of_option(ctx, options.members));
  if (node.action < 0) return remove_members(ctx, oid, members, false);
  return add_members(ctx, oid, members, ctx.session.current_role(), false);
}

Status drop_role(DdlContext& ctx) {
  const PgQuery__DropRoleStmt& node = *ctx.statement.node->drop_role_stmt;
  if (!may_create_roles(ctx)) return denied("permission denied to drop role");
  std::vector<Oid> dropped;
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
    if (!ctx.session.is_superuser() && is_superuser_role(*ctx.catalog(), role->oid)) return denied("must be superuser to drop superusers");
    if (role->oid == kBootstrapRole || is_reserved(name))
      return Status{sqlstate::dependent_objects_still_exist, "cannot drop role " + name + " because it is required by the database system"};
    const std::vector<std::string> dependents = role_dependents(ctx, role->oid);
    if (!dependents.empty())
      return Status{sqlstate::dependent_objects_still_exist, "role " + quoted(name) + " cannot be dropped because some objects depend on it"}.with_detail(
          join(dependents, "\n"));
    changes.drop(ObjectKind::kRole, role->oid);
    dropped.push_back(role->oid);
  }
  // Memberships in what is dropped go with it.
  const auto is_dropped = [&](Oid role) { return std::find(dropped.begin(), dropped.end(), role) != dropped.end(); };
  for (const auto& [key, object] : ctx.catalog()->objects()) {
    if (key.first != ObjectKind::kRole || is_dropped(key.second)) continue;
    RoleProperties properties = *role_properties(*ctx.catalog(), key.second);
    if (std::erase_if(properties.member_of, [&](const auto& membership) { return is_dropped(membership.role); }) != 0) put_role(changes, *object, properties);
  }
  return ctx.apply(changes);
}

Status rename_role(DdlContext& ctx, std::string_view from, const std::string& to) {
  const auto role = ctx.catalog()->find_object(ObjectKind::kRole, 0, from);
  if (role == nullptr) return Status{sqlstate::undefined_object, "role " + quoted(from) + " does not exist"};
  if (role->oid == ctx.session.session_role()) return feature_not_supported("session user cannot be renamed");
  if (role->oid == ctx.session.current_role()) return feature_not_supported("current user cannot be renamed");
  if (is_reserved(from)) return reserved(from, "Role names starting with \"pg_\" are reserved.");
  if (is_reserved(to)) return reserved(to, "Role names starting with \"pg_\" are reserved.");
  if (ctx.catalog()->find_object(ObjectKind::kRole, 0, to) != nullptr) return Status{sqlstate::duplicate_object, "role " + quoted(to) + " already exists"};
  if (!ctx.session.is_superuser()) {
    if (is_superuser_role(*ctx.catalog(), role->oid)) return denied("must be superuser to rename superusers");
    if (!may_create_roles(ctx)) return denied("permission denied to rename role");
  }
  auto renamed = std::make_shared<ObjectDef>(*role);
  renamed->name = to;
  Changes changes;
  changes.put(std::move(renamed));
  return ctx.apply(changes);
}

}  // namespace wandian::sql
