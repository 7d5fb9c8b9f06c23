"""A random schema with data: plain tables that every statement may use, and a relation or more for each feature that needs its own."""

import literals
from literals import SQL_TYPES, pick
from statement import Statement

PLAIN_KINDS = ("text", "text", "int4", "int4", "int8", "num", "num", "date", "ts", "bool", "f8", "int2", "tstz", "iv", "i4a", "jsonb", "ta", "varchar", "time",
               "uuid", "bpchar", "bytea", "f4", "json", "na")
TREE = "tree"


class Relation:
    __slots__ = ("name", "columns", "features", "writable", "unique", "notnull")

    def __init__(self, name, columns, features=(), writable=True, unique=True, notnull=()):
        self.name, self.columns = name, columns       # columns: (name, kind)
        self.features = frozenset(features)
        self.writable, self.unique, self.notnull = writable, unique, frozenset(notnull)  # unique: by its column id

    def of(self, kind):
        return [name for name, its in self.columns if its == kind]


class Schema:
    """`levels` are lists of statements; a level needs what the ones before it made."""

    def __init__(self, rng, expressions):
        self.rng, self.expressions = rng, expressions
        self.levels = [[], [], [], []]
        self.plain, self.special, self.sequences = [], [], []
        for number in range(1, 4):
            self._plain_table(f"t{number}", "abc"[number - 1])
        self._user_types()
        self._partitioned()
        self._generated()
        self._tree()
        self._scratch()
        self._foreign_keys()
        self._sequences()
        self._views()
        self._functions()
        self._roles()

    def statement(self, level, sql, *features, creates=None, loose=False):
        self.levels[level].append(Statement(sql, features, creates=creates, loose=loose))

    def rows(self, relation, count, ids=None):
        rng, out = self.rng, []
        for number in range(1, count + 1):
            values = []
            for name, kind in relation.columns:
                if name == "id":
                    values.append(str(number))
                elif name == "g":
                    values.append(str(int(rng.random() * 5)) if rng.random() < 0.9 or name in relation.notnull else "NULL")
                elif name not in relation.notnull and rng.random() < 0.12:
                    values.append("NULL")
                else:
                    values.append(literals.value(rng, kind))
            out.append("(" + ", ".join(values) + ")")
        return out

    def insert(self, level, relation, count, *features):
        names = ", ".join(name for name, _ in relation.columns)
        self.statement(level, f"INSERT INTO {relation.name} ({names}) VALUES {', '.join(self.rows(relation, count))}", *features)

    def _plain_table(self, name, letter):
        rng = self.rng
        kinds, columns, definitions, notnull = [], [("id", "int4"), ("g", "int4")], ["id integer PRIMARY KEY", "g integer"], {"id"}
        for _ in range(5 + int(rng.random() * 5)):
            kind = pick(rng, PLAIN_KINDS)
            number = kinds.count(kind) + 1
            kinds.append(kind)
            column = f"{letter}_{kind}{number if number > 1 else ''}"
            columns.append((column, kind))
            text = f"{column} {SQL_TYPES[kind]}"
            if rng.random() < 0.15:
                text += " NOT NULL"
                notnull.add(column)
            if rng.random() < 0.15:
                text += f" DEFAULT {literals.value(rng, kind)}"
            if kind in ("int4", "int2") and rng.random() < 0.3:
                text += f" CHECK ({column} > -10000)"
            definitions.append(text)
        relation = Relation(name, columns, notnull=notnull)
        if rng.random() < 0.3:
            definitions.append(f"CONSTRAINT {name}_ok CHECK (id > 0 AND (g < 1000 OR g IS NULL))")
        self.statement(0, f"CREATE TABLE {name} ({', '.join(definitions)})", creates=name)
        self.insert(1, relation, 8 + int(rng.random() * 18))
        self._indexes(relation)
        self.plain.append(relation)

    def _indexes(self, relation):
        rng, name = self.rng, relation.name
        for number in range(int(rng.random() * 4)):
            keys = [column for column, kind in relation.columns if kind in literals.ORDERED and kind not in ("jsonb", "i4a", "ta", "na")]
            keys = [pick(rng, keys) + pick(rng, ("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")) for _ in range(1 + int(rng.random() * 2))]
            self.statement(2, f"CREATE INDEX {name}_i{number} ON {name} ({', '.join(keys)})")
        if rng.random() < 0.4:
            text, integer = relation.of("text"), relation.of("int4")
            key = f"(lower({pick(rng, text)}))" if text and rng.random() < 0.6 else f"({pick(rng, integer)} % 3)"
            self.statement(2, f"CREATE INDEX {name}_e ON {name} ({key})", "expression and partial indexes")
        if rng.random() < 0.4:
            self.statement(2, f"CREATE INDEX {name}_p ON {name} ({pick(rng, relation.of('int4'))}) WHERE {pick(rng, ('g > 1', 'g IS NOT NULL', 'id < 10', 'g = 2'))}",
                           "expression and partial indexes")
        for kind, feature in (("i4a", "array indexes"), ("ta", "array indexes"), ("jsonb", "jsonb indexes")):
            for column in relation.of(kind)[:1]:
                if rng.random() < 0.6:
                    ops = pick(rng, ("", " jsonb_path_ops")) if kind == "jsonb" else ""
                    self.statement(2, f"CREATE INDEX {name}_{kind} ON {name} USING gin ({column}{ops})", feature)
        if rng.random() < 0.2:
            self.statement(2, f"CREATE INDEX {name}_h ON {name} USING hash ({pick(rng, relation.of('int4'))})")

    def _special(self, name, columns, definition, level, *features, count=10, notnull=(), **options):
        relation = Relation(name, columns, features, notnull={"id", *notnull}, **options)
        self.statement(level, f"CREATE TABLE {name} ({definition})", *features, creates=name)
        self.insert(level + 1, relation, count, *features)
        self.special.append(relation)
        return relation

    def _user_types(self):
        self.statement(0, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')", "enums", creates="mood")
        self.statement(0, "CREATE DOMAIN posint AS integer CHECK (VALUE >= 0)", "domains", creates="posint")
        self.statement(0, "CREATE DOMAIN short AS varchar(8) NOT NULL DEFAULT 'dflt' CHECK (length(VALUE) < 7)", "domains", creates="short")
        self.statement(0, "CREATE TYPE pair AS (n integer, s text)", "composite types", creates="pair")
        both = [("id", "int4"), ("g", "int4")]
        self._special("e_mood", both + [("m", "mood"), ("m2", "mood")], "id integer PRIMARY KEY, g integer, m mood, m2 mood DEFAULT 'ok'", 1, "enums")
        self._special("d_dom", both + [("p", "posint"), ("s", "short")], "id integer PRIMARY KEY, g integer, p posint, s short", 1, "domains", notnull=("s",))
        self._special("k_comp", both + [("p", "pair")], "id integer PRIMARY KEY, g integer, p pair", 1, "composite types")
        self._special("r_rng", both + [("r", "r4"), ("n", "nr"), ("d", "dr")], "id integer PRIMARY KEY, g integer, r int4range, n numrange, d daterange", 1, "ranges")

    def _partitioned(self):
        columns = [("id", "int4"), ("g", "int4"), ("p_text", "text"), ("p_num", "num")]
        body = "id integer NOT NULL, g integer, p_text text, p_num numeric(10,2)"
        for name, how, parts in (
                ("p_range", "RANGE (id)", ("FROM (MINVALUE) TO (5)", "FROM (5) TO (9)", "DEFAULT")),
                ("p_list", "LIST (g)", ("IN (0, 1)", "IN (2, NULL)", "DEFAULT")),
                ("p_hash", "HASH (id)", ("WITH (MODULUS 2, REMAINDER 0)", "WITH (MODULUS 2, REMAINDER 1)"))):
            self.statement(0, f"CREATE TABLE {name} ({body}) PARTITION BY {how}", "partitioning", creates=name)
            for number, part in enumerate(parts):
                bound = part if part == "DEFAULT" else f"FOR VALUES {part}"
                self.statement(1, f"CREATE TABLE {name}_{number} PARTITION OF {name} {bound}", "partitioning", creates=name)
            relation = Relation(name, columns, ("partitioning",), unique=False, notnull={"id"})
            self.insert(2, relation, 12, "partitioning")
            self.special.append(relation)

    def _generated(self):
        relation = Relation("gen", [("id", "int4"), ("g", "int4"), ("v_text", "text")], ("generated columns",), notnull={"id"})
        self.statement(0, "CREATE TABLE gen (id integer PRIMARY KEY, g integer, v_text text, twice integer GENERATED ALWAYS AS (g * 2) STORED,"
                          " up text GENERATED ALWAYS AS (upper(v_text) || id) STORED)", "generated columns", creates="gen")
        self.insert(1, relation, 10, "generated columns")
        self.special.append(Relation("gen", relation.columns + [("twice", "int4"), ("up", "text")], ("generated columns",), notnull={"id"}))

    def _tree(self):
        rng = self.rng
        self.statement(0, "CREATE TABLE tree (id integer PRIMARY KEY, parent integer, g integer, label text)", creates=TREE)
        rows = [f"({n}, {'NULL' if n < 3 else 1 + int(rng.random() * (n - 1))}, {int(rng.random() * 4)}, {literals.string(rng)})" for n in range(1, 15)]
        self.statement(1, f"INSERT INTO tree VALUES {', '.join(rows)}")

    def _scratch(self):
        """A table that is empty between units, for what commits."""
        self.statement(0, "CREATE TABLE scratch (id integer PRIMARY KEY, g integer, v text)", creates="scratch")

    def _foreign_keys(self):
        rng = self.rng
        actions = ("", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE SET DEFAULT", " ON DELETE RESTRICT", " ON DELETE NO ACTION")
        updates = ("", " ON UPDATE CASCADE", " ON UPDATE SET NULL", " ON UPDATE RESTRICT", " ON UPDATE SET DEFAULT")
        self.statement(0, "CREATE TABLE par (id integer PRIMARY KEY, code text UNIQUE, g integer)", "foreign keys", creates="par")
        self.statement(1, "INSERT INTO par VALUES (0, 'zero', 0), (1, 'one', 1), (2, 'two', 1), (3, 'three', 2), (4, 'four', NULL), (5, 'five', 3)", "foreign keys")
        self.statement(1, f"CREATE TABLE chi (id integer PRIMARY KEY, par_id integer DEFAULT 0 REFERENCES par{pick(rng, actions)}{pick(rng, updates)},"
                          f" code text REFERENCES par (code){pick(rng, actions)}{pick(rng, updates)})", "foreign keys", creates="chi")
        self.statement(2, "INSERT INTO chi VALUES (1, 1, 'one'), (2, 1, NULL), (3, 2, 'three'), (4, NULL, 'four'), (5, 3, 'one'), (6, 0, NULL)", "foreign keys")
        self.statement(1, "CREATE TABLE dfr (id integer PRIMARY KEY, par_id integer REFERENCES par DEFERRABLE INITIALLY " + pick(rng, ("DEFERRED", "IMMEDIATE"))
                       + ", u integer UNIQUE DEFERRABLE INITIALLY " + pick(rng, ("DEFERRED", "IMMEDIATE")) + ")", "deferrable constraints", creates="dfr")
        self.statement(2, "INSERT INTO dfr VALUES (1, 1, 1), (2, 2, 2), (3, NULL, 3)", "deferrable constraints")

    def _sequences(self):
        rng = self.rng
        for name in ("s1", "s2"):
            options = pick(rng, ("", " START 5", " INCREMENT 3", " INCREMENT -2 MAXVALUE 10", " MINVALUE 1 MAXVALUE 4 CYCLE", " AS smallint", " MINVALUE 2 MAXVALUE 5"))
            self.statement(0, f"CREATE SEQUENCE {name}{options}", "sequences", creates=name)
        self.statement(0, "CREATE TABLE ser (id serial PRIMARY KEY, big bigserial, g integer GENERATED " + pick(rng, ("ALWAYS", "BY DEFAULT"))
                       + " AS IDENTITY (START 10 INCREMENT 5), v text)", "sequences", creates="ser")
        self.statement(1, "INSERT INTO ser (v) VALUES ('a'), ('b'), (NULL)", "sequences")
        self.special.append(Relation("ser", [("id", "int4"), ("big", "int8"), ("g", "int4"), ("v", "text")], ("sequences",), writable=False, notnull={"id"}))

    def _views(self):
        rng, t1, t2 = self.rng, self.plain[0], self.plain[1]
        some = [column for column in t1.columns if column[0] not in ("id", "g")][:4]
        names = ", ".join(["id", "g"] + [name for name, _ in some])
        self.statement(2, f"CREATE VIEW v_simple AS SELECT {names} FROM t1 WHERE id > 2", "views", creates="v_simple")
        self.special.append(Relation("v_simple", [("id", "int4"), ("g", "int4"), *some], ("views",)))
        other = next((name for name, kind in t2.columns if kind == "text"), None)
        text = f"max(b.{other})" if other else "'t'::text"
        self.statement(2, f"CREATE VIEW v_agg (id, g, n, top) AS SELECT a.id, min(a.g), count(b.id), {text} FROM t1 a LEFT JOIN t2 b ON a.g = b.g GROUP BY a.id", "views", creates="v_agg")
        self.special.append(Relation("v_agg", [("id", "int4"), ("g", "int4"), ("n", "int8"), ("top", "text")], ("views",), writable=False))
        option = pick(rng, ("", "LOCAL ", "CASCADED "))
        self.statement(2, f"CREATE VIEW v_check AS SELECT id, g FROM t2 WHERE g < 4 WITH {option}CHECK OPTION", "views", creates="v_check")
        self.special.append(Relation("v_check", [("id", "int4"), ("g", "int4")], ("views",)))
        self.statement(2, f"CREATE MATERIALIZED VIEW mv AS SELECT {names} FROM t1 WHERE g IS NOT NULL", "materialized views", creates="mv")
        self.special.append(Relation("mv", [("id", "int4"), ("g", "int4"), *some], ("materialized views",), writable=False))

    def _functions(self):
        self.statement(0, "CREATE FUNCTION f_add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a + b'", "functions", creates="f_add")
        self.statement(0, "CREATE FUNCTION f_even(n integer) RETURNS text LANGUAGE plpgsql AS $$BEGIN IF n % 2 = 0 THEN RETURN 'even'; ELSIF n IS NULL THEN RETURN 'none'; ELSE RETURN 'odd'; END IF; END$$",
                       "plpgsql", creates="f_even")
        self.statement(0, "CREATE FUNCTION f_loop(n integer) RETURNS SETOF integer LANGUAGE plpgsql AS $$BEGIN FOR i IN 1..n LOOP CONTINUE WHEN i % 3 = 0; RETURN NEXT i * i; END LOOP; END$$",
                       "plpgsql", creates="f_loop")
        self.statement(0, "CREATE FUNCTION f_catch(t text) RETURNS integer LANGUAGE plpgsql AS $$BEGIN RETURN t::integer; EXCEPTION WHEN invalid_text_representation THEN RETURN -1; END$$",
                       "plpgsql", creates="f_catch")
        self.statement(0, "CREATE TABLE trg (id integer PRIMARY KEY, g integer, v text, n integer DEFAULT 0)", "triggers", creates="trg")
        self.statement(0, "CREATE TABLE trg_log (who text, op text, old_id integer, new_id integer)", "triggers", creates="trg_log")
        self.statement(1, "INSERT INTO trg VALUES (1, 1, 'a', 0), (2, 2, 'b', 0), (3, 1, NULL, 5)", "triggers")
        self.statement(1, "CREATE FUNCTION trg_note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF TG_OP = 'DELETE' THEN INSERT INTO trg_log VALUES (TG_NAME, TG_OP, OLD.id, NULL); RETURN OLD; END IF;"
                          " INSERT INTO trg_log VALUES (TG_NAME, TG_WHEN || TG_OP, CASE WHEN TG_OP = 'UPDATE' THEN OLD.id END, NEW.id); RETURN NEW; END$$", "triggers", creates="trg_note")
        self.statement(1, "CREATE FUNCTION trg_count() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.n := coalesce(NEW.n, 0) + 1; RETURN NEW; END$$", "triggers", creates="trg_count")
        self.statement(2, "CREATE TRIGGER b_count BEFORE UPDATE ON trg FOR EACH ROW EXECUTE FUNCTION trg_count()", "triggers", creates="trg")
        self.statement(2, "CREATE TRIGGER a_note AFTER INSERT OR UPDATE OR DELETE ON trg FOR EACH ROW EXECUTE FUNCTION trg_note()", "triggers", creates="trg")
        self.statement(1, "CREATE FUNCTION trg_rows() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF TG_OP = 'INSERT' THEN INSERT INTO trg_log SELECT TG_NAME, TG_OP, count(*), sum(id) FROM fresh;"
                          " ELSIF TG_OP = 'DELETE' THEN INSERT INTO trg_log SELECT TG_NAME, TG_OP, sum(id), count(*) FROM stale;"
                          " ELSE INSERT INTO trg_log SELECT TG_NAME, TG_OP, s.id, f.n FROM stale s JOIN fresh f USING (id); END IF; RETURN NULL; END$$", "triggers", creates="trg_rows")
        for event, tables in (("INSERT", "NEW TABLE AS fresh"), ("UPDATE", "OLD TABLE AS stale NEW TABLE AS fresh"), ("DELETE", "OLD TABLE AS stale")):
            self.statement(2, f"CREATE TRIGGER c_{event.lower()} AFTER {event} ON trg REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION trg_rows()", "triggers", creates="trg")
        self.statement(1, "CREATE VIEW trg_view AS SELECT id, g * 10 AS tens, v FROM trg WHERE g IS NOT NULL", "triggers", creates="trg_view")
        self.statement(1, "CREATE FUNCTION trg_instead() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF TG_OP = 'INSERT' THEN INSERT INTO trg VALUES (NEW.id, NEW.tens / 10, NEW.v); RETURN NEW;"
                          " ELSIF TG_OP = 'UPDATE' THEN UPDATE trg SET g = NEW.tens / 10, v = NEW.v WHERE id = OLD.id; NEW.v := NEW.v || '!'; RETURN NEW;"
                          " ELSE DELETE FROM trg WHERE id = OLD.id; RETURN OLD; END IF; END$$", "triggers", creates="trg_instead")
        self.statement(2, "CREATE TRIGGER v_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON trg_view FOR EACH ROW EXECUTE FUNCTION trg_instead()", "triggers", creates="trg_view")
        self.statement(2, "CREATE CONSTRAINT TRIGGER d_later AFTER INSERT OR DELETE ON trg DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trg_note()", "triggers", creates="trg")

    def _roles(self):
        # Roles belong to the whole server; the schema's name, which is the worker's, keeps them apart.
        self.statement(0, "CREATE ROLE {schema}_reader", "roles and privileges", creates="{schema}_reader")
        self.statement(1, "GRANT USAGE ON SCHEMA {schema} TO {schema}_reader", "roles and privileges", creates="{schema}_reader")
        self.statement(1, "GRANT SELECT ON t1 TO {schema}_reader", "roles and privileges", creates="{schema}_reader")

    def relation(self):
        """Some relation to read: a plain table mostly."""
        rng = self.rng
        return pick(rng, self.plain) if rng.random() < 0.8 else pick(rng, self.special)

    def about(self, feature):
        return [relation for relation in self.special if feature in relation.features]
