"""Runs the project's tests, part by part, and adds up what passed and failed; called by scripts/test.

Each part writes its output to build/test-logs/PART.log, which is printed when something in it failed. The last line is
"N passed, N failed"; the exit status is 0 only if nothing failed. A part is never passed over because something it
needs is missing: that is a failure. Parts that need the server exist once the source tree has server/main.cc.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness import server as servers  # noqa: E402

LOGS = ROOT / "build" / "test-logs"
PYTHON = "/usr/bin/python3"
PART_SECONDS = 3000
# Labels of tests that are left out: "long" ones run by scripts/accept, "release-only" ones and planted bugs not under sanitizers.
LONG, SANITIZED_OUT = "^long$", "^(long|release-only|planted)$"
# Tests by name that a sanitizer has nothing to see in: those of one thread.
UNSEEN = {"asan": "^$", "tsan": "^(sql_.*|procedures_tests|engine_sim.*)$"}
# Seeds of the log's simulation under a sanitizer; the release build runs all of them.
SANITIZED_SEEDS = {"asan": "500", "tsan": "20"}


class Failure(Exception):
    """A check that did not hold."""


class Part:
    """One part under way: its log, and what has passed and failed in it."""

    def __init__(self, name, quick):
        self.name, self.quick = name, quick
        self.passed = self.failed = 0
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log_path = LOGS / f"{name}.log"
        self.log = open(self.log_path, "w")

    def check(self, holds, text):
        if not holds:
            raise Failure(text)
        self.passed += 1

    def run(self, *command, env=None):
        """Runs a command into the log and returns its status and output."""
        begin = self.log_path.stat().st_size
        self.log.write(f"$ {' '.join(map(str, command))}\n")
        self.log.flush()
        try:
            status = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log,
                                    stderr=subprocess.STDOUT, env={**os.environ, **(env or {})},
                                    timeout=PART_SECONDS).returncode
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{command[0]} ran longer than {PART_SECONDS} s") from error
        with open(self.log_path, errors="replace") as log:
            log.seek(begin)
            return status, log.read()

    def must(self, *command, env=None):
        """Runs a command that must succeed; counts as one check unless it prints its own counts."""
        status, output = self.run(*command, env=env)
        self.count(status, output, str(command[0]))
        return output

    def count(self, status, output, what):
        counts = re.search(r"^(\d+) passed, (\d+) failed\s*\Z", output, re.MULTILINE)
        if counts:
            self.passed += int(counts[1])
            self.failed += int(counts[2])
        elif status == 0:
            self.passed += 1
        if status != 0 and not (counts and int(counts[2])):
            raise Failure(f"{what} ended with status {status}")

    def ctest(self, preset, *selection, env=None):
        status, output = self.run("ctest", "--preset", preset, "-j2", *selection, "--no-tests=error", env=env)
        counts = re.search(r"tests passed, (\d+) tests? failed out of (\d+)", output)
        if not counts:
            raise Failure(f"ctest ran no tests (status {status})")
        self.passed += int(counts[2]) - int(counts[1])
        self.failed += int(counts[1])


def has_server():
    return (ROOT / "server" / "main.cc").exists()


def has_unit_tests():
    return any("wandian_test(" in path.read_text() for path in (ROOT / "tests").glob("*/CMakeLists.txt"))


def build(part):
    if not (ROOT / "build" / "release" / "build.ninja").exists():
        part.must("cmake", "--preset", "release")
    part.must("cmake", "--build", "--preset", "release")
    if has_server():
        part.check((ROOT / "build" / "release" / "wandian").exists(), "the build made no build/release/wandian")


def unit(part):
    part.ctest("release", "-LE", LONG)


def isolation(part):
    """What sessions do to each other, as PostgreSQL 15 did it, and histories without what their level forbids."""
    part.must(PYTHON, "tests/isolation/history_test.py")
    share, transactions = (0.05, 2_000) if part.quick else (0.15, 5_000)
    status, output = part.run(PYTHON, "tests/isolation/run", "--share", share, "--transactions", transactions)
    part.count(status, output, "tests/isolation/run")
    part.must("cmake", "--build", "--preset", "release", "--target", "wandian_no_validation")
    status, output = part.run(PYTHON, "tests/isolation/run", "--planted", "--transactions", transactions)
    part.count(status, output, "tests/isolation/run --planted")


def harness(part):
    """The recovery harness sees loss where there is some: PostgreSQL told to answer before it writes."""
    part.must(PYTHON, "tests/recovery/kill_day.py", "--server", "postgres", "--kills", 20, "--seconds", 1, "--quiet",
              "--option=-c", "--option=synchronous_commit=off", "--expect-loss")


def day_against(part, server, orders, stores):
    """Plays a small day, then stops the server and sees that all orders are there when it has started again."""
    import psycopg

    report = server.work / "day.json"
    part.must(ROOT / "build" / "release" / "wandian", "bench", "day", "--orders", orders, "--stores", stores, "--url", server.url,
              "--json", report)
    result = json.loads(report.read_text())
    part.check(result["invariants"] == "ok", f"an invariant broke: {result['invariants']}")
    part.check(result["orders"] == orders, f"{result['orders']} of {orders} orders were acknowledged")
    server.stop()
    server.start()
    with psycopg.connect(server.url, autocommit=True) as db:
        found = db.execute("SELECT count(*) FROM orders").fetchone()[0]
    part.check(found == orders, f"{found} of {orders} orders were there after a restart")


def refuses_a_taken_port(part, server):
    """Whatever a start has set up by then is taken down in order: an error and status 1, no crash."""
    with servers.work_dir(part.name + "-second") as work:
        second = servers.Wandian(work, port=server.port, binary=server.binary)
        second.spawn(work / "second.out")
        status = second.process.wait(timeout=60)
        part.check(status == 1 and "Address already in use" in second.log.read_text(), f"a server on a taken port ended with status {status}")


def served(part, preset="release", binary=None, clients=False, day=None):
    """The drivers' scripts and a day of (orders, stores) against one server, which must then stop cleanly."""
    with servers.work_dir(part.name) as work:
        server = servers.Wandian(work, preset=preset, binary=binary, options=("--set", "max_prepared_transactions=10"))
        try:
            server.start()
            if clients:
                refuses_a_taken_port(part, server)
                status, output = part.run(PYTHON, "tests/clients/run", "--url", server.url, *(() if preset == "release" else ("--untimed",)))
                part.count(status, output, "tests/clients/run")
            if day:
                day_against(part, server, *day)
            server.stop()
            part.passed += 1
        finally:
            server.kill()


