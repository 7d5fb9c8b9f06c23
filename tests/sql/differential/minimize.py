"""Makes a statement that two servers answer differently as small as it can be while the difference stays.

Works on tokens, so that it needs no grammar: windows of tokens with balanced parentheses are left out, and parenthesized groups are
replaced by what is in them, by one of their arguments or by NULL. What is no longer a statement fails on both servers alike.
"""

import re

_TOKEN = re.compile(r"\$\w*\$.*?\$\w*\$|[EU]?&?'(?:[^']|'')*'|\"[^\"]*\"|\d+\.?\d*(?:e[-+]?\d+)?|\w+|::|[<>=!~@#%^&|?*/+-]+|\S", re.S)
MOST_TESTS = 500


def tokens(sql):
    return _TOKEN.findall(sql)


def text(parts):
    out = " ".join(parts)
    for a, b in ((" ( ", "("), ("( ", "("), (" )", ")"), (" ,", ","), (" :: ", "::"), (" . ", "."), (" [ ", "["), ("[ ", "["), (" ]", "]"), (" ;", ";")):
        out = out.replace(a, b)
    return re.sub(r"\b(IN|AND|OR|NOT|ON|AS|FROM|SELECT|WHERE|VALUES|BY|OVER|FILTER|USING|EXISTS|ANY|ALL|LATERAL|WHEN|THEN|ELSE|INTO|SET|UNION|EXCEPT|INTERSECT|THAN)\(", r"\1 (", out)


def _balanced(parts):
    depth = 0
    for part in parts:
        if part in "([" and len(part) == 1:
            depth += 1
        elif part in ")]" and len(part) == 1:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def _groups(parts):
    """(begin, end) of each parenthesized group, outermost first."""
    stack, out = [], []
    for at, part in enumerate(parts):
        if part == "(":
            stack.append(at)
        elif part == ")" and stack:
            out.append((stack.pop(), at))
    return sorted(out)


def _arguments(parts):
    """The comma-separated parts of a group's inside."""
    out, depth, begin = [], 0, 0
    for at, part in enumerate(parts):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        if part == "," and depth == 0:
            out.append(parts[begin:at])
            begin = at + 1
    return out + [parts[begin:]]


def candidates(parts):
    """Smaller token lists, the much smaller ones first."""
    for begin, end in _groups(parts):
        inside = parts[begin + 1:end]
        called = begin > 0 and re.match(r"\w+$", parts[begin - 1])
        first = begin - 1 if called else begin
        if end - first > 1 and inside != ["NULL"]:
            yield parts[:first] + ["NULL"] + parts[end + 1:]
            yield parts[:begin] + parts[end + 1:]
            for argument in _arguments(inside)[:4]:
                if argument:
                    yield parts[:first] + ["("] + argument + [")"] + parts[end + 1:] if len(argument) > 1 else parts[:first] + argument + parts[end + 1:]
            if not called:
                yield parts[:begin] + inside + parts[end + 1:]
    size = len(parts) // 2
    while size:
        for begin in range(0, len(parts) - size + 1, 1 if size < 6 else size // 3):
            if _balanced(parts[begin:begin + size]):
                yield parts[:begin] + parts[begin + size:]
        size = size - 1 if size <= 4 else size * 2 // 3


def minimize(sql, test):
    """`test(list of texts)` tells which of them still differ in the same way; it is asked in batches."""
    parts, spent, seen = tokens(sql), 0, set()
    while spent < MOST_TESTS:
        batch, found = [], None
        for candidate in candidates(parts):
            key = tuple(candidate)
            if key in seen or not candidate:
                continue
            seen.add(key)
            batch.append(candidate)
            if len(batch) == 24 or spent + len(batch) >= MOST_TESTS:
                found = _first(batch, test)
                spent += len(batch)
                batch = []
                if found or spent >= MOST_TESTS:
                    break
        if found is None and batch:
            found = _first(batch, test)
            spent += len(batch)
        if found is None:
            break
        parts = found
    return text(parts)


def _first(batch, test):
    kept = [candidate for candidate, still in zip(batch, test([text(candidate) for candidate in batch])) if still]
    return min(kept, key=len) if kept else None
