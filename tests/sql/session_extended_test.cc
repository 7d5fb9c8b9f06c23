// Prepared statements, portals, cursors.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

struct ExtendedTest : testing::Test {
  World world{1};
  TestClient client{world};
  void SetUp() override {
    ASSERT_EQ(client.query("CREATE TABLE t (a int PRIMARY KEY, b text)"), "C(CREATE TABLE)");
    ASSERT_EQ(client.query("INSERT INTO t SELECT i, 'r' || i FROM generate_series(1, 10) i"), "C(INSERT 0 10)");
  }
};

TEST_F(ExtendedTest, NamesOfStatementsAndPortalsFollowTheRules) {
  EXPECT_EQ(client.parse("s", "SELECT a FROM t WHERE a = $1"), "1");
  EXPECT_EQ(client.parse("s", "SELECT 2"), "E(42P05: prepared statement \"s\" already exists)");
  client.sync();
  EXPECT_EQ(client.bind("", "nosuch"), "E(26000: prepared statement \"nosuch\" does not exist)");
  client.sync();
  EXPECT_EQ(client.execute("nosuch"), "E(34000: portal \"nosuch\" does not exist)");
  client.sync();
  EXPECT_EQ(client.bind("", "s"), "E(08P01: bind message supplies 0 parameters, but prepared statement \"s\" requires 1)");
  client.sync();
  EXPECT_EQ(client.bind("", "s", {"x"}), "E(22P02: invalid input syntax for type integer: \"x\")");
  client.sync();
  EXPECT_EQ(client.run([](Session& s) { return s.describe_statement("s"); }), "t(23) T(a)");
  EXPECT_EQ(client.run([](Session& s) { return s.close_statement("s"); }), "3");
  EXPECT_EQ(client.run([](Session& s) { return s.close_statement("s"); }), "3");
  EXPECT_EQ(client.parse("", "SELECT 1; SELECT 2"), "E(42601: cannot insert multiple commands into a prepared statement)");
  client.sync();
  EXPECT_EQ(client.parse("", ""), "1");
  EXPECT_EQ(client.bind("", ""), "2");
  EXPECT_EQ(client.execute(), "I");
  client.sync();
}

TEST_F(ExtendedTest, PortalsStopAtTheirRowLimitAndGoOn) {
  client.query("BEGIN");
  client.parse("", "SELECT a FROM t ORDER BY a");
  client.bind("p", "");
  client.bind("q", "");
  EXPECT_EQ(client.execute("p", 2), "D(1) D(2) s");
  EXPECT_EQ(client.execute("q", 1), "D(1) s");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (0)"), "C(INSERT 0 1)");
  EXPECT_EQ(client.execute("p", 3), "D(3) D(4) D(5) s");
  EXPECT_EQ(client.execute("p", 0), "D(6) D(7) D(8) D(9) D(10) C(SELECT 5)");
  EXPECT_EQ(client.execute("p", 0), "C(SELECT 0)");
  client.sync();
  client.query("COMMIT");
  EXPECT_EQ(client.execute("q", 1), "E(34000: portal \"q\" does not exist)");
  client.sync();
}

TEST_F(ExtendedTest, BinaryResultsAreBinary) {
  client.parse("", "SELECT 258::int4");
  client.bind("", "", {}, {Format::kBinary});
  EXPECT_EQ(client.execute(), std::string("D(") + std::string("\0\0\1\2", 4) + ") C(SELECT 1)");
  client.sync();
}

TEST_F(ExtendedTest, PlansFollowDefinitionsUnlessTheShapeChanges) {
  client.parse("s", "SELECT * FROM t WHERE a = 1");
  client.run([](Session& s) { return s.describe_statement("s"); });
  client.sync();
  client.bind("", "s");
  EXPECT_EQ(client.execute(), "D(1,r1) C(SELECT 1)");
  client.sync();
  client.query("CREATE INDEX ON t (b)");
  client.bind("", "s");
  EXPECT_EQ(client.execute(), "D(1,r1) C(SELECT 1)");
  client.sync();
  EXPECT_EQ(client.query("ALTER TABLE t ADD COLUMN c int"), "C(ALTER TABLE)");
  EXPECT_EQ(client.bind("", "s"), "E(0A000: cached plan must not change result type)");
  EXPECT_EQ(client.sink.last_error.error().routine, "RevalidateCachedQuery");
  client.sync();
}

