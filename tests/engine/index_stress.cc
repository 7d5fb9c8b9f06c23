// OrderedIndex with one writer and readers in other threads. Promises checked:
//   keys that are never erased are always found, by find and by every scan that passes them;
//   scans are in order and give no key twice; a value belongs to its key; what was freed is never read (values are
//   poisoned when a Limbo frees them).
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/index/ordered_index.h"
#include "tests/engine/stress_time.h"

namespace wandian {
namespace {

// What the index points to: knows its key's number, and is poisoned when freed.
struct Anchor {
  static constexpr std::uint64_t kAlive = 0x616c697665;
  std::atomic<std::uint64_t> alive{kAlive};
  std::uint64_t number;
  explicit Anchor(std::uint64_t n) : number(n) {}
};

void free_anchor(void* object, void*) {
  auto* anchor = static_cast<Anchor*>(object);
  anchor->alive.store(0xdead, std::memory_order_relaxed);
  delete anchor;
}

// Key number n of each kind; numbers in order are keys in order. One in kStableEvery is never erased.
constexpr std::uint64_t kStableEvery = 8;

std::string key_of(std::uint32_t kind, std::uint64_t n) {
  std::string big(8, '\0');
  for (unsigned i = 0; i < 8; ++i) big[i] = static_cast<char>(n >> (56 - 8 * i));
  switch (kind) {
    case 8: return big;
    case 16: return big.substr(0, 6) + std::string(2, '\1') + std::string(6, '\2') + big.substr(6);
    case 24: return std::string(8, '\3') + big.substr(0, 7) + std::string(8, '\4') + big.substr(7);
    default: return "a common prefix, longer than held inline " + std::to_string(n + 1000000) + std::string(n % 5, 'x');
  }
}

class Stress {
 public:
  Stress(std::uint32_t kind, std::uint64_t keys) : kind_(kind), keys_(keys), index_(kind == 0 ? 0 : kind) {
    for (std::uint64_t n = 0; n < keys_; ++n) names_.push_back(key_of(kind_, n));
    for (std::uint64_t n = 0; n < keys_; n += kStableEvery) index_.insert(ref(n), new Anchor(n));
  }
  ~Stress() {
    limbo_.free_everything();
    OrderedIndex::Cursor cursor(index_);
    for (bool on = cursor.seek_first(); on; on = cursor.next()) delete static_cast<Anchor*>(cursor.value());
  }

  void run() {
    std::vector<std::thread> readers;
    for (unsigned i = 1; i <= kReaders; ++i) readers.emplace_back([this, i] { read(i); });
    write();
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(failure_.load(), nullptr) << failure_.load();
    EXPECT_GT(scans_.load(), 0u);
    EXPECT_GT(finds_.load(), 0u);
  }

 private:
  static constexpr unsigned kReaders = 2;

  KeyRef ref(std::uint64_t n) const { return {names_[n].data(), static_cast<std::uint32_t>(names_[n].size())}; }
  void fail(const char* what) {
    const char* none = nullptr;
    failure_.compare_exchange_strong(none, what);
  }
  void check(bool holds, const char* what) {
    if (!holds) fail(what);
  }
  bool over() const { return done_.load(std::memory_order_relaxed) || failure_.load(std::memory_order_relaxed) != nullptr; }

  void write() {
    domain_.online(0);
    std::mt19937_64 random(1);
    const auto end = std::chrono::steady_clock::now() + stress_time();
    std::uint64_t turns = 0;
    while (failure_.load(std::memory_order_relaxed) == nullptr && std::chrono::steady_clock::now() < end) {
      // Waves: fill a stretch, change it, empty it, so that nodes split and merge all the time.
      const std::uint64_t start = random() % keys_;
      const std::uint64_t length = 1 + random() % 400;
      const unsigned what = random() % 8;
      for (std::uint64_t i = 0; i < length; ++i) {
        const std::uint64_t n = what % 2 == 0 ? (start + i) % keys_ : (start + random() % 400) % keys_;
        if (what < 3) {
          auto* anchor = new Anchor(n);
          if (!index_.insert(ref(n), anchor).second) delete anchor;
        } else if (what < 5 || n % kStableEvery == 0) {
          void* old = index_.find(ref(n));
          if (old != nullptr && index_.replace(ref(n), new Anchor(n))) limbo_.retire(old, free_anchor);
        } else {
          void* old = index_.find(ref(n));
          check(index_.erase(ref(n), limbo_) == (old != nullptr), "erase disagrees with find");
          if (old != nullptr) limbo_.retire(old, free_anchor);
        }
      }
      domain_.quiesce(0);
      limbo_.collect();
      // The readers that hold the batches back must get a core.
      if (++turns % 16 == 0 || limbo_.waiting() > 100000) std::this_thread::yield();
    }
    done_.store(true);
    domain_.offline(0);
  }

