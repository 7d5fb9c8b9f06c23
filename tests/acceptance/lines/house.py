"""From a clean tree to a played day: scripts/run without a terminal, a clean release build without the compiler cache."""

import os
import shutil
import subprocess
import time

from framework import ROOT, Line, at_most, equal, sh


def measure(context, number):
    directory = ROOT / "build" / "clean-release"
    shutil.rmtree(directory, ignore_errors=True)
    sh("cmake", "--preset", "release", "-B", directory)
    begun = time.monotonic()
    sh("cmake", "--build", directory, env={**os.environ, "CCACHE_DISABLE": "1"})
    build_s = time.monotonic() - begun
    shutil.rmtree(directory)
    begun = time.monotonic()
    status = subprocess.run(["scripts/run", "--orders", str(context.count(1_000_000)), "--stores", "10000"], cwd=ROOT,
                            stdin=subprocess.DEVNULL, check=False).returncode
    run_s = time.monotonic() - begun
    begun = time.monotonic()
    tests = subprocess.run(["scripts/test"], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    return {"clean_build_s": build_s, "run_status": status, "run_s": run_s, "test_status": tests,
            "test_warm_s": time.monotonic() - begun}


def judge(medians, rounds):
    return [
        at_most("seconds of a clean release build", medians["clean_build_s"], 8 * 60),
        equal("status of scripts/run", rounds[0]["run_status"], 0),
        equal("status of scripts/test", rounds[0]["test_status"], 0),
        at_most("seconds of scripts/test with a warm compiler cache", medians["test_warm_s"], 25 * 60),
    ]


LINE = Line("scripts/run plays 1,000,000 orders and exits 0; a clean release build in 8 minutes; scripts/test in 25, warm",
            1, measure, judge)
