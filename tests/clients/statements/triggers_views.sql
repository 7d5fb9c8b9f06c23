-- INSTEAD OF triggers, and statement triggers of views.
CREATE TABLE base (id int PRIMARY KEY, a int, b text);
CREATE TABLE log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE VIEW v AS SELECT id, a, b || '!' AS shout, a * 2 AS twice FROM base WHERE a > 0;
CREATE FUNCTION v_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) VALUES (TG_NAME || ' ' || TG_WHEN || ' ' || TG_LEVEL || ' ' || TG_OP || ' ' || TG_TABLE_NAME || ' ' || TG_NARGS || ' ' || coalesce(TG_ARGV[0], '-'));
  IF TG_OP = 'INSERT' THEN
    INSERT INTO base VALUES (NEW.id, NEW.a, NEW.shout);
    NEW.twice := NEW.a * 2;
    NEW.shout := NEW.shout || '!';
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' THEN
    IF NEW.a = 13 THEN RETURN NULL; END IF;
    UPDATE base SET id = NEW.id, a = NEW.a WHERE id = OLD.id;
    NEW.twice := NEW.a * 2;
    RETURN NEW;
  ELSE
    IF OLD.a = 13 THEN RETURN NULL; END IF;
    DELETE FROM base WHERE id = OLD.id;
    RETURN OLD;
  END IF;
END $$;
CREATE FUNCTION stmt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) VALUES (TG_NAME || ' ' || TG_WHEN || ' ' || TG_LEVEL || ' ' || TG_OP);
  RETURN NULL;
END $$;
INSERT INTO v VALUES (1, 1, 'x', 2);
CREATE TRIGGER v_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON v FOR EACH ROW EXECUTE FUNCTION v_row('arg');
CREATE TRIGGER v_before BEFORE INSERT OR UPDATE OR DELETE ON v FOR EACH STATEMENT EXECUTE FUNCTION stmt();
CREATE TRIGGER v_after AFTER INSERT OR UPDATE OR DELETE ON v FOR EACH STATEMENT EXECUTE FUNCTION stmt();
INSERT INTO v VALUES (1, 1, 'x');
INSERT INTO v (id, a, shout) VALUES (2, 2, 'y'), (3, 3, 'z') RETURNING *;
INSERT INTO v (a, id) SELECT g * 10, g * 10 FROM generate_series(1, 2) g RETURNING id, twice, v.shout;
INSERT INTO v DEFAULT VALUES;
SELECT * FROM base ORDER BY id;
SELECT * FROM v ORDER BY id;
UPDATE v SET a = a + 1 WHERE id < 3 RETURNING *;
UPDATE v SET a = 13 WHERE id = 3 RETURNING *;
UPDATE v SET a = x.a FROM (VALUES (1, 100), (10, 1000)) x(id, a) WHERE v.id = x.id RETURNING v.id, v.a, x.a, twice;
UPDATE v SET (a, id) = (SELECT 7, 77) WHERE id = 2 RETURNING id, a;
UPDATE v SET shout = 'none' WHERE id = 77 RETURNING *;
UPDATE v SET nothing = 1;
UPDATE v SET a = 'x';
DELETE FROM v WHERE id = 77 RETURNING *;
DELETE FROM v USING base WHERE v.id = base.id AND base.a = 1000 RETURNING v.*, base.b;
DELETE FROM v WHERE id = 12345;
SELECT * FROM base ORDER BY id;
SELECT what FROM log ORDER BY n;
TRUNCATE log;
WITH ins AS (INSERT INTO v VALUES (50, 5, 'w') RETURNING *), upd AS (UPDATE v SET a = 51 WHERE id = 1 RETURNING id, a, twice) SELECT ins.*, upd.* FROM ins, upd;
SELECT what FROM log ORDER BY what COLLATE "C";
INSERT INTO v VALUES (60, 6, 'k') ON CONFLICT DO NOTHING;
INSERT INTO v VALUES (60, 6, 'k') ON CONFLICT (id) DO NOTHING;
INSERT INTO v VALUES (60, 6, 'k') ON CONFLICT (id) DO UPDATE SET a = 1;
MERGE INTO v USING base ON v.id = base.id WHEN MATCHED THEN DELETE;
PREPARE ins(int, int) AS INSERT INTO v VALUES ($1, $2, 'p') RETURNING id, twice;
EXECUTE ins(61, 8);
EXECUTE ins(62, 9);
ALTER TABLE v DISABLE TRIGGER v_instead;
TRUNCATE v;
-- A view over a view that has triggers.
CREATE VIEW w AS SELECT id AS ident, a AS amount, shout FROM v WHERE a < 1000;
INSERT INTO w VALUES (70, 7, 'through') RETURNING *;
UPDATE w SET amount = amount + 1 WHERE ident = 70 RETURNING *;
DELETE FROM w WHERE ident = 70 RETURNING ident;
CREATE VIEW wc AS SELECT * FROM v WHERE a < 100 WITH LOCAL CHECK OPTION;
INSERT INTO wc VALUES (71, 7, 'ok');
INSERT INTO wc VALUES (72, 700, 'not ok');
-- A view that could not be written otherwise.
CREATE VIEW agg AS SELECT a, count(*) AS n FROM base GROUP BY a;
UPDATE agg SET a = 5 WHERE n > 100;
CREATE FUNCTION agg_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM base WHERE base.a = OLD.a;
  RETURN OLD;
