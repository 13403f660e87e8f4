// Plays the arrivals against the real services: real Redis, LiveKit, api, spawner and agent processes.
import { fileURLToPath } from 'node:url';
import { startStack, waitFor } from '../../../packages/test-kit/dist/index.js';

const AGENT = fileURLToPath(new URL('loading-agent.sh', import.meta.url));
const SAMPLE_MS = 100;
/** Loading is asleep here and costs no processor: many at a time, so that the size of the pool decides and nothing else. */
const LAUNCHES = 16;

/** Warm agents load at one place less than there are: a caller must not wait for the pool. */
export const WARM_LAUNCHES = LAUNCHES - 1;

/**
 * @param {object} policy of the pool
 * @param {{arrivalsMs: number[], lengthMs: number, loadMs: number, callMs: number}} curve in compressed time
 * @returns hit rate, warm agents idle and loading in ms of compressed time, and how long a replacement took
 */
export async function play(policy, curve, livekit) {
  const stack = await startStack({
    livekit,
    agentCommand: AGENT,
    env: {
      AGENT_ENV: 'LOAD_SECONDS',
      LOAD_SECONDS: String(curve.loadMs / 1000),
      SPAWN_CONCURRENCY: String(LAUNCHES),
      MAX_SESSIONS: '500',
      HOST_CAPACITY: '500',
      LOG_LEVEL: 'warn',
    },
  });
  try {
    await setPolicy(stack, policy);
    await waitFor(async () => isFull(await poolOf(stack)), { timeoutMs: 60_000 });
    const idle = watchIdle(stack);
    const starts = await startAll(stack, curve);
    const { idleMs, loadingMs, largest } = await idle.stop();
    const { replaceMs } = await poolOf(stack);
    return {
      refused: starts.filter((it) => it.refused).length,
      lateMs: Math.max(...starts.map((it) => it.lateMs)),
      hitRate: starts.filter((it) => it.prewarmed).length / starts.length,
      idleMs,
      loadingMs,
      largest,
      replaceMs,
    };
  } finally {
    await stack.stop();
  }
}

async function setPolicy(stack, policy) {
  const { status, body } = await stack.request('PUT', '/api/pool/policy', { policy });
  if (status !== 200) throw new Error(`the policy was not taken: ${JSON.stringify(body)}`);
}

async function poolOf(stack) {
  return (await stack.request('GET', '/api/pool')).body;
}

function isFull({ target, ready }) {
  return ready >= target;
}

/** Each caller at its time, whatever became of those before. */
async function startAll(stack, { arrivalsMs, lengthMs, callMs }) {
  const startedAt = performance.now();
  const ends = [];
  const starts = arrivalsMs.map(async (atMs) => {
    await pause(atMs - (performance.now() - startedAt));
    const lateMs = performance.now() - startedAt - atMs;
    // Who is refused, or not answered, has found no warm agent.
    const answer = await stack.request('POST', '/api/session/start', {}).catch((error) => ({ error }));
    if (answer.error !== undefined || answer.status >= 300)
      return { prewarmed: false, refused: true, lateMs };
    const { sessionId, status } = answer.body;
    ends.push(pause(callMs).then(() => endCall(stack, sessionId)));
    return { prewarmed: status === 'ready', refused: false, lateMs };
  });
  const outcomes = await Promise.all(starts);
  await pause(lengthMs - (performance.now() - startedAt));
  await Promise.all(ends);
  return outcomes;
}

/** A call that is left over goes with the stack. */
async function endCall(stack, sessionId) {
  await stack.request('POST', '/api/session/end', { sessionId }).catch(() => undefined);
}

/** Adds up how many warm agents wait for a caller, and how many load, from one look to the next. */
function watchIdle(stack) {
  const sum = { idleMs: 0, loadingMs: 0, largest: 0 };
  const stopping = new AbortController();
  let lookedAt = performance.now();
  let last = { ready: 0, warming: 0 };
  const look = async () => {
    const now = performance.now();
    sum.idleMs += last.ready * (now - lookedAt);
    sum.loadingMs += last.warming * (now - lookedAt);
    lookedAt = now;
    last = await countWarm(stack).catch(() => last);
    sum.largest = Math.max(sum.largest, last.ready);
  };
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await pause(SAMPLE_MS);
    }
    await look();
  })();
  return {
    async stop() {
      stopping.abort();
      await done;
      return sum;
    },
  };
}

async function countWarm(stack) {
  const keys = ['pool:ready', 'pool:warming'];
  const [ready, warming] = await Promise.all(keys.map((key) => stack.redis.command('SCARD', key)));
  return { ready: Number(ready), warming: Number(warming) };
}

function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}
