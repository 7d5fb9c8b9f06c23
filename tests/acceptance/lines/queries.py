"""Joins, GROUP BY and ORDER BY ... LIMIT over tables of 1,000,000, 100,000 and 1,000 rows, PostgreSQL at its defaults beside us."""

import json
import subprocess

from framework import PYTHON, ROOT, Line, at_least, running
from harness import server as servers

WANTED = ("join_2", "join_3", "group", "top")
RUNS = 5


def measure(context, number):
    with servers.work_dir("queries") as work, servers.work_dir("queries_oracle") as oracle_work:
        with running(servers.make("wandian", work)) as server, running(servers.make("postgres", oracle_work)) as oracle:
            report = context.work / "queries.json"
            subprocess.run([PYTHON, ROOT / "bench" / "queries", "--url", server.url, "--oracle", oracle.url, "--rounds", str(RUNS), "--json", report],
                           cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    found = {}
    for name, figures in json.loads(report.read_text()).items():
        found |= {f"{name}_ms": figures["wandian"], f"{name}_postgres_ms": figures["postgresql"], f"{name}_ratio": figures["postgresql"] / figures["wandian"]}
    return found


def judge(medians, rounds):
    names = [name.removesuffix("_ratio") for name in medians if name.endswith("_ratio") and name.startswith(WANTED)]
    return [at_least(f"{name}: PostgreSQL's time to ours", medians[f"{name}_ratio"], 1) for name in names]


LINE = Line("joins by key, GROUP BY over 1,000,000 rows and ORDER BY ... LIMIT at least as fast as PostgreSQL", 1, measure, judge)
