"""Random transactions over append-only lists on a server, in epochs whose histories are checked while the next one runs.

Several processes drive many connections each; a connection sends its transaction step by step, or whole in one packet.
Lists live in groups of KEYS, one row a list; at any time transactions meet in a few groups, and go on to new ones before the
lists grow long. No list outlives its epoch, so that no dependency leads out of one.
"""

import collections
import multiprocessing
import random
import selectors
import time

import history
import wire
from history import APPEND, PREDICATE, READ, Transaction

KEYS = 4                        # lists of a group
GROUPS = 5                      # groups that transactions meet in at a time
LIFE = 120                      # transactions that begin in a group's time
EPOCH = 10_000                  # transactions of an epoch
LEVELS = {"RC": "READ COMMITTED", "RR": "REPEATABLE READ", "SER": "SERIALIZABLE"}
RETRIABLE = {"40001", "40P01"}
PLACEMENTS = {"one": "PARTITION BY SHARD (g)", "shards": "PARTITION BY SHARD (g, k)", "": ""}
TABLE = "CREATE TABLE isolation_lists (g int NOT NULL, k int NOT NULL, vals int[] NOT NULL, PRIMARY KEY (g, k))"
ROW = "FROM isolation_lists WHERE g = $1::int AND k = $2::int"
STATEMENTS = {
    b"begin": "BEGIN ISOLATION LEVEL {level}",
    b"commit": "COMMIT",
    b"abort": "ROLLBACK",
    b"savepoint": "SAVEPOINT s",
    b"undo": "ROLLBACK TO s",
    b"read": f"SELECT vals {ROW}",
    b"lock": f"SELECT vals {ROW} FOR UPDATE",
    b"share": f"SELECT vals {ROW} FOR SHARE",
    b"group": "SELECT k, vals FROM isolation_lists WHERE g = $1::int",
    b"append": "INSERT INTO isolation_lists (g, k, vals) VALUES ($1::int, $2::int, ARRAY[$3::int])"
               " ON CONFLICT (g, k) DO UPDATE SET vals = isolation_lists.vals || $3::int",
    b"update": "UPDATE isolation_lists SET vals = vals || $3::int WHERE g = $1::int AND k = $2::int RETURNING vals",
}
CHOICE = (b"read",) * 5 + (b"group",) * 3 + (b"append",) * 6 + (b"update",) * 3 + (b"lock", b"share", b"undone")


