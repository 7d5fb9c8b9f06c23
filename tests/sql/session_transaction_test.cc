// Transaction blocks, savepoints, implicit transactions, characteristics.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

constexpr const char* kAborted = "E(25P02: current transaction is aborted, commands ignored until end of transaction block)";

// With one shard, and with two: the second client then is on the other one.
struct TransactionTest : testing::TestWithParam<unsigned> {
  World world{GetParam()};
  TestClient client{world};
  const unsigned last = GetParam() - 1;
  void SetUp() override { ASSERT_EQ(client.query("CREATE TABLE t (a int PRIMARY KEY)"), "C(CREATE TABLE)"); }
  std::string rows() { return TestClient(world, last).query("SELECT a FROM t ORDER BY a"); }
};

TEST_P(TransactionTest, BlocksCommitAndRollBack) {
  EXPECT_EQ(client.query("BEGIN"), "C(BEGIN)");
  EXPECT_EQ(client.status(), 'T');
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1)"), "C(INSERT 0 1)");
  EXPECT_EQ(rows(), "T(a) C(SELECT 0)");
  EXPECT_EQ(client.query("SELECT a FROM t"), "T(a) D(1) C(SELECT 1)");
  EXPECT_EQ(client.query("COMMIT"), "C(COMMIT)");
  EXPECT_EQ(client.status(), 'I');
  EXPECT_EQ(rows(), "T(a) D(1) C(SELECT 1)");
  client.query("START TRANSACTION");
  client.query("DELETE FROM t");
  EXPECT_EQ(client.query("ROLLBACK"), "C(ROLLBACK)");
  EXPECT_EQ(rows(), "T(a) D(1) C(SELECT 1)");
}

TEST_P(TransactionTest, WarnsWhereNothingIsToBeginOrEnd) {
  EXPECT_EQ(client.query("COMMIT"), "N(25P01: there is no transaction in progress) C(COMMIT)");
  EXPECT_EQ(client.query("ROLLBACK"), "N(25P01: there is no transaction in progress) C(ROLLBACK)");
  client.query("BEGIN");
  EXPECT_EQ(client.query("BEGIN"), "N(25001: there is already a transaction in progress) C(BEGIN)");
  client.query("END");
  EXPECT_EQ(client.query("COMMIT AND CHAIN"), "E(25P01: COMMIT AND CHAIN can only be used in transaction blocks)");
  EXPECT_EQ(client.query("SAVEPOINT s"), "E(25P01: SAVEPOINT can only be used in transaction blocks)");
  EXPECT_EQ(client.query("ROLLBACK TO s"), "E(25P01: ROLLBACK TO SAVEPOINT can only be used in transaction blocks)");
  EXPECT_EQ(client.query("RELEASE s"), "E(25P01: RELEASE SAVEPOINT can only be used in transaction blocks)");
}

TEST_P(TransactionTest, AFailedBlockTakesNothingButItsEnd) {
  client.query("BEGIN");
  client.query("INSERT INTO t VALUES (1)");
  EXPECT_EQ(client.query("SELECT 1/0"), "T(?column?) E(22012: division by zero)");
  EXPECT_EQ(client.status(), 'E');
  EXPECT_EQ(client.query("SELECT 1"), kAborted);
  EXPECT_EQ(client.query("INSERT INTO t VALUES (2)"), kAborted);
  EXPECT_EQ(client.query("SELEC"), "E(42601: syntax error at or near \"SELEC\")");
  EXPECT_EQ(client.parse("", "SELECT 1"), kAborted);
  EXPECT_EQ(client.query("COMMIT"), "C(ROLLBACK)");
  EXPECT_EQ(client.status(), 'I');
  EXPECT_EQ(rows(), "T(a) C(SELECT 0)");
}

