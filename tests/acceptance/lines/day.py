"""The day, durable, against PostgreSQL 15 with the same rules; and pgbench in a closed loop on place_order."""

import pathlib

import psycopg

import figures
from framework import Line, at_least, at_most, equal, running
from harness import chain, server as servers

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "place_order.pgbench"


def closed_loop(context, server, number):
    """Orders/s of 64 pgbench clients without pipelining, on a chain with plenty of stock."""
    with running(server):
        with psycopg.connect(server.url) as connection:
            chain.load(server, connection, stores=10_000, skus=40)
        return figures.pgbench_tps(server, 64, "prepared", context.count(30), "-n", "-f", SCRIPT)


def measure(context, number):
    # PostgreSQL plays a quarter of the orders: its rate is the same within a few per cent from 100,000 on, and not higher with
    # more, since its tables and indexes grow.
    counts = {"wandian": context.count(1_000_000), "postgres": context.count(250_000)}
    found = {}
    with servers.work_dir("day") as work:
        def side(kind, purpose):
            directory = work / f"{kind}-{purpose}"
            directory.mkdir()
            return servers.make(kind, directory, options=figures.POSTGRES_OPTIONS if kind == "postgres" else ())

        # Alternating: the side that goes first changes with each round.
        for kind in ("postgres", "wandian") if number % 2 == 0 else ("wandian", "postgres"):
            for depth in (1, 16) if kind == "postgres" else (16,):
                with running(side(kind, f"day{depth}")) as server:
                    report = figures.day(server, context, "--orders", counts[kind], "--stores", 10_000, "--connections", figures.DAY_CONNECTIONS,
                                         "--pipeline", depth)
                found[f"{kind}_depth{depth}_orders_per_s"] = report["orders_per_s"]
                found[f"{kind}_depth{depth}_cpu_us"] = report["server_cpu_us_per_order"]
                if kind == "wandian":
                    found |= {name: report[name] for name in ("orders", "failed", "invariants", "p99_ms", "total_cents",
                                                              "server_rss_bytes", "wal_bytes_per_order")}
            found[f"{kind}_closed_loop_per_s"] = closed_loop(context, side(kind, "pgbench"), number)
    best = max((1, 16), key=lambda depth: found[f"postgres_depth{depth}_orders_per_s"])
    found["ratio"] = found["wandian_depth16_orders_per_s"] / found[f"postgres_depth{best}_orders_per_s"]
    found["cpu_ratio"] = found["wandian_depth16_cpu_us"] / found[f"postgres_depth{best}_cpu_us"]
    found["closed_loop_ratio"] = found["wandian_closed_loop_per_s"] / found["postgres_closed_loop_per_s"]
    return found


def judge(medians, rounds):
    return [
        equal("invariants", sorted({r["invariants"] for r in rounds}), ["ok"]),
        equal("orders that failed", sum(r["failed"] for r in rounds), 0),
        at_least("value of a day in cents", min(r["total_cents"] for r in rounds), 1_000_000_000),
        at_least("orders/s", medians["wandian_depth16_orders_per_s"], 60_000),
        at_least("times PostgreSQL's better rate", medians["ratio"], 10),
        at_most("server CPU per order as a share of PostgreSQL's", medians["cpu_ratio"], 0.1),
        at_least("times PostgreSQL in the closed loop of 64 clients", medians["closed_loop_ratio"], 8),
    ]


LINE = Line("the day at 60,000 orders/s and 10 times PostgreSQL 15, at a tenth of its CPU; 8 times in a closed loop",
            3, measure, judge)
