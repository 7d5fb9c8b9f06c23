// OrderedIndex against std::map, one thread: every kind of key, every operation, both scan directions.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/index/ordered_index.h"

namespace wandian {
namespace {

using Model = std::map<std::string, void*>;

KeyRef key_ref(const std::string& key) { return {key.data(), static_cast<std::uint32_t>(key.size())}; }

struct Shape {
  const char* name;
  std::uint32_t fixed_bytes;   // 0: sizes vary
  unsigned spread;             // distinct values of each random byte: small ones make keys collide and share prefixes
  unsigned least, most;        // sizes when they vary
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class IndexModel : public testing::TestWithParam<Shape> {
 protected:
  std::string random_key() {
    const Shape& shape = GetParam();
    const std::size_t size =
        shape.fixed_bytes != 0 ? shape.fixed_bytes : shape.least + random_() % (shape.most - shape.least + 1);
    std::string key(size, '\0');
    for (char& byte : key) byte = static_cast<char>((random_() % shape.spread) * 255 / (shape.spread - 1));
    return key;
  }
  // Half of the time a key that is there.
  std::string some_key() {
    if (model_.empty() || random_() % 2 == 0) return random_key();
    auto at = model_.lower_bound(random_key());
    return at == model_.end() ? model_.begin()->first : at->first;
  }
  // Possibly shorter or longer than keys are.
  std::string some_bound() {
    std::string bound = some_key();
    if (random_() % 4 == 0) bound.resize(random_() % (bound.size() + 1));
    else if (random_() % 8 == 0) bound += static_cast<char>(random_() % 2 * 255);
    return bound;
  }
  void* fresh_value() { return reinterpret_cast<void*>(++last_value_ * 16); }

  void step() {
    const std::string key = some_key();
    const auto found = model_.find(key);
    switch (random_() % 8) {
      case 0: case 1: case 2: case 3: {
        void* value = fresh_value();
        const auto [now, inserted] = index_.insert(key_ref(key), value);
        EXPECT_EQ(inserted, found == model_.end());
        EXPECT_EQ(now, inserted ? value : found->second);
        if (inserted) model_[key] = value;
        break;
      }
      case 4: case 5:
        if (random_() % 2 == 0 || growing_ == false) {
          EXPECT_EQ(index_.erase(key_ref(key), limbo_), found != model_.end());
          if (found != model_.end()) model_.erase(found);
        }
        break;
      case 6: {
        void* value = fresh_value();
        EXPECT_EQ(index_.replace(key_ref(key), value), found != model_.end());
        if (found != model_.end()) found->second = value;
        break;
      }
      case 7: EXPECT_EQ(index_.find(key_ref(key)), found == model_.end() ? nullptr : found->second); break;
    }
    EXPECT_EQ(index_.size(), model_.size());
  }

  void expect_at(const OrderedIndex::Cursor& cursor, Model::const_iterator at) {
    ASSERT_EQ(std::string(cursor.key().view()), at->first);
    ASSERT_EQ(cursor.value(), at->second);
  }

  // Alone, or together with more cursors than go down at a time, which must come to the same entry.
  bool start(OrderedIndex::Cursor& cursor, const std::string& bound, bool inclusive, bool forward) {
    if (random_() % 2 == 0) return forward ? cursor.seek(key_ref(bound), inclusive) : cursor.seek_last(key_ref(bound), inclusive);
    std::deque<OrderedIndex::Cursor> others;
    std::vector<OrderedIndex::Cursor*> all;
    for (int i = 0; i < 20; ++i) all.push_back(&others.emplace_back(index_));
    OrderedIndex::Cursor alone(index_);
    const bool found = forward ? alone.seek(key_ref(bound), inclusive) : alone.seek_last(key_ref(bound), inclusive);
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(random_() % 21), &cursor);
    OrderedIndex::Cursor::seek_together(all, key_ref(bound), inclusive, forward);
    for (const OrderedIndex::Cursor& other : others) {
      EXPECT_EQ(other.valid(), found);
      EXPECT_EQ(found && other.valid() ? other.value() : nullptr, found ? alone.value() : nullptr);
    }
    return cursor.valid();
  }

