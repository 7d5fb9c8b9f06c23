// node-postgres: parameters, named statements, a pool, transactions, cursors, COPY, errors.
import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Cases, refused, url } from './cases.js';

const table = 'client_node';
const cases = new Cases('node-postgres');
const { test } = cases;

test('connects and gets an answer', async (db) => {
  assert.deepEqual((await db.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
});

test('parameters of common types come back', async (db) => {
  const { rows } = await db.query({
    text: 'SELECT $1::int4, $2::int8, $3::numeric, $4::text, $5::bool, $6::bytea, $7::jsonb, $8::int4[], $9::text',
    values: [7, '1099511627776', '12.340', "万店 'q' \\", true, Buffer.from([0, 255]), { a: [1] }, [1, null, 3], null],
    rowMode: 'array',
  });
  assert.deepEqual(rows[0], [7, '1099511627776', '12.340', "万店 'q' \\", true, Buffer.from([0, 255]), { a: [1] },
    [1, null, 3], null]);
  const when = new Date('2024-02-29T12:00:00.123Z');
  assert.equal((await db.query('SELECT $1::timestamptz AS t', [when])).rows[0].t.getTime(), when.getTime());
});

test('rows are written and read', async (db) => {
  await db.query(`DROP TABLE IF EXISTS ${table}`);
  await db.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.00)`);
  await Promise.all(Array.from({ length: 100 }, (_, i) =>
    db.query(`INSERT INTO ${table} (id, name) VALUES ($1, $2)`, [i, `item ${i}`])));
  const { rows, rowCount, fields } = await db.query(`UPDATE ${table} SET price = 2 WHERE id < 10 RETURNING id, price`);
  assert.equal(rowCount, 10);
  assert.equal(rows[0].price, '2.00');
  assert.deepEqual(fields.map((field) => [field.name, field.dataTypeID]), [['id', 23], ['price', 1700]]);
});

test('named statements are reused', async (db) => {
  for (let i = 0; i < 20; i++) {
    const { rows } = await db.query({ name: 'by id', text: `SELECT name FROM ${table} WHERE id = $1`, values: [i] });
    assert.equal(rows[0].name, `item ${i}`);
  }
});

test('many statements in one simple query give many results', async (db) => {
  const results = await db.query('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepEqual(results.map((result) => result.rows[0]), [{ a: 1 }, { b: 2 }]);
});

test('transactions commit, roll back and keep savepoints', async (db) => {
  await db.query('BEGIN');
  await db.query(`INSERT INTO ${table} VALUES (1000, 'kept', 1)`);
  await db.query('SAVEPOINT one');
  await db.query(`DELETE FROM ${table}`);
  await db.query('ROLLBACK TO SAVEPOINT one');
  await db.query('COMMIT');
  await db.query('BEGIN');
  await refused('42P01', db.query('SELECT * FROM no_such_table'));
  await refused('25P02', db.query('SELECT 1'));
  assert.equal((await db.query('COMMIT')).command, 'ROLLBACK');
  assert.equal((await db.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n, 101);
});

test('errors carry their SQLSTATE and fields', async (db) => {
  await refused('23505', db.query(`INSERT INTO ${table} VALUES ($1, 'again')`, [1]));
  await refused('42601', db.query('SELEC 1'));
  await refused('22P02', db.query('SELECT $1::int4', ['x']));
  await refused('08P01', db.query('SELECT $1::int4, $2::int4', [1]));
  const error = await db.query(`INSERT INTO ${table} VALUES (1, 'again')`).catch((e) => e);
  assert.equal(error.constraint, `${table}_pkey`);
  assert.equal(error.detail, 'Key (id)=(1) already exists.');
  const misspelt = await db.query('SELECT 1 + nothing').catch((e) => e);
  assert.equal(misspelt.position, '12');
});

test('a cursor reads in parts', async (db) => {
  const cursor = db.query(new Cursor(`SELECT id FROM ${table} WHERE id < 100 ORDER BY id`));
  let seen = 0;
  for (let rows = await cursor.read(7); rows.length > 0; rows = await cursor.read(7)) {
    for (const row of rows) assert.equal(row.id, seen++);
  }
  await cursor.close();
  assert.equal(seen, 100);
});

test('COPY goes in and out', async (db) => {
  await db.query(`TRUNCATE ${table}`);
  const lines = Array.from({ length: 1000 }, (_, i) => `${i}\tname ${i}\n`);
  await pipeline(Readable.from(lines), db.query(copyFrom(`COPY ${table} (id, name) FROM STDIN`)));
  let text = '';
  for await (const chunk of db.query(copyTo(`COPY (SELECT id, name FROM ${table} ORDER BY id) TO STDOUT`))) text += chunk;
  assert.equal(text, lines.join(''));
});

test('a pool serves many callers', async (db, url) => {
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  try {
    const got = await Promise.all(Array.from({ length: 200 }, (_, i) =>
      pool.query(`SELECT id FROM ${table} WHERE id = $1`, [i])));
    assert.deepEqual(got.map((result) => result.rows[0].id), Array.from({ length: 200 }, (_, i) => i));
  } finally {
    await pool.end();
  }
});

test('notices arrive', async (db) => {
  const notice = new Promise((resolve) => db.once('notice', resolve));
  await db.query('DROP TABLE IF EXISTS no_such_table');
  assert.match((await notice).message, /does not exist, skipping/);
});

test('notifications arrive', async (db, url) => {
  const came = [];
  const twice = new Promise((resolve) => db.on('notification', (message) => came.push(message) === 2 && resolve()));
  await db.query('LISTEN client_node');
  const sender = new pg.Client({ connectionString: url });
  await sender.connect();
  await sender.query("SELECT pg_notify('client_node', $1)", ['from another']);
  await db.query("NOTIFY client_node, 'own'");
  await twice;
  assert.deepEqual(came.map(({ processId, channel, payload }) => [processId, channel, payload]),
    [[sender.processID, 'client_node', 'from another'], [db.processID, 'client_node', 'own']]);
  await sender.end();
  await db.query('UNLISTEN *');
});

test('the table goes', async (db) => {
  await db.query(`DROP TABLE ${table}`);
});

const db = new pg.Client({ connectionString: url });
await db.connect();
await cases.run([db, url], () => db.end());
