// npm run test:rolling: every api and every spawner is restarted behind HAProxy, one after the other, while calls go on and
// others begin, in both shutdown modes. Options: --calls N (20), --per-second N (5), --mode handover|drain, --no-install.
import './lib/check-node.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDeployment } from './lib/chaos/deployment.mjs';
import { randomOf } from './lib/chaos/random.mjs';
import { findProgram } from './lib/find-program.mjs';
import { beginCalls } from './lib/rolling/calls.mjs';
import { Client } from './lib/rolling/client.mjs';
import { startHaproxy } from './lib/rolling/haproxy.mjs';
import { beginLoad } from './lib/rolling/load.mjs';
import { installSystemPackages } from './lib/system/install.mjs';

/** Before the first restart, and from one to the next. */
const PAUSE_MS = 3_000;
const READY_MS = 60_000;
const POOL_SIZE = 8;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '20' },
    'per-second': { type: 'string', default: '5' },
    mode: { type: 'string' },
    'no-install': { type: 'boolean', default: false },
  },
});
if (!findProgram('haproxy')) await installSystemPackages(['haproxy'], { mayInstall: !values['no-install'] });
const verdicts = [];
for (const mode of values.mode ? [values.mode] : ['handover', 'drain']) verdicts.push(await roll(mode));
const isGood = verdicts.every(Boolean);
console.log(`\nVERDICT: ${isGood ? 'passed' : 'failed'}`);
process.exitCode = isGood ? 0 : 1;

/** @returns whether no request failed and no call ended */
async function roll(mode) {
  const calls = Number(values.calls);
  const deployment = await startDeployment({
    spawners: 3,
    apis: 2,
    random: randomOf(1),
    say: console.log,
    cuts: false,
    settings: {
      SHUTDOWN_MODE: mode,
      MAX_SESSIONS: '200',
      HOST_CAPACITY: '100',
      // The calls that go on are started cold: a warm agent plays no tone.
      POOL_TARGET: '0',
      // A call that lasts longer than this is moved to another host.
      DRAIN_TIMEOUT: '3',
      API_DRAIN_DELAY: '3',
      TRUST_PROXY: '1',
    },
  });
  let proxy;
  try {
    proxy = await startHaproxy(deployment.apis);
    const client = new Client({ url: proxy.url, adminToken: deployment.adminToken });
    const talk = await beginCalls(client, calls);
    console.log(`${mode}: ${calls} calls go on`);
    await client.ask('POST', '/api/pool/resize', [200], { size: POOL_SIZE });
    const counted = client.requests;
    const load = beginLoad(client, { perSecond: Number(values['per-second']) });
    await sleep(PAUSE_MS);
    const restartedAt = Date.now();
    for (const instance of deployment.instances) await restart(instance, mode);
    await sleep(PAUSE_MS);
    const starts = await load.stop();
    const ended = await talk.findEnded();
    const silences = await talk.hangUp();
    return report({ mode, client, counted, starts, calls, ended, silences, restartedAt });
  } finally {
    await proxy?.stop();
    await deployment.stop();
  }
}

async function restart(instance, mode) {
  const startedAt = performance.now();
  await instance.leave();
  const leftAfter = performance.now() - startedAt;
  await instance.start();
  await instance.untilReady(READY_MS);
  const total = performance.now() - startedAt;
  console.log(`${mode}: ${instance.name} left in ${seconds(leftAfter)}, ready again after ${seconds(total)}`);
  await sleep(PAUSE_MS);
}

function report({ mode, client, counted, starts, calls, ended, silences, restartedAt }) {
  const { failures, latencies } = client;
  const longest = (gaps) => Math.max(0, ...gaps.map(({ ms }) => ms));
  const during = silences.flat().filter(({ endedAt }) => endedAt >= restartedAt);
  const before = silences.flat().filter(({ endedAt }) => endedAt < restartedAt);
  console.log(
    [
      `${mode}: requests ${client.requests} (${client.requests - counted} while restarting), failed ${failures.length}; starts ${starts}`,
      `${mode}: slowest answer ${seconds(Math.max(...latencies))}, median ${Math.round(median(latencies))} ms`,
      `${mode}: calls ${calls}, ended ${ended.length}; longest silence ${seconds(longest(during))}, before the restarts ${seconds(longest(before))}`,
      ...failures.slice(0, 20).map((failure) => `  ✗ ${failure}`),
      ...ended.map((id) => `  ✗ ended: ${id}`),
    ].join('\n'),
  );
  return failures.length === 0 && ended.length === 0;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
