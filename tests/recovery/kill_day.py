#!/usr/bin/python3
"""Kills a server under a day's load and checks that nothing acknowledged is lost, doubled or half there.

Tills (threads with a connection each) place, pay, cancel and restock, and note what the server acknowledged. At a
random moment the server gets SIGKILL, some of the restarts too; then it is started again and its tables are compared
with the notes. What was in flight may be there or not, whole or not at all; it is sent again under its own request
id, so the same order must never be there twice. Every ten kills the data directory is a fresh one.

The last line is "N kills, N acknowledged, N lost" and the exit status 0 only if nothing broke (with --expect-loss: only
if something did, which is how a server with a planted bug shows that this harness sees it).
"""

import argparse
import json
import pathlib
import random
import sys
import threading
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import chain, server as servers  # noqa: E402

PLACE = "SELECT place_order(%s::int, %s::bigint, %s::bigint, %s::int[], %s::int[])"
PAY = "SELECT pay_order(%s::int, %s::bigint, %s::bigint, %s::bigint)"


class Order:
    """What a till knows of an order: what it asked for, and how far the server has acknowledged it."""

    __slots__ = ("store", "request", "customer", "skus", "quantities", "order_id", "sent_pay", "paid", "sent_cancel",
                 "cancelled")

    def __init__(self, store, request, customer, skus, quantities):
        self.store, self.request, self.customer, self.skus, self.quantities = store, request, customer, skus, quantities
        self.order_id = None
        self.sent_pay = self.paid = self.sent_cancel = self.cancelled = False

    @property
    def total(self):
        return sum(chain.price_cents(sku) * quantity for sku, quantity in zip(self.skus, self.quantities))

    @property
    def provider_ref(self):
        return self.request + 5_000_000_000


class Till(threading.Thread):
    """One client. It ends when its connection breaks or `closing` is set; what it sent last may be unacknowledged."""

    def __init__(self, ledger, number, url, seed):
        super().__init__(daemon=True)
        self.ledger, self.number, self.url = ledger, number, url
        self.random = random.Random(seed)
        self.closing = threading.Event()
        self.error = None

    def run(self):
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                for order in self.ledger.unfinished(self.number):
                    self.serve(connection, order)
                while not self.closing.is_set():
                    order = self.ledger.new_order(self.number, self.random)
                    self.serve(connection, order)
        except psycopg.OperationalError:
            pass  # the server was killed
        except Exception as error:  # a refusal: nothing in this load is refused by the rules
            self.error = error

    def serve(self, connection, order):
        if order.order_id is None:
            placed = connection.execute(
                PLACE, (order.store, order.customer, order.request, order.skus, order.quantities)).fetchone()[0]
            order.order_id = placed
        if order.request % 100 >= 3 and not order.paid:
            order.sent_pay = True
            connection.execute(PAY, (order.store, order.order_id, order.provider_ref, order.total))
            order.paid = True
        elif order.request % 100 < 3 and not order.cancelled and not order.sent_cancel:
            order.sent_cancel = True
            connection.execute("SELECT cancel_order(%s::int, %s::bigint)", (order.store, order.order_id))
            order.cancelled = True
        if order.request % 50 == 7:
            connection.execute("SELECT restock(%s::int, %s::int, 10)", (order.store, order.skus[0]))


class Ledger:
    """All orders sent to the present data directory, by till."""

    def __init__(self, tills):
        self.orders = [[] for _ in range(tills)]
        self.tills = tills

    def new_order(self, till, rng):
        lines = rng.randint(1, 6)
        orders = self.orders[till]
        order = Order(rng.randint(1, chain.STORES), 1 + till + self.tills * len(orders), rng.randint(1, 100_000),
                      rng.sample(range(1, chain.SKUS + 1), lines), [rng.randint(1, 4) for _ in range(lines)])
        orders.append(order)
        return order

    def unfinished(self, till):
        last = self.orders[till][-1:]
        return [order for order in last if order.order_id is None or (order.sent_pay and not order.paid)]

    def all(self):
        return [order for orders in self.orders for order in orders]


