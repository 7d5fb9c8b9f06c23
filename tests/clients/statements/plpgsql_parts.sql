-- Parts of values, slices, variables in utility statements, prepared statements.
CREATE TYPE inner_t AS (x int, y text);
CREATE TYPE outer_t AS (i inner_t, arr int[], list inner_t[], j jsonb);
CREATE TABLE t (id int PRIMARY KEY, o outer_t, n int);
INSERT INTO t VALUES (1, ROW(ROW(1, 'one'), '{1,2,3}', ARRAY[ROW(7, 'seven')::inner_t], '{"a": 1}'), 10), (2, NULL, 20);
CREATE FUNCTION parts() RETURNS text LANGUAGE plpgsql AS $$
DECLARE o outer_t; r record; arr int[] := '{1,2,3,4,5}'; list inner_t[]; tr t; m int[] := '{{1,2},{3,4}}';
BEGIN
  o.i.x := 5;
  o.i.y := 'five';
  o.arr[2:3] := ARRAY[20, 30];
  o.list[2].x := '8';
  o.list[1] := ROW(1, 'el');
  o.j['k'] := '5';
  arr[2:3] := '{20,30}';
  arr[7:8] := ARRAY[70, 80];
  arr[:1] := ARRAY[100];
  list[1].y := 'first';
  list[3].x := 3;
  m[2][1] := 33;
  SELECT * INTO tr FROM t WHERE id = 1;
  tr.o.i.x := (tr.o).i.x + 1;
  tr.o.arr[1] := 11;
  tr.o.list[1].y := upper((tr.o).list[1].y);
  SELECT 1 AS a, ROW(1, 'q')::inner_t AS b INTO r;
  r.b.y := 'changed';
  RETURN o::text || ' ' || arr::text || ' ' || list::text || ' ' || m::text || ' ' || tr::text || ' ' || r::text;
END $$;
SELECT parts();
DO $$ DECLARE a int[]; BEGIN a[1:2] := ARRAY[1]; END $$;
DO $$ DECLARE a int[]; BEGIN a[:2] := ARRAY[1, 2]; END $$;
DO $$ DECLARE a int[] := '{1,2}'; BEGIN a[2:1] := ARRAY[1, 2]; END $$;
DO $$ DECLARE a int[] := '{1,2}'; BEGIN a[NULL:1] := ARRAY[1, 2]; END $$;
DO $$ DECLARE o outer_t; BEGIN o.i.z := 1; END $$;
DO $$ DECLARE o outer_t; BEGIN o.arr.z := 1; END $$;
DO $$ DECLARE o outer_t; BEGIN o.i.x.z := 1; END $$;
DO $$ DECLARE o outer_t; BEGIN o.i.x := 'a'; END $$;
DO $$ DECLARE o outer_t; BEGIN o.i[1] := 1; END $$;
DO $$ DECLARE n int; BEGIN n.x := 1; END $$;
CREATE FUNCTION counted() RETURNS text LANGUAGE plpgsql AS $$
DECLARE o outer_t; r record; k record; x inner_t;
BEGIN
  SELECT 1 AS x, 'rec' AS y INTO r;
  o.i := r;
  SELECT NULL::inner_t AS f, 2 AS g INTO k;
  k.f := r;
  x := r;
  o.list := ARRAY[x, ROW(2, 'two')::inner_t];
  o.i := ROW(9, 'nine');
  RETURN o::text || k::text;
