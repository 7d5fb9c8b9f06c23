"""The scripts of every client, each doing what its tutorial does; the job queues with 10,000 jobs each; pg_dump there and back."""

import re
import subprocess

from framework import PYTHON, ROOT, Line, at_least, equal, running
from harness import server as servers

CLIENTS = ("psql", "libpq", "libpqxx", "psycopg2", "psycopg3", "asyncpg", "SQLAlchemy", "Django", "jdbc", "pgx", "node-postgres", "postgres.js", "knex",
           "kysely", "drizzle", "typeorm", "sequelize", "graphile-worker", "pg-boss", "pgcli", "pgbouncer", "postgres_fdw", "sysbench", "dump")


def measure(context, number):
    with servers.work_dir("clients") as work, running(servers.Wandian(work)) as server:
        output = subprocess.run([PYTHON, ROOT / "tests" / "clients" / "run", "--url", server.url], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True, check=False).stdout
    print(output, end="")
    counts = {f"{client}_{what}": int(count)
              for client, *both in re.findall(r"^(\S+): (\d+) passed, (\d+) failed$", output, re.MULTILINE)
              for what, count in zip(("passed", "failed"), both)}
    total = re.search(r"^(\d+) passed, (\d+) failed\s*\Z", output, re.MULTILINE)
    return counts | {"passed": int(total[1]), "failed": int(total[2])}


def judge(medians, rounds):
    return [equal("cases that failed", rounds[0]["failed"], 0)] + [
        at_least(f"cases of {client} that passed", rounds[0].get(f"{client}_passed", 0), 1)
        for client in CLIENTS]


LINE = Line("every client runs its script, the job queues lose no job and run none twice, pg_dump restores both ways", 1, measure, judge)
