// information_schema's views of types and of what has them, as SQL that the binder expands.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

// Columns of relations, with their types.
#define TYPED_COLUMNS                                                                                                                     \
  " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace" \
  " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace"
#define OF_RELATIONS " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')"
// What data_type_privileges lists, one kind of object after the other.
#define DESCRIBED(schema, name, kind, view)                                                                                               \
  "SELECT " WANDIAN_CATALOG " AS object_catalog, o." schema " AS object_schema, o." name " AS object_name, '" kind "'::varchar AS object_type,"  \
  " o.dtd_identifier FROM information_schema." view " o"

constexpr SystemView kTypeViews[] = {
    {kInformationSchema, "domains",
     "SELECT " WANDIAN_CATALOG " AS domain_catalog, tn.nspname AS domain_schema, t.typname AS domain_name,"
     " (CASE WHEN nbt.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END)::varchar AS data_type, "
     WANDIAN_LENGTHS("t.typbasetype", "t.typtypmod") ", " WANDIAN_NO_CHARACTER_SET ", " WANDIAN_COLLATION ", " WANDIAN_NUMBERS("t.typbasetype", "t.typtypmod")
     ", t.typdefault::varchar AS domain_default, " WANDIAN_CATALOG " AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, " WANDIAN_NO_SCOPE
     ", '1'::name AS dtd_identifier"
     " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype"
     " JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace" WANDIAN_JOIN_COLLATION("t.typcollation")
     " WHERE t.typtype = 'd' AND " WANDIAN_MAY_USE_TYPE("t.typowner", "t.oid")},
    {kInformationSchema, "domain_udt_usage",
     "SELECT " WANDIAN_CATALOG " AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, " WANDIAN_CATALOG " AS domain_catalog, n.nspname AS domain_schema,"
     " t.typname AS domain_name FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
     " JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace"
     " WHERE t.typtype = 'd' AND " WANDIAN_HAS_ROLE("bt.typowner")},
    {kInformationSchema, "column_domain_usage",
     "SELECT " WANDIAN_CATALOG " AS domain_catalog, nt.nspname AS domain_schema, t.typname AS domain_name, " WANDIAN_CATALOG " AS table_catalog, nc.nspname AS table_schema,"
     " c.relname AS table_name, a.attname AS column_name" TYPED_COLUMNS OF_RELATIONS " AND t.typtype = 'd' AND " WANDIAN_HAS_ROLE("t.typowner")},
    {kInformationSchema, "column_udt_usage",
     "SELECT " WANDIAN_CATALOG " AS udt_catalog, coalesce(nbt.nspname, nt.nspname)::name AS udt_schema, coalesce(bt.typname, t.typname)::name AS udt_name,"
     " " WANDIAN_CATALOG " AS table_catalog, nc.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name" TYPED_COLUMNS
     " LEFT JOIN (pg_catalog.pg_type bt JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace) ON t.typtype = 'd' AND t.typbasetype = bt.oid" OF_RELATIONS
     " AND " WANDIAN_HAS_ROLE("coalesce(bt.typowner, t.typowner)")},
    {kInformationSchema, "attributes",
     "SELECT " WANDIAN_CATALOG " AS udt_catalog, nc.nspname AS udt_schema, c.relname AS udt_name, a.attname AS attribute_name, a.attnum::int4 AS ordinal_position,"
     " NULL::varchar AS attribute_default, (CASE WHEN a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) THEN 'NO' ELSE 'YES' END)::varchar(3) AS is_nullable, "
     WANDIAN_TYPE_NAME("t", "nt") " AS data_type, " WANDIAN_LENGTHS(WANDIAN_TRUE_TYPE, WANDIAN_TRUE_MODIFIER) ", " WANDIAN_NO_CHARACTER_SET ", " WANDIAN_COLLATION ", "
     WANDIAN_NUMBERS(WANDIAN_TRUE_TYPE, WANDIAN_TRUE_MODIFIER) ", " WANDIAN_CATALOG " AS attribute_udt_catalog, nt.nspname AS attribute_udt_schema, t.typname AS attribute_udt_name, "
     WANDIAN_NO_SCOPE ", a.attnum::text::name AS dtd_identifier, 'NO'::varchar(3) AS is_derived_reference_attribute" TYPED_COLUMNS
     WANDIAN_JOIN_COLLATION("a.attcollation") " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'c' AND " WANDIAN_MAY_USE_TYPE("c.relowner", "c.reltype")},
    {kInformationSchema, "user_defined_types",
     "SELECT " WANDIAN_CATALOG " AS user_defined_type_catalog, n.nspname AS user_defined_type_schema, c.relname AS user_defined_type_name,"
     " 'STRUCTURED'::varchar AS user_defined_type_category, 'YES'::varchar(3) AS is_instantiable, NULL::varchar(3) AS is_final, NULL::varchar AS ordering_form,"
     " NULL::varchar AS ordering_category, NULL::name AS ordering_routine_catalog, NULL::name AS ordering_routine_schema, NULL::name AS ordering_routine_name,"
     " NULL::varchar AS reference_type, NULL::varchar AS data_type, " WANDIAN_NO_LENGTHS ", " WANDIAN_NO_CHARACTER_SET ", " WANDIAN_NO_COLLATION ", " WANDIAN_NO_NUMBERS
     ", NULL::name AS source_dtd_identifier, NULL::name AS ref_dtd_identifier"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.typrelid = c.oid"
     " WHERE c.relkind = 'c' AND " WANDIAN_MAY_USE_TYPE("t.typowner", "t.oid")},
    {kInformationSchema, "data_type_privileges",
     DESCRIBED("udt_schema", "udt_name", "USER-DEFINED TYPE", "attributes") " UNION ALL " DESCRIBED("table_schema", "table_name", "TABLE", "columns")
     " UNION ALL " DESCRIBED("domain_schema", "domain_name", "DOMAIN", "domains") " UNION ALL " DESCRIBED("specific_schema", "specific_name", "ROUTINE", "parameters")
     " UNION ALL " DESCRIBED("specific_schema", "specific_name", "ROUTINE", "routines")},
    // What data_type_privileges lists if it is an array: the conditions are those of the views that it is made of.
    {kInformationSchema, "element_types",
     "SELECT " WANDIAN_CATALOG " AS object_catalog, n.nspname AS object_schema, x.objname AS object_name, x.objtype::varchar AS object_type,"
     " x.objnumber::text::name AS collection_type_identifier, (CASE WHEN nbt.nspname = 'pg_catalog' THEN pg_catalog.format_type(bt.oid, NULL) ELSE 'USER-DEFINED' END)::varchar"
     " AS data_type, " WANDIAN_NO_LENGTHS ", " WANDIAN_NO_CHARACTER_SET ", " WANDIAN_COLLATION ", " WANDIAN_NO_NUMBERS ", NULL::varchar AS domain_default, "
     WANDIAN_CATALOG " AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, " WANDIAN_NO_SCOPE ", ('a' || x.objnumber::text)::name AS dtd_identifier"
     " FROM (SELECT c.relnamespace, c.relname, CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END, a.attnum::int4, a.atttypid, a.attcollation"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid WHERE a.attnum > 0 AND NOT a.attisdropped"
     " AND CASE WHEN c.relkind = 'c' THEN " WANDIAN_MAY_USE_TYPE("c.relowner", "c.reltype")
     " ELSE c.relkind IN ('r', 'v', 'f', 'p') AND " WANDIAN_NOT_OTHERS_TEMPORARY("c.relnamespace") " AND " WANDIAN_MAY_USE_COLUMN("c.relowner", "c.oid", "a.attnum") " END"
     " UNION ALL SELECT t.typnamespace, t.typname, 'DOMAIN', 1, t.typbasetype, t.typcollation FROM pg_catalog.pg_type t"
     " WHERE t.typtype = 'd' AND " WANDIAN_MAY_USE_TYPE("t.typowner", "t.oid")
     " UNION ALL SELECT r.pronamespace, r.specific_name, 'ROUTINE', (r.x).n, (r.x).x, 0::oid FROM (SELECT p.pronamespace, " WANDIAN_SPECIFIC_NAME("p")
     " AS specific_name, " WANDIAN_ARGUMENT_TYPES("p") " AS x FROM pg_catalog.pg_proc p WHERE " WANDIAN_MAY_CALL("p") ") r"
     " UNION ALL SELECT p.pronamespace, " WANDIAN_SPECIFIC_NAME("p") ", 'ROUTINE', 0, p.prorettype, 0::oid FROM pg_catalog.pg_proc p WHERE p.prokind <> 'p' AND "
     WANDIAN_MAY_CALL("p") ") AS x(objschema, objname, objtype, objnumber, objtypeid, objcollation)"
     " JOIN pg_catalog.pg_namespace n ON n.oid = x.objschema JOIN pg_catalog.pg_type t ON t.oid = x.objtypeid AND t.typelem <> 0 AND t.typlen = -1"
     " JOIN pg_catalog.pg_type bt ON bt.oid = t.typelem JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace" WANDIAN_JOIN_COLLATION("x.objcollation")},
    {kInformationSchema, "column_column_usage",
     "SELECT DISTINCT " WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, used.attname AS column_name,"
     " made.attname AS dependent_column FROM pg_catalog.pg_attrdef v JOIN pg_catalog.pg_class c ON c.oid = v.adrelid"
     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute made ON made.attrelid = c.oid AND made.attnum = v.adnum"
     " JOIN pg_catalog.pg_depend d ON d.classid = 2604 AND d.objid = v.oid AND d.refclassid = 1259 AND d.refobjid = c.oid"
     " JOIN pg_catalog.pg_attribute used ON used.attrelid = c.oid AND used.attnum = d.refobjsubid"
     " WHERE made.attgenerated <> '' AND used.attnum <> made.attnum AND " WANDIAN_HAS_ROLE("c.relowner")},
};
#undef TYPED_COLUMNS
#undef OF_RELATIONS
#undef DESCRIBED

}  // namespace

std::span<const SystemView> type_views() { return kTypeViews; }

}  // namespace wandian::sql
