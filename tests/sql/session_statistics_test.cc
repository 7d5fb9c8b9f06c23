// pg_stat_statements: what is counted, for whom, and from when on.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

constexpr char kFigures[] = "SELECT query, calls, rows, total_exec_time >= max_exec_time, min_exec_time <= mean_exec_time FROM pg_stat_statements WHERE query LIKE '%counted%' "
                            "AND query NOT LIKE '%pg_stat_statements%' ORDER BY query COLLATE \"C\"";

TEST(StatementStatisticsOfSessions, StatementsThatDifferInConstantsAreCountedTogether) {
  World world(2);
  TestClient client(world);
  client.query("CREATE TABLE counted (a int PRIMARY KEY, b text)");
  client.query("SELECT * FROM counted WHERE a = 1");   // before somebody could look
  EXPECT_EQ(client.query("CREATE EXTENSION pg_stat_statements"), "C(CREATE EXTENSION)");
  client.query("INSERT INTO counted VALUES (1, 'x'), (2, 'y')");
  for (const char* key : {"1", "2", "3"}) client.query(std::string("SELECT b FROM counted WHERE a = ") + key);
  client.parse("p", "SELECT b FROM counted WHERE a = $1");
  for (const char* key : {"1", "9"}) {
    client.bind("", "p", {key});
    client.execute();
    client.sync();
  }
  TestClient other(world, 1);
  other.query("SELECT b FROM counted WHERE a = 2");
  other.query("SELECT nosuch FROM counted");
  EXPECT_EQ(client.query(kFigures),
            "T(query,calls,rows,?column?,?column?) D(INSERT INTO counted VALUES ($1, $2), ($3, $4),1,2,t,t) D(SELECT b FROM counted WHERE a = $1,6,4,t,t) C(SELECT 2)");
}

TEST(StatementStatisticsOfSessions, SettingsSayWhatIsCounted) {
  World world;
  TestClient client(world);
  client.query("CREATE EXTENSION pg_stat_statements");
  client.query("CREATE TABLE counted (a int)");
  client.query("SET pg_stat_statements.track_utility = off");
  client.query("CREATE TABLE counted_too (a int)");
  client.query("SET pg_stat_statements.track_planning = on");
  client.query("SELECT 1 FROM counted");
  client.query("SET pg_stat_statements.track = none");
  client.query("SELECT 2, 3 FROM counted");
  EXPECT_EQ(client.query("SET pg_stat_statements.track = 'all'"), "E(0A000: statements within functions are not counted)");
  client.query("RESET pg_stat_statements.track");
  EXPECT_EQ(client.query("SELECT query, calls, plans, total_plan_time > 0 FROM pg_stat_statements WHERE query LIKE '%counted%' AND query NOT LIKE '%pg_stat%' ORDER BY query"),
            "T(query,calls,plans,?column?) D(CREATE TABLE counted (a int),1,0,f) D(SELECT $1 FROM counted,1,1,t) C(SELECT 2)");
}

TEST(StatementStatisticsOfSessions, ResetForgets) {
  World world;
  TestClient client(world);
  client.query("CREATE EXTENSION pg_stat_statements");
  client.query("CREATE TABLE counted (a int)");
  client.query("SELECT a FROM counted");
  EXPECT_EQ(client.query("SELECT pg_stat_statements_reset()"), "T(pg_stat_statements_reset) D() C(SELECT 1)");
  client.query("SELECT a FROM counted");
  EXPECT_EQ(client.query(kFigures), "T(query,calls,rows,?column?,?column?) D(SELECT a FROM counted,1,0,t,t) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT userid IS NULL FROM pg_stat_statements(false) WHERE query IS NOT NULL"), "T(?column?) C(SELECT 0)");
  EXPECT_EQ(client.query("SELECT dealloc, stats_reset IS NOT NULL FROM pg_stat_statements_info"), "T(dealloc,?column?) D(0,t) C(SELECT 1)");
  EXPECT_EQ(client.query("DROP EXTENSION pg_stat_statements"), "C(DROP EXTENSION)");
  EXPECT_EQ(client.query("SELECT 1 FROM pg_stat_statements"), "E(42P01: relation \"pg_stat_statements\" does not exist)");
}

TEST(StatementStatisticsOfSessions, WithoutTheLibraryNothingIsCounted) {
  World world(1, {{"shared_preload_libraries", ""}});
  TestClient client(world);
  client.query("CREATE EXTENSION pg_stat_statements");
  EXPECT_EQ(client.query("SELECT count(*) FROM pg_stat_statements"), "T(count) E(55000: pg_stat_statements must be loaded via shared_preload_libraries)");
}

TEST(Collations, SurviveARestart) {
  World world;
  {
    TestClient client(world);
    client.query("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
    client.query("CREATE TABLE t (k text COLLATE ci PRIMARY KEY, w text COLLATE \"en-x-icu\" UNIQUE, CHECK (w <> 'no' COLLATE ci))");
    client.query("CREATE INDEX ON t ((w COLLATE \"de-x-icu\"))");
    client.query("CREATE EXTENSION citext");
    client.query("CREATE TABLE c (k citext PRIMARY KEY)");
    client.query("INSERT INTO t VALUES ('a', 'B'), ('b', 'a'), ('c', 'C')");
    client.query("INSERT INTO c VALUES ('Abc')");
    client.query("DELETE FROM t WHERE k = 'C'");
    client.close();
  }
  world.restart();
  TestClient client(world);
  EXPECT_EQ(client.query("SELECT k, w FROM t ORDER BY w"), "T(k,w) D(b,a) D(a,B) C(SELECT 2)");
  EXPECT_EQ(client.query("SELECT k FROM t WHERE k = 'A'"), "T(k) D(a) C(SELECT 1)");
  EXPECT_EQ(client.query("INSERT INTO t VALUES ('B', 'x')"), "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.query("INSERT INTO t VALUES ('z', 'NO')"), "E(23514: new row for relation \"t\" violates check constraint \"t_w_check\")");
  EXPECT_EQ(client.query("SELECT k FROM c WHERE k = 'ABC'"), "T(k) D(Abc) C(SELECT 1)");
  EXPECT_EQ(client.query("INSERT INTO c VALUES ('aBC')"), "E(23505: duplicate key value violates unique constraint \"c_pkey\")");
}

}  // namespace
}  // namespace wandian::sql
