#!/usr/bin/python3
"""Moves stock between stores from many connections while others sum the whole table: every sum is the same total.

Most transfers are the procedure transfer_stock; the others are interactive transactions that update the two rows in a
random order, so that some of them deadlock, which must end as 40P01 for one of the two. Readers sum all stock at READ
COMMITTED, and twice in one transaction at REPEATABLE READ. With --kills the server gets SIGKILL at random moments
under this load; after each restart the total is the same, each acknowledged transfer is there, and each one in flight
is there wholly or not at all.

The last line is "N transfers, N sums, N deadlocks, N kills, N broken"; the exit status is 0 only if nothing broke.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import threading
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import chain, server as servers  # noqa: E402

STORES, SKUS, QUANTITY = 64, 4, 100_000
RETRIES = {"40P01": "deadlocks", "40001": "serialization failures", "HD001": "shortages"}


class Plan:
    """What the load still has to do and what it has found; shared by all threads."""

    def __init__(self, transfers, sums):
        self.lock = threading.Lock()
        self.wanted = {"transfers": transfers, "sums": sums}
        self.counts = collections.Counter()
        self.broken = []
        self.stop = threading.Event()
        self.killing = False

    def goes_on(self):
        """True until something broke, and until the server was killed or, with no kill ahead, both counts are reached."""
        if self.stop.is_set() or self.broken:
            return False
        return self.killing or any(self.counts[what] < wanted for what, wanted in self.wanted.items())

    def reading_is_ahead(self):
        """True while readers, who have it easier, have done more than twice their share: movers need the machine."""
        share = {what: self.counts[what] / max(wanted, 1) for what, wanted in self.wanted.items()}
        return share["sums"] > 2 * share["transfers"] + 0.02

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def report(self, text):
        with self.lock:
            self.broken.append(text)


class Mover(threading.Thread):
    """One connection that transfers. `net` is what was acknowledged, `unknown` what was in flight at the kill."""

    def __init__(self, plan, url, seed, interactive):
        super().__init__(daemon=True)
        self.plan, self.url, self.interactive, self.random = plan, url, interactive, random.Random(seed)
        self.net = collections.Counter()
        self.unknown = None

    def run(self):
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("SET deadlock_timeout = '50ms'")
                while self.plan.goes_on():
                    self.transfer(connection)
        except psycopg.OperationalError as error:
            if not self.plan.killing:
                self.plan.report(f"a connection broke: {error}")
        except Exception as error:
            self.plan.report(f"transfer: {error!r}")

    def transfer(self, connection):
        interactive = self.random.random() < self.interactive
        # Interactive transfers keep to a few stores, where they meet each other in both orders.
        source, target = self.random.sample(range(1, (6 if interactive else STORES) + 1), 2)
        sku, quantity = self.random.randint(1, SKUS), self.random.randint(1, 5)
        self.unknown = (source, target, sku, quantity)
        try:
            if interactive:
                moves = [(source, -quantity), (target, quantity)]
                self.random.shuffle(moves)
                with connection.transaction():
                    for store, change in moves:
                        connection.execute(
                            "UPDATE stock SET quantity = quantity + %s::int, restocked = restocked + %s::int"
                            " WHERE store_id = %s::int AND sku = %s::int", (change, change, store, sku))
            else:
                connection.execute("SELECT transfer_stock(%s::int, %s::int, %s::int, %s::int)",
                                   (source, target, sku, quantity))
        except psycopg.Error as error:
            if error.sqlstate not in RETRIES:
                raise
            self.plan.count(RETRIES[error.sqlstate])
        else:
            self.net[source, sku] -= quantity
            self.net[target, sku] += quantity
            self.plan.count("transfers")
        self.unknown = None


class Reader(threading.Thread):
    """One connection that sums all stock, every other time twice within one REPEATABLE READ transaction."""

    def __init__(self, plan, url, total):
        super().__init__(daemon=True)
        self.plan, self.url, self.total = plan, url, total

    def run(self):
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                turn = 0
                while self.plan.goes_on():
                    if self.plan.reading_is_ahead():
                        time.sleep(0.005)
                        continue
                    turn += 1
                    if turn % 2:
                        self.sum(connection, "READ COMMITTED")
                        continue
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    self.sum(connection, "REPEATABLE READ")
                    self.sum(connection, "REPEATABLE READ")
                    connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            if not self.plan.killing:
                self.plan.report(f"a connection broke: {error}")
        except Exception as error:
            self.plan.report(f"sum: {error!r}")

    def sum(self, connection, level):
        found = connection.execute("SELECT sum(quantity) FROM stock").fetchone()[0]
        if found != self.total:
            self.plan.report(f"a sum at {level} was {found}, not {self.total}")
        self.plan.count("sums")


def unexplained(residual, unknown):
    """Cells whose difference from the acknowledged state no whole set of the transfers in flight explains.

    A cell that one undecided transfer touches decides that transfer, and so on; transfers that only meet others in
    every cell stay undecided, and so do their cells.
    """
    undecided = list(unknown)
    progress = True
    while progress and undecided:
        progress = False
        touching = collections.Counter()
        for source, target, sku, _ in undecided:
            touching.update([(source, sku), (target, sku)])
        for move in undecided:
            source, target, sku, quantity = move
            alone = [(cell, sign) for cell, sign in (((source, sku), -1), ((target, sku), 1)) if touching[cell] == 1]
            if alone:
                cell, sign = alone[0]
                if residual[cell] == sign * quantity:
                    residual[source, sku] += quantity
                    residual[target, sku] -= quantity
                undecided.remove(move)
                progress = True
                break
    open_cells = {(store, sku) for source, target, sku, _ in undecided for store in (source, target)}
    return [(cell, value) for cell, value in residual.items() if value and cell not in open_cells]


def one_load(server, plan, expected, rng, options, kill):
    """Runs the load until it is done or the server is killed; brings `expected` up to what must be in the table."""
    total = sum(expected.values())
    plan.killing = kill
    movers = [Mover(plan, server.url, rng.random(), options.interactive) for _ in range(options.connections)]
    readers = [Reader(plan, server.url, total) for _ in range(options.readers)]
    for thread in movers + readers:
        thread.start()
    if kill:
        time.sleep(rng.uniform(0.2, options.seconds))
        server.kill()
        plan.stop.set()
    for thread in movers + readers:
        thread.join()
    if kill:
        plan.stop.clear()
        plan.counts["kills"] += 1
        plan.counts["recovery_ms_max"] = max(plan.counts["recovery_ms_max"], round(1000 * server.start()))
    for mover in movers:
        for cell, change in mover.net.items():
            expected[cell] += change
    with psycopg.connect(server.url, autocommit=True) as connection:
        found = {(store, sku): quantity
                 for store, sku, quantity in connection.execute("SELECT store_id, sku, quantity FROM stock")}
        plan.broken += chain.broken_rules(connection)
    if sum(found.values()) != total:
        plan.report(f"the total after a load is {sum(found.values())}, not {total}")
    residual = collections.Counter({cell: found.get(cell, 0) - expected[cell] for cell in expected})
    for cell, value in unexplained(residual, [mover.unknown for mover in movers if mover.unknown]):
        plan.report(f"stock of {cell} differs by {value} from what was acknowledged")
    expected.clear()
    expected.update(found)


def run(options, work):
    rng = random.Random(options.seed)
    # Both break deadlocks after 50 ms: PostgreSQL by the sessions' own setting, Wandian by the server's, which is what counts there.
    of_wandian = {"binary": options.binary, "options": [*options.option, "--set", "deadlock_timeout=50ms"]}
    server = servers.make(options.server, work, **{"options": options.option} | (of_wandian if options.server == "wandian" else {}))
    plan = Plan(options.transfers, options.sums)
    begun = time.monotonic()
    try:
        server.start()
        with psycopg.connect(server.url) as connection:
            chain.load(server, connection, STORES, SKUS, QUANTITY)
        expected = {(store, sku): QUANTITY for store in range(1, STORES + 1) for sku in range(1, SKUS + 1)}
        for _ in range(options.kills):
            if not plan.broken:
                one_load(server, plan, expected, rng, options, kill=True)
        if not plan.broken:
            one_load(server, plan, expected, rng, options, kill=False)
        server.stop()
    finally:
        server.kill()
    return dict(plan.counts) | {"broken": plan.broken, "seed": options.seed,
                                "seconds": round(time.monotonic() - begun, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfers", type=int, default=5000)
    parser.add_argument("--sums", type=int, default=500)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0, help="longest time from start of load to a kill")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--interactive", type=float, default=0.2, help="share of transfers that are interactive")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--server", choices=("wandian", "postgres"), default="wandian")
    parser.add_argument("--binary", help="the wandian to run, say one with a planted bug")
    parser.add_argument("--option", action="append", default=[], help="one more argument for the server")
    parser.add_argument("--json", help="write the result to this file")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    result = None
    try:
        with servers.work_dir("transfers") as work:
            result = run(options, work)
            assert not result["broken"]
    except AssertionError:
        if result is None:
            raise
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1))
    for line in result["broken"][:20]:
        print(f"broken: {line}")
    counts = collections.Counter({key: value for key, value in result.items() if isinstance(value, int)})
    print(f"{counts['transfers']} transfers, {counts['sums']} sums, {counts['deadlocks']} deadlocks, "
          f"{counts['kills']} kills, {len(result['broken'])} broken")
    sys.exit(1 if result["broken"] else 0)


if __name__ == "__main__":
    main()
