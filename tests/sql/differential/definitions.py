"""Definitions: units that make, show, use and drop objects of their own."""

import literals
from expressions import EMPTY
from statement import Statement, Unit


class Definitions:
    def __init__(self, rng, expressions, schema, selects, name):
        self.rng, self.x, self.schema, self.selects, self.name = rng, expressions, schema, selects, name
        self.pick, self.chance, self.number = expressions.pick, expressions.chance, selects.number

    def steps(self, feature, *texts, extra=()):
        features = {feature, *extra} | self.x.take_features()
        return [Statement(text, features, text.endswith("ORDER BY 1")) for text in texts]

    def unit(self, feature, *texts, extra=()):
        return Unit.rolled_back(self.steps(feature, *texts, extra=extra))

    def literal(self, kind):
        return literals.value(self.rng, kind)

    def create_as(self):
        f = "create table as and like"
        text, scope = self.selects.source("a")
        outputs = [("a.id" if scope.keys else "1", "int4")] + self.selects.outputs(scope, 1)
        listed = ", ".join(f"{t} AS n{n}" for n, (t, _) in enumerate(outputs))
        query = f"SELECT {listed} FROM {text}{self.selects.where(scope, 1, 0.4)}"
        shape = self.number(0, 4)
        if shape == 0:
            return self.unit(f, f"CREATE TABLE made AS {query}", "SELECT * FROM made", "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 ORDER BY 1")
        if shape == 1:
            return self.unit(f, f"CREATE TABLE made AS {query} WITH NO DATA", "SELECT count(*) FROM made")
        if shape == 2:
            return self.unit(f, f"SELECT {listed} INTO made FROM {text}", "SELECT * FROM made")
        relation = self.pick(self.schema.plain)
        options = self.pick(("", " INCLUDING ALL", " INCLUDING DEFAULTS", " INCLUDING CONSTRAINTS", " INCLUDING INDEXES", " INCLUDING ALL EXCLUDING INDEXES", " INCLUDING COMMENTS"))
        return self.unit(f, f"CREATE TABLE made (LIKE {relation.name}{options}, extra int)", f"INSERT INTO made SELECT *, 1 FROM {relation.name}", "SELECT count(*), min(id), sum(extra) FROM made",
                         "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 ORDER BY 1",
                         "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'made'::regclass ORDER BY 1")

    def temporary(self):
        f = "temporary tables"
        kind = self.pick(literals.COMMON)
        sql = literals.SQL_TYPES[kind]
        end = self.pick(("", "", " ON COMMIT PRESERVE ROWS", " ON COMMIT DROP", " ON COMMIT DELETE ROWS"))
        rows = ", ".join(f"({n}, {self.literal(kind)})" for n in range(1, self.number(2, 5)))
        body = [f"CREATE {self.pick(('TEMP', 'TEMPORARY', 'LOCAL TEMP'))} TABLE tmp (id int PRIMARY KEY, v {sql}){end}", f"INSERT INTO tmp VALUES {rows}", "SELECT * FROM tmp ORDER BY id", self.pick(("UPDATE tmp SET id = id + 10 RETURNING id", "DELETE FROM tmp WHERE id = 1", "SELECT t1.id, tmp.v FROM t1 JOIN tmp USING (id)", "TRUNCATE tmp")),
                "SELECT count(*) FROM tmp", "SELECT relpersistence, relkind FROM pg_class WHERE oid = 'tmp'::regclass"]
        if self.chance(0.4):
            return Unit([Statement("BEGIN"), *self.steps(f, *body), Statement("COMMIT"), *self.steps(f, "SELECT count(*) FROM tmp")], [Statement("ROLLBACK"), Statement("DROP TABLE IF EXISTS pg_temp.tmp")])
        return self.unit(f, *body)

    def comments(self):
        f = "comments"
        text = self.pick(("'a comment'", "'it''s'", "'日本'", "NULL", "''"))
        target, show = self.pick((("TABLE t1", "obj_description('t1'::regclass)"), ("COLUMN t1.g", "col_description('t1'::regclass, 2)"), ("INDEX t1_pkey", "obj_description('t1_pkey'::regclass, 'pg_class')"), ("SEQUENCE s1", "obj_description('s1'::regclass)"),
                                  ("VIEW v_simple", "obj_description('v_simple'::regclass)"), ("CONSTRAINT t1_pkey ON t1", "(SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 't1_pkey' AND conrelid = 't1'::regclass)"),
                                  ("TABLE nosuch", "1"), ("COLUMN t1.nosuch", "1"), ("COLUMN v_simple.g", "col_description('v_simple'::regclass, 2)"), (f"SCHEMA {self.name}", f"obj_description('{self.name}'::regnamespace)")))
        return self.unit(f, f"COMMENT ON {target} IS {text}", f"SELECT {show}", f"COMMENT ON {target} IS NULL", f"SELECT {show} IS NULL")

    def sequences(self):
        f = "sequences"
        options = self.pick(("", " START WITH 10", " INCREMENT BY 5 START 2", " INCREMENT -1", " MINVALUE 5 MAXVALUE 7", " MAXVALUE 2 CYCLE", " AS smallint MAXVALUE 3", " CACHE 3", " START 0", " INCREMENT 0", " MINVALUE 9 MAXVALUE 3", " AS text"))
        calls = [self.pick(("SELECT nextval('sq')", "SELECT nextval('sq'), nextval('sq')", "SELECT currval('sq')", "SELECT lastval()", f"SELECT setval('sq', {self.number(0, 6)})", f"SELECT setval('sq', {self.number(1, 6)}, false)", f"ALTER SEQUENCE sq RESTART WITH {self.number(1, 6)}", "ALTER SEQUENCE sq INCREMENT 2",
                            "ALTER SEQUENCE sq RESTART", "SELECT last_value, is_called FROM sq", "SELECT nextval('nosuch')", "SELECT start_value, min_value, max_value, increment_by, cycle, last_value FROM pg_sequences WHERE sequencename = 'sq'", "SELECT nextval('sq') FROM generate_series(1, 3)")) for _ in range(self.number(2, 5))]
        return self.unit(f, f"CREATE SEQUENCE sq{options}", *calls, "DROP SEQUENCE sq")

    def serials(self):
        f = "sequences"
        return self.unit(f, self.pick(("INSERT INTO ser (v) VALUES ('x') RETURNING id > 0, big > 0, g", "INSERT INTO ser (id, v) VALUES (100, 'x') RETURNING id", "INSERT INTO ser (g, v) VALUES (7, 'x') RETURNING g", "INSERT INTO ser (g) OVERRIDING SYSTEM VALUE VALUES (8) RETURNING g", "INSERT INTO ser (g) OVERRIDING USER VALUE VALUES (8) RETURNING g > 8",
                                       "INSERT INTO ser VALUES (DEFAULT, DEFAULT, DEFAULT, 'd') RETURNING v", "UPDATE ser SET g = 3", "UPDATE ser SET g = DEFAULT WHERE id = 1", "SELECT pg_get_serial_sequence('ser', 'id') LIKE '%ser_id_seq', pg_get_serial_sequence('ser', 'v')")), "SELECT count(*) FROM ser")

    def generated(self):
        f = "generated columns"
        n = self.number(1, 9)
        return self.unit(f, self.pick((f"INSERT INTO gen (id, g, v_text) VALUES (50, {n}, 'q') RETURNING *", f"UPDATE gen SET g = {n} WHERE id < 4 RETURNING id, twice", "INSERT INTO gen (id, twice) VALUES (60, 1)", "UPDATE gen SET twice = 3", "UPDATE gen SET twice = DEFAULT WHERE id = 1 RETURNING twice", "INSERT INTO gen VALUES (61, 1, 'a', DEFAULT, DEFAULT) RETURNING up",
                                       "INSERT INTO gen VALUES (62, 1, 'a', 5)", "ALTER TABLE gen ADD thrice int GENERATED ALWAYS AS (g * 3) STORED", "ALTER TABLE gen ALTER twice DROP EXPRESSION", "ALTER TABLE gen ADD bad int GENERATED ALWAYS AS (twice + 1) STORED", "ALTER TABLE gen ADD bad text GENERATED ALWAYS AS (now()::text) STORED",
                                       "ALTER TABLE gen DROP COLUMN v_text")), "SELECT * FROM gen ORDER BY 1")

    def views(self):
        f = "views"
        text, scope = self.selects.source("a", self.pick(self.schema.plain))
        outputs = self.selects.outputs(scope, 1)
        listed = ", ".join(f"{t}{self.pick(('::text', '')) if t.startswith(chr(39)) else ''} AS o{n}" for n, (t, _) in enumerate(outputs))
        return self.unit(f, f"CREATE {self.pick(('', 'OR REPLACE ', 'TEMP '))}VIEW vw AS SELECT {listed} FROM {text}{self.selects.where(scope, 1, 0.5)}", "SELECT * FROM vw", self.pick(("CREATE OR REPLACE VIEW vw AS SELECT 1 AS one", "DROP TABLE vw", "ALTER VIEW vw RENAME TO vw2", "SELECT relkind, relhasrules FROM pg_class WHERE oid = 'vw'::regclass", "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'vw' ORDER BY 1", "CREATE VIEW vw AS SELECT 1",
                                       "INSERT INTO vw DEFAULT VALUES", "SELECT count(*) FROM vw x JOIN vw y ON true")), "DROP VIEW IF EXISTS vw, nosuch")

    def materialized(self):
        f = "materialized views"
        text, scope = self.selects.source("a", self.pick(self.schema.plain))
        listed = ", ".join(f"{t} AS o{n}" for n, (t, _) in enumerate([("a.id", "int4")] + self.selects.outputs(scope, 1)))
        return self.unit(f, f"CREATE MATERIALIZED VIEW made AS SELECT {listed} FROM {text}{self.selects.where(scope, 1, 0.4)}{self.pick(('', '', ' WITH NO DATA'))}", self.pick(("SELECT * FROM made", "SELECT count(*) FROM made", "REFRESH MATERIALIZED VIEW made", "INSERT INTO made DEFAULT VALUES", "CREATE UNIQUE INDEX ON made (o0)", "REFRESH MATERIALIZED VIEW CONCURRENTLY made")),
                         "SELECT matviewname, ispopulated FROM pg_matviews WHERE matviewname = 'made'", "DROP MATERIALIZED VIEW made")

    def refresh(self):
        f = "materialized views"
        return self.unit(f, f"UPDATE t1 SET g = coalesce(g, 0) + 1 WHERE id < {self.number(2, 9)}", "SELECT id, g FROM mv ORDER BY 1", "REFRESH MATERIALIZED VIEW mv", "SELECT id, g FROM mv ORDER BY 1")

    def partitions(self):
        f = "partitioning"
        table = self.pick(("p_range", "p_list", "p_hash"))
        n = self.number(1, 30)
        return self.unit(f, self.pick((f"INSERT INTO {table} VALUES ({n}, {self.number(0, 6)}, 'new', 1) RETURNING tableoid::regclass, *", f"UPDATE {table} SET id = id + {n} WHERE g = {self.number(0, 4)}", f"UPDATE {table} SET g = {self.number(0, 5)} WHERE id = {n % 12} RETURNING tableoid::regclass, g", f"DELETE FROM {table} WHERE id < {n} RETURNING id",
                                       f"INSERT INTO {table}_0 VALUES ({n}, 1, 'direct', 2)", f"CREATE TABLE {table}_x PARTITION OF {table} FOR VALUES FROM ({n + 100}) TO ({n + 110})", f"ALTER TABLE {table} DETACH PARTITION {table}_1", f"TRUNCATE {table}_0", f"CREATE INDEX ON {table} (g)", f"ALTER TABLE {table} ADD PRIMARY KEY (id)",
                                       f"CREATE TABLE {table}_y PARTITION OF {table} FOR VALUES IN ({n})", f"DROP TABLE {table}_1")), f"SELECT tableoid::regclass::text AS part, * FROM {table} ORDER BY id", f"SELECT count(*) FROM {table}_0",
                         f"SELECT pg_get_expr(relpartbound, oid), relispartition FROM pg_class WHERE relname = '{table}_0' AND relnamespace = '{self.name}'::regnamespace")

    def privileges(self):
        f = "roles and privileges"
        role = f"{self.name}_reader"
        steps = [Statement(self.pick((f"GRANT SELECT, INSERT ON t2 TO {role}", f"GRANT UPDATE (g) ON t2 TO {role}", f"REVOKE SELECT ON t1 FROM {role}", f"GRANT ALL ON t3 TO {role}", f"GRANT SELECT ON t2 TO PUBLIC", f"GRANT USAGE ON SEQUENCE s1 TO {role}", f"GRANT EXECUTE ON FUNCTION f_add TO {role}", f"GRANT SELECT ON nosuch TO {role}", f"GRANT SELECT ON t1 TO nosuch", f"GRANT SELECT (id) ON t3 TO {role} WITH GRANT OPTION")), {f}),
                 Statement(self.pick((f"SELECT has_table_privilege('{role}', 't1', 'SELECT'), has_table_privilege('{role}', 't2', 'INSERT'), has_column_privilege('{role}', 't2', 'g', 'UPDATE')", f"SELECT has_schema_privilege('{role}', '{self.name}', 'USAGE'), has_schema_privilege('{role}', '{self.name}', 'CREATE')",
                                      f"SELECT privilege_type, is_grantable FROM information_schema.role_table_grants WHERE grantee = '{role}' ORDER BY 1")), {f}),
                 Statement(f"SET ROLE {role}", {f})]
        for _ in range(self.number(1, 2)):
            steps.append(Statement(self.pick(("SELECT count(*) FROM t1", "SELECT count(*) FROM t2", "SELECT id FROM t3 WHERE id < 3 ORDER BY id", "UPDATE t2 SET g = 1 WHERE id = 1", "DELETE FROM t1", "INSERT INTO t2 (id) VALUES (900)", "SELECT nextval('s1') > 0", "CREATE TABLE mine (a int)", "SELECT f_add(1, 2)", "DROP TABLE t1", "SELECT current_user = session_user", "TRUNCATE t2", "ALTER TABLE t1 ADD z int", "SELECT count(*) FROM v_simple")), {f}))
        return Unit.rolled_back(steps)

    def domains(self):
        f = "domains"
        return self.unit(f, self.pick((f"SELECT {self.number(-2, 5)}::posint + 1", "SELECT 'toolong'::short", "SELECT NULL::short", "SELECT ''::short || 'x'", f"INSERT INTO d_dom (id, p, s) VALUES (90, {self.number(-3, 3)}, 'n') RETURNING *", "INSERT INTO d_dom (id) VALUES (91) RETURNING *", "UPDATE d_dom SET p = p - 5 WHERE id = 1", "SELECT pg_typeof(p), pg_typeof(p + 1), pg_typeof(s) FROM d_dom LIMIT 1",
                                       f"CREATE DOMAIN dm AS numeric(5,2) DEFAULT 1.5 CHECK (VALUE < {self.number(1, 9)})", "ALTER DOMAIN posint ADD CONSTRAINT small CHECK (VALUE < 100)", "ALTER DOMAIN posint DROP CONSTRAINT posint_check", "DROP DOMAIN posint", "CREATE DOMAIN posint AS int", "SELECT '{1,2}'::posint[]", "SELECT ARRAY[1, -1]::posint[]", "SELECT CAST('5' AS posint) * 2, 7::posint::text")),
                         "SELECT * FROM d_dom ORDER BY 1")

    def enums(self):
        f = "enums"
        return self.unit(f, self.pick(("SELECT enum_range(NULL::mood), enum_first(NULL::mood), enum_last(NULL::mood)", "SELECT 'nosuch'::mood", "SELECT m, m < 'happy', m::text || '!' FROM e_mood", "SELECT max(m), min(m), count(DISTINCT m) FROM e_mood", "SELECT m, count(*) FROM e_mood GROUP BY m ORDER BY m", "SELECT id FROM e_mood ORDER BY m DESC NULLS LAST, id", "SELECT id FROM e_mood WHERE m = ANY (ARRAY['sad', 'ok']::mood[]) ORDER BY 1",
                                       "SELECT enum_range('ok'::mood, NULL)", "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", "ALTER TYPE mood ADD VALUE 'angry' BEFORE 'sad'", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'", "CREATE TYPE mood AS ENUM ('x')", "CREATE TYPE en AS ENUM ('a', 'a')", "DROP TYPE mood", "INSERT INTO e_mood VALUES (90, 1, 'bad')", "SELECT m = 'ok', m <> m2, m > m2, coalesce(m, 'sad') FROM e_mood", "SELECT 'ok'::mood = 'ok'::text",
                                       "SELECT enumlabel, enumsortorder FROM pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY 1", "CREATE INDEX ON e_mood (m)", "SELECT ARRAY['ok', 'sad']::mood[], '{happy}'::mood[]")), "SELECT id, m, m2 FROM e_mood ORDER BY 1")

    def composites(self):
        f = "composite types"
        return self.unit(f, self.pick(("SELECT (p).n, (p).s FROM k_comp", "SELECT p, p IS NULL FROM k_comp", "SELECT ROW(1, 'a')::pair, '(2,\"b c\")'::pair", "SELECT (ROW(1, 'a')::pair).s", "SELECT (p).* FROM k_comp ORDER BY 1, 2", "SELECT id FROM k_comp WHERE p = ROW(1, 'a')::pair", "SELECT p < ROW(3, 'a')::pair FROM k_comp", "UPDATE k_comp SET p.n = 9 WHERE id < 3", "UPDATE k_comp SET p = NULL", "INSERT INTO k_comp (id, p.n) VALUES (90, 4)", "SELECT (p).nosuch FROM k_comp",
                                       "SELECT '(1)'::pair", "SELECT '(x,y)'::pair", "SELECT ARRAY[ROW(1, 'x')::pair]", "SELECT row_to_json(p), to_jsonb(p) FROM k_comp", "SELECT t1 IS NULL, (t1).id FROM t1", "SELECT t1 = t1 FROM t1 WHERE g = 1", "ALTER TYPE pair ADD ATTRIBUTE z int", "CREATE TYPE pr AS (a int, a text)", "DROP TYPE pair", "SELECT jsonb_populate_record(NULL::pair, '{\"n\": 5, \"s\": \"q\"}')", "SELECT (SELECT p FROM k_comp ORDER BY id LIMIT 1)", "SELECT pg_typeof(p) FROM k_comp LIMIT 1")),
                         "SELECT id, p FROM k_comp ORDER BY 1")

    def do_blocks(self):
        f = "plpgsql"
        n = self.number(0, 5)
        body = self.pick((f"BEGIN UPDATE t1 SET g = {n} WHERE id = 1; END", f"DECLARE x int := {n}; BEGIN WHILE x > 0 LOOP INSERT INTO tree (id) VALUES (800 + x); x := x - 1; END LOOP; END", f"BEGIN RAISE NOTICE 'n is %', {n}; END", f"BEGIN IF {n} > 2 THEN RAISE EXCEPTION 'too much: %', {n} USING ERRCODE = '22012', HINT = 'less'; END IF; END",
                          "DECLARE r record; BEGIN FOR r IN SELECT id, g FROM t1 ORDER BY id LIMIT 2 LOOP RAISE NOTICE '% %', r.id, r.g; END LOOP; END", "DECLARE v int; BEGIN SELECT g INTO STRICT v FROM t1 WHERE id = -1; END", "DECLARE v int; BEGIN SELECT count(*) INTO v FROM t1; RAISE NOTICE 'count %', v; END",
                          f"BEGIN BEGIN PERFORM 1 / ({n} - {n}); EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught % %', SQLSTATE, SQLERRM; END; END", f"BEGIN FOR i IN REVERSE {n}..1 BY 2 LOOP RAISE NOTICE '%', i; END LOOP; END", "BEGIN EXECUTE 'UPDATE t1 SET g = $1 WHERE id = 2' USING 3; END", "BEGIN nosuch(); END", "BEGIN SELECT 1; END", "DECLARE a int[] := '{1,2,3}'; s int := 0; x int; BEGIN FOREACH x IN ARRAY a LOOP s := s + x; END LOOP; RAISE NOTICE '%', s; END",
                          f"BEGIN CASE {n} WHEN 1 THEN RAISE NOTICE 'one'; WHEN 2, 3 THEN RAISE NOTICE 'few'; END CASE; END", "DECLARE c int; BEGIN UPDATE t1 SET g = 1 WHERE id < 4; GET DIAGNOSTICS c = ROW_COUNT; RAISE NOTICE 'rows %', c; END", f"BEGIN ASSERT {n} < 3, 'large'; END"))
        return self.unit(f, f"DO $${body}$$", "SELECT id, g FROM t1 ORDER BY 1")

    def alter(self):
        f = "alter table"
        relation = self.pick(self.schema.plain)
        name = relation.name
        column, kind = self.pick(relation.columns[2:])
        good = (f"ALTER TABLE {name} ADD COLUMN z int DEFAULT {self.number(0, 9)}", f"ALTER TABLE {name} ADD z text NOT NULL DEFAULT 'q' CHECK (z <> '')", f"ALTER TABLE {name} DROP COLUMN {column}", f"ALTER TABLE {name} RENAME COLUMN {column} TO renamed", f"ALTER TABLE {name} ALTER {column} SET NOT NULL", f"ALTER TABLE {name} ALTER {column} DROP NOT NULL", f"ALTER TABLE {name} ALTER {column} SET DEFAULT {self.literal(kind)}",
                         f"ALTER TABLE {name} ADD CONSTRAINT k CHECK (id > {self.number(-1, 3)})", f"ALTER TABLE {name} ALTER g TYPE bigint", f"ALTER TABLE {name} ALTER g TYPE text", f"ALTER TABLE {name} ALTER {column} TYPE text USING {column}::text", f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey",
                         f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS id int", f"ALTER TABLE {name} DROP COLUMN IF EXISTS nosuch", f"ALTER TABLE {name} ADD FOREIGN KEY (g) REFERENCES par", f"CREATE UNIQUE INDEX ON {name} (id, g)", f"CREATE TABLE IF NOT EXISTS {name} (a int)", "DROP TABLE IF EXISTS nosuch")
        bad = (f"ALTER TABLE {name} DROP CONSTRAINT nosuch", f"ALTER TABLE {name} ADD COLUMN id int", f"ALTER TABLE {name} DROP COLUMN nosuch", f"ALTER TABLE {name} ADD PRIMARY KEY (id)", f"CREATE TABLE {name} (a int)", "DROP TABLE nosuch", f"DROP INDEX {name}_pkey", f"ALTER TABLE {name} ADD UNIQUE (g)", f"DROP TABLE {name}", f"ALTER TABLE {name} RENAME TO renamed_t")
        sql = self.pick(bad if self.chance(0.15) else good)
        return self.unit(f, sql, self.pick((f"SELECT * FROM {name} ORDER BY 1", f"SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = '{name}' AND table_schema = '{self.name}' ORDER BY 1", f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{name}'::regclass ORDER BY 1", f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{name}' AND schemaname = '{self.name}' ORDER BY 1",
                                          f"SELECT attname, attnotnull, atthasdef, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{name}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1")))

    def constraints(self):
        f = "constraints"
        n = self.number(2, 9)
        good = (f"CREATE TABLE made (a int PRIMARY KEY, b text CHECK (length(b) < {n}), UNIQUE (b))", "CREATE TABLE made (a int, b text, PRIMARY KEY (a, b))", "CREATE TABLE made (a int REFERENCES par, b text NOT NULL)", "CREATE TABLE made (a int CONSTRAINT pos CHECK (a > 0) CHECK (a < 50), b text)", "CREATE TABLE made (a int UNIQUE NULLS NOT DISTINCT, b text)", "CREATE TABLE made (a int REFERENCES par, b text CHECK (b <> '') UNIQUE)", "CREATE TABLE made (a int, b text, CHECK (a IS NOT NULL OR b IS NOT NULL))")
        bad = ("CREATE TABLE made (a int, a text)", "CREATE TABLE made (a nosuch)",
                         "CREATE TABLE made (a int DEFAULT 'x', b text)", "CREATE TABLE made (a int CHECK (b > 1), b text)", "CREATE TABLE made (a int, b text, FOREIGN KEY (a) REFERENCES tree (g))", "CREATE TABLE made (a int REFERENCES nosuch, b text)", "CREATE TABLE made (a int PRIMARY KEY, b text REFERENCES par)", "CREATE TABLE made (a int NOT NULL NULL, b text)", "CREATE TABLE made (a int CHECK (count(*) > 1), b text)")
        sql = self.pick(bad if self.chance(0.1) else good)
        rows = self.pick(("(1, 'a')", "(1, 'ab'), (2, 'a'), (3, 'b')", "(2, 'x'), (4, 'y')") if self.chance(0.75) else ("(NULL, NULL)", "(1, 'a'), (1, 'a')", "(-5, 'xyz')", "(NULL, 'a'), (NULL, 'b')", "(100, '')", "(3, 'long enough to fail')"))
        return self.unit(f, sql, f"INSERT INTO made VALUES {rows}", "SELECT * FROM made ORDER BY 1", "SELECT count(*), max(a) FROM made", "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'made'::regclass ORDER BY 1")

    def errors(self):
        """Statements that PostgreSQL refuses while it analyses them."""
        f = "errors"
        relation = self.pick(self.schema.plain)
        t = relation.name
        column, kind = self.pick(relation.columns)
        return Unit(self.steps(f, self.pick((f"SELECT nosuch FROM {t}", f"SELECT {t}.nosuch FROM {t}", f"SELECT {column} FROM {t} GROUP BY id + 1", f"SELECT count({column}) FROM {t} WHERE count(*) > 1", f"SELECT x.{column} FROM {t}", f"SELECT {column} FROM {t} a, {t} b", f"SELECT nosuch({column}) FROM {t}", f"SELECT {column} + true FROM {t}", f"SELECT * FROM {t} WHERE {column}", f"SELECT * FROM {t} ORDER BY 99", f"SELECT sum(sum(id)) FROM {t}",
                                             f"SELECT * FROM {t} LIMIT 'x'", f"SELECT id FROM {t} UNION SELECT 'a', 1", f"SELECT id FROM {t} UNION SELECT true", f"INSERT INTO {t} (id, nosuch) VALUES (1, 2)", f"UPDATE {t} SET nosuch = 1", f"SELECT (SELECT id, g FROM {t})", f"SELECT * FROM {t} JOIN {t} ON true", f"SELECT id FROM {t} HAVING id > 1", f"SELECT DISTINCT id FROM {t} ORDER BY g", f"SELECT CASE WHEN id THEN 1 END FROM {t}",
                                             f"SELECT id::nosuch FROM {t}", f"SELECT ({column}).x FROM {t}", f"SELECT {t} FROM {t} a", f"SELECT FROM {t} WHERE id IN (SELECT id, g FROM {t})", f"SELECT {column}[1] FROM {t}", "SELECT ARRAY[]", f"SELECT upper(id, g) FROM {t}", f"SELECT * FROM {t} a JOIN tree b USING (nosuch)", f"SELECT coalesce({column}, ARRAY[1]) FROM {t}", "SELECT 1 FROM (SELECT 1)", f"DELETE FROM {t} WHERE nosuch", "SELECT 'x' 'y'", "SELECT 1 +", f"SELECT * FORM {t}",
                                             f"SELECT max(id) OVER () FROM {t} WHERE rank() OVER () = 1", f"SELECT id FROM {t} FOR UPDATE OF nosuch", f"SELECT count(*) FROM {t} FOR UPDATE", f"WITH w AS (SELECT 1), w AS (SELECT 2) SELECT 1", "SELECT * FROM nosuch", "SELECT * FROM nosuch.t", "SELECT to_char(1)", "SELECT 1 = 'x'", "VALUES (1, 2), (3)", f"INSERT INTO {t} VALUES (DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT)",
                                             "SELECT $1", "SELECT interval '1 day' + 1", "SELECT date '2024-01-01' * 2", "SELECT -'a'", "SELECT 1 IS TRUE", "SELECT row(1, 2) = row(1)", "SELECT 1 IN ('a')", "SELECT '1' + '2'", "SELECT position('a', 'b')", "SELECT extract(nosuch FROM 1)"))))

    def catalog(self):
        f = "catalogs"
        t = self.pick(("t1", "t2", "t3", "tree", "chi", "par", "ser"))
        return Unit(self.steps(f, self.pick((f"SELECT attname, attnum, attnotnull, atttypid::regtype FROM pg_attribute WHERE attrelid = '{t}'::regclass AND attnum > 0 ORDER BY attnum", f"SELECT column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, udt_name FROM information_schema.columns WHERE table_schema = '{self.name}' AND table_name = '{t}' ORDER BY 2",
                                             f"SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{t}'::regclass ORDER BY 1", f"SELECT constraint_name, constraint_type, is_deferrable FROM information_schema.table_constraints WHERE table_schema = '{self.name}' AND table_name = '{t}' AND constraint_name NOT LIKE '%not_null' ORDER BY 1", f"SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '{self.name}' AND table_name IN ('t1', 'v_simple', 'tree') ORDER BY 1",
                                             f"SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '{t}'::regclass ORDER BY adnum", f"SELECT relname, relkind, relnatts, relhasindex FROM pg_class WHERE oid = '{t}'::regclass", f"SELECT '{t}'::regclass, '{t}'::regclass::oid > 0, to_regclass('nosuch')", f"SELECT indexrelid::regclass, indisunique, indisprimary, indkey FROM pg_index WHERE indrelid = '{t}'::regclass AND indisprimary",
                                             f"SELECT kcu.column_name, kcu.ordinal_position FROM information_schema.key_column_usage kcu WHERE table_schema = '{self.name}' AND table_name = '{t}' ORDER BY 1, 2", "SELECT typname, typlen, typcategory FROM pg_type WHERE typname IN ('int4', 'text', '_int4', 'jsonb', 'numeric') ORDER BY 1", f"SELECT pg_get_indexdef('{t}_pkey'::regclass)"))))
