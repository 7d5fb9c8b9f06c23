// Pieces of the queries that information_schema's views are: groups of columns
// that many of them have, and who may see what. `WANDIAN_` keeps the names of these macros apart from those of other files in a batch.
#pragma once

#define WANDIAN_CATALOG "pg_catalog.current_database()::name"
#define WANDIAN_YES_NO(condition) "(CASE WHEN " condition " THEN 'YES' ELSE 'NO' END)::varchar(3)"

// ---- Who may see what ----

#define WANDIAN_HAS_ROLE(owner) "pg_catalog.pg_has_role(" owner ", 'USAGE')"
#define WANDIAN_NOT_OTHERS_TEMPORARY(schema) "NOT pg_catalog.pg_is_other_temp_schema(" schema ")"
/// Of a row `c` of pg_class: what the role may do anything to.
#define WANDIAN_MAY_USE(c)                                                                                                                \
  "(" WANDIAN_HAS_ROLE(c ".relowner") " OR pg_catalog.has_table_privilege(" c ".oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')" \
  " OR pg_catalog.has_any_column_privilege(" c ".oid, 'SELECT, INSERT, UPDATE, REFERENCES'))"
/// What it may do more to than read it.
#define WANDIAN_MAY_CHANGE(c)                                                                                                             \
  "(" WANDIAN_HAS_ROLE(c ".relowner") " OR pg_catalog.has_table_privilege(" c ".oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')" \
  " OR pg_catalog.has_any_column_privilege(" c ".oid, 'INSERT, UPDATE, REFERENCES'))"
#define WANDIAN_MAY_USE_COLUMN(owner, relation, column)                                                                                   \
  "(" WANDIAN_HAS_ROLE(owner) " OR pg_catalog.has_column_privilege(" relation ", " column ", 'SELECT, INSERT, UPDATE, REFERENCES'))"
#define WANDIAN_MAY_USE_TYPE(owner, type) "(" WANDIAN_HAS_ROLE(owner) " OR pg_catalog.has_type_privilege(" type ", 'USAGE'))"
#define WANDIAN_MAY_CALL(p) "(" WANDIAN_HAS_ROLE(p ".proowner") " OR pg_catalog.has_function_privilege(" p ".oid, 'EXECUTE'))"

// ---- What a type is ----

/// Of a row `t` of pg_type in the schema `n`.
#define WANDIAN_TYPE_NAME(t, n)                                                                                                           \
  "(CASE WHEN " t ".typelem <> 0 AND " t ".typlen = -1 THEN 'ARRAY' WHEN " n ".nspname = 'pg_catalog'"                                    \
  " THEN pg_catalog.format_type(" t ".oid, NULL) ELSE 'USER-DEFINED' END)::varchar"
/// What the type `t` of an attribute `a` is in truth: a domain is what it is made over.
#define WANDIAN_TRUE_TYPE "(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END)"
#define WANDIAN_TRUE_MODIFIER "(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)"
#define WANDIAN_LENGTHS(type, modifier)                                                                                                   \
  "(CASE WHEN " type " IN (1042, 1043) AND " modifier " > 0 THEN " modifier " - 4 WHEN " type " IN (1560, 1562) AND " modifier " > 0 THEN " modifier \
  " END)::int4 AS character_maximum_length,"                                                                                              \
  " (CASE WHEN " type " IN (1042, 1043) AND " modifier " > 0 THEN (" modifier " - 4) * 4 WHEN " type " IN (25, 1042, 1043) THEN 1073741824 END)::int4" \
  " AS character_octet_length"
#define WANDIAN_NUMBERS(type, modifier)                                                                                                   \
  "(CASE " type " WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53"                                      \
  " WHEN 1700 THEN CASE WHEN " modifier " > 0 THEN ((" modifier " - 4) >> 16) & 65535 END END)::int4 AS numeric_precision,"               \
  " (CASE WHEN " type " IN (20, 21, 23, 700, 701) THEN 2 WHEN " type " = 1700 THEN 10 END)::int4 AS numeric_precision_radix,"             \
  " (CASE WHEN " type " IN (20, 21, 23) THEN 0 WHEN " type " = 1700 AND " modifier " > 0 THEN (" modifier " - 4) & 65535 END)::int4 AS numeric_scale," \
  " (CASE WHEN " type " = 1082 THEN 0 WHEN " type " IN (1083, 1114, 1184, 1266) THEN CASE WHEN " modifier " >= 0 THEN " modifier " ELSE 6 END" \
  " WHEN " type " = 1186 THEN CASE WHEN " modifier " >= 0 AND " modifier " & 65535 <> 65535 THEN " modifier " & 65535 ELSE 6 END END)::int4"  \
  " AS datetime_precision,"                                                                                                               \
  " (CASE WHEN " type " = 1186 THEN pg_catalog.upper(substring(pg_catalog.format_type(" type ", " modifier ") from '^interval[()0-9]* (.*)$')) END)::varchar" \
  " AS interval_type, NULL::int4 AS interval_precision"
#define WANDIAN_NO_LENGTHS "NULL::int4 AS character_maximum_length, NULL::int4 AS character_octet_length"
#define WANDIAN_NO_NUMBERS                                                                                                                \
  "NULL::int4 AS numeric_precision, NULL::int4 AS numeric_precision_radix, NULL::int4 AS numeric_scale, NULL::int4 AS datetime_precision," \
  " NULL::varchar AS interval_type, NULL::int4 AS interval_precision"
#define WANDIAN_NO_CHARACTER_SET "NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name"
#define WANDIAN_NO_COLLATION "NULL::name AS collation_catalog, NULL::name AS collation_schema, NULL::name AS collation_name"
#define WANDIAN_NO_SCOPE "NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name, NULL::int4 AS maximum_cardinality"
/// Of what WANDIAN_JOIN_COLLATION joined; the default one is not shown.
#define WANDIAN_COLLATION                                                                                                                 \
  "(CASE WHEN nco.nspname IS NOT NULL THEN " WANDIAN_CATALOG " END)::name AS collation_catalog, nco.nspname AS collation_schema,"          \
  " co.collname AS collation_name"
#define WANDIAN_JOIN_COLLATION(collation)                                                                                                 \
  " LEFT JOIN (pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace)"                                \
  " ON co.oid = " collation " AND co.oid <> 100"

// ---- Routines ----

#define WANDIAN_SPECIFIC_NAME(p) "pg_catalog.nameconcatoid(" p ".proname, " p ".oid)"
#define WANDIAN_ARGUMENT_TYPES(p) "information_schema._pg_expandarray(coalesce(" p ".proallargtypes, " p ".proargtypes::oid[]))"
