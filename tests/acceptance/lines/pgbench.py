"""pgbench unmodified, beside PostgreSQL 15 and the echo server: all built-in scripts in all modes, then the ratios."""

import pathlib

import figures
from framework import Line, at_least, running
from harness import server as servers

# The built-in select-only's statement: the echo server has no table whose size the built-in could ask for.
SELECT = pathlib.Path(__file__).resolve().parents[1] / "select.pgbench"
SCRIPTS, MODES = ("tpcb-like", "simple-update", "select-only"), ("simple", "extended", "prepared")


def database(found, context, kind, work):
    options = figures.POSTGRES_OPTIONS if kind == "postgres" else ()
    with running(servers.make(kind, work, options=options)) as server:
        figures.pgbench(server, "-i", "-q", "-s", 10)
        if kind == "wandian":
            for script in SCRIPTS:
                for mode in MODES:
                    figures.pgbench(server, "-n", "-b", script, "-M", mode, "-c", 4, "-t", 200)
        for clients in (1, 16, 64):
            for script, name in (("select-only", "select"), ("tpcb-like", "tpcb")):
                for mode in ("simple", "prepared"):
                    found[f"{kind}_{name}_{mode}_{clients}"] = figures.pgbench_tps(
                        server, clients, mode, context.count(15), "-n", "-b", script)


def measure(context, number):
    found = {}
    with servers.work_dir("pgbench") as work:
        for kind in ("postgres", "wandian") if number % 2 == 0 else ("wandian", "postgres"):
            (work / kind).mkdir()
            database(found, context, kind, work / kind)
    with figures.echo_server() as url:
        for clients in (16, 64):
            found[f"echo_{clients}"] = figures.pgbench_tps(url, clients, "prepared", context.count(15), "-n", "-f", SELECT)
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
