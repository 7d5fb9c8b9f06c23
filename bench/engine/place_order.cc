// Engine only: place_order through the real transaction and commit path, the log on and durable at the end, no wire.
// Each shard's thread plays its own sessions: it calls the procedure for stores whose partitions it owns.
//   engine_place_order [--shards N] [--orders N] [--stores N] [--dir DIR] [--module FILE.so]
//     [--preallocate MB]
#include <CLI/CLI.hpp>
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>

#include "engine/procedure_run.h"
#include "engine/shard.h"
#include "procedures/hotdog.h"
#include "storage/base/memory_reserve.h"
#include "tests/procedures/hotdog_catalog.h"

namespace wandian {
namespace {

constexpr std::int32_t kItems = 40;
constexpr unsigned kLines = 3;

struct Options {
  unsigned shards = 1;
  std::uint64_t orders = 5'000'000;
  std::int32_t stores = 10'000;
  std::string directory;
  std::string module;
  std::size_t preallocate_mb = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Drives the shards from this thread until the task is done.
template <class T>
T drive(Database& database, unsigned at, Task<T> task) {
  bool started = false;
  while (!task.done()) {
    for (unsigned i = 0; i < database.shards(); ++i) {
      Shard& shard = database.shard(i);
      shard.begin_turn();
      if (i == at && !started) {
        started = true;
        task.start();
      }
      shard.step();
      shard.end_turn();
    }
  }
  return task.result();
}

// An int4[] of one dimension, as engine/array_value.h lays it out.
struct Int4Array {
  explicit Int4Array(unsigned count) : bytes(16 + 4 * count, '\0') {
    const std::int32_t header[4] = {static_cast<std::int32_t>(type_oid::kInt4), 1, static_cast<std::int32_t>(count), 1};
    std::memcpy(bytes.data(), header, sizeof header);
  }
  void set(unsigned i, std::int32_t v) { std::memcpy(bytes.data() + 16 + 4 * i, &v, 4); }
  Value value() const { return Value::of_bytes(bytes); }
  std::string bytes;
};

int run(const Options& options) {
  const std::string directory = options.directory.empty() ? std::filesystem::temp_directory_path() / ("wandian-engine-" + std::to_string(getpid()))
                                                          : std::filesystem::path(options.directory);
  std::filesystem::create_directories(directory);
  // The clock measures orders, not the system's page faults.
  if (options.preallocate_mb != 0) reserve_memory(options.preallocate_mb << 20);
  const ProcedureModule* module = &procedures::hotdog();
  if (!options.module.empty()) {
    void* library = dlopen(options.module.c_str(), RTLD_NOW);
    auto* entry = library == nullptr ? nullptr : reinterpret_cast<const ProcedureModule* (*)()>(dlsym(library, "wandian_module"));
    if (entry == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    module = entry();
  }
  const ProcedureDefinition* place = nullptr;
  for (const ProcedureDefinition& definition : module->procedures)
    if (definition.name.ends_with("place_order")) place = &definition;
  DatabaseOptions database_options;
  database_options.data_directory = directory;
  database_options.shards = options.shards;
  hotdog_catalog::Compiler compiler;
  RecoveryReport report;
  Result<std::unique_ptr<Database>> opened = Database::open(posix_env(), database_options, &compiler, &report);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().error().message.c_str());
    return 1;
  }
  Database& database = **opened;
  database.log().start_thread();
  Transaction transaction(database.shard(0));
  const auto commit = [&]() -> Task<Status> { co_return co_await transaction.commit(SyncCommit::kOn); };
  database.shard(0).begin_turn();
  transaction.begin(Isolation::kReadCommitted, false);
  Status made = hotdog_catalog::make(database, transaction);
  database.shard(0).end_turn();
  if (!made.ok() || !drive(database, 0, commit()).ok()) return 1;
  const auto table = [&](std::string_view name) { return database.catalog()->table(database.catalog()->find_relation(kPublicSchema, name)->oid); };
  const char* regions[] = {"north", "south", "east", "west", "centre", "coast", "river", "hills"};
  for (std::int32_t chunk = 0; chunk <= options.stores; chunk += 200) {
    database.shard(0).begin_turn();
    transaction.begin(Isolation::kReadCommitted, false);
    transaction.catalog();
    hotdog_catalog::Loader loader(database, transaction);
    Status status;
    if (chunk == 0)
      for (std::int32_t sku = 1; sku <= kItems; ++sku)
        status = loader.add(table("menu"), {Value::of_int(sku), Value::of_bytes("hot dog"), Value::of_int(500 + sku * 25)});
    for (std::int32_t store = std::max(chunk, 1); store < chunk + 200 && store <= options.stores; ++store) {
      status = loader.add(table("stores"), {Value::of_int(store), Value::of_bytes(regions[store % 8]), Value::of_bytes("store")});
      for (std::int32_t sku = 1; sku <= kItems; ++sku)
        status = loader.add(table("stock"), {Value::of_int(store), Value::of_int(sku), Value::of_int(1'000'000'000), Value::of_int(0), Value::of_int(1'000'000'000)});
    }
    database.shard(0).end_turn();
    if (!status.ok() || !drive(database, 0, loader.run()).ok() || !drive(database, 0, commit()).ok()) {
      std::fprintf(stderr, "loading failed\n");
      return 1;
    }
  }
  // Which stores each shard owns.
  std::vector<std::vector<std::int32_t>> owned(options.shards);
  for (std::int32_t store = 1; store <= options.stores; ++store) {
    KeyBuffer key;
    const Value value = Value::of_int(store);
    table("stores")->codecs[0].encode(std::span(&value, 1), key);
    owned[database.owner_of(database.placement().find(table("stores")->oid, key))].push_back(store);
  }
  std::atomic<std::uint64_t> failed{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned s = 0; s < options.shards; ++s)
    threads.emplace_back([&, s] {
      Shard& shard = database.shard(s);
      std::minstd_rand random(s + 1);
      Int4Array skus(kLines), quantities(kLines);
      for (unsigned i = 0; i < kLines; ++i) quantities.set(i, 1);
      const std::uint64_t share = options.orders / options.shards;
      struct Sessions {
        unsigned waiting = 0;
      } sessions;
      LocalRun::Request request;
      request.procedure = place;
      request.schema = kPublicSchema;
      request.context = &sessions;
      request.done = [](void* context) { --static_cast<Sessions*>(context)->waiting; };
      std::int64_t request_id = static_cast<std::int64_t>(s) << 40;
      Value args[5];
      request.args = args;
      for (std::uint64_t done = 0; done < share;) {
        shard.begin_turn();
        for (unsigned batch = 0; batch < 64 && done < share; ++batch, ++done) {
          const std::int32_t first = static_cast<std::int32_t>(random() % kItems);
          for (unsigned i = 0; i < kLines; ++i) skus.set(i, (first + static_cast<std::int32_t>(i) * 7) % kItems + 1);
          args[0] = Value::of_int(owned[s][random() % owned[s].size()]);
          args[1] = Value::of_int(static_cast<std::int64_t>(random() % 100'000));
          args[2] = Value::of_int(++request_id);
          args[3] = skus.value();
          args[4] = quantities.value();
          LocalRun call(shard);
          request.now = 0;
          if (!call.start(request)) {
            // Its turn comes again in the next one (a snapshot or room in the log was not there yet).
            ++sessions.waiting;
            while (sessions.waiting != 0) {
              shard.step();
              shard.end_turn();
              shard.begin_turn();
            }
          }
          if (!call.take_status().ok()) failed.fetch_add(1);
        }
        shard.step();
        shard.end_turn();
      }
      while (!shard.prepare_sleep()) {
        shard.begin_turn();
        shard.step();
        shard.end_turn();
      }
    });
  for (std::thread& thread : threads) thread.join();
  const Lsn end = database.log().tail();
  database.log().demand(0, end);
  while (database.log().durable() < end) std::this_thread::yield();
  const double seconds = seconds_since(start);
  std::printf("shards %u  orders %llu  seconds %.2f  orders_per_s %.0f  log_bytes_per_order %.0f  failed %llu\n", options.shards,
              static_cast<unsigned long long>(options.orders), seconds, static_cast<double>(options.orders) / seconds,
              static_cast<double>(end.bytes) / static_cast<double>(options.orders), static_cast<unsigned long long>(failed.load()));
  opened.value().reset();
  if (options.directory.empty()) std::filesystem::remove_all(directory);
  return failed.load() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace wandian

int main(int argc, char** argv) {
  CLI::App app{"place_order in process"};
  wandian::Options options;
  app.add_option("--shards", options.shards);
  app.add_option("--orders", options.orders);
  app.add_option("--stores", options.stores);
  app.add_option("--dir", options.directory);
  app.add_option("--module", options.module, "a module whose place_order to call instead of the shipped one");
  app.add_option("--preallocate", options.preallocate_mb, "MB of memory to touch before the clock starts");
  CLI11_PARSE(app, argc, argv);
  return wandian::run(options);
}
