// information_schema's tables about the server itself, as SQL that the binder expands. `sql_features` has no rows.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

constexpr SystemView kStandardTables[] = {
    {kInformationSchema, "sql_features",
     "SELECT NULL::varchar AS feature_id, NULL::varchar AS feature_name, NULL::varchar AS sub_feature_id, NULL::varchar AS sub_feature_name,"
     " NULL::varchar(3) AS is_supported, NULL::varchar AS is_verified_by, NULL::varchar AS comments WHERE false"},
    {kInformationSchema, "sql_parts",
     "SELECT p.id::varchar AS feature_id, p.name::varchar AS feature_name, 'NO'::varchar(3) AS is_supported, NULL::varchar AS is_verified_by, ''::varchar AS comments"
     " FROM (VALUES ('1', 'Framework (SQL/Framework)'), ('2', 'Foundation (SQL/Foundation)'), ('3', 'Call-Level Interface (SQL/CLI)'), "
     "('4', 'Persistent Stored Modules (SQL/PSM)'), ('9', 'Management of External Data (SQL/MED)'), ('10', 'Object Language Bindings (SQL/OLB)'), "
     "('11', 'Information and Definition Schema (SQL/Schemata)'), ('13', 'Routines and Types Using the Java Programming Language (SQL/JRT)'), "
     "('14', 'XML-Related Specifications (SQL/XML)'), ('15', 'Multi-Dimensional Arrays (SQL/MDA)')) AS p(id, name)"},
    {kInformationSchema, "sql_sizing",
     "SELECT s.id AS sizing_id, s.name::varchar AS sizing_name, s.value::int4 AS supported_value,"
     " (CASE WHEN s.value = 63 THEN 'Might be less, depending on character set.' END)::varchar AS comments"
     " FROM (VALUES (0, 'MAXIMUM DRIVER CONNECTIONS', NULL), (1, 'MAXIMUM CONCURRENT ACTIVITIES', 0), (30, 'MAXIMUM COLUMN NAME LENGTH', 63), "
     "(31, 'MAXIMUM CURSOR NAME LENGTH', 63), (32, 'MAXIMUM SCHEMA NAME LENGTH', 63), (34, 'MAXIMUM CATALOG NAME LENGTH', 63), "
     "(35, 'MAXIMUM TABLE NAME LENGTH', 63), (97, 'MAXIMUM COLUMNS IN GROUP BY', 0), (99, 'MAXIMUM COLUMNS IN ORDER BY', 0), "
     "(100, 'MAXIMUM COLUMNS IN SELECT', 1664), (101, 'MAXIMUM COLUMNS IN TABLE', 1600), (106, 'MAXIMUM TABLES IN SELECT', 0), "
     "(107, 'MAXIMUM USER NAME LENGTH', 63), (10005, 'MAXIMUM IDENTIFIER LENGTH', 63), (20000, 'MAXIMUM STATEMENT OCTETS', 0), "
     "(20001, 'MAXIMUM STATEMENT OCTETS DATA', 0), (20002, 'MAXIMUM STATEMENT OCTETS SCHEMA', 0), "
     "(25000, 'MAXIMUM CURRENT DEFAULT TRANSFORM GROUP LENGTH', NULL), (25001, 'MAXIMUM CURRENT TRANSFORM GROUP LENGTH', NULL), "
     "(25002, 'MAXIMUM CURRENT PATH LENGTH', 0), (25003, 'MAXIMUM CURRENT ROLE LENGTH', NULL), (25004, 'MAXIMUM SESSION USER LENGTH', 63), "
     "(25005, 'MAXIMUM SYSTEM USER LENGTH', 63)) AS s(id, name, value)"},
    {kInformationSchema, "sql_implementation_info",
     "SELECT i.id::varchar AS implementation_info_id, i.name::varchar AS implementation_info_name, i.number::int4 AS integer_value,"
     " i.word::varchar AS character_value, i.comments::varchar AS comments"
     " FROM (VALUES ('2', 'DATA SOURCE NAME', NULL, '', NULL), ('13', 'SERVER NAME', NULL, '', NULL), "
     "('23', 'CURSOR COMMIT BEHAVIOR', 1, NULL, 'close cursors and retain prepared statements'), "
     "('26', 'DEFAULT TRANSACTION ISOLATION', 2, NULL, 'READ COMMITTED; user-settable'), "
     "('28', 'IDENTIFIER CASE', 3, NULL, 'stored in mixed case - case sensitive'), ('46', 'TRANSACTION CAPABLE', 2, NULL, 'both DML and DDL'), "
     "('85', 'NULL COLLATION', 0, NULL, 'nulls higher than non-nulls'), ('94', 'SPECIAL CHARACTERS', NULL, '', 'all non-ASCII characters allowed'), "
     "('10003', 'CATALOG NAME', NULL, 'Y', NULL)) AS i(id, name, number, word, comments)"
     " UNION ALL SELECT '10004', 'COLLATING SEQUENCE', NULL, c.default_collate_name::varchar, NULL FROM information_schema.character_sets c"
     " UNION ALL SELECT '17', 'DBMS NAME', NULL, pg_catalog.split_part(pg_catalog.version(), ' ', 1)::varchar, NULL"
     // 15.04.0000
     " UNION ALL SELECT '18', 'DBMS VERSION', NULL, (pg_catalog.split_part(v.number, '.', 1) || '.'"
     " || pg_catalog.lpad(pg_catalog.split_part(v.number, '.', 2), 2, '0') || '.0000')::varchar, NULL"
     " FROM (SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1)) v(number)"},
};

}  // namespace

std::span<const SystemView> standard_tables() { return kStandardTables; }

}  // namespace wandian::sql
