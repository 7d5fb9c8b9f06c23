#!/usr/bin/python3
"""pg_dump, pg_restore and pg_dumpall of PostgreSQL 15 against a server: dump_script.py --url postgresql://...

What is dumped here restores into PostgreSQL and the other way round, definition for definition and row for row. The PostgreSQL beside
the server is one of its own, as the tests' harness starts it. dump/everything.sql has a definition of every kind and a value of
every type; bench/postgres/hotdog.sql is the chain's schema.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

import psycopg
import psycopg.sql

from cases import Cases

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.server import Postgres  # noqa: E402

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
EVERYTHING = ROOT / "tests" / "clients" / "dump" / "everything.sql"
HOTDOG = ROOT / "bench" / "postgres" / "hotdog.sql"
SCHEMAS = {"everything": ["dump_one", "dump_two"], "hotdog": ["dump_hotdog"]}

case = Cases("dump")


def run(tool, *arguments, stdin=None):
    result = subprocess.run([BIN / tool, *map(str, arguments)], input=stdin, text=True, capture_output=True, timeout=120,
                            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    if result.returncode != 0:
        raise AssertionError(f"{tool} failed with {result.returncode}:\n{result.stderr[-3000:]}")
    return result.stdout


def dump(url, schemas, *options):
    return run("pg_dump", "-d", url, *[word for schema in schemas for word in ("-n", schema)], *options)


def restore(url, text):
    run("psql", "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=text)


def drop(url, schemas):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET client_min_messages = error")
        for schema in schemas:
            db.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def fill(url, what):
    drop(url, SCHEMAS[what])
    if what == "everything":
        return restore(url, EVERYTHING.read_text())
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE SCHEMA dump_hotdog")
    # Its names are those of the search path.
    restore(url, "SET search_path = dump_hotdog;\n" + HOTDOG.read_text())


def definitions(text):
    """The statements of a plain dump without rows, as a sorted list: OIDs decide on the order of equals."""
    text = re.sub(r"^(COPY .*? FROM stdin;)\n.*?^\\\.$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"OWNER TO \w+", "OWNER TO somebody", text)
    return sorted(part.strip() for part in re.split(r"\n\n+", text) if part.strip())


def rows(url, schemas):
    """Every row of every table and materialized view, and where the sequences stand."""
    out = {}
    with psycopg.connect(url, autocommit=True) as db:
        relations = db.execute(
            "SELECT c.oid::regclass::text, c.relkind, c.relispopulated FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'm', 'S') ORDER BY 1", (schemas,)).fetchall()
        for name, kind, populated in relations:
            if kind == "S":
                out[name] = db.execute(f"SELECT last_value, is_called FROM {name}").fetchall()
            elif populated:
                with db.cursor().copy(f"COPY (SELECT * FROM {name}) TO STDOUT") as copy:
                    out[name] = sorted(b"".join(copy).decode().splitlines())
    return out


def assert_equal(left, right, what):
    if left == right:
        return
    if isinstance(left, dict):
        left, right = sorted(map(str, left.items())), sorted(map(str, right.items()))
    only = [f"- {item}" for item in left if item not in right] + [f"+ {item}" for item in right if item not in left]
    raise AssertionError(f"{what} differ:\n" + "\n".join(only[:20]))


class Pair:
    """The server under test and a PostgreSQL."""
    here = there = None


def assert_same(what):
    schemas = SCHEMAS[what]
    assert_equal(rows(Pair.here, schemas), rows(Pair.there, schemas), "rows")
    assert_equal(definitions(dump(Pair.here, schemas, "--schema-only")), definitions(dump(Pair.there, schemas, "--schema-only")), "definitions")


@contextlib.contextmanager
def filled(source, target, what):
    """Has the source filled, and the target empty."""
    fill(source, what)
    drop(target, SCHEMAS[what])
    try:
        yield SCHEMAS[what]
    finally:
        drop(source, SCHEMAS[what])
        drop(target, SCHEMAS[what])


def both_ways(function):
    """Makes two cases of one: from here to PostgreSQL, and from PostgreSQL to here."""
    def outward():
        function(Pair.here, Pair.there)

    def inward():
        function(Pair.there, Pair.here)
    outward.__name__, inward.__name__ = f"{function.__name__}_into_postgresql", f"{function.__name__}_from_postgresql"
    case(outward)
    case(inward)
    return function


@both_ways
def plain(source, target):
    with filled(source, target, "everything") as schemas:
        restore(target, dump(source, schemas))
        assert_same("everything")


@both_ways
def hotdog(source, target):
    with filled(source, target, "hotdog") as schemas:
        restore(target, dump(source, schemas))
        assert_same("hotdog")


@both_ways
def inserts(source, target):
    with filled(source, target, "everything") as schemas:
        restore(target, dump(source, schemas, "--inserts"))
        assert_same("everything")


@both_ways
def column_inserts_in_several_rows(source, target):
    with filled(source, target, "everything") as schemas:
        restore(target, dump(source, schemas, "--column-inserts", "--rows-per-insert=3"))
        assert_same("everything")


@both_ways
def schema_then_data(source, target):
    with filled(source, target, "everything") as schemas:
        restore(target, dump(source, schemas, "--section=pre-data"))
        restore(target, dump(source, schemas, "--section=data"))
        restore(target, dump(source, schemas, "--section=post-data"))
        assert_same("everything")


@both_ways
def custom_format_by_two_jobs(source, target):
    with filled(source, target, "everything") as schemas, tempfile.TemporaryDirectory() as work:
        archive = os.path.join(work, "dump")
        dump(source, schemas, "-Fc", "-f", archive)
        assert "MATERIALIZED VIEW" in run("pg_restore", "-l", archive)
        run("pg_restore", "-j2", "--exit-on-error", "-d", target, archive)
        assert_same("everything")


@both_ways
def directory_format(source, target):
    with filled(source, target, "everything") as schemas, tempfile.TemporaryDirectory() as work:
        archive = os.path.join(work, "dump")
        dump(source, schemas, "-Fd", "-f", archive)
        run("pg_restore", "--exit-on-error", "--single-transaction", "-d", target, archive)
        assert_same("everything")


@both_ways
def clean_and_create_again(source, target):
    with filled(source, target, "everything") as schemas:
        text = dump(source, schemas, "--clean", "--if-exists")
        restore(target, text)
        restore(target, text)
        assert_same("everything")


@case
def restored_here_again():
    schemas = SCHEMAS["everything"]
    fill(Pair.here, "everything")
    before, text = rows(Pair.here, schemas), dump(Pair.here, schemas)
    drop(Pair.here, schemas)
    restore(Pair.here, text)
    assert_equal(rows(Pair.here, schemas), before, "rows")
    assert_equal(definitions(dump(Pair.here, schemas)), definitions(text), "definitions")
    drop(Pair.here, schemas)


@case
def one_table():
    fill(Pair.here, "everything")
    text = run("pg_dump", "-d", Pair.here, "-t", "dump_one.notes", "--no-owner")
    assert "CREATE TABLE dump_one.notes" in text and "CREATE TABLE dump_one.parents" not in text
    assert "COPY dump_one.notes (id, body, made, kind) FROM stdin" in text, "generated columns are not dumped"
    drop(Pair.here, SCHEMAS["everything"])


@case
def whole_database():
    fill(Pair.here, "everything")
    text = run("pg_dump", "-d", Pair.here, "--create")
    assert "CREATE MATERIALIZED VIEW dump_one.totals" in text
    drop(Pair.here, SCHEMAS["everything"])


@case
def globals_only():
    text = run("pg_dumpall", "-d", Pair.here, "--globals-only")
    assert "CREATE ROLE" in text, text


def as_same_user(there, here):
    """The URL with the other's user, who owns what is dumped."""
    user = urlsplit(here).username
    with psycopg.connect(there, autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone():
            db.execute(psycopg.sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(psycopg.sql.Identifier(user)))
    parts = urlsplit(there)
    return parts._replace(netloc=f"{user}@{parts.hostname}:{parts.port}").geturl()


def main():
    Pair.here = Cases.url()
    with tempfile.TemporaryDirectory(prefix="wandian-dump-") as work:
        os.chmod(work, 0o711)   # PostgreSQL's user must pass through
        cluster = pathlib.Path(work) / "postgres"
        cluster.mkdir()
        postgres = Postgres(cluster)
        postgres.start()
        try:
            Pair.there = as_same_user(postgres.url, Pair.here)
            return case.run()
        finally:
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