class Client:
    """One connection's endless transactions: next_bytes() after each answer, records of what they did."""

    def __init__(self, worker, level, url):
        self.worker, self.random = worker, worker.random
        self.connection = wire.Connection(url, {name: sql.format(level=LEVELS[level]) for name, sql in STATEMENTS.items()})
        if worker.is_postgres:
            self.connection.query("SET deadlock_timeout = '30ms'")
        self.steps = None

    def start(self):
        self.steps = self.transaction()
        self.connection.socket.sendall(next(self.steps))

    def answered(self, answer):
        """Goes on after an answer; False once the transaction has ended."""
        try:
            self.connection.socket.sendall(self.steps.send(answer))
            return True
        except StopIteration:
            return False

    def draw(self, identity):
        """The operations of a transaction: (statement, group, key, element)."""
        base = self.worker.first_group + self.worker.begun * self.worker.share // LIFE
        count = self.random.randint(1, 5)
        places = [(base + self.random.randrange(GROUPS), self.random.randrange(KEYS)) for _ in range(count)]
        if self.random.random() < 0.9:
            places.sort()   # the others may deadlock
        return [(self.random.choice(CHOICE), g, k, identity * 8 + i) for i, (g, k) in enumerate(places)]

    def transaction(self):
        identity = self.worker.next_identity()
        drawn, commits = self.draw(identity), self.random.random() < 0.95
        batches = self.batches(drawn, b"commit" if commits else b"abort")
        operations, undone = [], []
        record = [identity, False, operations, undone, 0.0]
        self.worker.records.append(record)
        done = 0
        for batch, covered in batches:
            results, error, status = yield batch
            if not done:
                results = results[1:]   # BEGIN's
            for operation in drawn[done:done + covered]:
                if not results:
                    break
                results = self.note(operation, results, operations, undone)
            done += covered
            if error:
                # What was not answered may have been done; it must not be seen.
                undone += [element for name, _, _, element in drawn if name in (b"append", b"update", b"undone")]
                self.worker.count(error)
                if status != b"I":
                    yield wire.bind_execute(b"abort") + wire.SYNC
                return
        record[1], record[4] = commits, time.monotonic()
        if not commits:
            undone += [what for kind, _, what in operations if kind == APPEND]

    def batches(self, drawn, end):
        """The messages of a transaction and how many operations each covers."""
        whole = self.random.random() < 0.3
        out, messages, covered = [], wire.bind_execute(b"begin"), 0
        for i, operation in enumerate(drawn):
            messages += self.messages(operation)
            covered += 1
            if not whole and (i + 1 < len(drawn) or self.random.random() < 0.3):
                out.append((messages + wire.SYNC, covered))
                messages, covered = b"", 0
        out.append((messages + wire.bind_execute(end) + wire.SYNC, covered))
        return out

    def messages(self, operation):
        name, g, k, element = operation
        if name == b"group":
            return wire.bind_execute(name, g)
        if name in (b"append", b"update"):
            return wire.bind_execute(name, g, k, element)
        if name == b"undone":
            return wire.bind_execute(b"savepoint") + wire.bind_execute(b"append", g, k, element) + wire.bind_execute(b"undo")
        return wire.bind_execute(name, g, k)

    def note(self, operation, results, operations, undone):
        """Writes down what an operation did; returns the results that are left."""
        name, g, k, element = operation
        key = g * KEYS + k
        take = 3 if name == b"undone" else 1
        if len(results) < take:
            return []
        rows = results[0]
        if name == b"group":
            seen = {wire.INT32.unpack(row[0])[0]: wire.array_elements(row[1]) for row in rows}
            operations += [(PREDICATE, g * KEYS + i, seen.get(i, b"")) for i in range(KEYS)]
        elif name == b"append":
            operations.append((APPEND, key, element))
        elif name == b"update":
            if rows:
                operations.append((APPEND, key, element))
            operations.append((READ, key, wire.array_elements(rows[0][0]) if rows else b""))
        elif name == b"undone":
            undone.append(element)
        else:
            operations.append((READ, key, wire.array_elements(rows[0][0]) if rows else b""))
        return results[take:]


class Worker:
    """A process of the load: its clients, and what their transactions of this epoch have done."""

    def __init__(self, number, workers, url, level, clients, seed):
        self.number, self.share = number, workers
        self.random = random.Random(f"{seed} {number}")
        self.identity = number
        self.records, self.errors = [], collections.Counter()
        self.begun = self.first_group = 0
        probe = wire.Connection(url, {})
        self.is_postgres = b"Wandian" not in probe.query("SELECT version()")[0][0][0]
        self.clients = [Client(self, level, url) for _ in range(clients)]

    def next_identity(self):
        self.identity += self.share
        self.begun += 1
        return self.identity

    def count(self, sqlstate):
        if sqlstate not in RETRIABLE:
            raise wire.WireError(f"a transaction failed with {sqlstate}")
        self.errors[sqlstate] += 1

    def epoch(self, first_group, transactions):
        """Runs so many transactions to their end."""
        self.first_group, self.begun = first_group, 0
        self.records, self.errors = [], collections.Counter()
        with selectors.EpollSelector() as selector:
            for client in self.clients:
                selector.register(client.connection, selectors.EVENT_READ, client)
                client.start()
            under_way = len(self.clients)
            while under_way:
                for key, _ in selector.select():
                    client = key.data
                    answer = client.connection.take()
                    if answer and not client.answered(answer):
                        if self.begun < transactions:
                            client.start()
                        else:
                            under_way -= 1

    def resolved(self, finals):
        """The epoch's records with each read as the number of elements seen, where it was a beginning of the final list."""
        def seen(key, elements):
            return len(elements) // 8 if finals.get(key, b"").startswith(elements) else wire.array_ints(elements)
        return [(identity, committed, [(kind, key, what if kind == APPEND else seen(key, what)) for kind, key, what in operations],
                 undone, when) for identity, committed, operations, undone, when in self.records]


