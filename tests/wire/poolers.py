#!/usr/bin/python3
"""What stands between clients and servers: poolers.py [--preset release] [--only NAME]

PgBouncer in transaction mode, which looks passwords up with auth_query; HAProxy, whose check is a startup packet without more; and
clients that ask for newer protocols than there are here. Each runs against a server of its own, with passwords. Ends with
"N passed, N failed".
"""

import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness import server as servers  # noqa: E402
from harness.cases import Cases  # noqa: E402

PASSWORD = "opensesame"


class WithPasswords(servers.Wandian):
    def connect(self, user="wandian", password=PASSWORD, **options):
        return psycopg.connect(host="127.0.0.1", port=self.port, user=user, password=password, dbname="wandian", autocommit=True, **options)


class Bouncer:
    """PgBouncer in front of a server. It does not run as root, so root hands it to `nobody`."""

    def __init__(self, work, server):
        self.work, self.port = work / "bouncer", servers.free_port()
        self.work.mkdir()
        (self.work / "users.txt").write_text(f'"wandian" "{PASSWORD}"\n')
        (self.work / "bouncer.ini").write_text(f"""
[databases]
wandian = host=127.0.0.1 port={server.port} dbname=wandian
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.work}/users.txt
auth_user = wandian
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
server_check_delay = 0
server_check_query = select 1
logfile = {self.work}/bouncer.log
pidfile =
""")
        command = [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", str(self.work / "bouncer.ini")]
        if os.geteuid() == 0:
            for path in (self.work, *self.work.iterdir()):
                shutil.chown(path, "nobody")
            command[1:1] = ["-u", "nobody"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("pgbouncer did not start: " + servers.log_tail(self.work / "bouncer.log"))

    def connect(self, user="wandian", password=PASSWORD, **options):
        return psycopg.connect(host="127.0.0.1", port=self.port, user=user, password=password, dbname="wandian", autocommit=True,
                               prepare_threshold=None, **options)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


case = Cases("poolers")


@case
def pgbouncer_looks_passwords_up(world):
    server, bouncer = world
    with server.connect() as db:
        db.execute("DROP ROLE IF EXISTS teller")
        db.execute("CREATE ROLE teller LOGIN PASSWORD 'secret'")
    with bouncer.connect("teller", "secret") as db:
        assert db.execute("SELECT current_user, session_user").fetchone() == ("teller", "teller")
    for user, password in (("teller", "guess"), ("nobody", "secret")):
        try:
            bouncer.connect(user, password).close()
        except psycopg.OperationalError as error:
            assert "authentication failed" in str(error) or "no such user" in str(error), error
        else:
            raise AssertionError("it was let in")


@case
def pgbouncer_shares_connections_between_transactions(world):
    server, bouncer = world
    with bouncer.connect() as db:
        db.execute("DROP TABLE IF EXISTS counters")
        db.execute("CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)")
        db.execute("INSERT INTO counters SELECT i, 0 FROM generate_series(0, 19) i")
    processes, failures = set(), []

    def work(number):
        try:
            with bouncer.connect(application_name=f"client {number}") as db:
                for i in range(20):
                    with db.transaction():
                        db.execute("UPDATE counters SET n = n + 1 WHERE id = %s", ((number + i) % 20,))
                        processes.add(db.execute("SELECT pg_backend_pid()").fetchone()[0])
                        assert db.execute("SHOW application_name").fetchone() == (f"client {number}",)
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert 1 <= len(processes) <= 5, processes      # a pool of four, and one that looked a password up
    with bouncer.connect() as db:
        assert db.execute("SELECT sum(n) FROM counters").fetchone() == (800,)


@case
def pgbouncer_passes_errors_copy_and_pipelines(world):
    _, bouncer = world
    with bouncer.connect() as db:
        try:
            db.execute("SELECT 1/0")
        except psycopg.errors.DivisionByZero:
            pass
        with db.cursor().copy("COPY counters FROM STDIN") as copy:
            for i in range(1000, 3000):
                copy.write_row((i, 0))
        with db.cursor().copy("COPY (SELECT id FROM counters WHERE id >= 1000 ORDER BY id) TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == 2000
        with db.pipeline():
            results = [db.execute("SELECT id FROM counters WHERE id = %s", (i,)) for i in range(1000, 1200)]
        assert [r.fetchone()[0] for r in results] == list(range(1000, 1200))
        db.execute("SET TimeZone = 'Asia/Shanghai'")
        assert db.execute("SHOW TimeZone").fetchone() == ("Asia/Shanghai",)
    with bouncer.connect() as db:
        assert db.execute("SHOW TimeZone").fetchone() != ("Asia/Shanghai",)


@case
def pgbouncer_passes_cancel_requests(world):
    _, bouncer = world
    with bouncer.connect() as db:
        threading.Timer(0.3, db.cancel).start()
        begun = time.monotonic()
        try:
            db.execute("SELECT pg_sleep(20)")
        except psycopg.errors.QueryCanceled:
            assert time.monotonic() - begun < 10
        else:
            raise AssertionError("it was not cancelled")
        assert db.execute("SELECT 1").fetchone() == (1,)


@case
def haproxy_sees_the_server_up_and_down(world):
    server, bouncer = world
    work = bouncer.work.parent / "haproxy"
    work.mkdir(exist_ok=True)
    port, dead = servers.free_port(), servers.free_port()
    (work / "haproxy.cfg").write_text(f"""
global
  stats socket {work}/stats level admin
defaults
  mode tcp
  timeout connect 2s
  timeout client 20s
  timeout server 20s
listen databases
  bind 127.0.0.1:{port}
  option pgsql-check user wandian
  server up 127.0.0.1:{server.port} check inter 200ms
  server down 127.0.0.1:{dead} check inter 200ms
""")
    process = subprocess.Popen([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(work / "haproxy.cfg")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def states():
            with socket.socket(socket.AF_UNIX) as stats:
                stats.connect(str(work / "stats"))
                stats.sendall(b"show stat\n")
                text = b"".join(iter(lambda: stats.recv(65536), b"")).decode()
            rows = [line.split(",") for line in text.splitlines() if line]
            return {row[1]: (row[17], row[36]) for row in rows if row[0] == "databases"}
        until, found = time.monotonic() + 20, {}
        while time.monotonic() < until:
            try:
                found = states()
            except OSError:
                found = {}
            if found.get("down", ("",))[0].startswith("DOWN") and found.get("up", ("", ""))[1] == "L7OK":
                break
            time.sleep(0.2)
        assert found["up"] == ("UP", "L7OK") and found["down"][0].startswith("DOWN"), found
        with psycopg.connect(host="127.0.0.1", port=port, user="wandian", password=PASSWORD, dbname="wandian") as db:
            assert db.execute("SELECT 1").fetchone() == (1,)
    finally:
        process.terminate()
        process.wait(timeout=20)


def startup(version, *parameters):
    body = struct.pack("!I", version) + b"".join(part + b"\0" for pair in parameters for part in pair) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


@case
def newer_protocols_are_negotiated_down(world):
    server, _ = world
    user = ((b"user", b"wandian"), (b"database", b"wandian"))
    for version, extra, wanted in (
            (0x30002, (), b"v" + struct.pack("!III", 12, 0x30000, 0)),
            (0x30063, (), b"v" + struct.pack("!III", 12, 0x30000, 0)),
            (0x30000, ((b"_pq_.compression", b"on"), (b"_pq_.x", b"")),
             b"v" + struct.pack("!III", 12 + 24, 0x30000, 2) + b"_pq_.compression\0_pq_.x\0")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(startup(version, *user, *extra))
            answer = b""
            while len(answer) < len(wanted) + 1:
                answer += client.recv(4096)
            assert answer.startswith(wanted) and answer[len(wanted):len(wanted) + 1] == b"R", (version, answer)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(startup(0x40000, *user))
        assert b"unsupported frontend protocol 4.0: server supports 3.0 to 3.0" in client.recv(4096)


def main():
    options = case.options(__doc__)
    with servers.work_dir("poolers") as work:
        server = WithPasswords(work, preset=options.preset, password=PASSWORD)
        server.start()
        bouncer = None
        try:
            bouncer = Bouncer(work, server)
            passed, failed = case.run(options.only, (server, bouncer))
            bouncer.stop()
            bouncer = None
            server.stop()
        finally:
            if bouncer:
                bouncer.process.kill()
            server.kill()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