  void check_scan() {
    OrderedIndex::Cursor cursor(index_);
    const std::string bound = some_bound();
    const bool inclusive = random_() % 2 == 0;
    const bool forward = random_() % 2 == 0;
    Model::const_iterator begin = model_.begin(), end = model_.end();
    const bool has_stop = random_() % 2 == 0;
    const std::string stop = some_bound();
    const bool stop_inclusive = random_() % 2 == 0;
    if (has_stop) cursor.stop_at(key_ref(stop), stop_inclusive);
    const auto lower = [&](const std::string& b, bool incl) { return incl ? model_.lower_bound(b) : model_.upper_bound(b); };
    const auto upper = [&](const std::string& b, bool incl) { return incl ? model_.upper_bound(b) : model_.lower_bound(b); };
    if (forward) {
      begin = lower(bound, inclusive);
      if (has_stop) end = upper(stop, stop_inclusive);
      bool on = start(cursor, bound, inclusive, true);
      if (has_stop && (begin == model_.end() || (end != model_.end() && begin->first >= end->first))) end = begin;
      for (auto at = begin; at != end; ++at, on = cursor.next()) {
        ASSERT_TRUE(on);
        expect_at(cursor, at);
      }
      ASSERT_FALSE(on);
    } else {
      end = upper(bound, inclusive);
      if (has_stop) begin = lower(stop, stop_inclusive);
      bool on = start(cursor, bound, inclusive, false);
      if (has_stop && (begin == model_.end() || (end != model_.end() && begin->first >= end->first))) begin = end;
      for (auto at = end; at != begin; on = cursor.prev()) {
        --at;
        ASSERT_TRUE(on);
        expect_at(cursor, at);
      }
      ASSERT_FALSE(on);
    }
    ASSERT_FALSE(cursor.valid());
  }

  void check_owner_reads() {
    const std::string key = some_key();
    const auto found = model_.find(key);
    EXPECT_EQ(index_.find_own(key_ref(key)), found == model_.end() ? nullptr : found->second);
    std::string lower = some_bound(), upper = some_bound();
    if (GetParam().fixed_bytes != 0) {   // bounds are prefixes of keys
      if (lower.size() > GetParam().fixed_bytes) lower.resize(GetParam().fixed_bytes);
      if (upper.size() > GetParam().fixed_bytes) upper.resize(GetParam().fixed_bytes);
    }
    if (upper < lower) std::swap(lower, upper);
    const auto begin = model_.lower_bound(lower), end = model_.lower_bound(upper);
    if (begin != end) EXPECT_TRUE(index_.may_have(key_ref(lower), key_ref(upper)));
    else may_have_wrong_ += index_.may_have(key_ref(lower), key_ref(upper)) ? 1 : 0;
    OrderedIndex::Look last{&index_, key_ref(upper), OrderedIndex::Want::kLast, key_ref(lower)};
    OrderedIndex::look_ahead(std::span(&last, 1));
    ++last_asked_;
    if (last.known) EXPECT_EQ(last.found, begin == end ? nullptr : std::prev(end)->second);
    else ++last_unknown_;
  }

  void check_walk() {
    OrderedIndex::Cursor cursor(index_);
    const std::string bound = some_bound();
    auto at = model_.lower_bound(bound);
    ASSERT_EQ(cursor.seek(key_ref(bound), true), at != model_.end());
    for (int i = 0; i < 60 && cursor.valid(); ++i) {
      expect_at(cursor, at);
      const bool back = i % 20 > 12 || random_() % 4 == 0;
      if (back) {
        if (at == model_.begin()) {
          ASSERT_FALSE(cursor.prev());
          break;
        }
        --at;
        ASSERT_TRUE(cursor.prev());
      } else {
        ++at;
        ASSERT_EQ(cursor.next(), at != model_.end());
      }
    }
  }

  void check_ends() {
    OrderedIndex::Cursor cursor(index_);
    ASSERT_EQ(cursor.seek_first(), !model_.empty());
    if (cursor.valid()) expect_at(cursor, model_.begin());
    ASSERT_EQ(cursor.seek_last(), !model_.empty());
    if (cursor.valid()) expect_at(cursor, std::prev(model_.end()));
  }

  void check_all() {
    OrderedIndex::Cursor cursor(index_);
    bool on = cursor.seek_first();
    for (auto at = model_.cbegin(); at != model_.cend(); ++at, on = cursor.next()) {
      ASSERT_TRUE(on);
      expect_at(cursor, at);
    }
    ASSERT_FALSE(on);
    std::vector<std::string> keys;
    for (int i = 0; i < 100; ++i) keys.push_back(some_key());
    std::vector<KeyRef> refs;
    for (const std::string& key : keys) refs.push_back(key_ref(key));
    check_look_ahead(refs, keys);
  }

