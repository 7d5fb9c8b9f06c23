// drizzle: a folder of migrations, relational queries, builders, transactions, prepared statements, errors.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { and, asc, count, desc, eq, gt, inArray, relations, sql, sum } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { alias, boolean, integer, jsonb, numeric, pgSchema, primaryKey, serial, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core';
import { Cases, refused, url } from './cases.js';

const own = pgSchema('client_drizzle');
const kind = own.enum('kind', ['kiosk', 'shop']);
const stores = own.table('stores', {
  id: serial('id').primaryKey(),
  name: varchar('name', { length: 80 }).notNull().unique(),
  kind: kind('kind').notNull().default('shop'),
  tags: text('tags').array().notNull().default(sql`'{}'::text[]`),
  opened: timestamp('opened', { withTimezone: true }).notNull().defaultNow(),
});
const orders = own.table('orders', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  storeId: integer('store_id').notNull().references(() => stores.id, { onDelete: 'cascade' }),
  total: numeric('total', { precision: 10, scale: 2 }).notNull(),
  paid: boolean('paid').notNull().default(false),
  request: uuid('request').defaultRandom(),
  extra: jsonb('extra'),
});
const lines = own.table('lines', {
  orderId: integer('order_id').notNull().references(() => orders.id),
  line: integer('line').notNull(),
  item: text('item').notNull(),
}, (table) => [primaryKey({ columns: [table.orderId, table.line] })]);
const schema = {
  stores, orders, lines,
  storesRelations: relations(stores, ({ many }) => ({ orders: many(orders) })),
  ordersRelations: relations(orders, ({ one, many }) =>
    ({ store: one(stores, { fields: [orders.storeId], references: [stores.id] }), lines: many(lines) })),
  linesRelations: relations(lines, ({ one }) => ({ order: one(orders, { fields: [lines.orderId], references: [orders.id] }) })),
};

// What drizzle-kit generates of the tables above.
const migrations = [['0000_tables', `CREATE TYPE "client_drizzle"."kind" AS ENUM('kiosk', 'shop');--> statement-breakpoint
CREATE TABLE "client_drizzle"."stores" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" varchar(80) NOT NULL,
	"kind" "client_drizzle"."kind" DEFAULT 'shop' NOT NULL,
	"tags" text[] DEFAULT '{}'::text[] NOT NULL,
	"opened" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stores_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "client_drizzle"."orders" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "client_drizzle"."orders_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"store_id" integer NOT NULL,
	"total" numeric(10, 2) NOT NULL,
	"paid" boolean DEFAULT false NOT NULL,
	"request" uuid DEFAULT gen_random_uuid()
);
--> statement-breakpoint
ALTER TABLE "client_drizzle"."orders" ADD CONSTRAINT "orders_store_id_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "client_drizzle"."stores"("id") ON DELETE cascade ON UPDATE no action;`],
['0001_lines', `CREATE TABLE "client_drizzle"."lines" (
	"order_id" integer NOT NULL,
	"line" integer NOT NULL,
	"item" text NOT NULL,
	CONSTRAINT "lines_order_id_line_pk" PRIMARY KEY("order_id","line")
);
--> statement-breakpoint
ALTER TABLE "client_drizzle"."orders" ADD COLUMN "extra" jsonb;--> statement-breakpoint
DO $$ BEGIN
 ALTER TABLE "client_drizzle"."lines" ADD CONSTRAINT "lines_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "client_drizzle"."orders"("id") ON DELETE no action ON UPDATE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "orders_total" ON "client_drizzle"."orders" USING btree ("store_id","total" DESC NULLS LAST);`]];

const cases = new Cases('drizzle');
const { test } = cases;
const pool = new pg.Pool({ connectionString: url, max: 6 });
const db = drizzle(pool, { schema });

test('migrations run, and again', async () => {
  await pool.query('DROP SCHEMA IF EXISTS client_drizzle CASCADE');
  await pool.query('CREATE SCHEMA client_drizzle');
  const folder = mkdtempSync(join(tmpdir(), 'drizzle-'));
  mkdirSync(join(folder, 'meta'));
  for (const [tag, text] of migrations) writeFileSync(join(folder, `${tag}.sql`), text);
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql',
    entries: migrations.map(([tag], idx) => ({ idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true })) }));
  for (let i = 0; i < 2; i++) await migrate(db, { migrationsFolder: folder, migrationsSchema: 'client_drizzle' });
  rmSync(folder, { recursive: true });
  assert.equal((await pool.query('SELECT count(*)::int AS n FROM client_drizzle.__drizzle_migrations')).rows[0].n, 2);
});

