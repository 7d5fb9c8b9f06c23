"""Plays one case of a scenario on a server: sends each session's steps in the case's order, sees which of them wait and
what wakes them, and writes down all of it as a transcript.

A step waits when the server says so: PostgreSQL by pg_blocking_pids(), Wandian by pg_stat_activity. A server that does not
say so of a step within its SILENCE is taken to let it wait as well; a case that then differs is played again with more
patience (suite.py). Steps of a session that waits are put off until it goes on, so that any interleaving
of the sessions' steps can be played.
"""

import contextlib
import pathlib
import select
import time

import psycopg
from psycopg import pq

from scenario import placed

ROOT = pathlib.Path(__file__).resolve().parents[2]
SILENCE = {"postgres": 3.0, "wandian": 0.06}   # seconds without any answer that count as waiting; see settle()
STUCK = 15.0           # seconds in which nothing goes on although something must
LOOK_EVERY = 0.003
LOOKS = 3              # consecutive looks that must find a session waiting
NOT_HERE = ("prepared transactions are disabled",)   # what counts as refused although it is not 0A000
CHAIN_TABLES = ("payments", "order_lines", "orders", "stock", "menu", "stores")
POSTGRES_WAITING = ("SELECT pid FROM unnest($1::int[]) pid WHERE cardinality(pg_blocking_pids(pid)) > 0"
                    " OR cardinality(pg_safe_snapshot_blocking_pids(pid)) > 0")
WANDIAN_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ANY ($1::int[])"


class Refused(Exception):
    """The server does not have what the case needs (0A000)."""


class Failed(list):
    """What stands for the rows of a step that failed."""

    def __init__(self, sqlstate):
        super().__init__()
        self.sqlstate = sqlstate


def number(value):
    return int(value) if value and value.lstrip("-").isdigit() else value


class Outcome:
    """What became of a case: the transcript's lines, and the steps' rows for the scenario's own questions."""

    def __init__(self):
        self.lines = []
        self.rows = {}
        self.committed = set()
        self.sqlstates = set()
        self.waited = False
        self.refused = ""

    def occurred(self, case):
        """Whether the scenario's anomaly happened."""
        names = {**self.rows, "ok": lambda session: session in self.committed, "failed": lambda rows: isinstance(rows, Failed)}
        for expression in case.scenario.occurs:
            with contextlib.suppress(IndexError, NameError):
                if eval(case.text(expression), {"__builtins__": {"any": any, "all": all, "len": len, "sum": sum, "set": set}}, names):
                    return True
        return False

    def how(self):
        """What the server did about it, in the words of the table."""
        means = (["waits"] if self.waited else []) + sorted(self.sqlstates & {"40001", "40P01"})
        return means or ["snapshot"]


class Party:
    """One session of a scenario: a connection and the step under way."""

    def __init__(self, player, name):
        self.player, self.name = player, name
        self.step = None
        self.ordered = False
        self.looks = 0
        self.waits = False
        self.results = []
        self.connection = pq.PGconn.connect(player.url.encode())
        if self.connection.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(self.connection.error_message.decode())
        self.connection.nonblocking = 1
        self.connection.notice_handler = None

    def command(self, text):
        result = self.connection.exec_(text.encode())
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.DatabaseError(f"{text}: {result.error_message.decode()}")
        return result

    def send(self, step, text):
        self.step, self.results, self.waits, self.looks = step, [], False, 0
        self.ordered = "ORDER BY" in text and "RETURNING" not in text   # else the rows are compared as a set
        self.connection.send_query(text.encode())
        self.connection.flush()

    def poll(self):
        """True once the step under way has its whole answer."""
        self.connection.consume_input()
        while not self.connection.is_busy():
            result = self.connection.get_result()
            if result is None:
                return True
            self.results.append(result)
        return False

    def cancel(self):
        self.connection.get_cancel().cancel()


