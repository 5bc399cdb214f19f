// A graphile-worker for the tests: `node graphile_worker.mjs COMMAND [JSON]`.
// Reads DATABASE_URL, and from GRAPHILE_MODULES the folder in which graphile-worker is installed.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.GRAPHILE_MODULES}/`);
const { makeWorkerUtils, run } = require('graphile-worker');
const [command, given] = process.argv.slice(2);
const connectionString = process.env.DATABASE_URL;

const taskList = {
  async welcome_mail() {},
  async look_up({ user_id }) { throw new Error(`User ${user_id} not found`); },
  async gives_up({ user_id }) { throw new Error(`User ${user_id} not found`); },
  async hang({ flag }) { writeFileSync(flag, ''); await new Promise((r) => setTimeout(r, 600000)); },
};

// add: one job for each of [[task, payload, spec]], ids printed one a line.
async function add() {
  const utils = await makeWorkerUtils({ connectionString });
  await utils.migrate();
  for (const [task, payload, spec] of JSON.parse(given)) {
    const { runAfterMs, ...rest } = spec ?? {};
    if (runAfterMs) rest.runAt = new Date(Date.now() + runAfterMs);
    process.stdout.write(`${(await utils.addJob(task, payload, rest)).id}\n`);
  }
  await utils.release();
}

// work: runs jobs until it is told to stop (SIGTERM), or killed.
async function work() {
  const runner = await run({ connectionString, concurrency: 1, pollInterval: 200, taskList });
  await runner.promise;
}

await { add, work }[command]();
