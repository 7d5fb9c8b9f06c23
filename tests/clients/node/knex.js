// knex: the schema builder, migrations with a lock and a rollback, the query builder, transactions, streams, errors.
import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import knexFactory from 'knex';
import { Cases, refused, url } from './cases.js';

const cases = new Cases('knex');
const { test } = cases;
const knex = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 6 }, log: { warn() {}, error() {} } });

const migrations = [
  ['001_stores', async (db) => {
    await db.schema.createTable('knex_stores', (table) => {
      table.increments('id');
      table.string('name', 80).notNullable().unique();
      table.enu('kind', ['kiosk', 'shop'], { useNative: true, enumName: 'knex_kind' }).defaultTo('shop');
      table.specificType('tags', 'text[]').defaultTo('{}');
      table.jsonb('hours').defaultTo('{}');
      table.timestamps(true, true);
      table.comment('where hot dogs are sold');
    });
  }, (db) => db.schema.dropTable('knex_stores').raw('DROP TYPE knex_kind')],
  ['002_orders', async (db) => {
    await db.schema.createTable('knex_orders', (table) => {
      table.bigIncrements('id');
      table.integer('store_id').notNullable().references('id').inTable('knex_stores').onDelete('CASCADE');
      table.decimal('total', 10, 2).notNullable().defaultTo(0);
      table.boolean('paid').defaultTo(false);
      table.uuid('request').defaultTo(db.raw('gen_random_uuid()'));
      table.index(['store_id', 'paid'], 'knex_orders_paid');
      table.check('?? >= 0', ['total'], 'knex_orders_total');
    });
  }, (db) => db.schema.dropTable('knex_orders')],
  ['003_change', async (db) => {
    await db.schema.alterTable('knex_orders', (table) => {
      table.string('note').nullable();
      table.renameColumn('paid', 'is_paid');
      table.dropIndex(['store_id', 'paid'], 'knex_orders_paid');
      table.unique(['request'], { indexName: 'knex_orders_request' });
    });
    await db.schema.alterTable('knex_orders', (table) => {
      table.text('note').notNullable().defaultTo('').alter();
    });
  }, (db) => db.schema.alterTable('knex_orders', (table) => {
    table.dropColumn('note');
    table.renameColumn('is_paid', 'paid');
    table.dropUnique(['request'], 'knex_orders_request');
    table.index(['store_id', 'paid'], 'knex_orders_paid');
  })],
];
const migrate = {
  migrationSource: {
    getMigrations: async () => migrations,
    getMigrationName: ([name]) => name,
    getMigration: async ([, up, down]) => ({ up, down }),
  },
};

test('migrations run forward, back and forward again', async () => {
  await knex.raw('DROP TABLE IF EXISTS knex_orders, knex_stores, knex_migrations, knex_migrations_lock; DROP TYPE IF EXISTS knex_kind');
  const [batch, names] = await knex.migrate.latest(migrate);
  assert.deepEqual([batch, names.length], [1, 3]);
  assert.deepEqual((await knex.migrate.latest(migrate))[1], []);
  await knex.migrate.down(migrate);
  assert.equal(await knex.schema.hasColumn('knex_orders', 'note'), false);
  await knex.migrate.rollback(migrate, true);
  assert.equal(await knex.schema.hasTable('knex_stores'), false);
  await knex.migrate.latest(migrate);
  assert.equal(await knex.migrate.status(migrate), 0);
});

test('a migration that fails leaves nothing', async () => {
  const broken = { migrationSource: { ...migrate.migrationSource,
    getMigrations: async () => [...migrations, ['004_broken', async (db) => {
      await db.schema.createTable('knex_half', (table) => table.increments());
      await db.raw('SELECT no_such_column FROM knex_stores');
    }, () => {}]] } };
  await refused('42703', knex.migrate.latest(broken));
  assert.equal(await knex.schema.hasTable('knex_half'), false);
  assert.equal((await knex('knex_migrations_lock').first()).is_locked, 0);
});

test('columns are described', async () => {
  const info = await knex('knex_stores').columnInfo();
  assert.deepEqual([info.name.type, info.name.maxLength, info.name.nullable], ['character varying', 80, false]);
  assert.deepEqual([info.kind.type, info.tags.type, info.hours.type], ['USER-DEFINED', 'ARRAY', 'jsonb']);
});

