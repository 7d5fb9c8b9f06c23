// Extensions as CREATE EXTENSION sees them, whoever keeps the modules they come from.
// Thread:  any; what is given out stays as it is until the process ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/oid.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct NativeProcedure {
  std::string name;
  std::vector<std::string> argument_names;   ///< as many as arguments, or none
  std::vector<Oid> arguments;
  Oid result = 0;                            ///< type_oid::kVoid for none
  bool strict = true;
};

struct ExtensionInfo {
  std::string name, version, comment;
  std::string module;                        ///< what its functions' definitions name as their module
  std::string schema_sql;                    ///< definitions, run one after the other in the target schema
  std::vector<NativeProcedure> procedures;
};

class ExtensionSource {
 public:
  virtual ~ExtensionSource() = default;
  /// Null if there is none of that name; an error if there is one that cannot be loaded.
  virtual Result<const ExtensionInfo*> find_extension(std::string_view name) = 0;
  /// Those that are known without loading anything.
  virtual std::vector<const ExtensionInfo*> all_extensions() const = 0;
};

}  // namespace wandian::sql
