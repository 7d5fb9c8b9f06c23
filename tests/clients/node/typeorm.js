// typeorm: schema synchronisation twice over, migrations generated and run, repositories, the query builder, transactions, streams, errors.
import assert from 'node:assert/strict';
import typeorm from 'typeorm';
import { Cases, refused, url } from './cases.js';

const { Between, DataSource, EntitySchema, ILike, In, MoreThan, OptimisticLockVersionMismatchError, QueryFailedError, Raw } = typeorm;
const cases = new Cases('typeorm');
const { test } = cases;
const schema = 'client_typeorm';

const store = (extra = {}) => new EntitySchema({
  name: 'Store', tableName: 'store', schema,
  columns: {
    id: { type: 'int', primary: true, generated: true },
    name: { type: 'varchar', length: 80, unique: true, comment: 'over the door' },
    kind: { type: 'enum', enum: ['kiosk', 'shop'], default: 'shop' },
    tags: { type: 'text', array: true, default: '{}' },
    settings: { type: 'jsonb', nullable: true },
    created: { type: 'timestamptz', createDate: true },
    removed: { type: 'timestamptz', deleteDate: true, nullable: true },
    ...extra,
  },
  relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'store' } },
});
const order = new EntitySchema({
  name: 'Order', tableName: 'order', schema,
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    number: { type: 'bigint', generated: 'increment', unique: true },
    total: { type: 'numeric', precision: 10, scale: 2, default: 0 },
    paid: { type: 'boolean', default: false },
    version: { type: 'int', version: true },
  },
  relations: {
    store: { type: 'many-to-one', target: 'Store', inverseSide: 'orders', onDelete: 'CASCADE', nullable: false, joinColumn: { name: 'store_id' } },
    labels: { type: 'many-to-many', target: 'Label', joinTable: { name: 'order_labels' }, cascade: true },
  },
  indices: [{ name: 'order_unpaid', columns: ['total'], where: 'NOT paid' }, { columns: ['store', 'number'] }],
  checks: [{ name: 'order_total', expression: 'total >= 0' }],
});
const label = new EntitySchema({ name: 'Label', tableName: 'label', schema, columns: { word: { type: 'varchar', primary: true } } });

const source = (options) => new DataSource({ type: 'postgres', url, schema, installExtensions: false, uuidExtension: 'pgcrypto',
  extra: { max: 6 }, ...options });

let db;

test('synchronising makes the tables, and finds nothing to do then', async () => {
  db = await source({ entities: [store(), order, label] }).initialize();
  await db.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await db.query(`CREATE SCHEMA ${schema}`);
  await db.synchronize();
  const { upQueries } = await db.driver.createSchemaBuilder().log();
  assert.deepEqual(upQueries.map(({ query }) => query), []);
});

test('a changed entity changes its table, as a migration that runs both ways', async () => {
  const later = await source({ entities: [store({ city: { type: 'varchar', default: 'Shanghai' }, kind: { type: 'enum', enum: ['kiosk', 'shop', 'van'], default: 'shop' } }),
    order, label] }).initialize();
  const { upQueries, downQueries } = await later.driver.createSchemaBuilder().log();
  assert.ok(upQueries.length >= 2 && downQueries.length >= 2);
  await later.destroy();
  class Cities1700000000000 {
    async up(runner) { for (const { query, parameters } of upQueries) await runner.query(query, parameters); }
    async down(runner) { for (const { query, parameters } of [...downQueries].reverse()) await runner.query(query, parameters); }
  }
  const migrating = await source({ entities: [], migrations: [Cities1700000000000], migrationsTransactionMode: 'each' }).initialize();
  assert.equal(await migrating.showMigrations(), true);
  assert.equal((await migrating.runMigrations()).length, 1);
  assert.equal(await migrating.showMigrations(), false);
  await migrating.undoLastMigration();
  await migrating.runMigrations();
  await migrating.undoLastMigration();
  await migrating.destroy();
  assert.deepEqual((await db.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query).filter((query) => !/migrations/.test(query)), []);
});

test('the query runner reads and changes tables', async () => {
  const runner = db.createQueryRunner();
  const table = await runner.getTable(`${schema}.order`);
  assert.deepEqual(table.columns.map(({ name }) => name).sort(), ['id', 'number', 'paid', 'store_id', 'total', 'version']);
  assert.deepEqual([table.foreignKeys.length, table.checks.length, table.uniques.length, table.indices.length], [1, 1, 1, 2]);
  await runner.addColumn(table, new typeorm.TableColumn({ name: 'note', type: 'varchar', isNullable: true }));
  await runner.changeColumn(table, 'note', new typeorm.TableColumn({ name: 'remark', type: 'varchar', length: '20', isNullable: true }));
  await runner.dropColumn(table, 'remark');
  assert.ok(await runner.hasTable(`${schema}.store`) && !(await runner.hasColumn(`${schema}.order`, 'note')));
  await runner.release();
});

