#include "sql/catalog/stored_objects.h"

#include <charconv>

#include "sql/catalog_objects.h"

namespace wandian::sql {

namespace {

bool read_oid(std::string_view text, Oid* out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

}  // namespace

Oid FunctionObject::row_type(Oid relation_or_type) { return type_kind(relation_or_type) == 'c' ? relation_or_type : row_type_of(relation_or_type); }

std::string FunctionObject::encode() const {
  PropertyList list;
  list.add("name", name);
  for (const Oid type : arguments) list.add_int("argument", type);
  for (const std::string& argument : argument_names) list.add("argument_name", argument);
  list.add_int("result", result);
  list.add_int("strict", strict ? 1 : 0);
  list.add_int("procedure", is_procedure ? 1 : 0);
  list.add("module", module);
  list.add("symbol", symbol);
  if (is_native()) return list.bytes();
  list.add("language", language);
  for (const Parameter& parameter : parameters) {
    list.add("parameter", parameter.name);
    list.add_int("parameter_type", parameter.type);
    list.add("parameter_mode", std::string_view(&parameter.mode, 1));
    if (parameter.has_default) list.add("parameter_default", parameter.default_text);
  }
  list.add("source", source);
  const auto flag = [&](std::string_view key, bool on) {
    if (on) list.add_int(key, 1);
  };
  flag("sql_body", sql_body);
  flag("returns_set", returns_set);
  flag("returns_table", returns_table);
  flag("security_definer", security_definer);
  flag("leakproof", leakproof);
  if (result_relation != 0) list.add_int("result_relation", result_relation);
  list.add("volatility", std::string_view(&volatility, 1));
  list.add("parallel", std::string_view(&parallel, 1));
  if (!cost.empty()) list.add("cost", cost);
  if (!rows.empty()) list.add("rows", rows);
  for (const auto& [setting, value] : settings) list.add("setting", setting + "=" + value);
  for (const auto& [relation, column] : body_columns) {
    list.add_int("body_relation", relation);
    list.add_int("body_column", column);
  }
  for (const Oid function : body_functions) list.add_int("body_function", function);
  return list.bytes();
}

std::optional<FunctionObject> FunctionObject::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  FunctionObject out;
  for (const auto& [key, value] : *entries) {
    Oid number = 0;
    const bool is_number = read_oid(value, &number);
    if (key == "name") out.name = value;
    else if (key == "argument_name") out.argument_names.push_back(value);
    else if (key == "module") out.module = value;
    else if (key == "symbol") out.symbol = value;
    else if (key == "language") out.language = value;
    else if (key == "source") out.source = value;
    else if (key == "cost") out.cost = value;
    else if (key == "rows") out.rows = value;
    else if (key == "volatility" && !value.empty()) out.volatility = value[0];
    else if (key == "parallel" && !value.empty()) out.parallel = value[0];
    else if (key == "parameter") out.parameters.push_back({value, 0, 'i', false, {}});
    else if (key == "parameter_mode" && !out.parameters.empty() && !value.empty()) out.parameters.back().mode = value[0];
    else if (key == "parameter_default" && !out.parameters.empty()) {
      out.parameters.back().has_default = true;
      out.parameters.back().default_text = value;
    } else if (key == "setting") {
      const std::size_t equals = value.find('=');
      if (equals != std::string::npos) out.settings.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
    else if (!is_number) continue;
    else if (key == "body_relation") out.body_columns.emplace_back(number, 0);
    else if (key == "body_column" && !out.body_columns.empty()) out.body_columns.back().second = static_cast<std::int16_t>(number);
    else if (key == "body_function") out.body_functions.push_back(number);
    else if (key == "parameter_type" && !out.parameters.empty()) out.parameters.back().type = number;
    else if (key == "sql_body") out.sql_body = number != 0;
    else if (key == "returns_set") out.returns_set = number != 0;
    else if (key == "returns_table") out.returns_table = number != 0;
    else if (key == "security_definer") out.security_definer = number != 0;
    else if (key == "leakproof") out.leakproof = number != 0;
    else if (key == "result_relation") out.result_relation = number;
    else if (key == "argument") out.arguments.push_back(number);
    else if (key == "result") out.result = number;
    else if (key == "strict") out.strict = number != 0;
    else if (key == "procedure") out.is_procedure = number != 0;
  }
  return out;
}

std::string FunctionObject::object_name() const {
  std::string out = name + "(";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i != 0) out += ",";
    out += std::to_string(arguments[i]);
  }
  return out + ")";
}

std::string ExtensionObject::encode() const {
  PropertyList list;
  list.add("version", version);
  list.add_int("schema", schema);
  for (const Member& member : members) list.add("member", std::to_string(member.catalog) + "." + std::to_string(member.oid));
  return list.bytes();
}

std::optional<ExtensionObject> ExtensionObject::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  ExtensionObject out;
  for (const auto& [key, value] : *entries) {
    if (key == "version") out.version = value;
    if (key == "schema" && !read_oid(value, &out.schema)) return std::nullopt;
    if (key != "member") continue;
    const std::size_t dot = value.find('.');
    Member member;
    if (dot == std::string::npos || !read_oid(std::string_view(value).substr(0, dot), &member.catalog) ||
        !read_oid(std::string_view(value).substr(dot + 1), &member.oid))
      return std::nullopt;
    out.members.push_back(member);
  }
  return out;
}

std::shared_ptr<const ObjectDef> owning_extension(const Catalog& catalog, Oid object_catalog, Oid oid) {
  for (auto it = catalog.objects().lower_bound(std::pair(ObjectKind::kExtension, Oid{0}));
       it != catalog.objects().end() && it->first.first == ObjectKind::kExtension; ++it) {
    const auto extension = ExtensionObject::decode(it->second->definition);
    if (!extension) continue;
    for (const ExtensionObject::Member& member : extension->members)
      if (member.catalog == object_catalog && member.oid == oid) return it->second;
  }
  return nullptr;
}

std::string comment_name(Oid object_catalog, std::int32_t column) {
  return std::to_string(object_catalog) + "." + std::to_string(column);
}

std::shared_ptr<const TableDef> relation_to_lock(Oid oid, std::string_view name) {
  auto out = std::make_shared<TableDef>();
  out->oid = oid;
  out->name = name;
  return out;
}

std::shared_ptr<const TableDef> view_to_lock(const ObjectDef& view) { return relation_to_lock(view.oid, view.name); }

}  // namespace wandian::sql
