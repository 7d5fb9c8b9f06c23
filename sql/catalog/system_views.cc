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

}  // namespace

std::span<const SystemView> system_views() { return kPgCatalogViews; }

}  // namespace wandian::sql
