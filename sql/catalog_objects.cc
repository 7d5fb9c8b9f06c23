#include "sql/catalog_objects.h"

#include <charconv>

namespace wandian::sql {

namespace {

bool read_int(std::string_view text, std::int64_t* out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

// A setting is kept as "name=value"; names have no '='.
void add_settings(PropertyList& list, const std::vector<std::pair<std::string, std::string>>& settings) {
  for (const auto& [name, value] : settings) list.add("setting", name + "=" + value);
}
void read_setting(std::string_view text, std::vector<std::pair<std::string, std::string>>* settings) {
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos) settings->emplace_back(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace

void PropertyList::add(std::string_view key, std::string_view value) {
  bytes_.append(key).append("=").append(std::to_string(value.size())).append(":").append(value).append(";");
}

std::optional<std::vector<std::pair<std::string, std::string>>> PropertyList::parse(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!bytes.empty()) {
    const std::size_t equals = bytes.find('=');
    const std::size_t colon = bytes.find(':');
    if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) return std::nullopt;
    std::int64_t size = 0;
    if (!read_int(bytes.substr(equals + 1, colon - equals - 1), &size) || size < 0) return std::nullopt;
    const std::string_view rest = bytes.substr(colon + 1);
    if (static_cast<std::size_t>(size) >= rest.size() || rest[static_cast<std::size_t>(size)] != ';') return std::nullopt;
    out.emplace_back(bytes.substr(0, equals), rest.substr(0, static_cast<std::size_t>(size)));
    bytes = rest.substr(static_cast<std::size_t>(size) + 1);
  }
  return out;
}

std::string DatabaseProperties::encode() const {
  PropertyList list;
  list.add_int("allow_connections", allow_connections ? 1 : 0);
  list.add_int("is_template", is_template ? 1 : 0);
  list.add_int("connection_limit", connection_limit);
  list.add("collate", collate);
  list.add("ctype", ctype);
  add_settings(list, settings);
  return list.bytes();
}

std::optional<DatabaseProperties> DatabaseProperties::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  DatabaseProperties out;
  for (const auto& [key, value] : *entries) {
    std::int64_t number = 0;
    const bool is_number = read_int(value, &number);
    if (key == "setting") {
      read_setting(value, &out.settings);
    } else if (key == "collate") {
      out.collate = value;
    } else if (key == "ctype") {
      out.ctype = value;
    } else if (!is_number) {
      return std::nullopt;
    } else if (key == "allow_connections") {
      out.allow_connections = number != 0;
    } else if (key == "is_template") {
      out.is_template = number != 0;
    } else if (key == "connection_limit") {
      out.connection_limit = static_cast<std::int32_t>(number);
    }
  }
  return out;
}

std::string RoleProperties::encode() const {
  PropertyList list;
  const auto flag = [&](std::string_view key, bool value) { list.add_int(key, value ? 1 : 0); };
  flag("superuser", superuser);
  flag("inherit", inherit);
  flag("create_role", create_role);
  flag("create_database", create_database);
  flag("can_login", can_login);
  flag("replication", replication);
  flag("bypass_rls", bypass_rls);
  list.add_int("connection_limit", connection_limit);
  if (!verifier.empty()) list.add("verifier", verifier);
  if (!valid_until.empty()) list.add("valid_until", valid_until);
  for (const Membership& membership : member_of) {
    list.add_int("member_of", membership.role);
    list.add_int("member_grantor", membership.grantor);
    flag("member_admin", membership.admin);
  }
  add_settings(list, settings);
  for (const InDatabase& in : in_databases) {
    list.add_int("in_database", in.database);
    for (const auto& [name, value] : in.settings) list.add("database_setting", name + "=" + value);
  }
  return list.bytes();
}

std::optional<RoleProperties> RoleProperties::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  RoleProperties out;
  for (const auto& [key, value] : *entries) {
    std::int64_t number = 0;
    const bool is_number = read_int(value, &number);
    const bool on = number != 0;
    if (key == "setting") {
      read_setting(value, &out.settings);
    } else if (key == "database_setting" && !out.in_databases.empty()) {
      read_setting(value, &out.in_databases.back().settings);
    } else if (key == "verifier") {
      out.verifier = value;
    } else if (key == "valid_until") {
      out.valid_until = value;
    } else if (!is_number) {
      continue;   // a later version's
    } else if (key == "superuser") {
      out.superuser = on;
    } else if (key == "inherit") {
      out.inherit = on;
    } else if (key == "create_role") {
      out.create_role = on;
    } else if (key == "create_database") {
      out.create_database = on;
    } else if (key == "can_login") {
      out.can_login = on;
    } else if (key == "replication") {
      out.replication = on;
    } else if (key == "bypass_rls") {
      out.bypass_rls = on;
    } else if (key == "connection_limit") {
      out.connection_limit = static_cast<std::int32_t>(number);
    } else if (key == "in_database") {
      out.in_databases.push_back({static_cast<Oid>(number), {}});
    } else if (key == "member_of") {
      out.member_of.push_back({static_cast<Oid>(number), 0, false});
    } else if (key == "member_grantor" && !out.member_of.empty()) {
      out.member_of.back().grantor = static_cast<Oid>(number);
    } else if (key == "member_admin" && !out.member_of.empty()) {
      out.member_of.back().admin = on;
    }
  }
  return out;
}

}  // namespace wandian::sql
