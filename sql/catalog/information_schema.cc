// information_schema's views of schemas, relations, columns, triggers and what views use, as SQL that the binder expands.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

// A column's type, of pg_type t and its base bt.
#define COLUMN_TYPE                                                                                                                       \
  "(CASE WHEN t.typtype = 'd' THEN " WANDIAN_TYPE_NAME("bt", "nbt") " ELSE " WANDIAN_TYPE_NAME("t", "tn") " END)::varchar"
// Relations of some kinds that the role may do something to.
#define SEEN_RELATIONS(kinds)                                                                                                             \
  " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN (" kinds ") AND "               \
  WANDIAN_NOT_OTHERS_TEMPORARY("n.oid") " AND " WANDIAN_MAY_USE("c")
// Triggers of tables that it may change.
#define OF_CHANGEABLE " WHERE NOT t.tgisinternal AND " WANDIAN_NOT_OTHERS_TEMPORARY("n.oid") " AND " WANDIAN_MAY_CHANGE("c")
// What views `v` name, by the dependencies `d` of their rules.
#define VIEW WANDIAN_CATALOG " AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name"
#define TABLE WANDIAN_CATALOG " AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name"
#define VIEW_USES(catalog)                                                                                                                \
  " FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace nv ON nv.oid = v.relnamespace AND v.relkind = 'v'"                            \
  " JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = " catalog

