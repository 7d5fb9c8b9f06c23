// Types that users made: what their definitions hold, and how input, output, casts and messages get at them.
// Owns:    nothing; definitions are objects of the catalog (ObjectKind::kType, whose `compiled` is a UserType).
// Thread:  what is asked for is asked of the TypeCatalog that TypeCatalogScope has put in force on this thread: the running session's,
//          or that of a definition which is compiled or evaluated on its own. A pointer is good as long as that catalog is.
// What never changes for a type's OID (how its values are held and ordered) is in engine/type.h instead.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// A label of an enum. Values are held as ordinals, so that rows and keys compare as integers; the gaps between them take labels that
/// are added later in between.
struct EnumLabel {
  Oid oid = 0;
  std::int64_t ordinal = 0;
  float sort_order = 0;              ///< pg_enum.enumsortorder
  std::string text;
};

/// One field of a row type or composite type; dropped ones keep their place.
struct RowField {
  std::string name;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool dropped = false;
};

/// A CHECK of a domain; its text says VALUE for the value.
struct DomainCheck {
  Oid oid = 0;
  std::string name, expression;
  bool validated = true;
};

/// An attribute of a composite type; dropped ones keep their number.
struct Attribute {
  std::string name, collation;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool dropped = false;
};

struct UserType {
  char kind = 'e';                   ///< pg_type.typtype
  Oid array = 0;
  // Enums.
  std::vector<EnumLabel> labels;     ///< by ordinal
  std::vector<Attribute> attributes; ///< of composite types
  // Ranges; their subtype is `base`, as a multirange's range type is.
  Oid multirange = 0, difference = 0;   ///< difference: pg_range.rngsubdiff
  // Domains.
  Oid base = 0;
  std::int32_t typmod = -1;          ///< of the base
  bool not_null = false;
  std::string default_expression, collation;   ///< of ranges, too: empty is the subtype's own
  std::vector<DomainCheck> checks;   ///< by name
  std::shared_ptr<const void> checks_compiled;   ///< sql/expr/domain_value.h; null: none

  const EnumLabel* label(std::string_view text) const;
  const EnumLabel* label(std::int64_t ordinal) const;
  /// The highest OID in it.
  Oid highest_oid() const;
  std::string encode() const;
  static std::optional<UserType> decode(std::string_view bytes);
};

struct EvalContext;   // sql/functions/registry.h

class TypeCatalog {
 public:
  virtual ~TypeCatalog() = default;
  /// Null if there is no such type here. Row types are not asked for this way.
  virtual const UserType* user_type(Oid type) = 0;
  /// The type's name, quoted and qualified where the search path does not find it; empty: no such type.
  virtual std::string user_type_name(Oid type) = 0;
  /// Its schema and its name as they are, for an error's fields; both empty: no such type, or nobody knows here.
  virtual std::pair<std::string, std::string> type_identity(Oid) { return {}; }
  /// By name; `schema` "" searches the path. 0: none.
  virtual Oid find_user_type(std::string_view schema, std::string_view name) = 0;
  /// The fields of a composite or row type, by number; false if there is no such type here.
  virtual bool row_fields(Oid type, std::vector<RowField>* out) = 0;
  /// A collation that users made: its name, quoted and qualified as user_type_name(); empty: no such collation here.
  virtual std::string collation_name(Oid) { return {}; }
  /// Whether a label was added by the transaction that is open: it cannot be used before that is committed.
  virtual bool is_new_label(Oid) { return false; }
};

TypeCatalog* current_type_catalog();

/// Puts a TypeCatalog in force on this thread for its own lifetime.
class TypeCatalogScope {
 public:
  explicit TypeCatalogScope(TypeCatalog* types);
  ~TypeCatalogScope();
  TypeCatalogScope(const TypeCatalogScope&) = delete;
  TypeCatalogScope& operator=(const TypeCatalogScope&) = delete;

 private:
  TypeCatalog* outer_;
};

/// Types as a catalog has them, for whoever has no session: names are searched in `search_path`.
class CatalogTypes final : public TypeCatalog {
 public:
  CatalogTypes(const Catalog& catalog, std::span<const Oid> search_path, Oid database = 0)
      : catalog_(catalog), search_path_(search_path), database_(database) {}
  const UserType* user_type(Oid type) override;
  std::string user_type_name(Oid type) override;
  std::pair<std::string, std::string> type_identity(Oid type) override;
  Oid find_user_type(std::string_view schema, std::string_view name) override;
  bool row_fields(Oid type, std::vector<RowField>* out) override;
  std::string collation_name(Oid collation) override;
  /// Whether the type is there and its name alone finds it.
  bool is_visible(Oid type);

 private:
  struct Named {
    std::string_view name;
    Oid schema = 0;
  };
  /// An empty name: no such type.
  Named named(Oid type) const;
  const Catalog& catalog_;
  std::span<const Oid> search_path_;
  Oid database_;
};

/// While an expression is evaluated, its session's types are in force: it may have been resumed on another's turn.
TypeCatalog* types_of(const EvalContext& context);
/// The definition of a type that users made, from the catalog in force; null if there is none.
const UserType* find_user_type(Oid type);
bool row_fields(Oid type, std::vector<RowField>* out);
void drop_attribute(UserType* type, std::size_t number);
bool row_fields(const EvalContext& context, Oid type, std::vector<RowField>* out);
void fields_of_table(const TableDef& table, std::vector<RowField>* out);
void fields_of_composite(const UserType& type, std::vector<RowField>* out);
/// The modifier that a value of a domain's base type has: the innermost one that was given. -1 for other types.
std::int32_t domain_typmod(Oid type);
std::int32_t domain_typmod(const EvalContext& context, Oid type);
/// The default of a domain, or of what it is made over; empty: none.
std::string domain_default(Oid type);
/// A collation as definitions name it, as people see it: quoted, and qualified where the search path does not find it.
std::string shown_collation(std::string_view stored);
/// How stored definitions name a type that users made, so that renaming it changes nothing: pg_catalog."16400".
std::string stored_type_name(Oid type);
/// The type which such a name stands for, or 0.
Oid stored_type(std::string_view name);

}  // namespace wandian::sql
