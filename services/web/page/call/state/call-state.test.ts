import { describe, expect, test } from '@jest/globals';
import type { StartResponse } from '@greenroom/contracts';
import type { Call, CallState } from './call-state.js';
import { type CallAction, reduce } from './reduce.js';
import { currentStep, stepsOf } from './steps.js';

const request = { userName: 'Ada', profile: 'default', voiceId: 'slt' };
const start: CallState = { screen: 'lobby', request };
const asked: CallAction = { type: 'asked', request, at: 1_000 };
const room = { roomName: 'r', livekitUrl: 'ws://x', token: 't', message: '' };
const cold: StartResponse = {
  success: true,
  sessionId: 'session_a',
  status: 'starting',
  prewarmed: false,
  taskId: 'session_a',
  estimatedWait: '2.0 s',
  estimatedWaitMs: 2_000,
  ...room,
};
const warm: StartResponse = {
  success: true,
  sessionId: 'prewarm_a',
  status: 'ready',
  prewarmed: true,
  latency: '4 ms',
  ...room,
};
const queued: StartResponse = {
  success: true,
  sessionId: 'session_a',
  status: 'queued',
  prewarmed: false,
  position: 2,
  estimatedWait: '40 s',
  estimatedWaitMs: 40_000,
  message: '',
};
const status = (at: number, it: Extract<CallAction, { type: 'status' }>['event']['status'], more = {}) =>
  ({ type: 'status', event: { sessionId: 'session_a', status: it, ...more }, at }) satisfies CallAction;
const facts = (at: number, it: Extract<CallAction, { type: 'room' }>['facts']) =>
  ({ type: 'room', facts: it, at }) satisfies CallAction;

const after = (...actions: CallAction[]) => actions.reduce(reduce, start);
function callAfter(...actions: CallAction[]): Call {
  const state = after(...actions);
  if (state.screen !== 'call') throw new Error(`the screen is ${state.screen}`);
  return state.call;
}
const steps = (call: Call, now: number) =>
  stepsOf(call, now).map(({ id, state, ms }) => `${id} ${state}${ms === undefined ? '' : ` ${ms}`}`);

describe('the steps of a start', () => {
  test('a cold one: each with its time, and the whole at last', () => {
    const soFar: CallAction[] = [asked, { type: 'accepted', answer: cold, at: 1_040 }];
    expect(steps(callAfter(asked), 1_020)).toEqual([
      'asked now 20',
      'starting todo',
      'joining todo',
      'ready todo',
    ]);
    expect(steps(callAfter(...soFar), 1_500)).toEqual([
      'asked done 40',
      'starting now 460',
      'joining todo',
      'ready todo',
    ]);
    soFar.push(facts(1_600, { connection: 'joined' }), facts(2_540, { hasAgent: true }));
    expect(steps(callAfter(...soFar), 2_600)).toEqual([
      'asked done 40',
      'starting done 1500',
      'joining now 60',
      'ready todo',
    ]);
    soFar.push(status(2_700, 'ready'));
    expect(steps(callAfter(...soFar), 9_000)).toEqual([
      'asked done 40',
      'starting done 1500',
      'joining done 160',
      'ready done 1700',
    ]);
  });

  test('it is ready only when the agent is in the room with us, whatever comes first', () => {
    const soFar: CallAction[] = [asked, { type: 'accepted', answer: warm, at: 1_010 }];
    expect(callAfter(...soFar).marks.readyAt).toBeUndefined();
    soFar.push(facts(1_100, { hasAgent: true }));
    expect(callAfter(...soFar).marks.readyAt).toBeUndefined();
    soFar.push(facts(1_200, { connection: 'joined' }));
    expect(callAfter(...soFar).marks.readyAt).toBe(1_200);
    expect(stepsOf(callAfter(...soFar), 0).map(({ label }) => label)).toContain('An agent was waiting');
  });

  test('in line: the place as told last, and what keeps everybody waiting', () => {
    const soFar: CallAction[] = [asked, { type: 'accepted', answer: queued, at: 1_100 }];
    expect(callAfter(...soFar).line).toMatchObject({ position: 2, estimatedWaitMs: 40_000 });
    soFar.push(status(5_000, 'queued', { position: 1, blockedBy: 'no_host' }));
    expect(callAfter(...soFar).line).toMatchObject({ position: 1, blockedBy: 'no_host', saidAt: 5_000 });
    expect(stepsOf(callAfter(...soFar), 5_100)[1]).toEqual({
      id: 'line',
      label: 'In line, number 1',
      state: 'now',
      ms: 4_000,
    });
    soFar.push({ type: 'promoted', sessionId: 'prewarm_b' });
    soFar.push(status(9_100, 'ready', { sessionId: 'prewarm_b', prewarmed: true }));
    const call = callAfter(...soFar);
    expect(call).toMatchObject({ sessionId: 'prewarm_b', isWarm: true, line: undefined });
    expect(steps(call, 9_600)).toEqual([
      'asked done 100',
      'line done 8000',
      'starting now 500',
      'joining todo',
      'ready todo',
    ]);
  });

  test('a start that failed says where, and why', () => {
    const call = callAfter(
      asked,
      { type: 'accepted', answer: cold, at: 1_100 },
      status(4_100, 'error', { error: 'The agent exited with code 1.' }),
    );
    expect(call.problem).toMatchObject({ text: 'The agent exited with code 1.' });
    expect(steps(call, 9_999)).toEqual([
      'asked done 100',
      'starting failed 3000',
      'joining todo',
      'ready todo',
    ]);
    const refused = callAfter(asked, {
      type: 'failed',
      problem: { code: 'no_host', title: '', text: '' },
      at: 1_050,
    });
    expect(steps(refused, 9_999)[0]).toBe('asked failed 50');
  });
});

