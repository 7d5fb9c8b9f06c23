#include "engine/prepared.h"

#include "tests/engine/fixture.h"

namespace wandian {
namespace {

class Prepared : public ::testing::Test {
 protected:
  void SetUp() override {
    oid = engine.make_table("t", true);
    Client client(engine, 0);
    client.begin();
    for (int id = 1; id <= 20; ++id) {
      OneRow one(engine, oid);
      ASSERT_TRUE(client.write(one.insert(id, 10 * id, "n" + std::to_string(id))).ok());
    }
    ASSERT_TRUE(client.commit().ok());
    engine.turns(3);
  }
  /// Adds to rows 1 to 5, deletes 6, inserts 30, locks 7, and prepares.
  void prepare(const std::string& gid) {
    Client client(engine, 1);
    client.begin();
    for (int id = 1; id <= 5; ++id) {
      OneRow one(engine, oid);
      ASSERT_TRUE(client.write(one.add(id, 1)).ok());
    }
    OneRow removed(engine, oid), inserted(engine, oid), locked(engine, oid);
    ASSERT_TRUE(client.write(removed.remove(6)).ok());
    ASSERT_TRUE(client.write(inserted.insert(30, 300, "thirty")).ok());
    ASSERT_TRUE(client.write(locked.lock(7, RowLock::kUpdate)).ok());
    PreparedTransactionInfo info;
    info.gid = gid;
    ASSERT_TRUE(engine.database->prepared().reserve(info, 10).ok());
    std::unique_ptr<Transaction> prepared;
    Task<Status> task = client.transaction.prepare(info, &prepared);
    ASSERT_TRUE(engine.drive(1, task));
    ASSERT_TRUE(task.result().ok());
    EXPECT_FALSE(client.transaction.active());
    engine.database->prepared().keep(gid, std::move(prepared));
    engine.turns(5);
  }
  Status finish(unsigned from, const std::string& gid, bool commit) {
    std::uint64_t floor = 0;
    Task<Status> task = engine.database->prepared().finish(engine.database->shard(from), gid, 0, 0, commit, &floor);
    EXPECT_TRUE(engine.drive(from, task));
    engine.turns(5);
    return task.result();
  }
  bool locked(std::int32_t id) {
    Client other(engine, 0);
    other.begin();
    OneRow one(engine, oid);
    const Status status = other.write(one.lock(id, RowLock::kUpdate, LockWait::kNoWait));
    other.rollback();
    return status.code() == sqlstate::lock_not_available;
  }
  void expect_before() {
    const auto rows = engine.scan(oid);
    ASSERT_EQ(rows.size(), 20u);
    for (const auto& [id, cells] : rows) EXPECT_EQ(cells.value, 10 * id) << id;
  }
  void expect_after() {
    const auto rows = engine.scan(oid);
    ASSERT_EQ(rows.size(), 20u);
    for (const auto& [id, cells] : rows) EXPECT_EQ(cells.value, 10 * id + (id <= 5 ? 1 : 0)) << id;
    EXPECT_EQ(rows.back().first, 30);
    EXPECT_EQ(engine.scan(oid, 1).size(), 20u);
  }

  Engine engine;
  Oid oid = 0;
};

TEST_F(Prepared, CommitsAndRollsBackFromAnyShard) {
  for (const unsigned from : {0u, 1u}) {
    prepare("a");
    expect_before();
    for (const int id : {1, 6, 7}) EXPECT_TRUE(locked(id)) << id;
    EXPECT_FALSE(locked(8));
    ASSERT_TRUE(finish(from, "a", false).ok());
    expect_before();
    for (const int id : {1, 6, 7}) EXPECT_FALSE(locked(id)) << id;
  }
  prepare("b");
  ASSERT_TRUE(finish(0, "b", true).ok());
  expect_after();
  EXPECT_EQ(finish(0, "b", true).code(), sqlstate::undefined_object);
}

TEST_F(Prepared, SurvivesRestartsWithItsLocks) {
  for (const int restarts : {1, 2}) {
    prepare("x");
    for (int i = 0; i < restarts; ++i) engine.restart();
    ASSERT_EQ(engine.database->prepared().list().size(), 1u);
    expect_before();
    for (const int id : {1, 6, 7}) EXPECT_TRUE(locked(id)) << id;
    EXPECT_FALSE(locked(8));
    ASSERT_TRUE(finish(1, "x", false).ok());
    expect_before();
    engine.restart();
    EXPECT_TRUE(engine.database->prepared().list().empty());
    expect_before();
  }
  prepare("x");
  engine.restart();
  ASSERT_TRUE(finish(0, "x", true).ok());
  expect_after();
  engine.restart();
  EXPECT_TRUE(engine.database->prepared().list().empty());
  expect_after();
}

TEST_F(Prepared, RefusesWhatPostgresqlRefuses) {
  prepare("x");
  PreparedTransactionInfo info;
  info.gid = "x";
  EXPECT_EQ(engine.database->prepared().reserve(info, 10).code(), sqlstate::duplicate_object);
  info.gid = "y";
  EXPECT_EQ(engine.database->prepared().reserve(info, 1).code(), sqlstate::out_of_memory);
  std::uint64_t floor = 0;
  Task<Status> other = engine.database->prepared().finish(engine.database->shard(0), "x", 0, 77, true, &floor);
  ASSERT_TRUE(engine.drive(0, other));
  EXPECT_EQ(other.result().code(), sqlstate::insufficient_privilege);
  ASSERT_TRUE(finish(0, "x", true).ok());
}

}  // namespace
}  // namespace wandian
