"""Each fuzzer under address and undefined-behaviour sanitizers: ten minutes and five million executions, no finding.

Needs the fuzz preset built. What a fuzzer finds new goes into var/fuzz/NAME/PIECE; crashes beside it.
"""

import contextlib
import itertools
import os
import re
import subprocess
import time

from framework import ROOT, Line, at_least, equal

FUZZERS = ("wire_framing_fuzz", "wire_bind_copy_fuzz", "log_decode_fuzz", "sql_query_fuzz")
SECONDS, EXECUTIONS = 600, 5_000_000
PIECE_SECONDS = 300
# Of an input, where the fuzzer's own default makes most of them so long that they are slow and say nothing new.
MOST_BYTES = {"sql_query_fuzz": 700}
# With thousands of kept inputs, weighing them anew and looking for leaks after each run take most of the time. Leaks are looked for
# where the corpora are run as tests.
SCHEDULING = ("-entropic=0", "-detect_leaks=0")


def measure(context, number):
    name = FUZZERS[number]
    binary, kept = ROOT / "build" / "fuzz" / "tests" / "fuzz" / name, ROOT / "tests" / "fuzz" / "corpus" / name
    new = ROOT / "var" / "fuzz" / name
    new.mkdir(parents=True, exist_ok=True)
    dictionary = ROOT / "tests" / "fuzz" / f"{name}.dict"
    options = [f"-dict={dictionary}"] if dictionary.exists() else []
    if name in MOST_BYTES:
        options.append(f"-max_len={MOST_BYTES[name]}")
    executions, seconds, coverage, findings = 0, 0.0, 0, 0
    # A minute for a run: a statement that makes a text of hundreds of megabytes takes half of one under the sanitizers.
    # In pieces, so that neither one piece's memory (what the sanitizers keep) nor what it has to read first grows for ever. A process a
    # core: they share what is new.
    for piece in itertools.count():
        if findings != 0 or (executions >= context.count(EXECUTIONS) and seconds >= context.count(SECONDS)):
            break
        found = new / str(piece)
        found.mkdir(exist_ok=True)
        command = [str(binary), str(found), str(kept), f"-max_total_time={context.count(PIECE_SECONDS)}", "-print_final_stats=1", "-timeout=60",
                   "-rss_limit_mb=4096", *SCHEDULING, f"-artifact_prefix={new}-", *options]
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            logs = [ROOT / "var" / "fuzz" / f"{name}.{core}.log" for core in range(os.cpu_count())]
            processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stack.enter_context(open(log, "w")),
                                          stderr=subprocess.STDOUT, env={**os.environ, "ASAN_OPTIONS": "allocator_may_return_null=1"})
                         for log in logs]
            findings += sum(process.wait() != 0 for process in processes)
        seconds += time.monotonic() - begun
        for text in (log.read_text(errors="replace") for log in logs):
            done = re.search(r"stat::number_of_executed_units: (\d+)", text)
            executions += int(done[1]) if done else 0
            coverage = max([coverage, *map(int, re.findall(r"\bcov: (\d+)", text))])
    return {"fuzzer": name, "executions": executions, "seconds": round(seconds), "coverage": coverage, "findings": findings}


def judge(medians, rounds):
    checks = []
    for found in rounds:
        name = found["fuzzer"]
        checks += [
            equal(f"findings of {name} (coverage {found['coverage']})", found["findings"], 0),
            at_least(f"executions of {name}", found["executions"], EXECUTIONS),
            at_least(f"seconds of {name}", found["seconds"], SECONDS),
        ]
    return checks


LINE = Line("fuzzers of framing, Bind and COPY, log decoding and SQL: ten minutes and 5,000,000 executions each, sanitized, no finding",
            len(FUZZERS), measure, judge)
