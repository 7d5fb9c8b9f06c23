#include "procedures/hotdog.h"

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <string>
#include <vector>

#include "procedures/hotdog_schema.h"
#include "procedures/hotdog_tables.h"

namespace wandian::procedures {

namespace {

constexpr std::size_t kMaxLines = 20;

const HotdogTables& tables_of(const void* bound) { return *static_cast<const HotdogTables*>(bound); }

Value integer(std::int64_t v) { return Value::of_int(v); }

std::string text(std::int64_t v) { return std::to_string(v); }

Status unknown_store(std::int64_t store) { return Status{sqlstate::hotdog_unknown_store, "store " + text(store) + " does not exist"}; }
Status unknown_item(std::int64_t sku) { return Status{sqlstate::hotdog_unknown_item, "item " + text(sku) + " does not exist"}; }
Status bad_quantity(std::int64_t sku, std::int64_t quantity) {
  return Status{sqlstate::invalid_parameter_value, "quantity of item " + text(sku) + " must be positive, not " + text(quantity)};
}
Status out_of_stock(std::int64_t store, std::int64_t sku, std::int64_t in_stock, std::int64_t wanted) {
  return Status{sqlstate::hotdog_out_of_stock, "item " + text(sku) + " is out of stock in store " + text(store)}.with_detail(
      "In stock: " + text(in_stock) + "; ordered: " + text(wanted) + ".");
}
Status out_of_range(const char* type) { return Status{sqlstate::numeric_value_out_of_range, std::string(type) + " out of range"}; }

struct Lines {
  std::size_t count = 0;   ///< the rest is set as far as this
  std::array<std::int32_t, kMaxLines> sku;
  std::array<std::int32_t, kMaxLines> quantity;
  std::array<bool, kMaxLines> null;
};

Status read_lines(const Value& skus_value, const Value& quantities_value, Lines* lines) {
  const ArrayView skus(skus_value), quantities(quantities_value);
  if (skus.count() != quantities.count())
    return Status{sqlstate::invalid_parameter_value,
                  "skus and quantities differ in length: " + text(skus.count()) + " and " + text(quantities.count())};
  if (skus.count() < 1 || skus.count() > kMaxLines)
    return Status{sqlstate::invalid_parameter_value, "an order has 1 to 20 lines, not " + text(skus.count())};
  lines->count = skus.count();
  for (std::uint32_t i = 0; i < skus.count(); ++i) {
    const Value sku = skus.element(i), quantity = quantities.element(i);
    lines->null[i] = sku.is_null || quantity.is_null;
    lines->sku[i] = static_cast<std::int32_t>(sku.is_null ? 0 : sku.i);
    lines->quantity[i] = static_cast<std::int32_t>(quantity.is_null ? 0 : quantity.i);
  }
  return {};
}

// Whether the order that has this request's id is the order asked for again.
bool same_order(LocalContext& context, const HotdogTables& t, std::int64_t store, const ProcedureRow& order, std::int64_t customer,
                const Lines& lines, bool* same) {
  *same = order.get(t.order_customer) == customer;
  std::size_t line = 0;
  const bool on = context.for_each(t.order_lines, {store, order.get(t.order_id)}, [&](const ProcedureRow& row) {
    *same = *same && line < lines.count && !lines.null[line] && row.get(t.line_sku) == lines.sku[line] &&
            row.get(t.line_quantity) == lines.quantity[line];
    ++line;
    return *same;
  });
  *same = *same && line == lines.count;
  return on;
}

// Checks line `i` and adds its price to the total; false with the context's outcome set.
bool check_line(LocalContext& context, const HotdogTables& t, std::int64_t store, const Lines& lines, std::size_t i,
                const ProcedureRow& stock, std::int64_t* price, std::int64_t* total) {
  if (lines.null[i]) return context.fail(Status{sqlstate::null_value_not_allowed, "order line " + text(static_cast<std::int64_t>(i) + 1) + " is null"});
  const std::int32_t sku = lines.sku[i], wanted = lines.quantity[i];
  if (wanted < 1) return context.fail(bad_quantity(sku, wanted));
  for (std::size_t before = 0; before < i; ++before)
    if (lines.sku[before] == sku)
      return context.fail(Status{sqlstate::invalid_parameter_value, "item " + text(sku) + " appears in more than one line"});
  ProcedureRow item;
  if (!context.find_anywhere(t.menu, {sku}, &item)) return false;
  if (!item) return context.fail(unknown_item(sku));
  const std::int32_t in_stock = stock ? stock.get(t.stock_quantity) : 0;
  if (in_stock < wanted) return context.fail(out_of_stock(store, sku, in_stock, wanted));
  *price = item.get(t.menu_price);
  std::int64_t cost = 0;
  if (__builtin_mul_overflow(*price, static_cast<std::int64_t>(wanted), &cost) || __builtin_add_overflow(*total, cost, total))
    return context.fail(out_of_range("bigint"));
  return true;
}

// What place_order looks at: its store, the ends of the store's orders and lines, where the request would stand, the shelves.
struct OrderLookups {
  boost::container::static_vector<LocalContext::Lookup, 4 + kMaxLines> list;

