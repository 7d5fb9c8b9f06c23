// Types that users make: what a restart keeps, what transactions see of each other, checks on rows of every shard.
#include "tests/sql/ddl_fixture.h"

namespace wandian::sql {
namespace {

class DdlType : public DdlFixture {};

TEST_F(DdlType, EnumsSurviveARestart) {
  query("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')");
  query("CREATE TABLE t (id int PRIMARY KEY, m mood DEFAULT 'ok', ms mood[] DEFAULT '{sad,ok}', CHECK (m <> 'sad'))");
  query("CREATE INDEX t_m ON t (m)");
  query("INSERT INTO t VALUES (1, 'happy'), (2, DEFAULT)");
  query("ALTER TYPE mood ADD VALUE 'fine' BEFORE 'happy'");
  query("ALTER TYPE mood RENAME VALUE 'ok' TO 'okay'");
  query("ALTER TYPE mood RENAME TO feeling");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("INSERT INTO t VALUES (3, 'fine'), (4, DEFAULT)"), "C(INSERT 0 2)");
  EXPECT_EQ(after.query("SELECT id, m, ms FROM t WHERE m >= 'okay' ORDER BY m, id"),
            "T(id,m,ms) D(2,okay,{sad,okay}) D(4,okay,{sad,okay}) D(3,fine,{sad,okay}) D(1,happy,{sad,okay}) C(SELECT 4)");
  EXPECT_EQ(after.query("INSERT INTO t VALUES (5, 'sad')"), "E(23514: new row for relation \"t\" violates check constraint \"t_m_check\")");
  // No OID is given out twice: the label that was added last has the highest.
  after.query("CREATE TYPE other AS ENUM ('a', 'b')");
  EXPECT_EQ(after.query("SELECT count(*) - count(DISTINCT oid) FROM (SELECT oid FROM pg_enum UNION ALL SELECT oid FROM pg_type WHERE typtype = 'e') o"),
            "T(?column?) D(0) C(SELECT 1)");
}

TEST_F(DdlType, DomainsAndCompositesSurviveARestart) {
  query("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
  query("CREATE TYPE pair AS (a positive, b text)");
  query("CREATE TABLE t (id positive PRIMARY KEY, p pair, d positive DEFAULT 7)");
  query("INSERT INTO t VALUES (1, '(2,x)')");
  query("ALTER TYPE pair ADD ATTRIBUTE c int");
  query("CREATE DOMAIN small AS int");
  query("ALTER DOMAIN small ADD CONSTRAINT under CHECK (VALUE < 100)");
  query("CREATE TABLE s (a small)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT id, p, (p).b, d FROM t"), "T(id,p,b,d) D(1,(2,x,),x,7) C(SELECT 1)");
  EXPECT_EQ(after.query("INSERT INTO s VALUES (100)"), "E(23514: value for domain small violates check constraint \"under\")");
  EXPECT_EQ(after.query("INSERT INTO t VALUES (2, '(0,)')"), "E(23514: value for domain positive violates check constraint \"positive_check\")");
  EXPECT_EQ(after.query("INSERT INTO t VALUES (2, ROW(3, 'y', 4)) RETURNING p"), "T(p) D((3,y,4)) C(INSERT 0 1)");
  after.query("CREATE TABLE u (a int)");
  EXPECT_EQ(after.query("SELECT count(*) FROM pg_class WHERE oid > 16384 * 65536"), "T(count) D(0) C(SELECT 1)");
}

TEST_F(DdlType, ATypeThatIsNotCommittedIsNobodyElses) {
  TestClient other(world, 1);
  query("BEGIN");
  query("CREATE TYPE mood AS ENUM ('a')");
  EXPECT_EQ(query("SELECT 'a'::mood"), "T(mood) D(a) C(SELECT 1)");
  EXPECT_EQ(other.query("SELECT 'a'::mood"), "E(42704: type \"mood\" does not exist)");
  query("COMMIT");
  EXPECT_EQ(other.query("SELECT 'a'::mood"), "T(mood) D(a) C(SELECT 1)");
}

TEST_F(DdlType, ALabelIsUsedOnceItIsCommitted) {
  query("CREATE TYPE mood AS ENUM ('a')");
  query("BEGIN");
  query("ALTER TYPE mood ADD VALUE 'b'");
  EXPECT_EQ(query("SELECT 'b'::mood"), "E(55P04: unsafe use of new value \"b\" of enum type mood)");
  query("ROLLBACK");
  EXPECT_EQ(query("SELECT 'b'::mood"), "E(22P02: invalid input value for enum mood: \"b\")");
}

TEST_F(DdlType, RowsOfEveryShardShowTheirLabels) {
  query("CREATE TYPE mood AS ENUM ('a', 'b')");
  query("CREATE TABLE t (id int PRIMARY KEY, m mood)");
  query("INSERT INTO t SELECT g, 'a' FROM generate_series(1, 20) g");
  for (int id = 1; id <= 20; ++id) {
    EXPECT_EQ(query("UPDATE t SET m = 'b' WHERE m = 'a' AND id = " + std::to_string(id)), "C(UPDATE 1)");
    EXPECT_EQ(query("SELECT m::text FROM t WHERE m > 'a' AND id = " + std::to_string(id)), "T(m) D(b) C(SELECT 1)");
  }
}

TEST_F(DdlType, PreparedStatementsFollowTheirTypes) {
  query("CREATE TYPE mood AS ENUM ('a', 'b')");
  query("CREATE DOMAIN d AS int");
  const auto run = [this] {
    std::string out = client.bind("", "s");
    out += client.execute();
    return out + client.sync();
  };
  client.parse("s", "SELECT 'a'::mood::text, 5::d");
  EXPECT_EQ(run(), "2D(a,5) C(SELECT 1)");
  query("ALTER TYPE mood RENAME VALUE 'a' TO 'x'");
  EXPECT_EQ(client.bind("", "s"), "E(22P02: invalid input value for enum mood: \"a\")");
  client.sync();
  query("ALTER TYPE mood RENAME VALUE 'x' TO 'a'");
  query("ALTER DOMAIN d ADD CHECK (VALUE < 5)");
  EXPECT_EQ(run(), "2E(23514: value for domain d violates check constraint \"d_check\")");
}

}  // namespace
}  // namespace wandian::sql
