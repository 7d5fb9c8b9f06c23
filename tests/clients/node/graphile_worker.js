// graphile-worker: its own migrations, ten thousand jobs over several workers, retries, keys, queues, cron, LISTEN, shutdown.
import assert from 'node:assert/strict';
import pg from 'pg';
import { Logger, makeWorkerUtils, run, runMigrations, runOnce } from 'graphile-worker';
import { Cases, refused, sleep, until, url } from './cases.js';

const JOBS = 10_000;
const schema = 'client_graphile';
const quiet = new Logger(() => () => {});
const pool = new pg.Pool({ connectionString: url, max: 20 });
const options = { pgPool: pool, schema, logger: quiet, noHandleSignals: true };
const cases = new Cases('graphile-worker');
const { test } = cases;
const one = async (text, values) => Object.values((await pool.query(text, values)).rows[0])[0];

let utils;

test('its migrations run, and again', async () => {
  await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await runMigrations(options);
  await runMigrations(options);
  utils = await makeWorkerUtils(options);
  await utils.migrate();
  assert.ok((await one(`SELECT count(*)::int FROM ${schema}.migrations`)) >= 18);
});

test('ten thousand jobs run once each', async () => {
  await pool.query('DROP TABLE IF EXISTS client_graphile_ran');
  await pool.query('CREATE TABLE client_graphile_ran (id int, run int)');
  await pool.query(
    `SELECT count(*) FROM (SELECT ${schema}.add_job('count', json_build_object('id', i)) FROM generate_series(1, $1::int) i) added`,
    [JOBS]);
  const ran = new Map();
  const taskList = {
    count: ({ id }) => {
      ran.set(id, (ran.get(id) ?? 0) + 1);
    },
  };
  const runners = await Promise.all([1, 2].map(() => run({ ...options, taskList, concurrency: 8, pollInterval: 200 })));
  await until(() => ran.size >= JOBS, 120);
  await until(async () => (await one(`SELECT count(*)::int FROM ${schema}.jobs`)) === 0);
  await Promise.all(runners.map((runner) => runner.stop()));
  assert.equal(ran.size, JOBS);
  assert.deepEqual([...ran.values()].filter((times) => times !== 1), []);
});

test('a job added while a worker listens runs at once', async () => {
  const seen = [];
  const runner = await run({ ...options, taskList: { hello: ({ name }) => seen.push(name) }, concurrency: 1, pollInterval: 60_000 });
  await sleep(200);
  await utils.addJob('hello', { name: 'from JavaScript' });
  await until(() => seen.length === 1, 10);
  await pool.query(`SELECT ${schema}.add_job('hello', '{"name": "from SQL"}')`);
  await until(() => seen.length === 2, 10);
  await runner.stop();
  assert.deepEqual(seen, ['from JavaScript', 'from SQL']);
});

test('a job that fails is kept, put off and tried again', async () => {
  let tries = 0;
  const taskList = {
    fails: (_, helpers) => {
      if (++tries === 1) throw new Error('the first time');
      assert.equal(helpers.job.attempts, 2);
    },
  };
  const job = await utils.addJob('fails', {});
  await runOnce({ ...options, taskList });
  const { rows: [failed] } = await pool.query(
    `SELECT attempts, last_error, run_at > now() AS later, locked_by FROM ${schema}._private_jobs WHERE id = $1`, [job.id]);
  assert.match(failed.last_error, /the first time/);
  assert.deepEqual([failed.attempts, failed.later, failed.locked_by], [1, true, null]);
  await utils.rescheduleJobs([job.id], { runAt: new Date() });
  await runOnce({ ...options, taskList });
  assert.equal(tries, 2);
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.jobs`), 0);
});

test('jobs with a key replace each other, keep their time or are removed', async () => {
  const later = new Date(Date.now() + 3_600_000);
  await utils.addJob('keyed', { n: 1 }, { jobKey: 'k', runAt: later });
  await utils.addJob('keyed', { n: 2 }, { jobKey: 'k', jobKeyMode: 'preserve_run_at' });
  const { rows } = await pool.query(`SELECT payload, run_at > now() AS later FROM ${schema}._private_jobs WHERE key = 'k'`);
  assert.deepEqual(rows, [{ payload: { n: 2 }, later: true }]);
  await utils.addJob('keyed', { n: 3 }, { jobKey: 'k' });
  const seen = [];
  await runOnce({ ...options, taskList: { keyed: ({ n }) => seen.push(n) } });
  assert.deepEqual(seen, [3]);
  await utils.addJob('keyed', { n: 4 }, { jobKey: 'k', runAt: later });
  await pool.query(`SELECT ${schema}.remove_job('k')`);
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.jobs`), 0);
});

