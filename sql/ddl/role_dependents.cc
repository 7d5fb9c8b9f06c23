#include "sql/ddl/role_dependents.h"

#include <algorithm>
#include <map>

#include "sql/access/roles.h"

namespace wandian::sql {

namespace {

// Calls `visit` with every object that privileges can be granted on, and the database it is in; 0: shared.
template <class Visit>
void each_securable(const Catalog& catalog, Visit&& visit) {
  const auto database_of = [&](Oid schema) {
    const auto def = catalog.schema(schema);
    return def != nullptr ? def->database : Oid{0};
  };
  for (const auto& [oid, schema] : catalog.schemas())
    if (schema->database != 0) visit(*securable_schema(catalog, oid), schema->database);
  for (const auto& [oid, table] : catalog.tables())
    if (!table->internal) visit(*securable_relation(catalog, oid), database_of(table->schema));
  for (const auto& [oid, sequence] : catalog.sequences()) visit(*securable_relation(catalog, oid), database_of(sequence->schema));
  for (const auto& [key, object] : catalog.objects()) {
    std::optional<Securable> found;
    switch (key.first) {
      case ObjectKind::kView: found = securable_relation(catalog, key.second); break;
      case ObjectKind::kFunction: found = securable_function(catalog, key.second); break;
      case ObjectKind::kType: found = securable_type(catalog, key.second); break;
      case ObjectKind::kCollation: found = securable_collation(catalog, key.second); break;
      case ObjectKind::kDatabase: found = securable_database(catalog, key.second); break;
      default: continue;
    }
    if (found) visit(*found, key.first == ObjectKind::kDatabase ? Oid{0} : database_of(object->parent));
  }
}

bool is_granted(const Catalog& catalog, const Securable& object, Oid role) {
  const ObjectAcl* lists = find_acl(catalog, object.oid);
  if (lists == nullptr || object.owner == role) return false;
  if (lists->acl && mentions(*lists->acl, role)) return true;
  return std::any_of(lists->columns.begin(), lists->columns.end(), [&](const auto& column) { return mentions(column.second, role); });
}

std::string_view plural_of(AclKind kind) {
  switch (kind) {
    case AclKind::kSequence: return "sequences";
    case AclKind::kFunction: return "functions";
    case AclKind::kType: return "types";
    case AclKind::kCollation: return "collations";
    case AclKind::kSchema: return "schemas";
    default: return "relations";
  }
}

}  // namespace

std::vector<Securable> objects_owned_by(const Catalog& catalog, Oid role, Oid database) {
  std::vector<Securable> out;
  each_securable(catalog, [&](const Securable& object, Oid in) {
    if (object.owner != role || (in != 0 && in != database)) return;
    // What belongs to a table's column goes with the table.
    const auto sequence = object.kind == AclKind::kSequence ? catalog.sequence(object.oid) : nullptr;
    if (sequence == nullptr || sequence->owned_by_table == 0) out.push_back(object);
  });
  return out;
}

std::vector<Securable> objects_granted_to(const Catalog& catalog, Oid role, Oid database) {
  std::vector<Securable> out;
  each_securable(catalog, [&](const Securable& object, Oid in) {
    if ((in == 0 || in == database) && is_granted(catalog, object, role)) out.push_back(object);
  });
  return out;
}

std::vector<std::string> role_dependents(DdlContext& ctx, Oid role) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  std::vector<std::string> out;
  std::map<Oid, unsigned> elsewhere;   // by database
  const auto shown = [&](const Securable& object) {
    if (object.kind == AclKind::kRelation || object.kind == AclKind::kSequence) return std::string(object.word) + " " + ctx.relation_text(object.oid);
    if (object.kind == AclKind::kFunction)
      return std::string(object.word) + " " + ctx.session.object_name(ObjectClass::kFunctionSignature, object.oid).value_or(object.name);
    return std::string(object.word) + " " + object.name;
  };
  each_securable(*catalog, [&](const Securable& object, Oid in) {
    const bool owned = object.owner == role, granted = is_granted(*catalog, object, role);
    if (!owned && !granted) return;
    if (in != 0 && in != ctx.session.database()) ++elsewhere[in];
    else out.push_back((owned ? "owner of " : "privileges for ") + shown(object));
  });
  for (const auto& [key, object] : catalog->objects()) {
    if (key.first != ObjectKind::kDefaultAcl) continue;
    const std::optional<DefaultAcl> defaults = DefaultAcl::decode(object->definition);
    if (!defaults || (object->owner != role && !mentions(defaults->acl, role))) continue;
    if (object->parent != ctx.session.database()) {
      ++elsewhere[object->parent];
      continue;
    }
    std::string line = std::string(object->owner == role ? "owner of " : "privileges for ") + "default privileges on new " +
                       std::string(plural_of(defaults->kind)) + " belonging to role " + role_name(*catalog, object->owner);
    if (defaults->schema != 0) line += " in schema " + ctx.schema_name(defaults->schema);
    out.push_back(std::move(line));
  }
  for (const auto& [database, count] : elsewhere) {
    const auto def = catalog->object(ObjectKind::kDatabase, database);
    out.push_back(std::to_string(count) + (count == 1 ? " object" : " objects") + " in database " + (def != nullptr ? def->name : std::string()));
  }
  return out;
}

}  // namespace wandian::sql
