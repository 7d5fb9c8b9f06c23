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


# The line names PostgreSQL's pipelines. Ours is the chain's applications' choice; bench/compare shows PostgreSQL at 64 too, no faster.
DEPTHS = {"postgres": (1, 16), "wandian": (16, 64)}
# PostgreSQL plays a quarter of the orders, which takes it several times as long as ours the whole; smaller tables are in its favour.
ORDERS = {"postgres": 250_000, "wandian": 1_000_000}


def measure(context, number):
    found = {}
    with servers.work_dir("day") as work:
        def side(kind, purpose):
            directory = work / f"{kind}-{purpose}"
            directory.mkdir()
            return servers.make(kind, directory, options=figures.POSTGRES_OPTIONS if kind == "postgres" else ())

        # Alternating: the side that goes first changes with each round.
        for kind in ("postgres", "wandian") if number % 2 == 0 else ("wandian", "postgres"):
            reports = {}
            for depth in DEPTHS[kind]:
                with running(side(kind, f"day{depth}")) as server:
                    reports[depth] = figures.day(server, context, "--orders", context.count(ORDERS[kind]), "--stores", 10_000,
                                                 "--connections", figures.DAY_CONNECTIONS, "--pipeline", depth)
                found[f"{kind}_depth{depth}_orders_per_s"] = reports[depth]["orders_per_s"]
                found[f"{kind}_depth{depth}_p99_ms"] = reports[depth]["p99_ms"]
            best = max(reports.values(), key=lambda report: report["orders_per_s"])
            found[f"{kind}_orders_per_s"] = best["orders_per_s"]
            found[f"{kind}_cpu_us"] = best["server_cpu_us_per_order"]
            if kind == "wandian":
                found |= {name: best[name] for name in ("orders", "server_rss_bytes", "wal_bytes_per_order")}
                found["failed"] = sum(report["failed"] for report in reports.values())
                found["total_cents"] = min(report["total_cents"] for report in reports.values())
                found["invariants"] = ", ".join(sorted({report["invariants"] for report in reports.values()}))
            found[f"{kind}_closed_loop_per_s"] = closed_loop(context, side(kind, "pgbench"), number)
    found["ratio"] = found["wandian_orders_per_s"] / found["postgres_orders_per_s"]
    found["cpu_ratio"] = found["wandian_cpu_us"] / found["postgres_cpu_us"]
    found["closed_loop_ratio"] = found["wandian_closed_loop_per_s"] / found["postgres_closed_loop_per_s"]
    return found


def judge(medians, rounds):
    return [
        equal("invariants", sorted({r["invariants"] for r in rounds}), ["ok"]),
        equal("orders that failed", sum(r["failed"] for r in rounds), 0),
        at_least("value of a day in cents", min(r["total_cents"] for r in rounds), 1_000_000_000),
        at_least("orders/s", medians["wandian_orders_per_s"], 60_000),
        at_least("times PostgreSQL's better rate", medians["ratio"], 10),
        at_most("server CPU per order as a share of PostgreSQL's", medians["cpu_ratio"], 0.1),
        at_least("times PostgreSQL in the closed loop of 64 clients", medians["closed_loop_ratio"], 8),
    ]


LINE = Line("the day at 60,000 orders/s and 10 times PostgreSQL 15, at a tenth of its CPU; 8 times in a closed loop",
            3, measure, judge)
