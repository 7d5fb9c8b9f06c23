// Functions, procedures and triggers in sessions: where they wait, what an error undoes, what transactions and other sessions see.
// Their results and errors are compared with PostgreSQL's in tests/clients/statements/plpgsql.sql and triggers.sql.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

// With one shard, and with two: the second client then is on the other one, and rows are spread.
struct RoutineTest : testing::TestWithParam<unsigned> {
  World world{GetParam()};
  TestClient client{world};
  const unsigned last = GetParam() - 1;
  void SetUp() override { ASSERT_EQ(client.query("CREATE TABLE t (a int PRIMARY KEY, b int)"), "C(CREATE TABLE)"); }
  void create(std::string_view definition) {
    const std::string answer = client.query(definition);
    ASSERT_EQ(answer.substr(0, 9), "C(CREATE ") << definition << '\n' << answer;
  }
};

TEST_P(RoutineTest, FunctionsWriteAndSeeWhatTheyWrote) {
  create("CREATE FUNCTION fill(n int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN"
         " FOR i IN 1..n LOOP INSERT INTO t VALUES (i, i * 10); END LOOP; RETURN (SELECT sum(b) FROM t); END $$");
  EXPECT_EQ(client.query("SELECT fill(20)"), "T(fill) D(2100) C(SELECT 1)");
  EXPECT_EQ(client.extended("SELECT fill($1)", {"0"}), "1 2 D(2100) C(SELECT 1)");
  EXPECT_EQ(TestClient(world, last).query("SELECT count(*) FROM t"), "T(count) D(20) C(SELECT 1)");
}

// A function that has written is called for each row of a query that does not see its rows.
TEST_P(RoutineTest, TheCallersSnapshotStays) {
  client.query("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
  create("CREATE FUNCTION put(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (n + 100, 0); RETURN n; END $$");
  EXPECT_EQ(client.query("SELECT put(a) FROM t ORDER BY a"), "T(put) D(1) D(2) D(3) C(SELECT 3)");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(6) C(SELECT 1)");
}

TEST_P(RoutineTest, AnErrorUndoesTheStatementAndACaughtOneItsBlock) {
  create("CREATE FUNCTION try(n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (n, 0);"
         " BEGIN INSERT INTO t VALUES (n + 1, 0); INSERT INTO t VALUES (n, 1); EXCEPTION WHEN unique_violation THEN RETURN SQLSTATE; END;"
         " RETURN 'none'; END $$");
  EXPECT_EQ(client.query("SELECT try(1)"), "T(try) D(23505) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT a FROM t"), "T(a) D(1) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT try(1)"), "T(try) E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.query("SELECT try(5), 1 / (try(9)::int - 23505)"), "T(try,?column?) E(22012: division by zero)");
  EXPECT_EQ(client.query("SELECT a FROM t"), "T(a) D(1) C(SELECT 1)");
  client.query("BEGIN");
  client.query("SELECT try(20)");
  client.query("SAVEPOINT s");
  client.query("SELECT try(30)");
  client.query("ROLLBACK TO s");
  client.query("COMMIT");
  EXPECT_EQ(TestClient(world, last).query("SELECT a FROM t ORDER BY a"), "T(a) D(1) D(20) C(SELECT 2)");
}

TEST_P(RoutineTest, StatementsInsideWaitForLocks) {
  client.query("INSERT INTO t VALUES (1, 1)");
  create("CREATE FUNCTION add() RETURNS int LANGUAGE plpgsql AS $$ DECLARE v int; BEGIN"
         " UPDATE t SET b = b + 1 WHERE a = 1 RETURNING b INTO v; RETURN v; END $$");
  client.query("BEGIN");
  client.query("UPDATE t SET b = 10 WHERE a = 1");
  TestClient other(world, last);
  const auto call = [](Session& s) { return s.query("SELECT add()"); };
  EXPECT_FALSE(other.start(call));
  EXPECT_FALSE(other.finish(5));
  world.at(last, [&](Shard&) { other.session->cancel(); });
  EXPECT_TRUE(other.finish());
  EXPECT_EQ(other.sink.take(), "T(add) E(57014: canceling statement due to user request)");
  EXPECT_FALSE(other.start(call));
  client.query("COMMIT");
  EXPECT_TRUE(other.finish());
  EXPECT_EQ(other.sink.take(), "T(add) D(11) C(SELECT 1)");
}

TEST_P(RoutineTest, ALoopWithoutEndStops) {
  const auto loop = [](Session& s) { return s.query("DO $$ BEGIN LOOP END LOOP; END $$"); };
  EXPECT_FALSE(client.start(loop));
  EXPECT_FALSE(client.finish(5));
  world.at(0, [&](Shard&) { client.session->cancel(); });
  EXPECT_TRUE(client.finish());
  EXPECT_EQ(client.sink.take(), "E(57014: canceling statement due to user request)");
  EXPECT_EQ(client.query("SELECT 1"), "T(?column?) D(1) C(SELECT 1)");
}

