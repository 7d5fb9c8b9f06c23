"""Whether two answers are the same, and if not, what kind of difference it is and which name many like it share."""

import json
import re

# From what a program would notice first to what only a reader would.
_ERROR_FIELDS = (("message", "VM"), ("detail", "DH"), ("position", "Pp"), ("objects", "stcdn"))
_JSON = 114   # OID of json
_LITERAL = re.compile(r"E?'(?:[^']|'')*'|\$\$.*?\$\$", re.S)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?\b")
_NAME = re.compile(r'"[^"]*"')
_BYTES = re.compile(r"0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*")
# What may differ in a message's text: OIDs, and which of several duplicates an index build meets first.
_MAY_DIFFER = ((re.compile(r"(\(enumtypid, enumlabel\)=\()\d+"), r"\1…"), (re.compile(r"(=\().*(\) is duplicated\.)$"), r"\1…\2"))


class Difference:
    __slots__ = ("kind", "want", "got")

    def __init__(self, kind, want, got):
        self.kind, self.want, self.got = kind, want, got


def _notes(answer):
    return [(fields.get("V"), fields.get("C"), fields.get("M"), fields.get("D"), fields.get("H")) for fields in answer.notices]


def _field(fields, name):
    text = fields.get(name)
    if name == "D" and text:
        for pattern, by in _MAY_DIFFER:
            text = pattern.sub(by, text)
    return text


def difference(statement, want, got):
    """None if the answers agree; `want` is the oracle's."""
    if want.errors or got.errors:
        if not (want.errors and got.errors):
            if want.errors and not got.rows and want.errors[0]["C"].startswith("22"):
                return Difference("accepted without rows", want, got)
            return Difference("accepted" if want.errors else "failed", want, got)
        ours, theirs = got.errors[0], want.errors[0]
        if statement.loose:
            return None if ours["C"][:2] == theirs["C"][:2] else Difference("sqlstate", want, got)
        if ours["C"] != theirs["C"]:
            return Difference("sqlstate", want, got)
        for kind, fields in _ERROR_FIELDS:
            if any(_field(ours, field) != _field(theirs, field) for field in fields):
                return Difference(kind, want, got)
        return _beside(want, got)
    found = _results(statement, want, got)
    if found:
        return Difference(found, want, got)
    if want.tags != got.tags:
        return Difference("tag", want, got)
    if _notes(want) != _notes(got):
        return Difference("notices", want, got)
    return _beside(want, got)


def _results(statement, want, got):
    """The kind of a difference between what two statements returned, or None."""
    if want.columns != got.columns:
        return "columns"
    if statement.plan:
        return None if _is_plan(want, got) else "plan"
    if want.rows != got.rows and (statement.ordered or sorted(want.rows) != sorted(got.rows)):
        return "order" if sorted(want.rows) == sorted(got.rows) else "rows"
    if want.copied != got.copied and sorted(want.copied) != sorted(got.copied):
        return "copied"
    return None


def _is_plan(want, got):
    """Whether there are rows as there are at the oracle, and JSON if its are JSON."""
    if bool(want.rows) != bool(got.rows):
        return False
    if not want.columns or want.columns[0][0][1] != _JSON:
        return True
    try:
        return all(isinstance(json.loads(row[0]), list) for row in got.decoded_rows())
    except ValueError:
        return False


def _beside(want, got):
    """What comes beside an answer, of statements that fail as well: notifications and settings that are reported."""
    if want.notifications != got.notifications:
        return Difference("notifications", want, got)
    if sorted(want.settings) != sorted(got.settings):
        return Difference("settings", want, got)
    return None


def shape(text):
    """A statement or message without what is particular to it."""
    text = _LITERAL.sub("'…'", text)
    text = _NAME.sub('"…"', text)
    text = _NUMBER.sub("N", _BYTES.sub("0x…", text))
    return re.sub(r"\s+", " ", text).strip()


def error_shape(answer):
    if not answer.errors:
        return "ok"
    fields = answer.errors[0]
    return f"{fields['C']} {shape(fields.get('M', ''))}"


def signature(found, sql):
    """The name of a difference: what both said for errors, and the statement's shape where the answers themselves differ."""
    if found.kind in ("failed", "sqlstate", "accepted", "accepted without rows", "message"):
        said = f"{error_shape(found.want)} <> {error_shape(found.got)}"
        return f"{found.kind}: {said} in {shape(sql)}" if found.kind.startswith("accepted") else f"{found.kind}: {said}"
    if found.kind in ("detail", "position", "objects"):
        return f"{found.kind}: {error_shape(found.want)} in {shape(sql)[:40]}"
    return f"{found.kind}: {shape(sql)}"
