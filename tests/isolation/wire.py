"""The little of PostgreSQL's protocol that the load needs: prepared statements in binary, many connections from one thread.

Not a driver: it trusts the server it tests with well-formed messages, and knows trust authentication alone.
"""

import socket
import struct
import urllib.parse

HEADER = struct.Struct("!cI")
INT32 = struct.Struct("!i")


class WireError(Exception):
    """What the server said when a connection could not be made, or that it was lost."""


def message(kind, body=b""):
    return kind + INT32.pack(len(body) + 4) + body


SYNC = message(b"S")


def parse_message(name, sql):
    return message(b"P", name + b"\0" + sql.encode() + b"\0" + b"\0\0")


def bind_execute(name, *values):
    """Bind and Execute of a prepared statement with int4 parameters, parameters and results in binary."""
    parameters = b"".join(b"\0\0\0\4" + INT32.pack(value) for value in values)
    bind = b"\0" + name + b"\0" + b"\0\1\0\1" + len(values).to_bytes(2, "big") + parameters + b"\0\1\0\1"
    return message(b"B", bind) + b"E\0\0\0\t\0\0\0\0\0"


class Connection:
    """One connection: send() bytes, then take() what has come until the server is ready again."""

    def __init__(self, url, statements):
        parts = urllib.parse.urlsplit(url)
        user, database = parts.username or "postgres", parts.path.lstrip("/") or parts.username
        self.socket = socket.create_connection((parts.hostname, parts.port or 5432))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = struct.pack("!I", 196608) + b"".join(
            word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
        self.buffer = b""
        self.socket.sendall(INT32.pack(len(body) + 4) + body)
        self.wait()
        for name, sql in statements.items():
            self.socket.sendall(parse_message(name, sql) + SYNC)
            _, error, _ = self.wait()
            if error:
                raise WireError(f"{sql}: {error}")

    def fileno(self):
        return self.socket.fileno()

    def query(self, sql):
        """Runs a simple query to its end; for settings."""
        self.socket.sendall(message(b"Q", sql.encode() + b"\0"))
        results, error, _ = self.wait()
        if error:
            raise WireError(f"{sql}: {error}")
        return results

    def wait(self):
        while True:
            answer = self.take()
            if answer:
                return answer

    def take(self):
        """Reads once; (results, SQLSTATE or "", status) when ReadyForQuery has come, else None.

        There is a result for every statement that completed: its rows, lists of bytes.
        """
        data = self.socket.recv(65536)
        if not data:
            raise WireError("the server closed the connection")
        self.buffer += data
        # ReadyForQuery is the last message of an answer, six bytes long.
        if len(self.buffer) < 6 or self.buffer[-6:-1] != b"Z\0\0\0\5":
            return None
        return self._answer()

    def _answer(self):
        buffer, at, results, rows, error, status = self.buffer, 0, [], [], "", b""
        end = len(buffer)
        while at < end:
            kind, length = HEADER.unpack_from(buffer, at)
            if at + 1 + length > end:
                return None  # the six bytes were a part of something else
            if kind == b"D":
                rows.append(_row(buffer, at + 5))
            elif kind == b"C":
                results.append(rows)
                rows = []
            elif kind == b"E":
                error = _sqlstate(buffer[at + 5:at + 1 + length])
            elif kind == b"R" and buffer[at + 5:at + 9] != b"\0\0\0\0":
                raise WireError("the load needs a server with trust authentication")
            elif kind == b"Z":
                status = buffer[at + 5:at + 6]
            at += 1 + length
        self.buffer = b""
        return results, error, status


def _row(buffer, at):
    (count,) = struct.unpack_from("!H", buffer, at)
    at += 2
    values = []
    for _ in range(count):
        (length,) = INT32.unpack_from(buffer, at)
        at += 4
        values.append(buffer[at:at + length] if length >= 0 else None)
        at += max(length, 0)
    return values


def _sqlstate(body):
    for field in body.split(b"\0"):
        if field[:1] == b"C":
            return field[1:].decode()
    return "?????"


def array_elements(value):
    """The elements of an int4[] in binary, each still behind its length: comparable byte by byte."""
    return value[20:]


def array_ints(elements):
    return list(struct.unpack("!" + "4xi" * (len(elements) // 8), elements))
