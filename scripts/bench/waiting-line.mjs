// Callers in line are served in order, and told how long they wait: how wrong is that? Real services and agents, calls of random
// lengths, more callers than places. Needs `npm run build`; everything runs on loopback. Exits 1 if the order was not kept.
//   node scripts/bench/waiting-line.mjs [callers] [seed]
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack, waitFor } from '../../packages/test-kit/dist/index.js';

const CALLERS = Number(process.argv[2] ?? 40);
const SEED = Number(process.argv[3] ?? 1);
const PLACES = 4;
const SHORTEST_MS = 2000;
const LONGEST_MS = 10_000;
/** Callers come faster than places get free, so that the line grows. */
const PAUSE_MS = (SHORTEST_MS + LONGEST_MS) / 2 / PLACES / 1.5;
const POLL_MS = 250;
const AGENT = fileURLToPath(new URL('../../tests/fixtures/agents/ready-then-waits.sh', import.meta.url));

const random = seeded(SEED);
const plan = Array.from({ length: CALLERS }, () => ({
  pauseMs: -Math.log(1 - random()) * PAUSE_MS,
  lengthMs: SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS),
}));

const stack = await startStack({
  agentCommand: AGENT,
  env: { MAX_SESSIONS: String(PLACES), QUEUE_MAX: '1000', SPAWN_CONCURRENCY: String(PLACES) },
});
try {
  const calls = [];
  for (const { pauseMs, lengthMs } of plan) {
    await sleep(pauseMs);
    const { body } = await ask('POST', '/api/session/start', {});
    calls.push(attend(body, lengthMs));
  }
  const waited = (await Promise.all(calls)).filter(({ wasQueued }) => wasQueued);
  report(waited);
} finally {
  await stack.stop();
}

/** One caller, from the answer to its start to its end. */
async function attend(started, lengthMs) {
  const { sessionId, status, estimatedWaitMs } = started;
  let session;
  await waitFor(
    async () => {
      session = (await ask('GET', `/api/session/${sessionId}`)).body;
      return session.status === 'ready';
    },
    { timeoutMs: 600_000, intervalMs: POLL_MS },
  );
  await sleep(lengthMs);
  await ask('POST', '/api/session/end', { sessionId });
  const cameAt = Date.parse(session.createdAt);
  return {
    wasQueued: status === 'queued',
    cameAt,
    turnAt: Date.parse(session.assignedAt),
    waitedMs: Date.parse(session.readyAt) - cameAt,
    toldMs: estimatedWaitMs,
  };
}

function report(waited) {
  const errors = waited.map(({ waitedMs, toldMs }) => toldMs - waitedMs);
  const shares = waited.map(({ waitedMs, toldMs }) => Math.abs(toldMs - waitedMs) / waitedMs);
  const inOrderOfTurns = waited.toSorted((a, b) => a.turnAt - b.turnAt);
  const overtakings = inOrderOfTurns.filter((it, i) => i > 0 && it.cameAt < inOrderOfTurns[i - 1].cameAt);
  console.log(
    `${CALLERS} callers, ${PLACES} places, calls of ${SHORTEST_MS} to ${LONGEST_MS} ms, seed ${SEED}`,
  );
  console.log(
    `${waited.length} stood in line, for ${seconds(median(waited.map((it) => it.waitedMs)))} (median)`,
  );
  console.log(
    `served in order: ${overtakings.length === 0 ? 'yes' : `NO, ${overtakings.length} came too early`}`,
  );
  console.log(
    `median error of the wait that they were told when they came: ${seconds(median(errors.map(Math.abs)))}, ` +
      `${Math.round(median(shares) * 100)} % of the wait; told too much by ${seconds(median(errors))} (median)`,
  );
  if (overtakings.length > 0) process.exitCode = 1;
}

/** A machine that is busy otherwise may answer 503 now and then; whoever is told when to come again does. */
async function ask(method, path, body) {
  for (;;) {
    const answer = await stack.request(method, path, body);
    const retryAfter = answer.headers.get('retry-after');
    if (answer.status < 300) return answer;
    if (answer.status !== 503 || retryAfter === null) throw new Error(`${method} ${path}: ${answer.status}`);
    await sleep(Number(retryAfter) * 1000);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
