"""Statements that would run for hours end in time and hold nobody up; those that want too much memory fail, and the server goes on."""

import re
import subprocess

from framework import PYTHON, ROOT, Line, at_least, equal, running
from harness import server as servers


def measure(context, number):
    with servers.work_dir("runaways") as work, running(servers.make("wandian", work)) as server:
        output = subprocess.run([PYTHON, ROOT / "tests" / "clients" / "runaways_script.py", "--strict", "--seconds", "20", "--url", server.url], cwd=ROOT,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    print(output, flush=True)
    counts = re.search(r"^runaways: (\d+) passed, (\d+) failed$", output, re.MULTILINE)
    beside = re.search(r"^point queries beside 8 runaways: (\d+), .* p99 ([\d.]+) ms", output, re.MULTILINE)
    return {"passed": int(counts[1]), "failed": int(counts[2]), "point_queries": int(beside[1]), "point_p99_ms": float(beside[2])}


def judge(medians, rounds):
    return [equal("checks that failed, each within 100 ms of its timeout and p99 within 5 ms among them", medians["failed"], 0),
            at_least("checks that passed", medians["passed"], 40)]


LINE = Line("runaway statements end within 100 ms of statement_timeout; point queries beside eight of them p99 5 ms", 1, measure, judge)
