import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startSession,
  waitForPool,
  waitForStatus,
} from './support/sessions.js';

const KEY = 'client-key-one';

test('10 starts at once with 3 warm: 3 are ready at once, all get ready, none shares agent or room', async () => {
  // Slow to load, so that no refill can take part.
  const stack = await startStack({
    agentCommand: agent('ready-after-two-seconds.sh'),
    env: { POOL_TARGET: '3', SPAWN_CONCURRENCY: '10' },
  });
  try {
    await waitForPool(stack, 3);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stack.request('POST', '/api/session/start', {})),
    );
    expect(answers.filter((it) => it.status === 200 && it.body.status === 'ready')).toHaveLength(3);
    expect(answers.filter((it) => it.status === 202)).toHaveLength(7);
    const sessions = await Promise.all(
      answers.map((it) => waitForStatus(stack, it.body.sessionId, 'ready', 20_000)),
    );
    for (const field of ['sessionId', 'roomName', 'agentPid', 'logFile']) {
      expect(new Set(sessions.map((it) => it[field])).size).toBe(10);
    }
    expect((await health(stack)).sessions).toMatchObject({ ready: 10, starting: 0 });
    await waitForPool(stack, 3);
  } finally {
    await stack.stop();
  }
});

describe('with agents that get ready', () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await startStack({
      agentCommand: agent('ready-then-waits.sh'),
      env: { POOL_TARGET: '3', CLIENT_API_KEYS: KEY },
    });
    await waitForPool(stack, 3);
  });
  afterAll(() => stack.stop());

  test('20 starts at once of one user by a keyed client are one session', async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        stack.request('POST', '/api/session/start', { userId: 'ann' }, headers),
      ),
    );
    const ids = new Set(answers.map((it) => it.body.sessionId));
    expect(ids.size).toBe(1);
    const [id] = [...ids];
    await endSession(stack, id);
    await waitForStatus(stack, id, 404);
    expect(await keysOf(stack, id)).toEqual([]);
  });

  test('a start is answered before any process exists, and the pool is refilled at once after one is taken', async () => {
    await waitForPool(stack, 3);
    const before = (await health(stack)).stats.totalSpawned;
    const sessionId = await startSession(stack);
    await waitFor(async () => (await health(stack)).stats.totalSpawned === before + 1, { timeoutMs: 3000 });
    await waitForPool(stack, 3, 3000);
    await endSession(stack, sessionId);
  });
});

describe('ending a session that is still starting', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: agent('never-ready.sh'),
      env: { BOT_STARTUP_TIMEOUT: '2', SPAWN_ATTEMPTS: '1' },
    });
  });
  afterAll(() => stack.stop());

  test('stops the agent and leaves nothing', async () => {
    const sessionId = await startSession(stack);
    await waitFor(() => stack.agentProcesses().length > 0);
    expect((await endSession(stack, sessionId)).status).toBe(202);
    await waitForStatus(stack, sessionId, 404, 1500);
    expect(stack.agentProcesses()).toEqual([]);
    expect(await keysOf(stack, sessionId)).toEqual([]);
  });

  test('works before its agent has a process too', async () => {
    const sessionId = await startSession(stack);
    expect((await endSession(stack, sessionId)).status).toBe(202);
    await waitForStatus(stack, sessionId, 404, 2000);
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('an agent that never gets ready is stopped at BOT_STARTUP_TIMEOUT', async () => {
    const startedAt = performance.now();
    const sessionId = await startSession(stack);
    const session = await waitForStatus(stack, sessionId, 'error', 6000);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(1900);
    expect(tookMs).toBeLessThan(3500);
    expect(session.error).toBe('The agent was not ready within 2 s.');
    expect(stack.agentProcesses()).toEqual([]);
  });
});

