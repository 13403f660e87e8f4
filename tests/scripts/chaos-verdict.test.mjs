import { expect, test } from '@jest/globals';
import { judge, judgeCallers, judgeOwners, judgeState } from '../../scripts/lib/chaos/judge.mjs';
import { planCallers } from '../../scripts/lib/chaos/callers.mjs';
import { planFaults } from '../../scripts/lib/chaos/faults.mjs';
import { randomOf } from '../../scripts/lib/chaos/random.mjs';
import { replay, storyOf } from '../../scripts/lib/chaos/replay.mjs';

const LIMITS = { maxSessions: 2 };
const COLD = 'session_cold';
const WARM = 'prewarm_warm';

/** The steps of `[id, step, after]`, with what each was before and the counts that were right then. */
function traceOf(steps) {
  const now = new Map();
  return steps.map(([id, step, after], index) => {
    const before = now.get(id) ?? {};
    now.set(id, after);
    const all = [...now.values()];
    const home = after.host ?? before.host;
    const callers = all.filter(
      (it) => it.owner === 'caller' && it.status !== 'queued' && it.status !== undefined,
    );
    const sessions = all.filter(({ host }) => host === home).length;
    return {
      id,
      step,
      at: 1_000 + index,
      before,
      after,
      left: 0,
      callers: callers.length,
      ...(home && { host: { sessions, kills: 0, capacity: 2 } }),
    };
  });
}

const caller = (status, more) => ({ status, owner: 'caller', generation: '0', ...more });
const warm = (status, more) => ({ status, owner: 'pool', generation: '0', ...more });
const ON_A = { generation: '1', launch: 'launch-1', host: 'host-a' };
const ON_B = { generation: '1', launch: 'launch-2', host: 'host-b' };

/** A cold call that crashes once, and a warm agent that is given to a caller. */
const HEALTHY = [
  [COLD, 'start-session', caller('starting', { userKey: 'ann' })],
  [COLD, 'claim-launch', caller('starting', { userKey: 'ann', ...ON_A })],
  [WARM, 'plan-refill', warm('starting')],
  [WARM, 'claim-launch', warm('starting', ON_B)],
  [COLD, 'mark-ready', caller('ready', { userKey: 'ann', ...ON_A })],
  [WARM, 'mark-ready', warm('pooled', ON_B)],
  [COLD, 'restart-launch', caller('restarting', { userKey: 'ann', generation: '1' })],
  [
    COLD,
    'claim-launch',
    caller('restarting', { userKey: 'ann', ...ON_A, generation: '2', launch: 'launch-3' }),
  ],
  [WARM, 'start-session', caller('ready', { userKey: 'bob', ...ON_B })],
  [COLD, 'request-end', caller('ending', { userKey: 'ann', ...ON_A, generation: '2', launch: 'launch-3' })],
  [COLD, 'finish-end', {}],
];

test('a healthy trace has nothing against it', () => {
  expect(replay(traceOf(HEALTHY), LIMITS)).toEqual([]);
});

test('a session that nobody claimed may end and be gone in one step', () => {
  expect(replay(traceOf([HEALTHY[0], [COLD, 'request-end', {}]]), LIMITS)).toEqual([]);
});

/** Each is the healthy trace with more steps behind it, or changed in one place: rule and what is wrong. */
const DOCTORED = [
  ['illegal transition', [...HEALTHY, [WARM, 'x', warm('starting', ON_B)]], 'ready -> starting'],
  ['illegal transition', [...HEALTHY, [COLD, 'mark-ready', caller('ready')]], 'ready after it was gone'],
  [
    'agent given twice',
    [...HEALTHY, [WARM, 'x', caller('ready', { userKey: 'cid', ...ON_B })]],
    'bob had it',
  ],
  ['agent given twice', [...HEALTHY, [WARM, 'x', warm('ready', ON_B)]], 'to the pool'],
  [
    'agent given twice',
    [...HEALTHY.slice(0, 4), [WARM, 'start-session', caller('ready', ON_B)]],
    'that was starting was given',
  ],
  [
    'generation',
    [...HEALTHY.slice(0, 8), [COLD, 'x', caller('restarting', { userKey: 'ann', ...ON_A })]],
    '2 -> 1',
  ],
  [
    'generation',
    [
      ...HEALTHY.slice(0, 2),
      [COLD, 'x', caller('starting', { userKey: 'ann', ...ON_A, launch: 'launch-9' })],
    ],
    'the old generation 1',
  ],
  [
    'launch of two sessions',
    [...HEALTHY.slice(0, 3), [WARM, 'claim-launch', warm('starting', { ...ON_B, launch: 'launch-1' })]],
    `that of ${COLD}`,
  ],
  [
    'doubled session',
    [...HEALTHY.slice(0, 6), ['session_two', 'start-session', caller('starting', { userKey: 'ann' })]],
    `has ${COLD} too`,
  ],
  [
    'capacity exceeded',
    [1, 2, 3].map((n) => [`session_${n}`, 'start-session', caller('starting')]),
    '3 callers, at most 2',
  ],
  [
    'capacity exceeded',
    [1, 2, 3].flatMap((n) => [
      [`prewarm_${n}`, 'plan-refill', warm('starting')],
      [`prewarm_${n}`, 'claim-launch', warm('starting', { ...ON_A, launch: `launch-${n}` })],
    ]),
    '3 sessions and 0 to kill on host-a, at most 2',
  ],
];

