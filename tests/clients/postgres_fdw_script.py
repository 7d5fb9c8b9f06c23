#!/usr/bin/python3
"""postgres_fdw: a PostgreSQL of its own imports a schema of the server at --url and reads, joins and writes through it."""

import decimal
import os
import pathlib
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import server as servers  # noqa: E402

sys.path.insert(0, str(HERE))
from cases import Cases  # noqa: E402

case = Cases("postgres_fdw")
SCHEMA = "client_postgres_fdw"


@case
def a_schema_is_imported(local, remote, options):
    remote.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    remote.execute(f"CREATE SCHEMA {SCHEMA}")
    remote.execute(f"CREATE TABLE {SCHEMA}.stores (id int PRIMARY KEY, name varchar(40) NOT NULL COLLATE \"C\", tags text[], opened date DEFAULT '2024-01-01')")
    remote.execute(f"CREATE TABLE {SCHEMA}.orders (id bigint PRIMARY KEY, store int NOT NULL, total numeric(10,2), at timestamptz, data jsonb)")
    remote.execute(f"CREATE TABLE {SCHEMA}.doubles (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)")
    remote.execute(f"CREATE VIEW {SCHEMA}.totals AS SELECT store, sum(total) AS total FROM {SCHEMA}.orders GROUP BY store")
    remote.execute(f"INSERT INTO {SCHEMA}.stores SELECT i, 'store ' || i, ARRAY['a', i::text] FROM generate_series(1, 50) i")
    remote.execute(f"INSERT INTO {SCHEMA}.orders (id, store, total, at, data) SELECT i, 1 + i % 50, i / 4.0, '2024-02-29 12:00+00', json_build_object('i', i) FROM generate_series(1, 5000) i")
    local.execute("CREATE EXTENSION postgres_fdw")
    settings = ", ".join(f"{key} '{value}'" for key, value in options["server"].items())
    local.execute(f"CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({settings}, fetch_size '300', extensions '')")
    mapping = ", ".join(f"{key} '{value}'" for key, value in options["user"].items())
    local.execute(f"CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS ({mapping})")
    local.execute(f"IMPORT FOREIGN SCHEMA {SCHEMA} LIMIT TO (stores, totals) FROM SERVER far INTO public OPTIONS (import_default 'true')")
    local.execute(f"IMPORT FOREIGN SCHEMA {SCHEMA} EXCEPT (stores, totals) FROM SERVER far INTO public")
    columns = local.execute("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'stores'::regclass AND attnum > 0 "
                            "ORDER BY attnum").fetchall()
    assert columns == [("id", "integer", True), ("name", "character varying(40)", True), ("tags", "text[]", False), ("opened", "date", False)], columns
    assert local.execute("SELECT column_default FROM information_schema.columns WHERE table_name = 'stores' AND column_name = 'opened'").fetchone() \
        == ("'2024-01-01'::date",)


@case
def rows_are_read_with_conditions_joins_and_aggregates(local, remote, options):
    assert local.execute("SELECT count(*) FROM orders").fetchone() == (5000,)
    assert local.execute("SELECT name, tags FROM stores WHERE id = 7").fetchone() == ("store 7", ["a", "7"])
    assert local.execute("SELECT id, total, data ->> 'i' FROM orders WHERE total > 1249 AND at < now() ORDER BY id").fetchall() \
        == [(n, decimal.Decimal(n) / 4, str(n)) for n in (4997, 4998, 4999, 5000)]
    joined = local.execute("SELECT s.name, count(*), max(o.total) FROM stores s JOIN orders o ON o.store = s.id WHERE s.id < 3 GROUP BY s.name ORDER BY 1").fetchall()
    assert joined == [("store 1", 100, decimal.Decimal("1250.00")), ("store 2", 100, decimal.Decimal("1237.75"))], joined
    assert local.execute("SELECT total FROM totals WHERE store = 1").fetchone() == (decimal.Decimal("63125.00"),)
    assert local.execute("SELECT id FROM orders ORDER BY total DESC, id LIMIT 2 OFFSET 1").fetchall() == [(4999,), (4998,)]
    assert local.execute("SELECT count(*) FROM orders a WHERE EXISTS (SELECT 1 FROM orders b WHERE b.id = a.id + 4999)").fetchone() == (1,)
    assert local.execute("SELECT id FROM stores WHERE name LIKE 'store 1_' AND id = ANY(ARRAY[11, 12, 99]) ORDER BY id").fetchall() == [(11,), (12,)]
    plan = "\n".join(row[0] for row in local.execute("EXPLAIN (VERBOSE) SELECT s.name, o.id FROM stores s JOIN orders o ON o.store = s.id WHERE o.total > 10"))
    assert "Foreign Scan" in plan, plan