END $$;
SELECT counted();
DO $$ DECLARE o outer_t; r record; BEGIN SELECT 1 AS x INTO r; o.i := r; END $$;
DO $$ DECLARE o outer_t; r record; BEGIN SELECT 1 AS x, 'a' AS y, 2 AS z INTO r; o.i := r; END $$;
-- Variables in CREATE TABLE AS, EXPLAIN and DECLARE CURSOR.
CREATE FUNCTION utility(lim int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v int := 15; line text; out text := ''; x int;
BEGIN
  CREATE TEMP TABLE made AS SELECT id, n, lim AS given FROM t WHERE n < v;
  GET DIAGNOSTICS x = ROW_COUNT;
  SELECT string_agg(made::text, ';') INTO out FROM made;
  out := out || ' rows ' || x;
  FOR line IN EXPLAIN (COSTS OFF) SELECT n FROM t WHERE id = lim LOOP
    out := out || ' plan';
    EXIT;
  END LOOP;
  DROP TABLE made;
  CREATE TEMP TABLE made AS SELECT v + 1 AS one WITH NO DATA;
  SELECT count(*) INTO x FROM made;
  DROP TABLE made;
  RETURN out || ' ' || x;
END $$;
SELECT utility(1);
SELECT utility(2);
CREATE FUNCTION declares(p int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DECLARE cur CURSOR FOR SELECT id, n + p FROM t WHERE n > p ORDER BY id; END $$;
CREATE PROCEDURE declares_cursor(p int) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'DECLARE cur CURSOR FOR SELECT id, n + $1 FROM t ORDER BY id' USING p;
END $$;
BEGIN;
CALL declares_cursor(5);
FETCH ALL FROM cur;
ROLLBACK;
-- EXECUTE of a prepared statement.
PREPARE p1(int) AS SELECT id, n FROM t WHERE id = $1;
PREPARE p2(int) AS UPDATE t SET n = n + $1;
CREATE FUNCTION runs() RETURNS text LANGUAGE plpgsql AS $$
DECLARE a int; b int; c int;
BEGIN
  EXECUTE 'EXECUTE p1(2)' INTO a, b;
  EXECUTE 'EXECUTE p2(3)';
  GET DIAGNOSTICS c = ROW_COUNT;
  RETURN a || ' ' || b || ' ' || c;
END $$;
SELECT runs();
SELECT id, n FROM t ORDER BY id;
DO $$ BEGIN EXECUTE 'EXECUTE nothing'; END $$;
DO $$ BEGIN EXECUTE 'EXECUTE p1'; END $$;
PREPARE p3(int) AS SELECT id, n FROM t WHERE id <= $1 ORDER BY id;
CREATE FUNCTION loops(x int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; c refcursor; out text := '';
BEGIN
  FOR r IN EXECUTE 'EXECUTE p3(' || x || ')' LOOP out := out || r.id || ','; END LOOP;
  OPEN c FOR EXECUTE 'EXECUTE p3(' || x || ')';
  FETCH c INTO r;
  CLOSE c;
  RETURN out || ' ' || r.id || ' ' || r.n;
END $$;
SELECT loops(2);
SELECT loops(3);
CREATE FUNCTION gives(x int) RETURNS TABLE (i int, j int) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE format('EXECUTE p3(%L)', x); END $$;
SELECT * FROM gives(2);
SELECT * FROM gives(NULL);
DEALLOCATE p3;
DROP FUNCTION loops(int), gives(int);
-- Domains over composite types.
CREATE DOMAIN pos AS inner_t CHECK ((VALUE).x > 0);
CREATE FUNCTION dom(p pos) RETURNS pos LANGUAGE plpgsql AS $$ BEGIN p.x := p.x - 1; RETURN p; END $$;
CREATE FUNCTION dom_sql(p pos) RETURNS pos LANGUAGE sql AS 'SELECT p';
CREATE FUNCTION dom_row(a int) RETURNS pos LANGUAGE plpgsql AS $$ BEGIN RETURN ROW(a, 'made'::text); END $$;
CREATE FUNCTION dom_set() RETURNS SETOF pos LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT ROW(1, 'a')::pos; RETURN NEXT ROW(2, 'b')::pos; END $$;
SELECT dom(ROW(2, 'a'));
SELECT dom(ROW(1, 'a'));
SELECT dom(ROW(0, 'a'));
SELECT (dom_sql(ROW(3, 'c'))).y;
SELECT dom_row(4), (dom_row(5)).x;
SELECT dom_row(-4);
SELECT * FROM dom_row(6);
SELECT * FROM dom_set();
SELECT proname, pg_get_function_result(oid), pg_get_function_arguments(oid) FROM pg_proc WHERE proname LIKE 'dom%' ORDER BY 1;
