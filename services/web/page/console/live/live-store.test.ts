import type { AdminSessionView, OverviewView, SessionStepEvent } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { isIdleWarm, isInTrouble } from './live-state.js';
import { LiveStore } from './live-store.js';

const AT = '2026-11-22T12:00:00.000Z';
const LATER = '2026-11-22T12:00:05.000Z';

/** A store whose frames are drawn by hand. */
function storeOf(snapshot: Partial<OverviewView> = {}) {
  const frames: (() => void)[] = [];
  const store = new LiveStore({ onFrame: (draw) => void frames.push(draw), now: () => clock.now });
  const clock = { now: 0 };
  const draw = (): void => {
    for (const frame of frames.splice(0)) frame();
  };
  store.take({
    name: 'snapshot',
    data: { recovering: false, sessions: [], isCut: false, pools: [], hosts: [], ...snapshot },
  });
  draw();
  clock.now = 1_000;
  const step = (data: Partial<SessionStepEvent>): void => {
    store.take({
      name: 'session',
      data: {
        sessionId: 'a',
        step: 'ready',
        status: 'ready',
        at: LATER,
        profile: 'default',
        warm: false,
        ...data,
      },
    });
  };
  return { store, draw, frames, step, clock };
}

describe('drawing', () => {
  test('what happens within a frame is told once, and what has not changed stays the very same object', () => {
    const { store, draw, frames, step } = storeOf();
    const before = store.read();
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    for (let n = 0; n < 200; n += 1) step({ sessionId: `s${n}`, step: 'starting', status: 'starting' });
    expect([frames.length, told, store.read()]).toEqual([1, 0, before]);
    draw();
    expect([told, store.read().sessions.size]).toEqual([1, 200]);
    expect(store.read().hosts).toBe(before.hosts);
    const { sessions } = store.read();
    store.take({ name: 'pool', data: { profile: 'default', at: AT, target: 2, ready: 1, warming: 1 } });
    expect(store.read().sessions).toBe(sessions);
  });

  test('no more often than five times a second', async () => {
    const { store, draw, frames, step } = storeOf();
    step({ step: 'starting', status: 'starting' });
    draw();
    step({ status: 'ready' });
    expect(frames).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(frames.length).toBe(1);
    draw();
    expect(store.read().sessions.get('a')?.status).toBe('ready');
  });
});

describe('a session', () => {
  test('is followed from its first step to its last', () => {
    const { store, draw, step, clock } = storeOf();
    const after = (data: Partial<SessionStepEvent>) => {
      clock.now += 1_000;
      step(data);
      draw();
      return store.read().sessions.get('a');
    };
    expect(
      after({ step: 'starting', status: 'starting', at: AT, userId: 'ann', userName: 'Ann' }),
    ).toMatchObject({
      createdAt: AT,
      assignedAt: AT,
      prewarmed: false,
      userName: 'Ann',
      host: null,
    });
    after({ step: 'claimed', status: 'starting', host: 'h', detail: { generation: 1 } });
    expect(after({ host: 'h', detail: { startupMs: 800 } })).toMatchObject({
      status: 'ready',
      host: 'h',
      startupTime: 800,
      userName: 'Ann',
    });
    expect(after({ step: 'restarting', status: 'restarting', detail: { restarts: 1 } })).toMatchObject({
      restarts: 1,
    });
    expect(isInTrouble(store.read().sessions.get('a')!)).toBe(true);
    expect(after({ step: 'ending', status: 'ending', detail: { reason: 'caller_left' } })).toMatchObject({
      endReason: 'caller_left',
    });
    expect(after({ step: 'ended', status: 'gone' })).toBeUndefined();
  });

  test('is warm until it has its caller, and then still says that its agent was', () => {
    const { store, draw, step, clock } = storeOf();
    step({ step: 'starting', status: 'starting', warm: true, at: AT });
    step({ step: 'pooled', status: 'pooled', warm: true });
    draw();
    expect(isIdleWarm(store.read().sessions.get('a')!)).toBe(true);
    clock.now += 1_000;
    step({ userId: 'ann', detail: { prewarmed: true } });
    draw();
    const given = store.read().sessions.get('a')!;
    expect([isIdleWarm(given), given.prewarmed, given.assignedAt]).toEqual([false, true, LATER]);
  });

  test('that came from the line under another id leaves no second row', () => {
    const { store, draw, step } = storeOf();
    step({ sessionId: 'q', step: 'queued', status: 'queued' });
    step({ sessionId: 'q', step: 'became', status: 'queued', detail: { sessionId: 'w' } });
    draw();
    expect(store.read().sessions.size).toBe(0);
  });

  test('of which nobody knows how it began, because the snapshot was cut, is not made up', () => {
    const { store, draw, step } = storeOf({ isCut: true });
    step({ sessionId: 'old', step: 'caller_left', status: 'ready' });
    draw();
    expect([store.read().isCut, store.read().sessions.size]).toEqual([true, 0]);
  });

  test('whose start failed goes when Redis has forgotten it', () => {
    const { store, draw, step, clock } = storeOf({ sessions: [sessionOf('b')] });
    step({ step: 'starting', status: 'starting', at: AT });
    step({ step: 'error', status: 'error', at: LATER, detail: { error: 'exit code 1' } });
    step({ step: 'ended', status: 'gone', at: LATER, detail: { endReason: 'start_failed' } });
    draw();
    store.dropFailedBefore(Date.parse(LATER));
    draw();
    expect([...store.read().sessions.keys()]).toEqual(['b', 'a']);
    clock.now += 1_000;
    store.dropFailedBefore(Date.parse(LATER) + 1);
    draw();
    expect([...store.read().sessions.keys()]).toEqual(['b']);
  });
});

