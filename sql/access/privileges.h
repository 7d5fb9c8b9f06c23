// What a role may do to an object, and the error where it may not.
// Thread:  the session's shard; looks at one catalog.
// Errors:  42501 with PostgreSQL's messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "sql/access/acl.h"
#include "sql/access/relation_access.h"

namespace wandian::sql {

struct FunctionDef;   // sql/functions/registry.h

/// Who asks, and where.
struct AccessScope {
  const Catalog& catalog;
  Oid database = 0;
  Oid role = 0;
  Oid temporary_schema = 0;          ///< of the session; 0: none
};

/// An object that somebody owns and that privileges can be granted on.
struct Securable {
  AclKind kind = AclKind::kRelation;
  Oid oid = 0;
  Oid owner = 0;
  std::string name;
  std::string_view word;             ///< "table", "view", "function", ...
  bool system = false;               ///< a relation of pg_catalog or information_schema
  char relation_kind = 0;            ///< of relations: r, v, S, i
  std::size_t columns = 0;           ///< of relations with columns
};

std::optional<Securable> securable_relation(const Catalog& catalog, Oid oid);
std::optional<Securable> securable_schema(const Catalog& catalog, Oid oid);
std::optional<Securable> securable_database(const Catalog& catalog, Oid oid);
std::optional<Securable> securable_function(const Catalog& catalog, Oid oid);
std::optional<Securable> securable_collation(const Catalog& catalog, Oid oid);   ///< of users alone
std::optional<Securable> securable_type(const Catalog& catalog, Oid oid);
std::optional<Securable> securable_language(Oid oid);
/// By its kind; kRelation and kSequence are one.
std::optional<Securable> securable(const Catalog& catalog, AclKind kind, Oid oid);
/// PostgreSQL's languages: 0 if there is none of that name.
Oid language_by_name(std::string_view name);

/// The list in force: what was granted, what PostgreSQL's own objects come with, or default_acl().
Acl acl_of(const Catalog& catalog, const Securable& object);
/// The list if it is not the default one (relacl and its like are null then).
std::optional<Acl> shown_acl(const Catalog& catalog, const Securable& object);

/// Whether not everybody may call a built-in function.
bool is_restricted(const Catalog& catalog, const FunctionDef& function);

/// Which of `mask` (grant options too) the role has on the object as a whole.
Privileges privileges_on(const AccessScope& scope, const Securable& object, Privileges mask);
/// What it has on a column beside what it has on the relation.
Privileges column_privileges(const AccessScope& scope, const Securable& relation, std::int16_t column, Privileges mask);

bool owns(const AccessScope& scope, const Securable& object);
Status check_owner(const AccessScope& scope, const Securable& object);
Status check_privilege(const AccessScope& scope, const Securable& object, Privileges wanted);
/// The same where there need not be such an object: it is not refused then.
Status check_privilege(const AccessScope& scope, AclKind kind, Oid oid, Privileges wanted);
Status permission_denied(std::string_view word, std::string_view name);
Status must_be_owner(std::string_view word, std::string_view name);

bool may_use_schema(const AccessScope& scope, Oid schema);
Status check_schema_usage(const AccessScope& scope, Oid schema);
Status check_relation_access(const AccessScope& scope, const RelationAccess& access);
/// A role may give an object to another one: it must be a member of it, and that one may create in the schema (0: not asked).
Status check_new_owner(const AccessScope& scope, const Securable& object, Oid new_owner, Oid schema);

}  // namespace wandian::sql
