#include "bench/day/database.h"

#include <algorithm>
#include <cstdlib>

#include "bench/day/hotdog_sql.h"

namespace wandian::bench {

namespace {

constexpr int kInitialStock = 40;
constexpr int kStoresPerInsert = 500;

// The sums of bigint columns are numeric in SQL; books keep them modulo 2^64.
std::uint64_t wrapped(const std::string& text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return text.starts_with('-') ? 0 - value : value;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

bool create_schema(PgSession& session) {
  if (session.query("SELECT 1 FROM stores LIMIT 1")) return true;
  if (session.error().sqlstate != "42P01") return false;
  const auto version = session.value("SELECT version()");
  if (!version) return false;
  return session.query(version->find("Wandian") != version->npos ? std::string_view("CREATE EXTENSION hotdog") : kHotdogSql);
}

bool fill_menu(PgSession& session) {
  const auto items = session.value("SELECT count(*) FROM menu");
  if (!items) return false;
  if (std::atoi(items->c_str()) >= kMenuItems) return true;
  std::string sql = "INSERT INTO menu (sku, name, price_cents) VALUES ";
  for (int i = 0; i < kMenuItems; ++i) {
    const MenuItem& item = menu()[static_cast<std::size_t>(i)];
    sql += (i == 0 ? "(" : ", (") + std::to_string(i + 1) + ", " + quoted(item.name) + ", " +
           std::to_string(item.price_cents) + ")";
  }
  return session.query(sql + " ON CONFLICT (sku) DO NOTHING");
}

bool fill_stores(PgSession& session, int stores) {
  const auto known = session.value("SELECT count(*) FROM stores WHERE store_id <= " + std::to_string(stores));
  if (!known) return false;
  if (std::atoi(known->c_str()) >= stores) return true;
  for (int first = 1; first <= stores; first += kStoresPerInsert) {
    const int last = std::min(stores, first + kStoresPerInsert - 1);
    std::string sql = "INSERT INTO stores (store_id, region, name) VALUES ";
    for (int store = first; store <= last; ++store) {
      const std::string_view region = kRegions[static_cast<std::size_t>(region_of(store))];
      sql += (store == first ? "(" : ", (") + std::to_string(store) + ", " + quoted(region) + ", " +
             quoted(std::string(city_of(store)) + std::to_string(store) + "号店") + ")";
    }
    const std::string range = std::to_string(first) + " AND " + std::to_string(last);
    if (!session.query(sql + " ON CONFLICT (store_id) DO NOTHING")) return false;
    if (!session.query("INSERT INTO stock (store_id, sku, quantity, restocked) SELECT s.store_id, m.sku, " +
                       std::to_string(kInitialStock) + ", " + std::to_string(kInitialStock) +
                       " FROM stores s CROSS JOIN menu m WHERE s.store_id BETWEEN " + range + " AND m.sku <= " +
                       std::to_string(kMenuItems) + " ON CONFLICT (store_id, sku) DO NOTHING"))
      return false;
  }
  return session.query("ANALYZE");
}

constexpr std::string_view kStoreSums =
    "SELECT store_id, count(*), sum(order_id), sum(request_id), sum(total_cents) FROM orders GROUP BY store_id";

// A rule as a query that counts what breaks it.
struct Rule {
  std::string_view name;
  std::string_view sql;
};

constexpr Rule kRules[] = {
    {"orders whose lines do not sum to their total",
     "SELECT count(*) FROM orders o LEFT JOIN (SELECT store_id, order_id, sum(quantity * price_cents) AS cents "
     "FROM order_lines GROUP BY store_id, order_id) l ON l.store_id = o.store_id AND l.order_id = o.order_id "
     "WHERE l.cents IS NULL OR l.cents <> o.total_cents"},
    {"orders whose payment does not match their state",
     "SELECT count(*) FROM orders o LEFT JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.order_id "
     "WHERE NOT CASE o.status WHEN 0 THEN p.order_id IS NULL "
     "WHEN 1 THEN p.order_id IS NOT NULL AND p.refunded_at IS NULL AND p.amount_cents = o.total_cents "
     "ELSE p.order_id IS NULL OR (p.refunded_at IS NOT NULL AND p.amount_cents = o.total_cents) END"},
    {"stock rows whose taken units are not those sold less those returned",
     "SELECT count(*) FROM stock s LEFT JOIN (SELECT l.store_id, l.sku, sum(l.quantity) AS sold "
     "FROM order_lines l JOIN orders o ON o.store_id = l.store_id AND o.order_id = l.order_id "
     "WHERE o.status <> 2 GROUP BY l.store_id, l.sku) x ON x.store_id = s.store_id AND x.sku = s.sku "
     "WHERE s.taken <> coalesce(x.sold, 0)"},
    {"stock rows whose quantity is not what was supplied less what was taken",
     "SELECT count(*) FROM stock WHERE quantity <> restocked - taken OR quantity < 0"},
};

}  // namespace

bool set_up(PgSession& session, int stores) {
  return create_schema(session) && fill_menu(session) && fill_stores(session, stores);
}

bool read_baseline(PgSession& session, int stores, Baseline& baseline, std::string& problem) {
  Rows rows;
  const auto read = [&](std::string_view sql) {
    rows.clear();
    if (session.query(sql, &rows)) return true;
    problem = session.error().message;
    return false;
  };
  const auto n = static_cast<std::size_t>(stores);
  if (!read("SELECT sku, price_cents FROM menu WHERE sku BETWEEN 1 AND " + std::to_string(kMenuItems))) return false;
  if (rows.size() != kMenuItems) {
    problem = "the menu lacks some of the items 1 to " + std::to_string(kMenuItems);
    return false;
  }
  for (const auto& row : rows) baseline.prices[std::strtoul(row[0].c_str(), nullptr, 10) - 1] = std::atoll(row[1].c_str());

  baseline.stock.assign(n * kMenuItems, 0);
  if (!read("SELECT store_id, sku, quantity FROM stock WHERE store_id BETWEEN 1 AND " + std::to_string(stores) +
            " AND sku BETWEEN 1 AND " + std::to_string(kMenuItems)))
    return false;
  for (const auto& row : rows) {
    const std::size_t store = std::strtoul(row[0].c_str(), nullptr, 10) - 1;
    baseline.stock[store * kMenuItems + std::strtoul(row[1].c_str(), nullptr, 10) - 1] = std::atoi(row[2].c_str());
  }
  if (rows.size() != n * kMenuItems) {
    problem = "some of the stores 1 to " + std::to_string(stores) + " lack stock of some item";
    return false;
  }

  baseline.stores.assign(n, {});
  if (!read(kStoreSums)) return false;
  for (const auto& row : rows) {
    const std::size_t store = std::strtoul(row[0].c_str(), nullptr, 10) - 1;
    if (store >= n) continue;
    baseline.stores[store] = {wrapped(row[1]), wrapped(row[2]), wrapped(row[3]), wrapped(row[4])};
  }
  if (!read("SELECT status, count(*) FROM orders GROUP BY status")) return false;
  for (const auto& row : rows) baseline.orders_by_status[std::strtoul(row[0].c_str(), nullptr, 10) % 3] = wrapped(row[1]);
  if (!read("SELECT count(*), coalesce(sum(amount_cents), 0), count(refunded_at) FROM payments")) return false;
  baseline.payments = wrapped(rows[0][0]);
  baseline.payments_cents = wrapped(rows[0][1]);
  baseline.refunds = wrapped(rows[0][2]);
  if (!read("SELECT count(*) FROM order_lines")) return false;
  baseline.lines = wrapped(rows[0][0]);
  if (!read("SELECT coalesce(sum(taken), 0) FROM stock")) return false;
  baseline.taken = wrapped(rows[0][0]);
  if (!read("SELECT coalesce(max(request_id), 0) + 1 FROM orders")) return false;
  baseline.first_request = wrapped(rows[0][0]);
  return true;
}

std::vector<std::string> find_broken_rules(PgSession& session, const Baseline& before, const Books& books) {
  std::vector<std::string> findings;
  for (const Rule& rule : kRules) {
    const auto count = session.value(rule.sql);
    if (!count) {
      findings.push_back("cannot count " + std::string(rule.name) + ": " + session.error().message);
    } else if (*count != "0") {
      findings.push_back(*count + " " + std::string(rule.name));
    }
  }

  Baseline after;
  std::string problem;
  if (!read_baseline(session, static_cast<int>(before.stores.size()), after, problem)) {
    findings.push_back("cannot read the tables: " + problem);
    return findings;
  }
  // Per store, the number of its orders and the sums of their numbers, requests and totals: with unique numbers and
  // unique requests, an order that is missing, twice there or another one shows.
  std::size_t wrong_stores = 0;
  for (std::size_t i = 0; i < before.stores.size(); ++i) {
    const auto &was = before.stores[i], &is = after.stores[i], &acknowledged = books.stores[i];
    if (is.orders - was.orders != acknowledged.orders || is.order_ids - was.order_ids != acknowledged.order_ids ||
        is.request_ids - was.request_ids != acknowledged.request_ids || is.cents - was.cents != acknowledged.cents)
      ++wrong_stores;
  }
  if (wrong_stores != 0)
    findings.push_back(std::to_string(wrong_stores) + " stores whose orders are not those acknowledged, each once");

  const auto same = [&](std::string_view what, std::uint64_t found, std::uint64_t acknowledged) {
    if (found != acknowledged)
      findings.push_back(std::string(what) + ": found " + std::to_string(found) + ", acknowledged " +
                         std::to_string(acknowledged));
  };
  same("cancelled orders", after.orders_by_status[2] - before.orders_by_status[2], books.cancelled);
  same("paid orders", after.orders_by_status[1] - before.orders_by_status[1], books.paid - books.refunded);
  same("order lines", after.lines - before.lines, books.lines);
  same("payments", after.payments - before.payments, books.paid);
  same("cents paid", after.payments_cents - before.payments_cents, books.paid_cents);
  same("refunds", after.refunds - before.refunds, books.refunded);
  same("units taken from stock", after.taken - before.taken, books.units_sold);
  return findings;
}

}  // namespace wandian::bench
