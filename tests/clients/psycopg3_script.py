#!/usr/bin/python3
"""psycopg 3: server-side parameters in text and binary, transactions, savepoints, pipelines, COPY, cursors, errors."""

import datetime
import decimal
import sys
import uuid

import psycopg
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo, register_enum
from psycopg.types.json import Jsonb

from cases import Cases

case = Cases("psycopg3")
TABLE = "client_psycopg3"


@case
def connects_and_knows_the_server(db):
    assert db.info.server_version // 10000 == 15
    assert db.info.parameter_status("client_encoding") == "UTF8"
    assert db.info.parameter_status("integer_datetimes") == "on"
    assert db.execute("SELECT 1").fetchone() == (1,)


@case
def parameters_of_every_common_type_come_back(db):
    values = [True, 7, 2**40, decimal.Decimal("12.340"), 1.5, "万店 'quoted' \\ text", b"\x00\xff\x10",
              datetime.date(2024, 2, 29), datetime.time(23, 59, 59, 123456),
              datetime.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=datetime.timezone.utc),
              uuid.UUID("12345678-1234-5678-1234-567812345678"), [1, None, 3], ["a", "b,c", None], None]
    types = ["bool", "int4", "int8", "numeric", "float8", "text", "bytea", "date", "time", "timestamptz", "uuid",
             "int4[]", "text[]", "text"]
    for binary in (False, True):
        for value, name in zip(values, types):
            cursor = db.cursor(binary=binary)
            got = cursor.execute(f"SELECT %{'b' if binary and value is not None else 's'}::{name}", (value,)).fetchone()[0]
            assert got == value, (binary, name, value, got)
    assert db.execute("SELECT %s::jsonb", (Jsonb({"a": [1, 2]}),)).fetchone()[0] == {"a": [1, 2]}
    assert db.execute("SELECT %s::interval", (datetime.timedelta(days=1, seconds=30),)).fetchone()[0] \
        == datetime.timedelta(days=1, seconds=30)


@case
def rows_are_written_and_read(db):
    db.execute(f"DROP TABLE IF EXISTS {TABLE}")
    db.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.00)")
    cursor = db.cursor()
    cursor.executemany(f"INSERT INTO {TABLE} (id, name) VALUES (%s, %s)", [(i, f"item {i}") for i in range(100)])
    assert cursor.rowcount == 100
    got = db.execute(f"UPDATE {TABLE} SET price = price * 2 WHERE id < 10 RETURNING id, price").fetchall()
    assert sorted(got) == [(i, decimal.Decimal("2.00")) for i in range(10)]
    assert db.execute(f"SELECT count(*), sum(price) FROM {TABLE}").fetchone() == (100, decimal.Decimal("110.00"))
    assert [d.name for d in db.execute(f"SELECT * FROM {TABLE} LIMIT 0").description] == ["id", "name", "price"]


@case
def prepared_statements_are_reused(db):
    for i in range(12):
        row = db.execute(f"SELECT name FROM {TABLE} WHERE id = %s", (i,), prepare=True).fetchone()
        assert row == (f"item {i}",)


@case
def transactions_commit_roll_back_and_nest(db):
    with db.transaction():
        db.execute(f"INSERT INTO {TABLE} VALUES (1000, 'kept', 1)")
        try:
            with db.transaction():
                db.execute(f"INSERT INTO {TABLE} VALUES (1001, 'dropped', 1)")
                raise psycopg.Rollback
        except psycopg.Rollback:
            pass
    try:
        with db.transaction():
            db.execute(f"DELETE FROM {TABLE}")
            raise KeyError
    except KeyError:
        pass
    assert db.execute(f"SELECT count(*) FROM {TABLE} WHERE id >= 1000").fetchone() == (1,)


@case
def errors_carry_their_sqlstate_and_fields(db):
    case.refused("23505", lambda: db.execute(f"INSERT INTO {TABLE} VALUES (1, 'again')"))
    case.refused("23502", lambda: db.execute(f"INSERT INTO {TABLE} VALUES (2000, NULL)"))
    case.refused("42P01", lambda: db.execute("SELECT * FROM no_such_table"))
    case.refused("42703", lambda: db.execute(f"SELECT no_such_column FROM {TABLE}"))
    case.refused("42601", lambda: db.execute("SELEC 1"))
    case.refused("22012", lambda: db.execute("SELECT 1 / %s", (0,)))
    case.refused("22P02", lambda: db.execute("SELECT %s::text::int4", ("x",)))
    try:
        db.execute(f"INSERT INTO {TABLE} VALUES (1, 'again')")
    except psycopg.errors.UniqueViolation as error:
        assert error.diag.constraint_name == f"{TABLE}_pkey" and error.diag.table_name == TABLE
        assert error.diag.message_detail == "Key (id)=(1) already exists."
    with db.transaction(force_rollback=True):
        case.refused("42P01", lambda: db.execute("SELECT * FROM no_such_table"))
        case.refused("25P02", lambda: db.execute("SELECT 1"))
    assert db.execute("SELECT 1").fetchone() == (1,)


