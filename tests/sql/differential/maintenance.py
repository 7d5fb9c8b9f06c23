"""What who runs a database does: indexes and their upkeep, databases, plans, privileges, and what clients ask the catalogs."""

import pathlib

import literals
from literals import ORDERED
from statement import Statement, Unit

HERE = pathlib.Path(__file__).resolve().parent
# Immutable expressions over a column "{0}", for indexes, by its type.
KEYS = {"text": ("lower({0})", "upper({0})", "length({0})", "left({0}, 2)", "md5({0})", "({0} || 'x')", "coalesce({0}, '')", "reverse({0})", "substr({0}, 1, 3)", "({0} IS NULL)", "(length({0}) % 3)", "({0} COLLATE \"C\")", "replace({0}, 'a', 'b')"),
        "int4": ("({0} + 1)", "({0} % 3)", "abs({0})", "(- {0})", "({0} * 2 - 1)", "({0} > 3)", "(({0})::text)", "(CASE WHEN {0} > 2 THEN 1 ELSE 0 END)", "COALESCE({0}, 0)", "({0} IS NOT NULL)", "(({0} + 1) * {0})", "GREATEST({0}, 2)", "({0} BETWEEN 1 AND 5)", "({0} IN (1, 2, 3))"),
        "int8": ("({0} / 2)", "({0} % 10)", "({0} & 7)", "(({0})::numeric)"), "int2": ("({0} + 1)", "(({0})::int)"), "num": ("round({0})", "trunc({0}, 1)", "({0} * 2)", "abs({0})", "(({0})::int)"), "f8": ("floor({0})", "round({0})", "({0} > 0)"), "bool": ("(NOT {0})", "({0} IS TRUE)", "(({0})::int)"),
        "date": ("({0} + 1)", "date_part('year', {0})", "EXTRACT(month FROM {0})", "({0} - '2000-01-01'::date)"), "ts": ("date_trunc('month', {0})", "(({0})::date)", "EXTRACT(hour FROM {0})"), "tstz": ("date_trunc('day', {0}, 'UTC')", "({0} AT TIME ZONE 'UTC')"), "time": ("EXTRACT(hour FROM {0})",), "i4a": ("cardinality({0})", "({0}[1])", "array_length({0}, 1)"),
        "ta": ("cardinality({0})", "({0}[1])"), "jsonb": ("({0} ->> 'a')", "({0} -> 'b')", "(({0} ->> 'a') IS NULL)", "jsonb_typeof({0})"), "uuid": ("(({0})::text)",), "varchar": ("lower({0})", "(({0})::text || 'y')"), "bytea": ("length({0})", "md5({0})"), "bpchar": ("lower({0})",), "f4": ("({0} * 2)",)}
CONDITIONS = ("g > 1", "g IS NOT NULL", "id < 10", "g = 2", "g IN (1, 3)", "id % 2 = 0", "g IS NULL OR g > 2", "NOT g = 1", "id BETWEEN 2 AND 12", "g <> 0 AND id > 3")