END $$;
CREATE TRIGGER agg_del INSTEAD OF DELETE ON agg FOR EACH ROW EXECUTE FUNCTION agg_row();
DELETE FROM agg WHERE n = 1 AND a < 9 RETURNING a, n;
INSERT INTO agg VALUES (1, 1);
-- What is refused.
CREATE TRIGGER bad BEFORE INSERT ON v FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE TRIGGER bad AFTER UPDATE ON v FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE TRIGGER bad INSTEAD OF INSERT ON base FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE TRIGGER bad INSTEAD OF INSERT ON v FOR EACH STATEMENT EXECUTE FUNCTION v_row();
CREATE TRIGGER bad INSTEAD OF UPDATE OF a ON v FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE TRIGGER bad INSTEAD OF UPDATE ON v FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION v_row();
CREATE TRIGGER bad BEFORE TRUNCATE ON v FOR EACH STATEMENT EXECUTE FUNCTION stmt();
CREATE TRIGGER bad AFTER INSERT ON v REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION stmt();
CREATE TRIGGER v_instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE TRIGGER bad INSTEAD OF INSERT ON pg_class FOR EACH ROW EXECUTE FUNCTION v_row();
CREATE OR REPLACE TRIGGER v_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON v FOR EACH ROW EXECUTE FUNCTION v_row('other');
-- Catalogs.
SELECT tgname, tgtype, tgenabled, tgnargs, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN ('v'::regclass, 'agg'::regclass) ORDER BY tgname;
SELECT relname, relhastriggers FROM pg_class WHERE relname IN ('v', 'w', 'agg', 'base') ORDER BY relname;
SELECT table_name, is_updatable, is_insertable_into, is_trigger_updatable, is_trigger_deletable, is_trigger_insertable_into FROM information_schema.views WHERE table_name IN ('v', 'w', 'agg') ORDER BY table_name;
SELECT trigger_name, event_manipulation, event_object_table, action_order, action_condition, action_statement, action_orientation, action_timing FROM information_schema.triggers WHERE event_object_table IN ('v', 'agg') ORDER BY 1, 2;
SELECT pg_relation_is_updatable('v'::regclass, false), pg_relation_is_updatable('v'::regclass, true), pg_relation_is_updatable('agg'::regclass, true);
COMMENT ON TRIGGER v_instead ON v IS 'a comment';
SELECT obj_description(oid, 'pg_trigger') FROM pg_trigger WHERE tgname = 'v_instead';
ALTER TRIGGER v_before ON v RENAME TO v_first;
ALTER TRIGGER nothing ON v RENAME TO v_second;
DROP FUNCTION agg_row();
DROP FUNCTION agg_row() CASCADE;
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('v'::regclass, 'agg'::regclass) ORDER BY tgname;
DROP TRIGGER v_after ON v;
DROP TRIGGER v_after ON v;
DROP TRIGGER IF EXISTS v_after ON v;
CREATE OR REPLACE VIEW v AS SELECT id, a, b || '?' AS shout, a * 2 AS twice, 1 AS one FROM base;
INSERT INTO v VALUES (90, 9, 'still') RETURNING *;
DROP VIEW v CASCADE;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'v\_%';
DROP FUNCTION v_row();
DROP VIEW agg;
DROP FUNCTION stmt();
DROP TABLE base, log;
