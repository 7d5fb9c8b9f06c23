#include "procedures/hotdog.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "engine/procedure_run.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "storage/base/env_sim.h"
#include "tests/procedures/hotdog_catalog.h"

namespace wandian {
namespace {

// A chain of four stores and five items on a simulated machine with two shards, stepped by hand.
class Chain : public ::testing::Test {
 protected:
  static constexpr unsigned kShards = 2;

  Chain() : env_(7) {
    options_.data_directory = "/data";
    options_.shards = kShards;
    options_.log_ring_bytes = options_.log_segment_bytes = 4u << 20;
    options_.deadlock_timeout_us = 1000;
    open();
    Transaction transaction(database_->shard(0));
    inside(0, [&] {
      transaction.begin(Isolation::kReadCommitted, false);
      EXPECT_TRUE(hotdog_catalog::make(*database_, transaction).ok());
    });
    EXPECT_TRUE(drive(0, transaction.commit(SyncCommit::kOn)).ok());
    turns(3);
    inside(0, [&] { transaction.begin(Isolation::kReadCommitted, false); });
    hotdog_catalog::Loader loader(*database_, transaction);
    inside(0, [&] {
      const char* regions[] = {"north", "south"};
      for (int sku = 1; sku <= 5; ++sku)
        EXPECT_TRUE(loader.add(table("menu"), {Value::of_int(sku), Value::of_bytes("item"), Value::of_int(sku * 100)}).ok());
      for (int store = 1; store <= 4; ++store) {
        EXPECT_TRUE(loader.add(table("stores"), {Value::of_int(store), Value::of_bytes(regions[store % 2]), Value::of_bytes("s")}).ok());
        for (int sku = 1; sku <= 4; ++sku)
          EXPECT_TRUE(loader.add(table("stock"), {Value::of_int(store), Value::of_int(sku), Value::of_int(10), Value::of_int(0), Value::of_int(10)}).ok());
      }
    });
    EXPECT_TRUE(drive(0, loader.run()).ok());
    EXPECT_TRUE(drive(0, transaction.commit(SyncCommit::kOn)).ok());
    turns(3);
  }

  void open() {
    RecoveryReport report;
    Result<std::unique_ptr<Database>> opened = Database::open(env_, options_, &compiler_, &report);
    ASSERT_TRUE(opened.ok());
    database_ = opened.take();
  }
  void restart() {
    turns(5);
    database_.reset();
    env_.kill();
    env_.restart();
    open();
    turns(2);
  }
  std::shared_ptr<const TableDef> table(std::string_view name) {
    const std::shared_ptr<const Catalog> catalog = database_->catalog();
    return catalog->table(catalog->find_relation(kPublicSchema, name)->oid);
  }
  template <class Body>
  void inside(unsigned at, Body&& body) {
    Shard& shard = database_->shard(at);
    shard.begin_turn();
    body();
    shard.step();
    shard.end_turn();
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      for (unsigned s = 0; s < kShards; ++s) inside(s, [] {});
      while (database_->log().step()) {
      }
      env_.advance(200);
    }
  }
  template <class T>
  T drive(unsigned at, Task<T> task) {
    inside(at, [&] { task.start(); });
    for (int i = 0; i < 2000 && !task.done(); ++i) turns(1);
    return task.result();
  }

