-- Domains whose conditions call functions of users.
CREATE TABLE allowed (a int PRIMARY KEY);
INSERT INTO allowed VALUES (1), (2), (3), (10);
CREATE FUNCTION is_allowed(x int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN x IS NULL OR EXISTS (SELECT FROM allowed WHERE a = x); END $$;
CREATE FUNCTION small(x int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT x < 100';
CREATE DOMAIN good AS int CHECK (is_allowed(VALUE));
CREATE DOMAIN better AS good CONSTRAINT better_small CHECK (small(VALUE)) CHECK (VALUE > 1);
CREATE DOMAIN bad AS int CHECK (nothing(VALUE));
SELECT 1::good, NULL::good, '2'::better, 3.4::better;
SELECT 4::good;
SELECT '4'::good;
SELECT 1::better;
SELECT 4::better;
SELECT a::good FROM allowed ORDER BY a;
SELECT (a + 1)::better FROM allowed WHERE a < 3 ORDER BY a;
SELECT (a + 1)::better FROM allowed ORDER BY a;
SELECT a FROM allowed WHERE a::better > 2 AND a > 1 ORDER BY a;
SELECT CASE WHEN a > 1 THEN a::better END FROM allowed ORDER BY a;
CREATE TABLE holds (id int PRIMARY KEY, g good, b better DEFAULT 2);
INSERT INTO holds VALUES (1, 1, 2), (2, NULL, NULL);
INSERT INTO holds (id, g) VALUES (3, 3);
INSERT INTO holds VALUES (4, 5, 2);
INSERT INTO holds VALUES (4, 1, 1);
INSERT INTO holds SELECT a + 10, a FROM allowed;
INSERT INTO holds SELECT a + 100, a + 1 FROM allowed ORDER BY a;
UPDATE holds SET g = 2 WHERE id = 1;
UPDATE holds SET g = 20 WHERE id = 1;
UPDATE holds SET g = b, b = g WHERE id < 3;
SELECT * FROM holds ORDER BY id;
PREPARE ins AS INSERT INTO holds VALUES ($1, $2, $3);
EXECUTE ins(30, 1, 3);
EXECUTE ins(31, 4, 3);
EXECUTE ins(31, 1, 1);
INSERT INTO holds VALUES (1, 1, 2) ON CONFLICT (id) DO UPDATE SET g = excluded.g + 1 RETURNING g, b;
INSERT INTO holds VALUES (1, 1, 2) ON CONFLICT (id) DO UPDATE SET g = excluded.g + 7 RETURNING g, b;
-- In functions.
CREATE FUNCTION takes(x good) RETURNS better LANGUAGE plpgsql AS $$
DECLARE v good := x; w better;
BEGIN
  w := v + 1;
  RETURN w;
END $$;
SELECT takes(1), takes(2);
SELECT takes(3);
SELECT takes(4);
CREATE FUNCTION gives(x int) RETURNS good LANGUAGE sql AS 'SELECT x';
SELECT gives(10);
SELECT gives(11);
DO $$ DECLARE v good; BEGIN v := 3; RAISE NOTICE 'v is %', v; v := 4; EXCEPTION WHEN check_violation THEN RAISE NOTICE 'caught %', SQLERRM; END $$;
CREATE FUNCTION fills(x int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v good; w better; r record; out text := ''; h holds;
BEGIN
  SELECT x INTO v;
  EXECUTE 'SELECT $1 + 1' INTO w USING x;
  FOR v IN SELECT a FROM allowed WHERE a <= x ORDER BY a LOOP out := out || v || ','; END LOOP;
  FOREACH w IN ARRAY ARRAY[2, x + 1] LOOP out := out || w || ';'; END LOOP;
  SELECT 50, x, x + 1 INTO h;
  SELECT 1 INTO v WHERE false;
  RETURN out || h || coalesce(v::text, 'none');
END $$;
SELECT fills(2);
SELECT fills(1);
SELECT fills(3);
SELECT fills(5);
-- What they let in changes with what they call.
INSERT INTO allowed VALUES (4);
SELECT 4::good;
-- Changed later.
CREATE DOMAIN later AS text;
CREATE TABLE keeps (v later);
INSERT INTO keeps VALUES ('abc'), (NULL);
CREATE FUNCTION short(x text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN length(x) < 3; END $$;
ALTER DOMAIN later ADD CHECK (short(VALUE));
ALTER DOMAIN later ADD CONSTRAINT c CHECK (short(VALUE)) NOT VALID;
INSERT INTO keeps VALUES ('abcd');
ALTER DOMAIN later VALIDATE CONSTRAINT c;
UPDATE keeps SET v = 'ab' WHERE v = 'abc';
ALTER DOMAIN later VALIDATE CONSTRAINT c;
SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contypid IN ('later'::regtype, 'better'::regtype) ORDER BY conname;
DROP FUNCTION short(text);
ALTER DOMAIN later DROP CONSTRAINT c;
DROP FUNCTION short(text);
INSERT INTO keeps VALUES ('abcd');
DROP FUNCTION is_allowed(int);
DROP TABLE holds, keeps;
DROP FUNCTION takes(good), gives(int), fills(int);
DROP DOMAIN better, good, later;
DROP FUNCTION is_allowed(int), small(int);
DROP TABLE allowed;
