// A pg-boss worker and producer for the tests: `node pgboss_worker.mjs COMMAND [JSON]`.
// Reads DATABASE_URL, and from PGBOSS_MODULES the folder in which pg-boss is installed.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const resolve = createRequire(`${process.env.PGBOSS_MODULES}/`).resolve;
const found = await import(pathToFileURL(resolve('pg-boss')));
const PgBoss = found.PgBoss ?? found.default;
const [command, given] = process.argv.slice(2);

const jobs = {
  'welcome-mail': async ([{ data }]) => `mail to ${data.user_id}`,
  'look-up': async ([{ data }]) => { throw new Error(`User ${data.user_id} not found`); },
  'gives-up': async ([{ data }]) => { throw new Error(`User ${data.user_id} not found`); },
  hang: async ([{ data }]) => { writeFileSync(data.flag, ''); await new Promise((r) => setTimeout(r, 600000)); },
};
const settings = {
  'look-up': { retryLimit: 3, retryDelay: 3600, retryBackoff: false },
  'gives-up': { retryLimit: 0 },
  hang: { retryLimit: 0, heartbeatSeconds: 10 },
};

const supervise = command === 'watch';
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, schedule: false, supervise });
boss.on('error', (error) => process.stderr.write(`${error}\n`));
await boss.start();
for (const name of Object.keys(jobs)) await boss.createQueue(name, settings[name] ?? { retryLimit: 2 });

// send: one job for each of [[queue, data, options]], ids printed one a line.
async function send() {
  for (const [name, data, options] of JSON.parse(given)) {
    process.stdout.write(`${await boss.send(name, data, options ?? {})}\n`);
  }
  await boss.stop({ graceful: false });
}

// work: runs jobs until it is told to stop (SIGTERM), or killed.
async function work() {
  for (const [name, handler] of Object.entries(jobs)) {
    await boss.work(name, { pollingIntervalSeconds: 0.5 }, handler);
  }
  process.stdout.write('working\n');
  await new Promise((finish) => process.on('SIGTERM', finish));
  await boss.stop({ graceful: false });
}

// watch: only supervises, as the process that notices what others left behind.
async function watch() {
  await new Promise((finish) => process.on('SIGTERM', finish));
  await boss.stop({ graceful: false });
}

await { send, work, watch }[command]();
process.exit(0);
