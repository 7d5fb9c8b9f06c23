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
                     kConstraint = 2606, kNamespace = 2615, kRewrite = 2618, kTrigger = 2620, kExtension = 3079, kCollation = 3456;
}  // namespace catalog_oid

/// ObjectKind::kFunction: a native procedure, or what users wrote in SQL or PL/pgSQL. ObjectDef::parent is its schema, its name is
/// "f(23,25)".
struct FunctionObject {
  std::string name;
  std::vector<Oid> arguments;        ///< what a call gives: IN, INOUT and VARIADIC parameters
  std::vector<std::string> argument_names;
  Oid result = 0;
  bool strict = true;
  bool is_procedure = false;         ///< CREATE PROCEDURE: called by CALL alone
  std::string module, symbol;        ///< where the code is: an extension's module, or LANGUAGE C AS 'module', 'symbol'

  // Of LANGUAGE sql and plpgsql alone.
  struct Parameter {
    std::string name;
    Oid type = 0;
    char mode = 'i';                 ///< as in pg_proc.proargmodes: i, o, b, v, t
    bool has_default = false;
    std::string default_text;        ///< SQL, canonical
  };
  std::string language;              ///< "" is c
  std::vector<Parameter> parameters; ///< all of them, as they were declared
  std::string source;                ///< the text between the quotes, or of a body without quotes
  bool sql_body = false;             ///< RETURN expr, or BEGIN ATOMIC
  /// Of such a body, what it names: relations and their columns (by attribute number, 0 is the whole), and functions.
  std::vector<std::pair<Oid, std::int16_t>> body_columns;
  std::vector<Oid> body_functions;
  bool returns_set = false, returns_table = false;
  Oid result_relation = 0;           ///< RETURNS t: the relation or composite type whose rows it gives; `result` is record
  char volatility = 'v', parallel = 'u';
  bool security_definer = false, leakproof = false;
  std::string cost, rows;            ///< as given; "" is the default
  std::vector<std::pair<std::string, std::string>> settings;   ///< SET name = value
  /// The type of the rows of a relation, or of what is a composite type itself.
  static Oid row_type(Oid relation_or_type);
  /// As pg_proc shows it.
  Oid result_type() const { return result_relation != 0 ? row_type(result_relation) : result; }
  bool is_native() const { return language.empty(); }
  std::string encode() const;
  static std::optional<FunctionObject> decode(std::string_view bytes);
  /// ObjectDef::name.
  std::string object_name() const;
};

/// Of an ObjectKind::kView that has triggers: itself as if it were a table, with its columns and triggers; else null.
inline std::shared_ptr<const TableDef> view_table(const ObjectDef& view) { return std::static_pointer_cast<const TableDef>(view.compiled); }
/// What a relation without rows of its own is locked as: locks are kept by the OIDs of relations.
std::shared_ptr<const TableDef> relation_to_lock(Oid oid, std::string_view name);
std::shared_ptr<const TableDef> view_to_lock(const ObjectDef& view);
/// Calls `visit` with each table, and each view that has triggers (as view_table()); stops where it answers true, with what it was given.
template <class Visit>
std::shared_ptr<const TableDef> find_triggered(const Catalog& catalog, Visit&& visit) {
  for (const auto& [oid, table] : catalog.tables())
    if (!table->triggers.empty() && visit(*table)) return table;
  for (auto it = catalog.objects().lower_bound(std::pair(ObjectKind::kView, Oid{0})); it != catalog.objects().end() && it->first.first == ObjectKind::kView; ++it)
    if (const auto table = view_table(*it->second); table != nullptr && visit(*table)) return table;
  return nullptr;
}

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
