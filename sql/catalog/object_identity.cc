// SessionHooks: what an object of a catalog is, what it is called, and its address.
#include "sql/functions/object_identity.h"

#include <tuple>

#include "engine/table.h"
#include "sql/access/privileges.h"
#include "sql/catalog/each.h"
#include "sql/catalog/producers.h"
#include "sql/catalog/relation_names.h"
#include "sql/catalog/stored_objects.h"
#include "sql/ddl/builtin_extensions.h"
#include "sql/functions/quote.h"
#include "sql/functions/registry.h"
#include "sql/session_impl.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

constexpr Oid kLanguageCatalog = 2612, kOperatorCatalogOid = 2617;

// Types whose names are SQL's own words stand alone, all others with their schema (PostgreSQL's format_type_be_qualified()).
std::string qualified_type_name(Oid type) {
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return "???";
  if (info->category == 'A' && info->element != 0) return qualified_type_name(info->element) + "[]";
  if (type >= kFirstUserOid) {
    const auto [schema, name] = current_type_catalog()->type_identity(type);
    return quote_identifier(schema) + "." + quote_identifier(name);
  }
  const std::string shown = format_type(type);
  switch (type) {
    case type_oid::kBool: case type_oid::kBit: case type_oid::kVarbit: case type_oid::kBpchar: case type_oid::kVarchar: case type_oid::kInt2:
    case type_oid::kInt4: case type_oid::kInt8: case type_oid::kFloat4: case type_oid::kFloat8: case type_oid::kNumeric: case type_oid::kInterval:
    case type_oid::kTime: case type_oid::kTimetz: case type_oid::kTimestamp: case type_oid::kTimestamptz: return shown;
    default: return "pg_catalog." + shown;
  }
}

// "(integer,pg_catalog.text)", and each of them.
std::string qualified_argument_list(const std::vector<Oid>& types, std::vector<std::string>* each) {
  std::string out = "(";
  for (const Oid type : types) {
    each->push_back(type == 0 ? "NONE" : qualified_type_name(type));
    out += (out.size() > 1 ? "," : "") + each->back();
  }
  return out + ")";
}

// What of a table has a name of its own, and the table.
struct PartOfTable {
  std::shared_ptr<const TableDef> table;
  std::string name;
};
std::optional<PartOfTable> find_constraint(const Catalog& catalog, Oid object) {
  for (const auto& [oid, table] : catalog.tables()) {
    for (const IndexDef& index : table->indexes)
      if (index.constraint == object) return PartOfTable{table, index.name};
    for (const CheckDef& check : table->checks)
      if (check.oid == object) return PartOfTable{table, check.name};
    for (const ForeignKeyDef& key : table->foreign_keys)
      if (key.oid == object) return PartOfTable{table, key.name};
  }
  return std::nullopt;
}
std::optional<PartOfTable> find_column_default(const Catalog& catalog, Oid object) {
  for (const auto& [oid, table] : catalog.tables())
    for (std::size_t i = 0; i < table->columns.size(); ++i)
      if (!table->columns[i].dropped && !table->columns[i].default_expression.empty() && default_oid(oid, i) == object)
        return PartOfTable{table, table->columns[i].name};
  return std::nullopt;
}

// An object that is found by its name alone.
void set_global(std::string name, ObjectIdentity* out) {
  out->found = true;
  out->name = out->identity = quote_identifier(name);
  out->description = out->type + " " + *out->name;
  out->names = {std::move(name)};
}

}  // namespace

// A relation, or one of its columns.
void SessionImpl::identify_relation(Oid oid, std::int32_t column, ObjectIdentity* out) {
  const std::shared_ptr<const Catalog> known = catalog();
  const std::optional<RelationFacts> facts = relation_facts(*known, oid);
  std::string schema, name;
  if (facts) {
    schema = schema_text(*known, facts->schema);
    name = facts->name;
    switch (facts->kind) {
      case FoundRelation::Kind::kIndex: out->type = "index"; break;
      case FoundRelation::Kind::kSequence: out->type = "sequence"; break;
      case FoundRelation::Kind::kView: out->type = "view"; break;
      default: out->type = facts->table != nullptr && facts->table->is_materialized_view() ? "materialized view" : "table";
    }
  } else if (user_type(row_type_of(oid)) != nullptr) {
    std::tie(schema, name) = current_type_catalog()->type_identity(row_type_of(oid));
    out->type = "composite type";
  }
  const std::string kind = out->type.empty() ? "relation" : out->type;
  out->type = kind;
  std::string column_name;
  if (column != 0) {
    if (!name.empty()) out->type += " column";
    column_name = name.empty() ? std::string() : relation_column_name(oid, column);
    if (column_name.empty()) return;
  }
  if (name.empty()) return;
  out->found = true;
  out->schema = quote_identifier(schema);
  out->name = quote_identifier(name);
  out->identity = *out->schema + "." + *out->name;
  out->names = {schema, name};
  out->description = kind + " " + object_name(ObjectClass::kRelation, oid).value_or(*out->name);
  if (column == 0) return;
  out->identity += "." + quote_identifier(column_name);
  out->description = "column " + column_name + " of " + out->description;
  out->names.push_back(column_name);
}

