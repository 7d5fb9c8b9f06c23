#!/usr/bin/python3
"""Statements that would run for hours: each ends within 100 ms of its statement_timeout, and none of them holds up others.

--strict holds the figures for a machine with nothing else to do; without it they are wider, since the tests share theirs.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

from cases import Cases

TIMEOUT_MS = 300
LATE_MS = 100
POINT_P99_MS = 5
POINTS_A_SECOND = 1000
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"

# By name: what makes the statement long.
RUNAWAYS = {
    "cross join": "SELECT count(*) FROM runaways a, runaways b, runaways c",
    "cross join that filters": "SELECT count(*) FROM runaways a, runaways b, runaways c WHERE a.n + b.n + c.n < 0",
    "hash join with one key": "SELECT count(*) FROM runaways a JOIN runaways b ON a.one = b.one JOIN runaways c ON c.one = b.one",
    "hash join's filter": "SELECT count(*) FROM runaways a JOIN runaways b ON a.one = b.one AND a.n + b.n < 0",
    "full join without a key": "SELECT count(*) FROM runaways a FULL JOIN runaways b ON true",
    "anti join without a partner": "SELECT count(*) FROM runaways a WHERE NOT EXISTS (SELECT 1 FROM runaways b WHERE b.one = a.one AND b.n + a.n < 0)",
    "sort of a cross join": "SELECT a.t FROM runaways a, runaways b ORDER BY a.t, b.t DESC",
    "sort that compares long texts": "SELECT count(*) FROM (SELECT repeat('x', 5000) || n AS t FROM runaways, generate_series(1, 20) ORDER BY t OFFSET 1) s",
    "distinct": "SELECT count(*) FROM (SELECT DISTINCT a.n * 50000::bigint + b.n FROM runaways a, runaways b) d",
    "group by": "SELECT count(*) FROM (SELECT a.n * 50000::bigint + b.n, count(*) FROM runaways a, runaways b GROUP BY 1) d",
    "collecting aggregate": "SELECT length(string_agg(a.t, ',')) FROM runaways a, runaways b",
    "array_agg": "SELECT cardinality(array_agg(a.n)) FROM runaways a, runaways b",
    "count distinct": "SELECT count(DISTINCT a.n * 50000::bigint + b.n) FROM runaways a, runaways b",
    "window": "SELECT sum(r) FROM (SELECT rank() OVER (ORDER BY a.n + b.n) AS r FROM runaways a, runaways b) w",
    "window frame": "SELECT max(m) FROM (SELECT max(n) OVER (ORDER BY n ROWS BETWEEN 9000 PRECEDING AND 9000 FOLLOWING EXCLUDE CURRENT ROW) AS m FROM runaways) w, generate_series(1, 100000)",
    "set operation": "SELECT count(*) FROM (SELECT a.n + b.n FROM runaways a, runaways b EXCEPT SELECT n FROM runaways) e",
    "recursion": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "recursion that doubles": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r, (VALUES (1), (2)) v) SELECT count(*) FROM r",
    "recursion that finds nothing new": "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT (r.n + a.n) % 1000 FROM r, runaways a, runaways b) SELECT count(*) FROM r",
    "correlated sub-select": "SELECT sum((SELECT count(*) FROM runaways b WHERE b.n % 1000 = a.n % 1000)) FROM runaways a",
    "generate_series": "SELECT count(*) FROM generate_series(1, 1000000000000)",
    "generate_series among targets": "SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) g",
    "generate_series of times": "SELECT count(*) FROM generate_series(timestamp '2000-01-01', timestamp '9999-01-01', interval '1 second')",
    "regular expression": "SELECT repeat('a', 40) || 'b' ~ '^(a|aa|aaa|a*)*$'",
    "regular expressions by rows": "SELECT count(*) FROM runaways a, runaways b WHERE a.t || b.t ~ '([0-9]+x?)+y$'",
    "regexp_replace": "SELECT count(regexp_replace(repeat(a.t, 1000), '[0-9]', 'xx', 'g')) FROM runaways a, runaways b",
    "like": "SELECT repeat('a', 200000) LIKE '%' || repeat('a%', 3000) || 'b'",
    "like by rows": "SELECT count(*) FROM runaways a, runaways b WHERE a.t || b.t LIKE '%1%2%3%4%5%6%x'",
    "replace": "SELECT count(replace(repeat(a.t, 10000), '1', 'xyz')) FROM runaways a, runaways b",
    "repeat and reverse": "SELECT count(reverse(repeat('abc', 1000000))) FROM runaways",
    "unnest": "SELECT count(*) FROM runaways, unnest(array_fill(1, ARRAY[1000000]))",
    "factorial": "SELECT factorial(100000)",
    "power of numeric": "SELECT 1.0000001 ^ 1000000000.5::numeric FROM runaways",
    "numeric by rows": "SELECT sum((a.n::numeric ^ 50) / (b.n + 1)) FROM runaways a, runaways b",
    "md5": "SELECT count(md5(repeat(a.t, 100000))) FROM runaways a",
    "jsonb": "SELECT count(jsonb_build_object('a', a.t, 'b', b.t)::text) FROM runaways a, runaways b",
    "json_agg": "SELECT length(json_agg(a)::text) FROM runaways a, runaways b",
    "update": "UPDATE runaways SET n = n WHERE n IN (SELECT a.n FROM runaways a, runaways b WHERE a.n + b.n < 0)",
    "insert": "INSERT INTO runaways SELECT a.n + 100000 + 50000 * b.n, 1, '' FROM runaways a, runaways b WHERE a.n + b.n < 0",
    "delete": "DELETE FROM runaways USING runaways b, runaways c WHERE runaways.n + b.n + c.n < 0",
    "PL/pgSQL loop": "DO $$ DECLARE i bigint := 0; BEGIN LOOP i := i + 1; END LOOP; END $$",
    "PL/pgSQL WHILE": "DO $$ BEGIN WHILE true LOOP PERFORM 1; END LOOP; END $$",
    "PL/pgSQL FOR": "DO $$ DECLARE s bigint := 0; BEGIN FOR i IN 1..2000000000 LOOP s := s + i; END LOOP; END $$",
    "PL/pgSQL exceptions": "DO $$ BEGIN LOOP BEGIN RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
    "PL/pgSQL query loop": "DO $$ DECLARE r record; BEGIN FOR r IN SELECT a.n FROM runaways a, runaways b LOOP NULL; END LOOP; END $$",
    "function by rows": "SELECT sum(runaway_step(a.n)) FROM runaways a, runaways b",
    "copy": "COPY (SELECT a.n FROM runaways a, runaways b WHERE a.n + b.n < 0) TO STDOUT",
    "explain analyze": "EXPLAIN ANALYZE SELECT count(*) FROM runaways a, runaways b, runaways c",
}
BESIDE = ["cross join", "sort of a cross join", "hash join with one key", "recursion", "regular expressions by rows", "PL/pgSQL loop", "group by", "jsonb"]


def prepare(url):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS runaways")
        db.execute("CREATE TABLE runaways (n int PRIMARY KEY, one int, t text)")
        db.execute("INSERT INTO runaways SELECT i, 1, 'row ' || i FROM generate_series(1, 20000) i")
        db.execute("CREATE OR REPLACE FUNCTION runaway_step(n int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN n + 1; END $$")
        db.execute("ANALYZE runaways")


def late_by(db, sql):
    """Milliseconds after the timeout; what ends before it by itself, or by too little memory, was short enough."""
    db.execute(f"SET statement_timeout = {TIMEOUT_MS}")
    begin = time.perf_counter()
    try:
        if sql.startswith("COPY"):
            with db.cursor().copy(sql) as copy:
                for _ in copy:
                    pass
        else:
            db.execute(sql)
    except psycopg.errors.QueryCanceled:
        pass
    except (psycopg.errors.OutOfMemory, psycopg.errors.ProgramLimitExceeded, psycopg.errors.DiskFull, psycopg.errors.NumericValueOutOfRange,
            psycopg.errors.InvalidRegularExpression):
        pass
    return (time.perf_counter() - begin) * 1000 - TIMEOUT_MS


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def points_beside(url, names, seconds):
    """Latencies in ms, each from when its query was due, of 1,000 point queries a second from 16 connections while these statements run."""
    stop = threading.Event()

    def run_away(sql):
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("SET statement_timeout = '2s'")
            while not stop.is_set():
                try:
                    db.execute(sql)
                except psycopg.Error:
                    pass

    threads = [threading.Thread(target=run_away, args=(RUNAWAYS[name],)) for name in names]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        with tempfile.TemporaryDirectory(prefix="wandian-runaways-") as work:
            script = pathlib.Path(work) / "point.pgbench"
            script.write_text("\\set n random(1, 20000)\nSELECT t FROM runaways WHERE n = :n;\n")
            command = [PGBENCH, "--no-vacuum", "--client=16", f"--rate={POINTS_A_SECOND}", "--protocol=prepared", f"--time={seconds}",
                       "--log", f"--file={script}", url]
            result = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, check=False)
            assert result.returncode == 0, result.stdout
            rows = [line.split() for log in pathlib.Path(work).glob("pgbench_log.*") for line in log.read_text().splitlines()]
            return [int(row[2]) / 1000 for row in rows]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def add_cases(case, options):
    wider = 1 if options.strict else 5
    db = psycopg.connect(options.url, autocommit=True)

    def ends_in_time(name, sql):
        def check():
            late = late_by(db, sql)
            if options.verbose:
                print(f"{name}: {late:.0f} ms after its timeout")
            assert late < LATE_MS * wider, f"it ended {late:.0f} ms after its timeout"
        check.__name__ = name
        return check

    def point_queries_beside_runaways():
        latencies = points_beside(options.url, BESIDE, options.seconds)
        p99, middle = percentile(latencies, 0.99), statistics.median(latencies)
        print(f"point queries beside {len(BESIDE)} runaways: {len(latencies)}, median {middle:.2f} ms, p99 {p99:.2f} ms, max {max(latencies):.2f} ms")
        assert len(latencies) > POINTS_A_SECOND * options.seconds * 0.9, f"only {len(latencies)} point queries in {options.seconds} s"
        assert p99 < POINT_P99_MS * wider, f"p99 of point queries is {p99:.1f} ms"

    for name, sql in RUNAWAYS.items():
        if name.startswith(options.only):
            case(ends_in_time(name, sql))
    if point_queries_beside_runaways.__name__.startswith(options.only):
        case(point_queries_beside_runaways)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="how late each one is")
    parser.add_argument("--only", default="", help="cases whose name begins so")
    parser.add_argument("--seconds", type=int, default=5, help="how long point queries run beside runaways")
    options = parser.parse_args()
    case = Cases("runaways")
    prepare(options.url)
    add_cases(case, options)
    status = case.run()
    with psycopg.connect(options.url, autocommit=True) as db:
        db.execute("DROP TABLE runaways")
        db.execute("DROP FUNCTION runaway_step")
    return status


if __name__ == "__main__":
    sys.exit(main())
