"""Ten thousand seeds of the simulated machine, each fault met often enough, and engines that answer too early caught."""

import json
import subprocess

from framework import RELEASE, Line, at_least, equal

ROUNDS, SEEDS, TRANSACTIONS, FIRED = 20, 500, 100, 500
EARLY = ("ack_before_sync", "ack_before_write")


def simulate(context, number):
    result = context.work / "simulation.json"
    result.unlink(missing_ok=True)
    seeds = context.count(SEEDS)
    subprocess.run([RELEASE / "engine_sim", "--seeds", str(seeds), "--from", str(1 + number * SEEDS), "--transactions",
                    str(TRANSACTIONS), "--json", result], stdin=subprocess.DEVNULL, check=False)
    return json.loads(result.read_text())


def caught(fault):
    """Whether the simulation sees, within few seeds, that this engine loses what it acknowledged."""
    command = [RELEASE / "planted" / f"engine_sim_{fault}", "--seeds", "100", "--expect", "which was acknowledged"]
    return int(subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0)


def measure(context, number):
    found = simulate(context, number)
    found |= {f"fault: {name}": count for name, count in found.pop("faults").items()}
    if number == 0:
        found |= {f"caught: {fault}": caught(fault) for fault in EARLY}
    return found


def judge(medians, rounds):
    def total(name):
        return sum(r[name] for r in rounds)

    faults = [name for name in rounds[0] if name.startswith("fault: ")]
    return [
        at_least("seeds", total("seeds"), ROUNDS * SEEDS),
        equal("seeds that broke", total("failed"), 0),
        at_least("transactions", total("transactions"), ROUNDS * SEEDS * TRANSACTIONS),
        at_least("crashes", total("crashes"), ROUNDS * SEEDS),
        at_least("reported damages", total("damage_reported"), 1),
        at_least("tails cut, and said so", total("tails_cut"), 1),
        *(at_least(f"times that the engine met the {name}", total(name), FIRED) for name in faults),
        *(equal(f"an engine with {fault} is caught", rounds[0][f"caught: {fault}"], 1) for fault in EARLY),
    ]


LINE = Line("10,000 seeds of 100 transactions and a crash each on simulated files: nothing acknowledged is lost, nothing "
            "damaged is served", ROUNDS, measure, judge)
