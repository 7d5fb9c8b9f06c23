#!/usr/bin/python3
"""Locks by several connections: advisory locks, table locks and savepoints, deadlocks with their details, timeouts."""

import re
import sys
import threading
import time

import psycopg

from cases import Cases

case = Cases("locks")
TABLE = "client_locks"


class Waiting:
    """A statement at work on another thread; `result()` waits for its end and raises what it raised."""

    def __init__(self, db, sql):
        self.error = self.rows = None

        def run():
            try:
                cursor = db.execute(sql)
                self.rows = cursor.fetchall() if cursor.description else None
            except Exception as error:
                self.error = error
        self.thread = threading.Thread(target=run)
        self.thread.start()
        time.sleep(0.15)

    @property
    def waits(self):
        return self.thread.is_alive()

    def result(self):
        self.thread.join(20)
        assert not self.thread.is_alive(), "it still waits"
        if self.error:
            raise self.error
        return self.rows


class Notices:
    def __init__(self, db):
        self.texts = []
        db.add_notice_handler(lambda diagnostic: self.texts.append((diagnostic.severity, diagnostic.sqlstate, diagnostic.message_primary)))


def one(db, sql):
    return db.execute(sql).fetchone()[0]


def advisory(db):
    return db.execute("SELECT classid::int8, objid::int8, objsubid, mode, granted FROM pg_locks "
                      "WHERE locktype = 'advisory' ORDER BY 1, 2, 3, 4, 5").fetchall()


@case
def advisory_locks_exclude_other_sessions(a, b, c):
    assert one(a, "SELECT pg_advisory_lock(7)") in ("", None)
    assert one(b, "SELECT pg_try_advisory_lock(7)") is False
    assert one(b, "SELECT pg_try_advisory_lock_shared(7)") is False
    assert one(b, "SELECT pg_try_advisory_lock(0, 7)") is True          # two int4 are another name
    waiting = Waiting(b, "SELECT pg_advisory_lock(7), 1")
    assert waiting.waits
    assert advisory(c) == [(0, 7, 1, "ExclusiveLock", False), (0, 7, 1, "ExclusiveLock", True), (0, 7, 2, "ExclusiveLock", True)]
    assert one(a, "SELECT pg_advisory_unlock(7)") is True
    assert waiting.result()[0][1] == 1
    assert one(a, "SELECT pg_try_advisory_lock(7)") is False
    assert one(b, "SELECT pg_advisory_unlock(7)") is True
    assert one(b, "SELECT pg_advisory_unlock(0, 7)") is True
    assert advisory(c) == []


@case
def keys_are_64_bits_wide(a, b, c):
    one(a, "SELECT pg_advisory_lock(-1)")
    one(a, "SELECT pg_advisory_lock(9223372036854775807)")
    one(a, "SELECT pg_advisory_lock(-2, 3)")
    assert advisory(c) == [(2147483647, 4294967295, 1, "ExclusiveLock", True), (4294967294, 3, 2, "ExclusiveLock", True),
                           (4294967295, 4294967295, 1, "ExclusiveLock", True)]
    a.execute("SELECT pg_advisory_unlock_all()")
    assert advisory(c) == []


@case
def holds_are_counted(a, b, c):
    for _ in range(3):
        one(a, "SELECT pg_advisory_lock(5)")
    one(a, "SELECT pg_advisory_lock_shared(5)")
    for _ in range(3):
        assert one(b, "SELECT pg_try_advisory_lock_shared(5)") is False
        assert one(a, "SELECT pg_advisory_unlock(5)") is True
    assert one(b, "SELECT pg_try_advisory_lock_shared(5)") is True
    assert one(b, "SELECT pg_try_advisory_lock(5)") is False
    assert one(a, "SELECT pg_advisory_unlock_shared(5)") is True
    assert one(b, "SELECT pg_try_advisory_lock(5)") is True
    one(b, "SELECT pg_advisory_unlock_all()")


