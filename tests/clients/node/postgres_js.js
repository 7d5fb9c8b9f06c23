// postgres.js: types fetched at connect, fragments, pipelining, cursors, COPY streams, LISTEN, transactions, cancel, reconnect, errors.
import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import postgres from 'postgres';
import { Cases, refused, sleep, until, url } from './cases.js';

const cases = new Cases('postgres.js');
const { test } = cases;
const quiet = { onnotice: () => {} };
const sql = postgres(url, { ...quiet, max: 6 });

test('parameters of common types come back', async () => {
  const when = new Date('2024-02-29T12:00:00.123Z');
  const [row] = await sql`SELECT ${7}::int4 AS a, ${'1099511627776'}::int8 AS b, ${'12.340'}::numeric AS c, ${"万店 'q' \\"}::text AS d,
    ${true}::bool AS e, ${Buffer.from([0, 255])}::bytea AS f, ${sql.json({ a: [1] })}::jsonb AS g, ${[1, 2]}::int4[] AS h, ${null}::text AS i,
    ${when}::timestamptz AS j, ${['x', 'y "z"']}::text[] AS k`;
  assert.deepEqual({ ...row }, { a: 7, b: '1099511627776', c: '12.340', d: "万店 'q' \\", e: true, f: Buffer.from([0, 255]), g: { a: [1] },
    h: [1, 2], i: null, j: when, k: ['x', 'y "z"'] });
});

test('arrays of users\' types are fetched from the catalog', async () => {
  await sql`DROP TABLE IF EXISTS client_postgres_js, client_postgres_js_kinds`;
  await sql`DROP TYPE IF EXISTS client_postgres_js_kind`;
  await sql`CREATE TYPE client_postgres_js_kind AS ENUM ('kiosk', 'shop')`;
  const fresh = postgres(url, { ...quiet, max: 1 });
  const [{ kinds }] = await fresh`SELECT ARRAY['shop', 'kiosk']::client_postgres_js_kind[] AS kinds`;
  assert.deepEqual(kinds, ['shop', 'kiosk']);
  await fresh.end();
});

test('rows are written by helpers and read', async () => {
  await sql`CREATE TABLE client_postgres_js (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.00, kind client_postgres_js_kind)`;
  const rows = Array.from({ length: 500 }, (_, id) => ({ id, name: `item ${id}`, kind: id % 2 ? 'shop' : 'kiosk' }));
  const result = await sql`INSERT INTO client_postgres_js ${sql(rows, 'id', 'name', 'kind')} RETURNING *`;
  assert.deepEqual([result.count, result.command, result.columns.map(({ name }) => name)], [500, 'INSERT', ['id', 'name', 'price', 'kind']]);
  await sql`UPDATE client_postgres_js SET ${sql({ name: 'new', price: 2 }, 'name', 'price')} WHERE id = ${1}`;
  await sql`UPDATE client_postgres_js SET price = (v.price)::numeric FROM (VALUES ${sql([[2, 3], [3, 4]])}) AS v (id, price)
    WHERE client_postgres_js.id = (v.id)::int`;
  const condition = (x) => sql`AND price > ${x}`;
  const found = await sql`SELECT id, price FROM ${sql('client_postgres_js')} WHERE id IN ${sql([1, 2, 3, 4])} ${condition(1)} ORDER BY ${sql('id')}`;
  assert.deepEqual(found.map(({ id, price }) => [id, price]), [[1, '2.00'], [2, '3.00'], [3, '4.00']]);
  assert.deepEqual([...await sql`SELECT id FROM client_postgres_js WHERE id = ${5}`.values()], [[5]]);
});

test('queries are sent without waiting and answered in order', async () => {
  const one = await sql.reserve();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => one`SELECT ${i}::int AS i`));
  assert.deepEqual(answers.map(([{ i }]) => i), Array.from({ length: 200 }, (_, i) => i));
  one.release();
});

test('statements are described', async () => {
  const described = await sql`SELECT id, name FROM client_postgres_js WHERE id = ${1}`.describe();
  assert.deepEqual([described.types, described.columns.map(({ name, type }) => [name, type])], [[23], [['id', 23], ['name', 25]]]);
  const [, second] = await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepEqual([...second], [{ b: 2 }]);
  const raw = await sql`SELECT 1 AS a, 'x' AS b`.raw();
  assert.deepEqual(raw[0].map(String), ['1', 'x']);
});

