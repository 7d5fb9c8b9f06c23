// How the files of this folder give system relations their rows.
// Thread:  the session's shard.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/array_value.h"
#include "sql/access/acl.h"
#include "sql/catalog/relation_names.h"
#include "sql/catalog/system_relation.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

/// One row, value after value in the relation's column order. Bytes are copied into the rows' arena.
class CatalogRow {
 public:
  explicit CatalogRow(SystemRows& rows) : rows_(rows) { values_.reserve(rows.columns); }
  CatalogRow& i(std::int64_t v) { return put(Value::of_int(v)); }          ///< integers, oids, booleans as 0 and 1, timestamps
  CatalogRow& b(bool v) { return put(Value::of_bool(v)); }
  CatalogRow& c(char v) { return put(Value::of_int(static_cast<unsigned char>(v))); }
  CatalogRow& d(double v) { return put(Value::of_double(v)); }
  CatalogRow& t(std::string_view text) { return put(Value::of_bytes(rows_.arena.copy(text))); }
  CatalogRow& fixed(std::string_view text) { return put(Value::of_bytes(text)); }   ///< bytes that live for ever
  CatalogRow& t_or_null(const std::optional<std::string>& text) { return text ? t(*text) : null(); }
  CatalogRow& value(Value v) { return put(v); }   ///< whose bytes are in the arena already
  CatalogRow& null(unsigned count = 1) {
    values_.insert(values_.end(), count, Value::null());
    return *this;
  }
  CatalogRow& oids(std::span<const Oid> list) { return integers(type_oid::kOid, list, 1); }
  CatalogRow& shorts(std::span<const std::int16_t> list) { return integers(type_oid::kInt2, list, 1); }
  /// oidvector and int2vector count from 0.
  CatalogRow& oid_vector(std::span<const Oid> list) { return integers(type_oid::kOid, list, 0); }
  CatalogRow& short_vector(std::span<const std::int16_t> list) { return integers(type_oid::kInt2, list, 0); }
  CatalogRow& texts(const std::vector<std::string>& list, Oid element = type_oid::kText);
  CatalogRow& acl(const Catalog& catalog, const std::optional<Acl>& list);
  CatalogRow& options(const std::vector<std::pair<std::string, std::string>>& list);
  std::size_t size() const { return values_.size(); }
  void done();

 private:
  CatalogRow& put(Value value) {
    values_.push_back(value);
    return *this;
  }
  template <class T>
  CatalogRow& integers(Oid element, std::span<const T> list, std::int32_t lower_bound) {
    std::vector<Value> values;
    for (const T v : list) values.push_back(Value::of_int(v));
    // A vector without elements still has its one dimension in PostgreSQL's form; here it is the empty array.
    if (values.empty()) return put(build_array(element, values, rows_.arena));
    const ArrayDimension dimension{static_cast<std::int32_t>(values.size()), lower_bound};
    return put(build_array(element, std::span(&dimension, 1), values, rows_.arena));
  }
  SystemRows& rows_;
  std::vector<Value> values_;
};

struct SystemProducer {
  std::string_view relation;
  Status (*produce)(const SystemContext& context, SystemRows& rows);
};
struct SystemView {
  Oid schema;
  std::string_view relation;
  std::string_view query;
};

std::span<const SystemProducer> class_producers();       // pg_class, pg_attribute, pg_index, pg_constraint, ...
std::span<const SystemProducer> partition_producers();   // pg_inherits, pg_partitioned_table
Status pg_rewrite(const SystemContext& context, SystemRows& rows);
Status pg_depend(const SystemContext& context, SystemRows& rows);
std::span<const SystemProducer> type_producers();        // pg_type, pg_enum
std::span<const SystemProducer> object_producers();      // pg_namespace, pg_proc, pg_operator, roles, databases, ...
std::span<const SystemProducer> activity_producers();    // pg_settings, pg_stat_activity, pg_locks, ...
std::span<const SystemProducer> statement_producers();   // what pg_stat_statements shows
std::span<const SystemProducer> statistics_producers();  // pg_statistic, pg_stats
std::span<const SystemView> system_views();              // pg_catalog's
std::span<const SystemView> information_schema_views();  // schemas, relations, columns, triggers
std::span<const SystemView> constraint_views();          // information_schema, too, as the rest
std::span<const SystemView> type_views();                // types, and what has them
std::span<const SystemView> routine_views();
std::span<const SystemView> privilege_views();           // privileges and roles
std::span<const SystemView> standard_tables();           // what the standard wants to know of the server

/// Rows of a catalog that are facts about PostgreSQL's built-in objects.
Status produce_facts(std::string_view relation, const SystemContext& context, SystemRows& rows);

/// Whether a schema belongs to the database of the context.
inline bool in_database(const SystemContext& context, Oid schema) {
  const auto found = context.catalog.schema(schema);
  return found != nullptr && (found->database == 0 || found->database == context.database);
}

/// System relations from here to those of users are Wandian's own.
inline constexpr Oid kFirstOwnRelation = 16000;

/// The OID of a view's rule, which has none of its own, made from the view's.
inline constexpr Oid kRuleBit = 0x20000000u;

struct TypeFacts {
  bool by_value = false;
  char align = 'i', storage = 'p';
  Oid collation = 0;
};
TypeFacts type_facts(Oid type);
/// The columns that a stored expression of a table names, each once, in the order in which it does, counted from 1.
std::vector<std::int16_t> named_columns(const SystemContext& context, const TableDef& table, const std::string& expression);
/// pg_collation's row of a column: what it names, or its type's.
Oid collation_of(Oid type, std::string_view given);
/// The default btree operator class of a type, 0 if there is none.
Oid default_opclass(Oid type);
/// PostgreSQL's operator classes of the access methods that are here.
struct OperatorClass {
  Oid oid = 0, method = 0, type = 0;
  std::string_view name;
  bool is_default = false;
};
std::span<const OperatorClass> operator_classes();
/// Whether the class is one for values of `type`, which is no domain.
bool accepts_type(const OperatorClass& known, Oid type);
inline constexpr Oid kBtreeAccess = 403, kHashAccess = 405, kGinAccess = 2742;
/// pg_am's row of an index.
Oid access_method(const IndexDef& index);
/// The class of one key part: the one that it names, or its type's default. 0: there is none.
Oid operator_class_of(const TableDef& table, const IndexDef& index, const IndexPart& part);

}  // namespace wandian::sql
