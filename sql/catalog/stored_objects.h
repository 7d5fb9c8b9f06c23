// What ObjectDef::definition holds for functions and extensions, and how comments are named.
// Form:   the property lists of sql/catalog_objects.h, so that later versions may add keys.
// Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"

namespace wandian::sql {

/// pg_class OIDs of the catalogs that objects are rows of.
namespace catalog_oid {
inline constexpr Oid kType = 1247, kAttribute = 1249, kProc = 1255, kClass = 1259, kAuthId = 1260, kDatabase = 1262, kAttrDef = 2604,
                     kConstraint = 2606, kNamespace = 2615, kRewrite = 2618, kExtension = 3079;
}  // namespace catalog_oid

/// ObjectKind::kFunction: a native procedure. ObjectDef::parent is its schema, its name is "f(23,25)".
struct FunctionObject {
  std::string name;
  std::vector<Oid> arguments;
  std::vector<std::string> argument_names;
  Oid result = 0;
  bool strict = true;
  bool is_procedure = false;         ///< CREATE PROCEDURE: called by CALL alone
  std::string module, symbol;        ///< where the code is: an extension's module, or LANGUAGE C AS 'module', 'symbol'
  std::string encode() const;
  static std::optional<FunctionObject> decode(std::string_view bytes);
  /// ObjectDef::name.
  std::string object_name() const;
};

/// ObjectKind::kExtension: ObjectDef::parent is the database.
struct ExtensionObject {
  struct Member {
    Oid catalog = 0;                 ///< catalog_oid::kClass, kProc or kNamespace
    Oid oid = 0;
  };
  std::string version;
  Oid schema = 0;
  std::vector<Member> members;
  std::string encode() const;
  static std::optional<ExtensionObject> decode(std::string_view bytes);
};

/// The extension that an object belongs to, or null.
std::shared_ptr<const ObjectDef> owning_extension(const Catalog& catalog, Oid object_catalog, Oid oid);

/// ObjectKind::kComment: ObjectDef::parent is the object's OID, its name "1259.0" (catalog and column), its definition the text.
std::string comment_name(Oid object_catalog, std::int32_t column);

}  // namespace wandian::sql
