// The commit path: a transaction that inserts rows and commits, through owner, log ring and descriptor, one shard, with the
// log's writer on its own thread. Not waited for: the sync.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/shard.h"
#include "engine/table.h"
#include "engine/transaction.h"

namespace wandian {
namespace {

// One shard over a log in a folder of its own, and one table: id bigint PRIMARY KEY, value bigint.
class CommitBench {
 public:
  explicit CommitBench(unsigned rows) : rows_(rows) {
    std::string folder = std::filesystem::temp_directory_path() / "wandian-commit-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    DatabaseOptions options;
    options.data_directory = folder_;
    options.shards = 1;
    RecoveryReport report;
    database_ = Database::open(posix_env(), options, nullptr, &report).take();
    database_->log().start_thread();
    transaction_ = std::make_unique<Transaction>(shard());
    auto table = std::make_shared<TableDef>();
    table->oid = database_->allocate_oid();
    table->schema = kPublicSchema;
    table->name = "measured";
    table->storage_id = database_->allocate_storage_id();
    for (const char* name : {"id", "value"}) {
      ColumnDef column;
      column.name = name;
      column.type = type_oid::kInt8;
      column.not_null = true;
      table->columns.push_back(column);
    }
    IndexDef primary;
    primary.oid = database_->allocate_oid();
    primary.name = "measured_pkey";
    primary.primary = primary.unique = true;
    primary.parts.push_back({0, false, false});
    table->indexes.push_back(primary);
    CatalogChange change;
    change.kind = ObjectKind::kTable;
    change.oid = table->oid;
    change.table = table;
    shard().begin_turn();
    transaction_->begin(Isolation::kReadCommitted, false);
    if (!transaction_->change_catalog({change}).ok()) std::abort();
    Task<Status> commit = transaction_->commit(SyncCommit::kOn);
    commit.start();
    while (!commit.done()) turn();
    turn();
    table_ = database_->catalog()->table(table->oid);
  }
  ~CommitBench() {
    shard().end_turn();
    transaction_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  Shard& shard() { return database_->shard(0); }
  void turn() {
    shard().step();
    shard().end_turn();
    shard().begin_turn();
  }
  bool run() {
    transaction_->begin(Isolation::kReadCommitted, false);
    while (!transaction_->begin_statement()) turn();
    const RowLayout& layout = table_->layouts->newest();
    for (unsigned i = 0; i < rows_; ++i) {
      const Value values[2] = {Value::of_int(next_), Value::of_int(next_)};
      ++next_;
      const std::size_t size = layout.encoded_size(values);
      char* bytes = inputs_.allocate_bytes(size);
      layout.encode(values, bytes);
      KeyBuffer key;
      table_->codecs[0].encode(std::span(values, 1), key);
      const std::string_view kept = inputs_.copy(key.ref().view());
      RowOp& op = batch_.ops.emplace_back();
      op.kind = RowOp::Kind::kInsert;
      op.lock = RowLock::kUpdate;
      op.partition = hash_partition(key);
      op.table = &table_;
      op.key = {kept.data(), static_cast<std::uint32_t>(kept.size())};
      op.row = {bytes, size};
    }
    Status status;
    bool ok = transaction_->try_write(batch_, &status) && status.ok();
    transaction_->end_statement();
    while (ok && !transaction_->try_commit(SyncCommit::kOn, &status)) turn();
    batch_.ops.clear();
    batch_.redo.clear();
    batch_.next = 0;
    inputs_.reset();
    return ok && status.ok();
  }

 private:
  const unsigned rows_;
  std::string folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Transaction> transaction_;
  std::shared_ptr<const TableDef> table_;
  RowBatch batch_;
  Arena inputs_;
  std::int64_t next_ = 0;
};

void commit_inserts(benchmark::State& state) {
  CommitBench bench(static_cast<unsigned>(state.range(0)));
  unsigned in_turn = 0;
  for (auto _ : state) {
    if (!bench.run()) {
      state.SkipWithError("a commit failed");
      break;
    }
    if (++in_turn % 64 == 0) bench.turn();
  }
}
BENCHMARK(commit_inserts)->ArgName("rows")->Arg(1)->Arg(4)->Arg(16);

}  // namespace
}  // namespace wandian
