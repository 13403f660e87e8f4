import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeTempDir, startStack, type TempDir, type TestStack } from '@greenroom/test-kit';
import { readReport, runCall } from '../support/call.js';
import { type MuteMind, startMuteMind } from '../support/mute-mind.js';
import { keysOf } from '../support/sessions.js';

const SILENCE_MS = 2000;
const HANG_UP_MS = 1000;
const CHECKIN = 'Are you still there?';

/** As a question and as the last word: what the caller hears of the one has the length of the other. */
const LINE = 'Thank you for calling, and goodbye.';
const FROZEN_MS = 3000;
/** Frames of 20 ms, at either end. */
const MAX_CUT_MS = 60;
/** Between the end of the last word, at the caller's ear, and the end of the room. */
const LAST_PAUSE_MS = 250;

/** The reference agent and the real rules, with shorter waits. */
const profilesFor = (mind: MuteMind) => `profiles:
  default:
    agent: reference
    dead_air_settings:
      silence_timeout_normal: ${SILENCE_MS / 1000}
      disconnect_delay: ${HANG_UP_MS / 1000}
  polite:
    agent: reference
    dead_air_settings:
      silence_timeout_normal: ${SILENCE_MS / 1000}
      disconnect_delay: ${HANG_UP_MS / 1000}
      max_checkins_before_disconnect: 1
      checkin_message: ${LINE}
      goodbye_message: ${LINE}
  frozen:
    agent: reference
    variables: {OPENAI_API_KEY: none, OPENAI_BASE_URL: '${mind.url}'}
    dead_air_settings:
      agent_response_timeout: ${FROZEN_MS / 1000}
      frozen_agent_action: end
      apology_message: ${LINE}
`;

interface Segment {
  startMs: number;
  endMs: number;
}

let dir: TempDir;
let mind: MuteMind;
let stack: TestStack;

beforeAll(async () => {
  dir = await makeTempDir('dead-air');
  const profiles = path.join(dir.path, 'profiles.yaml');
  mind = await startMuteMind();
  writeFileSync(profiles, profilesFor(mind));
  stack = await startStack({ env: { PROFILES_FILE: profiles } });
}, 30_000);
afterAll(async () => {
  await stack.stop();
  await mind.stop();
  await dir.remove();
});

/** Longer than any call here: a microphone that hears nothing. */
function recordSilence(seconds: number): string {
  const rate = 16_000;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + rate * 2 * seconds, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(rate * 2 * seconds, 40);
  const file = path.join(dir.path, 'silence.wav');
  writeFileSync(file, Buffer.concat([header, Buffer.alloc(rate * 2 * seconds)]));
  return file;
}

async function call(...args: string[]) {
  const { code, output } = await runCall([...args, '--json'], { API_URL: stack.apiUrl });
  expect({ code, output }).toMatchObject({ code: 0 });
  const report = readReport(output);
  const agentSaid: string[] = report.transcript
    .filter(({ role }: { role: string }) => role === 'agent')
    .map(({ text }: { text: string }) => text);
  return { ...report, agentSaid };
}

test('a silent caller is asked twice, aloud, and then the call ends; one who keeps talking is never asked', async () => {
  const talk = Array.from({ length: 2 }, () => ['--say', 'what time is it']).flat();
  const [silent, talker] = await Promise.all([call('--wav', recordSilence(40)), call(...talk)]);

  expect(silent.endReason).toBe('dead_air');
  expect(silent.agentSaid).toEqual([expect.stringMatching(/^Hello/), CHECKIN, CHECKIN]);
  // Aloud: what the caller's own ear measured, the greeting first.
  const [second, first, greeting]: Segment[] = silent.heard.toReversed();
  if (!greeting || !first || !second) throw new Error(`heard ${JSON.stringify(silent.heard)}`);
  for (const [before, after] of [
    [greeting, first],
    [first, second],
  ] as const) {
    expect(after.endMs - after.startMs).toBeGreaterThan(500);
    expect(after.startMs - before.endMs).toBeGreaterThan(SILENCE_MS - 300);
    expect(after.startMs - before.endMs).toBeLessThan(SILENCE_MS + 1500);
  }
  expect(await keysOf(stack, silent.sessionId)).toEqual([]);
  const history = (await stack.request('GET', `/api/session/${silent.sessionId}/history`)).body;
  const steps = history.deadAir.map(({ step }: { step: string }) => step);
  expect(steps).toEqual([
    'call_started',
    'checkin',
    'checkin_spoken',
    'checkin',
    'checkin_spoken',
    'call_ending',
  ]);
  const lastSpokenAt = Date.parse(history.deadAir.at(-2).at);
  expect(Date.parse(history.deadAir.at(-1).at) - lastSpokenAt).toBeGreaterThan(HANG_UP_MS - 50);
  expect(Date.parse(history.deadAir.at(-1).at) - lastSpokenAt).toBeLessThan(HANG_UP_MS + 1000);

  expect(talker.endReason).toBe('caller_ended');
  expect(talker.utterances.map(({ answered }: { answered: boolean }) => answered)).toEqual([true, true]);
  expect(talker.agentSaid).not.toContain(CHECKIN);
}, 60_000);

const lengthOf = ({ startMs, endMs }: Segment) => endMs - startMs;
const stepsOf = async (sessionId: string): Promise<string[]> => {
  const { body } = await stack.request('GET', `/api/session/${sessionId}/history`);
  return body.deadAir.map(({ step }: { step: string }) => step);
};

test('the last word is heard to its end before the room closes: a goodbye, and the apology of a frozen agent', async () => {
  const [polite, frozen] = await Promise.all([
    call('--wav', recordSilence(40), '--profile', 'polite'),
    call('--say', 'what time is it', '--profile', 'frozen'),
  ]);

  expect(polite.endReason).toBe('dead_air');
  expect(polite.agentSaid).toEqual([expect.stringMatching(/^Hello/), LINE, LINE]);
  const [goodbye, question]: Segment[] = polite.heard.toReversed();
  if (!goodbye || !question) throw new Error(`heard ${JSON.stringify(polite.heard)}`);
  expect(lengthOf(question)).toBeGreaterThan(1000);
  expect(Math.abs(lengthOf(goodbye) - lengthOf(question))).toBeLessThan(MAX_CUT_MS);
  // Its microphone played until the room was closed.
  expect(polite.utterances[0].endMs - goodbye.endMs).toBeGreaterThan(LAST_PAUSE_MS);
  expect((await stepsOf(polite.sessionId)).slice(-3)).toEqual(['goodbye', 'goodbye_spoken', 'call_ending']);

  expect(frozen.endReason).toBe('agent_frozen');
  expect(frozen.agentSaid).toEqual([expect.stringMatching(/^Hello/), LINE]);
  const [apology]: Segment[] = frozen.heard.toReversed();
  if (!apology) throw new Error(`heard ${JSON.stringify(frozen.heard)}`);
  expect(apology.startMs - frozen.utterances[0].endMs).toBeGreaterThan(FROZEN_MS - 300);
  expect(Math.abs(lengthOf(apology) - mind.toneMs)).toBeLessThan(MAX_CUT_MS);
  expect((await stepsOf(frozen.sessionId)).slice(-4)).toEqual([
    'agent_frozen',
    'apology',
    'apology_spoken',
    'call_ending',
  ]);
}, 60_000);
