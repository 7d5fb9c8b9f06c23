// The ordered index alone, one thread. docs/index-structure.md quotes these figures.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/index/ordered_index.h"

namespace wandian {
namespace {

constexpr std::size_t kKeys = 400'000;

void put_big(std::uint64_t v, unsigned bytes, std::string& out) {
  for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(v >> (8 * i));
}

// A key of `bytes` bytes (0: text of about 20) that `v` names.
std::string make_key(std::int64_t bytes, std::uint64_t v) {
  std::string key;
  if (bytes == 0) return "customer/" + std::to_string(v % 10'000'000'000);
  if (bytes > 8) put_big(v % 10'000, static_cast<unsigned>(bytes) - 8, key);
  put_big(v, 8, key);
  return key;
}

// Keys in one stretch of memory, in the order of the look-ups, which is not that of the insertions: so what is measured is
// the index, not the fetching of the keys.
struct Filled {
  explicit Filled(std::int64_t bytes, std::size_t count = kKeys) : index(static_cast<std::uint32_t>(bytes)) {
    std::mt19937_64 random(5);
    sizes.reserve(count);
    data.resize(count * kStride);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key = make_key(bytes, random());
      key.copy(&data[i * kStride], kStride);
      sizes.push_back(static_cast<std::uint32_t>(key.size()));
    }
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) index.insert(ref(i), &data[i * kStride]);
  }
  KeyRef ref(std::size_t i) const { return {&data[i * kStride], sizes[i]}; }
  static constexpr std::size_t kStride = 24;
  std::vector<char> data;
  std::vector<std::uint32_t> sizes;
  OrderedIndex index;
};

void index_find(benchmark::State& state) {
  const Filled filled(state.range(0));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.index.find(filled.ref(i)));
    if (++i == kKeys) i = 0;
  }
  state.counters["bytes_per_key"] = static_cast<double>(filled.index.memory_bytes()) / static_cast<double>(filled.index.size());
}
BENCHMARK(index_find)->ArgName("key_bytes")->Arg(8)->Arg(12)->Arg(16)->Arg(24)->Arg(0);

void index_look_ahead(benchmark::State& state) {
  Filled filled(state.range(0));
  std::vector<OrderedIndex::Look> looks(static_cast<std::size_t>(state.range(1)));
  std::size_t i = 0;
  for (auto _ : state) {
    for (OrderedIndex::Look& look : looks) {
      look = {&filled.index, filled.ref(i), OrderedIndex::Want::kExact};
      if (++i == kKeys) i = 0;
    }
    OrderedIndex::look_ahead(looks);
    benchmark::DoNotOptimize(looks.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(index_look_ahead)->ArgNames({"key_bytes", "batch"})->Args({8, 4})->Args({8, 32})->Args({12, 32})->Args({16, 32});

// (store, order_id) at 10,000 stores in random order; each store's order ids ascend.
void index_insert_appending(benchmark::State& state) {
  const std::int64_t bytes = state.range(0);
  std::mt19937_64 random(3);
  std::vector<std::string> keys;
  std::vector<std::uint64_t> next(10'000);
  for (std::size_t i = 0; i < kKeys; ++i) {
    const std::uint64_t store = random() % next.size();
    std::string& key = keys.emplace_back();
    put_big(store, static_cast<unsigned>(bytes) - 8, key);
    put_big(next[store]++, 8, key);
  }
  double bytes_per_key = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto index = std::make_unique<OrderedIndex>(static_cast<std::uint32_t>(bytes));
    state.ResumeTiming();
    for (std::string& key : keys) index->insert({key.data(), static_cast<std::uint32_t>(key.size())}, &key);
    state.PauseTiming();
    bytes_per_key = static_cast<double>(index->memory_bytes()) / kKeys;
    index.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kKeys));
  state.counters["bytes_per_key"] = bytes_per_key;
}
BENCHMARK(index_insert_appending)->ArgName("key_bytes")->Arg(12)->Arg(16)->Unit(benchmark::kMillisecond);

// Order lines: (store, order_id, line), three neighbours an order.
void index_insert_lines(benchmark::State& state) {
  std::mt19937_64 random(3);
  std::vector<std::string> keys;
  std::vector<std::uint64_t> next(10'000);
  for (std::size_t i = 0; i < kKeys / 3; ++i) {
    const std::uint64_t store = random() % next.size();
    for (std::uint64_t line = 1; line <= 3; ++line) {
      std::string& key = keys.emplace_back();
      put_big(store, 4, key);
      put_big(next[store], 8, key);
      put_big(line, 4, key);
    }
    ++next[store];
  }
  for (auto _ : state) {
    state.PauseTiming();
    auto index = std::make_unique<OrderedIndex>(16u);
    state.ResumeTiming();
    for (std::string& key : keys) index->insert({key.data(), static_cast<std::uint32_t>(key.size())}, &key);
    state.PauseTiming();
    index.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(keys.size()));
}
BENCHMARK(index_insert_lines)->Unit(benchmark::kMillisecond);

void index_insert_random(benchmark::State& state) {
  const Filled filled(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    auto index = std::make_unique<OrderedIndex>(static_cast<std::uint32_t>(state.range(0)));
    state.ResumeTiming();
    for (std::size_t i = 0; i < kKeys; ++i) index->insert(filled.ref(i), &index);
    state.PauseTiming();
    index.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kKeys));
}
BENCHMARK(index_insert_random)->ArgName("key_bytes")->Arg(8)->Arg(16)->Arg(0)->Unit(benchmark::kMillisecond);

void index_erase_and_insert(benchmark::State& state) {
  Filled filled(state.range(0));
  QuiescenceDomain domain(1);
  Limbo limbo(domain, 0);
  std::size_t i = 0;
  for (auto _ : state) {
    filled.index.erase(filled.ref(i), limbo);
    filled.index.insert(filled.ref(i), &filled);
    if (++i == kKeys) i = 0;
    if (i % 64 == 0) limbo.collect();
  }
}
BENCHMARK(index_erase_and_insert)->ArgName("key_bytes")->Arg(8)->Arg(16)->Arg(0);

// A range of `rows` keys: seek and scan.
void index_scan(benchmark::State& state) {
  const Filled filled(state.range(0));
  std::size_t i = 0;
  const std::int64_t rows = state.range(1);
  for (auto _ : state) {
    OrderedIndex::Cursor cursor(filled.index);
    std::int64_t left = rows;
    for (bool on = cursor.seek(filled.ref(i), true); on && left != 0; on = cursor.next(), --left)
      benchmark::DoNotOptimize(cursor.value());
    if (++i == kKeys) i = 0;
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(index_scan)->ArgNames({"key_bytes", "rows"})->Args({8, 3})->Args({12, 3})->Args({12, 20})->Args({8, 1000})->Args({12, 1000})->Args({0, 1000});

}  // namespace
}  // namespace wandian
