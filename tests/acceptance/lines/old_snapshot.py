"""Ten minutes of updates beside one idle transaction with an open snapshot: memory stays within twice the run without it."""

import time

import psycopg

import figures
from framework import Line, at_most, running
from harness import server as servers

SECONDS, ROWS = 600, 100_000


def resident_mb(server):
    pages = 0
    for pid in server.pids():
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            pages = max(pages, int(file.read().split()[1]))
    return pages * 4096 / 1e6


def updates(context, seconds, hold):
    """The most memory that the server had, in MB, and the updates a second."""
    with servers.work_dir("old_snapshot") as work:
        server = servers.make("wandian", work, options=["--shards", "2"])
        with running(server):
            with psycopg.connect(server.url, autocommit=True) as admin:
                admin.execute("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, filler text)")
                admin.execute("CREATE INDEX ON t (n)")
                admin.execute("INSERT INTO t SELECT g, g, repeat('x', 100) FROM generate_series(1, %s) g", [ROWS])
            script = context.work / "updates.pgbench"
            script.write_text(f"\\set id random(1, {ROWS})\nUPDATE t SET n = n + 1 WHERE id = :id;\n")
            with psycopg.connect(server.url) as idle:
                if hold:
                    idle.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    before = idle.execute("SELECT count(*), sum(n) FROM t").fetchone()
                most, slices = 0.0, max(1, seconds // 10)
                rate = 0.0
                for _ in range(slices):
                    rate += figures.pgbench_tps(server, 16, "prepared", seconds // slices, "-n", "-f", script) / slices
                    most = max(most, resident_mb(server))
                if hold and idle.execute("SELECT count(*), sum(n) FROM t").fetchone() != before:
                    raise RuntimeError("the idle transaction's snapshot has changed")
    time.sleep(1)
    return most, rate


def measure(context, number):
    seconds = context.count(SECONDS)
    without, rate_without = updates(context, seconds, hold=False)
    beside, rate_beside = updates(context, seconds, hold=True)
    return {"mb_without": round(without, 1), "mb_beside": round(beside, 1), "ratio": round(beside / without, 3),
            "tps_without": round(rate_without), "tps_beside": round(rate_beside)}


def judge(medians, rounds):
    return [at_most("memory beside an idle snapshot, times that without", medians["ratio"], 2)]


LINE = Line("ten minutes of updates beside an idle transaction with an open snapshot: memory within twice that without", 1, measure, judge)
