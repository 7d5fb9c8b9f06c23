// Statements from a client's message to their answers, by both protocols.
#include "engine/table.h"
#include "tests/sql/session_fixture.h"
#include "tests/storage/request_memory_limit.h"

namespace wandian::sql {
namespace {

TEST(Session, GreetsWithTheParametersThatDriversRead) {
  World world;
  TestClient client(world);
  ASSERT_NE(client.session, nullptr) << client.failure.error().message;
  for (const char* name : {"server_version=15", "client_encoding=UTF8", "DateStyle=ISO, MDY", "integer_datetimes=on",
                           "standard_conforming_strings=on", "is_superuser=on", "session_authorization=wandian", "IntervalStyle=postgres",
                           "TimeZone=Etc/UTC", "in_hot_standby=off", "default_transaction_read_only=off", "application_name=",
                           "server_encoding=UTF8"})
    EXPECT_NE(client.greeting.find(std::string("S(") + name), std::string::npos) << name << " in " << client.greeting;
  EXPECT_EQ(client.status(), 'I');
}

TEST(Session, RefusesUnknownDatabasesAndRoles) {
  World world;
  TestClient client(world, 0, "nowhere");
  EXPECT_EQ(client.session, nullptr);
  EXPECT_EQ(client.failure.code(), sqlstate::invalid_catalog_name);
  TestClient postgres(world, 0, "postgres");
  EXPECT_NE(postgres.session, nullptr);
}

TEST(Session, AnswersASelectWithoutTables) {
  World world;
  TestClient client(world);
  EXPECT_EQ(client.query("SELECT 1 AS one, 'x'"), "T(one,?column?) D(1,x) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT 1 AS one, 'x'"), "T(one,?column?) D(1,x) C(SELECT 1)");
  EXPECT_EQ(client.extended("SELECT $1::int + 1", {"41"}), "1 2 D(42) C(SELECT 1)");
  EXPECT_EQ(client.query(""), "I");
  EXPECT_EQ(client.query("  ; "), "I");
  EXPECT_EQ(client.query("SELEC 1"), "E(42601: syntax error at or near \"SELEC\")");
  EXPECT_EQ(client.status(), 'I');
}

TEST(Session, InsertsSelectsUpdatesAndDeletesInAutocommit) {
  World world(2);
  TestClient client(world);
  EXPECT_EQ(client.query("CREATE TABLE t (a int PRIMARY KEY, b text)"), "C(CREATE TABLE)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)"), "C(INSERT 0 3)");
  EXPECT_EQ(client.query("SELECT * FROM t ORDER BY a"), "T(a,b) D(1,one) D(2,two) D(3,null) C(SELECT 3)");
  EXPECT_EQ(client.query("UPDATE t SET b = 'zwei' WHERE a = 2"), "C(UPDATE 1)");
  EXPECT_EQ(client.query("DELETE FROM t WHERE a = 3 RETURNING a"), "T(a) D(3) C(DELETE 1)");
  EXPECT_EQ(client.extended("SELECT b FROM t WHERE a = $1", {"2"}), "1 2 D(zwei) C(SELECT 1)");
  EXPECT_EQ(client.extended("INSERT INTO t VALUES ($1, $2)", {"4", std::nullopt}), "1 2 C(INSERT 0 1)");
  TestClient other(world, 1);
  EXPECT_EQ(other.query("SELECT count(*) FROM t"), "T(count) D(3) C(SELECT 1)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (4, 'again')"),
            "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (5, 'five')"), "C(INSERT 0 1)");
}

TEST(Session, AStatementThatHoldsTooMuchMemoryEndsAloneAndGivesItBack) {
  World world;
  TestClient client(world);
  const std::size_t before = large_memory::held();
  const RequestMemoryLimit limit(8u << 20);
  const std::string refused = "E(53200: out of memory)";
  EXPECT_EQ(client.query("SELECT length(repeat('x', 5000000))"), "T(length) D(5000000) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT length(repeat('x', 9000000))"), "T(length) " + refused);
  EXPECT_EQ(client.query("SELECT repeat('x', 7000000)"), "T(repeat) " + refused);   // the value may be, but not its answer beside it
  EXPECT_EQ(client.query("SELECT count(*) FROM (SELECT i::text || repeat('y', 1000) AS t FROM generate_series(1, 20000) i ORDER BY t) s"),
            "T(count) " + refused);
  EXPECT_EQ(large_memory::held(), before);
  EXPECT_EQ(client.query("SELECT 1"), "T(?column?) D(1) C(SELECT 1)");
}