class Maintenance:
    def __init__(self, rng, expressions, schema, selects, makers, name):
        self.rng, self.x, self.schema, self.selects, self.name = rng, expressions, schema, selects, name
        self.makers = makers   # of the queries that EXPLAIN explains
        self.pick, self.chance, self.number = expressions.pick, expressions.chance, selects.number
        self.databases_made = 0
        self.queries = [line for line in (HERE / "catalogs.txt").read_text().splitlines() if line and not line.startswith("#")]

    def steps(self, feature, *texts, ordered=False):
        return [Statement(text, {feature} | self.x.take_features(), ordered or text.endswith("ORDER BY 1")) for text in texts]

    def unit(self, feature, *texts):
        return Unit.rolled_back(self.steps(feature, *texts))

    # Indexes

    def key(self, relation):
        """(a key of an index over a relation, the column or expression in it)."""
        name, kind = self.pick([(name, kind) for name, kind in relation.columns if kind in ORDERED and kind not in ("r4", "nr", "dr", "pair")] if self.chance(0.97) else relation.columns)
        if kind in KEYS and self.chance(0.4):
            expression = self.pick(KEYS[kind]).format(name)
        elif self.chance(0.03):
            scope = self.selects.source(relation.name, relation)[1]
            expression = f"({self.x.make(self.x.kind(scope), scope, 1)})".replace(f"{relation.name}.", "")
        else:
            expression = name
        collation = ' COLLATE "C"' if kind == "text" and expression == name and self.chance(0.1) else ""
        operators = self.pick(("text_ops", "text_pattern_ops", "varchar_ops")) if kind == "text" and expression == name and self.chance(0.15) else "int4_ops" if kind == "int4" and expression == name and self.chance(0.1) else ""
        return f"{expression}{collation}{' ' if operators else ''}{operators}{self.pick(('', '', '', ' ASC', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST', ' ASC NULLS LAST'))}", expression

    def definition(self, relation, name, concurrently=False):
        """(CREATE INDEX, expressions of its keys). What fails CONCURRENTLY leaves an invalid index behind, so none is UNIQUE."""
        keys = [self.key(relation) for _ in range(self.pick((1, 1, 1, 2, 2, 3)))]
        method = self.pick(("", "", "", "", " USING btree", " USING hash") if len(keys) == 1 else ("", " USING btree"))
        if method == " USING hash":
            keys = [(keys[0][1], keys[0][1])]
        include = ", ".join(column for column, _ in [self.pick(relation.columns) for _ in range(self.number(1, 2))])
        text = f"CREATE {'UNIQUE ' if self.chance(0.15) and method != ' USING hash' and not concurrently else ''}INDEX {'CONCURRENTLY ' if concurrently else ''}{'IF NOT EXISTS ' if name and self.chance(0.2) else ''}{name}{' ' if name else ''}ON {'ONLY ' if self.chance(0.05) else ''}{relation.name}{method} ({', '.join(key for key, _ in keys)})"
        if self.chance(0.25) and method != " USING hash":
            text += f" INCLUDE ({include})"
        if self.chance(0.12):
            text += self.pick((" NULLS NOT DISTINCT", " NULLS DISTINCT"))
        if self.chance(0.1):
            text += self.pick((" WITH (fillfactor = 70)", " WITH (deduplicate_items = off)", " WITH (nosuch = 1)" if self.chance(0.2) else " WITH (fillfactor = 100)", " TABLESPACE pg_default"))
        if self.chance(0.3):
            text += f" WHERE {self.pick(CONDITIONS)}"
        return text, [expression for _, expression in keys]

    def shown(self, relation):
        return self.pick((f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{relation.name}' AND schemaname = '{self.name}' ORDER BY 1", f"SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 1, true), pg_get_indexdef(indexrelid, 2, false) FROM pg_index WHERE indrelid = '{relation.name}'::regclass ORDER BY 1",
                          f"SELECT c.relname, i.indkey, i.indoption, i.indisunique, i.indnatts, i.indnkeyatts, i.indnullsnotdistinct, i.indisvalid, pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid, true), a.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = '{relation.name}'::regclass ORDER BY 1",
                          f"SELECT relname, relkind, relnatts, reloptions FROM pg_class WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{relation.name}'::regclass) ORDER BY 1", f"SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{relation.name}'::regclass) ORDER BY c.relname, a.attnum"))

    def asking(self, relation, expressions):
        """A query that an index over the expressions could answer: a value of a row, and rows beside it."""
        name = relation.name
        key = self.pick(expressions)
        outer = ", ".join(["x.id"] if relation.unique else ["x.g"])
        value = f"(SELECT {key} FROM {name} WHERE id = {self.number(1, 9)} ORDER BY 1 LIMIT 1)"
        where = self.pick((f"{key} = {value}", f"{key} > {value}", f"{key} <= {value}", f"{key} IS NULL", f"{key} IS NOT NULL", f"{key} IN ({value}, {value})", f"{key} BETWEEN {value} AND {value}")) + (f" AND {self.pick(CONDITIONS)}" if self.chance(0.4) else "")
        order = ", ".join(f"{e}{self.pick(('', ' DESC', ' NULLS FIRST'))}" for e in expressions)
        return self.pick((f"SELECT {outer} FROM {name} x WHERE {where}", f"SELECT {outer}, {key} FROM {name} x WHERE {where}", f"SELECT count(*), min(id) FROM {name} WHERE {where}", f"SELECT id, g FROM {name} WHERE {where} ORDER BY {order}, id LIMIT {self.number(1, 9)}", f"SELECT id FROM {name} ORDER BY {order}, id", f"SELECT id, {key} FROM {name} WHERE {self.pick(CONDITIONS)} ORDER BY {order}, id OFFSET {self.number(0, 3)}",
                          f"SELECT {key}, count(*) FROM {name} WHERE {self.pick(CONDITIONS)} GROUP BY 1", f"UPDATE {name} SET g = {self.number(0, 5)} WHERE {where} RETURNING id, g", f"DELETE FROM {name} WHERE {where} RETURNING id"))

    def table(self):
        writable = [r for r in self.schema.special if r.writable and not r.name.startswith("v_")]
        return self.pick(self.schema.plain) if self.chance(0.8) else self.pick(writable)

    def indexes(self):
        """An index in a transaction: made, used, changed, dropped."""
        f = "index maintenance"
        relation = self.table()
        name = self.pick(("made_i", "made_i", '"Odd index"', "t1_pkey" if self.chance(0.1) else "ix", ""))
        text, expressions = self.definition(relation, name, concurrently=self.chance(0.01))
        known = name or "made_i"
        steps = [text, self.asking(relation, expressions)]
        if self.chance(0.7):
            steps.append(self.shown(relation))
        for _ in range(self.number(1, 3)):
            steps.append(self.pick((self.asking(relation, expressions), self.asking(relation, expressions), f"REINDEX INDEX {known}", f"REINDEX TABLE {relation.name}", f"ALTER INDEX {known} RENAME TO made_j", f"ALTER INDEX IF EXISTS nosuch RENAME TO nosuch2", f"DROP INDEX {known}", f"DROP INDEX IF EXISTS {relation.name}_i0, {relation.name}_i2", f"DROP INDEX IF EXISTS {known}, nosuch{self.pick(('', ' CASCADE', ' RESTRICT'))}", f"ALTER INDEX {known} SET (fillfactor = 80)", f"ALTER INDEX {known} RESET (fillfactor)", f"ALTER TABLE {relation.name} CLUSTER ON {known}",
                                    f"CLUSTER {relation.name} USING {known}", f"ALTER TABLE {known} RENAME TO made_k", f"COMMENT ON INDEX {known} IS 'an index'", f"SELECT pg_get_indexdef('{known}'::regclass), obj_description('{known}'::regclass, 'pg_class')", f"ALTER TABLE {relation.name} ADD CONSTRAINT made_c UNIQUE USING INDEX {known}", f"ALTER TABLE {relation.name} DROP COLUMN {self.pick(relation.columns)[0]}", f"ALTER TABLE {relation.name} RENAME COLUMN {self.pick(relation.columns)[0]} TO renamed", f"CREATE INDEX IF NOT EXISTS {known} ON {relation.name} (g)", f"ANALYZE {relation.name}")
                                   if self.chance(0.9) else (f"DROP INDEX {relation.name}_pkey", "DROP INDEX nosuch", f"CREATE INDEX {known} ON {relation.name} (id)", f"DROP INDEX CONCURRENTLY {known}", f"REINDEX INDEX CONCURRENTLY {known}", "REINDEX INDEX nosuch", f"REINDEX INDEX {relation.name}", f"REINDEX SCHEMA {self.name}", "VACUUM", f"VACUUM {relation.name}", "CLUSTER", f"CLUSTER {relation.name}", f"ALTER INDEX {known} ALTER COLUMN 1 SET STATISTICS 100", f"DROP TABLE {known}", f"CREATE INDEX ON {relation.name} (nosuch)", f"CREATE INDEX ON {relation.name} (random())", f"CREATE INDEX ON {relation.name} ((count(*)))", f"CREATE INDEX ON {relation.name} (id) WHERE now() > '2020-01-01'", f"CREATE INDEX ON {relation.name} USING nosuch (id)", "CREATE INDEX ON v_simple (id)", f"CREATE INDEX ON {relation.name} (id) INCLUDE (g) INCLUDE (id)", f"CREATE UNIQUE INDEX ON {relation.name} USING hash (id)", f"CREATE INDEX ON {relation.name} USING hash (id, g)", f"CREATE INDEX ON {relation.name} (id nosuch_ops)", f"CREATE INDEX ON {relation.name} ()", f"CREATE INDEX ON {relation.name} ((SELECT 1))")))
        steps.append(self.pick((self.shown(relation), self.asking(relation, expressions), f"SELECT * FROM {relation.name}")))
        if self.chance(0.6):
            return self.unit(f, *steps)
        # What was rolled back shows in the indexes that are there again.
        columns = [name for name, kind in relation.columns if kind in ORDERED and kind not in ("r4", "nr", "dr", "pair")]
        after = [text for text in (self.asking(relation, [self.pick(columns)]) for _ in range(4)) if text.startswith("SELECT")]
        return Unit([Statement("BEGIN"), *self.steps(f, *steps), Statement("ROLLBACK"), *self.steps(f, *after)], [Statement("ROLLBACK")])

    def upkeep(self):
        """What runs outside of transactions: CONCURRENTLY, VACUUM, ANALYZE, CLUSTER, REINDEX."""
        f = "index maintenance"
        relation = self.pick(self.schema.plain)
        t = relation.name
        undo = [Statement("ROLLBACK"), Statement("DROP INDEX IF EXISTS up_i, up_j"), Statement(f"ALTER TABLE {t} SET WITHOUT CLUSTER")]
        if self.chance(0.3):
            text, expressions = self.definition(relation, "up_i", concurrently=self.chance(0.6))
            return Unit(self.steps(f, text, self.asking(relation, expressions) if self.chance(0.1) else f"SELECT id, g FROM {t} WHERE {self.pick(CONDITIONS)}", self.shown(relation), self.pick((f"REINDEX INDEX {self.pick(('', 'CONCURRENTLY '))}up_i", f"REINDEX TABLE {self.pick(('', 'CONCURRENTLY '))}{t}", f"CLUSTER {t} USING up_i", "ALTER INDEX up_i RENAME TO up_j", f"VACUUM (ANALYZE) {t}")),
                                   f"SELECT id, {expressions[0]} FROM {t} WHERE {self.pick(CONDITIONS)}", self.pick(("DROP INDEX CONCURRENTLY up_i", "DROP INDEX up_i", "DROP INDEX CONCURRENTLY IF EXISTS up_i, nosuch", "DROP INDEX IF EXISTS up_j")), self.shown(relation)), undo)
        commands = [f"VACUUM {t}", f"VACUUM ANALYZE {t}", f"VACUUM (ANALYZE, FREEZE) {t}", f"VACUUM FULL {t}" if self.chance(0.2) else f"VACUUM (FREEZE) {t}", f"VACUUM (INDEX_CLEANUP {self.pick(('on', 'off', 'auto', 'nosuch'))}, TRUNCATE {self.pick(('on', 'off', '0'))}) {t}", f"VACUUM (PARALLEL {self.pick((0, 2, -1, 2000))}) {t}", f"VACUUM (SKIP_LOCKED, PROCESS_TOAST false) {t}", f"VACUUM (nosuch) {t}", f"VACUUM {t} (g)", f"VACUUM ANALYZE {t} (g, {self.pick(relation.columns)[0]})", "VACUUM nosuch", "VACUUM v_simple", "VACUUM mv", "VACUUM p_range", f"VACUUM {t}, tree",
                    f"ANALYZE {t}", f"ANALYZE {t} (g)", f"ANALYZE {t} (nosuch)", f"ANALYZE (SKIP_LOCKED) {t}, tree (id)", "ANALYZE v_simple", "ANALYZE p_list", "ANALYZE mv", f"ANALYZE {t} (g, g)", "ANALYZE (nosuch) t1", f"REINDEX TABLE {t}", f"REINDEX INDEX {t}_pkey", f"REINDEX INDEX CONCURRENTLY {t}_pkey" if self.chance(0.3) else f"REINDEX (TABLESPACE pg_default) INDEX {t}_pkey", f"REINDEX SCHEMA {self.name}" if self.chance(0.1) else f"REINDEX TABLE tree", "REINDEX SCHEMA nosuch", "REINDEX TABLE v_simple",
                    "REINDEX INDEX t1", "REINDEX DATABASE nosuch", "REINDEX TABLE p_hash", f"CLUSTER {t} USING {t}_pkey", f"CLUSTER {t}", f"CLUSTER {t} USING nosuch", "CLUSTER v_simple USING t1_pkey", f"CLUSTER {t} USING tree_pkey", "CHECKPOINT" if self.chance(0.05) else f"ANALYZE {t}", f"ALTER TABLE {t} CLUSTER ON {t}_pkey", f"ALTER TABLE {t} SET (autovacuum_enabled = false)", f"ALTER TABLE {t} RESET (autovacuum_enabled)", f"ALTER TABLE {t} ALTER g SET STATISTICS {self.pick((-1, 10, 10001, -5))}"]
        after = (f"SELECT count(*), count(g), min(g), max(id) FROM {t}", f"SELECT id, g FROM {t} WHERE {self.pick(CONDITIONS)}", f"SELECT indexrelid::regclass::text, indisclustered, indisvalid FROM pg_index WHERE indrelid = '{t}'::regclass ORDER BY 1", f"SELECT reltuples >= -1, relkind, reloptions FROM pg_class WHERE oid = '{t}'::regclass", f"SELECT attname, attstattarget FROM pg_attribute WHERE attrelid = '{t}'::regclass AND attnum > 0 ORDER BY 1")
        steps = [step for _ in range(self.number(1, 2)) for step in (self.pick(commands), self.pick(after), self.pick(after))]
        if self.chance(0.12):
            return self.unit(f, f"UPDATE {t} SET g = 1 WHERE id = 1", self.pick((f"VACUUM {t}", "VACUUM", f"REINDEX SCHEMA {self.name}", "REINDEX DATABASE nosuch", "CLUSTER", f"CREATE INDEX CONCURRENTLY up_i ON {t} (g)", f"DROP INDEX CONCURRENTLY {t}_pkey", f"REINDEX TABLE CONCURRENTLY {t}", f"ANALYZE {t}", f"CLUSTER {t} USING {t}_pkey", f"VACUUM FULL {t}")))
        return Unit(self.steps(f, *steps), undo + [Statement(f"ALTER TABLE {t} RESET (autovacuum_enabled), ALTER g SET STATISTICS -1")])

    # Databases

    def databases(self):
        f = "databases"
        self.databases_made += 1
        db = f"{self.name}_db{self.databases_made}"
        role = f"{self.name}_reader"
        shown = (f"SELECT datname, pg_encoding_to_char(encoding), datcollate, datctype, datistemplate, datallowconn, datconnlimit, datlocprovider, daticulocale, datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user) FROM pg_database WHERE datname LIKE '{self.name}%' ORDER BY 1", f"SELECT count(*), bool_and(datallowconn) FROM pg_database WHERE datname = '{db}'",
                 "SELECT current_database() = current_catalog, current_database() IN (SELECT datname FROM pg_database)", f"SELECT has_database_privilege('{role}', current_database(), '{self.pick(('CONNECT', 'CREATE', 'TEMP', 'TEMPORARY', 'CONNECT, CREATE', 'CREATE WITH GRANT OPTION', 'SELECT'))}')", f"SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = '{db}'", f"SELECT shobj_description(oid, 'pg_database'), datacl IS NULL FROM pg_database WHERE datname = '{db}'",
                 "SELECT datname, datistemplate, datallowconn FROM pg_database WHERE datname IN ('template0', 'template1', 'postgres') ORDER BY 1", f"SELECT a.privilege_type, a.is_grantable, a.grantee = 0 FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = '{db}'", f"SELECT has_database_privilege('{self.pick((role, 'public', 'nosuch'))}', '{self.pick((db, 'nosuch', 'template1'))}', 'CONNECT')", "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()",
                 "SELECT catalog_name = current_database() FROM information_schema.information_schema_catalog_name", f"SELECT count(*) FROM pg_stat_database WHERE datname = '{db}'", "SELECT d.datname = current_database(), d.datconnlimit FROM pg_database d JOIN pg_stat_activity a ON a.datid = d.oid WHERE a.pid = pg_backend_pid()", f"SELECT pg_database_size(current_database()) > 0, pg_database_size('{self.pick(('template1', 'nosuch'))}') > 0")
        bad = (f"DROP DATABASE {db}", "DROP DATABASE nosuch", f"DROP DATABASE IF EXISTS {db}", "ALTER DATABASE nosuch CONNECTION LIMIT 3", "ALTER DATABASE nosuch RENAME TO nosuch2", "CREATE DATABASE template1", f"CREATE DATABASE {db} TEMPLATE nosuch", f"CREATE DATABASE {db} ENCODING 'nosuch'", f"CREATE DATABASE {db} OWNER nosuch", f"CREATE DATABASE {db} CONNECTION LIMIT -5", f"CREATE DATABASE {db} TABLESPACE nosuch", f"CREATE DATABASE {db} NOSUCH 1", f"CREATE DATABASE {db} OWNER = {role} OWNER = {role}", f"CREATE DATABASE {db} LC_COLLATE 'nosuch'",
               "ALTER DATABASE nosuch SET work_mem = '5MB'", "ALTER DATABASE nosuch OWNER TO CURRENT_USER", "DROP DATABASE template1", f"CREATE DATABASE {db} LOCALE_PROVIDER nosuch", "COMMENT ON DATABASE nosuch IS 'x'", f"GRANT CONNECT ON DATABASE nosuch TO {role}", "DROP DATABASE IF EXISTS nosuch WITH (FORCE)", "DROP DATABASE nosuch WITH (nosuch)", "ALTER DATABASE nosuch IS_TEMPLATE true", "ALTER DATABASE template0 RENAME TO template1", f"ALTER DATABASE nosuch SET TABLESPACE pg_default", f"CREATE DATABASE {db} IS_TEMPLATE maybe", f"CREATE DATABASE {db} ALLOW_CONNECTIONS 7")
        if self.chance(0.1):
            return self.unit(f, self.pick(shown), self.pick((f"CREATE DATABASE {db}", "DROP DATABASE nosuch", f"DROP DATABASE {self.name}_db", "ALTER DATABASE nosuch RENAME TO x", f"GRANT CREATE ON DATABASE nosuch TO {role}", "ALTER DATABASE nosuch SET TABLESPACE pg_default", "ALTER DATABASE nosuch RESET ALL")))
        if self.chance(0.7):
            return Unit(self.steps(f, *[self.pick(shown) for _ in range(self.number(2, 4))], *([self.pick(bad)] if self.chance(0.5) else [])))
        options = " ".join(part for part in (self.pick(("", "", "TEMPLATE template0", "TEMPLATE = template1", "TEMPLATE DEFAULT")), self.pick(("", "", "ENCODING 'UTF8'", "ENCODING = utf8", "ENCODING 6", "ENCODING DEFAULT")), self.pick(("", "", f"OWNER {role}", "OWNER = DEFAULT")), self.pick(("", "", "CONNECTION LIMIT 5", "CONNECTION LIMIT = -1")), self.pick(("", "", "IS_TEMPLATE true", "ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS = true")), self.pick(("", "", "TABLESPACE pg_default", "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"))) if part)
        steps = [f"CREATE DATABASE {db}{self.pick((' ', ' WITH ')) if options else ''}{options}", shown[0]]
        for _ in range(self.number(3, 6)):
            steps += [self.pick((f"ALTER DATABASE {db} CONNECTION LIMIT {self.number(-1, 9)}", f"ALTER DATABASE {db} WITH ALLOW_CONNECTIONS {self.pick(('true', 'false'))}", f"ALTER DATABASE {db} IS_TEMPLATE {self.pick(('true', 'false'))}", f"ALTER DATABASE {db} SET {self.pick(('work_mem = ' + chr(39) + '5MB' + chr(39), 'search_path = a, b', 'timezone TO ' + chr(39) + 'UTC' + chr(39), 'nosuch = 1', 'statement_timeout = 0', 'my.own = 5', 'work_mem TO DEFAULT'))}", f"ALTER DATABASE {db} RESET {self.pick(('work_mem', 'ALL', 'search_path'))}", f"ALTER DATABASE {db} OWNER TO {self.pick((role, 'CURRENT_USER', 'nosuch'))}", f"COMMENT ON DATABASE {db} IS {self.pick(('NULL', literals.string(self.rng)))}", f"GRANT {self.pick(('CONNECT', 'CREATE', 'TEMP', 'ALL', 'SELECT'))} ON DATABASE {db} TO {self.pick((role, 'PUBLIC'))}{self.pick(('', ' WITH GRANT OPTION'))}", f"REVOKE {self.pick(('CONNECT', 'ALL', 'TEMPORARY'))} ON DATABASE {db} FROM PUBLIC", f"CREATE DATABASE {db}", f"ALTER DATABASE {db} RENAME TO {db}x", f"ALTER DATABASE {db}x RENAME TO {db}", f"ALTER DATABASE {db} SET TABLESPACE pg_default")), self.pick(shown)]
        undo = [Statement("ROLLBACK")] + [Statement(text) for name in (db, db + "x") for text in (f"ALTER DATABASE {name} IS_TEMPLATE false", f"DROP DATABASE IF EXISTS {name}")]
        return Unit(self.steps(f, *steps, self.pick((f"DROP DATABASE {db}", f"DROP DATABASE IF EXISTS {db}", f"DROP DATABASE {db} WITH (FORCE)", f"DROP DATABASE {db} (FORCE)")), shown[1]), undo)

    # Plans

    def explain(self):
        """EXPLAIN of what another maker makes. The rows are each server's own plan; that the statement ran shows in what it changed."""
        f = "explain"
        unit = self.pick(self.makers)()
        at = next((n for n, s in enumerate(unit.statements) if s.data is None and s.parameters is None and s.sql.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"))), None)
        if at is None:
            return unit
        said = unit.statements[at]
        analyze = self.chance(0.35)
        flags = [self.pick(("VERBOSE", "VERBOSE true", "VERBOSE off")), self.pick(("COSTS off", "COSTS", "COSTS false")), self.pick(("SUMMARY", "SUMMARY off")), self.pick(("SETTINGS", "SETTINGS off")), self.pick(("FORMAT JSON", "FORMAT TEXT", "FORMAT json"))]
        flags = [flag for flag in flags if self.chance(0.4)] + (["ANALYZE"] + [flag for flag in ("TIMING off", "BUFFERS", "TIMING on") if self.chance(0.3)] if analyze else [])
        if self.chance(0.04):
            flags.append(self.pick(("nosuch", "TIMING", "FORMAT nosuch", "VERBOSE maybe", "WAL", "BUFFERS maybe", "COSTS 7", "ANALYZE 0")))
        self.rng.shuffle(flags)
        head = f"EXPLAIN ({', '.join(flags)}) " if flags else "EXPLAIN ANALYZE " if analyze else self.pick(("EXPLAIN ", "EXPLAIN ", "EXPLAIN VERBOSE "))
        whole = self.pick(("", "", "", "", "", "CREATE TABLE made AS ", "DECLARE c CURSOR FOR ")) if said.sql.startswith(("SELECT", "WITH w", "VALUES")) and "$" not in said.sql else ""
        if whole == "DECLARE c CURSOR FOR " and analyze:
            whole = ""
        steps = [Statement(head + whole + said.sql, said.features | {f}, loose=said.loose, plan=True), *unit.statements[at + 1:]]
        if whole or (analyze and at == 0):
            return Unit([Statement("BEGIN"), *steps], [Statement("ROLLBACK")])
        return Unit(unit.statements[:at] + steps, unit.undo)

    # Privileges

    def privilege_functions(self):
        """has_..._privilege() and its family over roles of the unit's own."""
        f = "privileges functions"
        one, two = f"{self.name}_r1", f"{self.name}_r2"
        t = self.pick(("t1", "t2", "t3", "tree", "par", "p_range", "e_mood", "v_simple", "scratch"))
        relation = next((r for r in self.schema.plain + self.schema.special if r.name == t), self.schema.plain[0])
        column = self.pick(relation.columns)[0]
        options = self.pick(("", " LOGIN", " NOINHERIT", " CREATEDB CREATEROLE", " SUPERUSER", " CONNECTION LIMIT 3", " BYPASSRLS", " REPLICATION", " VALID UNTIL '2030-01-01 00:00+00'"))
        steps = [f"CREATE ROLE {one}{options}", f"CREATE {self.pick(('ROLE', 'ROLE', 'GROUP', 'USER'))} {two}{self.pick(('', f' IN ROLE {one}', f' ROLE {one}', ' NOINHERIT', f' ADMIN {one}'))}"]
        who = (one, one, two, two, "PUBLIC", "CURRENT_USER")
        rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "SELECT, INSERT", "ALL", f"SELECT ({column})", f"UPDATE ({column}), SELECT (id)", f"REFERENCES (id)", "ALL PRIVILEGES")
        for _ in range(self.number(1, 3)):
            option = self.pick(("", "", " WITH GRANT OPTION"))
            steps.append(self.pick((f"GRANT {self.pick(rights)} ON {t} TO {self.pick(who[:5])}{option}", f"GRANT {self.pick(rights)} ON TABLE {t}, tree TO {one}, {two}", f"GRANT {one} TO {two}{self.pick(('', ' WITH ADMIN OPTION'))}", f"REVOKE {self.pick(('', 'GRANT OPTION FOR '))}{self.pick(rights)} ON {t} FROM {self.pick(who)}{self.pick(('', ' CASCADE'))}", f"GRANT USAGE{self.pick((', CREATE', ''))} ON SCHEMA {self.name} TO {self.pick(who[:5])}", f"GRANT {self.pick(('USAGE', 'SELECT', 'UPDATE', 'ALL'))} ON SEQUENCE s1 TO {self.pick(who[:5])}",
                                    f"GRANT EXECUTE ON FUNCTION f_add(integer, integer) TO {self.pick(who[:5])}{option}", "REVOKE EXECUTE ON FUNCTION f_add FROM PUBLIC", f"GRANT USAGE ON TYPE mood TO {one}", "REVOKE USAGE ON DOMAIN posint FROM PUBLIC", f"GRANT USAGE ON LANGUAGE plpgsql TO {one}", f"ALTER TABLE {t} OWNER TO {one}", f"GRANT SELECT ON ALL TABLES IN SCHEMA {self.name} TO {two}", f"ALTER DEFAULT PRIVILEGES IN SCHEMA {self.name} GRANT {self.pick(('SELECT', 'INSERT', 'ALL'))} ON TABLES TO {one}", f"GRANT pg_{self.pick(('read_all_data', 'write_all_data', 'monitor'))} TO {one}", f"GRANT {self.pick(rights)} ON {t} TO nosuch" if self.chance(0.05) else f"GRANT SELECT ON {t} TO {one}", f"REVOKE {two} FROM {one}", f"ALTER ROLE {one} {self.pick(('NOINHERIT', 'SUPERUSER', 'NOLOGIN'))}")))
        for _ in range(self.number(5, 9)):
            role = self.pick((one, two))
            table_right = self.pick(("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "SELECT WITH GRANT OPTION", "INSERT, UPDATE", "select", "INSERT,DELETE WITH GRANT OPTION", "NOSUCH" if self.chance(0.1) else "SELECT"))
            column_right = self.pick(("SELECT", "INSERT", "UPDATE", "REFERENCES", "UPDATE WITH GRANT OPTION", "SELECT, UPDATE", "DELETE" if self.chance(0.1) else "SELECT"))
            steps.append(self.pick((f"SELECT has_table_privilege('{role}', '{t}', '{table_right}'), has_table_privilege('{t}', '{table_right}'), has_any_column_privilege('{role}', '{t}', '{column_right}')", f"SELECT has_column_privilege('{role}', '{t}', '{column}', '{column_right}'), has_column_privilege('{role}', '{t}'::regclass, {self.number(-1, 3)}::int2, '{column_right}')", f"SELECT has_schema_privilege('{role}', '{self.name}', '{self.pick(('USAGE', 'CREATE', 'USAGE, CREATE', 'CREATE WITH GRANT OPTION'))}')", f"SELECT has_sequence_privilege('{role}', 's1', '{self.pick(('USAGE', 'SELECT', 'UPDATE'))}'), has_sequence_privilege('{role}', 's2', 'USAGE, SELECT')", f"SELECT has_function_privilege('{role}', 'f_add(integer, integer)', 'EXECUTE'), has_function_privilege('{role}', 'f_even(int)', 'EXECUTE WITH GRANT OPTION')", f"SELECT has_type_privilege('{role}', 'mood', 'USAGE'), has_type_privilege('{role}', 'posint', 'USAGE'), has_type_privilege('{role}', 'integer', 'USAGE')", f"SELECT has_language_privilege('{role}', 'plpgsql', 'USAGE'), has_language_privilege('{role}', 'c', 'USAGE')", f"SELECT has_tablespace_privilege('{role}', 'pg_default', 'CREATE')",
                                    f"SELECT pg_has_role('{one}', '{two}', '{self.pick(('MEMBER', 'USAGE', 'USAGE WITH GRANT OPTION', 'MEMBER WITH ADMIN OPTION'))}'), pg_has_role('{two}', '{one}', '{self.pick(('MEMBER', 'USAGE'))}'), pg_has_role('{role}', 'USAGE')", f"SELECT x, has_table_privilege('{role}', x, '{table_right}') FROM unnest(ARRAY['t1', 't2', 't3', 'tree', 'v_simple', 'mv']) x", f"SELECT c.relname, has_table_privilege('{role}', c.oid, '{table_right}'), has_any_column_privilege('{role}', c.oid, '{column_right}') FROM pg_class c WHERE c.relnamespace = '{self.name}'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')", f"SELECT a.attname, has_column_privilege('{role}', a.attrelid, a.attnum, '{column_right}') FROM pg_attribute a WHERE a.attrelid = '{t}'::regclass AND a.attnum > 0",
                                    f"SELECT CASE WHEN a.grantee = 0 THEN 'public' WHEN a.grantee = a.grantor THEN 'owner' ELSE a.grantee::regrole::text END, a.privilege_type, a.is_grantable FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a WHERE c.oid = '{t}'::regclass", f"SELECT att.attname, a.grantee::regrole::text, a.privilege_type, a.is_grantable FROM pg_attribute att, aclexplode(att.attacl) a WHERE att.attrelid = '{t}'::regclass AND a.grantee <> 0", f"SELECT privilege_type, is_grantable, with_hierarchy FROM information_schema.role_table_grants WHERE grantee = '{role}' AND table_schema = '{self.name}' AND table_name = '{t}'", f"SELECT table_name, privilege_type, is_grantable FROM information_schema.table_privileges WHERE grantee IN ('{one}', '{two}', 'PUBLIC') AND table_schema = '{self.name}'", f"SELECT grantee, table_name, column_name, privilege_type FROM information_schema.column_privileges WHERE grantee IN ('{one}', '{two}') AND table_schema = '{self.name}' AND table_name = '{t}'", f"SELECT grantee, column_name, privilege_type, is_grantable FROM information_schema.role_column_grants WHERE grantee = '{role}' AND table_name = '{t}' AND table_schema = '{self.name}'",
                                    f"SELECT routine_name, privilege_type FROM information_schema.role_routine_grants WHERE grantee IN ('{role}', 'PUBLIC') AND routine_schema = '{self.name}'", f"SELECT object_name, object_type, privilege_type, is_grantable FROM information_schema.usage_privileges WHERE grantee IN ('{one}', '{two}') AND object_schema = '{self.name}'", f"SELECT r.rolname, m.rolname, a.admin_option FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE m.rolname IN ('{one}', '{two}')", f"SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil FROM pg_roles WHERE rolname IN ('{one}', '{two}') ORDER BY 1", f"SELECT makeaclitem('{role}'::regrole, '{one}'::regrole, '{self.pick(('SELECT', 'INSERT', 'USAGE'))}', {self.pick(('true', 'false'))})", f"SELECT array_to_string(acldefault('{self.pick('rfnTl')}', '{role}'::regrole), ',')", f"SELECT has_table_privilege('{role}', 'nosuch', 'SELECT')" if self.chance(0.1) else f"SELECT '{role}'::regrole, to_regrole('{role}')::text, to_regrole('nosuch')",
                                    f"SELECT has_table_privilege('nosuch', '{t}', 'SELECT')" if self.chance(0.1) else f"SELECT has_table_privilege('public', '{t}', '{table_right}')", f"SELECT has_table_privilege(0::oid, '{t}'::regclass, 'SELECT'), has_table_privilege(4242424242::oid, '{t}', 'SELECT'), has_table_privilege('{role}', 4242424242::oid, 'SELECT')", f"SELECT count(*) FROM information_schema.applicable_roles WHERE grantee IN ('{one}', '{two}')", f"SELECT relname FROM pg_class WHERE relowner = '{role}'::regrole AND relkind = 'r' ORDER BY 1", f"SELECT aclcontains(relacl, makeaclitem('{role}'::regrole, relowner, 'SELECT', false)) FROM pg_class WHERE oid = '{t}'::regclass AND relacl IS NOT NULL")))
        if self.chance(0.3):
            steps += [f"SET ROLE {self.pick((one, two))}", self.pick((f"SELECT count(*) FROM {t}", f"SELECT has_table_privilege('{t}', 'SELECT'), has_schema_privilege('{self.name}', 'USAGE'), current_user", "SELECT count(*) FROM information_schema.enabled_roles", f"UPDATE {t} SET {column} = {column}", f"SELECT id FROM {t} FOR UPDATE"))]
        return Unit.rolled_back(self.steps(f, *steps))

    # Catalogs

    def clients(self):
        """Queries of psql, JDBC, Django, SQLAlchemy and others over a relation of the schema."""
        f = "catalogs"
        names = [r.name for r in self.schema.plain * 3 + self.schema.special] + ["tree", "par", "chi", "dfr", "trg", "scratch", "p_range_0", "p_list_2", "t1_pkey", "s1", "ser", "mv", "nosuch" if self.chance(0.05) else "t1"]
        steps = []
        for _ in range(self.number(1, 3)):
            name = self.pick(names)
            text = self.pick(self.queries).replace("{relation}", name).replace("{name}", name).replace("{schema}", self.name)
            steps.append(Statement(text, {f}, text.endswith("ORDER BY 1")))
        return Unit(steps)