test('rows are written, merged and returned', async () => {
  const rows = await knex('knex_stores').insert([
    { name: 'North', kind: 'kiosk', tags: ['a', 'b'], hours: { open: 8 } }, { name: 'South' }]).returning(['id', 'kind', 'tags', 'hours']);
  assert.deepEqual(rows, [{ id: rows[0].id, kind: 'kiosk', tags: ['a', 'b'], hours: { open: 8 } },
    { id: rows[1].id, kind: 'shop', tags: [], hours: {} }]);
  await knex('knex_stores').insert({ name: 'North', kind: 'shop' }).onConflict('name').merge(['kind']);
  await knex('knex_stores').insert({ name: 'North' }).onConflict('name').ignore();
  assert.equal((await knex('knex_stores').where({ name: 'North' }).first()).kind, 'shop');
  await knex.batchInsert('knex_orders', Array.from({ length: 1000 }, (_, i) => ({ store_id: rows[i % 2].id, total: i })), 300);
  assert.equal(await knex('knex_orders').where('total', '<', 10).update({ is_paid: true }), 10);
  assert.equal(await knex('knex_orders').where('total', '>=', 990).del(), 10);
});

test('joins, groups, windows, unions, WITH and JSON', async () => {
  const sums = await knex('knex_orders as o').join('knex_stores as s', 's.id', 'o.store_id').groupBy('s.name').orderBy('s.name')
    .select('s.name').count({ n: '*' }).sum({ total: 'o.total' }).having(knex.raw('count(*) > 10'));
  assert.deepEqual(sums, [{ name: 'North', n: '495', total: '244530.00' }, { name: 'South', n: '495', total: '245025.00' }]);
  const ranked = await knex.with('ranked', (qb) => qb.from('knex_orders').select('store_id', 'total')
    .rowNumber('place', (over) => over.partitionBy('store_id').orderBy('total', 'desc')))
    .from('ranked').where('place', 1).orderBy('total').pluck('total');
  assert.deepEqual(ranked, ['988.00', '989.00']);
  const both = await knex('knex_stores').select('name').union(knex.select(knex.raw("'East' as name"))).orderBy('name');
  assert.deepEqual(both.map((row) => row.name), ['East', 'North', 'South']);
  assert.equal((await knex('knex_stores').whereJsonSupersetOf('hours', { open: 8 })).length, 1);
  const exists = await knex('knex_stores as s').whereExists(knex('knex_orders as o').whereRaw('o.store_id = s.id')).count();
  assert.equal(exists[0].count, '2');
  assert.equal((await knex('knex_stores').whereILike('name', 'n%')).length, 1);
  assert.equal((await knex('knex_orders').whereIn(['store_id', 'total'], [[1, 0], [2, 1]])).length, 2);
});

test('transactions commit, roll back, nest and lock', async () => {
  await assert.rejects(knex.transaction(async (trx) => {
    await trx('knex_orders').del();
    throw new Error('no');
  }), /no/);
  await knex.transaction(async (trx) => {
    const row = await trx('knex_orders').orderBy('id').first().forUpdate().skipLocked();
    await trx.transaction(async (inner) => {
      await inner('knex_orders').where({ id: row.id }).update({ note: 'dropped' });
      throw new Error('inner');
    }).catch(() => {});
    await trx('knex_orders').where({ id: row.id }).update({ note: 'kept' });
  }, { isolationLevel: 'repeatable read' });
  assert.equal((await knex('knex_orders').where({ note: 'kept' })).length, 1);
  assert.equal((await knex('knex_orders').count())[0].count, '990');
});

test('rows stream', async () => {
  let rows = 0;
  await pipeline(knex('knex_orders').select('*').stream({ highWaterMark: 50 }),
    new Writable({ objectMode: true, write: (row, _, done) => { rows++; done(); } }));
  assert.equal(rows, 990);
});

test('errors carry their SQLSTATE', async () => {
  await refused('23505', knex('knex_stores').insert({ name: 'North' }));
  await refused('23503', knex('knex_orders').insert({ store_id: -1 }));
  await refused('23514', knex('knex_orders').insert({ store_id: 1, total: -1 }));
  await refused('23502', knex('knex_orders').insert({ total: 1 }));
  await refused('22P02', knex('knex_stores').where({ id: 'x' }));
  await refused('57014', knex.transaction(async (trx) => {
    await trx.raw('SET LOCAL statement_timeout = 100');
    await trx.raw('SELECT pg_sleep(5)');
  }));
});

test('views, truncation and the end', async () => {
  await knex.schema.createView('knex_paid', (view) => {
    view.columns(['id', 'total']);
    view.as(knex('knex_orders').select('id', 'total').where('is_paid', true));
  });
  assert.equal((await knex('knex_paid').count())[0].count, '10');
  await knex.schema.dropView('knex_paid');
  await knex.migrate.rollback(migrate, true);
  await knex.schema.dropTable('knex_migrations').dropTable('knex_migrations_lock');
  assert.equal(await knex.schema.hasTable('knex_orders'), false);
});

await cases.run([], () => knex.destroy());
