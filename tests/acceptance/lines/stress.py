"""Each lock-free part under the thread sanitizer for ten minutes. The planted bugs are part of scripts/test.

Needs the stress tests of the tsan preset built.
"""

import os
import subprocess
import time

from framework import ROOT, Line, at_least, equal

TSAN = ROOT / "build" / "tsan" / "tests"
ENGINE, STORAGE = TSAN / "engine" / "engine_stress_tests", TSAN / "storage" / "storage_stress_tests"
# A part: its executable and the tests that share its ten minutes.
PARTS = {
    "rings": (ENGINE, ("RingStress.ASmallRingThatIsFullAllTheTime", "RingStress.ARingThatIsHardlyEverFull")),
    "log ring": (STORAGE, ("LogStress.*TwoShards", "LogStress.*ReadersBeside")),
    "snapshots and reclamation": (ENGINE, ("QuiescenceStress.*",)),
    "descriptors and chains": (ENGINE, ("ShardStress.*",)),
    "index readers beside the writer": (ENGINE, tuple(f"*IndexStress.*/{bytes_}" for bytes_ in (8, 16, 24, 0))),
}
SECONDS = 600


def measure(context, number):
    name = list(PARTS)[number]
    binary, tests = PARTS[name]
    found = {"part": name, "seconds": 0, "failed": 0}
    for selection in tests:
        begun = time.monotonic()
        # How many tests run is the pattern's business: each gets its share of the part's time.
        listed = subprocess.run([str(binary), f"--gtest_filter={selection}", "--gtest_list_tests"], stdout=subprocess.PIPE, text=True,
                                check=True).stdout
        count = sum(line.startswith("  ") for line in listed.splitlines())
        if count == 0:
            raise RuntimeError(f"no test is named {selection}")
        seconds = context.count(SECONDS) / len(tests) / count + 1
        status = subprocess.run([str(binary), f"--gtest_filter={selection}"], stdin=subprocess.DEVNULL, check=False,
                                env={**os.environ, "WANDIAN_STRESS_SECONDS": f"{seconds:.1f}"}).returncode
        found["failed"] += status != 0
        found["seconds"] += round(time.monotonic() - begun)
    return found


def judge(medians, rounds):
    checks = []
    for found in rounds:
        checks += [equal(f"failures of {found['part']}", found["failed"], 0),
                   at_least(f"seconds of {found['part']}", found["seconds"], SECONDS)]
    return checks


LINE = Line("stress of each lock-free part under the thread sanitizer, ten minutes each", len(PARTS), measure, judge)