std::string SessionImpl::relation_column_name(Oid relation, std::int32_t column) {
  if (column < 0) {
    constexpr std::string_view kNames[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
    return column >= -6 ? std::string(kNames[-column - 1]) : std::string();
  }
  const std::shared_ptr<const Catalog> known = catalog();
  const auto facts = relation_facts(*known, relation);
  const auto number = static_cast<std::size_t>(column);
  if (facts && facts->index != nullptr) {
    if (number > facts->index->parts.size()) return {};
    const IndexPart& part = facts->index->parts[number - 1];
    return !part.name.empty() || part.column == kExpressionPart ? part.name : facts->table->columns[part.column].name;
  }
  if (known->sequence(relation) != nullptr) {
    constexpr std::string_view kColumns[] = {"last_value", "log_cnt", "is_called"};
    return number <= std::size(kColumns) ? std::string(kColumns[number - 1]) : std::string();
  }
  if (facts && facts->table != nullptr) {
    if (number > facts->table->columns.size() || facts->table->columns[number - 1].dropped) return {};
    return facts->table->columns[number - 1].name;
  }
  if (const auto view = known->object(ObjectKind::kView, relation)) {
    const auto definition = ViewDefinition::decode(view->definition);
    return definition && number <= definition->columns.size() ? definition->columns[number - 1].name : std::string();
  }
  const UserType* composite = user_type(row_type_of(relation));
  if (composite == nullptr || number > composite->attributes.size() || composite->attributes[number - 1].dropped) return {};
  return composite->attributes[number - 1].name;
}

void SessionImpl::identify_function(Oid oid, ObjectIdentity* out) {
  const std::shared_ptr<const Catalog> known = catalog();
  out->type = "routine";
  std::string schema = "pg_catalog", name;
  std::vector<Oid> types;
  if (const FunctionDef* function = find_function(oid)) {
    out->type = "function", name = function->name, types = function->args;
  } else if (const AggregateDef* aggregate = find_aggregate(oid)) {
    out->type = "aggregate", name = aggregate->name, types = aggregate->args;
  } else if (const auto object = known->object(ObjectKind::kFunction, oid)) {
    const auto stored = FunctionObject::decode(object->definition);
    if (!stored) return;
    out->type = stored->is_procedure ? "procedure" : "function";
    schema = schema_text(*known, object->parent), name = stored->name, types = stored->arguments;
  } else {
    return;
  }
  out->found = true;
  out->schema = quote_identifier(schema);
  out->names = {schema, name};
  out->identity = *out->schema + "." + quote_identifier(name) + qualified_argument_list(types, &out->args);
  out->description = "function " + object_name(ObjectClass::kFunctionSignature, oid).value_or(name);
}

void SessionImpl::identify_type(Oid oid, ObjectIdentity* out) {
  out->type = "type";
  const TypeInfo* info = find_type(oid);
  if (info == nullptr || !type_exists(oid)) return;
  out->found = true;
  const bool is_array = info->category == 'A' && info->element != 0;
  std::string schema = "pg_catalog", name(info->name);
  if (oid >= kFirstUserOid) {
    std::tie(schema, name) = current_type_catalog()->type_identity(is_array ? info->element : oid);
    if (is_array) name = "_" + name;
  }
  out->schema = quote_identifier(schema);
  out->name = quote_identifier(name);
  out->identity = qualified_type_name(oid);
  out->names = {out->identity};
  out->description = "type " + format_type(oid);
}

// What stands with a table: its identity ends with the table's.
void SessionImpl::identify_part(const TableDef& table, const std::string& name, std::string_view link, ObjectIdentity* out) {
  ObjectIdentity whole;
  identify_relation(table.oid, 0, &whole);
  out->found = true;
  out->identity = quote_identifier(name) + std::string(link) + whole.identity;
  out->description = out->type.substr(out->type.rfind(' ') + 1) + " " + name + " on " + whole.description;
  out->names = whole.names;
  out->names.push_back(name);
}

void SessionImpl::identify_constraint(Oid oid, ObjectIdentity* out) {
  const std::shared_ptr<const Catalog> known = catalog();
  out->type = "constraint";
  if (const auto found = find_constraint(*known, oid)) {
    out->type = "table constraint";
    identify_part(*found->table, found->name, " on ", out);
    out->schema = quote_identifier(schema_text(*known, found->table->schema));
    return;
  }
  for (auto it = known->objects().lower_bound({ObjectKind::kType, Oid{0}}); it != known->objects().end() && it->first.first == ObjectKind::kType; ++it) {
    const auto* type = static_cast<const UserType*>(it->second->compiled.get());
    for (const DomainCheck& check : type->checks) {
      if (check.oid != oid) continue;
      out->type = "domain constraint";
      out->found = true;
      out->schema = quote_identifier(schema_text(*known, it->second->parent));
      out->names = {qualified_type_name(it->second->oid)};
      out->args = {check.name};
      out->identity = quote_identifier(check.name) + " on " + out->names[0];
      out->description = "constraint " + check.name;
      return;
    }
  }
}

void SessionImpl::identify_operator(Oid oid, ObjectIdentity* out) {
  out->type = "operator";
  const OperatorDef* op = find_operator(oid);
  if (op == nullptr) return;
  out->found = true;
  out->schema = "pg_catalog";
  out->names = {"pg_catalog", std::string(op->name)};
  out->identity = "pg_catalog." + std::string(op->name) + qualified_argument_list({op->left, op->right}, &out->args);
  if (op->left == 0) out->args.erase(out->args.begin());
  out->description = "operator " + object_name(ObjectClass::kOperatorSignature, oid).value_or(std::string(op->name));
}

void SessionImpl::identify_collation(Oid oid, ObjectIdentity* out) {
  const std::shared_ptr<const Catalog> known = catalog();
  out->type = "collation";
  const auto object = known->object(ObjectKind::kCollation, oid);
  const Collation* builtin = object == nullptr ? find_builtin_collation(oid) : nullptr;
  if (object == nullptr && builtin == nullptr) return;
  out->found = true;
  const std::string schema = object != nullptr ? schema_text(*known, object->parent) : "pg_catalog";
  const std::string name = object != nullptr ? object->name : builtin->stored;
  out->schema = quote_identifier(schema);
  out->name = quote_identifier(name);
  out->identity = *out->schema + "." + *out->name;
  out->names = {schema, name};
  out->description = "collation " + object_name(ObjectClass::kCollation, oid).value_or(*out->name);
}

void SessionImpl::identify_named(Oid object_catalog, Oid oid, ObjectIdentity* out) {
  const std::shared_ptr<const Catalog> known = catalog();
  const auto global = [&](const char* type, ObjectKind kind) {
    out->type = type;
    if (const auto object = known->object(kind, oid)) set_global(object->name, out);
  };
  switch (object_catalog) {
    case catalog_oid::kAuthId: return global("role", ObjectKind::kRole);
    case catalog_oid::kDatabase: return global("database", ObjectKind::kDatabase);
    case catalog_oid::kExtension:
      global("extension", ObjectKind::kExtension);
      if (oid == kPlpgsqlExtension) set_global(std::string(kPlpgsqlName), out);   // always there
      return;
    case catalog_oid::kNamespace: {
      out->type = "schema";
      const std::string name = schema_text(*known, oid);
      if (name.empty()) return;
      set_global(name, out);
      out->description = "schema " + name;
      return;
    }
    case kLanguageCatalog: {
      out->type = "language";
      for (const std::string_view name : {"internal", "c", "sql", "plpgsql"})
        if (language_by_name(name) == oid) set_global(std::string(name), out);
      return;
    }
    default: return;
  }
}

// XX000 for a catalog that is none of those with objects.
Result<ObjectIdentity> SessionImpl::identify(Oid object_catalog, Oid oid, std::int32_t column) {
  const std::shared_ptr<const Catalog> known = catalog();
  ObjectIdentity out;
  switch (object_catalog) {
    case catalog_oid::kClass: identify_relation(oid, column, &out); break;
    case catalog_oid::kType: identify_type(oid, &out); break;
    case catalog_oid::kProc: identify_function(oid, &out); break;
    case catalog_oid::kConstraint: identify_constraint(oid, &out); break;
    case catalog_oid::kCollation: identify_collation(oid, &out); break;
    case kOperatorCatalogOid: identify_operator(oid, &out); break;
    case catalog_oid::kAttrDef:
      out.type = "default value";
      if (const auto found = find_column_default(*known, oid)) {
        identify_part(*found->table, found->name, "", &out);
        ObjectIdentity of;
        identify_relation(found->table->oid, found->table->find_column(found->name) + 1, &of);
        out.identity = "for " + of.identity;
        out.description = "default value for " + of.description;
      }
      break;
    case catalog_oid::kTrigger:
      out.type = "trigger";
      for (const auto& [table_oid, table] : known->tables())
        for (const TriggerDef& trigger : table->triggers)
          if (trigger.oid == oid) identify_part(*table, trigger.name, " on ", &out);
      break;
    case catalog_oid::kRewrite: {
      out.type = "rule";
      ObjectIdentity view;
      if ((oid & kRuleBit) != 0) identify_relation(oid & ~kRuleBit, 0, &view);
      if (!view.found) break;
      out.found = true;
      out.identity = "\"_RETURN\" on " + view.identity;
      out.description = "rule _RETURN on " + view.description;
      out.names = view.names;
      out.names.push_back("_RETURN");
      break;
    }
    case catalog_oid::kAuthId: case catalog_oid::kDatabase: case catalog_oid::kExtension: case catalog_oid::kNamespace: case kLanguageCatalog:
      identify_named(object_catalog, oid, &out);
      break;
    default: return Status{sqlstate::internal_error, "unrecognized object class: " + std::to_string(object_catalog)};
  }
  return out;
}

}  // namespace wandian::sql
