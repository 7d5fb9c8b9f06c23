"""Typed expressions, made of the templates in expressions.txt over the columns of a scope."""

import pathlib
import re

import literals

HERE = pathlib.Path(__file__).resolve().parent
_HOLE = re.compile(r"\{(\w+)(\.?)(?::(\d))?\}")
_CALL = re.compile(r"^[a-z_0-9]+\(.*\)$")
# Drawn by chance in any statement; the other features of expressions.txt only where a statement is about them.
EVERYWHERE = frozenset({"math functions", "string functions", "regular expressions", "casts", "date/time functions", "intervals", "time zones", "formatting", "arrays",
                        "jsonb", "nulls", "expressions", "row comparisons", "uuid"})


class Template:
    __slots__ = ("feature", "kind", "parts", "atomic", "risky", "text")

    def __init__(self, feature, kind, text, risky):
        self.feature, self.kind, self.text, self.risky = feature, kind, text, risky
        self.atomic = bool(_CALL.match(text)) and text.count("(") == text.count(")") and _closes_at_end(text)
        self.parts = _parts(text)


def _closes_at_end(text):
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            return at == len(text) - 1
    return False


def _parts(text):
    """Pieces of text, and holes as (name, plain, number)."""
    out, end = [], 0
    for hole in _HOLE.finditer(text):
        name = hole[1]
        if name not in literals.SQL_TYPES and name not in literals.KINDS and name not in ("T", "S", "s"):
            continue
        out += [text[end:hole.start()], (name, bool(hole[2]), hole[3])]
        end = hole.end()
    return out + [text[end:]]


class Catalogue:
    """The templates by role, feature and result type."""

    def __init__(self, path=HERE / "expressions.txt"):
        self.by_kind = {}      # safe, drawn everywhere
        self.by_feature = {}   # feature -> kind -> safe templates
        self.risky = {}        # feature -> templates
        self.roles = {"agg": {}, "win": {}, "winpeer": {}}   # role -> feature -> templates
        feature = None
        for line in path.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            if line.startswith("["):
                feature = line[1:line.index("]")]
                continue
            risky = line.startswith("! ")
            first, text = line[2 * risky:].split(" ", 1)
            if first in self.roles:
                kind, text = text.split(" ", 1)
                self.roles[first].setdefault(feature, []).append(Template(feature, kind, text, False))
                continue
            template = Template(feature, first, text, risky)
            if risky:
                self.risky.setdefault(feature, []).append(template)
                continue
            self.by_feature.setdefault(feature, {}).setdefault(first, []).append(template)
            if feature in EVERYWHERE:
                self.by_kind.setdefault(first, []).append(template)


class Scope:
    """Columns that an expression may name, by type."""

    def __init__(self):
        self.columns = []     # (reference, kind)
        self.by_kind = {}
        self.keys = []        # references that together tell every row apart, or empty

    def add(self, reference, kind):
        self.columns.append((reference, kind))
        self.by_kind.setdefault(kind, []).append(reference)

    def merged(self, other):
        out = Scope()
        for reference, kind in self.columns + other.columns:
            out.add(reference, kind)
        out.keys = self.keys + other.keys if self.keys and other.keys else []
        return out

    def kinds(self, wanted=None):
        return [kind for kind in self.by_kind if wanted is None or kind in wanted]


EMPTY = Scope()


class Expressions:
    """Makes expressions; `features` gathers what they use until take_features()."""

    def __init__(self, rng, catalogue):
        self.rng, self.catalogue = rng, catalogue
        self.features = set()
        self.edge = False

    def take_features(self):
        features, self.features = self.features, set()
        return features

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, options):
        return options[int(self.rng.random() * len(options))]

    def kind(self, scope, wanted=None):
        """A type, rather one that the scope has a column of."""
        if scope.columns and self.rng.random() < 0.8:
            kinds = scope.kinds(wanted)
            if kinds:
                return self.pick(kinds)
        for _ in range(20):
            kind = self.pick(literals.COMMON)
            if wanted is None or kind in wanted:
                return kind
        return "int4"

    def leaf(self, kind, scope):
        columns = scope.by_kind.get(kind)
        if columns and self.rng.random() < 0.85:
            return self.pick(columns)
        if self.rng.random() < 0.04:
            self.features.add("nulls")
            return "NULL::" + literals.SQL_TYPES[kind]
        if self.edge:
            self.features.add("edge values")
        return literals.literal(self.rng, kind, self.edge)

    def make(self, kind, scope, depth=2):
        """An expression of a type that cannot fail on moderate data."""
        if depth <= 0 or self.rng.random() < 0.12:
            return self.leaf(kind, scope)
        general = self.catalogue.by_kind.get("T")
        own = self.catalogue.by_kind.get(kind)
        if not own or self.rng.random() < (0.08 if kind != "bool" else 0.03):
            return self.fill(self.pick(general), scope, depth, kind)
        return self.fill(self.pick(own), scope, depth)

    def fill(self, template, scope, depth, kind=None, bare=False):
        self.features.add(template.feature)
        drawn, out, any_kind, same_kind = {}, [], kind, None
        for part in template.parts:
            if part.__class__ is str:
                out.append(part)
                continue
            name, plain, number = part
            if number and (name, number) in drawn:
                out.append(drawn[name, number])
                continue
            if name == "s":
                text = literals.string(self.rng)
            elif name in literals.KINDS:
                text = self.pick(literals.KINDS[name])
            else:
                if name == "T":
                    wanted = any_kind = any_kind or self.kind(scope, literals.ORDERED)
                elif name == "S":
                    wanted = same_kind = same_kind or self.kind(scope, literals.STABLE)
                else:
                    wanted = name
                text = self.leaf(wanted, scope) if plain else self.make(wanted, scope, depth - 1)
                if wanted == "text" and name != "text" and text.startswith("'"):
                    text += "::text"  # polymorphic functions do not take a literal of unknown type
            if number:
                drawn[name, number] = text
            out.append(text)
        text = "".join(out)
        return text if template.atomic or bare else f"({text})"

    def about(self, feature, scope, depth=2, risky=False):
        """(expression, kind) whose outermost template belongs to a feature."""
        if risky and feature in self.catalogue.risky:
            template = self.pick(self.catalogue.risky[feature])
        else:
            kinds = self.catalogue.by_feature[feature]
            template = self.pick(kinds[self.pick(tuple(kinds))])
        kind = template.kind
        if kind == "T":
            kind = self.kind(scope, literals.ORDERED)
        return self.fill(template, scope, depth, kind if template.kind == "T" else None, bare=self.chance(0.5)), kind

    def predicate(self, scope, depth=2):
        return self.make("bool", scope, depth) if depth else self.leaf("bool", scope)

    def aggregate(self, scope, feature="aggregates", depth=1):
        """(expression, kind) that aggregates the rows of a scope."""
        template = self.pick(self.catalogue.roles["agg"][feature])
        text = self.fill(template, scope, depth + 1, bare=True)
        if self.rng.random() < 0.15 and template.atomic and not text.startswith("round"):
            self.features.add("filter")
            text += f" FILTER (WHERE {self.predicate(scope, 1)})"
        return text, template.kind

    def stable(self, scope, kind, depth):
        """An expression of a type; of one whose equal values may look different, a bare column or literal."""
        return self.make(kind, scope, depth if kind in literals.STABLE else 0)
