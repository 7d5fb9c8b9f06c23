#include "engine/transaction.h"

#include "tests/engine/fixture.h"

namespace wandian {
namespace {

TEST(Transaction, CommittedRowsAreSeenUncommittedOnesAreNot) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  Client writer(engine, 0);
  writer.begin();
  for (int id = 1; id <= 20; ++id) {
    OneRow one(engine, oid);
    ASSERT_TRUE(writer.write(one.insert(id, id * 10, "n" + std::to_string(id))).ok());
    EXPECT_EQ(one.op().outcome, RowOutcome::kInserted);
  }
  EXPECT_TRUE(engine.scan(oid).empty());
  ASSERT_TRUE(writer.commit().ok());
  engine.turns(2);
  const auto rows = engine.scan(oid);
  ASSERT_EQ(rows.size(), 20u);
  for (int id = 1; id <= 20; ++id) EXPECT_EQ(rows[static_cast<std::size_t>(id - 1)].first, id);
  const auto backward = engine.scan(oid, 0, true);
  ASSERT_EQ(backward.size(), 20u);
  EXPECT_EQ(backward.front().first, 20);
}

TEST(Transaction, RollbackLeavesNothing) {
  Engine engine;
  const Oid oid = engine.make_table("t", true);
  Client writer(engine, 0);
  writer.begin();
  for (int id = 1; id <= 10; ++id) {
    OneRow one(engine, oid);
    ASSERT_TRUE(writer.write(one.insert(id, 0, "n" + std::to_string(id))).ok());
  }
  writer.rollback();
  EXPECT_TRUE(engine.scan(oid).empty());
  const auto def = engine.table(oid);
  for (PartitionId p = 0; p < kKeyPartitions; ++p)
    if (const TablePartition* partition = def->storage->find(p)) {
      EXPECT_EQ(partition->index(0).size(), 0u);
      EXPECT_EQ(partition->index(1).size(), 0u);
      EXPECT_EQ(partition->live_rows.load(), 0);
    }
}

TEST(Transaction, ReadCommittedWaitsAndAppliesToTheNewestVersion) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  for (const unsigned owner : {0u, 1u}) {
    const std::int32_t id = id_owned_by(engine, oid, owner);
    Client setup(engine, 0), first(engine, 0), second(engine, 1);
    setup.begin();
    OneRow insert(engine, oid);
    ASSERT_TRUE(setup.write(insert.insert(id, 100, "x")).ok());
    ASSERT_TRUE(setup.commit().ok());
    engine.turns(2);
    first.begin();
    second.begin();
    OneRow a(engine, oid), b(engine, oid);
    ASSERT_TRUE(first.write(a.add(id, 1)).ok());
    second.start(b.add(id, 10));
    EXPECT_FALSE(second.finish_within(3));
    ASSERT_TRUE(first.commit().ok());
    ASSERT_TRUE(second.finish_within(100));
    EXPECT_TRUE(second.result().ok());
    EXPECT_EQ(b.op().outcome, RowOutcome::kUpdated);
    EXPECT_TRUE(b.op().changed);
    ASSERT_TRUE(second.commit().ok());
    engine.turns(2);
    for (const auto& [row_id, cells] : engine.scan(oid)) {
      if (row_id == id) {
        EXPECT_EQ(cells.value, 111);
      }
    }
  }
}

TEST(Transaction, RepeatableReadRefusesWhatChangedSince) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  Client setup(engine, 0), reader(engine, 0), writer(engine, 1);
  setup.begin();
  OneRow insert(engine, oid), other(engine, oid);
  ASSERT_TRUE(setup.write(insert.insert(1, 100, "x")).ok());
  ASSERT_TRUE(setup.write(other.insert(2, 100, "y")).ok());
  ASSERT_TRUE(setup.commit().ok());
  engine.turns(2);
  reader.begin(Isolation::kRepeatableRead);
  OneRow touch(engine, oid);
  ASSERT_TRUE(reader.write(touch.lock(2, RowLock::kKeyShare)).ok());
  writer.begin();
  OneRow change(engine, oid);
  ASSERT_TRUE(writer.write(change.add(1, 5)).ok());
  ASSERT_TRUE(writer.commit().ok());
  engine.turns(2);
  std::vector<std::pair<std::int64_t, Engine::Cells>> rows;
  engine.at(0, [&](Shard&) {
    ASSERT_TRUE(reader.transaction.begin_statement());
    engine.read(reader.transaction, oid, 0, false, &rows);
    reader.transaction.end_statement();
  });
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].second.value, 100);
  OneRow late(engine, oid);
  const Status status = reader.write(late.add(1, 1));
  EXPECT_EQ(status.code(), sqlstate::serialization_failure);
}