constexpr SystemView kInformationSchemaViews[] = {
    {kInformationSchema, "information_schema_catalog_name", "SELECT " WANDIAN_CATALOG " AS catalog_name"},
    {kInformationSchema, "schemata",
     "SELECT " WANDIAN_CATALOG " AS catalog_name, n.nspname AS schema_name, pg_catalog.pg_get_userbyid(n.nspowner)::name AS schema_owner,"
     " NULL::name AS default_character_set_catalog, NULL::name AS default_character_set_schema, NULL::name AS default_character_set_name,"
     " NULL::varchar AS sql_path FROM pg_catalog.pg_namespace n"
     " WHERE " WANDIAN_HAS_ROLE("n.nspowner") " OR pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE')"},
    {kInformationSchema, "tables",
     "SELECT " WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,"
     " (CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'BASE TABLE' END)::varchar AS table_type,"
     " NULL::name AS self_referencing_column_name, NULL::varchar AS reference_generation, NULL::name AS user_defined_type_catalog,"
     " NULL::name AS user_defined_type_schema, NULL::name AS user_defined_type_name,"
     " (CASE WHEN c.relkind IN ('r', 'p') OR c.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END)::varchar(3)"
     " AS is_insertable_into, 'NO'::varchar(3) AS is_typed, NULL::varchar AS commit_action" SEEN_RELATIONS("'r', 'v', 'p'")},
    {kInformationSchema, "views",
     "SELECT " WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, (CASE WHEN " WANDIAN_HAS_ROLE("c.relowner") " THEN pg_catalog.pg_get_viewdef(c.oid) END)::varchar AS view_definition,"
     " (CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END)::varchar AS check_option,"
     " (CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_updatable,"
     " (CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_insertable_into,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 81 = 81) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_updatable,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 73 = 73) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_deletable,"
     " (CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype::int4 & 69 = 69) THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_insertable_into"
     SEEN_RELATIONS("'v'")},
    {kInformationSchema, "columns",
     "SELECT " WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name, a.attnum::int4 AS ordinal_position,"
     " (CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)::varchar AS column_default,"
     " (CASE WHEN a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) THEN 'NO' ELSE 'YES' END)::varchar(3) AS is_nullable, " COLUMN_TYPE " AS data_type,"
     " " WANDIAN_LENGTHS(WANDIAN_TRUE_TYPE, WANDIAN_TRUE_MODIFIER) ", " WANDIAN_NUMBERS(WANDIAN_TRUE_TYPE, WANDIAN_TRUE_MODIFIER) ", "
     WANDIAN_NO_CHARACTER_SET ", " WANDIAN_COLLATION ","
     " (CASE WHEN t.typtype = 'd' THEN " WANDIAN_CATALOG " END)::name AS domain_catalog, (CASE WHEN t.typtype = 'd' THEN tn.nspname END)::name AS domain_schema,"
     " (CASE WHEN t.typtype = 'd' THEN t.typname END)::name AS domain_name, " WANDIAN_CATALOG " AS udt_catalog, coalesce(nbt.nspname, tn.nspname)::name AS udt_schema,"
     " coalesce(bt.typname, t.typname)::name AS udt_name, " WANDIAN_NO_SCOPE ","
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
     WANDIAN_JOIN_COLLATION("a.attcollation")
     " LEFT JOIN (pg_catalog.pg_depend dep JOIN pg_catalog.pg_sequence s ON dep.classid = 1259 AND dep.objid = s.seqrelid AND dep.deptype = 'i')"
     " ON dep.refclassid = 1259 AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum"
     " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'p') AND " WANDIAN_NOT_OTHERS_TEMPORARY("n.oid") " AND "
     WANDIAN_MAY_USE_COLUMN("c.relowner", "c.oid", "a.attnum")},
    {kInformationSchema, "sequences",
     "SELECT " WANDIAN_CATALOG " AS sequence_catalog, n.nspname AS sequence_schema, c.relname AS sequence_name, pg_catalog.format_type(s.seqtypid, NULL)::varchar AS data_type,"
     " (CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END)::int4 AS numeric_precision, 2::int4 AS numeric_precision_radix, 0::int4 AS numeric_scale,"
     " s.seqstart::varchar AS start_value, s.seqmin::varchar AS minimum_value, s.seqmax::varchar AS maximum_value, s.seqincrement::varchar AS increment,"
     " (CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END)::varchar(3) AS cycle_option"
     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid"
     " WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i')"
     " AND " WANDIAN_NOT_OTHERS_TEMPORARY("n.oid") " AND (" WANDIAN_HAS_ROLE("c.relowner") " OR pg_catalog.has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))"},
    // The database's collation, by the longest of its names.
    {kInformationSchema, "character_sets",
     "SELECT NULL::name AS character_set_catalog, NULL::name AS character_set_schema, e.name AS character_set_name,"
     " (CASE WHEN e.name = 'UTF8' THEN 'UCS' ELSE e.name END)::name AS character_repertoire, e.name AS form_of_use, " WANDIAN_CATALOG
     " AS default_collate_catalog, n.nspname AS default_collate_schema, c.collname AS default_collate_name"
     " FROM (SELECT pg_catalog.getdatabaseencoding()) e(name) CROSS JOIN pg_catalog.pg_database d"
     " LEFT JOIN (pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace) ON c.collcollate = d.datcollate AND c.collctype = d.datctype"
     " WHERE d.datname = pg_catalog.current_database() ORDER BY pg_catalog.char_length(c.collname) DESC, c.collname LIMIT 1"},
    {kInformationSchema, "collations",
     "SELECT " WANDIAN_CATALOG " AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name, 'NO PAD'::varchar AS pad_attribute"
     " FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6)"},
    {kInformationSchema, "triggers",
     "SELECT " WANDIAN_CATALOG " AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, em.event::varchar AS event_manipulation,"
     " " WANDIAN_CATALOG " AS event_object_catalog, n.nspname AS event_object_schema, c.relname AS event_object_table,"
     " (rank() OVER (PARTITION BY c.oid, em.bit, t.tgtype::int4 & 1, t.tgtype::int4 & 66 ORDER BY t.tgname))::int4 AS action_order,"
     " (CASE WHEN " WANDIAN_HAS_ROLE("c.relowner") " THEN (pg_catalog.regexp_match(pg_catalog.pg_get_triggerdef(t.oid), '.{35,} WHEN \\((.+)\\) EXECUTE FUNCTION'))[1] END)::varchar"
     " AS action_condition,"
     " ((pg_catalog.regexp_match(pg_catalog.pg_get_triggerdef(t.oid), ' (EXECUTE FUNCTION .*)$'))[1])::varchar AS action_statement,"
     " (CASE t.tgtype::int4 & 1 WHEN 1 THEN 'ROW' ELSE 'STATEMENT' END)::varchar AS action_orientation,"
     " (CASE t.tgtype::int4 & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END)::varchar AS action_timing,"
     " t.tgoldtable AS action_reference_old_table, t.tgnewtable AS action_reference_new_table, NULL::name AS action_reference_old_row,"
     " NULL::name AS action_reference_new_row, NULL::timestamptz(2) AS created"
     " FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON n.oid = c.relnamespace JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid"
     " JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS em(bit, event) ON t.tgtype::int4 & em.bit <> 0" OF_CHANGEABLE},
    {kInformationSchema, "triggered_update_columns",
     "SELECT " WANDIAN_CATALOG " AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, " WANDIAN_CATALOG " AS event_object_catalog,"
     " n.nspname AS event_object_schema, c.relname AS event_object_table, a.attname AS event_object_column"
     " FROM (SELECT g.tgrelid, g.tgname, pg_catalog.unnest(g.tgattr::int2[]) AS attnum FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal) t"
     " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
     " JOIN pg_catalog.pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = t.attnum WHERE " WANDIAN_NOT_OTHERS_TEMPORARY("n.oid")
     " AND (" WANDIAN_HAS_ROLE("c.relowner") " OR pg_catalog.has_column_privilege(c.oid, a.attnum, 'INSERT, UPDATE, REFERENCES'))"},
    {kInformationSchema, "view_table_usage",
     "SELECT DISTINCT " VIEW ", " TABLE VIEW_USES("1259") " JOIN pg_catalog.pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid"
     " JOIN pg_catalog.pg_namespace nt ON nt.oid = t.relnamespace WHERE t.relkind IN ('r', 'v', 'f', 'p') AND " WANDIAN_HAS_ROLE("t.relowner")},
    {kInformationSchema, "view_column_usage",
     "SELECT DISTINCT " VIEW ", " TABLE ", a.attname AS column_name" VIEW_USES("1259") " JOIN pg_catalog.pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid"
     " JOIN pg_catalog.pg_namespace nt ON nt.oid = t.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
     " WHERE t.relkind IN ('r', 'v', 'f', 'p') AND " WANDIAN_HAS_ROLE("t.relowner")},
    {kInformationSchema, "view_routine_usage",
     "SELECT DISTINCT " WANDIAN_CATALOG " AS table_catalog, nv.nspname AS table_schema, v.relname AS table_name, " WANDIAN_CATALOG " AS specific_catalog,"
     " np.nspname AS specific_schema, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name" VIEW_USES("1255")
     " JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace np ON np.oid = p.pronamespace WHERE " WANDIAN_HAS_ROLE("p.proowner")},
    {kInformationSchema, "collation_character_set_applicability",
     "SELECT " WANDIAN_CATALOG " AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name, NULL::name AS character_set_catalog,"
     " NULL::name AS character_set_schema, pg_catalog.getdatabaseencoding() AS character_set_name"
     " FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6)"},
};
#undef COLUMN_TYPE
#undef SEEN_RELATIONS
#undef OF_CHANGEABLE
#undef VIEW
#undef TABLE
#undef VIEW_USES

}  // namespace

std::span<const SystemView> information_schema_views() { return kInformationSchemaViews; }

}  // namespace wandian::sql
