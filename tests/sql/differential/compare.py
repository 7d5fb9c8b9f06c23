"""Whether two answers are the same, and if not, what kind of difference it is and which name many like it share."""

import re

# From what a program would notice first to what only a reader would.
_ERROR_FIELDS = (("message", "VM"), ("detail", "DH"), ("position", "Pp"), ("objects", "stcdn"))
_LITERAL = re.compile(r"E?'(?:[^']|'')*'|\$\$.*?\$\$", re.S)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?\b")
_NAME = re.compile(r'"[^"]*"')
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
        return None
    if want.columns != got.columns:
        return Difference("columns", want, got)
    if want.rows != got.rows and (statement.ordered or sorted(want.rows) != sorted(got.rows)):
        return Difference("order" if sorted(want.rows) == sorted(got.rows) else "rows", want, got)
    if want.copied != got.copied and sorted(want.copied) != sorted(got.copied):
        return Difference("copied", want, got)
    if want.tags != got.tags:
        return Difference("tag", want, got)
    if _notes(want) != _notes(got):
        return Difference("notices", want, got)
    return None


def shape(text):
    """A statement or message without what is particular to it."""
    text = _LITERAL.sub("'…'", text)
    text = _NAME.sub('"…"', text)
    text = _NUMBER.sub("N", text)
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