TEST(Session, LiteralsOfSimpleQueriesShareAPlanAndKeepTheirTypes) {
  World world;
  TestClient client(world);
  client.query("CREATE TABLE t (a bigint PRIMARY KEY, b int)");
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(client.query("INSERT INTO t VALUES (" + std::to_string(i) + ", " + std::to_string(i * 10) + ");"), "C(INSERT 0 1)");
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(client.query("SELECT b FROM t WHERE a = " + std::to_string(i) + ";"), "T(b) D(" + std::to_string(i * 10) + ") C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT b FROM t WHERE a = 3000000000"), "T(b) C(SELECT 0)");
  EXPECT_EQ(client.query("SELECT b FROM t WHERE a = '3'"), "T(b) D(30) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT b FROM t WHERE a = 'x'"), "E(22P02: invalid input syntax for type bigint: \"x\")");
  EXPECT_EQ(client.query("SELECT b FROM t WHERE a = 3.0"), "T(b) D(30) C(SELECT 1)");
}

TEST(Session, SequencesLeaveNoGapsWhereRowsBelongToOtherShards) {
  World world(2);
  TestClient client(world);
  client.query("CREATE TABLE t (a int PRIMARY KEY, n bigserial)");
  client.parse("ins", "INSERT INTO t (a) VALUES ($1)");
  for (int i = 1; i <= 40; ++i) {
    client.bind("", "ins", {std::to_string(i)});
    client.execute();
    client.sync();
  }
  for (int i = 41; i <= 80; ++i) client.query("INSERT INTO t (a) VALUES (" + std::to_string(i) + ")");
  EXPECT_EQ(client.query("SELECT count(*), max(n), count(*) FILTER (WHERE a = n) FROM t"), "T(count,max,count) D(80,80,80) C(SELECT 1)");
}

TEST(Session, RowsWithoutAKeyStayOnTheShardOfTheirSession) {
  World world(2);
  TestClient clients[] = {TestClient(world, 0), TestClient(world, 1)};
  clients[0].query("CREATE TABLE history (a int)");
  const auto rows_of = [&](unsigned shard) {
    const auto table = world.database->catalog()->table(world.database->catalog()->find_relation(kPublicSchema, "history")->oid);
    std::int64_t rows = 0;
    for (PartitionId p = 0; p < kMaxPartitions; ++p)
      if (const TablePartition* partition = table->storage->find(p); partition != nullptr && world.database->owner_of(p) == shard)
        rows += partition->live_rows.load();
    return rows;
  };
  EXPECT_EQ(clients[0].query("INSERT INTO history SELECT generate_series(1, 40)"), "C(INSERT 0 40)");
  EXPECT_EQ(rows_of(0), 40);
  EXPECT_EQ(rows_of(1), 0);
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(clients[1].extended("INSERT INTO history VALUES ($1)", {std::to_string(i)}), "1 2 C(INSERT 0 1)");
  EXPECT_EQ(rows_of(0), 40);
  EXPECT_EQ(rows_of(1), 20);
  EXPECT_EQ(clients[0].query("SELECT count(*), sum(a) FROM history"), "T(count,sum) D(60,1030) C(SELECT 1)");
  clients[1].query("CREATE TABLE order_of_insertion (a int)");
  clients[1].query("INSERT INTO order_of_insertion VALUES (3), (1), (2)");
  for (const char* a : {"9", "7", "8"}) clients[1].extended("INSERT INTO order_of_insertion VALUES ($1)", {a});
  EXPECT_EQ(clients[0].query("SELECT a FROM order_of_insertion"), "T(a) D(3) D(1) D(2) D(9) D(7) D(8) C(SELECT 6)");
}

TEST(Session, SeveralStatementsOfOneQueryAreOneTransaction) {
  World world;
  TestClient client(world);
  client.query("CREATE TABLE t (a int PRIMARY KEY)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); SELECT 1"),
            "C(INSERT 0 1) E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(0) C(SELECT 1)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (1)"),
            "C(INSERT 0 1) N(25P01: there is no transaction in progress) C(COMMIT) E(23505: duplicate key value violates unique constraint "
            "\"t_pkey\")");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(1) C(SELECT 1)");
  EXPECT_EQ(client.query("BEGIN; INSERT INTO t VALUES (2)"), "C(BEGIN) C(INSERT 0 1)");
  EXPECT_EQ(client.status(), 'T');
  EXPECT_EQ(client.query("ROLLBACK"), "C(ROLLBACK)");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(1) C(SELECT 1)");
}

}  // namespace
}  // namespace wandian::sql