TEST_P(RoutineTest, ProceduresEndTransactions) {
  create("CREATE PROCEDURE halves() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..6 LOOP INSERT INTO t VALUES (i, 0);"
         " IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF; END LOOP; INSERT INTO t VALUES (6, 0); END $$");
  EXPECT_EQ(client.query("CALL halves()"), "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.status(), 'I');
  EXPECT_EQ(TestClient(world, last).query("SELECT a FROM t ORDER BY a"), "T(a) D(2) D(4) D(6) C(SELECT 3)");
  client.query("BEGIN");
  EXPECT_EQ(client.query("CALL halves()"), "E(2D000: invalid transaction termination)");
  client.query("ROLLBACK");
}

TEST_P(RoutineTest, TriggersChangeRowsAndFollowForeignKeys) {
  client.query("CREATE TABLE parts (a int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE)");
  client.query("CREATE TABLE log (n serial PRIMARY KEY, what text)");
  create("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (what) VALUES (TG_TABLE_NAME || ' ' || OLD.a);"
         " RETURN NULL; END $$");
  create("CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := NEW.b * 2; RETURN NEW; END $$");
  create("CREATE TRIGGER g AFTER DELETE ON parts FOR EACH ROW EXECUTE FUNCTION note()");
  create("CREATE TRIGGER g AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note()");
  create("CREATE TRIGGER h BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION twice()");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3) RETURNING b"), "T(b) D(2) D(4) D(6) C(INSERT 0 3)");
  EXPECT_EQ(client.query("UPDATE t SET b = b + 1 WHERE a = 2 RETURNING b"), "T(b) D(10) C(UPDATE 1)");
  client.query("INSERT INTO parts SELECT g, 1 + g % 2 FROM generate_series(1, 4) g");
  EXPECT_EQ(client.query("DELETE FROM t WHERE a < 3"), "C(DELETE 2)");
  EXPECT_EQ(client.query("SELECT count(*), min(what), max(what) FROM log"), "T(count,min,max) D(6,parts 1,t 2) C(SELECT 1)");
}

// Copies of the rows that a statement wrote, wherever they are; a statement's own, however deep triggers nest.
TEST_P(RoutineTest, TransitionTablesHoldTheStatementsRows) {
  client.query("CREATE TABLE sums (n bigint, s bigint)");
  create("CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO sums SELECT count(*), sum(b) FROM fresh; RETURN NULL; END $$");
  create("CREATE TRIGGER s AFTER INSERT ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sum_up()");
  EXPECT_EQ(client.query("INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g"), "C(INSERT 0 1000)");
  EXPECT_EQ(client.query("INSERT INTO t SELECT 1, 1 WHERE false"), "C(INSERT 0 0)");
  EXPECT_EQ(client.query("SELECT * FROM sums"), "T(n,s) D(1000,500500) D(0,null) C(SELECT 2)");
}

// A function that is replaced by another session makes what calls it anew, under statements that were kept.
TEST_P(RoutineTest, ChecksCallFunctionsAsTheyAreNow) {
  create("CREATE FUNCTION fine(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n < 10; END $$");
  EXPECT_EQ(client.query("ALTER TABLE t ADD CONSTRAINT c CHECK (fine(b))"), "C(ALTER TABLE)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1, 1)"), "C(INSERT 0 1)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (2, 20)"), "E(23514: new row for relation \"t\" violates check constraint \"c\")");
  TestClient other(world, last);
  EXPECT_EQ(other.query("UPDATE t SET b = 11"), "E(23514: new row for relation \"t\" violates check constraint \"c\")");
  EXPECT_EQ(other.query("CREATE OR REPLACE FUNCTION fine(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n < 100; END $$"), "C(CREATE FUNCTION)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (2, 20)"), "C(INSERT 0 1)");
  EXPECT_EQ(client.query("UPDATE t SET b = 11 WHERE a = 1"), "C(UPDATE 1)");
}

TEST_P(RoutineTest, DeferredTriggersFireBeforeTheCommitAndMayRefuseIt) {
  client.query("CREATE TABLE log (x int)");
  create("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.b < 0 THEN RAISE EXCEPTION 'negative'; END IF;"
         " INSERT INTO log VALUES (NEW.a); RETURN NULL; END $$");
  create("CREATE CONSTRAINT TRIGGER l AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()");
  client.query("BEGIN");
  client.query("INSERT INTO t VALUES (1, 1), (2, 2)");
  EXPECT_EQ(client.query("SELECT count(*) FROM log"), "T(count) D(0) C(SELECT 1)");
  client.query("COMMIT");
  TestClient other(world, last);
  EXPECT_EQ(other.query("SELECT x FROM log ORDER BY x"), "T(x) D(1) D(2) C(SELECT 2)");
  EXPECT_EQ(other.query("INSERT INTO t VALUES (3, -3)"), "E(P0001: negative)");
  other.query("BEGIN");
  other.query("INSERT INTO t VALUES (3, -3)");
  EXPECT_EQ(other.query("COMMIT"), "E(P0001: negative)");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(2) C(SELECT 1)");
}

