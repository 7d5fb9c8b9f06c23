// Places of rows and numbers of transactions, as clients see them.
#include "engine/system_columns.h"

#include <set>

#include "tests/engine/fixture.h"

namespace wandian {
namespace {

TEST(TransactionNumber, TellsShardsApartAndPassesOverReservedNumbers) {
  const std::uint64_t on_shard_3 = std::uint64_t{3} << 56 | 7;
  EXPECT_EQ(transaction_counter(on_shard_3), 7u);
  EXPECT_EQ(full_transaction_number(on_shard_3), 7 * kMaxShards + 3);
  EXPECT_EQ(transaction_number(on_shard_3), 7 * kMaxShards + 3);
  EXPECT_EQ(transaction_number(std::uint64_t{1} << 26), 0u);   // a counter that is not used
  EXPECT_NE(full_transaction_number(std::uint64_t{1} << 26), 0u);
}

class SystemColumnsTest : public ::testing::Test {
 protected:
  SystemColumns of(Transaction& transaction, const std::shared_ptr<const TableDef>& table, std::int64_t id) {
    SystemColumns out;
    TableScan scan;
    scan.open(table, {}, {});
    RowView row;
    while (scan.next(transaction.view(), &row))
      if (table->layouts->read(row.layout, row.row, 0).i == id)
        out = system_columns(*table, engine.database->place_secret(), row, transaction.view().own);
    return out;
  }
  /// As a new statement of the client sees it; without a client, as a new transaction does.
  SystemColumns look(Oid oid, std::int64_t id, Client* client = nullptr) {
    SystemColumns out;
    Transaction other(engine.database->shard(0));
    Transaction& transaction = client != nullptr ? client->transaction : other;
    engine.at(0, [&](Shard&) {
      if (client == nullptr) transaction.begin(Isolation::kReadCommitted, true);
      ASSERT_TRUE(transaction.begin_statement());
      out = of(transaction, engine.table(oid), id);
      transaction.end_statement();
      if (client == nullptr) transaction.try_rollback();
    });
    return out;
  }

  Engine engine;
};

TEST_F(SystemColumnsTest, TheWriterIsTheSameBeforeTheCommitAfterItAndAfterARestart) {
  const Oid oid = engine.make_table("t");
  Client client(engine, 0);
  client.begin();
  OneRow one(engine, oid);
  ASSERT_TRUE(client.write(one.insert(1, 10, "a")).ok());
  const std::uint32_t number = transaction_number(client.transaction.id());
  EXPECT_EQ(look(oid, 1, &client).xmin, number);
  EXPECT_EQ(look(oid, 1, &client).xmax, 0u);
  ASSERT_TRUE(client.commit().ok());
  EXPECT_EQ(look(oid, 1).xmin, number);
  engine.turns(5);
  EXPECT_EQ(look(oid, 1).xmin, number);
  engine.restart();
  EXPECT_EQ(look(oid, 1).xmin, number);
  Client later(engine, 1);
  later.begin();
  EXPECT_GT(transaction_counter(later.transaction.id()), number / kMaxShards);
}

TEST_F(SystemColumnsTest, TheNextVersionsWriterShowsUntilItIsUndone) {
  const Oid oid = engine.make_table("t");
  Client client(engine, 0);
  client.begin();
  OneRow one(engine, oid);
  ASSERT_TRUE(client.write(one.insert(1, 10, "a")).ok());
  ASSERT_TRUE(client.commit().ok());
  const std::uint32_t first = look(oid, 1).xmin;
  client.begin();
  OneRow two(engine, oid);
  ASSERT_TRUE(client.write(two.add(1, 1)).ok());
  const std::uint32_t second = transaction_number(client.transaction.id());
  EXPECT_EQ(look(oid, 1).xmin, first);
  EXPECT_EQ(look(oid, 1).xmax, second);
  EXPECT_EQ(look(oid, 1, &client).xmin, second);
  client.rollback();
  EXPECT_EQ(look(oid, 1).xmin, first);
  EXPECT_EQ(look(oid, 1).xmax, 0u);
}

TEST_F(SystemColumnsTest, AnIntegerKeyIsThePlace) {
  const Oid oid = engine.make_table("t");
  Client client(engine, 0);
  client.begin();
  OneRow rows(engine, oid);
  rows.insert(1, 10, "a");
  ASSERT_TRUE(client.write(rows.batch).ok());
  OneRow negative(engine, oid);
  ASSERT_TRUE(client.write(negative.insert(-2, 10, "b")).ok());
  ASSERT_TRUE(client.commit().ok());
  EXPECT_EQ(look(oid, 1).ctid, 1);
  EXPECT_EQ(look(oid, -2).ctid, 0xfffffffe);
  EXPECT_EQ(key_of_place(*engine.table(oid), 1), 1);
  EXPECT_EQ(key_of_place(*engine.table(oid), 0xfffffffe), -2);
  const std::optional<std::int64_t> none = key_of_place(*engine.table(oid), std::int64_t{1} << 40);
  ASSERT_TRUE(none.has_value());
  const Value value = Value::of_int(*none);
  EXPECT_FALSE(engine.table(oid)->codecs[0].fits(0, value));
}

TEST_F(SystemColumnsTest, OtherPlacesAreDifferentAndSayNoKey) {
  const Oid oid = engine.make_table("t", false, {2});
  Client client(engine, 0);
  client.begin();
  std::set<std::int64_t> places;
  for (int id = 1; id <= 200; ++id) {
    const std::shared_ptr<const TableDef> table = engine.table(oid);
    const std::string name = "row" + std::to_string(id);
    const Value values[3] = {Value::of_int(id), Value::of_int(id), Value::of_bytes(name)};
    RowBatch batch;
    std::shared_ptr<const TableDef> held = table;
    KeyBuffer key;
    table->codecs[0].encode(std::span(&values[2], 1), key);
    std::string bytes(table->layouts->newest().encoded_size(values), '\0');
    table->layouts->newest().encode(values, bytes.data());
    RowOp& op = batch.ops.emplace_back();
    op.kind = RowOp::Kind::kInsert;
    op.table = &held;
    op.partition = hash_partition(key);
    op.key = key;
    op.row = bytes;
    ASSERT_TRUE(client.write(batch).ok());
    const std::int64_t place = place_of(*table, engine.database->place_secret(), table->layout, bytes.data(), op.anchor);
    EXPECT_EQ(look(oid, id, &client).ctid, place);
    EXPECT_FALSE(key_of_place(*table, place).has_value());
    EXPECT_LT(place, std::int64_t{1} << 48);
    places.insert(place);
  }
  EXPECT_EQ(places.size(), 200u);
}

}  // namespace
}  // namespace wandian
