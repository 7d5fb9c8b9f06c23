"""What an acceptance line is made of: rounds that measure, and checks that judge their medians.

A line is run round by round. Each finished round is kept in var/acceptance, so an interrupted run goes on with the
next one; another commit or changed sources begin anew. The verdict goes to docs/acceptance/NAME.json, unless the run
was a trial with smaller counts.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"
PYTHON = "/usr/bin/python3"


@dataclasses.dataclass
class Check:
    """One thing that must hold, with the figure that decides it."""

    text: str
    found: object
    holds: bool


def at_least(text, found, bound):
    return Check(f"{text} at least {bound}", round(found, 3), found >= bound)


def at_most(text, found, bound):
    return Check(f"{text} at most {bound}", round(found, 3), found <= bound)


def equal(text, found, expected):
    return Check(f"{text}: {expected}", found, found == expected)


@dataclasses.dataclass
class Line:
    """One acceptance line.

    measure(context, number) runs round `number` and returns its figures, flat: name to number or text.
    judge(medians, rounds) returns the checks; medians has each numeric figure's median over the rounds.
    """

    text: str
    rounds: int
    measure: object
    judge: object


@dataclasses.dataclass
class Context:
    """What a round may know: `scale` shrinks its counts (1 is the full count), `work` is a directory for files."""

    scale: float
    work: pathlib.Path

    def count(self, full):
        return max(1, round(full * self.scale))


def sh(*command, **options):
    """Runs a command that must succeed, its standard output returned, its errors shown."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, **options).stdout


@contextlib.contextmanager
def running(server):
    """The server, started; stopped cleanly at the end, or killed when the body raised."""
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.kill()


def sources():
    """The commit, and a digest of what differs from it outside docs/."""
    commit = sh("git", "rev-parse", "HEAD").strip()
    difference = sh("git", "diff", "HEAD", "--", ".", ":(exclude)docs")
    return commit, hashlib.sha256(difference.encode()).hexdigest()[:16] if difference else ""


def machine():
    with open("/proc/meminfo") as meminfo:
        memory_kib = int(meminfo.readline().split()[1])
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return {"cpus": os.cpu_count(), "cpu": model, "memory_gib": round(memory_kib / (1 << 20), 1), "kernel": platform.release()}


def numeric_figures(rounds):
    names = [name for name, value in rounds[0].items() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return {name: [r[name] for r in rounds if isinstance(r.get(name), (int, float))] for name in names}


def run(name, line, scale):
    """Runs or goes on with a line; returns 0 if it holds."""
    state_dir = ROOT / "var" / "acceptance"
    state_dir.mkdir(parents=True, exist_ok=True)
    state_path = state_dir / (f"{name}.json" if scale == 1 else f"{name}.trial.json")
    commit, changed = sources()
    key = {"commit": commit, "changed": changed, "scale": scale}
    state = json.loads(state_path.read_text()) if state_path.exists() else {}
    if {k: state.get(k) for k in key} != key:
        state = {**key, "rounds": []}
    work = state_dir / f"{name}.work"
    work.mkdir(exist_ok=True)
    print(f"{name}: {line.text}")
    if state["rounds"]:
        print(f"{name}: goes on after {len(state['rounds'])} of {line.rounds} rounds")
    while len(state["rounds"]) < line.rounds:
        number = len(state["rounds"])
        figures = line.measure(Context(scale, work), number)
        state["rounds"].append(figures)
        state_path.write_text(json.dumps(state, indent=1))
        print(f"{name}: round {number + 1} of {line.rounds}: {json.dumps(figures)}", flush=True)

    figures = numeric_figures(state["rounds"])
    medians = {figure: statistics.median(values) for figure, values in figures.items() if values}
    checks = line.judge(medians, state["rounds"])
    holds = all(check.holds for check in checks)
    for check in checks:
        print(f"{name}: {'holds' if check.holds else 'FAILS'}: {check.text} (found {check.found})")
    verdict = {
        "name": name,
        "line": line.text,
        "verdict": "holds" if holds else "fails",
        "commit": commit,
        "changed_sources": bool(changed),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        "checks": [dataclasses.asdict(check) for check in checks],
        "medians": medians,
        "spread": {figure: [min(values), max(values)] for figure, values in figures.items() if values},
        "rounds": state["rounds"],
    }
    if scale == 1:
        path = ROOT / "docs" / "acceptance" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(verdict, indent=1, ensure_ascii=False) + "\n")
        print(f"{name}: wrote {path.relative_to(ROOT)}")
    state_path.unlink()
    print(f"{name}: {verdict['verdict']}{'' if scale == 1 else f' at scale {scale}'}")
    return 0 if holds else 1