test.each(DOCTORED)('%s is seen in a doctored trace (%#)', (rule, steps, text) => {
  const violations = replay(traceOf(steps), LIMITS);
  expect(violations.map((it) => it.rule)).toContain(rule);
  expect(violations.find((it) => it.rule === rule).text).toContain(text);
});

test('a change that no step made, and counts that the hashes do not bear out, are seen', () => {
  const skipped = traceOf(HEALTHY).filter(({ step }) => step !== 'restart-launch');
  expect(replay(skipped, LIMITS)[0]).toMatchObject({ rule: 'changed outside of a step', id: COLD });
  const [first, ...rest] = traceOf(HEALTHY);
  expect(replay([{ ...first, callers: 2 }, ...rest], LIMITS)).toEqual([
    { rule: 'count differs', id: COLD, text: 'start-session: 2 callers by the set, 1 by their hashes' },
  ]);
  const miscounted = traceOf(HEALTHY).map((it) =>
    it.host ? { ...it, host: { ...it.host, sessions: 0 } } : it,
  );
  expect(replay(miscounted, LIMITS)[0].text).toContain('0 sessions on host-a by the set, 1 by their hashes');
});

test('a story tells the steps of one session', () => {
  expect(storyOf(COLD, traceOf(HEALTHY)).slice(0, 2)).toEqual([
    '00:00:01.000 start-session: nothing -> starting caller g0',
    '00:00:01.001 claim-launch: starting caller g0 -> starting caller g1 launch-1 host-a',
  ]);
});

/** One call, one warm agent, all as it should be. */
function healthyFacts() {
  const call = caller('ready', {
    ...ON_A,
    roomName: 'room-1',
    agentPid: '11',
    userKey: 'ann',
    createdAt: '0',
  });
  const idle = warm('pooled', { ...ON_B, roomName: 'room-2', agentPid: '12', createdAt: '0' });
  return {
    at: 60_000,
    sessions: { [COLD]: call, [WARM]: idle },
    users: { ann: COLD },
    ended: { session_over: 'caller_ended' },
    becomes: { session_queued: WARM },
    sets: {
      'session:ready': [COLD],
      'session:starting': [],
      'sessions:callers': [COLD],
      'sessions:ending': [],
      'pool:ready': [WARM],
      'pool:warming': [],
      'host:host-a:sessions': [COLD],
      'host:host-a:ending': [],
      'host:host-b:sessions': [WARM],
      'host:host-b:ending': [],
    },
    sorted: { hosts: ['host-a', 'host-b'], 'spawn:pending': [], 'rooms:doomed': [] },
    rooms: ['room-1', 'room-2'],
    agents: [
      { pid: 11, sessionId: COLD, launch: 'launch-1' },
      { pid: 12, sessionId: WARM, launch: 'launch-2' },
    ],
    health: [{ sessions: { ready: 1, starting: 0, pool: 1, warming: 0 }, capacity: { current: 1 } }],
  };
}

test('a healthy state has nothing against it', () => {
  expect(judgeState(healthyFacts())).toEqual([]);
});

test.each([
  [
    'agent without a session',
    (it) => it.agents.push({ pid: 13, sessionId: 'session_gone', launch: 'launch-9' }),
  ],
  ['agent without a session', (it) => it.agents.push({ pid: 13, sessionId: COLD, launch: 'launch-0' })],
  ['session without an agent', (it) => it.agents.pop()],
  [
    'session without an agent',
    (it) => Object.assign(it.sessions[COLD], { status: 'ending', endRequestedAt: '1000' }),
  ],
  ['session without an agent', (it) => Object.assign(it.sessions[COLD], { status: 'starting' })],
  ['room without a session', (it) => it.rooms.push('room-3')],
  ['session without a room', (it) => it.rooms.pop()],
  ['count differs', (it) => it.sets['session:ready'].pop()],
  ['count differs', (it) => it.sets['sessions:callers'].push('session_gone')],
  ['count differs', (it) => it.sets['host:host-b:sessions'].push(COLD)],
  ['count differs', (it) => it.sorted['spawn:pending'].push(COLD)],
  ['count differs', (it) => Object.assign(it.users, { bob: 'session_gone' })],
  ['count differs', (it) => Object.assign(it.health[0].capacity, { current: 2 })],
])('%s is seen in a doctored state (%#)', (rule, doctor) => {
  const facts = healthyFacts();
  doctor(facts);
  expect(judgeState(facts).map((it) => it.rule)).toContain(rule);
});

