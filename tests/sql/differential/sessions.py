"""What concerns a session and its transactions: locks, transaction modes, two-phase commit, notifications, encodings of the client.

Keys of advisory locks, names of channels and of prepared transactions belong to the whole database, so each worker has its own."""

import literals
from expressions import EMPTY
from statement import Statement, Unit

STRENGTHS = ("FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE")
TABLE_LOCKS = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED")
BEGINS = ("BEGIN WORK", "BEGIN TRANSACTION", "START TRANSACTION")
# Names of encodings and Python's codecs for what is sent in them.
ENCODINGS = (("LATIN1", "latin-1"), ("LATIN2", "iso8859-2"), ("LATIN9", "iso8859-15"), ("WIN1250", "cp1250"), ("WIN1251", "cp1251"), ("WIN1252", "cp1252"), ("KOI8R", "koi8-r"), ("ISO_8859_5", "iso8859-5"),
             ("GBK", "gbk"), ("GB18030", "gb18030"), ("EUC_CN", "gb2312"), ("EUC_JP", "euc-jp"), ("EUC_KR", "euc-kr"), ("SJIS", "shift-jis"), ("BIG5", "big5"), ("UHC", "cp949"), ("JOHAB", "johab"), ("SQL_ASCII", "utf-8"), ("UTF8", "utf-8"))
# Texts that some encodings have an equivalent of and others not.
TEXTS = ("abc", "Zoë", "naïve café", "€ 5", "Ω≈ç", "日本語", "中文字符", "汉字", "繁體", "한국어", "Привет", "ÿþ", "カタカナ", "ﾊﾝｶｸ", "ß", "ł", "š", "…", "—", "™", "½", "㐀", "😀", "à\u0300", "\u00a0x", "¥", "\\~", "", "ё№", "ﬁ", "丂", "＼", "∑", "①")


