// The small frame of the scripts here: named cases in the order written, counted, each failure printed.
import assert from 'node:assert/strict';

export const url = process.argv[process.argv.indexOf('--url') + 1];

export class Cases {
  constructor(client) {
    this.client = client;
    this.cases = [];
  }

  test = (name, run) => this.cases.push({ name, run });

  // Runs the cases, each with these arguments, then `close`, and ends the process.
  async run(args = [], close = () => {}) {
    let failed = 0;
    for (const { name, run } of this.cases) {
      try {
        await run(...args);
      } catch (error) {
        failed++;
        console.log(`FAILED ${this.client}: ${name}\n${error.stack ?? error}`);
        if (error.parent) console.log(error.parent);
      }
    }
    await Promise.race([close(), sleep(5000)]);
    console.log(`${this.client}: ${this.cases.length - failed} passed, ${failed} failed`);
    process.exit(failed ? 1 : 0);
  }
}

// Libraries wrap what the driver threw: the SQLSTATE is that of the innermost error.
const sqlstateOf = (error) => {
  const inner = error.cause ?? error.driverError ?? error.original;
  return inner ? sqlstateOf(inner) : error.code;
};

export const refused = (sqlstate, promise) => assert.rejects(promise, (error) => {
  assert.equal(sqlstateOf(error), sqlstate, `${error}`);
  return true;
});

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Waits until `met` is true; fails after some seconds.
export const until = async (met, seconds = 60) => {
  const end = Date.now() + seconds * 1000;
  while (!(await met())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${met}`);
    await sleep(20);
  }
};