@case
def a_pipeline_answers_in_order_and_an_error_ends_its_part(db):
    with db.pipeline():
        cursors = [db.execute("SELECT %s::int", (i,)) for i in range(50)]
    assert [c.fetchone()[0] for c in cursors] == list(range(50))

    def broken():
        with db.pipeline():
            db.execute("SELECT 1 / %s", (0,))
            db.execute("SELECT 1")
    case.refused("22012", broken)
    assert db.execute("SELECT 1").fetchone() == (1,)


@case
def copy_goes_in_and_out_in_text_and_binary(db):
    for form in ("", " (FORMAT binary)"):
        db.execute(f"DELETE FROM {TABLE}")
        cursor = db.cursor()
        with cursor.copy(f"COPY {TABLE} (id, name) FROM STDIN{form}") as copy:
            copy.set_types(["int4", "text"])
            for i in range(500):
                copy.write_row((i, f"tab\t{i}\n" if i % 2 else "back\\slash"))
        with cursor.copy(f"COPY (SELECT id, name FROM {TABLE} ORDER BY id) TO STDOUT{form}") as copy:
            copy.set_types(["int4", "text"])
            rows = list(copy.rows())
        assert rows == [(i, f"tab\t{i}\n" if i % 2 else "back\\slash") for i in range(500)], form

    def bad():
        with db.cursor().copy(f"COPY {TABLE} (id, name) FROM STDIN") as copy:
            copy.write("not a number\tx\n")
    case.refused("22P02", bad)
    assert db.execute(f"SELECT count(*) FROM {TABLE}").fetchone() == (500,)


@case
def rows_stream_one_by_one(db):
    assert [r[0] for r in db.cursor().stream(f"SELECT id FROM {TABLE} ORDER BY id")] == list(range(500))


@case
def types_that_users_made_are_registered(db):
    db.execute(f"DROP TYPE IF EXISTS {TABLE}_pair, {TABLE}_mood CASCADE")
    db.execute(f"CREATE TYPE {TABLE}_mood AS ENUM ('sad', 'ok')")
    db.execute(f"CREATE TYPE {TABLE}_pair AS (number int, mood {TABLE}_mood, word text)")
    found = TypeInfo.fetch(db, f"{TABLE}_mood")
    assert found is not None and found.array_oid != 0, found
    mood = EnumInfo.fetch(db, f"{TABLE}_mood")
    assert list(mood.labels) == ["sad", "ok"], mood.labels
    register_enum(mood, db)
    pair = CompositeInfo.fetch(db, f"{TABLE}_pair")
    assert list(pair.field_names) == ["number", "mood", "word"] and pair.field_types[1] == mood.oid, pair
    register_composite(pair, db)
    for binary in (False, True):
        cursor = db.cursor(binary=binary)
        assert cursor.execute(f"SELECT 'ok'::{TABLE}_mood").fetchone()[0].name == "ok"
        assert [m.name for m in cursor.execute(f"SELECT '{{sad,ok}}'::{TABLE}_mood[]").fetchone()[0]] == ["sad", "ok"]
        row = cursor.execute(f"SELECT ROW(7, 'sad', 'a, \"b\"')::{TABLE}_pair").fetchone()[0]
        assert (row.number, row.mood.name, row.word) == (7, "sad", 'a, "b"'), row
        given = cursor.execute(f"SELECT %s::{TABLE}_pair", (pair.python_type(1, mood.enum["ok"], None),)).fetchone()[0]
        assert (given.number, given.mood.name, given.word) == (1, "ok", None), given
    db.execute(f"DROP TYPE {TABLE}_pair, {TABLE}_mood CASCADE")


@case
def the_table_goes(db):
    db.execute(f"DROP TABLE {TABLE}")
    case.refused("42P01", lambda: db.execute(f"SELECT 1 FROM {TABLE}"))


def main():
    with psycopg.connect(case.url(), autocommit=True) as db:
        return case.run(db)


if __name__ == "__main__":
    sys.exit(main())