class Sessions:
    def __init__(self, rng, expressions, schema, selects, writes, name):
        self.rng, self.x, self.schema, self.selects, self.writes, self.name = rng, expressions, schema, selects, writes, name
        self.pick, self.chance, self.number = expressions.pick, expressions.chance, selects.number
        self.base = 1000 * (1 + int(name.rsplit("_", 1)[1]))   # of the keys that are this worker's
        self.prepared = 0                                       # transactions that were, for their names

    def steps(self, feature, *texts, ordered=False):
        # Which of the rows that INSERT ... SELECT makes is refused first is open.
        return [Statement(text, {feature} | self.x.take_features(), ordered or text.endswith("ORDER BY 1"), loose=text.startswith("INSERT INTO scratch SELECT")) for text in texts]

    def query(self, alias="a", relation=None, depth=1):
        """(list of outputs, FROM with WHERE, scope) of one relation."""
        text, scope = self.selects.source(alias, relation)
        outputs = ([f"{alias}.id"] if scope.keys else []) + [self.x.make(self.x.kind(scope), scope, depth) for _ in range(self.number(1, 2))]
        return ", ".join(outputs), text + self.selects.where(scope, 1, 0.6), scope

    # Row and table locks

    def strength(self, aliases=("a",)):
        text = self.pick(STRENGTHS)
        if self.chance(0.4):
            text += " OF " + ", ".join(dict.fromkeys(self.pick(aliases) for _ in range(self.number(1, 2))))
        return text + self.pick(("", "", "", " NOWAIT", " SKIP LOCKED"))

    def locking(self):
        """A SELECT with a locking clause; in a transaction now and then, with the locks it took."""
        f = "row locks"
        shape = self.number(0, 9)
        relation = self.pick(self.schema.plain) if self.chance(0.6) else self.pick(self.schema.special)
        outputs, rest, scope = self.query("a", relation)
        ordered = bool(scope.keys) and self.chance(0.4)
        order = f" ORDER BY a.id{self.pick(('', ' DESC'))}{self.pick(('', ' LIMIT ' + str(self.number(0, 6)), ' LIMIT 3 OFFSET ' + str(self.number(0, 3))))}" if ordered else ""
        if shape <= 2:
            sql = f"SELECT {outputs} FROM {rest}{order} {self.strength()}"
        elif shape == 3:
            text, both = self.selects.joined(*self.selects.source("a", relation), "b", self.pick(("JOIN", "JOIN", "cross", "using", "LEFT JOIN", "FULL JOIN")))
            sql = f"SELECT a.id, {self.x.make(self.x.kind(both), both, 1)} FROM {text}{self.selects.where(both, 1)} {self.strength(('a', 'b', 'a', 'b', 'c') if self.chance(0.1) else ('a', 'b'))}"
            if self.chance(0.25):
                sql += f" {self.strength(('b',))}"
        elif shape == 4:
            sql = f"SELECT s.* FROM (SELECT {', '.join(f'{text} AS o{n}' for n, text in enumerate(self.selects_of(scope)))} FROM {rest}{order}{' ' + self.strength() if self.chance(0.5) else ''}) s{' ' + self.strength(('s',)) if self.chance(0.6) else ''}"
        elif shape == 5:
            sql = f"WITH w AS (SELECT a.id, a.g FROM {rest}{order} {self.strength()}) {self.pick(('SELECT * FROM w', 'SELECT count(*), min(id), max(g) FROM w', f'SELECT w.id, t1.g FROM w JOIN t1 ON t1.id = w.id FOR UPDATE OF t1', 'SELECT * FROM w FOR UPDATE', 'UPDATE t1 SET g = w.g FROM w WHERE w.id = t1.id RETURNING t1.id, t1.g'))}"
        elif shape == 6:
            sql = f"SELECT b.id, (SELECT a.g FROM {relation.name} a WHERE a.id = b.id {self.strength()}) FROM tree b WHERE b.id < {self.number(2, 9)}" if scope.keys and self.chance(0.5) else f"SELECT b.id FROM tree b WHERE b.g IN (SELECT a.g FROM {rest} {self.strength()})"
        elif shape == 7:
            sql = f"{self.pick(('UPDATE', 'UPDATE ONLY'))} tree SET label = 'locked' WHERE id IN (SELECT a.id FROM {rest}{order} {self.strength()}) RETURNING id, label"
        elif shape == 8 and self.chance(0.5):
            sql = self.pick((f"SELECT a.g, count(*) FROM {rest} GROUP BY a.g {self.strength()}", f"SELECT DISTINCT a.g FROM {rest} {self.strength()}", f"SELECT a.g FROM {rest} UNION SELECT 1 {self.strength()}", f"SELECT count(*) FROM {rest} {self.strength()}", f"SELECT rank() OVER (ORDER BY a.id), a.g FROM {rest} {self.strength()}",
                             f"VALUES (1), (2) {self.pick(STRENGTHS)}", f"SELECT * FROM (VALUES (1)) a {self.strength()}", f"SELECT a.g FROM {rest} HAVING true {self.strength()}", f"SELECT a.g, generate_series(1, 2) FROM {rest} {self.strength()}", f"SELECT a FROM generate_series(1, 3) a {self.strength()}", f"SELECT a.g FROM {rest} FOR UPDATE OF nosuch",
                             f"SELECT a.g FROM {rest} FOR UPDATE OF {relation.name}", "SELECT * FROM pg_namespace a WHERE a.nspname = 'pg_catalog' FOR SHARE", "SELECT * FROM s1 FOR UPDATE", f"SELECT a.g FROM {rest} FOR UPDATE NOWAIT SKIP LOCKED", f"(SELECT a.g FROM {rest} FOR UPDATE) UNION ALL (SELECT 1)",
                             f"SELECT a.g FROM {rest} LIMIT ALL {self.strength()}", f"SELECT a.g FROM {rest} FOR READ ONLY", "SELECT 1 FOR UPDATE", f"SELECT a.g FROM {rest} {self.strength()} LIMIT 0", f"SELECT a.g FROM {rest} ORDER BY a.id FETCH FIRST 2 ROWS WITH TIES {self.strength()}", f"DECLARE c CURSOR WITH HOLD FOR SELECT a.g FROM {rest} FOR UPDATE",
                             f"DECLARE c SCROLL CURSOR FOR SELECT a.g FROM {rest} {self.strength()}"))
            ordered = False
        else:
            sql = f"SELECT {outputs} FROM {rest} {self.strength()}{' ' + self.strength() if self.chance(0.2) else ''}"
            ordered = False
        first = Statement(sql, {f} | self.x.take_features(), ordered and shape <= 2)
        if not self.chance(0.5):
            return Unit([first]) if sql.startswith("SELECT") else Unit.rolled_back([first])
        after = self.pick((f"SELECT relation::regclass, mode, granted FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = '{relation.name}'::regclass", f"UPDATE {relation.name} SET g = g WHERE id = {self.number(1, 9)} RETURNING id" if relation.writable else "SELECT count(*) FROM tree",
                           f"SELECT count(*) FROM {relation.name} x", f"SELECT x.id FROM {relation.name} x {self.pick(STRENGTHS)}"))
        return Unit.rolled_back([first, *self.steps(f, after)])

    def selects_of(self, scope):
        return ([scope.keys[0]] if scope.keys else []) + [self.x.make(self.x.kind(scope), scope, 1)]

    def lock_table(self):
        f = "row locks"
        names = ["t1", "t2", "t3", "tree", "par", "chi", "p_range", "p_list", "p_hash", "p_range_0", "e_mood", "v_simple", "v_agg", "v_check"]
        odd = ["mv", "s1", "t1_pkey", "nosuch", "pg_namespace", f"{self.name}.t2"]
        steps, seen = [], []
        for _ in range(self.number(1, 3)):
            name = self.pick(odd if self.chance(0.08) else names)
            seen.append(name)
            more = f", {self.pick(names)}" if self.chance(0.15) else ""
            mode = f" IN {self.pick(TABLE_LOCKS)} MODE" if self.chance(0.85) else ""
            steps.append(f"LOCK{self.pick(('', ' TABLE'))}{self.pick((' ', ' ', ' ', ' ONLY '))}{name}{more}{mode}{self.pick(('', '', ' NOWAIT'))}")
        seen = ", ".join(f"'{name.rsplit('.')[-1]}'" for name in seen + ["t1"])
        shown = f"SELECT c.relname, l.mode, l.granted FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relname IN ({seen}) AND c.relkind IN ('r', 'p')"
        if self.chance(0.1):
            return Unit(self.steps(f, steps[0]))
        if self.chance(0.25):
            steps[1:1] = ["SAVEPOINT s"]
            steps += ["ROLLBACK TO s"]
        if self.chance(0.2):
            steps[:0] = [f"SET ROLE {self.name}_reader"]
        return Unit.rolled_back(self.steps(f, *steps, shown, self.pick(("SELECT id, g FROM t1 WHERE g = 1", "UPDATE t1 SET g = g + 1 WHERE id < 4 RETURNING id, g", shown))))

    # Advisory locks

    def key(self):
        """Arguments of an advisory lock: a key of this worker in one of both forms, rarely NULL."""
        number = self.base + self.number(1, 5)
        return self.pick((str(number), str(number), f"{number}::bigint", f"{number}, {self.number(-2, 3)}", f"{self.base}, {self.number(1, 3)}", f"{number}::smallint, 7", str(-number), str(number * 4294967296 + 5), "NULL" if self.chance(0.2) else str(number), f"NULL, {number}" if self.chance(0.2) else f"{number}, 1"))

    def advisory(self):
        f = "advisory locks"
        shown = "SELECT classid, objid, objsubid, mode, granted, database = (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        steps = []
        keys = [self.key() for _ in range(2)]
        block = self.chance(0.45)
        for _ in range(self.number(3, 7)):
            key = self.pick(keys)
            text, scope = self.selects.source("a", self.pick(self.schema.plain))
            steps.append(self.pick((
                f"SELECT pg_{self.pick(('', 'try_'))}advisory_{self.pick(('', 'xact_'))}lock{self.pick(('', '_shared'))}({key})", f"SELECT pg_{self.pick(('', 'try_'))}advisory_{self.pick(('', 'xact_'))}lock{self.pick(('', '_shared'))}({key})",
                f"SELECT pg_advisory_unlock{self.pick(('', '_shared'))}({key})", f"SELECT pg_advisory_unlock{self.pick(('', '_shared'))}({key}), {self.x.make(self.x.kind(EMPTY), EMPTY, 1)}",
                shown, shown, "SELECT pg_advisory_unlock_all()" if self.chance(0.4) else shown,
                f"SELECT a.id, pg_try_advisory_lock{self.pick(('', '_shared'))}({self.base} + a.id{self.pick(('', ', a.g'))}) FROM {text} WHERE a.id < {self.number(2, 8)}", f"SELECT a.id FROM {text} WHERE a.id < {self.number(2, 7)} AND pg_try_advisory_xact_lock({self.base}, a.id)",
                f"SELECT a.id, pg_advisory_unlock({self.base} + a.id) FROM {text} WHERE a.id < {self.number(2, 5)}", f"SELECT {self.x.make(self.x.kind(scope), scope, 1)}, pg_advisory_lock({self.base + 9}) IS NOT NULL FROM {text}{self.selects.where(scope, 1, 0.6)}", f"DO $$BEGIN PERFORM pg_advisory_lock({key}); RAISE NOTICE '%', pg_try_advisory_lock({self.pick(keys)}); END$$",
                f"UPDATE t1 SET g = g WHERE pg_try_advisory_xact_lock({self.base} + id) AND id < 4 RETURNING id")))
            if block and self.chance(0.25):
                steps.append(self.pick(("SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "SELECT 1 / 0" if self.chance(0.3) else "SAVEPOINT s")))
        steps = self.steps(f, *steps)
        if block:
            steps = [Statement("BEGIN"), *steps, Statement(self.pick(("COMMIT", "ROLLBACK"))), *self.steps(f, shown)]
        return Unit(steps, [Statement("ROLLBACK"), Statement("SELECT pg_advisory_unlock_all()")])

    # Transactions

    def modes(self, bad=0.04):
        """Transaction modes, or none."""
        if self.chance(0.2):
            return ""
        if self.chance(bad):
            return " " + self.pick(("ISOLATION LEVEL NOSUCH", "ISOLATION LEVEL SERIALIZABLE ISOLATION LEVEL READ COMMITTED", "READ ONLY READ WRITE", "NOT READ ONLY", "READ ONLY,"))
        parts = [part for part in (f"ISOLATION LEVEL {self.pick(LEVELS)}" if self.chance(0.6) else "", self.pick(("READ ONLY", "READ ONLY", "READ WRITE")) if self.chance(0.6) else "", self.pick(("DEFERRABLE", "NOT DEFERRABLE")) if self.chance(0.3) else "") if part]
        self.rng.shuffle(parts)
        return " " + self.pick((", ", " ")).join(parts) if parts else ""

    SHOWN = ("SHOW transaction_isolation", "SHOW transaction_read_only", "SHOW transaction_deferrable", "SHOW TRANSACTION ISOLATION LEVEL", "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable')",
             "SHOW default_transaction_isolation", "SELECT current_setting('default_transaction_read_only'), current_setting('default_transaction_deferrable')", "SELECT name, setting FROM pg_settings WHERE name LIKE '%transaction_%only' OR name LIKE '%transaction_isolation'")

    def work(self):
        """What a transaction does: what READ ONLY lets it and what it does not. What is committed changes `scratch` alone."""
        relation = self.pick(self.schema.plain)
        outputs, rest, _ = self.query("a", relation)
        n = self.number(1, 40)
        return self.pick((f"SELECT {outputs} FROM {rest}", f"SELECT {outputs} FROM {rest}", "SELECT id, g, v FROM scratch ORDER BY 1", f"INSERT INTO scratch VALUES ({n}, {self.number(0, 3)}, {literals.string(self.rng)}) RETURNING id, v", f"INSERT INTO scratch VALUES ({n}, 1, 'x') ON CONFLICT (id) DO UPDATE SET g = scratch.g + 1 RETURNING *", f"UPDATE scratch SET g = coalesce(g, 0) + 1 WHERE id < {n} RETURNING id, g",
                          f"DELETE FROM scratch WHERE id = {n}", f"DELETE FROM scratch WHERE g = {self.number(0, 3)} RETURNING *", f"WITH i AS (INSERT INTO scratch VALUES ({n}, 5, 'w') RETURNING id) SELECT * FROM i", f"SELECT count(*), sum(g) FROM scratch WHERE id <> {n}", f"MERGE INTO scratch s USING (SELECT {n} AS id) x ON s.id = x.id WHEN MATCHED THEN UPDATE SET g = 9 WHEN NOT MATCHED THEN INSERT VALUES (x.id, 8, 'm')",
                          f"SELECT id FROM scratch WHERE id < {n} ORDER BY id {self.pick(STRENGTHS)}", f"DO $$BEGIN UPDATE scratch SET v = 'do' WHERE id = {n}; END$$", f"INSERT INTO scratch SELECT id + 100, g, 'copied' FROM scratch WHERE id < {n} RETURNING id", f"UPDATE scratch SET v = {literals.string(self.rng)} WHERE id = {n} RETURNING v"))

    def refused(self):
        """What READ ONLY or a block refuses, or what fails in some other way; of use where nothing is committed."""
        return self.pick(("SELECT nextval('s1') IS NOT NULL", "CREATE TABLE made (a int)", "DROP TABLE scratch", "ALTER TABLE scratch ADD z int", "TRUNCATE scratch", "CREATE INDEX ON scratch (g)", "COMMENT ON TABLE scratch IS 'x'", "GRANT SELECT ON scratch TO PUBLIC", "CREATE TEMP TABLE tmp (a int)", "SELECT setval('s1', 3)", "LOCK TABLE scratch IN ROW EXCLUSIVE MODE", "LOCK TABLE scratch IN ACCESS SHARE MODE",
                          "CREATE VIEW vw AS SELECT 1 AS a", "REFRESH MATERIALIZED VIEW mv", "CREATE SEQUENCE sq", "CREATE TYPE en AS ENUM ('a')", "DROP FUNCTION f_add", "REINDEX TABLE scratch", "CREATE ROLE nosuch_either", "SELECT 1 / 0", "SELECT nosuch", "INSERT INTO scratch VALUES (1), (1)", "DO $$BEGIN INSERT INTO scratch VALUES (77); END$$", "SELECT * INTO made FROM scratch",
                          "ALTER SEQUENCE s1 RESTART", "PREPARE p AS INSERT INTO scratch VALUES (50)", "SET CONSTRAINTS ALL DEFERRED", "COPY scratch TO STDOUT", "CLUSTER scratch USING scratch_pkey", "ANALYZE scratch", "CREATE SCHEMA made", "ALTER ROLE CURRENT_USER SET work_mem = '5MB'", "SECURITY LABEL ON TABLE scratch IS 'x'", "CREATE FUNCTION ff() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE DOMAIN dm AS int", "UPDATE pg_class SET relname = 'x' WHERE false"))

    FILL = "INSERT INTO scratch VALUES (1, 1, 'one'), (2, 0, NULL), (3, NULL, 'three'), (4, 2, '')"

    def committed(self, feature, steps, undo=()):
        """A unit that may commit changes of `scratch`, which is empty afterwards."""
        return Unit([*self.steps(feature, self.FILL), *steps], [Statement("ROLLBACK"), *[Statement(text) for text in undo], Statement("DELETE FROM scratch"), Statement("DEALLOCATE ALL")])

    def transactions(self):
        f = "transaction modes"
        steps = [self.pick(BEGINS) + self.modes()] if self.chance(0.9) else ["BEGIN ISOLATION LEVEL SERIALIZABLE"]
        if self.chance(0.3):
            steps.append(self.pick((f"SET TRANSACTION{self.modes() or ' READ ONLY'}", f"SET LOCAL transaction_read_only = {self.pick(('on', 'off'))}", f"SET transaction_isolation = '{self.pick(LEVELS).lower()}'")))
        for _ in range(self.number(2, 6)):
            steps.append(self.pick((self.work(), self.work(), self.work(), self.pick(self.SHOWN), self.pick(self.SHOWN))) if self.chance(0.9) else self.pick((f"SET TRANSACTION{self.modes() or ' READ WRITE'}", "SAVEPOINT s", "ROLLBACK TO s", "SET transaction_read_only = off", "SET transaction_read_only = on", "BEGIN TRANSACTION READ ONLY", self.refused(), "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")))
        end = self.pick(("COMMIT WORK", "END", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "ABORT", "COMMIT AND NO CHAIN", "ROLLBACK WORK", "END TRANSACTION AND CHAIN"))
        steps.append(end)
        if end.endswith(" CHAIN") and "NO" not in end:
            steps += [self.pick(self.SHOWN), self.work(), self.pick(("COMMIT WORK", "ROLLBACK WORK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN")), self.work()]
        steps += ["SELECT id, g, v FROM scratch ORDER BY 1"]
        return self.committed(f, self.steps(f, *steps), ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE",))

    def read_only(self):
        """One statement after the other in READ ONLY, each behind a savepoint."""
        f = "transaction modes"
        steps = [f"{self.pick(BEGINS)} {self.pick(('READ ONLY', 'ISOLATION LEVEL REPEATABLE READ READ ONLY', 'ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE'))}"]
        for n in range(self.number(2, 3)):
            steps += [f"SAVEPOINT s{n}", self.refused() if self.chance(0.4) else self.work(), f"ROLLBACK TO s{n}", f"SELECT {n}, count(*), max(v) FROM scratch"]
        return self.committed(f, self.steps(f, *steps))

    def outside(self):
        """What warns or fails outside of a block, and the session's defaults."""
        f = "transaction modes"
        modes = self.modes(0)
        steps = [self.pick(("COMMIT WORK", "ROLLBACK WORK", "END", "ABORT", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", f"SET TRANSACTION{modes or ' READ ONLY'}", "SET LOCAL work_mem = '5MB'", "SET CONSTRAINTS ALL IMMEDIATE", "LOCK TABLE t1", "DECLARE c CURSOR FOR SELECT 1", "COMMIT PREPARED 'nosuch'", "ROLLBACK PREPARED 'nosuch'", "PREPARE TRANSACTION 'x'")) if self.chance(0.5) else self.pick(self.SHOWN),
                 f"SET SESSION CHARACTERISTICS AS TRANSACTION{modes or ' READ WRITE'}" if self.chance(0.7) else self.pick(("SET default_transaction_isolation = 'serializable'", "SET default_transaction_read_only = on", "SET default_transaction_deferrable TO true", "SET default_transaction_isolation = 'nosuch'")), self.pick(self.SHOWN), self.work(), self.pick(self.SHOWN)]
        if self.chance(0.5):
            steps += [self.pick(BEGINS) + self.modes(0), self.pick(self.SHOWN), self.work(), self.pick(("COMMIT WORK", "ROLLBACK WORK"))]
        return self.committed(f, self.steps(f, *steps, "SELECT id, g, v FROM scratch ORDER BY 1"), ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE",))

    def nested(self):
        """Savepoints in savepoints, with errors in some."""
        f = "transaction modes"
        steps, names = [self.pick(BEGINS) + self.pick(("", " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE"))], []
        for n in range(self.number(5, 10)):
            kind = self.number(0, 9)
            if not names or kind <= 1:
                names.append(self.pick(("s", "t", "u", f"s{n}")))
                steps.append(f"SAVEPOINT {names[-1]}")
            elif kind == 2:
                steps.append(f"RELEASE {self.pick(('', 'SAVEPOINT '))}{self.pick(names)}")
            elif kind == 3:
                steps.append(f"ROLLBACK TO {self.pick(names)}")
            elif kind == 4:
                steps += [self.pick(("SELECT 1 / 0", "INSERT INTO scratch VALUES (1, 1, 'twice')", "SELECT nosuch", "UPDATE scratch SET id = 2", "SELECT 'x'::int")), f"ROLLBACK TO {names[-1]}"]
            else:
                steps.append(self.work())
        return self.committed(f, self.steps(f, *steps, self.pick(("COMMIT WORK", "ROLLBACK WORK", "COMMIT AND CHAIN")), "SELECT id, g, v FROM scratch ORDER BY 1"))

    def two_phase(self):
        f = "transaction modes"
        self.prepared += 1
        gid = f"{self.name}_{self.prepared}"
        shown = f"SELECT gid = '{gid}', owner = current_user, database = current_database(), prepared <= now() FROM pg_prepared_xacts WHERE gid LIKE '{self.name}%'"
        n = self.number(10, 40)
        steps = [self.pick(BEGINS) + self.pick(("", " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE", " READ ONLY" if self.chance(0.3) else ""))]
        for _ in range(self.number(0, 3)):
            steps.append(self.work())
        if self.chance(0.15):
            steps.append(self.pick(("SAVEPOINT s", "CREATE TEMP TABLE tmp (a int)", "SELECT 1 / 0", f"LISTEN {self.channel()}", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "SET CONSTRAINTS ALL DEFERRED")))
        steps.append(f"PREPARE TRANSACTION '{gid}'" if self.chance(0.95) else f"PREPARE TRANSACTION '{'g' * 200}'")
        steps += [shown, "SELECT id, g, v FROM scratch ORDER BY 1"]
        if self.chance(0.2):
            steps += ["BEGIN WORK", f"{self.pick(('COMMIT', 'ROLLBACK'))} PREPARED '{gid}'", "ROLLBACK WORK"]
        if self.chance(0.1):
            steps += ["BEGIN WORK", f"SELECT {n}", f"PREPARE TRANSACTION '{gid}'"]
        steps += [f"{self.pick(('COMMIT', 'COMMIT', 'ROLLBACK'))} PREPARED '{gid}'", shown, "SELECT id, g, v FROM scratch ORDER BY 1", f"UPDATE scratch SET g = 7 WHERE id < {n} RETURNING id"]
        if self.chance(0.1):
            steps.append(f"{self.pick(('COMMIT', 'ROLLBACK'))} PREPARED '{gid}'")
        return self.committed(f, self.steps(f, *steps), (f"ROLLBACK PREPARED '{gid}'", "DROP TABLE IF EXISTS pg_temp.tmp", "UNLISTEN *"))

    # Notifications

    def channel(self):
        return f"{self.pick(('ch', 'Ch', 'news', 'x'))}_{self.base}{self.pick(('', '_b'))}"

    def notify(self):
        f = "listen and notify"
        shown = "SELECT * FROM pg_listening_channels()"
        channels = [self.channel() for _ in range(2)]
        steps, block = [f"LISTEN {channels[0]}"], self.chance(0.5)
        for _ in range(self.number(3, 7)):
            channel = self.pick(channels)
            relation = self.pick(self.schema.plain)
            text, scope = self.selects.source("a", relation)
            payload = self.pick((literals.string(self.rng), literals.string(self.rng), f"'{self.number(0, 99)}'", "'日本語 ✓'", "''", "repeat('x', 7999)", "repeat('x', 8000)" if self.chance(0.2) else "'p'", "NULL" if self.chance(0.3) else "'q'"))
            literal = payload if payload.startswith("'") else f"'{'y' * 50}'"
            steps.append(self.pick((f"NOTIFY {channel}", f"NOTIFY {channel}, {literal}", f"NOTIFY {channel}, {literal}", f"SELECT pg_notify('{channel.lower()}', {payload})", f"SELECT pg_notify('{channel.lower()}', {payload})", shown, shown, f"LISTEN {channel}", f"LISTEN {self.channel()}", f"UNLISTEN {channel}", f"UNLISTEN {self.pick(('*', self.channel()))}", f'LISTEN "{channel}"', f'NOTIFY "{channel}", {literal}',
                                    f"SELECT a.id, pg_notify('{channel.lower()}', a.g::text) FROM {text}{self.selects.where(scope, 1, 0.6)} ORDER BY a.id", f"SELECT pg_notify('{channel.lower()}', ({self.x.make('text', scope, 1)})::text) FROM {text} WHERE a.id < 4 ORDER BY a.id", f"DO $$BEGIN PERFORM pg_notify('{channel.lower()}', 'from a block'); NOTIFY {channel}; END$$",
                                    "SELECT pg_notify('', 'x')" if self.chance(0.2) else shown, f"SELECT pg_notify(repeat('c', {self.pick((62, 63, 64))}), 'x')" if self.chance(0.2) else shown, "SELECT pg_notify(NULL, 'x')" if self.chance(0.2) else shown, f"NOTIFY {channel}, 5" if self.chance(0.1) else shown, f"UPDATE t1 SET g = g WHERE id < 3 RETURNING pg_notify('{channel.lower()}', id::text)")))
            if block and self.chance(0.3):
                steps.append(self.pick(("SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s")))
        steps = self.steps(f, *steps)
        if block:
            at = self.number(0, 2)
            end = self.pick(("COMMIT WORK", "COMMIT WORK", "ROLLBACK WORK", "COMMIT AND CHAIN"))
            steps = steps[:at] + [Statement("BEGIN"), *steps[at:], *self.steps(f, end), *self.steps(f, shown)]
        return Unit(steps, [Statement("ROLLBACK"), Statement("UNLISTEN *")])

    # Encodings

    def encodings(self):
        """convert() and its like over constants, and over columns."""
        f = "client encodings"
        self.x.features.add(f)
        name, _ = self.pick(ENCODINGS)
        other, _ = self.pick(ENCODINGS)
        text = self.pick(TEXTS)
        name = self.pick((name, name, name.lower(), name.replace("_", "-"), "nosuch" if self.chance(0.1) else name))
        data = self.pick((f"convert_to('{text}', '{other}')", f"'\\x{text.encode().hex()}'::bytea", f"decode('{bytes(self.number(0, 255) for _ in range(self.number(1, 4))).hex()}', 'hex')"))
        source, scope = self.selects.source("a")
        column = self.x.make("text", scope, 1)
        column = f"({column})::text"
        kind = self.number(0, 11)
        if kind <= 1:
            sql = f"SELECT convert_to('{text}', '{name}')"
        elif kind == 2:
            sql = f"SELECT convert_from(convert_to('{text}', '{name}'), '{name}') = '{text}', encode(convert_to('{text}', '{name}'), '{self.pick(('hex', 'base64', 'escape'))}')"
        elif kind == 3:
            sql = f"SELECT convert_from({data}, '{name}')"
        elif kind == 4:
            sql = f"SELECT convert({data}, '{other}', '{name}')"
        elif kind == 5:
            sql = f"SELECT length({data}, '{name}'), length({data}), octet_length('{text}'), char_length('{text}')"
        elif kind == 6:
            sql = self.pick((f"SELECT ascii('{text}'), chr({self.pick((0, 65, 127, 128, 255, 256, 8364, 26085, 55296, 65536, 128512, 1114111, 1114112, -1))})", f"SELECT chr(n), octet_length(chr(n)), ascii(chr(n)) FROM generate_series({self.number(1, 300)}, {self.number(301, 330)}, 7) n", f"SELECT ascii(n) FROM unnest(ARRAY['{text}', 'é', NULL]) n"))
        elif kind == 7:
            sql = f"SELECT a.g, convert_from(convert_to({column}, 'UTF8'), 'UTF8') = {column}, octet_length(convert_to({column}, 'UTF8')) FROM {source}{self.selects.where(scope, 1, 0.5)}"
        elif kind == 8:
            sql = f"SELECT {self.pick(('encode', 'md5'))}(convert_to({column}, '{self.pick(('UTF8', 'GB18030'))}'){self.pick((', ' + chr(39) + 'hex' + chr(39), ''))}) FROM {source}{self.selects.where(scope, 1, 0.5)}" if self.chance(0.5) else f"SELECT encode(convert_to({column}, '{self.pick(('UTF8', 'GB18030'))}'), '{self.pick(('hex', 'base64', 'escape'))}') FROM {source}{self.selects.where(scope, 1, 0.5)}"
        elif kind == 9:
            encoding = self.pick(("hex", "base64", "escape", "HEX", "nosuch" if self.chance(0.1) else "hex"))
            sql = self.pick((f"SELECT encode({data}, '{encoding}')", f"SELECT decode(encode('{text}'::bytea, '{encoding}'), '{encoding}')" if "\\" not in text else "SELECT decode('00ff', 'hex')", f"SELECT decode('{self.pick(('41 42', '4', 'xyz', 'QUI=', 'QUI', 'Q Q = =', chr(92) + '101', 'a' + chr(92), chr(92) * 2, '====', 'QUJD' * 20))}', '{encoding}')", f"SELECT encode(repeat('{text or 'a'}', {self.number(1, 40)})::bytea, 'base64')" if "\\" not in text else "SELECT encode('x', 'base64')"))
        elif kind == 10:
            sql = self.pick(("SELECT pg_client_encoding(), getdatabaseencoding()", "SHOW client_encoding", "SHOW server_encoding", f"SELECT pg_char_to_encoding('{name}'), pg_encoding_to_char({self.number(-1, 42)})", f"SELECT pg_encoding_max_length(pg_char_to_encoding('{name}'))", f"SELECT U&'\\{self.pick(('00e9', '65e5', '+01F600', 'd83d' + chr(92) + 'de00', 'd83d', '0000'))}', E'\\u00e9\\U0001F600'", f"SELECT normalize('{text}', {self.pick(('NFC', 'NFD', 'NFKC', 'NFKD'))}), '{text}' IS {self.pick(('', 'NOT '))}{self.pick(('', 'NFD ', 'NFKC '))}NORMALIZED", f"SELECT unistr('{self.pick((chr(92) + '00e9', chr(92) + 'u65e5x', chr(92) + '+01F600', chr(92) + 'zz', 'a' + chr(92) * 2))}')", f"SELECT to_ascii('{text}', '{name}')", f"SELECT upper('{text}'), lower('{text}'), initcap('{text}'), reverse('{text}'), length('{text}')", f"SELECT left('{text}', 1), right('{text}', 1), lpad('{text}', 5, '日'), rpad('{text}', 3, 'é'), substr('{text}', 2, 1), position('é' in '{text}'), overlay('{text}' placing '日' from 1 for 1)"))
        else:
            sql = f"SELECT convert_from(t.d, '{name}'), length(t.d, '{name}') FROM (VALUES (convert_to('{text}', '{name}')), ('\\x41'::bytea)) t(d)"
        return Unit([Statement(sql, self.x.take_features())])

    def client_encoding(self):
        """Statements sent and answered in another encoding than the server's."""
        f = "client encodings"
        name, codec = self.pick(ENCODINGS)
        setting = self.pick((f"SET client_encoding = '{name}'", f"SET client_encoding TO {name}", f"SET NAMES '{name}'", f"SELECT set_config('client_encoding', '{name}', false)"))
        steps = [Statement(setting, {f})]
        for _ in range(self.number(2, 5)):
            text = self.pick(TEXTS).encode(codec, "ignore").decode(codec, "ignore") if self.chance(0.8) else "ab"
            outputs, rest, scope = self.query()
            sql = self.pick((f"SELECT '{text}' AS v, length('{text}'), octet_length('{text}')", f"SELECT {outputs} FROM {rest}", f"SELECT {outputs} FROM {rest}", f"SELECT id, v FROM scratch WHERE v LIKE '%{text}%' ORDER BY id", f"INSERT INTO scratch VALUES ({self.number(10, 60)}, 1, '{text}') RETURNING id, v", f"UPDATE scratch SET v = v || '{text}' WHERE id < 4 RETURNING v", f"SELECT convert_to('{text}', 'UTF8')", "SELECT pg_client_encoding()", "SHOW client_encoding",
                             f"SELECT chr({self.pick((233, 8364, 26085, 20013, 128512, 1078, 322))}) AS c", f"SELECT U&'\\{self.pick(('00e9', '65e5', '4e2d', '0436', '+01F600'))}' AS u", f"SELECT '{text}'::int", f"COPY (SELECT id, v FROM scratch ORDER BY id) TO STDOUT", f"SELECT upper('{text}'), md5('{text}')", f"SELECT jsonb_build_object('k', '{text}')", f"SELECT ARRAY['{text}', 'x'] AS a, ('{text}')::varchar(2)"))
            steps.append(Statement(sql, {f} | self.x.take_features(), " ORDER BY id" in sql, " FROM " in sql or sql.startswith("UPDATE"), encoding=codec))   # which row has no equivalent is open
        if self.chance(0.15):   # bytes that are no text in the encoding
            steps.append(Statement(f"SELECT '{self.pick(('ÿ', 'é', 'Ã(', chr(0x80), 'â' + chr(0x82), 'ð' + chr(0x9f) + 'x', chr(0xc0) + chr(0x80)))}'", {f}, encoding="latin-1"))
        fill = Statement("INSERT INTO scratch VALUES (1, 1, 'Zoë'), (2, 0, '日本'), (3, NULL, 'abc'), (4, 2, '€')", {f})
        return Unit([Statement("BEGIN"), fill, *steps] if self.chance(0.5) else steps, [Statement("ROLLBACK"), Statement("DELETE FROM scratch"), Statement("SET client_encoding = 'UTF8'")])

    def invalid_bytes(self):
        """Bytes that are no UTF-8, to the server that expects it."""
        bad = bytes(self.number(0x80, 0xff) for _ in range(self.number(1, 3))).decode("latin-1")
        return Unit([Statement(self.pick((f"SELECT '{bad}'", f"SELECT '{bad} x' AS a", f"SELECT 1 AS {bad}", f"SELECT '{'é'.encode().decode('latin-1')}'")), {"client encodings"}, encoding="latin-1")])
