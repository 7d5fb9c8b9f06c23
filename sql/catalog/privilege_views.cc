// information_schema's views of privileges and roles, as SQL that the binder expands.
#include "sql/catalog/producers.h"
#include "sql/catalog/view_text.h"

namespace wandian::sql {

namespace {

// What is granted, by whom and to whom, on the rows of a catalog `o`.
#define EXPLODED(acl, kind, owner) ", LATERAL pg_catalog.aclexplode(coalesce(" acl ", pg_catalog.acldefault('" kind "', " owner "))) AS g"
#define GRANTEES "(SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) AS grantee(oid, rolname)"
#define CONCERNED                                                                                                                         \
  "(pg_catalog.pg_has_role(grantor.oid, 'USAGE') OR pg_catalog.pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')"
#define GRANTABLE(owner)                                                                                                                  \
  "(CASE WHEN pg_catalog.pg_has_role(grantee.oid, " owner ", 'USAGE') OR g.is_grantable THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_grantable"
#define WHO "SELECT grantor.rolname::name AS grantor, grantee.rolname::name AS grantee, "
#define OF_ENABLED_ROLES                                                                                                                  \
  " WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles)"

constexpr SystemView kViews[] = {
    {kInformationSchema, "enabled_roles", "SELECT r.rolname::name AS role_name FROM pg_catalog.pg_authid r WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')"},
    {kInformationSchema, "applicable_roles",
     "SELECT a.rolname::name AS grantee, b.rolname::name AS role_name, (CASE WHEN m.admin_option THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_grantable"
     " FROM (SELECT member, roleid, admin_option FROM pg_catalog.pg_auth_members UNION SELECT d.datdba, r.oid, false FROM pg_catalog.pg_database d, pg_catalog.pg_authid r"
     " WHERE d.datname = pg_catalog.current_database() AND r.rolname = 'pg_database_owner') AS m(member, roleid, admin_option)"
     " JOIN pg_catalog.pg_authid a ON m.member = a.oid JOIN pg_catalog.pg_authid b ON m.roleid = b.oid WHERE pg_catalog.pg_has_role(a.oid, 'USAGE')"},
    {kInformationSchema, "administrable_role_authorizations",
     "SELECT a.grantee, a.role_name, a.is_grantable FROM information_schema.applicable_roles a WHERE a.is_grantable = 'YES'"},
    {kInformationSchema, "table_privileges",
     WHO WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, g.privilege_type::varchar AS privilege_type, " GRANTABLE("c.relowner")
     ", (CASE WHEN g.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END)::varchar(3) AS with_hierarchy"
     " FROM pg_catalog.pg_class c" EXPLODED("c.relacl", "r", "c.relowner") ", pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'f', 'p') AND g.grantee = grantee.oid AND g.grantor = grantor.oid"
     " AND g.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER') AND " CONCERNED},
    {kInformationSchema, "role_table_grants", "SELECT p.* FROM information_schema.table_privileges p" OF_ENABLED_ROLES},
    {kInformationSchema, "column_privileges",
     "SELECT grantor.rolname::name AS grantor, grantee.rolname::name AS grantee, " WANDIAN_CATALOG " AS table_catalog, n.nspname AS table_schema, x.relname AS table_name,"
     " x.attname AS column_name, x.prtype::varchar AS privilege_type,"
     " (CASE WHEN pg_catalog.pg_has_role(x.grantee, x.relowner, 'USAGE') OR x.grantable THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_grantable"
     " FROM (SELECT g.grantor, g.grantee, a.attname, c.relname, c.relnamespace, g.privilege_type, g.is_grantable, c.relowner"
     " FROM pg_catalog.pg_class c" EXPLODED("c.relacl", "r", "c.relowner") ", pg_catalog.pg_attribute a"
     " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')"
     " UNION SELECT g.grantor, g.grantee, a.attname, c.relname, c.relnamespace, g.privilege_type, g.is_grantable, c.relowner"
     " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON a.attrelid = c.oid" EXPLODED("a.attacl", "c", "c.relowner")
     " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')) AS x(grantor, grantee, attname, relname, relnamespace, prtype, grantable, relowner),"
     " pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE x.relnamespace = n.oid AND x.grantee = grantee.oid AND x.grantor = grantor.oid AND x.prtype IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES') AND " CONCERNED},
    {kInformationSchema, "role_column_grants", "SELECT p.* FROM information_schema.column_privileges p" OF_ENABLED_ROLES},
    {kInformationSchema, "routine_privileges",
     WHO WANDIAN_CATALOG " AS specific_catalog, n.nspname AS specific_schema, " WANDIAN_SPECIFIC_NAME("p") " AS specific_name, " WANDIAN_CATALOG
     " AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name, 'EXECUTE'::varchar AS privilege_type, " GRANTABLE("p.proowner")
     " FROM pg_catalog.pg_proc p" EXPLODED("p.proacl", "f", "p.proowner") ", pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE p.pronamespace = n.oid AND g.grantee = grantee.oid AND g.grantor = grantor.oid AND g.privilege_type = 'EXECUTE' AND " CONCERNED},
    {kInformationSchema, "role_routine_grants", "SELECT p.* FROM information_schema.routine_privileges p" OF_ENABLED_ROLES},
    {kInformationSchema, "udt_privileges",
     WHO WANDIAN_CATALOG " AS udt_catalog, n.nspname AS udt_schema, t.typname AS udt_name, 'TYPE USAGE'::varchar AS privilege_type, " GRANTABLE("t.typowner")
     " FROM pg_catalog.pg_type t" EXPLODED("t.typacl", "T", "t.typowner") ", pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE t.typnamespace = n.oid AND t.typtype = 'c' AND g.grantee = grantee.oid AND g.grantor = grantor.oid AND g.privilege_type = 'USAGE' AND " CONCERNED},
    {kInformationSchema, "role_udt_grants", "SELECT p.* FROM information_schema.udt_privileges p" OF_ENABLED_ROLES},
    {kInformationSchema, "usage_privileges",
     "SELECT u.rolname::name AS grantor, 'PUBLIC'::name AS grantee, " WANDIAN_CATALOG " AS object_catalog, n.nspname AS object_schema, c.collname AS object_name,"
     " 'COLLATION'::varchar AS object_type, 'USAGE'::varchar AS privilege_type, 'NO'::varchar(3) AS is_grantable"
     " FROM pg_catalog.pg_authid u, pg_catalog.pg_namespace n, pg_catalog.pg_collation c WHERE u.oid = c.collowner AND c.collnamespace = n.oid AND c.collencoding IN (-1, 6)"
     " UNION ALL " WHO WANDIAN_CATALOG ", n.nspname, t.typname, 'DOMAIN'::varchar, 'USAGE'::varchar, " GRANTABLE("t.typowner")
     " FROM pg_catalog.pg_type t" EXPLODED("t.typacl", "T", "t.typowner") ", pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE t.typnamespace = n.oid AND t.typtype = 'd' AND g.grantee = grantee.oid AND g.grantor = grantor.oid AND g.privilege_type = 'USAGE' AND " CONCERNED
     " UNION ALL " WHO WANDIAN_CATALOG ", n.nspname, c.relname, 'SEQUENCE'::varchar, 'USAGE'::varchar, " GRANTABLE("c.relowner")
     " FROM pg_catalog.pg_class c" EXPLODED("c.relacl", "r", "c.relowner") ", pg_catalog.pg_namespace n, pg_catalog.pg_authid grantor, " GRANTEES
     " WHERE c.relnamespace = n.oid AND c.relkind = 'S' AND g.grantee = grantee.oid AND g.grantor = grantor.oid AND g.privilege_type = 'USAGE' AND " CONCERNED},
    {kInformationSchema, "role_usage_grants", "SELECT p.* FROM information_schema.usage_privileges p" OF_ENABLED_ROLES},
};

}  // namespace

std::span<const SystemView> privilege_views() { return kViews; }

}  // namespace wandian::sql
