// Jobs for the Resque tests, by node-resque: `node resque_worker.mjs work QUEUE...` runs a worker,
// `node resque_worker.mjs push` enqueues the lines [queue, class, arguments, ms] of its input.
// REDIS_PORT, REDIS_PASSWORD and REDIS_DATABASE name the server; RESQUE_MODULES is the folder in
// which node-resque is installed. With STUCK_MS a scheduler runs beside the worker and declares
// lost what was silent for so long.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.RESQUE_MODULES}/`);
const { Queue, Scheduler, Worker } = require('node-resque');

const TIMEOUT_MS = 200; // between two looks for work, and between two heartbeats
const RETRY_MS = 600_000;

const connection = {
  pkg: 'ioredis',
  host: '127.0.0.1',
  port: Number(process.env.REDIS_PORT),
  database: Number(process.env.REDIS_DATABASE),
  namespace: 'resque',
  options: { password: process.env.REDIS_PASSWORD, maxRetriesPerRequest: null },
};

const fail = async (userId) => {
  throw new Error(`User ${userId} \u001b[31mgone\u202e not found`);
};

const jobs = {
  WelcomeMail: { perform: async (userId) => userId },
  LookUp: { perform: fail },
  RetriedLookUp: {
    plugins: ['Retry'],
    pluginOptions: { Retry: { retryLimit: 3, retryDelay: RETRY_MS } },
    perform: fail,
  },
  Endless: { perform: () => new Promise(() => setInterval(() => {}, RETRY_MS)) },
};

async function work(queues) {
  const worker = new Worker({ connection, queues, timeout: TIMEOUT_MS }, jobs);
  const stuckWorkerTimeout = Number(process.env.STUCK_MS);
  const scheduler = new Scheduler({ connection, timeout: TIMEOUT_MS, stuckWorkerTimeout }, jobs);
  const parts = stuckWorkerTimeout ? [worker, scheduler] : [worker];
  for (const part of parts) {
    part.on('error', (error) => process.stderr.write(`${error}\n`));
    await part.connect();
    await part.start();
  }
  process.on('SIGTERM', async () => {
    for (const part of parts) await part.end();
    process.exit(0);
  });
}

async function push() {
  const queue = new Queue({ connection }, jobs);
  await queue.connect();
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, job, given, wait] = JSON.parse(line);
    if (wait) await queue.enqueueIn(wait, name, job, given);
    else await queue.enqueue(name, job, given);
  }
  await queue.end();
}

const [command, ...queues] = process.argv.slice(2);
await (command === 'work' ? work(queues) : push());