test('an agent that exits at start is tried 3 times, then the session shows why, and nothing else is left', async () => {
  const stack = await startStack({ agentCommand: agent('exits-at-start.sh') });
  try {
    const sessionId = await startSession(stack, { userName: 'Ann' });
    const session = await waitForStatus(stack, sessionId, 'error', 15_000);
    expect(session).toMatchObject({
      error: 'The agent exited with code 3 before it was ready.',
      attempts: 3,
      agentPid: null,
      lastLines: ['loading the model', 'cannot find the model: model.bin'],
    });
    const asCaller = await stack.request('GET', `/api/session/${sessionId}`, undefined, {
      authorization: '',
    });
    expect(asCaller.body.error).toBe(session.error);
    expect(asCaller.body.lastLines).toBeUndefined();
    expect(stack.agentProcesses()).toEqual([]);
    const spawnedAt = linesOf(stack, 'agent spawned, pgid == pid').map(({ timestamp }) =>
      Date.parse(timestamp),
    );
    expect(spawnedAt).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = spawnedAt;
    expect(second - first).toBeGreaterThan(1000);
    expect(third - second).toBeGreaterThan(2000);
    expect(await keysOf(stack, sessionId)).toEqual([`session:${sessionId}`, `stream:${sessionId}`]);
    expect((await health(stack)).capacity.current).toBe(0);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
  } finally {
    await stack.stop();
  }
});

describe('readiness', () => {
  test('a warm agent is not taken for ready by the patterns of a caller, nor the other way round', async () => {
    const stack = await startStack({
      agentCommand: agent('prints-other-modes-patterns.sh'),
      env: { POOL_TARGET: '1', BOT_STARTUP_TIMEOUT: '3' },
    });
    try {
      const sessionId = await startSession(stack);
      await waitFor(async () => (await recentLines(stack, sessionId)).includes('Pipeline started'));
      await waitFor(() => stack.agentProcesses().length >= 2);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect((await sessionOf(stack, sessionId)).status).toBe('starting');
      expect((await health(stack)).sessions).toMatchObject({ pool: 0, warming: 1, ready: 0 });
    } finally {
      await stack.stop();
    }
  });

  test('an event in GREENROOM_EVENTS makes it ready; what was said there is not served as a line', async () => {
    const stack = await startStack({ agentCommand: agent('says-ready-in-events.sh') });
    try {
      const sessionId = await startSession(stack);
      await waitForStatus(stack, sessionId, 'ready');
      await waitFor(async () => {
        const events = JSON.stringify(await stack.redis.command('XRANGE', `stream:${sessionId}`, '-', '+'));
        return events.includes('my knee hurts');
      });
      expect(await recentLines(stack, sessionId)).toEqual([]);
    } finally {
      await stack.stop();
    }
  });

  test('being in the room is enough, for a bot that says nothing', async () => {
    const stack = await startStack({ agentCommand: agent('joins-room.mjs') });
    try {
      const sessionId = await startSession(stack);
      await waitForStatus(stack, sessionId, 'ready', 20_000);
      const { roomName } = await sessionOf(stack, sessionId);
      const participants = await stack.livekit.rooms.listParticipants(roomName);
      expect(participants.map((it) => it.identity)).toEqual([`agent-${sessionId}-g1`]);
      await endSession(stack, sessionId);
      await waitForStatus(stack, sessionId, 404);
      expect(await stack.livekit.rooms.listRooms()).toEqual([]);
    } finally {
      await stack.stop();
    }
  });
});

function linesOf(stack: TestStack, message: string): { timestamp: string }[] {
  const lines = stack.logs().split('\n');
  return lines.filter((line) => line.includes(`"message":"${message}"`)).map((line) => JSON.parse(line));
}

test('an unmodified LiveKit Agents bot takes calls, warm too, with the key passed by name', async () => {
  const stack = await startStack({
    agentCommand: `${agent('livekit-agents-bot.mjs')} connect --room {room}`,
    env: { POOL_TARGET: '1', AGENT_ENV: 'LIVEKIT_API_KEY,LIVEKIT_API_SECRET' },
  });
  try {
    await waitForPool(stack, 1, 30_000);
    const { body } = await stack.request('POST', '/api/session/start', { userName: 'Ada' });
    expect(body).toMatchObject({ status: 'ready', prewarmed: true });
    const participants = await stack.livekit.rooms.listParticipants(body.roomName);
    expect(participants.map((it) => it.identity)).toEqual([expect.stringMatching(/^agent-/)]);
    const { agentPid } = await sessionOf(stack, body.sessionId);
    await endSession(stack, body.sessionId);
    await waitForStatus(stack, body.sessionId, 404);
    // Its fork server and job processes are of its own making, and gone with it.
    expect(stack.agentProcesses().filter((it) => it.pgid === agentPid)).toEqual([]);
  } finally {
    await stack.stop();
  }
}, 60_000);

async function recentLines(stack: TestStack, sessionId: string): Promise<string[]> {
  const answer = await stack.request('GET', `/api/session/${sessionId}/logs`);
  return answer.body.lines ?? [];
}