def check(connection, ledger):
    """What in the tables contradicts the notes: lost, doubled, altered or half-done orders, and broken rules."""
    stored, lines, payments, broken = {}, {}, {}, []
    for store, request, *rest in connection.execute(
            "SELECT store_id, request_id, order_id, customer_id, status, total_cents FROM orders"):
        if (store, request) in stored:
            broken.append(f"order {store}/{request} is there twice")
        stored[store, request] = rest
    for store, order_id, sku, quantity in connection.execute(
            "SELECT store_id, order_id, sku, quantity FROM order_lines ORDER BY store_id, order_id, line_no"):
        lines.setdefault((store, order_id), []).append((sku, quantity))
    for store, order_id, reference, amount in connection.execute(
            "SELECT store_id, order_id, provider_ref, amount_cents FROM payments"):
        payments[store, order_id] = (reference, amount)

    orders = ledger.all()
    for order in orders:
        name = f"order {order.store}/{order.request}"
        row = stored.pop((order.store, order.request), None)
        if row is None:
            if order.order_id is not None:
                broken.append(f"{name} was acknowledged as {order.order_id} and is lost")
            continue
        order_id, customer, status, total = row
        if order.order_id not in (None, order_id) or customer != order.customer or total != order.total:
            broken.append(f"{name} differs: {row}")
        if lines.get((order.store, order_id)) != list(zip(order.skus, order.quantities)):
            broken.append(f"{name} has the lines {lines.get((order.store, order_id))}")
        if order.paid and (status != 1 or payments.get((order.store, order_id)) != (order.provider_ref, order.total)):
            broken.append(f"{name}: its payment was acknowledged and is not there (status {status})")
        if order.cancelled and status != 2:
            broken.append(f"{name}: its cancellation was acknowledged and is not there (status {status})")
        if status == 1 and not order.sent_pay or status == 2 and not order.sent_cancel:
            broken.append(f"{name}: status {status} was never asked for")
    broken += [f"order {key} was never sent" for key in stored]
    broken += chain.broken_rules(connection)
    return broken, sum(order.order_id is not None for order in orders)


def one_life(server, ledger, rng, options):
    """Runs the load, kills the server, starts it again; returns the seconds that recovery took."""
    tills = [Till(ledger, number, server.url, rng.random()) for number in range(options.tills)]
    for till in tills:
        till.start()
    time.sleep(rng.uniform(0.05, options.seconds))
    if server.process.poll() is not None:
        raise servers.ServerError(f"the server ended under load:\n{servers.log_tail(server.log)}")
    server.kill()
    for till in tills:
        till.closing.set()
        till.join(30)
    for till in tills:
        if till.error:
            raise till.error
    while rng.random() < 0.2:
        server.start_and_kill(rng.uniform(0.001, 0.1))
    return server.start()


def run(options, work):
    rng = random.Random(options.seed)
    server = servers.make(options.server, work, binary=options.binary, options=options.option) \
        if options.server == "wandian" else servers.make(options.server, work, options=options.option)
    kills = acknowledged = total = 0
    broken, recovery_seconds = [], []
    ledger = None
    try:
        while kills < options.kills and not broken:
            if kills % options.fresh_every == 0:
                if ledger:
                    server.stop()
                    server.fresh()
                    total += acknowledged
                ledger = Ledger(options.tills)
                server.start()
                with psycopg.connect(server.url) as connection:
                    chain.load(server, connection)
            recovery_seconds.append(one_life(server, ledger, rng, options))
            kills += 1
            with psycopg.connect(server.url, autocommit=True) as connection:
                broken, acknowledged = check(connection, ledger)
            if not options.quiet:
                print(f"kill {kills}: {acknowledged} acknowledged in this directory, recovered in "
                      f"{recovery_seconds[-1]:.2f} s", flush=True)
        server.stop()
    finally:
        server.kill()
    return {"kills": kills, "acknowledged": total + acknowledged, "broken": broken,
            "recovery_s_max": max(recovery_seconds), "seed": options.seed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seconds", type=float, default=2.0, help="longest time from start of load to the kill")
    parser.add_argument("--tills", type=int, default=16)
    parser.add_argument("--fresh-every", type=int, default=10)
    parser.add_argument("--server", choices=("wandian", "postgres"), default="wandian")
    parser.add_argument("--binary", help="the wandian to run, say one with a planted bug")
    parser.add_argument("--option", action="append", default=[], help="one more argument for the server")
    parser.add_argument("--expect-loss", action="store_true")
    parser.add_argument("--json", help="write the result to this file")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    try:
        with servers.work_dir("kill") as work:
            result = run(options, work)
            if result["broken"] and not options.expect_loss:
                raise AssertionError("acknowledged work was lost or broken")
    except AssertionError:
        pass
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1))
    for line in result["broken"][:20]:
        print(f"broken: {line}")
    print(f"{result['kills']} kills, {result['acknowledged']} acknowledged, {len(result['broken'])} lost")
    sys.exit(0 if bool(result["broken"]) == options.expect_loss else 1)


if __name__ == "__main__":
    main()