TEST_P(TransactionTest, SavepointsNestAndTheirNamesMayComeAgain) {
  client.query("BEGIN");
  client.query("INSERT INTO t VALUES (1)");
  EXPECT_EQ(client.query("SAVEPOINT s"), "C(SAVEPOINT)");
  client.query("INSERT INTO t VALUES (2)");
  client.query("SAVEPOINT s");
  client.query("INSERT INTO t VALUES (3)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1)"), "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.status(), 'E');
  EXPECT_EQ(client.query("RELEASE s"), kAborted);
  EXPECT_EQ(client.query("ROLLBACK TO s"), "C(ROLLBACK)");
  EXPECT_EQ(client.status(), 'T');
  EXPECT_EQ(client.query("SELECT a FROM t ORDER BY a"), "T(a) D(1) D(2) C(SELECT 2)");
  EXPECT_EQ(client.query("ROLLBACK TO SAVEPOINT s"), "C(ROLLBACK)");
  EXPECT_EQ(client.query("RELEASE SAVEPOINT s"), "C(RELEASE)");
  EXPECT_EQ(client.query("ROLLBACK TO s"), "C(ROLLBACK)");
  EXPECT_EQ(client.query("SELECT a FROM t ORDER BY a"), "T(a) D(1) C(SELECT 1)");
  EXPECT_EQ(client.query("ROLLBACK TO nosuch"), "E(3B001: savepoint \"nosuch\" does not exist)");
  EXPECT_EQ(client.query("ROLLBACK TO s"), "C(ROLLBACK)");
  EXPECT_EQ(client.query("COMMIT"), "C(COMMIT)");
  EXPECT_EQ(rows(), "T(a) D(1) C(SELECT 1)");
}

TEST_P(TransactionTest, ChainKeepsTheCharacteristics) {
  client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  EXPECT_EQ(client.query("COMMIT AND CHAIN"), "C(COMMIT)");
  EXPECT_EQ(client.status(), 'T');
  EXPECT_EQ(client.query("SHOW transaction_isolation"), "T(transaction_isolation) D(repeatable read) C(SHOW)");
  EXPECT_EQ(client.query("SHOW transaction_read_only"), "T(transaction_read_only) D(on) C(SHOW)");
  client.query("SELECT 1/0");
  EXPECT_EQ(client.query("COMMIT AND CHAIN"), "C(ROLLBACK)");
  EXPECT_EQ(client.status(), 'T');
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("SHOW transaction_isolation"), "T(transaction_isolation) D(read committed) C(SHOW)");
}

TEST_P(TransactionTest, ReadOnlyRefusesWrites) {
  client.query("BEGIN READ ONLY");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1)"), "E(25006: cannot execute INSERT in a read-only transaction)");
  client.query("ROLLBACK");
  client.query("BEGIN");
  client.query("SET TRANSACTION READ ONLY");
  EXPECT_EQ(client.query("CREATE TABLE u (a int)"), "E(25006: cannot execute CREATE TABLE in a read-only transaction)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("SET default_transaction_read_only = on"), "C(SET) S(default_transaction_read_only=on)");
  EXPECT_EQ(client.extended("DELETE FROM t"), "1 2 E(25006: cannot execute DELETE in a read-only transaction)");
  EXPECT_EQ(client.query("BEGIN READ WRITE; DELETE FROM t; COMMIT"), "C(BEGIN) C(DELETE 0) C(COMMIT)");
}