class Player:
    """A server's connections, used for one case after another. `lane` keeps several players on one server apart."""

    def __init__(self, url, lane):
        self.url, self.lane = url, lane
        self.control = psycopg.connect(url, autocommit=True)
        self.control.execute("SET client_min_messages = error")
        self.is_wandian = "Wandian" in self.control.execute("SELECT version()").fetchone()[0]
        self.silence = SILENCE["wandian" if self.is_wandian else "postgres"]
        self.waiting_query = (WANDIAN_WAITING if self.is_wandian else POSTGRES_WAITING).encode()
        self.schema = f"isolation_{lane}"
        self.parties = {}

    def close(self):
        for party in self.parties.values():
            party.connection.finish()
        self.parties = {}
        with contextlib.suppress(psycopg.Error):
            self.control.execute("SET lock_timeout = '5s'")
            self.control.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
        self.control.close()

    def sql(self, case, text, placement):
        text = placed(case.text(text), placement if self.is_wandian else "")
        return text.replace("@unique", self.schema).replace("@number", str(1000 * (self.lane + 1)))

    def set_up(self, case, placement):
        if case.scenario.chain:
            self.empty_chain()
        else:
            self.control.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
            self.control.execute(f"CREATE SCHEMA {self.schema}")
            self.control.execute(f"SET search_path = {self.schema}")
        for text in case.scenario.setup:
            try:
                self.control.execute(self.sql(case, text, placement))
            except psycopg.errors.FeatureNotSupported as error:
                raise Refused(f"setup: {error}") from error
        for name in case.scenario.sessions:
            if name not in self.parties:
                self.parties[name] = Party(self, name)
                self.parties[name].command("SET client_min_messages = error")
                self.parties[name].command("SET deadlock_timeout = '200ms'")
            self.parties[name].command("SET search_path = " + ("public" if case.scenario.chain else self.schema))

    def empty_chain(self):
        self.control.execute("SET search_path = public")
        if self.control.execute("SELECT to_regclass('public.stores') IS NULL").fetchone()[0]:
            self.control.execute("CREATE EXTENSION hotdog" if self.is_wandian else
                                 (ROOT / "bench" / "postgres" / "hotdog.sql").read_text())
        for table in CHAIN_TABLES:
            self.control.execute(f"DELETE FROM {table}")

    def play(self, case, placement, patience=1):
        """Plays a case and returns its Outcome. `patience` multiplies how long a session is watched before it counts as waiting."""
        outcome = Outcome()
        try:
            self.set_up(case, placement)
            self.play_order(case, placement, patience, outcome)
            if case.scenario.final:
                rows = self.control.execute(self.sql(case, case.scenario.final, placement)).fetchall()
                outcome.rows["final"] = rows
                outcome.lines.append("final: " + row_text([[None if v is None else str(v) for v in row] for row in rows]))
        except Refused as refusal:
            outcome.refused = str(refusal)
        finally:
            self.clean_up()
        return outcome

    def play_order(self, case, placement, patience, outcome):
        active = [self.parties[name] for name in case.scenario.sessions]
        remaining = list(case.order)
        while remaining:
            step = next((s for s in remaining if s.endswith("!") or not self.parties[case.scenario.owner(s)].step), None)
            if step is None:
                wanted = {case.scenario.owner(s) for s in remaining}
                self.until(active, lambda wanted=wanted: any(not self.parties[name].step for name in wanted), patience, outcome)
                continue
            remaining.remove(step)
            party = self.parties[case.scenario.owner(step.rstrip("!"))]
            if step.endswith("!"):
                self.until(active, lambda party=party: not party.step, patience, outcome)
                continue
            party.send(step, self.sql(case, case.scenario.sessions[party.name][step], placement))
            self.settle(active, patience, outcome, step)
            if party.waits and case.scenario.pause_ms:
                time.sleep(case.scenario.pause_ms / 1000)
        for party in active:
            if party.step:
                outcome.lines.append(f"{party.step}: still waits")

    def collect(self, active, outcome, lines):
        """Takes the answers that have come: {step: line} into `lines`; returns how many there were."""
        come = [party for party in active if party.step and party.poll()]
        for party in come:
            step, indent = party.step, "  " if party.waits else ""
            party.step, party.waits = None, False   # first: what follows may raise
            lines[step] = f"{indent}{step}: " + " ; ".join(self.result_text(party, step, r, outcome) for r in party.results)
        return len(come)

    def result_text(self, party, step, result, outcome):
        tag = (result.command_status or b"").decode()
        if result.status == pq.ExecStatus.TUPLES_OK:
            rows = [[None if (v := result.get_value(r, c)) is None else v.decode() for c in range(result.nfields)]
                    for r in range(result.ntuples)]
            if not party.ordered:
                rows.sort(key=lambda row: [value or "" for value in row])
            outcome.rows[step] = [tuple(map(number, row)) for row in rows]
            return row_text(rows) if result.nfields else tag
        if result.status == pq.ExecStatus.COMMAND_OK:
            outcome.rows.setdefault(step, [])
            if tag == "COMMIT":
                outcome.committed.add(party.name)
            return tag
        sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"?????").decode()
        message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode().replace(self.schema, "@unique")
        if self.is_wandian and (sqlstate == "0A000" or message in NOT_HERE):
            raise Refused(f"{step}: {message}")
        outcome.rows[step] = Failed(sqlstate)
        outcome.sqlstates.add(sqlstate)
        return f"ERROR {sqlstate} {message}"

    def watch(self, active, seconds):
        """Waits until something comes from one of the parties, `seconds` at the most."""
        select.select([p.connection.socket for p in active if p.step], [], [], seconds)

    def settle(self, active, patience, outcome, sent=None, lines=None):
        """Waits until every step under way is answered or waits, and writes it down: what was sent last comes first, what it
        has woken after it, by name, since the order in which answers arrive says nothing."""
        lines = lines or {}
        quiet_since = time.monotonic()
        while True:
            if self.collect(active, outcome, lines):
                quiet_since = time.monotonic()
            under_way = [p for p in active if p.step]
            waiting, quiet = self.waiting(under_way), time.monotonic() - quiet_since
            for party in under_way:
                party.looks = party.looks + 1 if party.connection.backend_pid in waiting else 0
            if all(p.looks >= LOOKS * patience or quiet > self.silence * patience for p in under_way):
                # What was answered while the server was asked is not waiting any more.
                if not self.collect(active, outcome, lines):
                    break
                for party in under_way:
                    party.looks = 0
            self.watch(active, LOOK_EVERY)
        for party in under_way:
            party.looks = 0
            if not party.waits:
                party.waits = outcome.waited = True
                lines[party.step] = f"{party.step}: waits"
        outcome.lines += [lines[step] for step in sorted(lines, key=lambda step: (step != sent, step))]

    def waiting(self, parties):
        if not parties:
            return set()
        pids = "{" + ",".join(str(p.connection.backend_pid) for p in parties) + "}"
        result = self.control.pgconn.exec_params(self.waiting_query, [pids.encode()])
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.DatabaseError(result.error_message.decode())
        return {int(result.get_value(i, 0)) for i in range(result.ntuples)}

    def until(self, active, holds, patience, outcome):
        """Waits for answers until `holds`; what is stuck longer than STUCK is cancelled, which the transcript shows."""
        deadline, lines = time.monotonic() + STUCK, {}
        while not holds():
            if time.monotonic() > deadline:
                outcome.lines.append("stuck: " + " ".join(p.step for p in active if p.step))
                for party in active:
                    if party.step:
                        party.cancel()
                deadline = time.monotonic() + STUCK
            self.watch(active, 0.05)
            self.collect(active, outcome, lines)
        self.settle(active, patience, outcome, lines=lines)

    def clean_up(self):
        """Leaves no transaction, lock or setting behind for the next case."""
        ignored = Outcome()
        for party in list(self.parties.values()):
            if party.step:
                party.cancel()
        for name, party in list(self.parties.items()):
            deadline = time.monotonic() + STUCK
            try:
                while party.step and time.monotonic() < deadline:
                    self.watch([party], 0.05)
                    with contextlib.suppress(Refused):
                        self.collect([party], ignored, {})
                if party.step:
                    raise psycopg.OperationalError("a cancelled statement did not end")
                for text in ("ROLLBACK", "CLOSE ALL", "RESET lock_timeout", "RESET statement_timeout"):
                    party.command(text)
                with contextlib.suppress(psycopg.DatabaseError):  # a server without advisory locks
                    party.command("SELECT pg_advisory_unlock_all()")
            except psycopg.Error:
                party.connection.finish()
                del self.parties[name]
        for (gid,) in self.control.execute("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE %s", (self.schema + "%",)).fetchall():
            self.control.execute(f"ROLLBACK PREPARED '{gid}'")


def row_text(rows):
    return " ".join("(" + ",".join("NULL" if v is None else v for v in row) + ")" for row in rows) or "(no rows)"