@case
def the_servers_own_estimates_are_used(local, remote, options):
    local.execute("ALTER SERVER far OPTIONS (ADD use_remote_estimate 'true')")
    assert local.execute("SELECT count(*) FROM stores s JOIN orders o ON o.store = s.id WHERE s.id = 3").fetchone() == (100,)
    local.execute("ALTER SERVER far OPTIONS (DROP use_remote_estimate)")
    local.execute("ANALYZE stores, orders")
    assert local.execute("SELECT reltuples::int FROM pg_class WHERE relname = 'orders'").fetchone() == (5000,)


@case
def rows_are_written(local, remote, options):
    with local.cursor() as cursor:
        cursor.execute("INSERT INTO stores (id, name) SELECT i, 'new ' || i FROM generate_series(100, 199) i")
        assert cursor.rowcount == 100
    assert local.execute("INSERT INTO orders (id, store, total) VALUES (6000, 1, 5) RETURNING id, at").fetchone() == (6000, None)
    assert local.execute("INSERT INTO doubles (id) VALUES (21) RETURNING twice").fetchone() == (42,)
    assert local.execute("UPDATE stores SET name = upper(name) WHERE id >= 190 RETURNING id").rowcount == 10
    assert local.execute("UPDATE orders o SET total = o.total + 1 FROM stores s WHERE s.id = o.store AND s.id = 50").rowcount == 100
    assert local.execute("DELETE FROM stores WHERE id BETWEEN 100 AND 149").rowcount == 50
    assert local.execute("INSERT INTO stores (id, name) VALUES (150, 'again') ON CONFLICT DO NOTHING").rowcount == 0
    local.execute("ALTER SERVER far OPTIONS (ADD batch_size '50')")
    local.execute("INSERT INTO stores (id, name) SELECT i, 'batch ' || i FROM generate_series(1000, 1199) i")
    assert remote.execute(f"SELECT count(*), count(*) FILTER (WHERE name LIKE 'NEW%') FROM {SCHEMA}.stores").fetchone() == (300, 10)
    with local.cursor().copy("COPY stores (id, name) FROM STDIN") as copy:
        for i in range(2000, 2100):
            copy.write_row((i, f"copied {i}"))
    assert remote.execute(f"SELECT count(*) FROM {SCHEMA}.stores WHERE id >= 2000").fetchone() == (100,)


@case
def transactions_span_both(local, remote, options):
    with local.transaction(force_rollback=True):
        local.execute("DELETE FROM orders")
        assert local.execute("SELECT count(*) FROM orders").fetchone() == (0,)
        assert remote.execute(f"SELECT count(*) FROM {SCHEMA}.orders").fetchone() == (5001,)
    with local.transaction():
        local.execute("UPDATE stores SET name = 'kept' WHERE id = 1")
        try:
            with local.transaction():
                local.execute("UPDATE stores SET name = 'dropped' WHERE id = 2")
                raise KeyError
        except KeyError:
            pass
        local.execute("SELECT * FROM stores WHERE id = 3 FOR UPDATE")
    assert local.execute("SELECT name FROM stores WHERE id IN (1, 2) ORDER BY id").fetchall() == [("kept",), ("store 2",)]


@case
def errors_come_through(local, remote, options):
    case.refused("23505", lambda: local.execute("INSERT INTO stores (id, name) VALUES (1, 'again')"))
    case.refused("22012", lambda: local.execute("SELECT 1 / (id - 1) FROM stores"))
    remote.execute(f"DROP TABLE {SCHEMA}.orders CASCADE")
    case.refused("42P01", lambda: local.execute("SELECT * FROM orders"))


@case
def all_goes(local, remote, options):
    local.execute("DROP SERVER far CASCADE")
    remote.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def main():
    url = urlsplit(case.url())
    query = dict(parse_qsl(url.query))
    options = {"server": {"host": url.hostname, "port": str(url.port), "dbname": url.path[1:]} | ({"sslmode": query["sslmode"]} if "sslmode" in query else {}),
               "user": {"user": unquote(url.username)} | ({"password": unquote(url.password)} if url.password else {})}
    with servers.work_dir("postgres-fdw") as work:
        server = servers.Postgres(work)
        os.environ["HOME"] = str(work)        # its libpq looks there for certificates, as the user that it runs as
        server.start()
        try:
            with psycopg.connect(server.url, autocommit=True) as local, psycopg.connect(case.url(), autocommit=True) as remote:
                return case.run(local, remote, options)
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
