import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Room } from 'livekit-client';
import { waitFor } from '@greenroom/test-kit';
import { CallEngine } from './call-engine.js';

const { fetch } = globalThis;
// A browser without locks, where a call needs no claim. Older versions of Node have no navigator at all.
Object.defineProperty(globalThis, 'navigator', { value: {} });
let engine: CallEngine;
let sent: string[];
/** An agent that listens comes; or the room is lost instead. */
let agent: ReturnType<typeof newAgent>;

beforeEach(async () => {
  globalThis.fetch = async (_url, init) =>
    init?.method === 'POST' ? Response.json(STARTED) : noStream(init?.signal);
  sent = [];
  agent = newAgent();
  engine = new CallEngine(async () => ({
    room: {} as Room,
    connect: async () => undefined,
    setMicrophone: async () => undefined,
    chooseMicrophone: async () => undefined,
    untilHeard: () => agent.listens,
    sendText: async (text) => void sent.push(text),
    startAudio: async () => undefined,
    leave: () => undefined,
  }));
  engine.start({ userName: 'Ada', profile: 'default', voiceId: '' });
  await waitFor(() => engine.room !== undefined);
});
afterEach(() => {
  engine.showLobby();
  globalThis.fetch = fetch;
});

test('a line waits for an agent that listens, and is sent to it once, also when it is asked to be sent again meanwhile', async () => {
  const saying = [engine.say('Hello?', 'k1'), engine.say('Hello?', 'k1')];
  expect(typed()).toEqual(['waiting']);
  agent.comes();
  await Promise.all(saying);
  expect(sent).toEqual(['Hello?']);
  expect(typed()).toEqual(['sent']);
});

test('what is typed while another agent is on its way is not sent to the one that is lost, though it seems to be there', async () => {
  agent.comes();
  statusIs('restarting');
  const saying = engine.say('Hello?', 'k1');
  await setImmediate();
  expect([sent, typed()]).toEqual([[], ['waiting']]);
  statusIs('ready');
  await saying;
  expect([sent, typed()]).toEqual([['Hello?'], ['sent']]);
});

test('what could not be sent can be sent again under its key, and is one line', async () => {
  const saying = engine.say('Hello?', 'k1');
  agent.isLost();
  await saying;
  expect(typed()).toEqual(['failed']);
  agent = newAgent();
  agent.comes();
  await engine.say('Hello?', 'k1');
  expect(sent).toEqual(['Hello?']);
  expect(typed()).toEqual(['sent']);
});

function statusIs(status: 'restarting' | 'ready'): void {
  engine.store.dispatch({ type: 'status', event: { sessionId: STARTED.sessionId, status }, at: Date.now() });
}

function typed(): unknown[] {
  const state = engine.store.get();
  return state.screen === 'call' ? state.call.lines.flatMap((line) => line.typed ?? []) : [];
}

function newAgent() {
  let comes = (): void => undefined;
  let isLost = (): void => undefined;
  const listens = new Promise<void>((resolve, reject) => {
    comes = resolve;
    isLost = () => reject(new Error('the room is lost'));
  });
  return { listens, comes, isLost };
}

/** What the page follows stays open and says nothing. */
function noStream(cut: AbortSignal | null | undefined): Response {
  const body = new ReadableStream({
    start: (stream) => cut?.addEventListener('abort', () => stream.error(cut.reason)),
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

const STARTED = {
  success: true,
  sessionId: 'prewarm_a',
  status: 'ready',
  prewarmed: true,
  latency: '4 ms',
  roomName: 'r',
  livekitUrl: 'ws://x',
  token: 't',
  message: '',
};