def clients(part):
    served(part, clients=True)
    status, output = part.run(PYTHON, "tests/procedures/modules.py")
    part.count(status, output, "tests/procedures/modules.py")
    for script in ("tests/wire/tls.py", "tests/wire/poolers.py"):
        status, output = part.run(PYTHON, script)
        part.count(status, output, script)


def day(part):
    served(part, day=(2_000, 100) if part.quick else (20_000, 500))


def recovery(part):
    """Nothing acknowledged is lost by a kill; a server that answers before it writes is seen to lose some."""
    part.must("cmake", "--build", "--preset", "release", "--target", "wandian_ack_before_write")
    part.must(PYTHON, "tests/recovery/kill_day.py", "--kills", 20, "--seconds", 1.5, "--quiet", "--expect-loss",
              "--binary", ROOT / "build" / "release" / "planted" / "wandian_ack_before_write")
    part.must(PYTHON, "tests/recovery/kill_day.py", "--kills", 1 if part.quick else 6, "--fresh-every", 3, "--seconds", 1.5)
    part.must(PYTHON, "tests/recovery/transfers.py", "--transfers", 500 if part.quick else 4000, "--sums", 100,
              "--kills", 1 if part.quick else 3)


def jemalloc(part):
    """The same sources with the other allocator; the compiler cache serves the objects, only linking is new."""
    part.must("cmake", "--preset", "release", "-B", "build/jemalloc", "-DWANDIAN_ALLOCATOR=jemalloc")
    part.must("cmake", "--build", "build/jemalloc", "--target", "wandian")
    served(part, binary=ROOT / "build" / "jemalloc" / "wandian", day=(2_000, 100))


