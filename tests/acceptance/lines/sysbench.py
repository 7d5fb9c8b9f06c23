"""sysbench unmodified: point selects, read-only and read-write transactions at 16 and 64 threads, PostgreSQL at its defaults beside us."""

import contextlib
import re
from urllib.parse import unquote, urlsplit

from framework import Line, at_least, running, sh
from harness import server as servers

TABLES, ROWS = 4, 100_000
TURNS, TURN_SECONDS = 3, 8
SCRIPTS = ("oltp_point_select", "oltp_read_only", "oltp_read_write")
WANTED = {16: 1.4, 64: 2}   # of those that only read


def sysbench(server, script, command, *options):
    url = urlsplit(server.url)
    return sh("sysbench", script, "--db-driver=pgsql", f"--pgsql-host={url.hostname}", f"--pgsql-port={url.port}",
              f"--pgsql-user={unquote(url.username)}", f"--pgsql-password={unquote(url.password or '')}", f"--pgsql-db={url.path[1:]}",
              f"--tables={TABLES}", f"--table-size={ROWS}", *options, command)


def rate(server, script, threads, seconds):
    output = sysbench(server, script, "run", f"--threads={threads}", f"--time={seconds}")
    return float(re.search(r"transactions:\s+\d+\s+\(([\d.]+) per sec", output)[1])


def measure(context, number):
    found = {}
    with servers.work_dir("sysbench") as work, contextlib.ExitStack() as stack:
        of = {}
        for kind in ("postgres", "wandian"):
            (work / kind).mkdir()
            of[kind] = stack.enter_context(running(servers.make(kind, work / kind)))
            sysbench(of[kind], SCRIPTS[0], "prepare")
        for script in SCRIPTS:
            for threads in WANTED:
                rates = {kind: [] for kind in of}
                # The machine's speed changes from minute to minute: they take turns.
                for turn in range(TURNS):
                    for kind in sorted(of, reverse=(turn + number) % 2 == 1):
                        rates[kind].append(rate(of[kind], script, threads, context.count(TURN_SECONDS)))
                for kind, values in rates.items():
                    found[f"{kind}_{script}_{threads}"] = sorted(values)[len(values) // 2]
                found[f"{script}_{threads}_ratio"] = found[f"wandian_{script}_{threads}"] / found[f"postgres_{script}_{threads}"]
    return found


def judge(medians, rounds):
    return [at_least(f"{script} at {threads} threads: our rate to PostgreSQL's", medians[f"{script}_{threads}_ratio"], wanted)
            for script in SCRIPTS if script != "oltp_read_write" for threads, wanted in WANTED.items()]


LINE = Line("sysbench's read-only tests at 1.4 times PostgreSQL with 16 threads and twice with 64", 3, measure, judge)
