// pg-boss: its schema, ten thousand jobs over several workers, batches, retries, singletons, schedules, events, archiving.
import assert from 'node:assert/strict';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { Cases, refused, until, url } from './cases.js';

const JOBS = 10_000;
const schema = 'client_pgboss';
const pool = new pg.Pool({ connectionString: url, max: 4 });
const cases = new Cases('pg-boss');
const { test } = cases;
const one = async (text, values) => Object.values((await pool.query(text, values)).rows[0])[0];
const errors = [];

const start = async () => {
  const boss = new PgBoss({ connectionString: url, schema, max: 10, maintenanceIntervalSeconds: 1 });
  boss.on('error', (error) => errors.push(error));
  await boss.start();
  return boss;
};

let boss;
let second;

test('it makes its schema, and two start at once', async () => {
  await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  [boss, second] = await Promise.all([start(), start()]);
  assert.ok((await one(`SELECT version FROM ${schema}.version`)) >= 20);
});

test('ten thousand jobs run once each', async () => {
  for (let first = 0; first < JOBS; first += 1000) {
    await boss.insert(Array.from({ length: 1000 }, (_, i) => ({ name: 'count', data: { id: first + i } })));
  }
  assert.equal(await boss.getQueueSize('count'), JOBS);
  const ran = new Map();
  const work = (from) => from.work('count', { batchSize: 250, newJobCheckInterval: 100 }, async (jobs) => {
    for (const { data: { id } } of jobs) ran.set(id, (ran.get(id) ?? 0) + 1);
  });
  const workers = [boss, second, boss, second];
  await Promise.all(workers.map(work));
  const left = () => one(`SELECT count(*)::int FROM ${schema}.job WHERE name = 'count' AND state <> 'completed'`);
  await until(async () => (await left()) === 0, 120);
  await Promise.all([boss.offWork('count'), second.offWork('count')]);
  assert.equal(ran.size, JOBS);
  assert.deepEqual([...ran.values()].filter((times) => times !== 1), []);
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.job WHERE name = 'count' AND state = 'completed'`), JOBS);
});

test('jobs are sent, fetched, completed, failed and tried again', async () => {
  const id = await boss.send('by hand', { n: 1 }, { retryLimit: 1, priority: 5 });
  const low = await boss.send('by hand', { n: 2 });
  let job = await boss.fetch('by hand');
  assert.deepEqual([job.id, job.data], [id, { n: 1 }]);
  await boss.fail(id, new Error('not now'));
  assert.equal((await boss.getJobById(id)).state, 'retry');
  job = await boss.fetch('by hand');
  assert.equal(job.id, id);
  await boss.complete(id, { done: true });
  assert.deepEqual((await boss.getJobById(id)).output, { done: true });
  await boss.cancel(low);
  assert.equal((await boss.getJobById(low)).state, 'cancelled');
  await boss.resume(low);
  assert.equal((await boss.fetch('by hand')).id, low);
  await boss.complete(low);
  assert.equal(await boss.fetch('by hand'), null);
});

test('a job in the transaction of the caller is rolled back with it', async () => {
  const client = await pool.connect();
  const db = { executeSql: (text, values) => client.query(text, values) };
  await client.query('BEGIN');
  const gone = await boss.send('with us', {}, { db });
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  const kept = await boss.send('with us', {}, { db });
  await client.query('COMMIT');
  client.release();
  assert.equal(await boss.getJobById(gone), null);
  assert.equal((await boss.fetch('with us')).id, kept);
  await boss.complete(kept);
});

test('singletons, throttles and delays', async () => {
  assert.ok(await boss.send('single', {}, { singletonKey: 'a' }));
  assert.equal(await boss.send('single', {}, { singletonKey: 'a' }), null);
  assert.ok(await boss.send('single', {}, { singletonKey: 'b' }));
  assert.ok(await boss.sendThrottled('slow', {}, {}, 60, 'k'));
  assert.equal(await boss.sendThrottled('slow', {}, {}, 60, 'k'), null);
  assert.ok(await boss.sendDebounced('bouncing', {}, {}, 60, 'k'));
  await boss.sendAfter('later', {}, {}, 3600);
  assert.equal(await boss.fetch('later'), null);
});

test('a subscription hands an event to its queues', async () => {
  await boss.subscribe('sold', 'ledger');
  await boss.subscribe('sold', 'kitchen');
  await boss.publish('sold', { item: 7 });
  for (const queue of ['ledger', 'kitchen']) {
    const job = await boss.fetch(queue);
    assert.deepEqual(job.data, { item: 7 });
    await boss.complete(job.id);
  }
  await boss.unsubscribe('sold', 'kitchen');
});

test('a worker hears of failure and success', async () => {
  const id = await boss.send('flaky', {}, { retryLimit: 2, retryDelay: 0 });
  let tries = 0;
  await boss.work('flaky', { newJobCheckInterval: 100 }, async () => {
    if (++tries < 3) throw new Error(`try ${tries}`);
    return { tries };
  });
  await until(async () => (await boss.getJobById(id)).state === 'completed');
  await boss.offWork('flaky');
  assert.equal((await boss.getJobById(id)).output.tries, 3);
});

test('schedules are stored', async () => {
  await boss.schedule('nightly', '0 3 * * *', { a: 1 }, { tz: 'Asia/Shanghai' });
  await boss.schedule('nightly', '0 4 * * *', { a: 2 });
  assert.deepEqual((await boss.getSchedules()).map(({ name, cron, data }) => [name, cron, data]), [['nightly', '0 4 * * *', { a: 2 }]]);
  await boss.unschedule('nightly');
});

test('maintenance expires, archives and purges', async () => {
  await boss.send('stuck', {}, { expireInSeconds: 1, retryLimit: 0 });
  const { id: stuck } = await boss.fetch('stuck');
  await pool.query(`UPDATE ${schema}.job SET startedon = now() - interval '1 minute' WHERE id = $1`, [stuck]);
  await pool.query(`UPDATE ${schema}.job SET completedon = now() - interval '2 days' WHERE name = 'count'`);
  const archived = () => one(`SELECT count(*)::int FROM ${schema}.archive WHERE name = 'count'`);
  await until(async () => (await archived()) === JOBS);
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.job WHERE name = 'count'`), 0);
  await pool.query(`UPDATE ${schema}.archive SET archivedon = now() - interval '30 days'`);
  await until(async () => (await archived()) === 0);
  assert.equal((await boss.getJobById(stuck)).state, 'expired');
});

test('queues are emptied, and nothing went wrong behind', async () => {
  await boss.deleteQueue('single');
  await boss.deleteAllQueues();
  await boss.clearStorage();
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.job`), 0);
  await Promise.all([boss, second].map((each) => each.stop({ graceful: true, destroy: true })));
  assert.deepEqual(errors, []);
});

test('the schema goes', async () => {
  await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  await refused('42P01', pool.query(`SELECT * FROM ${schema}.job`));
});

await cases.run([], () => pool.end());
