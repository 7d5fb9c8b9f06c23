#!/usr/bin/python3
"""asyncpg: everything in binary, prepared statements, a pool, transactions, cursors, COPY, errors."""

import asyncio
import datetime
import decimal
import sys
import uuid

import asyncpg

from cases import Cases

case = Cases("asyncpg")
TABLE = "client_asyncpg"


@case
async def connects_and_knows_the_server(db):
    assert db.get_server_version().major == 15
    assert db.get_settings().server_encoding == "UTF8"


@case
async def parameters_of_every_common_type_come_back_in_binary(db):
    for name, value in (
            ("bool", True), ("int2", -5), ("int4", 7), ("int8", 2**40), ("numeric", decimal.Decimal("-12.340")),
            ("numeric", decimal.Decimal("123456789012345678901234567890.000001")), ("float4", 1.5), ("float8", 2.25),
            ("text", "万店"), ("varchar", "v"), ("bytea", b"\x00\xff"), ("date", datetime.date(2024, 2, 29)),
            ("time", datetime.time(23, 59, 59, 123456)), ("timestamp", datetime.datetime(1999, 12, 31, 23, 59, 59, 999999)),
            ("timestamptz", datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)),
            ("interval", datetime.timedelta(days=3, seconds=5, microseconds=7)),
            ("uuid", uuid.UUID("12345678-1234-5678-1234-567812345678")), ("jsonb", '{"a": [1, 2]}'), ("json", "[1]"),
            ("int4[]", [1, None, 3]), ("text[]", ["a", "b,c", None]), ("int8[]", [[1, 2], [3, 4]])):
        got = await db.fetchval(f"SELECT $1::{name}", value)
        assert got == value, (name, value, got)
        assert await db.fetchval(f"SELECT $1::{name}", None) is None


@case
async def rows_are_written_and_read(db):
    await db.execute(f"DROP TABLE IF EXISTS {TABLE}")
    await db.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.00)")
    await db.executemany(f"INSERT INTO {TABLE} (id, name) VALUES ($1, $2)", [(i, f"item {i}") for i in range(1000)])
    assert await db.execute(f"UPDATE {TABLE} SET price = 2 WHERE id < $1", 10) == "UPDATE 10"
    row = await db.fetchrow(f"SELECT count(*) AS n, sum(price) AS total FROM {TABLE}")
    assert (row["n"], row["total"]) == (1000, decimal.Decimal("1010.00"))


@case
async def prepared_statements_describe_themselves(db):
    statement = await db.prepare(f"SELECT id, name FROM {TABLE} WHERE id = $1")
    assert [p.name for p in statement.get_parameters()] == ["int4"]
    assert [(a.name, a.type.name) for a in statement.get_attributes()] == [("id", "int4"), ("name", "text")]
    assert [await statement.fetchval(i, column=1) for i in range(20)] == [f"item {i}" for i in range(20)]


@case
async def transactions_commit_roll_back_and_nest(db):
    async with db.transaction(isolation="repeatable_read"):
        await db.execute(f"INSERT INTO {TABLE} VALUES (5000, 'kept', 1)")
        inner = db.transaction()
        await inner.start()
        await db.execute(f"DELETE FROM {TABLE}")
        await inner.rollback()
    assert await db.fetchval(f"SELECT count(*) FROM {TABLE}") == 1001


@case
async def cursors_fetch_in_parts(db):
    async with db.transaction():
        found = [row["id"] async for row in db.cursor(f"SELECT id FROM {TABLE} WHERE id < 1000 ORDER BY id", prefetch=37)]
        assert found == list(range(1000))
        cursor = await db.cursor(f"SELECT id FROM {TABLE} ORDER BY id")
        assert await cursor.forward(10) == 10
        assert (await cursor.fetchrow())["id"] == 10


@case
async def errors_carry_their_sqlstate_and_fields(db):
    await case.refused_async("23505", db.execute(f"INSERT INTO {TABLE} VALUES (1, 'again')"))
    await case.refused_async("42P01", db.fetch("SELECT * FROM no_such_table WHERE id = $1", 1))
    await case.refused_async("22012", db.fetch("SELECT 1 / $1::int", 0))
    try:
        await db.execute(f"INSERT INTO {TABLE} VALUES ($1, $2)", 1, "again")
    except asyncpg.UniqueViolationError as error:
        assert error.constraint_name == f"{TABLE}_pkey" and error.detail == "Key (id)=(1) already exists."
    await case.refused_async("23502", db.executemany(
        f"INSERT INTO {TABLE} (id, name) VALUES ($1, $2)", [(6000, "undone"), (6001, None)]))
    assert await db.fetchval(f"SELECT count(*) FROM {TABLE} WHERE id >= 6000") == 0