TEST_F(ExtendedTest, PrepareAndExecuteInSql) {
  EXPECT_EQ(client.query("PREPARE p (int) AS SELECT b FROM t WHERE a = $1"), "C(PREPARE)");
  EXPECT_EQ(client.query("EXECUTE p(3)"), "T(b) D(r3) C(SELECT 1)");
  EXPECT_EQ(client.query("EXECUTE p(1 + 1)"), "T(b) D(r2) C(SELECT 1)");
  EXPECT_EQ(client.query("EXECUTE p"), "E(42601: wrong number of parameters for prepared statement \"p\")");
  EXPECT_EQ(client.query("PREPARE p AS SELECT 1"), "E(42P05: prepared statement \"p\" already exists)");
  EXPECT_EQ(client.query("DEALLOCATE p"), "C(DEALLOCATE)");
  EXPECT_EQ(client.query("EXECUTE p(3)"), "E(26000: prepared statement \"p\" does not exist)");
  EXPECT_EQ(client.query("DEALLOCATE ALL"), "C(DEALLOCATE ALL)");
}

TEST_F(ExtendedTest, CreateTableAsTakesParameters) {
  EXPECT_EQ(client.parse("", "CREATE TABLE made AS SELECT a, $1::int + 1 AS n, $2 || b AS w FROM t WHERE a < $1"), "1");
  EXPECT_EQ(client.bind("", "", {"3", "w"}), "2");
  EXPECT_EQ(client.execute(), "C(SELECT 2)");
  client.sync();
  EXPECT_EQ(client.query("SELECT * FROM made ORDER BY a"), "T(a,n,w) D(1,4,wr1) D(2,4,wr2) C(SELECT 2)");
  EXPECT_EQ(client.parse("", "SELECT a, $1::int AS n INTO also FROM t WHERE a = $1"), "1");
  EXPECT_EQ(client.bind("", "", {"3"}), "2");
  EXPECT_EQ(client.execute(), "C(SELECT 1)");
  client.sync();
  EXPECT_EQ(client.query("SELECT * FROM also"), "T(a,n) D(3,3) C(SELECT 1)");
  EXPECT_EQ(client.query("CREATE TABLE other AS SELECT $1::int"), "E(42P02: there is no parameter $1)");
  EXPECT_EQ(client.query("SELECT $1::int INTO other"), "E(42P02: there is no parameter $1)");
}

