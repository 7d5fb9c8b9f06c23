#include "sql/access/privileges.h"

#include <algorithm>
#include <bit>

#include "sql/access/roles.h"
#include "sql/catalog/relation_names.h"
#include "sql/catalog/stored_objects.h"
#include "sql/catalog/system_relation.h"
#include "sql/functions/registry.h"
#include "sql/messages.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

using namespace privilege;

constexpr Oid kInternalLanguage = 12, kCLanguage = 13, kSqlLanguage = 14, kPlpgsqlLanguage = 13563;

struct Language {
  Oid oid;
  std::string_view name;
};
constexpr Language kLanguages[] = {{kInternalLanguage, "internal"}, {kCLanguage, "c"}, {kSqlLanguage, "sql"}, {kPlpgsqlLanguage, "plpgsql"}};

// System relations that not everybody may read.
constexpr std::string_view kClosedRelations[] = {
    "pg_authid", "pg_config", "pg_file_settings", "pg_hba_file_rules", "pg_ident_file_mappings", "pg_largeobject", "pg_replication_origin_status",
    "pg_shadow", "pg_statistic", "pg_statistic_ext_data", "pg_subscription", "pg_user_mapping"};
constexpr std::string_view kStatisticsRelations[] = {"pg_backend_memory_contexts", "pg_shmem_allocations"};
constexpr std::string_view kUngrantedRelations[] = {"_pg_foreign_data_wrappers", "_pg_foreign_servers", "_pg_foreign_table_columns", "_pg_foreign_tables",
                                                    "_pg_user_mappings",         "sql_parts",           "transforms"};
// Built-in functions that not everybody may call.
constexpr std::string_view kClosedFunctions[] = {"pg_reload_conf", "pg_rotate_logfile", "pg_stat_reset", "pg_switch_wal", "pg_create_restore_point",
                                                 "pg_promote", "pg_current_logfile", "pg_stat_reset_shared", "pg_stat_reset_single_table_counters"};

template <std::size_t n>
bool is_among(const std::string_view (&names)[n], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::optional<Acl> built_in_acl(const Securable& object) {
  const AclItem all{kBootstrapRole, kBootstrapRole, all_privileges(object.kind)};
  switch (object.kind) {
    case AclKind::kRelation:
      if (!object.system || is_among(kUngrantedRelations, object.name)) return std::nullopt;
      if (is_among(kClosedRelations, object.name)) return Acl{all};
      if (is_among(kStatisticsRelations, object.name)) return Acl{all, {role_oid::kReadAllStats, kBootstrapRole, kSelect}};
      return Acl{all, {kPublic, kBootstrapRole, object.name == "pg_settings" ? kSelect | kUpdate : kSelect}};
    case AclKind::kSchema:
      if (object.oid != kPgCatalogSchema && object.oid != kInformationSchema) return std::nullopt;
      return Acl{all, {kPublic, kBootstrapRole, kUsage}};
    case AclKind::kFunction:
      if (object.oid >= kFirstUserOid || !is_among(kClosedFunctions, object.name)) return std::nullopt;
      return Acl{all};
    default: return std::nullopt;
  }
}

std::vector<Oid> asking_roles(const AccessScope& scope) { return roles_of(scope.catalog, scope.database, scope.role, true); }

// What predefined roles have on everything.
Privileges predefined_privileges(const std::vector<Oid>& roles, const Securable& object, Privileges mask) {
  const auto is = [&](Oid role) { return std::find(roles.begin(), roles.end(), role) != roles.end(); };
  Privileges out = 0;
  switch (object.kind) {
    case AclKind::kRelation:
      if (is(role_oid::kReadAllData)) out |= kSelect;
      if (is(role_oid::kWriteAllData)) out |= kInsert | kUpdate | kDelete;
      break;
    case AclKind::kSequence:
      if (is(role_oid::kReadAllData)) out |= kSelect;
      if (is(role_oid::kWriteAllData)) out |= kInsert | kUpdate | kDelete;
      break;
    case AclKind::kSchema:
      if (is(role_oid::kReadAllData) || is(role_oid::kWriteAllData)) out |= kUsage;
      break;
    default: break;
  }
  return out & mask;
}

}  // namespace

// ---- Objects ----

