"""Checks of query logic that need no oracle: pairs of queries on one server whose answers must agree.

Ternary logic partitioning and NoREC: Rigger and Su, "Finding Bugs in Database Systems via Query Partitioning", OOPSLA 2020, and
"Detecting Optimization Bugs in Database Engines via Non-optimizing Reference Engine Construction", ESEC/FSE 2020.
"""

import collections

import literals

BARE = "_bare"   # the suffix of copies without indexes, keys and constraints


class Check:
    """`queries` are run in order; `agree` gets their answers, none of them an error, and says whether they agree."""

    __slots__ = ("name", "queries", "agree")

    def __init__(self, name, queries, agree):
        self.name, self.queries, self.agree = name, queries, agree


def _same_rows(parts):
    """The first answer's rows are those of the others together."""
    rest = collections.Counter()
    for answer in parts[1:]:
        rest.update(answer.rows)
    return collections.Counter(parts[0].rows) == rest


def _same_value(parts):
    return parts[0].rows == parts[1].rows


class Checks:
    def __init__(self, rng, expressions, schema, selects):
        self.rng, self.x, self.schema, self.selects = rng, expressions, schema, selects

    def condition(self, scope):
        """A predicate, often one that an index could answer."""
        text = self.selects.predicate(scope, 2)
        if self.rng.random() < 0.6:
            kind = self.x.pick([kind for kind in scope.by_kind if kind in literals.ORDERED and kind in self.x.catalogue.by_kind])
            column = self.x.pick(scope.by_kind[kind])
            value = self.x.leaf(kind, scope)
            simple = self.x.pick((f"{column} = {value}", f"{column} > {value}", f"{column} <= {value}", f"{column} BETWEEN {value} AND {self.x.leaf(kind, scope)}", f"{column} IN ({value}, {self.x.leaf(kind, scope)})", f"{column} IS NULL", f"{column} IS NOT NULL", f"{column} <> {value}"))
            text = self.x.pick((simple, f"{simple} AND {text}", f"{simple} OR {text}"))
        return text

    def partitioning(self):
        tables, scope = self.selects.tables(2)
        outputs = self.selects.listed(self.selects.outputs(scope, 1))
        p = self.condition(scope)
        query = f"SELECT {outputs} FROM {tables}"
        return Check("ternary logic", [query, f"{query} WHERE {p}", f"{query} WHERE NOT ({p})", f"{query} WHERE ({p}) IS NULL"], _same_rows)

    def partitioned_aggregate(self):
        tables, scope = self.selects.tables(2)
        p = self.condition(scope)
        column = self.x.leaf("int4", scope)
        aggregate = self.x.pick(("count(*)", f"sum({column})", f"min({column})", f"max({column})", f"count({column})"))
        outer = "sum(s)::bigint" if aggregate[0] in "cs" else f"{aggregate[:3]}(s)"
        parts = " UNION ALL ".join(f"SELECT {aggregate} AS s FROM {tables} WHERE {condition}" for condition in (f"({p})", f"NOT ({p})", f"({p}) IS NULL"))
        return Check("ternary logic of aggregates", [f"SELECT {aggregate} FROM {tables}", f"SELECT {outer} FROM ({parts}) AS all_parts"], _same_value)

    def no_optimization(self):
        tables, scope = self.selects.tables(2)
        p = self.condition(scope)
        return Check("NoREC", [f"SELECT count(*) FROM {tables} WHERE {p}", f"SELECT coalesce(sum(CASE WHEN {p} THEN 1 ELSE 0 END), 0)::bigint FROM {tables}"], _same_value)

    def indexes(self):
        relation = self.x.pick(self.schema.plain)
        text, scope = self.selects.source("a", relation)
        outputs = self.selects.outputs(scope, 1)
        if self.rng.random() < 0.3:
            text, scope = self.selects.joined(text, scope, "b", "JOIN")
        query = f"SELECT {self.selects.listed(outputs)} FROM {text} WHERE {self.condition(scope)}"
        bare = query
        for name in (r.name for r in self.schema.plain):
            bare = bare.replace(f" {name} ", f" {name}{BARE} ")
        return Check("with and without index", [query, bare], lambda parts: sorted(parts[0].rows) == sorted(parts[1].rows))

    def make(self):
        check = self.x.pick((self.partitioning, self.partitioned_aggregate, self.no_optimization, self.indexes, self.indexes))()
        self.selects.nested = 0
        self.x.take_features()
        return check
