"""The executor beside PostgreSQL's without parallel workers, and what a shard's heavy statements cost its point queries."""

import pathlib
import threading
import time

import figures
import psycopg
from framework import Line, at_most, running
from harness import server as servers

ROWS = 1_000_000
AGGREGATE = "SELECT kind, count(*), sum(amount), min(amount), max(amount) FROM sale GROUP BY kind ORDER BY kind"
JOIN = "SELECT count(*), sum(s.amount), sum(d.weight) FROM sale s JOIN detail d ON d.id = s.id"
HEAVY = (AGGREGATE, JOIN, "SELECT count(*) FROM (SELECT * FROM sale ORDER BY amount, id) o",
         "SELECT count(*) FROM (SELECT DISTINCT customer FROM sale) d",
         "UPDATE detail SET weight = weight + 1 WHERE id % 20 = 0")
POINT = pathlib.Path(__file__).resolve().parents[1] / "point.pgbench"


def fill(url, rows):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE sale (id int PRIMARY KEY, kind int NOT NULL, customer int NOT NULL, amount bigint NOT NULL)")
        db.execute("CREATE TABLE detail (id int PRIMARY KEY, weight int NOT NULL)")
        for name, columns in (("sale", "i, i % 1000, (i::bigint * 7919 % 100000)::int, (i::bigint * 104729 % 99991)"), ("detail", "i, i % 17")):
            for first in range(1, rows + 1, 50_000):
                db.execute(f"INSERT INTO {name} SELECT {columns} FROM generate_series({first}, {min(first + 49_999, rows)}) AS g(i)")
        db.execute("ANALYZE")


def seconds_of(url, statement, times=5):
    """The best of some runs, and what the statement answered."""
    best, answer = None, None
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET max_parallel_workers_per_gather = 0")
        for _ in range(times):
            begun = time.monotonic()
            answer = db.execute(statement).fetchall()
            best = min(best or 1e9, time.monotonic() - begun)
    return best, answer


def repeat(url, stop, failures):
    try:
        with psycopg.connect(url, autocommit=True) as db:
            while not stop.is_set():
                for statement in HEAVY:
                    db.execute(statement)
    except Exception as error:  # what ends a heavy session fails the round
        failures.append(error)


def point_p99_ms(server, work, seconds):
    """p99 of point queries by primary key from four sessions while two others run heavy statements without a pause."""
    stop, failures = threading.Event(), []
    threads = [threading.Thread(target=repeat, args=(server.url, stop, failures)) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        figures.pgbench(server, "-n", "-f", POINT, "-M", "prepared", "-c", 4, "-j", 1, "-T", seconds, "-R", 400, "-l",
                        "--log-prefix", work / "point")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    # Of each line the third word: the transaction's µs, from when the rate wanted it.
    latencies = sorted(int(line.split()[2]) for path in work.glob("point.*") for line in path.read_text().splitlines())
    return latencies[int(len(latencies) * 0.99)] / 1000, latencies[-1] / 1000


def measure(context, number):
    found, answers = {}, {}
    with servers.work_dir("executor") as work:
        for kind in ("postgres", "wandian") if number % 2 == 0 else ("wandian", "postgres"):
            (work / kind).mkdir()
            options = figures.POSTGRES_OPTIONS if kind == "postgres" else ["--shards", "1"]
            with running(servers.make(kind, work / kind, options=options)) as server:
                fill(server.url, context.count(ROWS))
                for name, statement in (("aggregate", AGGREGATE), ("join", JOIN)):
                    found[f"{kind}_{name}_s"], answers[kind, name] = seconds_of(server.url, statement)
                if kind == "wandian":
                    found["point_p99_ms"], found["point_max_ms"] = point_p99_ms(server, work, context.count(20))
    for name in ("aggregate", "join"):
        if answers["wandian", name] != answers["postgres", name]:
            raise RuntimeError(f"the {name} answers differ")
        found[f"{name}_ratio"] = found[f"wandian_{name}_s"] / found[f"postgres_{name}_s"]
    return found


def judge(medians, rounds):
    return [
        at_most("time of GROUP BY over 1,000,000 rows to PostgreSQL's", medians["aggregate_ratio"], 1),
        at_most("time of the join by key to PostgreSQL's", medians["join_ratio"], 1),
        at_most("p99 in ms of point queries beside heavy statements on their shard", medians["point_p99_ms"], 10),
    ]


LINE = Line("GROUP BY over 1,000,000 rows and a join by key no slower than PostgreSQL; point queries beside heavy statements p99 10 ms",
            3, measure, judge)
