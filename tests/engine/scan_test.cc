#include "engine/scan.h"

#include <algorithm>
#include <map>
#include <random>

#include "tests/engine/fixture.h"

namespace wandian {
namespace {

// What a scan should give: id -> name of the rows that are there.
using ScanModel = std::map<std::int32_t, std::string>;

// Rows that came, went and came back under another name, in several transactions; the last one stays open.
class ScanWorld {
 public:
  explicit ScanWorld(std::uint64_t seed) : random(seed), oid(engine.make_table("t", true)), open_(engine, 1) {
    const int count = std::uniform_int_distribution(0, 300)(random);
    write(count, [&](Client& client, int i) { return insert(client, 2 * i, "a" + std::to_string(i * 7919 % 1000)); });
    write(count / 4, [&](Client& client, int i) { return remove(client, 8 * i); });
    write(count / 8, [&](Client& client, int i) { return insert(client, 16 * i, "b" + std::to_string(i)); });
    // Nobody else sees what it does.
    ScanModel seen = model;
    open_.begin();
    for (int i = 0; i < count / 3; ++i) {
      if (i % 2 == 0) insert(open_, 2 * i + 1, "c" + std::to_string(i));
      else if (model.contains(6 * i)) remove(open_, 6 * i);
    }
    model = std::move(seen);
  }

  std::mt19937_64 random;
  Engine engine;
  Oid oid;
  ScanModel model;

 private:
  template <class Each>
  void write(int count, Each&& each) {
    Client client(engine, static_cast<unsigned>(random() % 2));
    client.begin();
    for (int i = 0; i < count; ++i) each(client, i);
    EXPECT_TRUE(client.commit().ok());
    engine.turns(2);
  }
  void insert(Client& client, int id, const std::string& name) {
    OneRow one(engine, oid);
    EXPECT_TRUE(client.write(one.insert(id, id, name)).ok());
    model[id] = name;
  }
  void remove(Client& client, int id) {
    OneRow one(engine, oid);
    EXPECT_TRUE(client.write(one.remove(id)).ok());
    model.erase(id);
  }
  Client open_;
};

// Reads with a pause after some of the rows; ids in the order they came.
std::vector<std::int32_t> scanned_ids(ScanWorld& world, const TableScan::Options& options, const ScanRange& range, unsigned pause_every, std::size_t most) {
  std::vector<std::int32_t> ids;
  Transaction transaction(world.engine.database->shard(0));
  world.engine.at(0, [&](Shard&) {
    transaction.begin(Isolation::kReadCommitted, true);
    ASSERT_TRUE(transaction.begin_statement());
    const auto def = world.engine.table(world.oid);
    TableScan scan;
    scan.open(def, options, range);
    RowView row;
    while (ids.size() < most && scan.next(transaction.view(), &row)) {
      ids.push_back(static_cast<std::int32_t>(def->layouts->read(row.layout, row.row, 0).i));
      EXPECT_EQ(world.model.at(ids.back()), def->layouts->read(row.layout, row.row, 2).bytes());
      if (pause_every != 0 && world.random() % pause_every == 0) scan.pause();
    }
    transaction.end_statement();
    transaction.try_rollback();
  });
  return ids;
}

TEST(TableScan, GivesEachRowOnceAndInOrderWhereverItPauses) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    ScanWorld world(seed);
    const auto def = world.engine.table(world.oid);
    for (const unsigned index : {0u, 1u})
      for (const bool ordered : {false, true})
        for (const bool backward : {false, true})
          for (const unsigned pause_every : {0u, 1u, 2u, 9u, 40u})
            for (const bool ranged : {false, true}) {
              SCOPED_TRACE(testing::Message() << "index " << index << (ordered ? " ordered" : "") << (backward ? " backward" : "") << " pause every "
                                              << pause_every << (ranged ? " in a range" : ""));
              const TableScan::Options options{.index = index, .ordered = ordered, .backward = backward};
              const std::int64_t low = std::uniform_int_distribution(-10, 400)(world.random), high = low + std::uniform_int_distribution(0, 300)(world.random);
              ScanRange range;
              if (ranged && index == 0) {
                range.has_lower = range.has_upper = true;
                range.lower_inclusive = world.random() % 2 == 0;
                range.upper_inclusive = world.random() % 2 == 0;
                const Value bounds[2] = {Value::of_int(low), Value::of_int(high)};
                def->codecs[0].encode({&bounds[0], 1}, range.lower);
                def->codecs[0].encode({&bounds[1], 1}, range.upper);
              }
              const auto key = [&](std::int32_t id) { return std::pair(index == 0 ? std::string() : world.model.at(id), id); };
              const auto before = [&](std::int32_t a, std::int32_t b) { return backward ? key(b) < key(a) : key(a) < key(b); };
              std::vector<std::int32_t> wanted;
              for (const auto& [id, name] : world.model) {
                if (range.has_lower && (range.lower_inclusive ? id < low : id <= low)) continue;
                if (range.has_upper && (range.upper_inclusive ? id > high : id >= high)) continue;
                wanted.push_back(id);
              }
              std::sort(wanted.begin(), wanted.end(), before);
              std::vector<std::int32_t> got = scanned_ids(world, options, range, pause_every, ~std::size_t{0});
              if (!ordered) std::sort(got.begin(), got.end(), before);
              ASSERT_EQ(got, wanted);
              // One that is given up early has given the first ones.
              const std::size_t most = world.random() % 20;
              got = scanned_ids(world, options, range, pause_every, most);
              if (ordered) wanted.resize(std::min(wanted.size(), most));
              if (ordered) ASSERT_EQ(got, wanted);
              else ASSERT_EQ(got.size(), std::min(wanted.size(), most));
            }
  }
}

TEST(TableScan, StaysWithOnePartitionIfAsked) {
  ScanWorld world(7);
  std::size_t sum = 0;
  for (PartitionId p = 0; p < kKeyPartitions; ++p) {
    const std::vector<std::int32_t> ids = scanned_ids(world, {.partition = p}, {}, 3, ~std::size_t{0});
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    for (const std::int32_t id : ids) {
      OneRow one(world.engine, world.oid);
      one.lock(id, RowLock::kKeyShare);
      EXPECT_EQ(one.op().partition, p);
    }
    sum += ids.size();
  }
  EXPECT_EQ(sum, world.model.size());
}

}  // namespace
}  // namespace wandian
