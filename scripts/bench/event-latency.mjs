// From a state step to those who read its event: 200 readers of 200 sessions, one event after the other, and 200 readers of
// one session. One api, real HTTP, Redis on loopback. Needs `npm run build`.
//   node scripts/bench/event-latency.mjs [rounds]
import { openRedis } from '../../packages/redis-schema/dist/index.js';
import { startStack, waitFor } from '../../packages/test-kit/dist/index.js';

const ROUNDS = Number(process.argv[2] ?? 3);
const READERS = 200;
const PAUSE_MS = 10;

const stack = await startStack({ services: ['api'], env: { MAX_SESSIONS: String(READERS) } });
const redis = openRedis({ url: stack.redis.url, clientName: 'bench' });
const leaving = new AbortController();
let beats;
try {
  await redis.connected(2_000);
  await redis.hosts.register('bench', [{ name: 'default', voices: [], poolTarget: 0 }]);
  await beat();
  beats = setInterval(() => void beat().catch(() => undefined), 5_000);
  const calls = [];
  for (let i = 0; i < READERS; i += 1) calls.push(await startCall(i));
  const cpuBefore = process.cpuUsage();
  const apart = await measure(calls, calls);
  const together = await measure(
    Array.from({ length: READERS }, () => calls[0]),
    [calls[0]],
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(`\n${READERS} readers; milliseconds from before the step to the event at the reader`);
  console.log(`${''.padEnd(48)}${['p50', 'p95', 'max'].map((it) => it.padStart(8)).join('')}`);
  console.log(`${`one event for one of them, ${apart.length} times`.padEnd(48)}${summary(apart)}`);
  console.log(`${`one event for all of them, ${together.length} readings`.padEnd(48)}${summary(together)}`);
  console.log(`(the readers' own process used ${Math.round((user + system) / 1000)} ms of CPU)`);
} finally {
  clearInterval(beats);
  leaving.abort();
  await redis.close();
  await stack.stop();
}

function beat() {
  return redis.hosts.heartbeat('bench', {
    capacity: READERS,
    concurrency: 4,
    version: 'bench',
    startedAt: 0,
    running: 0,
    draining: false,
  });
}

async function startCall(i) {
  const sessionId = `session_${String(i).padStart(24, '0')}`;
  await redis.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: READERS,
    sessionTimeoutMs: 600_000,
  });
  const claim = await redis.sessions.claim({
    host: 'bench',
    launch: `launch-${i}`,
    hostCapacity: READERS,
    includePool: true,
  });
  const ref = { sessionId: claim.session.id, generation: claim.session.generation, launch: `launch-${i}` };
  await redis.sessions.commitLaunch(ref, { pid: 42, pgid: 42, startTime: '1', logFile: '/x' });
  await redis.sessions.markReady(ref, 1000);
  return ref;
}

/** One reader for each of `read`; each of `told` has an event in each round, and every reader of it is timed. */
async function measure(read, told) {
  const times = [];
  const sentAt = new Map();
  const readers = await Promise.all(read.map((ref) => open(ref, (at) => times.push(at - sentAt.get(ref)))));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const ref of told) {
      const wanted = times.length + read.filter((it) => it === ref).length;
      sentAt.set(ref, performance.now());
      await redis.agents.append(ref, {
        lines: [],
        events: [{ type: 'transcript', data: { role: 'user', text: `round ${round}`, final: true } }],
      });
      await waitFor(() => times.length === wanted, { intervalMs: 1 });
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE_MS);
      });
    }
  }
  for (const reader of readers) reader.abort();
  return times;
}

async function open(ref, onEvent) {
  const reader = new AbortController();
  const response = await fetch(`${stack.apiUrl}/api/session/${ref.sessionId}/events`, {
    headers: { authorization: `Bearer ${stack.adminToken}` },
    signal: AbortSignal.any([leaving.signal, reader.signal]),
  });
  if (response.status !== 200) throw new Error(`a stream answered ${response.status}`);
  let begin;
  const begun = new Promise((resolve) => {
    begin = resolve;
  });
  const read = async () => {
    for await (const chunk of response.body) {
      const text = Buffer.from(chunk).toString();
      if (text.includes('event: snapshot')) begin();
      if (text.includes('event: transcript')) onEvent(performance.now());
    }
  };
  read().catch(() => undefined);
  await begun;
  return reader;
}

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return [at(0.5), at(0.95), sorted.at(-1)].map((ms) => ms.toFixed(1).padStart(8)).join('');
}
