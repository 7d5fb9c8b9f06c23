// sequelize: models, sync and alter, the query interface, associations, scopes, transactions with CLS-free passing, JSONB, ranges, errors.
import assert from 'node:assert/strict';
import { DataTypes, Deferrable, Op, Sequelize, Transaction } from 'sequelize';
import { Cases, refused, url } from './cases.js';

const cases = new Cases('sequelize');
const { test } = cases;
const sequelize = new Sequelize(url, { logging: false, schema: 'client_sequelize', pool: { max: 6 } });

const Store = sequelize.define('Store', {
  name: { type: DataTypes.STRING(80), allowNull: false, unique: true },
  kind: { type: DataTypes.ENUM('kiosk', 'shop'), defaultValue: 'shop' },
  tags: { type: DataTypes.ARRAY(DataTypes.STRING), defaultValue: [] },
  settings: { type: DataTypes.JSONB, defaultValue: {} },
  open: DataTypes.RANGE(DataTypes.INTEGER),
}, { paranoid: true, comment: 'where hot dogs are sold' });
const Order = sequelize.define('Order', {
  id: { type: DataTypes.UUID, primaryKey: true, defaultValue: DataTypes.UUIDV4 },
  number: { type: DataTypes.BIGINT, autoIncrement: true },
  total: { type: DataTypes.DECIMAL(10, 2), allowNull: false, validate: { min: 0 } },
  paid: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
  due: DataTypes.DATEONLY,
}, { indexes: [{ fields: ['paid'], where: { paid: false } }, { fields: [{ name: 'total', order: 'DESC' }] }], version: true });
const Tag = sequelize.define('Tag', { word: { type: DataTypes.STRING, primaryKey: true } }, { timestamps: false });
Store.hasMany(Order, { foreignKey: { allowNull: false }, onDelete: 'CASCADE' });
Order.belongsTo(Store);
Order.belongsToMany(Tag, { through: 'OrderTags' });
Tag.belongsToMany(Order, { through: 'OrderTags' });

test('it authenticates and tells the version', async () => {
  await sequelize.authenticate();
  assert.match(await sequelize.databaseVersion(), /^15/);
});

test('models make their tables, again and altered', async () => {
  await sequelize.dropSchema('client_sequelize');
  await sequelize.createSchema('client_sequelize');
  await sequelize.sync({ force: true });
  await sequelize.sync();
  await Store.sync({ alter: true });
  await Tag.sync({ alter: true });
  assert.deepEqual((await sequelize.getQueryInterface().showAllTables({ schema: 'client_sequelize' }))
    .map((table) => table.tableName ?? table).filter((name) => ['Orders', 'OrderTags', 'Stores', 'Tags'].includes(name)).length, 4);
});

test('the query interface describes and changes tables', async () => {
  const queries = sequelize.getQueryInterface();
  const table = { tableName: 'Stores', schema: 'client_sequelize' };
  const columns = await queries.describeTable(table);
  assert.deepEqual([columns.id.primaryKey, columns.name.type, columns.name.allowNull, columns.kind.special],
    [true, 'CHARACTER VARYING(80)', false, ['kiosk', 'shop']]);
  await queries.addColumn(table, 'city', { type: DataTypes.STRING, defaultValue: 'Shanghai', comment: 'its city' });
  await queries.changeColumn(table, 'city', { type: DataTypes.TEXT, allowNull: false, defaultValue: 'Beijing' });
  await queries.renameColumn(table, 'city', 'town');
  await queries.addIndex(table, ['town'], { name: 'stores_town' });
  await queries.addConstraint(table, { type: 'check', name: 'stores_town_long', fields: ['town'], where: { town: { [Op.ne]: '' } } });
  assert.ok((await queries.showIndex(table)).some(({ name, fields }) => name === 'stores_town' && fields[0].attribute === 'town'));
  await queries.removeConstraint(table, 'stores_town_long');
  await queries.removeIndex(table, 'stores_town');
  await queries.removeColumn(table, 'town');
  const references = await queries.getForeignKeyReferencesForTable({ tableName: 'Orders', schema: 'client_sequelize' });
  assert.deepEqual(references.map(({ columnName, referencedTableName }) => [columnName, referencedTableName]), [['StoreId', 'Stores']]);
});

let north;

test('rows are made, found, changed and kept when deleted', async () => {
  north = await Store.create({ name: 'North', kind: 'kiosk', tags: ['a', 'b'], settings: { open: { from: 8 } }, open: [8, 20] });
  const [south, made] = await Store.findOrCreate({ where: { name: 'South' }, defaults: { settings: { open: { from: 9 } } } });
  assert.equal(made, true);
  assert.equal((await Store.findOrCreate({ where: { name: 'South' } }))[1], false);
  await Order.bulkCreate(Array.from({ length: 200 }, (_, i) => ({ StoreId: [north, south][i % 2].id, total: i, due: '2024-02-29' })));
  const [count] = await Order.update({ paid: true }, { where: { total: { [Op.lt]: 10 } } });
  assert.equal(count, 10);
  await Store.upsert({ name: 'South', kind: 'kiosk' });
  await Store.bulkCreate([{ name: 'South', kind: 'shop' }], { updateOnDuplicate: ['kind'], conflictAttributes: ['name'] });
  const east = await Store.create({ name: 'East' });
  await east.destroy();
  assert.deepEqual([await Store.count(), await Store.count({ paranoid: false })], [2, 3]);
  await east.restore();
  await east.destroy({ force: true });
  await north.increment('id', { by: 0 });
  assert.deepEqual((await north.reload()).open.map(({ value }) => value), [8, 20]);
});

