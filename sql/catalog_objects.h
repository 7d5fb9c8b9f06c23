// What ObjectDef::definition holds for databases and roles.
// Form: a list of "key=<bytes>:<value>;" entries, so that later versions may add keys and earlier ones pass them by.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/oid.h"

namespace wandian::sql {

/// pg_authid's first role and pg_database's first rows.
inline constexpr Oid kBootstrapRole = 10, kTemplate1Database = 1, kTemplate0Database = 4, kPostgresDatabase = 5;

/// The one object of ObjectKind::kSettings: ALTER ROLE ALL SET, as a database's settings.
inline constexpr Oid kAllSettings = 1;

/// Entries in order; keys may repeat.
class PropertyList {
 public:
  void add(std::string_view key, std::string_view value);
  void add_int(std::string_view key, std::int64_t value) { add(key, std::to_string(value)); }
  const std::string& bytes() const { return bytes_; }
  static std::optional<std::vector<std::pair<std::string, std::string>>> parse(std::string_view bytes);

 private:
  std::string bytes_;
};

struct DatabaseProperties {
  bool allow_connections = true;
  bool is_template = false;
  std::int32_t connection_limit = -1;
  std::string collate = "C.UTF-8", ctype = "C.UTF-8";
  std::vector<std::pair<std::string, std::string>> settings;   ///< ALTER DATABASE ... SET, and of all roles in it
  std::string encode() const;
  static std::optional<DatabaseProperties> decode(std::string_view bytes);
};

struct RoleProperties {
  bool superuser = false, inherit = true, create_role = false, create_database = false, can_login = false, replication = false,
       bypass_rls = false;
  std::int32_t connection_limit = -1;
  std::string verifier;              ///< "SCRAM-SHA-256$..."; empty: no password
  std::string valid_until;           ///< text of a timestamptz; empty: no limit
  struct Membership {
    Oid role = 0;
    Oid grantor = 0;
    bool admin = false;
  };
  std::vector<Membership> member_of;
  std::vector<std::pair<std::string, std::string>> settings;   ///< ALTER ROLE ... SET
  struct InDatabase {
    Oid database = 0;
    std::vector<std::pair<std::string, std::string>> settings;
  };
  std::vector<InDatabase> in_databases;                        ///< ALTER ROLE ... IN DATABASE ... SET
  std::string encode() const;
  static std::optional<RoleProperties> decode(std::string_view bytes);
};

}  // namespace wandian::sql
