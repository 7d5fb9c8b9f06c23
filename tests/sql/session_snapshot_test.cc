// Snapshots that one session exports and others take over, on other shards too.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

struct SnapshotTest : testing::Test {
  World world{2};
  TestClient exporter{world, 0}, importer{world, 1}, writer{world, 0};
  void SetUp() override {
    writer.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    writer.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 8) g");
  }
  std::string exported() {
    std::string name = exporter.query("SELECT pg_export_snapshot()");   // T(pg_export_snapshot) D(...) C(SELECT 1)
    name.erase(0, name.find("D(") + 2);
    return name.substr(0, name.find(')'));
  }
  void write_much() {
    for (int i = 0; i < 50; ++i) {
      writer.query("UPDATE t SET v = v + 1");
      world.turns(3);
    }
    writer.query("DELETE FROM t WHERE id > 4");
    world.turns(20);
  }
  static constexpr const char* kOld = "T(count,sum) D(8,0) C(SELECT 1)";
  static constexpr const char* kNew = "T(count,sum) D(4,200) C(SELECT 1)";
};

TEST_F(SnapshotTest, IsSeenUntilTheLastWhoHasItEnds) {
  exporter.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  const std::string name = exported();
  importer.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(importer.query("SET TRANSACTION SNAPSHOT '" + name + "'"), "C(SET)");
  write_much();
  EXPECT_EQ(exporter.query("SELECT count(*), sum(v) FROM t"), kOld);
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), kOld);
  exporter.query("COMMIT");
  write_much();
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), kOld);
  TestClient late(world, 1);
  late.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(late.query("SET TRANSACTION SNAPSHOT '" + name + "'"), "E(22023: invalid snapshot identifier: \"" + name + "\")");
  late.query("ROLLBACK");
  importer.query("COMMIT");
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), "T(count,sum) D(4,400) C(SELECT 1)");
}

TEST_F(SnapshotTest, IsExportedAtReadCommittedAndEndsWithItsSession) {
  exporter.query("BEGIN");
  const std::string name = exported();
  write_much();
  EXPECT_EQ(exporter.query("SELECT count(*), sum(v) FROM t"), kNew);
  importer.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(importer.query("SET TRANSACTION SNAPSHOT '" + name + "'"), "C(SET)");
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), kOld);
  exporter.close();
  world.turns(5);
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), kOld);
  EXPECT_EQ(importer.query("UPDATE t SET v = 9 WHERE id = 1"), "E(40001: could not serialize access due to concurrent update)");
  importer.query("ROLLBACK");
}

TEST_F(SnapshotTest, WhatItsLevelRefuses) {
  exporter.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  const std::string name = exported();
  importer.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
  EXPECT_EQ(importer.query("SET TRANSACTION SNAPSHOT '" + name + "'"),
            "E(0A000: a serializable transaction cannot import a snapshot from a non-serializable transaction)");
  importer.query("ROLLBACK");
  exporter.query("COMMIT");
  exporter.query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
  const std::string read_only = exported();
  importer.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
  EXPECT_EQ(importer.query("SET TRANSACTION SNAPSHOT '" + read_only + "'"),
            "E(0A000: a non-read-only serializable transaction cannot import a snapshot from a read-only transaction)");
  importer.query("ROLLBACK");
  importer.query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
  EXPECT_EQ(importer.query("SET TRANSACTION SNAPSHOT '" + read_only + "'"), "C(SET)");
  EXPECT_EQ(importer.query("SELECT count(*), sum(v) FROM t"), kOld);
}

}  // namespace
}  // namespace wandian::sql
