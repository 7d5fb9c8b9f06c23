#!/usr/bin/python3
"""LISTEN and NOTIFY over several connections: when, in which order and to whom notifications go (psycopg 3)."""

import select
import sys
import threading
import time
import urllib.parse

import psycopg

from cases import Cases

case = Cases("notifications")


class Connection(psycopg.Connection):
    """Keeps the notifications that come with answers to its statements."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.came = []
        self.add_notify_handler(lambda one: self.came.append((one.channel, one.payload, one.pid)))


def connect(url):
    return Connection.connect(url, autocommit=True)


def heard(db, count, seconds=10):
    """The next notifications of an idle connection, once `count` are there or the time is up: (channel, payload, process)."""
    until = time.monotonic() + seconds
    while True:
        while (one := db.pgconn.notifies()) is not None:
            db.came.append((one.relname.decode(), one.extra.decode(), one.be_pid))
        if len(db.came) >= count or time.monotonic() >= until:
            break
        select.select([db.pgconn.socket], [], [], max(0, min(0.2, until - time.monotonic())))
        db.pgconn.consume_input()
    out, db.came = db.came, []
    return out


def nothing(db, seconds=0.2):
    assert heard(db, 1, seconds) == []


def payloads(db, count):
    return [payload for _, payload, _ in heard(db, count)]


@case
def an_idle_session_hears_at_once(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        sender.execute("NOTIFY a, 'hello'")
        assert heard(listener, 1) == [("a", "hello", sender.info.backend_pid)]
        sender.execute("NOTIFY a")
        sender.execute("SELECT pg_notify('a', NULL), pg_notify('b', 'not listened to')")
        assert heard(listener, 2) == [("a", "", sender.info.backend_pid)] * 2
        nothing(listener)


@case
def the_generator_of_psycopg_yields_them(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        threading.Timer(0.1, lambda: [sender.execute("SELECT pg_notify('a', %s)", (str(i),)) for i in range(5)]).start()
        got = []
        for one in listener.notifies():
            got.append((one.channel, one.payload, one.pid))
            if len(got) == 5:
                break
        assert got == [("a", str(i), sender.info.backend_pid) for i in range(5)]


@case
def own_notifications_come_with_the_answer(url):
    with connect(url) as db:
        db.execute("LISTEN a")
        db.execute("NOTIFY a, 'mine'")
        assert heard(db, 1, 0) == [("a", "mine", db.info.backend_pid)]
        db.execute("BEGIN; LISTEN b; NOTIFY b, 'same transaction'; COMMIT")
        assert heard(db, 1, 0) == [("b", "same transaction", db.info.backend_pid)]
        db.execute("BEGIN; NOTIFY b, 'too late'; UNLISTEN b; COMMIT")
        nothing(db)


@case
def they_leave_at_commit_alone(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        sender.execute("BEGIN")
        sender.execute("NOTIFY a, 'one'")
        nothing(listener)
        sender.execute("COMMIT")
        assert payloads(listener, 1) == ["one"]
        sender.execute("BEGIN; NOTIFY a, 'never'; ROLLBACK")
        nothing(listener)
        case.refused("22012", lambda: sender.execute("SELECT pg_notify('a', 'never'), 1/0"))
        nothing(listener)


@case
def rollback_to_takes_back_what_came_after_it(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        sender.execute("BEGIN; NOTIFY a, '1'; SAVEPOINT s; NOTIFY a, '1'; NOTIFY a, '2'; LISTEN s; ROLLBACK TO s; NOTIFY a, '3';"
                       "SAVEPOINT t; NOTIFY a, '4'; RELEASE t; NOTIFY a, '1'; COMMIT")
        assert payloads(listener, 3) == ["1", "3", "4"]
        assert sender.execute("SELECT pg_listening_channels()").fetchall() == []


@case
def duplicates_of_a_transaction_are_one(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        sender.execute("BEGIN")
        for i in range(100):
            sender.execute("SELECT pg_notify('a', %s)", (str(i % 10),))
        sender.execute("COMMIT")
        assert payloads(listener, 10) == [str(i) for i in range(10)]
        nothing(listener)
        sender.execute("NOTIFY a, 'x'; NOTIFY a, 'x'")      # one implicit transaction
        assert payloads(listener, 1) == ["x"]
        nothing(listener)


@case
def a_listener_in_a_block_hears_when_it_ends(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        listener.execute("BEGIN")
        sender.execute("NOTIFY a, 'waits'")
        listener.execute("SELECT 1")
        nothing(listener)
        listener.execute("ROLLBACK")
        assert heard(listener, 1, 0) == [("a", "waits", sender.info.backend_pid)]


@case
def listening_is_of_the_transaction(url):
    with connect(url) as db, connect(url) as sender:
        def channels():
            return [row[0] for row in db.execute("SELECT pg_listening_channels()")]
        db.execute("BEGIN; LISTEN a; ROLLBACK")
        assert channels() == []
        db.execute("BEGIN; LISTEN a; LISTEN \"B c\"; LISTEN a")
        assert channels() == []
        db.execute("COMMIT")
        assert channels() == ["a", "B c"]
        db.execute("BEGIN; UNLISTEN a; ROLLBACK")
        assert channels() == ["a", "B c"]
        db.execute("UNLISTEN a")
        db.execute("UNLISTEN nobody")
        sender.execute("NOTIFY a, 'no'; NOTIFY \"B c\", 'yes'")
        assert payloads(db, 1) == ["yes"]
        db.execute("UNLISTEN *")
        assert channels() == []
        sender.execute('NOTIFY "B c"')
        nothing(db)
        db.execute("LISTEN a")
        db.execute("DISCARD ALL")
        assert channels() == []


@case
def names_and_payloads_have_their_limits(url):
    with connect(url) as db:
        db.execute("LISTEN a")
        for call in ("pg_notify('', 'x')", "pg_notify(NULL, 'x')", "pg_notify(repeat('c', 64), 'x')", "pg_notify('a', repeat('p', 8000))"):
            case.refused("22023", lambda call=call: db.execute(f"SELECT {call}"))
        case.refused("22023", lambda: db.execute("NOTIFY a, '" + "p" * 8000 + "'"))
        db.execute("SELECT pg_notify(repeat('c', 63), 'x'), pg_notify('a', repeat('万', 2666))")
        assert payloads(db, 1) == ["万" * 2666]
        long = "n" * 70
        db.execute(f"LISTEN {long}")
        db.execute(f"NOTIFY {long}, 'cut'")
        assert heard(db, 1) == [("n" * 63, "cut", db.info.backend_pid)]


@case
def a_read_only_transaction_may_do_both(url):
    with connect(url) as db:
        db.execute("BEGIN READ ONLY; LISTEN a; NOTIFY a, 'read only'; COMMIT")
        assert payloads(db, 1) == ["read only"]


@case
def pipelines_send_at_their_sync(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        with sender.pipeline():
            for i in range(10):
                sender.execute("SELECT pg_notify('a', %s::text)", (i,))
        assert sorted(payloads(listener, 10), key=int) == [str(i) for i in range(10)]


@case
def many_senders_are_heard_in_one_order_by_all(url):
    senders, each = 8, 200
    with connect(url) as first, connect(url) as second, connect(url) as db:
        db.execute("DROP TABLE IF EXISTS client_notify")
        db.execute("CREATE TABLE client_notify (sender int, n int, PRIMARY KEY (sender, n))")
        first.execute("LISTEN orders")
        second.execute("LISTEN orders")

        def send(number):
            with connect(url) as own:
                for i in range(each):
                    own.execute("BEGIN")
                    own.execute("INSERT INTO client_notify VALUES (%s, %s)", (number, i))
                    own.execute("SELECT pg_notify('orders', %s)", (f"{number} {i}",))
                    own.execute("COMMIT")
        threads = [threading.Thread(target=send, args=(i,)) for i in range(senders)]
        for thread in threads:
            thread.start()
        orders = []
        for listener in (first, second):
            orders.append(payloads(listener, senders * each))
        for thread in threads:
            thread.join()
        assert len(orders[0]) == senders * each and orders[0] == orders[1]
        for number in range(senders):
            assert [p for p in orders[0] if p.startswith(f"{number} ")] == [f"{number} {i}" for i in range(each)]
        db.execute("DROP TABLE client_notify")


@case
def what_is_heard_of_can_be_read(url):
    """A snapshot that a listener takes after a notification covers the commit that sent it."""
    with connect(url) as listener, connect(url) as sender:
        sender.execute("DROP TABLE IF EXISTS client_notify")
        sender.execute("CREATE TABLE client_notify (n int PRIMARY KEY)")
        listener.execute("LISTEN a")
        for i in range(300):
            sender.execute("BEGIN")
            sender.execute("INSERT INTO client_notify VALUES (%s)", (i,))
            sender.execute("SELECT pg_notify('a', %s)", (str(i),))
            sender.execute("COMMIT")
            assert payloads(listener, 1) == [str(i)]
            assert listener.execute("SELECT count(*) FROM client_notify WHERE n = %s", (i,)).fetchone() == (1,)
        sender.execute("DROP TABLE client_notify")


@case
def databases_are_apart(url):
    other = urllib.parse.urlparse(url)._replace(path="/postgres").geturl()
    with connect(url) as listener, connect(other) as stranger, connect(other) as sender:
        listener.execute("LISTEN a")
        stranger.execute("LISTEN a")
        sender.execute("NOTIFY a, 'there'")
        assert payloads(stranger, 1) == ["there"]
        nothing(listener)


@case
def a_large_transaction_arrives_whole(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        sender.execute("SELECT count(pg_notify('a', repeat('p', 1000) || n)) FROM generate_series(1, 5000) n")
        got = payloads(listener, 5000)
        assert [p[1000:] for p in got] == [str(i) for i in range(1, 5001)]
        assert sender.execute("SELECT pg_notification_queue_usage()").fetchone() == (0,)


@case
def who_waits_in_a_block_keeps_the_queue(url):
    with connect(url) as listener, connect(url) as sender:
        listener.execute("LISTEN a")
        listener.execute("BEGIN")
        sender.execute("SELECT count(pg_notify('a', repeat('p', 7000) || n)) FROM generate_series(1, 2000) n")
        assert sender.execute("SELECT pg_notification_queue_usage() > 0").fetchone() == (True,)
        listener.execute("COMMIT")
        assert len(heard(listener, 2000)) == 2000
        assert sender.execute("SELECT pg_notification_queue_usage()").fetchone() == (0,)


@case
def a_listener_that_goes_leaves_nothing(url):
    with connect(url) as sender:
        listener = connect(url)
        listener.execute("LISTEN a")
        listener.execute("BEGIN")
        sender.execute("SELECT count(pg_notify('a', repeat('p', 7000) || n)) FROM generate_series(1, 100) n")
        listener.close()
        until = time.monotonic() + 10
        while sender.execute("SELECT pg_notification_queue_usage()").fetchone() != (0,) and time.monotonic() < until:
            sender.execute("NOTIFY a")
            time.sleep(0.05)
        assert sender.execute("SELECT pg_notification_queue_usage()").fetchone() == (0,)


def main():
    return case.run(case.url())


if __name__ == "__main__":
    sys.exit(main())
