"""Plays the scenarios of scenarios/*.txt, compares them with what PostgreSQL 15 did, and tells which anomalies are possible."""

import collections
import dataclasses
import fnmatch
import multiprocessing
import pathlib
import random
import traceback

from player import Player
from scenario import LEVELS, parse

HERE = pathlib.Path(__file__).resolve().parent
SCENARIOS = HERE / "scenarios"
KNOWN = HERE / "known_differences.txt"
TRIES = 3                       # a case that differs is played again, more patiently, before it counts
RETRIABLE = {"40001", "40P01"}
MARK = "== "


@dataclasses.dataclass
class Played:
    """What a server did with a case; what a worker hands back and what .expected files hold."""

    lines: list
    occurred: bool = False
    how: tuple = ()
    sqlstates: frozenset = frozenset()
    refused: str = ""
    broken: str = ""


class Job:
    """A case and where its rows lie."""

    def __init__(self, case, placement):
        self.case, self.placement = case, placement
        self.title = f"{case.scenario.source}/{case.title}"
        self.name = f"{self.title} @{placement}" if placement else self.title


def load(only=None):
    """The cases of all files, in order; `only` is a glob on FILE/CASE, or the beginning of one."""
    cases = [case for path in sorted(SCENARIOS.glob("*.txt")) for scenario in parse(path) for case in scenario.cases()]
    return [case for case in cases
            if not only or fnmatch.fnmatchcase(f"{case.scenario.source}/{case.title}", only.replace("[", "[[]").rstrip("*") + "*")]


def share_of(cases, share, seed):
    """A seeded part of the cases, but at least one of each scenario, level and anomaly."""
    if share >= 1:
        return cases
    draw, kept, met = random.Random(seed), [], set()
    for case in draw.sample(cases, len(cases)):
        key = (case.scenario.source, case.scenario.name, case.level)
        if key not in met or draw.random() < share:
            met.add(key)
            kept.append(case)
    return kept


# ---- playing in several processes ----

_worker = {}


def _begin(url, lanes, chain_lock, jobs, expected):
    with lanes.get_lock():
        lane = lanes.value
        lanes.value += 1
    _worker.update(url=url, lane=lane, chain_lock=chain_lock, jobs=jobs, expected=expected, player=None)


def _play(index):
    job, expected = _worker["jobs"][index], _worker["expected"]
    want = expected.get(job.title) if expected else None
    if job.case.scenario.chain:
        with _worker["chain_lock"]:
            return index, _try(job, want)
    return index, _try(job, want)


def _try(job, want):
    """Plays a job until it does what is wanted, TRIES times at the most; with nothing wanted, until it does the same twice."""
    played = None
    for attempt in range(TRIES):
        before, played = played, _once(job, 1 + 4 * attempt)
        if played.refused or (difference(job.case, want, played) == "" if want else before and before.lines == played.lines):
            break
    return played


def _once(job, patience):
    try:
        if not _worker["player"]:
            _worker["player"] = Player(_worker["url"], _worker["lane"])
        outcome = _worker["player"].play(job.case, job.placement, patience)
    except Exception:
        if _worker["player"]:
            _worker["player"].close()
        _worker["player"] = None
        return Played([], broken=traceback.format_exc())
    return Played(outcome.lines, outcome.occurred(job.case), tuple(outcome.how()), frozenset(outcome.sqlstates), outcome.refused)


def play_all(url, jobs, expected, processes):
    """Plays the jobs and returns what was Played, in their order."""
    context = multiprocessing.get_context("fork")
    results = [None] * len(jobs)
    # Long ones (those that need the chain's tables, one after another) begin first.
    order = sorted(range(len(jobs)), key=lambda i: (not jobs[i].case.scenario.chain, -jobs[i].case.scenario.pause_ms))
    with context.Pool(processes, _begin, (url, context.Value("i", 0), context.Lock(), jobs, expected)) as pool:
        for index, played in pool.imap_unordered(_play, order):
            results[index] = played
    return results


# ---- comparing ----

def difference(case, want, got):
    """Why `got` is not as good as what PostgreSQL did; "" when it is."""
    if got.broken:
        return "broken"
    if case.compares_verdict:
        if got.occurred and not want.occurred:
            return "an anomaly that PostgreSQL prevents"
        odd = got.sqlstates - RETRIABLE - want.sqlstates
        if odd:
            return f"an error that PostgreSQL does not give: {', '.join(sorted(odd))}"
        return "stuck" if any(line.startswith("stuck") for line in got.lines) else ""
    if case.scenario.compare == "victims":
        victims = [sum("ERROR 40P01" in line for line in played.lines) for played in (want, got)]
        return "" if victims[0] == victims[1] and not any("still waits" in line for line in got.lines) else "other victims"
    return "" if want.lines == got.lines else "another course"


def known_differences():
    """Globs of jobs that are known to differ, with the reason."""
    known = []
    for line in KNOWN.read_text().splitlines() if KNOWN.exists() else []:
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(" :: ")
            known.append((pattern.strip(), reason.strip()))
    return known


def known_reason(job, known):
    return next((reason for pattern, reason in known if fnmatch.fnmatchcase(job.name, pattern.replace("[", "[[]"))), None)


