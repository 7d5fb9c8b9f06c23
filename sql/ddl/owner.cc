// Whose objects are: ALTER ... OWNER TO, REASSIGN OWNED, DROP OWNED.
#include <algorithm>

#include "sql/access/roles.h"
#include "sql/ddl/dependency.h"
#include "sql/ddl/grant.h"
#include "sql/ddl/role_dependents.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"

namespace wandian::sql {

void change_owner(DdlContext& ctx, Changes& changes, const Securable& object, Oid new_owner) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  const auto put = [&](ObjectKind kind) {
    auto changed = std::make_shared<ObjectDef>(*catalog->object(kind, object.oid));
    changed->owner = new_owner;
    changes.put(std::move(changed));
  };
  switch (object.kind) {
    case AclKind::kSequence: {
      auto sequence = std::make_shared<SequenceDef>(*catalog->sequence(object.oid));
      sequence->owner = new_owner;
      changes.put(std::move(sequence));
      break;
    }
    case AclKind::kRelation:
      if (object.relation_kind == 'v') {
        put(ObjectKind::kView);
      } else {
        auto table = std::make_shared<TableDef>(*catalog->table(object.oid));
        table->owner = new_owner;
        changes.put(std::move(table));
        for (const auto& [oid, sequence] : catalog->sequences())
          if (sequence->owned_by_table == object.oid) change_owner(ctx, changes, *securable_relation(*catalog, oid), new_owner);
      }
      break;
    case AclKind::kSchema: {
      auto schema = std::make_shared<SchemaDef>(*catalog->schema(object.oid));
      schema->owner = new_owner;
      changes.put(std::move(schema));
      break;
    }
    case AclKind::kDatabase: put(ObjectKind::kDatabase); break;
    case AclKind::kFunction: put(ObjectKind::kFunction); break;
    case AclKind::kCollation: put(ObjectKind::kCollation); break;
    case AclKind::kType:
      put(ObjectKind::kType);
      ctx.session.note_changed_type(object.oid);
      break;
    default: return;
  }
  const ObjectAcl* stored = find_acl(*catalog, object.oid);
  if (stored == nullptr) return;
  ObjectAcl lists = *stored;
  if (lists.acl) lists.acl = with_new_owner(*lists.acl, object.owner, new_owner);
  for (auto& [column, acl] : lists.columns) acl = with_new_owner(acl, object.owner, new_owner);
  put_acl(ctx, changes, object.oid, std::move(lists));
}

Status give_to(DdlContext& ctx, Changes& changes, const Securable& object, Oid new_owner, Oid schema) {
  if (object.owner == new_owner) return {};
  WANDIAN_TRY(check_new_owner(ctx.access(), object, new_owner, schema));
  change_owner(ctx, changes, object, new_owner);
  return {};
}

