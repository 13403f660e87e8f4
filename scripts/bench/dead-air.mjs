// What silent calls cost and how late they are acted upon: one sorted set that is looked at when the nearest call is due, next to
// a loop that looks at every call each 500 ms, and to timers that know no state at all. Redis on loopback; two instances of the
// watcher of the api. Needs `npm run build`. Exits 1 if quiet calls cost commands of their own, or p99 is 300 ms or more.
//   node scripts/bench/dead-air.mjs [calls that are quiet] [seconds for which others become due]
import '../lib/check-node.mjs';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { begin, callReducer } from '../../packages/dead-air/dist/index.js';
import { openRedis } from '../../packages/redis-schema/dist/index.js';
import { startRedis } from '../../packages/test-kit/dist/index.js';

const CALLS = Number(process.argv[2] ?? 10_000);
const SPREAD_MS = Number(process.argv[3] ?? 12) * 1000;
/** Of those that become due, a second: as if 10,000 calls fell silent within a minute. */
const DUE_PER_SECOND = 10_000 / 60;
const DUE = Math.round((DUE_PER_SECOND * SPREAD_MS) / 1000);
const FEW = 100;
const QUIET_MS = 4_000;
/** For opening those that become due, and for what is late at the end. */
const OPENING_MS = 2_500;
const AFTERWARDS_MS = 3_000;
const SILENCE_MS = 7_000;
const LATEST_MS = 300;
const WORKER = fileURLToPath(new URL('dead-air/worker.mjs', import.meta.url));

const ways = [
  { name: 'one sorted set, two instances', mode: 'watcher', instances: 2 },
  { name: 'a loop over all calls each 500 ms', mode: 'loop', instances: 1 },
  { name: 'bare timers, no state', mode: 'bare', instances: 1 },
];

console.log(
  `${CALLS} quiet calls, and then ${DUE} more of which one becomes due every ${(SPREAD_MS / DUE).toFixed(1)} ms`,
);
const results = [];
for (const way of ways) results.push({ ...way, ...(await measure(way)) });
report(results);
const [ours] = results;
const costsNothing = ours.quiet.commands < ours.few.commands + 1;
if (!costsNothing || ours.p99 >= LATEST_MS) process.exitCode = 1;

/** Few calls and then all of them are quiet; then others become due beside them. */
async function measure({ mode, instances }) {
  const redis = await startRedis();
  const schema = openRedis({ url: redis.url, clientName: 'bench', commandTimeoutMs: 30_000 });
  await schema.connected(2_000);
  await schema.hosts.register('bench', [{ name: 'default', voices: [], poolTarget: 0 }]);
  await beat(schema);
  const workers = Array.from({ length: instances }, () => fork(WORKER, [mode, redis.url]));
  try {
    await Promise.all(workers.map((worker) => heard(worker, 'ready')));
    const far = schema.clock.now() + 3_600_000;
    await openCalls({ schema, workers, mode }, 0, FEW, () => far);
    const few = await observe({ redis, workers }, QUIET_MS);
    await openCalls({ schema, workers, mode }, FEW, CALLS, () => far);
    const quiet = await observe({ redis, workers }, QUIET_MS);
    const from = schema.clock.now() + OPENING_MS;
    const dueAtOf = (i) => from + ((i - CALLS) / DUE) * SPREAD_MS;
    await openCalls({ schema, workers, mode }, CALLS, CALLS + DUE, dueAtOf);
    if (schema.clock.now() > from) console.log(`${mode}: the first were due before all were open`);
    const busy = await observe({ redis, workers }, from + SPREAD_MS + AFTERWARDS_MS - schema.clock.now());
    const late = (await Promise.all(workers.map((worker) => ask(worker, 'late')))).flat();
    return { few, quiet, busy, ...summary(late) };
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await schema.close();
    await redis.stop();
  }
}

function beat(schema) {
  const facts = { capacity: 1, concurrency: 1, version: 'bench', startedAt: 0, running: 0, draining: false };
  return schema.hosts.heartbeat('bench', facts);
}

/** Each falls silent so that its first question is due at that time. */
async function openCalls({ schema, workers, mode }, from, to, dueAtOf) {
  // Bare timers know no state.
  for (let first = from; first < to && mode !== 'bare'; first += FEW) {
    await Promise.all(
      Array.from({ length: Math.min(FEW, to - first) }, (_, i) => openCall(schema, first + i, dueAtOf)),
    );
  }
  const calls = Array.from({ length: to - from }, (_, i) => ({
    callId: idOf(from + i),
    dueAt: dueAtOf(from + i),
  }));
  for (const worker of workers) worker.send({ calls });
}

async function openCall(schema, i, dueAtOf) {
  const at = Math.round(dueAtOf(i)) - SILENCE_MS;
  const settings = {};
  const fresh = { medium: 'phone', state: begin(at, 'phone'), settings, dueAt: undefined };
  const { state, dueAt } = callReducer({ kind: 'call_started', at })(fresh);
  await schema.calls.open({ callId: idOf(i), medium: 'phone', state, settings, dueAt });
}

function idOf(i) {
  return `v3:bench-${i}`;
}

/** What Redis and the workers did meanwhile, for each second of it. Our own question is left out. */
async function observe(all, ms) {
  const before = await look(all);
  await sleep(ms);
  const after = await look(all);
  const seconds = (after.at - before.at) / 1000;
  return {
    commands: (after.commands - before.commands - 1) / seconds,
    redisCpu: (after.redisCpu - before.redisCpu) / seconds,
    workersCpu: (after.workersCpu - before.workersCpu) / seconds,
  };
}

async function look({ redis, workers }) {
  const workersCpu = (await Promise.all(workers.map((worker) => ask(worker, 'cpu')))).reduce((a, b) => a + b);
  const stats = String(await redis.command('INFO', 'everything'));
  const numberOf = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(stats)?.[1]);
  return {
    at: performance.now(),
    commands: numberOf('total_commands_processed'),
    redisCpu: numberOf('used_cpu_user') + numberOf('used_cpu_sys'),
    workersCpu,
  };
}

async function ask(worker, what) {
  const answered = heard(worker, what);
  worker.send({ ask: what });
  return answered;
}

async function heard(worker, what) {
  for (;;) {
    const [message] = await once(worker, 'message');
    if (message.answer === what) return message.value;
  }
}

function summary(late) {
  const sorted = late.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { actions: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) };
}

function report(all) {
  const columns = ['quiet: commands/s', `(${FEW} calls)`, 'CPU', 'due: CPU', 'actions', 'p50', 'p99', 'max'];
  console.log(`\n${''.padEnd(36)}${columns.map((it) => it.padStart(18)).join('')}`);
  for (const { name, few, quiet, busy, actions, p50, p99, max } of all) {
    const cells = [
      quiet.commands.toFixed(1),
      few.commands.toFixed(1),
      share(quiet),
      share(busy),
      String(actions),
      ...[p50, p99, max].map((ms) => `${ms.toFixed(0)} ms`),
    ];
    console.log(`${name.padEnd(36)}${cells.map((it) => it.padStart(18)).join('')}`);
  }
  console.log(
    '\nCPU: of a core, Redis + instances. Late: from when a question was due until it was handed over.',
  );
}

function share({ redisCpu, workersCpu }) {
  return `${(redisCpu * 100).toFixed(1)} + ${(workersCpu * 100).toFixed(1)} %`;
}
