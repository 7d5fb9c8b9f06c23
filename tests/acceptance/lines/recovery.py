"""A hundred kills under the day's load, and the harness sees an engine that answers before it writes."""

import json
import subprocess

from framework import PYTHON, RELEASE, ROOT, Line, at_least, equal, sh

ROUNDS, KILLS = 10, 10
FAULT = "ack_before_write"


def kill_day(context, *arguments):
    result = context.work / "kills.json"
    result.unlink(missing_ok=True)
    status = subprocess.run([PYTHON, ROOT / "tests" / "recovery" / "kill_day.py", "--json", result, *map(str, arguments)],
                            stdin=subprocess.DEVNULL, check=False).returncode
    return status, json.loads(result.read_text())


def caught(context):
    """Whether the harness finds the planted bug of an engine that answers before it writes."""
    sh("cmake", "--build", "--preset", "release", "--target", f"wandian_{FAULT}")
    status, _ = kill_day(context, "--kills", 50, "--seconds", 2, "--quiet", "--expect-loss", "--binary",
                         RELEASE / "planted" / f"wandian_{FAULT}")
    return int(status == 0)


def measure(context, number):
    _, result = kill_day(context, "--kills", context.count(KILLS), "--seconds", 4, "--seed", 1000 + number)
    found = {"kills": result["kills"], "acknowledged": result["acknowledged"], "broken": len(result["broken"]),
             "recovery_s_max": result["recovery_s_max"], "seed": result["seed"]}
    if number == 0:
        found["planted_bug_caught"] = caught(context)
    return found


def judge(medians, rounds):
    return [
        at_least("kills", sum(r["kills"] for r in rounds), ROUNDS * KILLS),
        at_least("acknowledged orders", sum(r["acknowledged"] for r in rounds), 1),
        equal("acknowledged orders lost, doubled or in part", sum(r["broken"] for r in rounds), 0),
        equal("an engine that answers before it writes is caught", rounds[0]["planted_bug_caught"], 1),
    ]


LINE = Line("100 kills under load, a fresh directory every ten: nothing acknowledged is lost, doubled or in part",
            ROUNDS, measure, judge)
