-- A whole row of an outer query, in sub-selects of all kinds.
CREATE TABLE wro (a int, b text);
CREATE TABLE wrn (k int NOT NULL, v text);
INSERT INTO wro VALUES (1, 'x'), (2, NULL), (NULL, NULL);
INSERT INTO wrn VALUES (1, 'one'), (3, NULL);
SELECT (SELECT wro) FROM wro ORDER BY a;
SELECT (SELECT wro.*::wro) FROM wro ORDER BY a;
SELECT (SELECT (wro).b) FROM wro ORDER BY a;
SELECT (SELECT row_to_json(wro)) FROM wro ORDER BY a;
SELECT a, (SELECT wrn), (SELECT wrn IS NULL) FROM wro LEFT JOIN wrn ON k = a ORDER BY a;
SELECT a, (SELECT (SELECT wrn)) FROM wro LEFT JOIN wrn ON k = a ORDER BY a;
SELECT a, (SELECT n FROM (SELECT wrn AS n) s) FROM wro LEFT JOIN wrn ON k = a ORDER BY a;
SELECT a, (SELECT s) FROM wro LEFT JOIN (SELECT k, v FROM wrn) s ON k = a ORDER BY a;
SELECT a, (SELECT to_jsonb(s)) FROM wro LEFT JOIN (SELECT k, v FROM wrn) s ON k = a ORDER BY a;
SELECT a FROM wro WHERE EXISTS (SELECT wro) ORDER BY a;
SELECT a FROM wro WHERE EXISTS (SELECT wro FROM wrn WHERE k = a) ORDER BY a;
SELECT a, (SELECT count(wrn) FROM wrn WHERE k = a) FROM wro ORDER BY a;
SELECT a, x FROM wro, LATERAL (SELECT wro AS x) l ORDER BY a;
SELECT array(SELECT wro FROM generate_series(1, 2)) FROM wro ORDER BY a;
SELECT a, (SELECT wrn FROM wrn WHERE k = a) FROM wro ORDER BY a;
SELECT (SELECT wro FROM wrn) FROM wro;
SELECT (SELECT nothere) FROM wro;
-- A view over branches that constants decide.
CREATE TABLE wrv (c char(6), v varchar(12));
CREATE VIEW wrv1 AS SELECT CASE WHEN false THEN 'Zoe'::bpchar WHEN true THEN c END AS o1, coalesce(NULL, v) AS o2 FROM wrv;
INSERT INTO wrv VALUES ('a', 'b');
SELECT * FROM wrv1;
SELECT atttypid::regtype, atttypmod FROM pg_attribute WHERE attrelid = 'wrv1'::regclass ORDER BY attnum;
SELECT '294276-12-31 23:59:59.999999'::timestamp - '0001-01-01'::timestamp;
