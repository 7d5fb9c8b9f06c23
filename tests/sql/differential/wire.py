"""A client of PostgreSQL's protocol 3.0 for comparing servers: many requests in flight, answers as the bytes that came.

A driver would decode what is only to be compared. Here a request is the bytes that end in one ReadyForQuery, requests are sent without
waiting, and an answer keeps its rows as they were sent. Trust and clear-text passwords only: these are servers for tests.
"""

import socket
import struct
import urllib.parse

_HEADER = struct.Struct("!cI")
_COLUMN = struct.Struct("!IhIhih")
FIRST_USER_OID = 16384


class ServerGone(Exception):
    """The connection ended where an answer was expected."""


def _message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def query(sql, encoding="utf-8"):
    return _message(b"Q", sql.encode(encoding, "replace") + b"\0")


def copy_in(sql, data):
    """COPY ... FROM STDIN with its data right behind; a server that refuses the statement skips the data."""
    return query(sql) + _message(b"d", data.encode()) + _message(b"c", b"")


def extended(sql, parameters, name=b""):
    """Parse, Bind, Describe, Execute, Sync with parameters as text (None is NULL) and types left to the server."""
    values = b"".join(struct.pack("!i", -1) if p is None else struct.pack("!I", len(p.encode())) + p.encode() for p in parameters)
    return (_message(b"P", name + b"\0" + sql.encode() + b"\0\0\0")
            + _message(b"B", b"\0" + name + b"\0\0\0" + struct.pack("!h", len(parameters)) + values + b"\0\0")
            + _message(b"D", b"P\0") + _message(b"E", b"\0\0\0\0\0") + _message(b"S", b""))


class Answer:
    """What came back to one request: the messages up to ReadyForQuery that clients see, in order of arrival within each list."""

    __slots__ = ("columns", "rows", "copied", "tags", "errors", "notices", "notifications", "settings", "status")

    def __init__(self):
        self.columns = []   # a tuple of (name, type OID, typmod, from a table) for each RowDescription; user types as 1
        self.rows = []      # DataRow bodies
        self.copied = []    # CopyData bodies of COPY TO STDOUT
        self.tags = []
        self.errors = []    # dicts of the fields that are compared
        self.notices = []
        self.notifications = []   # (channel and payload, whether this session sent it)
        self.settings = []        # what ParameterStatus reported, as "name\0value\0"
        self.status = ""    # transaction status: I, T or E

    @property
    def sqlstate(self):
        return self.errors[0]["C"] if self.errors else None

    @property
    def refused(self):
        return bool(self.errors) and self.errors[0]["C"] == "0A000"

    def decoded_rows(self):
        return [decode_row(row) for row in self.rows]

    def text(self):
        """For people: what psql would roughly show."""
        lines = []
        for columns in self.columns:
            lines.append(" | ".join(f"{name}:{oid}" + (f"({mod})" if mod != -1 else "") for name, oid, mod, _ in columns))
        for row in self.decoded_rows():
            lines.append(" | ".join("NULL" if v is None else v for v in row))
        lines += [data.decode("utf-8", "replace").rstrip("\n") for data in self.copied]
        lines += self.tags
        lines += [f"notification {said.decode('utf-8', 'replace')!r}{'' if own else ' of another session'}" for said, own in self.notifications]
        lines += [f"setting {said.decode('utf-8', 'replace')!r}" for said in self.settings]
        for fields in self.notices + self.errors:
            lines.append(f"{fields.get('V')} {fields.get('C')}: {fields.get('M')}" + "".join(f"  [{k}: {fields[k]}]" for k in "DHPWstcdn" if k in fields))
        return "\n".join(lines)


def decode_row(body):
    (count,) = struct.unpack_from("!h", body)
    at, values = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        if size < 0:
            values.append(None)
        else:
            values.append(body[at:at + size].decode("utf-8", "replace"))
            at += size
    return values


def _columns(body):
    (count,) = struct.unpack_from("!h", body)
    at, out = 2, []
    for _ in range(count):
        end = body.index(0, at)
        table, _number, oid, _size, modifier, _format = _COLUMN.unpack_from(body, end + 1)
        out.append((body[at:end].decode("utf-8", "replace"), oid if oid < FIRST_USER_OID else 1, modifier, table != 0))
        at = end + 1 + _COLUMN.size
    return tuple(out)


def _fields(body):
    """The fields of an error or notice, but for where in the source it came from and its localized severity."""
    out = {}
    for part in body.split(b"\0"):
        if part and part[:1] not in b"FLRS":
            out[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return out


class Connection:
    """One session. send() any number of requests, then receive() as many answers, in order."""

    def __init__(self, url, timeout=60):
        parts = urllib.parse.urlsplit(url)
        self.url = url
        self._password = urllib.parse.unquote(parts.password or "")
        user = urllib.parse.unquote(parts.username or "postgres")
        self._socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer, self._at = b"", 0
        self._process = None   # id of the server's process, as BackendKeyData says
        settings = {"user": user, "database": parts.path.lstrip("/") or user, "client_encoding": "UTF8", "application_name": "differential"}
        body = struct.pack("!I", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in settings.items()) + b"\0"
        self._socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self._start()

    def _start(self):
        while True:
            kind, body = self._next()
            if kind == b"R":
                (code,) = struct.unpack_from("!I", body)
                if code == 3:
                    self._socket.sendall(_message(b"p", self._password.encode() + b"\0"))
                elif code:
                    raise ServerGone(f"{self.url}: authentication method {code} is not spoken here")
            elif kind == b"E":
                raise ServerGone(f"{self.url}: {_fields(body).get('M')}")
            elif kind == b"K":
                (self._process,) = struct.unpack_from("!I", body)
            elif kind == b"Z":
                return

    def send(self, requests):
        self._socket.sendall(b"".join(requests))

    def _more(self):
        data = self._socket.recv(1 << 18)
        if not data:
            raise ServerGone(f"{self.url}: the server closed the connection")
        self._buffer = self._buffer[self._at:] + data
        self._at = 0

    def _next(self):
        while len(self._buffer) - self._at < 5:
            self._more()
        kind, size = _HEADER.unpack_from(self._buffer, self._at)
        while len(self._buffer) - self._at < size + 1:
            self._more()
        begin = self._at + 5
        self._at += size + 1
        return kind, self._buffer[begin:self._at]

    def receive(self):
        answer = Answer()
        while True:
            kind, body = self._next()
            if kind == b"D":
                answer.rows.append(body)
            elif kind == b"Z":
                answer.status = body.decode()
                return answer
            elif kind == b"T":
                answer.columns.append(_columns(body))
            elif kind == b"C":
                answer.tags.append(body[:-1].decode())
            elif kind == b"E":
                answer.errors.append(_fields(body))
            elif kind == b"N":
                answer.notices.append(_fields(body))
            elif kind == b"A":
                answer.notifications.append((body[4:], struct.unpack_from("!I", body)[0] == self._process))
            elif kind == b"S":
                answer.settings.append(body)
            elif kind == b"d":
                answer.copied.append(body)
            elif kind == b"I":
                answer.tags.append("(empty)")

    def run(self, sql):
        """One simple query, waited for."""
        self.send([query(sql)])
        return self.receive()

    def close(self):
        try:
            self._socket.sendall(_message(b"X", b""))
        finally:
            self._socket.close()
