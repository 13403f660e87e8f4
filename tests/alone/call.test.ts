import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  makeTempDir,
  startProcess,
  startStack,
  type TempDir,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { readReport, runCall } from '../support/call.js';
import { health, keysOf, waitForPool } from '../support/sessions.js';

interface Segment {
  startMs: number;
  endMs: number;
}

/** The path that everything is for: the reference agent, a caller who speaks, and nothing left afterwards. */
describe('a call', () => {
  let stack: TestStack;
  let dir: TempDir;
  beforeAll(async () => {
    dir = await makeTempDir('call');
    stack = await startStack({ env: { POOL_TARGET: '1' } });
    await waitForPool(stack, 1, 30_000);
  }, 60_000);
  afterAll(async () => {
    await stack.stop();
    await dir.remove();
  });

  test('to a warm agent: greeted by name, understood, answered aloud, and then nothing is left', async () => {
    const record = join(dir.path, 'heard.wav');
    const { code, output } = await runCall(
      ['--name', 'Ada', '--say', 'what time is it', '--record', record, '--json'],
      { API_URL: stack.apiUrl },
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    const report = readReport(output);
    expect(report).toMatchObject({ prewarmed: true, endReason: 'caller_ended' });
    expect(report.startAnsweredMs).toBeLessThan(1000);
    expect(report.firstAudioMs).toBeGreaterThan(report.agentInRoomMs);

    const said = (role: string): string[] =>
      report.transcript
        .filter((it: { role: string }) => it.role === role)
        .map((it: { text: string }) => it.text);
    expect(said('agent')[0]).toContain('Ada');
    expect(said('user')).toEqual(['what time is it']);
    expect(said('agent').at(-1)).toMatch(/^It is \d{1,2}:\d{2}/);

    // What was recorded carries speech after the question, in the samples themselves.
    const [question] = report.utterances;
    expect(question.answered).toBe(true);
    const wav = await readFile(record);
    const answer = report.heard.find((segment: Segment) => segment.startMs > question.endMs);
    expect(answer.endMs - answer.startMs).toBeGreaterThan(500);

    // Where nothing is configured its silence is watched.
    const { deadAir } = (await stack.request('GET', `/api/session/${report.sessionId}/history`)).body;
    expect(deadAir.map(({ step }: { step: string }) => step)).toEqual(['call_started']);
    expect(loudnessOf(wav, answer, report.recordingBeganMs)).toBeGreaterThan(500);

    expect(await keysOf(stack, report.sessionId)).toEqual([]);
    await waitForPool(stack, 1, 15_000);
    const rooms = await stack.livekit.rooms.listRooms();
    expect(rooms.map((room) => room.name).filter((name) => name.includes(report.sessionId))).toEqual([]);
    expect((await health(stack)).capacity.current).toBe(0);
  }, 60_000);

  test('to an agent that must be started first, in another voice', async () => {
    await stack.request('POST', '/api/pool/resize', { size: 0 });
    await waitFor(async () => stack.agentProcesses().length === 0);
    const { code, output } = await runCall(
      ['--name', 'Grace', '--voice', 'awb', '--say', 'what is my name', '--json'],
      { API_URL: stack.apiUrl },
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    const report = readReport(output);
    expect(report.prewarmed).toBe(false);
    const agentSaid = report.transcript.filter((it: { role: string }) => it.role === 'agent');
    expect(agentSaid[0].text).toContain('Grace');
    expect(agentSaid.at(-1).text).toContain('Grace');
    expect(agentSaid.length).toBeGreaterThan(1);
    await waitFor(() => stack.agentProcesses().length === 0);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
  }, 60_000);

  test('that is said goodbye to, from a recording, is ended by the agent; another at the same time is readable in the terminal', async () => {
    const wav = join(dir.path, 'goodbye.wav');
    const speaking = await startProcess({
      command: 'flite',
      args: ['-voice', 'rms', '-t', 'goodbye', '-o', wav],
    });
    await speaking.exited;
    const env = { API_URL: stack.apiUrl };
    const [farewell, { code, output }] = await Promise.all([
      runCall(['--wav', wav, '--json'], env),
      runCall(['--name', 'Ada', '--say', 'help'], env),
    ]);
    expect(readReport(farewell.output)).toMatchObject({ endReason: 'agent_ended' });

    expect(code).toBe(0);
    const lines = output.trim().split('\n');
    expect(lines[0]).toMatch(/^start answered +\d+(\.\d)? m?s {2}starting$/);
    expect(output).toMatch(/^agent in room +\d/m);
    expect(output).toMatch(/^first audio +\d/m);
    expect(output).toMatch(/^agent: .*Ada/m);
    expect(output).toMatch(/^you: help$/m);
    expect(lines.at(-1)).toMatch(/^call ended: caller_ended after \d/);
  }, 60_000);
});

describe('a call that does not come about', () => {
  test('says why the agent could not be started', async () => {
    const stack = await startStack({
      agentCommand: agent('exits-at-start.sh'),
      env: { SPAWN_ATTEMPTS: '1' },
    });
    try {
      const { code, output } = await runCall(['--say', 'hello'], { API_URL: stack.apiUrl });
      expect(code).toBe(5);
      expect(output).toContain('The agent exited with code 3 before it was ready.');
    } finally {
      await stack.stop();
    }
  }, 60_000);

  test('says where nobody answers, and how to start it', async () => {
    const { code, output } = await runCall(['--say', 'hello'], { API_URL: 'http://127.0.0.1:9' });
    expect(code).toBe(3);
    expect(output).toContain('No answer from http://127.0.0.1:9');
    expect(output).toContain('npm start');
  }, 30_000);
});

/** Root mean square of a stretch of a mono 16-bit WAV file. */
function loudnessOf(wav: Buffer, segment: Segment, beganMs: number): number {
  const rate = wav.readUInt32LE(24);
  const at = (ms: number): number => 44 + Math.floor(((ms - beganMs) * rate) / 1000) * 2;
  let sum = 0;
  let count = 0;
  for (let i = at(segment.startMs); i + 1 < Math.min(at(segment.endMs), wav.length); i += 2) {
    sum += wav.readInt16LE(i) ** 2;
    count += 1;
  }
  return Math.sqrt(sum / Math.max(1, count));
}