test('loads, pools, hosts, the line and alarms are taken in', () => {
  const { store, draw } = storeOf({ sessions: [sessionOf('a')] });
  const breaker = { status: 'open', failures: 5, reason: 'exit code 1', openUntil: LATER } as const;
  const pool = { profile: 'default', at: AT, target: 3, ready: 1, warming: 2 };
  store.take({
    name: 'load',
    data: { sessionId: 'a', at: AT, profile: 'default', host: 'h', cpuPercent: 7, memoryBytes: 9 },
  });
  store.take({
    name: 'load',
    data: { sessionId: 'nobody', at: AT, profile: 'default', host: 'h', cpuPercent: 7, memoryBytes: 9 },
  });
  store.take({ name: 'pool', data: { ...pool, breaker } });
  store.take({ name: 'host', data: { host: 'h', at: AT, state: 'draining', calls: 2 } });
  store.take({ name: 'line', data: { at: AT, waiting: 4, line: [] } });
  store.take({
    name: 'alarm',
    data: { sessionId: 'x', profile: 'default', alarm: 'kill_failed', host: 'h', at: AT, isOver: false },
  });
  draw();
  const state = store.read();
  expect(state.sessions.get('a')).toMatchObject({ cpuPercent: 7, memoryBytes: 9, measuredAt: AT });
  expect(state.sessions.size).toBe(1);
  expect(state.pools.get('default')).toMatchObject({ ready: 1, breaker });
  expect(state.hosts.get('h')).toMatchObject({ state: 'draining', drain: { callsLeft: 2 } });
  expect([state.line.waiting, state.alarms.size]).toEqual([4, 1]);

  const { store: next, draw: drawNext } = storeOf();
  next.take({ name: 'pool', data: { ...pool, breaker } });
  next.take({ name: 'pool', data: pool });
  next.take({ name: 'host', data: { host: 'h', at: AT, state: 'up' } });
  next.take({ name: 'host', data: { host: 'h', at: AT, state: 'removed' } });
  next.take({
    name: 'alarm',
    data: { sessionId: 'x', profile: 'default', alarm: 'kill_failed', host: 'h', at: AT, isOver: false },
  });
  next.take({
    name: 'alarm',
    data: { sessionId: 'x', profile: 'default', alarm: 'kill_failed', host: 'h', at: AT, isOver: true },
  });
  drawNext();
  expect(next.read().pools.get('default')?.breaker).toBeUndefined();
  expect([next.read().hosts.size, next.read().alarms.size]).toEqual([0, 0]);
});

function sessionOf(sessionId: string): AdminSessionView {
  return {
    sessionId,
    status: 'ready',
    userId: null,
    userName: null,
    voiceId: null,
    profile: 'default',
    prewarmed: false,
    roomName: null,
    createdAt: AT,
    readyAt: AT,
    startupTime: 5,
    restarts: 0,
    host: 'h',
    agentPid: 1,
    agentPgid: 1,
    generation: 1,
    logFile: null,
    assignedAt: AT,
    callerJoinedAt: null,
    deadlineAt: null,
    attempts: 0,
  };
}