std::optional<Securable> securable_relation(const Catalog& catalog, Oid oid) {
  std::optional<RelationFacts> facts = relation_facts(catalog, oid);
  if (!facts) return std::nullopt;
  Securable out;
  out.oid = oid;
  out.owner = facts->owner;
  out.name = std::move(facts->name);
  out.word = "table";
  out.relation_kind = 'r';
  switch (facts->kind) {
    case FoundRelation::Kind::kTable: out.columns = facts->table->columns.size(); break;
    case FoundRelation::Kind::kView: {
      out.word = "view";
      out.relation_kind = 'v';
      const std::optional<ViewDefinition> view = ViewDefinition::decode(catalog.object(ObjectKind::kView, oid)->definition);
      out.columns = view ? view->columns.size() : 0;
      break;
    }
    case FoundRelation::Kind::kSequence:
      out.kind = AclKind::kSequence;
      out.word = "sequence";
      out.relation_kind = 'S';
      break;
    case FoundRelation::Kind::kIndex:
      out.word = "index";
      out.relation_kind = 'i';
      break;
    case FoundRelation::Kind::kSystem: {
      out.system = true;
      const SystemRelation* relation = find_system_relation(oid);
      out.columns = relation->columns.size();
      out.relation_kind = relation->kind;
      if (relation->kind == 'v') out.word = "view";
      break;
    }
  }
  return out;
}

std::optional<Securable> securable_schema(const Catalog& catalog, Oid oid) {
  const std::shared_ptr<const SchemaDef> schema = catalog.schema(oid);
  if (schema == nullptr) return std::nullopt;
  return Securable{AclKind::kSchema, oid, schema->owner, schema->name, "schema"};
}

std::optional<Securable> securable_database(const Catalog& catalog, Oid oid) {
  const std::shared_ptr<const ObjectDef> database = catalog.object(ObjectKind::kDatabase, oid);
  if (database == nullptr) return std::nullopt;
  return Securable{AclKind::kDatabase, oid, database->owner, database->name, "database"};
}

std::optional<Securable> securable_function(const Catalog& catalog, Oid oid) {
  if (const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kFunction, oid)) {
    const std::optional<FunctionObject> function = FunctionObject::decode(object->definition);
    if (!function) return std::nullopt;
    return Securable{AclKind::kFunction, oid, object->owner, function->name, function->is_procedure ? "procedure" : "function"};
  }
  if (const FunctionDef* function = find_function(oid)) return Securable{AclKind::kFunction, oid, kBootstrapRole, std::string(function->name), "function"};
  if (const AggregateDef* aggregate = find_aggregate(oid)) return Securable{AclKind::kFunction, oid, kBootstrapRole, std::string(aggregate->name), "aggregate"};
  return std::nullopt;
}

std::optional<Securable> securable_collation(const Catalog& catalog, Oid oid) {
  const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kCollation, oid);
  if (object == nullptr) return std::nullopt;
  return Securable{AclKind::kCollation, oid, object->owner, object->name, "collation"};
}

std::optional<Securable> securable_type(const Catalog& catalog, Oid oid) {
  if (const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kType, oid))
    return Securable{AclKind::kType, oid, object->owner, format_type(oid), "type"};
  const TypeInfo* info = find_type(oid);
  if (info != nullptr && oid < kFirstUserOid) return Securable{AclKind::kType, oid, kBootstrapRole, format_type(oid), "type"};
  // The row type of a relation, or an array: its owner's.
  if (const auto facts = relation_facts(catalog, relation_of_row_type(oid)); facts && info == nullptr)
    return Securable{AclKind::kType, oid, facts->owner, facts->name, "type"};
  if (info != nullptr && info->element != 0) return securable_type(catalog, info->element);
  return std::nullopt;
}

std::optional<Securable> securable_language(Oid oid) {
  for (const Language& language : kLanguages)
    if (language.oid == oid) return Securable{AclKind::kLanguage, oid, kBootstrapRole, std::string(language.name), "language"};
  return std::nullopt;
}

std::optional<Securable> securable(const Catalog& catalog, AclKind kind, Oid oid) {
  switch (kind) {
    case AclKind::kRelation:
    case AclKind::kSequence:
    case AclKind::kColumn: return securable_relation(catalog, oid);
    case AclKind::kSchema: return securable_schema(catalog, oid);
    case AclKind::kDatabase: return securable_database(catalog, oid);
    case AclKind::kFunction: return securable_function(catalog, oid);
    case AclKind::kType: return securable_type(catalog, oid);
    case AclKind::kLanguage: return securable_language(oid);
    default: return std::nullopt;
  }
}

Oid language_by_name(std::string_view name) {
  for (const Language& language : kLanguages)
    if (language.name == name) return language.oid;
  return 0;
}

// ---- Lists ----

std::optional<Acl> shown_acl(const Catalog& catalog, const Securable& object) {
  if (const ObjectAcl* stored = find_acl(catalog, object.oid); stored != nullptr && stored->acl) return stored->acl;
  return built_in_acl(object);
}

Acl acl_of(const Catalog& catalog, const Securable& object) {
  std::optional<Acl> shown = shown_acl(catalog, object);
  return shown ? std::move(*shown) : default_acl(object.kind, object.owner);
}

bool is_restricted(const Catalog& catalog, const FunctionDef& function) {
  return is_among(kClosedFunctions, function.name) || find_acl(catalog, function.oid) != nullptr;
}

// ---- Questions ----

