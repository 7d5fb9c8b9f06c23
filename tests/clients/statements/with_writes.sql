-- INSERT, UPDATE and DELETE in WITH: one snapshot, each runs to its end, read or not.
CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL DEFAULT 'new', worker int);
CREATE TABLE archive (id int, state text, worker int);
INSERT INTO jobs SELECT g, CASE WHEN g % 3 = 0 THEN 'done' ELSE 'new' END, NULL FROM generate_series(1, 12) g;
WITH j AS (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE jobs SET state = 'running', worker = 7 FROM j WHERE jobs.id = j.id RETURNING jobs.*;
WITH j AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED), u AS (UPDATE jobs SET state = 'running' WHERE id IN (SELECT id FROM j) RETURNING id) SELECT * FROM u ORDER BY id;
UPDATE jobs SET worker = 9 WHERE id = (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, worker;
SELECT * FROM jobs ORDER BY id;
WITH d AS (DELETE FROM jobs WHERE state = 'done' RETURNING *) INSERT INTO archive SELECT * FROM d;
SELECT * FROM archive ORDER BY id;
SELECT count(*) FROM jobs;
WITH d AS (DELETE FROM archive WHERE id > 6 RETURNING id) SELECT id FROM d ORDER BY id;
SELECT * FROM archive ORDER BY id;
-- The snapshot is that of before.
WITH u AS (UPDATE jobs SET worker = 1 WHERE id = 1 RETURNING id, worker) SELECT j.id, j.worker, u.worker FROM jobs j LEFT JOIN u USING (id) WHERE j.id < 3 ORDER BY 1;
WITH i AS (INSERT INTO archive VALUES (100, 'x', 1) RETURNING id) SELECT count(*) FROM archive;
SELECT count(*) FROM archive;
WITH i AS (INSERT INTO archive VALUES (101, 'x', 1), (102, 'y', 2)) SELECT count(*) FROM archive;
SELECT count(*) FROM archive;
WITH i AS (INSERT INTO archive VALUES (103, 'x', 1), (104, 'y', 2) RETURNING id) SELECT id FROM i LIMIT 1;
SELECT count(*) FROM archive;
WITH i AS (INSERT INTO archive VALUES (105, 'x', 1), (106, 'y', 2) RETURNING id) SELECT id FROM i LIMIT 0;
SELECT count(*) FROM archive;
WITH i AS (INSERT INTO archive VALUES (107, 'x', 1) RETURNING id) SELECT 1 WHERE false;
SELECT count(*) FROM archive;
-- Several.
WITH a AS (INSERT INTO archive VALUES (200, 'a', 1) RETURNING id), b AS (INSERT INTO archive SELECT id + 1, 'b', 2 FROM a RETURNING id), c AS (UPDATE archive SET state = 'c' WHERE id = 103 RETURNING id) SELECT 'a', id FROM a UNION ALL SELECT 'b', id FROM b UNION ALL SELECT 'c', id FROM c ORDER BY 1;
WITH a AS (INSERT INTO archive VALUES (210, 'a', 1) RETURNING id), b AS (INSERT INTO archive SELECT id + 1, 'b', 2 FROM a) DELETE FROM archive WHERE id = 200 RETURNING *;
SELECT * FROM archive WHERE id >= 200 ORDER BY id;
WITH a AS (INSERT INTO archive VALUES (220, 'a', 1) RETURNING id) INSERT INTO archive SELECT id + 1, 'z', 3 FROM a RETURNING id, state;
WITH a AS (SELECT 230 AS id), b AS (INSERT INTO archive SELECT id, 'b', 1 FROM a RETURNING *), c AS (SELECT id * 10 AS big FROM b) SELECT * FROM c, b;
WITH a(x, y) AS (DELETE FROM archive WHERE id = 230 RETURNING id, state) SELECT x, y FROM a;
WITH a(x, y, z) AS (DELETE FROM archive WHERE id = 230 RETURNING id, state) SELECT x, y FROM a;
-- The same row twice: once.
WITH u AS (UPDATE jobs SET worker = 50 WHERE id = 2 RETURNING worker) UPDATE jobs SET worker = 60 WHERE id = 2 RETURNING worker;
SELECT worker FROM jobs WHERE id = 2;
WITH u AS (UPDATE jobs SET worker = 51 WHERE id = 2 RETURNING worker), v AS (UPDATE jobs SET worker = 52 WHERE id = 2 RETURNING worker) SELECT (SELECT count(*) FROM u), (SELECT count(*) FROM v);
SELECT worker FROM jobs WHERE id = 2;
WITH u AS (UPDATE jobs SET worker = 51 WHERE id = 2), v AS (UPDATE jobs SET worker = 52 WHERE id = 2) SELECT 1;
SELECT worker FROM jobs WHERE id = 2;
WITH d AS (DELETE FROM jobs WHERE id = 2) UPDATE jobs SET worker = 70 WHERE id = 2 RETURNING id;
SELECT id, worker FROM jobs WHERE id = 2;
WITH u AS (UPDATE jobs SET worker = 71 WHERE id = 2) DELETE FROM jobs WHERE id = 2 RETURNING id;
SELECT id, worker FROM jobs WHERE id = 2;
-- Read several times, in sub-selects, joined, aggregated.
WITH d AS (DELETE FROM archive WHERE id BETWEEN 100 AND 103 RETURNING *) SELECT count(*), min(id), (SELECT max(id) FROM d), EXISTS (SELECT FROM d WHERE id = 101) FROM d;
WITH u AS (UPDATE jobs SET worker = coalesce(worker, 0) + 1 RETURNING *) SELECT state, count(*), sum(worker) FROM u GROUP BY state ORDER BY state;
WITH u AS (UPDATE jobs SET worker = 5 WHERE id < 5 RETURNING id) SELECT j.id FROM jobs j WHERE j.id IN (SELECT id FROM u) ORDER BY 1;
WITH u AS (UPDATE jobs SET worker = 6 WHERE id < 5 RETURNING id) SELECT x.id, y.id FROM u x JOIN u y ON x.id = y.id ORDER BY 1;
WITH u AS (UPDATE jobs SET worker = 6 WHERE id < 5 RETURNING jobs.id + 1 AS next) SELECT next FROM u ORDER BY next;
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3), i AS (INSERT INTO archive SELECT n + 300, 'r', n FROM r RETURNING id) SELECT * FROM i ORDER BY id;
WITH RECURSIVE i AS (INSERT INTO archive VALUES (400, 'r', 1) RETURNING id), r AS (SELECT id AS n FROM i UNION ALL SELECT n + 1 FROM r WHERE n < 403) SELECT * FROM r;
-- ON CONFLICT.
WITH i AS (INSERT INTO jobs VALUES (1, 'again', 1), (77, 'fresh', 2) ON CONFLICT (id) DO UPDATE SET state = excluded.state RETURNING id, state) SELECT * FROM i ORDER BY id;
WITH new(id, state) AS (VALUES (1, 'up'), (88, 'in')), u AS (UPDATE jobs SET state = new.state FROM new WHERE jobs.id = new.id RETURNING jobs.id) INSERT INTO jobs SELECT id, state, 0 FROM new WHERE NOT EXISTS (SELECT FROM u WHERE u.id = new.id) RETURNING *;
SELECT id, state FROM jobs WHERE id IN (1, 77, 88) ORDER BY id;
-- Foreign keys are checked at the end of the whole.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
WITH p AS (INSERT INTO parent VALUES (1), (2) RETURNING id) INSERT INTO child SELECT id * 10, id FROM p RETURNING *;
WITH c AS (INSERT INTO child VALUES (30, 3)) INSERT INTO parent VALUES (3);
WITH c AS (DELETE FROM child WHERE parent = 1), p AS (DELETE FROM parent WHERE id = 1) SELECT 1;
WITH c AS (INSERT INTO child VALUES (40, 4)) SELECT 1;
SELECT * FROM child ORDER BY 1;
-- CREATE TABLE AS, PREPARE, COPY, EXPLAIN, cursors.
CREATE TABLE moved AS WITH d AS (DELETE FROM archive WHERE id > 300 RETURNING id) SELECT id FROM d;
SELECT count(*) FROM moved;
PREPARE take(int) AS WITH d AS (DELETE FROM moved WHERE id > $1 RETURNING id) SELECT id FROM d ORDER BY id;
EXECUTE take(401);
EXECUTE take(401);
BEGIN;
DECLARE c CURSOR FOR WITH d AS (DELETE FROM moved RETURNING id) SELECT id FROM d;
ROLLBACK;
BEGIN READ ONLY;
WITH d AS (DELETE FROM moved RETURNING id) SELECT id FROM d;
ROLLBACK;
-- Errors.
WITH d AS (DELETE FROM moved) SELECT * FROM d;
SELECT * FROM (WITH d AS (DELETE FROM moved RETURNING id) SELECT * FROM d) s;
INSERT INTO moved WITH d AS (DELETE FROM archive RETURNING id) SELECT * FROM d;
SELECT (WITH d AS (DELETE FROM moved RETURNING id) SELECT count(*) FROM d);
WITH RECURSIVE d AS (DELETE FROM moved WHERE id IN (SELECT id FROM d) RETURNING id) SELECT * FROM d;
CREATE VIEW v AS WITH d AS (DELETE FROM moved RETURNING id) SELECT * FROM d;
WITH d AS (DELETE FROM moved RETURNING nothing) SELECT * FROM d;
WITH d AS (DELETE FROM moved RETURNING id) SELECT nothing FROM d;
WITH d AS (INSERT INTO nowhere VALUES (1) RETURNING 1) SELECT * FROM d;
WITH d AS (SELECT 1), d AS (DELETE FROM moved) SELECT 1;
WITH d AS (UPDATE moved SET id = 1 / 0) SELECT 1;
WITH d AS (DELETE FROM moved RETURNING id) SELECT id FROM d FOR UPDATE;
WITH d AS (DELETE FROM moved RETURNING id) SELECT id FROM d FOR UPDATE OF d;
WITH moved AS (SELECT 1 AS id) DELETE FROM moved;
WITH x AS (SELECT 1 AS id) DELETE FROM x;
WITH x AS (SELECT 1 AS id) INSERT INTO x VALUES (1);
WITH d AS (MERGE INTO moved USING archive ON false WHEN MATCHED THEN DELETE) SELECT 1;
SELECT count(*) FROM moved;
