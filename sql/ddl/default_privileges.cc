// ALTER DEFAULT PRIVILEGES, and what it means for new objects.
#include <algorithm>

#include "sql/access/roles.h"
#include "sql/ddl/grant.h"
#include "sql/ddl/statements.h"

namespace wandian::sql {

namespace {

std::shared_ptr<const ObjectDef> find_defaults(const Catalog& catalog, Oid database, Oid role, Oid schema, AclKind kind, DefaultAcl* out) {
  const auto& objects = catalog.objects();
  for (auto it = objects.lower_bound({ObjectKind::kDefaultAcl, 0}); it != objects.end() && it->first.first == ObjectKind::kDefaultAcl; ++it) {
    if (it->second->parent != database || it->second->owner != role) continue;
    std::optional<DefaultAcl> defaults = DefaultAcl::decode(it->second->definition);
    if (!defaults || defaults->schema != schema || defaults->kind != kind) continue;
    *out = std::move(*defaults);
    return it->second;
  }
  return nullptr;
}

// As PostgreSQL keeps such lists: by grantee.
void sort_acl(Acl& acl) {
  std::sort(acl.begin(), acl.end(), [](const AclItem& a, const AclItem& b) { return std::pair(a.grantee, a.grantor) < std::pair(b.grantee, b.grantor); });
}

bool same_acl(const Acl& a, const Acl& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const AclItem& item) { return std::find(b.begin(), b.end(), item) != b.end(); });
}

Result<AclKind> kind_of(const PgQuery__GrantStmt& action) {
  switch (action.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE: return AclKind::kRelation;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return AclKind::kSequence;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: return AclKind::kFunction;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE: return AclKind::kType;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: return AclKind::kSchema;
    default: return feature_not_supported("default privileges on this kind of object are not supported");
  }
}

Status set_defaults(DdlContext& ctx, const PgQuery__GrantStmt& action, std::span<const Oid> grantees, Oid role, Oid schema, AclKind kind) {
  if (kind == AclKind::kSchema && schema != 0)
    return Status{sqlstate::invalid_grant_operation, "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS"};
  WANDIAN_ASSIGN(const GrantWords words, read_privileges(action.privileges, action.n_privileges, kind));
  const Privileges rights = words.bits & all_privileges(kind);
  if (rights != words.bits) return Status{sqlstate::invalid_grant_operation, "invalid privilege type USAGE for relation"};
  const Oid database = ctx.session.database();
  DefaultAcl defaults;
  const std::shared_ptr<const ObjectDef> old = find_defaults(*ctx.catalog(), database, role, schema, kind, &defaults);
  const Acl nothing_said = schema == 0 ? default_acl(kind, role) : Acl{};
  if (old == nullptr) defaults = {schema, kind, nothing_said};
  WANDIAN_ASSIGN(defaults.acl, grant_in_acl(std::move(defaults.acl), action, grantees, rights, role, role));
  sort_acl(defaults.acl);
  Changes changes;
  if (same_acl(defaults.acl, nothing_said)) {
    if (old == nullptr) return {};
    changes.drop(ObjectKind::kDefaultAcl, old->oid);
  } else {
    auto object = std::make_shared<ObjectDef>();
    object->kind = ObjectKind::kDefaultAcl;
    object->oid = old != nullptr ? old->oid : ctx.allocate_oid();
    object->parent = database;
    object->owner = role;
    object->definition = defaults.encode();
    changes.put(std::move(object));
  }
  return ctx.apply(changes);
}

}  // namespace

