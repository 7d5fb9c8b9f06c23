// kysely: migrations behind an advisory lock, introspection, typed queries, transactions, streams, errors.
import assert from 'node:assert/strict';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres';
import { Cases, refused, url } from './cases.js';

const cases = new Cases('kysely');
const { test } = cases;
const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 6 }), cursor: Cursor }) });
const schema = db.withSchema('client_kysely');

const migrations = {
  a_stores: {
    up: async (db) => {
      await db.schema.createType('kind').asEnum(['kiosk', 'shop']).execute();
      await db.schema.createTable('stores')
        .addColumn('id', 'serial', (column) => column.primaryKey())
        .addColumn('name', 'varchar(80)', (column) => column.notNull().unique())
        .addColumn('kind', sql`client_kysely.kind`, (column) => column.notNull().defaultTo('shop'))
        .addColumn('opened', 'timestamptz', (column) => column.defaultTo(sql`now()`).notNull())
        .execute();
    },
    down: async (db) => {
      await db.schema.dropTable('stores').execute();
      await db.schema.dropType('kind').execute();
    },
  },
  b_orders: {
    up: async (db) => {
      await db.schema.createTable('orders')
        .addColumn('id', 'bigint', (column) => column.primaryKey().generatedByDefaultAsIdentity())
        .addColumn('store_id', 'integer', (column) => column.references('client_kysely.stores.id').onDelete('cascade').notNull())
        .addColumn('cents', 'integer', (column) => column.notNull().check(sql`cents >= 0`))
        .addColumn('twice', 'integer', (column) => column.generatedAlwaysAs(sql`cents * 2`).stored())
        .addColumn('lines', 'jsonb')
        .addUniqueConstraint('orders_once', ['store_id', 'cents'])
        .execute();
      await db.schema.createIndex('orders_by_store').on('orders').columns(['store_id', 'cents desc']).execute();
      await db.schema.alterTable('orders').addColumn('note', 'text').execute();
      await db.schema.alterTable('orders').alterColumn('note', (column) => column.setDefault('')).execute();
    },
    down: (db) => db.schema.dropTable('orders').execute(),
  },
};
const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations }, migrationTableSchema: 'client_kysely' });
for (const migration of Object.values(migrations)) {
  const { up, down } = migration;
  Object.assign(migration, { up: (db) => up(db.withSchema('client_kysely')), down: (db) => down(db.withSchema('client_kysely')) });
}

test('migrations run forward, back and forward again', async () => {
  await db.schema.dropSchema('client_kysely').ifExists().cascade().execute();
  const both = await Promise.all([migrator.migrateToLatest(), migrator.migrateToLatest()]);
  for (const { error } of both) assert.equal(error, undefined);
  assert.equal(both.flatMap(({ results }) => results).length, 2);
  assert.equal((await migrator.migrateDown()).results[0].migrationName, 'b_orders');
  const { error, results } = await migrator.migrateToLatest();
  assert.deepEqual([error, results.map(({ status }) => status)], [undefined, ['Success']]);
});

test('tables are introspected', async () => {
  const tables = (await db.introspection.getTables()).filter(({ schema }) => schema === 'client_kysely');
  assert.deepEqual(tables.map(({ name }) => name), ['orders', 'stores']);
  const columns = Object.fromEntries(tables[0].columns.map((column) => [column.name, column]));
  assert.deepEqual([columns.id.dataType, columns.id.isAutoIncrementing, columns.note.hasDefaultValue], ['int8', true, true]);
  assert.equal(tables[1].columns.find(({ name }) => name === 'kind').dataType, 'kind');
  assert.ok((await db.introspection.getSchemas()).some(({ name }) => name === 'client_kysely'));
});

test('rows are written and returned', async () => {
  const stores = await schema.insertInto('stores').values([{ name: 'North', kind: 'kiosk' }, { name: 'South' }])
    .returning(['id', 'kind']).execute();
  assert.deepEqual(stores, [{ id: 1, kind: 'kiosk' }, { id: 2, kind: 'shop' }]);
  const inserted = await schema.insertInto('orders').values(Array.from({ length: 500 }, (_, i) =>
    ({ store_id: 1 + (i % 2), cents: i, lines: JSON.stringify([{ sku: i, n: 1 }]) }))).executeTakeFirst();
  assert.equal(inserted.numInsertedOrUpdatedRows, 500n);
  const merged = await schema.insertInto('orders').values({ store_id: 1, cents: 0, note: 'again' })
    .onConflict((oc) => oc.constraint('orders_once').doUpdateSet((eb) => ({ note: eb.ref('excluded.note') })))
    .returning(['note', 'twice']).executeTakeFirst();
  assert.deepEqual(merged, { note: 'again', twice: 0 });
  const updated = await schema.updateTable('orders').from('stores').whereRef('stores.id', '=', 'orders.store_id')
    .where('stores.name', '=', 'South').set({ note: 's' }).executeTakeFirst();
  assert.equal(updated.numUpdatedRows, 250n);
  const deleted = await schema.deleteFrom('orders').using('client_kysely.stores').whereRef('stores.id', '=', 'orders.store_id')
    .where('cents', '>=', 490).returning('orders.id').execute();
  assert.equal(deleted.length, 10);
});