@case
def unlocking_what_is_not_held_warns(a, b, c):
    notices = Notices(a)
    assert one(a, "SELECT pg_advisory_unlock(1)") is False
    assert one(a, "SELECT pg_advisory_unlock_shared(1, 2)") is False
    one(a, "SELECT pg_advisory_xact_lock(1)")
    assert one(a, "SELECT pg_advisory_unlock(1)") is False
    warning = ("WARNING", "01000", "you don't own a lock of type ExclusiveLock")
    assert notices.texts == [warning, ("WARNING", "01000", "you don't own a lock of type ShareLock"), warning], notices.texts


@case
def locks_of_a_transaction_end_with_it(a, b, c):
    for end in ("COMMIT", "ROLLBACK"):
        a.execute("BEGIN")
        one(a, "SELECT pg_advisory_xact_lock(11)")
        assert one(b, "SELECT pg_try_advisory_xact_lock(11)") is False
        waiting = Waiting(b, "SELECT pg_advisory_xact_lock(11)")
        assert waiting.waits
        a.execute(end)
        waiting.result()
        assert advisory(c) == []
    a.execute("BEGIN")
    one(a, "SELECT pg_advisory_xact_lock_shared(11)")
    Cases.refused("22012", lambda: a.execute("SELECT 1/0"))
    assert one(b, "SELECT pg_try_advisory_lock(11)") is True      # a failed block holds nothing
    a.execute("ROLLBACK")
    one(b, "SELECT pg_advisory_unlock(11)")


@case
def locks_of_a_savepoint_end_with_it(a, b, c):
    a.execute("BEGIN")
    one(a, "SELECT pg_advisory_xact_lock(1)")
    a.execute("SAVEPOINT s")
    one(a, "SELECT pg_advisory_xact_lock(1)")
    one(a, "SELECT pg_advisory_xact_lock(2)")
    one(a, "SELECT pg_advisory_lock(3)")
    a.execute("ROLLBACK TO s")
    assert [row[1] for row in advisory(c)] == [1, 3]
    a.execute("ROLLBACK")
    assert [row[1] for row in advisory(c)] == [3]
    one(a, "SELECT pg_advisory_unlock(3)")


@case
def waiters_go_on_in_their_order(a, b, c):
    one(a, "SELECT pg_advisory_lock(20)")
    first = Waiting(b, "SELECT pg_advisory_lock(20)")
    second = Waiting(c, "SELECT pg_advisory_lock_shared(20)")
    one(a, "SELECT pg_advisory_unlock(20)")
    first.result()
    time.sleep(0.1)
    assert second.waits
    one(b, "SELECT pg_advisory_unlock(20)")
    second.result()
    one(c, "SELECT pg_advisory_unlock_all()")