test('repositories save, find, change and remove', async () => {
  const stores = db.getRepository('Store');
  const [north, south] = await stores.save([{ name: 'North', kind: 'kiosk', tags: ['a', 'b,c'], settings: { open: { from: 8 } } }, { name: 'South' }]);
  assert.ok(north.id && north.created instanceof Date);
  const orders = db.getRepository('Order');
  await orders.save(Array.from({ length: 100 }, (_, i) => ({ total: i, store: i % 2 ? south : north })), { chunk: 25 });
  const found = await orders.find({ where: { total: Between(10, 20), store: { name: ILike('n%') } }, relations: { store: true }, order: { total: 'DESC' }, take: 3, skip: 1 });
  assert.deepEqual(found.map(({ total, store }) => [total, store.name]), [['18.00', 'North'], ['16.00', 'North'], ['14.00', 'North']]);
  const [rows, count] = await orders.findAndCount({ where: [{ total: In([1, 2, 3]) }, { total: MoreThan(97) }], order: { total: 'ASC' } });
  assert.deepEqual([rows.length, count], [5, 5]);
  assert.equal(await stores.countBy({ tags: Raw((alias) => `${alias} @> ARRAY['a']`) }), 1);
  await stores.upsert([{ name: 'South', kind: 'kiosk' }], ['name']);
  assert.equal((await stores.findOneByOrFail({ name: 'South' })).kind, 'kiosk');
  assert.equal((await orders.update({ total: MoreThan(89) }, { paid: true })).affected, 10);
  assert.equal(Number(await orders.sum('total', { paid: true })), 945);
  await orders.increment({ total: 99 }, 'total', 1);
  await stores.softDelete({ name: 'South' });
  assert.equal(await stores.count(), 1);
  await stores.restore({ name: 'South' });
  const east = await stores.save({ name: 'East' });
  await stores.remove(east);
  assert.equal(await stores.count(), 2);
});

test('many belong to many', async () => {
  const orders = db.getRepository('Order');
  const one = await orders.findOneByOrFail({ total: 5 });
  one.labels = [{ word: 'hot' }, { word: 'dog' }];
  await orders.save(one);
  const again = await orders.findOne({ where: { id: one.id }, relations: { labels: true, store: true } });
  assert.deepEqual(again.labels.map(({ word }) => word).sort(), ['dog', 'hot']);
  again.labels.pop();
  await orders.save(again);
  assert.equal((await db.query(`SELECT count(*)::int AS n FROM ${schema}.order_labels`))[0].n, 1);
});

test('the query builder joins, groups, nests and pages', async () => {
  const sums = await db.getRepository('Order').createQueryBuilder('o').innerJoin('o.store', 's').select('s.name', 'name').addSelect('SUM(o.total)', 'sum')
    .groupBy('s.name').having('COUNT(*) > :n', { n: 10 }).orderBy('s.name').getRawMany();
  assert.deepEqual(sums, [{ name: 'North', sum: '2450.00' }, { name: 'South', sum: '2501.00' }]);
  const [stores, count] = await db.getRepository('Store').createQueryBuilder('s').leftJoinAndSelect('s.orders', 'o', 'o.paid')
    .orderBy('s.name').take(1).skip(1).getManyAndCount();
  assert.deepEqual([count, stores[0].name, stores[0].orders.length], [2, 'South', 5]);
  const best = await db.getRepository('Order').createQueryBuilder('o')
    .where((qb) => `o.total = ${qb.subQuery().select('MAX(x.total)').from('Order', 'x').getQuery()}`).getOneOrFail();
  assert.equal(best.total, '100.00');
  const distinct = await db.getRepository('Order').createQueryBuilder('o').distinctOn(['o.store_id']).orderBy('o.store_id').addOrderBy('o.total', 'DESC').getMany();
  assert.deepEqual(distinct.map(({ total }) => total), ['98.00', '100.00']);
  const { raw } = await db.createQueryBuilder().insert().into('Label').values([{ word: 'hot' }, { word: 'new' }]).orIgnore().returning('word').execute();
  assert.deepEqual(raw, [{ word: 'new' }]);
  const cte = await db.getRepository('Order').createQueryBuilder('o').addCommonTableExpression(
    `SELECT id FROM ${schema}.store WHERE name = 'North'`, 'north').where('o.store_id IN (SELECT id FROM north)').getCount();
  assert.equal(cte, 50);
});

test('rows stream', async () => {
  const stream = await db.getRepository('Order').createQueryBuilder('o').orderBy('o.number').stream();
  let rows = 0;
  for await (const row of stream) assert.ok(row.o_id && ++rows);
  assert.equal(rows, 100);
});

test('transactions commit, roll back, nest and lock', async () => {
  await assert.rejects(db.transaction('SERIALIZABLE', async (manager) => {
    await manager.createQueryBuilder().delete().from('Order').execute();
    throw new Error('no');
  }), /no/);
  await db.transaction(async (manager) => {
    const one = await manager.findOneOrFail('Order', { where: { total: 7 }, lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' } });
    await manager.transaction(async (inner) => {
      await inner.delete('Order', { total: MoreThan(0) });
      throw new Error('inner');
    }).catch(() => {});
    one.total = 7.5;
    await manager.save('Order', one);
    assert.equal(one.version, 2);
  });
  const one = await db.getRepository('Order').findOneByOrFail({ total: 7.5 });
  await assert.rejects(db.getRepository('Order').findOne({ where: { id: one.id }, lock: { mode: 'optimistic', version: 1 } }), OptimisticLockVersionMismatchError);
  assert.equal(await db.getRepository('Order').count(), 100);
});

test('errors carry their SQLSTATE and fields', async () => {
  const error = await db.getRepository('Store').insert({ name: 'North' }).catch((error) => error);
  assert.ok(error instanceof QueryFailedError);
  assert.deepEqual([error.code, error.detail, error.table], ['23505', 'Key (name)=(North) already exists.', 'store']);
  await refused('23514', db.getRepository('Order').insert({ total: -1, store: { id: 1 } }));
  await refused('23503', db.getRepository('Order').insert({ total: 1, store: { id: 999 } }));
  await refused('42P01', db.query('SELECT * FROM no_such_table'));
});

test('the tables go', async () => {
  await db.dropDatabase();
  await db.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await db.destroy();
});

await cases.run();
