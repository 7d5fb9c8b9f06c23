"""How acceptance lines measure: the day's report, pgbench's rate, the disk's bare fdatasync, the echo server."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time

from framework import RELEASE
from harness.server import POSTGRES_BIN, free_port

# PostgreSQL at its best on this load: room in memory, checkpoints out of the way, durable as it is by default.
POSTGRES_OPTIONS = ["-c", "shared_buffers=2GB", "-c", "max_wal_size=16GB", "-c", "checkpoint_timeout=30min",
                    "-c", "synchronous_commit=on"]

# Of a day, on both sides: with 64 both come nearer to their best than with 16 or 32, since a commit waits for its group.
DAY_CONNECTIONS = 64


def day(server, context, *arguments):
    """Plays `bench day` and returns its report; the status of a day that broke a rule is left to the report."""
    report = context.work / "day.json"
    report.unlink(missing_ok=True)
    subprocess.run([RELEASE / "bench_day", "--url", server.url, "--json", report, "--quiet", *map(str, arguments)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    return json.loads(report.read_text())


def pgbench(server, *arguments):
    """Runs pgbench against a server; it must end well."""
    url = server if isinstance(server, str) else server.url
    result = subprocess.run([POSTGRES_BIN / "pgbench", *map(str, arguments), url], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0 or "aborted" in result.stdout:
        raise RuntimeError(f"pgbench {arguments} failed:\n{result.stdout}")
    return result.stdout


def pgbench_tps(server, clients, mode, seconds, *arguments):
    output = pgbench(server, "-c", clients, "-j", 2, "-M", mode, "-T", seconds, *arguments)
    rate = re.search(r"tps = ([\d.]+) \(without initial connection time\)", output)
    if not rate:
        raise RuntimeError(f"pgbench told no rate:\n{output}")
    return float(rate[1])


@contextlib.contextmanager
def echo_server():
    """The echo server, listening; its URL. It answers each message at once, so it is the ceiling of the framing."""
    port = free_port()
    process = subprocess.Popen([RELEASE / "echo_server", "--port", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"postgresql://wandian@127.0.0.1:{port}/wandian"
    finally:
        process.kill()
        process.wait()


def fdatasync_p99_ms(directory, seconds=10):
    """p99 of a bare loop that appends 4 KiB to a preallocated file and syncs it."""
    path = directory / "fdatasync.probe"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(file, 0, 256 << 20)
        os.fsync(file)
        block, offset, times = b"\xa5" * 4096, 0, []
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            os.pwrite(file, block, offset)
            os.fdatasync(file)
            times.append(time.monotonic() - begun)
            offset = (offset + 4096) % (256 << 20)
    finally:
        os.close(file)
        path.unlink()
    return sorted(times)[int(len(times) * 0.99)] * 1000