  void check_look_ahead(const std::vector<KeyRef>& refs, const std::vector<std::string>& keys) {
    using Want = OrderedIndex::Want;
    std::vector<OrderedIndex::Look> looks;
    for (std::size_t i = 0; i < refs.size(); ++i) looks.push_back({&index_, refs[i], static_cast<Want>(i % 3)});
    OrderedIndex::look_ahead(looks);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = model_.find(keys[i]);
      void* const there = found == model_.end() ? nullptr : found->second;
      if (looks[i].want == Want::kExact) {
        ASSERT_TRUE(looks[i].known);
        ASSERT_EQ(looks[i].found, there);
      } else if (looks[i].want == Want::kLast && looks[i].known) {
        const auto above = model_.lower_bound(keys[i]);
        ASSERT_EQ(looks[i].found, above == model_.begin() ? nullptr : std::prev(above)->second);
      }
      // The finger that it left is one that the owner's ways trust.
      ASSERT_EQ(index_.find_own(refs[i]), there);
    }
  }

  void collect() {
    domain_.quiesce(0);
    limbo_.collect();
  }

  std::mt19937_64 random_{20240612};
  QuiescenceDomain domain_{1};
  Limbo limbo_{domain_, 0};
  OrderedIndex index_{GetParam().fixed_bytes};
  Model model_;
  bool growing_ = true;
  std::uintptr_t last_value_ = 0;
  unsigned may_have_wrong_ = 0;   // answers of may_have() that sent the caller to look for nothing
  unsigned last_asked_ = 0, last_unknown_ = 0;
};

TEST_P(IndexModel, BehavesAsAnOrderedMap) {
  for (int round = 0; round < 6; ++round) {
    growing_ = round % 2 == 0;
    for (int i = 0; i < 6000; ++i) {
      step();
      if (i % 40 == 0) check_scan();
      if (i % 7 == 0) check_owner_reads();
      if (i % 200 == 0) check_walk();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    check_ends();
    check_all();
    collect();
  }
  // Without an answer only at the edges of nodes.
  EXPECT_LT(last_unknown_, last_asked_ / 4);
  EXPECT_LT(may_have_wrong_, last_asked_ / 4);
}

TEST_P(IndexModel, ShrinksToOneNodeWhenEverythingIsErased) {
  const std::size_t empty = index_.memory_bytes();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> keys;
    for (int i = 0; i < 20000; ++i) {
      keys.push_back(random_key());
      index_.insert(key_ref(keys.back()), fresh_value());
    }
    if (round == 0) std::sort(keys.begin(), keys.end());
    if (round == 1) std::sort(keys.rbegin(), keys.rend());
    for (const std::string& key : keys) {
      index_.erase(key_ref(key), limbo_);
      ASSERT_EQ(index_.find(key_ref(key)), nullptr);
    }
    EXPECT_EQ(index_.size(), 0u);
    EXPECT_EQ(index_.memory_bytes(), empty);
    collect();
    EXPECT_EQ(limbo_.waiting(), 0u);
  }
}

TEST_P(IndexModel, ClearForgetsEverything) {
  const std::size_t empty = index_.memory_bytes();
  const std::string key = random_key();
  for (int i = 0; i < 5000; ++i) index_.insert(key_ref(random_key()), fresh_value());
  index_.insert(key_ref(key), fresh_value());
  index_.clear(limbo_);
  EXPECT_EQ(index_.size(), 0u);
  EXPECT_EQ(index_.memory_bytes(), empty);
  EXPECT_EQ(index_.find(key_ref(key)), nullptr);
  OrderedIndex::Cursor cursor(index_);
  EXPECT_FALSE(cursor.seek_first());
  EXPECT_TRUE(index_.insert(key_ref(key), fresh_value()).second);
}

TEST_P(IndexModel, CursorGoesOnWhileKeysComeAndGoUnderIt) {
  for (int i = 0; i < 3000; ++i) {
    const std::string key = random_key();
    void* value = fresh_value();
    if (index_.insert(key_ref(key), value).second) model_[key] = value;
  }
  for (int round = 0; round < 6; ++round) {
    const bool forward = round % 2 == 0;
    OrderedIndex::Cursor cursor(index_);
    std::vector<std::string> seen;
    for (bool on = forward ? cursor.seek_first() : cursor.seek_last(); on; on = forward ? cursor.next() : cursor.prev()) {
      const std::string key(cursor.key().view());
      if (!seen.empty()) {
        ASSERT_TRUE(forward ? seen.back() < key : key < seen.back());
      }
      seen.push_back(key);
      ASSERT_LT(seen.size(), 100000u);
      // Keys of the model stay; all others come and go.
      std::string other = random_key();
      if (random_() % 2 == 0 && !key.empty()) {
        other = key;
        other.back() = static_cast<char>(other.back() ^ 1);
      }
      if (model_.contains(other)) continue;
      if (!index_.erase(key_ref(other), limbo_)) index_.insert(key_ref(other), fresh_value());
    }
    std::sort(seen.begin(), seen.end());
    for (const auto& [key, value] : model_) ASSERT_TRUE(std::binary_search(seen.begin(), seen.end(), key));
    OrderedIndex::Cursor rest(index_);
    std::vector<std::string> others;
    for (bool on = rest.seek_first(); on; on = rest.next())
      if (std::string key(rest.key().view()); !model_.contains(key)) others.push_back(key);
    for (const std::string& key : others) ASSERT_TRUE(index_.erase(key_ref(key), limbo_));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexModel,
                         testing::Values(Shape{"bytes4", 4, 16, 0, 0}, Shape{"bytes7", 7, 8, 0, 0}, Shape{"bytes8", 8, 256, 0, 0},
                                         Shape{"bytes12", 12, 3, 0, 0}, Shape{"bytes16", 16, 256, 0, 0},
                                         Shape{"bytes20", 20, 2, 0, 0}, Shape{"bytes24", 24, 2, 0, 0},
                                         Shape{"bytes30", 30, 2, 0, 0}, Shape{"text", 0, 200, 0, 40},
                                         Shape{"shared_prefixes", 0, 2, 0, 24}, Shape{"one_byte_each", 0, 2, 0, 12}),
                         [](const auto& info) { return std::string(info.param.name); });

std::string big_endian(std::uint32_t store, std::uint64_t order) {
  std::string key;
  for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(store >> shift);
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(order >> shift);
  return key;
}

TEST(OrderedIndex, FillsNodesWellAtManyAppendPoints) {
  QuiescenceDomain domain(1);
  OrderedIndex index(12);
  constexpr std::uint32_t kStores = 500;
  constexpr std::uint64_t kOrders = 400;
  std::mt19937 random(7);
  std::vector<std::uint64_t> next(kStores);
  for (std::uint64_t i = 0; i < kStores * kOrders; ++i) {
    const std::uint32_t store = random() % kStores;
    ASSERT_TRUE(index.insert(key_ref(big_endian(store, next[store]++)), &index).second);
  }
  // 24 bytes of key and pointer an entry: at least 70 % of the leaves' bytes are entries.
  EXPECT_LT(static_cast<double>(index.memory_bytes()) / static_cast<double>(index.size()), 24 / 0.70);
}

// More looks than go down together, of every kind of index among each other.
TEST(OrderedIndex, LooksOfSeveralIndexesAtATimeAnswerAsAlone) {
  OrderedIndex word(8), two(12), three(20), prefixed(0);
  OrderedIndex* const all[] = {&word, &prefixed, &two, &prefixed, &three};
  const std::size_t sizes[] = {8, 0, 12, 0, 20};
  std::mt19937 random(11);
  const auto some = [&](std::size_t of) {
    std::string key(sizes[of] != 0 ? sizes[of] : 1 + random() % 30, 'k');
    for (std::size_t i = key.size() > 4 ? key.size() - 4 : 0; i < key.size(); ++i) key[i] = static_cast<char>(random() % 6);
    return key;
  };
  for (std::size_t i = 0; i < 4000; ++i) all[i % 5]->insert(key_ref(some(i % 5)), reinterpret_cast<void*>(16 * (i + 1)));
  unsigned there = 0, missing = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> keys;
    std::vector<OrderedIndex::Look> looks;
    for (std::size_t i = 0; i < 40; ++i) keys.push_back(some((i + static_cast<std::size_t>(round)) % 5));
    for (std::size_t i = 0; i < 40; ++i)
      looks.push_back({all[(i + static_cast<std::size_t>(round)) % 5], key_ref(keys[i]), OrderedIndex::Want::kExact});
    OrderedIndex::look_ahead(looks);
    for (std::size_t i = 0; i < 40; ++i) {
      ASSERT_TRUE(looks[i].known);
      ASSERT_EQ(looks[i].found, looks[i].index->find(looks[i].key)) << "look " << i;
      ++(looks[i].found != nullptr ? there : missing);
    }
  }
  EXPECT_GT(there, 1000u);
  EXPECT_GT(missing, 1000u);
}

TEST(OrderedIndex, AscendingKeysFillNodesCompletely) {
  OrderedIndex index(12);
  for (std::uint64_t i = 0; i < 100000; ++i) index.insert(key_ref(big_endian(1, i)), &index);
  EXPECT_LT(static_cast<double>(index.memory_bytes()) / static_cast<double>(index.size()), 24 / 0.85);
}

}  // namespace
}  // namespace wandian