TEST(Transaction, SavepointsUndoTheirOwnWritesAndLocksAlone) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  Client client(engine, 0), other(engine, 1);
  client.begin();
  OneRow one(engine, oid), two(engine, oid), again(engine, oid);
  ASSERT_TRUE(client.write(one.insert(1, 10, "a")).ok());
  const Transaction::Savepoint savepoint = client.transaction.savepoint();
  ASSERT_TRUE(client.write(two.insert(2, 20, "b")).ok());
  ASSERT_TRUE(client.write(again.add(1, 5)).ok());
  client.rollback_to(savepoint);
  ASSERT_TRUE(client.commit().ok());
  engine.turns(2);
  const auto rows = engine.scan(oid);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].second.value, 10);
}

TEST(Transaction, UniqueIndexesReportConflictsAndWaitForUncommittedOnes) {
  Engine engine(1);
  const Oid oid = engine.make_table("t", true);
  // A local unique index sees its own partition: both rows have to live in one.
  std::int32_t first_id = 1, second_id = 2;
  OneRow probe(engine, oid);
  const PartitionId wanted = probe.lock(first_id, RowLock::kKeyShare).ops.back().partition;
  for (;; ++second_id) {
    OneRow candidate(engine, oid);
    if (candidate.lock(second_id, RowLock::kKeyShare).ops.back().partition == wanted) break;
  }
  Client a(engine, 0), b(engine, 0);
  a.begin();
  b.begin();
  OneRow one(engine, oid), two(engine, oid);
  ASSERT_TRUE(a.write(one.insert(first_id, 0, "same")).ok());
  b.start(two.insert(second_id, 0, "same"));
  EXPECT_FALSE(b.finish_within(3));
  ASSERT_TRUE(a.commit().ok());
  ASSERT_TRUE(b.finish_within(100));
  EXPECT_EQ(two.op().outcome, RowOutcome::kConflict);
  EXPECT_EQ(two.op().conflict_index, 1);
  b.rollback();
  // After the delete commits, the name is free again.
  Client c(engine, 0);
  c.begin();
  OneRow gone(engine, oid), retry(engine, oid);
  ASSERT_TRUE(c.write(gone.remove(first_id)).ok());
  ASSERT_TRUE(c.write(retry.insert(second_id, 1, "same")).ok());
  EXPECT_EQ(retry.op().outcome, RowOutcome::kInserted);
  ASSERT_TRUE(c.commit().ok());
  engine.turns(20);
  EXPECT_EQ(engine.scan(oid, 1).size(), 1u);
}

TEST(Transaction, DeletedRowsLeaveMemoryAndKeysCanComeBack) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  for (int round = 0; round < 5; ++round) {
    Client client(engine, 1);
    client.begin();
    OneRow insert(engine, oid);
    ASSERT_TRUE(client.write(insert.insert(7, round, "r")).ok());
    ASSERT_TRUE(client.commit().ok());
    engine.turns(2);
    ASSERT_EQ(engine.scan(oid).size(), 1u);
    Client remover(engine, 0);
    remover.begin();
    OneRow remove(engine, oid);
    ASSERT_TRUE(remover.write(remove.remove(7)).ok());
    ASSERT_TRUE(remover.commit().ok());
    engine.turns(round % 2 == 0 ? 0 : 30);
  }
  engine.turns(50);
  EXPECT_TRUE(engine.scan(oid).empty());
  const auto def = engine.table(oid);
  std::size_t keys = 0;
  for (PartitionId p = 0; p < kKeyPartitions; ++p)
    if (const TablePartition* partition = def->storage->find(p)) keys += partition->index(0).size();
  EXPECT_EQ(keys, 0u);
}

