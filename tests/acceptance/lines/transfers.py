"""Transfers between stores from 32 connections beside whole-table sums; the last round through kill and restart."""

import json
import subprocess

from framework import PYTHON, ROOT, Line, at_least, equal

ROUNDS, TRANSFERS, SUMS, KILLS = 5, 50_000, 2_500, 10


def measure(context, number):
    result = context.work / "transfers.json"
    result.unlink(missing_ok=True)
    kills = context.count(KILLS) if number == ROUNDS - 1 else 0
    subprocess.run([PYTHON, ROOT / "tests" / "recovery" / "transfers.py", "--json", result, "--connections", "32",
                    "--transfers", str(context.count(TRANSFERS)), "--sums", str(context.count(SUMS)), "--kills", str(kills),
                    "--seed", str(2000 + number)], stdin=subprocess.DEVNULL, check=False)
    found = json.loads(result.read_text())
    return {name: found.get(name, 0) for name in ("transfers", "sums", "deadlocks", "kills", "recovery_ms_max", "seconds")} | {
        "broken": len(found["broken"]), "seed": found["seed"]}


def judge(medians, rounds):
    unkilled = [r for r in rounds if not r["kills"]]
    return [
        at_least("transfers", sum(r["transfers"] for r in unkilled), 200_000),
        at_least("whole-table sums", sum(r["sums"] for r in unkilled), 10_000),
        at_least("deadlocks that ended as 40P01", sum(r["deadlocks"] for r in rounds), 1),
        at_least("kills", sum(r["kills"] for r in rounds), KILLS),
        equal("sums or restarts that differ", sum(r["broken"] for r in rounds), 0),
    ]


LINE = Line("200,000 transfers from 32 connections beside 10,000 sums, and through kill and restart: one total", ROUNDS, measure, judge)
