// What definitions need from outside of sql: extensions, users' modules, password hashing.
// Owns:    nothing; the composition root sets these before the first session, and they outlive the last one.
// Thread:  read from any shard after that.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ddl/extension.h"

namespace wandian::sql {

/// CREATE FUNCTION ... LANGUAGE C AS 'module', 'symbol': whoever loads users' modules from the configured directory.
class ModuleSource {
 public:
  virtual ~ModuleSource() = default;
  /// The procedure as its module declares it. 58P01 if there is no such module, 42883 if it has no such procedure.
  virtual Result<NativeProcedure> find_procedure(std::string_view module, std::string_view symbol) = 0;
};

struct DdlServices {
  ExtensionSource* extensions = nullptr;
  ModuleSource* modules = nullptr;
  /// A SCRAM-SHA-256 verifier for a plain password. Empty: CREATE ROLE ... PASSWORD takes verifiers alone.
  std::function<Result<std::string>(std::string_view password)> hash_password;
};

DdlServices& ddl_services();

}  // namespace wandian::sql
