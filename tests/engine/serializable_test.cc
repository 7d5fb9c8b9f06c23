#include "engine/read_set.h"
#include "tests/engine/fixture.h"

namespace wandian {
namespace {

class Serializable : public ::testing::Test {
 protected:
  void fill(int rows) {
    oid = engine.make_table("t", true);
    Client client(engine, 0);
    client.begin();
    for (int id = 1; id <= rows; ++id) {
      OneRow one(engine, oid);
      ASSERT_TRUE(client.write(one.insert(id, 0, name(id))).ok());
    }
    ASSERT_TRUE(client.commit().ok());
    engine.turns(3);
  }
  static std::string name(int id) { return "n" + std::to_string(100000 + id); }

  /// Whether the transaction's snapshot has a row of this id.
  bool find(Client& client, std::int32_t id) {
    bool found = false;
    engine.at(client.transaction.shard().index(), [&](Shard&) {
      ASSERT_TRUE(client.transaction.begin_statement());
      OneRow one(engine, oid);
      one.lock(id, RowLock::kKeyShare);
      RowView row;
      found = find_row(*one.table, one.op().partition, one.key, client.transaction.view(), &row);
      client.transaction.end_statement();
    });
    return found;
  }
  /// Counts rows whose name is in [from, to), by the index of names; gives up after `most`.
  int count(Client& client, const std::string& from, const std::string& to, int most = 1 << 30) {
    int rows = 0;
    engine.at(client.transaction.shard().index(), [&](Shard&) {
      ASSERT_TRUE(client.transaction.begin_statement());
      const std::shared_ptr<const TableDef> def = engine.table(oid);
      ScanRange range;
      const Value lower = Value::of_bytes(from), upper = Value::of_bytes(to);
      def->codecs[1].encode(std::span(&lower, 1), range.lower);
      def->codecs[1].encode(std::span(&upper, 1), range.upper);
      range.has_lower = range.has_upper = true;
      range.upper_inclusive = false;
      TableScan scan;
      TableScan::Options options;
      options.index = 1;
      options.ordered = true;
      scan.open(def, options, range);
      RowView row;
      while (rows < most && scan.next(client.transaction.view(), &row)) ++rows;
      scan.pause();
      client.transaction.end_statement();
    });
    return rows;
  }
  Status add(Client& client, std::int32_t id) {
    OneRow one(engine, oid);
    return client.write(one.add(id, 1));
  }
  Status insert(Client& client, std::int32_t id) {
    OneRow one(engine, oid);
    return client.write(one.insert(id, 0, name(id)));
  }
  /// Begins to commit `reader`, which has read row `read` of shard 1, as far as the mark there: its answer is not taken yet.
  Task<Status> commit_to_the_mark(Client& reader, std::int32_t read, std::int32_t own) {
    reader.begin(Isolation::kSerializable);
    EXPECT_TRUE(find(reader, read));
    EXPECT_TRUE(add(reader, own).ok());
    Task<Status> commit = reader.transaction.commit(SyncCommit::kOn);
    engine.at(0, [&](Shard&) { commit.start(); });
    engine.turn(1);
    return commit;
  }
  static void expect_failed(const Status& status) {
    EXPECT_EQ(status.code(), sqlstate::serialization_failure) << (status.ok() ? "it committed" : status.error().message);
  }