  struct Answer {
    std::string code = "00000", message, detail;
    std::int64_t value = 0;
    bool null = true;
  };
  static Answer answer_of(Status status, const Value& value) {
    Answer out;
    if (!status.ok()) return {std::string(status.code().text()), status.error().message, status.error().detail, 0, true};
    out.null = value.is_null;
    if (!value.is_null) out.value = value.i;
    return out;
  }
  static const ProcedureDefinition& procedure(std::string_view name) {
    for (const ProcedureDefinition& definition : procedures::hotdog().procedures)
      if (definition.name == name) return definition;
    std::abort();
  }
  Answer local(std::string_view name, std::vector<Value> args, unsigned at = 0) { return local(procedure(name), std::move(args), at); }
  Answer local(const ProcedureDefinition& definition, std::vector<Value> args, unsigned at = 0) {
    LocalRun run(database_->shard(at));
    bool done = false;
    LocalRun::Request request;
    request.procedure = &definition;
    request.schema = kPublicSchema;
    request.args = args;
    request.now = 42;
    request.context = &done;
    request.done = [](void* context) { *static_cast<bool*>(context) = true; };
    inside(at, [&] { done = run.start(request) || done; });
    for (int i = 0; i < 1000 && !done; ++i) turns(1);
    EXPECT_TRUE(done);
    turns(1);
    return answer_of(run.take_status(), run.result());
  }
  Answer global(std::string_view name, std::vector<Value> args, unsigned at = 0) {
    Transaction transaction(database_->shard(at));
    Arena arena;
    std::vector<ErrorRecord> notices;
    Value result;
    inside(at, [&] { transaction.begin(Isolation::kReadCommitted, false); });
    const auto call = [&]() -> Task<Status> {
      while (!transaction.begin_statement()) co_await transaction.shard().next_turn();
      Status status = co_await run_global(transaction.shard(), transaction, procedure(name), kPublicSchema, args, 42, arena, &notices, &result);
      transaction.end_statement();
      if (!status.ok()) {
        co_await transaction.rollback();
        co_return std::move(status);
      }
      co_return co_await transaction.commit(SyncCommit::kOn);
    };
    Status status = drive(at, call());
    turns(2);
    return answer_of(std::move(status), result);
  }
  Value ints(std::vector<std::int32_t> values) {
    std::string& bytes = arrays_.emplace_back(values.empty() ? 8 : 16, '\0');
    const std::int32_t header[4] = {static_cast<std::int32_t>(type_oid::kInt4), values.empty() ? 0 : 1, static_cast<std::int32_t>(values.size()), 1};
    std::memcpy(bytes.data(), header, bytes.size());
    for (const std::int32_t v : values) bytes.append(reinterpret_cast<const char*>(&v), 4);
    return Value::of_bytes(bytes);
  }
  Answer place(std::int64_t store, std::int64_t request, std::vector<std::int32_t> skus, std::vector<std::int32_t> quantities, std::int64_t customer = 1) {
    return local("place_order", {Value::of_int(store), Value::of_int(customer), Value::of_int(request), ints(std::move(skus)), ints(std::move(quantities))});
  }
  Answer pay(std::int64_t store, std::int64_t order, std::int64_t reference, std::int64_t amount) {
    return local("pay_order", {Value::of_int(store), Value::of_int(order), Value::of_int(reference), Value::of_int(amount)});
  }
  /// All rows of a table, columns as integers.
  std::vector<std::vector<std::int64_t>> rows(std::string_view name) {
    std::vector<std::vector<std::int64_t>> out;
    Transaction transaction(database_->shard(0));
    inside(0, [&] {
      transaction.begin(Isolation::kReadCommitted, true);
      ASSERT_TRUE(transaction.begin_statement());
      TableScan scan;
      TableScan::Options options;
      options.ordered = true;
      const auto def = table(name);
      scan.open(def, options, {});
      RowView row;
      while (scan.next(transaction.view(), &row)) {
        std::vector<std::int64_t>& cells = out.emplace_back();
        for (unsigned c = 0; c < def->columns.size(); ++c) {
          const Value value = def->layouts->read(row.layout, row.row, c);
          cells.push_back(value.is_null ? -1 : value.i);
        }
      }
      transaction.end_statement();
      transaction.try_rollback();
    });
    return out;
  }
  std::int64_t in_stock(std::int64_t store, std::int64_t sku) {
    for (const auto& row : rows("stock"))
      if (row[0] == store && row[1] == sku) return row[2];
    return -1;
  }

