-- What errors say beside their SQLSTATE: message, detail, the objects they name. Which shard finds the error must not show.
CREATE SCHEMA ef;
SET search_path = ef;
CREATE FUNCTION said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text; of_schema text; of_table text; of_column text; of_constraint text;
BEGIN
  EXECUTE statement;
  RETURN 'ok';
EXCEPTION WHEN others THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, of_schema = SCHEMA_NAME, of_table = TABLE_NAME,
    of_column = COLUMN_NAME, of_constraint = CONSTRAINT_NAME;
  RETURN concat_ws(' / ', message, detail, hint, of_schema, of_table, of_column, of_constraint);
END $$;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (n int, m mood);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE rows (id int PRIMARY KEY, g int NOT NULL, m mood, p pair, d positive, few mood[], x int CHECK (x < 10));
INSERT INTO rows SELECT n, n, 'ok', ROW(n, 'sad')::pair, n, ARRAY['sad', 'ok']::mood[], n FROM generate_series(1, 8) n;
-- By key, one row after the other: they lie on several shards.
SELECT id, said('UPDATE rows SET g = NULL WHERE id = ' || id) FROM rows ORDER BY id;
SELECT id, said('UPDATE rows SET g = DEFAULT, m = ''sad'' WHERE id = ' || id || ' RETURNING m') FROM rows ORDER BY id;
SELECT id, said('UPDATE rows SET x = 10 WHERE id = ' || id) FROM rows ORDER BY id;
SELECT id, said('UPDATE rows SET id = NULL WHERE id = ' || id) FROM rows ORDER BY id;
SELECT id, said('UPDATE rows SET d = -1 WHERE id = ' || id) FROM rows ORDER BY id;
SELECT id, said('INSERT INTO rows (id, m, p) VALUES (' || id + 100 || ', ''sad'', ROW(1, ''ok''))') FROM rows ORDER BY id;
SELECT id, said('INSERT INTO rows (id, g, m) VALUES (' || id || ', 1, ''sad'')') FROM rows ORDER BY id;
SELECT id, said('INSERT INTO rows (id, g) VALUES (' || id || ', 1) ON CONFLICT (id) DO UPDATE SET g = NULL') FROM rows ORDER BY id;
SELECT said('UPDATE rows SET g = NULL WHERE id = (SELECT max(id) FROM rows)');
SELECT said('MERGE INTO rows r USING (SELECT 3 AS id) x ON r.id = x.id WHEN MATCHED THEN UPDATE SET g = NULL');
-- Rows of an older form are read as such.
ALTER TABLE rows ADD COLUMN late mood DEFAULT 'sad';
SELECT id, said('UPDATE rows SET g = NULL WHERE id = ' || id) FROM rows ORDER BY id;
-- The relation behind a composite type.
SELECT oid::regclass, relname, relkind FROM pg_class WHERE relnamespace = 'ef'::regnamespace AND relkind = 'c';
SELECT 'pair'::regclass, 'ef.pair'::regclass, to_regclass('pair'), to_regclass('mood'), to_regclass('positive');
SELECT 'mood'::regclass;
SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'pair'::regclass ORDER BY 2;
SET search_path = public;
SELECT oid::regclass FROM pg_class WHERE relname = 'pair' AND relnamespace = 'ef'::regnamespace;
SELECT 'pair'::regclass;
SET search_path = ef;
-- Partitioned relations have no tablespace of their own.
CREATE TABLE parts (id int, g int) PARTITION BY LIST (g);
CREATE INDEX ON parts (g) TABLESPACE pg_default;
CREATE INDEX ON parts (g) TABLESPACE nosuch;
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1) TABLESPACE pg_default;
CREATE INDEX ON parts1 (g) TABLESPACE pg_default;
CREATE TABLE parts2 PARTITION OF parts FOR VALUES IN (2) PARTITION BY LIST (id) TABLESPACE pg_default;
CREATE TABLE more_parts (id int) PARTITION BY LIST (id) TABLESPACE pg_default;
CREATE TABLE more_parts (id int) PARTITION BY LIST (id) TABLESPACE nosuch;
SELECT said('CREATE INDEX ON parts (g) TABLESPACE pg_default'), said('CREATE TABLE more_parts (id int) PARTITION BY LIST (id) TABLESPACE pg_default');
-- Which of two reasons against PREPARE TRANSACTION comes first.
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT 1;
PREPARE TRANSACTION 'ggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg';
BEGIN;
SELECT pg_advisory_xact_lock(4711);
PREPARE TRANSACTION 'ggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg';
-- The functions of pgcrypto name themselves.
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public;
SET search_path = ef, public;
SELECT said($s$SELECT encrypt('abc', 'k', 'aes-ecb/pad:none')$s$), said($s$SELECT encrypt_iv('abc', 'k', 'i', 'aes-ecb/pad:none')$s$);
SELECT said($s$SELECT decrypt('abc', 'k', 'aes')$s$), said($s$SELECT decrypt_iv('abc', 'k', 'i', 'aes')$s$);
DROP EXTENSION pgcrypto;
DROP SCHEMA ef CASCADE;