test('rows are written, merged and returned', async () => {
  const inserted = await db.insert(stores).values([{ name: 'North', kind: 'kiosk', tags: ['a', 'b "c"'] }, { name: 'South' }]).returning();
  assert.deepEqual(inserted.map(({ id, kind, tags }) => [id, kind, tags]), [[1, 'kiosk', ['a', 'b "c"']], [2, 'shop', []]]);
  assert.ok(inserted[0].opened instanceof Date);
  const made = await db.insert(orders).values(Array.from({ length: 100 }, (_, i) =>
    ({ storeId: 1 + (i % 2), total: `${i}.50`, extra: { i, of: ['x'] } }))).returning({ id: orders.id });
  await db.insert(lines).values(made.flatMap(({ id }) => [{ orderId: id, line: 1, item: 'dog' }, { orderId: id, line: 2, item: 'roll' }]));
  await db.insert(stores).values({ name: 'North' }).onConflictDoUpdate({ target: stores.name, set: { kind: sql`excluded.kind` } });
  await db.insert(stores).values({ name: 'North' }).onConflictDoNothing();
  const updated = await db.update(orders).set({ paid: true }).where(gt(orders.total, '90')).returning({ total: orders.total });
  assert.deepEqual(updated.map(({ total }) => total).sort().slice(0, 2), ['90.50', '91.50']);
  assert.equal(updated.length, 10);
  const { rowCount } = await db.delete(lines).where(inArray(lines.orderId, db.select({ id: orders.id }).from(orders).where(eq(orders.paid, true))));
  assert.equal(rowCount, 20);
});

test('relational queries read trees', async () => {
  const found = await db.query.stores.findMany({
    orderBy: asc(stores.id),
    columns: { name: true },
    with: { orders: { columns: { total: true, extra: true }, limit: 2, orderBy: asc(orders.total), with: { lines: { orderBy: desc(lines.line) } } } },
  });
  assert.equal(found.length, 2);
  assert.deepEqual(found[0].orders[0], { total: '0.5', extra: { i: 0, of: ['x'] },
    lines: [{ orderId: 1, line: 2, item: 'roll' }, { orderId: 1, line: 1, item: 'dog' }] });
  const first = await db.query.orders.findFirst({ where: eq(orders.id, 7), with: { store: true }, extras: { twice: sql`${orders.total} * 2`.as('twice') } });
  assert.deepEqual([first.store.name, first.twice], ['North', '13.00']);
});

test('joins, groups, subqueries, sets and WITH', async () => {
  const rows = await db.select({ name: stores.name, n: count(), sum: sum(orders.total) }).from(stores)
    .leftJoin(orders, eq(orders.storeId, stores.id)).groupBy(stores.name).orderBy(stores.name).having(({ n }) => gt(n, 10));
  assert.deepEqual(rows, [{ name: 'North', n: 50, sum: '2475.00' }, { name: 'South', n: 50, sum: '2525.00' }]);
  const rich = db.$with('rich').as(db.select().from(orders).where(gt(orders.total, '95')));
  assert.equal((await db.with(rich).select().from(rich)).length, 5);
  const other = alias(orders, 'other');
  const pairs = await db.select({ a: orders.id, b: other.id }).from(orders).innerJoin(other, and(eq(other.storeId, orders.storeId),
    eq(sql`${other.total}`, sql`${orders.total} + 2`))).orderBy(orders.id).limit(1);
  assert.deepEqual(pairs, [{ a: 1, b: 3 }]);
  assert.equal(await db.$count(orders, eq(orders.paid, true)), 10);
  assert.equal((await db.selectDistinct({ kind: stores.kind }).from(stores)).length, 1);
  const top = db.select({ total: orders.total }).from(orders).where(eq(orders.storeId, stores.id)).orderBy(desc(orders.total)).limit(1).as('top');
  const tops = await db.select({ name: stores.name, total: top.total }).from(stores).innerJoinLateral(top, sql`true`).orderBy(stores.name);
  assert.deepEqual(tops, [{ name: 'North', total: '98.50' }, { name: 'South', total: '99.50' }]);
});

test('prepared statements are reused', async () => {
  const byId = db.select().from(orders).where(eq(orders.id, sql.placeholder('id'))).prepare('client_drizzle_by_id');
  for (let id = 1; id <= 20; id++) assert.equal((await byId.execute({ id }))[0].id, id);
});

test('transactions commit, roll back and nest', async () => {
  await db.transaction(async (tx) => {
    await tx.update(orders).set({ paid: true }).where(eq(orders.id, 1));
    await tx.transaction(async (inner) => {
      await inner.delete(lines);
      inner.rollback();
    }).catch(() => {});
    await tx.select().from(orders).where(eq(orders.id, 1)).for('update', { skipLocked: true });
  }, { isolationLevel: 'repeatable read', accessMode: 'read write' });
  await db.transaction(async (tx) => {
    await tx.delete(lines);
    throw new Error('no');
  }).catch(() => {});
  assert.deepEqual([await db.$count(lines), await db.$count(orders, eq(orders.paid, true))], [180, 11]);
});

test('errors carry their SQLSTATE', async () => {
  await refused('23505', db.insert(stores).values({ name: 'North' }));
  await refused('23503', db.insert(orders).values({ storeId: 9, total: '1' }));
  await refused('22003', db.insert(orders).values({ storeId: 1, total: '123456789' }));
  await refused('428C9', db.execute(sql`INSERT INTO ${orders} (id, store_id, total) VALUES (1, 1, 1)`));
});

test('views are read and all goes', async () => {
  await db.execute(sql`CREATE VIEW client_drizzle.totals AS SELECT store_id, sum(total) AS total FROM client_drizzle.orders GROUP BY 1`);
  const totals = own.view('totals', { storeId: integer('store_id'), total: numeric('total') }).existing();
  assert.deepEqual(await db.select().from(totals).orderBy(totals.storeId), [{ storeId: 1, total: '2475.00' }, { storeId: 2, total: '2525.00' }]);
  await db.execute(sql`DROP SCHEMA client_drizzle CASCADE`);
});

await cases.run([], () => pool.end());
