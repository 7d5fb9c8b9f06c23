// Views and materialized views: what is kept of them outlives renaming and restarts.
#include "tests/sql/ddl_fixture.h"

namespace wandian::sql {
namespace {

class Views : public DdlFixture {
 protected:
  std::string detail() const { return client.sink.last_error.ok() ? "" : client.sink.last_error.error().detail; }
};

TEST_F(Views, FollowRenamedRelationsAndColumnsBeyondARestart) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 10)");
  query("CREATE TABLE u (id int, b text); INSERT INTO u VALUES (1, 'x')");
  EXPECT_EQ(query("CREATE VIEW v AS SELECT id, a, b FROM t JOIN u USING (id)"), "C(CREATE VIEW)");
  EXPECT_EQ(query("CREATE VIEW w AS SELECT v.a FROM v WHERE v.b IN ('x', 'y')"), "C(CREATE VIEW)");
  EXPECT_EQ(query("ALTER TABLE t RENAME COLUMN id TO number"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER TABLE t RENAME TO renamed"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER TABLE renamed ADD COLUMN id int"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER VIEW v RENAME TO seen"), "C(ALTER VIEW)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT * FROM seen"), "T(id,a,b) D(1,10,x) C(SELECT 1)");
  EXPECT_EQ(after.query("SELECT * FROM w"), "T(a) D(10) C(SELECT 1)");
  EXPECT_EQ(after.query("SELECT pg_get_viewdef('w'::regclass)"),
            "T(pg_get_viewdef) D( SELECT seen.a\n   FROM seen\n  WHERE (seen.b = ANY (ARRAY['x'::text, 'y'::text]));) C(SELECT 1)");
}

TEST_F(Views, SayWhatDependsOnThem) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT id FROM t; CREATE MATERIALIZED VIEW m AS SELECT id FROM v");
  EXPECT_EQ(query("DROP TABLE t"), "E(2BP01: cannot drop table t because other objects depend on it)");
  EXPECT_EQ(detail(), "view v depends on table t\nmaterialized view m depends on view v");
  EXPECT_EQ(query("ALTER TABLE t DROP COLUMN a"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER TABLE t ALTER COLUMN id TYPE bigint"), "E(0A000: cannot alter type of a column used by a view or rule)");
  EXPECT_EQ(detail(), "rule _RETURN on view v depends on column \"id\"");
}

TEST_F(Views, MaterializedOnesKeepTheirRowsBeyondARestart) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 10), (2, 20)");
  EXPECT_EQ(query("CREATE MATERIALIZED VIEW m AS SELECT id, a * 2 AS twice FROM t"), "C(SELECT 2)");
  EXPECT_EQ(query("CREATE UNIQUE INDEX ON m (id)"), "C(CREATE INDEX)");
  EXPECT_EQ(query("CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA"), "C(CREATE MATERIALIZED VIEW)");
  query("INSERT INTO t VALUES (3, 30)");
  EXPECT_EQ(query("SELECT count(*) FROM m"), "T(count) D(2) C(SELECT 1)");
  EXPECT_EQ(query("REFRESH MATERIALIZED VIEW CONCURRENTLY m"), "C(REFRESH MATERIALIZED VIEW)");
  query("DELETE FROM t");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT twice FROM m WHERE id = 3"), "T(twice) D(60) C(SELECT 1)");
  EXPECT_EQ(after.query("INSERT INTO m VALUES (4, 1)"), "E(42809: cannot change materialized view \"m\")");
  EXPECT_EQ(after.query("SELECT * FROM empty"), "E(55000: materialized view \"empty\" has not been populated)");
  EXPECT_EQ(after.query("REFRESH MATERIALIZED VIEW m"), "C(REFRESH MATERIALIZED VIEW)");
  EXPECT_EQ(after.query("SELECT count(*) FROM m"), "T(count) D(0) C(SELECT 1)");
}

}  // namespace
}  // namespace wandian::sql