@case
async def copy_goes_in_and_out(db):
    await db.execute(f"TRUNCATE {TABLE}")
    records = [(i, f"name {i}", decimal.Decimal(i)) for i in range(2000)]
    assert await db.copy_records_to_table(TABLE, records=records, columns=["id", "name", "price"]) == "COPY 2000"
    chunks = []

    async def take(chunk):
        chunks.append(chunk)
    await db.copy_from_query(f"SELECT id, name FROM {TABLE} WHERE id < $1 ORDER BY id", 2, output=take, format="csv")
    assert b"".join(chunks) == b"0,name 0\n1,name 1\n"


@case
async def a_pool_serves_many_tasks(db):
    async with asyncpg.create_pool(URL, min_size=2, max_size=8) as pool:
        got = await asyncio.gather(*(pool.fetchval(f"SELECT id FROM {TABLE} WHERE id = $1", i) for i in range(200)))
    assert got == list(range(200))


@case
async def a_slow_query_is_cancelled(db):
    try:
        await db.fetchval("SELECT pg_sleep(20)", timeout=0.2)
    except asyncio.TimeoutError:
        pass
    else:
        raise AssertionError("it was not cancelled")
    assert await db.fetchval("SELECT 1") == 1


@case
async def listeners_are_called(db):
    came = asyncio.Queue()
    sender = await asyncpg.connect(URL)
    try:
        await db.add_listener("client_asyncpg", lambda connection, pid, channel, payload: came.put_nowait((pid, channel, payload)))
        await sender.execute("SELECT pg_notify('client_asyncpg', $1)", "from another")
        assert await asyncio.wait_for(came.get(), 10) == (sender.get_server_pid(), "client_asyncpg", "from another")
        async with db.transaction():
            await db.execute("NOTIFY client_asyncpg, 'own'")
            assert came.empty()
        assert await asyncio.wait_for(came.get(), 10) == (db.get_server_pid(), "client_asyncpg", "own")
        assert await db.fetch("SELECT pg_listening_channels()") == [("client_asyncpg",)]
    finally:
        await db.reset()
        await sender.close()
    assert await db.fetch("SELECT pg_listening_channels()") == []


@case
async def types_that_users_made_are_found_and_coded(db):
    await db.execute(f"DROP TYPE IF EXISTS {TABLE}_pair, {TABLE}_mood, {TABLE}_positive CASCADE")
    await db.execute(f"CREATE TYPE {TABLE}_mood AS ENUM ('sad', 'ok')")
    await db.execute(f"CREATE DOMAIN {TABLE}_positive AS int CHECK (VALUE > 0)")
    await db.execute(f"CREATE TYPE {TABLE}_pair AS (number {TABLE}_positive, mood {TABLE}_mood, words text[])")
    assert await db.fetchval(f"SELECT $1::{TABLE}_mood", "ok") == "ok"
    assert await db.fetchval(f"SELECT $1::{TABLE}_mood[]", ["ok", None, "sad"]) == ["ok", None, "sad"]
    assert await db.fetchval(f"SELECT $1::{TABLE}_positive", 5) == 5
    pair = await db.fetchval(f"SELECT $1::{TABLE}_pair", (7, "sad", ["a", None]))
    assert tuple(pair) == (7, "sad", ["a", None]) and pair["mood"] == "sad", pair
    pairs = await db.fetchval(f"SELECT $1::{TABLE}_pair[]", [(7, "sad", None), None])
    assert tuple(pairs[0]) == (7, "sad", None) and pairs[1] is None
    try:
        await db.fetchval(f"SELECT $1::{TABLE}_positive", -5)
        raise AssertionError("accepted")
    except asyncpg.CheckViolationError as error:
        assert error.constraint_name == f"{TABLE}_positive_check", error.constraint_name
    await db.set_type_codec(f"{TABLE}_mood", encoder=lambda mood: mood[::-1], decoder=lambda label: label[::-1], format="text")
    assert await db.fetchval(f"SELECT $1::{TABLE}_mood", "ko") == "ko"
    types = {t["name"]: t for t in [dict(r) for r in await db.fetch(
        "SELECT typname AS name, typtype::text AS kind, typarray <> 0 AS has_array FROM pg_type WHERE typname LIKE $1", f"{TABLE}\\_%")]}
    assert (types[f"{TABLE}_mood"]["kind"], types[f"{TABLE}_pair"]["kind"], types[f"{TABLE}_positive"]["kind"]) == ("e", "c", "d"), types
    await db.execute(f"DROP TYPE {TABLE}_pair, {TABLE}_mood, {TABLE}_positive CASCADE")


@case
async def the_table_goes(db):
    await db.execute(f"DROP TABLE {TABLE}")


async def main():
    db = await asyncpg.connect(URL)
    try:
        return await case.run_async(db)
    finally:
        await db.close()


if __name__ == "__main__":
    URL = case.url()
    sys.exit(asyncio.run(main()))