  OrderLookups(const HotdogTables& t, std::int64_t store, std::int64_t request, const Lines& lines) {
    using Want = OrderedIndex::Want;
    list.push_back({Want::kExact, &t.stores, 0, {store}, 1, {}});
    list.push_back({Want::kLast, &t.orders, 0, {store}, 1, {}});
    list.push_back({Want::kExact, &t.orders, t.orders_by_request, {store, request}, 2, {}});
    list.push_back({Want::kPlace, &t.order_lines, 0, {store, INT64_MAX}, 2, {}});
    for (std::size_t i = 0; i < lines.count; ++i) list.push_back({Want::kExact, &t.stock, 0, {store, lines.sku[i]}, 2, {}});
  }
  const ProcedureRow& store() const { return list[0].row; }
  const ProcedureRow& last_order() const { return list[1].row; }
  const ProcedureRow& asked_before() const { return list[2].row; }
  ProcedureRow& shelf(std::size_t line) { return list[4 + line].row; }
};

bool place_order(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const HotdogTables& t = tables_of(bound);
  const std::int64_t store = args[0].i, customer = args[1].i, request = args[2].i;
  Lines lines;
  if (Status status = read_lines(args[3], args[4], &lines); !status.ok()) return context.fail(std::move(status));
  OrderLookups at(t, store, request, lines);
  if (!context.find_all(at.list)) return false;
  if (!at.store()) return context.fail(unknown_store(store));
  if (const ProcedureRow& order = at.asked_before()) {
    bool same = false;
    if (!same_order(context, t, store, order, customer, lines, &same)) return false;
    if (!same)
      return context.fail(Status{sqlstate::hotdog_idempotency_conflict, "request " + text(request) + " of store " + text(store) + " was another order"});
    *result = integer(order.get(t.order_id));
    return true;
  }
  std::array<std::int64_t, kMaxLines> prices;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < lines.count; ++i)
    if (!check_line(context, t, store, lines, i, at.shelf(i), &prices[i], &total)) return false;
  const std::int64_t number = at.last_order() ? at.last_order().get(t.order_id) + 1 : 1;
  for (std::size_t i = 0; i < lines.count; ++i)
    if (!context.update(t.stock, &at.shelf(i), {{t.stock_quantity.index, integer(at.shelf(i).get(t.stock_quantity) - lines.quantity[i])},
                                                {t.stock_taken.index, integer(at.shelf(i).get(t.stock_taken) + lines.quantity[i])}}))
      return false;
  if (!context.insert(t.orders, {integer(store), integer(number), integer(customer), integer(request),
                                 integer(static_cast<std::int64_t>(OrderStatus::kPlaced)), integer(total), integer(context.now())}))
    return false;
  for (std::size_t i = 0; i < lines.count; ++i)
    if (!context.insert(t.order_lines, {integer(store), integer(number), integer(static_cast<std::int64_t>(i) + 1), integer(lines.sku[i]),
                                        integer(lines.quantity[i]), integer(prices[i])}))
      return false;
  *result = integer(number);
  return true;
}

// The order's row, or an error that names what is missing. `more`: what the caller will need besides.
bool find_order(LocalContext& context, const HotdogTables& t, std::int64_t store, std::int64_t number, ProcedureRow* order,
                std::span<LocalContext::Lookup> more = {}) {
  using Want = OrderedIndex::Want;
  std::array<LocalContext::Lookup, 4> at = {{{Want::kExact, &t.stores, 0, {store}, 1, {}}, {Want::kExact, &t.orders, 0, {store, number}, 2, {}}}};
  std::copy(more.begin(), more.end(), at.begin() + 2);
  if (!context.find_all(std::span(at).first(2 + more.size()))) return false;
  if (!at[0].row) return context.fail(unknown_store(store));
  std::copy(at.begin() + 2, at.begin() + 2 + static_cast<std::ptrdiff_t>(more.size()), more.begin());
  *order = at[1].row;
  if (!*order)
    return context.fail(Status{sqlstate::hotdog_unknown_order, "order " + text(number) + " of store " + text(store) + " does not exist"});
  return true;
}

Status illegal_state(std::int64_t store, std::int64_t number, OrderStatus status) {
  static constexpr const char* kNames[] = {"placed", "paid", "cancelled"};
  return Status{sqlstate::hotdog_illegal_state,
                "order " + text(number) + " of store " + text(store) + " is " + kNames[static_cast<std::size_t>(status)]};
}

bool pay_order(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const HotdogTables& t = tables_of(bound);
  const std::int64_t store = args[0].i, number = args[1].i, reference = args[2].i, amount = args[3].i;
  using Want = OrderedIndex::Want;
  ProcedureRow order;
  std::array<LocalContext::Lookup, 2> payments = {{{Want::kExact, &t.payments, t.payments_by_reference, {store, reference}, 2, {}},
                                                   {Want::kPlace, &t.payments, 0, {store, number}, 2, {}}}};
  if (!find_order(context, t, store, number, &order, payments)) return false;
  if (const ProcedureRow& payment = payments[0].row) {
    if (payment.get(t.payment_order) != number || payment.get(t.payment_amount) != amount)
      return context.fail(Status{sqlstate::hotdog_idempotency_conflict,
                                 "provider reference " + text(reference) + " of store " + text(store) + " was another payment"});
    *result = integer(amount);
    return true;
  }
  const auto status = static_cast<OrderStatus>(order.get(t.order_status));
  if (status != OrderStatus::kPlaced) return context.fail(illegal_state(store, number, status));
  if (order.get(t.order_total) != amount)
    return context.fail(Status{sqlstate::hotdog_amount_mismatch, "order " + text(number) + " of store " + text(store) + " costs " +
                                                                    text(order.get(t.order_total)) + " cents, not " + text(amount)});
  if (!context.update(t.orders, &order, {{t.order_status.index, integer(static_cast<std::int64_t>(OrderStatus::kPaid))}})) return false;
  if (!context.insert(t.payments, {integer(store), integer(number), integer(reference), integer(amount), integer(context.now()), Value::null()})) return false;
  *result = integer(amount);
  return true;
}

bool cancel_order(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const HotdogTables& t = tables_of(bound);
  const std::int64_t store = args[0].i, number = args[1].i;
  ProcedureRow order;
  if (!find_order(context, t, store, number, &order)) return false;
  const auto status = static_cast<OrderStatus>(order.get(t.order_status));
  if (status == OrderStatus::kCancelled) return context.fail(illegal_state(store, number, status));
  if (!context.update(t.orders, &order, {{t.order_status.index, integer(static_cast<std::int64_t>(OrderStatus::kCancelled))}})) return false;
  if (status == OrderStatus::kPaid) {
    ProcedureRow payment;
    if (!context.find(t.payments, {store, number}, &payment)) return false;
    if (payment && !context.update(t.payments, &payment, {{t.payment_refunded.index, integer(context.now())}})) return false;
  }
  bool going = true;
  const bool on = context.for_each(t.order_lines, {store, number}, [&](const ProcedureRow& line) {
    const std::int32_t sku = line.get(t.line_sku), quantity = line.get(t.line_quantity);
    ProcedureRow stock;
    going = context.find(t.stock, {store, sku}, &stock);
    if (!going || !stock) return going;
    const std::int64_t now_there = std::int64_t{stock.get(t.stock_quantity)} + quantity;
    if (now_there > INT32_MAX) return going = context.fail(out_of_range("integer"));
    going = context.update(t.stock, &stock, {{t.stock_quantity.index, integer(now_there)},
                                             {t.stock_taken.index, integer(stock.get(t.stock_taken) - quantity)}});
    return going;
  });
  *result = Value::null();
  return on && going;
}

// --- global procedures: what a foreign key or a second store takes beyond one partition -----------------------------

Task<Status> check_move(GlobalContext& context, const HotdogTables& t, std::int64_t store, std::int64_t sku, std::int64_t quantity) {
  if (quantity < 1) co_return bad_quantity(sku, quantity);
  std::vector<Value> row;
  Status status = co_await context.lock_row(t.stores, {store}, RowLock::kKeyShare, &row);
  if (!status.ok()) co_return std::move(status);
  if (row.empty()) co_return unknown_store(store);
  status = co_await context.lock_row(t.menu, {sku}, RowLock::kKeyShare, &row);
  if (!status.ok()) co_return std::move(status);
  if (row.empty()) co_return unknown_item(sku);
  co_return Status{};
}

// Adds to a shelf that was locked (`row` holds its values, or nothing if there is none).
Task<Status> supply(GlobalContext& context, const HotdogTables& t, std::int64_t store, std::int64_t sku, std::int64_t quantity,
                    const std::vector<Value>& row, std::int64_t* now_there) {
  if (row.empty()) {
    const std::array<Value, 5> values = {integer(store), integer(sku), integer(quantity), integer(0), integer(quantity)};
    *now_there = quantity;
    co_return co_await context.insert(t.stock, values);
  }
  *now_there = row[t.stock_quantity.index].i + quantity;
  if (*now_there > INT32_MAX) co_return out_of_range("integer");
  const std::array changes = {ColumnChange{t.stock_quantity.index, integer(*now_there)},
                              ColumnChange{t.stock_restocked.index, integer(row[t.stock_restocked.index].i + quantity)}};
  co_return co_await context.update(t.stock, {store, sku}, changes);
}

Task<Status> restock(GlobalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const HotdogTables& t = tables_of(bound);
  const std::int64_t store = args[0].i, sku = args[1].i, quantity = args[2].i;
  std::vector<Value> shelf;
  if (quantity >= 1) {
    Status status = co_await context.lock_row(t.stock, {store, sku}, RowLock::kNoKeyUpdate, &shelf);
    if (!status.ok()) co_return std::move(status);
  }
  if (shelf.empty()) {   // a shelf there is proves store and item
    Status status = co_await check_move(context, t, store, sku, quantity);
    if (!status.ok()) co_return std::move(status);
  }
  std::int64_t now_there = 0;
  Status status = co_await supply(context, t, store, sku, quantity, shelf, &now_there);
  if (!status.ok()) co_return std::move(status);
  *result = integer(now_there);
  co_return Status{};
}

Task<Status> transfer_stock(GlobalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const HotdogTables& t = tables_of(bound);
  const std::int64_t from = args[0].i, to = args[1].i, sku = args[2].i, quantity = args[3].i;
  if (from == to) co_return Status{sqlstate::invalid_parameter_value, "store " + text(from) + " cannot transfer stock to itself"};
  Status status = co_await check_move(context, t, from, sku, quantity);
  if (!status.ok()) co_return std::move(status);
  status = co_await check_move(context, t, to, sku, quantity);
  if (!status.ok()) co_return std::move(status);
  // In the order of their ids, so that two transfers in opposite directions do not wait for each other.
  std::vector<Value> source, target;
  for (const std::int64_t store : std::array{std::min(from, to), std::max(from, to)}) {
    status = co_await context.lock_row(t.stock, {store, sku}, RowLock::kNoKeyUpdate, store == from ? &source : &target);
    if (!status.ok()) co_return std::move(status);
  }
  const std::int64_t in_stock = source.empty() ? 0 : source[t.stock_quantity.index].i;
  if (in_stock < quantity) co_return out_of_stock(from, sku, in_stock, quantity);
  const std::array changes = {ColumnChange{t.stock_quantity.index, integer(in_stock - quantity)},
                              ColumnChange{t.stock_restocked.index, integer(source[t.stock_restocked.index].i - quantity)}};
  status = co_await context.update(t.stock, {from, sku}, changes);
  if (!status.ok()) co_return std::move(status);
  std::int64_t now_there = 0;
  *result = Value::null();
  co_return co_await supply(context, t, to, sku, quantity, target, &now_there);
}

}  // namespace