def side_by_side(want, got):
    width = max([len(line) for line in want] + [20]) + 2
    rows = []
    for i in range(max(len(want), len(got))):
        left, right = want[i] if i < len(want) else "", got[i] if i < len(got) else ""
        rows.append(f"    {'  ' if left == right else '! '}{left:<{min(width, 90)}}| {right}")
    return "\n".join(rows)


# ---- what PostgreSQL did, kept in files ----

def expected_path(source):
    return SCENARIOS / f"{source}.expected"


def read_expected():
    expected = {}
    for path in sorted(SCENARIOS.glob("*.expected")):
        title = None
        for line in path.read_text().splitlines():
            if line.startswith(MARK):
                title = f"{path.stem}/{line[len(MARK):]}"
                expected[title] = Played([])
            elif line.startswith("# "):
                word, *how = line[2:].split()
                states = [state for state in how if len(state) == 5 and state.isupper() or state.isdigit()]
                expected[title] = Played([], word == "possible", tuple(h for h in how if h in ("waits", "snapshot", *RETRIABLE)), frozenset(states))
            else:
                expected[title].lines.append(line)
    return expected


def write_expected(jobs, results):
    files = collections.defaultdict(list)
    for job, played in zip(jobs, results):
        verdict = "possible" if played.occurred else "prevented"
        words = sorted(set(played.how) | played.sqlstates)
        files[job.case.scenario.source] += [f"{MARK}{job.case.title}", f"# {' '.join([verdict, *words])}", *played.lines]
    for source, lines in files.items():
        expected_path(source).write_text("\n".join(lines) + "\n")


def ask_oracle(url, cases, processes):
    """Plays every case on PostgreSQL; the jobs, and what was Played."""
    jobs = [Job(case, "") for case in cases]
    results = play_all(url, jobs, None, processes)
    for job, played in zip(jobs, results):
        if played.broken or any(line.startswith("stuck") for line in played.lines):
            raise RuntimeError(f"PostgreSQL: {job.title}\n{played.broken}" + "\n".join(played.lines))
    return jobs, results


# ---- the table of anomalies ----

class Table:
    """Anomaly x level x placement: whether it is possible, and how it is prevented where it is not."""

    def __init__(self):
        self.cells = collections.defaultdict(lambda: [False, collections.Counter(), False])

    def add(self, case, column, played):
        if case.scenario.anomaly and case.level:
            cell = self.cells[case.scenario.anomaly, case.level, column]
            if played.refused:
                cell[2] = True
            elif not played.broken:
                cell[0] |= played.occurred
                cell[1].update(played.how)

    def text(self, anomaly, level, column):
        if (anomaly, level, column) not in self.cells:
            return "-"
        possible, how, refused = self.cells[anomaly, level, column]
        if refused:
            return "refused"
        if possible:
            return "possible"
        means = [mean for mean in ("waits", "40001", "40P01") if how[mean]]
        return "no: " + "+".join(means or ["snapshot"])

    def show(self, columns):
        anomalies = sorted({anomaly for anomaly, _, _ in self.cells})
        lines = [f"{'anomaly':<20} {'level':<5} " + " ".join(f"{title:<24}" for _, title in columns)]
        for anomaly in anomalies:
            for level in LEVELS:
                texts = [self.text(anomaly, level, column) for column, _ in columns]
                if set(texts) != {"-"}:
                    lines.append(f"{anomaly:<20} {level:<5} " + " ".join(f"{text:<24}" for text in texts))
        return "\n".join(line.rstrip() for line in lines)


COLUMNS = [("oracle", "PostgreSQL"), ("one", "one partition"), ("shards", "across shards"), ("oracle mixed", "PostgreSQL, mixed"),
           ("mixed", "mixed")]


def check(url, cases, expected, processes, say, strict=False):
    """Plays the cases in all their placements on the server at `url`; returns how many passed and failed."""
    jobs = [Job(case, placement) for case in cases for placement in case.scenario.placements()]
    missing = sorted({job.title for job in jobs} - set(expected))
    for title in missing:
        say(f"FAILED {title}: PostgreSQL has not been asked; see --record")
    jobs = [job for job in jobs if job.title in expected]
    results = play_all(url, jobs, expected, processes)
    known, table = known_differences(), Table()
    passed, failed, refusals, excused, reported = 0, len(missing), collections.Counter(), collections.Counter(), collections.Counter()
    for job, got in zip(jobs, results):
        want = expected[job.title]
        table.add(job.case, "oracle mixed" if job.placement == "mixed" else "oracle", want)
        table.add(job.case, job.placement, got)
        if got.refused and not strict:
            refusals[got.refused.partition(": ")[2]] += 1
            continue
        why = "refused: " + got.refused if got.refused else difference(job.case, want, got)
        reason = known_reason(job, known) if why else None
        if not why:
            passed += 1
        elif reason:
            excused[reason] += 1
        else:
            failed += 1
            key = (job.case.scenario.source, job.case.scenario.name)
            reported[key] += 1
            if reported[key] <= 6:
                say(f"FAILED {job.name}: {why}\n{got.broken or side_by_side(want.lines, got.lines)}")
    for (source, name), count in reported.items():
        if count > 6:
            say(f"FAILED {source}/{name}: {count} cases in all")
    for what, counts in (("refused (0A000)", refusals), ("known to differ", excused)):
        for text, count in counts.most_common():
            say(f"{what}: {count} of {len(jobs)}: {text}")
    say(table.show(COLUMNS))
    return passed, failed