TEST_F(ExtendedTest, CursorsGoForwardAndScrollWhereAsked) {
  EXPECT_EQ(client.query("DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a"),
            "E(25P01: DECLARE CURSOR can only be used in transaction blocks)");
  client.query("BEGIN");
  EXPECT_EQ(client.query("DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a"), "C(DECLARE CURSOR)");
  client.query("DELETE FROM t WHERE a = 2");
  EXPECT_EQ(client.query("FETCH 2 FROM c"), "T(a) D(1) D(2) C(FETCH 2)");
  EXPECT_EQ(client.query("MOVE 3 IN c"), "C(MOVE 3)");
  EXPECT_EQ(client.query("FETCH c"), "T(a) D(6) C(FETCH 1)");
  EXPECT_EQ(client.query("FETCH ALL c"), "T(a) D(7) D(8) D(9) D(10) C(FETCH 4)");
  EXPECT_EQ(client.query("CLOSE c"), "C(CLOSE CURSOR)");
  EXPECT_EQ(client.query("DECLARE s SCROLL CURSOR FOR SELECT a FROM t WHERE a > 7 ORDER BY a"), "C(DECLARE CURSOR)");
  EXPECT_EQ(client.query("FETCH LAST s"), "T(a) D(10) C(FETCH 1)");
  EXPECT_EQ(client.query("FETCH BACKWARD 2 s"), "T(a) D(9) D(8) C(FETCH 2)");
  EXPECT_EQ(client.query("FETCH PRIOR s"), "T(a) C(FETCH 0)");
  EXPECT_EQ(client.query("FETCH ABSOLUTE 2 s"), "T(a) D(9) C(FETCH 1)");
  EXPECT_EQ(client.query("FETCH RELATIVE -1 s"), "T(a) D(8) C(FETCH 1)");
  EXPECT_EQ(client.query("FETCH FORWARD 0 s"), "T(a) D(8) C(FETCH 1)");
  EXPECT_EQ(client.query("DECLARE s CURSOR FOR SELECT 1"), "E(42P03: cursor \"s\" already exists)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("FETCH s"), "E(34000: cursor \"s\" does not exist)");
}

TEST_F(ExtendedTest, HeldCursorsOutliveTheirTransaction) {
  client.query("BEGIN");
  client.query("DECLARE h CURSOR WITH HOLD FOR SELECT a FROM t WHERE a > 8 ORDER BY a");
  EXPECT_EQ(client.query("COMMIT"), "C(COMMIT)");
  client.query("DELETE FROM t");
  EXPECT_EQ(client.query("FETCH ALL h"), "T(a) D(9) D(10) C(FETCH 2)");
  EXPECT_EQ(client.query("CLOSE ALL"), "C(CLOSE CURSOR ALL)");
}

TEST_F(ExtendedTest, SlowClientsHoldTheirStatementBackAlone) {
  client.sink.limit = 2000;
  EXPECT_FALSE(client.start([](Session& s) { return s.query("SELECT i FROM generate_series(1, 1000) i"); }));
  TestClient other(world);
  EXPECT_EQ(other.query("SELECT 1"), "T(?column?) D(1) C(SELECT 1)");
  EXPECT_TRUE(client.finish());
  const std::string all = client.sink.take();
  EXPECT_NE(all.find("D(1000) C(SELECT 1000)"), std::string::npos);
}

TEST_F(ExtendedTest, ExplainShowsAPlan) {
  const std::string plan = client.query("EXPLAIN (COSTS OFF) SELECT * FROM t WHERE a = 1");
  EXPECT_TRUE(plan.starts_with("T(QUERY PLAN) D(")) << plan;
  EXPECT_TRUE(plan.ends_with("C(EXPLAIN)")) << plan;
  EXPECT_NE(client.query("EXPLAIN ANALYZE SELECT * FROM t").find("Execution Time"), std::string::npos);
}

// The inner side of a join in a correlated sub-select is read once an outer row of the statement, not once a row of the join.
TEST_F(ExtendedTest, WhatAJoinDoesNotChangeIsKept) {
  client.query("CREATE TABLE o (k int); INSERT INTO o VALUES (1), (2), (3)");
  client.query("CREATE TABLE x (v int); INSERT INTO x SELECT generate_series(1, 50)");
  client.query("CREATE TABLE y (k int, w int); INSERT INTO y SELECT g % 4, g FROM generate_series(1, 40) g");
  const std::string statement = "SELECT k, (SELECT sum(x.v * y.w) FROM x, y WHERE y.k = o.k AND x.v <> y.w) FROM o ORDER BY k";
  EXPECT_EQ(client.query(statement), "T(k,sum) D(1,237320) D(2,249680) D(3,262020) C(SELECT 3)");
  const std::string plan = client.query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement);
  EXPECT_NE(plan.find("Nested Loop"), std::string::npos) << plan;
  EXPECT_NE(plan.find("Materialize (actual rows=10 loops=150)"), std::string::npos) << plan;
  EXPECT_NE(plan.find("Seq Scan on y (actual rows=10 loops=3)"), std::string::npos) << plan;
}

}  // namespace
}  // namespace wandian::sql
