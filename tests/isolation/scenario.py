"""Scenarios: what several sessions do at once, as text. README.md describes the format; parse() reads a file of them."""

import dataclasses
import itertools
import math
import random
import re

LEVELS = {"RC": "READ COMMITTED", "RR": "REPEATABLE READ", "SER": "SERIALIZABLE"}
MOST_ORDERS = 400


class FormatError(Exception):
    """A scenario file that does not keep to the format, with the line."""


@dataclasses.dataclass
class Scenario:
    """One scenario as written: the steps' text still holds $parameters and @placements."""

    name: str
    source: str
    anomaly: str = ""                                       # what the table of anomalies calls it
    chain: bool = False                                     # plays on the chain's tables, beside its procedures
    pause_ms: int = 0                                       # a rest after each step that waits (see README.md, deadlocks)
    compare: str = "exact"                                  # or "verdict": the anomaly alone counts; "victims": how many deadlock
    setup: list = dataclasses.field(default_factory=list)
    parameters: dict = dataclasses.field(default_factory=dict)
    sessions: dict = dataclasses.field(default_factory=dict)   # name -> {step: text}
    orders: list = dataclasses.field(default_factory=list)
    final: str = ""
    occurs: list = dataclasses.field(default_factory=list)  # expressions, one of which tells that the anomaly happened

    def owner(self, step):
        for session, steps in self.sessions.items():
            if step in steps:
                return session
        raise FormatError(f"{self.source}: {self.name}: no step {step}")

    def bindings(self):
        """Every combination of the parameters' values."""
        names = list(self.parameters)
        return [dict(zip(names, values)) for values in itertools.product(*self.parameters.values())]

    def cases(self):
        """The cases of this scenario: (binding, order) for every combination and order."""
        return [Case(self, binding, order) for binding in self.bindings() for order in self.orders]

    def placements(self):
        return ("mixed",) if self.chain else ("one", "shards")


@dataclasses.dataclass
class Case:
    """A scenario with its parameters bound and its order chosen: what can be played."""

    scenario: Scenario
    binding: dict
    order: tuple

    @property
    def title(self):
        bound = ", ".join(f"{name}={value or '-'}" for name, value in self.binding.items())
        return f"{self.scenario.name} [{bound}] {' '.join(self.order)}"

    @property
    def level(self):
        return self.binding.get("level", "")

    @property
    def compares_verdict(self):
        """Whether who is refused, and when, is the server's own affair: at SERIALIZABLE only the outcome is promised."""
        return self.scenario.compare == "verdict" or (self.scenario.anomaly and self.level == "SER")

    def text(self, template):
        for name, value in sorted(self.binding.items(), key=lambda item: -len(item[0])):
            template = template.replace(f"${name}", LEVELS[value] if name == "level" else value)
        return re.sub(r" +", " ", template).strip()


def placed(text, placement):
    """The text with its @place marks made into Wandian's clause; "" makes it PostgreSQL's."""
    def clause(match):
        column = {"one": "p", "shards": match[1] or "id"}.get(placement)
        return f"PARTITION BY SHARD ({column})" if column else ""
    return re.sub(r"@place(?:\((\w+)\))?", clause, text)


def interleavings(sessions):
    """Every order of the sessions' steps that keeps each session's own order."""
    if not any(sessions):
        yield ()
        return
    for i, steps in enumerate(sessions):
        if steps:
            for rest in interleavings([*sessions[:i], steps[1:], *sessions[i + 1:]]):
                yield (steps[0], *rest)


def orders_of(scenario, words, where):
    """The orders that an "order" line names: steps, "all", or "some N" of all, drawn by the scenario's name."""
    sessions = [tuple(steps) for steps in scenario.sessions.values()]
    if words == ["all"]:
        orders = list(interleavings(sessions))
        if len(orders) > MOST_ORDERS:
            raise FormatError(f"{where}: {len(orders)} orders are too many; say 'order some N'")
        return orders
    if words[0] == "some":
        count = math.factorial(sum(map(len, sessions))) // math.prod(math.factorial(len(steps)) for steps in sessions)
        draw, drawn = random.Random(scenario.name), {}
        while len(drawn) < min(int(words[1]), count):
            deck = [i for i, steps in enumerate(sessions) for _ in steps]
            draw.shuffle(deck)
            streams = [iter(steps) for steps in sessions]
            drawn[tuple(next(streams[i]) for i in deck)] = True
        return sorted(drawn)
    for word in words:
        scenario.owner(word.rstrip("!"))
    return [tuple(words)]


def parse(path):
    """The scenarios of a file."""
    scenarios, scenario, into = [], None, None
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line, where = raw.strip(), f"{path.name}:{number}"
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if not raw[0].isspace():
            into = None
            if word == "scenario":
                scenario = Scenario(rest, path.stem)
                scenarios.append(scenario)
            elif scenario is None:
                raise FormatError(f"{where}: {word} before any scenario")
            elif word in ("setup", "session"):
                into = scenario.setup if word == "setup" else scenario.sessions.setdefault(rest, {})
            elif word == "levels":
                scenario.parameters["level"] = rest.split()
            elif word == "with":
                name, _, values = rest.partition("=")
                scenario.parameters[name.strip()] = [value.strip() for value in re.split(r"(?<!\|)\|(?!\|)", values)]
            elif word == "order":
                scenario.orders += orders_of(scenario, rest.split(), where)
            elif word in ("anomaly", "final", "compare"):
                setattr(scenario, word, rest)
            elif word == "pause":
                scenario.pause_ms = int(rest)
            elif word == "chain":
                scenario.chain = True
            elif word == "occurs":
                scenario.occurs.append(rest)
            else:
                raise FormatError(f"{where}: what is {word!r}?")
        elif isinstance(into, list):
            into.append(line)
        elif isinstance(into, dict):
            step, _, text = line.partition(":")
            into[step] = text.strip()
        else:
            raise FormatError(f"{where}: an indented line that belongs to nothing")
    for scenario in scenarios:
        if not scenario.orders:
            raise FormatError(f"{path.name}: {scenario.name} has no order")
    return scenarios