const visitor = (more) => ({
  number: 1,
  ids: new Set([COLD]),
  id: COLD,
  outcome: 'stays',
  acceptedAt: 50_000,
  ...more,
});
const trace = traceOf(HEALTHY);
const judgeOne = (more, facts = healthyFacts(), faults = []) =>
  judgeCallers([visitor(more)], { facts, trace, faults }).map(({ rule }) => rule);

test('callers: lost, doubled, ended without a cause', () => {
  expect(judgeOne({})).toEqual([]);
  expect(judgeOne({ ids: new Set(['session_over']), id: 'session_over' })).toEqual([]);
  expect(judgeOne({ ids: new Set(['session_queued']), id: WARM })).toEqual([]);
  expect(judgeOne({ ids: new Set(['session_gone']), id: 'session_gone' })).toEqual(['lost session']);
  expect(judgeOne({ outcome: 'LOST' })).toEqual(['lost session']);
  expect(judgeOne({ ids: new Set([COLD, WARM]) })).toEqual(['doubled session']);
  expect(judgeOne({ outcome: 'refused: 500 internal' })).toEqual(['refused without a cause']);
  expect(judgeOne({ outcome: 'refused: at_capacity' })).toEqual([]);

  const ended = (reason) => ({ ...healthyFacts(), sessions: {}, ended: { [COLD]: reason } });
  const fault = (target) => [{ target, kind: 'kill', from: 50_000, to: 55_000 }];
  expect(judgeOne({}, ended('agent_crashed'))).toEqual(['unexplained end']);
  expect(judgeOne({}, ended('agent_crashed'), fault('spawner-b'))).toEqual(['unexplained end']);
  expect(judgeOne({}, ended('agent_crashed'), fault('spawner-a'))).toEqual([]);
  expect(judgeOne({ unheardMs: 2_000 }, ended('line_abandoned'))).toEqual(['unexplained end']);
  expect(judgeOne({ unheardMs: 40_000 }, ended('line_abandoned'))).toEqual([]);
  expect(judgeOne({}, ended('state_lost'), fault('spawner-a'))).toEqual(['unexplained end']);
});

test('a call that no caller knows of is a double', () => {
  expect(judgeOwners([visitor({})], healthyFacts())).toEqual([]);
  expect(judgeOwners([], healthyFacts())).toMatchObject([{ rule: 'doubled session', id: COLD }]);
});

test('as many pairs are planned as were asked for, beside a few callers who stay', () => {
  for (const pairs of [1, 40, 1_000]) {
    const plans = planCallers(pairs, 300, randomOf(7));
    expect(plans.filter(({ ends }) => ends)).toHaveLength(pairs);
    expect(plans.filter(({ ends }) => !ends)).toHaveLength(Math.min(5, Math.ceil(pairs / 20)));
  }
});

test.each([
  [95, []],
  [94, ['too few pairs']],
])('of 100 pairs %i were made: %j', (made, rules) => {
  const pair = (number) => visitor({ number, outcome: number % 2 ? 'ended by us' : 'ended: host_lost' });
  const callers = [
    visitor({ outcome: 'stays' }),
    ...Array.from({ length: made }, (_, number) => pair(number)),
    ...Array.from({ length: 100 - made }, (_, number) =>
      visitor({ number, ids: new Set(), outcome: 'refused: at_capacity' }),
    ),
  ];
  const violations = judge({ facts: healthyFacts(), callers, pairs: 100, trace, faults: [], limits: LIMITS });
  expect(violations.map(({ rule }) => rule)).toEqual(rules);
});

test('a seed repeats the faults and the callers, another one does not', () => {
  const plans = (seed) => {
    const random = randomOf(seed);
    const faults = planFaults({ name: 'spawner-1', service: 'spawner' }, 300, random);
    return JSON.stringify([faults, planCallers(100, 300, random)]);
  };
  expect(plans(7)).toBe(plans(7));
  expect(plans(7)).not.toBe(plans(8));
});