  SimEnv env_;
  hotdog_catalog::Compiler compiler_;
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
  std::deque<std::string> arrays_;
};

TEST_F(Chain, AnOrderTakesStockAndIsNumberedPerStore) {
  for (int store = 1; store <= 4; ++store) {
    EXPECT_EQ(place(store, 1, {1, 2}, {2, 3}).value, 1);
    EXPECT_EQ(place(store, 2, {3}, {1}).value, 2);
    EXPECT_EQ(in_stock(store, 1), 8);
    EXPECT_EQ(in_stock(store, 2), 7);
  }
  const auto orders = rows("orders");
  ASSERT_EQ(orders.size(), 8u);
  EXPECT_EQ(orders[0][5], 2 * 100 + 3 * 200);
  EXPECT_EQ(orders[0][6], 42);
  EXPECT_EQ(rows("order_lines").size(), 12u);
}

TEST_F(Chain, TheSameRequestIsTheSameOrder) {
  EXPECT_EQ(place(1, 77, {1, 2}, {1, 1}).value, 1);
  EXPECT_EQ(place(1, 77, {1, 2}, {1, 1}).value, 1);
  EXPECT_EQ(in_stock(1, 1), 9);
  const Answer other = place(1, 77, {1, 2}, {1, 2});
  EXPECT_EQ(other.code, "HD007");
  EXPECT_EQ(other.message, "request 77 of store 1 was another order");
  EXPECT_EQ(place(1, 77, {1, 2}, {1, 1}, 2).code, "HD007");
}

TEST_F(Chain, WhatARefusedOrderTouchedIsAsBefore) {
  const Answer shortage = place(2, 1, {1, 2}, {3, 11});
  EXPECT_EQ(shortage.code, "HD001");
  EXPECT_EQ(shortage.message, "item 2 is out of stock in store 2");
  EXPECT_EQ(shortage.detail, "In stock: 10; ordered: 11.");
  EXPECT_EQ(in_stock(2, 1), 10);
  EXPECT_EQ(place(2, 1, {5}, {1}).detail, "In stock: 0; ordered: 1.");
  EXPECT_EQ(place(9, 1, {1}, {1}).code, "HD002");
  EXPECT_EQ(place(2, 1, {9}, {1}).code, "HD003");
  EXPECT_EQ(place(2, 1, {1, 1}, {1, 1}).message, "item 1 appears in more than one line");
  EXPECT_EQ(place(2, 1, {1}, {0}).message, "quantity of item 1 must be positive, not 0");
  EXPECT_EQ(place(2, 1, {}, {}).message, "an order has 1 to 20 lines, not 0");
  EXPECT_EQ(place(2, 1, {1, 2}, {1}).message, "skus and quantities differ in length: 2 and 1");
  EXPECT_TRUE(rows("orders").empty());
  EXPECT_EQ(place(2, 1, {1}, {1}).value, 1);
}

TEST_F(Chain, PaymentsAreIdempotentAndChecked) {
  place(1, 1, {1}, {2});
  EXPECT_EQ(pay(1, 1, 500, 100).code, "HD006");
  EXPECT_EQ(pay(1, 2, 500, 200).code, "HD004");
  EXPECT_EQ(pay(1, 1, 500, 200).value, 200);
  EXPECT_EQ(pay(1, 1, 500, 200).value, 200);
  EXPECT_EQ(pay(1, 1, 501, 200).message, "order 1 of store 1 is paid");
  place(1, 2, {2}, {1});
  EXPECT_EQ(pay(1, 2, 500, 200).code, "HD007");
  EXPECT_EQ(rows("payments").size(), 1u);
}

TEST_F(Chain, CancellingReturnsStockAndRefunds) {
  place(3, 1, {1, 2}, {2, 3});
  pay(3, 1, 9, 800);
  EXPECT_EQ(local("cancel_order", {Value::of_int(3), Value::of_int(1)}).code, "00000");
  EXPECT_EQ(in_stock(3, 1), 10);
  EXPECT_EQ(in_stock(3, 2), 10);
  EXPECT_EQ(rows("payments")[0][5], 42);
  EXPECT_EQ(local("cancel_order", {Value::of_int(3), Value::of_int(1)}).code, "HD005");
}

TEST_F(Chain, RestockingAndTransfersReachOtherPartitions) {
  EXPECT_EQ(global("restock", {Value::of_int(1), Value::of_int(1), Value::of_int(5)}).value, 15);
  EXPECT_EQ(global("restock", {Value::of_int(1), Value::of_int(5), Value::of_int(4)}).value, 4);
  EXPECT_EQ(global("restock", {Value::of_int(1), Value::of_int(9), Value::of_int(4)}).code, "HD003");
  EXPECT_EQ(global("restock", {Value::of_int(9), Value::of_int(1), Value::of_int(4)}).code, "HD002");
  EXPECT_EQ(global("restock", {Value::of_int(1), Value::of_int(1), Value::of_int(0)}).code, "22023");
  for (const unsigned at : {0u, 1u}) EXPECT_EQ(global("transfer_stock", {Value::of_int(1), Value::of_int(2), Value::of_int(1), Value::of_int(3)}, at).code, "00000");
  EXPECT_EQ(in_stock(1, 1), 9);
  EXPECT_EQ(in_stock(2, 1), 16);
  EXPECT_EQ(global("transfer_stock", {Value::of_int(1), Value::of_int(2), Value::of_int(1), Value::of_int(100)}).code, "HD001");
  EXPECT_EQ(global("transfer_stock", {Value::of_int(1), Value::of_int(1), Value::of_int(1), Value::of_int(1)}).code, "22023");
}

TEST_F(Chain, EverythingIsThereAfterRestart) {
  for (int store = 1; store <= 4; ++store)
    for (int request = 1; request <= 3; ++request) place(store, request, {1, 3}, {1, 2});
  pay(1, 1, 1, 700);
  local("cancel_order", {Value::of_int(2), Value::of_int(2)});
  std::map<std::string, std::vector<std::vector<std::int64_t>>> before;
  for (const char* name : {"stock", "orders", "order_lines", "payments"}) before[name] = rows(name);
  restart();
  for (const char* name : {"stock", "orders", "order_lines", "payments"}) EXPECT_EQ(rows(name), before[name]) << name;
  EXPECT_EQ(place(1, 4, {2}, {1}).value, 4);
}

// A module's procedure that writes an order of the store after its key's.
struct Stray {
  ProcedureTable orders;
  static std::shared_ptr<const void> bind(ProcedureBinder& binder) {
    auto out = std::make_shared<Stray>();
    using namespace type_oid;
    out->orders = binder.table("orders", {kInt4, kInt8, kInt8, kInt8, kInt2, kInt8, kTimestamptz});
    return out;
  }
  static bool run(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
    *result = args[0];
    return context.insert(static_cast<const Stray*>(bound)->orders,
                          {args[1], Value::of_int(77), Value::of_int(1), Value::of_int(77), Value::of_int(0), Value::of_int(1), Value::of_int(0)});
  }
};

// Orders and their lines, for procedures that write them as they like.
struct OrderTables {
  ProcedureTable orders, lines;
  unsigned by_request = 0;
  static std::shared_ptr<const void> bind(ProcedureBinder& binder) {
    auto out = std::make_shared<OrderTables>();
    using namespace type_oid;
    out->orders = binder.table("orders", {kInt4, kInt8, kInt8, kInt8, kInt2, kInt8, kTimestamptz});
    out->lines = binder.table("order_lines", {kInt4, kInt8, kInt2, kInt4, kInt4, kInt8});
    out->by_request = binder.index(out->orders, "orders_request_key");
    return out;
  }
  bool order(LocalContext& context, std::int64_t store, std::int64_t id, std::int64_t request) const {
    return context.insert(orders, {Value::of_int(store), Value::of_int(id), Value::of_int(1), Value::of_int(request), Value::of_int(0), Value::of_int(1),
                                   Value::of_int(0)});
  }
  bool line(LocalContext& context, std::int64_t store, std::int64_t id, std::int64_t number) const {
    return context.insert(lines, {Value::of_int(store), Value::of_int(id), Value::of_int(number), Value::of_int(1), Value::of_int(1), Value::of_int(1)});
  }
};

// What a call has seen not to be there, or has made itself, it need not look for again: until that changes.
struct Remembering : OrderTables {
  // What to do: 1 one request for two orders, 2 lines of an order made here, 3 a line of one that is not there, 4 the request again.
  static bool run(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
    const auto& t = *static_cast<const OrderTables*>(bound);
    const std::int64_t store = args[0].i, what = args[1].i;
    LocalContext::Lookup asked{OrderedIndex::Want::kExact, &t.orders, t.by_request, {store, 900}, 2, {}};
    if (!context.find_all(std::span(&asked, 1))) return false;
    *result = Value::of_int(asked.row ? 1 : 0);
    if (what == 4) return true;
    if (!t.order(context, store, 901, 900)) return false;
    if (what == 1) return t.order(context, store, 902, 900);
    return t.line(context, store, 901, 1) && t.line(context, store, what == 3 ? 999 : 901, 2) && t.line(context, store, 901, 3);
  }
};

TEST_F(Chain, WhatACallRemembersHoldsOnlyAsLongAsItIsTrue) {
  static const ProcedureDefinition procedure = {.name = "remembering", .argument_names = {"store", "what"}, .arguments = {type_oid::kInt4, type_oid::kInt4},
                                                .result = type_oid::kInt4, .key_table = "stores", .bind = &Remembering::bind, .local = &Remembering::run};
  const auto call = [&](int what) { return local(procedure, {Value::of_int(2), Value::of_int(what)}); };
  EXPECT_EQ(call(1).code, "23505");
  EXPECT_EQ(call(3).code, "23503");
  EXPECT_EQ(call(4).value, 0);
  EXPECT_EQ(call(2).code, "00000");
  EXPECT_EQ(call(4).value, 1);
  EXPECT_EQ(call(2).code, "23505");   // of the primary key or the request
}

// Rows looked up together are those that are found one by one: over many leaves, at their edges, and with some that are not there.
struct Together : OrderTables {
  static constexpr std::int64_t kFirst = 5000, kOrders = 400;
  static bool fill(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
    const auto& t = *static_cast<const OrderTables*>(bound);
    for (std::int64_t i = 0; i < kOrders; ++i) {
      if (i % 7 == 3) continue;
      if (!t.order(context, args[0].i, kFirst + i, kFirst + i)) return false;
      for (std::int64_t line = 1; line <= i % 4; ++line)
        if (!t.line(context, args[0].i, kFirst + i, line)) return false;
    }
    *result = Value::of_int(0);
    return true;
  }
  // How many answers differ, and 1,000,000 if none of a kind was found.
  static bool compare(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
    const auto& t = *static_cast<const OrderTables*>(bound);
    const std::int64_t store = args[0].i;
    std::int64_t different = 0, found[3] = {}, missed[3] = {};
    for (std::int64_t i = 0; i < kOrders; i += 8) {
      using Want = OrderedIndex::Want;
      std::vector<LocalContext::Lookup> asked;
      for (std::int64_t id = kFirst + i; id < kFirst + i + 8; ++id) {
        asked.push_back({Want::kLast, &t.lines, 0, {store, id}, 2, {}});
        asked.push_back({Want::kExact, &t.orders, t.by_request, {store, id}, 2, {}});
        asked.push_back({Want::kExact, &t.orders, 0, {store, id}, 2, {}});
        asked.push_back({Want::kPlace, &t.lines, 0, {store, id, 1}, 3, {}});
      }
      if (!context.find_all(asked)) return false;
      for (std::size_t at = 0; at < asked.size(); ++at) {
        if (at % 4 == 3) continue;
        const std::int64_t id = asked[at].key[1];
        ProcedureRow alone;
        const bool ran = at % 4 == 0   ? context.find_last(t.lines, {store, id}, &alone)
                         : at % 4 == 1 ? context.find_unique(t.orders, t.by_request, {store, id}, &alone)
                                       : context.find(t.orders, {store, id}, &alone);
        if (!ran) return false;
        different += alone.version != asked[at].row.version;
        ++(alone ? found : missed)[at % 4];
      }
    }
    for (int kind = 0; kind < 3; ++kind)
      if (found[kind] < 100 || missed[kind] < 50) different += 1'000'000;
    *result = Value::of_int(different);
    return true;
  }
};

TEST_F(Chain, RowsLookedUpTogetherAreThoseFoundOneByOne) {
  static const ProcedureDefinition fill = {.name = "fill", .argument_names = {"store"}, .arguments = {type_oid::kInt4},
                                           .result = type_oid::kInt4, .key_table = "stores", .bind = &Together::bind, .local = &Together::fill};
  static const ProcedureDefinition compare = {.name = "compare", .argument_names = {"store"}, .arguments = {type_oid::kInt4},
                                              .result = type_oid::kInt4, .key_table = "stores", .bind = &Together::bind, .local = &Together::compare};
  EXPECT_EQ(local(fill, {Value::of_int(2)}).code, "00000");
  const auto answer = local(compare, {Value::of_int(2)});
  EXPECT_EQ(answer.code, "00000");
  EXPECT_EQ(answer.value, 0);
}

TEST_F(Chain, ARowOfAnotherPartitionThanItsKeysIsRefused) {
  static const ProcedureDefinition stray = {.name = "stray", .argument_names = {"key", "store"}, .arguments = {type_oid::kInt4, type_oid::kInt4},
                                            .result = type_oid::kInt4, .key_table = "stores", .bind = &Stray::bind, .local = &Stray::run};
  unsigned refused = 0;
  for (int store = 1; store <= 4; ++store) {
    const Answer answer = local(stray, {Value::of_int(1), Value::of_int(store)});
    if (store == 1) { EXPECT_EQ(answer.code, "00000"); }
    refused += answer.code == "0A000" || answer.code == "23503" ? 1 : 0;
  }
  EXPECT_GE(refused, 2u);   // the other region's at least
}

}  // namespace
}  // namespace wandian
