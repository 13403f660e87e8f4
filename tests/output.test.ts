import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCommandLine, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { endSession, sessionOf, startReady, waitForStatus } from './support/sessions.js';

const MIB = 1024 * 1024;
const REDIS_PASSWORD = 'redis-password-of-this-test';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('prints-by-voice.mjs'),
    redis: { password: REDIS_PASSWORD },
    env: { AGENT_ENV: 'EXTRA_KEY', EXTRA_KEY: 'an extra value', TZ: 'UTC', LOG_LEVEL: 'debug' },
  });
});
afterAll(() => stack.stop());

async function linesOf(sessionId: string, tail = 200): Promise<string[]> {
  return (await stack.request('GET', `/api/session/${sessionId}/logs?tail=${tail}`)).body.lines;
}

async function endAndForget(sessionId: string): Promise<void> {
  await endSession(stack, sessionId);
  await waitForStatus(stack, sessionId, 404);
}

interface Follower {
  /** All that has come so far. */
  text(): string;
  hasEnded(): boolean;
  leave(): void;
}

async function follow(sessionId: string, query: string, accept: string): Promise<Follower> {
  const leaving = new AbortController();
  const response = await fetch(`${stack.apiUrl}/api/session/${sessionId}/logs?follow=1${query}`, {
    headers: { authorization: `Bearer ${stack.adminToken}`, accept },
    signal: leaving.signal,
  });
  expect(response.headers.get('content-type')).toContain(accept);
  let text = '';
  let hasEnded = false;
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    hasEnded = true;
  })();
  reading.catch(() => undefined);
  return { text: () => text, hasEnded: () => hasEnded, leave: () => leaving.abort() };
}

describe('recent lines', () => {
  test('are the last ones; who follows gets each new line live and once, until the session is over', async () => {
    const sessionId = await startReady(stack, { voiceId: 'numbers' });
    await waitFor(async () => (await linesOf(sessionId)).length > 8);
    expect(await linesOf(sessionId, 5)).toHaveLength(5);
    expect(await linesOf(sessionId, 0)).toEqual([]);
    const [plain, events] = await Promise.all([
      follow(sessionId, '&tail=3', 'text/plain'),
      follow(sessionId, '&tail=0', 'text/event-stream'),
    ]);
    const numbers = () => [...plain.text().matchAll(/^number (\d+)$/gm)].map((it) => Number(it[1]));
    await waitFor(() => numbers().length >= 3);
    const [first = 0] = numbers();
    const startedAt = performance.now();
    const before = numbers().length;
    await waitFor(() => numbers().length >= before + 10, { timeoutMs: 3000 });
    // One every 50 ms, as they are printed, and not in one go.
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    expect(numbers()).toEqual(numbers().map((_, i) => first + i));
    // Each line follows the time at which it was printed.
    expect(events.text()).toMatch(/^event: at\ndata: "\d{4}-[^"]+Z"\n\nevent: line\ndata: "number \d+"\n\n/);
    await endAndForget(sessionId);
    await waitFor(() => plain.hasEnded() && events.hasEnded(), { timeoutMs: 5000 });
    expect(events.text()).toMatch(/event: end\ndata: \{\}\n\n$/);
  });

  test('and the stream never show a transcript that was printed on stdout; there is one warning', async () => {
    const sessionId = await startReady(stack, { voiceId: 'transcripts' });
    const follower = await follow(sessionId, '&tail=200', 'text/plain');
    await waitFor(async () => (await linesOf(sessionId)).includes('nothing more to say'));
    await waitFor(() => follower.text().includes('nothing more to say'));
    const { roomName } = await sessionOf(stack, sessionId);
    expect(await linesOf(sessionId)).toEqual([`Connected to ${roomName}`, 'nothing more to say']);
    expect(follower.text()).not.toContain('secret');
    follower.leave();
    const log = stack.logs();
    expect(log).not.toContain('my secret');
    expect(log).not.toContain('my spoken');
    const warnings = log
      .split('\n')
      .filter((line) => line.includes('prints transcripts on stdout') && line.includes(sessionId.slice(-6)));
    expect(warnings).toHaveLength(1);
    await endAndForget(sessionId);
  });

  test('survive bytes that are no text, and a line of 10 MB', async () => {
    const sessionId = await startReady(stack, { voiceId: 'bytes' });
    await waitFor(async () => (await linesOf(sessionId)).includes('after the long line'));
    const [, bad, long, after] = await linesOf(sessionId);
    expect(bad).toBe('bad \ufffd\ufffd\ufffd(');
    expect(long).toMatch(/^x{1000,2000}…$/);
    expect(after).toBe('after the long line');
    await endAndForget(sessionId);
  });
});

