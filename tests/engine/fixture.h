// A whole engine in one thread: a Database on a simulated machine, its shards stepped by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "engine/transaction.h"
#include "storage/base/env_sim.h"
#include "tests/engine/row_helpers.h"

namespace wandian {

class Engine {
 public:
  explicit Engine(unsigned shards = 2, std::uint64_t seed = 1) : env(seed) {
    options.data_directory = "/data";
    options.shards = shards;
    options.log_ring_bytes = 4u << 20;
    options.log_segment_bytes = 4u << 20;
    options.deadlock_timeout_us = 1000;
    open();
  }

  void open() {
    Result<std::unique_ptr<Database>> opened = Database::open(env, options, nullptr, &report);
    ASSERT_TRUE(opened.ok()) << opened.status().error().message;
    database = opened.take();
  }
  /// Ends the process as kill -9 would, and starts again.
  void restart() {
    database.reset();
    env.kill();
    env.restart();
    open();
  }

  void turn(unsigned index) {
    Shard& shard = database->shard(index);
    shard.begin_turn();
    shard.step();
    shard.end_turn();
  }
  void turns(int count = 1) {
    for (int i = 0; i < count; ++i) {
      for (unsigned s = 0; s < options.shards; ++s) turn(s);
      while (database->log().step()) {
      }
      env.advance(200);
    }
  }

  /// Runs `body(shard)` inside a turn of the shard.
  template <class Body>
  auto at(unsigned index, Body&& body) {
    Shard& shard = database->shard(index);
    shard.begin_turn();
    struct End {
      Shard& shard;
      ~End() {
        shard.step();
        shard.end_turn();
      }
    } end{shard};
    return body(shard);
  }

  /// Starts a task inside a turn and turns until it is done (or gives up after `limit` rounds).
  template <class T>
  bool drive(unsigned index, Task<T>& task, int limit = 1000) {
    at(index, [&](Shard&) { task.start(); });
    for (int i = 0; i < limit && !task.done(); ++i) turns();
    return task.done();
  }

  /// (id int4 primary key, value int8, name text) with a unique index on name if asked; returns its OID.
  Oid make_table(const std::string& name, bool unique_name = false, std::vector<std::uint16_t> key = {0}) {
    Transaction transaction(database->shard(0));
    auto table = std::make_shared<TableDef>();
    at(0, [&](Shard&) {
      transaction.begin(Isolation::kReadCommitted, false);
      describe_test_table(*database, name, unique_name, std::move(key), *table);
      CatalogChange change;
      change.kind = ObjectKind::kTable;
      change.oid = table->oid;
      change.table = table;
      EXPECT_TRUE(transaction.change_catalog({change}).ok());
    });
    Task<Status> commit = transaction.commit(SyncCommit::kOn);
    EXPECT_TRUE(drive(0, commit));
    EXPECT_TRUE(commit.result().ok());
    turns(3);
    return table->oid;
  }

  std::shared_ptr<const TableDef> table(Oid oid) const { return database->catalog()->table(oid); }

  struct Cells {
    std::int64_t value;
    std::string name;
  };
  /// What a new snapshot sees, by id.
  std::vector<std::pair<std::int64_t, Cells>> scan(Oid oid, unsigned index = 0, bool backward = false) {
    std::vector<std::pair<std::int64_t, Cells>> rows;
    Transaction transaction(database->shard(0));
    at(0, [&](Shard&) {
      transaction.begin(Isolation::kReadCommitted, true);
      ASSERT_TRUE(transaction.begin_statement());
      read(transaction, oid, index, backward, &rows);
      transaction.end_statement();
      transaction.try_rollback();
    });
    return rows;
  }
  void read(Transaction& transaction, Oid oid, unsigned index, bool backward, std::vector<std::pair<std::int64_t, Cells>>* rows) {
    const std::shared_ptr<const TableDef> def = table(oid);
    TableScan scan;
    TableScan::Options scan_options;
    scan_options.index = index;
    scan_options.ordered = true;
    scan_options.backward = backward;
    scan.open(def, scan_options, {});
    RowView row;
    while (scan.next(transaction.view(), &row))
      rows->push_back({def->layouts->read(row.layout, row.row, 0).i,
                       {def->layouts->read(row.layout, row.row, 1).i, std::string(def->layouts->read(row.layout, row.row, 2).bytes())}});
  }

  SimEnv env;
  DatabaseOptions options;
  RecoveryReport report;
  std::unique_ptr<Database> database;
};

/// An id whose row this shard owns; `skip` passes over that many.
inline std::int32_t id_owned_by(Engine& engine, Oid oid, unsigned shard, int skip = 0) {
  for (std::int32_t id = 1;; ++id) {
    OneRow one(engine, oid);
    one.lock(id, RowLock::kKeyShare);
    if (engine.database->owner_of(one.op().partition) == shard && skip-- == 0) return id;
  }
}

/// A session's worth of transaction with a blocking-looking interface.
class Client {
 public:
  Client(Engine& engine, unsigned shard) : engine_(engine), shard_(shard), transaction(engine.database->shard(shard)) {}
  ~Client() {
    if (transaction.active()) rollback();
  }
  void begin(Isolation isolation = Isolation::kReadCommitted) {
    engine_.at(shard_, [&](Shard&) { transaction.begin(isolation, false); });
  }
  /// Runs one batch as a statement; waits for it.
  Status write(RowBatch& batch) {
    start(batch);
    EXPECT_TRUE(finish_within(2000));
    return result();
  }
  void start(RowBatch& batch) {
    pointer_ = &batch;
    task_ = statement();
    engine_.at(shard_, [&](Shard&) { task_.start(); });
  }
  bool done() const { return task_.done(); }
  bool finish_within(int rounds) {
    for (int i = 0; i < rounds && !task_.done(); ++i) engine_.turns();
    return task_.done();
  }
  Status result() { return task_.result(); }
  Status commit() {
    Task<Status> task = transaction.commit(SyncCommit::kOn);
    EXPECT_TRUE(engine_.drive(shard_, task));
    return task.result();
  }
  void rollback() {
    Task<void> task = transaction.rollback();
    EXPECT_TRUE(engine_.drive(shard_, task));
    engine_.turns(3);
  }
  void rollback_to(Transaction::Savepoint savepoint) {
    Task<void> task = transaction.rollback_to(savepoint);
    EXPECT_TRUE(engine_.drive(shard_, task));
  }

 private:
  Task<Status> statement() {
    while (!transaction.begin_statement()) co_await transaction.shard().next_turn();
    Status status = co_await transaction.write(std::span(&pointer_, 1));
    transaction.end_statement();
    co_return std::move(status);
  }
  Engine& engine_;
  unsigned shard_;
  RowBatch* pointer_ = nullptr;
  Task<Status> task_;

 public:
  Transaction transaction;
};

}  // namespace wandian