  void check_value(std::uint64_t n, void* value, const char* missing) {
    if (value == nullptr) {
      check(n % kStableEvery != 0, missing);
      return;
    }
    const auto* anchor = static_cast<const Anchor*>(value);
    check(anchor->alive.load(std::memory_order_relaxed) == Anchor::kAlive, "a value was freed while readable");
    check(anchor->number == n, "a value belongs to another key");
  }

  void read(unsigned self) {
    std::mt19937_64 random(self);
    while (!over()) {
      domain_.online(self);
      for (int i = 0; i < 50; ++i) {
        std::uint64_t n = random() % keys_;
        if (i % 2 == 0) n -= n % kStableEvery;
        check_value(n, index_.find(ref(n)), "a key that stays was not found");
      }
      finds_.fetch_add(50, std::memory_order_relaxed);
      domain_.quiesce(self);
      scan(random() % keys_, random() % 2000, random() % 2 == 0, random() % 8 == 0);
      scans_.fetch_add(1, std::memory_order_relaxed);
      domain_.offline(self);
    }
  }

  // Up to `length` keys from number `from`; a scan that pauses yields in its middle so that the writer gets ahead.
  void scan(std::uint64_t from, std::uint64_t length, bool forward, bool pauses) {
    OrderedIndex::Cursor cursor(index_);
    std::uint64_t last = from;
    bool any = false;
    bool on;
    if (length % 2 == 0) {
      on = forward ? cursor.seek(ref(from), true) : cursor.seek_last(ref(from), true);
    } else {
      OrderedIndex::Cursor other(index_);
      OrderedIndex::Cursor* const both[] = {&cursor, &other};
      OrderedIndex::Cursor::seek_together(both, ref(from), true, forward);
      on = cursor.valid();
    }
    for (std::uint64_t i = 0; on && i < length; ++i, on = forward ? cursor.next() : cursor.prev()) {
      const auto* anchor = static_cast<const Anchor*>(cursor.value());
      if (anchor->alive.load(std::memory_order_relaxed) != Anchor::kAlive) return fail("a scan met a freed value");
      const std::uint64_t n = anchor->number;
      if (n >= keys_ || !(cursor.key() == ref(n))) return fail("a scan paired a key with another's value");
      if (forward ? (any ? n <= last : n < last) : (any ? n >= last : n > last)) return fail("a scan went back or twice");
      // Between the last key and this one there is none that stays.
      const std::uint64_t low = forward ? last : n, high = forward ? n : last;
      const std::uint64_t next_stable = (low / kStableEvery + 1) * kStableEvery;
      if (next_stable < high) return fail("a scan missed a key that stays");
      last = n;
      any = true;
      if (pauses && i % 64 == 0) std::this_thread::yield();
      if (over()) return;
    }
    if (on) return;
    const std::uint64_t last_stable = (keys_ - 1) / kStableEvery * kStableEvery;
    if (forward && last < last_stable) fail("a scan ended before the last key that stays");
    if (!forward && last != 0 && any) fail("a backward scan ended before the first key");
  }

  std::uint32_t kind_;
  std::uint64_t keys_;
  std::vector<std::string> names_;
  QuiescenceDomain domain_{kReaders + 1};
  Limbo limbo_{domain_, 0};
  OrderedIndex index_;
  std::atomic<bool> done_{false};
  std::atomic<const char*> failure_{nullptr};
  std::atomic<std::uint64_t> finds_{0}, scans_{0};
};

class IndexStress : public testing::TestWithParam<std::uint32_t> {};

TEST_P(IndexStress, ReadersBesideTheWriterSeeWhatStays) { Stress(GetParam(), 3000).run(); }
TEST_P(IndexStress, ReadersBesideTheWriterInAFewNodes) { Stress(GetParam(), 100).run(); }

INSTANTIATE_TEST_SUITE_P(KeyBytes, IndexStress, testing::Values(8u, 16u, 24u, 0u), testing::PrintToStringParamName());

}  // namespace
}  // namespace wandian
