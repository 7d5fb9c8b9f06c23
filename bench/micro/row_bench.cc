// Row codec and key encoding, on a row like an order's.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/key.h"
#include "engine/row_layout.h"

namespace wandian {
namespace {

const RowColumn kColumns[] = {{Rep::kInt32, false}, {Rep::kInt64, false}, {Rep::kInt64, true},  {Rep::kBytes, false},
                              {Rep::kInt32, false}, {Rep::kInt64, false}, {Rep::kInt64, true},  {Rep::kBytes, true}};
const Value kValues[] = {Value::of_int(4711), Value::of_int(123456789), Value::of_int(99), Value::of_bytes("paid", 4),
                         Value::of_int(3),    Value::of_int(1850),      Value::null(),     Value::of_bytes("no onions, please", 17)};

std::string encoded(const RowLayout& layout) {
  std::string row(layout.encoded_size(kValues), '\0');
  layout.encode(kValues, row.data());
  return row;
}

void row_encode(benchmark::State& state) {
  const RowLayout layout(kColumns);
  char out[256];
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.encoded_size(kValues));
    layout.encode(kValues, out);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(row_encode);

void row_read_all(benchmark::State& state) {
  const RowLayout layout(kColumns);
  const std::string row = encoded(layout);
  for (auto _ : state)
    for (unsigned i = 0; i < layout.columns(); ++i) benchmark::DoNotOptimize(layout.read(row.data(), i));
  state.SetItemsProcessed(state.iterations() * layout.columns());
}
BENCHMARK(row_read_all);

void row_update_fixed(benchmark::State& state) {
  const RowLayout layout(kColumns);
  const std::string row = encoded(layout);
  const ColumnChange changes[] = {{4, Value::of_int(4)}, {5, Value::of_int(2000)}};
  char out[256];
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.updated_size(row.data(), changes));
    layout.update(row.data(), changes, out);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(row_update_fixed);

void row_update_text(benchmark::State& state) {
  const RowLayout layout(kColumns);
  const std::string row = encoded(layout);
  const ColumnChange changes[] = {{3, Value::of_bytes("cancelled", 9)}};
  char out[256];
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.updated_size(row.data(), changes));
    layout.update(row.data(), changes, out);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(row_update_text);

void row_delta(benchmark::State& state) {
  const RowLayout layout(kColumns);
  const ColumnChange changes[] = {{3, Value::of_bytes("paid", 4)}, {5, Value::of_int(2000)}};
  char out[256];
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.delta_size(changes));
    benchmark::DoNotOptimize(layout.write_delta(changes, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(row_delta);

void key_encode_integers(benchmark::State& state) {
  const KeyColumn columns[] = {{Rep::kInt32, Order::kInteger}, {Rep::kInt64, Order::kInteger}};
  const KeyCodec codec(columns);
  KeyBuffer key;
  for (auto _ : state) {
    codec.encode({kValues, 2}, key);
    benchmark::DoNotOptimize(key.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(key_encode_integers);

void key_encode_from_row(benchmark::State& state) {
  const KeyColumn columns[] = {{Rep::kInt32, Order::kInteger}, {Rep::kInt64, Order::kInteger}};
  const std::uint16_t numbers[] = {0, 1};
  const KeyCodec codec(columns);
  const RowLayout layout(kColumns);
  const std::string row = encoded(layout);
  KeyBuffer key;
  for (auto _ : state) {
    codec.encode_from_row(layout, row.data(), numbers, key);
    benchmark::DoNotOptimize(key.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(key_encode_from_row);

void key_encode_text(benchmark::State& state) {
  const KeyColumn columns[] = {{Rep::kInt32, Order::kInteger}, {Rep::kBytes, Order::kBytes, true}};
  const KeyCodec codec(columns);
  const Value values[] = {Value::of_int(4711), Value::of_bytes("wx-20240612-000123456", 21)};
  KeyBuffer key;
  for (auto _ : state) {
    codec.encode(values, key);
    benchmark::DoNotOptimize(key.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(key_encode_text);

}  // namespace
}  // namespace wandian
