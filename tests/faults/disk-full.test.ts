import { existsSync } from 'node:fs';
import { mkdir, statfs, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getuid } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { runProgram } from '../support/run-program.js';
import { endSession, sessionOf, startReady, waitForStatus } from '../support/sessions.js';

const MIB = 1024 * 1024;
const DISK_MB = 64;
const MARK_MB = 32;
const OLD_LOG_MB = 8;
const LEFT_MB = 8;

/** A small disk of one's own is for root. */
const describeAsRoot = getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('a disk that fills up', () => {
  let stack: TestStack;
  let logs: string;
  beforeAll(async () => {
    stack = await startStack({
      services: ['api'],
      agentCommand: agent('prints-by-voice.mjs'),
      env: { DISK_LOW_WATER_MB: String(MARK_MB) },
    });
    await runProgram('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'greenroom-test', stack.stateDir);
    logs = path.join(stack.stateDir, 'agents');
    await mkdir(logs);
    await stack.startSpawner();
  });
  afterAll(async () => {
    await stack.spawner.stop();
    await runProgram('umount', '--lazy', stack.stateDir);
    await stack.stop();
  });

  async function freeMb(): Promise<number> {
    const { bavail, bsize } = await statfs(stack.stateDir);
    return (bavail * bsize) / MIB;
  }

  async function oldLog(name: string, daysOld: number): Promise<string> {
    const file = path.join(logs, `${name}.log`);
    await writeFile(file, Buffer.alloc(OLD_LOG_MB * MIB, 'x'));
    const at = Date.now() / 1000 - daysOld * 86_400;
    await utimes(file, at, at);
    return file;
  }

  test('the oldest logs go first, and only as many as it takes', async () => {
    const newest = await oldLog('newest', 1);
    const oldest = await oldLog('oldest', 3);
    const middle = await oldLog('middle', 2);
    expect(await freeMb()).toBeGreaterThan(MARK_MB);
    await writeFile(path.join(stack.stateDir, 'something-else'), Buffer.alloc(12 * MIB));
    await waitFor(() => !existsSync(oldest), { timeoutMs: 3000 });
    await waitFor(async () => (await freeMb()) >= MARK_MB);
    expect([middle, newest].map((file) => existsSync(file))).toEqual([true, true]);
    expect(stack.spawner.output()).toMatch(/the disk is nearly full, agent logs are trimmed/);
  });

  test('an agent that prints 80 MB into what is left lives on, and its last line is served', async () => {
    // Less is left than one log may usually take (10 MB), and the mark is out of reach.
    const filler = Math.floor((await freeMb()) - LEFT_MB) * MIB;
    await writeFile(path.join(stack.stateDir, 'more-of-it'), Buffer.alloc(filler));
    const sessionId = await startReady(stack, { voiceId: 'much' });
    const { agentPid } = await sessionOf(stack, sessionId);
    let hasDied = false;
    await waitFor(
      async () => {
        hasDied ||= !isAlive(agentPid);
        const { body } = await stack.request('GET', `/api/session/${sessionId}/logs?tail=1`);
        return hasDied || body.lines?.[0] === 'the flood is over';
      },
      { timeoutMs: 25_000 },
    );
    expect(hasDied).toBe(false);
    expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
    expect(stack.spawner.output()).toMatch(/ALARM: the disk is nearly full/);
    const metrics = await (await fetch(`${stack.spawnerUrl}/metrics`)).text();
    expect(metrics).toMatch(/greenroom_disk_trims_total\{what="live_log".*\} [1-9]/);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  });
});