def work(pipe, *arguments):
    """A worker process: epochs as they are asked for."""
    try:
        worker = Worker(*arguments)
        pipe.send(None)
        while (order := pipe.recv()) is not None:
            worker.epoch(*order)
            pipe.send(dict(worker.errors))
            pipe.send(worker.resolved(pipe.recv()))
    except BaseException as error:
        pipe.send(error)
        raise


class Load:
    """The processes of a load at one level, and the sum of what their histories showed."""

    def __init__(self, url, level, placement="", seed=1, processes=2, clients=8, epoch=EPOCH):
        self.level, self.epoch_size, self.processes = level, epoch, processes
        self.control = wire.Connection(url, {})
        self.control.query("SET client_min_messages = error")
        self.control.query(f"BEGIN ISOLATION LEVEL {LEVELS[level]}; ROLLBACK")   # refused here, if at all
        self.control.query("DROP TABLE IF EXISTS isolation_lists")
        wandian = b"Wandian" in self.control.query("SELECT version()")[0][0][0]
        self.control.query(f"{TABLE} {PLACEMENTS[placement] if wandian else ''}")
        self.found, self.examples, self.errors = collections.Counter(), {}, collections.Counter()
        self.committed = self.aborted = self.check_seconds = 0
        self.pipes, self.children = [], []
        context = multiprocessing.get_context("fork")
        for number in range(processes):
            ours, theirs = context.Pipe()
            child = context.Process(target=work, args=(theirs, number, processes, url, level, clients, seed), daemon=True)
            child.start()
            theirs.close()
            self.pipes.append(ours)
            self.children.append(child)
        self.from_all()

    def from_all(self):
        answers = [pipe.recv() for pipe in self.pipes]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers

    def to_all(self, message):
        for pipe in self.pipes:
            pipe.send(message)

    def finals(self):
        """Every list as it is now: {key: elements in binary}, read by a simple query, hence from text."""
        finals = {}
        for g, k, elements in self.control.query("SELECT g, k, vals FROM isolation_lists")[0]:
            numbers = [int(number) for number in elements[1:-1].split(b",")]
            finals[int(g) * KEYS + int(k)] = numbers
        return finals

    def run(self, transactions):
        """Runs epochs until so many transactions have committed, checking each while the next one runs."""
        group, pending = 0, None
        while self.committed < transactions or pending:
            more = self.committed + (pending[2] if pending else 0) < transactions
            if more:
                self.to_all((group, self.epoch_size // self.processes))
                group += self.epoch_size // LIFE + GROUPS + 100
            if pending:
                self.check(*pending)
                pending = None
            if more:
                for errors in self.from_all():
                    self.errors.update(errors)
                finals = self.finals()
                packed = {key: b"".join(b"\0\0\0\4" + wire.INT32.pack(n) for n in numbers) for key, numbers in finals.items()}
                self.to_all(packed)
                records = sorted((r for answer in self.from_all() for r in answer), key=lambda record: record[4])
                self.control.query("TRUNCATE isolation_lists")
                pending = records, finals, sum(record[1] for record in records)
        self.to_all(None)
        for child in self.children:
            child.join()

    def check(self, records, finals, committed):
        begun = time.monotonic()
        checked = history.examine([Transaction(f"T{identity}", done, operations, undone)
                                   for identity, done, operations, undone, _ in records], finals)
        self.found += checked.found
        for kind, examples in checked.examples.items():
            self.examples.setdefault(kind, examples[:3])
        self.committed += committed
        self.aborted += len(records) - committed
        self.check_seconds += time.monotonic() - begun

    def stop(self):
        for child in self.children:
            if child.is_alive():
                child.terminate()
                child.join()

    def forbidden(self):
        return {kind: self.found[kind] for kind in history.FORBIDDEN[self.level] if self.found[kind]}