test('joins, aggregates, lateral joins, JSON and WITH', async () => {
  const sums = await schema.selectFrom('stores as s').innerJoin('orders as o', 'o.store_id', 's.id').groupBy('s.id').orderBy('s.id')
    .select(({ fn }) => ['s.name', fn.countAll().as('n'), fn.sum('o.cents').filterWhere('o.cents', '>', 100).as('sum')]).execute();
  assert.deepEqual(sums, [{ name: 'North', n: '245', sum: '57230' }, { name: 'South', n: '245', sum: '57525' }]);
  const nested = await schema.selectFrom('stores as s').orderBy('s.id').select((eb) => ['s.name',
    jsonArrayFrom(eb.selectFrom('orders as o').select(['o.cents', 'o.lines']).whereRef('o.store_id', '=', 's.id').orderBy('o.cents').limit(2))
      .as('first'),
    jsonObjectFrom(eb.selectFrom('orders as o').select('o.cents').whereRef('o.store_id', '=', 's.id').orderBy('o.cents', 'desc').limit(1))
      .as('last')]).execute();
  assert.deepEqual(nested[1], { name: 'South', first: [{ cents: 1, lines: [{ sku: 1, n: 1 }] }, { cents: 3, lines: [{ sku: 3, n: 1 }] }],
    last: { cents: 489 } });
  const lateral = await schema.selectFrom('stores as s').innerJoinLateral(
    (eb) => eb.selectFrom('orders').select('cents').whereRef('store_id', '=', 's.id').orderBy('cents', 'desc').limit(1).as('top'),
    (join) => join.onTrue()).orderBy('s.id').select(['s.name', 'top.cents']).execute();
  assert.deepEqual(lateral, [{ name: 'North', cents: 488 }, { name: 'South', cents: 489 }]);
  const numbered = await schema.with('numbered', (cte) => cte.selectFrom('orders')
    .select(({ fn }) => ['cents', fn.agg('row_number').over((over) => over.orderBy('cents')).as('n')]))
    .selectFrom('numbered').where('n', '=', '7').select('cents').execute();
  assert.deepEqual(numbered, [{ cents: 6 }]);
  const { rows } = await sql`select ${sql.ref('lines')} -> 0 ->> 'sku' as sku, ${[1, 2]}::int[] as list
    from ${sql.table('client_kysely.orders')} where cents = ${5}`.execute(db);
  assert.deepEqual(rows, [{ sku: '5', list: [1, 2] }]);
});

test('transactions, savepoints of SQL and row locks', async () => {
  await assert.rejects(schema.transaction().execute(async (trx) => {
    await trx.deleteFrom('orders').execute();
    throw new Error('no');
  }), /no/);
  await schema.transaction().setIsolationLevel('serializable').execute(async (trx) => {
    const row = await trx.selectFrom('orders').selectAll().where('cents', '=', 3).forUpdate().skipLocked().executeTakeFirstOrThrow();
    await sql`savepoint one`.execute(trx);
    await trx.deleteFrom('orders').execute();
    await sql`rollback to savepoint one`.execute(trx);
    await trx.updateTable('orders').set({ note: 'locked' }).where('id', '=', row.id).execute();
  });
  const { n } = await schema.selectFrom('orders').select(({ fn }) => fn.countAll().as('n')).executeTakeFirst();
  assert.equal(n, '490');
});

test('rows stream', async () => {
  let expected = 0;
  for await (const { cents } of schema.selectFrom('orders').select('cents').orderBy('cents').stream(37)) assert.equal(cents, expected++);
  assert.equal(expected, 490);
});

test('errors carry their SQLSTATE', async () => {
  await refused('23505', schema.insertInto('stores').values({ name: 'North' }).execute());
  await refused('23514', schema.insertInto('orders').values({ store_id: 1, cents: -1 }).execute());
  await refused('23503', schema.insertInto('orders').values({ store_id: 9, cents: 1 }).execute());
  await refused('428C9', schema.insertInto('orders').values({ store_id: 1, cents: 1, twice: 2 }).execute());
  await refused('22P02', schema.insertInto('stores').values({ name: 'x', kind: 'castle' }).execute());
});

test('plans are explained, and all goes', async () => {
  assert.ok((await schema.selectFrom('orders').selectAll().explain()).length > 0);
  while ((await migrator.migrateDown()).results.length > 0);
  assert.deepEqual((await db.introspection.getTables()).filter(({ schema }) => schema === 'client_kysely'), []);
  await db.schema.dropSchema('client_kysely').cascade().execute();
});

await cases.run([], () => db.destroy());