test('the jobs of one queue run one after another', async () => {
  let running = 0;
  const seen = [];
  const taskList = {
    serial: async ({ n }) => {
      assert.equal(++running, 1);
      seen.push(n);
      await sleep(2);
      running--;
    },
  };
  for (let n = 0; n < 40; n++) await utils.addJob('serial', { n }, { queueName: 'one at a time' });
  const runner = await run({ ...options, taskList, concurrency: 6, pollInterval: 50 });
  await until(() => seen.length === 40);
  await runner.stop();
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, n) => n));
});

test('priorities, administration and jobs in bulk', async () => {
  const seen = [];
  for (const priority of [3, 1, 2]) await utils.addJob('ordered', { priority }, { priority });
  await runOnce({ ...options, taskList: { ordered: ({ priority }) => seen.push(priority) } });
  assert.deepEqual(seen, [1, 2, 3]);
  const added = await Promise.all([1, 2, 3].map((n) => utils.addJob('never', { n })));
  assert.equal((await utils.completeJobs([added[0].id])).length, 1);
  const failed = await utils.permanentlyFailJobs([added[1].id, added[2].id], 'not today');
  assert.deepEqual(failed.map((job) => [job.last_error, job.attempts === job.max_attempts]), [['not today', true], ['not today', true]]);
  await utils.cleanup({ tasks: ['DELETE_PERMAFAILED_JOBS', 'GC_TASK_IDENTIFIERS', 'GC_JOB_QUEUES'] });
  assert.equal(await one(`SELECT count(*)::int FROM ${schema}.jobs`), 0);
  await pool.query(`SELECT count(*) FROM ${schema}.add_jobs(ARRAY(
    SELECT ROW('bulk', json_build_object('n', n), NULL, now(), 3, NULL, 0, NULL)::${schema}.job_spec FROM generate_series(1, 50) n))`);
  let bulk = 0;
  await runOnce({ ...options, taskList: { bulk: () => bulk++ } });
  assert.equal(bulk, 50);
});

test('cron items are known', async () => {
  const runner = await run({ ...options, taskList: { tick: () => {} }, crontab: '* * * * * tick ?fill=2m', concurrency: 1 });
  await until(async () => (await one(`SELECT count(*)::int FROM ${schema}._private_known_crontabs`)) === 1);
  await runner.stop();
});

test('helpers query in a transaction of the job', async () => {
  const taskList = {
    writes: (_, helpers) => helpers.withPgClient(async (client) => {
      await client.query('BEGIN');
      await client.query('INSERT INTO client_graphile_ran VALUES (1, 1)');
      await client.query('COMMIT');
    }),
  };
  await utils.addJob('writes', {});
  await runOnce({ ...options, taskList });
  assert.equal(await one('SELECT count(*)::int FROM client_graphile_ran'), 1);
});

test('the schema goes', async () => {
  await utils.release();
  await pool.query('DROP TABLE client_graphile_ran');
  await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  await refused('3F000', pool.query(`SELECT ${schema}.add_job('count')`));
});

await cases.run([], () => pool.end());