TEST_P(RoutineTest, ViewsGiveTheirRowsToTriggers) {
  client.query("INSERT INTO t VALUES (1, 10), (2, 20)");
  client.query("CREATE VIEW v AS SELECT a, sum(b) AS s FROM t GROUP BY a");
  create("CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET b = NEW.s WHERE a = OLD.a; NEW.s := NEW.s * 2; RETURN NEW; END $$");
  create("CREATE TRIGGER i INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION instead()");
  EXPECT_EQ(client.query("UPDATE v SET s = s + a WHERE a = 1 RETURNING a, s"), "T(a,s) D(1,22) C(UPDATE 1)");
  EXPECT_EQ(client.query("UPDATE v SET s = s + a WHERE a = 2 RETURNING a, s"), "T(a,s) D(2,44) C(UPDATE 1)");
  EXPECT_EQ(TestClient(world, last).query("SELECT b FROM t ORDER BY a"), "T(b) D(11) D(22) C(SELECT 2)");
}

TEST_P(RoutineTest, DefinitionsOutliveARestart) {
  create("CREATE FUNCTION plus(a int, b int DEFAULT 1) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN a + b; END $$");
  create("CREATE FUNCTION set_b() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := plus(NEW.a); RETURN NEW; END $$");
  create("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.b IS NULL) EXECUTE FUNCTION set_b()");
  client.close();
  world.restart();
  TestClient again(world, last);
  EXPECT_EQ(again.query("INSERT INTO t VALUES (1), (2) RETURNING b"), "T(b) D(2) D(3) C(INSERT 0 2)");
  EXPECT_EQ(again.query("DROP FUNCTION set_b"), "E(2BP01: cannot drop function set_b() because other objects depend on it)");
  EXPECT_EQ(again.query("DROP TRIGGER g ON t"), "C(DROP TRIGGER)");
  EXPECT_EQ(again.query("DROP FUNCTION set_b"), "C(DROP FUNCTION)");
}

TEST_P(RoutineTest, WhatCallsFunctionsOutlivesARestart) {
  create("CREATE FUNCTION small(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n < 10; END $$");
  create("CREATE DOMAIN digit AS int CHECK (small(VALUE))");
  EXPECT_EQ(client.query("ALTER TABLE t ADD CONSTRAINT c CHECK (small(b)), ADD COLUMN d digit"), "C(ALTER TABLE)");
  client.query("CREATE VIEW v AS SELECT a FROM t");
  create("CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t (a) VALUES (NEW.a * 10); RETURN NEW; END $$");
  create("CREATE TRIGGER p INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION put()");
  create("CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT sum(a) FROM fresh) < 800 THEN"
         " INSERT INTO t (a, b) SELECT 900 + sum(a), 1 FROM fresh; END IF; RETURN NULL; END $$");
  create("CREATE TRIGGER s AFTER INSERT ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION counted()");
  client.close();
  world.restart();
  TestClient again(world, last);
  EXPECT_EQ(again.query("INSERT INTO v VALUES (1) RETURNING a"), "T(a) D(1) C(INSERT 0 1)");
  EXPECT_EQ(again.query("SELECT a FROM t ORDER BY a"), "T(a) D(10) D(910) C(SELECT 2)");
  EXPECT_EQ(again.query("INSERT INTO t VALUES (1, 10)"), "E(23514: new row for relation \"t\" violates check constraint \"c\")");
  EXPECT_EQ(again.query("UPDATE t SET d = a"), "E(23514: value for domain digit violates check constraint \"digit_check\")");
}

// A definition that another session replaces is seen by the next statement.
TEST_P(RoutineTest, ReplacedFunctionsAreSeenByOthers) {
  create("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  TestClient other(world, last);
  EXPECT_EQ(other.query("SELECT one()"), "T(one) D(1) C(SELECT 1)");
  create("CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2; END'");
  EXPECT_EQ(other.query("SELECT one()"), "T(one) D(2) C(SELECT 1)");
}

TEST_P(RoutineTest, RecursionEnds) {
  create("CREATE FUNCTION deep(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN n = 0 THEN 0 ELSE 1 + deep(n - 1) END; END $$");
  EXPECT_EQ(client.query("SELECT deep(20)"), "T(deep) D(20) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT deep(1000000)"), "T(deep) E(54001: stack depth limit exceeded)");
  EXPECT_EQ(client.query("SELECT deep(3)"), "T(deep) D(3) C(SELECT 1)");
}

INSTANTIATE_TEST_SUITE_P(Shards, RoutineTest, testing::Values(1u, 2u));

}  // namespace
}  // namespace wandian::sql
