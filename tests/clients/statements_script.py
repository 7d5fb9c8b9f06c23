#!/usr/bin/python3
"""Statements and what PostgreSQL 15 answers to them: statements_script.py --url postgresql://... [--only NAME] [--record] [--show]

statements/NAME.sql holds statements, NAME.expected what PostgreSQL answered when --record asked it: names, types and type
modifiers of the columns, the rows, the command tag, or the error's SQLSTATE and position. Each file is a case, run once by simple
queries and once by the extended protocol. What is known to differ stands in statements/known_differences.txt, a statement a line.
"""

import argparse
import pathlib
import re
import sys

import psycopg
from psycopg import pq

HERE = pathlib.Path(__file__).resolve().parent / "statements"
KNOWN = HERE / "known_differences.txt"
MARK = "@@ "
FIRST_USER_OID = 16384
CITEXT = (15900, 15901)   # a type of users elsewhere


def statements(path):
    """The statements of a file: each ends with a line that ends with ";", outside of $$...$$."""
    tagged = re.compile(r"\$(\w+)\$.*?\$\1\$", re.DOTALL)
    out, parts = [], []
    for line in path.read_text().splitlines():
        if line.startswith("--") and not parts:
            continue
        parts.append(line)
        if line.endswith(";") and tagged.sub("", "\n".join(parts)).count("$$") % 2 == 0:
            out.append("\n".join(parts))
            parts = []
    return out


def answer(connection, statement, extended):
    """What the server says to one statement, as text."""
    result = connection.exec_params(statement.encode(), [], None, None, pq.Format.TEXT) if extended else connection.exec_(statement.encode())
    if result.status == pq.ExecStatus.TUPLES_OK:
        # The types that the case itself made have another OID in every run.
        types = ["user" if result.ftype(i) >= FIRST_USER_OID or result.ftype(i) in CITEXT else result.ftype(i) for i in range(result.nfields)]
        lines = ["\t".join(f"{(result.fname(i) or b'').decode()}:{types[i]}:{result.fmod(i)}" for i in range(result.nfields))]
        for row in range(result.ntuples):
            values = (result.get_value(row, i) for i in range(result.nfields))
            lines.append("\t".join("NULL" if value is None else value.decode().replace("\n", "\\n") for value in values))
        lines.append((result.command_status or b"").decode())
        return "\n".join(lines)
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY):
        return (result.command_status or b"").decode() or "(empty)"
    fields = (pq.DiagnosticField.SEVERITY_NONLOCALIZED, pq.DiagnosticField.SQLSTATE, pq.DiagnosticField.STATEMENT_POSITION)
    severity, state, position = ((result.error_field(field) or b"").decode() for field in fields)
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
    return f"{severity} {state}{' at ' + position if position else ''}\n  {message}"


class Connections:
    """The connections of a case; statements go to the current one."""

    def __init__(self, url, main):
        self.url, self.all, self.current = url, {"main": main}, main.pgconn

    def answer(self, statement, extended):
        words = statement.rstrip(";").split()
        if words[:1] == ["\\connect"]:
            return self.connect(words[1], dict(word.split("=", 1) for word in words[2:]))
        if words[:1] == ["\\disconnect"]:
            self.all.pop(words[1]).close()
            return "closed"
        return answer(self.current, statement, extended)

    def connect(self, name, parameters):
        if name not in self.all:
            try:
                self.all[name] = psycopg.connect(self.url, autocommit=True, **parameters)
            except psycopg.OperationalError as error:
                return "FATAL\n  " + str(error).splitlines()[0].partition("FATAL:  ")[2]
            self.all[name].execute("SET client_min_messages = error")
        self.current = self.all[name].pgconn
        return "connected"

    def close(self):
        for name, connection in self.all.items():
            if name != "main":
                connection.close()


def comparable(statement, text):
    """Messages are recorded for the reader: PostgreSQL's codes are the contract, its words are not; nor is the order of what RETURNING gives."""
    lines = [line for line in text.splitlines() if not (line.startswith("  ") and text.startswith(("ERROR", "FATAL")))]
    if statement.startswith(("INSERT", "UPDATE", "DELETE")):
        lines[1:-1] = sorted(lines[1:-1])
    return "\n".join(lines)


def answers(url, path, extended):
    with psycopg.connect(url, autocommit=True) as db:
        connection = db.pgconn
        for statement in ("SET client_min_messages = error", "DROP SCHEMA IF EXISTS statements CASCADE", "CREATE SCHEMA statements",
                          "SET search_path = statements"):
            db.execute(statement)
        connections = Connections(url, db)
        out = [(statement, connections.answer(statement, extended)) for statement in statements(path)]
        connections.close()
        connection.exec_(b"ROLLBACK")
        connection.exec_(b"RESET SESSION AUTHORIZATION")
        connection.exec_(b"DROP SCHEMA IF EXISTS statements CASCADE")
    return out


def recorded(path):
    out = []
    for block in re.split(f"^{MARK}", path.with_suffix(".expected").read_text(), flags=re.MULTILINE)[1:]:
        statement, _, body = block.partition("\n" + "=" * 8 + "\n")
        out.append((statement, body.rstrip("\n")))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--only", action="append", help="this file (may be given again)")
    parser.add_argument("--record", action="store_true", help="write the .expected files from this server, a PostgreSQL 15")
    parser.add_argument("--show", action="store_true", help="known differences too")
    options = parser.parse_args()
    known = set() if options.show else {line.strip() for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")}
    passed = failed = 0
    for path in sorted(HERE.glob("*.sql")):
        if options.only and path.stem not in options.only:
            continue
        if options.record:
            blocks = answers(options.url, path, False)
            path.with_suffix(".expected").write_text("".join(f"{MARK}{s}\n{'=' * 8}\n{body}\n" for s, body in blocks))
            continue
        expected = recorded(path)
        for extended in (False, True):
            for (statement, wanted), (_, got) in zip(expected, answers(options.url, path, extended), strict=True):
                if extended and "; " in statement:
                    continue  # several statements in one are an error there, and rightly so
                if comparable(statement, wanted) == comparable(statement, got) or statement.splitlines()[0] in known:
                    passed += 1
                    continue
                failed += 1
                print(f"FAILED statements: {path.stem}{' (extended)' if extended else ''}: {statement}\n--- expected\n{wanted}\n--- got\n{got}\n---")
    print(f"statements: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
