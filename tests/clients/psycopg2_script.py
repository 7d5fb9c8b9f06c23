#!/usr/bin/python3
"""psycopg2: the simple query protocol with literals, transactions, autocommit, batches, COPY, errors."""

import datetime
import decimal
import io
import sys

import psycopg2
import psycopg2.extras

from cases import Cases

case = Cases("psycopg2")
TABLE = "client_psycopg2"


def one(db, query, arguments=None):
    with db.cursor() as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchone() if cursor.description else None


@case
def connects_and_knows_the_server(db):
    assert db.server_version // 10000 == 15
    assert db.get_parameter_status("standard_conforming_strings") == "on"


@case
def literals_of_common_types_come_back(db):
    values = (True, 7, 2**40, decimal.Decimal("12.340"), "it's 万店 \\ 100%", datetime.date(2024, 2, 29),
              datetime.datetime(2024, 2, 29, 12, 0, 0, 1), [1, 2, 3], None)
    assert one(db, "SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s", values) == values
    assert bytes(one(db, "SELECT %s::bytea", (psycopg2.Binary(b"\x00\xff"),))[0]) == b"\x00\xff"


@case
def many_statements_in_one_query_are_one_transaction(db):
    one(db, f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (id serial PRIMARY KEY, name text, n int)")
    case.refused("22012", lambda: one(db, f"INSERT INTO {TABLE} (name) VALUES ('lost'); SELECT 1 / 0"))
    assert one(db, f"SELECT count(*) FROM {TABLE}") == (0,)


@case
def batches_are_inserted(db):
    with db.cursor() as cursor:
        rows = psycopg2.extras.execute_values(
            cursor, f"INSERT INTO {TABLE} (name, n) VALUES %s RETURNING id", [(f"item {i}", i) for i in range(300)],
            page_size=1000, fetch=True)
        assert len({row[0] for row in rows}) == 300
        psycopg2.extras.execute_batch(cursor, f"UPDATE {TABLE} SET n = n + 1 WHERE n = %s", [(299,), (298,)])
    assert one(db, f"SELECT max(n), count(*) FROM {TABLE}") == (300, 300)


@case
def transactions_commit_and_roll_back(db):
    db.autocommit = False
    try:
        one(db, f"INSERT INTO {TABLE} (name, n) VALUES ('kept', -1)")
        db.commit()
        one(db, f"DELETE FROM {TABLE}")
        db.rollback()
        db.set_session(isolation_level="REPEATABLE READ")
        assert one(db, "SHOW transaction_isolation") == ("repeatable read",)
        db.rollback()
        db.set_session(isolation_level="DEFAULT")
    finally:
        db.rollback()
        db.autocommit = True
    assert one(db, f"SELECT count(*) FROM {TABLE}") == (301,)


@case
def errors_carry_their_sqlstate(db):
    case.refused("23505", lambda: one(db, f"INSERT INTO {TABLE} (id) SELECT min(id) FROM {TABLE}"))
    case.refused("42883", lambda: one(db, "SELECT no_such_function(1)"))
    case.refused("22003", lambda: one(db, "SELECT 2147483647 + 1"))
    assert one(db, "SELECT 1") == (1,)


@case
def copy_goes_in_and_out_in_csv(db):
    with db.cursor() as cursor:
        cursor.copy_expert(f"COPY {TABLE} (id, name, n) FROM STDIN (FORMAT csv, HEADER)",
                           io.StringIO('id,name,n\n10001,"a, ""quoted""",1\n10002,,2\n'))
        out = io.StringIO()
        cursor.copy_expert(f"COPY (SELECT name, n FROM {TABLE} WHERE id > 10000 ORDER BY id) TO STDOUT (FORMAT csv)", out)
    assert out.getvalue() == '"a, ""quoted""",1\n,2\n'


@case
def the_table_goes(db):
    one(db, f"DROP TABLE {TABLE}")


def main():
    db = psycopg2.connect(case.url())
    db.autocommit = True
    try:
        return case.run(db)
    finally:
        db.close()


if __name__ == "__main__":
    sys.exit(main())
