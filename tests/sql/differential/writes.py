"""Statements that change rows, each in a transaction that looks at the result and is rolled back."""

import literals
from expressions import EMPTY, Scope
from statement import Statement, Unit


class Writes:
    def __init__(self, rng, expressions, schema, selects):
        self.rng, self.x, self.schema, self.selects = rng, expressions, schema, selects
        self.pick, self.chance, self.number = expressions.pick, expressions.chance, selects.number

    def use(self, *features):
        self.x.features.update(features)

    def statement(self, sql, ordered=False, loose=False):
        return Statement(sql, self.x.take_features(), ordered, loose)

    def look(self, relation, *features):
        names = ", ".join(name for name, _ in relation.columns)
        return Statement(f"SELECT {names} FROM {relation.name} ORDER BY id", relation.features | frozenset(features), relation.unique and "partitioning" not in relation.features)

    def target(self, share=0.75):
        writable = [relation for relation in self.schema.special if relation.writable]
        relation = self.pick(self.schema.plain) if self.chance(share) else self.pick(writable)
        self.use(*relation.features)
        return relation

    def scope(self, relation, alias):
        scope = Scope()
        for name, kind in relation.columns:
            scope.add(f"{alias}.{name}", kind)
        return scope

    def assignments(self, relation, scope, most=2):
        """SET list: of columns that are neither key nor generated."""
        free = [(name, kind) for name, kind in relation.columns if name not in ("id", "twice", "up", "n", "top", "g")]
        free = free or [("g", "int4")]
        names, out = [], []
        for _ in range(self.number(1, most)):
            name, kind = self.pick(free)
            if name in names:
                continue
            names.append(name)
            if self.chance(0.08):
                out.append(f"{name} = DEFAULT")
            elif kind in literals.SQL_TYPES and kind in self.x.catalogue.by_kind and kind not in ("varchar", "bpchar", "num"):
                value = self.x.make(kind, scope, 1)
                out.append(f"{name} = coalesce({value}, {literals.literal(self.rng, kind)})" if name in relation.notnull else f"{name} = {value}")
            else:
                out.append(f"{name} = {literals.value(self.rng, kind)}")
        if self.chance(0.15) and len(out) == 2 and "DEFAULT" not in out[0] + out[1]:
            left, right = zip(*(text.split(" = ", 1) for text in out))
            return f"({', '.join(left)}) = ({', '.join(right)})"
        return ", ".join(out)

    def returning(self, relation, alias, share=0.5):
        if not self.chance(share):
            return ""
        self.use("returning")
        if self.chance(0.3):
            return " RETURNING *"
        scope = self.scope(relation, alias)
        if self.chance(0.2):
            other = self.pick(self.schema.plain)
            return f" RETURNING {alias}.id, (SELECT count(*) FROM {other.name} q WHERE q.g <= {alias}.g), EXISTS (SELECT FROM {other.name} q WHERE q.id = {alias}.g)"
        return f" RETURNING {self.selects.listed([(self.x.make(kind, scope, 1), kind) for kind in (self.x.kind(scope) for _ in range(self.number(1, 3)))])}"

    def new_row(self, relation, number):
        columns = [(name, kind) for name, kind in relation.columns if name not in ("twice", "up")]
        values = []
        for name, kind in columns:
            if name == "id":
                values.append(str(number))
            elif name == "g":
                values.append(str(self.number(0, 4)))
            elif self.chance(0.08):
                values.append("DEFAULT")
            else:
                values.append(literals.value(self.rng, kind))
        return [name for name, _ in columns], "(" + ", ".join(values) + ")"

    def insert(self):
        relation = self.target()
        self.use("insert")
        ids = [self.number(100, 200)] * 2 if self.chance(0.03) else [self.number(100, 150) + 60 * n for n in range(self.number(1, 3))]
        if self.chance(0.1):
            ids = [self.number(1, 9)]
        if self.chance(0.25):
            other, scope = self.selects.source("a", self.pick(self.schema.plain))
            simple = [(name, kind) for name, kind in relation.columns if kind in self.x.catalogue.by_kind and name not in ("id", "g", "twice", "up") and kind not in ("varchar", "bpchar", "num", "name")][:3]
            listed = ", ".join(["a.id + 500", "a.g"] + [self.x.make(kind, scope, 1) for _, kind in simple])
            sql = f"INSERT INTO {relation.name} ({', '.join(['id', 'g'] + [name for name, _ in simple])}) SELECT {listed} FROM {other}{self.selects.where(scope, 1)}"
            return Unit.rolled_back([self.statement(sql + self.returning(relation, relation.name, 0.3), loose=True), self.look(relation)])
        rows = [self.new_row(relation, number) for number in ids]
        sql = f"INSERT INTO {relation.name} ({', '.join(rows[0][0])}) VALUES {', '.join(row for _, row in rows)}{self.returning(relation, relation.name)}"
        return Unit.rolled_back([self.statement(sql), self.look(relation, "insert")])

    def update(self):
        relation = self.target()
        self.use("update")
        alias = self.pick(("", " AS u", " u"))
        name = "u" if alias else relation.name
        scope = self.scope(relation, name)
        set_list = self.assignments(relation, scope)
        condition = self.selects.where(scope, 1, 0.9)
        return Unit.rolled_back([self.statement(f"UPDATE {relation.name}{alias} SET {set_list}{condition}{self.returning(relation, name)}", loose=True), self.look(relation, "update")])

    def update_from(self):
        relation = self.target(0.9)
        self.use("update/delete from/using")
        other, inner = self.selects.source("b", self.pick(self.schema.plain))
        both = self.scope(relation, "u").merged(inner)
        sql = f"UPDATE {relation.name} u SET {self.assignments(relation, both)} FROM {other} WHERE u.id = b.id AND ({self.selects.predicate(both, 1)}){self.returning(relation, 'u')}"
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "update/delete from/using")])

    def delete(self):
        relation = self.target()
        self.use("delete")
        scope = self.scope(relation, relation.name)
        return Unit.rolled_back([self.statement(f"DELETE FROM {relation.name}{self.selects.where(scope, 2, 0.95)}{self.returning(relation, relation.name)}", loose=True), self.look(relation, "delete")])

    def delete_using(self):
        relation = self.target(0.9)
        self.use("update/delete from/using")
        other, inner = self.selects.source("b", self.pick(self.schema.plain))
        both = self.scope(relation, "d").merged(inner)
        sql = f"DELETE FROM {relation.name} d USING {other} WHERE d.id = b.id AND ({self.selects.predicate(both, 1)}){self.returning(relation, 'd')}"
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "update/delete from/using")])

    def on_conflict(self):
        relation = self.pick(self.schema.plain)
        self.use("on conflict")
        rows = [self.new_row(relation, number) for number in (self.number(1, 6), self.number(7, 14), self.number(300, 320))[:self.number(1, 3)]]
        scope = self.scope(relation, relation.name).merged(self.scope(relation, "excluded"))
        action = self.pick(("ON CONFLICT DO NOTHING", "ON CONFLICT (id) DO NOTHING", f"ON CONFLICT ON CONSTRAINT {relation.name}_pkey DO NOTHING",
                            f"ON CONFLICT (id) DO UPDATE SET {self.assignments(relation, scope)}", f"ON CONFLICT (id) DO UPDATE SET {self.assignments(relation, scope)} WHERE {self.x.predicate(scope, 1)}",
                            f"ON CONFLICT (id) DO UPDATE SET g = excluded.g + coalesce({relation.name}.g, 1)", *(("ON CONFLICT (g) DO NOTHING", "ON CONFLICT (id, g) DO UPDATE SET g = 1") if self.chance(0.1) else ())))
        sql = f"INSERT INTO {relation.name} ({', '.join(rows[0][0])}) VALUES {', '.join(row for _, row in rows)} {action}{self.returning(relation, relation.name)}"
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "on conflict")])

    def merge(self):
        relation = self.pick(self.schema.plain)
        self.use("merge")
        scope = self.scope(relation, "m")
        other, inner = self.selects.source("s", self.pick(self.schema.plain))
        both = scope.merged(inner)
        clauses = []
        if self.chance(0.7):
            extra = f" AND {self.x.predicate(both, 1)}"
            clauses.append(f"WHEN MATCHED{extra} THEN {self.pick(('DELETE', 'DO NOTHING', f'UPDATE SET {self.assignments(relation, both)}', 'UPDATE SET g = coalesce(m.g, 0) + 1'))}")
        if self.chance(0.6):
            clauses.append(f"WHEN MATCHED THEN UPDATE SET {self.assignments(relation, both)}")
        if self.chance(0.7) or not clauses:
            extra = f" AND {self.x.predicate(inner, 1)}" if self.chance(0.4) else ""
            required = [(name, kind) for name, kind in relation.columns if name in relation.notnull and name not in ("id", "g")]
            names = ", ".join(["id", "g"] + [name for name, _ in required])
            values = ", ".join(["s.id + 100", "s.g"] + [literals.value(self.rng, kind) for _, kind in required])
            clauses.append(f"WHEN NOT MATCHED{extra} THEN {self.pick((f'INSERT ({names}) VALUES ({values})', f'INSERT ({names}) VALUES ({values})', 'DO NOTHING'))}")
        sql = f"MERGE INTO {relation.name} AS m USING {other} ON m.id = s.id{self.pick(('', ' + 3', ' AND m.g > 1'))} {' '.join(clauses)}"
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "merge")])

    def modifying_with(self):
        relation = self.pick(self.schema.plain)
        self.use("data-modifying ctes", "returning")
        scope = self.scope(relation, relation.name)
        shape = self.number(0, 4)
        name = relation.name
        if shape == 0:
            sql = f"WITH d AS (DELETE FROM {name}{self.selects.where(scope, 1, 1)} RETURNING *) SELECT count(*), min(id), max(g) FROM d"
        elif shape == 1:
            sql = f"WITH u AS (UPDATE {name} SET {self.assignments(relation, scope)}{self.selects.where(scope, 1, 1)} RETURNING id, g) SELECT u.id, {name}.g FROM u JOIN {name} ON {name}.id = u.id"
        elif shape == 2:
            columns, row = self.new_row(relation, self.number(400, 450))
            sql = f"WITH i AS (INSERT INTO {name} ({', '.join(columns)}) VALUES {row} RETURNING id, g) SELECT i.*, (SELECT count(*) FROM {name}) FROM i"
        elif shape == 3:
            sql = f"WITH d AS (DELETE FROM {name} WHERE g = {self.number(0, 4)} RETURNING id, g) INSERT INTO tree (id, g, label) SELECT id + 1000, g, 'moved' FROM d RETURNING id, label"
        else:
            sql = f"WITH a AS (UPDATE {name} SET g = 9 WHERE id = {self.number(1, 6)} RETURNING id), b AS (DELETE FROM tree WHERE id IN (SELECT id FROM a) RETURNING id, label) SELECT (SELECT count(*) FROM a), b.* FROM b"
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "data-modifying ctes")])

    def foreign_keys(self):
        self.use("foreign keys")
        one = self.number(0, 5)
        code = self.pick(("'one'", "'two'", "'three'", "'four'", "'nine'", "NULL"))
        if self.chance(0.5):   # what no reference stands against
            code = self.pick(("'one'", "'two'", "NULL"))
            return Unit.rolled_back([self.statement(self.pick((f"INSERT INTO chi VALUES ({self.number(7, 9)}, {one}, {code}) RETURNING *", f"UPDATE chi SET par_id = {one}, code = {code} WHERE id = {self.number(1, 6)} RETURNING id", f"DELETE FROM chi WHERE par_id = {one} RETURNING *",
                                                                   f"UPDATE par SET g = g + 1 WHERE id = {one} RETURNING *", "DELETE FROM par WHERE id = 5 RETURNING *", f"UPDATE par SET id = 50 WHERE id = {self.pick((4, 5))}", f"SELECT p.id, count(c.id) FROM par p LEFT JOIN chi c ON c.par_id = p.id WHERE p.id <> {one} GROUP BY p.id"))),
                                     Statement("SELECT * FROM chi ORDER BY id", {"foreign keys"}, True), Statement("SELECT * FROM par ORDER BY id", {"foreign keys"}, True)])
        sql = self.pick((f"DELETE FROM par WHERE id = {one}", f"UPDATE par SET id = id + 10 WHERE id = {one}", f"UPDATE par SET code = code || 'x' WHERE id = {one}", f"INSERT INTO chi VALUES ({self.number(5, 9)}, {self.number(0, 8)}, {code})",
                         f"UPDATE chi SET par_id = {self.number(0, 8)} WHERE id = {self.number(1, 6)}", f"UPDATE chi SET code = {code} WHERE id = {self.number(1, 6)}", f"INSERT INTO chi (id) VALUES ({self.number(6, 9)})", "TRUNCATE par", "TRUNCATE par CASCADE", f"UPDATE par SET code = {code} WHERE id = {one}"))
        return Unit.rolled_back([self.statement(sql), Statement("SELECT * FROM chi ORDER BY id", {"foreign keys"}, True), Statement("SELECT * FROM par ORDER BY id", {"foreign keys"}, True)])

    def deferrable(self):
        f = {"deferrable constraints"}
        steps = [Statement(self.pick(("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS dfr_par_id_fkey DEFERRED", "SET CONSTRAINTS dfr_u_key DEFERRED", "SET CONSTRAINTS nosuch DEFERRED" if self.chance(0.2) else "SET CONSTRAINTS dfr_u_key IMMEDIATE")), f)]
        for _ in range(self.number(1, 2)):
            steps.append(Statement(self.pick((f"UPDATE dfr SET u = u + 1 WHERE id < {self.number(2, 4)}", f"INSERT INTO dfr VALUES ({self.number(4, 6)}, {self.number(1, 9)}, {self.number(1, 6)})", f"UPDATE dfr SET par_id = {self.number(0, 9)} WHERE id = 1",
                                              f"DELETE FROM par WHERE id = {self.number(1, 4)}", f"DELETE FROM dfr WHERE id = {self.number(1, 3)}")), f, loose=True))
        steps.append(Statement("SELECT * FROM dfr ORDER BY id", f, True))
        steps.append(Statement("SELECT d.id, d.u, p.code FROM dfr d LEFT JOIN par p ON p.id = d.par_id ORDER BY d.id, p.code", f))
        steps.append(Statement("SET CONSTRAINTS ALL IMMEDIATE", f, loose=True))
        return Unit.rolled_back(steps)

    def triggers(self):
        self.use("triggers")
        sql = self.pick((f"INSERT INTO trg VALUES ({self.number(3, 6)}, 1, 'n')", f"UPDATE trg SET v = 'u' WHERE id = {self.number(1, 3)}", f"UPDATE trg SET g = g + 1 WHERE id = {self.number(1, 3)} RETURNING *", f"DELETE FROM trg WHERE id = {self.number(1, 3)} RETURNING v", f"INSERT INTO trg VALUES ({self.number(1, 6)}, 3, 'c') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING *",
                         f"INSERT INTO trg_view VALUES ({self.number(1, 6)}, 30, 'w') RETURNING *", f"UPDATE trg_view SET tens = tens + 10 WHERE id <= {self.number(1, 3)} RETURNING *",
                         f"UPDATE trg_view SET v = x.v FROM (VALUES (1, 'p'), (3, 'q')) x(id, v) WHERE trg_view.id = x.id AND tens < {self.number(10, 30)} RETURNING trg_view.*, x.v",
                         f"DELETE FROM trg_view WHERE tens = {self.number(1, 3)}0 RETURNING id", f"UPDATE trg SET n = f_add(n, {self.number(1, 3)})",
                         f"INSERT INTO trg VALUES ({self.number(1, 6)}, 3, 'c') ON CONFLICT (id) DO UPDATE SET v = f_even(trg.g) RETURNING *",
                         f"MERGE INTO trg USING (VALUES (1, 'm'), (8, 'n')) s(id, v) ON trg.id = s.id WHEN MATCHED AND f_even(s.id) = 'odd' THEN UPDATE SET v = f_even(n) WHEN NOT MATCHED THEN INSERT VALUES (s.id, f_catch(s.v), s.v)",
                         f"WITH w AS (UPDATE trg SET g = 2 WHERE id = {self.number(1, 3)} RETURNING id, f_even(id) AS e) SELECT * FROM w"))
        later = [Statement("SET CONSTRAINTS ALL IMMEDIATE", {"triggers"})] if self.chance(0.3) else []
        return Unit.rolled_back([self.statement(sql)] + later + [Statement("SELECT * FROM trg ORDER BY id", {"triggers"}, True), Statement("SELECT * FROM trg_log", {"triggers"})])

    def copy(self):
        self.use("copy")
        relation = self.pick(self.schema.plain)
        shape = self.number(0, 5)
        if shape == 0:
            text, scope = self.selects.source("a", relation)
            outputs = self.selects.outputs(scope, 1)
            order = self.selects.order(outputs)[0]
            options = self.pick(("", " WITH (FORMAT csv)", " CSV HEADER", " WITH (FORMAT csv, DELIMITER ';', NULL 'nil')", " WITH (DELIMITER '|', NULL '')", " (FORMAT csv, FORCE_QUOTE *)", " WITH (FORMAT csv, QUOTE '''', ESCAPE '\\')", " (HEADER)"))
            return Unit([self.statement(f"COPY (SELECT {self.selects.listed(outputs)} FROM {text}{self.selects.where(scope, 1, 0.5)}{order}) TO STDOUT{options}")])
        if shape == 1:
            names = ", ".join(name for name, _ in relation.columns[:self.number(2, 5)])
            return Unit([self.statement(f"COPY {relation.name} ({names}) TO STDOUT{self.pick(('', ' WITH (FORMAT csv, HEADER)', ' (NULL (chr)) ' if self.chance(0.05) else ''))}")])
        rows = "".join(f"{600 + n}\t{self.pick(('1', '2', chr(92) + 'N'))}\t{self.pick(('abc', 'x y', 'tab' + chr(92) + 't', chr(92) + 'N', 'q' + chr(34), '', chr(92) + 'x41', 'Zoë', chr(92) + '.') if self.chance(0.9) else ('a' + chr(9) + 'b',))}\n" for n in range(self.number(1, 3)))
        if shape == 2:
            rows = rows.replace("\t", ",").replace("\\N", "").replace('q"', '"q"""')
            statement = Statement("COPY tree (id, parent, label) FROM STDIN (FORMAT csv)", self.x.take_features(), data=rows)
        elif shape == 3:
            bad = self.pick(("abc\t1\tx\n", "700\n", "700\t1\tx\ty\n", "1\t1\tdup\n", "\\N\t1\tx\n", "700\t1\tx", "99999999999\t1\tz\n"))
            statement = Statement("COPY tree (id, parent, label) FROM STDIN", self.x.take_features(), data=rows + bad)
        else:
            statement = Statement(f"COPY tree (id, parent, label) FROM STDIN{self.pick(('', '', ' WHERE id > 600', ' (FREEZE false)'))}", self.x.take_features(), data=rows)
        return Unit.rolled_back([statement, Statement("SELECT * FROM tree WHERE id >= 600 ORDER BY id", {"copy"}, True)])

    def view_writes(self):
        """Changes through updatable views."""
        self.use("views")
        n = self.number(1, 30)
        sql = self.pick((f"UPDATE v_simple SET g = {self.number(0, 6)} WHERE id = {n}", f"DELETE FROM v_simple WHERE id = {n}", f"INSERT INTO v_check (id, g) VALUES ({n + 700}, {self.number(2, 6)})", f"UPDATE v_check SET g = g + {self.number(0, 3)} WHERE id < {n}",
                         f"DELETE FROM v_check WHERE g = {self.number(0, 5)} RETURNING id", "UPDATE v_agg SET n = 1", "DELETE FROM v_agg", "INSERT INTO v_agg VALUES (1)", f"UPDATE v_simple SET g = 1 WHERE id = {n} RETURNING *"))
        return Unit.rolled_back([self.statement(sql, loose=True), Statement("SELECT id, g FROM t1 ORDER BY id", (), True), Statement("SELECT id, g FROM t2 ORDER BY id", (), True)])

    def savepoints(self):
        f = {"savepoints"}
        relation = self.pick(self.schema.plain)
        steps, names = [], []
        for n in range(self.number(3, 7)):
            kind = self.number(0, 5)
            if kind == 0 or not names:
                name = self.pick(("s", "t"))
                names.append(name)
                steps.append(Statement(f"SAVEPOINT {name}", f))
            elif kind == 1:
                steps.append(Statement(f"ROLLBACK TO{self.pick(('', ' SAVEPOINT'))} {self.pick(names)}", f))
            elif kind == 2 and self.chance(0.5):
                steps.append(Statement(f"RELEASE {self.pick(names + (['nosuch'] if self.chance(0.2) else []))}", f))
            elif kind == 3 and self.chance(0.5):
                steps.append(Statement(self.pick(("SELECT 1 / 0", "SELECT nosuch", f"INSERT INTO {relation.name} (id) VALUES (1)")), f))
            else:
                steps.append(Statement(self.pick((f"SELECT id, g FROM {relation.name} WHERE id < 6", f"UPDATE {relation.name} SET g = {n} WHERE id < {self.number(3, 5)} RETURNING id, g", f"UPDATE {relation.name} SET g = {n} WHERE id = {self.number(1, 5)}", f"DELETE FROM {relation.name} WHERE id = {self.number(1, 5)}", f"UPDATE {relation.name} SET g = g + 1 WHERE g = {self.number(0, 4)}")), f))
        steps.append(Statement(f"ROLLBACK TO {names[0]}" if self.chance(0.3) else f"SELECT id, g FROM {relation.name} ORDER BY id", f, relation.unique))
        steps.append(Statement(f"SELECT id, g FROM {relation.name} ORDER BY id", f, relation.unique))
        return Unit.rolled_back(steps)

    def cursors(self):
        f = {"cursors"}
        relation = self.pick(self.schema.plain)
        scroll = self.pick(("SCROLL ", "SCROLL ", "NO SCROLL "))
        text, scope = self.selects.source("a", relation)
        where = self.selects.where(scope, 1, 0.5)
        # Of a cursor that sorts and locks nothing PostgreSQL's plan decides whether it can be updated.
        changes = scroll == "NO SCROLL " and self.chance(0.3)
        lock = " FOR UPDATE" if changes else ""
        steps = [Statement(f"DECLARE c {self.pick(('', 'BINARY ') if self.chance(0.05) else ('',))}{scroll}CURSOR {self.pick(('', 'WITH HOLD ', 'WITHOUT HOLD '))}FOR SELECT a.id, {self.x.make(self.x.kind(scope), scope, 1)} FROM {text}{where} ORDER BY a.id{lock}", self.x.take_features() | f)]
        forward = ("FETCH c", "FETCH 2 FROM c", "FETCH FORWARD 3 IN c", "MOVE 1 IN c", "FETCH NEXT FROM c", "FETCH ALL FROM c", "MOVE FORWARD 2 FROM c")
        backward = ("FETCH PRIOR FROM c", "FETCH FIRST FROM c", "FETCH LAST FROM c", "FETCH ABSOLUTE 2 FROM c", "FETCH RELATIVE -1 FROM c", "FETCH BACKWARD 2 FROM c", "FETCH BACKWARD ALL FROM c", "FETCH 0 FROM c", "MOVE BACKWARD ALL FROM c", "FETCH ABSOLUTE -1 FROM c", "FETCH RELATIVE 0 FROM c", "MOVE ABSOLUTE 0 IN c")
        for _ in range(self.number(2, 5)):
            steps.append(Statement(self.pick(forward if scroll == "NO SCROLL " else forward + backward), f, True))
        if changes:
            steps.append(Statement(f"{self.pick((f'UPDATE {relation.name} SET g = 7', f'DELETE FROM {relation.name}'))} WHERE CURRENT OF c", f))
        steps.append(Statement(self.pick(("CLOSE c", "CLOSE ALL", "CLOSE nosuch", "FETCH FROM nosuch", "SELECT name, is_holdable, is_binary, is_scrollable FROM pg_cursors")), f))
        return Unit.rolled_back(steps)

    def current_of(self):
        f = {"where current of"}
        relation = self.pick(self.schema.plain)
        scope = self.scope(relation, relation.name)
        locks = self.pick((" FOR UPDATE", " FOR UPDATE", " FOR NO KEY UPDATE", ""))
        # Without a lock PostgreSQL wants a plan that does not sort.
        order = " ORDER BY id" if locks else " WHERE id = " + str(self.number(1, 6))
        scroll = "" if locks else self.pick(("", "SCROLL ", "NO SCROLL "))
        steps = [Statement(f"DECLARE c {scroll}CURSOR FOR SELECT id, g FROM {relation.name}{order}{locks}", f)]
        for _ in range(self.number(1, 4)):
            steps.append(Statement(self.pick(("FETCH c", "FETCH 2 FROM c", "MOVE c", "FETCH NEXT FROM c", "FETCH ALL FROM c")), f, True))
            target = self.pick(self.schema.plain).name if self.chance(0.1) else relation.name
            change = f"UPDATE {target} SET {self.assignments(relation, scope)}" if target == relation.name and self.chance(0.7) else f"DELETE FROM {target}"
            steps.append(Statement(f"{change} WHERE CURRENT OF {'nosuch' if self.chance(0.03) else 'c'} RETURNING id, g", self.x.take_features() | f))
        return Unit.rolled_back([*steps, self.look(relation, "where current of")])

    def places(self):
        relation = self.pick(self.schema.plain)
        self.use("system columns")
        name, scope = relation.name, self.scope(relation, relation.name)
        some = f"SELECT ctid FROM {name}{self.selects.where(scope, 1, 0.9)}"
        first = f"SELECT ctid FROM {name} ORDER BY id LIMIT {self.number(1, 4)}"   # unlocked: PostgreSQL's plan decides how often it is read
        condition = self.pick((f"ctid IN ({some})", f"ctid = ANY (ARRAY({some}))", f"ctid IN ({first})", f"ctid = ANY (ARRAY({first}))", f"ctid NOT IN (SELECT ctid FROM {name} WHERE g IS NULL)",
                               f"ctid = (SELECT ctid FROM {name} WHERE id = {self.number(1, 9)})", f"xmin <> pg_current_xact_id()::xid AND {self.x.predicate(scope, 1)}", "ctid = '(4294967295,1)'"))
        sql = self.pick((f"SELECT id, xmin IS NULL, ctid IS NULL, tableoid = '{name}'::regclass FROM {name} WHERE {condition} ORDER BY id",
                         f"UPDATE {name} SET {self.assignments(relation, scope)} WHERE {condition} RETURNING id, xmin = pg_current_xact_id()::xid, xmin IS NULL",
                         f"DELETE FROM {name} WHERE {condition} RETURNING id, xmax = pg_current_xact_id()::xid",
                         f"SELECT count(*) FROM {name} a JOIN {name} b ON a.ctid = b.ctid AND a.id = b.id",
                         f"SELECT a.id FROM {name} a LEFT JOIN {name} b ON a.ctid = b.ctid AND b.id < {self.number(2, 9)} WHERE b.ctid IS NULL ORDER BY 1"))
        return Unit.rolled_back([self.statement(sql, loose=True), self.look(relation, "system columns")])

    def prepared(self):
        f = {"prepared statements"}
        text, scope = self.selects.source("a", self.pick(self.schema.plain))
        kind = self.x.kind(scope, literals.STABLE)
        typed = literals.SQL_TYPES[kind]
        column = self.x.leaf(kind, scope)
        body = f"SELECT {self.selects.listed(self.selects.outputs(scope, 1))} FROM {text} WHERE {column} {self.pick(('=', '<>', '<', '>='))} $1"
        features = self.x.take_features() | f
        if self.chance(0.5):
            values = [literals.value(self.rng, kind) for _ in range(2)]
            declared = f" ({typed})" if self.chance(0.5) else ""
            steps = [Statement(f"PREPARE p{declared} AS {body}", features)] + [Statement(f"EXECUTE p ({value})", f) for value in values]
            steps.append(Statement(self.pick(("DEALLOCATE p", "EXECUTE p", "EXECUTE p (1, 2)", "DEALLOCATE nosuch", "DEALLOCATE PREPARE p", "SELECT name, parameter_types::text FROM pg_prepared_statements")), f))
            return Unit(steps, [Statement("DEALLOCATE ALL")])
        value = literals.value(self.rng, kind)
        plain = value[1:-1].replace("''", "'") if value.startswith("'") else value
        return Unit([Statement(body, features, parameters=[None if self.chance(0.1) else plain])])
