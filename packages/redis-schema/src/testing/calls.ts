import { expect } from '@jest/globals';
import type { CallAction, CallRecord, NextCall } from '../index.js';
import { addHost, HOST, launch, newId, schema, startedId, useRedis } from './steps.js';

/** A phone call, as Telnyx names it. */
export const CALL = 'v3:a-call-control-id';

export interface Counted {
  v: 1;
  count: number;
}

export const begin: Counted = { v: 1, count: 0 };

/** A host that takes calls, and one warm agent that it would have. */
export function useCalls(): void {
  useRedis(() => addHost(HOST, { poolTarget: 1 }));
}

/** Rules of our own: each event counts. */
export function counting(more: Partial<NextCall> = {}) {
  return (call: CallRecord): NextCall => ({
    state: { ...(call.state as Counted), count: (call.state as Counted).count + 1 },
    dueAt: call.dueAt,
    actions: [],
    steps: [],
    ...more,
  });
}

export const say = (commandId: string): CallAction => ({
  kind: 'say',
  commandId,
  text: 'Still there?',
  purpose: 'checkin',
});

export async function openPhone(callId = CALL, dueInMs = 60_000): Promise<void> {
  const result = await schema.calls.open({
    callId,
    medium: 'phone',
    state: begin,
    settings: {},
    dueAt: Math.round(schema.clock.now()) + dueInMs,
  });
  expect(result.status).toBe('opened');
}

/** A session whose agent is ready. */
export async function startSession(): Promise<string> {
  const sessionId = await startedId({ sessionId: newId(), trusted: false, queueMax: 5 });
  await launch();
  return sessionId;
}

export async function openLiveKit(): Promise<string> {
  const callId = await startSession();
  const dueAt = Math.round(schema.clock.now()) + 60_000;
  await schema.calls.open({
    callId,
    sessionId: callId,
    medium: 'livekit',
    state: begin,
    settings: {},
    dueAt,
  });
  return callId;
}

export async function countOf(callId = CALL): Promise<number | undefined> {
  return ((await schema.calls.read(callId))?.state as Counted | undefined)?.count;
}