std::shared_ptr<const void> HotdogTables::bind(ProcedureBinder& binder) {
  using namespace type_oid;
  auto t = std::make_shared<HotdogTables>();
  t->stores = binder.table("stores");
  t->menu = binder.table("menu");
  t->stock = binder.table("stock", {kInt4, kInt4, kInt4, kInt8, kInt8});
  t->orders = binder.table("orders", {kInt4, kInt8, kInt8, kInt8, kInt2, kInt8, kTimestamptz});
  t->order_lines = binder.table("order_lines", {kInt4, kInt8, kInt2, kInt4, kInt4, kInt8});
  t->payments = binder.table("payments", {kInt4, kInt8, kInt8, kInt8, kTimestamptz, kTimestamptz});
  if (!binder.ok()) return t;
  t->menu_price = binder.column<std::int64_t>(t->menu, "price_cents");
  t->stock_sku = binder.column<std::int32_t>(t->stock, "sku");
  t->stock_quantity = binder.column<std::int32_t>(t->stock, "quantity");
  t->stock_taken = binder.column<std::int64_t>(t->stock, "taken");
  t->stock_restocked = binder.column<std::int64_t>(t->stock, "restocked");
  t->order_id = binder.column<std::int64_t>(t->orders, "order_id");
  t->order_customer = binder.column<std::int64_t>(t->orders, "customer_id");
  t->order_status = binder.column<std::int16_t>(t->orders, "status");
  t->order_total = binder.column<std::int64_t>(t->orders, "total_cents");
  t->line_sku = binder.column<std::int32_t>(t->order_lines, "sku");
  t->line_quantity = binder.column<std::int32_t>(t->order_lines, "quantity");
  t->payment_order = binder.column<std::int64_t>(t->payments, "order_id");
  t->payment_amount = binder.column<std::int64_t>(t->payments, "amount_cents");
  t->payment_refunded = binder.column<std::int64_t>(t->payments, "refunded_at");
  t->orders_by_request = binder.index(t->orders, "orders_request_key");
  t->payments_by_reference = binder.index(t->payments, "payments_provider_ref_key");
  return t;
}

