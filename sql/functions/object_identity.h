// What pg_describe_object, pg_identify_object and pg_identify_object_as_address say of an object of a catalog.
// Thread:  the session's shard.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wandian::sql {

struct ObjectIdentity {
  std::string type;                       ///< "table", "table column", "function", ...
  bool found = false;                     ///< the rest is there
  std::string description;                ///< as messages name it: qualified where the search path does not lead to it
  std::optional<std::string> schema;      ///< quoted, as are name and identity
  std::optional<std::string> name;        ///< where it is unique in its schema, or in its catalog
  std::string identity;
  std::vector<std::string> names, args;   ///< the address
};

}  // namespace wandian::sql