test('what happens right now is said in a word, each step once', () => {
  const said = (...actions: CallAction[]) => currentStep(callAfter(asked, ...actions));
  const inLine: CallAction = { type: 'accepted', answer: queued, at: 1_100 };
  expect(said()).toBe('Asked for a call');
  expect(said({ type: 'accepted', answer: cold, at: 1_100 })).toBe('Starting an agent');
  expect(said(inLine)).toBe('In line, number 2');
  const turn: CallAction[] = [inLine, status(2_000, 'queued', { position: 1 }), status(3_000, 'starting')];
  expect(said(...turn.slice(0, 2))).toBe('In line, number 1');
  expect(said(...turn)).toBe('Starting an agent');
  turn.push(facts(4_000, { connection: 'joined', hasAgent: true }));
  expect(said(...turn)).toBe('The agent joins');
  expect(said(...turn, status(5_000, 'ready'))).toBe('Ready to talk');
  expect(said(...turn, status(6_000, 'error'))).toBe('');
});

describe('in the call', () => {
  const ready: CallAction[] = [
    asked,
    { type: 'accepted', answer: cold, at: 1_100 },
    facts(1_200, { connection: 'joined', hasAgent: true }),
    status(2_000, 'ready'),
  ];

  test('an agent that is lost and comes back is told, and the time goes on', () => {
    const call = callAfter(
      ...ready,
      facts(3_000, { hasAgent: false }),
      status(3_010, 'restarting'),
      facts(5_000, { hasAgent: true }),
      status(5_010, 'ready'),
    );
    expect(call.marks.readyAt).toBe(2_000);
    expect(call.lines.map(({ text }) => text)).toEqual([
      'Ready to talk after 1.0 s.',
      'The agent was lost. Another one is joining.',
      'A new agent has joined. It does not know what was said before.',
    ]);
  });

  test('an operator who listens is told each time', () => {
    const call = callAfter(
      ...ready,
      facts(3_000, { isListenedTo: true }),
      { type: 'said', said: { role: 'agent', text: 'Somebody listens.', final: true, at: 3_050 } },
      facts(3_100, { isListenedTo: true }),
      facts(4_000, { isListenedTo: false }),
    );
    expect(call.room.isListenedTo).toBe(false);
    expect(call.lines.map(({ text }) => text)).toEqual([
      'Ready to talk after 1.0 s.',
      'An operator is listening.',
      'Somebody listens.',
    ]);
  });

  test.each<[string, CallAction]>([
    ['the agent is replaced', status(3_000, 'restarting')],
    ['the agent leaves the room', facts(3_000, { hasAgent: false })],
    ['the connection is lost', facts(3_000, { connection: 'reconnecting' })],
  ])(
    'what was sent just before %s may not have been heard; what waits meanwhile is not doubted',
    (_what, event) => {
      const typed: CallAction = { type: 'typed', key: 'k1', text: 'Hello?', at: 2_900 };
      const sent: CallAction = { type: 'typed-sent', key: 'k1' };
      const became = (...actions: CallAction[]) =>
        callAfter(...ready, ...actions).lines.find(({ key }) => key === 'k1')?.typed;
      expect(became(typed, sent, event)).toBe('doubtful');
      expect(became(event, typed, event)).toBe('waiting');
      expect(became(typed, event, status(4_000, 'restarting'))).toBe('waiting');
      expect(became(typed, event, facts(4_000, { hasAgent: false, connection: 'reconnecting' }))).toBe(
        'waiting',
      );
      expect(became(event, typed, sent)).toBe('sent');
    },
  );

  test('what was typed and not confirmed at the end is doubtful, what still waited was not sent', () => {
    const over = after(
      ...ready,
      { type: 'typed', key: 'k1', text: 'Hello?', at: 2_800 },
      { type: 'typed-sent', key: 'k1' },
      { type: 'typed', key: 'k2', text: 'Anybody?', at: 2_900 },
      { type: 'over', endReason: 'caller_ended', at: 3_000 },
    );
    expect(over).toMatchObject({
      over: { lines: [{ role: 'note' }, { typed: 'doubtful' }, { typed: 'failed' }] },
    });
  });

  test('silence is told subtly', () => {
    const silence = (step: string, more = {}): CallAction => ({
      type: 'silence',
      event: { sessionId: 'session_a', at: '', step, ...more },
      at: 3_000,
    });
    const call = callAfter(
      ...ready,
      silence('call_started'),
      silence('checkin', { number: 1, of: 3 }),
      silence('checkin_spoken'),
      silence('goodbye'),
    );
    expect(call.lines.map(({ role, text }) => [role, text])).toEqual([
      ['note', 'Ready to talk after 1.0 s.'],
      ['note', 'It was quiet: the agent asks whether you are there (1 of 3).'],
      ['note', 'Nobody answered: the agent says goodbye.'],
    ]);
  });

  test('its end keeps what was said and how long it was, and learns the reason late', () => {
    const line = { role: 'agent', text: 'Hello.', final: true, at: 2_100 } as const;
    const over = after(
      ...ready,
      { type: 'said', said: line },
      { type: 'over', endReason: undefined, at: 62_000 },
    );
    expect(over).toMatchObject({
      screen: 'over',
      over: { endReason: undefined, durationMs: 60_000, lines: [{ role: 'note' }, { text: 'Hello.' }] },
    });
    const told = reduce(over, { type: 'over', endReason: 'admin_ended', at: 63_000 });
    expect(told).toMatchObject({ over: { endReason: 'admin_ended', durationMs: 60_000 } });
    // A word from a stream that is late changes nothing.
    expect(reduce(told, status(64_000, 'ending'))).toBe(told);
  });
});

test('whoever is muted stays so, whatever becomes of the microphone', () => {
  const microphone = (it: Call['microphone']): CallAction => ({ type: 'microphone', microphone: it });
  const returned: CallAction = {
    type: 'returning',
    request,
    sessionId: 'session_a',
    askedAt: 500,
    isMuted: true,
  };
  expect(callAfter(asked).isMuted).toBe(false);
  expect(callAfter(asked, microphone('refused')).isMuted).toBe(false);
  expect(callAfter(asked, microphone('muted'), microphone('failed')).isMuted).toBe(true);
  expect(callAfter(asked, microphone('muted'), microphone('asking')).isMuted).toBe(false);
  expect(callAfter(returned).isMuted).toBe(true);
});

test('who returns to a call has its time and its session', () => {
  const call = callAfter({
    type: 'returning',
    request,
    sessionId: 'session_a',
    askedAt: 500,
    talkingSince: 900,
  });
  expect(call).toMatchObject({
    sessionId: 'session_a',
    status: 'returning',
    marks: { askedAt: 500, readyAt: 900 },
  });
});