test('finders filter, join, group and page', async () => {
  const { count, rows } = await Order.findAndCountAll({ where: { paid: false, total: { [Op.between]: [50, 99] } },
    include: { model: Store, where: { name: { [Op.iLike]: 'n%' } } }, order: [['total', 'DESC']], limit: 5, offset: 2 });
  assert.deepEqual([count, rows.map(({ total }) => total)], [25, ['94.00', '92.00', '90.00', '88.00', '86.00']]);
  const stores = await Store.findAll({ include: { model: Order, separate: false, where: { paid: true }, required: false, order: ['total'] }, order: ['name'] });
  assert.deepEqual(stores.map(({ name, Orders }) => [name, Orders.length]), [['North', 5], ['South', 5]]);
  const limited = await Store.findAll({ include: { model: Order, separate: true, limit: 3, order: [['total', 'DESC']] }, order: ['name'] });
  assert.deepEqual(limited[1].Orders.map(({ total }) => total), ['199.00', '197.00', '195.00']);
  const sums = await Order.findAll({ attributes: ['StoreId', [sequelize.fn('SUM', sequelize.col('total')), 'sum']], group: ['StoreId'],
    having: sequelize.where(sequelize.fn('COUNT', sequelize.col('*')), Op.gt, 10), order: ['StoreId'], raw: true });
  assert.deepEqual(sums.map(({ sum }) => sum), ['9900.00', '10000.00']);
  assert.equal(await Order.sum('total', { where: { paid: true } }), 45);
  assert.equal(Number(await Order.max('number')), 200);
});

test('JSONB, arrays and ranges are asked', async () => {
  const names = async (where) => (await Store.findAll({ where, order: ['name'] })).map(({ name }) => name);
  assert.deepEqual(await names({ settings: { open: { from: { [Op.gte]: 8 } } } }), ['North', 'South']);
  assert.deepEqual(await names({ 'settings.open.from': 8 }), ['North']);
  assert.deepEqual(await names({ settings: { [Op.contains]: { open: { from: 9 } } } }), ['South']);
  assert.deepEqual(await names({ tags: { [Op.contains]: ['a'] } }), ['North']);
  assert.deepEqual(await names({ tags: { [Op.overlap]: ['b', 'z'] } }), ['North']);
  assert.deepEqual(await names({ open: { [Op.contains]: 10 } }), ['North']);
  assert.deepEqual(await names({ name: { [Op.any]: ['North', 'x'] } }), ['North']);
  assert.deepEqual(await names({ name: { [Op.regexp]: '^S' } }), ['South']);
});

test('many belong to many', async () => {
  const [order] = await Order.findAll({ order: ['number'], limit: 1 });
  const tags = await Tag.bulkCreate([{ word: 'hot' }, { word: 'dog' }, { word: 'bun' }]);
  await order.setTags(tags);
  await order.removeTag(tags[2]);
  assert.deepEqual((await order.getTags({ order: ['word'] })).map(({ word }) => word), ['dog', 'hot']);
  assert.equal((await Tag.findAll({ include: { model: Order, required: true } })).length, 2);
});

test('transactions commit, roll back, nest and lock', async () => {
  await assert.rejects(sequelize.transaction(async (transaction) => {
    await Order.destroy({ where: {}, transaction });
    throw new Error('no');
  }), /no/);
  await sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE, deferrable: Deferrable.SET_DEFERRED() }, async (transaction) => {
    const order = await Order.findOne({ order: ['number'], lock: transaction.LOCK.UPDATE, skipLocked: true, transaction });
    await sequelize.transaction({ transaction }, async (inner) => {
      await Order.destroy({ where: {}, transaction: inner });
      throw new Error('inner');
    }).catch(() => {});
    await order.update({ total: 1.5 }, { transaction });
  });
  assert.equal(await Order.count(), 200);
  const [first, second] = await Promise.all([1, 2].map(() => Order.findOne({ order: ['number'] })));
  await first.update({ total: 2 });
  await assert.rejects(second.update({ total: 3 }), { name: 'SequelizeOptimisticLockError' });
});

test('raw queries bind and replace', async () => {
  const rows = await sequelize.query('SELECT $1::int + $2::int AS sum', { bind: [1, 2], type: 'SELECT' });
  assert.deepEqual(rows, [{ sum: 3 }]);
  const named = await sequelize.query('SELECT name FROM client_sequelize."Stores" WHERE name IN (:names)',
    { replacements: { names: ['North', "O'Hare"] }, model: Store, mapToModel: true });
  assert.equal(named[0].name, 'North');
  const [, meta] = await sequelize.query('UPDATE client_sequelize."Orders" SET paid = true WHERE total > 190');
  assert.equal(meta.rowCount, 9);
});

test('errors are told apart', async () => {
  const unique = await Store.create({ name: 'North' }).catch((error) => error);
  assert.deepEqual([unique.name, Object.keys(unique.fields)], ['SequelizeUniqueConstraintError', ['name']]);
  const foreign = await Order.create({ StoreId: 999, total: 1 }).catch((error) => error);
  assert.deepEqual([foreign.name, foreign.table, foreign.index], ['SequelizeForeignKeyConstraintError', 'Orders', 'Orders_StoreId_fkey']);
  await refused('22P02', Store.create({ name: 'x', kind: 'castle' }, { validate: false }));
  await refused('42P01', sequelize.query('SELECT * FROM no_such_table'));
});

test('the tables go', async () => {
  await sequelize.drop();
  await sequelize.dropSchema('client_sequelize');
  await refused('42P01', Store.count());
});

await cases.run([], () => sequelize.close());
