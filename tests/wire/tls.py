#!/usr/bin/python3
"""TLS through the wire: tls.py [--preset release] [--only NAME]

Makes an authority and certificates with openssl, starts a server with passwords and TLS, and asks it with libpq in every sslmode, by
hand (what comes before the handshake, ALPN, cancel requests), with and without client certificates, and with the drivers of
tests/clients, whose whole scripts run encrypted. Ends with "N passed, N failed".
"""

import pathlib
import re
import signal
import socket
import ssl
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
SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)


class Authority:
    """A certificate authority and what it signs, as files."""

    def __init__(self, work, name):
        self.work, self.name = work, name
        self.certificate, self.key = work / f"{name}.crt", work / f"{name}.key"
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out",
                 self.certificate)

    @staticmethod
    def run(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def sign(self, name, subject, names=""):
        certificate, key, request, extensions = (self.work / f"{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        extensions.write_text(f"subjectAltName={names}\n" if names else "")
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        self.run("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "2", "-extfile",
                 extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key


class World:
    def __init__(self, work, binary):
        self.work, self.binary = work, binary
        self.authority, self.stranger = Authority(work, "authority"), Authority(work, "stranger")
        self.certificate, self.key = self.authority.sign("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1")
        self.client, self.client_key = self.authority.sign("client", "/O=Store/CN=wandian")
        self.unknown, self.unknown_key = self.stranger.sign("unknown", "/CN=wandian")
        self.server = None

    def start(self, *settings, tls=True):
        """A server of these settings, in place of the one that runs."""
        self.stop()
        given = [f"ssl_cert_file={self.certificate}", f"ssl_key_file={self.key}"]
        options = [f"--set={setting}" for setting in (["ssl=on", *given] if tls else []) + list(settings)]
        self.server = servers.Wandian(self.work, binary=self.binary, options=options, password=PASSWORD)
        self.server.start()
        return self.server

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None

    def dsn(self, host="localhost", **options):
        options = {"host": host, "port": self.server.port, "user": "wandian", "dbname": "wandian", "password": PASSWORD, "gssencmode": "disable",
                   "sslcert": "", "sslkey": "", "sslrootcert": "", "connect_timeout": 10} | options
        return " ".join(f"{name}='{value}'" for name, value in options.items())

    def connect(self, **options):
        return psycopg.connect(self.dsn(**options), autocommit=True)

    def used(self, **options):
        """Whether the connection that these options make is encrypted, as the server and libpq say."""
        with self.connect(**options) as db:
            there = db.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()[0]
            assert there == bool(db.pgconn.ssl_in_use)
            return there

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)


case = Cases("tls")


def refused(words, call):
    try:
        call()
    except psycopg.OperationalError as error:
        assert words in str(error), f"{words!r} expected: {error}"
        return
    raise AssertionError(f"{words!r} expected, but it was accepted")


@case
def every_sslmode_does_what_it_says(world):
    world.start()
    root = {"sslrootcert": world.authority.certificate}
    assert not world.used(sslmode="disable")
    assert not world.used(sslmode="allow")
    for mode in ("prefer", "require"):
        assert world.used(sslmode=mode)
    for mode in ("verify-ca", "verify-full"):
        assert world.used(sslmode=mode, **root)
        refused("certificate verify failed", lambda mode=mode: world.connect(sslmode=mode, sslrootcert=world.stranger.certificate))
    assert world.used(sslmode="verify-full", host="127.0.0.1", **root)
    world.start(f"ssl_cert_file={world.client}", f"ssl_key_file={world.client_key}")     # a certificate for no host
    assert world.used(sslmode="verify-ca", **root)
    refused("does not match host name", lambda: world.connect(sslmode="verify-full", **root))


@case
def psql_says_what_it_uses(world):
    world.start()
    for mode, words in (("disable", ""), ("require", "SSL connection (protocol: TLSv1.3"), ("verify-full", "SSL connection (protocol: TLSv1.3")):
        out = subprocess.run(["psql", "-X", world.dsn(sslmode=mode, sslrootcert=world.authority.certificate), "-c", "\\conninfo"],
                             capture_output=True, text=True, check=True).stdout
        assert words in out and ("SSL" in out) == bool(words), out


@case
def without_tls_it_says_so(world):
    world.start(tls=False)
    for mode in ("disable", "allow", "prefer"):
        assert not world.used(sslmode=mode)
    refused("server does not support SSL", lambda: world.connect(sslmode="require"))
    with world.raw() as client:
        client.sendall(GSS_REQUEST)
        assert client.recv(1) == b"N"
        client.sendall(SSL_REQUEST)
        assert client.recv(1) == b"N"
    with world.connect(sslmode="disable") as db:
        assert db.execute("SHOW ssl").fetchone() == ("off",)


@case
def passwords_are_bound_to_the_channel(world):
    world.start()
    with world.connect(sslmode="require", channel_binding="require") as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    with world.connect(sslmode="require", channel_binding="disable") as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    refused("channel binding required", lambda: world.connect(sslmode="disable", channel_binding="require"))
    refused("password authentication failed", lambda: world.connect(sslmode="require", channel_binding="require", password="guess"))
    for digest, name in (("sha512", "long"), ("sha1", "short")):      # the hash follows the signature's, but is never a weak one
        Authority.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", f"-{digest}", "-subj", "/CN=localhost", "-keyout",
                      world.work / f"{name}.key", "-out", world.work / f"{name}.crt")
        (world.work / f"{name}.key").chmod(0o600)
        world.start(f"ssl_cert_file={world.work / name}.crt", f"ssl_key_file={world.work / name}.key", "ssl_ciphers=DEFAULT@SECLEVEL=0")
        assert world.used(sslmode="require", channel_binding="require"), digest


@case
def versions_have_their_limits(world):
    world.start("ssl_max_protocol_version=TLSv1.2")
    with world.connect(sslmode="require") as db:
        version, cipher, bits, subject = db.execute(
            "SELECT version, cipher, bits, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert version == "TLSv1.2" and bits >= 128 and cipher and subject is None
    refused("", lambda: world.connect(sslmode="require", ssl_min_protocol_version="TLSv1.3"))
    world.start("ssl_min_protocol_version=TLSv1.3")
    refused("", lambda: world.connect(sslmode="require", ssl_max_protocol_version="TLSv1.2"))
    assert world.used(sslmode="require")


@case
def what_precedes_the_handshake_is_refused(world):
    world.start()
    startup = b"\x00\x03\x00\x00user\0wandian\0\0"
    startup = struct.pack("!I", len(startup) + 4) + startup
    with world.raw() as client:
        client.sendall(SSL_REQUEST + startup)
        answer = client.recv(4096)
        while piece := client.recv(4096):
            answer += piece
        assert b"received unencrypted data after SSL request" in answer and b"S" != answer[:1], answer
    with world.raw() as client:                      # GSSENCRequest first, as libpq with a ticket does
        client.sendall(GSS_REQUEST)
        assert client.recv(1) == b"N"
        client.sendall(SSL_REQUEST)
        assert client.recv(1) == b"S"
        context = ssl._create_unverified_context()
        with context.wrap_socket(client) as inside:
            inside.sendall(startup)
            assert inside.recv(1) == b"R"
    with world.raw() as client:                      # a second request inside is no request any more
        client.sendall(SSL_REQUEST)
        assert client.recv(1) == b"S"
        with ssl._create_unverified_context().wrap_socket(client) as inside:
            inside.sendall(SSL_REQUEST)
            assert b"unsupported frontend protocol" in inside.recv(4096)
    with world.raw() as client:
        client.sendall(SSL_REQUEST)
        assert client.recv(1) == b"S"
        client.sendall(b"this is no handshake at all")
        assert client.recv(4096)[:1] in (b"", b"\x15")
    assert world.used(sslmode="require")


@case
def direct_tls_needs_the_protocols_name(world):
    world.start()
    startup = b"\x00\x03\x00\x00user\0wandian\0\0"
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["postgresql"])
    with context.wrap_socket(world.raw()) as inside:
        assert inside.selected_alpn_protocol() == "postgresql"
        inside.sendall(struct.pack("!I", len(startup) + 4) + startup)
        answer = inside.recv(4096)
        assert b"SCRAM-SHA-256-PLUS" in answer
    for protocols in ([], ["http/1.1"]):
        context = ssl._create_unverified_context()
        if protocols:
            context.set_alpn_protocols(protocols)
        try:
            with context.wrap_socket(world.raw()) as inside:
                inside.sendall(struct.pack("!I", len(startup) + 4) + startup)
                assert inside.recv(4096) == b""
        except OSError:
            pass
    world.start(tls=False)
    try:
        with context.wrap_socket(world.raw()):
            raise AssertionError("it was accepted")
    except OSError:
        pass


@case
def statements_are_cancelled(world):
    """By libpq's request, which is plain; the one of asyncpg, in its script below, goes through TLS."""
    world.start()
    with world.connect(sslmode="require") as db:
        threading.Timer(0.3, db.cancel).start()
        begun = time.monotonic()
        try:
            db.execute("SELECT pg_sleep(20)")
        except psycopg.errors.QueryCanceled:
            assert time.monotonic() - begun < 10
        else:
            raise AssertionError("it was not cancelled")


@case
def clients_may_show_certificates(world):
    world.start(f"ssl_ca_file={world.authority.certificate}")
    with world.connect(sslmode="require", sslcert=world.client, sslkey=world.client_key) as db:
        subject, serial, issuer = db.execute(
            "SELECT client_dn, client_serial::text, issuer_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert subject == "/O=Store/CN=wandian" and issuer == "/CN=authority", (subject, issuer)
        text = subprocess.run(["openssl", "x509", "-in", world.client, "-noout", "-serial"], capture_output=True, text=True, check=True).stdout
        assert int(text.strip().split("=")[1], 16) == int(serial)
    assert world.used(sslmode="require")             # none is fine, too
    refused("", lambda: world.connect(sslmode="require", sslcert=world.unknown, sslkey=world.unknown_key))


@case
def renewed_certificates_are_read_again(world):
    world.start()
    root = {"sslrootcert": world.stranger.certificate, "sslmode": "verify-full"}
    refused("certificate verify failed", lambda: world.connect(**root))
    kept = (world.certificate.read_bytes(), world.key.read_bytes())
    certificate, key = world.stranger.sign("renewed", "/CN=localhost", "DNS:localhost")
    with world.connect(sslmode="require") as old:
        try:
            world.certificate.write_bytes(b"broken")
            world.server.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            assert world.used(sslmode="require"), "what cannot be read changes nothing"
            world.certificate.write_bytes(certificate.read_bytes())
            world.key.write_bytes(key.read_bytes())
            world.server.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            assert world.used(**root)
            assert old.execute("SELECT 1").fetchone() == (1,)
        finally:
            world.certificate.write_bytes(kept[0])
            world.key.write_bytes(kept[1])


@case
def it_does_not_start_with_what_is_wrong(world):
    world.stop()
    open_key = world.work / "open.key"
    open_key.write_bytes(world.key.read_bytes())
    open_key.chmod(0o666)
    for settings, words in (((f"ssl_cert_file={world.work}/none.crt",), "could not load server certificate file"),
                            ((f"ssl_key_file={open_key}",), "has group or world access"),
                            ((f"ssl_key_file={world.client_key}",), "could not load private key file|check of private key failed"),
                            ((f"ssl_ca_file={world.work}/none.crt",), "could not load root certificate file"),
                            (("ssl_ciphers=nothing",), "could not set the cipher list"),
                            (("ssl_min_protocol_version=TLSv1.3", "ssl_max_protocol_version=TLSv1.2"), "could not set SSL protocol version range")):
        try:
            world.start(*settings)
        except servers.ServerError:
            assert re.search(words, world.server.log.read_text() if world.server else ""), (settings, world.server.log.read_text())
            world.server = None
        else:
            raise AssertionError(f"it started with {settings}")


@case
def large_answers_and_long_statements_pass(world):
    world.start()
    with world.connect(sslmode="require") as db:
        text = "x" * 5_000_000
        assert db.execute("SELECT %s::text", (text,)).fetchone()[0] == text
        assert len(db.execute("SELECT n, repeat('y', 100) FROM generate_series(1, 100000) n").fetchall()) == 100_000
        db.execute("CREATE TABLE t (n int PRIMARY KEY, v text)")
        with db.cursor().copy("COPY t FROM STDIN") as copy:
            for i in range(50_000):
                copy.write_row((i, "z" * 50))
        with db.pipeline():
            for i in range(5000):
                db.execute("SELECT v FROM t WHERE n = %s", (i,))
        for _ in range(50):                          # records that arrive while others of the same read are being handled
            with db.pipeline():
                for i in range(100):
                    db.execute("SELECT %s::int", (i,))
        assert db.execute("SELECT count(*) FROM t").fetchone() == (50_000,)


@case
def a_client_that_reads_slowly_gets_all_of_it(world):
    world.start()
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["postgresql"])
    with world.connect(sslmode="require") as db:
        db.pgconn.send_query(b"SELECT repeat('y', 1000) FROM generate_series(1, 20000)")
        time.sleep(0.5)
        assert world.used(sslmode="require"), "others are served meanwhile"
        while (result := db.pgconn.get_result()) is not None:
            assert result.ntuples == 20_000


@case
def the_drivers_scripts_run_encrypted(world):
    server = world.start()
    base = f"postgresql://wandian:{PASSWORD}@127.0.0.1:{server.port}/wandian?sslmode="
    for name, mode in (("psycopg3", "require"), ("psycopg2", "require"), ("asyncpg", "require"), ("notifications", "require"), ("jdbc", "require"),
                       ("sqlalchemy", "require"), ("django", "require"), ("node", "no-verify"), ("postgres_js", "require"), ("knex", "no-verify"),
                       ("kysely", "no-verify"), ("drizzle", "no-verify"), ("typeorm", "no-verify"), ("sequelize", "no-verify"),
                       ("libpq", "require"), ("libpqxx", "require"), ("pgx", "require"), ("jdbc_metadata", "require"), ("pgcli", "require"),
                       ("pgbouncer", "require"), ("postgres_fdw", "require")):
        result = subprocess.run([sys.executable, ROOT / "tests" / "clients" / "run", "--url", base + mode, "--only", name],
                                capture_output=True, text=True, timeout=200)
        assert re.search(r"[1-9]\d* passed, 0 failed\s*$", result.stdout), (name, result.stdout[-3000:])


def main():
    options = case.options(__doc__)
    with servers.work_dir("tls") as work:
        world = World(work, ROOT / "build" / options.preset / "wandian")
        try:
            passed, failed = case.run(options.only, world)
            world.stop()
        finally:
            if world.server:
                world.server.kill()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
