"""Which statements a run is made of: makers with their weights, by feature."""

from definitions import Definitions
from maintenance import Maintenance
from selects import Selects
from sessions import Sessions
from writes import Writes

# Weights of the features of expressions.txt over rows, in conditions, and over constants with edge values.
EXPRESSIONS = {
    "math functions": (4, 1, 4), "string functions": (5, 2, 4), "regular expressions": (2, 2, 2), "casts": (3, 1, 5), "date/time functions": (3, 1, 3), "intervals": (1.5, 1, 1.5), "time zones": (1.5, .5, 1.5),
    "formatting": (2, 0, 2.5), "arrays": (3, 2, 2), "jsonb": (4, 2.5, 3), "jsonpath": (.4, .4, .8), "named arguments": (.8, 0, .5), "nulls": (2, 2, .5), "expressions": (2, 2, .5), "row comparisons": (1.2, 1, .3), "uuid": (.5, .5, 0),
    "collations": (.7, .7, .4), "ranges": (.8, .6, .8), "size functions": (.4, .3, .9), "pgcrypto": (.6, .2, 1),
}
RELATIONS = {"enums": 1, "domains": 1, "composite types": 1, "ranges": 1, "partitioning": 1.2, "generated columns": 1, "sequences": .6, "views": 2, "materialized views": .8}


class Generator:
    def __init__(self, rng, expressions, schema, name):
        self.rng = rng
        selects = Selects(rng, expressions, schema)
        writes = Writes(rng, expressions, schema, selects)
        d = Definitions(rng, expressions, schema, selects, name)
        makers = [(8, selects.joins), (6, selects.plain), (2, selects.distinct), (2, selects.distinct_on), (5, selects.aggregates), (1.5, selects.ordered_set), (2, selects.filtered), (2, selects.grouping_sets), (3, selects.windows), (.7, selects.window_ranges),
                  (2.5, selects.lateral), (3, selects.set_operations), (4, selects.subqueries), (2, selects.with_queries), (1.5, selects.recursive), (1.5, selects.values), (2, selects.generate_series), (1.5, selects.set_functions), (1, selects.outer_aggregates), (2.5, selects.functions),
                  (1.5, writes.insert), (1.5, writes.update), (1, writes.update_from), (1, writes.delete), (.8, writes.delete_using), (1.3, writes.on_conflict), (1, writes.merge), (.8, writes.modifying_with), (.7, writes.foreign_keys), (.4, writes.deferrable), (.5, writes.triggers),
                  (1.2, writes.copy), (.5, writes.view_writes), (.5, writes.savepoints), (.5, writes.cursors), (.6, writes.current_of), (1, writes.places), (1, writes.prepared),
                  (.4, d.create_as), (.4, d.temporary), (.5, d.comments), (.5, d.sequences), (.6, d.serials), (.5, d.generated), (.5, d.views), (.4, d.materialized), (.2, d.refresh), (.4, d.partitions), (.5, d.privileges), (.5, d.domains), (.5, d.enums), (.5, d.composites), (.4, d.do_blocks), (.7, d.alter),
                  (.5, d.constraints), (1, d.errors), (.6, d.catalog)]
        explained = [selects.joins, selects.plain, selects.distinct, selects.aggregates, selects.windows, selects.grouping_sets, selects.lateral, selects.set_operations, selects.subqueries, selects.with_queries, selects.recursive, selects.values, selects.generate_series, selects.functions, writes.insert, writes.update, writes.update_from,
                     writes.delete, writes.delete_using, writes.on_conflict, writes.merge, writes.modifying_with, lambda: selects.relation_of("partitioning"), lambda: selects.relation_of("views"), lambda: selects.indexed("expression and partial indexes")]
        s = Sessions(rng, expressions, schema, selects, writes, name)
        m = Maintenance(rng, expressions, schema, selects, explained, name)
        makers += [(1.2, s.locking), (.4, s.lock_table), (.5, s.advisory), (.4, s.transactions), (.15, s.read_only), (.2, s.outside), (.2, s.nested), (.25, s.two_phase), (.5, s.notify), (1, s.encodings), (.5, s.client_encoding), (.1, s.invalid_bytes),
                   (.5, m.indexes), (.15, m.upkeep), (.2, m.databases), (1, m.explain), (.4, m.privilege_functions), (1, m.clients)]
        for feature, (over_rows, condition, constants) in EXPRESSIONS.items():
            makers += [(over_rows, lambda f=feature: selects.about_expressions(f)), (condition, lambda f=feature: selects.about_condition(f)), (constants, lambda f=feature: selects.about_constants(f))]
        makers += [(weight, lambda f=feature: selects.relation_of(f)) for feature, weight in RELATIONS.items()]
        makers += [(weight, lambda f=feature: selects.indexed(f)) for feature, weight in (("array indexes", 1.2), ("jsonb indexes", 3), ("expression and partial indexes", 1.2))]
        self.makers = [make for _, make in makers]
        self.weights, total = [], 0
        for weight, _ in makers:
            total += weight
            self.weights.append(total)

    def unit(self):
        return self.rng.choices(self.makers, cum_weights=self.weights)[0]()
