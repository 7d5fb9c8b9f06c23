"""The chain's tables as the tests use them: a small chain to load, and the rules that must hold in it at any time."""

STORES = 200
SKUS = 20
PLENTY = 1_000_000

# Each query returns the rows that break the rule that names it. bench/README.md is the contract behind them.
RULES = {
    "lines sum to totals":
        "SELECT o.store_id, o.order_id FROM orders o JOIN order_lines l"
        " ON l.store_id = o.store_id AND l.order_id = o.order_id"
        " GROUP BY o.store_id, o.order_id, o.total_cents HAVING sum(l.quantity * l.price_cents) <> o.total_cents",
    "no order without lines":
        "SELECT o.store_id, o.order_id FROM orders o LEFT JOIN order_lines l"
        " ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE l.order_id IS NULL",
    "no lines without an order":
        "SELECT l.store_id, l.order_id FROM order_lines l LEFT JOIN orders o"
        " ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.order_id IS NULL",
    "lines are numbered without gaps":
        "SELECT store_id, order_id FROM order_lines GROUP BY store_id, order_id HAVING max(line_no) <> count(*)",
    "orders of a store are numbered without gaps":
        "SELECT store_id FROM orders GROUP BY store_id HAVING max(order_id) <> count(*)",
    "paid orders have their payment":
        "SELECT o.store_id, o.order_id FROM orders o LEFT JOIN payments p"
        " ON p.store_id = o.store_id AND p.order_id = o.order_id"
        " WHERE o.status = 1 AND (p.order_id IS NULL OR p.amount_cents <> o.total_cents OR p.refunded_at IS NOT NULL)",
    "payments have their paid or refunded order":
        "SELECT p.store_id, p.order_id FROM payments p LEFT JOIN orders o"
        " ON p.store_id = o.store_id AND p.order_id = o.order_id"
        " WHERE o.order_id IS NULL OR o.status = 0 OR (o.status = 2 AND p.refunded_at IS NULL)",
    "stock is what came less what was taken":
        "SELECT store_id, sku FROM stock WHERE quantity <> restocked - taken OR quantity < 0",
    "stock taken is stock sold less returned":
        "SELECT s.store_id, s.sku FROM stock s LEFT JOIN"
        " (SELECT l.store_id, l.sku, sum(l.quantity) AS sold FROM order_lines l JOIN orders o"
        "  ON o.store_id = l.store_id AND o.order_id = l.order_id WHERE o.status <> 2 GROUP BY l.store_id, l.sku) x"
        " ON x.store_id = s.store_id AND x.sku = s.sku WHERE s.taken <> coalesce(x.sold, 0)",
}


def price_cents(sku):
    return 500 + 37 * sku


def load(server, connection, stores=STORES, skus=SKUS, quantity=PLENTY):
    """Creates the extension and a chain of `stores` stores over 8 regions with `quantity` of each item."""
    connection.autocommit = True
    server.create_chain(connection)
    cursor = connection.cursor()

    def insert(table, columns, rows):
        for begin in range(0, len(rows), 500):
            values = ", ".join(rows[begin:begin + 500])
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {values}")

    insert("stores", "store_id, region, name", [f"({s}, 'region{s % 8}', 'store {s}')" for s in range(1, stores + 1)])
    insert("menu", "sku, name, price_cents", [f"({k}, 'item {k}', {price_cents(k)})" for k in range(1, skus + 1)])
    insert("stock", "store_id, sku, quantity, restocked",
           [f"({s}, {k}, {quantity}, {quantity})" for s in range(1, stores + 1) for k in range(1, skus + 1)])


def broken_rules(connection):
    """The rules that do not hold, each with up to three rows that break it."""
    broken = []
    for rule, query in RULES.items():
        rows = connection.execute(query).fetchmany(3)
        if rows:
            broken.append(f"{rule}: {rows}")
    return broken
