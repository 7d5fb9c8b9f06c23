"""Histories of a million transactions at each level show nothing that it forbids; the scenarios go as PostgreSQL's, or stricter."""

import re
import subprocess

from framework import PYTHON, RELEASE, ROOT, Line, at_least, equal, sh

TRANSACTIONS = 1_000_000


def isolation(*arguments):
    """Runs the suite; its exit status is in its last line, so that a failure is a figure and not an exception."""
    result = subprocess.run([PYTHON, ROOT / "tests" / "isolation" / "run", *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(result.stdout, flush=True)
    last = re.findall(r"^(\d+) passed, (\d+) failed$", result.stdout, re.MULTILINE)[-1]
    return int(last[0]), int(last[1]), result.stdout


def measure(context, number):
    found = {}
    found["scenarios"], found["scenarios_failed"], _ = isolation("--part", "scenarios")
    # Each level in both placements, half of the count in each.
    _, failed, output = isolation("--part", "histories", "--transactions", context.count(TRANSACTIONS // 2))
    found["histories_failed"] = failed
    for level in ("RC", "RR", "SER"):
        found[f"committed_{level}"] = sum(map(int, re.findall(rf"^history of the server {level} \w+: (\d+) committed", output, re.MULTILINE)))
    sh("cmake", "--build", RELEASE, "--target", "wandian_no_validation")
    found["planted_found"], _, _ = isolation("--planted", "--transactions", context.count(20_000))
    return found


def judge(medians, rounds):
    return [
        at_least("scenarios that go as PostgreSQL's", medians["scenarios"], 3_000),
        equal("scenarios that do not", medians["scenarios_failed"], 0),
        *(at_least(f"transactions committed at {level}", medians[f"committed_{level}"], TRANSACTIONS) for level in ("RC", "RR", "SER")),
        equal("histories with a forbidden anomaly", medians["histories_failed"], 0),
        equal("placements in which a server without validation is found out", medians["planted_found"], 2),
    ]


LINE = Line("isolation: PostgreSQL's course in every scenario, no forbidden anomaly in a million transactions a level", 1, measure, judge)