TEST_P(TransactionTest, IsolationLevelsAreFixedByTheFirstQuery) {
  client.query("BEGIN");
  EXPECT_EQ(client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), "C(SET)");
  client.query("SELECT a FROM t");
  TestClient(world, last).query("INSERT INTO t VALUES (9)");
  EXPECT_EQ(client.query("SELECT a FROM t"), "T(a) C(SELECT 0)");
  EXPECT_EQ(client.query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
            "E(25001: SET TRANSACTION ISOLATION LEVEL must be called before any query)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("SELECT a FROM t"), "T(a) D(9) C(SELECT 1)");
  EXPECT_EQ(client.query("BEGIN ISOLATION LEVEL SERIALIZABLE"), "C(BEGIN)");
  EXPECT_EQ(client.query("SHOW transaction_isolation"), "T(transaction_isolation) D(serializable) C(SHOW)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("SET TRANSACTION READ ONLY"), "N(25P01: SET TRANSACTION can only be used in transaction blocks) C(SET)");
}

TEST_P(TransactionTest, APipelineIsOneTransactionUntilSync) {
  client.parse("ins", "INSERT INTO t VALUES ($1)");
  client.sync();
  client.bind("", "ins", {"1"});
  EXPECT_EQ(client.execute(), "C(INSERT 0 1)");
  client.bind("", "ins", {"1"});
  EXPECT_EQ(client.execute(), "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.sync(), "");
  EXPECT_EQ(client.status(), 'I');
  EXPECT_EQ(rows(), "T(a) C(SELECT 0)");
  client.bind("", "ins", {"1"});
  client.execute();
  client.bind("", "ins", {"2"});
  client.execute();
  client.sync();
  EXPECT_EQ(rows(), "T(a) D(1) D(2) C(SELECT 2)");
  // BEGIN within a pipeline takes what came before into its block.
  client.bind("", "ins", {"3"});
  client.execute();
  client.parse("", "BEGIN");
  client.bind("", "");
  EXPECT_EQ(client.execute(), "C(BEGIN)");
  client.sync();
  EXPECT_EQ(client.status(), 'T');
  client.query("ROLLBACK");
  EXPECT_EQ(rows(), "T(a) D(1) D(2) C(SELECT 2)");
}

TEST_P(TransactionTest, APipelineIsNoTransactionBlock) {
  const auto second = [&](const std::string& text) {
    client.parse("", "SELECT 1");
    client.bind("", "");
    client.execute();
    client.parse("", text);
    client.bind("", "");
    const std::string answer = client.execute();
    client.sync();
    return answer;
  };
  EXPECT_EQ(second("SAVEPOINT s"), "E(25P01: SAVEPOINT can only be used in transaction blocks)");
  EXPECT_EQ(second("LOCK TABLE t"), "E(25P01: LOCK TABLE can only be used in transaction blocks)");
  EXPECT_EQ(second("SET LOCAL work_mem = '5MB'"), "N(25P01: SET LOCAL can only be used in transaction blocks) C(SET)");
  EXPECT_EQ(second("VACUUM t"), "E(25001: VACUUM cannot be executed within a pipeline)");
  EXPECT_EQ(second("COMMIT"), "N(25P01: there is no transaction in progress) C(COMMIT)");
  EXPECT_EQ(second("BEGIN ISOLATION LEVEL REPEATABLE READ"),
            "E(25001: SET TRANSACTION ISOLATION LEVEL must be called before any query)");
  EXPECT_EQ(client.status(), 'I');
}

TEST_P(TransactionTest, ConnectionsThatEndRollBack) {
  {
    TestClient other(world, last);
    other.query("BEGIN");
    other.query("INSERT INTO t VALUES (5)");
  }
  EXPECT_EQ(client.query("INSERT INTO t VALUES (5)"), "C(INSERT 0 1)");
}

TEST_P(TransactionTest, MaintenanceIsAcceptedOutsideOfBlocks) {
  EXPECT_EQ(client.query("VACUUM ANALYZE t"), "C(VACUUM)");
  EXPECT_EQ(client.query("ANALYZE"), "C(ANALYZE)");
  EXPECT_EQ(client.query("VACUUM nosuch"), "E(42P01: relation \"nosuch\" does not exist)");
  EXPECT_EQ(client.query("CHECKPOINT"), "C(CHECKPOINT)");
  EXPECT_EQ(client.query("BEGIN; VACUUM t"), "C(BEGIN) E(25001: VACUUM cannot run inside a transaction block)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("LOCK TABLE t"), "E(25P01: LOCK TABLE can only be used in transaction blocks)");
  EXPECT_EQ(client.query("BEGIN; LOCK TABLE t IN SHARE MODE; COMMIT"), "C(BEGIN) C(LOCK TABLE) C(COMMIT)");
  EXPECT_EQ(client.query("DO $$ BEGIN END $$"), "C(DO)");
}

TEST_P(TransactionTest, WaitsForLocksEndByCancelTimeoutOrGrant) {
  client.query("INSERT INTO t VALUES (1)");
  client.query("BEGIN");
  client.query("UPDATE t SET a = 1 WHERE a = 1");
  TestClient other(world, last);
  EXPECT_FALSE(other.start([](Session& s) { return s.query("DELETE FROM t WHERE a = 1"); }));
  EXPECT_FALSE(other.finish(5));
  world.at(last, [&](Shard&) { other.session->cancel(); });
  EXPECT_TRUE(other.finish());
  EXPECT_EQ(other.sink.take(), "E(57014: canceling statement due to user request)");
  other.query("SET lock_timeout = '5ms'");
  EXPECT_EQ(other.query("DELETE FROM t WHERE a = 1"), "E(55P03: canceling statement due to lock timeout)");
  other.query("SET lock_timeout = 0; SET statement_timeout = '7ms'");
  EXPECT_EQ(other.query("DELETE FROM t WHERE a = 1"), "E(57014: canceling statement due to statement timeout)");
  other.query("SET statement_timeout = 0");
  EXPECT_FALSE(other.start([](Session& s) { return s.query("DELETE FROM t WHERE a = 1"); }));
  client.query("COMMIT");
  EXPECT_TRUE(other.finish());
  EXPECT_EQ(other.sink.take(), "C(DELETE 1)");
}

// None of them ever waits for long: the cancellation must be seen between one wait, or one share of a turn, and the next.
TEST_P(TransactionTest, LongStatementsEndByCancel) {
  client.query("INSERT INTO t SELECT generate_series(1, 100)");
  client.query("CREATE TABLE child (a int REFERENCES t)");
  TestClient other(world, last);
  world.env.set_look_us(50);
  for (const char* statement : {
           "SELECT FROM t a, t b, t c, t d FOR UPDATE OF a",
           "INSERT INTO child SELECT 1 FROM generate_series(1, 1000000000)",
           "UPDATE t SET a = t.a FROM t b, t c, t d, t e WHERE t.a = b.a + c.a + d.a + e.a + 1000",
           "DELETE FROM t USING t b, t c, t d, t e WHERE t.a = b.a + c.a + d.a + e.a + 1000",
       }) {
    EXPECT_FALSE(other.start([&](Session& s) { return s.query(statement); })) << statement;
    EXPECT_FALSE(other.finish(20)) << statement;
    world.at(last, [&](Shard&) { other.session->cancel(); });
    EXPECT_TRUE(other.finish()) << statement;
    const std::string answer = other.sink.take();   // some rows, perhaps, before it
    EXPECT_TRUE(answer.ends_with("E(57014: canceling statement due to user request)")) << statement << '\n' << answer.substr(0, 200);
  }
  EXPECT_EQ(client.query("SELECT count(*) FROM child"), "T(count) D(0) C(SELECT 1)");
}

TEST_P(TransactionTest, ASessionThatIsCutOffWhileItWaitsLeavesNothing) {
  client.query("INSERT INTO t VALUES (1)");
  client.query("BEGIN");
  client.query("UPDATE t SET a = 1 WHERE a = 1");
  {
    TestClient other(world, last);
    other.query("BEGIN");
    other.query("INSERT INTO t VALUES (2)");
    EXPECT_FALSE(other.start([](Session& s) { return s.query("DELETE FROM t WHERE a = 1"); }));
    EXPECT_FALSE(other.finish(3));
  }
  world.turns(20);
  EXPECT_EQ(client.query("COMMIT"), "C(COMMIT)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (2)"), "C(INSERT 0 1)");
  EXPECT_EQ(world.server->activity().size(), 1u);
}

TEST_P(TransactionTest, WhoStandsBehindACancelledTableLockGoesOn) {
  client.query("BEGIN");
  client.query("SELECT count(*) FROM t");
  TestClient other(world, last);
  TestClient third(world, 0);
  other.query("BEGIN");
  EXPECT_FALSE(other.start([](Session& s) { return s.query("LOCK TABLE t"); }));
  EXPECT_FALSE(other.finish(20));
  EXPECT_FALSE(third.start([](Session& s) { return s.query("SELECT count(*) FROM t"); }));
  EXPECT_FALSE(third.finish(20));
  world.at(last, [&](Shard&) { other.session->cancel(); });
  EXPECT_TRUE(other.finish());
  EXPECT_EQ(other.sink.take(), "E(57014: canceling statement due to user request)");
  EXPECT_TRUE(third.finish(20));
  EXPECT_EQ(third.sink.take(), "T(count) D(0) C(SELECT 1)");
}

TEST_P(TransactionTest, SessionsDeadlockedAcrossShardsLoseOne) {
  client.query("INSERT INTO t VALUES (1), (2), (3), (4)");
  TestClient other(world, last);
  client.query("BEGIN");
  other.query("BEGIN");
  client.query("DELETE FROM t WHERE a = 1");
  other.query("DELETE FROM t WHERE a = 2");
  EXPECT_FALSE(client.start([](Session& s) { return s.query("DELETE FROM t WHERE a = 2"); }));
  EXPECT_FALSE(other.start([](Session& s) { return s.query("DELETE FROM t WHERE a = 1"); }));
  // The one that notices first gives way; the other one goes on.
  for (int i = 0; i < 200 && client.pending() && other.pending(); ++i) {
    client.finish(1);
    other.finish(1);
  }
  EXPECT_TRUE(client.finish());
  EXPECT_TRUE(other.status() == 'E' || client.status() == 'E');
  if (client.status() == 'E') {
    EXPECT_NE(client.sink.take().find("E(40P01: deadlock detected)"), std::string::npos);
    client.query("ROLLBACK");
    EXPECT_TRUE(other.finish());
    EXPECT_EQ(other.query("COMMIT").substr(0, 2), "C(");
  } else {
    EXPECT_TRUE(other.finish());
    EXPECT_NE(other.sink.take().find("E(40P01: deadlock detected)"), std::string::npos);
    other.query("ROLLBACK");
    EXPECT_EQ(client.query("COMMIT").substr(0, 2), "C(");
  }
}

TEST_P(TransactionTest, SequencesWaitForRoomInTheLogAsCommitsDo) {
  client.query("CREATE SEQUENCE s");
  world.turns(5);
  Log& log = world.database->log();
  // The disk stands still: only the shard's turns go on.
  EXPECT_FALSE(client.start([](Session& s) { return s.query("SELECT setval('s', i) FROM generate_series(1, 200000) i"); }));
  for (int i = 0; i < 1000; ++i) {
    world.turn(0);
    client.sink.resumed = false;
    world.at(0, [&](Shard&) { client.session->proceed(); });
  }
  EXPECT_GT(log.tail().bytes - log.durable().bytes, world.options.log_ring_bytes / 2);
  EXPECT_LE(log.tail().bytes - log.durable().bytes, world.options.log_ring_bytes);
  for (int i = 0; i < 10'000 && !client.finish(1); ++i) world.turns();
  EXPECT_FALSE(client.pending());
  const std::string answer = client.sink.take();
  EXPECT_TRUE(answer.ends_with("C(SELECT 200000)")) << answer.substr(answer.size() > 200 ? answer.size() - 200 : 0);
  EXPECT_EQ(client.query("SELECT nextval('s')"), "T(nextval) D(200001) C(SELECT 1)");
}

TEST_P(TransactionTest, SleepEndsByTimeOrByCancel) {
  EXPECT_EQ(client.query("SELECT pg_sleep(0.01), 1 AS one"), "T(pg_sleep,one) D(,1) C(SELECT 1)");
  EXPECT_FALSE(client.start([](Session& s) { return s.query("SELECT pg_sleep(100)"); }));
  EXPECT_FALSE(client.finish(10));
  world.at(0, [&](Shard&) { client.session->cancel(); });
  EXPECT_TRUE(client.finish());
  EXPECT_EQ(client.sink.take(), "T(pg_sleep) D() E(57014: canceling statement due to user request)");
}

INSTANTIATE_TEST_SUITE_P(Shards, TransactionTest, testing::Values(1u, 2u));

}  // namespace
}  // namespace wandian::sql
