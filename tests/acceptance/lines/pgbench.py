"""pgbench unmodified, beside PostgreSQL 15 and the echo server: all built-in scripts in all modes, then the ratios."""

import contextlib
import pathlib

import figures
from framework import Line, at_least, running
from harness import server as servers

# The built-in select-only's statement: the echo server has no table whose size the built-in could ask for.
SELECT = pathlib.Path(__file__).resolve().parents[1] / "select.pgbench"
TURNS, TURN_SECONDS = 3, 5
SCRIPTS, MODES = ("tpcb-like", "simple-update", "select-only"), ("simple", "extended", "prepared")


def prepare(server, kind, context):
    figures.pgbench(server, "-i", "-q", "-s", 10)
    if kind == "wandian":
        for script in SCRIPTS:
            for mode in MODES:
                figures.pgbench(server, "-n", "-b", script, "-M", mode, "-c", 4, "-t", 200)


def runs(servers_of, echo, script, name, clients):
    """What is compared: name of a figure, whom pgbench calls, mode and the script's arguments."""
    found = [(f"{kind}_{name}_{mode}_{clients}", server, mode, ("-b", script))
             for kind, server in servers_of.items() for mode in ("simple", "prepared")]
    if name == "select" and clients != 1:
        found.append((f"echo_{clients}", echo, "prepared", ("-f", SELECT)))
    return found


def measure(context, number):
    found = {}
    with (servers.work_dir("pgbench") as work, contextlib.ExitStack() as stack):
        of = {}
        for kind in ("postgres", "wandian"):
            (work / kind).mkdir()
            options = figures.POSTGRES_OPTIONS if kind == "postgres" else ()
            of[kind] = stack.enter_context(running(servers.make(kind, work / kind, options=options)))
            prepare(of[kind], kind, context)
        echo = stack.enter_context(figures.echo_server())
        # The machine's speed changes from minute to minute: all are up, and those compared take turns of a few seconds.
        for script, name in (("select-only", "select"), ("tpcb-like", "tpcb")):
            for clients in (1, 16, 64):
                compared = runs(of, echo, script, name, clients)
                for turn in range(TURNS):
                    start = (turn + number) % len(compared)
                    for figure, server, mode, arguments in compared[start:] + compared[:start]:
                        tps = figures.pgbench_tps(server, clients, mode, context.count(TURN_SECONDS), "-n", *arguments)
                        found[figure] = found.get(figure, 0) + tps / TURNS
    for clients in (16, 64):
        found[f"echo_to_postgres_{clients}"] = found[f"echo_{clients}"] / found[f"postgres_select_prepared_{clients}"]
        found[f"select_of_echo_{clients}"] = found[f"wandian_select_prepared_{clients}"] / found[f"echo_{clients}"]
        found[f"tpcb_ratio_{clients}"] = found[f"wandian_tpcb_prepared_{clients}"] / found[f"postgres_tpcb_prepared_{clients}"]
        for name in ("select", "tpcb"):
            found[f"{name}_simple_of_prepared_{clients}"] = (
                found[f"wandian_{name}_simple_{clients}"] / found[f"wandian_{name}_prepared_{clients}"])
    return found


def judge(medians, rounds):
    checks = []
    for clients, bound in ((16, 2.4), (64, 3.8)):
        checks.append(at_least(f"echo server to PostgreSQL's select-only at {clients} clients", medians[f"echo_to_postgres_{clients}"], bound))
    for clients in (16, 64):
        checks += [
            at_least(f"select-only as a share of the echo server at {clients} clients", medians[f"select_of_echo_{clients}"], 0.70),
            at_least(f"times PostgreSQL's TPC-B at {clients} clients", medians[f"tpcb_ratio_{clients}"], 2.5),
            at_least(f"select-only simple to prepared at {clients} clients", medians[f"select_simple_of_prepared_{clients}"], 0.75),
            at_least(f"TPC-B simple to prepared at {clients} clients", medians[f"tpcb_simple_of_prepared_{clients}"], 0.75),
        ]
    return checks


LINE = Line("pgbench unmodified; select-only at 70 % of the echo server, TPC-B at 2.5 times PostgreSQL, simple at 75 % of prepared",
            3, measure, judge)
