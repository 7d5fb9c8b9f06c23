// Who waits for whom, as DBAs ask: pg_locks, pg_blocking_pids(), pg_stat_activity.
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

struct LocksShown : testing::Test {
  World world{2};
  TestClient holder{world, 0}, waiter{world, 1}, watcher{world, 0};
  void SetUp() override {
    holder.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    holder.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 8) g");
  }
  // True: the one who waits is shown with this event, blocked by the holder alone.
  std::string shown() {
    return watcher.query(
        "SELECT a.wait_event_type, a.wait_event, b.pid = any(pg_blocking_pids(a.pid)) AS by_holder, cardinality(pg_blocking_pids(a.pid)) "
        "FROM pg_stat_activity a, pg_stat_activity b WHERE a.application_name = 'waiter' AND b.application_name = 'holder'");
  }
};

TEST_F(LocksShown, OfRowsTablesAndAdvisoryLocks) {
  holder.query("SET application_name = 'holder'");
  waiter.query("SET application_name = 'waiter'");
  holder.query("BEGIN");
  holder.query("UPDATE t SET v = 1");
  waiter.start([](Session& s) { return s.query("UPDATE t SET v = 2 WHERE id = 3"); });
  world.turns(5);
  EXPECT_EQ(shown(), "T(wait_event_type,wait_event,by_holder,cardinality) D(Lock,transactionid,t,1) C(SELECT 1)");
  EXPECT_EQ(watcher.query("SELECT count(*) FROM pg_locks w JOIN pg_locks h USING (transactionid) WHERE NOT w.granted AND h.granted AND w.pid <> h.pid"),
            "T(count) D(1) C(SELECT 1)");
  holder.query("COMMIT");
  EXPECT_TRUE(waiter.finish());
  waiter.sink.take();
  holder.query("BEGIN");
  holder.query("LOCK TABLE t IN EXCLUSIVE MODE");
  waiter.start([](Session& s) { return s.query("UPDATE t SET v = 2 WHERE id = 3"); });
  world.turns(5);
  EXPECT_EQ(shown(), "T(wait_event_type,wait_event,by_holder,cardinality) D(Lock,relation,t,1) C(SELECT 1)");
  EXPECT_EQ(watcher.query("SELECT mode, granted FROM pg_locks WHERE relation = 't'::regclass ORDER BY 2"),
            "T(mode,granted) D(RowExclusiveLock,f) D(ExclusiveLock,t) C(SELECT 2)");
  holder.query("COMMIT");
  EXPECT_TRUE(waiter.finish());
  waiter.sink.take();
  EXPECT_EQ(watcher.query("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass"), "T(count) D(0) C(SELECT 1)");
}

}  // namespace
}  // namespace wandian::sql
