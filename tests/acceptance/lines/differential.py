"""A million random statements, compared with PostgreSQL 15: every feature often enough, nothing unknown differs."""

import re
import subprocess

from framework import PYTHON, ROOT, Line, at_least, at_most, equal, running
from harness import server as servers

STATEMENTS, OF_EACH_FEATURE, SEED = 1_000_000, 2_000, 20261130


def measure(context, number):
    with servers.work_dir("differential") as work, servers.work_dir("differential_oracle") as oracle_work:
        server = servers.make("wandian", work, options=["--shards", "2", "--set", "max_prepared_transactions=20"])
        oracle = servers.make("postgres", oracle_work, options=["-c", "max_prepared_transactions=20"], user=server.user)   # its name is in privileges
        with running(server), running(oracle):
            result = subprocess.run([PYTHON, ROOT / "tests" / "sql" / "differential" / "run", "--url", server.url, "--oracle", oracle.url,
                                     "--seed", str(SEED + number), "--statements", str(context.count(STATEMENTS)), "--out", context.work],
                                    cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    print(result.stdout, flush=True)
    total = re.search(r"^(\d+) statements .* ([\d.]+)% returned rows, ([\d.]+)% failed on the oracle, (\d+) refused", result.stdout, re.MULTILINE)
    unknown, known, broken = map(int, re.search(r"^differential: (\d+) unknown differences, (\d+) known, (\d+) episodes", result.stdout,
                                                re.MULTILINE).groups())
    features = {name.strip(): int(count) for name, count in re.findall(r"^(.{34}) *(\d+) +\d+% +\d+% +\d+% +\d+$", result.stdout, re.MULTILINE)}
    rarest = min(features, key=features.get)
    return {"statements": int(total[1]), "returned_rows_percent": float(total[2]), "failed_percent": float(total[3]), "refused": int(total[4]),
            "unknown": unknown, "known": known, "broken_off": broken, "features": len(features), "rarest": rarest,
            "rarest_count": features[rarest]}


def judge(medians, rounds):
    return [
        at_least("statements compared", medians["statements"], STATEMENTS),
        at_least(f"statements of the rarest feature ({rounds[0]['rarest']})", medians["rarest_count"], OF_EACH_FEATURE),
        at_least("percent that return rows", medians["returned_rows_percent"], 50),
        at_most("percent that fail on PostgreSQL", medians["failed_percent"], 20),
        equal("kinds of differences that are not listed", medians["unknown"], 0),
        equal("episodes broken off", medians["broken_off"], 0),
    ]


LINE = Line("a million random statements answered as PostgreSQL 15 answers them", 1, measure, judge)
