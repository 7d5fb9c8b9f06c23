// The catalogs as clients read them: every relation can be read whole, and the answers are PostgreSQL's.
#include "sql/catalog/system_relation.h"
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

class Catalogs : public ::testing::Test {
 protected:
  std::string query(std::string_view text) { return client.query(text); }
  World world;
  TestClient client{world};
};

TEST_F(Catalogs, EverySystemRelationCanBeReadWhole) {
  query("CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (a > 0), b text UNIQUE, FOREIGN KEY (a) REFERENCES t)");
  query("CREATE VIEW v AS SELECT id FROM t");
  for (const SystemRelation& relation : all_system_relations()) {
    const std::string name = (relation.schema == kPgCatalogSchema ? "pg_catalog." : "information_schema.") + relation.name;
    const std::string answer = query("SELECT * FROM " + name);
    EXPECT_EQ(answer.find("E("), std::string::npos) << name << ": " << answer.substr(0, 300);
    // Views give as many columns as PostgreSQL's do.
    const std::string columns = answer.substr(2, answer.find(')') - 2);
    EXPECT_EQ(static_cast<std::size_t>(std::count(columns.begin(), columns.end(), ',')) + 1, relation.columns.size()) << name;
  }
}

TEST_F(Catalogs, TypesOfViewsAreThoseOfPostgres) {
  for (const SystemRelation& relation : all_system_relations()) {
    const std::string name = (relation.schema == kPgCatalogSchema ? "pg_catalog." : "information_schema.") + relation.name;
    for (const SystemColumn& column : relation.columns) {
      if (relation.view_definition.empty()) break;
      const std::string answer = query("SELECT DISTINCT pg_typeof(\"" + column.name + "\")::oid FROM " + name + " LIMIT 1");
      if (answer.find("D(") == std::string::npos) continue;
      EXPECT_NE(answer.find("D(" + std::to_string(column.type) + ")"), std::string::npos) << name << "." << column.name << ": " << answer;
    }
  }
}

TEST_F(Catalogs, DescribesColumnsForDrivers) {
  query("CREATE TABLE t (id int PRIMARY KEY, a varchar(20) DEFAULT 'x' NOT NULL, n numeric(10,2), s text[])");
  EXPECT_EQ(query("SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a"
                  " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                  " WHERE a.attrelid = 't'::regclass AND a.attnum > 0 ORDER BY a.attnum"),
            "T(attname,format_type,attnotnull,pg_get_expr) D(id,integer,t,null) D(a,character varying(20),t,'x'::character varying)"
            " D(n,numeric(10,2),f,null) D(s,text[],f,null) C(SELECT 4)");
  EXPECT_EQ(query("SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable FROM information_schema.columns"
                  " WHERE table_name = 't' ORDER BY ordinal_position"),
            "T(column_name,data_type,character_maximum_length,numeric_precision,numeric_scale,is_nullable) D(id,integer,null,32,0,NO)"
            " D(a,character varying,20,null,null,NO) D(n,numeric,null,10,2,YES) D(s,ARRAY,null,null,null,YES) C(SELECT 4)");
}

TEST_F(Catalogs, PrintsDefinitionsAsPostgresDoes) {
  query("CREATE TABLE p (id int PRIMARY KEY)");
  query("CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0 AND a IN (1, 2, 3)), b text CHECK (b LIKE 'x%' OR length(b) > 3),"
        " p int REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL, ts timestamptz DEFAULT now(), d date DEFAULT CURRENT_DATE, n bigint DEFAULT -1)");
  EXPECT_EQ(query("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1"),
            "T(conname,pg_get_constraintdef) D(t_a_check,CHECK (((a > 0) AND (a = ANY (ARRAY[1, 2, 3])))))"
            " D(t_b_check,CHECK (((b ~~ 'x%'::text) OR (length(b) > 3)))) D(t_p_fkey,FOREIGN KEY (p) REFERENCES p(id) ON UPDATE CASCADE ON DELETE SET NULL)"
            " D(t_pkey,PRIMARY KEY (id)) C(SELECT 4)");
  EXPECT_EQ(query("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 't'::regclass ORDER BY adnum"),
            "T(pg_get_expr) D(now()) D(CURRENT_DATE) D('-1'::integer) C(SELECT 3)");
}

TEST_F(Catalogs, LeavesOutNeedlessParenthesesWhenAskedTo) {
  query("CREATE TABLE t (a int, b varchar(10), c numeric, CHECK (a + 1 * 2 > 3 - a), CHECK (b LIKE 'x%' AND (a = 1 OR a = 2)), CHECK (c > 0))");
  EXPECT_EQ(query("SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY oid"),
            "T(pg_get_constraintdef,pg_get_constraintdef) D(CHECK (((a + (1 * 2)) > (3 - a))),CHECK ((a + 1 * 2) > (3 - a)))"
            " D(CHECK ((((b)::text ~~ 'x%'::text) AND ((a = 1) OR (a = 2)))),CHECK (b::text ~~ 'x%'::text AND (a = 1 OR a = 2)))"
            " D(CHECK ((c > (0)::numeric)),CHECK (c > 0::numeric)) C(SELECT 3)");
}

TEST_F(Catalogs, AnswersWhatPsqlAsks) {
  query("CREATE TABLE t (id serial PRIMARY KEY, a int)");
  // \dt
  EXPECT_EQ(query("SELECT n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'table' END, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c"
                  " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam"
                  " WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema'"
                  " AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2"),
            "T(nspname,relname,case,pg_get_userbyid) D(public,t,table,wandian) C(SELECT 1)");
  // \d t
  EXPECT_EQ(query("SELECT c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid)"),
            "T(relname) D(t) C(SELECT 1)");
}

TEST_F(Catalogs, ResolvesNamesAndPrivileges) {
  query("CREATE TABLE t (id int PRIMARY KEY)");
  EXPECT_EQ(query("SELECT 't'::regclass::text, 'pg_class'::regclass::oid, 'int4'::regtype::text, to_regclass('nothing')"),
            "T(text,oid,text,to_regclass) D(t,1259,integer,null) C(SELECT 1)");
  EXPECT_EQ(query("SELECT 'nothing'::regclass"), "E(42P01: relation \"nothing\" does not exist)");
  EXPECT_EQ(query("SELECT has_table_privilege('t', 'SELECT'), has_schema_privilege('public', 'CREATE')"),
            "T(has_table_privilege,has_schema_privilege) D(t,t) C(SELECT 1)");
}

}  // namespace
}  // namespace wandian::sql