const ProcedureModule& hotdog() {
  using namespace type_oid;
  constexpr Oid kInt4Array = 1007;
  static const std::vector<ProcedureDefinition> procedures = [] {
    std::vector<ProcedureDefinition> list(5);
    list[0] = {.name = "place_order",
               .argument_names = {"store_id", "customer_id", "request_id", "skus", "quantities"},
               .arguments = {kInt4, kInt8, kInt8, kInt4Array, kInt4Array},
               .result = kInt8,
               .key_table = "stores",
               .bind = &HotdogTables::bind,
               .local = &place_order};
    list[1] = {.name = "pay_order",
               .argument_names = {"store_id", "order_id", "provider_ref", "amount_cents"},
               .arguments = {kInt4, kInt8, kInt8, kInt8},
               .result = kInt8,
               .key_table = "stores",
               .bind = &HotdogTables::bind,
               .local = &pay_order};
    list[2] = {.name = "cancel_order",
               .argument_names = {"store_id", "order_id"},
               .arguments = {kInt4, kInt8},
               .result = kVoid,
               .key_table = "stores",
               .bind = &HotdogTables::bind,
               .local = &cancel_order};
    list[3] = {.name = "restock",
               .argument_names = {"store_id", "sku", "quantity"},
               .arguments = {kInt4, kInt4, kInt4},
               .result = kInt4,
               .bind = &HotdogTables::bind,
               .global = &restock};
    list[4] = {.name = "transfer_stock",
               .argument_names = {"from_store", "to_store", "sku", "quantity"},
               .arguments = {kInt4, kInt4, kInt4, kInt4},
               .result = kVoid,
               .bind = &HotdogTables::bind,
               .global = &transfer_stock};
    return list;
  }();
  static const ProcedureModule module = {.name = "hotdog",
                                         .version = "1.0",
                                         .comment = "stores, menu, stock, orders and payments of a chain of hot-dog stores",
                                         .schema_sql = kHotdogSchema,
                                         .procedures = procedures};
  return module;
}

}  // namespace wandian::procedures
