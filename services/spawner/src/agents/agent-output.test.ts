import { appendFileSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import type { CallEvent } from '@greenroom/dead-air';
import type { AgentOutputBatch, LaunchRef, SessionRecord } from '@greenroom/redis-schema';
import { makeTempDir, type TempDir, waitFor } from '@greenroom/test-kit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AgentRun } from '../agent-run.js';
import type { Place } from '../calls/reduce-heard.js';
import type { SpawnerContext } from '../spawner-context.js';
import { AgentOutput } from './agent-output.js';
import type { Profile } from './profile.js';

let dir: TempDir;
let told: { heard: readonly CallEvent[]; place: Place }[];
let outputs: AgentOutput[];
let appended: AgentOutputBatch[];
/** Whether Redis takes what was read. */
let isTaken: boolean;

beforeEach(async () => {
  dir = await makeTempDir('output');
  [told, outputs, appended, isTaken] = [[], [], [], true];
});
afterEach(async () => {
  isTaken = true;
  for (const output of outputs) await output.leave();
  await dir.remove();
});

function follow(session: Partial<SessionRecord> = {}): AgentRun {
  const record = { mode: 'user', patternSeen: false, readySaid: false, ...session } as SessionRecord;
  const run = new AgentRun({ sessionId: 's', generation: 1 } as LaunchRef, record, {} as Profile);
  run.eventsFile = path.join(dir.path, 'events');
  const append = async (_ref: LaunchRef, batch: AgentOutputBatch) => {
    appended.push(batch);
    while (!isTaken) await new Promise((resolve) => setTimeout(resolve, 5));
    return 'ok';
  };
  const context = {
    state: { logFile: () => path.join(dir.path, 'log') },
    redis: { clock: { now: () => Date.now() }, agents: { append } },
    calls: {
      hear: async (_run: AgentRun, heard: CallEvent[], place: Place) => void told.push({ heard, place }),
    },
    leaving: new AbortController().signal,
  };
  outputs.push(new AgentOutput(context as unknown as SpawnerContext, run, () => undefined));
  return run;
}

const say = (text: string) =>
  appendFileSync(
    path.join(dir.path, 'events'),
    `${JSON.stringify({ event: 'transcript', role: 'user', text })}\n`,
  );
const events = () => told.filter(({ place }) => place.source === 'events');

test('what is read is told with the byte that its reading began at, where a successor begins, too', async () => {
  say('one');
  const { size } = statSync(path.join(dir.path, 'events'));
  follow();
  await waitFor(() => events().length === 1);
  isTaken = false;
  say('two');
  await waitFor(() => events().length === 2);
  expect(events().map(({ place }) => place.from)).toEqual([0, size]);
  // It was told, and does not count as read.
  say('three');
  follow({ eventsOffset: size });
  await waitFor(() => events().length === 3);
  expect(events().at(-1)).toMatchObject({
    place: { from: size },
    heard: [{ text: 'two' }, { text: 'three' }],
  });
});

test('an event that does not say when it happened is no later than its file was written to', async () => {
  say('long ago');
  const writtenAt = Date.now() - 8000;
  utimesSync(path.join(dir.path, 'events'), new Date(), new Date(writtenAt));
  follow();
  await waitFor(() => events().length === 1);
  const at = events()[0]?.heard[0]?.at ?? 0;
  expect(Math.abs(at - writtenAt)).toBeLessThan(50);
});

test('lines have the time at which they were written, also where they are read long after it', async () => {
  const log = path.join(dir.path, 'log');
  appendFileSync(log, 'printed while nobody read\n');
  const writtenAt = Date.now() - 300_000;
  utimesSync(log, new Date(), new Date(writtenAt));
  follow();
  await waitFor(() => appended.length === 1);
  appendFileSync(log, 'printed now\n');
  await waitFor(() => appended.length === 2);
  expect(appended.map(({ lines }) => lines)).toEqual([['printed while nobody read'], ['printed now']]);
  const [early = 0, now = 0] = appended.map(({ at }) => at ?? 0);
  expect(Math.abs(early - writtenAt)).toBeLessThan(50);
  expect(Math.abs(now - Date.now())).toBeLessThan(2_000);
});
