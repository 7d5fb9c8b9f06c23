#include "sql/types/user_type.h"

#include <algorithm>
#include <charconv>

#include "sql/bind/binder.h"
#include "sql/catalog_objects.h"
#include "sql/functions/citext.h"
#include "sql/functions/quote.h"
#include "sql/functions/registry.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/collation.h"

namespace wandian::sql {

namespace {

thread_local TypeCatalog* in_force = nullptr;

template <class T>
bool read_number(std::string_view text, T* out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

std::string float_text(float value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

const ObjectDef* named_type(const Catalog& catalog, Oid schema, std::string_view name) {
  return catalog.find_object(ObjectKind::kType, schema, name).get();
}

}  // namespace

// ---- Definitions ----

const EnumLabel* UserType::label(std::string_view text) const {
  const auto found = std::find_if(labels.begin(), labels.end(), [&](const EnumLabel& l) { return l.text == text; });
  return found == labels.end() ? nullptr : &*found;
}

const EnumLabel* UserType::label(std::int64_t ordinal) const {
  const auto found = std::lower_bound(labels.begin(), labels.end(), ordinal, [](const EnumLabel& l, std::int64_t o) { return l.ordinal < o; });
  return found == labels.end() || found->ordinal != ordinal ? nullptr : &*found;
}

Oid UserType::highest_oid() const {
  Oid out = array;
  for (const EnumLabel& l : labels) out = std::max(out, l.oid);
  for (const DomainCheck& c : checks) out = std::max(out, c.oid);
  return out;
}

std::string UserType::encode() const {
  PropertyList list;
  list.add("kind", std::string_view(&kind, 1));
  list.add_int("array", array);
  if (kind == 'd') {
    list.add_int("base", base);
    list.add_int("typmod", typmod);
    list.add_int("not_null", not_null ? 1 : 0);
    if (!default_expression.empty()) list.add("default", default_expression);
    if (!collation.empty()) list.add("collation", collation);
  }
  if (kind == 'r' || kind == 'm') list.add_int("base", base);
  if (kind == 'r') {
    list.add_int("multirange", multirange);
    if (difference != 0) list.add_int("difference", difference);
    if (!collation.empty()) list.add("collation", collation);
  }
  for (const Attribute& a : attributes) {
    list.add("attribute", a.name);
    list.add_int("attribute_type", a.type);
    list.add_int("attribute_typmod", a.typmod);
    if (!a.collation.empty()) list.add("attribute_collation", a.collation);
    if (a.dropped) list.add_int("attribute_dropped", 1);
  }
  for (const DomainCheck& c : checks) {
    list.add("check", c.name);
    list.add_int("check_oid", c.oid);
    list.add("check_expression", c.expression);
    list.add_int("check_validated", c.validated ? 1 : 0);
  }
  for (const EnumLabel& l : labels) {
    list.add("label", l.text);
    list.add_int("label_oid", l.oid);
    list.add_int("label_ordinal", l.ordinal);
    list.add("label_order", float_text(l.sort_order));
  }
  return list.bytes();
}

std::optional<UserType> UserType::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  UserType out;
  for (const auto& [key, value] : *entries) {
    bool ok = true;
    if (key == "kind") {
      ok = value.size() == 1;
      if (ok) out.kind = value[0];
    } else if (key == "array") {
      ok = read_number(value, &out.array);
    } else if (key == "base") {
      ok = read_number(value, &out.base);
    } else if (key == "multirange") {
      ok = read_number(value, &out.multirange);
    } else if (key == "difference") {
      ok = read_number(value, &out.difference);
    } else if (key == "typmod") {
      ok = read_number(value, &out.typmod);
    } else if (key == "not_null") {
      out.not_null = value != "0";
    } else if (key == "default") {
      out.default_expression = value;
    } else if (key == "collation") {
      out.collation = value;
    } else if (key == "attribute") {
      out.attributes.emplace_back().name = value;
    } else if (key.starts_with("attribute_")) {
      ok = !out.attributes.empty();
      if (!ok) break;
      Attribute& attribute = out.attributes.back();
      if (key == "attribute_type") ok = read_number(value, &attribute.type);
      if (key == "attribute_typmod") ok = read_number(value, &attribute.typmod);
      if (key == "attribute_collation") attribute.collation = value;
      if (key == "attribute_dropped") attribute.dropped = true;
    } else if (key == "check") {
      out.checks.emplace_back().name = value;
    } else if (key.starts_with("check_")) {
      ok = !out.checks.empty();
      if (!ok) break;
      DomainCheck& check = out.checks.back();
      if (key == "check_oid") ok = read_number(value, &check.oid);
      if (key == "check_expression") check.expression = value;
      if (key == "check_validated") check.validated = value != "0";
    } else if (key == "label") {
      out.labels.emplace_back().text = value;
    } else if (key.starts_with("label_")) {
      ok = !out.labels.empty();
      if (!ok) break;
      EnumLabel& label = out.labels.back();
      if (key == "label_oid") ok = read_number(value, &label.oid);
      if (key == "label_ordinal") ok = read_number(value, &label.ordinal);
      if (key == "label_order") ok = read_number(value, &label.sort_order);
    }
    if (!ok) return std::nullopt;
  }
  return out;
}

// ---- The catalog in force ----

TypeCatalog* current_type_catalog() { return in_force; }
TypeCatalogScope::TypeCatalogScope(TypeCatalog* types) : outer_(in_force) { in_force = types; }
TypeCatalogScope::~TypeCatalogScope() { in_force = outer_; }

TypeCatalog* types_of(const EvalContext& context) {
  TypeCatalog* own = context.session != nullptr ? context.session->types() : nullptr;
  return own != nullptr ? own : in_force;
}

const UserType* find_user_type(Oid type) { return in_force == nullptr ? nullptr : in_force->user_type(type); }

const UserType* CatalogTypes::user_type(Oid type) {
  const std::shared_ptr<const ObjectDef> object = catalog_.object(ObjectKind::kType, type);
  return object == nullptr ? nullptr : static_cast<const UserType*>(object->compiled.get());
}

CatalogTypes::Named CatalogTypes::named(Oid type) const {
  if (type == type_oid::kCitext) {
    const std::optional<Oid> schema = citext_schema(catalog_, database_);
    return schema ? Named{kCitextName, *schema} : Named{};
  }
  if (const auto object = catalog_.object(ObjectKind::kType, type)) return {object->name, object->parent};
  if ((type & kRowTypeBit) == 0) return {};
  const Oid relation = relation_of_row_type(type);
  if (const auto table = catalog_.table(relation)) return {table->name, table->schema};
  if (const auto view = catalog_.object(ObjectKind::kView, relation)) return {view->name, view->parent};
  return {};
}

bool CatalogTypes::is_visible(Oid type) {
  const Named known = named(type);
  return !known.name.empty() && find_user_type({}, known.name) == type;
}

std::string CatalogTypes::user_type_name(Oid type) {
  const Named known = named(type);
  if (known.name.empty()) return {};
  if (find_user_type({}, known.name) == type) return quote_identifier(known.name);
  const auto schema = catalog_.schema(known.schema);
  return (schema != nullptr ? quote_identifier(schema->name) + "." : std::string()) + quote_identifier(known.name);
}

std::string CatalogTypes::collation_name(Oid collation) {
  const auto object = catalog_.object(ObjectKind::kCollation, collation);
  if (object == nullptr) return {};
  const std::string name = quote_identifier(object->name);
  for (const Oid schema : search_path_) {
    if (schema == object->parent) return name;
    const bool hidden = schema == kPgCatalogSchema ? find_collation(object->name) != nullptr && user_collation_oid(object->name) == 0
                                                   : catalog_.find_object(ObjectKind::kCollation, schema, object->name) != nullptr;
    if (hidden) break;
  }
  const auto schema = catalog_.schema(object->parent);
  return (schema != nullptr ? quote_identifier(schema->name) + "." : std::string()) + name;
}

std::string shown_collation(std::string_view stored) {
  const Oid user = user_collation_oid(stored);
  if (user == 0) return quote_identifier(stored);
  TypeCatalog* const types = current_type_catalog();
  std::string name = types != nullptr ? types->collation_name(user) : std::string();
  return name.empty() ? quote_identifier(stored) : name;
}

std::pair<std::string, std::string> CatalogTypes::type_identity(Oid type) {
  const Named known = named(type);
  const auto schema = catalog_.schema(known.schema);
  return {schema != nullptr ? schema->name : std::string(), std::string(known.name)};
}

Oid CatalogTypes::find_user_type(std::string_view schema, std::string_view name) {
  const std::optional<Oid> citext = name.ends_with(kCitextName) ? citext_schema(catalog_, database_) : std::nullopt;
  const auto in_schema = [&](Oid where) -> Oid {
    if (citext && *citext == where && name == kCitextName) return type_oid::kCitext;
    if (citext && *citext == where && name == "_citext") return type_oid::kCitextArray;
    if (const ObjectDef* object = named_type(catalog_, where, name)) return object->oid;
    if (const auto relation = catalog_.find_relation(where, name);
        relation && (relation->kind == Catalog::RelationName::Kind::kTable || relation->kind == Catalog::RelationName::Kind::kView))
      return row_type_of(relation->oid);
    // "_name" is the array type over it.
    if (name.size() > 1 && name[0] == '_')
      if (const ObjectDef* object = named_type(catalog_, where, name.substr(1)))
        if (const TypeInfo* info = wandian::find_type(object->oid)) return info->array;
    return 0;
  };
  if (!schema.empty()) {
    const std::optional<Oid> where = catalog_.find_schema(database_, schema);
    return where ? in_schema(*where) : 0;
  }
  for (const Oid where : search_path_)
    if (const Oid found = in_schema(where)) return found;
  return 0;
}

void drop_attribute(UserType* type, std::size_t number) {
  Attribute& attribute = type->attributes[number];
  attribute.name = "........pg.dropped." + std::to_string(number + 1) + "........";
  attribute.dropped = true;
}

void fields_of_table(const TableDef& table, std::vector<RowField>* out) {
  for (const ColumnDef& c : table.columns) out->push_back({c.name, c.type, c.typmod, c.dropped});
}
void fields_of_composite(const UserType& type, std::vector<RowField>* out) {
  for (const Attribute& a : type.attributes) out->push_back({a.name, a.type, a.typmod, a.dropped});
}

bool CatalogTypes::row_fields(Oid type, std::vector<RowField>* out) {
  if (const UserType* composite = user_type(type)) {
    fields_of_composite(*composite, out);
    return composite->kind == 'c';
  }
  if ((type & kRowTypeBit) == 0) return false;
  const Oid relation = relation_of_row_type(type);
  if (const auto table = catalog_.table(relation)) {
    fields_of_table(*table, out);
    return true;
  }
  const auto view = catalog_.object(ObjectKind::kView, relation);
  const auto definition = view != nullptr ? ViewDefinition::decode(view->definition) : std::nullopt;
  if (!definition) return false;
  for (const ViewDefinition::Column& c : definition->columns) out->push_back({c.name, c.type, c.typmod, false});
  return true;
}

bool row_fields(Oid type, std::vector<RowField>* out) { return in_force != nullptr && in_force->row_fields(type, out); }
bool row_fields(const EvalContext& context, Oid type, std::vector<RowField>* out) {
  TypeCatalog* types = types_of(context);
  return types != nullptr && types->row_fields(type, out);
}

std::int32_t domain_typmod(Oid type) {
  for (const TypeInfo* info = find_type(type); info != nullptr && info->kind == 'd'; info = find_type(info->base)) {
    const UserType* definition = find_user_type(info->oid);
    if (definition == nullptr) return -1;
    if (definition->typmod >= 0) return definition->typmod;
  }
  return -1;
}

std::int32_t domain_typmod(const EvalContext& context, Oid type) {
  const TypeCatalogScope scope(types_of(context));
  return domain_typmod(type);
}

std::string domain_default(Oid type) {
  for (const TypeInfo* info = find_type(type); info != nullptr && info->kind == 'd'; info = find_type(info->base)) {
    const UserType* definition = find_user_type(info->oid);
    if (definition == nullptr) return {};
    if (!definition->default_expression.empty()) return definition->default_expression;
  }
  return {};
}

// ---- Stored names ----

std::string stored_type_name(Oid type) { return "pg_catalog.\"" + std::to_string(type) + "\""; }

Oid stored_type(std::string_view name) {
  Oid oid = 0;
  if (name.empty() || name[0] < '1' || name[0] > '9' || !read_number(name, &oid)) return 0;
  return (oid >= kFirstUserOid || oid == type_oid::kCitext) && find_type(oid) != nullptr ? oid : 0;
}

}  // namespace wandian::sql