Task<Status> alter_owner(DdlContext& ctx) {
  const PgQuery__AlterOwnerStmt& node = *ctx.statement.node->alter_owner_stmt;
  Result<Oid> role = find_role(ctx, *node.newowner);
  if (!role.ok()) co_return role.take_status();
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  const AccessScope scope = ctx.access();
  Changes changes;
  switch (node.object_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: {
      Result<Oid> schema = ctx.find_schema(string_value(node.object), false);
      if (!schema.ok()) co_return schema.take_status();
      const Securable object = *securable_schema(*catalog, schema.value());
      if (object.owner == role.value()) co_return Status{};
      WANDIAN_CO_TRY(check_new_owner(scope, object, role.value(), 0));
      // The one who gives it away could make it himself.
      WANDIAN_CO_TRY(check_privilege(scope, AclKind::kDatabase, ctx.session.database(), privilege::kCreate));
      change_owner(ctx, changes, object, role.value());
      break;
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: {
      const auto found = catalog->find_object(ObjectKind::kDatabase, 0, string_value(node.object));
      if (found == nullptr) co_return Status{sqlstate::invalid_catalog_name, "database " + quoted(string_value(node.object)) + " does not exist"};
      const Securable object = *securable_database(*catalog, found->oid);
      if (object.owner == role.value()) co_return Status{};
      WANDIAN_CO_TRY(check_new_owner(scope, object, role.value(), 0));
      const RoleProperties* self = role_properties(*catalog, scope.role);
      if (!ctx.session.is_superuser() && (self == nullptr || !self->create_database))
        co_return Status{sqlstate::insufficient_privilege, "permission denied to change owner of database"};
      change_owner(ctx, changes, object, role.value());
      break;
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: {
      const std::string_view what = node.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ? "procedure"
                                    : node.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE ? "routine"
                                                                                                : "function";
      Result<std::shared_ptr<const ObjectDef>> found = find_routine(ctx, *node.object->object_with_args, what);
      if (!found.ok()) co_return found.take_status();
      WANDIAN_CO_TRY(give_to(ctx, changes, *securable_function(*catalog, found.value()->oid), role.value(), found.value()->parent));
      break;
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: co_return alter_collation_owner(ctx);
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN: co_return co_await alter_type_owner(ctx);
    default: co_return feature_not_supported("ALTER ... OWNER TO is not supported for this kind of object");
  }
  co_return ctx.apply(changes);
}

namespace {

Result<std::vector<Oid>> read_roles(DdlContext& ctx, PgQuery__Node* const* nodes, std::size_t count) {
  std::vector<Oid> out;
  for (std::size_t i = 0; i < count; ++i) {
    WANDIAN_ASSIGN(const Oid role, find_role(ctx, *nodes[i]->role_spec));
    out.push_back(role);
  }
  return out;
}

Status check_holds(DdlContext& ctx, Oid role, const char* doing) {
  if (has_privileges_of(*ctx.catalog(), ctx.session.database(), ctx.session.current_role(), role)) return {};
  return Status{sqlstate::insufficient_privilege, std::string("permission denied to ") + doing + " objects"};
}

}  // namespace

Task<Status> reassign_owned(DdlContext& ctx) {
  const PgQuery__ReassignOwnedStmt& node = *ctx.statement.node->reassign_owned_stmt;
  Result<std::vector<Oid>> roles = read_roles(ctx, node.roles, node.n_roles);
  if (!roles.ok()) co_return roles.take_status();
  for (const Oid role : roles.value()) WANDIAN_CO_TRY(check_holds(ctx, role, "reassign"));
  Result<Oid> heir = find_role(ctx, *node.newrole);
  if (!heir.ok()) co_return heir.take_status();
  WANDIAN_CO_TRY(check_holds(ctx, heir.value(), "reassign"));
  for (const Oid role : roles.value()) {
    if (role == kBootstrapRole)
      co_return Status{sqlstate::dependent_objects_still_exist, "cannot reassign ownership of objects owned by role " + role_name(*ctx.catalog(), role) +
                                                                    " because they are required by the database system"};
    const std::vector<Securable> objects = objects_owned_by(*ctx.catalog(), role, ctx.session.database());
    for (const Securable& object : objects) {
      if (object.kind != AclKind::kRelation || object.relation_kind != 'r') continue;
      Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(object.oid, TableLock::kAccessExclusive);
      if (!locked.ok()) co_return locked.take_status();
    }
    for (const Securable& object : objects) {
      Changes changes;
      change_owner(ctx, changes, object, heir.value());
      WANDIAN_CO_TRY(ctx.apply(changes));
    }
  }
  co_return Status{};
}

namespace {

std::optional<ObjectRef> reference_to(const Securable& object) {
  switch (object.kind) {
    case AclKind::kRelation: return ObjectRef{object.relation_kind == 'v' ? RefKind::kView : RefKind::kTable, object.oid, 0, 0};
    case AclKind::kSequence: return ObjectRef{RefKind::kSequence, object.oid, 0, 0};
    case AclKind::kSchema: return ObjectRef{RefKind::kSchema, object.oid, 0, 0};
    case AclKind::kFunction: return ObjectRef{RefKind::kFunction, object.oid, 0, 0};
    case AclKind::kType: return ObjectRef{RefKind::kType, object.oid, 0, 0};
    case AclKind::kCollation: return ObjectRef{RefKind::kCollation, object.oid, 0, 0};
    default: return std::nullopt;   // databases stay
  }
}

// What the role was granted, or has granted, here and on what all databases share.
Status forget_privileges(DdlContext& ctx, Oid role) {
  Changes changes;
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  for (const Securable& object : objects_granted_to(*catalog, role, ctx.session.database())) {
    ObjectAcl lists = *find_acl(*catalog, object.oid);
    if (lists.acl) lists.acl = without_role(*lists.acl, role, object.owner);
    for (auto& [column, acl] : lists.columns) acl = without_role(acl, role, object.owner);
    put_acl(ctx, changes, object.oid, std::move(lists));
  }
  for (const auto& [key, object] : catalog->objects()) {
    if (key.first != ObjectKind::kDefaultAcl || object->parent != ctx.session.database()) continue;
    std::optional<DefaultAcl> defaults = DefaultAcl::decode(object->definition);
    if (!defaults) continue;
    if (object->owner == role) {
      changes.drop(ObjectKind::kDefaultAcl, key.second);
    } else if (mentions(defaults->acl, role)) {
      defaults->acl = without_role(defaults->acl, role, object->owner);
      auto changed = std::make_shared<ObjectDef>(*object);
      changed->definition = defaults->encode();
      changes.put(std::move(changed));
    }
  }
  return ctx.apply(changes);
}

}  // namespace

Task<Status> drop_owned(DdlContext& ctx) {
  const PgQuery__DropOwnedStmt& node = *ctx.statement.node->drop_owned_stmt;
  Result<std::vector<Oid>> roles = read_roles(ctx, node.roles, node.n_roles);
  if (!roles.ok()) co_return roles.take_status();
  for (const Oid role : roles.value()) WANDIAN_CO_TRY(check_holds(ctx, role, "drop"));
  std::vector<ObjectRef> targets;
  for (const Oid role : roles.value()) {
    if (role == kBootstrapRole)
      co_return Status{sqlstate::dependent_objects_still_exist, "cannot drop objects owned by role " + role_name(*ctx.catalog(), role) +
                                                                    " because they are required by the database system"};
    for (const Securable& object : objects_owned_by(*ctx.catalog(), role, ctx.session.database()))
      if (const std::optional<ObjectRef> target = reference_to(object)) targets.push_back(*target);
  }
  WANDIAN_CO_TRY(co_await drop_targets(ctx, targets, node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE));
  for (const Oid role : roles.value()) WANDIAN_CO_TRY(forget_privileges(ctx, role));
  co_return Status{};
}

}  // namespace wandian::sql