@case
def what_a_lock_guards_is_seen_by_its_next_holder(a, b, c):
    a.execute(f"UPDATE {TABLE} SET n = 0")
    threads = []

    def add(db):
        for _ in range(100):
            db.execute("SELECT pg_advisory_lock(30)")
            n = one(db, f"SELECT n FROM {TABLE} WHERE id = 1")
            db.execute(f"UPDATE {TABLE} SET n = {n + 1} WHERE id = 1")
            db.execute("SELECT pg_advisory_unlock(30)")
    for db in (a, b, c):
        threads.append(threading.Thread(target=add, args=(db,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert one(a, f"SELECT n FROM {TABLE} WHERE id = 1") == 300


@case
def waiting_ends_by_timeout_and_cancel(a, b, c):
    one(a, "SELECT pg_advisory_lock(40)")
    b.execute("SET lock_timeout = 50")
    Cases.refused("55P03", lambda: b.execute("SELECT pg_advisory_lock(40)"))
    b.execute("SET lock_timeout = 0")
    b.execute("SET statement_timeout = 50")
    Cases.refused("57014", lambda: b.execute("SELECT pg_advisory_lock(40)"))
    b.execute("SET statement_timeout = 0")
    waiting = Waiting(b, "SELECT pg_advisory_lock(40)")
    b.cancel()
    Cases.refused("57014", waiting.result)
    one(a, "SELECT pg_advisory_unlock(40)")
    assert advisory(c) == []


@case
def the_end_of_a_session_frees_its_locks(a, b, c):
    with psycopg.connect(case.url(), autocommit=True) as other:
        one(other, "SELECT pg_advisory_lock(50)")
        waiting = Waiting(b, "SELECT pg_advisory_lock(50)")
        assert waiting.waits
    waiting.result()
    b.execute("DISCARD ALL")
    assert advisory(c) == []


def let_go(db):
    """Of everything, locks of the session too: either of the two may have been chosen."""
    db.execute("ROLLBACK")
    db.execute("SELECT pg_advisory_unlock_all()")


def deadlock(first, second, sql_of_first, sql_of_second):
    """Both wait for each other; gives the error of the one that was chosen, and lets both end."""
    one_waits = Waiting(first, sql_of_first)
    other_waits = Waiting(second, sql_of_second)
    errors = []
    for db, waiting in ((first, one_waits), (second, other_waits)):
        try:
            if not errors:
                waiting.thread.join(0.1)
            if not waiting.waits and waiting.error:
                raise waiting.error
        except psycopg.Error as error:
            errors.append(error)
            let_go(db)
    while not errors:
        for db, waiting in ((first, one_waits), (second, other_waits)):
            if not waiting.waits and waiting.error and not errors:
                errors.append(waiting.error)
                let_go(db)
        time.sleep(0.02)
    for db, waiting in ((first, one_waits), (second, other_waits)):
        waiting.thread.join(10)
        assert not waiting.waits
        db.execute("ROLLBACK")
    return errors[0]


@case
def deadlocks_say_who_waits_for_what(a, b, c):
    pids = {str(a.info.backend_pid), str(b.info.backend_pid)}
    oid = one(a, f"SELECT '{TABLE}'::regclass::oid::int8")
    database = one(a, "SELECT oid::int8 FROM pg_database WHERE datname = current_database()")
    cases = [
        (f"UPDATE {TABLE} SET n = 1 WHERE id = 1", f"UPDATE {TABLE} SET n = 1 WHERE id = 2", r"ShareLock on transaction \d+"),
        ("SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_xact_lock(2)",
         rf"ExclusiveLock on advisory lock \[{database},0,[12],1\]"),
        (f"LOCK TABLE {TABLE} IN SHARE MODE", f"LOCK TABLE {TABLE}_2 IN SHARE MODE", None),
    ]
    for mine, yours, what in cases:
        a.execute("BEGIN")
        b.execute("BEGIN")
        a.execute(mine)
        b.execute(yours)
        if what is None:
            what = rf"ExclusiveLock on relation \d+ of database {database}"
            yours, mine = yours.replace("SHARE", "EXCLUSIVE"), mine.replace("SHARE", "EXCLUSIVE")
        error = deadlock(a, b, yours, mine)
        assert error.sqlstate == "40P01" and error.diag.message_primary == "deadlock detected", error
        lines = error.diag.message_detail.split("\n")
        assert len(lines) == 2, lines
        for line in lines:
            found = re.fullmatch(rf"Process (\d+) waits for {what}; blocked by process (\d+)\.", line)
            assert found and {found[1], found[2]} == pids, line
        assert error.diag.message_hint == "See server log for query details."
    assert oid > 0


@case
def a_row_and_an_advisory_lock_can_deadlock(a, b, c):
    one(a, "SELECT pg_advisory_lock(60)")        # of the session, not of the transaction
    a.execute("BEGIN")
    b.execute("BEGIN")
    b.execute(f"UPDATE {TABLE} SET n = 1 WHERE id = 1")
    error = deadlock(b, a, "SELECT pg_advisory_xact_lock(60)", f"UPDATE {TABLE} SET n = 2 WHERE id = 1")
    assert error.sqlstate == "40P01", error
    a.execute("SELECT pg_advisory_unlock_all()")


@case
def table_locks_of_a_savepoint_end_with_it(a, b, c):
    a.execute("BEGIN")
    a.execute(f"SELECT * FROM {TABLE}")
    a.execute("SAVEPOINT s")
    a.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
    waiting = Waiting(b, f"SELECT count(*) FROM {TABLE}")
    assert waiting.waits
    a.execute("ROLLBACK TO s")
    assert waiting.result() == [(3,)]
    Cases.refused("55P03", lambda: b.execute(f"BEGIN; LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE NOWAIT"))
    b.execute("ROLLBACK")
    a.execute("ROLLBACK")
    b.execute(f"BEGIN; LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE NOWAIT")
    b.execute("ROLLBACK")


@case
def row_locks_of_a_savepoint_end_with_it(a, b, c):
    a.execute("BEGIN")
    a.execute("SAVEPOINT s")
    a.execute(f"SELECT * FROM {TABLE} WHERE id = 1 FOR UPDATE")
    a.execute(f"UPDATE {TABLE} SET n = 3 WHERE id = 2")
    waiting = Waiting(b, f"UPDATE {TABLE} SET n = 4 WHERE id IN (1, 2)")
    assert waiting.waits
    a.execute("ROLLBACK TO s")
    waiting.result()
    a.execute("COMMIT")


@case
def a_commit_that_has_to_wait_may_be_an_extended_statement(a, b, c):
    a.execute(f"DROP TABLE IF EXISTS {TABLE}_3")
    for commit in ("COMMIT", "COMMIT AND CHAIN"):
        a.execute("BEGIN", prepare=True)
        a.execute(f"CREATE TABLE {TABLE}_3 (a int)", prepare=False)
        a.execute(commit, prepare=True)
        if commit != "COMMIT":
            a.execute("COMMIT")
        a.execute(f"DROP TABLE {TABLE}_3")


def enabled(db):
    return int(one(db, "SHOW max_prepared_transactions")) > 0


def gids(db):
    return [row[0] for row in db.execute("SELECT gid FROM pg_prepared_xacts ORDER BY 1")]


@case
def prepared_transactions_keep_their_locks_until_their_outcome(a, b, c):
    if not enabled(a):
        a.execute("BEGIN")
        Cases.refused("55000", lambda: a.execute("PREPARE TRANSACTION 'x'"))
        a.execute("ROLLBACK")
        return
    a.execute(f"UPDATE {TABLE} SET n = 0")
    for outcome, n in (("COMMIT", 5), ("ROLLBACK", 5)):
        a.execute("BEGIN")
        a.execute(f"UPDATE {TABLE} SET n = n + 5 WHERE id = 1")
        a.execute(f"SELECT 1 FROM {TABLE} WHERE id = 2 FOR UPDATE")
        a.execute(f"INSERT INTO {TABLE} VALUES (9, 9)")
        a.execute("PREPARE TRANSACTION 'client locks'")
        assert gids(b) == ["client locks"]
        Cases.refused("55P03", lambda: b.execute(f"SELECT 1 FROM {TABLE} WHERE id = 2 FOR UPDATE NOWAIT"))
        Cases.refused("42710", lambda: b.execute("BEGIN; PREPARE TRANSACTION 'client locks'"))
        b.execute("ROLLBACK")
        waiting = Waiting(b, f"UPDATE {TABLE} SET n = n WHERE id = 1 RETURNING n")
        assert waiting.waits
        c.execute(f"{outcome} PREPARED 'client locks'")
        assert waiting.result() == [(n,)], outcome
        assert gids(b) == []
        assert one(c, f"SELECT count(*) FROM {TABLE} WHERE id = 9") == (1 if outcome == "COMMIT" else 0)
        c.execute(f"DELETE FROM {TABLE} WHERE id = 9")


@case
def prepared_transactions_are_refused_as_postgresql_refuses_them(a, b, c):
    Cases.refused("42704" if enabled(a) else "42704", lambda: a.execute("COMMIT PREPARED 'nothing'"))
    Cases.refused("25001", lambda: a.execute("BEGIN; COMMIT PREPARED 'nothing'"))
    a.execute("ROLLBACK")
    if not enabled(a):
        return
    a.execute("BEGIN")
    Cases.refused("22023", lambda: a.execute(f"PREPARE TRANSACTION '{'x' * 300}'"))
    assert a.info.transaction_status.name == "IDLE"
    a.execute("BEGIN")
    a.execute("DECLARE c CURSOR WITH HOLD FOR SELECT 1")
    Cases.refused("0A000", lambda: a.execute("PREPARE TRANSACTION 'x'"))
    a.execute("BEGIN")
    a.execute("LISTEN x")
    Cases.refused("0A000", lambda: a.execute("PREPARE TRANSACTION 'x'"))
    a.execute("BEGIN")
    a.execute("CREATE TEMP TABLE client_locks_temp (a int)")
    Cases.refused("0A000", lambda: a.execute("PREPARE TRANSACTION 'x'"))
    a.execute("BEGIN")
    Cases.refused("22012", lambda: a.execute("SELECT 1/0"))
    assert a.execute("PREPARE TRANSACTION 'x'").statusmessage == "ROLLBACK"
    assert gids(a) == []


@case
def rows_that_changed_are_asked_again(db, other, _):
    """Beside a sub-select, behind a partial index, and in a join."""
    db.execute(f"DROP TABLE IF EXISTS {TABLE}_queues, {TABLE}_jobs")
    db.execute(f"CREATE TABLE {TABLE}_queues (id int PRIMARY KEY, open bool)")
    db.execute(f"CREATE TABLE {TABLE}_jobs (id int PRIMARY KEY, at int, queue int, taken bool DEFAULT false, free bool GENERATED ALWAYS AS (NOT taken) STORED)")
    db.execute(f"CREATE INDEX ON {TABLE}_jobs (at) WHERE free = true")
    db.execute(f"INSERT INTO {TABLE}_queues VALUES (1, true)")
    some = f"(queue IS NULL OR queue IN (SELECT id FROM {TABLE}_queues WHERE open FOR UPDATE SKIP LOCKED))"
    for sql in (f"SELECT id FROM {TABLE}_jobs WHERE free = true AND {some} ORDER BY at LIMIT 1 FOR UPDATE",
                f"WITH j AS (SELECT id FROM {TABLE}_jobs WHERE free = true AND {some} ORDER BY at LIMIT 1 FOR UPDATE) "
                f"UPDATE {TABLE}_jobs SET taken = true FROM j WHERE {TABLE}_jobs.id = j.id RETURNING {TABLE}_jobs.id",
                f"SELECT j.id FROM {TABLE}_jobs j JOIN {TABLE}_queues q ON NOT j.taken AND q.id = 1 ORDER BY at LIMIT 1 FOR UPDATE OF j"):
        db.execute(f"TRUNCATE {TABLE}_jobs")
        db.execute(f"INSERT INTO {TABLE}_jobs (id, at) SELECT i, i FROM generate_series(1, 5) i")
        with db.transaction():
            db.execute(f"UPDATE {TABLE}_jobs SET taken = true WHERE id = 1")
            waiting = Waiting(other, sql)
            assert waiting.waits
        assert waiting.result() == [(2,)], (sql, waiting.rows)
    db.execute(f"DROP TABLE {TABLE}_queues, {TABLE}_jobs")


def main():
    url = case.url()
    connections = [psycopg.connect(url, autocommit=True) for _ in range(3)]
    setup = connections[0]
    for name in (TABLE, TABLE + "_2"):
        setup.execute(f"DROP TABLE IF EXISTS {name}")
        setup.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)")
        setup.execute(f"INSERT INTO {name} VALUES (1, 0), (2, 0), (3, 0)")
    status = case.run(*connections)
    setup.execute(f"DROP TABLE {TABLE}, {TABLE}_2")
    return status


if __name__ == "__main__":
    sys.exit(main())
