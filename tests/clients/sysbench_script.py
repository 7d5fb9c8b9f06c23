#!/usr/bin/python3
"""sysbench, unmodified: its tables are made, its point selects, read-only and read-write transactions run for a second each."""

import re
import shutil
import subprocess
import sys
from urllib.parse import unquote, urlsplit

from cases import Cases

case = Cases("sysbench")
SIZE = ("--tables=2", "--table-size=2000", "--threads=4", "--time=1")


def sysbench(connection, script, command):
    done = subprocess.run([shutil.which("sysbench"), script, *connection, *SIZE, command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "FATAL" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def runs(script, least):
    def play(connection):
        out = sysbench(connection, script, "run")
        assert int(re.search(r"transactions:\s+(\d+)", out)[1]) >= least, out
    play.__name__ = f"{script}_runs"
    return play


@case
def tables_are_made(connection):
    sysbench(connection, "oltp_read_write", "cleanup")
    assert "Creating a secondary index on 'sbtest2'" in sysbench(connection, "oltp_read_write", "prepare")


for name, least in (("oltp_point_select", 100), ("oltp_read_only", 10), ("oltp_read_write", 5), ("oltp_update_index", 10), ("oltp_delete", 10), ("oltp_insert", 10),
                    ("select_random_points", 10), ("select_random_ranges", 10)):
    case(runs(name, least))


@case
def tables_go(connection):
    sysbench(connection, "oltp_read_write", "cleanup")


def main():
    url = urlsplit(case.url())
    connection = ["--db-driver=pgsql", f"--pgsql-host={url.hostname}", f"--pgsql-port={url.port}", f"--pgsql-user={unquote(url.username)}",
                  f"--pgsql-password={unquote(url.password or '')}", f"--pgsql-db={url.path[1:]}"]
    return case.run(connection)


if __name__ == "__main__":
    sys.exit(main())
