"""Latency at a fixed rate: 5,000 orders a second, each followed by its payment, for a minute, from the intended start."""

import figures
from framework import Line, at_most, equal, running
from harness import server as servers

RATE = 5_000


def measure(context, number):
    with servers.work_dir("open-loop") as work:
        probe = figures.fdatasync_p99_ms(work)
        with running(servers.Wandian(work)) as server:
            report = figures.day(server, context, "--orders", context.count(60 * RATE), "--stores", 10_000,
                                 "--connections", figures.DAY_CONNECTIONS, "--rate", RATE)
    names = ("orders", "failed", "invariants", "orders_per_s", "p50_ms", "p99_ms", "p999_ms", "max_ms", "payment_p99_ms")
    return {name: report[name] for name in names} | {"fdatasync_p99_ms": probe}


def judge(medians, rounds):
    bound = max(5.0, 12 * medians["fdatasync_p99_ms"])
    return [
        equal("invariants", sorted({r["invariants"] for r in rounds}), ["ok"]),
        equal("orders that failed", sum(r["failed"] for r in rounds), 0),
        at_most("p99 of orders in ms", medians["p99_ms"], bound),
        at_most("p99 of payments in ms", medians["payment_p99_ms"], bound),
    ]


LINE = Line("5,000 orders/s in an open loop for 60 s: no error, p99 within 5 ms or 12 bare fdatasyncs", 3, measure, judge)
