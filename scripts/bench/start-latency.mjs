// How long a caller waits for an agent in the room, in one run: Greenroom warm, LiveKit's own worker with warm processes,
// and the bare limit (one HTTP request, one Redis round trip). Needs `npm run build`; everything runs on loopback.
//   node scripts/bench/start-latency.mjs [rounds]
import { AgentDispatchClient } from '../../packages/test-kit/node_modules/livekit-server-sdk/dist/index.js';
import {
  baseEnvironment,
  freePort,
  startLiveKit,
  startProcess,
  startStack,
  waitFor,
} from '../../packages/test-kit/dist/index.js';

const ROUNDS = Number(process.argv[2] ?? 20);
const PAUSE_MS = 1500;
const KIND_AGENT = 4;
const STATE_ACTIVE = 2;

const livekit = await startLiveKit();
try {
  const rows = [...(await measureGreenroom()), await measurePeer()];
  console.log(`\n${ROUNDS} starts, one after the other, ${PAUSE_MS} ms apart; milliseconds`);
  console.log(`${''.padEnd(58)}${['p50', 'p95', 'max'].map((it) => it.padStart(8)).join('')}`);
  for (const { name, times } of rows) console.log(`${name.padEnd(58)}${summary(times)}`);
} finally {
  await livekit.stop();
}

async function measureGreenroom() {
  const stack = await startStack({ livekit, env: { POOL_TARGET: '3' } });
  try {
    const isWarm = async () => (await stack.request('GET', '/api/health')).body.sessions.pool === 3;
    await waitFor(isWarm, { timeoutMs: 60_000 });
    const starts = [];
    const http = [];
    const redis = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await waitFor(isWarm, { timeoutMs: 30_000 });
      await pause();
      const start = await timed(async () => {
        const { body } = await stack.request('POST', '/api/session/start', {});
        await waitForAgent(body.roomName);
        return body;
      });
      starts.push(start.ms);
      await stack.request('POST', '/api/session/end', { sessionId: start.result.sessionId });
      http.push((await timed(() => stack.request('GET', '/livez'))).ms);
      redis.push((await timed(() => stack.redis.command('PING'))).ms);
    }
    return [
      { name: 'bare limit: one HTTP request to the api', times: http },
      { name: 'bare limit: one Redis round trip on a new connection', times: redis },
      { name: 'Greenroom: warm start, agent active in the room', times: starts },
    ];
  } finally {
    await stack.stop();
  }
}

async function measurePeer() {
  const worker = await startProcess({
    name: 'peer worker',
    command: process.execPath,
    args: [new URL('peer-worker.mjs', import.meta.url).pathname, 'start'],
    env: {
      ...baseEnvironment(),
      LIVEKIT_URL: livekit.url,
      LIVEKIT_API_KEY: livekit.apiKey,
      LIVEKIT_API_SECRET: livekit.apiSecret,
      PEER_PORT: String(await freePort()),
    },
    readyWhen: { line: /registered worker/i },
    timeoutMs: 60_000,
  });
  const dispatches = new AgentDispatchClient(livekit.httpUrl, livekit.apiKey, livekit.apiSecret);
  const times = [];
  try {
    await pause(10_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      await pause(PAUSE_MS * 2);
      const room = `peer-${round}`;
      await livekit.rooms.createRoom({ name: room });
      const start = await timed(async () => {
        await dispatches.createDispatch(room, 'peer');
        await waitForAgent(room);
      });
      times.push(start.ms);
      await livekit.rooms.deleteRoom(room);
    }
    return { name: "LiveKit's worker: dispatch to a warm process, agent active", times };
  } finally {
    await worker.stop();
  }
}

/** By LiveKit's own word, asked without a pause. */
async function waitForAgent(room) {
  for (;;) {
    const participants = await livekit.rooms.listParticipants(room);
    if (participants.some((it) => it.kind === KIND_AGENT && it.state === STATE_ACTIVE)) return;
  }
}

async function timed(work) {
  const startedAt = performance.now();
  const result = await work();
  return { ms: performance.now() - startedAt, result };
}

function pause(ms = PAUSE_MS) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return [at(0.5), at(0.95), sorted.at(-1)].map((ms) => ms.toFixed(1).padStart(8)).join('');
}
