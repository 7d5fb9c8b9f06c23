"""Servers under test: Wandian and, to check the harness itself and to compare, PostgreSQL 15.

Both offer the same few calls: start(), kill() (SIGKILL, as a crash), stop() (clean; raises when it was not), url,
and pids() of what belongs to them. They listen on 127.0.0.1 only and end only processes that they started.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 120
STOP_SECONDS = 60


class ServerError(Exception):
    """A server that did not start, or did not stop cleanly; carries the end of its log."""


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def work_dir(prefix):
    """A directory for one run, removed at the end of a run that raised nothing and kept, with its name printed, else."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"wandian-{prefix}-"))
    path.chmod(0o711)  # PostgreSQL's user must pass through to a cluster below it
    try:
        yield path
    except BaseException:
        print(f"kept {path}", flush=True)
        raise
    shutil.rmtree(path, ignore_errors=True)


def log_tail(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


class Wandian:
    """`wandian serve` on a data directory of its own, below `work`."""

    name = "wandian"
    user = "wandian"

    def __init__(self, work, port=None, preset="release", binary=None, options=(), password=None):
        self.binary = pathlib.Path(binary) if binary else ROOT / "build" / preset / "wandian"
        self.password = password
        self.work = pathlib.Path(work)
        self.port = port or free_port()
        self.options = list(options)
        self.generation = 0
        self.process = None
        self.log = self.work / "server.log"

    @property
    def data_dir(self):
        return self.work / f"data-{self.generation}"

    @property
    def url(self):
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{self.user}"

    def spawn(self, out):
        environment = {k: v for k, v in os.environ.items() if k != "WANDIAN_PASSWORD"} | {"WANDIAN_USER": self.user}
        if self.password:
            environment["WANDIAN_PASSWORD"] = self.password
        with open(out, "wb") as stdout, open(self.log, "ab") as stderr:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data-dir", self.data_dir, "--host", "127.0.0.1", "--port", str(self.port),
                 *(() if self.password else ("--auth", "trust")), *self.options],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, start_new_session=True)

    def start_and_kill(self, after_seconds):
        """Starts the server and kills it before it need be ready: a crash in the midst of recovery."""
        self.spawn(self.work / "server.out")
        time.sleep(after_seconds)
        self.kill()

    def start(self):
        """Starts the server and returns the seconds until it said that it is ready (recovery included)."""
        if not self.binary.exists():
            raise ServerError(f"{self.binary} is not built")
        out = self.work / "server.out"
        begun = time.monotonic()
        self.spawn(out)
        while not any(line.startswith("ready") for line in out.read_text(errors="replace").splitlines()):
            if self.process.poll() is not None:
                raise ServerError(f"the server ended with {self.process.returncode} before it was ready:\n"
                                  f"{log_tail(self.log)}")
            if time.monotonic() - begun > START_SECONDS:
                self.kill()
                raise ServerError(f"the server was not ready within {START_SECONDS} s:\n{log_tail(self.log)}")
            time.sleep(0.005)
        return time.monotonic() - begun

    def pids(self):
        return [self.process.pid] if self.process and self.process.poll() is None else []

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        if not self.process:
            return
        process, self.process = self.process, None
        died = process.poll() is not None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerError(f"the server did not stop within {STOP_SECONDS} s of SIGTERM:\n{log_tail(self.log)}")
        if status != 0 or died:
            when = "before it was asked to stop" if died else "on SIGTERM"
            raise ServerError(f"the server ended {when} with status {status}:\n{log_tail(self.log)}")

    def fresh(self):
        """Stops using the present data directory, which is removed, in favour of a new one."""
        assert not self.process
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.generation += 1

    def create_chain(self, connection):
        connection.execute("CREATE EXTENSION hotdog")


class Postgres(Wandian):
    """PostgreSQL 15 on a cluster of its own; run as the user `postgres` when the caller is root."""

    name = "postgres"
    user = "postgres"

    def __init__(self, work, port=None, options=(), user="postgres"):
        super().__init__(work, port, binary=POSTGRES_BIN / "postgres", options=options)
        self.user = user   # the superuser, with a database of that name
        self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(self.work, "postgres")

    def spawn(self, out):
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.as_user, self.binary, "-D", self.data_dir, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                 "-c", "unix_socket_directories=", "-c", "max_connections=300", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")

    def start(self):
        import psycopg

        if not self.data_dir.exists():
            subprocess.run([*self.as_user, POSTGRES_BIN / "initdb", "-D", self.data_dir, "-A", "trust", "-U", self.user,
                            "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"],
                           check=True, stdout=subprocess.DEVNULL, cwd="/")
        begun = time.monotonic()
        self.spawn(self.work / "server.out")
        while True:
            try:
                with psycopg.connect(f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres", connect_timeout=5, autocommit=True) as db:
                    if not db.execute("SELECT FROM pg_database WHERE datname = %s", [self.user]).rowcount:
                        db.execute(f"CREATE DATABASE {self.user}")
                return time.monotonic() - begun
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() - begun > START_SECONDS:
                    raise ServerError(f"PostgreSQL did not start: {error}\n{log_tail(self.log)}") from error
                time.sleep(0.02)

    def pids(self):
        if not self.process or self.process.poll() is not None:
            return []
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def kill(self):
        if not self.process:
            return
        pids = self.pids()
        self.process.kill()
        for pid in pids[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        while any(os.path.exists(f"/proc/{pid}") for pid in pids[1:]):
            time.sleep(0.005)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown: open sessions are ended
        super().stop()

    def create_chain(self, connection):
        connection.execute((ROOT / "bench" / "postgres" / "hotdog.sql").read_text())


def make(kind, work, **options):
    return {"wandian": Wandian, "postgres": Postgres}[kind](work, **options)
