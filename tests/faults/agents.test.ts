import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  listProcesses,
  readProcess,
  type RunningProcess,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from '../support/sessions.js';

const GRACE_MS = 2000;
const MIB = 1024 * 1024;

async function expectNothingLeft(stack: TestStack, sessionId: string): Promise<void> {
  expect(await keysOf(stack, sessionId)).toEqual([]);
  const rooms = await stack.livekit.rooms.listRooms();
  expect(rooms.filter((room) => room.name.includes(sessionId))).toEqual([]);
  expect(stack.agentProcesses()).toEqual([]);
  // The record goes last, a moment after the keys.
  await waitFor(async () => (await readdir(path.join(stack.stateDir, 'launches'))).length === 0, {
    timeoutMs: 2000,
  });
}

/** Zombies below the spawner: children that it has not reaped. */
function zombiesOf(pid: number) {
  return listProcesses().filter((it) => it.ppid === pid && it.state === 'Z');
}

describe('agents that do not behave', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({ agentCommand: agent('nasty-by-voice.sh') });
  });
  afterAll(() => stack.stop());

  test.each([
    ['ignores-sigterm', 'ignores SIGTERM, with a child that does so in a session of its own'],
    ['stops-itself', 'is stopped (SIGSTOP) when its end comes'],
    ['double-forks', 'has set free a daemon, and a child in a session of its own'],
    ['rewrites-its-environment', 'writes its title over its environment, and so does its helper'],
  ])('%s: one that %s is gone soon after the grace, and so is all of it', async (voiceId) => {
    const sessionId = await startReady(stack, { voiceId });
    const { agentPid } = await sessionOf(stack, sessionId);
    const tree = (await stack.request('GET', `/api/debug/session/${sessionId}/processes`)).body;
    const pids = (tree.child_processes as { pid: number }[]).map((it) => it.pid);
    expect(pids).toContain(agentPid);
    const startedAt = performance.now();
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404, GRACE_MS + 4000);
    // One that can be woken needs no killing.
    const limitMs = voiceId === 'stops-itself' ? GRACE_MS : GRACE_MS + 3000;
    expect(performance.now() - startedAt).toBeLessThan(limitMs);
    expect(pids.filter(isAlive)).toEqual([]);
    await expectNothingLeft(stack, sessionId);
  });

  test('leaves-a-helper: an ffmpeg that the agent leaves behind when it exits is ended with the session', async () => {
    const sessionId = await startReady(stack, { voiceId: 'leaves-a-helper' });
    const helper = await waitFor(() =>
      stack.agentProcesses().find((it) => it.sid === it.pid && it.ppid !== stack.spawner.pid),
    );
    expect((await readFile(`/proc/${helper.pid}/comm`, 'utf8')).trim()).toBe('ffmpeg');
    const gone = await waitForStatus(stack, sessionId, 404, GRACE_MS + 4000);
    expect(gone.endReason).toBe('agent_exited');
    expect(isAlive(helper.pid)).toBe(false);
    await expectNothingLeft(stack, sessionId);
  });

  test('exits-at-once, for ever: a bounded number of starts, then an error; no process and no zombie stays', async () => {
    const sessionId = await startSession(stack, { voiceId: 'exits-at-once' });
    const session = await waitForStatus(stack, sessionId, 'error', 20_000);
    expect(session).toMatchObject({ attempts: 3, generation: 3 });
    expect(stack.agentProcesses()).toEqual([]);
    await waitFor(() => zombiesOf(stack.spawner.pid).length === 0);
    const spawned = stack.spawner.output().match(/agent spawned/g)?.length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(stack.spawner.output().match(/agent spawned/g)).toHaveLength(spawned ?? 0);
  });
});

describe('an agent that prints', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({ agentCommand: agent('prints-by-voice.mjs') });
  });
  afterAll(() => stack.stop());

  test('1 GB: it lives on, its last line is served, and its log takes little of the disk', async () => {
    const sessionId = await startReady(stack, { voiceId: 'gigabyte' });
    const { agentPid, logFile } = await sessionOf(stack, sessionId);
    await waitFor(
      async () => {
        const { body } = await stack.request('GET', `/api/session/${sessionId}/logs?tail=1`);
        return body.lines?.[0] === 'the flood is over';
      },
      { timeoutMs: 60_000 },
    );
    expect((await stat(logFile)).size).toBeGreaterThan(1024 * MIB);
    await waitFor(async () => (await stat(logFile)).blocks * 512 < 32 * MIB, { timeoutMs: 5000 });
    expect(isAlive(agentPid)).toBe(true);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  }, 80_000);
});

describe('a record of a process that is another by now', () => {
  let stack: TestStack;
  const strangers: RunningProcess[] = [];
  beforeAll(async () => {
    stack = await startStack({ agentCommand: agent('ready-then-waits.sh') });
  });
  afterEach(async () => {
    for (const stranger of strangers.splice(0)) await stranger.stop();
  });
  afterAll(() => stack.stop());

  /** A call whose agent died with the spawner; its record now names the stranger. */
  async function callWithRecordOf(
    change: (identity: Record<string, unknown>, stranger: RunningProcess) => object,
  ) {
    const sessionId = await startReady(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    await stack.spawner.kill();
    for (const { pid } of stack.agentProcesses()) process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(agentPid));
    const stranger = await startProcess({ command: 'sh', args: ['-c', 'sleep 600 & wait'] });
    strangers.push(stranger);
    const file = path.join(stack.stateDir, 'launches', `${sessionId}.json`);
    const record = JSON.parse(await readFile(file, 'utf8'));
    const identity = { ...record.identity, ...change(record.identity, stranger) };
    await writeFile(file, JSON.stringify({ ...record, identity, remembered: [] }));
    return { sessionId, stranger };
  }

  async function expectSettled(sessionId: string, stranger: RunningProcess): Promise<void> {
    const children = () =>
      listProcesses()
        .filter((it) => it.pgid === stranger.pid && !['Z', 'T'].includes(it.state))
        .map((it) => `${it.pid} ${it.startTime}`);
    // Its child may be a moment away yet.
    await waitFor(() => children().length === 2);
    const before = children();
    await stack.startSpawner();
    const gone = await waitForStatus(stack, sessionId, 404, 10_000);
    expect(gone.endReason).toBe('agent_crashed');
    expect(stranger.isRunning()).toBe(true);
    expect(children()).toEqual(before);
    await expectNothingLeft(stack, sessionId);
  }

  test('pid reuse: a stranger with the recorded pid is never signalled, and the session ends', async () => {
    const { sessionId, stranger } = await callWithRecordOf((_identity, { pid }) => ({ pid, pgid: pid }));
    await expectSettled(sessionId, stranger);
  });

  test('another boot: the same pid and start time mean nobody, and the session ends', async () => {
    const { sessionId, stranger } = await callWithRecordOf((_identity, { pid }) => ({
      pid,
      pgid: pid,
      startTime: String(readProcess(pid)?.startTime),
      bootId: '00000000-0000-0000-0000-000000000000',
    }));
    await expectSettled(sessionId, stranger);
  });
});
