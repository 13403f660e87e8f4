import { expect, test } from '@jest/globals';
import { addHost, HOST, PROCESS, redis, reopen, schema, startArguments, useRedis } from './testing/steps.js';
import { commandNames, loadScript } from './scripts.js';

useRedis();

async function open(traceSteps: boolean): Promise<void> {
  await reopen({ traceSteps });
  await addHost();
}

/** A start, its launch, its end, and every step asked twice as after a lost answer. */
async function wholeCall(sessionId: string): Promise<void> {
  const start = startArguments({ sessionId, userId: 'ann' });
  await schema.sessions.start(start);
  await schema.sessions.start(start);
  const claim = { host: HOST, launch: 'launch-1', hostCapacity: 60, includePool: true };
  await schema.sessions.claim(claim);
  await schema.sessions.claim(claim);
  const ref = { sessionId, generation: 1, launch: 'launch-1' };
  await schema.sessions.commitLaunch(ref, PROCESS);
  await schema.sessions.markReady(ref, 1000);
  await schema.sessions.markReady(ref, 1000);
  await schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
  await schema.sessions.requestEnd({ sessionId, reason: 'admin_ended', by: 'admin' });
  await schema.sessions.finishEnd(sessionId, ref.generation);
}

interface Entry {
  step: string;
  before: { status?: string };
  after: { status?: string; host?: string };
  callers: number;
  host?: { sessions: number; kills: number; capacity: number };
  reason?: string;
}

async function readTrace(): Promise<Entry[]> {
  const entries = (await redis.command('XRANGE', 'trace', '-', '+')) as [string, [string, string]][];
  return entries.map(([, [, text]]) => JSON.parse(text) as Entry);
}

test('each step that changes a session leaves one entry, with the counts that it left behind', async () => {
  await open(true);
  const id = `session_${'a'.repeat(24)}`;
  await wholeCall(id);
  const seen = (await readTrace()).map(({ step, before, after, callers, host, reason }) =>
    [step, before.status, after.status, after.host, callers, host?.sessions, reason]
      .map((it) => it ?? '-')
      .join(' '),
  );
  expect(seen).toEqual([
    'start-session - starting - 1 - -',
    'claim-launch starting starting host-a 1 1 -',
    'mark-ready starting ready host-a 1 1 -',
    'request-end ready ending host-a 1 1 caller_ended',
    'finish-end ending - - 0 0 caller_ended',
  ]);
  expect((await readTrace())[1]?.host).toEqual({ sessions: 1, kills: 0, capacity: 60 });
});

test('without the setting nothing is traced', async () => {
  await open(false);
  await wholeCall(`session_${'b'.repeat(24)}`);
  expect(await redis.command('EXISTS', 'trace')).toBe(0);
});

test.each(commandNames())('%s compiles with the trace in front', async (name) => {
  await open(true);
  expect(await redis.command('SCRIPT', 'LOAD', loadScript(name, true))).toMatch(/^[0-9a-f]{40}$/);
});