describe('a flood', () => {
  async function watchDisk(
    logFile: string,
    isOver: () => Promise<boolean>,
    timeoutMs: number,
  ): Promise<number> {
    let largest = 0;
    await waitFor(
      async () => {
        largest = Math.max(largest, (await stat(logFile)).blocks * 512);
        return isOver();
      },
      { timeoutMs, intervalMs: 100 },
    );
    return largest;
  }

  test('of 200 MB takes little disk, is served to its end, and keeps the spawner quick', async () => {
    const sessionId = await startReady(stack, { voiceId: 'flood' });
    const { logFile } = await sessionOf(stack, sessionId);
    let slowestMs = 0;
    const isOver = async () => {
      const askedAt = performance.now();
      expect((await fetch(`${stack.spawnerUrl}/livez`)).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - askedAt);
      return (await linesOf(sessionId, 1))[0] === 'the flood is over';
    };
    const largest = await watchDisk(logFile, isOver, 25_000);
    expect((await stat(logFile)).size).toBeGreaterThan(200 * MIB);
    expect(largest).toBeLessThan(64 * MIB);
    expect(slowestMs).toBeLessThan(500);
    await waitFor(async () => (await stat(logFile)).blocks * 512 <= 12 * MIB);
    await endAndForget(sessionId);
  });

  test('that nobody can serve, because Redis hangs, does not fill the disk either', async () => {
    const sessionId = await startReady(stack, { voiceId: 'flood' });
    const { logFile } = await sessionOf(stack, sessionId);
    stack.redis.pause();
    try {
      const isWritten = async () => (await stat(logFile)).size > 200 * MIB;
      expect(await watchDisk(logFile, isWritten, 25_000)).toBeLessThan(150 * MIB);
      await waitFor(async () => (await stat(logFile)).blocks * 512 < 32 * MIB, { timeoutMs: 5000 });
    } finally {
      stack.redis.resume();
    }
    await waitFor(async () => (await linesOf(sessionId, 1))[0] === 'the flood is over');
    await endAndForget(sessionId);
  });
});

describe('what is secret', () => {
  test('what people said is erased from the disk when the session ends', async () => {
    const sessionId = await startReady(stack, { voiceId: 'transcripts' });
    const file = path.join(stack.stateDir, 'events', `${sessionId}-g1.jsonl`);
    await waitFor(() => existsSync(file));
    expect(await readFile(file, 'utf8')).toContain('my spoken knee');
    await endAndForget(sessionId);
    expect(existsSync(file)).toBe(false);
    expect(await readdir(path.join(stack.stateDir, 'events'))).toEqual([]);
  });

  test('an agent gets the contract’s variables, those that AGENT_ENV names, and no other', async () => {
    const sessionId = await startReady(stack, { voiceId: 'environment', userName: 'Ann' });
    await waitFor(async () => (await linesOf(sessionId)).some((line) => line.startsWith('ARGV')));
    const lines = await linesOf(sessionId);
    const names =
      lines
        .find((line) => line.startsWith('NAMES'))
        ?.split(' ')
        .slice(1) ?? [];
    const contract =
      'SESSION_ID AGENT_ID GREENROOM_LAUNCH GREENROOM_EVENTS AGENT_MODE LIVEKIT_URL LIVEKIT_TOKEN LIVEKIT_ROOM_NAME ' +
      'ROOM_NAME USER_ID USER_NAME VOICE_ID PROFILE';
    const ours = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'].filter((name) => stack.env[name] !== undefined);
    // The shell that waits at the gate sets PWD.
    expect(names.sort()).toEqual([...contract.split(' '), ...ours, 'EXTRA_KEY', 'PWD'].sort());
    expect(lines).toContain('EXTRA an extra value');
    await endAndForget(sessionId);
  });

  test('no token, key or password stands in a command line, a launch record or a log', async () => {
    const sessionId = await startReady(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    const environment = await readFile(`/proc/${agentPid}/environ`, 'utf8');
    const token = /LIVEKIT_TOKEN=([^\0]+)/.exec(environment)?.[1] ?? '';
    expect(token.split('.')).toHaveLength(3);
    const records = path.join(stack.stateDir, 'launches');
    const texts = [
      ...stack.agentProcesses().map(({ pid }) => readCommandLine(pid)),
      readCommandLine(stack.spawner.pid),
      ...(await Promise.all(
        (await readdir(records)).map((name) => readFile(path.join(records, name), 'utf8')),
      )),
    ];
    expect(texts.length).toBeGreaterThanOrEqual(3);
    await endAndForget(sessionId);
    texts.push(
      stack.logs(),
      await readFile(path.join(stack.stateDir, 'agents', `${sessionId}-g1.log`), 'utf8'),
    );
    const secrets = [token, stack.livekit.apiSecret, stack.adminToken, REDIS_PASSWORD, 'an extra value'];
    for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    expect(environment).not.toContain(stack.livekit.apiSecret);
  });
});