Privileges privileges_on(const AccessScope& scope, const Securable& object, Privileges mask) {
  if (is_superuser_role(scope.catalog, scope.role)) return mask;
  if (object.system && object.relation_kind == 'r') mask &= ~(kInsert | kUpdate | kDelete | kTruncate | kUsage);
  if (object.kind == AclKind::kSchema && object.oid == scope.temporary_schema && scope.temporary_schema != 0) {
    const auto database = securable_database(scope.catalog, scope.database);
    const bool may = database && privileges_on(scope, *database, kTemporary) != 0;
    return mask & (may ? kUsage | kCreate : kUsage);
  }
  const std::vector<Oid> roles = asking_roles(scope);
  return acl_mask(acl_of(scope.catalog, object), roles, object.owner, mask) | predefined_privileges(roles, object, mask);
}

Privileges column_privileges(const AccessScope& scope, const Securable& relation, std::int16_t column, Privileges mask) {
  const ObjectAcl* stored = find_acl(scope.catalog, relation.oid);
  if (stored == nullptr) return 0;
  const auto found = stored->columns.find(column);
  return found == stored->columns.end() ? 0 : acl_mask(found->second, asking_roles(scope), relation.owner, mask);
}

bool owns(const AccessScope& scope, const Securable& object) {
  return has_privileges_of(scope.catalog, scope.database, scope.role, object.owner);
}

Status permission_denied(std::string_view word, std::string_view name) {
  return Status{sqlstate::insufficient_privilege, "permission denied for " + std::string(word) + " " + std::string(name)};
}

Status must_be_owner(std::string_view word, std::string_view name) {
  return Status{sqlstate::insufficient_privilege, "must be owner of " + std::string(word) + " " + std::string(name)};
}

Status check_owner(const AccessScope& scope, const Securable& object) {
  return owns(scope, object) ? Status{} : must_be_owner(object.word, object.name);
}

Status check_privilege(const AccessScope& scope, const Securable& object, Privileges wanted) {
  return privileges_on(scope, object, wanted) == wanted ? Status{} : permission_denied(object.word, object.name);
}

Status check_privilege(const AccessScope& scope, AclKind kind, Oid oid, Privileges wanted) {
  const std::optional<Securable> object = securable(scope.catalog, kind, oid);
  return object ? check_privilege(scope, *object, wanted) : Status{};
}

bool may_use_schema(const AccessScope& scope, Oid schema) {
  const std::optional<Securable> object = securable_schema(scope.catalog, schema);
  return !object || privileges_on(scope, *object, kUsage) != 0;
}

Status check_schema_usage(const AccessScope& scope, Oid schema) { return check_privilege(scope, AclKind::kSchema, schema, kUsage); }

namespace {

// SELECT, INSERT or UPDATE of these columns; of any, if none is named.
bool holds_on_columns(const AccessScope& scope, const Securable& relation, const std::vector<std::int16_t>& columns, Privileges one) {
  if (!columns.empty())
    return std::all_of(columns.begin(), columns.end(), [&](std::int16_t column) { return column_privileges(scope, relation, column, one) != 0; });
  for (std::size_t column = 1; column <= relation.columns; ++column)
    if (column_privileges(scope, relation, static_cast<std::int16_t>(column), one) != 0) return true;
  return false;
}

}  // namespace

Status check_relation_access(const AccessScope& asking, const RelationAccess& access) {
  AccessScope scope = asking;
  if (access.check_as != 0) scope.role = access.check_as;
  if (is_superuser_role(scope.catalog, scope.role)) return {};
  const std::optional<Securable> relation = securable_relation(scope.catalog, access.relation);
  if (!relation) return {};
  const Privileges missing = access.privileges & ~privileges_on(scope, *relation, access.privileges);
  if (missing == 0) return {};
  constexpr Privileges kByColumn = kSelect | kInsert | kUpdate;
  if ((missing & ~kByColumn) == 0) {
    const bool held = ((missing & kSelect) == 0 || holds_on_columns(scope, *relation, access.selected, kSelect)) &&
                      ((missing & kInsert) == 0 || holds_on_columns(scope, *relation, access.inserted, kInsert)) &&
                      ((missing & kUpdate) == 0 || holds_on_columns(scope, *relation, access.updated, kUpdate));
    if (held) return {};
  }
  return permission_denied(relation->word, relation->name);
}

Status check_new_owner(const AccessScope& scope, const Securable& object, Oid new_owner, Oid schema) {
  if (is_superuser_role(scope.catalog, scope.role)) return {};
  WANDIAN_TRY(check_owner(scope, object));
  if (!is_member_of(scope.catalog, scope.database, scope.role, new_owner))
    return Status{sqlstate::insufficient_privilege, "must be member of role " + quoted(role_name(scope.catalog, new_owner))};
  if (schema == 0) return {};
  AccessScope theirs = scope;
  theirs.role = new_owner;
  return check_privilege(theirs, AclKind::kSchema, schema, kCreate);
}

}  // namespace wandian::sql