  Engine engine;
  Oid oid = 0;
};

TEST_F(Serializable, WriteSkewOnKeysEndsOneOfTwo) {
  fill(100);
  for (const unsigned first_owner : {0u, 1u})
    for (const unsigned second_owner : {0u, 1u}) {
      const std::int32_t a = id_owned_by(engine, oid, first_owner), b = id_owned_by(engine, oid, second_owner, 1);
      Client one(engine, 0), two(engine, 1);
      one.begin(Isolation::kSerializable);
      two.begin(Isolation::kSerializable);
      EXPECT_TRUE(find(one, a) && find(one, b) && find(two, a) && find(two, b));
      ASSERT_TRUE(add(one, a).ok());
      ASSERT_TRUE(add(two, b).ok());
      // Held uncommitted by the other one: whoever commits first is refused, and the second may go on when that is undone.
      expect_failed(one.commit());
      one.rollback();
      EXPECT_TRUE(two.commit().ok());
    }
}

TEST_F(Serializable, WhatWasReadAndChangedSinceEndsTheCommit) {
  fill(10);
  Client reader(engine, 0), writer(engine, 1);
  reader.begin(Isolation::kSerializable);
  EXPECT_TRUE(find(reader, 1));
  ASSERT_TRUE(add(reader, 2).ok());
  writer.begin();
  ASSERT_TRUE(add(writer, 1).ok());
  ASSERT_TRUE(writer.commit().ok());
  engine.turns(2);
  expect_failed(reader.commit());
}

TEST_F(Serializable, WhoWroteNothingAlwaysCommits) {
  fill(10);
  Client reader(engine, 0), writer(engine, 1);
  reader.begin(Isolation::kSerializable);
  EXPECT_TRUE(find(reader, 1));
  writer.begin(Isolation::kSerializable);
  ASSERT_TRUE(add(writer, 1).ok());
  ASSERT_TRUE(writer.commit().ok());
  EXPECT_TRUE(reader.commit().ok());
}

TEST_F(Serializable, AnAbsentKeyThatCameToBeEndsTheCommit) {
  fill(10);
  Client reader(engine, 0), writer(engine, 1);
  reader.begin(Isolation::kSerializable);
  EXPECT_FALSE(find(reader, 77));
  ASSERT_TRUE(add(reader, 2).ok());
  writer.begin();
  ASSERT_TRUE(insert(writer, 77).ok());
  ASSERT_TRUE(writer.commit().ok());
  expect_failed(reader.commit());
}

TEST_F(Serializable, APhantomInARangeEndsTheCommitAndOneBesideItDoesNot) {
  fill(50);
  for (const bool inside : {true, false}) {
    Client reader(engine, 0), writer(engine, 1);
    reader.begin(Isolation::kSerializable);
    EXPECT_EQ(count(reader, name(10), name(20)), inside ? 10 : 11);
    ASSERT_TRUE(add(reader, 40).ok());
    writer.begin();
    OneRow one(engine, oid);
    ASSERT_TRUE(writer.write(one.insert(inside ? 201 : 202, 0, inside ? name(15) + "x" : name(20) + "x")).ok());
    ASSERT_TRUE(writer.commit().ok());
    engine.turns(2);
    if (inside) expect_failed(reader.commit());
    else EXPECT_TRUE(reader.commit().ok());
  }
}

TEST_F(Serializable, AScanThatIsGivenUpReadsOnlyWhatItPassed) {
  fill(50);
  for (const bool inside : {true, false}) {
    Client reader(engine, 0), writer(engine, 1);
    reader.begin(Isolation::kSerializable);
    EXPECT_EQ(count(reader, name(10), name(40), 5), 5);
    ASSERT_TRUE(add(reader, 45).ok());
    writer.begin();
    ASSERT_TRUE(add(writer, inside ? 12 : 30).ok());
    ASSERT_TRUE(writer.commit().ok());
    engine.turns(2);
    if (inside) expect_failed(reader.commit());
    else EXPECT_TRUE(reader.commit().ok());
  }
}

// A transaction on shard 0 has validated and waits for room in the log; whoever writes what it has read waits with it.
TEST_F(Serializable, AWriterWaitsAtAMarkUntilTheOutcome) {
  fill(50);
  const std::int32_t read = id_owned_by(engine, oid, 1), own = id_owned_by(engine, oid, 0);
  Client reader(engine, 0), writer(engine, 1);
  Task<Status> commit = commit_to_the_mark(reader, read, own);
  writer.begin();
  OneRow one(engine, oid);
  writer.start(one.add(read, 5));
  for (int i = 0; i < 3; ++i) engine.turn(1);
  EXPECT_FALSE(writer.done());
  for (int i = 0; i < 100 && !commit.done(); ++i) engine.turns();
  ASSERT_TRUE(commit.done());
  EXPECT_TRUE(commit.result().ok());
  ASSERT_TRUE(writer.finish_within(100));
  EXPECT_TRUE(writer.result().ok());
  ASSERT_TRUE(writer.commit().ok());
  EXPECT_LT(reader.transaction.last_commit().bytes, writer.transaction.last_commit().bytes);
}

TEST_F(Serializable, AWriterThatIsCancelledAtAMarkGivesUp) {
  fill(50);
  const std::int32_t read = id_owned_by(engine, oid, 1), own = id_owned_by(engine, oid, 0);
  Client reader(engine, 0), writer(engine, 1);
  Task<Status> commit = commit_to_the_mark(reader, read, own);
  writer.begin();
  OneRow one(engine, oid);
  writer.start(one.add(read, 5));
  engine.turn(1);
  engine.at(1, [&](Shard&) { writer.transaction.cancel(Status{sqlstate::query_canceled, "canceling statement due to user request"}); });
  for (int i = 0; i < 3 && !writer.done(); ++i) engine.turn(1);
  ASSERT_TRUE(writer.done());
  EXPECT_EQ(writer.result().code(), sqlstate::query_canceled);
  writer.rollback();
  for (int i = 0; i < 100 && !commit.done(); ++i) engine.turns();
  EXPECT_TRUE(commit.result().ok());
}

TEST_F(Serializable, ALongRangeIsLookedAtInSlices) {
  fill(5000);
  for (const bool change : {false, true}) {
    Client reader(engine, 0), writer(engine, 1);
    reader.begin(Isolation::kSerializable);
    EXPECT_EQ(count(reader, "n", "o"), 5000);
    ASSERT_TRUE(add(reader, 1).ok());
    if (change) {
      writer.begin();
      ASSERT_TRUE(add(writer, 4999).ok());
      ASSERT_TRUE(writer.commit().ok());
      engine.turns(2);
      expect_failed(reader.commit());
    } else {
      EXPECT_TRUE(reader.commit().ok());
    }
  }
}

TEST_F(Serializable, ManyPointsBecomeTheWholeTable) {
  fill(10);
  ReadSet reads;
  const std::shared_ptr<const TableDef> def = engine.table(oid);
  for (std::int64_t id = 0; id <= static_cast<std::int64_t>(ReadSet::kMostEntries); ++id) {
    KeyBuffer key;
    const Value value = Value::of_int(id);
    def->codecs[0].encode(std::span(&value, 1), key);
    reads.add_point(*def, 3, key);
  }
  ASSERT_EQ(reads.tables().size(), 1u);
  EXPECT_TRUE(reads.tables()[0]->whole);
  EXPECT_TRUE(reads.tables()[0]->points.empty());
}

TEST_F(Serializable, ASavepointRolledBackLeavesItsReads) {
  fill(10);
  Client reader(engine, 0), writer(engine, 1);
  reader.begin(Isolation::kSerializable);
  const Transaction::Savepoint savepoint = reader.transaction.savepoint();
  EXPECT_TRUE(find(reader, 1));
  reader.rollback_to(savepoint);
  ASSERT_TRUE(add(reader, 2).ok());
  writer.begin();
  ASSERT_TRUE(add(writer, 1).ok());
  ASSERT_TRUE(writer.commit().ok());
  expect_failed(reader.commit());
}

// Increments by many clients at once, each reading all counters of its group: the sum of what committed is what is there, and no two
// committed transactions read the same state of a group.
TEST_F(Serializable, TurnsTakenInAnyOrderAreSerial) {
  fill(20);
  std::uint64_t random = 88172645463325252u;
  const auto next = [&](std::uint64_t below) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % below;
  };
  int committed = 0, failed = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::int64_t> sums;
    for (unsigned i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<Client>(engine, i % 2));
      clients.back()->begin(Isolation::kSerializable);
    }
    std::vector<std::size_t> order{0, 1, 2};
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[next(i)]);
    for (const std::size_t i : order) {
      std::int64_t sum = 0;
      engine.at(clients[i]->transaction.shard().index(), [&](Shard&) {
        ASSERT_TRUE(clients[i]->transaction.begin_statement());
        std::vector<std::pair<std::int64_t, Engine::Cells>> rows;
        engine.read(clients[i]->transaction, oid, 0, false, &rows);
        for (const auto& [id, cells] : rows) sum += cells.value;
        clients[i]->transaction.end_statement();
      });
      sums.push_back(sum);
      (void)add(*clients[i], static_cast<std::int32_t>(1 + i * 6 + next(6)));   // rows of its own: no write conflict
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Status status = clients[order[i]]->commit();
      if (status.ok()) {
        // Everybody before it is in what it read, so it read exactly what had committed.
        EXPECT_EQ(sums[i], committed);
        ++committed;
      } else {
        expect_failed(status);
        ++failed;
        clients[order[i]]->rollback();
      }
    }
    engine.turns(3);
  }
  EXPECT_GT(committed, 30);
  EXPECT_GT(failed, 30);
}

}  // namespace
}  // namespace wandian