TEST(Transaction, AnUndoneInsertOverADeletedRowLeavesItToTheSweep) {
  Engine engine(1);
  const Oid oid = engine.make_table("t");
  constexpr int kRows = 4000;   // more than a few turns sweep
  Client client(engine, 0);
  client.begin();
  for (int id = 0; id < kRows; ++id) {
    OneRow insert(engine, oid);
    ASSERT_TRUE(client.write(insert.insert(id, 1, "r")).ok());
  }
  ASSERT_TRUE(client.commit().ok());
  engine.turns(3);
  Client remover(engine, 0);
  remover.begin();
  for (int id = 0; id < kRows; ++id) {
    OneRow remove(engine, oid);
    ASSERT_TRUE(remover.write(remove.remove(id)).ok());
  }
  ASSERT_TRUE(remover.commit().ok());
  EXPECT_TRUE(engine.scan(oid).empty());   // no snapshot is older than the deletion from now on
  engine.turns(1);
  Client undone(engine, 0);
  undone.begin();
  for (int id = 0; id < 8; ++id) {
    OneRow insert(engine, oid);
    ASSERT_TRUE(undone.write(insert.insert(id * (kRows / 8) + kRows / 8 - 1, 2, "s")).ok());
    ASSERT_EQ(insert.op().outcome, RowOutcome::kInserted);
  }
  undone.rollback();
  engine.turns(60);
  EXPECT_TRUE(engine.scan(oid).empty());
  engine.make_table("other");   // what was found uncommitted is looked at again after a later commit
  EXPECT_TRUE(engine.scan(oid).empty());
  engine.turns(20);
  const auto def = engine.table(oid);
  for (PartitionId p = 0; p < kKeyPartitions; ++p)
    if (const TablePartition* partition = def->storage->find(p)) {
      EXPECT_EQ(partition->index(0).size(), 0u);
    }
}

TEST(Transaction, DeadlocksAcrossShardsEndAs40P01) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  const std::int32_t here = id_owned_by(engine, oid, 0), there = id_owned_by(engine, oid, 1);
  Client setup(engine, 0);
  setup.begin();
  OneRow x(engine, oid), y(engine, oid);
  ASSERT_TRUE(setup.write(x.insert(here, 0, "x")).ok());
  ASSERT_TRUE(setup.write(y.insert(there, 0, "y")).ok());
  ASSERT_TRUE(setup.commit().ok());
  engine.turns(2);
  Client a(engine, 0), b(engine, 1);
  a.begin();
  b.begin();
  OneRow a1(engine, oid), a2(engine, oid), b1(engine, oid), b2(engine, oid);
  ASSERT_TRUE(a.write(a1.add(here, 1)).ok());
  ASSERT_TRUE(b.write(b1.add(there, 1)).ok());
  a.start(a2.add(there, 1));
  b.start(b2.add(here, 1));
  for (int i = 0; i < 2000 && !a.done() && !b.done(); ++i) engine.turns();
  ASSERT_TRUE(a.done() || b.done());
  Client& victim = a.done() ? a : b;
  Client& survivor = a.done() ? b : a;
  EXPECT_EQ(victim.result().code(), sqlstate::deadlock_detected);
  victim.rollback();
  ASSERT_TRUE(survivor.finish_within(100));
  EXPECT_TRUE(survivor.result().ok());
  EXPECT_TRUE(survivor.commit().ok());
}

