"""Queries: each maker is about one feature and returns a unit; what else a query uses is left to chance and noted."""

import literals
from expressions import EMPTY, Scope
from literals import ORDERED, SQL_TYPES, STABLE
from statement import Statement, Unit

JOINS = ("JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN")
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


class Selects:
    def __init__(self, rng, expressions, schema):
        self.rng, self.x, self.schema = rng, expressions, schema
        self.pick, self.chance = expressions.pick, expressions.chance
        self.nested = 0   # sub-selects of the statement, each with an alias of its own

    def use(self, *features):
        self.x.features.update(features)

    def number(self, low, high):
        return low + int(self.rng.random() * (high - low + 1))

    def unit(self, sql, ordered=False, loose=False):
        self.nested = 0
        return Unit([Statement(sql, self.x.take_features(), ordered, loose)])

    # What a query reads

    def source(self, alias, relation=None):
        """(text, scope) of one relation under an alias."""
        relation = relation or self.schema.relation()
        self.use(*relation.features)
        scope = Scope()
        for name, kind in relation.columns:
            scope.add(f"{alias}.{name}", kind)
        if relation.unique:
            scope.keys = [f"{alias}.id"]
        return f"{relation.name}{' AS' if self.chance(0.3) else ''} {alias}", scope

    def derived(self, alias):
        """(text, scope) of something in FROM that is not a relation."""
        scope, kind = Scope(), self.pick(("values", "subquery", "series", "unnest", "subquery"))
        if kind == "values":
            self.use("values")
            kinds = ["int4", self.pick(literals.COMMON)]
            rows = ", ".join(f"({n}, {self.x.leaf(kinds[1], EMPTY)}::{SQL_TYPES[kinds[1]]})" for n in range(1, self.number(2, 5)))
            scope.add(f"{alias}.g", "int4")
            scope.add(f"{alias}.y", kinds[1])
            scope.keys = [f"{alias}.g"]
            return f"(VALUES {rows}) AS {alias}(g, y)", scope
        if kind == "series":
            self.use("generate_series")
            scope.add(f"{alias}.g", "int4")
            scope.keys = [f"{alias}.g"]
            return f"generate_series({self.number(-1, 2)}, {self.number(2, 6)}) AS {alias}(g)", scope
        if kind == "unnest":
            self.use("arrays")
            scope.add(f"{alias}.y", "text")
            scope.add(f"{alias}.g", "int8")
            scope.keys = [f"{alias}.g"]
            return f"unnest(ARRAY['a', 'b', NULL, 'abc']) WITH ORDINALITY AS {alias}(y, g)", scope
        self.use("subqueries")
        text, inner = self.source("i")
        columns = [(f"{alias}{n}", kind, self.x.make(kind, inner, 1)) for n, kind in enumerate(self.x.kind(inner) for _ in range(self.number(1, 3)))]
        scope.add(f"{alias}.g", "int4")
        for name, kind, _ in columns:
            scope.add(f"{alias}.{name}", kind)
        listed = ", ".join(["i.g"] + [f"{expression} AS {name}" for name, kind, expression in columns])
        return f"(SELECT {listed} FROM {text}{self.where(inner, 1, 0.5)}) {alias}", scope

    def where(self, scope, depth=2, share=0.7):
        return f" WHERE {self.predicate(scope, depth)}" if self.chance(share) else ""

    def predicate(self, scope, depth=2):
        """A condition: an expression, or one with a sub-select in it."""
        if scope.columns and self.chance(0.2):
            return self.sub_condition(scope)
        condition = self.x.predicate(scope, depth)
        if self.chance(0.25):
            condition += f"{self.pick((' AND ', ' AND ', ' OR '))}{self.x.predicate(scope, depth - 1)}"
        return condition

    def sub_condition(self, scope):
        self.use("subqueries")
        self.nested += 1
        alias = f"q{self.nested}"
        text, inner = self.source(alias)
        kind = self.x.kind(inner, STABLE)
        both = inner.merged(scope)
        shape = self.number(0, 6)
        outer = self.x.make(kind, scope, 1)
        column = self.x.make(kind, inner, 1)
        if kind == "text":
            outer = f"({outer})::text"
        if shape == 0:
            return f"{self.pick(('', 'NOT '))}EXISTS (SELECT {self.pick(('1', '*', f'{alias}.id'))} FROM {text} WHERE {self.link(inner, scope)} AND {self.x.predicate(both, 1)})"
        if shape == 1:
            return f"{outer} {self.pick(('IN', 'NOT IN'))} (SELECT {column} FROM {text}{self.where(inner, 1, 0.6)})"
        if shape == 2:
            return f"{outer} {self.pick(COMPARISONS)} {self.pick(('ANY', 'ALL', 'SOME'))} (SELECT {column} FROM {text}{self.where(inner, 1, 0.6)})"
        if shape == 3:
            return f"{outer} IN (SELECT {column} FROM {text} WHERE {self.link(inner, scope)})"
        if shape == 4:
            self.use("aggregates")
            return f"(SELECT count(*) FROM {text} WHERE {self.link(inner, scope)}) {self.pick(COMPARISONS)} {self.number(0, 3)}"
        if shape == 5:
            self.use("row comparisons")
            return f"({self.x.leaf('int4', scope)}, {outer}) {self.pick(('IN', 'NOT IN'))} (SELECT {self.x.leaf('int4', inner)}, {column} FROM {text}{self.where(inner, 1, 0.6)})"
        return f"EXISTS (SELECT FROM {text} WHERE {self.link(inner, scope)})"

    def scalar(self, scope):
        """(sub-select with one value, type)."""
        self.use("subqueries")
        self.nested += 1
        alias = f"s{self.nested}"
        text, inner = self.source(alias)
        if self.chance(0.6):
            aggregate, kind = self.x.aggregate(inner)
            self.use("aggregates")
            link = f" WHERE {self.link(inner, scope)}" if scope.columns and self.chance(0.6) else self.where(inner, 1, 0.5)
            return f"(SELECT {aggregate} FROM {text}{link})", kind
        kind = self.x.kind(inner)
        expression = self.x.make(kind, inner, 1)
        return f"(SELECT {expression} FROM {text} WHERE {alias}.id = {self.x.leaf('int4', scope) if self.chance(0.5) else self.number(1, 9)})" if inner.keys else f"(SELECT {expression} FROM {text} ORDER BY {alias}.id, 1 LIMIT 1)", kind

    def link(self, one, other):
        """A condition that joins two scopes, by equality mostly."""
        kinds = [kind for kind in one.by_kind if kind in other.by_kind and kind in ORDERED and kind != "jsonb"]
        if "int4" in kinds and self.chance(0.75):
            kinds = ["int4"]
        if not kinds:
            return "true"
        kind = self.pick(kinds)
        return f"{self.pick(one.by_kind[kind])} = {self.pick(other.by_kind[kind])}"

    def tables(self, most=3):
        """(FROM list, scope) of one relation or a join."""
        text, scope = self.source("a") if self.chance(0.85) else self.derived("a")
        count = 1 if self.chance(0.55) else self.number(2, most)
        for alias in "bc"[:count - 1]:
            text, scope = self.joined(text, scope, alias)
        return text, scope

    def joined(self, text, scope, alias, kind=None):
        other, inner = self.source(alias) if self.chance(0.8) else self.derived(alias)
        both = scope.merged(inner)
        kind = kind or (self.pick(JOINS) if self.chance(0.8) else self.pick(("using", "natural", "cross", "comma")))
        if kind in ("using", "natural"):
            if alias != "b" or not all(any(r.endswith(".g") for r in s.by_kind.get("int4", ())) for s in (scope, inner)):
                kind = "JOIN"
            else:
                self.use(f"joins: {kind}")
                how = self.pick(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
                return (f"{text} {how} {other} USING (g)" if kind == "using" else f"{text} NATURAL {how} {other}"), both
        if kind in ("cross", "comma"):
            self.use("joins: cross")
            return f"{text}{' CROSS JOIN ' if kind == 'cross' else ', '}{other}", both
        name = {"J": "inner", "I": "inner", "L": "left", "R": "right", "F": "full"}[kind[0]]
        self.use(f"joins: {name}")
        condition = self.link(inner, scope)
        if name == "full":
            condition = condition if condition != "true" else "true"
        elif self.chance(0.2):
            condition += f" AND {self.x.predicate(both, 1)}"
        return f"{text} {kind} {other} ON {condition}", both

    # What a query returns

    def outputs(self, scope, depth=2, least=1, most=4, stable=False):
        """A list of (text, kind) over a scope."""
        out = []
        for _ in range(self.number(least, most)):
            if self.chance(0.08) and not stable:
                out.append(self.scalar(scope))
                continue
            kind = self.x.kind(scope, STABLE if stable else None)
            out.append((self.x.make(kind, scope, depth), kind))
        return out

    @staticmethod
    def listed(outputs, rng=None):
        return ", ".join(text + (f" AS x{n}" if rng and rng.random() < 0.25 else "") for n, (text, _) in enumerate(outputs))

    def order(self, outputs):
        """(ORDER BY over all outputs, whether it orders totally)."""
        if any(kind not in ORDERED for _, kind in outputs) or any(kind == "pair" for _, kind in outputs):
            return "", False
        numbers = list(range(1, len(outputs) + 1))
        self.rng.shuffle(numbers)
        return " ORDER BY " + ", ".join(f"{n}{self.pick(('', '', ' ASC', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'))}" for n in numbers), all(kind in STABLE for _, kind in outputs)

    def limited(self, outputs):
        """ORDER BY, LIMIT and OFFSET where the answer stays one; with whether its order is total."""
        if self.chance(0.45):
            return "", False
        text, total = self.order(outputs)
        if total and self.chance(0.5):
            text += self.pick((" LIMIT {0}", " LIMIT {0} OFFSET {1}", " OFFSET {1}", " FETCH FIRST {0} ROWS ONLY", " LIMIT ALL", " OFFSET {1} ROWS FETCH NEXT ROW ONLY", " FETCH FIRST {0} ROWS WITH TIES")).format(self.number(0, 9), self.number(0, 4))
        return text, total

    def select(self, depth=2):
        """(text, outputs) of a plain query."""
        tables, scope = self.tables()
        outputs = self.outputs(scope, depth)
        return f"SELECT {self.listed(outputs, self.rng)} FROM {tables}{self.where(scope)}", outputs

    # Makers

    def about_expressions(self, feature):
        """Expressions of a feature over rows."""
        tables, scope = self.source("a")
        outputs = [self.x.about(feature, scope) for _ in range(self.number(1, 3))]
        listed = ", ".join(text for text, _ in outputs)
        where = self.where(scope, 1, 0.3)
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {listed} FROM {tables}{where}{order}", total)

    def about_condition(self, feature):
        tables, scope = self.source("a")
        if "bool" not in self.x.catalogue.by_feature.get(feature, ()):
            return self.about_expressions(feature)
        template = self.pick(self.x.catalogue.by_feature[feature]["bool"])
        condition = self.x.fill(template, scope, 2, bare=True)
        return self.unit(f"SELECT {self.listed(self.outputs(scope, 1))} FROM {tables} WHERE {condition}")

    def about_constants(self, feature):
        """Expressions of a feature over constants, edge values among them; what may fail is alone."""
        self.x.edge = self.chance(0.6)
        risky = self.chance(0.5)
        if risky:
            text, _ = self.x.about(feature, EMPTY, 1, risky=True)
        else:
            self.x.edge = False
            text = ", ".join(self.x.about(feature, EMPTY, 2)[0] for _ in range(self.number(1, 3)))
        self.x.edge = False
        return self.unit(f"SELECT {text}")

    def joins(self):
        text, scope = self.source("a")
        kind = self.pick(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "using", "natural", "cross"))
        text, scope = self.joined(text, scope, "b", kind)
        if self.chance(0.3) and kind != "cross":
            text, scope = self.joined(text, scope, "c")
        if self.chance(0.2) and kind not in ("using", "natural"):
            return self.unit(f"SELECT * FROM {text}{self.where(scope, 1)}")
        outputs = self.outputs(scope)
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs, self.rng)} FROM {text}{self.where(scope)}{order}", total)

    def plain(self):
        text, outputs = self.select()
        order, total = self.limited(outputs)
        return self.unit(text + order, total)

    def distinct(self):
        tables, scope = self.tables(2)
        self.use("distinct")
        outputs = self.outputs(scope, stable=True)
        order, total = self.limited(outputs)
        return self.unit(f"SELECT DISTINCT {self.listed(outputs)} FROM {tables}{self.where(scope)}{order}", total)

    def keyed(self):
        """(tables, scope) whose rows a key tells apart."""
        while True:
            tables, scope = self.tables(2)
            if scope.keys and "USING" not in tables and "NATURAL" not in tables:
                return tables, scope

    def distinct_on(self):
        tables, scope = self.keyed()
        self.use("distinct on")
        key = self.x.make(self.x.kind(scope, STABLE), scope, 1)
        key = f"({key})" if key[0] in "'0123456789" else key
        if key.strip("()").isdigit() or "'" == key.strip("()")[:1] or key.startswith("NULL"):
            key = self.pick(scope.keys)
        outputs = self.outputs(scope)
        direction = self.pick(("", " DESC", " NULLS FIRST"))
        return self.unit(f"SELECT DISTINCT ON ({key}) {self.listed(outputs)} FROM {tables}{self.where(scope)} ORDER BY {key}{direction}, {', '.join(scope.keys)}", ordered=True)

    def group_keys(self, scope, least=1, most=2):
        columns = [reference for reference, kind in scope.columns if kind in ORDERED and kind not in ("pair",)]
        out = list(dict.fromkeys(self.pick(columns) for _ in range(self.number(least, most))))
        kinds = dict(scope.columns)
        return [(reference, kinds[reference]) for reference in out]

    def aggregates(self, feature="aggregates"):
        tables, scope = self.tables(2)
        self.use(feature)
        aggregates = [self.x.aggregate(scope, feature if n == 0 else "aggregates") for n in range(self.number(1, 3))]
        if feature == "filter":
            aggregates = [(f"{text} FILTER (WHERE {self.x.predicate(scope, 1)})" if text.endswith(")") and "FILTER" not in text and "::" not in text[-12:] and not text.startswith("round") else text, kind)
                          for text, kind in aggregates]
        if self.chance(0.35):
            return self.unit(f"SELECT {self.listed(aggregates)} FROM {tables}{self.where(scope)}")
        keys = self.group_keys(scope)
        if self.chance(0.2):
            expression = self.x.make("int4", scope, 1)
            if "." in expression:
                keys.append((expression, "int4"))
        having = ""
        if self.chance(0.25):
            having = " HAVING " + self.pick(("count(*) > 1", f"min({keys[0][0]}) IS NOT NULL" if keys[0][1] not in ("bool", "uuid", "jsonb", "bytea", "bpchar", "r4", "nr", "dr") else "count(*) < 9", f"count({keys[0][0]}) BETWEEN 1 AND 5"))
        group = ", ".join(text for text, _ in keys) if self.chance(0.6) else ", ".join(str(n + 1) for n in range(len(keys)))
        outputs = keys + aggregates
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {tables}{self.where(scope)} GROUP BY {group}{having}{order}", total)

    def ordered_set(self):
        return self.aggregates("ordered-set aggregates")

    def outer_aggregates(self):
        self.use("aggregates of outer queries")
        tables, scope = self.tables(2)
        keys = self.group_keys(scope)
        aggregate, kind = self.x.aggregate(scope)
        text, inner = self.source("oa")
        numbers = [reference for reference, of in scope.columns if of == "int4"]
        number = f"{self.pick(('count', 'max', 'sum'))}({self.pick(numbers)})" if numbers else f"count({keys[0][0]})"
        values = [(f"(SELECT {aggregate})", kind), (f"(SELECT count(*) FROM {text} WHERE oa.id < {number})", "int8"), (f"EXISTS (SELECT FROM {text} WHERE oa.id = {number}{' AND ' + self.x.predicate(inner, 1) if self.chance(0.5) else ''})", "bool"),
                  (f"(SELECT {number} + oa.id FROM {text} WHERE oa.id = {self.number(1, 9)} ORDER BY 1 LIMIT 1)", "int8")]
        outputs = keys + [self.pick(values) for _ in range(self.number(1, 2))]
        having = f" HAVING (SELECT {number}) > {self.number(0, 4)}" if self.chance(0.2) else ""
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {tables}{self.where(scope)} GROUP BY {', '.join(text for text, _ in keys)}{having}{order}", total)

    def filtered(self):
        tables, scope = self.tables(2)
        self.use("filter", "aggregates")
        outputs = []
        while len(outputs) < 2:
            template = self.pick(self.x.catalogue.roles["agg"]["aggregates"])
            if template.atomic and not template.text.startswith("round"):
                outputs.append((f"{self.x.fill(template, scope, 2, bare=True)} FILTER (WHERE {self.x.predicate(scope, 2)})", template.kind))
        keys = self.group_keys(scope) if self.chance(0.6) else []
        group = " GROUP BY " + ", ".join(text for text, _ in keys) if keys else ""
        return self.unit(f"SELECT {self.listed(keys + outputs)} FROM {tables}{self.where(scope, 1, 0.4)}{group}")

    def grouping_sets(self):
        tables, scope = self.tables(2)
        self.use("grouping sets", "aggregates")
        keys = self.group_keys(scope, 2, 3)
        names = [text for text, _ in keys]
        grouping = self.pick((f"ROLLUP ({', '.join(names)})", f"CUBE ({', '.join(names[:2])})" + (f", {names[2]}" if len(names) > 2 else ""),
                              f"GROUPING SETS (({', '.join(names)}), ({names[0]}), ())", f"GROUPING SETS ({', '.join(names)})", f"{names[0]}, ROLLUP ({', '.join(names[1:])})",
                              f"GROUPING SETS (ROLLUP ({names[0]}), ({', '.join(names[1:])}))", f"DISTINCT ROLLUP ({names[0]}), CUBE ({', '.join(names)})"))
        aggregates = [self.x.aggregate(scope) for _ in range(self.number(1, 2))]
        outputs = keys + aggregates + ([(f"grouping({', '.join(names)})", "int4")] if self.chance(0.6) else [])
        having = self.pick(("", "", f" HAVING grouping({names[0]}) = 0", " HAVING count(*) > 1"))
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {tables}{self.where(scope)} GROUP BY {grouping}{having}{order}", total)

    FRAMES = ("", "", "", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS UNBOUNDED PRECEDING", " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING",
              " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW", " ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
              " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW", " GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE TIES", " RANGE CURRENT ROW",
              " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP")

    def windows(self):
        tables, scope = self.keyed()
        self.use("window functions")
        outputs, named = [], []
        roles = self.x.catalogue.roles
        for n in range(self.number(1, 3)):
            role = self.pick(("win", "winpeer"))
            template = self.pick(roles[role]["window functions"])
            columns = [reference for reference, kind in scope.columns if kind in ORDERED and kind not in ("pair",)]
            parts = []
            if self.chance(0.6):
                parts.append(f"PARTITION BY {', '.join(self.pick(columns) for _ in range(self.number(1, 2)))}")
            frame = self.pick(self.FRAMES)
            ordered = role == "win" or "ROWS" in frame or "GROUPS" in frame or self.chance(0.7)
            if ordered:
                keys = [self.pick(columns) + self.pick(("", " DESC", " NULLS FIRST")) for _ in range(self.number(0, 1))]
                keys += scope.keys if role == "win" or "ROWS" in frame or self.chance(0.4) else []
                parts.append(f"ORDER BY {', '.join(keys or scope.keys)}")
            call = self.x.fill(template, scope, 2, bare=True)
            if "string_agg" in call or "array_agg" in call or "jsonb_agg" in call:
                pass  # their order is the window's, whose key is total
            if frame and frame.strip().startswith("RANGE CURRENT"):
                frame = frame if ordered else ""
            window = " ".join(parts) + frame
            if role == "winpeer" and template.text.startswith(("count", "sum")) and self.chance(0.15):
                self.use("filter")
                call += f" FILTER (WHERE {self.x.predicate(scope, 1)})"
            if self.chance(0.2):
                named.append(f"w{n} AS ({window.strip()})")
                outputs.append((f"{call} OVER w{n}", template.kind))
            else:
                outputs.append((f"{call} OVER ({window.strip()})", template.kind))
        outputs = [(self.pick(scope.keys), "int4")] + outputs
        clause = f" WINDOW {', '.join(named)}" if named else ""
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {tables}{self.where(scope, 1)}{clause}{order}", total)

    def window_ranges(self):
        """Frames by distance, which need one ordering column of a type that has distances."""
        text, scope = self.source("a", self.pick(self.schema.plain))
        self.use("window functions")
        distances = {"int4": "2", "int8": "5", "int2": "3::int2", "num": "1.5", "f8": "10", "date": "interval '400 days'", "ts": "interval '1 year'", "tstz": "interval '1 year'", "time": "interval '2 hours'"}
        kind = self.pick([kind for kind in scope.by_kind if kind in distances])
        column, by = self.pick(scope.by_kind[kind]), distances[kind]
        frame = self.pick((f"BETWEEN {by} PRECEDING AND {by} FOLLOWING", f"BETWEEN {by} PRECEDING AND CURRENT ROW", f"BETWEEN UNBOUNDED PRECEDING AND {by} PRECEDING", f"{by} PRECEDING EXCLUDE CURRENT ROW"))
        call = self.pick(("count(*)", "sum(a.id)", "min(a.id)", "max(a.g)"))
        return self.unit(f"SELECT a.id, {call} OVER ({self.pick(('', 'PARTITION BY a.g '))}ORDER BY {column}{self.pick(('', ' DESC', ' NULLS FIRST'))} RANGE {frame}) FROM {text}")

    def lateral(self):
        text, scope = self.source("a")
        self.use("lateral")
        other, inner = self.source("i")
        both = inner.merged(scope)
        out = Scope()
        shape = self.number(0, 3)
        if shape == 0:
            kinds = [self.x.kind(both) for _ in range(2)]
            item = f"(SELECT {', '.join(f'{self.x.make(kind, both, 1)} AS l{n}' for n, kind in enumerate(kinds))} FROM {other} WHERE {self.link(inner, scope)})"
            for n, kind in enumerate(kinds):
                out.add(f"l.l{n}", kind)
        elif shape == 1:
            aggregate, kind = self.x.aggregate(inner)
            item = f"(SELECT {aggregate} AS l0 FROM {other} WHERE {self.link(inner, scope)})"
            out.add("l.l0", kind)
        elif shape == 2:
            kind = self.x.kind(inner, STABLE)
            item = f"(SELECT {self.x.make(kind, inner, 1)} AS l0 FROM {other} WHERE {self.link(inner, scope)} ORDER BY 1 LIMIT {self.number(1, 3)})"
            out.add("l.l0", kind)
        else:
            self.use("generate_series")
            item = f"(SELECT s AS l0 FROM generate_series(1, coalesce(a.g, 2)) s)"
            out.add("l.l0", "int4")
        join = self.pick((f", LATERAL {item} l", f" CROSS JOIN LATERAL {item} l", f" LEFT JOIN LATERAL {item} l ON true", f" LEFT JOIN LATERAL {item} AS l ON a.g > 1", f" JOIN LATERAL {item} l ON true"))
        scope = scope.merged(out)
        outputs = [self.pick([(reference, kind) for reference, kind in out.columns])] + self.outputs(scope, 1)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {text}{join}{self.where(scope, 1, 0.4)}")

    def set_operations(self):
        self.use("set operations")
        kinds = [self.pick([kind for kind in literals.COMMON if kind in STABLE]) for _ in range(self.number(1, 3))]

        def side():
            tables, scope = self.tables(1)
            return f"SELECT {', '.join(f'{self.x.stable(scope, kind, 1)}' + ('' if kind != 'text' else '::text') for kind in kinds)} FROM {tables}{self.where(scope, 1)}"

        text = side()
        for _ in range(self.number(1, 2)):
            operator = self.pick(("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "UNION DISTINCT"))
            text = f"{text} {operator} {side()}" if self.chance(0.8) else f"({text}) {operator} ({side()})"
        order, total = self.limited([("", kind) for kind in kinds])
        return self.unit(text + order, total)

    def subqueries(self):
        self.use("subqueries")
        tables, scope = self.tables(2)
        outputs = self.outputs(scope, 1)
        if self.chance(0.5):
            outputs.append(self.scalar(scope))
        if self.chance(0.2):
            text, inner = self.source("ar")
            outputs.append((f"ARRAY(SELECT {self.x.make('int4', inner, 1)} FROM {text} WHERE {self.link(inner, scope)} ORDER BY 1)", "i4a"))
        condition = f" WHERE {self.sub_condition(scope)}" if scope.columns else ""
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {tables}{condition}{order}", total)

    def with_queries(self):
        self.use("common table expressions")
        text, scope = self.source("a")
        columns = [(f"w{n}", kind, self.x.make(kind, scope, 1)) for n, kind in enumerate(self.x.kind(scope) for _ in range(2))]
        names = ", ".join(name for name, _, _ in columns)
        inner = Scope()
        inner.add("w.g", "int4")
        for name, kind, _ in columns:
            inner.add(f"w.{name}", kind)
        body = f"SELECT a.g, {', '.join(expression for _, _, expression in columns)} FROM {text}{self.where(scope, 1, 0.5)}"
        head = f"WITH w (g, {names}) AS {self.pick(('', 'MATERIALIZED ', 'NOT MATERIALIZED '))}({body})"
        if self.chance(0.3):
            return self.unit(f"{head} SELECT count(*), min(x.g) FROM w x JOIN w y ON x.g = y.g")
        if self.chance(0.3):
            other, outer = self.source("b")
            return self.unit(f"{head} SELECT {self.listed(self.outputs(outer, 1))} FROM {other} WHERE b.g IN (SELECT w.g FROM w WHERE {self.x.predicate(inner, 1)})")
        return self.unit(f"{head} SELECT {self.listed(self.outputs(inner, 1))} FROM w{self.where(inner, 1)}")

    def recursive(self):
        self.use("recursive ctes")
        shape = self.number(0, 6)
        most = self.number(2, 8)
        if shape == 0:
            return self.unit(f"WITH RECURSIVE r(n, f) AS (SELECT 1, {self.number(0, 3)}::bigint UNION ALL SELECT n + 1, f * {self.number(1, 3)} + n FROM r WHERE n < {most}) SELECT * FROM r", True)
        if shape == 1:
            return self.unit("WITH RECURSIVE r AS (SELECT id, parent, label, 1 AS depth FROM tree WHERE parent IS NULL UNION ALL"
                             f" SELECT t.id, t.parent, t.label, r.depth + 1 FROM tree t JOIN r ON t.parent = r.id WHERE r.depth < {most}) SELECT {self.pick(('*', 'id, depth', 'max(depth), count(*)'))} FROM r")
        if shape == 2:
            return self.unit(f"WITH RECURSIVE r(id) AS (VALUES ({self.number(1, 14)}) UNION SELECT t.parent FROM tree t, r WHERE t.id = r.id AND t.parent IS NOT NULL) SELECT id, (SELECT label FROM tree WHERE tree.id = r.id) FROM r")
        if shape == 3:
            return self.unit(f"WITH RECURSIVE r(id, path) AS (SELECT id, ARRAY[id] FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, path || t.id FROM tree t JOIN r ON t.parent = r.id) SELECT id, path, cardinality(path) FROM r ORDER BY path{self.pick(('', ' DESC', f' LIMIT {most}'))}", True)
        if shape == 4:
            direction = self.pick(("DEPTH", "BREADTH"))
            return self.unit(f"WITH RECURSIVE r AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t JOIN r ON t.parent = r.id) SEARCH {direction} FIRST BY id SET o SELECT id FROM r ORDER BY o, id", True)
        if shape == 5:
            return self.unit("WITH RECURSIVE r(id, g) AS (SELECT id, g FROM tree WHERE id = 1 UNION ALL SELECT t.id, t.g FROM tree t JOIN r ON t.g = r.g AND t.id <> r.id) CYCLE id SET is_cycle USING way"
                             f" SELECT count(*), bool_or(is_cycle) FROM r WHERE cardinality(way) < {most}") if most < 3 else self.unit(
                                 "WITH RECURSIVE r(a) AS (SELECT 1 UNION SELECT (a * 3 + 1) % 17 FROM r) CYCLE a SET c TO 'Y' DEFAULT 'N' USING p SELECT a, c, p FROM r")
        return self.unit(f"WITH RECURSIVE s(x) AS (SELECT 'a'::text UNION ALL SELECT x || {self.pick(('chr(98)', 'left(x, 1)', 'length(x)'))} FROM s WHERE length(x) < {most}), u AS (SELECT x FROM s) SELECT x, length(x) FROM u ORDER BY 2, 1", True)

    def values(self):
        self.use("values")
        kinds = [self.pick(literals.COMMON) for _ in range(self.number(1, 3))]
        rows = ", ".join("(" + ", ".join(self.x.make(kind, EMPTY, 1) + (f"::{SQL_TYPES[kind]}" if kind in ("text", "bool") else "") for kind in kinds) + ")" for _ in range(self.number(1, 4)))
        if self.chance(0.5):
            order, total = self.order([("", kind) for kind in kinds])
            return self.unit(f"VALUES {rows}{order}", total)
        return self.unit(f"SELECT {self.pick(('*', 'v.column1', 'count(v.column1)'))} FROM (VALUES {rows}) AS v")

    def generate_series(self):
        self.use("generate_series")
        low, high, step = self.number(-3, 3), self.number(0, 8), self.pick(("1", "2", "-1", "3"))
        call = self.pick((f"generate_series({low}, {high})", f"generate_series({low}, {high}, {step})", f"generate_series({low}::bigint, {high}, {step})",
                          f"generate_series({low}.5, {high}, 1.25)", f"generate_series(timestamp '2024-01-{high + 1:02}', '2024-01-12', '{self.number(1, 40)} hours')",
                          f"generate_series('2024-03-{high + 1:02} 00:00+00'::timestamptz, '2024-03-14 00:00+00', '1 day')", f"generate_series({high}, {low}, -{self.number(1, 3)})",
                          f"generate_series(date '2024-01-31', date '2024-06-30', interval '1 month')", "generate_series(1, 3, 0)" if self.chance(0.1) else "generate_series(NULL::int, 3)"))
        shape = self.number(0, 4)
        if shape == 0:
            return self.unit(f"SELECT * FROM {call}")
        if shape == 1:
            return self.unit(f"SELECT {call}, {self.number(1, 9)} AS k")
        if shape == 2:
            return self.unit(f"SELECT s, n FROM {call} WITH ORDINALITY AS t(s, n) WHERE n > {self.number(0, 2)}")
        if shape == 3:
            text, scope = self.source("a")
            return self.unit(f"SELECT s.s, {self.listed(self.outputs(scope, 1))} FROM generate_series({low}, {high}) s(s) LEFT JOIN {text} ON a.g = s.s")
        return self.unit(f"SELECT count(*), min(s), max(s) FROM {call} AS s")

    SET_FUNCTIONS = (("jsonb", "jsonb_array_elements('[1, \"a\", null, {\"x\": 2}]')"), ("jsonb", "jsonb_array_elements_text('[1, \"a\", null, {\"x\": 2}]')"), ("jsonb", "jsonb_each('{\"a\": 1, \"b\": [2]}')"),
                     ("jsonb", "jsonb_each_text('{\"a\": 1, \"b\": \"x\", \"c\": null}')"), ("jsonb", "jsonb_object_keys('{\"a\": 1, \"b\": 2}')"), ("jsonb", "json_array_elements('[1, 2]')"),
                     ("jsonb", "json_each_text('{\"k\": \"v\"}')"), ("jsonpath", "jsonb_path_query('{\"a\": [1, 2, 3]}', '$.a[*] ? (@ > 1)')"), ("regular expressions", "regexp_split_to_table('a1b22c', '\\d+')"),
                     ("regular expressions", "regexp_matches('foobarbaz', '(b)(a.)', 'g')"), ("arrays", "unnest(ARRAY[1, NULL, 3])"), ("arrays", "unnest(ARRAY[[1, 2], [3, 4]])"), ("arrays", "unnest(ARRAY[1, 2], ARRAY['a'])"),
                     ("arrays", "generate_subscripts(ARRAY[5, 6, 7], 1)"), ("string functions", "string_to_table('a,b,,c', ',', '')"), ("jsonb", "json_to_recordset('[{\"a\": 1, \"b\": \"x\"}]') AS f(a int, b text)"),
                     ("jsonb", "jsonb_to_record('{\"a\": 1, \"b\": [1]}') AS f(a int, b jsonb)"), ("jsonb", "jsonb_to_recordset('[{\"a\": 1.5}, {\"b\": 2}]') AS f(a numeric, b int)"))

    def set_functions(self):
        feature, call = self.pick(self.SET_FUNCTIONS)
        self.use(feature)
        if " AS f(" in call or self.chance(0.4):
            return self.unit(f"SELECT * FROM {call}")
        if self.chance(0.5) and not call.startswith(("unnest(ARRAY[1, 2], ", "jsonb_each", "json_each")):
            return self.unit(f"SELECT {call} AS v, {self.number(1, 3)}")
        text, scope = self.source("a")
        return self.unit(f"SELECT a.id, f.* FROM {text}, {call} WITH ORDINALITY AS f WHERE a.g = {self.number(0, 4)}")

    def relation_of(self, feature):
        """A query over a relation that the feature needs."""
        relation = self.pick(self.schema.about(feature))
        text, scope = self.source("a", relation)
        if self.chance(0.4):
            text, scope = self.joined(text, scope, "b", self.pick(("JOIN", "LEFT JOIN")))
        shape = self.number(0, 3)
        if shape == 0:
            return self.unit(f"SELECT * FROM {text}{self.where(scope, 1, 0.5)}")
        if shape == 1:
            keys = self.group_keys(scope)
            return self.unit(f"SELECT {self.listed(keys)}, count(*), {self.x.aggregate(scope)[0]} FROM {text}{self.where(scope, 1, 0.3)} GROUP BY {', '.join(key for key, _ in keys)}")
        own = [(reference, kind) for reference, kind in scope.columns if reference.startswith("a.")]
        outputs = [self.pick(own)] + self.outputs(scope, 1)
        order, total = self.limited(outputs)
        return self.unit(f"SELECT {self.listed(outputs)} FROM {text}{self.where(scope, 1)}{order}", total)

    def indexed(self, feature):
        """Conditions that indexes of arrays, documents and expressions answer."""
        kinds = {"array indexes": ("i4a", "ta"), "jsonb indexes": ("jsonb",), "expression and partial indexes": ("text", "int4")}[feature]
        relations = [r for r in self.schema.plain if any(kind in kinds for _, kind in r.columns)]
        if not relations:
            return self.about_condition("arrays" if feature == "array indexes" else "jsonb")
        self.use(feature)
        text, scope = self.source("a", self.pick(relations))
        kind = self.pick([kind for kind in kinds if kind in scope.by_kind])
        column = self.pick(scope.by_kind[kind])
        if kind in ("i4a", "ta"):
            value = literals.literal(self.rng, kind)
            condition = f"{column} {self.pick(('@>', '<@', '&&', '='))} {value}"
        elif kind == "jsonb":
            condition = f"{column} {self.pick(('@> ' + self.pick(literals.KINDS['jsonlit']), '? ' + self.pick(literals.KINDS['key']), '?| ' + self.pick(literals.KINDS['keyarr']), '@> ' + literals.value(self.rng, 'jsonb')))}"
        elif kind == "text":
            condition = f"lower({column}) = lower({literals.string(self.rng)})"
        else:
            condition = self.pick((f"{column} % 3 = {self.number(0, 2)}", f"{column} = {self.number(0, 8)} AND a.g > {self.number(1, 3)}", f"{column} > {self.number(0, 6)} AND a.g = 2", f"{column} < 5 AND a.g IS NOT NULL", f"{column} = 3 AND a.id < 10"))
        if self.chance(0.3):
            condition += f" AND {self.x.predicate(scope, 1)}"
        return self.unit(f"SELECT {self.listed(self.outputs(scope, 1))} FROM {text} WHERE {condition}")

    def functions(self):
        """Calls of functions that the schema made."""
        text, scope = self.source("a")
        argument = self.x.make("int4", scope, 1)
        call = self.pick((f"f_even({argument})", f"f_catch({literals.string(self.rng)})", f"f_even({argument} % 2)", f"(SELECT count(*) FROM f_loop({self.number(0, 7)}))", f"f_add({argument})", f"f_add({argument}, {self.number(0, 5)})", f"f_add(b => {self.number(0, 9)}, a => {argument})"))
        self.use("functions" if call.startswith("f_add") else "plpgsql")
        if self.chance(0.2):
            self.use("plpgsql")
            return self.unit(f"SELECT * FROM f_loop({self.number(0, 8)})")
        if self.chance(0.25):
            self.use("plpgsql")
            return self.unit(self.pick((f"SELECT a.id, b.id FROM t1 a LEFT JOIN t2 b ON a.id = b.id AND f_even(b.id) = 'even' ORDER BY 1, 2", f"SELECT id FROM t1 ORDER BY id LIMIT f_catch('{self.number(0, 4)}') OFFSET f_catch('1')",
                                        f"SELECT a.id, b.id FROM t1 a FULL JOIN t2 b ON a.id = b.id AND f_catch(a.id::text) > {self.number(0, 6)} ORDER BY 1, 2", f"SELECT id, f_catch(id::text) IN (SELECT id + {self.number(0, 2)} FROM t2) FROM t1 ORDER BY id",
                                        f"SELECT id FROM t1 WHERE f_catch(id::text) >= ALL (SELECT id FROM t2 WHERE id < {self.number(0, 6)}) ORDER BY id")))
        return self.unit(f"SELECT a.id, {call} FROM {text}{self.where(scope, 1, 0.4)}")
