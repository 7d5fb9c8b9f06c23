// information_schema's views of constraints, as SQL that the binder expands.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

// NOT NULL has no row in pg_constraint; PostgreSQL 15 makes up a name for it.
#define NOT_NULL_NAME "(nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name"
#define NOT_NULL_COLUMNS                                                                                                                  \
  " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace" \
  " WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')"
// Columns of constraints `c` and of the tables `r` that they are about: a foreign key is about the one that it refers to.
#define CONCERNED_TABLE                                                                                                                   \
  " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace"                                           \
  " JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END"                                 \
  " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace WHERE r.relkind IN ('r', 'p') AND " WANDIAN_HAS_ROLE("r.relowner")
#define RULE(action, name)                                                                                                                \
  "(CASE " action " WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END)::varchar AS " name

constexpr SystemView kConstraintViews[] = {
    {kInformationSchema, "table_constraints",
     "SELECT " WANDIAN_CATALOG " AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name, " WANDIAN_CATALOG " AS table_catalog,"
     " nr.nspname AS table_schema, r.relname AS table_name,"
     " (CASE c.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END)::varchar AS constraint_type, "
     WANDIAN_YES_NO("c.condeferrable") " AS is_deferrable, " WANDIAN_YES_NO("c.condeferred") " AS initially_deferred, 'YES'::varchar(3) AS enforced,"
     " (CASE WHEN c.contype = 'u' THEN CASE WHEN (SELECT x.indnullsnotdistinct FROM pg_catalog.pg_index x WHERE x.indexrelid = c.conindid) THEN 'NO' ELSE 'YES' END"
     " END)::varchar(3) AS nulls_distinct"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
     " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace WHERE c.contype NOT IN ('t', 'x') AND r.relkind IN ('r', 'p')"
     " AND " WANDIAN_NOT_OTHERS_TEMPORARY("nr.oid") " AND " WANDIAN_MAY_CHANGE("r")
     " UNION ALL SELECT " WANDIAN_CATALOG ", nr.nspname, " NOT_NULL_NAME ", " WANDIAN_CATALOG ", nr.nspname, r.relname,"
     " 'CHECK'::varchar, 'NO'::varchar(3), 'NO'::varchar(3), 'YES'::varchar(3), NULL::varchar(3)" NOT_NULL_COLUMNS
     " AND " WANDIAN_NOT_OTHERS_TEMPORARY("nr.oid") " AND " WANDIAN_MAY_CHANGE("r")},
    {kInformationSchema, "check_constraints",
     "SELECT " WANDIAN_CATALOG " AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name,"
     " substring(pg_catalog.pg_get_constraintdef(c.oid) from 7)::varchar AS check_clause"
     " FROM pg_catalog.pg_constraint c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace LEFT JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
     " LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid WHERE c.contype = 'c' AND " WANDIAN_HAS_ROLE("coalesce(r.relowner, t.typowner)")
     " UNION SELECT " WANDIAN_CATALOG ", nr.nspname, " NOT_NULL_NAME ", (a.attname::text || ' IS NOT NULL')::varchar" NOT_NULL_COLUMNS
     " AND " WANDIAN_HAS_ROLE("r.relowner")},
    {kInformationSchema, "check_constraint_routine_usage",
     "SELECT DISTINCT " WANDIAN_CATALOG " AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name,"
     " " WANDIAN_CATALOG " AS specific_catalog, np.nspname AS specific_schema, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name"
     " FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace"
     " JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace np ON np.oid = p.pronamespace"
     " WHERE d.classid = 2606 AND d.refclassid = 1255 AND c.contype = 'c' AND " WANDIAN_HAS_ROLE("p.proowner")},
    {kInformationSchema, "key_column_usage",
     "SELECT " WANDIAN_CATALOG " AS constraint_catalog, k.cschema AS constraint_schema, k.conname AS constraint_name, " WANDIAN_CATALOG " AS table_catalog,"
     " k.tschema AS table_schema, k.relname AS table_name, a.attname AS column_name, (k.x).n::int4 AS ordinal_position,"
     " (CASE WHEN k.contype = 'f' THEN (SELECT (u.x).n FROM (SELECT information_schema._pg_expandarray(i.indkey::int2[]) AS x FROM pg_catalog.pg_index i"
     " WHERE i.indexrelid = k.conindid) u WHERE (u.x).x = k.confkey[(k.x).n]) END)::int4 AS position_in_unique_constraint"
     " FROM (SELECT nc.nspname AS cschema, nr.nspname AS tschema, r.relname, r.relowner, r.oid AS roid, c.conname, c.contype, c.conindid, c.confkey,"
     " information_schema._pg_expandarray(c.conkey) AS x"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
     " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace"
     " WHERE c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p') AND " WANDIAN_NOT_OTHERS_TEMPORARY("nr.oid") ") k"
     " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.roid AND a.attnum = (k.x).x WHERE NOT a.attisdropped AND "
     WANDIAN_MAY_USE_COLUMN("k.relowner", "k.roid", "a.attnum")},
    {kInformationSchema, "constraint_column_usage",
     "SELECT " WANDIAN_CATALOG " AS table_catalog, k.tschema AS table_schema, k.tname AS table_name, a.attname AS column_name, " WANDIAN_CATALOG
     " AS constraint_catalog, k.cschema AS constraint_schema, k.conname AS constraint_name"
     " FROM (SELECT nr.nspname AS tschema, r.relname AS tname, r.oid AS roid, nc.nspname AS cschema, c.conname,"
     " pg_catalog.unnest(CASE WHEN c.contype = 'f' THEN c.confkey ELSE c.conkey END) AS attnum" CONCERNED_TABLE " AND c.contype IN ('p', 'u', 'f', 'c')) k"
     " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.roid AND a.attnum = k.attnum WHERE NOT a.attisdropped"},
    {kInformationSchema, "constraint_table_usage",
     "SELECT " WANDIAN_CATALOG " AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name, " WANDIAN_CATALOG " AS constraint_catalog,"
     " nc.nspname AS constraint_schema, c.conname AS constraint_name" CONCERNED_TABLE " AND c.contype IN ('p', 'u', 'f')"},
    {kInformationSchema, "referential_constraints",
     "SELECT " WANDIAN_CATALOG " AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name,"
     " (CASE WHEN nu.nspname IS NOT NULL THEN " WANDIAN_CATALOG " END)::name AS unique_constraint_catalog,"
     " nu.nspname AS unique_constraint_schema, u.conname AS unique_constraint_name,"
     " (CASE c.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END)::varchar AS match_option, "
     RULE("c.confupdtype", "update_rule") ", " RULE("c.confdeltype", "delete_rule")
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
     " LEFT JOIN pg_catalog.pg_constraint u ON u.conindid = c.conindid AND u.contype IN ('p', 'u') AND u.conrelid = c.confrelid"
     " LEFT JOIN pg_catalog.pg_namespace nu ON nu.oid = u.connamespace WHERE c.contype = 'f' AND " WANDIAN_MAY_CHANGE("r")},
    {kInformationSchema, "domain_constraints",
     "SELECT " WANDIAN_CATALOG " AS constraint_catalog, cn.nspname AS constraint_schema, c.conname AS constraint_name, " WANDIAN_CATALOG " AS domain_catalog,"
     " n.nspname AS domain_schema, t.typname AS domain_name, " WANDIAN_YES_NO("c.condeferrable") " AS is_deferrable, "
     WANDIAN_YES_NO("c.condeferred") " AS initially_deferred"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.connamespace JOIN pg_catalog.pg_type t ON t.oid = c.contypid"
     " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE " WANDIAN_MAY_USE_TYPE("t.typowner", "t.oid")},
};
#undef NOT_NULL_NAME
#undef NOT_NULL_COLUMNS
#undef CONCERNED_TABLE
#undef RULE

}  // namespace

std::span<const SystemView> constraint_views() { return kConstraintViews; }

}  // namespace wandian::sql