Status alter_default_privileges(DdlContext& ctx) {
  const PgQuery__AlterDefaultPrivilegesStmt& node = *ctx.statement.node->alter_default_privileges_stmt;
  const PgQuery__GrantStmt& action = *node.action;
  const PgQuery__DefElem *roles_option = nullptr, *schemas_option = nullptr;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const PgQuery__DefElem** slot = text_or_empty(option.defname) == "roles" ? &roles_option : &schemas_option;
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    *slot = &option;
  }
  WANDIAN_ASSIGN(const AclKind kind, kind_of(action));
  std::vector<Oid> grantees, roles, schemas;
  for (std::size_t i = 0; i < action.n_grantees; ++i) {
    WANDIAN_ASSIGN(const Oid grantee, find_grantee(ctx, *action.grantees[i]->role_spec));
    grantees.push_back(grantee);
  }
  WANDIAN_TRY(read_privileges(action.privileges, action.n_privileges, kind).take_status());
  if (roles_option == nullptr) roles.push_back(ctx.session.current_role());
  for (std::size_t i = 0; roles_option != nullptr && i < roles_option->arg->list->n_items; ++i) {
    WANDIAN_ASSIGN(const Oid role, find_role(ctx, *roles_option->arg->list->items[i]->role_spec));
    if (!is_member_of(*ctx.catalog(), ctx.session.database(), ctx.session.current_role(), role))
      return Status{sqlstate::insufficient_privilege, "must be member of role " + quoted(role_name(*ctx.catalog(), role))};
    roles.push_back(role);
  }
  if (schemas_option == nullptr) schemas.push_back(0);
  for (std::size_t i = 0; schemas_option != nullptr && i < schemas_option->arg->list->n_items; ++i) {
    WANDIAN_ASSIGN(const Oid schema, ctx.find_schema(string_value(schemas_option->arg->list->items[i]), false));
    schemas.push_back(schema);
  }
  for (const Oid role : roles)
    for (const Oid schema : schemas) WANDIAN_TRY(set_defaults(ctx, action, grantees, role, schema, kind));
  return {};
}

void add_default_privileges(DdlContext& ctx, std::vector<CatalogChange>* changes) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  const auto first = catalog->objects().lower_bound({ObjectKind::kDefaultAcl, 0});
  if (first == catalog->objects().end() || first->first.first != ObjectKind::kDefaultAcl) return;
  std::vector<CatalogChange> added;
  for (const CatalogChange& change : *changes) {
    if (change.drop) continue;
    AclKind kind = AclKind::kRelation;
    Oid owner = 0, schema = 0;
    if (change.table != nullptr) {
      if (change.table->internal || catalog->table(change.oid) != nullptr) continue;
      owner = change.table->owner, schema = change.table->schema;
    } else if (change.sequence != nullptr) {
      if (catalog->sequence(change.oid) != nullptr) continue;
      kind = AclKind::kSequence, owner = change.sequence->owner, schema = change.sequence->schema;
    } else if (change.schema != nullptr) {
      if (catalog->schema(change.oid) != nullptr) continue;
      kind = AclKind::kSchema, owner = change.schema->owner;
    } else {
      if (change.kind == ObjectKind::kFunction) kind = AclKind::kFunction;
      else if (change.kind == ObjectKind::kType) kind = AclKind::kType;
      else if (change.kind != ObjectKind::kView) continue;
      if (catalog->object(change.kind, change.oid) != nullptr) continue;
      owner = change.object->owner, schema = change.object->parent;
    }
    DefaultAcl everywhere, here;
    const Oid database = ctx.session.database();
    const bool said = find_defaults(*catalog, database, owner, 0, kind, &everywhere) != nullptr;
    const bool said_here = schema != 0 && find_defaults(*catalog, database, owner, schema, kind, &here) != nullptr;
    if (!said && !said_here) continue;
    Acl acl = said ? everywhere.acl : default_acl(kind, owner);
    for (const AclItem& item : here.acl)
      if (Result<Acl> merged = change_acl(acl, item, AclChange::kAdd, owner, false); merged.ok()) acl = merged.take();
    if (same_acl(acl, default_acl(kind, owner))) continue;
    sort_acl(acl);
    CatalogChange& lists = added.emplace_back();
    lists.kind = ObjectKind::kAcl;
    lists.oid = change.oid;
    lists.object = std::make_shared<ObjectDef>();
    lists.object->kind = ObjectKind::kAcl;
    lists.object->oid = change.oid;
    lists.object->definition = ObjectAcl{acl, {}}.encode();
  }
  for (CatalogChange& change : added) changes->push_back(std::move(change));
}

}  // namespace wandian::sql
