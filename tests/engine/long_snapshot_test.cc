// What an idle snapshot keeps: the versions it sees, not everything written since.
#include "engine/shard_state.h"
#include "tests/engine/fixture.h"

namespace wandian {
namespace {

/// Gives the row another name, which is a key.
class Rename final : public RowTransform {
 public:
  Rename(const TableDef& table, std::string name) : table_(table), name_(std::move(name)) {}
  Verdict apply(const RowView& newest, bool, Arena& arena, std::string_view* out, Status*) override {
    *out = with_column(table_, newest, {2, Value::of_bytes(name_)}, arena);
    return Verdict::kUpdate;
  }

 private:
  const TableDef& table_;
  std::string name_;
};

class LongSnapshot : public ::testing::Test {
 protected:
  static constexpr int kRows = 20;

  void SetUp() override {
    oid = engine.make_table("t", true);
    elsewhere = engine.make_table("elsewhere");
    for (int id = 1; id <= kRows; ++id) change([&](OneRow& one) -> RowBatch& { return one.insert(id, 0, "first" + std::to_string(id)); });
  }
  template <class Make>
  void change(Make&& make) {
    Client client(engine, 0);
    client.begin();
    OneRow one(engine, oid);
    ASSERT_TRUE(client.write(make(one)).ok());
    ASSERT_TRUE(client.commit().ok());
    engine.turns();
  }
  void add(int id) {
    change([&](OneRow& one) -> RowBatch& { return one.add(id, 1); });
  }
  void rename(int id, const std::string& name) {
    change([&](OneRow& one) -> RowBatch& {
      RowBatch& batch = one.add(id, 0);
      one.transform = std::make_unique<Rename>(*one.table, name);
      one.op().transform = one.transform.get();
      return batch;
    });
  }
  void remove(int id) {
    change([&](OneRow& one) -> RowBatch& { return one.remove(id); });
  }
  void open(Client& reader) {
    reader.begin(Isolation::kRepeatableRead);
    read(reader);
  }
  std::vector<std::pair<std::int64_t, Engine::Cells>> read(Client& reader, unsigned index = 0) {
    std::vector<std::pair<std::int64_t, Engine::Cells>> rows;
    engine.at(reader.transaction.shard().index(), [&](Shard&) {
      ASSERT_TRUE(reader.transaction.begin_statement());
      engine.read(reader.transaction, oid, index, false, &rows);
      reader.transaction.end_statement();
    });
    return rows;
  }
  /// A snapshot is old when it was taken before the newest one of two looks ago; so something has to be committed meanwhile.
  void grow_old() {
    for (int i = 0; i < 3; ++i) {
      Client client(engine, 0);
      client.begin();
      OneRow one(engine, elsewhere);
      ASSERT_TRUE(client.write(one.insert(++commits, 0, "")).ok());
      ASSERT_TRUE(client.commit().ok());
      engine.env.advance(150'000);
      engine.turns();
    }
  }
  struct Kept {
    std::size_t longest = 0, versions = 0, keys = 0, rows = 0;
  };
  /// Of all chains, and entries of the index of names.
  Kept kept() {
    Kept out;
    const std::shared_ptr<const TableDef> def = engine.table(oid);
    for (PartitionId p = 0; p < kKeyPartitions; ++p) {
      const TablePartition* partition = def->storage->find(p);
      if (partition == nullptr) continue;
      out.keys += partition->index(1).size();
      out.rows += partition->index(0).size();
      OrderedIndex::Cursor cursor(partition->index(0));
      for (bool on = cursor.seek_first(); on; on = cursor.next()) {
        std::size_t length = 0;
        for (const Version* v = static_cast<Row*>(cursor.value())->head.load(); v != nullptr; v = v->older.load()) ++length;
        out.longest = std::max(out.longest, length);
        out.versions += length;
      }
    }
    return out;
  }

  Engine engine;
  Oid oid = 0, elsewhere = 0;
  std::int32_t commits = 0;
};

TEST_F(LongSnapshot, UpdatesLeaveWhatItSeesAndNoMore) {
  Client reader(engine, 1);
  open(reader);
  grow_old();
  for (int round = 0; round < 30; ++round)
    for (int id = 1; id <= kRows; ++id) add(id);
  engine.turns(5);
  EXPECT_LE(kept().longest, 3u);
  for (const auto& [id, cells] : read(reader)) EXPECT_EQ(cells.value, 0) << id;
  EXPECT_EQ(read(reader).size(), static_cast<std::size_t>(kRows));
  ASSERT_TRUE(reader.commit().ok());
  engine.turns(5);
  for (int id = 1; id <= kRows; ++id) add(id);
  engine.turns(5);
  EXPECT_LE(kept().longest, 2u);
}

TEST_F(LongSnapshot, ChangedKeysLeaveTheirEntriesWithTheirVersions) {
  Client reader(engine, 1);
  open(reader);
  grow_old();
  for (int round = 0; round < 30; ++round)
    for (int id = 1; id <= kRows; ++id) {
      if (round % 3 == 1) add(id);
      else rename(id, "round" + std::to_string(round) + "." + std::to_string(id));
    }
  engine.turns(20);
  EXPECT_LE(kept().longest, 4u);
  EXPECT_LE(kept().keys, 4u * kRows);
  const auto by_name = read(reader, 1);
  ASSERT_EQ(by_name.size(), static_cast<std::size_t>(kRows));
  for (const auto& [id, cells] : by_name) EXPECT_EQ(cells.name, "first" + std::to_string(id));
  ASSERT_TRUE(reader.commit().ok());
  engine.turns(20);
  EXPECT_EQ(kept().keys, static_cast<std::size_t>(kRows));
  EXPECT_EQ(engine.scan(oid, 1).size(), static_cast<std::size_t>(kRows));
}

TEST_F(LongSnapshot, DeletedRowsStayForItAloneAndGoWithIt) {
  Client reader(engine, 1);
  open(reader);
  grow_old();
  for (int id = 1; id <= kRows; id += 2) remove(id);
  // Came and went after the snapshot: nobody sees them.
  for (int id = 101; id <= 140; ++id) {
    change([&](OneRow& one) -> RowBatch& { return one.insert(id, 0, "late" + std::to_string(id)); });
    remove(id);
  }
  grow_old();
  engine.turns(20);
  EXPECT_EQ(kept().rows, static_cast<std::size_t>(kRows));
  EXPECT_EQ(read(reader).size(), static_cast<std::size_t>(kRows));
  EXPECT_EQ(engine.scan(oid).size(), static_cast<std::size_t>(kRows / 2));
  ASSERT_TRUE(reader.commit().ok());
  engine.turns(20);
  EXPECT_EQ(kept().rows, static_cast<std::size_t>(kRows / 2));
  EXPECT_EQ(kept().keys, static_cast<std::size_t>(kRows / 2));
}

TEST_F(LongSnapshot, SeveralOfThemEachSeeTheirOwn) {
  std::vector<std::unique_ptr<Client>> readers;
  for (int i = 0; i < 5; ++i) {
    readers.push_back(std::make_unique<Client>(engine, static_cast<unsigned>(i % 2)));
    open(*readers.back());
    grow_old();
    for (int round = 0; round < 10; ++round)
      for (int id = 1; id <= kRows; ++id) add(id);
  }
  EXPECT_LE(kept().longest, 7u);
  for (const int i : {2, 0, 4, 1, 3}) {
    for (const auto& [id, cells] : read(*readers[static_cast<std::size_t>(i)])) EXPECT_EQ(cells.value, i * 10) << id;
    ASSERT_TRUE(readers[static_cast<std::size_t>(i)]->commit().ok());
    for (int id = 1; id <= kRows; ++id) add(id);
  }
  engine.turns(5);
  for (int id = 1; id <= kRows; ++id) add(id);
  EXPECT_LE(kept().longest, 2u);
}

TEST_F(LongSnapshot, MoreThanThereArePlacesForAreSafeToo) {
  std::vector<std::unique_ptr<Client>> readers;
  for (unsigned i = 0; i < SnapshotSlot::kLongs + 5; ++i) {
    readers.push_back(std::make_unique<Client>(engine, 1));
    open(*readers.back());
    add(1);
  }
  grow_old();
  for (int round = 0; round < 20; ++round) add(1);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const auto rows = read(*readers[i]);
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(rows.front().second.value, static_cast<std::int64_t>(i));
  }
}

}  // namespace
}  // namespace wandian
