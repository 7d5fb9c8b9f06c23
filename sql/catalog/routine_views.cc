// information_schema's views of functions and procedures, as SQL that the binder expands.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

// What bodies without quotes name, as pg_depend has it: of routines `p` in schemas `n`.
#define SPECIFIC WANDIAN_CATALOG " AS specific_catalog, n.nspname AS specific_schema, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name"
#define ROUTINE WANDIAN_CATALOG " AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name"
#define TABLE WANDIAN_CATALOG " AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name"
#define NEEDED(catalog)                                                                                                                   \
  " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"                                                   \
  " JOIN pg_catalog.pg_depend d ON d.classid = 1255 AND d.objid = p.oid AND d.refclassid = " catalog
#define NEEDED_RELATION                                                                                                                   \
  NEEDED("1259") " JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace nt ON nt.oid = t.relnamespace"

constexpr SystemView kRoutineViews[] = {
    {kInformationSchema, "routines",
     "SELECT " WANDIAN_CATALOG " AS specific_catalog, n.nspname AS specific_schema, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name,"
     " " WANDIAN_CATALOG " AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name,"
     " (CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END)::varchar AS routine_type, NULL::name AS module_catalog, NULL::name AS module_schema,"
     " NULL::name AS module_name, NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name,"
     " (CASE WHEN p.prokind <> 'p' THEN " WANDIAN_TYPE_NAME("t", "nt") " END)::varchar AS data_type, " WANDIAN_NO_LENGTHS ", " WANDIAN_NO_CHARACTER_SET ", "
     WANDIAN_NO_COLLATION ", " WANDIAN_NO_NUMBERS ", (CASE WHEN nt.nspname IS NOT NULL THEN " WANDIAN_CATALOG " END)::name AS type_udt_catalog,"
     " nt.nspname AS type_udt_schema, t.typname AS type_udt_name, " WANDIAN_NO_SCOPE ", (CASE WHEN p.prokind <> 'p' THEN '0' END)::name AS dtd_identifier,"
     " (CASE WHEN p.prolang = 14 THEN 'SQL' ELSE 'EXTERNAL' END)::varchar AS routine_body,"
     " (CASE WHEN " WANDIAN_HAS_ROLE("p.proowner") " THEN p.prosrc END)::varchar AS routine_definition, (CASE WHEN p.prolang = 13 THEN p.prosrc END)::varchar AS external_name,"
     " pg_catalog.upper(l.lanname::text)::varchar AS external_language, 'GENERAL'::varchar AS parameter_style,"
     " (CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_deterministic, 'MODIFIES'::varchar AS sql_data_access,"
     " (CASE WHEN p.prokind = 'p' THEN NULL WHEN p.proisstrict THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_null_call, NULL::varchar AS sql_path, 'YES'::varchar(3) AS schema_level_routine,"
     " 0::int4 AS max_dynamic_result_sets, NULL::varchar(3) AS is_user_defined_cast, NULL::varchar(3) AS is_implicitly_invocable, "
     " (CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END)::varchar AS security_type,"
     " NULL::name AS to_sql_specific_catalog, NULL::name AS to_sql_specific_schema, NULL::name AS to_sql_specific_name, 'NO'::varchar(3) AS as_locator,"
     " NULL::timestamptz(2) AS created, NULL::timestamptz(2) AS last_altered, NULL::varchar(3) AS new_savepoint_level, 'NO'::varchar(3) AS is_udt_dependent,"
     " NULL::varchar AS result_cast_from_data_type, NULL::varchar(3) AS result_cast_as_locator, NULL::int4 AS result_cast_char_max_length,"
     " NULL::int4 AS result_cast_char_octet_length, NULL::name AS result_cast_char_set_catalog, NULL::name AS result_cast_char_set_schema,"
     " NULL::name AS result_cast_char_set_name, NULL::name AS result_cast_collation_catalog, NULL::name AS result_cast_collation_schema,"
     " NULL::name AS result_cast_collation_name, NULL::int4 AS result_cast_numeric_precision, NULL::int4 AS result_cast_numeric_precision_radix,"
     " NULL::int4 AS result_cast_numeric_scale, NULL::int4 AS result_cast_datetime_precision, NULL::varchar AS result_cast_interval_type,"
     " NULL::int4 AS result_cast_interval_precision, NULL::name AS result_cast_type_udt_catalog, NULL::name AS result_cast_type_udt_schema,"
     " NULL::name AS result_cast_type_udt_name, NULL::name AS result_cast_scope_catalog, NULL::name AS result_cast_scope_schema,"
     " NULL::name AS result_cast_scope_name, NULL::int4 AS result_cast_maximum_cardinality, NULL::name AS result_cast_dtd_identifier"
     " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
     " LEFT JOIN (pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = p.prorettype AND p.prokind <> 'p'"
     " WHERE " WANDIAN_MAY_CALL("p")},
    {kInformationSchema, "parameters",
     "SELECT " WANDIAN_CATALOG " AS specific_catalog, r.nspname AS specific_schema, r.specific_name, (r.x).n::int4 AS ordinal_position,"
     " (CASE WHEN r.proargmodes IS NULL THEN 'IN' ELSE CASE r.proargmodes[(r.x).n] WHEN 'o' THEN 'OUT' WHEN 't' THEN 'OUT' WHEN 'b' THEN 'INOUT' ELSE 'IN' END END)::varchar"
     " AS parameter_mode, 'NO'::varchar(3) AS is_result, 'NO'::varchar(3) AS as_locator, nullif(r.proargnames[(r.x).n], '')::name AS parameter_name, "
     WANDIAN_TYPE_NAME("t", "nt") " AS data_type, " WANDIAN_NO_LENGTHS ", " WANDIAN_NO_CHARACTER_SET ", " WANDIAN_NO_COLLATION ", " WANDIAN_NO_NUMBERS ", "
     WANDIAN_CATALOG " AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name, " WANDIAN_NO_SCOPE ", (r.x).n::text::name AS dtd_identifier,"
     " (CASE WHEN " WANDIAN_HAS_ROLE("r.proowner") " THEN pg_catalog.pg_get_function_arg_default(r.oid, (r.x).n) END)::varchar AS parameter_default"
     " FROM (SELECT n.nspname, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name, p.oid, p.proowner, p.proargnames, p.proargmodes, " WANDIAN_ARGUMENT_TYPES("p") " AS x"
     " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE " WANDIAN_MAY_CALL("p") ") r"
     " JOIN pg_catalog.pg_type t ON t.oid = (r.x).x JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace"},
    {kInformationSchema, "routine_routine_usage",
     "SELECT DISTINCT " SPECIFIC ", " WANDIAN_CATALOG " AS routine_catalog, n1.nspname AS routine_schema, " WANDIAN_SPECIFIC_NAME("p1") " AS routine_name" NEEDED("1255")
     " JOIN pg_catalog.pg_proc p1 ON p1.oid = d.refobjid JOIN pg_catalog.pg_namespace n1 ON n1.oid = p1.pronamespace"
     " WHERE p.prokind IN ('f', 'p') AND p1.prokind IN ('f', 'p') AND " WANDIAN_HAS_ROLE("p1.proowner")},
    {kInformationSchema, "routine_table_usage",
     "SELECT DISTINCT " SPECIFIC ", " ROUTINE ", " TABLE NEEDED_RELATION " WHERE t.relkind IN ('r', 'v', 'f', 'p') AND " WANDIAN_HAS_ROLE("t.relowner")},
    {kInformationSchema, "routine_column_usage",
     "SELECT DISTINCT " SPECIFIC ", " ROUTINE ", " TABLE ", a.attname AS column_name" NEEDED_RELATION
     " JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE t.relkind IN ('r', 'v', 'f', 'p') AND " WANDIAN_HAS_ROLE("t.relowner")},
    {kInformationSchema, "routine_sequence_usage",
     "SELECT DISTINCT " SPECIFIC ", " ROUTINE ", " WANDIAN_CATALOG " AS sequence_catalog, nt.nspname AS sequence_schema, t.relname AS sequence_name" NEEDED_RELATION
     " WHERE t.relkind = 'S' AND " WANDIAN_HAS_ROLE("t.relowner")},
};
#undef SPECIFIC
#undef ROUTINE
#undef TABLE
#undef NEEDED
#undef NEEDED_RELATION

}  // namespace

std::span<const SystemView> routine_views() { return kRoutineViews; }

}  // namespace wandian::sql
