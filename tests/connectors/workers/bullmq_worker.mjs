// A BullMQ worker and producer for the tests: `node bullmq_worker.mjs COMMAND QUEUE [JSON]`.
// Reads REDIS_URL, and from BULLMQ_MODULES the folder in which bullmq and ioredis are installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.BULLMQ_MODULES}/`);
const { Queue, Worker } = require('bullmq');
const Redis = require('ioredis');

const [command, queueName, given] = process.argv.slice(2);
const connection = new (Redis.default ?? Redis)(process.env.REDIS_URL, { maxRetriesPerRequest: null });

const jobs = {
  async welcome_mail({ user_id }) { return `mail to ${user_id}`; },
  async look_up({ user_id }) { throw new Error(`User ${user_id} not found`); },
  async hang() { process.stdout.write('hanging\n'); await new Promise((r) => setTimeout(r, 600000)); },
};

// add: one job per element of [{name, data, opts}], ids printed as JSON.
async function add() {
  const queue = new Queue(queueName, { connection });
  const added = await queue.addBulk(JSON.parse(given));
  process.stdout.write(`${JSON.stringify(added.map((job) => job.id))}\n`);
  await queue.close();
}

// work: runs jobs until `settled` of them have completed or failed for good, or until killed.
async function work() {
  const { settled = 1e9, ...options } = JSON.parse(given ?? '{}');
  let done = 0;
  const worker = new Worker(queueName, (job) => jobs[job.name](job.data), { connection, ...options });
  await new Promise((finish) => {
    const settle = () => { done += 1; if (done >= settled) finish(); };
    worker.on('completed', settle);
    worker.on('failed', (job) => { if (job.finishedOn) settle(); });
    worker.on('error', (error) => process.stderr.write(`${error}\n`));
  });
  await worker.close();
}

// pause: stops a queue as an operator would.
async function pause() {
  const queue = new Queue(queueName, { connection });
  await queue.pause();
  await queue.close();
}

await { add, work, pause }[command]();
await connection.quit();