def test_executables(part, preset, selection):
    """The executables of the tests that ctest would run, as build targets: paths below the build directory."""
    _, output = part.run("ctest", "--preset", preset, "-N", *selection)
    wanted = set(re.findall(r"Test +#\d+: (\S+)", output))
    directory = ROOT / "build" / preset
    return sorted({str(pathlib.Path(executable).relative_to(directory))
                   for path in directory.rglob("CTestTestfile.cmake")
                   for name, executable in re.findall(r'add_test\(\[=\[(.+?)\]=\] "([^"]+)"', path.read_text())
                   if name in wanted and pathlib.Path(executable).is_relative_to(directory)})


def sanitized(preset):
    def run(part):
        part.must("cmake", "--preset", preset)
        selection = ("-LE", SANITIZED_OUT, "-E", UNSEEN[preset])
        targets = test_executables(part, preset, selection)
        if has_server():
            targets.append("wandian")
        part.must("cmake", "--build", "--preset", preset, "--target", *targets)
        part.ctest(preset, *selection, env={"WANDIAN_SIM_SEEDS": SANITIZED_SEEDS[preset]})
        if has_server():
            served(part, preset, clients=True, day=(1_000, 50))
    return run


# name: (function, needed for it to exist, part of --quick). In this order.
PARTS = {
    "build": (build, lambda: True, True),
    "unit": (unit, has_unit_tests, True),
    "clients": (clients, has_server, True),
    "isolation": (isolation, has_server, True),
    "day": (day, has_server, True),
    "recovery": (recovery, has_server, True),
    "harness": (harness, lambda: True, False),
    "jemalloc": (jemalloc, has_server, False),
    "asan": (sanitized("asan"), has_unit_tests, False),
    "tsan": (sanitized("tsan"), has_unit_tests, False),
}


def run_part(name, quick):
    """Runs one part and returns its counts."""
    part = Part(name, quick)
    begun = time.monotonic()
    reason = ""
    try:
        PARTS[name][0](part)
    except Exception as error:  # whatever ends a part is that part's failure; the others still run
        reason = f"{type(error).__name__}: {error}"
        part.failed += 1
        traceback.print_exc(file=part.log)
    part.log.close()
    if part.failed:
        print(f"---- {name}: {reason or 'failed checks'}; the end of {part.log_path.relative_to(ROOT)}:")
        print(servers.log_tail(part.log_path, 120))
        print("----")
    print(f"{name}: {part.passed} passed, {part.failed} failed, {time.monotonic() - begun:.0f} s", flush=True)
    return part.passed, part.failed


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="release build alone, with small loads")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part (may be given again)")
    parser.add_argument("--list", action="store_true", help="name the parts and end")
    options = parser.parse_args()
    if options.list:
        print(*PARTS, sep="\n")
        return 0

    begun = time.monotonic()
    passed = failed = 0
    for name, (_, exists, in_quick) in PARTS.items():
        if options.only and name not in options.only or options.quick and not in_quick and not options.only:
            continue
        if not exists():
            if options.only:
                print(f"{name}: this source tree has nothing for it to run")
                failed += 1
            continue
        counts = run_part(name, options.quick)
        passed, failed = passed + counts[0], failed + counts[1]
        if name == "build" and counts[1]:
            break  # nothing after it can tell anything new
    print(f"total {time.monotonic() - begun:.0f} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