TEST(Transaction, RowLockModesExcludeAsInPostgreSQL) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  Client setup(engine, 0);
  setup.begin();
  OneRow row(engine, oid);
  ASSERT_TRUE(setup.write(row.insert(1, 0, "x")).ok());
  ASSERT_TRUE(setup.commit().ok());
  engine.turns(2);
  const RowLock modes[] = {RowLock::kKeyShare, RowLock::kShare, RowLock::kNoKeyUpdate, RowLock::kUpdate};
  const bool excludes[4][4] = {{false, false, false, true}, {false, false, true, true}, {false, true, true, true}, {true, true, true, true}};
  for (int held = 0; held < 4; ++held)
    for (int asked = 0; asked < 4; ++asked) {
      Client a(engine, 0), b(engine, 1);
      a.begin();
      b.begin();
      OneRow first(engine, oid), second(engine, oid);
      ASSERT_TRUE(a.write(first.lock(1, modes[held])).ok());
      const Status status = b.write(second.lock(1, modes[asked], LockWait::kNoWait));
      EXPECT_EQ(!status.ok(), excludes[held][asked]) << held << " " << asked;
      a.rollback();
      b.rollback();
    }
}

TEST(Transaction, EverythingCommittedIsThereAfterRestart) {
  Engine engine;
  const Oid oid = engine.make_table("t", true);
  Client client(engine, 0);
  client.begin();
  std::vector<std::unique_ptr<OneRow>> rows;
  for (int id = 1; id <= 100; ++id) {
    rows.push_back(std::make_unique<OneRow>(engine, oid));
    ASSERT_TRUE(client.write(rows.back()->insert(id, id, "n" + std::to_string(id))).ok());
  }
  ASSERT_TRUE(client.commit().ok());
  client.begin();
  for (int id = 1; id <= 100; id += 3) {
    rows.push_back(std::make_unique<OneRow>(engine, oid));
    ASSERT_TRUE(client.write(id % 2 == 0 ? rows.back()->remove(id) : rows.back()->add(id, 1000)).ok());
  }
  ASSERT_TRUE(client.commit().ok());
  Client open(engine, 1);
  open.begin();
  OneRow uncommitted(engine, oid);
  ASSERT_TRUE(open.write(uncommitted.insert(500, 5, "never")).ok());
  engine.turns(5);
  const auto before = engine.scan(oid);
  open.rollback();
  rows.clear();
  engine.turns(5);
  engine.restart();
  engine.turns(2);
  const auto after = engine.scan(oid);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].first, after[i].first);
    EXPECT_EQ(before[i].second.value, after[i].second.value);
    EXPECT_EQ(before[i].second.name, after[i].second.name);
  }
  EXPECT_EQ(engine.scan(oid, 1).size(), after.size());
}

TEST(Transaction, RowsWrittenBeforeADefinitionChangedInTheSameTransactionAreRecovered) {
  Engine engine;
  const Oid oid = engine.make_table("t");
  Client client(engine, 0);
  client.begin();
  std::vector<std::unique_ptr<OneRow>> rows;
  for (int id = 1; id <= 20; ++id) {
    rows.push_back(std::make_unique<OneRow>(engine, oid));
    ASSERT_TRUE(client.write(rows.back()->insert(id, id, "n" + std::to_string(id))).ok());
  }
  ASSERT_TRUE(client.commit().ok());
  client.begin();
  rows.push_back(std::make_unique<OneRow>(engine, oid));
  ASSERT_TRUE(client.write(rows.back()->add(7, 1000)).ok());
  engine.at(0, [&](Shard&) {
    auto wider = std::make_shared<TableDef>(*engine.table(oid));
    wider->older_layouts.push_back(static_cast<std::uint16_t>(wider->columns.size()));
    wider->columns.push_back(wider->columns[1]);
    wider->columns.back().name = "later";
    CatalogChange change;
    change.kind = ObjectKind::kTable;
    change.oid = oid;
    change.table = wider;
    EXPECT_TRUE(client.transaction.change_catalog({change}).ok());
  });
  ASSERT_TRUE(client.commit().ok());
  engine.turns(5);
  rows.clear();
  engine.restart();
  ASSERT_NE(engine.database, nullptr);
  engine.turns(2);
  EXPECT_EQ(engine.table(oid)->columns.size(), 4u);
  const auto after = engine.scan(oid);
  ASSERT_EQ(after.size(), 20u);
  EXPECT_EQ(after[6].second.value, 1007);
}

}  // namespace
}  // namespace wandian
