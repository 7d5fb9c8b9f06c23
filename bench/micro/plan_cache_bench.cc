// What stands between a simple query's text and its plan: taking the literals out, and finding the compiled statement.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "sql/parse/normalize.h"
#include "sql/statement_cache.h"

namespace wandian::sql {
namespace {

const std::string& query(std::int64_t which) {
  static const std::vector<std::string> queries = {
      "SELECT abalance FROM pgbench_accounts WHERE aid = 48151623",
      "UPDATE pgbench_accounts SET abalance = abalance + -4711 WHERE aid = 48151623",
      "SELECT o.order_id, o.total_cents, l.sku, l.quantity FROM orders o JOIN order_lines l ON l.store_id = o.store_id AND "
      "l.order_id = o.order_id WHERE o.store_id = 4711 AND o.placed_at >= '2026-06-01' AND o.status = 1 ORDER BY o.order_id LIMIT 20",
  };
  return queries[static_cast<std::size_t>(which)];
}

void normalize_query(benchmark::State& state) {
  NormalizedQuery out;
  for (auto _ : state) benchmark::DoNotOptimize(normalize_literals(query(state.range(0)), &out));
  state.SetBytesProcessed(static_cast<std::int64_t>(query(state.range(0)).size()) * state.iterations());
}
BENCHMARK(normalize_query)->ArgName("query")->DenseRange(0, 2);

// `range` statements are cached and asked for in turn.
void statement_cache_find(benchmark::State& state) {
  StatementCache cache(std::size_t{1} << 30);
  const auto catalog = std::make_shared<const Catalog>();
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    texts.push_back(query(i % 3) + " -- " + std::to_string(i));
    auto statement = std::make_shared<CompiledStatement>();
    statement->catalog = catalog;
    cache.insert({1, {}, texts.back()}, std::move(statement));
  }
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.find({1, {}, texts[at]}, catalog));
    if (++at == texts.size()) at = 0;
  }
  if (cache.misses() != 0) state.SkipWithError("a cached statement was not found");
}
BENCHMARK(statement_cache_find)->ArgName("statements")->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace wandian::sql
