import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  type EventStream,
  openEventStream,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from './support/sessions.js';

let stack: TestStack;
const open: EventStream[] = [];

beforeAll(async () => {
  stack = await startStack({ agentCommand: agent('talks-in-events.sh') });
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.leave();
});
afterAll(() => stack.stop());

async function follow(path: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const stream = await openEventStream(`${stack.apiUrl}${path}`, headers);
  open.push(stream);
  return stream;
}

const shortly = ({ events }: EventStream) =>
  events.map(({ event, data }) =>
    [event, data.step ?? data.kind, data.status ?? data.active, data.text ?? data.endReason]
      .filter((it) => it !== undefined)
      .join(' '),
  );

const asAdmin = () => ({ authorization: `Bearer ${stack.adminToken}` });

test('a whole call: its caller hears every state and every word, up to the last one; admins hear no word', async () => {
  const all = await follow('/api/sessions/events?kinds=session', asAdmin());
  const sessionId = await startSession(stack, { userName: 'Ann', voiceId: 'slow' });
  const stream = await follow(`/api/session/${sessionId}/events`);
  await waitForStatus(stack, sessionId, 'ready');
  await waitFor(() => shortly(stream).includes('agent agent_speaking false'));
  await endSession(stack, sessionId);
  await waitFor(() => stream.isOver(), { timeoutMs: 5000 });
  const told = shortly(stream);
  expect(told[0]).toBe('snapshot starting');
  expect(told.filter((it) => it.startsWith('state'))).toEqual(['state ready', 'state ending admin_ended']);
  // What the agent said while it left was said before its keys went.
  expect(told.filter((it) => !it.startsWith('state')).slice(1)).toEqual([
    'agent agent_speaking true',
    'transcript hello Ann',
    'agent agent_speaking false',
    'transcript goodbye Ann',
    'ended admin_ended',
  ]);
  const gone = await waitForStatus(stack, sessionId, 404);
  expect(stream.events.at(-1)?.data).toMatchObject({ endedAt: gone.endedAt, durationMs: gone.durationMs });
  expect(await keysOf(stack, sessionId)).toEqual([]);

  await waitFor(() => shortly(all).includes('session ended gone'));
  expect(shortly(all)).toEqual([
    'snapshot',
    'session starting starting',
    'session claimed starting',
    'session spawned starting',
    'session ready ready',
    'session ending ending',
    'session ended gone',
  ]);
  expect(all.text()).not.toMatch(/hello|goodbye/);
});

test('an api that stops closes its streams; who comes back with the last id misses nothing', async () => {
  const sessionId = await startReady(stack, { userName: 'Bob' });
  const { agentPid } = await sessionOf(stack, sessionId);
  let stream = await follow(`/api/session/${sessionId}/events`);
  await waitFor(() => stream.events.length > 0);
  const count = () => process.kill(agentPid, 'SIGUSR1');
  const numbers: string[] = [];
  const keep = () =>
    numbers.push(...stream.events.filter((it) => it.event === 'transcript').map(({ data }) => data.text));
  count();
  await waitFor(() => shortly(stream).includes('transcript 1'));
  await stack.api.stop();
  await waitFor(() => stream.isOver());
  expect(shortly(stream).at(-1)).toBe('transcript 1');
  keep();
  count();
  await stack.startApi();
  stream = await follow(`/api/session/${sessionId}/events`, { 'last-event-id': stream.lastId() });
  await waitFor(() => shortly(stream).includes('transcript 2'));
  count();
  await waitFor(() => shortly(stream).includes('transcript 3'));
  keep();
  expect(numbers.filter((it) => /^\d$/.test(it))).toEqual(['1', '2', '3']);
  await endSession(stack, sessionId);
  await waitFor(() => stream.isOver(), { timeoutMs: 5000 });
  expect(shortly(stream)).not.toContain('snapshot ready');
});

test('the EventSource of browsers needs nothing more, and does not come back after the end', async () => {
  const sessionId = await startReady(stack, { userName: 'Eve' });
  const { agentPid } = await sessionOf(stack, sessionId);
  const browser = await startProcess({
    command: process.execPath,
    args: [
      '--experimental-eventsource',
      fileURLToPath(new URL('fixtures/listens-to-events.mjs', import.meta.url)),
      `${stack.apiUrl}/api/session/${sessionId}/events`,
    ],
    readyWhen: { line: /^snapshot ready$/ },
  });
  process.kill(agentPid, 'SIGUSR1');
  await browser.waitForLine(/^transcript 1$/);
  await endSession(stack, sessionId);
  await browser.waitForLine(/^told to stop$/);
  await browser.stop();
  expect(browser.output().match(/^(snapshot|state|transcript 1|ended|told).*$/gm)).toEqual([
    'snapshot ready',
    'transcript 1',
    'state ending',
    'ended',
    'told to stop',
  ]);
});