test('a cursor reads in parts and stops early', async () => {
  let seen = 0;
  for await (const rows of sql`SELECT id FROM client_postgres_js ORDER BY id`.cursor(37)) for (const { id } of rows) assert.equal(id, seen++);
  assert.equal(seen, 500);
  let batches = 0;
  await sql`SELECT id FROM client_postgres_js ORDER BY id`.cursor(10, () => (++batches === 3 ? sql.CLOSE : undefined));
  assert.equal(batches, 3);
  let each = 0;
  await sql`SELECT id FROM client_postgres_js`.forEach(() => each++);
  assert.equal(each, 500);
});

test('COPY goes in and out', async () => {
  const text = Array.from({ length: 1000 }, (_, i) => `${i + 1000}\tname ${i}\n`);
  await pipeline(Readable.from(text), await sql`COPY client_postgres_js (id, name) FROM STDIN`.writable());
  let back = '';
  for await (const chunk of await sql`COPY (SELECT id, name FROM client_postgres_js WHERE id >= 1000 ORDER BY id) TO STDOUT`.readable()) back += chunk;
  assert.equal(back, text.join(''));
});

test('notifications arrive, also after the connection was lost', async () => {
  const came = [];
  let listening = 0;
  const { unlisten, state } = await sql.listen('client_postgres_js', (payload) => came.push(payload), () => listening++);
  await sql.notify('client_postgres_js', 'one');
  await until(() => came.length === 1, 10);
  await sql`SELECT pg_terminate_backend(${state.pid})`;
  await until(() => listening === 2, 20);
  await sql.notify('client_postgres_js', 'two');
  await until(() => came.length === 2, 10);
  assert.deepEqual(came, ['one', 'two']);
  await unlisten();
});

test('transactions commit, roll back and keep savepoints', async () => {
  await sql.begin('isolation level serializable', async (tx) => {
    await tx`UPDATE client_postgres_js SET name = 'kept' WHERE id = 7`;
    await tx.savepoint(async (point) => {
      await point`DELETE FROM client_postgres_js`;
      throw new Error('inner');
    }).catch(() => {});
  });
  await sql.begin((tx) => [tx`UPDATE client_postgres_js SET price = 9 WHERE id = 8`, tx`SELECT 1 / 0`]).catch((error) => assert.equal(error.code, '22012'));
  const [row] = await sql`SELECT count(*)::int AS n, max(name) FILTER (WHERE id = 7) AS name, max(price) FILTER (WHERE id = 8) AS price FROM client_postgres_js`;
  assert.deepEqual({ ...row }, { n: 1500, name: 'kept', price: '1.00' });
});

test('a query is cancelled', async () => {
  const query = sql`SELECT pg_sleep(20)`.execute();
  await sleep(200);
  query.cancel();
  await refused('57014', query);
});

test('a prepared statement survives a change of its table', async () => {
  const one = postgres(url, { ...quiet, max: 1 });
  const all = () => one`SELECT * FROM client_postgres_js WHERE id = ${7}`;
  assert.equal((await all())[0].name, 'kept');
  await one`ALTER TABLE client_postgres_js ADD COLUMN added int DEFAULT 5`;
  assert.equal((await all().catch(all))[0].added, 5);
  await one.end();
});

test('errors carry their SQLSTATE and fields', async () => {
  await refused('42601', sql`SELEC 1`);
  await refused('22P02', sql`SELECT ${'x'}::int4`.simple().catch(() => sql.unsafe("SELECT 'x'::int4")));
  await refused('42P01', sql`SELECT * FROM no_such_table`);
  const error = await sql`INSERT INTO client_postgres_js (id, name) VALUES (7, 'again')`.catch((error) => error);
  assert.deepEqual([error.code, error.constraint_name, error.detail, error.table_name],
    ['23505', 'client_postgres_js_pkey', 'Key (id)=(7) already exists.', 'client_postgres_js']);
});

test('the table goes', async () => {
  await sql`DROP TABLE client_postgres_js`;
  await sql`DROP TYPE client_postgres_js_kind`;
  await refused('42P01', sql`SELECT 1 FROM client_postgres_js`);
});

await cases.run([], () => sql.end());
