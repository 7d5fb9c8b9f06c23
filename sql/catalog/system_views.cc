// Views over pg_catalog, as SQL that the binder expands.
#include "sql/catalog/producers.h"

namespace wandian::sql {

namespace {

constexpr SystemView kPgCatalogViews[] = {
    {kPgCatalogSchema, "pg_tables",
     "SELECT n.nspname AS schemaname, c.relname AS tablename, pg_catalog.pg_get_userbyid(c.relowner)::name AS tableowner, NULL::name AS tablespace,"
     " c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity"
     " FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"},
    {kPgCatalogSchema, "pg_views",
     "SELECT n.nspname AS schemaname, c.relname AS viewname, pg_catalog.pg_get_userbyid(c.relowner)::name AS viewowner,"
     " pg_catalog.pg_get_viewdef(c.oid) AS definition"
     " FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'"},
    {kPgCatalogSchema, "pg_matviews",
     "SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_catalog.pg_get_userbyid(c.relowner)::name AS matviewowner, NULL::name AS tablespace,"
     " c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, pg_catalog.pg_get_viewdef(c.oid) AS definition"
     " FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm'"},
    {kPgCatalogSchema, "pg_indexes",
     "SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, NULL::name AS tablespace,"
     " pg_catalog.pg_get_indexdef(i.oid) AS indexdef"
     " FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid"
     " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"},
};

// What every view of information_schema says of the database.
#define CATALOG "pg_catalog.current_database()::name"
// "typname" as information_schema.columns.data_type prints it.
#define DATA_TYPE(type)                                                                                                                   \
  "(CASE WHEN t.typcategory = 'A' THEN 'ARRAY' WHEN t.typtype = 'c' THEN 'USER-DEFINED' ELSE pg_catalog.format_type(" type ", NULL) END)::varchar"

// The same of a column, in the schema of pg_type t and its base bt. A domain's facts are those of what it is made over.
#define COLUMN_TYPE                                                                                                                       \
  "(CASE WHEN t.typtype = 'd' THEN CASE WHEN bt.typcategory = 'A' AND bt.typelem <> 0 THEN 'ARRAY' WHEN nbt.nspname = 'pg_catalog'"        \
  " THEN pg_catalog.format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END"                                                             \
  " WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN 'ARRAY' WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, NULL)" \
  " ELSE 'USER-DEFINED' END)::varchar"
#define TRUE_TYPE "(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END)"
#define TRUE_MODIFIER "(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)"

// What a role sees of relations: those that it may do something to.
#define VISIBLE_RELATION                                                                                                                  \
  " AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')" \
  " OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))"
// The relations that views read, and their columns.
#define VIEW_USES                                                                                                                         \
  " FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid" \
  " JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjid <> v.oid"                  \
  " JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace nt ON nt.oid = t.relnamespace"                          \
  " JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 WHERE v.relkind = 'v'"

constexpr SystemView kInformationSchemaViews[] = {
    {kInformationSchema, "information_schema_catalog_name", "SELECT " CATALOG " AS catalog_name"},
    {kInformationSchema, "schemata",
     "SELECT " CATALOG " AS catalog_name, n.nspname AS schema_name, pg_catalog.pg_get_userbyid(n.nspowner)::name AS schema_owner,"
     " NULL::name AS default_character_set_catalog, NULL::name AS default_character_set_schema, NULL::name AS default_character_set_name,"
     " NULL::varchar AS sql_path FROM pg_catalog.pg_namespace n"
     " WHERE pg_catalog.pg_has_role(n.nspowner, 'USAGE') OR pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE')"},
    {kInformationSchema, "tables",
     "SELECT " CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,"
     " (CASE WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END)::varchar AS table_type,"
     " NULL::name AS self_referencing_column_name, NULL::varchar AS reference_generation, NULL::name AS user_defined_type_catalog,"
     " NULL::name AS user_defined_type_schema, NULL::name AS user_defined_type_name,"
     " (CASE WHEN c.relkind IN ('r', 'p') OR c.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_insertable_into, 'NO'::varchar(3) AS is_typed, NULL::varchar AS commit_action"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'p')" VISIBLE_RELATION},
    {kInformationSchema, "views",
     "SELECT " CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, pg_catalog.pg_get_viewdef(c.oid)::varchar AS view_definition,"
     " (CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END)::varchar AS check_option,"
     " (CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_updatable,"
     " (CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_insertable_into,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 81 = 81) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_updatable,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 73 = 73) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_deletable,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 69 = 69) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_insertable_into"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'" VISIBLE_RELATION},
    {kInformationSchema, "columns",
     "SELECT " CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name, a.attnum::int4 AS ordinal_position,"
     " (CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)::varchar AS column_default,"
     " (CASE WHEN a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) THEN 'NO' ELSE 'YES' END)::varchar(3) AS is_nullable, " COLUMN_TYPE " AS data_type,"
     " (CASE WHEN " TRUE_TYPE " IN (1042, 1043) AND " TRUE_MODIFIER " > 0 THEN " TRUE_MODIFIER " - 4"
     " WHEN " TRUE_TYPE " IN (1560, 1562) AND " TRUE_MODIFIER " > 0 THEN " TRUE_MODIFIER " END)::int4 AS character_maximum_length,"
     " (CASE WHEN " TRUE_TYPE " IN (1042, 1043) AND " TRUE_MODIFIER " > 0 THEN (" TRUE_MODIFIER " - 4) * 4 WHEN " TRUE_TYPE " IN (25, 1042, 1043) THEN 1073741824 END)::int4"
     " AS character_octet_length,"
     " (CASE " TRUE_TYPE " WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53"
     " WHEN 1700 THEN CASE WHEN " TRUE_MODIFIER " > 0 THEN ((" TRUE_MODIFIER " - 4) >> 16) & 65535 END END)::int4 AS numeric_precision,"
     " (CASE WHEN " TRUE_TYPE " IN (20, 21, 23, 700, 701) THEN 2 WHEN " TRUE_TYPE " = 1700 THEN 10 END)::int4 AS numeric_precision_radix,"
     " (CASE WHEN " TRUE_TYPE " IN (20, 21, 23) THEN 0 WHEN " TRUE_TYPE " = 1700 AND " TRUE_MODIFIER " > 0 THEN (" TRUE_MODIFIER " - 4) & 2047 END)::int4 AS numeric_scale,"
     " (CASE WHEN " TRUE_TYPE " = 1082 THEN 0 WHEN " TRUE_TYPE " IN (1083, 1114, 1184, 1266) THEN CASE WHEN " TRUE_MODIFIER " >= 0 THEN " TRUE_MODIFIER " ELSE 6 END"
     " WHEN " TRUE_TYPE " = 1186 THEN CASE WHEN " TRUE_MODIFIER " >= 0 AND (" TRUE_MODIFIER " & 65535) <> 65535 THEN " TRUE_MODIFIER " & 65535 ELSE 6 END END)::int4 AS datetime_precision,"
     " NULL::varchar AS interval_type, NULL::int4 AS interval_precision, NULL::name AS character_set_catalog, NULL::name AS character_set_schema,"
     " NULL::name AS character_set_name, (CASE WHEN co.collname <> 'default' THEN " CATALOG " END)::name AS collation_catalog,"
     " (CASE WHEN co.collname <> 'default' THEN nco.nspname END)::name AS collation_schema,"
     " (CASE WHEN co.collname <> 'default' THEN co.collname END)::name AS collation_name,"
     " (CASE WHEN t.typtype = 'd' THEN " CATALOG " END)::name AS domain_catalog, (CASE WHEN t.typtype = 'd' THEN tn.nspname END)::name AS domain_schema,"
     " (CASE WHEN t.typtype = 'd' THEN t.typname END)::name AS domain_name, " CATALOG " AS udt_catalog, coalesce(nbt.nspname, tn.nspname)::name AS udt_schema,"
     " coalesce(bt.typname, t.typname)::name AS udt_name, NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name, NULL::int4 AS maximum_cardinality,"
     " a.attnum::text::name AS dtd_identifier, 'NO'::varchar(3) AS is_self_referencing,"
     " (CASE WHEN a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_identity,"
     " (CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END)::varchar AS identity_generation,"
     " s.seqstart::varchar AS identity_start, s.seqincrement::varchar AS identity_increment, s.seqmax::varchar AS identity_maximum,"
     " s.seqmin::varchar AS identity_minimum, (CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END)::varchar(3) AS identity_cycle, (CASE WHEN a.attgenerated = '' THEN 'NEVER' ELSE 'ALWAYS' END)::varchar AS is_generated,"
     " (CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)::varchar AS generation_expression, (CASE WHEN c.relkind IN ('r', 'p') OR (c.relkind = 'v' AND pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false)) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_updatable"
     " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
     " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace"
     " LEFT JOIN (pg_catalog.pg_type bt JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace) ON t.typtype = 'd' AND t.typbasetype = bt.oid"
     " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
     " LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace"
     " LEFT JOIN (pg_catalog.pg_depend dep JOIN pg_catalog.pg_sequence s ON dep.classid = 1259 AND dep.objid = s.seqrelid AND dep.deptype = 'i')"
     " ON dep.refclassid = 1259 AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum"
     " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'p') AND (pg_catalog.pg_has_role(c.relowner, 'USAGE')"
     " OR pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))"},
    {kInformationSchema, "domains",
     "SELECT " CATALOG " AS domain_catalog, tn.nspname AS domain_schema, t.typname AS domain_name,"
     " (CASE WHEN nbt.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END)::varchar AS data_type,"
     " (CASE WHEN t.typbasetype IN (1042, 1043) AND t.typtypmod > 0 THEN t.typtypmod - 4 WHEN t.typbasetype IN (1560, 1562) AND t.typtypmod > 0 THEN t.typtypmod END)::int4 AS character_maximum_length,"
     " (CASE WHEN t.typbasetype IN (1042, 1043) AND t.typtypmod > 0 THEN (t.typtypmod - 4) * 4 WHEN t.typbasetype IN (25, 1042, 1043) THEN 1073741824 END)::int4"
     " AS character_octet_length, NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,"
     " (CASE WHEN co.collname <> 'default' THEN " CATALOG " END)::name AS collation_catalog,"
     " (CASE WHEN co.collname <> 'default' THEN nco.nspname END)::name AS collation_schema,"
     " (CASE WHEN co.collname <> 'default' THEN co.collname END)::name AS collation_name,"
     " (CASE t.typbasetype WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53"
     " WHEN 1700 THEN CASE WHEN t.typtypmod > 0 THEN ((t.typtypmod - 4) >> 16) & 65535 END END)::int4 AS numeric_precision,"
     " (CASE WHEN t.typbasetype IN (20, 21, 23, 700, 701) THEN 2 WHEN t.typbasetype = 1700 THEN 10 END)::int4 AS numeric_precision_radix,"
     " (CASE WHEN t.typbasetype IN (20, 21, 23) THEN 0 WHEN t.typbasetype = 1700 AND t.typtypmod > 0 THEN (t.typtypmod - 4) & 2047 END)::int4 AS numeric_scale,"
     " (CASE WHEN t.typbasetype = 1082 THEN 0 WHEN t.typbasetype IN (1083, 1114, 1184, 1266, 1186) THEN CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE 6 END"
     " END)::int4 AS datetime_precision, NULL::varchar AS interval_type, NULL::int4 AS interval_precision, t.typdefault::varchar AS domain_default, " CATALOG
     " AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name,"
     " NULL::int4 AS maximum_cardinality, '1'::name AS dtd_identifier"
     " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype"
     " JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace LEFT JOIN pg_catalog.pg_collation co ON co.oid = t.typcollation LEFT JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace WHERE t.typtype = 'd'"},
    {kInformationSchema, "domain_constraints",
     "SELECT " CATALOG " AS constraint_catalog, cn.nspname AS constraint_schema, c.conname AS constraint_name, " CATALOG " AS domain_catalog,"
     " n.nspname AS domain_schema, t.typname AS domain_name, 'NO'::varchar(3) AS is_deferrable, 'NO'::varchar(3) AS initially_deferred"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.connamespace JOIN pg_catalog.pg_type t ON t.oid = c.contypid"
     " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"},
    {kInformationSchema, "domain_udt_usage",
     "SELECT " CATALOG " AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, " CATALOG " AS domain_catalog, n.nspname AS domain_schema,"
     " t.typname AS domain_name FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
     " JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace WHERE t.typtype = 'd'"},
    {kInformationSchema, "column_domain_usage",
     "SELECT " CATALOG " AS domain_catalog, n.nspname AS domain_schema, t.typname AS domain_name, " CATALOG " AS table_catalog, nc.nspname AS table_schema,"
     " c.relname AS table_name, a.attname AS column_name FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
     " JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
     " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'p')"},
    {kInformationSchema, "table_constraints",
     "SELECT " CATALOG " AS constraint_catalog, nc.nspname AS constraint_schema, co.conname AS constraint_name, " CATALOG " AS table_catalog,"
     " nr.nspname AS table_schema, r.relname AS table_name,"
     " (CASE co.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END)::varchar AS constraint_type,"
     " 'NO'::varchar(3) AS is_deferrable, 'NO'::varchar(3) AS initially_deferred, 'YES'::varchar(3) AS enforced,"
     " (CASE WHEN co.contype = 'u' THEN CASE WHEN (SELECT x.indnullsnotdistinct FROM pg_catalog.pg_index x WHERE x.indexrelid = co.conindid) THEN 'NO' ELSE 'YES' END"
     " END)::varchar(3) AS nulls_distinct"
     " FROM pg_catalog.pg_constraint co JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace JOIN pg_catalog.pg_class r ON r.oid = co.conrelid"
     " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace"
     " UNION ALL SELECT " CATALOG ", nr.nspname, (nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name, " CATALOG ", nr.nspname, r.relname,"
     " 'CHECK'::varchar, 'NO'::varchar, 'NO'::varchar, 'YES'::varchar, NULL::varchar"
     " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace"
     " WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')"},
    {kInformationSchema, "check_constraints",
     "SELECT " CATALOG " AS constraint_catalog, n.nspname AS constraint_schema, co.conname AS constraint_name,"
     " substring(pg_catalog.pg_get_constraintdef(co.oid) from 7)::varchar AS check_clause"
     " FROM pg_catalog.pg_constraint co JOIN pg_catalog.pg_namespace n ON n.oid = co.connamespace WHERE co.contype = 'c'"
     " UNION ALL SELECT " CATALOG ", nr.nspname, (nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,"
     " (a.attname::text || ' IS NOT NULL')::varchar"
     " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace"
     " WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')"},
    {kInformationSchema, "key_column_usage",
     "SELECT " CATALOG " AS constraint_catalog, k.nspname AS constraint_schema, k.conname AS constraint_name, " CATALOG " AS table_catalog,"
     " k.nspname AS table_schema, k.relname AS table_name, a.attname AS column_name, (k.x).n::int4 AS ordinal_position,"
     " (CASE WHEN k.contype = 'f' THEN (SELECT (u.x).n FROM (SELECT information_schema._pg_expandarray(i.indkey::int2[]) AS x FROM pg_catalog.pg_index i"
     " WHERE i.indexrelid = k.conindid) u WHERE (u.x).x = k.confkey[(k.x).n]) END)::int4 AS position_in_unique_constraint"
     " FROM (SELECT nr.nspname, r.relname, r.oid AS roid, c.conname, c.contype, c.conindid, c.confkey, information_schema._pg_expandarray(c.conkey) AS x"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.conrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace"
     " WHERE c.contype IN ('p', 'u', 'f')) k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.roid AND a.attnum = (k.x).x"},
    {kInformationSchema, "constraint_column_usage",
     "SELECT " CATALOG " AS table_catalog, k.tschema AS table_schema, k.tname AS table_name, a.attname AS column_name, " CATALOG " AS constraint_catalog,"
     " k.cschema AS constraint_schema, k.conname AS constraint_name"
     " FROM (SELECT nr.nspname AS tschema, r.relname AS tname, r.oid AS roid, nc.nspname AS cschema, c.conname,"
     " unnest(CASE WHEN c.contype = 'f' THEN c.confkey ELSE c.conkey END) AS attnum"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace"
     " JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END"
     " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace WHERE c.contype IN ('p', 'u', 'f', 'c')) k"
     " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.roid AND a.attnum = k.attnum"},
    {kInformationSchema, "constraint_table_usage",
     "SELECT " CATALOG " AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name, " CATALOG " AS constraint_catalog,"
     " nc.nspname AS constraint_schema, c.conname AS constraint_name"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace"
     " JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END"
     " JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace WHERE c.contype IN ('p', 'u', 'f')"},
    {kInformationSchema, "referential_constraints",
     "SELECT " CATALOG " AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name, " CATALOG " AS unique_constraint_catalog,"
     " nu.nspname AS unique_constraint_schema, u.conname AS unique_constraint_name,"
     " (CASE c.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' ELSE 'NONE' END)::varchar AS match_option,"
     " (CASE c.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END)::varchar AS update_rule,"
     " (CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END)::varchar AS delete_rule"
     " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace"
     " LEFT JOIN pg_catalog.pg_constraint u ON u.conindid = c.conindid AND u.contype IN ('p', 'u') AND u.conrelid = c.confrelid"
     " LEFT JOIN pg_catalog.pg_namespace nu ON nu.oid = u.connamespace WHERE c.contype = 'f'"},
    {kInformationSchema, "sequences",
     "SELECT " CATALOG " AS sequence_catalog, n.nspname AS sequence_schema, c.relname AS sequence_name, pg_catalog.format_type(s.seqtypid, NULL)::varchar AS data_type,"
     " (CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END)::int4 AS numeric_precision, 2::int4 AS numeric_precision_radix, 0::int4 AS numeric_scale,"
     " s.seqstart::varchar AS start_value, s.seqmin::varchar AS minimum_value, s.seqmax::varchar AS maximum_value, s.seqincrement::varchar AS increment,"
     " (CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END)::varchar(3) AS cycle_option"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid"
     " WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i')"
     " AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))"},
    {kInformationSchema, "view_table_usage",
     "SELECT DISTINCT " CATALOG " AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name, " CATALOG " AS table_catalog,"
     " nt.nspname AS table_schema, t.relname AS table_name" VIEW_USES " AND t.relkind IN ('r', 'v', 'p')"},
    {kInformationSchema, "view_column_usage",
     "SELECT DISTINCT " CATALOG " AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name, " CATALOG " AS table_catalog,"
     " nt.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name" VIEW_USES
     " AND t.relkind IN ('r', 'v', 'p') AND a.attnum = d.refobjsubid"},
    {kInformationSchema, "view_routine_usage",
     "SELECT DISTINCT " CATALOG " AS table_catalog, nv.nspname AS table_schema, v.relname AS table_name, " CATALOG " AS specific_catalog,"
     " np.nspname AS specific_schema, (p.proname || '_' || p.oid)::name AS specific_name"
     " FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid"
     " JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1255"
     " JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace np ON np.oid = p.pronamespace WHERE v.relkind = 'v'"},
    {kInformationSchema, "character_sets",
     "SELECT NULL::name AS character_set_catalog, NULL::name AS character_set_schema, 'UTF8'::name AS character_set_name, 'UCS'::name AS character_repertoire,"
     " 'UTF8'::name AS form_of_use, " CATALOG " AS default_collate_catalog, 'pg_catalog'::name AS default_collate_schema, 'C.UTF-8'::name AS default_collate_name"},
    {kInformationSchema, "collations",
     "SELECT " CATALOG " AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name, 'NO PAD'::varchar AS pad_attribute"
     " FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6)"},
    {kInformationSchema, "routines",
     "SELECT " CATALOG " AS specific_catalog, n.nspname AS specific_schema, (p.proname::text || '_' || p.oid::text)::name AS specific_name,"
     " " CATALOG " AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name,"
     " (CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END)::varchar AS routine_type, NULL::name AS module_catalog, NULL::name AS module_schema,"
     " NULL::name AS module_name, NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name,"
     " (CASE WHEN p.prokind = 'p' THEN NULL ELSE " DATA_TYPE("t.oid") " END)::varchar AS data_type, NULL::int4 AS character_maximum_length,"
     " NULL::int4 AS character_octet_length, NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,"
     " NULL::name AS collation_catalog, NULL::name AS collation_schema, NULL::name AS collation_name, NULL::int4 AS numeric_precision,"
     " NULL::int4 AS numeric_precision_radix, NULL::int4 AS numeric_scale, NULL::int4 AS datetime_precision, NULL::varchar AS interval_type,"
     " NULL::int4 AS interval_precision, " CATALOG " AS type_udt_catalog, nt.nspname AS type_udt_schema, t.typname AS type_udt_name, NULL::name AS scope_catalog,"
     " NULL::name AS scope_schema, NULL::name AS scope_name, NULL::int4 AS maximum_cardinality, '0'::name AS dtd_identifier, (CASE WHEN p.prolang = 14 THEN 'SQL' ELSE 'EXTERNAL' END)::varchar AS routine_body,"
     " p.prosrc::varchar AS routine_definition, (CASE WHEN p.prolang = 13 THEN p.prosrc END)::varchar AS external_name,"
     " pg_catalog.upper(l.lanname::text)::varchar AS external_language, 'GENERAL'::varchar AS parameter_style,"
     " (CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_deterministic, 'MODIFIES'::varchar AS sql_data_access,"
     " (CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_null_call, NULL::varchar AS sql_path, 'YES'::varchar(3) AS schema_level_routine,"
     " 0::int4 AS max_dynamic_result_sets, NULL::varchar(3) AS is_user_defined_cast, NULL::varchar(3) AS is_implicitly_invocable, "
     " (CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END)::varchar AS security_type,"
     " NULL::name AS to_sql_specific_catalog, NULL::name AS to_sql_specific_schema, NULL::name AS to_sql_specific_name, 'NO'::varchar(3) AS as_locator,"
     " NULL::timestamptz AS created, NULL::timestamptz AS last_altered, NULL::varchar(3) AS new_savepoint_level, 'NO'::varchar(3) AS is_udt_dependent,"
     " NULL::varchar AS result_cast_from_data_type, NULL::varchar(3) AS result_cast_as_locator, NULL::int4 AS result_cast_char_max_length,"
     " NULL::int4 AS result_cast_char_octet_length, NULL::name AS result_cast_char_set_catalog, NULL::name AS result_cast_char_set_schema,"
     " NULL::name AS result_cast_char_set_name, NULL::name AS result_cast_collation_catalog, NULL::name AS result_cast_collation_schema,"
     " NULL::name AS result_cast_collation_name, NULL::int4 AS result_cast_numeric_precision, NULL::int4 AS result_cast_numeric_precision_radix,"
     " NULL::int4 AS result_cast_numeric_scale, NULL::int4 AS result_cast_datetime_precision, NULL::varchar AS result_cast_interval_type,"
     " NULL::int4 AS result_cast_interval_precision, NULL::name AS result_cast_type_udt_catalog, NULL::name AS result_cast_type_udt_schema,"
     " NULL::name AS result_cast_type_udt_name, NULL::name AS result_cast_scope_catalog, NULL::name AS result_cast_scope_schema,"
     " NULL::name AS result_cast_scope_name, NULL::int4 AS result_cast_maximum_cardinality, NULL::name AS result_cast_dtd_identifier"
     " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_type t ON t.oid = p.prorettype"
     " JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.prokind IN ('f', 'p')"
     " AND (pg_catalog.pg_has_role(p.proowner, 'USAGE') OR pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))"},
    {kInformationSchema, "triggers",
     "SELECT " CATALOG " AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, em.event::varchar AS event_manipulation,"
     " " CATALOG " AS event_object_catalog, n.nspname AS event_object_schema, c.relname AS event_object_table,"
     " (SELECT 1 + count(*) FROM pg_catalog.pg_trigger o WHERE o.tgrelid = t.tgrelid AND o.tgtype::int4 & em.bit <> 0 AND o.tgtype::int4 & 67 = t.tgtype::int4 & 67"
     " AND o.tgname < t.tgname)::int4 AS action_order,"
     " ((pg_catalog.regexp_match(pg_catalog.pg_get_triggerdef(t.oid), '.{35,} WHEN \\((.+)\\) EXECUTE FUNCTION'))[1])::varchar AS action_condition,"
     " ((pg_catalog.regexp_match(pg_catalog.pg_get_triggerdef(t.oid), ' (EXECUTE FUNCTION .*)$'))[1])::varchar AS action_statement,"
     " (CASE t.tgtype::int4 & 1 WHEN 1 THEN 'ROW' ELSE 'STATEMENT' END)::varchar AS action_orientation,"
     " (CASE t.tgtype::int4 & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END)::varchar AS action_timing,"
     " t.tgoldtable AS action_reference_old_table, t.tgnewtable AS action_reference_new_table, NULL::name AS action_reference_old_row,"
     " NULL::name AS action_reference_new_row, NULL::timestamptz AS created"
     " FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON n.oid = c.relnamespace JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid"
     " JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS em(bit, event) ON t.tgtype::int4 & em.bit <> 0 WHERE NOT t.tgisinternal"},
};
#undef CATALOG
#undef DATA_TYPE

}  // namespace

std::span<const SystemView> system_views() { return kPgCatalogViews; }
std::span<const SystemView> information_schema_views() { return kInformationSchemaViews; }

}  // namespace wandian::sql
