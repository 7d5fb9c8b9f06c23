#!/usr/bin/python3
"""PgBouncer in transaction mode before the server at --url: transactions share connections, settings of one stay with it, COPY, cancel, errors."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness.server import free_port, log_tail  # noqa: E402

sys.path.insert(0, str(HERE))
from cases import Cases  # noqa: E402

case = Cases("pgbouncer")
TABLE = "client_pgbouncer"


class Bouncer:
    """It does not run as root, so root hands it to `nobody`."""

    def __init__(self, work, url):
        parts = urlsplit(url)
        self.user, self.database, self.port, self.log = unquote(parts.username), parts.path[1:], free_port(), work / "log"
        password = f"password='{unquote(parts.password)}'" if parts.password else ""
        tls = f"server_tls_sslmode = {dict(parse_qsl(parts.query))['sslmode']}" if "sslmode" in parts.query else ""
        (work / "bouncer.ini").write_text(f"""
[databases]
{self.database} = host={parts.hostname} port={parts.port} dbname={self.database} user='{self.user}' {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
server_reset_query = DISCARD ALL
server_reset_query_always = 1
logfile = {self.log}
pidfile =
{tls}
""")
        command = [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", str(work / "bouncer.ini")]
        if os.geteuid() == 0:
            for path in (work, *work.iterdir()):
                shutil.chown(path, "nobody")
            command[1:1] = ["-u", "nobody"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connect(self):
        for _ in range(100):
            try:
                return psycopg.connect(host="127.0.0.1", port=self.port, user=self.user, dbname=self.database, sslmode="disable", autocommit=True, prepare_threshold=None)
            except psycopg.OperationalError as error:
                assert self.process.poll() is None, log_tail(self.log)
                last = error
                time.sleep(0.05)
        raise last


@case
def transactions_share_connections(bouncer):
    with bouncer.connect() as db:
        db.execute(f"DROP TABLE IF EXISTS {TABLE}")
        db.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, n int NOT NULL)")
        db.execute(f"INSERT INTO {TABLE} SELECT i, 0 FROM generate_series(0, 19) i")
    processes, failures = set(), []

    def work(number):
        try:
            with bouncer.connect() as db:
                for i in range(10):
                    with db.transaction():
                        db.execute(f"UPDATE {TABLE} SET n = n + 1 WHERE id = %s", ((number + i) % 20,))
                        processes.add(db.execute("SELECT pg_backend_pid()").fetchone()[0])
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert 1 <= len(processes) <= 4, processes
    with bouncer.connect() as db:
        assert db.execute(f"SELECT sum(n) FROM {TABLE}").fetchone() == (200,)


@case
def settings_end_with_their_transaction(bouncer):
    with bouncer.connect() as db, bouncer.connect() as other:
        with db.transaction():
            db.execute("SET LOCAL statement_timeout = '7s'; SET LOCAL TimeZone = 'Asia/Shanghai'")
            assert db.execute("SHOW statement_timeout").fetchone() == ("7s",)
        for each in (db, other):
            assert each.execute("SHOW statement_timeout").fetchone() == ("0",)
        db.execute("CREATE TEMPORARY TABLE gone (a int)")       # DISCARD ALL drops it with the end of the transaction
        assert any(other.execute("SELECT to_regclass('pg_temp.gone')").fetchone() == (None,) or time.sleep(0.05) for _ in range(100))
        db.execute("SELECT pg_advisory_lock(4711)")             # it is let go behind the answer
        assert any(other.execute("SELECT pg_try_advisory_lock(4711)").fetchone() == (True,) or time.sleep(0.05) for _ in range(100))


@case
def tracked_parameters_follow_the_client(bouncer):
    with bouncer.connect() as db, bouncer.connect() as other:
        db.execute("SET application_name = 'one'")
        other.execute("SET application_name = 'other'")
        for _ in range(3):
            assert db.execute("SHOW application_name").fetchone() == ("one",)
            assert other.execute("SHOW application_name").fetchone() == ("other",)


@case
def copy_pipelines_and_errors_pass(bouncer):
    with bouncer.connect() as db:
        with db.cursor().copy(f"COPY {TABLE} FROM STDIN") as copy:
            for i in range(1000, 3000):
                copy.write_row((i, 0))
        with db.cursor().copy(f"COPY (SELECT id FROM {TABLE} WHERE id >= 1000 ORDER BY id) TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == 2000
        with db.pipeline():
            results = [db.execute(f"SELECT id FROM {TABLE} WHERE id = %s", (i,)) for i in range(1000, 1200)]
        assert [r.fetchone()[0] for r in results] == list(range(1000, 1200))
        case.refused("22012", lambda: db.execute("SELECT 1/0"))
        assert db.execute("SELECT 1").fetchone() == (1,)


@case
def cancel_requests_pass(bouncer):
    with bouncer.connect() as db:
        threading.Timer(0.2, db.cancel).start()
        case.refused("57014", lambda: db.execute("SELECT pg_sleep(20)"))
        assert db.execute("SELECT 1").fetchone() == (1,)


@case
def the_table_goes(bouncer):
    with bouncer.connect() as db:
        db.execute(f"DROP TABLE {TABLE}")


def main():
    with tempfile.TemporaryDirectory(prefix="wandian-bouncer-") as work:
        bouncer = Bouncer(pathlib.Path(work), case.url())
        try:
            return case.run(bouncer)
        finally:
            bouncer.process.terminate()
            bouncer.process.wait(timeout=20)


if __name__ == "__main__":
    sys.exit(main())
