-- Functions in SQL and PL/pgSQL, DO, and what they answer.
CREATE TABLE t (id int PRIMARY KEY, a int, b text);
INSERT INTO t SELECT i, i * 10, 'row ' || i FROM generate_series(1, 5) i;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT one();
SELECT one() + one() AS two, one()::text;
SELECT * FROM one();
SELECT * FROM one() AS x;
CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
SELECT add(1, 2), add(b => 5, a => 3), add(1, b => 9);
SELECT add(1, NULL);
SELECT add('1', '2');
SELECT add(1.5, 2);
SELECT add(1);
SELECT add(c => 1, a => 2);
SELECT id, add(id, a) FROM t ORDER BY id;
SELECT id FROM t WHERE add(id, a) > 30 ORDER BY id;
SELECT sum(add(id, 1)), count(*) FROM t;
SELECT add(id % 2, 0) AS k, count(*) FROM t GROUP BY add(id % 2, 0) ORDER BY 1;
SELECT id FROM t ORDER BY add(-id, 0);
SELECT id FROM t WHERE id = add(1, 2);
CREATE FUNCTION add3(int, int DEFAULT 10, c int DEFAULT 100) RETURNS int LANGUAGE sql AS $$ SELECT $1 + $2 + c $$;
SELECT add3(1), add3(1, 2), add3(1, 2, 3), add3(1, c => 0);
CREATE FUNCTION nobody(x int) RETURNS int LANGUAGE sql AS 'SELECT y';
CREATE FUNCTION wrong_type() RETURNS int LANGUAGE sql AS $$ SELECT 'a'::text $$;
CREATE FUNCTION two_columns() RETURNS int LANGUAGE sql AS $$ SELECT 1, 2 $$;
CREATE FUNCTION no_select() RETURNS int LANGUAGE sql AS $$ DELETE FROM t $$;
CREATE FUNCTION bad_syntax() RETURNS int LANGUAGE sql AS $$ SELEC 1 $$;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE OR REPLACE FUNCTION one() RETURNS text LANGUAGE sql AS 'SELECT ''2''';
CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2';
SELECT one();
CREATE FUNCTION first_text(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT b FROM t WHERE id = $1';
SELECT first_text(2), first_text(99);
SELECT id, first_text(id) FROM t ORDER BY id LIMIT 3;
CREATE FUNCTION all_ids() RETURNS SETOF int LANGUAGE sql AS 'SELECT id FROM t ORDER BY id';
SELECT * FROM all_ids();
SELECT all_ids();
SELECT x + 1 FROM all_ids() AS x WHERE x > 2;
SELECT t.b FROM all_ids() AS i JOIN t ON t.id = i ORDER BY 1;
CREATE FUNCTION pairs(n int) RETURNS TABLE (x int, y text) LANGUAGE sql AS $$ SELECT id, b FROM t WHERE id <= n ORDER BY id $$;
SELECT * FROM pairs(2);
SELECT y FROM pairs(3) WHERE x > 1;
SELECT id, p.* FROM t, pairs(t.id) p WHERE id < 3 ORDER BY id, x;
SELECT * FROM pairs(2) WITH ORDINALITY;
CREATE FUNCTION rows_of_t(int) RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t WHERE id >= $1 ORDER BY id';
SELECT * FROM rows_of_t(4);
SELECT b FROM rows_of_t(5);
CREATE FUNCTION row_of_t(int) RETURNS t LANGUAGE sql AS 'SELECT * FROM t WHERE id = $1';
SELECT * FROM row_of_t(2);
CREATE FUNCTION outs(IN n int, OUT doubled int, OUT shown text) LANGUAGE sql AS $$ SELECT n * 2, 'n' || n $$;
SELECT * FROM outs(4);
SELECT (outs(4)).shown;
CREATE FUNCTION one_out(n int, OUT r int) LANGUAGE sql AS 'SELECT n + 1';
SELECT one_out(1);
SELECT * FROM one_out(1);
CREATE FUNCTION adder(n int) RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (n, n, NULL)';
SELECT adder(6);
SELECT count(*) FROM t;
CREATE FUNCTION add_returning(n int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (n, n, NULL) RETURNING id * 2';
SELECT add_returning(7);
SELECT add_returning(7);
DELETE FROM t WHERE id > 5;
CREATE FUNCTION stable_writer() RETURNS void LANGUAGE sql STABLE AS 'INSERT INTO t VALUES (8)';
SELECT stable_writer();
CREATE FUNCTION strict_one(int) RETURNS int LANGUAGE sql STRICT AS 'SELECT coalesce($1, 0)';
SELECT strict_one(NULL), strict_one(5);
CREATE FUNCTION poly(x anyelement, y anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT coalesce(x, y[1])';
SELECT poly(1, ARRAY[2]), poly(NULL::text, ARRAY['q']);
CREATE FUNCTION vsum(VARIADIC v int[]) RETURNS bigint LANGUAGE sql AS 'SELECT sum(x) FROM unnest(v) x';
SELECT vsum(1, 2, 3), vsum(VARIADIC ARRAY[4, 5]);
CREATE FUNCTION ret_expr(a int) RETURNS int LANGUAGE sql RETURN a * 2;
SELECT ret_expr(4);
CREATE FUNCTION f1(x int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN x + 1;
END
$$;
SELECT f1(1), f1(NULL);
SELECT id, f1(id) FROM t ORDER BY f1(-id);
CREATE FUNCTION fib(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF n < 2 THEN RETURN n; END IF;
  RETURN fib(n - 1) + fib(n - 2);
END
$$;
SELECT fib(10);
CREATE FUNCTION loops() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  i int := 0;
  out text := '';
  arr int[] := ARRAY[1, 2, 3];
  r record;
  n CONSTANT int := 3;
BEGIN
  LOOP
    i := i + 1;
    EXIT WHEN i > n;
    CONTINUE WHEN i = 2;
    out := out || i || ',';
  END LOOP;
  WHILE i > 0 LOOP i := i - 2; END LOOP;
  FOR k IN 1..3 LOOP out := out || 'k' || k; END LOOP;
  FOR k IN REVERSE 6..1 BY 2 LOOP out := out || 'r' || k; END LOOP;
  FOREACH i IN ARRAY arr LOOP out := out || 'e' || i; END LOOP;
  FOR r IN SELECT id, b FROM t ORDER BY id LIMIT 2 LOOP out := out || '[' || r.id || r.b || ']'; END LOOP;
  arr[5] := 9;
  out := out || arr::text;
  <<outer_loop>>
  FOR a IN 1..3 LOOP
    FOR b IN 1..3 LOOP
      CONTINUE outer_loop WHEN b = 2;
      EXIT outer_loop WHEN a = 3;
      out := out || a || b;
    END LOOP;
  END LOOP;
  RETURN out;
END
$$;
SELECT loops();
CREATE FUNCTION cases(x int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  CASE x
    WHEN 1, 2 THEN RETURN 'small';
    WHEN 3 THEN RETURN 'three';
    ELSE NULL;
  END CASE;
  CASE WHEN x > 10 THEN RETURN 'big'; WHEN x > 5 THEN RETURN 'middle'; END CASE;
END
$$;
SELECT cases(1), cases(2), cases(3), cases(20), cases(6);
SELECT cases(4);
CREATE FUNCTION into_(k int, OUT x int, OUT y text) LANGUAGE plpgsql AS $$
BEGIN
  SELECT a, b INTO x, y FROM t WHERE id = k;
  IF NOT FOUND THEN y := 'nothing'; END IF;
END
$$;
SELECT * FROM into_(1);
SELECT * FROM into_(100);
CREATE FUNCTION strict_(k int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE x int;
BEGIN
  SELECT a INTO STRICT x FROM t WHERE id >= k;
  RETURN x;
END
$$;
SELECT strict_(5);
SELECT strict_(4);
SELECT strict_(9);
CREATE FUNCTION catcher(k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c text; m text; d text;
BEGIN
  BEGIN
    INSERT INTO t VALUES (k, 0, 'x');
    PERFORM 1 / (k - 7);
    IF k = 8 THEN RAISE EXCEPTION 'eight %', k USING DETAIL = 'det', HINT = 'hint', ERRCODE = 'HD001'; END IF;
    IF k = 9 THEN RAISE unique_violation USING MESSAGE = 'mine'; END IF;
  EXCEPTION
    WHEN unique_violation THEN RETURN 'unique ' || sqlerrm;
    WHEN division_by_zero THEN RETURN 'div ' || sqlstate;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS c = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL;
      RETURN c || m || d;
  END;
  RETURN 'fine';
END
$$;
SELECT catcher(1), catcher(7), catcher(8), catcher(9), catcher(10);
SELECT id FROM t WHERE id > 5 ORDER BY id;
DELETE FROM t WHERE id > 5;
CREATE FUNCTION nested_blocks() RETURNS int LANGUAGE plpgsql AS $$
<<o>>
DECLARE x int := 1;
BEGIN
  DECLARE x int := 2;
  BEGIN
    x := x + o.x;
    o.x := x * 10;
  END;
  RETURN x;
END
$$;
SELECT nested_blocks();
CREATE FUNCTION rec(k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record; s t%ROWTYPE; v t.b%TYPE; u t;
BEGIN
  SELECT * INTO r FROM t WHERE id = k;
  SELECT * INTO s FROM t WHERE id = k + 1;
  u := r;
  u.a := 77;
  r.a := r.a + 1;
  v := s.b;
  RETURN r.a || r.b || v || u.a || s.id;
END
$$;
SELECT rec(1);
CREATE FUNCTION dyn(tab text, k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE out text; n bigint;
BEGIN
  EXECUTE format('SELECT b FROM %I WHERE id = $1', tab) INTO out USING k;
  EXECUTE 'UPDATE t SET a = a + 0 WHERE id <= $1' USING k;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN out || n;
END
$$;
SELECT dyn('t', 2);
SELECT dyn('missing', 2);
CREATE FUNCTION series(n int) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..n LOOP RETURN NEXT i * i; END LOOP;
  RETURN QUERY SELECT id FROM t WHERE id < 3 ORDER BY id;
  RETURN QUERY EXECUTE 'SELECT $1 + 100' USING n;
  RETURN;
END
$$;
SELECT * FROM series(3);
SELECT series(2);
SELECT sum(s) FROM series(4) s;
CREATE FUNCTION table_(n int) RETURNS TABLE (x int, y text) LANGUAGE plpgsql AS $$
BEGIN
  x := n; y := 'first'; RETURN NEXT;
  RETURN QUERY SELECT id, b FROM t WHERE id = n;
  IF FOUND THEN x := 0; y := 'found'; RETURN NEXT; END IF;
END
$$;
SELECT * FROM table_(2);
CREATE FUNCTION setof_t() RETURNS SETOF t LANGUAGE plpgsql AS $$
DECLARE r t;
BEGIN
  FOR r IN SELECT * FROM t ORDER BY id LOOP
    r.b := upper(r.b);
    RETURN NEXT r;
  END LOOP;
END
$$;
SELECT * FROM setof_t() WHERE id < 3;
CREATE FUNCTION no_return() RETURNS int LANGUAGE plpgsql AS $$ BEGIN END $$;
SELECT no_return();
CREATE FUNCTION wrong_query() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT 'a'::text; END $$;
SELECT wrong_query();
CREATE FUNCTION void_() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
SELECT void_();
CREATE FUNCTION ambiguous(id int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT a FROM t WHERE id = 1); END $$;
SELECT ambiguous(1);
CREATE FUNCTION unambiguous(id int) RETURNS int LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN RETURN (SELECT a FROM t WHERE id = 1); END $$;
SELECT unambiguous(3);
CREATE FUNCTION cursors() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c CURSOR (k int) FOR SELECT id, b FROM t WHERE id >= k ORDER BY id;
  d refcursor;
  i int; s text; out text := '';
BEGIN
  OPEN c(2);
  FETCH c INTO i, s;
  out := out || i || s;
  MOVE c;
  FETCH NEXT FROM c INTO i, s;
  out := out || i || s;
  CLOSE c;
  OPEN d SCROLL FOR SELECT id FROM t ORDER BY id;
  FETCH LAST FROM d INTO i; out := out || i;
  FETCH PRIOR FROM d INTO i; out := out || i;
  FETCH ABSOLUTE 1 FROM d INTO i; out := out || i;
  CLOSE d;
  FOR r IN c(4) LOOP out := out || '(' || r.id || ')'; END LOOP;
  OPEN d FOR EXECUTE 'SELECT $1' USING 42;
  FETCH d INTO i; out := out || i;
  FETCH d INTO i;
  IF NOT FOUND THEN out := out || 'end'; END IF;
  RETURN out;
END
$$;
SELECT cursors();
CREATE FUNCTION asserts(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN ASSERT x > 0, 'not positive'; RETURN x; END $$;
SELECT asserts(1);
SELECT asserts(0);
CREATE FUNCTION constant_() RETURNS int LANGUAGE plpgsql AS $$ DECLARE c CONSTANT int := 1; BEGIN c := 2; RETURN c; END $$;
CREATE FUNCTION not_null_() RETURNS int LANGUAGE plpgsql AS $$ DECLARE c int NOT NULL := 1; BEGIN c := NULL; RETURN c; END $$;
SELECT not_null_();
CREATE FUNCTION bad_plpgsql() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETRUN 1; END $$;
CREATE FUNCTION bad_variable() RETURNS int LANGUAGE plpgsql AS $$ BEGIN zz := 1; END $$;
CREATE FUNCTION bad_if() RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF true THEN RETURN 1; END; $$;
CREATE FUNCTION bad_type() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x nosuchtype; BEGIN RETURN 1; END $$;
CREATE FUNCTION bad_raise() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', 1; END $$;
CREATE FUNCTION bad_exit() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXIT; END $$;
CREATE FUNCTION bad_label() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXIT nowhere; END $$;
DO $$ BEGIN RAISE NOTICE 'hello %', 1 + 1; RAISE WARNING 'w'; RAISE INFO 'i'; END $$;
DO $$ DECLARE x int := 0; BEGIN FOR i IN 1..100 LOOP x := x + i; END LOOP; RAISE NOTICE '%', x; END $$;
DO $$ BEGIN PERFORM 1 / 0; END $$;
DO $$ DECLARE x int; BEGIN x := 'abc'; END $$;
DO $$ DECLARE x int; BEGIN x := nosuch + 1; END $$;
DO $$ BEGIN SELECT 1; END $$;
DO $$ BEGIN RAISE EXCEPTION 'boom %', 'x' USING HINT = 'h', DETAIL = 'd', ERRCODE = '22012'; END $$;
DO $$ BEGIN RAISE SQLSTATE '22013'; END $$;
DO $$ BEGIN RAISE division_by_zero; END $$;
DO $$ BEGIN RAISE; END $$;
DO $$ BEGIN COMMIT; END $$;
DO LANGUAGE sql 'SELECT 1';
DO $$ BEGIN CREATE TABLE made (x int); INSERT INTO made VALUES (1), (2); RAISE NOTICE '%', (SELECT count(*) FROM made); DROP TABLE made; END $$;
DO $$ DECLARE r record; BEGIN RAISE NOTICE '%', r.x; END $$;
DO $$ DECLARE r record; BEGIN SELECT 1 AS y INTO r; RAISE NOTICE '%', r.x; END $$;
DO $$ DECLARE j jsonb := '{"a": [1, 2]}'; k text; BEGIN FOR k IN SELECT jsonb_array_elements_text(j -> 'a') LOOP RAISE NOTICE '%', k; END LOOP; END $$;
CREATE PROCEDURE proc(IN a int, INOUT b int, OUT c text) LANGUAGE plpgsql AS $$ BEGIN b := a + coalesce(b, 0); c := 'c' || b; END $$;
CALL proc(1, 2, NULL);
CALL proc(1, b => 5, c => NULL);
CALL proc(1);
SELECT proc(1, 2);
CREATE PROCEDURE ins(n int) LANGUAGE sql AS 'INSERT INTO t VALUES (n, n, NULL)';
CALL ins(11);
DO $$ DECLARE x int := 5; y text; BEGIN CALL proc(1, x, y); RAISE NOTICE '% %', x, y; END $$;
CALL one();
CREATE FUNCTION deft(a int, b text DEFAULT 'x') RETURNS text LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = statements, public AS $$ BEGIN RETURN a || b; END $$;
SELECT deft(1), deft(1, 'y');
SELECT pg_get_function_arguments('deft'::regproc), pg_get_function_identity_arguments('deft'::regproc), pg_get_function_result('pairs'::regproc);
SELECT pg_get_functiondef('deft'::regproc);
SELECT pg_get_functiondef('pairs'::regproc);
SELECT proname, prokind, provolatile, proisstrict, proretset, pronargs, pronargdefaults, proargnames, proargmodes, prosrc FROM pg_proc WHERE pronamespace = 'statements'::regnamespace AND proname IN ('add', 'outs', 'pairs', 'proc') ORDER BY proname;
ALTER FUNCTION add(int, int) RENAME TO plus;
SELECT plus(1, 2);
SELECT add(1, 2);
ALTER FUNCTION plus(int, int) VOLATILE;
ALTER FUNCTION nosuch(int) RENAME TO x;
DROP FUNCTION plus(int, int);
SELECT plus(1, 2);
DROP FUNCTION plus(int, int);
DROP FUNCTION IF EXISTS plus(int, int);
DROP PROCEDURE ins;
DROP FUNCTION proc;
UPDATE t SET a = f1(a) WHERE id = 1 RETURNING id, a, f1(a);
INSERT INTO t VALUES (20, f1(19), 'v'), (21, f1(20), 'w') RETURNING a;
INSERT INTO t SELECT f1(id + 100), 0, first_text(1) FROM t WHERE id = 2 RETURNING *;
DELETE FROM t WHERE f1(id) = 22 RETURNING id;
DELETE FROM t WHERE f1(id) > 15;
SELECT CASE WHEN id = 1 THEN f1(10) ELSE no_return() END FROM t WHERE id = 1;
SELECT coalesce(f1(NULL), f1(1)), f1(1) IN (1, 2), ARRAY[f1(1), f1(2)];
SELECT (SELECT f1(id) FROM t WHERE id = 3), EXISTS (SELECT 1 FROM t WHERE f1(id) = 4);
WITH x AS (SELECT f1(id) AS v FROM t) SELECT max(v) FROM x;
CREATE FUNCTION deep(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RETURN 0; END IF; RETURN 1 + deep(n - 1); END $$;
SELECT deep(200);
CREATE VIEW v AS SELECT id, f1(id) AS next FROM t;
SELECT * FROM v WHERE id < 3 ORDER BY id;
DROP FUNCTION f1(int);
DROP FUNCTION f1(int) CASCADE;
